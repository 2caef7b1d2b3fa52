//! The courier: takes effects, makes them happen once, and records every attempt.
//!
//! An effect is marked `attempting` before it gets here. If the process dies, it is found so and
//! taken for doubtful: the far side is looked at before anything is sent again.

mod ahead;
mod calls;
mod counted;
mod feedback;
mod merged;
mod note;
mod record;
mod reopen;
mod reply;
mod shown;
mod snooze_again;
mod talk;
mod tally;

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use bowline_domain::effect::{Act, Effect};
use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_domain::time::Millis;
use bowline_intercom::Conversation;
use bowline_jira::ISSUE_WRITTEN_TOO_OFTEN;
use bowline_net::{ApiError, ErrorKind, Reply};
use bowline_store::StoreError;
use bowline_store::model::{Ending, Settlement, TakenEffect};
use futures_util::FutureExt as _;

use crate::backoff;
use crate::health;
use crate::pace::Priority;
use crate::paced::Paced;
use crate::registry::{Standing, Workspace};
use crate::shared::Shared;
pub(crate) use ahead::Ahead;
pub(crate) use feedback::TICKET_PROPERTY;
use shown::Shown;

/// The wait before the far side is looked at after an attempt whose outcome is unknown, in
/// milliseconds: what was accepted shows by then.
const LOOK_AFTER_MS: i64 = 1_000;

/// Attempts after which something that the far side refuses as invalid is given up.
const REFUSALS_MAX: i64 = 5;

/// The wait when one issue was written to too often and Jira does not say for how long, in
/// milliseconds: the shorter of its two windows.
const ISSUE_WRITES_WAIT_MS: i64 = 2_000;

/// The wait when an administrator has to change something, in milliseconds.
const MENDING_WAIT_MS: i64 = 5 * 60 * 1_000;

/// The wait for a connection that was not probed yet, in milliseconds.
const PROBE_WAIT_MS: i64 = 500;

/// Works a lane of effects until it is empty, must wait, or was taken over. `ahead`: what is being read
/// for the first of them.
pub(crate) async fn work(
    shared: Arc<Shared>,
    first: TakenEffect,
    ahead: Option<Ahead>,
    priority: Priority,
) {
    let shown = Shown::default();
    let mut current = one(&shared, first, ahead, priority, &shown).await;
    while let Some(taken) = current {
        current = one(&shared, taken, None, priority, &shown).await;
    }
}

async fn one(
    shared: &Arc<Shared>,
    taken: TakenEffect,
    ahead: Option<Ahead>,
    priority: Priority,
    shown: &Shown,
) -> Option<TakenEffect> {
    let started_at = shared.now();
    let settings = shared.registry();
    if !matches!(taken.effect.act, Act::Note { .. }) {
        // It changes the conversation, so what was shown before does not hold behind it.
        shown.forget();
    }
    let courier = Courier {
        shared,
        taken: &taken,
        priority,
        shown,
        ahead: Mutex::new(ahead),
    };
    let attempt = AssertUnwindSafe(Box::pin(courier.attempt())).catch_unwind();
    let (attempted, seen) = bowline_net::witness::witnessed(attempt).await;
    let secrets = calls::Secrets::of(&seen);
    let ending = match attempted {
        // What the far side said may hold what it was sent.
        Ok(ending) => ending.in_words(|words| secrets.out_of(words)),
        Err(_) => courier.later(
            MENDING_WAIT_MS,
            true,
            "Bowline failed while making this effect; that is a fault of Bowline's.".to_owned(),
        ),
    };
    let ending = if Arc::ptr_eq(&settings, &shared.registry()) {
        ending
    } else {
        sooner(ending, shared.now())
    };
    report(&taken, &ending);
    let done = matches!(ending, Ending::Confirmed { .. });
    let settlement = Settlement {
        effect: taken.id,
        lease: taken.lease.clone(),
        ending,
        started_at,
        ended_at: shared.now(),
        calls: calls::kept(&seen, done, &secrets),
        go_on: !shared.stopping.is_cancelled(),
    };
    let settled = shared.store.settle(settlement).await;
    counted::tell_afterwards(shared, &taken.effect).await;
    match settled {
        Ok(next) => next,
        Err(error) => {
            // The effect stays `attempting`; when the lane's lease runs out it is doubtful, and
            // the far side is looked at.
            tracing::error!(effect.id = %taken.id, %error, "an attempt was not recorded");
            None
        }
    }
}

/// What waits for an administrator is tried again at once if what is configured changed during the
/// attempt: it may be mended since.
fn sooner(ending: Ending, now: Millis) -> Ending {
    match ending {
        Ending::Later {
            due_at,
            doubtful: false,
            reason,
        } if due_at.since(now) > MENDING_WAIT_MS / 2 => Ending::Later {
            due_at: now,
            doubtful: false,
            reason,
        },
        other => other,
    }
}

fn report(taken: &TakenEffect, ending: &Ending) {
    let (kind, state) = (taken.effect.act.kind(), ending.state().as_str());
    metrics::counter!("bowline_attempts_total", "kind" => kind, "outcome" => state).increment(1);
    match ending {
        Ending::Confirmed { remote_id, .. } => tracing::info!(event.id = %taken.event,
            effect.id = %taken.id, effect.kind = kind, lane = %taken.lease.lane,
            remote.id = remote_id.as_deref().unwrap_or_default(), "effect confirmed"),
        Ending::Dropped { reason } => tracing::info!(event.id = %taken.event,
            effect.id = %taken.id, effect.kind = kind, reason, "effect dropped"),
        Ending::NotYet { due_at } => tracing::debug!(effect.id = %taken.id, effect.kind = kind,
            due.at = due_at.0, "effect waits for more"),
        Ending::Rejected { reason } | Ending::Held { reason } | Ending::Later { reason, .. } => {
            tracing::warn!(event.id = %taken.event, effect.id = %taken.id, effect.kind = kind,
                state, attempts = taken.attempts, reason, "effect not made");
        }
    }
}

/// One attempt.
struct Courier<'t> {
    shared: &'t Arc<Shared>,
    taken: &'t TakenEffect,
    priority: Priority,
    shown: &'t Shown,
    ahead: Mutex<Option<Ahead>>,
}

impl Courier<'_> {
    async fn attempt(&self) -> Ending {
        match self.try_attempt().await {
            Ok(ending) => ending,
            Err(stop) => stop.0,
        }
    }

    async fn try_attempt(&self) -> Result<Ending, Stop> {
        let effect = &self.taken.effect;
        match &effect.act {
            Act::Note {
                workspace,
                conversation,
                audience,
                html,
                wake_snoozed,
                due_at,
            } => {
                let note = note::Note {
                    audience: *audience,
                    html,
                    due_at: *due_at,
                    wake_snoozed: *wake_snoozed,
                };
                note.make(self, workspace, conversation).await
            }
            Act::Reply {
                workspace,
                conversation,
                audience,
                html,
            } => {
                let far = self.far(workspace, conversation).await?;
                reply::reply(self, &far, *audience, html).await
            }
            Act::Reopen {
                workspace,
                conversation,
                unassign,
            } => {
                let (far, before) = self.far_as_it_is(workspace, conversation).await?;
                reopen::reopen(self, &far, before, *unassign).await
            }
            Act::SnoozeAgain {
                workspace,
                conversation,
                until_unix_s,
            } => {
                let (far, before) = self.far_as_it_is(workspace, conversation).await?;
                snooze_again::snooze_again(self, &far, &before, *until_unix_s).await
            }
            Act::Record => record::record(self).await,
            Act::Tally => tally::tally(self).await,
            Act::Talk(act) => talk::make(self, act).await,
            Act::Feedback(act) => feedback::make(self, act).await,
        }
    }

    fn effect(&self) -> &Effect {
        &self.taken.effect
    }

    fn now(&self) -> Millis {
        self.shared.now()
    }

    fn later(&self, wait_ms: i64, doubtful: bool, reason: String) -> Ending {
        Ending::Later {
            due_at: self.now().plus_ms(wait_ms),
            doubtful,
            reason,
        }
    }

    /// The conversation that the effect writes to, if it may be written to now.
    async fn far<'c>(
        &self,
        workspace: &WorkspaceName,
        conversation: &'c ConversationId,
    ) -> Result<Far<'c>, Stop> {
        let found = self.working(workspace)?;
        self.entered(found, conversation).await
    }

    /// The same, and the conversation, which is read while what is stored is asked: a customer waits
    /// for the slower of the two and not for both. If the link has ended the reading was for nothing.
    async fn far_as_it_is<'c>(
        &self,
        workspace: &WorkspaceName,
        conversation: &'c ConversationId,
    ) -> Result<(Far<'c>, Conversation), Stop> {
        let found = self.working(workspace)?;
        if let Some(read) = self.was_read_ahead(&found).await {
            // The decision that it is made for was made on a live link a moment ago. What the breaker
            // does not know yet it is told afterwards.
            let far = self.reached(found, conversation)?;
            self.breaker((workspace, conversation))?;
            let before = self.was_read(&far, read).await?;
            self.follow(&far, &before).await?;
            return Ok((far, before));
        }
        let standing = Arc::clone(&found.standing);
        if !standing.proven() {
            let far = self.entered(found, conversation).await?;
            let before = self.read(&far).await?;
            return Ok((far, before));
        }
        let workspace = Arc::clone(&found);
        let reading = workspace.client.conversation(conversation.as_str());
        // First the call, which is then under way while the database is asked: whoever writes it out is
        // let go on before.
        let (read, far) = tokio::join!(self.call(&standing, reading), async {
            tokio::task::yield_now().await;
            self.entered(found, conversation).await
        });
        let far = far?;
        let before = self.was_read(&far, read).await?;
        self.follow(&far, &before).await?;
        Ok((far, before))
    }

    async fn was_read_ahead(
        &self,
        found: &Arc<Workspace>,
    ) -> Option<Result<Conversation, ApiError>> {
        let ahead = self
            .ahead
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        ahead.read(self.now(), found).await
    }

    /// The workspace, if its connection works.
    fn working(&self, workspace: &WorkspaceName) -> Result<Arc<Workspace>, Stop> {
        let doubtful = self.taken.doubtful;
        let registry = self.shared.registry();
        let Some(found) = registry.workspaces.get(workspace) else {
            let reason = format!(
                "The workspace “{workspace}” is not configured any more. The effect waits; \
                 configure the workspace again to have it made."
            );
            return Err(Stop(self.later(MENDING_WAIT_MS, doubtful, reason)));
        };
        if !found.standing.works() {
            let reason = found.standing.known().reason.unwrap_or_default();
            return Err(Stop(self.later(0, doubtful, reason)));
        }
        Ok(Arc::clone(found))
    }

    /// The conversation, if what is stored lets it be written to now.
    async fn entered<'c>(
        &self,
        found: Arc<Workspace>,
        conversation: &'c ConversationId,
    ) -> Result<Far<'c>, Stop> {
        let workspace = &found.config.name;
        let live = self.link_is_live((workspace, conversation)).await;
        let live = live.map_err(|error| self.store_failed(&error))?;
        let survivor = if live {
            None
        } else {
            Some(self.survivor(workspace, conversation).await?)
        };
        let far = self.reached(found, conversation)?;
        if let Some(into) = survivor {
            return Err(self.hand_on(&far, &into).await);
        }
        self.breaker((&far.workspace.config.name, conversation))?;
        Ok(far)
    }

    /// The conversation, if its workspace may be written to with the present credentials.
    fn reached<'c>(
        &self,
        found: Arc<Workspace>,
        conversation: &'c ConversationId,
    ) -> Result<Far<'c>, Stop> {
        let standing = Arc::clone(&found.standing);
        let Some(actor) = found.actor().filter(|_| standing.proven()) else {
            self.shared.probe.notify_waiters();
            let reason = "The workspace was not reached yet.".to_owned();
            return Err(Stop(self.later(PROBE_WAIT_MS, self.taken.doubtful, reason)));
        };
        Ok(Far {
            workspace: found,
            standing,
            actor,
            conversation,
        })
    }

    fn store_failed(&self, error: &StoreError) -> Stop {
        Stop(self.later(LOOK_AFTER_MS, self.taken.doubtful, error.to_string()))
    }

    /// Makes a call at the connection's pace and takes in what the answer says of it.
    async fn call<T>(
        &self,
        standing: &Standing,
        call: impl Future<Output = Result<Reply<T>, ApiError>>,
    ) -> Result<T, ApiError> {
        self.paced().call(standing, call).await
    }

    fn paced(&self) -> Paced<'_> {
        Paced {
            shared: self.shared,
            priority: self.priority,
        }
    }

    /// Reads the conversation, which may have been merged into another one: then the link is led
    /// there first.
    async fn read(&self, far: &Far<'_>) -> Result<Conversation, Stop> {
        let conversation = self.read_as_it_is(far).await?;
        self.follow(far, &conversation).await?;
        Ok(conversation)
    }

    async fn read_as_it_is(&self, far: &Far<'_>) -> Result<Conversation, Stop> {
        let read = far.workspace.client.conversation(far.conversation.as_str());
        let read = self.call(&far.standing, read).await;
        self.was_read(far, read).await
    }

    /// What came of reading the conversation.
    async fn was_read(
        &self,
        far: &Far<'_>,
        read: Result<Conversation, ApiError>,
    ) -> Result<Conversation, Stop> {
        match read {
            Ok(conversation) => Ok(conversation),
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => {
                Err(self.gone(far, &error).await)
            }
            Err(error) => Err(self
                .remote_failed(&far.standing, &error, self.taken.doubtful)
                .await),
        }
    }

    /// What a failed write to a conversation means for the effect. `doubtful`: may the effect have
    /// happened, for all we know apart from this call?
    async fn failed(&self, far: &Far<'_>, error: ApiError, doubtful: bool) -> Stop {
        let refused = matches!(
            error.kind,
            ErrorKind::NotFound
                | ErrorKind::Gone
                | ErrorKind::Data
                | ErrorKind::Permission
                | ErrorKind::Config
        );
        if !refused {
            return self.remote_failed(&far.standing, &error, doubtful).await;
        }
        // A refusal may be about the conversation or about the teammate as whom we write; the same
        // status stands for both. Which of them is there is asked.
        if let Some(reason) = self.app_user_gone(far).await {
            let health = bowline_domain::connection::Health::Broken;
            health::set(self.shared, &far.standing, health, Some(reason.clone())).await;
            self.shared.probe.notify_waiters();
            return Stop(self.later(0, doubtful, reason));
        }
        if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) {
            if let Err(stop) = self.read(far).await {
                return stop;
            }
            let again = backoff::delay_ms(self.taken.attempts, self.shared.chance());
            return Stop(self.later(again, doubtful, error.to_string()));
        }
        self.remote_failed(&far.standing, &error, doubtful).await
    }

    /// The conversation is not there: its link ends, and the effect with it.
    async fn gone(&self, far: &Far<'_>, error: &ApiError) -> Stop {
        if let Some(into) = merged::named_by(error) {
            return self.lead_on(far, &into).await;
        }
        self.conversation_gone(far).await;
        let reason = format!("The conversation is no more. ({error})");
        Stop(Ending::Rejected { reason })
    }

    /// What a failed call means for the effect, by the kind of the failure.
    async fn remote_failed(&self, standing: &Standing, error: &ApiError, doubtful: bool) -> Stop {
        let reason = error.to_string();
        if error.code.as_deref() == Some(ISSUE_WRITTEN_TOO_OFTEN) {
            // Of this issue only: the lane waits, not the site.
            let wait_ms = error.retry_after.map_or(ISSUE_WRITES_WAIT_MS, |wait| {
                i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
            });
            return Stop(self.later(wait_ms, doubtful, reason));
        }
        if health::take_in(self.shared, standing, error).await {
            return Stop(self.later(0, doubtful, reason));
        }
        let again = backoff::delay_ms(self.taken.attempts, self.shared.chance());
        Stop(match error.kind {
            ErrorKind::UnknownOutcome => self.later(LOOK_AFTER_MS, true, reason),
            // The pace of the connection makes it wait, not the lane.
            ErrorKind::RateLimited => self.later(0, doubtful, reason),
            ErrorKind::Permission | ErrorKind::Config => {
                self.later(MENDING_WAIT_MS, doubtful, reason)
            }
            ErrorKind::Data if self.taken.attempts >= REFUSALS_MAX => Ending::Rejected { reason },
            ErrorKind::NotFound | ErrorKind::Gone => Ending::Rejected { reason },
            _ => self.later(again, doubtful, reason),
        })
    }

    /// The far side says that there is no such conversation: ends its link, in the issue's lane.
    async fn conversation_gone(&self, far: &Far<'_>) {
        let effect = self.effect();
        let name = format!("gone-{}", self.taken.id);
        let told = crate::planner::conversation_gone(
            self.shared,
            (&effect.site, &effect.issue),
            (&far.workspace.config.name, far.conversation),
            name,
        );
        if let Err(error) = told.await {
            tracing::error!(effect.id = %self.taken.id, %error, "a link could not be ended");
        }
    }

    /// Is the teammate as whom we write gone? Asked when Intercom refuses what was always fine.
    async fn app_user_gone(&self, far: &Far<'_>) -> Option<String> {
        let teammates = self
            .call(&far.standing, far.workspace.client.admins())
            .await
            .ok()?;
        if teammates.iter().any(|teammate| teammate.id == far.actor) {
            return None;
        }
        Some(health::teammate_gone(&far.actor, &far.workspace))
    }
}

/// The attempt ends here.
struct Stop(Ending);

/// Where a conversation effect goes.
struct Far<'c> {
    workspace: Arc<Workspace>,
    standing: Arc<Standing>,
    actor: String,
    conversation: &'c ConversationId,
}
