//! Sending a message to an end user, once.
//!
//! A message whose outcome stays unknown after the provider's own list was looked at is held for a
//! person: it is never repeated by itself.

use std::sync::Arc;
use std::time::Duration;

use bowline_domain::audience::Audience;
use bowline_domain::ids::CommentId;
use bowline_domain::messaging::act::{AgentFile, ApprovedMessage, Telling};
use bowline_domain::messaging::delivery::{Delivery, Outbound};
use bowline_domain::messaging::ids::RemoteConversationId;
use bowline_domain::messaging::inbound::Route;
use bowline_domain::messaging::overtaken::{Waited, overtaken as status_since};
use bowline_domain::messaging::request::Closing;
use bowline_domain::messaging::text::CustomerText;
use bowline_domain::messaging::words as words_of;
use bowline_messagebird::{
    Content, Conversations, DeliveryFailure, Listed, Outgoing, RemoteMessageId, Sent,
};
use bowline_net::{ApiError, ErrorKind};
use bowline_store::model::{Ending, Talk};

use super::{confirmed, send_file};
use crate::channel::words;
use crate::courier::{Courier, LOOK_AFTER_MS, REFUSALS_MAX, Stop};
use crate::planner::{Trouble, read_comment};
use crate::registry::Account;

/// Between the two looks at a conversation in which a doubtful message was not found.
const SECOND_LOOK: Duration = Duration::from_secs(2);

/// Pages of a conversation's messages that are looked through for a doubtful one.
const PAGES_MAX: usize = 3;

/// How far before the first attempt a message of the far side's may be dated and still be ours, in
/// milliseconds: clocks differ.
const CLOCKS_DIFFER_MS: i64 = 60_000;

/// A message to send.
pub(super) struct Sending<'s> {
    audience: Audience,
    pub(super) route: &'s Route,
    comment: Option<&'s CommentId>,
    what: What<'s>,
}

/// What it is.
pub(super) enum What<'s> {
    /// A text, which may be all of its comment, and may tell a status.
    Text {
        text: &'s CustomerText,
        whole: bool,
        tells: Option<&'s Telling>,
    },
    /// A message that the platform approved before.
    Template(&'s ApprovedMessage),
    /// A file that its comment shows.
    File(&'s AgentFile),
}

impl<'s> Sending<'s> {
    pub(super) fn new(
        audience: Audience,
        route: &'s Route,
        comment: Option<&'s CommentId>,
        what: What<'s>,
    ) -> Self {
        Self {
            audience,
            route,
            comment,
            what,
        }
    }
}

/// Sends the message, unless there is a reason by now not to.
pub(super) async fn send(
    courier: &Courier<'_>,
    talk: &Talk,
    message: &Sending<'_>,
) -> Result<Ending, Stop> {
    if message.audience != Audience::Customer {
        let reason = "Only what is for the customer may be sent to a channel.".to_owned();
        return Err(Stop(Ending::Rejected { reason }));
    }
    let account = courier.account_of(&talk.whose)?;
    if courier.taken.doubtful {
        return doubtful(courier, talk, &account, message).await;
    }
    may_leave_now(courier, talk, message).await?;
    let without_status = overtaken(courier, talk, &account, message).await?;
    let read = reread(courier, talk, message).await?;
    let conversation = open_there(courier, talk, &account, message.route).await?;
    let mut to = words::destination(message.route);
    to.conversation = conversation;
    let what = match message.what {
        What::Text { text, whole, .. } => {
            let said = text_now(read, without_status.unwrap_or(text), whole);
            courier.says(&said).await?;
            Outgoing::Text(said.as_str().to_owned())
        }
        What::Template(approved) => Outgoing::Template(words::template(approved)),
        What::File(file) => {
            let of = (message.route, message.comment);
            send_file::given(courier, talk, &account, of, file).await?
        }
    };
    let call = account.provider.send(&to, &what);
    match courier.call(&account.standing, call).await {
        Ok(sent) => took(courier, &sent).await,
        Err(error) => Err(refused(courier, talk, &account, &error).await),
    }
}

/// The conversation is not closed otherwise than by what this message tells of, and the window is
/// as it must be.
async fn may_leave_now(
    courier: &Courier<'_>,
    talk: &Talk,
    message: &Sending<'_>,
) -> Result<(), Stop> {
    let request = &talk.request;
    if let Some((_, why)) = request.closed
        && why != Closing::Done
    {
        let reason = "The conversation ended before it was sent.";
        return Err(not_sent(courier, talk, reason).await);
    }
    let open = request.can_reply(courier.now());
    match message.what {
        What::Template(_) if open && request.window_ends_at().is_some() => {
            let reason = "The customer has written meanwhile; a public comment reaches them.";
            Err(not_sent(courier, talk, reason).await)
        }
        What::Text { .. } | What::File(_) if !open => {
            let reason = "The customer last wrote more than 24 hours ago; the platform takes an \
                 answer only after the customer has written again.";
            Err(not_sent(courier, talk, reason).await)
        }
        _ => Ok(()),
    }
}

/// If the message tells a status that held no more before it could be sent: what it says without
/// that. One that says nothing else is not sent, which the agents need not be told.
async fn overtaken<'s>(
    courier: &Courier<'_>,
    talk: &Talk,
    account: &Account,
    message: &Sending<'s>,
) -> Result<Option<&'s CustomerText>, Stop> {
    let What::Text {
        tells: Some(tells), ..
    } = message.what
    else {
        return Ok(None);
    };
    let Some(outbound) = courier.outbound().await? else {
        return Ok(None);
    };
    let waited = Waited {
        since: outbound.at,
        mended_at: account.standing.known().mended_at,
        now: courier.now(),
    };
    let Some(by) = status_since(tells, talk.request.status.as_ref(), waited) else {
        return Ok(None);
    };
    if let Some(without) = &tells.without {
        return Ok(Some(without));
    }
    courier.overtaken(&talk.whose, by).await?;
    let reason = words_of::overtaken(by);
    Err(Stop(Ending::Dropped { reason }))
}

/// The comment as it is now, if there is one: it is there, and positively public.
async fn reread(
    courier: &Courier<'_>,
    talk: &Talk,
    message: &Sending<'_>,
) -> Result<Option<Vec<CustomerText>>, Stop> {
    let Some(comment) = message.comment else {
        return Ok(None);
    };
    let read = match read_comment(courier.shared, talk, comment).await {
        Ok(read) => read,
        Err(trouble) => return Err(courier.not_read(&trouble).await),
    };
    let Some(read) = read else {
        let reason = "The comment was deleted before it was sent.";
        return Err(not_sent(courier, talk, reason).await);
    };
    let platform = &message.route.platform;
    let parts = CustomerText::of_comment(read.visibility, &read.body, platform);
    if parts.is_none() {
        let reason = if read.outside {
            "Service Management does not know the issue as a request any more, so nothing says \
             that the customer may read the comment."
        } else {
            "The comment is not public any more."
        };
        return Err(not_sent(courier, talk, reason).await);
    }
    Ok(parts)
}

/// The text to send: an edit in time is taken over, if all of the comment is one message then too.
fn text_now(read: Option<Vec<CustomerText>>, planned: &CustomerText, whole: bool) -> CustomerText {
    match read.map(<[CustomerText; 1]>::try_from) {
        Some(Ok([now])) if whole => now,
        _ => planned.clone(),
    }
}

impl Courier<'_> {
    /// The message that the effect sends, as it is kept.
    async fn outbound(&self) -> Result<Option<Outbound>, Stop> {
        let known = self.shared.store.outbound(self.key()).await;
        let known = known.map_err(|error| self.store_failed(&error))?;
        Ok(known.map(|(_, outbound)| outbound))
    }

    /// Keeps what the message says before it is sent, where that is not what was planned: if the
    /// answer is lost, it is looked for by its words.
    async fn says(&self, said: &CustomerText) -> Result<(), Stop> {
        let known = self.outbound().await?;
        if known.is_none_or(|known| known.text == said.as_str()) {
            return Ok(());
        }
        let (key, text) = (self.key().clone(), said.as_str().to_owned());
        let kept = self.shared.store.outbound_says(key, text).await;
        kept.map_err(|error| self.store_failed(&error))
    }

    /// A comment could not be read again.
    pub(super) async fn not_read(&self, trouble: &Trouble) -> Stop {
        match trouble {
            Trouble::Remote(remote) => {
                let (connection, error) = &**remote;
                let registry = self.shared.registry();
                match registry.standing(connection) {
                    Some(standing) => self.remote_failed(standing, error, false).await,
                    None => Stop(self.later(LOOK_AFTER_MS, false, error.to_string())),
                }
            }
            other => {
                let reason = format!("The comment could not be read again: {other:?}");
                Stop(self.later(LOOK_AFTER_MS, false, reason))
            }
        }
    }
}

/// Is the provider's conversation open? A reply to an archived one would begin a new one there.
async fn open_there(
    courier: &Courier<'_>,
    talk: &Talk,
    account: &Arc<Account>,
    route: &Route,
) -> Result<Option<bowline_messagebird::RemoteConversationId>, Stop> {
    let Some(conversations) = account.provider.conversations() else {
        return Ok(None);
    };
    // The newest one known: a conversation that was archived and begun anew has another name.
    let current: Option<&RemoteConversationId> = talk
        .request
        .route
        .conversation
        .as_ref()
        .or(route.conversation.as_ref());
    let Some(id) = current.map(words::remote_conversation) else {
        return Ok(None);
    };
    let found = courier
        .call(&account.standing, conversations.get(&id))
        .await;
    match found {
        Ok(found) if found.open => Ok(Some(id)),
        Ok(_) => {
            let reason = "The conversation was archived at the messaging provider before it was \
                 sent.";
            Err(not_sent(courier, talk, reason).await)
        }
        Err(error) => Err(courier
            .remote_failed(&account.standing, &error, false)
            .await),
    }
}

/// It is not sent, and the agents are told.
pub(super) async fn not_sent(courier: &Courier<'_>, talk: &Talk, reason: &str) -> Stop {
    match courier
        .outcome(&talk.whose, Delivery::NotSent, reason)
        .await
    {
        Ok(()) => Stop(Ending::Dropped {
            reason: reason.to_owned(),
        }),
        Err(stop) => stop,
    }
}

/// The provider took it.
async fn took(courier: &Courier<'_>, sent: &Sent) -> Result<Ending, Stop> {
    found(courier, &sent.id, None).await
}

async fn found(
    courier: &Courier<'_>,
    id: &RemoteMessageId,
    detail: Option<&str>,
) -> Result<Ending, Stop> {
    let recorded = courier
        .shared
        .store
        .outbound_sent(courier.key().clone(), id.as_str().to_owned())
        .await;
    if let Err(error) = recorded {
        // It is sent; when its lane is taken again it is found there.
        return Err(Stop(courier.later(LOOK_AFTER_MS, true, error.to_string())));
    }
    Ok(confirmed(Some(id.as_str().to_owned()), detail))
}

/// What a failed send means.
async fn refused(courier: &Courier<'_>, talk: &Talk, account: &Account, error: &ApiError) -> Stop {
    let never = match DeliveryFailure::of_refusal(account.provider.name(), error) {
        // What breaks the connection waits for it, as every write does.
        _ if error.kind == ErrorKind::Auth => None,
        Some(failure) if failure.may_pass() && courier.taken.attempts < REFUSALS_MAX => None,
        other => other,
    };
    let Some(failure) = never else {
        return courier.remote_failed(&account.standing, error, false).await;
    };
    let reason = words::failure(&failure);
    match courier
        .outcome(&talk.whose, Delivery::Failed, &reason)
        .await
    {
        Ok(()) => Stop(Ending::Rejected {
            reason: format!("{reason} ({error})"),
        }),
        Err(stop) => stop,
    }
}

/// An attempt before this one may have reached the customer: it is looked for, twice, and held if
/// it is not found.
async fn doubtful(
    courier: &Courier<'_>,
    talk: &Talk,
    account: &Account,
    message: &Sending<'_>,
) -> Result<Ending, Stop> {
    let known = courier.outbound().await?;
    let since = known.as_ref().map_or(0, |outbound| outbound.at.0);
    // A file or an approved message cannot be told from another one in the list.
    if let Some(conversations) = account.provider.conversations()
        && let What::Text { text, .. } = message.what
    {
        // As it was sent, which may be less or other than was planned.
        let said = known.as_ref().map_or(text.as_str(), |known| &known.text);
        for look in 0..2 {
            if look > 0 {
                tokio::time::sleep(SECOND_LOOK).await;
            }
            let looked = listed(
                courier,
                account,
                conversations,
                (message.route, said),
                since,
            );
            if let Some(id) = looked.await? {
                let detail = "It was there already; it was found and not sent again.";
                return found(courier, &id, Some(detail)).await;
            }
        }
    }
    let reason = "It is not known whether it was sent, and it was not found at the provider.";
    courier.outcome(&talk.whose, Delivery::Held, reason).await?;
    Err(Stop(Ending::Held {
        reason: reason.to_owned(),
    }))
}

/// The message in the provider's list, if it is there and not another one of ours that says the
/// same.
async fn listed(
    courier: &Courier<'_>,
    account: &Account,
    conversations: &dyn Conversations,
    (route, text): (&Route, &str),
    since_ms: i64,
) -> Result<Option<RemoteMessageId>, Stop> {
    let Some(id) = route.conversation.as_ref() else {
        return Ok(None);
    };
    let id = words::remote_conversation(id);
    let mut start = 0;
    for _ in 0..PAGES_MAX {
        let page = courier
            .call(&account.standing, conversations.messages(&id, start))
            .await;
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                return Err(courier.remote_failed(&account.standing, &error, true).await);
            }
        };
        for item in &page.items {
            let Listed::Outbound(there) = item else {
                continue;
            };
            let in_time = there
                .at_ms
                .is_none_or(|at| at >= since_ms - CLOCKS_DIFFER_MS);
            let same = matches!(&there.content, Content::Text(said)
                if said.trim() == text.trim());
            if in_time && same && !is_known(courier, account, &there.id).await? {
                return Ok(Some(there.id.clone()));
            }
        }
        match page.next {
            Some(next) => start = next,
            None => break,
        }
    }
    Ok(None)
}

/// Is it another message of ours, which says the same?
async fn is_known(
    courier: &Courier<'_>,
    account: &Account,
    id: &RemoteMessageId,
) -> Result<bool, Stop> {
    let id = bowline_domain::messaging::ids::MessageId::new(id.as_str());
    let known = courier
        .shared
        .store
        .outbound_by_remote(&account.config.name, &id)
        .await
        .map_err(|error| courier.store_failed(&error))?;
    Ok(known.is_some_and(|(_, other)| other.key != *courier.key()))
}
