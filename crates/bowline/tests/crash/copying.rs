//! The real process killed while it copies contacts: the next one goes on where it was.

use std::path::Path;
use std::time::Duration;

use bowline::demo::{PATIENCE, Plan, World};
use bowline_store::testing::{Backend, Cluster, texts};

use crate::process::{Starter, ready};

/// Contacts that the workspace has: more than all processes but the last can read.
const CONTACTS: u64 = 36_000;

/// How often the process is killed.
const KILLS: usize = 5;

/// Pages that a process reads at least before it is killed.
const PAGES_BETWEEN: usize = 4;

/// Pages that were read and not kept at most as a process dies: those of one transaction, and those
/// that wait before it.
const PAGES_LOST_MAX: usize = 16 + 16 + 8;

/// What a call takes at Intercom, in milliseconds: long enough that a kill meets every moment.
const LATENCY_MS: u64 = 12;

async fn texts_of(url: &str, sql: &str) -> Vec<Vec<String>> {
    // The table may not be there yet, and SQLite may be busy.
    let rows = texts(url, sql).await.unwrap_or_default();
    rows.into_iter()
        .map(|row| row.into_iter().map(Option::unwrap_or_default).collect())
        .collect()
}

/// How far the copy was kept, in contacts.
async fn position(url: &str) -> u64 {
    let rows = texts_of(url, "SELECT CAST(position AS TEXT) FROM contact_run").await;
    let position = rows.first().and_then(|row| row[0].parse().ok());
    position.unwrap_or_default()
}

fn plan(folder: &Path, backend: Backend) -> Plan {
    let mut plan = Plan::new(folder);
    plan.listen = bowline_sandbox::common::lasting_address();
    "\n[[contact_sync]]\nworkspace = \"acme\"\n".clone_into(&mut plan.top);
    plan.intercom.invented_contacts = CONTACTS;
    plan.intercom.latency_ms = LATENCY_MS;
    if backend == Backend::Postgres {
        plan.database_url = Some(Cluster::shared().database().unwrap());
    }
    plan
}

async fn killed_while_copying(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(folder.path(), backend);
    let url = plan.database_url.clone().unwrap_or_else(|| {
        let file = folder.path().join("data/bowline.db");
        format!("sqlite:{}", file.display())
    });
    let base = format!("http://{}", plan.listen);
    let world = World::prepare(plan).await.unwrap();
    let intercom = &world.sandbox.intercom.state;
    let starter = Starter::new(&world.config_path, folder.path());
    let pages = || intercom.journal().count(|entry| entry.path == "/contacts");
    let mut kept = 0;
    for round in 0..KILLS {
        let before = pages();
        let process = starter.start();
        let read = async {
            while pages() < before + PAGES_BETWEEN + round {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            // Each comes further than the one before it.
            loop {
                let position = position(&url).await;
                if position > kept {
                    kept = position;
                    return;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, read).await.unwrap();
        assert!(process.kill(), "it was alive");
    }
    let process = starter.start();
    let ended = async {
        loop {
            let sql = "SELECT state, CAST(fresh AS TEXT), CAST(updated AS TEXT), \
                CAST(position AS TEXT) FROM contact_run WHERE ended_at IS NOT NULL";
            if let Some(run) = texts_of(&url, sql).await.into_iter().next() {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let run = tokio::time::timeout(PATIENCE, ended).await.unwrap();
    let all = CONTACTS.to_string();
    assert_eq!(run, ["done", all.as_str(), "0", all.as_str()]);
    let counted =
        "SELECT CAST(COUNT(*) AS TEXT), CAST(COUNT(DISTINCT remote) AS TEXT) FROM contact";
    assert_eq!(texts_of(&url, counted).await, [[all.clone(), all]]);
    let runs = texts_of(&url, "SELECT CAST(COUNT(*) AS TEXT) FROM contact_run").await;
    assert_eq!(runs, [["1"]], "it is one run all the time");
    // It went on where it was.
    let begun = intercom.journal().count(|entry| {
        let query = entry.query.as_deref().unwrap_or_default();
        entry.path == "/contacts" && !query.contains("starting_after")
    });
    assert_eq!(begun, 1, "the list was begun once");
    // What was read and not committed is read again, and no more.
    let least = usize::try_from(CONTACTS.div_ceil(150)).unwrap();
    let most = least + KILLS * PAGES_LOST_MAX;
    assert!((least..=most).contains(&pages()), "{} calls", pages());
    assert!(ready(intercom.sender(), &base).await.is_some());
    process.kill();
}

#[tokio::test]
async fn sqlite_copying_goes_on_after_each_kill() {
    killed_while_copying(Backend::Sqlite).await;
}

#[tokio::test]
async fn postgres_copying_goes_on_after_each_kill() {
    killed_while_copying(Backend::Postgres).await;
}
