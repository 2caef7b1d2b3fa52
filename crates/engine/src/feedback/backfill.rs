//! Taking in what was tagged before, as a person asked: page by page, each conversation as an event
//! in its lane.

use std::sync::Arc;
use std::time::Duration;

use bowline_domain::feedback::product::Product;
use bowline_domain::time::Millis;
use bowline_intercom::feedback::PAGE_MAX;
use bowline_net::{ApiError, ErrorKind};
use bowline_store::StoreError;
use bowline_store::feedback::{Backfill, BackfillState, BackfillStep};
use bowline_store::model::EventSource;

use super::event::{FeedbackEvent, event};
use super::far::call;
use crate::health;
use crate::pace::Priority;
use crate::shared::Shared;

/// How often it is looked whether there is one to go on with.
const TICK: Duration = Duration::from_millis(500);

/// How long a backfill is held by who works it, in milliseconds: longer than the waits and tries of
/// one page take.
const HELD_MS: i64 = 120_000;

/// Events that wait at most before the next page is asked for: a backfill does not bury what
/// people wait for.
const WAITING_MAX: i64 = 1_000;

/// Why a backfill cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum CannotBegin {
    /// No tag counts.
    #[error("No tag of the product is known in Intercom, so there is nothing to look for.")]
    NoTags,
    /// The workspace is not configured.
    #[error("The product's workspace is not configured any more.")]
    NoWorkspace,
    /// Intercom does not answer as needed.
    #[error("Intercom did not answer as needed: {0}")]
    Remote(ApiError),
}

fn tags(product: &Product) -> Vec<&str> {
    let known = product.tags.iter().filter(|tag| tag.gone_at.is_none());
    known.map(|tag| tag.tag.as_str()).collect()
}

/// How many conversations with a tag of the product changed since a time: those that a backfill
/// reads. Changes nothing.
///
/// # Errors
/// See [`CannotBegin`].
pub async fn count(shared: &Shared, product: &Product, since: Millis) -> Result<i64, CannotBegin> {
    let registry = shared.registry();
    let workspace = registry.workspaces.get(&product.workspace);
    let workspace = workspace.ok_or(CannotBegin::NoWorkspace)?;
    let tags = tags(product);
    if tags.is_empty() {
        return Err(CannotBegin::NoTags);
    }
    let since_s = since.0.div_euclid(1_000);
    let search = workspace
        .client
        .conversations_tagged(&tags, since_s, None, 1);
    let page = call(shared, workspace, Priority::Interactive, search).await;
    Ok(page.map_err(CannotBegin::Remote)?.total)
}

/// Goes on with what is under way, until the engine stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        match shared.store.running_backfills().await {
            Ok(running) => {
                for backfill in running {
                    if let Err(error) = work(&shared, backfill.id).await {
                        tracing::error!(backfill = backfill.id, %error, "a backfill failed");
                    }
                }
            }
            Err(error) => tracing::error!(%error, "backfills could not be read"),
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = shared.stopping.cancelled() => return,
        }
    }
}

/// One page of a backfill, if no other process works it.
async fn work(shared: &Arc<Shared>, id: i64) -> Result<(), StoreError> {
    let now = shared.now();
    let claimed = shared.store.claim_backfill(id, now, now.plus_ms(HELD_MS));
    match claimed.await? {
        Some(backfill) => step(shared, &backfill).await,
        None => Ok(()),
    }
}

/// One page of one backfill.
async fn step(shared: &Arc<Shared>, backfill: &Backfill) -> Result<(), StoreError> {
    if shared.store.backlog().await?.events > WAITING_MAX {
        return Ok(());
    }
    let product = shared.store.product(backfill.product).await?;
    let Some(product) = product.filter(|product| product.on) else {
        return end(shared, backfill, BackfillState::Cancelled).await;
    };
    let registry = shared.registry();
    let workspace = registry.workspaces.get(&product.workspace);
    let Some(workspace) = workspace.filter(|one| one.standing.works() && one.standing.proven())
    else {
        return trouble(
            shared,
            backfill,
            "The connection to Intercom does not work.",
        )
        .await;
    };
    let tags = tags(&product);
    if tags.is_empty() {
        return end(shared, backfill, BackfillState::Done).await;
    }
    let since_s = backfill.since.0.div_euclid(1_000);
    let cursor = backfill.cursor.as_deref();
    let search = workspace
        .client
        .conversations_tagged(&tags, since_s, cursor, PAGE_MAX);
    let page = match call(shared, workspace, Priority::Bulk, search).await {
        Ok(page) => page,
        // The place is not known any more: from the beginning. What was looked at is known.
        Err(error) if error.kind == ErrorKind::Data && cursor.is_some() => {
            let again = BackfillStep {
                looked: -backfill.looked,
                trouble: Some("Intercom forgot the place; begun again.".to_owned()),
                ..BackfillStep::default()
            };
            let kept = shared.store.advance_backfill(backfill.id, again).await;
            return kept.map(drop);
        }
        Err(error) => {
            health::take_in(shared, &workspace.standing, &error).await;
            return trouble(shared, backfill, &error.to_string()).await;
        }
    };
    let mut looked = 0;
    for found in &page.items {
        let told = FeedbackEvent::Look {
            conversation: found.id.clone(),
            backfill: Some(backfill.id),
        };
        let name = format!("backfill-{}-{}", backfill.id, found.id);
        let source = EventSource::Command;
        let Ok(event) = event(&product.workspace, &told, source, name, shared.now()) else {
            continue;
        };
        shared.store.accept(event).await?;
        looked += 1;
    }
    let came = BackfillStep {
        looked,
        over: page.next.is_none().then(|| shared.now()),
        cursor: page.next,
        trouble: None,
    };
    shared.store.advance_backfill(backfill.id, came).await?;
    shared.store.wake().await
}

async fn trouble(shared: &Shared, backfill: &Backfill, words: &str) -> Result<(), StoreError> {
    if backfill.trouble.as_deref() == Some(words) {
        return Ok(());
    }
    let stuck = BackfillStep {
        cursor: backfill.cursor.clone(),
        trouble: Some(words.to_owned()),
        ..BackfillStep::default()
    };
    let kept = shared.store.advance_backfill(backfill.id, stuck).await;
    kept.map(drop)
}

async fn end(shared: &Shared, backfill: &Backfill, to: BackfillState) -> Result<(), StoreError> {
    let now = shared.now();
    let moved = shared.store.move_backfill(backfill.id, to, now, Vec::new());
    moved.await.map(drop)
}
