//! What an event means for an end user and their request.

mod inbound;
mod jira;
mod provider;
mod unserved;

use crate::audience::Audience;
use crate::connection::Connection;
use crate::effect::{Act, Effect, EffectKey};
use crate::fact::FactKey;
use crate::ids::{CommentId, IssueId, IssueKey, ProjectKey};
use crate::messaging::act::{ARCHIVE, AgentFile, SEND, TalkAct};
use crate::messaging::delivery::{Delivery, Outbound, Resolution, Resolved};
use crate::messaging::end_user::EndUser;
use crate::messaging::gathering::Line;
use crate::messaging::ids::{AccountName, EndUserId, RequestRef};
use crate::messaging::request::Request;
use crate::messaging::settings::WindowTemplate;
use crate::messaging::text::{CustomerText, InternalText};
use crate::messaging::words;
use crate::outcome::{Outcome, Reason};
use crate::time::Millis;

pub use inbound::{Person, inbound};
pub use jira::jira;
pub use provider::{Report, provider};
pub use unserved::unserved;

/// What is to be done about an event. All of it is committed in one transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What changes in what is kept.
    pub changes: Changes,
    /// The facts of the request's issue that are dealt with now.
    pub facts: Vec<FactKey>,
    /// The writes to be made, in order.
    pub effects: Vec<Effect>,
    /// What became of the event.
    pub outcome: Outcome,
}

/// What changes in what is kept of an end user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// The end user, whole, if new or changed.
    pub end_user: Option<EndUser>,
    /// Their conversation, whole, if new or changed.
    pub request: Option<Request>,
    /// The key that the issue has since it was moved.
    pub moved_to: Option<IssueKey>,
    /// New lines of gatherings.
    pub lines: Vec<Line>,
    /// New messages to the end user.
    pub outbound: Vec<Outbound>,
    /// They turned out to be another end user, who is known by all that they were known by from now
    /// on.
    pub joined: Option<EndUserId>,
    /// Where known messages to the end user are now, and why.
    pub delivered: Vec<(EffectKey, Delivery, Option<String>)>,
    /// What people decided about messages that reached nobody, or may have.
    pub resolved: Vec<(EffectKey, Resolved)>,
}

impl Plan {
    /// Nothing is done, for this reason.
    pub(crate) fn nothing(reason: Reason) -> Self {
        Self {
            outcome: Outcome::nothing(reason),
            ..Self::default()
        }
    }
}

/// Puts a plan together for one conversation.
struct Drawing {
    whose: RequestRef,
    /// The conversation as it is after what was planned so far.
    request: Request,
    plan: Plan,
}

impl Drawing {
    fn new(account: &AccountName, end_user: &EndUser, request: Request) -> Self {
        Self {
            whose: RequestRef {
                account: account.clone(),
                end_user: end_user.id.clone(),
                generation: request.generation,
            },
            request,
            plan: Plan::default(),
        }
    }

    fn push(&mut self, fact: &str, act: TalkAct) -> EffectKey {
        let key = EffectKey::talk(act.kind(), &self.whose, fact);
        let connection = if act.goes_to_channel() {
            Connection::Account(self.whose.account.clone())
        } else {
            Connection::Site(self.request.site.clone())
        };
        let issue = self.request.issue.as_ref();
        self.plan.effects.push(Effect {
            key: key.clone(),
            connection,
            site: self.request.site.clone(),
            issue: issue.map_or_else(|| IssueId::new(""), |(id, _)| id.clone()),
            act: Act::Talk(act),
        });
        key
    }

    /// Tells the agents something, once per fact.
    fn tell(&mut self, fact: &str, text: String) {
        let act = TalkAct::Tell {
            request: self.whose.clone(),
            audience: Audience::Internal,
            text: InternalText::new(text),
        };
        self.push(fact, act);
    }

    /// Sends an approved message by the channel used last.
    fn send_template(
        &mut self,
        fact: &str,
        template: &WindowTemplate,
        key: &IssueKey,
        now: Millis,
    ) {
        let message = template.filled(key);
        let text = CustomerText::of_approved(template, &message);
        let shown = text.as_str().to_owned();
        let act = TalkAct::SendTemplate {
            request: self.whose.clone(),
            audience: Audience::Customer,
            route: self.request.route.clone(),
            message: Box::new(message),
            text,
        };
        self.send(fact, act, (None, shown), now);
    }

    /// Sends a file of a public comment by the channel used last, if it may be sent now.
    fn send_file(&mut self, fact: &str, file: &AgentFile, comment: &CommentId, now: Millis) {
        let act = TalkAct::SendFile {
            request: self.whose.clone(),
            audience: Audience::Customer,
            route: self.request.route.clone(),
            comment: comment.clone(),
            file: file.clone(),
        };
        let shown = (Some(comment.clone()), words::sent_file(&file.name));
        self.send(fact, act, shown, now);
    }

    /// Plans a message to the end user and keeps it, or keeps that it was not sent because the
    /// reply window is closed.
    fn send(
        &mut self,
        fact: &str,
        act: TalkAct,
        (comment, text): (Option<CommentId>, String),
        now: Millis,
    ) {
        let any_time = matches!(act, TalkAct::SendTemplate { .. });
        let open = any_time || self.request.can_reply(now);
        let (key, delivery) = if open {
            (self.push(fact, act), Delivery::Queued)
        } else {
            let key = EffectKey::talk(act.kind(), &self.whose, fact);
            (key, Delivery::NotSent)
        };
        self.plan.changes.outbound.push(Outbound {
            key,
            comment,
            channel: self.request.route.channel.clone(),
            text,
            delivery,
            reason: (!open).then(|| "the reply window was closed".to_owned()),
            at: now,
        });
    }

    /// Keeps a message that is not sent and that nobody misses: there is nothing to decide about it.
    fn not_sent(&mut self, fact: &str, text: String, reason: String, now: Millis) {
        let key = EffectKey::talk(SEND, &self.whose, &format!("{fact}/0"));
        self.plan.changes.outbound.push(Outbound {
            key: key.clone(),
            comment: None,
            channel: self.request.route.channel.clone(),
            text,
            delivery: Delivery::NotSent,
            reason: Some(reason),
            at: now,
        });
        let resolved = Resolved {
            how: Resolution::Dropped,
            by: words::BY_ITSELF.to_owned(),
            at: now,
        };
        self.plan.changes.resolved.push((key, resolved));
    }

    /// Archives the provider's conversation, if there is one.
    fn archive(&mut self) {
        if let Some(conversation) = self.request.route.conversation.clone() {
            let act = TalkAct::Archive {
                request: self.whose.clone(),
                conversation,
            };
            let at = self.request.closed.map_or(Millis(0), |(at, _)| at);
            self.push(&end(at), act);
        }
    }

    /// The issue has this key now: it may have been moved.
    fn follow(&mut self, key: &IssueKey) {
        if self.request.outside.is_some() && self.request.outside != ProjectKey::of(key) {
            self.request.outside = None;
        }
        if let Some((_, known)) = &mut self.request.issue
            && known != key
        {
            known.clone_from(key);
            self.plan.changes.moved_to = Some(key.clone());
        }
    }

    fn because(&mut self, reason: Reason) {
        self.plan.outcome.because(reason);
    }

    /// The plan, with the conversation in it if it changed.
    fn finish(mut self, before: &Request) -> Plan {
        if self.request != *before {
            self.plan.changes.request = Some(self.request);
        }
        self.plan.outcome.effects = self.plan.effects.len();
        self.plan
    }
}

/// The key of what archives the conversation of a request that ended at this time.
fn archive_key(whose: &RequestRef, at: Millis) -> EffectKey {
    EffectKey::talk(ARCHIVE, whose, &end(at))
}

/// An end, named by its time: a conversation that came back ends again.
fn end(at: Millis) -> String {
    format!("end.{}", at.0)
}
