//! Texts are kept for a set time: then what deliveries said and what notes say is taken out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bowline_store::model::Redacted;

use crate::shared::Shared;

/// How often old texts are looked for.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// Takes old texts out, again and again, until the engine stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut done = Redacted::default();
    loop {
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
        if !done.more {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
