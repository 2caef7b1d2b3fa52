//! Intercom: the calls that Bowline makes, the webhooks it receives, and their signatures.
//!
//! Everything that Intercom writes is read tolerantly: the shape of webhooks and of Canvas Kit
//! requests follows a version that is set in the Developer Hub of the customer's app and that no
//! header names, and the published description promises more than the live service keeps.

mod client;
mod contact;
mod error;
pub mod feedback;
mod model;
pub mod oauth;
mod profile;
mod region;
mod signature;
pub mod webhook;

pub use client::{API_VERSION, Client, DEFAULT_DEADLINE};
pub use contact::{
    BadEntry, CONTACTS_PER_PAGE_MAX, Company, CompanyPage, Contact, ContactPage, hundredths,
};
pub use model::{Attachment, Author, ContactRef, Conversation, Me, Part, State, Teammate};
pub use profile::{Attribute, AttributeOf, CompanyProfile, Profile};
pub use region::{Region, api_base, app_host};
pub use signature::verify_canvas;
