//! Finding tickets on both databases: by what is asked, in the order that is asked for, and by words
//! that very many of them have.

use bowline_domain::feedback::ids::TicketId;
use bowline_domain::feedback::ticket::{Importance, Status};
use bowline_store::feedback::{
    AssigneeFilter, LOOKED_THROUGH_MAX, Sort, TicketChange, TicketPage, TicketQuery,
};
use bowline_store::testing::Backend;

use crate::feedback::{by, counts, entry, found, made, person, product};
use crate::support::{T0, World, on_both};

on_both!(
    tickets_are_found_by_what_is_asked_and_sorted_by_who_wants_them,
    words_of_very_many_tickets_are_found_to_the_last_one
);

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

pub(crate) async fn words_of_very_many_tickets_are_found_to_the_last_one(world: &World) {
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

pub(crate) async fn tickets_are_found_by_what_is_asked_and_sorted_by_who_wants_them(world: &World) {
    let store = &world.store;
    let (app, web) = (product(store, "App").await, product(store, "Web").await);
    let one = made(
        store,
        app,
        "1",
        "A dark mode please",
        person("a", Some(("x", 10))),
    )
    .await;
    let two = made(store, app, "2", "Größere Schrift, bitte", person("b", None)).await;
    let three = made(
        store,
        web,
        "3",
        "Dark theme for the web",
        person("c", Some(("y", 500))),
    )
    .await;
    let all = [three.0, two.0, one.0];
    assert_eq!(found(store, TicketQuery::default()).await, all);
    for (sort, wanted) in [
        (Sort::Spend, [three.0, one.0, two.0]),
        (Sort::Companies, [three.0, one.0, two.0]),
        (Sort::People, all),
    ] {
        let query = TicketQuery {
            sort,
            ..TicketQuery::default()
        };
        assert_eq!(found(store, query.clone()).await, wanted, "{sort:?}");
        // Page by page it is the same.
        let mut paged = Vec::new();
        let mut next = TicketQuery { limit: 1, ..query };
        loop {
            let page = store.ticket_page(&next).await.unwrap();
            paged.extend(page.rows.iter().map(|row| row.id.0));
            match page.next {
                Some(place) => next.after = Some(place),
                None => break,
            }
        }
        assert_eq!(paged, wanted, "{sort:?} in pages");
    }
    let triage = async |id: TicketId, change: TicketChange| {
        store
            .triage(
                (vec![id], change),
                by(),
                Vec::new(),
                vec![entry("tickets_changed")],
            )
            .await
            .unwrap()
            .unwrap()
    };
    assert_eq!(triage(one, TicketChange::Status(Status::Planned)).await, 1);
    assert_eq!(triage(one, TicketChange::Status(Status::Planned)).await, 0);
    assert_eq!(
        triage(one, TicketChange::AddLabel("design".to_owned())).await,
        1
    );
    assert_eq!(
        triage(one, TicketChange::AddLabel("design".to_owned())).await,
        0
    );
    triage(two, TicketChange::AddLabel("apps".to_owned())).await;
    triage(two, TicketChange::RemoveLabel("apps".to_owned())).await;
    let ada = Some("ada@example.com".to_owned());
    assert_eq!(triage(three, TicketChange::Assign(ada.clone())).await, 1);
    assert_eq!(triage(three, TicketChange::Assign(ada)).await, 0);
    triage(three, TicketChange::Importance(Importance::High)).await;
    assert_eq!(
        triage(TicketId(999), TicketChange::Status(Status::Done)).await,
        0
    );
    assert_eq!(counts(store).await, [2, 0, 1, 0, 0]);
    let of = |status: Status| TicketQuery {
        statuses: vec![status],
        ..TicketQuery::default()
    };
    let sought = |text: &str| TicketQuery {
        text: Some(text.to_owned()),
        ..TicketQuery::default()
    };
    for (query, wanted) in [
        (of(Status::Planned), vec![one.0]),
        (
            TicketQuery {
                product: Some(web),
                ..TicketQuery::default()
            },
            vec![three.0],
        ),
        (
            TicketQuery {
                label: Some("design".to_owned()),
                ..TicketQuery::default()
            },
            vec![one.0],
        ),
        (
            TicketQuery {
                importance: Some(Importance::High),
                ..TicketQuery::default()
            },
            vec![three.0],
        ),
        (
            TicketQuery {
                assignee: Some(AssigneeFilter::Nobody),
                ..TicketQuery::default()
            },
            vec![two.0, one.0],
        ),
        (
            TicketQuery {
                assignee: Some(AssigneeFilter::Person("ada@example.com".to_owned())),
                ..TicketQuery::default()
            },
            vec![three.0],
        ),
        (sought("dark"), vec![three.0, one.0]),
        (sought("DAR mod"), vec![one.0]),
        (sought("größ"), vec![two.0]),
        (sought("company x"), vec![one.0]),
        (sought("b@example.com"), vec![two.0]),
        (sought("nothing"), vec![]),
        (sought(&format!("\u{e000}{app}\u{e000}")), vec![]),
        (sought("\"' ) OR *:* --"), vec![]),
        (sought(" !! "), vec![]),
        (
            TicketQuery {
                product: Some(app),
                ..sought("dark")
            },
            vec![one.0],
        ),
        (
            TicketQuery {
                statuses: vec![Status::New],
                ..sought("dark")
            },
            vec![three.0],
        ),
    ] {
        assert_eq!(found(store, query.clone()).await, wanted, "{query:?}");
    }
    assert_eq!(store.ticket_labels().await.unwrap(), ["design"]);
    let labelled = store
        .ticket_page(&TicketQuery {
            limit: 3,
            ..of(Status::Planned)
        })
        .await
        .unwrap();
    assert_eq!(labelled.rows[0].labels, ["design"]);
    let words = ["dark".to_owned(), "schrift".to_owned()];
    let similar = store.tickets_with_words(app, &words, 10).await.unwrap();
    assert_eq!(similar.len(), 2);
    assert!(store.assignees().await.unwrap().is_empty());
    let per_product = store.ticket_counts(Some(app)).await.unwrap();
    assert_eq!(per_product[0], (Status::New, 1));
}
