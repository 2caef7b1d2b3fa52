//! What was written because of what is erased goes with it, and nothing else.

use bowline_domain::audience::Audience;
use bowline_domain::effect::{Act, Effect};
use bowline_domain::feedback::act::{FeedbackAct, issue_key, note_key};
use bowline_domain::feedback::ids::TicketId;
use bowline_domain::feedback::ticket::Status;
use bowline_domain::ids::{ConversationId, IssueId};
use bowline_store::feedback::Erase;

use crate::feedback::{changes, commit, made, person, product};
use crate::support::*;

on_both!(what_was_written_of_what_is_erased_goes);

const SAID: &str = "Delete this";

fn told(conversation: &str) -> Effect {
    let conversation = ConversationId::new(conversation);
    Effect {
        key: note_key(&workspace(), &conversation, Status::Done),
        act: Act::Feedback(FeedbackAct::Note {
            workspace: workspace(),
            conversation,
            audience: Audience::Internal,
            html: format!("<p>“{SAID}” is done</p>"),
            wake_snoozed: false,
        }),
        ..note("1", "1")
    }
}

fn asked_for(ticket: TicketId) -> Effect {
    Effect {
        key: issue_key(ticket, 1),
        connection: jira(),
        issue: IssueId::new(""),
        act: Act::Feedback(FeedbackAct::CreateIssue {
            ticket,
            site: site(),
            project: "ENG".to_owned(),
            issue_type: "Task".to_owned(),
            summary: SAID.to_owned(),
            text: SAID.to_owned(),
            url: "https://bowline.example.com/feedback/1".to_owned(),
        }),
        ..note("1", "1")
    }
}

pub(crate) async fn what_was_written_of_what_is_erased_goes(world: &World) {
    let store = &world.store;
    let app = product(store, "App").await;
    let ticket = made(store, app, "1", SAID, person("a", None)).await;
    let other = made(store, app, "2", SAID, person("b", None)).await;
    let written = vec![told("1"), told("2"), asked_for(ticket), asked_for(other)];
    for effect in planned(store, "10", written).await {
        settle(store, &effect, confirmed("r1")).await;
    }
    let mut deleted = changes("1");
    deleted.erase = Some(Erase::Conversation);
    commit(store, deleted).await;
    let marks = store.marks_to_forget(T0.plus_ms(60_000), 10).await.unwrap();
    assert_eq!(marks.len(), 1);
    let mut after = Some(0);
    while let Some(from) = after {
        after = store.forget_part(marks.clone(), from).await.unwrap().up_to;
    }
    let acts = world.texts("SELECT act FROM effect ORDER BY id").await;
    let holds = acts
        .iter()
        .map(|row| row[0].as_deref().unwrap().contains(SAID));
    assert_eq!(holds.collect::<Vec<_>>(), [false, true, false, true]);
}
