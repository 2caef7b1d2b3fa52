//! A checker of ADF, written from the rules of the published schema: what may stand where, which
//! attributes are needed, which marks go together.

use serde_json::Value;

/// What the check found wrong first, with where it is.
pub(crate) fn check(document: &Value) -> Result<(), String> {
    if document["type"] != "doc" || document["version"] != 1 {
        return Err("no document of version 1".to_owned());
    }
    children(document, BLOCKS)
}

const INLINES: &[&str] = &["text", "hardBreak", "inlineCard", "mention", "emoji"];
const ITEM: &[&str] = &["paragraph", "bulletList", "orderedList", "codeBlock"];
const PANEL: &[&str] = &[
    "paragraph",
    "heading",
    "bulletList",
    "orderedList",
    "codeBlock",
    "rule",
];
const CELL: &[&str] = &[
    "paragraph",
    "heading",
    "bulletList",
    "orderedList",
    "codeBlock",
    "rule",
    "panel",
    "blockquote",
];
const BLOCKS: &[&str] = &[
    "paragraph",
    "heading",
    "bulletList",
    "orderedList",
    "codeBlock",
    "rule",
    "panel",
    "blockquote",
    "table",
    "blockCard",
];

fn children(node: &Value, allowed: &[&str]) -> Result<(), String> {
    let Some(content) = node.get("content") else {
        return Ok(());
    };
    let content = content.as_array().ok_or("content is no array")?;
    for child in content {
        let kind = child["type"].as_str().unwrap_or("nothing");
        if !allowed.contains(&kind) {
            return Err(format!("{kind} in {}", node["type"]));
        }
        one(child).map_err(|why| format!("{} > {why}", node["type"]))?;
    }
    Ok(())
}

fn fields(node: &Value, allowed: &[&str]) -> Result<(), String> {
    let unknown = node.as_object().and_then(|fields| {
        fields
            .keys()
            .find(|key| *key != "type" && !allowed.contains(&key.as_str()))
    });
    unknown.map_or(Ok(()), |key| Err(format!("{} has {key}", node["type"])))
}

fn filled(node: &Value) -> Result<(), String> {
    let some = node["content"]
        .as_array()
        .is_some_and(|content| !content.is_empty());
    if some {
        Ok(())
    } else {
        Err(format!("{} is empty", node["type"]))
    }
}

fn one(node: &Value) -> Result<(), String> {
    let attrs = &node["attrs"];
    let text_attr = |name: &str| {
        let some = attrs[name].as_str().is_some_and(|text| !text.is_empty());
        if some {
            Ok(())
        } else {
            Err(format!("{} without {name}", node["type"]))
        }
    };
    match node["type"].as_str().unwrap_or_default() {
        "paragraph" => fields(node, &["content"]).and_then(|()| children(node, INLINES)),
        "heading" => {
            fields(node, &["content", "attrs"])?;
            if !attrs["level"]
                .as_u64()
                .is_some_and(|level| (1..=6).contains(&level))
            {
                return Err("heading level".to_owned());
            }
            children(node, INLINES)
        }
        "bulletList" | "orderedList" => {
            fields(node, &["content", "attrs"])?;
            filled(node).and_then(|()| children(node, &["listItem"]))
        }
        "listItem" => {
            fields(node, &["content"]).and_then(|()| filled(node))?;
            if !["paragraph", "codeBlock"]
                .contains(&node["content"][0]["type"].as_str().unwrap_or(""))
            {
                return Err("an item begins with a list".to_owned());
            }
            children(node, ITEM)
        }
        "blockquote" => fields(node, &["content"])
            .and_then(|()| filled(node))
            .and_then(|()| children(node, ITEM)),
        "panel" => {
            fields(node, &["content", "attrs"]).and_then(|()| text_attr("panelType"))?;
            filled(node).and_then(|()| children(node, PANEL))
        }
        "table" => {
            fields(node, &["content"]).and_then(|()| filled(node))?;
            children(node, &["tableRow"])
        }
        "tableRow" => fields(node, &["content"]).and_then(|()| children(node, &["tableCell"])),
        "tableCell" => fields(node, &["content"])
            .and_then(|()| filled(node))
            .and_then(|()| children(node, CELL)),
        "codeBlock" => {
            fields(node, &["content", "attrs"])?;
            let content = node["content"].as_array().into_iter().flatten();
            if content.clone().any(|text| text.get("marks").is_some()) {
                return Err("marks in code".to_owned());
            }
            children(node, &["text"])
        }
        "text" => {
            fields(node, &["text", "marks"])?;
            if node["text"].as_str().is_none_or(str::is_empty) {
                return Err("empty text".to_owned());
            }
            marks(node)
        }
        "blockCard" | "inlineCard" => fields(node, &["attrs"]).and_then(|()| text_attr("url")),
        "mention" => fields(node, &["attrs"]).and_then(|()| text_attr("id")),
        "emoji" => fields(node, &["attrs"]).and_then(|()| text_attr("shortName")),
        "rule" | "hardBreak" => fields(node, &[]),
        other => Err(format!("unknown {other}")),
    }
}

fn marks(text: &Value) -> Result<(), String> {
    let Some(marks) = text.get("marks") else {
        return Ok(());
    };
    let kinds: Vec<&str> = marks
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|mark| mark["type"].as_str())
        .collect();
    let known = ["link", "strong", "em", "strike", "underline", "code"];
    let mut seen = std::collections::HashSet::new();
    if kinds.is_empty()
        || !kinds
            .iter()
            .all(|kind| known.contains(kind) && seen.insert(*kind))
    {
        return Err(format!("marks {kinds:?}"));
    }
    if kinds.contains(&"code") && kinds.iter().any(|kind| !["code", "link"].contains(kind)) {
        return Err("code with other marks".to_owned());
    }
    Ok(())
}
