//! Why is there no ticket, or which one is there? Asked of a conversation on “Why nothing?”.

use crate::browser::Browser;
use crate::feedback::{Feedback, IDEAS};
use crate::stage::{On, on_both};

on_both!(
    a_conversation_with_a_ticket_says_which,
    a_conversation_without_a_ticket_says_why
);

async fn a_conversation_with_a_ticket_says_which(on: On) {
    let it = Feedback::on(on, IDEAS, |_| ()).await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "A dark mode, please.");
    it.tag(&conversation, "source", &it.idea);
    let ticket = it.ticket_count(1).await.remove(0);
    it.stage.settled().await;
    let mut viewer = Browser::signed_in(&it.stage, "viewer").await;
    let page = viewer.get(&format!("/why?q={conversation}")).await;
    page.says("not linked");
    page.says("One ticket was made of it");
    page.says("A dark mode, please.");
    page.says("Mobile app");
    let link = format!("href=\"/feedback/{}\"", ticket.id);
    assert!(page.text.contains(&link), "{}", page.text);
    // What came of each look stands beneath, with a way to the delivery.
    page.says("A ticket was made in the feedback inbox of Mobile app");
    assert!(page.text.contains("href=\"/deliveries/"), "{}", page.text);
}

async fn a_conversation_without_a_ticket_says_why(on: On) {
    let it = Feedback::on(on, IDEAS, |_| ()).await;
    let mut viewer = Browser::signed_in(&it.stage, "viewer").await;
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    let conversation = it.says(&noa, "The menu flickers.");
    it.stage.settled().await;
    let path = format!("/why?q={conversation}");
    let page = viewer.get(&path).await;
    page.says("No ticket was made of it");
    page.says("No tag of its messages was told");
    it.tag(&conversation, "source", &it.bug);
    it.stage.settled().await;
    let page = viewer.get(&path).await;
    page.says("No ticket was made of it");
    page.says("No product counts a tag");
    assert!(!page.words().contains("No tag of its messages was told"));
    // Where no product gathers feedback, nothing is said of it.
    let plain = crate::stage::Stage::on(on, |_| ()).await;
    let conversation = plain.conversation();
    let mut viewer = Browser::signed_in(&plain, "viewer").await;
    let page = viewer.get(&format!("/why?q={conversation}")).await;
    assert!(!page.words().contains("ticket"), "{}", page.words());
}
