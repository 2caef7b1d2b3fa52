//! Parting a text that is too long for one message.

use super::marks::{self, Span};
use super::{FENCE, Style};

/// The smallest limit at which formatting is kept over a cut, in UTF-16 units. Below it the text
/// is parted like plain text.
pub const SMALLEST_LIMIT: usize = 60;
/// The most units that ending all formatting at a cut may take: four marks and a fence.
const CLOSING_UNITS: usize = 7;
/// A boundary of a paragraph or line counts only if the part is filled at least to this share.
const LEAST_FILLED: usize = 4;

/// The length of a text as limits count it: in UTF-16 units.
pub fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Parts a text into messages of at most `limit` UTF-16 units: at paragraphs, else at lines, else
/// at words, else between characters that do not belong together. Formatting that a cut goes
/// through ends with the one part and begins again with the next. Nothing but white space at the
/// cuts is lost; an empty text gives no part.
///
/// A limit of less than two, the length of an emoji, is taken for two.
pub fn split(text: &str, limit: usize, style: Style) -> Vec<String> {
    let keeps_formatting = style == Style::WhatsApp && limit >= SMALLEST_LIMIT;
    let limit = limit.max(2);
    let mut parts = Vec::new();
    let mut rest = text.trim_end().trim_start_matches('\n').to_owned();
    let mut reopened = 0;
    while length(&rest) > limit {
        let budget = if keeps_formatting {
            limit - CLOSING_UNITS
        } else {
            limit
        };
        let mut cut = find_cut(&rest, budget, reopened);
        let mut state = State::default();
        if keeps_formatting {
            (cut, state) = State::at(&rest, cut);
        }
        let (head, tail) = rest.split_at(cut);
        parts.push(format!("{}{}", head.trim_end(), state.closing()));
        let opening = state.opening();
        let next = format!("{opening}{}", state.begin(tail));
        reopened = opening.len();
        rest = next;
    }
    parts.push(rest);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// Where to cut, in bytes: behind `reopened`, which was put there by the cut before, and within
/// `budget` units.
fn find_cut(text: &str, budget: usize, reopened: usize) -> usize {
    let end = fitting(text, budget);
    let head = &text[..end];
    let has_text = |cut: &usize| !text[reopened.min(*cut)..*cut].trim().is_empty();
    let filled = |cut: &usize| length(&text[..*cut]) * LEAST_FILLED >= budget;
    // What follows the fitting text may be the very boundary.
    let boundary = |what: &str| {
        if text[end..].starts_with(what) {
            return Some(end);
        }
        head.rfind(what)
    };
    let big = ["\n\n", "\n"]
        .iter()
        .find_map(|what| boundary(what).filter(filled).filter(has_text));
    let word = || {
        if text[end..].starts_with(char::is_whitespace) {
            return Some(end);
        }
        head.rfind(char::is_whitespace)
    };
    big.or_else(|| word().filter(has_text))
        .unwrap_or_else(|| between_characters(text, end, reopened))
}

/// The end of the longest beginning that fits.
fn fitting(text: &str, budget: usize) -> usize {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.len_utf16();
        if used > budget {
            return at;
        }
    }
    text.len()
}

/// The last place up to `end` where no character is cut off from what it belongs to; `end` when
/// there is none.
fn between_characters(text: &str, end: usize, after: usize) -> usize {
    let places = text[..end].char_indices().map(|(at, _)| at).rev();
    std::iter::once(end)
        .chain(places)
        .take_while(|at| *at > after)
        .find(|at| !is_glued(text, *at))
        .unwrap_or(end)
}

/// Whether the characters on both sides make one sign together: accents, emoji with skin tones or
/// joiners, flags.
fn is_glued(text: &str, at: usize) -> bool {
    let (Some(before), Some(after)) = (text[..at].chars().last(), text[at..].chars().next()) else {
        return false;
    };
    let is_flag = |c: char| ('\u{1f1e6}'..='\u{1f1ff}').contains(&c);
    let flags = text[..at].chars().rev().take_while(|c| is_flag(*c)).count();
    is_extension(after)
        || before == '\u{200d}'
        || (before == '\r' && after == '\n')
        || (is_flag(after) && flags % 2 == 1)
}

/// Characters that are shown together with the one before.
fn is_extension(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{900}'..='\u{903}'
        | '\u{93a}'..='\u{94f}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{200c}'..='\u{200d}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}'
        | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

/// What formatting is open at a cut.
#[derive(Default)]
struct State {
    in_code_block: bool,
    /// Open marks, outermost first.
    marks: Vec<char>,
}

impl State {
    /// The state at a cut, and the cut moved out of marks themselves: before an opening one and
    /// behind a closing one.
    fn at(text: &str, cut: usize) -> (usize, Self) {
        let mut cut = out_of_fence(text, cut);
        let fences: Vec<usize> = text.match_indices(FENCE).map(|(at, _)| at).collect();
        let before = fences.iter().filter(|at| **at < cut).count();
        // A last fence that nothing closes is no fence.
        let in_code_block = before % 2 == 1 && before < fences.len();
        if in_code_block {
            let state = Self {
                in_code_block,
                marks: Vec::new(),
            };
            return (cut, state);
        }
        let start = text[..cut].rfind('\n').map_or(0, |at| at + 1);
        let end = text[cut..].find('\n').map_or(text.len(), |at| cut + at);
        let spans: Vec<Span> = marks::spans(&text[start..end])
            .into_iter()
            .map(|span| Span {
                open: span.open + start,
                close: span.close + start,
                ..span
            })
            .collect();
        while let Some(span) = spans.iter().find(|span| span.close == cut) {
            cut += span.mark.len_utf8();
        }
        for span in spans.iter().rev() {
            if span.open + span.mark.len_utf8() == cut && span.open > start {
                cut = span.open;
            }
        }
        let open = spans.iter().filter(|s| s.open < cut && cut <= s.close);
        let state = Self {
            in_code_block,
            marks: open.map(|span| span.mark).collect(),
        };
        (cut, state)
    }

    fn closing(&self) -> String {
        if self.in_code_block {
            return FENCE.to_owned();
        }
        self.marks.iter().rev().collect()
    }

    fn opening(&self) -> String {
        if self.in_code_block {
            return FENCE.to_owned();
        }
        self.marks.iter().collect()
    }

    /// How the next part begins: without the white space of the cut, but in code with its
    /// indentation.
    fn begin<'t>(&self, tail: &'t str) -> &'t str {
        if self.in_code_block {
            tail.strip_prefix('\n').unwrap_or(tail)
        } else {
            tail.trim_start()
        }
    }
}

/// A cut within a fence, moved before it; where that is the beginning, behind it.
fn out_of_fence(text: &str, cut: usize) -> usize {
    let within = text
        .match_indices(FENCE)
        .map(|(at, _)| at)
        .find(|at| *at < cut && cut < at + FENCE.len());
    match within {
        Some(0) => FENCE.len(),
        Some(at) => at,
        None => cut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str, limit: usize) -> Vec<String> {
        split(text, limit, Style::Plain)
    }

    #[test]
    fn the_best_boundary_is_taken() {
        for (text, limit, want) in [
            ("", 10, vec![]),
            (" \n ", 10, vec![]),
            ("short", 10, vec!["short"]),
            ("one\n\ntwo\nthree", 10, vec!["one", "two\nthree"]),
            ("one two\nthree four", 12, vec!["one two", "three four"]),
            ("one two three", 8, vec!["one two", "three"]),
            ("one two three", 7, vec!["one two", "three"]),
            ("abcdefghij", 4, vec!["abcd", "efgh", "ij"]),
            // A paragraph that would leave the message almost empty is no boundary.
            (
                "a\n\nbbbb cccc dddd eeee ffff",
                20,
                vec!["a\n\nbbbb cccc dddd", "eeee ffff"],
            ),
            ("  indented text", 10, vec!["  indented", "text"]),
        ] {
            assert_eq!(plain(text, limit), want, "{text:?} {limit}");
        }
    }

    #[test]
    fn signs_are_not_cut_apart() {
        for (text, limit, want) in [
            ("👍👍👍", 5, vec!["👍👍", "👍"]),
            (
                "ae\u{301}ae\u{301}",
                2,
                vec!["a", "e\u{301}", "a", "e\u{301}"],
            ),
            ("👍🏽👍🏽", 6, vec!["👍🏽", "👍🏽"]),
            ("🇩🇪🇫🇷", 6, vec!["🇩🇪", "🇫🇷"]),
            (
                "👩\u{200d}💻x👩\u{200d}💻",
                7,
                vec!["👩\u{200d}💻x", "👩\u{200d}💻"],
            ),
            ("👍👍", 1, vec!["👍", "👍"]),
        ] {
            assert_eq!(plain(text, limit), want, "{text} {limit}");
        }
    }

    #[test]
    fn formatting_goes_on_in_the_next_part() {
        let words = "word ".repeat(30);
        for (open, close) in [
            ("*", "*"),
            ("_", "_"),
            ("*_", "_*"),
            ("```", "```"),
            ("`", "`"),
        ] {
            let text = format!("{open}{}{close}", words.trim());
            let parts = split(&text, 60, Style::WhatsApp);
            assert!(parts.len() > 2);
            for part in &parts {
                assert!(length(part) <= 60);
                assert!(part.starts_with(open) && part.ends_with(close), "{part}");
            }
            let joined: String = parts
                .iter()
                .map(|p| p.replace(['*', '_', '`'], " "))
                .collect();
            let kept: Vec<_> = joined.split_whitespace().collect();
            assert_eq!(kept.len(), 30, "{open}");
        }
    }

    #[test]
    fn code_keeps_its_indentation() {
        let code = format!("```fn a() {{\n{}}}```", "    let b = 1;\n".repeat(8));
        let parts = split(&code, 70, Style::WhatsApp);
        assert!(parts.len() > 1);
        for part in &parts[1..] {
            assert!(
                part.starts_with("```    let") || part.starts_with("```}"),
                "{part}"
            );
        }
    }

    #[test]
    fn marks_at_a_cut_are_not_left_empty() {
        for lead in 40..60 {
            let text = format!("{} *bold text* {}", "a".repeat(lead), "b".repeat(40));
            for part in split(&text, 60, Style::WhatsApp) {
                assert!(!part.contains("**"), "{part}");
                assert_eq!(part.matches('*').count() % 2, 0, "{part}");
            }
        }
    }
}
