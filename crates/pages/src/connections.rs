//! Connections: how each is, and how another one is added.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use bowline_access::{ChangeBindings, Look, ManageConnections, Permission};
use bowline_domain::connection::Connection;

use crate::App;
use crate::caller::Caller;
use crate::component::{Lozenge, Tone};
use crate::desks::provider as provider_title;
use crate::error::{PageError, html};
use crate::notice;
use crate::overview::{Card, account_cards, cards};
use crate::query::Query;
use crate::shell::{Place, Shell};

#[derive(Template)]
#[template(path = "connections.html")]
struct ConnectionsPage {
    shell: Shell,
    steps: Vec<Step>,
    cards: Vec<Connected>,
    aside: Vec<SetAside>,
    may_manage: bool,
    /// Is there a channel account and no desk?
    wants_desk: bool,
}

/// A step on the way to the first note.
pub(crate) struct Step {
    pub(crate) done: bool,
    pub(crate) title: &'static str,
    pub(crate) words: &'static str,
    /// What can be done now; `None` if it is done, or another step has to come first.
    pub(crate) action: Option<(&'static str, &'static str)>,
    /// Is it what comes next?
    pub(crate) next: bool,
}

struct Connected {
    card: Card,
    /// Its page.
    page: String,
    /// Where it is declared, if it is.
    declared: Option<String>,
    /// The one button.
    button: Option<(&'static str, String)>,
}

/// One that is kept and not in use.
struct SetAside {
    name: String,
    far_side: &'static str,
    page: String,
    state: Lozenge,
    words: String,
}

/// The page of a connection.
pub(crate) fn page_of(connection: &Connection) -> String {
    match connection {
        Connection::Site(name) => format!("/connections/site/{name}"),
        Connection::Workspace(name) => format!("/connections/workspace/{name}"),
        Connection::Account(name) => format!("/connections/account/{name}"),
    }
}

/// How a connection is declared in the file.
pub(crate) fn header_of(connection: &Connection) -> String {
    let kind = match connection {
        Connection::Site(_) => "site",
        Connection::Workspace(_) => "workspace",
        Connection::Account(_) => "channel_account",
    };
    format!("[[{kind}]] name = \"{}\"", connection.name())
}

/// The way to the first note. Nothing if it was gone.
pub(crate) fn steps(app: &App, may_manage: bool, may_join: bool) -> Vec<Step> {
    let config = app.settings.config();
    let (site, workspace) = (!config.sites.is_empty(), !config.workspaces.is_empty());
    let joined = !config.bindings.is_empty();
    if site && workspace && joined {
        return Vec::new();
    }
    let mut steps = vec![
        Step {
            done: site,
            title: "Connect Jira",
            words: "With the account as which Bowline reads issues.",
            action: (!site && may_manage).then_some(("Connect Jira", "/connections/add/site")),
            next: false,
        },
        Step {
            done: workspace,
            title: "Connect Intercom",
            words: "With the app as which Bowline writes notes.",
            action: (!workspace && may_manage)
                .then_some(("Connect Intercom", "/connections/add/workspace")),
            next: false,
        },
        Step {
            done: joined,
            title: "Join a project",
            words: "Its issues then tell the conversations that they name.",
            action: (site && workspace && !joined && may_join)
                .then_some(("Join a project", "/bindings")),
            next: false,
        },
        Step {
            done: false,
            title: "Paste a conversation's address into an issue",
            words: "Copy it from the browser's bar in Intercom. The conversation gets the first note \
                    within a second; while no webhook arrives, within a minute.",
            action: None,
            next: false,
        },
    ];
    if let Some(next) = steps.iter_mut().find(|step| step.action.is_some()) {
        next.next = true;
    }
    steps
}

/// The steps for whoever looks.
pub(crate) fn steps_for<P: Permission>(app: &App, caller: &Caller<P>) -> Vec<Step> {
    let who = caller.who();
    steps(
        app,
        who.may::<ManageConnections>(),
        who.may::<ChangeBindings>(),
    )
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let now = app.shared.now();
    let queues = app.shared.store.queues().await?;
    let connections = app.shared.connections_now();
    let keys: Vec<Connection> = connections
        .iter()
        .map(|one| one.connection.clone())
        .collect();
    let may_manage = caller.who().may::<ManageConnections>();
    let kept: Vec<String> = app
        .settings
        .sites()
        .into_iter()
        .filter(|site| site.kept.is_some() && site.aside.is_none())
        .map(|site| Connection::Site(site.name).key())
        .chain(
            app.settings
                .workspaces()
                .into_iter()
                .filter(|one| one.kept.is_some() && one.aside.is_none())
                .map(|one| Connection::Workspace(one.name).key()),
        )
        .chain(
            app.settings
                .accounts()
                .into_iter()
                .filter(|one| one.kept.is_some() && one.aside.is_none())
                .map(|one| Connection::Account(one.name).key()),
        )
        .collect();
    let accounts = app.shared.accounts_now().into_iter();
    let account_keys = accounts.map(|one| Connection::Account(one.name));
    let all = cards(connections, &queues, &caller.reader, now)
        .into_iter()
        .zip(keys)
        .chain(
            account_cards(&app.shared, &queues, &caller.reader, now)
                .into_iter()
                .zip(account_keys),
        );
    let cards = all.map(|(card, connection)| {
        let is_kept = kept.contains(&connection.key());
        let page = page_of(&connection);
        let button = match (card.works, is_kept && may_manage) {
            (false, true) => Some(("Reconnect", format!("{page}#credentials"))),
            (true, true) => Some(("Look and change", page.clone())),
            _ => Some(("Look", page.clone())),
        };
        Connected {
            declared: (!is_kept).then(|| header_of(&connection)),
            page,
            button,
            card,
        }
    });
    let aside = app
        .settings
        .sites()
        .into_iter()
        .filter_map(|site| {
            let aside = site.aside?;
            Some((Connection::Site(site.name), "Jira", aside))
        })
        .chain(app.settings.workspaces().into_iter().filter_map(|one| {
            let aside = one.aside?;
            Some((Connection::Workspace(one.name), "Intercom", aside))
        }))
        .chain(app.settings.accounts().into_iter().filter_map(|one| {
            let provider = one.kept?.value.provider.provider();
            Some((
                Connection::Account(one.name),
                provider_title(provider),
                one.aside?,
            ))
        }))
        .map(|(connection, far_side, aside)| SetAside {
            name: connection.name().to_owned(),
            far_side,
            page: page_of(&connection),
            state: Lozenge::new(Tone::Plain, "not in use"),
            words: aside.words(),
        });
    let page = ConnectionsPage {
        steps: steps_for(&app, &caller),
        shell: caller
            .shell("Connections", Place::Connections)
            .noting(notice::of(&query)),
        cards: cards.collect(),
        aside: aside.collect(),
        may_manage,
        wants_desk: {
            let config = app.settings.config();
            may_manage && !config.accounts.is_empty() && app.settings.desks().is_empty()
        },
    };
    Ok(html(&page))
}
