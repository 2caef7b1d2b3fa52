//! What a person does on a site, as tests and the demo do it.

use std::sync::Arc;

use serde_json::Value;

use super::body::Body;
use super::comments::NewComment;
use super::error::Refusal;
use super::model::{Request, User, status_named};
use super::ops::{Edit, NewIssue};
use super::sandbox::Sandbox;
use super::state::State;

/// A person at work on a site. Issues are named by id or key.
#[derive(Clone, Debug)]
pub struct Actor {
    pub(super) site: Sandbox,
    pub(super) user: Option<Arc<User>>,
}

/// The outcome of something a person tried.
pub type Outcome<T> = Result<T, Refusal>;

impl Actor {
    fn on<T>(
        &self,
        issue: &str,
        act: impl FnOnce(&mut State, &Arc<User>, u64) -> Outcome<T>,
    ) -> Outcome<T> {
        let user = self.user()?;
        self.site.write(|state| {
            let id = state.visible_issue(user, issue)?.id;
            act(state, user, id)
        })
    }

    fn user(&self) -> Outcome<&Arc<User>> {
        self.user
            .as_ref()
            .ok_or_else(|| Refusal::message(404, "The user does not exist."))
    }

    /// Creates a task and returns its key.
    ///
    /// # Errors
    /// The project does not exist.
    pub fn create(
        &self,
        project: &str,
        summary: &str,
        description: impl Into<Body>,
    ) -> Outcome<String> {
        self.create_with(
            project,
            summary,
            Edit {
                description: Some(Some(description.into())),
                ..Edit::default()
            },
        )
    }

    /// Creates a task with more fields and returns its key.
    ///
    /// # Errors
    /// The project does not exist.
    pub fn create_with(&self, project: &str, summary: &str, rest: Edit) -> Outcome<String> {
        let user = self.user()?;
        self.site.write(|state| {
            let project = state.project(project).map_or(0, |project| project.id);
            let issue_type = super::model::ISSUE_TYPES[0].0;
            let new = NewIssue {
                project,
                issue_type,
                summary: summary.to_owned(),
                rest,
                properties: std::collections::BTreeMap::new(),
                request: None,
            };
            let id = state.create_issue(user, new)?;
            state
                .issue(id)
                .map(|issue| issue.key.clone())
                .ok_or_else(|| Refusal::no_issue(true))
        })
    }

    /// Changes fields.
    ///
    /// # Errors
    /// The issue is missing or hidden.
    pub fn edit(&self, issue: &str, edit: Edit) -> Outcome<()> {
        self.on(issue, |state, user, id| state.edit_issue(user, id, edit))
    }

    /// Replaces the description.
    ///
    /// # Errors
    /// The issue is missing or hidden.
    pub fn describe(&self, issue: &str, text: impl Into<Body>) -> Outcome<()> {
        self.edit(
            issue,
            Edit {
                description: Some(Some(text.into())),
                ..Edit::default()
            },
        )
    }

    /// Assigns the issue to a user, or to nobody.
    ///
    /// # Errors
    /// The issue is missing or hidden, or there is no such user.
    pub fn assign(&self, issue: &str, to: Option<&str>) -> Outcome<()> {
        let assignee = match to {
            None => None,
            Some(name) => Some(self.site.acting(name).user()?.clone()),
        };
        self.edit(
            issue,
            Edit {
                assignee: Some(assignee),
                ..Edit::default()
            },
        )
    }

    /// Sets or removes the security level.
    ///
    /// # Errors
    /// The issue is missing or hidden.
    pub fn secure(&self, issue: &str, level: Option<u64>) -> Outcome<()> {
        self.edit(
            issue,
            Edit {
                security: Some(level),
                ..Edit::default()
            },
        )
    }

    /// Moves the issue to another status, with a comment in the same action if one is given.
    ///
    /// # Errors
    /// The issue is missing or hidden, or there is no such status.
    pub fn transition(
        &self,
        issue: &str,
        status: &str,
        comment: Option<NewComment>,
    ) -> Outcome<()> {
        let to = status_named(status)
            .ok_or_else(|| Refusal::bad(format!("There is no status '{status}'.")))?;
        self.on(issue, |state, user, id| {
            state.allow_transition(id, to)?;
            state.transition(
                user,
                id,
                to,
                Edit {
                    comment,
                    ..Edit::default()
                },
            )
        })
    }

    /// Adds a comment that everybody may read and returns its id.
    ///
    /// # Errors
    /// The issue is missing or hidden.
    pub fn comment(&self, issue: &str, text: impl Into<Body>) -> Outcome<u64> {
        self.comment_with(issue, NewComment::open(text))
    }

    /// Adds a comment and returns its id.
    ///
    /// # Errors
    /// The issue is missing or hidden.
    pub fn comment_with(&self, issue: &str, comment: NewComment) -> Outcome<u64> {
        self.on(issue, |state, user, id| {
            state.add_comment(user, id, comment)
        })
    }

    /// Replaces the text of a comment.
    ///
    /// # Errors
    /// The issue or the comment is missing.
    pub fn edit_comment(&self, issue: &str, comment: u64, text: impl Into<Body>) -> Outcome<()> {
        let text = text.into();
        self.on(issue, |state, user, id| {
            state.edit_comment(user, (id, comment), |found| found.body = text)
        })
    }

    /// Changes a comment to be internal (service projects) or public again, without touching its text.
    ///
    /// # Errors
    /// The issue or the comment is missing.
    pub fn set_internal(&self, issue: &str, comment: u64, internal: bool) -> Outcome<()> {
        let value = serde_json::json!({ "internal": internal });
        self.on(issue, |state, user, id| {
            state.edit_comment(user, (id, comment), |found| {
                found
                    .properties
                    .insert(super::model::INTERNAL_PROPERTY.to_owned(), value);
            })
        })
    }

    /// Deletes a comment.
    ///
    /// # Errors
    /// The issue or the comment is missing.
    pub fn delete_comment(&self, issue: &str, comment: u64) -> Outcome<()> {
        self.on(issue, |state, user, id| {
            state.delete_comment(user, id, comment)
        })
    }

    /// Moves the issue to another project and returns its new key.
    ///
    /// # Errors
    /// The issue is missing or hidden, or there is no such project.
    pub fn move_to(&self, issue: &str, project: &str) -> Outcome<String> {
        self.on(issue, |state, user, id| {
            let project = state.project(project).map_or(0, |project| project.id);
            state.move_issue(user, id, project)?;
            state
                .issue(id)
                .map(|issue| issue.key.clone())
                .ok_or_else(|| Refusal::no_issue(true))
        })
    }

    /// Gives a project another key.
    ///
    /// # Errors
    /// There is no such project, or another one has the key.
    pub fn rename_project(&self, project: &str, key: &str) -> Outcome<()> {
        let user = self.user()?;
        self.site.write(|state| {
            let id = state.project(project).map_or(0, |project| project.id);
            state.rename_project(user, id, key)
        })
    }

    /// Raises a request at a desk, as its reporter, and returns its key. What the form requires
    /// besides is not asked for.
    ///
    /// # Errors
    /// There is no such desk or request type.
    pub fn raise(
        &self,
        project: &str,
        request_type: &str,
        summary: &str,
        description: &str,
    ) -> Outcome<String> {
        let user = self.user()?;
        self.site.write(|state| {
            let missing = || Refusal::desk(404, "There is no such desk or request type.");
            let desk = state.desk(project).ok_or_else(missing)?;
            let found = desk
                .request_types
                .iter()
                .find(|(_, found)| found.name.eq_ignore_ascii_case(request_type));
            let request = Request {
                desk: desk.id,
                request_type: found.ok_or_else(missing)?.0,
                participants: Vec::new(),
            };
            let description = (!description.is_empty()).then(|| Body::wiki(description));
            let new = NewIssue {
                project: desk.project,
                issue_type: super::model::ISSUE_TYPES[0].0,
                summary: summary.to_owned(),
                rest: Edit {
                    description: Some(description),
                    ..Edit::default()
                },
                properties: std::collections::BTreeMap::new(),
                request: Some(request),
            };
            let id = state.create_issue(user, new)?;
            let made = state.issue(id).ok_or_else(missing)?;
            Ok(made.key.clone())
        })
    }

    /// Adds an internal note to a request and returns its id.
    ///
    /// # Errors
    /// The issue is missing or hidden.
    pub fn note(&self, issue: &str, text: impl Into<Body>) -> Outcome<u64> {
        self.comment_with(issue, NewComment::internal(text))
    }

    /// Watches the issue, to be mailed about it.
    ///
    /// # Errors
    /// The issue is missing or hidden.
    pub fn watch(&self, issue: &str) -> Outcome<()> {
        self.on(issue, |state, user, id| {
            state
                .issue_mut(id)?
                .watchers
                .insert(user.account_id.clone());
            Ok(())
        })
    }

    /// Deletes the issue.
    ///
    /// # Errors
    /// The issue is missing or hidden.
    pub fn delete(&self, issue: &str) -> Outcome<()> {
        self.on(issue, State::delete_issue)
    }

    /// Sets an entity property.
    ///
    /// # Errors
    /// The issue is missing or hidden.
    pub fn set_property(&self, issue: &str, key: &str, value: Value) -> Outcome<()> {
        self.on(issue, |state, user, id| {
            state.set_property(user, id, key, value).map(|_| ())
        })
    }

    /// Attaches a text file and returns its id.
    ///
    /// # Errors
    /// The issue is missing or hidden.
    pub fn attach(&self, issue: &str, file_name: &str, content: &str) -> Outcome<u64> {
        let file = (file_name.to_owned(), "text/plain".to_owned());
        let content = bytes::Bytes::copy_from_slice(content.as_bytes());
        self.on(issue, |state, user, id| {
            state.add_attachment(user, id, file, content)
        })
    }
}
