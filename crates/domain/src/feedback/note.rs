//! The text of the note that tells a conversation what became of its feedback. Internal, always.

use bowline_text::{Doc, Inline, html};

use crate::effect::Marker;
use crate::feedback::ticket::Status;

/// The note in a conversation whose feedback has a new status, in the product's own word for it.
/// `url` is where people open the ticket; the marker stands in it as the fragment.
pub fn told(
    product: &str,
    status: Status,
    named: &str,
    title: &str,
    url: &str,
    marker: &Marker,
) -> String {
    let href = format!("{url}#{}", marker.as_str());
    let mut line = vec![Inline::text("Feedback for "), Inline::strong(product)];
    // One name for a status: where a product has its own, nothing is said of the other.
    if named == status.title() {
        line.push(Inline::text(match status {
            Status::Planned => " is planned: ",
            Status::Done => " is done: ",
            Status::Declined => " was declined: ",
            Status::New | Status::InReview => " has moved: ",
        }));
    } else {
        line.push(Inline::text(" is now “"));
        line.push(Inline::strong(named));
        line.push(Inline::text("”: "));
    }
    line.push(Inline::link(href, title));
    html::write(&Doc::paragraph(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::EffectKey;

    fn words(status: Status, named: &str) -> String {
        let marker = EffectKey::stored("feedback_note/acme/7/planned".to_owned()).marker();
        let url = "https://bowline.example.com/feedback/5";
        let html = told("Mobile app", status, named, "A dark mode", url, &marker);
        assert!(
            html.contains(&format!("{url}#{}", marker.as_str())),
            "{html}"
        );
        let plain = crate::feedback::seen::without_markup(&html);
        assert_eq!(plain.matches("A dark mode").count(), 1);
        plain
    }

    #[test]
    fn a_status_is_called_by_one_name() {
        for (status, named, wanted) in [
            (
                Status::Planned,
                "Planned",
                "Feedback for Mobile app is planned: A dark mode",
            ),
            (
                Status::Done,
                "Done",
                "Feedback for Mobile app is done: A dark mode",
            ),
            (
                Status::Declined,
                "Declined",
                "Feedback for Mobile app was declined: A dark mode",
            ),
            (
                Status::Planned,
                "On the list",
                "Feedback for Mobile app is now “On the list”: A dark mode",
            ),
            (
                Status::Declined,
                "Not planned",
                "Feedback for Mobile app is now “Not planned”: A dark mode",
            ),
        ] {
            assert_eq!(words(status, named), wanted);
        }
    }
}
