//! Conversations and end users as people look through them.

use bowline_domain::audience::Audience;
use bowline_domain::connection::Connection;
use bowline_domain::effect::{Act, Effect, EffectKey};
use bowline_domain::ids::{IssueId, IssueKey};
use bowline_domain::messaging::act::TalkAct;
use bowline_domain::messaging::delivery::{Delivery, Outbound, Resolution, Resolved};
use bowline_domain::messaging::ids::{DeskName, MessageId, RequestRef};
use bowline_domain::messaging::plan::Changes;
use bowline_domain::messaging::platform::Platform;
use bowline_domain::messaging::request::{Request, Stage};
use bowline_domain::messaging::text::InternalText;
use bowline_store::talk_browse::{EndUserQuery, SendsQuery, TalkQuery, TalkSubject, WindowQuery};
use bowline_store::testing::{Backend, census, texts};

use crate::support::{T0, World, on_both, site};
use crate::talking::{account, begun, change, end_user, line, outbound, request, whose};

on_both!(
    conversations_are_found_page_by_page,
    end_users_are_found_page_by_page,
    a_transcript_holds_what_was_said_and_what_became_of_it,
    the_first_decision_about_a_message_stands,
    a_hundred_thousand_conversations_are_looked_through_by_index,
);

const HOUR: i64 = 3_600_000;

/// The n-th person's conversation, begun `hours` after the first.
async fn conversation(
    world: &World,
    number: u32,
    hours: i64,
    with: impl FnOnce(&mut Request),
) -> RequestRef {
    let person = end_user(&format!("+3160000000{number}"));
    let whose = whose(&person, 1);
    let mut request = request(1);
    request.opened_at = T0.plus_ms(hours * HOUR);
    request.last_inbound_at = request.opened_at;
    with(&mut request);
    let changes = Changes {
        end_user: Some(person),
        request: Some(request),
        lines: vec![line(&format!("m{number}"), 1)],
        ..Changes::default()
    };
    change(&world.store, &whose, changes, Vec::new()).await;
    whose
}

fn sent(key: &str, delivery: Delivery) -> Outbound {
    Outbound {
        delivery,
        ..outbound(key)
    }
}

/// Whose conversations are found, a page of one at a time.
async fn found(world: &World, query: &TalkQuery) -> Vec<String> {
    let mut query = TalkQuery {
        limit: 1,
        ..query.clone()
    };
    let mut all = Vec::new();
    loop {
        let page = world.store.talk_page(&query).await.unwrap();
        let Some(last) = page.last() else {
            query.after = None;
            let counted = world.store.talk_count(&query).await.unwrap();
            assert_eq!(usize::try_from(counted).unwrap(), all.len(), "{query:?}");
            return all;
        };
        query.after = Some(last.cursor(&query));
        all.push(last.whose.end_user.to_string());
        assert!(all.len() < 50, "the pages never end");
    }
}

pub(crate) async fn conversations_are_found_page_by_page(world: &World) {
    let first = conversation(world, 1, 0, |_| ()).await;
    let sms = conversation(world, 2, 1, |request| {
        request.route.platform = Platform::Sms;
        request.desk = DeskName::new("other");
    })
    .await;
    // Two that began at the same time.
    let third = conversation(world, 3, 2, |_| ()).await;
    let ended = conversation(world, 4, 2, |request| request.stage = Stage::Closed).await;
    let made = (IssueId::new("10"), IssueKey::new("SUP-1"));
    let store = &world.store;
    store
        .request_made(first.clone(), made.0, made.1)
        .await
        .unwrap();
    let open = store.live_requests(&site()).await.unwrap();
    assert_eq!(open, [IssueKey::new("SUP-1")]);
    let (held, failed) = (Delivery::Held, Delivery::Failed);
    for (whose, key, delivery) in [(&first, "k1", held), (&third, "k2", failed)] {
        let changes = Changes {
            outbound: vec![sent(key, delivery)],
            ..Changes::default()
        };
        change(store, whose, changes, Vec::new()).await;
    }
    let name = |whose: &RequestRef| whose.end_user.to_string();
    let (first, sms, third, ended) = (name(&first), name(&sms), name(&third), name(&ended));
    let mut pair = [third.clone(), ended.clone()];
    pair.sort_by(|a, b| b.cmp(a));
    let [newer, older] = pair;
    let query = |change: &dyn Fn(&mut TalkQuery)| {
        let mut query = TalkQuery::default();
        change(&mut query);
        query
    };
    let at = |hours: i64| T0.plus_ms(hours * HOUR);
    let who = crate::talking::whose(&end_user("+31600000002"), 1);
    let cases: Vec<(TalkQuery, Vec<&str>)> = vec![
        (query(&|_| ()), vec![&newer, &older, &sms, &first]),
        (query(&|q| q.live = Some(true)), vec![&third, &sms, &first]),
        (query(&|q| q.live = Some(false)), vec![&ended]),
        (
            query(&|q| q.desk = Some(DeskName::new("other"))),
            vec![&sms],
        ),
        (query(&|q| q.platform = Some("sms".to_owned())), vec![&sms]),
        (
            query(&|q| q.about = Some(TalkSubject::Issue(IssueKey::new("SUP-1")))),
            vec![&first],
        ),
        (
            query(&|q| q.about = Some(TalkSubject::Identity("+31600000003".to_owned()))),
            vec![&third],
        ),
        (
            query(&|q| {
                q.about = Some(TalkSubject::EndUser(account(), who.end_user.clone()));
            }),
            vec![&sms],
        ),
        (
            query(&|q| q.about = Some(TalkSubject::Name("%".to_owned()))),
            vec![],
        ),
        (query(&|q| q.sends = Some(SendsQuery::Held)), vec![&first]),
        (
            query(&|q| q.sends = Some(SendsQuery::NotDelivered)),
            vec![&third],
        ),
        // The windows of WhatsApp end a day later; SMS has none, and what ended has none either.
        (
            query(&|q| q.window = Some(WindowQuery::EndsBetween(at(0), at(48)))),
            vec![&first, &third],
        ),
        (
            query(&|q| q.window = Some(WindowQuery::EndsBetween(at(24), at(48)))),
            vec![&third],
        ),
        (
            query(&|q| q.window = Some(WindowQuery::EndedBy(at(30)))),
            vec![&third, &first],
        ),
        (
            query(&|q| q.window = Some(WindowQuery::EndedBy(at(25)))),
            vec![&first],
        ),
    ];
    for (query, wanted) in cases {
        assert_eq!(found(world, &query).await, wanted, "{query:?}");
    }
    let all = TalkQuery {
        limit: 10,
        ..TalkQuery::default()
    };
    let rows = store.talk_page(&all).await.unwrap();
    let row = rows.iter().find(|row| row.whose.end_user.as_str() == first);
    let row = row.unwrap();
    assert_eq!((row.held, row.not_delivered), (1, 0));
    assert_eq!(row.name.as_deref(), Some("Noa"));
    assert!(!row.blocked && row.request.issue.is_some());
}

pub(crate) async fn end_users_are_found_page_by_page(world: &World) {
    let one = conversation(world, 1, 0, |_| ()).await;
    let two = conversation(world, 2, 1, |request| request.stage = Stage::Closed).await;
    let store = &world.store;
    let blocked = store.end_user_blocked(account(), two.end_user.clone(), true);
    assert!(blocked.await.unwrap());
    let mut query = EndUserQuery {
        limit: 1,
        ..EndUserQuery::default()
    };
    let mut rows = Vec::new();
    while let Some(row) = store.end_user_page(&query).await.unwrap().pop() {
        query.after = Some(row.cursor());
        rows.push(row);
        assert!(rows.len() < 10, "the pages never end");
    }
    rows.sort_by_key(|row| row.blocked);
    let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
    assert_eq!(ids, [one.end_user.clone(), two.end_user.clone()]);
    assert_eq!(
        (rows[0].conversations, rows[0].active, rows[0].blocked),
        (1, true, false)
    );
    assert_eq!(rows[0].identity.as_deref(), Some("+31600000001"));
    assert_eq!((rows[1].active, rows[1].blocked), (false, true));
    let only = |change: fn(&mut EndUserQuery)| {
        let mut query = EndUserQuery {
            limit: 10,
            ..EndUserQuery::default()
        };
        change(&mut query);
        async move { store.end_user_page(&query).await.unwrap() }
    };
    assert_eq!(only(|query| query.blocked = true).await[0].id, two.end_user);
    let by_number = only(|query| query.identity = Some("+31600000001".to_owned())).await;
    assert_eq!(by_number.len(), 1);
    assert_eq!(by_number[0].id, one.end_user);
}

/// Something that the agents are told.
fn tell(whose: &RequestRef, fact: &str) -> Effect {
    let act = TalkAct::Tell {
        request: whose.clone(),
        audience: Audience::Internal,
        text: InternalText::new("Not delivered."),
    };
    Effect {
        key: EffectKey::talk("tell", whose, fact),
        connection: Connection::Site(site()),
        site: site(),
        issue: IssueId::new("10"),
        act: Act::Talk(act),
    }
}

pub(crate) async fn a_transcript_holds_what_was_said_and_what_became_of_it(world: &World) {
    let store = &world.store;
    let whose = begun(store).await;
    let other = conversation(world, 2, 0, |_| ()).await;
    let changes = Changes {
        outbound: vec![sent("k1", Delivery::Failed), sent("k2", Delivery::Held)],
        ..Changes::default()
    };
    change(store, &whose, changes, vec![tell(&whose, "failed/k1")]).await;
    let changes = Changes {
        lines: vec![line("m9", 9)],
        ..Changes::default()
    };
    change(store, &whose, changes, Vec::new()).await;
    let placed = store.gathering_placed(whose.clone(), 1, "20007".to_owned());
    placed.await.unwrap();

    let read = store.transcript(&whose).await.unwrap();
    let said: Vec<_> = read
        .lines
        .iter()
        .map(|one| one.line.message.to_string())
        .collect();
    assert_eq!(said, ["m1", "m9"]);
    assert_eq!(read.comments.len(), 1);
    let keys: Vec<_> = read
        .outbound
        .iter()
        .map(|one| one.message.key.to_string())
        .collect();
    assert_eq!(keys, ["k1", "k2"]);
    assert!(read.outbound[0].resolved.is_none() && read.outbound[0].event.is_none());
    assert_eq!(read.told.len(), 1);
    assert!(!read.cut);
    // What brought a message is found by its name.
    assert_eq!(read.brought, []);
    world
        .execute("UPDATE event SET delivery = 'in/m9' WHERE delivery = 'in/0'")
        .await;
    let read = store.transcript(&whose).await.unwrap();
    assert_eq!(read.brought[0].0, MessageId::new("m9"));
    let theirs = store.transcript(&other).await.unwrap();
    assert_eq!((theirs.lines.len(), theirs.told.len()), (1, 0));

    let held = store.unresolved(SendsQuery::Held, 10).await.unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].whose, whose);
    let failed = store
        .unresolved(SendsQuery::NotDelivered, 10)
        .await
        .unwrap();
    assert_eq!(failed[0].message.key, EffectKey::stored("k1"));
}

async fn decide(world: &World, whose: &RequestRef, how: Resolution) {
    let resolved = Resolved {
        how,
        by: "Olive".to_owned(),
        at: T0,
    };
    let changes = Changes {
        resolved: vec![(EffectKey::stored("k1"), resolved)],
        ..Changes::default()
    };
    change(&world.store, whose, changes, Vec::new()).await;
}

pub(crate) async fn the_first_decision_about_a_message_stands(world: &World) {
    let whose = begun(&world.store).await;
    let key = EffectKey::stored("k1");
    let changes = Changes {
        outbound: vec![sent("k1", Delivery::Held)],
        ..Changes::default()
    };
    change(&world.store, &whose, changes, Vec::new()).await;
    assert_eq!(world.store.resolution(&key).await.unwrap(), None);
    decide(world, &whose, Resolution::Arrived).await;
    decide(world, &whose, Resolution::SentAgain).await;
    let resolved = world.store.resolution(&key).await.unwrap().unwrap();
    assert_eq!(
        (resolved.how, resolved.by.as_str()),
        (Resolution::Arrived, "Olive")
    );
    let held = world.store.unresolved(SendsQuery::Held, 10).await.unwrap();
    assert!(held.is_empty());
}

/// Fills the list with this many conversations.
async fn fill(world: &World, many: u32) {
    let state = serde_json::to_string(&request(1)).unwrap();
    let numbers =
        format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many})");
    world
        .execute(&format!(
            "INSERT INTO request (account, end_user, generation, live, desk, site, opened_at, \
               window_ends_at, state, platform) {numbers} \
             SELECT 'bird', 'u' || CAST(i AS TEXT), 1, 1, 'support', 'acme', i, i + 86400000, \
               '{state}', 'whatsapp' FROM n"
        ))
        .await;
    world
        .execute(&format!(
            "INSERT INTO end_user (account, id, name, blocked, since) {numbers} \
             SELECT 'bird', 'u' || CAST(i AS TEXT), 'Somebody', 0, i FROM n"
        ))
        .await;
    for table in ["request", "end_user", "outbound"] {
        world.execute(&format!("ANALYZE {table}")).await;
    }
}

/// What the database says of how it looks for something.
async fn plan(world: &World, sql: &str) -> String {
    let asked = match world.backend {
        Backend::Sqlite => format!("EXPLAIN QUERY PLAN {sql}"),
        Backend::Postgres => format!("EXPLAIN {}", with_values(sql)),
    };
    let rows = texts(&world.url, &asked).await.unwrap();
    let steps = rows
        .into_iter()
        .filter_map(|row| row.last().cloned().flatten());
    steps.collect::<Vec<_>>().join("\n")
}

/// The statement with values that most rows have: PostgreSQL plans for values.
fn with_values(sql: &str) -> String {
    const KNOWN: [(&str, &str); 4] = [
        ("request.live = ", "1"),
        ("request.desk = ", "'support'"),
        ("request.platform = ", "'whatsapp'"),
        ("request.window_ends_at <= ", "86500000"),
    ];
    let mut text = String::new();
    for piece in sql.split('$') {
        if text.is_empty() {
            text.push_str(piece);
            continue;
        }
        let known = KNOWN.iter().find(|(before, _)| text.ends_with(before));
        text.push_str(known.map_or("'50000'", |(_, value)| value));
        text.push_str(piece.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    text
}

async fn a_hundred_thousand_conversations_are_looked_through_by_index(world: &World) {
    fill(world, 100_000).await;
    let store = &world.store;
    let page = TalkQuery {
        limit: 50,
        ..TalkQuery::default()
    };
    let queries = [
        page.clone(),
        TalkQuery {
            live: Some(true),
            ..page.clone()
        },
        TalkQuery {
            desk: Some(DeskName::new("support")),
            ..page.clone()
        },
        TalkQuery {
            platform: Some("whatsapp".to_owned()),
            ..page.clone()
        },
        TalkQuery {
            window: Some(WindowQuery::EndsBetween(T0.plus_ms(-T0.0), T0)),
            ..page
        },
    ];
    for mut query in queries {
        let first = store.talk_page(&query).await.unwrap();
        assert_eq!(first.len(), 50, "{query:?}");
        query.after = first.last().map(|row| row.cursor(&query));
        // The places are those of the columns, and the state is that of one for all.
        if let Some(after) = &mut query.after {
            after.at = T0.plus_ms(50_000 - T0.0);
        }
        let next = store.talk_page(&query).await.unwrap();
        assert!(query.window.is_some() || next.len() == 50, "{query:?}");
    }
    let everybody = EndUserQuery {
        limit: 50,
        ..EndUserQuery::default()
    };
    let first = store.end_user_page(&everybody).await.unwrap();
    assert_eq!(first.len(), 50);
    let seen = census::statements(world.backend);
    let mut looked = 0;
    for purpose in ["looking through conversations", "looking through end users"] {
        for sql in seen.get(purpose).unwrap() {
            // Others may look for one person or one request, which are few.
            if !sql.contains("LIMIT 50") {
                continue;
            }
            let plan = plan(world, sql).await;
            looked += 1;
            assert!(!plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
            // In the order of an index, but for what is equal there ("Incremental Sort").
            let sorts = |step: &str| {
                step.trim_start_matches([' ', '-', '>'])
                    .starts_with("Sort  ")
            };
            assert!(!plan.lines().any(sorts), "{sql}\n{plan}");
            assert!(!plan.contains("Seq Scan on request"), "{sql}\n{plan}");
        }
    }
    assert!(looked >= 11, "{looked} statements were looked at");
}
