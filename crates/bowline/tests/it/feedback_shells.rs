//! Tickets of which nothing is left but the shell: they wait for nobody, and say why they are empty.
//! What the inbox says of what it was asked.

use bowline_domain::feedback::ids::TicketId;
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::contacts::{ON, copied, known};
use crate::feedback::{Feedback, IDEAS};
use crate::feedback_pages::with_two;
use crate::messaging_stage::until_async;
use crate::stage::{On, on_both};

on_both!(
    erased_shells_are_not_open_and_have_a_list_of_their_own,
    what_somebody_says_who_was_erased_is_an_empty_shell_that_says_why,
    the_inbox_says_what_it_cannot_ask_and_what_its_numbers_count,
    history_tells_of_a_tag_that_is_put_on_again
);

async fn erased_shells_are_not_open_and_have_a_list_of_their_own(on: On) {
    let (it, one, two) = with_two(on, IDEAS).await;
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    let path = format!("/feedback/{one}");
    let label = [("act", "label"), ("new_label", "night")];
    agent.send(&format!("{path}/change"), &label).await;
    agent.get(&path).await.says("Labelled night.");
    agent.get("/feedback").await.says("Open 2 New 2");
    let conversation = it.view(TicketId(one)).await.conversation.to_string();
    it.stage
        .intercom()
        .delete_conversation(&conversation)
        .unwrap();
    until_async(async || it.view(TicketId(one)).await.row.erased).await;

    let page = agent.get("/feedback").await;
    page.says("Open 1 New 1");
    page.says("Erased 1 All 2");
    assert!(!page.words().contains(&format!("Ticket {one}, erased")));
    let page = agent.get("/feedback?status=new").await;
    assert!(!page.words().contains(&format!("Ticket {one}, erased")));
    let page = agent.get("/feedback?status=erased").await;
    page.says(&format!("Ticket {one}, erased"));
    assert!(!page.words().contains("Max Roth"));
    agent
        .get("/feedback?status=all")
        .await
        .says(&format!("Ticket {one}, erased"));

    let page = agent.get(&path).await;
    page.says("The conversation was deleted in Intercom.");
    assert!(
        !page.words().contains("Open the message in Intercom"),
        "it leads nowhere"
    );
    page.says("Labelled; with what, was erased.");
    assert!(!page.words().contains("Labelled ."));
    // A shell that stands for something that was said is as open as that is.
    let merge = [("into", one.to_string())];
    let merge: Vec<(&str, &str)> = merge.iter().map(|(n, v)| (*n, v.as_str())).collect();
    agent.send(&format!("/feedback/{two}/merge"), &merge).await;
    let page = agent.get("/feedback").await;
    page.says("Open 1 New 1");
    page.says("Erased 0 All 1");
    page.says(&format!("Ticket {one}, erased"));
    let merge = it.view(TicketId(one)).await.merges[0].id.to_string();
    let page = agent
        .send(&format!("{path}/undo"), &[("merge", &merge)])
        .await;
    let list = page.goes_to().to_owned();
    assert!(list.starts_with(&format!("/feedback/{two}?")), "{list}");
    let page = agent.get(&list).await;
    page.says("This is the ticket that stands by itself again");
    agent.get("/feedback").await.says("Erased 1 All 2");
    // Scripts get what they got, and can ask for either.
    let script = Script::new(&it.stage, "administrator", &["read"]).await;
    for (query, wanted) in [
        ("", 2),
        ("?erased=without", 1),
        ("?erased=only", 1),
        ("?status=all&erased=only", 1),
    ] {
        let found = script.get(&format!("/api/v1/tickets{query}")).await.body;
        assert_eq!(found["items"].as_array().unwrap().len(), wanted, "{query}");
    }
    let whole = script.get(&format!("/api/v1/tickets/{one}")).await.body;
    assert_eq!(whole["url"], json!(null));
}

async fn what_somebody_says_who_was_erased_is_an_empty_shell_that_says_why(on: On) {
    let it = Feedback::on(on, IDEAS, |plan| ON.clone_into(&mut plan.top)).await;
    copied(&it.stage).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let first = it.says(&noa, "A dark mode, please.");
    it.tag(&first, "source", &it.idea);
    let ticket = it.ticket_count(1).await.remove(0).id;
    it.stage.settled().await;
    let person = known(&it.stage, &noa).await.unwrap();
    let mut owner = Browser::signed_in(&it.stage, "owner").await;
    let erase = format!("/contacts/{}/erase", person.id);
    owner.send(&erase, &[("sure", "yes")]).await;
    let later = it.says(&noa, "One more wish.");
    it.tag(&later, "source", &it.idea);
    let tickets = it.ticket_count(2).await;
    let new = tickets.iter().find(|one| one.id != ticket).unwrap();
    let page = owner.get(&format!("/feedback/{}", new.id)).await;
    page.says("Its person had been erased here before it came in, so nothing of it was kept.");
    let page = owner.get(&format!("/feedback/{ticket}")).await;
    page.says("The contact was erased here.");
    assert!(!page.words().contains("before it came in"));
    let page = owner.get("/feedback").await;
    page.says("Open 0 New 0");
    page.says("Erased 2 All 2");
}

async fn the_inbox_says_what_it_cannot_ask_and_what_its_numbers_count(on: On) {
    let (it, ..) = with_two(on, IDEAS).await;
    let mut agent = Browser::signed_in(&it.stage, "agent").await;
    let page = agent
        .get("/feedback?status=nope&product=99&importance=huge&sort=odd&assignee=x%40example.com&label=zz&after=q")
        .await;
    for words in [
        "“nope” is no status",
        "There is no product 99",
        "“huge” is no importance",
        "“odd” is no order",
        "“q” is no place in the list",
        "Nobody who may sign in has the address “x@example.com”",
        "No ticket has the label “zz”",
    ] {
        page.says(words);
    }
    let open = page.text.split("aria-current=\"page\">").nth(2);
    assert!(
        open.is_some_and(|tab| tab.starts_with("Open")),
        "what is shown"
    );
    let counted = "count all tickets, whatever words, assignee, label and importance";
    for (address, says) in [
        ("/feedback", false),
        ("/feedback?status=new&sort=people", false),
        ("/feedback?product=1", false),
        ("/feedback?q=dark", true),
        ("/feedback?importance=high", true),
        ("/feedback?assignee=nobody", true),
    ] {
        let page = agent.get(address).await;
        assert_eq!(page.words().contains(counted), says, "{address}");
        assert!(!page.words().contains("left out of what is asked"));
    }
}

async fn history_tells_of_a_tag_that_is_put_on_again(on: On) {
    let it = Feedback::on(on, IDEAS, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "A dark mode, please.");
    it.tag(&conversation, "source", &it.idea);
    let ticket = it.ticket_count(1).await.remove(0).id;
    it.stage.settled().await;
    let intercom = it.stage.intercom();
    let teammate = intercom.config().admins[1].clone();
    let mut viewer = Browser::signed_in(&it.stage, "viewer").await;
    let path = format!("/feedback/{ticket}");
    let mut told = async |words: &str| {
        until_async(async || {
            viewer
                .get(&path)
                .await
                .words()
                .contains(words)
                .then_some(())
        })
        .await;
    };
    intercom
        .untag(&conversation, &it.idea, &teammate.id)
        .unwrap();
    intercom.customer_reply(&conversation, "Thanks.").unwrap();
    told("The tag idea was taken off in Intercom.").await;
    it.tag(&conversation, "source", &it.idea);
    told("The tag idea was put on again in Intercom.").await;
}
