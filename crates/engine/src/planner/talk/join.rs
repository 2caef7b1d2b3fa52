//! What a person is known by changed: it is added. If the provider joined two of its contacts, their
//! end users are one from then on: of two active conversations the older one goes on, and all that
//! the other end user was known by leads there.

use std::sync::Arc;

use bowline_domain::messaging::end_user::Identity;
use bowline_domain::messaging::ids::{AccountName, EndUserId, RemoteConversationId, RequestRef};
use bowline_domain::messaging::plan::{Changes, Report};
use bowline_domain::messaging::request::Request;
use bowline_domain::outcome::Reason;
use bowline_messagebird::{ContactChange, Sender};
use bowline_store::model::{Decided, StoredEvent, TalkChanges};

use super::provider::elsewhere;
use super::report;
use crate::channel::words;
use crate::planner::{Trouble, nothing};
use crate::shared::Shared;

/// Plans the news about a person, in the lane of the end user who has what the news name.
pub(super) async fn contact(
    shared: &Arc<Shared>,
    account: &AccountName,
    (event, lane): (&StoredEvent, Option<EndUserId>),
    change: &ContactChange,
) -> Result<Decided, Trouble> {
    let Some(ours) = lane else {
        return Ok(nothing(Reason::NotOurs));
    };
    let Some(known) = shared.store.end_user(account, &ours).await? else {
        return Ok(nothing(Reason::NotOurs));
    };
    let of = |added: &[bowline_messagebird::Identity]| {
        words::identities(&Sender {
            identities: added.to_vec(),
            ..change.person.clone()
        })
    };
    let named = [of(&change.person.identities), of(&change.added)].concat();
    if let Some(other) = other_than(shared, account, &ours, &named, change).await? {
        return one_of_two(shared, account, event, (&ours, &other), &named).await;
    }
    let now = known.with(&of(&change.added), change.person.name.as_deref());
    if now == known {
        return Ok(nothing(Reason::NothingNew));
    }
    let mut decided = nothing(Reason::ReportNoted);
    let changes = Changes {
        end_user: Some(now),
        ..Changes::default()
    };
    decided.talk = Some(Box::new(TalkChanges {
        whose: no_request_of(account, &ours),
        changes,
    }));
    Ok(decided)
}

/// Another end user who has one of these identities, or the conversation that the news name.
async fn other_than(
    shared: &Shared,
    account: &AccountName,
    ours: &EndUserId,
    named: &[Identity],
    change: &ContactChange,
) -> Result<Option<EndUserId>, Trouble> {
    for identity in named {
        let one = std::slice::from_ref(identity);
        let found = shared.store.end_user_by(account, one).await?;
        if let Some(other) = found.filter(|other| other != ours) {
            return Ok(Some(other));
        }
    }
    let Some(conversation) = &change.conversation else {
        return Ok(None);
    };
    let conversation = RemoteConversationId::new(conversation.as_str());
    let talk = shared
        .store
        .talk_of_conversation(account, &conversation)
        .await?;
    Ok(talk
        .map(|talk| talk.whose.end_user)
        .filter(|other| other != ours))
}

/// Of two end users who are one, the one who goes is planned in their own lane.
async fn one_of_two(
    shared: &Arc<Shared>,
    account: &AccountName,
    event: &StoredEvent,
    (ours, other): (&EndUserId, &EndUserId),
    named: &[Identity],
) -> Result<Decided, Trouble> {
    let live = async |id| -> Result<Option<Request>, Trouble> {
        let latest = shared.store.latest_talk(account, id).await?;
        Ok(latest.filter(Request::is_live))
    };
    let (mine, theirs) = (live(ours).await?, live(other).await?);
    let we_stay = match (&mine, &theirs) {
        (Some(mine), Some(theirs)) => (mine.opened_at, ours) < (theirs.opened_at, other),
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) => shared.store.end_user_by(account, named).await?.as_ref() == Some(ours),
    };
    if we_stay {
        return elsewhere(shared, account, event, other).await;
    }
    let mut decided = match mine {
        Some(mine) => {
            let whose = RequestRef {
                generation: mine.generation,
                ..no_request_of(account, ours)
            };
            report(shared, &whose, &Report::MergedAway).await?
        }
        None => nothing(Reason::ReportNoted),
    };
    let mut talk = decided.talk.take().map_or_else(
        || TalkChanges {
            whose: no_request_of(account, ours),
            changes: Changes::default(),
        },
        |talk| *talk,
    );
    talk.changes.joined = Some(other.clone());
    decided.talk = Some(Box::new(talk));
    Ok(decided)
}

/// An end user, where nothing of a request of theirs changes.
fn no_request_of(account: &AccountName, end_user: &EndUserId) -> RequestRef {
    RequestRef {
        account: account.clone(),
        end_user: end_user.clone(),
        generation: 0,
    }
}
