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
use crate::shared::Shared;

/// Contacts with the survivor's e-mail address that are asked for after a merge that does not say
/// who was merged.
const SAME_ADDRESS_MAX: i64 = 20;

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
/// if it had never been there; where none says where it went, that is one who was merged.
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
    let Some(email) = email else {
        return Ok(Vec::new());
    };
    let store = &shared.store;
    let same = store.ticket_contacts_of_email(workspace, &email, SAME_ADDRESS_MAX);
    let (mut gone, mut not_there) = (Vec::new(), Vec::new());
    for contact in same.await? {
        if contact.as_str() == into {
            continue;
        }
        let asked = far.client.person(contact.as_str());
        match call(shared, &far, Priority::Interactive, asked).await {
            Err(error) if survivor(&error) == Some(into) => gone.push(contact.as_str().to_owned()),
            Err(error) if !is_gone(&error) => return Err(trouble(workspace, error)),
            Err(error) if survivor(&error).is_none() => {
                not_there.push(contact.as_str().to_owned());
            }
            _ => {}
        }
    }
    Ok(if gone.is_empty() { not_there } else { gone })
}

fn is_gone(error: &ApiError) -> bool {
    matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone)
}
