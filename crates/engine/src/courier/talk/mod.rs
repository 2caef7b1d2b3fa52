//! The writes of messaging: one file per kind says how it is made once, and how a doubtful one is
//! recognised.

mod archive;
mod attach;
mod create_request;
mod gather;
mod send;
mod send_file;
mod tell;

use std::sync::Arc;

use bowline_domain::effect::EffectKey;
use bowline_domain::ids::{IssueId, IssueKey};
use bowline_domain::messaging::act::TalkAct;
use bowline_domain::messaging::delivery::Delivery;
use bowline_domain::messaging::ids::RequestRef;
use bowline_domain::messaging::words;
use bowline_jira::CommentAudience;
use bowline_net::{ApiError, Reply};
use bowline_store::model::{Ending, EventSource, Talk, WrittenLine};
use bowline_text::Doc;

use send::{Sending, What};

use super::{Courier, MENDING_WAIT_MS, Stop};
use crate::ingress::Refusal;
use crate::planner::{COMMENT, TalkEvent, is_absent, talk_event};
use crate::registry::{Account, Site};

/// Makes one write of messaging.
pub(super) async fn make(courier: &Courier<'_>, act: &TalkAct) -> Result<Ending, Stop> {
    let whose = act.request();
    let Some(talk) = courier
        .shared
        .store
        .talk(whose)
        .await
        .map_err(|error| courier.store_failed(&error))?
    else {
        let reason = "The conversation is not known any more.".to_owned();
        return Err(Stop(Ending::Dropped { reason }));
    };
    match act {
        TalkAct::CreateRequest { summary, .. } => {
            create_request::create_request(courier, &talk, summary).await
        }
        TalkAct::Gather {
            gathering,
            place,
            message,
            ..
        } => {
            let of = (*gathering, message.as_ref());
            gather::gather(courier, &talk, of, *place).await
        }
        TalkAct::Attach { media, .. } => attach::attach(courier, &talk, media).await,
        TalkAct::Tell { audience, text, .. } => tell::tell(courier, &talk, *audience, text).await,
        TalkAct::Send {
            audience,
            route,
            text,
            comment,
            whole,
            tells,
            ..
        } => {
            let what = What::Text {
                text,
                whole: *whole,
                tells: tells.as_deref(),
            };
            let comment = comment.as_ref();
            send::send(
                courier,
                &talk,
                &Sending::new(*audience, route, comment, what),
            )
            .await
        }
        TalkAct::SendTemplate {
            audience,
            route,
            message,
            ..
        } => {
            let what = What::Template(message);
            send::send(courier, &talk, &Sending::new(*audience, route, None, what)).await
        }
        TalkAct::SendFile {
            audience,
            route,
            comment,
            file,
            ..
        } => {
            let comment = Some(comment);
            let what = What::File(file);
            send::send(
                courier,
                &talk,
                &Sending::new(*audience, route, comment, what),
            )
            .await
        }
        TalkAct::Archive { conversation, .. } => {
            archive::archive(courier, &talk, conversation).await
        }
        TalkAct::Reopen { conversation, .. } => archive::reopen(courier, &talk, conversation).await,
    }
}

impl Courier<'_> {
    /// The site of the conversation's request, if it may be written to now.
    fn site_of(&self, talk: &Talk) -> Result<Arc<Site>, Stop> {
        let registry = self.shared.registry();
        let name = &talk.request.site;
        let doubtful = self.taken.doubtful;
        let Some(site) = registry.sites.get(name) else {
            let reason = format!("The site “{name}” is not configured any more.");
            return Err(Stop(self.later(MENDING_WAIT_MS, doubtful, reason)));
        };
        if !site.standing.works() {
            let reason = site.standing.known().reason.unwrap_or_default();
            return Err(Stop(self.later(0, doubtful, reason)));
        }
        Ok(Arc::clone(site))
    }

    /// The account of the conversation, if it may be written to now.
    fn account_of(&self, whose: &RequestRef) -> Result<Arc<Account>, Stop> {
        let registry = self.shared.registry();
        let name = &whose.account;
        let doubtful = self.taken.doubtful;
        let Some(account) = registry.accounts.get(name) else {
            let reason = format!("The channel account “{name}” is not configured any more.");
            return Err(Stop(self.later(MENDING_WAIT_MS, doubtful, reason)));
        };
        if !account.standing.works() {
            let reason = account.standing.known().reason.unwrap_or_default();
            return Err(Stop(self.later(0, doubtful, reason)));
        }
        Ok(Arc::clone(account))
    }

    /// The issue of the conversation. Where it is not made yet, the write waits: what makes it is
    /// before it in the lane, unless that was given up.
    fn issue_of(&self, talk: &Talk) -> Result<(IssueId, IssueKey), Stop> {
        talk.request.issue.clone().ok_or_else(|| {
            let reason = "The request is not made yet.".to_owned();
            Stop(self.later(MENDING_WAIT_MS, self.taken.doubtful, reason))
        })
    }

    /// A call to Jira; what its failure means for the effect. `doubtful`: may the effect have
    /// happened, for all we know apart from this call?
    async fn ask_jira<T>(
        &self,
        site: &Site,
        call: impl Future<Output = Result<Reply<T>, ApiError>>,
    ) -> Result<T, Stop> {
        let answer = self.call(&site.standing, call).await;
        self.asked(site, answer).await
    }

    /// An answer of Jira; what it means for the effect if it is a failure.
    async fn asked<T>(&self, site: &Site, answer: Result<T, ApiError>) -> Result<T, Stop> {
        match answer {
            Ok(value) => Ok(value),
            Err(error) => Err(self
                .remote_failed(&site.standing, &error, self.taken.doubtful)
                .await),
        }
    }

    /// Stores an event about the conversation, once for this effect.
    async fn tell_planner(&self, whose: &RequestRef, told: &TalkEvent) -> Result<(), Stop> {
        let name = format!("effect-{}-{}", self.taken.id, told.word());
        let event = talk_event(whose, told, EventSource::Command, name, self.now());
        let stored = match event {
            Ok(event) => self.shared.store_event(event).await.map(drop),
            Err(error) => Err(error),
        };
        stored.map_err(|error: Refusal| {
            Stop(self.later(super::LOOK_AFTER_MS, self.taken.doubtful, error.to_string()))
        })
    }

    /// Has the planner deal with a message that is where it is for good.
    async fn outcome(
        &self,
        whose: &RequestRef,
        delivery: Delivery,
        reason: &str,
    ) -> Result<(), Stop> {
        let told = TalkEvent::Outcome {
            key: self.key().clone(),
            delivery,
            reason: reason.to_owned(),
            superseded_by: None,
        };
        self.tell_planner(whose, &told).await
    }

    /// Has the planner deal with a message about a status that held no more.
    async fn overtaken(&self, whose: &RequestRef, by: &str) -> Result<(), Stop> {
        let told = TalkEvent::Outcome {
            key: self.key().clone(),
            delivery: Delivery::NotSent,
            reason: words::overtaken(by),
            superseded_by: Some(by.to_owned()),
        };
        self.tell_planner(whose, &told).await
    }

    fn key(&self) -> &EffectKey {
        &self.effect().key
    }

    /// Lines of a gathering in their order.
    async fn lines(&self, whose: &RequestRef, gathering: u32) -> Result<Vec<WrittenLine>, Stop> {
        let found = self.shared.store.gathered(whose, gathering).await;
        found.map_err(|error| self.store_failed(&error))
    }

    /// Records which lines stand in Jira now.
    async fn written(&self, whose: &RequestRef, lines: &[WrittenLine]) -> Result<(), Stop> {
        let new: Vec<_> = lines
            .iter()
            .filter(|one| !one.written)
            .map(|one| (one.line.message.clone(), one.line.part))
            .collect();
        let done = self
            .shared
            .store
            .lines_written(whose.account.clone(), new, self.now())
            .await;
        done.map_err(|error| self.store_failed(&error))
    }
}

/// A confirmed ending.
fn confirmed(remote_id: Option<String>, detail: Option<&str>) -> Ending {
    Ending::Confirmed {
        remote_id,
        detail: detail.map(str::to_owned),
    }
}

/// The comment that an attempt of unknown outcome may have made. One that is not there is looked for
/// again after a while: Jira may still be at work on a call whose caller is gone.
async fn find_comment(
    courier: &Courier<'_>,
    site: &Site,
    issue: &str,
    is_it: impl Fn(&str) -> bool,
) -> Result<Option<String>, Stop> {
    if let Some(found) = look_for_comment(courier, site, issue, &is_it).await? {
        return Ok(Some(found));
    }
    tokio::time::sleep(super::note::SECOND_LOOK).await;
    look_for_comment(courier, site, issue, &is_it).await
}

/// A comment of our account's whose text is this, and that no other effect made.
async fn look_for_comment(
    courier: &Courier<'_>,
    site: &Site,
    issue: &str,
    is_it: &impl Fn(&str) -> bool,
) -> Result<Option<String>, Stop> {
    let us = site.standing.known().actor_id;
    let connection = bowline_domain::connection::Connection::Site(site.config.name.clone());
    let comments = match comments_of_request(courier, site, issue).await {
        Ok(comments) => comments,
        Err(error) if is_absent(&error) => {
            let found = comments_of_issue(courier, site, issue).await;
            courier.asked(site, found).await?
        }
        Err(error) => courier.asked(site, Err(error)).await?,
    };
    for comment in &comments {
        if comment.author.is_none() || comment.author != us || !is_it(&gather::flat(&comment.body))
        {
            continue;
        }
        let name = format!("{COMMENT}{}", comment.id);
        let known = courier.shared.store.is_ours(&connection, &name).await;
        if !known.map_err(|error| courier.store_failed(&error))? {
            return Ok(Some(comment.id.clone()));
        }
    }
    Ok(None)
}

/// A comment as it is looked for.
struct Commented {
    id: String,
    author: Option<String>,
    body: Doc,
}

async fn comments_of_request(
    courier: &Courier<'_>,
    site: &Site,
    issue: &str,
) -> Result<Vec<Commented>, ApiError> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let call = site.client.request_comments(issue, cursor.as_ref());
        let page = courier.call(&site.standing, call).await?;
        all.extend(page.items.into_iter().map(|comment| Commented {
            id: comment.id,
            author: comment.author.map(|person| person.id),
            body: comment.body,
        }));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// Where the issue is no request of Service Management.
async fn comments_of_issue(
    courier: &Courier<'_>,
    site: &Site,
    issue: &str,
) -> Result<Vec<Commented>, ApiError> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let call = site.client.comments(issue, cursor.as_ref());
        let page = courier.call(&site.standing, call).await?;
        all.extend(page.items.into_iter().map(|comment| Commented {
            id: comment.id,
            author: comment.author.map(|person| person.id),
            body: comment.body,
        }));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// Comments as our account: on the request, or on the issue where that is no request any more. It
/// bears the mark of who may read it then, so that it stays internal if it is one again.
async fn comment_on(
    courier: &Courier<'_>,
    site: &Site,
    issue: &str,
    (body, audience): (&Doc, CommentAudience),
) -> Result<String, ApiError> {
    let client = &site.client;
    let on_request = client.create_request_comment(issue, body, audience);
    match courier.call(&site.standing, on_request).await {
        Ok(made) => Ok(made.id),
        Err(error) if is_absent(&error) => {
            let on_issue = client.create_comment(issue, body, audience);
            let made = courier.call(&site.standing, on_issue).await?;
            Ok(made.id)
        }
        Err(error) => Err(error),
    }
}
