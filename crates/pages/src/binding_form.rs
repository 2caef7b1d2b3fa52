//! The forms on the page of a project: what is told, rules, import, parting and joining again.

use axum::extract::{Path, State};
use axum::response::Response;
use bowline_access::{ChangeBindings, ChangeRefusal, Fault};
use bowline_domain::gather::COALESCE_SECONDS_MAX;
use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_domain::panel::ContactSource;
use bowline_domain::settings::{
    CommentFilter, NoteContents, Notify, StatusMatch, TransitionRule, Trigger,
};
use bowline_settings::import;
use bowline_settings::stored::StoredBinding;

use crate::App;
use crate::binding::{Came, show};
use crate::caller::{Fields, Posted};
use crate::component::fault_of;
use crate::connecting::wrong_with;
use crate::error::{PageError, see_other};
use crate::tally;

/// The longest mark of a comment filter, in letters.
const MARK_LETTERS_MAX: usize = 100;

/// Rules for single transitions that a project may have.
const RULES_MAX: usize = 50;

/// Reads the form into what is kept.
fn typed(fields: &Fields, stored: &mut StoredBinding) -> Result<(), ChangeRefusal> {
    let on = |name: &str| fields.get(name) == "yes";
    let trigger = |word: &str| Trigger {
        note: on(&format!("{word}_note")),
        reopen: on(&format!("{word}_reopen")),
    };
    let mark = fields.get("mark").trim();
    let filter = match fields.get("filter") {
        "public" => CommentFilter::Public,
        "marker" if mark.is_empty() || mark.chars().count() > MARK_LETTERS_MAX => {
            let words = format!("Write the mark, in at most {MARK_LETTERS_MAX} letters.");
            let fault = Fault::new("form", words);
            return Err(ChangeRefusal::Faults(vec![fault]));
        }
        "marker" => CommentFilter::Marker(mark.to_owned()),
        _ => CommentFilter::All,
    };
    stored.notify = Notify {
        created: trigger("created"),
        assigned: trigger("assigned"),
        commented: trigger("commented"),
        filter,
        transitioned: trigger("transitioned"),
    };
    let typed = fields.get("coalesce_seconds").trim();
    let seconds = if typed.is_empty() { "0" } else { typed };
    let seconds = seconds.parse().ok();
    stored.coalesce_seconds = seconds
        .filter(|seconds| *seconds <= COALESCE_SECONDS_MAX)
        .ok_or_else(|| {
            let words = format!("Write a number of seconds from 0 to {COALESCE_SECONDS_MAX}.");
            ChangeRefusal::Faults(vec![Fault::new("coalesce_seconds", words)])
        })?;
    stored.linking = on("linking");
    stored.muted = on("muted");
    stored.contents = NoteContents {
        summary: on("summary"),
        comment: on("comment"),
    };
    stored.unassign_on_open = on("unassign_on_open");
    stored.wake_snoozed = on("wake_snoozed");
    stored.webhooks = on("webhooks");
    stored.panel.enabled = on("panel");
    stored.panel.conversation_view = on("conversation_view");
    stored.panel.contact_source = match fields.get("contact_source") {
        "reporter" => ContactSource::Reporter,
        _ => ContactSource::Linked,
    };
    Ok(())
}

/// What changed, for the audit log.
pub(crate) fn detail(before: &StoredBinding, after: &StoredBinding) -> String {
    let changes = import::changes(before, after);
    let words = changes
        .iter()
        .map(|(title, was, is)| format!("{title}: {was} → {is}"));
    words.collect::<Vec<_>>().join("; ")
}

fn add_rule(fields: &Fields, stored: &mut StoredBinding) -> Result<(), ChangeRefusal> {
    let wrong = |words: &str| {
        let fault = Fault::new("form", words);
        ChangeRefusal::Faults(vec![fault])
    };
    let status = |name: &str| StatusMatch::read(fields.get(name)).map_err(|words| wrong(&words));
    let (from, to) = (status("from")?, status("to")?);
    if fields.get("to").trim().is_empty() || to == StatusMatch::Any {
        return Err(wrong("Choose the status that it moves to."));
    }
    let then = Trigger {
        note: fields.get("note") == "yes",
        reopen: fields.get("reopen") == "yes",
    };
    if !then.acts() {
        return Err(wrong("Choose a note, re-opening, or both."));
    }
    if stored.transitions.len() >= RULES_MAX {
        return Err(wrong("There are too many rules; remove one first."));
    }
    stored.transitions.push(TransitionRule { from, to, then });
    Ok(())
}

/// Is something wrong with what was typed about Jira's side?
fn wrong_there(faults: &[Fault]) -> bool {
    let mut faults = faults.iter();
    faults.any(|fault| ["label", "number_field"].contains(&fault.field))
}

/// What a form on the page asks for.
pub(crate) async fn change(
    State(app): State<App>,
    Path((site, project, what)): Path<(String, String, String)>,
    posted: Posted<ChangeBindings>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let from: i64 = fields.get("version").parse().unwrap_or(0);
    let (site, project) = (SiteName::new(site), ProjectKey::new(project));
    let by = &caller.granted;
    let place = (&site, &project, from);
    let settings = &app.settings;
    let changed = match what.as_str() {
        "settings" => {
            let change = |stored: &mut StoredBinding| {
                let before = stored.clone();
                typed(&fields, stored)?;
                Ok(detail(&before, stored))
            };
            settings.change_binding(by, place, change).await.map(drop)
        }
        "add-rule" => {
            let change = |stored: &mut StoredBinding| {
                let before = stored.clone();
                add_rule(&fields, stored)?;
                Ok(detail(&before, stored))
            };
            settings.change_binding(by, place, change).await.map(drop)
        }
        "remove-rule" => {
            let change = |stored: &mut StoredBinding| {
                let before = stored.clone();
                let number = fields.get("rule").parse().unwrap_or(usize::MAX);
                if number < stored.transitions.len() {
                    stored.transitions.remove(number);
                }
                Ok(detail(&before, stored))
            };
            settings.change_binding(by, place, change).await.map(drop)
        }
        "import" => match settings.other_app(&site, &project).await {
            Ok(Some(property)) => {
                let change = |stored: &mut StoredBinding| {
                    let imported = import::read(&property, stored);
                    let detail = detail(stored, &imported.after);
                    *stored = imported.after;
                    Ok(format!("imported: {detail}"))
                };
                settings.change_binding(by, place, change).await.map(drop)
            }
            Ok(None) => Err(ChangeRefusal::Gone),
            Err(words) => {
                let fault = Fault::new("form", words);
                Err(ChangeRefusal::Faults(vec![fault]))
            }
        },
        "tally" => match tally::typed(&app, &site, &fields).await {
            Ok(wanted) => {
                let change = |stored: &mut StoredBinding| {
                    let before = stored.clone();
                    stored.tally = wanted.clone();
                    Ok(detail(&before, stored))
                };
                settings.change_binding(by, place, change).await.map(drop)
            }
            Err(refusal) => Err(refusal),
        },
        "in-step" => {
            // Changes nothing that is kept; who may change the project's settings may ask for it.
            settings
                .change_binding(by, place, |_| Ok("in step again".to_owned()))
                .await
                .map(drop)
        }
        "part" => settings.part(by, place).await,
        "rejoin" => settings.rejoin(by, place, fields.get("workspace")).await,
        "forget" => match settings.forget(by, place).await {
            Ok(()) => return Ok(see_other("/bindings?done=forgotten")),
            Err(refusal) => Err(refusal),
        },
        _ => return Err(caller.not_found("There is no such form.")),
    };
    if changed.is_ok() && what == "in-step" {
        tally::again(&app, &site, &project).await?;
    }
    match changed {
        Ok(()) => {
            let done = match what.as_str() {
                "part" => "parted",
                "rejoin" => "rejoined",
                "import" => "imported",
                _ => "saved",
            };
            let next = format!("/bindings/{site}/{project}?done={done}");
            Ok(see_other(&next))
        }
        Err(ChangeRefusal::Gone) => {
            Err(caller.not_found("This project is not joined to a workspace."))
        }
        Err(refusal) => {
            let (faults, wrong) = wrong_with(refusal)?;
            let came = Came {
                wrong: wrong.or_else(|| fault_of(&faults, "workspace")),
                coalesce: fault_of(&faults, "coalesce_seconds")
                    .map(|words| (fields.get("coalesce_seconds").to_owned(), words)),
                tally: (what == "tally" && wrong_there(&faults)).then(|| tally::Typed {
                    label: fields.get("label").to_owned(),
                    faults: faults.clone(),
                }),
                ..Came::default()
            };
            show(&app, &caller, (&site, &project), came).await
        }
    }
}
