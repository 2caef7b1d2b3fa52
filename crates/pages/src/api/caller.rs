//! Who calls, and whether they may.

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use bowline_access::{Door, Granted, Permission, Who};

use super::problem::Problem;
use crate::App;
use crate::caller::door;

/// A script whose token has the permission `P`.
pub(crate) struct Bearer<P: Permission>(pub(crate) Granted<P>);

impl<P: Permission> Bearer<P> {
    /// Who.
    pub(crate) fn who(&self) -> &Who {
        self.0.who()
    }
}

impl<P: Permission> FromRequestParts<App> for Bearer<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let who = match token {
            Some(token) => app.access.token(token.trim()).await?,
            None => None,
        };
        let Some(who) = who else {
            let detail = "Send a token: Authorization: Bearer bowline_…. It is missing here, \
                          unknown, or it ended. Tokens are made on the page “Tokens”.";
            return Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                detail,
            ));
        };
        who.granted().map(Self).ok_or_else(|| {
            let scope = P::SCOPE.map_or("(none)", bowline_access::Scope::as_str);
            let detail = format!(
                "The token may not {}. It takes the scope {scope}, and at least the role {} for \
                 the token's owner.",
                P::TO,
                P::LEAST.title().to_lowercase()
            );
            Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
        })
    }
}

/// Where a call comes from.
pub(crate) struct Come(pub(crate) Door);

impl FromRequestParts<App> for Come {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(door(parts)))
    }
}

/// The number in an address.
pub(crate) struct Number(pub(crate) i64);

impl FromRequestParts<App> for Number {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let number = Path::<i64>::from_request_parts(parts, app).await;
        let number = number.map_err(|_| Problem::not_found("The address has no such number."))?;
        Ok(Self(number.0))
    }
}
