//! `bowline sandbox`

use std::process::ExitCode;

use anyhow::Context as _;

use crate::cli::Sandbox;

/// Runs the simulated platforms until interrupted.
pub(crate) async fn run(options: Sandbox) -> anyhow::Result<ExitCode> {
    let running = bowline_sandbox::start(bowline_sandbox::Options {
        intercom_addr: options.intercom,
        jira_addr: options.jira,
        ..bowline_sandbox::Options::default()
    })
    .await
    .context("starting the simulated platforms")?;
    println!("simulated Intercom: http://{}", running.intercom.addr);
    println!("simulated Jira:     http://{}", running.jira.addr);
    tokio::signal::ctrl_c()
        .await
        .context("waiting for the end")?;
    Ok(ExitCode::SUCCESS)
}
