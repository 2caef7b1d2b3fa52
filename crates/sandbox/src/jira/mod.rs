//! The simulated Jira, Cloud or Data Center: REST, administrator webhooks, and pages for people.
//!
//! [`start`] serves it on an address. [`Sandbox`] is the same site as an object, for tests: what it does is what a
//! person does on the pages, with the same history and the same deliveries.

mod actor;
mod adf_check;
mod attached;
mod automation;
mod body;
mod comments;
mod config;
mod desk;
mod desk_pages;
mod error;
mod hooks;
mod jql;
mod limits;
mod mail;
mod model;
mod ops;
mod pages;
mod rest;
mod sandbox;
mod stamp;
mod state;
mod view;

pub use actor::{Actor, Outcome};
pub use automation::{Author, Automation};
pub use body::Body;
pub use comments::NewComment;
pub use config::{
    BOT_ACCOUNT, BOT_TOKEN, Config, Deployment, DeskConfig, Limits, ProjectConfig, ProjectKind,
    RequestField, RequestType, Switches, UserConfig, WebhookConfig,
};
pub use desk::Desk;
pub use error::Refusal;
pub use mail::Mail;
pub use model::{
    Attachment, Category, Change, Comment, CustomValue, History, Issue, Project, RemoteLink,
    Request, SERVICE_STATUSES, STATUSES, Status, User, Visibility, status_named, workflow,
};
pub use ops::{Edit, NewIssue};
pub use sandbox::{Handle, Sandbox, start};
pub use state::PERMISSIONS;
