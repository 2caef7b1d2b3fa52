//! What happened in a request means for its end user.

use super::{Drawing, Plan};
use crate::audience::Audience;
use crate::fact::FactKey;
use crate::ids::{CommentId, IssueKey, ProjectKey};
use crate::messaging::act::{TalkAct, Telling};
use crate::messaging::delivery::FILE_IN_KEY;
use crate::messaging::end_user::EndUser;
use crate::messaging::language::Speaking;
use crate::messaging::news::{CommentNews, RequestNews, Role, StatusChange};
use crate::messaging::request::{Closing, LastStatus, Request, Stage};
use crate::messaging::settings::Desk;
use crate::messaging::text::CustomerText;
use crate::messaging::words::{self, WayOut};
use crate::observation::CommentVisibility;
use crate::outcome::Reason;
use crate::time::Millis;

/// A public comment and a transition by the same person within this time are one action, in
/// milliseconds: Jira stores them one after the other.
const ONE_ACTION_MS: i64 = 2_000;

/// Decides what news of a request mean for its end user. `request` is the conversation that the
/// issue belongs to, active or closed; `now` is when it is decided.
pub fn jira(
    end_user: &EndUser,
    request: &Request,
    news: &RequestNews,
    desk: &Desk,
    now: Millis,
) -> Plan {
    let mut drawing = Drawing::new(&desk.account, end_user, request.clone());
    let speaking = &Speaking::to(desk, end_user);
    let Some(key) = &news.key else {
        return gone(drawing, request, news, now);
    };
    drawing.follow(key);
    // Of what waited while no desk served the conversation, the customer is told what still holds.
    let waited = request.unserved.is_some();
    drawing.request.unserved = None;
    unreadable(&mut drawing, news);
    let stale = if waited { news.changes.len() } else { 0 }.saturating_sub(1);
    let (stale, holding) = news.changes.split_at(stale);
    for happening in in_order(&news.comments, stale, holding) {
        match happening {
            News::Stale(change) => {
                drawing.plan.facts.push(FactKey::announced(&change.id));
                superseded(&mut drawing, speaking, key, (change, holding), now);
            }
            News::Comment(comment, with) => {
                drawing.plan.facts.push(FactKey::talked(&comment.id));
                if let Some(change) = with {
                    drawing.plan.facts.push(FactKey::announced(&change.id));
                }
                commented(&mut drawing, speaking, key, comment, with, now);
            }
            News::Change(change) => {
                drawing.plan.facts.push(FactKey::announced(&change.id));
                changed(&mut drawing, speaking, key, change, now);
            }
        }
    }
    if drawing.plan.facts.is_empty() && !news.unreadable {
        drawing.because(Reason::NothingNew);
    }
    drawing.finish(request)
}

/// Somebody wrote a comment that we may not read. What the end user writes from now on comes after
/// it. It is not dealt with by this: if it can be read later, it is planned then.
pub(super) fn unreadable(drawing: &mut Drawing, news: &RequestNews) {
    if news.unreadable && drawing.request.stage == Stage::Commenting {
        drawing.request.gathering = None;
        drawing.because(Reason::NotForTheCustomer);
    }
}

/// The issue cannot be read. Only an event that says so ends the conversation.
pub(super) fn gone(
    mut drawing: Drawing,
    before: &Request,
    news: &RequestNews,
    now: Millis,
) -> Plan {
    drawing.because(Reason::IssueGone);
    if news.deleted && before.is_live() {
        drawing.request.close(now, Closing::Deleted);
        drawing.archive();
    }
    drawing.finish(before)
}

impl StatusChange {
    /// It, as the last one that was dealt with.
    fn last(&self) -> LastStatus {
        LastStatus {
            change: self.id.clone(),
            name: self.to.name.clone(),
        }
    }

    /// It, as what a message tells that says this without it.
    fn telling(&self, without: Option<CustomerText>) -> Telling {
        Telling {
            change: self.id.clone(),
            without,
        }
    }
}

/// One thing that happened in the request.
enum News<'n> {
    /// A comment, with the transition that it was made with.
    Comment(&'n CommentNews, Option<&'n StatusChange>),
    /// A transition.
    Change(&'n StatusChange),
    /// A transition that was not told in time and holds no more.
    Stale(&'n StatusChange),
}

/// What happened, in its order, with comments and transitions of one action together.
fn in_order<'n>(
    comments: &'n [CommentNews],
    stale: &'n [StatusChange],
    changes: &'n [StatusChange],
) -> Vec<News<'n>> {
    let mut left: Vec<&StatusChange> = changes.iter().collect();
    let mut dated: Vec<(Millis, u8, News<'n>)> = Vec::new();
    for comment in comments {
        let told = comment.role == Role::Agent && comment.visibility == CommentVisibility::Public;
        let with = left
            .iter()
            .position(|change| told && one_action(comment, change))
            .map(|at| left.remove(at));
        dated.push((comment.at, 0, News::Comment(comment, with)));
    }
    let told = left
        .into_iter()
        .map(|change| (change.at, News::Change(change)));
    let not_told = stale.iter().map(|change| (change.at, News::Stale(change)));
    dated.extend(not_told.chain(told).map(|(at, change)| (at, 1, change)));
    dated.sort_by_key(|(at, kind, _)| (*at, *kind));
    dated.into_iter().map(|(_, _, news)| news).collect()
}

fn one_action(comment: &CommentNews, change: &StatusChange) -> bool {
    change.author.as_deref() == Some(&comment.author)
        && comment.at.since(change.at).abs() <= ONE_ACTION_MS
}

pub(super) fn commented(
    drawing: &mut Drawing,
    speaking: &Speaking<'_>,
    key: &IssueKey,
    comment: &CommentNews,
    with: Option<&StatusChange>,
    now: Millis,
) {
    match comment.role {
        Role::Us => return drawing.because(Reason::Echo),
        Role::Customer => return drawing.because(Reason::ByCustomer),
        Role::Agent => {}
    }
    if drawing.request.stage == Stage::Commenting {
        // What the end user writes from now on comes after it.
        drawing.request.gathering = None;
    }
    if comment.outside {
        return outside(drawing, key, comment);
    }
    if comment.visibility == CommentVisibility::Public {
        drawing.request.outside = None;
    }
    let platform = drawing.request.route.platform.clone();
    let Some(parts) = CustomerText::of_news(comment, &platform) else {
        return drawing.because(Reason::NotForTheCustomer);
    };
    let fact = FactKey::talked(&comment.id);
    if let Some((_, why)) = drawing.request.closed {
        drawing.because(Reason::ConversationClosed);
        return drawing.tell(fact.as_str(), words::not_sent_closed(why));
    }
    drawing.request.stage = Stage::Commenting;
    drawing.request.gathering = None;
    let told = with.and_then(|change| {
        drawing.request.status = Some(change.last());
        Some((change, notification(drawing, speaking, key, change)?))
    });
    let (parts, tells) = match told {
        Some((change, status)) => {
            let (parts, without) = CustomerText::joined(parts, status, &platform);
            (parts, Some(change.telling(without)))
        }
        None => (parts, None),
    };
    if parts.is_empty() && (comment.attached.is_empty() || !speaking.desk.attachments_out) {
        drawing.because(Reason::NothingToSend);
    } else {
        let of = (Some(&comment.id), with.is_none());
        send(drawing, fact.as_str(), (parts, tells), of, now);
        let ends = with.is_some_and(|change| speaking.desk.closes(&change.to));
        too_late(drawing, speaking, (key, ends), fact.as_str(), now);
    }
    files(drawing, speaking.desk, fact.as_str(), comment, now);
    if let Some(change) = with {
        end(drawing, speaking.desk, change, now);
    }
}

/// Nothing says who may read a comment of an issue that is no request, so it is not sent. The agents
/// are told once, until the issue is moved again: others talk there who have nothing to do with the
/// customer.
fn outside(drawing: &mut Drawing, key: &IssueKey, comment: &CommentNews) {
    drawing.because(Reason::NotARequest);
    let project = ProjectKey::of(key);
    if drawing.request.is_live() && drawing.request.outside != project {
        drawing.request.outside = project;
        drawing.tell(&format!("outside/{}", comment.id), words::outside());
    }
}

fn changed(
    drawing: &mut Drawing,
    speaking: &Speaking<'_>,
    key: &IssueKey,
    change: &StatusChange,
    now: Millis,
) {
    if !drawing.request.is_live() {
        return drawing.because(Reason::ConversationClosed);
    }
    drawing.request.status = Some(change.last());
    if let Some(text) = notification(drawing, speaking, key, change) {
        let fact = FactKey::announced(&change.id);
        let told = (vec![text], Some(change.telling(None)));
        send(drawing, fact.as_str(), told, (None, true), now);
        let ends = speaking.desk.closes(&change.to);
        too_late(drawing, speaking, (key, ends), fact.as_str(), now);
    }
    end(drawing, speaking.desk, change, now);
}

/// Records a status change that the end user is not told of, because the status is another one by
/// now. Nobody has to decide about it.
fn superseded(
    drawing: &mut Drawing,
    speaking: &Speaking<'_>,
    key: &IssueKey,
    (change, since): (&StatusChange, &[StatusChange]),
    now: Millis,
) {
    if !drawing.request.is_live() {
        return drawing.because(Reason::ConversationClosed);
    }
    let Some(text) = notification(drawing, speaking, key, change) else {
        return;
    };
    let by = since.last().map(|change| change.to.name.clone());
    let by = by.unwrap_or_default();
    drawing.not_sent(
        FactKey::announced(&change.id).as_str(),
        text.as_str().to_owned(),
        words::superseded(&by),
        now,
    );
    let status = change.to.name.clone();
    drawing.because(Reason::StatusSuperseded { status, by });
}

/// What the end user is told of a status change.
fn notification(
    drawing: &mut Drawing,
    speaking: &Speaking<'_>,
    key: &IssueKey,
    change: &StatusChange,
) -> Option<CustomerText> {
    let template = speaking.notification(&change.to);
    if template.is_none() {
        let status = change.to.name.clone();
        drawing.because(Reason::StatusNotTold { status });
    }
    template.map(|template| CustomerText::of_template(template, key, &change.to))
}

/// Ends the conversation if the status is a closing one: by our own record at once, at the provider
/// behind what is still to be sent.
fn end(drawing: &mut Drawing, desk: &Desk, change: &StatusChange, now: Millis) {
    if desk.closes(&change.to) && drawing.request.is_live() {
        drawing.request.close(now, Closing::Done);
        drawing.archive();
    }
}

/// Sends texts by the channel used last. The last one may tell a status. `whole`: are they all of a
/// comment, if they are of one?
fn send(
    drawing: &mut Drawing,
    fact: &str,
    (parts, mut tells): (Vec<CustomerText>, Option<Telling>),
    (comment, whole): (Option<&CommentId>, bool),
    now: Millis,
) {
    let route = drawing.request.route.clone();
    let whole = whole && parts.len() == 1;
    let last = parts.len().saturating_sub(1);
    for (number, text) in parts.into_iter().enumerate() {
        let shown = (comment.cloned(), text.as_str().to_owned());
        let act = TalkAct::Send {
            request: drawing.whose.clone(),
            audience: Audience::Customer,
            route: route.clone(),
            text,
            comment: comment.cloned(),
            whole,
            tells: tells.take_if(|_| number == last).map(Box::new),
        };
        drawing.send(&format!("{fact}/{number}"), act, shown, now);
    }
}

/// If nothing is sent because the reply window is closed: tells the agents so, with the ways out.
/// The approved message goes by itself only where the desk says so, once for each window, and not
/// where the conversation ends with this.
fn too_late(
    drawing: &mut Drawing,
    speaking: &Speaking<'_>,
    (key, ends): (&IssueKey, bool),
    fact: &str,
    now: Millis,
) {
    let ended_at = drawing.request.window_ends_at();
    let Some(ended_at) = ended_at.filter(|ended_at| *ended_at <= now) else {
        return;
    };
    drawing.because(Reason::ReplyWindowClosed);
    let template = speaking.window_template().filter(|_| !ends);
    let way_out = match &template {
        Some(template) if template.by_itself => {
            drawing.send_template(&format!("window.{}", ended_at.0), template, key, now);
            WayOut::Sent(&template.name)
        }
        Some(template) => WayOut::Offered(&template.name),
        None => WayOut::Wait,
    };
    let text = words::window_closed(ended_at, way_out);
    drawing.tell(&format!("{fact}/window"), text);
}

/// Sends the files of a public comment, or tells the agents that they were not sent.
fn files(drawing: &mut Drawing, desk: &Desk, fact: &str, comment: &CommentNews, now: Millis) {
    let platform = &drawing.request.route.platform;
    let told = format!("{fact}/files");
    if comment.files == 0 {
        return;
    }
    if !desk.attachments_out {
        return drawing.tell(&told, words::files_not_sent(comment.files));
    }
    if !platform.takes_files() {
        let text = words::files_not_taken(comment.files, &platform.to_string());
        return drawing.tell(&told, text);
    }
    for file in &comment.attached {
        let fact = format!("{fact}{FILE_IN_KEY}{}", file.id);
        drawing.send_file(&fact, file, &comment.id, now);
    }
    let missing = comment.files.saturating_sub(comment.attached.len());
    if missing > 0 {
        drawing.tell(&told, words::files_not_found(missing));
    }
}
