//! What a document says besides the addresses in it.

use crate::address;
use crate::model::{Block, Doc, Inline, ListItem, push_text};
use crate::urls;

/// Whether nothing in the blocks can be seen.
pub(crate) fn blocks_are_blank(blocks: &[Block]) -> bool {
    blocks.iter().all(|block| match block {
        Block::Paragraph(content) | Block::Heading { content, .. } => inlines_are_blank(content),
        Block::BulletList(items) | Block::OrderedList { items, .. } => {
            items.iter().all(|item| blocks_are_blank(&item.blocks))
        }
        Block::Quote(inner) | Block::Panel(inner) => blocks_are_blank(inner),
        Block::Table(rows) => rows.iter().flatten().all(|cell| blocks_are_blank(cell)),
        Block::Code { text, .. } => !text.chars().any(is_visible),
        Block::Card { url } => url.trim().is_empty(),
        Block::Rule => true,
        Block::Attachment(_) => false,
    })
}

fn inlines_are_blank(content: &[Inline]) -> bool {
    content.iter().all(|inline| match inline {
        Inline::Text { text, .. } | Inline::Emoji(text) => !text.chars().any(is_visible),
        Inline::Link { content, .. } => inlines_are_blank(content),
        Inline::Card { url } => url.trim().is_empty(),
        Inline::Break => true,
        Inline::Mention { .. } | Inline::Attachment(_) => false,
    })
}

fn is_visible(c: char) -> bool {
    let zero_width = matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}'
    );
    !c.is_whitespace() && !c.is_control() && !zero_width
}

/// See [`Doc::without_addresses`].
pub(crate) fn without_addresses(doc: &Doc) -> Doc {
    Doc {
        blocks: clean_blocks(&doc.blocks),
    }
}

fn clean_blocks(blocks: &[Block]) -> Vec<Block> {
    blocks.iter().filter_map(clean_block).collect()
}

/// The block without addresses, or `None` if that leaves it empty.
fn clean_block(block: &Block) -> Option<Block> {
    let cleaned = match block {
        Block::Paragraph(content) => Block::Paragraph(clean_inlines(content)?),
        Block::Heading { level, content } => Block::Heading {
            level: *level,
            content: clean_inlines(content)?,
        },
        Block::BulletList(items) => Block::BulletList(clean_items(items)),
        Block::OrderedList { start, items } => Block::OrderedList {
            start: *start,
            items: clean_items(items),
        },
        Block::Quote(inner) => Block::Quote(clean_blocks(inner)),
        Block::Panel(inner) => Block::Panel(clean_blocks(inner)),
        Block::Table(rows) => {
            let clean_row = |row: &Vec<Vec<Block>>| row.iter().map(|c| clean_blocks(c)).collect();
            Block::Table(rows.iter().map(clean_row).collect())
        }
        Block::Card { url } if address::parse(url).is_some() => return None,
        Block::Attachment(file) if points_to_conversation(file.url.as_deref()) => return None,
        Block::Code { .. } | Block::Rule | Block::Card { .. } | Block::Attachment(_) => {
            return Some(block.clone());
        }
    };
    let emptied = cleaned != *block && blocks_are_blank(std::slice::from_ref(&cleaned));
    (!emptied).then_some(cleaned)
}

fn clean_items(items: &[ListItem]) -> Vec<ListItem> {
    let cleaned = items.iter().filter_map(|item| {
        let blocks = clean_blocks(&item.blocks);
        (!blocks.is_empty() || item.blocks.is_empty()).then_some(ListItem { blocks })
    });
    cleaned.collect()
}

fn points_to_conversation(url: Option<&str>) -> bool {
    url.is_some_and(|url| address::parse(url).is_some())
}

/// The text without addresses, or `None` if nothing but the punctuation around them is left.
fn clean_inlines(content: &[Inline]) -> Option<Vec<Inline>> {
    let mut out = Vec::new();
    let mut removed = false;
    let mut rest = content;
    while let Some(first) = rest.first() {
        let run = rest
            .iter()
            .take_while(|inline| is_plain_text(inline))
            .count();
        if run > 0 {
            removed |= clean_run(&rest[..run], &mut out);
            rest = &rest[run..];
            continue;
        }
        match without_pointers(first) {
            Some(kept) => {
                removed |= kept != *first;
                out.push(kept);
            }
            None => removed = true,
        }
        rest = &rest[1..];
    }
    if !removed {
        return Some(content.to_vec());
    }
    says_something(&out).then_some(out)
}

fn is_plain_text(inline: &Inline) -> bool {
    matches!(inline, Inline::Text { marks, .. } if !marks.code)
}

fn is_address(inline: &Inline) -> bool {
    match inline {
        Inline::Card { url } => address::parse(url).is_some(),
        Inline::Attachment(file) => points_to_conversation(file.url.as_deref()),
        Inline::Link { href, content } => {
            address::parse(href).is_some() && !address::is_code_link(content)
        }
        _ => false,
    }
}

/// The piece without what points to a conversation; `None` if it is nothing else.
fn without_pointers(inline: &Inline) -> Option<Inline> {
    if is_address(inline) {
        return None;
    }
    match inline {
        Inline::Link { href, content } if !address::is_code_link(content) => {
            let content = content.iter().filter_map(without_pointers).collect();
            Some(Inline::Link {
                href: href.clone(),
                content,
            })
        }
        other => Some(other.clone()),
    }
}

/// Copies adjacent texts without the addresses that may span them; tells whether there were any.
fn clean_run(run: &[Inline], out: &mut Vec<Inline>) -> bool {
    let texts = || {
        run.iter().filter_map(|inline| match inline {
            Inline::Text { text, marks } => Some((text.as_str(), *marks)),
            _ => None,
        })
    };
    let joined: String = texts().map(|(text, _)| text).collect();
    let mut spans =
        urls::spans(&joined).filter(|span| address::parse(&joined[span.clone()]).is_some());
    let mut span = spans.next();
    let removed = span.is_some();
    let mut offset = 0;
    for (text, marks) in texts() {
        let end = offset + text.len();
        let mut at = offset;
        while let Some(hit) = span.clone().filter(|hit| hit.start < end) {
            push_text(out, &joined[at..hit.start.max(at)], marks);
            at = hit.end.min(end);
            if hit.end > end {
                break;
            }
            span = spans.next();
        }
        push_text(out, &joined[at..end], marks);
        offset = end;
    }
    removed
}

/// Whether what is left around a removed address says anything.
fn says_something(content: &[Inline]) -> bool {
    content.iter().any(|inline| match inline {
        Inline::Text { text, .. } => text
            .chars()
            .any(|c| is_visible(c) && !c.is_ascii_punctuation()),
        Inline::Break => false,
        other => !inlines_are_blank(std::slice::from_ref(other)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Attachment, Marks};

    const ADDRESS: &str = "https://app.intercom.com/a/inbox/abcd1234/inbox/conversation/215";

    #[test]
    fn what_is_left_besides_the_address() {
        let code = Marks {
            code: true,
            ..Marks::default()
        };
        let strong = Marks {
            strong: true,
            ..Marks::default()
        };
        let styled = |text: &str, marks| Inline::Text {
            text: text.to_owned(),
            marks,
        };
        let file = Inline::Attachment(Attachment {
            name: Some("a.log".to_owned()),
            url: None,
        });
        let (head, tail) = ADDRESS.split_at(30);
        let cases: Vec<(Vec<Inline>, &str)> = vec![
            (vec![Inline::text(ADDRESS)], ""),
            (vec![Inline::text(format!("({ADDRESS}).\n"))], ""),
            (vec![Inline::text(format!("See {ADDRESS}"))], "See "),
            (
                vec![Inline::text(format!("{ADDRESS} and {ADDRESS}!"))],
                " and !",
            ),
            (vec![Inline::link(ADDRESS, "the conversation")], ""),
            (
                vec![
                    Inline::Card {
                        url: ADDRESS.to_owned(),
                    },
                    Inline::text(" "),
                ],
                "",
            ),
            (
                vec![
                    Inline::Card {
                        url: ADDRESS.to_owned(),
                    },
                    Inline::text(" broken"),
                ],
                " broken",
            ),
            (vec![Inline::text(head), styled(tail, strong)], ""),
            (
                vec![
                    Inline::text(format!("a {head}")),
                    styled(&format!("{tail} b"), strong),
                ],
                "a  b",
            ),
            (
                vec![
                    Inline::Card {
                        url: ADDRESS.to_owned(),
                    },
                    file,
                ],
                "[a.log]",
            ),
            (vec![styled(ADDRESS, code)], ADDRESS),
            (vec![Inline::text("...")], "..."),
            (
                vec![Inline::link("https://example.com", "x")],
                "x (https://example.com)",
            ),
        ];
        for (content, expected) in cases {
            let doc = Doc::paragraph(content);
            let left = doc.without_addresses();
            assert_eq!(crate::plain::write(&left), expected, "{doc:?}");
            assert_eq!(left.is_blank(), expected.is_empty(), "{doc:?}");
        }
    }

    #[test]
    fn emptied_blocks_go_and_others_stay() {
        let address = || Block::Paragraph(vec![Inline::text(ADDRESS)]);
        let words = || Block::Paragraph(vec![Inline::text("words")]);
        let item = |block| ListItem {
            blocks: vec![block],
        };
        let doc = Doc {
            blocks: vec![
                Block::BulletList(vec![item(address()), item(words())]),
                Block::BulletList(vec![item(address())]),
                Block::Quote(vec![address()]),
                Block::Table(vec![vec![vec![address()]]]),
                Block::Card {
                    url: ADDRESS.to_owned(),
                },
                Block::Rule,
            ],
        };
        let expected = vec![Block::BulletList(vec![item(words())]), Block::Rule];
        assert_eq!(doc.without_addresses().blocks, expected);
        assert!(!doc.is_blank());
        assert!(
            Doc {
                blocks: vec![Block::Rule]
            }
            .is_blank()
        );
    }
}
