//! What attributes contacts and companies have, and the files of messages.

use axum::Json;
use axum::extract::{Path, Query as UrlQuery, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Answer;
use crate::intercom::error::ApiError;
use crate::intercom::sandbox::Sandbox;

/// Standard attributes of contacts, with their labels and types. Not all of them: those that the
/// published examples name.
const OF_CONTACTS: [(&str, &str, &str); 12] = [
    ("name", "Name", "string"),
    ("email", "Email", "string"),
    ("phone", "Phone", "string"),
    ("external_id", "User ID", "string"),
    ("role", "Type", "string"),
    ("created_at", "First seen", "date"),
    ("signed_up_at", "Signed up", "date"),
    ("last_seen_at", "Last seen", "date"),
    ("last_replied_at", "Last replied", "date"),
    ("browser", "Browser", "string"),
    ("os", "OS", "string"),
    ("language_override", "Language override", "string"),
];

/// Standard attributes of companies.
const OF_COMPANIES: [(&str, &str, &str); 10] = [
    ("name", "Company name", "string"),
    ("company_id", "Company ID", "string"),
    ("last_request_at", "Company last seen", "date"),
    ("remote_created_at", "Company created at", "date"),
    ("user_count", "People", "integer"),
    ("session_count", "Company web sessions", "integer"),
    ("monthly_spend", "Monthly Spend", "float"),
    ("size", "Company size", "integer"),
    ("industry", "Company industry", "string"),
    ("website", "Company website", "string"),
];

#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    model: Option<String>,
}

/// `GET /data_attributes`. Attributes of conversations have an address of their own since 2.16.
pub(super) async fn list(
    State(sandbox): State<Sandbox>,
    UrlQuery(which): UrlQuery<Which>,
) -> Answer {
    let wanted = which.model.as_deref();
    if wanted.is_some_and(|model| !matches!(model, "contact" | "company")) {
        let message = "model is invalid";
        let (status, code) = (StatusCode::UNPROCESSABLE_ENTITY, "parameter_invalid");
        return Err(ApiError::new(status, code, message));
    }
    let config = sandbox.config();
    let mut all = Vec::new();
    let models = [
        (
            "contact",
            OF_CONTACTS.as_slice(),
            &config.contact_attributes,
        ),
        (
            "company",
            OF_COMPANIES.as_slice(),
            &config.company_attributes,
        ),
    ];
    for (model, standard, own) in models {
        if wanted.is_some_and(|wanted| wanted != model) {
            continue;
        }
        all.extend(standard.iter().map(|(name, label, kind)| {
            json!({
                "type": "data_attribute", "model": model, "name": name, "full_name": name,
                "label": label, "data_type": kind, "api_writable": true, "ui_writable": false,
                "messenger_writable": true, "custom": false, "archived": false,
            })
        }));
        for (index, name) in own.iter().enumerate() {
            let described = config.attribute_descriptions.iter();
            let description = described
                .filter(|(known, _)| known == name)
                .map(|(_, words)| words.as_str())
                .next();
            let kind = if name.ends_with("_at") {
                "date"
            } else {
                "string"
            };
            all.push(json!({
                "type": "data_attribute", "id": 12_878 + index, "model": model, "name": name,
                "full_name": format!("custom_attributes.{name}"), "label": name,
                "description": description.unwrap_or_default(), "data_type": kind,
                "api_writable": true, "ui_writable": true, "messenger_writable": true,
                "custom": true, "archived": false, "admin_id": config.admins[0].id,
                "created_at": 1_671_028_894, "updated_at": 1_671_028_894,
            }));
        }
    }
    Ok(Json(json!({ "type": "list", "data": Value::Array(all) })))
}

/// A file of a message. Its address is all that is asked for, as with the platform's own.
pub(super) async fn file(State(sandbox): State<Sandbox>, Path(key): Path<String>) -> Response {
    let found = sandbox.with(|state, _| state.files.get(&key).cloned());
    match found {
        Some(file) => ([(header::CONTENT_TYPE, file.content_type)], file.bytes).into_response(),
        None => StatusCode::FORBIDDEN.into_response(),
    }
}
