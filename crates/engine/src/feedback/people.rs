//! Who gave feedback and is not there any more, or is somebody else: merges and deletions that no
//! webhook told. Those with tickets are asked for one by one, some in each round, soon after the
//! start and then once a day.
//!
//! A contact that Intercom does not show is a guess; an erasure cannot be taken back. So one is
//! missing only if a later round does not find them either, and what that means is decided in their
//! lane: Intercom is asked a third time, and must show somebody else by the same call.

use std::collections::BTreeSet;
use std::sync::Arc;

use bowline_domain::contacts::ids::RemoteContactId;
use bowline_domain::feedback::ids::ContactId;
use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_domain::outcome::Reason;
use bowline_domain::time::Millis;
use bowline_net::{ApiError, ErrorKind};
use bowline_store::feedback::{Erase, FeedbackChanges};
use bowline_store::model::{Decided, EventSource};

use super::event::{FeedbackEvent, event};
use super::far::{call, trouble, work_with};
use super::look::{erased, nothing};
use super::merged::survivor;
use crate::health;
use crate::pace::Priority;
use crate::planner::Trouble;
use crate::registry::Workspace;
use crate::shared::Shared;

/// Contacts that are asked for in one round, five minutes apart: nearly 29,000 a day, by a
/// thousandth of the calls that Intercom allows.
const ASKED_PER_ROUND: usize = 100;

/// Between the beginnings of two looks at everybody, in milliseconds.
const EVERY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Others who are asked for, to be sure that Intercom shows those who are there.
const WITNESSES_MAX: i64 = 5;

/// How far the look at a workspace's people is.
#[derive(Default)]
pub(super) struct People {
    /// When the look under way began, or the last one.
    began: Option<Millis>,
    /// The last one who was asked for; `None` once everybody was.
    after: Option<ContactId>,
    /// Is there somebody left in the look under way?
    under_way: bool,
    /// Those whom a round did not find. The next one asks for them again.
    doubtful: BTreeSet<ContactId>,
}

impl People {
    /// The app may not read people: nothing is known of anybody. It is tried again in a day.
    fn forbidden(&mut self, now: Millis) {
        *self = Self {
            began: Some(now),
            ..Self::default()
        };
    }
}

/// What Intercom says of a contact.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Here,
    /// Another one stays.
    Merged(RemoteContactId),
    Nowhere,
}

fn seen<T>(asked: Result<T, ApiError>) -> Result<Seen, ApiError> {
    match asked {
        Ok(_) => Ok(Seen::Here),
        Err(error) => match (error.kind, survivor(&error)) {
            (ErrorKind::Gone, Some(stays)) => Ok(Seen::Merged(RemoteContactId::new(stays))),
            (ErrorKind::NotFound | ErrorKind::Gone, _) => Ok(Seen::Nowhere),
            _ => Err(error),
        },
    }
}

/// Asks for those who are in doubt, and for some more.
pub(super) async fn round(
    shared: &Shared,
    name: &WorkspaceName,
    workspace: &Workspace,
    people: &mut People,
) -> Result<(), String> {
    let now = shared.now();
    let doubtful: Vec<ContactId> = people
        .doubtful
        .iter()
        .take(ASKED_PER_ROUND)
        .cloned()
        .collect();
    for contact in doubtful {
        match ask(shared, workspace, &contact).await? {
            Some(Seen::Here) => {}
            Some(_) => tell(shared, name, &contact, now).await?,
            None => {
                people.forbidden(now);
                return Ok(());
            }
        }
        people.doubtful.remove(&contact);
    }
    let due = people.began.is_none_or(|at| now.since(at) >= EVERY_MS);
    if !people.under_way && !due {
        return Ok(());
    }
    if !people.under_way {
        (people.began, people.after, people.under_way) = (Some(now), None, true);
    }
    let limit = i64::try_from(ASKED_PER_ROUND).unwrap_or(i64::MAX);
    let part = shared
        .store
        .ticket_contacts(name, people.after.as_ref(), limit)
        .await
        .map_err(|error| error.to_string())?;
    let more = part.len() == ASKED_PER_ROUND;
    for contact in part {
        match ask(shared, workspace, &contact).await? {
            Some(Seen::Here) => {}
            // Intercom says where they went; there is no doubt.
            Some(Seen::Merged(_)) => tell(shared, name, &contact, now).await?,
            Some(Seen::Nowhere) => drop(people.doubtful.insert(contact.clone())),
            None => {
                people.forbidden(now);
                return Ok(());
            }
        }
        people.after = Some(contact);
    }
    people.under_way = more;
    Ok(())
}

/// What Intercom says of one of them; `None` if the app may not read people.
async fn ask(
    shared: &Shared,
    workspace: &Workspace,
    contact: &ContactId,
) -> Result<Option<Seen>, String> {
    let asked = workspace.client.person(contact.as_str());
    let asked = call(shared, workspace, Priority::Bulk, asked).await;
    match seen(asked) {
        Ok(seen) => Ok(Some(seen)),
        Err(error) if error.kind == ErrorKind::Permission => Ok(None),
        Err(error) => {
            health::take_in(shared, &workspace.standing, &error).await;
            Err(error.to_string())
        }
    }
}

/// Has it decided in the contact's own lane, where deliveries about them are.
async fn tell(
    shared: &Shared,
    workspace: &WorkspaceName,
    contact: &ContactId,
    now: Millis,
) -> Result<(), String> {
    let told = FeedbackEvent::Person {
        contact: contact.to_string(),
    };
    let name = format!("person-{contact}@{}", now.0);
    let event = event(workspace, &told, EventSource::Reconciler, name, now)?;
    let stored = shared.store_event(event).await;
    stored.map(drop).map_err(|error| error.to_string())
}

/// What it means that a contact with tickets was not found.
pub(super) async fn decide(
    shared: &Arc<Shared>,
    workspace: &WorkspaceName,
    contact: ContactId,
) -> Result<Decided, Trouble> {
    if !shared
        .store
        .contact_has_tickets(workspace, &contact)
        .await?
    {
        return Ok(nothing(Reason::NothingNew));
    }
    let far = work_with(shared, workspace)?;
    let asked = far.client.person(contact.as_str());
    let asked = call(shared, &far, Priority::Interactive, asked).await;
    let mut changes = FeedbackChanges::of(workspace, &ConversationId::new(""));
    match seen(asked).map_err(|error| trouble(workspace, error))? {
        Seen::Here => Ok(nothing(Reason::NothingNew)),
        Seen::Merged(stays) if stays.as_str() == contact.as_str() => {
            Ok(nothing(Reason::NothingNew))
        }
        Seen::Merged(stays) => {
            let from = RemoteContactId::new(contact.as_str());
            changes.merged.push((from, stays));
            Ok(Decided {
                feedback: Some(Box::new(changes)),
                ..nothing(Reason::TicketsMoved)
            })
        }
        Seen::Nowhere => {
            if !others_are_shown(shared, workspace, &far, &contact).await? {
                return Ok(nothing(Reason::PersonInDoubt));
            }
            changes.erase = Some(Erase::Contact(contact));
            Ok(erased(changes))
        }
    }
}

/// Does Intercom show anybody else by the call that does not show this one? Of a workspace that was
/// emptied, restored or exchanged nobody may be erased because of that.
async fn others_are_shown(
    shared: &Arc<Shared>,
    workspace: &WorkspaceName,
    far: &Workspace,
    but: &ContactId,
) -> Result<bool, Trouble> {
    let some = shared
        .store
        .newest_ticket_contacts(workspace, but, WITNESSES_MAX)
        .await?;
    for other in &some {
        if is_shown(shared, workspace, far, other).await? {
            return Ok(true);
        }
    }
    // Of somebody whom the list shows, if the app may read it, the page has to be there too.
    let Ok(page) = call(
        shared,
        far,
        Priority::Interactive,
        far.client.contacts(None, 1),
    )
    .await
    else {
        return Ok(false);
    };
    match page.contacts().flatten().next() {
        Some(one) => is_shown(shared, workspace, far, &ContactId::new(one.id)).await,
        None => Ok(false),
    }
}

async fn is_shown(
    shared: &Shared,
    workspace: &WorkspaceName,
    far: &Workspace,
    contact: &ContactId,
) -> Result<bool, Trouble> {
    let asked = far.client.person(contact.as_str());
    let asked = call(shared, far, Priority::Interactive, asked).await;
    let seen = seen(asked).map_err(|error| trouble(workspace, error))?;
    Ok(seen == Seen::Here)
}
