//! What one simulated business account looks like when it starts.

/// Error of a message more than 24 hours after the user's last one.
pub const OUTSIDE_WINDOW: u32 = 131_047;
/// Error of a message that cannot be delivered, such as to somebody without WhatsApp.
pub(super) const UNDELIVERABLE: u32 = 131_026;
/// Error of media that cannot be had.
pub(super) const MEDIA: u32 = 131_053;

/// The whole business account.
#[derive(Clone, Debug)]
pub struct Config {
    /// Token that calls must carry.
    pub token: String,
    /// Secret that webhooks are signed with.
    pub app_secret: String,
    /// Id of the business account.
    pub business: String,
    /// Id of the business number.
    pub phone_number_id: String,
    /// The business number as people see it.
    pub display_number: String,
    /// The name of the business that Meta has verified.
    pub verified_name: String,
    /// How long a media address is good, in milliseconds (Meta: five minutes).
    pub media_address_ms: i64,
    /// Whether webhooks name users by phone number at all, or by user id alone.
    pub numbers_hidden: bool,
    /// Messages and states that one webhook call gathers at most.
    pub batch: usize,
    /// Waits before the second and later attempts of a webhook, in milliseconds.
    pub retry_delays_ms: Vec<u64>,
    /// How long an answer to a webhook may take, in milliseconds.
    pub webhook_timeout_ms: u64,
}

impl Default for Config {
    /// One number, everything in order.
    fn default() -> Self {
        Self {
            token: "sandbox-whatsapp-token".to_owned(),
            app_secret: "sandbox-app-secret".to_owned(),
            business: "100000000000001".to_owned(),
            phone_number_id: "100000000000002".to_owned(),
            display_number: "15550003".to_owned(),
            verified_name: "Acme Support".to_owned(),
            media_address_ms: 5 * 60 * 1_000,
            numbers_hidden: false,
            batch: 10,
            retry_delays_ms: vec![250, 500, 1_000, 2_000],
            webhook_timeout_ms: 5_000,
        }
    }
}
