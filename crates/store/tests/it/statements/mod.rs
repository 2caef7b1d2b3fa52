//! The statements that are run on the schemas: all of them are, and those that run often use indexes.

mod exercise;
mod index_use;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bowline_store::testing::{Backend, census};

use exercise::exercise;
use index_use::{deliveries_found_otherwise, links_found_otherwise, scans, sorted_pages};

/// What stands before the purpose of a statement.
const OPENINGS: [&str; 10] = [
    ".rows(",
    ".rows_with_words(",
    ".rows_of_many(",
    ".only_rows_of_many(",
    ".ids_of_many(",
    ".ids_of_new(",
    ".changed_of_each(",
    ".run(",
    "insert_rows(conn,",
    "let doing = ",
];

/// What the sources say that statements are for: the text after `.rows(`, `.run(` and the like.
fn purposes() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.ends_with("src/sqlite.rs") {
                // The driver: what it runs itself has no purpose of its own.
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            // What tests of a part run is not the store's.
            let source = source.split("#[cfg(test)]").next().unwrap();
            for opening in OPENINGS {
                for (at, _) in source.match_indices(opening) {
                    let rest = source[at + opening.len()..].trim_start();
                    if let Some(rest) = rest.strip_prefix('"') {
                        found.insert(rest.split('"').next().unwrap().to_owned());
                    }
                }
            }
        }
    }
    found
}

/// Purposes of which no statement is run on one of the databases, with the reason.
const ONE_SIDED: [(&str, Backend, &str); 15] = [
    (
        "counting work into lanes",
        Backend::Postgres,
        "with idle lanes, in one statement",
    ),
    (
        "looking for links",
        Backend::Postgres,
        "with the delivery, in one statement",
    ),
    (
        "recording attempts",
        Backend::Postgres,
        "with the effect and its lane, in one statement",
    ),
    (
        "finishing work in lanes",
        Backend::Postgres,
        "with what was done, in one statement",
    ),
    (
        "recording facts",
        Backend::Postgres,
        "with outcomes, in one statement",
    ),
    (
        "looking for effects",
        Backend::Postgres,
        "with outcomes, in one statement",
    ),
    ("opening the SQLite file", Backend::Sqlite, "no statement"),
    ("opening the SQLite file", Backend::Postgres, "no statement"),
    ("reaching PostgreSQL", Backend::Sqlite, "no statement"),
    ("reaching PostgreSQL", Backend::Postgres, "no statement"),
    ("reaching the database", Backend::Sqlite, "no statement"),
    ("reaching the database", Backend::Postgres, "no statement"),
    ("waking others", Backend::Sqlite, "it has one process"),
    (
        "merging words into their index",
        Backend::Sqlite,
        "no words wait there",
    ),
    (
        "freeing lanes",
        Backend::Postgres,
        "others may live; only own lanes are freed",
    ),
];

/// Indexes of no more than what waits, fails, was refused or was erased.
const WAITING: [&str; 13] = [
    "alert_send_waiting",
    "asked_stale",
    "asked_unread",
    "effect_held",
    "lane_waiting",
    "lane_owner",
    "event_waiting",
    "event_quarantined",
    "effect_waiting",
    "effect_rejected",
    "lane_failing",
    "backfill_running",
    "ticket_erased",
];

/// Statements that may look through a whole table on SQLite: what people ask for now and then.
const MAY_SCAN: [&str; 16] = [
    "reading settings",
    "reading active conversations",
    "counting conversations for a page",
    "listing events",
    "listing links",
    "hastening lanes",
    "reading connections",
    "reading bindings",
    "migrating the database",
    // One row, from the end.
    "finding the latest delivery",
    "finding the latest effect",
    "finding the latest attempt",
    // In the order of an index, up to the end of a page.
    "looking through conversations",
    "looking through end users",
    "finding what is asked most",
    // One row for each product and status.
    "reading how many tickets there are",
];

#[tokio::test]
async fn every_statement_is_run_on_sqlite_and_postgres_and_hot_ones_use_indexes() {
    let purposes = purposes();
    assert!(purposes.len() > 40, "the sources were read: {purposes:?}");
    for backend in Backend::ALL {
        exercise(backend).await;
        let seen = census::statements(backend);
        let missing: Vec<&String> = purposes
            .iter()
            .filter(|purpose| !seen.contains_key(purpose.as_str()))
            .filter(|purpose| {
                !ONE_SIDED
                    .iter()
                    .any(|(known, on, _)| known == purpose && *on == backend)
            })
            .collect();
        assert!(missing.is_empty(), "never run on {backend:?}: {missing:?}");
    }
    let (explained, scans) = scans().await;
    assert!(explained > 50, "{explained}");
    assert_eq!(scans, Vec::<String>::new());
    assert_eq!(sorted_pages().await, Vec::<String>::new());
    assert_eq!(links_found_otherwise().await, Vec::<String>::new());
    assert_eq!(deliveries_found_otherwise().await, Vec::<String>::new());
}
