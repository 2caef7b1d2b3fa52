//! A look at what came of it.

use serde_json::Value;

use crate::intercom::json::{self as shape, Parts};
use crate::intercom::model::{ConversationState, Note, PartView, Tag};
use crate::intercom::version::Version;

use super::{Sandbox, number};

impl Sandbox {
    /// The notes of a conversation, oldest first; empty if there is no such conversation.
    pub fn notes(&self, conversation: &str) -> Vec<Note> {
        self.read_parts(conversation, |part| {
            (part.part_type == "note").then(|| Note {
                part_id: part.id.to_string(),
                body: part.body.clone().unwrap_or_default(),
                admin_id: part.author.id.clone(),
                created_at: part.created_at,
            })
        })
    }

    /// Messages and events of a conversation after the first message, oldest first.
    pub fn parts(&self, conversation: &str) -> Vec<PartView> {
        self.read_parts(conversation, |part| {
            Some(PartView {
                id: part.id.to_string(),
                part_type: part.part_type.to_owned(),
                body: part.body.clone(),
                author_type: part.author.kind.to_owned(),
                author_id: part.author.id.clone(),
                created_at: part.created_at,
                via_api: part.via_api,
            })
        })
    }

    fn read_parts<T>(
        &self,
        conversation: &str,
        read: impl Fn(&crate::intercom::model::Part) -> Option<T>,
    ) -> Vec<T> {
        let Ok(id) = number(conversation) else {
            return Vec::new();
        };
        self.with(|state, _| match state.conversation(id) {
            Ok(conversation) => conversation.parts.iter().filter_map(read).collect(),
            Err(_) => Vec::new(),
        })
    }

    /// The conversation's state; `None` if there is no such conversation.
    pub fn state(&self, conversation: &str) -> Option<ConversationState> {
        let id = number(conversation).ok()?;
        self.with(|state, _| state.conversation(id).ok().map(|found| found.state))
    }

    /// Until when the conversation is snoozed, in Unix seconds.
    pub fn snoozed_until(&self, conversation: &str) -> Option<i64> {
        let id = number(conversation).ok()?;
        self.with(|state, _| {
            state
                .conversation(id)
                .ok()
                .and_then(|found| found.snoozed_until)
        })
    }

    /// Who the conversation is assigned to; `None` if nobody.
    pub fn assignee(&self, conversation: &str) -> Option<String> {
        let id = number(conversation).ok()?;
        let assignee = self.with(|state, _| {
            state
                .conversation(id)
                .ok()
                .map(|found| found.admin_assignee)
        })?;
        (assignee != 0).then(|| assignee.to_string())
    }

    /// The conversation as version 2.16 of the API shows it.
    pub fn conversation(&self, conversation: &str) -> Option<Value> {
        let id = number(conversation).ok()?;
        self.with(|state, _| {
            let found = state.conversation(id).ok()?;
            Some(shape::conversation(
                state,
                found,
                Version::V2_16,
                Parts::Newest,
                false,
            ))
        })
    }

    /// The tags that exist.
    pub fn tags(&self) -> Vec<Tag> {
        self.with(|state, _| {
            let tags = state.tags.iter();
            tags.map(|(id, name)| Tag {
                id: id.to_string(),
                name: name.clone(),
            })
            .collect()
        })
    }

    /// Ids of all conversations, oldest first.
    pub fn conversation_ids(&self) -> Vec<String> {
        self.with(|state, _| {
            state
                .conversations
                .keys()
                .map(ToString::to_string)
                .collect()
        })
    }

    /// The address of a conversation as a person copies it from the browser.
    pub fn conversation_address(&self, conversation: &str) -> String {
        let config = &self.inner.config;
        format!(
            "https://{}/a/inbox/{}/inbox/conversation/{conversation}",
            config.region.app_host(),
            config.workspace
        )
    }
}
