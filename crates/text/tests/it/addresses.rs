//! Every form of address, everything that carries one, and what must not match.

use bowline_text::{ConversationAddress, Doc, Host, address, adf, find_in_doc, find_in_text, wiki};
use serde_json::{Value, json};

const ADDRESS: &str =
    "https://app.intercom.com/a/inbox/abcd1234/inbox/conversation/215475827415413";
const ID: &str = "215475827415413";

#[test]
fn forms_of_the_address() {
    use Host::{Au, Eu, Legacy, Us};
    let cases: &[(&str, Host, Option<&str>, &str)] = &[
        (
            "https://app.intercom.com/a/inbox/gu1e0q0t/inbox/admin/8857114/conversation/99",
            Us,
            Some("gu1e0q0t"),
            "99",
        ),
        (
            "https://app.intercom.com/a/inbox/ui6470ff/inbox/conversation/215475827415413",
            Us,
            Some("ui6470ff"),
            ID,
        ),
        (
            "https://app.intercom.com/a/inbox/teb21d17/inbox/conversation/1?view=List",
            Us,
            Some("teb21d17"),
            "1",
        ),
        (
            "https://app.intercom.com/a/inbox/ql8el0gn/inbox/shared/all/conversation/215469108439785?view=List",
            Us,
            Some("ql8el0gn"),
            "215469108439785",
        ),
        (
            "https://app.intercom.com/a/inbox/b6uma1h1/inbox/shared/all/conversation/215470156576656",
            Us,
            Some("b6uma1h1"),
            "215470156576656",
        ),
        (
            "https://app.intercom.com/a/inbox/cc3wvy5y/inbox/search/conversation/5?filters=&query=a%20b&view=List",
            Us,
            Some("cc3wvy5y"),
            "5",
        ),
        (
            "https://app.intercom.com/a/inbox/_/inbox/conversation/215474154263922",
            Us,
            None,
            "215474154263922",
        ),
        (
            "https://app.eu.intercom.com/a/inbox/grcvqyws/inbox/shared/all/conversation/4137#part_id=comment-4137-23555",
            Eu,
            Some("grcvqyws"),
            "4137",
        ),
        (
            "https://app.eu.intercom.com/a/inbox/zah460bv/inbox/conversation/215560824562362",
            Eu,
            Some("zah460bv"),
            "215560824562362",
        ),
        (
            "https://app.au.intercom.com/a/inbox/abc123/inbox/conversation/987",
            Au,
            Some("abc123"),
            "987",
        ),
        (
            "https://app.intercom.com/a/apps/wkspc/conversations/123",
            Us,
            Some("wkspc"),
            "123",
        ),
        (
            "https://app.intercom.com/a/apps/_/inbox/conversation/7",
            Us,
            None,
            "7",
        ),
        (
            "https://app.intercom.com/a/apps/wkspc/inbox/inbox/215475827415413",
            Us,
            Some("wkspc"),
            ID,
        ),
        (
            "https://app.intercom.io/a/apps/i6wc9ipe/conversations/21330067382",
            Legacy,
            Some("i6wc9ipe"),
            "21330067382",
        ),
        (
            "https://app.intercom.io/a/apps/x2byp8hg/inbox/inbox/1935680/conversations/18437669699",
            Legacy,
            Some("x2byp8hg"),
            "18437669699",
        ),
        (
            "https://app.intercom.io/a/apps/abc/inbox/inbox/all/conversations/8",
            Legacy,
            Some("abc"),
            "8",
        ),
        (
            "https://app.intercom.io/a/apps/abc/inbox/inbox/conversation/15929788631#part_id=user-message-15929788631-2022",
            Legacy,
            Some("abc"),
            "15929788631",
        ),
        (
            "https://app.intercom.com/a/inbox/conversation/55",
            Us,
            None,
            "55",
        ),
        (
            "https://app.intercom.com/a/inbox/conversations/55/",
            Us,
            None,
            "55",
        ),
        (
            "http://app.intercom.com/a/inbox/abc/inbox/team/5/conversation/6/",
            Us,
            Some("abc"),
            "6",
        ),
        (
            "HTTPS://APP.Intercom.COM/a/inbox/abc/inbox/view/9/conversation/6",
            Us,
            Some("abc"),
            "6",
        ),
        (
            "https://app.intercom.com:443/a/inbox/abc/inbox/conversation/6",
            Us,
            Some("abc"),
            "6",
        ),
        (
            "  https://app.intercom.com/a/inbox/abc/inbox/conversation/6\n",
            Us,
            Some("abc"),
            "6",
        ),
        (
            "https://app.intercom.com/a/inbox/abc/inbox/search/conversation/6?query=日本",
            Us,
            Some("abc"),
            "6",
        ),
    ];
    for (url, host, workspace, conversation) in cases {
        let read = address::parse(url).unwrap_or_else(|| panic!("{url} is an address"));
        let expected = (*host, *workspace, *conversation);
        assert_eq!(
            (
                read.host,
                read.workspace.as_deref(),
                read.conversation.as_str()
            ),
            expected,
            "{url}"
        );
        let again = address::parse(&read.url()).unwrap_or_else(|| panic!("{} is read", read.url()));
        assert_eq!(
            (again.workspace, again.conversation),
            (read.workspace, read.conversation)
        );
    }
}

#[test]
fn parts() {
    let cases = [
        ("part_id=comment-4137-23555", Some("23555")),
        ("part_id=user-message-4137-202", Some("202")),
        ("part_id=comment-999-23555", None),
        ("part_id=4137-23555", None),
        ("part_id=comment-4137-", None),
        ("other", None),
    ];
    for (fragment, part) in cases {
        let url =
            format!("https://app.eu.intercom.com/a/inbox/abc/inbox/conversation/4137#{fragment}");
        assert_eq!(
            address::parse(&url).and_then(|found| found.part).as_deref(),
            part,
            "{fragment}"
        );
    }
}

#[test]
fn what_is_no_address() {
    let path = "/a/inbox/abc/inbox/conversation/6";
    let hosts = [
        "https://app.intercom.com.evil.example",
        "https://app.intercom.com@evil.example",
        "https://user@app.intercom.com",
        "https://user:secret@app.intercom.com",
        "https://app.intercom.com:8443",
        "http://app.intercom.com:443",
        "https://app.intercom.com.",
        "https://xapp.intercom.com",
        "https://x.app.intercom.com",
        "https://intercom.com",
        "https://app.intercom.co",
        "https://app-intercom.com",
        "https://app.us.intercom.com",
        "https://\u{430}pp.intercom.com",
        "https://xn--pp-7kc.intercom.com",
        "https://ａpp.intercom.com",
        "https://evil.example/https://app.intercom.com",
        "https://evil.example/?u=https://app.intercom.com",
        "https://evil.example#@app.intercom.com",
        "https://evil.example\\@app.intercom.com",
        "https:app.intercom.com",
        "https:/app.intercom.com",
        "https:///app.intercom.com",
        "ftp://app.intercom.com",
        "javascript://app.intercom.com",
        "//app.intercom.com",
        "app.intercom.com",
        "https://app.inter\tcom.com",
    ];
    for host in hosts {
        let url = format!("{host}{path}");
        assert_eq!(address::parse(&url), None, "{url}");
        assert_eq!(find_in_text(&format!("see {url} now")), vec![], "{url}");
    }
    let paths = [
        "",
        "/",
        "/a/inbox/abc",
        "/a/apps/abc/users/5f0000000000000000000001",
        "/a/apps/abc/users/123",
        "/a/apps/abc/conversations",
        "/a/apps/abc/conversations/",
        "/a/apps/abc/conversations/77/extra",
        "/a/apps/abc/conversations/77a",
        "/a/apps/abc/conversations/%37",
        "/a/apps/abc/conversations/-7",
        "/a/apps/abc/conversations/123456789012345678901",
        "/a/apps/abc/conversationss/77",
        "/a/apps/abc/inbox/inbox/480927",
        "/a/apps/conversations/77",
        "/a/apps/a-b/conversations/77",
        "/a/apps/a%20b/conversations/77",
        "/a/apps//conversations/77",
        "/a/inbox/abc/inbox/conversation//77",
        "/b/inbox/abc/inbox/conversation/77",
        "/x/a/inbox/abc/inbox/conversation/77",
        "/a/other/abc/inbox/conversation/77",
        "/?to=/a/inbox/abc/inbox/conversation/77",
        "/#/a/inbox/abc/inbox/conversation/77",
    ];
    for path in paths {
        let url = format!("https://app.intercom.com{path}");
        assert_eq!(address::parse(&url), None, "{url}");
    }
}

fn ids(found: &[ConversationAddress]) -> Vec<&str> {
    found
        .iter()
        .map(|address| address.conversation.as_str())
        .collect()
}

#[test]
fn carriers_in_plain_text() {
    for text in [
        ADDRESS.to_owned(),
        format!("see {ADDRESS}."),
        format!("({ADDRESS}), and"),
        format!("<{ADDRESS}>"),
        format!("\"{ADDRESS}\""),
        format!("[words]({ADDRESS})"),
        format!("**{ADDRESS}**!"),
        format!("a:{ADDRESS};"),
        format!("会話{ADDRESS}です。"),
        format!("{ADDRESS}?view=List, {ADDRESS}#part_id=comment-1-2"),
        format!("{ADDRESS},{ADDRESS}"),
    ] {
        assert_eq!(ids(&find_in_text(&text)), [ID], "{text}");
    }
    let two = format!("{ADDRESS},{}", ADDRESS.replace(ID, "77"));
    assert_eq!(ids(&find_in_text(&two)), [ID, "77"]);
}

#[test]
fn carriers_in_wiki_markup() {
    for markup in [
        ADDRESS.to_owned(),
        format!("[{ADDRESS}]"),
        format!("[words|{ADDRESS}]"),
        format!("[words | {ADDRESS} ]"),
        format!("[words|{ADDRESS}|tip]"),
        format!("[{ADDRESS}|{ADDRESS}]"),
        format!("[{ADDRESS}|{ADDRESS}|smart-link]"),
        format!("[{ADDRESS}|{ADDRESS}|block-card]"),
        format!("[{ADDRESS}|{ADDRESS}|smart-embed]"),
        format!("[{ADDRESS}|{ADDRESS}|embed-card]"),
        format!("[!shot.png!|{ADDRESS}]"),
        format!("*{ADDRESS}*, _{ADDRESS}_ and -{ADDRESS}- +{ADDRESS}+"),
        format!("|cell|{ADDRESS}|\n||head||[x|{ADDRESS}]||"),
        format!("* {ADDRESS}\n## {ADDRESS}"),
        format!("h1. {ADDRESS}"),
        format!("bq. {ADDRESS}"),
        format!("{{quote}}{ADDRESS}{{quote}}"),
        format!("{{panel:title=x}}{ADDRESS}{{panel}}"),
        format!("{{color:red}}{ADDRESS}{{color}}"),
        format!("{{code}} never closed {ADDRESS}"),
        format!("[words {ADDRESS}"),
        format!("[words|x {ADDRESS}]"),
        format!("text\\!{ADDRESS}\\!"),
        format!(
            "{{adf:display=block}}{{\"type\":\"blockCard\",\"attrs\":{{\"url\":\"{ADDRESS}\"}}}}{{adf}}"
        ),
    ] {
        assert_eq!(ids(&find_in_doc(&wiki::read(&markup))), [ID], "{markup}");
    }
    let escaped = "https://app.intercom.com/a/inbox/ab\\_cd/inbox/conversation/7?a=b\\-c\\!";
    let found = find_in_doc(&wiki::read(escaped));
    assert_eq!(found[0].workspace.as_deref(), Some("ab_cd"));
}

#[test]
fn no_address_in_wiki_code() {
    for markup in [
        format!("{{code}}{ADDRESS}{{code}}"),
        format!("{{code:title=x|java}}\n{ADDRESS}\n{{code}}"),
        format!("{{noformat}}\n{ADDRESS}\n{{noformat}}"),
        format!("{{{{{ADDRESS}}}}}"),
        format!("* x {{code}}\n[a|{ADDRESS}]\n{{code}}"),
        format!("|a {{noformat}}{ADDRESS}{{noformat}}|"),
        format!("[{{{{code}}}}|{ADDRESS}]"),
    ] {
        assert_eq!(
            ids(&find_in_doc(&wiki::read(&markup))),
            Vec::<&str>::new(),
            "{markup}"
        );
    }
}

fn in_paragraph(node: Value) -> Value {
    let mut document = json!({"type": "doc", "version": 1, "content": [{"type": "paragraph"}]});
    document["content"][0]["content"] = Value::Array(vec![node]);
    document
}

fn text(text: &str, marks: Value) -> Value {
    let mut node = json!({"type": "text", "text": text});
    node["marks"] = marks;
    node
}

#[test]
fn carriers_in_adf() {
    let link = json!({"type": "link", "attrs": {"href": ADDRESS}});
    let external = json!({"type": "external", "url": ADDRESS});
    let file = json!({"type": "file", "id": "1", "collection": "c"});
    let inline = [
        text(&format!("see {ADDRESS}."), json!([])),
        text("words", json!([link, {"type": "strong"}])),
        json!({"type": "inlineCard", "attrs": {"url": ADDRESS}}),
        json!({"type": "inlineCard", "attrs": {"data": {"@type": "Document", "url": ADDRESS}}}),
        json!({"type": "inlineCard", "attrs": {"data": {"@id": ADDRESS}}}),
        json!({"type": "inlineCard", "attrs": {"data": {"url": {"@id": ADDRESS}}}}),
        json!({"type": "mediaInline", "attrs": file, "marks": [link]}),
        json!({"type": "inlineExtension", "attrs": {"extensionType": "e", "extensionKey": "k",
            "parameters": {"macroParams": {"url": {"value": ADDRESS}}}}}),
        json!({"type": "futureInline", "attrs": {"url": ADDRESS}}),
        json!({"type": "futureInline", "content": [text(ADDRESS, json!([]))]}),
    ];
    let blocks = [
        json!({"type": "blockCard", "attrs": {"url": ADDRESS}}),
        json!({"type": "blockCard", "attrs": {"data": {"url": ADDRESS}}}),
        json!({"type": "blockCard", "attrs": {"datasource": {"id": "d", "parameters": {"link": ADDRESS}}}}),
        json!({"type": "embedCard", "attrs": {"url": ADDRESS, "layout": "wide"}}),
        json!({"type": "mediaSingle", "content": [{"type": "media", "attrs": external}]}),
        json!({"type": "mediaSingle", "marks": [link], "content": [{"type": "media", "attrs": file}]}),
        json!({"type": "mediaSingle", "content": [{"type": "media", "attrs": file, "marks": [link]}]}),
        json!({"type": "mediaGroup", "content": [{"type": "media", "attrs": file, "marks": [link]}]}),
        json!({"type": "mediaSingle", "content": [{"type": "media", "attrs": file},
            {"type": "caption", "content": [text(ADDRESS, json!([]))]}]}),
        json!({"type": "extension", "attrs": {"parameters": {"list": [1, {"text": format!("see {ADDRESS}")}]}}}),
        json!({"type": "bodiedSyncBlock", "attrs": {}, "content": [in_paragraph(inline[2].clone())["content"][0]]}),
    ];
    let documents = inline.into_iter().map(in_paragraph);
    let documents = documents.chain(blocks.into_iter().flat_map(|block| {
        let in_cell = json!({"type": "table", "content": [{"type": "tableRow", "content": [
            {"type": "tableCell", "content": [block.clone()]}]}]});
        let in_expand =
            json!({"type": "expand", "attrs": {"title": "t"}, "content": [block.clone()]});
        [block, in_cell, in_expand]
            .map(|block| json!({"type": "doc", "version": 1, "content": [block]}))
    }));
    for document in documents {
        assert_eq!(ids(&find_in_doc(&adf::read(&document))), [ID], "{document}");
    }
    let (head, tail) = ADDRESS.split_at(40);
    let split = json!({"type": "paragraph", "content": [text(head, json!([])), text(tail, json!([{"type": "strong"}]))]});
    assert_eq!(ids(&find_in_doc(&adf::read(&split))), [ID]);
}

#[test]
fn no_address_in_adf_code() {
    let link = json!({"type": "link", "attrs": {"href": ADDRESS}});
    for document in [
        json!({"type": "codeBlock", "content": [text(ADDRESS, json!([]))]}),
        json!({"type": "codeBlock", "content": [text("x", json!([link]))]}),
        in_paragraph(text(ADDRESS, json!([{"type": "code"}]))),
        in_paragraph(text("example", json!([{"type": "code"}, link]))),
        in_paragraph(json!({"type": "mention", "attrs": {"id": "1", "text": ADDRESS}})),
    ] {
        assert_eq!(
            ids(&find_in_doc(&adf::read(&document))),
            Vec::<&str>::new(),
            "{document}"
        );
    }
}

#[test]
fn order_and_duplicates() {
    let at = |workspace: &str, id: &str| {
        format!("https://app.intercom.com/a/apps/{workspace}/conversations/{id}")
    };
    let markup = format!(
        "{} {}\n* {} [x|{}]\n|{}|",
        at("aaa", "2"),
        at("aaa", "1"),
        at("aaa", "2"),
        at("bbb", "2"),
        at("_", "2"),
    );
    let found = find_in_doc(&wiki::read(&markup));
    let found: Vec<_> = found
        .iter()
        .map(|a| (a.workspace.as_deref(), a.conversation.as_str()))
        .collect();
    let expected = [
        (Some("aaa"), "2"),
        (Some("aaa"), "1"),
        (Some("bbb"), "2"),
        (None, "2"),
    ];
    assert_eq!(found, expected);
    assert_eq!(find_in_doc(&Doc::default()), vec![]);
}

#[test]
fn what_a_comment_says_besides() {
    let cases = [
        (format!("{ADDRESS}\n"), true),
        (format!("[{ADDRESS}|{ADDRESS}|smart-link] "), true),
        (format!("* {ADDRESS}\n* {ADDRESS}"), true),
        (format!("From [this conversation|{ADDRESS}]"), false),
        (format!("{{code}}{ADDRESS}{{code}}"), false),
        (format!("{ADDRESS} [^a.log]"), false),
    ];
    for (markup, says_nothing) in cases {
        assert_eq!(
            wiki::read(&markup).without_addresses().is_blank(),
            says_nothing,
            "{markup}"
        );
    }
}
