//! What is read at the moment somebody asks for it: a whole conversation, a file, a search.

use std::time::Duration;

use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_intercom::{Attachment, Conversation};
use bowline_net::{ApiError, ErrorKind, Request, SendFailure};
use http::{HeaderMap, Method};
use url::Url;

use super::refresh::CALL_DEADLINE;
use super::seen::SeenConversation;
use crate::registry::Workspace;
use crate::shared::Shared;

/// The largest file that is passed on, in bytes. A larger one is opened in Intercom.
const FILE_BYTES_MAX: usize = 25 * 1024 * 1024;

/// How long a file may take.
const FILE_DEADLINE: Duration = Duration::from_mins(1);

/// Conversations that a search answers.
const FOUND_MAX: u32 = 10;

/// Where Intercom keeps the files of messages: these domains and those below them. Addresses in
/// messages are not trusted beyond that.
///
/// From Intercom's own list of domains for content security policies and firewalls (help article
/// 3894, `img-src` and `connect-src`): `downloads`, `uploads` and `gifs` below `intercomcdn.com`,
/// `uploads.intercomusercontent.com`, and each workspace's own host below
/// `intercom-attachments-1.com` to `-9.com`, before them below `intercom-attachments.com`.
/// Workspaces in other regions have `intercomcdn.eu` and `au.intercomcdn.com`; the article names
/// `intercom-attachments` among the domains that differ by region in the same way.
const FILE_DOMAINS: [&str; 15] = [
    "intercomcdn.com",
    "intercomcdn.eu",
    "intercomusercontent.com",
    "intercom-attachments.com",
    "intercom-attachments.eu",
    "intercom-attachments-1.com",
    "intercom-attachments-2.com",
    "intercom-attachments-3.com",
    "intercom-attachments-4.com",
    "intercom-attachments-5.com",
    "intercom-attachments-6.com",
    "intercom-attachments-7.com",
    "intercom-attachments-8.com",
    "intercom-attachments-9.com",
    "intercomassets.com",
];

/// Why something could not be read, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Is there no such thing? Otherwise it may work later.
    pub gone: bool,
    /// What happened.
    pub words: String,
}

impl From<ApiError> for Unread {
    fn from(error: ApiError) -> Self {
        Self {
            gone: matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone),
            words: error.to_string(),
        }
    }
}

/// A conversation with its newest parts.
pub type Whole = Conversation;

/// A conversation that a search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its id.
    pub conversation: ConversationId,
    /// What a card shows of it.
    pub seen: SeenConversation,
}

/// A file of a message.
#[derive(Clone, Debug)]
pub struct Download {
    /// What it is called.
    pub name: String,
    /// What is in it.
    pub bytes: bytes::Bytes,
}

impl Shared {
    /// A whole conversation, read now.
    ///
    /// # Errors
    /// In words.
    pub async fn whole_conversation(
        &self,
        workspace: &WorkspaceName,
        conversation: &ConversationId,
    ) -> Result<Whole, Unread> {
        let far = self.far(workspace)?;
        let client = far.client.clone().with_deadline(CALL_DEADLINE);
        let call = client.conversation(conversation.as_str());
        Ok(self.ask(&far.standing, call).await?)
    }

    /// Conversations of a workspace by the words they began with, or by who began them.
    ///
    /// # Errors
    /// In words.
    pub async fn find_conversations(
        &self,
        workspace: &WorkspaceName,
        words: &str,
    ) -> Result<Vec<Found>, Unread> {
        let far = self.far(workspace)?;
        let client = far.client.clone().with_deadline(CALL_DEADLINE);
        let call = client.conversations_about(words, FOUND_MAX);
        let found = self.ask(&far.standing, call).await?;
        let found = found.iter().map(|conversation| Found {
            conversation: ConversationId::new(conversation.id.as_str()),
            seen: SeenConversation::of(conversation),
        });
        Ok(found.collect())
    }

    /// The n-th file of a part of a conversation; the part `source` is the first message. Its
    /// address lives for minutes only, so the conversation is read for it.
    ///
    /// # Errors
    /// In words.
    pub async fn conversation_file(
        &self,
        workspace: &WorkspaceName,
        conversation: &ConversationId,
        (part, number): (&str, usize),
    ) -> Result<Download, Unread> {
        let far = self.far(workspace)?;
        let whole = self.whole_conversation(workspace, conversation).await?;
        let missing = || Unread {
            gone: true,
            words: "The message has no such file, or its text was taken out.".to_owned(),
        };
        let files = files_of(&whole, part).ok_or_else(missing)?;
        let file = files.get(number).ok_or_else(missing)?;
        let url = trusted(&far, &file.url)?;
        let request = Request {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: None,
            deadline: FILE_DEADLINE,
        };
        let failed = |failure: SendFailure| Unread {
            gone: false,
            words: match failure {
                SendFailure::BodyTooLarge { .. } => format!(
                    "The file is larger than {} MiB. Open the conversation in Intercom to get it.",
                    FILE_BYTES_MAX / (1024 * 1024)
                ),
                other => format!("The file could not be fetched: {other}."),
            },
        };
        let answer = self.transport.stream(request).await.map_err(failed)?;
        if !answer.is_success() {
            return Err(Unread {
                gone: true,
                words: format!(
                    "Intercom does not give the file out (status {}).",
                    answer.status
                ),
            });
        }
        let answer = answer.read(FILE_BYTES_MAX).await.map_err(failed)?;
        Ok(Download {
            name: file.name.clone(),
            bytes: answer.body,
        })
    }
}

fn files_of<'c>(whole: &'c Whole, part: &str) -> Option<&'c [Attachment]> {
    if part == "source" {
        return Some(&whole.source_attachments);
    }
    let found = whole.parts.iter().find(|known| known.id == part)?;
    (!found.redacted).then_some(found.attachments.as_slice())
}

/// The address of a file, if it is where Intercom keeps files: no message can make Bowline call
/// anything else. The address that the operator configured for the workspace is one as well.
fn trusted(far: &Workspace, address: &str) -> Result<Url, Unread> {
    let refused = |host: &str| Unread {
        gone: false,
        words: format!(
            "The file is kept at “{host}”, which is none of Intercom's addresses. Open the \
             conversation in Intercom to get it."
        ),
    };
    let url = Url::parse(address).map_err(|_| refused("an address that cannot be read"))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let configured = url.origin() == far.config.api_url.origin();
    if configured || is_intercoms(&url) {
        Ok(url)
    } else {
        Err(refused(&host))
    }
}

fn is_intercoms(url: &Url) -> bool {
    let plain = url.scheme() == "https"
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    let Some(url::Host::Domain(host)) = url.host() else {
        return false;
    };
    plain
        && FILE_DOMAINS.iter().any(|domain| {
            host.strip_suffix(domain)
                .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_from_intercom_only() {
        for (address, wanted) in [
            (
                "https://downloads.intercomcdn.com/i/o/1/a.png?expires=1",
                true,
            ),
            ("https://intercom-attachments.com/x", true),
            ("https://acme-0a1b.intercom-attachments-7.com/i/o/1", true),
            ("https://uploads.intercomusercontent.com/x", true),
            ("https://uploads.au.intercomcdn.com/x", true),
            ("https://intercom-attachments-10.com/x", false),
            ("https://x.intercom-attachments-7.com.example.com/", false),
            ("http://downloads.intercomcdn.com/i", false),
            ("https://downloads.intercomcdn.com:8443/i", false),
            ("https://evilintercomcdn.com/i", false),
            ("https://intercomcdn.com.example.com/i", false),
            ("https://intercomcdn.com@169.254.169.254/latest", false),
            ("https://127.0.0.1/", false),
            ("file:///etc/passwd", false),
        ] {
            let url = Url::parse(address).unwrap();
            assert_eq!(is_intercoms(&url), wanted, "{address}");
        }
    }
}
