//! What holds for every input.

use bowline_text::{
    Block, Doc, MAX_DEPTH, address, adf, find_in_doc, find_in_text, html, plain, wiki,
};
use proptest::prelude::*;

use crate::documents::{ADDRESS, document, json, markup, simple_document};
use crate::{adf_shape, html_shape};

/// The text without white space, which formats arrange differently.
fn letters(doc: &Doc) -> String {
    plain::write(doc).split_whitespace().collect()
}

/// The words that a reader sees, for documents whose structure a format cannot hold.
fn words(doc: &Doc) -> String {
    let html = html::write(doc);
    let texts = html
        .split('<')
        .map(|text| text.split_once('>').map_or("", |(_, text)| text));
    texts
        .flat_map(str::chars)
        .filter(|c| c.is_alphanumeric())
        .collect()
}

fn depth(blocks: &[Block]) -> usize {
    let inner = |block: &Block| match block {
        Block::BulletList(items) | Block::OrderedList { items, .. } => {
            1 + items
                .iter()
                .map(|item| depth(&item.blocks))
                .max()
                .unwrap_or(0)
        }
        Block::Quote(inner) | Block::Panel(inner) => 1 + depth(inner),
        Block::Table(rows) => {
            1 + rows
                .iter()
                .flatten()
                .map(|cell| depth(cell))
                .max()
                .unwrap_or(0)
        }
        _ => 0,
    };
    blocks.iter().map(inner).max().unwrap_or(0)
}

/// Everything that must hold for a document, wherever it came from.
pub(crate) fn check_document(doc: &Doc) -> Result<(), String> {
    html_shape::check(&html::write(doc))?;
    adf_shape::check(&adf::write(doc))?;
    for limit in [0, 20, 100] {
        let cut = html::write_limited(doc, limit);
        html_shape::check(&cut)?;
        if cut.len() > limit {
            return Err(format!("{} bytes where {limit} were allowed", cut.len()));
        }
    }
    let rest = doc.without_addresses();
    if find_in_doc(&rest) != vec![] {
        return Err("addresses are left".to_owned());
    }
    if find_in_doc(doc).is_empty() && rest != *doc {
        return Err("more than addresses was removed".to_owned());
    }
    for found in find_in_doc(doc) {
        if address::parse(&found.url()).is_none() {
            return Err(format!("{} is not read", found.url()));
        }
    }
    let _ = wiki::write(doc);
    Ok(())
}

/// Readers nest no deeper than promised. A table counts for itself, and so may what JSON in a
/// macro holds.
fn check_read(doc: &Doc) -> Result<(), String> {
    let depth = depth(&doc.blocks);
    if depth > MAX_DEPTH + 1 {
        return Err(format!("{depth} levels"));
    }
    let stored = serde_json::to_string(doc).map_err(|why| why.to_string())?;
    let back: Doc = serde_json::from_str(&stored).map_err(|why| why.to_string())?;
    if back != *doc {
        return Err("stored differently".to_owned());
    }
    check_document(doc)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wiki_reads_everything(markup in markup()) {
        prop_assert_eq!(check_read(&wiki::read(&markup)), Ok(()));
    }

    #[test]
    fn wiki_reads_any_characters(text in any::<String>()) {
        prop_assert_eq!(check_read(&wiki::read(&text)), Ok(()));
    }

    #[test]
    fn wiki_keeps_the_words(text in "[c-z \n*_+|#.-]{0,80}") {
        let kept: String = text.chars().filter(char::is_ascii_lowercase).collect();
        let shown = plain::write(&wiki::read(&text));
        let shown: String = shown.chars().filter(char::is_ascii_lowercase).collect();
        prop_assert_eq!(shown, kept);
    }

    #[test]
    fn adf_reads_everything(value in json()) {
        prop_assert_eq!(check_read(&adf::read(&value)), Ok(()));
    }

    #[test]
    fn writers_take_everything(doc in document()) {
        prop_assert_eq!(check_document(&doc), Ok(()));
    }

    #[test]
    fn adf_keeps_the_words(doc in document()) {
        let back = adf::read(&adf::write(&doc));
        prop_assert_eq!(words(&back), words(&doc));
    }

    #[test]
    fn adf_keeps_simple_documents(doc in simple_document()) {
        prop_assert_eq!(letters(&adf::read(&adf::write(&doc))), letters(&doc));
    }

    #[test]
    fn wiki_keeps_simple_documents(doc in simple_document()) {
        let written = wiki::write(&doc);
        let back = wiki::read(&written);
        prop_assert_eq!(letters(&back), letters(&doc), "written as {}", written);
    }

    #[test]
    fn addresses_in_any_text(text in any::<String>(), junk in "[^a-zA-Z0-9]{0,3}") {
        find_in_text(&text);
        address::parse(&text);
        let hit = find_in_text(&format!("{text} {ADDRESS} {junk}"));
        prop_assert!(hit.iter().any(|address| address.conversation == "215"));
    }

    #[test]
    fn no_address_in_code(before in "[a-z \n*|#\\[\\]!_-]{0,30}", after in "[a-z \n*|#\\[\\]!_-]{0,30}") {
        for code in [
            format!("{{code}}{ADDRESS}{{code}}"),
            format!("{{noformat}}\n{ADDRESS}\n{{noformat}}"),
            format!("{{{{{ADDRESS}}}}}"),
        ] {
            let doc = wiki::read(&format!("{before}{code}{after}"));
            prop_assert_eq!(find_in_doc(&doc), vec![]);
        }
    }

    #[test]
    fn a_limit_uses_its_room(doc in simple_document(), limit in 0..400_usize) {
        let whole = html::write(&doc);
        let cut = html::write_limited(&doc, limit);
        prop_assert!(cut.len() <= limit);
        prop_assert_eq!(html_shape::check(&cut), Ok(()));
        if whole.len() <= limit {
            prop_assert_eq!(cut, whole);
        } else if limit > 100 {
            // No word, mark or element of these documents takes a hundred bytes.
            prop_assert!(cut.len() + 100 > limit, "{} of {}: {}", cut.len(), limit, cut);
            prop_assert!(cut.contains('…'));
        }
    }
}
