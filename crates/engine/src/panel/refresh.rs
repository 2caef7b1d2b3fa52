//! Reading anew what a panel shows, beside it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bowline_domain::connection::Connection;
use bowline_domain::ids::{ConversationId, IssueId, ProjectKey, SiteName, WorkspaceName};
use bowline_domain::panel::ContactSource;
use bowline_domain::time::Millis;
use bowline_jira::IssueRead;
use bowline_net::{ApiError, ErrorKind};
use bowline_store::StoreError;
use bowline_store::reading::{Reading, ReadingKind, Tried};
use futures_util::future::join_all;
use serde::Serialize;
use tokio::sync::{Notify, Semaphore};

use super::now::body;
use super::seen::{SeenContact, SeenConversation, SeenReporter};
use crate::health;
use crate::pace::Priority;
use crate::paced::Paced;
use crate::registry::{Standing, Workspace};
use crate::shared::Shared;

/// Linked conversations that a panel shows, and that are read for it.
pub(super) const CONVERSATIONS_MAX: usize = 50;

/// Contacts that a panel shows, and that are read for it.
pub(super) const CONTACTS_MAX: usize = 50;

/// Calls that are made at once for all panels.
const CALLS_AT_ONCE: usize = 8;

/// How long what was read counts as fresh, in milliseconds.
pub(super) const FRESH_MS: i64 = 15_000;

/// How long names of teammates and attributes count as fresh, in milliseconds.
const NAMES_FRESH_MS: i64 = 10 * 60 * 1_000;

/// How long a read waits for its turn before it is given up.
const TURN_PATIENCE: Duration = Duration::from_secs(15);

/// How long a call may take: somebody looks at the panel.
pub(super) const CALL_DEADLINE: Duration = Duration::from_secs(10);

/// Hops that are followed from a merged contact to the one that goes on.
const MERGED_HOPS_MAX: usize = 3;

type Thing = (String, ReadingKind, String);

/// What is being read for people to look at: each thing, and each panel, once at a time.
pub struct Reads {
    things: Mutex<HashSet<Thing>>,
    panels: Mutex<HashSet<(SiteName, IssueId)>>,
    ended: Notify,
    room: Semaphore,
}

impl Reads {
    pub(crate) fn new() -> Self {
        Self {
            things: Mutex::default(),
            panels: Mutex::default(),
            ended: Notify::new(),
            room: Semaphore::new(CALLS_AT_ONCE),
        }
    }

    pub(super) fn under_way(&self, site: &SiteName, issue: &IssueId) -> bool {
        self.lock_panels().contains(&(site.clone(), issue.clone()))
    }

    fn lock_panels(&self) -> MutexGuard<'_, HashSet<(SiteName, IssueId)>> {
        self.panels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_things(&self) -> MutexGuard<'_, HashSet<Thing>> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps others from reading the same panel until it is dropped.
struct PanelRead {
    shared: Arc<Shared>,
    this: (SiteName, IssueId),
}

impl Drop for PanelRead {
    fn drop(&mut self) {
        self.shared.reads.lock_panels().remove(&self.this);
        self.shared.reads.ended.notify_waiters();
    }
}

/// Keeps others from reading the same thing until it is dropped.
struct ThingRead<'r> {
    reads: &'r Reads,
    this: Thing,
}

impl<'r> ThingRead<'r> {
    fn begin(reads: &'r Reads, this: Thing) -> Option<Self> {
        let fresh = reads.lock_things().insert(this.clone());
        fresh.then(|| Self { reads, this })
    }
}

impl Drop for ThingRead<'_> {
    fn drop(&mut self) {
        self.reads.lock_things().remove(&self.this);
    }
}

impl Shared {
    /// Begins to read anew what the panel of an issue shows, unless that is under way or all of it
    /// is fresh.
    pub fn refresh_panel(self: &Arc<Self>, site: &SiteName, issue: &IssueId, project: &ProjectKey) {
        let this = (site.clone(), issue.clone());
        if !self.reads.lock_panels().insert(this.clone()) {
            return;
        }
        let (mine, project) = (
            PanelRead {
                shared: Arc::clone(self),
                this,
            },
            project.clone(),
        );
        tokio::spawn(async move {
            let (shared, (site, issue)) = (&mine.shared, &mine.this);
            let refresh = Refresh {
                shared,
                of: (site, issue),
            };
            let work = Box::pin(refresh.all(&project));
            if let Some(Err(error)) = shared.stopping.run_until_cancelled(work).await {
                tracing::error!(%site, %issue, %error, "a panel was not read");
            }
        });
    }

    /// Waits until the panel of an issue is not being read, but not longer than `patience`.
    pub async fn panel_read(&self, site: &SiteName, issue: &IssueId, patience: Duration) {
        let waiting = async {
            loop {
                let ended = self.reads.ended.notified();
                if !self.reads.under_way(site, issue) {
                    return;
                }
                ended.await;
            }
        };
        let _ = tokio::time::timeout(patience, waiting).await;
    }
}

/// One refresh of a panel.
struct Refresh<'r> {
    shared: &'r Arc<Shared>,
    of: (&'r SiteName, &'r IssueId),
}

impl Refresh<'_> {
    async fn all(&self, project: &ProjectKey) -> Result<(), StoreError> {
        let (site, issue) = self.of;
        let registry = self.shared.registry();
        let Some(binding) = registry
            .binding(site, project)
            .filter(|one| one.panel.enabled)
        else {
            return Ok(());
        };
        let mut links = self.shared.store.live_links(site, issue).await?;
        links.truncate(CONVERSATIONS_MAX);
        let read = links
            .iter()
            .map(|(workspace, conversation)| self.conversation(workspace, conversation));
        let conversations = join_all(read);
        let names = self.names(&binding.workspace);
        let reporter = async {
            match binding.panel.contact_source {
                ContactSource::Reporter => self.reporter(&binding.workspace).await,
                ContactSource::Linked => Ok(()),
            }
        };
        let (seen, named, reporter) = tokio::join!(conversations, names, reporter);
        named?;
        reporter?;
        if binding.panel.contact_source == ContactSource::Reporter {
            return Ok(());
        }
        let mut contacts: Vec<(&WorkspaceName, String)> = Vec::new();
        for ((workspace, _), seen) in links.iter().zip(seen) {
            for contact in seen?.into_iter().flat_map(|seen| seen.contacts) {
                if !contacts.contains(&(workspace, contact.clone())) {
                    contacts.push((workspace, contact));
                }
            }
        }
        contacts.truncate(CONTACTS_MAX);
        let read = contacts
            .iter()
            .map(|(workspace, contact)| self.contact(workspace, contact));
        join_all(read).await.into_iter().collect()
    }

    async fn read<T: Serialize>(
        &self,
        thing: (&Connection, ReadingKind, &str),
        fresh_ms: i64,
        read: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<(), StoreError> {
        self.shared.read_thing(thing, fresh_ms, read).await
    }

    async fn known(
        &self,
        connection: &Connection,
        kind: ReadingKind,
        remote: &str,
    ) -> Result<Option<Reading>, StoreError> {
        self.shared.known_thing(connection, kind, remote).await
    }

    async fn conversation(
        &self,
        workspace: &WorkspaceName,
        conversation: &ConversationId,
    ) -> Result<Option<SeenConversation>, StoreError> {
        let connection = Connection::Workspace(workspace.clone());
        let (kind, remote) = (ReadingKind::Conversation, conversation.as_str());
        let read = async {
            let far = self.shared.far(workspace)?;
            let client = far.client.clone().with_deadline(CALL_DEADLINE);
            let call = client.conversation(remote);
            let found = self.shared.ask(&far.standing, call).await?;
            if found.merged_at().is_some() {
                self.lead_on(&far, &found, conversation).await;
            }
            Ok(SeenConversation::of(&found))
        };
        self.read((&connection, kind, remote), FRESH_MS, read)
            .await?;
        let known = self.known(&connection, kind, remote).await?;
        Ok(known.as_ref().and_then(body))
    }

    /// Has the link of a merged conversation led to the one that goes on, if that is certain.
    async fn lead_on(
        &self,
        far: &Workspace,
        found: &bowline_intercom::Conversation,
        conversation: &ConversationId,
    ) {
        let paced = Paced {
            shared: self.shared,
            priority: Priority::Bulk,
        };
        let Ok(Some(into)) = paced.went_on_in(far, found).await else {
            return;
        };
        let at = (&far.config.name, conversation);
        let name = format!("merged-seen-{conversation}-{into}-{}", self.of.1);
        let told = crate::planner::conversation_merged(self.shared, self.of, at, &into, name).await;
        if let Err(error) = told {
            tracing::error!(%conversation, %error, "a link could not be led on");
        }
    }

    async fn contact(&self, workspace: &WorkspaceName, contact: &str) -> Result<(), StoreError> {
        let connection = Connection::Workspace(workspace.clone());
        let read = async {
            let far = self.shared.far(workspace)?;
            let client = far.client.clone().with_deadline(CALL_DEADLINE);
            let mut id = contact.to_owned();
            let mut hops = 0;
            let profile = loop {
                match self.shared.ask(&far.standing, client.profile(&id)).await {
                    Ok(profile) => break profile,
                    Err(error) => match survivor(&error).filter(|_| hops < MERGED_HOPS_MAX) {
                        Some(next) => id = next,
                        None => return Err(error),
                    },
                }
                hops += 1;
            };
            let call = client.companies_behind(&profile.id);
            let companies = self.shared.ask(&far.standing, call).await?;
            Ok(SeenContact::of(profile, companies))
        };
        let thing = (&connection, ReadingKind::Contact, contact);
        self.read(thing, FRESH_MS, read).await
    }

    /// Who reported the issue, and which contacts have their e-mail address.
    async fn reporter(&self, workspace: &WorkspaceName) -> Result<(), StoreError> {
        let (site, issue) = self.of;
        let connection = Connection::Site(site.clone());
        let thing = (&connection, ReadingKind::Reporter, issue.as_str());
        let registry = self.shared.registry();
        let read = async {
            let found = registry.sites.get(site).ok_or_else(not_configured)?;
            let call = found.client.issue(issue.as_str(), IssueRead::default());
            let found = self.shared.ask(&found.standing, call).await?;
            let reporter = found.reporter;
            Ok(SeenReporter {
                name: reporter.as_ref().map(|person| person.name.clone()),
                email: reporter.and_then(|person| person.email),
            })
        };
        self.read(thing, FRESH_MS, read).await?;
        let known = self.known(&connection, thing.1, thing.2).await?;
        let seen: Option<SeenReporter> = known.as_ref().and_then(body);
        let Some(email) = seen.and_then(|seen| seen.email) else {
            return Ok(());
        };
        let email = email.to_lowercase();
        let connection = Connection::Workspace(workspace.clone());
        let read = async {
            let far = self.shared.far(workspace)?;
            let client = far.client.clone().with_deadline(CALL_DEADLINE);
            let call = client.profiles_by_email(&email);
            let found = self.shared.ask(&far.standing, call).await?;
            let ids: Vec<String> = found.into_iter().map(|profile| profile.id).collect();
            Ok(ids)
        };
        let thing = (&connection, ReadingKind::SameEmail, email.as_str());
        self.read(thing, FRESH_MS, read).await?;
        let known = self.known(&connection, thing.1, thing.2).await?;
        let mut ids: Vec<String> = known.as_ref().and_then(body).unwrap_or_default();
        ids.truncate(CONTACTS_MAX);
        let read = ids.iter().map(|id| self.contact(workspace, id));
        join_all(read).await.into_iter().collect()
    }

    /// What teammates and attributes are called.
    async fn names(&self, workspace: &WorkspaceName) -> Result<(), StoreError> {
        self.shared
            .read_teammates(workspace, NAMES_FRESH_MS)
            .await?;
        self.shared.read_attributes(workspace, NAMES_FRESH_MS).await
    }
}

impl Shared {
    /// Reads a thing unless it is fresh or somebody reads it already, and keeps what came of it.
    pub(super) async fn read_thing<T: Serialize>(
        &self,
        (connection, kind, remote): (&Connection, ReadingKind, &str),
        fresh_ms: i64,
        read: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<(), StoreError> {
        let (shared, reads) = (self, &self.reads);
        let thing = (connection.key(), kind, remote.to_owned());
        let Some(_mine) = ThingRead::begin(reads, thing) else {
            return Ok(());
        };
        let known = shared.known_thing(connection, kind, remote).await?;
        let began = shared.now();
        if known.is_some_and(|known| is_fresh(&known, began, fresh_ms)) {
            return Ok(());
        }
        // The semaphore lives as long as the engine and is never closed.
        let _room = reads.room.acquire().await;
        let tried = match read.await {
            Ok(value) => match serde_json::to_string(&value) {
                Ok(body) => Tried::Read(body),
                Err(error) => Tried::Failed(error.to_string()),
            },
            Err(error) => trouble(&error),
        };
        shared
            .store
            .put_reading(connection, kind, remote, tried, shared.now())
            .await
    }

    pub(super) async fn known_thing(
        &self,
        connection: &Connection,
        kind: ReadingKind,
        remote: &str,
    ) -> Result<Option<Reading>, StoreError> {
        let ids = [remote.to_owned()];
        let found = self.store.readings(connection, kind, &ids).await?;
        Ok(found.into_iter().next())
    }

    /// The workspace, if it may be asked now. A token whose workspace is not known is not used: it
    /// would find none of the conversations.
    pub(super) fn far(&self, workspace: &WorkspaceName) -> Result<Arc<Workspace>, ApiError> {
        let registry = self.registry();
        let far = registry.workspaces.get(workspace);
        let far = Arc::clone(far.ok_or_else(not_configured)?);
        if !far.standing.works() || !far.standing.proven() {
            let reason = far.standing.known().reason;
            let reason = reason.unwrap_or_else(|| "it was not reached yet".to_owned());
            return Err(ApiError::new(
                ErrorKind::Transient,
                "reaching Intercom",
                &reason,
            ));
        }
        Ok(far)
    }

    /// A read for somebody who looks, at the connection's pace.
    pub(crate) async fn ask<T>(
        &self,
        standing: &Standing,
        call: impl Future<Output = Result<bowline_net::Reply<T>, ApiError>>,
    ) -> Result<T, ApiError> {
        let paced = Paced {
            shared: self,
            priority: Priority::Interactive,
        };
        let answer = paced.call_soon(standing, TURN_PATIENCE, call).await;
        if let Err(error) = &answer {
            health::take_in(self, standing, error).await;
        }
        answer
    }
}

fn not_configured() -> ApiError {
    let words = "the connection is not configured any more";
    ApiError::new(ErrorKind::Config, "reaching the far side", words)
}

fn is_fresh(known: &Reading, now: Millis, fresh_ms: i64) -> bool {
    // What failed is tried again soon, whatever it is.
    let fresh_ms = if known.trouble.is_some() {
        fresh_ms.min(FRESH_MS)
    } else {
        fresh_ms
    };
    now.since(known.tried_at) < fresh_ms
}

/// The id of the contact that a merged one went into.
fn survivor(error: &ApiError) -> Option<String> {
    let path = error.canonical.as_deref()?;
    let id = path.strip_prefix("/contacts/")?;
    (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric())).then(|| id.to_owned())
}

/// What a failed read comes to, in words for people.
fn trouble(error: &ApiError) -> Tried {
    match error.kind {
        ErrorKind::NotFound | ErrorKind::Gone => Tried::Gone(format!(
            "Intercom has no such thing any more: it was deleted, or belongs to another workspace. \
             ({error})"
        )),
        ErrorKind::Permission | ErrorKind::PlanRestricted => Tried::Failed(format!(
            "Intercom does not let Bowline read it; an administrator of the workspace can. ({error})"
        )),
        _ => Tried::Failed(format!(
            "Intercom or Jira did not answer as needed. ({error})"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_survivor_of_a_merge_is_named_by_its_path_only() {
        let error = |path: &str| ApiError {
            canonical: Some(path.into()),
            ..ApiError::new(ErrorKind::Gone, "reading a contact", "")
        };
        assert_eq!(
            survivor(&error("/contacts/6762f0")).as_deref(),
            Some("6762f0")
        );
        for odd in [
            "/contacts/",
            "/contacts/../me",
            "/conversations/1",
            "6762f0",
        ] {
            assert_eq!(survivor(&error(odd)), None, "{odd}");
        }
    }

    #[test]
    fn what_failed_is_tried_again_soon() {
        let reading = |trouble: Option<&str>| Reading {
            remote: String::new(),
            body: None,
            read_at: None,
            tried_at: Millis(1_000),
            trouble: trouble.map(str::to_owned),
        };
        let later = Millis(1_000 + FRESH_MS);
        assert!(is_fresh(&reading(None), later, NAMES_FRESH_MS));
        assert!(!is_fresh(&reading(Some("away")), later, NAMES_FRESH_MS));
        assert!(!is_fresh(&reading(None), later, FRESH_MS));
    }
}
