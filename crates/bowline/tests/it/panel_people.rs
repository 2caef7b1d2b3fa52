//! The issue panel: which people it shows.

use bowline_sandbox::intercom::NewContact;

use crate::browser::Browser;
use crate::panel::{panel, says};
use crate::stage::Stage;

#[tokio::test]
async fn several_people_are_a_list_and_each_is_there_once() {
    let stage = Stage::cloud().await;
    let intercom = stage.intercom();
    let contact = |lead, name: Option<&str>, email: Option<&str>| NewContact {
        lead,
        name: name.map(str::to_owned),
        email: email.map(str::to_owned),
        ..NewContact::default()
    };
    // Noa wrote as a visitor before she had an account, and twice after that.
    let visitor = contact(true, None, Some("noa@example.com"));
    let visitor = intercom.create_contact(visitor).unwrap();
    let nameless = intercom.create_contact(contact(true, None, None)).unwrap();
    let conversations = [
        intercom
            .create_conversation(&visitor, "As a visitor.")
            .unwrap(),
        stage.conversation(),
        stage.conversation(),
        intercom
            .create_conversation(&nameless, "Who am I?")
            .unwrap(),
    ];
    let addresses: Vec<String> = conversations.iter().map(|one| stage.address(one)).collect();
    let issue = stage.issue(addresses.join(" ").as_str());
    stage.settled().await;
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let page = says(&mut browser, &panel(&issue), "2 people, of all linked").await;
    page.says("Linked conversations (4)");
    page.says("A lead without a name LEAD");
    assert_eq!(page.text.matches("<li class=\"card person\">").count(), 2);
    assert_eq!(page.text.matches("<details>").count(), 2);
}

#[tokio::test]
async fn contacts_are_found_by_the_reporter() {
    let stage = Stage::with(|plan| {
        "contact_source = \"reporter\"".clone_into(&mut plan.binding);
        for user in &mut plan.jira.users {
            user.email_visible = user.name == "priya";
        }
    })
    .await;
    for lead in [true, false] {
        let priya = NewContact {
            lead,
            ..NewContact::user(
                if lead { "Priya the lead" } else { "Priya" },
                "priya@example.com",
            )
        };
        stage.intercom().create_contact(priya).unwrap();
    }
    let (issue, _) = stage.linked().await;
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let page = says(
        &mut browser,
        &panel(&issue),
        "2 users and leads have the e-mail",
    )
    .await;
    page.says("Priya the lead LEAD");
    page.says("Priya USER");
    assert!(
        !page.text.contains("noa@example.com"),
        "she is not the reporter"
    );

    let hidden = stage.lena().create("ENG", "Lena's", "").unwrap();
    let address = stage.address(&stage.conversation());
    stage.lena().comment(&hidden, address.as_str()).unwrap();
    stage.settled().await;
    let page = says(
        &mut browser,
        &panel(&hidden),
        "Jira hides the e-mail address",
    )
    .await;
    assert!(!page.text.contains("class=\"card person\""));
}
