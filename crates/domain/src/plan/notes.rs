//! The texts of notes. All of them are internal.

use bowline_text::{Doc, Inline, Marks, html};

use crate::effect::Marker;
use crate::happening::{Change, Happening};
use crate::observation::IssueSnapshot;
use crate::settings::Settings;

use super::rules;
use super::sources::{Cause, CommentText};

/// The longest text of someone's in a note, in bytes of HTML. Intercom states no limit for a note;
/// what is longer is cut at a word and read in Jira.
const TEXT_HTML_BYTES_MAX: usize = 8_000;

/// The longest summary in a note, in characters. Jira's own limit is 255.
const SUMMARY_CHARS_MAX: usize = 255;

/// How someone is called whom Jira does not name.
const SOMEONE: &str = "Someone";

/// The note in a conversation that was linked just now.
pub(super) fn linked(
    settings: &Settings,
    issue: &IssueSnapshot,
    cause: &Cause,
    marker: &Marker,
) -> String {
    let by_creation = cause.with_creation() && settings.notify.created.note;
    let verb = if by_creation { " created " } else { " linked " };
    let line = sentence(
        cause.actor.as_deref(),
        [vec![plain(verb)], issue_name(settings, issue, marker)].concat(),
    );
    let mut note = html::write(&line);
    if let CommentText::Told(text) = &cause.text
        && settings.contents.comment
    {
        note.push_str(&html::write_limited(text, TEXT_HTML_BYTES_MAX));
    }
    note
}

/// The note about a happening; `None` for what has no note.
pub(super) fn happened(
    settings: &Settings,
    issue: &IssueSnapshot,
    happening: &Happening,
    marker: &Marker,
) -> Option<String> {
    let name = issue_name(settings, issue, marker);
    let text = match happening {
        Happening::Created { actor } => {
            let actor = actor.as_ref().or(issue.creator.as_ref());
            let rest = [vec![plain(" created ")], name].concat();
            html::write(&sentence(actor.map(|person| person.name.as_str()), rest))
        }
        Happening::Changed(change) => changed(settings, change, name)?,
        Happening::Commented(id) => {
            let comment = rules::tellable(settings, issue, id).ok()?;
            if !settings.contents.comment {
                let rest = [vec![plain(" commented on ")], name].concat();
                return Some(html::write(&sentence(Some(&comment.author.name), rest)));
            }
            let head = sentence(Some(&comment.author.name), vec![plain(" commented")]);
            let tail = Doc::paragraph([vec![plain("on ")], name].concat());
            let body = html::write_limited(&comment.body, TEXT_HTML_BYTES_MAX);
            format!("{}{body}{}", html::write(&head), html::write(&tail))
        }
        Happening::Asked {
            text: Some(text), ..
        } => {
            let text = html::write_limited(&Doc::paragraph(lines(text)), TEXT_HTML_BYTES_MAX);
            let tail = Doc::paragraph([vec![plain("on ")], name].concat());
            format!("{text}{}", html::write(&tail))
        }
        Happening::Asked { text: None, .. } => {
            let rest = [name, vec![plain(" is now "), strong(&issue.status.name)]].concat();
            html::write(&Doc::paragraph(rest))
        }
        _ => return None,
    };
    Some(text)
}

fn changed(settings: &Settings, change: &Change, name: Vec<Inline>) -> Option<String> {
    let parts = rules::told_parts(settings, change);
    let moved = change.moved.as_ref().filter(|_| parts.moved);
    let assigned = change.assigned.as_ref().filter(|_| parts.assigned);
    let mut rest = Vec::new();
    match (moved, assigned) {
        (Some((from, to)), assigned) => {
            rest.push(plain(" moved "));
            rest.extend(name);
            rest.extend([
                plain(" from "),
                strong(&from.name),
                plain(" to "),
                strong(&to.name),
            ]);
            match assigned {
                Some(Some(person)) => {
                    rest.extend([plain(" and assigned it to "), strong(person)]);
                }
                Some(None) => rest.push(plain(" and unassigned it")),
                None => {}
            }
        }
        (None, Some(Some(person))) => {
            rest.push(plain(" assigned "));
            rest.extend(name);
            rest.extend([plain(" to "), strong(person)]);
        }
        (None, Some(None)) => {
            rest.push(plain(" unassigned "));
            rest.extend(name);
        }
        (None, None) => return None,
    }
    let actor = change.actor.as_ref().map(|person| person.name.as_str());
    Some(html::write(&sentence(actor, rest)))
}

/// `KEY: summary` in bold, the key a link to the issue whose fragment is the marker.
fn issue_name(settings: &Settings, issue: &IssueSnapshot, marker: &Marker) -> Vec<Inline> {
    let href = format!(
        "{}/browse/{}#{}",
        settings.site_url,
        issue.key,
        marker.as_str()
    );
    let key = Inline::Link {
        href,
        content: vec![strong(issue.key.as_str())],
    };
    if !settings.contents.summary {
        return vec![key];
    }
    let summary: String = issue.summary.chars().take(SUMMARY_CHARS_MAX).collect();
    vec![key, strong(&format!(": {summary}"))]
}

fn sentence(actor: Option<&str>, rest: Vec<Inline>) -> Doc {
    let actor = actor
        .filter(|name| !name.trim().is_empty())
        .unwrap_or(SOMEONE);
    Doc::paragraph([vec![strong(actor)], rest].concat())
}

fn lines(text: &str) -> Vec<Inline> {
    let mut inlines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if index > 0 {
            inlines.push(Inline::Break);
        }
        inlines.push(plain(line));
    }
    inlines
}

fn plain(text: &str) -> Inline {
    Inline::Text {
        text: text.to_owned(),
        marks: Marks::default(),
    }
}

fn strong(text: &str) -> Inline {
    Inline::Text {
        text: text.to_owned(),
        marks: Marks {
            strong: true,
            ..Marks::default()
        },
    }
}
