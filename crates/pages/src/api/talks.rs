//! Desks, conversations and end users: what can be read, and what people decide.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bowline_access::{ChangeTalks, Look, What};
use bowline_domain::effect::Act;
use bowline_domain::ids::{CommentId, ProjectKey};
use bowline_domain::messaging::act::TalkAct;
use bowline_domain::messaging::end_user::EndUser;
use bowline_domain::messaging::gathering::Place as Stands;
use bowline_domain::messaging::ids::{AccountName, EndUserId, RequestRef};
use bowline_domain::messaging::language::Language;
use bowline_domain::messaging::request::Request;
use bowline_domain::messaging::words::Missing;
use bowline_engine::channel::people::PeopleError;
use bowline_engine::ingress::Refusal;
use bowline_store::talk_browse::{EndUserRow, OutboundView, TalkRow, Transcript};
use serde_json::{Value, json};

use super::caller::Bearer;
use super::problem::Problem;
use super::reads::iso;
use super::spoken::spoken;
use super::writes::once;
use crate::App;
use crate::approved::{self, NotOffered};
use crate::conversation::{NotDecided, decide, decision};
use crate::conversations::{cursor_text, talk_query};
use crate::end_users::{self, end_user_query, sentence, tied_words};
use crate::query::Query;
use crate::talk_words::{closing_word, stage_word};

/// Items in an answer.
const ITEMS: usize = 100;

type Answer = Result<Json<Value>, Problem>;

/// The conversation in an address.
pub(super) struct Whose(RequestRef);

impl FromRequestParts<App> for Whose {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let path = Path::<(String, String, u32)>::from_request_parts(parts, app).await;
        let path = path.map_err(|_| Problem::not_found("The address names no conversation."))?;
        let (account, end_user, generation) = path.0;
        Ok(Self(RequestRef {
            account: AccountName::new(account),
            end_user: EndUserId::new(end_user),
            generation,
        }))
    }
}

/// The end user in an address.
pub(super) struct Someone(AccountName, EndUserId);

impl FromRequestParts<App> for Someone {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, app).await;
        let path = path.map_err(|_| Problem::not_found("The address names no end user."))?;
        let (account, end_user) = path.0;
        Ok(Self(AccountName::new(account), EndUserId::new(end_user)))
    }
}

/// What every answer about a conversation holds.
fn conversation(app: &App, whose: &RequestRef, request: &Request) -> Value {
    json!({
        "id": whose.to_string(),
        "account": whose.account.as_str(),
        "end_user": whose.end_user.as_str(),
        "generation": whose.generation,
        "desk": request.desk.as_str(),
        "site": request.site.as_str(),
        "issue": request.issue.as_ref().map(|(_, key)| key.as_str()),
        "state": stage_word(request),
        "ended_at": request.closed.and_then(|(at, _)| iso(at)),
        "ended": request.closed.map(|(_, why)| closing_word(why)),
        "platform": request.route.platform.word(),
        "channel": request.route.channel.as_str(),
        "opened_at": iso(request.opened_at),
        "last_inbound_at": iso(request.last_inbound_at),
        "window_ends_at": request.window_ends_at().and_then(iso),
        "can_reply": request.is_live() && request.can_reply(app.shared.now()),
        "missing": missing(app, &whose.account, request),
        // The project in which the issue is no request, so that no comment is sent.
        "outside": request.outside.as_ref().filter(|_| request.is_live()).map(ProjectKey::as_str),
    })
}

/// What is missing so that no desk serves an active conversation.
fn missing(app: &App, account: &AccountName, request: &Request) -> Option<&'static str> {
    let missing = app.shared.missing_now(account, request);
    missing
        .filter(|_| request.is_live())
        .map(|missing| match missing {
            Missing::Desk(_) => "desk",
            Missing::Account(_) => "account",
        })
}

/// Adds fields to an object.
fn with(mut value: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut value, more) {
        fields.extend(more);
    }
    value
}

fn row(app: &App, row: &TalkRow) -> Value {
    let more = json!({
        "name": row.name,
        "blocked": row.blocked,
        "held": row.held,
        "not_delivered": row.not_delivered,
    });
    with(conversation(app, &row.whose, &row.request), more)
}

pub(super) async fn conversations(
    State(app): State<App>,
    _by: Bearer<Look>,
    query: Query,
) -> Answer {
    let (asked, wrong) = talk_query(&query, app.shared.now(), ITEMS + 1);
    if let Some(wrong) = wrong {
        return Err(Problem::invalid(wrong));
    }
    let mut rows = app.shared.store.talk_page(&asked).await?;
    let more = rows.len() > ITEMS;
    rows.truncate(ITEMS);
    let next = rows.last().filter(|_| more);
    let next = next.map(|row| cursor_text(&row.cursor(&asked)));
    let items: Vec<Value> = rows.iter().map(|one| row(&app, one)).collect();
    Ok(Json(json!({ "items": items, "next": next })))
}

pub(super) async fn one_conversation(
    State(app): State<App>,
    _by: Bearer<Look>,
    Whose(whose): Whose,
) -> Answer {
    let store = &app.shared.store;
    let Some(talk) = store.talk(&whose).await? else {
        return Err(Problem::not_found("There is no such conversation."));
    };
    let read = store.transcript(&whose).await?;
    let more = json!({
        "name": talk.end_user.name,
        "blocked": talk.end_user.blocked,
        "inbound": inbound(&read),
        "outbound": read.outbound.iter().map(outbound).collect::<Vec<_>>(),
        "internal": internal(&read),
        "cut": read.cut,
    });
    Ok(Json(with(conversation(&app, &whose, &talk.request), more)))
}

fn inbound(read: &Transcript) -> Vec<Value> {
    read.lines
        .iter()
        .map(|one| {
            let line = &one.line;
            let comment = read
                .comments
                .iter()
                .find(|(number, _)| *number == line.gathering);
            let brought = read.brought.iter().find(|(id, _)| *id == line.message);
            json!({
                "message": line.message.as_str(),
                "part": line.part,
                "audience": "from_customer",
                "sent_at": iso(line.sent_at),
                "received_at": iso(line.received_at),
                "text": line.text,
                "written": one.written,
                "in_description": line.place == Stands::Description,
                "comment": comment.map(|(_, comment)| comment.as_str()),
                "delivery": brought.map(|(_, event)| event.0),
            })
        })
        .collect()
}

fn outbound(view: &OutboundView) -> Value {
    let message = &view.message;
    json!({
        "message": message.key.as_str(),
        "audience": "customer",
        "at": iso(message.at),
        "comment": message.comment.as_ref().map(CommentId::as_str),
        "channel": message.channel.as_str(),
        "text": message.text,
        "state": message.delivery.as_str(),
        "reason": message.reason,
        "remote_id": view.remote_id,
        "delivery": view.event.map(|event| event.0),
        "resolved": view.resolved.as_ref().map(|resolved| resolved.how.as_str()),
        "resolved_by": view.resolved.as_ref().map(|resolved| resolved.by.as_str()),
        "resolved_at": view.resolved.as_ref().and_then(|resolved| iso(resolved.at)),
    })
}

fn internal(read: &Transcript) -> Vec<Value> {
    read.told
        .iter()
        .map(|view| {
            let text = match &view.effect.act {
                Act::Talk(TalkAct::Tell { text, .. }) => text.as_str(),
                _ => "",
            };
            json!({
                "audience": "internal",
                "at": iso(view.planned_at),
                "text": text,
                "state": view.state.as_str(),
                "delivery": view.event.0,
            })
        })
        .collect()
}

pub(super) fn body_of(body: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::invalid(format!("The body is not JSON: {error}.")))
}

pub(super) async fn sends(
    State(app): State<App>,
    by: Bearer<ChangeTalks>,
    Whose(whose): Whose,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("send {whose} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(decide_send(&app, &by, &whose, &body));
    once(&app, by.who(), &headers, &request, write).await
}

async fn decide_send(
    app: &App,
    by: &Bearer<ChangeTalks>,
    whose: &RequestRef,
    body: &[u8],
) -> Result<Value, Problem> {
    let body = body_of(body)?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::trim);
    let (Some(message), Some(how)) = (text("message"), text("do").and_then(decision)) else {
        return Err(Problem::invalid(
            "The body says message, as GET on the conversation names it, and do: again, arrived \
             or drop.",
        ));
    };
    match decide(app, by.who(), (whose, message), how).await {
        Ok(event) => Ok(json!({ "delivery": event.0 })),
        Err(NotDecided::Unknown) => Err(Problem::not_found(
            "There is no such message in this conversation.",
        )),
        Err(NotDecided::Settled) => Err(conflict(
            "There is nothing to decide: somebody decided already, or the message is on its way \
             or arrived.",
        )),
        Err(NotDecided::NotNow(why)) => Err(conflict(why)),
        Err(NotDecided::Failed(Refusal::Failed(error))) => Err(error.into()),
        Err(NotDecided::Failed(refusal)) => Err(Problem::invalid(refusal.to_string())),
    }
}

pub(super) async fn approved(
    State(app): State<App>,
    by: Bearer<ChangeTalks>,
    Whose(whose): Whose,
    headers: HeaderMap,
) -> Response {
    let request = format!("approved {whose}");
    let write = Box::pin(send_approved(&app, &by, &whose));
    once(&app, by.who(), &headers, &request, write).await
}

async fn send_approved(
    app: &App,
    by: &Bearer<ChangeTalks>,
    whose: &RequestRef,
) -> Result<Value, Problem> {
    match approved::ask(app, by.who(), whose).await {
        Ok(event) => Ok(json!({ "delivery": event.0 })),
        Err(NotOffered::Unknown) => Err(Problem::not_found("There is no such conversation.")),
        Err(NotOffered::NotNow) => Err(conflict(
            "The desk has no approved message, the conversation has ended, or the customer can be \
             answered by a public comment now.",
        )),
        Err(NotOffered::Failed(Refusal::Failed(error))) => Err(error.into()),
        Err(NotOffered::Failed(refusal)) => Err(Problem::invalid(refusal.to_string())),
    }
}

fn conflict(detail: &str) -> Problem {
    Problem::new(StatusCode::CONFLICT, "not_now", detail)
}

fn end_user_row(row: &EndUserRow) -> Value {
    json!({
        "account": row.account.as_str(),
        "id": row.id.as_str(),
        "name": row.name,
        "identity": row.identity,
        "blocked": row.blocked,
        "customer": row.customer,
        "since": iso(row.since),
        "conversations": row.conversations,
        "active": row.active,
    })
}

pub(super) async fn end_users(State(app): State<App>, _by: Bearer<Look>, query: Query) -> Answer {
    let asked = end_user_query(&query, ITEMS + 1);
    let mut rows = app.shared.store.end_user_page(&asked).await?;
    let more = rows.len() > ITEMS;
    rows.truncate(ITEMS);
    let next = rows.last().filter(|_| more);
    let next = next.map(|row| end_users::cursor_text(&row.cursor()));
    let items: Vec<Value> = rows.iter().map(end_user_row).collect();
    Ok(Json(json!({ "items": items, "next": next })))
}

fn end_user(account: &AccountName, one: &EndUser) -> Value {
    let identities: Vec<Value> = one
        .identities
        .iter()
        .map(|identity| json!({ "kind": identity.kind.as_str(), "value": identity.value }))
        .collect();
    json!({
        "account": account.as_str(),
        "id": one.id.as_str(),
        "name": one.name,
        "identities": identities,
        "blocked": one.blocked,
        "customer": one.customer,
        "language": one.language.as_ref().map(Language::as_str),
    })
}

pub(super) async fn one_end_user(
    State(app): State<App>,
    _by: Bearer<Look>,
    Someone(account, id): Someone,
) -> Answer {
    let found = app.shared.store.end_user(&account, &id).await?;
    let found = found.ok_or_else(nobody)?;
    let mut answer = end_user(&account, &found);
    answer["spoken"] = spoken(&app, &account, &found).await?;
    Ok(Json(answer))
}

fn nobody() -> Problem {
    Problem::not_found("There is no such end user.")
}

pub(super) fn not_changed(error: PeopleError) -> Problem {
    match error {
        PeopleError::NoSuchEndUser => nobody(),
        PeopleError::Store(error) => error.into(),
        other => Problem::invalid(sentence(&other)),
    }
}

pub(super) async fn block(
    State(app): State<App>,
    by: Bearer<ChangeTalks>,
    Someone(account, id): Someone,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("block {account}/{id} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(set_blocked(&app, &by, (&account, &id), &body));
    once(&app, by.who(), &headers, &request, write).await
}

async fn set_blocked(
    app: &App,
    by: &Bearer<ChangeTalks>,
    (account, id): (&AccountName, &EndUserId),
    body: &[u8],
) -> Result<Value, Problem> {
    let body = body_of(body)?;
    let Some(blocked) = body.get("blocked").and_then(Value::as_bool) else {
        return Err(Problem::invalid("The body says blocked: true or false."));
    };
    let done = app.shared.block_end_user(account, id, blocked).await;
    done.map_err(not_changed)?;
    let what = if blocked {
        What::EndUserBlocked
    } else {
        What::EndUserLetIn
    };
    let subject = format!("end user {account}/{id}");
    app.access.write_down(by.who(), what, &subject, "").await?;
    Ok(json!({ "blocked": blocked }))
}

pub(super) async fn customer(
    State(app): State<App>,
    by: Bearer<ChangeTalks>,
    Someone(account, id): Someone,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("tie {account}/{id} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(set_customer(&app, &by, (&account, &id), &body));
    once(&app, by.who(), &headers, &request, write).await
}

async fn set_customer(
    app: &App,
    by: &Bearer<ChangeTalks>,
    (account, id): (&AccountName, &EndUserId),
    body: &[u8],
) -> Result<Value, Problem> {
    let body = body_of(body)?;
    let who = match body.get("customer") {
        Some(Value::String(who)) if !who.trim().is_empty() => Some(who.as_str()),
        Some(Value::Null) => None,
        _ => {
            return Err(Problem::invalid(
                "The body says customer: an e-mail address, an account id, a user name on Data \
                 Center, or null for nobody.",
            ));
        }
    };
    let tied = app.shared.tie_to_customer(account, id, who).await;
    let tied = tied.map_err(not_changed)?;
    let subject = format!("end user {account}/{id}");
    let detail = tied_words(tied.as_ref());
    app.access
        .write_down(by.who(), What::EndUserTied, &subject, &detail)
        .await?;
    Ok(json!({ "customer": tied.map(|customer| customer.id) }))
}

#[cfg(test)]
mod tests {
    use bowline_domain::messaging::delivery::Resolution;

    use super::*;

    #[test]
    fn a_decision_is_called_what_the_description_says() {
        for (word, how) in [
            ("again", Resolution::SentAgain),
            ("arrived", Resolution::Arrived),
            ("drop", Resolution::Dropped),
        ] {
            assert_eq!(decision(word), Some(how));
        }
        assert_eq!(decision("delete"), None);
    }
}
