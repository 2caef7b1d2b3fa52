//! Lists that are given whole, or in parts to those who ask for parts.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::problem::Problem;
use crate::query::Query;

/// Items in a part at most.
pub(super) const PART_MAX: usize = 200;

/// What a query asks of a list: all of it, unless it says how many (`limit`) or after which one
/// (`after`). A part comes in the order of `place`, which is different for each item and does not
/// change, so that nothing is told twice or left out.
pub(super) fn part<T, P>(
    query: &Query,
    items: Vec<T>,
    place: impl Fn(&T) -> P,
    written: impl Fn(&T) -> Value,
) -> Result<Value, Problem>
where
    P: Ord + Serialize + DeserializeOwned,
{
    let limit = match query.get("limit") {
        None => None,
        Some(text) => Some(
            text.parse()
                .ok()
                .filter(|limit| (1..=PART_MAX).contains(limit))
                .ok_or_else(|| Problem::invalid(format!("“limit” is 1 to {PART_MAX}.")))?,
        ),
    };
    let after: Option<P> = match query.get("after") {
        None => None,
        Some(text) => Some(
            serde_json::from_str(text)
                .map_err(|_| Problem::invalid("“after” is what “next” of the part before said."))?,
        ),
    };
    if limit.is_none() && after.is_none() {
        let items: Vec<Value> = items.iter().map(written).collect();
        return Ok(json!({ "items": items, "next": null }));
    }
    let mut placed: Vec<(P, T)> = items.into_iter().map(|one| (place(&one), one)).collect();
    placed.retain(|(place, _)| after.as_ref().is_none_or(|after| place > after));
    placed.sort_by(|one, other| one.0.cmp(&other.0));
    let limit = limit.unwrap_or(PART_MAX);
    let more = placed.len() > limit;
    placed.truncate(limit);
    let last = placed.last().filter(|_| more);
    let next = last.map(|(place, _)| json!(place).to_string());
    let items: Vec<Value> = placed.iter().map(|(_, one)| written(one)).collect();
    Ok(json!({ "items": items, "next": next }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<Value, Problem> {
        let items = vec![3, 1, 2, 5, 4];
        part(&Query::read(query), items, |one| *one, |one| json!(one))
    }

    #[test]
    fn a_list_comes_whole_or_in_parts_that_hold_each_item_once() {
        let whole = asked("").unwrap();
        assert_eq!(whole, json!({ "items": [3, 1, 2, 5, 4], "next": null }));
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let part = asked(&format!("limit=2{after}")).unwrap();
            found.extend(part["items"].as_array().unwrap().clone());
            match part["next"].as_str() {
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
