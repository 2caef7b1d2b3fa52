//! What is done to several tickets at once: what is wrong is said where it is, and what was chosen
//! stays chosen.

use bowline_domain::feedback::ids::TicketId;
use bowline_domain::feedback::ticket::{Importance, Status};

use crate::browser::{Browser, Page};
use crate::feedback::IDEAS;
use crate::feedback_pages::with_two;
use crate::stage::{On, on_both};

on_both!(
    what_was_chosen_stays_chosen_when_a_label_is_missing,
    a_ticket_that_was_merged_away_meanwhile_keeps_all_from_being_changed,
    one_goes_on_with_the_next_ticket
);

async fn send(agent: &mut Browser, chosen: &[i64], others: &[(&str, &str)]) -> Page {
    let chosen: Vec<String> = chosen.iter().map(ToString::to_string).collect();
    let mut fields = vec![("back", "/feedback?sort=people&status=new")];
    fields.extend(chosen.iter().map(|id| ("ticket", id.as_str())));
    fields.extend(others);
    agent.send("/feedback/triage", &fields).await
}

fn is_chosen(page: &Page, ticket: i64) -> bool {
    let checked = format!("value=\"{ticket}\" aria-label=\"Choose ticket {ticket}\" checked>");
    page.text.contains(&checked)
}

async fn what_was_chosen_stays_chosen_when_a_label_is_missing(on: On) {
    let (it, one, two) = with_two(on, IDEAS).await;
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    let long = "x".repeat(41);
    for label in ["", " ", long.as_str()] {
        let fields = [("act", "label"), ("new_label", label)];
        let page = send(&mut agent, &[two], &fields).await;
        assert_eq!(page.status, 422, "{label}");
        page.says("Write the label, of 1 to 40 characters.");
        assert!(page.text.contains("id=\"new_label-fault\""), "beside it");
        assert!(is_chosen(&page, two) && !is_chosen(&page, one));
        let typed = format!("name=\"new_label\" type=\"text\" value=\"{label}\"");
        assert!(page.text.contains(&typed), "{label} is kept");
        assert!(page.text.contains("<option value=\"label\" selected>"));
        let back = "value=\"/feedback?sort=people&#38;status=new\"";
        assert!(page.text.contains(back), "the list is the same");
    }
    let page = send(&mut agent, &[two], &[("act", "merge")]).await;
    assert_eq!(page.status, 422);
    page.says("Choose at least two tickets to merge.");
    assert!(is_chosen(&page, two));
    let page = send(&mut agent, &[one], &[("act", "dance")]).await;
    page.says("Choose what is to be done with them.");
    let page = send(
        &mut agent,
        &[one],
        &[("act", "label"), ("new_label", "night")],
    )
    .await;
    assert_eq!(
        page.goes_to(),
        "/feedback?sort=people&status=new&done=triaged"
    );
    assert_eq!(it.view(TicketId(one)).await.row.labels, ["night"]);
}

async fn a_ticket_that_was_merged_away_meanwhile_keeps_all_from_being_changed(on: On) {
    let (it, one, two) = with_two(on, IDEAS).await;
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    let mut other = Browser::signed_in(&it.stage, "administrator").await;
    let list = agent.get("/feedback").await;
    assert!(list.text.contains(&format!("Choose ticket {two}")));
    // Somebody else merges one of them while the list is open.
    let into = one.to_string();
    let merge = format!("/feedback/{two}/merge");
    other.send(&merge, &[("into", into.as_str())]).await;
    for act in [
        ("act", "status:done"),
        ("act", "importance:high"),
        ("act", "assign:agent@example.com"),
        ("act", "label"),
    ] {
        let page = send(&mut agent, &[one, two], &[act, ("new_label", "night")]).await;
        assert_eq!(page.status, 422, "{act:?}");
        page.says("Nothing was changed");
        page.says(&format!("merged into ticket {one}, which stands for it"));
        assert!(is_chosen(&page, one), "the other stays chosen");
    }
    for id in [one, two] {
        let view = it.view(TicketId(id)).await;
        assert_eq!(view.row.status, Status::New);
        assert_eq!(view.row.importance, Importance::Unset);
        assert_eq!(view.row.assignee, None);
        assert!(view.row.labels.is_empty());
    }
    let page = other.get("/audit").await;
    assert!(
        !page.words().contains("importance: high"),
        "nothing to tell"
    );
    // What is left is done then.
    let page = send(&mut agent, &[one], &[("act", "importance:high")]).await;
    assert_eq!(page.status, 303);
}

async fn one_goes_on_with_the_next_ticket(on: On) {
    let (it, one, two) = with_two(on, IDEAS).await;
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    let next = one.to_string();
    let fields = [("act", "status:planned"), ("next", next.as_str())];
    let page = send(&mut agent, &[two], &fields).await;
    let list = "/feedback?sort=people&status=new&done=triaged";
    assert_eq!(page.goes_to(), format!("{list}#ticket-{one}"));
    let page = agent.get(list).await;
    assert!(
        page.text
            .contains(&format!("<tr data-place=\"ticket-{one}\">"))
    );
    // What is no number leads nowhere.
    let fields = [("act", "status:new"), ("next", "\"><script>")];
    let page = send(&mut agent, &[two], &fields).await;
    assert_eq!(page.goes_to(), list);
}
