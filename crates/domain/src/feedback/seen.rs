//! What a conversation shows, read back from Intercom.

use crate::feedback::ids::{ContactId, PartId};
use crate::feedback::ticket::AppliedTag;
use crate::ids::ConversationId;
use crate::time::Millis;

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthorKind {
    /// A user or a lead.
    Customer,
    /// A teammate, a team or a bot.
    Ours,
}

/// A message of a conversation that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenMessage {
    /// Which.
    pub part: PartId,
    /// By whom.
    pub kind: AuthorKind,
    /// Their id, if they are a contact.
    pub contact: Option<ContactId>,
    /// What they are called, if known.
    pub name: Option<String>,
    /// Their e-mail address, if known.
    pub email: Option<String>,
    /// The text, plain.
    pub text: String,
    /// When.
    pub at: Millis,
    /// The tags on it.
    pub tags: Vec<AppliedTag>,
    /// How many files it has.
    pub files: usize,
    /// Was what it said taken out?
    pub redacted: bool,
    /// A note among teammates, which no customer sees.
    pub internal: bool,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenConversation {
    /// Which.
    pub id: ConversationId,
    /// Its tags: those of its messages, and those of the whole.
    pub tags: Vec<AppliedTag>,
    /// Its messages, the oldest first.
    pub messages: Vec<SeenMessage>,
    /// Who takes part.
    pub contacts: Vec<ContactId>,
    /// Are older messages missing? Intercom shows the newest 500.
    pub cut: bool,
}

impl SeenConversation {
    /// A message by its name.
    pub fn message(&self, part: &PartId) -> Option<&SeenMessage> {
        self.messages.iter().find(|message| message.part == *part)
    }
}

/// A text without the tags of HTML: webhooks of older versions carry HTML.
pub fn without_markup(text: &str) -> String {
    if !text.contains('<') {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tagged)) = rest.split_once('<') {
        plain.push_str(before);
        let Some((tag, after)) = tagged.split_once('>') else {
            // A sign in plain text, and no tag.
            plain.push('<');
            rest = tagged;
            break;
        };
        let name = tag.trim_start_matches('/').to_ascii_lowercase();
        if ["p", "br", "li", "div"]
            .iter()
            .any(|block| name.split([' ', '/']).next() == Some(block))
            && !plain.ends_with('\n')
        {
            plain.push('\n');
        }
        rest = after;
    }
    plain.push_str(rest);
    plain
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
        .trim()
        .to_owned()
}
