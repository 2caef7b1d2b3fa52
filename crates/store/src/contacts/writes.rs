//! Writes of contacts that have a transaction of their own. What is large is shared, because a write
//! is cloned for each try.

use std::sync::Arc;

use bowline_domain::contacts::Life;
use bowline_domain::contacts::ids::{ConflictId, ContactId, RunId};
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;

use super::{
    FieldEdit, ImportStep, Imported, Pages, Prepared, Removed, Run, RunKind, RunState, Sync, Taken,
    Unmet,
};
use crate::access::AuditEntry;
use crate::committer::Writer;
use crate::db::{Conn, Durable};
use crate::error::StoreError;
use crate::handover::Leases;
use crate::sql::audit;
use crate::sql::contacts::{change, erase, imported, mend, remove, runs, take};
use crate::writes::{Write, write};

impl Leases for Taken {}
impl Leases for Removed {}
impl Leases for Option<RunId> {}
impl Leases for Option<ContactId> {}
impl Leases for Option<Run> {}
impl Leases for Vec<ImportStep> {}

write!(TakeContacts { workspace: WorkspaceName, contacts: Arc<Vec<Prepared>>, at: Millis } -> Taken,
    |conn, _| take::take_in(conn, &workspace, &contacts, Some(Life::Live), at).await);
write!(SwitchSync { sync: Sync, entry: Option<AuditEntry> } -> (), |conn, _| {
    runs::switch(conn, &sync).await?;
    match entry {
        Some(entry) => audit::add(conn, &entry).await,
        None => Ok(()),
    }
});
write!(BeginRun { workspace: WorkspaceName, kind: RunKind, at: Millis } -> Option<RunId>,
    |conn, _| runs::begin(conn, &workspace, kind, at).await);
write!(ClaimRun { run: RunId, at: Millis, until: Millis } -> Option<Run>,
    |conn, writer| runs::claim(conn, run, &writer.owner, at, until).await);
write!(TakePages { run: RunId, workspace: WorkspaceName, pages: Arc<Pages>, at: Millis, until: Millis } -> Taken,
    |conn, writer| runs::take_pages(conn, writer, (run, &workspace), &pages, (at, until)).await,
    // The place in the list goes with them: what a failing machine loses is read once more.
    durable Soon);
write!(TakeUnmet { run: RunId, workspace: WorkspaceName, unmet: Unmet, at: Millis, until: Millis } -> (),
    |conn, writer| mend::take_unmet(conn, writer, (run, &workspace), &unmet, (at, until)).await);
write!(ForgetMet { run: RunId } -> u64, |conn, _| mend::forget(conn, run).await);
write!(RunWaits { run: RunId, why: Option<String>, until: Millis } -> (),
    |conn, writer| runs::waits(conn, writer, run, why.as_deref(), until).await);
write!(RestartRun { run: RunId, at: Millis, until: Millis } -> (),
    |conn, writer| runs::restart(conn, writer, run, at, until).await);
write!(EndRun { run: RunId, state: RunState, theirs: Option<i64>, why: Option<String>, at: Millis } -> (),
    |conn, writer| runs::end(conn, writer, run, state, theirs, why.as_deref(), at).await);
write!(StopRuns { workspace: WorkspaceName, at: Millis } -> u64,
    |conn, _| runs::stop(conn, &workspace, at).await);
write!(EditField { edit: FieldEdit, entry: AuditEntry } -> bool, |conn, _| {
    let changed = change::edit(conn, &edit).await?;
    if changed {
        audit::add(conn, &entry).await?;
    }
    Ok(changed)
});
write!(JoinContacts { from: ContactId, into: ContactId, entry: AuditEntry } -> bool, |conn, _| {
    let joined = change::merge(conn, from, into, entry.at).await?;
    if joined {
        audit::add(conn, &entry).await?;
    }
    Ok(joined)
});
write!(DecideConflict { id: ConflictId, into: Option<ContactId>, entry: AuditEntry } -> bool,
|conn, _| {
    let decided = change::decide_conflict(conn, id, into, entry.at).await?;
    if decided {
        audit::add(conn, &entry).await?;
    }
    Ok(decided)
});
write!(EraseContact { id: ContactId, entry: AuditEntry } -> bool, |conn, _| {
    let erased = erase::contact(conn, id, entry.at).await?;
    if erased {
        audit::add(conn, &entry).await?;
    }
    Ok(erased)
});
write!(RemoveCopied { workspace: WorkspaceName, limit: i64 } -> Removed,
    |conn, _| remove::copied(conn, &workspace, limit).await);
write!(ImportContacts { workspace: WorkspaceName, people: Vec<Imported>, by: String, at: Millis,
        only_look: bool } -> Vec<ImportStep>,
    |conn, _| imported::import(conn, &workspace, &people, (&by, at), only_look).await);
