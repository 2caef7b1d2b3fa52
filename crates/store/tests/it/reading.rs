//! What is known of an issue is read back as it was stored.

use bowline_domain::effect::{Effect, EffectKey};
use bowline_domain::fact::FactKey;
use bowline_domain::ids::{
    CommentId, ConversationId, IssueId, IssueKey, ProjectKey, SiteName, WorkspaceName,
};
use bowline_domain::link::{Hand, Link, LinkEnd, Origin, Source, Via};
use bowline_domain::outcome::{Outcome, Reason};
use bowline_domain::state::IssueRecord;
use bowline_domain::time::Millis;
use bowline_store::browse::LinkQuery;
use bowline_store::model::{Decided, EventFilter, LinkFilter, Settlement};

use crate::support::*;

on_both!(
    links_come_back_with_every_kind_of_source,
    a_changed_link_replaces_what_was_known,
    when_a_link_ended_is_kept_until_it_lives_again,
    an_issue_that_was_never_seen_is_unseen,
    facts_are_known_of_their_issue_only,
    an_issue_is_found_by_its_present_key,
    live_links_are_found_from_both_ends,
    what_is_being_written_to_a_linked_conversation_shows,
    the_notes_of_a_link_come_with_it_the_oldest_first,
);

pub(crate) fn issue(id: &str) -> IssueId {
    IssueId::new(id)
}

/// Decides an event of the issue's own to keep this of it.
pub(crate) async fn keep(world: &World, id: &str, record: Option<IssueRecord>, links: Vec<Link>) {
    keep_facts(world, id, record, links, Vec::new()).await;
}

async fn keep_facts(
    world: &World,
    id: &str,
    record: Option<IssueRecord>,
    links: Vec<Link>,
    facts: Vec<FactKey>,
) {
    let delivery = format!("{id}-{}", next_name(world, id).await);
    let (event, lease) = taken(&world.store, id, &delivery).await;
    let decided = Decided {
        issue: Some((site(), issue(id))),
        record,
        links,
        facts,
        outcome: Outcome::nothing(Reason::LinksFollowed),
        ..Decided::default()
    };
    decide(&world.store, &lease, event, decided).await.unwrap();
}

async fn next_name(world: &World, id: &str) -> usize {
    let lane = Some(event_lane(id));
    let filter = EventFilter {
        lane,
        limit: 1_000,
        ..EventFilter::default()
    };
    world.store.events(&filter).await.unwrap().len()
}

async fn links_come_back_with_every_kind_of_source(world: &World) {
    let source = |origin, since, overruled| Source {
        origin,
        since: Millis(since),
        overruled,
        hand: None,
    };
    let by = |name: &str, via, source| Source {
        hand: Some(Hand {
            by: name.to_owned(),
            via,
        }),
        ..source
    };
    let all = Link {
        workspace: workspace(),
        conversation: ConversationId::new("7"),
        sources: vec![
            source(Origin::Description, 1, false),
            source(Origin::Comment(CommentId::new("17")), 2, true),
            source(Origin::Comment(CommentId::new("a:b\"c")), -3, false),
            by("Lena", None, source(Origin::Import, 4, true)),
            by(
                "O\"lga",
                Some(Via::Panel),
                source(Origin::Command, i64::MAX, false),
            ),
        ],
        live: true,
        since: Millis(5),
        generation: 3,
        ended: None,
        ended_at: None,
    };
    let ends = [
        LinkEnd::AddressRemoved,
        LinkEnd::IssueDeleted,
        LinkEnd::IssueUnseen,
        LinkEnd::Merged(ConversationId::new("8")),
        LinkEnd::ConversationGone,
        LinkEnd::ByHand,
    ];
    let mut links = vec![all];
    links.extend(ends.into_iter().zip(6..).map(|(end, since)| Link {
        workspace: WorkspaceName::new("other"),
        conversation: ConversationId::new(format!("c{since}")),
        sources: Vec::new(),
        live: false,
        since: Millis(since),
        generation: u32::MAX,
        ended: Some(end),
        ended_at: Some(Millis(since + 1)),
    }));
    keep(world, "10", Some(record("ENG-1")), links.clone()).await;
    let state = world
        .store
        .issue_state(&site(), &issue("10"), &[])
        .await
        .unwrap();
    assert_eq!(state.links, links);
    assert_eq!(state.record, Some(record("ENG-1")));
    assert!(state.linked());
}

async fn a_changed_link_replaces_what_was_known(world: &World) {
    keep(
        world,
        "10",
        Some(record("ENG-1")),
        vec![link("7"), link("8")],
    )
    .await;
    let ended = Link {
        live: false,
        sources: Vec::new(),
        ended: Some(LinkEnd::ByHand),
        generation: 2,
        since: T0.plus_ms(1),
        ended_at: Some(T0.plus_ms(2)),
        ..link("7")
    };
    let moved = IssueRecord {
        key: IssueKey::new("OPS-5"),
        project: ProjectKey::new("OPS"),
        summary: "It works".to_owned(),
        status: Some("Done".to_owned()),
        scanned: false,
        deleted: true,
        links_version: 9,
    };
    keep(world, "10", Some(moved.clone()), vec![ended.clone()]).await;
    let state = world
        .store
        .issue_state(&site(), &issue("10"), &[])
        .await
        .unwrap();
    assert_eq!(state.record, Some(moved));
    assert_eq!(state.links, [link("8"), ended]);
}

/// When the link of issue 10 ended, as each way of reading tells it.
async fn ended_at(world: &World) -> Option<Millis> {
    let store = &world.store;
    let state = store.issue_state(&site(), &issue("10"), &[]).await.unwrap();
    let filter = LinkFilter {
        ended: true,
        limit: 10,
        ..LinkFilter::default()
    };
    let query = LinkQuery {
        limit: 10,
        ..LinkQuery::default()
    };
    let listed = store.links(&filter).await.unwrap().remove(0).link;
    let paged = store.link_page(&query).await.unwrap().remove(0).link;
    assert_eq!([&listed, &paged], [&state.links[0], &state.links[0]]);
    listed.ended_at
}

async fn when_a_link_ended_is_kept_until_it_lives_again(world: &World) {
    let lives = |generation| Link {
        generation,
        ..link("7")
    };
    let ended = |generation, ended_at: Option<i64>| Link {
        live: false,
        ended: Some(LinkEnd::ByHand),
        ended_at: ended_at.map(|ms| T0.plus_ms(ms)),
        ..lives(generation)
    };
    let kept = async |link| {
        keep(world, "10", Some(record("ENG-1")), vec![link]).await;
        ended_at(world).await
    };
    assert_eq!(kept(lives(1)).await, None);
    let decided = kept(ended(1, None)).await;
    assert_eq!(decided, Some(T0), "when it was decided");
    assert_eq!(
        kept(ended(1, Some(5))).await,
        decided,
        "it had ended before"
    );
    assert_eq!(kept(lives(2)).await, None);
    assert_eq!(kept(ended(2, Some(7))).await, Some(T0.plus_ms(7)));
    // Made again and ended again at once.
    assert_eq!(kept(ended(3, Some(9))).await, Some(T0.plus_ms(9)));

    // A version before does not keep it, nor does it take away what it does not know.
    let run = async |sql| assert_eq!(world.execute(sql).await, 1);
    run("UPDATE link SET ended_at = NULL").await;
    assert_eq!(kept(ended(3, None)).await, None, "it stays unknown");
    run("UPDATE link SET ended_at = since - 1").await;
    assert_eq!(ended_at(world).await, None, "an earlier life's");
    run("UPDATE link SET live = 1, ended = NULL, ended_at = since + 1").await;
    assert_eq!(ended_at(world).await, None, "it lives");
}

async fn an_issue_that_was_never_seen_is_unseen(world: &World) {
    keep_facts(
        world,
        "11",
        Some(record("ENG-2")),
        vec![link("7")],
        vec![FactKey::created()],
    )
    .await;
    let facts = [FactKey::created()];
    let state = world
        .store
        .issue_state(&site(), &issue("10"), &facts)
        .await
        .unwrap();
    assert_eq!(
        (state.record, state.links.len(), state.known.len()),
        (None, 0, 0)
    );
}

pub(crate) async fn facts_are_known_of_their_issue_only(world: &World) {
    let changes: Vec<FactKey> = (0..600).map(|n| FactKey::changed(&n.to_string())).collect();
    let known = changes[..300].to_vec();
    keep_facts(
        world,
        "10",
        Some(record("ENG-1")),
        vec![link("7")],
        known.clone(),
    )
    .await;
    keep_facts(
        world,
        "11",
        Some(record("ENG-2")),
        vec![],
        vec![FactKey::created()],
    )
    .await;
    // What was told matters only to an issue that is linked, or was.
    let unlinked = world
        .store
        .issue_state(&site(), &issue("11"), &[FactKey::created()])
        .await
        .unwrap();
    assert!(unlinked.known.is_empty());
    for asked in [0, 1, 2, 5, 64, 65, 255, 256, 257, 600] {
        let state = world
            .store
            .issue_state(&site(), &issue("10"), &changes[..asked])
            .await
            .unwrap();
        assert_eq!(state.known.len(), asked.min(300), "of {asked}");
        assert!(state.known.iter().all(|fact| known.contains(fact)));
    }
    let state = world
        .store
        .issue_state(&site(), &issue("10"), &[FactKey::created()])
        .await
        .unwrap();
    assert!(state.known.is_empty());
}

pub(crate) async fn an_issue_is_found_by_its_present_key(world: &World) {
    keep(world, "10", Some(record("ENG-1")), vec![]).await;
    keep(world, "10", Some(record("OPS-1")), vec![]).await;
    keep(
        world,
        "11",
        Some(IssueRecord {
            deleted: true,
            ..record("ENG-2")
        }),
        vec![],
    )
    .await;
    let cases = [
        ("OPS-1", Some("10")),
        ("ENG-1", None),
        ("ENG-2", None),
        ("NONE-1", None),
    ];
    for (key, wanted) in cases {
        let found = world.store.issue_by_key(&site(), key).await.unwrap();
        assert_eq!(found, wanted.map(issue), "{key}");
    }
    let elsewhere = SiteName::new("other");
    assert_eq!(
        world.store.issue_by_key(&elsewhere, "OPS-1").await.unwrap(),
        None
    );
}

pub(crate) async fn live_links_are_found_from_both_ends(world: &World) {
    let older = Link {
        since: T0.plus_ms(-1),
        ..link("9")
    };
    let ended = Link {
        live: false,
        ended: Some(LinkEnd::ByHand),
        ..link("8")
    };
    keep(
        world,
        "10",
        Some(record("ENG-1")),
        vec![link("7"), ended, older],
    )
    .await;
    keep(world, "11", Some(record("ENG-2")), vec![link("7")]).await;

    let id = |text| ConversationId::new(text);
    let merged = Link {
        live: false,
        ended: Some(LinkEnd::Merged(id("7"))),
        ..link("6")
    };
    let unseen = Link {
        live: false,
        ended: Some(LinkEnd::IssueUnseen),
        ..link("5")
    };
    keep(world, "12", Some(record("ENG-3")), vec![merged]).await;
    keep(world, "13", Some(record("ENG-4")), vec![unseen]).await;
    let linked = world.store.linked_issues(&site(), None, 2).await.unwrap();
    let found: Vec<_> = linked
        .iter()
        .map(|it| (it.issue.as_str(), it.live))
        .collect();
    assert_eq!(found, [("10", true), ("11", true)]);
    let last = Some(issue("11"));
    let linked = world.store.linked_issues(&site(), last.as_ref(), 2).await;
    let linked = linked.unwrap();
    let found: Vec<_> = linked
        .iter()
        .map(|it| (it.issue.as_str(), it.live))
        .collect();
    assert_eq!(found, [("13", false)], "not what was merged");
    for (of, conversation, into) in [("12", "6", Some("7")), ("13", "5", None), ("10", "7", None)] {
        let (site, of, at) = (site(), issue(of), id(conversation));
        let found = world
            .store
            .merged_into((&site, &of), (&workspace(), &at))
            .await;
        assert_eq!(found.unwrap(), into.map(id), "{conversation}");
    }
    let links = world.store.live_links(&site(), &issue("10")).await.unwrap();
    assert_eq!(links, [(workspace(), id("9")), (workspace(), id("7"))]);
    let issues = world.store.issues_of(&workspace(), &id("7")).await.unwrap();
    assert_eq!(issues, [(site(), issue("10")), (site(), issue("11"))]);
    let elsewhere = WorkspaceName::new("other");
    assert!(
        world
            .store
            .issues_of(&elsewhere, &id("7"))
            .await
            .unwrap()
            .is_empty()
    );
    for (of, at, live) in [
        ("10", "7", true),
        ("10", "8", false),
        ("10", "9", true),
        ("11", "9", false),
    ] {
        let (of, at) = (issue(of), id(at));
        let store = &world.store;
        let found = store
            .link_is_live((&site(), &of), (&workspace(), &at))
            .await;
        assert_eq!(found.unwrap(), live, "{of} {at}");
        let with_notes = store
            .link_and_notes((&site(), &of), (&workspace(), &at), T0)
            .await;
        assert_eq!(with_notes.unwrap(), (live, Vec::new()), "{of} {at}");
    }
}

async fn what_is_being_written_to_a_linked_conversation_shows(world: &World) {
    let store = &world.store;
    let ended = Link {
        live: false,
        ended: Some(LinkEnd::AddressRemoved),
        ..link("8")
    };
    keep(world, "10", Some(record("ENG-1")), vec![link("7"), ended]).await;
    let writing = async || {
        let (site, of) = (site(), issue("10"));
        let known = store.issue_state_and_behind(&site, &of, &[]);
        known.await.unwrap().1.writing
    };
    assert!(!writing().await);
    let elsewhere = planned(store, "11", vec![note("8", "a"), note("9", "b")]).await;
    assert!(
        !writing().await,
        "the link to it has ended, or there is none"
    );
    for taken in elsewhere {
        store
            .settle(settlement(&taken, confirmed("r")))
            .await
            .unwrap();
    }
    // By another issue, at that.
    let taken = planned(store, "12", vec![note("7", "c")]).await;
    assert!(writing().await);
    let ending = settlement(&taken[0], confirmed("r7"));
    store.settle(ending).await.unwrap();
    assert!(!writing().await);
}

async fn the_notes_of_a_link_come_with_it_the_oldest_first(world: &World) {
    let store = &world.store;
    keep(
        world,
        "10",
        Some(record("ENG-1")),
        vec![link("7"), link("8")],
    )
    .await;
    let (of, at) = (issue("10"), ConversationId::new("7"));
    let mut confirmed_notes = Vec::new();
    // The one that was told last is confirmed first; the third is refused, the fourth goes elsewhere.
    for (fact, conversation, ended_at, ending) in [
        ("1", "7", 30, confirmed("r1")),
        ("2", "7", 20, confirmed("r2")),
        ("3", "7", 40, rejected()),
        ("4", "8", 50, confirmed("r4")),
        ("5", "7", 0, confirmed("r5")),
    ] {
        let fact = FactKey::changed(fact);
        let to = ConversationId::new(conversation);
        let key = EffectKey::conversation("note", (&workspace(), &to), (&site(), &of), &fact);
        let made = Effect {
            key,
            ..note(conversation, "a")
        };
        let delivery = format!("told-{fact}");
        let (event, lease) = taken(store, "10", &delivery).await;
        let decided = Decided {
            facts: vec![fact],
            ..effects(vec![made])
        };
        let done = decide(store, &lease, event, decided).await.unwrap();
        let taken = &done.taken[0];
        let ended = Settlement {
            ended_at: T0.plus_ms(ended_at),
            ..settlement(taken, ending)
        };
        store.settle(ended).await.unwrap();
        confirmed_notes.push((taken.id, T0.plus_ms(ended_at)));
    }
    let found = store
        .link_and_notes((&site(), &of), (&workspace(), &at), T0)
        .await;
    let expected = vec![confirmed_notes[1], confirmed_notes[0]];
    assert_eq!(found.unwrap(), (true, expected));
}
