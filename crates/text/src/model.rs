//! The document model that all readers and writers share.

use serde::{Deserialize, Serialize};

/// How many blocks (lists, quotes, panels, tables) the readers nest inside one another. What lies
/// deeper is kept as flat text. The number is well above what people write, and keeps a stored
/// document below the 128 levels that `serde_json` reads back.
pub const MAX_DEPTH: usize = 16;

/// A document: blocks from top to bottom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doc {
    /// The blocks in reading order.
    pub blocks: Vec<Block>,
}

/// One block of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A heading.
    Heading {
        /// From 1, the largest, to 6.
        level: u8,
        /// The text of the heading.
        content: Vec<Inline>,
    },
    /// A list with bullets. Task and decision lists are read as such.
    BulletList(Vec<ListItem>),
    /// A numbered list.
    OrderedList {
        /// The number of the first item.
        start: u32,
        /// The items in order.
        items: Vec<ListItem>,
    },
    /// Quoted blocks.
    Quote(Vec<Block>),
    /// A block of code or other text that is shown as it is. An address in it is no address.
    Code {
        /// The language as the source names it.
        language: Option<String>,
        /// The text, without a line break at its end.
        text: String,
    },
    /// A horizontal rule.
    Rule,
    /// A table: rows of cells, each cell being blocks.
    Table(Vec<Vec<Vec<Block>>>),
    /// A panel or an expandable section.
    Panel(Vec<Block>),
    /// A link shown as a card of its own (block card, embed).
    Card {
        /// Where it points.
        url: String,
    },
    /// An attached file that stands alone.
    Attachment(Attachment),
}

/// One item of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListItem {
    /// The item's blocks; usually one paragraph, perhaps followed by a nested list.
    pub blocks: Vec<Block>,
}

/// A piece of running text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inline {
    /// Characters with their marks.
    Text {
        /// The characters.
        text: String,
        /// How they are shown.
        marks: Marks,
    },
    /// A link with its own text.
    Link {
        /// Where it points, as written.
        href: String,
        /// What is shown.
        content: Vec<Inline>,
    },
    /// A link shown as a small card (inline card, smart link).
    Card {
        /// Where it points.
        url: String,
    },
    /// A person who is mentioned.
    Mention {
        /// Jira account id (Cloud) or user name (Data Center).
        id: Option<String>,
        /// Name without the `@`; empty while only the id is known, see [`Doc::name_mentions`].
        name: String,
    },
    /// An emoji: the character itself, or `:short_name:` where no character is known.
    Emoji(String),
    /// An attached file or picture within the text.
    Attachment(Attachment),
    /// A line break.
    Break,
}

/// How text is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Marks {
    /// Bold.
    pub strong: bool,
    /// Italic.
    pub em: bool,
    /// Code or monospaced. An address in it is no address.
    pub code: bool,
    /// Struck through.
    pub strike: bool,
    /// Underlined.
    pub underline: bool,
}

/// An attached file, as far as the text tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// File name or alternative text.
    pub name: Option<String>,
    /// Address of the file, if the text holds one.
    pub url: Option<String>,
}

impl Inline {
    /// Text without marks.
    pub fn text(text: impl Into<String>) -> Inline {
        Inline::Text {
            text: text.into(),
            marks: Marks::default(),
        }
    }

    /// Bold text.
    pub fn strong(text: impl Into<String>) -> Inline {
        Inline::Text {
            text: text.into(),
            marks: Marks {
                strong: true,
                ..Marks::default()
            },
        }
    }

    /// A link with plain text.
    pub fn link(href: impl Into<String>, text: impl Into<String>) -> Inline {
        Inline::Link {
            href: href.into(),
            content: vec![Inline::text(text)],
        }
    }
}

impl ListItem {
    /// An item of one paragraph.
    pub fn paragraph(content: Vec<Inline>) -> ListItem {
        ListItem {
            blocks: vec![Block::Paragraph(content)],
        }
    }
}

impl Attachment {
    /// The name to show: the file name, the address, or a word for "something is attached".
    pub fn label(&self) -> &str {
        let named = self.name.as_deref().filter(|name| !name.trim().is_empty());
        named.or(self.url.as_deref()).unwrap_or("attachment")
    }
}

impl Doc {
    /// A document of one paragraph.
    pub fn paragraph(content: Vec<Inline>) -> Doc {
        Doc {
            blocks: vec![Block::Paragraph(content)],
        }
    }

    /// Whether a reader would see nothing: no visible character, card, mention or attachment.
    pub fn is_blank(&self) -> bool {
        crate::clean::blocks_are_blank(&self.blocks)
    }

    /// Length of the plain text in characters.
    pub fn plain_len(&self) -> usize {
        crate::plain::write(self).chars().count()
    }

    /// The same document without the conversation addresses (links, cards, bare addresses in
    /// text) and without what they leave empty. It answers whether a comment says anything
    /// besides the address. A link goes with its label.
    #[must_use]
    pub fn without_addresses(&self) -> Doc {
        crate::clean::without_addresses(self)
    }

    /// The beginning of the document: about `chars` characters of text, cut at a word, with "…"
    /// where the cut is. The whole document if it is not longer.
    #[must_use]
    pub fn truncated(&self, chars: usize) -> Doc {
        crate::cut::truncated(self, chars)
    }

    /// Fills the names of the mentions that are known only by their id, where `name_of` knows
    /// them.
    pub fn name_mentions(&mut self, name_of: impl Fn(&str) -> Option<String>) {
        name_in_blocks(&mut self.blocks, &name_of);
    }
}

fn name_in_blocks(blocks: &mut [Block], name_of: &dyn Fn(&str) -> Option<String>) {
    for block in blocks {
        match block {
            Block::Paragraph(content) | Block::Heading { content, .. } => {
                name_in_inlines(content, name_of);
            }
            Block::BulletList(items) | Block::OrderedList { items, .. } => {
                for item in items {
                    name_in_blocks(&mut item.blocks, name_of);
                }
            }
            Block::Quote(inner) | Block::Panel(inner) => name_in_blocks(inner, name_of),
            Block::Table(rows) => {
                for cell in rows.iter_mut().flatten() {
                    name_in_blocks(cell, name_of);
                }
            }
            Block::Code { .. } | Block::Rule | Block::Card { .. } | Block::Attachment(_) => {}
        }
    }
}

fn name_in_inlines(inlines: &mut [Inline], name_of: &dyn Fn(&str) -> Option<String>) {
    for inline in inlines {
        match inline {
            Inline::Mention { id: Some(id), name } if name.is_empty() => {
                if let Some(known) = name_of(id) {
                    *name = known;
                }
            }
            Inline::Link { content, .. } => name_in_inlines(content, name_of),
            _ => {}
        }
    }
}

/// The text that stands for a mention: `@name`, or `@id` while only that is known.
pub(crate) fn mention_label(id: Option<&str>, name: &str) -> String {
    let shown = if name.is_empty() {
        id.unwrap_or("someone")
    } else {
        name
    };
    format!("@{shown}")
}

/// Appends formatted text.
pub(crate) fn append(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = std::fmt::Write::write_fmt(out, text);
}

/// Appends text to a run, joining it with a text of the same marks before it.
pub(crate) fn push_text(run: &mut Vec<Inline>, new: &str, marks: Marks) {
    if new.is_empty() {
        return;
    }
    match run.last_mut() {
        Some(Inline::Text {
            text,
            marks: before,
        }) if *before == marks => text.push_str(new),
        _ => run.push(Inline::Text {
            text: new.to_owned(),
            marks,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mentions_without_a_name_are_named() {
        let mention = |id: &str, name: &str| Inline::Mention {
            id: Some(id.to_owned()),
            name: name.to_owned(),
        };
        let mut doc = Doc::default();
        doc.blocks.push(Block::Quote(vec![Block::BulletList(vec![
            ListItem::paragraph(vec![
                mention("a1", ""),
                mention("a2", "Kept"),
                mention("a3", ""),
            ]),
        ])]));
        doc.name_mentions(|id| (id != "a3").then(|| format!("Name of {id}")));
        let expected = vec![
            mention("a1", "Name of a1"),
            mention("a2", "Kept"),
            mention("a3", ""),
        ];
        let list = Block::BulletList(vec![ListItem::paragraph(expected)]);
        assert_eq!(doc.blocks, vec![Block::Quote(vec![list])]);
    }

    #[test]
    fn a_stored_document_reads_back() {
        let mut blocks = vec![Block::Paragraph(vec![Inline::link(
            "https://example.com",
            "x",
        )])];
        for _ in 0..MAX_DEPTH {
            blocks = vec![Block::BulletList(vec![ListItem { blocks }])];
        }
        let doc = Doc { blocks };
        let stored = serde_json::to_string(&doc).unwrap();
        assert_eq!(serde_json::from_str::<Doc>(&stored).unwrap(), doc);
    }
}
