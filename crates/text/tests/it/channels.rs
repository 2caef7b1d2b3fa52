//! Text for channels: every document, every limit.

use bowline_text::channel::{SMALLEST_LIMIT, Style, length, split, write};
use proptest::prelude::*;

use crate::documents::document;

/// What a reader sees, without marks and white space.
fn seen(text: &str) -> String {
    let hidden = |c: &char| c.is_whitespace() || "*_~`\u{200b}".contains(*c);
    text.chars().filter(|c| !hidden(c)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_document_is_written_in_both_styles(doc in document()) {
        let plain = write(&doc, Style::Plain);
        let marked = write(&doc, Style::WhatsApp);
        prop_assert_eq!(seen(&marked), seen(&plain));
        for style in [Style::Plain, Style::WhatsApp] {
            let text = write(&doc, style);
            for part in split(&text, SMALLEST_LIMIT, style) {
                prop_assert!(length(&part) <= SMALLEST_LIMIT);
            }
        }
    }

    #[test]
    fn nothing_is_lost_over_a_cut(
        text in "([a-z]{1,9}|[*_~` \n]|```|\n\n|é|👍|e\u{301}|\u{1f1e9}\u{1f1ea}){0,80}",
        limit in 1..200_usize,
    ) {
        for style in [Style::Plain, Style::WhatsApp] {
            let parts = split(&text, limit, style);
            for part in &parts {
                prop_assert!(length(part) <= limit.max(2), "{:?} {}", part, limit);
                prop_assert!(!part.trim().is_empty());
            }
            prop_assert_eq!(seen(&parts.concat()), seen(&text), "{:?}", parts);
        }
    }

    #[test]
    fn plain_parts_are_the_text_itself(text in any::<String>(), limit in 2..60_usize) {
        let parts = split(&text, limit, Style::Plain);
        let letters = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(letters(&parts.concat()), letters(&text));
        if length(text.trim_end().trim_start_matches('\n')) <= limit {
            prop_assert!(parts.len() <= 1);
        }
    }
}

#[test]
fn a_long_hostile_text_is_parted_in_reasonable_time() {
    let text = "*a _b ~c `d ".repeat(4_000);
    let parts = split(&text, 4096, Style::WhatsApp);
    assert!(parts.len() >= text.len() / 4096);
    assert_eq!(seen(&parts.concat()), seen(&text));
}
