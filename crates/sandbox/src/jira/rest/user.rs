//! Users and rights.

use serde_json::{Map, Value, json};

use super::super::error::Refusal;
use super::super::state::PERMISSIONS;
use super::call::{Answer, Caller, Params, ok};

/// Most users of one page.
const MAX_PAGE: usize = 1_000;

pub(super) async fn myself(caller: Caller) -> Answer {
    caller.look(|state, view| {
        let mut shown = view.user(&caller.user);
        shown["locale"] = "en_US".into();
        if state.is_cloud() {
            shown["groups"] = json!({ "size": 1, "items": [] });
            shown["applicationRoles"] = json!({ "size": 1, "items": [] });
        }
        let mut response = ok(shown);
        if let Ok(account) = caller.user.account_id.parse() {
            response.headers_mut().insert("x-aaccountid", account);
        }
        Ok(response)
    })
}

pub(super) async fn one(caller: Caller, params: Params) -> Answer {
    caller.look(|state, view| {
        let name = if state.is_cloud() {
            params.get("accountId").ok_or_else(|| {
                Refusal::bad("'accountId' must be the only user identifying query parameter in GDPR strict mode.")
            })?
        } else {
            params.get("username").or(params.get("key")).ok_or_else(|| Refusal::bad("Either 'username' or 'key' is required."))?
        };
        let found = state.user(name).filter(|user| user.email != name);
        match found {
            Some(user) => Ok(ok(view.user(user))),
            None if state.is_cloud() => Err(Refusal::message(404, "Specified user does not exist or you do not have required permissions")),
            None => Err(Refusal::message(404, format!("The user named '{name}' does not exist"))),
        }
    })
}

pub(super) async fn search(caller: Caller, params: Params) -> Answer {
    let (start, size) = (
        params.number("startAt", 0)?,
        params.number("maxResults", 50)?.min(MAX_PAGE),
    );
    caller.look(|state, view| {
        let query = if state.is_cloud() {
            let given = params.get("query").or(params.get("accountId"));
            given.ok_or_else(|| Refusal::bad("At least one of the following query parameters is required: query, accountId, property"))?
        } else {
            params.get("username").ok_or_else(|| Refusal::bad("The username query parameter was not provided"))?
        };
        if !state.may(&caller.user, "USER_PICKER") {
            return Ok(ok(json!([])));
        }
        let query = query.to_lowercase();
        let found: Vec<Value> = state
            .users
            .iter()
            .filter(|user| {
                let names = user.display_name.to_lowercase();
                let known_by = [&names, &user.account_id.to_lowercase(), &user.name];
                // A hidden address is found only whole.
                let address = if user.email_visible { user.email.starts_with(&query) } else { user.email == query };
                query.is_empty() || query == "." || address || known_by.iter().any(|name| name.split(' ').any(|w| w.starts_with(&query)) || name.starts_with(&query))
            })
            .skip(start)
            .take(size)
            .map(|user| view.user(user))
            .collect();
        Ok(ok(found.into()))
    })
}

pub(super) async fn permissions(caller: Caller, params: Params) -> Answer {
    let wanted = params.list("permissions");
    caller.look(|state, _| {
        if wanted.is_empty() && state.is_cloud() {
            return Err(Refusal::bad(
                "The 'permissions' query parameter is required.",
            ));
        }
        if let Some(unknown) = wanted
            .iter()
            .find(|name| !PERMISSIONS.contains(&name.as_str()))
        {
            return Err(Refusal::bad(format!("Unrecognized permission: {unknown}")));
        }
        if let Some(key) = params.get("issueKey").or(params.get("issueId")) {
            state.visible_issue(&caller.user, key)?;
        }
        let mut hidden = false;
        if let Some(key) = params.get("projectKey").or(params.get("projectId")) {
            let project = state
                .project(key)
                .ok_or_else(|| super::project::missing(key))?;
            hidden = !state.may_see_project(&caller.user, project);
        }
        let shown: Map<String, Value> = PERMISSIONS
            .iter()
            .zip(10..)
            .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|w| w == *name))
            .map(|(name, id)| {
                let have = !hidden && state.may(&caller.user, name);
                let kind = if matches!(*name, "ADMINISTER" | "USER_PICKER") {
                    "GLOBAL"
                } else {
                    "PROJECT"
                };
                let entry = json!({
                    "id": id.to_string(), "key": name, "name": name.replace('_', " "), "type": kind,
                    "description": "", "havePermission": have,
                });
                ((*name).to_owned(), entry)
            })
            .collect();
        Ok(ok(json!({ "permissions": shown })))
    })
}
