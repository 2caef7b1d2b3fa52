//! What comes by itself has other statements on PostgreSQL than what comes together with others. It
//! ends alike.

use bowline_domain::effect::EffectState;
use bowline_domain::fact::FactKey;
use bowline_domain::ids::IssueId;
use bowline_domain::outcome::Reason;
use bowline_store::model::{
    Accepted, Decided, Decision, IfUnlinked, Lease, NewEvent, OnArrival, Verdict,
};
use bowline_store::testing::{Backend, census};
use futures_util::future::join_all;

use crate::support::*;

on_both!(
    deliveries_end_alike_alone_or_together,
    decisions_end_alike_alone_or_together,
);

/// The two ways, by what the names of each begin with.
const WAYS: [&str; 2] = ["alone", "together"];

/// Brings one after the other, or all at the same moment.
async fn bring<Job, Done>(
    way: &str,
    jobs: impl IntoIterator<Item = Job>,
    bring: impl AsyncFn(Job) -> Done,
) -> Vec<Done> {
    if way == WAYS[1] {
        return join_all(jobs.into_iter().map(|job| bring(job))).await;
    }
    let mut done = Vec::new();
    for job in jobs {
        done.push(bring(job).await);
    }
    done
}

/// Everything that is stored under one of the ways, without what a way must not decide: numbers that
/// are given out in turn.
async fn stored(world: &World, way: &str) -> Vec<String> {
    const TABLES: [(&str, &[&str]); 4] = [
        (
            "event",
            &["delivery", "lane", "state", "outcome", "decided_at", "body"],
        ),
        (
            "lane",
            &[
                "key",
                "kind",
                "connection",
                "pending",
                "due_at",
                "owner",
                "failures",
            ],
        ),
        (
            "effect",
            &[
                "key",
                "lane",
                "connection",
                "issue",
                "act",
                "state",
                "attempts",
                "planned_at",
            ],
        ),
        ("fact", &["site", "issue", "fact"]),
    ];
    let mut found = Vec::new();
    for (table, columns) in TABLES {
        let texts = columns
            .iter()
            .map(|column| format!("CAST({column} AS TEXT)"));
        let texts: Vec<String> = texts.collect();
        let sql = format!("SELECT {} FROM {table}", texts.join(", "));
        for row in world.texts(&sql).await {
            let words: Vec<String> = row.into_iter().map(Option::unwrap_or_default).collect();
            let line = format!("{table}|{}", words.join("|"));
            if line.contains(way) {
                found.push(line.replace(way, "way"));
            }
        }
    }
    found.sort();
    found
}

fn said(accepted: &Accepted) -> &'static str {
    match accepted {
        Accepted::Fresh { lease: None, .. } => "waits",
        Accepted::Fresh { lease: Some(_), .. } => "taken",
        Accepted::Decided { .. } => "nothing to do",
        Accepted::Duplicate => "known",
    }
}

/// A delivery of which there is nothing to do unless its issue is linked.
fn if_unlinked(issue: &str, delivery: &str) -> NewEvent {
    NewEvent {
        on_arrival: OnArrival::NothingIfUnlinked(IfUnlinked {
            site: site(),
            issue: IssueId::new(issue),
            scanned_in: None,
            reason: Reason::NotLinked,
        }),
        ..event(issue, delivery)
    }
}

/// Was the purpose served by a statement about a list, and by another one?
fn both_forms_of(purpose: &str) -> bool {
    let seen = census::statements(Backend::Postgres);
    let list = |sql: &&String| sql.contains("VALUES ($1,$2,$3");
    let served = seen.get(purpose).into_iter().flatten();
    let (lists, others): (Vec<_>, Vec<_>) = served.partition(list);
    !lists.is_empty() && !others.is_empty()
}

async fn deliveries_end_alike_alone_or_together(world: &World) {
    let mut ended = Vec::new();
    for way in WAYS {
        let issue = |name: &str| format!("{way}-{name}");
        let named = |name: &str| format!("{way}/{name}");
        let (id, lease) = taken(&world.store, &issue("linked"), &named("link")).await;
        let linked = Decided {
            issue: Some((site(), IssueId::new(issue("linked")))),
            record: Some(record("ENG-1")),
            links: vec![link("7")],
            ..Decided::default()
        };
        decide(&world.store, &lease, id, linked).await.unwrap();
        let quarantined = NewEvent {
            on_arrival: OnArrival::Quarantine("It cannot be read.".to_owned()),
            ..event(&issue("odd"), &named("odd"))
        };
        let comes = [
            event(&issue("1"), &named("first")),
            event(&issue("1"), &named("second")),
            left(event(&issue("2"), &named("left"))),
            event(&issue("3"), &named("link")),
            if_unlinked(&issue("linked"), &named("of a linked issue")),
            if_unlinked(&issue("4"), &named("of no linked issue")),
            quarantined,
        ];
        let answers = bring(way, comes, async |event| world.store.accept(event).await).await;
        let answers: Vec<&str> = answers
            .iter()
            .map(|answer| said(answer.as_ref().unwrap()))
            .collect();
        ended.push((answers, stored(world, way).await));
    }
    assert_eq!(
        ended[0].0,
        [
            "taken",
            "waits",
            "waits",
            "known",
            "taken",
            "nothing to do",
            "waits"
        ]
    );
    assert_eq!(ended[0], ended[1]);
    assert!(both_forms_of("storing deliveries") || world.backend == Backend::Sqlite);
}

async fn decisions_end_alike_alone_or_together(world: &World) {
    let mut ended = Vec::new();
    for way in WAYS {
        let to = |name: &str| note(&format!("{way}-{name}"), "a");
        let mut comes = Vec::new();
        for name in [
            "known",
            "busy",
            "no effect",
            "one",
            "fact",
            "odd",
            "lost",
            "again",
        ] {
            let issue = format!("{way}-{name}");
            let (id, lease) = taken(&world.store, &issue, &format!("{way}/{name}")).await;
            comes.push((name, issue, id, lease));
        }
        // Another event waits where one is odd.
        let next = event(&format!("{way}-odd"), &format!("{way}/after"));
        world.store.accept(next).await.unwrap();
        // Both effects are there already, and the lane of one of them goes on.
        let before = planned(&world.store, &format!("{way}-before"), vec![to("known")]).await;
        settle(&world.store, &before[0], confirmed("r1")).await;
        let busy = format!("{way}-before-busy");
        planned(&world.store, &busy, vec![note(&format!("{way}-busy"), "b")]).await;
        let (_, _, again, of_again) = comes.last().unwrap();
        decide(&world.store, of_again, *again, effects(vec![]))
            .await
            .unwrap();

        let decisions = comes.iter().map(|(name, issue, id, lease)| {
            let about = Some((site(), IssueId::new(issue)));
            let facts = match *name {
                "no effect" | "odd" => Vec::new(),
                _ => vec![FactKey::changed("5")],
            };
            let made = match *name {
                "no effect" | "fact" => Vec::new(),
                name => vec![to(name)],
            };
            let decided = Decided {
                issue: about,
                facts,
                ..effects(made)
            };
            let lease = match *name {
                "lost" => Lease {
                    token: lease.token + 1_000_000,
                    ..lease.clone()
                },
                _ => lease.clone(),
            };
            let made = decision(&lease, *id, decided);
            match *name {
                "odd" => Decision {
                    verdict: Verdict::Quarantined("It cannot be read.".to_owned()),
                    ..made
                },
                _ => made,
            }
        });
        let decide = async |decision| world.store.decide(decision).await;
        let answers = bring(way, decisions, decide).await;
        let answers: Vec<String> = answers
            .iter()
            .map(|answer| match answer {
                Ok(done) => format!("{} taken, more: {}", done.taken.len(), done.more),
                Err(error) => error.to_string().replace(way, "way"),
            })
            .collect();
        ended.push((answers, stored(world, way).await));
    }
    assert_eq!(
        ended[0].0[..6],
        [
            "0 taken, more: false",
            "0 taken, more: false",
            "0 taken, more: false",
            "1 taken, more: false",
            "0 taken, more: false",
            "0 taken, more: true",
        ]
    );
    assert!(ended[0].0[6].contains("way-lost") && ended[0].0[7].contains("way-again"));
    let attempting = format!("|{}|1|", EffectState::Attempting.code());
    let effects = ended[0].1.iter().filter(|line| line.starts_with("effect"));
    let (held, waiting): (Vec<_>, Vec<_>) = effects.partition(|line| line.contains(&attempting));
    assert_eq!((held.len(), waiting.len()), (2, 2), "{:#?}", ended[0].1);
    assert_eq!(ended[0], ended[1]);
    assert!(both_forms_of("recording outcomes") || world.backend == Backend::Sqlite);
}
