//! Tokens of the REST API.

use bowline_domain::time::Millis;
use bowline_store::access::ApiToken;

use crate::accounts::{ChangeRefusal, Fault};
use crate::audit::What;
use crate::permission::{Granted, OwnAccount, Who};
use crate::role::Person;
use crate::secret::digest;
use crate::sign_in::Visit;
use crate::{Access, AccessError};

/// How long a token may last, in days.
pub const TOKEN_DAYS_MAX: i64 = 365;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What every token begins with, so that people and scanners know one.
const TOKEN_PREFIX: &str = "bowline_";

/// Letters of a token by which its owner knows it.
const HINT_LETTERS: usize = TOKEN_PREFIX.len() + 4;

/// The longest name of a token, in letters.
const NAME_LETTERS_MAX: usize = 100;

/// The use of a token is noted at most so often, in milliseconds.
const USED_EVERY_MS: i64 = 5 * 60 * 1_000;

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Read connections, deliveries, links, problems.
    Read,
    /// Link and unlink conversations.
    Links,
    /// Write internal notes into linked conversations.
    Notes,
    /// Answer customers in linked conversations.
    Answers,
    /// Decide deliveries again.
    Replay,
    /// Read the audit log.
    Audit,
    /// Work on feedback tickets.
    Feedback,
    /// Change connections and the settings of projects.
    Settings,
    /// Decide about messages that reached nobody, and about end users.
    Talks,
    /// Read, edit, copy and erase contacts, as far as the owner may.
    Contacts,
    /// Add people, change their roles, end their sessions.
    People,
    /// Change the owner's own password, sessions and second factor.
    Account,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Read,
        Self::Links,
        Self::Notes,
        Self::Answers,
        Self::Replay,
        Self::Audit,
        Self::Settings,
        Self::Talks,
        Self::Contacts,
        Self::Feedback,
        Self::People,
        Self::Account,
    ];

    /// The word for storage and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Links => "links",
            Self::Notes => "notes",
            Self::Answers => "answers",
            Self::Replay => "replay",
            Self::Audit => "audit",
            Self::Feedback => "feedback",
            Self::Settings => "settings",
            Self::Talks => "talks",
            Self::Contacts => "contacts",
            Self::People => "people",
            Self::Account => "account",
        }
    }

    /// What it allows, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Read => "Read connections, deliveries, links and problems",
            Self::Links => "Link and unlink conversations",
            Self::Notes => "Write internal notes into linked conversations",
            Self::Answers => "Answer customers in linked conversations",
            Self::Replay => "Decide deliveries again",
            Self::Audit => "Read the audit log",
            Self::Feedback => "Work on feedback tickets",
            Self::Settings => "Change the settings of projects",
            Self::Talks => "Decide about messages and end users",
            Self::People => "Add people, change their roles and end their sessions",
            Self::Account => "Change your own password, sessions and second factor",
            Self::Contacts => "Read and edit contacts; of administrators also copy and erase them",
        }
    }

    /// The reverse of [`Scope::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// The scopes of a stored token.
pub(crate) fn scopes(words: &str) -> Vec<Scope> {
    words.split(' ').filter_map(Scope::from_word).collect()
}

/// A token as someone asked for it.
#[derive(Clone, Debug, Default)]
pub struct TokenForm {
    /// What it is for.
    pub name: String,
    /// The words of its scopes.
    pub scopes: Vec<String>,
    /// How many days it lasts.
    pub days: String,
}

impl TokenForm {
    fn read(&self) -> Result<(String, Vec<Scope>, i64), Vec<Fault>> {
        let mut faults = Vec::new();
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME_LETTERS_MAX {
            let words = format!("Say what it is for, in at most {NAME_LETTERS_MAX} letters.");
            faults.push(Fault::new("name", words));
        }
        let mut chosen: Vec<Scope> = Scope::ALL.to_vec();
        chosen.retain(|scope| self.scopes.iter().any(|word| word == scope.as_str()));
        if chosen.is_empty() {
            faults.push(Fault::new("scopes", "Choose at least one."));
        }
        let days = self.days.trim().parse().unwrap_or(0);
        if !(1..=TOKEN_DAYS_MAX).contains(&days) {
            let words = format!("Write a number of days from 1 to {TOKEN_DAYS_MAX}.");
            faults.push(Fault::new("days", words));
        }
        if faults.is_empty() {
            Ok((name, chosen, days))
        } else {
            Err(faults)
        }
    }
}

/// A token that was made. Shown once.
#[derive(Debug)]
pub struct NewToken {
    /// Its name.
    pub name: String,
    /// The token itself.
    pub token: String,
    /// When it ends.
    pub ends_at: Millis,
}

impl Access {
    /// The tokens of the person themselves, newest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn own_tokens(
        &self,
        _by: &Granted<OwnAccount>,
        visit: &Visit,
    ) -> Result<Vec<ApiToken>, AccessError> {
        Ok(self.store().tokens_of(visit.person.id).await?)
    }

    /// Makes a token.
    ///
    /// # Errors
    /// Something in the form is wrong, or the store fails.
    pub async fn make_token(
        &self,
        by: &Granted<OwnAccount>,
        visit: &Visit,
        form: &TokenForm,
    ) -> Result<NewToken, ChangeRefusal> {
        let (name, scopes, days) = form.read().map_err(ChangeRefusal::Faults)?;
        let secret = format!("{TOKEN_PREFIX}{}", self.new_secret());
        let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let ends_at = self.now().plus_ms(days * DAY_MS);
        let token = ApiToken {
            id: 0,
            key: digest(&secret),
            account: visit.person.id,
            name: name.clone(),
            hint: secret.chars().take(HINT_LETTERS).collect(),
            scopes: words.join(" "),
            made_at: self.now(),
            ends_at,
            used_at: None,
            ended_at: None,
        };
        let detail = format!("may {}; lasts {days} days", words.join(", "));
        let entry = self.entry(by.who(), What::TokenMade, name.clone(), detail);
        self.store().add_token(token, entry).await?;
        Ok(NewToken {
            name,
            token: secret,
            ends_at,
        })
    }

    /// Ends a token of the person themselves. Answers whether there was one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn end_token(
        &self,
        by: &Granted<OwnAccount>,
        visit: &Visit,
        id: i64,
    ) -> Result<bool, AccessError> {
        let tokens = self.own_tokens(by, visit).await?;
        let Some(token) = tokens.into_iter().find(|token| token.id == id) else {
            return Ok(false);
        };
        let entry = self.entry(by.who(), What::TokenEnded, token.name, token.hint);
        Ok(self.store().end_token(id, visit.person.id, entry).await?)
    }

    /// Who holds this token; `None` if there is no such token, or it ended.
    ///
    /// # Errors
    /// The store fails.
    pub async fn token(&self, secret: &str) -> Result<Option<Who>, AccessError> {
        if !secret.starts_with(TOKEN_PREFIX) {
            return Ok(None);
        }
        let now = self.now();
        let Some((token, account)) = self.store().token(&digest(secret), now).await? else {
            return Ok(None);
        };
        if token
            .used_at
            .is_none_or(|at| now.since(at) >= USED_EVERY_MS)
        {
            self.store().token_used(token.id, now).await?;
        }
        Ok(Some(Who::Token {
            person: Person::of(&account)?,
            name: token.name,
            scopes: scopes(&token.scopes),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_token_is_said_by_field() {
        let form = |name: &str, scopes: &[&str], days: &str| TokenForm {
            name: name.to_owned(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            days: days.to_owned(),
        };
        let fields = |form: TokenForm| -> Vec<&str> {
            let faults = form.read().err().unwrap_or_default();
            faults.iter().map(|fault| fault.field).collect()
        };
        assert_eq!(fields(form("report", &["read"], "90")), Vec::<&str>::new());
        assert_eq!(fields(form("", &["root"], "0")), ["name", "scopes", "days"]);
        assert_eq!(fields(form("a", &["read", "links"], "366")), ["days"]);
        assert_eq!(fields(form("a", &["read"], "many")), ["days"]);
    }
}
