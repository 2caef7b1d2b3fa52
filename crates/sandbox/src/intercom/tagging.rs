//! Tags, and tags on conversations.

use serde_json::json;

use super::error::ApiError;
use super::model::Applied;
use super::state::{Done, Now, State};
use super::topics::{self, Event};

/// What a tag is put on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// A message after the first.
    Part(u64),
    /// The first message.
    Source,
    /// The conversation as a whole.
    Whole,
}

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

    /// Tags the newest message that says something.
    pub(crate) fn tag(&mut self, id: u64, tag: u64, admin: &str, now: Now) -> Done<()> {
        let conversation = self.conversation(id)?;
        if conversation.tags.iter().any(|applied| applied.tag == tag) {
            self.admin(admin)?;
            return Ok(());
        }
        let message = conversation.parts.iter().rev();
        let message = message
            .filter(|part| part.body.is_some())
            .map(|part| part.id)
            .next();
        let target = message.map_or(Target::Source, Target::Part);
        self.tag_on(id, target, tag, admin, now)
    }

    /// Tags one message, or the conversation as a whole.
    pub(crate) fn tag_on(
        &mut self,
        id: u64,
        target: Target,
        tag: u64,
        admin: &str,
        now: Now,
    ) -> Done<()> {
        let author = self.admin_author(admin)?;
        if !self.tags.contains_key(&tag) {
            return Err(ApiError::missing("tag_not_found", "Tag not found"));
        }
        let conversation = self.conversation_mut(id)?;
        let sitting = match target {
            Target::Part(part) => {
                let found = conversation.parts.iter_mut().find(|one| one.id == part);
                Some(&mut found.ok_or_else(ApiError::not_found)?.tags)
            }
            Target::Source => Some(&mut conversation.source_tags),
            Target::Whole => None,
        };
        if let Some(sitting) = sitting {
            if sitting.contains(&tag) {
                return Ok(());
            }
            sitting.push(tag);
        }
        if !conversation.tags.iter().any(|applied| applied.tag == tag) {
            conversation.tags.push(Applied {
                tag,
                at: now.s,
                by: author.id,
            });
        }
        conversation.updated_at = now.s;
        let part = match target {
            Target::Part(part) => Some(part),
            Target::Source | Target::Whole => None,
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

    /// Deletes a tag; it goes from everything that has it, without a word.
    pub(crate) fn delete_tag(&mut self, tag: u64) {
        self.tags.remove(&tag);
        for conversation in self.conversations.values_mut() {
            conversation.tags.retain(|applied| applied.tag != tag);
            conversation.source_tags.retain(|sitting| *sitting != tag);
            for part in &mut conversation.parts {
                part.tags.retain(|sitting| *sitting != tag);
            }
        }
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
