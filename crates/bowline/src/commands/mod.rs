//! What the commands do.

mod check;
mod check_desk;
mod check_mail;
mod check_oidc;
mod check_workspace;
mod demo;
mod events;
mod key;
mod links;
mod sandbox;
mod sends;
mod serve;
mod user;
mod when;

use std::path::Path;
use std::process::ExitCode;

use crate::config::{Config, Loaded};
use anyhow::Context as _;

use crate::cli::{Cli, Command, Configured};

/// Runs a command.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Demo(options) => demo::run(options).await,
        Command::Serve(configured) => serve::run(&configured).await,
        Command::Check {
            configured,
            secrets,
        } => check::run(&configured, secrets).await,
        Command::Links { action } => links::run(action).await,
        Command::Events { action } => events::run(action).await,
        Command::Sends { action } => sends::run(action).await,
        Command::User { action } => user::run(action).await,
        Command::Key { action } => key::run(action).await,
        Command::Sandbox(options) => sandbox::run(options).await,
        Command::Version => {
            println!("bowline {}", env!("CARGO_PKG_VERSION"));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Loads the configuration; all its problems in one error.
fn load(configured: &Configured) -> anyhow::Result<Loaded> {
    let read = |path: &Path| std::fs::read_to_string(path);
    Config::load(configured.config.as_deref(), std::env::vars(), &read).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!(
            "the configuration cannot be used:\n  {}",
            lines.join("\n  ")
        )
    })
}

/// Opens the store of a configuration for a command beside the running service.
async fn store(loaded: &Loaded) -> anyhow::Result<bowline_store::Store> {
    crate::service::open_store(&loaded.config)
        .await
        .context("looking into the store")
}
