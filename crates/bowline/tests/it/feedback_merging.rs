//! Feedback and merges in Intercom, mostly where contacts are not copied, and notes to snoozed
//! conversations.

use bowline_domain::feedback::ticket::Status;
use bowline_sandbox::intercom::NewContact;

use crate::feedback::{Feedback, IDEAS};
use crate::messaging_stage::until_async;
use crate::stage::{On, on_both};

on_both!(
    a_merge_in_intercom_moves_feedback_without_contacts,
    a_merge_of_an_old_lead_who_gave_feedback_is_followed_without_their_name,
    a_note_about_feedback_lets_a_snoozed_conversation_sleep
);

/// A lead, with the user's address or without one, the user that they turn out to be, and what the
/// lead says.
fn lead_and_user(it: &Feedback, name: &str, with_address: bool) -> (String, String, String) {
    let email = format!("{name}@example.com");
    let intercom = it.stage.intercom();
    let lead = intercom
        .create_contact(NewContact {
            lead: true,
            email: with_address.then(|| email.clone()),
            ..NewContact::default()
        })
        .unwrap();
    let user = intercom
        .create_contact(NewContact::user(name, &email))
        .unwrap();
    let conversation = it.says(&lead, &format!("A wish of {name}."));
    (lead, user, conversation)
}

async fn contact_of(it: &Feedback, conversation: &str) -> Option<String> {
    let tickets = it.tickets().await;
    for ticket in tickets {
        let view = it.view(ticket.id).await;
        if view.conversation.as_str() == conversation {
            return view.contact.map(|contact| contact.as_str().to_owned());
        }
    }
    None
}

async fn a_merge_in_intercom_moves_feedback_without_contacts(on: On) {
    for (tells, with_address) in [(false, true), (false, false), (true, false)] {
        let it = Feedback::on(on, IDEAS, |plan| plan.intercom.tells_merged_from = tells).await;
        let (lead, user, conversation) = lead_and_user(&it, "quentin", with_address);
        let other = it.customer("Noa Lind", "Example Ltd", 10);
        let untouched = it.says(&other, "Something else.");
        it.tag(&conversation, "source", &it.idea);
        it.tag(&untouched, "source", &it.idea);
        it.ticket_count(2).await;
        assert_eq!(contact_of(&it, &conversation).await, Some(lead.clone()));
        it.stage.intercom().merge_contacts(&lead, &user).unwrap();
        until_async(async || {
            let stays = contact_of(&it, &conversation).await;
            (stays.as_deref() == Some(user.as_str())).then_some(())
        })
        .await;
        it.stage.settled().await;
        assert_eq!(contact_of(&it, &untouched).await, Some(other));
        assert!(it.stage.reasons().await.contains(&"tickets_moved"));
        // What is erased is erased by the name of the one that stays.
        it.stage.intercom().delete_contact(&user).unwrap();
        until_async(async || {
            let contact = contact_of(&it, &conversation).await;
            contact.is_none().then_some(())
        })
        .await;
    }
}

async fn a_merge_of_an_old_lead_who_gave_feedback_is_followed_without_their_name(on: On) {
    let settings = format!("{IDEAS}{}", crate::contacts::ON);
    let it = Feedback::on(on, &settings, |plan| {
        plan.intercom.tells_merged_from = false;
    })
    .await;
    let (lead, user, conversation) = lead_and_user(&it, "quentin", false);
    it.tag(&conversation, "source", &it.idea);
    it.ticket_count(1).await;
    // More leads than are asked for whether they were the one.
    let newer = NewContact {
        lead: true,
        ..NewContact::default()
    };
    let mut newest = String::new();
    for _ in 0..30 {
        newest = it.stage.intercom().create_contact(newer.clone()).unwrap();
    }
    until_async(async || crate::contacts::known(&it.stage, &newest).await).await;
    it.stage.settled().await;
    it.stage.intercom().merge_contacts(&lead, &user).unwrap();
    until_async(async || {
        let stays = contact_of(&it, &conversation).await;
        (stays.as_deref() == Some(user.as_str())).then_some(())
    })
    .await;
}

/// Seconds since 1970, tomorrow.
fn tomorrow() -> i64 {
    jiff::Timestamp::now().as_second() + 86_400
}

async fn a_note_about_feedback_lets_a_snoozed_conversation_sleep(on: On) {
    let products = format!("{IDEAS}notes = [\"planned\", \"done\"]\n");
    let it = Feedback::on(on, &products, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "A dark mode, please.");
    it.tag(&conversation, "source", &it.idea);
    let ticket = it.ticket_count(1).await.remove(0);
    it.stage.settled().await;
    let (intercom, until) = (it.stage.intercom(), tomorrow());
    intercom
        .snooze(&conversation, &it.stage.teammate(), until)
        .unwrap();
    it.moves(ticket.id, Status::Planned).await;
    it.stage.note(&conversation, &["is planned"]).await;
    it.stage.settled().await;
    assert_eq!(intercom.snoozed_until(&conversation), Some(until));

    // Only where the product wishes it, a note wakes it.
    let path = &it.stage.world.config_path;
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, format!("{text}wake_snoozed = true\n")).unwrap();
    it.stage.configure().await;
    until_async(async || {
        let product = it.product("Mobile app").await;
        product.settings.wake_snoozed.then_some(())
    })
    .await;
    it.moves(ticket.id, Status::Done).await;
    it.stage.note(&conversation, &["is done"]).await;
    it.stage.settled().await;
    assert_eq!(intercom.snoozed_until(&conversation), None);
}
