//! The site as an object, and as a server.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::common::clock::now_ms;
use crate::common::page::Neighbours;
use crate::common::server::{Server, serve};
use crate::common::{Disturbance, Faults, Journal, Sender};
use crate::phones::Markers;

use super::actor::Actor;
use super::automation::Automation;
use super::config::{Config, Deployment, Limits, RequestField, Switches, WebhookConfig};
use super::desk::Desk;
use super::error::Refusal;
use super::limits::Meter;
use super::mail::Mail;
use super::model::{Issue, RemoteLink, User};
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
    if let Some(desk) = config.desks.first() {
        let queue = format!("http://{addr}/servicedesk/{}", desk.project);
        site.neighbours().set_desk(queue);
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

    /// Which kind of Jira it simulates.
    pub fn deployment(&self) -> Deployment {
        self.read(|state| {
            if state.is_cloud() {
                Deployment::Cloud
            } else {
                Deployment::DataCenter
            }
        })
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

    /// Takes a field off the screens, so that nobody can set it, or puts it there again.
    pub fn put_on_screen(&self, field: &str, shown: bool) {
        let mut state = self.lock();
        if shown {
            state.off_screen.remove(field);
        } else {
            state.off_screen.insert(field.to_owned());
        }
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

    /// Every mail that the site would have sent, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.lock().mails.clone()
    }

    /// The register of internal texts, to be compared with what reached a channel.
    pub fn markers(&self) -> Markers {
        self.lock().markers.clone()
    }

    /// A service desk, by the key of its project.
    pub fn desk(&self, project: &str) -> Option<Desk> {
        self.read(|state| state.desk(project).cloned())
    }

    /// Adds a field to a request type's form, or replaces it. It counts from the next request on.
    /// Nothing happens if there is no such request type.
    pub fn set_request_field(&self, project: &str, request_type: &str, field: RequestField) {
        self.write(|state| state.set_request_field(project, request_type, field));
    }

    /// Takes a field off a request type's form.
    pub fn remove_request_field(&self, project: &str, request_type: &str, field: &str) {
        self.write(|state| state.remove_request_field(project, request_type, field));
    }

    /// Replaces the rules that act on comments.
    pub fn set_automations(&self, rules: Vec<Automation>) {
        self.lock().automations = rules;
    }

    /// The requests of a desk, oldest first.
    pub fn requests(&self, project: &str) -> Vec<Issue> {
        self.read(|state| {
            let Some(desk) = state.desk(project).map(|desk| desk.id) else {
                return Vec::new();
            };
            let mut all: Vec<Issue> = state
                .issues
                .values()
                .filter(|issue| {
                    issue
                        .request
                        .as_ref()
                        .is_some_and(|request| request.desk == desk)
                })
                .map(|issue| Issue::clone(issue))
                .collect();
            all.sort_by_key(|issue| issue.id);
            all
        })
    }

    /// Acts as a user, by name, account id or address. What follows is refused with 404 if there is no such user.
    pub fn acting(&self, user: &str) -> Actor {
        Actor {
            site: self.clone(),
            user: self.read(|state| state.user(user).cloned()),
        }
    }
}
