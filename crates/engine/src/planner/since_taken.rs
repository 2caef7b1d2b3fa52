//! What was read of the issue of a lane, kept for the events of it that were taken together.

use std::sync::{Mutex, PoisonError};

use bowline_domain::time::Millis;
use bowline_jira as jira;
use bowline_net::ApiError;

/// How long one reading of an issue serves several of its events, in milliseconds.
const MOMENT_MS: i64 = 1_000;

/// What was read of the issue of a lane since its events that are at hand were taken. Each of them
/// had come before the reading began, so it shows what each of them tells of, and what many changes
/// in a moment cost is one reading for several of them. Only for that moment: who has hidden the
/// issue meanwhile does not want it told.
#[derive(Default)]
pub(crate) struct SinceTaken {
    read: Mutex<Option<(Millis, jira::Issue)>>,
    /// Why it could not be read ahead for the event that is planned: an answer to its first reading.
    failed_ahead: Mutex<Option<ApiError>>,
    /// When nothing was being written to its conversations, as it was looked up for that event.
    at_rest: Mutex<Option<Millis>>,
}

impl SinceTaken {
    pub(super) fn get(&self, now: Millis) -> Option<jira::Issue> {
        let kept = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, issue) = kept.as_ref()?;
        // A clock that was set back makes it no younger.
        (0..=MOMENT_MS)
            .contains(&now.since(*began))
            .then(|| issue.clone())
    }

    pub(super) fn keep(&self, read: Option<(Millis, jira::Issue)>) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = read;
    }

    /// Keeps a failure, and returns the one that was kept.
    pub(super) fn fail(&self, failure: Option<ApiError>) -> Option<ApiError> {
        let kept = self.failed_ahead.lock();
        std::mem::replace(&mut *kept.unwrap_or_else(PoisonError::into_inner), failure)
    }

    /// Another event is planned: what failed for the one before is not its concern.
    pub(super) fn next_event(&self) {
        self.fail(None);
        self.found_at_rest(None);
    }

    pub(super) fn found_at_rest(&self, at: Option<Millis>) {
        *self.at_rest.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// When nothing was being written to the conversations of the issue, if that is known for the event
    /// that is planned.
    pub(super) fn at_rest(&self) -> Option<Millis> {
        *self.at_rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Others were taken, which came since.
    pub(super) fn over(&self) {
        self.keep(None);
    }
}
