//! Lists that are given whole, or in parts to those who ask for parts.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::problem::Problem;
use crate::query::Query;

/// Items in a part at most.
pub(super) const PART_MAX: i64 = 200;

/// A part that is asked for. It comes in the order of a place, which is different for each item, so
/// that nothing is told twice or left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<P> {
    /// Behind which place; `None`: from the beginning.
    pub(super) after: Option<P>,
    limit: i64,
}

impl<P: Serialize + DeserializeOwned> Part<P> {
    /// What a query asks of a list: `None`, all of it, unless it says how many (`limit`) or after
    /// which one (`after`).
    pub(super) fn asked(query: &Query) -> Result<Option<Self>, Problem> {
        let limit = match query.get("limit") {
            None => None,
            Some(text) => Some(
                text.parse()
                    .ok()
                    .filter(|limit| (1..=PART_MAX).contains(limit))
                    .ok_or_else(|| Problem::invalid(format!("“limit” is 1 to {PART_MAX}.")))?,
            ),
        };
        let after = match query.get("after") {
            None => None,
            Some(text) => Some(serde_json::from_str(text).map_err(|_| {
                Problem::invalid("“after” is what “next” of the part before said.")
            })?),
        };
        Ok((limit.is_some() || after.is_some()).then(|| Self {
            after,
            limit: limit.unwrap_or(PART_MAX),
        }))
    }

    /// How many items to read: one more than are told shows whether there are more.
    pub(super) fn read(&self) -> i64 {
        self.limit + 1
    }

    /// The part, of the items that were read.
    pub(super) fn told<T>(
        &self,
        mut items: Vec<T>,
        place: impl Fn(&T) -> P,
        written: impl Fn(&T) -> Value,
    ) -> Value {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        let next = last.map(|item| json!(place(item)).to_string());
        let items: Vec<Value> = items.iter().map(written).collect();
        json!({ "items": items, "next": next })
    }
}

/// A list of which all is told.
pub(super) fn whole<T>(items: &[T], written: impl Fn(&T) -> Value) -> Value {
    let items: Vec<Value> = items.iter().map(written).collect();
    json!({ "items": items, "next": null })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<Option<Part<i64>>, Problem> {
        Part::asked(&Query::read(query))
    }

    #[test]
    fn a_list_comes_whole_or_in_parts_that_hold_each_item_once() {
        assert_eq!(asked("").ok(), Some(None));
        let all = json!({ "items": [3, 1], "next": null });
        assert_eq!(whole(&[3, 1], |one| json!(one)), all);
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let part = asked(&format!("limit=2{after}")).unwrap().unwrap();
            let behind = (1..=5).filter(|one| part.after.is_none_or(|after| *one > after));
            let read = behind.take(usize::try_from(part.read()).unwrap()).collect();
            let told = part.told(read, |one| *one, |one| json!(one));
            found.extend(told["items"].as_array().unwrap().clone());
            match told["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(json!(found), json!([1, 2, 3, 4, 5]));
        for wrong in ["limit=0", "limit=201", "limit=x", "after=x"] {
            assert!(asked(wrong).is_err(), "{wrong}");
        }
    }
}
