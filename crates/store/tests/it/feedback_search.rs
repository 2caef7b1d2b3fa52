//! Searching many tickets by words that very many of them have, on both databases.

use bowline_domain::feedback::ids::TicketId;
use bowline_domain::feedback::ticket::Status;
use bowline_store::feedback::{LOOKED_THROUGH_MAX, Sort, TicketPage, TicketQuery};
use bowline_store::testing::Backend;

use crate::support::{T0, World, on_both};

on_both!(words_of_very_many_tickets_are_found_to_the_last_one);

/// More than twice what a page looks through.
const TICKETS: usize = 25_000;

/// Tickets that all have the word “common”, of many people at many companies. All are new.
async fn fill(world: &World) {
    let numbers = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {TICKETS})"
    );
    let text = "'common odd' || (i % 2)";
    let words = match world.backend {
        Backend::Sqlite => text.to_owned(),
        Backend::Postgres => format!("array_to_tsvector(string_to_array({text}, ' '))"),
    };
    let product = "INSERT INTO product (workspace, name, live, declared, settings, made_at) \
        VALUES ('acme', 'P', 1, 0, '{}', 1)";
    let tickets = format!(
        "INSERT INTO ticket (product, workspace, conversation, part, piece, level, status, \
           importance, title, body, author, own_spend, transcript, said_at, captured_at, people, \
           companies, spend, issues_made, version) \
         {numbers} SELECT 1, 'acme', CAST(i AS TEXT), 'source', 0, 'message', 0, 0, 'Wish', 'Text', \
           'Person', 0, '[]', i, i, i % 100, 1, i % 7, 0, 1 FROM n"
    );
    let index =
        format!("INSERT INTO ticket_text (rowid, words) {numbers} SELECT i, {words} FROM n");
    for sql in [product, tickets.as_str(), index.as_str()] {
        world.execute(sql).await;
    }
}

fn sought(words: &str) -> TicketQuery {
    TicketQuery {
        text: Some(words.to_owned()),
        statuses: vec![Status::New],
        limit: 50,
        ..TicketQuery::default()
    }
}

fn ids(page: &TicketPage) -> Vec<i64> {
    page.rows.iter().map(|row| row.id.0).collect()
}

/// Goes on to the end. Answers what was found, and how many pages it took.
async fn to_the_end(world: &World, mut query: TicketQuery) -> (Vec<i64>, usize) {
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let page = world.store.ticket_page(&query).await.unwrap();
        found.extend(ids(&page));
        pages += 1;
        assert!(pages < TICKETS, "it ends");
        match page.next {
            Some(next) => query.after = Some(next),
            None => return (found, pages),
        }
    }
}

async fn words_of_very_many_tickets_are_found_to_the_last_one(world: &World) {
    fill(world).await;
    let store = &world.store;
    let many = i64::try_from(TICKETS).unwrap();
    let first = store.ticket_page(&sought("comm")).await.unwrap();
    assert_eq!(ids(&first), ((many - 49)..=many).rev().collect::<Vec<_>>());
    assert!(!first.broken_off && first.next == Some((many - 49, many - 49)));

    // The oldest of all is the only one like that: pages without any lead there.
    world
        .execute("UPDATE ticket SET status = 3 WHERE id = 2")
        .await;
    let done = TicketQuery {
        statuses: vec![Status::Done],
        ..sought("common")
    };
    let nothing_yet = store.ticket_page(&done).await.unwrap();
    assert!(nothing_yet.rows.is_empty() && nothing_yet.broken_off);
    let (found, pages) = to_the_end(world, done).await;
    assert_eq!((found, pages), (vec![2], 3));

    // Each is there once, and none is left out.
    let by_hundreds = TicketQuery {
        limit: 1_000,
        ..sought("odd1")
    };
    let (found, _) = to_the_end(world, by_hundreds).await;
    let odd: Vec<i64> = (1..=many).rev().filter(|id| id % 2 == 1).collect();
    assert_eq!(found, odd);

    // Others are put in order among the newest that have the words, and the page says so.
    let by_people = TicketQuery {
        sort: Sort::People,
        ..sought("common")
    };
    let most = store.ticket_page(&by_people).await.unwrap();
    assert!(most.broken_off);
    assert!(most.rows.iter().all(|row| row.people == 99));
    let oldest = many - i64::try_from(LOOKED_THROUGH_MAX).unwrap();
    assert!(most.rows.iter().all(|row| row.id.0 > oldest));
    let (all, _) = to_the_end(
        world,
        TicketQuery {
            limit: 5_000,
            ..by_people
        },
    )
    .await;
    assert_eq!(all.len(), LOOKED_THROUGH_MAX);

    // A group stands where its newest ticket with the words is, and nowhere else.
    let (new, old) = (TicketId(many - 60), TicketId(11));
    let by = ("Ana".to_owned(), T0);
    let merged = store.merge_tickets((new, old), by, Vec::new()).await;
    merged.unwrap().unwrap();
    let by_thousands = TicketQuery {
        limit: 2_000,
        ..sought("common")
    };
    let (found, _) = to_the_end(world, by_thousands).await;
    let places: Vec<usize> = found
        .iter()
        .enumerate()
        .filter(|(_, id)| **id == old.0)
        .map(|(place, _)| place)
        .collect();
    assert_eq!(places, [60]);
    assert_eq!(found.len(), TICKETS - 2);
    assert!(!found.contains(&new.0));
}
