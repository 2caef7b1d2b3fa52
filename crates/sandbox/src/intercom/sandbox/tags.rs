//! Tags, and what teammates put them on.

use crate::intercom::error::ApiError;
use crate::intercom::state::Done;
use crate::intercom::tagging::Target;

use super::{Sandbox, number};

impl Sandbox {
    /// Makes a tag, or finds the one of this name. Returns its id.
    pub fn create_tag(&self, name: &str) -> String {
        self.with(|state, _| state.ensure_tag(name)).to_string()
    }

    /// A teammate tags the conversation's newest message.
    pub fn tag(&self, conversation: &str, tag: &str, admin: &str) -> Done<()> {
        let (id, tag) = (number(conversation)?, number(tag)?);
        self.with(|state, now| state.tag(id, tag, admin, now))
    }

    /// A teammate tags one message: a part's id, or `source` for the first.
    pub fn tag_message(&self, conversation: &str, part: &str, tag: &str, admin: &str) -> Done<()> {
        let (id, tag) = (number(conversation)?, number(tag)?);
        let target = match part {
            "source" => Target::Source,
            part => Target::Part(number(part)?),
        };
        self.with(|state, now| state.tag_on(id, target, tag, admin, now))
    }

    /// A teammate tags the conversation as a whole.
    pub fn tag_conversation(&self, conversation: &str, tag: &str, admin: &str) -> Done<()> {
        let (id, tag) = (number(conversation)?, number(tag)?);
        self.with(|state, now| state.tag_on(id, Target::Whole, tag, admin, now))
    }

    /// Calls a tag something else.
    pub fn rename_tag(&self, tag: &str, name: &str) -> Done<()> {
        let tag = number(tag)?;
        self.with(|state, _| {
            let known = state.tags.get_mut(&tag).ok_or_else(ApiError::not_found)?;
            name.clone_into(known);
            Ok(())
        })
    }

    /// Deletes a tag.
    pub fn delete_tag(&self, tag: &str) -> Done<()> {
        let tag = number(tag)?;
        self.with(|state, _| state.delete_tag(tag));
        Ok(())
    }

    /// A teammate takes the tag away.
    pub fn untag(&self, conversation: &str, tag: &str, admin: &str) -> Done<()> {
        let (id, tag) = (number(conversation)?, number(tag)?);
        self.with(|state, now| state.untag(id, tag, admin, now))
    }
}
