//! Joining an app to a workspace by OAuth.
//!
//! The authorize address takes `client_id`, `state` and `redirect_uri` and nothing else: no scope,
//! no PKCE; permissions are chosen in the Developer Hub. The token never ends and has no refresh
//! (developers.intercom.com, setting up OAuth).

use std::sync::Arc;

use bowline_net::endpoint::endpoint;
use bowline_net::json::filled;
use bowline_net::{Access, ApiError, ErrorKind, Request, Transport};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

use crate::client::DEFAULT_DEADLINE;
use crate::error;

/// Where teammates are asked for their consent.
pub const AUTHORIZE_URL: &str = "https://app.intercom.com/oauth";

/// An app as its Developer Hub shows it.
#[derive(Clone, Debug)]
pub struct App {
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: SecretString,
}

/// The address to send someone to; Intercom sends them back to `back` with `code` and `state`.
pub fn authorize_url(authorize: &Url, client_id: &str, state: &str, back: &Url) -> Url {
    let mut url = authorize.clone();
    url.query_pairs_mut()
        .append_pair("client_id", client_id)
        .append_pair("state", state)
        .append_pair("redirect_uri", back.as_str());
    url
}

/// Trades the code of someone who came back for a token. A code is good once. `base` is the API's
/// address.
///
/// # Errors
/// Intercom refuses the code or the app, or cannot be reached.
pub async fn exchange(
    transport: &Arc<dyn Transport>,
    base: &Url,
    app: &App,
    code: &str,
) -> Result<SecretString, ApiError> {
    let doing = "trading Intercom's code for a token";
    let url = endpoint(base, &["auth", "eagle", "token"])
        .ok_or_else(|| ApiError::new(ErrorKind::Config, doing, "the address has no paths"))?;
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let body = json!({
        "code": code,
        "client_id": app.client_id,
        "client_secret": app.client_secret.expose_secret(),
    });
    let request = Request {
        method: Method::POST,
        url,
        headers,
        body: Some(Bytes::from(body.to_string())),
        deadline: DEFAULT_DEADLINE,
    };
    let answer = transport.send(request).await;
    // The code is used up or not; a second try would show it, and does no harm.
    let answer = answer.map_err(|failure| ApiError::of_failure(&failure, Access::Read, doing))?;
    if !answer.is_success() {
        return Err(error::read(&answer, Access::Read, doing));
    }
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    filled(&value, "access_token")
        .or_else(|| filled(&value, "token"))
        .map(SecretString::from)
        .ok_or_else(|| ApiError::new(ErrorKind::Data, doing, "the answer holds no token"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowline_net::testing::{FakeTransport, body_of, json as answer};

    fn app() -> App {
        App {
            client_id: "id".to_owned(),
            client_secret: "secret".to_owned().into(),
        }
    }

    fn base() -> Url {
        Url::parse("https://api.example.com").unwrap()
    }

    #[test]
    fn the_address_names_the_app_and_where_to_come_back() {
        let authorize = Url::parse(AUTHORIZE_URL).unwrap();
        let back = Url::parse("https://b.example.com/back?x=1").unwrap();
        assert_eq!(
            authorize_url(&authorize, "id", "a.b", &back).as_str(),
            "https://app.intercom.com/oauth?client_id=id&state=a.b\
             &redirect_uri=https%3A%2F%2Fb.example.com%2Fback%3Fx%3D1"
        );
    }

    #[tokio::test]
    async fn a_code_goes_out_as_it_came_and_a_token_comes_back() {
        let fake = FakeTransport::always(Ok(answer(
            200,
            &json!({ "token_type": "Bearer", "token": "t", "access_token": "t" }),
        )));
        let transport: Arc<dyn Transport> = fake.clone();
        let token = exchange(&transport, &base(), &app(), "code==")
            .await
            .unwrap();
        assert_eq!(token.expose_secret(), "t");
        let request = &fake.requests()[0];
        assert_eq!(
            request.url.as_str(),
            "https://api.example.com/auth/eagle/token"
        );
        assert_eq!(body_of(request)["code"], "code==");
    }

    #[tokio::test]
    async fn a_refusal_says_so() {
        let refusal =
            json!({ "errors": [{ "code": "unauthorized", "message": "Unauthorized Code" }] });
        let transport: Arc<dyn Transport> = FakeTransport::always(Ok(answer(401, &refusal)));
        let error = exchange(&transport, &base(), &app(), "old")
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Auth);
        assert!(error.to_string().contains("Unauthorized Code"), "{error}");
    }
}
