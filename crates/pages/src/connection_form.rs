//! The forms on the page of a connection, and the way back from Intercom.

use axum::extract::{Path, State};
use axum::response::Response;
use bowline_access::{ChangeRefusal, ManageConnections};
use bowline_domain::connection::Connection;
use bowline_domain::ids::{SiteName, WorkspaceName};
use bowline_settings::HookFound;

use crate::App;
use crate::caller::{Caller, Posted};
use crate::connecting::{site_typed, workspace_typed};
use crate::connection::{Came, show_site, show_workspace};
use crate::error::{PageError, see_other};
use crate::query::Query;

fn version(posted: &Posted<ManageConnections>) -> i64 {
    posted.fields.get("version").parse().unwrap_or(0)
}

/// What a site's form asks for.
pub(crate) async fn change_site(
    State(app): State<App>,
    Path((name, what)): Path<(String, String)>,
    posted: Posted<ManageConnections>,
) -> Result<Response, PageError> {
    let from = version(&posted);
    let Posted { caller, fields } = posted;
    let by = &caller.granted;
    let connection = Connection::Site(SiteName::new(name.as_str()));
    let done = |word: &str| Ok(see_other(&format!("/connections/site/{name}?done={word}")));
    let mut typed = None;
    let refusal = match what.as_str() {
        "credentials" => {
            let form = site_typed(&fields);
            let changed = app.settings.change_site(by, (&name, from), &form).await;
            typed = Some(form);
            match changed {
                Ok(_) => return done("reconnected"),
                Err(refusal) => refusal,
            }
        }
        "secret" => match app.settings.renew_webhook_secret(by, (&name, from)).await {
            Ok(()) => {
                let came = Came {
                    told: Some(
                        "This is the new secret, shown this once. Enter it at the webhook in Jira; \
                         the old one is accepted until you make the next."
                            .to_owned(),
                    ),
                    new_secret: true,
                    ..Came::default()
                };
                return show_site(&app, &caller, &name, None, came).await;
            }
            Err(refusal) => refusal,
        },
        "hook" => {
            let told = match app.settings.sync_hook(&SiteName::new(name.as_str())).await {
                HookFound::Registered => "The webhook is registered in Jira.".to_owned(),
                HookFound::Kept => "The webhook is in step.".to_owned(),
                HookFound::ByHand => "Bowline's account may not manage webhooks in Jira, or no \
                                      project is joined yet. A Jira administrator enters what \
                                      stands here."
                    .to_owned(),
                HookFound::Failed(words) => format!("That did not work: {words}."),
            };
            let came = Came {
                told: Some(told),
                ..Came::default()
            };
            return show_site(&app, &caller, &name, None, came).await;
        }
        "test" => {
            app.settings.test(&connection).await;
            return done("tested");
        }
        "remove" => {
            let removed = app
                .settings
                .remove_connection(by, (&connection, from))
                .await;
            match removed {
                Ok(()) => return Ok(see_other("/connections?done=removed")),
                Err(refusal) => refusal,
            }
        }
        _ => return Err(caller.not_found("There is no such form.")),
    };
    if matches!(refusal, ChangeRefusal::Gone) {
        return Err(caller.not_found("There is no such site, or the file declares it."));
    }
    show_site(&app, &caller, &name, typed, Came::refused(refusal)?).await
}

/// What a workspace's form asks for.
pub(crate) async fn change_workspace(
    State(app): State<App>,
    Path((name, what)): Path<(String, String)>,
    posted: Posted<ManageConnections>,
) -> Result<Response, PageError> {
    let from = version(&posted);
    let Posted { caller, fields } = posted;
    let by = &caller.granted;
    let connection = Connection::Workspace(WorkspaceName::new(name.as_str()));
    let done = |word: &str| {
        Ok(see_other(&format!(
            "/connections/workspace/{name}?done={word}"
        )))
    };
    let mut typed = None;
    let refusal = match what.as_str() {
        "credentials" => {
            let form = workspace_typed(&fields);
            let changed = app
                .settings
                .change_workspace(by, (&name, from), &form)
                .await;
            typed = Some(form);
            match changed {
                Ok(_) => return done("reconnected"),
                Err(refusal) => refusal,
            }
        }
        "app-user" => {
            let teammate = fields.get("app_user");
            match app
                .settings
                .change_app_user(by, (&name, from), teammate)
                .await
            {
                Ok(()) => return done("app-user"),
                Err(refusal) => refusal,
            }
        }
        "test" => {
            app.settings.test(&connection).await;
            return done("tested");
        }
        "remove" => {
            let removed = app
                .settings
                .remove_connection(by, (&connection, from))
                .await;
            match removed {
                Ok(()) => return Ok(see_other("/connections?done=removed")),
                Err(refusal) => refusal,
            }
        }
        _ => return Err(caller.not_found("There is no such form.")),
    };
    if matches!(refusal, ChangeRefusal::Gone) {
        return Err(caller.not_found("There is no such workspace, or the file declares it."));
    }
    let mut came = Came::refused(refusal)?;
    if what == "app-user" {
        came.wrong = came
            .wrong
            .or_else(|| came.faults.first().map(|fault| fault.words.clone()));
    }
    show_workspace(&app, &caller, &name, typed, came).await
}

/// Someone comes back from Intercom.
pub(crate) async fn back(
    State(app): State<App>,
    Path(name): Path<String>,
    caller: Caller<ManageConnections>,
    query: Query,
) -> Result<Response, PageError> {
    let session = caller.visit.form_token.clone();
    let given = (session.as_str(), query.text("state"));
    let finished = app
        .settings
        .finish_consent(&caller.granted, &name, given, query.text("code"))
        .await;
    match finished {
        Ok(_) => {
            let next = format!("/connections/workspace/{name}?done=connected");
            Ok(see_other(&next))
        }
        Err(ChangeRefusal::Gone) => Err(caller.not_found("There is no such workspace.")),
        Err(refusal) => {
            let mut came = Came::refused(refusal)?;
            came.wrong = came
                .wrong
                .or_else(|| came.faults.first().map(|fault| fault.words.clone()));
            came.faults.clear();
            show_workspace(&app, &caller, &name, None, came).await
        }
    }
}
