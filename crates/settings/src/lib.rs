//! Configuration by click, beside the configuration in the file.
//!
//! What someone configured on a page is kept in the store, with its secrets sealed
//! ([`vault`]), and put together with what the file declares ([`merge`]); the engine takes the
//! result over while it runs. What is declared wins. Other processes of the same database notice a
//! change by its count and do the same.
//!
//! Every change names the version that it was made from, so that a second tab never overwrites a
//! newer change silently, and is written together with its entry in the audit log.

mod accounts;
mod alert;
mod app_permissions;
mod bindings;
mod channel_live;
pub mod check;
mod connect;
mod consent;
mod desk_form;
mod desk_live;
pub mod desk_texts;
mod desks;
pub mod forms;
mod hooks;
pub mod import;
mod issue_target;
pub mod merge;
mod merge_desk;
pub mod preview;
mod project_access;
mod pulse;
pub mod rates;
pub mod rotate;
mod service;
mod sites;
pub mod stored;
pub mod stored_desk;
pub mod vault;
mod workspaces;

pub use accounts::{AccountForm, AccountNow};
pub use alert::{AlertMail, AlertNow, Receivers};
pub use app_permissions::app_permissions;
pub use bindings::{BindingNow, JoinForm};
pub use channel_live::ChannelsOffered;
pub use connect::Connected;
pub use consent::Consent;
pub use desk_form::{DeskForm, Given, StatusLine, span};
pub use desk_live::{DeskChoices, NeededField};
pub use desk_texts::TextsForm;
pub use desks::{DeskNow, DeskSaved, open_words, open_words_of_account};
pub use hooks::HookFound;
pub use issue_target::{CannotMakeThere, issues_can_be_made};
pub use project_access::Lacking;
pub use pulse::Pulse;
pub use service::{Declared, Settings, Setup};
pub use sites::SiteNow;
pub use workspaces::WorkspaceNow;
