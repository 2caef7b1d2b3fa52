//! Going through the issues of a project when something else is wanted of their tally, and trying
//! those again that could not be brought in step.
//!
//! Each issue gets an event of its own in its lane, named by the run, so that a run that goes on
//! after a crash, or in two processes, makes nothing twice.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bowline_domain::connection::Connection;
use bowline_domain::ids::{IssueId, LaneKey, ProjectKey, SiteName};
use bowline_domain::tally::TallySettings;
use bowline_domain::time::Millis;
use bowline_store::StoreError;
use bowline_store::model::{EventSource, NewEvent, OnArrival};
use bowline_store::tally::TallyRun;

use crate::shared::Shared;

/// The topic of the events.
pub(crate) const TOPIC: &str = "tally";

/// How often is looked for something else that is wanted.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Issues that are queued in one go.
const ISSUES_AT_ONCE: i64 = 500;

/// How long a binding that had something in step must be missing until that is taken away, in
/// milliseconds: while a configuration is being taken over it may not be there yet.
const MISSING_MS: i64 = 60 * 1_000;

/// When an issue that could not be brought in step is tried again, in milliseconds.
const TROUBLED_AGAIN_MS: i64 = 10 * 60 * 1_000;

/// Of those at most this many at a time, so that a field that is missing in a whole project does
/// not cost more than a look now and then. One that succeeds has the others tried at once.
const TROUBLED_AT_ONCE: i64 = 20;

type Place = (SiteName, ProjectKey);

/// Watches over the tallies until the engine stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut missing: HashMap<Place, Millis> = HashMap::new();
    let mut mended = false;
    loop {
        if let Err(error) = step(&shared, &mut missing, mended).await {
            tracing::error!(%error, "tallies could not be kept in step");
        }
        mended = tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => false,
            () = shared.configured.notified() => false,
            () = shared.tallies.notified() => true,
        };
    }
}

async fn step(
    shared: &Shared,
    missing: &mut HashMap<Place, Millis>,
    mended: bool,
) -> Result<(), StoreError> {
    begin(shared, missing).await?;
    for run in shared.store.tally_runs().await? {
        go_through(shared, run).await?;
    }
    let now = shared.now();
    let before = if mended {
        now
    } else {
        now.plus_ms(-TROUBLED_AGAIN_MS)
    };
    let times = (before, now);
    let again = shared
        .store
        .claim_troubled_tallies(times, TROUBLED_AT_ONCE)
        .await?;
    for (site, issue) in again {
        let name = format!("tally-again-{issue}-{}", now.0);
        queue(shared, &site, &issue, name).await?;
    }
    Ok(())
}

/// Begins a run wherever something else is wanted than was wanted before.
async fn begin(shared: &Shared, missing: &mut HashMap<Place, Millis>) -> Result<(), StoreError> {
    let known: HashMap<Place, TallySettings> = shared
        .store
        .tally_runs()
        .await?
        .into_iter()
        .map(|run| ((run.site, run.project), run.wants))
        .collect();
    let registry = shared.registry();
    for binding in &registry.bindings {
        let place = (binding.site.clone(), binding.project.clone());
        missing.remove(&place);
        let before = known.get(&place);
        if before.map_or(binding.tally.is_on(), |before| *before != binding.tally) {
            shared
                .store
                .begin_tallies(place, binding.tally.clone())
                .await?;
        }
    }
    for (place, wants) in &known {
        let bound = registry.binding(&place.0, &place.1).is_some();
        if bound || !wants.is_on() || !registry.sites.contains_key(&place.0) {
            continue;
        }
        let since = *missing.entry(place.clone()).or_insert_with(|| shared.now());
        if shared.now().since(since) >= MISSING_MS {
            let nothing = TallySettings::default();
            shared.store.begin_tallies(place.clone(), nothing).await?;
        }
    }
    Ok(())
}

/// Queues all issues of a project that a run did not come to yet.
async fn go_through(shared: &Shared, run: TallyRun) -> Result<(), StoreError> {
    let mut at = run.place.clone();
    while let Some(after) = at {
        let place = (&run.site, &run.project);
        let issues = shared
            .store
            .tally_issues(place, &after, ISSUES_AT_ONCE)
            .await?;
        for issue in &issues {
            let name = format!("tally-{}-{}-{issue}", run.project, run.round);
            queue(shared, &run.site, issue, name).await?;
        }
        at = issues.last().cloned();
        shared
            .store
            .advance_tallies(run.clone(), at.clone())
            .await?;
    }
    Ok(())
}

async fn queue(
    shared: &Shared,
    site: &SiteName,
    issue: &IssueId,
    name: String,
) -> Result<(), StoreError> {
    let event = NewEvent {
        source: EventSource::Reconciler,
        connection: Connection::Site(site.clone()),
        delivery: name,
        lane: LaneKey::events(site, issue),
        topic: TOPIC.to_owned(),
        received_at: shared.now(),
        body: "{}".into(),
        take: false,
        on_arrival: OnArrival::Queue,
    };
    shared.store.accept(event).await?;
    shared.store.wake().await
}
