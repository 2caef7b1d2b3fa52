//! Keeping Jira's own record of an issue's links in step: the issue property of the app that
//! people switch from, and remote links, which Jira shows on the issue.
//!
//! The record is brought to what holds now, not to what held when the effect was planned, so doing
//! it twice or late does no harm.

use std::collections::BTreeMap;
use std::sync::Arc;

use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_intercom::State;
use bowline_jira::RemoteLink;
use bowline_net::{ApiError, ErrorKind};
use bowline_store::model::Ending;

use super::{Courier, MENDING_WAIT_MS, Stop};
use crate::registry::Site;

/// Remote links per issue; above it one link stands for all. Jira limits the links of an issue.
const REMOTE_LINKS_MAX: usize = 20;

/// Conversation ids in the property. Jira takes 32,768 characters; ids have up to 16 digits.
const PROPERTY_IDS_MAX: usize = 1_600;

/// What our remote links' global ids begin with.
const GLOBAL_ID_PREFIX: &str = "appId=bowline&";

/// The application that Jira shows with the links.
const APPLICATION: (&str, &str) = ("io.bowline", "Bowline");

type Place = (WorkspaceName, ConversationId);

/// Brings the record in step.
pub(super) async fn record(courier: &Courier<'_>) -> Result<Ending, Stop> {
    let effect = courier.effect();
    let registry = courier.shared.registry();
    let Some(site) = registry.sites.get(&effect.site) else {
        let reason = format!("The site “{}” is not configured any more.", effect.site);
        return Err(Stop(courier.later(MENDING_WAIT_MS, false, reason)));
    };
    if !site.standing.works() {
        let reason = site.standing.known().reason.unwrap_or_default();
        return Err(Stop(courier.later(0, false, reason)));
    }
    let links = courier
        .shared
        .store
        .live_links(&effect.site, &effect.issue)
        .await
        .map_err(|error| courier.store_failed(&error))?;
    let recorder = Recorder {
        courier,
        site: Arc::clone(site),
        issue: effect.issue.as_str(),
    };
    recorder.property(&links).await?;
    let detail = recorder.remote_links(&links).await?;
    Ok(Ending::Confirmed {
        remote_id: None,
        detail,
    })
}

struct Recorder<'r> {
    courier: &'r Courier<'r>,
    site: Arc<Site>,
    issue: &'r str,
}

impl Recorder<'_> {
    async fn failed(&self, error: ApiError) -> Stop {
        self.courier
            .remote_failed(&self.site.standing, &error, false)
            .await
    }

    async fn call<T>(
        &self,
        call: impl Future<Output = Result<bowline_net::Reply<T>, ApiError>>,
    ) -> Result<T, Stop> {
        match self.courier.call(&self.site.standing, call).await {
            Ok(value) => Ok(value),
            Err(error) => Err(self.failed(error).await),
        }
    }

    async fn property(&self, links: &[Place]) -> Result<(), Stop> {
        let ids: Vec<String> = links
            .iter()
            .take(PROPERTY_IDS_MAX)
            .map(|(_, id)| id.to_string())
            .collect();
        let there = self
            .call(self.site.client.get_link_property(self.issue))
            .await?;
        let same = there
            .as_deref()
            .map_or(ids.is_empty(), |there| there == ids.as_slice());
        if same {
            return Ok(());
        }
        self.call(self.site.client.put_link_property(self.issue, &ids))
            .await
            .map(drop)
    }

    /// Remote links can be switched off in a site, and need a permission of their own. The property
    /// is there and the notes do not depend on them, so without them the record is as good as it
    /// gets; the text says so.
    async fn remote_links(&self, links: &[Place]) -> Result<Option<String>, Stop> {
        match self.try_remote_links(links).await {
            Ok(()) => Ok(None),
            Err(error) if error.kind == ErrorKind::Permission => {
                tracing::warn!(site = %self.site.config.name, issue = self.issue, %error,
                    "remote links cannot be kept");
                Ok(Some(format!(
                    "The conversations are not shown on the issue: Bowline's account may not link \
                     issues. ({error})"
                )))
            }
            Err(error) => Err(self.failed(error).await),
        }
    }

    async fn try_remote_links(&self, links: &[Place]) -> Result<(), ApiError> {
        let (courier, client) = (self.courier, &self.site.client);
        let mut wanted = self.wanted(links).await;
        let there = courier
            .call(&self.site.standing, client.remote_links(self.issue))
            .await?;
        for link in there
            .iter()
            .filter(|link| link.global_id.starts_with(GLOBAL_ID_PREFIX))
        {
            match wanted.get(&link.global_id) {
                Some(same) if is_same(same, link) => {
                    wanted.remove(&link.global_id);
                }
                Some(_) => {}
                None => {
                    let delete = client.delete_remote_link(self.issue, &link.global_id);
                    match courier.call(&self.site.standing, delete).await {
                        // An earlier attempt deleted it, or a person did.
                        Err(error) if error.kind == ErrorKind::NotFound => {}
                        done => done?,
                    }
                }
            }
        }
        for link in wanted.values() {
            let write = client.upsert_remote_link(self.issue, link);
            courier.call(&self.site.standing, write).await?;
        }
        Ok(())
    }

    async fn wanted(&self, links: &[Place]) -> BTreeMap<String, RemoteLink> {
        let mut wanted = BTreeMap::new();
        if links.len() > REMOTE_LINKS_MAX {
            let link = summary(links.len(), &self.url(&links[0]));
            wanted.insert(link.global_id.clone(), link);
            return wanted;
        }
        for place in links {
            let link = self.one(place).await;
            wanted.insert(link.global_id.clone(), link);
        }
        wanted
    }

    fn url(&self, (workspace, conversation): &Place) -> String {
        self.courier
            .shared
            .registry()
            .workspaces
            .get(workspace)
            .map_or_else(
                || self.site.browse_base(),
                |workspace| workspace.conversation_url(conversation.as_str()),
            )
    }

    /// The link to one conversation, with its title and state if Intercom tells them now.
    async fn one(&self, place: &Place) -> RemoteLink {
        let (workspace, conversation) = place;
        let mut title = format!("Intercom conversation {conversation}");
        let mut state = None;
        let registry = self.courier.shared.registry();
        if let Some(far) = registry
            .workspaces
            .get(workspace)
            .filter(|far| far.standing.works() && far.standing.proven())
        {
            let read = far.client.conversation(conversation.as_str());
            if let Ok(found) = self.courier.call(&far.standing, read).await {
                if let Ok(Some(into)) = self.courier.went_on_in(far, &found).await {
                    // The link is led on, and the record brought in step once more after that.
                    let effect = self.courier.effect();
                    let of = (&effect.site, &effect.issue);
                    self.courier
                        .have_led_on(of, (workspace, conversation), &into)
                        .await;
                }
                title = found.title.clone().unwrap_or(title);
                state = Some(found.state);
            }
        }
        RemoteLink {
            global_id: format!(
                "{GLOBAL_ID_PREFIX}workspace={workspace}&conversation={conversation}"
            ),
            url: self.url(place),
            title,
            summary: state.as_ref().map(|state| words(state).to_owned()),
            resolved: state == Some(State::Closed),
            ..blank()
        }
    }
}

fn summary(count: usize, url: &str) -> RemoteLink {
    RemoteLink {
        global_id: format!("{GLOBAL_ID_PREFIX}summary"),
        url: url.to_owned(),
        title: format!("{count} Intercom conversations"),
        ..blank()
    }
}

fn blank() -> RemoteLink {
    RemoteLink {
        global_id: String::new(),
        application_type: Some(APPLICATION.0.to_owned()),
        application_name: Some(APPLICATION.1.to_owned()),
        relationship: Some("conversations".to_owned()),
        url: String::new(),
        title: String::new(),
        summary: None,
        resolved: false,
        icon: None,
    }
}

fn words(state: &State) -> &str {
    match state {
        State::Open => "open",
        State::Closed => "closed",
        State::Snoozed => "snoozed",
        State::Other(other) => other,
    }
}

fn is_same(wanted: &RemoteLink, there: &RemoteLink) -> bool {
    (&wanted.url, &wanted.title, &wanted.summary, wanted.resolved)
        == (&there.url, &there.title, &there.summary, there.resolved)
}
