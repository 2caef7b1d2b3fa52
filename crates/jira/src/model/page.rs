//! Pages of long lists.

/// Where the next page of a list begins. Its text form can be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// An opaque token (Cloud's search); it expires after seven days.
    Token(String),
    /// The number of items before the page.
    StartAt(u64),
}

impl Cursor {
    /// The number of items before the page; 0 for a token, which only a search understands.
    pub(crate) fn start_at(cursor: Option<&Self>) -> u64 {
        match cursor {
            Some(Self::StartAt(n)) => *n,
            _ => 0,
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins; `None` at the end.
    pub next: Option<Cursor>,
}
