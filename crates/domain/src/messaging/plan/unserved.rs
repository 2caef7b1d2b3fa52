//! What happens in a request whose desk, or the account of it, is not in use any more: nothing can be
//! sent, and what was to be sent is not dealt with, so that it is when a desk serves the
//! conversation again. The agents are told once.

use super::jira::{commented, gone, unreadable};
use super::{Drawing, Plan};
use crate::fact::FactKey;
use crate::messaging::end_user::EndUser;
use crate::messaging::ids::AccountName;
use crate::messaging::language::Speaking;
use crate::messaging::news::{CommentNews, RequestNews, Role};
use crate::messaging::request::{Request, Stage};
use crate::messaging::settings::Desk;
use crate::messaging::text::CustomerText;
use crate::messaging::words::{self, Missing};
use crate::outcome::Reason;
use crate::time::Millis;

/// Decides what news of a request mean while no desk serves its conversation.
pub fn unserved(
    account: &AccountName,
    (end_user, request): (&EndUser, &Request),
    news: &RequestNews,
    missing: &Missing,
    now: Millis,
) -> Plan {
    let mut drawing = Drawing::new(account, end_user, request.clone());
    let Some(key) = &news.key else {
        return gone(drawing, request, news, now);
    };
    drawing.follow(key);
    let left = Desk::left(&request.desk, account, &request.site);
    let left = Speaking::to(&left, end_user);
    unreadable(&mut drawing, news);
    let live = request.is_live();
    let mut waiting: Vec<(Millis, FactKey)> = Vec::new();
    for comment in &news.comments {
        let fact = FactKey::talked(&comment.id);
        if live && is_answer(comment, request) {
            waiting.push((comment.at, fact));
        } else {
            drawing.plan.facts.push(fact);
            commented(&mut drawing, &left, key, comment, None, now);
        }
    }
    for change in &news.changes {
        let fact = FactKey::announced(&change.id);
        if live {
            waiting.push((change.at, fact));
        } else {
            drawing.plan.facts.push(fact);
            drawing.because(Reason::ConversationClosed);
        }
    }
    waiting.sort_by_key(|(at, _)| *at);
    for (at, fact) in waiting {
        told(&mut drawing, missing, (fact.as_str(), at));
    }
    if drawing.plan.facts.is_empty() && drawing.plan.outcome.reasons.is_empty() {
        drawing.because(Reason::NothingNew);
    }
    drawing.finish(request)
}

/// Would the comment be sent to the end user?
fn is_answer(comment: &CommentNews, request: &Request) -> bool {
    comment.role == Role::Agent && CustomerText::of_news(comment, &request.route.platform).is_some()
}

/// Something of this time is to be sent and waits. It is looked at again and again while it waits,
/// so what is later than all before it counts only. `fact` names what the agents are told.
pub(super) fn told(drawing: &mut Drawing, missing: &Missing, (fact, at): (&str, Millis)) {
    let desk = drawing.request.desk.to_string();
    drawing.because(Reason::DeskGone { desk });
    let before = drawing.request.unserved;
    if !drawing.request.is_live() || before.is_some_and(|before| at <= before) {
        return;
    }
    drawing.request.unserved = Some(at);
    if drawing.request.stage == Stage::Commenting {
        // What the end user writes from now on comes after it.
        drawing.request.gathering = None;
    }
    if before.is_none() {
        drawing.tell(
            &format!("{fact}/unserved.{}", at.0),
            words::unserved(missing),
        );
    }
}
