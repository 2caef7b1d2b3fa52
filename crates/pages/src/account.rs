//! One's own account: password, sessions, looks.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bowline_access::{ChangeRefusal, Fault, OwnAccount, PASSWORD_LETTERS_MIN};

use crate::App;
use crate::caller::{Caller, Posted};
use crate::component::{Choice, Field, Lozenge};
use crate::cookie::Cookie;
use crate::elsewhere::{self, JoinedTo, OwnWay};
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::Query;
use crate::reader::{Colours, Reader, When};
use crate::second_factor;
use crate::shell::{Place, Shell};

/// How long a browser keeps how someone likes to look, in seconds: a year.
const LOOK_S: i64 = 365 * 24 * 60 * 60;

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    shell: Shell,
    email: String,
    role: String,
    present: Field,
    password: Field,
    second_factor: Lozenge,
    codes_left: Option<i64>,
    colours: Vec<Choice>,
    more_contrast: bool,
    sessions: Vec<SessionRow>,
    elsewhere: Option<OwnWay>,
}

struct SessionRow {
    key: String,
    this: bool,
    browser: String,
    address: String,
    began: When,
    seen: When,
}

/// The part about a provider, if one is declared or was used.
async fn own_way(
    app: &App,
    caller: &Caller<OwnAccount>,
    faults: &[Fault],
) -> Result<Option<OwnWay>, PageError> {
    let Some(now) = app.elsewhere.get() else {
        return Ok(None);
    };
    let (by, visit) = (&caller.granted, &caller.visit);
    let joined = app.access.own_identity(by, visit).await?;
    let has_password = app.access.has_password(by, visit).await?;
    let field = Field::new(elsewhere::PRESENT, "Present password", "password")
        .filled("current-password")
        .faulty(faults);
    Ok(Some(OwnWay {
        label: now.rules.label.clone(),
        joined: joined.map(|kept| JoinedTo {
            email: kept.identity.email,
            since: caller.reader.when(kept.joined_at),
        }),
        // Where there is no password the field still says what is wrong.
        present: match (has_password, faults.is_empty()) {
            (true, _) => Some(field),
            (false, false) => Some(field.optional()),
            (false, true) => None,
        },
    }))
}

/// `faults` are those of the form for the password, and of the one for the provider.
pub(crate) async fn show(
    app: &App,
    caller: &Caller<OwnAccount>,
    (faults, elsewhere_faults): (&[Fault], &[Fault]),
    notice: Option<&'static str>,
) -> Result<Response, PageError> {
    let reader = &caller.reader;
    let sessions = app
        .access
        .own_sessions(&caller.granted, &caller.visit)
        .await?;
    let sessions = sessions.into_iter().map(|session| SessionRow {
        this: session.key == caller.visit.session,
        key: session.key,
        browser: browser_name(&session.browser).to_owned(),
        address: session.address,
        began: reader.when(session.made_at),
        seen: reader.when(session.seen_at),
    });
    let factor = app
        .access
        .own_second_factor(&caller.granted, &caller.visit)
        .await?;
    let hint = format!("At least {PASSWORD_LETTERS_MIN} letters.");
    let page = AccountPage {
        shell: caller.shell("Your account", Place::Account).noting(notice),
        email: caller.visit.person.email.clone(),
        role: caller.visit.person.role.to_string(),
        present: Field::new("present", "Present password", "password")
            .filled("current-password")
            .faulty(faults),
        password: Field::new("password", "New password", "password")
            .filled("new-password")
            .hinting(hint)
            .faulty(faults),
        second_factor: second_factor::state(factor),
        codes_left: second_factor::codes_left(factor),
        colours: Colours::ALL
            .into_iter()
            .map(|colours| Choice {
                value: colours.as_str().to_owned(),
                title: colours.title().to_owned(),
                chosen: colours == reader.colours,
            })
            .collect(),
        more_contrast: reader.contrast,
        sessions: sessions.collect(),
        elsewhere: own_way(app, caller, elsewhere_faults).await?,
    };
    let status = if faults.is_empty() && elsewhere_faults.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok((status, html(&page)).into_response())
}

/// What a browser is called, out of what it calls itself.
pub(crate) fn browser_name(agent: &str) -> &str {
    const KNOWN: [(&str, &str); 5] = [
        ("Firefox/", "Firefox"),
        ("Edg/", "Edge"),
        ("Chrome/", "Chrome or Chromium"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    let known = KNOWN.iter().find(|(mark, _)| agent.contains(mark));
    known.map_or("a browser", |(_, name)| name)
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<OwnAccount>,
    query: Query,
) -> Result<Response, PageError> {
    show(&app, &caller, (&[], &[]), notice::of(&query)).await
}

pub(crate) async fn change_password(
    State(app): State<App>,
    posted: Posted<OwnAccount>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let changed = app
        .access
        .change_own_password(
            &caller.granted,
            &caller.visit,
            fields.get("present"),
            fields.get("password"),
            &caller.door,
        )
        .await;
    match changed {
        Ok(()) => Ok(see_other("/account?done=password")),
        Err(ChangeRefusal::Failed(error)) => Err(error.into()),
        Err(ChangeRefusal::Faults(faults)) => show(&app, &caller, (&faults, &[]), None).await,
        Err(refusal) => {
            let fault = Fault::new("password", refusal.to_string());
            show(&app, &caller, (&[fault], &[]), None).await
        }
    }
}

pub(crate) async fn change_look(
    State(app): State<App>,
    posted: Posted<OwnAccount>,
) -> Result<Response, PageError> {
    let colours = Colours::from_word(posted.fields.get("colours"));
    let kept = Reader::kept(colours, posted.fields.get("contrast") == "more");
    let cookie = [(
        header::SET_COOKIE,
        Cookie::Look.set(&kept, LOOK_S, app.https),
    )];
    Ok((cookie, see_other("/account?done=look")).into_response())
}

pub(crate) async fn end_session(
    State(app): State<App>,
    posted: Posted<OwnAccount>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let ended = app
        .access
        .end_own_session(&caller.granted, &caller.visit, fields.get("session"))
        .await?;
    let done = if ended { "session" } else { "gone" };
    Ok(see_other(&format!("/account?done={done}")))
}
