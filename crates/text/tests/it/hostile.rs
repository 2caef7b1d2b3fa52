//! Input that was made to be slow or to nest without end. The sizes are such that anything worse
//! than linear time would not end within a test run.

use bowline_text::{adf, find_in_doc, find_in_text, html, wiki};
use serde_json::{Value, json};

/// Size of a hostile text in bytes.
const SIZE: usize = 200_000;

#[test]
fn wiki_takes_linear_time() {
    for piece in [
        "[",
        "]",
        "[|",
        "[a|",
        "*",
        "* ",
        "*a ",
        " *a",
        "_",
        "-",
        "+a",
        "{",
        "{{",
        "{{a",
        "}}",
        "{code}",
        "{code:",
        "{code:a}",
        "{noformat}",
        "{quote}",
        "{panel}",
        "{panel:a}",
        "{adf}",
        "{color:red}",
        "!",
        "!a",
        "!a.b|",
        "|",
        "|a",
        "||a|\n",
        "|a\n",
        "\\",
        "\\\\",
        "\\[",
        "#",
        "# a\n",
        "#*#*#* a\n",
        "** a\n* b\n",
        "h1. ",
        "h1. a\n",
        "\n",
        "a\n",
        " ",
        "h",
        "http",
        "http://",
        "https://a,",
        "https://a ",
        "https://((",
        "https://a)",
        "https://.",
        "://",
        "[https://a",
        "[a|https://b]",
        "{*}",
        "{*}a",
        "*a* ",
        "&#92;",
        "{quote}{panel:a}",
        "日",
        "{{a}}[",
        "bq. ",
        "----\n",
        "\u{0}",
    ] {
        let text = piece.repeat(SIZE / piece.len());
        let doc = wiki::read(&text);
        find_in_doc(&doc);
        find_in_text(&text);
        html::write(&doc);
        wiki::write(&doc);
    }
}

#[test]
fn limits_cost_no_more_than_their_size_allows() {
    let doc = wiki::read(&"a *b* [c|https://example.com] \n".repeat(SIZE / 30));
    assert!(html::write_limited(&doc, 10_000).len() > 9_900);
}

#[test]
fn deep_json_does_not_exhaust_the_stack() {
    for kind in [
        "blockquote",
        "bulletList",
        "listItem",
        "table",
        "tableCell",
        "expand",
        "text",
        "codeBlock",
        "?",
    ] {
        let mut node = json!({"type": "text", "text": "bottom"});
        for _ in 0..100_000 {
            let content = Value::Array(vec![node]);
            node = json!({"type": kind});
            node["content"] = content;
        }
        let doc = adf::read(&node);
        html::write(&doc);
        adf::write(&doc);
        // Dropping such JSON recurses as deep as it nests; that is its library's way, not ours.
        std::mem::forget(node);
    }
}

#[test]
fn wide_json_is_read_whole() {
    let item = json!({"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "a"}]}]});
    let list = json!({"type": "bulletList", "content": vec![item; 5_000]});
    let doc = adf::read(&json!({"type": "doc", "version": 1, "content": [list]}));
    assert_eq!(doc.plain_len(), 5_000 * 4 - 1);
}
