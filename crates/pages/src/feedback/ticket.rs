//! One ticket: what was said, by whom, and what can be done about it.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bowline_access::{Look, Permission, Triage};
use bowline_domain::feedback::ids::TicketId;
use bowline_domain::feedback::product::Product;
use bowline_domain::feedback::similar;
use bowline_domain::feedback::ticket::{Erased, Importance, Level, Status};
use bowline_domain::ids::IssueKey;
use bowline_store::feedback::TicketView;

use super::live::{self, Live};
use super::words;
use crate::App;
use crate::caller::{Caller, Number};
use crate::component::{Lozenge, Ref, Select};
use crate::error::{PageError, html};
use crate::notice;
use crate::panel;
use crate::query::Query;
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};

/// Tickets that are compared for suggestions: the newest with one of the words.
const COMPARED_MAX: usize = 300;

/// A ticket that may say the same: its number, its title, and how alike it is, in hundredths.
type Suggested = (i64, String, u32);

#[derive(Template)]
#[template(path = "feedback/ticket.html")]
struct TicketPage {
    shell: Shell,
    id: i64,
    title: String,
    product: String,
    status: Lozenge,
    erased: Option<(&'static str, Option<When>)>,
    merged_into: Option<i64>,
    text: String,
    author: String,
    said_by: Option<String>,
    email: String,
    said: When,
    captured: When,
    whole: bool,
    there: Option<String>,
    before: Vec<Said>,
    after: Vec<Said>,
    files: Vec<FileRow>,
    company: String,
    plan: String,
    own_spend: String,
    has_company: bool,
    live: Live,
    people: String,
    companies: String,
    spend: String,
    tags: Vec<TagRow>,
    labels: Vec<String>,
    issue: Option<Ref>,
    can_make: bool,
    history: Vec<(When, String, String)>,
    merged: Vec<(i64, String, String)>,
    merges: Vec<(i64, i64, String, When)>,
    suggested: Vec<Suggested>,
    may_triage: bool,
    move_to: Select,
    assign: Select,
    judge: Select,
    typed: Typed,
}

/// What somebody typed, and what is wrong with it.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) wrong: Option<String>,
    pub(super) label: String,
    pub(super) label_fault: Option<String>,
    pub(super) into: String,
    pub(super) into_fault: Option<String>,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) title_fault: Option<String>,
    pub(super) text_fault: Option<String>,
    pub(super) issue: String,
    pub(super) issue_fault: Option<String>,
}

impl Typed {
    fn is_wrong(&self) -> bool {
        [
            &self.wrong,
            &self.label_fault,
            &self.into_fault,
            &self.title_fault,
            &self.text_fault,
            &self.issue_fault,
        ]
        .into_iter()
        .any(Option::is_some)
    }
}

struct Said {
    who: String,
    customer: bool,
    at: When,
    text: String,
}

struct FileRow {
    number: i64,
    name: String,
    bytes: String,
    why_not: Option<String>,
}

struct TagRow {
    name: String,
    at: Option<When>,
    by: String,
    removed: Option<When>,
}

pub(crate) async fn page(
    State(app): State<App>,
    Number(id): Number,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let done = notice::of(&query);
    show(&app, &caller, TicketId(id), Typed::default(), done).await
}

fn select(
    name: &'static str,
    label: &'static str,
    choices: impl IntoIterator<Item = (String, String)>,
    chosen: &str,
) -> Select {
    Select::new(name, label, choices, chosen)
}

/// Shows a ticket, with what was typed and is wrong.
pub(super) async fn show<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    id: TicketId,
    typed: Typed,
    done: Option<&'static str>,
) -> Result<Response, PageError> {
    let store = &app.shared.store;
    let Some(view) = store.ticket(id).await? else {
        return Err(caller.not_found("There is no such ticket."));
    };
    let product = store.product(view.row.product).await?;
    let product = product.as_ref();
    let may_triage = caller.who().may::<Triage>();
    let suggested = if may_triage && view.row.erased.is_none() && view.merged_into.is_none() {
        suggestions(app, &view).await?
    } else {
        Vec::new()
    };
    let people = store.assignees().await?;
    let status = if typed.is_wrong() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let page = fill(app, caller, &view, product, (people, suggested), typed);
    let page = TicketPage {
        live: live::read(app, caller, &view).await?,
        tags: tags(app, &caller.reader, &view).await?,
        issue: issue(app, &view).await?,
        shell: page.shell.noting(done),
        ..page
    };
    Ok((status, html(&page)).into_response())
}

fn fill<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    view: &TicketView,
    product: Option<&Product>,
    (people, suggested): (Vec<(String, String)>, Vec<Suggested>),
    typed: Typed,
) -> TicketPage {
    let reader = &caller.reader;
    let title = words::title(&view.row);
    let row = &view.row;
    let name = |status: Status| {
        product.map_or_else(|| status.title(), |product| product.status_name(status))
    };
    let said = |line: &bowline_domain::feedback::ticket::Line| Said {
        who: line.who.clone(),
        customer: line.customer,
        at: reader.when(line.at),
        text: line.text.clone(),
    };
    let (before, after): (Vec<_>, Vec<_>) = view
        .transcript
        .iter()
        .partition(|line| line.at < row.said_at || line.part.is_first());
    let moves = Status::ALL.map(|one| (format!("status:{}", one.as_str()), name(one).to_owned()));
    let judged = Importance::ALL.map(|one| {
        let value = format!("importance:{}", one.as_str());
        (value, words::importance(one).to_owned())
    });
    let nobody = [("assign:".to_owned(), "Nobody".to_owned())];
    let given = people
        .into_iter()
        .map(|(email, name)| (format!("assign:{email}"), name));
    let assignee = row.assignee.as_deref().unwrap_or_default();
    let has_target = product.is_some_and(|product| product.settings.issues.is_some());
    TicketPage {
        id: row.id.0,
        product: product.map_or_else(String::new, |product| product.name.clone()),
        status: words::status(row.status, product),
        erased: words::why_empty(view).map(|why| {
            let at = view.erased_at.map(|at| reader.when(at));
            (why, at)
        }),
        merged_into: view.merged_into.map(|id| id.0),
        text: view.text.clone(),
        author: row.author.clone(),
        said_by: view.said_by.clone(),
        email: view.email.clone().unwrap_or_default(),
        said: reader.when(row.said_at),
        captured: reader.when(view.captured_at),
        whole: view.level == Level::Conversation,
        there: message_url(app, view),
        before: before.into_iter().map(said).collect(),
        after: after.into_iter().map(said).collect(),
        files: view.files.iter().map(file_row).collect(),
        has_company: view.company.is_some(),
        company: row.company_name.clone().unwrap_or_default(),
        plan: view.plan.clone().unwrap_or_default(),
        own_spend: words::number(view.own_spend),
        live: Live::default(),
        people: words::number(row.people),
        companies: words::number(row.companies),
        spend: words::number(row.spend),
        tags: Vec::new(),
        labels: row.labels.clone(),
        issue: None,
        can_make: has_target && view.issue.is_none() && row.erased.is_none(),
        history: view
            .history
            .iter()
            .map(|step| {
                let words = words::step(step, product, &view.tags);
                (reader.when(step.at), step.who.clone(), words)
            })
            .collect(),
        merged: view
            .merged
            .iter()
            .map(|one| (one.id.0, words::title(one), one.author.clone()))
            .collect(),
        merges: view
            .merges
            .iter()
            .map(|one| (one.id, one.ticket.0, one.who.clone(), reader.when(one.at)))
            .collect(),
        suggested,
        may_triage: caller.who().may::<Triage>(),
        move_to: select(
            "act",
            "Status",
            moves,
            &format!("status:{}", row.status.as_str()),
        ),
        assign: select(
            "act",
            "Assignee",
            nobody.into_iter().chain(given),
            &format!("assign:{assignee}"),
        )
        .called("assign"),
        judge: select(
            "act",
            "Importance",
            judged,
            &format!("importance:{}", row.importance.as_str()),
        )
        .called("judge"),
        typed,
        shell: caller.shell(title.clone(), Place::Feedback),
        title,
    }
}

/// The tags of a ticket, with the teammates who put them on: by name as far as Intercom told it.
async fn tags(app: &App, reader: &Reader, view: &TicketView) -> Result<Vec<TagRow>, PageError> {
    let ids = view.tags.iter().filter_map(|(tag, _)| tag.by.as_deref());
    let named = app.shared.teammates_named(&view.row.workspace, ids).await?;
    let by = |id: &String| {
        let name = named.get(id).cloned();
        name.unwrap_or_else(|| format!("teammate {id}"))
    };
    let rows = view.tags.iter().map(|(tag, removed)| TagRow {
        name: tag.name.clone(),
        at: tag.at.map(|at| reader.when(at)),
        by: tag.by.as_ref().map(by).unwrap_or_default(),
        removed: removed.map(|at| reader.when(at)),
    });
    Ok(rows.collect())
}

/// The issue that a ticket is tied to, by the key that it has now: its panel here, and Jira.
async fn issue(app: &App, view: &TicketView) -> Result<Option<Ref>, PageError> {
    let Some(tied) = &view.issue else {
        return Ok(None);
    };
    let label = app
        .shared
        .store
        .issue_label(&tied.site, &tied.issue)
        .await?;
    let key = label.map_or_else(|| IssueKey::new(tied.key.as_str()), |label| label.key);
    Ok(Some(Ref {
        text: key.to_string(),
        here: panel::path(&tied.site, key.as_str()),
        there: app.shared.issue_url(&tied.site, &key),
        far_side: "Jira",
    }))
}

/// Where people open the exact message; nowhere once its conversation was deleted. The fragment is as
/// Intercom writes it in its own addresses.
pub(super) fn message_url(app: &App, view: &TicketView) -> Option<String> {
    if view.row.erased.as_deref() == Some(Erased::ConversationDeleted.as_str()) {
        return None;
    }
    let conversation = &view.conversation;
    let url = app
        .shared
        .conversation_url(&view.row.workspace, conversation)?;
    Some(if view.part.is_first() {
        url
    } else {
        format!("{url}#part_id=comment-{conversation}-{}", view.part)
    })
}

fn file_row(file: &bowline_store::feedback::FileView) -> FileRow {
    FileRow {
        number: file.number,
        name: file.name.clone(),
        bytes: format!("{} kB", words::number((file.bytes + 1_023) / 1_024)),
        why_not: file.why_not.clone(),
    }
}

/// Tickets that may say the same.
async fn suggestions(app: &App, view: &TicketView) -> Result<Vec<Suggested>, PageError> {
    let sought = similar::sought(&view.text);
    let found = app
        .shared
        .store
        .tickets_with_words(view.row.product, &sought, COMPARED_MAX)
        .await?;
    let others = found
        .iter()
        .filter(|(row, _)| row.id != view.row.id)
        .map(|(row, text)| (row.id, text.as_str()));
    let alike = similar::suggest(&view.text, others);
    Ok(alike
        .into_iter()
        .filter_map(|(id, alike)| {
            let (row, _) = found.iter().find(|(row, _)| row.id == id)?;
            Some((id.0, words::title(row), alike))
        })
        .collect())
}

/// A file of a ticket's message. Always as a download: what a customer sent is not shown as a page
/// of ours.
pub(crate) async fn file(
    State(app): State<App>,
    Path((id, number)): Path<(i64, i64)>,
    caller: Caller<Look>,
) -> Result<Response, PageError> {
    let found = app.shared.store.ticket_file(TicketId(id), number).await?;
    let bytes = found.and_then(|(file, content)| Some((file, BASE64.decode(content).ok()?)));
    let Some((file, bytes)) = bytes else {
        return Err(caller.not_found("There is no such file, or it was erased."));
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name: String = file
        .name
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect();
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}
