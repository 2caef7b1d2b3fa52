//! `contacts`: a full copy of a million contacts, at Intercom's real rate limit and without one.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bowline_sandbox::common::page::Neighbours;
use bowline_sandbox::intercom::limit::{DEFAULT_PER_WINDOW, WINDOW_SECONDS};
use bowline_sandbox::intercom::{self, Config};
use bowline_store::testing;

use crate::Bench;
use crate::database::{Database, Kind};
use crate::far::Far;
use crate::percent::float;
use crate::process::{memory, mib};
use crate::product::{Product, Sides};
use crate::table::Table;

/// Contacts of the workspace, and companies that they belong to.
const CONTACTS: u64 = 1_000_000;
const COMPANIES: u64 = 2_000;

/// Contacts of a quick run.
const CONTACTS_QUICK: u64 = 30_000;

/// Contacts of a page and companies of a part, which make the least number of calls.
const PER_PAGE: u64 = 150;
const PER_PART: u64 = 100;

/// Much longer than a copy takes.
const PATIENCE: Duration = Duration::from_mins(30);

/// How often the database is asked how far the copy is.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// A copy that came to its end.
struct Copied {
    took: Duration,
    calls: usize,
    refused: usize,
    /// Calls in windows that lay wholly within the copy, and how many such windows there were.
    in_windows: usize,
    windows: usize,
    memory_before: u64,
    memory_peak: u64,
    rows: usize,
}

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    let contacts = bench.pick(CONTACTS, CONTACTS_QUICK);
    // The companies' scroll ends with an empty part.
    let least = contacts.div_ceil(PER_PAGE) + COMPANIES.div_ceil(PER_PART) + 1;
    let mut limited = Table::new(
        format!(
            "contacts: {contacts} copied at {DEFAULT_PER_WINDOW} calls per {WINDOW_SECONDS} s; at \
             least {least} calls"
        ),
        &[
            "database",
            "share of the limit in full windows",
            "full windows",
            "calls",
            "429",
            "idle memory",
            "peak memory",
            "took",
        ],
    );
    let mut free = Table::new(
        format!("contacts: {contacts} copied without a limit"),
        &["database", "contacts per second", "peak memory", "took"],
    );
    for kind in &bench.kinds {
        let copied = copy(bench, *kind, Some(DEFAULT_PER_WINDOW), contacts)?;
        let allowed = count(DEFAULT_PER_WINDOW) * copied.windows;
        limited.row([
            kind.name().to_owned(),
            match allowed {
                0 => "no full window".to_owned(),
                allowed => format!("{:.3}", float(copied.in_windows) / float(allowed)),
            },
            copied.windows.to_string(),
            copied.calls.to_string(),
            copied.refused.to_string(),
            mib(copied.memory_before),
            mib(copied.memory_peak),
            format!("{:.1} s", copied.took.as_secs_f64()),
        ]);
        let copied = copy(bench, *kind, None, contacts)?;
        free.row([
            kind.name().to_owned(),
            format!("{:.0}", float(copied.rows) / copied.took.as_secs_f64()),
            mib(copied.memory_peak),
            format!("{:.1} s", copied.took.as_secs_f64()),
        ]);
    }
    limited.print();
    free.print();
    Ok(())
}

fn copy(bench: &Bench, kind: Kind, limit: Option<u32>, contacts: u64) -> anyhow::Result<Copied> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = Config {
        invented_contacts: contacts,
        invented_companies: COMPANIES,
        rate_limit_per_10s: limit,
        ..Config::default()
    };
    let access_token = config.access_token.clone();
    let far_intercom = bench
        .runtime
        .block_on(intercom::start(config, any, Neighbours::new()))?;
    far_intercom.state.journal().enable(false);
    let far_jira = Far::start(bench)?;
    let sides = Sides {
        jira: far_jira.addr,
        intercom: far_intercom.addr,
        access_token,
    };
    let database = bench.databases.create(kind, &bench.runtime)?;
    let idle = Product::start(&bench.binary, &database, &sides)?;
    let memory_before = memory(idle.pid()).resident;
    drop(idle);
    let began_s = unix_s();
    let began = Instant::now();
    let product = Product::start_copying(&bench.binary, &database, &sides)?;
    wait(bench, &database, contacts)?;
    let took = began.elapsed();
    let ended_s = unix_s();
    let memory_peak = memory(product.pid()).peak;
    drop(product);
    let windows = far_intercom.state.windows();
    let within = windows
        .iter()
        .filter(|window| window.start > began_s && window.start + WINDOW_SECONDS <= ended_s);
    let (mut full, mut in_windows) = (0, 0);
    for window in within {
        full += 1;
        in_windows += count(window.calls);
    }
    Ok(Copied {
        took,
        calls: windows.iter().map(|window| count(window.calls)).sum(),
        refused: windows.iter().map(|window| count(window.refused)).sum(),
        in_windows,
        windows: full,
        memory_before,
        memory_peak,
        rows: usize::try_from(contacts)?,
    })
}

fn count(calls: u32) -> usize {
    usize::try_from(calls).unwrap_or(usize::MAX)
}

fn unix_s() -> i64 {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed();
    i64::try_from(now.unwrap_or_default().as_secs()).unwrap_or(0)
}

/// Waits until the copy has ended, and holds what it says against the database.
fn wait(bench: &Bench, database: &Database, contacts: u64) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let ask = |sql: &str| -> anyhow::Result<Vec<String>> {
        let rows = bench.runtime.block_on(testing::texts(&database.url, sql));
        let rows = rows.context("asking the database")?;
        Ok(rows.into_iter().flatten().flatten().collect())
    };
    loop {
        let sql = "SELECT state, CAST(fresh AS TEXT) FROM contact_run WHERE ended_at IS NOT NULL";
        if let Ok(ended) = ask(sql)
            && let [state, fresh] = ended.as_slice()
        {
            ensure!(state == "done", "the copy is {state}");
            ensure!(*fresh == contacts.to_string(), "only {fresh} are new");
            break;
        }
        ensure!(
            Instant::now() < deadline,
            "the copy takes longer than {PATIENCE:?}"
        );
        thread::sleep(ASK_EVERY);
    }
    let counted = ask("SELECT CAST(COUNT(*) AS TEXT) FROM contact")?;
    ensure!(counted == [contacts.to_string()], "there are {counted:?}");
    Ok(())
}
