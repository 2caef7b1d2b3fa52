//! The web application: signing in, looking in, finding out why.
//!
//! Pages are rendered on the server and work without script; two small scripts add comfort. Who
//! may see a page or send a form is in the type of its handler: [`caller::Caller`] for a page,
//! [`caller::Posted`] for a form, which also checks that the form is ours.

mod account;
mod alerts;
mod answer;
mod api;
mod approved;
mod assets;
mod audit;
mod binding;
mod binding_form;
mod bindings;
mod caller;
mod channel_accounts;
mod component;
mod connecting;
mod connection;
mod connection_form;
mod connections;
mod contacts;
mod conversation;
mod conversations;
mod cookie;
mod deliveries;
mod delivery;
mod desk;
mod desks;
mod elsewhere;
mod end_users;
mod enter;
mod error;
mod export;
mod feedback;
mod fields;
mod held_answers;
mod held_messages;
mod help;
mod link_import;
mod links;
mod needs;
mod notice;
mod overview;
mod panel;
mod people;
mod plain;
mod plot;
mod problems;
mod query;
mod reader;
mod replay;
mod report;
mod second_factor;
mod security;
mod shell;
mod sign_in;
mod sought;
mod spoken;
mod talk_words;
mod tally;
mod tokens;
mod trying;
mod upload;
mod why;
mod why_feedback;
mod words;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};
use bowline_access::{Access, FrameKey};
use bowline_domain::connection::Connection;
use bowline_domain::ids::{SiteName, WorkspaceName};
use bowline_engine::shared::Shared;

pub use elsewhere::{Elsewhere, ElsewhereNow};
use overview::Remembered;

/// What the pages are made of.
pub struct Setup {
    /// The running engine.
    pub shared: Arc<Shared>,
    /// Accounts and sessions.
    pub access: Access,
    /// What is configured, in the file and on pages.
    pub settings: bowline_settings::Settings,
    /// Do people reach the service by https? Cookies are then sent by https only.
    pub https: bool,
    /// Whose pages may show the issue panel in a frame.
    pub frames: Frames,
    /// The provider that people sign in with.
    pub elsewhere: ElsewhereNow,
}

/// Whose pages may show the issue panel in a frame.
#[derive(Clone, Default)]
pub struct Frames {
    /// The origins of those pages.
    pub hosts: Vec<String>,
    /// What their tokens are signed with; without it there are no frames.
    pub key: Option<FrameKey>,
}

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) shared: Arc<Shared>,
    pub(crate) access: Access,
    pub(crate) settings: bowline_settings::Settings,
    pub(crate) https: bool,
    pub(crate) days: Arc<Mutex<Option<Remembered>>>,
    pub(crate) frames: Arc<Frames>,
    pub(crate) elsewhere: ElsewhereNow,
}

impl App {
    /// The sites that are configured.
    pub(crate) fn sites(&self) -> Vec<SiteName> {
        let all = self.shared.connections_now().into_iter();
        all.filter_map(|one| match one.connection {
            Connection::Site(name) => Some(name),
            Connection::Workspace(_) | Connection::Account(_) => None,
        })
        .collect()
    }

    /// The workspaces that are configured.
    pub(crate) fn workspaces(&self) -> Vec<WorkspaceName> {
        let all = self.shared.connections_now().into_iter();
        all.filter_map(|one| match one.connection {
            Connection::Workspace(name) => Some(name),
            Connection::Site(_) | Connection::Account(_) => None,
        })
        .collect()
    }
}

/// The addresses that people open.
pub fn router(setup: Setup) -> Router {
    let app = App {
        shared: setup.shared,
        access: setup.access,
        settings: setup.settings,
        https: setup.https,
        days: Arc::default(),
        frames: Arc::new(setup.frames),
        elsewhere: setup.elsewhere,
    };
    table()
        .fallback(error::nowhere)
        .layer(middleware::from_fn_with_state(
            app.clone(),
            security::protect,
        ))
        .with_state(app)
}

/// The addresses that are served, as the router has them; for the check that all of the API is
/// described.
pub fn addresses() -> Vec<String> {
    // The router does not list its routes, but shows them: `RouteId(7): "/links"`.
    let shown = format!("{:?}", table());
    let shown = shown.split("RouteId(").filter_map(|entry| {
        let (_, path) = entry.split_once("): \"")?;
        Some(path.split_once('"')?.0.to_owned())
    });
    let mut found: Vec<String> = shown.filter(|path| path.starts_with('/')).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Every address with its handlers.
fn table() -> Router<App> {
    let strangers = Router::new()
        .route(
            "/setup",
            get(sign_in::first_visit).post(sign_in::make_owner),
        )
        .route("/sign-in", get(sign_in::page).post(sign_in::sign_in))
        .route(
            "/sign-in/code",
            get(sign_in::code_page).post(sign_in::enter_code),
        )
        .route("/sign-in/oidc", get(elsewhere::go))
        .route("/sign-in/oidc/back", get(elsewhere::back))
        .route("/welcome/oidc", post(elsewhere::welcome))
        .route(
            "/welcome",
            get(sign_in::welcome).post(sign_in::choose_password),
        )
        .route("/assets/{name}", get(assets::serve));
    let accounts = Router::new()
        .route("/sign-out", post(sign_in::sign_out))
        .route("/account", get(account::page))
        .route("/account/password", post(account::change_password))
        .route("/account/oidc", post(elsewhere::change_own))
        .route("/account/look", post(account::change_look))
        .route("/account/sessions/end", post(account::end_session))
        .route(
            "/account/second-factor",
            get(second_factor::page).post(second_factor::change),
        )
        .route("/tokens", get(tokens::page).post(tokens::make))
        .route("/tokens/end", post(tokens::end))
        .route("/people", get(people::list).post(people::add))
        .route("/people/{id}", get(people::one).post(people::change))
        .route("/people/{id}/reset", post(people::reset))
        .route("/people/{id}/end-sessions", post(people::end_sessions))
        .route(
            "/people/{id}/remove-second-factor",
            post(people::remove_second_factor),
        )
        .route("/people/{id}/part-identity", post(people::part_identity))
        .route("/audit", get(audit::page))
        .route("/audit/export.csv", get(audit::export_csv))
        .route("/audit/export.json", get(audit::export_json));
    let looking = Router::new()
        .route("/", get(overview::page))
        .route("/deliveries", get(deliveries::page))
        .route("/deliveries/replay", get(replay::page).post(replay::act))
        .route("/deliveries/{id}", get(delivery::page))
        .route("/deliveries/{id}/replay", post(delivery::replay))
        .route("/why", get(why::page))
        .route("/search", get(why::search))
        .route("/links", get(links::page))
        .route("/links/add", post(links::add))
        .route("/links/remove", post(links::remove))
        .route(
            "/links/import",
            get(link_import::page).post(link_import::import),
        )
        .route("/links/export.csv", get(links::export_csv))
        .route("/links/export.json", get(links::export_json))
        .route("/links/report", get(report::page))
        .route("/links/report.csv", get(report::export_csv))
        .route("/links/report.json", get(report::export_json))
        .route("/problems", get(problems::page))
        .route("/help", get(help::page));
    let configuring = Router::new()
        .route("/alerts", get(alerts::page))
        .route("/alerts/test", post(alerts::test))
        .route("/connections", get(connections::page))
        .route(
            "/connections/add/site",
            get(connecting::site).post(connecting::add_site),
        )
        .route(
            "/connections/add/workspace",
            get(connecting::workspace).post(connecting::add_workspace),
        )
        .route(
            "/connections/add/consent",
            get(connecting::consent).post(connecting::add_consent),
        )
        .route(
            "/connections/add/messagebird",
            get(channel_accounts::messagebird).post(channel_accounts::add_messagebird),
        )
        .route(
            "/connections/add/whatsapp",
            get(channel_accounts::whatsapp).post(channel_accounts::add_whatsapp),
        )
        .route("/connections/account/{name}", get(connection::account))
        .route(
            "/connections/account/{name}/{what}",
            post(channel_accounts::change),
        )
        .route("/connections/site/{name}", get(connection::site))
        .route(
            "/connections/site/{name}/{what}",
            post(connection_form::change_site),
        )
        .route("/connections/workspace/{name}", get(connection::workspace))
        .route(
            "/connections/workspace/{name}/back",
            get(connection_form::back),
        )
        .route(
            "/connections/workspace/{name}/{what}",
            post(connection_form::change_workspace),
        )
        .route("/bindings", get(bindings::page).post(bindings::add))
        .route("/bindings/{site}/{project}", get(binding::page))
        .route(
            "/bindings/{site}/{project}/fields",
            get(fields::page).post(fields::change),
        )
        .route("/bindings/{site}/{project}/try", get(trying::page))
        .route(
            "/bindings/{site}/{project}/{what}",
            post(binding_form::change),
        );
    let talks = Router::new()
        .route("/conversations", get(conversations::page))
        .route(
            "/conversations/{account}/{end_user}/{generation}",
            get(conversation::page),
        )
        .route(
            "/conversations/{account}/{end_user}/{generation}/sends",
            post(conversation::sends),
        )
        .route(
            "/conversations/{account}/{end_user}/{generation}/approved",
            post(approved::send),
        )
        .route("/end-users", get(end_users::list))
        .route("/end-users/block", post(end_users::block_number))
        .route("/end-users/{account}/{id}", get(end_users::one))
        .route("/end-users/{account}/{id}/block", post(end_users::block))
        .route("/end-users/{account}/{id}/customer", post(end_users::tie))
        .route("/end-users/{account}/{id}/language", post(spoken::change))
        .route("/desks", get(desks::page))
        .route("/desks/test", post(desks::test))
        .route("/desks/add", get(desk::adding).post(desk::add))
        .route("/desk/{name}", get(desk::page))
        .route("/desk/{name}/{what}", post(desk::change));
    strangers
        .merge(accounts)
        .merge(configuring)
        .merge(looking)
        .merge(contacts::routes())
        .merge(panel::routes())
        .merge(talks)
        .merge(api::routes())
        .merge(feedback::routes())
}
