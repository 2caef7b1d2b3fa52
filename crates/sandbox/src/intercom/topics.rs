//! Names of webhook topics, and the envelope that carries them.

use serde_json::{Value, json};

use crate::common::sign::random_uuid;

pub(crate) const USER_CREATED: &str = "conversation.user.created";
pub(crate) const USER_REPLIED: &str = "conversation.user.replied";
pub(crate) const ADMIN_REPLIED: &str = "conversation.admin.replied";
/// A teammate writes to somebody by themselves.
pub(crate) const ADMIN_BEGAN: &str = "conversation.admin.single.created";
pub(crate) const ADMIN_NOTED: &str = "conversation.admin.noted";
pub(crate) const ADMIN_OPENED: &str = "conversation.admin.opened";
pub(crate) const ADMIN_CLOSED: &str = "conversation.admin.closed";
pub(crate) const ADMIN_SNOOZED: &str = "conversation.admin.snoozed";
pub(crate) const ADMIN_UNSNOOZED: &str = "conversation.admin.unsnoozed";
pub(crate) const ADMIN_ASSIGNED: &str = "conversation.admin.assigned";
pub(crate) const CONVERSATION_DELETED: &str = "conversation.deleted";
pub(crate) const PART_TAGGED: &str = "conversation_part.tag.created";
pub(crate) const PART_REDACTED: &str = "conversation_part.redacted";
pub(crate) const PING: &str = "ping";
pub(crate) const USER_CONTACT_CREATED: &str = "contact.user.created";
pub(crate) const LEAD_CONTACT_CREATED: &str = "contact.lead.created";
pub(crate) const USER_CONTACT_UPDATED: &str = "contact.user.updated";
pub(crate) const LEAD_CONTACT_UPDATED: &str = "contact.lead.updated";
pub(crate) const CONTACT_MERGED: &str = "contact.merged";
pub(crate) const CONTACT_DELETED: &str = "contact.deleted";
pub(crate) const CONTACT_ARCHIVED: &str = "contact.archived";
/// Spelt like this by the platform.
pub(crate) const CONTACT_UNARCHIVED: &str = "contact.unarchive";

pub(crate) const COMPANY_CREATED: &str = "company.created";
pub(crate) const COMPANY_UPDATED: &str = "company.updated";
pub(crate) const COMPANY_DELETED: &str = "company.deleted";
pub(crate) const COMPANY_ATTACHED: &str = "company.contact.attached";
pub(crate) const COMPANY_DETACHED: &str = "company.contact.detached";

/// Every topic that the sandbox can send, apart from `ping`, which is always sent.
pub const ALL: &[&str] = &[
    USER_CREATED,
    USER_REPLIED,
    ADMIN_REPLIED,
    ADMIN_BEGAN,
    ADMIN_NOTED,
    ADMIN_OPENED,
    ADMIN_CLOSED,
    ADMIN_SNOOZED,
    ADMIN_UNSNOOZED,
    ADMIN_ASSIGNED,
    CONVERSATION_DELETED,
    PART_TAGGED,
    PART_REDACTED,
    USER_CONTACT_CREATED,
    LEAD_CONTACT_CREATED,
    USER_CONTACT_UPDATED,
    LEAD_CONTACT_UPDATED,
    CONTACT_MERGED,
    CONTACT_DELETED,
    CONTACT_ARCHIVED,
    CONTACT_UNARCHIVED,
    COMPANY_CREATED,
    COMPANY_UPDATED,
    COMPANY_DELETED,
    COMPANY_ATTACHED,
    COMPANY_DETACHED,
];

/// Something to tell the webhook.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) topic: &'static str,
    pub(crate) item: Value,
}

/// A notification before its first attempt.
#[derive(Clone, Debug)]
pub(crate) struct Notification {
    pub(crate) id: String,
    envelope: Value,
}

impl Notification {
    pub(crate) fn new(workspace: &str, event: Event, now_s: i64) -> Self {
        let Event { topic, item } = event;
        let id = format!("notif_{}", random_uuid());
        let envelope = json!({
            "type": "notification_event",
            "app_id": workspace,
            "id": id,
            "topic": topic,
            "data": { "type": "notification_event_data", "item": item },
            "links": {},
            "self": null,
            "delivery_status": "pending",
            "delivery_attempts": 1,
            "delivered_at": 0,
            "first_sent_at": now_s,
            "created_at": now_s,
        });
        Self { id, envelope }
    }

    /// The bytes of the given attempt; only `delivery_attempts` differs between attempts.
    pub(crate) fn body(&self, attempt: u32) -> Vec<u8> {
        let mut envelope = self.envelope.clone();
        envelope["delivery_attempts"] = json!(attempt);
        envelope.to_string().into_bytes()
    }
}
