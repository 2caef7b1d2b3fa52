//! `growth`: what one event costs with few and with many links stored.

use std::ops::Range;
use std::time::Duration;

use crate::Bench;
use crate::database::{Database, Kind};
use crate::latency::Stage;
use crate::percent::{float, ms, percentile};
use crate::table::Table;
use crate::{load, process, seed};

/// The issues that events are about, each with one link.
const TOLD: Range<usize> = 10_000..10_200;

/// Where the other issues begin, and how many links each of them has.
const OTHERS_FROM: usize = 1_000_000;
const LINKS_EACH: usize = 20;

/// Links in all.
const FEW: usize = 1_000;
const MANY: usize = 1_000_000;

/// Events per second, per turn, and turns of each.
const PER_SECOND: u32 = 50;
const PER_TURN: usize = 250;
const TURNS: usize = 4;

/// What was measured with one number of links.
#[derive(Default)]
struct Cost {
    took: Vec<Duration>,
    cpu: Duration,
}

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    for kind in &bench.kinds {
        measure(bench, *kind)?;
    }
    Ok(())
}

fn filled(bench: &Bench, kind: Kind, links: usize) -> anyhow::Result<Database> {
    let database = bench.databases.create(kind, &bench.runtime)?;
    seed::issues(bench, &database, TOLD, |issue| vec![format!("2154{issue}")])?;
    let others = OTHERS_FROM..OTHERS_FROM + links.saturating_sub(TOLD.len()) / LINKS_EACH;
    seed::issues(bench, &database, others, |issue| {
        (0..LINKS_EACH)
            .map(|link| format!("3{issue}{link:02}"))
            .collect()
    })?;
    Ok(database)
}

fn measure(bench: &Bench, kind: Kind) -> anyhow::Result<()> {
    let many = bench.pick(MANY, 20_000);
    let databases = [filled(bench, kind, FEW)?, filled(bench, kind, many)?];
    let mut costs = [Cost::default(), Cost::default()];
    let mut stages = [
        Stage::on(bench, &databases[0], TOLD)?,
        Stage::on(bench, &databases[1], TOLD)?,
    ];
    // In turns, so that whatever else the machine does meets both.
    for _ in 0..bench.pick(TURNS, 1) {
        for (stage, cost) in stages.iter_mut().zip(&mut costs) {
            let deliveries = stage.deliveries(PER_TURN);
            let cpu_before = process::cpu(stage.product.pid());
            let due = load::paced(&stage.product.target(), &deliveries, PER_SECOND)?;
            stage.all_noted()?;
            cost.cpu += process::cpu(stage.product.pid()).saturating_sub(cpu_before);
            cost.took.extend(stage.since(&due)?);
        }
    }
    let [few_cost, many_cost] = &mut costs;
    let mut table = Table::new(
        format!(
            "growth, {}: one event planned and noted, {PER_SECOND} per second",
            kind.name()
        ),
        &[
            "links stored",
            "median",
            "p99",
            "CPU of the service per event",
        ],
    );
    for (links, cost) in [(FEW, &mut *few_cost), (many, &mut *many_cost)] {
        let per_event = cost.cpu.as_secs_f64() * 1e3 / float(cost.took.len());
        table.row([
            links.to_string(),
            ms(percentile(&mut cost.took, 50)),
            ms(percentile(&mut cost.took, 99)),
            format!("{per_event:.2} ms"),
        ]);
    }
    let ratio = |many: Duration, few: Duration| {
        format!(
            "{:.2}",
            many.as_secs_f64() / few.as_secs_f64().max(f64::EPSILON)
        )
    };
    table.row([
        "ratio".to_owned(),
        ratio(
            percentile(&mut many_cost.took, 50),
            percentile(&mut few_cost.took, 50),
        ),
        ratio(
            percentile(&mut many_cost.took, 99),
            percentile(&mut few_cost.took, 99),
        ),
        ratio(many_cost.cpu, few_cost.cpu),
    ]);
    table.print();
    Ok(())
}
