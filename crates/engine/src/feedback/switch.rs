//! Switching feedback on: which tags there are, which permissions are missing, and products that
//! stand in the configuration file.

use std::sync::Arc;

use bowline_domain::feedback::ids::TagId;
use bowline_domain::feedback::product::{ListedTag, Product, ProductSettings, resolve};
use bowline_domain::ids::WorkspaceName;
use bowline_domain::needs::{Permission, Use, permissions};
use bowline_domain::time::Millis;
use bowline_net::ApiError;
use bowline_store::StoreError;
use bowline_store::feedback::ProductDraft;

use super::far::{call, look};
use super::watch::by_name;
use crate::config::ProductConfig;
use crate::pace::Priority;
use crate::permissions::lacking_of;
use crate::registry::Workspace;
use crate::shared::Shared;

/// Why feedback cannot be switched on or looked at.
#[derive(Debug, thiserror::Error)]
pub enum CannotSwitch {
    /// The workspace is not configured.
    #[error("The workspace “{0}” is not configured any more.")]
    NoWorkspace(WorkspaceName),
    /// Intercom does not answer as needed.
    #[error("Intercom did not answer as needed: {0}. Try again when the connection works.")]
    Remote(ApiError),
}

fn workspace(shared: &Shared, name: &WorkspaceName) -> Result<Arc<Workspace>, CannotSwitch> {
    let registry = shared.registry();
    let found = registry.workspaces.get(name).map(Arc::clone);
    found.ok_or_else(|| CannotSwitch::NoWorkspace(name.clone()))
}

/// The tags of a workspace at this moment, by name.
///
/// # Errors
/// See [`CannotSwitch`].
pub async fn tags_now(
    shared: &Shared,
    name: &WorkspaceName,
) -> Result<Vec<ListedTag>, CannotSwitch> {
    let workspace = workspace(shared, name)?;
    let listing = workspace.client.tags();
    let tags = call(shared, &workspace, Priority::Interactive, listing).await;
    let tags = tags.map_err(CannotSwitch::Remote)?;
    Ok(by_name(tags.into_iter().map(listed).collect()))
}

fn listed(tag: bowline_intercom::feedback::Tag) -> ListedTag {
    ListedTag {
        tag: TagId::new(tag.id),
        name: tag.name,
    }
}

pub(super) async fn listed_tags(
    shared: &Shared,
    workspace: &Workspace,
) -> Result<Vec<ListedTag>, String> {
    let tags = look(shared, workspace, workspace.client.tags()).await?;
    Ok(tags.into_iter().map(listed).collect())
}

/// The permissions that feedback needs and the app does not have. Each is found by a call that
/// needs it and changes nothing.
///
/// # Errors
/// Intercom does not answer, so that it is not known.
pub async fn missing_permissions(
    shared: &Shared,
    name: &WorkspaceName,
) -> Result<Vec<Permission>, CannotSwitch> {
    let workspace = workspace(shared, name)?;
    let wanted = permissions(&[Use::Feedback]).into_iter();
    let wanted: Vec<Permission> = wanted.map(|one| one.what).collect();
    let lacking = lacking_of(shared, &workspace, &wanted).await;
    let lacking = lacking.map_err(CannotSwitch::Remote)?.into_iter();
    Ok(lacking.map(|one| one.permission).collect())
}

/// The tags that a product's words mean, as far as the workspace has them, and the words that mean
/// none. `before` is what is known of the product: a word that meant a tag once goes on meaning it.
pub fn tags_meant(
    product: &ProductConfig,
    before: Option<&Product>,
    listed: &[ListedTag],
) -> (Vec<ListedTag>, Vec<String>) {
    let mut resolved = before.map_or_else(Default::default, |one| one.settings.resolved.clone());
    let (mut tags, unknown) = meant(product, &mut resolved, listed);
    tags.retain(|tag| listed.contains(tag));
    (tags, unknown)
}

/// The tags of a workspace, by credentials that need not be in use.
///
/// # Errors
/// What Intercom answers.
pub async fn tags_of(client: &bowline_intercom::Client) -> Result<Vec<ListedTag>, ApiError> {
    let tags = client.tags().await?.value;
    Ok(by_name(tags.into_iter().map(listed).collect()))
}

/// Keeps the products of the configuration file, and switches off those that stood there before.
/// Their tags are resolved when Intercom is reached.
pub(crate) async fn declare(shared: &Shared, products: &[ProductConfig]) -> Result<(), StoreError> {
    let known = shared.store.products().await?;
    for product in products {
        let before = of(&known, product);
        let mut settings = product.settings();
        if let Some(before) = before {
            settings.resolved.clone_from(&before.settings.resolved);
            settings
                .unknown_tags
                .clone_from(&before.settings.unknown_tags);
            settings
                .declared_at
                .clone_from(&before.settings.declared_at);
        }
        settings
            .declared_at
            .retain(|word, _| product.tags.contains(word));
        for word in &product.tags {
            let at = settings.declared_at.entry(word.clone());
            at.or_insert_with(|| shared.now());
        }
        let same = before
            .is_some_and(|before| before.on && before.declared && before.settings == settings);
        if !same {
            let draft = draft(product, settings, None, None);
            shared
                .store
                .put_product(draft, shared.now(), Vec::new())
                .await?;
        }
    }
    let keep = products
        .iter()
        .map(|product| (product.workspace.clone(), product.name.clone()));
    let keep: Vec<_> = keep.collect();
    if known.iter().any(|product| product.declared) {
        shared.store.undeclare_products(keep).await?;
    }
    Ok(())
}

fn of<'k>(known: &'k [Product], product: &ProductConfig) -> Option<&'k Product> {
    known
        .iter()
        .find(|one| one.workspace == product.workspace && one.name == product.name)
}

fn draft(
    product: &ProductConfig,
    settings: ProductSettings,
    tags: Option<Vec<ListedTag>>,
    counts_from: Option<Millis>,
) -> ProductDraft {
    ProductDraft {
        workspace: product.workspace.clone(),
        name: product.name.clone(),
        on: true,
        declared: true,
        settings,
        tags,
        counts_from,
    }
}

/// Finds the tags that the configuration file means. A word that meant a tag once goes on meaning
/// it, however the tag is called now.
pub(super) async fn resolve_declared(
    shared: &Shared,
    workspace: &WorkspaceName,
    listed: &[ListedTag],
) -> Result<(), String> {
    let registry = shared.registry();
    let known = shared.store.products().await;
    let known = known.map_err(|error| error.to_string())?;
    let own = registry
        .products
        .iter()
        .filter(|product| product.workspace == *workspace);
    for product in own {
        let Some(before) = of(&known, product) else {
            continue;
        };
        let mut settings = before.settings.clone();
        let (tags, unknown) = meant(product, &mut settings.resolved, listed);
        settings.unknown_tags = unknown;
        let kept = |tag: &ListedTag| before.tags.iter().any(|known| known.tag == tag.tag);
        let same =
            settings == before.settings && tags.len() == before.tags.len() && tags.iter().all(kept);
        if !same {
            let from = counts_from(&settings, before, &tags);
            let draft = draft(product, settings, Some(tags), from);
            let put = shared.store.put_product(draft, shared.now(), Vec::new());
            put.await.map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// Since when the tags count that were found just now: since their words stand in the file.
fn counts_from(settings: &ProductSettings, before: &Product, tags: &[ListedTag]) -> Option<Millis> {
    let new = tags
        .iter()
        .filter(|tag| !before.tags.iter().any(|known| known.tag == tag.tag));
    let words = new.flat_map(|tag| {
        let means = settings.resolved.iter();
        means
            .filter(|(_, id)| **id == tag.tag)
            .map(|(word, _)| word)
    });
    words
        .filter_map(|word| settings.declared_at.get(word).copied())
        .max()
}

/// The tags that a product's words mean, and the words that mean none. A tag that was deleted stays
/// chosen, so that it is told and not silently forgotten.
fn meant(
    product: &ProductConfig,
    resolved: &mut std::collections::BTreeMap<String, TagId>,
    listed: &[ListedTag],
) -> (Vec<ListedTag>, Vec<String>) {
    let mut tags: Vec<ListedTag> = Vec::new();
    let mut unknown = Vec::new();
    resolved.retain(|word, _| product.tags.contains(word));
    for word in &product.tags {
        let before = resolved.get(word).cloned();
        let followed = before
            .as_ref()
            .and_then(|id| listed.iter().find(|tag| tag.tag == *id));
        let found = followed
            .cloned()
            .or_else(|| resolve(std::slice::from_ref(word), listed).0.pop());
        match (found, before) {
            (Some(tag), _) => {
                resolved.insert(word.clone(), tag.tag.clone());
                if !tags.contains(&tag) {
                    tags.push(tag);
                }
            }
            (None, Some(gone)) => {
                unknown.push(word.clone());
                tags.push(ListedTag {
                    tag: gone,
                    name: word.clone(),
                });
            }
            (None, None) => unknown.push(word.clone()),
        }
    }
    (tags, unknown)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn product(tags: &[&str]) -> ProductConfig {
        ProductConfig {
            workspace: "acme".into(),
            name: "App".to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            notes: BTreeSet::new(),
            follow_issue: false,
            wake_snoozed: false,
            status_names: BTreeMap::new(),
            issues: None,
        }
    }

    fn tag(id: &str, name: &str) -> ListedTag {
        ListedTag {
            tag: TagId::new(id),
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_word_goes_on_meaning_its_tag_when_that_is_renamed_or_deleted() {
        let product = product(&["idea", "nope"]);
        let mut resolved = BTreeMap::new();
        let (tags, unknown) = meant(&product, &mut resolved, &[tag("7", "Idea")]);
        assert_eq!(
            (tags.len(), unknown.as_slice()),
            (1, &["nope".to_owned()][..])
        );
        // Renamed; another tag has the old name now.
        let renamed = [tag("7", "Suggestion"), tag("8", "idea")];
        let (tags, _) = meant(&product, &mut resolved, &renamed);
        assert_eq!(tags, [tag("7", "Suggestion")]);
        // Deleted; the name is taken anew.
        let (tags, _) = meant(&product, &mut resolved, &[tag("8", "idea")]);
        assert_eq!(tags, [tag("8", "idea")]);
        let (tags, unknown) = meant(&product, &mut resolved, &[]);
        assert_eq!(tags, [tag("8", "idea")]);
        assert_eq!(unknown, ["idea", "nope"]);
    }
}
