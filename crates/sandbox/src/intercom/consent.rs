//! The page on which a teammate lets an app into the workspace (`https://app.intercom.com/oauth`).
//!
//! It takes `client_id`, `state` and, if it is one of those registered at the app, `redirect_uri`;
//! no scope, no PKCE, no response_type. Back go `code` and `state`. A code can end in `=`. The real
//! one takes https return addresses only; here those on this machine are taken too, which has no
//! certificate.

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;
use url::Url;

use crate::common::page::{Platform, Shell, html as render, see_other};

use super::sandbox::Sandbox;

#[derive(Template)]
#[template(path = "intercom/consent.html")]
struct ConsentPage {
    shell: Shell,
    workspace: String,
    who: String,
    client_id: String,
    state: String,
    redirect_uri: String,
    wrong: Option<&'static str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    client_id: String,
    state: String,
    redirect_uri: String,
}

/// Where to go back to, or what is wrong with what is asked.
fn back(sandbox: &Sandbox, asked: &Asked) -> Result<Url, &'static str> {
    if asked.client_id != sandbox.config().client_id {
        return Err("There is no app with this client id.");
    }
    let registered = sandbox.redirects();
    let wanted = match asked.redirect_uri.as_str() {
        "" => registered.first().cloned().unwrap_or_default(),
        named => named.to_owned(),
    };
    if !registered.contains(&wanted) {
        return Err("The redirect URL is not one of those that are registered at the app.");
    }
    Url::parse(&wanted).map_err(|_| "The redirect URL is no address.")
}

pub(super) async fn page(State(sandbox): State<Sandbox>, Query(asked): Query<Asked>) -> Response {
    let wrong = back(&sandbox, &asked).err();
    let config = sandbox.config();
    let who = config
        .admins
        .first()
        .map_or_else(String::new, |admin| admin.name.clone());
    let page = ConsentPage {
        shell: Shell::new("Let an app in", Platform::Intercom, sandbox.neighbours()),
        workspace: config.workspace.clone(),
        who,
        client_id: asked.client_id,
        state: asked.state,
        redirect_uri: asked.redirect_uri,
        wrong,
    };
    let status = if wrong.is_some() {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    (status, render(&page)).into_response()
}

pub(super) async fn give(State(sandbox): State<Sandbox>, Form(asked): Form<Asked>) -> Response {
    match back(&sandbox, &asked) {
        Ok(mut url) => {
            url.query_pairs_mut()
                .append_pair("code", &sandbox.issue_code())
                .append_pair("state", &asked.state);
            see_other(url.as_str())
        }
        Err(wrong) => (StatusCode::BAD_REQUEST, wrong).into_response(),
    }
}
