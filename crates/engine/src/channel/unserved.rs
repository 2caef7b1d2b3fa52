//! Conversations whose desk was removed: their requests are looked for as long as they are open, so
//! that agents are told, and looked at again when a desk serves them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_domain::messaging::delivery::Delivery;
use bowline_domain::messaging::ids::RequestRef;
use bowline_domain::messaging::request::Request;
use bowline_domain::time::Millis;

use super::watch::{REQUESTS_EVERY_MS, again_soon, is_due, requests, store};
use crate::planner::TalkEvent;
use crate::registry::Registry;
use crate::shared::Shared;

/// What it is due by that sends are looked for which wait for an account that was removed.
const WAITING: &str = "unserved";

/// Goes through the active conversations.
pub(super) async fn run(
    shared: &Arc<Shared>,
    live: &[(RequestRef, Request)],
    due: &mut HashMap<String, Millis>,
) -> Result<(), String> {
    let registry = shared.registry();
    let look_for_waiting = is_due(due, WAITING, REQUESTS_EVERY_MS, shared.now());
    let mut left: BTreeSet<(SiteName, String)> = BTreeSet::new();
    for (whose, request) in live {
        if registry.desk_for(&whose.account, request).is_some() {
            served_again(shared, whose, request).await?;
            continue;
        }
        if look_for_waiting {
            waiting(shared, &registry, whose, request).await?;
        }
        let project = request.issue.as_ref();
        let project = project.and_then(|(_, key)| ProjectKey::of(key));
        left.extend(project.map(|project| (request.site.clone(), project.to_string())));
    }
    for (site, project) in left {
        let Some(found) = registry.sites.get(&site) else {
            continue;
        };
        let name = format!("left/{site}/{project}");
        if found.standing.works() && is_due(due, &name, REQUESTS_EVERY_MS, shared.now()) {
            let done = requests(shared, found, &project, &name).await;
            again_soon(due, &name, done.is_err(), shared.now());
            done?;
        }
    }
    Ok(())
}

/// What was answered meanwhile is dealt with, once for each time that nothing served it.
async fn served_again(
    shared: &Shared,
    whose: &RequestRef,
    request: &Request,
) -> Result<(), String> {
    let Some(since) = request.unserved else {
        return Ok(());
    };
    let look = TalkEvent::Look {
        generation: whose.generation,
        deleted: false,
        commented: None,
    };
    store(shared, whose, &look, named("served", whose, since)).await
}

/// Tells the agents if a message to the end user waits for an account that is not there.
async fn waiting(
    shared: &Shared,
    registry: &Registry,
    whose: &RequestRef,
    request: &Request,
) -> Result<(), String> {
    if request.unserved.is_some() || registry.accounts.contains_key(&whose.account) {
        return Ok(());
    }
    let sent = shared.store.outbounds(whose).await;
    let sent = sent.map_err(|error| error.to_string())?;
    let queued = sent.iter().filter(|one| one.delivery == Delivery::Queued);
    let Some(last) = queued.map(|one| one.at).max() else {
        return Ok(());
    };
    let told = TalkEvent::Unserved {
        generation: whose.generation,
    };
    store(shared, whose, &told, named("unserved", whose, last)).await
}

fn named(what: &str, whose: &RequestRef, at: Millis) -> String {
    format!("{what}-{}-{}-{}", whose.end_user, whose.generation, at.0)
}
