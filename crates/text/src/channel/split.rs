//! Parting a text that is too long for one message.

use super::marks::{self, MARKS, Span};
use super::{FENCE, GUARD, Style, begins_block};

/// The smallest limit at which formatting is kept over a cut, in UTF-16 units. Below it the text
/// is parted like plain text.
pub const SMALLEST_LIMIT: usize = 60;
/// The most units that ending all formatting at a cut may take: four marks and a fence.
const CLOSING_UNITS: usize = 7;
/// A boundary of a paragraph or line counts only if the part is filled at least to this share.
const LEAST_BY_LINES: usize = 4;
/// The same for the end of a word.
const LEAST_BY_WORDS: usize = 16;
/// How many ends of words are looked at for one outside of all marks.
const MOST_TRIES: usize = 20;

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
        let place = Rest {
            text: &rest,
            reopened,
            keeps_formatting,
        };
        let mut cut = place.cut(budget);
        let mut state = State::default();
        if keeps_formatting {
            (cut, state) = State::at(&rest, cut);
        }
        let (head, tail) = rest.split_at(cut);
        parts.push(format!("{}{}", head.trim_end(), state.closing()));
        let mut opening = state.opening();
        let next = state.begin(tail);
        if keeps_formatting && !tail.starts_with('\n') && opening.is_empty() && begins_block(next) {
            // It stood within a line.
            opening.push(GUARD);
        }
        let next = format!("{opening}{next}");
        reopened = opening.len();
        rest = next;
    }
    parts.push(rest);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// A text that is too long.
struct Rest<'t> {
    text: &'t str,
    /// How many bytes at its beginning were put there by the cut before.
    reopened: usize,
    keeps_formatting: bool,
}

impl Rest<'_> {
    /// Where to cut, in bytes: behind what was reopened, and within `budget` units.
    fn cut(&self, budget: usize) -> usize {
        let end = fitting(self.text, budget);
        let filled = |share: usize| move |cut: &usize| length(&self.text[..*cut]) * share >= budget;
        ["\n\n", "\n"]
            .iter()
            .find_map(|what| self.boundary(end, what).filter(filled(LEAST_BY_LINES)))
            .or_else(|| self.word(end).filter(filled(LEAST_BY_WORDS)))
            .unwrap_or_else(|| self.between_characters(end))
    }

    /// Whether the part before the cut would say anything.
    fn has_text(&self, cut: usize) -> bool {
        !self.text[self.reopened.min(cut)..cut].trim().is_empty()
    }

    /// Whether what is left of the text on either side neither ends nor begins with a mark.
    fn is_clear(&self, cut: usize) -> bool {
        let (head, tail) = self.text.split_at(cut);
        !is_mark(head.trim_end().chars().last()) && !is_mark(tail.trim_start().chars().next())
    }

    /// The last boundary of this kind up to `end`. It may be what no longer fits.
    fn boundary(&self, end: usize, what: &str) -> Option<usize> {
        let last = if self.text[end..].starts_with(what) {
            Some(end)
        } else {
            self.text[..end].rfind(what)
        };
        last.filter(|cut| self.has_text(*cut))
    }

    /// The last end of a word up to `end` that is not beside a mark, whose meaning depends on both
    /// its neighbours, or at least outside of all marked text.
    fn word(&self, end: usize) -> Option<usize> {
        let next = self.text[end..].starts_with(char::is_whitespace);
        let spaces = || {
            let within = self.text[..end].char_indices().rev();
            let within = within.filter(|(_, c)| c.is_whitespace()).map(|(at, _)| at);
            next.then_some(end)
                .into_iter()
                .chain(within)
                .take_while(|cut| self.has_text(*cut))
        };
        if !self.keeps_formatting {
            return spaces().next();
        }
        let outside = |cut: &usize| State::at(self.text, *cut).1.is_empty();
        spaces()
            .find(|cut| self.is_clear(*cut))
            .or_else(|| spaces().take(MOST_TRIES).find(outside))
    }

    /// The last place up to `end` where no character is cut off from what it belongs to; `end`
    /// when there is none.
    fn between_characters(&self, end: usize) -> usize {
        let places = self.text[..end].char_indices().map(|(at, _)| at).rev();
        std::iter::once(end)
            .chain(places)
            .take_while(|at| *at > self.reopened)
            .filter(|at| !is_glued(self.text, *at))
            .find(|at| !self.keeps_formatting || self.is_clear(*at))
            .unwrap_or(end)
    }
}

fn is_mark(c: Option<char>) -> bool {
    c.is_some_and(|c| MARKS.contains(&c) || c == GUARD)
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

    fn is_empty(&self) -> bool {
        !self.in_code_block && self.marks.is_empty()
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
mod tests;
