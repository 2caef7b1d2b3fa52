//! Health of connections: breaking, probing, mending.

use std::sync::Arc;
use std::time::Duration;

use bowline_domain::connection::{Connection, Health};
use bowline_net::{ApiError, ErrorKind};
use bowline_store::model::ConnectionRecord;

use crate::backoff;
use crate::registry::{Known, Standing, Workspace};
use crate::shared::Shared;

/// The longest wait between probes of a connection that does not work, in milliseconds.
const PROBE_MS_MAX: i64 = 60_000;

/// How often a connection that works is probed, in milliseconds: a token that was revoked is
/// noticed although nothing is being sent.
const CHECKUP_MS: i64 = 5 * 60 * 1_000;

/// What an error says about the whole connection, if it says something.
fn verdict(error: &ApiError) -> Option<Health> {
    match error.kind {
        ErrorKind::Auth => Some(Health::Broken),
        ErrorKind::PlanRestricted => Some(Health::Limited),
        _ => None,
    }
}

/// Takes in an error of a remote call. Returns true if the connection does not work now, so that
/// what failed is to wait for it.
pub(crate) async fn take_in(shared: &Shared, standing: &Standing, error: &ApiError) -> bool {
    let worked = standing.works();
    let does_not_work = judge(shared, standing, error).await;
    if does_not_work && worked {
        shared.probe.notify_waiters();
    }
    does_not_work
}

/// The same without asking for a probe: a probe that fails must not call for the next one, which
/// would follow at once and go on for as long as the connection does not work.
async fn judge(shared: &Shared, standing: &Standing, error: &ApiError) -> bool {
    if error.kind == ErrorKind::RateLimited {
        standing.pace.refused(error.retry_after, shared.now());
    }
    let Some(health) = verdict(error) else {
        return false;
    };
    set(
        shared,
        standing,
        health,
        Some(words(&standing.connection, health, error)),
    )
    .await;
    true
}

fn words(connection: &Connection, health: Health, error: &ApiError) -> String {
    match (connection, health) {
        (Connection::Workspace(name), Health::Limited) => format!(
            "Intercom lets Bowline into the workspace “{name}” but not to its conversations: they \
             need a trial or subscription there. Notes wait until it is active. ({error})"
        ),
        (Connection::Workspace(name), _) => format!(
            "Intercom refuses the access token of the workspace “{name}”: it was revoked, its \
             teammate was removed, or the app was uninstalled. Notes wait. An administrator makes \
             a new token in Intercom's Developer Hub and enters it on the page Connections, or in \
             the configuration file. ({error})"
        ),
        (Connection::Account(name), _) => format!(
            "The messaging provider refuses the access key of the account “{name}”: it was revoked \
             or replaced. Messages to customers wait. An administrator makes a new key at the \
             provider and puts it into the configuration. ({error})"
        ),
        (Connection::Site(name), _) => format!(
            "Jira refuses the token of the site “{name}”: it expired or was revoked, or its \
             account was deactivated. Events wait. An administrator makes a new token and enters \
             it on the page Connections, or in the configuration file. ({error})"
        ),
    }
}

/// Changes the health of a connection, if it changes, and records it.
pub(crate) async fn set(
    shared: &Shared,
    standing: &Standing,
    health: Health,
    reason: Option<String>,
) {
    let now = shared.now();
    let changed = standing.change(|known| {
        let changed = known.health != health;
        if changed {
            known.since = now;
        }
        if health.works() && !known.health.works() {
            known.mended_at = Some(now);
        }
        let told = known.reason == reason;
        known.health = health;
        known.reason.clone_from(&reason);
        changed || !told
    });
    if !changed {
        return;
    }
    let connection = &standing.connection;
    if health.works() {
        tracing::info!(%connection, %health, "connection works");
    } else {
        let reason = reason.as_deref().unwrap_or_default();
        tracing::warn!(%connection, %health, reason, "connection does not work");
    }
    record(shared, standing).await;
}

async fn record(shared: &Shared, standing: &Standing) {
    let known = standing.known();
    let record = ConnectionRecord {
        connection: standing.connection.clone(),
        health: known.health,
        reason: known.reason,
        since: known.since,
        remote_id: known.remote_id,
        actor_id: known.actor_id,
        checked_at: Some(shared.now()),
        webhook_seen_at: known.webhook_seen_at,
    };
    if let Err(error) = shared.store.put_connection(record).await {
        tracing::error!(connection = %standing.connection, %error, "health was not recorded");
    }
}

/// Probes connections until the engine stops: all at the start, those that do not work again and
/// again, those that work now and then.
pub(crate) async fn probe_all(shared: Arc<Shared>) {
    let mut failures: i64 = 0;
    loop {
        let probe = shared.probe.notified();
        let registry = shared.registry();
        let mut all_work = true;
        for standing in registry.standings() {
            all_work &= probe_one(&shared, standing).await;
        }
        failures = if all_work {
            0
        } else {
            failures.saturating_add(1)
        };
        let wait_ms = if all_work {
            CHECKUP_MS
        } else {
            backoff::delay_ms(failures, shared.chance()).min(PROBE_MS_MAX)
        };
        let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(1_000));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = probe => {}
            () = shared.stopping.cancelled() => return,
        }
    }
}

/// What a probe learned: whom we reach there and as whom we act.
struct Found {
    remote_id: Option<String>,
    actor_id: Option<String>,
    actor_name: Option<String>,
    /// Why nothing can be written although the credential works.
    trouble: Option<String>,
}

async fn probe_one(shared: &Shared, standing: &Standing) -> bool {
    let credentials = standing.credentials();
    let found = match ask(shared, &standing.connection).await {
        Ok(found) => found,
        Err(error) => {
            if !judge(shared, standing, &error).await {
                tracing::warn!(connection = %standing.connection, %error, "probe failed");
            }
            return !matches!(error.kind, ErrorKind::Auth | ErrorKind::PlanRestricted)
                && standing.works()
                && standing.known().health == Health::Connected;
        }
    };
    let trouble = other_workspace(standing, &found).or_else(|| found.trouble.clone());
    if let Some(reason) = trouble {
        set(shared, standing, Health::Broken, Some(reason)).await;
        return false;
    }
    let (was, was_proven) = (standing.known(), standing.proven());
    standing.change(|known: &mut Known| {
        known.remote_id = found.remote_id.or(known.remote_id.take());
        known.actor_id = found.actor_id.or(known.actor_id.take());
        known.actor_name = found.actor_name.or(known.actor_name.take());
    });
    standing.prove(credentials);
    let learned = standing.known();
    set(shared, standing, Health::Connected, None).await;
    if was.remote_id != learned.remote_id || was.actor_id != learned.actor_id {
        record(shared, standing).await;
    }
    if was.health != Health::Connected || !was_proven {
        drain(shared, &standing.connection).await;
    }
    if was.remote_id.is_none() && learned.remote_id.is_some() {
        // Events of its projects may have waited to know the workspace's code.
        for site in shared.registry().sites_of(&standing.connection) {
            drain(shared, &site).await;
        }
    }
    true
}

/// Has what waits for a connection be worked now.
async fn drain(shared: &Shared, connection: &Connection) {
    match shared.store.hasten(connection, shared.now()).await {
        Ok(0) => {}
        Ok(lanes) => tracing::info!(%connection, lanes, "queue is drained"),
        Err(error) => tracing::error!(%error, "the queue could not be hastened"),
    }
}

async fn ask(shared: &Shared, connection: &Connection) -> Result<Found, ApiError> {
    let registry = shared.registry();
    match connection {
        Connection::Site(name) => {
            let Some(site) = registry.sites.get(name) else {
                return Ok(nobody());
            };
            let me = site.client.myself().await?.value;
            let remote_id = Some(site.browse_base());
            Ok(Found {
                remote_id,
                actor_id: Some(me.person.id),
                actor_name: Some(me.person.name),
                trouble: None,
            })
        }
        Connection::Workspace(name) => {
            let Some(workspace) = registry.workspaces.get(name) else {
                return Ok(nobody());
            };
            let reply = workspace.client.me().await?;
            workspace.standing.pace.learn(&reply.limits);
            let me = reply.value;
            // Nothing more is asked of a workspace that is not ours.
            let writer = if is_another(&workspace.standing, &me.workspace) {
                Writer::default()
            } else {
                writer(workspace, &me.admin_id).await?
            };
            let own = workspace.config.app_user.is_none().then_some(me.name);
            let actor_name = writer.name.or(own).filter(|name| !name.is_empty());
            Ok(Found {
                remote_id: Some(me.workspace),
                actor_name: actor_name.or_else(|| workspace.config.app_user.clone()),
                actor_id: Some(me.admin_id),
                trouble: writer.trouble,
            })
        }
        Connection::Account(name) => {
            let Some(account) = registry.accounts.get(name) else {
                return Ok(nobody());
            };
            let channel = registry
                .channel_of(name)
                .map(|channel| bowline_messagebird::ChannelId::new(channel.as_str()));
            let seen = account.provider.check(channel.as_ref()).await?;
            account.standing.pace.learn(&seen.limits);
            Ok(Found {
                remote_id: seen.value.name,
                actor_id: None,
                actor_name: None,
                trouble: None,
            })
        }
    }
}

/// The teammate as whom we write.
#[derive(Default)]
struct Writer {
    /// What they are called, as far as we may read it.
    name: Option<String>,
    /// Why nothing can be written although the token works.
    trouble: Option<String>,
}

impl Writer {
    fn hindered(trouble: String) -> Self {
        Self {
            name: None,
            trouble: Some(trouble),
        }
    }
}

/// As whom we write and whether anything keeps us from it, looked for at each probe: a teammate is
/// removed, a permission is taken away, and no webhook tells it.
async fn writer(workspace: &Workspace, owner: &str) -> Result<Writer, ApiError> {
    let actor = workspace.config.app_user.as_deref().unwrap_or(owner);
    let name = match workspace.client.admins().await {
        Ok(reply) => match reply.value.into_iter().find(|one| one.id == actor) {
            Some(teammate) => Some(teammate.name),
            None => return Ok(Writer::hindered(teammate_gone(actor, workspace))),
        },
        // Without the right to read teammates, writing shows whether there is such a teammate.
        Err(error) if error.kind == ErrorKind::Permission => None,
        Err(error) => return Err(error),
    };
    let trouble = cannot_write(workspace).await?;
    Ok(Writer { name, trouble })
}

async fn cannot_write(workspace: &Workspace) -> Result<Option<String>, ApiError> {
    let standing = &workspace.standing;
    match standing.known().health {
        // Whom a new token reaches is found out first, with as little as may be.
        Health::Unchecked => return Ok(None),
        Health::Connected if !standing.proven() => return Ok(None),
        _ => {}
    }
    match conversations_open(workspace).await {
        Err(error) if error.kind == ErrorKind::Permission => Ok(Some(format!(
            "Intercom does not let Bowline's app read the conversations of the workspace “{}”: a \
             permission was taken away. Notes wait. An Intercom administrator gives the app “Read \
             conversations” and “Write conversations” in the Developer Hub; Bowline notices by \
             itself. ({error})",
            workspace.config.name
        ))),
        other => other.map(|()| None),
    }
}

/// What to say of a teammate as whom we cannot write.
pub(crate) fn teammate_gone(actor: &str, workspace: &Workspace) -> String {
    format!(
        "The teammate {actor} as whom Bowline writes is not in the workspace “{}”. Notes wait. An \
         administrator chooses another teammate, best one of its own, on the page Connections, or \
         sets app_user in the configuration file.",
        workspace.config.name
    )
}

/// An id that no conversation has.
const NO_CONVERSATION: &str = "0";

/// `/me` answers on a workspace without subscription too. Whether conversations can be reached
/// shows in how one is refused that cannot exist.
async fn conversations_open(workspace: &Workspace) -> Result<(), ApiError> {
    match workspace.client.conversation(NO_CONVERSATION).await {
        Err(error) if error.kind != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn nobody() -> Found {
    Found {
        remote_id: None,
        actor_id: None,
        actor_name: None,
        trouble: None,
    }
}

/// Does a token reach another workspace than the one before?
fn is_another(standing: &Standing, code: &str) -> bool {
    let before = standing.known().remote_id;
    before.is_some_and(|before| before != code)
}

/// A token of another workspace than before is refused: the ids in the queue and in the links mean
/// other conversations there.
fn other_workspace(standing: &Standing, found: &Found) -> Option<String> {
    let Connection::Workspace(name) = &standing.connection else {
        return None;
    };
    let before = standing.known().remote_id?;
    let now = found.remote_id.as_ref()?;
    is_another(standing, now).then(|| {
        format!(
            "The access token of “{name}” belongs to the Intercom workspace {now}, but links and \
             waiting notes are those of the workspace {before}. Use a token of {before}, or \
             configure {now} as a workspace of its own under another name."
        )
    })
}
