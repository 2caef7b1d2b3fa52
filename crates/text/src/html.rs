//! The HTML of Intercom notes and replies.
//!
//! Intercom documents no full list of what it keeps, so only elements that its own examples show
//! are written: `p`, `a`, `b`, `i`, `code`, `pre`, `ul`, `ol`, `li`, `blockquote`, `br`, `h1`,
//! `h2`. Tables become lines, struck text is put between `~`, underlining is dropped.

use crate::model::{Attachment, Block, Doc, Inline, ListItem, Marks, append, mention_label};
use crate::{plain, urls};

/// Writes a document as HTML. Everything that people wrote is escaped; a link whose scheme is not
/// `http`, `https` or `mailto` is written as its text.
pub fn write(doc: &Doc) -> String {
    let mut out = Html::default();
    out.blocks(&doc.blocks);
    out.text
}

/// Like [`write`], but at most `max_bytes` long: cut between blocks or words, with "…" at the cut
/// and every element closed. Empty if not even the "…" has room.
pub fn write_limited(doc: &Doc, max_bytes: usize) -> String {
    let whole = write(doc);
    if whole.len() <= max_bytes {
        return whole;
    }
    let attempt =
        |chars: usize| Some(write(&doc.truncated(chars))).filter(|t| t.len() <= max_bytes);
    let Some(mut best) = attempt(0) else {
        return String::new();
    };
    // Every character kept costs a byte at least, so the answer lies below `max_bytes`.
    let (mut fits, mut too_long) = (0, max_bytes + 1);
    while too_long - fits > 1 {
        let middle = fits + (too_long - fits) / 2;
        match attempt(middle) {
            Some(longer) => (best, fits) = (longer, middle),
            None => too_long = middle,
        }
    }
    best
}

#[derive(Default)]
struct Html {
    text: String,
}

impl Html {
    fn element(&mut self, name: &str, inner: impl FnOnce(&mut Html)) {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push('>');
        inner(self);
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Paragraph(content) => self.element("p", |html| html.inlines(content, false)),
            Block::Heading { level, content } => {
                let name = if *level <= 1 { "h1" } else { "h2" };
                self.element(name, |html| html.inlines(content, false));
            }
            Block::BulletList(items) => self.element("ul", |html| html.items(items)),
            Block::OrderedList { start, items } => self.ordered(*start, items),
            Block::Quote(inner) | Block::Panel(inner) => {
                self.element("blockquote", |html| html.blocks(inner));
            }
            Block::Code { text, .. } => {
                self.element("pre", |html| {
                    html.element("code", |html| html.escaped(text));
                });
            }
            Block::Rule => self.element("p", |html| html.escaped("———")),
            Block::Table(rows) => {
                for row in rows {
                    self.row(row);
                }
            }
            Block::Card { url } => {
                self.element("p", |html| html.link(url, |html| html.escaped(url)));
            }
            Block::Attachment(file) => self.element("p", |html| html.attachment(file, false)),
        }
    }

    fn ordered(&mut self, start: u32, items: &[ListItem]) {
        if start == 1 {
            self.element("ol", |html| html.items(items));
        } else {
            append(&mut self.text, format_args!("<ol start=\"{start}\">"));
            self.items(items);
            self.text.push_str("</ol>");
        }
    }

    fn items(&mut self, items: &[ListItem]) {
        for item in items {
            self.element("li", |html| html.tight(&item.blocks));
        }
    }

    /// The only paragraph of an item stands without `p`.
    fn tight(&mut self, blocks: &[Block]) {
        match blocks {
            [Block::Paragraph(content), rest @ ..]
                if !rest
                    .iter()
                    .any(|block| matches!(block, Block::Paragraph(_))) =>
            {
                self.inlines(content, false);
                self.blocks(rest);
            }
            _ => self.blocks(blocks),
        }
    }

    /// A row of a table: one line if its cells are, its blocks otherwise.
    fn row(&mut self, row: &[Vec<Block>]) {
        let one_line = |cell: &Vec<Block>| matches!(cell[..], [] | [Block::Paragraph(_)]);
        if !row.iter().all(one_line) {
            return row.iter().for_each(|cell| self.blocks(cell));
        }
        self.element("p", |html| {
            for (n, cell) in row.iter().enumerate() {
                if n > 0 {
                    html.text.push_str(" | ");
                }
                if let [Block::Paragraph(content)] = &cell[..] {
                    html.inlines(content, false);
                }
            }
        });
    }

    fn inlines(&mut self, content: &[Inline], in_link: bool) {
        for inline in content {
            self.inline(inline, in_link);
        }
    }

    fn inline(&mut self, inline: &Inline, in_link: bool) {
        match inline {
            Inline::Text { text, marks } => self.marked(text, *marks),
            Inline::Link { href, content } => {
                let blank = plain::inlines(content).trim().is_empty();
                let shown = |html: &mut Html| {
                    if blank {
                        html.escaped(href);
                    } else {
                        html.inlines(content, true);
                    }
                };
                if in_link {
                    shown(self);
                } else {
                    self.link(href, shown);
                }
            }
            Inline::Card { url } if in_link => self.escaped(url),
            Inline::Card { url } => self.link(url, |html| html.escaped(url)),
            Inline::Mention { id, name } => self.escaped(&mention_label(id.as_deref(), name)),
            Inline::Emoji(emoji) => self.escaped(emoji),
            Inline::Attachment(file) => self.attachment(file, in_link),
            Inline::Break => self.text.push_str("<br>"),
        }
    }

    /// A link, or only its text if it points where nobody should be sent.
    fn link(&mut self, href: &str, shown: impl FnOnce(&mut Html)) {
        let Some(href) = urls::safe_href(href) else {
            return shown(self);
        };
        self.text.push_str("<a href=\"");
        self.escaped(href);
        self.text.push_str("\">");
        shown(self);
        self.text.push_str("</a>");
    }

    fn attachment(&mut self, file: &Attachment, in_link: bool) {
        let label = format!("[{}]", file.label());
        match file.url.as_deref() {
            Some(url) if !in_link => self.link(url, |html| html.escaped(&label)),
            _ => self.escaped(&label),
        }
    }

    fn marked(&mut self, text: &str, marks: Marks) {
        if text.is_empty() {
            return;
        }
        let names = [(marks.strong, "b"), (marks.em, "i"), (marks.code, "code")];
        let names: Vec<&str> = names
            .into_iter()
            .filter(|(on, _)| *on)
            .map(|(_, n)| n)
            .collect();
        for name in &names {
            append(&mut self.text, format_args!("<{name}>"));
        }
        let strike = if marks.strike { "~" } else { "" };
        self.text.push_str(strike);
        for (n, line) in text.split('\n').enumerate() {
            if n > 0 {
                self.text.push_str("<br>");
            }
            self.escaped(line);
        }
        self.text.push_str(strike);
        for name in names.iter().rev() {
            append(&mut self.text, format_args!("</{name}>"));
        }
    }

    /// Text with what means something in HTML escaped, and without control characters.
    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                '\'' => self.text.push_str("&#39;"),
                '\n' | '\t' => self.text.push(c),
                _ if c.is_control() => {}
                _ => self.text.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Vec<Inline> {
        vec![Inline::text(text)]
    }

    #[test]
    fn every_block_has_its_element() {
        let styled = |marks| Inline::Text {
            text: "x".to_owned(),
            marks,
        };
        let all = Marks {
            strong: true,
            em: true,
            code: true,
            strike: true,
            underline: true,
        };
        let item = |t: &str| ListItem::paragraph(text(t));
        let nested = ListItem {
            blocks: vec![
                Block::Paragraph(text("a")),
                Block::BulletList(vec![item("b")]),
            ],
        };
        let cases = [
            (
                Block::Paragraph(text("a<b>&\"'\n")),
                "<p>a&lt;b&gt;&amp;&quot;&#39;<br></p>",
            ),
            (
                Block::Paragraph(vec![styled(all)]),
                "<p><b><i><code>~x~</code></i></b></p>",
            ),
            (
                Block::Heading {
                    level: 1,
                    content: text("t"),
                },
                "<h1>t</h1>",
            ),
            (
                Block::Heading {
                    level: 4,
                    content: text("t"),
                },
                "<h2>t</h2>",
            ),
            (
                Block::BulletList(vec![nested]),
                "<ul><li>a<ul><li>b</li></ul></li></ul>",
            ),
            (
                Block::OrderedList {
                    start: 1,
                    items: vec![item("a")],
                },
                "<ol><li>a</li></ol>",
            ),
            (
                Block::OrderedList {
                    start: 3,
                    items: vec![item("a")],
                },
                "<ol start=\"3\"><li>a</li></ol>",
            ),
            (
                Block::Quote(vec![Block::Rule]),
                "<blockquote><p>———</p></blockquote>",
            ),
            (
                Block::Code {
                    language: None,
                    text: "<a>\nb".to_owned(),
                },
                "<pre><code>&lt;a&gt;\nb</code></pre>",
            ),
            (
                Block::Table(vec![vec![vec![Block::Paragraph(text("a"))], vec![]]]),
                "<p>a | </p>",
            ),
            (
                Block::Card {
                    url: "https://a.example/?a&b".to_owned(),
                },
                "<p><a href=\"https://a.example/?a&amp;b\">https://a.example/?a&amp;b</a></p>",
            ),
            (
                Block::Card {
                    url: "javascript:x".to_owned(),
                },
                "<p>javascript:x</p>",
            ),
            (
                Block::Attachment(Attachment {
                    name: Some("a.png".to_owned()),
                    url: None,
                }),
                "<p>[a.png]</p>",
            ),
            (
                Block::Paragraph(vec![Inline::link("https://a.example", "a"), Inline::Break]),
                "<p><a href=\"https://a.example\">a</a><br></p>",
            ),
            (
                Block::Paragraph(vec![Inline::link("data:text/html,x", "a")]),
                "<p>a</p>",
            ),
            (
                Block::Paragraph(vec![Inline::Mention {
                    id: None,
                    name: "Ann".to_owned(),
                }]),
                "<p>@Ann</p>",
            ),
        ];
        for (block, expected) in cases {
            assert_eq!(
                write(&Doc {
                    blocks: vec![block]
                }),
                expected
            );
        }
    }

    #[test]
    fn a_limit_cuts_at_words() {
        let doc = Doc {
            blocks: vec![
                Block::Paragraph(text("one two & three")),
                Block::BulletList(vec![ListItem::paragraph(text("four"))]),
            ],
        };
        let whole = write(&doc);
        let cases = [
            (whole.len(), whole.as_str()),
            (
                whole.len() - 1,
                "<p>one two &amp; three</p><ul><li>…</li></ul>",
            ),
            (29, "<p>one two &amp; three…</p>"),
            (19, "<p>one two…</p>"),
            (10, "<p>…</p>"),
            (9, ""),
            (0, ""),
        ];
        for (limit, expected) in cases {
            assert_eq!(write_limited(&doc, limit), expected, "{limit}");
        }
    }
}
