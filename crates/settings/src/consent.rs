//! Joining a workspace by OAuth: the app is kept first, then a teammate gives their consent in
//! Intercom and comes back with a code, which is traded for the token.
//!
//! The `state` that goes along is bound to the browser's session, the workspace and the version of
//! what is kept, so it is good in that browser, once. Each workspace has a return address of its
//! own, so that a code of one cannot be handed in for another.

use bowline_access::{ChangeRefusal, Granted, ManageConnections, What, digest, same};
use bowline_domain::connection::Connection;
use bowline_domain::ids::WorkspaceName;
use bowline_intercom::oauth::{AUTHORIZE_URL, App, authorize_url, exchange};
use bowline_intercom::{Region, api_base};
use bowline_net::ErrorKind;
use url::Url;

use crate::connect::Connected;
use crate::forms::{WorkspaceForm, WorkspaceRead};
use crate::service::{Settings, fault, sealed_workspace};
use crate::stored::{Kind, StoredWorkspace, WorkspaceSecrets};
use crate::workspaces::stored_workspace;

/// Where to send someone for their consent.
#[derive(Clone, Debug)]
pub struct Consent {
    /// Intercom's page.
    pub url: Url,
    /// Where Intercom sends them back; it is registered at the app.
    pub back: Url,
}

fn state(session: &str, name: &str, version: i64) -> String {
    digest(&format!("consent {session} {name} {version}"))
}

impl Settings {
    /// Where Intercom sends people back after their consent.
    pub fn return_url(&self, name: &str) -> Url {
        let path = ["connections", "workspace", name, "back"];
        let base = &self.inner.public_url;
        bowline_net::endpoint::endpoint(base, &path).unwrap_or_else(|| base.clone())
    }

    /// Keeps an app, so that a teammate can give their consent.
    ///
    /// # Errors
    /// What is wrong with the form, by field.
    pub async fn begin_consent(
        &self,
        by: &Granted<ManageConnections>,
        form: &WorkspaceForm,
    ) -> Result<String, ChangeRefusal> {
        let read = form.read(true).map_err(ChangeRefusal::Faults)?;
        self.new_workspace(&read.name, form.name.trim().is_empty(), None)?;
        let stored = StoredWorkspace {
            api_url: read.api_url.as_ref().map(ToString::to_string),
            authorize_url: read.authorize_url.as_ref().map(ToString::to_string),
            client_id: read.client_id.clone(),
            ..StoredWorkspace::default()
        };
        let secrets = WorkspaceSecrets {
            access_token: None,
            client_secret: read.client_secret,
        };
        self.put(
            (Kind::Workspace, &read.name),
            None,
            &stored,
            Some(&sealed_workspace(&secrets)),
            (by.who(), What::ConnectionAdded, "waits for consent"),
        )
        .await?;
        Ok(read.name)
    }

    /// Where to send someone who is signed in by this session; `None` if the workspace is not
    /// kept, or has no client id. `session` is something that only this session knows.
    pub fn consent(
        &self,
        _by: &Granted<ManageConnections>,
        name: &str,
        session: &str,
    ) -> Option<Consent> {
        let (row, _) = self.kept_workspace(name)?;
        let client_id = row.value.client_id.as_deref()?;
        let authorize = row.value.authorize_url.as_deref().unwrap_or(AUTHORIZE_URL);
        let authorize = Url::parse(authorize).ok()?;
        let back = self.return_url(name);
        Some(Consent {
            url: authorize_url(
                &authorize,
                client_id,
                &state(session, name, row.version),
                &back,
            ),
            back,
        })
    }

    /// Someone came back from Intercom: trades the code and keeps the token.
    ///
    /// # Errors
    /// The state is not this session's, Intercom refuses the code, or the token is of another
    /// workspace than before.
    pub async fn finish_consent(
        &self,
        by: &Granted<ManageConnections>,
        name: &str,
        (session, given): (&str, &str),
        code: &str,
    ) -> Result<Connected, ChangeRefusal> {
        let (row, secrets) = self.kept_workspace(name).ok_or(ChangeRefusal::Gone)?;
        if !same(given, &state(session, name, row.version)) {
            return Err(fault(
                "form",
                "This answer of Intercom's does not belong to what this browser asked for, or was \
                 used already. Nothing was changed. Ask for the consent again.",
            ));
        }
        if code.is_empty() {
            return Err(fault(
                "form",
                "Intercom sent no code: the consent was not given. Nothing was changed.",
            ));
        }
        let secrets = secrets.map_err(|why| fault("form", why))?;
        let read = WorkspaceRead {
            name: name.to_owned(),
            access_token: None,
            client_secret: secrets.client_secret.clone(),
            client_id: row.value.client_id.clone(),
            api_url: row
                .value
                .api_url
                .as_deref()
                .and_then(|url| Url::parse(url).ok()),
            authorize_url: row
                .value
                .authorize_url
                .as_deref()
                .and_then(|url| Url::parse(url).ok()),
        };
        let app = App {
            client_id: read.client_id.clone().unwrap_or_default(),
            client_secret: secrets.client_secret.clone(),
        };
        let base = read.api_url.clone().unwrap_or_else(|| api_base(Region::Us));
        let token = exchange(&self.inner.transport, &base, &app, code).await;
        let token = token.map_err(|error| {
            let mend = match error.kind {
                ErrorKind::Auth => {
                    " The client id and the client secret must be those of the app, and a code is \
                     good once. Ask for the consent again."
                }
                _ => "",
            };
            fault("form", format!("{error}.{mend}"))
        })?;
        let me = self.try_workspace(&read, &token).await?;
        self.same_workspace(name, &me)
            .map_err(|words| fault("form", words))?;
        let stored = stored_workspace(&read, &me, row.value.app_user.as_deref());
        let secrets = WorkspaceSecrets {
            access_token: Some(token),
            client_secret: secrets.client_secret,
        };
        let detail = format!(
            "{} ({}) as {}, by consent",
            me.workspace_name, me.workspace, me.name
        );
        self.put(
            (Kind::Workspace, name),
            Some(row.version),
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
}
