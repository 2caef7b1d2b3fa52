//! In which language an end user is told what happens.

use bowline_domain::messaging::end_user::Identity;
use bowline_domain::messaging::ids::AccountName;
use bowline_sandbox::messagebird::Phone;
use bowline_sandbox::phones::Inbound;
use serde_json::json;

use crate::api::Script;
use crate::browser::{Browser, Page};
use crate::configuring::{form, send, version};
use crate::desk_pages::{bare_talk, desk_form, made, with};
use crate::messaging_stage::{ACCOUNT, NOA, Talk, until_async};
use crate::stage::{On, on_both};

on_both!(
    rule_08_each_is_told_in_their_language_and_an_agent_may_choose_it,
    rule_15_the_approved_message_is_in_the_language_of_who_gets_it,
    a_desk_has_texts_in_languages_by_click_and_by_script
);

/// The number of a person whose country speaks German.
const JONAS: &str = "+49155577001";

const DESK: &str = "status_notifications = { \"In Progress\" = \"{key}: we work on it\" }\n\
    [[desk.texts]]\nlanguage = \"de\"\nnumbers = [\"+49\", \"+43\"]\n\
    status_notifications = { \"*\" = \"{key} ist jetzt: {status}\" }\n";

/// The page of an end user.
async fn page_of(talk: &Talk, number: &str) -> String {
    let (account, phone) = (AccountName::new(ACCOUNT), Identity::phone(number).unwrap());
    let found = talk.stage.store().end_user_by(&account, &[phone]).await;
    format!("/end-users/{ACCOUNT}/{}", found.unwrap().unwrap())
}

/// What was told last, once there are so many.
async fn told(phone: &Phone, count: usize) -> String {
    until_async(async || (phone.texts().len() >= count).then_some(())).await;
    phone.texts().pop().unwrap()
}

async fn rule_08_each_is_told_in_their_language_and_an_agent_may_choose_it(on: On) {
    let talk = Talk::with(on, |_| (), DESK).await;
    let (noa, jonas) = (talk.noa(), talk.bird().phone(JONAS).named("Jonas"));
    noa.writes("My router is red");
    let first = talk.request(1).await;
    jonas.writes("Mein Router ist rot");
    let second = talk.request(2).await;
    talk.settled().await;
    let change = |to: &str| {
        for request in [&first, &second] {
            talk.agent().transition(request, to, None).unwrap();
        }
    };
    change("In Progress");
    assert_eq!(told(&noa, 1).await, format!("{first}: we work on it"));
    assert_eq!(
        told(&jonas, 1).await,
        format!("{second} ist jetzt: In Progress")
    );

    let mut agent = Browser::signed_in(&talk.stage, "agent").await;
    let of_jonas = agent.get(&page_of(&talk, JONAS).await).await;
    of_jonas.says("They are written to in de. Their number begins with +49");
    let page = page_of(&talk, NOA).await;
    agent
        .get(&page)
        .await
        .says("They get the desk's own texts.");
    let form = format!("{page}/language");
    let wrong = agent.send(&form, &[("language", "german")]).await;
    assert_eq!(wrong.status, 422);
    wrong.says("“german” is no language");
    assert!(wrong.text.contains("value=\"german\""), "it is kept");
    let saved = agent.send(&form, &[("language", "de")]).await;
    assert_eq!(saved.goes_to(), format!("{page}?done=language"));
    agent.get(&page).await.says("in de. Somebody said so here.");

    // It holds from the next message on, and for this person alone.
    change("Waiting for customer");
    assert_eq!(
        told(&noa, 2).await,
        format!("{first} ist jetzt: Waiting for customer")
    );
    assert_eq!(
        told(&jonas, 2).await,
        format!("{second} ist jetzt: Waiting for customer")
    );

    let script = Script::new(&talk.stage, "administrator", &["read", "talks"]).await;
    let path = format!("/api/v1{page}");
    let before = script.get(&path).await.body;
    assert_eq!(before["language"], "de");
    assert_eq!(before["spoken"]["known_by"], "agent");
    let address = format!("{path}/language");
    let say = async |body| script.call("POST", &address, Some(body), "").await;
    assert_eq!(say(json!({ "language": "german" })).await.status, 422);
    assert_eq!(say(json!({})).await.status, 422);
    let taken_back = say(json!({ "language": null })).await;
    assert_eq!(taken_back.status, 202, "{}", taken_back.body);
    assert_eq!(script.get(&path).await.body["spoken"]["known_by"], "desk");
    let other = script
        .get(&format!("/api/v1{}", page_of(&talk, JONAS).await))
        .await
        .body;
    assert_eq!(
        other["spoken"],
        json!({ "language": "de", "known_by": "number", "numbers": "+49", "texts": "de", "desk": "support" })
    );
    let nobody = format!("/api/v1/end-users/{ACCOUNT}/nobody/language");
    let gone = script
        .call("POST", &nobody, Some(json!({ "language": "de" })), "")
        .await;
    assert_eq!(gone.status, 404);
    change("In Progress");
    assert_eq!(told(&noa, 3).await, format!("{first}: we work on it"));
    assert_eq!(told(&jonas, 3).await.matches("ist jetzt").count(), 1);
    let mut owner = Browser::signed_in(&talk.stage, "owner").await;
    let audit = owner.get("/audit?what=end_user_language").await;
    audit.says("agent@example.com");
    audit.says("not said");
}

async fn rule_15_the_approved_message_is_in_the_language_of_who_gets_it(on: On) {
    let desk = "window_template = \"reopen\"\nwindow_template_values = [\"{key}\"]\n\
        window_template_text = \"There is news about {{1}}. Answer to hear it.\"\n\
        window_template_by_itself = true\n\
        [[desk.texts]]\nlanguage = \"de\"\nnumbers = \"+49\"\n\
        window_template_text = \"Es gibt Neues zu {{1}}. Antworten Sie, um es zu hören.\"\n";
    let talk = Talk::with(on, |_| (), desk).await;
    let old = talk.bird().now_ms() - 25 * 60 * 60 * 1_000;
    let (noa, jonas) = (talk.noa(), talk.bird().phone(JONAS).named("Jonas"));
    noa.sends_at(Inbound::Text("My router is red".to_owned()), old);
    let first = talk.request(1).await;
    jonas.sends_at(Inbound::Text("Mein Router ist rot".to_owned()), old);
    let second = talk.request(2).await;
    talk.settled().await;
    for request in [&first, &second] {
        talk.agent().comment(request, "Sorry for the wait").unwrap();
    }
    // The platform fills in what was approved in that language.
    let news = format!("There is news about {first}. Answer to hear it.");
    assert_eq!(told(&noa, 1).await, news);
    let german = format!("Es gibt Neues zu {second}. Antworten Sie, um es zu hören.");
    assert_eq!(told(&jonas, 1).await, german);
    talk.settled().await;
    assert_eq!(talk.outbound(&first).await[1].text, news);
    assert_eq!(talk.outbound(&second).await[1].text, german);
}

async fn a_desk_has_texts_in_languages_by_click_and_by_script(on: On) {
    let talk = bare_talk(on).await;
    let mut browser = Browser::signed_in(&talk.stage, "owner").await;
    let site = made(&talk, &mut browser).await;
    let page = browser.get("/desk/support").await;
    page.says("Texts in another language");
    let version = version(&page);
    let german = [
        ("version", version.as_str()),
        ("usual", "{key}: {status}"),
        ("language", "en"),
        ("texts_language", "de"),
        ("texts_numbers", "+49"),
        ("texts_statuses", "* = {key} ist jetzt: {status}\nResolved"),
    ];
    let settings = "/desk/support/settings";
    let wrong = send(&mut browser, settings, &with(desk_form(&site), &german)).await;
    assert_eq!(wrong.status, 422, "{}", wrong.words());
    wrong.says("In “de”: “Resolved” has no text.");
    assert!(
        wrong.text.contains("* = {key} ist jetzt: {status}"),
        "it is kept"
    );
    // The field that is wrong is marked, and no other one.
    let marked = |page: &Page, part: &str| page.text.contains(&format!("texts-1-{part}-fault\""));
    assert!(
        marked(&wrong, "statuses") && !marked(&wrong, "language") && !marked(&wrong, "numbers")
    );
    let numbers = with(
        with(desk_form(&site), &german),
        &[("texts_numbers", "+49, x"), ("texts_statuses", "")],
    );
    let wrong = send(&mut browser, settings, &numbers).await;
    wrong.says("no number begins with “x”");
    assert!(
        marked(&wrong, "numbers") && !marked(&wrong, "language") && !marked(&wrong, "statuses")
    );
    // Of two entries with one language, the one that is ticked is removed.
    let mut two = with(desk_form(&site), &german);
    two.retain(|(name, _)| name != "texts_statuses");
    two.extend(form(&[
        ("texts_statuses", "* = the first"),
        ("texts_language", "de"),
        ("texts_statuses", "* = the second"),
    ]));
    let wrong = send(&mut browser, settings, &two).await;
    wrong.says("the language “de” stands there twice");
    assert!(wrong.text.contains("texts-2-language-fault\"") && !marked(&wrong, "language"));
    let dropped = with(two, &[("texts_drop", "0"), ("do", "look")]);
    let one = send(&mut browser, settings, &dropped).await;
    assert!(one.text.contains("* = the second") && !one.text.contains("* = the first"));
    let mended = with(
        with(desk_form(&site), &german),
        &[("texts_statuses", "* = {key} ist jetzt: {status}")],
    );
    let saved = send(&mut browser, settings, &mended).await;
    assert_eq!(saved.status, 303, "{}", saved.words());
    let desks = browser.get("/desks").await;
    desks.says("In de, numbers +49");
    desks.says("all others: {key} ist jetzt: {status}");

    // It holds at once.
    let jonas = talk.bird().phone(JONAS).named("Jonas");
    jonas.writes("Mein Router ist rot");
    let request = talk.request(1).await;
    talk.settled().await;
    talk.agent()
        .transition(&request, "In Progress", None)
        .unwrap();
    let said = told(&jonas, 1).await;
    assert_eq!(said, format!("{request} ist jetzt: In Progress"));

    let script = Script::new(&talk.stage, "owner", &["read", "settings"]).await;
    let one = "/api/v1/desks/support";
    let found = script.get(one).await.body;
    let settings = &found["settings"];
    assert_eq!(settings["language"], "en");
    assert_eq!(settings["status_notifications"]["*"], "{key}: {status}");
    assert_eq!(
        settings["texts"],
        json!([{
            "language": "de", "numbers": ["+49"], "window_template": null,
            "status_notifications": { "*": "{key} ist jetzt: {status}" },
        }])
    );
    let texts = json!([
        { "language": "de", "numbers": ["+49", "+43"] },
        { "language": "nl", "numbers": "+31", "status_notifications": { "Resolved": "{key} is klaar" } },
    ]);
    let change = json!({ "version": found["version"], "texts": texts });
    let changed = script.call("PATCH", one, Some(change), "").await;
    assert_eq!(changed.status, 202, "{}", changed.body);
    let kept = &changed.body["settings"]["texts"];
    assert_eq!(kept[0]["numbers"], json!(["+49", "+43"]));
    assert_eq!(
        kept[1]["status_notifications"]["Resolved"],
        "{key} is klaar"
    );
    let twice = json!({ "version": changed.body["version"], "texts": [
        { "language": "de", "numbers": "+49" }, { "language": "nl", "numbers": "0049" },
    ] });
    let refused = script.call("PATCH", one, Some(twice), "").await;
    assert_eq!(refused.status, 422);
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(
        detail.contains("numbers with +49 are of “de” and of “nl”"),
        "{detail}"
    );
    // What was taken out is the desk's own again.
    talk.agent()
        .transition(&request, "Waiting for customer", None)
        .unwrap();
    let said = told(&jonas, 2).await;
    assert_eq!(said, format!("{request}: Waiting for customer"));
}
