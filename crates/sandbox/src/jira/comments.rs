//! Comments: making, changing and deleting them, with what is told of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::common::clock::now_ms;

use super::body::{Body, MAX_TEXT_CHARS};
use super::error::Refusal;
use super::hooks::Event;
use super::model::{Comment, INTERNAL_PROPERTY, User, Visibility};
use super::state::{Counters, State};

/// What a new comment needs.
#[derive(Clone, Debug)]
pub struct NewComment {
    /// The text.
    pub body: Body,
    /// Restriction, if any.
    pub visibility: Option<Visibility>,
    /// Entity properties.
    pub properties: BTreeMap<String, Value>,
}

impl NewComment {
    /// A comment that everybody who sees the issue may read.
    pub fn open(body: impl Into<Body>) -> Self {
        Self {
            body: body.into(),
            visibility: None,
            properties: BTreeMap::new(),
        }
    }

    /// A comment for one role.
    pub fn restricted(body: impl Into<Body>, role: &str) -> Self {
        let visibility = Visibility {
            kind: "role".to_owned(),
            value: role.to_owned(),
        };
        Self {
            visibility: Some(visibility),
            ..Self::open(body)
        }
    }

    /// An internal note of a service project.
    pub fn internal(body: impl Into<Body>) -> Self {
        Self::in_service_project(body, true)
    }

    /// A reply to the customer of a service project, which says of itself that it is public.
    pub fn reply_to_customer(body: impl Into<Body>) -> Self {
        Self::in_service_project(body, false)
    }

    fn in_service_project(body: impl Into<Body>, internal: bool) -> Self {
        let properties = [(
            INTERNAL_PROPERTY.to_owned(),
            json!({ "internal": internal }),
        )];
        Self {
            properties: properties.into(),
            ..Self::open(body)
        }
    }
}

impl State {
    pub(super) fn insert_comment(
        &mut self,
        actor: &Arc<User>,
        id: u64,
        new: NewComment,
    ) -> Result<u64, Refusal> {
        let comment_id = Counters::next(&mut self.next.comment);
        let now = now_ms();
        let comment = Comment {
            id: comment_id,
            author: actor.clone(),
            update_author: actor.clone(),
            body: new.body,
            created_ms: now,
            updated_ms: now,
            visibility: new.visibility,
            properties: new.properties,
        };
        let issue = self.issue_mut(id)?;
        issue.comments.insert(comment_id, comment);
        issue.watchers.insert(actor.account_id.clone());
        issue.updated_ms = now;
        self.comment_issues.insert(comment_id, id);
        self.touched(id);
        self.mark_comment(id, comment_id);
        Ok(comment_id)
    }

    /// Adds a comment and returns its id.
    pub(crate) fn add_comment(
        &mut self,
        actor: &Arc<User>,
        id: u64,
        new: NewComment,
    ) -> Result<u64, Refusal> {
        let comment = self.insert_comment(actor, id, new)?;
        self.comment_events(actor, id, comment, "comment_created", "issue_commented");
        self.mail(actor, id, "comment_created", Some(comment));
        self.automate(actor, id, comment);
        Ok(comment)
    }

    /// Changes a comment.
    pub(crate) fn edit_comment(
        &mut self,
        actor: &Arc<User>,
        (id, comment): (u64, u64),
        change: impl FnOnce(&mut Comment),
    ) -> Result<(), Refusal> {
        let now = now_ms();
        let issue = self.issue_mut(id)?;
        let missing = || Refusal::no_comment(&comment.to_string());
        let found = issue.comments.get_mut(&comment).ok_or_else(missing)?;
        change(found);
        found.update_author = actor.clone();
        found.updated_ms = now;
        issue.updated_ms = now;
        self.touched(id);
        self.comment_events(
            actor,
            id,
            comment,
            "comment_updated",
            "issue_comment_edited",
        );
        self.mark_comment(id, comment);
        self.mail(actor, id, "comment_updated", Some(comment));
        Ok(())
    }

    /// Deletes a comment.
    pub(crate) fn delete_comment(
        &mut self,
        actor: &Arc<User>,
        id: u64,
        comment: u64,
    ) -> Result<(), Refusal> {
        if !self.issue_mut(id)?.comments.contains_key(&comment) {
            return Err(Refusal::no_comment(&comment.to_string()));
        }
        // The delivery shows the comment that is gone, and the issue without it.
        let deleted = self.deliveries(actor, &Event::comment("comment_deleted", id, comment));
        let issue = self.issue_mut(id)?;
        issue.comments.remove(&comment);
        issue.updated_ms = now_ms();
        self.comment_issues.remove(&comment);
        self.markers.gone(&format!("comment {comment}"));
        self.touched(id);
        self.outbox.extend(deleted);
        if self.doubles_comments() {
            self.emit(
                actor,
                &Event::issue("jira:issue_updated", "issue_comment_deleted", id),
            );
        }
        Ok(())
    }

    fn doubles_comments(&self) -> bool {
        !self.is_cloud() || self.switches.doubled_comments
    }

    fn comment_events(
        &mut self,
        actor: &Arc<User>,
        id: u64,
        comment: u64,
        name: &'static str,
        kind: &'static str,
    ) {
        self.emit(actor, &Event::comment(name, id, comment));
        if self.doubles_comments() {
            let mut event = Event::issue("jira:issue_updated", kind, id);
            event.comment = Some(comment);
            self.emit(actor, &event);
        }
    }
}

/// Whether a comment or description is too long.
pub(crate) fn check_length(field: &str, body: &Body) -> Result<(), Refusal> {
    if body.as_wiki().chars().count() <= MAX_TEXT_CHARS {
        return Ok(());
    }
    Err(Refusal::field(
        field,
        format!(
            "The entered text is too long. It exceeds the allowed limit of {MAX_TEXT_CHARS} characters."
        ),
    ))
}
