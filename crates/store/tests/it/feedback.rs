//! Products, and tickets as they are captured and erased, on both databases; what the other suites
//! about feedback begin with.

use bowline_domain::connection::Connection;
use bowline_domain::feedback::ids::{ContactId, PartId, ProductId, TagId, TicketId};
use bowline_domain::feedback::person::{CapturedCompany, CapturedPerson};
use bowline_domain::feedback::product::{ListedTag, ProductSettings};
use bowline_domain::feedback::ticket::{AppliedTag, Level, Line, NewTicket, Status};
use bowline_domain::ids::{ConversationId, LaneKey, WorkspaceName};
use bowline_domain::time::Millis;
use bowline_store::Store;
use bowline_store::access::AuditEntry;
use bowline_store::feedback::{
    Erase, FeedbackChanges, FileDraft, ProductDraft, Shells, TicketQuery,
};
use bowline_store::model::{Accepted, Decided, EventFilter, EventSource, NewEvent, OnArrival};

use crate::support::{T0, World, decide, on_both, workspace};

on_both!(
    a_product_keeps_since_when_its_tags_count,
    a_message_has_one_ticket_and_its_tags_are_followed,
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
        by_teammate: false,
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
pub(crate) async fn made(
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

pub(crate) async fn found(store: &Store, query: TicketQuery) -> Vec<i64> {
    let query = TicketQuery {
        limit: 100,
        ..query
    };
    let page = store.ticket_page(&query).await.unwrap();
    page.rows.iter().map(|row| row.id.0).collect()
}

pub(crate) async fn counts(store: &Store) -> Vec<i64> {
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
    assert_eq!(what, ["made", "untagged", "tagged_again"]);
    // The same ids in another workspace are another conversation.
    let elsewhere = store
        .tickets_of_conversation(&WorkspaceName::new("other"), &ConversationId::new("100"))
        .await
        .unwrap();
    assert!(elsewhere.is_empty());
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
    let tagged = store.tagged_conversations(&workspace(), None, 5).await;
    assert_eq!(tagged.unwrap(), ["3", "2"].map(ConversationId::new));
    let newest = ConversationId::new("3");
    let space = workspace();
    let before = store.tagged_conversations(&space, Some(&newest), 5).await;
    assert_eq!(before.unwrap(), ["2"].map(ConversationId::new));
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
    // Of four tickets one is merged into another; of none of the others anything is left.
    let shells = async |of| -> i64 {
        let counts = store.ticket_shells(of).await.unwrap();
        counts.into_iter().map(|(_, count)| count).sum()
    };
    assert_eq!((shells(None).await, shells(Some(app)).await), (3, 2));
    let asked = async |shells, statuses: &[Status]| {
        let query = TicketQuery {
            shells,
            statuses: statuses.to_vec(),
            ..TicketQuery::default()
        };
        found(store, query).await
    };
    assert_eq!(asked(Shells::Only, &[]).await.len(), 3);
    assert_eq!(asked(Shells::Only, &[Status::Done]).await, [0_i64; 0]);
    assert_eq!(asked(Shells::Among, &[]).await.len(), 3);
    assert_eq!(asked(Shells::Without, &[]).await, [0_i64; 0]);
    // One that stands for what is left is none of them.
    let four = made(store, app, "4", "Dark mode", person("c", None)).await;
    let merged = store.merge_tickets((four, two), by(), Vec::new());
    merged.await.unwrap().unwrap();
    assert_eq!((shells(None).await, shells(Some(app)).await), (2, 1));
    assert_eq!(asked(Shells::Without, &[Status::New]).await, [two.0]);
    assert_eq!(asked(Shells::Only, &[]).await.len(), 2);
    let sought = TicketQuery {
        text: Some("dark".to_owned()),
        shells: Shells::Without,
        ..TicketQuery::default()
    };
    assert_eq!(found(store, sought.clone()).await, [two.0]);
    let sought = TicketQuery {
        shells: Shells::Only,
        ..sought
    };
    assert_eq!(found(store, sought).await, [0_i64; 0]);
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
