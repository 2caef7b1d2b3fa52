//! What is in the database before a benchmark begins, put there through the store.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use bowline_domain::connection::Connection;
use bowline_domain::ids::{
    ConversationId, IssueId, IssueKey, LaneKey, ProjectKey, SiteName, WorkspaceName,
};
use bowline_domain::link::{Link, Origin, Source};
use bowline_domain::state::IssueRecord;
use bowline_domain::time::Millis;
use bowline_store::model::{
    Accepted, Decided, Decision, EventSource, NewEvent, OnArrival, Verdict,
};
use bowline_store::{Open, Store};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Bench;
use crate::database::Database;
use crate::delivery::{BOUND, SITE};
use crate::product::WORKSPACE;

/// Issues that are counted in one go.
const COUNTED_AT_ONCE: i64 = 500;

/// When the people of the seeded conversations are due to be read.
const DAY: Duration = Duration::from_hours(24);

/// Decisions that are under way at once.
const AT_ONCE: usize = 256;

/// Puts issues of the bound project into a database, looked through, each linked to the
/// conversations that `conversations` gives.
pub(crate) fn issues(
    bench: &Bench,
    database: &Database,
    issues: Range<usize>,
    conversations: impl Fn(usize) -> Vec<String>,
) -> anyhow::Result<()> {
    let open = Open {
        url: database.url.clone(),
        owner: "seed".to_owned(),
        first_token: 1,
        works_lanes: true,
    };
    bench.runtime.block_on(async {
        let store = Store::open(open).await.context("opening the database")?;
        let free = Arc::new(Semaphore::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        for issue in issues {
            let permit = Arc::clone(&free).acquire_owned().await?;
            let (store, conversations) = (store.clone(), conversations(issue));
            tasks.spawn(async move {
                let _permit = permit;
                one(&store, issue, &conversations).await
            });
            while let Some(done) = tasks.try_join_next() {
                done??;
            }
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        counted(&store).await?;
        store.close().await;
        Ok(())
    })
}

/// Counts the issues for the report, as a service that runs has long done: what is counted behind
/// an event is not to be the seed.
async fn counted(store: &Store) -> anyhow::Result<()> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let tomorrow = Millis(i64::try_from((since + DAY).as_millis())?);
    loop {
        let stale = store.asked_stale(COUNTED_AT_ONCE).await?;
        if stale.is_empty() {
            return Ok(());
        }
        store.recount_asked(stale, tomorrow).await?;
    }
}

async fn one(store: &Store, issue: usize, conversations: &[String]) -> anyhow::Result<()> {
    let (site, id) = (SiteName::new(SITE), IssueId::new(issue.to_string()));
    let event = NewEvent {
        source: EventSource::Command,
        connection: Connection::Site(site.clone()),
        delivery: format!("seed-{issue}"),
        lane: LaneKey::events(&site, &id),
        topic: "seed".to_owned(),
        received_at: Millis(1),
        body: "{}".into(),
        take: true,
        on_arrival: OnArrival::Queue,
    };
    let Accepted::Fresh {
        event,
        lease: Some(lease),
    } = store.accept(event).await?
    else {
        anyhow::bail!("the database is not empty");
    };
    let decided = Decided {
        issue: Some((site, id)),
        record: Some(IssueRecord {
            key: IssueKey::new(format!("{BOUND}-{issue}")),
            project: ProjectKey::new(BOUND),
            summary: format!("The cart forgets its vouchers ({issue})"),
            status: Some("To Do".to_owned()),
            scanned: true,
            deleted: false,
            links_version: 1,
        }),
        links: conversations
            .iter()
            .map(|conversation| link(conversation))
            .collect(),
        ..Decided::default()
    };
    let verdict = Verdict::Decided(Box::new(decided));
    let decision = Decision {
        lease,
        event,
        at: Millis(1),
        verdict,
        take_up_to: 0,
    };
    store.decide(decision).await?;
    Ok(())
}

/// A link that a person made.
fn link(conversation: &str) -> Link {
    Link {
        workspace: WorkspaceName::new(WORKSPACE),
        conversation: ConversationId::new(conversation),
        sources: vec![Source {
            origin: Origin::Command,
            since: Millis(1),
            overruled: false,
            hand: None,
        }],
        live: true,
        since: Millis(1),
        generation: 1,
        ended: None,
        ended_at: None,
    }
}
