//! Who looks at a panel, and how they came: by a session of their own, or within a frame of another
//! application's page, which speaks for them.

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{FrameToken, Permission, Who};
use bowline_domain::ids::SiteName;
use bowline_store::browse::IssueLabel;

use crate::App;
use crate::caller::{Caller, Fields};
use crate::error::PageError;
use crate::query::{Query, asking};
use crate::reader::Reader;
use crate::security::framed_by;
use crate::shell::{Place, Shell};

/// The field and the part of an address that hold the token of a frame.
const TOKEN: &str = "token";

/// Who looks at a panel.
pub(crate) struct Viewer {
    who: Who,
    pub(crate) reader: Reader,
    entrance: Entrance,
    shell: Shell,
}

enum Entrance {
    /// Signed in. Their forms carry this.
    Session { form_token: String },
    /// In a frame. All they ask for carries this.
    Frame { token: String },
}

impl Viewer {
    /// Someone who is signed in.
    pub(crate) fn signed_in<P: Permission>(caller: &Caller<P>) -> Self {
        Self {
            who: caller.who().clone(),
            reader: caller.reader.clone(),
            entrance: Entrance::Session {
                form_token: caller.visit.form_token.clone(),
            },
            shell: caller.shell("Issue", Place::Elsewhere),
        }
    }

    pub(crate) fn who(&self) -> &Who {
        &self.who
    }

    pub(crate) fn may<P: Permission>(&self) -> bool {
        self.who.may::<P>()
    }

    /// Are they in a frame? They have no other page than the panel then.
    pub(crate) fn framed(&self) -> bool {
        matches!(self.entrance, Entrance::Frame { .. })
    }

    /// What surrounds their pages.
    pub(crate) fn shell(self) -> Shell {
        self.shell
    }

    /// What they are called by those who read what they write.
    pub(crate) fn name(&self) -> String {
        match &self.who {
            Who::Guest { name, .. } => name.clone(),
            who => who
                .person()
                .map_or_else(|| who.name(), |person| person.name.clone()),
        }
    }

    /// The field that all forms of theirs carry: its name and its value.
    pub(crate) fn hidden(&self) -> (&'static str, &str) {
        match &self.entrance {
            Entrance::Session { form_token } => (crate::caller::TOKEN_FIELD, form_token),
            Entrance::Frame { token } => (TOKEN, token),
        }
    }

    /// The address of the panel, or of what is below it.
    pub(crate) fn path(&self, (site, key): (&SiteName, &str), below: &str) -> String {
        let path = super::path(site, key);
        match &self.entrance {
            Entrance::Session { .. } => format!("{path}{below}"),
            Entrance::Frame { .. } => format!("/embed{path}{below}"),
        }
    }

    /// The same as a link: in a frame it carries the token.
    pub(crate) fn link(&self, place: (&SiteName, &str), below: &str) -> String {
        let path = self.path(place, below);
        match &self.entrance {
            Entrance::Session { .. } => path,
            Entrance::Frame { token } => asking(&path, TOKEN, token),
        }
    }

    /// The same with one thing more asked for.
    pub(crate) fn asking(&self, place: (&SiteName, &str), name: &str, value: &str) -> String {
        let link = self.link(place, "");
        let mark = if link.contains('?') { '&' } else { '?' };
        format!("{link}{mark}{name}={value}")
    }
}

/// Someone in a frame who has the permission `P`, at an issue that the token speaks of.
pub(crate) struct Framed<P: Permission> {
    pub(crate) viewer: Viewer,
    what: std::marker::PhantomData<P>,
}

impl<P: Permission> Framed<P> {
    async fn enter(app: &App, parts: &mut Parts, token: String) -> Result<Self, PageError> {
        let Some(key) = &app.frames.key else {
            return Err(PageError::not_found(
                "No page may show panels in a frame here.",
            ));
        };
        let refused = |words: &str| PageError::forbidden(words);
        let frame = FrameToken::read(&token, key, app.access.now()).map_err(|refusal| {
            refused(&format!(
                "This panel cannot be shown: {refusal}. Reload the page that it stands in."
            ))
        })?;
        let path = Path::<Vec<(String, String)>>::from_request_parts(parts, app).await;
        let path = path.map(|path| path.0).unwrap_or_default();
        let part = |name: &str| {
            let found = path.iter().find(|(known, _)| known == name);
            found.map_or("", |(_, value)| value.as_str())
        };
        let label = label(app, &SiteName::new(part("site")), part("key")).await?;
        let issue = label.map(|label| (label.site.to_string(), label.issue.to_string()));
        if issue != Some((frame.site.clone(), frame.issue.clone())) {
            return Err(refused(
                "This panel cannot be shown: the token speaks of another issue, or Bowline has \
                 never heard of this one.",
            ));
        }
        let who = frame.who();
        if !who.may::<P>() {
            let words = format!(
                "The page that this panel stands in does not allow you to {}.",
                P::TO
            );
            return Err(refused(&words));
        }
        let reader = Reader::of(&parts.headers, app.https);
        Ok(Self {
            viewer: Viewer {
                who,
                shell: Shell::bare(&reader, "Issue".to_owned()),
                reader,
                entrance: Entrance::Frame { token },
            },
            what: std::marker::PhantomData,
        })
    }
}

impl<P: Permission> FromRequestParts<App> for Framed<P> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let Ok(query) = Query::from_request_parts(parts, app).await;
        let token = query.text(TOKEN).to_owned();
        let entered = Self::enter(app, parts, token).await;
        entered.map_err(|error| in_frame(app, error.into_response()))
    }
}

/// A form that was sent in a frame by someone who has the permission `P`.
pub(crate) struct FramedPost<P: Permission> {
    pub(crate) framed: Framed<P>,
    pub(crate) fields: Fields,
}

impl<P: Permission> FromRequest<App> for FramedPost<P> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let refused = |error: PageError| in_frame(app, error.into_response());
        let fields = Fields::read(request).await.map_err(refused)?;
        let token = fields.get(TOKEN).to_owned();
        let framed = Framed::enter(app, &mut parts, token)
            .await
            .map_err(refused)?;
        Ok(Self { framed, fields })
    }
}

/// Lets the configured hosts show an answer in a frame.
pub(crate) fn in_frame(app: &App, mut response: Response) -> Response {
    if let Some(policy) = framed_by(&app.frames.hosts) {
        response
            .headers_mut()
            .insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// What is known of an issue by its site and key.
pub(crate) async fn label(
    app: &App,
    site: &SiteName,
    key: &str,
) -> Result<Option<IssueLabel>, PageError> {
    let store = &app.shared.store;
    Ok(match store.issue_by_key(site, &key.to_uppercase()).await? {
        Some(issue) => store.issue_label(site, &issue).await?,
        None => None,
    })
}
