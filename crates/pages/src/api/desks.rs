//! Desks: the same as on their pages. A change names the version that it was made from, as the
//! pages do.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bowline_access::{ChangeRefusal, Look, ManageConnections};
use bowline_domain::ids::SiteName;
use bowline_domain::messaging::ids::DeskName;
use bowline_domain::messaging::language::Language;
use bowline_domain::messaging::settings::{Channels, Notifications};
use bowline_settings::merge::Aside;
use bowline_settings::{DeskForm, DeskNow, Given, StatusLine, import, span};
use serde_json::{Map, Value, json};

use super::caller::Bearer;
use super::channel_accounts;
use super::desk_texts;
use super::problem::Problem;
use super::writes::once;
use crate::App;
use crate::desks::{channels, closing};
use crate::query::Query;

/// The body of a write.
pub(super) struct Body(pub(super) Map<String, Value>);

impl Body {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Problem::invalid("The body is not a JSON object.")),
            Err(error) => Err(Problem::invalid(format!("The body is not JSON: {error}."))),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A text, or null for none.
    pub(super) fn text(&self, name: &str, into: &mut String) -> Result<(), Problem> {
        match self.get(name) {
            None => {}
            Some(Value::Null) => into.clear(),
            Some(Value::String(text)) => into.clone_from(text),
            Some(_) => return Err(Problem::invalid(format!("{name} is a text."))),
        }
        Ok(())
    }

    pub(super) fn flag(&self, name: &str, into: &mut bool) -> Result<(), Problem> {
        match self.get(name) {
            None => {}
            Some(Value::Bool(flag)) => *into = *flag,
            Some(_) => return Err(Problem::invalid(format!("{name} is true or false."))),
        }
        Ok(())
    }

    /// A number, which the form holds as a text.
    pub(super) fn number(&self, name: &str, into: &mut String) -> Result<(), Problem> {
        match self.get(name) {
            None => {}
            Some(Value::Number(number)) => *into = number.to_string(),
            Some(_) => return Err(Problem::invalid(format!("{name} is a number."))),
        }
        Ok(())
    }

    /// Texts, which the form holds with this between them; or one text.
    pub(super) fn list(&self, name: &str, between: &str, into: &mut String) -> Result<(), Problem> {
        match self.get(name) {
            None => {}
            Some(Value::String(text)) => into.clone_from(text),
            Some(Value::Array(entries)) => {
                let texts: Option<Vec<&str>> = entries.iter().map(Value::as_str).collect();
                let texts =
                    texts.ok_or_else(|| Problem::invalid(format!("{name} is a list of texts.")))?;
                if texts.iter().any(|text| text.contains([',', '\n'])) && between == ", " {
                    let words = format!("An entry of {name} holds a comma; give its id.");
                    return Err(Problem::invalid(words));
                }
                *into = texts.join(between);
            }
            Some(_) => return Err(Problem::invalid(format!("{name} is a list of texts."))),
        }
        Ok(())
    }

    pub(super) fn version(&self) -> Result<i64, Problem> {
        self.get("version").and_then(Value::as_i64).ok_or_else(|| {
            Problem::invalid("Send the version that the change was made from, as GET told it.")
        })
    }
}

/// The version in an address.
pub(super) fn version_of(query: &Query) -> Result<i64, Problem> {
    query.text("version").parse().map_err(|_| {
        Problem::invalid("Name the version that is to be removed, as GET told it: ?version=7.")
    })
}

/// A refusal as a problem.
pub(super) fn refused(refusal: ChangeRefusal) -> Problem {
    match refusal {
        ChangeRefusal::Gone => Problem::not_found("There is no such thing, or it is declared."),
        ChangeRefusal::Failed(error) => error.into(),
        refusal @ ChangeRefusal::Overtaken => {
            Problem::new(StatusCode::CONFLICT, "overtaken", refusal.to_string())
        }
        ChangeRefusal::Faults(faults) => {
            let words: Vec<String> = faults
                .into_iter()
                .map(|fault| match fault.field {
                    "form" => fault.words,
                    field => format!("{field}: {}", fault.words),
                })
                .collect();
            Problem::invalid(words.join(" "))
        }
        refusal => Problem::invalid(refusal.to_string()),
    }
}

/// The settings of a desk, as they are written.
fn settings(now: &DeskNow) -> Value {
    let (config, desk) = (&now.config, &now.config.desk);
    let channels = match &desk.channels {
        Channels::All => json!("all"),
        Channels::Only(named) => {
            let named = named.iter().map(|id| json!(id.as_str()));
            Value::Array(named.collect())
        }
    };
    let closing: Vec<String> = desk.closing.iter().map(import::status).collect();
    let mut told: Map<String, Value> = Map::new();
    for (status, text) in &desk.notifications.by_status {
        let text = text.clone().map_or(Value::Bool(false), Value::String);
        told.insert(status.clone(), text);
    }
    let others = match &desk.notifications {
        Notifications {
            others: true,
            usual: Some(text),
            ..
        } => json!(text),
        notifications => json!(notifications.others),
    };
    told.insert("*".to_owned(), others);
    let template = desk.window_template.as_ref().map(|template| {
        json!({
            "name": template.name,
            "language": template.language,
            "namespace": template.namespace,
            "values": template.values,
            "text": template.text,
            "by_itself": template.by_itself,
        })
    });
    let seconds = |ms: i64| u32::try_from(ms / 1_000).unwrap_or(u32::MAX);
    json!({
        "account": desk.account.as_str(),
        "channels": channels,
        "site": desk.site.as_str(),
        "service_desk": config.service_desk,
        "request_type": config.request_type,
        "reporter": config.reporter,
        "fields": config.fields,
        "status_notifications": told,
        "closing": closing,
        "reopen_within": span(seconds(desk.reopen_within_ms)),
        "quiet_seconds": desk.quiet_ms / 1_000,
        "requests_per_hour": desk.requests_per_hour_max,
        "attachments_out": desk.attachments_out,
        "window_template": template,
        "language": desk.language.as_ref().map(Language::as_str),
        "texts": desk.texts.iter().map(desk_texts::written).collect::<Vec<_>>(),
    })
}

fn written(now: &DeskNow) -> Value {
    let (config, desk) = (&now.config, &now.config.desk);
    let kept = now.kept.as_ref();
    json!({
        "name": desk.name.as_str(),
        "account": desk.account.as_str(),
        "channels": channels(desk),
        "site": desk.site.as_str(),
        "service_desk": config.service_desk,
        // Kept ones are stored by id; people know the name.
        "request_type": kept.map_or(&config.request_type, |row| &row.value.request_type_name),
        "reporter": config.reporter,
        "closing": closing(desk),
        "status_notifications": desk.notifications.others,
        "attachments_out": desk.attachments_out,
        "requests_per_hour": desk.requests_per_hour_max,
        "declared": kept.is_none(),
        "version": kept.map(|row| row.version),
        "in_use": now.aside.is_none(),
        "not_in_use": now.aside.as_ref().map(Aside::words),
        "settings": settings(now),
    })
}

fn answer(app: &App, name: &str) -> Result<Value, Problem> {
    let now = app.settings.desk(name);
    now.as_ref()
        .map(written)
        .ok_or_else(|| Problem::not_found("There is no such desk."))
}

pub(super) async fn list(State(app): State<App>, _by: Bearer<Look>) -> Json<Value> {
    let items: Vec<Value> = app.settings.desks().iter().map(written).collect();
    let accounts = app.settings.accounts();
    let accounts: Vec<Value> = accounts
        .iter()
        .map(|now| channel_accounts::written(&app, now))
        .collect();
    Json(json!({ "items": items, "accounts": accounts }))
}

pub(super) async fn one(
    State(app): State<App>,
    Path(name): Path<String>,
    _by: Bearer<Look>,
) -> Result<Json<Value>, Problem> {
    let mut found = answer(&app, &name)?;
    let open = app.settings.open_talks(&DeskName::new(name)).await;
    found["open_conversations"] = json!(open.map_err(refused)?);
    Ok(Json(found))
}

/// What Jira offers for a desk.
pub(super) async fn choices(
    State(app): State<App>,
    _by: Bearer<ManageConnections>,
    query: Query,
) -> Json<Value> {
    let site = SiteName::new(query.text("site"));
    let settings = &app.settings;
    let found = settings
        .desk_choices(
            &site,
            query.text("service_desk"),
            query.text("request_type"),
        )
        .await;
    let named = |(id, name): &(String, String)| json!({ "id": id, "name": name });
    let needed = found.needed.iter().map(|field| {
        let values: Vec<Value> = field.values.iter().map(named).collect();
        json!({ "id": field.id, "name": field.name, "values": values })
    });
    let needed: Vec<Value> = needed.collect();
    Json(json!({
        "service_desks": found.service_desks.iter().map(named).collect::<Vec<_>>(),
        "service_desk": found.service_desk,
        "request_types": found.request_types.iter().map(named).collect::<Vec<_>>(),
        "request_type": found.request_type,
        "needed_fields": needed,
        "statuses": found.statuses,
        "trouble": found.trouble,
    }))
}

/// Takes what the body names.
fn take(body: &Body, form: &mut DeskForm) -> Result<(), Problem> {
    body.text("name", &mut form.name)?;
    body.text("account", &mut form.account)?;
    body.list("channels", ", ", &mut form.channels)?;
    body.text("site", &mut form.site)?;
    body.text("service_desk", &mut form.service_desk)?;
    body.text("request_type", &mut form.request_type)?;
    body.text("reporter", &mut form.reporter)?;
    body.list("closing", ", ", &mut form.closing)?;
    body.text("reopen_within", &mut form.reopen_within)?;
    body.number("quiet_seconds", &mut form.quiet_seconds)?;
    body.number("requests_per_hour", &mut form.requests_per_hour)?;
    body.flag("attachments_out", &mut form.attachments_out)?;
    match body.get("fields") {
        None => {}
        Some(Value::Object(fields)) => {
            let given = fields.iter().map(|(id, value)| {
                let value = match value {
                    Value::String(text) => Given::Text(text.clone()),
                    value => Given::Value(value.clone()),
                };
                (id.clone(), value)
            });
            form.fields = given.collect();
        }
        Some(_) => return Err(Problem::invalid("fields is an object: values by field id.")),
    }
    if let Some(told) = body.get("status_notifications") {
        take_told(told, form)?;
    }
    match body.get("window_template") {
        None => {}
        Some(Value::Null) => {
            form.template.clear();
            form.template_by_itself = false;
        }
        Some(Value::Object(template)) => {
            let template = Body(template.clone());
            template.text("name", &mut form.template)?;
            template.text("language", &mut form.template_language)?;
            template.text("namespace", &mut form.template_namespace)?;
            template.list("values", "\n", &mut form.template_values)?;
            template.text("text", &mut form.template_text)?;
            template.flag("by_itself", &mut form.template_by_itself)?;
        }
        Some(_) => return Err(Problem::invalid("window_template is an object, or null.")),
    }
    body.text("language", &mut form.language)?;
    if let Some(texts) = body.get("texts") {
        form.texts = desk_texts::read(texts)?;
    }
    Ok(())
}

/// As the configuration file has it: true, false, or by status a text or false.
fn take_told(told: &Value, form: &mut DeskForm) -> Result<(), Problem> {
    form.statuses.clear();
    form.usual.clear();
    let lines = match told {
        Value::Bool(others) => {
            form.tell_others = *others;
            return Ok(());
        }
        Value::Object(lines) => lines,
        _ => {
            return Err(Problem::invalid(
                "status_notifications is true, false, or an object by status.",
            ));
        }
    };
    form.tell_others = true;
    for (status, line) in lines {
        match line {
            Value::Bool(others) if status == "*" => form.tell_others = *others,
            Value::String(text) if status == "*" && !text.trim().is_empty() => {
                form.usual.clone_from(text);
            }
            Value::Bool(false) => form.statuses.push(StatusLine {
                status: status.clone(),
                text: String::new(),
                silent: true,
            }),
            Value::String(text) if !text.trim().is_empty() => {
                form.statuses.push(StatusLine {
                    status: status.clone(),
                    text: text.clone(),
                    silent: false,
                });
            }
            _ => {
                let words = format!(
                    "The notification of the status “{status}” is a text, or false to tell nothing."
                );
                return Err(Problem::invalid(words));
            }
        }
    }
    Ok(())
}

pub(super) async fn add(
    State(app): State<App>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("desks {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let mut form = DeskForm::default();
        take(&Body::read(&body)?, &mut form)?;
        let made = app.settings.add_desk(&by.0, &form).await;
        answer(&app, &made.map_err(refused)?.name)
    });
    once(&app, by.who(), &headers, &request, write).await
}

pub(super) async fn change(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("desks/{name} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let body = Body::read(&body)?;
        let from = body.version()?;
        let now = app.settings.desk(&name);
        let kept = now.as_ref().and_then(|now| now.kept.as_ref());
        let mut form = kept.map_or_else(DeskForm::default, |row| DeskForm::of(&name, &row.value));
        take(&body, &mut form)?;
        let changed = app.settings.change_desk(&by.0, (&name, from), &form);
        changed.await.map_err(refused)?;
        answer(&app, &name)
    });
    once(&app, by.who(), &headers, &request, write).await
}

pub(super) async fn remove(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageConnections>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let anyway = query.text("anyway") == "true";
    let request = format!("remove desks/{name} {} {anyway}", query.text("version"));
    let write = Box::pin(async {
        let from = version_of(&query)?;
        let removed = app.settings.remove_desk(&by.0, (&name, from), anyway);
        removed.await.map_err(refused)?;
        Ok(json!({ "removed": name }))
    });
    once(&app, by.who(), &headers, &request, write).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value) -> Result<DeskForm, Problem> {
        let mut form = DeskForm::default();
        let body = Body::read(body.to_string().as_bytes())?;
        take(&body, &mut form).map(|()| form)
    }

    #[test]
    fn what_is_named_is_taken_and_the_rest_stays() {
        let form = read(&json!({
            "channels": ["one", "two"], "quiet_seconds": 0,
            "status_notifications": { "*": false, "Waiting": "We wait" },
            "window_template": { "name": "back", "values": ["{key}", "a, b"] },
        }))
        .unwrap();
        assert_eq!(form.channels, "one, two");
        assert_eq!(form.closing, "category:done");
        assert!(!form.tell_others && form.statuses.len() == 1);
        assert_eq!(form.template_values, "{key}\na, b");
    }

    #[test]
    fn what_cannot_be_understood_is_refused_whole() {
        for body in [
            json!([]),
            json!({ "name": 1 }),
            json!({ "channels": [1] }),
            json!({ "closing": ["Done, really"] }),
            json!({ "quiet_seconds": "3" }),
            json!({ "fields": [] }),
            json!({ "status_notifications": "yes" }),
            json!({ "status_notifications": { "Done": true } }),
            json!({ "window_template": "back" }),
            json!({ "attachments_out": 1 }),
        ] {
            assert!(read(&body).is_err(), "{body}");
        }
    }
}
