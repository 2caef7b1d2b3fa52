//! One desk: making it, changing it, removing it. What can be chosen is asked of Jira.

mod form;
mod offers;
mod texts;
mod typed;

use axum::extract::{Path, State};
use axum::response::Response;
use bowline_access::{ChangeRefusal, Fault, ManageConnections};
use bowline_settings::{DeskForm, HookFound};

use self::form::show;
use self::typed::typed;
use crate::App;
use crate::caller::{Caller, Posted};
use crate::connecting::wrong_with;
use crate::error::{PageError, see_other};
use crate::notice;
use crate::query::Query;

/// What stands in the form.
struct Shown {
    form: DeskForm,
    faults: Vec<Fault>,
    wrong: Option<String>,
    /// The version that what was typed was made from; `None`: it is what stands there now.
    from: Option<i64>,
}

impl Shown {
    fn fresh(form: DeskForm) -> Self {
        Self {
            form,
            faults: Vec::new(),
            wrong: None,
            from: None,
        }
    }

    /// What was typed goes on from the version that it was made from.
    fn from(mut self, version: i64) -> Self {
        self.from = Some(version);
        self
    }

    fn refused(form: DeskForm, refusal: ChangeRefusal) -> Result<Self, PageError> {
        let (faults, wrong) = wrong_with(refusal)?;
        Ok(Self {
            form,
            faults,
            wrong,
            from: None,
        })
    }
}

pub(crate) async fn adding(
    State(app): State<App>,
    caller: Caller<ManageConnections>,
) -> Result<Response, PageError> {
    let form = DeskForm::default();
    show(&app, &caller, None, Shown::fresh(form), None).await
}

pub(crate) async fn add(
    State(app): State<App>,
    posted: Posted<ManageConnections>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let form = typed(&fields);
    if fields.get("do") == "look" {
        return show(&app, &caller, None, Shown::fresh(form), None).await;
    }
    match app.settings.add_desk(&caller.granted, &form).await {
        Ok(made) => Ok(see_other(&format!(
            "/desks?done={}",
            done(&made.hook, true)
        ))),
        Err(refusal) => {
            let shown = Shown::refused(form, refusal)?;
            show(&app, &caller, None, shown, None).await
        }
    }
}

/// The word for what was done.
fn done(hook: &HookFound, is_new: bool) -> &'static str {
    match (hook, is_new) {
        (HookFound::Registered | HookFound::Kept, true) => "desk-added",
        (HookFound::Registered | HookFound::Kept, false) => "desk-saved",
        (_, true) => "desk-added-by-hand",
        (_, false) => "desk-saved-by-hand",
    }
}

pub(crate) async fn page(
    State(app): State<App>,
    Path(name): Path<String>,
    caller: Caller<ManageConnections>,
    query: Query,
) -> Result<Response, PageError> {
    let Some(desk) = app.settings.desk(&name) else {
        return Err(caller.not_found("There is no such desk."));
    };
    let Some(row) = &desk.kept else {
        return Err(caller.not_found(
            "The configuration file declares this desk, so it is changed there. The page Desks \
             shows how.",
        ));
    };
    let form = DeskForm::of(&name, &row.value);
    let noted = notice::of(&query);
    show(&app, &caller, Some(&desk), Shown::fresh(form), noted).await
}

/// What a form on a desk's page asks for.
pub(crate) async fn change(
    State(app): State<App>,
    Path((name, what)): Path<(String, String)>,
    posted: Posted<ManageConnections>,
) -> Result<Response, PageError> {
    let from: i64 = posted.fields.get("version").parse().unwrap_or(0);
    let Posted { caller, fields } = posted;
    let by = &caller.granted;
    let missing = || caller.not_found("There is no such desk, or the file declares it.");
    let Some(desk) = app.settings.desk(&name).filter(|desk| desk.kept.is_some()) else {
        return Err(missing());
    };
    let kept = desk.kept.as_ref();
    let form = kept.map(|row| DeskForm::of(&name, &row.value));
    let (form, refusal) = match what.as_str() {
        "settings" => {
            let form = typed(&fields);
            if fields.get("do") == "look" {
                let shown = Shown::fresh(form).from(from);
                return show(&app, &caller, Some(&desk), shown, None).await;
            }
            match app.settings.change_desk(by, (&name, from), &form).await {
                Ok(saved) => {
                    let word = done(&saved.hook, false);
                    return Ok(see_other(&format!("/desk/{name}?done={word}")));
                }
                Err(refusal) => (form, refusal),
            }
        }
        "remove" => {
            let anyway = fields.get("anyway") == "yes";
            match app.settings.remove_desk(by, (&name, from), anyway).await {
                Ok(()) => return Ok(see_other("/desks?done=desk-removed")),
                Err(refusal) => (form.unwrap_or_default(), refusal),
            }
        }
        _ => return Err(caller.not_found("There is no such form.")),
    };
    if matches!(refusal, ChangeRefusal::Gone) {
        return Err(missing());
    }
    // What somebody else saved meanwhile is what the form shows, with its version; what was typed
    // here is not put over it.
    let overtaken = matches!(refusal, ChangeRefusal::Overtaken);
    let mut shown = Shown::refused(form, refusal)?.from(from);
    let now = app.settings.desk(&name);
    if let Some(row) = now.as_ref().and_then(|desk| desk.kept.as_ref())
        && overtaken
    {
        shown.form = DeskForm::of(&name, &row.value);
        shown.from = None;
    }
    match now {
        Some(now) => show(&app, &caller, Some(&now), shown, None).await,
        None => Err(missing()),
    }
}
