use super::*;
use crate::channel::marks;
use crate::wiki;

/// Wiki markup as WhatsApp and as plain text; the invisible space shows as `¦`.
fn both(markup: &str) -> (String, String) {
    let doc = wiki::read(markup);
    (
        write(&doc, Style::WhatsApp).replace(GUARD, "¦"),
        write(&doc, Style::Plain),
    )
}

#[test]
fn formatting() {
    for (markup, whatsapp, plain) in [
        ("It is *done*.", "It is *done*.", "It is done."),
        (
            "_so_ and -not- +this+",
            "_so_ and ~not~ this",
            "so and not this",
        ),
        ("*_both_* {{code}}", "*_both_* `code`", "both code"),
        ("h2. Title\ntext", "*Title*\n\ntext", "Title\n\ntext"),
        ("* one\n* two", "- one\n- two", "- one\n- two"),
        (
            "# one\n## deep\n# two",
            "1. one\n  1. deep\n2. two",
            "1. one\n  1. deep\n2. two",
        ),
        (
            "{quote}said\nmore{quote}",
            "> said\n> more",
            "> said\n> more",
        ),
        ("{code}a *b*\n  c{code}", "```a *b*\n  c```", "a *b*\n  c"),
        ("{code}a ``` b{code}", "```a `¦`¦`¦ b```", "a ``` b"),
        (
            "one\n\ntwo\nthree",
            "one\n\ntwo\nthree",
            "one\n\ntwo\nthree",
        ),
        (
            "see [the page|https://example.com/a_b_c]",
            "see the page (https://example.com/a_b_c)",
            "see the page (https://example.com/a_b_c)",
        ),
        (
            "[https://example.com/_x_]",
            "https://example.com/_x_",
            "https://example.com/_x_",
        ),
        (
            "at https://example.com/_x_/y now",
            "at https://example.com/_x_/y now",
            "at https://example.com/_x_/y now",
        ),
        ("||a||b||\n|1|2|", "a | b\n1 | 2", "a | b\n1 | 2"),
        ("----", "———", "———"),
        ("hi [~fred]", "hi @fred", "hi @fred"),
    ] {
        assert_eq!(
            both(markup),
            (whatsapp.to_owned(), plain.to_owned()),
            "{markup}"
        );
    }
}

fn text(words: &str) -> Doc {
    Doc::paragraph(vec![Inline::text(words)])
}

#[test]
fn what_looks_like_formatting_stays_text() {
    for (words, want) in [
        ("rm *.txt *.log", "rm *¦.txt *¦.log"),
        ("*bold* words", "*¦bold¦* words"),
        ("_a_ ~b~ `c`", "_¦a¦_ ~¦b¦~ `¦c¦`"),
        ("```x```", "`¦`¦`¦x`¦`¦`"),
        ("snake_case_name 2*3*4", "snake_case_name 2*3*4"),
        ("5 * 3 ~ 2", "5 * 3 ~ 2"),
        ("> quoted?", "¦> quoted?"),
        ("* item?\n- item?", "¦* item?\n¦- item?"),
        ("-5 degrees", "-5 degrees"),
    ] {
        let written = write(&text(words), Style::WhatsApp);
        assert_eq!(written.replace(GUARD, "¦"), want, "{words}");
        assert_eq!(written.replace(GUARD, ""), words);
        assert_eq!(written.lines().flat_map(marks::spans).count(), 0, "{words}");
        assert_eq!(write(&text(words), Style::Plain), words);
    }
}

#[test]
fn marks_inside_a_word_are_left_out() {
    let strong = |words: &str| Inline::strong(words);
    for (content, want) in [
        (vec![strong("re"), Inline::text("opened")], "reopened"),
        (vec![Inline::text("re"), strong("opened")], "reopened"),
        (
            vec![Inline::text("a "), strong(" b "), Inline::text("c")],
            "a  *b* c",
        ),
        (vec![strong("a"), Inline::text(", b")], "*a*, b"),
        (vec![strong("*a*"), Inline::text(" b")], "*¦a¦* b"),
        (vec![strong(" ")], ""),
        (vec![strong("a"), Inline::Break, strong("b")], "*a*\n*b*"),
        (vec![strong("a\nb")], "*a*\n*b*"),
        (
            vec![Inline::Mention {
                id: None,
                name: "Kim Berg".to_owned(),
            }],
            "@Kim Berg",
        ),
    ] {
        let written = write(&Doc::paragraph(content), Style::WhatsApp);
        assert_eq!(written.replace(GUARD, "¦"), want);
    }
}

#[test]
fn links_that_must_not_be_followed_show_their_text() {
    for (href, shown, want) in [
        ("javascript:alert(1)", "here", "here"),
        (
            "mailto:kim@example.com",
            "kim@example.com",
            "kim@example.com",
        ),
        (
            "mailto:kim@example.com",
            "Kim",
            "Kim (mailto:kim@example.com)",
        ),
        ("https://example.com/a", "", "https://example.com/a"),
    ] {
        let doc = Doc::paragraph(vec![Inline::link(href, shown)]);
        assert_eq!(write(&doc, Style::WhatsApp), want);
    }
}
