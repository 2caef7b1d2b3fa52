//! What Intercom tells us, read from JSON of any shape it has been seen in.

use bowline_net::json::{at, filled, flag, id, instant_s, int, list, text};
use serde_json::Value;

/// Who a token belongs to and to which workspace (`GET /me`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The teammate's id: the default app user.
    pub admin_id: String,
    /// The teammate's name; empty when unknown.
    pub name: String,
    /// The teammate's e-mail address.
    pub email: Option<String>,
    /// The workspace code: `id_code` here, `app_id` in webhooks, the code in addresses.
    pub workspace: String,
    /// The workspace's name; empty when unknown.
    pub workspace_name: String,
    /// The region as Intercom writes it (`US`, `EU`, `AU`).
    pub region: Option<String>,
    /// The time zone that the workspace counts its days in, as `Europe/Dublin`.
    pub timezone: Option<String>,
}

impl Me {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let app = at(value, &["app"]);
        Some(Self {
            admin_id: id(value, "id")?,
            name: text(value, "name").unwrap_or_default(),
            email: filled(value, "email"),
            workspace: id(app, "id_code")?,
            workspace_name: text(app, "name").unwrap_or_default(),
            region: filled(app, "region"),
            timezone: filled(app, "timezone"),
        })
    }
}

/// A teammate of the workspace ("admin" on the wire).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Teammate {
    /// The id used as `admin_id` in writes.
    pub id: String,
    /// The name; empty when unknown.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
}

impl Teammate {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: id(value, "id")?,
            name: text(value, "name").unwrap_or_default(),
            email: filled(value, "email"),
        })
    }
}

/// The state of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// In the inbox.
    Open,
    /// Done, until somebody writes or it is opened.
    Closed,
    /// Away until `snoozed_until` or until somebody writes, a note included.
    Snoozed,
    /// A state that this version does not know, or none given.
    Other(String),
}

/// A contact that takes part in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactRef {
    /// Intercom's id of the contact.
    pub id: String,
    /// The customer's own id of the contact.
    pub external_id: Option<String>,
}

/// Who wrote something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Author {
    /// `user`, `lead`, `contact`, `admin`, `bot` or `team`; empty when not given.
    pub kind: String,
    /// The author's id within its kind.
    pub id: Option<String>,
    /// The author's name.
    pub name: Option<String>,
    /// The author's e-mail address.
    pub email: Option<String>,
}

impl Author {
    pub(crate) fn read(value: &Value) -> Self {
        Self {
            kind: text(value, "type").unwrap_or_default(),
            id: id(value, "id"),
            name: filled(value, "name"),
            email: filled(value, "email"),
        }
    }
}

/// A file that was sent with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What it is called; empty when not given.
    pub name: String,
    /// Where it is, for a short time only: the address is signed and ends.
    pub url: String,
    /// Its media type, as the sender said.
    pub content_type: Option<String>,
    /// How long it is, in bytes.
    pub bytes: Option<i64>,
}

impl Attachment {
    fn all(value: &Value) -> Vec<Self> {
        let items = list(value, "attachments").iter();
        items
            .filter_map(|item| {
                Some(Self {
                    name: text(item, "name").unwrap_or_default(),
                    url: filled(item, "url")?,
                    content_type: filled(item, "content_type"),
                    bytes: int(item, "filesize"),
                })
            })
            .collect()
    }
}

/// One entry of a conversation: a message, a note, an assignment, a change of state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Unique only within the workspace. Empty when not given.
    pub id: String,
    /// `comment`, `note`, `assignment`, `open`, `close`, `snoozed`, … ; open-ended.
    pub part_type: String,
    /// HTML from REST, plain text in webhooks of version 2.15 and later.
    pub body: Option<String>,
    /// Who made it.
    pub author: Author,
    /// When, in Unix seconds.
    pub created_at: Option<i64>,
    /// Set when the part was made through the API: the code of the app that made it.
    pub app_package_code: Option<String>,
    /// The files that came with it.
    pub attachments: Vec<Attachment>,
    /// Was its text taken out for good?
    pub redacted: bool,
    /// The teammate or team that the conversation went to, for assignments.
    pub assigned_to: Option<String>,
}

impl Part {
    fn read(value: &Value) -> Self {
        Self {
            id: id(value, "id").unwrap_or_default(),
            part_type: text(value, "part_type").unwrap_or_default(),
            body: text(value, "body"),
            author: Author::read(at(value, &["author"])),
            created_at: instant_s(value, "created_at"),
            app_package_code: id(value, "app_package_code"),
            attachments: Attachment::all(value),
            redacted: flag(value, "redacted").unwrap_or_default(),
            assigned_to: assignee(value, "assigned_to"),
        }
    }

    /// Newest is greatest. Parts of one second are told apart by their ids, which grow.
    fn age_key(&self) -> (Option<i64>, usize, &str) {
        (self.created_at, self.id.len(), &self.id)
    }
}

/// The part that a merge leaves in the conversation that ends by it. Not documented; as consumers
/// of the API see it.
const MERGED_AWAY: &str = "merged_secondary_conversation";

/// The part that a merge leaves in the conversation that goes on (the merge call of version 2.16
/// answers with it).
const TOOK_ONE_IN: &str = "merged_primary_conversation";

/// How far apart the two parts of one merge may be, in seconds. An assumption: they were seen
/// within the same second or the next.
const MERGE_TOLERANCE_S: i64 = 5;

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Unique only within the workspace.
    pub id: String,
    /// The state; trusted above `open`.
    pub state: State,
    /// The `open` flag as given.
    pub open: Option<bool>,
    /// When a snooze ends, in Unix seconds.
    pub snoozed_until: Option<i64>,
    /// The title, if it has one.
    pub title: Option<String>,
    /// The teammate it is assigned to. Nobody is `None`: on the wire it is null before version
    /// 2.16 and 0 since.
    pub admin_assignee_id: Option<String>,
    /// The team it is assigned to, as above.
    pub team_assignee_id: Option<String>,
    /// When it last changed, in Unix seconds.
    pub updated_at: Option<i64>,
    /// The contacts that take part.
    pub contacts: Vec<ContactRef>,
    /// Conversations that Intercom links to this one.
    pub linked: Vec<String>,
    /// Who started it.
    pub source_author: Author,
    /// What it began with, as HTML.
    pub source_body: Option<String>,
    /// The files that came with that.
    pub source_attachments: Vec<Attachment>,
    /// When it began, in Unix seconds.
    pub created_at: Option<i64>,
    /// From REST the newest 500 parts, in a webhook only those of the event.
    pub parts: Vec<Part>,
    /// How many parts there are in all, or in the event.
    pub total_parts: Option<i64>,
}

impl Conversation {
    /// Reads a conversation. The id may be called `conversation_id`, as in the item of
    /// `conversation.deleted` and in items that are a single part.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let is_part = value.get("type").and_then(Value::as_str) == Some("conversation_part");
        let own = if is_part { None } else { id(value, "id") };
        let parts_list = at(value, &["conversation_parts"]);
        let mut parts: Vec<Part> = list(parts_list, "conversation_parts")
            .iter()
            .map(Part::read)
            .collect();
        if is_part {
            parts.push(Part::read(value));
        }
        let open = flag(value, "open");
        let snoozed_until = instant_s(value, "snoozed_until").filter(|t| *t > 0);
        Some(Self {
            id: own.or_else(|| id(value, "conversation_id"))?,
            state: state(filled(value, "state").as_deref(), open, snoozed_until),
            open,
            snoozed_until,
            title: filled(value, "title"),
            admin_assignee_id: assignee(value, "admin_assignee_id"),
            team_assignee_id: assignee(value, "team_assignee_id"),
            updated_at: instant_s(value, "updated_at"),
            contacts: contacts(value),
            linked: list(at(value, &["linked_objects"]), "data")
                .iter()
                .filter(|object| text(object, "type").as_deref() == Some("conversation"))
                .filter_map(|object| id(object, "id"))
                .collect(),
            source_author: Author::read(at(value, &["source", "author"])),
            source_body: filled(at(value, &["source"]), "body"),
            source_attachments: Attachment::all(at(value, &["source"])),
            created_at: instant_s(value, "created_at"),
            parts,
            total_parts: int(parts_list, "total_count"),
        })
    }

    /// The newest part whose body contains `marker` as a whole: neither letters nor digits that
    /// continue it may touch it, so that one marker is never found inside a longer one.
    pub fn part_with_marker(&self, marker: &str) -> Option<&Part> {
        self.parts
            .iter()
            .filter(|part| part.body.as_deref().is_some_and(|body| holds(body, marker)))
            .max_by(|a, b| a.age_key().cmp(&b.age_key()))
    }

    /// When it was merged into another conversation, in Unix seconds, if it was. Which one that is
    /// Intercom does not say here.
    pub fn merged_at(&self) -> Option<i64> {
        self.parts_of(MERGED_AWAY)
            .filter_map(|part| part.created_at)
            .max()
    }

    /// Was a conversation merged into this one, at about this instant in Unix seconds?
    pub fn took_one_in_at(&self, at: i64) -> bool {
        self.parts_of(TOOK_ONE_IN)
            .filter_map(|part| part.created_at)
            .any(|took_in| (took_in - at).abs() <= MERGE_TOLERANCE_S)
    }

    fn parts_of<'c>(&'c self, part_type: &'c str) -> impl Iterator<Item = &'c Part> {
        self.parts
            .iter()
            .filter(move |part| part.part_type == part_type)
    }

    /// The newest part of all.
    pub fn newest_part(&self) -> Option<&Part> {
        self.parts
            .iter()
            .max_by(|a, b| a.age_key().cmp(&b.age_key()))
    }
}

fn state(given: Option<&str>, open: Option<bool>, snoozed_until: Option<i64>) -> State {
    match (given, open) {
        (Some("open"), _) => State::Open,
        (Some("closed"), _) => State::Closed,
        (Some("snoozed"), _) => State::Snoozed,
        (Some(other), _) => State::Other(other.to_owned()),
        (None, _) if snoozed_until.is_some() => State::Snoozed,
        (None, Some(true)) => State::Open,
        (None, Some(false)) => State::Closed,
        (None, None) => State::Other(String::new()),
    }
}

/// An assignee id; the form `{"type":"admin","id":…}` of older versions is read too.
fn assignee(value: &Value, key: &str) -> Option<String> {
    id(value, key)
        .or_else(|| id(at(value, &[key]), "id"))
        .filter(|id| id.bytes().any(|digit| digit != b'0'))
}

pub(crate) fn contacts(value: &Value) -> Vec<ContactRef> {
    let holder = at(value, &["contacts"]);
    let items = holder
        .as_array()
        .map_or_else(|| list(holder, "contacts"), Vec::as_slice);
    items
        .iter()
        .filter_map(|c| {
            Some(ContactRef {
                id: id(c, "id")?,
                external_id: id(c, "external_id"),
            })
        })
        .collect()
}

fn holds(body: &str, marker: &str) -> bool {
    if marker.is_empty() {
        return false;
    }
    let word = |c: char| c.is_ascii_alphanumeric();
    let opens = marker.starts_with(word);
    let closes = marker.ends_with(word);
    body.match_indices(marker).any(|(from, found)| {
        let before = body[..from].chars().next_back();
        let after = body[from + found.len()..].chars().next();
        !(opens && before.is_some_and(word) || closes && after.is_some_and(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn conversation(value: &Value) -> Conversation {
        Conversation::read(value).unwrap()
    }

    #[test]
    fn the_state_is_trusted_above_the_flag_and_guessed_without_it() {
        for (value, want) in [
            (json!({"state": "snoozed", "open": true}), State::Snoozed),
            (json!({"state": "closed", "open": true}), State::Closed),
            (json!({"open": true}), State::Open),
            (json!({"open": false}), State::Closed),
            (
                json!({"open": true, "snoozed_until": 1_734_541_187}),
                State::Snoozed,
            ),
            (
                json!({"state": "archived"}),
                State::Other("archived".into()),
            ),
            (json!({"state": null}), State::Other(String::new())),
        ] {
            let mut whole = value.clone();
            whole["id"] = json!(77);
            assert_eq!(conversation(&whole).state, want, "{value}");
        }
    }

    #[test]
    fn the_two_sides_of_a_merge_are_known_by_their_parts() {
        let with = |part_type: &str, created_at: Value| {
            conversation(
                &json!({"id": "1", "conversation_parts": {"conversation_parts": [
                    {"id": "9", "part_type": "close", "created_at": 90},
                    {"id": "10", "part_type": part_type, "created_at": created_at},
                ]}}),
            )
        };
        let away = with("merged_secondary_conversation", json!(100));
        assert_eq!(away.merged_at(), Some(100));
        assert!(!away.took_one_in_at(100));
        let on = with("merged_primary_conversation", json!(102));
        assert_eq!(on.merged_at(), None);
        for (at, is_it) in [
            (96, false),
            (97, true),
            (102, true),
            (107, true),
            (108, false),
        ] {
            assert_eq!(on.took_one_in_at(at), is_it, "{at}");
        }
        assert_eq!(
            with("merged_secondary_conversation", json!(null)).merged_at(),
            None
        );
        let linked = conversation(
            &json!({"id": "1", "linked_objects": {"type": "list", "data": [
            {"type": "ticket", "id": "5"}, {"type": "conversation", "id": 6}]}}),
        );
        assert_eq!(linked.linked, ["6"]);
    }

    #[test]
    fn nobody_is_none_in_every_version() {
        for (given, want) in [
            (json!(null), None),
            (json!(0), None),
            (json!("0"), None),
            (json!(22), Some("22")),
            (json!("22"), Some("22")),
            (json!({"type": "admin", "id": "22"}), Some("22")),
            (json!({"type": "nobody_admin", "id": null}), None),
        ] {
            let read = conversation(&json!({"id": "1", "admin_assignee_id": given}));
            assert_eq!(read.admin_assignee_id.as_deref(), want, "{given}");
        }
    }

    #[test]
    fn a_marker_is_found_whole_and_in_the_newest_part() {
        let read = conversation(
            &json!({"id": "1", "conversation_parts": {"conversation_parts": [
                {"id": "12", "created_at": 5, "body": "<a href=\"https://j.example.com/browse/A-1#bl-7f\">A-1</a>"},
                {"id": "9", "created_at": 5, "body": "see #bl-7f."},
                {"id": "13", "created_at": 6, "body": "see #bl-7fa"},
                {"id": "14", "created_at": 7, "body": null},
            ]}}),
        );
        assert_eq!(
            read.part_with_marker("#bl-7f").map(|p| p.id.as_str()),
            Some("12")
        );
        assert_eq!(
            read.part_with_marker("bl-7fa").map(|p| p.id.as_str()),
            Some("13")
        );
        assert_eq!(read.part_with_marker("l-7fa"), None);
        assert_eq!(read.part_with_marker("#bl-8"), None);
        assert_eq!(read.part_with_marker(""), None);
        assert_eq!(read.newest_part().map(|p| p.id.as_str()), Some("14"));
    }
}
