//! `bowline demo`

use std::process::ExitCode;

use crate::cli::Demo;

pub(crate) async fn run(_options: Demo) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not yet")
}
