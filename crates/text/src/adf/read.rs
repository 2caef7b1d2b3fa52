//! From ADF to the model.

use serde_json::Value;

use super::inline::{
    addresses_in, attachment, attr, attr_str, card_url, children, code_text, flatten, inlines,
    kind, leaf, link_of, own_text,
};
use crate::model::{Attachment, Block, Doc, Inline, ListItem, MAX_DEPTH};

/// What stands before an open and before a finished task.
const TASK_SIGNS: [&str; 2] = ["☐ ", "☑ "];

/// Reads a document. Any JSON gives one: unknown nodes are read for the text and the nodes inside
/// them, a JSON string is taken as plain text, and what is nested too deeply becomes flat text.
pub fn read(value: &Value) -> Doc {
    Doc {
        blocks: read_blocks(value, 0),
    }
}

/// Reads a document that will stand inside others, `depth` levels down.
pub(crate) fn read_blocks(value: &Value, depth: usize) -> Vec<Block> {
    match value {
        Value::String(text) => plain_blocks(text),
        Value::Array(nodes) => blocks(nodes, depth),
        Value::Object(_) if kind(value) == "doc" => blocks(children(value), depth),
        Value::Object(_) => blocks(std::slice::from_ref(value), depth),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Plain text where a document was expected: empty lines part paragraphs.
fn plain_blocks(text: &str) -> Vec<Block> {
    let mut paragraphs = Vec::new();
    let mut content = Vec::new();
    for line in text.lines().chain([""]) {
        if line.trim().is_empty() {
            flush(&mut content, &mut paragraphs);
            continue;
        }
        if !content.is_empty() {
            content.push(Inline::Break);
        }
        content.push(Inline::text(line));
    }
    paragraphs
}

fn flush(content: &mut Vec<Inline>, blocks: &mut Vec<Block>) {
    if !content.is_empty() {
        blocks.push(Block::Paragraph(std::mem::take(content)));
    }
}

/// Reads nodes where blocks are expected. Running text between them becomes paragraphs.
fn blocks(nodes: &[Value], depth: usize) -> Vec<Block> {
    if depth >= MAX_DEPTH {
        let mut content = Vec::new();
        flatten(nodes, &mut content);
        return if content.is_empty() {
            Vec::new()
        } else {
            vec![Block::Paragraph(content)]
        };
    }
    let mut out = Vec::new();
    let mut running = Vec::new();
    for node in nodes {
        if leaf(node, &mut running) {
            continue;
        }
        flush(&mut running, &mut out);
        block(node, depth, &mut out);
    }
    flush(&mut running, &mut out);
    out
}

fn block(node: &Value, depth: usize, out: &mut Vec<Block>) {
    let inside = || blocks(children(node), depth + 1);
    match kind(node) {
        "paragraph" | "caption" => out.push(Block::Paragraph(inlines(children(node), depth))),
        "heading" => {
            let level = attr(node, "level")
                .and_then(Value::as_u64)
                .unwrap_or(1)
                .clamp(1, 6);
            let level = u8::try_from(level).unwrap_or(1);
            out.push(Block::Heading {
                level,
                content: inlines(children(node), depth),
            });
        }
        "bulletList" | "taskList" | "decisionList" => {
            out.push(Block::BulletList(items(node, depth)));
        }
        "orderedList" => {
            let start = attr(node, "order").and_then(Value::as_u64).unwrap_or(1);
            let start = u32::try_from(start).unwrap_or(1);
            out.push(Block::OrderedList {
                start,
                items: items(node, depth),
            });
        }
        "blockquote" => out.push(Block::Quote(inside())),
        "panel" => out.push(Block::Panel(inside())),
        "expand" | "nestedExpand" => {
            let title = attr_str(node, "title").map(|title| vec![Inline::strong(title)]);
            let mut inner: Vec<Block> = title.map(Block::Paragraph).into_iter().collect();
            inner.extend(inside());
            out.push(Block::Panel(inner));
        }
        "codeBlock" => out.push(Block::Code {
            language: attr_str(node, "language").map(str::to_owned),
            text: code_text(node),
        }),
        "rule" => out.push(Block::Rule),
        "table" => out.push(Block::Table(rows(node, depth))),
        "blockCard" | "embedCard" => {
            if let Some(url) = card_url(node) {
                out.push(Block::Card {
                    url: url.to_owned(),
                });
            }
            out.extend(addresses_in(attr(node, "datasource")).map(|url| Block::Card { url }));
        }
        "mediaSingle" => {
            let start = out.len();
            out.extend(inside());
            if let Some(href) = link_of(node) {
                link_attachments(&mut out[start..], href);
            }
        }
        "media" => out.push(match link_of(node) {
            None => Block::Attachment(attachment(node)),
            Some(href) => linked_attachment(attachment(node), href),
        }),
        _ => {
            unknown_block(node, depth, out);
        }
    }
}

/// A node that we do not know, an extension, or one that only groups others (a layout column).
fn unknown_block(node: &Value, depth: usize, out: &mut Vec<Block>) {
    let mut own = Vec::new();
    own_text(node, &mut own);
    flush(&mut own, out);
    out.extend(blocks(children(node), depth + 1));
}

fn linked_attachment(file: Attachment, href: &str) -> Block {
    let content = vec![Inline::Attachment(file)];
    Block::Paragraph(vec![Inline::Link {
        href: href.to_owned(),
        content,
    }])
}

fn link_attachments(blocks: &mut [Block], href: &str) {
    for block in blocks {
        if let Block::Attachment(file) = block {
            *block = linked_attachment(std::mem::take(file), href);
        }
    }
}

fn items(list: &Value, depth: usize) -> Vec<ListItem> {
    let mut items: Vec<ListItem> = Vec::new();
    for node in children(list) {
        match kind(node) {
            "bulletList" | "orderedList" | "taskList" | "decisionList" => {
                // Task lists nest without an item around the inner list.
                let nested = blocks(std::slice::from_ref(node), depth + 1);
                match items.last_mut() {
                    Some(item) => item.blocks.extend(nested),
                    None => items.push(ListItem { blocks: nested }),
                }
            }
            "listItem" | "taskItem" | "blockTaskItem" | "decisionItem" => {
                let mut inner = blocks(children(node), depth + 1);
                if kind(node).ends_with("askItem") {
                    add_task_sign(&mut inner, attr_str(node, "state") == Some("DONE"));
                }
                items.push(ListItem { blocks: inner });
            }
            _ => {
                let blocks = blocks(std::slice::from_ref(node), depth + 1);
                items.push(ListItem { blocks });
            }
        }
    }
    items
}

fn add_task_sign(blocks: &mut Vec<Block>, done: bool) {
    let sign = Inline::text(TASK_SIGNS[usize::from(done)]);
    match blocks.first_mut() {
        Some(Block::Paragraph(content)) => content.insert(0, sign),
        _ => blocks.insert(0, Block::Paragraph(vec![sign])),
    }
}

fn rows(table: &Value, depth: usize) -> Vec<Vec<Vec<Block>>> {
    let cells = |row: &Value| {
        children(row)
            .iter()
            .map(|cell| blocks(children(cell), depth + 1))
            .collect::<Vec<_>>()
    };
    children(table).iter().map(cells).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plain(value: &Value) -> String {
        crate::plain::write(&read(value))
    }

    #[test]
    fn every_node_keeps_what_it_says() {
        let text = |text: &str| json!({"type": "text", "text": text});
        let para = |node: Value| json!({"type": "paragraph", "content": [node]});
        let cases = [
            (para(text("a")), "a"),
            (text("loose"), "loose"),
            (
                json!({"type": "heading", "attrs": {"level": 99}, "content": [text("h")]}),
                "h",
            ),
            (
                json!({"type": "bulletList", "content": [
                {"type": "listItem", "content": [para(text("x")), {"type": "orderedList",
                    "attrs": {"order": 7}, "content": [{"type": "listItem", "content": [para(text("y"))]}]}]}]}),
                "- x\n  7. y",
            ),
            (
                json!({"type": "taskList", "content": [
                {"type": "taskItem", "attrs": {"state": "DONE"}, "content": [text("t")]},
                {"type": "taskList", "content": [
                    {"type": "taskItem", "attrs": {"state": "TODO"}, "content": [text("u")]}]}]}),
                "- ☑ t\n  - ☐ u",
            ),
            (
                json!({"type": "decisionList", "content": [{"type": "decisionItem", "content": [text("d")]}]}),
                "- d",
            ),
            (json!({"type": "panel", "content": [para(text("p"))]}), "p"),
            (
                json!({"type": "expand", "attrs": {"title": "More"}, "content": [para(text("e"))]}),
                "More\ne",
            ),
            (
                json!({"type": "table", "content": [{"type": "tableRow", "content": [
                {"type": "tableHeader", "content": [para(text("1"))]},
                {"type": "tableCell", "content": [para(text("2"))]}]}]}),
                "1 | 2",
            ),
            (
                json!({"type": "mediaSingle", "content": [
                {"type": "media", "attrs": {"type": "file", "id": "i", "alt": "a.png"}},
                {"type": "caption", "content": [text("cap")]}]}),
                "[a.png]\ncap",
            ),
            (
                json!({"type": "mediaGroup", "content": [
                {"type": "media", "attrs": {"type": "file", "id": "i"}}]}),
                "[attachment]",
            ),
            (
                para(json!({"type": "mediaInline", "attrs": {"id": "i", "alt": "b.log"}})),
                "[b.log]",
            ),
            (
                json!({"type": "media", "attrs": {"alt": "a"}, "marks": [
                {"type": "link", "attrs": {"href": "https://example.com"}}]}),
                "[a] (https://example.com)",
            ),
            (
                para(json!({"type": "emoji", "attrs": {"shortName": ":smile:", "text": "😄"}})),
                "😄",
            ),
            (
                para(json!({"type": "emoji", "attrs": {"shortName": ":parrot:"}})),
                ":parrot:",
            ),
            (
                para(json!({"type": "date", "attrs": {"timestamp": "1582156800000"}})),
                "2020-02-20",
            ),
            (
                para(json!({"type": "date", "attrs": {"timestamp": -1}})),
                "1969-12-31",
            ),
            (
                para(json!({"type": "status", "attrs": {"text": "DONE", "color": "green"}})),
                "DONE",
            ),
            (
                para(json!({"type": "mention", "attrs": {"id": "5b1", "text": "@Ann"}})),
                "@Ann",
            ),
            (
                para(
                    json!({"type": "inlineCard", "attrs": {"data": {"@id": "https://example.com/a"}}}),
                ),
                "https://example.com/a",
            ),
            (
                json!({"type": "embedCard", "attrs": {"url": "https://example.com/e"}}),
                "https://example.com/e",
            ),
            (
                json!({"type": "blockquote", "content": [para(text("q"))]}),
                "> q",
            ),
            (
                json!({"type": "codeBlock", "attrs": {"language": "rust"}, "content": [text("let a;\n")]}),
                "let a;",
            ),
            (
                json!({"type": "syncBlock2", "content": [{"type": "odd", "content": [text("in"), para(text("side"))]}]}),
                "in\nside",
            ),
            (
                para(json!({"type": "odd", "attrs": {"text": "fallback"}})),
                "fallback",
            ),
            (json!("one\ntwo\n\nthree"), "one\ntwo\nthree"),
            (json!(null), ""),
            (json!([1, true, {"type": 5, "content": {}}]), ""),
        ];
        for (node, expected) in cases {
            assert_eq!(plain(&node), expected, "{node}");
        }
    }

    #[test]
    fn texts_of_one_link_are_one_link() {
        let part = |text: &str, mark: &str| {
            json!({"type": "text", "text": text, "marks": [
                {"type": "link", "attrs": {"href": "https://example.com"}}, {"type": mark}]})
        };
        let doc =
            read(&json!({"type": "paragraph", "content": [part("a", "strong"), part("b", "em")]}));
        let Block::Paragraph(content) = &doc.blocks[0] else {
            panic!("a paragraph")
        };
        assert!(matches!(&content[..], [Inline::Link { content, .. }] if content.len() == 2));
    }

    #[test]
    fn deep_nesting_becomes_flat_text() {
        for kind in [
            "bulletList",
            "odd",
            "paragraph",
            "blockquote",
            "listItem",
            "table",
        ] {
            let mut node = json!({"type": "text", "text": "bottom"});
            for _ in 0..2_000 {
                let content = Value::Array(vec![node]);
                node = json!({"type": kind});
                node["content"] = content;
            }
            assert!(plain(&node).contains("bottom"), "{kind}");
        }
    }
}
