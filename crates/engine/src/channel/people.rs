//! What people decide about end users: who is not listened to, which Jira customer somebody is, and
//! in which language they are written to.

use std::collections::BTreeSet;
use std::sync::Arc;

use bowline_domain::messaging::end_user::{EndUser, Identity};
use bowline_domain::messaging::ids::{AccountName, DeskName, EndUserId};
use bowline_domain::messaging::language::{KnownBy, Language, Speaking};
use bowline_jira::Deployment;
use bowline_net::{ApiError, ErrorKind, Reply};
use bowline_store::StoreError;

use crate::config::DeskConfig;
use crate::health;
use crate::pace::Priority;
use crate::registry::Site;
use crate::shared::Shared;

/// A Jira customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The account id, or the user name on Data Center.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// The e-mail address, where Jira tells it.
    pub email: Option<String>,
}

/// In which language an end user is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The desk that it is asked of: the one of their newest conversation, else the first of the
    /// account.
    pub desk: DeskName,
    /// The language, if anything says one.
    pub language: Option<Language>,
    /// What says so.
    pub known_by: KnownBy,
    /// The language of the texts that are sent, if they are not the desk's own.
    pub in_texts_of: Option<Language>,
}

/// Why what a person decided about an end user was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// There is no such end user.
    #[error("there is no such end user")]
    NoSuchEndUser,
    /// It is no language.
    #[error("“{0}” is no language; write it as de, en or pt-BR")]
    NoLanguage(String),
    /// There is no such channel account.
    #[error("there is no such channel account")]
    NoSuchAccount,
    /// It is no telephone number.
    #[error("a telephone number in its international form is needed, as +31 6 12345678")]
    NoNumber,
    /// No desk of the account is configured, so it is not known in which Jira to look.
    #[error("no desk is configured for this channel account")]
    NoDesk,
    /// There is no such customer in Jira.
    #[error("Jira knows no customer “{0}”, or Bowline's account may not see them")]
    NoSuchCustomer(String),
    /// More than one customer fits.
    #[error("more than one customer fits “{0}”; give the account id or the whole e-mail address")]
    SeveralCustomers(String),
    /// Jira did not answer as needed.
    #[error("Jira could not be asked: {0}")]
    Jira(ApiError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Shared {
    /// Blocks an end user, or lets them in again. What a blocked person writes is not taken over,
    /// with that as its reason; what was taken over stays.
    ///
    /// # Errors
    /// There is no such end user, or the store fails.
    pub async fn block_end_user(
        &self,
        account: &AccountName,
        end_user: &EndUserId,
        blocked: bool,
    ) -> Result<(), PeopleError> {
        let done = self
            .store
            .end_user_blocked(account.clone(), end_user.clone(), blocked)
            .await?;
        if done {
            Ok(())
        } else {
            Err(PeopleError::NoSuchEndUser)
        }
    }

    /// Blocks whoever has a telephone number, who may never have written. Answers who that is.
    ///
    /// # Errors
    /// It is no number, there is no such account, or the store fails.
    pub async fn block_number(
        &self,
        account: &AccountName,
        number: &str,
    ) -> Result<EndUserId, PeopleError> {
        if !self.registry().accounts.contains_key(account) {
            return Err(PeopleError::NoSuchAccount);
        }
        let identity = Identity::phone(number).ok_or(PeopleError::NoNumber)?;
        let identities = [identity];
        if let Some(known) = self.store.end_user_by(account, &identities).await? {
            self.block_end_user(account, &known, true).await?;
            return Ok(known);
        }
        let new = EndUser::new(account, &identities, None).ok_or(PeopleError::NoNumber)?;
        let id = new.id.clone();
        self.store
            .end_user_barred(account.clone(), new, self.now())
            .await?;
        Ok(id)
    }

    /// Records which Jira customer an end user is, from their next request on: by account id, user
    /// name (Data Center) or e-mail address, which is looked up in Jira first. `None`: nobody.
    ///
    /// # Errors
    /// See [`PeopleError`].
    pub async fn tie_to_customer(
        &self,
        account: &AccountName,
        end_user: &EndUserId,
        who: Option<&str>,
    ) -> Result<Option<Customer>, PeopleError> {
        let customer = match who.map(str::trim).filter(|who| !who.is_empty()) {
            Some(who) => Some(self.find_customer(account, end_user, who).await?),
            None => None,
        };
        let id = customer.as_ref().map(|customer| customer.id.clone());
        let done = self
            .store
            .end_user_tied(account.clone(), end_user.clone(), id)
            .await?;
        if done {
            Ok(customer)
        } else {
            Err(PeopleError::NoSuchEndUser)
        }
    }

    /// Records in which language an end user is written to, from the next message on; empty for what
    /// their number or the desk says.
    ///
    /// # Errors
    /// It is no language, there is no such end user, or the store fails.
    pub async fn speak_to_end_user(
        &self,
        account: &AccountName,
        end_user: &EndUserId,
        language: &str,
    ) -> Result<Option<Language>, PeopleError> {
        let language = match language.trim() {
            "" => None,
            text => {
                let read = Language::read(text);
                Some(read.ok_or_else(|| PeopleError::NoLanguage(text.to_owned()))?)
            }
        };
        let done = self
            .store
            .end_user_spoken_to(account.clone(), end_user.clone(), language.clone())
            .await?;
        if done {
            Ok(language)
        } else {
            Err(PeopleError::NoSuchEndUser)
        }
    }

    /// In which language an end user is written to; `None` if no desk of their account is
    /// configured.
    ///
    /// # Errors
    /// The store fails.
    pub async fn spoken_to(
        &self,
        account: &AccountName,
        end_user: &EndUser,
    ) -> Result<Option<Spoken>, StoreError> {
        let latest = self.store.latest_talk(account, &end_user.id).await?;
        let registry = self.registry();
        let served = latest.and_then(|latest| registry.desk_for(account, &latest));
        let first = || {
            let mut desks = registry.desks.iter();
            desks.find(|config| config.desk.account == *account)
        };
        let Some(config) = served.or_else(first) else {
            return Ok(None);
        };
        let speaking = Speaking::to(&config.desk, end_user);
        Ok(Some(Spoken {
            desk: config.desk.name.clone(),
            in_texts_of: speaking.in_texts_of().cloned(),
            language: speaking.language,
            known_by: speaking.known_by,
        }))
    }

    /// The languages in which the desks of an account have texts, in the order of the alphabet.
    pub fn languages_of(&self, account: &AccountName) -> Vec<Language> {
        let registry = self.registry();
        let desks = registry.desks.iter().map(|config| &config.desk);
        let ours = desks.filter(|desk| desk.account == *account);
        let all = ours.flat_map(|desk| {
            let texts = desk.texts.iter().map(|texts| &texts.language);
            desk.language.iter().chain(texts)
        });
        let all: BTreeSet<Language> = all.cloned().collect();
        all.into_iter().collect()
    }

    async fn find_customer(
        &self,
        account: &AccountName,
        end_user: &EndUserId,
        who: &str,
    ) -> Result<Customer, PeopleError> {
        let (site, desk) = self.site_of(account, end_user).await?;
        if who.contains('@') {
            return self.customer_by_email(&site, &desk, who).await;
        }
        match self.ask_site(&site, site.client.user(who)).await {
            Ok(person) => Ok(customer(person)),
            Err(PeopleError::Jira(error)) if error.kind == ErrorKind::NotFound => {
                Err(PeopleError::NoSuchCustomer(who.to_owned()))
            }
            Err(error) => Err(error),
        }
    }

    /// The customers of a desk whose name or address fits, as Jira finds them. On Cloud addresses
    /// are hidden, so one that alone fits a whole address is taken for it.
    async fn customer_by_email(
        &self,
        site: &Arc<Site>,
        desk: &DeskConfig,
        email: &str,
    ) -> Result<Customer, PeopleError> {
        let key = &desk.service_desk;
        let service_desk = self.ask_site(site, site.client.service_desk(key)).await?;
        let call = site.client.customers(&service_desk.id, email, None);
        let found = self.ask_site(site, call).await?.items;
        let same = |one: &bowline_jira::Person| {
            one.email
                .as_deref()
                .is_none_or(|known| known.eq_ignore_ascii_case(email))
        };
        let hidden = site.client.deployment() == Deployment::Cloud;
        let mut fitting: Vec<_> = found
            .into_iter()
            .filter(|one| same(one) && (hidden || one.email.is_some()))
            .collect();
        match (fitting.pop(), fitting.is_empty()) {
            (Some(one), true) => Ok(customer(one)),
            (None, _) => Err(PeopleError::NoSuchCustomer(email.to_owned())),
            (Some(_), false) => Err(PeopleError::SeveralCustomers(email.to_owned())),
        }
    }

    /// The site and the desk of an end user: of their newest conversation, else the account's first.
    async fn site_of(
        &self,
        account: &AccountName,
        end_user: &EndUserId,
    ) -> Result<(Arc<Site>, Arc<DeskConfig>), PeopleError> {
        let registry = self.registry();
        let latest = self.store.latest_talk(account, end_user).await?;
        let desk = latest
            .and_then(|latest| registry.desk(&latest.desk))
            .or_else(|| {
                let mut desks = registry.desks.iter();
                desks.find(|config| config.desk.account == *account)
            })
            .ok_or(PeopleError::NoDesk)?;
        let site = registry
            .sites
            .get(&desk.desk.site)
            .ok_or(PeopleError::NoDesk)?;
        Ok((Arc::clone(site), Arc::clone(desk)))
    }

    async fn ask_site<T>(
        &self,
        site: &Site,
        call: impl Future<Output = Result<Reply<T>, ApiError>>,
    ) -> Result<T, PeopleError> {
        let standing = &site.standing;
        standing
            .pace
            .turn(Priority::Interactive, &*self.clock)
            .await;
        match call.await {
            Ok(reply) => {
                standing.pace.learn(&reply.limits);
                Ok(reply.value)
            }
            Err(error) => {
                standing.pace.failed();
                health::take_in(self, standing, &error).await;
                Err(PeopleError::Jira(error))
            }
        }
    }
}

fn customer(person: bowline_jira::Person) -> Customer {
    Customer {
        id: person.id,
        name: person.name,
        email: person.email,
    }
}
