//! The SQL, one file per thing that is done.

pub(crate) mod accept;
pub(crate) mod bindings;
pub(crate) mod claim;
pub(crate) mod connections;
pub(crate) mod decide;
pub(crate) mod lanes;
pub(crate) mod lookup;
pub(crate) mod retention;
pub(crate) mod settle;
pub(crate) mod talk;
pub(crate) mod talk_lookup;
pub(crate) mod views;
