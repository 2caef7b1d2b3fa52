//! The library's calls, made through the guarded transport.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bowline_net::{Request, SendFailure, Transport};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use url::Url;

/// How long a call to the provider may take: somebody waits for it.
const DEADLINE: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    /// The transport.
    #[error(transparent)]
    Send(#[from] SendFailure),
    /// The request or the answer cannot be put into the other's form.
    #[error("{0}")]
    Form(String),
}

/// The library's HTTP client.
pub(crate) struct Http(Arc<dyn Transport>);

impl Http {
    pub(crate) fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = WireError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, WireError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let form = |error: &dyn std::fmt::Display| WireError::Form(error.to_string());
            let (mut parts, body) = request.into_parts();
            if let Some(secret) = parts.headers.get_mut(http::header::AUTHORIZATION) {
                secret.set_sensitive(true);
            }
            let url = Url::parse(&parts.uri.to_string()).map_err(|error| form(&error))?;
            let answer = self
                .0
                .send(Request {
                    method: parts.method,
                    url,
                    headers: parts.headers,
                    body: (!body.is_empty()).then(|| body.into()),
                    deadline: DEADLINE,
                })
                .await?;
            let mut response = http::Response::builder().status(answer.status);
            if let Some(headers) = response.headers_mut() {
                *headers = answer.headers;
            }
            response
                .body(answer.body.to_vec())
                .map_err(|error| form(&error))
        })
    }
}
