//! One request out, one answer in.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use url::Url;

use crate::stream::Incoming;

/// A future that can be kept in a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One request to a remote system.
///
/// Credentials belong in `headers` with the value marked sensitive, so that the `Debug` form of a
/// request never shows them.
#[derive(Debug, Clone)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// The absolute address, http or https.
    pub url: Url,
    /// All headers beyond those that the transport sets by itself (host, length, user agent).
    pub headers: HeaderMap,
    /// The body, if there is one.
    pub body: Option<Bytes>,
    /// How long the whole exchange may take, from the call until the last byte of the body.
    pub deadline: Duration,
}

/// The answer of a remote system, read to its end.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// All response headers.
    pub headers: HeaderMap,
    /// The body after content decoding.
    pub body: Bytes,
}

impl Response {
    /// True for a status of 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The value of a header as text; `None` when it is absent or not readable ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why there is no answer. What matters is whether the far side can have acted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendFailure {
    /// Certainly nothing reached the far side: name resolution, connect or TLS failed, or the
    /// request could not be built. Sending again is safe.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The request may have reached the far side: a time-out or a reset after bytes may have
    /// left. A write has to be read back before it is sent again.
    #[error("no answer: {0}")]
    Unknown(String),
    /// The far side answered with more than we are willing to keep in memory.
    #[error("the answer is larger than {limit_bytes} bytes")]
    BodyTooLarge {
        /// The limit that was exceeded.
        limit_bytes: usize,
    },
}

/// Something that can carry a request. The real one is [`HttpTransport`](crate::HttpTransport).
pub trait Transport: Send + Sync + 'static {
    /// Sends one request and reads the whole answer. Never retries and never follows a redirect.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendFailure>>;

    /// Sends one request and gives the body of its answer piece by piece. The deadline is for the
    /// whole body. Unless a transport does better, the answer is read whole first.
    fn stream(&self, request: Request) -> BoxFuture<'_, Result<Incoming, SendFailure>> {
        let answer = self.send(request);
        Box::pin(async move { Ok(Incoming::of(answer.await?)) })
    }
}
