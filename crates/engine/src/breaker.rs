//! The breaker: bounds the notes of one link within an hour.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bowline_domain::ids::EffectId;
use bowline_domain::time::Millis;

/// The time that notes are counted over, in milliseconds.
const SPAN_MS: i64 = 60 * 60 * 1_000;

/// Links that are counted at once; beyond it those that were quiet for an hour are forgotten.
const LINKS_MAX: usize = 20_000;

/// Counts notes per link. What was posted before this process met a link is told by the store;
/// each of several processes counts what it posts itself from then on.
pub(crate) struct Breaker {
    limit: AtomicU32,
    counted: Mutex<HashMap<String, Counted>>,
}

/// What is known of one link.
#[derive(Default)]
struct Counted {
    /// Did the store say what was posted before?
    told: bool,
    /// The oldest first.
    notes: VecDeque<Passed>,
}

/// A note that went out, or was about to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) effect: EffectId,
    pub(crate) at: Millis,
}

/// From when on notes are counted.
pub(crate) fn counted_from(now: Millis) -> Millis {
    now.plus_ms(-SPAN_MS)
}

impl Breaker {
    pub(crate) fn new() -> Self {
        Self {
            limit: AtomicU32::new(0),
            counted: Mutex::new(HashMap::new()),
        }
    }

    /// Sets the notes per link and hour; zero is no bound.
    pub(crate) fn set_limit(&self, limit: u32) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Must the store be asked what was posted to this link?
    pub(crate) fn must_be_told(&self, link: &str) -> bool {
        self.limit.load(Ordering::Relaxed) > 0
            && !self.counted().get(link).is_some_and(|counted| counted.told)
    }

    /// Takes over what was posted before, besides what it has counted since.
    pub(crate) fn tell(&self, link: &str, mut posted: Vec<Passed>, now: Millis) {
        let mut all = self.counted();
        if all.len() >= LINKS_MAX {
            let lately = |note: &Passed| note.at > counted_from(now);
            all.retain(|_, counted| counted.notes.back().is_some_and(lately));
        }
        let counted = all.entry(link.to_owned()).or_default();
        posted.retain(|note| counted.notes.iter().all(|own| own.effect != note.effect));
        posted.extend(&counted.notes);
        posted.sort_by_key(|note| note.at);
        *counted = Counted {
            told: true,
            notes: posted.into(),
        };
    }

    /// Did a note of this link go out since, as far as this process knows?
    pub(crate) fn passed_since(&self, link: &str, since: Millis) -> bool {
        let all = self.counted();
        let last = all.get(link).and_then(|counted| counted.notes.back());
        last.is_some_and(|note| note.at > since)
    }

    /// Counts a note that is about to go out, once however often it is tried, or says when it may.
    pub(crate) fn pass(&self, link: &str, effect: EffectId, now: Millis) -> Result<(), Millis> {
        let limit = self.limit.load(Ordering::Relaxed) as usize;
        if limit == 0 {
            return Ok(());
        }
        let mut all = self.counted();
        let notes = &mut all.entry(link.to_owned()).or_default().notes;
        while notes
            .front()
            .is_some_and(|note| note.at <= counted_from(now))
        {
            notes.pop_front();
        }
        if notes.iter().any(|note| note.effect == effect) {
            return Ok(());
        }
        match notes.front() {
            Some(first) if notes.len() >= limit => Err(first.at.plus_ms(SPAN_MS)),
            _ => {
                notes.push_back(Passed { effect, at: now });
                Ok(())
            }
        }
    }

    fn counted(&self) -> MutexGuard<'_, HashMap<String, Counted>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(breaker: &Breaker, link: &str, effect: i64, at: i64) -> Result<(), Millis> {
        breaker.pass(link, EffectId(effect), Millis(at))
    }

    #[test]
    fn lets_so_many_pass_and_then_waits_for_the_hour() {
        let breaker = Breaker::new();
        assert_eq!(pass(&breaker, "a", 1, 0), Ok(()), "no bound unless set");
        breaker.set_limit(2);
        assert_eq!(pass(&breaker, "a", 1, 10), Ok(()));
        assert!(breaker.passed_since("a", Millis(9)));
        assert!(!breaker.passed_since("a", Millis(10)));
        assert!(!breaker.passed_since("b", Millis(0)));
        assert_eq!(pass(&breaker, "a", 2, 20), Ok(()));
        assert_eq!(pass(&breaker, "a", 2, 25), Ok(()), "the same, tried again");
        assert_eq!(pass(&breaker, "a", 3, 30), Err(Millis(10 + SPAN_MS)));
        assert_eq!(pass(&breaker, "b", 4, 30), Ok(()), "each link by itself");
        assert_eq!(pass(&breaker, "a", 3, 10 + SPAN_MS), Ok(()));
    }

    #[test]
    fn what_was_posted_before_counts() {
        let breaker = Breaker::new();
        assert!(!breaker.must_be_told("a"), "nothing is counted");
        breaker.set_limit(2);
        assert!(breaker.must_be_told("a"));
        let posted = [(1, 5), (2, 10)].map(|(effect, at)| Passed {
            effect: EffectId(effect),
            at: Millis(at),
        });
        breaker.tell("a", posted.to_vec(), Millis(20));
        assert!(!breaker.must_be_told("a"));
        assert_eq!(pass(&breaker, "a", 3, 20), Err(Millis(5 + SPAN_MS)));
        assert_eq!(
            pass(&breaker, "a", 2, 20),
            Ok(()),
            "in doubt, looked at again"
        );
        assert_eq!(pass(&breaker, "a", 3, 5 + SPAN_MS), Ok(()));
    }

    #[test]
    fn what_was_posted_before_is_added_to_what_was_counted_meanwhile() {
        let breaker = Breaker::new();
        breaker.set_limit(2);
        assert_eq!(pass(&breaker, "a", 7, 20), Ok(()));
        assert!(breaker.must_be_told("a"), "only its own is counted");
        let posted = [(1, 5), (7, 21)].map(|(effect, at)| Passed {
            effect: EffectId(effect),
            at: Millis(at),
        });
        breaker.tell("a", posted.to_vec(), Millis(30));
        assert!(!breaker.must_be_told("a"));
        let first_over = Millis(5 + SPAN_MS);
        assert_eq!(pass(&breaker, "a", 8, 30), Err(first_over));
        assert_eq!(pass(&breaker, "a", 8, first_over.0), Ok(()));
    }
}
