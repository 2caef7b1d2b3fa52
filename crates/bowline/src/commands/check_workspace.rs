//! `bowline check` of workspaces: the token, what is in use there and may be done for it, the tags
//! that products name, and what to enter in Intercom.

use std::sync::Arc;

use crate::config::{Config, Workspace, nearest_first};
use crate::product_config;
use bowline_domain::feedback::product::{ListedTag, Product};
use bowline_domain::ids::WorkspaceName;
use bowline_domain::needs::{Use, in_use, permissions, topics};
use bowline_engine::feedback::{tags_meant, tags_of};
use bowline_engine::permissions::in_use_now;
use bowline_intercom::Client as Intercom;
use bowline_net::Transport;
use bowline_settings::app_permissions;
use bowline_settings::check::{self, State};
use bowline_store::{Store, StoreError};

use super::check::Report;

/// How many tags are named in place of one that is not there.
const NEAREST_MAX: usize = 3;

/// What is kept in the database and counts for what is declared.
#[derive(Default)]
pub(super) struct Kept {
    products: Vec<Product>,
    /// What is in use by what people switched on pages.
    uses: Vec<(WorkspaceName, Vec<Use>)>,
}

impl Kept {
    /// Reads it.
    pub(super) async fn read(store: &Store, config: &Config) -> Result<Self, StoreError> {
        let mut uses = Vec::new();
        for workspace in &config.workspaces {
            let name = WorkspaceName::new(workspace.name.as_str());
            let now = in_use_now(store, &name, false).await?;
            uses.push((name, now));
        }
        Ok(Self {
            products: store.products().await?,
            uses,
        })
    }

    /// What is in use in a workspace, by the file or by hand.
    fn in_use(&self, config: &Config, workspace: &str) -> Vec<Use> {
        let kept = self
            .uses
            .iter()
            .find(|(name, _)| name.as_str() == workspace);
        let by_hand = |wanted: Use| kept.is_some_and(|(_, uses)| uses.contains(&wanted));
        let mut products = config.products.iter();
        let mut syncs = config.contact_syncs.iter();
        in_use(
            products.any(|one| one.workspace == workspace) || by_hand(Use::Feedback),
            syncs.any(|one| one.workspace == workspace) || by_hand(Use::Contacts),
        )
    }
}

/// Checks a workspace, and says what to enter in Intercom.
pub(super) async fn check_workspace(
    config: &Config,
    workspace: &Workspace,
    (transport, kept): (&Arc<dyn Transport>, &Kept),
    report: &mut Report,
) {
    println!("\nWorkspace {} ({})", workspace.name, workspace.api_url);
    let intercom = Intercom::new(
        Arc::clone(transport),
        workspace.api_url.clone(),
        workspace.access_token.clone(),
    );
    let region = format!("{:?}", workspace.region).to_lowercase();
    let token = check::workspace_token(&intercom, Some(&region)).await;
    let works = token.iter().any(|found| found.state == State::Good);
    report.tell_all(token);
    let uses = kept.in_use(config, &workspace.name);
    if works {
        report.tell(&check::app_user(&intercom, workspace.app_user.as_deref()).await);
        report.tell(&check::conversations(&intercom).await);
        report.tell_all(app_permissions(&intercom, &uses).await);
        check_tags(config, &workspace.name, &intercom, kept, report).await;
    }
    let base = config.public_url.as_str().trim_end_matches('/');
    println!("  To enter in Intercom (Developer Hub > your app > Configure > Webhooks):");
    println!("    URL      {base}/hooks/intercom/{}", workspace.name);
    println!("    Signed   with the app's client secret, which is this workspace's client_secret");
    for topic in topics(&uses) {
        let (name, uses, why) = (topic.what, topic.for_what(), topic.why);
        println!("    Topic    {name:<31} for {uses}: {why}");
    }
    println!("  To choose there (Developer Hub > your app > Configure > Authentication):");
    for needed in permissions(&uses) {
        let (name, uses, why) = (needed.what.title(), needed.for_what(), needed.why);
        println!("    Needed   {name:<33} for {uses}: {why}");
    }
}

/// Are there the tags that the products of the file name?
async fn check_tags(
    config: &Config,
    workspace: &str,
    intercom: &Intercom,
    kept: &Kept,
    report: &mut Report,
) {
    let own = || {
        let all = config.products.iter();
        all.filter(|one| one.workspace == workspace)
    };
    if own().next().is_none() {
        return;
    }
    // Why they cannot be listed was told with the permissions.
    let Ok(listed) = tags_of(intercom).await else {
        return;
    };
    for product in own() {
        let what = format!("product {}", product.name);
        let before = kept.products.iter().find(|one| {
            one.workspace.as_str() == workspace && one.declared && one.name == product.name
        });
        let (found, unknown) = tags_meant(&product_config(product), before, &listed);
        for tag in found {
            Report::good(&format!("{what}: the tag “{}” is there", tag.name));
        }
        for word in unknown {
            report.bad(&what, &unknown_words(&word, &listed));
        }
    }
}

/// What it means that there is no such tag, and what may have been meant.
fn unknown_words(word: &str, listed: &[ListedTag]) -> String {
    let names = listed.iter().map(|tag| tag.name.as_str());
    let near: Vec<String> = nearest_first(word, names)
        .into_iter()
        .take(NEAREST_MAX)
        .map(|name| format!("“{name}”"))
        .collect();
    let near = match near.as_slice() {
        [] => "It has no tags at all.".to_owned(),
        [one] => format!("The nearest is {one}."),
        [others @ .., last] => format!("The nearest are {} and {last}.", others.join(", ")),
    };
    format!(
        "The workspace has no tag “{word}”, by name or id, so nothing becomes a ticket by it. {near} \
         Whoever runs Bowline corrects `tags` of the product in the configuration file, or somebody \
         makes the tag in Intercom."
    )
}
