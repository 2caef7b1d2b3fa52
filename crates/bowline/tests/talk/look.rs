//! What stands in requests and on phones.

use bowline_sandbox::jira::{Body, Issue};
use bowline_sandbox::messagebird::Phone;

/// A comment of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// The end user's: its lines.
    EndUser(Vec<String>),
    /// A word of Bowline's to the agents.
    Note(String),
    /// Of somebody else.
    Other(String),
}

/// The text of a body of Jira's.
fn plain(body: &Body) -> String {
    bowline_text::plain::write(&bowline_text::adf::read(body.as_adf()))
}

/// The lines behind their times. The first line of a text says who writes.
fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let said = lines.skip(1);
    said.map(|line| match line.split_once(" UTC] ") {
        Some((_, said)) => said.to_owned(),
        None => line.to_owned(),
    })
    .collect()
}

/// The lines of a request's description.
pub(crate) fn description(issue: &Issue) -> Vec<String> {
    issue
        .description
        .as_ref()
        .map(|body| lines(&plain(body)))
        .unwrap_or_default()
}

/// The comments of a request, oldest first.
pub(crate) fn comments(issue: &Issue) -> Vec<Said> {
    let comments = issue.comments.values();
    comments
        .map(|comment| {
            let text = plain(&comment.body);
            match (comment.author.name == "bowline-bot", comment.is_internal()) {
                (true, false) => Said::EndUser(lines(&text)),
                (true, true) => Said::Note(text),
                (false, _) => Said::Other(text),
            }
        })
        .collect()
}

/// The texts in which an end user's messages stand: the description, and their comments.
pub(crate) fn gatherings(issue: &Issue) -> Vec<Vec<String>> {
    let comments = comments(issue).into_iter().filter_map(|said| match said {
        Said::EndUser(lines) => Some(lines),
        _ => None,
    });
    std::iter::once(description(issue))
        .chain(comments)
        .collect()
}

/// Bowline's words to the agents of a request.
pub(crate) fn notes(issue: &Issue) -> Vec<String> {
    let notes = comments(issue).into_iter().filter_map(|said| match said {
        Said::Note(text) => Some(text),
        _ => None,
    });
    notes.collect()
}

/// What came to a phone, oldest first.
pub(crate) fn received(phone: &Phone) -> Vec<String> {
    let lines = phone.received().into_iter();
    lines.filter_map(|line| line.text).collect()
}
