//! From the model to the text of a channel.

use super::marks::{MARKS, can_close, can_open};
use super::{FENCE, GUARD, Style, begins_block};
use crate::model::{Block, Doc, Inline, ListItem, Marks, mention_label};
use crate::{plain, urls};

/// Spaces before each deeper level.
const INDENT: &str = "  ";
/// What stands for a horizontal rule.
const RULE: &str = "———";

/// Writes a document for end users: paragraphs with an empty line between, list items and quotes
/// on lines of their own, a link as its text followed by its address, a mention as `@name`.
///
/// Underlining, tables and headings have no counterpart: words, lines, and bold lines.
pub fn write(doc: &Doc, style: Style) -> String {
    let mut paragraphs = Vec::new();
    for block in &doc.blocks {
        let mut lines = Vec::new();
        write_block(block, style, &mut lines);
        paragraphs.push(lines.join("\n"));
    }
    paragraphs.retain(|paragraph| !paragraph.trim().is_empty());
    paragraphs.join("\n\n")
}

fn write_blocks(blocks: &[Block], style: Style, lines: &mut Vec<String>) {
    for block in blocks {
        write_block(block, style, lines);
    }
}

fn write_block(block: &Block, style: Style, lines: &mut Vec<String>) {
    match block {
        Block::Paragraph(content) => lines.extend(running(content, style, false)),
        Block::Heading { content, .. } => lines.extend(running(content, style, true)),
        Block::BulletList(items) => write_items(items, style, |_| "- ".to_owned(), lines),
        Block::OrderedList { start, items } => {
            let number = |n| format!("{}. ", u64::from(*start) + n);
            write_items(items, style, number, lines);
        }
        Block::Quote(inner) => {
            let mut quoted = Vec::new();
            write_blocks(inner, style, &mut quoted);
            lines.extend(quoted.into_iter().map(|line| format!("> {line}")));
        }
        Block::Panel(inner) => write_blocks(inner, style, lines),
        Block::Code { text, .. } => lines.extend(code(text, style)),
        Block::Rule => lines.push(RULE.to_owned()),
        Block::Table(rows) => {
            let plain_rows = rows.iter().map(|row| plain::table_row(row));
            lines.extend(plain_rows.map(|row| guarded_lines(&row, style)));
        }
        Block::Card { url } => lines.push(url.clone()),
        Block::Attachment(file) => {
            lines.push(guarded_lines(&format!("[{}]", file.label()), style));
        }
    }
}

fn write_items(
    items: &[ListItem],
    style: Style,
    marker: impl Fn(u64) -> String,
    lines: &mut Vec<String>,
) {
    for (item, n) in items.iter().zip(0..) {
        let mut inner = Vec::new();
        write_blocks(&item.blocks, style, &mut inner);
        let mut inner = inner.into_iter();
        lines.push(format!("{}{}", marker(n), inner.next().unwrap_or_default()));
        lines.extend(inner.map(|line| format!("{INDENT}{line}")));
    }
}

/// A block of code, between fences where the channel knows them. A fence inside is broken up.
fn code(text: &str, style: Style) -> Vec<String> {
    if style == Style::Plain || text.trim().is_empty() {
        return text.split('\n').map(str::to_owned).collect();
    }
    let inner = text.replace('`', &format!("`{GUARD}"));
    format!("{FENCE}{inner}{FENCE}")
        .split('\n')
        .map(str::to_owned)
        .collect()
}

/// Text without marks of its own, safe from being taken for marks.
fn guarded_lines(text: &str, style: Style) -> String {
    running(&[Inline::text(text)], style, false).join("\n")
}

/// A piece of a line.
struct Piece {
    text: String,
    marks: Marks,
    /// An address: nothing may be put into it.
    is_address: bool,
}

/// Running text as lines.
fn running(content: &[Inline], style: Style, strong: bool) -> Vec<String> {
    let mut lines: Vec<Vec<Piece>> = vec![Vec::new()];
    collect(content, strong, &mut lines);
    lines.iter().map(|line| write_line(line, style)).collect()
}

fn collect(content: &[Inline], strong: bool, lines: &mut Vec<Vec<Piece>>) {
    let unmarked = Marks {
        strong,
        ..Marks::default()
    };
    for inline in content {
        match inline {
            Inline::Text { text, marks } => {
                let marks = Marks {
                    strong: marks.strong || strong,
                    underline: false,
                    ..*marks
                };
                push_text(lines, text, marks);
            }
            Inline::Link { href, content } => collect_link(href, content, strong, lines),
            Inline::Card { url } => push(lines, url, Marks::default(), true),
            Inline::Mention { id, name } => {
                push_text(lines, &mention_label(id.as_deref(), name), unmarked);
            }
            Inline::Emoji(emoji) => push_text(lines, emoji, unmarked),
            Inline::Attachment(file) => {
                push_text(lines, &format!("[{}]", file.label()), unmarked);
            }
            Inline::Break => lines.push(Vec::new()),
        }
    }
}

/// A link shows its address, unless its text already is it, or is not one to follow.
fn collect_link(href: &str, content: &[Inline], strong: bool, lines: &mut Vec<Vec<Piece>>) {
    let shown = plain::inlines(content);
    let safe = urls::safe_href(href);
    let Some(address) = safe else {
        collect(content, strong, lines);
        return;
    };
    if shown.trim().is_empty() || shown.trim() == address {
        push(lines, address, Marks::default(), true);
        return;
    }
    collect(content, strong, lines);
    if address.strip_prefix("mailto:") == Some(shown.trim()) {
        return;
    }
    push(lines, " (", Marks::default(), false);
    push(lines, address, Marks::default(), true);
    push(lines, ")", Marks::default(), false);
}

/// Pushes text, with line breaks and addresses found in it.
fn push_text(lines: &mut Vec<Vec<Piece>>, text: &str, marks: Marks) {
    for (n, line) in text.split('\n').enumerate() {
        if n > 0 {
            lines.push(Vec::new());
        }
        let mut rest = 0;
        for address in urls::spans(line) {
            push(lines, &line[rest..address.start], marks, false);
            rest = address.end;
            push(lines, &line[address], marks, true);
        }
        push(lines, &line[rest..], marks, false);
    }
}

fn push(lines: &mut [Vec<Piece>], text: &str, marks: Marks, is_address: bool) {
    let Some(line) = lines.last_mut().filter(|_| !text.is_empty()) else {
        return;
    };
    match line.last_mut() {
        Some(last) if last.marks == marks && last.is_address == is_address && !is_address => {
            last.text.push_str(text);
        }
        _ => line.push(Piece {
            text: text.to_owned(),
            marks,
            is_address,
        }),
    }
}

fn write_line(pieces: &[Piece], style: Style) -> String {
    let mut out = String::new();
    if style == Style::Plain {
        out.extend(pieces.iter().map(|piece| piece.text.as_str()));
        return out;
    }
    for (n, piece) in pieces.iter().enumerate() {
        let after = pieces.get(n + 1).and_then(|next| next.text.chars().next());
        write_piece(piece, after, &mut out);
    }
    guard_line_start(&mut out);
    out
}

/// A line that would begin a list or a quote and is none.
fn guard_line_start(line: &mut String) {
    if begins_block(line) {
        line.insert(0, GUARD);
    }
}

fn write_piece(piece: &Piece, after: Option<char>, out: &mut String) {
    if piece.is_address {
        out.push_str(&piece.text);
        return;
    }
    let inner = piece.text.trim();
    let opening = marks_of(piece.marks, inner);
    // Marks hold only at the edges of words; inside of one they would be shown as they are.
    let start = piece.text.len() - piece.text.trim_start().len();
    let before = piece.text[..start].chars().last().or(out.chars().last());
    let following = piece.text[start + inner.len()..].chars().next().or(after);
    let holds = fits(&opening, before, inner, following);
    if opening.is_empty() || !holds {
        guarded(&piece.text, out, after);
        return;
    }
    out.push_str(&piece.text[..start]);
    out.push_str(&opening);
    if piece.marks.code {
        out.push_str(inner);
    } else {
        guarded(inner, out, opening.chars().last());
    }
    out.extend(opening.chars().rev());
    out.push_str(&piece.text[start + inner.len()..]);
}

/// The opening marks. Code holds no other marks, and no backtick.
fn marks_of(marks: Marks, inner: &str) -> String {
    if inner.is_empty() {
        return String::new();
    }
    if marks.code {
        let one = if inner.contains('`') { "" } else { "`" };
        return one.to_owned();
    }
    let known = [(marks.strong, '*'), (marks.em, '_'), (marks.strike, '~')];
    known
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, mark)| mark)
        .collect()
}

/// Whether marks around this text would be taken for marks.
fn fits(opening: &str, before: Option<char>, inner: &str, after: Option<char>) -> bool {
    let Some(outer) = opening.chars().next() else {
        return false;
    };
    let first = inner.chars().next();
    let last = inner.chars().last();
    let next = opening.chars().nth(1).or(first);
    let previous = opening.chars().nth(1).or(last);
    // A neighbour that is a mark itself may pair with ours.
    let clear = |c: Option<char>| c.is_none_or(|c| !MARKS.contains(&c));
    clear(before)
        && clear(after)
        && clear(first)
        && clear(last)
        && can_open(before, outer, next)
        && can_close(previous, outer, after)
}

/// Text in which no character is taken for a mark.
fn guarded(text: &str, out: &mut String, after: Option<char>) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if !MARKS.contains(&c) {
            out.push(c);
            continue;
        }
        let next = chars.peek().copied().or(after);
        if can_close(out.chars().last(), c, next) {
            out.push(GUARD);
        }
        let before = out.chars().last();
        out.push(c);
        if can_open(before, c, next) || next == Some(c) {
            out.push(GUARD);
        }
    }
}

#[cfg(test)]
mod tests;
