//! What WhatsApp takes for formatting, as its help describes it and as its apps behave: a mark
//! opens at the edge of a word and closes at another edge on the same line.

use super::GUARD;

/// The characters that make marks: bold, italic, struck, code.
pub(super) const MARKS: [char; 4] = ['*', '_', '~', '`'];
const CODE: char = '`';

/// One marked stretch of a line, in bytes: from its opening mark to its closing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) open: usize,
    pub(super) close: usize,
    pub(super) mark: char,
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(char::is_alphanumeric)
}

fn is_space(c: Option<char>) -> bool {
    c.is_none_or(|c| c.is_whitespace() || c == GUARD)
}

/// Whether `mark` between these characters can begin marked text.
pub(super) fn can_open(before: Option<char>, mark: char, after: Option<char>) -> bool {
    !is_word(before) && before != Some(mark) && !is_space(after) && after != Some(mark)
}

/// Whether `mark` between these characters can end marked text.
pub(super) fn can_close(before: Option<char>, mark: char, after: Option<char>) -> bool {
    can_open(after, mark, before)
}

fn index(c: char) -> Option<usize> {
    MARKS.iter().position(|mark| *mark == c)
}

/// The marked stretches of one line, outer ones before what they hold. In one pass, because for
/// every place the next closing mark of each kind is known.
pub(super) fn spans(line: &str) -> Vec<Span> {
    let chars: Vec<(usize, char)> = line.char_indices().collect();
    let at = |n: usize| chars.get(n).map(|(_, c)| *c);
    let before = |n: usize| n.checked_sub(1).and_then(at);
    let mut next_close = vec![[usize::MAX; MARKS.len()]; chars.len() + 1];
    for (n, (_, c)) in chars.iter().enumerate().rev() {
        next_close[n] = next_close[n + 1];
        if let Some(kind) = index(*c)
            && can_close(before(n), *c, at(n + 1))
        {
            next_close[n][kind] = n;
        }
    }
    let mut found = Vec::new();
    // Where the open stretches end, innermost last.
    let mut ends: Vec<(usize, char)> = Vec::new();
    let mut n = 0;
    while n < chars.len() {
        while ends.last().is_some_and(|(end, _)| *end <= n) {
            ends.pop();
        }
        let (byte, c) = chars[n];
        let outer_end = ends.last().map_or(chars.len(), |(end, _)| *end);
        let is_open = ends.iter().any(|(_, mark)| *mark == c);
        if let Some(kind) = index(c)
            && !is_open
            && can_open(before(n), c, at(n + 1))
            && let Some(end) = next_close.get(n + 2).map(|close| close[kind])
            && end < outer_end
        {
            found.push(Span {
                open: byte,
                close: chars[end].0,
                mark: c,
            });
            if c == CODE {
                // What is code is not looked into.
                n = end;
            } else {
                ends.push((end, c));
            }
        }
        n += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stretches with their marks, as text.
    fn marked(line: &str) -> Vec<&str> {
        let of = |span: &Span| &line[span.open..=span.close];
        spans(line).iter().map(of).collect()
    }

    #[test]
    fn marks_stand_at_the_edges_of_words() {
        for (line, want) in [
            ("*a* b", vec!["*a*"]),
            ("a *b c* d", vec!["*b c*"]),
            ("(*a*), _b_!", vec!["*a*", "_b_"]),
            ("*_~a~_*", vec!["*_~a~_*", "_~a~_", "~a~"]),
            ("*a _b* c_", vec!["*a _b*"]),
            ("`*a*` *b*", vec!["`*a*`", "*b*"]),
            ("snake_case_name", vec![]),
            ("2*3*4", vec![]),
            ("* a*", vec![]),
            ("*a *", vec![]),
            ("**", vec![]),
            ("**a**", vec![]),
            ("*a", vec![]),
            ("*\u{200b}a* *b\u{200b}*", vec![]),
            ("*a* *b*", vec!["*a*", "*b*"]),
            ("", vec![]),
        ] {
            assert_eq!(marked(line), want, "{line}");
        }
    }
}
