//! Issues: whole, cut down, and with what a caller asks for besides.

use serde_json::{Map, Value, json};

use super::super::body::Body;
use super::super::model::{CustomValue, Issue, User, workflow};
use super::fields::{CUT_DOWN_FIELDS, FieldSet, field_name};
use super::{View, expands};

impl View<'_> {
    fn field(&self, issue: &Issue, name: &str) -> Value {
        let person = |user: Option<&User>| user.map_or(Value::Null, |user| self.user(user));
        match name {
            "statuscategorychangedate" => self.stamp(issue.category_changed_ms).into(),
            "issuetype" => self.issue_type(issue.issue_type),
            "project" => self.project(self.state.project_of(issue)),
            "resolution" => issue.resolved_ms.map_or(Value::Null, |_| self.resolution()),
            "resolutiondate" => issue
                .resolved_ms
                .map_or(Value::Null, |at| self.stamp(at).into()),
            "workratio" => (-1).into(),
            "created" => self.stamp(issue.created_ms).into(),
            "updated" => self.stamp(issue.updated_ms).into(),
            "priority" => self.priority(issue.priority),
            "labels" => issue.labels.clone().into(),
            "fixVersions" | "versions" | "issuelinks" | "components" | "subtasks" => {
                Value::Array(Vec::new())
            }
            "assignee" => person(issue.assignee.as_deref()),
            "creator" => person(Some(&issue.creator)),
            "reporter" => person(Some(&issue.reporter)),
            "status" => self.status(issue.status),
            "description" => issue
                .description
                .as_ref()
                .map_or(Value::Null, |body| self.text(body)),
            "timetracking" => json!({}),
            "security" => issue.security.map_or(Value::Null, |id| self.security(id)),
            "attachment" => issue
                .attachments
                .values()
                .map(|a| self.attachment(a))
                .collect(),
            "summary" => issue.summary.clone().into(),
            "aggregateprogress" | "progress" => json!({ "progress": 0, "total": 0 }),
            "watches" => json!({
                "self": self.link(&format!("issue/{}/watchers", issue.key)), "watchCount": issue.watchers.len(),
                "isWatching": self.viewer.is_some_and(|viewer| issue.watchers.contains(&viewer.account_id)),
            }),
            "votes" => {
                json!({ "self": self.link(&format!("issue/{}/votes", issue.key)), "votes": 0, "hasVoted": false })
            }
            "comment" => self.comments(issue),
            custom => match issue.custom.get(custom) {
                Some(CustomValue::Line(line)) => line.clone().into(),
                Some(CustomValue::Rich(body)) => self.text(body),
                Some(CustomValue::Number(number)) => (*number).into(),
                None => Value::Null,
            },
        }
    }

    /// Fields of an issue.
    pub(crate) fn fields(&self, issue: &Issue, wanted: &FieldSet) -> Value {
        let cloud = self.state.is_cloud();
        let shown: Map<String, Value> = wanted
            .names()
            .filter(|name| cloud || *name != "statuscategorychangedate")
            .map(|name| (name.to_owned(), self.field(issue, name)))
            .collect();
        Value::Object(shown)
    }

    /// An issue as webhooks show it. `comments` says whether its comments are among the fields.
    pub(crate) fn webhook_issue(&self, issue: &Issue, comments: bool) -> Value {
        let all = FieldSet::all();
        let wanted = if comments {
            all
        } else {
            all.without("comment")
        };
        self.bare_issue(issue, &wanted)
    }

    /// The cut-down issue of comment events.
    pub(crate) fn cut_down_issue(&self, issue: &Issue) -> Value {
        self.bare_issue(issue, &FieldSet::parse(CUT_DOWN_FIELDS, false))
    }

    fn bare_issue(&self, issue: &Issue, wanted: &FieldSet) -> Value {
        json!({
            "id": issue.id.to_string(),
            "self": self.link(&format!("issue/{}", issue.id)),
            "key": issue.key,
            "fields": self.fields(issue, wanted),
        })
    }

    /// An issue as REST shows it.
    pub(crate) fn issue(
        &self,
        issue: &Issue,
        wanted: &FieldSet,
        expand: &str,
        properties: &[String],
    ) -> Value {
        let mut shown = Map::new();
        shown.insert(
            "expand".into(),
            "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations"
                .into(),
        );
        shown.insert("id".into(), issue.id.to_string().into());
        shown.insert(
            "self".into(),
            self.link(&format!("issue/{}", issue.id)).into(),
        );
        shown.insert("key".into(), issue.key.clone().into());
        if wanted.wants_fields() {
            shown.insert("fields".into(), self.fields(issue, wanted));
        }
        if expands(expand, "renderedFields") {
            shown.insert("renderedFields".into(), self.rendered(issue));
        }
        if expands(expand, "changelog") {
            let histories: Vec<Value> = issue
                .history
                .iter()
                .rev()
                .map(|h| self.history(h))
                .collect();
            let count = histories.len();
            shown.insert(
                "changelog".into(),
                json!({ "startAt": 0, "maxResults": count, "total": count, "histories": histories }),
            );
        }
        if expands(expand, "transitions") {
            shown.insert("transitions".into(), self.transitions(issue));
        }
        if expands(expand, "names") {
            let names: Map<String, Value> = wanted
                .names()
                .map(|n| (n.to_owned(), field_name(n).into()))
                .collect();
            shown.insert("names".into(), Value::Object(names));
        }
        if !properties.is_empty() {
            let every = properties.iter().any(|key| key == "*all");
            let found: Map<String, Value> = issue
                .properties
                .iter()
                .filter(|(key, _)| every || properties.contains(key))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            shown.insert("properties".into(), Value::Object(found));
        }
        Value::Object(shown)
    }

    fn rendered(&self, issue: &Issue) -> Value {
        let comments: Vec<Value> = issue
            .comments
            .values()
            .filter(|comment| self.viewer.is_none_or(|viewer| comment.visible_to(viewer)))
            .map(|comment| {
                let mut shown = self.comment(issue.id, comment, "");
                shown["body"] = comment.body.as_html().into();
                shown
            })
            .collect();
        json!({
            "description": issue.description.as_ref().map(Body::as_html).unwrap_or_default(),
            "comment": { "comments": comments, "total": comments.len(), "maxResults": comments.len(), "startAt": 0 },
        })
    }

    /// The transitions an issue can take now.
    pub(crate) fn transitions(&self, issue: &Issue) -> Value {
        workflow(self.state.project_of(issue).kind)
            .iter()
            .copied()
            .filter(|status| *status != issue.status)
            .map(|status| {
                let mut shown = json!({
                    "id": status.transition.to_string(), "name": status.name, "to": self.status(status),
                });
                if self.state.is_cloud() {
                    let flags = json!({
                        "hasScreen": false, "isGlobal": true, "isInitial": false, "isAvailable": true,
                        "isConditional": false, "isLooped": false,
                    });
                    if let (Value::Object(shown), Value::Object(flags)) = (&mut shown, flags) {
                        shown.extend(flags);
                    }
                }
                shown
            })
            .collect()
    }
}
