//! What is certain of a Jira delivery at a glance. Most deliveries of a busy site are about issues
//! without a conversation and name none: there is nothing to do about them, whatever else they say,
//! and they are decided as they are stored.

use std::sync::{Arc, PoisonError};

use bowline_domain::ids::{IssueId, IssueKey, ProjectKey};
use bowline_domain::outcome::Reason;
use bowline_jira::webhook::{Peek, may_name_a_conversation};
use bowline_store::model::{IfUnlinked, OnArrival};

use crate::registry::{Registry, Site};
use crate::shared::Shared;

/// Looks at deliveries of a site.
pub(crate) struct Glance<'g> {
    pub(crate) shared: &'g Shared,
    pub(crate) registry: &'g Registry,
    pub(crate) site: &'g Arc<Site>,
}

impl Glance<'_> {
    /// What is done with a delivery about an issue as it is stored.
    pub(crate) fn at(&self, issue: IssueId, peek: &Peek, body: &str) -> OnArrival {
        if may_name_a_conversation(body) {
            return OnArrival::Queue;
        }
        let key = peek.issue_key.as_deref().map(IssueKey::new);
        let Some(project) = key.as_ref().and_then(ProjectKey::of) else {
            return OnArrival::Queue;
        };
        let Some((scanned_in, reason)) = self.unless_linked(project) else {
            return OnArrival::Queue;
        };
        OnArrival::NothingIfUnlinked(IfUnlinked {
            site: self.site.config.name.clone(),
            issue,
            scanned_in,
            reason,
        })
    }

    /// Why nothing is to be done in a project about an issue without a link, and in which project
    /// the issue must have been looked through for that. `None` if Jira would have to be asked.
    fn unless_linked(&self, project: ProjectKey) -> Option<(Option<ProjectKey>, Reason)> {
        let name = &self.site.config.name;
        let mut binding = self.registry.binding(name, &project);
        if binding.is_none() {
            let renamed = self.site.renamed.lock();
            let renamed = renamed.unwrap_or_else(PoisonError::into_inner);
            match renamed.configured.get(&project) {
                Some(configured) => binding = self.registry.binding(name, configured),
                None if renamed.asked_lately(self.shared.now()) => {}
                None => return None,
            }
        }
        Some(match binding {
            None => {
                let project = project.to_string();
                (None, Reason::NotBound { project })
            }
            Some(binding) if !binding.linking => {
                let project = project.to_string();
                (None, Reason::LinkingOff { project })
            }
            Some(_) => (Some(project), Reason::NotLinked),
        })
    }
}
