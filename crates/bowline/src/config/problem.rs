//! What is wrong with a configuration, where, and how to mend it.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where a setting, or a mistake, stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A line of the configuration file, counted from 1.
    Line {
        /// The configuration file.
        file: Arc<Path>,
        /// The line, counted from 1.
        line: usize,
    },
    /// A whole file: the configuration file, or one that holds a secret.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// Nowhere: neither file nor environment say anything.
    Unsaid,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line } => write!(f, "{}:{line}", file.display()),
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Unsaid => f.write_str("configuration"),
        }
    }
}

/// One mistake. Its words never hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// What is wrong: a sentence without its full stop.
    pub what: String,
    /// How to mend it: a sentence without its full stop.
    pub mend: String,
}

impl Problem {
    pub(super) fn new(place: &Place, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            place: place.clone(),
            what: what.into(),
            mend: mend.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}. {}.", self.place, self.what, self.mend)
    }
}

/// The candidate that looks most like `word`. The first of equals, so that the answer does not depend on chance.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    nearest_first(word, candidates).into_iter().next()
}

/// All candidates, the most alike first; of equally alike ones in their own order.
pub fn nearest_first<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Vec<&'a str> {
    let mut all: Vec<&str> = candidates.into_iter().collect();
    all.sort_by_key(|candidate| strsim::damerau_levenshtein(word, candidate));
    all
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_names_the_most_alike() {
        for (word, candidates, expected) in [
            ("tokn", &["token", "url"][..], Some("token")),
            (
                "acces_token",
                &["api_url", "access_token"],
                Some("access_token"),
            ),
            ("aa", &["ab", "ac"], Some("ab")),
            ("x", &[], None),
        ] {
            assert_eq!(
                nearest(word, candidates.iter().copied()),
                expected,
                "{word}"
            );
        }
    }
}
