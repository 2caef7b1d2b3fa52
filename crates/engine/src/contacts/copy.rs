//! One run: all companies, then all contacts page by page; or what changed lately.
//!
//! The far side's pages come one after the other, because each names the next. So the next one is
//! asked for as soon as that name is known; reading what stands on a page, and committing it, go on
//! meanwhile. Pages that come while one waits are committed together.

use std::sync::Arc;
use std::time::Duration;

use bowline_domain::contacts::sweep::asked_after;
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;
use bowline_net::{ApiError, ErrorKind};
use bowline_store::StoreError;
use bowline_store::contacts::{Pages, Phase, Run, RunKind, RunState};
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::pages::{Far, List, gather};
use super::{call, company};
use crate::backoff;
use crate::health;
use crate::pace::Priority;
use crate::registry::Workspace;
use crate::shared::Shared;

/// How long a run is held by who works it, in milliseconds. Longer than any call may take.
const HELD_MS: i64 = 60_000;

/// The longest wait before a run says again that it is held, in milliseconds.
const WAIT_MS_MAX: i64 = 20_000;

/// Pages that wait to be read, so that the memory stays flat.
const PAGES_AHEAD: usize = 8;

/// Pages that were read and wait for the database: what comes while it commits.
const PAGES_READ: usize = 16;

/// How often a list may begin again without coming further before a person has to look.
const RESTARTS_MAX: u32 = 5;

/// Why a stretch of a run ended before its end.
pub(super) enum Halt {
    /// Somebody else works it, or it was stopped.
    Fenced,
    /// The database.
    Store(StoreError),
    /// The far side; `cursor`: it was asked to go on in a list.
    Remote { error: ApiError, cursor: bool },
    /// It cannot go on, in words.
    Hopeless(String),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Fenced { .. } => Self::Fenced,
            error => Self::Store(error),
        }
    }
}

/// Works the run of a workspace that is under way, if nobody else does.
pub(super) async fn work(shared: &Arc<Shared>, name: &WorkspaceName) {
    let now = shared.now();
    let claimed = match shared.store.runs(name, 1).await {
        Ok(runs) => match runs.first() {
            Some(run) if run.state == RunState::Running => {
                let until = now.plus_ms(HELD_MS);
                shared.store.claim_run(run.id, now, until).await
            }
            _ => return,
        },
        Err(error) => Err(error),
    };
    match claimed {
        Ok(Some(run)) => {
            let id = run.id;
            tracing::info!(workspace = %name, run = %id, kind = run.kind.as_str(),
                position = run.position, "copying contacts");
            let mut worker = Worker {
                shared,
                name,
                run,
                failures: 0,
                restarts: 0,
            };
            worker.go().await;
        }
        Ok(None) => {}
        Err(error) => tracing::error!(workspace = %name, %error, "a run could not be taken"),
    }
}

pub(super) struct Worker<'w> {
    pub(super) shared: &'w Arc<Shared>,
    pub(super) name: &'w WorkspaceName,
    /// The run as it was committed last.
    pub(super) run: Run,
    /// Failures in a row without coming further.
    pub(super) failures: i64,
    /// Beginnings of the list in a row without coming further.
    restarts: u32,
}

impl Worker<'_> {
    pub(super) fn until(&self) -> Millis {
        self.shared.now().plus_ms(HELD_MS)
    }

    async fn go(&mut self) {
        loop {
            let ended = match self.stretch().await {
                Ok(theirs) => self.end(RunState::Done, theirs, None).await,
                Err(halt) => match self.halted(halt).await {
                    Ok(true) => continue,
                    Ok(false) => return,
                    Err(why) => self.end(RunState::Failed, None, Some(why)).await,
                },
            };
            if let Err(error) = ended {
                tracing::warn!(workspace = %self.name, %error, "the end of a run was not kept");
            }
            // What it left may be a reason for another one: it is looked for at once.
            self.shared.contacts_switched.notify_waiters();
            return;
        }
    }

    async fn end(
        &self,
        state: RunState,
        theirs: Option<i64>,
        why: Option<String>,
    ) -> Result<(), StoreError> {
        tracing::info!(workspace = %self.name, run = %self.run.id, state = state.as_str(),
            why = why.as_deref().unwrap_or_default(), "copying contacts ended");
        let now = self.shared.now();
        self.shared
            .store
            .end_run(self.run.id, (state, why), theirs, now)
            .await
    }

    /// What is done about the end of a stretch: true to go on, false to leave it, words to give up.
    async fn halted(&mut self, halt: Halt) -> Result<bool, String> {
        let why = match halt {
            Halt::Fenced => return Ok(false),
            Halt::Hopeless(why) => return Err(why),
            Halt::Store(error) => error.to_string(),
            Halt::Remote { error, cursor } => {
                if cursor && matches!(error.kind, ErrorKind::Data | ErrorKind::NotFound) {
                    return self.begin_again(&error).await;
                }
                if error.kind == ErrorKind::Permission {
                    return Err(format!(
                        "Intercom does not let Bowline read contacts and companies. In Intercom's \
                         Developer Hub the app needs the permissions “Read and list users and \
                         companies” and “Read one user and one company”. ({error})"
                    ));
                }
                let registry = self.shared.registry();
                if let Some(workspace) = registry.workspaces.get(self.name) {
                    health::take_in(self.shared, &workspace.standing, &error).await;
                }
                error.to_string()
            }
        };
        self.failures += 1;
        let delay = backoff::delay_ms(self.failures, self.shared.chance()).min(WAIT_MS_MAX);
        tracing::warn!(workspace = %self.name, why, "copying contacts waits");
        let kept = self
            .shared
            .store
            .run_waits(self.run.id, Some(why), self.until())
            .await;
        if matches!(kept, Err(StoreError::Fenced { .. })) {
            return Ok(false);
        }
        let wait = u64::try_from(delay).unwrap_or(1_000);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        Ok(true)
    }

    /// The place in the list is not good any more: it begins again. What was taken in is known.
    async fn begin_again(&mut self, error: &ApiError) -> Result<bool, String> {
        self.restarts += 1;
        if self.restarts > RESTARTS_MAX {
            return Err(format!(
                "Intercom refuses to go on in its list of contacts, however often it is begun \
                 again. ({error})"
            ));
        }
        let kept = self
            .shared
            .store
            .restart_run(self.run.id, self.shared.now(), self.until())
            .await;
        self.run.cursor = None;
        match kept {
            Ok(()) => Ok(true),
            Err(StoreError::Fenced { .. }) => Ok(false),
            Err(error) => {
                tracing::error!(workspace = %self.name, %error, "a list was not begun again");
                Ok(true)
            }
        }
    }

    /// Goes on until the end or until something is in the way. Answers how many contacts Intercom
    /// has.
    async fn stretch(&mut self) -> Result<Option<i64>, Halt> {
        let registry = self.shared.registry();
        let Some(workspace) = registry.workspaces.get(self.name) else {
            return Err(Halt::Hopeless(
                "The workspace is not configured any more.".to_owned(),
            ));
        };
        if !workspace.standing.works() || !workspace.standing.proven() {
            return Err(Halt::Remote {
                error: ApiError::new(
                    ErrorKind::Transient,
                    "copying contacts",
                    "the connection to Intercom does not work at the moment",
                ),
                cursor: false,
            });
        }
        if self.run.phase == Phase::Companies {
            self.companies(workspace).await?;
        }
        if self.run.phase == Phase::Contacts {
            self.contacts(workspace).await?;
        }
        if self.run.phase == Phase::Comparing {
            self.ask_for_unmet(workspace).await?;
        }
        self.theirs(workspace).await
    }

    async fn theirs(&mut self, workspace: &Arc<Workspace>) -> Result<Option<i64>, Halt> {
        if self.run.kind == RunKind::Copy {
            return Ok(self.run.total);
        }
        // Also after mending: that goes through the list slowly, and meanwhile its length changes.
        let asked = workspace.client.contacts(None, 1);
        let page = self.call(workspace, asked).await?;
        Ok(page.total)
    }

    pub(super) async fn call<T>(
        &self,
        workspace: &Workspace,
        asked: impl Future<Output = Result<bowline_net::Reply<T>, ApiError>>,
    ) -> Result<T, Halt> {
        call(self.shared, workspace, Priority::Bulk, asked)
            .await
            .map_err(|error| Halt::Remote {
                error,
                cursor: false,
            })
    }

    /// All companies. A scroll cannot be gone on with after a stop, so it begins again then.
    async fn companies(&mut self, workspace: &Arc<Workspace>) -> Result<(), Halt> {
        let mut scroll: Option<String> = None;
        loop {
            let asked = workspace.client.companies(scroll.as_deref());
            let page = self.call(workspace, asked).await?;
            let end = page.next.is_none();
            let pages = Pages {
                companies: page.companies.iter().map(company).collect(),
                requests: 1,
                phase: end.then_some(Phase::Contacts),
                ..Pages::default()
            };
            self.commit(pages).await?;
            scroll = page.next;
            if end {
                self.run.phase = Phase::Contacts;
                return Ok(());
            }
        }
    }

    async fn commit(&mut self, pages: Pages) -> Result<(), Halt> {
        let (cursor, total) = (pages.cursor.clone(), pages.total);
        let now = self.shared.now();
        self.shared
            .store
            .take_pages((self.run.id, self.name), pages, (now, self.until()))
            .await?;
        self.run.cursor = cursor;
        self.run.total = total.or(self.run.total);
        (self.failures, self.restarts) = (0, 0);
        Ok(())
    }

    /// Which list is gone through.
    async fn list(&self, workspace: &Workspace) -> Result<List, Halt> {
        match self.run.kind {
            RunKind::Copy => return Ok(List::All),
            RunKind::Mend => return Ok(List::Met),
            RunKind::Sweep => {}
        }
        let me = self.call(workspace, workspace.client.me()).await?;
        let zone = me.timezone.and_then(|name| TimeZone::get(&name).ok());
        // The day of the run, so that the pages of one search belong together.
        let after = asked_after(self.run.began_at, &zone.unwrap_or(TimeZone::UTC));
        Ok(List::ChangedAfter(after))
    }

    async fn contacts(&mut self, workspace: &Arc<Workspace>) -> Result<(), Halt> {
        let list = self.list(workspace).await?;
        let shared = Arc::clone(self.shared);
        let (found, to_read) = mpsc::channel(PAGES_AHEAD);
        let (ready, mut to_commit) = mpsc::channel(PAGES_READ);
        let far = Far {
            shared: Arc::clone(self.shared),
            workspace: Arc::clone(workspace),
            list,
        };
        let finder = far.clone();
        let cursor = self.run.cursor.clone();
        let _finding = AbortOnDropHandle::new(tokio::spawn(finder.find(cursor, found)));
        let _reading = AbortOnDropHandle::new(tokio::spawn(far.read(to_read, ready)));
        // The first page is kept at once: however soon a process is stopped, the next one is further.
        let mut begun = false;
        loop {
            // Both others end by saying why, or with the last page.
            let Some(first) = to_commit.recv().await else {
                return Err(Halt::Store(StoreError::Closed));
            };
            let (batch, halt) = if begun {
                gather(first?, &mut to_commit).await
            } else {
                (first?, None)
            };
            let last = batch.last;
            let (committed, ()) = tokio::join!(self.commit(batch.pages), merge_words(&shared));
            if last || halt.is_some() || committed.is_err() {
                merge_words(&shared).await;
            }
            committed?;
            begun = true;
            if let Some(halt) = halt {
                return Err(halt);
            }
            if last {
                self.run.phase = list.phase_after();
                return Ok(());
            }
        }
    }
}

/// Puts words of pages that were committed into their index, while others are. What is left of it
/// makes searches slower until it is done, and nothing else.
async fn merge_words(shared: &Shared) {
    if let Err(error) = shared.store.merge_words().await {
        tracing::warn!(%error, "words of contacts were not put into their index yet");
    }
}
