//! What is erased goes out of what deliveries and attempts said as well, also if the process ends in
//! the middle: the marks by which it is found are stored with the erasure.

use std::sync::Arc;
use std::time::Duration;

use bowline_store::StoreError;

use crate::shared::Shared;

/// How often it is looked whether something was erased.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Marks that are looked for at once.
const MARKS_AT_ONCE: i64 = 1_000;

/// Looks again and again, until the engine stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        if let Err(error) = all(&shared).await {
            tracing::error!(%error, "what is erased could not be taken out of deliveries; tried again");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Takes out all that is to go at this moment.
pub(crate) async fn all(shared: &Shared) -> Result<(), StoreError> {
    let store = &shared.store;
    loop {
        let marks = store.marks_to_forget(shared.now(), MARKS_AT_ONCE).await?;
        if marks.is_empty() {
            return Ok(());
        }
        let (mut after, mut waits) = (Some(0), false);
        while let Some(from) = after {
            let come = store.forget_part(marks.clone(), from).await?;
            waits |= come.waits;
            after = come.up_to;
        }
        if waits {
            store.forget_again(marks, shared.now()).await?;
        } else {
            store.forget_marks(marks).await?;
        }
    }
}
