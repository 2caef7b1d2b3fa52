//! Feedback and contacts together: what becomes of tickets when a person is merged or erased, and
//! where else tickets are seen.

use bowline_domain::contacts::Life;

use crate::browser::Browser;
use crate::contacts::{ON, copied, known};
use crate::feedback::{Feedback, IDEAS};
use crate::messaging_stage::until_async;
use crate::stage::{On, on_both};

on_both!(
    tickets_go_with_the_person_who_stays_and_end_with_who_is_erased,
    the_panel_shows_the_feedback_behind_an_issue
);

async fn both(on: On) -> Feedback {
    Feedback::on(on, IDEAS, |plan| ON.clone_into(&mut plan.top)).await
}

async fn tickets_go_with_the_person_who_stays_and_end_with_who_is_erased(on: On) {
    let it = both(on).await;
    copied(&it.stage).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let max = it.customer("Max Roth", "Sample GmbH", 20);
    for (contact, text) in [(&noa, "A dark mode, please."), (&max, "Dark colours.")] {
        let conversation = it.says(contact, text);
        it.tag(&conversation, "source", &it.idea);
    }
    let tickets = it.ticket_count(2).await;
    it.stage.settled().await;
    let (of_noa, of_max) = (
        known(&it.stage, &noa).await.unwrap(),
        known(&it.stage, &max).await.unwrap(),
    );
    let mut owner = Browser::signed_in(&it.stage, "owner").await;
    let of_hers = tickets.iter().find(|ticket| ticket.author == "Noa Lind");
    let page = owner
        .get(&format!("/feedback/{}", of_hers.unwrap().id.0))
        .await;
    page.says("Name now Noa Lind");
    page.says("E-mail address now noa.lind@example.com");

    let into = of_max.id.to_string();
    let merge = format!("/contacts/{}/merge", of_noa.id);
    let page = owner.send(&merge, &[("into", &into)]).await;
    assert_eq!(
        page.goes_to(),
        format!("/contacts/{into}?done=contacts-merged")
    );
    for ticket in &tickets {
        let contact = it.view(ticket.id).await.contact.unwrap();
        assert_eq!(contact.as_str(), max);
    }

    // What has feedback stays when what was copied is removed.
    let workspace = Feedback::workspace();
    let store = it.stage.store();
    while !store.remove_copied(&workspace, 50).await.unwrap().is_end() {}
    assert_eq!(known(&it.stage, &max).await.unwrap().life, Life::Live);

    let erase = format!("/contacts/{into}/erase");
    let page = owner.send(&erase, &[("sure", "yes")]).await;
    assert_eq!(page.goes_to(), "/contacts?done=erased");
    for ticket in &tickets {
        let view = it.view(ticket.id).await;
        assert_eq!(
            (view.text.as_str(), view.contact, view.email),
            ("", None, None)
        );
        let page = owner.get(&format!("/feedback/{}", ticket.id.0)).await;
        page.says("The contact was erased here.");
    }

    // They live on in Intercom, and what they say later is not kept either.
    let later = it.says(&max, "One more wish.");
    it.tag(&later, "source", &it.idea);
    let tickets = it.ticket_count(3).await;
    let view = it.view(tickets[0].id).await;
    assert_eq!((view.text.as_str(), view.contact), ("", None));
    assert!(view.transcript.is_empty());
}

async fn the_panel_shows_the_feedback_behind_an_issue(on: On) {
    let products = format!("{IDEAS}status_names = {{ new = \"Just in\" }}\n");
    let it = Feedback::on(on, &products, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "A dark mode, please.");
    it.tag(&conversation, "source", &it.idea);
    let ticket = it.ticket_count(1).await.remove(0).id;
    let key = it.stage.issue(it.stage.address(&conversation).as_str());
    it.stage.note(&conversation, &["created ", &key]).await;
    let mut owner = Browser::signed_in(&it.stage, "owner").await;
    let panel = format!("/issues/acme-jira/{key}");
    let page = owner.get(&panel).await;
    assert!(!page.text.contains("Feedback behind it"));
    let path = format!("/feedback/{}/issue", ticket.0);
    owner.send(&path, &[("issue", &key), ("do", "tie")]).await;
    until_async(async || it.view(ticket).await.row.issue_key).await;
    let page = owner.get(&panel).await;
    page.says("Feedback behind it");
    page.says("A dark mode, please.");
    page.says("Example Ltd");
    page.says("Just in");
}
