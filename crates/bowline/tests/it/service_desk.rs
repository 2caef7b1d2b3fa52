//! A project of Jira Service Management: what is for the service team stays in Jira.

use bowline_sandbox::jira::{NewComment, Switches};

use crate::stage::{SUMMARY, Stage};

/// How a site says that a comment is internal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// Cloud: `jsdPublic` and the property of the comment.
    Both,
    /// Cloud: `jsdPublic` alone.
    Flag,
    /// Data Center: the property alone.
    Property,
}

const ALL: [Says; 3] = [Says::Both, Says::Flag, Says::Property];

/// The desk SUP bound with this in its binding, an issue in it and its conversation.
async fn desk(says: Says, binding: &str) -> (Stage, String, String) {
    let mut stage = Stage::prepare(|plan| {
        if says == Says::Property {
            *plan = plan.clone().data_center();
        }
        plan.jira.switches = Switches {
            comment_properties_hidden: says == Says::Flag,
            ..Switches::default()
        };
        binding.clone_into(&mut plan.binding);
    })
    .await;
    stage.edit_config("project = \"ENG\"", "project = \"SUP\"");
    stage.start().await;
    let conversation = stage.conversation();
    let address = stage.address(&conversation);
    let issue = stage
        .priya()
        .create("SUP", SUMMARY, address.as_str())
        .unwrap();
    stage.note(&conversation, &["created ", &issue]).await;
    (stage, issue, conversation)
}

#[tokio::test]
async fn internal_comments_stay_in_jira_and_public_ones_are_told() {
    for says in ALL {
        let (stage, issue, conversation) = desk(says, "").await;
        let lena = stage.lena();
        lena.comment_with(&issue, NewComment::internal("For the team."))
            .unwrap();
        lena.comment_with(&issue, NewComment::reply_to_customer("For everybody."))
            .unwrap();
        stage.note(&conversation, &["For everybody."]).await;
        // Made internal before it is read back, whatever its delivery says.
        stage.hold();
        let taken_back = lena
            .comment_with(&issue, NewComment::reply_to_customer("Said too early."))
            .unwrap();
        lena.set_internal(&issue, taken_back, true).unwrap();
        stage.release();
        lena.transition(&issue, "In Progress", None).unwrap();
        stage.note(&conversation, &["moved"]).await;
        let line = format!("{issue}: {SUMMARY}");
        stage
            .expect_notes(
                &conversation,
                &[
                    &format!("Priya Nair created {line}"),
                    &format!("Lena Fischer commented For everybody. on {line}"),
                    &format!("Lena Fischer moved {line} from Waiting for support to In Progress"),
                ],
            )
            .await;
        let kept = stage.reasons().await;
        let kept = kept.iter().filter(|code| **code == "restricted_comment");
        assert!(kept.count() >= 2, "{says:?}");
    }
}

#[tokio::test]
async fn the_filter_public_lets_only_public_comments_through() {
    let filter = "notify.commented = { note = true, reopen = false, filter = \"public\" }";
    for says in ALL {
        let (stage, issue, conversation) = desk(says, filter).await;
        let lena = stage.lena();
        lena.comment_with(&issue, NewComment::internal("For the team."))
            .unwrap();
        // Data Center says nothing of a comment that is none of a service project's own kind;
        // what is not known to be public is not.
        let plain_is_public = says != Says::Property;
        lena.comment(&issue, "Plainly.").unwrap();
        lena.comment_with(&issue, NewComment::reply_to_customer("For everybody."))
            .unwrap();
        stage.note(&conversation, &["For everybody."]).await;
        stage.settled().await;
        let texts = stage.texts(&conversation);
        let told = |part: &str| texts.iter().any(|text| text.contains(part));
        assert!(!told("For the team."), "{says:?}: {texts:?}");
        assert_eq!(told("Plainly."), plain_is_public, "{says:?}: {texts:?}");
        let filtered = stage.reasons().await.contains(&"filtered_out");
        assert_eq!(filtered, !plain_is_public, "{says:?}");
    }
}

#[tokio::test]
async fn an_internal_comment_links_a_conversation_and_tells_nothing_of_itself() {
    for says in ALL {
        let (stage, issue, _) = desk(says, "").await;
        let other = stage.conversation();
        let text = format!("The same customer, angrier: {}", stage.address(&other));
        stage
            .lena()
            .comment_with(&issue, NewComment::internal(text.as_str()))
            .unwrap();
        stage.note(&other, &["Lena Fischer linked ", &issue]).await;
        stage.settled().await;
        let texts = stage.texts(&other);
        assert_eq!(texts.len(), 1, "{says:?}: {texts:?}");
        assert!(!texts[0].contains("angrier"), "{says:?}: {texts:?}");
    }
}
