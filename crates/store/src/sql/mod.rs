//! The SQL, one file per thing that is done.

pub(crate) mod accept;
pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod bindings;
pub(crate) mod claim;
pub(crate) mod connections;
pub(crate) mod decide;
pub(crate) mod deliveries;
pub(crate) mod feedback;
pub(crate) mod lanes;
pub(crate) mod link_pages;
pub(crate) mod lookup;
pub(crate) mod people;
pub(crate) mod pulse;
pub(crate) mod readings;
pub(crate) mod retention;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod settle;
pub(crate) mod talk;
pub(crate) mod talk_lookup;
pub(crate) mod tokens;
pub(crate) mod views;
