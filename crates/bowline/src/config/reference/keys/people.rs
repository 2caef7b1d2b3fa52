//! Contacts, and the feedback that is gathered.

use super::key;
use crate::config::reference::Fallback::{Absent, Required, Value};
use crate::config::reference::{Key, Kind};

/// Their keys.
pub(super) const KEYS: &[Key] = &[
    key(
        "contact_sync[].workspace",
        Kind::Name,
        Required,
        "The name of a `[[workspace]]` whose contacts and companies are copied.",
    ),
    key(
        "contact_sync[].updates",
        Kind::Flag,
        Value("true"),
        "Whether changes follow. With `false` only new contacts are added; those deleted in Intercom are erased here all the same.",
    ),
    key(
        "product[].name",
        Kind::Text,
        Required,
        "What people call the product. Keep it: tickets are stored under it.",
    ),
    key(
        "product[].workspace",
        Kind::Name,
        Required,
        "The Intercom workspace whose tags count.",
    ),
    key(
        "product[].tags",
        Kind::Words,
        Required,
        "The tags that count as feedback, by name or id. A tag that is renamed in Intercom goes on counting.",
    ),
    key(
        "product[].notes",
        Kind::Words,
        Absent("none"),
        "The statuses of which the conversation is told by an internal note, once each: planned, done, declined.",
    ),
    key(
        "product[].wake_snoozed",
        Kind::Flag,
        Value("false"),
        "Whether such a note may wake a snoozed conversation. If not, it is snoozed again until its old time.",
    ),
    key(
        "product[].follow_issue",
        Kind::Flag,
        Value("false"),
        "Whether the status of a ticket follows its Jira issue: planned while that is under way, done when it is done.",
    ),
    key(
        "product[].status_names",
        Kind::Values,
        Absent("the usual names"),
        "What the statuses are called: new, in_review, planned, done, declined, each with a text.",
    ),
    key(
        "product[].issue_project",
        Kind::Id,
        Absent("no issues are made"),
        "The key of the Jira project in which issues are made from tickets.",
    ),
    key(
        "product[].issue_site",
        Kind::Name,
        Absent("the only site"),
        "The site of that project.",
    ),
    key(
        "product[].issue_type",
        Kind::Text,
        Value("Task"),
        "The type of those issues, by name.",
    ),
];
