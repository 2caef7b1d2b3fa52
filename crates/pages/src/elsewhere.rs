//! Signing in at a provider of OpenID Connect: the way there and back, and joining who somebody is
//! there to the account that they have here.
//!
//! Nobody is sent there by a form: browsers hold a form's redirects against the policy, which knows
//! no other host. Signing in is a link; what joins is a form that answers with a page with a link.

use std::sync::{Arc, PoisonError, RwLock};

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bowline_access::{
    ChangeRefusal, ElsewhereRefusal, ElsewhereRules, Entered, Fault, Once, OwnAccount, PasswordsOf,
    ToldElsewhere, Visit,
};
use bowline_oidc::{Answer, BEGUN_MS_MAX, Begun, OidcError, Provider, Purpose, Told};

use crate::App;
use crate::account;
use crate::caller::{Posted, Stranger, StrangerPosted};
use crate::component::Field;
use crate::cookie::Cookie;
use crate::error::{PageError, html, see_other};
use crate::query::{Query, asking, ours};
use crate::reader::When;
use crate::shell::{Place, Shell};
use crate::sign_in;

/// The field for the present password: the page has another one of the name `present`.
pub(crate) const PRESENT: &str = "elsewhere_present";

/// A provider, and who may come in by it.
#[derive(Debug)]
pub struct Elsewhere {
    /// The provider.
    pub provider: Provider,
    /// Who may come in.
    pub rules: ElsewhereRules,
}

/// The provider that is declared now, if one is. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct ElsewhereNow(Arc<RwLock<Option<Arc<Elsewhere>>>>);

impl ElsewhereNow {
    /// Takes another one into use.
    pub fn set(&self, elsewhere: Option<Elsewhere>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = elsewhere.map(Arc::new);
    }

    pub(crate) fn get(&self) -> Option<Arc<Elsewhere>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The way in on the sign-in page.
pub(crate) struct Way {
    pub(crate) href: String,
    pub(crate) label: String,
    /// Are only owners' passwords taken?
    pub(crate) owners_only: bool,
    /// Is the form for passwords shown all the same?
    pub(crate) open: bool,
}

/// What joins on the page of a code.
pub(crate) struct Join {
    pub(crate) label: String,
    pub(crate) code: String,
}

/// What the account page shows.
pub(crate) struct OwnWay {
    pub(crate) label: String,
    pub(crate) joined: Option<JoinedTo>,
    /// The field for the password; `None` for who has none.
    pub(crate) present: Option<Field>,
}

pub(crate) struct JoinedTo {
    pub(crate) email: String,
    pub(crate) since: When,
}

#[derive(Template)]
#[template(path = "go-on.html")]
struct GoOnPage {
    shell: Shell,
    label: String,
    href: String,
}

impl App {
    /// The way in on the sign-in page; `open`: a password was refused.
    pub(crate) fn way_in(&self, next: &str, open: bool) -> Option<Way> {
        let elsewhere = self.elsewhere.get()?;
        Some(Way {
            href: match next {
                "/" => "/sign-in/oidc".to_owned(),
                next => asking("/sign-in/oidc", "next", next),
            },
            label: elsewhere.rules.label.clone(),
            owners_only: self.access.passwords_of() == PasswordsOf::Owners,
            open,
        })
    }

    /// What joins with a code.
    pub(crate) fn way_to_join(&self, code: &str) -> Option<Join> {
        let label = self.elsewhere.get()?.rules.label.clone();
        Some(Join {
            label,
            code: code.to_owned(),
        })
    }
}

fn told(told: Told) -> ToldElsewhere {
    ToldElsewhere {
        issuer: told.issuer,
        subject: told.subject,
        email: told.email,
        email_verified: told.email_verified,
        name: told.name,
    }
}

/// Begins a sign-in: where to send the browser, and the cookie that it keeps.
async fn begin(
    app: &App,
    elsewhere: &Elsewhere,
    (purpose, place, session): (Purpose, &str, &str),
) -> Result<(String, header::HeaderValue), OidcError> {
    let begun = Begun::new(app.access.new_secret(), app.access.now(), purpose, place);
    let url = elsewhere.provider.begin(&begun, session).await?;
    let cookie = Cookie::Elsewhere.set(&begun.kept(), BEGUN_MS_MAX / 1_000, app.https);
    Ok((url.to_string(), cookie))
}

/// The browser forgets a sign-in that came to its end.
fn forget(app: &App, mut answer: Response) -> Response {
    let gone = Cookie::Elsewhere.set("", 0, app.https);
    answer.headers_mut().append(header::SET_COOKIE, gone);
    answer
}

/// The way there, to come in.
pub(crate) async fn go(
    State(app): State<App>,
    stranger: Stranger,
    query: Query,
) -> Result<Response, PageError> {
    let next = ours(query.text("next"));
    if stranger.visit.is_some() {
        return Ok(see_other(&next));
    }
    let Some(elsewhere) = app.elsewhere.get() else {
        return Ok(see_other("/sign-in"));
    };
    if !app.access.is_set_up().await? {
        return Ok(see_other("/setup"));
    }
    match begin(&app, &elsewhere, (Purpose::Enter, &next, "")).await {
        Ok((url, cookie)) => Ok(([(header::SET_COOKIE, cookie)], see_other(&url)).into_response()),
        Err(refusal) => {
            tracing::warn!(%refusal, "nobody can be sent to the sign-in service");
            let (status, words) = (StatusCode::BAD_GATEWAY, refusal.to_string());
            Ok(sign_in::refused(&app, &stranger, status, &next, words))
        }
    }
}

/// Why somebody who came back is not let in.
enum Refused {
    /// What came back does not hold.
    There(OidcError),
    /// It holds, and they are not let in.
    Here(ElsewhereRefusal),
}

impl From<ElsewhereRefusal> for Refused {
    fn from(refusal: ElsewhereRefusal) -> Self {
        Self::Here(refusal)
    }
}

impl Refused {
    fn told(self) -> Result<(StatusCode, String), PageError> {
        match self {
            Self::Here(ElsewhereRefusal::Failed(error)) => Err(error.into()),
            Self::Here(refusal @ ElsewhereRefusal::Wait(_)) => {
                Ok((StatusCode::TOO_MANY_REQUESTS, refusal.to_string()))
            }
            Self::Here(refusal) => Ok((StatusCode::FORBIDDEN, refusal.to_string())),
            Self::There(refusal) => {
                tracing::warn!(%refusal, "somebody was not signed in");
                let status = match refusal {
                    OidcError::Unreachable { .. } | OidcError::NoProvider { .. } => {
                        StatusCode::BAD_GATEWAY
                    }
                    _ => StatusCode::FORBIDDEN,
                };
                Ok((status, refusal.to_string()))
            }
        }
    }
}

impl Refused {
    /// Is it no fault of who came: the provider does not answer?
    fn is_away(&self) -> bool {
        matches!(
            self,
            Self::There(OidcError::Unreachable { .. } | OidcError::NoProvider { .. })
        )
    }
}

/// What a browser that came back wanted.
enum Came {
    In(Entered),
    Joined,
}

/// The same, unless it failed too often from where they are.
async fn came(
    app: &App,
    elsewhere: &Elsewhere,
    begun: &Begun,
    (stranger, query): (&Stranger, &Query),
) -> Result<Came, Refused> {
    let (access, door) = (&app.access, &stranger.door);
    let taken = access.try_elsewhere(door).await?;
    let came = finished(app, elsewhere, begun, (stranger, query)).await;
    let noted = match &came {
        Err(refused) if !refused.is_away() => {
            access.try_failed(taken, &elsewhere.rules, door).await
        }
        _ => access.give_try_back(taken).await,
    };
    noted.map_err(ElsewhereRefusal::Failed)?;
    came
}

async fn finished(
    app: &App,
    elsewhere: &Elsewhere,
    begun: &Begun,
    (stranger, query): (&Stranger, &Query),
) -> Result<Came, Refused> {
    let visit: Option<&Visit> = match begun.purpose() {
        Purpose::Join => stranger.visit.as_ref(),
        Purpose::Enter | Purpose::Welcome(_) => None,
    };
    let session = visit.map_or("", |visit| visit.form_token.as_str());
    let answer = Answer {
        state: query.text("state"),
        code: query.text("code"),
        iss: query.text("iss"),
        error: query.text("error"),
        description: query.text("error_description"),
    };
    let finished = elsewhere.provider.finish(begun, session, &answer).await;
    let told = told(finished.map_err(Refused::There)?);
    let once = Once {
        key: begun.key(),
        ends_at: begun.ends_at(),
    };
    let (access, rules, door) = (&app.access, &elsewhere.rules, &stranger.door);
    match begun.purpose() {
        Purpose::Enter => {
            let entered = access.enter_elsewhere(&told, rules, &once, door).await?;
            Ok(Came::In(entered))
        }
        Purpose::Welcome(code) => {
            let entered = access.join_with_code(code, &told, rules, (&once, door));
            Ok(Came::In(entered.await?))
        }
        Purpose::Join => {
            let by = visit.and_then(|visit| Some((visit, visit.who().granted::<OwnAccount>()?)));
            let (visit, by) = by.ok_or(Refused::There(OidcError::NotOurs))?;
            access.join_own(&by, visit, &told, rules, &once).await?;
            Ok(Came::Joined)
        }
    }
}

/// The way back.
pub(crate) async fn back(
    State(app): State<App>,
    stranger: Stranger,
    query: Query,
) -> Result<Response, PageError> {
    let Some(elsewhere) = app.elsewhere.get() else {
        return Ok(see_other("/sign-in"));
    };
    let Some(begun) = stranger.begun.as_deref().and_then(Begun::read) else {
        let words = OidcError::NotOurs.to_string();
        let answer = sign_in::refused(&app, &stranger, StatusCode::FORBIDDEN, "/", words);
        return Ok(forget(&app, answer));
    };
    let place = ours(begun.place());
    let answer = match came(&app, &elsewhere, &begun, (&stranger, &query)).await {
        Ok(Came::In(entered)) => sign_in::go_on(&app, entered, &place),
        Ok(Came::Joined) => see_other("/account?done=identity-joined"),
        Err(refused) => {
            let (status, words) = refused.told()?;
            match (begun.purpose(), &stranger.visit) {
                (Purpose::Join, Some(visit)) => {
                    let title = "Not joined".to_owned();
                    let shell = Shell::of(visit, &stranger.reader, title, Place::Account);
                    PageError::not_joined(&words)
                        .in_shell(shell)
                        .into_response()
                }
                (Purpose::Welcome(code), _) => {
                    sign_in::not_welcome(&app, &stranger, status, code, words)
                }
                _ => sign_in::refused(&app, &stranger, status, &place, words),
            }
        }
    };
    Ok(forget(&app, answer))
}

fn go_on_page(
    shell: Shell,
    label: &str,
    (href, cookie): (String, header::HeaderValue),
) -> Response {
    let page = GoOnPage {
        shell,
        label: label.to_owned(),
        href,
    };
    ([(header::SET_COOKIE, cookie)], html(&page)).into_response()
}

/// Joins with a code that an administrator handed over.
pub(crate) async fn welcome(
    State(app): State<App>,
    posted: StrangerPosted,
) -> Result<Response, PageError> {
    let StrangerPosted {
        stranger,
        fields,
        ours,
    } = posted;
    let Some(elsewhere) = app.elsewhere.get() else {
        return Ok(see_other("/sign-in"));
    };
    let code = fields.get("code");
    let again = |status, words: String| sign_in::not_welcome(&app, &stranger, status, code, words);
    if !ours {
        let words = sign_in::NOT_OURS.to_owned();
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, words));
    }
    let purpose = Purpose::Welcome(code.chars().take(100).collect());
    match begin(&app, &elsewhere, (purpose, "/", "")).await {
        Ok(begun) => {
            let title = "Go on".to_owned();
            let shell = Shell::bare(&stranger.reader, title);
            Ok(go_on_page(shell, &elsewhere.rules.label, begun))
        }
        Err(refusal) => Ok(again(StatusCode::BAD_GATEWAY, refusal.to_string())),
    }
}

/// Joins or parts who somebody is there and the account that is signed in.
pub(crate) async fn change_own(
    State(app): State<App>,
    posted: Posted<OwnAccount>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let (by, visit, present) = (&caller.granted, &caller.visit, fields.get(PRESENT));
    let elsewhere = app.elsewhere.get();
    let changed = if fields.get("what") == "part" {
        let parted = app.access.part_own(by, visit, present, &caller.door).await;
        parted.map(|parted| {
            see_other(if parted {
                "/account?done=identity-parted"
            } else {
                "/account?done=gone"
            })
        })
    } else if let Some(elsewhere) = &elsewhere {
        let may = app.access.may_join(by, visit, present, &caller.door).await;
        if let Err(refusal) = may {
            Err(refusal)
        } else {
            let what = (Purpose::Join, "/account", visit.form_token.as_str());
            match begin(&app, elsewhere, what).await {
                Ok(begun) => {
                    let shell = caller.shell("Go on", Place::Account);
                    Ok(go_on_page(shell, &elsewhere.rules.label, begun))
                }
                Err(refusal) => {
                    let fault = Fault::new("present", refusal.to_string());
                    Err(ChangeRefusal::Faults(vec![fault]))
                }
            }
        }
    } else {
        Ok(see_other("/account"))
    };
    match changed {
        Ok(answer) => Ok(answer),
        Err(ChangeRefusal::Failed(error)) => Err(error.into()),
        Err(refusal) => {
            let fault = Fault::new(PRESENT, refusal.to_string());
            account::show(&app, &caller, (&[], &[fault]), None).await
        }
    }
}
