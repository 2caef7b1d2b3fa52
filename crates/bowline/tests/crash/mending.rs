//! The real process killed while it mends: while it goes through Intercom's whole list, and while it
//! asks for those whom the list lacks. Afterwards both sides are the same.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use bowline::demo::{PATIENCE, Plan, World};
use bowline_sandbox::intercom::NewContact;
use bowline_store::testing::{Backend, Cluster, execute, texts};

use crate::process::{Starter, ready};

/// Users that the workspace has: pages enough that kills meet the middle of the list.
const USERS: u64 = 2_400;

/// Of each kind (deleted, archived, merged, new) while nobody told.
const OF_EACH: usize = 30;

/// How often the process is killed in each half of the work.
const KILLS: usize = 3;

/// What a call takes at Intercom, in milliseconds: long enough that a kill meets every moment.
const LATENCY_MS: u64 = 12;

fn plan(folder: &Path, backend: Backend) -> Plan {
    let mut plan = Plan::new(folder);
    plan.listen = bowline_sandbox::common::lasting_address();
    "\n[[contact_sync]]\nworkspace = \"acme\"\n".clone_into(&mut plan.top);
    plan.intercom.invented_contacts = USERS;
    plan.intercom.latency_ms = LATENCY_MS;
    if backend == Backend::Postgres {
        plan.database_url = Some(Cluster::shared().database().unwrap());
    }
    plan
}

async fn rows(url: &str, sql: &str) -> Vec<Vec<String>> {
    // The table may not be there yet, and SQLite may be busy.
    let rows = texts(url, sql).await.unwrap_or_default();
    rows.into_iter()
        .map(|row| row.into_iter().map(Option::unwrap_or_default).collect())
        .collect()
}

async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let done = tokio::time::timeout(PATIENCE, looking).await;
    assert!(done.is_ok(), "never happened: {what}");
}

async fn killed_while_mending(backend: Backend) {
    const MENDING: &str = "SELECT phase FROM contact_run WHERE kind = 'mend'";
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(folder.path(), backend);
    let url = plan.database_url.clone().unwrap_or_else(|| {
        let file = folder.path().join("data/bowline.db");
        format!("sqlite:{}", file.display())
    });
    let base = format!("http://{}", plan.listen);
    let world = World::prepare(plan).await.unwrap();
    let intercom = &world.sandbox.intercom.state;
    let leads: Vec<String> = (0..OF_EACH)
        .map(|number| {
            let lead = NewContact {
                lead: true,
                email: Some(format!("lead{number}@example.com")),
                ..NewContact::default()
            };
            intercom.create_contact(lead).unwrap()
        })
        .collect();
    let starter = Starter::new(&world.config_path, folder.path());
    let process = starter.start();
    until("all are copied", async || {
        !rows(&url, "SELECT kind FROM contact_run WHERE state = 'done'")
            .await
            .is_empty()
    })
    .await;
    assert!(process.kill(), "it was alive");

    // While it is down, and no webhook tells.
    // They are numbered from 1.
    let user = |number: usize| intercom.invented_contact(u64::try_from(number + 1).unwrap());
    let mut went: BTreeSet<String> = leads.iter().cloned().collect();
    for (number, lead) in leads.iter().enumerate() {
        let (deleted, archived) = (user(number), user(OF_EACH + number));
        intercom.delete_contact(&deleted).unwrap();
        intercom.archive_contact(&archived, true).unwrap();
        let into = user(2 * OF_EACH + number);
        intercom.merge_contacts(lead, &into).unwrap();
        let email = format!("new{number}@example.com");
        let new = NewContact::user("Told Nobody", &email);
        intercom.create_contact(new).unwrap();
        went.extend([deleted, archived]);
    }
    // As if a day had passed: the daily look is due, and what it leaves is mended.
    for sql in [
        "UPDATE contact_sync SET copied_at = 1, swept_at = 1, since = 1",
        "UPDATE contact_run SET ended_at = 1",
    ] {
        execute(&url, sql).await.unwrap();
    }

    let listed = || intercom.journal().count(|entry| entry.path == "/contacts");
    let asked = || {
        let of_one = |path: &str| path.starts_with("/contacts/") && path != "/contacts/search";
        intercom.journal().count(|entry| of_one(&entry.path))
    };
    let mut process = starter.start();
    until("mending begins", async || {
        !rows(&url, MENDING).await.is_empty()
    })
    .await;
    let before = listed();
    for round in 1..=KILLS {
        let so_far = listed();
        until("more of the list is read", async || {
            listed() > so_far + round
        })
        .await;
        assert!(process.kill(), "it was alive");
        process = starter.start();
    }
    until("those are asked for whom the list lacks", async || {
        rows(&url, MENDING).await == [["comparing"]]
    })
    .await;
    let read = listed() - before;
    for round in 1..=KILLS {
        let so_far = asked();
        until("more are asked for", async || asked() > so_far + 6 * round).await;
        assert!(process.kill(), "it was alive");
        process = starter.start();
    }
    until("mending ends", async || {
        let ended = "SELECT state FROM contact_run WHERE kind = 'mend' AND ended_at IS NOT NULL";
        rows(&url, ended).await == [["done"]]
    })
    .await;

    // Nothing is lost, nothing doubled, and both sides count the same.
    let all = intercom.contacts_listed().to_string();
    let each = OF_EACH.to_string();
    let lives = "SELECT CAST(life AS TEXT), CAST(COUNT(*) AS TEXT), \
        CAST(COUNT(DISTINCT remote) AS TEXT) FROM contact GROUP BY life ORDER BY life";
    let expected = [
        ["0", all.as_str(), all.as_str()],
        ["1", each.as_str(), each.as_str()],
        ["2", each.as_str(), each.as_str()],
    ];
    assert_eq!(rows(&url, lives).await, expected);
    let counted = "SELECT CAST(ours AS TEXT), CAST(theirs AS TEXT) FROM contact_sync";
    assert_eq!(rows(&url, counted).await, [[all.clone(), all]]);
    let aliases = "SELECT remote FROM contact_alias ORDER BY remote";
    let aliases: BTreeSet<String> = rows(&url, aliases).await.into_iter().flatten().collect();
    assert_eq!(aliases, leads.iter().cloned().collect());
    assert!(
        rows(&url, "SELECT remote FROM contact_met")
            .await
            .is_empty()
    );
    let runs = rows(&url, "SELECT kind FROM contact_run ORDER BY id").await;
    assert_eq!(runs, [["copy"], ["sweep"], ["mend"]]);

    // Each kill cost the pages and questions that were not committed, and no more.
    let pages = usize::try_from(intercom.contacts_listed().div_ceil(150)).unwrap();
    assert!(read <= pages + KILLS * 4, "{read} pages of {pages}");
    // Who is there was not asked for one by one, but for those that stay of two.
    let stays: BTreeSet<String> = (0..OF_EACH).map(|n| user(2 * OF_EACH + n)).collect();
    let journal = intercom.journal();
    let others = journal.count(|entry| {
        let id = entry.path.strip_prefix("/contacts/").unwrap_or_default();
        let known = |id: &str| went.contains(id) || stays.contains(id);
        !id.is_empty() && id != "search" && !known(id)
    });
    assert_eq!(others, 0);
    assert!(ready(intercom.sender(), &base).await.is_some());
    process.kill();
}

#[tokio::test]
async fn sqlite_mending_goes_on_after_each_kill() {
    killed_while_mending(Backend::Sqlite).await;
}

#[tokio::test]
async fn postgres_mending_goes_on_after_each_kill() {
    killed_while_mending(Backend::Postgres).await;
}
