//! The issue panel for programs: what it shows, with the fields that the binding lists and no
//! others, and what can be written from it.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bowline_access::{AnswerCustomers, Look, Permission, WriteNotes};
use bowline_domain::panel::Shown;
use bowline_domain::plan::written::{TEXT_CHARS_MAX, Written};
use bowline_domain::time::Millis;
use bowline_engine::panel::{Card, ContactNow, PanelNow, state_word};
use serde_json::{Value, json};

use super::caller::Bearer;
use super::problem::Problem;
use super::reads::iso;
use super::writes::once;
use crate::App;
use crate::error::PageError;
use crate::panel::act::{self, Wrong};
use crate::panel::people::{Visible, person};
use crate::panel::{Issue, known, whole};

type Answer = Result<Json<Value>, Problem>;

fn no_issue() -> Problem {
    Problem::not_found("There is no such site here, or this is no issue's key.")
}

async fn find(app: &App, site: &str, key: &str) -> Result<Issue, Problem> {
    Issue::find(app, site, key).await?.ok_or_else(no_issue)
}

fn seconds(at_s: Option<i64>) -> Option<String> {
    iso(Millis(at_s? * 1_000))
}

pub(super) async fn issue(
    State(app): State<App>,
    Path((site, key)): Path<(String, String)>,
    _by: Bearer<Look>,
) -> Answer {
    let issue = find(&app, &site, &key).await?;
    let now = known(&app, &issue, false).await?;
    let Some(settings) = now.settings.as_ref().filter(|settings| settings.enabled) else {
        return Err(Problem::not_found(
            "The project is not joined to a workspace, or its panel is switched off.",
        ));
    };
    let conversations: Vec<Value> = now
        .conversations
        .iter()
        .map(|card| conversation(&app, &now, card))
        .collect();
    let contacts: Vec<Value> =
        now.contacts
            .iter()
            .map(|contact| {
                let visible = person(contact, settings, &now);
                let companies = visible.companies.iter().map(
                    |company| json!({ "name": company.name, "fields": fields(&company.fields) }),
                );
                json!({
                    "workspace": contact.workspace.as_str(),
                    "id": visible.id,
                    "name": contact.seen.name,
                    "role": if visible.lead { "lead" } else { "user" },
                    "url": url(&app, contact),
                    "fields": fields(&visible.fields),
                    "companies": companies.collect::<Vec<_>>(),
                })
            })
            .collect();
    let held = match &issue.label {
        Some(label) => app.shared.store.held_of(&label.site, &label.issue).await?,
        None => Vec::new(),
    };
    let held = held.iter().filter(|view| view.effect.act.kind() == "reply");
    Ok(Json(json!({
        "site": issue.site.as_str(),
        "issue_id": issue.label.as_ref().map(|label| label.issue.as_str()),
        "key": issue.key,
        "summary": issue.label.as_ref().map(|label| label.summary.as_str()),
        "conversations": conversations,
        "more": now.more,
        "contacts": contacts,
        "held": held.map(|view| view.id.0).collect::<Vec<_>>(),
        "reading": now.reading,
        "read_at": now.read_at.and_then(iso),
    })))
}

fn url(app: &App, contact: &ContactNow) -> Option<String> {
    app.shared.contact_url(&contact.workspace, &contact.seen.id)
}

fn conversation(app: &App, now: &PanelNow, card: &Card) -> Value {
    let seen = card.seen.as_ref();
    let assignee = seen.and_then(|seen| seen.assignee.as_deref());
    json!({
        "workspace": card.workspace.as_str(),
        "conversation": card.conversation.as_str(),
        "url": app.shared.conversation_url(&card.workspace, &card.conversation),
        "state": seen.map(|seen| seen.state.as_str()),
        "merged": seen.is_some_and(|seen| seen.merged),
        "first_message": seen.map(|seen| seen.first.as_str()),
        "assignee": assignee.map(|id| now.teammate(id).unwrap_or(id)),
        "contacts": seen.map_or(&[][..], |seen| seen.contacts.as_slice()),
        "updated_at": seen.and_then(|seen| seconds(seen.updated_at_s)),
        "read_at": card.read_at.and_then(iso),
        "trouble": card.trouble,
    })
}

fn fields(visible: &[Visible]) -> Vec<Value> {
    let field = |field: &Visible| {
        let value = match &field.value {
            Shown::Text(text) => Some(text.clone()),
            Shown::At(at) => iso(*at),
        };
        json!({
            "name": field.name,
            "label": field.label,
            "custom": field.custom,
            "value": value,
        })
    };
    visible.iter().map(field).collect()
}

pub(super) async fn whole_conversation(
    State(app): State<App>,
    Path((site, key, id)): Path<(String, String, String)>,
    _by: Bearer<Look>,
) -> Answer {
    let issue = find(&app, &site, &key).await?;
    let place = whole::readable(&app, &issue, &id).await;
    let (workspace, conversation) = place.map_err(of_page)?;
    let read = app
        .shared
        .whole_conversation(&workspace, &conversation)
        .await;
    let read = read.map_err(|unread| {
        let (status, code) = if unread.gone {
            (StatusCode::NOT_FOUND, "not_found")
        } else {
            (StatusCode::BAD_GATEWAY, "far_side")
        };
        Problem::new(status, code, whole::why(&unread))
    })?;
    let files = |files: &[bowline_engine::panel::Attachment]| {
        let names = files.iter().map(|file| file.name.clone());
        names.collect::<Vec<_>>()
    };
    let words = |html: Option<&str>| html.map(bowline_text::words_of_html);
    let first = json!({
        "id": "source",
        "kind": "comment",
        "author": read.source_author.name,
        "author_type": read.source_author.kind,
        "internal": false,
        "at": seconds(read.created_at),
        "text": words(read.source_body.as_deref()),
        "files": files(&read.source_attachments),
    });
    let parts = read.parts.iter().map(|part| {
        json!({
            "id": part.id,
            "kind": part.part_type,
            "author": part.author.name,
            "author_type": part.author.kind,
            "internal": part.part_type == "note",
            "at": seconds(part.created_at),
            "text": words(part.body.as_deref()),
            "files": files(&part.attachments),
        })
    });
    Ok(Json(json!({
        "workspace": workspace.as_str(),
        "conversation": conversation.as_str(),
        "url": app.shared.conversation_url(&workspace, &conversation),
        "title": read.title,
        "state": state_word(&read),
        "parts": std::iter::once(first).chain(parts).collect::<Vec<_>>(),
    })))
}

fn of_page(error: PageError) -> Problem {
    match error.told() {
        Some((status, words)) if status.is_client_error() => {
            let code = if status == StatusCode::FORBIDDEN {
                "forbidden"
            } else {
                "not_found"
            };
            Problem::new(status, code, words)
        }
        _ => error.into(),
    }
}

fn of_wrong(wrong: Wrong) -> Problem {
    match wrong {
        Wrong::Field(_, words) => Problem::invalid(words),
        Wrong::Page(error) => of_page(error),
    }
}

/// What a body asks for, and the text in it.
fn asked(body: &[u8]) -> Result<(Value, String), Problem> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::invalid(format!("The body is not JSON: {error}.")))?;
    let text = body.get("text").and_then(Value::as_str).unwrap_or_default();
    let text = text.trim().to_owned();
    let letters = text.chars().count();
    if letters == 0 || letters > TEXT_CHARS_MAX {
        return Err(Problem::invalid(format!(
            "Send {{\"text\": \"…\"}} with 1 to {TEXT_CHARS_MAX} letters."
        )));
    }
    Ok((body, text))
}

/// By what name the writing is known: the one that the caller gave it.
fn name<P: Permission>(app: &App, by: &Bearer<P>, headers: &HeaderMap) -> String {
    let given = headers.get("idempotency-key");
    let given = given
        .and_then(|name| name.to_str().ok())
        .unwrap_or_default();
    act::name_of(app, by.who(), given)
}

fn called<P: Permission>(by: &Bearer<P>) -> String {
    let person = by.who().person();
    person.map_or_else(|| by.who().name(), |person| person.name.clone())
}

pub(super) async fn note(
    State(app): State<App>,
    Path((site, key)): Path<(String, String)>,
    by: Bearer<WriteNotes>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("note {site}/{key} {}", String::from_utf8_lossy(&body));
    let write = async {
        let (asked, text) = asked(&body)?;
        let issue = find(&app, &site, &key).await?;
        let to = match asked.get("conversations").and_then(Value::as_array) {
            None => None,
            Some(list) => {
                let places = list.iter().filter_map(|one| act::place(one.as_str()?));
                let places: Vec<_> = places.collect();
                if places.len() != list.len() {
                    let detail = "Name conversations as WORKSPACE/ID.";
                    return Err(Problem::invalid(detail));
                }
                Some(places)
            }
        };
        let note = Written::Note {
            name: name(&app, &by, &headers),
            by: called(&by),
            text,
            to,
        };
        let event = act::write(&app, by.who(), &issue, note).await;
        let event = event.map_err(of_wrong)?;
        Ok(json!({ "delivery": event.map(|event| event.0) }))
    };
    once(&app, by.who(), &headers, &request, Box::pin(write)).await
}

pub(super) async fn answer(
    State(app): State<App>,
    Path((site, key)): Path<(String, String)>,
    by: Bearer<AnswerCustomers>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("answer {site}/{key} {}", String::from_utf8_lossy(&body));
    let write = async {
        let (asked, text) = asked(&body)?;
        let issue = find(&app, &site, &key).await?;
        let to = asked.get("conversation").and_then(Value::as_str);
        let to = to.and_then(act::place).ok_or_else(|| {
            Problem::invalid("Send {\"conversation\": \"WORKSPACE/ID\"} with the text.")
        })?;
        let answer = Written::Reply {
            name: name(&app, &by, &headers),
            text,
            to,
        };
        let event = act::write(&app, by.who(), &issue, answer).await;
        let event = event.map_err(of_wrong)?;
        Ok(json!({ "delivery": event.map(|event| event.0) }))
    };
    once(&app, by.who(), &headers, &request, Box::pin(write)).await
}

pub(super) async fn held(
    State(app): State<App>,
    Path((site, key, id)): Path<(String, String, String)>,
    by: Bearer<AnswerCustomers>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("held {site}/{key}/{id} {}", String::from_utf8_lossy(&body));
    let write = async {
        let effect: i64 = id
            .parse()
            .map_err(|_| Problem::not_found("There is no effect of this number."))?;
        let asked: Value = serde_json::from_slice(&body)
            .map_err(|error| Problem::invalid(format!("The body is not JSON: {error}.")))?;
        let arrived = match asked.get("do").and_then(Value::as_str) {
            Some("arrived") => true,
            Some("send_again") => false,
            _ => {
                let detail = "Send {\"do\": \"arrived\"} or {\"do\": \"send_again\"}.";
                return Err(Problem::invalid(detail));
            }
        };
        let issue = find(&app, &site, &key).await?;
        let by_name = called(&by);
        let settled = act::settle(&app, by.who(), &by_name, &issue, effect, arrived).await;
        let settled = settled.map_err(of_wrong)?;
        Ok(json!({ "settled": settled }))
    };
    once(&app, by.who(), &headers, &request, Box::pin(write)).await
}
