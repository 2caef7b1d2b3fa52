//! Contacts: copied in full, followed by webhooks, and looked for once a day.
//!
//! A copy is a run in the database: the pages that it read and where it goes on are committed
//! together, so a process that dies loses no more than the page it was reading, and another one
//! goes on. A webhook is followed by reading the contact back (see `planner`); what no webhook
//! told is found by the daily sweep.

mod copy;
mod mend;
mod pages;
mod read;
mod settings;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bowline_domain::connection::Connection;
use bowline_domain::ids::WorkspaceName;
use bowline_net::{ApiError, Reply};
use bowline_store::StoreError;
use bowline_store::contacts::{Run, RunKind, RunState, Sync};
use tokio::task::JoinSet;

pub(crate) use read::{company, contact};
pub use settings::ContactSetting;

pub use crate::permissions::Lacking;

use crate::pace::Priority;
use crate::registry::Workspace;
use crate::shared::Shared;

/// How often it is looked for what is to be copied or swept.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// How often changes are looked for that no webhook told, in milliseconds.
const SWEEP_EVERY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Copies and sweeps what is switched on, until the engine stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut at_work: JoinSet<WorkspaceName> = JoinSet::new();
    let mut busy: HashSet<WorkspaceName> = HashSet::new();
    loop {
        let configured = shared.configured.notified();
        let switched = shared.contacts_switched.notified();
        let later = tokio::time::sleep(LOOK_EVERY);
        tokio::pin!(configured, switched, later);
        let passed_over = begin(&shared, &mut at_work, &mut busy).await;
        loop {
            tokio::select! {
                () = &mut later => break,
                () = &mut configured => break,
                () = &mut switched => break,
                Some(done) = at_work.join_next(), if !at_work.is_empty() => {
                    match done {
                        Ok(workspace) => { busy.remove(&workspace); }
                        Err(error) => {
                            tracing::error!(%error, "copying contacts ended");
                            busy.clear();
                        }
                    }
                    // Something may have been asked for while it was busy. Otherwise it is not
                    // looked at once more right away: another process may hold its run.
                    if passed_over {
                        break;
                    }
                }
                () = shared.stopping.cancelled() => return,
            }
        }
    }
}

/// Begins what is due. Answers whether something was passed over because it is at work.
async fn begin(
    shared: &Arc<Shared>,
    at_work: &mut JoinSet<WorkspaceName>,
    busy: &mut HashSet<WorkspaceName>,
) -> bool {
    let all = due(shared).await.unwrap_or_else(|error| {
        tracing::error!(%error, "what is to be copied could not be read");
        Vec::new()
    });
    let mut passed_over = false;
    for workspace in all {
        if !busy.insert(workspace.clone()) {
            passed_over = true;
            continue;
        }
        let shared = Arc::clone(shared);
        at_work.spawn(async move {
            copy::work(&shared, &workspace).await;
            workspace
        });
    }
    passed_over
}

/// The workspaces with something to copy or to sweep, which has a run then. What was switched off
/// is stopped.
async fn due(shared: &Shared) -> Result<Vec<WorkspaceName>, StoreError> {
    let now = shared.now();
    let mut all = Vec::new();
    for setting in shared.contact_settings().await? {
        let known = setting.sync.clone();
        if !setting.on {
            if known.since.is_some() {
                shared.store.stop_runs(&setting.workspace, now).await?;
                let off = Sync {
                    since: None,
                    ..known
                };
                shared.store.switch_sync(off, None).await?;
            }
            continue;
        }
        let begun = if known.since.is_none() {
            // Switched on, or on again: what happened meanwhile is not known, so all is copied.
            let on = Sync {
                since: Some(now),
                copied_at: None,
                swept_at: None,
                ..known
            };
            shared.store.switch_sync(on.clone(), None).await?;
            on
        } else {
            known
        };
        let runs = shared.store.runs(&setting.workspace, 1).await?;
        let latest = runs.first();
        if latest.is_some_and(|run| run.state == RunState::Running) {
            all.push(setting.workspace);
            continue;
        }
        let erased = shared.store.erased_here(&setting.workspace).await?;
        if differs_after_sweep(latest, &begun, erased) {
            shared
                .store
                .begin_run(&setting.workspace, RunKind::Mend, now)
                .await?;
            all.push(setting.workspace);
            continue;
        }
        // One that failed or was stopped waits for a person, or for the next day.
        let rests = latest
            .and_then(|run| run.ended_at)
            .is_some_and(|at| now.since(at) < SWEEP_EVERY_MS && begun.since <= Some(at));
        let kind = match (begun.copied_at, begun.swept_at) {
            (None, _) if !rests => RunKind::Copy,
            (Some(_), Some(at)) if now.since(at) >= SWEEP_EVERY_MS && !rests => RunKind::Sweep,
            _ => continue,
        };
        shared
            .store
            .begin_run(&setting.workspace, kind, now)
            .await?;
        all.push(setting.workspace);
    }
    Ok(all)
}

/// Did the daily look for changes leave both sides with another count? Then somebody went without a
/// webhook, and only Intercom's whole list shows who.
fn differs_after_sweep(latest: Option<&Run>, sync: &Sync, erased: i64) -> bool {
    let swept = latest.is_some_and(|run| run.kind == RunKind::Sweep && run.state == RunState::Done);
    swept && !in_step(sync, erased)
}

/// Do both sides have the same contacts, as far as counts tell? Those whom people erased here may
/// still be in Intercom's list and are not copied again, so that many may be missing here.
#[must_use]
pub fn in_step(sync: &Sync, erased: i64) -> bool {
    match (sync.ours, sync.theirs) {
        (Some(ours), Some(theirs)) => (0..=erased).contains(&(theirs - ours)),
        _ => true,
    }
}

/// Makes a call at the workspace's pace and takes in what the answer says of it.
pub(crate) async fn call<T>(
    shared: &Shared,
    workspace: &Workspace,
    priority: Priority,
    call: impl Future<Output = Result<Reply<T>, ApiError>>,
) -> Result<T, ApiError> {
    let pace = &workspace.standing.pace;
    pace.turn(priority, &*shared.clock).await;
    match call.await {
        Ok(reply) => {
            pace.learn(&reply.limits);
            Ok(reply.value)
        }
        Err(error) => {
            pace.failed();
            Err(error)
        }
    }
}

/// The connection of a workspace.
pub(crate) fn connection(workspace: &WorkspaceName) -> Connection {
    Connection::Workspace(workspace.clone())
}

#[cfg(test)]
mod tests {
    use bowline_domain::ids::WorkspaceName;

    use super::*;

    #[test]
    fn as_many_may_be_missing_here_as_were_erased_here() {
        for (ours, theirs, erased, wanted) in [
            (None, None, 0, true),
            (Some(5), None, 0, true),
            (Some(5), Some(5), 0, true),
            (Some(4), Some(5), 0, false),
            (Some(4), Some(5), 1, true),
            (Some(5), Some(5), 1, true),
            (Some(3), Some(5), 1, false),
            (Some(6), Some(5), 1, false),
        ] {
            let sync = Sync {
                workspace: WorkspaceName::new("acme"),
                switched_on: true,
                updates: true,
                since: None,
                copied_at: None,
                swept_at: None,
                ours,
                theirs,
                counted_at: None,
            };
            assert_eq!(
                in_step(&sync, erased),
                wanted,
                "{ours:?} {theirs:?} {erased}"
            );
        }
    }
}
