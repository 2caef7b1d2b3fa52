//! Channel accounts and desks of both kinds in one configuration. What is declared wins.

use std::time::Duration;

use bowline_domain::ids::SiteName;
use bowline_domain::messaging::ids::{AccountName, ChannelId, DeskName};
use bowline_domain::messaging::settings::{Channels, Desk, Notifications, WindowTemplate};
use bowline_domain::settings::StatusMatch;
use bowline_engine::{AccountConfig, DeskConfig, EngineConfig, Provider};
use url::Url;

use crate::merge::{Aside, Merged};
use crate::stored::Kept;
use crate::stored_desk::{AccountSecrets, StoredAccount, StoredDesk, StoredTemplate};

/// Where MessageBird's API is.
const MESSAGEBIRD_URL: &str = "https://conversations.messagebird.com/v1";
/// Where Meta's is.
const WHATSAPP_URL: &str = "https://graph.facebook.com";

/// Adds what is kept.
pub(crate) fn add(merged: &mut Merged, kept: &Kept) {
    for (name, row, secrets) in &kept.accounts {
        match account(&merged.config, name, &row.value, secrets) {
            Ok(config) => merged.config.accounts.push(config),
            Err(aside) => merged.accounts.push((name.clone(), aside)),
        }
    }
    for (name, row) in &kept.desks {
        let config = desk(name, &row.value);
        match why_not(&merged.config, &config) {
            None => merged.config.desks.push(config),
            Some(aside) => merged.desks.push((name.clone(), aside)),
        }
    }
}

fn account(
    config: &EngineConfig,
    name: &AccountName,
    stored: &StoredAccount,
    secrets: &Result<AccountSecrets, String>,
) -> Result<AccountConfig, Aside> {
    if config.accounts.iter().any(|one| one.name == *name) {
        return Err(Aside::Declared);
    }
    let secrets = secrets
        .as_ref()
        .map_err(|why| Aside::Locked { why: why.clone() })?;
    let public_url = config.public_url.as_ref().ok_or(Aside::Address)?;
    account_config(public_url, name, stored, secrets)
}

/// An account as the engine takes it.
pub(crate) fn account_config(
    public_url: &Url,
    name: &AccountName,
    stored: &StoredAccount,
    secrets: &AccountSecrets,
) -> Result<AccountConfig, Aside> {
    let provider = stored.provider.provider();
    let api_url = stored.api_url.as_deref().unwrap_or(match provider {
        Provider::MessageBird => MESSAGEBIRD_URL,
        Provider::WhatsApp => WHATSAPP_URL,
    });
    Ok(AccountConfig {
        name: name.clone(),
        provider,
        api_url: Url::parse(api_url).map_err(|_| Aside::Address)?,
        access_key: secrets.access_key.clone(),
        signing_keys: std::iter::once(&secrets.signing_key)
            .chain(&secrets.signing_key_previous)
            .cloned()
            .collect(),
        verify_token: secrets.verify_token.clone(),
        hook_url: provider.hook_url(public_url, name.as_str()),
        register_webhook: stored.register_webhook,
        poll: Duration::from_secs(u64::from(stored.poll_seconds)),
    })
}

/// The desk of `config` that serves one of the channels of `desk`. Two desks that serve one channel
/// would make two requests of one message.
pub(crate) fn same_channel<'c>(config: &'c EngineConfig, desk: &Desk) -> Option<&'c DeskName> {
    let shares = |other: &&DeskConfig| {
        other.desk.account == desk.account
            && other.desk.name != desk.name
            && match (&other.desk.channels, &desk.channels) {
                (Channels::All, Channels::All) => true,
                (Channels::Only(theirs), Channels::Only(ours)) => {
                    ours.iter().any(|channel| theirs.contains(channel))
                }
                _ => false,
            }
    };
    config
        .desks
        .iter()
        .find(shares)
        .map(|other| &other.desk.name)
}

/// Why a desk cannot be used beside what is in use.
fn why_not(config: &EngineConfig, desk: &DeskConfig) -> Option<Aside> {
    let ours = &desk.desk;
    if config
        .desks
        .iter()
        .any(|other| other.desk.name == ours.name)
    {
        return Some(Aside::Declared);
    }
    if !config.accounts.iter().any(|one| one.name == ours.account) {
        return Some(Aside::NoAccount);
    }
    if !config.sites.iter().any(|site| site.name == ours.site) {
        return Some(Aside::NoSite);
    }
    let desk = same_channel(config, ours)?.clone();
    Some(Aside::SameChannel { desk })
}

/// A desk as the engine takes it.
pub(crate) fn desk(name: &DeskName, stored: &StoredDesk) -> DeskConfig {
    let ms = |seconds: u32| i64::from(seconds) * 1_000;
    // What is stored was read before; a word that a later version wrote matches by name.
    let status = |text: &String| {
        StatusMatch::read(text).unwrap_or_else(|_| StatusMatch::NameOrId(text.clone()))
    };
    DeskConfig {
        desk: Desk {
            name: name.clone(),
            account: AccountName::new(stored.account.as_str()),
            channels: match &stored.channels {
                None => Channels::All,
                Some(named) => {
                    Channels::Only(named.iter().map(|id| ChannelId::new(id.as_str())).collect())
                }
            },
            site: SiteName::new(stored.site.as_str()),
            notifications: Notifications {
                others: stored.tell_others,
                by_status: stored.by_status.clone(),
            },
            closing: stored.closing.iter().map(status).collect(),
            reopen_within_ms: ms(stored.reopen_within_seconds),
            quiet_ms: ms(stored.quiet_seconds),
            requests_per_hour_max: stored.requests_per_hour,
            attachments_out: stored.attachments_out,
            window_template: stored.window_template.as_ref().map(template),
        },
        service_desk: stored.service_desk.clone(),
        request_type: stored.request_type.clone(),
        reporter: stored.reporter.clone(),
        fields: stored.fields.clone(),
    }
}

fn template(stored: &StoredTemplate) -> WindowTemplate {
    WindowTemplate {
        name: stored.name.clone(),
        namespace: stored.namespace.clone(),
        language: stored.language.clone(),
        values: stored.values.clone(),
        text: stored.text.clone(),
        by_itself: stored.by_itself,
    }
}
