//! Products that feedback is gathered for.

use super::{WHOLE, expect_problems, good};
use crate::config::TicketStatus;

fn product(rest: &str) -> String {
    format!(
        "{WHOLE}[[product]]\nname = \"Mobile app\"\nworkspace = \"acme\"\n\
         tags = [\"feedback-mobile\", \"12\"]\n{rest}\n"
    )
}

#[test]
fn a_product_has_defaults() {
    let config = good(&product(""), &[]).config;
    let product = &config.products[0];
    assert_eq!(product.tags, ["feedback-mobile", "12"]);
    assert!(product.notes.is_empty() && !product.follow_issue && product.issues.is_none());
}

#[test]
fn a_product_takes_notes_names_and_a_project() {
    let text = product(
        "notes = [\"done\", \"planned\"]\nfollow_issue = true\n\
         status_names = { in_review = \"Being read\" }\nissue_project = \"ENG\"",
    );
    let config = good(&text, &[]).config;
    let product = &config.products[0];
    let notes: Vec<TicketStatus> = product.notes.iter().copied().collect();
    assert_eq!(notes, [TicketStatus::Planned, TicketStatus::Done]);
    assert_eq!(product.status_names[&TicketStatus::InReview], "Being read");
    let place = product.issues.as_ref().unwrap();
    let place = (
        place.site.as_str(),
        place.project.as_str(),
        place.issue_type.as_str(),
    );
    assert_eq!(place, ("acme-jira", "ENG", "Task"));
}

#[test]
fn mistakes_are_named_with_their_mending() {
    let twice = product("[[product]]\nname = \"mobile app\"\nworkspace = \"acme\"\ntags = \"x\"");
    let elsewhere =
        format!("{WHOLE}[[product]]\nname = \"App\"\nworkspace = \"acne\"\ntags = \"x\"");
    let cases: [(String, &[&[&str]]); 5] = [
        (
            product("notes = \"new\""),
            &[&["of which nobody is told", "planned"]],
        ),
        (
            product("status_names = { nope = \"x\" }"),
            &[&["status_names", "nope", "in_review"]],
        ),
        (elsewhere, &[&["\"acne\"", "does not exist", "\"acme\""]]),
        (twice, &[&["two products named"]]),
        (
            format!("{WHOLE}[[product]]\nname = \"App\"\nworkspace = \"acme\""),
            &[&["has no `tags`"]],
        ),
    ];
    for (text, expected) in cases {
        expect_problems(&text, &[], expected);
    }
}
