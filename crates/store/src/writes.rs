//! Writes that have a transaction of their own.

use std::future::Future;
use std::pin::Pin;

use bowline_domain::connection::Connection;
use bowline_domain::effect::EffectKey;
use bowline_domain::effect::{Act, Effect};
use bowline_domain::ids::{EffectId, EventId, IssueId, IssueKey};
use bowline_domain::messaging::ids::{AccountName, MessageId, RequestRef};
use bowline_domain::time::Millis;

use crate::committer::Writer;
use crate::db::{Conn, Durable};
use crate::error::StoreError;
use crate::handover::{Leases, Orphan, Orphans, Reply};
use crate::model::{BindingRecord, ConnectionRecord, LaneKind, Lease, Redacted, TakenEffect};
use crate::reading::{ReadingKind, Tried};
use crate::sql::{
    accept, bindings, claim, connections, effects, gather, lanes, readings, retention, settle, talk,
};

/// What a write does. It is run again if it met another replica's.
pub(crate) trait Write: Clone + Send + 'static {
    type Out: Leases + Send + 'static;

    const DURABLE: Durable = Durable::AtCommit;

    fn run(
        self,
        conn: &mut Conn,
        writer: &Writer,
    ) -> impl Future<Output = Result<Self::Out, StoreError>> + Send;

    /// The lane that its worker gives up if the write fails.
    fn given_up(&self) -> Option<Lease> {
        None
    }
}

/// A write with its answer, as the committer takes it.
pub(crate) trait Alone: Send {
    fn durable(&self) -> Durable;

    fn run<'c>(
        &'c mut self,
        conn: &'c mut Conn,
        writer: &'c Writer,
    ) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'c>>;

    /// Hands the answer over, after the commit.
    fn finish(self: Box<Self>, result: Result<(), StoreError>, orphans: &Orphans);
}

pub(crate) struct Single<W: Write> {
    write: W,
    value: Option<W::Out>,
    reply: Reply<W::Out>,
}

impl<W: Write> Single<W> {
    pub(crate) fn new(write: W, reply: Reply<W::Out>) -> Self {
        Self {
            write,
            value: None,
            reply,
        }
    }
}

impl<W: Write> Alone for Single<W> {
    fn durable(&self) -> Durable {
        W::DURABLE
    }

    fn run<'c>(
        &'c mut self,
        conn: &'c mut Conn,
        writer: &'c Writer,
    ) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'c>> {
        let write = self.write.clone();
        Box::pin(async move {
            self.value = Some(write.run(conn, writer).await?);
            Ok(())
        })
    }

    fn finish(self: Box<Self>, result: Result<(), StoreError>, orphans: &Orphans) {
        let Self {
            write,
            value,
            reply,
        } = *self;
        if result.is_err() {
            orphans.put(write.given_up().map(Orphan::One));
        }
        // What it shares with its asker is freed by whoever lets go of it last, which should not be the
        // writer.
        drop(write);
        reply.send(result.and_then(|()| value.ok_or(StoreError::Closed)));
    }
}

/// Declares a write: its parameters and what it does with the connection.
macro_rules! write {
    (
        $name:ident { $($field:ident: $type:ty),* } -> $out:ty,
        |$conn:ident, $writer:pat_param| $body:expr
        $(, gives_up $lease:ident)?
        $(, durable $durable:ident)?
    ) => {
        #[derive(Clone)]
        pub(crate) struct $name { $(pub(crate) $field: $type),* }
        impl Write for $name {
            type Out = $out;

            $(const DURABLE: Durable = Durable::$durable;)?

            async fn run(
                self,
                $conn: &mut Conn,
                $writer: &Writer,
            ) -> Result<$out, StoreError> {
                let Self { $($field),* } = self;
                $body
            }

            $(
                fn given_up(&self) -> Option<Lease> {
                    Some(self.$lease.clone())
                }
            )?
        }
    };
}

pub(crate) use write;

write!(ClaimEvents { limit: i64, now: Millis } -> Vec<Lease>,
    |conn, writer| claim::claim(conn, writer, LaneKind::Events, limit, now).await);
write!(ClaimEffects { limit: i64, now: Millis } -> Vec<TakenEffect>, |conn, writer| {
    let leases = claim::claim(conn, writer, LaneKind::Effects, limit, now).await?;
    let mut heads = settle::take_heads(conn, &leases.iter().collect::<Vec<_>>()).await?;
    Ok(leases.iter().filter_map(|lease| heads.remove(&lease.lane)).collect())
});
write!(Postpone { lease: Lease, due_at: Millis, failed: bool, connection: Option<String> } -> (),
    |conn, _| lanes::postpone(conn, &lease, due_at, failed, connection.as_deref()).await,
    gives_up lease);
write!(Renew { now: Millis } -> u64, |conn, writer| lanes::renew(conn, &writer.owner, now).await);
write!(Hasten { connection: String, now: Millis } -> u64,
    |conn, _| lanes::hasten(conn, &connection, now).await);
write!(FreeOwn {} -> u64, |conn, writer| lanes::free_own(conn, &writer.owner).await);
write!(PutConnection { record: ConnectionRecord } -> (),
    |conn, _| connections::put(conn, &record).await);
write!(Redact { before: Millis, done: Redacted } -> Redacted,
    |conn, _| retention::redact(conn, before, done).await);
write!(WebhookSeen { connection: Connection, at: Millis } -> (),
    |conn, _| connections::webhook_seen(conn, &connection, at).await);
write!(ActivateBinding { record: BindingRecord } -> (),
    |conn, _| bindings::activate(conn, &record).await);
write!(AdvanceBinding { record: BindingRecord } -> (),
    |conn, _| bindings::advance(conn, &record).await);
write!(FollowUp { effect: Effect, event: EventId, at: Millis } -> (),
    |conn, writer| effects::follow_up(conn, writer, &effect, event, at).await);
write!(GatherNote { effect: EffectId, lease: Lease, head: Effect, now: Millis } -> Option<Act>,
    |conn, writer| gather::gather_note(conn, writer, (effect, &lease), &head, now).await);
write!(Replay { event: EventId, now: Millis } -> bool,
    |conn, writer| accept::replay(conn, writer, event, now).await);
write!(RequestMade { whose: RequestRef, issue: IssueId, key: IssueKey } -> (),
    |conn, _| talk::request_made(conn, &whose, &issue, &key).await);
write!(GatheringPlaced { whose: RequestRef, gathering: u32, comment: String } -> (),
    |conn, _| talk::gathering_placed(conn, &whose, gathering, &comment).await);
write!(LinesWritten { account: AccountName, lines: Vec<(MessageId, u32)>, at: Millis } -> (),
    |conn, _| talk::lines_written(conn, &account, &lines, at).await);
write!(LinesMoved { account: AccountName, lines: Vec<(MessageId, u32)> } -> (),
    |conn, _| talk::lines_moved(conn, &account, &lines).await);
write!(OutboundSent { key: EffectKey, remote_id: String } -> (),
    |conn, _| talk::outbound_sent(conn, &key, &remote_id).await);
write!(OutboundSays { key: EffectKey, text: String } -> (),
    |conn, _| talk::outbound_says(conn, &key, &text).await);
write!(CallSeen { account: AccountName, id: String, until: Millis, now: Millis } -> bool,
    |conn, _| talk::call_seen(conn, &account, &id, until, now).await);
write!(Watch { name: String, now: Millis } -> Millis,
    |conn, _| talk::watch(conn, &name, now).await);
write!(Watched { name: String, to: Millis } -> (),
    |conn, _| talk::watched(conn, &name, to).await);
write!(PutReading {
        connection: Connection, kind: ReadingKind, remote: String, tried: Tried, at: Millis
    } -> (),
    |conn, _| readings::put(conn, &connection, (kind, &remote), &tried, at).await);
write!(ForgetReadings { before: Millis } -> u64,
    |conn, _| readings::forget(conn, before).await);
