//! The machine that is measured on: without it no figure means anything.

use std::fs::{self, File};
use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::Bench;
use crate::database::Kind;
use crate::percent::{ms, percentile};
use crate::table::Table;

/// How often a write is made durable to see what that costs, and how much is written each time.
const SYNCS: usize = 300;
const SYNC_BYTES: usize = 4_096;

/// Prints what the figures depend on.
pub(crate) fn print(bench: &Bench) -> anyhow::Result<()> {
    let mut table = Table::new("Machine", &["what", "value"]);
    let mut row = |what: &str, value: String| table.row([what.to_owned(), value]);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    row(
        "cores",
        format!("{cores}, shared by load, service, far side and database"),
    );
    row("processor", first("/proc/cpuinfo", "model name"));
    row("memory", first("/proc/meminfo", "MemTotal"));
    row(
        "kernel",
        fs::read_to_string("/proc/sys/kernel/osrelease")
            .unwrap_or_default()
            .trim()
            .to_owned(),
    );
    row("others at work (load of the last minute)", load());
    let mut syncs = syncs(bench)?;
    row(
        "making 4 KiB durable (fdatasync)",
        format!(
            "median {}, p99 {}",
            ms(percentile(&mut syncs, 50)),
            ms(percentile(&mut syncs, 99))
        ),
    );
    let profile = if cfg!(debug_assertions) {
        "debug: the figures mean nothing"
    } else {
        "release"
    };
    row("build", profile.to_owned());
    if bench.kinds.contains(&Kind::Postgres) {
        row(
            "PostgreSQL",
            bench.databases.postgres_version(&bench.runtime)?,
        );
    }
    table.print();
    Ok(())
}

/// Whoever else computes while this runs makes the figures worse.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}

fn first(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(':'))
        .map_or("?", |(_, value)| value.trim())
        .to_owned()
}

fn syncs(bench: &Bench) -> anyhow::Result<Vec<Duration>> {
    let folder = bench.databases.folder()?;
    let path = folder.path().join("sync");
    let mut file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
    let mut took = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let began = Instant::now();
        file.write_all(&[1; SYNC_BYTES])?;
        file.sync_data()?;
        took.push(began.elapsed());
    }
    Ok(took)
}
