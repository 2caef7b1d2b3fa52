//! `size`: memory, time to start, size of the binary.

use std::time::{Duration, Instant};

use crate::Bench;
use crate::database::Kind;
use crate::far::Far;
use crate::latency::Stage;
use crate::load;
use crate::percent::{ms, percentile};
use crate::process::{memory, mib};
use crate::product::{Product, Sides};
use crate::table::Table;

/// Starts that are measured, on a new database and on one that is there.
const STARTS: usize = 10;

/// How long the process does nothing before its idle memory is read.
const IDLE: Duration = Duration::from_secs(5);

/// Events of the load.
const EVENTS: usize = 20_000;

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    let bytes = std::fs::metadata(&bench.binary)?.len();
    let mut table = Table::new(
        format!("size: binary of {}", mib(bytes)),
        &[
            "database",
            "idle",
            "of it anonymous",
            "peak under load",
            "after load",
            "ready, new database",
            "ready, existing database",
        ],
    );
    for kind in &bench.kinds {
        table.row(measure(bench, *kind)?);
    }
    table.print();
    Ok(())
}

fn measure(bench: &Bench, kind: Kind) -> anyhow::Result<[String; 7]> {
    let far = Far::start(bench)?;
    let sides = Sides::both(far.addr);
    let (mut new, mut existing) = (Vec::new(), Vec::new());
    for _ in 0..bench.pick(STARTS, 2) {
        let database = bench.databases.create(kind, &bench.runtime)?;
        for times in [&mut new, &mut existing] {
            let began = Instant::now();
            let product = Product::start_unprobed(&bench.binary, &database, &sides)?;
            times.push(began.elapsed());
            drop(product);
        }
    }
    let database = bench.databases.create(kind, &bench.runtime)?;
    let product = Product::start(&bench.binary, &database, &sides)?;
    std::thread::sleep(bench.pick(IDLE, Duration::from_secs(1)));
    let idle = memory(product.pid());
    drop(product);

    let (mut stage, _database) = Stage::set(bench, kind)?;
    let deliveries = stage.deliveries(bench.pick(EVENTS, 2_000));
    load::all(&stage.product.target(), &deliveries)?;
    stage.all_noted()?;
    std::thread::sleep(bench.pick(IDLE, Duration::from_secs(1)));
    let loaded = memory(stage.product.pid());
    Ok([
        kind.name().to_owned(),
        mib(idle.resident),
        mib(idle.anonymous),
        mib(loaded.peak),
        mib(loaded.resident),
        ms(percentile(&mut new, 50)),
        ms(percentile(&mut existing, 50)),
    ])
}
