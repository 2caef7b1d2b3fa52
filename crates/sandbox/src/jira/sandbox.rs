//! The site as an object, and as a server.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::common::clock::now_ms;
use crate::common::page::Neighbours;
use crate::common::server::{Server, serve};
use crate::common::{Disturbance, Faults, Journal, Sender};

use super::body::Body;
use super::config::{Config, Limits, Switches, WebhookConfig};
use super::error::Refusal;
use super::limits::Meter;
use super::model::{Issue, RemoteLink, User, status_named};
use super::ops::{Edit, NewComment, NewIssue};
use super::state::State;

/// Deliveries that Jira has on the way to one host at the same time.
const PARALLEL_DELIVERIES: usize = 20;

/// A simulated site. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

struct Shared {
    cloud_id: String,
    state: Mutex<State>,
    meter: Mutex<(Option<Limits>, Meter)>,
    journal: Journal,
    faults: Faults,
    sender: Sender,
    neighbours: Neighbours,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("issues", &self.lock().issues.len())
            .finish_non_exhaustive()
    }
}

/// A served site. Dropping it stops the server.
#[derive(Debug)]
pub struct Handle {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The site itself.
    pub state: Sandbox,
    server: Server,
}

impl Handle {
    /// The base address of REST and pages, such as `http://127.0.0.1:4020`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Stops the server and waits for that.
    pub async fn shutdown(self) {
        self.server.stop().await;
    }
}

/// Serves a site on an address; port 0 picks a free one.
///
/// # Errors
/// The address cannot be bound.
pub async fn start(config: Config, addr: SocketAddr, neighbours: Neighbours) -> io::Result<Handle> {
    let site = Sandbox::new(&config, neighbours);
    let server = serve(addr, super::rest::site_router(&site)).await?;
    let addr = server.addr();
    if config.public_url.is_none() {
        site.lock().base = format!("http://{addr}").into();
    }
    Ok(Handle {
        addr,
        state: site,
        server,
    })
}

impl Sandbox {
    fn new(config: &Config, neighbours: Neighbours) -> Self {
        let shared = Shared {
            cloud_id: config.cloud_id.clone(),
            state: Mutex::new(State::new(config)),
            meter: Mutex::new((config.limits.clone(), Meter::default())),
            journal: Journal::new(),
            faults: Faults::new(),
            sender: Sender::with_parallelism(PARALLEL_DELIVERIES),
            neighbours,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the state.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the state and sends off the deliveries this caused, in their order.
    pub(crate) fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        for delivery in state.outbox.drain(..) {
            self.shared.sender.enqueue(delivery);
        }
        result
    }

    /// Counts a request against the limits.
    pub(crate) fn meter(
        &self,
        method: &str,
        endpoint: &str,
        written_issue: Option<u64>,
    ) -> Result<(), Refusal> {
        let mut guard = self
            .shared
            .meter
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (limits, meter) = &mut *guard;
        let Some(limits) = limits else { return Ok(()) };
        let now = now_ms();
        meter.request(limits, method, endpoint, now)?;
        written_issue.map_or(Ok(()), |issue| meter.write(limits, issue, now))
    }

    /// Whether there are limits to count against.
    pub(crate) fn is_limited(&self) -> bool {
        self.shared
            .meter
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .is_some()
    }

    pub(crate) fn cloud_id(&self) -> &str {
        &self.shared.cloud_id
    }

    pub(crate) fn neighbours(&self) -> &Neighbours {
        &self.shared.neighbours
    }

    /// Every REST call the site received.
    pub fn journal(&self) -> &Journal {
        &self.shared.journal
    }

    /// Faults of the site's REST.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// The sender of webhooks, with the log of deliveries.
    pub fn sender(&self) -> &Sender {
        &self.shared.sender
    }

    /// Disturbs deliveries: doubles, reorders, drops or holds them.
    pub fn disturb(&self, disturbance: Disturbance) {
        self.shared.sender.disturb(disturbance);
    }

    /// Sets or removes the rate limits.
    pub fn set_limits(&self, limits: Option<Limits>) {
        *self
            .shared
            .meter
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = (limits, Meter::default());
    }

    /// Changes behaviour switches.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.lock().switches);
    }

    /// Changes how long changes stay invisible to search, in milliseconds.
    pub fn set_search_lag(&self, lag_ms: i64) {
        let state = &mut *self.lock();
        state.index.set_lag(lag_ms, &state.issues);
    }

    /// Replaces a user's token; the old one stops working at once. `None` leaves the user without.
    pub fn set_token(&self, user: &str, token: Option<&str>) {
        let mut state = self.lock();
        let Some(user) = state.user(user).cloned() else {
            return;
        };
        state
            .tokens
            .retain(|_, known| known.user.account_id != user.account_id);
        if let Some(token) = token {
            state.tokens.insert(
                token.to_owned(),
                super::state::Token {
                    user,
                    scoped: false,
                },
            );
        }
    }

    /// Takes a right from a user, or gives it back. Rights are named as in `mypermissions`.
    pub fn set_permission(&self, user: &str, permission: &str, allowed: bool) {
        let mut state = self.lock();
        let Some(account) = state.user(user).map(|user| user.account_id.clone()) else {
            return;
        };
        let right = (account, permission.to_owned());
        if allowed {
            state.denied.remove(&right)
        } else {
            state.denied.insert(right)
        };
    }

    /// Hides one issue from a user who may browse its project, or shows it again. The issue itself
    /// does not change by that, and nobody is told.
    pub fn hide_issue(&self, user: &str, issue: &str, hidden: bool) {
        let mut state = self.lock();
        let account = state.user(user).map(|user| user.account_id.clone());
        let (Some(account), Some(id)) = (account, state.resolve(issue)) else {
            return;
        };
        if hidden {
            state.hidden_issues.insert((account, id))
        } else {
            state.hidden_issues.remove(&(account, id))
        };
    }

    /// Registers an administrator webhook and returns its id.
    pub fn add_webhook(&self, webhook: &WebhookConfig) -> u64 {
        self.lock().add_hook(webhook)
    }

    /// Removes an administrator webhook.
    pub fn remove_webhook(&self, id: u64) {
        self.lock().hooks.retain(|hook| hook.id != id);
    }

    /// A copy of an issue, by id, current or former key; nobody's rights are considered.
    pub fn issue(&self, id_or_key: &str) -> Option<Issue> {
        self.read(|state| {
            state
                .resolve(id_or_key)
                .and_then(|id| state.issue(id))
                .cloned()
        })
    }

    /// How many issues there are.
    pub fn issue_count(&self) -> usize {
        self.lock().issues.len()
    }

    /// An entity property of an issue.
    pub fn property(&self, id_or_key: &str, property: &str) -> Option<Value> {
        self.issue(id_or_key)?.properties.remove(property)
    }

    /// The remote links of an issue, oldest first.
    pub fn remote_links(&self, id_or_key: &str) -> Vec<RemoteLink> {
        self.issue(id_or_key)
            .map(|issue| issue.remote_links.into_values().collect())
            .unwrap_or_default()
    }

    /// Everybody, the bot first.
    pub fn users(&self) -> Vec<Arc<User>> {
        self.lock().users.clone()
    }

    /// Acts as a user, by name, account id or address. What follows is refused with 404 if there is no such user.
    pub fn acting(&self, user: &str) -> Actor {
        Actor {
            site: self.clone(),
            user: self.read(|state| state.user(user).cloned()),
        }
    }
}

/// A person at work on a site. Issues are named by id or key.
#[derive(Clone, Debug)]
pub struct Actor {
    site: Sandbox,
    user: Option<Arc<User>>,
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
