//! The part of a project's settings about Jira's side, for scripts.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use bowline_access::{ChangeBindings, Look, ProjectRef};
use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_domain::tally::{TallySettings, jql_examples};
use serde_json::{Value, json};

use super::caller::Bearer;
use super::once;
use super::problem::Problem;
use crate::App;
use crate::tally;

/// Takes what the body names; what is null or blank becomes nothing.
pub(super) fn take(body: &Value, settings: &mut TallySettings) -> Result<(), String> {
    let named = body.as_object().ok_or("tally is an object.")?;
    let mut texts = [
        settings.label.clone().unwrap_or_default(),
        settings.number_field.clone().unwrap_or_default(),
    ];
    for (name, value) in named {
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            _ => return Err(format!("tally.{name} is a text, or null.")),
        };
        match name.as_str() {
            "label" => texts[0] = text,
            "number_field" => texts[1] = text,
            _ => return Err(format!("tally has no “{name}”.")),
        }
    }
    *settings = tally::read(&texts[0], &texts[1]).map_err(|faults| {
        let words = faults
            .iter()
            .map(|one| format!("{}: {}", one.field, one.words));
        words.collect::<Vec<_>>().join(" ")
    })?;
    Ok(())
}

/// What is kept in step, how far, and queries that can be asked of Jira.
pub(super) async fn state(
    State(app): State<App>,
    Path((site, project)): Path<(String, String)>,
    _by: Bearer<Look>,
) -> Result<Json<Value>, Problem> {
    let (site, project) = (SiteName::new(site), ProjectKey::new(project));
    let binding = app
        .settings
        .binding(&site, &project)
        .ok_or_else(|| Problem::not_found("This project is not joined to a workspace."))?;
    let store = &app.shared.store;
    let mut runs = store.tally_runs().await?.into_iter();
    let going = runs.any(|run| run.site == site && run.project == project && run.place.is_some());
    let troubles = store.tally_troubles().await?.into_iter();
    let troubles: Vec<Value> = troubles
        .filter(|one| one.site == site && one.project == project)
        .map(|one| json!({ "cause": one.trouble, "issues": one.issues }))
        .collect();
    let (fields, trouble) = match app.settings.number_fields(&site).await {
        Ok(fields) => (fields, None),
        Err(words) => (Vec::new(), Some(words)),
    };
    let fields: Vec<Value> = fields
        .into_iter()
        .map(|field| json!({ "id": field.id, "name": field.name }))
        .collect();
    let wanted = &binding.config.tally;
    let examples: Vec<Value> = jql_examples(project.as_str(), wanted)
        .into_iter()
        .map(|(title, jql)| json!({ "title": title, "jql": jql }))
        .collect();
    Ok(Json(json!({
        "label": wanted.label,
        "number_field": wanted.number_field,
        "going_through": going,
        "troubles": troubles,
        "number_fields": fields,
        "trouble": trouble,
        "examples": examples,
    })))
}

/// Goes through all issues of a project once more.
pub(super) async fn again(
    State(app): State<App>,
    Path((site, project)): Path<(String, String)>,
    by: Bearer<ChangeBindings>,
    headers: HeaderMap,
) -> Response {
    let request = format!("in-step {site}/{project}");
    let place = (SiteName::new(site), ProjectKey::new(project));
    let write = Box::pin(begun(&app, &by, &place));
    once(&app, by.who(), &headers, &request, write).await
}

async fn begun(
    app: &App,
    by: &Bearer<ChangeBindings>,
    (site, project): &(SiteName, ProjectKey),
) -> Result<Value, Problem> {
    let mine = ProjectRef {
        site: site.to_string(),
        project: project.to_string(),
    };
    if !by.0.covers(&mine) {
        return Err(Problem::not_found("You do not administer this project."));
    }
    if !tally::again(app, site, project).await? {
        return Err(Problem::not_found(
            "Nothing is kept in step in this project.",
        ));
    }
    Ok(json!({ "going_through": true }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_of_the_tally_is_taken_and_the_rest_stays() {
        let mut settings = TallySettings::default();
        take(&json!({ "label": "linked" }), &mut settings).unwrap();
        take(&json!({ "number_field": "customfield_1" }), &mut settings).unwrap();
        assert_eq!(settings.label.as_deref(), Some("linked"));
        take(&json!({ "label": null }), &mut settings).unwrap();
        assert_eq!(settings.label, None);
        assert_eq!(settings.number_field.as_deref(), Some("customfield_1"));
        for body in [
            json!([]),
            json!({ "label": "two words" }),
            json!({ "label": 1 }),
            json!({ "number_field": "summary" }),
            json!({ "colour": "red" }),
        ] {
            assert!(take(&body, &mut settings).is_err(), "{body}");
        }
    }
}
