//! What a call brings with it: who makes it, its parameters and its body.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::super::error::Refusal;
use super::super::model::User;
use super::super::sandbox::Sandbox;
use super::super::state::State;
use super::super::view::{Version, View};

/// Answer of a call.
pub(super) type Answer = Result<Response, Refusal>;

/// Where a call arrived.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) site: Sandbox,
    pub(crate) version: Version,
    /// Whether it came through the gateway path, where scoped tokens work.
    pub(crate) gateway: bool,
}

impl Context {
    fn user(&self, headers: &HeaderMap) -> Result<Arc<User>, Refusal> {
        let Some(given) = headers.get(header::AUTHORIZATION) else {
            return Err(Refusal::unauthenticated("OUT"));
        };
        let failed = || Refusal::unauthenticated("AUTHENTICATED_FAILED");
        let given = given.to_str().map_err(|_| failed())?;
        let (scheme, credentials) = given.split_once(' ').ok_or_else(failed)?;
        self.site.read(|state| {
            let (name, token) = if scheme.eq_ignore_ascii_case("basic") && state.is_cloud() {
                let (name, token) = basic(credentials).ok_or_else(failed)?;
                (Some(name), token)
            } else if scheme.eq_ignore_ascii_case("bearer") && (!state.is_cloud() || self.gateway) {
                (None, credentials.trim().to_owned())
            } else {
                return Err(failed());
            };
            let known = state.tokens.get(&token).ok_or_else(failed)?;
            let named = name.is_none_or(|name| name.eq_ignore_ascii_case(&known.user.email));
            // A scoped token is unknown to the site's own address, and a classic one to the gateway's bearer form.
            if named && known.scoped == self.gateway {
                Ok(known.user.clone())
            } else {
                Err(failed())
            }
        })
    }
}

/// User name and password of basic authentication.
fn basic(credentials: &str) -> Option<(String, String)> {
    let bytes = decode_base64(credentials.trim())?;
    let text = String::from_utf8(bytes).ok()?;
    let (name, token) = text.split_once(':')?;
    Some((name.to_owned(), token.to_owned()))
}

/// Standard base 64, padded or not.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut buffer, mut bits) = (0_u32, 0);
    for c in text.trim_end_matches('=').bytes() {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        buffer = (buffer << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(buffer >> bits & 0xff).ok()?);
            buffer &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

/// An authenticated caller.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(super) context: Context,
    pub(super) user: Arc<User>,
}

impl Caller {
    /// Looks at the state the way this caller sees it.
    pub(super) fn look<T>(&self, look: impl FnOnce(&State, View<'_>) -> T) -> T {
        self.context
            .site
            .read(|state| look(state, View::rest(state, self.context.version, &self.user)))
    }

    /// Changes the state.
    pub(super) fn act<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        self.context.site.write(act)
    }

    /// How a fresh view of the state looks to this caller.
    pub(super) fn view<'a>(&'a self, state: &'a State) -> View<'a> {
        View::rest(state, self.context.version, &self.user)
    }

    /// Whether rich text is ADF in this call.
    pub(super) fn speaks_adf(&self) -> bool {
        self.context.version == Version::V3
    }
}

impl FromRequestParts<Context> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Refusal> {
        let user = context.user(&parts.headers)?;
        Ok(Self {
            context: context.clone(),
            user,
        })
    }
}

/// A caller, or nobody if the credentials are missing or wrong.
#[derive(Clone, Debug)]
pub(super) struct MaybeCaller(pub(super) Result<Caller, (Context, Refusal)>);

impl FromRequestParts<Context> for MaybeCaller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        context: &Context,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self(match context.user(&parts.headers) {
            Ok(user) => Ok(Caller {
                context: context.clone(),
                user,
            }),
            Err(refusal) => Err((context.clone(), refusal)),
        }))
    }
}

/// Query parameters; a name may occur several times.
#[derive(Clone, Debug, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// The first value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every value, with comma-separated lists taken apart.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        self.all(name)
            .flat_map(|value| value.split(','))
            .filter(|v| !v.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// A number, or a default; 400 if it is none.
    pub(super) fn number(&self, name: &str, default: usize) -> Result<usize, Refusal> {
        match self.get(name) {
            None | Some("") => Ok(default),
            Some(text) => text.parse().map_err(|_| {
                Refusal::bad(format!("The value '{text}' of '{name}' is not a number."))
            }),
        }
    }

    /// The `expand` parameter.
    pub(super) fn expand(&self) -> String {
        self.list("expand").join(",")
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(
            url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        ))
    }
}

/// A JSON body.
#[derive(Clone, Debug)]
pub(super) struct Payload(pub(super) Value);

impl FromRequest<Context> for Payload {
    type Rejection = Refusal;

    async fn from_request(request: Request, context: &Context) -> Result<Self, Refusal> {
        let json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.to_ascii_lowercase().starts_with("application/json"));
        if !json {
            return Err(Refusal::message(415, "Unsupported Media Type"));
        }
        let bytes = Bytes::from_request(request, context)
            .await
            .map_err(|_| Refusal::message(413, "The request body is too large."))?;
        serde_json::from_slice(&bytes).map(Self).map_err(|_| {
            Refusal::bad(
                "Invalid request payload. Refer to the REST API documentation and try again.",
            )
        })
    }
}

/// 200 with JSON.
pub(super) fn ok(body: Value) -> Response {
    json(StatusCode::OK, body)
}

/// 201 with JSON.
pub(super) fn created(body: Value) -> Response {
    json(StatusCode::CREATED, body)
}

/// 204.
pub(super) fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "callers build the value for this call"
)]
fn json(status: StatusCode, body: Value) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json;charset=UTF-8")],
        body.to_string(),
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64() {
        for (text, expected) in [
            ("Zm9v", Some("foo")),
            ("Zm9vYg==", Some("foob")),
            ("Zm9vYmE=", Some("fooba")),
            ("", Some("")),
            ("Zm9v!", None),
        ] {
            assert_eq!(
                decode_base64(text).as_deref(),
                expected.map(str::as_bytes),
                "{text}"
            );
        }
    }
}
