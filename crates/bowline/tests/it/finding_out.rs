//! Looking in, and finding out why nothing was posted.

use bowline_sandbox::jira::NewComment;
use url::form_urlencoded::Serializer;

use crate::browser::{Browser, Page};
use crate::connections::becomes;
use crate::stage::{On, Stage, on_both};

/// The largest page with all that it loads, in bytes.
const PAGE_BYTES_MAX: usize = 150_000;

on_both!(
    an_issue_says_what_was_told_of_it_and_what_not,
    a_delivery_tells_its_decision_its_effects_and_their_attempts,
    links_are_made_and_ended_by_hand
);

async fn an_issue_says_what_was_told_of_it_and_what_not(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let why = format!("/why?q={issue}");
    browser
        .get(&why)
        .await
        .says("was told. Nothing is missing.");

    stage
        .priya()
        .comment_with(&issue, NewComment::internal("for us only"))
        .unwrap();
    stage.settled().await;
    let page = browser.get(&why).await;
    page.says("was not told: The comment is internal or restricted");
    assert!(
        !page.text.contains("for us only"),
        "what is restricted is not shown"
    );

    // From the other end: by the conversation's address, and by its number.
    let mut address = url::form_urlencoded::Serializer::new(String::new());
    address.append_pair("q", &stage.address(&conversation));
    for path in [
        format!("/why?{}", address.finish()),
        format!("/why?q={conversation}"),
    ] {
        let page = browser.get(&path).await;
        page.says("It is linked to one issue.");
        page.says(&issue);
    }

    let alone = stage.issue("Nothing pasted.");
    stage.settled().await;
    browser
        .get(&format!("/why?q={alone}"))
        .await
        .says("No conversation is linked to");
    browser
        .get("/why?q=ENG-999")
        .await
        .says("Bowline has never heard of ENG-999.");
    browser
        .get("/why?q=XYZ-1")
        .await
        .says("The project XYZ is not joined to a workspace.");
    // The answer leads to where it is mended, and what is neither is looked for elsewhere.
    for (query, path) in [
        ("XYZ-1", "/bindings"),
        ("ENG-999", "/connections/site/acme-jira"),
        ("hello", "/contacts?q=hello"),
        ("hello", "/feedback?q=hello&amp;status=all"),
        ("%2B15557701", "/end-users?number=%2B15557701"),
    ] {
        let page = browser.get(&format!("/why?q={query}")).await;
        let (_, content) = page.text.split_once("<main").unwrap();
        let link = format!("href=\"{path}\"").replace("&amp;", "&#38;");
        assert!(content.contains(&link), "{path}: {content}");
    }
    browser
        .get("/why?q=hello")
        .await
        .says("is neither an issue's key nor a conversation");
    assert_eq!(
        browser.get(&format!("/search?q={issue}")).await.goes_to(),
        why
    );
}

#[tokio::test]
async fn a_broken_connection_is_loud_and_says_what_waits() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let page = browser.get("/").await;
    page.says("Nothing waits.");
    page.says("✓ none");
    page.says("notes (1)");
    // What was counted a moment ago is not shown for long: the next note is among them.
    stage.lena().comment(&issue, "Zero.").unwrap();
    stage.note(&conversation, &["Zero."]).await;
    stage.settled().await;
    let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
    while !browser.get("/").await.words().contains("notes (2)") {
        assert!(
            tokio::time::Instant::now() < deadline,
            "the note is not counted"
        );
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }

    stage.intercom().revoke_token();
    for text in ["One.", "Two."] {
        stage.lena().comment(&issue, text).unwrap();
    }
    becomes(&stage, "workspace", "broken").await;
    let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
    let page = loop {
        let page = browser.get("/").await;
        if page.words().contains("2 writes are queued") {
            break page;
        }
        assert!(tokio::time::Instant::now() < deadline, "{}", page.words());
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    page.says("! broken since");
    page.says("Nothing is lost; the queue is drained when it works again.");
    page.says("Who can mend it: An Intercom administrator makes a new access token");
    let problems = browser.get("/problems").await;
    problems.says("Intercom “acme” does not work");
    problems.says("2 writes are queued");
    browser
        .get(&format!("/why?q={issue}"))
        .await
        .says("wait, because the connection is broken");

    stage.intercom().set_token("a-new-token");
    stage.world.write_config("a-new-token").unwrap();
    stage.configure().await;
    stage.note(&conversation, &["Two."]).await;
    stage.settled().await;
    let page = browser.get("/").await;
    page.says("Nothing waits.");
    page.says("✓ none");
}

/// The address of the first delivery in a list.
fn first_delivery(list: &Page) -> String {
    let (_, rest) = list.text.split_once("<td><a href=\"/deliveries/").unwrap();
    format!("/deliveries/{}", rest.split('"').next().unwrap())
}

async fn a_delivery_tells_its_decision_its_effects_and_their_attempts(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    stage
        .lena()
        .comment(&issue, "I <can> & reproduce it.")
        .unwrap();
    stage.settled().await;
    let mut browser = Browser::signed_in(&stage, "administrator").await;
    let list = browser
        .get(&format!("/deliveries?about={issue}&outcome=effects"))
        .await;
    let (_, rest) = list.text.split_once("<td><a href=\"/deliveries/").unwrap();
    let id = rest.split('"').next().unwrap();
    let path = format!("/deliveries/{id}");
    let page = browser.get(&path).await;
    page.says("1 effect");
    page.says("Post a note");
    page.says("✓ confirmed");
    page.says("Read by: internal: teammates only");
    page.says("Attempts (1)");
    page.says("Lena Fischer commented I &lt;can&gt; & reproduce it.");
    page.says("curl -X POST \"$BOWLINE/hooks/jira/acme-jira\"");
    assert!(
        !page.text.contains(bowline::demo::WEBHOOK_SECRET),
        "no secret is shown"
    );

    // Deciding it again does nothing twice, and is written down.
    let before = stage.texts(&conversation);
    let done = browser.send(&format!("{path}/replay"), &[]).await;
    assert_eq!(done.goes_to(), format!("{path}?done=replayed"));
    stage.settled().await;
    assert_eq!(stage.texts(&conversation), before);
    browser.get("/audit").await.says("Delivery decided again");

    // What it said is for administrators; another project's deliveries are not for everyone.
    let mut viewer = Browser::signed_in(&stage, "viewer").await;
    let page = viewer.get(&path).await;
    page.says("What it said is shown to administrators");
    assert!(!page.text.contains("id=\"payload\""));
    let mut of_eng = Browser::signed_in(&stage, "project_administrator").await;
    let done = of_eng.send(&format!("{path}/replay"), &[]).await;
    assert_eq!(done.status, 303);
    let ping = first_delivery(&of_eng.get("/deliveries?outcome=ping").await);
    let ping = of_eng.send(&format!("{ping}/replay"), &[]).await;
    assert_eq!(
        ping.status, 403,
        "a delivery of no project is for administrators"
    );
    assert_eq!(browser.get("/deliveries/99999").await.status, 404);
}

#[tokio::test]
async fn deliveries_are_narrowed_by_what_someone_asks() {
    let stage = Stage::cloud().await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    let mut browser = Browser::signed_in(&stage, "viewer").await;
    let rows = |page: &Page| page.text.matches("<td><a href=\"/deliveries/").count();
    let all = rows(&browser.get("/deliveries").await);
    assert!(all >= 4, "{all}");
    for (query, wanted) in [
        ("connection=workspace/acme", 1..all),
        ("connection=site/nowhere", 0..1),
        ("project=acme-jira/ENG", 1..all),
        ("project=acme-jira/OPS", 0..1),
        ("outcome=echo", 1..all),
        ("outcome=quarantined", 0..1),
        ("outcome=no-such-word", all..all + 1),
        ("from=2020-01-01", all..all + 1),
        ("until=2020-01-01", 0..1),
        ("from=not-a-day", all..all + 1),
    ] {
        let page = browser.get(&format!("/deliveries?{query}")).await;
        assert!(wanted.contains(&rows(&page)), "{query}: {}", rows(&page));
    }
    let of_issue = rows(&browser.get(&format!("/deliveries?about={issue}")).await);
    let of_both = rows(
        &browser
            .get(&format!("/deliveries?about={conversation}"))
            .await,
    );
    assert!(of_issue >= 1 && of_both > of_issue, "{of_issue} {of_both}");
    browser
        .get("/deliveries?about=what")
        .await
        .says("Nothing is known of “what”.");
}

async fn links_are_made_and_ended_by_hand(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (conversation, issue) = (stage.conversation(), stage.issue("Nothing pasted."));
    stage.settled().await;
    let mut browser = Browser::signed_in(&stage, "agent").await;
    let address = stage.address(&conversation);
    for (issue, conversation, words) in [
        (issue.as_str(), "what", "is no conversation"),
        (
            "XYZ-1",
            address.as_str(),
            "is no issue of a project that is joined",
        ),
    ] {
        let fields = [("issue", issue), ("conversation", conversation)];
        let page = browser.send("/links/add", &fields).await;
        assert_eq!(page.status, 422);
        page.says(words);
    }
    // An issue may be named by its address, as the browser shows it.
    let jira = stage.world.sandbox.jira.url();
    let there = format!("{jira}/browse/{issue}?focusedId=1");
    let fields = [
        ("issue", there.as_str()),
        ("conversation", address.as_str()),
    ];
    let page = browser.send("/links/add", &fields).await;
    assert_eq!(page.goes_to(), "/links?done=linked");
    stage.note(&conversation, &[&issue]).await;
    stage.settled().await;
    let page = browser.get("/links").await;
    page.says(&issue);
    page.says("The agent, on a page");
    let asked = Serializer::new(String::new())
        .append_pair("about", &there)
        .finish();
    browser
        .get(&format!("/links?{asked}"))
        .await
        .says(&conversation);
    let csv = browser.get("/links/export.csv").await;
    assert!(
        csv.text.contains(&conversation) && csv.text.contains(&issue),
        "{}",
        csv.text
    );
    let json = browser.get("/links/export.json?state=ended").await;
    assert_eq!(json.text, "[]");

    let field = |name: &str| {
        let (_, rest) = page
            .text
            .split_once(&format!("name=\"{name}\" value=\""))
            .unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let (site, workspace) = (field("site"), field("workspace"));
    let (_, form) = page.text.split_once("action=\"/links/remove\"").unwrap();
    let (_, rest) = form.split_once("name=\"issue\" value=\"").unwrap();
    let number = rest.split('"').next().unwrap();
    let fields = [
        ("site", site.as_str()),
        ("issue", number),
        ("workspace", workspace.as_str()),
        ("conversation", conversation.as_str()),
    ];
    // Who unlinks in a list that was asked for comes back to it, and nowhere else.
    let asked = format!("about={conversation}&state=linked");
    let list = browser.get(&format!("/links?{asked}&done=linked")).await;
    let back = asked.replace('&', "&#38;");
    let back = format!("name=\"back\" value=\"?{back}\"");
    assert!(list.text.contains(&back), "{}", list.text);
    let back = format!("?{asked}&//example.com/=x&done=linked");
    let with_back = [&fields[..], &[("back", back.as_str())]].concat();
    let done = browser.send("/links/remove", &with_back).await;
    assert_eq!(done.goes_to(), format!("/links?{asked}&done=unlinked"));
    stage.settled().await;
    stage.lena().comment(&issue, "Not told.").unwrap();
    stage.settled().await;
    assert_eq!(stage.texts(&conversation).len(), 1);
    browser
        .get("/links?state=ended")
        .await
        .says("a person ended the link");
    let again = browser.send("/links/remove", &fields).await;
    assert_eq!(again.goes_to(), "/links?done=no-link");
}

#[tokio::test]
async fn no_page_is_heavy() {
    let stage = Stage::cloud().await;
    for _ in 0..8 {
        stage.linked().await;
    }
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let mut heaviest = 0;
    for path in [
        "/",
        "/deliveries",
        "/links",
        "/problems",
        "/people",
        "/audit",
        "/why?q=ENG-1",
    ] {
        let page = browser.get(path).await;
        let mut bytes = page.text.len();
        for asset in page
            .text
            .split('"')
            .filter(|text| text.starts_with("/assets/"))
        {
            let asset = browser.get(asset).await;
            assert_eq!(asset.status, 200);
            assert!(asset.header("cache-control").contains("immutable"));
            bytes += asset.text.len();
        }
        assert!(bytes < PAGE_BYTES_MAX, "{path}: {bytes}");
        heaviest = heaviest.max(bytes);
    }
    assert!(heaviest > 10_000, "the assets were found");
}
