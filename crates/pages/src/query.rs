//! The part of an address after the question mark.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use url::form_urlencoded::{self, Serializer};

/// The name under which a page is told what was done.
pub(crate) const DONE: &str = "done";

/// What an address asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// What is asked for by this name, without blanks around it; nothing if there is none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The same, empty if there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// All that is asked for by this name.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let named = self.0.iter().filter(|(known, _)| known == name);
        named
            .map(|(_, value)| value.trim().to_owned())
            .filter(|value| !value.is_empty())
            .collect()
    }

    /// An address with the same but for one name, which is added last. What was done is said once:
    /// it goes along to no other page.
    pub(crate) fn with(&self, path: &str, name: &str, value: &str) -> String {
        let mut query = Serializer::new(String::new());
        let others = self
            .0
            .iter()
            .filter(|(known, value)| known != name && known != DONE && !value.is_empty());
        for (known, value) in others {
            query.append_pair(known, value);
        }
        query.append_pair(name, value);
        format!("{path}?{}", query.finish())
    }

    /// An address with the same but for one name, which is added last, and without these names.
    pub(crate) fn at(&self, path: &str, name: &str, value: &str, left: &[&str]) -> String {
        let stays = |(known, _): &&(String, String)| !left.contains(&known.as_str());
        let kept = Self(self.0.iter().filter(stays).cloned().collect());
        kept.with(path, name, value)
    }

    /// The same, of these names only.
    pub(crate) fn only(&self, names: &[&str]) -> Self {
        let asks = |(known, _): &&(String, String)| names.contains(&known.as_str());
        Self(self.0.iter().filter(asks).cloned().collect())
    }

    /// The same without these names, and without what was done: empty, or with the question mark.
    pub(crate) fn without(&self, names: &[&str]) -> String {
        let mut query = Serializer::new(String::new());
        let asks = |known: &str, value: &str| {
            known != DONE && !names.contains(&known) && !value.is_empty()
        };
        for (known, value) in self.0.iter().filter(|(known, value)| asks(known, value)) {
            query.append_pair(known, value);
        }
        let query = query.finish();
        if query.is_empty() {
            query
        } else {
            format!("?{query}")
        }
    }
}

impl Query {
    /// As it stands in an address.
    pub(crate) fn read(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        Ok(Self(pairs.into_owned().collect()))
    }
}

/// An address of ours with one thing asked for.
pub(crate) fn asking(path: &str, name: &str, value: &str) -> String {
    Query::default().with(path, name, value)
}

/// A page of ours that someone wants to go back to; the overview if it is anything else.
pub(crate) fn ours(place: &str) -> String {
    let within = place.starts_with('/') && !place.starts_with("//") && !place.starts_with("/\\");
    let plain = place.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    if within && plain {
        place.to_owned()
    } else {
        "/".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_ours_are_gone_back_to() {
        for place in ["/", "/deliveries?state=waiting&q=%20", "/links"] {
            assert_eq!(ours(place), place);
        }
        for place in [
            "",
            "//evil.example.com",
            "/\\evil.example.com",
            "https://evil.example.com/",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x",
            "/ä",
        ] {
            assert_eq!(ours(place), "/", "{place}");
        }
    }

    #[test]
    fn a_page_further_keeps_what_is_asked_for() {
        let query = Query(vec![
            ("issue".to_owned(), "ENG-1".to_owned()),
            ("before".to_owned(), "9".to_owned()),
            (DONE.to_owned(), "saved".to_owned()),
            ("state".to_owned(), String::new()),
        ]);
        assert_eq!(query.with("/x", "before", "5"), "/x?issue=ENG-1&before=5");
        assert_eq!(query.without(&["before"]), "?issue=ENG-1");
        assert_eq!(query.without(&["before", "issue"]), "");
    }
}
