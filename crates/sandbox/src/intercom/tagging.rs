//! Tags, and tags on conversations.

use serde_json::json;

use super::error::ApiError;
use super::model::Applied;
use super::state::{Done, Now, State};
use super::topics::{self, Event};

impl State {
    /// The tag of this name, made if there is none.
    pub(crate) fn ensure_tag(&mut self, name: &str) -> u64 {
        let same = |(_, known): &(&u64, &String)| known.eq_ignore_ascii_case(name);
        if let Some((id, _)) = self.tags.iter().find(same) {
            return *id;
        }
        let id = self.next_tag;
        self.next_tag += 1;
        self.tags.insert(id, name.to_owned());
        id
    }

    pub(crate) fn tag(&mut self, id: u64, tag: u64, admin: &str, now: Now) -> Done<()> {
        let author = self.admin_author(admin)?;
        if !self.tags.contains_key(&tag) {
            return Err(ApiError::missing("tag_not_found", "Tag not found"));
        }
        let conversation = self.conversation_mut(id)?;
        if conversation.tags.iter().any(|applied| applied.tag == tag) {
            return Ok(());
        }
        conversation.tags.push(Applied {
            tag,
            at: now.s,
            by: author.id,
        });
        conversation.updated_at = now.s;
        // A tag sits on a message: the newest one that says something.
        let message = conversation
            .parts
            .iter_mut()
            .rev()
            .find(|part| part.body.is_some());
        let part = if let Some(part) = message {
            part.tags.push(tag);
            Some(part.id)
        } else {
            conversation.source_tags.push(tag);
            None
        };
        if self.wants(topics::PART_TAGGED) {
            let mut item = self.webhook_item(id, part)?;
            let name = self.tags.get(&tag);
            let added = json!({ "type": "tag", "id": tag.to_string(), "name": name });
            item["tags_added"] = json!({ "type": "tag.list", "tags": [added] });
            self.events.push(Event {
                topic: topics::PART_TAGGED,
                item,
            });
        }
        Ok(())
    }

    pub(crate) fn untag(&mut self, id: u64, tag: u64, admin: &str, now: Now) -> Done<()> {
        self.admin(admin)?;
        let conversation = self.conversation_mut(id)?;
        let before = conversation.tags.len();
        conversation.tags.retain(|applied| applied.tag != tag);
        if conversation.tags.len() == before {
            return Err(ApiError::missing("tag_not_found", "Tag not found"));
        }
        conversation.updated_at = now.s;
        conversation.source_tags.retain(|sitting| *sitting != tag);
        for part in &mut conversation.parts {
            part.tags.retain(|sitting| *sitting != tag);
        }
        Ok(())
    }
}
