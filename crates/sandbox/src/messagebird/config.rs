//! What one simulated MessageBird account looks like when it starts.

/// Platform of a WhatsApp channel.
pub const WHATSAPP: &str = "whatsapp";
/// Platform of an SMS channel.
pub const SMS: &str = "sms";

/// Which signature webhooks carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// `MessageBird-Signature-JWT`.
    Jwt,
    /// The deprecated `MessageBird-Signature` and `MessageBird-Request-Timestamp`.
    Hmac,
    /// Both, as accounts in between have it.
    Both,
    /// None at all.
    None,
}

/// One channel of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Id, 32 hexadecimal digits.
    pub id: String,
    /// Name in the dashboard.
    pub name: String,
    /// `whatsapp`, `sms`, `telegram`, ...
    pub platform: String,
    /// The channel's own number or address.
    pub address: String,
    /// `active`, or why it is not.
    pub status: String,
}

impl Channel {
    /// An active channel.
    pub fn new(id: &str, name: &str, platform: &str, address: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            platform: platform.to_owned(),
            address: address.to_owned(),
            status: "active".to_owned(),
        }
    }
}

/// One approved WhatsApp template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Name.
    pub name: String,
    /// Language code.
    pub language: String,
    /// Text, with `{{1}}`, `{{2}}` ... for the parameters.
    pub body: String,
}

impl Template {
    /// The text with these parameters.
    pub(super) fn fill(&self, parameters: &[&str]) -> String {
        let numbered = (1_usize..).zip(parameters);
        numbered.fold(self.body.clone(), |text, (number, value)| {
            text.replace(&format!("{{{{{number}}}}}"), value)
        })
    }
}

/// The whole account.
#[derive(Clone, Debug)]
pub struct Config {
    /// The key that calls must carry.
    pub access_key: String,
    /// The key that webhooks are signed with.
    pub signing_key: String,
    /// Which signature they carry.
    pub signature: Signature,
    /// Channels.
    pub channels: Vec<Channel>,
    /// Approved WhatsApp templates.
    pub templates: Vec<Template>,
    /// Calls per second before 429; `None` is no limit. The real numbers are not published.
    pub calls_per_second: Option<u32>,
    /// How long media stays fetchable, in milliseconds.
    pub media_lifetime_ms: i64,
    /// What expired media gets: 404 or 410.
    pub expired_media_status: u16,
    /// Waits before the second and later attempts of a webhook, in milliseconds. The real schedule
    /// is not published.
    pub retry_delays_ms: Vec<u64>,
    /// How long an answer to a webhook may take, in milliseconds.
    pub webhook_timeout_ms: u64,
    /// Webhook addresses that begin with the first are called at the second instead; the signature
    /// is made for the first, as behind a proxy.
    pub reroute: Vec<(String, String)>,
    /// Whether messages tell the time in whole seconds, as some recorded ones do.
    pub whole_seconds: bool,
}

impl Default for Config {
    /// A WhatsApp and an SMS channel, JWT signatures, no limit.
    fn default() -> Self {
        Self {
            access_key: "sandbox-access-key".to_owned(),
            signing_key: "sandbox-signing-key".to_owned(),
            signature: Signature::Jwt,
            channels: vec![
                Channel::new(
                    "c0ffee00000040008000000000000001",
                    "WhatsApp support",
                    WHATSAPP,
                    "+15550001",
                ),
                Channel::new(
                    "c0ffee00000040008000000000000002",
                    "Text line",
                    SMS,
                    "+15550002",
                ),
            ],
            templates: vec![
                Template {
                    name: "reopen".to_owned(),
                    language: "en".to_owned(),
                    body: "There is news about {{1}}. Answer to hear it.".to_owned(),
                },
                Template {
                    name: "reopen".to_owned(),
                    language: "de".to_owned(),
                    body: "Es gibt Neues zu {{1}}. Antworten Sie, um es zu hören.".to_owned(),
                },
            ],
            calls_per_second: None,
            media_lifetime_ms: 24 * 60 * 60 * 1_000,
            expired_media_status: 404,
            retry_delays_ms: vec![250, 500, 1_000, 2_000],
            webhook_timeout_ms: 5_000,
            reroute: Vec::new(),
            whole_seconds: false,
        }
    }
}
