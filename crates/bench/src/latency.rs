//! `latency`: from delivery to note with an instant far side, at given rates; and how many notes
//! per second when deliveries come as fast as they are taken.

use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;

use crate::Bench;
use crate::database::Kind;
use crate::delivery::{BOUND, Delivery};
use crate::far::Far;
use crate::percent::{float, median, ms, per_second, percentile};
use crate::product::{Product, Sides};
use crate::table::Table;
use crate::{ingest, load, process, seed};

/// Linked issues, each with a conversation of its own.
const ISSUES: std::ops::Range<usize> = 10_000..12_000;

/// Events per second, and for how many seconds.
const PACES: [(u32, u32); 3] = [(20, 30), (50, 20), (200, 15)];

/// Events before the measurement, so that connections are open and statements prepared.
const WARM_UP: usize = 200;

/// Events of the saturated run.
const SATURATED: usize = 20_000;

/// How long the notes of a run may take after its last delivery.
const PATIENCE: Duration = Duration::from_mins(3);

/// How long late doubles are waited for.
const DOUBLES_WAIT: Duration = Duration::from_secs(2);

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    for kind in &bench.kinds {
        measure(bench, *kind)?;
    }
    Ok(())
}

fn now_ms() -> i64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or_default()
}

/// A product with linked issues and an instant far side.
pub(crate) struct Stage {
    pub(crate) far: Far,
    pub(crate) product: Product,
    sent: usize,
    issues: std::ops::Range<usize>,
}

impl Stage {
    pub(crate) fn set(
        bench: &Bench,
        kind: Kind,
    ) -> anyhow::Result<(Self, crate::database::Database)> {
        let database = bench.databases.create(kind, &bench.runtime)?;
        seed::issues(bench, &database, ISSUES, |issue| {
            vec![format!("2154{issue}")]
        })?;
        let stage = Self::on(bench, &database, ISSUES)?;
        Ok((stage, database))
    }

    /// On a database that holds the issues.
    pub(crate) fn on(
        bench: &Bench,
        database: &crate::database::Database,
        issues: std::ops::Range<usize>,
    ) -> anyhow::Result<Self> {
        let far = Far::start(bench)?;
        let product = Product::start(&bench.binary, database, &Sides::both(far.addr))?;
        let mut stage = Self {
            far,
            product,
            sent: 0,
            issues,
        };
        let warm_up = stage.deliveries(WARM_UP);
        load::all(&stage.product.target(), &warm_up)?;
        stage.all_noted()?;
        Ok(stage)
    }

    /// The next events, each about another issue in turn.
    pub(crate) fn deliveries(&mut self, count: usize) -> Vec<Delivery> {
        let first = self.sent;
        self.sent += count;
        let (start, issues, at_ms) = (self.issues.start, self.issues.len(), now_ms());
        (first..self.sent)
            .map(|number| Delivery::assigned(number, start + number % issues, BOUND, at_ms))
            .collect()
    }

    pub(crate) fn all_noted(&self) -> anyhow::Result<()> {
        self.far.wait_for(self.sent, PATIENCE)
    }

    /// From when each of the last events was due until its note came.
    pub(crate) fn since(&self, due: &[Instant]) -> anyhow::Result<Vec<Duration>> {
        (self.sent - due.len()..self.sent)
            .zip(due)
            .map(|(number, due)| {
                let came = self.far.came_at(number).context("a note is missing")?;
                Ok(came.saturating_duration_since(*due))
            })
            .collect()
    }
}

fn measure(bench: &Bench, kind: Kind) -> anyhow::Result<()> {
    let (mut stage, _database) = Stage::set(bench, kind)?;
    let mut table = Table::new(
        format!(
            "latency, {}: from delivery to note, far side answers at once",
            kind.name()
        ),
        &[
            "events per second",
            "events",
            "median",
            "p90",
            "p99",
            "worst",
            "CPU each",
        ],
    );
    for (per_second, seconds) in PACES {
        let events = (per_second * bench.pick(seconds, 2)) as usize;
        let deliveries = stage.deliveries(events);
        let cpu_before = process::cpu(stage.product.pid());
        let due = load::paced(&stage.product.target(), &deliveries, per_second)?;
        stage.all_noted()?;
        let mut took = stage.since(&due)?;
        let cpu = process::cpu(stage.product.pid()).saturating_sub(cpu_before);
        table.row([
            per_second.to_string(),
            events.to_string(),
            ms(percentile(&mut took, 50)),
            ms(percentile(&mut took, 90)),
            ms(percentile(&mut took, 99)),
            ms(percentile(&mut took, 100)),
            format!("{:.2} ms", cpu.as_secs_f64() * 1e3 / float(events)),
        ]);
    }
    table.print();
    saturated(bench, kind, &mut stage)
}

fn saturated(bench: &Bench, kind: Kind, stage: &mut Stage) -> anyhow::Result<()> {
    let floor_before = ingest::floor_rate(bench, kind)?;
    let deliveries = stage.deliveries(bench.pick(SATURATED, 2_000));
    let cpu_before = process::cpu(stage.product.pid());
    let began = Instant::now();
    let taken = load::all(&stage.product.target(), &deliveries)?;
    stage.all_noted()?;
    let took = began.elapsed();
    let cpu = process::cpu(stage.product.pid()).saturating_sub(cpu_before);
    stage.product.until_idle(PATIENCE)?;
    std::thread::sleep(DOUBLES_WAIT);
    let floor = median(&[floor_before, ingest::floor_rate(bench, kind)?]);
    let rate = per_second(deliveries.len(), took);
    let mut table = Table::new(
        format!(
            "saturated, {}: {} events as fast as they are taken",
            kind.name(),
            deliveries.len()
        ),
        &["what", "value"],
    );
    let mut row = |what: &str, value: String| table.row([what.to_owned(), value]);
    row(
        "notes per second, from the first delivery to the last note",
        format!("{rate:.0}"),
    );
    row("ratio to the ingest floor", format!("{:.3}", rate / floor));
    row("floor, deliveries per second", format!("{floor:.0}"));
    row(
        "deliveries taken per second",
        format!("{:.0}", per_second(taken.count, taken.took)),
    );
    row(
        "CPU of the service per event",
        format!("{:.2} ms", cpu.as_secs_f64() * 1e3 / float(taken.count)),
    );
    row(
        "notes that came twice, of all",
        format!("{} of {}", stage.far.doubled(), stage.far.count()),
    );
    table.print();
    Ok(())
}
