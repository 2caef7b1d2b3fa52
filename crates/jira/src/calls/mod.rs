//! The calls, by what they are about.

pub(crate) mod admin;
pub(crate) mod create;
pub(crate) mod fields;
pub(crate) mod files;
pub(crate) mod issues;
pub(crate) mod links;
pub(crate) mod projects;
pub(crate) mod search;
pub(crate) mod service_desk;
