//! Approved WhatsApp templates.

use axum::extract::State;
use serde_json::{Value, json};

use super::super::config::Template;
use super::super::sandbox::Sandbox;
use super::{Answer, Params, ok};

fn shown(template: &Template) -> Value {
    json!({
        "name": template.name,
        "language": template.language,
        "category": "UTILITY",
        "status": "APPROVED",
        "components": [{ "type": "BODY", "text": template.body }],
    })
}

/// Version 2 lists them bare.
pub(super) async fn all(State(sandbox): State<Sandbox>) -> Answer {
    let templates = sandbox.config().templates.iter().map(shown);
    Ok(ok(templates.collect()))
}

/// Version 3 lists them in pages.
pub(super) async fn page(State(sandbox): State<Sandbox>, params: Params) -> Answer {
    params.cut(&sandbox.config().templates, shown)
}
