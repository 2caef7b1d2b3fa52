//! Running text.

use std::ops::Range;

use super::block::Reader;
use super::lex::TagKind;
use super::{BACKSLASH_ENTITY, DELIMITERS, can_close, can_open, delimiter_index, unescape};
use crate::model::{Attachment, Block, Inline, Marks, push_text};
use crate::{adf, urls};

/// Schemes of links besides those that may be shown as links again; they are kept as links so
/// that a reader sees where they point.
const OTHER_SCHEMES: [&str; 4] = ["ftp://", "ftps://", "file:", "tel:"];

/// Third field of `[text|address|…]` where Jira shows a card, and whether it is a block.
const CARD_KINDS: [(&str, bool); 5] = [
    ("smart-link", false),
    ("smart-card", false),
    ("block-card", true),
    ("smart-embed", true),
    ("embed-card", true),
];

/// A piece of a paragraph: running text, or a block that parts it.
pub(super) enum Piece {
    Inline(Inline),
    Block(Block),
}

/// What a pair of brackets with a target stands for.
pub(super) struct Bracket {
    /// First byte after it.
    pub(super) end: usize,
    pieces: Vec<Piece>,
}

impl Reader<'_> {
    /// Reads running text.
    pub(super) fn pieces(&self, range: Range<usize>, depth: usize) -> Vec<Piece> {
        self.run(range, depth, false)
    }

    fn run(&self, range: Range<usize>, depth: usize, in_link: bool) -> Vec<Piece> {
        let at = range.start;
        let run = Run {
            reader: self,
            range,
            depth,
            in_link,
            at,
            tokens: Vec::new(),
            open: [None; 4],
        };
        run.read()
    }

    /// The link, card, mention or attachment that begins at the bracket at `start`.
    pub(super) fn link_at(&self, start: usize, limit: usize) -> Option<Bracket> {
        let bytes = self.source.as_bytes();
        let mut bars = Vec::new();
        let mut at = start + 1;
        let close = loop {
            match bytes[..limit].get(at)? {
                b'\n' | b'[' => return None,
                b']' => break at,
                b'|' => bars.push(at),
                b'\\' if bytes.get(at + 1).is_some_and(u8::is_ascii_punctuation) => at += 1,
                b'{' => match self.tag_at(at) {
                    Some(tag) if matches!(tag.kind, TagKind::Mono { .. }) => at = tag.end - 1,
                    Some(tag) if tag.is_opaque() => return None,
                    _ => {}
                },
                _ => {}
            }
            at += 1;
        };
        let first_end = bars.first().copied().unwrap_or(close);
        let label = (first_end < close).then_some(start + 1..first_end);
        let target_start = if label.is_some() {
            first_end + 1
        } else {
            start + 1
        };
        let target_end = bars.get(1).copied().unwrap_or(close);
        let target = unescape(self.source[target_start..target_end].trim());
        let kind = bars
            .get(1)
            .map(|bar| self.source[bar + 1..close].trim())
            .unwrap_or_default();
        let end = close + 1;
        if label.is_some() && target.len() > 1 && target.starts_with('#') {
            // A place in the same text; only its label means anything elsewhere.
            let label = label.map(|label| self.label(label)).unwrap_or_default();
            return Some(Bracket {
                end,
                pieces: label.into_iter().map(Piece::Inline).collect(),
            });
        }
        let piece = self.bracket_piece(label, &target, kind)?;
        Some(Bracket {
            end,
            pieces: vec![piece],
        })
    }

    fn bracket_piece(
        &self,
        label: Option<Range<usize>>,
        target: &str,
        kind: &str,
    ) -> Option<Piece> {
        let label_text = |label: Option<Range<usize>>| {
            label
                .map(|label| unescape(self.source[label].trim()))
                .unwrap_or_default()
        };
        if let Some(user) = target.strip_prefix('~') {
            let id = user.strip_prefix("accountid:").unwrap_or(user).to_owned();
            let id = Some(id).filter(|id| !id.is_empty())?;
            let name = label_text(label);
            return Some(Piece::Inline(Inline::Mention { id: Some(id), name }));
        }
        if let Some(file) = target.strip_prefix('^').filter(|file| !file.is_empty()) {
            let file = Attachment {
                name: Some(file.to_owned()),
                url: None,
            };
            return Some(Piece::Inline(Inline::Attachment(file)));
        }
        let other = || {
            OTHER_SCHEMES
                .iter()
                .any(|s| target.len() > s.len() && target.starts_with(s))
        };
        if urls::safe_href(target).is_none() && !other() {
            return None;
        }
        let card = CARD_KINDS.iter().find(|(name, _)| *name == kind);
        if let Some((_, block)) = card.filter(|_| urls::safe_web(target).is_some()) {
            let url = target.to_owned();
            return Some(if *block {
                Piece::Block(Block::Card { url })
            } else {
                Piece::Inline(Inline::Card { url })
            });
        }
        let content = label.map(|label| self.label(label)).unwrap_or_default();
        let content = if content.is_empty() {
            vec![Inline::text(target)]
        } else {
            content
        };
        Some(Piece::Inline(Inline::Link {
            href: target.to_owned(),
            content,
        }))
    }

    fn label(&self, range: Range<usize>) -> Vec<Inline> {
        let pieces = self.run(self.trim(range), 0, true).into_iter();
        let inline = |piece| match piece {
            Piece::Inline(inline) => Some(inline),
            Piece::Block(_) => None,
        };
        pieces.filter_map(inline).collect()
    }

    /// The picture that begins with the `!` at `start`, and where it ends.
    pub(super) fn image_at(
        &self,
        start: usize,
        first: usize,
        limit: usize,
    ) -> Option<(Attachment, usize)> {
        let before = self.source[first..start].chars().next_back();
        if super::is_word(before) || before == Some('!') {
            return None;
        }
        let rest = &self.source[start + 1..limit];
        let name_like = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
        if !rest.starts_with(name_like) {
            return None;
        }
        let length = rest.find(['!', '\n'])?;
        if rest.as_bytes()[length] != b'!' || super::is_word(rest[length + 1..].chars().next()) {
            return None;
        }
        let source = unescape(rest[..length].split('|').next().unwrap_or_default());
        let file = if let Some(url) = urls::safe_web(&source) {
            Attachment {
                name: None,
                url: Some(url.to_owned()),
            }
        } else {
            let (_, extension) = source.rsplit_once('.')?;
            let known = (1..=5).contains(&extension.len());
            if !known || !extension.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return None;
            }
            Attachment {
                name: Some(source),
                url: None,
            }
        };
        Some((file, start + length + 2))
    }
}

enum Token {
    Text(String),
    Mono(String),
    /// A character that may begin or end a mark, and what it turned out to do.
    Mark {
        mark: char,
        role: Role,
    },
    Piece(Piece),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Nothing: the character itself, or nothing at all where it stood in braces.
    Literal {
        braced: bool,
    },
    Open,
    Close,
}

/// One run of text while it is read.
struct Run<'r, 's> {
    reader: &'r Reader<'s>,
    range: Range<usize>,
    depth: usize,
    in_link: bool,
    at: usize,
    tokens: Vec<Token>,
    /// Where each mark last began, as an index into the tokens.
    open: [Option<usize>; 4],
}

impl Run<'_, '_> {
    fn read(mut self) -> Vec<Piece> {
        while self.at < self.range.end {
            self.step();
        }
        finish(self.tokens)
    }

    fn rest(&self) -> &str {
        &self.reader.source[self.at..self.range.end]
    }

    fn before(&self) -> Option<char> {
        self.reader.source[self.range.start..self.at]
            .chars()
            .next_back()
    }

    fn step(&mut self) {
        let Some(c) = self.rest().chars().next() else {
            return;
        };
        let done = match c {
            '{' => self.tag(),
            '\\' => self.backslash(),
            '\n' => {
                self.line_break(1);
                true
            }
            '[' if !self.in_link => self.bracket(),
            '!' => self.image(),
            'h' | 'H' if !self.in_link => self.bare_url(),
            '&' if self.rest().starts_with(BACKSLASH_ENTITY) => {
                self.push_char('\\', BACKSLASH_ENTITY.len());
                true
            }
            '*' | '_' | '-' | '+' => self.mark(c),
            _ => false,
        };
        if !done {
            self.push_char(c, c.len_utf8());
        }
    }

    fn push_char(&mut self, c: char, length: usize) {
        self.at += length;
        match self.tokens.last_mut() {
            Some(Token::Text(text)) => text.push(c),
            _ => self.tokens.push(Token::Text(c.to_string())),
        }
    }

    fn tag(&mut self) -> bool {
        let Some(tag) = self
            .reader
            .tag_at(self.at)
            .filter(|tag| tag.end <= self.range.end)
        else {
            return false;
        };
        match &tag.kind {
            TagKind::Mono { body } => self.tokens.push(Token::Mono(unescape(body))),
            TagKind::Code { language, body } => self.block(Block::Code {
                language: language.map(str::to_owned),
                text: (*body).to_owned(),
            }),
            TagKind::Adf { body } => match serde_json::from_str(body) {
                Ok(value) => {
                    for block in adf::read_blocks(&value, self.depth) {
                        self.block(block);
                    }
                }
                Err(_) => self.block(Block::Code {
                    language: None,
                    text: (*body).to_owned(),
                }),
            },
            TagKind::Mark(mark) => self.push_mark(*mark, true, true, true),
            TagKind::Quote | TagKind::Panel { .. } | TagKind::Dropped => {}
        }
        self.at = tag.end;
        true
    }

    fn block(&mut self, block: Block) {
        self.open = [None; 4];
        self.tokens.push(Token::Piece(Piece::Block(block)));
    }

    /// `\\` breaks the line; a backslash before punctuation makes it text.
    fn backslash(&mut self) -> bool {
        match self.rest().chars().nth(1) {
            Some('\\') => {
                let spaces =
                    self.rest()[2..].len() - self.rest()[2..].trim_start_matches(' ').len();
                let newline = usize::from(self.rest()[2 + spaces..].starts_with('\n'));
                self.line_break(2 + spaces + newline);
                true
            }
            Some(c) if c.is_ascii_punctuation() => {
                self.at += 1;
                self.push_char(c, 1);
                true
            }
            _ => false,
        }
    }

    /// Breaks the line; no white space stays around the break.
    fn line_break(&mut self, length: usize) {
        if let Some(Token::Text(text)) = self.tokens.last_mut() {
            text.truncate(text.trim_end_matches([' ', '\t']).len());
        }
        self.open = [None; 4];
        self.tokens.push(Token::Piece(Piece::Inline(Inline::Break)));
        self.at += length;
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    fn bracket(&mut self) -> bool {
        let Some(bracket) = self.reader.link_at(self.at, self.range.end) else {
            return false;
        };
        self.at = bracket.end;
        for piece in bracket.pieces {
            match piece {
                Piece::Block(block) => self.block(block),
                inline @ Piece::Inline(_) => self.tokens.push(Token::Piece(inline)),
            }
        }
        true
    }

    fn image(&mut self) -> bool {
        let image = self
            .reader
            .image_at(self.at, self.range.start, self.range.end);
        let Some((file, end)) = image else {
            return false;
        };
        self.at = end;
        self.tokens
            .push(Token::Piece(Piece::Inline(Inline::Attachment(file))));
        true
    }

    fn bare_url(&mut self) -> bool {
        if self.before().is_some_and(|c| c.is_ascii_alphanumeric()) {
            return false;
        }
        let text = &self.reader.source[..self.range.end];
        let Some(mut end) = urls::end_of(text, self.at, urls::Escapes::Skip) else {
            return false;
        };
        // `-https://example.com-` is struck through; the last hyphen is not the address's.
        let closes = |c: char| {
            let after = text[end..].chars().next();
            delimiter_index(c).is_some_and(|index| self.open[index].is_some())
                && can_close(Some('/'), c, after)
        };
        if text[..end].chars().next_back().is_some_and(closes) {
            end -= 1;
        }
        let href = unescape(&text[self.at..end]);
        let content = vec![Inline::text(href.clone())];
        self.tokens
            .push(Token::Piece(Piece::Inline(Inline::Link { href, content })));
        self.at = end;
        true
    }

    fn mark(&mut self, mark: char) -> bool {
        let (before, after) = (self.before(), self.rest().chars().nth(1));
        let (opens, closes) = (
            can_open(before, mark, after),
            can_close(before, mark, after),
        );
        if !opens && !closes {
            return false;
        }
        self.push_mark(mark, opens, closes, false);
        self.at += 1;
        true
    }

    fn push_mark(&mut self, mark: char, opens: bool, closes: bool, braced: bool) {
        let Some(index) = delimiter_index(mark) else {
            return;
        };
        let mut role = Role::Literal { braced };
        match self.open[index] {
            Some(opener) if closes => {
                self.open[index] = None;
                if let Some(Token::Mark { role, .. }) = self.tokens.get_mut(opener) {
                    *role = Role::Open;
                }
                role = Role::Close;
            }
            _ if opens => self.open[index] = Some(self.tokens.len()),
            _ => {}
        }
        self.tokens.push(Token::Mark { mark, role });
    }
}

/// Turns tokens into pieces; each mark holds from where it opens to where it closes.
fn finish(tokens: Vec<Token>) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut run = Vec::new();
    let mut on = [false; 4];
    for token in tokens {
        let marks = marks_of(on);
        match token {
            Token::Text(text) => push_text(&mut run, &text, marks),
            Token::Mono(text) => push_text(
                &mut run,
                &text,
                Marks {
                    code: true,
                    ..marks
                },
            ),
            Token::Mark { mark, role } => match role {
                Role::Literal { braced: true } => {}
                Role::Literal { braced: false } => {
                    push_text(&mut run, mark.encode_utf8(&mut [0; 4]), marks);
                }
                Role::Open | Role::Close => {
                    if let Some(index) = delimiter_index(mark) {
                        on[index] = role == Role::Open;
                    }
                }
            },
            Token::Piece(Piece::Inline(mut inline)) => {
                match &mut inline {
                    Inline::Link { content, .. } => add_marks(content, marks),
                    text => add_marks(std::slice::from_mut(text), marks),
                }
                run.push(inline);
            }
            Token::Piece(block @ Piece::Block(_)) => {
                out.extend(run.drain(..).map(Piece::Inline));
                out.push(block);
            }
        }
    }
    out.extend(run.into_iter().map(Piece::Inline));
    out
}

/// The marks that are on, in the order of [`DELIMITERS`].
fn marks_of(on: [bool; DELIMITERS.len()]) -> Marks {
    let [strong, em, strike, underline] = on;
    Marks {
        strong,
        em,
        code: false,
        strike,
        underline,
    }
}

fn add_marks(content: &mut [Inline], more: Marks) {
    for inline in content {
        if let Inline::Text { marks, .. } = inline {
            marks.strong |= more.strong;
            marks.em |= more.em;
            marks.strike |= more.strike;
            marks.underline |= more.underline;
        }
    }
}
