//! What feedback reads: tags, tagged conversations as plain text, and who gave it.

use bowline_net::json::{at, filled, flag, id, instant_s, int, list, text};
use bowline_net::{ApiError, Reply};
use http::Method;
use serde_json::{Value, json};

use crate::client::{Call, Client, get};
use crate::contact::hundredths;
use crate::model::{Author, contacts};

/// The most that a page of a search holds.
pub const PAGE_MAX: u32 = 150;

/// The most that a page of deleted conversations holds.
const DELETED_PAGE: &str = "60";

/// A tag of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its id, which stays when it is renamed.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A tag on a conversation or on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedTag {
    /// The tag's id.
    pub id: String,
    /// Its name; empty when not given.
    pub name: String,
    /// When it was put there, in Unix seconds. Not always given.
    pub applied_at: Option<i64>,
    /// The teammate who put it there.
    pub applied_by: Option<String>,
}

/// A file of a message. Its address is signed and ends soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name; empty when not given.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// Its media type.
    pub content_type: Option<String>,
    /// Its size in bytes, as Intercom says.
    pub size: Option<i64>,
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The part's id; `None` for the message that began the conversation.
    pub part: Option<String>,
    /// `comment`, `note`, `open`, …; `source` for the first.
    pub kind: String,
    /// Who wrote it.
    pub author: Author,
    /// What it says, plain.
    pub text: Option<String>,
    /// When, in Unix seconds.
    pub created_at: Option<i64>,
    /// The tags on it.
    pub tags: Vec<AppliedTag>,
    /// Its files.
    pub files: Vec<File>,
    /// Was what it said taken out?
    pub redacted: bool,
}

/// A conversation with its messages as plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedConversation {
    /// Unique only within the workspace.
    pub id: String,
    /// Its tags: those of its messages and those of the whole.
    pub tags: Vec<AppliedTag>,
    /// The message that began it.
    pub source: Message,
    /// The newest 500 parts, oldest first, those that say nothing included.
    pub parts: Vec<Message>,
    /// How many parts there are in all.
    pub total_parts: Option<i64>,
    /// The contacts that take part.
    pub contacts: Vec<String>,
}

/// A conversation in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// When it last changed, in Unix seconds.
    pub updated_at: i64,
}

/// A page of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPage {
    /// The conversations.
    pub items: Vec<Found>,
    /// How many there are on all pages.
    pub total: i64,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// A conversation that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// Its id.
    pub id: String,
    /// When, in Unix seconds, if Intercom says.
    pub at: Option<i64>,
}

/// A contact, as far as a ticket keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Intercom's id of it.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
}

/// A company, as far as a ticket keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// Intercom's id of it.
    pub id: String,
    /// The name; empty when not given.
    pub name: String,
    /// The plan's name.
    pub plan: Option<String>,
    /// What it spends a month, as the workspace counts.
    pub monthly_spend: i64,
}

fn applied(value: &Value) -> Vec<AppliedTag> {
    let holder = at(value, &["tags"]);
    let items = holder
        .as_array()
        .map_or_else(|| list(holder, "tags"), Vec::as_slice);
    items
        .iter()
        .filter_map(|tag| {
            Some(AppliedTag {
                id: id(tag, "id")?,
                name: text(tag, "name").unwrap_or_default(),
                applied_at: instant_s(tag, "applied_at").filter(|at| *at > 0),
                applied_by: id(at(tag, &["applied_by"]), "id"),
            })
        })
        .collect()
}

fn files(value: &Value) -> Vec<File> {
    list(value, "attachments")
        .iter()
        .filter_map(|file| {
            Some(File {
                name: text(file, "name").unwrap_or_default(),
                url: filled(file, "url")?,
                content_type: filled(file, "content_type"),
                size: int(file, "filesize"),
            })
        })
        .collect()
}

fn message(value: &Value, part: Option<String>, kind: String) -> Message {
    Message {
        part,
        kind,
        author: Author::read(at(value, &["author"])),
        text: filled(value, "body"),
        created_at: instant_s(value, "created_at"),
        tags: applied(value),
        files: files(value),
        redacted: flag(value, "redacted").unwrap_or(false),
    }
}

impl TaggedConversation {
    fn read(value: &Value) -> Option<Self> {
        let holder = at(value, &["conversation_parts"]);
        let mut source = message(at(value, &["source"]), None, "source".to_owned());
        source.created_at = source.created_at.or_else(|| instant_s(value, "created_at"));
        let parts = list(holder, "conversation_parts").iter();
        Some(Self {
            id: id(value, "id")?,
            tags: applied(value),
            source,
            parts: parts
                .filter_map(|part| {
                    let kind = text(part, "part_type").unwrap_or_default();
                    Some(message(part, Some(id(part, "id")?), kind))
                })
                .collect(),
            total_parts: int(holder, "total_count"),
            contacts: contacts(value).into_iter().map(|one| one.id).collect(),
        })
    }
}

impl Client {
    /// The tags of the workspace. Takes the permission to read tags.
    pub async fn tags(&self) -> Result<Reply<Vec<Tag>>, ApiError> {
        let read = |value: &Value| {
            value.get("data")?.as_array()?;
            let items = list(value, "data").iter();
            let tag = |tag: &Value| {
                Some(Tag {
                    id: id(tag, "id")?,
                    name: text(tag, "name").unwrap_or_default(),
                })
            };
            Some(items.filter_map(tag).collect())
        };
        self.call(get(&["tags"], "listing Intercom's tags"), read)
            .await
    }

    /// A conversation with the tags and the plain text of its messages.
    pub async fn tagged_conversation(
        &self,
        id: &str,
    ) -> Result<Reply<TaggedConversation>, ApiError> {
        let path = ["conversations", id];
        let mut call = get(&path, "reading a tagged conversation");
        call.query = vec![("display_as", "plaintext".to_owned())];
        self.call(call, TaggedConversation::read).await
    }

    /// A page of the conversations that have one of these tags and changed at or after an instant
    /// in Unix seconds.
    pub async fn conversations_tagged(
        &self,
        tags: &[&str],
        changed_since_unix_s: i64,
        after: Option<&str>,
        per_page: u32,
    ) -> Result<Reply<FoundPage>, ApiError> {
        let mut pagination = json!({ "per_page": per_page.min(PAGE_MAX) });
        if let Some(after) = after {
            pagination["starting_after"] = after.into();
        }
        let call = Call {
            method: Method::POST,
            path: &["conversations", "search"],
            query: Vec::new(),
            body: Some(json!({
                "query": { "operator": "AND", "value": [
                    { "field": "tag_ids", "operator": "IN", "value": tags },
                    // Means "or equal" in this search.
                    { "field": "updated_at", "operator": ">", "value": changed_since_unix_s },
                ]},
                "pagination": pagination,
            })),
            doing: "searching tagged conversations",
        };
        let read = |value: &Value| {
            value.get("conversations")?.as_array()?;
            let items = list(value, "conversations").iter();
            let found = |one: &Value| {
                Some(Found {
                    id: id(one, "id")?,
                    updated_at: instant_s(one, "updated_at").unwrap_or_default(),
                })
            };
            let next = at(value, &["pages", "next"]);
            Some(FoundPage {
                items: items.filter_map(found).collect(),
                total: int(value, "total_count").unwrap_or_default(),
                next: filled(next, "starting_after"),
            })
        };
        self.call(call, read).await
    }

    /// A page of the conversations that were deleted, the latest first; pages count from 1. Answers
    /// whether there is another one.
    pub async fn deleted_conversations(
        &self,
        page: u32,
    ) -> Result<Reply<(Vec<Deleted>, bool)>, ApiError> {
        let path = ["conversations", "deleted"];
        let mut call = get(&path, "listing deleted conversations");
        call.query = vec![
            ("per_page", DELETED_PAGE.to_owned()),
            ("page", page.to_string()),
            ("order", "desc".to_owned()),
        ];
        let read = |value: &Value| {
            value.get("conversations")?.as_array()?;
            let items = list(value, "conversations").iter();
            let deleted = |one: &Value| {
                Some(Deleted {
                    id: id(one, "id")?,
                    at: instant_s(one, "deleted_at"),
                })
            };
            let more = !at(value, &["pages", "next"]).is_null();
            Some((items.filter_map(deleted).collect(), more))
        };
        self.call(call, read).await
    }

    /// A contact. Takes the permission to read one user and one company.
    pub async fn person(&self, contact: &str) -> Result<Reply<Person>, ApiError> {
        let path = ["contacts", contact];
        let read = |value: &Value| {
            Some(Person {
                id: id(value, "id")?,
                name: filled(value, "name"),
                email: filled(value, "email"),
            })
        };
        self.call(get(&path, "reading who gave feedback"), read)
            .await
    }

    /// The companies of a contact, on the first page.
    pub async fn companies_of_person(
        &self,
        contact: &str,
    ) -> Result<Reply<Vec<Company>>, ApiError> {
        let path = ["contacts", contact, "companies"];
        let read = |value: &Value| {
            value.get("data")?.as_array()?;
            let company = |one: &Value| {
                Some(Company {
                    id: id(one, "id")?,
                    name: text(one, "name").unwrap_or_default(),
                    plan: filled(at(one, &["plan"]), "name"),
                    monthly_spend: one.get("monthly_spend").and_then(hundredths).unwrap_or(0) / 100,
                })
            };
            let items = list(value, "data").iter();
            Some(items.filter_map(company).collect())
        };
        self.call(get(&path, "reading the companies of a person"), read)
            .await
    }
}
