//! The words of HTML that others wrote: messages as Intercom gives them.

/// The longest name of a character (`&hellip;`), in bytes.
const NAME_BYTES_MAX: usize = 10;

/// Elements after which a new line begins.
const LINES: [&str; 14] = [
    "br",
    "p",
    "div",
    "li",
    "pre",
    "tr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "ul",
];

/// Elements whose content is no text.
const SILENT: [&str; 3] = ["script", "style", "head"];

/// The text of an HTML fragment: its words with their line breaks, nothing of its formatting. A
/// picture reads `[picture]`. Any input gives a text, in time linear in it.
pub fn words_of_html(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut silent: Option<&str> = None;
    let mut kept_lines = false;
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        if silent.is_none() {
            push(&mut text, &rest[..start], kept_lines);
        }
        let after = &rest[start + 1..];
        if !after.starts_with(|first: char| first.is_ascii_alphabetic() || "/!".contains(first)) {
            if silent.is_none() {
                text.push('<');
            }
            rest = after;
            continue;
        }
        let Some(length) = after.find('>') else {
            rest = "";
            break;
        };
        let tag = &after[..length];
        let closes = tag.starts_with('/');
        let name = tag
            .trim_start_matches('/')
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        match silent {
            Some(element) if closes && name == element => silent = None,
            Some(_) => {}
            None => {
                silent = SILENT.into_iter().find(|known| !closes && *known == name);
                let breaks = LINES.contains(&name.as_str());
                let at_start = text.is_empty() || text.ends_with('\n');
                if breaks && (name == "br" || !at_start) {
                    text.push('\n');
                }
                if name == "pre" {
                    kept_lines = !closes;
                }
                if name == "img" {
                    text.push_str("[picture]");
                }
            }
        }
        rest = &after[length + 1..];
    }
    if silent.is_none() {
        push(&mut text, rest, kept_lines);
    }
    tidy(&text)
}

/// At most one blank line in a row, none at the ends, no blanks at the end of a line, and no
/// characters that steer.
fn tidy(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        let blank = line.trim().is_empty();
        if !(blank && lines.last().is_none_or(|last| last.is_empty())) {
            lines.push(if blank { "" } else { line });
        }
    }
    let text = lines.join("\n");
    let shown = |letter: &char| !letter.is_control() || *letter == '\n';
    text.trim().chars().filter(shown).collect()
}

/// Adds what stands between two tags. A line break there is white space like any other, but in
/// `pre`.
fn push(text: &mut String, html: &str, kept_lines: bool) {
    if kept_lines {
        push_decoded(text, html);
        return;
    }
    let at_start = text.is_empty() || text.ends_with('\n');
    let html = if at_start { html.trim_start() } else { html };
    push_decoded(text, &html.replace(['\n', '\r', '\t'], " "));
}

fn push_decoded(text: &mut String, mut html: &str) {
    while let Some(start) = html.find('&') {
        text.push_str(&html[..start]);
        html = &html[start + 1..];
        let bound = html.len().min(NAME_BYTES_MAX + 1);
        let end = html.as_bytes()[..bound]
            .iter()
            .position(|byte| *byte == b';');
        match end.and_then(|end| Some((end, character(&html[..end])?))) {
            Some((end, letter)) => {
                text.push(letter);
                html = &html[end + 1..];
            }
            None => text.push('&'),
        }
    }
    text.push_str(html);
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "hellip" => '…',
        "mdash" => '—',
        "ndash" => '–',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_and_lines_are_kept() {
        for (html, wanted) in [
            (
                "<p>It is <b>broken</b>.</p><p>Really&nbsp;so</p>",
                "It is broken.\nReally so",
            ),
            ("one<br>two<br/>three", "one\ntwo\nthree"),
            ("<ul><li>a</li><li>b</li></ul>c", "a\nb\nc"),
            (
                "a &lt; b &amp;amp; c &#39;d&#x2019; &nope; & e",
                "a < b &amp; c 'd’ &nope; & e",
            ),
            ("1 < 2 <b>x", "1 < 2 x"),
            ("<script>alert(1)</script>safe<style>p{}</style>", "safe"),
            ("see <img src=\"x\"> here", "see [picture] here"),
            ("<p></p>\n<p> </p><p>x</p>", "x"),
            ("<p>one\ntwo</p>\n\n<p>three</p>", "one two\nthree"),
            ("<pre>one\n  two</pre>three", "one\n  two\nthree"),
            ("no end <b", "no end"),
            ("", ""),
        ] {
            assert_eq!(words_of_html(html), wanted, "{html}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_words(html in "(<[a-z/!]{0,8}>?|&[a-z#0-9]{0,12};?|.){0,60}") {
            let words = words_of_html(&html);
            prop_assert!(!words.contains('\u{0}'), "{words}");
        }
    }
}
