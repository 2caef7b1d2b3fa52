//! What people may and may not do to tickets, and what they are told of it.

use bowline_domain::feedback::ids::TicketId;
use bowline_domain::feedback::ticket::Importance;
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::contacts::{ON, copied};
use crate::feedback::{Feedback, IDEAS};
use crate::feedback_pages::with_two;
use crate::stage::{On, on_both};

on_both!(
    a_merged_ticket_is_left_to_the_one_that_stands_for_it,
    tickets_of_two_products_are_not_merged_in_part,
    only_what_was_said_is_split_off,
    a_spend_is_told_in_one_unit_under_one_name,
    a_status_takes_the_list_from_its_beginning,
    a_refused_name_of_a_status_is_seen
);

async fn a_merged_ticket_is_left_to_the_one_that_stands_for_it(on: On) {
    let products = format!("{IDEAS}issue_project = \"ENG\"\n");
    let (it, one, two) = with_two(on, &products).await;
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    let path = format!("/feedback/{two}");
    agent
        .send(&format!("{path}/merge"), &[("into", &one.to_string())])
        .await;
    let page = agent.get(&path).await;
    page.says(&format!("It is merged into ticket {one}"));
    for form in ["change", "issue", "merge", "split"] {
        let action = format!("action=\"{path}/{form}\"");
        assert!(!page.text.contains(&action), "{form}");
    }
    let words = format!("merged into ticket {one}, which stands for it");
    for (act, fields) in [
        ("change", vec![("act", "importance:high")]),
        ("change", vec![("act", "label"), ("new_label", "night")]),
        ("issue", vec![("do", "make")]),
        ("issue", vec![("do", "tie"), ("issue", "ENG-1")]),
        ("split", vec![("title", "Other")]),
    ] {
        let page = agent.send(&format!("{path}/{act}"), &fields).await;
        assert_eq!(page.status, 422, "{act} {fields:?}");
        page.says(&words);
    }
    let script = Script::new(&it.stage, "administrator", &["read", "feedback"]).await;
    let path = format!("/api/v1/tickets/{two}");
    for (act, body) in [
        ("", json!({"importance": "high"})),
        ("/issue", json!({"make": true})),
        ("/issue", json!({"issue": null})),
        ("/split", json!({"title": "Other"})),
    ] {
        let path = format!("{path}{act}");
        let answer = script.call("POST", &path, Some(body), "").await;
        assert_eq!(answer.status, 409, "{path}");
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(&words), "{}", answer.body);
    }
    let view = it.view(TicketId(two)).await;
    assert_eq!(view.row.importance, Importance::Unset);
    assert!(view.row.labels.is_empty() && view.issue.is_none());
}

async fn tickets_of_two_products_are_not_merged_in_part(on: On) {
    let bugs = "[[product]]\nname = \"Web\"\nworkspace = \"acme\"\ntags = [\"bug\"]\n";
    let (it, one, two) = with_two(on, &format!("{IDEAS}{bugs}")).await;
    let ida = it.customer("Ida Berg", "Example Ltd", 10);
    let third = it.says(&ida, "The web is dark.");
    it.tag(&third, "source", &it.bug);
    let third = it.ticket_count(3).await[0].id.0;
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    let chosen = [one, two, third].map(|id| id.to_string());
    let mut fields = vec![("act", "merge"), ("back", "/feedback")];
    fields.extend(chosen.iter().map(|id| ("ticket", id.as_str())));
    let page = agent.send("/feedback/triage", &fields).await;
    assert_eq!(page.status, 422);
    page.says("The tickets are of different products.");
    for id in [one, two, third] {
        let view = it.view(TicketId(id)).await;
        assert_eq!(view.merged_into, None, "nothing of it was done");
    }
}

async fn only_what_was_said_is_split_off(on: On) {
    let (it, one, _) = with_two(on, IDEAS).await;
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    let path = format!("/feedback/{one}/split");
    let invented = [("title", "Light"), ("text", "text that is not in it")];
    let page = agent.send(&path, &invented).await;
    assert_eq!(page.status, 422);
    page.says("These words do not stand in the ticket's message");
    assert!(page.text.contains("id=\"text-fault\""), "beside the field");
    assert!(page.text.contains(">text that is not in it</textarea>"));
    let script = Script::new(&it.stage, "administrator", &["read", "feedback"]).await;
    let address = format!("/api/v1/tickets/{one}/split");
    let split = async |text: &str| {
        let body = json!({"title": "Other", "text": text});
        script.call("POST", &address, Some(body), "").await
    };
    let refused = split("text that is not in it").await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert_eq!(it.tickets().await.len(), 2, "nothing was made");
    let made = split("a  dark\r\nmode").await;
    assert_eq!(made.status, 202, "{}", made.body);
}

async fn a_spend_is_told_in_one_unit_under_one_name(on: On) {
    let it = Feedback::on(on, IDEAS, |plan| ON.clone_into(&mut plan.top)).await;
    copied(&it.stage).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 290);
    let conversation = it.says(&noa, "A dark mode, please.");
    it.tag(&conversation, "source", &it.idea);
    let ticket = it.ticket_count(1).await.remove(0).id;
    it.stage.settled().await;
    let script = Script::new(&it.stage, "administrator", &["read", "contacts"]).await;
    let tickets = script.get("/api/v1/tickets").await.body;
    let whole = script.get(&format!("/api/v1/tickets/{ticket}")).await.body;
    let companies = script.get("/api/v1/companies?workspace=acme").await.body;
    for (value, wanted) in [
        (&tickets["items"][0]["monthly_spend"], 290),
        (&tickets["items"][0]["monthly_spend_cents"], 29_000),
        (&whole["monthly_spend"], 290),
        (&whole["monthly_spend_cents"], 29_000),
        (&whole["spend_then"], 290),
        (&whole["spend_then_cents"], 29_000),
        (&companies["items"][0]["monthly_spend"], 29_000),
        (&companies["items"][0]["monthly_spend_cents"], 29_000),
    ] {
        assert_eq!(*value, json!(wanted), "{whole} {companies}");
    }
}

async fn a_status_takes_the_list_from_its_beginning(on: On) {
    let (it, ..) = with_two(on, IDEAS).await;
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    let page = agent
        .get("/feedback?after=9999999999999.1&sort=people&done=triaged")
        .await;
    let mut parts = page.text.split("</nav>");
    let tabs = parts.find(|part| part.contains("aria-label=\"Status\""));
    let tabs = tabs.unwrap();
    assert!(tabs.contains("sort=people") && tabs.contains("status=done"));
    for left in ["9999999999999", "triaged"] {
        assert!(!tabs.contains(left), "{left}");
    }
}

async fn a_refused_name_of_a_status_is_seen(on: On) {
    let mut it = Feedback::prepare(on, "", |_| ()).await;
    it.stage.start().await;
    let mut admin = Browser::signed_in(&it.stage, "administrator").await;
    let fields = [("name", "Mobile app"), ("workspace", "acme")];
    admin.send("/products", &fields).await;
    let path = format!("/products/{}", it.product("Mobile app").await.id);
    let page = admin.get(&format!("{path}?switch=on")).await;
    page.says("What the statuses are called");
    let open = "<details open>";
    assert!(!page.text.contains(open), "closed while nothing is wrong");
    let long = "x".repeat(41);
    let fields = [
        ("do", "on"),
        ("tags", it.idea.as_str()),
        ("name_planned", long.as_str()),
    ];
    let page = admin.send(&path, &fields).await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains(open));
    page.says("The name for Planned is longer than 40 characters.");
    assert!(
        page.text
            .contains("aria-describedby=\"name_planned-fault\"")
    );
    assert!(!page.text.contains("name_done-fault"));
    let fields = [
        ("do", "on"),
        ("tags", it.idea.as_str()),
        ("issue_project", "E N"),
    ];
    let page = admin.send(&path, &fields).await;
    assert!(page.text.contains(open));
    page.says("Write the key of a project");
}
