//! The service's own records: every event is decided and says why, every effect is settled.

use std::collections::BTreeMap;

use bowline_domain::effect::EffectState;
use bowline_store::Store;
use bowline_store::model::{EventFilter, EventState};

/// Events that are read at once.
const PAGE: i64 = 1_000;

/// How a note says that it was found on the far side instead of being sent again.
const FOUND_BY_MARK: &str = "was found and not sent again";

/// What stands in the records.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) events: usize,
    pub(crate) effects: usize,
    /// Effects that an attempt before had made, as their mark on the far side showed.
    pub(crate) found_by_mark: usize,
    /// Events that wait to be decided and effects that wait to be made. While the service runs, a
    /// look for missed changes may add some at any time.
    pub(crate) waiting: usize,
    /// What is wrong, in words.
    pub(crate) faults: Vec<String>,
}

/// Goes through every event and effect.
pub(crate) async fn read(store: &Store) -> Records {
    let mut records = Records::default();
    let mut unsettled: BTreeMap<&str, usize> = BTreeMap::new();
    let mut filter = EventFilter {
        limit: PAGE,
        ..EventFilter::default()
    };
    loop {
        let page = store.events(&filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.before = Some(last.event.id);
        for view in &page {
            records.events += 1;
            let explained = view
                .outcome
                .as_ref()
                .is_some_and(|outcome| outcome.effects > 0 || !outcome.reasons.is_empty());
            records.waiting += usize::from(view.state == EventState::Waiting);
            if view.state != EventState::Decided || !explained {
                records.faults.push(format!(
                    "event {} is not explained: {:?}, {:?}, {:?}",
                    view.event.id, view.state, view.outcome, view.trouble
                ));
            }
            for effect in store.effects_of(view.event.id).await.unwrap() {
                records.effects += 1;
                records.waiting += usize::from(!effect.state.settled());
                if !effect.state.settled() || effect.state == EffectState::Rejected {
                    *unsettled.entry(effect.state.as_str()).or_default() += 1;
                }
                let reason = effect.reason.as_deref().unwrap_or_default();
                records.found_by_mark += usize::from(reason.contains(FOUND_BY_MARK));
            }
        }
    }
    for (state, count) in unsettled {
        records.faults.push(format!("{count} effects are {state}"));
    }
    records
}
