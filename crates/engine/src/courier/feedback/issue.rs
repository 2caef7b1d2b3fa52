//! Making an issue from a ticket, once.
//!
//! The issue carries a property that names the ticket, set in the call that makes it, and the
//! ticket's address with the marker in its description. Searching by a property takes an app in
//! Jira, so a doubtful issue is looked for by the marker among those made since, and the property
//! is read to be sure.

use std::sync::Arc;
use std::time::Duration;

use bowline_domain::feedback::ids::TicketId;
use bowline_domain::feedback::ticket::TicketIssue;
use bowline_domain::ids::{IssueId, SiteName};
use bowline_jira::{IssueRead, NewIssue};
use bowline_net::ErrorKind;
use bowline_store::model::Ending;
use bowline_text::{Block, Doc, Inline};
use serde_json::json;

use super::confirmed;
use crate::courier::{Courier, MENDING_WAIT_MS, Stop};
use crate::registry::Site;

/// The property by which an issue names its ticket.
pub(crate) const TICKET_PROPERTY: &str = "bowline.feedback";

/// Between the looks for a doubtful issue: Jira's search lags behind.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// Looks for a doubtful issue before it is taken for not made.
const LOOKS: u32 = 3;

/// Issues per page of those that are looked through.
const PAGE_SIZE: u32 = 50;

/// Pages that are looked through: all issues that were made since the issue was asked for, and there
/// may be very many after Jira was down.
const PAGES_MAX: u32 = 400;

/// How far before it was asked for an issue may be dated, in milliseconds: clocks differ.
const CLOCKS_DIFFER_MS: i64 = 10 * 60_000;

/// The longest summary, in characters: Jira's own limit.
const SUMMARY_CHARS_MAX: usize = 255;

/// An issue that is wanted.
pub(super) struct Wanted<'w> {
    pub(super) ticket: TicketId,
    pub(super) site: &'w SiteName,
    pub(super) project: &'w str,
    pub(super) issue_type: &'w str,
    pub(super) summary: &'w str,
    pub(super) text: &'w str,
    pub(super) url: &'w str,
}

/// Makes the issue, unless it is there already, and ties the ticket to it.
pub(super) async fn create(courier: &Courier<'_>, wanted: &Wanted<'_>) -> Result<Ending, Stop> {
    let doubtful = courier.taken.doubtful;
    let registry = courier.shared.registry();
    let Some(site) = registry.sites.get(wanted.site) else {
        let reason = format!("The site “{}” is not configured any more.", wanted.site);
        return Err(Stop(courier.later(MENDING_WAIT_MS, doubtful, reason)));
    };
    if !site.standing.works() {
        let reason = site.standing.known().reason.unwrap_or_default();
        return Err(Stop(courier.later(0, doubtful, reason)));
    }
    if doubtful && let Some((id, key)) = find(courier, site, wanted).await? {
        let detail = "It was there already; it was found and not made again.".to_owned();
        return made(courier, wanted, &id, &key, Some(detail)).await;
    }
    let new = NewIssue {
        project: wanted.project.to_owned(),
        issue_type: wanted.issue_type.to_owned(),
        summary: wanted.summary.chars().take(SUMMARY_CHARS_MAX).collect(),
        description: description(wanted),
        property: (
            TICKET_PROPERTY.to_owned(),
            json!({ "ticket": wanted.ticket.0, "mark": mark(courier) }),
        ),
    };
    match courier
        .call(&site.standing, site.client.create_issue(&new))
        .await
    {
        Ok(issue) => made(courier, wanted, &issue.id, &issue.key, None).await,
        Err(error) if matches!(error.kind, ErrorKind::Data | ErrorKind::NotFound) => {
            let reason = format!(
                "Jira refuses to make the issue: {error}. An administrator looks whether the \
                 project {} and the type “{}” are there and need a field that Bowline does not \
                 fill. It is tried again every few minutes.",
                wanted.project, wanted.issue_type
            );
            Err(Stop(courier.later(MENDING_WAIT_MS, false, reason)))
        }
        Err(error) => Err(courier.remote_failed(&site.standing, &error, false).await),
    }
}

fn mark(courier: &Courier<'_>) -> String {
    courier.effect().key.marker().as_str().to_owned()
}

fn description(wanted: &Wanted<'_>) -> Doc {
    let said = wanted.text.lines().filter(|line| !line.trim().is_empty());
    let mut blocks: Vec<Block> = said
        .map(|line| Block::Paragraph(vec![Inline::text(line)]))
        .collect();
    blocks.push(Block::Paragraph(vec![
        Inline::text("Feedback: "),
        Inline::link(wanted.url, wanted.url),
    ]));
    Doc { blocks }
}

async fn made(
    courier: &Courier<'_>,
    wanted: &Wanted<'_>,
    id: &str,
    key: &str,
    detail: Option<String>,
) -> Result<Ending, Stop> {
    let issue = TicketIssue {
        site: wanted.site.clone(),
        issue: IssueId::new(id),
        key: key.to_owned(),
    };
    let store = &courier.shared.store;
    let recorded = store.issue_made(wanted.ticket, issue, courier.now()).await;
    // It is there, for all that is known: the next attempt looks for it.
    recorded.map_err(|error| Stop(courier.later(0, true, error.to_string())))?;
    Ok(confirmed(Some(format!("issue:{id}")), detail))
}

/// The issue that an earlier attempt may have made.
async fn find(
    courier: &Courier<'_>,
    site: &Arc<Site>,
    wanted: &Wanted<'_>,
) -> Result<Option<(String, String)>, Stop> {
    let asked = courier.shared.store.event(courier.taken.event).await;
    let asked = asked.map_err(|error| courier.store_failed(&error))?;
    let asked_at = asked.map_or(courier.now(), |view| view.event.received_at);
    let since = asked_at.plus_ms(-CLOCKS_DIFFER_MS);
    let minutes = courier.now().since(since).max(0) / 60_000 + 1;
    // The oldest first: what is made meanwhile comes behind it.
    let jql = format!(
        "project = \"{}\" AND created >= \"-{minutes}m\" ORDER BY created ASC",
        wanted.project
    );
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        if let Some(found) = look_through(courier, site, &jql).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Looks through all that the search finds: many others may have been made since.
async fn look_through(
    courier: &Courier<'_>,
    site: &Arc<Site>,
    jql: &str,
) -> Result<Option<(String, String)>, Stop> {
    let mark = mark(courier);
    let mut cursor = None;
    for _ in 0..PAGES_MAX {
        let read = IssueRead::default();
        let search = site.client.search(jql, read, cursor.as_ref(), PAGE_SIZE);
        let page = ask(courier, site, search).await?;
        for issue in &page.items {
            if !bowline_text::plain::write(&issue.description).contains(&mark) {
                continue;
            }
            // Somebody may have copied the text; the property is ours.
            let property = site.client.get_issue_property(&issue.id, TICKET_PROPERTY);
            let property = ask(courier, site, property).await?;
            if property.is_some_and(|property| property["mark"] == mark.as_str()) {
                return Ok(Some((issue.id.clone(), issue.key.clone())));
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(None)
}

async fn ask<T>(
    courier: &Courier<'_>,
    site: &Site,
    call: impl Future<Output = Result<bowline_net::Reply<T>, bowline_net::ApiError>>,
) -> Result<T, Stop> {
    match courier.call(&site.standing, call).await {
        Ok(value) => Ok(value),
        Err(error) => Err(courier
            .remote_failed(&site.standing, &error, courier.taken.doubtful)
            .await),
    }
}
