//! Writes of feedback that have a transaction of their own.

use bowline_domain::feedback::ids::{PartId, ProductId, TicketId};
use bowline_domain::feedback::product::ListedTag;
use bowline_domain::feedback::ticket::TicketIssue;
use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_domain::time::Millis;

use super::model::{
    Backfill, BackfillState, BackfillStep, FileDraft, MergedAway, NotMerged, ProductDraft,
    TicketChange,
};
use crate::access::AuditEntry;
use crate::committer::Writer;
use crate::db::Conn;
use crate::error::StoreError;
use crate::handover::Leases;
use crate::model::NewEvent;
use crate::sql::feedback::{backfill, files, products, triage};
use crate::writes::{Write, write};

impl Leases for ProductId {}
impl Leases for Option<Backfill> {}
impl Leases for Result<u64, MergedAway> {}
impl Leases for Result<(), NotMerged> {}
impl Leases for Result<TicketId, NotMerged> {}

write!(PutProduct { draft: ProductDraft, now: Millis, audit: Vec<AuditEntry> } -> ProductId,
    |conn, _| products::put(conn, &draft, now, &audit).await);
write!(SwitchProducts {
    workspace: WorkspaceName, on: bool, now: Millis, audit: Vec<AuditEntry>
} -> u64, |conn, _| products::switch(conn, &workspace, (on, now), &audit).await);
write!(Undeclare { keep: Vec<(WorkspaceName, String)> } -> u64,
    |conn, _| products::undeclare(conn, &keep).await);
write!(NameTags { workspace: WorkspaceName, listed: Vec<ListedTag>, now: Millis } -> u64,
    |conn, _| products::name_tags(conn, &workspace, &listed, now).await);
write!(Triage {
    tickets: Vec<TicketId>, change: TicketChange, who: String, at: Millis,
    events: Vec<NewEvent>, audit: Vec<AuditEntry>
} -> Result<u64, MergedAway>, |conn, writer|
    triage::change(conn, writer, (&tickets, &change), (&who, at), &events, &audit).await);
write!(MergeTickets {
    ticket: TicketId, into: TicketId, who: String, at: Millis, audit: Vec<AuditEntry>
} -> Result<(), NotMerged>, |conn, _|
    triage::merge(conn, ticket, into, (&who, at), &audit).await);
write!(MergeAll {
    tickets: Vec<TicketId>, into: TicketId, who: String, at: Millis, audit: Vec<AuditEntry>
} -> Result<(), NotMerged>, |conn, _|
    triage::merge_all(conn, &tickets, into, (&who, at), &audit).await);
write!(UndoMerge { merge: i64, who: String, at: Millis, audit: Vec<AuditEntry> } ->
    Result<TicketId, NotMerged>,
    |conn, _| triage::undo(conn, merge, (&who, at), &audit).await);
write!(SplitTicket {
    ticket: TicketId, title: String, text: String, who: String, at: Millis, audit: Vec<AuditEntry>
} -> Result<TicketId, NotMerged>, |conn, _|
    triage::split(conn, ticket, (&title, &text), (&who, at), &audit).await);
write!(IssueMade { ticket: TicketId, issue: TicketIssue, at: Millis } -> (),
    |conn, _| triage::issue_made(conn, ticket, &issue, at).await);
write!(KeepFiles {
    workspace: WorkspaceName, conversation: ConversationId, part: PartId, drafts: Vec<FileDraft>
} -> (), |conn, _| files::keep(conn, (&workspace, &conversation, &part), &drafts).await);
write!(BeginBackfill {
    product: ProductId, since: Millis, found: i64, who: String, at: Millis, audit: Vec<AuditEntry>
} -> Option<i64>, |conn, _|
    backfill::begin(conn, (product, since, found), (&who, at), &audit).await);
write!(MoveBackfill { id: i64, to: BackfillState, at: Millis, audit: Vec<AuditEntry> } -> bool,
    |conn, _| backfill::become_(conn, id, to, at, &audit).await);
write!(ClaimBackfill { id: i64, at: Millis, until: Millis } -> Option<Backfill>, |conn, writer|
    backfill::claim(conn, &writer.owner, id, (at, until)).await);
write!(AdvanceBackfill { id: i64, step: BackfillStep } -> bool, |conn, writer|
    backfill::advance(conn, &writer.owner, id, &step).await);
