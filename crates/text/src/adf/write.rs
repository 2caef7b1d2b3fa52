//! From the model to ADF.
//!
//! The nesting rules are those of the published schema, version 1: what may not stand where the
//! model has it is written as the nearest node that may.

use serde_json::{Map, Value, json};

use crate::model::{Attachment, Block, Doc, Inline, ListItem, Marks, mention_label};
use crate::urls;

/// Writes a document of version 1.
pub fn write(doc: &Doc) -> Value {
    json!({"type": "doc", "version": 1, "content": blocks(&doc.blocks, Place::Root)})
}

/// What surrounds a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Item,
    Quote,
    Panel,
    Cell,
}

impl Place {
    /// Whether headings and rules may stand here.
    fn holds_headings(self) -> bool {
        matches!(self, Place::Root | Place::Panel | Place::Cell)
    }

    /// Whether quotes and panels may stand here.
    fn holds_boxes(self) -> bool {
        matches!(self, Place::Root | Place::Cell)
    }
}

fn node(kind: &str, content: Vec<Value>) -> Value {
    let mut node = Map::new();
    node.insert("type".to_owned(), kind.into());
    node.insert("content".to_owned(), content.into());
    Value::Object(node)
}

fn node_with(kind: &str, attrs: Value, content: Vec<Value>) -> Value {
    let mut node = node(kind, content);
    node["attrs"] = attrs;
    node
}

fn blocks(blocks: &[Block], place: Place) -> Vec<Value> {
    let mut out = Vec::new();
    for block in blocks {
        write_block(block, place, &mut out);
    }
    out
}

fn write_block(block: &Block, place: Place, out: &mut Vec<Value>) {
    match block {
        Block::Heading { level, content } if place.holds_headings() => {
            let attrs = json!({"level": (*level).clamp(1, 6)});
            out.push(node_with("heading", attrs, inlines(content)));
        }
        Block::Paragraph(content) | Block::Heading { content, .. } => {
            out.push(node("paragraph", inlines(content)));
        }
        Block::BulletList(items) => {
            out.extend(list_items(items).map(|items| node("bulletList", items)));
        }
        Block::OrderedList { start, items } => {
            let list = |items| node_with("orderedList", json!({"order": start}), items);
            out.extend(list_items(items).map(list));
        }
        Block::Quote(inner) if place.holds_boxes() => {
            out.extend(filled(blocks(inner, Place::Quote)).map(|inner| node("blockquote", inner)));
        }
        Block::Panel(inner) if place.holds_boxes() => {
            let panel = |inner| node_with("panel", json!({"panelType": "info"}), inner);
            out.extend(filled(blocks(inner, Place::Panel)).map(panel));
        }
        Block::Quote(inner) | Block::Panel(inner) => out.extend(blocks(inner, place)),
        Block::Code { language, text } => out.push(code(language.as_deref(), text)),
        Block::Rule if place.holds_headings() => out.push(json!({"type": "rule"})),
        Block::Rule => {}
        Block::Table(rows) if place == Place::Root => out.extend(table(rows)),
        Block::Table(rows) => {
            for cell in rows.iter().flatten() {
                out.extend(blocks(cell, place));
            }
        }
        Block::Card { url } => match urls::safe_web(url) {
            Some(url) if place == Place::Root => {
                out.push(json!({"type": "blockCard", "attrs": {"url": url}}));
            }
            _ => out.push(node(
                "paragraph",
                inlines(&[Inline::Card { url: url.clone() }]),
            )),
        },
        Block::Attachment(file) => {
            out.push(node(
                "paragraph",
                inlines(&[Inline::Attachment(file.clone())]),
            ));
        }
    }
}

/// Nodes that must hold something are left out when they do not.
fn filled(content: Vec<Value>) -> Option<Vec<Value>> {
    (!content.is_empty()).then_some(content)
}

fn list_items(items: &[ListItem]) -> Option<Vec<Value>> {
    let items = items.iter().map(|item| {
        let mut inner = blocks(&item.blocks, Place::Item);
        let first = inner.first().and_then(|node| node["type"].as_str());
        // Older servers want something else than a list at the head of an item.
        if !matches!(first, Some("paragraph" | "codeBlock")) {
            inner.insert(0, node("paragraph", Vec::new()));
        }
        node("listItem", inner)
    });
    filled(items.collect())
}

fn code(language: Option<&str>, text: &str) -> Value {
    let mut block = Map::new();
    block.insert("type".to_owned(), json!("codeBlock"));
    if let Some(language) = language {
        block.insert("attrs".to_owned(), json!({"language": language}));
    }
    if !text.is_empty() {
        block.insert(
            "content".to_owned(),
            json!([{"type": "text", "text": text}]),
        );
    }
    Value::Object(block)
}

fn table(rows: &[Vec<Vec<Block>>]) -> Option<Value> {
    let cell = |cell: &Vec<Block>| {
        let inner = filled(blocks(cell, Place::Cell));
        node(
            "tableCell",
            inner.unwrap_or_else(|| vec![node("paragraph", Vec::new())]),
        )
    };
    let rows = rows
        .iter()
        .filter(|row| !row.is_empty())
        .map(|row| node("tableRow", row.iter().map(cell).collect()));
    filled(rows.collect()).map(|rows| node("table", rows))
}

fn inlines(content: &[Inline]) -> Vec<Value> {
    let mut out = Vec::new();
    for inline in content {
        write_inline(inline, None, &mut out);
    }
    out
}

fn write_inline(inline: &Inline, href: Option<&str>, out: &mut Vec<Value>) {
    let plain = Marks::default();
    match inline {
        Inline::Text { text, marks } => push_text(text, *marks, href, out),
        Inline::Link { href: own, content } => {
            let target = urls::safe_href(own).or(href);
            if crate::plain::inlines(content).trim().is_empty() {
                return push_text(own, plain, target, out);
            }
            for piece in content {
                write_inline(piece, target, out);
            }
        }
        // Inside a link a card would lose the link's target, so it is written as its text.
        Inline::Card { url } => match urls::safe_web(url) {
            Some(url) if href.is_none() => {
                out.push(json!({"type": "inlineCard", "attrs": {"url": url}}));
            }
            target => push_text(url, plain, href.or(target), out),
        },
        Inline::Mention { id, name } => {
            let label = mention_label(id.as_deref(), name);
            match id.as_deref().filter(|id| !id.is_empty()) {
                Some(id) => {
                    out.push(json!({"type": "mention", "attrs": {"id": id, "text": label}}));
                }
                None => push_text(&label, plain, href, out),
            }
        }
        Inline::Emoji(emoji) => match short_name(emoji) {
            Some(name) => out.push(json!({"type": "emoji", "attrs": {"shortName": name}})),
            None => push_text(emoji, plain, href, out),
        },
        Inline::Attachment(file) => push_attachment(file, href, out),
        Inline::Break => out.push(json!({"type": "hardBreak"})),
    }
}

/// Files cannot be shown in place without their media id, so they are named.
fn push_attachment(file: &Attachment, href: Option<&str>, out: &mut Vec<Value>) {
    let target = href.or_else(|| urls::safe_web(file.url.as_deref()?));
    push_text(
        &format!("[{}]", file.label()),
        Marks::default(),
        target,
        out,
    );
}

fn short_name(emoji: &str) -> Option<&str> {
    let inner = emoji.strip_prefix(':')?.strip_suffix(':')?;
    let name_like = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+');
    (!inner.is_empty() && inner.chars().all(name_like)).then_some(emoji)
}

/// Text nodes may not be empty; line breaks in them would not be shown.
fn push_text(text: &str, marks: Marks, href: Option<&str>, out: &mut Vec<Value>) {
    for (n, line) in text.split('\n').enumerate() {
        if n > 0 {
            out.push(json!({"type": "hardBreak"}));
        }
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            continue;
        }
        let mut text_node = json!({"type": "text", "text": line});
        let marks = mark_nodes(marks, href);
        if !marks.is_empty() {
            text_node["marks"] = Value::Array(marks);
        }
        out.push(text_node);
    }
}

fn mark_nodes(marks: Marks, href: Option<&str>) -> Vec<Value> {
    let mut out = Vec::new();
    if let Some(href) = href {
        out.push(json!({"type": "link", "attrs": {"href": href}}));
    }
    let wanted: &[(bool, &str)] = if marks.code {
        // Code goes with a link and with nothing else.
        &[(true, "code")]
    } else {
        &[
            (marks.strong, "strong"),
            (marks.em, "em"),
            (marks.strike, "strike"),
            (marks.underline, "underline"),
        ]
    };
    out.extend(
        wanted
            .iter()
            .filter(|(on, _)| *on)
            .map(|(_, kind)| json!({"type": kind})),
    );
    out
}
