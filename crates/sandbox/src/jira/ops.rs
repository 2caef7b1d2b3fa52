//! What can be done to issues. Every change goes through here, whether it came by REST, by a page or by a test, and
//! leaves history and webhook deliveries behind.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::common::clock::now_ms;

use super::body::Body;
use super::comments::NewComment;
use super::error::Refusal;
use super::hooks::Event;
use super::model::{
    Change, CustomValue, FINISHED, History, Issue, MEDIUM, PRIORITIES, RESOLUTION, Request,
    SECURITY_LEVELS, Status, User, workflow,
};
use super::state::{Counters, State};

/// Longest summary, in characters.
pub(crate) const MAX_SUMMARY_CHARS: usize = 255;

/// What a new issue needs.
#[derive(Clone, Debug)]
pub struct NewIssue {
    /// Project id.
    pub project: u64,
    /// Issue type id.
    pub issue_type: u64,
    /// One line.
    pub summary: String,
    /// Everything else.
    pub rest: Edit,
    /// Entity properties set in the same call.
    pub properties: BTreeMap<String, Value>,
    /// What makes it a request of a service desk.
    pub request: Option<Request>,
}

/// Changes to fields; `None` leaves a field alone.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// One line.
    pub summary: Option<String>,
    /// The text, or nothing.
    pub description: Option<Option<Body>>,
    /// Assignee, or nobody.
    pub assignee: Option<Option<Arc<User>>>,
    /// Reporter.
    pub reporter: Option<Arc<User>>,
    /// Priority id.
    pub priority: Option<u64>,
    /// All labels.
    pub labels: Option<Vec<String>>,
    /// Security level, or none.
    pub security: Option<Option<u64>>,
    /// Custom fields.
    pub custom: BTreeMap<String, Option<CustomValue>>,
    /// A comment made in the same action.
    pub comment: Option<NewComment>,
}

impl State {
    /// Creates an issue and returns its id.
    pub(crate) fn create_issue(
        &mut self,
        actor: &Arc<User>,
        new: NewIssue,
    ) -> Result<u64, Refusal> {
        let project = self
            .projects
            .get_mut(&new.project)
            .ok_or_else(|| Refusal::field("project", "valid project is required"))?;
        project.last_number += 1;
        let key = format!("{}-{}", project.key, project.last_number);
        let (id, now) = (Counters::next(&mut self.next.issue), now_ms());
        let status = workflow(project.kind)[0];
        let issue = Issue {
            id,
            key: key.clone(),
            project: new.project,
            issue_type: new.issue_type,
            summary: new.summary.clone(),
            description: None,
            status,
            resolved_ms: None,
            priority: MEDIUM,
            assignee: None,
            reporter: actor.clone(),
            creator: actor.clone(),
            labels: Vec::new(),
            security: None,
            custom: BTreeMap::new(),
            created_ms: now,
            updated_ms: now,
            category_changed_ms: now,
            comments: BTreeMap::new(),
            history: Vec::new(),
            properties: new.properties,
            remote_links: BTreeMap::new(),
            attachments: BTreeMap::new(),
            request: new.request,
            watchers: [actor.account_id.clone()].into(),
        };
        self.issues.insert(id, Arc::new(issue));
        self.keys.insert(key, id);
        let issue = self.issue_mut(id)?;
        let mut items = apply(issue, new.rest);
        items.push(Change::text("summary", None, Some(&new.summary)));
        // The first status is the one item whose field name has a capital letter.
        let mut first = status_change(None, status);
        "Status".clone_into(&mut first.field);
        items.push(first);
        self.touched(id);
        let history = History {
            id: Counters::next(&mut self.next.history),
            author: actor.clone(),
            created_ms: now,
            items,
        };
        self.emit(
            actor,
            &Event::issue("jira:issue_created", "issue_created", id).with_changes(&history),
        );
        self.mark_texts(id);
        self.mail(actor, id, "issue_created", None);
        Ok(id)
    }

    /// Changes fields of an issue.
    pub(crate) fn edit_issue(
        &mut self,
        actor: &Arc<User>,
        id: u64,
        mut edit: Edit,
    ) -> Result<(), Refusal> {
        let comment = edit.comment.take();
        let items = apply(self.issue_mut(id)?, edit);
        let kind = match items.as_slice() {
            [only] if only.field == "assignee" => "issue_assigned",
            _ => "issue_updated",
        };
        self.changed(actor, id, kind, items, comment);
        Ok(())
    }

    /// Moves an issue to another status, with field changes and a comment in the same action.
    pub(crate) fn transition(
        &mut self,
        actor: &Arc<User>,
        id: u64,
        to: Status,
        mut edit: Edit,
    ) -> Result<(), Refusal> {
        let comment = edit.comment.take();
        let now = now_ms();
        let issue = self.issue_mut(id)?;
        let from = issue.status;
        let mut items = apply(issue, edit);
        let was = issue.resolved_ms.is_some();
        let finished = to.category == FINISHED;
        if was != finished {
            let resolution = Some((RESOLUTION.0.to_string(), RESOLUTION.1.to_owned()));
            let (old, new) = if finished {
                (None, resolution)
            } else {
                (resolution, None)
            };
            items.push(Change::ids("resolution", old, new));
            issue.resolved_ms = finished.then_some(now);
        }
        if from.category != to.category {
            issue.category_changed_ms = now;
        }
        issue.status = to;
        items.push(status_change(Some(from), to));
        let kind = match (self.is_cloud(), from.category == FINISHED, finished) {
            (true, ..) => "issue_generic",
            (false, _, true) => "issue_resolved",
            (false, true, false) => "issue_reopened",
            (false, false, false) => "issue_work_started",
        };
        self.changed(actor, id, kind, items, comment);
        Ok(())
    }

    /// Records one action: its changes and, if it had one, its comment.
    pub(super) fn changed(
        &mut self,
        actor: &Arc<User>,
        id: u64,
        kind: &'static str,
        items: Vec<Change>,
        comment: Option<NewComment>,
    ) {
        let comment = comment.and_then(|new| self.insert_comment(actor, id, new).ok());
        if items.is_empty() && comment.is_none() {
            return;
        }
        let history = self.record(actor, id, items);
        let mut event = Event::issue("jira:issue_updated", kind, id);
        if let Some(history) = &history {
            event = event.with_changes(history);
        }
        event.comment = comment;
        self.emit(actor, &event);
        self.mark_texts(id);
        self.mail(actor, id, kind, comment);
        if let Some(comment) = comment {
            self.emit(actor, &Event::comment("comment_created", id, comment));
            self.automate(actor, id, comment);
        }
    }

    /// Writes history and the time of the change.
    fn record(&mut self, actor: &Arc<User>, id: u64, items: Vec<Change>) -> Option<History> {
        let now = now_ms();
        let history = (!items.is_empty()).then(|| History {
            id: Counters::next(&mut self.next.history),
            author: actor.clone(),
            created_ms: now,
            items,
        });
        if let Ok(issue) = self.issue_mut(id) {
            issue.updated_ms = now;
            issue.history.extend(history.clone());
        }
        self.touched(id);
        history
    }

    /// Moves an issue to another project: it gets a new key there, and the old key keeps resolving.
    pub(crate) fn move_issue(
        &mut self,
        actor: &Arc<User>,
        id: u64,
        to: u64,
    ) -> Result<(), Refusal> {
        let from = self.issue_mut(id)?.project;
        if from == to {
            return Err(Refusal::field(
                "project",
                "The issue is already in this project.",
            ));
        }
        let describe = |state: &Self, id: u64| {
            state
                .projects
                .get(&id)
                .map(|p| (p.id.to_string(), p.name.clone()))
        };
        let (old, new) = (describe(self, from), describe(self, to));
        let project = self
            .projects
            .get_mut(&to)
            .ok_or_else(|| Refusal::field("project", "valid project is required"))?;
        project.last_number += 1;
        let key = format!("{}-{}", project.key, project.last_number);
        self.keys.insert(key.clone(), id);
        let issue = self.issue_mut(id)?;
        let mut keys = Change::text("Key", Some(&issue.key), Some(&key));
        keys.field_id = None;
        issue.key = key;
        issue.project = to;
        let items = vec![Change::ids("project", old, new), keys];
        let kind = if self.is_cloud() {
            "issue_updated"
        } else {
            "issue_moved"
        };
        self.changed(actor, id, kind, items, None);
        Ok(())
    }

    /// Gives a project another key. Every issue changes its key silently; the old keys keep resolving.
    pub(crate) fn rename_project(
        &mut self,
        actor: &Arc<User>,
        project: u64,
        key: &str,
    ) -> Result<(), Refusal> {
        if self
            .project_keys
            .get(key)
            .is_some_and(|owner| *owner != project)
        {
            return Err(Refusal::field(
                "projectKey",
                format!("Project '{key}' uses this project key."),
            ));
        }
        let Some(found) = self.projects.get_mut(&project) else {
            return Err(Refusal::message(
                404,
                format!("No project could be found with id '{project}'."),
            ));
        };
        key.clone_into(&mut found.key);
        self.project_keys.insert(key.to_owned(), project);
        let ids: Vec<u64> = self
            .issues
            .values()
            .filter(|issue| issue.project == project)
            .map(|i| i.id)
            .collect();
        for id in ids {
            let issue = self.issue_mut(id)?;
            if let Some((_, number)) = issue.key.rsplit_once('-') {
                issue.key = format!("{key}-{number}");
            }
            let new = issue.key.clone();
            self.keys.insert(new, id);
            self.touched(id);
        }
        self.emit_project(actor, project);
        Ok(())
    }

    /// Deletes an issue. Its comments follow as secondary deliveries.
    pub(crate) fn delete_issue(&mut self, actor: &Arc<User>, id: u64) -> Result<(), Refusal> {
        let comments: Vec<u64> = self.issue_mut(id)?.comments.keys().copied().collect();
        self.emit(actor, &Event::issue("jira:issue_deleted", "", id));
        for comment in &comments {
            self.emit(
                actor,
                &Event::comment("comment_deleted", id, *comment).secondary(),
            );
            self.comment_issues.remove(comment);
        }
        self.issues.remove(&id);
        self.keys.retain(|_, owner| *owner != id);
        self.attachment_issues.retain(|_, owner| *owner != id);
        self.touched(id);
        Ok(())
    }
}

fn status_change(from: Option<Status>, to: Status) -> Change {
    let side = |status: Status| (status.id.to_string(), status.name.to_owned());
    Change::ids("status", from.map(side), Some(side(to)))
}

/// Applies field changes to an issue and says what really changed.
fn apply(issue: &mut Issue, edit: Edit) -> Vec<Change> {
    let mut items = Vec::new();
    let person = |user: &Arc<User>| (user.account_id.clone(), user.display_name.clone());
    if let Some(assignee) = edit.assignee
        && assignee.as_ref().map(|u| &u.account_id)
            != issue.assignee.as_ref().map(|u| &u.account_id)
    {
        items.push(Change::ids(
            "assignee",
            issue.assignee.as_ref().map(person),
            assignee.as_ref().map(person),
        ));
        issue.assignee = assignee;
    }
    if let Some(description) = edit.description
        && description != issue.description
    {
        let text = |body: &Option<Body>| body.as_ref().map(|b| b.as_wiki().to_owned());
        items.push(Change::text(
            "description",
            text(&issue.description).as_deref(),
            text(&description).as_deref(),
        ));
        issue.description = description;
    }
    if let Some(summary) = edit.summary
        && summary != issue.summary
    {
        items.push(Change::text(
            "summary",
            Some(&issue.summary),
            Some(&summary),
        ));
        issue.summary = summary;
    }
    if let Some(reporter) = edit.reporter
        && reporter.account_id != issue.reporter.account_id
    {
        items.push(Change::ids(
            "reporter",
            Some(person(&issue.reporter)),
            Some(person(&reporter)),
        ));
        issue.reporter = reporter;
    }
    if let Some(priority) = edit.priority
        && priority != issue.priority
    {
        let name = |id: u64| {
            PRIORITIES
                .iter()
                .find(|p| p.0 == id)
                .map(|p| (id.to_string(), p.1.to_owned()))
        };
        items.push(Change::ids(
            "priority",
            name(issue.priority),
            name(priority),
        ));
        issue.priority = priority;
    }
    if let Some(mut labels) = edit.labels {
        labels.sort();
        labels.dedup();
        if labels != issue.labels {
            items.push(Change::text(
                "labels",
                Some(&issue.labels.join(" ")),
                Some(&labels.join(" ")),
            ));
            issue.labels = labels;
        }
    }
    if let Some(security) = edit.security
        && security != issue.security
    {
        let name = |id: Option<u64>| {
            id.and_then(|id| SECURITY_LEVELS.iter().find(|l| l.0 == id))
                .map(|l| (l.0.to_string(), l.1.to_owned()))
        };
        let mut change = Change::ids("security", name(issue.security), name(security));
        "Security".clone_into(&mut change.field);
        items.push(change);
        issue.security = security;
    }
    for (field, value) in edit.custom {
        items.extend(apply_custom(issue, &field, value));
    }
    items
}

fn apply_custom(issue: &mut Issue, field: &str, value: Option<CustomValue>) -> Option<Change> {
    let text = |value: Option<&CustomValue>| {
        value.map(|value| match value {
            CustomValue::Line(line) => line.clone(),
            CustomValue::Rich(body) => body.as_wiki().to_owned(),
            CustomValue::Number(number) => number.to_string(),
        })
    };
    let old = issue.custom.get(field);
    if old == value.as_ref() {
        return None;
    }
    let name = super::model::custom_name(field).unwrap_or(field);
    let mut change = Change::text(name, text(old).as_deref(), text(value.as_ref()).as_deref());
    change.field_id = Some(field.to_owned());
    change.custom = true;
    match value {
        Some(value) => issue.custom.insert(field.to_owned(), value),
        None => issue.custom.remove(field),
    };
    Some(change)
}
