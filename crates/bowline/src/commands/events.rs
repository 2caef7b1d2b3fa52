//! `bowline events`

use std::process::ExitCode;

use crate::config::Loaded;
use crate::system::SystemClock;
use anyhow::{Context as _, bail};
use bowline_domain::ids::{EventId, IssueId, LaneKey, SiteName};
use bowline_domain::outcome::Reason;
use bowline_domain::time::Clock as _;
use bowline_store::Store;
use bowline_store::model::{EventFilter, EventState, EventView};
use serde_json::json;

use super::{load, store, when};
use crate::cli::Events;

/// Lists, shows or replays events.
pub(crate) async fn run(action: Events) -> anyhow::Result<ExitCode> {
    match action {
        Events::List {
            configured,
            state,
            issue,
            before,
            json,
            limit,
        } => {
            let loaded = load(&configured)?;
            let store = store(&loaded).await?;
            let lane = match issue {
                Some(issue) => Some(lane_of(&loaded, &store, &issue).await?),
                None => None,
            };
            let filter = EventFilter {
                state: state.as_deref().map(read_state).transpose()?,
                lane,
                before: before.map(EventId),
                limit: i64::from(limit),
            };
            list(&store, &filter, json).await
        }
        Events::Show {
            configured,
            event,
            body,
        } => show(&store(&load(&configured)?).await?, EventId(event), body).await,
        Events::Replay { configured, event } => {
            replay(&store(&load(&configured)?).await?, EventId(event)).await
        }
    }
}

fn read_state(word: &str) -> anyhow::Result<EventState> {
    [
        EventState::Waiting,
        EventState::Decided,
        EventState::Quarantined,
    ]
    .into_iter()
    .find(|state| state.as_str() == word)
    .with_context(|| format!("“{word}” is none of waiting, decided, quarantined"))
}

async fn lane_of(loaded: &Loaded, store: &Store, issue: &str) -> anyhow::Result<LaneKey> {
    for site in &loaded.config.sites {
        let name = SiteName::new(site.name.as_str());
        if issue.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(LaneKey::events(&name, &IssueId::new(issue)));
        }
        if let Some(id) = store.issue_by_key(&name, issue).await? {
            return Ok(LaneKey::events(&name, &id));
        }
    }
    bail!("no event of the issue {issue} was ever planned")
}

async fn list(store: &Store, filter: &EventFilter, as_json: bool) -> anyhow::Result<ExitCode> {
    for view in store.events(filter).await? {
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

fn codes(view: &EventView) -> Vec<&'static str> {
    view.outcome
        .iter()
        .flat_map(|outcome| &outcome.reasons)
        .map(Reason::code)
        .collect()
}

fn as_line(view: &EventView) -> String {
    json!({
        "id": view.event.id.0,
        "received_at_ms": view.event.received_at.0,
        "source": view.event.source.as_str(),
        "connection": view.event.connection.key(),
        "topic": view.event.topic,
        "lane": view.event.lane.as_str(),
        "state": view.state.as_str(),
        "effects": view.outcome.as_ref().map(|outcome| outcome.effects),
        "reasons": codes(view),
        "trouble": view.trouble,
    })
    .to_string()
}

fn as_words(view: &EventView) -> String {
    let became = match (&view.outcome, view.state) {
        (Some(outcome), _) if outcome.reasons.is_empty() => format!("{} effects", outcome.effects),
        (Some(outcome), _) => format!("{} effects; {}", outcome.effects, codes(view).join(", ")),
        (None, state) => state.as_str().to_owned(),
    };
    format!(
        "{:>8}  {}  {:<10} {:<24} {:<28} {became}",
        view.event.id,
        when::text(view.event.received_at),
        view.event.source.as_str(),
        view.event.topic,
        view.event.lane
    )
}

async fn show(store: &Store, event: EventId, with_body: bool) -> anyhow::Result<ExitCode> {
    let view = store
        .event(event)
        .await?
        .with_context(|| format!("there is no event {event}"))?;
    println!(
        "Event {event}: {} by {}",
        view.event.topic, view.event.connection
    );
    println!("  received  {}", when::text(view.event.received_at));
    println!("  lane      {}", view.event.lane);
    println!("  state     {}", view.state.as_str());
    if let Some(at) = view.decided_at {
        println!("  decided   {}", when::text(at));
    }
    if let Some(outcome) = &view.outcome {
        println!("  effects   {}", outcome.effects);
        for reason in &outcome.reasons {
            println!("  because   {reason}");
        }
    }
    if let Some(trouble) = &view.trouble {
        println!("  trouble   {trouble}");
    }
    for effect in store.effects_of(event).await? {
        println!();
        println!(
            "  Effect {}: {} — {}",
            effect.id,
            effect.effect.act.kind(),
            effect.state.as_str()
        );
        println!("    key       {}", effect.effect.key);
        println!("    planned   {}", when::text(effect.planned_at));
        if let Some(id) = &effect.remote_id {
            println!("    far side  {id}");
        }
        if let Some(reason) = &effect.reason {
            println!("    because   {reason}");
        }
        for attempt in store.attempts_of(effect.id).await? {
            println!(
                "    attempt   {} ({} ms) {} {}",
                when::text(attempt.started_at),
                attempt.ended_at.since(attempt.started_at),
                attempt.outcome,
                attempt.detail.unwrap_or_default()
            );
        }
    }
    if with_body {
        println!("\n{}", view.event.body);
    }
    Ok(ExitCode::SUCCESS)
}

async fn replay(store: &Store, event: EventId) -> anyhow::Result<ExitCode> {
    if !store.replay(event, SystemClock.now()).await? {
        bail!("event {event} is not there, or waits already");
    }
    store.wake().await?;
    println!(
        "Event {event} is decided again as soon as the service comes to it. What was done already \
         is not done twice."
    );
    Ok(ExitCode::SUCCESS)
}
