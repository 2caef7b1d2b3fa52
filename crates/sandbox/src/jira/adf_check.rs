//! Whether an ADF document is one that Jira would take.
//!
//! Not the whole schema: the node types that integrations write, with the rules they most often break.

use serde_json::Value;

/// Deepest accepted nesting.
const MAX_DEPTH: usize = 64;

const BLOCKS: [&str; 21] = [
    "paragraph",
    "heading",
    "bulletList",
    "orderedList",
    "blockquote",
    "codeBlock",
    "rule",
    "panel",
    "table",
    "mediaSingle",
    "mediaGroup",
    "expand",
    "nestedExpand",
    "taskList",
    "decisionList",
    "blockCard",
    "embedCard",
    "extension",
    "bodiedExtension",
    "layoutSection",
    "syncBlock",
];

const INLINES: [&str; 9] = [
    "text",
    "hardBreak",
    "mention",
    "emoji",
    "inlineCard",
    "date",
    "status",
    "mediaInline",
    "inlineExtension",
];

const MARKS: [&str; 12] = [
    "strong",
    "em",
    "code",
    "strike",
    "underline",
    "link",
    "subsup",
    "textColor",
    "backgroundColor",
    "annotation",
    "border",
    "indentation",
];

/// Whether the document keeps the rules.
pub(crate) fn is_valid(document: &Value) -> bool {
    super::body::is_adf(document) && children(document, &BLOCKS, 0)
}

fn children(node: &Value, allowed: &[&str], depth: usize) -> bool {
    match &node["content"] {
        Value::Null => true,
        Value::Array(content) => {
            depth < MAX_DEPTH && content.iter().all(|child| valid(child, allowed, depth + 1))
        }
        _ => false,
    }
}

fn valid(node: &Value, allowed: &[&str], depth: usize) -> bool {
    let Some(kind) = node["type"].as_str() else {
        return false;
    };
    allowed.contains(&kind) && own_rules(node, kind) && children(node, inside(kind), depth)
}

fn inside(kind: &str) -> &'static [&'static str] {
    match kind {
        "paragraph" | "heading" | "taskItem" | "decisionItem" | "caption" => &INLINES,
        "bulletList" | "orderedList" => &["listItem"],
        "codeBlock" => &["text"],
        "table" => &["tableRow"],
        "tableRow" => &["tableCell", "tableHeader"],
        "mediaSingle" => &["media", "caption"],
        "mediaGroup" => &["media"],
        "taskList" => &["taskItem", "taskList"],
        "decisionList" => &["decisionItem"],
        "layoutSection" => &["layoutColumn"],
        "listItem" | "blockquote" | "panel" | "tableCell" | "tableHeader" | "expand"
        | "nestedExpand" | "bodiedExtension" | "layoutColumn" => &BLOCKS,
        _ => &[],
    }
}

fn own_rules(node: &Value, kind: &str) -> bool {
    let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let attrs = &node["attrs"];
    match kind {
        "text" => text(&node["text"]) && marks(&node["marks"]),
        "heading" => attrs["level"]
            .as_u64()
            .is_some_and(|level| (1..=6).contains(&level)),
        "codeBlock" => node["content"]
            .as_array()
            .is_none_or(|all| all.iter().all(|child| child["marks"].is_null())),
        "mention" => text(&attrs["id"]),
        "emoji" => text(&attrs["shortName"]),
        "inlineCard" | "blockCard" => {
            text(&attrs["url"]) || attrs["data"].is_object() || attrs["datasource"].is_object()
        }
        "embedCard" => text(&attrs["url"]) && text(&attrs["layout"]),
        "panel" => text(&attrs["panelType"]),
        "bulletList" | "orderedList" | "listItem" | "blockquote" | "table" | "tableRow" => {
            node["content"]
                .as_array()
                .is_some_and(|content| !content.is_empty())
        }
        _ => true,
    }
}

fn marks(marks: &Value) -> bool {
    let Value::Array(marks) = marks else {
        return marks.is_null();
    };
    let kinds: Vec<&str> = marks
        .iter()
        .filter_map(|mark| mark["type"].as_str())
        .collect();
    let known = kinds.len() == marks.len() && kinds.iter().all(|kind| MARKS.contains(kind));
    let code_alone = !kinds.contains(&"code")
        || kinds
            .iter()
            .all(|kind| matches!(*kind, "code" | "link" | "annotation"));
    let links = marks.iter().filter(|mark| mark["type"] == "link");
    known
        && code_alone
        && links
            .into_iter()
            .all(|mark| mark["attrs"]["href"].is_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn doc(content: &Value) -> Value {
        json!({ "type": "doc", "version": 1, "content": [content] })
    }

    #[test]
    fn judges_documents() {
        let text = |text: &str, marks: Value| json!({ "type": "paragraph", "content": [{ "type": "text", "text": text, "marks": marks }] });
        for (name, content, expected) in [
            ("plain", text("a", json!([])), true),
            ("empty text", text("", json!([])), false),
            (
                "code and link",
                text(
                    "a",
                    json!([{"type": "code"}, {"type": "link", "attrs": {"href": "x"}}]),
                ),
                true,
            ),
            (
                "code and strong",
                text("a", json!([{"type": "code"}, {"type": "strong"}])),
                false,
            ),
            ("unknown mark", text("a", json!([{"type": "blink"}])), false),
            ("unknown node", json!({ "type": "marquee" }), false),
            (
                "inline at the top",
                json!({ "type": "text", "text": "a" }),
                false,
            ),
            (
                "block in a paragraph",
                json!({ "type": "paragraph", "content": [{ "type": "rule" }] }),
                false,
            ),
            (
                "empty paragraph",
                json!({ "type": "paragraph", "content": [] }),
                true,
            ),
            (
                "empty list",
                json!({ "type": "bulletList", "content": [] }),
                false,
            ),
            (
                "card",
                json!({ "type": "blockCard", "attrs": { "url": "https://example.com" } }),
                true,
            ),
            (
                "card without address",
                json!({ "type": "blockCard", "attrs": {} }),
                false,
            ),
            (
                "heading without level",
                json!({ "type": "heading", "content": [] }),
                false,
            ),
        ] {
            assert_eq!(is_valid(&doc(&content)), expected, "{name}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let mut node = json!({ "type": "paragraph" });
        for _ in 0..10 * MAX_DEPTH {
            node = json!({ "type": "panel", "attrs": { "panelType": "info" }, "content": [node] });
        }
        assert!(!is_valid(&doc(&node)));
    }
}
