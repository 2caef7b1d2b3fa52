//! Serves one simulated Jira until it is interrupted: `cargo run -p bowline-sandbox --example jira -- [datacenter]`.
//!
//! It prints the lines `JIRA_URL=…`, `JIRA_USER=…` and `JIRA_TOKEN=…`, as the checks in `clients/` want them.

use std::net::{Ipv4Addr, SocketAddr};

use bowline_sandbox::common::page::Neighbours;
use bowline_sandbox::jira::{BOT_TOKEN, Config, start};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let data_center = std::env::args().any(|argument| argument == "datacenter");
    let config = if data_center {
        Config::data_center()
    } else {
        Config::cloud()
    };
    let bot = config
        .users
        .first()
        .map(|user| user.email.clone())
        .unwrap_or_default();
    let site = start(
        config,
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        Neighbours::new(),
    )
    .await?;
    println!(
        "JIRA_URL={}\nJIRA_USER={bot}\nJIRA_TOKEN={BOT_TOKEN}",
        site.url()
    );
    tokio::signal::ctrl_c().await?;
    site.shutdown().await;
    Ok(())
}
