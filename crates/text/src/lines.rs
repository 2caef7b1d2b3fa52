//! Messages of a person gathered in one text: each on a line of its own, with its time.
//!
//! A gathered text is always written whole from its messages. So a message that comes late stands
//! at its place, and writing again after a doubtful write changes nothing.

use crate::model::{Block, Doc, Inline};

/// What the texts after the first begin with.
const CONTINUED: &str = "(continued)";
/// Shortest piece of a message that is put at the end of a text, in characters, unless the whole
/// message is shorter.
const LEAST_PIECE: usize = 200;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When, as people read it.
    pub time: String,
    /// What was said, as plain text. May have line breaks.
    pub text: String,
}

impl Line {
    fn block(&self) -> Block {
        let mut content = vec![Inline::strong(self.time.clone()), Inline::text(" ")];
        for (n, line) in self.text.trim().lines().enumerate() {
            if n > 0 {
                content.push(Inline::Break);
            }
            if !line.is_empty() {
                content.push(Inline::text(line));
            }
        }
        Block::Paragraph(content)
    }
}

/// The messages in order as one text.
pub fn gather(lines: &[Line]) -> Doc {
    Doc {
        blocks: lines.iter().map(Line::block).collect(),
    }
}

/// The messages in order as texts of at most `limit` each, as `measure` counts. A text that is
/// not the first begins with "(continued)". A message that is longer than a whole text is parted
/// at a word; every piece has its time.
///
/// What was put into the earlier texts does not change when messages are added at the end, so
/// that only the last text has to be written again.
pub fn gather_within(lines: &[Line], limit: usize, measure: impl Fn(&Doc) -> usize) -> Vec<Doc> {
    let mut texts = vec![Doc::default()];
    for line in lines {
        let mut left = line.clone();
        loop {
            let is_later = texts.len() > 1;
            let Some(open) = texts.last_mut() else {
                return texts;
            };
            open.blocks.push(left.block());
            if measure(open) <= limit {
                break;
            }
            open.blocks.pop();
            let is_fresh = open.blocks.len() <= usize::from(is_later);
            match piece_that_fits(open, &left, limit, &measure, is_fresh) {
                Some(at) => {
                    let rest = left.text.split_off(at);
                    open.blocks.push(left.block());
                    rest.trim_start().clone_into(&mut left.text);
                }
                // Not one character fits: the limit is smaller than a time.
                None if is_fresh => {
                    open.blocks.push(left.block());
                    break;
                }
                None => {}
            }
            texts.push(Doc::paragraph(vec![Inline::text(CONTINUED)]));
        }
    }
    texts
}

/// How many bytes of the message fit into the text that is open, at a word if there is one. A
/// message that fits into a text of its own is not parted.
fn piece_that_fits(
    open: &mut Doc,
    line: &Line,
    limit: usize,
    measure: &impl Fn(&Doc) -> usize,
    is_fresh: bool,
) -> Option<usize> {
    if !is_fresh {
        let own = Doc {
            blocks: vec![
                Block::Paragraph(vec![Inline::text(CONTINUED)]),
                line.block(),
            ],
        };
        if measure(&own) <= limit {
            return None;
        }
    }
    let ends: Vec<usize> = line.text.char_indices().map(|(at, _)| at).skip(1).collect();
    let mut fits = |chars: usize| {
        let at = *ends.get(chars.checked_sub(1)?)?;
        open.blocks.push(Block::Paragraph(Vec::new()));
        if let Some(last) = open.blocks.last_mut() {
            *last = Line {
                time: line.time.clone(),
                text: line.text[..at].to_owned(),
            }
            .block();
        }
        let holds = measure(open) <= limit;
        open.blocks.pop();
        holds.then_some(at)
    };
    // More text measures more, so the end can be found by halving.
    let (mut low, mut high) = (0, ends.len() + 1);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle).is_some() {
            low = middle;
        } else {
            high = middle;
        }
    }
    if low == 0 || (!is_fresh && low < LEAST_PIECE) {
        return None;
    }
    let at = fits(low)?;
    let word = line.text[..at].rfind(char::is_whitespace);
    Some(word.filter(|word| *word > at / 2).unwrap_or(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{adf, plain, wiki};
    use proptest::prelude::*;

    fn line(time: &str, text: &str) -> Line {
        Line {
            time: time.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn every_message_has_its_line() {
        let lines = [
            line("10:05", "My *printer* burns\nhelp {code}"),
            line("10:07", " [image-1.jpg] "),
        ];
        let doc = gather(&lines);
        assert_eq!(
            plain::write(&doc),
            "10:05 My *printer* burns\nhelp {code}\n10:07 [image-1.jpg]"
        );
        let back = wiki::read(&wiki::write(&doc));
        assert_eq!(
            plain::write(&back),
            plain::write(&doc),
            "{}",
            wiki::write(&doc)
        );
        assert_eq!(
            plain::write(&adf::read(&adf::write(&doc))),
            plain::write(&doc)
        );
    }

    #[test]
    fn a_full_text_is_continued() {
        let lines: Vec<_> = (0..9)
            .map(|n| line(&format!("10:0{n}"), "twelve chars"))
            .collect();
        let texts = gather_within(&lines, 80, Doc::plain_len);
        let shown: Vec<_> = texts.iter().map(plain::write).collect();
        assert_eq!(shown.len(), 3);
        assert!(shown[0].starts_with("10:00 twelve") && shown[1].starts_with("(continued)\n10:04"));
        let fewer = gather_within(&lines[..8], 80, Doc::plain_len);
        assert_eq!(fewer[..2], texts[..2]);
    }

    #[test]
    fn a_message_longer_than_a_text_is_parted() {
        let long = "word ".repeat(100);
        let texts = gather_within(
            &[line("10:00", "a"), line("10:01", &long)],
            150,
            Doc::plain_len,
        );
        assert_eq!(texts.len(), 5);
        for text in &texts {
            assert!(text.plain_len() <= 150);
        }
        let all: String = texts.iter().map(plain::write).collect();
        assert_eq!(all.matches("word").count(), 100);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_every_text_is_within_its_limit(
            messages in proptest::collection::vec("[a-z *_\n]{0,120}", 0..12),
            limit in 60..400_usize,
        ) {
            let lines: Vec<_> = messages.iter().map(|text| line("10:00", text)).collect();
            let measure = |doc: &Doc| wiki::write(doc).chars().count();
            let texts = gather_within(&lines, limit, measure);
            for text in &texts {
                prop_assert!(measure(text) <= limit, "{} of {limit}", measure(text));
            }
            let letters = |text: &str| text.replace(CONTINUED, "").replace("10:00", "")
                .split_whitespace().collect::<String>();
            let shown: String = texts.iter().map(|text| letters(&plain::write(text))).collect();
            prop_assert_eq!(shown, letters(&messages.join("\n")));
        }
    }
}
