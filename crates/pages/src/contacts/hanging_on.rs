//! All that hangs on a person, for a file that is handed out and for scripts.

use std::collections::BTreeSet;

use bowline_domain::feedback::ids::ContactId as FeedbackContact;
use bowline_domain::ids::ConversationId;
use bowline_store::contacts::Contact;
use bowline_store::feedback::TicketView;
use bowline_store::talk_browse::{TalkQuery, TalkRow, TalkSubject};
use serde_json::{Value, json};

use super::hanging::known_by;
use super::iso;
use super::issues::{self, By};
use crate::App;
use crate::error::PageError;
use crate::feedback::words::title;
use crate::talk_words;

/// Tickets and conversations on channels that are handed out of one person at most.
const HANDED_OUT_MAX: i64 = 10_000;

/// What hangs on a person.
pub(super) struct HangingOn {
    pub(super) feedback: Vec<Value>,
    pub(super) conversations: Vec<Value>,
    /// Why Intercom could not be asked for conversations.
    pub(super) conversations_unknown: Option<String>,
    pub(super) issues: Vec<Value>,
    pub(super) messages: Vec<Value>,
}

/// Reads all of it.
pub(super) async fn all(app: &App, contact: &Contact) -> Result<HangingOn, PageError> {
    let tickets = tickets(app, contact).await?;
    let (conversations, conversations_unknown) = match &contact.remote {
        None => (Vec::new(), None),
        Some(remote) => {
            let shared = &app.shared;
            let asked = shared.conversations_of_contact(&contact.workspace, remote);
            match asked.await {
                Ok(found) => (found, None),
                Err(why) => (Vec::new(), Some(why)),
            }
        }
    };
    let ids: Vec<ConversationId> = conversations
        .iter()
        .map(|one| ConversationId::new(one.id.as_str()))
        .collect();
    Ok(HangingOn {
        issues: issues(app, contact, &ids).await?,
        feedback: feedback(app, &tickets).await?,
        conversations: conversations
            .into_iter()
            .map(|one| json!({ "id": one.id, "state": one.state, "url": one.url }))
            .collect(),
        conversations_unknown,
        messages: messages(app, contact).await?,
    })
}

async fn tickets(app: &App, contact: &Contact) -> Result<Vec<TicketView>, PageError> {
    let store = &app.shared.store;
    let Some(remote) = &contact.remote else {
        return Ok(Vec::new());
    };
    let by = FeedbackContact::new(remote.as_str());
    let given = store.tickets_given_by(&contact.workspace, &by, HANDED_OUT_MAX);
    let mut views = Vec::new();
    for row in given.await? {
        views.extend(store.ticket(row.id).await?);
    }
    Ok(views)
}

async fn feedback(app: &App, tickets: &[TicketView]) -> Result<Vec<Value>, PageError> {
    let products = app.shared.store.products().await?;
    let all = tickets.iter().map(|view| {
        let row = &view.row;
        let product = products.iter().find(|product| product.id == row.product);
        json!({
            "id": row.id.0,
            "product": product.map(|product| product.name.as_str()),
            "status": row.status.as_str(),
            "title": title(row),
            "text": view.text,
            "said_at": iso(row.said_at),
            "conversation": view.conversation.as_str(),
            "author": row.author,
            "email": view.email,
            "company": row.company_name,
            "issue": row.issue_key,
            "labels": row.labels,
        })
    });
    Ok(all.collect())
}

/// The issues that their conversations are linked to, and those that are tied to their feedback.
async fn issues(
    app: &App,
    contact: &Contact,
    conversations: &[ConversationId],
) -> Result<Vec<Value>, PageError> {
    let mut known: Vec<Value> = Vec::new();
    for behind in issues::all(app, contact, conversations).await? {
        let (site, issue) = (&behind.site, &behind.issue);
        let Some(label) = app.shared.store.issue_label(site, issue).await? else {
            continue;
        };
        for by in &behind.by {
            let (conversation, ticket) = match by {
                By::Conversation(id) => (Some(id.as_str()), None),
                By::Ticket(id) => (None, Some(*id)),
            };
            known.push(json!({
                "key": label.key.as_str(),
                "summary": label.summary,
                "url": app.shared.issue_url(site, &label.key),
                "conversation": conversation,
                "ticket": ticket,
            }));
        }
    }
    Ok(known)
}

/// What they wrote on messaging channels and were answered there.
async fn messages(app: &App, contact: &Contact) -> Result<Vec<Value>, PageError> {
    let store = &app.shared.store;
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    for value in known_by(contact) {
        let asked = TalkQuery {
            about: Some(TalkSubject::Identity(value.clone())),
            limit: HANDED_OUT_MAX,
            ..TalkQuery::default()
        };
        for talk in store.talk_page(&asked).await? {
            if seen.insert(talk_words::conversation_path(&talk.whose)) {
                all.push(conversation(app, &value, &talk).await?);
            }
        }
    }
    Ok(all)
}

async fn conversation(app: &App, by: &str, talk: &TalkRow) -> Result<Value, PageError> {
    let read = app.shared.store.transcript(&talk.whose).await?;
    let mut lines: Vec<(i64, Value)> = Vec::new();
    for one in &read.lines {
        let at = one.line.sent_at;
        let line = json!({ "at": iso(at), "from_customer": true, "text": one.line.text });
        lines.push((at.0, line));
    }
    for one in &read.outbound {
        let at = one.message.at;
        let line = json!({ "at": iso(at), "from_customer": false, "text": one.message.text });
        lines.push((at.0, line));
    }
    lines.sort_by_key(|(at, _)| *at);
    let lines: Vec<Value> = lines.into_iter().map(|(_, line)| line).collect();
    let request = &talk.request;
    Ok(json!({
        "issue": request.issue.as_ref().map(|(_, key)| key.as_str()),
        "by": by,
        "opened_at": iso(request.opened_at),
        "last_written_at": iso(request.last_inbound_at),
        "lines": lines,
        "cut": read.cut,
    }))
}
