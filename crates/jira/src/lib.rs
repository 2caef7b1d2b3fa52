//! Jira Cloud and Data Center: the calls that Bowline makes, the webhooks it receives, and their
//! signatures.
//!
//! The two deployments differ in path, in text format (Cloud v3: ADF, Data Center v2: wiki
//! markup), in how people are named, and in search and webhook administration. The differences
//! end here: both give the same types, with rich text as [`bowline_text::Doc`].

mod calls;
mod client;
mod error;
mod model;
pub mod webhook;

pub use calls::create::{CreateField, CreatedIssue, IssueType, NewIssue};
pub use calls::fields::{FigureEdit, Figures, NumberField};
pub use calls::projects::cloud_id;
pub use calls::search::{SHOWN_MAX, SearchPage, Shown};
pub use client::{Auth, Client, DEFAULT_DEADLINE, Deployment, FILE_DEADLINE};
pub use error::ISSUE_WRITTEN_TOO_OFTEN;
pub use model::admin::{AdminWebhook, Myself, NewWebhook, Project, ServerInfo};
pub use model::comment::{Comment, Visibility};
pub use model::history::{ChangeItem, History};
pub use model::issue::{Category, Issue, IssueRead, ProjectRef, Status};
pub use model::links::{Icon, LINK_PROPERTY, RemoteLink, link_property_value, read_link_property};
pub use model::page::{Cursor, Page};
pub use model::person::Person;
pub use model::service_desk::{
    AttachedFile, CommentAudience, CustomerRequest, FieldValue, NewRequest, Notified,
    RequestComment, RequestField, RequestFields, RequestType, ServiceDesk,
};
