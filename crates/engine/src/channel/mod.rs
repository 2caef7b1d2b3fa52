//! From a provider's webhook to stored events, and from the provider's words to ours.

mod ingress;
pub(crate) mod words;

pub use ingress::ChannelDelivery;
pub(crate) use ingress::{Carried, event_of};
