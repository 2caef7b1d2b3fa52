//! Running text in ADF, and what any node tells by itself.

use serde_json::Value;

use crate::address;
use crate::model::{Attachment, Inline, MAX_DEPTH, Marks, push_text};

pub(super) fn kind(node: &Value) -> &str {
    node.get("type").and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn children(node: &Value) -> &[Value] {
    node.get("content")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

pub(super) fn attr<'v>(node: &'v Value, name: &str) -> Option<&'v Value> {
    node.get("attrs")?.get(name)
}

pub(super) fn attr_str<'v>(node: &'v Value, name: &str) -> Option<&'v str> {
    attr(node, name)?.as_str().filter(|text| !text.is_empty())
}

/// Text of a code block, whatever it is wrapped in.
pub(super) fn code_text(node: &Value) -> String {
    let mut text = String::new();
    let mut stack = vec![children(node).iter()];
    while let Some(top) = stack.last_mut() {
        let Some(node) = top.next() else {
            stack.pop();
            continue;
        };
        if kind(node) == "hardBreak" {
            text.push('\n');
        }
        text.push_str(node.get("text").and_then(Value::as_str).unwrap_or_default());
        stack.push(children(node).iter());
    }
    text.truncate(text.trim_end_matches(['\n', '\r']).len());
    text
}

/// Reads nodes where running text is expected.
pub(super) fn inlines(nodes: &[Value], depth: usize) -> Vec<Inline> {
    let mut out = Vec::new();
    inlines_into(nodes, depth, &mut out);
    out
}

fn inlines_into(nodes: &[Value], depth: usize, out: &mut Vec<Inline>) {
    if depth >= MAX_DEPTH {
        flatten(nodes, out);
        return;
    }
    for node in nodes {
        if !leaf(node, out) {
            own_text(node, out);
            inlines_into(children(node), depth + 1, out);
        }
    }
}

/// Reads everything below `nodes` as running text, without recursion.
pub(super) fn flatten(nodes: &[Value], out: &mut Vec<Inline>) {
    let mut stack = vec![nodes.iter()];
    while let Some(top) = stack.last_mut() {
        let Some(node) = top.next() else {
            stack.pop();
            continue;
        };
        if kind(node) == "codeBlock" {
            let code = Marks {
                code: true,
                ..Marks::default()
            };
            push_text(out, &code_text(node), code);
        } else if !leaf(node, out) {
            if kind(node) == "paragraph" && !out.is_empty() {
                out.push(Inline::Break);
            }
            own_text(node, out);
            stack.push(children(node).iter());
        }
    }
}

/// What a node that holds others tells by itself: its text, its card, the addresses among its
/// parameters.
pub(super) fn own_text(node: &Value, out: &mut Vec<Inline>) {
    let text = node
        .get("text")
        .and_then(Value::as_str)
        .or_else(|| attr_str(node, "text"));
    push_text(out, text.unwrap_or_default(), Marks::default());
    if let Some(url) = card_url(node) {
        out.push(Inline::Card {
            url: url.to_owned(),
        });
    }
    for params in ["parameters", "datasource"] {
        out.extend(addresses_in(attr(node, params)).map(|url| Inline::Card { url }));
    }
    if kind(node) == "media" {
        push_linked(out, link_of(node), Inline::Attachment(attachment(node)));
    }
}

/// Reads a node that is running text by itself; `false` if it is something else.
pub(super) fn leaf(node: &Value, out: &mut Vec<Inline>) -> bool {
    let href = link_of(node);
    match kind(node) {
        "text" => {
            let text = node.get("text").and_then(Value::as_str).unwrap_or_default();
            push_marked(out, href, text, marks(node));
        }
        "hardBreak" => out.push(Inline::Break),
        "mention" => {
            let name = attr_str(node, "text").unwrap_or_default();
            let name = name.strip_prefix('@').unwrap_or(name).to_owned();
            let id = attr_str(node, "id").map(str::to_owned);
            push_linked(out, href, Inline::Mention { id, name });
        }
        "emoji" => {
            let emoji = attr_str(node, "text").or_else(|| attr_str(node, "shortName"));
            if let Some(emoji) = emoji {
                push_linked(out, href, Inline::Emoji(emoji.to_owned()));
            }
        }
        "date" => {
            let millis = attr(node, "timestamp").and_then(|stamp| {
                stamp
                    .as_i64()
                    .or_else(|| stamp.as_str()?.trim().parse().ok())
            });
            let day = millis.map(day_of).unwrap_or_default();
            push_marked(out, href, &day, marks(node));
        }
        "status" => {
            let text = attr_str(node, "text").unwrap_or_default();
            push_marked(out, href, text, marks(node));
        }
        "inlineCard" => {
            if let Some(url) = card_url(node) {
                out.push(Inline::Card {
                    url: url.to_owned(),
                });
            }
        }
        "mediaInline" => push_linked(out, href, Inline::Attachment(attachment(node))),
        // The editor's own prompt, never written by a person.
        "placeholder" => {}
        _ => return false,
    }
    true
}

fn push_marked(out: &mut Vec<Inline>, href: Option<&str>, text: &str, marks: Marks) {
    match href {
        None => push_text(out, text, marks),
        Some(_) if text.is_empty() => {}
        Some(_) => push_linked(
            out,
            href,
            Inline::Text {
                text: text.to_owned(),
                marks,
            },
        ),
    }
}

/// Appends a piece, inside the link before it if that has the same target.
fn push_linked(out: &mut Vec<Inline>, href: Option<&str>, piece: Inline) {
    let Some(href) = href else {
        out.push(piece);
        return;
    };
    if let Some(Inline::Link {
        href: before,
        content,
    }) = out.last_mut()
        && before == href
    {
        content.push(piece);
        return;
    }
    out.push(Inline::Link {
        href: href.to_owned(),
        content: vec![piece],
    });
}

fn mark_nodes(node: &Value) -> impl Iterator<Item = &Value> {
    node.get("marks")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn marks(node: &Value) -> Marks {
    let mut marks = Marks::default();
    for mark in mark_nodes(node) {
        match kind(mark) {
            "strong" => marks.strong = true,
            "em" => marks.em = true,
            "code" => marks.code = true,
            "strike" => marks.strike = true,
            "underline" => marks.underline = true,
            _ => {}
        }
    }
    marks
}

pub(super) fn link_of(node: &Value) -> Option<&str> {
    let link = mark_nodes(node).find(|mark| kind(mark) == "link")?;
    attr_str(link, "href")
}

/// Target of a card: its address, or the one in its linked data.
pub(super) fn card_url(node: &Value) -> Option<&str> {
    let data = attr(node, "data");
    let nested = |name: &str| data.and_then(|data| data.get(name));
    attr_str(node, "url")
        .or_else(|| nested("url")?.as_str())
        .or_else(|| nested("url")?.get("@id")?.as_str())
        .or_else(|| nested("@id")?.as_str())
        .filter(|url| !url.trim().is_empty())
}

pub(super) fn attachment(node: &Value) -> Attachment {
    let name = attr_str(node, "alt").or_else(|| attr_str(node, "__fileName"));
    let url = attr_str(node, "url");
    Attachment {
        name: name.map(str::to_owned),
        url: url.map(str::to_owned),
    }
}

/// Conversation addresses anywhere among an extension's parameters. Other web addresses there
/// (icons, macro endpoints) are the extension's business and are not shown.
pub(super) fn addresses_in(params: Option<&Value>) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let mut stack: Vec<&Value> = params.into_iter().collect();
    while let Some(value) = stack.pop() {
        match value {
            Value::String(text) => found.extend(address::find_in_text(text)),
            Value::Array(values) => stack.extend(values.iter().rev()),
            Value::Object(fields) => {
                stack.extend(fields.values().rev());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    found.into_iter().map(|address| address.url())
}

/// Milliseconds in a day.
const DAY_MILLIS: i64 = 86_400_000;

/// The UTC day (ISO 8601) of a time in milliseconds since 1970, by the usual arithmetic of
/// 400-year eras that begin in March.
fn day_of(millis: i64) -> String {
    let days = millis.div_euclid(DAY_MILLIS) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
