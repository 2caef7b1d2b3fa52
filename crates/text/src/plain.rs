//! Plain text out.

use crate::model::{Block, Doc, Inline, ListItem, append, mention_label};

/// Spaces before each deeper level.
const INDENT: &str = "  ";

/// Writes a document as plain text: blocks on lines of their own, list items with `-` or their
/// number, quotes with `>`, a link as its text followed by its address in brackets unless the
/// text already is that address.
pub fn write(doc: &Doc) -> String {
    let mut lines = Vec::new();
    write_blocks(&doc.blocks, &mut lines);
    lines.join("\n")
}

fn write_blocks(blocks: &[Block], lines: &mut Vec<String>) {
    for block in blocks {
        match block {
            Block::Paragraph(content) | Block::Heading { content, .. } => {
                lines.extend(inlines(content).split('\n').map(str::to_owned));
            }
            Block::BulletList(items) => write_items(items, |_| "- ".to_owned(), lines),
            Block::OrderedList { start, items } => {
                write_items(items, |n| format!("{}. ", u64::from(*start) + n), lines);
            }
            Block::Quote(inner) => {
                let mut quoted = Vec::new();
                write_blocks(inner, &mut quoted);
                lines.extend(quoted.into_iter().map(|line| format!("> {line}")));
            }
            Block::Panel(inner) => write_blocks(inner, lines),
            Block::Code { text, .. } => lines.extend(text.split('\n').map(str::to_owned)),
            Block::Rule => lines.push("---".to_owned()),
            Block::Table(rows) => lines.extend(rows.iter().map(|row| table_row(row))),
            Block::Card { url } => lines.push(url.clone()),
            Block::Attachment(file) => lines.push(format!("[{}]", file.label())),
        }
    }
}

fn write_items(items: &[ListItem], marker: impl Fn(u64) -> String, lines: &mut Vec<String>) {
    for (item, n) in items.iter().zip(0..) {
        let mut inner = Vec::new();
        write_blocks(&item.blocks, &mut inner);
        let mut inner = inner.into_iter();
        lines.push(format!("{}{}", marker(n), inner.next().unwrap_or_default()));
        lines.extend(inner.map(|line| format!("{INDENT}{line}")));
    }
}

/// A table's row on one line.
pub(crate) fn table_row(row: &[Vec<Block>]) -> String {
    let cells = row.iter().map(|cell| {
        let mut lines = Vec::new();
        write_blocks(cell, &mut lines);
        lines.join(" ")
    });
    cells.collect::<Vec<_>>().join(" | ")
}

/// Running text without marks.
pub(crate) fn inlines(content: &[Inline]) -> String {
    let mut out = String::new();
    for inline in content {
        match inline {
            Inline::Text { text, .. } => out.push_str(text),
            Inline::Link { href, content } => {
                let shown = inlines(content);
                if shown.trim().is_empty() {
                    out.push_str(href);
                    continue;
                }
                out.push_str(&shown);
                if shown != *href {
                    append(&mut out, format_args!(" ({href})"));
                }
            }
            Inline::Card { url } => out.push_str(url),
            Inline::Mention { id, name } => out.push_str(&mention_label(id.as_deref(), name)),
            Inline::Emoji(emoji) => out.push_str(emoji),
            Inline::Attachment(file) => append(&mut out, format_args!("[{}]", file.label())),
            Inline::Break => out.push('\n'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Attachment;

    #[test]
    fn every_block_has_its_line() {
        let text = |text: &str| vec![Inline::text(text)];
        let nested = ListItem {
            blocks: vec![
                Block::Paragraph(text("one")),
                Block::OrderedList {
                    start: 3,
                    items: vec![ListItem::paragraph(text("deep"))],
                },
            ],
        };
        let doc = Doc {
            blocks: vec![
                Block::Heading {
                    level: 1,
                    content: text("Title"),
                },
                Block::BulletList(vec![nested, ListItem::paragraph(text("two"))]),
                Block::Quote(vec![Block::Paragraph(text("said"))]),
                Block::Code {
                    language: None,
                    text: "a\nb".to_owned(),
                },
                Block::Rule,
                Block::Table(vec![vec![
                    vec![Block::Paragraph(text("x"))],
                    vec![Block::Paragraph(text("y"))],
                ]]),
                Block::Paragraph(vec![
                    Inline::link("https://example.com", "here"),
                    Inline::Break,
                    Inline::link("https://example.com", "https://example.com"),
                    Inline::Mention {
                        id: Some("a1".to_owned()),
                        name: String::new(),
                    },
                    Inline::Attachment(Attachment {
                        name: Some("a.png".to_owned()),
                        url: None,
                    }),
                ]),
            ],
        };
        let expected = "Title\n- one\n  3. deep\n- two\n> said\na\nb\n---\nx | y\n\
            here (https://example.com)\nhttps://example.com@a1[a.png]";
        assert_eq!(write(&doc), expected);
    }
}
