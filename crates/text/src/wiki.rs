//! Jira wiki markup: REST v2, Data Center, and the bodies in webhook deliveries.
//!
//! Reading goes in three steps, each in one pass over the text: `lex` finds what stands in braces
//! (code, quotes, panels, colours), `block` parts the rest into lines and blocks, and `inline`
//! reads the running text. What looks like markup and is none stays text.

mod block;
mod inline;
mod lex;
mod write;

pub use block::read;
pub use write::write;

/// The marks that one character on either side makes.
const DELIMITERS: [char; 4] = ['*', '_', '-', '+'];

/// Which of [`DELIMITERS`] a character is.
fn delimiter_index(c: char) -> Option<usize> {
    DELIMITERS.iter().position(|known| *known == c)
}

/// Whether marks cannot begin or end between this character and another one like it.
fn is_word(c: Option<char>) -> bool {
    c.is_some_and(char::is_alphanumeric)
}

fn is_space(c: Option<char>) -> bool {
    c.is_none_or(char::is_whitespace)
}

/// Whether `mark` between these characters can begin marked text.
fn can_open(before: Option<char>, mark: char, after: Option<char>) -> bool {
    !is_word(before) && before != Some(mark) && !is_space(after) && after != Some(mark)
}

/// Whether `mark` between these characters can end marked text.
fn can_close(before: Option<char>, mark: char, after: Option<char>) -> bool {
    can_open(after, mark, before)
}

/// How the wiki writes a backslash where a single one would escape what follows.
const BACKSLASH_ENTITY: &str = "&#92;";

/// Text with the escapes resolved.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let next = rest.chars().nth(1);
        if let Some(after) = rest.strip_prefix(BACKSLASH_ENTITY) {
            out.push('\\');
            rest = after;
        } else if rest.starts_with('\\') && next.is_some_and(|c| c.is_ascii_punctuation()) {
            out.extend(next);
            rest = &rest[2..];
        } else {
            out.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}
