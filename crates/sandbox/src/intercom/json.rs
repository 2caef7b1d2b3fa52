//! Conversations, contacts and the rest as the platform's JSON.

use serde_json::{Value, json};

use super::contact_json::{contact, with_described};
use super::files;
use super::html;
use super::model::{Admin, Author, Contact, Conversation, Part};
use super::state::{Company, State};
use super::version::Version;

/// Parts that an answer holds at most: the newest ones.
pub(crate) const MAX_PARTS: usize = 500;

/// Which parts of a conversation are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parts {
    /// The newest [`MAX_PARTS`].
    Newest,
    /// No list of parts at all, as in lists of conversations.
    Absent,
    /// One or none, as in webhooks.
    Only(Option<u64>),
}

fn text(body: Option<&str>, plain: bool) -> Value {
    match body {
        Some(body) if plain => json!(html::plain(body)),
        body => json!(body),
    }
}

fn author(author: &Author) -> Value {
    json!({
        "type": author.kind,
        "id": author.id,
        "name": author.name,
        "email": author.email.as_deref().unwrap_or(""),
    })
}

fn tag(state: &State, id: u64) -> Value {
    json!({ "type": "tag", "id": id.to_string(), "name": state.tags.get(&id) })
}

pub(crate) fn applied_tag(state: &State, conversation: &Conversation, id: u64) -> Value {
    let mut value = tag(state, id);
    if let Some(applied) = conversation.tags.iter().find(|applied| applied.tag == id) {
        value["applied_at"] = json!(applied.at);
        value["applied_by"] = json!({ "type": "admin", "id": applied.by });
    }
    value
}

fn part(state: &State, conversation: &Conversation, part: &Part, plain: bool) -> Value {
    let tags: Vec<Value> = part
        .tags
        .iter()
        .map(|id| applied_tag(state, conversation, *id))
        .collect();
    let assigned_to = part
        .assigned_to
        .map(|id| json!({ "type": "admin", "id": id.to_string() }));
    json!({
        "type": "conversation_part",
        "id": part.id.to_string(),
        "part_type": part.part_type,
        "body": text(part.body.as_deref(), plain),
        "created_at": part.created_at,
        "updated_at": part.created_at,
        "notified_at": part.created_at,
        "assigned_to": assigned_to,
        "author": author(&part.author),
        "attachments": files::shown(state, &part.attachments),
        "external_id": null,
        "redacted": part.body.is_none() && matches!(part.part_type, "comment" | "note"),
        "state": part.state.name(),
        "tags": tags,
        "event_details": part.event_details,
        "app_package_code": part.via_api.then_some(&state.config.app_package_code),
        "metadata": {},
        "email_message_metadata": null,
    })
}

/// A conversation. `plain` turns bodies into plain text.
pub(crate) fn conversation(
    state: &State,
    conversation: &Conversation,
    version: Version,
    parts: Parts,
    plain: bool,
) -> Value {
    let contacts: Vec<Value> = conversation
        .contacts
        .iter()
        .map(|id| {
            let external = state
                .contacts
                .get(id)
                .and_then(|contact| contact.external_id.as_ref());
            json!({ "type": "contact", "id": id, "external_id": external })
        })
        .collect();
    let teammates: Vec<Value> = conversation
        .teammates
        .iter()
        .map(|id| json!({ "type": "admin", "id": id }))
        .collect();
    let tags: Vec<Value> = conversation
        .tags
        .iter()
        .map(|applied| applied_tag(state, conversation, applied.tag))
        .collect();
    let first_reply = conversation
        .parts
        .iter()
        .find(|part| matches!(part.author.kind, "user" | "lead"))
        .map(|part| json!({ "created_at": part.created_at, "type": "conversation", "url": null }));
    // Before 2.16 nobody was null and priority had two values.
    let (nobody, priority) = if version >= Version::V2_16 {
        (json!(0), "none")
    } else {
        (json!(null), "not_priority")
    };
    let assignee = match conversation.admin_assignee {
        0 => nobody.clone(),
        id => json!(id),
    };
    let mut value = json!({
        "type": "conversation",
        "id": conversation.id.to_string(),
        "title": conversation.title,
        "created_at": conversation.created_at,
        "updated_at": conversation.updated_at,
        "waiting_since": conversation.waiting_since,
        "snoozed_until": conversation.snoozed_until,
        // A snoozed conversation counts as open here.
        "open": conversation.state != super::model::ConversationState::Closed,
        "state": conversation.state.name(),
        "read": conversation.read,
        "priority": priority,
        "admin_assignee_id": assignee,
        "team_assignee_id": nobody,
        "source": {
            "type": "conversation",
            "id": conversation.source_id.to_string(),
            "delivered_as": conversation.delivered_as(),
            "subject": "",
            "body": text((!conversation.source_redacted).then_some(conversation.body.as_str()), plain),
            "author": author(&conversation.author),
            "attachments": files::shown(state, &conversation.source_files),
            "url": null,
            "redacted": conversation.source_redacted,
        },
        "contacts": { "type": "contact.list", "contacts": contacts },
        "teammates": { "type": "admin.list", "admins": teammates },
        "tags": { "type": "tag.list", "tags": tags },
        "custom_attributes": conversation.custom_attributes,
        "first_contact_reply": first_reply,
        "statistics": null,
        "conversation_rating": null,
        "sla_applied": null,
        "topics": {},
        "ticket": null,
        "company": null,
        "linked_objects": { "type": "list", "data": [], "total_count": 0, "has_more": false },
        "ai_agent": null,
        "ai_agent_participated": false,
    });
    let shown: &[Part] = match parts {
        Parts::Absent => return value,
        Parts::Newest => &conversation.parts[conversation.parts.len().saturating_sub(MAX_PARTS)..],
        Parts::Only(only) => {
            let at = conversation
                .parts
                .iter()
                .rposition(|part| Some(part.id) == only);
            at.map_or(&[], |at| &conversation.parts[at..=at])
        }
    };
    let total = match parts {
        Parts::Only(_) => shown.len(),
        _ => conversation.parts.len(),
    };
    let list: Vec<Value> = shown
        .iter()
        .map(|shown| part(state, conversation, shown, plain))
        .collect();
    value["conversation_parts"] = json!({
        "type": "conversation_part.list",
        "conversation_parts": list,
        "total_count": total,
    });
    value
}

/// A contact as webhooks show it: times are ISO 8601 texts there.
pub(crate) fn contact_in_webhook(state: &State, shown: &Contact) -> Value {
    let mut value = contact(state, shown, Version::V2_16);
    for field in [
        "created_at",
        "updated_at",
        "signed_up_at",
        "last_replied_at",
    ] {
        if let Some(seconds) = value[field].as_i64() {
            value[field] = json!(iso(seconds));
        }
    }
    value
}

fn iso(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| String::new(),
        |time| time.strftime("%Y-%m-%dT%H:%M:%S.000+00:00").to_string(),
    )
}

pub(crate) fn admin(admin: &Admin) -> Value {
    json!({
        "type": "admin",
        "id": admin.id,
        "name": admin.name,
        "email": admin.email,
        "away_mode_enabled": false,
        "away_mode_reassign": false,
        "has_inbox_seat": true,
        "team_ids": [],
        "avatar": { "image_url": null },
    })
}

pub(crate) fn me(state: &State, admin: &Admin) -> Value {
    json!({
        "type": "admin",
        "id": admin.id,
        "email": admin.email,
        "name": admin.name,
        "email_verified": true,
        "has_inbox_seat": true,
        "app": {
            "type": "app",
            "id_code": state.config.workspace,
            "name": state.config.workspace_name,
            "region": state.config.region.code(),
            "timezone": state.config.timezone,
            "created_at": 1_661_876_617,
            "secure": true,
            "identity_verification": true,
        },
        "avatar": { "type": "avatar", "image_url": null },
    })
}

pub(crate) fn company(state: &State, company: &Company) -> Value {
    let users = state.people_of(&company.id);
    let money = state.company_money.get(&company.id);
    let plan = money.map_or(company.plan.as_ref(), |(plan, _)| plan.as_ref());
    let plan = plan.map_or_else(
        || json!({}),
        |name| json!({ "type": "plan", "id": "1", "name": name }),
    );
    let value = json!({
        "type": "company",
        "id": company.id,
        "company_id": company.id,
        "app_id": state.config.workspace,
        "name": company.name,
        "created_at": company.created_at,
        "updated_at": company.created_at,
        "monthly_spend": money.map_or(company.monthly_spend, |(_, spend)| *spend),
        "session_count": 0,
        "user_count": users,
        "tags": { "type": "tag.list", "tags": [] },
        "segments": { "type": "segment.list", "segments": [] },
        "plan": plan,
        "custom_attributes": {},
    });
    with_described(state, &company.id, value)
}
