//! Connecting sites and workspaces: credentials are tried before they are kept.

use std::sync::Arc;

use bowline_access::{ChangeRefusal, Granted, ManageConnections, What};
use bowline_domain::connection::Connection;
use bowline_domain::ids::{SiteName, WorkspaceName};
use bowline_engine::{SiteConfig, WorkspaceConfig};
use bowline_intercom::{Me, Region, Teammate, api_base};
use bowline_jira::{Auth, Client as Jira, Deployment};
use bowline_net::{ApiError, ErrorKind};
use secrecy::SecretString;
use url::Url;

use crate::forms::{SiteForm, SiteRead, WorkspaceForm, WorkspaceRead, slug};
use crate::merge::Aside;
use crate::service::{Settings, fault, sealed_site, sealed_workspace};
use crate::stored::{
    Kind, SiteKind, SiteSecrets, StoredSite, StoredWorkspace, Versioned, WorkspaceSecrets,
};

/// A site as pages show it.
#[derive(Clone, Debug)]
pub struct SiteNow {
    /// Its name.
    pub name: SiteName,
    /// What is kept of it; `None` if the file declares it.
    pub kept: Option<Versioned<StoredSite>>,
    /// What is in use; `None` if it is set aside.
    pub config: Option<SiteConfig>,
    /// Why it is not in use.
    pub aside: Option<Aside>,
}

/// A workspace as pages show it.
#[derive(Clone, Debug)]
pub struct WorkspaceNow {
    /// Its name.
    pub name: WorkspaceName,
    /// What is kept of it; `None` if the file declares it.
    pub kept: Option<Versioned<StoredWorkspace>>,
    /// What is in use; `None` if it is set aside.
    pub config: Option<WorkspaceConfig>,
    /// Why it is not in use.
    pub aside: Option<Aside>,
}

/// What was connected.
#[derive(Clone, Debug)]
pub struct Connected {
    /// Under which name.
    pub name: String,
    /// As whom we act there.
    pub actor: String,
}

impl Settings {
    /// All sites, those that are set aside too.
    pub fn sites(&self) -> Vec<SiteNow> {
        let present = self.present();
        let kept = &present.kept.sites;
        let config = |name: &SiteName| {
            let sites = &present.merged.config.sites;
            sites.iter().find(|site| site.name == *name).cloned()
        };
        let row = |name: &SiteName| {
            let found = kept.iter().find(|(known, ..)| known == name);
            found.map(|(_, row, _)| row.clone())
        };
        let aside = &present.merged.sites;
        let in_use = present.merged.config.sites.iter().map(|site| SiteNow {
            name: site.name.clone(),
            kept: row(&site.name).filter(|_| !aside.iter().any(|(name, _)| *name == site.name)),
            config: config(&site.name),
            aside: None,
        });
        let set_aside = aside.iter().map(|(name, why)| SiteNow {
            name: name.clone(),
            kept: row(name),
            config: None,
            aside: Some(why.clone()),
        });
        in_use.chain(set_aside).collect()
    }

    /// All workspaces, those that are set aside too.
    pub fn workspaces(&self) -> Vec<WorkspaceNow> {
        let present = self.present();
        let kept = &present.kept.workspaces;
        let config = |name: &WorkspaceName| {
            let all = &present.merged.config.workspaces;
            all.iter().find(|one| one.name == *name).cloned()
        };
        let row = |name: &WorkspaceName| {
            let found = kept.iter().find(|(known, ..)| known == name);
            found.map(|(_, row, _)| row.clone())
        };
        let aside = &present.merged.workspaces;
        let in_use = present
            .merged
            .config
            .workspaces
            .iter()
            .map(|one| WorkspaceNow {
                name: one.name.clone(),
                kept: row(&one.name).filter(|_| !aside.iter().any(|(name, _)| *name == one.name)),
                config: config(&one.name),
                aside: None,
            });
        let set_aside = aside.iter().map(|(name, why)| WorkspaceNow {
            name: name.clone(),
            kept: row(name),
            config: None,
            aside: Some(why.clone()),
        });
        in_use.chain(set_aside).collect()
    }

    pub(crate) fn kept_site(
        &self,
        name: &str,
    ) -> Option<(Versioned<StoredSite>, Result<SiteSecrets, String>)> {
        let present = self.present();
        let found = present
            .kept
            .sites
            .iter()
            .find(|(known, ..)| known.as_str() == name);
        found.map(|(_, row, secrets)| (row.clone(), secrets.clone()))
    }

    pub(crate) fn kept_workspace(
        &self,
        name: &str,
    ) -> Option<(Versioned<StoredWorkspace>, Result<WorkspaceSecrets, String>)> {
        let present = self.present();
        let mut all = present.kept.workspaces.iter();
        let found = all.find(|(known, ..)| known.as_str() == name);
        found.map(|(_, row, secrets)| (row.clone(), secrets.clone()))
    }

    /// Tries a site's credentials and keeps it. Whether it is Cloud or Data Center, and where a
    /// token with scopes is used, is found out.
    ///
    /// # Errors
    /// What is wrong with the form or the credentials, by field.
    pub async fn connect_site(
        &self,
        by: &Granted<ManageConnections>,
        form: &SiteForm,
    ) -> Result<Connected, ChangeRefusal> {
        let read = form.read().map_err(ChangeRefusal::Faults)?;
        if self
            .sites()
            .iter()
            .any(|site| site.name.as_str() == read.name)
        {
            return Err(fault(
                "name",
                taken(&read.name, form.name.trim().is_empty()),
            ));
        }
        let same = self.present();
        let same = same
            .merged
            .config
            .sites
            .iter()
            .find(|site| site.url == read.url);
        if let Some(same) = same {
            let words = format!("This site is connected already, as “{}”.", same.name);
            return Err(fault("url", words));
        }
        let (stored, actor) = self.try_site(&read).await?;
        let secrets = SiteSecrets {
            token: read.token.clone(),
            webhook_secret: self.inner.access.new_secret().into(),
            webhook_secret_previous: None,
        };
        let detail = format!("{} as {actor}", stored.url);
        self.put(
            (Kind::Site, &read.name),
            None,
            &stored,
            Some(&sealed_site(&secrets)),
            (by.who(), What::ConnectionAdded, &detail),
        )
        .await?;
        self.test_soon(Connection::Site(SiteName::new(read.name.as_str())));
        Ok(Connected {
            name: read.name,
            actor,
        })
    }

    /// Tries new credentials of a site and keeps them. Its webhook goes on.
    ///
    /// # Errors
    /// What is wrong with the form or the credentials, by field.
    pub async fn change_site(
        &self,
        by: &Granted<ManageConnections>,
        (name, from): (&str, i64),
        form: &SiteForm,
    ) -> Result<Connected, ChangeRefusal> {
        let (_, secrets) = self.kept_site(name).ok_or(ChangeRefusal::Gone)?;
        let form = SiteForm {
            name: name.to_owned(),
            ..form.clone()
        };
        let read = form.read().map_err(ChangeRefusal::Faults)?;
        let (stored, actor) = self.try_site(&read).await?;
        // Secrets that cannot be read are made anew.
        let webhook_secret = match &secrets {
            Ok(secrets) => secrets.webhook_secret.clone(),
            Err(_) => self.inner.access.new_secret().into(),
        };
        let secrets = SiteSecrets {
            token: read.token,
            webhook_secret,
            webhook_secret_previous: secrets.ok().and_then(|all| all.webhook_secret_previous),
        };
        let detail = format!("new credentials for {}, as {actor}", stored.url);
        self.put(
            (Kind::Site, name),
            Some(from),
            &stored,
            Some(&sealed_site(&secrets)),
            (by.who(), What::ConnectionChanged, &detail),
        )
        .await?;
        self.test_soon(Connection::Site(SiteName::new(name)));
        Ok(Connected {
            name: name.to_owned(),
            actor,
        })
    }

    /// What the site is, and as whom we act there.
    async fn try_site(&self, read: &SiteRead) -> Result<(StoredSite, String), ChangeRefusal> {
        let email = read.email.as_deref();
        let base = read.api_url.clone().unwrap_or_else(|| read.url.clone());
        let guess = match email {
            Some(_) => Deployment::Cloud,
            None => Deployment::DataCenter,
        };
        let client = |base: &Url, deployment| self.try_client(base, deployment, read);
        // Anybody may ask what kind it is, on most sites; if not, the credentials tell.
        let deployment = match client(&base, guess).server_info().await {
            Ok(reply) => reply.value.deployment,
            Err(error) if error.kind == ErrorKind::Transient => {
                return Err(fault("url", unreached(&error)));
            }
            Err(_) => guess,
        };
        match (deployment, email) {
            (Deployment::Cloud, None) => {
                let words = "This is Jira Cloud, where the token goes with the e-mail address of \
                             its account. Give it.";
                return Err(fault("email", words));
            }
            (Deployment::DataCenter, Some(_)) => {
                let words = "This is Jira Data Center, where the token stands for itself. Leave \
                             this empty.";
                return Err(fault("email", words));
            }
            _ => {}
        }
        let stored = |api_url: Option<&Url>| StoredSite {
            kind: match deployment {
                Deployment::Cloud => SiteKind::Cloud,
                Deployment::DataCenter => SiteKind::DataCenter,
            },
            url: read.url.to_string(),
            api_url: api_url.map(ToString::to_string),
            email: read.email.clone(),
            token_ends_on: read.token_ends_on.clone(),
        };
        let refused = match client(&base, deployment).myself().await {
            Ok(me) => return Ok((stored(read.api_url.as_ref()), me.value.person.name)),
            Err(error) => error,
        };
        if refused.kind == ErrorKind::Auth
            && deployment == Deployment::Cloud
            && read.api_url.is_none()
            && let Some(scoped) = self.scoped_base(&read.url).await
            && let Ok(me) = client(&scoped, deployment).myself().await
        {
            return Ok((stored(Some(&scoped)), me.value.person.name));
        }
        Err(match refused.kind {
            ErrorKind::Transient => fault("url", unreached(&refused)),
            ErrorKind::Auth if deployment == Deployment::Cloud => fault(
                "token",
                format!(
                    "Jira refuses it. The e-mail address and the API token must belong together; a \
                     token ends after a year at most. It was tried as a classic token and as one \
                     with scopes. ({refused})"
                ),
            ),
            ErrorKind::Auth => fault(
                "token",
                format!(
                    "Jira refuses it. Make a personal access token in the profile of Bowline's \
                     account. ({refused})"
                ),
            ),
            _ => fault(
                "url",
                format!(
                    "Jira does not answer there as it should: {refused}. Is the address right, with its context path?"
                ),
            ),
        })
    }

    fn try_client(&self, base: &Url, deployment: Deployment, read: &SiteRead) -> Jira {
        let auth = match &read.email {
            Some(email) => Auth::Basic {
                email: email.clone(),
                token: read.token.clone(),
            },
            None => Auth::Bearer {
                token: read.token.clone(),
            },
        };
        let transport = Arc::clone(&self.inner.transport);
        Jira::new(transport, base.clone(), deployment, auth)
    }

    /// Where a token with scopes is used.
    async fn scoped_base(&self, site: &Url) -> Option<Url> {
        let id = bowline_jira::cloud_id(&self.inner.transport, site)
            .await
            .ok()?;
        bowline_net::endpoint::endpoint(&self.inner.gateway, &["ex", "jira", &id])
    }

    /// Has the webhook sign with a new secret. The old one is accepted until the next change.
    ///
    /// # Errors
    /// It was changed meanwhile, or the store fails.
    pub async fn renew_webhook_secret(
        &self,
        by: &Granted<ManageConnections>,
        (name, from): (&str, i64),
    ) -> Result<(), ChangeRefusal> {
        let (row, secrets) = self.kept_site(name).ok_or(ChangeRefusal::Gone)?;
        let secrets = secrets.map_err(|why| fault("form", why))?;
        let secrets = SiteSecrets {
            token: secrets.token,
            webhook_secret: self.inner.access.new_secret().into(),
            webhook_secret_previous: Some(secrets.webhook_secret),
        };
        self.put(
            (Kind::Site, name),
            Some(from),
            &row.value,
            Some(&sealed_site(&secrets)),
            (by.who(), What::ConnectionChanged, "a new webhook secret"),
        )
        .await
        .map(drop)
    }

    /// The secret to enter at the webhook in Jira, of a site that is kept.
    pub fn webhook_secret(
        &self,
        _by: &Granted<ManageConnections>,
        name: &SiteName,
    ) -> Option<SecretString> {
        let (_, secrets) = self.kept_site(name.as_str())?;
        secrets.ok().map(|secrets| secrets.webhook_secret)
    }

    /// Tries a workspace's token and keeps it.
    ///
    /// # Errors
    /// What is wrong with the form or the token, by field.
    pub async fn connect_workspace(
        &self,
        by: &Granted<ManageConnections>,
        form: &WorkspaceForm,
    ) -> Result<Connected, ChangeRefusal> {
        let read = form.read(false).map_err(ChangeRefusal::Faults)?;
        let token = read.access_token.clone().ok_or(ChangeRefusal::Gone)?;
        let me = self.try_workspace(&read, &token).await?;
        let derived = slug(&me.workspace_name);
        let name = match form.name.trim() {
            "" if !derived.is_empty() => derived,
            _ => read.name.clone(),
        };
        self.new_workspace(&name, form.name.trim().is_empty(), Some(&me))?;
        let stored = stored_workspace(&read, &me, None);
        let secrets = WorkspaceSecrets {
            access_token: Some(token),
            client_secret: read.client_secret,
        };
        let detail = format!("{} ({}) as {}", me.workspace_name, me.workspace, me.name);
        self.put(
            (Kind::Workspace, &name),
            None,
            &stored,
            Some(&sealed_workspace(&secrets)),
            (by.who(), What::ConnectionAdded, &detail),
        )
        .await?;
        self.test_soon(Connection::Workspace(WorkspaceName::new(name.as_str())));
        Ok(Connected {
            name,
            actor: me.name,
        })
    }

    /// Tries new credentials of a workspace and keeps them. A token of another workspace is
    /// refused: links and what waits belong to the one before.
    ///
    /// # Errors
    /// What is wrong with the form or the token, by field.
    pub async fn change_workspace(
        &self,
        by: &Granted<ManageConnections>,
        (name, from): (&str, i64),
        form: &WorkspaceForm,
    ) -> Result<Connected, ChangeRefusal> {
        let (row, _) = self.kept_workspace(name).ok_or(ChangeRefusal::Gone)?;
        let form = WorkspaceForm {
            name: name.to_owned(),
            ..form.clone()
        };
        let read = form.read(false).map_err(ChangeRefusal::Faults)?;
        let token = read.access_token.clone().ok_or(ChangeRefusal::Gone)?;
        let me = self.try_workspace(&read, &token).await?;
        self.same_workspace(name, &me)
            .map_err(|words| fault("access_token", words))?;
        let stored = StoredWorkspace {
            client_id: read.client_id.clone().or(row.value.client_id.clone()),
            ..stored_workspace(&read, &me, row.value.app_user.as_deref())
        };
        let secrets = WorkspaceSecrets {
            access_token: Some(token),
            client_secret: read.client_secret,
        };
        let detail = format!("new credentials, as {}", me.name);
        self.put(
            (Kind::Workspace, name),
            Some(from),
            &stored,
            Some(&sealed_workspace(&secrets)),
            (by.who(), What::ConnectionChanged, &detail),
        )
        .await?;
        self.test_soon(Connection::Workspace(WorkspaceName::new(name)));
        Ok(Connected {
            name: name.to_owned(),
            actor: me.name,
        })
    }

    /// May a workspace be connected under this name, and is it not connected already?
    pub(crate) fn new_workspace(
        &self,
        name: &str,
        derived: bool,
        me: Option<&Me>,
    ) -> Result<(), ChangeRefusal> {
        if let Some(me) = me
            && let Some(engine) = self.engine()
        {
            let all = engine.connections_now();
            let same = all.iter().find(|one| {
                matches!(one.connection, Connection::Workspace(_))
                    && one.remote_id.as_deref() == Some(&me.workspace)
            });
            if let Some(same) = same {
                let words = format!(
                    "The workspace {} is connected already, as “{}”.",
                    me.workspace,
                    same.connection.name()
                );
                return Err(fault("access_token", words));
            }
        }
        if self
            .workspaces()
            .iter()
            .any(|one| one.name.as_str() == name)
        {
            return Err(fault("name", taken(name, derived)));
        }
        Ok(())
    }

    /// Does a token reach the workspace that was connected before under this name?
    pub(crate) fn same_workspace(&self, name: &str, me: &Me) -> Result<(), String> {
        let before = self.engine().and_then(|engine| {
            let connection = Connection::Workspace(WorkspaceName::new(name));
            let all = engine.connections_now();
            let found = all.into_iter().find(|one| one.connection == connection);
            found.and_then(|one| one.remote_id)
        });
        match before {
            Some(before) if before != me.workspace => Err(format!(
                "This belongs to the workspace “{}” ({}), but links and waiting notes are those of \
                 the workspace {before}: the same numbers mean other conversations there. Use a \
                 token of {before}, or connect {} as a workspace of its own.",
                me.workspace_name, me.workspace, me.workspace
            )),
            _ => Ok(()),
        }
    }

    pub(crate) async fn try_workspace(
        &self,
        read: &WorkspaceRead,
        token: &SecretString,
    ) -> Result<Me, ChangeRefusal> {
        // The plain host finds the region by itself.
        let base = read.api_url.clone().unwrap_or_else(|| api_base(Region::Us));
        let transport = Arc::clone(&self.inner.transport);
        let client = bowline_intercom::Client::new(transport, base, token.clone());
        match client.me().await {
            Ok(reply) => Ok(reply.value),
            Err(error) if error.kind == ErrorKind::Auth => Err(fault(
                "access_token",
                format!(
                    "Intercom refuses it. Copy the access token from Developer Hub > your app > \
                     Configure > Authentication. ({error})"
                ),
            )),
            Err(error) => Err(fault(
                if read.api_url.is_some() {
                    "api_url"
                } else {
                    "access_token"
                },
                format!("Intercom does not answer as it should: {error}."),
            )),
        }
    }

    /// The teammates of a workspace, to choose from as whom we write.
    ///
    /// # Errors
    /// In words.
    pub async fn teammates(&self, name: &WorkspaceName) -> Result<Vec<Teammate>, String> {
        let workspace = self.workspace_in_use(name).ok_or("It is not in use.")?;
        let found = self.intercom(&workspace).admins().await;
        found.map(|reply| reply.value).map_err(|error| {
            format!("The teammates cannot be listed: {error}. The app needs “Read admins”.")
        })
    }

    /// Has us write as another teammate; empty: as who the token belongs to.
    ///
    /// # Errors
    /// There is no such teammate, or it was changed meanwhile.
    pub async fn change_app_user(
        &self,
        by: &Granted<ManageConnections>,
        (name, from): (&str, i64),
        teammate: &str,
    ) -> Result<(), ChangeRefusal> {
        let (row, secrets) = self.kept_workspace(name).ok_or(ChangeRefusal::Gone)?;
        let secrets = secrets.map_err(|why| fault("form", why))?;
        let mut stored = row.value;
        let detail = if teammate.is_empty() {
            stored.app_user = None;
            "notes are written as who the token belongs to".to_owned()
        } else {
            let all = self.teammates(&WorkspaceName::new(name)).await;
            let all = all.map_err(|words| fault("app_user", words))?;
            let found = all.into_iter().find(|known| known.id == teammate);
            let found = found.ok_or_else(|| fault("app_user", "There is no such teammate now."))?;
            stored.app_user = Some(found.id);
            format!("notes are written as {}", found.name)
        };
        self.put(
            (Kind::Workspace, name),
            Some(from),
            &stored,
            Some(&sealed_workspace(&secrets)),
            (by.who(), What::ConnectionChanged, &detail),
        )
        .await?;
        self.test_soon(Connection::Workspace(WorkspaceName::new(name)));
        Ok(())
    }

    /// Removes a connection that nothing hangs on.
    ///
    /// # Errors
    /// Projects are joined through it, or it was changed meanwhile.
    pub async fn remove_connection(
        &self,
        by: &Granted<ManageConnections>,
        (connection, from): (&Connection, i64),
    ) -> Result<(), ChangeRefusal> {
        let present = self.present();
        let used = present
            .kept
            .bindings
            .iter()
            .find(|((site, _), row)| match connection {
                Connection::Site(name) => site == name,
                Connection::Workspace(name) => row.value.workspace == name.as_str(),
                Connection::Account(_) => false,
            });
        if let Some(((site, project), _)) = used {
            let words = format!(
                "The project {project} of {site} is joined through it, or was. Remove that binding \
                 first; its links are kept."
            );
            return Err(fault("form", words));
        }
        let kind = match connection {
            Connection::Site(_) => Kind::Site,
            Connection::Workspace(_) => Kind::Workspace,
            Connection::Account(_) => return Err(ChangeRefusal::Gone),
        };
        let told = (by.who(), What::ConnectionRemoved, "");
        self.remove((kind, connection.name()), from, told).await
    }
}

pub(crate) fn stored_workspace(
    read: &WorkspaceRead,
    me: &Me,
    app_user: Option<&str>,
) -> StoredWorkspace {
    let region = me.region.as_deref().unwrap_or("us").to_lowercase();
    let email = me
        .email
        .as_ref()
        .map_or(String::new(), |email| format!(", {email}"));
    StoredWorkspace {
        region,
        api_url: read.api_url.as_ref().map(ToString::to_string),
        authorize_url: read.authorize_url.as_ref().map(ToString::to_string),
        client_id: read.client_id.clone(),
        app_user: app_user.map(ToOwned::to_owned),
        title: Some(me.workspace_name.clone()),
        authorized_with: Some(format!("{}{email}", me.name)),
    }
}

fn taken(name: &str, derived: bool) -> String {
    let named = if derived {
        ", which the name is made of"
    } else {
        ""
    };
    format!("There is one named “{name}”{named}. Give another name.")
}

fn unreached(error: &ApiError) -> String {
    format!("It cannot be reached from here: {error}.")
}
