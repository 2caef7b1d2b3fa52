//! What we know of an issue before an event is looked at.

use std::collections::BTreeSet;

use crate::fact::FactKey;
use crate::ids::{IssueId, IssueKey, ProjectKey, SiteName};
use crate::link::Link;

/// What we know of an issue.
#[derive(Clone, Debug, PartialEq)]
pub struct IssueState {
    /// The site.
    pub site: SiteName,
    /// The issue.
    pub issue: IssueId,
    /// What we last recorded of it; `None` before first sight.
    pub record: Option<IssueRecord>,
    /// Its links, live and ended.
    pub links: Vec<Link>,
    /// Those of the facts in question that were dealt with before.
    pub known: BTreeSet<FactKey>,
}

/// What we keep of an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueRecord {
    /// Its key when we last saw it.
    pub key: IssueKey,
    /// Its project when we last saw it.
    pub project: ProjectKey,
    /// Its summary when we last saw it.
    pub summary: String,
    /// The name of its status when we last read it; `None` if that was before statuses were kept.
    pub status: Option<String>,
    /// Were its description and all its comments looked through, and nothing left for later that
    /// other settings would have linked? While not, everything is read with each event.
    pub scanned: bool,
    /// Is it known to be deleted?
    pub deleted: bool,
    /// Counts the changes of its set of live links; names the versions of its record in Jira.
    pub links_version: i64,
}

impl IssueState {
    /// An issue that we have not seen.
    pub fn unseen(site: SiteName, issue: IssueId) -> Self {
        Self {
            site,
            issue,
            record: None,
            links: Vec::new(),
            known: BTreeSet::new(),
        }
    }

    /// Has it a live link?
    pub fn linked(&self) -> bool {
        self.links.iter().any(|link| link.live)
    }
}
