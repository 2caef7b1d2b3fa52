//! Where a ticket leads to, who did what to it by name, and what it says of now beside then.

use bowline_domain::feedback::ticket::Status;

use crate::api::Script;
use crate::browser::Browser;
use crate::contacts::{ON, copied, known, until_so};
use crate::feedback::{Feedback, IDEAS};
use crate::messaging_stage::until_async;
use crate::stage::{On, on_both};

on_both!(
    a_ticket_leads_to_its_person_company_issue_and_message,
    who_put_a_tag_on_is_called_by_name,
    a_note_calls_a_status_as_the_product_does
);

async fn a_ticket_leads_to_its_person_company_issue_and_message(on: On) {
    let it = Feedback::on(on, IDEAS, |plan| ON.clone_into(&mut plan.top)).await;
    copied(&it.stage).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 700);
    let max = it.customer("Max Roth", "Sample GmbH", 20);
    let conversation = it.says(&noa, "Where is the export?");
    let intercom = it.stage.intercom();
    let wish = intercom
        .customer_reply(&conversation, "A dark mode would help.")
        .unwrap();
    it.tag(&conversation, &wish, &it.idea);
    let one = it.ticket_count(1).await[0].id;
    let other = it.says(&max, "Dark colours, please.");
    it.tag(&other, "source", &it.idea);
    let two = it.ticket_count(2).await[0].id;
    it.stage.settled().await;
    let (of_noa, of_max) = (
        known(&it.stage, &noa).await.unwrap(),
        known(&it.stage, &max).await.unwrap(),
    );
    let mut owner = Browser::signed_in(&it.stage, "owner").await;
    let path = format!("/feedback/{one}");
    let page = owner.get(&path).await;
    let part = format!("#part_id=comment-{conversation}-{wish}\"");
    assert!(page.text.contains(&part), "the exact message");
    let company = {
        let mut all = it.stage.store().companies_of(&[of_noa.id]).await.unwrap();
        all.remove(0).1
    };
    for link in [
        format!("href=\"/contacts/{}\"", of_noa.id),
        format!("href=\"/companies/{}\"", company.id),
    ] {
        assert!(page.text.contains(&link), "{link}");
    }
    page.says("Plan Pro Pro");
    page.says("Monthly spend 700 700");

    // What they pay now stands beside what they paid then; also once they left the company.
    intercom.set_company_money(company.remote.as_str(), Some("Gold"), 900);
    intercom
        .set_member(&noa, company.remote.as_str(), false)
        .unwrap();
    until_so("what is so now", async || {
        let now = it.stage.store().company(company.id).await.unwrap()?;
        let left = it.stage.store().companies_of(&[of_noa.id]).await.unwrap();
        (now.plan.as_deref() == Some("Gold") && left.is_empty()).then_some(())
    })
    .await;
    let page = owner.get(&path).await;
    page.says("Then Now");
    page.says("Company Example Ltd Example Ltd");
    page.says("Plan Pro Gold");
    page.says("Monthly spend 700 900");
    let mut viewer = Browser::signed_in(&it.stage, "viewer").await;
    let page = viewer.get(&path).await;
    page.says("Monthly spend 700");
    assert!(!page.text.contains("href=\"/contacts/"), "they may not");
    assert!(!page.text.contains("href=\"/companies/"), "they may not");

    // An issue that no conversation of theirs is linked to.
    let (key, _) = it.stage.linked().await;
    let tie = [("issue", key.as_str()), ("do", "tie")];
    owner.send(&format!("{path}/issue"), &tie).await;
    let page = owner.get(&path).await;
    let panel = format!("href=\"/issues/acme-jira/{key}\"");
    assert_eq!(
        page.text.matches(&panel).count(),
        2,
        "above, and in its part"
    );
    let person = owner.get(&format!("/contacts/{}", of_noa.id)).await;
    person.says(&format!("by ticket {one}"));
    assert!(person.text.contains(&panel));

    // Who wants the same is behind it too, once their ticket is merged.
    let other = format!("/contacts/{}", of_max.id);
    owner
        .get(&other)
        .await
        .says("no feedback of theirs is tied to one");
    let into = [("into", one.to_string())];
    let into: Vec<(&str, &str)> = into.iter().map(|(n, v)| (*n, v.as_str())).collect();
    owner.send(&format!("/feedback/{two}/merge"), &into).await;
    let person = owner.get(&other).await;
    person.says(&format!("by ticket {two}"));
    assert!(person.text.contains(&panel));
    let script = Script::new(&it.stage, "administrator", &["contacts"]).await;
    let whole = script.get(&format!("/api/v1{other}")).await.body;
    assert_eq!(whole["issues"][0]["key"], key, "{whole}");
    assert_eq!(whole["issues"][0]["ticket"], two.0);
}

async fn who_put_a_tag_on_is_called_by_name(on: On) {
    let it = Feedback::on(on, IDEAS, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "A dark mode, please.");
    it.tag(&conversation, "source", &it.idea);
    let ticket = it.ticket_count(1).await[0].id;
    let teammate = it.stage.intercom().config().admins[1].clone();
    let mut viewer = Browser::signed_in(&it.stage, "viewer").await;
    let path = format!("/feedback/{ticket}");
    let by = format!("by {}", teammate.name);
    until_async(async || {
        let page = viewer.get(&path).await;
        page.words().contains(&by).then_some(())
    })
    .await;
    let script = Script::new(&it.stage, "administrator", &["read"]).await;
    let seen = script.get(&format!("/api/v1/tickets/{ticket}")).await.body;
    let tag = &seen["tags"][0];
    assert_eq!(tag["by"], teammate.id, "{seen}");
    assert_eq!(tag["by_name"], teammate.name);
    // What was taken off is told by its name too; the next delivery shows it.
    let intercom = it.stage.intercom();
    intercom
        .untag(&conversation, &it.idea, &teammate.id)
        .unwrap();
    intercom.customer_reply(&conversation, "Thanks.").unwrap();
    until_async(async || {
        let page = viewer.get(&path).await;
        let told = page.words().contains("The tag idea was taken off");
        told.then_some(())
    })
    .await;
}

async fn a_note_calls_a_status_as_the_product_does(on: On) {
    let products = format!(
        "{IDEAS}notes = [\"planned\", \"done\"]\nstatus_names = {{ planned = \"On the list\" }}\n"
    );
    let it = Feedback::on(on, &products, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "A dark mode, please.");
    it.tag(&conversation, "source", &it.idea);
    let ticket = it.ticket_count(1).await[0].id;
    it.moves(ticket, Status::Planned).await;
    let words = "Feedback for Mobile app is now “On the list”: A dark mode, please.";
    it.stage.note(&conversation, &[words]).await;
    it.moves(ticket, Status::Done).await;
    let words = "Feedback for Mobile app is done: A dark mode, please.";
    it.stage.note(&conversation, &[words]).await;
    let told = it.stage.texts(&conversation).join("\n");
    assert!(!told.to_lowercase().contains("planned"), "{told}");
}
