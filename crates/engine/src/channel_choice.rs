//! What a channel account offers a desk: its channels, and whether a conversation can be begun for a
//! test. Both are asked for by people, live.

use std::sync::Arc;

use bowline_domain::messaging::ids::DeskName;
use bowline_domain::messaging::settings::Channels;
use bowline_domain::messaging::text::CustomerText;
use bowline_messagebird::{ChannelId, ChannelProvider, ChannelSeen, DeliveryFailure, Identity};
use bowline_net::{ApiError, ErrorKind, Transport};

use crate::channel::words;
use crate::config::{AccountConfig, DeskConfig};
use crate::health;
use crate::pace::Priority;
use crate::registry::provider;
use crate::shared::Shared;

/// Pages that are read for a list of channels.
const PAGES_MAX: usize = 5;

/// A channel that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelChoice {
    /// The provider's id.
    pub id: String,
    /// What it is called there.
    pub name: Option<String>,
    /// The platform, for people; empty if it is not known.
    pub platform: String,
    /// Does it work there? Taken for so if it is not known.
    pub active: bool,
    /// Does the platform take a text from who begins a conversation?
    pub can_begin: bool,
}

/// Why no conversation was begun.
#[derive(Debug, thiserror::Error)]
pub enum NotBegun {
    /// There is no such desk, or its account is not in use.
    #[error("Choose one of the desks.")]
    NoDesk,
    /// The provider cannot.
    #[error(
        "This provider takes nothing but approved messages from who begins. Write to the desk from \
         that phone first."
    )]
    NotOffered,
    /// The channel cannot, or is not the desk's.
    #[error("Choose one of the channels of this desk on which a conversation can be begun.")]
    Channel,
    /// It is no number.
    #[error("This is no telephone number. Write it in its international form, as +31 6 12345678.")]
    Number,
    /// The provider refused.
    #[error("It was not sent: {0}")]
    Refused(String),
    /// Nobody knows.
    #[error(
        "It is not known whether it was sent: the provider's answer was lost ({0}). Look at the \
         phone; it is not repeated by itself."
    )]
    Unknown(String),
}

/// The channels of an account, as its provider tells of them now, by name. `None` where it does not.
///
/// # Errors
/// As the provider refuses, or is not reached.
pub async fn channels_of(
    transport: &Arc<dyn Transport>,
    account: &AccountConfig,
) -> Result<Option<Vec<ChannelChoice>>, ApiError> {
    seen(&*provider(account, transport)).await
}

async fn seen(provider: &dyn ChannelProvider) -> Result<Option<Vec<ChannelChoice>>, ApiError> {
    let Some(list) = provider.channels() else {
        return Ok(None);
    };
    let mut found: Vec<ChannelChoice> = Vec::new();
    let mut start = 0;
    for _ in 0..PAGES_MAX {
        let page = list.seen(start).await?.value;
        for one in page.items {
            if found.iter().all(|known| known.id != one.id.as_str()) {
                found.push(choice(provider, one));
            }
        }
        match page.next {
            Some(next) => start = next,
            None => break,
        }
    }
    found.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    Ok(Some(found))
}

fn choice(provider: &dyn ChannelProvider, seen: ChannelSeen) -> ChannelChoice {
    let window = provider.capabilities(&seen.platform).reply_window;
    ChannelChoice {
        id: seen.id.as_str().to_owned(),
        name: seen.name,
        platform: seen.platform.to_string(),
        active: seen.active,
        // Where there is a window for answers, only the person can open it.
        can_begin: provider.starting().is_some() && window.is_none(),
    }
}

impl Shared {
    /// The channels of a desk by which a conversation can be begun for a test. `None` where the
    /// provider cannot begin one at all. Channels that the desk names and the provider does not tell
    /// of are among them.
    ///
    /// # Errors
    /// As the provider refuses, or is not reached.
    pub async fn channels_to_begin(
        &self,
        desk: &DeskName,
    ) -> Result<Option<Vec<ChannelChoice>>, ApiError> {
        let registry = self.registry();
        let Some(config) = registry.desk(desk).map(Arc::clone) else {
            return Ok(None);
        };
        let Some(account) = registry.accounts.get(&config.desk.account) else {
            return Ok(None);
        };
        if account.provider.starting().is_none() {
            return Ok(None);
        }
        let pace = &account.standing.pace;
        pace.turn(Priority::Interactive, &*self.clock).await;
        let listed = seen(&*account.provider).await?.unwrap_or_default();
        Ok(Some(of_desk(&registry.desks, &config, listed)))
    }

    /// Sends the one test message to a number that need not have written before, by a person's word.
    /// It is no conversation of Bowline's: that begins when whoever has the phone answers.
    ///
    /// # Errors
    /// See [`NotBegun`].
    pub async fn begin_test(
        &self,
        desk: &DeskName,
        channel: &str,
        number: &str,
    ) -> Result<(), NotBegun> {
        let to = Identity::phone(number).ok_or(NotBegun::Number)?;
        let choices = self
            .channels_to_begin(desk)
            .await
            .map_err(|error| NotBegun::Refused(error.to_string()))?
            .ok_or(NotBegun::NotOffered)?;
        if !choices.iter().any(|one| one.id == channel) {
            return Err(NotBegun::Channel);
        }
        let registry = self.registry();
        let config = registry.desk(desk).ok_or(NotBegun::NoDesk)?;
        let account = registry.accounts.get(&config.desk.account);
        let account = account.ok_or(NotBegun::NoDesk)?;
        let starting = account.provider.starting().ok_or(NotBegun::NotOffered)?;
        let pace = &account.standing.pace;
        pace.turn(Priority::Interactive, &*self.clock).await;
        let text = CustomerText::test_message();
        let channel = ChannelId::new(channel);
        match starting.start(&channel, &to, text.as_str()).await {
            Ok(reply) => {
                pace.learn(&reply.limits);
                Ok(())
            }
            Err(error) => {
                pace.failed();
                health::take_in(self, &account.standing, &error).await;
                Err(not_begun(account.provider.name(), &error))
            }
        }
    }
}

fn not_begun(provider: bowline_messagebird::ProviderName, error: &ApiError) -> NotBegun {
    if error.kind == ErrorKind::UnknownOutcome {
        return NotBegun::Unknown(error.to_string());
    }
    let failure = DeliveryFailure::of_refusal(provider, error);
    NotBegun::Refused(failure.map_or_else(|| error.to_string(), |failure| words::failure(&failure)))
}

/// Those that the desk serves and that can be begun by.
fn of_desk(
    desks: &[Arc<DeskConfig>],
    config: &DeskConfig,
    listed: Vec<ChannelChoice>,
) -> Vec<ChannelChoice> {
    let named_by = |config: &DeskConfig| match &config.desk.channels {
        Channels::All => Vec::new(),
        Channels::Only(named) => named.iter().map(ToString::to_string).collect(),
    };
    let named = named_by(config);
    let others: Vec<String> = desks
        .iter()
        .filter(|other| other.desk.account == config.desk.account)
        .filter(|other| other.desk.name != config.desk.name)
        .flat_map(|other| named_by(other))
        .collect();
    let all = config.desk.channels == Channels::All;
    let serves = |id: &String| named.contains(id) || all && !others.contains(id);
    let unlisted = named
        .iter()
        .filter(|id| listed.iter().all(|one| one.id != **id));
    let unlisted: Vec<ChannelChoice> = unlisted
        .map(|id| ChannelChoice {
            id: id.clone(),
            name: None,
            platform: String::new(),
            active: true,
            can_begin: true,
        })
        .collect();
    listed
        .into_iter()
        .filter(|one| one.can_begin && one.active && serves(&one.id))
        .chain(unlisted)
        .collect()
}
