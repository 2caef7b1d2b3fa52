//! What a simulated site remembers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::body::Body;
use super::config::ProjectKind;

/// One person or bot.
#[derive(Clone, Debug)]
pub struct User {
    /// User name (Data Center) and handle of the direct API.
    pub name: String,
    /// Account id (Cloud) or user key (Data Center).
    pub account_id: String,
    /// Name that people see.
    pub display_name: String,
    /// Address.
    pub email: String,
    /// Whether others see the address.
    pub email_visible: bool,
    /// Jira administrator.
    pub admin: bool,
    /// `atlassian`, `app` or `customer`.
    pub account_type: String,
}

impl User {
    /// Whether this is a portal customer, who sees only public comments of service projects.
    pub fn is_customer(&self) -> bool {
        self.account_type == "customer"
    }
}

/// One project.
#[derive(Clone, Debug)]
pub struct Project {
    /// Numeric id.
    pub id: u64,
    /// Current key; earlier keys keep resolving.
    pub key: String,
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: ProjectKind,
    /// Only administrators may browse it.
    pub hidden: bool,
    /// Number of the newest issue.
    pub last_number: u64,
    /// Project properties.
    pub properties: BTreeMap<String, Value>,
}

/// A status and its transition. Every issue may go from every status of its project's workflow to
/// every other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Id of the status.
    pub id: u64,
    /// Name of the status and of the transition to it.
    pub name: &'static str,
    /// Id of the transition to it.
    pub transition: u64,
    /// Category: id, key, colour and name.
    pub category: Category,
}

/// A status category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Category {
    /// Numeric id.
    pub id: u64,
    /// `new`, `indeterminate` or `done`.
    pub key: &'static str,
    /// Colour.
    pub colour: &'static str,
    /// Name.
    pub name: &'static str,
}

/// Nothing started.
pub(crate) const NEW: Category = Category {
    id: 2,
    key: "new",
    colour: "blue-gray",
    name: "To Do",
};
/// Under way.
pub(crate) const UNDER_WAY: Category = Category {
    id: 4,
    key: "indeterminate",
    colour: "yellow",
    name: "In Progress",
};
/// Finished.
pub(crate) const FINISHED: Category = Category {
    id: 3,
    key: "done",
    colour: "green",
    name: "Done",
};

/// The statuses of the ordinary workflow, first the initial one.
pub const STATUSES: [Status; 4] = [
    Status {
        id: 10_000,
        name: "To Do",
        transition: 11,
        category: NEW,
    },
    Status {
        id: 3,
        name: "In Progress",
        transition: 21,
        category: UNDER_WAY,
    },
    Status {
        id: 10_001,
        name: "In Review",
        transition: 31,
        category: UNDER_WAY,
    },
    Status {
        id: 10_002,
        name: "Done",
        transition: 41,
        category: FINISHED,
    },
];

/// The statuses of service projects, first the initial one.
pub const SERVICE_STATUSES: [Status; 5] = [
    Status {
        id: 10_100,
        name: "Waiting for support",
        transition: 51,
        category: UNDER_WAY,
    },
    STATUSES[1],
    Status {
        id: 10_101,
        name: "Waiting for customer",
        transition: 61,
        category: UNDER_WAY,
    },
    Status {
        id: 10_102,
        name: "Resolved",
        transition: 71,
        category: FINISHED,
    },
    Status {
        id: 10_103,
        name: "Closed",
        transition: 81,
        category: FINISHED,
    },
];

/// The statuses of a project's workflow, first the initial one.
pub fn workflow(kind: ProjectKind) -> &'static [Status] {
    match kind {
        ProjectKind::ServiceDesk => &SERVICE_STATUSES,
        ProjectKind::Software | ProjectKind::Business => &STATUSES,
    }
}

/// Every status of the site, each once.
pub(crate) fn every_status() -> impl Iterator<Item = Status> {
    let service = SERVICE_STATUSES.into_iter();
    STATUSES
        .into_iter()
        .chain(service.filter(|status| !STATUSES.contains(status)))
}

/// Finds a status of any workflow by name (any case).
pub fn status_named(name: &str) -> Option<Status> {
    every_status().find(|s| s.name.eq_ignore_ascii_case(name))
}

/// Priorities: id and name.
pub(crate) const PRIORITIES: [(u64, &str); 5] = [
    (1, "Highest"),
    (2, "High"),
    (3, "Medium"),
    (4, "Low"),
    (5, "Lowest"),
];
/// Priority of an issue created without one.
pub(crate) const MEDIUM: u64 = 3;

/// Issue types: id, name and description.
pub(crate) const ISSUE_TYPES: [(u64, &str, &str); 3] = [
    (10_001, "Task", "A piece of work."),
    (10_002, "Bug", "Something that does not work."),
    (10_003, "Story", "Something a user wants."),
];

/// The resolution that reaching a finished status sets.
pub(crate) const RESOLUTION: (u64, &str) = (10_000, "Done");

/// Security levels: id, name, and whether only administrators see such issues.
pub(crate) const SECURITY_LEVELS: [(u64, &str, bool); 2] =
    [(10_100, "Staff only", false), (10_101, "Executives", true)];

/// Custom fields: id, name, and whether the text is rich.
pub(crate) const CUSTOM_FIELDS: [(&str, &str, bool); 2] = [
    ("customfield_10050", "Customer", false),
    ("customfield_10051", "Steps to reproduce", true),
];

/// Custom fields that hold a number: id and name.
pub(crate) const NUMBER_FIELDS: [(&str, &str); 2] = [
    ("customfield_10060", "Story points"),
    ("customfield_10061", "Linked conversations"),
];

/// What a custom field is called.
pub(crate) fn custom_name(id: &str) -> Option<&'static str> {
    let text = CUSTOM_FIELDS.iter().map(|field| (field.0, field.1));
    let mut all = text.chain(NUMBER_FIELDS);
    all.find(|(known, _)| *known == id).map(|(_, name)| name)
}

/// Who may see a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visibility {
    /// `role` or `group`.
    pub kind: String,
    /// Name of the role or group.
    pub value: String,
}

/// Roles and groups that comments can be restricted to, with whether only administrators are members.
/// Nobody else exists, as far as comments are concerned.
pub(crate) const AUDIENCES: [(&str, &str, bool); 4] = [
    ("role", "Developers", false),
    ("role", "Administrators", true),
    ("group", "jira-software-users", false),
    ("group", "site-admins", true),
];

/// One comment.
#[derive(Clone, Debug)]
pub struct Comment {
    /// Numeric id, unique on the site.
    pub id: u64,
    /// Who wrote it.
    pub author: Arc<User>,
    /// Who changed it last.
    pub update_author: Arc<User>,
    /// The text.
    pub body: Body,
    /// When it was written, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it was changed last, in milliseconds since 1970.
    pub updated_ms: i64,
    /// Restriction, if any.
    pub visibility: Option<Visibility>,
    /// Entity properties, among them `sd.public.comment`.
    pub properties: BTreeMap<String, Value>,
}

/// The entity property that makes a service-management comment internal.
pub(crate) const INTERNAL_PROPERTY: &str = "sd.public.comment";

impl Comment {
    /// Whether this is an internal note of a service project.
    pub fn is_internal(&self) -> bool {
        self.properties.get(INTERNAL_PROPERTY).is_some_and(|value| {
            matches!(&value["internal"], Value::Bool(true))
                || value["internal"].as_str() == Some("true")
        })
    }

    /// Whether this user may read it.
    pub fn visible_to(&self, user: &User) -> bool {
        if user.admin {
            return true;
        }
        if user.is_customer() {
            return self.visibility.is_none() && !self.is_internal();
        }
        self.visibility.as_ref().is_none_or(|v| {
            AUDIENCES
                .iter()
                .any(|(kind, value, admins)| *kind == v.kind && *value == v.value && !admins)
        })
    }
}

/// One changed field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Field name as the changelog shows it.
    pub field: String,
    /// Field id; some items never have one.
    pub field_id: Option<String>,
    /// Whether it is a custom field.
    pub custom: bool,
    /// Old id.
    pub from: Option<String>,
    /// Old text.
    pub from_string: Option<String>,
    /// New id.
    pub to: Option<String>,
    /// New text.
    pub to_string: Option<String>,
}

impl Change {
    /// A change of a text that has no ids.
    pub fn text(field: &str, from: Option<&str>, to: Option<&str>) -> Self {
        Self {
            field: field.to_owned(),
            field_id: Some(field.to_owned()),
            from_string: from.map(str::to_owned),
            to_string: to.map(str::to_owned),
            ..Self::default()
        }
    }

    /// A change between things with an id and a name.
    pub fn ids(field: &str, from: Option<(String, String)>, to: Option<(String, String)>) -> Self {
        let (from, from_string) = from.unzip();
        let (to, to_string) = to.unzip();
        Self {
            field: field.to_owned(),
            field_id: Some(field.to_owned()),
            custom: false,
            from,
            from_string,
            to,
            to_string,
        }
    }
}

/// One entry of the change history: one action of one person.
#[derive(Clone, Debug)]
pub struct History {
    /// Id; equals `changelog.id` of the delivery.
    pub id: u64,
    /// Who did it.
    pub author: Arc<User>,
    /// When, in milliseconds since 1970.
    pub created_ms: i64,
    /// What changed.
    pub items: Vec<Change>,
}

/// A link from an issue to something elsewhere.
#[derive(Clone, Debug)]
pub struct RemoteLink {
    /// Numeric id.
    pub id: u64,
    /// Chosen by the caller; a second call with the same one replaces the link.
    pub global_id: Option<String>,
    /// `application` as given.
    pub application: Value,
    /// `relationship` as given.
    pub relationship: Option<String>,
    /// `object` as given.
    pub object: Value,
}

impl RemoteLink {
    /// Title of the object.
    pub fn title(&self) -> &str {
        self.object["title"].as_str().unwrap_or_default()
    }
}

/// A file on an issue.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// Numeric id.
    pub id: u64,
    /// File name.
    pub file_name: String,
    /// Media type.
    pub mime_type: String,
    /// Who added it.
    pub author: Arc<User>,
    /// When, in milliseconds since 1970.
    pub created_ms: i64,
    /// The bytes.
    pub content: bytes::Bytes,
}

/// One issue.
#[derive(Clone, Debug)]
pub struct Issue {
    /// Numeric id; never changes.
    pub id: u64,
    /// Current key.
    pub key: String,
    /// Project id.
    pub project: u64,
    /// Issue type id.
    pub issue_type: u64,
    /// One line.
    pub summary: String,
    /// The text.
    pub description: Option<Body>,
    /// Status.
    pub status: Status,
    /// Whether the resolution is set.
    pub resolved_ms: Option<i64>,
    /// Priority id.
    pub priority: u64,
    /// Assignee.
    pub assignee: Option<Arc<User>>,
    /// Reporter.
    pub reporter: Arc<User>,
    /// Who created it.
    pub creator: Arc<User>,
    /// Labels, sorted.
    pub labels: Vec<String>,
    /// Security level id.
    pub security: Option<u64>,
    /// Custom field values: plain text, or ADF and wiki for rich ones.
    pub custom: BTreeMap<String, CustomValue>,
    /// When created, in milliseconds since 1970.
    pub created_ms: i64,
    /// When changed last, in milliseconds since 1970.
    pub updated_ms: i64,
    /// When the status category changed last, in milliseconds since 1970.
    pub category_changed_ms: i64,
    /// Comments by id.
    pub comments: BTreeMap<u64, Comment>,
    /// Change history, oldest first.
    pub history: Vec<History>,
    /// Entity properties.
    pub properties: BTreeMap<String, Value>,
    /// Remote links by id.
    pub remote_links: BTreeMap<u64, RemoteLink>,
    /// Attachments by id.
    pub attachments: BTreeMap<u64, Attachment>,
    /// What makes it a request of a service desk.
    pub request: Option<Request>,
    /// Account ids of those who watch it: who created it, who commented, and who chose to.
    pub watchers: BTreeSet<String>,
}

/// What a request of a service desk has besides an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Service desk id.
    pub desk: u64,
    /// Request type id.
    pub request_type: u64,
    /// Account ids of those who follow it besides its reporter.
    pub participants: Vec<String>,
}

/// Value of a custom field.
#[derive(Clone, Debug, PartialEq)]
pub enum CustomValue {
    /// One line.
    Line(String),
    /// Rich text.
    Rich(Body),
    /// A number.
    Number(f64),
}

/// A registered webhook.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    /// Numeric id.
    pub(crate) id: u64,
    /// Name.
    pub(crate) name: String,
    /// Description.
    pub(crate) description: String,
    /// Target, possibly with variables.
    pub(crate) url: String,
    /// Events.
    pub(crate) events: Vec<String>,
    /// JQL filter as given, and parsed.
    pub(crate) jql: String,
    /// Signing secret.
    pub(crate) secret: Option<String>,
    /// No body.
    pub(crate) exclude_body: bool,
    /// Whether it delivers.
    pub(crate) enabled: bool,
    /// When it was changed last, in milliseconds since 1970.
    pub(crate) updated_ms: i64,
    /// Who changed it last.
    pub(crate) updated_by: Arc<User>,
}
