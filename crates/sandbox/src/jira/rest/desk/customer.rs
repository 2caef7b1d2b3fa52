//! Customers of the site and of a desk.

use axum::extract::Path;
use serde_json::{Value, json};

use crate::common::sign::random_uuid;

use super::super::super::config::UserConfig;
use super::super::super::error::Refusal;
use super::super::super::state::State;
use super::super::call::{Answer, Caller, Params, Payload, created, nothing, ok};
use super::servicedesk::visible;
use super::{paged, person};

fn forbidden() -> Refusal {
    Refusal::desk(403, "You do not have permission to do this.")
}

pub(super) async fn create(caller: Caller, params: Params, Payload(body): Payload) -> Answer {
    if !caller.user.admin {
        return Err(forbidden());
    }
    let email = body["email"].as_str().unwrap_or_default().trim();
    let name = body["displayName"].as_str().or(body["fullName"].as_str());
    let Some((local, domain)) = email.split_once('@') else {
        return Err(Refusal::desk(400, "The email address is not valid."));
    };
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let Some(name) = name.filter(|_| !local.is_empty() && domain.contains('.')) else {
        return Err(Refusal::desk(
            400,
            "An email and a display name are required.",
        ));
    };
    let (email, name) = (email.to_lowercase(), name.to_owned());
    let strict = params.get("strictConflictStatusCode") == Some("true");
    caller.act(|state| {
        if state
            .users
            .iter()
            .any(|user| user.email.eq_ignore_ascii_case(&email))
        {
            let status = if strict { 409 } else { 400 };
            return Err(Refusal::desk(
                status,
                "An account already exists for this email address.",
            ));
        }
        let cloud = state.is_cloud();
        let account = if cloud {
            format!("qm:{}", random_uuid())
        } else {
            format!("JIRAUSER{}", 20_000 + state.users.len())
        };
        let config = UserConfig {
            email: email.clone(),
            token: None,
            account_type: "customer".to_owned(),
            ..UserConfig::person(&email, &account, &name)
        };
        state.add_user(&config);
        let user = state.user(&account).cloned().ok_or_else(forbidden)?;
        Ok(created(person(caller.view(state), &user)))
    })
}

pub(super) async fn list(caller: Caller, Path(desk): Path<String>, params: Params) -> Answer {
    caller.look(|state, view| {
        let desk = visible(state, &caller, &desk)?;
        if caller.user.is_customer() {
            return Err(forbidden());
        }
        let query = params.get("query").unwrap_or_default().to_lowercase();
        let all = desk
            .customers
            .iter()
            .filter_map(|account| state.user(account))
            .filter(|user| {
                user.display_name.to_lowercase().contains(&query) || user.email.contains(&query)
            })
            .map(|user| person(view, user));
        Ok(ok(paged(&params, all.collect())?))
    })
}

/// The account ids that a body names: `accountIds`, or `usernames` on Data Center.
fn accounts(state: &State, body: &Value) -> (Vec<String>, bool) {
    let key = if state.is_cloud() {
        "accountIds"
    } else {
        "usernames"
    };
    let named: Vec<&str> = body[key]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let known: Vec<String> = named
        .iter()
        .filter_map(|name| state.user(name))
        .map(|user| user.account_id.clone())
        .collect();
    let all = known.len() == named.len() && !named.is_empty();
    (known, all)
}

pub(super) async fn add(
    caller: Caller,
    Path(desk): Path<String>,
    Payload(body): Payload,
) -> Answer {
    change(&caller, &desk, &body, |customers, account| {
        customers.insert(account);
    })
}

pub(super) async fn remove(
    caller: Caller,
    Path(desk): Path<String>,
    Payload(body): Payload,
) -> Answer {
    change(&caller, &desk, &body, |customers, account| {
        customers.remove(&account);
    })
}

fn change(
    caller: &Caller,
    desk: &str,
    body: &Value,
    act: impl Fn(&mut std::collections::BTreeSet<String>, String),
) -> Answer {
    caller.act(|state| {
        let id = visible(state, caller, desk)?.id;
        if !caller.user.admin {
            return Err(forbidden());
        }
        let (known, all) = accounts(state, body);
        if let Some(desk) = state.desks.iter_mut().find(|desk| desk.id == id) {
            for account in known {
                act(&mut desk.customers, account);
            }
        }
        // The ones that exist are dealt with all the same.
        if all {
            Ok(nothing())
        } else {
            Err(Refusal {
                body: json!({ "errorMessage": "Some of the customers do not exist.", "i18nErrorMessage": { "i18nKey": "sd.rest.error", "parameters": [] } }),
                ..Refusal::desk(400, "")
            })
        }
    })
}
