//! A transport without a network, for the tests of every crate.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::transport::{BoxFuture, Request, Response, SendFailure, Transport};

type Handler = dyn Fn(&Request) -> Result<Response, SendFailure> + Send + Sync;

/// Answers every request from a closure and remembers what it was asked.
pub struct FakeTransport {
    handler: Box<Handler>,
    seen: Mutex<Vec<Request>>,
}

impl FakeTransport {
    /// A transport that answers with `handler`.
    pub fn new(
        handler: impl Fn(&Request) -> Result<Response, SendFailure> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            handler: Box::new(handler),
            seen: Mutex::default(),
        })
    }

    /// A transport that gives the same answer to every request.
    pub fn always(answer: Result<Response, SendFailure>) -> Arc<Self> {
        Self::new(move |_| answer.clone())
    }

    /// All requests so far, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Transport for FakeTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendFailure>> {
        let answer = (self.handler)(&request);
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request);
        Box::pin(std::future::ready(answer))
    }
}

/// Headers from pairs; pairs that are no valid header are left out.
pub fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        })
        .collect()
}

/// An answer with a text body.
pub fn response(status: u16, with_headers: &[(&str, &str)], body: &str) -> Response {
    Response {
        status,
        headers: headers(with_headers),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

/// An answer with a JSON body.
pub fn json(status: u16, body: &Value) -> Response {
    response(
        status,
        &[("content-type", "application/json")],
        &body.to_string(),
    )
}

/// The JSON body of a request; null when there is none.
pub fn body_of(request: &Request) -> Value {
    let body = request.body.as_deref().unwrap_or_default();
    serde_json::from_slice(body).unwrap_or(Value::Null)
}

/// A success without a body, as a delete answers.
pub fn no_content() -> Response {
    response(StatusCode::NO_CONTENT.as_u16(), &[], "")
}
