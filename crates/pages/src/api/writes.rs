//! What can be changed. A write that names itself is made once: asked again by the same name, it
//! gets the same answer.

use std::future::Future;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bowline_access::{ChangeLinks, ProjectRef, Replay, What, Who, digest};
use bowline_domain::ids::{ConversationId, EventId, IssueId, SiteName, WorkspaceName};
use bowline_domain::link::Via;
use bowline_store::access::ApiWrite;
use serde_json::{Value, json};

use super::caller::{Bearer, Number};
use super::problem::Problem;
use crate::App;
use crate::links::{Joined, place, queue};
use crate::query::Query;

/// The longest name of a write, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// What a write answers: what is told now, and what is kept of it and told again.
pub(crate) struct Answered {
    pub(crate) told: Value,
    pub(crate) kept: Value,
}

/// Makes a write whose answer holds a secret, once if it names itself. The secret is not kept.
pub(crate) async fn once_secret(
    app: &App,
    who: &Who,
    headers: &HeaderMap,
    request: &str,
    write: impl Future<Output = Result<Answered, Problem>>,
) -> Response {
    match named(app, who, headers, request, write).await {
        Ok((status, body)) => told(status, body),
        Err(problem) => problem.into_response(),
    }
}

fn told(status: StatusCode, body: String) -> Response {
    let kind = if status.is_success() {
        "application/json"
    } else {
        "application/problem+json"
    };
    (status, [(CONTENT_TYPE, kind)], body).into_response()
}

/// Makes a write, once if it names itself. `request` is what is asked.
pub(crate) async fn once(
    app: &App,
    who: &Who,
    headers: &HeaderMap,
    request: &str,
    write: impl Future<Output = Result<Value, Problem>>,
) -> Response {
    let write = async {
        let told = write.await?;
        let kept = told.clone();
        Ok(Answered { told, kept })
    };
    once_secret(app, who, headers, request, write).await
}

async fn named(
    app: &App,
    who: &Who,
    headers: &HeaderMap,
    request: &str,
    write: impl Future<Output = Result<Answered, Problem>>,
) -> Result<(StatusCode, String), Problem> {
    let answer = async {
        match write.await {
            Ok(Answered { told, kept }) => {
                (StatusCode::ACCEPTED, told.to_string(), kept.to_string())
            }
            Err(problem) => {
                let (status, body) = problem.parts();
                (status, body.clone(), body)
            }
        }
    };
    let Some(name) = headers.get("idempotency-key") else {
        let (status, told, _) = answer.await;
        return Ok((status, told));
    };
    let name = name.to_str().unwrap_or_default();
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        let detail = format!("Idempotency-Key is empty, or longer than {NAME_BYTES_MAX} bytes.");
        return Err(Problem::invalid(detail));
    }
    let (store, account) = (&app.shared.store, who.account().unwrap_or(0));
    let begun = store
        .begin_api_write(account, name.to_owned(), digest(request), app.shared.now())
        .await?;
    match begun {
        ApiWrite::Fresh => {
            let (status, told, kept) = answer.await;
            store
                .end_api_write(account, name.to_owned(), status.as_u16(), kept)
                .await?;
            Ok((status, told))
        }
        ApiWrite::Answered { status, body } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::ACCEPTED);
            Ok((status, body))
        }
        ApiWrite::UnderWay => Err(Problem::new(
            StatusCode::CONFLICT,
            "under_way",
            "A write of this Idempotency-Key is under way, or broke off. Ask whether it was made, \
             then use another key.",
        )),
        ApiWrite::OtherRequest => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "key_reused",
            "This Idempotency-Key was used for another request. Use a new one for each.",
        )),
    }
}

pub(super) async fn replay(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<Replay>,
    headers: HeaderMap,
) -> Response {
    let request = format!("replay {id}");
    once(
        &app,
        by.who(),
        &headers,
        &request,
        Box::pin(put_back(&app, &by, id)),
    )
    .await
}

async fn put_back(app: &App, by: &Bearer<Replay>, id: i64) -> Result<Value, Problem> {
    let store = &app.shared.store;
    let Some(view) = store.event(EventId(id)).await? else {
        return Err(Problem::not_found("There is no delivery of this number."));
    };
    let label = match view.event.lane.issue_events() {
        Some((site, issue)) => store.issue_label(&site, &issue).await?,
        None => None,
    };
    let project = label.map(|label| ProjectRef {
        site: label.site.to_string(),
        project: label.project.to_string(),
    });
    if !by.0.covers(project.as_ref()) {
        let detail = "The token's owner administers other projects than that of this delivery.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail));
    }
    let put_back = store.replay(EventId(id), app.shared.now()).await?;
    if put_back {
        store.wake().await?;
        let subject = format!("delivery {id}");
        app.access
            .write_down(by.who(), What::EventReplayed, &subject, &view.event.topic)
            .await?;
    }
    Ok(json!({ "delivery": id, "put_back": put_back }))
}

pub(super) async fn add_link(
    State(app): State<App>,
    by: Bearer<ChangeLinks>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("link {}", String::from_utf8_lossy(&body));
    once(
        &app,
        by.who(),
        &headers,
        &request,
        Box::pin(add(&app, &by, &body)),
    )
    .await
}

async fn add(app: &App, by: &Bearer<ChangeLinks>, body: &[u8]) -> Result<Value, Problem> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::invalid(format!("The body is not JSON: {error}.")))?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::trim);
    let (Some(issue), Some(typed)) = (text("issue"), text("conversation")) else {
        return Err(Problem::invalid(
            "Send {\"issue\": \"ENG-17\", \"conversation\": \"…\"}: the issue's key, and the \
             conversation's address or number.",
        ));
    };
    let address = bowline_text::address::parse(typed).map(|address| address.conversation);
    let conversation = address.unwrap_or_else(|| typed.to_owned());
    if conversation.is_empty() || !conversation.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::invalid(format!("“{typed}” is no conversation.")));
    }
    let Joined {
        key: issue,
        site,
        workspace,
    } = place(app, issue).map_err(Problem::invalid)?;
    let name = by.who().person().map(|person| person.name.clone());
    let name = name.unwrap_or_else(|| by.who().name());
    let event = queue(
        app,
        (&site, &issue),
        (&workspace, &conversation),
        Some((&name, Via::Api)),
    )
    .await?;
    let detail = format!("conversation {conversation} of {workspace}");
    app.access
        .write_down(by.who(), What::LinkAdded, &issue, &detail)
        .await?;
    Ok(json!({ "delivery": event.0 }))
}

pub(super) async fn remove_link(
    State(app): State<App>,
    by: Bearer<ChangeLinks>,
    headers: HeaderMap,
    query: Query,
) -> Response {
    let request = format!("unlink {}", query.without(&[]));
    once(
        &app,
        by.who(),
        &headers,
        &request,
        Box::pin(remove(&app, &by, &query)),
    )
    .await
}

async fn remove(app: &App, by: &Bearer<ChangeLinks>, query: &Query) -> Result<Value, Problem> {
    let site = SiteName::new(query.text("site"));
    let issue = IssueId::new(query.text("issue_id"));
    let workspace = WorkspaceName::new(query.text("workspace"));
    let conversation = ConversationId::new(query.text("conversation"));
    let store = &app.shared.store;
    if !store
        .link_is_live((&site, &issue), (&workspace, &conversation))
        .await?
    {
        return Err(Problem::not_found(
            "There is no such link now. Name it by site, issue_id, workspace and conversation, as \
             GET /api/v1/links does.",
        ));
    }
    let label = store.issue_label(&site, &issue).await?;
    let key = label.map_or_else(|| issue.to_string(), |label| label.key.to_string());
    let event = queue(
        app,
        (&site, &key),
        (&workspace, conversation.as_str()),
        None,
    )
    .await?;
    let detail = format!("conversation {conversation} of {workspace}");
    app.access
        .write_down(by.who(), What::LinkRemoved, &key, &detail)
        .await?;
    Ok(json!({ "delivery": event.0 }))
}
