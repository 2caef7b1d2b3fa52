//! What customers and teammates do in conversations.

use serde_json::json;

use crate::intercom::error::ApiError;
use crate::intercom::files::StoredFile;
use crate::intercom::state::{Done, File, Message};

use super::{Sandbox, number};

impl Sandbox {
    /// The first contact of a conversation.
    ///
    /// # Panics
    /// There is no such conversation.
    pub fn contact_of(&self, conversation: &str) -> String {
        self.with(|state, _| {
            let id = number(conversation).expect("a conversation's id is a number");
            let found = state.conversation(id).expect("the conversation is there");
            found.contacts.first().cloned().unwrap_or_default()
        })
    }

    /// The conversation's first contact sends a file, which this server keeps at `base`. Returns
    /// the part's id.
    pub fn customer_file(
        &self,
        conversation: &str,
        base: &str,
        (name, content_type, bytes): (&str, &str, &[u8]),
    ) -> Done<String> {
        let id = number(conversation)?;
        self.with(|state, now| {
            let contact = state.conversation(id)?.contacts.first().cloned();
            let contact = contact.ok_or_else(ApiError::not_found)?;
            let key = format!("{id}-{}", state.files.len() + 1);
            let file = File {
                content_type: content_type.to_owned(),
                bytes: bytes.to_vec(),
            };
            state.files.insert(key.clone(), file);
            let attachment = json!({
                "type": "upload",
                "name": name,
                "url": format!("{base}/_files/{key}?expires={}&signature=sandbox", now.s + 1_800),
                "content_type": content_type,
                "filesize": bytes.len(),
                "width": null,
                "height": null,
            });
            let said = ("<p></p>", vec![attachment]);
            state.customer_files(id, &contact, said, false, now)
        })
        .map(|part| part.to_string())
    }

    /// A contact writes for the first time. Returns the conversation's id.
    pub fn create_conversation(&self, contact: &str, body: &str) -> Done<String> {
        self.with(|state, now| state.create_conversation(contact, body, now))
            .map(|id| id.to_string())
    }

    /// A teammate writes to a contact first. Returns the conversation's id.
    pub fn begin_as_teammate(&self, admin: &str, contact: &str, body: &str) -> Done<String> {
        self.with(|state, now| state.begin_as_teammate(admin, contact, body, now))
            .map(|id| id.to_string())
    }

    /// The conversation's first contact answers. Returns the part's id.
    pub fn customer_reply(&self, conversation: &str, body: &str) -> Done<String> {
        let id = number(conversation)?;
        self.with(|state, now| {
            let contact = state.conversation(id)?.contacts.first().cloned();
            let contact = contact.ok_or_else(ApiError::not_found)?;
            state.customer_message(id, &contact, body, false, now)
        })
        .map(|part| part.to_string())
    }

    /// A teammate answers the customer. Returns the part's id.
    pub fn teammate_reply(&self, conversation: &str, admin: &str, body: &str) -> Done<String> {
        self.teammate(conversation, admin, Message::Comment, body)
    }

    /// A teammate writes a note by hand. Returns the part's id.
    pub fn teammate_note(&self, conversation: &str, admin: &str, body: &str) -> Done<String> {
        self.teammate(conversation, admin, Message::Note, body)
    }

    fn teammate(
        &self,
        conversation: &str,
        admin: &str,
        message: Message,
        body: &str,
    ) -> Done<String> {
        let id = number(conversation)?;
        let draft = (Some(body.to_owned()), Vec::new());
        self.with(|state, now| state.admin_message(id, admin, message, draft, (true, false), now))
            .map(|part| part.to_string())
    }

    /// A teammate opens the conversation.
    pub fn open(&self, conversation: &str, admin: &str) -> Done<()> {
        let id = number(conversation)?;
        self.with(|state, now| state.open(id, admin, false, now))
    }

    /// A teammate closes the conversation.
    pub fn close(&self, conversation: &str, admin: &str) -> Done<()> {
        let id = number(conversation)?;
        self.with(|state, now| state.close(id, admin, None, false, now))
    }

    /// A teammate snoozes the conversation until a time in Unix seconds.
    pub fn snooze(&self, conversation: &str, admin: &str, until: i64) -> Done<()> {
        let id = number(conversation)?;
        self.with(|state, now| state.snooze(id, admin, until, false, now))
    }

    /// A teammate gives the conversation to another; `0` takes it from everyone.
    pub fn assign(&self, conversation: &str, admin: &str, assignee: &str) -> Done<()> {
        let (id, assignee) = (number(conversation)?, number(assignee)?);
        self.with(|state, now| state.assign(id, admin, assignee, None, false, now))
    }

    /// Deletes the conversation.
    pub fn delete_conversation(&self, conversation: &str) -> Done<()> {
        let id = number(conversation)?;
        self.with(|state, now| state.delete_conversation(id, false, now))
    }

    /// Merges a conversation into another.
    pub fn merge_conversations(&self, secondary: &str, primary: &str) -> Done<()> {
        let (secondary, primary) = (number(secondary)?, number(primary)?);
        self.with(|state, now| state.merge_conversations(secondary, primary, now))
    }

    /// Puts a file on a message: a part's id, or `source` for the first.
    pub fn attach(
        &self,
        conversation: &str,
        part: &str,
        (name, kind): (&str, &str),
        bytes: &[u8],
    ) -> Done<()> {
        let id = number(conversation)?;
        self.with(|state, _| {
            let shown = json!({ "sandbox_file": state.attached.len() });
            let conversation = state.conversation_mut(id)?;
            let attachments = if part == "source" {
                &mut conversation.source_files
            } else {
                let part = number(part)?;
                let found = conversation.parts.iter_mut().find(|one| one.id == part);
                &mut found.ok_or_else(ApiError::not_found)?.attachments
            };
            attachments.push(shown);
            state.attached.push(StoredFile {
                name: name.to_owned(),
                kind: kind.to_owned(),
                bytes: bytes.to_vec().into(),
            });
            Ok(())
        })
    }

    /// How long addresses of files that are shown from now on can be used, in milliseconds.
    pub fn set_file_life(&self, ms: i64) {
        self.with(|state, _| state.file_life_ms = ms);
    }

    /// Blanks a message: a part's id, or `source` for the first.
    pub fn redact(&self, conversation: &str, part: &str) -> Done<()> {
        let id = number(conversation)?;
        self.with(|state, _| match part {
            "source" => state.redact_source(id),
            part => state.redact(id, number(part)?),
        })
    }
}
