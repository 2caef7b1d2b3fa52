//! The only place that opens sockets outwards, and what every provider client shares.
//!
//! A provider crate builds a [`Request`], hands it to a [`Transport`] and turns the answer into a
//! [`Reply`] or an [`ApiError`]. The transport is passed in, so that tests and the simulation run
//! without a network: see [`testing::FakeTransport`].
//!
//! The one rule that the rest of the product rests on lives here: **a write whose outcome cannot
//! be known is never called a failure**. It is [`ErrorKind::UnknownOutcome`] and has to be read
//! back before it may be sent again.

pub mod endpoint;
pub mod error;
pub mod guard;
pub mod hex;
pub mod json;
pub mod limits;
pub mod mail;
pub mod multipart;
pub mod real;
pub mod stream;
pub mod testing;
pub mod time;
pub mod transport;
pub mod witness;

pub use error::{Access, ApiError, ErrorKind};
pub use guard::{Guard, Range, Refused};
pub use limits::{Limits, Reply};
pub use real::{HttpOptions, HttpTransport};
pub use stream::{Chunks, Incoming};
pub use transport::{BoxFuture, Request, Response, SendFailure, Transport};
