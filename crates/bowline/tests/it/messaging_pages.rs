//! Conversations, end users and desks on pages and by command: what is shown, and what a person
//! decides.

use bowline_domain::effect::EffectKey;
use bowline_domain::messaging::delivery::{Delivery, Resolution};
use bowline_sandbox::common::faults::{Fault, FaultKind};
use bowline_sandbox::phones::{Failure, Habit, Inbound};

use crate::browser::{Browser, Page};
use crate::messaging_delivery::becomes;
use crate::messaging_stage::{NOA, Talk, until_async};
use crate::process::run;
use crate::stage::{On, on_both};

/// A conversation with one answer of which nobody knows whether it was sent.
async fn held(on: On) -> (Talk, String) {
    let talk = Talk::on(on).await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    let lost = Fault::of(FaultKind::DropBefore)
        .on("POST", "/messages")
        .times(1);
    talk.bird().faults().add(lost);
    talk.agent().comment(&request, "Which model?").unwrap();
    talk.settled().await;
    assert_eq!(talk.outbound(&request).await[0].delivery, Delivery::Held);
    (talk, request)
}

/// A conversation with one answer that did not arrive.
async fn failed(on: On) -> (Talk, String) {
    let talk = Talk::on(on).await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    talk.noa().habit(Habit {
        fails: Some(Failure::new(131_026, "Message undeliverable")),
        ..Habit::default()
    });
    talk.agent().comment(&request, "Which model?").unwrap();
    // The provider tells of the failure by a webhook of its own.
    becomes(&talk, &request, Delivery::Failed).await;
    talk.settled().await;
    talk.noa().habit(Habit::default());
    (talk, request)
}

/// The address of the first conversation in the list.
async fn first_of(browser: &mut Browser, list: &str) -> String {
    let page = browser.get(list).await;
    assert_eq!(page.status, 200, "{}", page.words());
    let (_, rest) = page
        .text
        .split_once("<td class=\"issue\"><a href=\"")
        .unwrap_or_else(|| panic!("{list} lists nothing: {}", page.words()));
    rest.split('"').next().unwrap().to_owned()
}

async fn conversation(browser: &mut Browser) -> (String, Page) {
    let path = first_of(browser, "/conversations?state=all").await;
    let page = browser.get(&path).await;
    assert_eq!(page.status, 200, "{}", page.words());
    (path, page)
}

fn decided(key: &EffectKey, what: &'static str) -> [(&'static str, String); 2] {
    [("key", key.to_string()), ("do", what.to_owned())]
}

async fn send(browser: &mut Browser, path: &str, fields: &[(&str, String)]) -> Page {
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    browser.send(path, &fields).await
}

async fn resolution(talk: &Talk, key: &EffectKey) -> Option<Resolution> {
    let found = talk.stage.store().resolution(key).await.unwrap();
    found.map(|resolved| resolved.how)
}

async fn a_conversation_shows_who_can_read_what_and_how_far_it_came(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("My router is <b>red</b>");
    let request = talk.request(1).await;
    talk.settled().await;
    talk.agent()
        .note(&request, "secret: he has a model 5")
        .unwrap();
    talk.agent().comment(&request, "Which model?").unwrap();
    talk.phone_shows(1).await;
    talk.noa().reads();
    talk.settled().await;
    talk.noa().writes("The black one");
    talk.settled().await;

    let mut viewer = Browser::signed_in(&talk.stage, "viewer").await;
    let list = viewer.get("/conversations").await;
    for part in ["Noa Lind", &request, "WhatsApp", "support", "23 hours"] {
        list.says(part);
    }
    let (_, page) = conversation(&mut viewer).await;
    page.says("Noa Lind – from the customer");
    page.says("My router is &lt;b&gt;red&lt;/b&gt;");
    page.says("In the description of the request.");
    page.says("The agent – to the customer ✓ read");
    page.says("Which model?");
    page.says("The black one");
    assert!(page.words().contains("In comment "), "{}", page.words());
    assert!(
        !page.text.contains("model 5"),
        "internal comments stay in Jira"
    );
    // Every entry leads to the delivery that made it.
    let links = page.text.matches("href=\"/deliveries/").count();
    assert_eq!(links, 3, "{}", page.text);
    let (_, rest) = page.text.split_once("href=\"/deliveries/").unwrap();
    let delivery = rest.split('"').next().unwrap();
    let delivery = viewer.get(&format!("/deliveries/{delivery}")).await;
    delivery.says("Make the request");

    for (query, shown) in [
        ("state=ended", false),
        ("about=SUP-1", true),
        ("about=SUP-99", false),
        ("about=%2B1+555+7700", true),
        ("about=noa", true),
        ("about=a+LIND", true),
        ("about=n_a", false),
        ("about=Lena", false),
        ("desk=support", true),
        ("desk=other", false),
        ("channel=whatsapp", true),
        ("channel=sms", false),
        ("window=open", true),
        ("window=soon", false),
        ("window=ended", false),
        ("sends=held", false),
        ("sends=failed", false),
    ] {
        let page = viewer.get(&format!("/conversations?{query}")).await;
        assert_eq!(page.text.contains("Noa Lind"), shown, "{query}");
    }
    // The account is among the connections, with the desks that it serves.
    let overview = viewer.get("/").await;
    overview.says("bird MessageBird");
    overview.says("Desks support");
    // Whoever looks for the request finds the conversation.
    let why = viewer.get(&format!("/why?q={request}")).await;
    assert!(why.goes_to().starts_with("/conversations/bird/"));
    // The request's panel shows it, though its project is joined to no workspace.
    let panel = viewer.get(&format!("/issues/acme-jira/{request}")).await;
    panel.says("On a messaging channel");
    // The project is joined to no workspace, so nothing is said of one.
    assert!(!panel.text.contains("Intercom"), "{}", panel.words());
    panel.says("An answer is possible until");
    assert!(panel.text.contains("href=\"/conversations/bird/"));
    let wrong = viewer.get("/conversations?about=x").await;
    wrong.says("is neither a request's key");
    assert_eq!(viewer.get("/conversations/bird/nobody/1").await.status, 404);
    assert_eq!(viewer.get("/conversations/bird/nobody/x").await.status, 404);
}

async fn a_held_message_is_sent_again_once_by_a_person(on: On) {
    let (talk, request) = held(on).await;
    let key = talk.outbound(&request).await[0].key.clone();
    let mut viewer = Browser::signed_in(&talk.stage, "viewer").await;
    let (path, page) = conversation(&mut viewer).await;
    page.says("! not known whether sent");
    assert!(!page.text.contains("Send again"), "viewers see");
    let sends = format!("{path}/sends");
    let refused = send(&mut viewer, &sends, &decided(&key, "again")).await;
    assert_eq!(refused.status, 403);

    let mut agent = Browser::signed_in(&talk.stage, "agent").await;
    let (_, page) = conversation(&mut agent).await;
    page.says("It arrived: do not send again");
    let problems = agent.get("/problems").await;
    problems.says("It is not known whether messages reached customers");
    problems.says("To Noa Lind");
    problems.says("Send again It arrived: do not send again");
    let list = agent.get("/conversations?sends=held").await;
    list.says("1 message to decide about");

    let unknown = EffectKey::stored("talk-send/bird/x/1/y");
    let nothing = send(&mut agent, &sends, &decided(&unknown, "again")).await;
    assert_eq!(nothing.status, 404);
    let odd = send(&mut agent, &sends, &decided(&key, "burn")).await;
    assert_eq!(odd.status, 400);
    for _ in 0..2 {
        // A second press before the page is loaded anew makes nothing more.
        let done = send(&mut agent, &sends, &decided(&key, "again")).await;
        assert_eq!(done.status, 303, "{}", done.words());
    }
    assert_eq!(talk.phone_shows(1).await, ["Which model?"]);
    talk.settled().await;
    assert_eq!(talk.received(), ["Which model?"], "one new effect");
    assert_eq!(talk.outbound(&request).await.len(), 2);
    assert_eq!(resolution(&talk, &key).await, Some(Resolution::SentAgain));
    let late = send(&mut agent, &sends, &decided(&key, "arrived")).await;
    assert!(
        late.goes_to().ends_with("?done=settled"),
        "{}",
        late.goes_to()
    );

    let (_, page) = conversation(&mut agent).await;
    page.says("Sent again as a message of its own: agent@example.com");
    assert!(
        !page.text.contains("It arrived: do not"),
        "it is dealt with"
    );
    let problems = agent.get("/problems").await;
    assert!(!problems.text.contains("messages reached customers"));
    let mut owner = Browser::signed_in(&talk.stage, "owner").await;
    let audit = owner.get("/audit?what=message_sent_again").await;
    audit.says("agent@example.com");
    audit.says(&request);
}

async fn a_held_message_that_arrived_is_let_be(on: On) {
    let (talk, request) = held(on).await;
    let key = talk.outbound(&request).await[0].key.clone();
    let mut agent = Browser::signed_in(&talk.stage, "agent").await;
    let (path, _) = conversation(&mut agent).await;
    let mut fields = decided(&key, "arrived").to_vec();
    fields.push(("back", "problems".to_owned()));
    let done = send(&mut agent, &format!("{path}/sends"), &fields).await;
    assert_eq!(done.goes_to(), "/problems?done=let-be");
    talk.settled().await;
    assert_eq!(resolution(&talk, &key).await, Some(Resolution::Arrived));
    assert_eq!(talk.received().len(), 0, "nothing was sent");
    let (_, page) = conversation(&mut agent).await;
    page.says("It arrived, as was found out; it is not sent again: agent@example.com");
    let panel = agent.get(&format!("/issues/acme-jira/{request}")).await;
    panel.says("! not known whether sent");
    panel.says("It arrived, as was found out; it is not sent again.");
    let problems = agent.get(done.goes_to()).await;
    problems.says("Noted. The message is not sent again.");
    assert!(!problems.text.contains("messages reached customers"));
}

async fn what_cannot_be_sent_now_says_why(on: On) {
    let (talk, request) = failed(on).await;
    let key = talk.outbound(&request).await[0].key.clone();
    talk.agent().transition(&request, "Resolved", None).unwrap();
    talk.settled().await;
    let mut agent = Browser::signed_in(&talk.stage, "agent").await;
    let (path, page) = conversation(&mut agent).await;
    page.says("× failed");
    page.says("It cannot be sent again: the conversation has ended.");
    page.says("Not wanted any more");
    let sends = format!("{path}/sends");
    let refused = send(&mut agent, &sends, &decided(&key, "again")).await;
    assert!(refused.goes_to().ends_with("?done=not-now"));
    let dropped = send(&mut agent, &sends, &decided(&key, "drop")).await;
    assert!(dropped.goes_to().ends_with("?done=let-be"));
    talk.settled().await;
    assert_eq!(resolution(&talk, &key).await, Some(Resolution::Dropped));
}

async fn after_the_window_the_approved_message_is_sent_by_a_button(on: On) {
    let desk = "window_template = \"reopen\"\nwindow_template_values = [\"{key}\"]\n\
        window_template_text = \"There is news about {{1}}. Answer to hear it.\"\n";
    let talk = Talk::with(on, |_| (), desk).await;
    let old = talk.bird().now_ms() - 25 * 60 * 60 * 1_000;
    let text = Inbound::Text("My router is red".to_owned());
    talk.noa().sends_at(text, old);
    let request = talk.request(1).await;
    talk.settled().await;
    let news = format!("There is news about {request}. Answer to hear it.");
    let mut agent = Browser::signed_in(&talk.stage, "agent").await;
    let (path, page) = conversation(&mut agent).await;
    page.says("not until they write again");
    page.says(&news);
    page.says("Send the approved message");
    let approved = format!("{path}/approved");
    let done = agent.send(&approved, &[]).await;
    assert!(
        done.goes_to().ends_with("?done=approved"),
        "{}",
        done.words()
    );
    assert_eq!(talk.phone_shows(1).await, [news.as_str()]);
    talk.settled().await;
    talk.noa().writes("Tell me");
    talk.settled().await;
    let (_, page) = conversation(&mut agent).await;
    assert!(!page.text.contains("Send the approved message"));
    let late = agent.send(&approved, &[]).await;
    assert!(late.goes_to().ends_with("?done=not-now"));
    let mut owner = Browser::signed_in(&talk.stage, "owner").await;
    owner
        .get("/audit?what=approved_sent")
        .await
        .says("agent@example.com");
}

async fn the_command_lists_sends_again_and_discards(on: On) {
    let (talk, request) = failed(on).await;
    let key = talk.outbound(&request).await[0].key.to_string();
    let listed = run(&talk.stage, &["sends", "list"]).await.good();
    assert!(
        listed.contains("Which model?") && listed.contains(&key),
        "{listed}"
    );
    assert!(
        listed.contains("failed") && listed.contains(&request),
        "{listed}"
    );
    let held = run(&talk.stage, &["sends", "list", "--held"]).await.good();
    assert!(held.contains("No messages"), "{held}");
    let again = run(&talk.stage, &["sends", "again", &key]).await.good();
    assert!(again.contains("1 effects"), "{again}");
    assert_eq!(talk.phone_shows(1).await, ["Which model?"]);
    talk.settled().await;
    let twice = run(&talk.stage, &["sends", "again", &key]).await;
    assert_eq!(twice.code, Some(1));
    assert!(twice.err.contains("nothing to decide"), "{}", twice.err);
    let unknown = run(&talk.stage, &["sends", "discard", "talk-send/x"]).await;
    assert!(unknown.err.contains("no such message"), "{}", unknown.err);

    talk.noa().habit(Habit {
        fails: Some(Failure::new(131_026, "Message undeliverable")),
        ..Habit::default()
    });
    talk.agent().comment(&request, "Are you there?").unwrap();
    talk.settled().await;
    let second = talk.outbound(&request).await[2].key.clone();
    let dropped = run(&talk.stage, &["sends", "discard", second.as_str()]).await;
    let dropped = dropped.good();
    assert!(dropped.contains("not to be sent again"), "{dropped}");
    assert_eq!(resolution(&talk, &second).await, Some(Resolution::Dropped));
    let listed = run(&talk.stage, &["sends", "list", "--json"]).await.good();
    assert_eq!(listed, "", "everything is dealt with");
    let mut owner = Browser::signed_in(&talk.stage, "owner").await;
    owner
        .get("/audit?what=message_let_be")
        .await
        .says("the command line");
}

async fn an_end_user_is_blocked_let_in_and_tied_on_their_page(on: On) {
    let talk = Talk::on(on).await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    let mut agent = Browser::signed_in(&talk.stage, "agent").await;
    let path = first_of(&mut agent, "/end-users").await;
    let page = agent.get(&path).await;
    page.says("Telephone number");
    page.says(NOA);
    page.says(&request);

    let done = agent
        .send(&format!("{path}/block"), &[("blocked", "yes")])
        .await;
    assert!(done.goes_to().ends_with("?done=blocked"));
    agent.get("/end-users?state=blocked").await.says("Noa Lind");
    talk.noa().writes("Hello?");
    talk.settled().await;
    assert_eq!(talk.description(&request), ["My router is red"]);
    agent.get(&path).await.says("× blocked");
    let done = agent
        .send(&format!("{path}/block"), &[("blocked", "no")])
        .await;
    assert!(done.goes_to().ends_with("?done=let-in"));
    talk.noa().writes("It blinks");
    talk.settled().await;
    assert_eq!(
        talk.description(&request),
        ["My router is red", "It blinks"]
    );

    let tie = format!("{path}/customer");
    let wrong = agent
        .send(&tie, &[("customer", "nobody@example.com")])
        .await;
    assert_eq!(wrong.status, 422);
    wrong.says("Jira knows no customer “nobody@example.com”");
    assert!(
        wrong.text.contains("value=\"nobody@example.com\""),
        "it is kept"
    );
    assert_eq!(agent.send(&tie, &[("customer", " ")]).await.status, 422);
    let mut users = talk.stage.jira().users().into_iter();
    let customer = users.find(|user| user.is_customer()).unwrap();
    let done = agent.send(&tie, &[("customer", &customer.email)]).await;
    assert!(done.goes_to().ends_with("?done=tied"), "{}", done.words());
    let page = agent.get(&path).await;
    page.says("They are nobody there");
    let done = agent.send(&tie, &[("do", "untie")]).await;
    assert!(done.goes_to().ends_with("?done=untied"));

    let fields = [("account", "bird"), ("block", "what")];
    let wrong = agent.send("/end-users/block", &fields).await;
    assert_eq!(wrong.status, 422);
    wrong.says("A telephone number in its international form");
    let fields = [("account", "bird"), ("block", "+1 555 9901")];
    let done = agent.send("/end-users/block", &fields).await;
    assert!(done.goes_to().contains("?done=blocked"), "{}", done.words());
    talk.bird().phone("+15559901").writes("Buy this");
    talk.settled().await;
    assert_eq!(talk.requests().len(), 1);

    assert_eq!(agent.get("/end-users/bird/nobody").await.status, 404);
    let gone = agent.send("/end-users/bird/nobody/block", &[("blocked", "yes")]);
    assert_eq!(gone.await.status, 404);
    let mut owner = Browser::signed_in(&talk.stage, "owner").await;
    for what in ["end_user_blocked", "end_user_let_in", "end_user_tied"] {
        let audit = owner.get(&format!("/audit?what={what}")).await;
        audit.says("agent@example.com");
    }
}

async fn desks_are_shown_checked_and_tried(on: On) {
    let talk = Talk::on(on).await;
    let mut viewer = Browser::signed_in(&talk.stage, "viewer").await;
    let page = viewer.get("/desks").await;
    for part in [
        "“Get help” in SUP",
        "any that is done",
        "/hooks/messagebird/bird",
    ] {
        page.says(part);
    }
    assert!(!page.text.contains("Send a test message"));
    let page = viewer.get("/desks?check=support").await;
    page.says("✓ works requests of the type “Get help” can be made");
    talk.require_impact();
    let page = viewer.get("/desks?check=support").await;
    page.says("× to mend the request type “Get help” needs “Impact”");

    let mut owner = Browser::signed_in(&talk.stage, "owner").await;
    let to = |number: &'static str| [("desk", "support"), ("number", number)];
    for (number, why) in [
        ("what", "This is no telephone number"),
        (NOA, "Write to the desk"),
    ] {
        let wrong = owner.send("/desks/test", &to(number)).await;
        assert_eq!(wrong.status, 422);
        wrong.says(why);
    }
    assert_eq!(talk.sent().len(), 0, "nobody but the customer begins");
    talk.stage
        .jira()
        .remove_request_field("SUP", "Get help", "customfield_10099");
    talk.hasten().await;
    talk.noa().writes("Hello");
    talk.request(1).await;
    talk.settled().await;
    let done = owner.send("/desks/test", &to(NOA)).await;
    assert!(done.goes_to().ends_with("?done=test"), "{}", done.words());
    let shown = talk.phone_shows(1).await;
    assert_eq!(shown, ["This is a test message. You need not answer it."]);
    talk.settled().await;
    let page = owner.get(done.goes_to()).await;
    page.says("✓ delivered");
    owner.get("/audit?what=test_message").await.says(NOA);
    // Outside the window nothing is sent either.
    let old = talk.bird().now_ms() - 25 * 60 * 60 * 1_000;
    let other = talk.bird().phone("+15557702").named("Ada");
    other.sends_at(Inbound::Text("Hi".to_owned()), old);
    talk.request(2).await;
    talk.settled().await;
    let wrong = owner.send("/desks/test", &to("+15557702")).await;
    assert_eq!(wrong.status, 422);
}

async fn a_list_goes_on_where_the_page_before_ended(on: On) {
    let talk = Talk::on(on).await;
    for number in 0..51 {
        talk.bird()
            .phone(&format!("+155560{number:02}"))
            .writes("Hello");
    }
    // Many at once: each part has the patience of one wait.
    for number in [10, 20, 30, 40, 51] {
        talk.request(number).await;
    }
    talk.settled().await;
    let mut viewer = Browser::signed_in(&talk.stage, "viewer").await;
    for list in ["/conversations", "/end-users"] {
        let first = viewer.get(list).await;
        let rows = |page: &Page| page.text.matches("<td class=\"issue\"><a href=\"/").count();
        // The list of conversations shows the request beside, as a link of the same kind.
        let per_row = if list == "/conversations" { 2 } else { 1 };
        assert_eq!(rows(&first), 50 * per_row, "{list}");
        let (before, _) = first.text.split_once("\" rel=\"next\"").unwrap();
        let next = before
            .rsplit("href=\"")
            .next()
            .unwrap()
            .replace("&#38;", "&");
        let second = viewer.get(&next).await;
        assert_eq!(rows(&second), per_row, "{list}");
        assert!(!second.text.contains("rel=\"next\""), "{list}");
        second.says("First page");
    }
}

on_both!(
    a_conversation_shows_who_can_read_what_and_how_far_it_came,
    a_held_message_is_sent_again_once_by_a_person,
    a_held_message_that_arrived_is_let_be,
    what_cannot_be_sent_now_says_why,
    after_the_window_the_approved_message_is_sent_by_a_button,
    the_command_lists_sends_again_and_discards,
    an_end_user_is_blocked_let_in_and_tied_on_their_page,
    desks_are_shown_checked_and_tried,
    a_list_goes_on_where_the_page_before_ended
);

#[tokio::test]
async fn a_status_notification_that_failed_is_sent_again_as_it_was() {
    let talk = Talk::on(On::Sqlite).await;
    talk.noa().writes("My router is red");
    let request = talk.request(1).await;
    talk.settled().await;
    talk.noa().habit(Habit {
        fails: Some(Failure::new(131_026, "Message undeliverable")),
        ..Habit::default()
    });
    talk.agent()
        .transition(&request, "Waiting for customer", None)
        .unwrap();
    talk.settled().await;
    talk.noa().habit(Habit::default());
    let key = talk.outbound(&request).await[0].key.clone();
    let mut agent = Browser::signed_in(&talk.stage, "agent").await;
    let (path, page) = conversation(&mut agent).await;
    page.says("By Bowline itself: a change of status, or a test.");
    send(
        &mut agent,
        &format!("{path}/sends"),
        &decided(&key, "again"),
    )
    .await;
    until_async(async || {
        let kept = talk.outbound(&request).await;
        kept.get(1)
            .filter(|one| one.delivery == Delivery::Delivered)
            .cloned()
    })
    .await;
    let shown = talk.phone_shows(1).await;
    assert!(
        shown[0].ends_with("is now: Waiting for customer"),
        "{shown:?}"
    );
}
