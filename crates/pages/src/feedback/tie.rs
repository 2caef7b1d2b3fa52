//! Tying a ticket to an issue: by its key or by its address in Jira.

use bowline_access::Triage;
use bowline_domain::connection::Connection;
use bowline_domain::feedback::ids::TicketId;
use bowline_domain::feedback::ticket::TicketIssue;
use bowline_domain::ids::SiteName;
use bowline_engine::feedback::{issue_of_key, look_at};
use bowline_engine::panel::Unread;
use bowline_store::feedback::TicketChange;

use super::acts::make;
use super::words;
use crate::App;
use crate::caller::Caller;
use crate::error::PageError;
use crate::sought::key_of;

/// An issue that somebody named.
pub(super) struct FoundIssue {
    /// The issue.
    pub(super) issue: TicketIssue,
    /// Was Jira asked for it, because it was never seen here?
    unseen: bool,
}

/// Ties a ticket to an issue, or to none. The word for what was done, or why it was not.
pub(super) async fn tie(
    app: &App,
    caller: &Caller<Triage>,
    ticket: TicketId,
    to: Option<FoundIssue>,
) -> Result<Result<&'static str, String>, PageError> {
    let change = TicketChange::Issue(to.as_ref().map(|found| found.issue.clone()));
    let made = make(app, caller, vec![ticket], change).await?;
    if let Err(away) = made {
        return Ok(Err(words::merged_away(&away)));
    }
    if let Some(found) = to {
        tied(app, &found).await;
    }
    Ok(Ok("triaged"))
}

/// What follows once a ticket is tied: an issue that was never seen here is looked at, after the tie,
/// so that the look finds it.
pub(super) async fn tied(app: &App, found: &FoundIssue) {
    if found.unseen
        && let Err(error) = look_at(&app.shared, &found.issue).await
    {
        // The tie stands; the next delivery about the issue, or the reconciler, makes up for it.
        tracing::warn!(error, "an issue that a ticket was tied to is not looked at");
    }
}

/// The issue that somebody names by its key or by its address. One that was never seen here is asked
/// for in Jira.
pub(super) async fn find(app: &App, typed: &str) -> Result<Result<FoundIssue, Unread>, PageError> {
    let typed = typed.trim();
    let refused = |words| Ok(Err(Unread { gone: true, words }));
    let Some(key) = key_of(typed) else {
        return refused(format!(
            "“{typed}” is no issue. Write its key, for example ENG-17, or its address in Jira."
        ));
    };
    let all = app.shared.connections_now().into_iter();
    let all: Vec<(SiteName, String)> = all
        .filter_map(|now| match now.connection {
            Connection::Site(site) => Some((site, now.url)),
            Connection::Workspace(_) | Connection::Account(_) => None,
        })
        .collect();
    let joined = app.shared.bindings_now().into_iter();
    let joined: Vec<(SiteName, String)> = joined
        .map(|binding| (binding.site, binding.project.to_string()))
        .collect();
    let sites = match sites(typed, &key, &all, &joined) {
        Ok(sites) => sites,
        Err(words) => return refused(words),
    };
    let mut known = Vec::new();
    for site in &sites {
        if let Some(issue) = app.shared.store.issue_by_key(site, &key).await? {
            known.push(TicketIssue {
                site: site.clone(),
                issue,
                key: key.clone(),
            });
        }
    }
    match (known.len(), sites.as_slice()) {
        (1, _) => Ok(Ok(FoundIssue {
            issue: known.remove(0),
            unseen: false,
        })),
        (0, [site]) => {
            let found = issue_of_key(&app.shared, site, &key).await;
            Ok(found.map(|issue| FoundIssue {
                issue,
                unseen: true,
            }))
        }
        (0, []) => refused("No Jira site is connected.".to_owned()),
        _ => refused(format!(
            "Several sites may have an issue {key}. Write its address as the browser shows it in \
             Jira, in place of its key."
        )),
    }
}

/// The sites at which an issue may be: the one whose address was written; otherwise those at which
/// its project is joined, and all if it is joined nowhere.
fn sites(
    typed: &str,
    key: &str,
    all: &[(SiteName, String)],
    joined: &[(SiteName, String)],
) -> Result<Vec<SiteName>, String> {
    let below = |base: &str| {
        let base = base.trim_end_matches('/');
        let (start, rest) = typed.split_at_checked(base.len()).unwrap_or(("", ""));
        start.eq_ignore_ascii_case(base) && rest.starts_with('/')
    };
    if typed.contains("://") {
        let named = all.iter().filter(|(_, base)| below(base));
        // Of addresses that lie below each other the longest is meant.
        let named = named.max_by_key(|(_, base)| base.len());
        return named.map(|(site, _)| vec![site.clone()]).ok_or_else(|| {
            format!(
                "“{typed}” is at no Jira site that is connected. Write the address of an issue \
                 there, or its key, for example ENG-17."
            )
        });
    }
    let project = key.rsplit_once('-').map_or("", |(project, _)| project);
    let here: Vec<SiteName> = joined
        .iter()
        .filter(|(_, joined)| joined == project)
        .map(|(site, _)| site.clone())
        .collect();
    if here.is_empty() {
        return Ok(all.iter().map(|(site, _)| site.clone()).collect());
    }
    Ok(here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_is_looked_for_where_its_address_or_its_project_says() {
        let pair = |site: &str, of: &str| (SiteName::new(site), of.to_owned());
        let all = [
            pair("cloud", "https://acme.atlassian.net"),
            pair("own", "https://intra.example.com/jira/"),
            pair("whole", "https://intra.example.com"),
        ];
        let joined = [
            pair("cloud", "ENG"),
            pair("own", "OPS"),
            pair("cloud", "OPS"),
        ];
        let at = |typed: &str, key: &str| {
            let found = sites(typed, key, &all, &joined);
            found.map(|sites| sites.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let is = |typed: &str, key: &str, wanted: &[&str]| {
            assert_eq!(at(typed, key).unwrap(), wanted, "{typed}");
        };
        is("ENG-2", "ENG-2", &["cloud"]);
        is("OPS-2", "OPS-2", &["own", "cloud"]);
        is("NEW-2", "NEW-2", &["cloud", "own", "whole"]);
        let address = "https://acme.atlassian.net/browse/OPS-2?focused=1";
        is(address, "OPS-2", &["cloud"]);
        is(
            "HTTPS://ACME.atlassian.net/browse/NEW-2",
            "NEW-2",
            &["cloud"],
        );
        is(
            "https://intra.example.com/jira/browse/ENG-2",
            "ENG-2",
            &["own"],
        );
        is(
            "https://intra.example.com/browse/ENG-2",
            "ENG-2",
            &["whole"],
        );
        for elsewhere in [
            "https://acme.atlassian.net.example.com/browse/ENG-2",
            "https://else.example.com/browse/ENG-2",
        ] {
            assert!(at(elsewhere, "ENG-2").unwrap_err().contains("connected"));
        }
    }
}
