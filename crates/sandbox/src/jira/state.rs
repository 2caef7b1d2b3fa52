//! The memory of one simulated site and what may be looked up in it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::common::Delivery;
use crate::common::clock::now_ms;

use crate::phones::Markers;

use super::automation::{self, Automation};
use super::config::{Config, Deployment, Switches};
use super::desk::{Desk, Temporary};
use super::error::Refusal;
use super::mail::Mail;
use super::model::{Comment, Hook, Issue, Project, SECURITY_LEVELS, User};

/// A right that can be taken from a user, by its key in `mypermissions`.
pub const PERMISSIONS: [&str; 17] = [
    "BROWSE_PROJECTS",
    "CREATE_ISSUES",
    "EDIT_ISSUES",
    "DELETE_ISSUES",
    "ASSIGN_ISSUES",
    "ASSIGNABLE_USER",
    "TRANSITION_ISSUES",
    "LINK_ISSUES",
    "MOVE_ISSUES",
    "ADD_COMMENTS",
    "EDIT_OWN_COMMENTS",
    "DELETE_OWN_COMMENTS",
    "EDIT_ALL_COMMENTS",
    "DELETE_ALL_COMMENTS",
    "CREATE_ATTACHMENTS",
    "USER_PICKER",
    "ADMINISTER",
];

/// Rights that only administrators have.
const ADMIN_ONLY: [&str; 3] = ["EDIT_ALL_COMMENTS", "DELETE_ALL_COMMENTS", "ADMINISTER"];

/// Last used number of each kind of thing.
#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) issue: u64,
    pub(crate) comment: u64,
    pub(crate) history: u64,
    pub(crate) remote_link: u64,
    pub(crate) attachment: u64,
    pub(crate) hook: u64,
}

impl Counters {
    /// Takes the next number.
    pub(crate) fn next(counter: &mut u64) -> u64 {
        *counter += 1;
        *counter
    }
}

/// Everything one site remembers.
pub(crate) struct State {
    pub(crate) deployment: Deployment,
    pub(crate) utc_offset_minutes: i32,
    pub(crate) base: Arc<str>,
    pub(crate) switches: Switches,
    pub(crate) retry_delays_ms: Vec<u64>,
    pub(crate) users: Vec<Arc<User>>,
    pub(crate) tokens: HashMap<String, Token>,
    users_by_name: HashMap<String, Arc<User>>,
    pub(crate) projects: BTreeMap<u64, Project>,
    pub(crate) project_keys: HashMap<String, u64>,
    pub(crate) issues: HashMap<u64, Arc<Issue>>,
    pub(crate) keys: HashMap<String, u64>,
    pub(crate) comment_issues: HashMap<u64, u64>,
    pub(crate) attachment_issues: HashMap<u64, u64>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) next: Counters,
    pub(crate) denied: HashSet<(String, String)>,
    /// Fields that are on no screen: they cannot be set.
    pub(crate) off_screen: HashSet<String>,
    /// Issues that an account may not see although it may browse their project.
    pub(crate) hidden_issues: HashSet<(String, u64)>,
    pub(crate) outbox: Vec<Delivery>,
    pub(crate) index: Index,
    pub(crate) desks: Vec<Desk>,
    pub(crate) temporary: HashMap<String, Temporary>,
    pub(crate) automations: Vec<Automation>,
    pub(crate) automation_user: Arc<User>,
    pub(crate) mails: Vec<Mail>,
    pub(crate) mailing: bool,
    pub(crate) markers: Markers,
}

/// What a token stands for.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) user: Arc<User>,
    /// Works only through the gateway.
    pub(crate) scoped: bool,
}

impl State {
    pub(crate) fn new(config: &Config) -> Self {
        let mut state = Self {
            deployment: config.deployment,
            utc_offset_minutes: config.utc_offset_minutes,
            base: config
                .public_url
                .as_deref()
                .unwrap_or_default()
                .trim_end_matches('/')
                .into(),
            switches: config.switches.clone(),
            retry_delays_ms: config.retry_delays_ms.clone(),
            users: Vec::new(),
            tokens: HashMap::new(),
            users_by_name: HashMap::new(),
            projects: BTreeMap::new(),
            project_keys: HashMap::new(),
            issues: HashMap::new(),
            keys: HashMap::new(),
            comment_issues: HashMap::new(),
            attachment_issues: HashMap::new(),
            hooks: Vec::new(),
            next: Counters {
                issue: 10_000,
                comment: 10_100,
                history: 10_200,
                remote_link: 10_300,
                attachment: 10_400,
                hook: 0,
            },
            denied: HashSet::new(),
            off_screen: HashSet::new(),
            hidden_issues: HashSet::new(),
            outbox: Vec::new(),
            index: Index::new(config.search_lag_ms),
            desks: Vec::new(),
            temporary: HashMap::new(),
            automations: config.automations.clone(),
            automation_user: Arc::new(automation::user(config.deployment)),
            mails: Vec::new(),
            mailing: true,
            markers: Markers::default(),
        };
        for user in &config.users {
            state.add_user(user);
        }
        for project in &config.projects {
            let id = 10_000 + u64::try_from(state.projects.len()).unwrap_or_default();
            state.project_keys.insert(project.key.clone(), id);
            state.projects.insert(
                id,
                Project {
                    id,
                    key: project.key.clone(),
                    name: project.name.clone(),
                    kind: project.kind,
                    hidden: project.hidden,
                    last_number: 0,
                    properties: BTreeMap::new(),
                },
            );
        }
        for hook in &config.webhooks {
            state.add_hook(hook);
        }
        for desk in &config.desks {
            state.add_desk(desk);
        }
        state
    }

    pub(crate) fn add_user(&mut self, config: &super::config::UserConfig) {
        let user = Arc::new(User {
            name: config.name.clone(),
            account_id: config.account_id.clone(),
            display_name: config.display_name.clone(),
            email: config.email.clone(),
            email_visible: config.email_visible,
            admin: config.admin,
            account_type: config.account_type.clone(),
        });
        if let Some(token) = &config.token {
            self.tokens.insert(
                token.clone(),
                Token {
                    user: user.clone(),
                    scoped: config.scoped_token,
                },
            );
        }
        self.users_by_name.insert(user.name.clone(), user.clone());
        self.users_by_name
            .insert(user.account_id.clone(), user.clone());
        self.users_by_name.insert(user.email.clone(), user.clone());
        self.users.push(user);
    }

    /// Whether this is Jira Cloud.
    pub(crate) fn is_cloud(&self) -> bool {
        self.deployment == Deployment::Cloud
    }

    /// A user by name, account id, key or e-mail address.
    pub(crate) fn user(&self, name: &str) -> Option<&Arc<User>> {
        self.users_by_name.get(name)
    }

    /// A project by id, current key or former key.
    pub(crate) fn project(&self, id_or_key: &str) -> Option<&Project> {
        let id = self
            .project_keys
            .get(id_or_key)
            .copied()
            .or_else(|| id_or_key.parse().ok())?;
        self.projects.get(&id)
    }

    /// The project of an issue.
    pub(crate) fn project_of(&self, issue: &Issue) -> &Project {
        self.projects
            .get(&issue.project)
            .expect("projects are never deleted")
    }

    /// The id of an issue by id, current key or former key (of the issue or of its project). Says nothing about rights.
    pub(crate) fn resolve(&self, id_or_key: &str) -> Option<u64> {
        if let Ok(id) = id_or_key.parse::<u64>() {
            return self.issues.contains_key(&id).then_some(id);
        }
        if let Some(id) = self.keys.get(id_or_key) {
            return Some(*id);
        }
        let upper = id_or_key.to_ascii_uppercase();
        self.keys.get(&upper).copied()
    }

    /// An issue that exists.
    pub(crate) fn issue(&self, id: u64) -> Option<&Issue> {
        self.issues.get(&id).map(Arc::as_ref)
    }

    /// An issue to change; the search index keeps its own snapshot.
    pub(crate) fn issue_mut(&mut self, id: u64) -> Result<&mut Issue, Refusal> {
        let cloud = self.is_cloud();
        self.issues
            .get_mut(&id)
            .map(Arc::make_mut)
            .ok_or_else(|| Refusal::no_issue(cloud))
    }

    /// An issue as a caller sees it: 404 if it is missing or hidden.
    pub(crate) fn visible_issue(&self, caller: &User, id_or_key: &str) -> Result<&Issue, Refusal> {
        self.resolve(id_or_key)
            .filter(|id| self.may_see_issue(caller, *id))
            .and_then(|id| self.issue(id))
            .ok_or_else(|| Refusal::no_issue(self.is_cloud()))
    }

    /// Whether the caller may see an issue: the project, and the security level.
    pub(crate) fn may_see_issue(&self, caller: &User, id: u64) -> bool {
        let Some(issue) = self.issue(id) else {
            return false;
        };
        let admins_only = issue.security.is_some_and(|level| {
            SECURITY_LEVELS
                .iter()
                .any(|(id, _, admins)| *id == level && *admins)
        });
        let hidden = self
            .hidden_issues
            .contains(&(caller.account_id.clone(), id));
        self.may_see_project(caller, self.project_of(issue))
            && (caller.admin || !admins_only)
            && !hidden
    }

    /// Whether the caller may browse a project.
    pub(crate) fn may_see_project(&self, caller: &User, project: &Project) -> bool {
        (caller.admin || !project.hidden) && self.may(caller, "BROWSE_PROJECTS")
    }

    /// Whether the caller holds a right.
    pub(crate) fn may(&self, caller: &User, permission: &str) -> bool {
        if self
            .denied
            .contains(&(caller.account_id.clone(), permission.to_owned()))
        {
            return false;
        }
        caller.admin || !(ADMIN_ONLY.contains(&permission) || caller.is_customer())
    }

    /// A comment as a caller sees it.
    pub(crate) fn visible_comment(
        &self,
        caller: &User,
        issue: &str,
        comment: &str,
    ) -> Result<(&Issue, &Comment), Refusal> {
        let issue = self.visible_issue(caller, issue)?;
        let found = comment
            .parse()
            .ok()
            .and_then(|id: u64| issue.comments.get(&id));
        match found {
            Some(found) if found.visible_to(caller) => Ok((issue, found)),
            _ => Err(Refusal::no_comment(comment)),
        }
    }

    /// Tells the index that an issue changed.
    pub(crate) fn touched(&mut self, id: u64) {
        let issue = self.issues.get(&id).cloned();
        self.index.changed(id, issue, now_ms());
    }
}

/// What search sees: the truth, or the truth some time ago.
#[derive(Debug)]
pub(crate) struct Index {
    lag_ms: i64,
    by_updated: BTreeSet<(i64, u64)>,
    updated: HashMap<u64, i64>,
    /// Snapshots, kept only if there is a lag.
    snapshots: HashMap<u64, Arc<Issue>>,
    pending: VecDeque<(i64, u64, Option<Arc<Issue>>)>,
}

impl Index {
    fn new(lag_ms: i64) -> Self {
        Self {
            lag_ms,
            by_updated: BTreeSet::new(),
            updated: HashMap::new(),
            snapshots: HashMap::new(),
            pending: VecDeque::new(),
        }
    }

    /// Changes the lag; what is pending keeps its due time.
    pub(crate) fn set_lag(&mut self, lag_ms: i64, live: &HashMap<u64, Arc<Issue>>) {
        if lag_ms > 0 && self.lag_ms == 0 {
            self.snapshots.clone_from(live);
        }
        self.lag_ms = lag_ms;
    }

    fn has_snapshots(&self) -> bool {
        self.lag_ms > 0 || !self.pending.is_empty()
    }

    fn changed(&mut self, id: u64, issue: Option<Arc<Issue>>, now: i64) {
        if self.has_snapshots() {
            self.pending.push_back((now + self.lag_ms, id, issue));
        } else {
            self.enter(id, issue.as_ref());
        }
    }

    fn enter(&mut self, id: u64, issue: Option<&Arc<Issue>>) {
        if let Some(old) = self.updated.remove(&id) {
            self.by_updated.remove(&(old, id));
        }
        if let Some(issue) = issue {
            self.updated.insert(id, issue.updated_ms);
            self.by_updated.insert((issue.updated_ms, id));
        }
    }

    /// Brings the index up to date, as far as the lag lets it.
    pub(crate) fn settle(&mut self, now: i64) {
        while self.pending.front().is_some_and(|(due, ..)| *due <= now) {
            let Some((_, id, issue)) = self.pending.pop_front() else {
                break;
            };
            self.enter(id, issue.as_ref());
            match issue {
                Some(issue) => self.snapshots.insert(id, issue),
                None => self.snapshots.remove(&id),
            };
        }
        if !self.has_snapshots() {
            self.snapshots.clear();
        }
    }

    /// The issue as search sees it, after [`Index::settle`].
    pub(crate) fn seen<'a>(
        &'a self,
        id: u64,
        live: &'a HashMap<u64, Arc<Issue>>,
    ) -> Option<&'a Issue> {
        let source = if self.has_snapshots() {
            &self.snapshots
        } else {
            live
        };
        source.get(&id).map(Arc::as_ref)
    }

    /// Ids that search sees, those updated at or after an instant, least recently updated first.
    pub(crate) fn updated_from(&self, ms: i64) -> impl Iterator<Item = u64> + '_ {
        self.by_updated.range((ms, 0)..).map(|(_, id)| *id)
    }
}
