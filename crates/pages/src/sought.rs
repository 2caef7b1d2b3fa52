//! What someone looks for: an issue or a conversation, by its key, its number or its address.

use bowline_domain::ids::{ConversationId, IssueId, LaneKey, WorkspaceName};
use bowline_store::browse::{IssueLabel, LinkQuery};
use bowline_store::model::LinkView;

use crate::App;
use crate::error::PageError;

/// Links that are shown of an issue or a conversation.
pub(crate) const LINKS_SHOWN: i64 = 100;

/// What someone looks for.
pub(crate) enum Sought {
    /// Nothing that is known.
    Nothing,
    /// An issue. Without a label it was never heard of.
    Issue {
        key: String,
        labels: Vec<IssueLabel>,
    },
    /// A conversation, with its links, those that ended too.
    Conversation {
        id: ConversationId,
        workspaces: Vec<WorkspaceName>,
        links: Vec<LinkView>,
    },
}

impl Sought {
    /// The lanes of what happened to it.
    pub(crate) fn lanes(&self) -> Vec<LaneKey> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Issue { labels, .. } => labels
                .iter()
                .map(|label| LaneKey::events(&label.site, &label.issue))
                .collect(),
            Self::Conversation {
                id,
                workspaces,
                links,
            } => {
                let told = workspaces
                    .iter()
                    .map(|workspace| LaneKey::workspace_events(workspace, id));
                let issues = links
                    .iter()
                    .map(|view| LaneKey::events(&view.site, &view.issue));
                let mut lanes: Vec<LaneKey> = told.chain(issues).collect();
                lanes.sort();
                lanes.dedup();
                lanes
            }
        }
    }
}

/// What a text means: an issue's key or address, a conversation's address or number, an issue's
/// number.
#[derive(Debug, PartialEq, Eq)]
enum Meant {
    Key(String),
    Conversation(String),
    Number(String),
    Nothing,
}

fn meant(text: &str) -> Meant {
    let text = text.trim();
    if let Some(address) = bowline_text::address::parse(text) {
        return Meant::Conversation(address.conversation);
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Meant::Number(text.to_owned());
    }
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let last = text[..end].trim_end_matches('/').rsplit('/').next();
    let last = last.unwrap_or_default().to_uppercase();
    let is_key = last.split_once('-').is_some_and(|(project, number)| {
        let starts = project.starts_with(|letter: char| letter.is_ascii_alphabetic());
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        starts
            && project.bytes().all(letters)
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    if is_key {
        Meant::Key(last)
    } else {
        Meant::Nothing
    }
}

/// The key of the issue that a text names: by it, or by its address in Jira.
pub(crate) fn key_of(text: &str) -> Option<String> {
    match meant(text) {
        Meant::Key(key) => Some(key),
        Meant::Conversation(_) | Meant::Number(_) | Meant::Nothing => None,
    }
}

/// Finds what a text means.
pub(crate) async fn seek(app: &App, text: &str) -> Result<Sought, PageError> {
    match meant(text) {
        Meant::Nothing => Ok(Sought::Nothing),
        Meant::Key(key) => issue_by_key(app, key).await,
        Meant::Conversation(id) => conversation(app, ConversationId::new(id)).await,
        Meant::Number(number) => {
            let found = conversation(app, ConversationId::new(number.as_str())).await?;
            if matches!(&found, Sought::Conversation { links, .. } if !links.is_empty()) {
                return Ok(found);
            }
            let mut labels = Vec::new();
            for site in app.sites() {
                let issue = IssueId::new(number.as_str());
                labels.extend(app.shared.store.issue_label(&site, &issue).await?);
            }
            if labels.is_empty() {
                Ok(found)
            } else {
                let key = labels[0].key.to_string();
                Ok(Sought::Issue { key, labels })
            }
        }
    }
}

async fn issue_by_key(app: &App, key: String) -> Result<Sought, PageError> {
    let mut labels = Vec::new();
    for site in app.sites() {
        if let Some(issue) = app.shared.store.issue_by_key(&site, &key).await? {
            labels.extend(app.shared.store.issue_label(&site, &issue).await?);
        }
    }
    Ok(Sought::Issue { key, labels })
}

async fn conversation(app: &App, id: ConversationId) -> Result<Sought, PageError> {
    let workspaces = app.workspaces();
    let mut links = Vec::new();
    for workspace in &workspaces {
        let query = LinkQuery {
            workspace: Some(workspace.clone()),
            conversation: Some(id.clone()),
            limit: LINKS_SHOWN,
            ..LinkQuery::default()
        };
        links.extend(app.shared.store.link_page(&query).await?);
    }
    Ok(Sought::Conversation {
        id,
        workspaces,
        links,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issues_and_conversations_are_told_apart() {
        let key = |key: &str| Meant::Key(key.to_owned());
        for (text, wanted) in [
            ("ENG-17", key("ENG-17")),
            (" eng-17 ", key("ENG-17")),
            (
                "https://jira.example.com/browse/ENG-17?focusedId=3#c",
                key("ENG-17"),
            ),
            ("https://jira.example.com/projects/A_B2-1/", key("A_B2-1")),
            ("215408", Meant::Number("215408".to_owned())),
            (
                "https://app.intercom.com/a/inbox/abc12345/inbox/conversation/215408",
                Meant::Conversation("215408".to_owned()),
            ),
            ("", Meant::Nothing),
            ("17-ENG", Meant::Nothing),
            ("ENG-", Meant::Nothing),
            ("what happened", Meant::Nothing),
            ("'; DROP TABLE event; --1", Meant::Nothing),
        ] {
            assert_eq!(meant(text), wanted, "{text}");
        }
    }
}
