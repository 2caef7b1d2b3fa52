//! Texts are kept for a set time: then what deliveries said and what notes say is taken out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bowline_domain::time::Millis;
use bowline_store::model::Redacted;

use crate::shared::Shared;

/// How often old texts are looked for.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// How often everything is gone through from the beginning, in milliseconds: what still waited
/// when it was passed has an end by then.
const ALL_EVERY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Takes old texts out, again and again, until the engine stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut done = Redacted::default();
    let mut began = shared.now();
    loop {
        (done, began) = from_the_beginning(done, began, shared.now());
        let age_ms = shared.payload_age_ms.load(Ordering::Relaxed);
        match shared
            .store
            .redact(shared.now().plus_ms(-age_ms), done)
            .await
        {
            Ok(reached) => done = reached,
            Err(error) => {
                tracing::error!(%error, "old texts could not be taken out");
                done.more = false;
            }
        }
        let before = shared.now().plus_ms(-age_ms);
        if let Err(error) = shared.store.forget_readings(before).await {
            tracing::error!(%error, "what was read for people could not be forgotten");
        }
        if !done.more {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// Where to go on, and when the present run through everything began.
fn from_the_beginning(done: Redacted, began: Millis, now: Millis) -> (Redacted, Millis) {
    if !done.more && now.since(began) >= ALL_EVERY_MS {
        (Redacted::default(), now)
    } else {
        (done, began)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_gone_through_again_after_a_day() {
        let reached = |more| Redacted {
            event: 7,
            effect: 9,
            attempt: 11,
            more,
        };
        let day = Millis(ALL_EVERY_MS);
        for (done, now, goes_on) in [
            (reached(false), Millis(ALL_EVERY_MS - 1), true),
            (reached(true), day, true),
            (reached(false), day, false),
        ] {
            let (next, began) = from_the_beginning(done, Millis(0), now);
            let kept = (next, began) == (done, Millis(0));
            assert_eq!(kept, goes_on, "{done:?} at {now:?}");
            assert!(goes_on || (next, began) == (Redacted::default(), day));
        }
    }
}
