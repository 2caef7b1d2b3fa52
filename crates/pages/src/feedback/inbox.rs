//! The inbox: tickets by what is asked for, and what is done to several at once.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{Fault, Look, Permission, Triage};
use bowline_domain::feedback::ids::ProductId;
use bowline_domain::feedback::product::Product;
use bowline_domain::feedback::ticket::{Importance, Status};
use bowline_store::feedback::{
    AssigneeFilter, LOOKED_THROUGH_MAX, Shells, Sort, TicketQuery, TicketRow,
};

use super::words;
use crate::App;
use crate::caller::Caller;
use crate::component::{Field, Lozenge, Select};
use crate::error::{PageError, html};
use crate::notice;
use crate::query::Query;
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};

/// Tickets on a page.
const ROWS: usize = 50;

/// How many labels are offered at most, and so known to the list.
const LABELS_KNOWN: usize = 500;

/// The statuses of what is still open: what people work on.
const OPEN: [Status; 3] = [Status::New, Status::InReview, Status::Planned];

#[derive(Template)]
#[template(path = "feedback/inbox.html")]
struct InboxPage {
    shell: Shell,
    tabs: Vec<Tab>,
    status: String,
    product: Select,
    assignee: Select,
    label: Select,
    importance: Select,
    sort: Select,
    sought: Field,
    rows: Vec<Row>,
    older: Option<String>,
    newest: Option<String>,
    filtered: bool,
    /// Do the numbers of the tabs count more than the filters show?
    counts_all: bool,
    of_product: Option<String>,
    /// What an address asks for and there is not.
    unknown: Vec<String>,
    broken_off: bool,
    by_newest: bool,
    looked_through: String,
    newest_order: &'static str,
    no_products: bool,
    may_triage: bool,
    act: Select,
    new_label: Field,
    back: String,
    wrong: Option<String>,
}

/// What came of a form of the list.
#[derive(Clone, Default)]
pub(super) struct Came {
    /// The tickets that were chosen.
    pub(super) chosen: Vec<i64>,
    /// What was to be done with them.
    pub(super) act: String,
    /// What was typed as a label.
    pub(super) new_label: String,
    /// What is wrong with all of it.
    pub(super) wrong: Option<String>,
    /// What is wrong with the label.
    pub(super) label_fault: Option<String>,
}

impl Came {
    fn status(&self) -> StatusCode {
        if self.wrong.is_some() || self.label_fault.is_some() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        }
    }
}

struct Tab {
    title: String,
    count: String,
    path: String,
    here: bool,
}

struct Row {
    id: i64,
    chosen: bool,
    title: String,
    author: String,
    company: String,
    product: String,
    status: Lozenge,
    importance: &'static str,
    assignee: String,
    labels: Vec<String>,
    people: String,
    companies: String,
    spend: String,
    said: When,
    issue: Option<String>,
}

/// The list of what was erased, and what an address says of it.
const ERASED: &str = "erased";

/// What the inbox shows for an address. Of what was erased nothing is left to be done, so it has a
/// list of its own, and is among the others only where all are asked for.
fn inbox_query(query: &Query) -> TicketQuery {
    let mut asked = ticket_query(query, ROWS);
    if asked.shells == Shells::Among && query.text("status") != "all" {
        asked.shells = Shells::Without;
    }
    asked
}

/// What an address asks for.
pub(super) fn ticket_query(query: &Query, limit: usize) -> TicketQuery {
    let statuses = match query.text("status") {
        "all" | ERASED => Vec::new(),
        word => Status::from_word(word).map_or_else(|| OPEN.to_vec(), |status| vec![status]),
    };
    TicketQuery {
        product: query
            .get("product")
            .and_then(|id| id.parse().ok())
            .map(ProductId),
        statuses,
        assignee: query.get("assignee").map(|who| match who {
            "nobody" => AssigneeFilter::Nobody,
            email => AssigneeFilter::Person(email.to_owned()),
        }),
        label: query.get("label").map(str::to_owned),
        importance: query.get("importance").and_then(Importance::from_word),
        text: query.get("q").map(str::to_owned),
        shells: match query.text(ERASED) {
            "only" => Shells::Only,
            "without" => Shells::Without,
            _ if query.text("status") == ERASED => Shells::Only,
            _ => Shells::Among,
        },
        sort: Sort::from_word(query.text("sort")).unwrap_or_default(),
        after: query.get("after").and_then(read_place),
        limit,
    }
}

/// Is there a filter that the numbers of the tabs do not follow?
fn query_narrows(query: &Query) -> bool {
    let narrowing = ["q", "assignee", "label", "importance"];
    narrowing.iter().any(|name| query.get(name).is_some())
}

/// What an address asks for and there is not, in words: nobody is to take a list for what they asked
/// for if it is not.
fn unknown(
    query: &Query,
    products: &[Product],
    people: &[(String, String)],
    labels: &[String],
) -> Vec<String> {
    let mut told = Vec::new();
    let mut check = |name: &str, known: &dyn Fn(&str) -> bool, words: &dyn Fn(&str) -> String| {
        if let Some(text) = query.get(name)
            && !known(text)
        {
            told.push(words(text));
        }
    };
    let is_product = |text: &str| {
        let id = text.parse().map(ProductId);
        id.is_ok_and(|id| products.iter().any(|product| product.id == id))
    };
    check("status", &is_status, &|text| {
        format!("“{text}” is no status, so what is open is shown.")
    });
    check("product", &is_product, &|text| {
        format!("There is no product {text}.")
    });
    check(
        "assignee",
        &|text| text == "nobody" || people.iter().any(|(email, _)| email == text),
        &|text| format!("Nobody who may sign in has the address “{text}”."),
    );
    // Of very many labels the first are known here; the others count all the same.
    check(
        "label",
        &|text| labels.len() >= LABELS_KNOWN || labels.iter().any(|label| label == text),
        &|text| format!("No ticket has the label “{text}”."),
    );
    check(
        "importance",
        &|text| Importance::from_word(text).is_some(),
        &|text| format!("“{text}” is no importance, so tickets of any are shown."),
    );
    check("sort", &|text| Sort::from_word(text).is_some(), &|text| {
        format!("“{text}” is no order, so the newest come first.")
    });
    check("after", &|text| read_place(text).is_some(), &|text| {
        format!("“{text}” is no place in the list, so its beginning is shown.")
    });
    told
}

/// Is there a list of this name besides what is open?
fn is_status(text: &str) -> bool {
    matches!(text, "all" | ERASED) || Status::from_word(text).is_some()
}

fn read_place(text: &str) -> Option<(i64, i64)> {
    let (by, id) = text.split_once('.')?;
    Some((by.parse().ok()?, id.parse().ok()?))
}

pub(super) fn place_text((by, id): (i64, i64)) -> String {
    format!("{by}.{id}")
}

fn any(title: &str) -> (String, String) {
    (String::new(), title.to_owned())
}

fn row(reader: &Reader, row: TicketRow, products: &[Product]) -> Row {
    let product = products.iter().find(|product| product.id == row.product);
    Row {
        id: row.id.0,
        chosen: false,
        title: words::title(&row),
        author: row.author.clone(),
        company: row.company_name.clone().unwrap_or_default(),
        product: product.map_or_else(String::new, |product| product.name.clone()),
        status: words::status(row.status, product),
        importance: words::importance(row.importance),
        assignee: row.assignee.clone().unwrap_or_default(),
        people: words::number(row.people),
        companies: words::number(row.companies),
        spend: words::number(row.spend),
        said: reader.when(row.said_at),
        issue: row.issue_key.clone(),
        labels: row.labels,
    }
}

/// What can be done to several tickets at once, in a product's words.
pub(super) fn acts(
    product: Option<&Product>,
    people: &[(String, String)],
) -> Vec<(String, String)> {
    let name = |status: Status| {
        product.map_or_else(|| status.title(), |product| product.status_name(status))
    };
    let moves = Status::ALL.into_iter().map(|status| {
        let value = format!("status:{}", status.as_str());
        (value, format!("Move to {}", name(status)))
    });
    let judged = Importance::ALL.into_iter().map(|one| {
        let value = format!("importance:{}", one.as_str());
        (value, format!("Importance: {}", words::importance(one)))
    });
    let given = people
        .iter()
        .map(|(email, name)| (format!("assign:{email}"), format!("Assign to {name}")));
    moves
        .chain([(
            "merge".to_owned(),
            "Merge into the oldest of them".to_owned(),
        )])
        .chain([
            ("label".to_owned(), "Put on the label".to_owned()),
            ("unlabel".to_owned(), "Take off the label".to_owned()),
            ("assign:".to_owned(), "Assign to nobody".to_owned()),
        ])
        .chain(given)
        .chain(judged)
        .collect()
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    show(&app, &caller, &query, Came::default()).await
}

/// The list, with what was chosen and is wrong.
pub(super) async fn show<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    query: &Query,
    came: Came,
) -> Result<Response, PageError> {
    let store = &app.shared.store;
    let asked = inbox_query(query);
    let products = store.products().await?;
    let product = asked
        .product
        .and_then(|id| products.iter().find(|product| product.id == id));
    let page = store.ticket_page(&asked).await?;
    let counts = store.ticket_counts(asked.product).await?;
    let shells = store.ticket_shells(asked.product).await?;
    let people = store.assignees().await?;
    let labels = store.ticket_labels().await?;
    let unknown = unknown(query, &products, &people, &labels);
    let sum = |counts: &[(Status, i64)], statuses: &[Status]| -> i64 {
        let counted = counts.iter().filter(|(one, _)| statuses.contains(one));
        counted.map(|(_, count)| count).sum()
    };
    let all = sum(&counts, &Status::ALL);
    let erased = sum(&shells, &Status::ALL);
    let status = came.status();
    let label_fault = came.label_fault.map(|words| Fault::new("new_label", words));
    let label_fault: Vec<Fault> = label_fault.into_iter().collect();
    let shown = query.get("status").filter(|text| is_status(text));
    let shown = shown.unwrap_or_default().to_owned();
    let tab = |word: &str, title: &str, count: i64| Tab {
        title: title.to_owned(),
        count: words::number(count),
        path: query.at("/feedback", "status", word, &["after"]),
        here: shown == word,
    };
    let left = |statuses: &[Status]| sum(&counts, statuses) - sum(&shells, statuses);
    let mut tabs = vec![tab("", "Open", left(&OPEN))];
    tabs.extend(Status::ALL.map(|status| {
        let name = product.map_or_else(|| status.title(), |product| product.status_name(status));
        tab(status.as_str(), name, left(&[status]))
    }));
    tabs.push(tab(ERASED, "Erased", erased));
    tabs.push(tab("all", "All", all));
    let given = people
        .iter()
        .map(|(email, name)| (email.clone(), name.clone()));
    let assignees = [any("Anyone"), ("nobody".to_owned(), "Nobody".to_owned())];
    let judged =
        Importance::ALL.map(|one| (one.as_str().to_owned(), words::importance(one).to_owned()));
    let sorts = Sort::ALL.map(|one| (one.as_str().to_owned(), words::sort(one).to_owned()));
    let listed = products
        .iter()
        .map(|product| (product.id.to_string(), product.name.clone()));
    let view = InboxPage {
        shell: caller
            .shell("Feedback", Place::Feedback)
            .noting(notice::of(query)),
        tabs,
        status: shown,
        product: Select::new(
            "product",
            "Product",
            std::iter::once(any("All products")).chain(listed),
            query.text("product"),
        ),
        assignee: Select::new(
            "assignee",
            "Assignee",
            assignees.into_iter().chain(given),
            query.text("assignee"),
        ),
        label: Select::new(
            "label",
            "Label",
            std::iter::once(any("Any label"))
                .chain(labels.into_iter().map(|label| (label.clone(), label))),
            query.text("label"),
        ),
        importance: Select::new(
            "importance",
            "Importance",
            std::iter::once(any("Any")).chain(judged),
            query.text("importance"),
        ),
        sort: Select::new("sort", "Sort", sorts, query.text("sort")),
        sought: Field::new("q", "Words", "search")
            .with(query.text("q"))
            .filled("off")
            .optional(),
        rows: page
            .rows
            .into_iter()
            .map(|one| Row {
                chosen: came.chosen.contains(&one.id.0),
                ..row(&caller.reader, one, &products)
            })
            .collect(),
        older: page
            .next
            .map(|place| query.at("/feedback", "after", &place_text(place), &[])),
        newest: query
            .get("after")
            .map(|_| format!("/feedback{}", query.without(&["after"]))),
        filtered: !query.without(&["after", "status"]).is_empty(),
        counts_all: query_narrows(query),
        of_product: product.map(|product| product.name.clone()),
        unknown,
        broken_off: page.broken_off,
        by_newest: asked.sort == Sort::Newest,
        looked_through: words::number(i64::try_from(LOOKED_THROUGH_MAX).unwrap_or(i64::MAX)),
        newest_order: words::sort(Sort::Newest),
        no_products: products.is_empty(),
        may_triage: caller.who().may::<Triage>(),
        act: Select::new("act", "With the chosen", acts(product, &people), &came.act),
        new_label: Field::new("new_label", "Label to put on or take off", "text")
            .with(&came.new_label)
            .filled("off")
            .optional()
            .faulty(&label_fault),
        back: format!("/feedback{}", query.without(&[])),
        wrong: came.wrong,
    };
    Ok((status, html(&view)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_survives_the_address() {
        for place in [(5, 7), (-3, 1), (i64::MAX, i64::MIN)] {
            assert_eq!(read_place(&place_text(place)), Some(place));
        }
        assert_eq!(read_place("x"), None);
    }
}
