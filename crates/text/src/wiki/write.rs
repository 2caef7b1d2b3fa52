//! From the model to wiki markup.

use super::{BACKSLASH_ENTITY, DELIMITERS, is_space, is_word};
use crate::model::{Attachment, Block, Doc, Inline, ListItem, Marks, append, mention_label};
use crate::urls;

/// A line break where the line itself must go on.
const FORCED_BREAK: &str = "\\\\ ";

/// Writes a document as wiki markup. What the markup cannot nest (a table in a list, say) is
/// written one after the other; no text is lost.
pub fn write(doc: &Doc) -> String {
    let mut out = Wiki {
        text: String::new(),
        one_line: false,
    };
    out.blocks(&doc.blocks, false, false);
    out.text
}

struct Wiki {
    text: String,
    /// Whether line breaks would end the item, cell or heading.
    one_line: bool,
}

impl Wiki {
    fn blocks(&mut self, blocks: &[Block], in_quote: bool, in_panel: bool) {
        for block in blocks {
            self.block(block, in_quote, in_panel);
        }
    }

    /// Begins a block: an empty line after what is there.
    fn begin(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("}\n") {
            self.text.push_str("\n\n");
        }
    }

    fn block(&mut self, block: &Block, in_quote: bool, in_panel: bool) {
        match block {
            Block::Paragraph(content) => {
                self.begin();
                self.inlines(content);
            }
            Block::Heading { level, content } => {
                self.begin();
                append(&mut self.text, format_args!("h{}. ", (*level).clamp(1, 6)));
                self.on_one_line(|wiki| wiki.inlines(content));
            }
            Block::BulletList(items) => {
                self.begin();
                self.items(items, "*");
            }
            Block::OrderedList { items, .. } => {
                self.begin();
                self.items(items, "#");
            }
            Block::Quote(inner) if !in_quote => {
                self.boxed("{quote}", |wiki| wiki.blocks(inner, true, in_panel));
            }
            Block::Panel(inner) if !in_panel => {
                self.boxed("{panel}", |wiki| wiki.blocks(inner, in_quote, true));
            }
            Block::Quote(inner) | Block::Panel(inner) => self.blocks(inner, in_quote, in_panel),
            Block::Code { language, text } => {
                self.begin();
                self.code(language.as_deref(), text);
            }
            Block::Rule => {
                self.begin();
                self.text.push_str("----");
            }
            Block::Table(rows) => {
                self.begin();
                let rows = rows.iter().filter(|row| !row.is_empty());
                for (n, row) in rows.enumerate() {
                    if n > 0 {
                        self.text.push('\n');
                    }
                    self.row(row);
                }
            }
            Block::Card { url } => {
                self.begin();
                self.card(url, "block-card");
            }
            Block::Attachment(file) => {
                self.begin();
                self.attachment(file);
            }
        }
    }

    fn boxed(&mut self, tag: &str, inner: impl FnOnce(&mut Wiki)) {
        self.begin();
        self.text.push_str(tag);
        self.text.push('\n');
        inner(self);
        self.text.push('\n');
        self.text.push_str(tag);
    }

    fn on_one_line(&mut self, inner: impl FnOnce(&mut Wiki)) {
        let before = std::mem::replace(&mut self.one_line, true);
        inner(self);
        self.one_line = before;
    }

    fn code(&mut self, language: Option<&str>, text: &str) {
        let name_like = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '#' | '-' | '.');
        let language = language.filter(|name| !name.is_empty() && name.chars().all(name_like));
        if text.contains("{code") && !text.contains("{noformat") {
            append(
                &mut self.text,
                format_args!("{{noformat}}\n{text}\n{{noformat}}"),
            );
            return;
        }
        let opening = language.map_or("{code}".to_owned(), |name| format!("{{code:{name}}}"));
        // Nothing escapes the end of a code block inside it; a space keeps it from being one.
        let text = text.replace("{code}", "{code }");
        append(&mut self.text, format_args!("{opening}\n{text}\n{{code}}"));
    }

    fn items(&mut self, items: &[ListItem], markers: &str) {
        // An item of nothing would be read as its marker.
        let blank = |item: &&ListItem| item.blocks.iter().all(is_empty);
        for (n, item) in items.iter().filter(|item| !blank(item)).enumerate() {
            if n > 0 && !self.text.ends_with('\n') {
                self.text.push('\n');
            }
            self.text.push_str(markers);
            self.text.push(' ');
            self.on_one_line(|wiki| wiki.flat(&item.blocks, Some(markers)));
        }
    }

    fn row(&mut self, row: &[Vec<Block>]) {
        self.text.push('|');
        for cell in row {
            // A cell that holds nothing needs a space, or its bars would be a heading's.
            self.text.push(' ');
            self.on_one_line(|wiki| wiki.flat(cell, None));
            self.text.push_str(" |");
        }
    }

    /// Writes blocks where only one line is: in an item (then with its markers, so that lists in
    /// it nest) or in a cell.
    fn flat(&mut self, blocks: &[Block], markers: Option<&str>) {
        for (n, block) in blocks.iter().enumerate() {
            let nests = markers.is_some()
                && matches!(block, Block::BulletList(_) | Block::OrderedList { .. });
            if n > 0 && !nests {
                self.text.push_str(FORCED_BREAK);
            }
            match block {
                Block::Paragraph(content) | Block::Heading { content, .. } => self.inlines(content),
                Block::BulletList(items) | Block::OrderedList { items, .. } => {
                    let ordered = matches!(block, Block::OrderedList { .. });
                    let marker = if ordered { '#' } else { '*' };
                    match markers {
                        Some(markers) => {
                            self.text.push('\n');
                            self.items(items, &format!("{markers}{marker}"));
                        }
                        None => items.iter().for_each(|item| self.flat(&item.blocks, None)),
                    }
                }
                Block::Quote(inner) | Block::Panel(inner) => self.flat(inner, markers),
                Block::Code { language, text } => self.code(language.as_deref(), text),
                Block::Rule => {}
                Block::Table(rows) => {
                    for (n, cell) in rows.iter().flatten().enumerate() {
                        if n > 0 {
                            self.text.push_str(FORCED_BREAK);
                        }
                        self.flat(cell, markers);
                    }
                }
                Block::Card { url } => self.card(url, "smart-link"),
                Block::Attachment(file) => self.attachment(file),
            }
        }
    }

    fn inlines(&mut self, content: &[Inline]) {
        for (n, inline) in content.iter().enumerate() {
            let next = match content.get(n + 1) {
                Some(Inline::Text { text, .. } | Inline::Emoji(text)) => text.chars().next(),
                Some(Inline::Break) | None => None,
                Some(_) => Some('['),
            };
            self.inline(inline, next);
        }
    }

    fn inline(&mut self, inline: &Inline, next: Option<char>) {
        match inline {
            Inline::Text { text, marks } => {
                let lines: Vec<&str> = text.split('\n').collect();
                for (n, line) in lines.iter().enumerate() {
                    if n > 0 {
                        self.line_break();
                    }
                    let next = if n + 1 == lines.len() { next } else { None };
                    self.marked(line.trim_end_matches('\r'), *marks, next);
                }
            }
            Inline::Link { href, content } => self.link(href, content),
            Inline::Card { url } => self.card(url, "smart-link"),
            Inline::Mention { id: Some(id), .. } if is_plain_id(id) => {
                let kind = if is_account_id(id) { "accountid:" } else { "" };
                append(&mut self.text, format_args!("[~{kind}{id}]"));
            }
            Inline::Mention { id, name } => {
                self.escaped(&mention_label(id.as_deref(), name), next);
            }
            Inline::Emoji(emoji) => self.escaped(emoji, next),
            Inline::Attachment(file) => self.attachment(file),
            Inline::Break => self.line_break(),
        }
    }

    fn line_break(&mut self) {
        if self.one_line {
            self.text.push_str(FORCED_BREAK);
        } else if self.at_line_start() {
            // An empty line would end the paragraph.
            self.text.push_str("\\\\\n");
        } else {
            self.text.push('\n');
        }
    }

    fn at_line_start(&self) -> bool {
        self.text.is_empty() || self.text.ends_with('\n')
    }

    /// Text with its marks around it; white space at its ends stays outside of them.
    fn marked(&mut self, text: &str, marks: Marks, next: Option<char>) {
        let Marks {
            strong,
            em,
            code,
            strike,
            underline,
        } = marks;
        let on = [strong, em, strike, underline];
        let core = text.trim();
        if core.is_empty() || !(code || on.contains(&true)) {
            return self.escaped(text, next);
        }
        let start = text.len() - text.trim_start().len();
        let (before, after) = (&text[..start], &text[start + core.len()..]);
        self.text.push_str(before);
        let next = after.chars().next().or(next);
        let previous = self.text.chars().next_back();
        let touches = |c: Option<char>| is_word(c) || c.is_some_and(|c| DELIMITERS.contains(&c));
        let ends = [core.chars().next(), core.chars().next_back()];
        let braced = touches(previous)
            || touches(next)
            || ends
                .iter()
                .any(|end| end.is_some_and(|c| DELIMITERS.contains(&c)));
        let wanted = || {
            DELIMITERS
                .iter()
                .zip(on)
                .filter(|(_, on)| *on)
                .map(|(c, _)| *c)
        };
        let write_mark = |wiki: &mut Wiki, c: char| {
            if braced {
                append(&mut wiki.text, format_args!("{{{c}}}"));
            } else {
                wiki.text.push(c);
            }
        };
        wanted().for_each(|c| write_mark(self, c));
        if code {
            self.mono(core);
        } else {
            self.escaped(core, Some(DELIMITERS[0]));
        }
        wanted()
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .for_each(|c| write_mark(self, c));
        self.text.push_str(after);
    }

    fn mono(&mut self, text: &str) {
        self.text.push_str("{{");
        for (at, c) in text.char_indices() {
            match c {
                '{' | '}' => self.text.extend(['\\', c]),
                '\\' => self.backslash(text[at + 1..].chars().next()),
                '&' if text[at..].starts_with(BACKSLASH_ENTITY) => self.text.push_str("\\&"),
                _ => self.text.push(c),
            }
        }
        self.text.push_str("}}");
    }

    /// A backslash that stays one: by itself it would take the meaning of punctuation after it.
    fn backslash(&mut self, next: Option<char>) {
        let harmless = next.is_some_and(|c| !c.is_ascii_punctuation());
        self.text
            .push_str(if harmless { "\\" } else { BACKSLASH_ENTITY });
    }

    /// Text in which nothing is markup. Web addresses stay as they are.
    fn escaped(&mut self, text: &str, next: Option<char>) {
        let mut from = 0;
        for span in urls::spans(text) {
            let head = &text[from..span.start];
            self.escape_words(head, Some('h'));
            self.text.push_str(&text[span.clone()]);
            from = span.end;
        }
        self.escape_words(&text[from..], next);
    }

    fn escape_words(&mut self, text: &str, next: Option<char>) {
        if self.at_line_start() && starts_like_heading(text) {
            let (head, rest) = text.split_at(2);
            self.text.push_str(head);
            self.text.push_str("\\.");
            return self.escape_words(&rest[1..], next);
        }
        let mut before = self.text.chars().next_back();
        for (at, c) in text.char_indices() {
            let after = text[at + c.len_utf8()..].chars().next().or(next);
            let line_start = is_space(before);
            let escape = match c {
                '{' | '[' | ']' | '|' => true,
                '*' | '_' | '-' | '+' => {
                    let inside = is_word(before) && is_word(after);
                    let apart = !line_start && is_space(before) && is_space(after);
                    !(inside || apart)
                }
                '#' => line_start,
                '!' => !is_space(after),
                '&' => text[at..].starts_with(BACKSLASH_ENTITY),
                _ => false,
            };
            if c == '\\' {
                self.backslash(after);
            } else {
                self.text.extend(escape.then_some('\\'));
                self.text.push(c);
            }
            before = Some(c);
        }
    }

    fn link(&mut self, href: &str, content: &[Inline]) {
        let Some(target) = urls::safe_href(href) else {
            return self.inlines(content);
        };
        let shown = crate::plain::inlines(content);
        let target = bracket_address(target);
        if shown.trim().is_empty() || shown == href {
            append(&mut self.text, format_args!("[{target}]"));
            return;
        }
        self.text.push('[');
        // Brackets do not nest: what points somewhere by itself is written as its text.
        let flat: Vec<Inline> = content.iter().map(as_label).collect();
        self.on_one_line(|wiki| wiki.inlines(&flat));
        append(&mut self.text, format_args!("|{target}]"));
    }

    fn card(&mut self, url: &str, kind: &str) {
        match urls::safe_web(url) {
            Some(url) => {
                let url = bracket_address(url);
                append(&mut self.text, format_args!("[{url}|{url}|{kind}]"));
            }
            None => self.escaped(url, None),
        }
    }

    fn attachment(&mut self, file: &Attachment) {
        let web = file.url.as_deref().and_then(urls::safe_web);
        let plain = |name: &&str| !name.contains(['[', ']', '|', '\n', '\\', '^']);
        match (file.name.as_deref().filter(plain).map(str::trim), web) {
            (_, Some(url)) => self.link(url, &[Inline::text(file.label())]),
            (Some(name), None) if !name.is_empty() => {
                append(&mut self.text, format_args!("[^{name}]"));
            }
            _ => self.escaped(file.label(), None),
        }
    }
}

/// An address as it may stand in brackets.
fn bracket_address(url: &str) -> String {
    let escapes = [
        ("|", "%7C"),
        ("]", "%5D"),
        ("[", "%5B"),
        ("\\", "%5C"),
        ("{", "%7B"),
        ("}", "%7D"),
    ];
    escapes
        .iter()
        .fold(url.to_owned(), |url, (raw, coded)| url.replace(raw, coded))
}

/// Whether nothing would be written for the block.
fn is_empty(block: &Block) -> bool {
    match block {
        Block::Rule => true,
        Block::Code { .. } => false,
        other => crate::clean::blocks_are_blank(std::slice::from_ref(other)),
    }
}

fn as_label(inline: &Inline) -> Inline {
    match inline {
        Inline::Link { content, .. } => Inline::text(crate::plain::inlines(content)),
        Inline::Card { url } => Inline::text(url.clone()),
        Inline::Mention { id, name } => Inline::text(mention_label(id.as_deref(), name)),
        Inline::Attachment(file) => Inline::text(file.label()),
        Inline::Text { .. } | Inline::Emoji(_) | Inline::Break => inline.clone(),
    }
}

fn starts_like_heading(text: &str) -> bool {
    let bytes = text.as_bytes();
    let heading = bytes.len() > 2 && bytes[0] == b'h' && (b'1'..=b'6').contains(&bytes[1]);
    (heading && bytes[2] == b'.') || text.starts_with("bq.")
}

fn is_plain_id(id: &str) -> bool {
    !id.is_empty()
        && !id.contains(['[', ']', '|', '\\', '{', '}'])
        && !id.contains(char::is_whitespace)
}

/// Whether an id is a Cloud account id (24 hexadecimal digits, or a prefix and a colon) and not a
/// Data Center user name.
fn is_account_id(id: &str) -> bool {
    id.contains(':') || (id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit()))
}
