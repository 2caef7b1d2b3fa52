//! Issues that tickets are tied to by hand. One that was never seen here, because it is older than
//! Bowline or no delivery told of it, is asked for in Jira.

use bowline_domain::feedback::ticket::TicketIssue;
use bowline_domain::ids::{IssueId, SiteName};
use bowline_jira::IssueRead;
use bowline_net::ErrorKind;

use crate::panel::Unread;
use crate::planner::{Look, queue_look};
use crate::shared::Shared;

/// The issue of a key, as its site shows it now. A key that the issue had before it was moved finds
/// it too; what is answered has its present one.
///
/// # Errors
/// In words, who can mend it among them.
pub async fn issue_of_key(
    shared: &Shared,
    site: &SiteName,
    key: &str,
) -> Result<TicketIssue, Unread> {
    let registry = shared.registry();
    let unread = |gone, words| Err(Unread { gone, words });
    let Some(far) = registry.sites.get(site) else {
        return unread(
            false,
            format!("The site {site} is not configured any more."),
        );
    };
    let call = far.client.issue(key, IssueRead::default());
    match shared.ask(&far.standing, call).await {
        Ok(issue) => Ok(TicketIssue {
            site: site.clone(),
            issue: IssueId::new(issue.id),
            key: issue.key,
        }),
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => unread(
            true,
            format!(
                "Jira ({site}) shows no issue {key}: there is none, or Bowline's account may not \
                 see it. Check the key; a Jira administrator can let the account browse its \
                 project."
            ),
        ),
        Err(error) => unread(
            false,
            format!(
                "Bowline has not met {key} yet, and Jira ({site}) could not be asked for it: \
                 {error}. Try again in a while; if it stays so, the page of the connection says \
                 who can mend it."
            ),
        ),
    }
}

/// Has an issue that a ticket was tied to looked at, so that it is known here and the ticket follows
/// it from now on.
///
/// # Errors
/// It cannot be stored.
pub async fn look_at(shared: &Shared, tied: &TicketIssue) -> Result<(), String> {
    let now = shared.now();
    let look = Look {
        issue: tied.issue.as_str().to_owned(),
        since: now,
        unseen: false,
    };
    let name = format!("tied-{}-{:016x}", now.0, shared.random());
    queue_look(shared, &tied.site, &look, name).await
}
