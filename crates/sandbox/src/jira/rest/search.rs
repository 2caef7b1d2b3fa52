//! Search.

use serde_json::{Value, json};

use crate::common::clock::now_ms;

use super::super::error::Refusal;
use super::super::jql::{self, Bound, Cursor, UnknownIssues};
use super::super::model::Issue;
use super::super::state::State;
use super::super::view::{FieldSet, View};
use super::call::{Answer, Caller, MaybeCaller, Params, Payload, decode_base64, ok};

/// Largest page when only ids and keys are wanted.
const MAX_ID_PAGE: usize = 5_000;
/// Largest page when fields are wanted.
const MAX_PAGE: usize = 100;
/// Default size of a page.
const PAGE: usize = 50;
/// Most issues that can be reconciled.
const MAX_RECONCILE: usize = 50;
/// Most properties that can be asked for.
const MAX_PROPERTIES: usize = 5;
/// How long a page token is good, in milliseconds (seven days).
const TOKEN_LIFE_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// One search as asked.
#[derive(Debug, Default)]
struct Asked {
    jql: String,
    token: Option<String>,
    size: usize,
    fields: Vec<String>,
    expand: String,
    properties: Vec<String>,
    reconcile: Vec<u64>,
    /// Data Center: do not refuse what the query names and is not there.
    unchecked: bool,
}

pub(super) async fn gone() -> Refusal {
    Refusal::message(
        410,
        "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration \
         guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046",
    )
}

pub(super) async fn by_query(caller: MaybeCaller, params: Params) -> Answer {
    let reconcile = params.list("reconcileIssues");
    let asked = Asked {
        jql: params.get("jql").unwrap_or_default().to_owned(),
        token: params.get("nextPageToken").map(str::to_owned),
        size: params.number("maxResults", PAGE)?,
        fields: params.list("fields"),
        expand: params.expand(),
        properties: params.list("properties"),
        reconcile: numbers(&reconcile)?,
        ..Asked::default()
    };
    search(caller, &asked)
}

pub(super) async fn by_body(caller: MaybeCaller, Payload(body): Payload) -> Answer {
    let expand = match &body["expand"] {
        Value::Null => String::new(),
        Value::String(expand) => expand.clone(),
        _ => return Err(Refusal::bad("'expand' must be a comma-separated string.")),
    };
    let reconcile = body["reconcileIssues"]
        .as_array()
        .into_iter()
        .flatten()
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    let asked = Asked {
        jql: body["jql"].as_str().unwrap_or_default().to_owned(),
        token: body["nextPageToken"].as_str().map(str::to_owned),
        size: size_of(&body)?,
        fields: strings(&body["fields"])?,
        expand,
        properties: strings(&body["properties"])?,
        reconcile: numbers(&reconcile)?,
        ..Asked::default()
    };
    search(caller, &asked)
}

fn search(caller: MaybeCaller, asked: &Asked) -> Answer {
    let caller = match caller.0 {
        Ok(caller) => caller,
        Err((context, refusal)) => {
            let lenient = context.site.read(|state| state.switches.anonymous_search);
            return if lenient {
                Ok(ok(json!({ "issues": [], "isLast": true })))
            } else {
                Err(refusal)
            };
        }
    };
    if asked.reconcile.len() > MAX_RECONCILE || asked.properties.len() > MAX_PROPERTIES {
        return Err(Refusal::bad("Too many reconcileIssues or properties."));
    }
    let fields = FieldSet::parse(asked.fields.iter().map(String::as_str), false);
    let heavy = fields.wants_fields() || !asked.expand.is_empty();
    let query = jql::parse(&asked.jql)?;
    caller.act(|state| {
        state.index.settle(now_ms());
        let bound = Bound::new(&query, state, &caller.user, now_ms())?;
        if !bound.is_restricted() {
            return Err(Refusal::bad(
                "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.",
            ));
        }
        let after = asked.token.as_deref().map(|token| read_token(token, &asked.jql)).transpose()?;
        let size = asked.size.clamp(1, if heavy { MAX_PAGE } else { MAX_ID_PAGE });
        let size = state.switches.short_pages.map_or(size, |cap| size.min(cap.max(1)));
        let found = run(state, &caller, &bound, &asked.reconcile);
        let rest: Vec<&(Cursor, u64)> = found
            .iter()
            .filter(|(cursor, _)| after.as_ref().is_none_or(|after| bound.compare(cursor, after).is_gt()))
            .collect();
        let view = caller.view(state);
        let issues: Vec<Value> = rest
            .iter()
            .take(size)
            .filter_map(|(_, id)| state.issue(*id))
            .map(|issue| found_issue(view, issue, &fields, asked))
            .collect();
        let last = rest.len() <= size;
        let mut answer = json!({ "issues": issues, "isLast": last });
        if let (false, Some((cursor, _))) = (last, rest.get(size - 1)) {
            answer["nextPageToken"] = token(&asked.jql, cursor).into();
        }
        Ok(ok(answer))
    })
}

/// Without any field Cloud shows nothing but the id.
fn found_issue(view: View<'_>, issue: &Issue, fields: &FieldSet, asked: &Asked) -> Value {
    if asked.fields.is_empty() && asked.expand.is_empty() && asked.properties.is_empty() {
        return json!({ "id": issue.id.to_string() });
    }
    view.issue(issue, fields, &asked.expand, &asked.properties)
}

/// Ids of all matching issues with their sort positions, sorted.
fn run(state: &State, caller: &Caller, bound: &Bound, reconcile: &[u64]) -> Vec<(Cursor, u64)> {
    let candidates: Vec<u64> = match (bound.ids(), bound.updated_from()) {
        (Some(ids), _) => ids.to_vec(),
        (None, from) => {
            let fresh = reconcile.iter().copied();
            state
                .index
                .updated_from(from.unwrap_or(i64::MIN))
                .chain(fresh)
                .collect()
        }
    };
    let mut found: Vec<(Cursor, u64)> = candidates
        .into_iter()
        .filter_map(|id| {
            let seen = if reconcile.contains(&id) {
                state.issue(id)
            } else {
                state.index.seen(id, &state.issues)
            };
            seen.filter(|issue| bound.matches(issue))
        })
        .filter(|issue| state.may_see_issue(&caller.user, issue.id))
        .map(|issue| (bound.cursor(issue), issue.id))
        .collect();
    found.sort_by(|left, right| bound.compare(&left.0, &right.0));
    found.dedup_by_key(|(_, id)| *id);
    found
}

fn token(jql: &str, cursor: &Cursor) -> String {
    let content = json!([jql, now_ms() + TOKEN_LIFE_MS, cursor]);
    encode_base64(content.to_string().as_bytes())
}

fn read_token(token: &str, jql: &str) -> Result<Cursor, Refusal> {
    let content: Option<(String, i64, Cursor)> =
        decode_base64(token).and_then(|bytes| serde_json::from_slice(&bytes).ok());
    match content {
        Some((for_jql, until, cursor)) if for_jql == jql && now_ms() < until => Ok(cursor),
        _ => Err(Refusal::bad(
            "The provided next page token is invalid or has expired.",
        )),
    }
}

fn encode_base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0_u8; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let value = u32::from_be_bytes(group);
        for index in 0..=chunk.len() {
            let six = value >> (18 - 6 * index) & 0x3f;
            text.push(char::from(ALPHABET[six as usize]));
        }
    }
    text
}

pub(super) async fn count(caller: Caller, Payload(body): Payload) -> Answer {
    let query = jql::parse(body["jql"].as_str().unwrap_or_default())?;
    caller.act(|state| {
        state.index.settle(now_ms());
        let bound = Bound::new(&query, state, &caller.user, now_ms())?;
        Ok(ok(
            json!({ "count": run(state, &caller, &bound, &[]).len() }),
        ))
    })
}

pub(super) async fn match_issues(caller: Caller, Payload(body): Payload) -> Answer {
    let ids: Vec<u64> = body["issueIds"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect();
    let queries = strings(&body["jqls"])?;
    caller.act(|state| {
        state.index.settle(now_ms());
        let mut matches = Vec::new();
        for text in &queries {
            let bound = jql::parse(text)
                .and_then(|query| Bound::new(&query, state, &caller.user, now_ms()));
            matches.push(match bound {
                Err(refusal) => {
                    json!({ "matchedIssues": [], "errors": refusal.body["errorMessages"] })
                }
                Ok(bound) => {
                    let found = ids
                        .iter()
                        .filter(|id| state.may_see_issue(&caller.user, **id))
                        .filter(|id| {
                            state
                                .index
                                .seen(**id, &state.issues)
                                .is_some_and(|issue| bound.matches(issue))
                        });
                    json!({ "matchedIssues": found.collect::<Vec<_>>(), "errors": [] })
                }
            });
        }
        Ok(ok(json!({ "matches": matches })))
    })
}

pub(super) async fn classic_by_query(caller: Caller, params: Params) -> Answer {
    let asked = Asked {
        jql: params.get("jql").unwrap_or_default().to_owned(),
        size: params.number("maxResults", PAGE)?,
        fields: params.list("fields"),
        expand: params.expand(),
        unchecked: params.get("validateQuery") == Some("false"),
        ..Asked::default()
    };
    classic(&caller, &asked, params.number("startAt", 0)?)
}

pub(super) async fn classic_by_body(caller: Caller, Payload(body): Payload) -> Answer {
    let asked = Asked {
        jql: body["jql"].as_str().unwrap_or_default().to_owned(),
        size: size_of(&body)?,
        fields: strings(&body["fields"])?,
        expand: strings(&body["expand"])?.join(","),
        unchecked: body["validateQuery"] == false,
        ..Asked::default()
    };
    let start = body["startAt"]
        .as_u64()
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(0);
    classic(&caller, &asked, start)
}

/// Search as Data Center has it: offsets and a total.
fn classic(caller: &Caller, asked: &Asked, start: usize) -> Answer {
    let fields = FieldSet::parse(asked.fields.iter().map(String::as_str), true);
    let query = jql::parse(&asked.jql)?;
    let unknown_issues = if asked.unchecked {
        UnknownIssues::LeftOut
    } else {
        UnknownIssues::Refused
    };
    caller.act(|state| {
        state.index.settle(now_ms());
        let bound = Bound::with(&query, state, &caller.user, now_ms(), unknown_issues)?;
        let size = asked.size.min(state.switches.short_pages.unwrap_or(1_000));
        let found = run(state, caller, &bound, &[]);
        let view = caller.view(state);
        let issues: Vec<Value> = found
            .iter()
            .skip(start)
            .take(size)
            .filter_map(|(_, id)| state.issue(*id))
            .map(|issue| view.issue(issue, &fields, &asked.expand, &[]))
            .collect();
        Ok(ok(json!({
            "expand": "schema,names", "startAt": start, "maxResults": size, "total": found.len(), "issues": issues,
        })))
    })
}

fn size_of(body: &Value) -> Result<usize, Refusal> {
    match &body["maxResults"] {
        Value::Null => Ok(PAGE),
        value => value
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .ok_or_else(|| Refusal::bad("'maxResults' must be a number.")),
    }
}

fn strings(value: &Value) -> Result<Vec<String>, Refusal> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) => list
            .iter()
            .map(|item| {
                item.as_str()
                    .map(str::to_owned)
                    .ok_or_else(|| Refusal::bad("A list of strings was expected."))
            })
            .collect(),
        _ => Err(Refusal::bad("A list of strings was expected.")),
    }
}

fn numbers(texts: &[String]) -> Result<Vec<u64>, Refusal> {
    texts
        .iter()
        .map(|text| {
            text.trim_matches('"')
                .parse()
                .map_err(|_| Refusal::bad("reconcileIssues takes numeric issue ids."))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_round_trip() {
        for text in ["", "a", "ab", "abc", "abcd", "{\"é\":[1]}"] {
            assert_eq!(
                decode_base64(&encode_base64(text.as_bytes())).as_deref(),
                Some(text.as_bytes()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_token_belongs_to_its_query() {
        let cursor: Cursor =
            serde_json::from_value(json!({ "values": [1, "ENG"], "id": 7 })).unwrap();
        let token = token("project = ENG", &cursor);
        assert_eq!(read_token(&token, "project = ENG").unwrap(), cursor);
        assert_eq!(read_token(&token, "project = OPS").unwrap_err().status, 400);
        assert_eq!(read_token("x", "project = ENG").unwrap_err().status, 400);
    }
}
