//! How far behind a connection is, and what is asked for, on both databases.

use bowline_domain::contacts::ids::RemoteContactId;
use bowline_domain::ids::{ConversationId, IssueId, SiteName, WorkspaceName};
use bowline_domain::link::{Link, LinkEnd};
use bowline_domain::state::IssueRecord;
use bowline_domain::time::Millis;
use bowline_store::asked::{Asked, AskedCursor, AskedOrder, AskedQuery, Came, Spending};

use bowline_store::browse::LinkQuery;
use bowline_store::contacts::{ContactChange, ContactChanges};
use bowline_store::model::{Decided, StatusSeen};

use crate::reading::keep;
use crate::support::*;

on_both!(
    a_connection_has_its_pace,
    the_report_counts_everybody_once,
    the_report_is_read_page_by_page_in_every_order,
    links_of_a_version_before_are_taken_up,
    the_report_is_found_by_status,
    links_follow_their_issue_to_another_project
);

async fn all(world: &World, query: &AskedQuery) -> Vec<Asked> {
    let query = AskedQuery {
        limit: 1_000,
        ..query.clone()
    };
    world.store.asked_page(&query).await.unwrap()
}

/// Counts until nothing is stale.
async fn count(world: &World) {
    loop {
        let stale = world.store.asked_stale(10).await.unwrap();
        if stale.is_empty() {
            return;
        }
        world.store.recount_asked(stale, T0).await.unwrap();
    }
}

fn spends(company: &str, spend: i64) -> Spending {
    Spending {
        company: company.to_owned(),
        spend,
    }
}

/// Records who is in a conversation.
async fn within(world: &World, conversation: &str, people: &[&str]) {
    let came = Came::Read(people.iter().map(|&one| one.to_owned()).collect());
    let place = (workspace(), ConversationId::new(conversation));
    let times = (T0, T0.plus_ms(1_000_000));
    let put = world.store.put_participants(place, came, times);
    put.await.unwrap();
}

async fn belongs(world: &World, contact: &str, companies: Vec<Spending>) {
    let place = (workspace(), contact.to_owned());
    let times = (T0, T0.plus_ms(1_000_000));
    let put = world
        .store
        .put_companies_of(place, Came::Read(companies), times);
    put.await.unwrap();
}

pub(crate) async fn the_report_counts_everybody_once(world: &World) {
    let store = &world.store;
    let live = AskedQuery::default();
    keep(
        world,
        "10",
        Some(record("ENG-1")),
        vec![link("7"), link("8")],
    )
    .await;
    let [fresh] = all(world, &live).await.try_into().unwrap();
    assert_eq!((fresh.conversations, fresh.unread), (2, 2), "at once");
    count(world).await;
    assert_eq!(store.asked_known().await.unwrap().issues, 1);

    // What is due is claimed once.
    let until = T0.plus_ms(5_000);
    assert!(store.asked_due(T0).await.unwrap());
    let due = store.claim_unread((T0, until), 50).await.unwrap();
    assert_eq!((due.conversations.len(), due.people.len()), (2, 0));
    assert!(!store.asked_due(T0).await.unwrap());
    let again = store.claim_unread((T0, until), 50).await.unwrap();
    assert!(again.conversations.is_empty());

    within(world, "7", &["noa", "ben", "noa"]).await;
    let failed: Came<Vec<String>> = Came::Failed("away".to_owned());
    let place = (workspace(), ConversationId::new("8"));
    store
        .put_participants(place, failed, (T0, until))
        .await
        .unwrap();
    count(world).await;
    let [now] = all(world, &live).await.try_into().unwrap();
    assert_eq!(
        (now.contacts, now.unread),
        (2, 3),
        "one conversation, two people"
    );

    within(world, "8", &["noa"]).await;
    let due = store.claim_unread((T0, until), 50).await.unwrap();
    assert_eq!(due.people.len(), 2);
    belongs(world, "noa", vec![spends("c1", 10_050), spends("c2", 300)]).await;
    belongs(world, "ben", vec![spends("c1", 10_050)]).await;
    count(world).await;
    let [now] = all(world, &live).await.try_into().unwrap();
    let counted = (now.contacts, now.companies, now.spend, now.unread);
    assert_eq!(counted, (2, 2, 10_350, 0));
    assert_eq!(store.asked_known().await.unwrap().issues, 0);

    // Another conversation is linked: what is there is due when somebody looks.
    keep(world, "10", None, vec![link("9")]).await;
    count(world).await;
    store
        .hasten_asked(vec![(site(), IssueId::new("10"))])
        .await
        .unwrap();
    let due = store.claim_unread((Millis(0), until), 50).await.unwrap();
    assert_eq!(due.conversations, [(workspace(), ConversationId::new("9"))]);

    // Who is erased is counted no more, and does not come back.
    erased(world, "noa").await;
    within(world, "8", &["noa"]).await;
    count(world).await;
    let [now] = all(world, &live).await.try_into().unwrap();
    assert_eq!((now.contacts, now.companies, now.spend), (1, 1, 10_050));

    // Links that end take everybody along, and what nobody needs is forgotten.
    let ended = |id| Link {
        live: false,
        ended: Some(LinkEnd::ByHand),
        ..link(id)
    };
    keep(world, "10", None, vec![ended("7"), ended("8"), ended("9")]).await;
    count(world).await;
    assert!(all(world, &live).await.is_empty());
    let before = AskedQuery {
        live: false,
        ..live
    };
    let [now] = all(world, &before).await.try_into().unwrap();
    assert_eq!((now.conversations, now.contacts, now.spend), (0, 0, 0));
    let late = T0.plus_ms(2_000_000);
    for _ in 0..2 {
        let due = store
            .claim_unread((late, late.plus_ms(1)), 50)
            .await
            .unwrap();
        assert!(due.conversations.is_empty(), "{due:?}");
    }
    let left = world
        .texts("SELECT contact FROM participant UNION ALL SELECT contact FROM person_read")
        .await;
    assert!(left.is_empty(), "{left:?}");
}

pub(crate) async fn the_report_is_read_page_by_page_in_every_order(world: &World) {
    for number in 0..7 {
        let id = (10 + number).to_string();
        let links = (0..=number % 3).map(|n| link(&format!("{number}{n}")));
        keep(
            world,
            &id,
            Some(record(&format!("ENG-{number}"))),
            links.collect(),
        )
        .await;
        let person = format!("p{number}");
        within(world, &format!("{number}0"), &[&person]).await;
        belongs(
            world,
            &person,
            vec![spends(&format!("c{}", number % 4), number % 4)],
        )
        .await;
    }
    count(world).await;
    let known = record("ENG-1");
    for order in AskedOrder::ALL {
        for ascending in [true, false] {
            for project in [None, Some(known.project.clone())] {
                let query = AskedQuery {
                    site: project.is_some().then(site),
                    project,
                    order,
                    ascending,
                    limit: 3,
                    ..AskedQuery::default()
                };
                let whole = all(world, &query).await;
                assert_eq!(whole.len(), 7);
                let values: Vec<i64> = whole.iter().map(|row| order.value(row)).collect();
                assert!(
                    values.is_sorted_by(|a, b| if ascending { a <= b } else { a >= b }),
                    "{values:?}"
                );
                let (mut parts, mut after) = (Vec::new(), None);
                loop {
                    let part = AskedQuery {
                        after,
                        ..query.clone()
                    };
                    let part = world.store.asked_page(&part).await.unwrap();
                    after = part.last().map(|last| AskedCursor::after(last, order));
                    if part.is_empty() {
                        break;
                    }
                    parts.extend(part);
                }
                assert_eq!(parts, whole, "{order:?}");
            }
        }
    }
    let other = AskedQuery {
        site: Some(SiteName::new("other")),
        ..AskedQuery::default()
    };
    assert!(all(world, &other).await.is_empty());
    let nobody = store_copy(world).await;
    assert_eq!(nobody, None, "contacts are not copied");
}

/// Intercom tells that a contact was deleted.
async fn erased(world: &World, contact: &str) {
    let (event, lease) = taken(&world.store, "99", "erased").await;
    let decided = Decided {
        contacts: Some(Box::new(ContactChanges {
            workspace: workspace(),
            changes: vec![ContactChange::Erase(RemoteContactId::new(contact))],
            at: T0,
        })),
        ..Decided::default()
    };
    decide(&world.store, &lease, event, decided).await.unwrap();
}

async fn store_copy(world: &World) -> Option<Vec<Spending>> {
    let workspace: WorkspaceName = workspace();
    world
        .store
        .copied_companies(&workspace, "p1")
        .await
        .unwrap()
}

/// The issues of a status, each by its number.
async fn with_status(world: &World, status: &str, change: fn(&mut AskedQuery)) -> Vec<String> {
    let mut query = AskedQuery {
        status: Some(status.to_owned()),
        ..AskedQuery::default()
    };
    change(&mut query);
    let found = all(world, &query).await.into_iter();
    found.map(|asked| asked.issue.to_string()).collect()
}

pub(crate) async fn the_report_is_found_by_status(world: &World) {
    let store = &world.store;
    let of = |key: &str, status: &str| IssueRecord {
        status: Some(status.to_owned()),
        ..record(key)
    };
    for (id, status) in [("10", "To Do"), ("11", "Done"), ("12", "Done")] {
        let record = of(&format!("ENG-{id}"), status);
        keep(world, id, Some(record), vec![link(id)]).await;
    }
    let known = async |live| store.asked_statuses(live).await.unwrap();
    assert_eq!(known(true).await, ["Done", "To Do"]);
    assert!(known(false).await.is_empty());
    assert_eq!(with_status(world, "Done", |_| ()).await, ["11", "12"]);
    let in_project = |query: &mut AskedQuery| {
        query.site = Some(site());
        query.project = Some(record("ENG-1").project);
        query.order = AskedOrder::Last;
        query.ascending = false;
    };
    assert_eq!(with_status(world, "Done", in_project).await, ["12", "11"]);
    let of_site = |query: &mut AskedQuery| query.site = Some(site());
    assert_eq!(with_status(world, "To Do", of_site).await, ["10"]);
    assert!(with_status(world, "Lost", |_| ()).await.is_empty());

    // It follows the record, and what is seen beside it, unless something newer was recorded.
    let (event, lease) = taken(store, "10", "transition").await;
    let decided = Decided {
        issue: Some((site(), IssueId::new("10"))),
        record: Some(of("ENG-10", "In Progress")),
        transitioned: true,
        ..Decided::default()
    };
    decide(store, &lease, event, decided).await.unwrap();
    assert_eq!(known(true).await, ["Done", "In Progress"]);
    let seen = |issue: &str, before: &str| StatusSeen {
        issue: IssueId::new(issue),
        before: before.to_owned(),
        now: "Closed".to_owned(),
    };
    let both = vec![seen("10", "To Do"), seen("11", "Done")];
    store.follow_statuses(site(), both).await.unwrap();
    assert_eq!(known(true).await, ["Closed", "Done", "In Progress"]);
    let linked = store.linked_issues(&site(), None, 10).await.unwrap();
    let statuses: Vec<&str> = linked.iter().map(|one| one.status.as_str()).collect();
    assert_eq!(statuses, ["In Progress", "Closed", "Done"]);
    count(world).await;
    assert_eq!(with_status(world, "Closed", |_| ()).await, ["11"]);

    // Of very many of one status, a page is read in its order; the same ones, the same cursors.
    world
        .execute(
            "INSERT INTO asked (site, issue, project, live, conversations, contacts, companies, \
               spend, last_at, unread, stale, status) \
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1200) \
             SELECT 'jira', 'x' || n, 'ENG', 1, n, 0, 0, 0, n, 0, 0, 'Done' FROM n",
        )
        .await;
    let mut query = AskedQuery {
        status: Some("Done".to_owned()),
        order: AskedOrder::Last,
        limit: 400,
        ..AskedQuery::default()
    };
    let mut found = Vec::new();
    loop {
        let part = store.asked_page(&query).await.unwrap();
        let Some(last) = part.last() else { break };
        query.after = Some(AskedCursor::after(last, query.order));
        found.extend(part.into_iter().map(|asked| asked.issue.to_string()));
    }
    assert_eq!(found.len(), 1_201);
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), 1_201, "each once");
}

/// The conversations of a project's links.
async fn links_in(world: &World, project: &str) -> Vec<String> {
    let query = LinkQuery {
        site: Some(site()),
        project: Some(project.into()),
        limit: 10,
        ..LinkQuery::default()
    };
    let found = world.store.link_page(&query).await.unwrap().into_iter();
    found
        .map(|view| view.link.conversation.to_string())
        .collect()
}

pub(crate) async fn links_follow_their_issue_to_another_project(world: &World) {
    keep(world, "10", Some(record("ENG-1")), vec![link("7")]).await;
    assert_eq!(links_in(world, "ENG").await, ["7"]);
    let (event, lease) = taken(&world.store, "10", "moved").await;
    let decided = Decided {
        issue: Some((site(), IssueId::new("10"))),
        record: Some(IssueRecord {
            project: "OPS".into(),
            ..record("OPS-1")
        }),
        moved: true,
        ..Decided::default()
    };
    decide(&world.store, &lease, event, decided).await.unwrap();
    assert!(links_in(world, "ENG").await.is_empty());
    assert_eq!(links_in(world, "OPS").await, ["7"]);

    // A version before says nothing of the project; it is filled in with the report.
    world.execute("UPDATE link SET project = ''").await;
    assert!(links_in(world, "OPS").await.is_empty());
    let mut after = Some((SiteName::new(""), IssueId::new("")));
    while let Some(place) = after {
        after = world.store.take_up_asked(place, 10).await.unwrap();
    }
    assert_eq!(links_in(world, "OPS").await, ["7"]);
}

pub(crate) async fn links_of_a_version_before_are_taken_up(world: &World) {
    keep(world, "10", Some(record("ENG-1")), vec![link("7")]).await;
    keep(world, "11", Some(record("ENG-2")), vec![link("8")]).await;
    world.execute("DELETE FROM asked").await;
    let mut after = Some((SiteName::new(""), IssueId::new("")));
    while let Some(place) = after {
        after = world.store.take_up_asked(place, 1).await.unwrap();
    }
    assert_eq!(all(world, &AskedQuery::default()).await.len(), 2);
    assert_eq!(world.store.asked_stale(10).await.unwrap().len(), 2);
}

pub(crate) async fn a_connection_has_its_pace(world: &World) {
    let store = &world.store;
    let now = T0.plus_ms(5_000);
    let pace = store.pace(&intercom(), T0, now).await.unwrap();
    assert_eq!((pace.oldest_at, pace.attempts, pace.failed), (None, 0, 0));
    let taken = one_note(store, "7", "a").await;
    let pace = store.pace(&intercom(), T0, now).await.unwrap();
    assert!(pace.oldest_at.is_some(), "{pace:?}");
    assert_eq!(store.pace(&jira(), T0, now).await.unwrap().oldest_at, None);
    settle(store, &taken, confirmed("p1")).await;
    let pace = store
        .pace(&intercom(), T0.plus_ms(-1_000_000), now)
        .await
        .unwrap();
    assert_eq!((pace.oldest_at, pace.attempts, pace.failed), (None, 1, 0));
    assert!(all(world, &AskedQuery::default()).await.is_empty());
}
