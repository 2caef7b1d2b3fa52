//! Projects, and what is told of them.

use super::key;
use crate::config::reference::Fallback::{Absent, Required, Value};
use crate::config::reference::{Key, Kind};

/// Their keys.
pub(super) const KEYS: &[Key] = &[
    key(
        "binding[].site",
        Kind::Name,
        Required,
        "The name of a `[[site]]`.",
    ),
    key(
        "binding[].project",
        Kind::Text,
        Required,
        "The key of a project of that site.",
    ),
    key(
        "binding[].workspace",
        Kind::Name,
        Required,
        "The name of a `[[workspace]]`.",
    ),
    key(
        "binding[].linking",
        Kind::Flag,
        Value("true"),
        "Whether conversation addresses in this project's issues make links.",
    ),
    key(
        "binding[].webhooks",
        Kind::Flag,
        Value("true"),
        "Whether Jira delivers webhooks for this project. With `false`, polling is the only source, for installations that Jira cannot reach.",
    ),
    key(
        "binding[].notify.created.note",
        Kind::Flag,
        Value("true"),
        "Write a note when an issue is created, or linked later.",
    ),
    key(
        "binding[].notify.created.reopen",
        Kind::Flag,
        Value("false"),
        "Re-open a closed conversation then.",
    ),
    key(
        "binding[].notify.assigned.note",
        Kind::Flag,
        Value("true"),
        "Write a note when the assignee changes.",
    ),
    key(
        "binding[].notify.assigned.reopen",
        Kind::Flag,
        Value("false"),
        "Re-open a closed conversation then.",
    ),
    key(
        "binding[].notify.commented.note",
        Kind::Flag,
        Value("true"),
        "Write a note when a comment is added.",
    ),
    key(
        "binding[].notify.commented.reopen",
        Kind::Flag,
        Value("false"),
        "Re-open a closed conversation then.",
    ),
    key(
        "binding[].notify.commented.filter",
        Kind::Filter,
        Value("all"),
        "Which comments count: all, only those that customers may read, or only those that contain a text. Restricted comments never do.",
    ),
    key(
        "binding[].notify.transitioned.note",
        Kind::Flag,
        Value("true"),
        "Write a note when the status changes.",
    ),
    key(
        "binding[].notify.transitioned.reopen",
        Kind::Flag,
        Value("true"),
        "Re-open a closed conversation then.",
    ),
    key(
        "binding[].unassign_on_open",
        Kind::Flag,
        Value("false"),
        "Whether a conversation that Bowline re-opens goes back to the unassigned queue.",
    ),
    key(
        "binding[].wake_snoozed",
        Kind::Flag,
        Value("false"),
        "Whether a note may wake a snoozed conversation. With `false`, it is snoozed again to its old time.",
    ),
    key(
        "binding[].muted",
        Kind::Flag,
        Value("false"),
        "Whether nothing is told for now. Links are followed all the same.",
    ),
    key(
        "binding[].coalesce_seconds",
        Kind::Whole {
            min: 0,
            max: 3_600,
            unit: "seconds",
        },
        Value("0"),
        "How long a note waits for further changes of its issue, which then go in the same note. `0`: each change has a note of its own, at once.",
    ),
    key(
        "binding[].note_summary",
        Kind::Flag,
        Value("true"),
        "Whether notes hold the issue's summary; without it the key alone.",
    ),
    key(
        "binding[].note_comments",
        Kind::Flag,
        Value("true"),
        "Whether notes hold the texts of comments; without it they say who commented.",
    ),
    key(
        "binding[].linked_label",
        Kind::Text,
        Absent("no label"),
        "A label that issues have in Jira exactly as long as conversations are linked to them, for example `intercom-linked`. Taken off again when this is.",
    ),
    key(
        "binding[].linked_number_field",
        Kind::Text,
        Absent("no field"),
        "The id of a number field of Jira, for example `customfield_10061`, that holds how many conversations are linked. Emptied again when this is taken away.",
    ),
    key(
        "binding[].panel",
        Kind::Flag,
        Value("true"),
        "Whether there is a panel of conversations and contacts for the issues.",
    ),
    key(
        "binding[].conversation_view",
        Kind::Flag,
        Value("true"),
        "Whether whole conversations can be read from the panel.",
    ),
    key(
        "binding[].contact_source",
        Kind::Choice(&["linked", "reporter"]),
        Value("linked"),
        "Whose contacts the panel shows: those of the linked conversations, or the users and leads with the e-mail address of the issue's reporter.",
    ),
    key(
        "binding[].visible_fields.user",
        Kind::Words,
        Value("email,phone,user_id,created_at,last_request_at,session_count"),
        "The attributes of users that the panel shows, standard or the workspace's own, in this order. Others never reach a browser. What ends in `_at` is shown as a time.",
    ),
    key(
        "binding[].visible_fields.lead",
        Kind::Words,
        Value("email,phone,user_id,created_at,last_request_at,session_count"),
        "The same of leads.",
    ),
    key(
        "binding[].visible_fields.company",
        Kind::Words,
        Value("size,website"),
        "The same of companies.",
    ),
    key(
        "binding[].transition[].from",
        Kind::Status,
        Value("*"),
        "The status before.",
    ),
    key(
        "binding[].transition[].to",
        Kind::Status,
        Required,
        "The status after. Not `*`; that is what `notify.transitioned` is for.",
    ),
    key(
        "binding[].transition[].note",
        Kind::Flag,
        Value("true"),
        "Write a note.",
    ),
    key(
        "binding[].transition[].reopen",
        Kind::Flag,
        Value("true"),
        "Re-open a closed conversation.",
    ),
];
