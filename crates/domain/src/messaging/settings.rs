//! The settings of a desk.

use std::collections::BTreeMap;

use super::act::ApprovedMessage;
use super::ids::{AccountName, ChannelId, DeskName};
use super::language::{Language, Texts};
use crate::ids::{IssueKey, SiteName};
use crate::observation::StatusRef;
use crate::settings::StatusMatch;

/// How long messages wait for the next one where the desk is not configured any more, in
/// milliseconds: the default of a desk.
const LEFT_QUIET_MS: i64 = 3_000;

/// A desk as the planner needs it: channels of an account that feed requests of one type.
#[derive(Clone, Debug, PartialEq)]
pub struct Desk {
    /// Its name.
    pub name: DeskName,
    /// The channel account.
    pub account: AccountName,
    /// The channels that it serves.
    pub channels: Channels,
    /// The site of the service desk.
    pub site: SiteName,
    /// What the end user is told of status changes.
    pub notifications: Notifications,
    /// The language of end users of whom none is known otherwise.
    pub language: Option<Language>,
    /// What it says in languages.
    pub texts: Vec<Texts>,
    /// The statuses that end a conversation.
    pub closing: Vec<StatusMatch>,
    /// For how long after the end a new message goes on with the old request, in milliseconds.
    /// Zero: it begins a new one.
    pub reopen_within_ms: i64,
    /// How long a message waits for the next one before both are written, in milliseconds.
    pub quiet_ms: i64,
    /// Requests that one sender may begin within an hour.
    pub requests_per_hour_max: u32,
    /// Are files of the agent's sent?
    pub attachments_out: bool,
    /// What may be sent after the reply window has ended, if anything.
    pub window_template: Option<WindowTemplate>,
}

/// A message that the platform approved before: the only kind that it takes after the reply window
/// has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowTemplate {
    /// Its name at the provider.
    pub name: String,
    /// Its namespace, where the provider asks for one.
    pub namespace: Option<String>,
    /// Its language, as `en` or `en_US`.
    pub language: String,
    /// The values for the places in its text, in order; `{key}` in one is the request's key.
    pub values: Vec<String>,
    /// What it says, as far as we know, with `{{1}}` for the first value.
    pub text: Option<String>,
    /// Is it sent by itself when an answer comes too late? Else a person has it sent.
    pub by_itself: bool,
}

impl WindowTemplate {
    /// The message for one request.
    pub fn filled(&self, key: &IssueKey) -> ApprovedMessage {
        let values = self.values.iter();
        ApprovedMessage {
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            language: self.language.clone(),
            values: values
                .map(|value| value.replace("{key}", key.as_str()))
                .collect(),
        }
    }
}

/// Which channels of its account a desk serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channels {
    /// All that no other desk names.
    All,
    /// These.
    Only(Vec<ChannelId>),
}

/// What the end user is told of status changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notifications {
    /// Is it told of a status that has no line of its own?
    pub others: bool,
    /// What it is told then, if it is not the usual text.
    pub usual: Option<String>,
    /// By status: its text, or `None` to tell nothing.
    pub by_status: BTreeMap<String, Option<String>>,
}

impl Notifications {
    /// The text for a status, with `{key}` and `{status}` still in it; `None` to tell nothing.
    pub fn template<'t>(&'t self, status: &StatusRef, usual: &'t str) -> Option<&'t str> {
        let mut named = self.by_status.iter();
        match named.find(|(name, _)| status.is_named(name)) {
            Some((_, text)) => text.as_deref(),
            None => self.others.then(|| self.usual.as_deref().unwrap_or(usual)),
        }
    }
}

impl Desk {
    /// What stands for a desk that is not configured any more: what end users write goes on into
    /// their active conversations, and nothing else happens there.
    pub fn left(name: &DeskName, account: &AccountName, site: &SiteName) -> Self {
        Self {
            name: name.clone(),
            account: account.clone(),
            channels: Channels::Only(Vec::new()),
            site: site.clone(),
            notifications: Notifications {
                others: false,
                usual: None,
                by_status: BTreeMap::new(),
            },
            language: None,
            texts: Vec::new(),
            closing: Vec::new(),
            reopen_within_ms: 0,
            quiet_ms: LEFT_QUIET_MS,
            requests_per_hour_max: 0,
            attachments_out: false,
            window_template: None,
        }
    }

    /// Does a status end the conversation?
    pub fn closes(&self, status: &StatusRef) -> bool {
        self.closing.iter().any(|rule| rule.matches(status))
    }

    /// Does it serve the channel by name?
    pub fn names(&self, channel: &ChannelId) -> bool {
        matches!(&self.channels, Channels::Only(named) if named.contains(channel))
    }
}

/// The desk that serves a channel of an account: one that names it before one that takes all.
pub fn desk_of<'d>(
    desks: impl Iterator<Item = &'d Desk> + Clone,
    account: &AccountName,
    channel: &ChannelId,
) -> Option<&'d Desk> {
    let mut ours = desks.filter(|desk| desk.account == *account);
    ours.clone()
        .find(|desk| desk.names(channel))
        .or_else(|| ours.find(|desk| desk.channels == Channels::All))
}
