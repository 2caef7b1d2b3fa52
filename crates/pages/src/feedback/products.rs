//! Products: what feedback is gathered for.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{Fault, Look, ManageProducts, Permission};
use bowline_domain::feedback::product::Product;
use bowline_domain::feedback::ticket::Status;
use bowline_domain::ids::WorkspaceName;

use super::{keeping, words};
use crate::App;
use crate::caller::{Caller, Posted};
use crate::component::{Field, Lozenge, Select, Tone};
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::Query;
use crate::shell::{Place, Shell};

#[derive(Template)]
#[template(path = "feedback/products.html")]
struct ProductsPage {
    shell: Shell,
    rows: Vec<Row>,
    may_manage: bool,
    name: Field,
    workspace: Select,
    no_workspaces: bool,
}

struct Row {
    id: i64,
    name: String,
    workspace: String,
    state: Lozenge,
    tags: Vec<String>,
    trouble: Vec<String>,
    open: String,
    counts: Vec<(String, String, String)>,
}

/// How many tickets of a product stand in each status, in its words: name, number, where they are.
fn counted(product: &Product, counts: &[(Status, i64)]) -> Vec<(String, String, String)> {
    let of = |(status, count): &(Status, i64)| {
        let path = format!(
            "/feedback?product={}&status={}",
            product.id,
            status.as_str()
        );
        let name = product.status_name(*status).to_owned();
        (name, words::number(*count), path)
    };
    counts.iter().map(of).collect()
}

/// The numbers of a product's tickets with the lists that they lead to: by status without those that
/// were erased, and these by themselves, where there are any.
pub(super) async fn numbers(
    app: &App,
    product: &Product,
) -> Result<Vec<(String, String, String)>, PageError> {
    let (left, erased) = left(app, product).await?;
    let mut all = counted(product, &left);
    if erased > 0 {
        let path = format!("/feedback?product={}&status=erased", product.id);
        all.push(("Erased".to_owned(), words::number(erased), path));
    }
    Ok(all)
}

/// How many tickets of a product stand in each status, without those that were erased; and how many
/// these are.
async fn left(app: &App, product: &Product) -> Result<(Vec<(Status, i64)>, i64), PageError> {
    let store = &app.shared.store;
    let mut counts = store.ticket_counts(Some(product.id)).await?;
    let shells = store.ticket_shells(Some(product.id)).await?;
    for ((_, count), (_, shells)) in counts.iter_mut().zip(&shells) {
        *count -= shells;
    }
    let erased = shells.iter().map(|(_, count)| count).sum();
    Ok((counts, erased))
}

/// Whether a product's feedback is on.
pub(super) fn state(product: &Product) -> Lozenge {
    match (product.on, product.tags.is_empty()) {
        (true, false) => Lozenge::new(Tone::Good, "feedback on"),
        (true, true) => Lozenge::new(Tone::Warn, "on, no tag counts"),
        (false, _) => Lozenge::new(Tone::Plain, "feedback off"),
    }
}

/// What does not work of a product, with who can mend it.
pub(super) fn trouble(product: &Product) -> Vec<String> {
    let gone = product.tags.iter().filter(|tag| tag.gone_at.is_some());
    let gone = gone.map(|tag| {
        format!(
            "The tag “{}” was deleted in Intercom, so nothing new comes in by it. Its tickets \
             stay. An administrator chooses another tag.",
            tag.name
        )
    });
    let known = |word: &&String| !product.tags.iter().any(|tag| tag.name == **word);
    let unknown = product
        .settings
        .unknown_tags
        .iter()
        .filter(known)
        .map(|word| {
            format!(
                "The configuration file names the tag “{word}”, which the workspace does not have. \
             Make it in Intercom, or correct the file; it is looked for every few minutes."
            )
        });
    gone.chain(unknown).collect()
}

async fn show<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    (typed_name, typed_workspace): (&str, &str),
    faults: &[Fault],
    done: Option<&'static str>,
) -> Result<Response, PageError> {
    let store = &app.shared.store;
    let mut rows = Vec::new();
    for product in store.products().await? {
        let (counts, _) = left(app, &product).await?;
        let open = counts.iter().take(3).map(|(_, count)| count).sum();
        rows.push(Row {
            id: product.id.0,
            workspace: product.workspace.to_string(),
            state: state(&product),
            tags: product.tags.iter().map(|tag| tag.name.clone()).collect(),
            trouble: trouble(&product),
            open: words::number(open),
            counts: numbers(app, &product).await?,
            name: product.name,
        });
    }
    let workspaces = app.workspaces();
    let page = ProductsPage {
        shell: caller.shell("Products", Place::Products).noting(done),
        rows,
        may_manage: caller.who().may::<ManageProducts>(),
        name: Field::new("name", "Name", "text")
            .with(typed_name)
            .filled("off")
            .hinting("What people call the product. It cannot be changed later.")
            .faulty(faults),
        no_workspaces: workspaces.is_empty(),
        workspace: Select::new(
            "workspace",
            "Intercom workspace",
            workspaces
                .into_iter()
                .map(|name| (name.to_string(), name.to_string())),
            typed_workspace,
        )
        .faulty(faults),
    };
    let status = if faults.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok((status, html(&page)).into_response())
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    show(&app, &caller, ("", ""), &[], notice::of(&query)).await
}

pub(crate) async fn add(
    State(app): State<App>,
    posted: Posted<ManageProducts>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let workspace = WorkspaceName::new(fields.get("workspace"));
    let name = fields.get("name");
    match keeping::add(&app, caller.who(), workspace.clone(), name).await? {
        Ok(id) => Ok(see_other(&format!("/products/{id}?done=product"))),
        Err(fault) => {
            let typed = (name, workspace.as_str());
            show(&app, &caller, typed, &[fault], None).await
        }
    }
}
