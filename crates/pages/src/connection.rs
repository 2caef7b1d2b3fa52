//! One connection: how it is in detail, what to enter on the other side, new credentials.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{ChangeRefusal, Fault, Look, ManageConnections, Permission};
use bowline_domain::connection::Connection;
use bowline_domain::messaging::ids::AccountName;
use bowline_settings::check::State as Found;
use bowline_settings::forms::{SiteForm, WorkspaceForm};
use bowline_settings::merge::Aside;
use bowline_settings::stored::{StoredSite, StoredWorkspace};
use bowline_settings::{AccountForm, SiteNow, WorkspaceNow, open_words_of_account};
use secrecy::{ExposeSecret as _, SecretString};

use crate::App;
use crate::caller::Caller;
use crate::channel_accounts::account_fields;
use crate::component::{Copied, Field, Lozenge, Select, Tone, fault_of};
use crate::connecting::{site_fields, workspace_fields, wrong_with};
use crate::connections::{Step, header_of, page_of, steps_for};
use crate::desks::provider;
use crate::enter::{Enter, enter_account, enter_site, enter_workspace};
use crate::error::{PageError, html};
use crate::notice;
use crate::overview::{Card, account_cards, cards};
use crate::query::Query;
use crate::reader::When;
use crate::shell::{Place, Shell};

#[derive(Template)]
#[template(path = "connection.html")]
struct ConnectionPage {
    shell: Shell,
    name: String,
    far_side: &'static str,
    path: String,
    steps: Vec<Step>,
    card: Option<Card>,
    /// What hangs on it and keeps it from being removed.
    remove_words: String,
    aside: Option<String>,
    declared: Option<String>,
    tested: Option<When>,
    findings: Vec<FindingRow>,
    wrong: Option<String>,
    told: Option<String>,
    enter: Option<Enter>,
    consent: Option<ToConsent>,
    app_user: Option<Select>,
    teammates_fault: Option<String>,
    change: Option<Change>,
    /// May whoever looks have it tested? Where it is declared, too.
    may_test: bool,
    version: i64,
    changed: Option<(When, String)>,
}

struct FindingRow {
    state: Lozenge,
    what: String,
    words: String,
}

struct ToConsent {
    url: String,
    back: Copied,
}

/// The form of new credentials.
struct Change {
    fields: Vec<Field>,
    more: Vec<Field>,
    choice: Option<Select>,
    more_open: bool,
    /// The day of which it was asked whether the new token ends on it, as the one before did.
    same_end: Option<String>,
}

/// What came of a form.
#[derive(Default)]
pub(crate) struct Came {
    pub(crate) faults: Vec<Fault>,
    pub(crate) wrong: Option<String>,
    pub(crate) told: Option<String>,
    pub(crate) notice: Option<&'static str>,
    /// The webhook's secret is new, and shown this once.
    pub(crate) new_secret: bool,
}

impl Came {
    pub(crate) fn refused(refusal: ChangeRefusal) -> Result<Self, PageError> {
        let (faults, wrong) = wrong_with(refusal)?;
        Ok(Self {
            faults,
            wrong,
            ..Self::default()
        })
    }

    fn status(&self) -> StatusCode {
        if self.faults.is_empty() && self.wrong.is_none() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    }
}

fn lozenge(state: Found) -> Lozenge {
    match state {
        Found::Good => Lozenge::new(Tone::Good, "good"),
        Found::Note => Lozenge::new(Tone::Plain, "note"),
        Found::Bad => Lozenge::new(Tone::Warn, "to mend"),
        Found::Unknown => Lozenge::new(Tone::Plain, "not known"),
    }
}

/// What both kinds of connections show.
async fn base<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    connection: &Connection,
    far_side: &'static str,
    came: Came,
) -> Result<ConnectionPage, PageError> {
    let reader = &caller.reader;
    let now = app.shared.now();
    let queues = app.shared.store.queues().await?;
    let mut all = app.shared.connections_now();
    all.retain(|one| one.connection == *connection);
    let card = match connection {
        Connection::Account(name) => account_cards(&app.shared, &queues, reader, now)
            .into_iter()
            .find(|card| card.name == name.as_str()),
        _ => cards(all, &queues, reader, now).pop(),
    };
    let in_use = card.is_some();
    let pulse = app.settings.pulse(connection).await?;
    let findings = pulse.findings.into_iter().map(|found| FindingRow {
        state: lozenge(found.state),
        what: found.what,
        words: found.words,
    });
    Ok(ConnectionPage {
        shell: caller
            .shell(connection.name(), Place::Connections)
            .noting(came.notice),
        name: connection.name().to_owned(),
        far_side,
        path: page_of(connection),
        steps: steps_for(app, caller),
        card,
        remove_words: "It works only when no project is joined through it.".to_owned(),
        aside: None,
        declared: None,
        tested: pulse.tested_at.map(|at| reader.when(at)),
        findings: if in_use {
            findings.collect()
        } else {
            Vec::new()
        },
        wrong: came.wrong,
        told: came.told,
        enter: None,
        consent: None,
        app_user: None,
        teammates_fault: None,
        change: None,
        may_test: in_use && caller.who().may::<ManageConnections>(),
        version: 0,
        changed: None,
    })
}

pub(crate) fn site_now(app: &App, name: &str) -> Option<SiteNow> {
    let mut all = app.settings.sites().into_iter();
    all.find(|site| site.name.as_str() == name)
}

pub(crate) fn workspace_now(app: &App, name: &str) -> Option<WorkspaceNow> {
    let mut all = app.settings.workspaces().into_iter();
    all.find(|one| one.name.as_str() == name)
}

/// What the form of a site begins with: all but its token.
pub(crate) fn typed_before(name: &str, stored: &StoredSite) -> SiteForm {
    SiteForm {
        name: name.to_owned(),
        url: stored.url.trim_end_matches('/').to_owned(),
        email: stored.email.clone().unwrap_or_default(),
        token: String::new(),
        api_url: stored.api_url.clone().unwrap_or_default(),
        token_ends_on: stored.token_ends_on.clone().unwrap_or_default(),
        same_end: false,
    }
}

/// What the form of a workspace begins with: nothing that is secret.
pub(crate) fn workspace_typed_before(name: &str, stored: &StoredWorkspace) -> WorkspaceForm {
    WorkspaceForm {
        name: name.to_owned(),
        api_url: stored.api_url.clone().unwrap_or_default(),
        ..WorkspaceForm::default()
    }
}

/// Shows the page of a site.
pub(crate) async fn show_site<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    name: &str,
    typed: Option<SiteForm>,
    came: Came,
) -> Result<Response, PageError> {
    let Some(site) = site_now(app, name) else {
        return Err(caller.not_found("There is no such site."));
    };
    let connection = Connection::Site(site.name.clone());
    let (status, faults, new_secret) = (came.status(), came.faults.clone(), came.new_secret);
    let mut page = base(app, caller, &connection, "Jira", came).await?;
    page.aside = site.aside.as_ref().map(Aside::words);
    page.declared = site.kept.is_none().then(|| header_of(&connection));
    let manages = caller.who().granted::<ManageConnections>();
    if let (Some(may), Some(row)) = (&manages, &site.kept) {
        page.version = row.version;
        page.changed = Some((caller.reader.when(row.changed_at), row.changed_by.clone()));
        let form = typed.unwrap_or_else(|| typed_before(name, &row.value));
        let (fields, more) = site_fields(&form, true, &faults);
        let asked = row.value.token_ends_on.clone();
        page.change = Some(Change {
            fields,
            more,
            choice: None,
            more_open: !form.api_url.is_empty(),
            same_end: asked.filter(|day| {
                fault_of(&faults, "token_ends_on").is_some() && *day == form.token_ends_on
            }),
        });
        let seen = page
            .card
            .as_ref()
            .is_some_and(|card| card.webhook_at.is_some());
        let secret = app
            .settings
            .webhook_secret(may, &site.name)
            .filter(|_| new_secret || !seen);
        let secret = secret.as_ref().map(SecretString::expose_secret);
        page.enter = Some(enter_site(app, &site, secret).await);
    } else if manages.is_some() && site.config.is_some() {
        page.enter = Some(enter_site(app, &site, None).await);
    }
    Ok((status, html(&page)).into_response())
}

/// Shows the page of a workspace.
pub(crate) async fn show_workspace<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    name: &str,
    typed: Option<WorkspaceForm>,
    came: Came,
) -> Result<Response, PageError> {
    let Some(workspace) = workspace_now(app, name) else {
        return Err(caller.not_found("There is no such workspace."));
    };
    let connection = Connection::Workspace(workspace.name.clone());
    let (status, faults) = (came.status(), came.faults.clone());
    let mut page = base(app, caller, &connection, "Intercom", came).await?;
    page.aside = workspace.aside.as_ref().map(Aside::words);
    page.declared = workspace.kept.is_none().then(|| header_of(&connection));
    let manages = caller.who().granted::<ManageConnections>();
    let Some(may) = manages else {
        return Ok((status, html(&page)).into_response());
    };
    if workspace.config.is_some() {
        page.enter = Some(enter_workspace(app, &workspace.name).await?);
    }
    if let Some(row) = &workspace.kept {
        page.version = row.version;
        page.changed = Some((caller.reader.when(row.changed_at), row.changed_by.clone()));
        let session = &caller.visit.form_token;
        page.consent = app
            .settings
            .consent(&may, name, session)
            .map(|consent| ToConsent {
                url: consent.url.to_string(),
                back: Copied::new("back", "Redirect URL", consent.back.to_string()),
            });
        let form = typed.unwrap_or_else(|| workspace_typed_before(name, &row.value));
        let (fields, more) = workspace_fields(&form, false, &faults);
        page.change = Some(Change {
            fields,
            more,
            choice: None,
            more_open: !form.api_url.is_empty(),
            same_end: None,
        });
        if workspace.config.is_some() {
            match app.settings.teammates(&workspace.name).await {
                Ok(teammates) => {
                    let owner = row.value.authorized_with.clone().unwrap_or_default();
                    let first = (String::new(), format!("Who the token belongs to ({owner})"));
                    let others = teammates.into_iter().map(|teammate| {
                        let email = teammate
                            .email
                            .map_or(String::new(), |email| format!(", {email}"));
                        (teammate.id, format!("{}{email}", teammate.name))
                    });
                    page.app_user = Some(Select::new(
                        "app_user",
                        "Notes are written as",
                        std::iter::once(first).chain(others),
                        row.value.app_user.as_deref().unwrap_or_default(),
                    ));
                }
                Err(words) => page.teammates_fault = Some(words),
            }
        }
    }
    Ok((status, html(&page)).into_response())
}

/// Shows the page of a channel account.
pub(crate) async fn show_account<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    name: &str,
    typed: Option<AccountForm>,
    came: Came,
) -> Result<Response, PageError> {
    let Some(account) = app.settings.account(name) else {
        return Err(caller.not_found("There is no such channel account."));
    };
    let connection = Connection::Account(account.name.clone());
    let (status, faults) = (came.status(), came.faults.clone());
    let far_side = match (&account.config, &account.kept) {
        (Some(config), _) => provider(config.provider),
        (None, Some(row)) => provider(row.value.provider.provider()),
        (None, None) => "",
    };
    let mut page = base(app, caller, &connection, far_side, came).await?;
    page.remove_words = removal_of_account(app, &account.name).await?;
    page.aside = account.aside.as_ref().map(Aside::words);
    page.declared = account.kept.is_none().then(|| header_of(&connection));
    let manages = caller.who().granted::<ManageConnections>();
    let Some(may) = manages else {
        return Ok((status, html(&page)).into_response());
    };
    let seen = page
        .card
        .as_ref()
        .is_some_and(|card| card.webhook_at.is_some());
    let token = app
        .settings
        .verify_token(&may, &account.name)
        .filter(|_| !seen);
    let token = token.as_ref().map(SecretString::expose_secret);
    page.enter = enter_account(app, &account, token);
    if let Some(row) = &account.kept {
        page.version = row.version;
        page.changed = Some((caller.reader.when(row.changed_at), row.changed_by.clone()));
        let form = typed.unwrap_or_else(|| AccountForm::of(name, &row.value));
        let (fields, more, choice) = account_fields(&form, true, &faults);
        page.change = Some(Change {
            fields,
            more,
            choice: Some(choice),
            more_open: !form.api_url.is_empty() || !form.poll_seconds.is_empty(),
            same_end: None,
        });
    }
    Ok((status, html(&page)).into_response())
}

/// What is said above the button that removes an account.
async fn removal_of_account(app: &App, name: &AccountName) -> Result<String, PageError> {
    let words = "It works only when no desk uses it. What the provider still delivers is then \
                 refused; remove the webhook there.";
    let open = match app.settings.open_talks_of_account(name).await {
        Ok(open) => open,
        Err(ChangeRefusal::Failed(error)) => return Err(error.into()),
        Err(_) => 0,
    };
    if open == 0 {
        return Ok(words.to_owned());
    }
    Ok(format!("{words} {}", open_words_of_account(open)))
}

pub(crate) async fn account(
    State(app): State<App>,
    Path(name): Path<String>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let came = Came {
        notice: notice::of(&query),
        ..Came::default()
    };
    show_account(&app, &caller, &name, None, came).await
}

pub(crate) async fn site(
    State(app): State<App>,
    Path(name): Path<String>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let came = Came {
        notice: notice::of(&query),
        ..Came::default()
    };
    show_site(&app, &caller, &name, None, came).await
}

pub(crate) async fn workspace(
    State(app): State<App>,
    Path(name): Path<String>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let came = Came {
        notice: notice::of(&query),
        ..Came::default()
    };
    show_workspace(&app, &caller, &name, None, came).await
}
