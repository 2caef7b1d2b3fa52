//! Who asks, and whether they may: the arguments of handlers.

use std::net::SocketAddr;

use axum::body::to_bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use bowline_access::{Access, Door, Granted, Permission, Visit, Who, digest, same};
use url::form_urlencoded;

use crate::App;
use crate::cookie::Cookie;
use crate::error::PageError;
use crate::reader::Reader;
use crate::shell::{Place, Shell};
use crate::upload;

/// The largest form that is read, in bytes.
const FORM_BYTES_MAX: usize = 64 * 1_024;

/// The field of a form that shows that the form is ours.
pub(crate) const TOKEN_FIELD: &str = "form_token";

/// Someone who is signed in and has the permission `P`.
pub(crate) struct Caller<P: Permission> {
    pub(crate) visit: Visit,
    pub(crate) granted: Granted<P>,
    pub(crate) reader: Reader,
    pub(crate) door: Door,
}

impl<P: Permission> Caller<P> {
    /// What surrounds a page of theirs.
    pub(crate) fn shell(&self, title: impl Into<String>, place: Place) -> Shell {
        Shell::of(&self.visit, &self.reader, title.into(), place)
    }

    /// Who.
    pub(crate) fn who(&self) -> &Who {
        self.granted.who()
    }

    /// The answer when something that they look for is not there.
    pub(crate) fn not_found(&self, words: &str) -> PageError {
        PageError::not_found(words).in_shell(self.shell("Not found", Place::Elsewhere))
    }

    /// The answer when they may not do something.
    pub(crate) fn forbidden(&self, words: &str) -> PageError {
        PageError::forbidden(words).in_shell(self.shell("Not allowed", Place::Elsewhere))
    }
}

impl<P: Permission> FromRequestParts<App> for Caller<P> {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        let visit = match Cookie::Session.read(&parts.headers, app.https) {
            Some(secret) => app.access.visit(secret).await?,
            None => None,
        };
        let Some(visit) = visit else {
            return Err(sign_in_first(&app.access, parts, app.https).await?);
        };
        let reader = Reader::of(&parts.headers, app.https);
        let Some(granted) = visit.who().granted::<P>() else {
            let shell = Shell::of(&visit, &reader, "Not allowed".to_owned(), Place::Elsewhere);
            let words = format!(
                "Your role, {}, does not allow you to {}. It takes at least the role {}; an \
                 administrator can change yours.",
                visit.person.role.kind().title().to_lowercase(),
                P::TO,
                P::LEAST.title().to_lowercase(),
            );
            return Err(PageError::forbidden(&words).in_shell(shell));
        };
        Ok(Self {
            visit,
            granted,
            reader,
            door: door(parts),
        })
    }
}

/// Sends someone to sign in, and back to where they wanted to be.
async fn sign_in_first(
    access: &Access,
    parts: &Parts,
    https: bool,
) -> Result<PageError, PageError> {
    if !access.is_set_up().await? {
        return Ok(PageError::Elsewhere("/setup".to_owned()));
    }
    let asked = parts
        .uri
        .path_and_query()
        .map_or("/", |place| place.as_str());
    let sent_a_form = parts.method != Method::GET && parts.method != Method::HEAD;
    let back = if sent_a_form {
        referring_page(&parts.headers).unwrap_or_else(|| "/".to_owned())
    } else {
        asked.to_owned()
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    if back != "/" {
        query.append_pair("next", &back);
    }
    if sent_a_form || Cookie::Session.read(&parts.headers, https).is_some() {
        query.append_pair("ended", if sent_a_form { "form" } else { "yes" });
    }
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    Ok(PageError::Elsewhere(format!("/sign-in{mark}{query}")))
}

/// The page that a form was on, as a path of ours.
fn referring_page(headers: &HeaderMap) -> Option<String> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let url = url::Url::parse(referer).ok()?;
    let query = url
        .query()
        .map_or(String::new(), |query| format!("?{query}"));
    Some(format!("{}{query}", url.path()))
}

/// Where a request comes from. A reverse proxy on this machine says for whom it asks.
pub(crate) fn door(parts: &Parts) -> Door {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|info| info.ip());
    let text = |name: &str| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let told = peer
        .is_none_or(|peer| peer.is_loopback())
        .then(|| text("x-forwarded-for"))
        .flatten()
        .and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
    Door {
        address: told
            .or(peer)
            .map_or_else(|| "unknown".to_owned(), |address| address.to_string()),
        browser: text("user-agent").unwrap_or_default(),
    }
}

/// A form that was sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// What stands in a field; nothing if there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// Is there a field of this name?
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// What stands in all fields of this name.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let named = self.0.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.clone()).collect()
    }

    /// The fields whose names begin so, each by the rest of its name.
    pub(crate) fn starting<'f>(
        &'f self,
        prefix: &'f str,
    ) -> impl Iterator<Item = (&'f str, &'f str)> {
        let named = self.0.iter();
        named.filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    pub(crate) async fn read(request: Request) -> Result<Self, PageError> {
        if let Some(boundary) = upload::boundary(request.headers()) {
            let fields = upload::read(request.into_body(), boundary).await?;
            return Ok(Self(fields));
        }
        let too_large = |_| PageError::bad_form("The form is larger than any of ours.");
        let body = to_bytes(request.into_body(), FORM_BYTES_MAX)
            .await
            .map_err(too_large)?;
        Ok(Self(form_urlencoded::parse(&body).into_owned().collect()))
    }

    fn is_ours(&self, wanted: &str) -> bool {
        same(self.get(TOKEN_FIELD), wanted)
    }
}

/// A form by someone who is signed in and has the permission `P`, sent from a page of ours.
pub(crate) struct Posted<P: Permission> {
    pub(crate) caller: Caller<P>,
    pub(crate) fields: Fields,
}

impl<P: Permission> FromRequest<App> for Posted<P> {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &App) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, app).await?;
        let fields = Fields::read(Request::from_parts(parts, body)).await?;
        if !fields.is_ours(&caller.visit.form_token) {
            let shell = caller.shell("Not sent", Place::Elsewhere);
            return Err(PageError::stale_form().in_shell(shell));
        }
        Ok(Self { caller, fields })
    }
}

/// The number in an address.
pub(crate) struct Number(pub(crate) i64);

impl FromRequestParts<App> for Number {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        let number = Path::<i64>::from_request_parts(parts, app).await;
        let words = "The address was mistyped, or what it showed is gone.";
        let number = number.map_err(|_| PageError::not_found(words))?;
        Ok(Self(number.0))
    }
}

/// Someone who is not signed in.
pub(crate) struct Stranger {
    pub(crate) reader: Reader,
    pub(crate) door: Door,
    /// The session that they hold, if it did not end.
    pub(crate) visit: Option<Visit>,
    /// What shows that they gave the right password and are asked for the second factor.
    pub(crate) half_way: Option<String>,
    /// The sign-in at a provider that they began.
    pub(crate) begun: Option<String>,
    /// What their forms are bound to; a cookie keeps it.
    secret: String,
    https: bool,
}

impl Stranger {
    /// What every form of theirs must carry.
    pub(crate) fn form_token(&self) -> String {
        digest(&format!("form {}", self.secret))
    }

    /// The cookie that their forms are bound to, for a day.
    pub(crate) fn cookie(&self) -> header::HeaderValue {
        Cookie::Form.set(&self.secret, 24 * 60 * 60, self.https)
    }
}

impl FromRequestParts<App> for Stranger {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        let visit = match Cookie::Session.read(&parts.headers, app.https) {
            Some(secret) => app.access.visit(secret).await?,
            None => None,
        };
        let secret = Cookie::Form.read(&parts.headers, app.https);
        Ok(Self {
            reader: Reader::of(&parts.headers, app.https),
            door: door(parts),
            visit,
            half_way: Cookie::HalfWay
                .read(&parts.headers, app.https)
                .map(ToOwned::to_owned),
            begun: Cookie::Elsewhere
                .read(&parts.headers, app.https)
                .map(ToOwned::to_owned),
            secret: secret.map_or_else(|| app.access.new_secret(), ToOwned::to_owned),
            https: app.https,
        })
    }
}

/// A form by someone who is not signed in, sent from a page of ours.
pub(crate) struct StrangerPosted {
    pub(crate) stranger: Stranger,
    pub(crate) fields: Fields,
    /// Is the form ours? One that is not is shown again, to be sent again.
    pub(crate) ours: bool,
}

impl FromRequest<App> for StrangerPosted {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &App) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let stranger = Stranger::from_request_parts(&mut parts, app).await?;
        let fields = Fields::read(Request::from_parts(parts, body)).await?;
        let ours = fields.is_ours(&stranger.form_token());
        Ok(Self {
            stranger,
            fields,
            ours,
        })
    }
}
