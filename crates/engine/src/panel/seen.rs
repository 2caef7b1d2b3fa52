//! What is kept of what was read. Stored as JSON: changed additively.

use bowline_intercom::{
    Attribute, AttributeOf, CompanyProfile, Conversation, Profile, State, Teammate,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Letters of a first message that a card shows at most; the style cuts it to one line.
const FIRST_LETTERS_MAX: usize = 200;

/// Of a conversation: what a card shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenConversation {
    /// `open`, `closed`, `snoozed`, or what Intercom calls it.
    pub state: String,
    /// Until when it is snoozed, in Unix seconds.
    pub snoozed_until_s: Option<i64>,
    /// The title, if it has one.
    pub title: Option<String>,
    /// The beginning of the first message, on one line.
    pub first: String,
    /// Who began it, if that has a name.
    pub begun_by: Option<String>,
    /// The contacts in it.
    pub contacts: Vec<String>,
    /// The teammate or team that it is assigned to.
    pub assignee: Option<String>,
    /// When it last changed, in Unix seconds.
    pub updated_at_s: Option<i64>,
    /// Was it merged into another conversation?
    #[serde(default)]
    pub merged: bool,
}

impl SeenConversation {
    pub(super) fn of(conversation: &Conversation) -> Self {
        let first = conversation.source_body.as_deref().unwrap_or_default();
        let begun_by = &conversation.source_author;
        let assignee = conversation.admin_assignee_id.as_ref();
        Self {
            state: state_word(conversation).to_owned(),
            snoozed_until_s: conversation.snoozed_until,
            title: conversation.title.clone(),
            first: one_line(first),
            begun_by: begun_by.name.clone(),
            contacts: conversation
                .contacts
                .iter()
                .map(|contact| contact.id.clone())
                .collect(),
            assignee: assignee.or(conversation.team_assignee_id.as_ref()).cloned(),
            updated_at_s: conversation.updated_at,
            merged: conversation.merged_at().is_some(),
        }
    }
}

/// The state of a conversation, as Intercom calls it.
pub fn state_word(conversation: &Conversation) -> &str {
    match &conversation.state {
        State::Open => "open",
        State::Closed => "closed",
        State::Snoozed => "snoozed",
        State::Other(other) => other,
    }
}

/// The beginning of a text as plain words on one line.
fn one_line(html: &str) -> String {
    let text = bowline_text::words_of_html(html);
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= FIRST_LETTERS_MAX {
        return line;
    }
    let mut cut: String = line.chars().take(FIRST_LETTERS_MAX - 1).collect();
    cut.push('…');
    cut
}

/// Of a contact. Its attributes are kept whole: what of them is shown, a binding says, and pages
/// get no more than that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenContact {
    /// Intercom's id.
    pub id: String,
    /// Is it a lead?
    pub lead: bool,
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// All attributes, as they came.
    pub attributes: Map<String, Value>,
    /// Its companies.
    #[serde(default)]
    pub companies: Vec<SeenCompany>,
}

/// Of a company.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenCompany {
    /// The name; empty when unknown.
    pub name: String,
    /// All attributes, as they came.
    pub attributes: Map<String, Value>,
}

impl SeenContact {
    pub(super) fn of(profile: Profile, companies: Vec<CompanyProfile>) -> Self {
        let companies = companies.into_iter().map(|company| SeenCompany {
            name: company.name,
            attributes: company.attributes,
        });
        Self {
            id: profile.id,
            lead: profile.lead,
            name: profile.name,
            email: profile.email,
            attributes: profile.attributes,
            companies: companies.collect(),
        }
    }
}

/// Of the reporter of an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenReporter {
    /// The name; none if the issue has no reporter.
    pub name: Option<String>,
    /// The e-mail address; none if Jira hides it.
    pub email: Option<String>,
}

/// What an attribute is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedAttribute {
    /// Of companies? Otherwise of contacts.
    pub company: bool,
    /// Its key.
    pub name: String,
    /// For people.
    pub label: String,
    /// What it means.
    pub description: Option<String>,
    /// Is it one of the workspace's own?
    pub custom: bool,
}

impl NamedAttribute {
    pub(super) fn of(attribute: Attribute) -> Self {
        Self {
            company: attribute.of == AttributeOf::Company,
            name: attribute.name,
            label: attribute.label,
            description: attribute.description,
            custom: attribute.custom,
        }
    }
}

/// Of a teammate: id and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeenTeammate {
    pub(super) id: String,
    pub(super) name: String,
}

impl SeenTeammate {
    pub(super) fn of(teammate: Teammate) -> Self {
        Self {
            id: teammate.id,
            name: teammate.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_message_is_one_short_line() {
        assert_eq!(
            one_line("<p>It is <b>broken</b></p>\n<p>really</p>"),
            "It is broken really"
        );
        let long = one_line(&format!("<p>{}</p>", "ab ".repeat(500)));
        assert_eq!(long.chars().count(), FIRST_LETTERS_MAX);
        assert!(long.ends_with('…'));
    }
}
