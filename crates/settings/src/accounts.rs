//! Accounts at messaging providers: their keys are tried before they are kept.

use bowline_access::{ChangeRefusal, Fault, Granted, ManageConnections, What};
use bowline_domain::connection::Connection;
use bowline_domain::messaging::ids::AccountName;
use bowline_engine::AccountConfig;
use bowline_engine::desk::try_account;
use bowline_net::{ApiError, ErrorKind};
use secrecy::{ExposeSecret as _, SecretString};

use crate::check::{self, Finding};
use crate::connect::{Connected, taken};
use crate::forms::{address, name, secret};
use crate::merge::Aside;
use crate::merge_desk::account_config;
use crate::service::{Settings, fault, sealed_account};
use crate::stored::{Kind, Versioned};
use crate::stored_desk::{AccountSecrets, POLL_SECONDS, StoredAccount, StoredProvider};

/// How often messages may be looked for, in seconds: the bounds of the configuration file.
const POLL_SECONDS_MIN: u32 = 10;
/// The other bound.
const POLL_SECONDS_MAX: u32 = 86_400;

/// An account as someone typed it.
#[derive(Clone, Debug, Default)]
pub struct AccountForm {
    /// Its name here; the provider's if left out.
    pub name: String,
    /// `messagebird` or `whatsapp`.
    pub provider: String,
    /// The access key, or Meta's token. Left out of a change, the one that is kept stays.
    pub access_key: String,
    /// The signing key, or the app secret. Left out of a change, the one that is kept stays.
    pub signing_key: String,
    /// What Meta names when it asks for the webhook's address; made by us if left out.
    pub verify_token: String,
    /// WhatsApp's id of a phone number.
    pub phone_number_id: String,
    /// Where the API is reached, if elsewhere.
    pub api_url: String,
    /// Is the webhook registered by us?
    pub register_webhook: bool,
    /// How often messages are looked for; the usual time if left out.
    pub poll_seconds: String,
}

impl AccountForm {
    /// An empty form.
    pub fn new(provider: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            register_webhook: true,
            ..Self::default()
        }
    }

    /// What is kept, as someone would type it. Secrets are left out.
    pub fn of(name: &str, stored: &StoredAccount) -> Self {
        Self {
            name: name.to_owned(),
            provider: stored.provider.provider().as_str().to_owned(),
            phone_number_id: stored.phone_number_id.clone().unwrap_or_default(),
            api_url: stored.api_url.clone().unwrap_or_default(),
            register_webhook: stored.register_webhook,
            poll_seconds: if stored.poll_seconds == POLL_SECONDS {
                String::new()
            } else {
                stored.poll_seconds.to_string()
            },
            ..Self::default()
        }
    }
}

/// The same, read.
struct AccountRead {
    name: String,
    stored: StoredAccount,
    access_key: Option<SecretString>,
    signing_key: Option<SecretString>,
    verify_token: Option<SecretString>,
}

/// An account as pages show it.
#[derive(Clone, Debug)]
pub struct AccountNow {
    /// Its name.
    pub name: AccountName,
    /// What is kept of it; `None` if the file declares it.
    pub kept: Option<Versioned<StoredAccount>>,
    /// What is in use; `None` if it is set aside.
    pub config: Option<AccountConfig>,
    /// Why it is not in use.
    pub aside: Option<Aside>,
}

/// Reads a form. `is_new`: secrets have to be given.
fn read(form: &AccountForm, is_new: bool) -> Result<AccountRead, Vec<Fault>> {
    let mut faults = Vec::new();
    let provider = match form.provider.trim() {
        "messagebird" => Some(StoredProvider::MessageBird),
        "whatsapp" => Some(StoredProvider::WhatsApp),
        _ => {
            let words = "Choose messagebird or whatsapp.";
            faults.push(Fault::new("provider", words));
            None
        }
    };
    let is_whatsapp = provider == Some(StoredProvider::WhatsApp);
    let mut optional = |field, text: &str, needed: bool| {
        if needed || !text.trim().is_empty() {
            secret(field, text, &mut faults)
        } else {
            None
        }
    };
    let access_key = optional("access_key", &form.access_key, is_new);
    let signing_key = optional("signing_key", &form.signing_key, is_new);
    let verify_token = optional("verify_token", &form.verify_token, false);
    let phone = form.phone_number_id.trim();
    let is_id = !phone.is_empty() && phone.bytes().all(|byte| byte.is_ascii_digit());
    if is_whatsapp && !is_id {
        let words = "Copy the phone number id from Meta: WhatsApp > API setup. It has digits only, \
                     and is not the number itself.";
        faults.push(Fault::new("phone_number_id", words));
    }
    let api_url = address("api_url", &form.api_url, &mut faults);
    let poll = match form.poll_seconds.trim() {
        "" => Some(POLL_SECONDS),
        text => text
            .parse()
            .ok()
            .filter(|poll| (POLL_SECONDS_MIN..=POLL_SECONDS_MAX).contains(poll)),
    };
    if poll.is_none() {
        let words =
            format!("Write a number of seconds from {POLL_SECONDS_MIN} to {POLL_SECONDS_MAX}.");
        faults.push(Fault::new("poll_seconds", words));
    }
    let fallback = provider.map_or("", |provider| provider.provider().as_str());
    let name = name(&form.name, "", fallback, &mut faults);
    match (provider, poll) {
        (Some(provider), Some(poll_seconds)) if faults.is_empty() => Ok(AccountRead {
            name,
            stored: StoredAccount {
                provider,
                api_url: api_url.map(|url| url.as_str().trim_end_matches('/').to_owned()),
                phone_number_id: is_whatsapp.then(|| phone.to_owned()),
                register_webhook: form.register_webhook,
                poll_seconds,
            },
            access_key,
            signing_key,
            verify_token: verify_token.filter(|_| is_whatsapp),
        }),
        _ => Err(faults),
    }
}

impl Settings {
    /// All channel accounts, by name; those that are set aside too.
    pub fn accounts(&self) -> Vec<AccountNow> {
        let present = self.present();
        let aside = &present.merged.accounts;
        let row = |name: &AccountName| {
            let mut kept = present.kept.accounts.iter();
            let found = kept.find(|(known, ..)| known == name);
            found.map(|(_, row, _)| row.clone())
        };
        let in_use = present.merged.config.accounts.iter().map(|config| {
            let declared = aside.iter().any(|(name, _)| *name == config.name);
            AccountNow {
                name: config.name.clone(),
                kept: row(&config.name).filter(|_| !declared),
                config: Some(config.clone()),
                aside: None,
            }
        });
        let set_aside = aside
            .iter()
            // The declared one is there already.
            .filter(|(_, why)| *why != Aside::Declared)
            .map(|(name, why)| AccountNow {
                name: name.clone(),
                kept: row(name),
                config: None,
                aside: Some(why.clone()),
            });
        let mut all: Vec<AccountNow> = in_use.chain(set_aside).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// One channel account.
    pub fn account(&self, name: &str) -> Option<AccountNow> {
        let mut all = self.accounts().into_iter();
        all.find(|one| one.name.as_str() == name)
    }

    pub(crate) fn account_in_use(&self, name: &AccountName) -> Option<AccountConfig> {
        let present = self.present();
        let accounts = &present.merged.config.accounts;
        accounts.iter().find(|one| one.name == *name).cloned()
    }

    fn kept_account(
        &self,
        name: &str,
    ) -> Result<(Versioned<StoredAccount>, Result<AccountSecrets, String>), ChangeRefusal> {
        let present = self.present();
        let mut kept = present.kept.accounts.iter();
        let found = kept.find(|(known, ..)| known.as_str() == name);
        if let Some((_, row, secrets)) = found {
            return Ok((row.clone(), secrets.clone()));
        }
        if self.account(name).is_some() {
            let words = format!(
                "The configuration file declares it ([[channel_account]] name = \"{name}\"), so it \
                 is changed there."
            );
            return Err(fault("form", words));
        }
        Err(ChangeRefusal::Gone)
    }

    /// Tries an account's key and keeps it.
    ///
    /// # Errors
    /// What is wrong with the form or the key, by field.
    pub async fn add_account(
        &self,
        by: &Granted<ManageConnections>,
        form: &AccountForm,
    ) -> Result<Connected, ChangeRefusal> {
        let read = read(form, true).map_err(ChangeRefusal::Faults)?;
        let known = self.present();
        let mut kept = known.kept.accounts.iter();
        let is_taken = kept.any(|(name, ..)| name.as_str() == read.name);
        if is_taken || self.account(&read.name).is_some() {
            let words = taken(&read.name, form.name.trim().is_empty());
            return Err(fault("name", words));
        }
        let (Some(access_key), Some(signing_key)) = (read.access_key, read.signing_key) else {
            return Err(ChangeRefusal::Gone);
        };
        let made = (read.stored.provider == StoredProvider::WhatsApp)
            .then(|| self.inner.access.new_secret().into());
        let secrets = AccountSecrets {
            access_key,
            signing_key,
            signing_key_previous: None,
            verify_token: read.verify_token.or(made),
        };
        let actor = self.try_keys(&read.name, &read.stored, &secrets).await?;
        let detail = format!("a channel account{}", known_as(actor.as_deref()));
        self.put(
            (Kind::Account, &read.name),
            None,
            &read.stored,
            Some(&sealed_account(&secrets)),
            (by.who(), What::ConnectionAdded, &detail),
        )
        .await?;
        self.test_soon(Connection::Account(AccountName::new(read.name.as_str())));
        Ok(Connected {
            name: read.name,
            actor: actor.unwrap_or_default(),
        })
    }

    /// Tries new keys of an account and keeps them. What is left out stays.
    ///
    /// # Errors
    /// What is wrong with the form or the keys, by field.
    pub async fn change_account(
        &self,
        by: &Granted<ManageConnections>,
        (name, from): (&str, i64),
        form: &AccountForm,
    ) -> Result<Connected, ChangeRefusal> {
        let (row, before) = self.kept_account(name)?;
        if row.version != from {
            return Err(ChangeRefusal::Overtaken);
        }
        let form = AccountForm {
            name: name.to_owned(),
            // Conversations are stored under the account; another provider is another account.
            provider: row.value.provider.provider().as_str().to_owned(),
            ..form.clone()
        };
        // Secrets that cannot be read have to be entered again.
        let read = read(&form, before.is_err()).map_err(ChangeRefusal::Faults)?;
        let secrets = changed_secrets(&read, before.ok())?;
        let actor = self.try_keys(name, &read.stored, &secrets).await?;
        let mut changed: Vec<&str> = Vec::new();
        for (what, given) in [
            ("access key", read.access_key.is_some()),
            ("signing key", read.signing_key.is_some()),
            ("verify token", read.verify_token.is_some()),
            ("settings", read.stored != row.value),
        ] {
            if given {
                changed.push(what);
            }
        }
        let detail = format!("new: {}", changed.join(", "));
        self.put(
            (Kind::Account, name),
            Some(from),
            &read.stored,
            Some(&sealed_account(&secrets)),
            (by.who(), What::ConnectionChanged, &detail),
        )
        .await?;
        self.test_soon(Connection::Account(AccountName::new(name)));
        Ok(Connected {
            name: name.to_owned(),
            actor: actor.unwrap_or_default(),
        })
    }

    async fn try_keys(
        &self,
        name: &str,
        stored: &StoredAccount,
        secrets: &AccountSecrets,
    ) -> Result<Option<String>, ChangeRefusal> {
        let name = AccountName::new(name);
        let config = account_config(&self.inner.public_url, &name, stored, secrets)
            .map_err(|aside| fault("api_url", aside.words()))?;
        let channel = stored.phone_number_id.as_deref();
        try_account(&self.inner.transport, &config, channel)
            .await
            .map_err(|error| refused(stored.provider, &error))
    }

    pub(crate) async fn test_account(&self, account: &AccountConfig) -> Vec<Finding> {
        let present = self.present();
        let mut kept = present.kept.accounts.iter();
        let row = kept.find(|(name, ..)| *name == account.name);
        let typed = row.and_then(|(_, row, _)| row.value.phone_number_id.clone());
        let named = present.merged.config.desks.iter().find_map(|desk| {
            use bowline_domain::messaging::settings::Channels;
            match &desk.desk.channels {
                Channels::Only(named) if desk.desk.account == account.name => {
                    named.first().map(ToString::to_string)
                }
                _ => None,
            }
        });
        let channel = typed.or(named);
        let found = try_account(&self.inner.transport, account, channel.as_deref()).await;
        let key = match found {
            Ok(actor) => {
                let words = format!("the key works{}", known_as(actor.as_deref()));
                Finding::good("the key", words)
            }
            Err(error) => Finding::bad(
                "the key",
                format!("{error}. Take the access key from the provider's dashboard."),
            ),
        };
        let clock = check::clock(&self.inner.transport, &account.api_url, self.now()).await;
        vec![key, clock]
    }

    /// What Meta has to name when it asks for the webhook's address, of an account that is kept.
    pub fn verify_token(
        &self,
        _by: &Granted<ManageConnections>,
        name: &AccountName,
    ) -> Option<SecretString> {
        let (_, secrets) = self.kept_account(name.as_str()).ok()?;
        secrets.ok()?.verify_token
    }
}

/// The secrets after a change: what was given, else what is kept. The signing key before is
/// accepted until the next change, so that no delivery on its way is lost.
fn changed_secrets(
    read: &AccountRead,
    before: Option<AccountSecrets>,
) -> Result<AccountSecrets, ChangeRefusal> {
    let given = (read.access_key.clone(), read.signing_key.clone());
    let Some(before) = before else {
        let (Some(access_key), Some(signing_key)) = given else {
            return Err(ChangeRefusal::Gone);
        };
        return Ok(AccountSecrets {
            access_key,
            signing_key,
            signing_key_previous: None,
            verify_token: read.verify_token.clone(),
        });
    };
    let is_new = read
        .signing_key
        .as_ref()
        .is_some_and(|new| new.expose_secret() != before.signing_key.expose_secret());
    Ok(AccountSecrets {
        access_key: given.0.unwrap_or(before.access_key),
        signing_key_previous: if is_new {
            Some(before.signing_key.clone())
        } else {
            before.signing_key_previous
        },
        signing_key: given.1.unwrap_or(before.signing_key),
        verify_token: read.verify_token.clone().or(before.verify_token),
    })
}

fn known_as(actor: Option<&str>) -> String {
    actor.map_or_else(String::new, |actor| format!(", for {actor}"))
}

/// A refusal beside the field that it is about.
fn refused(provider: StoredProvider, error: &ApiError) -> ChangeRefusal {
    let place = match provider {
        StoredProvider::MessageBird => {
            "Copy the live access key from MessageBird's dashboard: Developers > API access."
        }
        StoredProvider::WhatsApp => {
            "Make a token of a system user at Meta, with whatsapp_business_messaging."
        }
    };
    match error.kind {
        ErrorKind::Auth | ErrorKind::Permission => {
            let words = format!("The provider refuses it. {place} ({error})");
            fault("access_key", words)
        }
        ErrorKind::Transient | ErrorKind::UnknownOutcome => fault(
            "api_url",
            format!("It cannot be reached from here: {error}."),
        ),
        _ if provider == StoredProvider::WhatsApp => {
            let words = format!("Meta knows no phone number of this id for this token. ({error})");
            fault("phone_number_id", words)
        }
        _ => fault(
            "api_url",
            format!("The provider does not answer there as it should: {error}."),
        ),
    }
}
