//! What surrounds every page: title, navigation, search, who is signed in.

use std::borrow::Cow;

use bowline_access::{ManagePeople, ReadAudit, SeeContacts, Visit};

use crate::assets::{ICON, SCRIPT, STYLE};
use crate::reader::Reader;

/// Where in the navigation a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Overview,
    Deliveries,
    Why,
    Links,
    Talks,
    Problems,
    Feedback,
    Products,
    Bindings,
    Connections,
    Contacts,
    People,
    Audit,
    Account,
    Tokens,
    Help,
    Elsewhere,
}

/// An entry of the navigation.
pub(crate) struct Entry {
    pub(crate) path: &'static str,
    pub(crate) title: &'static str,
    /// The letter that leads there after `g`.
    pub(crate) letter: &'static str,
    pub(crate) here: bool,
}

/// The entries of the navigation: place, address, title, and the letter that leads there after `g`.
const PLACES: [(Place, &str, &str, &str); 13] = [
    (Place::Overview, "/", "Overview", "o"),
    (Place::Deliveries, "/deliveries", "Deliveries", "d"),
    (Place::Why, "/why", "Why nothing?", "w"),
    (Place::Links, "/links", "Links", "l"),
    (Place::Talks, "/conversations", "Messaging", "m"),
    (Place::Problems, "/problems", "Problems", "p"),
    (Place::Feedback, "/feedback", "Feedback", "f"),
    (Place::Products, "/products", "Products", "r"),
    (Place::Connections, "/connections", "Connections", "c"),
    (Place::Bindings, "/bindings", "Projects", "j"),
    (Place::Contacts, "/contacts", "Contacts", "t"),
    (Place::People, "/people", "People", "u"),
    (Place::Audit, "/audit", "Audit log", "a"),
];

/// What surrounds a page.
pub(crate) struct Shell {
    pub(crate) title: String,
    /// Who is signed in: name and role.
    pub(crate) person: Option<(String, &'static str)>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) form_token: String,
    pub(crate) colours: &'static str,
    pub(crate) contrast: &'static str,
    pub(crate) zone: String,
    pub(crate) here: Place,
    /// What was just done, in words.
    pub(crate) notice: Option<Cow<'static, str>>,
    /// What stands in the search field.
    pub(crate) sought: String,
    pub(crate) style: &'static str,
    pub(crate) script: &'static str,
    pub(crate) icon: &'static str,
}

impl Shell {
    /// For someone who is signed in.
    pub(crate) fn of(visit: &Visit, reader: &Reader, title: String, here: Place) -> Self {
        let who = visit.who();
        let entries = PLACES
            .into_iter()
            .filter(|(place, ..)| match place {
                Place::Contacts => who.may::<SeeContacts>(),
                Place::People => who.may::<ManagePeople>(),
                Place::Audit => who.may::<ReadAudit>(),
                _ => true,
            })
            .map(|(place, path, title, letter)| Entry {
                path,
                title,
                letter,
                here: place == here,
            });
        Self {
            person: Some((visit.person.name.clone(), visit.person.role.kind().title())),
            entries: entries.collect(),
            form_token: visit.form_token.clone(),
            here,
            ..Self::bare(reader, title)
        }
    }

    /// For someone who is not.
    pub(crate) fn bare(reader: &Reader, title: String) -> Self {
        Self {
            title,
            person: None,
            entries: Vec::new(),
            form_token: String::new(),
            colours: reader.colours.as_str(),
            contrast: if reader.contrast { "more" } else { "system" },
            zone: reader.zone_name(),
            here: Place::Elsewhere,
            notice: None,
            sought: String::new(),
            style: &STYLE.path,
            script: &SCRIPT.path,
            icon: &ICON.path,
        }
    }

    /// With words about what was just done.
    #[must_use]
    pub(crate) fn noting(mut self, notice: Option<&'static str>) -> Self {
        self.notice = notice.map(Cow::Borrowed);
        self
    }

    /// With words of this one occasion, in place of those that are always said.
    #[must_use]
    pub(crate) fn telling(mut self, words: Option<String>) -> Self {
        if let Some(words) = words {
            self.notice = Some(Cow::Owned(words));
        }
        self
    }

    pub(crate) fn is(&self, place: &str) -> bool {
        format!("{:?}", self.here).to_lowercase() == place
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_letter_leads_to_one_place() {
        let letters: BTreeSet<&str> = PLACES.iter().map(|(.., letter)| *letter).collect();
        assert_eq!(letters.len(), PLACES.len());
    }
}
