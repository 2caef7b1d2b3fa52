//! What a channel account offers for a desk to be: its channels, as the provider tells of them now.

use std::time::Duration;

use bowline_domain::messaging::ids::AccountName;
use bowline_engine::channel_choice::{ChannelChoice, channels_of};
use bowline_engine::{AccountConfig, Provider};

use crate::service::Settings;

/// How long a list for a page may take to come; a slow provider does not keep the page back for
/// longer.
const LIST_DEADLINE: Duration = Duration::from_secs(5);

/// The channels of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelsOffered {
    /// Those that the provider tells of, by name.
    pub channels: Vec<ChannelChoice>,
    /// What this list is, or why there is none, in words.
    pub words: String,
    /// Did the provider answer?
    pub listed: bool,
}

impl ChannelsOffered {
    fn none(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            ..Self::default()
        }
    }
}

impl Settings {
    /// Asks the provider for the channels of an account.
    pub async fn account_channels(&self, name: &AccountName) -> ChannelsOffered {
        let Some(account) = self.account_in_use(name) else {
            return ChannelsOffered::none("Choose one of the channel accounts.");
        };
        let call = channels_of(&self.inner.transport, &account);
        match tokio::time::timeout(LIST_DEADLINE, call).await {
            Ok(Ok(Some(channels))) => ChannelsOffered {
                words: told(&account, channels.is_empty()).to_owned(),
                channels,
                listed: true,
            },
            Ok(Ok(None)) => ChannelsOffered::none(
                "The provider does not list the channels of this account, so their ids are typed.",
            ),
            Ok(Err(error)) => ChannelsOffered::none(format!(
                "The provider could not be asked for the channels: {error}. Their ids can be typed."
            )),
            Err(_) => ChannelsOffered::none(format!(
                "The provider did not answer within {} seconds. The ids of the channels can be \
                 typed.",
                LIST_DEADLINE.as_secs()
            )),
        }
    }
}

fn told(account: &AccountConfig, none: bool) -> &'static str {
    match (account.provider, none) {
        (Provider::MessageBird, false) => {
            "As MessageBird tells now: the channels of this account by which somebody wrote lately. \
             A channel by which nobody wrote yet is not among them; its id is typed."
        }
        (Provider::MessageBird, true) => {
            "MessageBird tells of a channel once somebody wrote by it, and nobody did yet. Until \
             then its id is typed; it stands in MessageBird's dashboard."
        }
        (Provider::WhatsApp, _) => "As Meta tells now.",
    }
}
