//! Deciding again all that came since a time, as a person asked: part by part, never so much at
//! once that what comes meanwhile waits behind it.

use std::sync::Arc;
use std::time::Duration;

use bowline_store::StoreError;
use bowline_store::feedback::BackfillState;

use crate::shared::Shared;

/// How often it is looked whether there is one to go on with.
const TICK: Duration = Duration::from_millis(500);

/// How long a replay is held by who works it, in milliseconds: longer than one part takes.
const HELD_MS: i64 = 60_000;

/// Events that wait at most before the next part is put back.
const WAITING_MAX: i64 = 1_000;

/// Goes on with what is under way, until the engine stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        if let Err(error) = go_on(&shared).await {
            tracing::error!(%error, "a replay failed");
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = shared.stopping.cancelled() => return,
        }
    }
}

async fn go_on(shared: &Shared) -> Result<(), StoreError> {
    for id in shared.store.running_replays().await? {
        while !shared.stopping.is_cancelled() && shared.store.backlog().await?.events <= WAITING_MAX
        {
            let now = shared.now();
            let part = shared.store.replay_part(id, now, now.plus_ms(HELD_MS));
            let Some(run) = part.await? else { break };
            shared.store.wake().await?;
            if run.state != BackfillState::Running {
                tracing::info!(replay = id, put_back = run.put_back, "replay done");
                break;
            }
        }
    }
    Ok(())
}
