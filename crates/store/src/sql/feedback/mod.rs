//! Products, tickets and what people do with them.

pub(crate) mod backfill;
pub(crate) mod capture;
pub(crate) mod files;
pub(crate) mod group;
pub(crate) mod list;
pub(crate) mod person;
pub(crate) mod products;
pub(crate) mod search;
pub(crate) mod triage;
pub(crate) mod views;
