//! The REST interface: routes, authentication and what all calls share.

mod attachment;
mod call;
mod comment;
mod desk;
mod hook;
mod input;
mod issue;
mod meta;
mod project;
mod property;
mod remote_link;
mod search;
mod user;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Uri;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post, put};

use crate::common::{control, layer, page};

use super::desk_pages;
use super::error::Refusal;
use super::pages;
use super::sandbox::Sandbox;
use super::view::Version;
use call::Context;

/// Everything served on the site's address: REST, controls and pages.
pub(crate) fn site_router(site: &Sandbox) -> Router {
    let cloud = site.read(super::state::State::is_cloud);
    let context = |version, gateway| Context {
        site: site.clone(),
        version,
        gateway,
    };
    let direct = rest(site, &context, false, cloud);
    let mut rest_routes = Router::new().merge(direct);
    if cloud {
        let prefix = format!("/ex/jira/{}", site.cloud_id());
        rest_routes = rest_routes.nest(&prefix, rest(site, &context, true, cloud));
        rest_routes = rest_routes.merge(
            Router::new()
                .route("/_edge/tenant_info", get(meta::tenant_info))
                .with_state(context(Version::V3, false)),
        );
    }
    let rest_routes = rest_routes.layer(layer(site.journal().clone(), site.faults().clone()));
    let switches = Router::new()
        .route("/_control/switches", get(hook::switches).post(hook::switch))
        .with_state(site.clone());
    Router::new()
        .merge(rest_routes)
        .merge(control::routes(
            site.journal().clone(),
            site.faults().clone(),
            site.sender().clone(),
        ))
        .merge(switches)
        .merge(page::routes())
        .merge(pages::routes(site))
        .merge(desk_pages::routes(site))
}

fn rest(
    site: &Sandbox,
    context: &impl Fn(Version, bool) -> Context,
    gateway: bool,
    cloud: bool,
) -> Router {
    let api = |version| {
        api_routes(cloud)
            .route_layer(from_fn_with_state(site.clone(), limit))
            .fallback(no_route)
            .method_not_allowed_fallback(|| async { Refusal::method() })
            .with_state(context(version, gateway))
    };
    let desk = desk::routes()
        .route_layer(from_fn_with_state(site.clone(), limit))
        .fallback(no_route)
        .method_not_allowed_fallback(|| async { Refusal::method() })
        .with_state(context(Version::V2, gateway));
    let mut all = Router::new()
        .nest("/rest/servicedeskapi", desk)
        .nest("/rest/api/2", api(Version::V2))
        .nest("/rest/api/latest", api(Version::V2));
    if cloud {
        let dynamic = Router::new()
            .route(
                "/rest/webhooks/1.0/webhook",
                get(hook::list).post(hook::create),
            )
            .route(
                "/rest/webhooks/1.0/webhook/{id}",
                get(hook::read).put(hook::update).delete(hook::remove),
            );
        all = all
            .nest("/rest/api/3", api(Version::V3))
            .merge(dynamic.with_state(context(Version::V3, gateway)));
    } else {
        let admin = Router::new()
            .route(
                "/rest/jira-webhook/1.0/webhooks",
                get(hook::list).post(hook::create),
            )
            .route(
                "/rest/jira-webhook/1.0/webhooks/{id}",
                get(hook::read).put(hook::update).delete(hook::remove),
            );
        // Files have no call of the API: they are fetched by their address.
        let files = Router::new().route(
            "/secure/attachment/{attachment}/{name}",
            get(attachment::by_address),
        );
        all = all
            .merge(admin.with_state(context(Version::V2, gateway)))
            .merge(files.with_state(context(Version::V2, gateway)));
    }
    all.route("/rest/{*rest}", any(no_route))
}

fn api_routes(cloud: bool) -> Router<Context> {
    let mut routes = Router::new()
        .route("/serverInfo", get(meta::server_info))
        .route("/myself", get(user::myself))
        .route("/user", get(user::one))
        .route("/user/search", get(user::search))
        .route("/user/assignable/search", get(user::search))
        .route("/mypermissions", get(user::permissions))
        .route("/project", get(project::list))
        .route("/project/{project}", get(project::one))
        .route("/project/{project}/statuses", get(project::statuses))
        .route("/project/{project}/properties", get(project::properties))
        .route(
            "/project/{project}/properties/{key}",
            get(project::property)
                .put(project::set_property)
                .delete(project::delete_property),
        )
        .route(
            "/issue/createmeta/{project}/issuetypes",
            get(meta::create_types),
        )
        .route(
            "/issue/createmeta/{project}/issuetypes/{type}",
            get(meta::create_fields),
        )
        .route("/issuetype", get(meta::issue_types))
        .route("/status", get(meta::statuses))
        .route("/status/{status}", get(meta::status))
        .route("/statuscategory", get(meta::categories))
        .route("/priority", get(meta::priorities))
        .route("/field", get(meta::fields))
        .route("/issue", post(issue::create))
        .route(
            "/issue/{issue}",
            get(issue::read).put(issue::edit).delete(issue::remove),
        )
        .route("/issue/{issue}/editmeta", get(meta::edit_fields))
        .route("/issue/{issue}/assignee", put(issue::assign))
        .route(
            "/issue/{issue}/transitions",
            get(issue::transitions).post(issue::transition),
        )
        .route(
            "/issue/{issue}/comment",
            get(comment::list).post(comment::create),
        )
        .route(
            "/issue/{issue}/comment/{comment}",
            get(comment::read)
                .put(comment::edit)
                .delete(comment::remove),
        )
        .route("/comment/{comment}/properties", get(property::comment_keys))
        .route(
            "/comment/{comment}/properties/{key}",
            get(property::comment_read)
                .put(property::comment_set)
                .delete(property::comment_remove),
        )
        .route(
            "/issue/{issue}/remotelink",
            get(remote_link::list)
                .post(remote_link::upsert)
                .delete(remote_link::remove_global),
        )
        .route(
            "/issue/{issue}/remotelink/{link}",
            get(remote_link::read)
                .put(remote_link::replace)
                .delete(remote_link::remove),
        )
        .route("/issue/{issue}/properties", get(property::keys))
        .route(
            "/issue/{issue}/properties/{key}",
            get(property::read)
                .put(property::set)
                .delete(property::remove),
        )
        .route("/issue/{issue}/attachments", post(attachment::add))
        .route("/attachment/meta", get(attachment::meta))
        .route(
            "/attachment/{attachment}",
            get(attachment::read).delete(attachment::remove),
        );
    if cloud {
        routes = routes
            .route("/attachment/content/{attachment}", get(attachment::content))
            .route("/project/search", get(project::search))
            .route("/issue/{issue}/changelog", get(issue::changelog))
            .route("/issue/bulkfetch", post(issue::bulk_fetch))
            .route("/search/jql", get(search::by_query).post(search::by_body))
            .route("/search/approximate-count", post(search::count))
            .route("/jql/match", post(search::match_issues))
            .route("/webhook", any(hook::dynamic))
            .route("/search", any(search::gone));
    } else {
        routes = routes.route(
            "/search",
            get(search::classic_by_query).post(search::classic_by_body),
        );
    }
    routes
}

async fn no_route(uri: Uri) -> Refusal {
    Refusal::no_route(&uri.to_string())
}

/// Counts a request against the limits of the site.
async fn limit(State(site): State<Sandbox>, request: Request, next: Next) -> Response {
    if !site.is_limited() {
        return next.run(request).await;
    }
    let endpoint = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned())
        .unwrap_or_default();
    let written = (request.method() != axum::http::Method::GET)
        .then(|| {
            let path = request.uri().path();
            ["/issue/", "/request/"]
                .iter()
                .find_map(|before| path.split(before).nth(1))
                .and_then(|rest| rest.split('/').next())
        })
        .flatten()
        .and_then(|issue| site.read(|state| state.resolve(issue)));
    match site.meter(request.method().as_str(), &endpoint, written) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}
