//! What a message of an end user means.

use super::{Drawing, Plan, archive_key};
use crate::effect::EffectKey;
use crate::messaging::act::TalkAct;
use crate::messaging::end_user::EndUser;
use crate::messaging::gathering::{GATHERING_CHARS_MAX, Gathering, Line, Place, cut, summary};
use crate::messaging::ids::RequestRef;
use crate::messaging::inbound::{Inbound, Media};
use crate::messaging::request::{Closing, Reopening, Request, Stage};
use crate::messaging::settings::Desk;
use crate::messaging::words;
use crate::outcome::Reason;

/// What we know of a sender before their message is looked at.
#[derive(Clone, Debug)]
pub struct Person {
    /// Who they are, with what was known of them before this message.
    pub end_user: EndUser,
    /// Were they seen before?
    pub known: bool,
    /// Their newest conversation, active or closed.
    pub latest: Option<Request>,
    /// Was this very message dealt with before?
    pub seen: bool,
    /// How many requests they began within the last hour.
    pub requests_lately: u32,
}

/// Decides what a message of an end user means. `desk` is the one that serves its channel.
pub fn inbound(person: &Person, message: &Inbound, desk: Option<&Desk>) -> Plan {
    if person.seen {
        return Plan::nothing(Reason::AlreadyHandled);
    }
    let Some(desk) = desk else {
        let channel = message.route.channel.to_string();
        return Plan::nothing(Reason::ChannelNotServed { channel });
    };
    if person.end_user.blocked {
        return Plan::nothing(Reason::SenderBlocked);
    }
    let end_user = person
        .end_user
        .with(&message.identities, message.name.as_deref());
    let latest = person.latest.as_ref();
    let mut plan = match latest.filter(|latest| goes_on(latest, message, desk)) {
        Some(active) => add(active, &end_user, message, desk),
        None if person.requests_lately >= desk.requests_per_hour_max => {
            return Plan::nothing(Reason::TooManyRequests);
        }
        None => begin(latest, &end_user, message, desk),
    };
    if !person.known || end_user != person.end_user {
        plan.changes.end_user = Some(end_user);
    }
    plan
}

/// Does the message go on with this conversation? An active one always; an ended one only if the
/// desk lets it come back and it ended lately.
fn goes_on(latest: &Request, message: &Inbound, desk: &Desk) -> bool {
    match latest.closed {
        _ if latest.is_live() => true,
        Some((at, _)) => {
            desk.reopen_within_ms > 0
                && message.received_at.since(at) < desk.reopen_within_ms
                && latest.issue.is_some()
        }
        None => false,
    }
}

/// A new conversation, which makes a new request.
fn begin(latest: Option<&Request>, end_user: &EndUser, message: &Inbound, desk: &Desk) -> Plan {
    let request = Request {
        generation: latest.map_or(0, |latest| latest.generation) + 1,
        desk: desk.name.clone(),
        site: desk.site.clone(),
        stage: Stage::Describing,
        gathering: Some(Gathering {
            number: 1,
            place: Place::Description,
            chars: 0,
        }),
        gatherings: 1,
        route: message.route.clone(),
        opened_at: message.received_at,
        last_inbound_at: message.sent_at,
        reminded_of: None,
        closed: None,
        reopening: None,
        before: latest.and_then(|latest| latest.route.conversation.clone()),
        unserved: None,
        outside: None,
        status: None,
        issue: None,
    };
    let unsaved = Request {
        generation: 0,
        ..request.clone()
    };
    let mut drawing = Drawing::new(&desk.account, end_user, request);
    let act = TalkAct::CreateRequest {
        request: drawing.whose.clone(),
        summary: summary(
            message.text.as_deref(),
            end_user.label(),
            &message.route.platform.to_string(),
        ),
    };
    drawing.push("", act);
    gather(&mut drawing, message, desk);
    attach(&mut drawing, message);
    go_on_in(&mut drawing, latest, "");
    drawing.finish(&unsaved)
}

/// If the provider put the message into the conversation of what ended before, which is archived or
/// will be: opens it again behind that, so that this can be answered.
fn go_on_in(drawing: &mut Drawing, ended: Option<&Request>, fact: &str) {
    let before = ended.and_then(|ended| ended.route.conversation.clone());
    let Some(conversation) = drawing.request.route.conversation.clone() else {
        return;
    };
    if before.as_ref() != Some(&conversation) {
        return;
    }
    let archive = ended.and_then(|ended| archive_of(ended, &drawing.whose));
    let act = TalkAct::Reopen {
        request: drawing.whose.clone(),
        conversation: conversation.clone(),
    };
    let open = drawing.push(fact, act);
    drawing.request.reopening = Some(Reopening {
        conversation,
        archive,
        open,
    });
}

/// What archives the conversation of a request that ended, if we do.
fn archive_of(ended: &Request, whose: &RequestRef) -> Option<EffectKey> {
    let (at, why) = ended.closed?;
    let whose = RequestRef {
        generation: ended.generation,
        ..whose.clone()
    };
    matches!(why, Closing::Done | Closing::Deleted).then(|| archive_key(&whose, at))
}

/// One more message of an active conversation.
fn add(active: &Request, end_user: &EndUser, message: &Inbound, desk: &Desk) -> Plan {
    let mut drawing = Drawing::new(&desk.account, end_user, active.clone());
    let request = &mut drawing.request;
    let ended = request.closed;
    if !request.is_live() {
        request.stage = Stage::Commenting;
        request.closed = None;
    }
    // The channel that was used last is where the answer goes, by the provider's time: a late
    // message does not turn the talk back.
    let is_newest = message.sent_at >= request.last_inbound_at;
    if has_left(request, message) || is_newest && !turns_back(request, message) {
        request.route = message.route.clone();
    }
    request.last_inbound_at = request.last_inbound_at.max(message.sent_at);
    gather(&mut drawing, message, desk);
    attach(&mut drawing, message);
    if let Some((at, _)) = ended {
        go_on_in(&mut drawing, Some(active), &format!("end.{}", at.0));
    }
    drawing.finish(active)
}

/// Is the message in another conversation than the one that was archived and is opened again for
/// the request? The customer has begun it after that, whatever time the message bears.
fn has_left(request: &Request, message: &Inbound) -> bool {
    let opened_again = request.reopening.as_ref().map(|it| &it.conversation);
    let now = request.route.conversation.as_ref();
    opened_again.is_some() && now == opened_again && message.route.conversation.as_ref() != now
}

/// Is the message in the conversation of the request before, which ended, while this one goes on in
/// another? The provider had put it there, and nothing can be sent there any more.
fn turns_back(request: &Request, message: &Inbound) -> bool {
    let there = message.route.conversation.as_ref();
    there.is_some()
        && there == request.before.as_ref()
        && there != request.route.conversation.as_ref()
}

/// Puts the message's lines into the open gathering, or into a new comment.
fn gather(drawing: &mut Drawing, message: &Inbound, desk: &Desk) {
    let mut touched: Vec<Gathering> = Vec::new();
    for (part, text) in (0..).zip(cut(&text_of(message))) {
        let mut line = Line {
            message: message.message.clone(),
            part,
            gathering: 0,
            place: Place::Description,
            sent_at: message.sent_at,
            received_at: message.received_at,
            within: message.within,
            text,
        };
        let gathering = room_for(&mut drawing.request, line.chars());
        (line.gathering, line.place) = (gathering.number, gathering.place);
        if !touched.iter().any(|one| one.number == gathering.number) {
            touched.push(gathering);
        }
        drawing.plan.changes.lines.push(line);
    }
    for gathering in touched {
        // What makes the request writes what is gathered for its description by then.
        let created = drawing.plan.effects.iter().any(|effect| {
            matches!(
                &effect.act,
                crate::effect::Act::Talk(TalkAct::CreateRequest { .. })
            )
        });
        if created && gathering.place == Place::Description {
            continue;
        }
        let act = TalkAct::Gather {
            request: drawing.whose.clone(),
            gathering: gathering.number,
            place: gathering.place,
            message: Some(message.message.clone()),
            due_at: message.received_at.plus_ms(desk.quiet_ms),
        };
        let fact = format!("{}/{}", gathering.number, message.message);
        drawing.push(&fact, act);
    }
}

/// The gathering that takes so many characters more: the open one, one that goes on with it, or a
/// new comment.
fn room_for(request: &mut Request, chars: usize) -> Gathering {
    let place = match request.gathering {
        Some(open) if open.chars + chars <= GATHERING_CHARS_MAX => {
            let open = Gathering {
                chars: open.chars + chars,
                ..open
            };
            request.gathering = Some(open);
            return open;
        }
        Some(_) => Place::Continued,
        None => Place::Comment,
    };
    request.gatherings += 1;
    let new = Gathering {
        number: request.gatherings,
        place,
        chars,
    };
    request.gathering = Some(new);
    new
}

/// What stands in Jira for a message: its text, its files by name, or what kind it is.
fn text_of(message: &Inbound) -> String {
    let mut pieces: Vec<String> = Vec::new();
    let text = message.text.as_deref().map(str::trim);
    pieces.extend(text.filter(|text| !text.is_empty()).map(str::to_owned));
    pieces.extend(
        message
            .media
            .iter()
            .map(|media| words::file(&media.kind, &file_name(message, media))),
    );
    pieces.extend(message.unsupported.as_deref().map(words::unsupported));
    if pieces.is_empty() {
        pieces.push(words::unsupported("empty"));
    }
    pieces.join(" ")
}

fn attach(drawing: &mut Drawing, message: &Inbound) {
    for (place, media) in message.media.iter().enumerate() {
        let named = Media {
            name: Some(file_name(message, media)),
            ..media.clone()
        };
        let act = TalkAct::Attach {
            request: drawing.whose.clone(),
            message: message.message.clone(),
            media: named,
        };
        drawing.push(&format!("{}/{place}", message.message), act);
    }
}

/// What a file is called in Jira: the name it came with, behind a part of its message's id, so that
/// it is found again and two of one name do not meet.
fn file_name(message: &Inbound, media: &Media) -> String {
    const ID_CHARS: usize = 6;
    let id: Vec<char> = message
        .message
        .as_str()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let tail: String = id[id.len().saturating_sub(ID_CHARS)..].iter().collect();
    let name = media.name.as_deref().unwrap_or(&media.kind);
    let name: String = name
        .chars()
        .map(|c| {
            if c.is_control() || matches!(c, '/' | '\\') {
                '_'
            } else {
                c
            }
        })
        .collect();
    format!("{tail}-{name}")
}
