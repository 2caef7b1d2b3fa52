//! What people read: end users the status notifications, agents the internal comments.

use super::gathering::minute;
use super::ids::{AccountName, DeskName};
use super::request::Closing;
use crate::time::Millis;

/// The notification of a status that has no text of its own.
pub const STATUS_CHANGED: &str = "Your request {key} is now: {status}";

/// Who decided what nobody was asked about.
pub(super) const BY_ITSELF: &str = "Bowline";

/// What the reason of a status change begins with that is not told because it holds no more.
pub(super) const SUPERSEDED: &str = "superseded";

/// A status change that could not be told in time, and the status since.
pub fn superseded(by: &str) -> String {
    format!(
        "{SUPERSEDED}: no desk served the conversation when the status changed, and it is “{by}” \
         by now"
    )
}

/// A status change that waited, because nothing could be sent, until another status held.
pub fn overtaken(by: &str) -> String {
    format!("{SUPERSEDED}: it could not be sent while the status held, and it is “{by}” by now")
}

/// What there is to be done about an answer that came after the reply window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayOut<'t> {
    /// To wait.
    Wait,
    /// To wait, or to have the approved message of this name sent.
    Offered(&'t str),
    /// The approved message of this name was sent by itself.
    Sent(&'t str),
}

/// A public comment or a status change that came after the reply window ended.
pub fn window_closed(ended_at: Millis, way_out: WayOut<'_>) -> String {
    let ways = match way_out {
        WayOut::Wait => {
            "Only the customer can open it again, by writing. Then write your answer in a new \
             comment"
                .to_owned()
        }
        WayOut::Offered(name) => format!(
            "Only the customer can open it again, by writing. The ways out: wait for that; or have \
             the approved message “{name}” sent from the conversation's page in Bowline, which the \
             platform takes at any time, so that the customer writes. Then write your answer in a \
             new comment"
        ),
        WayOut::Sent(name) => format!(
            "The approved message “{name}” was sent in its place, as the desk's settings say. Only \
             the customer can open the window again, by writing. Then write your answer in a new \
             comment"
        ),
    };
    format!(
        "Not delivered. The customer last wrote more than 24 hours ago, and the platform takes \
         answers only within 24 hours of the customer's last message (this window ended {}). \
         {ways}; what was not delivered is not sent by itself.",
        minute(ended_at)
    )
}

/// The reply window ends soon.
pub fn window_ends(ends_at: Millis) -> String {
    format!(
        "The customer can be answered until {}. After that the platform takes no answer until the \
         customer writes again.",
        minute(ends_at)
    )
}

/// A public comment on a request whose conversation has ended.
pub fn not_sent_closed(why: Closing) -> String {
    let ended = match why {
        Closing::Done => "it ended when the request was done",
        Closing::Archived => "it was archived at the messaging provider",
        Closing::Deleted => "the request was deleted",
        Closing::Merged => "it was joined with an older one of the same customer",
    };
    format!(
        "Not sent: the conversation with the customer is closed ({ended}). The customer can begin \
         a new one by writing, which makes a new request."
    )
}

/// What is missing, so that nothing can be sent to the end user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The desk of the conversation.
    Desk(DeskName),
    /// The channel account, and the desk with it.
    Account(AccountName),
}

/// What was answered waits, because something that is needed to send it was removed.
pub fn unserved(missing: &Missing) -> String {
    let (what, customer, way_out) = match missing {
        Missing::Desk(desk) => (
            format!("the desk “{desk}” of this conversation"),
            "What the customer writes still comes into this request",
            format!(
                "makes a desk of the name “{desk}” again, or another one in this Jira site for the \
                 customer's channel"
            ),
        ),
        Missing::Account(account) => (
            format!("the channel account “{account}” of this conversation"),
            "What the customer writes does not come in either",
            format!("adds the account “{account}” again, with a desk for the customer's channel"),
        ),
    };
    format!(
        "Not sent: {what} is not in use in Bowline any more, so no answer and no change of status \
         reaches the customer. {customer}. The way out: an administrator {way_out}; what was \
         answered meanwhile is sent then, as long as the channel takes it. Until then the customer \
         can only be reached in another way. This is said once for this request."
    )
}

/// The issue is no request, so nothing says which of its comments the customer may read.
pub fn outside() -> String {
    "Not sent: Service Management does not know this issue as a request any more, so nothing says \
     which of its comments the customer may read, and none of them reaches the customer. That is \
     so when it was moved to a project that is no service project, or when Bowline's Jira account \
     is no agent there. What the customer writes still comes into this issue, and they are still \
     told of its status. The way out: move it to a service project, with a request type, and write \
     your answer there in a new public comment. This is said once, until the issue is moved again."
        .to_owned()
}

/// The conversation was archived at the provider.
pub fn archived() -> String {
    "The conversation was archived at the messaging provider. It is closed: comments on this \
     request do not reach the customer any more. The request keeps its status. If the customer \
     writes again, that makes a new request."
        .to_owned()
}

/// Two contacts of the provider are one now.
pub fn merged() -> String {
    "The messaging provider joined this customer's contact with another one that has an older \
     open request. The talk goes on there; comments on this request do not reach the customer any \
     more."
        .to_owned()
}

/// A message could not be delivered.
pub fn not_delivered(text: &str, reason: &str) -> String {
    format!(
        "Not delivered to the customer: {reason} The message was: “{}”. It is not sent again by \
         itself; if it is still wanted, write it again in a new comment.",
        excerpt(text)
    )
}

/// It is not known whether a message was sent.
pub fn maybe_sent(text: &str) -> String {
    format!(
        "It is not known whether this message reached the customer: “{}”. The provider's answer \
         was lost, and the message was not found there. It is not sent again by itself, because \
         the customer might get it twice. Look at the conversation at the messaging provider; if \
         it is missing there, write it again in a new comment.",
        excerpt(text)
    )
}

/// Files of an agent are not sent, because the desk sends none.
pub fn files_not_sent(count: usize) -> String {
    format!(
        "{} in the last comment did not go to the customer: only text is sent. The text of the \
         comment was sent.",
        the_files(count)
    )
}

/// Files of an agent are not sent, because the platform takes none.
pub fn files_not_taken(count: usize, platform: &str) -> String {
    format!(
        "{} in the last comment did not go to the customer: {platform} takes no files. The text of \
         the comment was sent.",
        the_files(count)
    )
}

/// Files that a comment shows and Jira does not name are not sent.
pub fn files_not_found(count: usize) -> String {
    format!(
        "{} in the last comment did not go to the customer: Jira does not say which of the \
         request's files is meant. Attach it to a new comment.",
        the_files(count)
    )
}

fn the_files(count: usize) -> String {
    match count {
        1 => "The file".to_owned(),
        _ => format!("The {count} files"),
    }
}

/// What stands for a file that is sent.
pub fn sent_file(name: &str) -> String {
    format!("[file: {name}]")
}

/// The name in [`sent_file`].
pub(super) fn name_of_sent_file(text: &str) -> &str {
    text.strip_prefix("[file: ")
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text)
}

/// An agent answered in the provider's own inbox.
pub fn answered_elsewhere(text: &str, at: Millis) -> String {
    format!(
        "Someone answered the customer in the messaging provider's own inbox ({}): {text}",
        minute(at)
    )
}

/// What a file of the end user is called at its place in the text.
pub fn file(kind: &str, name: &str) -> String {
    format!("[{kind}: {name}]")
}

/// A file that could not be taken over.
pub fn file_missing(name: &str, reason: &str) -> String {
    format!("The customer's file “{name}” could not be attached: {reason}")
}

/// A message of a kind that cannot be shown.
pub fn unsupported(kind: &str) -> String {
    format!("[A message of a kind that cannot be shown here: {kind}]")
}

/// Characters of a message that are quoted.
const EXCERPT_CHARS_MAX: usize = 200;

fn excerpt(text: &str) -> String {
    if text.chars().count() <= EXCERPT_CHARS_MAX {
        return text.to_owned();
    }
    let kept: String = text.chars().take(EXCERPT_CHARS_MAX).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_short() {
        let long = "word ".repeat(100);
        let text = not_delivered(&long, "The phone is off.");
        assert!(
            text.contains("word…”") && text.chars().count() < 500,
            "{text}"
        );
    }
}
