//! What Jira tells us, read from JSON of either deployment and of any shape it has been seen in.

pub(crate) mod admin;
pub(crate) mod comment;
pub(crate) mod history;
pub(crate) mod issue;
pub(crate) mod links;
pub(crate) mod page;
pub(crate) mod person;
pub(crate) mod service_desk;

use bowline_text::Doc;
use serde_json::Value;

/// Rich text that is an ADF object in REST v3 and a wiki string in v2 and in webhooks; webhooks
/// may carry either.
pub(crate) fn rich(value: &Value) -> Doc {
    match value {
        Value::String(markup) => bowline_text::wiki::read(markup),
        Value::Object(_) => bowline_text::adf::read(value),
        _ => Doc::default(),
    }
}
