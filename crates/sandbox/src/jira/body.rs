//! Rich text of an issue or a comment, kept both as ADF and as wiki markup.
//!
//! Jira keeps one form and converts on the way out; REST 3 speaks ADF, REST 2 and webhooks speak wiki markup. What was
//! sent in a form comes back unchanged in that form.

use std::sync::Arc;

use bowline_text::{Block, Inline, adf, wiki};
use serde_json::Value;

/// Longest text of a description or comment, in characters.
pub(crate) const MAX_TEXT_CHARS: usize = 32_767;

/// One text in both forms.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    adf: Arc<Value>,
    wiki: Arc<str>,
}

impl Body {
    /// From wiki markup, as REST 2 takes it.
    pub fn wiki(text: &str) -> Self {
        Self {
            adf: Arc::new(adf::write(&wiki::read(text))),
            wiki: text.into(),
        }
    }

    /// From an ADF document, as REST 3 takes it. The document is kept as it is, whatever nodes it has.
    pub fn adf(document: Value) -> Self {
        let text = wiki::write(&adf::read(&document));
        Self {
            adf: Arc::new(document),
            wiki: text.into(),
        }
    }

    /// As the Cloud editor would store what a person typed or pasted: a bare address becomes a card.
    pub fn typed(text: &str) -> Self {
        let mut doc = wiki::read(text);
        doc.blocks.iter_mut().for_each(card_block);
        let document = adf::write(&doc);
        Self {
            adf: Arc::new(document),
            wiki: wiki::write(&doc).into(),
        }
    }

    /// The ADF form.
    pub fn as_adf(&self) -> &Value {
        &self.adf
    }

    /// The wiki form.
    pub fn as_wiki(&self) -> &str {
        &self.wiki
    }

    /// The text as HTML, for `renderedFields` and pages.
    pub fn as_html(&self) -> String {
        bowline_text::html::write(&adf::read(&self.adf))
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self::wiki(text)
    }
}

impl From<Value> for Body {
    fn from(document: Value) -> Self {
        Self::adf(document)
    }
}

fn card_block(block: &mut Block) {
    match block {
        Block::Paragraph(content) | Block::Heading { content, .. } => {
            *content = content.drain(..).flat_map(card_inline).collect();
        }
        Block::BulletList(items) | Block::OrderedList { items, .. } => {
            items
                .iter_mut()
                .flat_map(|item| &mut item.blocks)
                .for_each(card_block);
        }
        Block::Quote(blocks) | Block::Panel(blocks) => blocks.iter_mut().for_each(card_block),
        Block::Table(rows) => rows.iter_mut().flatten().flatten().for_each(card_block),
        Block::Code { .. } | Block::Rule | Block::Card { .. } | Block::Attachment(_) => {}
    }
}

fn card_inline(inline: Inline) -> Vec<Inline> {
    match inline {
        Inline::Text { text, marks } if !marks.code && text.contains("http") => {
            split_addresses(&text)
                .into_iter()
                .map(|(piece, address)| {
                    if address {
                        Inline::Card { url: piece }
                    } else {
                        Inline::Text { text: piece, marks }
                    }
                })
                .collect()
        }
        Inline::Link { href, content } => {
            let bare = matches!(content.as_slice(), [])
                || matches!(content.as_slice(), [Inline::Text { text, .. }] if *text == href);
            if bare {
                vec![Inline::Card { url: href }]
            } else {
                vec![Inline::Link { href, content }]
            }
        }
        other => vec![other],
    }
}

/// Splits a text into pieces, each with whether it is an http(s) address.
fn split_addresses(text: &str) -> Vec<(String, bool)> {
    let mut pieces: Vec<(String, bool)> = Vec::new();
    let mut push = |piece: &str, address: bool| match pieces.last_mut() {
        _ if piece.is_empty() => {}
        Some((last, false)) if !address => last.push_str(piece),
        _ => pieces.push((piece.to_owned(), address)),
    };
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let address = bare.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
        if address.starts_with("http://") || address.starts_with("https://") {
            push(address, true);
            push(&word[address.len()..], false);
        } else {
            push(word, false);
        }
    }
    pieces
}

/// Whether a value is an ADF document at all (what REST 3 checks before anything else).
pub(crate) fn is_adf(value: &Value) -> bool {
    value.get("type").and_then(Value::as_str) == Some("doc")
        && value.get("version").and_then(Value::as_i64) == Some(1)
        && value.get("content").is_some_and(Value::is_array)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pasted_addresses_are_split_from_the_words_around_them() {
        let pieces = split_addresses("see https://example.com/a, or (no) http://b.example.com");
        let expected = [
            ("see ", false),
            ("https://example.com/a", true),
            (", or (no) ", false),
            ("http://b.example.com", true),
        ];
        assert_eq!(
            pieces,
            expected.map(|(text, address)| (text.to_owned(), address))
        );
    }

    #[test]
    fn what_a_person_pastes_becomes_a_card() {
        let body = Body::typed("look: https://example.com/x");
        let json = body.as_adf().to_string();
        assert!(
            json.contains("inlineCard") && json.contains("https://example.com/x"),
            "{json}"
        );
        assert!(!adf::read(body.as_adf()).is_blank());
    }

    #[test]
    fn only_a_document_is_adf() {
        for (value, expected) in [
            (json!({"type": "doc", "version": 1, "content": []}), true),
            (json!("text"), false),
            (json!({"type": "doc", "version": 2, "content": []}), false),
            (
                json!({"type": "paragraph", "version": 1, "content": []}),
                false,
            ),
            (json!({"type": "doc", "version": 1}), false),
        ] {
            assert_eq!(is_adf(&value), expected, "{value}");
        }
    }
}
