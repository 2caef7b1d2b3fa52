//! What messaging does to the far sides.

use serde::{Deserialize, Serialize};

use super::gathering::Place;
use super::ids::{MessageId, RemoteConversationId, RequestRef};
use super::inbound::{Media, Route};
use super::text::{CustomerText, InternalText};
use crate::audience::Audience;
use crate::effect::EffectKey;
use crate::ids::CommentId;
use crate::time::Millis;

/// One write of messaging.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "does")]
pub enum TalkAct {
    /// Makes the request, with what is gathered for its description by then.
    CreateRequest {
        /// For which conversation.
        request: RequestRef,
        /// Its summary.
        summary: String,
    },
    /// Brings a gathering to its text: all lines of it that there are by then.
    Gather {
        /// Of which conversation.
        request: RequestRef,
        /// Which gathering.
        gathering: u32,
        /// Where it stands.
        place: Place,
        /// The message that it is for. What came after it has writes of its own, which are not due
        /// yet. None in what was planned before this was told.
        #[serde(default)]
        message: Option<MessageId>,
        /// Not before this, so that the next messages are written together with it.
        due_at: Millis,
    },
    /// Attaches a file of the end user's to the issue.
    Attach {
        /// Of which conversation.
        request: RequestRef,
        /// The message it came with.
        message: MessageId,
        /// The file.
        media: Media,
    },
    /// Sends a message to the end user.
    Send {
        /// In which conversation.
        request: RequestRef,
        /// Who may read it. The courier sends what is for the `Customer` and refuses anything
        /// else.
        audience: Audience,
        /// Where to.
        route: Route,
        /// What it says.
        text: CustomerText,
        /// The comment that it carries. It is read again before the bytes leave.
        comment: Option<CommentId>,
        /// Is it all of the comment, so that an edit of the comment can still be taken over?
        whole: bool,
        /// The status change that it tells, if it tells one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tells: Option<Box<Telling>>,
    },
    /// Sends a message that the platform approved before, which may be sent after the reply window
    /// has ended.
    SendTemplate {
        /// In which conversation.
        request: RequestRef,
        /// Who may read it. The courier sends what is for the `Customer` and refuses anything
        /// else.
        audience: Audience,
        /// Where to.
        route: Route,
        /// Which.
        message: Box<ApprovedMessage>,
        /// What it says.
        text: CustomerText,
    },
    /// Sends a file that a public comment shows.
    SendFile {
        /// In which conversation.
        request: RequestRef,
        /// Who may read it. The courier sends what is for the `Customer` and refuses anything
        /// else.
        audience: Audience,
        /// Where to.
        route: Route,
        /// The comment. It is read again before the bytes leave.
        comment: CommentId,
        /// Which of its files.
        file: AgentFile,
    },
    /// Tells the agents something, as an internal comment.
    Tell {
        /// In which request.
        request: RequestRef,
        /// Who may read it. The courier writes what is `Internal` and refuses anything else.
        audience: Audience,
        /// What it says.
        text: InternalText,
    },
    /// Opens the provider's conversation again, which was archived behind a message in it.
    Reopen {
        /// For which conversation.
        request: RequestRef,
        /// Which.
        conversation: RemoteConversationId,
    },
    /// Archives the provider's conversation.
    Archive {
        /// Of which conversation.
        request: RequestRef,
        /// Which.
        conversation: RemoteConversationId,
    },
}

/// A status change that a message tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// The id of the change.
    pub change: String,
    /// What the message says without it, if it says more.
    pub without: Option<CustomerText>,
}

/// An approved message as the provider takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovedMessage {
    /// Its name at the provider.
    pub name: String,
    /// Its namespace, where the provider asks for one.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Its language.
    pub language: String,
    /// The values for the places in its text, in order.
    pub values: Vec<String>,
}

/// A file of the request that a comment shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentFile {
    /// Its id in Jira.
    pub id: String,
    /// Its name.
    pub name: String,
}

impl TalkAct {
    /// The word for storage, logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CreateRequest { .. } => "create_request",
            Self::Gather { .. } => "gather",
            Self::Attach { .. } => "attach",
            Self::Send { .. } => SEND,
            Self::SendTemplate { .. } => SEND_TEMPLATE,
            Self::SendFile { .. } => SEND_FILE,
            Self::Tell { .. } => "tell",
            Self::Reopen { .. } => "reopen",
            Self::Archive { .. } => ARCHIVE,
        }
    }

    /// The conversation it belongs to.
    pub fn request(&self) -> &RequestRef {
        match self {
            Self::CreateRequest { request, .. }
            | Self::Gather { request, .. }
            | Self::Attach { request, .. }
            | Self::Send { request, .. }
            | Self::SendTemplate { request, .. }
            | Self::SendFile { request, .. }
            | Self::Tell { request, .. }
            | Self::Reopen { request, .. }
            | Self::Archive { request, .. } => request,
        }
    }

    /// Is it a write to the channel, and not one to Jira?
    pub fn goes_to_channel(&self) -> bool {
        matches!(
            self,
            Self::Send { .. }
                | Self::SendTemplate { .. }
                | Self::SendFile { .. }
                | Self::Reopen { .. }
                | Self::Archive { .. }
        )
    }

    /// Not before this, if it waits for more to come.
    pub fn due_at(&self) -> Option<Millis> {
        match self {
            Self::Gather { due_at, .. } => Some(*due_at),
            _ => None,
        }
    }

    /// The same without the text that it carries, if it carries one.
    pub fn without_text(&self) -> Option<Self> {
        match self {
            Self::CreateRequest { request, summary } if !summary.is_empty() => {
                Some(Self::CreateRequest {
                    request: request.clone(),
                    summary: String::new(),
                })
            }
            Self::Send {
                request,
                audience,
                route,
                text,
                comment,
                whole,
                tells,
            } if !text.as_str().is_empty() => Some(Self::Send {
                request: request.clone(),
                audience: *audience,
                route: route.clone(),
                text: CustomerText::taken_out(),
                comment: comment.clone(),
                whole: *whole,
                tells: tells.as_ref().map(|tells| {
                    let without = tells.without.as_ref();
                    Box::new(Telling {
                        change: tells.change.clone(),
                        without: without.map(|_| CustomerText::taken_out()),
                    })
                }),
            }),
            Self::SendTemplate {
                request,
                audience,
                route,
                message,
                text,
            } if !text.as_str().is_empty() => Some(Self::SendTemplate {
                request: request.clone(),
                audience: *audience,
                route: route.clone(),
                message: Box::new(ApprovedMessage {
                    values: Vec::new(),
                    ..ApprovedMessage::clone(message)
                }),
                text: CustomerText::taken_out(),
            }),
            Self::Tell {
                request,
                audience,
                text,
            } if !text.as_str().is_empty() => Some(Self::Tell {
                request: request.clone(),
                audience: *audience,
                text: InternalText::new(""),
            }),
            _ => None,
        }
    }
}

/// The words of what sends something: they stand in the keys of effects.
pub(super) const SEND: &str = "send";
pub(super) const SEND_TEMPLATE: &str = "send_template";
pub(super) const SEND_FILE: &str = "send_file";
pub(super) const ARCHIVE: &str = "archive";

impl EffectKey {
    /// The key of what something does to an end user's conversation: the fact is the message, the
    /// comment or the change that it follows from.
    pub fn talk(kind: &str, request: &RequestRef, fact: &str) -> Self {
        Self::stored(format!("talk-{kind}/{request}/{fact}"))
    }
}
