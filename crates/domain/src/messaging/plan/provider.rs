//! What the provider says of deliveries and conversations, and what became of our own sends.

use super::{Drawing, Plan, unserved};
use crate::audience::Audience;
use crate::ids::IssueKey;
use crate::messaging::act::TalkAct;
use crate::messaging::delivery::{Delivery, FILE_IN_KEY, Outbound, Resolution, Resolved};
use crate::messaging::end_user::EndUser;
use crate::messaging::ids::{AccountName, MessageId, RemoteConversationId};
use crate::messaging::request::{Closing, Request};
use crate::messaging::settings::WindowTemplate;
use crate::messaging::text::CustomerText;
use crate::messaging::words::{self, Missing};
use crate::outcome::Reason;
use crate::time::Millis;

/// One thing that is said of an end user's conversation from the channel's side.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// A message of ours got further, or failed.
    Delivery {
        /// Our message, as it is kept.
        message: Outbound,
        /// Where it is now.
        now: Delivery,
        /// Why it is there, if it failed.
        reason: Option<String>,
    },
    /// A message about a status waited until that status held no more.
    Overtaken {
        /// Our message, as it is kept.
        message: Outbound,
        /// The status since.
        by: String,
    },
    /// A conversation was archived at the provider.
    Archived {
        /// Which.
        conversation: RemoteConversationId,
    },
    /// Someone answered in the provider's own inbox.
    AnsweredElsewhere {
        /// The message.
        message: MessageId,
        /// What it says.
        text: String,
        /// When.
        at: Millis,
    },
    /// The provider joined this end user's contact with that of another, who has an older
    /// conversation.
    MergedAway,
    /// A file of the end user's could not be attached.
    FileMissing {
        /// Its name.
        name: String,
        /// Why, in words.
        reason: String,
    },
    /// The window for answers ends soon.
    WindowEnds,
    /// A person wants a message sent again.
    SendAgain {
        /// Our message, as it is kept.
        message: Outbound,
        /// The sending that is asked for: names the new effect.
        asked: String,
        /// What it says, if it may still be said.
        text: Option<CustomerText>,
        /// Who wants it, for people.
        by: String,
    },
    /// A person wants a file sent again.
    SendFileAgain {
        /// Our message, as it is kept.
        message: Outbound,
        /// The sending that is asked for: names the new effect.
        asked: String,
        /// Is the comment that shows it still public?
        public: bool,
        /// Who wants it, for people.
        by: String,
    },
    /// A person decided about a message that it is not to be sent again.
    LetBe {
        /// Our message, as it is kept.
        message: Outbound,
        /// Did it arrive, as they found out?
        arrived: bool,
        /// Who decided, for people.
        by: String,
    },
    /// An administrator wants a test message sent.
    TestMessage {
        /// The asking: names the effect.
        asked: String,
    },
    /// Something waits to be sent, and what is needed for it was removed.
    Unserved {
        /// What is missing.
        missing: Missing,
    },
    /// A person wants the approved message sent.
    SendTemplate {
        /// The request's key, and the message, if the desk has one.
        template: Option<(IssueKey, WindowTemplate)>,
        /// The sending that is asked for: names the effect.
        asked: String,
    },
}

/// Decides what a report means. `request` is the conversation it is about, active or closed.
pub fn provider(
    account: &AccountName,
    end_user: &EndUser,
    request: &Request,
    report: &Report,
    now: Millis,
) -> Plan {
    let mut drawing = Drawing::new(account, end_user, request.clone());
    match report {
        Report::Delivery {
            message,
            now: told,
            reason,
        } => delivered(&mut drawing, message, *told, reason.as_deref()),
        Report::Overtaken { message, by } => overtaken(&mut drawing, message, by, now),
        Report::Archived { conversation } => {
            if !request.is_live() {
                drawing.because(Reason::Echo);
            } else if request.route.conversation.as_ref() == Some(conversation) {
                drawing.request.close(now, Closing::Archived);
                drawing.tell(&format!("archived.{}", now.0), words::archived());
            } else {
                drawing.because(Reason::OtherConversation);
            }
        }
        Report::AnsweredElsewhere { message, text, at } => {
            if request.is_live() {
                let fact = format!("elsewhere/{message}");
                drawing.tell(&fact, words::answered_elsewhere(text, *at));
            } else {
                drawing.because(Reason::ConversationClosed);
            }
        }
        Report::Unserved { missing } => unserved::told(&mut drawing, missing, ("waiting", now)),
        Report::MergedAway => {
            if request.is_live() {
                drawing.request.close(now, Closing::Merged);
                drawing.tell(&format!("merged.{}", now.0), words::merged());
            } else {
                drawing.because(Reason::ConversationClosed);
            }
        }
        Report::FileMissing { name, reason } => {
            drawing.tell(&format!("file/{name}"), words::file_missing(name, reason));
        }
        Report::WindowEnds => remind(&mut drawing, now),
        Report::SendAgain {
            message,
            asked,
            text,
            by,
        } => {
            send_again(&mut drawing, message, asked, text.clone(), now);
            replaced(&mut drawing, message, by, now);
        }
        Report::SendFileAgain {
            message,
            asked,
            public,
            by,
        } => {
            send_file_again(&mut drawing, message, asked, *public, now);
            replaced(&mut drawing, message, by, now);
        }
        Report::LetBe {
            message,
            arrived,
            by,
        } => {
            let how = if *arrived {
                Resolution::Arrived
            } else {
                Resolution::Dropped
            };
            let by = by.clone();
            let_be(&mut drawing, message, Resolved { how, by, at: now });
        }
        Report::TestMessage { asked } => test_message(&mut drawing, asked, now),
        Report::SendTemplate { template, asked } => {
            send_template(&mut drawing, template.as_ref(), asked, now);
        }
    }
    drawing.finish(request)
}

fn delivered(drawing: &mut Drawing, message: &Outbound, told: Delivery, reason: Option<&str>) {
    let after = match told {
        // What our own courier says of a message that is not on its way yet.
        Delivery::Held | Delivery::NotSent if message.delivery == Delivery::Queued => told,
        _ => message.delivery.after(told),
    };
    if after == message.delivery {
        return drawing.because(Reason::AlreadyHandled);
    }
    let reason = reason.map(str::to_owned);
    drawing
        .plan
        .changes
        .delivered
        .push((message.key.clone(), after, reason.clone()));
    let why = reason.as_deref().unwrap_or("the provider gave no reason.");
    // Named by the message, so that it is told once however often it is reported.
    match after {
        Delivery::Failed | Delivery::NotSent => drawing.tell(
            &format!("failed/{}", message.key),
            words::not_delivered(&message.text, why),
        ),
        Delivery::Held => drawing.tell(
            &format!("held/{}", message.key),
            words::maybe_sent(&message.text),
        ),
        _ => drawing.because(Reason::ReportNoted),
    }
}

/// Keeps that a message about a status is not sent any more. Nobody misses it: a later one tells what
/// holds.
fn overtaken(drawing: &mut Drawing, message: &Outbound, by: &str, now: Millis) {
    if message.delivery != Delivery::Queued {
        return drawing.because(Reason::AlreadyHandled);
    }
    let changes = &mut drawing.plan.changes;
    let reason = Some(words::overtaken(by));
    let (key, delivery) = (message.key.clone(), Delivery::NotSent);
    changes.delivered.push((key.clone(), delivery, reason));
    let resolved = Resolved {
        how: Resolution::Dropped,
        by: words::BY_ITSELF.to_owned(),
        at: now,
    };
    changes.resolved.push((key, resolved));
    let by = by.to_owned();
    drawing.because(Reason::StatusOvertaken { by });
}

fn remind(drawing: &mut Drawing, now: Millis) {
    let ends_at = drawing.request.window_ends_at();
    match ends_at.filter(|_| drawing.request.is_live()) {
        Some(ends_at) if now < ends_at && drawing.request.reminded_of != Some(ends_at) => {
            drawing.request.reminded_of = Some(ends_at);
            let fact = format!("reminder/{}", ends_at.0);
            drawing.tell(&fact, words::window_ends(ends_at));
        }
        Some(_) => drawing.because(Reason::AlreadyHandled),
        None => drawing.because(Reason::ConversationClosed),
    }
}

/// One new effect for a message that reached nobody, if it can be sent now.
fn send_again(
    drawing: &mut Drawing,
    message: &Outbound,
    asked: &str,
    text: Option<CustomerText>,
    now: Millis,
) {
    let text = text.filter(|_| may_be_sent_again(drawing, message, now));
    let Some(text) = text else {
        if drawing.plan.outcome.reasons.is_empty() {
            drawing.because(Reason::NotSentAgain);
        }
        return;
    };
    let shown = (message.comment.clone(), text.as_str().to_owned());
    let act = TalkAct::Send {
        request: drawing.whose.clone(),
        audience: Audience::Customer,
        route: drawing.request.route.clone(),
        text,
        comment: message.comment.clone(),
        whole: false,
        tells: None,
    };
    drawing.send(&format!("again/{asked}"), act, shown, now);
}

/// The same for a file.
fn send_file_again(
    drawing: &mut Drawing,
    message: &Outbound,
    asked: &str,
    public: bool,
    now: Millis,
) {
    let (Some(file), Some(comment), true) = (message.file(), &message.comment, public) else {
        return drawing.because(Reason::NotSentAgain);
    };
    if may_be_sent_again(drawing, message, now) {
        let fact = format!("again/{asked}{FILE_IN_KEY}{}", file.id);
        drawing.send_file(&fact, &file, comment, now);
    }
}

/// If there is a new message in its place, the old one is dealt with.
fn replaced(drawing: &mut Drawing, message: &Outbound, by: &str, now: Millis) {
    if drawing.plan.changes.outbound.is_empty() {
        return;
    }
    let resolved = Resolved {
        how: Resolution::SentAgain,
        by: by.to_owned(),
        at: now,
    };
    let resolved = (message.key.clone(), resolved);
    drawing.plan.changes.resolved.push(resolved);
}

/// The message stays as it is, by a person's word.
fn let_be(drawing: &mut Drawing, message: &Outbound, resolved: Resolved) {
    if !message.delivery.may_be_sent_again() {
        return drawing.because(Reason::NotSentAgain);
    }
    drawing.because(Reason::LetBe);
    let resolved = (message.key.clone(), resolved);
    drawing.plan.changes.resolved.push(resolved);
}

/// The one message that carries nothing, if something can be sent now.
fn test_message(drawing: &mut Drawing, asked: &str, now: Millis) {
    if !drawing.request.is_live() {
        return drawing.because(Reason::ConversationClosed);
    }
    if !drawing.request.can_reply(now) {
        return drawing.because(Reason::ReplyWindowClosed);
    }
    let text = CustomerText::test_message();
    let shown = (None, text.as_str().to_owned());
    let act = TalkAct::Send {
        request: drawing.whose.clone(),
        audience: Audience::Customer,
        route: drawing.request.route.clone(),
        text,
        comment: None,
        whole: false,
        tells: None,
    };
    drawing.send(&format!("test/{asked}"), act, shown, now);
}

/// May a message be sent again, by where it is, and can something be sent now? Says why not.
fn may_be_sent_again(drawing: &mut Drawing, message: &Outbound, now: Millis) -> bool {
    let why_not = if !message.delivery.may_be_sent_again() {
        Reason::NotSentAgain
    } else if !drawing.request.is_live() {
        Reason::ConversationClosed
    } else if !drawing.request.can_reply(now) {
        Reason::ReplyWindowClosed
    } else {
        return true;
    };
    drawing.because(why_not);
    false
}

/// The approved message, if there is one and nothing else can be sent.
fn send_template(
    drawing: &mut Drawing,
    template: Option<&(IssueKey, WindowTemplate)>,
    asked: &str,
    now: Millis,
) {
    if !drawing.request.is_live() {
        return drawing.because(Reason::ConversationClosed);
    }
    let Some((key, template)) = template else {
        return drawing.because(Reason::NoTemplate);
    };
    if drawing.request.can_reply(now) {
        return drawing.because(Reason::ReplyWindowOpen);
    }
    drawing.send_template(&format!("asked/{asked}"), template, key, now);
}
