//! What people do to tickets, on both databases: merging with its undoing, splitting, tying to issues.

use bowline_domain::feedback::ids::{ContactId, TicketId};
use bowline_domain::feedback::ticket::{Importance, Status, TicketIssue};
use bowline_domain::ids::IssueId;
use bowline_store::feedback::{MergedAway, NotMerged, TicketChange, TicketQuery};

use crate::feedback::{by, changes, commit, counts, entry, found, made, person, product};
use crate::support::{T0, World, on_both, site, workspace};

on_both!(
    merging_counts_people_once_and_can_be_undone,
    a_ticket_is_split_and_tied_to_issues
);

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
