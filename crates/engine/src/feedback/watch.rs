//! Looking for what no webhook told: tags that were put on while the service was away or taken off,
//! tags that were renamed or deleted, conversations that were deleted, and people who are not there
//! any more.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bowline_domain::feedback::product::{ListedTag, Product};
use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_domain::time::Millis;
use bowline_intercom::feedback::PAGE_MAX;
use bowline_store::model::EventSource;

use super::event::{FeedbackEvent, event};
use super::far::look;
use super::people::{self, People};
use super::switch::listed_tags;
use super::untold::{self, Untold};
use crate::registry::Workspace;
use crate::shared::Shared;

/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_secs(1);

/// How often tagged conversations are looked for, in milliseconds.
const LOOK_EVERY_MS: i64 = 5 * 60 * 1_000;

/// How far a look reaches back behind the last one, in milliseconds: the search index lags behind,
/// and clocks differ.
const OVERLAP_MS: i64 = 10 * 60 * 1_000;

/// Pages of any list that are read in one look.
const PAGES_MAX: u32 = 200;

/// Looks again and again, until the engine stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut due: HashMap<WorkspaceName, Millis> = HashMap::new();
    let mut progress: HashMap<WorkspaceName, Progress> = HashMap::new();
    loop {
        let configured = shared.configured.notified();
        let registry = shared.registry();
        for (name, workspace) in &registry.workspaces {
            let now = shared.now();
            let standing = &workspace.standing;
            let is_due = due.get(name).is_none_or(|at| now >= *at);
            if !is_due || !standing.works() || !standing.proven() {
                continue;
            }
            let progress = progress.entry(name.clone()).or_default();
            match round(&shared, name, workspace, progress).await {
                Ok(()) => drop(due.insert(name.clone(), now.plus_ms(LOOK_EVERY_MS))),
                Err(error) => {
                    due.insert(name.clone(), now.plus_ms(LOOK_EVERY_MS / 5));
                    tracing::warn!(workspace = %name, error, "looking for feedback failed");
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = configured => due.clear(),
            () = shared.stopping.cancelled() => return,
        }
    }
}

/// How far the looks are that take several rounds.
#[derive(Default)]
struct Progress {
    untold: Untold,
    people: People,
}

async fn round(
    shared: &Arc<Shared>,
    name: &WorkspaceName,
    workspace: &Workspace,
    progress: &mut Progress,
) -> Result<(), String> {
    let all = shared.store.products().await;
    let all = all.map_err(|error| error.to_string())?;
    let declared = shared
        .registry()
        .products
        .iter()
        .any(|one| one.workspace == *name);
    let mut own = all.iter().filter(|product| product.workspace == *name);
    if declared || own.clone().any(|product| product.on) {
        taken_in(shared, name, workspace, &mut progress.untold).await?;
    }
    // What was deleted or erased at Intercom is erased here too, also while nothing new comes in.
    if declared || own.next().is_some() {
        deleted(shared, name, workspace).await?;
        people::round(shared, name, workspace, &mut progress.people).await?;
    }
    Ok(())
}

/// What is new, and what tags are called now.
async fn taken_in(
    shared: &Arc<Shared>,
    name: &WorkspaceName,
    workspace: &Workspace,
    untold: &mut Untold,
) -> Result<(), String> {
    let listed = listed_tags(shared, workspace).await?;
    super::switch::resolve_declared(shared, name, &listed).await?;
    let named = shared
        .store
        .name_tags(name.clone(), listed, shared.now())
        .await;
    named.map_err(|error| error.to_string())?;
    let own = shared.store.products_of(name).await;
    let own = own.map_err(|error| error.to_string())?;
    tagged(shared, name, workspace, &own).await?;
    untold::round(shared, name, workspace, &own, untold).await
}

/// Has conversations looked at that have a tag that counts and changed since the last look. An
/// event is named by the conversation's version, so each version is looked at once.
async fn tagged(
    shared: &Shared,
    name: &WorkspaceName,
    workspace: &Workspace,
    products: &[Product],
) -> Result<(), String> {
    let tags: Vec<&str> = products
        .iter()
        .flat_map(|product| &product.tags)
        .filter(|tag| tag.gone_at.is_none())
        .map(|tag| tag.tag.as_str())
        .collect();
    if tags.is_empty() {
        return Ok(());
    }
    let began = shared.now();
    let watch_name = format!("feedback/{name}");
    let watch = shared.store.watch(watch_name.clone(), began).await;
    let since = watch.map_err(|error| error.to_string())?;
    let since_s = since.plus_ms(-OVERLAP_MS).0.div_euclid(1_000);
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let search =
            workspace
                .client
                .conversations_tagged(&tags, since_s, after.as_deref(), PAGE_MAX);
        let page = look(shared, workspace, search).await?;
        for found in &page.items {
            let told = FeedbackEvent::Look {
                conversation: found.id.clone(),
                backfill: None,
            };
            let version = format!("{}@{}", found.id, found.updated_at);
            store(shared, name, &told, format!("look-{version}")).await?;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let done = shared.store.watched(watch_name, began).await;
    done.map_err(|error| error.to_string())
}

/// Has conversations erased that were deleted since the last look and have tickets.
async fn deleted(
    shared: &Shared,
    name: &WorkspaceName,
    workspace: &Workspace,
) -> Result<(), String> {
    let began = shared.now();
    let watch_name = format!("feedback-deleted/{name}");
    let watch = shared.store.watch(watch_name.clone(), began).await;
    let since = watch.map_err(|error| error.to_string())?;
    let since_s = since.plus_ms(-OVERLAP_MS).0.div_euclid(1_000);
    for page in 1..=PAGES_MAX {
        let listing = workspace.client.deleted_conversations(page);
        let (items, more) = look(shared, workspace, listing).await?;
        let mut older = false;
        for item in items {
            older |= item.at.is_some_and(|at| at < since_s);
            let id = ConversationId::new(item.id.as_str());
            let known = shared.store.tickets_of_conversation(name, &id).await;
            let known = known.map_err(|error| error.to_string())?;
            if known.iter().any(|ticket| !ticket.erased) {
                let told = FeedbackEvent::Gone {
                    conversation: item.id.clone(),
                };
                store(shared, name, &told, format!("gone-{}", item.id)).await?;
            }
        }
        if older || !more {
            break;
        }
    }
    let done = shared.store.watched(watch_name, began).await;
    done.map_err(|error| error.to_string())
}

/// Stores an event of our own, once by its name.
pub(super) async fn store(
    shared: &Shared,
    workspace: &WorkspaceName,
    told: &FeedbackEvent,
    name: String,
) -> Result<(), String> {
    let event = event(workspace, told, EventSource::Reconciler, name, shared.now())?;
    let stored = shared.store_event(event).await;
    stored.map(drop).map_err(|error| error.to_string())
}

/// The tags of a workspace by name, for a list to choose from.
pub(super) fn by_name(mut tags: Vec<ListedTag>) -> Vec<ListedTag> {
    tags.sort_by_key(|tag| tag.name.to_lowercase());
    tags
}
