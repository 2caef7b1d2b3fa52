//! What is answered when a page cannot be shown.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use bowline_access::AccessError;
use bowline_store::StoreError;

use crate::App;
use crate::cookie::Cookie;
use crate::reader::Reader;
use crate::shell::{Place, Shell};

/// Why a page is not shown.
pub(crate) enum PageError {
    /// The browser is to go to another page of ours.
    Elsewhere(String),
    /// A page that says what happened.
    Told(Box<Told>),
}

/// What a page says that tells of an error.
pub(crate) struct Told {
    status: StatusCode,
    heading: &'static str,
    words: String,
    shell: Option<Shell>,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'p> {
    shell: &'p Shell,
    heading: &'p str,
    words: &'p str,
}

impl PageError {
    fn saying(status: StatusCode, heading: &'static str, words: &str) -> Self {
        Self::Told(Box::new(Told {
            status,
            heading,
            words: words.to_owned(),
            shell: None,
        }))
    }

    /// There is no such thing.
    pub(crate) fn not_found(words: &str) -> Self {
        Self::saying(StatusCode::NOT_FOUND, "There is no such page", words)
    }

    /// They may not.
    pub(crate) fn forbidden(words: &str) -> Self {
        Self::saying(
            StatusCode::FORBIDDEN,
            "You are not allowed to do this",
            words,
        )
    }

    /// Who they are elsewhere was not joined to their account.
    pub(crate) fn not_joined(words: &str) -> Self {
        Self::saying(StatusCode::FORBIDDEN, "Not joined", words)
    }

    /// The form cannot be read.
    pub(crate) fn bad_form(words: &str) -> Self {
        Self::saying(StatusCode::BAD_REQUEST, "The form cannot be read", words)
    }

    /// The form belongs to another session.
    pub(crate) fn stale_form() -> Self {
        let words = "The page was opened before you signed in the last time, so nothing was \
                     changed. Go back, load the page again, and repeat what you did.";
        Self::saying(
            StatusCode::FORBIDDEN,
            "The form is from an earlier session",
            words,
        )
    }

    /// Another site's page sent it.
    pub(crate) fn from_elsewhere() -> Self {
        let words = "Another site's page sent this request. Nothing was changed.";
        Self::saying(
            StatusCode::FORBIDDEN,
            "This did not come from Bowline's pages",
            words,
        )
    }

    /// Something of Intercom's could not be fetched.
    pub(crate) fn unread(status: StatusCode, words: &str) -> Self {
        Self::saying(status, "This could not be fetched", words)
    }

    /// A part of a page could not be rendered.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it is what a failed rendering is mapped to"
    )]
    pub(crate) fn template(error: askama::Error) -> Self {
        Self::failed(&error)
    }

    /// The status and the words, if it is a page that says what happened.
    pub(crate) fn told(&self) -> Option<(StatusCode, &str)> {
        match self {
            Self::Elsewhere(_) => None,
            Self::Told(told) => Some((told.status, &told.words)),
        }
    }

    /// With what surrounds the pages of someone.
    pub(crate) fn in_shell(self, shell: Shell) -> Self {
        match self {
            Self::Told(told) => Self::Told(Box::new(Told {
                shell: Some(shell),
                ..*told
            })),
            other @ Self::Elsewhere(_) => other,
        }
    }

    fn failed(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a page could not be shown");
        let words = "The database did not answer as it should; the log says why. Deliveries that \
                     were accepted are safe. Try again in a moment.";
        Self::saying(StatusCode::SERVICE_UNAVAILABLE, "This did not work", words)
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        Self::failed(&error)
    }
}

impl From<AccessError> for PageError {
    fn from(error: AccessError) -> Self {
        Self::failed(&error)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        match self {
            Self::Elsewhere(place) => see_other(&place),
            Self::Told(told) => {
                let shell = told
                    .shell
                    .unwrap_or_else(|| Shell::bare(&Reader::unknown(), "Bowline".to_owned()));
                let page = ErrorPage {
                    shell: &shell,
                    heading: told.heading,
                    words: &told.words,
                };
                (told.status, html(&page)).into_response()
            }
        }
    }
}

/// Renders a page.
pub(crate) fn html(template: &impl Template) -> Response {
    match template.render() {
        Ok(page) => Html(page).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Sends the browser to another page after a form.
pub(crate) fn see_other(place: &str) -> Response {
    (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, place.to_owned())],
    )
        .into_response()
}

/// An address that does not exist.
pub(crate) async fn nowhere(State(app): State<App>, headers: HeaderMap) -> PageError {
    let words = "The address was mistyped, or what it showed is gone.";
    let error = PageError::not_found(words);
    let reader = Reader::of(&headers, app.https);
    let visit = match Cookie::Session.read(&headers, app.https) {
        Some(secret) => app.access.visit(secret).await.ok().flatten(),
        None => None,
    };
    let title = "Not found".to_owned();
    match visit {
        Some(visit) => error.in_shell(Shell::of(&visit, &reader, title, Place::Elsewhere)),
        None => error.in_shell(Shell::bare(&reader, title)),
    }
}
