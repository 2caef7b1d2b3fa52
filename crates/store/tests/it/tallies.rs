//! What is kept about the tally of issues, on both databases.

use bowline_domain::ids::{EffectId, IssueId, LaneKey, ProjectKey};
use bowline_domain::tally::{PutOn, TallySettings};
use bowline_domain::time::Millis;
use bowline_store::tally::Tally;

use crate::reading::keep;
use crate::support::*;

on_both!(
    what_is_put_on_issues_is_kept_until_it_is_taken_off,
    a_run_goes_through_each_issue_once
);

fn issue(id: &str) -> IssueId {
    IssueId::new(id)
}

fn tally(label: &str, trouble: Option<&str>) -> Tally {
    Tally {
        put_on: PutOn {
            labels: [label.to_owned()].into(),
            fields: ["customfield_1".to_owned()].into(),
        },
        trouble: trouble.map(str::to_owned),
    }
}

fn label(label: &str) -> TallySettings {
    TallySettings {
        label: Some(label.to_owned()),
        number_field: None,
    }
}

pub(crate) async fn what_is_put_on_issues_is_kept_until_it_is_taken_off(world: &World) {
    let store = &world.store;
    keep(world, "10", Some(record("ENG-1")), vec![link("7")]).await;
    keep(world, "11", Some(record("ENG-2")), vec![link("8")]).await;
    let project = record("ENG-1").project;
    assert_eq!(
        store.tally(&site(), &issue("10")).await.unwrap(),
        Tally::default()
    );
    let put = async |id: &str, tally: Tally, at: Millis| {
        let place = (site(), issue(id));
        store.put_tally(place, tally, at).await.unwrap();
    };
    put("10", tally("linked", None), T0).await;
    assert_eq!(
        store.tally(&site(), &issue("10")).await.unwrap(),
        tally("linked", None)
    );
    // Troubles are told by cause, with how long they last.
    put("10", tally("linked", Some("off screen")), T0).await;
    put("10", tally("linked", Some("off screen")), T0.plus_ms(5)).await;
    put("11", tally("linked", Some("off screen")), T0.plus_ms(3)).await;
    let [trouble] = store.tally_troubles().await.unwrap().try_into().unwrap();
    assert_eq!(
        (trouble.issues, trouble.since, trouble.last_at),
        (2, T0, T0.plus_ms(5))
    );
    assert_eq!((trouble.site, trouble.project), (site(), project));
    assert_eq!(trouble.trouble, "off screen");
    let again = |before: i64, now: i64| {
        let times = (T0.plus_ms(before), T0.plus_ms(now));
        store.claim_troubled_tallies(times, 10)
    };
    let claimed = again(4, 100).await.unwrap();
    assert_eq!(claimed, [(site(), issue("11"))], "the other was just tried");
    assert!(
        again(4, 101).await.unwrap().is_empty(),
        "it is claimed once"
    );
    put("10", tally("linked", None), T0.plus_ms(9)).await;
    put("11", Tally::default(), T0.plus_ms(9)).await;
    assert!(store.tally_troubles().await.unwrap().is_empty());
    assert_eq!(
        store.tally(&site(), &issue("11")).await.unwrap(),
        Tally::default()
    );
    let lane = LaneKey::tally(&site(), &issue("10"));
    let waiting = store.later_effect_waits(&lane, EffectId(0)).await;
    assert!(!waiting.unwrap());
}

pub(crate) async fn a_run_goes_through_each_issue_once(world: &World) {
    let store = &world.store;
    for number in 0..5 {
        let id = (10 + number).to_string();
        let key = format!("ENG-{number}");
        keep(
            world,
            &id,
            Some(record(&key)),
            vec![link(&format!("7{number}"))],
        )
        .await;
    }
    // Not linked any more, but something of ours is on it.
    keep(world, "15", Some(record("ENG-9")), Vec::new()).await;
    let place = (site(), issue("15"));
    store
        .put_tally(place, tally("linked", None), T0)
        .await
        .unwrap();
    let project: ProjectKey = record("ENG-1").project;
    let begin = async |wants: TallySettings| {
        let place = (site(), project.clone());
        store.begin_tallies(place, wants).await.unwrap();
        store.tally_runs().await.unwrap().remove(0)
    };
    assert!(!store.tallies_again(site(), project.clone()).await.unwrap());
    let first = begin(label("linked")).await;
    assert_eq!((first.round, first.place.clone()), (1, Some(issue(""))));
    assert_eq!(begin(label("linked")).await, first, "others wait for it");

    let (mut found, mut after) = (Vec::new(), first.place.clone());
    while let Some(place) = after {
        let of = (&first.site, &first.project);
        let part = store.tally_issues(of, &place, 2).await.unwrap();
        after = part.last().cloned();
        store
            .advance_tallies(first.clone(), after.clone())
            .await
            .unwrap();
        found.extend(part);
    }
    let wanted: Vec<IssueId> = (10..16).map(|id| issue(&id.to_string())).collect();
    assert_eq!(found, wanted);
    let ended = store.tally_runs().await.unwrap().remove(0);
    assert_eq!((ended.round, ended.place), (1, None));

    assert!(store.tallies_again(site(), project.clone()).await.unwrap());
    let second = begin(label("asked")).await;
    assert_eq!((second.round, second.place), (3, Some(issue(""))));
    // Who still works at an older run moves nothing.
    store.advance_tallies(first, None).await.unwrap();
    let now = store.tally_runs().await.unwrap().remove(0);
    assert_eq!(now.place, Some(issue("")));
}
