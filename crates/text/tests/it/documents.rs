//! Arbitrary documents, markup and JSON.

use bowline_text::{Attachment, Block, Doc, Inline, ListItem, Marks};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value};

pub(crate) const ADDRESS: &str = "https://app.intercom.com/a/inbox/abcd1234/inbox/conversation/215";

/// What markup is made of, and what surrounds it.
const PIECES: &[&str] = &[
    "*",
    "_",
    "-",
    "+",
    "{*}",
    "{",
    "}",
    "{{",
    "}}",
    "[",
    "]",
    "|",
    "||",
    "!",
    "\\",
    "\\\\",
    "#",
    "^",
    "~",
    "\n",
    "\n\n",
    " ",
    "a",
    "word",
    "9",
    "h1. ",
    "bq. ",
    "* ",
    "## ",
    "----",
    "{code}",
    "{code:rust}",
    "{noformat}",
    "{quote}",
    "{panel}",
    "{panel:title=x}",
    "{color:red}",
    "{color}",
    "{adf}",
    "{\"type\":\"paragraph\"}",
    "[~accountid:",
    "[~fred]",
    "[^",
    ".png",
    "https://example.com/",
    "smart-link",
    "é",
    "日本",
    "😀",
    "<b>",
    "&amp;",
    "&#92;",
    "\"",
    "'",
    "\u{0}",
    "\r\n",
    "\t",
    "\u{a0}",
];

pub(crate) fn markup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => Just(ADDRESS.to_owned()),
        1 => any::<char>().prop_map(String::from),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Text with neither line breaks nor addresses; not empty.
fn words() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        &[
            "a", "word", "B9", " ", "*", "_", "-", "+", "{", "}", "[", "]", "|", "!", "\\", "#",
            "h1.", "<b>", "&", "é", "日本", "😀", ".", "{code}", "{{", "~", "^", ".png", "&#92;",
        ][..],
    );
    vec(piece, 1..8).prop_map(|pieces| format!("x{}y", pieces.concat()))
}

fn marks() -> impl Strategy<Value = Marks> {
    any::<(bool, bool, bool, bool, bool)>().prop_map(|(strong, em, code, strike, underline)| {
        Marks {
            strong,
            em,
            code,
            strike,
            underline,
        }
    })
}

fn url() -> impl Strategy<Value = String> {
    prop::sample::select(
        &[
            "https://example.com/a?b=c&d=(e)",
            "mailto:a@example.com",
            "javascript:alert(1)",
            "",
            "https://x y",
            ADDRESS,
            "https://example.com/[a]|b",
        ][..],
    )
    .prop_map(str::to_owned)
}

fn attachment() -> impl Strategy<Value = Attachment> {
    (option::of(words()), option::of(url())).prop_map(|(name, url)| Attachment { name, url })
}

fn inline() -> impl Strategy<Value = Inline> {
    let text = || (words(), marks()).prop_map(|(text, marks)| Inline::Text { text, marks });
    let leaf = prop_oneof![
        6 => text(),
        1 => Just(Inline::Break),
        1 => url().prop_map(|url| Inline::Card { url }),
        1 => (option::of(Just("5b10:x".to_owned())), words())
            .prop_map(|(id, name)| Inline::Mention { id, name }),
        1 => prop::sample::select(&["😀", ":smile:", ""][..]).prop_map(|e| Inline::Emoji(e.to_owned())),
        1 => attachment().prop_map(Inline::Attachment),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        (url(), vec(inner, 0..3)).prop_map(|(href, content)| Inline::Link { href, content })
    })
}

fn inlines() -> impl Strategy<Value = Vec<Inline>> {
    vec(inline(), 0..5)
}

fn block() -> impl Strategy<Value = Block> {
    let leaf = prop_oneof![
        5 => inlines().prop_map(Block::Paragraph),
        1 => (any::<u8>(), inlines()).prop_map(|(level, content)| Block::Heading { level, content }),
        1 => (option::of(words()), words()).prop_map(|(language, text)| Block::Code { language, text }),
        1 => Just(Block::Rule),
        1 => url().prop_map(|url| Block::Card { url }),
        1 => attachment().prop_map(Block::Attachment),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let blocks = || vec(inner.clone(), 0..4);
        let items = || vec(blocks().prop_map(|blocks| ListItem { blocks }), 0..4);
        prop_oneof![
            items().prop_map(Block::BulletList),
            (any::<u32>(), items()).prop_map(|(start, items)| Block::OrderedList { start, items }),
            blocks().prop_map(Block::Quote),
            blocks().prop_map(Block::Panel),
            vec(vec(blocks(), 0..3), 0..3).prop_map(Block::Table),
        ]
    })
}

pub(crate) fn document() -> impl Strategy<Value = Doc> {
    vec(block(), 0..5).prop_map(|blocks| Doc { blocks })
}

/// Documents of what every format can hold: paragraphs, headings and lists of marked text.
pub(crate) fn simple_document() -> impl Strategy<Value = Doc> {
    let content = || {
        let text = (words(), marks()).prop_map(|(text, marks)| Inline::Text { text, marks });
        vec(prop_oneof![4 => text, 1 => Just(Inline::Break)], 1..4)
    };
    let item = (words(), content()).prop_map(|(first, mut content)| {
        content.insert(0, Inline::text(first));
        ListItem::paragraph(content)
    });
    let block = prop_oneof![
        content().prop_map(Block::Paragraph),
        (1..=6_u8, content()).prop_map(|(level, content)| Block::Heading { level, content }),
        vec(item, 1..4).prop_map(Block::BulletList),
    ];
    vec(block, 0..5).prop_map(|blocks| Doc { blocks })
}

/// JSON that is sometimes like ADF.
pub(crate) fn json() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(
        &[
            "doc",
            "paragraph",
            "text",
            "heading",
            "bulletList",
            "listItem",
            "taskList",
            "taskItem",
            "table",
            "tableRow",
            "tableCell",
            "panel",
            "codeBlock",
            "mediaSingle",
            "media",
            "mention",
            "emoji",
            "date",
            "status",
            "inlineCard",
            "blockCard",
            "extension",
            "expand",
            "other",
            "hardBreak",
        ][..],
    );
    let key = prop::sample::select(
        &[
            "attrs",
            "content",
            "marks",
            "text",
            "url",
            "data",
            "href",
            "id",
            "@id",
            "level",
            "order",
            "timestamp",
            "title",
            "parameters",
            "datasource",
            "version",
            "alt",
            "shortName",
            "state",
        ][..],
    );
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words().prop_map(Value::from),
        url().prop_map(Value::from),
        any::<i64>().prop_map(|n| Value::from(n.to_string())),
    ];
    leaf.prop_recursive(6, 64, 4, move |inner| {
        let node =
            (kind.clone(), vec((key.clone(), inner.clone()), 0..4)).prop_map(|(kind, fields)| {
                let mut node: Map<String, Value> = fields
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect();
                node.insert("type".to_owned(), Value::from(kind));
                Value::Object(node)
            });
        let parent = (kind.clone(), vec(inner.clone(), 0..4)).prop_map(|(kind, content)| {
            let mut node = Map::new();
            node.insert("type".to_owned(), Value::from(kind));
            node.insert("content".to_owned(), Value::from(content));
            Value::Object(node)
        });
        prop_oneof![3 => parent, 2 => node, 1 => vec(inner, 0..4).prop_map(Value::from)]
    })
}
