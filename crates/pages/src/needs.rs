//! What one use of a workspace needs of it in Intercom, folded away where it is not the matter.

use askama::Template;
use askama::filters::HtmlSafe;
use bowline_domain::connection::Connection;
use bowline_domain::ids::WorkspaceName;
use bowline_domain::needs::{Use, permissions, topics};

use crate::connections::page_of;
use crate::enter::Entry;

/// Permissions of the app and topics of its webhook, with what they are for.
#[derive(Template)]
#[template(path = "needs.html")]
pub(crate) struct Needs {
    summary: String,
    permissions: Vec<Entry>,
    topics: Vec<Entry>,
    /// The page of the connection, which has the webhook's address.
    connection: Option<String>,
}

impl HtmlSafe for Needs {}

impl Needs {
    fn new(summary: String, wanted: &[Use], present: &[Use]) -> Self {
        let known = permissions(present);
        let all = permissions(wanted).into_iter();
        let lacking = all.filter(|one| !known.iter().any(|known| known.what == one.what));
        let permissions = lacking.map(|one| Entry {
            name: one.what.title(),
            why: one.why,
        });
        let known = topics(present);
        let all = topics(wanted).into_iter();
        let lacking = all.filter(|one| !known.iter().any(|known| known.what == one.what));
        let topics = lacking.map(|one| Entry {
            name: one.what,
            why: one.why,
        });
        Self {
            summary,
            permissions: permissions.collect(),
            topics: topics.collect(),
            connection: None,
        }
    }

    /// What a use that is not in use would need beyond what others need already.
    pub(crate) fn besides(wanted: Use, present: &[Use]) -> Self {
        let (mut title, many) = (wanted.title().to_owned(), wanted == Use::Contacts);
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let words = if many {
            "are not in use here; they would need besides"
        } else {
            "is not in use here; it would need besides"
        };
        Self::new(format!("{title} {words}"), &[wanted], present)
    }

    /// All that a use needs of a workspace that is connected.
    pub(crate) fn of(wanted: Use, workspace: &WorkspaceName) -> Self {
        let summary = format!("What {} needs in Intercom", wanted.title());
        let summary = summary.replace("contacts needs", "copying contacts needs");
        let connection = Connection::Workspace(workspace.clone());
        Self {
            connection: Some(page_of(&connection)),
            ..Self::new(summary, &[wanted], &[])
        }
    }

    /// All that each use needs of a workspace that is to be connected.
    pub(crate) fn of_each() -> Vec<Self> {
        let all = Use::ALL.into_iter();
        all.map(|one| Self::new(format!("For {}", one.title()), &[one], &[]))
            .collect()
    }
}
