//! Signing in elsewhere: OpenID Connect, authorization code with PKCE.
//!
//! The protocol is the library's ([`openidconnect`]); what is here is which of it we take. A browser
//! that is sent to the provider keeps one secret ([`Begun`]), and nothing is kept here meanwhile.
//! Every call goes out through the guarded transport, time is passed in.
//!
//! # Invariants
//!
//! - What comes back is good in the browser that asked, for what it asked for, once and in time.
//! - An ID token counts only with a signature by a key that the provider publishes itself; never
//!   with the client secret as the key, never without.
//! - What the provider says at its userinfo address counts only for the subject of the token.

mod begun;
mod error;
mod provider;
mod told;
mod wire;

pub use begun::{BEGUN_MS_MAX, Begun, Purpose};
pub use error::OidcError;
pub use provider::{Answer, Checked, Provider, Setup};
pub use told::Told;
