//! The part of a project's settings that is about the panel, and what attributes there are to
//! choose from.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use bowline_access::Look;
use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_domain::panel::{ContactSource, PanelSettings, VisibleFields};
use bowline_domain::visible::{Whose, check};
use serde_json::{Value, json};

use super::caller::Bearer;
use super::problem::Problem;
use super::reads::iso;
use crate::App;

/// How long a script waits for Intercom's list of attributes.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn written(panel: &PanelSettings) -> Value {
    let source = match panel.contact_source {
        ContactSource::Linked => "linked",
        ContactSource::Reporter => "reporter",
    };
    json!({
        "enabled": panel.enabled,
        "conversation_view": panel.conversation_view,
        "contact_source": source,
        "visible_fields": {
            "user": panel.visible.user,
            "lead": panel.visible.lead,
            "company": panel.visible.company,
        },
    })
}

/// Takes what the body names; a list that is null becomes the usual one.
pub(super) fn take(body: &Value, panel: &mut PanelSettings) -> Result<(), String> {
    let named = body.as_object().ok_or("panel is an object.")?;
    for (name, value) in named {
        let flag = || {
            let words = format!("panel.{name} is true or false.");
            value.as_bool().ok_or(words)
        };
        match name.as_str() {
            "enabled" => panel.enabled = flag()?,
            "conversation_view" => panel.conversation_view = flag()?,
            "contact_source" => {
                panel.contact_source = match value.as_str() {
                    Some("linked") => ContactSource::Linked,
                    Some("reporter") => ContactSource::Reporter,
                    _ => return Err("panel.contact_source is “linked” or “reporter”.".to_owned()),
                }
            }
            "visible_fields" => lists(value, &mut panel.visible)?,
            _ => return Err(format!("panel has no “{name}”.")),
        }
    }
    Ok(())
}

fn lists(value: &Value, visible: &mut VisibleFields) -> Result<(), String> {
    let named = value
        .as_object()
        .ok_or("panel.visible_fields has the lists user, lead and company.")?;
    let usual = VisibleFields::default();
    for (word, value) in named {
        let whose = Whose::read(word).ok_or_else(|| format!("visible_fields has no “{word}”."))?;
        let list = if value.is_null() {
            whose.list(&usual).clone()
        } else {
            let names = value.as_array().map(Vec::as_slice);
            let names = names.ok_or_else(|| format!("visible_fields.{word} is a list of keys."))?;
            let texts = names.iter().map(|name| {
                let text = name.as_str().map(|text| text.trim().to_owned());
                text.ok_or_else(|| format!("visible_fields.{word} holds texts."))
            });
            texts.collect::<Result<Vec<String>, String>>()?
        };
        check(&list).map_err(|words| format!("visible_fields.{word}: {words}"))?;
        *whose.list_mut(visible) = list;
    }
    Ok(())
}

/// The attributes of the workspace that a project is joined to.
pub(super) async fn attributes(
    State(app): State<App>,
    Path((site, project)): Path<(String, String)>,
    _by: Bearer<Look>,
) -> Result<Json<Value>, Problem> {
    let (site, project) = (SiteName::new(site), ProjectKey::new(project));
    let binding = app
        .settings
        .binding(&site, &project)
        .ok_or_else(|| Problem::not_found("This project is not joined to a workspace."))?;
    let workspace = &binding.config.workspace;
    let now = app.shared.attributes_now(workspace, PATIENCE).await?;
    let items = now.known.iter().map(|one| {
        json!({
            "of": if one.company { "company" } else { "contact" },
            "name": one.name,
            "label": one.label,
            "description": one.description,
            "custom": one.custom,
        })
    });
    Ok(Json(json!({
        "workspace": workspace.as_str(),
        "items": items.collect::<Vec<_>>(),
        "read_at": now.read_at.map(iso),
        "trouble": now.trouble,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_of_the_panel_is_taken_and_the_rest_stays() {
        let mut panel = PanelSettings::default();
        let body = json!({ "conversation_view": false, "contact_source": "reporter",
            "visible_fields": { "user": ["plan", "email"], "company": [] } });
        take(&body, &mut panel).unwrap();
        assert!(panel.enabled && !panel.conversation_view);
        assert_eq!(panel.contact_source, ContactSource::Reporter);
        assert_eq!(panel.visible.user, ["plan", "email"]);
        assert_eq!(panel.visible.lead, VisibleFields::OF_PEOPLE);
        assert!(panel.visible.company.is_empty());
        let usual = json!({ "visible_fields": { "company": null } });
        take(&usual, &mut panel).unwrap();
        assert_eq!(panel.visible.company, VisibleFields::OF_COMPANIES);
        assert_eq!(written(&panel)["contact_source"], "reporter");
    }

    #[test]
    fn what_cannot_be_understood_of_the_panel_is_refused() {
        for body in [
            json!([]),
            json!({ "enabled": 1 }),
            json!({ "on": true }),
            json!({ "contact_source": "both" }),
            json!({ "visible_fields": [] }),
            json!({ "visible_fields": { "people": [] } }),
            json!({ "visible_fields": { "user": "email" } }),
            json!({ "visible_fields": { "user": [1] } }),
            json!({ "visible_fields": { "user": [" "] } }),
            json!({ "visible_fields": { "user": ["a", "a"] } }),
        ] {
            assert!(
                take(&body, &mut PanelSettings::default()).is_err(),
                "{body}"
            );
        }
    }
}
