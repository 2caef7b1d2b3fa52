//! The one table of all keys, and the reference page made from it.

mod keys;
mod page;

pub use keys::KEYS;
pub use page::render;

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A text that looks like a number and may be written as one: an id.
    Id,
    /// A name of a site or workspace, declared or referred to: `[a-z0-9-]`.
    Name,
    /// true or false.
    Flag,
    /// A whole number within bounds, both included.
    Whole {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
        /// What is counted.
        unit: &'static str,
    },
    /// An http or https address.
    Url,
    /// An IP address with a port.
    Address,
    /// A path, relative to the folder of the configuration file.
    Folder,
    /// A secret; the same key with `_file` at its end takes the path of a file that holds it.
    Secret,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `all`, `public` or `marker:TEXT`.
    Filter,
    /// A status: `*`, a name, an id or `category:…`.
    Status,
    /// true, false or an address.
    Metrics,
    /// A text or a list of texts; in a variable, between commas.
    Words,
    /// One status or a list of them.
    Statuses,
    /// A table of any names and values; in a variable, as JSON.
    Values,
    /// true, false, or a table with a text or false for each status.
    PerStatus,
    /// A table with a text for each status; in a variable, as JSON.
    Texts,
    /// `0`, or a number with s, m, h or d behind it.
    Time,
}

/// What holds when the key is not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing: the key must be given.
    Required,
    /// The key may be left out; this says what then happens.
    Absent(&'static str),
    /// This value, as it is written in TOML but without quotes.
    Value(&'static str),
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its path: parts joined by dots, `[]` after the name of a list.
    pub path: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What holds without it.
    pub default: Fallback,
    /// What it means, as a sentence.
    pub meaning: &'static str,
}

impl Key {
    /// The name of the environment variable, with `NAME`, `SITE_PROJECT` or `0` where an entry of a list is chosen.
    pub fn variable(&self) -> String {
        let mut name = String::from("BOWLINE");
        for (depth, part) in self.path.split('.').enumerate() {
            let separator = if depth == 0 { "_" } else { "__" };
            let bare = part.trim_end_matches("[]");
            name.push_str(separator);
            name.push_str(&bare.to_ascii_uppercase());
            if bare.len() < part.len() {
                name.push_str(match bare {
                    "binding" => "__SITE_PROJECT",
                    "transition" => "__0",
                    "texts" => "__LANGUAGE",
                    _ => "__NAME",
                });
            }
        }
        name
    }

    fn type_text(&self) -> String {
        match self.kind {
            Kind::Text => "text".into(),
            Kind::Id => "text or number".into(),
            Kind::Name => "name".into(),
            Kind::Flag => "true or false".into(),
            Kind::Whole { min, max, unit } => format!("{unit}, {min} to {max}"),
            Kind::Url => "address".into(),
            Kind::Address => "IP address and port".into(),
            Kind::Folder => "path".into(),
            Kind::Secret => "secret".into(),
            Kind::Choice(words) => words
                .iter()
                .map(|word| format!("`{word}`"))
                .collect::<Vec<_>>()
                .join(", "),
            Kind::Filter => "`all`, `public`, `marker:TEXT`".into(),
            Kind::Status => {
                "`*`, name, id, `category:new`, `category:indeterminate`, `category:done`".into()
            }
            Kind::Metrics => "true, false, or IP address and port".into(),
            Kind::Words => "text or list of texts".into(),
            Kind::Statuses => "name, id or `category:…`, or a list of them".into(),
            Kind::Values => "table".into(),
            Kind::PerStatus => "true, false, or a table".into(),
            Kind::Texts => "table of texts".into(),
            Kind::Time => "`0`, or a number with s, m, h or d".into(),
        }
    }

    fn default_text(&self) -> String {
        match self.default {
            Fallback::Required => "required".into(),
            Fallback::Absent(text) => text.into(),
            Fallback::Value(value) => format!("`{value}`"),
        }
    }
}

/// The key of this path.
pub(in crate::config) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

#[cfg(test)]
mod tests {
    use super::{Fallback, KEYS, Kind, find, render};
    use std::{collections::BTreeSet, path::Path};

    #[test]
    fn the_committed_reference_page_is_the_rendered_one() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
        if std::env::var_os("WRITE_REFERENCE").is_some() {
            std::fs::write(&file, render()).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == render(),
            "docs/configuration.md differs: run WRITE_REFERENCE=1 cargo test -p bowline reference"
        );
    }

    #[test]
    fn paths_are_unique_and_defaults_fit_their_kind() {
        let paths: BTreeSet<_> = KEYS.iter().map(|key| key.path).collect();
        assert_eq!(paths.len(), KEYS.len());
        for key in KEYS {
            let Fallback::Value(value) = key.default else {
                continue;
            };
            let fits = match key.kind {
                Kind::Flag => value.parse::<bool>().is_ok(),
                Kind::Whole { min, max, .. } => value
                    .parse::<i64>()
                    .is_ok_and(|number| (min..=max).contains(&number)),
                Kind::Choice(words) => words.contains(&value),
                Kind::Address => value.parse::<std::net::SocketAddr>().is_ok(),
                Kind::Secret => false,
                _ => true,
            };
            assert!(fits, "{}", key.path);
            assert!(key.meaning.ends_with('.'), "{}", key.path);
        }
    }

    #[test]
    fn variables_follow_the_path() {
        for (path, expected) in [
            ("listen", "BOWLINE_LISTEN"),
            ("log.format", "BOWLINE_LOG__FORMAT"),
            (
                "site[].webhook_secret",
                "BOWLINE_SITE__NAME__WEBHOOK_SECRET",
            ),
            (
                "binding[].notify.commented.filter",
                "BOWLINE_BINDING__SITE_PROJECT__NOTIFY__COMMENTED__FILTER",
            ),
            (
                "binding[].transition[].to",
                "BOWLINE_BINDING__SITE_PROJECT__TRANSITION__0__TO",
            ),
        ] {
            assert_eq!(
                find(path).map(super::Key::variable).as_deref(),
                Some(expected)
            );
        }
    }
}
