//! Runs the simulated platforms until interrupted, for clients that others wrote:
//! `cargo run -p bowline-sandbox --example run -- [--intercom ADDR] [--jira ADDR]`.
//!
//! It prints lines `NAME=VALUE` (`INTERCOM_URL`, `INTERCOM_TOKEN`, `JIRA_URL`, `JIRA_USER`,
//! `JIRA_TOKEN`, and the same for a Data Center site as `DATACENTER_…`), then `ready`.

use std::error::Error;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

use bowline_sandbox::common::page::Neighbours;
use bowline_sandbox::jira::{BOT_TOKEN, Config};
use bowline_sandbox::{Options, jira, start};

/// Calls that the simulated Intercom allows in ten seconds: fewer than the real one, so that a
/// client meets the end of a window soon.
const INTERCOM_CALLS_PER_10S: u32 = 300;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options::default();
    options.intercom.rate_limit_per_10s = Some(INTERCOM_CALLS_PER_10S);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let address = arguments
            .next()
            .ok_or("an address must follow")?
            .parse::<SocketAddr>()?;
        match name.as_str() {
            "--intercom" => options.intercom_addr = address,
            "--jira" => options.jira_addr = address,
            other => return Err(format!("unknown: {other}").into()),
        }
    }
    let intercom_token = options.intercom.access_token.clone();
    let bot = options.jira.users[0].email.clone();
    let running = start(options).await?;
    let data_center = jira::start(
        Config::data_center(),
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        Neighbours::new(),
    )
    .await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "INTERCOM_URL={}", running.intercom.url())?;
    writeln!(out, "INTERCOM_TOKEN={intercom_token}")?;
    writeln!(out, "JIRA_URL={}", running.jira.url())?;
    writeln!(out, "JIRA_USER={bot}")?;
    writeln!(out, "JIRA_TOKEN={BOT_TOKEN}")?;
    writeln!(out, "DATACENTER_JIRA_URL={}", data_center.url())?;
    writeln!(out, "DATACENTER_JIRA_TOKEN={BOT_TOKEN}")?;
    writeln!(out, "ready")?;
    out.flush()?;
    drop(out);
    tokio::signal::ctrl_c().await?;
    Ok(())
}
