//! The product as people run it: the real binary, serving in a process of its own.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::database::Database;
use crate::delivery::{BOUND, SECRET, SITE, Target};
use crate::load::Line;

/// The workspace's name in the configuration.
pub(crate) const WORKSPACE: &str = "acme";

/// What tokens of frames are signed with.
pub(crate) const FRAME_SECRET: &str = "a-secret-of-the-benchmark-for-frames";

/// How long a process may take to be ready before the run is given up.
const READY_PATIENCE: Duration = Duration::from_mins(1);

/// How often it is asked how it is.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// Brings the binary up to date with this build, and says where it is.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("finding this program")?;
    let binary = own.with_file_name("bowline");
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut command = Command::new(cargo);
        command.args(["build", "--quiet", "-p", "bowline", "--bin", "bowline"]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        ensure!(
            command.status().context("running cargo")?.success(),
            "cargo could not build bowline"
        );
    }
    ensure!(
        binary.exists(),
        "{} is missing: build it in the same way as this program, or name another with --binary",
        binary.display()
    );
    Ok(binary)
}

/// Where the product finds the other sides.
pub(crate) struct Sides {
    pub(crate) jira: SocketAddr,
    pub(crate) intercom: SocketAddr,
    pub(crate) access_token: String,
}

impl Sides {
    /// Both at one address.
    pub(crate) fn both(addr: SocketAddr) -> Self {
        Self {
            jira: addr,
            intercom: addr,
            access_token: "a-token-of-the-benchmark".to_owned(),
        }
    }
}

/// A process that serves. Killed when it is dropped.
pub(crate) struct Serving {
    child: Child,
    /// Where it listens.
    pub(crate) addr: SocketAddr,
}

impl Serving {
    /// Starts a program that says on its standard output where it listens.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", command.get_program().display()))?;
        let stdout = child.stdout.take().context("the program has no output")?;
        let mut lines = BufReader::new(stdout);
        let mut said = String::new();
        while lines
            .read_line(&mut said)
            .context("listening to the program")?
            > 0
        {
            let addr = said
                .lines()
                .last()
                .and_then(|line| line.rsplit_once("http://"));
            if let Some(addr) = addr.and_then(|(_, addr)| addr.trim().parse().ok()) {
                // What else it says must go somewhere, or it would stop for it.
                thread::spawn(move || lines.read_to_end(&mut Vec::new()));
                return Ok(Self { child, addr });
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        bail!(
            "{} ended without serving: {said}",
            command.get_program().display()
        );
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The running product.
pub(crate) struct Product {
    serving: Serving,
}

/// How the product says it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) events_waiting: u64,
    pub(crate) effects_waiting: u64,
    pub(crate) connected: bool,
}

impl Product {
    /// Starts the binary and waits until it is ready and knows how its connections are.
    pub(crate) fn start(binary: &Path, database: &Database, sides: &Sides) -> anyhow::Result<Self> {
        let product = Self::start_unprobed(binary, database, sides)?;
        product.until(READY_PATIENCE, |standing| standing.connected)?;
        Ok(product)
    }

    /// Starts the binary and waits until `/readyz` answers, and no longer.
    pub(crate) fn start_unprobed(
        binary: &Path,
        database: &Database,
        sides: &Sides,
    ) -> anyhow::Result<Self> {
        let mut command = serve(binary, database, sides)?;
        let serving = Serving::start(&mut command)
            .with_context(|| fs::read_to_string(log_path(database)).unwrap_or_default())?;
        let product = Self { serving };
        product.until(READY_PATIENCE, |_| true)?;
        Ok(product)
    }

    /// Starts the binary with the copying of contacts switched on, and waits until it is ready.
    pub(crate) fn start_copying(
        binary: &Path,
        database: &Database,
        sides: &Sides,
    ) -> anyhow::Result<Self> {
        let mut command = serve(binary, database, sides)?;
        command.env("BOWLINE_CONTACT_SYNC__ACME__WORKSPACE", WORKSPACE);
        let serving = Serving::start(&mut command)
            .with_context(|| fs::read_to_string(log_path(database)).unwrap_or_default())?;
        Ok(Self { serving })
    }

    /// Starts the binary with the panel in frames, and waits until it is ready and knows how its
    /// connections are.
    pub(crate) fn start_framed(
        binary: &Path,
        database: &Database,
        sides: &Sides,
    ) -> anyhow::Result<Self> {
        let mut command = serve(binary, database, sides)?;
        command.env("BOWLINE_PANEL__FRAME_HOSTS", "https://acme.example.com");
        command.env("BOWLINE_PANEL__TOKEN_SECRET", FRAME_SECRET);
        let serving = Serving::start(&mut command)
            .with_context(|| fs::read_to_string(log_path(database)).unwrap_or_default())?;
        let product = Self { serving };
        product.until(READY_PATIENCE, |standing| standing.connected)?;
        Ok(product)
    }

    pub(crate) fn target(&self) -> Target {
        Target::jira(self.serving.addr)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.serving.pid()
    }

    /// How it is; `None` while it is not ready.
    fn standing(&self) -> anyhow::Result<Option<Standing>> {
        let request = format!(
            "GET /readyz HTTP/1.1\r\nhost: {}\r\n\r\n",
            self.serving.addr
        );
        // A connection of its own each time: one that is not used for long is closed.
        let mut line = Line::open(&self.target())?;
        let (status, body) = line.ask(request.as_bytes())?;
        if status != 200 {
            return Ok(None);
        }
        let said: Value = serde_json::from_slice(body).context("reading /readyz")?;
        let number = |name: &str| said.get(name).and_then(Value::as_u64).unwrap_or(u64::MAX);
        let healths = said.get("connections").and_then(Value::as_object);
        Ok(Some(Standing {
            events_waiting: number("events_waiting"),
            effects_waiting: number("effects_waiting"),
            connected: healths.is_some_and(|all| {
                all.len() >= 2 && all.values().all(|health| health != "unchecked")
            }),
        }))
    }

    /// Asks how it is until that is good.
    pub(crate) fn until(
        &self,
        patience: Duration,
        good: impl Fn(Standing) -> bool,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + patience;
        loop {
            let standing = self.standing()?;
            if standing.is_some_and(&good) {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "still not as wanted: {standing:?}"
            );
            thread::sleep(ASK_EVERY);
        }
    }

    /// Waits until nothing waits in it.
    pub(crate) fn until_idle(&self, patience: Duration) -> anyhow::Result<()> {
        self.until(patience, |standing| {
            standing.events_waiting + standing.effects_waiting == 0
        })
    }
}

fn log_path(database: &Database) -> PathBuf {
    database.folder.path().join("bowline.log")
}

/// The command that serves, with its configuration written and its log going to a file, as on a
/// real machine.
pub(crate) fn serve(binary: &Path, database: &Database, sides: &Sides) -> anyhow::Result<Command> {
    let path = database.folder.path().join("bowline.toml");
    fs::write(&path, config(database, sides)).context("writing the configuration")?;
    let log = File::create(log_path(database)).context("making the log file")?;
    let mut command = Command::new(binary);
    command.arg("serve").arg("--config").arg(&path).stderr(log);
    Ok(command)
}

/// The defaults, but for the breaker: a benchmark is the flood that it is there to stop.
fn config(database: &Database, sides: &Sides) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\n\
         public_url = \"https://bowline.example.com\"\n\
         data_dir = \"{folder}\"\n\
         database_url = \"{url}\"\n\
         [limits]\n\
         hops_per_link_hour = 100000\n\
         [[site]]\n\
         name = \"{SITE}\"\n\
         kind = \"cloud\"\n\
         url = \"https://acme.example.com\"\n\
         api_url = \"http://{jira}\"\n\
         email = \"bot@example.com\"\n\
         token = \"a-token-of-the-benchmark\"\n\
         webhook_secret = \"{SECRET}\"\n\
         [[workspace]]\n\
         name = \"{WORKSPACE}\"\n\
         region = \"us\"\n\
         api_url = \"http://{intercom}\"\n\
         access_token = \"{token}\"\n\
         client_secret = \"a-client-secret-of-the-benchmark\"\n\
         [[binding]]\n\
         site = \"{SITE}\"\n\
         project = \"{BOUND}\"\n\
         workspace = \"{WORKSPACE}\"\n",
        folder = database.folder.path().display(),
        url = database.url,
        jira = sides.jira,
        intercom = sides.intercom,
        token = sides.access_token,
    )
}
