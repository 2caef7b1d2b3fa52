//! Identifiers of contacts and companies.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{row_id, text_id};

row_id! {
    /// A contact, as Bowline counts them.
    ContactId
}
row_id! {
    /// A company, as Bowline counts them.
    CompanyId
}
row_id! {
    /// One run of copying or sweeping.
    RunId
}
row_id! {
    /// A question about who somebody is, to be decided by a person.
    ConflictId
}
text_id! {
    /// A contact's id at Intercom (24 hexadecimal digits); unique within its workspace only.
    RemoteContactId
}
text_id! {
    /// A company's id at Intercom; unique within its workspace only.
    RemoteCompanyId
}
