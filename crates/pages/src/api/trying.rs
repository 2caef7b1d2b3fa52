//! What the present rules of a project would have told in the last days, for scripts.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use bowline_access::{ChangeBindings, ProjectRef};
use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_engine::try_out::{CannotTry, Tried, try_out};
use serde_json::{Value, json};

use super::caller::Bearer;
use super::problem::Problem;
use super::reads::iso;
use crate::App;

fn tried_json(tried: &Tried) -> Value {
    let notes = tried.notes.iter().map(|(conversation, html)| {
        json!({
            "conversation": conversation.as_str(),
            "html": html,
            "text": crate::plain::of_html(html),
        })
    });
    let reopens = tried
        .reopens
        .iter()
        .map(bowline_domain::ids::ConversationId::as_str);
    let reasons = tried
        .reasons
        .iter()
        .map(|reason| json!({ "code": reason.code(), "text": reason.to_string() }));
    json!({
        "at": iso(tried.at),
        "what": tried.what,
        "notes": notes.collect::<Vec<_>>(),
        "reopens": reopens.collect::<Vec<_>>(),
        "reasons": reasons.collect::<Vec<_>>(),
    })
}

pub(super) async fn tried(
    State(app): State<App>,
    Path((site, project)): Path<(String, String)>,
    by: Bearer<ChangeBindings>,
) -> Result<Json<Value>, Problem> {
    let (site, project) = (SiteName::new(site), ProjectKey::new(project));
    if app.settings.binding(&site, &project).is_none() {
        return Err(Problem::not_found(
            "This project is not joined to a workspace.",
        ));
    }
    let mine = ProjectRef {
        site: site.to_string(),
        project: project.to_string(),
    };
    if !by.0.covers(&mine) {
        let detail = "The token's owner administers other projects than this one.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail));
    }
    let tried = match try_out(&app.shared, &site, &project).await {
        Ok(tried) => tried,
        Err(CannotTry::Store(error)) => return Err(error.into()),
        Err(refusal @ CannotTry::NoSite) => {
            return Err(Problem::not_found(&refusal.to_string()));
        }
    };
    let issues = tried.issues.iter().map(|issue| {
        json!({
            "issue": issue.key,
            "summary": issue.summary,
            "happened": issue.happened.iter().map(tried_json).collect::<Vec<_>>(),
            "trouble": issue.trouble,
        })
    });
    Ok(Json(json!({
        "since": iso(tried.since),
        "notes": tried.notes(),
        "reopens": tried.reopens(),
        "silent": tried.silent(),
        "issues": issues.collect::<Vec<_>>(),
        "unlinked": tried.unlinked,
        "left_out": tried.left_out,
        "broken_off": tried.broken_off,
    })))
}
