//! The text of the note that tells a conversation what became of its feedback. Internal, always.

use bowline_text::{Doc, Inline, html};

use crate::effect::Marker;
use crate::feedback::ticket::Status;

/// The note in a conversation whose feedback has a new status. `url` is where people open the
/// ticket; the marker stands in it as the fragment.
pub fn told(
    product: &str,
    status: Status,
    named: &str,
    title: &str,
    url: &str,
    marker: &Marker,
) -> String {
    let href = format!("{url}#{}", marker.as_str());
    let verdict = match status {
        Status::Planned => " is planned: ",
        Status::Done => " is done: ",
        Status::Declined => " was declined: ",
        Status::New | Status::InReview => " has moved: ",
    };
    let mut line = vec![
        Inline::text("Feedback for "),
        Inline::strong(product),
        Inline::text(verdict),
        Inline::link(href, title),
    ];
    if named != status.title() {
        line.push(Inline::text(format!(" ({named})")));
    }
    html::write(&Doc::paragraph(line))
}
