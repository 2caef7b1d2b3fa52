//! The real binary as a process of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A process that serves until it is killed.
pub(crate) struct Serving {
    child: Child,
}

/// How processes of one run are started.
pub(crate) struct Starter {
    pub(crate) config: PathBuf,
    pub(crate) log: PathBuf,
}

impl Starter {
    pub(crate) fn new(config: &Path, folder: &Path) -> Self {
        Self {
            config: config.to_owned(),
            log: folder.join("service.log"),
        }
    }

    pub(crate) fn start(&self) -> Serving {
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_bowline"))
            .arg("serve")
            .arg("--config")
            .arg(&self.config)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Serving { child }
    }
}

impl Serving {
    /// Kills it as `kill -9` does. False if it had ended by itself before.
    pub(crate) fn kill(mut self) -> bool {
        let alive = self.child.try_wait().unwrap().is_none();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        alive
    }
}

/// What `/readyz` says, if the service is ready.
pub(crate) async fn ready(client: &bowline_sandbox::common::Sender, base: &str) -> Option<Value> {
    let answer = client
        .client()
        .get(format!("{base}/readyz"))
        .send()
        .await
        .ok()?;
    if !answer.status().is_success() {
        return None;
    }
    serde_json::from_slice(&answer.bytes().await.ok()?).ok()
}
