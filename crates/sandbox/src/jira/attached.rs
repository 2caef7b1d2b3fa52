//! What hangs on an issue beside its fields and comments: entity properties, remote links, files.

use std::sync::Arc;

use serde_json::Value;

use crate::common::clock::now_ms;

use super::error::Refusal;
use super::hooks::Event;
use super::model::{Attachment, Change, User};
use super::state::{Counters, State};

impl State {
    /// Sets an entity property; true if it is new. This does not count as an update of the issue.
    pub(crate) fn set_property(
        &mut self,
        actor: &Arc<User>,
        id: u64,
        key: &str,
        value: Value,
    ) -> Result<bool, Refusal> {
        let new = self
            .issue_mut(id)?
            .properties
            .insert(key.to_owned(), value)
            .is_none();
        self.emit(actor, &Event::property("issue_property_set", id, key));
        Ok(new)
    }

    /// Deletes an entity property; false if there was none.
    pub(crate) fn delete_property(
        &mut self,
        actor: &Arc<User>,
        id: u64,
        key: &str,
    ) -> Result<bool, Refusal> {
        let event = Event::property("issue_property_deleted", id, key);
        let deliveries = self.deliveries(actor, &event);
        let found = self.issue_mut(id)?.properties.remove(key).is_some();
        if found {
            self.outbox.extend(deliveries);
        }
        Ok(found)
    }

    /// Records that remote links changed; they have no webhook of their own.
    pub(crate) fn remote_links_changed(
        &mut self,
        actor: &Arc<User>,
        id: u64,
        from: Option<(u64, String)>,
        to: Option<(u64, String)>,
    ) {
        let side = |link: Option<(u64, String)>| {
            link.map(|(id, title)| (id.to_string(), format!("This issue links to \"{title}\"")))
        };
        let mut change = Change::ids("RemoteIssueLink", side(from), side(to));
        change.field_id = None;
        self.changed(actor, id, "issue_updated", vec![change], None);
    }

    /// Adds a file and returns its id.
    pub(crate) fn add_attachment(
        &mut self,
        actor: &Arc<User>,
        id: u64,
        (file_name, mime_type): (String, String),
        content: bytes::Bytes,
    ) -> Result<u64, Refusal> {
        let number = Counters::next(&mut self.next.attachment);
        let added = (number.to_string(), file_name.clone());
        let attachment = Attachment {
            id: number,
            file_name,
            mime_type,
            author: actor.clone(),
            created_ms: now_ms(),
            content,
        };
        self.issue_mut(id)?.attachments.insert(number, attachment);
        self.attachment_issues.insert(number, id);
        let mut change = Change::ids("Attachment", None, Some(added));
        change.field_id = Some("attachment".to_owned());
        self.changed(actor, id, "issue_updated", vec![change], None);
        Ok(number)
    }
}
