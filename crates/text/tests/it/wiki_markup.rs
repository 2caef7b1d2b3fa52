//! What wiki markup reads as, and what is written.

use bowline_text::{Doc, html, wiki};

fn read(markup: &str) -> String {
    html::write(&wiki::read(markup))
}

/// Markup and the HTML of what was read.
fn check(cases: &[(&str, &str)]) {
    for (markup, expected) in cases {
        assert_eq!(read(markup), *expected, "{markup}");
    }
}

#[test]
fn marks() {
    check(&[
        (
            "*bold*, _italic_ and {{mono}}",
            "<p><b>bold</b>, <i>italic</i> and <code>mono</code></p>",
        ),
        ("-struck- +under+", "<p>~struck~ under</p>"),
        ("*_both_*", "<p><b><i>both</i></b></p>"),
        ("wo{*}r{*}d", "<p>wo<b>r</b>d</p>"),
        ("(*bold*)", "<p>(<b>bold</b>)</p>"),
        (
            "snake_case_word 2*3*4 a-b-c",
            "<p>snake_case_word 2*3*4 a-b-c</p>",
        ),
        ("a * b * c - d - e", "<p>a * b * c - d - e</p>"),
        ("C++ and D++ --x --y", "<p>C++ and D++ --x --y</p>"),
        ("*not closed", "<p>*not closed</p>"),
        ("*a\nb*", "<p>*a<br>b*</p>"),
        (r"\*a\* \[b\] \{c} 1\-2 hi\!", "<p>*a* [b] {c} 1-2 hi!</p>"),
        (r"C:\dir\file", r"<p>C:\dir\file</p>"),
        (r"a\\b", "<p>a<br>b</p>"),
        ("{color:red}*x*{color} y", "<p><b>x</b> y</p>"),
        (":) (!) (/)", "<p>:) (!) (/)</p>"),
        (
            "{{a}} *{{b}}*",
            "<p><code>a</code> <b><code>b</code></b></p>",
        ),
    ]);
}

#[test]
fn links_and_files() {
    let link = "<a href=\"https://example.com/a\">";
    let cases = [
        (
            "https://example.com/a.",
            format!("<p>{link}https://example.com/a</a>.</p>"),
        ),
        (
            "[https://example.com/a]",
            format!("<p>{link}https://example.com/a</a></p>"),
        ),
        (
            "[the *a*|https://example.com/a]",
            format!("<p>{link}the <b>a</b></a></p>"),
        ),
        (
            "[a|https://example.com/a|tip]",
            format!("<p>{link}a</a></p>"),
        ),
        (
            "[https://example.com/a|https://example.com/a|smart-link]!",
            format!("<p>{link}https://example.com/a</a>!</p>"),
        ),
        (
            "x [https://example.com/a|https://example.com/a|block-card] y",
            format!("<p>x</p><p>{link}https://example.com/a</a></p><p>y</p>"),
        ),
        (
            "*[a|https://example.com/a]*",
            format!("<p>{link}<b>a</b></a></p>"),
        ),
        (
            "-https://example.com/a- x",
            "<p><a href=\"https://example.com/a\">~https://example.com/a~</a> x</p>".to_owned(),
        ),
        (
            "[~fred] [~accountid:5b10:x]",
            "<p>@fred @5b10:x</p>".to_owned(),
        ),
        (
            "[^a b.log] !shot.png|thumbnail!",
            "<p>[a b.log] [shot.png]</p>".to_owned(),
        ),
        (
            "!https://example.com/a!",
            format!("<p>{link}[https://example.com/a]</a></p>"),
        ),
        (
            "Hello! World! Now!x.",
            "<p>Hello! World! Now!x.</p>".to_owned(),
        ),
        ("[ENG-1] [a|b] [x]", "<p>[ENG-1] [a|b] [x]</p>".to_owned()),
        (
            "[x|javascript:alert(1)]",
            "<p>[x|javascript:alert(1)]</p>".to_owned(),
        ),
        (
            "[mail|mailto:a@example.com]",
            "<p><a href=\"mailto:a@example.com\">mail</a></p>".to_owned(),
        ),
        ("[below|#anchor]", "<p>below</p>".to_owned()),
    ];
    for (markup, expected) in cases {
        assert_eq!(read(markup), expected, "{markup}");
    }
}

#[test]
fn blocks() {
    check(&[
        ("a\nb\n\nc\r\nd", "<p>a<br>b</p><p>c<br>d</p>"),
        ("h1. T\nx\nh3. *U*", "<h1>T</h1><p>x</p><h2><b>U</b></h2>"),
        ("h7. T", "<p>h7. T</p>"),
        ("bq. said", "<blockquote><p>said</p></blockquote>"),
        ("----", "<p>———</p>"),
        (
            "--- a",
            "<ul><li><ul><li><ul><li>a</li></ul></li></ul></li></ul>",
        ),
        (
            "* a\n** b\n** c\n* d",
            "<ul><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ul>",
        ),
        (
            "# a\n#* b\n# c",
            "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>",
        ),
        ("- a\n- b\nmore", "<ul><li>a</li><li>b<br>more</li></ul>"),
        ("* a\n\n* b", "<ul><li>a</li></ul><ul><li>b</li></ul>"),
        ("* a\n# b", "<ul><li>a</li></ul><ol><li>b</li></ol>"),
        ("*a* b", "<p><b>a</b> b</p>"),
        (
            "{quote}\na\n\nb\n{quote}",
            "<blockquote><p>a</p><p>b</p></blockquote>",
        ),
        (
            "x {quote}y{quote} z",
            "<p>x</p><blockquote><p>y</p></blockquote><p>z</p>",
        ),
        ("{quote} never ends", "<p>never ends</p>"),
        (
            "{panel:title=T|bgColor=#fff}\na\n{panel}",
            "<blockquote><p><b>T</b></p><p>a</p></blockquote>",
        ),
        (
            "{code:rust}\nlet *a*;\n\n[b]\n{code}",
            "<pre><code>let *a*;\n\n[b]</code></pre>",
        ),
        (
            "x {code}y{code} z",
            "<p>x</p><pre><code>y</code></pre><p>z</p>",
        ),
        (
            "{noformat}{code}{noformat}",
            "<pre><code>{code}</code></pre>",
        ),
        ("{code} never ends *b*", "<p>{code} never ends <b>b</b></p>"),
        (
            "* a {code}\nb\n{code}\n* c",
            "<ul><li>a<pre><code>b</code></pre></li><li>c</li></ul>",
        ),
        (
            "||a||b||\n|*c*|[d|https://example.com]|",
            "<p>a | b</p><p><b>c</b> | <a href=\"https://example.com\">d</a></p>",
        ),
        (
            "|a\\|b| |{code}|{code}|",
            "<p>a|b</p><pre><code>|</code></pre>",
        ),
        ("|a\nb|c|\nafter", "<p>a<br>b | c</p><p>after</p>"),
        (
            "{adf:display=block}\n{\"type\":\"panel\",\"content\":[{\"type\":\"text\",\"text\":\"in\"}]}\n{adf}",
            "<blockquote><p>in</p></blockquote>",
        ),
        ("{adf}no json{adf}", "<pre><code>no json</code></pre>"),
        ("{unknown} {x:y}", "<p>{unknown} {x:y}</p>"),
        ("", ""),
        (" \n\t\n", ""),
    ]);
}

#[test]
fn what_is_written_reads_back() {
    let documents = [
        "plain *bold* _italic_ -struck- +under+ {{mono}}",
        "wo{*}r{*}d",
        "h2. Title\n\ntext\nnext line",
        "* a\n** b\n*# c\n* d",
        "[label|https://example.com/a] and [https://example.com/b]",
        "[https://example.com/a|https://example.com/a|smart-link]",
        "[https://example.com/a|https://example.com/a|block-card]",
        "{quote}\nq\n{quote}\n\nafter",
        "{panel}\np\n\n* i\n{panel}",
        "{code:rust}\nfn a() {}\n{code}\n\n{noformat}\n{code}\n{noformat}",
        "| a | b |\n| *c* | [^d.png] |",
        "[~accountid:5b10a2844c20165700ede21g:x] [~fred]",
        "----\n\nend",
        r"\*no\* \[x\] \{y} \!z.png\! \- a h1. x",
        r"h1\. no heading",
        r"a&#92;\*b",
        "a\n\\\\\nb",
    ];
    for markup in documents {
        let doc = wiki::read(markup);
        let written = wiki::write(&doc);
        assert_eq!(
            wiki::read(&written),
            doc,
            "{markup}\n--- was written as\n{written}"
        );
    }
}

#[test]
fn a_real_description_reads_well() {
    let markup =
        "test\n\n_Issue created from a [message in chat|https://chat.example.com/pl/449w]_.";
    let expected = "<p>test</p><p><i>Issue created from a </i>\
        <a href=\"https://chat.example.com/pl/449w\"><i>message in chat</i></a>.</p>";
    assert_eq!(read(markup), expected);
    assert_eq!(wiki::write(&Doc::default()), "");
}
