//! Adding a site or a workspace. Credentials are tried before they are kept.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{ChangeRefusal, Fault, ManageConnections};
use bowline_settings::forms::{SiteForm, WorkspaceForm};

use crate::App;
use crate::caller::{Caller, Fields, Posted};
use crate::component::{Copied, Field, Select, fault_of};
use crate::error::{PageError, html, see_other};
use crate::needs::Needs;
use crate::shell::{Place, Shell};

#[derive(Template)]
#[template(path = "connect.html")]
pub(crate) struct ConnectPage {
    pub(crate) shell: Shell,
    pub(crate) action: &'static str,
    pub(crate) lead: &'static str,
    pub(crate) wrong: Option<String>,
    pub(crate) fields: Vec<Field>,
    pub(crate) more: Vec<Field>,
    pub(crate) choice: Option<Select>,
    /// Is one of the seldom needed fields filled or wrong?
    pub(crate) more_open: bool,
    pub(crate) button: &'static str,
    pub(crate) help: Help,
    pub(crate) other: Option<(&'static str, &'static str)>,
}

/// What is done on the other side first.
pub(crate) struct Help {
    pub(crate) title: &'static str,
    pub(crate) steps: Vec<String>,
    /// A page of the other side where that is done: what it is, and its address.
    pub(crate) there: Option<(&'static str, &'static str)>,
    pub(crate) copied: Vec<Copied>,
    /// What each use of it needs there.
    pub(crate) needs: Vec<Needs>,
}

/// What is wrong with a form, and with no field of it.
pub(crate) fn wrong_with(
    refusal: ChangeRefusal,
) -> Result<(Vec<Fault>, Option<String>), PageError> {
    match refusal {
        ChangeRefusal::Failed(error) => Err(error.into()),
        ChangeRefusal::Faults(faults) => {
            let wrong = fault_of(&faults, "form");
            Ok((faults, wrong))
        }
        refusal => Ok((Vec::new(), Some(refusal.to_string()))),
    }
}

pub(crate) fn site_typed(fields: &Fields) -> SiteForm {
    let text = |name: &str| fields.get(name).to_owned();
    SiteForm {
        name: text("name"),
        url: text("url"),
        email: text("email"),
        token: text("token"),
        api_url: text("api_url"),
        token_ends_on: text("token_ends_on"),
        // Asked once, about that day.
        same_end: fields.get("same_end") == fields.get("token_ends_on"),
    }
}

pub(crate) fn workspace_typed(fields: &Fields) -> WorkspaceForm {
    let text = |name: &str| fields.get(name).to_owned();
    WorkspaceForm {
        name: text("name"),
        access_token: text("access_token"),
        client_secret: text("client_secret"),
        client_id: text("client_id"),
        api_url: text("api_url"),
        authorize_url: text("authorize_url"),
    }
}

/// The fields of a site's credentials: those that are always needed, and those that seldom are.
/// `kept`: it has a token already.
pub(crate) fn site_fields(
    form: &SiteForm,
    kept: bool,
    faults: &[Fault],
) -> (Vec<Field>, Vec<Field>) {
    let field = |name, label, kind| Field::new(name, label, kind).filled("off");
    // What was pasted is not sent back.
    let token =
        field("token", "API token or personal access token", "password").filled("new-password");
    let token = if kept {
        token
            .hinting("Left empty, the present one is kept, as long as address and account stay.")
            .optional()
    } else {
        token
    };
    let always = vec![
        field("url", "Jira's address", "text")
            .with(&form.url)
            .hinting("As people open it: https://acme.atlassian.net, or that of your Data Center with its context path."),
        field("email", "E-mail address of the account", "text")
            .with(&form.email)
            .hinting("Jira Cloud only. Leave it empty for Data Center.")
            .optional(),
        token,
        field("token_ends_on", "The token ends on", "date")
            .with(&form.token_ends_on)
            .hinting(
                "Jira shows the day when the token is made. Bowline reminds you two weeks before.",
            )
            .optional(),
    ];
    let seldom = vec![
        field("api_url", "Where REST is reached, if elsewhere", "text")
            .with(&form.api_url)
            .hinting("For proxies. A token with scopes is recognised by itself.")
            .optional(),
    ];
    let faulty = |fields: Vec<Field>| {
        fields
            .into_iter()
            .map(|field| field.faulty(faults))
            .collect()
    };
    (faulty(always), faulty(seldom))
}

pub(crate) fn name_field(value: &str, faults: &[Fault]) -> Field {
    Field::new("name", "Name in Bowline", "text")
        .with(value)
        .filled("off")
        .hinting("Small letters, digits and hyphens; it stands in the webhook's address and stays. Left empty, it is made by itself.")
        .optional()
        .faulty(faults)
}

/// The fields of a workspace's credentials.
pub(crate) fn workspace_fields(
    form: &WorkspaceForm,
    by_consent: bool,
    faults: &[Fault],
) -> (Vec<Field>, Vec<Field>) {
    let field = |name, label, kind| Field::new(name, label, kind).filled("off");
    let secret = |name, label| Field::new(name, label, "password").filled("new-password");
    let secret_field = secret("client_secret", "Client secret").hinting(
        "Developer Hub > your app > Basic information. Intercom signs its deliveries with it.",
    );
    let mut seldom = vec![
        field("api_url", "Where the API is reached, if elsewhere", "text")
            .with(&form.api_url)
            .hinting("For proxies. The region is found out by itself.")
            .optional(),
    ];
    let always = if by_consent {
        seldom.push(
            field(
                "authorize_url",
                "Where teammates give their consent, if elsewhere",
                "text",
            )
            .with(&form.authorize_url)
            .optional(),
        );
        vec![
            field("client_id", "Client id", "text")
                .with(&form.client_id)
                .hinting("Developer Hub > your app > Basic information."),
            secret_field,
        ]
    } else {
        let token = secret("access_token", "Access token")
            .hinting("Developer Hub > your app > Configure > Authentication.");
        vec![token, secret_field]
    };
    let faulty = |fields: Vec<Field>| {
        fields
            .into_iter()
            .map(|field| field.faulty(faults))
            .collect()
    };
    (faulty(always), faulty(seldom))
}

/// Is one of these fields wrong?
pub(crate) fn any_wrong(faults: &[Fault], names: &[&str]) -> bool {
    faults.iter().any(|fault| names.contains(&fault.field))
}

fn show_site(
    caller: &Caller<ManageConnections>,
    form: &SiteForm,
    (faults, wrong): (Vec<Fault>, Option<String>),
) -> Response {
    let (fields, mut more) = site_fields(form, false, &faults);
    more.push(name_field(&form.name, &faults));
    let refused = !faults.is_empty() || wrong.is_some();
    let page = ConnectPage {
        shell: caller.shell("Connect Jira", Place::Connections),
        action: "/connections/add/site",
        lead: "Bowline tries the token before it keeps it, sealed, and never shows it again.",
        wrong,
        fields,
        more_open: any_wrong(&faults, &["name", "api_url"])
            || !form.api_url.is_empty()
            || !form.name.is_empty(),
        more,
        choice: None,
        button: "Try and connect",
        help: Help {
            title: "In Jira first",
            steps: vec![
                "Make an account of Bowline's own (on Cloud best a service account) and give it, \
                 in each project to be joined: Browse projects, Edit issues, Link issues."
                    .to_owned(),
                "As that account, make a token. Cloud: Atlassian account > Security > API tokens. \
                 Data Center: Profile > Personal access tokens."
                    .to_owned(),
            ],
            there: Some((
                "API tokens of an Atlassian account",
                "https://id.atlassian.com/manage-profile/security/api-tokens",
            )),
            copied: Vec::new(),
            needs: Vec::new(),
        },
        other: None,
    };
    respond(refused, &page)
}

pub(crate) fn respond(refused: bool, page: &impl Template) -> Response {
    let status = if refused {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    (status, html(page)).into_response()
}

pub(crate) async fn site(caller: Caller<ManageConnections>) -> Response {
    show_site(&caller, &SiteForm::default(), (Vec::new(), None))
}

pub(crate) async fn add_site(
    State(app): State<App>,
    posted: Posted<ManageConnections>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let form = site_typed(&fields);
    match app.settings.connect_site(&caller.granted, &form).await {
        Ok(made) => {
            let next = format!("/connections/site/{}?done=connected", made.name);
            Ok(see_other(&next))
        }
        Err(refusal) => Ok(show_site(&caller, &form, wrong_with(refusal)?)),
    }
}

fn app_help(back: Option<String>) -> Help {
    let mut steps = vec![
        "Developer Hub > New app, in the workspace itself.".to_owned(),
        "Under Authentication choose the permissions of what will be in use, as listed below."
            .to_owned(),
    ];
    let mut copied = Vec::new();
    if let Some(back) = back {
        steps.push("Under Authentication switch OAuth on and enter the redirect URL.".to_owned());
        copied.push(Copied::new("back", "Redirect URL", back));
    }
    Help {
        title: "In Intercom first",
        steps,
        there: Some((
            "Intercom's Developer Hub",
            "https://app.intercom.com/a/apps/_/developer-hub",
        )),
        copied,
        needs: Needs::of_each(),
    }
}

fn show_workspace(
    app: &App,
    caller: &Caller<ManageConnections>,
    by_consent: bool,
    form: &WorkspaceForm,
    (faults, wrong): (Vec<Fault>, Option<String>),
) -> Response {
    let (fields, mut more) = workspace_fields(form, by_consent, &faults);
    more.push(name_field(&form.name, &faults));
    let refused = !faults.is_empty() || wrong.is_some();
    // The name decides the address that Intercom sends people back to.
    let back = by_consent.then(|| {
        let name = match form.name.trim() {
            "" => "intercom",
            name => name,
        };
        app.settings.return_url(name).to_string()
    });
    let page = ConnectPage {
        shell: caller.shell("Connect Intercom", Place::Connections),
        action: if by_consent {
            "/connections/add/consent"
        } else {
            "/connections/add/workspace"
        },
        lead: if by_consent {
            "A teammate gives their consent in Intercom; notes are written as them until another \
             one is chosen. Best, sign in to Intercom as a teammate of Bowline's own first."
        } else {
            "Bowline tries the token before it keeps it, sealed, and never shows it again."
        },
        wrong,
        fields,
        more_open: any_wrong(&faults, &["name", "api_url", "authorize_url"])
            || !form.api_url.is_empty()
            || !form.name.is_empty(),
        more,
        choice: None,
        button: if by_consent {
            "Go on to the consent"
        } else {
            "Try and connect"
        },
        help: app_help(back),
        other: Some(if by_consent {
            (
                "Paste an access token instead",
                "/connections/add/workspace",
            )
        } else {
            (
                "Connect by a teammate's consent (OAuth) instead",
                "/connections/add/consent",
            )
        }),
    };
    respond(refused, &page)
}

pub(crate) async fn workspace(
    State(app): State<App>,
    caller: Caller<ManageConnections>,
) -> Response {
    let form = WorkspaceForm::default();
    show_workspace(&app, &caller, false, &form, (Vec::new(), None))
}

pub(crate) async fn add_workspace(
    State(app): State<App>,
    posted: Posted<ManageConnections>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let form = workspace_typed(&fields);
    match app.settings.connect_workspace(&caller.granted, &form).await {
        Ok(made) => {
            let next = format!("/connections/workspace/{}?done=connected", made.name);
            Ok(see_other(&next))
        }
        Err(refusal) => {
            let wrong = wrong_with(refusal)?;
            Ok(show_workspace(&app, &caller, false, &form, wrong))
        }
    }
}

pub(crate) async fn consent(State(app): State<App>, caller: Caller<ManageConnections>) -> Response {
    let form = WorkspaceForm::default();
    show_workspace(&app, &caller, true, &form, (Vec::new(), None))
}

pub(crate) async fn add_consent(
    State(app): State<App>,
    posted: Posted<ManageConnections>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let form = workspace_typed(&fields);
    match app.settings.begin_consent(&caller.granted, &form).await {
        Ok(name) => Ok(see_other(&format!("/connections/workspace/{name}"))),
        Err(refusal) => {
            let wrong = wrong_with(refusal)?;
            Ok(show_workspace(&app, &caller, true, &form, wrong))
        }
    }
}
