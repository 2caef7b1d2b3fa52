//! In which language an end user is written to: the texts that a desk has for it, and who decides.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::end_user::{EndUser, IdentityKind};
use super::settings::{Desk, WindowTemplate};
use super::words;
use crate::observation::StatusRef;

/// The longest tag of a language, in characters: more than any language, script and region take
/// (RFC 5646, section 4.4.1).
const TAG_CHARS_MAX: usize = 35;

/// Digits of the beginning of a telephone number: a whole number has at most 15 (E.164).
const PREFIX_DIGITS: std::ops::RangeInclusive<usize> = 1..=15;

/// A language as BCP 47 writes it: `de`, `pt-BR`, `zh-Hant`. Written one way, so that it can be
/// compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Language(String);

impl Language {
    /// Reads one, with `-` or `_` in it. `None` if it cannot be one.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut parts = text.split(['-', '_']);
        let first = parts.next()?;
        let letters = |part: &str| part.chars().all(|c| c.is_ascii_alphabetic());
        if text.len() > TAG_CHARS_MAX || !(2..=3).contains(&first.len()) || !letters(first) {
            return None;
        }
        let mut tag = first.to_ascii_lowercase();
        for part in parts {
            if !(2..=8).contains(&part.len()) || !part.chars().all(|c| c.is_ascii_alphanumeric()) {
                return None;
            }
            tag.push('-');
            tag.push_str(&match part.len() {
                2 => part.to_ascii_uppercase(),
                4 if letters(part) => capital(part),
                _ => part.to_ascii_lowercase(),
            });
        }
        Some(Self(tag))
    }

    /// It.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As WhatsApp names the language of an approved message: `pt_BR`.
    pub fn at_the_provider(&self) -> String {
        self.0.replace('-', "_")
    }

    /// The same with its last part left out: `de` of `de-AT`.
    fn wider(&self) -> Option<Self> {
        let (wider, _) = self.0.rsplit_once('-')?;
        Some(Self(wider.to_owned()))
    }
}

fn capital(part: &str) -> String {
    let (first, rest) = part.split_at(1);
    first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What telephone numbers begin with that are of one country or network: `+49`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NumberPrefix(String);

impl NumberPrefix {
    /// Reads one, as `+49`, `0049` or `49`. `None` if it cannot be one.
    pub fn read(text: &str) -> Option<Self> {
        let text: String = text.chars().filter(|c| *c != ' ').collect();
        let digits = text.strip_prefix('+').unwrap_or(&text);
        let digits = digits.strip_prefix("00").unwrap_or(digits);
        let fits = PREFIX_DIGITS.contains(&digits.len()) && !digits.starts_with('0');
        (fits && digits.chars().all(|c| c.is_ascii_digit())).then(|| Self(format!("+{digits}")))
    }

    /// It.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a desk says in a language of its customers. What is missing here is as the desk has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    /// Which language.
    pub language: Language,
    /// Whoever's number begins with one of these is taken to speak it.
    pub numbers: Vec<NumberPrefix>,
    /// The text of every status that has none below.
    pub usual: Option<String>,
    /// By status: its text. Whether a status is told at all is for the desk to say.
    pub by_status: BTreeMap<String, String>,
    /// The approved message in this language.
    pub window_template: Option<TranslatedTemplate>,
}

/// The desk's approved message as it was approved in another language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TranslatedTemplate {
    /// Its name at the provider, if it is another one there.
    pub name: Option<String>,
    /// Its language there, if that is not called as the language of the texts.
    pub language: Option<String>,
    /// Its namespace, if it is another one.
    pub namespace: Option<String>,
    /// The values for the places in its text, if they are others. One of another name has none but
    /// these.
    pub values: Option<Vec<String>>,
    /// What it says. That the desk's own says something is no reason to show that.
    pub text: Option<String>,
}

impl TranslatedTemplate {
    /// The message, of which only what differs stands here.
    fn of(&self, own: &WindowTemplate, language: &Language) -> WindowTemplate {
        let values = match (&self.values, &self.name) {
            (Some(values), _) => values.clone(),
            (None, Some(_)) => Vec::new(),
            (None, None) => own.values.clone(),
        };
        WindowTemplate {
            name: self.name.clone().unwrap_or_else(|| own.name.clone()),
            namespace: self.namespace.clone().or_else(|| own.namespace.clone()),
            language: self
                .language
                .clone()
                .unwrap_or_else(|| language.at_the_provider()),
            values,
            text: self.text.clone(),
            by_itself: own.by_itself,
        }
    }
}

/// By what the language of an end user is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownBy {
    /// An agent said so.
    Agent,
    /// Their number begins so.
    Number(NumberPrefix),
    /// It is the desk's, for whom nothing else is known.
    Desk,
}

/// A desk as it speaks to one end user.
#[derive(Clone, Debug)]
pub struct Speaking<'d> {
    /// The desk.
    pub desk: &'d Desk,
    /// The language, if the desk or an agent names one.
    pub language: Option<Language>,
    /// By what it is known.
    pub known_by: KnownBy,
    /// The texts in it. `None`: the desk's own.
    texts: Option<&'d Texts>,
}

impl<'d> Speaking<'d> {
    /// Chooses the language: what an agent said before the number, the number before the desk.
    pub fn to(desk: &'d Desk, end_user: &EndUser) -> Self {
        let (language, known_by) = if let Some(said) = &end_user.language {
            (Some(said.clone()), KnownBy::Agent)
        } else if let Some((texts, prefix)) = by_number(desk, end_user) {
            let prefix = prefix.clone();
            (Some(texts.language.clone()), KnownBy::Number(prefix))
        } else {
            (desk.language.clone(), KnownBy::Desk)
        };
        Self {
            desk,
            texts: language.as_ref().and_then(|language| texts(desk, language)),
            language,
            known_by,
        }
    }

    /// The language of the texts that are sent, if they are not the desk's own.
    pub fn in_texts_of(&self) -> Option<&Language> {
        self.texts.map(|texts| &texts.language)
    }

    /// What is told of a status, with `{key}` and `{status}` still in it; `None` to tell nothing.
    pub fn notification(&self, status: &StatusRef) -> Option<&'d str> {
        let notifications = &self.desk.notifications;
        let own = notifications.template(status, words::STATUS_CHANGED)?;
        let Some(texts) = self.texts else {
            return Some(own);
        };
        let named = texts.by_status.iter();
        let mut named = named.filter(|(name, _)| status.is_named(name));
        let named = named.next().map(|(_, text)| text.as_str());
        Some(named.or(texts.usual.as_deref()).unwrap_or(own))
    }

    /// The approved message for after the reply window, if there is one.
    pub fn window_template(&self) -> Option<WindowTemplate> {
        let own = self.desk.window_template.as_ref()?;
        let translated = self.texts.and_then(|texts| {
            let template = texts.window_template.as_ref()?;
            Some(template.of(own, &texts.language))
        });
        Some(translated.unwrap_or_else(|| own.clone()))
    }
}

/// The texts of the language that an end user's number tells: of the longest beginning that fits.
fn by_number<'d>(desk: &'d Desk, end_user: &EndUser) -> Option<(&'d Texts, &'d NumberPrefix)> {
    let phones = end_user.identities.iter();
    let phones = phones.filter(|one| one.kind == IdentityKind::Phone);
    let fits = |prefix: &NumberPrefix| {
        let mut phones = phones.clone();
        phones.any(|phone| phone.value.starts_with(prefix.as_str()))
    };
    let all = desk.texts.iter();
    let all = all.flat_map(|texts| texts.numbers.iter().map(move |prefix| (texts, prefix)));
    all.filter(|(_, prefix)| fits(prefix))
        .max_by_key(|(_, prefix)| prefix.as_str().len())
}

/// The texts in a language, or in the one that it is a kind of.
fn texts<'d>(desk: &'d Desk, language: &Language) -> Option<&'d Texts> {
    let mut wanted = Some(language.clone());
    while let Some(language) = wanted {
        let mut all = desk.texts.iter();
        if let Some(found) = all.find(|texts| texts.language == language) {
            return Some(found);
        }
        // The desk's own texts are in this one.
        if desk.language.as_ref() == Some(&language) {
            return None;
        }
        wanted = language.wider();
    }
    None
}

/// What is wrong about the texts of a desk when each is looked at beside the others, in words.
pub fn faults(texts: &[Texts], own: Option<&WindowTemplate>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut prefixes: BTreeMap<&NumberPrefix, &Language> = BTreeMap::new();
    let mut languages: Vec<&Language> = Vec::new();
    for one in texts {
        let language = &one.language;
        if languages.contains(&language) {
            faults.push(format!("the language “{language}” stands there twice"));
        }
        languages.push(language);
        for prefix in &one.numbers {
            if let Some(other) = prefixes.insert(prefix, language)
                && other != language
            {
                let prefix = prefix.as_str();
                faults.push(format!(
                    "numbers with {prefix} are of “{other}” and of “{language}”"
                ));
            }
        }
        if one.window_template.is_some() && own.is_none() {
            faults.push(format!(
                "“{language}” has an approved message, and the desk has none"
            ));
        }
    }
    faults
}
