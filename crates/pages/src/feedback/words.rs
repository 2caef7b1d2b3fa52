//! The words of feedback.

use bowline_domain::feedback::product::Product;
use bowline_domain::feedback::ticket::{AppliedTag, Erased, Importance, Status};
use bowline_domain::time::Millis;
use bowline_store::feedback::{HistoryView, MergedAway, NotMerged, Sort, TicketRow, TicketView};

use crate::component::{Lozenge, Tone};

/// A status as a product calls it.
pub(super) fn status(status: Status, product: Option<&Product>) -> Lozenge {
    let tone = match status {
        Status::New => Tone::Warn,
        Status::InReview | Status::Planned => Tone::Busy,
        Status::Done => Tone::Good,
        Status::Declined => Tone::Plain,
    };
    let name = product.map_or_else(|| status.title(), |product| product.status_name(status));
    Lozenge::new(tone, name)
}

pub(super) fn importance(importance: Importance) -> &'static str {
    match importance {
        Importance::Unset => "Not judged",
        Importance::Low => "Low",
        Importance::Medium => "Medium",
        Importance::High => "High",
    }
}

pub(super) fn sort(sort: Sort) -> &'static str {
    match sort {
        Sort::Newest => "Newest first",
        Sort::People => "Most people",
        Sort::Companies => "Most companies",
        Sort::Spend => "Highest monthly spend",
    }
}

/// What a ticket is called, erased ones too.
pub(crate) fn title(row: &TicketRow) -> String {
    if row.erased.is_some() {
        format!("Ticket {}, erased", row.id)
    } else {
        row.title.clone()
    }
}

/// Why a ticket was erased.
pub(super) fn erased(word: &str) -> &'static str {
    Erased::words(word)
}

/// Why a ticket is empty. One that was erased as it came in is by somebody who had been erased before.
pub(super) fn why_empty(view: &TicketView) -> Option<&'static str> {
    let word = view.row.erased.as_deref()?;
    let at_once = view.erased_at == Some(view.captured_at);
    Some(if at_once && word == Erased::ContactErased.as_str() {
        "Its person had been erased here before it came in, so nothing of it was kept."
    } else {
        erased(word)
    })
}

/// A step of a ticket's history. Of a tag that was taken off the history keeps the id.
pub(super) fn step(
    step: &HistoryView,
    product: Option<&Product>,
    tags: &[(AppliedTag, Option<Millis>)],
) -> String {
    let detail = step.detail.as_str();
    match step.what.as_str() {
        "made" => "Tagged in Intercom; the ticket was made.".to_owned(),
        "untagged" | "tagged" | "tagged_again" => {
            let named = tags.iter().find(|(tag, _)| tag.tag.as_str() == detail);
            let name = named.map_or(detail, |(tag, _)| tag.name.as_str());
            let done = match step.what.as_str() {
                "untagged" => "taken off",
                "tagged" => "put on",
                _ => "put on again",
            };
            format!("The tag {name} was {done} in Intercom.")
        }
        "erased" => erased(detail).to_owned(),
        "moved" => {
            let name = Status::from_word(detail).map_or(detail, |status| {
                product.map_or_else(|| status.title(), |product| product.status_name(status))
            });
            format!("Moved to {name}.")
        }
        "assigned" if detail.is_empty() => "Assigned to nobody.".to_owned(),
        "assigned" => format!("Assigned to {detail}."),
        "judged" => {
            let judged = Importance::from_word(detail).unwrap_or_default();
            format!("Importance: {}.", importance(judged))
        }
        // What was written by hand may name somebody, and goes with what was said.
        "labelled" if detail.is_empty() => "Labelled; with what, was erased.".to_owned(),
        "unlabelled" if detail.is_empty() => "A label was taken off.".to_owned(),
        "split" if detail.is_empty() => "Another ticket was split off.".to_owned(),
        "labelled" => format!("Labelled {detail}."),
        "unlabelled" => format!("Label {detail} taken off."),
        "tied" => format!("Tied to {detail}."),
        "untied" => "Tied to no issue any more.".to_owned(),
        "issue_made" => format!("The issue {detail} was made from it."),
        "merged" => format!("Merged into ticket {detail}."),
        "took_in" => format!("Ticket {detail} was merged into it."),
        "parted" => format!("Parted from ticket {detail} again."),
        "let_go" => format!("Ticket {detail} stands by itself again."),
        "split" => format!("Ticket {detail} was split off."),
        "split_off" => format!("Split off from ticket {detail}."),
        other => format!("{other} {detail}"),
    }
}

/// Why words are not split off a ticket.
pub(super) const NOT_SAID: &str = "These words do not stand in the ticket's message, and they would \
    be shown as said by its person. Copy them from the message; the line above is for your own words.";

/// Why tickets are not merged.
pub(super) fn not_merged(why: NotMerged) -> &'static str {
    match why {
        NotMerged::Gone => "One of the tickets is not there, or was erased.",
        NotMerged::Same => "A ticket cannot be merged into itself.",
        NotMerged::OtherProduct => "The tickets are of different products.",
        NotMerged::MergedAlready => {
            "One of the tickets is merged into another one already. Undo that first."
        }
        NotMerged::NotUndoable => "The merge was undone already, or another one came after it.",
    }
}

/// Why nothing is done to tickets for which others stand.
pub(super) fn merged_away(away: &MergedAway) -> String {
    let MergedAway(away) = away;
    match away.as_slice() {
        [(_, into)] => format!(
            "The ticket is merged into ticket {into}, which stands for it. Change that one, or \
             undo the merge there."
        ),
        several => {
            let told: Vec<String> = several
                .iter()
                .map(|(ticket, into)| format!("ticket {ticket} into ticket {into}"))
                .collect();
            format!(
                "Some are merged into others, which stand for them: {}. Change those, or undo the \
                 merges there.",
                told.join(", ")
            )
        }
    }
}

/// A number with blanks between its thousands.
pub(crate) fn number(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    if number < 0 {
        grouped.insert(0, '-');
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (of, wanted) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1\u{202f}000"),
            (-12_345_678, "-12\u{202f}345\u{202f}678"),
        ] {
            assert_eq!(number(of), wanted);
        }
    }
}
