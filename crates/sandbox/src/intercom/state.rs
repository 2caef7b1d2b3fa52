//! The workspace's data, and the rules by which conversations change.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::error::ApiError;
use super::files::{LIFE_MS, StoredFile};
use super::html;
use super::json::{self, Parts};
use super::model::{Admin, Author, Config, Contact, Conversation, ConversationState, Part};
use super::population::Population;
use super::topics::{self, Event};
use super::version::Version;

/// First ids, of the size that old workspaces have: beyond 32 bits.
const FIRST_CONVERSATION: u64 = 215_475_827_000_001;
const FIRST_PART: u64 = 37_358_198_001;
const FIRST_SOURCE: u64 = 2_403_918_001;
const FIRST_TAG: u64 = 7_522_901;

/// A moment, in both units that the platform uses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) ms: i64,
    pub(crate) s: i64,
}

/// A company that contacts belong to.
#[derive(Clone, Debug)]
pub(crate) struct Company {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_at: i64,
    pub(crate) plan: Option<String>,
    /// In whole units of the workspace's currency.
    pub(crate) monthly_spend: i64,
}

/// A scroll through all companies that is open.
#[derive(Clone, Debug)]
pub(crate) struct Scroll {
    pub(crate) param: String,
    pub(crate) next: usize,
    pub(crate) used_ms: i64,
}

/// What is known of contacts and companies besides what calls can change: fields as they are shown,
/// by the id of whom they belong to.
pub(crate) type Described = HashMap<String, serde_json::Map<String, Value>>;

/// A file of a message, served for as long as its address is known.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) content_type: String,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) struct State {
    pub(crate) config: Arc<Config>,
    pub(crate) token: Option<String>,
    pub(crate) plan_restricted: bool,
    pub(crate) conversations_forbidden: bool,
    pub(crate) webhook_url: Option<String>,
    pub(crate) topics: HashSet<String>,
    pub(crate) codes: HashSet<String>,
    pub(crate) redirects: Vec<String>,
    pub(crate) admins: Vec<Admin>,
    pub(crate) contacts: HashMap<String, Contact>,
    pub(crate) contact_order: BTreeMap<u64, String>,
    pub(crate) merged_contacts: HashMap<String, String>,
    pub(crate) external_ids: HashMap<String, String>,
    pub(crate) user_emails: HashMap<String, String>,
    pub(crate) companies: Vec<Company>,
    pub(crate) contact_companies: HashMap<String, Vec<String>>,
    pub(crate) contact_tags: HashMap<String, Vec<u64>>,
    pub(crate) population: Population,
    pub(crate) zone: jiff::tz::TimeZone,
    pub(crate) scroll: Option<Scroll>,
    pub(crate) described: Described,
    pub(crate) files: HashMap<String, File>,
    pub(crate) conversations: BTreeMap<u64, Conversation>,
    pub(crate) deleted: BTreeMap<u64, (i64, bool)>,
    pub(crate) tags: BTreeMap<u64, String>,
    pub(crate) events: Vec<Event>,
    /// Files of messages, by their number.
    pub(crate) attached: Vec<StoredFile>,
    /// How long an address of a file can be used, in milliseconds.
    pub(crate) file_life_ms: i64,
    /// Where the workspace is served.
    pub(crate) base_url: String,
    /// What companies pay: plan and monthly spend.
    pub(crate) company_money: HashMap<String, (Option<String>, i64)>,
    snoozes: BTreeSet<(i64, u64)>,
    next_conversation: u64,
    next_part: u64,
    next_source: u64,
    pub(crate) next_tag: u64,
    pub(crate) next_contact: u64,
}

/// A part to be added.
pub(crate) struct Draft {
    pub(crate) part_type: &'static str,
    pub(crate) body: Option<String>,
    pub(crate) author: Author,
    pub(crate) attachments: Vec<Value>,
    pub(crate) via_api: bool,
}

impl Draft {
    fn event(part_type: &'static str, author: Author, via_api: bool) -> Self {
        Self {
            part_type,
            body: None,
            author,
            attachments: Vec::new(),
            via_api,
        }
    }
}

/// What a teammate writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Note,
    Comment,
    QuickReply,
}

pub(crate) type Done<T> = Result<T, ApiError>;

impl State {
    pub(crate) fn new(config: Arc<Config>) -> Self {
        Self {
            token: Some(config.access_token.clone()),
            plan_restricted: false,
            conversations_forbidden: false,
            webhook_url: config.webhook_url.clone(),
            topics: config.topics.iter().cloned().collect(),
            codes: HashSet::new(),
            redirects: Vec::new(),
            admins: config.admins.clone(),
            population: Population {
                contacts: config.invented_contacts,
                companies: config.invented_companies,
                ..Population::default()
            },
            scroll: None,
            zone: jiff::tz::TimeZone::get(&config.timezone).unwrap_or(jiff::tz::TimeZone::UTC),
            next_contact: config.invented_contacts + 1,
            config,
            contacts: HashMap::new(),
            contact_order: BTreeMap::new(),
            merged_contacts: HashMap::new(),
            external_ids: HashMap::new(),
            user_emails: HashMap::new(),
            companies: Vec::new(),
            contact_companies: HashMap::new(),
            contact_tags: HashMap::new(),
            described: Described::new(),
            files: HashMap::new(),
            conversations: BTreeMap::new(),
            deleted: BTreeMap::new(),
            tags: BTreeMap::new(),
            events: Vec::new(),
            attached: Vec::new(),
            file_life_ms: LIFE_MS,
            base_url: String::new(),
            company_money: HashMap::new(),
            snoozes: BTreeSet::new(),
            next_conversation: FIRST_CONVERSATION,
            next_part: FIRST_PART,
            next_source: FIRST_SOURCE,
            next_tag: FIRST_TAG,
        }
    }

    // ---- looking up ----

    pub(crate) fn conversation(&self, id: u64) -> Done<&Conversation> {
        self.conversations.get(&id).ok_or_else(ApiError::not_found)
    }

    pub(crate) fn conversation_mut(&mut self, id: u64) -> Done<&mut Conversation> {
        self.conversations
            .get_mut(&id)
            .ok_or_else(ApiError::not_found)
    }

    pub(crate) fn admin(&self, id: &str) -> Done<&Admin> {
        self.admins
            .iter()
            .find(|admin| admin.id == id)
            .ok_or_else(ApiError::admin_not_found)
    }

    pub(crate) fn admin_author(&self, id: &str) -> Done<Author> {
        let admin = self.admin(id)?;
        Ok(Author {
            kind: "admin",
            id: admin.id.clone(),
            name: Some(admin.name.clone()),
            email: Some(admin.email.clone()),
        })
    }

    fn contact_author(&mut self, id: &str) -> Done<Author> {
        self.hold(id);
        let contact = self
            .contacts
            .get(id)
            .ok_or_else(|| ApiError::missing("not_found", "User Not Found"))?;
        Ok(Author {
            kind: contact.role,
            id: contact.id.clone(),
            name: contact.name.clone(),
            email: contact.email.clone(),
        })
    }

    /// The platform's own bot, which acts when nobody does.
    fn operator() -> Author {
        Author {
            kind: "bot",
            id: "1".to_owned(),
            name: Some("Operator".to_owned()),
            email: Some("operator@example.com".to_owned()),
        }
    }

    // ---- changing conversations ----

    fn push_part(&mut self, conversation: u64, now: Now, draft: Draft) -> Done<u64> {
        let id = self.next_part;
        let target = self.conversation_mut(conversation)?;
        target.updated_at = now.s;
        if draft.author.is_teammate() && !target.teammates.contains(&draft.author.id) {
            target.teammates.push(draft.author.id.clone());
        }
        target.parts.push(Part {
            id,
            part_type: draft.part_type,
            body: draft.body,
            created_at: now.s,
            author: draft.author,
            assigned_to: None,
            attachments: draft.attachments,
            tags: Vec::new(),
            state: target.state,
            event_details: json!({}),
            via_api: draft.via_api,
        });
        self.next_part += 1;
        Ok(id)
    }

    fn set_state(&mut self, id: u64, state: ConversationState, until: Option<i64>) -> Done<()> {
        let conversation = self.conversation_mut(id)?;
        conversation.state = state;
        let before = std::mem::replace(&mut conversation.snoozed_until, until);
        if let Some(before) = before {
            self.snoozes.remove(&(before, id));
        }
        if let Some(until) = until {
            self.snoozes.insert((until, id));
        }
        Ok(())
    }

    pub(crate) fn create_conversation(&mut self, contact: &str, body: &str, now: Now) -> Done<u64> {
        let author = self.contact_author(contact)?;
        Ok(self.begin(author, contact, body, now))
    }

    /// A teammate writes to a contact first.
    pub(crate) fn begin_as_teammate(
        &mut self,
        admin: &str,
        contact: &str,
        body: &str,
        now: Now,
    ) -> Done<u64> {
        self.contact_author(contact)?;
        let author = self.admin_author(admin)?;
        Ok(self.begin(author, contact, body, now))
    }

    fn begin(&mut self, author: Author, contact: &str, body: &str, now: Now) -> u64 {
        let by_teammate = author.is_teammate();
        let id = self.next_conversation;
        self.next_conversation += 1;
        self.next_source += 1;
        let conversation = Conversation {
            id,
            source_id: self.next_source,
            title: None,
            created_ms: now.ms,
            created_at: now.s,
            updated_at: now.s,
            waiting_since: (!by_teammate).then_some(now.s),
            snoozed_until: None,
            state: ConversationState::Open,
            read: false,
            admin_assignee: 0,
            body: html::normalise(body),
            author,
            source_tags: Vec::new(),
            source_files: Vec::new(),
            source_redacted: false,
            contacts: vec![contact.to_owned()],
            teammates: Vec::new(),
            tags: Vec::new(),
            custom_attributes: serde_json::Map::new(),
            parts: Vec::new(),
            merged_into: None,
        };
        self.conversations.insert(id, conversation);
        let topic = if by_teammate {
            topics::ADMIN_BEGAN
        } else {
            topics::USER_CREATED
        };
        self.emit(topic, id, None);
        id
    }

    pub(crate) fn customer_message(
        &mut self,
        id: u64,
        contact: &str,
        body: &str,
        via_api: bool,
        now: Now,
    ) -> Done<u64> {
        self.customer_files(id, contact, (body, Vec::new()), via_api, now)
    }

    /// A message of a contact's with files.
    pub(crate) fn customer_files(
        &mut self,
        id: u64,
        contact: &str,
        (body, attachments): (&str, Vec<Value>),
        via_api: bool,
        now: Now,
    ) -> Done<u64> {
        let author = self.contact_author(contact)?;
        let before = self.conversation(id)?.state;
        self.set_state(id, ConversationState::Open, None)?;
        // A reply that brings a closed conversation back is itself the part of type "open".
        let reopens = before == ConversationState::Closed;
        let draft = Draft {
            part_type: if reopens { "open" } else { "comment" },
            body: Some(html::normalise(body)),
            author,
            attachments,
            via_api,
        };
        let part = self.push_part(id, now, draft)?;
        let conversation = self.conversation_mut(id)?;
        conversation.read = false;
        conversation.waiting_since.get_or_insert(now.s);
        if let Some(contact) = self.contacts.get_mut(contact) {
            contact.last_replied_at = Some(now.s);
        }
        self.emit(topics::USER_REPLIED, id, Some(part));
        if before == ConversationState::Snoozed {
            self.push_part(id, now, Draft::event("unsnoozed", Self::operator(), false))?;
        }
        Ok(part)
    }

    pub(crate) fn admin_message(
        &mut self,
        id: u64,
        admin: &str,
        message: Message,
        draft: (Option<String>, Vec<Value>),
        options: (bool, bool),
        now: Now,
    ) -> Done<u64> {
        let ((body, attachments), (wake, via_api)) = (draft, options);
        let author = self.admin_author(admin)?;
        let before = self.conversation(id)?.state;
        let (part_type, topic) = match message {
            Message::Note => ("note", topics::ADMIN_NOTED),
            Message::Comment => ("comment", topics::ADMIN_REPLIED),
            Message::QuickReply => ("quick_reply", topics::ADMIN_REPLIED),
        };
        let draft = Draft {
            part_type,
            body: body.map(|body| html::normalise(&body)),
            author: author.clone(),
            attachments,
            via_api,
        };
        let part = self.push_part(id, now, draft)?;
        if message != Message::Note {
            self.conversation_mut(id)?.waiting_since = None;
        }
        self.emit(topic, id, Some(part));
        // A note or comment wakes a snoozed conversation, and leaves a closed one closed.
        if before == ConversationState::Snoozed && wake {
            self.unsnooze(id, author, via_api, now)?;
        }
        Ok(part)
    }

    fn unsnooze(&mut self, id: u64, author: Author, via_api: bool, now: Now) -> Done<()> {
        self.set_state(id, ConversationState::Open, None)?;
        let part = self.push_part(id, now, Draft::event("unsnoozed", author, via_api))?;
        self.emit(topics::ADMIN_UNSNOOZED, id, Some(part));
        Ok(())
    }

    /// Wakes every conversation whose time has come.
    pub(crate) fn wake_due(&mut self, now: Now) {
        while let Some((until, id)) = self.snoozes.first().copied() {
            if until > now.s {
                break;
            }
            self.snoozes.pop_first();
            // A deleted conversation leaves its entry behind; there is nothing to wake then.
            let _ = self.unsnooze(id, Self::operator(), false, now);
        }
    }

    pub(crate) fn open(&mut self, id: u64, admin: &str, via_api: bool, now: Now) -> Done<()> {
        let author = self.admin_author(admin)?;
        if self.conversation(id)?.state == ConversationState::Open {
            return Ok(());
        }
        self.set_state(id, ConversationState::Open, None)?;
        let part = self.push_part(id, now, Draft::event("open", author, via_api))?;
        self.emit(topics::ADMIN_OPENED, id, Some(part));
        Ok(())
    }

    pub(crate) fn close(
        &mut self,
        id: u64,
        admin: &str,
        body: Option<&str>,
        via_api: bool,
        now: Now,
    ) -> Done<()> {
        let author = self.admin_author(admin)?;
        if self.conversation(id)?.state == ConversationState::Closed && body.is_none() {
            return Ok(());
        }
        self.set_state(id, ConversationState::Closed, None)?;
        self.conversation_mut(id)?.waiting_since = None;
        let draft = Draft {
            body: body.map(html::normalise),
            ..Draft::event("close", author, via_api)
        };
        let part = self.push_part(id, now, draft)?;
        self.emit(topics::ADMIN_CLOSED, id, Some(part));
        Ok(())
    }

    pub(crate) fn snooze(
        &mut self,
        id: u64,
        admin: &str,
        until: i64,
        via_api: bool,
        now: Now,
    ) -> Done<()> {
        let author = self.admin_author(admin)?;
        if until <= now.s {
            return Err(ApiError::invalid("snoozed_until must be in the future"));
        }
        self.set_state(id, ConversationState::Snoozed, Some(until))?;
        let part = self.push_part(id, now, Draft::event("snoozed", author, via_api))?;
        self.edit_part(id, part, |part| {
            part.event_details = json!({ "snoozed_until": until });
        });
        self.emit(topics::ADMIN_SNOOZED, id, Some(part));
        Ok(())
    }

    /// Gives the conversation to a teammate; 0 takes it from everyone. A closed conversation that
    /// is given to someone opens.
    pub(crate) fn assign(
        &mut self,
        id: u64,
        admin: &str,
        assignee: u64,
        body: Option<&str>,
        via_api: bool,
        now: Now,
    ) -> Done<()> {
        let author = self.admin_author(admin)?;
        if assignee != 0 && self.admin(&assignee.to_string()).is_err() {
            return Err(ApiError::missing(
                "assignee_not_found",
                "Assignee not found",
            ));
        }
        let reopens = assignee != 0 && self.conversation(id)?.state == ConversationState::Closed;
        if reopens {
            self.set_state(id, ConversationState::Open, None)?;
        }
        self.conversation_mut(id)?.admin_assignee = assignee;
        let part_type = if reopens {
            "assign_and_reopen"
        } else {
            "assignment"
        };
        let draft = Draft {
            body: body.map(html::normalise),
            ..Draft::event(part_type, author, via_api)
        };
        let part = self.push_part(id, now, draft)?;
        self.edit_part(id, part, |part| {
            part.assigned_to = Some(assignee).filter(|assignee| *assignee != 0);
        });
        self.emit(topics::ADMIN_ASSIGNED, id, Some(part));
        Ok(())
    }

    fn edit_part(&mut self, conversation: u64, part: u64, edit: impl FnOnce(&mut Part)) {
        let found = self
            .conversations
            .get_mut(&conversation)
            .and_then(|found| found.parts.iter_mut().rev().find(|found| found.id == part));
        if let Some(part) = found {
            edit(part);
        }
    }

    pub(crate) fn delete_conversation(
        &mut self,
        id: u64,
        retain_metrics: bool,
        now: Now,
    ) -> Done<()> {
        self.conversation(id)?;
        self.conversations.remove(&id);
        self.deleted.insert(id, (now.s, retain_metrics));
        if self.wants(topics::CONVERSATION_DELETED) {
            let item = json!({ "type": "conversation", "conversation_id": id.to_string() });
            self.events.push(Event {
                topic: topics::CONVERSATION_DELETED,
                item,
            });
        }
        Ok(())
    }

    pub(crate) fn merge_conversations(
        &mut self,
        secondary: u64,
        primary: u64,
        now: Now,
    ) -> Done<()> {
        let failed = |message: &str| {
            ApiError::new(
                http::StatusCode::UNPROCESSABLE_ENTITY,
                "merge_failed",
                message,
            )
        };
        if self.conversation(secondary)?.merged_into.is_some() {
            return Err(failed("Secondary conversation has already been merged"));
        }
        if secondary == primary {
            return Err(failed("Cannot merge a conversation into itself"));
        }
        if !self.conversations.contains_key(&primary) {
            return Err(failed("Primary conversation not found"));
        }
        self.set_state(secondary, ConversationState::Closed, None)?;
        self.conversation_mut(secondary)?.merged_into = Some(primary);
        let event = |part_type| Draft::event(part_type, Self::operator(), false);
        self.push_part(secondary, now, event("merged_secondary_conversation"))?;
        self.push_part(primary, now, event("merged_primary_conversation"))?;
        Ok(())
    }

    pub(crate) fn redact(&mut self, id: u64, part: u64) -> Done<()> {
        let found = self
            .conversation_mut(id)?
            .parts
            .iter_mut()
            .find(|found| found.id == part);
        let part_found = found.ok_or_else(|| {
            let code = "conversation_part_or_message_not_found";
            ApiError::missing(code, "Conversation part or message not found")
        })?;
        part_found.body = None;
        part_found.attachments.clear();
        self.emit(topics::PART_REDACTED, id, Some(part));
        Ok(())
    }

    pub(crate) fn redact_source(&mut self, id: u64) -> Done<()> {
        let conversation = self.conversation_mut(id)?;
        conversation.source_redacted = true;
        conversation.source_files.clear();
        self.emit(topics::PART_REDACTED, id, None);
        Ok(())
    }

    // ---- telling the webhook ----

    pub(crate) fn wants(&self, topic: &str) -> bool {
        self.webhook_url.is_some() && self.topics.contains(topic)
    }

    pub(crate) fn webhook_item(&self, conversation: u64, part: Option<u64>) -> Done<Value> {
        let conversation = self.conversation(conversation)?;
        let parts = Parts::Only(part);
        Ok(json::conversation(
            self,
            conversation,
            Version::V2_16,
            parts,
            true,
        ))
    }

    fn emit(&mut self, topic: &'static str, conversation: u64, part: Option<u64>) {
        if self.wants(topic)
            && let Ok(item) = self.webhook_item(conversation, part)
        {
            self.events.push(Event { topic, item });
        }
    }
}
