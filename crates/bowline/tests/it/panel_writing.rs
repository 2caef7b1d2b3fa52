//! The issue panel: notes, answers and links that people make from it.

use bowline::demo::until;
use bowline_sandbox::common::FaultKind;
use bowline_sandbox::intercom::NewContact;

use crate::browser::Browser;
use crate::failure::fault;
use crate::panel::{at, panel, says};
use crate::process::Serving;
use crate::stage::{On, Stage, on_both};

on_both!(
    a_note_to_all_comes_once_to_each_however_often_it_is_sent,
    however_many_answers_wait_they_are_counted
);

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
            vec![("note", "x"), ("note_all", "yes"), ("note_to", to.as_str())],
            "All conversations are chosen, and single ones too.",
        ),
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

async fn however_many_answers_wait_they_are_counted(on: On) {
    const ISSUES: usize = 1_100;
    let stage = Stage::on(on, |_| ()).await;
    let numbers = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ISSUES})"
    );
    let issues = format!(
        "INSERT INTO issue (site, issue, key, project, summary, scanned, deleted, links_version) \
         {numbers} SELECT 'acme-jira', 'i' || i, 'OLD-' || (1000 + i), 'OLD', '', 1, 0, 0 FROM n"
    );
    let effects = format!(
        "INSERT INTO effect (key, event, lane, connection, site, issue, act, state, doubtful, \
           attempts, planned_at, settled_at) \
         {numbers} SELECT 'k' || i, 1, 'l', 'workspace/acme', 'acme-jira', 'i' || i, \
           '{{\"act\":\"reply\",\"workspace\":\"acme\",\"conversation\":\"7\",\
           \"audience\":\"customer\",\"html\":\"<p>Mended.</p>\"}}', 6, 0, 1, 1, 1 FROM n"
    );
    let url = stage.world.config().unwrap().database.url();
    let url = secrecy::ExposeSecret::expose_secret(&url).to_owned();
    for sql in [&issues, &effects] {
        bowline_store::testing::execute(&url, sql).await.unwrap();
    }
    let mut browser = Browser::signed_in(&stage, "agent").await;
    let page = browser.get("/problems").await;
    page.says(&format!("{ISSUES} answers are waiting, at OLD-1001, "));
    page.says(&format!("and {} more issues", ISSUES - 5));
    page.says(&format!("{} more wait on other pages.", ISSUES - 20));
    let page = browser.get("/problems?answers=acme-jira%2FOLD-2100").await;
    page.says("OLD-2100");
    page.says(&format!("{} more wait on other pages.", ISSUES - 1));
}

#[tokio::test]
async fn all_answers_that_wait_are_reached_from_the_problems() {
    const OF_ONE: usize = 20;
    let stage = Stage::cloud().await;
    let (first, conversation) = stage.linked().await;
    let (second, other) = stage.linked().await;
    let mut browser = Browser::signed_in(&stage, "agent").await;
    let count = u32::try_from(OF_ONE + 2).unwrap();
    let never = fault("POST", "/reply", 0, count, FaultKind::DropBefore);
    stage.intercom().faults().add(never);
    for number in 0..OF_ONE + 2 {
        let (issue, to) = if number < OF_ONE {
            (&first, at(&conversation))
        } else {
            (&second, at(&other))
        };
        let (text, once) = (format!("Answer {number}."), number.to_string());
        let form = [
            ("answer", text.as_str()),
            ("answer_to", &to),
            ("once", &once),
        ];
        browser
            .send(&format!("{}/answer", panel(issue)), &form)
            .await;
    }
    stage.settled().await;
    let page = browser.get("/problems").await;
    page.says("Answers to customers wait for a person");
    page.says(&format!("22 answers are waiting, at {first}, {second}."));
    page.says("Answer 19.");
    page.says("2 more wait on other pages.");
    assert!(!page.words().contains("Answer 20."));
    let next = format!("/problems?answers=acme-jira%2F{second}");
    assert!(page.text.contains(&next), "{}", page.text);
    let page = browser.get(&next).await;
    page.says("Answer 20.");
    page.says("Answer 21.");
    assert!(!page.words().contains("Answer 19."));
    browser
        .get("/deliveries?outcome=effect:held")
        .await
        .says(&first);

    // Who decides about one there comes back there.
    let (_, rest) = page.text.split_once("name=\"effect\" value=\"").unwrap();
    let effect = rest.split('"').next().unwrap();
    let form = [("effect", effect), ("back", "problems"), ("do", "arrived")];
    let held = format!("{}/held", panel(&second));
    for (goes_to, words) in [
        ("/problems?done=held-arrived", "It counts as arrived."),
        ("/problems?done=held-gone", "It was decided about already"),
    ] {
        let done = browser.send(&held, &form).await;
        assert_eq!(done.goes_to(), goes_to);
        browser.get(goes_to).await.says(words);
        stage.settled().await;
    }
    let page = browser.get("/problems").await;
    page.says("21 answers are waiting");
    page.says("1 more waits on other pages.");
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
    let why = browser.get(&format!("/why?q={issue}")).await;
    why.says("The agent, in the issue panel");
}
