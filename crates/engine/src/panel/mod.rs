//! The issue panel: what is known of the conversations behind an issue and of the people in them.
//!
//! A panel is put together from what was last read ([`Shared::panel_now`]) and asks nobody, so a
//! slow or dead Intercom never holds it up. Reading anew ([`Shared::refresh_panel`]) goes on beside
//! it, at the pace of the connection, each thing once at a time.

mod attributes;
mod now;
mod refresh;
mod seen;
mod teammates;
mod whole;

pub use attributes::AttributesNow;
pub use now::{Card, ContactNow, PanelNow, ReporterNow};
pub use refresh::Reads;
pub use seen::{
    NamedAttribute, SeenCompany, SeenContact, SeenConversation, SeenReporter, state_word,
};
pub use whole::{Download, Found, Unread, Whole};

pub use bowline_intercom::{Attachment, Part};

use bowline_domain::ids::WorkspaceName;

use crate::shared::Shared;

impl Shared {
    /// The address people open a contact by; `None` if its workspace is not configured any more.
    pub fn contact_url(&self, workspace: &WorkspaceName, contact: &str) -> Option<String> {
        let registry = self.registry();
        let workspace = registry.workspaces.get(workspace)?;
        let code = workspace.standing.known().remote_id;
        let code = code.as_deref().unwrap_or("_");
        let host = &workspace.config.app_host;
        Some(format!("https://{host}/a/apps/{code}/users/{contact}"))
    }
}
