//! Random histories of one field and of one contact's versions, held against the invariants.

use proptest::prelude::*;

use crate::contacts::field::{FieldName, FieldValue};
use crate::contacts::ids::{ContactId, RemoteContactId};
use crate::contacts::matching::{Candidates, Match, find};
use crate::contacts::profile::{Edit, Fields, Origin, Profile};
use crate::contacts::remote::{RemoteContact, tombstone};
use crate::contacts::{Freshness, freshness};
use crate::time::Millis;

#[derive(Clone, Debug)]
enum Step {
    Remote(Option<u8>),
    Edit(Option<u8>),
    UseRemote,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        proptest::option::of(0..4_u8).prop_map(Step::Remote),
        proptest::option::of(0..4_u8).prop_map(Step::Edit),
        Just(Step::UseRemote),
    ]
}

fn value(number: u8) -> FieldValue {
    FieldValue::Whole(i64::from(number))
}

fn name() -> FieldName {
    FieldName::custom("seats")
}

fn contact(version: (i64, u8)) -> RemoteContact {
    RemoteContact {
        id: RemoteContactId::new("6762f0971bb69f9f2193bb2b"),
        role: "user".to_owned(),
        updated_at: version.0,
        fields: [(name(), value(version.1))].into(),
        companies: Vec::new(),
        companies_complete: true,
    }
}

proptest! {
    #[test]
    fn the_last_edit_counts_until_it_is_given_back_or_caught_up_with(
        steps in proptest::collection::vec(step(), 0..40)
    ) {
        let mut profile = Profile::default();
        let (mut theirs, mut ours) = (None, None);
        for step in steps {
            match step {
                Step::Remote(number) => {
                    theirs = number;
                    if number.is_some() && ours == Some(number) {
                        ours = None;
                    }
                    let fields: Fields = number.map(|n| (name(), value(n))).into_iter().collect();
                    profile.take_in(fields);
                }
                Step::Edit(number) => {
                    ours = (number != theirs).then_some(number);
                    let edit = Edit {
                        value: number.map(value),
                        origin: Origin::Person,
                        by: String::new(),
                        at: Millis(1),
                    };
                    profile.edit(name(), edit);
                }
                Step::UseRemote => {
                    ours = None;
                    profile.use_remote(&name());
                }
            }
            let counts = ours.unwrap_or(theirs);
            let shown = profile.shown(&name());
            prop_assert_eq!(shown.value.cloned(), counts.map(value));
            // Intercom's value is never lost beside ours.
            prop_assert_eq!(profile.remote.get(&name()).cloned(), theirs.map(value));
            let differs = counts != theirs && theirs.is_some();
            prop_assert_eq!(shown.other.is_some(), differs);
        }
    }

    #[test]
    fn in_whatever_order_versions_come_and_however_often_the_newest_stays(
        order in Just((1..8_i64).collect::<Vec<_>>()).prop_shuffle(),
        again in proptest::collection::vec(0..7_usize, 0..20),
    ) {
        let mut known: Option<RemoteContact> = None;
        let mut writes = 0;
        let repeated = again.iter().map(|at| order[*at]);
        for at in order.iter().copied().chain(repeated) {
            let come = contact((at, u8::try_from(at).unwrap()));
            let news = known.as_ref().is_none_or(|known| {
                let versions = [known, &come].map(|c| (c.updated_at, c.digest()));
                freshness(versions[0], versions[1]) == Freshness::Newer
            });
            if news {
                known = Some(come);
                writes += 1;
            }
        }
        prop_assert_eq!(known.unwrap(), contact((7, 7)));
        prop_assert!(writes <= 7);
    }

    #[test]
    fn nobody_whom_intercom_knows_is_joined_by_a_guess(
        by_id in proptest::option::of(1..9_i64),
        merged in proptest::option::of(1..9_i64),
        erased in any::<bool>(),
        external in proptest::collection::vec(10..14_i64, 0..3),
        email in proptest::collection::vec(20..24_i64, 0..3),
    ) {
        let ids = |list: &[i64]| list.iter().copied().map(ContactId).collect::<Vec<_>>();
        let candidates = Candidates {
            by_id: by_id.map(ContactId),
            merged_into: merged.map(ContactId),
            erased,
            by_external_id: ids(&external),
            by_email: ids(&email),
        };
        match find(&candidates) {
            Match::Erased => prop_assert!(erased),
            Match::Known(id) => prop_assert!(!erased && candidates.by_id == Some(id)),
            Match::Merged(id) => {
                prop_assert!(by_id.is_none() && candidates.merged_into == Some(id));
            }
            Match::Joins(id, _) => {
                prop_assert!(by_id.is_none() && merged.is_none());
                let alone = candidates.by_external_id == [id]
                    || (external.is_empty() && candidates.by_email == [id]);
                prop_assert!(alone);
            }
            Match::Unclear(_, several) => prop_assert!(several.len() > 1),
            Match::New => prop_assert!(external.is_empty() && email.is_empty()),
        }
    }

    #[test]
    fn merging_loses_no_value_that_the_survivor_lacks_and_keeps_its_own(
        ours in proptest::option::of(0..4_u8),
        theirs in proptest::option::of(0..4_u8),
    ) {
        let of = |number: Option<u8>| {
            let mut profile = Profile::default();
            profile.take_in(number.map(|n| (name(), value(n))).into_iter().collect());
            profile
        };
        let mut into = of(ours);
        let from = of(theirs);
        into.merge(&from, Millis(3));
        prop_assert_eq!(into.shown(&name()).value.cloned(), ours.or(theirs).map(value));
        let once = into.clone();
        into.merge(&from, Millis(4));
        prop_assert_eq!(into, once);
    }
}

#[test]
fn a_digest_tells_apart_and_a_tombstone_belongs_to_its_workspace() {
    assert_eq!(contact((1, 1)).digest(), contact((2, 1)).digest());
    assert_ne!(contact((1, 1)).digest(), contact((1, 2)).digest());
    let id = RemoteContactId::new("6762f0971bb69f9f2193bb2b");
    assert_eq!(tombstone("acme", &id), tombstone("acme", &id));
    assert_ne!(tombstone("acme", &id), tombstone("other", &id));
    assert_eq!(find(&Candidates::default()), Match::New);
}
