//! Switching the feedback of a product on and off by script, and what can be chosen for it.

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use bowline_access::{ManageProducts, What};
use bowline_domain::feedback::ids::ProductId;
use bowline_domain::feedback::product::{ListedTag, Product, ProductSettings};
use bowline_domain::feedback::ticket::Status;
use bowline_engine::feedback::{CannotSwitch, missing_permissions, tags_now};
use bowline_store::feedback::ProductDraft;
use serde_json::{Value, json};

use super::api::{body_of, product_json};
use crate::App;
use crate::api::{Bearer, Number, Problem, once};

/// The addresses.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/products/{id}/feedback", get(choices).post(switch))
}

/// Intercom did not answer: nothing is known, and nothing was switched.
fn remote(error: &CannotSwitch) -> Problem {
    Problem::new(
        StatusCode::BAD_GATEWAY,
        "intercom_unavailable",
        error.to_string(),
    )
}

async fn found(app: &App, id: i64) -> Result<Product, Problem> {
    let product = app.shared.store.product(ProductId(id)).await?;
    product.ok_or_else(|| Problem::not_found("There is no such product."))
}

async fn choices(
    State(app): State<App>,
    Number(id): Number,
    _by: Bearer<ManageProducts>,
) -> Result<Json<Value>, Problem> {
    let product = found(&app, id).await?;
    let missing = missing_permissions(&app.shared, &product.workspace).await;
    let missing = missing.map_err(|error| remote(&error))?;
    let listed = if missing.is_empty() {
        let listed = tags_now(&app.shared, &product.workspace).await;
        listed.map_err(|error| remote(&error))?
    } else {
        Vec::new()
    };
    let missing: Vec<Value> = missing
        .iter()
        .map(|one| json!({ "name": one.title(), "purpose": one.purpose() }))
        .collect();
    let chosen = |tag: &ListedTag| product.tags.iter().any(|known| known.tag == tag.tag);
    let tags: Vec<Value> = listed
        .iter()
        .map(|tag| json!({ "id": tag.tag.as_str(), "name": tag.name, "chosen": chosen(tag) }))
        .collect();
    Ok(Json(json!({
        "on": product.on,
        "declared": product.declared,
        "missing_permissions": missing,
        "tags": tags,
    })))
}

async fn switch(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<ManageProducts>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("feedback of {id} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let body = body_of(&body)?;
        let product = found(&app, id).await?;
        if product.declared {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "declared",
                "The product stands in the configuration file and is changed there.",
            ));
        }
        let on = body.get("on").and_then(Value::as_bool);
        let on = on.ok_or_else(|| {
            Problem::invalid("Send {\"on\": true, \"tags\": [\"id\"]}, or {\"on\": false}.")
        })?;
        let tags = if on {
            Some(chosen(&app, &product, &body).await?)
        } else {
            None
        };
        let detail = tags.as_ref().map_or_else(
            || "feedback switched off".to_owned(),
            |tags| {
                let named: Vec<&str> = tags.iter().map(|tag| tag.name.as_str()).collect();
                format!("feedback on, tags: {}", named.join(", "))
            },
        );
        let draft = ProductDraft {
            workspace: product.workspace.clone(),
            name: product.name.clone(),
            on,
            declared: false,
            settings: settings(&product, &body)?,
            tags,
            counts_from: None,
        };
        let name = product.name.as_str();
        let entry = app
            .access
            .entry(by.who(), What::ProductChanged, name, detail);
        let store = &app.shared.store;
        store
            .put_product(draft, app.shared.now(), vec![entry])
            .await?;
        let counts = store.ticket_counts(Some(product.id)).await?;
        Ok(product_json(&found(&app, id).await?, &counts))
    });
    once(&app, by.who(), &headers, &request, write).await
}

/// The tags that are to count, each of which is there. Nothing is chosen while a permission is
/// missing.
async fn chosen(app: &App, product: &Product, body: &Value) -> Result<Vec<ListedTag>, Problem> {
    let missing = missing_permissions(&app.shared, &product.workspace).await;
    let missing = missing.map_err(|error| remote(&error))?;
    if !missing.is_empty() {
        let named: Vec<String> = missing
            .iter()
            .map(|one| format!("“{}” ({})", one.title(), one.purpose()))
            .collect();
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "permissions_missing",
            format!(
                "Nothing was switched on. The app in Intercom lacks {}. Whoever administers the \
                 workspace adds it in the Developer Hub: the app, Configure, Authentication, Edit.",
                named.join(" and ")
            ),
        ));
    }
    let listed = tags_now(&app.shared, &product.workspace).await;
    let listed = listed.map_err(|error| remote(&error))?;
    let wanted: BTreeSet<&str> = body
        .get("tags")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if wanted.is_empty() {
        return Err(Problem::invalid("Name at least one tag by its id."));
    }
    if let Some(id) = wanted
        .iter()
        .find(|id| !listed.iter().any(|tag| tag.tag.as_str() == **id))
    {
        return Err(Problem::invalid(format!(
            "The workspace has no tag with the id “{id}”."
        )));
    }
    Ok(listed
        .into_iter()
        .filter(|tag| wanted.contains(tag.tag.as_str()))
        .collect())
}

/// What is not named stays as it is.
fn settings(product: &Product, body: &Value) -> Result<ProductSettings, Problem> {
    let mut settings = product.settings.clone();
    if let Some(notes) = body.get("notes") {
        let words = notes.as_array().into_iter().flatten();
        let read = words.map(|word| {
            let status = word.as_str().and_then(Status::from_word);
            status.filter(|status| Status::TELLABLE.contains(status))
        });
        let read: Option<BTreeSet<Status>> = read.collect();
        settings.notes = read.filter(|_| notes.is_array()).ok_or_else(|| {
            Problem::invalid("Notes is a list of “planned”, “done” and “declined”.")
        })?;
    }
    let truth = |name: &str, now: bool| match body.get(name) {
        None => Ok(now),
        Some(Value::Bool(said)) => Ok(*said),
        Some(_) => Err(Problem::invalid(format!("{name} is true or false."))),
    };
    settings.follow_issue = truth("follow_issue", settings.follow_issue)?;
    settings.wake_snoozed = truth("wake_snoozed", settings.wake_snoozed)?;
    Ok(settings)
}
