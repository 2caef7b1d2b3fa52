//! What the simulated platforms share: a clock, a journal of every call, faults, a sender of
//! webhooks, control routes, page furniture and a server that can really hang up.

pub mod clock;
pub mod control;
pub mod delivery;
pub mod faults;
pub mod guard;
pub mod journal;
pub(crate) mod multipart;
pub mod page;
mod port;
pub mod server;
pub mod sign;

pub use delivery::{Delivery, DeliveryLog, Disturbance, RetryPolicy, Sender};
pub use faults::{Fault, FaultKind, Faults};
pub use guard::layer;
pub use journal::{Entry, Journal};
pub use page::{Neighbours, Platform, Shell};
pub use port::lasting_address;
