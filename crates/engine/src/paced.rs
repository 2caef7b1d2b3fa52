//! Calls to Intercom and Jira at the pace of their connection.

use std::time::Duration;

use bowline_domain::ids::ConversationId;
use bowline_intercom::Conversation;
use bowline_net::{ApiError, ErrorKind, Reply};

use crate::pace::Priority;
use crate::registry::{Standing, Workspace};
use crate::shared::Shared;

/// Conversations of each contact that are looked at to find the one that goes on.
const CANDIDATES_MAX: u32 = 20;

/// Contacts of a merged conversation whose conversations are looked at.
const CONTACTS_MAX: usize = 5;

/// How far before the merge a search begins, in seconds: clocks and cut-off fractions.
const SEARCH_SLACK_S: i64 = 60;

/// Makes calls for someone.
#[derive(Clone, Copy)]
pub(crate) struct Paced<'p> {
    pub(crate) shared: &'p Shared,
    pub(crate) priority: Priority,
}

impl Paced<'_> {
    /// Makes a call at the connection's pace and takes in what the answer says of it.
    pub(crate) async fn call<T>(
        &self,
        standing: &Standing,
        call: impl Future<Output = Result<Reply<T>, ApiError>>,
    ) -> Result<T, ApiError> {
        standing.pace.turn(self.priority, &*self.shared.clock).await;
        learn(standing, call.await)
    }

    /// The same for someone who waits: if the turn does not come in time, nothing is called.
    pub(crate) async fn call_soon<T>(
        &self,
        standing: &Standing,
        patience: Duration,
        call: impl Future<Output = Result<Reply<T>, ApiError>>,
    ) -> Result<T, ApiError> {
        let turn = standing.pace.turn(self.priority, &*self.shared.clock);
        if tokio::time::timeout(patience, turn).await.is_err() {
            let words = "all calls that the far side allows at the moment are used up";
            return Err(ApiError::new(
                ErrorKind::RateLimited,
                "waiting for a turn",
                words,
            ));
        }
        learn(standing, call.await)
    }

    /// The conversation that goes on in place of a merged one: the only one of its contacts' (or of
    /// those that Intercom links to it) that took one in at that moment. `None` if it was not
    /// merged, and if none or several may be meant.
    pub(crate) async fn went_on_in(
        &self,
        workspace: &Workspace,
        conversation: &Conversation,
    ) -> Result<Option<ConversationId>, ApiError> {
        let Some(at) = conversation.merged_at() else {
            return Ok(None);
        };
        let (client, standing) = (&workspace.client, &workspace.standing);
        let mut candidates = conversation.linked.clone();
        for contact in conversation.contacts.iter().take(CONTACTS_MAX) {
            let since = at - SEARCH_SLACK_S;
            let search = client.conversations_of(&contact.id, since, CANDIDATES_MAX);
            let found = self.call(standing, search).await?;
            candidates.extend(found.into_iter().map(|found| found.id));
        }
        candidates.sort_unstable();
        candidates.dedup();
        let mut took_in = Vec::new();
        for candidate in candidates.iter().filter(|id| **id != conversation.id) {
            match self.call(standing, client.conversation(candidate)).await {
                Ok(read) if read.took_one_in_at(at) => took_in.push(read.id),
                Ok(_) => {}
                Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => {}
                Err(error) => return Err(error),
            }
        }
        let [only] = took_in.as_slice() else {
            tracing::warn!(workspace = %workspace.config.name, conversation = conversation.id,
                candidates = took_in.len(),
                "a conversation was merged, and it is not certain into which");
            return Ok(None);
        };
        Ok(Some(ConversationId::new(only.as_str())))
    }
}

fn learn<T>(standing: &Standing, answer: Result<Reply<T>, ApiError>) -> Result<T, ApiError> {
    match answer {
        Ok(reply) => {
            standing.pace.learn(&reply.limits);
            Ok(reply.value)
        }
        Err(error) => {
            standing.pace.failed();
            Err(error)
        }
    }
}
