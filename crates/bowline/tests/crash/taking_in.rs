//! The real process killed while it takes in what was tagged before, and while people go on tagging:
//! each tagged message has its ticket, once.

use std::path::Path;
use std::time::Duration;

use bowline::demo::{PATIENCE, Plan, World};
use bowline_sandbox::intercom::NewContact;
use bowline_store::testing::{Backend, Cluster, execute, texts};

use crate::process::{Starter, ready};
use crate::site;

/// Conversations that were tagged before the product was there: several pages of a search.
const BEFORE: usize = 400;

/// Conversations that are tagged while it goes on and is killed, in each round.
const TAGGED_EACH: usize = 6;

/// How often the process is killed.
const KILLS: usize = 6;

/// What a call takes at Intercom, in milliseconds: long enough that a kill meets every moment.
const LATENCY_MS: u64 = 8;

/// A tag of before counts only for a backfill: this long ago, in milliseconds.
const LONG_AGO_MS: i64 = 2 * 24 * 60 * 60 * 1_000;

fn plan(folder: &Path, backend: Backend) -> Plan {
    let mut plan = Plan::new(folder);
    plan.listen = bowline_sandbox::common::lasting_address();
    plan.intercom.latency_ms = LATENCY_MS;
    plan.intercom.webhook_retry_ms = 200;
    if backend == Backend::Postgres {
        plan.database_url = Some(Cluster::shared().database().unwrap());
    }
    plan
}

/// The only field of the only row, once there is one.
async fn one(url: &str, sql: &str) -> Option<String> {
    // The table may not be there yet, and SQLite may be busy.
    let rows = texts(url, sql).await.ok()?;
    rows.into_iter().next()?.into_iter().next()?
}

async fn number(url: &str, sql: &str) -> usize {
    let text = one(url, sql).await;
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let done = tokio::time::timeout(PATIENCE, looking).await;
    assert!(done.is_ok(), "never happened: {what}");
}

async fn killed_while_taking_in(backend: Backend) {
    const TICKETS: &str = "SELECT CAST(COUNT(*) AS TEXT) FROM ticket";
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(folder.path(), backend);
    let url = plan.database_url.clone().unwrap_or_else(|| {
        let file = folder.path().join("data/bowline.db");
        format!("sqlite:{}", file.display())
    });
    let service = plan.listen;
    let base = format!("http://{service}");
    let world = World::prepare(plan).await.unwrap();
    let intercom = &world.sandbox.intercom.state;
    let tag = intercom.create_tag("idea");
    let teammate = intercom.config().admins[1].id.clone();
    let path = &world.config_path;
    let text = std::fs::read_to_string(path).unwrap();
    let product = "[[product]]\nname = \"App\"\nworkspace = \"acme\"\ntags = [\"idea\"]\n";
    std::fs::write(path, format!("{text}\n{product}")).unwrap();
    let contact = intercom
        .create_contact(NewContact::user("Noa Lind", "noa@example.com"))
        .unwrap();
    let tagged = |number: usize| {
        let said = format!("Wish number {number}.");
        let conversation = intercom.create_conversation(&contact, &said).unwrap();
        let done = intercom.tag_message(&conversation, "source", &tag, &teammate);
        done.unwrap();
    };
    intercom.advance_clock(-LONG_AGO_MS);
    (0..BEFORE).for_each(tagged);
    intercom.advance_clock(LONG_AGO_MS);
    site::connect(&world, service);

    let starter = Starter::new(path, folder.path());
    let first = starter.start();
    until("the product's tag is known", async || {
        one(&url, "SELECT tag FROM product_tag").await.is_some()
    })
    .await;
    let begin = "INSERT INTO backfill (product, since, state, found, looked, made, who, at) \
        SELECT id, 1, 'running', 0, 0, 0, 'Ana', 1 FROM product";
    until("the backfill is begun", async || {
        execute(&url, begin).await.is_ok()
    })
    .await;
    let (mut process, mut all) = (first, BEFORE);
    for round in 0..KILLS {
        let before = number(&url, TICKETS).await;
        // People go on tagging, also while nobody is there to hear of it.
        for _ in 0..TAGGED_EACH {
            tagged(all);
            all += 1;
        }
        until("more tickets come", async || {
            number(&url, TICKETS).await > before + round % 3
        })
        .await;
        assert!(process.kill(), "it was alive");
        tagged(all);
        all += 1;
        process = starter.start();
    }
    until("each tagged message has a ticket", async || {
        number(&url, TICKETS).await >= all
    })
    .await;
    until("the backfill came to its end", async || {
        let state = one(&url, "SELECT state FROM backfill").await;
        state.as_deref() == Some("done")
    })
    .await;
    until("nothing waits", async || {
        let queued = "SELECT CAST(COUNT(*) AS TEXT) FROM event WHERE state = 0";
        number(&url, queued).await == 0
    })
    .await;
    let counted = "SELECT CAST(COUNT(*) AS TEXT), CAST(COUNT(DISTINCT conversation) AS TEXT) \
        FROM ticket";
    let all = Some(all.to_string());
    assert_eq!(texts(&url, counted).await.unwrap(), [[all.clone(), all]]);
    let made = number(&url, "SELECT CAST(made AS TEXT) FROM backfill").await;
    assert!(made >= BEFORE, "{made} by the backfill");
    // Nothing of it was written in Intercom.
    let wrote = intercom
        .journal()
        .count(|entry| entry.method == "POST" && entry.path.ends_with("/reply"));
    assert_eq!(wrote, 0);
    assert!(ready(intercom.sender(), &base).await.is_some());
    process.kill();
}

#[tokio::test]
async fn sqlite_taking_in_goes_on_after_each_kill() {
    killed_while_taking_in(Backend::Sqlite).await;
}

#[tokio::test]
async fn postgres_taking_in_goes_on_after_each_kill() {
    killed_while_taking_in(Backend::Postgres).await;
}
