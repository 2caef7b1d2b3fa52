//! What the site is and what its issues are made of.

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use crate::common::clock::now_ms;

use super::super::error::Refusal;
use super::super::model::{
    CUSTOM_FIELDS, FINISHED, ISSUE_TYPES, NEW, NUMBER_FIELDS, PRIORITIES, UNDER_WAY, every_status,
};
use super::super::stamp;
use super::super::view::{SYSTEM_FIELDS, View, field_name};
use super::call::{Answer, Caller, Context, Params, ok};

/// Largest page of create metadata.
const MAX_PAGE: usize = 200;

/// Anybody may ask this, even with wrong credentials.
pub(super) async fn server_info(State(context): State<Context>) -> Response {
    context.site.read(|state| {
        let cloud = state.is_cloud();
        let (version, numbers, build) = if cloud {
            ("1001.0.0-SNAPSHOT", [1001, 0, 0], 100_287)
        } else {
            ("10.3.24", [10, 3, 24], 10_030_024)
        };
        let mut info = json!({
            "baseUrl": &*state.base,
            "version": version,
            "versionNumbers": numbers,
            "deploymentType": if cloud { "Cloud" } else { "Server" },
            "buildNumber": build,
            "buildDate": stamp::rest(0, state.utc_offset_minutes),
            "serverTime": stamp::rest(now_ms(), state.utc_offset_minutes),
            "scmInfo": "sandbox",
            "serverTitle": "Jira",
        });
        if cloud {
            info["displayUrl"] = (&*state.base).into();
            info["serverTimeZone"] = "Europe/Berlin".into();
            info["defaultLocale"] = json!({ "locale": "en_US" });
        }
        ok(info)
    })
}

pub(super) async fn tenant_info(State(context): State<Context>) -> Response {
    ok(json!({ "cloudId": context.site.cloud_id() }))
}

pub(super) async fn issue_types(caller: Caller) -> Answer {
    caller.look(|_, view| {
        Ok(ok(ISSUE_TYPES
            .iter()
            .map(|t| view.issue_type(t.0))
            .collect()))
    })
}

pub(super) async fn statuses(caller: Caller) -> Answer {
    caller.look(|_, view| Ok(ok(every_status().map(|s| view.status(s)).collect())))
}

pub(super) async fn status(caller: Caller, Path(name): Path<String>) -> Answer {
    caller.look(|_, view| {
        let found =
            every_status().find(|s| s.id.to_string() == name || s.name.eq_ignore_ascii_case(&name));
        found
            .map(|s| ok(view.status(s)))
            .ok_or_else(|| Refusal::message(404, format!("Status with id '{name}' not found")))
    })
}

pub(super) async fn categories(caller: Caller) -> Answer {
    caller.look(|_, view| {
        Ok(ok([NEW, UNDER_WAY, FINISHED]
            .iter()
            .map(|c| view.category(*c))
            .collect()))
    })
}

pub(super) async fn priorities(caller: Caller) -> Answer {
    caller.look(|_, view| Ok(ok(PRIORITIES.iter().map(|p| view.priority(p.0)).collect())))
}

pub(super) async fn fields(_caller: Caller) -> Answer {
    let system = SYSTEM_FIELDS.iter().map(|id| {
        json!({
            "id": id, "key": id, "name": field_name(id), "custom": false, "orderable": true, "navigable": true,
            "searchable": true, "clauseNames": [id], "schema": schema(id),
        })
    });
    let custom = CUSTOM_FIELDS.iter().map(|(id, name, _)| {
        json!({
            "id": id, "key": id, "name": name, "custom": true, "orderable": true, "navigable": true, "searchable": true,
            "clauseNames": [custom_clause(id), name], "schema": schema(id),
        })
    });
    let numbers = NUMBER_FIELDS.iter().map(|(id, name)| {
        json!({
            "id": id, "key": id, "name": name, "custom": true, "orderable": true, "navigable": true, "searchable": true,
            "clauseNames": [custom_clause(id), name], "schema": schema(id),
        })
    });
    Ok(ok(system.chain(custom).chain(numbers).collect()))
}

pub(super) async fn create_types(
    caller: Caller,
    Path(project): Path<String>,
    params: Params,
) -> Answer {
    let (start, size) = page_of(&params)?;
    known(&caller, &project)?;
    caller.look(|state, view| {
        let all: Vec<Value> = ISSUE_TYPES.iter().map(|t| view.issue_type(t.0)).collect();
        Ok(ok(page(state.is_cloud(), "issueTypes", all, start, size)))
    })
}

pub(super) async fn create_fields(
    caller: Caller,
    Path((project, issue_type)): Path<(String, String)>,
    params: Params,
) -> Answer {
    let (start, size) = page_of(&params)?;
    known(&caller, &project)?;
    let Some(issue_type) = ISSUE_TYPES.iter().find(|t| t.0.to_string() == issue_type) else {
        return Err(Refusal::bad(format!(
            "No issue type could be found with id '{issue_type}'."
        )));
    };
    caller.look(|state, view| {
        let all = [
            "summary",
            "issuetype",
            "project",
            "description",
            "assignee",
            "reporter",
            "priority",
            "labels",
        ]
        .into_iter()
        .chain(CUSTOM_FIELDS.iter().map(|field| field.0))
        .chain(NUMBER_FIELDS.iter().map(|field| field.0))
        .map(|id| create_field(view, id, issue_type.0))
        .collect();
        Ok(ok(page(state.is_cloud(), "fields", all, start, size)))
    })
}

/// What the caller may set of an issue: nothing without the permission, and nothing that is on no
/// screen.
pub(super) async fn edit_fields(caller: Caller, Path(issue): Path<String>) -> Answer {
    caller.look(|state, view| {
        let issue = state.visible_issue(&caller.user, &issue)?;
        let mut fields = serde_json::Map::new();
        if state.may(&caller.user, "EDIT_ISSUES") {
            let system = ["summary", "description", "assignee", "priority", "labels"].into_iter();
            let custom = CUSTOM_FIELDS.iter().map(|field| field.0);
            let all = system
                .chain(custom)
                .chain(NUMBER_FIELDS.iter().map(|field| field.0));
            for id in all.filter(|id| !state.off_screen.contains(*id)) {
                fields.insert(id.to_owned(), create_field(view, id, issue.issue_type));
            }
        }
        Ok(ok(json!({ "fields": fields })))
    })
}

fn create_field(view: View<'_>, id: &str, issue_type: u64) -> Value {
    let operations = if id == "labels" {
        json!(["add", "set", "remove"])
    } else {
        json!(["set"])
    };
    let mut field = json!({
        "required": matches!(id, "summary" | "issuetype" | "project" | "reporter"),
        "schema": schema(id), "name": field_name(id), "key": id, "fieldId": id,
        "hasDefaultValue": matches!(id, "priority" | "reporter"), "operations": operations,
    });
    match id {
        "issuetype" => field["allowedValues"] = json!([view.issue_type(issue_type)]),
        "priority" => {
            field["allowedValues"] = PRIORITIES.iter().map(|p| view.priority(p.0)).collect();
        }
        "assignee" | "reporter" => {
            field["autoCompleteUrl"] = view.link("user/search?query=").into();
        }
        _ => {}
    }
    field
}

fn known(caller: &Caller, project: &str) -> Result<(), Refusal> {
    caller.look(|state, _| {
        let visible = state
            .project(project)
            .is_some_and(|found| state.may_see_project(&caller.user, found));
        if visible {
            Ok(())
        } else {
            Err(Refusal::bad(format!(
                "No project could be found with key '{project}'."
            )))
        }
    })
}

fn page_of(params: &Params) -> Result<(usize, usize), Refusal> {
    Ok((
        params.number("startAt", 0)?,
        params.number("maxResults", 50)?.min(MAX_PAGE),
    ))
}

/// A page of create metadata: it never says whether it is the last. Data Center calls the list `values`.
fn page(cloud: bool, name: &str, all: Vec<Value>, start: usize, size: usize) -> Value {
    let total = all.len();
    let list: Vec<Value> = all.into_iter().skip(start).take(size).collect();
    let mut page = json!({ "maxResults": size, "startAt": start, "total": total });
    if cloud {
        page[name] = list.into();
    } else {
        page["isLast"] = (start + list.len() >= total).into();
        page["values"] = list.into();
    }
    page
}

fn custom_clause(id: &str) -> String {
    id.replace("customfield_", "cf[") + "]"
}

fn schema(id: &str) -> Value {
    if NUMBER_FIELDS.iter().any(|field| field.0 == id) {
        let number: Option<u64> = id.rsplit('_').next().and_then(|n| n.parse().ok());
        let custom = "com.atlassian.jira.plugin.system.customfieldtypes:float";
        return json!({ "type": "number", "custom": custom, "customId": number });
    }
    if let Some((_, _, rich)) = CUSTOM_FIELDS.iter().find(|field| field.0 == id) {
        let kind = if *rich { "textarea" } else { "textfield" };
        let number: u64 = id
            .rsplit('_')
            .next()
            .and_then(|n| n.parse().ok())
            .unwrap_or_default();
        let custom = format!("com.atlassian.jira.plugin.system.customfieldtypes:{kind}");
        return json!({ "type": "string", "custom": custom, "customId": number });
    }
    let kind = match id {
        "assignee" | "reporter" | "creator" => "user",
        "created" | "updated" | "resolutiondate" | "lastViewed" | "statuscategorychangedate" => {
            "datetime"
        }
        "duedate" => "date",
        "priority" | "status" | "project" | "issuetype" | "resolution" | "watches" | "votes"
        | "progress" => id,
        "security" => "securitylevel",
        "labels" => return json!({ "type": "array", "items": "string", "system": id }),
        "comment" => "comments-page",
        "attachment" | "issuelinks" | "subtasks" | "components" | "versions" | "fixVersions" => {
            return json!({ "type": "array", "items": id.trim_end_matches('s'), "system": id });
        }
        "workratio"
        | "timespent"
        | "timeestimate"
        | "timeoriginalestimate"
        | "aggregatetimespent"
        | "aggregatetimeestimate"
        | "aggregatetimeoriginalestimate" => "number",
        _ => "string",
    };
    json!({ "type": kind, "system": id })
}
