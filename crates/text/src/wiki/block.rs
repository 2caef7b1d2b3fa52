//! Lines and blocks.

use std::borrow::Cow;
use std::ops::Range;

use super::inline::Piece;
use super::lex::{Tag, TagKind, tags};
use crate::model::{Block, Doc, Inline, ListItem, MAX_DEPTH, push_text};

/// Reads wiki markup. Any text gives a document.
pub fn read(source: &str) -> Doc {
    let source: Cow<'_, str> = if source.contains('\r') {
        source.replace("\r\n", "\n").into()
    } else {
        source.into()
    };
    let reader = Reader {
        source: &source,
        tags: tags(&source),
    };
    Doc {
        blocks: reader.document(),
    }
}

/// The text with its macros found.
pub(super) struct Reader<'s> {
    pub(super) source: &'s str,
    pub(super) tags: Vec<Tag<'s>>,
}

/// A quote or panel that has begun.
struct Frame {
    quote: bool,
    blocks: Vec<Block>,
}

impl Frame {
    fn into_block(self) -> Block {
        if self.quote {
            Block::Quote(self.blocks)
        } else {
            Block::Panel(self.blocks)
        }
    }
}

impl Reader<'_> {
    fn document(&self) -> Vec<Block> {
        let mut root = Vec::new();
        let mut open: Vec<Frame> = Vec::new();
        let mut from = 0;
        for tag in &self.tags {
            let quote = match tag.kind {
                TagKind::Quote => true,
                TagKind::Panel { .. } => false,
                _ => continue,
            };
            let depth = open.len();
            let here = open.last_mut().map_or(&mut root, |frame| &mut frame.blocks);
            self.region(from..tag.start, depth, here);
            from = tag.end;
            let parameters = match tag.kind {
                TagKind::Panel { parameters } => parameters,
                _ => None,
            };
            let to_close = open.iter().rposition(|frame| frame.quote == quote);
            match to_close.filter(|_| parameters.is_none()) {
                Some(index) => close_to(index, &mut open, &mut root),
                None if depth < MAX_DEPTH => {
                    let blocks = parameters.and_then(panel_title).into_iter().collect();
                    open.push(Frame { quote, blocks });
                }
                None => {}
            }
        }
        let depth = open.len();
        let here = open.last_mut().map_or(&mut root, |frame| &mut frame.blocks);
        self.region(from..self.source.len(), depth, here);
        // What never ended was not meant as a quote or panel.
        while let Some(frame) = open.pop() {
            open.last_mut()
                .map_or(&mut root, |outer| &mut outer.blocks)
                .extend(frame.blocks);
        }
        root
    }

    /// Reads a part of the text without quotes and panels in it.
    fn region(&self, range: Range<usize>, depth: usize, out: &mut Vec<Block>) {
        let lines = self.lines(range);
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            at += match self.line_kind(line) {
                LineKind::Blank => 1,
                LineKind::Rule => {
                    out.push(Block::Rule);
                    1
                }
                LineKind::Heading { level, text } => {
                    self.heading(level, text, depth, out);
                    1
                }
                LineKind::BlockQuote { text } => {
                    out.push(Block::Quote(self.paragraphs(text, depth)));
                    1
                }
                LineKind::Row => self.table(&lines[at..], depth, out),
                LineKind::Item { .. } => self.list(&lines[at..], depth, out),
                LineKind::Text => {
                    let count = self.text_lines(&lines[at..]).max(1);
                    let text = line.start..lines[at + count - 1].end;
                    out.extend(self.paragraphs(text, depth));
                    count
                }
            };
        }
    }

    /// The lines of a part of the text, without the white space around each. A line ends where
    /// the text says so, but not inside code.
    fn lines(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut lines = Vec::new();
        let mut start = range.start;
        let mut at = range.start;
        let mut next_tag = self.tags.partition_point(|tag| tag.start < range.start);
        loop {
            let end = self.source[at..range.end]
                .find('\n')
                .map_or(range.end, |n| at + n);
            while self.tags.get(next_tag).is_some_and(|tag| tag.end <= end) {
                next_tag += 1;
            }
            let around = self
                .tags
                .get(next_tag)
                .filter(|tag| tag.start < end && tag.is_opaque());
            if let Some(tag) = around.filter(|tag| tag.end <= range.end) {
                at = tag.end;
                continue;
            }
            lines.push(self.trim(start..end));
            if end >= range.end {
                return lines;
            }
            start = end + 1;
            at = start;
        }
    }

    /// The range without the white space around its text.
    pub(super) fn trim(&self, range: Range<usize>) -> Range<usize> {
        let text = &self.source[range.clone()];
        let start = range.start + (text.len() - text.trim_start().len());
        start..start + text.trim().len()
    }

    fn line_kind(&self, line: &Range<usize>) -> LineKind {
        let text = &self.source[line.clone()];
        let Some(first) = text.bytes().next() else {
            return LineKind::Blank;
        };
        let after = |length: usize| self.trim(line.start + length..line.end);
        match first {
            b'h' => {
                let level = text.as_bytes().get(1).filter(|b| (b'1'..=b'6').contains(b));
                match level {
                    Some(digit) if text[2..].starts_with(". ") => LineKind::Heading {
                        level: digit - b'0',
                        text: after(3),
                    },
                    _ => LineKind::Text,
                }
            }
            b'b' if text.starts_with("bq. ") => LineKind::BlockQuote { text: after(4) },
            b'|' => LineKind::Row,
            b'-' if text.len() >= 4 && text.bytes().all(|b| b == b'-') => LineKind::Rule,
            b'*' | b'#' | b'-' => {
                let marker = text
                    .bytes()
                    .take_while(|b| matches!(b, b'*' | b'#' | b'-'))
                    .count();
                let spaced = text[marker..].starts_with([' ', '\t']);
                if spaced {
                    LineKind::Item {
                        marker,
                        text: after(marker),
                    }
                } else {
                    LineKind::Text
                }
            }
            _ => LineKind::Text,
        }
    }

    /// How many lines from the first belong to one paragraph.
    fn text_lines(&self, lines: &[Range<usize>]) -> usize {
        lines
            .iter()
            .take_while(|line| matches!(self.line_kind(line), LineKind::Text))
            .count()
    }

    fn heading(&self, level: u8, text: Range<usize>, depth: usize, out: &mut Vec<Block>) {
        let mut content = Vec::new();
        let mut after = Vec::new();
        for piece in self.pieces(text, depth) {
            match piece {
                Piece::Inline(Inline::Text { text, marks }) => {
                    push_text(&mut content, &text, marks);
                }
                Piece::Inline(inline) => content.push(inline),
                Piece::Block(block) => after.push(block),
            }
        }
        out.push(Block::Heading { level, content });
        out.extend(after);
    }

    /// Reads running text, parted into paragraphs by the blocks in it.
    fn paragraphs(&self, range: Range<usize>, depth: usize) -> Vec<Block> {
        let mut out = Vec::new();
        let mut content = Vec::new();
        for piece in self.pieces(range, depth) {
            match piece {
                Piece::Inline(inline) => content.push(inline),
                Piece::Block(block) => {
                    end_paragraph(&mut content, &mut out);
                    out.push(block);
                }
            }
        }
        end_paragraph(&mut content, &mut out);
        out
    }

    /// Reads the list that begins with the first of the lines; tells how many lines it takes.
    fn list(&self, lines: &[Range<usize>], depth: usize, out: &mut Vec<Block>) -> usize {
        let mut lists = Lists {
            open: Vec::new(),
            done: Vec::new(),
        };
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            let LineKind::Item { marker, text } = self.line_kind(line) else {
                break;
            };
            // Lines that follow an item without an empty line between belong to it.
            let more = self.text_lines(&lines[at + 1..]);
            let text = text.start..lines[at + more].end.max(text.end);
            let level = marker.min(MAX_DEPTH.saturating_sub(depth).max(1));
            let levels = &self.source.as_bytes()[line.start..line.start + level];
            lists.push(
                levels,
                ListItem {
                    blocks: self.paragraphs(text, depth + level),
                },
            );
            at += 1 + more;
        }
        lists.close_to(0);
        out.extend(lists.done);
        at
    }

    /// Reads the table that begins with the first of the lines; tells how many lines it takes.
    fn table(&self, lines: &[Range<usize>], depth: usize, out: &mut Vec<Block>) -> usize {
        let mut rows = Vec::new();
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            if !matches!(self.line_kind(line), LineKind::Row) {
                break;
            }
            let mut last = at;
            // A cell may go on over lines until the row ends.
            while !self.source[lines[last].clone()].ends_with('|') {
                let Some(next) = lines.get(last + 1) else {
                    break;
                };
                if matches!(self.line_kind(next), LineKind::Blank | LineKind::Row) {
                    break;
                }
                last += 1;
            }
            rows.push(self.row(line.start..lines[last].end, depth));
            at = last + 1;
        }
        out.push(Block::Table(rows));
        at
    }

    fn row(&self, range: Range<usize>, depth: usize) -> Vec<Vec<Block>> {
        let mut cells = Vec::new();
        for cell in self.cell_ranges(range) {
            let mut blocks = Vec::new();
            self.region(cell, depth + 1, &mut blocks);
            cells.push(blocks);
        }
        cells
    }

    /// Where the cells of a row are: between `|` or `||`, but not those inside links, pictures
    /// and code.
    fn cell_ranges(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let bytes = self.source.as_bytes();
        let bars = |at: usize| {
            bytes[at..range.end]
                .iter()
                .take(2)
                .take_while(|b| **b == b'|')
                .count()
        };
        let mut cells = Vec::new();
        let mut start = range.start + bars(range.start);
        let mut at = start;
        while at < range.end {
            match bytes[at] {
                b'|' => {
                    cells.push(start..at);
                    at += bars(at);
                    start = at;
                }
                b'\\' => at += 1 + usize::from(at + 1 < range.end && bytes[at + 1].is_ascii()),
                b'{' => at = self.tag_at(at).map_or(at + 1, |tag| tag.end.min(range.end)),
                b'[' => at = self.link_at(at, range.end).map_or(at + 1, |link| link.end),
                b'!' => {
                    at = self
                        .image_at(at, range.start, range.end)
                        .map_or(at + 1, |(_, end)| end);
                }
                _ => at += 1,
            }
        }
        if !self.source[start..range.end].trim().is_empty() {
            cells.push(start..range.end);
        }
        cells
    }

    /// The macro that begins at this byte.
    pub(super) fn tag_at(&self, at: usize) -> Option<&Tag<'_>> {
        let index = self.tags.binary_search_by_key(&at, |tag| tag.start).ok()?;
        self.tags.get(index)
    }
}

/// What a line begins.
enum LineKind {
    Blank,
    Rule,
    Heading {
        level: u8,
        text: Range<usize>,
    },
    BlockQuote {
        text: Range<usize>,
    },
    Row,
    /// An item; `marker` is the length of its `*`, `#` and `-`.
    Item {
        marker: usize,
        text: Range<usize>,
    },
    Text,
}

fn close_to(index: usize, open: &mut Vec<Frame>, root: &mut Vec<Block>) {
    while open.len() > index {
        let Some(frame) = open.pop() else { return };
        if !frame.blocks.is_empty() {
            let outer = open
                .last_mut()
                .map_or(&mut *root, |outer| &mut outer.blocks);
            outer.push(frame.into_block());
        }
    }
}

fn panel_title(parameters: &str) -> Option<Block> {
    let title = parameters
        .split('|')
        .find_map(|one| one.trim().strip_prefix("title="))?;
    let title = title.trim();
    (!title.is_empty()).then(|| Block::Paragraph(vec![Inline::strong(title)]))
}

/// Ends a paragraph, without the white space and line breaks around its text.
fn end_paragraph(content: &mut Vec<Inline>, out: &mut Vec<Block>) {
    let mut content = std::mem::take(content);
    while let Some(last) = content.last_mut() {
        match last {
            Inline::Break => {}
            Inline::Text { text, .. } => {
                text.truncate(text.trim_end().len());
                if !text.is_empty() {
                    break;
                }
            }
            _ => break,
        }
        content.pop();
    }
    let blank = |inline: &Inline| match inline {
        Inline::Break => true,
        Inline::Text { text, .. } => text.trim().is_empty(),
        _ => false,
    };
    let first = content
        .iter()
        .position(|inline| !blank(inline))
        .unwrap_or(content.len());
    content.drain(..first);
    if let Some(Inline::Text { text, .. }) = content.first_mut() {
        text.drain(..text.len() - text.trim_start().len());
    }
    if !content.is_empty() {
        out.push(Block::Paragraph(content));
    }
}

/// Lists while they grow: the open ones, outermost first.
struct Lists {
    open: Vec<(bool, Vec<ListItem>)>,
    done: Vec<Block>,
}

impl Lists {
    /// Adds an item. `levels` are its markers: `#` for a numbered list, `*` or `-` for bullets.
    fn push(&mut self, levels: &[u8], item: ListItem) {
        let ordered = |level: usize| levels.get(level) == Some(&b'#');
        self.close_to(levels.len());
        let deepest = levels.len() - 1;
        if self.open.len() == levels.len() && self.open[deepest].0 != ordered(deepest) {
            self.close_to(deepest);
        }
        while self.open.len() < levels.len() {
            if let Some((_, outer)) = self.open.last_mut()
                && outer.is_empty()
            {
                outer.push(ListItem::default());
            }
            self.open.push((ordered(self.open.len()), Vec::new()));
        }
        if let Some((_, items)) = self.open.last_mut() {
            items.push(item);
        }
    }

    fn close_to(&mut self, count: usize) {
        while self.open.len() > count {
            let Some((ordered, items)) = self.open.pop() else {
                return;
            };
            let list = if ordered {
                Block::OrderedList { start: 1, items }
            } else {
                Block::BulletList(items)
            };
            match self.open.last_mut().and_then(|(_, outer)| outer.last_mut()) {
                Some(item) => item.blocks.push(list),
                None => self.done.push(list),
            }
        }
    }
}
