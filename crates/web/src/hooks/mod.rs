//! Webhooks in.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bowline_engine::channel::{ChannelDelivery, SetupCheck};
use bowline_engine::ingress::{IntercomDelivery, JiraDelivery, Receipt, Refusal};
use bytes::Bytes;
use tokio::sync::SemaphorePermit;

use crate::{App, body};

/// A sender that is told to come back later does so after this many seconds.
const RETRY_AFTER_S: &str = "5";

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .filter(|value| !value.is_empty())
}

/// Intercom asks with HEAD whether an address is there before it takes it. The answer is the same
/// for every name: it does not tell which connections exist.
pub(crate) async fn here() -> StatusCode {
    StatusCode::OK
}

/// Reads a body while there is a place for one more delivery; the place is kept until it is
/// answered.
async fn take_in<'a>(
    app: &'a App,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Bytes, SemaphorePermit<'a>), Response> {
    let place = app.free.try_acquire().map_err(|_| busy())?;
    Ok((body::read(headers, body, app.body_bytes_max).await?, place))
}

/// A delivery from Jira.
pub(crate) async fn jira(
    State(app): State<App>,
    Path(site): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (body, _place) = match take_in(&app, &headers, body).await {
        Ok(taken) => taken,
        Err(answer) => return answer,
    };
    let delivery = JiraDelivery {
        site: &site,
        body: &body,
        signature: text(&headers, "x-hub-signature"),
        identifier: text(&headers, "x-atlassian-webhook-identifier"),
    };
    answer("jira", app.shared.receive_jira(delivery).await)
}

/// A delivery from Intercom.
pub(crate) async fn intercom(
    State(app): State<App>,
    Path(workspace): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (body, _place) = match take_in(&app, &headers, body).await {
        Ok(taken) => taken,
        Err(answer) => return answer,
    };
    let delivery = IntercomDelivery {
        workspace: &workspace,
        body: &body,
        signature: text(&headers, "x-hub-signature"),
    };
    answer("intercom", app.shared.receive_intercom(delivery).await)
}

/// A call from an automation rule or a post function. `Idempotency-Key` names the call: the same
/// name is taken once.
pub(crate) async fn notify(
    State(app): State<App>,
    Path(site): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (body, _place) = match take_in(&app, &headers, body).await {
        Ok(taken) => taken,
        Err(answer) => return answer,
    };
    let bearer = text(&headers, header::AUTHORIZATION.as_str())
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(str::trim);
    let key = text(&headers, "idempotency-key");
    answer(
        "notify",
        app.shared.receive_notify(&site, bearer, key, &body).await,
    )
}

/// A delivery from a messaging provider.
pub(crate) async fn channel(
    State(app): State<App>,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (body, _place) = match take_in(&app, &headers, body).await {
        Ok(taken) => taken,
        Err(answer) => return answer,
    };
    let delivery = ChannelDelivery {
        account: &account,
        query: query.as_deref(),
        headers: &headers,
        body: &body,
    };
    answer("channel", app.shared.receive_channel(delivery).await)
}

/// A messaging provider asks whether the address is ours.
pub(crate) async fn channel_setup(
    State(app): State<App>,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    match app.shared.channel_setup(&account, &query) {
        Ok(SetupCheck::Answer(text)) => (StatusCode::OK, text).into_response(),
        Ok(SetupCheck::Refused) => StatusCode::FORBIDDEN.into_response(),
        // The same for every name: it does not tell which accounts exist.
        Ok(SetupCheck::NotOffered) | Err(_) => StatusCode::OK.into_response(),
    }
}

/// So many deliveries are being taken in that this one has to come again.
fn busy() -> Response {
    come_again(Refusal::Overloaded.to_string())
}

fn come_again(text: String) -> Response {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    (status, [(header::RETRY_AFTER, RETRY_AFTER_S)], text).into_response()
}

/// The answer to a sender. Never 410: Intercom would drop the subscription for good.
fn answer(source: &'static str, received: Result<Receipt, Refusal>) -> Response {
    let refusal = match received {
        Ok(Receipt { event: Some(id) }) => {
            return (StatusCode::OK, format!("{{\"event\":{id}}}")).into_response();
        }
        Ok(Receipt { event: None }) => {
            return (StatusCode::OK, "{\"duplicate\":true}").into_response();
        }
        Err(refusal) => refusal,
    };
    let status = match &refusal {
        Refusal::UnknownConnection => StatusCode::NOT_FOUND,
        Refusal::BadSignature => StatusCode::UNAUTHORIZED,
        Refusal::BadBody(_) => StatusCode::BAD_REQUEST,
        Refusal::Overloaded | Refusal::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    metrics::counter!("bowline_refusals_total", "source" => source,
        "status" => status.as_str().to_owned())
    .increment(1);
    if let Refusal::Failed(error) = &refusal {
        tracing::error!(source, %error, "delivery not stored");
    } else {
        tracing::warn!(source, status = status.as_u16(), reason = %refusal, "delivery refused");
    }
    let text = refusal.to_string();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return come_again(text);
    }
    (status, text).into_response()
}
