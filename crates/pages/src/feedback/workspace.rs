//! The switch of a workspace's feedback: all its products together. Its page is the one where the
//! copying of contacts is switched too.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use bowline_access::{ManageProducts, What, Who};
use bowline_domain::feedback::product::{Gathering, Product};
use bowline_domain::ids::WorkspaceName;
use bowline_domain::needs::{Permission, Use};
use bowline_engine::feedback::missing_permissions;
use serde_json::{Value, json};

use super::api::body_of;
use crate::App;
use crate::api::{Bearer, Problem, once};
use crate::caller::Posted;
use crate::component::{Lozenge, Tone};
use crate::contacts::settings;
use crate::error::{PageError, see_other};
use crate::needs::Needs;

/// The address for scripts.
pub(super) fn routes() -> Router<App> {
    let at = get(shown).post(change);
    Router::new().route("/api/v1/workspaces/{name}/feedback", at)
}

/// The switch as a page shows it.
pub(crate) struct Switch {
    pub(crate) state: Lozenge,
    pub(crate) products: Vec<Gathers>,
    /// Can it be switched off here?
    pub(crate) may_stop: bool,
    /// Is it on, by the configuration file alone?
    pub(crate) declared: bool,
    /// How many products come back when it is switched on.
    pub(crate) resumes: usize,
    /// Permissions that the app lacks, if that matters now.
    pub(crate) missing: Vec<Permission>,
    /// Why it is not known whether one is missing.
    pub(crate) unknown: Option<String>,
    /// What it needs in Intercom.
    pub(crate) needs: Needs,
}

impl Switch {
    /// Is all off, with nothing that would come back?
    pub(crate) fn is_idle(&self) -> bool {
        self.state.word == "off" && self.resumes == 0
    }
}

/// A product that gathers feedback of the workspace, or may.
pub(crate) struct Gathers {
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) on: Lozenge,
    pub(crate) declared: bool,
}

impl Gathers {
    fn of(product: Product) -> Self {
        let on = if product.on {
            Lozenge::new(Tone::Good, "on")
        } else if product.comes_back() {
            Lozenge::new(Tone::Plain, "off with the workspace")
        } else {
            Lozenge::new(Tone::Plain, "off")
        };
        Self {
            path: format!("/products/{}", product.id),
            name: product.name,
            on,
            declared: product.declared,
        }
    }
}

async fn products_of(app: &App, workspace: &WorkspaceName) -> Result<Vec<Product>, PageError> {
    let mut products = app.shared.store.products().await?;
    products.retain(|product| product.workspace == *workspace);
    Ok(products)
}

/// How the switch stands. Missing permissions are named before it is switched on.
pub(crate) async fn standing(app: &App, workspace: &WorkspaceName) -> Result<Switch, PageError> {
    let products = products_of(app, workspace).await?;
    let meant = Gathering::of(&products);
    let state = match (meant.on, meant.of) {
        (0, _) => Lozenge::new(Tone::Plain, "off"),
        (on, of) if on == of => Lozenge::new(Tone::Good, "on"),
        (on, of) => Lozenge::new(Tone::Good, format!("on for {on} of {of} products")),
    };
    // Intercom is asked only where there is something to switch on: the page renews itself while
    // contacts are copied.
    let (missing, unknown) = if meant.resumes == 0 {
        (Vec::new(), None)
    } else {
        match missing_permissions(&app.shared, workspace).await {
            Ok(missing) => (missing, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        }
    };
    Ok(Switch {
        state,
        products: products.into_iter().map(Gathers::of).collect(),
        may_stop: meant.switchable > 0,
        declared: meant.on > 0 && meant.switchable == 0,
        resumes: meant.resumes,
        missing,
        unknown,
        needs: Needs::of(Use::Feedback, workspace),
    })
}

/// Why it was not switched.
enum Refused {
    /// Intercom did not answer.
    Remote(String),
    /// In words.
    Words(String),
}

/// Switches all products of a workspace. Nothing is switched on while a permission is missing.
async fn set(
    app: &App,
    who: &Who,
    workspace: &WorkspaceName,
    on: bool,
) -> Result<Result<u64, Refused>, PageError> {
    let meant = Gathering::of(&products_of(app, workspace).await?);
    let refused = if meant.of == 0 {
        Some(
            "No product gathers feedback of this workspace. Add one, and choose the tags that count.",
        )
    } else if on && meant.resumes == 0 && meant.on == 0 {
        Some(
            "No product was switched off together with the workspace. Open a product and choose the \
             tags that count.",
        )
    } else if !on && meant.switchable == 0 && meant.on > 0 {
        Some(
            "The products stand in the configuration file and are changed there, by whoever runs \
             Bowline.",
        )
    } else {
        None
    };
    if let Some(words) = refused {
        return Ok(Err(Refused::Words(words.to_owned())));
    }
    if on {
        match missing_permissions(&app.shared, workspace).await {
            Err(error) => return Ok(Err(Refused::Remote(error.to_string()))),
            Ok(missing) if !missing.is_empty() => {
                let named: Vec<&str> = missing.iter().map(|one| one.title()).collect();
                return Ok(Err(Refused::Words(format!(
                    "Nothing was switched on. The app in Intercom lacks {}. Whoever administers the \
                     workspace adds it in the Developer Hub.",
                    named.join(" and ")
                ))));
            }
            Ok(_) => {}
        }
    }
    let detail = if on {
        "feedback on again, all products that were switched off with the workspace"
    } else {
        "feedback switched off, all products"
    };
    let entry = app
        .access
        .entry(who, What::ProductChanged, workspace.as_str(), detail);
    let store = &app.shared.store;
    let switched = store.switch_products(workspace.clone(), on, app.shared.now(), vec![entry]);
    Ok(Ok(switched.await?))
}

pub(super) async fn switch(
    State(app): State<App>,
    posted: Posted<ManageProducts>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let workspace = WorkspaceName::new(fields.get("workspace"));
    if !app.workspaces().contains(&workspace) {
        return Err(caller.not_found("There is no such workspace."));
    }
    let on = fields.get("on") == "yes";
    match set(&app, caller.who(), &workspace, on).await? {
        Ok(_) => {
            let done = if on { "gathering-on" } else { "gathering-off" };
            Ok(see_other(&format!("/contacts/settings?done={done}")))
        }
        Err(Refused::Remote(words) | Refused::Words(words)) => {
            settings::refuse_feedback(&app, &caller, workspace, words).await
        }
    }
}

fn known(app: &App, name: &str) -> Result<WorkspaceName, Problem> {
    let name = WorkspaceName::new(name);
    if app.workspaces().contains(&name) {
        Ok(name)
    } else {
        Err(Problem::not_found("There is no such workspace."))
    }
}

async fn answer(app: &App, workspace: &WorkspaceName) -> Result<Value, Problem> {
    let products = products_of(app, workspace).await?;
    let is_on = products.iter().any(|product| product.on);
    let rows: Vec<Value> = products
        .iter()
        .map(|product| {
            json!({
                "id": product.id.0,
                "name": product.name,
                "on": product.on,
                "declared": product.declared,
                "comes_back": product.comes_back(),
            })
        })
        .collect();
    Ok(json!({ "workspace": workspace.as_str(), "on": is_on, "products": rows }))
}

async fn shown(
    State(app): State<App>,
    Path(name): Path<String>,
    _by: Bearer<ManageProducts>,
) -> Result<Json<Value>, Problem> {
    let workspace = known(&app, &name)?;
    answer(&app, &workspace).await.map(Json)
}

async fn change(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageProducts>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!(
        "feedback of workspace {name} {}",
        String::from_utf8_lossy(&body)
    );
    let write = Box::pin(async {
        let workspace = known(&app, &name)?;
        let on = body_of(&body)?.get("on").and_then(Value::as_bool);
        let on = on.ok_or_else(|| Problem::invalid("Send {\"on\": true}, or {\"on\": false}."))?;
        match set(&app, by.who(), &workspace, on).await? {
            Ok(_) => answer(&app, &workspace).await,
            Err(Refused::Remote(words)) => Err(Problem::new(
                StatusCode::BAD_GATEWAY,
                "intercom_unavailable",
                words,
            )),
            Err(Refused::Words(words)) => {
                Err(Problem::new(StatusCode::CONFLICT, "not_switched", words))
            }
        }
    });
    once(&app, by.who(), &headers, &request, write).await
}
