//! Products: what feedback is gathered for, and which tags count.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::feedback::ids::{ProductId, TagId};
use crate::feedback::ticket::Status;
use crate::ids::{SiteName, WorkspaceName};
use crate::time::Millis;

/// A product.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// Its number.
    pub id: ProductId,
    /// The workspace whose tags count for it.
    pub workspace: WorkspaceName,
    /// What people call it; unique in its workspace.
    pub name: String,
    /// Is its feedback switched on?
    pub on: bool,
    /// Does it stand in the configuration file? Then it is changed there only.
    pub declared: bool,
    /// How it works.
    pub settings: ProductSettings,
    /// The tags that count, those that Intercom does not know any more included.
    pub tags: Vec<WatchedTag>,
}

impl Product {
    /// Is it switched on together with its workspace?
    pub fn comes_back(&self) -> bool {
        !self.on && !self.declared && self.settings.resumes
    }

    /// Does it gather feedback, or did it? What is erased in Intercom is erased here then.
    pub fn is_in_use(&self) -> bool {
        self.on || !self.tags.is_empty()
    }

    /// What a status is called here.
    pub fn status_name(&self, status: Status) -> &str {
        self.settings.status_name(status)
    }
}

/// How a product works. Stored as JSON: change it additively.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProductSettings {
    /// The statuses of which a conversation is told by an internal note. By default none.
    pub notes: BTreeSet<Status>,
    /// May such a note wake a snoozed conversation? By default it is snoozed again.
    pub wake_snoozed: bool,
    /// Does the status of a ticket follow its issue?
    pub follow_issue: bool,
    /// What statuses are called, where not as usual.
    pub status_names: BTreeMap<Status, String>,
    /// Where issues are made from tickets.
    pub issues: Option<IssueTarget>,
    /// Was it switched off together with its workspace? Then it comes back together with it.
    pub resumes: bool,
    /// What the words of the configuration file were found to mean.
    pub resolved: BTreeMap<String, TagId>,
    /// The words of the configuration file that no tag of the workspace has.
    pub unknown_tags: Vec<String>,
    /// Since when each word stands in the configuration file: its tag counts from then on, however
    /// late it was found.
    pub declared_at: BTreeMap<String, Millis>,
}

impl ProductSettings {
    /// What a status is called.
    pub fn status_name(&self, status: Status) -> &str {
        self.status_names
            .get(&status)
            .map_or_else(|| status.title(), String::as_str)
    }
}

/// How the feedback of a workspace is gathered, and what its switch can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gathering {
    /// Products of the workspace.
    pub of: usize,
    /// Those that are on.
    pub on: usize,
    /// Those that are on and can be switched off together: they do not stand in the configuration
    /// file.
    pub switchable: usize,
    /// Those that were switched off together, and come back.
    pub resumes: usize,
}

impl Gathering {
    /// What the products of one workspace make of its switch.
    pub fn of(products: &[Product]) -> Self {
        let count = |of: fn(&Product) -> bool| products.iter().filter(|one| of(one)).count();
        Self {
            of: products.len(),
            on: count(|one| one.on),
            switchable: count(|one| one.on && !one.declared),
            resumes: count(Product::comes_back),
        }
    }
}

/// Where issues are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueTarget {
    /// The site.
    pub site: SiteName,
    /// The key of the project.
    pub project: String,
    /// The issue type, by name.
    pub issue_type: String,
}

/// A tag that counts for a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedTag {
    /// The tag.
    pub tag: TagId,
    /// What it is called now, as far as known.
    pub name: String,
    /// Since when it counts: what was tagged before makes no ticket by itself.
    pub since: Millis,
    /// Since when Intercom does not know it any more.
    pub gone_at: Option<Millis>,
}

/// A tag as the workspace lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTag {
    /// Its id.
    pub tag: TagId,
    /// Its name.
    pub name: String,
}

/// The tags that are meant by names or ids, and the words that no tag of the workspace has. A word
/// that is both the id of one tag and the name of another means the id. Letter case is ignored, as
/// Intercom does.
pub fn resolve(words: &[String], listed: &[ListedTag]) -> (Vec<ListedTag>, Vec<String>) {
    let mut found: Vec<ListedTag> = Vec::new();
    let mut unknown = Vec::new();
    for word in words {
        let by_id = listed.iter().find(|tag| tag.tag.as_str() == word);
        let by_name = || {
            let wanted = word.to_lowercase();
            listed.iter().find(|tag| tag.name.to_lowercase() == wanted)
        };
        match by_id.or_else(by_name) {
            Some(tag) if found.contains(tag) => {}
            Some(tag) => found.push(tag.clone()),
            None => unknown.push(word.clone()),
        }
    }
    (found, unknown)
}
