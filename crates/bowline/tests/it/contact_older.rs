//! A contact that was merged, where Intercom answers as its API did before version 2.16: not found,
//! without a word on where it went. It is merged, and nothing of it is erased.

use bowline_sandbox::common::FaultKind;
use bowline_sandbox::intercom::NewContact;
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::contacts::{ON, copied, known, until_so};
use crate::failure::fault;
use crate::feedback::{Feedback, IDEAS};
use crate::stage::{On, on_both};

on_both!(who_was_merged_and_is_not_found_is_merged_and_not_erased);

const WISH: &str = "A dark mode, please.";

async fn who_was_merged_and_is_not_found_is_merged_and_not_erased(on: On) {
    for contacts_too in [false, true] {
        let it = Feedback::on(on, IDEAS, |plan| {
            if contacts_too {
                ON.clone_into(&mut plan.top);
            }
        })
        .await;
        if contacts_too {
            copied(&it.stage).await;
        }
        let intercom = it.stage.intercom();
        let email = "quentin@example.com";
        let lead = NewContact {
            lead: true,
            email: Some(email.to_owned()),
            ..NewContact::default()
        };
        let lead = intercom.create_contact(lead).unwrap();
        let user = NewContact::user("Quentin Vale", email);
        let user = intercom.create_contact(user).unwrap();
        let conversation = it.says(&lead, WISH);
        it.tag(&conversation, "source", &it.idea);
        let ticket = it.ticket_count(1).await[0].id;
        it.stage.settled().await;
        let was = known(&it.stage, &lead).await;
        assert_eq!(was.is_some(), contacts_too);
        let body = json!({ "type": "error.list",
            "errors": [{ "code": "not_found", "message": "User Not Found" }] });
        let kind = FaultKind::Status {
            status: 404,
            body: Some(body),
            headers: Vec::new(),
        };
        let path = format!("/contacts/{lead}");
        intercom
            .faults()
            .add(fault("GET", &path, 0, u32::MAX, kind));
        intercom.merge_contacts(&lead, &user).unwrap();
        until_so("the feedback goes along", async || {
            let contact = it.view(ticket).await.contact?;
            (contact.as_str() == user).then_some(())
        })
        .await;
        it.stage.settled().await;
        let view = it.view(ticket).await;
        assert_eq!((view.text.as_str(), view.row.erased), (WISH, None));
        let Some(was) = was else {
            continue;
        };
        // The alias is kept: its address leads to the one who stays, for people and for scripts.
        let stays = known(&it.stage, &user).await.unwrap();
        let mut agent = Browser::signed_in(&it.stage, "agent").await;
        let page = agent.get(&format!("/contacts/{}", was.id)).await;
        assert_eq!(page.goes_to(), format!("/contacts/{}", stays.id));
        let page = agent.get(&format!("/contacts/{}", stays.id)).await;
        page.says(&format!("{lead} merged into this contact"));
        page.says(WISH);
        let script = Script::new(&it.stage, "administrator", &["contacts"]).await;
        let gone = script.get(&format!("/api/v1/contacts/{}", was.id)).await;
        assert_eq!(gone.status, 410, "{}", gone.body);
    }
}
