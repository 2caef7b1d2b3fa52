//! Making a request, once.
//!
//! Jira takes no mark in the call that makes a request. A doubtful one is recognised by the name of
//! its conversation in the description, which no other request has.

use std::sync::Arc;
use std::time::Duration;

use bowline_domain::ids::{IssueId, IssueKey};
use bowline_jira::{IssueRead, NewRequest};
use bowline_net::ErrorKind;
use bowline_store::model::{Ending, Talk};

use super::confirmed;
use super::gather::{description, flat, reference};
use crate::config::DeskConfig;
use crate::courier::{Courier, MENDING_WAIT_MS, Stop};
use crate::planner::TalkEvent;
use crate::registry::Site;

/// Between the looks for a doubtful request: Jira's search lags behind.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// Looks for a doubtful request before it is taken for not made.
const LOOKS: u32 = 3;

/// Requests per page of those that are looked through.
const PAGE_SIZE: u32 = 50;

/// Pages that are looked through: all requests that were made since the conversation began, and
/// there may be very many after Jira was down.
const PAGES_MAX: u32 = 400;

/// How far before the beginning of the conversation a request may be dated, in milliseconds: clocks
/// differ.
const CLOCKS_DIFFER_MS: i64 = 10 * 60_000;

/// The first gathering of a request stands in its description.
const DESCRIPTION: u32 = 1;

/// Makes the request, unless it is there already.
pub(super) async fn create_request(
    courier: &Courier<'_>,
    talk: &Talk,
    summary: &str,
) -> Result<Ending, Stop> {
    if let Some((id, _)) = &talk.request.issue {
        look_at(courier, talk).await?;
        return Ok(confirmed(Some(format!("issue:{id}")), None));
    }
    let site = courier.site_of(talk)?;
    let registry = courier.shared.registry();
    let Some(desk) = registry.desk_for(&talk.whose.account, &talk.request) else {
        let reason = format!(
            "The desk “{}” is not configured any more. The request waits; configure the desk \
             again to have it made.",
            talk.request.desk
        );
        return Err(Stop(courier.later(
            MENDING_WAIT_MS,
            courier.taken.doubtful,
            reason,
        )));
    };
    if courier.taken.doubtful
        && let Some(found) = find(courier, talk, &site, desk).await?
    {
        let detail = "It was there already; it was found and not made again.";
        return made(courier, talk, found, Some(detail)).await;
    }
    let lines = courier.lines(&talk.whose, DESCRIPTION).await?;
    let (service_desk_id, request_type_id) = place(courier, &site, desk).await?;
    let reporter = talk
        .end_user
        .customer
        .clone()
        .or_else(|| desk.reporter.clone());
    let request = NewRequest {
        service_desk_id,
        request_type_id,
        summary: summary.to_owned(),
        description: Some(description(talk, &lines)),
        fields: desk.fields.clone().into_iter().collect(),
        raise_on_behalf_of: reporter,
    };
    let call = site.client.create_request(&request);
    let created = match courier.call(&site.standing, call).await {
        Ok(created) => created,
        // Refused as it is: a field was made required, a value is not taken any more. It waits for
        // an administrator, and messages are gathered meanwhile.
        Err(error) if error.kind == ErrorKind::Data => {
            let reason = format!(
                "Jira refuses to make the request: {error}. An administrator looks whether the \
                 request type “{}” of {} needs a field that the desk “{}” does not fill (fields). \
                 It is tried again every few minutes; nothing is lost.",
                desk.request_type, desk.service_desk, desk.desk.name
            );
            return Err(Stop(courier.later(MENDING_WAIT_MS, false, reason)));
        }
        Err(error) => {
            return Err(courier.remote_failed(&site.standing, &error, false).await);
        }
    };
    let issue = (
        IssueId::new(created.issue_id),
        IssueKey::new(created.issue_key),
    );
    let ending = made(courier, talk, issue, None).await?;
    courier.written(&talk.whose, &lines).await?;
    Ok(ending)
}

/// The request is there.
async fn made(
    courier: &Courier<'_>,
    talk: &Talk,
    (id, key): (IssueId, IssueKey),
    detail: Option<&str>,
) -> Result<Ending, Stop> {
    let recorded = courier
        .shared
        .store
        .request_made(talk.whose.clone(), id.clone(), key)
        .await;
    if let Err(error) = recorded {
        return Err(Stop(courier.later(0, true, error.to_string())));
    }
    look_at(courier, talk).await?;
    Ok(confirmed(Some(format!("issue:{id}")), detail))
}

/// What happened in the request before it was known to be one is looked for: an automation may
/// have moved it at once.
async fn look_at(courier: &Courier<'_>, talk: &Talk) -> Result<(), Stop> {
    let look = TalkEvent::Look {
        generation: talk.whose.generation,
        deleted: false,
        commented: None,
    };
    courier.tell_planner(&talk.whose, &look).await
}

/// The ids of the desk and of its request type, which are configured by key and name.
async fn place(
    courier: &Courier<'_>,
    site: &Arc<Site>,
    desk: &DeskConfig,
) -> Result<(String, String), Stop> {
    let missing = |what: String| {
        let reason = format!(
            "{what} An administrator corrects the desk “{}”, or gives Bowline's account the right \
             to see it. The request waits.",
            desk.desk.name
        );
        Stop(courier.later(MENDING_WAIT_MS, courier.taken.doubtful, reason))
    };
    let call = site.client.service_desk(&desk.service_desk);
    let found = match courier.call(&site.standing, call).await {
        Ok(found) => found,
        Err(error) if error.kind == ErrorKind::NotFound => {
            let key = &desk.service_desk;
            return Err(missing(format!("There is no service desk {key} in Jira.")));
        }
        Err(error) => {
            let doubtful = courier.taken.doubtful;
            return Err(courier
                .remote_failed(&site.standing, &error, doubtful)
                .await);
        }
    };
    let mut cursor = None;
    loop {
        let call = site.client.request_types(&found.id, cursor.as_ref());
        let page = courier.ask_jira(site, call).await?;
        let named = page.items.iter().find(|one| {
            one.id == desk.request_type
                || one.name.to_lowercase() == desk.request_type.to_lowercase()
        });
        if let Some(named) = named {
            return Ok((found.id, named.id.clone()));
        }
        cursor = page.next;
        if cursor.is_none() {
            return Err(missing(format!(
                "The service desk {} has no request type “{}”.",
                desk.service_desk, desk.request_type
            )));
        }
    }
}

/// The request that an earlier attempt may have made.
async fn find(
    courier: &Courier<'_>,
    talk: &Talk,
    site: &Arc<Site>,
    desk: &DeskConfig,
) -> Result<Option<(IssueId, IssueKey)>, Stop> {
    let since = talk.request.opened_at.plus_ms(-CLOCKS_DIFFER_MS);
    let minutes = courier.now().since(since).max(0) / 60_000 + 1;
    // The oldest first: what is made meanwhile comes behind it.
    let jql = format!(
        "project = \"{}\" AND created >= \"-{minutes}m\" ORDER BY created ASC",
        desk.service_desk
    );
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        if let Some(found) = look_through(courier, talk, site, &jql).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Looks through all that the search finds: many others may have been made since.
async fn look_through(
    courier: &Courier<'_>,
    talk: &Talk,
    site: &Arc<Site>,
    jql: &str,
) -> Result<Option<(IssueId, IssueKey)>, Stop> {
    let name = reference(talk);
    let mut cursor = None;
    for _ in 0..PAGES_MAX {
        let read = IssueRead::default();
        let call = site.client.search(jql, read, cursor.as_ref(), PAGE_SIZE);
        let page = courier.ask_jira(site, call).await?;
        for issue in &page.items {
            let text = flat(&issue.description);
            if text.contains(&format!("conversation {name} ")) || text.ends_with(&name) {
                return Ok(Some((
                    IssueId::new(issue.id.as_str()),
                    IssueKey::new(issue.key.as_str()),
                )));
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(None)
}
