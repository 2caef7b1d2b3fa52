//! `bowline links`

use std::process::ExitCode;
use std::time::Duration;

use crate::config::{Config, Loaded};
use crate::system::{SystemClock, random};
use anyhow::{Context as _, bail};
use bowline_domain::ids::{ConversationId, EventId, SiteName};
use bowline_domain::link::{LinkEnd, Via};
use bowline_domain::time::Clock as _;
use bowline_engine::shared::queue_link_command;
use bowline_store::Store;
use bowline_store::model::{EventState, LinkFilter, LinkView};
use serde_json::json;

use super::{load, store, when};
use crate::cli::{LinkChange, Links};

/// How long a command waits for the service to carry it out.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Lists, adds or removes links.
pub(crate) async fn run(action: Links) -> anyhow::Result<ExitCode> {
    match action {
        Links::List {
            configured,
            issue,
            conversation,
            ended,
            json,
            limit,
        } => {
            let loaded = load(&configured)?;
            let filter = LinkFilter {
                issue,
                conversation: conversation.as_deref().map(conversation_id),
                ended,
                limit: i64::from(limit),
                ..LinkFilter::default()
            };
            list(&store(&loaded).await?, &filter, json).await
        }
        Links::Add(change) => apply(&change, true).await,
        Links::Remove(change) => apply(&change, false).await,
    }
}

/// The id of a conversation that is given by id or by address.
fn conversation_id(text: &str) -> ConversationId {
    let found = bowline_text::address::parse(text).map(|address| address.conversation);
    ConversationId::new(found.unwrap_or_else(|| text.to_owned()))
}

async fn list(store: &Store, filter: &LinkFilter, as_json: bool) -> anyhow::Result<ExitCode> {
    let links = store.links(filter).await?;
    if links.is_empty() && !as_json {
        println!("No links.");
    }
    for view in links {
        println!(
            "{}",
            if as_json {
                as_line(&view)
            } else {
                as_words(&view)
            }
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn as_line(view: &LinkView) -> String {
    let sources: Vec<String> = view
        .link
        .sources
        .iter()
        .map(|source| source.origin.key())
        .collect();
    json!({
        "site": view.site.as_str(),
        "issue": view.issue.as_str(),
        "key": view.key.as_ref().map(ToString::to_string),
        "workspace": view.link.workspace.as_str(),
        "conversation": view.link.conversation.as_str(),
        "live": view.link.live,
        "since_ms": view.link.since.0,
        "ended": view.link.ended.as_ref().map(LinkEnd::word),
        "ended_at_ms": view.link.ended_at.map(|at| at.0),
        "merged_into": view.link.merged_into().map(ConversationId::as_str),
        "sources": sources,
        "by": view.link.by_hand().map(|hand| hand.by.as_str()),
        "via": view.link.by_hand().and_then(|hand| hand.via).map(Via::word),
    })
    .to_string()
}

fn as_words(view: &LinkView) -> String {
    let key = view
        .key
        .as_ref()
        .map_or_else(|| view.issue.to_string(), ToString::to_string);
    let sources: Vec<String> = view.link.sources.iter().map(ToString::to_string).collect();
    let state = match &view.link.ended {
        Some(end) if !view.link.live => match view.link.ended_at {
            Some(at) => format!("ended {} ({end})", when::text(at)),
            None => format!("ended ({end})"),
        },
        _ => format!("by {}", sources.join(", ")),
    };
    format!(
        "{}  {key:<12} {}/{}  since {}  {state}",
        view.site,
        view.link.workspace,
        view.link.conversation,
        when::text(view.link.since)
    )
}

async fn apply(change: &LinkChange, add: bool) -> anyhow::Result<ExitCode> {
    let loaded = load(&change.configured)?;
    let (site, workspace) = place(&loaded, change)?;
    let store = store(&loaded).await?;
    let event = queue_link_command(
        &store,
        (&SiteName::new(site), &change.issue),
        (&workspace, conversation_id(&change.conversation).as_str()),
        add.then_some((change.by.as_str(), Via::CommandLine)),
        (SystemClock.now(), random()),
    )
    .await
    .context("putting the command into the queue")?;
    outcome(&store, event).await
}

/// The site and the workspace that are meant.
fn place(loaded: &Loaded, change: &LinkChange) -> anyhow::Result<(String, String)> {
    let Config {
        sites, bindings, ..
    } = &loaded.config;
    let site = match (&change.site, sites.as_slice()) {
        (Some(name), _) => name.clone(),
        (None, [only]) => only.name.clone(),
        (None, _) => bail!("there are several sites: say which with --site"),
    };
    if let Some(workspace) = &change.workspace {
        return Ok((site, workspace.clone()));
    }
    let project = change
        .issue
        .rsplit_once('-')
        .map_or("", |(project, _)| project);
    let binding = bindings
        .iter()
        .find(|bound| bound.site == site && bound.project == project);
    match binding {
        Some(binding) => Ok((site, binding.workspace.clone())),
        None => bail!(
            "the project {project} of the site {site} is not joined to a workspace; add a \
             [[binding]] for it, or say --workspace"
        ),
    }
}

/// Waits until the service carried the command out, and says what came of it.
pub(super) async fn outcome(store: &Store, event: EventId) -> anyhow::Result<ExitCode> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        let view = store
            .event(event)
            .await?
            .context("the command's event is not there")?;
        match view.state {
            EventState::Waiting => tokio::time::sleep(LOOK_EVERY).await,
            EventState::Decided => {
                let outcome = view.outcome.unwrap_or_default();
                println!("Event {event}: {} effects.", outcome.effects);
                for reason in &outcome.reasons {
                    println!("  {reason}");
                }
                return Ok(ExitCode::SUCCESS);
            }
            EventState::Quarantined => {
                bail!("event {event} failed: {}", view.trouble.unwrap_or_default())
            }
        }
    }
    println!(
        "Event {event} waits: no service carries it out at the moment. It is done as soon as one \
         runs and reaches the far side (bowline events show {event})."
    );
    Ok(ExitCode::SUCCESS)
}
