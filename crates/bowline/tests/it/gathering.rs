//! Several changes of one issue within the window of a binding make one note, in whole
//! installations.

use bowline::demo::PATIENCE;
use bowline_sandbox::intercom::ConversationState;
use serde_json::json;

use crate::browser::Browser;
use crate::configuring::{ALLOWED, bare, connected, send, version};
use crate::projects::settings;
use crate::stage::{On, Stage, on_both};

on_both!(
    several_changes_make_one_note,
    what_waits_survives_a_restart,
    another_issues_note_keeps_its_place,
    the_window_is_set_on_the_page
);

/// Seconds that are long enough for a few changes on a loaded machine.
const WINDOW: &str = "coalesce_seconds = 10";

async fn stage(on: On, binding: &str) -> Stage {
    let binding = binding.to_owned();
    Stage::on(on, |plan| plan.binding = binding).await
}

/// Waits until as many notes wait, and nothing is still to be decided.
async fn waits(stage: &Stage, notes: i64) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let backlog = stage.store().backlog().await.unwrap();
        if backlog.events == 0 && backlog.effects >= notes {
            return;
        }
        let late = tokio::time::Instant::now() >= deadline;
        assert!(!late, "not as many wait: {backlog:?}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn several_changes_make_one_note(on: On) {
    let stage = stage(on, WINDOW).await;
    let (issue, conversation) = stage.linked().await;
    stage
        .intercom()
        .close(&conversation, &stage.teammate())
        .unwrap();
    stage.settled().await;
    // Deliveries may overtake each other; each is planned before the next one happens.
    let lena = stage.lena();
    lena.comment(&issue, "It was the licence check.").unwrap();
    waits(&stage, 1).await;
    lena.transition(&issue, "Done", None).unwrap();
    waits(&stage, 3).await;
    lena.comment(&issue, "It is out.").unwrap();
    let note = stage.note(&conversation, &["It is out."]).await;
    let places: Vec<usize> = ["It was the licence check.", "moved", "It is out."]
        .iter()
        .map(|part| {
            note.find(part)
                .unwrap_or_else(|| panic!("{part} is not in {note}"))
        })
        .collect();
    assert!(places.is_sorted(), "{note}");
    stage.becomes(&conversation, ConversationState::Open).await;
    stage.settled().await;
    assert_eq!(
        stage.texts(&conversation).len(),
        2,
        "{:?}",
        stage.texts(&conversation)
    );
    // What was told together says so.
    let events = stage.events().await;
    let mut reasons = Vec::new();
    for event in events {
        for effect in stage.store().effects_of(event.event.id).await.unwrap() {
            reasons.extend(effect.reason);
        }
    }
    let together = reasons
        .iter()
        .filter(|words| words.contains("told together"));
    assert_eq!(together.count(), 2, "{reasons:?}");
    // A change after it has a note of its own.
    stage.omar().comment(&issue, "Thank you.").unwrap();
    stage
        .note(&conversation, &["Omar Haddad commented", "Thank you."])
        .await;
    stage.settled().await;
    assert_eq!(stage.texts(&conversation).len(), 3);
}

async fn what_waits_survives_a_restart(on: On) {
    let mut stage = stage(on, WINDOW).await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    stage.lena().comment(&issue, "Before the restart.").unwrap();
    stage
        .lena()
        .transition(&issue, "In Progress", None)
        .unwrap();
    waits(&stage, 3).await;
    assert_eq!(stage.texts(&conversation).len(), 1);
    stage.stop().await;
    stage.start().await;
    stage
        .note(&conversation, &["Before the restart.", "moved"])
        .await;
    stage.settled().await;
    assert_eq!(stage.texts(&conversation).len(), 2);
}

async fn another_issues_note_keeps_its_place(on: On) {
    let stage = stage(on, WINDOW).await;
    let (one, conversation) = stage.linked().await;
    let other = stage.issue(stage.address(&conversation).as_str());
    stage.note(&conversation, &["created ", &other]).await;
    stage.settled().await;
    let lena = stage.lena();
    lena.comment(&one, "First.").unwrap();
    waits(&stage, 1).await;
    lena.comment(&other, "Second.").unwrap();
    waits(&stage, 2).await;
    lena.comment(&one, "Third.").unwrap();
    stage.note(&conversation, &["Third."]).await;
    stage.settled().await;
    let texts = stage.texts(&conversation);
    let places: Vec<usize> = ["First.", "Second.", "Third."]
        .iter()
        .map(|part| texts.iter().position(|text| text.contains(part)).unwrap())
        .collect();
    assert_eq!(places, [2, 3, 4], "{texts:?}");
}

async fn the_window_is_set_on_the_page(on: On) {
    let stage = bare(on, ALLOWED).await;
    let mut browser = Browser::signed_in(&stage, "owner").await;
    let (site, _) = connected(&stage, &mut browser).await;
    let path = format!("/bindings/{site}/ENG");
    let save = format!("{path}/settings");
    let now = || stage.service().shared().bindings_now()[0].coalesce_seconds;
    let seen = version(&browser.get(&path).await);
    for wrong in ["3601", "-1", "soon"] {
        let typed = settings(&seen, &[("coalesce_seconds", wrong)]);
        let page = send(&mut browser, &save, &typed).await;
        assert_eq!(page.status, 422, "{wrong}");
        page.says("Write a number of seconds from 0 to 3600.");
        assert!(page.text.contains(&format!("value=\"{wrong}\"")), "{wrong}");
    }
    let typed = settings(&seen, &[("coalesce_seconds", "90")]);
    let saved = send(&mut browser, &save, &typed).await;
    assert_eq!(saved.status, 303, "{}", saved.words());
    assert_eq!(now(), 90);
    browser.get(&path).await.says("All that within 90 seconds");
    let script = crate::api::Script::new(&stage, "administrator", &["read", "settings"]).await;
    let binding = script.get("/api/v1/bindings").await.body["items"][0].clone();
    assert_eq!(binding["coalesce_seconds"], 90);
    let change = json!({ "version": binding["version"], "coalesce_seconds": 0 });
    let address = format!("/api/v1{path}");
    let done = script.call("PATCH", &address, Some(change), "").await;
    assert_eq!((done.status, now()), (202, 0), "{}", done.body);
}
