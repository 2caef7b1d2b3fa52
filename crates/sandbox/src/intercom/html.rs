//! What the platform makes of message bodies: a short list of tags is kept, everything else loses
//! its tags, and scripts lose their content too.
//!
//! The exact list is not documented; this one holds what the platform's documentation shows in
//! notes. That links gain `rel` and `target`, and that `strong` and `em` come back as `b` and `i`,
//! keeps readers from comparing bodies byte by byte, which fails on the real platform.

use std::fmt::{self, Write as _};

/// Tags that stay, with the name under which they stay.
const KEPT: &[(&str, &str)] = &[
    ("p", "p"),
    ("br", "br"),
    ("b", "b"),
    ("strong", "b"),
    ("i", "i"),
    ("em", "i"),
    ("a", "a"),
    ("code", "code"),
    ("pre", "pre"),
    ("ul", "ul"),
    ("ol", "ol"),
    ("li", "li"),
    ("h1", "h1"),
    ("h2", "h2"),
    ("blockquote", "blockquote"),
    ("img", "img"),
];

/// Tags that begin a line of their own.
const BLOCKS: &[&str] = &["p", "ul", "ol", "li", "h1", "h2", "pre", "blockquote"];

/// Tags whose content goes with them.
const SILENCED: &[&str] = &["script", "style", "head", "title", "template", "iframe"];

/// One piece of a body.
enum Piece<'a> {
    Text(&'a str),
    Open { name: String, attributes: &'a str },
    Close { name: String },
}

/// Splits a body into text and tags. A `<` that begins no tag is text.
fn pieces(html: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = html;
    while !rest.is_empty() {
        let Some(start) = rest.find('<') else {
            pieces.push(Piece::Text(rest));
            break;
        };
        if start > 0 {
            pieces.push(Piece::Text(&rest[..start]));
        }
        rest = &rest[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        if let Some((piece, after)) = tag(rest) {
            pieces.extend(piece);
            rest = after;
        } else {
            pieces.push(Piece::Text("<"));
            rest = &rest[1..];
        }
    }
    pieces
}

/// Reads a tag at the start; a declaration such as `<!doctype html>` is a tag without a piece.
fn tag(text: &str) -> Option<(Option<Piece<'_>>, &str)> {
    let inner = &text[1..];
    let closing = inner.starts_with('/');
    let inner = inner.strip_prefix('/').unwrap_or(inner);
    let declaration = inner.starts_with('!');
    if !declaration && !inner.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let end = tag_end(inner)?;
    let (content, after) = (&inner[..end], &inner[end + 1..]);
    if declaration {
        return Some((None, after));
    }
    let name_end = content
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(content.len());
    let name = content[..name_end].to_ascii_lowercase();
    let piece = if closing {
        Piece::Close { name }
    } else {
        Piece::Open {
            name,
            attributes: &content[name_end..],
        }
    };
    Some((Some(piece), after))
}

/// Longest tag that is looked for, in bytes, so that a flood of `<` costs bounded work.
const MAX_TAG_BYTES: usize = 8 * 1024;

/// Position of the `>` that ends a tag, outside of quotes.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (position, byte) in text.bytes().enumerate().take(MAX_TAG_BYTES) {
        match (quote, byte) {
            (None, b'>') => return Some(position),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// The unescaped value of an attribute.
fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        let end = rest
            .find(|c: char| c == '=' || c.is_whitespace())
            .unwrap_or(rest.len());
        if end == 0 && !rest.starts_with('=') {
            return None;
        }
        let name = &rest[..end];
        rest = rest[end..].trim_start();
        let Some(after) = rest.strip_prefix('=') else {
            continue;
        };
        let after = after.trim_start();
        let (value, remaining) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => after[1..].split_once(quote)?,
            _ => after.split_at(after.find(char::is_whitespace).unwrap_or(after.len())),
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(unescape(value));
        }
        rest = remaining;
    }
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", "\u{a0}")
        .replace("&amp;", "&")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn safe_link(url: &str) -> bool {
    let url = url.trim().to_ascii_lowercase();
    ["http://", "https://", "mailto:"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
}

/// A body that says this plain text, as a person typed it.
pub(crate) fn from_text(text: &str) -> String {
    let lines: Vec<String> = text.trim().lines().map(escape).collect();
    format!("<p>{}</p>", lines.join("<br>"))
}

/// What is stored of a body that was sent.
pub(crate) fn normalise(body: &str) -> String {
    let mut writer = Writer::default();
    let mut silenced: Option<String> = None;
    for piece in pieces(body) {
        match (&silenced, piece) {
            (Some(open), Piece::Close { name }) if *open == name => silenced = None,
            (Some(_), _) => {}
            (None, Piece::Text(text)) => writer.text(text),
            (None, Piece::Open { name, .. }) if SILENCED.contains(&name.as_str()) => {
                silenced = Some(name);
            }
            (None, Piece::Open { name, attributes }) => writer.open(&name, attributes),
            (None, Piece::Close { name }) => writer.close(&name),
        }
    }
    writer.finish()
}

#[derive(Default)]
struct Writer {
    out: String,
    open: Vec<&'static str>,
}

fn kept(name: &str) -> Option<&'static str> {
    KEPT.iter()
        .find(|(sent, _)| *sent == name)
        .map(|(_, stored)| *stored)
}

impl Writer {
    fn text(&mut self, text: &str) {
        let in_pre = self.open.contains(&"pre");
        let between = self
            .open
            .last()
            .is_none_or(|tag| matches!(*tag, "ul" | "ol"));
        if between && text.trim().is_empty() {
            return;
        }
        if self.open.is_empty() {
            self.start_line();
            self.out.push_str("<p>");
            self.open.push("p");
        }
        let text = escape(&unescape(text));
        if in_pre {
            self.out.push_str(&text);
            return;
        }
        let mut spaced = !self.out.ends_with(' ');
        for letter in text.chars() {
            let space = letter.is_ascii_whitespace();
            if !space || spaced {
                self.out.push(if space { ' ' } else { letter });
            }
            spaced = !space;
        }
    }

    fn add(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.out.write_fmt(text);
    }

    fn start_line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn open(&mut self, name: &str, attributes: &str) {
        let Some(name) = kept(name) else { return };
        let block = BLOCKS.contains(&name);
        if block && self.open.last() == Some(&"p") {
            self.close("p");
        }
        if block && !matches!(self.open.last(), Some(&("li" | "blockquote" | "pre"))) {
            self.start_line();
        }
        if !block && self.open.is_empty() {
            self.start_line();
            self.out.push_str("<p>");
            self.open.push("p");
        }
        match name {
            "br" => self.out.push_str("<br>"),
            "img" => {
                if let Some(src) = attribute(attributes, "src").filter(|src| safe_link(src)) {
                    self.add(format_args!("<img src=\"{}\">", escape(&src)));
                }
            }
            "a" => {
                // A link to anything else stays open nowhere: its end finds nothing to close.
                if let Some(href) = attribute(attributes, "href").filter(|href| safe_link(href)) {
                    self.add(format_args!(
                        "<a href=\"{}\" rel=\"nofollow noopener noreferrer\" target=\"_blank\">",
                        escape(href.trim())
                    ));
                    self.open.push("a");
                }
            }
            _ => {
                self.add(format_args!("<{name}>"));
                self.open.push(name);
            }
        }
    }

    fn close(&mut self, name: &str) {
        let Some(name) = kept(name) else { return };
        if !self.open.contains(&name) {
            return;
        }
        while let Some(open) = self.open.pop() {
            if matches!(open, "ul" | "ol") {
                self.start_line();
            }
            if BLOCKS.contains(&open) && self.out.ends_with(' ') {
                self.out.pop();
            }
            self.add(format_args!("</{open}>"));
            if open == name {
                break;
            }
        }
    }

    fn finish(mut self) -> String {
        while let Some(open) = self.open.last().copied() {
            self.close(open);
        }
        self.out
    }
}

/// The text of a stored body, as `display_as=plaintext` and webhooks show it: a link becomes
/// `label (url)`.
pub(crate) fn plain(html: &str) -> String {
    let mut out = String::new();
    let mut link: Option<String> = None;
    for piece in pieces(html) {
        match piece {
            Piece::Text(text) => out.push_str(&unescape(text)),
            Piece::Open { name, attributes } => match name.as_str() {
                "a" => link = attribute(attributes, "href"),
                "br" => out.push('\n'),
                name if BLOCKS.contains(&name) && !out.is_empty() && !out.ends_with('\n') => {
                    out.push('\n');
                }
                _ => {}
            },
            Piece::Close { name } if name == "a" => {
                if let Some(href) = link.take()
                    && !out.ends_with(&href)
                {
                    out.push_str(" (");
                    out.push_str(&href);
                    out.push(')');
                }
            }
            Piece::Close { .. } => {}
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bodies() {
        for (sent, stored) in [
            ("Hello", "<p>Hello</p>"),
            ("<p>a <b>b</b></p>", "<p>a <b>b</b></p>"),
            ("<strong>x</strong><em>y</em>", "<p><b>x</b><i>y</i></p>"),
            ("<p>1 < 2 &amp; 3</p>", "<p>1 &lt; 2 &amp; 3</p>"),
            ("<script>alert(1)</script><p>ok</p>", "<p>ok</p>"),
            ("<div onclick=x><p onclick=\"y\">z</p></div>", "<p>z</p>"),
            ("<p><font color=red>r</font></p>", "<p>r</p>"),
            (
                "<p><a href=\"https://jira.example.com/browse/ENG-1#b7f\">ENG-1</a></p>",
                "<p><a href=\"https://jira.example.com/browse/ENG-1#b7f\" rel=\"nofollow noopener noreferrer\" target=\"_blank\">ENG-1</a></p>",
            ),
            ("<a href=\"javascript:x\">y</a>", "<p>y</p>"),
            ("<p><b>open", "<p><b>open</b></p>"),
            ("</p></b>text", "<p>text</p>"),
            (
                "<html> <body>  <h2>List</h2>  <ul>   <li>Coffee</li>   <li>Tea</li> </ul>  </body> </html>",
                "<h2>List</h2>\n<ul>\n<li>Coffee</li>\n<li>Tea</li>\n</ul>",
            ),
            (
                "<pre><code>a\n  b</code></pre>",
                "<pre><code>a\n  b</code></pre>",
            ),
            ("", ""),
        ] {
            assert_eq!(normalise(sent), stored, "{sent}");
            assert_eq!(normalise(stored), stored, "not stable: {stored}");
        }
    }

    #[test]
    fn plain_text() {
        for (html, text) in [
            ("<p>a</p>\n<p>b</p>", "a\nb"),
            (
                "<p>see <a href=\"https://example.com/x\">this</a></p>",
                "see this (https://example.com/x)",
            ),
            ("<p>1 &lt; 2 &amp;lt;</p>", "1 < 2 &lt;"),
        ] {
            assert_eq!(plain(html), text);
        }
    }

    proptest! {
        #[test]
        fn total_and_without_foreign_tags(body in "(<|>|/|p|a|b|script|img| |href=|\"|'|&|;|x|ü|\n){0,60}") {
            let stored = normalise(&body);
            prop_assert!(!stored.contains("<script"), "{stored}");
            plain(&stored);
        }
    }
}
