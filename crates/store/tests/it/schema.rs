//! The two schemas.

use std::collections::{BTreeMap, BTreeSet};

use bowline_store::testing::{Backend, Scratch, texts};
use bowline_store::{Open, Store, StoreError};

use crate::support::*;

on_both!(
    migrating_twice_changes_nothing,
    processes_that_start_together_migrate_once
);

async fn migrating_twice_changes_nothing(world: &World) {
    taken(&world.store, "1", "d1").await;
    let before = columns(world.backend, &world.url).await;
    let again = world.after_crash().await;
    assert_eq!(columns(world.backend, &world.url).await, before);
    assert_eq!(again.backlog().await.unwrap().events, 1);
    let steps = world
        .texts("SELECT CAST(step AS TEXT) FROM schema_step ORDER BY schema_step.step")
        .await;
    let steps: Vec<&str> = steps
        .iter()
        .flatten()
        .flatten()
        .map(String::as_str)
        .collect();
    assert_eq!(steps, numbers_of_files(), "each file is a step, once");
}

/// The numbers that the files of migrations begin with, in order.
fn numbers_of_files() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let files = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    let number = |name: &String| name.split('_').next().unwrap().parse::<i64>().unwrap();
    names.iter().map(|name| number(name).to_string()).collect()
}

async fn processes_that_start_together_migrate_once(world: &World) {
    let scratch = Scratch::new(world.backend);
    let all = ["a", "b", "c"].map(|owner| open(scratch.url(), owner, 1, false));
    let stores = futures_util::future::join_all(all).await;
    for store in stores {
        store.accept(event("1", "d1")).await.unwrap();
        store.close().await;
    }
}

/// Every column: (table, column) and (type, may it be null).
async fn columns(backend: Backend, url: &str) -> BTreeMap<(String, String), (String, bool)> {
    let sql = match backend {
        Backend::Sqlite => {
            "SELECT m.name, c.name, lower(c.type), \
               CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN 'NO' ELSE 'YES' END \
             FROM sqlite_master m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' \
               AND m.name NOT LIKE 'ticket_text%'"
        }
        Backend::Postgres => {
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text \
             FROM information_schema.columns WHERE table_schema = 'public' \
               AND table_name NOT LIKE 'ticket_text%'"
        }
    };
    let rows = texts(url, sql).await.unwrap();
    rows.into_iter()
        .filter(|row| !is_full_text(row[0].as_deref().unwrap()))
        .map(|row| {
            let mut row = row.into_iter().map(Option::unwrap);
            let mut next = || row.next().unwrap();
            let key = (next(), next());
            // SQLite spells the type of a key that it counts up in one way only.
            let kind = next().replace("integer", "bigint");
            (key, (kind, next() == "YES"))
        })
        .collect()
}

/// Full-text tables, and what SQLite makes for them, are the one thing that differs.
fn is_full_text(table: &str) -> bool {
    table.ends_with("_text") || table.contains("_text_")
}

/// Every index: its name and its table.
async fn indexes(backend: Backend, url: &str) -> BTreeSet<(String, String)> {
    let sql = match backend {
        Backend::Sqlite => {
            "SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        }
        Backend::Postgres => {
            "SELECT indexname::text, tablename::text FROM pg_indexes \
             WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey' \
               AND indexname NOT LIKE '%_key' AND tablename <> 'ticket_text'"
        }
    };
    let rows = texts(url, sql).await.unwrap();
    let text = |row: &[Option<String>], index: usize| row[index].clone().unwrap();
    rows.iter()
        .map(|row| (text(row, 0), text(row, 1)))
        .filter(|(_, table)| !is_full_text(table))
        .collect()
}

#[tokio::test]
async fn sqlite_and_postgres_have_the_same_schema() {
    let mut all = Vec::new();
    for backend in Backend::ALL {
        let scratch = Scratch::new(backend);
        let store = open(scratch.url(), "first", 1, false).await;
        let url = scratch.url();
        all.push((columns(backend, url).await, indexes(backend, url).await));
        store.close().await;
    }
    let (postgres, sqlite) = (all.pop().unwrap(), all.pop().unwrap());
    assert_eq!(sqlite.0, postgres.0);
    // The unique key of issues by key is called like PostgreSQL's own, so it is left out there.
    let named: BTreeSet<_> = sqlite
        .1
        .into_iter()
        .filter(|(name, _)| !name.ends_with("_key"))
        .collect();
    assert_eq!(named, postgres.1);
    assert!(sqlite.0.len() > 60, "the tables were found");
}

#[tokio::test]
async fn an_address_of_no_known_kind_is_refused() {
    for url in [
        "mysql://example.com/x",
        "bowline.db",
        "sqlite:",
        "sqlite::memory:",
    ] {
        let open = Open {
            url: url.to_owned(),
            owner: String::new(),
            first_token: 1,
            works_lanes: true,
        };
        let refused = Store::open(open).await.err();
        assert!(matches!(refused, Some(StoreError::Address(_))), "{url}");
    }
    let scratch = Scratch::new(Backend::Sqlite);
    let url = scratch.url().to_owned();
    let nameless = Open {
        url,
        owner: String::new(),
        first_token: 1,
        works_lanes: true,
    };
    assert!(matches!(
        Store::open(nameless).await.err(),
        Some(StoreError::Address(_))
    ));
}
