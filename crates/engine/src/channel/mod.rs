//! From a provider's webhook to stored events, and from the provider's words to ours.

mod ingress;
pub mod people;
mod unserved;
pub(crate) mod watch;
pub(crate) mod words;

pub use bowline_messagebird::SetupCheck;
pub(crate) use ingress::Carried;
pub use ingress::ChannelDelivery;
