//! The store as messaging uses it.

use bowline_domain::effect::EffectKey;
use bowline_domain::fact::FactKey;
use bowline_domain::ids::{CommentId, IssueId, IssueKey, LaneKey, SiteName};
use bowline_domain::messaging::delivery::Outbound;
use bowline_domain::messaging::end_user::{EndUser, Identity};
use bowline_domain::messaging::ids::{
    AccountName, EndUserId, MessageId, RemoteConversationId, RequestRef,
};
use bowline_domain::messaging::request::Request;
use bowline_domain::time::Millis;

use crate::error::StoreError;
use crate::model::{Talk, WrittenLine};
use crate::sql::{lookup, talk_lookup as find};
use crate::store::Store;
use crate::writes::{
    CallSeen, GatheringPlaced, LinesMoved, LinesWritten, OutboundSays, OutboundSent, RequestMade,
    Watch, Watched,
};

impl Store {
    /// The end user who has one of these identities, the first that is known counting.
    pub async fn end_user_by(
        &self,
        account: &AccountName,
        identities: &[Identity],
    ) -> Result<Option<EndUserId>, StoreError> {
        let mut conn = self.quick_reader().await?;
        for identity in identities {
            if let Some(found) = find::end_user_by(&mut conn, account, identity).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// An end user, if known.
    pub async fn end_user(
        &self,
        account: &AccountName,
        id: &EndUserId,
    ) -> Result<Option<EndUser>, StoreError> {
        find::end_user(&mut self.quick_reader().await?, account, id).await
    }

    /// The newest conversation of an end user, active or closed.
    pub async fn latest_talk(
        &self,
        account: &AccountName,
        id: &EndUserId,
    ) -> Result<Option<Request>, StoreError> {
        find::latest(&mut self.quick_reader().await?, account, id).await
    }

    /// How many conversations an end user began since a time.
    pub async fn talks_begun_since(
        &self,
        account: &AccountName,
        id: &EndUserId,
        since: Millis,
    ) -> Result<u32, StoreError> {
        find::begun_since(&mut self.quick_reader().await?, account, id, since).await
    }

    /// Was a message gathered?
    pub async fn message_seen(
        &self,
        account: &AccountName,
        message: &MessageId,
    ) -> Result<bool, StoreError> {
        find::message_seen(&mut self.quick_reader().await?, account, message).await
    }

    /// A conversation by its name.
    pub async fn talk(&self, whose: &RequestRef) -> Result<Option<Talk>, StoreError> {
        find::talk(&mut self.quick_reader().await?, whose).await
    }

    /// The conversation that feeds an issue, active or closed.
    pub async fn talk_of_issue(
        &self,
        site: &SiteName,
        issue: &IssueId,
    ) -> Result<Option<Talk>, StoreError> {
        find::talk_of_issue(&mut self.quick_reader().await?, site, issue).await
    }

    /// The active conversation that goes by this one of the provider.
    pub async fn talk_of_conversation(
        &self,
        account: &AccountName,
        conversation: &RemoteConversationId,
    ) -> Result<Option<Talk>, StoreError> {
        find::talk_of_conversation(&mut self.quick_reader().await?, account, conversation).await
    }

    /// All active conversations, the oldest first.
    pub async fn live_talks(&self) -> Result<Vec<(RequestRef, Request)>, StoreError> {
        find::live_talks(&mut self.reader().await?).await
    }

    /// The lines of a gathering in their order, with whether each stands in Jira.
    pub async fn gathered(
        &self,
        whose: &RequestRef,
        gathering: u32,
    ) -> Result<Vec<WrittenLine>, StoreError> {
        find::lines(&mut self.quick_reader().await?, whose, gathering).await
    }

    /// The comment in which a gathering stands, if it was written.
    pub async fn gathering_comment(
        &self,
        whose: &RequestRef,
        gathering: u32,
    ) -> Result<Option<CommentId>, StoreError> {
        find::gathering_comment(&mut self.quick_reader().await?, whose, gathering).await
    }

    /// A message to an end user by the provider's name of it.
    pub async fn outbound_by_remote(
        &self,
        account: &AccountName,
        remote_id: &MessageId,
    ) -> Result<Option<(RequestRef, Outbound)>, StoreError> {
        find::outbound_by_remote(&mut self.quick_reader().await?, account, remote_id).await
    }

    /// A message to an end user by the effect that sends it.
    pub async fn outbound(
        &self,
        key: &EffectKey,
    ) -> Result<Option<(RequestRef, Outbound)>, StoreError> {
        find::outbound(&mut self.quick_reader().await?, key).await
    }

    /// The messages to an end user in one conversation, oldest first.
    pub async fn outbounds(&self, whose: &RequestRef) -> Result<Vec<Outbound>, StoreError> {
        find::outbounds(&mut self.quick_reader().await?, whose).await
    }

    /// Does anything wait in a lane, or is it being worked?
    pub async fn lane_waits(&self, lane: &LaneKey) -> Result<bool, StoreError> {
        find::lane_waits(&mut self.quick_reader().await?, lane).await
    }

    /// Which of these facts of an issue were dealt with.
    pub async fn known_facts(
        &self,
        site: &SiteName,
        issue: &IssueId,
        facts: &[FactKey],
    ) -> Result<std::collections::BTreeSet<FactKey>, StoreError> {
        lookup::known_facts(&mut self.quick_reader().await?, site, issue, facts).await
    }

    /// Was a webhook call of this name seen?
    pub async fn call_is_known(&self, account: &AccountName, id: &str) -> Result<bool, StoreError> {
        find::call_is_known(&mut self.quick_reader().await?, account, id).await
    }

    /// Records the name of a webhook call until its signature expires. False if it was known.
    pub async fn call_seen(
        &self,
        account: AccountName,
        id: String,
        until: Millis,
        now: Millis,
    ) -> Result<bool, StoreError> {
        self.write(CallSeen {
            account,
            id,
            until,
            now,
        })
        .await
    }

    /// Records which issue a request is. Recording it again changes nothing.
    pub async fn request_made(
        &self,
        whose: RequestRef,
        issue: IssueId,
        key: IssueKey,
    ) -> Result<(), StoreError> {
        self.write(RequestMade { whose, issue, key }).await
    }

    /// Records in which comment a gathering stands. Recording it again changes nothing.
    pub async fn gathering_placed(
        &self,
        whose: RequestRef,
        gathering: u32,
        comment: String,
    ) -> Result<(), StoreError> {
        self.write(GatheringPlaced {
            whose,
            gathering,
            comment,
        })
        .await
    }

    /// Records which lines, by message and part, stand in Jira now.
    pub async fn lines_written(
        &self,
        account: AccountName,
        lines: Vec<(MessageId, u32)>,
        at: Millis,
    ) -> Result<(), StoreError> {
        self.write(LinesWritten { account, lines, at }).await
    }

    /// Records that lines of a description that do not stand in Jira go into a comment.
    pub async fn lines_moved(
        &self,
        account: AccountName,
        lines: Vec<(MessageId, u32)>,
    ) -> Result<(), StoreError> {
        self.write(LinesMoved { account, lines }).await
    }

    /// Records that the provider took a message, and what it calls it.
    pub async fn outbound_sent(&self, key: EffectKey, remote_id: String) -> Result<(), StoreError> {
        self.write(OutboundSent { key, remote_id }).await
    }

    /// Records what a message says that waits to be sent.
    pub async fn outbound_says(&self, key: EffectKey, text: String) -> Result<(), StoreError> {
        self.write(OutboundSays { key, text }).await
    }

    /// Up to when something, by its name, was looked through; `now` at first sight.
    pub async fn watch(&self, name: String, now: Millis) -> Result<Millis, StoreError> {
        self.write(Watch { name, now }).await
    }

    /// Records up to when something was looked through.
    pub async fn watched(&self, name: String, to: Millis) -> Result<(), StoreError> {
        self.write(Watched { name, to }).await
    }
}
