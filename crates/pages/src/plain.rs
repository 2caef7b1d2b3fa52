//! The text of a note without its formatting. Notes are HTML that Bowline wrote; this reads no
//! other.

/// The text: a line for each paragraph and list item.
pub(crate) fn of_html(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let Some(length) = rest[start..].find('>') else {
            rest = "";
            break;
        };
        let tag = rest[start + 1..start + length].trim_end_matches('/');
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        if matches!(
            name,
            "br" | "/p" | "/li" | "/pre" | "/h1" | "/h2" | "/h3" | "/blockquote"
        ) {
            text.push('\n');
        }
        rest = &rest[start + length + 1..];
    }
    text.push_str(rest);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    decoded(lines.join("\n").trim())
}

fn decoded(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_reads_as_its_lines() {
        let html =
            "<p><b>Ana</b> commented</p><p>I &lt;can&gt; &amp;amp; reproduce it.<br>Twice</p>";
        assert_eq!(
            of_html(html),
            "Ana commented\nI <can> &amp; reproduce it.\nTwice"
        );
        assert_eq!(of_html("no end <b"), "no end");
    }
}
