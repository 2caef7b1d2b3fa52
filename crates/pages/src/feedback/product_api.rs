//! Products for scripts: what there is, adding one, its settings, and the switch of its feedback with
//! what can be chosen for it.

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use bowline_access::{Look, ManageProducts};
use bowline_domain::feedback::ids::ProductId;
use bowline_domain::feedback::product::{IssueTarget, ListedTag, Product, ProductSettings};
use bowline_domain::feedback::ticket::Status;
use bowline_domain::ids::{SiteName, WorkspaceName};
use bowline_domain::needs::Use;
use bowline_engine::feedback::{CannotSwitch, missing_permissions, tags_now};
use serde_json::{Value, json};

use super::api::body_of;
use super::keeping;
use super::product::ISSUE_TYPE;
use super::products::trouble;
use crate::App;
use crate::api::{Bearer, Number, Problem, iso, once};

type Answer = Result<Json<Value>, Problem>;

/// The addresses.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/products", get(list).post(add))
        .route("/api/v1/products/{id}", get(one).patch(change))
        .route("/api/v1/products/{id}/feedback", get(choices).post(switch))
}

/// A product as scripts see it.
fn product_json(product: &Product, counts: &[(Status, i64)]) -> Value {
    let tags: Vec<Value> = product
        .tags
        .iter()
        .map(|tag| {
            json!({
                "id": tag.tag.as_str(),
                "name": tag.name,
                "since": iso(tag.since),
                "deleted": tag.gone_at.is_some(),
            })
        })
        .collect();
    let tickets: Vec<Value> = counts
        .iter()
        .map(|(status, count)| {
            json!({
                "status": status.as_str(),
                "name": product.status_name(*status),
                "tickets": count,
            })
        })
        .collect();
    let notes: Vec<&str> = product
        .settings
        .notes
        .iter()
        .map(|one| one.as_str())
        .collect();
    let issues = product.settings.issues.as_ref().map(|target| {
        json!({
            "site": target.site.as_str(),
            "project": target.project,
            "issue_type": target.issue_type,
        })
    });
    json!({
        "id": product.id.0,
        "name": product.name,
        "workspace": product.workspace.as_str(),
        "on": product.on,
        "declared": product.declared,
        "tags": tags,
        "notes": notes,
        "follow_issue": product.settings.follow_issue,
        "wake_snoozed": product.settings.wake_snoozed,
        "issues": issues,
        "statuses": tickets,
        "trouble": trouble(product),
    })
}

async fn list(State(app): State<App>, _by: Bearer<Look>) -> Answer {
    let store = &app.shared.store;
    let mut items = Vec::new();
    for product in store.products().await? {
        let counts = store.ticket_counts(Some(product.id)).await?;
        items.push(product_json(&product, &counts));
    }
    Ok(Json(json!({ "items": items })))
}

/// A product as it is now.
async fn shown(app: &App, id: ProductId) -> Result<Value, Problem> {
    let counts = app.shared.store.ticket_counts(Some(id)).await?;
    Ok(product_json(&found(app, id.0).await?, &counts))
}

async fn one(State(app): State<App>, Number(id): Number, _by: Bearer<Look>) -> Answer {
    shown(&app, ProductId(id)).await.map(Json)
}

async fn add(
    State(app): State<App>,
    by: Bearer<ManageProducts>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("add product {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let body = body_of(&body)?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let (Some(name), Some(workspace)) = (text("name"), text("workspace")) else {
            return Err(Problem::invalid(
                "Send {\"name\": \"Mobile app\", \"workspace\": \"acme\"}.",
            ));
        };
        let workspace = WorkspaceName::new(workspace);
        let id = keeping::add(&app, by.who(), workspace, name).await?;
        let id = id.map_err(|fault| Problem::invalid(fault.words))?;
        shown(&app, id).await
    });
    once(&app, by.who(), &headers, &request, write).await
}

async fn change(
    State(app): State<App>,
    Number(id): Number,
    by: Bearer<ManageProducts>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("change product {id} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let body = body_of(&body)?;
        let product = undeclared(found(&app, id).await?)?;
        let settings = settings(&app, &product, &body).await?;
        let kept = (product.on, settings, None);
        keeping::keep(&app, by.who(), &product, kept, "settings").await?;
        shown(&app, product.id).await
    });
    once(&app, by.who(), &headers, &request, write).await
}

/// A product that can be changed here.
fn undeclared(product: Product) -> Result<Product, Problem> {
    if product.declared {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "declared",
            "The product stands in the configuration file and is changed there.",
        ));
    }
    Ok(product)
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
        .map(|one| json!({ "name": one.title(), "purpose": one.purpose(Use::Feedback) }))
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
        let product = undeclared(found(&app, id).await?)?;
        let on = body.get("on").and_then(Value::as_bool);
        let on = on.ok_or_else(|| {
            Problem::invalid("Send {\"on\": true, \"tags\": [\"id\"]}, or {\"on\": false}.")
        })?;
        let tags = if on {
            Some(chosen(&app, &product, &body).await?)
        } else {
            None
        };
        let detail = tags
            .as_deref()
            .map_or_else(|| "feedback switched off".to_owned(), keeping::switched_on);
        let kept = (on, settings(&app, &product, &body).await?, tags);
        keeping::keep(&app, by.who(), &product, kept, &detail).await?;
        shown(&app, product.id).await
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
            .map(|one| format!("“{}” ({})", one.title(), one.purpose(Use::Feedback)))
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

/// What is not named stays as it is. A place for issues that is named is tried.
async fn settings(app: &App, product: &Product, body: &Value) -> Result<ProductSettings, Problem> {
    let mut settings = changed(product.settings.clone(), body).map_err(Problem::invalid)?;
    let faults = keeping::settings_faults(&settings, &app.sites());
    let mut fault = faults.into_iter().next();
    if fault.is_none() && body.get("issues").is_some() {
        fault = keeping::try_issues(app, product, &mut settings).await;
    }
    match fault {
        None => Ok(settings),
        Some(fault) => Err(Problem::invalid(fault.words)),
    }
}

/// Settings as a body changes them, or what is wrong with the body.
fn changed(mut settings: ProductSettings, body: &Value) -> Result<ProductSettings, String> {
    if let Some(notes) = body.get("notes") {
        let words = notes.as_array().into_iter().flatten();
        let read = words.map(|word| {
            let status = word.as_str().and_then(Status::from_word);
            status.filter(|status| Status::TELLABLE.contains(status))
        });
        let read: Option<BTreeSet<Status>> = read.collect();
        settings.notes = read
            .filter(|_| notes.is_array())
            .ok_or("Notes is a list of “planned”, “done” and “declined”.")?;
    }
    let truth = |name: &str, now: bool| match body.get(name) {
        None => Ok(now),
        Some(Value::Bool(said)) => Ok(*said),
        Some(_) => Err(format!("{name} is true or false.")),
    };
    settings.follow_issue = truth("follow_issue", settings.follow_issue)?;
    settings.wake_snoozed = truth("wake_snoozed", settings.wake_snoozed)?;
    if let Some(names) = body.get("status_names") {
        let names = names.as_object().ok_or(STATUS_NAMES)?;
        for (word, name) in names {
            let status = Status::from_word(word).ok_or(STATUS_NAMES)?;
            let name = match name {
                Value::Null => "",
                Value::String(name) => name.trim(),
                _ => return Err(STATUS_NAMES.to_owned()),
            };
            if name.is_empty() || name == status.title() {
                settings.status_names.remove(&status);
            } else {
                settings.status_names.insert(status, name.to_owned());
            }
        }
    }
    match body.get("issues") {
        None => {}
        Some(Value::Null) => settings.issues = None,
        Some(target) => settings.issues = Some(issue_target(target).ok_or(ISSUES)?),
    }
    Ok(settings)
}

const STATUS_NAMES: &str = "Status_names names statuses: {\"planned\": \"On the list\"}; null takes \
    a name away.";

const ISSUES: &str = "Issues is null, or {\"site\": \"acme-jira\", \"project\": \"ENG\", \
    \"issue_type\": \"Task\"}.";

fn issue_target(target: &Value) -> Option<IssueTarget> {
    let text = |name: &str| target.get(name).and_then(Value::as_str).map(str::trim);
    let issue_type = match target.get("issue_type") {
        None => ISSUE_TYPE,
        Some(_) => text("issue_type").filter(|name| !name.is_empty())?,
    };
    Some(IssueTarget {
        site: SiteName::new(text("site")?),
        project: text("project")?.to_uppercase(),
        issue_type: issue_type.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_body_does_not_name_stays() {
        let settings = ProductSettings {
            follow_issue: true,
            status_names: [(Status::Planned, "Soon".to_owned())].into(),
            ..ProductSettings::default()
        };
        let to = |body: Value| changed(settings.clone(), &body);
        assert_eq!(to(json!({})), Ok(settings.clone()));
        let named =
            to(json!({ "status_names": { "planned": null, "done": " Shipped " } })).unwrap();
        assert_eq!(
            named.status_names,
            [(Status::Done, "Shipped".to_owned())].into()
        );
        assert!(named.follow_issue);
        let target = json!({ "site": "acme-jira", "project": "eng" });
        let issues = to(json!({ "issues": target })).unwrap().issues.unwrap();
        assert_eq!(
            (issues.project.as_str(), issues.issue_type.as_str()),
            ("ENG", "Task")
        );
        assert_eq!(to(json!({ "issues": null })).unwrap().issues, None);
        for wrong in [
            json!({ "notes": "done" }),
            json!({ "notes": ["new"] }),
            json!({ "wake_snoozed": 1 }),
            json!({ "status_names": [] }),
            json!({ "status_names": { "soon": "Soon" } }),
            json!({ "status_names": { "planned": 1 } }),
            json!({ "issues": { "project": "ENG" } }),
            json!({ "issues": { "site": "acme-jira", "project": "ENG", "issue_type": "" } }),
        ] {
            assert!(to(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
