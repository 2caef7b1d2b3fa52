//! Runs both simulated platforms until it is interrupted:
//! `cargo run -p bowline-sandbox --example run -- [INTERCOM_ADDRESS [JIRA_ADDRESS [RATE_LIMIT]]]`.

use std::net::SocketAddr;

use bowline_sandbox::{Options, start};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut options = Options::default();
    if let Some(address) = arguments.next() {
        options.intercom_addr = address.parse::<SocketAddr>()?;
    }
    if let Some(address) = arguments.next() {
        options.jira_addr = address.parse::<SocketAddr>()?;
    }
    if let Some(limit) = arguments.next() {
        options.intercom.rate_limit_per_10s = Some(limit.parse()?);
    }
    let token = options.intercom.access_token.clone();
    let running = start(options).await?;
    println!("intercom http://{} token {token}", running.intercom.addr);
    println!("jira http://{}", running.jira.addr);
    tokio::signal::ctrl_c().await?;
    Ok(())
}
