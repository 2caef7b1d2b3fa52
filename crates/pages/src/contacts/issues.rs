//! The issues behind a person: those that their conversations are linked to, and those that their
//! feedback is tied to.

use bowline_domain::feedback::ids::ContactId as FeedbackContact;
use bowline_domain::ids::{ConversationId, IssueId, SiteName};
use bowline_store::contacts::Contact;

use super::person::{Item, Section};
use crate::App;
use crate::error::PageError;
use crate::panel;

/// Tickets of a person whose issues are looked for at most.
const TICKETS_MAX: i64 = 10_000;

/// An issue, and by what a person is behind it.
pub(super) struct Behind {
    pub(super) site: SiteName,
    pub(super) issue: IssueId,
    pub(super) by: Vec<By>,
}

/// By what a person is behind an issue.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum By {
    /// One of their conversations is linked to it.
    Conversation(ConversationId),
    /// One of their tickets, or the one that stands for it, is tied to it.
    Ticket(i64),
}

impl By {
    fn words(&self) -> String {
        match self {
            Self::Conversation(id) => format!("by conversation {id}"),
            Self::Ticket(id) => format!("by ticket {id}"),
        }
    }
}

/// All issues behind a person, each once.
pub(super) async fn all(
    app: &App,
    contact: &Contact,
    conversations: &[ConversationId],
) -> Result<Vec<Behind>, PageError> {
    let store = &app.shared.store;
    let linked = store.issues_of_conversations(&contact.workspace, conversations);
    let mut told: Vec<(SiteName, IssueId, By)> = linked
        .await?
        .into_iter()
        .map(|(conversation, site, issue)| (site, issue, By::Conversation(conversation)))
        .collect();
    if let Some(remote) = &contact.remote {
        let by = FeedbackContact::new(remote.as_str());
        let tied = store.issues_of_tickets_given_by(&contact.workspace, &by, TICKETS_MAX);
        let tied = tied.await?.into_iter();
        told.extend(tied.map(|(ticket, tied)| (tied.site, tied.issue, By::Ticket(ticket.0))));
    }
    Ok(gathered(told))
}

/// Each issue once, in the order in which it is told of first.
fn gathered(told: Vec<(SiteName, IssueId, By)>) -> Vec<Behind> {
    let mut all: Vec<Behind> = Vec::new();
    for (site, issue, by) in told {
        match all
            .iter_mut()
            .find(|one| one.site == site && one.issue == issue)
        {
            Some(known) => known.by.push(by),
            None => all.push(Behind {
                site,
                issue,
                by: vec![by],
            }),
        }
    }
    all
}

/// The section of a person's page.
pub(super) async fn section(
    app: &App,
    contact: &Contact,
    conversations: &[ConversationId],
) -> Result<Section, PageError> {
    let mut items = Vec::new();
    for behind in all(app, contact, conversations).await? {
        let (site, issue) = (&behind.site, &behind.issue);
        let Some(label) = app.shared.store.issue_label(site, issue).await? else {
            continue;
        };
        let by: Vec<String> = behind.by.iter().map(By::words).collect();
        items.push(Item {
            text: format!("{} {}", label.key, label.summary),
            here: Some(panel::path(site, label.key.as_str())),
            there: app.shared.issue_url(site, &label.key),
            note: by.join(", "),
        });
    }
    Ok(Section {
        id: "issues",
        title: "Issues",
        items,
        empty:
            "No conversation of this person is linked to an issue, and no feedback of theirs is \
                tied to one."
                .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_stands_once_with_all_that_leads_to_it() {
        let site = || SiteName::new("acme-jira");
        let conversation = || By::Conversation(ConversationId::new("7"));
        let all = gathered(vec![
            (site(), IssueId::new("1"), conversation()),
            (site(), IssueId::new("2"), By::Ticket(5)),
            (site(), IssueId::new("1"), By::Ticket(6)),
        ]);
        let by: Vec<&[By]> = all.iter().map(|one| one.by.as_slice()).collect();
        assert_eq!(
            by,
            [&[conversation(), By::Ticket(6)][..], &[By::Ticket(5)][..]]
        );
    }
}
