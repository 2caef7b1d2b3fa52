//! Benchmarks as commands. Each prints a table of what was measured in this one run, on this
//! machine, most of it as ratios; none of them passes or fails. `docs/benchmarks.md` says what is
//! measured and why so.

mod contacts;
mod database;
mod delivery;
mod fanout;
mod far;
mod feedback;
mod floor;
mod growth;
mod ingest;
mod latency;
mod load;
mod machine;
mod panel;
mod percent;
mod process;
mod product;
mod seed;
mod size;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use tokio::runtime::Runtime;

use crate::database::{Databases, Kind};

/// As in the service, so that the floor has it as well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Benchmarks of Bowline.
#[derive(Debug, Parser)]
#[command(name = "bowline-bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Which databases are measured.
    #[arg(long, value_enum, default_value_t = Which::Both, global = true)]
    database: Which,
    /// A PostgreSQL server to use (`postgres://user@host/`, may create databases). Without it one
    /// is started for the run, with everything durable.
    #[arg(long, global = true)]
    postgres_url: Option<String>,
    /// Where the files go while it runs: on the disk that is to be measured.
    #[arg(long, default_value = "/tmp", global = true)]
    folder: PathBuf,
    /// The binary to measure. Without it the one of this build, brought up to date by cargo.
    #[arg(long, global = true)]
    binary: Option<PathBuf>,
    /// Short runs with rough numbers, to see that everything works.
    #[arg(long, global = true)]
    quick: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
enum Command {
    /// Deliveries taken in per second, against a floor that only stores them.
    Ingest,
    /// From delivery to note with an instant far side; and notes per second when saturated.
    Latency,
    /// One event on an issue with 10,000 conversations, at Intercom's rate limit.
    Fanout,
    /// The cost of one event with few and with many links stored.
    Growth,
    /// A full copy of a million contacts, at Intercom's rate limit and without one.
    Contacts,
    /// Memory, time to start, size of the binary.
    Size,
    /// Pages of the feedback inbox and full-text search over 1,000,000 tickets.
    Feedback,
    /// The issue panel with 1 to 200 conversations, with Intercom well, slow and dead; the pages of
    /// links and of the report over 100,000 rows.
    Panel,
    /// All of them.
    All,
    /// The floor of `ingest`, as a process of its own.
    #[command(hide = true)]
    Floor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    Sqlite,
    Postgres,
    Both,
}

/// What every benchmark needs.
pub(crate) struct Bench {
    pub(crate) runtime: Runtime,
    pub(crate) databases: Databases,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) binary: PathBuf,
    pub(crate) quick: bool,
}

impl Bench {
    /// One of two numbers: for a real run, and for a quick one.
    pub(crate) fn pick<T>(&self, real: T, quick: T) -> T {
        if self.quick { quick } else { real }
    }
}

/// What a command does.
type Run = fn(&Bench) -> anyhow::Result<()>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = if cli.command == Command::Floor {
        floor::main()
    } else {
        measure(cli)
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bowline-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(cli: Cli) -> anyhow::Result<()> {
    let kinds = match cli.database {
        Which::Sqlite => vec![Kind::Sqlite],
        Which::Postgres => vec![Kind::Postgres],
        Which::Both => vec![Kind::Sqlite, Kind::Postgres],
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    let bench = Bench {
        binary: match cli.binary {
            Some(binary) => binary,
            None => product::build()?,
        },
        databases: Databases::new(&cli.folder, cli.postgres_url)?,
        runtime,
        kinds,
        quick: cli.quick,
    };
    machine::print(&bench)?;
    let all: [(Command, Run); 8] = [
        (Command::Ingest, ingest::run),
        (Command::Latency, latency::run),
        (Command::Fanout, fanout::run),
        (Command::Growth, growth::run),
        (Command::Contacts, contacts::run),
        (Command::Size, size::run),
        (Command::Feedback, feedback::run),
        (Command::Panel, panel::run),
    ];
    for (command, run) in all {
        if cli.command == command || cli.command == Command::All {
            run(&bench)?;
        }
    }
    Ok(())
}
