//! The app's page in the Developer Hub, as far as consent goes: its client id, and the redirect
//! URLs under Configure > Authentication. The first one is the default; the others are used only
//! where `redirect_uri` names them. The real one takes https addresses only; here those on this
//! machine are taken too, which has no certificate.

use askama::Template;
use axum::extract::{Form, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;
use url::{Host, Url};

use crate::common::page::{Platform, Shell, html as render, see_other};

use super::sandbox::Sandbox;

/// Where the page is; `_` stands for the workspace at the real one, too.
pub(super) const PATH: &str = "/a/apps/_/developer-hub";

/// Redirect URLs that the page takes. Intercom states no limit; a list has to end somewhere.
const REDIRECTS_MAX: usize = 20;

#[derive(Template)]
#[template(path = "intercom/developer-hub.html")]
struct HubPage {
    shell: Shell,
    client_id: String,
    redirects: Vec<String>,
    typed: String,
    wrong: Option<&'static str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    url: String,
}

/// What is wrong with a redirect URL.
fn fault(registered: &[String], typed: &str) -> Option<&'static str> {
    let Ok(url) = Url::parse(typed) else {
        return Some("This is no address.");
    };
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && here) {
        return Some("A redirect URL must begin with https://, unless it is on this machine.");
    }
    if registered.iter().any(|known| known == typed) {
        return Some("This redirect URL is registered already.");
    }
    (registered.len() >= REDIRECTS_MAX).then_some("The app has too many redirect URLs.")
}

fn shown(sandbox: &Sandbox, typed: String, wrong: Option<&'static str>) -> Response {
    let page = HubPage {
        shell: Shell::new("Developer Hub", Platform::Intercom, sandbox.neighbours()),
        client_id: sandbox.config().client_id.clone(),
        redirects: sandbox.redirects(),
        typed,
        wrong,
    };
    let status = wrong.map_or(StatusCode::OK, |_| StatusCode::UNPROCESSABLE_ENTITY);
    (status, render(&page)).into_response()
}

pub(super) async fn page(State(sandbox): State<Sandbox>) -> Response {
    shown(&sandbox, String::new(), None)
}

pub(super) async fn register(State(sandbox): State<Sandbox>, Form(typed): Form<Typed>) -> Response {
    let url = typed.url.trim();
    if let Some(wrong) = fault(&sandbox.redirects(), url) {
        return shown(&sandbox, typed.url, Some(wrong));
    }
    sandbox.register_redirect(url);
    see_other(PATH)
}
