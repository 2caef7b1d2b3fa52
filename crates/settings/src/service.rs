//! Reading what is kept, putting it together with what is declared, and having the engine take it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use bowline_access::{Access, AccessError, ChangeRefusal, Fault, What, Who};
use bowline_domain::connection::Connection;
use bowline_domain::ids::{ProjectKey, SiteName, WorkspaceName};
use bowline_domain::messaging::ids::{AccountName, DeskName};
use bowline_domain::time::Millis;
use bowline_engine::shared::Shared;
use bowline_engine::{EngineConfig, SiteConfig, WorkspaceConfig};
use bowline_net::{Guard, Range, Transport};
use bowline_store::settings::{SettingChange, SettingRow, Stored};
use bowline_store::{Store, StoreError};
use secrecy::SecretString;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::alert::AlertMail;
use crate::check::Finding;
use crate::merge::{Merged, merge};
use crate::stored::{Kept, Kind, SiteSecrets, Versioned, WorkspaceSecrets};
use crate::stored_desk::{AccountSecrets, StoredDesk};
use crate::vault::{Sealed, Vault, VaultError};

/// How often it is looked whether another process changed something.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What the file declares.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// Connections and bindings.
    pub config: EngineConfig,
    /// Addresses that are not public and may be called all the same.
    pub allowed: Vec<Range>,
    /// Where people are told that a connection broke.
    pub alert_url: Option<Url>,
    /// By which server letters about it go, and to whom.
    pub alert_mail: Option<AlertMail>,
    /// The days on which tokens of declared sites end, as `2027-01-31`.
    pub token_ends: Vec<(SiteName, String)>,
    /// The provider that people sign in with.
    pub sign_in_url: Option<Url>,
}

/// What the service is made of.
pub struct Setup {
    /// The durable state.
    pub store: Store,
    /// Accounts, the clock, the audit log.
    pub access: Access,
    /// The way out, guarded by `guard`.
    pub transport: Arc<dyn Transport>,
    /// Which addresses may be called.
    pub guard: Guard,
    /// Seals secrets.
    pub vault: Vault,
    /// The address under which Jira and Intercom reach us.
    pub public_url: Url,
    /// Where tokens with scopes are used: Atlassian's gateway.
    pub gateway: Url,
    /// What the file declares.
    pub declared: Declared,
    /// Certificate authorities that are trusted beside the system's (PEM).
    pub authorities_pem: Vec<u8>,
}

/// What is configured. Cheap to clone.
#[derive(Clone)]
pub struct Settings {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) access: Access,
    pub(crate) transport: Arc<dyn Transport>,
    guard: Guard,
    pub(crate) vault: Vault,
    pub(crate) public_url: Url,
    pub(crate) gateway: Url,
    declared: RwLock<Declared>,
    now: RwLock<Arc<Present>>,
    /// One takes over at a time, so that the newer configuration is not followed by an older one.
    taking_over: tokio::sync::Mutex<()>,
    engine: OnceLock<Arc<Shared>>,
    pub(crate) stopping: CancellationToken,
    pub(crate) authorities_pem: Vec<u8>,
    /// There may be something to tell people.
    pub(crate) alert_soon: Arc<Notify>,
    /// The task that tells it.
    telling: Mutex<Option<JoinHandle<()>>>,
    /// What the last tests found, by connection.
    pub(crate) found: Mutex<HashMap<Connection, Tested>>,
    /// What was last known of what may be done in the joined projects.
    pub(crate) access_known: Mutex<crate::project_access::Known>,
}

/// What tests of a connection found.
#[derive(Clone)]
pub(crate) struct Tested {
    pub(crate) at: Millis,
    /// The count of changes when they began: what an older configuration led to does not take the
    /// place of what a newer one did.
    pub(crate) changes: i64,
    pub(crate) findings: Vec<Finding>,
}

/// What is kept and what it means, as it was last read.
pub(crate) struct Present {
    pub(crate) changes: i64,
    pub(crate) kept: Kept,
    pub(crate) merged: Merged,
}

impl Present {
    /// A desk that is kept and of which this holds.
    pub(crate) fn desk_with(
        &self,
        holds: impl Fn(&DeskName, &StoredDesk) -> bool,
    ) -> Option<&DeskName> {
        let mut desks = self.kept.desks.iter();
        let found = desks.find(|(name, row)| holds(name, &row.value));
        found.map(|(name, _)| name)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

impl Settings {
    /// Reads what is kept. The engine is started with [`Settings::config`] and then given to
    /// [`Settings::attach`].
    ///
    /// # Errors
    /// The store fails.
    pub async fn open(setup: Setup) -> Result<Self, StoreError> {
        let settings = Self {
            inner: Arc::new(Inner {
                store: setup.store,
                access: setup.access,
                transport: setup.transport,
                guard: setup.guard,
                vault: setup.vault,
                public_url: setup.public_url,
                gateway: setup.gateway,
                declared: RwLock::new(setup.declared),
                now: RwLock::new(Arc::new(Present {
                    changes: -1,
                    kept: Kept::default(),
                    merged: Merged::default(),
                })),
                taking_over: tokio::sync::Mutex::new(()),
                engine: OnceLock::new(),
                stopping: CancellationToken::new(),
                authorities_pem: setup.authorities_pem,
                alert_soon: Arc::default(),
                telling: Mutex::default(),
                found: Mutex::default(),
                access_known: Mutex::default(),
            }),
        };
        settings.refresh().await?;
        Ok(settings)
    }

    /// Gives the engine over, and begins to look for changes by other processes, to test the
    /// connections now and then, and to tell people when one breaks.
    pub fn attach(&self, engine: Arc<Shared>) {
        let _ = self.inner.engine.set(engine);
        let telling = tokio::spawn(Self::alert_people(Arc::downgrade(&self.inner)));
        *self
            .inner
            .telling
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(telling);
        self.every_look(|settings| async move { settings.look().await });
        // By itself: a site that does not answer keeps nothing else waiting.
        self.every_look(|settings| async move { settings.watch_projects().await });
    }

    /// Does something again and again, until this stops or nobody holds it any more.
    fn every_look<F>(&self, act: impl Fn(Self) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        let (weak, stopping) = (Arc::downgrade(&self.inner), self.inner.stopping.clone());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                    () = stopping.cancelled() => return,
                }
                let Some(inner) = weak.upgrade() else { return };
                act(Self { inner }).await;
            }
        });
    }

    /// Stops looking. Alerts that are being told are waited for, so long at most.
    pub async fn stop(&self, patience: Duration) {
        self.inner.stopping.cancel();
        let telling = self
            .inner
            .telling
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(telling) = telling
            && tokio::time::timeout(patience, telling).await.is_err()
        {
            tracing::warn!("an alert is still being told; the next start tells it again");
        }
    }

    async fn look(&self) {
        let known = self.present().changes;
        match self.inner.store.settings_changes().await {
            Ok(changes) if changes == known => {}
            Ok(_) => {
                if let Err(error) = self.refresh().await {
                    tracing::error!(%error, "changed settings could not be taken into use");
                }
            }
            Err(error) => tracing::error!(%error, "changed settings could not be looked for"),
        }
    }

    /// What is in use now.
    pub fn config(&self) -> EngineConfig {
        self.present().merged.config.clone()
    }

    pub(crate) fn present(&self) -> Arc<Present> {
        Arc::clone(
            &self
                .inner
                .now
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    pub(crate) fn declared(&self) -> Declared {
        self.inner
            .declared
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn engine(&self) -> Option<&Arc<Shared>> {
        self.inner.engine.get()
    }

    /// Takes another declaration over.
    ///
    /// # Errors
    /// The store fails.
    pub async fn declare(&self, declared: Declared) -> Result<(), StoreError> {
        *self
            .inner
            .declared
            .write()
            .unwrap_or_else(PoisonError::into_inner) = declared;
        self.refresh().await
    }

    /// Reads what is kept and has the engine take it over.
    ///
    /// # Errors
    /// The store fails.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let _one = self.inner.taking_over.lock().await;
        // Counted before the rows are read: a change in between is found at the next look.
        let changes = self.inner.store.settings_changes().await?;
        let kept = self.read(self.inner.store.settings().await?);
        let declared = self.declared();
        let merged = merge(&declared.config, &kept);
        for (what, why) in &kept.unreadable {
            tracing::error!(what, why, "a setting is not used: it cannot be read");
        }
        let config = merged.config.clone();
        *self
            .inner
            .now
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(Present {
            changes,
            kept,
            merged,
        });
        let declared_urls = addresses(&declared.config);
        let others = declared.alert_url.iter().chain(&declared.sign_in_url);
        self.inner.guard.allow(
            &declared.allowed,
            declared_urls.iter().copied().chain(others),
        );
        if let Some(engine) = self.engine() {
            engine.configure(config).await?;
        }
        Ok(())
    }

    fn read(&self, rows: Vec<SettingRow>) -> Kept {
        let mut kept = Kept::default();
        for row in rows {
            let what = format!("{}/{}", row.kind, row.name);
            let unreadable = match row.kind.as_str() {
                "site" => read_row(&row).map(|versioned| {
                    let secrets = self
                        .open_secrets(&row)
                        .and_then(|secrets| site_secrets(&secrets));
                    let name = SiteName::new(row.name.as_str());
                    kept.sites.push((name, versioned, secrets));
                }),
                "workspace" => read_row(&row).map(|versioned| {
                    let secrets = self
                        .open_secrets(&row)
                        .and_then(|secrets| workspace_secrets(&secrets));
                    let name = WorkspaceName::new(row.name.as_str());
                    kept.workspaces.push((name, versioned, secrets));
                }),
                "binding" => read_row(&row).and_then(|versioned| {
                    let (site, project) = row.name.rsplit_once('/').ok_or("it names no project")?;
                    let key = (SiteName::new(site), ProjectKey::new(project));
                    kept.bindings.push((key, versioned));
                    Ok(())
                }),
                "account" => read_row(&row).map(|versioned| {
                    let secrets = self
                        .open_secrets(&row)
                        .and_then(|secrets| account_secrets(&secrets));
                    let name = AccountName::new(row.name.as_str());
                    kept.accounts.push((name, versioned, secrets));
                }),
                "desk" => read_row(&row).map(|versioned| {
                    let name = DeskName::new(row.name.as_str());
                    kept.desks.push((name, versioned));
                }),
                // Of a later version, or not about connections.
                _ => Ok(()),
            };
            if let Err(why) = unreadable {
                kept.unreadable.push((what, why));
            }
        }
        kept
    }

    fn open_secrets(&self, row: &SettingRow) -> Result<Value, String> {
        let (Some(text), Some(key)) = (&row.sealed, &row.sealed_by) else {
            return Err("there are none".to_owned());
        };
        let sealed = Sealed {
            text: text.clone(),
            key: key.clone(),
        };
        let of = format!("{}/{}", row.kind, row.name);
        let opened = self.inner.vault.open(&of, &sealed);
        let opened = opened.map_err(|error| error.to_string())?;
        serde_json::from_str(&opened).map_err(|_| "they are no JSON".to_owned())
    }

    /// Writes a row and has it taken into use.
    pub(crate) async fn put<T: Serialize>(
        &self,
        (kind, name): (Kind, &str),
        from: Option<i64>,
        value: &T,
        secrets: Option<&Value>,
        (who, what, detail): (&Who, What, &str),
    ) -> Result<i64, ChangeRefusal> {
        let body = serde_json::to_string(value)
            .map_err(|error| ChangeRefusal::Failed(unreadable("a setting", &error)))?;
        let of = format!("{}/{name}", kind.as_str());
        let sealed = secrets
            .map(|secrets| self.inner.vault.seal(&of, &secrets.to_string()))
            .transpose()
            .map_err(vault)?;
        let change = SettingChange {
            kind: kind.as_str().to_owned(),
            name: name.to_owned(),
            from,
            body,
            sealed_by: sealed.as_ref().map(|sealed| sealed.key.clone()),
            sealed: sealed.map(|sealed| sealed.text),
        };
        let entry = self.inner.access.entry(who, what, of, detail);
        let stored = self.inner.store.put_setting(change, entry).await;
        self.came_of(stored).await
    }

    /// Removes a row and has it taken out of use.
    pub(crate) async fn remove(
        &self,
        (kind, name): (Kind, &str),
        from: i64,
        (who, what, detail): (&Who, What, &str),
    ) -> Result<(), ChangeRefusal> {
        let of = format!("{}/{name}", kind.as_str());
        let entry = self.inner.access.entry(who, what, of, detail);
        let store = &self.inner.store;
        let stored = store.remove_setting(kind.as_str(), name, from, entry).await;
        self.came_of(stored).await.map(drop)
    }

    async fn came_of(&self, stored: Result<Stored, StoreError>) -> Result<i64, ChangeRefusal> {
        match stored? {
            Stored::Done { version } => {
                self.refresh().await?;
                Ok(version)
            }
            Stored::Overtaken => {
                // Another process may have changed it.
                self.refresh().await?;
                Err(ChangeRefusal::Overtaken)
            }
        }
    }

    pub(crate) fn now(&self) -> Millis {
        self.inner.access.now()
    }

    /// The client of a site that is in use.
    pub(crate) fn jira(&self, site: &SiteConfig) -> bowline_jira::Client {
        let auth = match &site.email {
            Some(email) => bowline_jira::Auth::Basic {
                email: email.clone(),
                token: site.token.clone(),
            },
            None => bowline_jira::Auth::Bearer {
                token: site.token.clone(),
            },
        };
        let transport = Arc::clone(&self.inner.transport);
        bowline_jira::Client::new(transport, site.api_url.clone(), site.deployment, auth)
    }

    /// The client of a workspace that is in use.
    pub(crate) fn intercom(&self, workspace: &WorkspaceConfig) -> bowline_intercom::Client {
        let transport = Arc::clone(&self.inner.transport);
        let token = workspace.access_token.clone();
        bowline_intercom::Client::new(transport, workspace.api_url.clone(), token)
    }

    pub(crate) fn site_in_use(&self, name: &SiteName) -> Option<SiteConfig> {
        let present = self.present();
        let sites = &present.merged.config.sites;
        sites.iter().find(|site| site.name == *name).cloned()
    }

    pub(crate) fn workspace_in_use(&self, name: &WorkspaceName) -> Option<WorkspaceConfig> {
        let present = self.present();
        let workspaces = &present.merged.config.workspaces;
        workspaces.iter().find(|one| one.name == *name).cloned()
    }
}

/// The addresses of what is declared.
fn addresses(config: &EngineConfig) -> Vec<&Url> {
    let sites = config
        .sites
        .iter()
        .flat_map(|site| [&site.url, &site.api_url]);
    let workspaces = config.workspaces.iter().map(|one| &one.api_url);
    let accounts = config.accounts.iter().map(|one| &one.api_url);
    sites.chain(workspaces).chain(accounts).collect()
}

fn read_row<T: DeserializeOwned>(row: &SettingRow) -> Result<Versioned<T>, String> {
    let value = serde_json::from_str(&row.body).map_err(|error| error.to_string())?;
    Ok(Versioned {
        value,
        version: row.version,
        changed_at: row.changed_at,
        changed_by: row.changed_by.clone(),
    })
}

fn secret(secrets: &Value, name: &str) -> Option<SecretString> {
    let text = secrets.get(name)?.as_str()?;
    Some(text.to_owned().into())
}

fn site_secrets(secrets: &Value) -> Result<SiteSecrets, String> {
    let needed = |name: &str| secret(secrets, name).ok_or_else(|| format!("there is no {name}"));
    Ok(SiteSecrets {
        token: needed("token")?,
        webhook_secret: needed("webhook_secret")?,
        webhook_secret_previous: secret(secrets, "webhook_secret_previous"),
    })
}

fn workspace_secrets(secrets: &Value) -> Result<WorkspaceSecrets, String> {
    let client_secret = secret(secrets, "client_secret");
    Ok(WorkspaceSecrets {
        access_token: secret(secrets, "access_token"),
        client_secret: client_secret.ok_or("there is no client_secret")?,
    })
}

fn account_secrets(secrets: &Value) -> Result<AccountSecrets, String> {
    let needed = |name: &str| secret(secrets, name).ok_or_else(|| format!("there is no {name}"));
    Ok(AccountSecrets {
        access_key: needed("access_key")?,
        signing_key: needed("signing_key")?,
        signing_key_previous: secret(secrets, "signing_key_previous"),
        verify_token: secret(secrets, "verify_token"),
    })
}

/// Secrets as they are sealed.
pub(crate) fn sealed_account(secrets: &AccountSecrets) -> Value {
    use secrecy::ExposeSecret as _;
    let previous = secrets.signing_key_previous.as_ref();
    let verify_token = secrets.verify_token.as_ref();
    json!({
        "access_key": secrets.access_key.expose_secret(),
        "signing_key": secrets.signing_key.expose_secret(),
        "signing_key_previous": previous.map(SecretString::expose_secret),
        "verify_token": verify_token.map(SecretString::expose_secret),
    })
}

/// Secrets as they are sealed.
pub(crate) fn sealed_site(secrets: &SiteSecrets) -> Value {
    use secrecy::ExposeSecret as _;
    let previous = secrets.webhook_secret_previous.as_ref();
    json!({
        "token": secrets.token.expose_secret(),
        "webhook_secret": secrets.webhook_secret.expose_secret(),
        "webhook_secret_previous": previous.map(SecretString::expose_secret),
    })
}

/// Secrets as they are sealed.
pub(crate) fn sealed_workspace(secrets: &WorkspaceSecrets) -> Value {
    use secrecy::ExposeSecret as _;
    let token = secrets.access_token.as_ref();
    json!({
        "access_token": token.map(SecretString::expose_secret),
        "client_secret": secrets.client_secret.expose_secret(),
    })
}

pub(crate) fn unreadable(what: &'static str, error: &dyn std::fmt::Display) -> AccessError {
    AccessError::Unreadable {
        what,
        detail: error.to_string(),
    }
}

/// A secret that cannot be sealed is something that whoever runs Bowline mends.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn vault(error: VaultError) -> ChangeRefusal {
    let words = format!(
        "The secret cannot be sealed, so nothing was saved. Whoever runs Bowline mends it: {error}"
    );
    ChangeRefusal::Faults(vec![Fault::new("form", words)])
}

/// A refusal by field.
pub(crate) fn fault(field: &'static str, words: impl Into<String>) -> ChangeRefusal {
    ChangeRefusal::Faults(vec![Fault::new(field, words)])
}
