use super::*;
use crate::channel::write;
use crate::model::{Block, Doc, Inline, ListItem, Marks};
use proptest::prelude::*;

fn plain(text: &str, limit: usize) -> Vec<String> {
    split(text, limit, Style::Plain)
}

#[test]
fn the_best_boundary_is_taken() {
    for (text, limit, want) in [
        ("", 10, vec![]),
        (" \n ", 10, vec![]),
        ("short", 10, vec!["short"]),
        ("one\n\ntwo\nthree", 10, vec!["one", "two\nthree"]),
        ("one two\nthree four", 12, vec!["one two", "three four"]),
        ("one two three", 8, vec!["one two", "three"]),
        ("one two three", 7, vec!["one two", "three"]),
        ("abcdefghij", 4, vec!["abcd", "efgh", "ij"]),
        // A paragraph that would leave the message almost empty is no boundary.
        (
            "a\n\nbbbb cccc dddd eeee ffff",
            20,
            vec!["a\n\nbbbb cccc dddd", "eeee ffff"],
        ),
        ("  indented text", 10, vec!["  indented", "text"]),
    ] {
        assert_eq!(plain(text, limit), want, "{text:?} {limit}");
    }
}

#[test]
fn signs_are_not_cut_apart() {
    for (text, limit, want) in [
        ("👍👍👍", 5, vec!["👍👍", "👍"]),
        (
            "ae\u{301}ae\u{301}",
            2,
            vec!["a", "e\u{301}", "a", "e\u{301}"],
        ),
        ("👍🏽👍🏽", 6, vec!["👍🏽", "👍🏽"]),
        ("🇩🇪🇫🇷", 6, vec!["🇩🇪", "🇫🇷"]),
        (
            "👩\u{200d}💻x👩\u{200d}💻",
            7,
            vec!["👩\u{200d}💻x", "👩\u{200d}💻"],
        ),
        ("👍👍", 1, vec!["👍", "👍"]),
    ] {
        assert_eq!(plain(text, limit), want, "{text} {limit}");
    }
}

#[test]
fn formatting_goes_on_in_the_next_part() {
    let words = "word ".repeat(30);
    for (open, close) in [
        ("*", "*"),
        ("_", "_"),
        ("*_", "_*"),
        ("```", "```"),
        ("`", "`"),
    ] {
        let text = format!("{open}{}{close}", words.trim());
        let parts = split(&text, 60, Style::WhatsApp);
        assert!(parts.len() > 2);
        for part in &parts {
            assert!(length(part) <= 60);
            assert!(part.starts_with(open) && part.ends_with(close), "{part}");
        }
        let joined: String = parts
            .iter()
            .map(|p| p.replace(['*', '_', '`'], " "))
            .collect();
        let kept: Vec<_> = joined.split_whitespace().collect();
        assert_eq!(kept.len(), 30, "{open}");
    }
}

#[test]
fn code_keeps_its_indentation() {
    let code = format!("```fn a() {{\n{}}}```", "    let b = 1;\n".repeat(8));
    let parts = split(&code, 70, Style::WhatsApp);
    assert!(parts.len() > 1);
    for part in &parts[1..] {
        assert!(
            part.starts_with("```    let") || part.starts_with("```}"),
            "{part}"
        );
    }
}

#[test]
fn marks_at_a_cut_are_not_left_empty() {
    for lead in 40..60 {
        let text = format!("{} *bold text* {}", "a".repeat(lead), "b".repeat(40));
        for part in split(&text, 60, Style::WhatsApp) {
            assert!(!part.contains("**"), "{part}");
            assert_eq!(part.matches('*').count() % 2, 0, "{part}");
        }
    }
}

#[test]
fn what_stood_within_a_line_begins_no_list() {
    for (middle, want) in [
        ("* 3", "\u{200b}* 3"),
        ("> 3", "\u{200b}> 3"),
        ("x 3", "x 3"),
    ] {
        let text = format!("{} {middle} {}", "a".repeat(52), "b".repeat(9));
        let want = format!("{want} bbbbbbbbb");
        let parts = split(&text, 60, Style::WhatsApp);
        assert_eq!(parts[1], want);
    }
    let list = format!("- {}\n- bbbbbbbbbb", "a".repeat(50));
    assert_eq!(split(&list, 60, Style::WhatsApp)[1], "- bbbbbbbbbb");
}

/// Every letter with the marks that it is shown with.
fn shown(texts: &[String]) -> Vec<(char, String)> {
    let mut all = Vec::new();
    for text in texts {
        let pieces: Vec<&str> = text.split(FENCE).collect();
        for (n, piece) in pieces.iter().enumerate() {
            if n % 2 == 1 {
                let letters = piece.chars().filter(|c| c.is_alphanumeric());
                all.extend(letters.map(|c| (c, FENCE.to_owned())));
                continue;
            }
            for line in piece.split('\n') {
                let spans = marks::spans(line);
                for (at, c) in line.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
                    let over = spans.iter().filter(|s| s.open < at && at < s.close);
                    all.push((c, over.map(|s| s.mark).collect()));
                }
            }
        }
    }
    all
}

fn words() -> impl Strategy<Value = Inline> {
    let marks = (any::<bool>(), any::<bool>(), any::<bool>(), 0..6_u8);
    (marks, "[a-z]{1,12}([ *_~`,>-]{1,3}[a-z]{1,12}){0,5} ").prop_map(|(marks, text)| {
        let (strong, em, strike, code) = marks;
        Inline::Text {
            text,
            marks: Marks {
                strong,
                em,
                strike,
                code: code == 0,
                underline: false,
            },
        }
    })
}

fn blocks() -> impl Strategy<Value = Block> {
    let run = || proptest::collection::vec(words(), 1..6);
    prop_oneof![
        4 => run().prop_map(Block::Paragraph),
        1 => run().prop_map(|content| Block::BulletList(vec![ListItem::paragraph(content)])),
        1 => run().prop_map(|content| Block::Quote(vec![Block::Paragraph(content)])),
        1 => "[a-z *_`\n]{1,120}".prop_map(|text| Block::Code { language: None, text }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_letter_is_shown_as_before_the_cut(
        blocks in proptest::collection::vec(blocks(), 1..5),
        limit in SMALLEST_LIMIT..200,
    ) {
        let text = write(&Doc { blocks }, Style::WhatsApp);
        let parts = split(&text, limit, Style::WhatsApp);
        for part in &parts {
            prop_assert!(length(part) <= limit, "{} of {}: {}", length(part), limit, part);
        }
        prop_assert_eq!(shown(&parts), shown(&[text]), "{:?}", parts);
    }

    #[test]
    fn words_without_marks_are_shown_without(text in "[a-z]{0,3}([ *_~`(.,]{1,4}[a-z1-9]{1,4}){0,9}[*_~`]{0,3}") {
        let doc = Doc::paragraph(vec![Inline::text(text.clone())]);
        let written = write(&doc, Style::WhatsApp);
        for part in split(&written, SMALLEST_LIMIT, Style::WhatsApp) {
            prop_assert_eq!(part.lines().flat_map(marks::spans).count(), 0, "{:?}", part);
            prop_assert!(!part.contains(FENCE));
        }
        prop_assert_eq!(written.replace(GUARD, ""), text);
    }
}
