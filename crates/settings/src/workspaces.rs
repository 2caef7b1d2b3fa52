//! Connecting Intercom workspaces by a pasted token. By consent: [`crate::consent`].

use std::sync::Arc;

use bowline_access::{ChangeRefusal, Granted, ManageConnections, What};
use bowline_domain::connection::Connection;
use bowline_domain::ids::WorkspaceName;
use bowline_engine::WorkspaceConfig;
use bowline_intercom::{Me, Region, Teammate, api_base};
use bowline_net::ErrorKind;
use secrecy::SecretString;

use crate::connect::{Connected, taken};
use crate::forms::{WorkspaceForm, WorkspaceRead, slug};
use crate::merge::Aside;
use crate::service::{Settings, fault, sealed_workspace};
use crate::stored::{Kind, StoredWorkspace, Versioned, WorkspaceSecrets};

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

impl Settings {
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

    pub(crate) fn kept_workspace(
        &self,
        name: &str,
    ) -> Option<(Versioned<StoredWorkspace>, Result<WorkspaceSecrets, String>)> {
        let present = self.present();
        let mut all = present.kept.workspaces.iter();
        let found = all.find(|(known, ..)| known.as_str() == name);
        found.map(|(_, row, secrets)| (row.clone(), secrets.clone()))
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
