//! `ingest`: deliveries taken in per second, each durable before its 2xx, against the floor.

use std::ops::Range;
use std::time::Duration;

use crate::Bench;
use crate::database::{Database, Kind};
use crate::delivery::{BOUND, Delivery, Target, UNBOUND};
use crate::far::Far;
use crate::load::{self, CONNECTIONS, Taken};
use crate::percent::{median, per_second};
use crate::product::{Product, Sides};
use crate::table::Table;
use crate::{floor, process, seed};

/// The issues that deliveries speak of.
pub(crate) const ISSUES: Range<usize> = 10_000..11_000;

/// How often each is measured, in turn.
const ROUNDS: usize = 3;

/// How long each is loaded each time.
const ROUND: Duration = Duration::from_secs(5);

/// How long what was taken in may take to be planned afterwards.
const DRAIN_PATIENCE: Duration = Duration::from_mins(3);

/// When deliveries are sent that an installation really gets.
const AT_MS: i64 = 1_784_541_190_000;

/// What is measured besides the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    /// Issues of the bound project that are known and have no link.
    Bound,
    /// Issues of a project that is not bound.
    Unbound,
    /// Linked issues, and the site's token is refused: deliveries are stored and wait.
    Waiting,
}

impl Case {
    const ALL: [Self; 3] = [Self::Bound, Self::Unbound, Self::Waiting];

    fn words(self) -> &'static str {
        match self {
            Self::Bound => "known issues of the bound project, no link: decided as it is stored",
            Self::Unbound => "issues of a project that is not bound: decided as it is stored",
            Self::Waiting => "linked issues, the site's token is refused: queued, planning waits",
        }
    }

    fn project(self) -> &'static str {
        if self == Self::Unbound {
            UNBOUND
        } else {
            BOUND
        }
    }
}

/// One round of one case.
struct Round {
    rate: f64,
    /// Processor time of the service per delivery, planning and all.
    cpu_us: f64,
    /// From the last answer until nothing waited.
    drain: Duration,
}

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    for kind in &bench.kinds {
        measure(bench, *kind)?;
    }
    Ok(())
}

fn measure(bench: &Bench, kind: Kind) -> anyhow::Result<()> {
    let mut floors = Vec::new();
    let mut cases: Vec<(Case, Vec<Round>)> = Case::ALL.map(|case| (case, Vec::new())).into();
    for _ in 0..bench.pick(ROUNDS, 1) {
        floors.push(floor_rate(bench, kind)?);
        for (case, rounds) in &mut cases {
            rounds.push(one(bench, kind, *case)?);
        }
    }
    let mut table = Table::new(
        format!(
            "ingest, {}: signed 4 KB deliveries over {CONNECTIONS} connections, durable before the \
             2xx; {} rounds in turn",
            kind.name(),
            floors.len()
        ),
        &[
            "what",
            "per second",
            "ratio to the floor",
            "each round",
            "CPU each",
            "drained after",
        ],
    );
    let none = || "–".to_owned();
    table.row([
        "floor: HTTP, HMAC, durable grouped insert".to_owned(),
        format!("{:.0}", median(&floors)),
        "1".to_owned(),
        none(),
        none(),
        none(),
    ]);
    for (case, rounds) in &cases {
        let rates: Vec<f64> = rounds.iter().map(|round| round.rate).collect();
        let ratios: Vec<f64> = rates
            .iter()
            .zip(&floors)
            .map(|(rate, floor)| rate / floor)
            .collect();
        let cpu: Vec<f64> = rounds.iter().map(|round| round.cpu_us).collect();
        let drained: Vec<f64> = rounds
            .iter()
            .map(|round| round.drain.as_secs_f64())
            .collect();
        let each: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
        table.row([
            case.words().to_owned(),
            format!("{:.0}", median(&rates)),
            format!("{:.2}", median(&ratios)),
            each.join(" "),
            format!("{:.0} µs", median(&cpu)),
            if *case == Case::Waiting {
                none()
            } else {
                format!("{:.1} s", median(&drained))
            },
        ]);
    }
    table.print();
    Ok(())
}

/// One round of the floor: deliveries per second.
pub(crate) fn floor_rate(bench: &Bench, kind: Kind) -> anyhow::Result<f64> {
    let database = bench.databases.create(kind, &bench.runtime)?;
    let serving = floor::start(bench, &database)?;
    let taken = load::for_a_while(
        &Target::jira(serving.addr),
        &deliveries(BOUND),
        round(bench),
    )?;
    Ok(per_second(taken.count, taken.took))
}

fn round(bench: &Bench) -> Duration {
    bench.pick(ROUND, Duration::from_secs(1))
}

fn deliveries(project: &str) -> Vec<Delivery> {
    ISSUES
        .map(|issue| Delivery::assigned(issue, issue, project, AT_MS))
        .collect()
}

fn one(bench: &Bench, kind: Kind, case: Case) -> anyhow::Result<Round> {
    let database = bench.databases.create(kind, &bench.runtime)?;
    let far = Far::start(bench)?;
    if case == Case::Waiting {
        far.refuse();
    }
    seed::issues(bench, &database, ISSUES, |issue| match case {
        Case::Waiting => vec![format!("2154{issue}")],
        Case::Bound | Case::Unbound => Vec::new(),
    })?;
    let product = Product::start(&bench.binary, &database, &Sides::both(far.addr))?;
    let cpu_before = process::cpu(product.pid());
    let taken = load::for_a_while(&product.target(), &deliveries(case.project()), round(bench))?;
    let drain = std::time::Instant::now();
    if case != Case::Waiting {
        product.until_idle(DRAIN_PATIENCE)?;
    }
    let drain = drain.elapsed();
    let cpu = process::cpu(product.pid()).saturating_sub(cpu_before);
    check(bench, &database, taken)?;
    Ok(Round {
        rate: per_second(taken.count, taken.took),
        cpu_us: cpu.as_secs_f64() * 1e6 / crate::percent::float(taken.count),
        drain,
    })
}

/// Every delivery that was answered is there, once.
fn check(bench: &Bench, database: &Database, taken: Taken) -> anyhow::Result<()> {
    let sql = "SELECT CAST(COUNT(*) AS TEXT) FROM event WHERE source = 'jira'";
    let rows = bench
        .runtime
        .block_on(bowline_store::testing::texts(&database.url, sql))?;
    let stored: Option<usize> = rows
        .into_iter()
        .flatten()
        .flatten()
        .find_map(|n| n.parse().ok());
    anyhow::ensure!(
        stored == Some(taken.count),
        "{} deliveries were answered 2xx, and {stored:?} are stored",
        taken.count
    );
    Ok(())
}
