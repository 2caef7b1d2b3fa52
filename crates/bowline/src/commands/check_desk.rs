//! `bowline check` of channel accounts and desks.

use std::sync::Arc;

use crate::config::{ChannelAccount, ChannelProvider, Config, Desk, DeskChannels};
use crate::desk_config;
use bowline_jira::Client as Jira;
use bowline_messagebird::conversations::MessageBird;
use bowline_messagebird::whatsapp::{Secrets, WhatsApp};
use bowline_messagebird::{ChannelId, ChannelProvider as _};
use bowline_net::Transport;

use super::check::Report;

/// Checks the key of an account, and says what to enter at the provider.
pub(super) async fn check_account(
    config: &Config,
    account: &ChannelAccount,
    transport: &Arc<dyn Transport>,
    report: &mut Report,
) {
    println!("\nChannel account {} ({})", account.name, account.api_url);
    let base = config.public_url.as_str().trim_end_matches('/');
    let (seen, path) = match account.provider {
        ChannelProvider::MessageBird => {
            let provider = MessageBird::new(
                Arc::clone(transport),
                &account.api_url,
                account.access_key.clone(),
                vec![account.signing_key.clone()],
            );
            (provider.check(None).await, "messagebird")
        }
        ChannelProvider::WhatsApp => {
            let secrets = Secrets {
                access_token: account.access_key.clone(),
                app_secrets: vec![account.signing_key.clone()],
                verify_token: account
                    .verify_token
                    .clone()
                    .unwrap_or_else(|| String::new().into()),
            };
            let provider = WhatsApp::new(Arc::clone(transport), account.api_url.clone(), secrets);
            let channel = first_channel(config, account);
            (provider.check(channel.as_ref()).await, "whatsapp")
        }
    };
    match seen {
        Ok(reply) => match reply.value.name {
            Some(name) => Report::good(&format!("the key works, for {name}")),
            None => Report::good("the key works"),
        },
        Err(error) => report.bad(
            "the key",
            &format!("{error}. Take the access key from the provider's dashboard."),
        ),
    }
    if account.provider == ChannelProvider::MessageBird && account.register_webhook {
        println!("  Bowline registers its webhook by itself:");
    } else {
        println!("  To enter as webhook at the provider:");
    }
    println!("    URL      {base}/hooks/{path}/{}", account.name);
}

fn first_channel(config: &Config, account: &ChannelAccount) -> Option<ChannelId> {
    config
        .desks
        .iter()
        .filter(|desk| desk.account == account.name)
        .find_map(|desk| match &desk.channels {
            DeskChannels::Only(named) => named.first().map(|id| ChannelId::new(id.as_str())),
            DeskChannels::All => None,
        })
}

/// Checks that requests of the desk's type can be made as it is configured.
pub(super) async fn check_desk(jira: &Jira, desk: &Desk, report: &mut Report) {
    let what = format!("desk {}", desk.name);
    for finding in bowline_engine::desk::check(jira, &desk_config(desk)).await {
        if finding.good {
            Report::good(&format!("{what}: {}", finding.words));
        } else {
            report.bad(&what, &finding.words);
        }
    }
}
