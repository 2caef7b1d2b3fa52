//! Connecting Jira sites: credentials are tried before they are kept.

use std::sync::Arc;

use bowline_access::{ChangeRefusal, Granted, ManageConnections, What};
use bowline_domain::connection::Connection;
use bowline_domain::ids::SiteName;
use bowline_engine::SiteConfig;
use bowline_jira::{Auth, Client as Jira, Deployment};
use bowline_net::{ApiError, ErrorKind};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::connect::{Connected, taken};
use crate::forms::{SiteForm, SiteRead};
use crate::merge::Aside;
use crate::service::{Settings, fault, sealed_site};
use crate::stored::{Kind, SiteKind, SiteSecrets, StoredSite, Versioned};

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

/// Is it the place and the account that the kept token is for?
fn same_place(read: &SiteRead, stored: &StoredSite) -> bool {
    read.url.as_str() == stored.url
        && read.api_url.as_ref().map(Url::as_str) == stored.api_url.as_deref()
        && read.email == stored.email
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
        let (row, secrets) = self.kept_site(name).ok_or(ChangeRefusal::Gone)?;
        let mut form = SiteForm {
            name: name.to_owned(),
            ..form.clone()
        };
        let present = secrets.as_ref().ok().map(|all| &all.token);
        let keeps = form.token.trim().is_empty();
        if let Some(token) = present.filter(|_| keeps) {
            token.expose_secret().clone_into(&mut form.token);
        }
        let read = form.read().map_err(ChangeRefusal::Faults)?;
        if keeps && !same_place(&read, &row.value) {
            let words = "Paste it here: the present one is sent to no other address, and belongs to \
                         its account.";
            return Err(fault("token", words));
        }
        let ends = read.token_ends_on.as_ref();
        if !keeps && !form.same_end && ends.is_some() && ends == row.value.token_ends_on.as_ref() {
            let words = "As far as is known, the token that is replaced ends on this day. Write the \
                         day on which the new one ends, or none if nobody knows it. If both end on \
                         this day, paste the token again and save.";
            return Err(fault("token_ends_on", words));
        }
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
        let detail = if keeps {
            let end = stored.token_ends_on.as_deref().unwrap_or("not said");
            format!("the token of {} is kept; its end: {end}", stored.url)
        } else {
            format!("new credentials for {}, as {actor}", stored.url)
        };
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
}

fn unreached(error: &ApiError) -> String {
    format!("It cannot be reached from here: {error}.")
}
