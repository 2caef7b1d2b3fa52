//! The rules of matching, freshness, fields and sweeping as tables.

use jiff::tz::TimeZone;
use serde_json::json;

use crate::contacts::field::{FieldName, FieldValue, TEXT_BYTES_MAX, cut, email_key};
use crate::contacts::ids::ContactId;
use crate::contacts::matching::{By, Candidates, Match, find, may_be_one};
use crate::contacts::profile::{Edit, Fields, Origin, Profile};
use crate::contacts::progress::Progress;
use crate::contacts::sweep::asked_after;
use crate::contacts::{Freshness, Life, freshness};
use crate::time::Millis;

const A: ContactId = ContactId(1);
const B: ContactId = ContactId(2);

fn found(change: impl FnOnce(&mut Candidates)) -> Match {
    let mut candidates = Candidates::default();
    change(&mut candidates);
    find(&candidates)
}

#[test]
fn the_id_counts_first_then_the_external_id_then_a_single_address() {
    assert_eq!(found(|_| ()), Match::New);
    assert_eq!(found(|c| c.by_id = Some(A)), Match::Known(A));
    assert_eq!(
        found(|c| {
            c.by_id = Some(A);
            c.by_external_id = vec![B];
        }),
        Match::Known(A)
    );
    assert_eq!(
        found(|c| {
            c.by_external_id = vec![B];
            c.by_email = vec![A];
        }),
        Match::Joins(B, By::ExternalId)
    );
    assert_eq!(found(|c| c.by_email = vec![A]), Match::Joins(A, By::Email));
    assert_eq!(
        found(|c| c.by_email = vec![A, B]),
        Match::Unclear(By::Email, vec![A, B])
    );
    assert_eq!(
        found(|c| {
            c.by_external_id = vec![A, B];
            c.by_email = vec![A];
        }),
        Match::Unclear(By::ExternalId, vec![A, B])
    );
    assert_eq!(found(|c| c.merged_into = Some(B)), Match::Merged(B));
    assert_eq!(
        found(|c| {
            c.erased = true;
            c.by_id = Some(A);
            c.by_email = vec![B];
        }),
        Match::Erased
    );
}

#[test]
fn an_address_joins_nobody_whom_the_external_id_tells_apart() {
    assert!(may_be_one(None, None));
    assert!(may_be_one(Some("u-1"), None));
    assert!(may_be_one(Some("u-1"), Some("u-1")));
    assert!(!may_be_one(Some("u-1"), Some("u-2")));
}

#[test]
fn only_news_is_taken_in() {
    for (known, come, wanted) in [
        ((5, 1), (5, 1), Freshness::Same),
        ((5, 1), (4, 1), Freshness::Same),
        ((5, 1), (6, 1), Freshness::Newer),
        ((5, 1), (5, 2), Freshness::Newer),
        ((5, 1), (4, 2), Freshness::Older),
        ((0, 0), (0, 1), Freshness::Newer),
    ] {
        assert_eq!(freshness(known, come), wanted, "{known:?} {come:?}");
    }
    for life in Life::ALL {
        assert_eq!(Life::from_code(life.code()), life);
    }
}

fn edit(text: &str) -> Edit {
    Edit {
        value: (!text.is_empty()).then(|| FieldValue::text(text)),
        origin: Origin::Person,
        by: "ana@example.com".to_owned(),
        at: Millis(7),
    }
}

fn remote(name: &str) -> Fields {
    [(FieldName::new("name"), FieldValue::text(name))].into()
}

#[test]
fn a_local_edit_counts_and_the_other_value_stands_beside_it() {
    let name = FieldName::new("name");
    let mut profile = Profile::default();
    profile.take_in(remote("Noa"));
    assert_eq!(profile.shown(&name).other, None);
    profile.edit(name.clone(), edit("Noa Lind"));
    assert_eq!(profile.text("name"), "Noa Lind");
    assert_eq!(profile.shown(&name).other, Some(&FieldValue::text("Noa")));
    profile.take_in(remote("Noa L."));
    assert_eq!(profile.text("name"), "Noa Lind");
    assert!(profile.differs());
    // Intercom catches up: from then on it is followed again.
    profile.take_in(remote("Noa Lind"));
    assert_eq!(profile.shown(&name).edit, None);
    profile.take_in(remote("Noa Berg"));
    assert_eq!(profile.text("name"), "Noa Berg");
    // Emptied here, then given back.
    profile.edit(name.clone(), edit(""));
    assert_eq!(profile.text("name"), "");
    assert!(profile.differs());
    assert!(profile.use_remote(&name));
    assert!(!profile.use_remote(&name));
    assert_eq!(profile.text("name"), "Noa Berg");
    profile.edit(name, edit("Noa Berg"));
    assert_eq!(profile.edits.len(), 0, "the same is no edit");
}

#[test]
fn who_was_in_a_file_stays_with_what_it_said_and_what_was_set_here() {
    let by = |text: &str, origin, by: &str| Edit {
        origin,
        by: by.to_owned(),
        ..edit(text)
    };
    let name = || FieldName::new("name");
    let file = by("Noa of the file", Origin::Import, "Ana");
    let hand = by("Noa by hand", Origin::Person, "Ana");
    let emptied = by("", Origin::Person, "Ana");
    let theirs = by("Noa of a lead", Origin::Merge, "Intercom");
    let taken_over = by("Noa of another", Origin::Merge, "Ben");
    for (imported, set, wanted) in [
        (None, None, None),
        (None, Some(&hand), None),
        (None, Some(&theirs), None),
        (None, Some(&file), Some("Noa of the file")),
        (Some(&file), None, Some("Noa of the file")),
        (Some(&file), Some(&hand), Some("Noa by hand")),
        (Some(&file), Some(&emptied), Some("")),
        (Some(&file), Some(&theirs), Some("Noa of the file")),
        (Some(&file), Some(&taken_over), Some("Noa of another")),
    ] {
        let of = |edit: Option<&Edit>| {
            edit.map(|edit| (name(), edit.clone()))
                .into_iter()
                .collect()
        };
        let profile = Profile {
            remote: remote("Noa at Intercom"),
            edits: of(set),
        };
        let left = profile.without_remote(&of(imported));
        assert!(left.as_ref().is_none_or(|left| left.remote.is_empty()));
        let left = left.map(|left| left.text("name"));
        assert_eq!(left.as_deref(), wanted, "{imported:?} {set:?}");
    }
}

#[test]
fn everyone_is_called_something() {
    let mut profile = Profile::default();
    let id = "6762f0971bb69f9f2193bb2b";
    assert_eq!(profile.called("lead", id), "Lead bb2b");
    assert_eq!(profile.called("user", id), "User bb2b");
    assert_eq!(profile.called("", "7"), "Contact 7");
    let set = |name: &str, text: &str| (FieldName::new(name), FieldValue::text(text));
    profile.take_in([set("phone", "+4670")].into());
    assert_eq!(profile.called("lead", id), "+4670");
    profile.take_in([set("phone", "+4670"), set("email", "n@example.com")].into());
    assert_eq!(profile.called("lead", id), "n@example.com");
    profile.take_in(remote("  Noa "));
    assert_eq!(profile.called("lead", id), "Noa");
}

#[test]
fn values_of_every_kind_are_kept_and_bounded() {
    let long = "ä".repeat(TEXT_BYTES_MAX);
    for (json, wanted) in [
        (json!(null), None),
        (json!("  "), None),
        (json!([]), None),
        (json!(true), Some(FieldValue::Flag(true))),
        (json!(12), Some(FieldValue::Whole(12))),
        (json!(1.5), Some(FieldValue::Decimal { d: "1.5".into() })),
        (json!("Pro"), Some(FieldValue::Text("Pro".into()))),
        (
            json!({"type": "Order.list", "instances": [1]}),
            Some(FieldValue::Unknown {
                u: r#"{"instances":[1],"type":"Order.list"}"#.into(),
            }),
        ),
    ] {
        let value = FieldValue::of_json(&json);
        assert_eq!(value, wanted, "{json}");
        if let Some(value) = value {
            let text = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::from_str::<FieldValue>(&text).unwrap(), value);
        }
    }
    let Some(FieldValue::Text(kept)) = FieldValue::of_json(&json!(long)) else {
        panic!("a text");
    };
    assert_eq!(kept.len(), TEXT_BYTES_MAX);
    assert_eq!(cut("äb", 1), "");
}

#[test]
fn addresses_are_compared_without_case_and_blanks() {
    for (text, wanted) in [
        (" Noa@Example.COM ", Some("noa@example.com")),
        ("noa", None),
        ("@example.com", None),
        ("noa@", None),
        ("no a@example.com", None),
    ] {
        assert_eq!(email_key(text).as_deref(), wanted, "{text}");
    }
}

#[test]
fn a_sweep_covers_two_days_before_today_in_the_zone_of_the_workspace() {
    // 2026-03-10 01:30 in UTC; the day before in Los Angeles, the same day in Tokyo.
    let now = Millis(1_773_106_200_000);
    for (zone, wanted) in [
        ("UTC", "2026-03-07T12:00:00Z"),
        ("Asia/Tokyo", "2026-03-07T03:00:00Z"),
        ("America/Los_Angeles", "2026-03-06T20:00:00Z"),
    ] {
        let zone = TimeZone::get(zone).unwrap();
        let wanted: jiff::Timestamp = wanted.parse().unwrap();
        assert_eq!(asked_after(now, &zone), wanted.as_second(), "{zone:?}");
    }
}

#[test]
fn progress_is_measured_over_the_present_stretch() {
    let progress = Progress {
        done: 600,
        total: Some(1_000),
        since: Millis(10_000),
        done_then: 400,
    };
    assert_eq!(progress.rate(Millis(10_500)), None);
    assert_eq!(progress.rate(Millis(14_000)), Some(50));
    assert_eq!(progress.left_ms(Millis(14_000)), Some(8_000));
    assert_eq!(progress.percent(), Some(60));
    let unknown = Progress {
        total: None,
        ..progress
    };
    assert_eq!(unknown.left_ms(Millis(14_000)), None);
    assert_eq!(unknown.percent(), None);
}
