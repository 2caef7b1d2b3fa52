//! How things look in JSON: REST 2, REST 3 and webhooks of both deployments.

use serde_json::{Map, Value, json};

use super::body::Body;
use super::model::{
    Attachment, CUSTOM_FIELDS, Category, Change, Comment, CustomValue, History, ISSUE_TYPES, Issue,
    NUMBER_FIELDS, PRIORITIES, Project, RESOLUTION, RemoteLink, SECURITY_LEVELS, Status, User,
    custom_name,
};
use super::stamp;
use super::state::State;

/// Version of the REST interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V2,
    V3,
}

impl Version {
    fn number(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }
}

/// System fields in the order Jira tends to give them.
pub(crate) const SYSTEM_FIELDS: [&str; 38] = [
    "statuscategorychangedate",
    "issuetype",
    "timespent",
    "project",
    "fixVersions",
    "aggregatetimespent",
    "resolution",
    "resolutiondate",
    "workratio",
    "watches",
    "lastViewed",
    "created",
    "priority",
    "labels",
    "timeestimate",
    "aggregatetimeoriginalestimate",
    "versions",
    "issuelinks",
    "assignee",
    "updated",
    "status",
    "components",
    "timeoriginalestimate",
    "description",
    "timetracking",
    "security",
    "aggregatetimeestimate",
    "attachment",
    "summary",
    "creator",
    "subtasks",
    "reporter",
    "aggregateprogress",
    "environment",
    "duedate",
    "progress",
    "votes",
    "comment",
];

/// Fields of the cut-down issue in comment events.
pub(crate) const CUT_DOWN_FIELDS: [&str; 6] = [
    "summary",
    "issuetype",
    "project",
    "assignee",
    "priority",
    "status",
];

/// Which fields a caller wants.
#[derive(Clone, Debug)]
pub(crate) struct FieldSet {
    all: bool,
    named: Vec<String>,
    without: Vec<String>,
}

impl FieldSet {
    /// Parses the comma-separated lists that `fields` consists of. `default_all` says what no list at all means.
    pub(crate) fn parse<'a>(lists: impl IntoIterator<Item = &'a str>, default_all: bool) -> Self {
        let mut set = Self {
            all: false,
            named: Vec::new(),
            without: Vec::new(),
        };
        for name in lists
            .into_iter()
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            match (name, name.strip_prefix('-')) {
                ("*all" | "*navigable", _) => set.all = true,
                (_, Some(name)) => set.without.push(name.to_owned()),
                _ => set.named.push(name.to_owned()),
            }
        }
        if set.named.is_empty() && !set.all {
            set.all = default_all || !set.without.is_empty();
        }
        set
    }

    /// Every field.
    pub(crate) fn all() -> Self {
        Self {
            all: true,
            named: Vec::new(),
            without: Vec::new(),
        }
    }

    /// Whether any field is wanted at all; ids and keys are always there.
    pub(crate) fn wants_fields(&self) -> bool {
        self.all
            || self
                .named
                .iter()
                .any(|name| !matches!(name.as_str(), "id" | "key"))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let every = SYSTEM_FIELDS
            .into_iter()
            .chain(CUSTOM_FIELDS.iter().map(|field| field.0))
            .chain(NUMBER_FIELDS.iter().map(|field| field.0));
        every.filter(|name| {
            (self.all || self.named.iter().any(|n| n == name))
                && !self.without.iter().any(|n| n == name)
        })
    }
}

/// A way of looking at a site.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) state: &'a State,
    version: Version,
    viewer: Option<&'a User>,
}

impl<'a> View<'a> {
    /// As REST shows it to a caller.
    pub(crate) fn rest(state: &'a State, version: Version, viewer: &'a User) -> Self {
        Self {
            state,
            version,
            viewer: Some(viewer),
        }
    }

    /// As webhooks show it: REST 2 links, wiki text, and nobody's rights considered.
    pub(crate) fn webhook(state: &'a State) -> Self {
        Self {
            state,
            version: Version::V2,
            viewer: None,
        }
    }

    pub(crate) fn link(&self, path: &str) -> String {
        format!(
            "{}/rest/api/{}/{path}",
            self.state.base,
            self.version.number()
        )
    }

    pub(crate) fn stamp(&self, ms: i64) -> String {
        stamp::rest(ms, self.state.utc_offset_minutes)
    }

    /// A text in the form this view uses.
    pub(crate) fn text(&self, body: &Body) -> Value {
        let adf = match self.viewer {
            Some(_) => self.version == Version::V3,
            None => self.state.switches.adf_in_webhooks,
        };
        if adf {
            body.as_adf().clone()
        } else {
            Value::String(body.as_wiki().to_owned())
        }
    }

    pub(crate) fn user(&self, user: &User) -> Value {
        let avatar = |size: u8| {
            format!(
                "{}/secure/useravatar?size={size}&ownerId={}",
                self.state.base, user.account_id
            )
        };
        let avatars = json!({ "48x48": avatar(48), "24x24": avatar(24), "16x16": avatar(16), "32x32": avatar(32) });
        let mut shown = Map::new();
        if self.state.is_cloud() {
            shown.insert(
                "self".into(),
                self.link(&format!("user?accountId={}", user.account_id))
                    .into(),
            );
            shown.insert("accountId".into(), user.account_id.clone().into());
            shown.insert("accountType".into(), user.account_type.clone().into());
        } else {
            shown.insert(
                "self".into(),
                self.link(&format!("user?username={}", user.name)).into(),
            );
            shown.insert("name".into(), user.name.clone().into());
            shown.insert("key".into(), user.account_id.clone().into());
        }
        let own = self
            .viewer
            .is_some_and(|viewer| viewer.account_id == user.account_id);
        let cloud_webhook = self.state.is_cloud() && self.viewer.is_none();
        if (user.email_visible || own) && !cloud_webhook {
            shown.insert("emailAddress".into(), user.email.clone().into());
        }
        shown.insert("avatarUrls".into(), avatars);
        shown.insert("displayName".into(), user.display_name.clone().into());
        shown.insert("active".into(), true.into());
        shown.insert("timeZone".into(), "Europe/Berlin".into());
        Value::Object(shown)
    }

    pub(crate) fn category(&self, category: Category) -> Value {
        json!({
            "self": self.link(&format!("statuscategory/{}", category.id)),
            "id": category.id,
            "key": category.key,
            "colorName": category.colour,
            "name": category.name,
        })
    }

    pub(crate) fn status(&self, status: Status) -> Value {
        json!({
            "self": self.link(&format!("status/{}", status.id)),
            "description": "",
            "iconUrl": format!("{}/images/icons/statuses/generic.png", self.state.base),
            "name": status.name,
            "id": status.id.to_string(),
            "statusCategory": self.category(status.category),
        })
    }

    pub(crate) fn issue_type(&self, id: u64) -> Value {
        let (_, name, description) = ISSUE_TYPES
            .iter()
            .find(|t| t.0 == id)
            .unwrap_or(&ISSUE_TYPES[0]);
        json!({
            "self": self.link(&format!("issuetype/{id}")),
            "id": id.to_string(),
            "description": description,
            "iconUrl": format!("{}/images/icons/issuetypes/{}.png", self.state.base, name.to_lowercase()),
            "name": name,
            "subtask": false,
            "avatarId": 10_300 + id % 100,
            "hierarchyLevel": 0,
        })
    }

    pub(crate) fn priority(&self, id: u64) -> Value {
        let name = PRIORITIES
            .iter()
            .find(|p| p.0 == id)
            .map_or("Medium", |p| p.1);
        json!({
            "self": self.link(&format!("priority/{id}")),
            "iconUrl": format!("{}/images/icons/priorities/{}.svg", self.state.base, name.to_lowercase()),
            "name": name,
            "id": id.to_string(),
        })
    }

    pub(crate) fn project(&self, project: &Project) -> Value {
        let avatar = |size: &str| {
            format!(
                "{}/secure/projectavatar?size={size}&pid={}",
                self.state.base, project.id
            )
        };
        let mut shown = json!({
            "self": self.link(&format!("project/{}", project.id)),
            "id": project.id.to_string(),
            "key": project.key,
            "name": project.name,
            "projectTypeKey": project.kind.key(),
            "avatarUrls": {
                "48x48": avatar("xlarge"), "24x24": avatar("small"), "16x16": avatar("xsmall"), "32x32": avatar("medium"),
            },
        });
        if self.state.is_cloud() {
            shown["simplified"] = false.into();
        }
        shown
    }

    pub(crate) fn security(&self, id: u64) -> Value {
        let name = SECURITY_LEVELS
            .iter()
            .find(|l| l.0 == id)
            .map_or("", |l| l.1);
        json!({ "self": self.link(&format!("securitylevel/{id}")), "id": id.to_string(), "name": name, "description": "" })
    }

    fn resolution(&self) -> Value {
        let (id, name) = RESOLUTION;
        json!({
            "self": self.link(&format!("resolution/{id}")), "id": id.to_string(),
            "description": "Work has been completed.", "name": name,
        })
    }

    pub(crate) fn attachment(&self, attachment: &Attachment) -> Value {
        json!({
            "self": self.link(&format!("attachment/{}", attachment.id)),
            "id": attachment.id.to_string(),
            "filename": attachment.file_name,
            "author": self.user(&attachment.author),
            "created": self.stamp(attachment.created_ms),
            "size": attachment.content.len(),
            "mimeType": attachment.mime_type,
            "content": self.attachment_content(attachment),
        })
    }

    /// Where a file's content is: on Data Center behind a page's address.
    fn attachment_content(&self, attachment: &Attachment) -> String {
        if self.state.is_cloud() {
            return self.link(&format!("attachment/content/{}", attachment.id));
        }
        let name: String =
            url::form_urlencoded::byte_serialize(attachment.file_name.as_bytes()).collect();
        format!(
            "{}/secure/attachment/{}/{name}",
            self.state.base, attachment.id
        )
    }

    /// One comment; `expand` may ask for the rendered body and the properties.
    pub(crate) fn comment(&self, issue: u64, comment: &Comment, expand: &str) -> Value {
        let mut shown = Map::new();
        shown.insert(
            "self".into(),
            self.link(&format!("issue/{issue}/comment/{}", comment.id))
                .into(),
        );
        shown.insert("id".into(), comment.id.to_string().into());
        shown.insert("author".into(), self.user(&comment.author));
        shown.insert("body".into(), self.text(&comment.body));
        if expands(expand, "renderedBody") {
            shown.insert("renderedBody".into(), comment.body.as_html().into());
        }
        shown.insert("updateAuthor".into(), self.user(&comment.update_author));
        shown.insert("created".into(), self.stamp(comment.created_ms).into());
        shown.insert("updated".into(), self.stamp(comment.updated_ms).into());
        if let Some(visibility) = &comment.visibility {
            let mut shown_visibility =
                json!({ "type": visibility.kind, "value": visibility.value });
            if self.state.is_cloud() {
                shown_visibility["identifier"] = visibility.value.clone().into();
            }
            shown.insert("visibility".into(), shown_visibility);
        }
        if self.state.is_cloud() {
            shown.insert("jsdPublic".into(), (!comment.is_internal()).into());
        }
        let hidden = self.state.switches.comment_properties_hidden;
        if expands(expand, "properties") && !hidden && !comment.properties.is_empty() {
            let list: Vec<Value> = comment
                .properties
                .iter()
                .map(|(key, value)| json!({ "key": key, "value": value }))
                .collect();
            shown.insert("properties".into(), list.into());
        }
        Value::Object(shown)
    }

    fn comments(&self, issue: &Issue) -> Value {
        let visible: Vec<Value> = issue
            .comments
            .values()
            .filter(|comment| self.viewer.is_none_or(|viewer| comment.visible_to(viewer)))
            .map(|comment| self.comment(issue.id, comment, ""))
            .collect();
        let count = visible.len();
        let mut shown =
            json!({ "comments": visible, "maxResults": count, "total": count, "startAt": 0 });
        if self.viewer.is_some() {
            shown["self"] = self.link(&format!("issue/{}/comment", issue.id)).into();
        }
        shown
    }

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
        let mut wanted = FieldSet::all();
        if !comments {
            wanted.without.push("comment".to_owned());
        }
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
        super::model::workflow(self.state.project_of(issue).kind)
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

    /// One changelog item. Data Center has no field ids.
    pub(crate) fn change(&self, change: &Change) -> Value {
        let mut shown = json!({
            "field": change.field,
            "fieldtype": if change.custom { "custom" } else { "jira" },
            "from": change.from,
            "fromString": change.from_string,
            "to": change.to,
            "toString": change.to_string,
        });
        if let (true, Some(id)) = (self.state.is_cloud(), &change.field_id) {
            shown["fieldId"] = id.clone().into();
        }
        shown
    }

    /// One entry of the change history.
    pub(crate) fn history(&self, history: &History) -> Value {
        json!({
            "id": history.id.to_string(),
            "author": self.user(&history.author),
            "created": self.stamp(history.created_ms),
            "items": history.items.iter().map(|item| self.change(item)).collect::<Vec<_>>(),
        })
    }

    /// One remote link.
    pub(crate) fn remote_link(&self, issue: &Issue, link: &RemoteLink) -> Value {
        let mut shown = json!({
            "id": link.id,
            "self": self.link(&format!("issue/{}/remotelink/{}", issue.key, link.id)),
            "application": link.application,
            "object": link.object,
        });
        if let Some(global_id) = &link.global_id {
            shown["globalId"] = global_id.clone().into();
        }
        if let Some(relationship) = &link.relationship {
            shown["relationship"] = relationship.clone().into();
        }
        shown
    }
}

/// Whether a comma-separated `expand` names something.
pub(crate) fn expands(expand: &str, name: &str) -> bool {
    expand.split(',').any(|part| part.trim() == name)
}

/// The name of a field that people see.
pub(crate) fn field_name(id: &str) -> String {
    if let Some(name) = custom_name(id) {
        return name.to_owned();
    }
    let known = [
        ("issuetype", "Issue Type"),
        ("fixVersions", "Fix versions"),
        ("security", "Security Level"),
    ];
    if let Some((_, name)) = known.into_iter().find(|(field, _)| *field == id) {
        return name.to_owned();
    }
    let mut letters = id.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
