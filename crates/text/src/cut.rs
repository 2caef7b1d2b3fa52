//! The beginning of a document.

use crate::model::{Block, Doc, Inline, ListItem};

/// What stands where the rest was cut.
const ELLIPSIS: &str = "…";

/// Furthest back, in characters, that a cut looks for the end of a word.
const WORD_LOOK_BACK: usize = 40;

/// See [`Doc::truncated`].
pub(crate) fn truncated(doc: &Doc, chars: usize) -> Doc {
    let mut left = Left { chars, cut: false };
    let blocks = left.blocks(&doc.blocks);
    Doc { blocks }
}

/// How much may still be kept.
struct Left {
    chars: usize,
    /// Set once something did not fit; nothing is kept after it.
    cut: bool,
}

impl Left {
    fn blocks(&mut self, blocks: &[Block]) -> Vec<Block> {
        let mut kept = Vec::new();
        for block in blocks {
            if self.cut {
                break;
            }
            // Every block costs one, so that empty ones come to an end, too.
            let whole = self.take(1);
            if !whole {
                append_ellipsis(&mut kept);
                break;
            }
            kept.push(self.block(block));
        }
        kept
    }

    fn block(&mut self, block: &Block) -> Block {
        match block {
            Block::Paragraph(content) => Block::Paragraph(self.inlines(content)),
            Block::Heading { level, content } => Block::Heading {
                level: *level,
                content: self.inlines(content),
            },
            Block::BulletList(items) => Block::BulletList(self.items(items)),
            Block::OrderedList { start, items } => Block::OrderedList {
                start: *start,
                items: self.items(items),
            },
            Block::Quote(inner) => Block::Quote(self.blocks(inner)),
            Block::Panel(inner) => Block::Panel(self.blocks(inner)),
            Block::Code { language, text } => Block::Code {
                language: language.clone(),
                text: self.text(text),
            },
            Block::Table(rows) => Block::Table(self.rows(rows)),
            Block::Rule | Block::Card { .. } | Block::Attachment(_) => block.clone(),
        }
    }

    fn items(&mut self, items: &[ListItem]) -> Vec<ListItem> {
        let mut kept = Vec::new();
        for item in items {
            if self.cut {
                break;
            }
            kept.push(ListItem {
                blocks: self.blocks(&item.blocks),
            });
        }
        kept
    }

    fn rows(&mut self, rows: &[Vec<Vec<Block>>]) -> Vec<Vec<Vec<Block>>> {
        let mut kept = Vec::new();
        for row in rows {
            if self.cut {
                break;
            }
            let mut cells = Vec::new();
            for cell in row {
                cells.push(if self.cut {
                    Vec::new()
                } else {
                    self.blocks(cell)
                });
            }
            kept.push(cells);
        }
        kept
    }

    fn inlines(&mut self, inlines: &[Inline]) -> Vec<Inline> {
        let mut kept = Vec::new();
        for inline in inlines {
            if self.cut {
                break;
            }
            let piece = match inline {
                Inline::Text { text, marks } => Inline::Text {
                    text: self.text(text),
                    marks: *marks,
                },
                Inline::Link { href, content } => Inline::Link {
                    href: href.clone(),
                    content: self.inlines(content),
                },
                other => {
                    if !self.take(1) {
                        kept.push(Inline::text(ELLIPSIS));
                        break;
                    }
                    other.clone()
                }
            };
            kept.push(piece);
        }
        kept
    }

    /// Takes `chars` if they are left; if not, this is where the document ends.
    fn take(&mut self, chars: usize) -> bool {
        match self.chars.checked_sub(chars) {
            Some(left) => self.chars = left,
            None => self.cut = true,
        }
        !self.cut
    }

    fn text(&mut self, text: &str) -> String {
        let Some((end, _)) = text.char_indices().nth(self.chars) else {
            self.chars -= text.chars().count();
            return text.to_owned();
        };
        self.cut = true;
        let head = &text[..end];
        let word_goes_on = text[end..].starts_with(|c: char| !c.is_whitespace());
        let last_space = head
            .char_indices()
            .rev()
            .take(WORD_LOOK_BACK)
            .find(|(_, c)| c.is_whitespace())
            .map(|(at, _)| at);
        let head = last_space
            .filter(|_| word_goes_on)
            .map_or(head, |at| &head[..at]);
        format!("{}{ELLIPSIS}", head.trim_end())
    }
}

/// Marks the end behind the last block that can carry it.
fn append_ellipsis(blocks: &mut Vec<Block>) {
    if let Some(Block::Paragraph(content)) = blocks.last_mut() {
        content.push(Inline::text(ELLIPSIS));
    } else {
        blocks.push(Block::Paragraph(vec![Inline::text(ELLIPSIS)]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_words_and_blocks() {
        let doc = Doc {
            blocks: vec![
                Block::Paragraph(vec![Inline::text("one two three")]),
                Block::BulletList(vec![ListItem::paragraph(vec![Inline::text("four")])]),
            ],
        };
        let cases = [
            (0, "…"),
            (1, "…"),
            (5, "one…"),
            (6, "one…"),
            (8, "one two…"),
            (14, "one two three…"),
            (15, "one two three\n- …"),
            (18, "one two three\n- fo…"),
            (20, "one two three\n- four"),
        ];
        for (chars, expected) in cases {
            assert_eq!(
                crate::plain::write(&doc.truncated(chars)),
                expected,
                "{chars}"
            );
        }
        assert_eq!(doc.truncated(1000), doc);
    }
}
