//! What people may know of alerts: who is told, what was told, and how far it is.

use bowline_access::{Granted, ManageConnections};
use bowline_domain::connection::Connection;
use bowline_domain::time::Millis;
use bowline_net::mail::MailTls;
use bowline_store::StoreError;
use bowline_store::alert::{AlertSend, AlertView};

use super::words::{self, News, Place};
use crate::service::Settings;

/// Who is told. No secrets.
#[derive(Clone, Debug, Default)]
pub struct Receivers {
    /// Where the outgoing webhook goes, without what stands behind its path's first part: such
    /// addresses often hold a secret.
    pub webhook: Option<String>,
    /// The server that letters go by, in words.
    pub server: Option<String>,
    /// Who letters are from.
    pub from: Option<String>,
    /// Who gets them.
    pub mail: Vec<String>,
}

impl Receivers {
    /// Is nobody told?
    pub fn is_empty(&self) -> bool {
        self.webhook.is_none() && self.mail.is_empty()
    }
}

/// An alert as pages show it.
#[derive(Clone, Debug)]
pub struct AlertNow {
    /// Its number.
    pub id: i64,
    /// The name by which receivers know it.
    pub uid: String,
    /// `broken`, `mended` or `test`.
    pub kind: &'static str,
    /// What it is about; of a test nothing.
    pub connection: Option<Connection>,
    /// The project of the site that it is about, if it is about one.
    pub project: Option<String>,
    /// One line.
    pub subject: String,
    /// All that is told.
    pub text: String,
    /// When it was written down.
    pub at: Millis,
    /// How far it is with each receiver.
    pub sends: Vec<AlertSend>,
}

fn now(view: AlertView) -> AlertNow {
    let news: News = serde_json::from_str(&view.body).unwrap_or_default();
    AlertNow {
        id: view.id,
        uid: view.uid,
        kind: news.kind.as_str(),
        connection: news.connection.as_deref().and_then(Connection::from_key),
        project: news.project,
        subject: news.subject,
        text: news.text,
        at: view.made_at,
        sends: view.sends,
    }
}

impl Settings {
    /// Who is told when a connection breaks.
    pub fn receivers(&self) -> Receivers {
        let declared = self.declared();
        let mail = declared.alert_mail.as_ref();
        Receivers {
            webhook: declared
                .alert_url
                .map(|url| url.origin().ascii_serialization()),
            server: mail.map(|mail| {
                let tls = match mail.tls {
                    MailTls::Implicit => "by TLS",
                    MailTls::StartTls => "by STARTTLS",
                    MailTls::Off => "without TLS",
                };
                format!("{}:{}, {tls}", mail.host, mail.port)
            }),
            from: mail.map(|mail| mail.from.clone()),
            mail: mail.map_or_else(Vec::new, |mail| mail.to.clone()),
        }
    }

    /// The latest alerts, the latest first; `before`: those before this number.
    ///
    /// # Errors
    /// The store fails.
    pub async fn alerts(
        &self,
        _by: &Granted<ManageConnections>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<AlertNow>, StoreError> {
        let views = self.inner.store.alerts(before, limit).await?;
        Ok(views.into_iter().map(now).collect())
    }

    /// Has a test told to all receivers; answers its number, or `None` if there are none.
    ///
    /// # Errors
    /// The store fails.
    pub async fn test_alerts(
        &self,
        by: &Granted<ManageConnections>,
    ) -> Result<Option<i64>, StoreError> {
        if self.receivers_now().is_empty() {
            return Ok(None);
        }
        let place = Place {
            url: self.inner.public_url.to_string(),
            link: self.address(&["alerts"]),
            declared: false,
        };
        let news = words::test(&by.who().name(), &place);
        // A matter of its own: it waits behind nothing.
        let matter = format!("test/{}", self.inner.access.new_secret());
        let now = self.now();
        let made = self.make_alert(&matter, None, &news, now, by.who()).await?;
        self.inner.alert_soon.notify_one();
        Ok(made)
    }

    fn address(&self, path: &[&str]) -> String {
        let base = &self.inner.public_url;
        let found = bowline_net::endpoint::endpoint(base, path);
        found.unwrap_or_else(|| base.clone()).to_string()
    }

    /// Where a project's binding is looked at. Nothing has to be entered here: it is mended in Jira.
    pub(crate) fn place_of_project(
        &self,
        connection: &Connection,
        project: &bowline_domain::ids::ProjectKey,
    ) -> Place {
        Place {
            url: self.inner.public_url.to_string(),
            link: self.address(&["bindings", connection.name(), project.as_str()]),
            declared: false,
        }
    }

    /// Where a connection is looked at.
    pub(crate) fn place_of(&self, connection: &Connection) -> Place {
        let present = self.present();
        let (kind, kept) = match connection {
            Connection::Site(name) => {
                let mut all = present.kept.sites.iter();
                ("site", all.any(|(known, ..)| known == name))
            }
            Connection::Workspace(name) => {
                let mut all = present.kept.workspaces.iter();
                ("workspace", all.any(|(known, ..)| known == name))
            }
            Connection::Account(name) => {
                let mut all = present.kept.accounts.iter();
                ("account", all.any(|(known, ..)| known == name))
            }
        };
        Place {
            url: self.inner.public_url.to_string(),
            link: self.address(&["connections", kind, connection.name()]),
            declared: !kept,
        }
    }
}
