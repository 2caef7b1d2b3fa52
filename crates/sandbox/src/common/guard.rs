//! The layer around a platform's REST routes: applies faults and writes the journal.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{FromFnLayer, Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::clock::now_ms;
use super::faults::{FaultKind, Faults};
use super::journal::{Entry, Journal};
use super::server::HangUp;

/// Largest request body that a simulated platform reads, in bytes. Larger ones get 413.
pub const MAX_BODY_BYTES: usize = 20 * 1024 * 1024;

/// What the layer needs at every call.
#[derive(Clone, Debug)]
pub struct Guard {
    journal: Journal,
    faults: Faults,
}

type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;
type Handler = fn(State<Guard>, Request, Next) -> Answer;

/// The layer to put around a platform's REST router: `router.layer(layer(journal, faults))`.
///
/// It buffers the body, so handlers may read it as they like. Calls are recorded before they are
/// answered: who has seen an answer finds the call in the journal.
pub fn layer(
    journal: Journal,
    faults: Faults,
) -> FromFnLayer<Handler, Guard, (State<Guard>, Request)> {
    let handler: Handler = |state, request, next| Box::pin(guard(state, request, next));
    from_fn_with_state(Guard { journal, faults }, handler)
}

async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let decision = guard.faults.decide(parts.method.as_str(), parts.uri.path());
    let entry = guard.journal.is_enabled().then(|| Entry {
        seq: 0,
        at_ms: 0,
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        status: 0,
        request_body: readable(&body),
        fault: decision
            .as_ref()
            .map(|decision| decision.kind.name().to_owned()),
    });
    let journal = guard.journal;
    let record = move |status: u16| {
        if let Some(mut entry) = entry {
            entry.at_ms = now_ms();
            entry.status = status;
            journal.record(entry);
        }
    };
    let request = Request::from_parts(parts, Body::from(body));
    let Some(decision) = decision else {
        let response = next.run(request).await;
        record(response.status().as_u16());
        return response;
    };
    match decision.kind {
        FaultKind::Status {
            status,
            body,
            headers,
        } => {
            record(status);
            injected(status, body.as_ref(), &headers)
        }
        FaultKind::DropBefore => {
            record(0);
            hang_up()
        }
        FaultKind::Hang => {
            record(0);
            std::future::pending().await
        }
        FaultKind::Delay { ms } => {
            // A task of its own: the server drops this future when the caller hangs up.
            let late = tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                let response = next.run(request).await;
                record(response.status().as_u16());
                response
            });
            late.await
                .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
        FaultKind::DelayAfter { ms } => {
            let response = next.run(request).await;
            record(response.status().as_u16());
            tokio::time::sleep(Duration::from_millis(ms)).await;
            response
        }
        FaultKind::DropAfter => {
            record(next.run(request).await.status().as_u16());
            hang_up()
        }
        FaultKind::HangAfter => {
            record(next.run(request).await.status().as_u16());
            std::future::pending().await
        }
        FaultKind::StatusAfter { status } => {
            record(next.run(request).await.status().as_u16());
            let mut response = Response::new(Body::from("<html><body>gateway</body></html>"));
            *response.status_mut() = status_of(status);
            response.headers_mut().insert(
                http::header::CONTENT_TYPE,
                HeaderValue::from_static("text/html"),
            );
            response
        }
    }
}

fn readable(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn injected(status: u16, body: Option<&Value>, headers: &[(String, String)]) -> Response {
    let mut response = match body {
        Some(body) => axum::Json(body).into_response(),
        None => Response::new(Body::empty()),
    };
    *response.status_mut() = status_of(status);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name.as_str()),
            HeaderValue::try_from(value.as_str()),
        ) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn hang_up() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}
