//! The description of the API, to be read by people: made of the document itself, so that it says
//! the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use askama::Template;
use axum::response::Response;
use bowline_access::Look;
use serde_json::Value;

use super::OPENAPI;
use crate::caller::Caller;
use crate::error::html;
use crate::shell::{Place, Shell};

#[derive(Template)]
#[template(path = "api-docs.html")]
struct DocsPage {
    shell: Shell,
    docs: &'static Docs,
}

/// An answer that so many calls have in the same words is said once, above all of them.
const COMMON_MIN: usize = 10;

/// What the document says.
struct Docs {
    about: String,
    /// Answers that many calls have.
    common: Vec<Answer>,
    addresses: Vec<Address>,
    schemas: Vec<Schema>,
}

struct Address {
    path: String,
    calls: Vec<Operation>,
}

/// One method of an address.
struct Operation {
    method: String,
    id: String,
    summary: String,
    description: String,
    parameters: Vec<Named>,
    body: Option<Kind>,
    answers: Vec<Answer>,
    /// May it be named, so that it is made once?
    once: bool,
    /// The other answers, which stand above all calls.
    others: String,
}

/// A parameter, or a field of a schema.
struct Named {
    name: String,
    place: String,
    needed: bool,
    kind: Kind,
    about: String,
}

struct Answer {
    status: String,
    about: String,
    kind: Option<Kind>,
}

struct Schema {
    name: String,
    about: String,
    fields: Vec<Named>,
}

/// Of what kind a value is, in words; a named schema is linked.
struct Kind {
    before: String,
    schema: Option<String>,
    after: String,
}

static DOCS: LazyLock<Docs> = LazyLock::new(|| read(&document()));

fn document() -> Value {
    // The document is checked in and read by a test; a page without it is better than none.
    serde_json::from_str(OPENAPI).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn read(document: &Value) -> Docs {
    let paths = document["paths"].as_object().into_iter().flatten();
    let schemas = document["components"]["schemas"].as_object();
    let common = common_answers(document);
    Docs {
        about: text(&document["info"]["description"]),
        common: common
            .iter()
            .map(|(status, about)| Answer {
                status: status.clone(),
                about: about.clone(),
                kind: None,
            })
            .collect(),
        addresses: paths
            .map(|(path, methods)| Address {
                path: path.clone(),
                calls: methods
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(method, operation)| read_operation(method, operation, &common))
                    .collect(),
            })
            .collect(),
        schemas: schemas
            .into_iter()
            .flatten()
            .map(|(name, schema)| Schema {
                name: name.clone(),
                about: text(&schema["description"]),
                fields: fields(schema),
            })
            .collect(),
    }
}

/// Status and words of answers that many calls have.
type Common = BTreeSet<(String, String)>;

fn common_answers(document: &Value) -> Common {
    let paths = document["paths"].as_object().into_iter().flatten();
    let calls = paths.flat_map(|(_, methods)| methods.as_object().into_iter().flatten());
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (_, operation) in calls {
        for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
            let key = (status.clone(), text(&answer["description"]));
            *counts.entry(key).or_default() += 1;
        }
    }
    // Of each status one, so that it is plain which words are meant below.
    let mut common: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for ((status, about), count) in counts {
        if status.starts_with('2') || count < COMMON_MIN {
            continue;
        }
        let most = common.entry(status).or_default();
        if count > most.0 {
            *most = (count, about);
        }
    }
    let named = common.into_iter();
    named.map(|(status, (_, about))| (status, about)).collect()
}

/// The header that names a write.
const NAMES_WRITE: &str = "Idempotency-Key";

fn read_operation(method: &str, operation: &Value, common: &Common) -> Operation {
    let responses = operation["responses"].as_object();
    let (others, own): (Vec<_>, Vec<_>) =
        responses
            .into_iter()
            .flatten()
            .partition(|(status, answer)| {
                common.contains(&((*status).clone(), text(&answer["description"])))
            });
    let others: Vec<&str> = others.iter().map(|(status, _)| status.as_str()).collect();
    let of = |content: &Value| {
        let first = content.as_object()?.values().next()?;
        Some(kind(&first["schema"]))
    };
    Operation {
        method: method.to_uppercase(),
        id: text(&operation["operationId"]),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        once: items(&operation["parameters"]).any(|one| one["name"] == NAMES_WRITE),
        others: others.join(", "),
        parameters: items(&operation["parameters"])
            .filter(|parameter| parameter["name"] != NAMES_WRITE)
            .map(|parameter| Named {
                name: text(&parameter["name"]),
                place: text(&parameter["in"]),
                needed: parameter["required"] == true,
                kind: kind(&parameter["schema"]),
                about: text(&parameter["description"]),
            })
            .collect(),
        body: of(&operation["requestBody"]["content"]),
        answers: own
            .into_iter()
            .map(|(status, answer)| Answer {
                status: status.clone(),
                about: text(&answer["description"]),
                kind: of(&answer["content"]).filter(|_| status.starts_with('2')),
            })
            .collect(),
    }
}

fn fields(schema: &Value) -> Vec<Named> {
    let needed: Vec<&Value> = items(&schema["required"]).collect();
    let all = schema["properties"].as_object().into_iter().flatten();
    all.map(|(name, field)| Named {
        name: name.clone(),
        place: String::new(),
        needed: needed.iter().any(|needed| *needed == name),
        kind: kind(field),
        about: text(&field["description"]),
    })
    .collect()
}

fn kind(schema: &Value) -> Kind {
    let plain = |words: String| Kind {
        before: words,
        schema: None,
        after: String::new(),
    };
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or_default();
        return Kind {
            schema: Some(name.to_owned()),
            ..plain(String::new())
        };
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let mut kinds: Vec<Kind> = any.iter().map(kind).collect();
        let named = kinds.iter().position(|kind| kind.schema.is_some());
        let named = named.map(|at| kinds.remove(at));
        let others: Vec<String> = kinds.iter().map(Kind::words).collect();
        let others = others.join(" or ");
        return match named {
            Some(named) if others.is_empty() => named,
            Some(named) => Kind {
                after: format!("{} or {others}", named.after),
                ..named
            },
            None => plain(others),
        };
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words
            .iter()
            .map(|word| {
                word.as_str()
                    .map_or_else(|| word.to_string(), str::to_owned)
            })
            .collect();
        return plain(format!("one of {}", words.join(", ")));
    }
    let mut kinds: Vec<String> = match &schema["type"] {
        Value::String(one) => vec![one.clone()],
        many => items(many).map(text).collect(),
    };
    let array = kinds.iter().position(|kind| kind == "array");
    if let Some(at) = array {
        kinds.remove(at);
        let of = kind(&schema["items"]);
        let or = kinds.iter().map(|kind| format!(" or {kind}"));
        return Kind {
            before: format!("list of {}", of.before),
            after: of.after + &or.collect::<String>(),
            schema: of.schema,
        };
    }
    if let Some(format) = schema["format"].as_str() {
        kinds.push(format!("({format})"));
        return plain(kinds.join(" "));
    }
    if kinds.iter().any(|kind| kind == "object") && schema["properties"].is_object() {
        let names: Vec<String> = fields(schema).into_iter().map(|field| field.name).collect();
        return plain(format!("object with {}", names.join(", ")));
    }
    plain(if kinds.is_empty() {
        "anything".to_owned()
    } else {
        kinds.join(" or ")
    })
}

impl Kind {
    fn words(&self) -> String {
        let schema = self.schema.as_deref().unwrap_or_default();
        format!("{}{schema}{}", self.before, self.after)
    }
}

pub(super) async fn page(caller: Caller<Look>) -> Response {
    html(&DocsPage {
        shell: caller.shell("REST API", Place::Help),
        docs: &DOCS,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_are_said_in_words() {
        for (schema, words) in [
            (json!({ "type": "integer" }), "integer"),
            (json!({ "type": ["string", "null"] }), "string or null"),
            (json!({ "$ref": "#/components/schemas/Link" }), "Link"),
            (json!({ "enum": ["a", "b"] }), "one of a, b"),
            (
                json!({ "type": ["array", "null"], "items": { "$ref": "#/x/Link" } }),
                "list of Link or null",
            ),
            (
                json!({ "anyOf": [{ "$ref": "#/x/Issue" }, { "type": "null" }] }),
                "Issue or null",
            ),
            (
                json!({ "type": "object", "properties": { "a": {}, "b": {} } }),
                "object with a, b",
            ),
            (json!({}), "anything"),
        ] {
            assert_eq!(kind(&schema).words(), words, "{schema}");
        }
    }

    #[test]
    fn all_of_the_document_is_on_the_page() {
        let document = document();
        let count = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
        assert!(count(&document["paths"]) > 40);
        assert_eq!(DOCS.addresses.len(), count(&document["paths"]));
        assert_eq!(
            DOCS.schemas.len(),
            count(&document["components"]["schemas"])
        );
        let mut ids: Vec<&str> = Vec::new();
        for operation in DOCS.addresses.iter().flat_map(|address| &address.calls) {
            assert!(!operation.summary.is_empty() && !operation.answers.is_empty());
            assert!(operation.others.contains("401"), "{}", operation.id);
            ids.push(&operation.id);
        }
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "the name of an operation is its alone");
    }
}
