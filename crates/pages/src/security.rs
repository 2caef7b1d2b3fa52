//! What holds for every answer: headers that keep other pages out, and no form from elsewhere.

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::App;
use crate::error::PageError;

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; \
    frame-ancestors 'none'";

/// One year, as long as browsers are asked to come by https only.
const HSTS: &str = "max-age=31536000; includeSubDomains";

/// Adds the headers, and refuses what another site's page sends.
pub(crate) async fn protect(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = if is_from_elsewhere(&request) {
        PageError::from_elsewhere().into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    // The older header cannot name hosts. Where a policy does, it stands alone.
    if !may_be_framed(headers) {
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    let mut set = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "same-origin");
    set(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    set(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    set(
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    );
    set(CACHE_CONTROL, "no-store");
    if app.https {
        set(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

/// The policy of a page that these hosts may show in a frame; the same as for any other page
/// otherwise.
pub(crate) fn framed_by(hosts: &[String]) -> Option<HeaderValue> {
    let everyone_else = "frame-ancestors 'none'";
    let policy = POLICY.replace(
        everyone_else,
        &format!("frame-ancestors {}", hosts.join(" ")),
    );
    HeaderValue::from_str(&policy)
        .ok()
        .filter(|_| !hosts.is_empty())
}

fn may_be_framed(headers: &axum::http::HeaderMap) -> bool {
    let policy = headers.get(CONTENT_SECURITY_POLICY);
    let policy = policy.and_then(|policy| policy.to_str().ok());
    policy.is_some_and(|policy| policy.contains("frame-ancestors http"))
}

/// Browsers say who makes a request. The token in each form is the other guard.
fn is_from_elsewhere(request: &Request) -> bool {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let site = request.headers().get("sec-fetch-site");
    changes && site.is_some_and(|site| site != "same-origin" && site != "none")
}
