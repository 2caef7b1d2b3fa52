//! Waiting for a condition, with a bound.

use std::time::Duration;

/// The longest wait for something to be seen on the far side.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Looks until `found` gives something, at most for [`PATIENCE`].
pub async fn until<T>(mut found: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return Some(found);
        }
        if tokio::time::Instant::now() >= deadline {
            return None;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
