//! What stands in braces.

/// Longest name and parameters of a macro in bytes; longer ones are text.
const MAX_TAG_BYTES: usize = 512;

/// One macro, or the part of the text that it encloses and that is not markup.
pub(super) struct Tag<'s> {
    /// First byte of the opening brace.
    pub(super) start: usize,
    /// First byte after the closing brace; for an enclosed part, of the closing macro's.
    pub(super) end: usize,
    pub(super) kind: TagKind<'s>,
}

pub(super) enum TagKind<'s> {
    /// `{code}` or `{noformat}` with what it encloses.
    Code {
        language: Option<&'s str>,
        body: &'s str,
    },
    /// `{adf}` with the JSON that it encloses: how Jira Cloud writes what wiki markup has no
    /// words for.
    Adf { body: &'s str },
    /// `{{monospaced}}`.
    Mono { body: &'s str },
    /// `{quote}`, which begins or ends a quote.
    Quote,
    /// `{panel}`, which ends a panel if one is open, or begins one; with parameters it begins one.
    Panel { parameters: Option<&'s str> },
    /// A mark in braces, as Jira Cloud writes it inside words: `{*}`.
    Mark(char),
    /// A colour or an anchor: not kept.
    Dropped,
}

impl Tag<'_> {
    /// Whether lines may end inside without ending the line around it.
    pub(super) fn is_opaque(&self) -> bool {
        matches!(
            self.kind,
            TagKind::Code { .. } | TagKind::Adf { .. } | TagKind::Mono { .. }
        )
    }
}

/// The macros in the text, first to last, none inside another.
pub(super) fn tags(source: &str) -> Vec<Tag<'_>> {
    let mut lexer = Lexer {
        source,
        no_mono_before: 0,
        unclosed: [false; 3],
    };
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(found) = source[at..].find(['{', '\\']) {
        at += found;
        if source.as_bytes()[at] == b'\\' {
            at += 1 + usize::from(escapes(source, at));
            continue;
        }
        match lexer.tag_at(at) {
            Some(tag) => {
                at = tag.end;
                tags.push(tag);
            }
            None => at += 1,
        }
    }
    tags
}

/// Whether the backslash at `at` takes the next byte's meaning away.
fn escapes(source: &str, at: usize) -> bool {
    source
        .as_bytes()
        .get(at + 1)
        .is_some_and(u8::is_ascii_punctuation)
}

struct Lexer<'s> {
    source: &'s str,
    /// No `}}` closes anything that begins before this byte.
    no_mono_before: usize,
    /// Which of `{code}`, `{noformat}`, `{adf}` have no closing one in the rest of the text.
    unclosed: [bool; 3],
}

impl<'s> Lexer<'s> {
    fn tag_at(&mut self, start: usize) -> Option<Tag<'s>> {
        if self.source[start + 1..].starts_with('{') {
            return self.mono(start);
        }
        let rest = &self.source.as_bytes()[start + 1..];
        let stop = rest
            .iter()
            .take(MAX_TAG_BYTES)
            .position(|b| matches!(b, b'}' | b'{' | b'\n'))?;
        if rest[stop] != b'}' {
            return None;
        }
        let inner = &self.source[start + 1..start + 1 + stop];
        let end = start + stop + 2;
        let (name, parameters) = match inner.split_once(':') {
            Some((name, parameters)) => (name, Some(parameters)),
            None => (inner, None),
        };
        let kind = match name {
            "code" => return self.enclosed(start, end, 0, parameters),
            "noformat" => return self.enclosed(start, end, 1, None),
            "adf" => return self.enclosed(start, end, 2, None),
            "quote" => TagKind::Quote,
            "panel" => TagKind::Panel { parameters },
            "color" | "anchor" => TagKind::Dropped,
            "*" | "_" | "-" | "+" => TagKind::Mark(char::from(rest[0])),
            _ => return None,
        };
        Some(Tag { start, end, kind })
    }

    /// A macro whose body is not markup. Without its closing macro it is text.
    fn enclosed(
        &mut self,
        start: usize,
        body_start: usize,
        which: usize,
        parameters: Option<&'s str>,
    ) -> Option<Tag<'s>> {
        const CLOSING: [&str; 3] = ["{code}", "{noformat}", "{adf}"];
        if self.unclosed[which] {
            return None;
        }
        let Some(length) = self.source[body_start..].find(CLOSING[which]) else {
            self.unclosed[which] = true;
            return None;
        };
        let body_end = body_start + length;
        let body = &self.source[body_start..body_end];
        let kind = if which == 2 {
            TagKind::Adf { body }
        } else {
            TagKind::Code {
                language: parameters.and_then(language),
                body: code_body(body),
            }
        };
        Some(Tag {
            start,
            end: body_end + CLOSING[which].len(),
            kind,
        })
    }

    fn mono(&mut self, start: usize) -> Option<Tag<'s>> {
        if start < self.no_mono_before {
            return None;
        }
        let bytes = self.source.as_bytes();
        let body_start = start + 2;
        let mut at = body_start;
        while at < bytes.len() && bytes[at] != b'\n' {
            if bytes[at] == b'\\' && escapes(self.source, at) {
                at += 2;
            } else if at > body_start && bytes[at..].starts_with(b"}}") {
                let body = &self.source[body_start..at];
                return Some(Tag {
                    start,
                    end: at + 2,
                    kind: TagKind::Mono { body },
                });
            } else {
                at += 1;
            }
        }
        self.no_mono_before = at;
        None
    }
}

/// The language among the parameters of `{code:…}`: the one that is not `name=value`.
fn language(parameters: &str) -> Option<&str> {
    parameters
        .split('|')
        .map(str::trim)
        .find(|one| !one.is_empty() && !one.contains('='))
}

/// The code without the line breaks that part it from the macros.
fn code_body(body: &str) -> &str {
    let first_line = body.split('\n').next().unwrap_or_default();
    let starts_on_next_line = body.contains('\n') && first_line.trim().is_empty();
    let body = if starts_on_next_line {
        &body[first_line.len() + 1..]
    } else {
        body
    };
    body.trim_end_matches('\n')
}
