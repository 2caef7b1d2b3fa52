//! The description of the API, to be read by people: made of the document itself, so that it says
//! the same. One page lists all addresses, and each group of them, by the first word of its
//! addresses, has a page of its own with the schemas that it uses: all on one page would be heavy.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use bowline_access::Look;
use serde_json::Value;

use super::OPENAPI;
use crate::caller::Caller;
use crate::error::{PageError, html};
use crate::shell::{Place, Shell};

#[derive(Template)]
#[template(path = "api-docs.html")]
struct DocsPage {
    shell: Shell,
    docs: &'static Docs,
}

#[derive(Template)]
#[template(path = "api-group.html")]
struct GroupPage {
    shell: Shell,
    group: &'static Group,
    schemas: Vec<&'static Schema>,
}

/// What the document says.
struct Docs {
    about: String,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
}

/// The addresses that begin alike.
struct Group {
    name: String,
    addresses: Vec<Address>,
    /// The schemas that it names.
    names: Vec<String>,
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
    /// The other schemas that it names.
    names: Vec<String>,
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

/// The first word of an address.
fn group_of(path: &str) -> &str {
    let below = path.strip_prefix("/api/v1/").unwrap_or(path);
    below.split('/').next().unwrap_or_default()
}

fn read(document: &Value) -> Docs {
    let schemas = document["components"]["schemas"].as_object();
    let mut groups: Vec<Group> = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        let name = group_of(path);
        let address = Address {
            path: path.clone(),
            calls: methods
                .as_object()
                .into_iter()
                .flatten()
                .map(|(method, operation)| read_operation(method, operation))
                .collect(),
        };
        let at = groups.iter().position(|group| group.name == name);
        let at = at.unwrap_or_else(|| {
            groups.push(Group {
                name: name.to_owned(),
                addresses: Vec::new(),
                names: Vec::new(),
            });
            groups.len() - 1
        });
        groups[at].addresses.push(address);
        named_in(methods, &mut groups[at].names);
    }
    Docs {
        about: text(&document["info"]["description"]),
        groups,
        schemas: schemas
            .into_iter()
            .flatten()
            .map(|(name, schema)| {
                let mut names = Vec::new();
                named_in(schema, &mut names);
                Schema {
                    name: name.clone(),
                    about: text(&schema["description"]),
                    fields: fields(schema),
                    names,
                }
            })
            .collect(),
    }
}

/// The schemas that a part of the document names, however deep.
fn named_in(part: &Value, names: &mut Vec<String>) {
    match part {
        Value::Object(fields) => {
            if let Some(Value::String(path)) = fields.get("$ref") {
                names.extend(path.rsplit('/').next().map(str::to_owned));
            }
            fields.values().for_each(|field| named_in(field, names));
        }
        Value::Array(items) => items.iter().for_each(|item| named_in(item, names)),
        _ => {}
    }
}

impl Docs {
    /// The schemas that a group uses, and those that these use, by name.
    fn used_by(&self, group: &Group) -> Vec<&Schema> {
        let mut used: BTreeMap<&str, &Schema> = BTreeMap::new();
        let mut left: Vec<&str> = group.names.iter().map(String::as_str).collect();
        while let Some(name) = left.pop() {
            if used.contains_key(name) {
                continue;
            }
            if let Some(schema) = self.schemas.iter().find(|schema| schema.name == name) {
                used.insert(name, schema);
                left.extend(schema.names.iter().map(String::as_str));
            }
        }
        used.into_values().collect()
    }
}

fn read_operation(method: &str, operation: &Value) -> Operation {
    let of = |content: &Value| {
        let first = content.as_object()?.values().next()?;
        Some(kind(&first["schema"]))
    };
    Operation {
        method: method.to_uppercase(),
        id: text(&operation["operationId"]),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        parameters: items(&operation["parameters"])
            .map(|parameter| Named {
                name: text(&parameter["name"]),
                place: text(&parameter["in"]),
                needed: parameter["required"] == true,
                kind: kind(&parameter["schema"]),
                about: text(&parameter["description"]),
            })
            .collect(),
        body: of(&operation["requestBody"]["content"]),
        answers: operation["responses"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(status, answer)| Answer {
                status: status.clone(),
                about: text(&answer["description"]),
                kind: of(&answer["content"]),
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

pub(super) async fn group(
    Path(name): Path<String>,
    caller: Caller<Look>,
) -> Result<Response, PageError> {
    let Some(group) = DOCS.groups.iter().find(|group| group.name == name) else {
        return Err(caller.not_found("The REST API has no addresses that begin so."));
    };
    Ok(html(&GroupPage {
        shell: caller.shell(format!("REST API: {name}"), Place::Help),
        schemas: DOCS.used_by(group),
        group,
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
        let addresses = || DOCS.groups.iter().flat_map(|group| &group.addresses);
        assert_eq!(addresses().count(), count(&document["paths"]));
        assert_eq!(
            DOCS.schemas.len(),
            count(&document["components"]["schemas"])
        );
        let mut ids: Vec<&str> = Vec::new();
        for operation in addresses().flat_map(|address| &address.calls) {
            assert!(!operation.summary.is_empty() && !operation.answers.is_empty());
            ids.push(&operation.id);
        }
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "the name of an operation is its alone");
    }

    #[test]
    fn a_group_has_every_schema_that_its_page_links() {
        let mut shown = BTreeSet::new();
        for group in &DOCS.groups {
            let used = DOCS.used_by(group);
            let names: BTreeSet<&str> = used.iter().map(|schema| schema.name.as_str()).collect();
            let fields = used.iter().flat_map(|schema| &schema.fields);
            for name in fields.filter_map(|field| field.kind.schema.as_deref()) {
                assert!(names.contains(name), "{} lacks {name}", group.name);
            }
            shown.extend(names);
        }
        let all: BTreeSet<&str> = DOCS.schemas.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(shown, all, "a schema that nothing uses");
    }
}
