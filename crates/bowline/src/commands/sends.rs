//! `bowline sends`

use std::process::ExitCode;

use crate::config::Loaded;
use crate::service::access;
use crate::system::{SystemClock, random};
use anyhow::{Context as _, bail};
use bowline_access::{What, Who};
use bowline_domain::effect::EffectKey;
use bowline_domain::messaging::delivery::Resolution;
use bowline_domain::time::Clock as _;
use bowline_engine::shared::queue_about_send;
use bowline_store::Store;
use bowline_store::talk_browse::{OutboundView, SendsQuery};
use serde_json::json;

use super::links::outcome;
use super::{load, store, when};
use crate::cli::Sends;

/// Lists messages about which somebody has to decide, or decides about one.
pub(crate) async fn run(action: Sends) -> anyhow::Result<ExitCode> {
    match action {
        Sends::List {
            configured,
            held,
            json,
            limit,
        } => {
            let store = store(&load(&configured)?).await?;
            list(&store, held, json, i64::from(limit)).await
        }
        Sends::Again {
            configured,
            message,
        } => decide(&load(&configured)?, &message, Resolution::SentAgain).await,
        Sends::Discard {
            configured,
            message,
            arrived,
        } => {
            let how = if arrived {
                Resolution::Arrived
            } else {
                Resolution::Dropped
            };
            decide(&load(&configured)?, &message, how).await
        }
    }
}

async fn list(store: &Store, held: bool, as_json: bool, limit: i64) -> anyhow::Result<ExitCode> {
    let mut all = store.unresolved(SendsQuery::Held, limit).await?;
    if !held {
        all.extend(store.unresolved(SendsQuery::NotDelivered, limit).await?);
        all.sort_by_key(|view| std::cmp::Reverse(view.message.at));
        all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    if all.is_empty() && !as_json {
        println!("No messages to decide about.");
    }
    for view in all {
        let talk = store.talk(&view.whose).await?;
        let issue = talk
            .and_then(|talk| talk.request.issue)
            .map(|(_, key)| key.to_string());
        if as_json {
            println!("{}", as_line(&view, issue.as_deref()));
        } else {
            print_words(&view, issue.as_deref());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn as_line(view: &OutboundView, issue: Option<&str>) -> String {
    json!({
        "message": view.message.key.as_str(),
        "conversation": view.whose.to_string(),
        "issue": issue,
        "state": view.message.delivery.as_str(),
        "reason": view.message.reason,
        "text": view.message.text,
        "at_ms": view.message.at.0,
    })
    .to_string()
}

fn print_words(view: &OutboundView, issue: Option<&str>) {
    let message = &view.message;
    println!(
        "{}  {:<8}  {}  {}",
        when::text(message.at),
        message.delivery.as_str(),
        issue.unwrap_or("(no request yet)"),
        message.text.replace('\n', " ")
    );
    if let Some(reason) = &message.reason {
        println!("    {reason}");
    }
    println!("    {}", message.key);
}

async fn decide(loaded: &Loaded, message: &str, how: Resolution) -> anyhow::Result<ExitCode> {
    let store = store(loaded).await?;
    let key = EffectKey::stored(message);
    let view = store.outbound_view(&key).await?;
    let view = view.context("there is no such message; `bowline sends list` prints their keys")?;
    if view.resolved.is_some() || !view.message.delivery.may_be_sent_again() {
        bail!(
            "there is nothing to decide: somebody decided already, or the message is on its way or \
             arrived"
        );
    }
    let who = Who::CommandLine;
    let by = who.name();
    let named = (SystemClock.now(), random());
    let event = queue_about_send(&store, &key, (how, &by), named)
        .await
        .context("putting the decision into the queue")?;
    let what = match how {
        Resolution::SentAgain => What::MessageSentAgain,
        Resolution::Arrived | Resolution::Dropped => What::MessageLetBe,
    };
    let access = access(store.clone(), &loaded.config.key_file);
    let (subject, detail) = (format!("conversation {}", view.whose), how.as_str());
    access
        .write_down(&who, what, &subject, &format!("{detail}, message {key}"))
        .await?;
    outcome(&store, event).await
}
