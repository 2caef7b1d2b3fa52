//! The real binary, as a process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::stage::Stage;

/// How long a process may take to start or to end.
pub(crate) const PROCESS_PATIENCE: Duration = Duration::from_secs(30);

fn bowline() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bowline"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BOWLINE_")) {
        command.env_remove(name);
    }
    command.kill_on_drop(true).stdin(Stdio::null());
    command
}

/// Runs a command of the binary with the world's configuration to its end.
pub(crate) async fn run(stage: &Stage, arguments: &[&str]) -> Finished {
    let mut command = bowline();
    command
        .args(arguments)
        .arg("--config")
        .arg(&stage.world.config_path);
    let output = tokio::time::timeout(PROCESS_PATIENCE, command.output()).await;
    Finished::of(&output.expect("it ends").unwrap())
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Finished {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The standard output of a command that went well.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }
}

/// `bowline serve` as a process. Killed when dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) addr: SocketAddr,
    log: PathBuf,
}

impl Serving {
    /// Starts it with the world's configuration and waits until it listens.
    pub(crate) async fn start(stage: &Stage) -> Self {
        Self::configured_by(stage, &stage.world.config_path).await
    }

    /// Starts another one beside it: with the same configuration, but for where it listens.
    pub(crate) async fn beside(stage: &Stage) -> Self {
        let text = std::fs::read_to_string(&stage.world.config_path).unwrap();
        let elsewhere = format!(
            "listen = \"{}\"",
            bowline_sandbox::common::lasting_address()
        );
        let mut lines: Vec<&str> = text.lines().collect();
        let listen = lines.iter().position(|line| line.starts_with("listen ="));
        lines[listen.unwrap()] = &elsewhere;
        let path = stage.folder.path().join("beside.toml");
        std::fs::write(&path, lines.join("\n")).unwrap();
        Self::configured_by(stage, &path).await
    }

    async fn configured_by(stage: &Stage, config: &Path) -> Self {
        let log = stage.folder.path().join("log");
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let mut command = bowline();
        command.arg("serve").arg("--config").arg(config);
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let addr = loop {
            let line = tokio::time::timeout(PROCESS_PATIENCE, lines.next_line()).await;
            let line = line.expect("it starts").unwrap();
            let line = line.unwrap_or_else(|| panic!("{}", std::fs::read_to_string(&log).unwrap()));
            if let Some((_, addr)) = line.split_once("http://") {
                break addr.trim().parse().unwrap();
            }
        };
        Self { child, addr, log }
    }

    /// Starts it and enters its webhook addresses on both platforms.
    pub(crate) async fn connected(stage: &Stage) -> Self {
        let serving = Self::start(stage).await;
        stage.world.connect_webhooks(serving.addr).await.unwrap();
        serving
    }

    /// Asks it to end, and waits until it has; gives its exit code.
    pub(crate) async fn terminate(&mut self) -> Option<i32> {
        let id = self.child.id().unwrap().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .await
                .unwrap()
                .success()
        );
        let ended = tokio::time::timeout(PROCESS_PATIENCE, self.child.wait()).await;
        ended.expect("it ends in time").unwrap().code()
    }

    /// Kills it.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// What it wrote to its log so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}
