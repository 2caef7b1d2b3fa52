//! What the tests are made of: one site, one workspace, a store on an empty database.

use bowline_domain::audience::Audience;
use bowline_domain::connection::{Connection, Health};
use bowline_domain::effect::{Act, Effect, EffectKey, EffectState};
use bowline_domain::ids::{
    ConversationId, EventId, IssueId, IssueKey, LaneKey, ProjectKey, SiteName, WorkspaceName,
};
use bowline_domain::link::{Link, Origin, Source};
use bowline_domain::outcome::Outcome;
use bowline_domain::state::IssueRecord;
use bowline_domain::time::Millis;
use bowline_store::model::{
    Accepted, Committed, ConnectionRecord, Decided, Decision, EffectView, Ending, EventSource,
    Lease, NewEvent, OnArrival, Settlement, TakenEffect, Verdict,
};
use bowline_store::testing::{Backend, Scratch, check_lanes};
use bowline_store::{Open, Store, StoreError};

/// When the tests begin.
pub(crate) const T0: Millis = Millis(1_000_000_000_000);

/// Longer than any lease.
pub(crate) const LEASE_OVER: i64 = 3_600_000;

/// A store on an empty database.
pub(crate) struct World {
    pub(crate) backend: Backend,
    pub(crate) store: Store,
    pub(crate) url: String,
}

impl World {
    /// Another process on the same database.
    pub(crate) async fn other(&self, owner: &str, first_token: i64) -> Store {
        open(
            &self.url,
            owner,
            first_token,
            self.backend == Backend::Postgres,
        )
        .await
    }

    /// A process that starts after the one before died, on the same database.
    pub(crate) async fn after_crash(&self) -> Store {
        open(&self.url, "reborn", 900_000, true).await
    }

    pub(crate) async fn texts(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        bowline_store::testing::texts(&self.url, sql).await.unwrap()
    }

    pub(crate) async fn execute(&self, sql: &str) -> u64 {
        bowline_store::testing::execute(&self.url, sql)
            .await
            .unwrap()
    }
}

pub(crate) async fn open(url: &str, owner: &str, first_token: i64, works_lanes: bool) -> Store {
    let open = Open {
        url: url.to_owned(),
        owner: owner.to_owned(),
        first_token,
        works_lanes,
    };
    Store::open(open).await.unwrap()
}

/// Runs a test on an empty database and looks at the lanes afterwards.
pub(crate) async fn run(backend: Backend, test: impl AsyncFnOnce(&World)) {
    let scratch = Scratch::new(backend);
    let url = scratch.url().to_owned();
    let store = open(&url, "first", 1_000, true).await;
    let world = World {
        backend,
        store,
        url,
    };
    test(&world).await;
    assert_eq!(check_lanes(&world.url).await.unwrap(), Vec::<String>::new());
    world.store.close().await;
}

/// Makes each of the tests once for each database.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                $crate::support::run(bowline_store::testing::Backend::Sqlite, super::$name).await;
            })*
        }

        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                $crate::support::run(bowline_store::testing::Backend::Postgres, super::$name).await;
            })*
        }
    };
}
pub(crate) use on_both;

/// Waits until `done` says so, at most about ten seconds.
pub(crate) async fn eventually<T>(what: &str, mut done: impl AsyncFnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(value) = done().await {
                return value;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), waiting)
        .await
        .unwrap_or_else(|_| panic!("never happened: {what}"))
}

pub(crate) fn site() -> SiteName {
    SiteName::new("acme-jira")
}

pub(crate) fn workspace() -> WorkspaceName {
    WorkspaceName::new("acme")
}

pub(crate) fn jira() -> Connection {
    Connection::Site(site())
}

pub(crate) fn intercom() -> Connection {
    Connection::Workspace(workspace())
}

pub(crate) fn event_lane(issue: &str) -> LaneKey {
    LaneKey::events(&site(), &IssueId::new(issue))
}

pub(crate) fn send_lane(conversation: &str) -> LaneKey {
    LaneKey::conversation(&workspace(), &ConversationId::new(conversation))
}

/// A delivery about an issue; its lane is wanted.
pub(crate) fn event(issue: &str, delivery: &str) -> NewEvent {
    NewEvent {
        source: EventSource::Jira,
        connection: jira(),
        delivery: delivery.to_owned(),
        lane: event_lane(issue),
        topic: "jira:issue_updated".to_owned(),
        received_at: T0,
        body: format!("{{\"delivery\":\"{delivery}\"}}").into(),
        take: true,
        on_arrival: OnArrival::Queue,
    }
}

/// The same delivery, its lane left to whoever looks for work.
pub(crate) fn left(event: NewEvent) -> NewEvent {
    NewEvent {
        take: false,
        ..event
    }
}

pub(crate) fn fresh(accepted: &Accepted) -> (EventId, Option<Lease>) {
    match accepted {
        Accepted::Fresh { event, lease } => (*event, lease.clone()),
        Accepted::Decided { .. } => panic!("decided at once"),
        Accepted::Duplicate => panic!("a duplicate"),
    }
}

/// Stores a delivery and takes its lane, which must be idle.
pub(crate) async fn taken(store: &Store, issue: &str, delivery: &str) -> (EventId, Lease) {
    let (id, lease) = fresh(&store.accept(event(issue, delivery)).await.unwrap());
    (id, lease.expect("the lane was idle"))
}

/// A note to a conversation.
pub(crate) fn note(conversation: &str, name: &str) -> Effect {
    Effect {
        key: EffectKey::stored(format!("note/acme/{conversation}/{name}")),
        connection: intercom(),
        site: site(),
        issue: IssueId::new("10"),
        act: Act::Note {
            workspace: workspace(),
            conversation: ConversationId::new(conversation),
            audience: Audience::Internal,
            html: "<p>Done — “quoted”</p>".to_owned(),
            wake_snoozed: true,
            due_at: None,
        },
    }
}

/// What follows from a note.
pub(crate) fn snooze_again(after: &Effect, conversation: &str) -> Effect {
    Effect {
        key: after.key.following("snooze_again"),
        act: Act::SnoozeAgain {
            workspace: workspace(),
            conversation: ConversationId::new(conversation),
            until_unix_s: 1_900_000_000,
        },
        ..after.clone()
    }
}

pub(crate) fn record(key: &str) -> IssueRecord {
    IssueRecord {
        key: IssueKey::new(key),
        project: ProjectKey::new("ENG"),
        summary: "It does not work".to_owned(),
        status: Some("To Do".to_owned()),
        scanned: true,
        deleted: false,
        links_version: 1,
    }
}

pub(crate) fn link(conversation: &str) -> Link {
    Link {
        workspace: workspace(),
        conversation: ConversationId::new(conversation),
        sources: vec![Source {
            origin: Origin::Description,
            since: T0,
            overruled: false,
            hand: None,
        }],
        live: true,
        since: T0,
        generation: 1,
        ended: None,
        ended_at: None,
    }
}

/// A decision about issue 10 that makes these effects.
pub(crate) fn effects(effects: Vec<Effect>) -> Decided {
    Decided {
        issue: Some((site(), IssueId::new("10"))),
        outcome: Outcome {
            effects: effects.len(),
            reasons: Vec::new(),
        },
        effects,
        ..Decided::default()
    }
}

pub(crate) fn decision(lease: &Lease, event: EventId, decided: Decided) -> Decision {
    Decision {
        lease: lease.clone(),
        event,
        at: T0,
        verdict: Verdict::Decided(Box::new(decided)),
        take_up_to: 16,
    }
}

pub(crate) async fn decide(
    store: &Store,
    lease: &Lease,
    event: EventId,
    decided: Decided,
) -> Result<Committed, StoreError> {
    store.decide(decision(lease, event, decided)).await
}

/// Stores an event of an issue's own and decides it to make these effects.
pub(crate) async fn planned(store: &Store, issue: &str, made: Vec<Effect>) -> Vec<TakenEffect> {
    let (id, lease) = taken(store, issue, &format!("planned-{issue}")).await;
    decide(store, &lease, id, effects(made))
        .await
        .unwrap()
        .taken
}

/// Stores an event of an issue's own that makes one note to a conversation, and takes it.
pub(crate) async fn one_note(store: &Store, conversation: &str, name: &str) -> TakenEffect {
    let mut taken = planned(store, &format!("of-{name}"), vec![note(conversation, name)]).await;
    taken.pop().expect("the lane was idle")
}

pub(crate) fn confirmed(remote_id: &str) -> Ending {
    Ending::Confirmed {
        remote_id: Some(remote_id.to_owned()),
        detail: None,
    }
}

pub(crate) fn later(due_at: Millis, doubtful: bool) -> Ending {
    Ending::Later {
        due_at,
        doubtful,
        reason: "It was busy.".to_owned(),
    }
}

pub(crate) fn rejected() -> Ending {
    Ending::Rejected {
        reason: "It refuses.".to_owned(),
    }
}

pub(crate) fn settlement(taken: &TakenEffect, ending: Ending) -> Settlement {
    Settlement {
        effect: taken.id,
        lease: taken.lease.clone(),
        ending,
        started_at: T0,
        ended_at: T0.plus_ms(taken.attempts),
        calls: None,
        go_on: true,
    }
}

pub(crate) async fn settle(
    store: &Store,
    taken: &TakenEffect,
    ending: Ending,
) -> Option<TakenEffect> {
    store.settle(settlement(taken, ending)).await.unwrap()
}

/// The effect as people see it.
pub(crate) async fn seen(store: &Store, taken: &TakenEffect) -> EffectView {
    let views = store.effects_of(taken.event).await.unwrap();
    views
        .into_iter()
        .find(|view| view.id == taken.id)
        .expect("it is there")
}

pub(crate) async fn state(store: &Store, taken: &TakenEffect) -> EffectState {
    seen(store, taken).await.state
}

pub(crate) fn connection(connection: Connection, health: Health) -> ConnectionRecord {
    ConnectionRecord {
        connection,
        health,
        reason: None,
        since: T0,
        remote_id: None,
        actor_id: None,
        checked_at: None,
        webhook_seen_at: None,
    }
}

/// The lanes of claimed leases, sorted.
pub(crate) fn lanes_of<'l>(leases: impl IntoIterator<Item = &'l Lease>) -> Vec<String> {
    let mut lanes: Vec<String> = leases
        .into_iter()
        .map(|lease| lease.lane.to_string())
        .collect();
    lanes.sort();
    lanes
}
