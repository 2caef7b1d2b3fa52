//! Conversations with end users, in words.

use bowline_domain::messaging::delivery::{Delivery, Outbound, Resolution};
use bowline_domain::messaging::end_user::IdentityKind;
use bowline_domain::messaging::ids::{AccountName, EndUserId, RequestRef};
use bowline_domain::messaging::request::{Closing, Request, Stage};
use bowline_domain::messaging::words::Missing;
use bowline_domain::time::Millis;

use crate::App;
use crate::component::{Lozenge, Tone};
use crate::words::some;

/// Until this long before the end of its window a conversation is not worth a warning, in
/// milliseconds: 4 hours.
pub(crate) const ENDS_SOON_MS: i64 = 4 * 3_600_000;

/// The page of a conversation.
pub(crate) fn conversation_path(whose: &RequestRef) -> String {
    format!(
        "/conversations/{}/{}/{}",
        segment(whose.account.as_str()),
        segment(whose.end_user.as_str()),
        whose.generation
    )
}

/// The page of an end user.
pub(crate) fn end_user_path(account: &AccountName, end_user: &EndUserId) -> String {
    format!(
        "/end-users/{}/{}",
        segment(account.as_str()),
        segment(end_user.as_str())
    )
}

/// A name as a part of a path. Names of accounts and ids hold no blanks.
fn segment(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect()
}

/// What an end user is called: by name, else by what they are known by, else by id.
pub(crate) fn called(name: Option<&str>, identity: Option<&str>, id: &EndUserId) -> String {
    let known = [name, identity].into_iter().flatten();
    let known = known.map(str::trim).find(|text| !text.is_empty());
    known.map_or_else(|| format!("end user {id}"), str::to_owned)
}

/// What kind of thing somebody is known by.
pub(crate) fn identity_kind(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::Phone => "Telephone number",
        IdentityKind::WhatsappUser => "WhatsApp user id",
        IdentityKind::Email => "E-mail address",
        IdentityKind::Contact => "Contact at the provider",
        IdentityKind::Other => "Name on another platform",
    }
}

/// Where a conversation is.
pub(crate) fn stage(request: &Request) -> Lozenge {
    match (request.stage, request.closed) {
        (Stage::Describing, _) => Lozenge::new(Tone::Busy, "not answered yet"),
        (Stage::Commenting, _) => Lozenge::new(Tone::Good, "active"),
        (Stage::Closed, Some((_, why))) => Lozenge::new(Tone::Plain, closing(why)),
        (Stage::Closed, None) => Lozenge::new(Tone::Plain, "ended"),
    }
}

fn closing(why: Closing) -> &'static str {
    match why {
        Closing::Done => "ended: done",
        Closing::Archived => "ended: archived",
        Closing::Deleted => "ended: deleted",
        Closing::Merged => "ended: joined with another",
    }
}

/// The word for where a conversation is, for programs.
pub(crate) fn stage_word(request: &Request) -> &'static str {
    match request.stage {
        Stage::Describing => "describing",
        Stage::Commenting => "commenting",
        Stage::Closed => "closed",
    }
}

/// The word for why a conversation ended, for programs.
pub(crate) fn closing_word(why: Closing) -> &'static str {
    match why {
        Closing::Done => "done",
        Closing::Archived => "archived",
        Closing::Deleted => "deleted",
        Closing::Merged => "merged",
    }
}

/// How long the end user can still be answered.
pub(crate) fn window(request: &Request, now: Millis) -> Lozenge {
    if !request.is_live() {
        return Lozenge::new(Tone::Plain, "no more");
    }
    let Some(ends_at) = request.window_ends_at() else {
        return Lozenge::new(Tone::Good, "at any time");
    };
    let left = ends_at.since(now);
    if left <= 0 {
        return Lozenge::new(Tone::Bad, "not until they write again");
    }
    let tone = if left < ENDS_SOON_MS {
        Tone::Warn
    } else {
        Tone::Good
    };
    Lozenge::new(tone, format!("for {} more", span(left)))
}

/// A time span, in hours and minutes.
fn span(ms: i64) -> String {
    let minutes = ms / 60_000;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "less than a minute".to_owned(),
        (0, minutes) => some(minutes, "minute"),
        (hours, 0) => some(hours, "hour"),
        (hours, minutes) => format!("{} {minutes} min", some(hours, "hour")),
    }
}

/// How far a message to an end user came.
pub(crate) fn delivery(delivery: Delivery) -> Lozenge {
    match delivery {
        Delivery::Queued => Lozenge::new(Tone::Busy, "queued"),
        Delivery::Sent => Lozenge::new(Tone::Busy, "sent"),
        Delivery::Delivered => Lozenge::new(Tone::Good, "delivered"),
        Delivery::Read => Lozenge::new(Tone::Good, "read"),
        Delivery::Failed => Lozenge::new(Tone::Bad, "failed"),
        Delivery::NotSent => Lozenge::new(Tone::Bad, "not sent"),
        Delivery::Held => Lozenge::new(Tone::Warn, "not known whether sent"),
    }
}

/// How far a message came, or that it was not to go any more.
pub(crate) fn state_of(message: &Outbound) -> Lozenge {
    if message.is_superseded() {
        return Lozenge::new(Tone::Plain, "not sent: superseded");
    }
    delivery(message.delivery)
}

/// A conversation that no desk serves.
pub(crate) struct Unserved {
    /// What is missing.
    pub(crate) missing: String,
    /// What that means for the two who talk.
    pub(crate) meaning: &'static str,
    /// Who can mend it, and how.
    pub(crate) way_out: String,
}

/// What is missing, if an active conversation is served by no desk.
pub(crate) fn unserved(app: &App, account: &AccountName, request: &Request) -> Option<Unserved> {
    let missing = app.shared.missing_now(account, request);
    let missing = missing.filter(|_| request.is_live())?;
    let (missing, meaning, way_out) = match missing {
        Missing::Desk(desk) => (
            format!("the desk “{desk}”"),
            "What the customer writes still comes into the request. What agents answer, and how \
             the status changes, waits.",
            format!(
                "An administrator makes a desk of the name “{desk}” again, or another one for \
                 the channel {} with requests in the same Jira. The answers are sent then, and \
                 of the statuses the one that holds by then.",
                request.route.channel
            ),
        ),
        Missing::Account(account) => (
            format!("the channel account “{account}”"),
            "What the customer writes does not come in either. What agents answer, and how the \
             status changes, waits.",
            format!(
                "An administrator adds the account “{account}” again, and a desk for the channel \
                 {}. The answers are sent then, and of the statuses the one that holds by then.",
                request.route.channel
            ),
        ),
    };
    Some(Unserved {
        missing,
        meaning,
        way_out,
    })
}

/// What it means that the issue is no request, if it is none in the project where it is.
pub(crate) fn outside(request: &Request) -> Option<String> {
    let project = request.outside.as_ref().filter(|_| request.is_live())?;
    Some(format!(
        "In {project} Service Management does not know this issue as a request, so nothing says \
         which of its comments the customer may read. What the customer writes still comes into it, \
         and they are told of its status. Move it to a service project, with a request type, and \
         answer there."
    ))
}

/// What that means.
pub(crate) fn delivery_meaning(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Queued => "It waits for its turn.",
        Delivery::Sent => "The provider took it. It is not on the customer's device yet.",
        Delivery::Delivered => "It is on the customer's device.",
        Delivery::Read => "The customer saw it.",
        Delivery::Failed => "The customer did not get it.",
        Delivery::NotSent => "It did not leave. The customer did not get it.",
        Delivery::Held => {
            "The provider's answer was lost, and the message was not found there. The customer may \
             have got it, so it is not sent again by itself: someone has to look."
        }
    }
}

/// What a person decided about a message.
pub(crate) fn resolution(how: Resolution) -> &'static str {
    match how {
        Resolution::SentAgain => "Sent again as a message of its own",
        Resolution::Arrived => "It arrived, as was found out; it is not sent again",
        Resolution::Dropped => "It is not wanted any more; it is not sent again",
    }
}

/// Why a message of this conversation cannot be sent again now; `None` if it can.
pub(crate) fn why_not_again(request: &Request, now: Millis) -> Option<&'static str> {
    if !request.is_live() {
        return Some(
            "It cannot be sent again: the conversation has ended. Only the customer can begin a \
             new one, by writing.",
        );
    }
    (!request.can_reply(now)).then_some(
        "It cannot be sent again now: the customer last wrote more than 24 hours ago, and the \
         platform takes an answer only after they have written again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_told_in_two_units_at_most() {
        for (ms, told) in [
            (30_000, "less than a minute"),
            (60_000, "1 minute"),
            (59 * 60_000, "59 minutes"),
            (3_600_000, "1 hour"),
            (23 * 3_600_000 + 5 * 60_000, "23 hours 5 min"),
        ] {
            assert_eq!(span(ms), told);
        }
    }

    #[test]
    fn somebody_is_called_by_the_best_that_is_known() {
        let id = EndUserId::new("ab12");
        assert_eq!(called(Some("Noa"), Some("+31"), &id), "Noa");
        assert_eq!(called(Some(" "), Some("+31"), &id), "+31");
        assert_eq!(called(None, None, &id), "end user ab12");
    }

    #[test]
    fn paths_take_any_name() {
        let account = AccountName::new("b/i?");
        let path = end_user_path(&account, &EndUserId::new("a1"));
        assert_eq!(path, "/end-users/b%2Fi%3F/a1");
    }
}
