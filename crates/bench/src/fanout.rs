//! `fanout`: one event on an issue with 10,000 linked conversations, at Intercom's real rate limit.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use bowline_sandbox::common::page::Neighbours;
use bowline_sandbox::intercom::limit::{DEFAULT_PER_WINDOW, WINDOW_SECONDS};
use bowline_sandbox::intercom::{self, Config, NewContact};

use crate::Bench;
use crate::database::Kind;
use crate::delivery::{BOUND, Delivery};
use crate::far::Far;
use crate::percent::float;
use crate::product::{Product, Sides};
use crate::table::Table;
use crate::{load, seed};

/// The issue, and how many conversations are linked to it.
const ISSUE: usize = 10_040;
const CONVERSATIONS: usize = 10_000;

/// Much longer than the limit makes it take: each note is a reading and a writing call.
const PATIENCE: Duration = Duration::from_mins(10);

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    let mut table = Table::new(
        format!(
            "fanout: one event, {} conversations, {DEFAULT_PER_WINDOW} calls per {WINDOW_SECONDS} s",
            bench.pick(CONVERSATIONS, CONVERSATIONS / 4)
        ),
        &[
            "database",
            "share used in full windows",
            "full windows",
            "429",
            "notes",
            "doubled",
            "took",
        ],
    );
    for kind in &bench.kinds {
        table.row(measure(bench, *kind)?);
    }
    table.print();
    Ok(())
}

fn measure(bench: &Bench, kind: Kind) -> anyhow::Result<[String; 7]> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = Config::default();
    let access_token = config.access_token.clone();
    let far_intercom = bench
        .runtime
        .block_on(intercom::start(config, any, Neighbours::new()))?;
    let workspace = &far_intercom.state;
    let contact = workspace
        .create_contact(NewContact::user("Cleo Example", "cleo@example.com"))
        .map_err(|error| anyhow!("making a contact: {error:?}"))?;
    let conversations: Vec<String> = (0..bench.pick(CONVERSATIONS, CONVERSATIONS / 4))
        .map(|_| workspace.create_conversation(&contact, "My voucher is gone."))
        .collect::<Result<_, _>>()
        .map_err(|error| anyhow!("making a conversation: {error:?}"))?;

    let database = bench.databases.create(kind, &bench.runtime)?;
    seed::issues(bench, &database, ISSUE..ISSUE + 1, |_| {
        conversations.clone()
    })?;
    let far_jira = Far::start(bench)?;
    let sides = Sides {
        jira: far_jira.addr,
        intercom: far_intercom.addr,
        access_token,
    };
    let product = Product::start(&bench.binary, &database, &sides)?;
    let began = Instant::now();
    let at_ms = i64::try_from(
        std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap_or_default()
            .as_millis(),
    )?;
    load::all(
        &product.target(),
        &[Delivery::assigned(1, ISSUE, BOUND, at_ms)],
    )?;
    product.until_idle(PATIENCE)?;
    let took = began.elapsed();

    let windows = workspace.windows();
    // The first and the last window of the work are not full.
    let full: Vec<u32> = windows
        .iter()
        .skip(1)
        .take(windows.len().saturating_sub(2))
        .map(|window| window.calls)
        .collect();
    let allowed = f64::from(DEFAULT_PER_WINDOW) * float(full.len());
    let share = f64::from(full.iter().sum::<u32>()) / allowed.max(1.0);
    let refused: u32 = windows.iter().map(|window| window.refused).sum();
    let noted: Vec<usize> = conversations
        .iter()
        .map(|id| workspace.notes(id).len())
        .collect();
    let told: HashSet<usize> = noted
        .iter()
        .enumerate()
        .filter(|(_, notes)| **notes > 0)
        .map(|(at, _)| at)
        .collect();
    Ok([
        kind.name().to_owned(),
        format!("{share:.4}"),
        full.len().to_string(),
        refused.to_string(),
        format!("{} of {}", told.len(), conversations.len()),
        noted.iter().filter(|notes| **notes > 1).count().to_string(),
        format!("{:.1} s", took.as_secs_f64()),
    ])
}
