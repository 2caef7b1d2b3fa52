//! How things look in JSON: REST 2, REST 3 and webhooks of both deployments.

mod comment;
mod fields;
mod history;
mod issue;
mod parts;

use serde_json::Value;

use super::body::Body;
use super::model::User;
use super::stamp;
use super::state::State;

pub(crate) use fields::{FieldSet, SYSTEM_FIELDS, field_name};

/// Version of the REST interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V2,
    V3,
}

impl Version {
    fn number(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }
}

/// A way of looking at a site.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) state: &'a State,
    version: Version,
    viewer: Option<&'a User>,
}

impl<'a> View<'a> {
    /// As REST shows it to a caller.
    pub(crate) fn rest(state: &'a State, version: Version, viewer: &'a User) -> Self {
        Self {
            state,
            version,
            viewer: Some(viewer),
        }
    }

    /// As webhooks show it: REST 2 links, wiki text, and nobody's rights considered.
    pub(crate) fn webhook(state: &'a State) -> Self {
        Self {
            state,
            version: Version::V2,
            viewer: None,
        }
    }

    pub(crate) fn link(&self, path: &str) -> String {
        format!(
            "{}/rest/api/{}/{path}",
            self.state.base,
            self.version.number()
        )
    }

    pub(crate) fn stamp(&self, ms: i64) -> String {
        stamp::rest(ms, self.state.utc_offset_minutes)
    }

    /// A text in the form this view uses.
    pub(crate) fn text(&self, body: &Body) -> Value {
        let adf = match self.viewer {
            Some(_) => self.version == Version::V3,
            None => self.state.switches.adf_in_webhooks,
        };
        if adf {
            body.as_adf().clone()
        } else {
            Value::String(body.as_wiki().to_owned())
        }
    }
}

/// Whether a comma-separated `expand` names something.
pub(crate) fn expands(expand: &str, name: &str) -> bool {
    expand.split(',').any(|part| part.trim() == name)
}
