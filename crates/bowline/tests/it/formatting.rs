//! What comments keep of their form on the way into a note.

use bowline_sandbox::jira::Body;
use serde_json::{Value, json};

use crate::stage::Stage;

fn text(text: &str, mark: Option<&str>) -> Value {
    let marks: Vec<Value> = mark.iter().map(|mark| json!({ "type": mark })).collect();
    json!({ "type": "text", "text": text, "marks": marks })
}

fn node(kind: &str, content: &[Value]) -> Value {
    json!({ "type": kind, "content": content })
}

fn paragraph(content: &[Value]) -> Value {
    node("paragraph", content)
}

fn item(words: &str) -> Value {
    node("listItem", &[paragraph(&[text(words, None)])])
}

fn rich_document(lena: &str) -> Value {
    let link = json!({
        "type": "text", "text": "the runbook",
        "marks": [{ "type": "link", "attrs": { "href": "https://docs.example.com/run?a=1&b=2" } }],
    });
    json!({ "type": "doc", "version": 1, "content": [
        paragraph(&[
            text("bold", Some("strong")), text(" and ", None), text("italic", Some("em")),
            text(" and ", None), text("inline()", Some("code")), text(" see ", None), link,
        ]),
        node("bulletList", &[item("first"), item("second")]),
        node("orderedList", &[item("one"), item("two")]),
        json!({ "type": "codeBlock", "attrs": { "language": "rust" },
            "content": [{ "type": "text", "text": "if a < b { go() }" }] }),
        node("blockquote", &[paragraph(&[text("as they said", None)])]),
        paragraph(&[
            json!({ "type": "mention", "attrs": { "id": lena, "text": "@Lena Fischer" } }),
            text(" and ", None),
            json!({ "type": "mention", "attrs": { "id": lena } }),
        ]),
        json!({ "type": "mediaSingle", "content": [
            { "type": "media", "attrs": { "type": "file", "id": "m-1", "collection": "", "alt": "screen.png" } },
        ] }),
    ] })
}

const WIKI: &str = "*bold* and _italic_ and {{inline()}} see [the runbook|https://docs.example.com/run?a=1&b=2]\n\n\
    * first\n* second\n\n# one\n# two\n\n{code:rust}if a < b { go() }{code}\n\n\
    {quote}as they said{quote}\n\n[~lena] and [~lena]\n\n!screen.png!";

/// What the note has to show, whichever form the comment was written in.
const KEPT: &[&str] = &[
    "<b>bold</b>",
    "<i>italic</i>",
    "<code>inline()</code>",
    "<a href=\"https://docs.example.com/run?a=1&amp;b=2\">the runbook</a>",
    "<ul><li>first</li><li>second</li></ul>",
    "<ol><li>one</li><li>two</li></ol>",
    "if a &lt; b { go() }",
    "<blockquote>",
    "as they said",
    "@Lena Fischer and @Lena Fischer",
    "screen.png",
];

async fn form_is_kept(stage: Stage, comment: Body) {
    let (issue, conversation) = stage.linked().await;
    stage.omar().comment(&issue, comment).unwrap();
    stage.note(&conversation, &["as they said"]).await;
    // As Intercom stores it, lists have line breaks and links say how they open.
    let note = stage.intercom().notes(&conversation).pop().unwrap().body;
    let note = note.replace('\n', "").replace(
        " rel=\"nofollow noopener noreferrer\" target=\"_blank\"",
        "",
    );
    for part in KEPT {
        assert!(note.contains(part), "{part} is missing in {note}");
    }
}

#[tokio::test]
async fn of_rich_text_on_cloud() {
    let stage = Stage::cloud().await;
    let lena = stage
        .jira()
        .users()
        .iter()
        .find(|user| user.name == "lena")
        .unwrap()
        .account_id
        .clone();
    form_is_kept(stage, Body::adf(rich_document(&lena))).await;
}

#[tokio::test]
async fn of_wiki_markup_on_data_center() {
    form_is_kept(Stage::data_center().await, Body::wiki(WIKI)).await;
}

#[tokio::test]
async fn markup_that_people_write_stays_text() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    let hostile = json!({ "type": "doc", "version": 1, "content": [paragraph(&[
        text("<script>alert(1)</script><img src=x onerror=alert(1)>", None),
        json!({ "type": "text", "text": "press", "marks": [
            { "type": "link", "attrs": { "href": "javascript:alert(1)" } },
        ] }),
    ])] });
    stage.omar().comment(&issue, Body::adf(hostile)).unwrap();
    stage.note(&conversation, &["press"]).await;
    let note = stage.intercom().notes(&conversation).pop().unwrap().body;
    assert!(
        !note.contains("<script") && !note.contains("<img") && !note.contains("javascript:"),
        "{note}"
    );
    assert!(note.contains("&lt;script&gt;"), "{note}");
}

#[tokio::test]
async fn a_very_long_comment_is_cut_and_still_whole_html() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage
        .omar()
        .comment(&issue, "*many words* ".repeat(2_000).as_str())
        .unwrap();
    stage.note(&conversation, &["many words"]).await;
    let note = stage.intercom().notes(&conversation).pop().unwrap().body;
    assert!(note.len() < 10_000 && note.contains('…'), "{}", note.len());
    assert_eq!(note.matches("<b>").count(), note.matches("</b>").count());
}
