//! The issue panel: what it shows, when Intercom is away too; what is written from it; in a frame.

use std::time::Duration;

use bowline::demo::{PANEL_SECRET, PATIENCE, SITE, WORKSPACE, until};
use bowline_sandbox::common::sign::jwt_hs256;
use bowline_sandbox::common::{Fault, FaultKind};
use bowline_sandbox::intercom::NewContact;
use serde_json::{Value, json};

use crate::browser::{Browser, Page};
use crate::failure::fault;
use crate::process::Serving;
use crate::stage::{On, Stage, on_both};

on_both!(
    cards_and_contacts_show_what_intercom_knows,
    a_dead_intercom_leaves_what_was_known,
    a_note_to_all_comes_once_to_each_however_often_it_is_sent
);

/// Reads the panel again and again until it says this.
pub(crate) async fn says(browser: &mut Browser, path: &str, part: &str) -> Page {
    says_all(browser, path, &[part]).await
}

/// Reads the panel again and again until it says all of this: conversations, contacts and companies
/// are read from Intercom one after the other.
async fn says_all(browser: &mut Browser, path: &str, parts: &[&str]) -> Page {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{}", page.words());
        let words = page.words();
        let Some(missing) = parts.iter().find(|part| !words.contains(**part)) else {
            return page;
        };
        let late = tokio::time::Instant::now() >= deadline;
        assert!(!late, "“{missing}” does not come: {words}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn panel(key: &str) -> String {
    format!("/issues/{SITE}/{key}")
}

fn at(conversation: &str) -> String {
    format!("{WORKSPACE}/{conversation}")
}

fn fields(value: &Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

async fn cards_and_contacts_show_what_intercom_knows(on: On) {
    let stage = Stage::on(on, |plan| {
        "visible_fields.user = [\"plan\", \"email\", \"last_seen_at\"]\n\
             visible_fields.company = [\"website\", \"renews_at\"]"
            .clone_into(&mut plan.binding);
    })
    .await;
    let noa = stage.intercom().contact_of(&stage.conversation());
    stage.intercom().describe(
        &noa,
        fields(
            &json!({ "last_seen_at": 1_764_000_000, "phone": "+46 555 0100",
            "custom_attributes": { "plan": "Pro", "margin": "secret-margin" } }),
        ),
    );
    let company = stage.intercom().create_company("Lind AB", &noa).unwrap();
    stage.intercom().describe(
        &company,
        fields(
            &json!({ "website": "https://lind.example.com", "monthly_spend": 98_765,
            "custom_attributes": { "renews_at": 1_764_000_000 } }),
        ),
    );
    let (issue, conversation) = stage.linked().await;
    stage
        .intercom()
        .assign(&conversation, &stage.teammate(), &stage.teammate())
        .unwrap();
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let page = says(&mut browser, &panel(&issue), "Conversation with Noa Lind").await;
    assert!(page.text.len() < 150_000);
    let parts = [
        "Assigned to Ada Moreau",
        "Export button does nothing",
        "The export button does nothing.",
        "open",
        "last activity",
        "Noa Lind USER",
        "plan CUSTOM Pro",
        "Email noa@example.com",
        "Last seen 24 Nov 2025, 16:00:00",
        "Lind AB Company website https://lind.example.com renews_at CUSTOM 24 Nov 2025, 16:00:00",
        "as in Intercom",
        "Post a note",
        "read by: internal: teammates only",
    ];
    let page = says_all(&mut browser, &panel(&issue), &parts).await;
    for address in [
        format!("/inbox/conversation/{conversation}"),
        format!("/a/apps/sbx00001/users/{noa}\" target=\"_blank\""),
    ] {
        assert!(page.text.contains(&address), "{address}");
    }
    // What is not listed does not leave the server.
    for hidden in ["+46 555 0100", "secret-margin", "98765", "Example Shop"] {
        assert!(!page.text.contains(hidden), "{hidden}");
    }
    assert!(page.text.contains("What the customer pays for."));
}

/// Nobody at Intercom answers from now on.
pub(crate) fn silence(stage: &Stage, kind: FaultKind) {
    stage.intercom().faults().add(Fault {
        method: None,
        path_contains: None,
        times: None,
        skip: 0,
        kind,
    });
}

async fn a_dead_intercom_leaves_what_was_known(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, _) = stage.linked().await;
    let mut browser = Browser::signed_in(&stage, "agent").await;
    says(&mut browser, &panel(&issue), "Email noa@example.com").await;
    silence(&stage, FaultKind::Hang);
    let asked = tokio::time::timeout(PATIENCE, browser.get(&panel(&issue))).await;
    let page = asked.expect("what is known is shown at once");
    page.says("Conversation with Noa Lind");
    page.says("Email noa@example.com");
    // Its age counts; it is read again, in vain, and that is said beside what is known.
    stage.make_readings_old().await;
    silence(&stage, FaultKind::DropBefore);
    stage.intercom().faults().remove(1);
    let page = says(&mut browser, &panel(&issue), "not all of it could be read").await;
    page.says("did not answer as needed");
    page.says("Conversation with Noa Lind");
    page.says("Email noa@example.com");
}

#[tokio::test]
async fn a_conversation_that_is_gone_is_shown_by_its_id() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    let (_, other) = (issue.clone(), stage.conversation());
    stage
        .lena()
        .comment(&issue, stage.address(&other).as_str())
        .unwrap();
    stage.note(&other, &["linked ", &issue]).await;
    stage.settled().await;
    stage.intercom().set_topics(&[]);
    stage.intercom().delete_conversation(&conversation).unwrap();
    let mut browser = Browser::signed_in(&stage, "agent").await;
    let page = says(
        &mut browser,
        &panel(&issue),
        "Intercom has no such thing any more",
    )
    .await;
    page.says(&format!("Conversation {conversation}"));
    let page = says(&mut browser, &panel(&issue), "Conversation with Noa Lind").await;
    assert!(page.text.contains(&format!(
        "aria-label=\"Unlink conversation {conversation}\""
    )));
    let form = [
        ("workspace", WORKSPACE),
        ("conversation", conversation.as_str()),
    ];
    let page = browser
        .send(&format!("{}/unlink", panel(&issue)), &form)
        .await;
    assert_eq!(page.goes_to(), format!("{}?done=unlinked", panel(&issue)));
    stage.settled().await;
    assert_eq!(stage.links(&issue).await, [other]);
}

#[tokio::test]
async fn a_merged_conversation_leads_its_link_on() {
    let stage = Stage::cloud().await;
    let (issue, merged) = stage.linked().await;
    let survivor = stage.conversation();
    stage.settled().await;
    stage
        .intercom()
        .merge_conversations(&merged, &survivor)
        .unwrap();
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let part = format!("/inbox/conversation/{survivor}");
    let shown = async {
        loop {
            if browser.get(&panel(&issue)).await.text.contains(&part) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, shown)
        .await
        .expect("the link is led on");
    stage.settled().await;
    assert_eq!(stage.links(&issue).await, [survivor]);
}

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

#[tokio::test]
async fn a_whole_conversation_is_read_with_its_notes_marked_and_its_files() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    let intercom = stage.intercom();
    let base = stage.world.sandbox.intercom.url();
    let file = (
        "über.html",
        "text/html",
        b"<script>alert(1)</script>".as_slice(),
    );
    let part = intercom.customer_file(&conversation, &base, file).unwrap();
    intercom
        .teammate_reply(
            &conversation,
            &stage.teammate(),
            "<p>We <b>look</b> at it.</p>",
        )
        .unwrap();
    intercom.close(&conversation, &stage.teammate()).unwrap();
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let path = format!("{}/conversations/{conversation}", panel(&issue));
    let page = browser.get(&path).await;
    for words in [
        "Noa Lind user",
        "The export button does nothing.",
        "Internal note",
        "created ENG-1",
        "We look at it.",
        "closed it",
        "closed",
    ] {
        page.says(words);
    }
    let link = format!("{path}/files/{part}/0");
    assert!(page.text.contains(&link), "{}", page.text);
    let download = browser.get(&link).await;
    assert_eq!(
        (download.status, download.text.as_str()),
        (200, "<script>alert(1)</script>")
    );
    assert_eq!(download.header("content-type"), "application/octet-stream");
    assert_eq!(
        download.header("content-disposition"),
        "attachment; filename*=UTF-8''%C3%BCber.html"
    );
    assert!(
        download
            .header("content-security-policy")
            .contains("sandbox")
    );
    for (path, status) in [
        (format!("{path}/files/{part}/1"), 404),
        (format!("{}/conversations/1", panel(&issue)), 404),
    ] {
        assert_eq!(browser.get(&path).await.status, status, "{path}");
    }
    silence(&stage, FaultKind::DropBefore);
    browser
        .get(&path)
        .await
        .says("Intercom did not answer as needed");

    let closed = Stage::binding("conversation_view = false").await;
    let (issue, conversation) = closed.linked().await;
    let mut browser = Browser::signed_in(&closed, "owner").await;
    let page = says(&mut browser, &panel(&issue), "Conversation with Noa Lind").await;
    let path = format!("{}/conversations/{conversation}", panel(&issue));
    assert!(!page.text.contains(&path));
    assert_eq!(browser.get(&path).await.status, 403);
}

#[tokio::test]
async fn a_panel_that_is_switched_off_shows_and_does_nothing() {
    let stage = Stage::binding("panel = false").await;
    let (issue, conversation) = stage.linked().await;
    let mut browser = Browser::signed_in(&stage, "agent").await;
    let page = browser.get(&panel(&issue)).await;
    page.says("The panel is switched off");
    assert!(!page.text.contains("noa@example.com"));
    let to = at(&conversation);
    let form = [("note", "x"), ("note_to", to.as_str())];
    let page = browser
        .send(&format!("{}/note", panel(&issue)), &form)
        .await;
    assert_eq!(page.status, 403);
    browser
        .get(&format!("/issues/{SITE}/OPS-1"))
        .await
        .says("is not joined to an Intercom workspace");
    assert_eq!(browser.get("/issues/nowhere/ENG-1").await.status, 404);
}

async fn a_note_to_all_comes_once_to_each_however_often_it_is_sent(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, one) = stage.linked().await;
    let other = stage.conversation();
    stage
        .lena()
        .comment(&issue, stage.address(&other).as_str())
        .unwrap();
    stage.settled().await;
    let before = [stage.texts(&one).len(), stage.texts(&other).len()];
    let mut browser = Browser::signed_in(&stage, "agent").await;
    let path = format!("{}/note", panel(&issue));
    let form = [
        ("note", "Fixed <soon>.\nTell them."),
        ("note_all", "yes"),
        ("once", "abc"),
    ];
    stage
        .intercom()
        .faults()
        .add(fault("POST", "/reply", 0, 1, FaultKind::DropAfter));
    let first = browser.send(&path, &form).await;
    let again = browser.send(&path, &form).await;
    assert_eq!(first.goes_to(), format!("{}?done=noted", panel(&issue)));
    assert_eq!(again.goes_to(), format!("{}?done=written", panel(&issue)));
    let text = "The agent wrote Fixed <soon>. Tell them. on ENG-1";
    for conversation in [&one, &other] {
        stage.note(conversation, &[text]).await;
    }
    stage.settled().await;
    let after = [stage.texts(&one).len(), stage.texts(&other).len()];
    assert_eq!(after, before.map(|count| count + 1));

    // Into one of them only, and another writing with the same words is another one.
    let to = at(&other);
    let some = [
        ("note", "Fixed <soon>.\nTell them."),
        ("note_to", to.as_str()),
        ("once", "abd"),
    ];
    browser.send(&path, &some).await;
    stage.settled().await;
    let after = [stage.texts(&one).len(), stage.texts(&other).len()];
    assert_eq!(after, [before[0] + 1, before[1] + 2]);

    for (form, words) in [
        (
            vec![("note", " "), ("note_all", "yes")],
            "Write something first.",
        ),
        (
            vec![("note", "kept words")],
            "Choose at least one conversation",
        ),
    ] {
        let page = browser.send(&path, &form).await;
        assert_eq!(page.status, 422);
        page.says(words);
    }
    let page = browser.send(&path, &[("note", "kept words")]).await;
    assert!(page.text.contains(">kept words</textarea>"));
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let page = owner.get("/audit").await;
    assert_eq!(
        page.words().matches("Note written by hand ENG-1").count(),
        2,
        "{}",
        page.words()
    );
}

#[tokio::test]
async fn a_note_survives_a_kill_and_comes_once() {
    let mut stage = Stage::cloud().await;
    let (issue, one) = stage.linked().await;
    let other = stage.conversation();
    stage
        .lena()
        .comment(&issue, stage.address(&other).as_str())
        .unwrap();
    stage.settled().await;
    let before = [stage.texts(&one).len(), stage.texts(&other).len()];
    let mut browser = Browser::signed_in(&stage, "agent").await;
    stage.stop().await;
    let mut serving = Serving::start(&stage).await;
    browser.at(serving.addr);
    let slow = FaultKind::DelayAfter { ms: 400 };
    stage
        .intercom()
        .faults()
        .add(fault("POST", "/reply", 0, 2, slow));
    let path = format!("{}/note", panel(&issue));
    let form = [
        ("note", "Through the kill."),
        ("note_all", "yes"),
        ("once", "k"),
    ];
    assert_eq!(browser.send(&path, &form).await.status, 303);
    // The first bytes have left, the answer is not here yet.
    let left = until(|| {
        let came = |at: &str| stage.texts(at).iter().any(|text| text.contains("Through"));
        (came(&one) || came(&other)).then_some(())
    });
    left.await.expect("a note is on its way");
    serving.kill().await;
    let serving = Serving::start(&stage).await;
    browser.at(serving.addr);
    assert_eq!(
        browser.send(&path, &form).await.goes_to(),
        format!("{}?done=written", panel(&issue))
    );
    for conversation in [&one, &other] {
        stage.note(conversation, &["Through the kill."]).await;
    }
    crate::operations::idle(&stage, &serving).await;
    let after = [stage.texts(&one).len(), stage.texts(&other).len()];
    assert_eq!(after, before.map(|count| count + 1));
}

fn answers(stage: &Stage, conversation: &str) -> Vec<String> {
    let parts = stage.intercom().parts(conversation);
    parts
        .into_iter()
        .filter(|part| part.author_type == "admin" && part.part_type == "comment")
        .filter_map(|part| part.body)
        .collect()
}

#[tokio::test]
async fn an_answer_reaches_the_customer_once_or_waits_for_a_person() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    let mut browser = Browser::signed_in(&stage, "agent").await;
    let page = says(&mut browser, &panel(&issue), "Conversation with Noa Lind").await;
    page.says("Visible to the customer Noa Lind");
    let path = format!("{}/answer", panel(&issue));
    let to = at(&conversation);
    let send = |text: &'static str, once: &'static str| {
        vec![("answer", text), ("answer_to", to.as_str()), ("once", once)]
    };
    for _ in 0..2 {
        assert_eq!(
            browser
                .send(&path, &send("It works & how.", "1"))
                .await
                .status,
            303
        );
    }
    stage.settled().await;
    assert_eq!(
        answers(&stage, &conversation),
        ["<p>It works &amp; how.</p>"]
    );

    // Done, and the answer lost: it is found there.
    let lost = fault("POST", "/reply", 0, 1, FaultKind::DropAfter);
    stage.intercom().faults().add(lost);
    browser.send(&path, &send("Found again.", "2")).await;
    stage.settled().await;
    assert_eq!(answers(&stage, &conversation).len(), 2);

    // Not done, for all that is known: nothing is repeated by itself.
    let never = fault("POST", "/reply", 0, 1, FaultKind::DropBefore);
    stage.intercom().faults().add(never);
    browser.send(&path, &send("Did it arrive?", "3")).await;
    stage.settled().await;
    assert_eq!(answers(&stage, &conversation).len(), 2);
    let page = says(&mut browser, &panel(&issue), "waits for you").await;
    let (_, rest) = page.text.split_once("name=\"effect\" value=\"").unwrap();
    let effect = rest.split('"').next().unwrap().to_owned();
    page.says("It is not known whether the customer got it");
    browser
        .get("/problems")
        .await
        .says("An answer to a customer waits");
    let mut viewer = Browser::signed_in(&stage, "viewer").await;
    let seen = viewer.get(&panel(&issue)).await;
    assert!(
        !seen.text.contains("name=\"effect\""),
        "viewers have no buttons"
    );

    let held = format!("{}/held", panel(&issue));
    let again = [("effect", effect.as_str()), ("do", "again")];
    for done in ["again", "gone"] {
        let page = browser.send(&held, &again).await;
        assert_eq!(page.goes_to(), format!("{}?done={done}", panel(&issue)));
        stage.settled().await;
    }
    assert_eq!(answers(&stage, &conversation).len(), 3);
    let page = browser.get(&panel(&issue)).await;
    assert!(!page.text.contains("waits for you"));

    // Or the person finds that it arrived.
    let never = fault("POST", "/reply", 0, 1, FaultKind::DropBefore);
    stage.intercom().faults().add(never);
    browser.send(&path, &send("Told by phone.", "4")).await;
    stage.settled().await;
    let page = says(&mut browser, &panel(&issue), "waits for you").await;
    let (_, rest) = page.text.split_once("name=\"effect\" value=\"").unwrap();
    let effect = rest.split('"').next().unwrap().to_owned();
    let arrived = [("effect", effect.as_str()), ("do", "arrived")];
    browser.send(&held, &arrived).await;
    stage.settled().await;
    assert_eq!(answers(&stage, &conversation).len(), 3);
    let page = browser.get(&panel(&issue)).await;
    assert!(!page.text.contains("waits for you"));
    page.says("says that the customer got it");
}

#[tokio::test]
async fn viewers_look_and_agents_write() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    let mut viewer = Browser::signed_in(&stage, "viewer").await;
    let page = says(&mut viewer, &panel(&issue), "Conversation with Noa Lind").await;
    for form in ["/note", "/answer", "/link", "/unlink"] {
        assert!(
            !page.text.contains(&format!("{}{form}\"", panel(&issue))),
            "{form}"
        );
    }
    let to = at(&conversation);
    for (path, form) in [
        ("note", vec![("note", "x"), ("note_all", "yes")]),
        ("answer", vec![("answer", "x"), ("answer_to", to.as_str())]),
        ("link", vec![("conversation", "1")]),
        ("held", vec![("effect", "1"), ("do", "again")]),
    ] {
        let page = viewer
            .send(&format!("{}/{path}", panel(&issue)), &form)
            .await;
        assert_eq!(page.status, 403, "{path}");
    }
    stage.settled().await;
    assert_eq!(stage.texts(&conversation).len(), 1);
    assert!(answers(&stage, &conversation).is_empty());
}

#[tokio::test]
async fn a_conversation_is_found_by_its_words_and_linked() {
    let stage = Stage::cloud().await;
    let (issue, first) = stage.linked().await;
    let mia = NewContact::user("Mia Holm", "mia@example.com");
    let mia = stage.intercom().create_contact(mia).unwrap();
    let other = stage
        .intercom()
        .create_conversation(&mia, "Invoices vanish")
        .unwrap();
    let mut browser = Browser::signed_in(&stage, "agent").await;
    for words in ["vanish", "mia@example.com", "Mia"] {
        let page = browser
            .get(&format!("{}?find={words}", panel(&issue)))
            .await;
        page.says("Mia Holm");
        page.says("Invoices vanish");
    }
    let none = browser
        .get(&format!("{}?find=nonsense", panel(&issue)))
        .await;
    none.says("No conversation began with “nonsense”");
    let path = format!("{}/link", panel(&issue));
    let page = browser.send(&path, &[("conversation", "nonsense")]).await;
    assert_eq!(page.status, 422);
    page.says("“nonsense” is no conversation");
    let page = browser
        .send(&path, &[("conversation", other.as_str())])
        .await;
    assert_eq!(page.goes_to(), format!("{}?done=linked", panel(&issue)));
    stage.settled().await;
    assert_eq!(stage.links(&issue).await, [first, other]);
}

#[tokio::test]
async fn a_frame_shows_the_issue_of_its_token_to_its_person_only() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    let other = stage.issue("Another one.");
    stage.settled().await;
    let id = stage.jira().issue(&issue).unwrap().id.to_string();
    let now = jiff::Timestamp::now().as_second();
    let token = |change: &dyn Fn(&mut Value)| {
        let mut claims = json!({ "aud": "bowline-panel", "sub": "lena@example.com", "site": SITE,
            "issue": id, "may": ["read", "notes"], "iat": now, "exp": now + 300 });
        change(&mut claims);
        jwt_hs256(PANEL_SECRET, &claims)
    };
    let good = token(&|_| ());
    let mut browser = Browser::new(&stage);
    let frame = |key: &str, token: &str| format!("/embed/issues/{SITE}/{key}?token={token}");
    let page = says(
        &mut browser,
        &frame(&issue, &good),
        "Conversation with Noa Lind",
    )
    .await;
    let jira = stage.world.sandbox.jira.url();
    let policy = page.header("content-security-policy");
    assert!(
        policy.ends_with(&format!("frame-ancestors {jira}")),
        "{policy}"
    );
    assert_eq!(page.header("x-frame-options"), "");
    assert!(
        !page.text.contains("/deliveries"),
        "no page leads out of the frame"
    );
    assert!(!page.text.contains("Send to the customer"));

    let ended = token(&|claims| claims["exp"] = json!(now - 1));
    let long = token(&|claims| claims["exp"] = json!(now + 86_400));
    let blind = token(&|claims| claims["may"] = json!([]));
    let elsewhere = token(&|claims| claims["site"] = json!("other"));
    let forged = jwt_hs256("another-secret-of-32-letters-or-so", &json!({}));
    for (token, why) in [
        (ended.as_str(), "the token has ended"),
        (&long, "lives longer than a token may"),
        (&blind, "does not allow you to look at this"),
        (&elsewhere, "speaks of another issue"),
        (&forged, "not signed as it must be"),
        ("", "not signed as it must be"),
    ] {
        let page = browser.get(&frame(&issue, token)).await;
        assert_eq!(page.status, 403, "{why}");
        page.says(why);
    }
    let page = browser.get(&frame(&other, &good)).await;
    assert_eq!(page.status, 403);
    page.says("speaks of another issue");

    // Notes are allowed, answers are not.
    let post = |what: &str| format!("/embed/issues/{SITE}/{issue}/{what}");
    let form = [
        ("token", good.as_str()),
        ("note", "From the frame."),
        ("note_all", "yes"),
    ];
    let page = browser.post(&post("note"), &form, &[]).await;
    assert_eq!(page.status, 303, "{}", page.words());
    stage
        .note(&conversation, &["lena@example.com wrote From the frame."])
        .await;
    let to = at(&conversation);
    let form = [
        ("token", good.as_str()),
        ("answer", "x"),
        ("answer_to", to.as_str()),
    ];
    assert_eq!(browser.post(&post("answer"), &form, &[]).await.status, 403);
    let form = [
        ("token", ended.as_str()),
        ("note", "x"),
        ("note_all", "yes"),
    ];
    assert_eq!(browser.post(&post("note"), &form, &[]).await.status, 403);
    let mut owner = Browser::signed_in(&stage, "owner").await;
    owner
        .get("/audit")
        .await
        .says("lena@example.com by a panel in a frame");
    // The pages for those who are signed in stand in nobody's frame.
    let page = owner.get(&panel(&issue)).await;
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(
        page.header("content-security-policy")
            .ends_with("frame-ancestors 'none'")
    );
    let jira_page = stage.client().get(format!("{jira}/browse/{issue}"));
    let jira_page = jira_page.send().await.unwrap().text().await.unwrap();
    assert!(jira_page.contains(&format!("/embed/issues/{SITE}/{issue}?token=")));
}
