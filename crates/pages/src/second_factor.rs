//! One's own second factor: set up with a picture for the app, confirmed with a code, removed.

use std::fmt::Write as _;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{ChangeRefusal, FactorSetup, FactorState, Fault, OwnAccount};
use qrcode::{Color, QrCode};

use crate::App;
use crate::caller::{Caller, Posted};
use crate::component::{Field, Lozenge, Tone};
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::Query;
use crate::shell::{Place, Shell};

/// The light border that readers of such pictures need, in squares.
const BORDER: usize = 4;

#[derive(Template)]
#[template(path = "second-factor.html")]
struct FactorPage {
    shell: Shell,
    email: String,
    state: Lozenge,
    on: bool,
    codes_left: i64,
    /// Without one there is nothing that a second factor would come second to.
    has_password: bool,
    pending: Option<Pending>,
    /// Recovery codes that were just made, shown this once.
    codes: Vec<String>,
    wrong: Option<String>,
    present: Field,
}

/// A secret that does not count yet.
struct Pending {
    picture: Picture,
    /// In groups, to be typed.
    secret: String,
    address: String,
    code: Field,
}

/// A picture that apps read, as the outline of its dark squares.
struct Picture {
    side: usize,
    dark: String,
}

/// Draws what apps read. `None` if it is too long, which an e-mail address does not reach.
fn picture(address: &str) -> Option<Picture> {
    let code = QrCode::new(address.as_bytes()).ok()?;
    let width = code.width();
    let mut dark = String::new();
    for (place, colour) in code.into_colors().into_iter().enumerate() {
        if colour == Color::Dark {
            let (x, y) = (place % width + BORDER, place / width + BORDER);
            // Writing to a String cannot fail.
            let _ = write!(dark, "M{x} {y}h1v1h-1z");
        }
    }
    Some(Picture {
        side: width + 2 * BORDER,
        dark,
    })
}

/// Letters in groups of four.
fn grouped(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|four| four.iter().collect())
        .collect();
    groups.join(" ")
}

/// The state in a word.
pub(crate) fn state(factor: FactorState) -> Lozenge {
    match factor {
        FactorState::Off => Lozenge::new(Tone::Plain, "off"),
        FactorState::On { .. } => Lozenge::new(Tone::Good, "on"),
    }
}

/// Recovery codes that are left, if there is a second factor.
pub(crate) fn codes_left(factor: FactorState) -> Option<i64> {
    match factor {
        FactorState::Off => None,
        FactorState::On { codes_left } => Some(codes_left),
    }
}

/// What came of a form.
#[derive(Default)]
struct Came {
    faults: Vec<Fault>,
    wrong: Option<String>,
    codes: Vec<String>,
    notice: Option<&'static str>,
}

impl Came {
    fn refused(refusal: ChangeRefusal) -> Result<Self, PageError> {
        match refusal {
            ChangeRefusal::Failed(error) => Err(error.into()),
            ChangeRefusal::Faults(faults) => Ok(Self {
                faults,
                ..Self::default()
            }),
            _ => Ok(Self {
                wrong: Some(
                    "This was changed meanwhile, perhaps in another tab. The page shows how it is \
                     now."
                        .to_owned(),
                ),
                ..Self::default()
            }),
        }
    }
}

fn pending(setup: &FactorSetup, faults: &[Fault]) -> Option<Pending> {
    Some(Pending {
        picture: picture(&setup.address)?,
        secret: grouped(&setup.secret),
        address: setup.address.clone(),
        code: Field::new("code", "Code", "text")
            .filled("one-time-code")
            .hinting("The six digits that the app shows now.")
            .faulty(faults),
    })
}

async fn show(app: &App, caller: &Caller<OwnAccount>, came: Came) -> Result<Response, PageError> {
    let (may, visit) = (&caller.granted, &caller.visit);
    let factor = app.access.own_second_factor(may, visit).await?;
    let setup = app.access.pending_second_factor(may, visit).await?;
    let status = if came.faults.is_empty() && came.wrong.is_none() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = FactorPage {
        shell: caller
            .shell("Second factor", Place::Account)
            .noting(came.notice),
        email: visit.person.email.clone(),
        state: state(factor),
        on: factor != FactorState::Off,
        codes_left: codes_left(factor).unwrap_or(0),
        has_password: app.access.has_password(may, visit).await?,
        pending: setup
            .as_ref()
            .and_then(|setup| pending(setup, &came.faults)),
        codes: came.codes,
        wrong: came.wrong,
        present: Field::new("present", "Present password", "password")
            .filled("current-password")
            .faulty(&came.faults),
    };
    Ok((status, html(&page)).into_response())
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<OwnAccount>,
    query: Query,
) -> Result<Response, PageError> {
    let came = Came {
        notice: notice::of(&query),
        ..Came::default()
    };
    show(&app, &caller, came).await
}

pub(crate) async fn change(
    State(app): State<App>,
    posted: Posted<OwnAccount>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let (access, may, visit) = (&app.access, &caller.granted, &caller.visit);
    let (present, door) = (fields.get("present"), &caller.door);
    let came = match fields.get("what") {
        "begin" => match access.begin_second_factor(may, visit, present, door).await {
            Ok(_) => {
                let place = "/account/second-factor?done=second-factor-begun";
                return Ok(see_other(place));
            }
            Err(refusal) => Came::refused(refusal)?,
        },
        "confirm" => {
            let code = fields.get("code");
            match access.confirm_second_factor(may, visit, code).await {
                Ok(codes) => Came {
                    codes,
                    ..Came::default()
                },
                Err(refusal) => Came::refused(refusal)?,
            }
        }
        "codes" => match access.new_recovery_codes(may, visit, present, door).await {
            Ok(codes) => Came {
                codes,
                ..Came::default()
            },
            Err(refusal) => Came::refused(refusal)?,
        },
        "remove" => {
            let removed = access.remove_own_second_factor(may, visit, present, door);
            match removed.await {
                Ok(()) => return Ok(see_other("/account?done=second-factor-off")),
                Err(refusal) => Came::refused(refusal)?,
            }
        }
        _ => return Err(PageError::bad_form("The form does not say what to do.")),
    };
    show(&app, &caller, came).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_holds_the_whole_address_of_the_longest_e_mail_address() {
        let address = format!("otpauth://totp/Bowline:{}?secret=A", "a".repeat(254));
        let picture = picture(&address).unwrap();
        assert!(picture.side > 2 * BORDER + 21, "{}", picture.side);
        assert!(picture.dark.starts_with("M4 4h1v1h-1z"), "{}", picture.dark);
        assert_eq!(grouped("ABCDEFGHIJ"), "ABCD EFGH IJ");
    }
}
