//! `feedback`: pages of the inbox and full-text search over a million tickets.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use bowline_domain::feedback::ids::ProductId;
use bowline_domain::feedback::ticket::{Importance, Status};
use bowline_store::feedback::{AssigneeFilter, Sort, TicketQuery};
use bowline_store::testing::execute;
use bowline_store::{Open, Store};

use crate::Bench;
use crate::database::Kind;
use crate::percent::{ms, percentile};
use crate::table::Table;

/// Tickets.
const TICKETS: u64 = 1_000_000;

/// How often each page is asked for.
const TIMES: usize = 50;

/// Tickets on a page, as the inbox shows them.
const PAGE: usize = 50;

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    let tickets = bench.pick(TICKETS, 20_000);
    let mut table = Table::new(
        format!("feedback: a page of {PAGE} out of {tickets} tickets, in ms"),
        &["database", "page", "median", "95th percentile", "slowest"],
    );
    for kind in &bench.kinds {
        for row in measure(bench, *kind, tickets)? {
            table.row(row);
        }
    }
    table.print();
    Ok(())
}

fn measure(bench: &Bench, kind: Kind, tickets: u64) -> anyhow::Result<Vec<[String; 5]>> {
    let database = bench.databases.create(kind, &bench.runtime)?;
    bench.runtime.block_on(async {
        let store = Store::open(Open {
            url: database.url.clone(),
            owner: "bench".to_owned(),
            first_token: 1,
            works_lanes: false,
        })
        .await
        .context("opening the database")?;
        fill(&database.url, kind, tickets).await?;
        let mut rows = Vec::new();
        for (name, query) in pages(tickets) {
            let mut times: Vec<Duration> = Vec::with_capacity(TIMES);
            for _ in 0..bench.pick(TIMES, 5) {
                let began = Instant::now();
                let page = store.ticket_page(&query).await?;
                times.push(began.elapsed());
                let found = !page.rows.is_empty() || page.broken_off;
                anyhow::ensure!(found, "{name} found nothing");
            }
            rows.push([
                kind.name().to_owned(),
                name.to_owned(),
                ms(percentile(&mut times, 50)),
                ms(percentile(&mut times, 95)),
                ms(percentile(&mut times, 100)),
            ]);
        }
        store.close().await;
        Ok(rows)
    })
}

/// What is asked for. Words are common in a tenth of the tickets, or rare in a few.
fn pages(tickets: u64) -> Vec<(&'static str, TicketQuery)> {
    let open = || TicketQuery {
        statuses: vec![Status::New, Status::InReview, Status::Planned],
        limit: PAGE,
        ..TicketQuery::default()
    };
    let sorted = |sort| TicketQuery { sort, ..open() };
    let words = |text: &str| TicketQuery {
        text: Some(text.to_owned()),
        ..open()
    };
    let half = i64::try_from(tickets / 2).unwrap_or(i64::MAX);
    vec![
        ("open, newest", open()),
        ("open, by people", sorted(Sort::People)),
        ("open, by companies", sorted(Sort::Companies)),
        ("open, by spend", sorted(Sort::Spend)),
        (
            "of a product, by spend",
            TicketQuery {
                product: Some(ProductId(3)),
                ..sorted(Sort::Spend)
            },
        ),
        (
            "newest, from the middle on",
            TicketQuery {
                after: Some((half, half)),
                ..open()
            },
        ),
        (
            "all, by people",
            TicketQuery {
                statuses: Vec::new(),
                ..sorted(Sort::People)
            },
        ),
        (
            "of an assignee, by spend",
            TicketQuery {
                assignee: Some(AssigneeFilter::Person("agent7@example.com".to_owned())),
                ..sorted(Sort::Spend)
            },
        ),
        (
            "of high importance, newest",
            TicketQuery {
                importance: Some(Importance::High),
                ..open()
            },
        ),
        (
            "with a label, newest",
            TicketQuery {
                label: Some("label 3".to_owned()),
                ..open()
            },
        ),
        (
            "with a label that few have, by people",
            TicketQuery {
                label: Some("few".to_owned()),
                ..sorted(Sort::People)
            },
        ),
        ("words: in a third of all", words("please1")),
        (
            "words: in a third of all, of an assignee",
            TicketQuery {
                assignee: Some(AssigneeFilter::Person("agent6@example.com".to_owned())),
                ..words("please1")
            },
        ),
        (
            "words: in a third of all, by people",
            TicketQuery {
                sort: Sort::People,
                ..words("please1")
            },
        ),
        ("words: common", words("common3")),
        ("words: rare", words("rare17")),
        ("words: two of them", words("common3 middle42")),
        (
            "words: common, of a product, by spend",
            TicketQuery {
                product: Some(ProductId(3)),
                sort: Sort::Spend,
                ..words("common3")
            },
        ),
    ]
}

/// Fills the tables from within the database. Words, products and statuses go by different numbers, so
/// that each meets each.
async fn fill(url: &str, kind: Kind, tickets: u64) -> anyhow::Result<()> {
    let numbers = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {tickets})"
    );
    let text = "'\u{e000}' || (i % 10 + 1) || '\u{e000} common' || (i / 7 % 10) || ' middle' || (i % 1000) \
        || ' rare' || (i % 200000) || ' word' || (i % 77) || ' please' || (i % 3)";
    let words = match kind {
        Kind::Sqlite => text.to_owned(),
        Kind::Postgres => format!("array_to_tsvector(string_to_array({text}, ' '))"),
    };
    let products = "INSERT INTO product (workspace, name, live, declared, settings, made_at) \
        VALUES ('acme', 'P', 1, 0, '{}', 1)";
    execute(url, products).await?;
    let filled = [
        format!(
            "INSERT INTO ticket (product, workspace, conversation, part, piece, level, status, \
               importance, assignee, title, body, author, email, contact, company, company_name, \
               plan, own_spend, transcript, said_at, captured_at, people, companies, spend, \
               issues_made, version) \
             {numbers} SELECT i % 10 + 1, 'acme', CAST(i AS TEXT), 'source', 0, 'message', i / 11 % 5, \
               i * 7 % 4, CASE WHEN i % 3 = 0 THEN 'agent' || (i % 500) || '@example.com' END, \
               'Wish number ' || i, 'The text of wish number ' || i || ', of middling length.', \
               'Person ' || (i % 5000), NULL, 'c' || (i % 5000), 'o' || (i % 900), \
               'Company ' || (i % 900), 'Pro', i * 31 % 9973, '[]', i, i, i * 13 % 40, \
               i * 17 % 20, i * 31 % 99991, 0, 1 FROM n"
        ),
        format!(
            "INSERT INTO ticket_label (label, ticket) {numbers} \
             SELECT 'label ' || (i % 39), i FROM n WHERE i % 4 = 3"
        ),
        format!(
            "INSERT INTO ticket_label (label, ticket) {numbers} \
             SELECT 'few', i FROM n WHERE i % 9973 = 5"
        ),
        format!("INSERT INTO ticket_text (rowid, words) {numbers} SELECT i, {words} FROM n"),
        "INSERT INTO ticket_count (product, status, tickets) \
         SELECT product, status, COUNT(*) FROM ticket GROUP BY product, status"
            .to_owned(),
        "ANALYZE".to_owned(),
    ];
    for sql in filled {
        execute(url, &sql).await.context("filling the tables")?;
    }
    Ok(())
}
