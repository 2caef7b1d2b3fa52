//! Conversations that are merged in Intercom.

use bowline_domain::ids::ConversationId;
use bowline_domain::link::LinkEnd;
use bowline_sandbox::common::FaultKind;
use serde_json::json;

use crate::connections::becomes;
use crate::failure::fault;
use crate::process::run;
use crate::stage::{On, Stage, on_both};

on_both!(
    a_link_follows_its_conversation_into_another,
    what_was_queued_goes_to_the_conversation_that_goes_on,
    a_note_in_doubt_is_looked_for_where_it_was_sent,
    two_conversations_of_one_issue_that_become_one_get_one_note
);

async fn merged_links(stage: &Stage, conversation: &str, into: &str) {
    let links = stage.links_of(conversation).await;
    let ended = Some(LinkEnd::Merged(ConversationId::new(into)));
    assert_eq!(links[0].link.ended, ended);
    assert!(!links[0].link.live && links[0].link.ended_at.is_some());
    let links = stage.links_of(into).await;
    assert!(links[0].link.live, "{links:?}");
}

async fn a_link_follows_its_conversation_into_another(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, merged) = stage.linked().await;
    let survivor = stage.conversation();
    stage.settled().await;
    stage
        .intercom()
        .merge_conversations(&merged, &survivor)
        .unwrap();
    stage
        .lena()
        .comment(&issue, "To the one that goes on.")
        .unwrap();
    stage.note(&survivor, &["To the one that goes on."]).await;
    stage.settled().await;
    assert_eq!(stage.texts(&merged).len(), 1, "{:?}", stage.texts(&merged));
    assert_eq!(stage.texts(&survivor).len(), 1);
    merged_links(&stage, &merged, &survivor).await;
    assert!(stage.reasons().await.contains(&"merged"));
    let listed = run(&stage, &["links", "list", "--ended"]).await.good();
    let words = format!("merged into conversation {survivor}");
    assert!(listed.contains(&words), "{listed}");
    let named = stage
        .jira()
        .property(&issue, "intercom.conversation.links")
        .unwrap();
    assert_eq!(named["conversationIds"], json!([survivor]));

    // The address that still stands in the issue means the one that goes on.
    let again = format!("Once more: {}", stage.address(&merged));
    stage.lena().comment(&issue, again.as_str()).unwrap();
    stage.note(&survivor, &["Once more:"]).await;
    stage.priya().describe(&issue, "No address.").unwrap();
    stage.lena().transition(&issue, "Done", None).unwrap();
    stage.note(&survivor, &["moved"]).await;
    stage.settled().await;
    assert_eq!(stage.texts(&merged).len(), 1, "{:?}", stage.texts(&merged));
    assert_eq!(
        stage.texts(&survivor).len(),
        3,
        "{:?}",
        stage.texts(&survivor)
    );
}

async fn what_was_queued_goes_to_the_conversation_that_goes_on(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, merged) = stage.linked().await;
    let survivor = stage.conversation();
    stage.settled().await;
    stage.intercom().revoke_token();
    for words in ["One.", "Two.", "Three."] {
        stage.lena().comment(&issue, words).unwrap();
    }
    becomes(&stage, "workspace", "broken").await;
    stage
        .intercom()
        .merge_conversations(&merged, &survivor)
        .unwrap();
    stage.intercom().set_token("brand-new-token");
    stage.world.write_config("brand-new-token").unwrap();
    stage.configure().await;
    stage.note(&survivor, &["Three."]).await;
    stage.settled().await;
    assert_eq!(stage.texts(&merged).len(), 1, "{:?}", stage.texts(&merged));
    let texts = stage.texts(&survivor);
    assert_eq!(texts.len(), 3, "{texts:?}");
    for (text, words) in texts.iter().zip(["One.", "Two.", "Three."]) {
        assert!(text.contains(words), "in order: {texts:?}");
    }
    // What was handed on is said of the effect.
    let mut handed_on = 0;
    for event in stage.events().await {
        let effects = stage.store().effects_of(event.event.id).await.unwrap();
        let reasons = effects.iter().filter_map(|effect| effect.reason.as_deref());
        handed_on += reasons
            .filter(|why| why.contains("was merged into"))
            .count();
    }
    assert_eq!(handed_on, 3);
}

async fn a_note_in_doubt_is_looked_for_where_it_was_sent(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, merged) = stage.linked().await;
    let survivor = stage.conversation();
    stage.settled().await;
    let done_and_failed = FaultKind::StatusAfter { status: 500 };
    stage
        .intercom()
        .faults()
        .add(fault("POST", "/reply", 0, 1, done_and_failed));
    stage
        .lena()
        .comment(&issue, "Said before the merge.")
        .unwrap();
    stage.note(&merged, &["Said before the merge."]).await;
    stage
        .intercom()
        .merge_conversations(&merged, &survivor)
        .unwrap();
    stage.lena().comment(&issue, "Said after it.").unwrap();
    stage.note(&survivor, &["Said after it."]).await;
    stage.settled().await;
    assert_eq!(stage.texts(&merged).len(), 2, "{:?}", stage.texts(&merged));
    assert_eq!(
        stage.texts(&survivor).len(),
        1,
        "{:?}",
        stage.texts(&survivor)
    );
}

async fn two_conversations_of_one_issue_that_become_one_get_one_note(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (merged, survivor) = (stage.conversation(), stage.conversation());
    let both = format!("{} {}", stage.address(&merged), stage.address(&survivor));
    let issue = stage.issue(both.as_str());
    stage.note(&merged, &["created"]).await;
    stage.note(&survivor, &["created"]).await;
    stage.settled().await;
    stage.intercom().revoke_token();
    stage.lena().comment(&issue, "For both.").unwrap();
    becomes(&stage, "workspace", "broken").await;
    stage
        .intercom()
        .merge_conversations(&merged, &survivor)
        .unwrap();
    stage.intercom().set_token("brand-new-token");
    stage.world.write_config("brand-new-token").unwrap();
    stage.configure().await;
    stage.note(&survivor, &["For both."]).await;
    stage.settled().await;
    assert_eq!(
        stage.texts(&survivor).len(),
        2,
        "{:?}",
        stage.texts(&survivor)
    );
    assert_eq!(stage.texts(&merged).len(), 1, "{:?}", stage.texts(&merged));
    merged_links(&stage, &merged, &survivor).await;
}

#[tokio::test]
async fn where_it_is_not_certain_which_one_goes_on_the_note_is_not_lost() {
    let stage = Stage::cloud().await;
    let (issue, merged) = stage.linked().await;
    let [survivor, another, other] = [(); 3].map(|()| stage.conversation());
    stage.settled().await;
    // Two merges of the same customer at the same moment.
    stage
        .intercom()
        .merge_conversations(&merged, &survivor)
        .unwrap();
    stage
        .intercom()
        .merge_conversations(&another, &other)
        .unwrap();
    stage.lena().comment(&issue, "Somewhere.").unwrap();
    stage.note(&merged, &["Somewhere."]).await;
    stage.settled().await;
    assert_eq!(stage.links(&issue).await, [merged]);
}

#[tokio::test]
async fn a_note_that_may_wake_its_conversation_shows_the_merge_by_its_answer() {
    let stage = Stage::binding("wake_snoozed = true").await;
    let (issue, merged) = stage.linked().await;
    let survivor = stage.conversation();
    stage.settled().await;
    stage
        .intercom()
        .merge_conversations(&merged, &survivor)
        .unwrap();
    stage.lena().comment(&issue, "Shows the merge.").unwrap();
    stage.note(&merged, &["Shows the merge."]).await;
    stage.settled().await;
    stage.lena().comment(&issue, "And after it.").unwrap();
    stage.note(&survivor, &["And after it."]).await;
    merged_links(&stage, &merged, &survivor).await;
}
