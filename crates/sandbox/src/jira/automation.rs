//! Rules of "Automation for Jira" that act when a comment is made.

use std::sync::Arc;

use super::comments::NewComment;
use super::config::Deployment;
use super::model::{User, status_named};
use super::ops::Edit;
use super::state::State;

/// Whose public comment sets a rule off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// Somebody who is neither the reporter nor a portal customer.
    Agent,
    /// The reporter or a portal customer, as the platform judges it: a comment that an integration
    /// writes for a customer counts as the customer's only if the integration is the reporter.
    Customer,
    /// Anybody.
    Anybody,
}

/// One rule: a public comment moves the issue to another status.
#[derive(Clone, Debug)]
pub struct Automation {
    /// Key of the project.
    pub project: String,
    /// Whose comment sets it off.
    pub by: Author,
    /// Only from this status; from any if absent.
    pub from: Option<String>,
    /// The status to move to.
    pub to: String,
    /// A comment made with the move.
    pub comment: Option<NewComment>,
}

impl Automation {
    /// The rules that come with a service project: an agent's comment makes the request wait for
    /// the customer, and a customer's comment makes it wait for support.
    pub fn usual(project: &str) -> Vec<Self> {
        let rule = |by, from: &str, to: &str| Self {
            project: project.to_owned(),
            by,
            from: Some(from.to_owned()),
            to: to.to_owned(),
            comment: None,
        };
        vec![
            rule(Author::Agent, "Waiting for support", "Waiting for customer"),
            rule(
                Author::Customer,
                "Waiting for customer",
                "Waiting for support",
            ),
        ]
    }
}

/// The user as whom rules act.
pub(crate) fn user(deployment: Deployment) -> User {
    let account_id = match deployment {
        Deployment::Cloud => "557058:a0a0a0a0-0000-4000-8000-0000000000a0",
        Deployment::DataCenter => "JIRAUSER10001",
    };
    User {
        name: "automation".to_owned(),
        account_id: account_id.to_owned(),
        display_name: "Automation for Jira".to_owned(),
        email: "automation@example.com".to_owned(),
        email_visible: false,
        admin: true,
        account_type: "app".to_owned(),
    }
}

impl State {
    /// Lets the rules act on a new comment. What a rule does sets off no other rule.
    pub(crate) fn automate(&mut self, author: &Arc<User>, id: u64, comment: u64) {
        let actor = self.automation_user.clone();
        if author.account_id == actor.account_id || self.automations.is_empty() {
            return;
        }
        let Some(issue) = self.issue(id) else { return };
        let public = issue
            .comments
            .get(&comment)
            .is_some_and(|found| !found.is_internal() && found.visibility.is_none());
        let customer = author.is_customer() || author.account_id == issue.reporter.account_id;
        let (key, status) = (&self.project_of(issue).key, issue.status);
        let rule = self.automations.iter().find(|rule| {
            rule.project == *key
                && public
                && match rule.by {
                    Author::Agent => !customer,
                    Author::Customer => customer,
                    Author::Anybody => true,
                }
                && rule
                    .from
                    .as_ref()
                    .is_none_or(|from| from.eq_ignore_ascii_case(status.name))
                && !rule.to.eq_ignore_ascii_case(status.name)
        });
        let Some((to, comment)) = rule.map(|rule| (rule.to.clone(), rule.comment.clone())) else {
            return;
        };
        let Some(to) = status_named(&to).filter(|to| self.allow_transition(id, *to).is_ok()) else {
            return;
        };
        let edit = Edit {
            comment,
            ..Edit::default()
        };
        // The issue exists: the comment was made a moment ago.
        let _ = self.transition(&actor, id, to, edit);
    }
}
