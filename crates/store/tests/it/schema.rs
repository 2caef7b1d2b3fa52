//! The two schemas, and the statements that are run on them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use bowline_store::testing::{Backend, Scratch, census, texts};
use bowline_store::{Open, Store, StoreError};

use crate::support::*;
use crate::{
    accepting, access, alerting, at_the_door, browsing, configuring, contact_removal, contact_runs,
    contacts, deciding, elsewhere, feedback, feedback_backfills, feedback_search, feedback_triage,
    forget, gathering, lanes, lost_connections, project_access, reading, readings, replays,
    reports, retention, settling, signing_in, taken_over, talk_browsing, talking, tallies, viewing,
};

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

/// Runs what makes the store run every statement.
async fn exercise(backend: Backend) {
    run(
        backend,
        retention::old_texts_are_taken_out_and_what_waits_keeps_its_own,
    )
    .await;
    run(
        backend,
        accepting::a_delivery_that_the_database_refuses_does_not_fail_its_neighbours,
    )
    .await;
    if backend == Backend::Postgres {
        lost_connections::an_answer_is_lost().await;
    }
    run(backend, deciding::all_of_a_decision_is_stored_together).await;
    run(
        backend,
        at_the_door::what_means_nothing_for_an_unlinked_issue_is_decided_at_once,
    )
    .await;
    run(
        backend,
        deciding::a_decision_about_an_event_that_does_not_wait_is_refused,
    )
    .await;
    run(backend, lanes::hastened_lanes_are_due_and_keep_their_order).await;
    run(backend, lanes::lanes_that_a_dead_process_held_are_found).await;
    run(backend, lanes::a_closed_store_lets_its_lanes_go).await;
    run(backend, lanes::a_replayed_event_waits_again).await;
    run(backend, lanes::a_renewed_lane_is_kept).await;
    run(backend, lanes::work_is_heard_of).await;
    run(
        backend,
        settling::what_follows_from_an_effect_waits_at_the_end_of_the_lane,
    )
    .await;
    run(backend, settling::a_remote_thing_that_we_made_is_ours).await;
    run(backend, taken_over::a_late_confirmation_counts_once).await;
    run(
        backend,
        taken_over::a_late_confirmation_stands_above_a_refusal,
    )
    .await;
    run(backend, viewing::events_are_listed_newest_first).await;
    run(backend, reading::facts_are_known_of_their_issue_only).await;
    run(backend, reading::an_issue_is_found_by_its_present_key).await;
    run(backend, reading::live_links_are_found_from_both_ends).await;
    run(backend, viewing::links_are_listed_by_what_is_asked).await;
    run(backend, viewing::the_backlog_counts_what_waits).await;
    run(backend, viewing::connections_are_kept).await;
    run(backend, viewing::bindings_are_kept).await;
    run(backend, access::the_first_owner_is_made_once).await;
    run(
        backend,
        access::an_account_is_changed_from_its_present_version_only,
    )
    .await;
    run(backend, access::an_invitation_is_used_once).await;
    run(backend, access::sessions_end).await;
    run(backend, access::people_and_sessions_are_read_in_parts).await;
    run(backend, access::tokens_end).await;
    run(backend, access::the_audit_log_is_read_newest_first).await;
    run(backend, access::a_named_write_is_made_once).await;
    run(
        backend,
        configuring::a_setting_is_changed_from_its_present_version_only,
    )
    .await;
    run(backend, configuring::a_setting_made_again_is_another_one).await;
    run(
        backend,
        configuring::secrets_are_sealed_anew_unless_they_changed,
    )
    .await;
    run(backend, browsing::deliveries_are_found_by_what_is_asked).await;
    run(backend, browsing::what_waits_and_what_fails_is_counted).await;
    run(backend, browsing::what_was_done_is_counted_by_day).await;
    run(backend, browsing::links_are_found_page_by_page).await;
    run(backend, browsing::what_is_asked_most_comes_first).await;
    run(
        backend,
        talking::a_conversation_is_stored_whole_and_read_back,
    )
    .await;
    run(backend, talk_browsing::conversations_are_found_page_by_page).await;
    run(backend, talk_browsing::end_users_are_found_page_by_page).await;
    run(
        backend,
        talk_browsing::a_transcript_holds_what_was_said_and_what_became_of_it,
    )
    .await;
    run(
        backend,
        talk_browsing::the_first_decision_about_a_message_stands,
    )
    .await;
    run(backend, talking::lines_stand_in_their_order_and_once).await;
    run(
        backend,
        talking::lines_of_one_moment_stand_as_they_were_written,
    )
    .await;
    run(backend, talking::what_couriers_find_out_is_kept).await;
    run(backend, talking::outbound_messages_are_followed).await;
    run(
        backend,
        talking::a_message_that_waits_for_more_is_not_taken_at_once,
    )
    .await;
    run(backend, talking::calls_and_looks_are_remembered).await;
    run(backend, contacts::what_intercom_tells_is_taken_in_once).await;
    run(backend, contacts::imported_people_are_joined_or_asked_about).await;
    run(
        backend,
        contacts::a_merge_moves_everything_and_keeps_where_they_went,
    )
    .await;
    run(backend, contacts::what_is_erased_does_not_come_back).await;
    run(
        backend,
        contacts::what_was_sent_about_who_is_erased_is_taken_out,
    )
    .await;
    run(
        backend,
        contacts::a_local_edit_counts_until_intercom_is_used_again,
    )
    .await;
    run(
        backend,
        contact_runs::a_run_goes_on_where_it_was_and_is_fenced,
    )
    .await;
    run(
        backend,
        contact_runs::what_was_copied_is_removed_and_can_be_copied_again,
    )
    .await;
    run(
        backend,
        contact_runs::who_was_erased_here_is_counted_until_intercom_deletes_them_too,
    )
    .await;
    run(
        backend,
        contacts::events_change_contacts_with_their_decision,
    )
    .await;
    run(
        backend,
        talking::an_identity_stays_with_the_first_who_has_it,
    )
    .await;
    run(
        backend,
        talking::people_decide_who_is_blocked_and_which_customer_they_are,
    )
    .await;
    run(backend, feedback::a_product_keeps_since_when_its_tags_count).await;
    run(
        backend,
        feedback::a_message_has_one_ticket_and_its_tags_are_followed,
    )
    .await;
    run(
        backend,
        feedback_search::tickets_are_found_by_what_is_asked_and_sorted_by_who_wants_them,
    )
    .await;
    run(
        backend,
        feedback_triage::merging_counts_people_once_and_can_be_undone,
    )
    .await;
    run(
        backend,
        feedback_triage::a_ticket_is_split_and_tied_to_issues,
    )
    .await;
    run(backend, feedback::what_is_erased_leaves_a_shell).await;
    run(backend, forget::what_was_written_of_what_is_erased_goes).await;
    run(backend, feedback_backfills::a_backfill_goes_its_way).await;
    run(backend, replays::a_replay_goes_its_way).await;
    run(
        backend,
        project_access::what_is_lacking_is_kept_with_its_time,
    )
    .await;
    run(backend, reports::a_connection_has_its_pace).await;
    run(backend, reports::the_report_counts_everybody_once).await;
    run(
        backend,
        reports::the_report_is_read_page_by_page_in_every_order,
    )
    .await;
    run(backend, reports::links_of_a_version_before_are_taken_up).await;
    run(backend, reports::the_report_is_found_by_status).await;
    run(
        backend,
        reports::links_follow_their_issue_to_another_project,
    )
    .await;
    run(
        backend,
        tallies::what_is_put_on_issues_is_kept_until_it_is_taken_off,
    )
    .await;
    run(backend, tallies::a_run_goes_through_each_issue_once).await;
    run(
        backend,
        feedback_backfills::who_gave_feedback_is_found_and_moves_when_they_are_merged,
    )
    .await;
    run(
        backend,
        contact_runs::who_is_not_met_in_a_list_is_asked_for_once,
    )
    .await;
    run(backend, contact_runs::choices_are_kept_for_who_made_them).await;
    run(
        backend,
        contact_runs::a_run_that_failed_stands_until_one_that_covers_it_succeeds,
    )
    .await;
    run(
        backend,
        contact_removal::who_was_imported_stays_though_intercom_has_them_too,
    )
    .await;
    run(backend, readings::what_was_read_is_kept).await;
    run(backend, readings::a_held_send_ends_once).await;
    run(backend, elsewhere::an_identity_is_one_accounts).await;
    run(backend, elsewhere::a_sign_in_is_used_once_and_forgotten).await;
    run(backend, gathering::a_note_takes_up_what_waits_behind_it).await;
    run(
        backend,
        feedback_search::words_of_very_many_tickets_are_found_to_the_last_one,
    )
    .await;
    run(
        backend,
        alerting::news_is_written_down_once_and_told_to_each_receiver_in_order,
    )
    .await;
    run(
        backend,
        signing_in::a_code_counts_once_and_wrong_ones_are_counted,
    )
    .await;
    run(
        backend,
        signing_in::who_is_half_way_comes_in_once_and_in_time,
    )
    .await;
    run(
        backend,
        signing_in::a_sealed_factor_is_sealed_anew_unless_it_changed,
    )
    .await;
    run(
        backend,
        signing_in::tries_to_sign_in_are_counted_by_all_processes_together,
    )
    .await;
}

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

/// Statements about the deliveries of lanes that SQLite begins elsewhere than with these lanes.
async fn deliveries_found_otherwise() -> Vec<String> {
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
async fn links_found_otherwise() -> Vec<String> {
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
async fn sorted_pages() -> Vec<String> {
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
async fn scans() -> (usize, Vec<String>) {
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
