//! Pages of lists and searches.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::intercom::cursor::Cursor;
use crate::intercom::error::ApiError;

/// Most entries of a page.
const MAX_PER_PAGE: usize = 150;

/// Entries of a page of conversations, unless told otherwise.
pub(crate) const CONVERSATIONS_PER_PAGE: usize = 20;

/// Entries of a page of contacts, unless told otherwise.
pub(crate) const CONTACTS_PER_PAGE: usize = 50;

/// The query of a list.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct PageQuery {
    per_page: Option<String>,
    starting_after: Option<String>,
}

/// Which page is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    per_page: usize,
    cursor: Option<Cursor>,
}

impl Wanted {
    fn new(per_page: Option<i64>, cursor: Option<&str>, default: usize) -> Result<Self, ApiError> {
        let per_page = match per_page {
            None => default,
            Some(number) => match usize::try_from(number) {
                Ok(number @ 1..=MAX_PER_PAGE) => number,
                _ => return Err(ApiError::invalid("per_page must be between 1 and 150")),
            },
        };
        let cursor = cursor
            .filter(|cursor| !cursor.is_empty())
            .map(Cursor::decode)
            .transpose()?;
        Ok(Self { per_page, cursor })
    }

    /// From the query of a list.
    pub(crate) fn of_query(query: &PageQuery, default: usize) -> Result<Self, ApiError> {
        let per_page = query.per_page.as_deref().map(|number| {
            number
                .parse()
                .map_err(|_| ApiError::invalid("per_page must be a number"))
        });
        Self::new(
            per_page.transpose()?,
            query.starting_after.as_deref(),
            default,
        )
    }

    /// From the member `pagination` of a search.
    pub(crate) fn of_body(pagination: Option<&Value>, default: usize) -> Result<Self, ApiError> {
        let Some(pagination) = pagination else {
            return Self::new(None, None, default);
        };
        let cursor = pagination["starting_after"].as_str();
        Self::new(pagination["per_page"].as_i64(), cursor, default)
    }

    /// The key after which the page begins.
    pub(crate) fn after(self) -> u64 {
        self.cursor.map_or(0, |cursor| cursor.after)
    }

    /// How many entries it has at most.
    pub(crate) fn size(self) -> usize {
        self.per_page
    }

    /// Describes the page of a list of so many entries; `last` is its last key if more follow.
    pub(crate) fn describe(self, total: usize, last: Option<u64>) -> Value {
        let page = self.cursor.map_or(1, |cursor| cursor.page);
        let mut pages = json!({
            "type": "pages",
            "page": page,
            "per_page": self.per_page,
            "total_pages": total.div_ceil(self.per_page),
        });
        if let Some(after) = last {
            let next = Cursor {
                after,
                page: page + 1,
            };
            pages["next"] = json!({ "page": next.page, "starting_after": next.encode() });
        }
        pages
    }

    /// Cuts the wanted page out of everything that was found, given in order with a key each, and
    /// describes the page.
    pub(crate) fn cut<T: Copy>(self, found: &[(u64, T)]) -> (Vec<T>, Value) {
        let start = match self.cursor {
            None => 0,
            // The last entry of the page before may have gone since; go on after where it was.
            Some(cursor) => found
                .iter()
                .position(|(key, _)| *key == cursor.after)
                .map_or((cursor.page - 1) * self.per_page, |position| position + 1)
                .min(found.len()),
        };
        let end = (start + self.per_page).min(found.len());
        let last = found[start..end]
            .last()
            .filter(|_| end < found.len())
            .map(|(after, _)| *after);
        let pages = self.describe(found.len(), last);
        (
            found[start..end].iter().map(|(_, item)| *item).collect(),
            pages,
        )
    }
}
