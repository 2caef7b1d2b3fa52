//! A small Jira and a phone, and what the store and the couriers would do with our plans.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bowline_text::{Doc, Inline};

use crate::audience::Audience;
use crate::effect::{Act, Effect, EffectKey};
use crate::fact::FactKey;
use crate::ids::{CommentId, IssueId, IssueKey, SiteName};
use crate::messaging::act::{AgentFile, TalkAct};
use crate::messaging::delivery::{Delivery, Outbound};
use crate::messaging::end_user::{EndUser, Identity, IdentityKind};
use crate::messaging::gathering::{Line, Place, in_order};
use crate::messaging::ids::{AccountName, ChannelId, DeskName, MessageId, RemoteConversationId};
use crate::messaging::inbound::{Inbound, Media, Route, Within};
use crate::messaging::news::{CommentNews, RequestNews, Role, StatusChange};
use crate::messaging::plan::{Person, Plan, Report, inbound, jira, provider, unserved};
use crate::messaging::platform::Platform;
use crate::messaging::request::{Closing, Request, Stage};
use crate::messaging::settings::{Channels, Desk, Notifications};
use crate::messaging::text::CustomerText;
use crate::messaging::words::Missing;
use crate::observation::{CommentVisibility, StatusCategory, StatusRef};
use crate::outcome::Reason;
use crate::settings::StatusMatch;
use crate::time::Millis;

pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 60 * MINUTE;

/// A comment in the small Jira.
#[derive(Clone, Debug)]
pub(super) struct Comment {
    pub(super) id: String,
    pub(super) author: &'static str,
    pub(super) role: Role,
    pub(super) at: Millis,
    pub(super) visibility: CommentVisibility,
    pub(super) text: String,
    pub(super) files: usize,
}

impl Comment {
    fn attached(&self) -> Vec<AgentFile> {
        let files = (1..=self.files).map(|number| AgentFile {
            id: format!("{}-{number}", self.id),
            name: format!("file{number}.pdf"),
        });
        files.collect()
    }
}

/// An issue in the small Jira.
#[derive(Clone, Debug, Default)]
pub(super) struct Issue {
    pub(super) summary: String,
    pub(super) description: Vec<String>,
    pub(super) comments: Vec<Comment>,
    pub(super) changes: Vec<StatusChange>,
    pub(super) files: Vec<String>,
    facts: BTreeSet<FactKey>,
    gatherings: BTreeMap<u32, String>,
}

impl Issue {
    /// The comments as `author: text`.
    pub(super) fn talk(&self) -> Vec<String> {
        self.comments
            .iter()
            .map(|one| format!("{}: {}", one.author, one.text))
            .collect()
    }
}

/// One end user, their requests, and the far sides.
pub(super) struct World {
    pub(super) now: Millis,
    pub(super) desk: Desk,
    pub(super) end_user: Option<EndUser>,
    pub(super) requests: Vec<Request>,
    lines: BTreeMap<u32, Vec<Line>>,
    seen: BTreeSet<MessageId>,
    pub(super) outbound: Vec<Outbound>,
    keys: BTreeSet<EffectKey>,
    to_jira: VecDeque<Effect>,
    to_channel: VecDeque<Effect>,
    pub(super) issues: Vec<Issue>,
    pub(super) phone: Vec<String>,
    pub(super) channels_used: Vec<String>,
    /// What is missing so that nothing is sent.
    pub(super) missing: Option<Missing>,
    /// The key that the request was moved to, and whether it is a request there.
    pub(super) moved: Option<(&'static str, bool)>,
    pub(super) archived: usize,
    pub(super) reopened: usize,
    pub(super) effects: usize,
    pub(super) resolved: usize,
    pub(super) reasons: Vec<&'static str>,
    messages: u32,
    comments: u32,
    changes: u32,
}

pub(super) fn account() -> AccountName {
    AccountName::new("bird")
}

fn phone() -> Identity {
    Identity {
        kind: IdentityKind::Phone,
        value: "+31612345678".to_owned(),
    }
}

pub(super) fn route(channel: &str) -> Route {
    Route {
        channel: ChannelId::new(channel),
        platform: Platform::from_word(channel),
        to: phone(),
        conversation: Some(RemoteConversationId::new("conv-1")),
    }
}

pub(super) fn status(name: &str) -> StatusRef {
    let (id, category) = match name {
        "Done" => ("5", StatusCategory::Done),
        "Waiting for support" => ("1", StatusCategory::New),
        _ => ("3", StatusCategory::Indeterminate),
    };
    StatusRef {
        id: id.to_owned(),
        name: name.to_owned(),
        category,
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            now: Millis(1_764_000_000_000),
            desk: Desk {
                name: DeskName::new("support"),
                account: account(),
                channels: Channels::All,
                site: SiteName::new("jira"),
                notifications: Notifications {
                    others: true,
                    usual: None,
                    by_status: BTreeMap::new(),
                },
                language: None,
                texts: Vec::new(),
                closing: vec![StatusMatch::Category(StatusCategory::Done)],
                reopen_within_ms: 0,
                quiet_ms: 3_000,
                requests_per_hour_max: 1_000,
                attachments_out: false,
                window_template: None,
            },
            end_user: None,
            requests: Vec::new(),
            lines: BTreeMap::new(),
            seen: BTreeSet::new(),
            outbound: Vec::new(),
            keys: BTreeSet::new(),
            to_jira: VecDeque::new(),
            to_channel: VecDeque::new(),
            issues: Vec::new(),
            phone: Vec::new(),
            channels_used: Vec::new(),
            missing: None,
            moved: None,
            archived: 0,
            reopened: 0,
            effects: 0,
            resolved: 0,
            reasons: Vec::new(),
            messages: 0,
            comments: 0,
            changes: 0,
        }
    }

    /// One that wrote, was answered, and has nothing on the way.
    pub(super) fn answered() -> Self {
        let mut world = Self::new();
        world.write("My router is red");
        world.settle();
        world.comment("agent", "Which model?");
        world.settle();
        world
    }

    pub(super) fn pass(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
    }

    // What people do.

    pub(super) fn message(&mut self, text: &str, channel: &str) -> Inbound {
        self.messages += 1;
        self.pass(10);
        Inbound {
            message: MessageId::new(format!("m{:06}", self.messages)),
            sent_at: self.now,
            received_at: self.now,
            within: Within::default(),
            identities: vec![phone()],
            name: Some("Noa".to_owned()),
            route: route(channel),
            text: Some(text.to_owned()),
            media: Vec::new(),
            unsupported: None,
        }
    }

    pub(super) fn write(&mut self, text: &str) -> Inbound {
        let message = self.message(text, "whatsapp");
        self.receive(&message);
        message
    }

    pub(super) fn with_file(&mut self, text: &str, file: &str) -> Inbound {
        Inbound {
            media: vec![Media {
                source: "media/1".to_owned(),
                name: Some(file.to_owned()),
                kind: "image".to_owned(),
                content_type: None,
            }],
            ..self.message(text, "whatsapp")
        }
    }

    fn issue(&mut self) -> &mut Issue {
        self.issues.last_mut().expect("there is a request")
    }

    pub(super) fn comment_as(
        &mut self,
        author: &'static str,
        role: Role,
        visibility: CommentVisibility,
        text: &str,
    ) -> String {
        self.comments += 1;
        self.pass(10);
        let id = format!("c{:06}", self.comments);
        let comment = Comment {
            id: id.clone(),
            author,
            role,
            at: self.now,
            visibility,
            text: text.to_owned(),
            files: 0,
        };
        self.issue().comments.push(comment);
        id
    }

    pub(super) fn comment(&mut self, author: &'static str, text: &str) -> String {
        self.comment_as(author, Role::Agent, CommentVisibility::Public, text)
    }

    pub(super) fn internal(&mut self, author: &'static str, text: &str) -> String {
        self.comment_as(author, Role::Agent, CommentVisibility::Internal, text)
    }

    pub(super) fn transition(&mut self, author: &str, to: &str) {
        self.changes += 1;
        self.pass(10);
        let change = StatusChange {
            id: format!("h{}", self.changes),
            author: Some(author.to_owned()),
            at: self.now,
            to: status(to),
        };
        self.issue().changes.push(change);
    }

    // What the engine does.

    fn apply(&mut self, generation: u32, plan: Plan) -> Plan {
        assert_eq!(plan.effects.len(), plan.outcome.effects);
        assert!(
            !plan.effects.is_empty()
                || !plan.outcome.reasons.is_empty()
                || plan.changes.request.is_some(),
            "every event ends explained"
        );
        self.reasons
            .extend(plan.outcome.reasons.iter().map(Reason::code));
        let changes = plan.changes.clone();
        self.end_user = changes.end_user.or(self.end_user.take());
        let mut generation = generation;
        if let Some(request) = changes.request {
            generation = request.generation;
            match self
                .requests
                .iter_mut()
                .find(|one| one.generation == request.generation)
            {
                Some(known) => *known = request,
                None => self.requests.push(request),
            }
        }
        for line in changes.lines {
            self.seen.insert(line.message.clone());
            self.lines.entry(generation).or_default().push(line);
        }
        self.outbound.extend(changes.outbound);
        self.resolved += changes.resolved.len();
        for (key, delivery, reason) in changes.delivered {
            for one in self.outbound.iter_mut().filter(|one| one.key == key) {
                one.delivery = delivery;
                one.reason.clone_from(&reason);
            }
        }
        if let Some(issue) = self.issues.get_mut(generation.saturating_sub(1) as usize) {
            issue.facts.extend(plan.facts.iter().cloned());
        }
        for effect in &plan.effects {
            if self.keys.insert(effect.key.clone()) {
                self.effects += 1;
                let Act::Talk(act) = &effect.act else {
                    panic!("messaging plans its own acts");
                };
                if act.goes_to_channel() {
                    self.to_channel.push_back(effect.clone());
                } else {
                    self.to_jira.push_back(effect.clone());
                }
            }
        }
        plan
    }

    pub(super) fn receive(&mut self, message: &Inbound) -> Plan {
        let end_user = self.end_user.clone().unwrap_or_else(|| {
            EndUser::new(&account(), &message.identities, message.name.as_deref())
                .expect("the message has a sender")
        });
        let lately = self
            .requests
            .iter()
            .filter(|one| message.received_at.since(one.opened_at) < HOUR)
            .count();
        let person = Person {
            known: self.end_user.is_some(),
            end_user,
            latest: self.requests.last().cloned(),
            seen: self.seen.contains(&message.message),
            requests_lately: u32::try_from(lately).unwrap_or(u32::MAX),
        };
        let desk = self.desk.clone();
        let plan = inbound(&person, message, Some(&desk));
        let generation = self.requests.last().map_or(0, |one| one.generation);
        self.apply(generation, plan)
    }

    /// Reads a request and plans what is new in it.
    pub(super) fn look_at(&mut self, generation: u32) -> Option<Plan> {
        let request = self
            .requests
            .iter()
            .find(|one| one.generation == generation)?
            .clone();
        let (_, key) = request.issue.clone()?;
        let key = self.moved.map_or(key, |(key, _)| IssueKey::new(key));
        let outside = self.moved.is_some_and(|(_, is_request)| !is_request);
        let issue = self.issues.get(generation as usize - 1)?;
        let comments = issue
            .comments
            .iter()
            .filter(|one| {
                !issue
                    .facts
                    .contains(&FactKey::talked(&CommentId::new(&*one.id)))
            })
            .map(|one| CommentNews {
                id: CommentId::new(one.id.as_str()),
                author: one.author.to_owned(),
                role: one.role,
                at: one.at,
                visibility: match one.visibility {
                    CommentVisibility::Public if outside => CommentVisibility::Unstated,
                    known => known,
                },
                outside: outside && one.role == Role::Agent,
                body: Doc::paragraph(vec![Inline::text(one.text.as_str())]),
                files: one.files,
                attached: one.attached(),
            })
            .collect();
        let changes = issue
            .changes
            .iter()
            .filter(|one| !issue.facts.contains(&FactKey::announced(&one.id)))
            .cloned()
            .collect();
        let news = RequestNews {
            unreadable: false,
            key: Some(key),
            deleted: false,
            comments,
            changes,
        };
        let end_user = self.end_user.clone()?;
        let plan = match &self.missing {
            Some(missing) => {
                let of = (&end_user, &request);
                unserved(&self.desk.account, of, &news, missing, self.now)
            }
            None => jira(&end_user, &request, &news, &self.desk.clone(), self.now),
        };
        Some(self.apply(generation, plan))
    }

    pub(super) fn look(&mut self) -> Plan {
        let generation = self.requests.last().expect("a request").generation;
        self.look_at(generation).expect("the request is made")
    }

    pub(super) fn report(&mut self, report: &Report) -> Plan {
        let request = self.requests.last().expect("a request").clone();
        let end_user = self.end_user.clone().expect("an end user");
        let plan = provider(&account(), &end_user, &request, report, self.now);
        self.apply(request.generation, plan)
    }

    pub(super) fn archive_remotely(&mut self) -> Plan {
        self.report(&Report::Archived {
            conversation: RemoteConversationId::new("conv-1"),
        })
    }

    /// Makes the next write to Jira.
    pub(super) fn step_jira(&mut self) -> bool {
        let Some(Effect {
            act: Act::Talk(act),
            ..
        }) = self.to_jira.pop_front()
        else {
            return false;
        };
        let generation = act.request().generation;
        let shown = |lines: &[Line], number: u32| -> Vec<String> {
            let of: Vec<Line> = lines
                .iter()
                .filter(|line| line.gathering == number)
                .cloned()
                .collect();
            in_order(of).into_iter().map(|line| line.text).collect()
        };
        match act {
            TalkAct::CreateRequest { summary, .. } => {
                let number = self.issues.len() + 1;
                assert_eq!(
                    number, generation as usize,
                    "one issue for each conversation"
                );
                let description = shown(&self.lines[&generation], 1);
                self.issues.push(Issue {
                    summary,
                    description,
                    ..Issue::default()
                });
                let made = (
                    IssueId::new(format!("{}", 10_000 + number)),
                    IssueKey::new(format!("SUP-{number}")),
                );
                for one in &mut self.requests {
                    if one.generation == generation {
                        one.issue = Some(made.clone());
                    }
                }
            }
            TalkAct::Gather {
                gathering, place, ..
            } => {
                let text = shown(&self.lines[&generation], gathering);
                self.gather(generation, gathering, place, text);
            }
            TalkAct::Attach { media, .. } => {
                let name = media.name.unwrap_or_default();
                self.issues[generation as usize - 1].files.push(name);
            }
            TalkAct::Tell { audience, text, .. } => {
                assert_eq!(audience, Audience::Internal);
                self.ours(generation, CommentVisibility::Internal, text.as_str());
            }
            TalkAct::Send { .. }
            | TalkAct::SendTemplate { .. }
            | TalkAct::SendFile { .. }
            | TalkAct::Reopen { .. }
            | TalkAct::Archive { .. } => panic!("not a write to Jira"),
        }
        true
    }

    fn gather(&mut self, generation: u32, number: u32, place: Place, text: Vec<String>) {
        let at = generation as usize - 1;
        if place == Place::Description {
            self.issues[at].description = text;
            return;
        }
        let text = text.join("\n");
        if let Some(id) = self.issues[at].gatherings.get(&number).cloned() {
            for comment in &mut self.issues[at].comments {
                if comment.id == id {
                    comment.text.clone_from(&text);
                }
            }
            return;
        }
        let id = self.ours(generation, CommentVisibility::Public, &text);
        self.issues[at].gatherings.insert(number, id);
    }

    fn ours(&mut self, generation: u32, visibility: CommentVisibility, text: &str) -> String {
        self.comments += 1;
        let id = format!("c{:06}", self.comments);
        let author = if visibility == CommentVisibility::Public {
            "Noa"
        } else {
            "note"
        };
        self.issues[generation as usize - 1].comments.push(Comment {
            id: id.clone(),
            author,
            role: Role::Us,
            at: self.now,
            visibility,
            text: text.to_owned(),
            files: 0,
        });
        id
    }

    /// Makes the next write to the channel, with the looks that a courier takes before it.
    pub(super) fn step_channel(&mut self) -> bool {
        let Some(Effect {
            key,
            act: Act::Talk(act),
            ..
        }) = self.to_channel.pop_front()
        else {
            return false;
        };
        let generation = act.request().generation;
        let request = self
            .requests
            .iter()
            .find(|one| one.generation == generation)
            .expect("an effect has its conversation")
            .clone();
        match act {
            TalkAct::Send {
                audience,
                route,
                text,
                comment,
                ..
            } => self.send(
                &request,
                &key,
                (audience, &route, comment),
                text.as_str().to_owned(),
            ),
            TalkAct::SendTemplate {
                audience,
                route,
                text,
                message,
                ..
            } => {
                let text = format!("{} ({})", text.as_str(), message.values.join(", "));
                self.send(&request, &key, (audience, &route, None), text);
            }
            TalkAct::SendFile {
                audience,
                route,
                comment,
                file,
                ..
            } => self.send(
                &request,
                &key,
                (audience, &route, Some(comment)),
                format!("<{}>", file.name),
            ),
            TalkAct::Reopen { .. } => self.reopened += 1,
            TalkAct::Archive { .. } => self.archived += 1,
            _ => panic!("not a write to the channel"),
        }
        true
    }

    fn send(
        &mut self,
        request: &Request,
        key: &EffectKey,
        (audience, route, comment): (Audience, &Route, Option<CommentId>),
        shown: String,
    ) {
        assert_eq!(audience, Audience::Customer);
        let ended = request.closed.is_some_and(|(_, why)| why != Closing::Done);
        let public = comment.is_none_or(|id| {
            let issue = &self.issues[request.generation as usize - 1];
            issue
                .comments
                .iter()
                .any(|one| one.id == id.as_str() && one.visibility == CommentVisibility::Public)
        });
        let sent = !ended && public;
        if sent {
            self.phone.push(shown);
            self.channels_used.push(route.channel.to_string());
        }
        for one in self.outbound.iter_mut().filter(|one| one.key == *key) {
            one.delivery = if sent {
                Delivery::Sent
            } else {
                Delivery::NotSent
            };
        }
    }

    /// Everything that waits is done, and everything that happened is seen.
    pub(super) fn settle(&mut self) {
        loop {
            let mut worked = false;
            while self.step_jira() || self.step_channel() {
                worked = true;
            }
            let facts =
                |world: &Self| -> usize { world.issues.iter().map(|one| one.facts.len()).sum() };
            let before = facts(self);
            let generations: Vec<u32> = self.requests.iter().map(|one| one.generation).collect();
            for generation in generations {
                self.look_at(generation);
            }
            if !worked && facts(self) == before && self.to_jira.is_empty() {
                return;
            }
        }
    }

    pub(super) fn stage(&self) -> Option<Stage> {
        self.requests.last().map(|one| one.stage)
    }

    /// Text for a customer, as the shell makes it of a public comment.
    pub(super) fn customer_text(text: &str) -> Option<CustomerText> {
        let body = Doc::paragraph(vec![Inline::text(text)]);
        CustomerText::of_comment(CommentVisibility::Public, &body, &Platform::Whatsapp)?
            .into_iter()
            .next()
    }
}
