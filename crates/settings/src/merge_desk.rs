//! Channel accounts and desks of both kinds in one configuration. What is declared wins.

use std::time::Duration;

use bowline_domain::ids::SiteName;
use bowline_domain::messaging::ids::{AccountName, ChannelId, DeskName};
use bowline_domain::messaging::language::Language;
use bowline_domain::messaging::settings::{Channels, Desk, Notifications, WindowTemplate};
use bowline_domain::settings::StatusMatch;
use bowline_engine::{AccountConfig, DeskConfig, EngineConfig, Provider};
use url::Url;

use crate::desk_texts::StoredTexts;
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
                usual: stored.usual.clone(),
                by_status: stored.by_status.clone(),
            },
            language: stored.language.as_deref().and_then(Language::read),
            texts: stored.texts.iter().filter_map(StoredTexts::texts).collect(),
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

pub(crate) fn template(stored: &StoredTemplate) -> WindowTemplate {
    WindowTemplate {
        name: stored.name.clone(),
        namespace: stored.namespace.clone(),
        language: stored.language.clone(),
        values: stored.values.clone(),
        text: stored.text.clone(),
        by_itself: stored.by_itself,
    }
}

#[cfg(test)]
mod tests {
    use bowline_domain::time::Millis;

    use super::*;
    use crate::merge::merge;
    use crate::stored::Versioned;

    fn row<T>(value: T) -> Versioned<T> {
        Versioned {
            value,
            version: 1,
            changed_at: Millis(0),
            changed_by: "Olive".to_owned(),
        }
    }

    fn secrets() -> AccountSecrets {
        AccountSecrets {
            access_key: "key".to_owned().into(),
            signing_key: "signing".to_owned().into(),
            signing_key_previous: None,
            verify_token: None,
        }
    }

    fn stored(channels: Option<&[&str]>) -> StoredDesk {
        StoredDesk {
            account: "bird".to_owned(),
            channels: channels.map(|named| named.iter().map(|id| (*id).to_owned()).collect()),
            site: "jira".to_owned(),
            ..StoredDesk::default()
        }
    }

    /// An account that is kept, and a site that is declared.
    fn both(desks: &[(&str, Option<&[&str]>)]) -> (EngineConfig, Kept) {
        let mut kept = Kept::default();
        let account = row(StoredAccount::default());
        kept.accounts
            .push((AccountName::new("bird"), account, Ok(secrets())));
        for (name, channels) in desks {
            kept.desks
                .push((DeskName::new(*name), row(stored(*channels))));
        }
        let url = Url::parse("https://jira.example.com/").unwrap();
        let site = bowline_engine::SiteConfig {
            name: SiteName::new("jira"),
            deployment: bowline_engine::Deployment::Cloud,
            api_url: url.clone(),
            url,
            email: None,
            token: "token".to_owned().into(),
            webhook_secrets: Vec::new(),
            notify_token: None,
            poll: Duration::from_mins(1),
        };
        let config = EngineConfig {
            sites: vec![site],
            public_url: Url::parse("https://bowline.example.com/at/").ok(),
            ..EngineConfig::default()
        };
        (config, kept)
    }

    fn aside(merged: &Merged) -> Vec<(&str, &Aside)> {
        let desks = merged.desks.iter();
        desks.map(|(name, why)| (name.as_str(), why)).collect()
    }

    #[test]
    fn what_is_kept_is_used() {
        let one: &[&str] = &["one"];
        let (config, kept) = both(&[("rest", None), ("some", Some(one))]);
        let merged = merge(&config, &kept);
        assert_eq!(merged.config.desks.len(), 2);
        let account = &merged.config.accounts[0];
        assert_eq!(account.api_url.as_str(), MESSAGEBIRD_URL);
        assert_eq!(
            account.hook_url.as_str(),
            "https://bowline.example.com/at/hooks/messagebird/bird"
        );
        let ours = merged.config.desks[0].desk.clone();
        assert_eq!(same_channel(&merged.config, &ours), None);
    }

    #[test]
    fn a_channel_has_one_desk_and_the_declared_one_wins() {
        let one: &[&str] = &["one"];
        let (mut config, kept) = both(&[("rest", None), ("some", Some(one))]);
        for (name, channels) in [("declared", Some(one)), ("rest", Some(&["two"]))] {
            config
                .desks
                .push(desk(&DeskName::new(name), &stored(channels)));
        }
        let merged = merge(&config, &kept);
        let other = DeskName::new("declared");
        assert_eq!(
            aside(&merged),
            [
                ("rest", &Aside::Declared),
                ("some", &Aside::SameChannel { desk: other })
            ]
        );
    }

    #[test]
    fn without_its_account_or_site_a_desk_waits() {
        let (config, mut kept) = both(&[("rest", None)]);
        kept.accounts[0].2 = Err("the key is gone".to_owned());
        let merged = merge(&config, &kept);
        assert_eq!(aside(&merged), [("rest", &Aside::NoAccount)]);
        assert!(matches!(merged.accounts[0].1, Aside::Locked { .. }));
        let (mut config, kept) = both(&[("rest", None)]);
        config.sites.clear();
        assert_eq!(aside(&merge(&config, &kept)), [("rest", &Aside::NoSite)]);
    }
}
