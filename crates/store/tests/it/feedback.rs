//! Products, tickets and triage on both databases.

use bowline_domain::connection::Connection;
use bowline_domain::feedback::ids::{ContactId, PartId, ProductId, TagId, TicketId};
use bowline_domain::feedback::person::{CapturedCompany, CapturedPerson};
use bowline_domain::feedback::product::{ListedTag, ProductSettings};
use bowline_domain::feedback::ticket::{
    AppliedTag, Importance, Level, Line, NewTicket, Status, TicketIssue,
};
use bowline_domain::ids::{ConversationId, IssueId, LaneKey, WorkspaceName};
use bowline_domain::time::Millis;
use bowline_store::Store;
use bowline_store::access::AuditEntry;
use bowline_store::feedback::{
    AssigneeFilter, Erase, FeedbackChanges, FileDraft, MergedAway, NotMerged, ProductDraft, Sort,
    TicketChange, TicketQuery,
};
use bowline_store::model::{Accepted, Decided, EventFilter, EventSource, NewEvent, OnArrival};

use crate::support::{T0, World, decide, on_both, site, workspace};

on_both!(
    a_product_keeps_since_when_its_tags_count,
    a_message_has_one_ticket_and_its_tags_are_followed,
    tickets_are_found_by_what_is_asked_and_sorted_by_who_wants_them,
    merging_counts_people_once_and_can_be_undone,
    a_ticket_is_split_and_tied_to_issues,
    what_is_erased_leaves_a_shell
);

fn tag(id: &str) -> ListedTag {
    ListedTag {
        tag: TagId::new(id),
        name: format!("tag {id}"),
    }
}

fn draft(name: &str, on: bool, tags: &[&str]) -> ProductDraft {
    ProductDraft {
        workspace: workspace(),
        name: name.to_owned(),
        on,
        declared: false,
        settings: ProductSettings::default(),
        tags: Some(tags.iter().map(|id| tag(id)).collect()),
        counts_from: None,
    }
}

pub(crate) async fn product(store: &Store, name: &str) -> ProductId {
    let made = store.put_product(draft(name, true, &["1"]), T0, Vec::new());
    made.await.unwrap()
}

async fn product_off(store: &Store, name: &str) -> ProductId {
    let made = store.put_product(draft(name, false, &["1"]), T0, Vec::new());
    made.await.unwrap()
}

pub(crate) fn entry(what: &str) -> AuditEntry {
    AuditEntry {
        at: T0,
        who: "ana@example.com".to_owned(),
        account: Some(1),
        what: what.to_owned(),
        subject: "s".to_owned(),
        detail: "d".to_owned(),
    }
}

pub(crate) fn by() -> (String, Millis) {
    ("Ana".to_owned(), T0)
}

pub(crate) fn person(contact: &str, company: Option<(&str, i64)>) -> CapturedPerson {
    CapturedPerson {
        contact: Some(ContactId::new(contact)),
        name: format!("Person {contact}"),
        email: Some(format!("{contact}@example.com")),
        company: company.map(|(id, monthly_spend)| CapturedCompany {
            id: id.to_owned(),
            name: format!("Company {id}"),
            plan: Some("Pro".to_owned()),
            monthly_spend,
        }),
    }
}

pub(crate) fn new_ticket(product: ProductId, part: &str, text: &str) -> NewTicket {
    NewTicket {
        product,
        part: PartId::new(part),
        level: Level::Message,
        tags: vec![AppliedTag {
            tag: TagId::new("1"),
            name: "tag 1".to_owned(),
            at: Some(T0),
            by: Some("991".to_owned()),
        }],
        title: text.to_owned(),
        text: text.to_owned(),
        author: "Noa".to_owned(),
        contact: None,
        said_at: T0,
        transcript: vec![Line {
            part: PartId::new("before"),
            who: "Noa".to_owned(),
            customer: true,
            at: T0,
            text: "Hello".to_owned(),
        }],
        files: 0,
    }
}

/// Commits changes under the lane of their conversation.
pub(crate) async fn commit(store: &Store, changes: FeedbackChanges) {
    let all = EventFilter {
        limit: 1_000,
        ..EventFilter::default()
    };
    let count = store.events(&all).await.unwrap().len();
    let event = NewEvent {
        source: EventSource::Intercom,
        connection: Connection::Workspace(workspace()),
        delivery: format!("feedback-{count}"),
        lane: LaneKey::workspace_events(&workspace(), &changes.conversation),
        topic: "conversation_part.tag.created".to_owned(),
        received_at: T0,
        body: "{}".into(),
        take: true,
        on_arrival: OnArrival::Queue,
    };
    let Accepted::Fresh {
        event,
        lease: Some(lease),
    } = store.accept(event).await.unwrap()
    else {
        panic!("a fresh event in an idle lane")
    };
    let decided = Decided {
        feedback: Some(Box::new(changes)),
        ..Decided::default()
    };
    decide(store, &lease, event, decided).await.unwrap();
}

pub(crate) fn changes(conversation: &str) -> FeedbackChanges {
    FeedbackChanges::of(&workspace(), &ConversationId::new(conversation))
}

/// A ticket of a conversation of its own.
async fn made(
    store: &Store,
    product: ProductId,
    conversation: &str,
    text: &str,
    who: CapturedPerson,
) -> TicketId {
    let mut new = changes(conversation);
    new.made = vec![(new_ticket(product, "p", text), who)];
    commit(store, new).await;
    let conversation = ConversationId::new(conversation);
    let known = store
        .tickets_of_conversation(&workspace(), &conversation)
        .await;
    known.unwrap()[0].id
}

async fn found(store: &Store, query: TicketQuery) -> Vec<i64> {
    let query = TicketQuery {
        limit: 100,
        ..query
    };
    let page = store.ticket_page(&query).await.unwrap();
    page.rows.iter().map(|row| row.id.0).collect()
}

async fn counts(store: &Store) -> Vec<i64> {
    let counts = store.ticket_counts(None).await.unwrap();
    counts.into_iter().map(|(_, count)| count).collect()
}

pub(crate) async fn a_product_keeps_since_when_its_tags_count(world: &World) {
    let store = &world.store;
    let id = product(store, "App").await;
    let since = async || {
        let product = store.product(id).await.unwrap().unwrap();
        let all = product
            .tags
            .iter()
            .map(|tag| (tag.tag.to_string(), tag.since.0 - T0.0));
        all.collect::<Vec<_>>()
    };
    let put = async |draft: ProductDraft, after: i64| {
        let now = T0.plus_ms(after);
        assert_eq!(
            store
                .put_product(draft, now, vec![entry("product_changed")])
                .await
                .unwrap(),
            id
        );
    };
    put(draft("App", true, &["1", "2"]), 10).await;
    assert_eq!(since().await, [("1".to_owned(), 0), ("2".to_owned(), 10)]);
    put(draft("App", true, &["2"]), 20).await;
    put(draft("App", true, &["1", "2"]), 30).await;
    assert_eq!(
        since().await,
        [("1".to_owned(), 30), ("2".to_owned(), 10)],
        "it was not chosen for a while"
    );
    put(draft("App", false, &["1", "2"]), 40).await;
    assert!(store.products_of(&workspace()).await.unwrap().is_empty());
    put(draft("App", true, &["1", "2"]), 50).await;
    assert_eq!(
        since().await,
        [("1".to_owned(), 50), ("2".to_owned(), 50)],
        "it was off for a while"
    );

    let listed = vec![ListedTag {
        tag: TagId::new("1"),
        name: "renamed".to_owned(),
    }];
    let named = store
        .name_tags(workspace(), listed.clone(), T0)
        .await
        .unwrap();
    assert_eq!(named, 2);
    assert_eq!(store.name_tags(workspace(), listed, T0).await.unwrap(), 0);
    let tags = store.product(id).await.unwrap().unwrap().tags;
    assert_eq!((tags[0].name.as_str(), tags[0].gone_at), ("renamed", None));
    assert_eq!(tags[1].gone_at, Some(T0));

    // Switched with its workspace, it comes back with it; one that was off before does not.
    let off = product_off(store, "Web").await;
    let switch = async |on: bool, after: i64| {
        let audit = vec![entry("product_changed")];
        let switched = store.switch_products(workspace(), on, T0.plus_ms(after), audit);
        switched.await.unwrap()
    };
    assert_eq!(switch(false, 60).await, 1);
    assert!(store.products_of(&workspace()).await.unwrap().is_empty());
    assert_eq!(switch(false, 61).await, 0);
    assert_eq!(switch(true, 70).await, 1);
    assert_eq!(since().await, [("1".to_owned(), 70), ("2".to_owned(), 70)]);
    assert!(!store.product(off).await.unwrap().unwrap().on);

    // Two workspaces may call their products the same.
    let other = ProductDraft {
        workspace: WorkspaceName::new("other"),
        declared: true,
        ..draft("App", true, &["1"])
    };
    assert_ne!(store.put_product(other, T0, Vec::new()).await.unwrap(), id);
    assert_eq!(store.undeclare_products(Vec::new()).await.unwrap(), 1);
    let on: Vec<bool> = store
        .products()
        .await
        .unwrap()
        .iter()
        .map(|one| one.on)
        .collect();
    assert_eq!(on, [true, false, false]);
}

pub(crate) async fn a_message_has_one_ticket_and_its_tags_are_followed(world: &World) {
    let store = &world.store;
    let app = product(store, "App").await;
    let id = made(store, app, "100", "Dark mode", person("noa", None)).await;
    assert_eq!(
        made(store, app, "100", "Dark mode", person("noa", None)).await,
        id
    );
    assert_eq!(counts(store).await, [1, 0, 0, 0, 0]);
    let mut off = changes("100");
    off.untagged = vec![(id, TagId::new("1"))];
    commit(store, off.clone()).await;
    commit(store, off).await;
    let removed = async || store.ticket(id).await.unwrap().unwrap().tags[0].1;
    assert_eq!(removed().await, Some(T0));
    let mut on = changes("100");
    on.tagged = vec![(id, new_ticket(app, "p", "x").tags.remove(0))];
    on.transcripts = vec![(id, Vec::new())];
    commit(store, on).await;
    assert_eq!(removed().await, None);
    let known = store
        .tickets_of_conversation(&workspace(), &ConversationId::new("100"))
        .await
        .unwrap();
    assert_eq!(known[0].tags, [(TagId::new("1"), false)]);
    assert!(known[0].transcript.is_empty() && !known[0].erased);
    let history = store.ticket(id).await.unwrap().unwrap().history;
    let what: Vec<&str> = history.iter().map(|step| step.what.as_str()).collect();
    assert_eq!(what, ["made", "untagged"]);
    // The same ids in another workspace are another conversation.
    let elsewhere = store
        .tickets_of_conversation(&WorkspaceName::new("other"), &ConversationId::new("100"))
        .await
        .unwrap();
    assert!(elsewhere.is_empty());
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

pub(crate) async fn merging_counts_people_once_and_can_be_undone(world: &World) {
    let store = &world.store;
    let (app, web) = (product(store, "App").await, product(store, "Web").await);
    let one = made(store, app, "1", "Dark mode", person("a", Some(("x", 10)))).await;
    let two = made(store, app, "2", "Dark theme", person("b", Some(("x", 30)))).await;
    let three = made(store, app, "3", "Night mode", person("a", Some(("y", 5)))).await;
    let other = made(store, web, "4", "Elsewhere", person("c", None)).await;
    let merge = async |ticket: TicketId, into: TicketId| {
        let merged = store.merge_tickets((ticket, into), by(), vec![entry("tickets_changed")]);
        merged.await.unwrap()
    };
    let group = async |id: TicketId| {
        let row = store.ticket(id).await.unwrap().unwrap().row;
        (row.people, row.companies, row.spend)
    };
    assert_eq!(merge(one, one).await, Err(NotMerged::Same));
    assert_eq!(merge(one, TicketId(999)).await, Err(NotMerged::Gone));
    assert_eq!(merge(one, other).await, Err(NotMerged::OtherProduct));
    let all = async |tickets: Vec<TicketId>| {
        let merged = store.merge_all_tickets((tickets, one), by(), Vec::new());
        merged.await.unwrap()
    };
    assert_eq!(all(vec![two, other]).await, Err(NotMerged::OtherProduct));
    let whole = store.ticket(two).await.unwrap().unwrap();
    assert_eq!(whole.merged_into, None, "nothing of it was done");
    assert_eq!(all(vec![three, three]).await, Ok(()));
    assert_eq!(group(one).await, (1, 2, 15));
    let merges = store.ticket(one).await.unwrap().unwrap().merges;
    assert_eq!(merges.len(), 1, "once");
    let undone = store.undo_merge(merges[0].id, by(), Vec::new()).await;
    assert_eq!(undone.unwrap(), Ok(three));
    assert_eq!(merge(three, two).await, Ok(()));
    assert_eq!(group(two).await, (2, 2, 35));
    assert_eq!(merge(three, one).await, Err(NotMerged::MergedAlready));
    assert_eq!(merge(two, one).await, Ok(()));
    assert_eq!(
        group(one).await,
        (2, 2, 35),
        "each company once, by the most that it spends"
    );
    assert_eq!(counts(store).await, [2, 0, 0, 0, 0]);
    let listed = found(
        store,
        TicketQuery {
            product: Some(app),
            ..TicketQuery::default()
        },
    )
    .await;
    assert_eq!(listed, [one.0]);
    let sought = TicketQuery {
        text: Some("night".to_owned()),
        ..TicketQuery::default()
    };
    assert_eq!(
        found(store, sought).await,
        [one.0],
        "found by what stands for it"
    );
    let conversations = store.conversations_of_ticket(one).await.unwrap();
    assert_eq!(conversations.len(), 3);
    // What stands moves, and those that it stands for with it.
    let moved = async |ids: &[TicketId]| {
        let change = (ids.to_vec(), TicketChange::Status(Status::Planned));
        let moved = store.triage(change, by(), Vec::new(), Vec::new());
        moved.await.unwrap()
    };
    // One that another stands for is left alone, and so is what was to change with it.
    let away = Err(MergedAway(vec![(three, one)]));
    assert_eq!(moved(&[three]).await, away);
    assert_eq!(moved(&[one, three]).await, away);
    for change in [
        TicketChange::Assign(Some("ada@example.com".to_owned())),
        TicketChange::Importance(Importance::High),
        TicketChange::AddLabel("night".to_owned()),
    ] {
        let change = (vec![one, three], change);
        let refused = store.triage(change, by(), Vec::new(), Vec::new()).await;
        assert_eq!(refused.unwrap(), away);
    }
    let row = store.ticket(one).await.unwrap().unwrap().row;
    assert_eq!((row.importance, row.labels.len()), (Importance::Unset, 0));
    assert_eq!(moved(&[one]).await, Ok(1));
    let view = store.ticket(one).await.unwrap().unwrap();
    assert_eq!((view.merged.len(), view.merges.len()), (2, 1));
    let undo = async |merge: i64| store.undo_merge(merge, by(), Vec::new()).await.unwrap();
    assert_eq!(undo(view.merges[0].id).await, Ok(two));
    assert_eq!(undo(view.merges[0].id).await, Err(NotMerged::NotUndoable));
    assert_eq!(
        (group(one).await, group(two).await),
        ((1, 1, 10), (2, 2, 35))
    );
    let view = store.ticket(two).await.unwrap().unwrap();
    assert_eq!((view.row.status, view.merged_into), (Status::Planned, None));
    assert_eq!(undo(view.merges[0].id).await, Ok(three));
    assert_eq!(
        (group(two).await, group(three).await),
        ((1, 1, 30), (1, 1, 5))
    );
    assert_eq!(counts(store).await, [1, 0, 3, 0, 0]);
}

pub(crate) async fn a_ticket_is_split_and_tied_to_issues(world: &World) {
    let store = &world.store;
    let app = product(store, "App").await;
    let id = made(
        store,
        app,
        "1",
        "Dark mode and a faster start",
        person("a", Some(("x", 10))),
    )
    .await;
    let split = async |id: TicketId| {
        let said = ("Faster start".to_owned(), "a faster start".to_owned());
        store
            .split_ticket(id, said, by(), vec![entry("tickets_changed")])
            .await
            .unwrap()
    };
    let piece = split(id).await.unwrap();
    assert_eq!(split(TicketId(999)).await, Err(NotMerged::Gone));
    let view = store.ticket(piece).await.unwrap().unwrap();
    assert_eq!(
        (view.piece, view.row.title.as_str(), view.tags.len()),
        (1, "Faster start", 1)
    );
    assert_eq!((view.row.people, view.row.spend), (1, 10));
    assert_eq!(counts(store).await[0], 2);
    let issue = TicketIssue {
        site: site(),
        issue: IssueId::new("10"),
        key: "ENG-1".to_owned(),
    };
    store.issue_made(id, issue.clone(), T0).await.unwrap();
    store.issue_made(id, issue.clone(), T0).await.unwrap();
    let view = store.ticket(id).await.unwrap().unwrap();
    assert_eq!((view.issue.as_ref(), view.issues_made), (Some(&issue), 1));
    let tie = (vec![piece], TicketChange::Issue(Some(issue.clone())));
    store
        .triage(tie, by(), Vec::new(), Vec::new())
        .await
        .unwrap()
        .unwrap();
    let of = store.tickets_of_issue(&site(), &issue.issue).await.unwrap();
    assert_eq!(of.len(), 2);
    // Somebody whose ticket is merged into one of them is behind the issue too.
    let other = made(store, app, "2", "Dark, please", person("b", None)).await;
    let behind = async |contact: &str| {
        let (of, contact) = (workspace(), ContactId::new(contact));
        let found = store.issues_of_tickets_given_by(&of, &contact, 10);
        found.await.unwrap()
    };
    assert_eq!(behind("b").await, []);
    store
        .merge_tickets((other, id), by(), vec![entry("tickets_changed")])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(behind("b").await, [(other, issue.clone())]);
    let both = [(piece, issue.clone()), (id, issue.clone())];
    assert_eq!(behind("a").await, both);
    let mut follow = changes("1");
    follow.moved = vec![(id, Status::Done), (TicketId(999), Status::Done)];
    commit(store, follow).await;
    assert_eq!(counts(store).await, [1, 0, 0, 1, 0]);
    let untie = (vec![id], TicketChange::Issue(None));
    store
        .triage(untie, by(), Vec::new(), Vec::new())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        store
            .tickets_of_issue(&site(), &issue.issue)
            .await
            .unwrap()
            .len(),
        1
    );
}

pub(crate) async fn what_is_erased_leaves_a_shell(world: &World) {
    let store = &world.store;
    let (app, web) = (product(store, "App").await, product(store, "Web").await);
    let whose = || (workspace(), ConversationId::new("1"), PartId::new("p"));
    let file = |content: Result<String, String>| FileDraft {
        name: "screen.png".to_owned(),
        kind: "image/png".to_owned(),
        bytes: 3,
        content,
    };
    let one = made(
        store,
        app,
        "1",
        "Call me at 555 0100",
        person("a", Some(("x", 10))),
    )
    .await;
    made(
        store,
        web,
        "1",
        "Call me at 555 0100",
        person("a", Some(("x", 10))),
    )
    .await;
    let files = vec![
        file(Ok("YWJj".to_owned())),
        file(Err("too large".to_owned())),
    ];
    store.keep_files(whose(), files.clone()).await.unwrap();
    store.keep_files(whose(), files).await.unwrap();
    assert_eq!(store.ticket(one).await.unwrap().unwrap().files.len(), 2);
    assert_eq!(store.ticket_file(one, 0).await.unwrap().unwrap().1, "YWJj");
    assert!(store.ticket_file(one, 1).await.unwrap().is_none());
    let mut redacted = changes("1");
    redacted.redacted = vec![one];
    commit(store, redacted).await;
    let two = made(store, app, "2", "Delete this", person("a", None)).await;
    let three = made(store, app, "3", "Forget me", person("b", None)).await;
    assert!(
        store
            .contact_has_tickets(&workspace(), &ContactId::new("b"))
            .await
            .unwrap()
    );
    let given = store
        .ticket_contacts_of_email(&workspace(), "b@example.com", 5)
        .await;
    assert_eq!(given.unwrap(), [ContactId::new("b")]);
    let (a, b) = (ContactId::new("a"), ContactId::new("b"));
    let all = store.ticket_contacts(&workspace(), None, 5).await;
    assert_eq!(all.unwrap(), [a.clone(), b.clone()]);
    let rest = store.ticket_contacts(&workspace(), Some(&a), 5).await;
    assert_eq!(rest.unwrap(), std::slice::from_ref(&b));
    let newest = store.newest_ticket_contacts(&workspace(), &b, 5).await;
    assert_eq!(newest.unwrap(), [a]);
    let merged = store
        .merge_tickets((three, two), by(), Vec::new())
        .await
        .unwrap();
    assert_eq!(merged, Ok(()));
    let mut gone = changes("");
    gone.erase = Some(Erase::Contact(ContactId::new("b")));
    commit(store, gone).await;
    let row = store.ticket(two).await.unwrap().unwrap().row;
    assert_eq!(
        (row.people, row.erased),
        (1, None),
        "the group counts one less"
    );
    let mut deleted = changes("2");
    deleted.erase = Some(Erase::Conversation);
    commit(store, deleted).await;
    let everything = world
        .texts(
            "SELECT title || body || author || COALESCE(email, '') || COALESCE(contact, '') || \
             COALESCE(company_name, '') || transcript FROM ticket",
        )
        .await;
    assert_eq!(everything.len(), 4);
    for row in everything {
        assert_eq!(row[0].as_deref(), Some("[]"));
    }
    let files = world.texts("SELECT name FROM feedback_file").await;
    assert!(files.is_empty());
    for word in ["call", "delete", "forget", "person"] {
        let query = TicketQuery {
            text: Some(word.to_owned()),
            ..TicketQuery::default()
        };
        assert!(found(store, query).await.is_empty(), "{word}");
    }
    // A courier that comes late keeps nothing.
    store
        .keep_files(whose(), vec![file(Ok("YWJj".to_owned()))])
        .await
        .unwrap();
    assert!(store.ticket(one).await.unwrap().unwrap().files.is_empty());
    assert!(
        !store
            .contact_has_tickets(&workspace(), &ContactId::new("b"))
            .await
            .unwrap()
    );
}
