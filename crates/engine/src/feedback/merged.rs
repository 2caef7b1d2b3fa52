//! Two contacts became one in Intercom: feedback belongs to the one that stays. Where contacts are
//! copied and followed, following them moves it; this is for where they are not.

use std::sync::Arc;

use bowline_domain::contacts::ids::RemoteContactId;
use bowline_domain::feedback::ids::ContactId;
use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_domain::outcome::Reason;
use bowline_net::{ApiError, ErrorKind};
use bowline_store::feedback::FeedbackChanges;
use bowline_store::model::Decided;

use super::far::{call, trouble, work_with};
use super::look::nothing;
use crate::pace::Priority;
use crate::planner::Trouble;
use crate::registry::Workspace;
use crate::shared::Shared;

/// Contacts with the survivor's e-mail address that are asked for after a merge that does not say
/// who was merged.
const SAME_ADDRESS_MAX: i64 = 20;

/// Who gave feedback last and is asked for if nobody with that address is the one: who signs up was a
/// lead before, most often one without an address.
const NEWEST_MAX: i64 = 20;

/// The contact that an answer names as the one that took the place of what was asked for.
pub(super) fn survivor(error: &ApiError) -> Option<&str> {
    let path = error.canonical.as_deref()?;
    path.rsplit('/').next().filter(|id| !id.is_empty())
}

/// What a merge means for tickets; `None` if it is about none.
pub(super) async fn follow(
    shared: &Arc<Shared>,
    workspace: &WorkspaceName,
    into: &str,
    told: &[String],
) -> Result<Option<Decided>, Trouble> {
    let setting = shared.contact_setting(workspace).await?;
    if setting.is_some_and(|setting| setting.on && setting.updates) {
        return Ok(None);
    }
    let gone = if told.is_empty() {
        merged_away(shared, workspace, into).await?
    } else {
        told.to_vec()
    };
    let stays = RemoteContactId::new(into);
    let mut changes = FeedbackChanges::of(workspace, &ConversationId::new(""));
    for from in gone.into_iter().filter(|from| from != into) {
        let contact = ContactId::new(from.as_str());
        let has = shared.store.contact_has_tickets(workspace, &contact);
        if has.await? {
            changes
                .merged
                .push((RemoteContactId::new(from), stays.clone()));
        }
    }
    if changes.merged.is_empty() {
        return Ok(None);
    }
    Ok(Some(Decided {
        feedback: Some(Box::new(changes)),
        ..nothing(Reason::TicketsMoved)
    }))
}

/// Who was merged, where the delivery does not say: those whose feedback has the survivor's address
/// are asked for, and Intercom says of one that is gone where it went. Versions before 2.16 answer as
/// if it had never been there; where none says where it went, that is one who was merged. Without
/// any of them, those are asked for who gave feedback last.
async fn merged_away(
    shared: &Arc<Shared>,
    workspace: &WorkspaceName,
    into: &str,
) -> Result<Vec<String>, Trouble> {
    let far = work_with(shared, workspace)?;
    let read = call(shared, &far, Priority::Interactive, far.client.person(into)).await;
    let email = match read {
        Ok(person) => person.email,
        Err(error) if is_gone(&error) => None,
        Err(error) => return Err(trouble(workspace, error)),
    };
    let store = &shared.store;
    let stays = ContactId::new(into);
    let mut same = Vec::new();
    if let Some(email) = email {
        let found = store.ticket_contacts_of_email(workspace, &email, SAME_ADDRESS_MAX);
        same.extend(found.await?.into_iter().filter(|contact| *contact != stays));
    }
    let at = (&**shared, &*far, workspace);
    let (gone, not_there) = where_they_went(at, same, into).await?;
    if !gone.is_empty() || !not_there.is_empty() {
        return Ok(if gone.is_empty() { not_there } else { gone });
    }
    let newest = store.newest_ticket_contacts(workspace, &stays, NEWEST_MAX);
    // That one of them is not there may have any reason.
    let (gone, _) = where_they_went(at, newest.await?, into).await?;
    Ok(gone)
}

/// Those of whom Intercom says that they were merged into the survivor, and those whom it does not
/// show.
async fn where_they_went(
    (shared, far, workspace): (&Shared, &Workspace, &WorkspaceName),
    asked: Vec<ContactId>,
    into: &str,
) -> Result<(Vec<String>, Vec<String>), Trouble> {
    let (mut gone, mut not_there) = (Vec::new(), Vec::new());
    for contact in asked {
        let asked = far.client.person(contact.as_str());
        match call(shared, far, Priority::Interactive, asked).await {
            Err(error) if survivor(&error) == Some(into) => gone.push(contact.to_string()),
            Err(error) if !is_gone(&error) => return Err(trouble(workspace, error)),
            Err(error) if survivor(&error).is_none() => not_there.push(contact.to_string()),
            _ => {}
        }
    }
    Ok((gone, not_there))
}

fn is_gone(error: &ApiError) -> bool {
    matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone)
}
