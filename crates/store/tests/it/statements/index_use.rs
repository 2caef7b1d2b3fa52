//! How SQLite goes about statements: what its planner says of them.

use bowline_store::testing::{Backend, Scratch, census, texts};

use super::{MAY_SCAN, WAITING};
use crate::support::*;

/// Statements about the deliveries of lanes that SQLite begins elsewhere than with these lanes.
pub(super) async fn deliveries_found_otherwise() -> Vec<String> {
    let scratch = Scratch::new(Backend::Sqlite);
    open(scratch.url(), "first", 1, false).await.close().await;
    let (mut looked_at, mut otherwise) = (0, Vec::new());
    let all = census::statements(Backend::Sqlite);
    for sql in [
        "listing events",
        "looking through deliveries",
        "reading what agents were told",
    ]
    .iter()
    .flat_map(|doing| &all[*doing])
    .filter(|sql| sql.contains("lane = ") || sql.contains("lane IN "))
    {
        looked_at += 1;
        let explained = format!("EXPLAIN QUERY PLAN {sql}");
        for step in texts(scratch.url(), &explained).await.unwrap() {
            let step = step.last().cloned().flatten().unwrap_or_default();
            let found = step.starts_with("SEARCH event ") && !step.contains("(lane=?");
            // A page of one lane is read in order.
            let page = sql.starts_with("SELECT id, source") && sql.contains("lane = ");
            let sorted = page && step.contains("TEMP B-TREE");
            if found || step.starts_with("SCAN event") || sorted {
                otherwise.push(format!("{step} in {sql}"));
            }
        }
    }
    assert!(looked_at > 2, "{looked_at}");
    otherwise
}

/// Statements about the links of one issue that SQLite begins elsewhere than with that issue: with
/// an index in which all stands that is asked for it would go through a whole site.
pub(super) async fn links_found_otherwise() -> Vec<String> {
    let scratch = Scratch::new(Backend::Sqlite);
    open(scratch.url(), "first", 1, false).await.close().await;
    let (mut looked_at, mut otherwise) = (0, Vec::new());
    let all = census::statements(Backend::Sqlite);
    for sql in ["having conversations read", "counting an issue"]
        .iter()
        .flat_map(|doing| &all[*doing])
        .filter(|sql| sql.contains("FROM link"))
    {
        looked_at += 1;
        let explained = format!("EXPLAIN QUERY PLAN {sql}");
        for step in texts(scratch.url(), &explained).await.unwrap() {
            let step = step.last().cloned().flatten().unwrap_or_default();
            if step.contains("SEARCH link ") && !step.contains("issue=?") {
                otherwise.push(format!("{step} in {sql}"));
            }
        }
    }
    assert_eq!(looked_at, 2, "both were run");
    otherwise
}

/// Lists of pages that SQLite sorts, although they may be long: parts of people and sessions, and of
/// links all but those of one issue or conversation, and the one that puts two lists together that
/// are in their order.
pub(super) async fn sorted_pages() -> Vec<String> {
    let scratch = Scratch::new(Backend::Sqlite);
    open(scratch.url(), "first", 1, false).await.close().await;
    let (mut looked_at, mut sorted) = (0, Vec::new());
    let all = census::statements(Backend::Sqlite);
    let links = all["looking through links"]
        .iter()
        .filter(|sql| sql.contains("link.live + 0 = ") && !sql.contains("UNION ALL"));
    let parts = [
        "reading a part of the accounts",
        "listing a part of the sessions",
    ];
    for sql in links.chain(parts.iter().flat_map(|doing| &all[*doing])) {
        looked_at += 1;
        let explained = format!("EXPLAIN QUERY PLAN {sql}");
        for step in texts(scratch.url(), &explained).await.unwrap() {
            let step = step.last().cloned().flatten().unwrap_or_default();
            if step.contains("TEMP B-TREE") {
                sorted.push(format!("{step} in {sql}"));
            }
        }
    }
    assert!(looked_at > 4, "{looked_at}");
    sorted
}

/// How many statements were looked at on SQLite, and which look through a whole table.
pub(super) async fn scans() -> (usize, Vec<String>) {
    const TABLES: [&str; 37] = [
        "alert",
        "alert_send",
        "asked",
        "conversation_read",
        "participant",
        "person_read",
        "person_company",
        "company_spend",
        "reading",
        "link",
        "fact",
        "effect",
        "event",
        "lane",
        "issue",
        "attempt",
        "head",
        "end_user",
        "identity",
        "request",
        "line",
        "gathering",
        "outbound",
        "webhook_call",
        "contact",
        "contact_alias",
        "contact_conflict",
        "membership",
        "company",
        "ticket",
        "ticket_tag",
        "ticket_label",
        "ticket_history",
        "ticket_merge",
        "ticket_count",
        "feedback_file",
        "backfill",
    ];
    let scratch = Scratch::new(Backend::Sqlite);
    open(scratch.url(), "first", 1, false).await.close().await;
    let mut explained = 0;
    let mut scans = Vec::new();
    for (purpose, statements) in census::statements(Backend::Sqlite) {
        let control = ["starting a transaction", "committing", "rolling back"];
        if MAY_SCAN.contains(&purpose) || control.contains(&purpose) {
            continue;
        }
        for sql in statements {
            explained += 1;
            let plan = texts(scratch.url(), &format!("EXPLAIN QUERY PLAN {sql}"))
                .await
                .unwrap();
            for step in plan {
                let step = step.last().cloned().flatten().unwrap_or_default();
                let Some(rest) = step.strip_prefix("SCAN ") else {
                    continue;
                };
                // A partial index of what waits is no longer than what waits.
                let table = rest.split(' ').next().unwrap_or_default();
                if TABLES.contains(&table) && !WAITING.iter().any(|index| rest.ends_with(index)) {
                    scans.push(format!("{purpose}: {step} in {sql}"));
                }
            }
        }
    }
    (explained, scans)
}
