//! What deliveries and effects came to, in words.

use bowline_domain::audience::Audience;
use bowline_domain::connection::Health;
use bowline_domain::effect::{Act, EffectState};
use bowline_domain::feedback::act::FeedbackAct;
use bowline_domain::messaging::act::TalkAct;
use bowline_domain::outcome::Outcome;
use bowline_store::model::{EventSource, EventState};

use crate::component::{Lozenge, Tone};

/// The codes of the reasons for doing nothing, with what they are called in filters. The reasons
/// themselves stand in `bowline_domain::outcome`.
pub(crate) const REASONS: [(&str, &str); 71] = [
    ("not_linked", "no conversation is linked"),
    ("rule_off", "no rule asks for it"),
    ("already_handled", "told by another delivery"),
    ("echo", "echo of our own writing"),
    ("nothing_changed", "nothing that matters changed"),
    ("links_followed", "links brought up to date"),
    ("before_link", "happened before the link"),
    ("restricted_comment", "restricted or internal comment"),
    ("security_level", "issue with a security level"),
    ("filtered_out", "comment filter"),
    ("taken_over", "link older than the connection"),
    ("not_bound", "project not joined"),
    ("linking_off", "linking is off"),
    ("muted", "project muted"),
    ("kept_silent", "moved to a project that is not joined"),
    ("other_workspace", "address of another workspace"),
    ("workspace_unknown", "workspace not known yet"),
    ("issue_gone", "issue gone or not shown"),
    ("issue_unseen", "issue not shown any more"),
    ("project_unseen", "project not shown any more"),
    ("seen_again", "issue shown again"),
    ("merged", "conversation merged"),
    ("comment_gone", "comment gone"),
    ("still_there", "issue still there"),
    ("record_written", "Bowline's record at the issue written"),
    ("not_followed", "kind of event not followed"),
    ("nothing_asked", "nothing asked"),
    ("no_issue", "no issue named"),
    ("handed_on", "handed on to its issue"),
    ("ping", "test of the webhook"),
    ("channel_not_served", "no desk serves the channel"),
    ("desk_gone", "desk not in use any more"),
    ("sender_blocked", "sender blocked"),
    ("too_many_requests", "too many requests of one sender"),
    ("no_sender", "no sender named"),
    ("conversation_closed", "conversation of the request closed"),
    ("not_for_the_customer", "comment not for the customer"),
    ("not_a_request", "issue is no request"),
    ("by_customer", "written by a customer"),
    ("status_not_told", "desk does not tell this status"),
    ("status_superseded", "another status since"),
    ("status_overtaken", "another status before it was told"),
    ("reply_window_closed", "time to answer is over"),
    ("nothing_to_send", "no text to send"),
    ("report_noted", "provider's report noted"),
    ("not_ours", "nothing to do with Bowline"),
    ("other_conversation", "another conversation of the provider"),
    ("conversation_open", "provider's conversation open again"),
    ("not_sent_again", "message not sent again"),
    ("no_template", "no approved message"),
    ("reply_window_open", "an ordinary answer reaches them"),
    ("let_be", "a person let it be"),
    ("nothing_new", "nothing new in the request"),
    ("contacts_off", "contacts not copied"),
    ("contact_updates_off", "changes of contacts not followed"),
    ("contacts_forbidden", "contacts may not be read"),
    ("contact_followed", "contact brought up to date"),
    ("ticket_made", "feedback ticket made"),
    ("tag_not_chosen", "tag counts for no product"),
    ("ticket_known", "message has its ticket"),
    ("tagged_before", "tagged before feedback was on"),
    ("tag_time_unknown", "time of the tag not known"),
    ("nothing_from_customer", "customer has said nothing"),
    ("feedback_erased", "feedback erased"),
    ("feedback_note_off", "product tells nothing of this status"),
    ("tags_followed", "tags of tickets brought up to date"),
    ("tickets_followed", "tickets followed their issue"),
    ("tickets_moved", "tickets went to a merged contact"),
    ("person_in_doubt", "contact not shown"),
    ("backfill_over", "backfill cancelled"),
    ("settled_by_hand", "a person decided"),
];

/// What became of a delivery: a state, and why.
pub(crate) fn became(
    state: EventState,
    outcome: Option<&Outcome>,
    trouble: Option<&str>,
) -> (Lozenge, Vec<String>) {
    let lozenge = match (state, outcome) {
        (EventState::Waiting, _) => Lozenge::new(Tone::Busy, "waits"),
        (EventState::Quarantined, _) => Lozenge::new(Tone::Bad, "in quarantine"),
        (EventState::Decided, Some(outcome)) if outcome.effects > 0 => {
            let plural = if outcome.effects == 1 { "" } else { "s" };
            Lozenge::new(Tone::Good, format!("{} effect{plural}", outcome.effects))
        }
        (EventState::Decided, _) => Lozenge::new(Tone::Plain, "nothing posted"),
    };
    let mut why: Vec<String> = outcome
        .iter()
        .flat_map(|outcome| &outcome.reasons)
        .map(ToString::to_string)
        .collect();
    why.extend(trouble.map(ToOwned::to_owned));
    (lozenge, why)
}

/// The state of an effect.
pub(crate) fn effect_state(state: EffectState) -> Lozenge {
    let tone = match state {
        EffectState::Planned | EffectState::Attempting => Tone::Busy,
        EffectState::Confirmed => Tone::Good,
        EffectState::Rejected => Tone::Bad,
        EffectState::Unknown | EffectState::Held => Tone::Warn,
        EffectState::Dropped => Tone::Plain,
    };
    Lozenge::new(tone, state.as_str())
}

/// What the state of an effect means.
pub(crate) fn effect_meaning(state: EffectState) -> &'static str {
    match state {
        EffectState::Planned => "It waits for its turn.",
        EffectState::Attempting => "It is being made at this moment.",
        EffectState::Confirmed => "It was made, and the far side confirmed it.",
        EffectState::Rejected => "The far side refused it for good. It is not tried again.",
        EffectState::Unknown => {
            "It may or may not have been made. Bowline looks for it before it sends anything again."
        }
        EffectState::Held => {
            "It may or may not have reached the customer, and it cannot be found out. It is not sent \
             again by itself: someone has to ask the customer or look at the channel."
        }
        EffectState::Dropped => "It was not made, because the reason for it ended before its turn.",
    }
}

/// What an effect does.
pub(crate) fn act(act: &Act) -> &'static str {
    match act {
        Act::Note { .. } => "Post a note",
        Act::Reply { .. } => "Answer the customer",
        Act::Reopen { unassign: true, .. } => "Re-open and return to the unassigned queue",
        Act::Reopen { .. } => "Re-open the conversation",
        Act::SnoozeAgain { .. } => "Snooze the conversation again",
        Act::Record => "Bring Jira's own record of the links in step",
        Act::Tally => "Bring the issue's label and number field in step",
        Act::Talk(talk) => match talk {
            TalkAct::CreateRequest { .. } => "Make the request",
            TalkAct::Gather { .. } => "Write down what the end user said",
            TalkAct::Attach { .. } => "Attach a file of the end user's",
            TalkAct::Send { .. } => "Send a message to the end user",
            TalkAct::SendTemplate { .. } => "Send the approved message to the end user",
            TalkAct::SendFile { .. } => "Send a file to the end user",
            TalkAct::Tell { .. } => "Tell the agents, as an internal comment",
            TalkAct::Reopen { .. } => "Open the channel's conversation again",
            TalkAct::Archive { .. } => "Archive the channel's conversation",
        },
        Act::Feedback(feedback) => match feedback {
            FeedbackAct::Note { .. } => "Tell the conversation what became of its feedback",
            FeedbackAct::SnoozeAgain { .. } => "Snooze the conversation again",
            FeedbackAct::CopyFiles { .. } => "Copy the files of a message",
            FeedbackAct::CreateIssue { .. } => "Make an issue from a ticket",
        },
    }
}

/// Who may read what an effect writes.
pub(crate) fn audience(act: &Act) -> Option<&'static str> {
    match act {
        Act::Note { audience, .. }
        | Act::Reply { audience, .. }
        | Act::Talk(
            TalkAct::Send { audience, .. }
            | TalkAct::SendTemplate { audience, .. }
            | TalkAct::SendFile { audience, .. }
            | TalkAct::Tell { audience, .. },
        ) => Some(match audience {
            Audience::Internal => "internal: teammates only",
            Audience::Customer => "the customer",
        }),
        _ => None,
    }
}

/// Where a delivery came from.
pub(crate) fn source(source: EventSource) -> &'static str {
    match source {
        EventSource::Jira => "Jira webhook",
        EventSource::Intercom => "Intercom webhook",
        EventSource::Notify => "notify address",
        EventSource::Reconciler => "looked up by Bowline",
        EventSource::Channel => "channel",
        EventSource::Command => "a person's command",
    }
}

/// The health of a connection.
pub(crate) fn health(health: Health) -> Lozenge {
    match health {
        Health::Connected => Lozenge::new(Tone::Good, "connected"),
        Health::Unchecked => Lozenge::new(Tone::Plain, "not tried yet"),
        Health::Limited => Lozenge::new(Tone::Warn, "limited"),
        Health::Broken => Lozenge::new(Tone::Warn, "broken"),
    }
}

/// `1 note is`, `3 notes are`
pub(crate) fn are(count: i64, one: &str) -> String {
    if count == 1 {
        format!("1 {one} is")
    } else {
        format!("{count} {one}s are")
    }
}

/// `1 note`, `3 notes`
pub(crate) fn some(count: i64, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {one}s")
    }
}

/// A line of a CSV file. A cell that a spreadsheet would take for a formula is made a text.
pub(crate) fn csv_line<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    let cells: Vec<String> = cells
        .into_iter()
        .map(|cell| {
            let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
            let mark = if formula { "'" } else { "" };
            format!("\"{mark}{}\"", cell.replace('"', "\"\""))
        })
        .collect();
    format!("{}\r\n", cells.join(","))
}

#[cfg(test)]
mod tests {
    use bowline_domain::outcome::Reason;

    use super::*;

    #[test]
    fn codes_are_those_of_the_reasons() {
        for reason in [
            Reason::NotLinked,
            Reason::Echo,
            Reason::Ping,
            Reason::SenderBlocked,
            Reason::ChannelNotServed {
                channel: String::new(),
            },
            Reason::TagNotChosen,
            Reason::ContactsOff,
            Reason::BackfillOver,
            Reason::KeptSilent {
                project: String::new(),
            },
            Reason::WorkspaceUnknown {
                named: String::new(),
            },
        ] {
            assert!(REASONS.iter().any(|(code, _)| *code == reason.code()));
        }
    }

    #[test]
    fn a_decision_says_how_much_was_done_and_why_not_more() {
        let outcome = Outcome {
            effects: 1,
            reasons: vec![Reason::BeforeLink],
        };
        let (lozenge, why) = became(EventState::Decided, Some(&outcome), None);
        assert_eq!((lozenge.tone, &*lozenge.word), (Tone::Good, "1 effect"));
        assert_eq!(why.len(), 1);
        let (lozenge, why) = became(EventState::Quarantined, None, Some("Odd."));
        assert_eq!((lozenge.tone, why), (Tone::Bad, vec!["Odd.".to_owned()]));
    }

    #[test]
    fn cells_are_quoted_and_formulas_are_texts() {
        let line = csv_line(["plain", "a \"b\", c", "=HYPERLINK(1)"]);
        assert_eq!(line, "\"plain\",\"a \"\"b\"\", c\",\"'=HYPERLINK(1)\"\r\n");
    }
}
