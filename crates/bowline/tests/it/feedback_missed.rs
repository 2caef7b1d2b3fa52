//! What became of people who gave feedback while no webhook came: merges and deletions are found by
//! asking for them, and nobody is erased by a guess.

use bowline_sandbox::common::FaultKind;
use bowline_sandbox::intercom::NewContact;
use serde_json::json;

use crate::browser::Browser;
use crate::contacts::{ON, copied};
use crate::failure::fault;
use crate::feedback::{Feedback, IDEAS};
use crate::messaging_stage::until_async;
use crate::stage::{On, on_both};

on_both!(
    merges_and_deletions_that_nobody_told_are_found,
    a_tag_that_was_taken_off_is_found,
    nobody_is_erased_while_intercom_shows_nobody,
    who_is_gone_is_found_while_all_products_are_off
);

/// Who a conversation's only ticket belongs to, and what it says.
async fn ticket_of(it: &Feedback, conversation: &str) -> (Option<String>, String) {
    for ticket in it.tickets().await {
        let view = it.view(ticket.id).await;
        if view.conversation.as_str() == conversation {
            let contact = view.contact.map(|contact| contact.as_str().to_owned());
            return (contact, view.text);
        }
    }
    panic!("{conversation} has no ticket");
}

/// How often Intercom was asked for one contact.
fn calls(it: &Feedback) -> usize {
    let one = |path: &str| path.starts_with("/contacts/") && path.matches('/').count() == 2;
    let journal = it.stage.intercom().journal();
    journal.count(|entry| entry.method == "GET" && one(&entry.path))
}

/// Waits until so many were asked for since the start, has those in doubt asked for again, and waits
/// until it is so.
async fn asked_until(it: &Feedback, before: usize, people: usize, so: impl AsyncFn() -> bool) {
    until_async(async || (calls(it) >= before + people).then_some(())).await;
    it.stage.configure().await;
    until_async(async || so().await.then_some(())).await;
    it.stage.settled().await;
}

async fn merges_and_deletions_that_nobody_told_are_found(on: On) {
    for contacts_too in [false, true] {
        let mut it = Feedback::on(on, IDEAS, |plan| {
            if contacts_too {
                ON.clone_into(&mut plan.top);
            }
        })
        .await;
        if contacts_too {
            copied(&it.stage).await;
        }
        let intercom = it.stage.intercom();
        let lead = NewContact {
            lead: true,
            email: Some("quentin@example.com".to_owned()),
            ..NewContact::default()
        };
        let lead = intercom.create_contact(lead).unwrap();
        let user = NewContact::user("Quentin Vale", "quentin.vale@example.com");
        let user = intercom.create_contact(user).unwrap();
        let went = it.customer("Noa Lind", "Example Ltd", 10);
        let archived = it.customer("Max Roth", "Sample GmbH", 20);
        let stays = it.customer("Ida Berg", "Test AG", 30);
        let said: Vec<String> = [&lead, &went, &archived, &stays]
            .map(|who| it.says(who, "A dark mode, please."))
            .into();
        for conversation in &said {
            it.tag(conversation, "source", &it.idea);
        }
        it.ticket_count(4).await;
        it.stage.settled().await;
        it.stage.stop().await;
        let intercom = it.stage.intercom();
        intercom.set_webhook(None);
        intercom.merge_contacts(&lead, &user).unwrap();
        intercom.delete_contact(&went).unwrap();
        intercom.archive_contact(&archived, true).unwrap();
        intercom.sender().quiet().await;
        let before = calls(&it);
        it.stage.start().await;
        asked_until(&it, before, said.len(), async || {
            let (merged, _) = ticket_of(&it, &said[0]).await;
            let (erased, _) = ticket_of(&it, &said[1]).await;
            merged.as_deref() == Some(user.as_str()) && erased.is_none()
        })
        .await;
        assert_eq!(ticket_of(&it, &said[1]).await, (None, String::new()));
        // Who is archived is still there, and nobody else was touched.
        let text = "A dark mode, please.".to_owned();
        for (conversation, who) in [(&said[2], &archived), (&said[3], &stays)] {
            let whole = (Some(who.clone()), text.clone());
            assert_eq!(ticket_of(&it, conversation).await, whole);
        }
        assert_eq!(ticket_of(&it, &said[0]).await.1, text);
        let reasons = it.stage.reasons().await;
        assert!(reasons.contains(&"tickets_moved"), "{reasons:?}");
        assert!(reasons.contains(&"feedback_erased"), "{reasons:?}");
        // Each once, those in doubt again, and in their lanes once more with others.
        assert!(calls(&it) - before <= 16, "{} calls", calls(&it) - before);
        // Asked for once a day, however often it is looked.
        let settled = calls(&it);
        it.stage.configure().await;
        it.stage.settled().await;
        assert_eq!(calls(&it), settled);
    }
}

async fn a_tag_that_was_taken_off_is_found(on: On) {
    let mut it = Feedback::on(on, IDEAS, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let taken_off = it.says(&noa, "A dark mode, please.");
    let stays = it.says(&noa, "A light mode, please.");
    for conversation in [&taken_off, &stays] {
        it.tag(conversation, "source", &it.idea);
    }
    it.ticket_count(2).await;
    it.stage.settled().await;
    let teammate = it.stage.teammate();
    let untagged = it.stage.intercom().untag(&taken_off, &it.idea, &teammate);
    untagged.unwrap();
    // Nobody tells of it. The conversations are read anew from the start on.
    it.stage.stop().await;
    it.stage.start().await;
    let is_off = async |conversation: &str| {
        for ticket in it.tickets().await {
            let view = it.view(ticket.id).await;
            if view.conversation.as_str() == conversation {
                return view.tags[0].1.is_some();
            }
        }
        panic!("{conversation} has no ticket");
    };
    until_async(async || is_off(&taken_off).await.then_some(())).await;
    it.stage.settled().await;
    assert!(!is_off(&stays).await);
    assert_eq!(it.tickets().await.len(), 2);
}

async fn nobody_is_erased_while_intercom_shows_nobody(on: On) {
    let mut it = Feedback::on(on, IDEAS, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let max = it.customer("Max Roth", "Sample GmbH", 20);
    let said: Vec<String> = [&noa, &max]
        .map(|who| it.says(who, "A dark mode, please."))
        .into();
    for conversation in &said {
        it.tag(conversation, "source", &it.idea);
    }
    it.ticket_count(2).await;
    it.stage.settled().await;
    it.stage.stop().await;
    let body = json!({ "type": "error.list",
        "errors": [{ "code": "not_found", "message": "User Not Found" }] });
    let nobody = FaultKind::Status {
        status: 404,
        body: Some(body),
        headers: Vec::new(),
    };
    let all = fault("GET", "/contacts/", 0, u32::MAX, nobody);
    it.stage.intercom().faults().add(all);
    let before = calls(&it);
    it.stage.start().await;
    asked_until(&it, before, said.len(), async || {
        it.stage.reasons().await.contains(&"person_in_doubt")
    })
    .await;
    for (conversation, who) in said.iter().zip([&noa, &max]) {
        let whole = (Some(who.clone()), "A dark mode, please.".to_owned());
        assert_eq!(ticket_of(&it, conversation).await, whole);
    }
}

async fn who_is_gone_is_found_while_all_products_are_off(on: On) {
    let mut it = Feedback::prepare(on, "", |_| ()).await;
    it.stage.start().await;
    let mut admin = Browser::signed_in(&it.stage, "administrator").await;
    let fields = [("name", "Mobile app"), ("workspace", "acme")];
    admin.send("/products", &fields).await;
    let chosen = [("do", "on"), ("tags", it.idea.as_str())];
    admin.send("/products/1", &chosen).await;
    let went = it.customer("Noa Lind", "Example Ltd", 10);
    let stays = it.customer("Ida Berg", "Test AG", 30);
    let said: Vec<String> = [&went, &stays]
        .map(|who| it.says(who, "A dark mode, please."))
        .into();
    for conversation in &said {
        it.tag(conversation, "source", &it.idea);
    }
    it.ticket_count(2).await;
    admin.send("/products/1", &[("do", "off")]).await;
    it.stage.settled().await;
    it.stage.stop().await;
    let intercom = it.stage.intercom();
    intercom.set_webhook(None);
    intercom.delete_contact(&went).unwrap();
    intercom.sender().quiet().await;
    let before = calls(&it);
    it.stage.start().await;
    asked_until(&it, before, said.len(), async || {
        ticket_of(&it, &said[0]).await == (None, String::new())
    })
    .await;
    assert_eq!(ticket_of(&it, &said[1]).await.0, Some(stays));
}
