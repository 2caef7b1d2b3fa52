//! The first visit, signing in, choosing a password, signing out.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bowline_access::{
    AccountForm, ChangeRefusal, CodeRefusal, Entered, Fault, HALF_WAY_MS_MAX, OwnAccount,
    PASSWORD_LETTERS_MIN, SESSION_MS_MAX, SignInRefusal, SignedIn,
};

use crate::App;
use crate::caller::{Fields, Posted, Stranger, StrangerPosted};
use crate::component::{Field, fault_of};
use crate::cookie::Cookie;
use crate::elsewhere::{Join, Way};
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::{Query, asking, ours};
use crate::shell::Shell;

/// A page with one form, for someone who is not signed in.
#[derive(Template)]
#[template(path = "stranger.html")]
struct StrangerPage {
    shell: Shell,
    heading: &'static str,
    lead: &'static str,
    action: &'static str,
    button: &'static str,
    /// What is wrong with the whole form.
    wrong: Option<String>,
    fields: Vec<Field>,
    /// What the form carries unseen.
    hidden: Vec<(&'static str, String)>,
    foot: &'static str,
    /// The way in at a provider.
    elsewhere: Option<Way>,
    /// What joins somebody to a provider.
    join: Option<Join>,
}

fn shell(stranger: &Stranger, title: &str) -> Shell {
    Shell {
        form_token: stranger.form_token(),
        ..Shell::bare(&stranger.reader, title.to_owned())
    }
}

/// Shows a form, and binds it to the browser.
fn shown(stranger: &Stranger, status: StatusCode, page: &StrangerPage) -> Response {
    let cookie = [(header::SET_COOKIE, stranger.cookie())];
    (status, cookie, html(page)).into_response()
}

/// Lets someone in, or asks for the second factor first.
pub(crate) fn go_on(app: &App, entered: Entered, next: &str) -> Response {
    match entered {
        Entered::In(signed_in) => let_in(app, &signed_in, next),
        Entered::HalfWay(secret) => {
            let cookie = Cookie::HalfWay.set(&secret, HALF_WAY_MS_MAX / 1_000, app.https);
            let place = if next == "/" {
                "/sign-in/code".to_owned()
            } else {
                asking("/sign-in/code", "next", next)
            };
            ([(header::SET_COOKIE, cookie)], see_other(&place)).into_response()
        }
    }
}

/// Lets someone in.
fn let_in(app: &App, signed_in: &SignedIn, next: &str) -> Response {
    let session = Cookie::Session.set(&signed_in.secret, SESSION_MS_MAX / 1_000, app.https);
    ([(header::SET_COOKIE, session)], see_other(next)).into_response()
}

pub(crate) const NOT_OURS: &str =
    "The page was open for too long, or cookies are switched off for it. Please send it again.";

fn password_hint() -> String {
    format!("At least {PASSWORD_LETTERS_MIN} letters. A few words that nobody expects do well.")
}

// The first visit.

fn owner_page(
    stranger: &Stranger,
    fields: &Fields,
    code: &str,
    (wrong, faults): (Option<String>, &[Fault]),
) -> StrangerPage {
    StrangerPage {
        shell: shell(stranger, "Welcome"),
        heading: "Welcome to Bowline",
        lead: "Nobody has an account here yet. Make yours: it is the owner's, and can do \
               everything. The code shows that you run this service.",
        action: "/setup",
        button: "Make the owner",
        wrong,
        fields: vec![
            Field::new("code", "Code", "text")
                .with(code)
                .filled("off")
                .hinting("It was printed when the service started, beside its address.")
                .faulty(faults),
            Field::new("name", "Your name", "text")
                .with(fields.get("name"))
                .filled("name")
                .faulty(faults),
            Field::new("email", "E-mail address", "email")
                .with(fields.get("email"))
                .filled("username")
                .faulty(faults),
            Field::new("password", "Password", "password")
                .filled("new-password")
                .hinting(password_hint())
                .faulty(faults),
        ],
        hidden: Vec::new(),
        foot: "The code is new at each start. To have one again, restart the service.",
        elsewhere: None,
        join: None,
    }
}

pub(crate) async fn first_visit(
    State(app): State<App>,
    stranger: Stranger,
    query: Query,
) -> Result<Response, PageError> {
    if app.access.is_set_up().await? {
        return Ok(see_other("/"));
    }
    let page = owner_page(
        &stranger,
        &Fields::default(),
        query.text("code"),
        (None, &[]),
    );
    Ok(shown(&stranger, StatusCode::OK, &page))
}

pub(crate) async fn make_owner(
    State(app): State<App>,
    posted: StrangerPosted,
) -> Result<Response, PageError> {
    if app.access.is_set_up().await? {
        return Ok(see_other("/sign-in"));
    }
    let StrangerPosted {
        stranger,
        fields,
        ours,
    } = posted;
    let again = |wrong, faults: &[Fault]| {
        let page = owner_page(&stranger, &fields, fields.get("code"), (wrong, faults));
        shown(&stranger, StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    if !ours {
        return Ok(again(Some(NOT_OURS.to_owned()), &[]));
    }
    let form = AccountForm {
        name: fields.get("name").to_owned(),
        email: fields.get("email").to_owned(),
        ..AccountForm::default()
    };
    let made = app
        .access
        .make_owner(
            fields.get("code"),
            &form,
            fields.get("password"),
            &stranger.door,
        )
        .await;
    match made {
        Ok(signed_in) => Ok(let_in(&app, &signed_in, "/?done=owner")),
        Err(ChangeRefusal::Failed(error)) => Err(error.into()),
        Err(ChangeRefusal::Faults(faults)) => Ok(again(None, &faults)),
        Err(refusal) => Ok(again(Some(refusal.to_string()), &[])),
    }
}

// Signing in.

fn sign_in_page(
    app: &App,
    stranger: &Stranger,
    (email, next): (&str, &str),
    (wrong, notice): (Option<String>, Option<&'static str>),
) -> StrangerPage {
    // Without an address it was not the password that was wrong.
    let failed = wrong.is_some() && !email.is_empty();
    let password = Field::new("password", "Password", "password").filled("current-password");
    StrangerPage {
        shell: shell(stranger, "Sign in").noting(notice),
        heading: "Sign in",
        lead: "",
        action: "/sign-in",
        button: "Sign in",
        wrong,
        fields: vec![
            Field::new("email", "E-mail address", "email")
                .with(email)
                .filled("username"),
            if failed {
                password.hinting("Letters count as large or small.")
            } else {
                password
            },
        ],
        hidden: vec![("next", next.to_owned())],
        foot: "Locked out? An administrator can make a code for a new password, and so can \
               whoever runs the service: bowline user reset.",
        elsewhere: app.way_in(next, failed),
        join: None,
    }
}

/// The sign-in page, for somebody whom the way over a provider did not let in.
pub(crate) fn refused(
    app: &App,
    stranger: &Stranger,
    status: StatusCode,
    next: &str,
    words: String,
) -> Response {
    let page = sign_in_page(app, stranger, ("", next), (Some(words), None));
    shown(stranger, status, &page)
}

/// The page of a code, for somebody who could not be joined to a provider.
pub(crate) fn not_welcome(
    app: &App,
    stranger: &Stranger,
    status: StatusCode,
    code: &str,
    words: String,
) -> Response {
    let page = welcome_page(app, stranger, code, (Some(words), &[]));
    shown(stranger, status, &page)
}

pub(crate) async fn page(
    State(app): State<App>,
    stranger: Stranger,
    query: Query,
) -> Result<Response, PageError> {
    if !app.access.is_set_up().await? {
        return Ok(see_other("/setup"));
    }
    let next = ours(query.text("next"));
    if stranger.visit.is_some() {
        return Ok(see_other(&next));
    }
    let ended = match query.text("ended") {
        "form" => Some(
            "Your session ended, so what you sent was not saved. Sign in to come back to the same \
             page.",
        ),
        "code" => Some(
            "The code of the second factor was not entered in time. Sign in again to come to the \
             same page.",
        ),
        "yes" => Some("Your session ended. Sign in to come back to the same page."),
        _ => notice::of(&query),
    };
    let page = sign_in_page(&app, &stranger, ("", &next), (None, ended));
    Ok(shown(&stranger, StatusCode::OK, &page))
}

pub(crate) async fn sign_in(
    State(app): State<App>,
    posted: StrangerPosted,
) -> Result<Response, PageError> {
    let StrangerPosted {
        stranger,
        fields,
        ours: is_ours,
    } = posted;
    let (email, next) = (fields.get("email"), ours(fields.get("next")));
    let again = |status, words: String| {
        let page = sign_in_page(&app, &stranger, (email, &next), (Some(words), None));
        shown(&stranger, status, &page)
    };
    if !is_ours {
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, NOT_OURS.to_owned()));
    }
    let entered = app
        .access
        .sign_in(email, fields.get("password"), &stranger.door)
        .await;
    match entered {
        Ok(entered) => Ok(go_on(&app, entered, &next)),
        Err(SignInRefusal::Failed(error)) => Err(error.into()),
        Err(refusal @ (SignInRefusal::Wrong | SignInRefusal::OwnersOnly)) => {
            Ok(again(StatusCode::UNPROCESSABLE_ENTITY, refusal.to_string()))
        }
        Err(refusal @ SignInRefusal::Wait(_)) => {
            Ok(again(StatusCode::TOO_MANY_REQUESTS, refusal.to_string()))
        }
    }
}

// The second factor.

fn code_form(
    stranger: &Stranger,
    next: &str,
    (wrong, faults): (Option<String>, &[Fault]),
) -> StrangerPage {
    StrangerPage {
        shell: shell(stranger, "Second factor"),
        heading: "Second factor",
        lead: "The first step is done. Now the code that your app shows, or one of your recovery \
               codes.",
        action: "/sign-in/code",
        button: "Go on",
        wrong,
        fields: vec![
            Field::new("code", "Code", "text")
                .filled("one-time-code")
                .hinting("Six digits, new every half a minute. Recovery codes work once each.")
                .faulty(faults),
        ],
        hidden: vec![("next", next.to_owned())],
        foot: "App and recovery codes lost? An administrator can remove the second factor, and so \
               can whoever runs the service: bowline user remove-second-factor.",
        elsewhere: None,
        join: None,
    }
}

/// To sign in again from the start, on the way to the same page.
fn from_the_start(app: &App, next: &str) -> Response {
    let mut place = "/sign-in?ended=code".to_owned();
    if next != "/" {
        place = format!("{}&ended=code", asking("/sign-in", "next", next));
    }
    let gone = Cookie::HalfWay.set("", 0, app.https);
    ([(header::SET_COOKIE, gone)], see_other(&place)).into_response()
}

pub(crate) async fn code_page(
    State(app): State<App>,
    stranger: Stranger,
    query: Query,
) -> Result<Response, PageError> {
    let next = ours(query.text("next"));
    if stranger.visit.is_some() {
        return Ok(see_other(&next));
    }
    let half_way = match &stranger.half_way {
        Some(half_way) => app.access.is_half_way(half_way).await?,
        None => false,
    };
    if !half_way {
        return Ok(from_the_start(&app, &next));
    }
    let page = code_form(&stranger, &next, (None, &[]));
    Ok(shown(&stranger, StatusCode::OK, &page))
}

pub(crate) async fn enter_code(
    State(app): State<App>,
    posted: StrangerPosted,
) -> Result<Response, PageError> {
    let StrangerPosted {
        stranger,
        fields,
        ours: is_ours,
    } = posted;
    let next = ours(fields.get("next"));
    let again = |status, wrong, faults: &[Fault]| {
        let page = code_form(&stranger, &next, (wrong, faults));
        shown(&stranger, status, &page)
    };
    if !is_ours {
        let words = Some(NOT_OURS.to_owned());
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, words, &[]));
    }
    let Some(half_way) = &stranger.half_way else {
        return Ok(from_the_start(&app, &next));
    };
    let entered = app
        .access
        .enter_code(half_way, fields.get("code"), &stranger.door)
        .await;
    match entered {
        Ok(signed_in) => {
            let gone = Cookie::HalfWay.set("", 0, app.https);
            let mut answer = let_in(&app, &signed_in, &next);
            answer.headers_mut().append(header::SET_COOKIE, gone);
            Ok(answer)
        }
        Err(CodeRefusal::Failed(error)) => Err(error.into()),
        Err(CodeRefusal::Over) => Ok(from_the_start(&app, &next)),
        Err(refusal @ CodeRefusal::Wrong) => {
            let fault = Fault::new("code", refusal.to_string());
            Ok(again(StatusCode::UNPROCESSABLE_ENTITY, None, &[fault]))
        }
        Err(refusal @ CodeRefusal::Wait(_)) => {
            let words = Some(refusal.to_string());
            Ok(again(StatusCode::TOO_MANY_REQUESTS, words, &[]))
        }
    }
}

// Choosing a password with a code.

fn welcome_page(
    app: &App,
    stranger: &Stranger,
    code: &str,
    (wrong, faults): (Option<String>, &[Fault]),
) -> StrangerPage {
    // The code is seldom typed, so what is wrong with it is said above.
    let wrong = wrong.or_else(|| fault_of(faults, "code"));
    StrangerPage {
        shell: shell(stranger, "Choose a password"),
        heading: "Choose a password",
        lead: "Someone who manages people here gave you a code for it. It can be used once.",
        action: "/welcome",
        button: "Save and sign in",
        wrong,
        fields: vec![
            Field::new("code", "Code", "text").with(code).filled("off"),
            Field::new("password", "New password", "password")
                .filled("new-password")
                .hinting(password_hint())
                .faulty(faults),
        ],
        hidden: Vec::new(),
        foot: "",
        elsewhere: None,
        join: app.way_to_join(code),
    }
}

pub(crate) async fn welcome(State(app): State<App>, stranger: Stranger, query: Query) -> Response {
    let page = welcome_page(&app, &stranger, query.text("code"), (None, &[]));
    shown(&stranger, StatusCode::OK, &page)
}

pub(crate) async fn choose_password(
    State(app): State<App>,
    posted: StrangerPosted,
) -> Result<Response, PageError> {
    let StrangerPosted {
        stranger,
        fields,
        ours,
    } = posted;
    let code = fields.get("code");
    let again = |wrong, faults: &[Fault]| {
        let page = welcome_page(&app, &stranger, code, (wrong, faults));
        shown(&stranger, StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    if !ours {
        return Ok(again(Some(NOT_OURS.to_owned()), &[]));
    }
    let chosen = app
        .access
        .choose_password(code, fields.get("password"), &stranger.door)
        .await;
    match chosen {
        Ok(entered) => Ok(go_on(&app, entered, "/")),
        Err(ChangeRefusal::Failed(error)) => Err(error.into()),
        Err(ChangeRefusal::Faults(faults)) => Ok(again(None, &faults)),
        Err(refusal) => Ok(again(Some(refusal.to_string()), &[])),
    }
}

pub(crate) async fn sign_out(
    State(app): State<App>,
    posted: Posted<OwnAccount>,
) -> Result<Response, PageError> {
    app.access.sign_out(&posted.caller.visit).await?;
    let gone = Cookie::Session.set("", 0, app.https);
    let cookie = [(header::SET_COOKIE, gone)];
    Ok((cookie, see_other("/sign-in?done=signed-out")).into_response())
}
