//! Bare web addresses in running text: where one begins and where it ends.

use std::ops::Range;

/// The bare `http` and `https` addresses in `text`, first to last.
pub(crate) fn spans(text: &str) -> Spans<'_> {
    Spans { text, from: 0 }
}

/// See [`spans`].
pub(crate) struct Spans<'t> {
    text: &'t str,
    from: usize,
}

impl Iterator for Spans<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        while let Some(found) = self.text[self.from..].find("://") {
            let colon = self.from + found;
            let searched_from = self.from;
            self.from = colon + "://".len();
            let Some(start) = scheme_start(self.text, colon).filter(|at| *at >= searched_from)
            else {
                continue;
            };
            if let Some(end) = end_of(self.text, start, Escapes::Stop) {
                self.from = end.max(self.from);
                return Some(start..end);
            }
        }
        None
    }
}

/// What a backslash in a web address means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// It ends the address (plain text).
    Stop,
    /// With punctuation after it, it stands for that punctuation (wiki markup).
    Skip,
}

/// Where the web address that begins at `start` ends, or `None` if none begins there.
///
/// It ends before white space, quotes, brackets, `|`, and characters that no address holds; at a
/// comma or semicolon that another address follows; and without the punctuation of the sentence
/// around it. A closing bracket belongs to it only if it also holds the opening one.
pub(crate) fn end_of(text: &str, start: usize, escapes: Escapes) -> Option<usize> {
    let rest = &text[start..];
    let scheme = scheme_len(rest)?;
    let run = run_len(rest, scheme, escapes);
    let end = trimmed_len(&rest[..run]);
    let mut end = if end > scheme { end } else { return None };
    // Scripts without spaces run on after an address. What people write in them after a
    // conversation's address is not part of it.
    if let Some(foreign) = rest[..end].find(|c: char| !c.is_ascii()) {
        let ascii = trimmed_len(&rest[..foreign]);
        if crate::address::parse(&rest[..ascii]).is_some() {
            end = ascii;
        }
    }
    Some(start + end)
}

/// Length of `http://` or `https://` at the beginning of `text`.
pub(crate) fn scheme_len(text: &str) -> Option<usize> {
    ["https://", "http://"]
        .iter()
        .map(|scheme| scheme.len())
        .find(|len| {
            text.get(..*len).is_some_and(|head| {
                head.eq_ignore_ascii_case("https://") || head.eq_ignore_ascii_case("http://")
            })
        })
}

/// Where the scheme begins that ends at `colon`, unless it is the tail of a longer word.
fn scheme_start(text: &str, colon: usize) -> Option<usize> {
    let start = ["https", "http"].iter().find_map(|scheme| {
        let start = colon.checked_sub(scheme.len())?;
        text.get(start..colon)?
            .eq_ignore_ascii_case(scheme)
            .then_some(start)
    })?;
    let before = text[..start].chars().next_back();
    (!before.is_some_and(|c| c.is_ascii_alphanumeric())).then_some(start)
}

fn run_len(rest: &str, scheme: usize, escapes: Escapes) -> usize {
    let mut chars = rest[scheme..].char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let at = scheme + at;
        match c {
            '\\' if escapes == Escapes::Skip
                && chars
                    .peek()
                    .is_some_and(|(_, c)| c.is_ascii_punctuation() && *c != '\\') =>
            {
                chars.next();
            }
            ',' | ';' if scheme_len(&rest[at + 1..]).is_some() => return at,
            _ if ends_run(c) => return at,
            _ => {}
        }
    }
    rest.len()
}

fn ends_run(c: char) -> bool {
    match c {
        '"' | '<' | '>' | '|' | '[' | ']' | '{' | '}' | '`' | '\\' => true,
        _ if c.is_ascii() => c.is_ascii_whitespace() || c.is_ascii_control(),
        _ => !c.is_alphanumeric(),
    }
}

/// Length of `run` without the punctuation of the sentence around it.
fn trimmed_len(run: &str) -> usize {
    let count = |wanted: u8| run.bytes().filter(|b| *b == wanted).count();
    let opening = count(b'(');
    let mut closing = count(b')');
    let mut end = run.len();
    while let Some(last) = run[..end].chars().next_back() {
        match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '\\' => {}
            ')' if closing > opening => closing -= 1,
            _ => break,
        }
        end -= last.len_utf8();
    }
    end
}

/// The href as it may be written into a page or a document, or `None` if its scheme is not one
/// of `http`, `https` and `mailto`. Anything else (scripts, data, files) is shown as text.
pub(crate) fn safe_href(href: &str) -> Option<&str> {
    let href = href.trim();
    let mail = href
        .get(..7)
        .is_some_and(|head| head.eq_ignore_ascii_case("mailto:"));
    let clean = !href.chars().any(|c| c.is_control() || c.is_whitespace());
    let has_target = |scheme: usize| href.len() > scheme;
    let known = if mail {
        has_target(7)
    } else {
        scheme_len(href).is_some_and(has_target)
    };
    (known && clean).then_some(href)
}

/// Like [`safe_href`], only for web addresses.
pub(crate) fn safe_web(url: &str) -> Option<&str> {
    safe_href(url).filter(|url| scheme_len(url).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        spans(text).map(|span| &text[span]).collect()
    }

    #[test]
    fn ends_of_bare_addresses() {
        let cases: &[(&str, &[&str])] = &[
            ("see https://example.com/a.", &["https://example.com/a"]),
            ("(https://example.com/a), b", &["https://example.com/a"]),
            ("https://example.com/a_(b)", &["https://example.com/a_(b)"]),
            (
                "https://example.com/a_(b)).",
                &["https://example.com/a_(b)"],
            ),
            ("<HTTPS://example.com/a>", &["HTTPS://example.com/a"]),
            ("*https://example.com/a*", &["https://example.com/a"]),
            ("https://example.com/a|b", &["https://example.com/a"]),
            (
                "http://a.example,https://b.example",
                &["http://a.example", "https://b.example"],
            ),
            (
                "https://example.com/?q=1,2;3",
                &["https://example.com/?q=1,2;3"],
            ),
            (
                "日本https://example.com/日本。次",
                &["https://example.com/日本"],
            ),
            ("xhttps://example.com ftp://example.com", &[]),
            ("https:// http://. http:/x", &[]),
            (
                "a\u{200b}https://example.com/a\u{200b}b",
                &["https://example.com/a"],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text), *expected, "{text}");
        }
    }

    #[test]
    fn only_known_schemes_are_safe() {
        for good in [
            "http://a.example",
            "HTTPS://a.example/x",
            "mailto:a@example.com",
            " http://a ",
        ] {
            assert!(safe_href(good).is_some(), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "java\tscript:alert(1)",
            "data:text/html,x",
            "https://",
            "mailto:",
            "//a.example",
            "https://a.example/\u{0}",
            "https://a.example/a b",
            "",
        ] {
            assert_eq!(safe_href(bad), None, "{bad}");
        }
    }
}
