//! What is taken over from a workspace: the switches of feedback and of contacts, how far copying
//! is, what came of it, how far both sides agree.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{ManageContacts, Permission, What};
use bowline_domain::ids::WorkspaceName;
use bowline_domain::needs::Use;
use bowline_engine::contacts::{ContactSetting, Lacking, in_step};
use bowline_store::contacts::{Phase, Run, RunKind, RunState};

use super::failed::{self, Failed};
use crate::App;
use crate::caller::{Caller, Posted};
use crate::component::{Lozenge, Tone};
use crate::error::{PageError, html, see_other};
use crate::feedback::workspace::{self, Switch};
use crate::needs::Needs;
use crate::notice;
use crate::query::Query;
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};

/// Runs that are shown of a workspace.
const RUNS: i64 = 5;

#[derive(Template)]
#[template(path = "contact-settings.html")]
struct SettingsPage {
    shell: Shell,
    cards: Vec<Card>,
    at_work: bool,
}

struct Card {
    name: String,
    state: Lozenge,
    on: bool,
    updates: bool,
    declared: bool,
    missing: Vec<Lacking>,
    unknown: Option<String>,
    refused: Option<String>,
    progress: Option<Progress>,
    runs: Vec<RunRow>,
    feedback: Switch,
    feedback_refused: Option<String>,
    /// What failed, and has not been made up for.
    failed: Option<Failed>,
    /// Was it counted before that?
    outdated: bool,
    /// How far both sides agree.
    drift: Option<(Lozenge, String)>,
    agrees: bool,
    copied: bool,
    empty: bool,
    /// What copying needs in Intercom.
    needs: Needs,
}

impl Card {
    /// Will it look different soon, without anyone doing anything? What was switched on a moment
    /// ago begins by itself.
    fn moves(&self) -> bool {
        self.progress.is_some() || (self.on && self.empty)
    }
}

/// A run that is under way.
struct Progress {
    phase: &'static str,
    percent: Option<i64>,
    done: i64,
    total: Option<i64>,
    rate: Option<i64>,
    left: Option<String>,
    waiting: Option<String>,
}

struct RunRow {
    what: &'static str,
    began: When,
    /// When it ended, and how long it took.
    ended: Option<(When, String)>,
    state: Lozenge,
    fresh: i64,
    updated: i64,
    unchanged: i64,
    failed: i64,
    companies: i64,
    why: Option<String>,
    reasons: Vec<(String, String)>,
}

/// How long something takes, for people.
pub(crate) fn duration(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    match seconds {
        0..60 => "less than a minute".to_owned(),
        60..3_600 => format!("{} min", seconds / 60 + 1),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// How long something took, for people: to the second within a minute.
fn took(ms: i64) -> String {
    match ms.max(0) / 1_000 {
        0 => "less than a second".to_owned(),
        seconds @ 1..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

fn progress(app: &App, run: &Run) -> Progress {
    let (how_far, now) = (run.progress(), app.shared.now());
    Progress {
        phase: match run.phase {
            Phase::Companies => "companies",
            Phase::Contacts => "contacts",
            Phase::Comparing => "asking for those whom the list lacks, after",
            Phase::Counting => "comparing",
        },
        percent: how_far.percent(),
        done: run.position,
        total: run.total,
        rate: how_far.rate(now),
        left: how_far.left_ms(now).map(duration),
        waiting: run.waiting.clone(),
    }
}

fn row(reader: &Reader, run: Run) -> RunRow {
    let state = match run.state {
        RunState::Running => Lozenge::new(Tone::Busy, "under way"),
        RunState::Done if run.failed > 0 => Lozenge::new(Tone::Warn, "done, with failures"),
        RunState::Done => Lozenge::new(Tone::Good, "done"),
        RunState::Stopped => Lozenge::new(Tone::Plain, "stopped"),
        RunState::Failed => Lozenge::new(Tone::Bad, "failed"),
    };
    RunRow {
        what: match run.kind {
            RunKind::Copy => "Copy of everything",
            RunKind::Sweep => "Look for changes",
            RunKind::Mend => "Comparison with Intercom's list",
        },
        began: reader.when(run.began_at),
        ended: run
            .ended_at
            .map(|at| (reader.when(at), took(at.since(run.began_at)))),
        state,
        unchanged: run.unchanged(),
        fresh: run.fresh,
        updated: run.updated,
        failed: run.failed,
        companies: run.companies,
        why: run.waiting.filter(|_| run.state == RunState::Failed),
        reasons: run.reasons,
    }
}

/// Why so many may be missing here, if people erased some.
fn erased_words(erased: i64) -> String {
    match erased {
        0 => String::new(),
        1 => " 1 was erased here by a person and is not copied again.".to_owned(),
        some => format!(" {some} were erased here by people and are not copied again."),
    }
}

/// How far both sides agree, in a word and a sentence, where so many were erased here. Both sides
/// agree if they have as many; those whom people erased here are missed by nobody.
fn drift(reader: &Reader, setting: &ContactSetting, erased: i64) -> Option<(Lozenge, String)> {
    let sync = &setting.sync;
    let (ours, theirs, at) = (sync.ours?, sync.theirs?, sync.counted_at?);
    let at = reader.when(at).text();
    let why = erased_words(erased);
    let differ = || Lozenge::new(Tone::Warn, "counts differ");
    Some(match ours - theirs {
        0 => (
            Lozenge::new(Tone::Good, "counts agree"),
            format!("Both sides had {ours} contacts on {at}."),
        ),
        more if more > 0 => (
            differ(),
            format!(
                "Here are {ours} contacts and at Intercom {theirs}, {more} fewer, as counted on \
                 {at}. Some were deleted, merged or archived there without Bowline being told. \
                 “Mend now” finds them."
            ),
        ),
        _ if in_step(sync, erased) => (
            Lozenge::new(Tone::Good, "nothing is missing"),
            format!(
                "Intercom has {theirs} contacts and {ours} are here, as counted on {at}: no more \
                 differ than were erased here.{why}"
            ),
        ),
        fewer => (
            differ(),
            format!(
                "Here are {ours} contacts and at Intercom {theirs}, {} more, as counted on \
                 {at}.{why} “Mend now” gets what else is missing.",
                -fewer
            ),
        ),
    })
}

async fn card(
    app: &App,
    reader: &Reader,
    setting: ContactSetting,
    (refused, feedback_refused): (Option<String>, Option<String>),
) -> Result<Card, PageError> {
    let runs = app.shared.store.runs(&setting.workspace, RUNS).await?;
    let at_work = runs.iter().find(|run| run.state == RunState::Running);
    let at_work = at_work.map(|run| progress(app, run));
    // Named before anything is switched on; afterwards a run says it.
    let (missing, unknown) = if setting.on {
        (Vec::new(), None)
    } else {
        match app.shared.missing_for_contacts(&setting.workspace).await {
            Ok(missing) => (missing, None),
            Err(why) => (Vec::new(), Some(why)),
        }
    };
    let erased = app.shared.store.erased_here(&setting.workspace).await?;
    let failed = failed::of_setting(app, reader, &setting).await?;
    let agrees = in_step(&setting.sync, erased);
    let drift = drift(reader, &setting, erased);
    let state = match (setting.on, &at_work) {
        (false, _) => Lozenge::new(Tone::Plain, "off"),
        (true, Some(_)) => Lozenge::new(Tone::Busy, "copying"),
        (true, None) if failed.is_some() => {
            let what = failed.as_ref().map_or("copy", Failed::what);
            Lozenge::new(Tone::Bad, format!("last {what} failed"))
        }
        (true, None) if runs.is_empty() => Lozenge::new(Tone::Busy, "copying begins"),
        (true, None) if setting.sync.copied_at.is_none() => {
            Lozenge::new(Tone::Warn, "not copied yet")
        }
        (true, None) if !agrees => Lozenge::new(Tone::Warn, "counts differ"),
        (true, None) => Lozenge::new(Tone::Good, "in step"),
    };
    Ok(Card {
        name: setting.workspace.to_string(),
        state,
        on: setting.on,
        updates: setting.updates,
        declared: setting.declared,
        missing,
        unknown,
        refused,
        progress: at_work,
        empty: runs.is_empty(),
        runs: runs.into_iter().map(|run| row(reader, run)).collect(),
        feedback: workspace::standing(app, &setting.workspace).await?,
        feedback_refused,
        outdated: failed
            .as_ref()
            .is_some_and(|failed| setting.sync.counted_at < Some(failed.ended_at)),
        failed,
        drift,
        agrees,
        needs: Needs::of(Use::Contacts, &setting.workspace),
        copied: setting.sync.copied_at.is_some() || setting.sync.ours.is_some(),
    })
}

/// Which switch was refused, in words.
enum Refused {
    Contacts(String),
    Feedback(String),
}

async fn show<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    query: &Query,
    refused: Option<(WorkspaceName, Refused)>,
) -> Result<Response, PageError> {
    let mut cards = Vec::new();
    for setting in app.shared.contact_settings().await? {
        let words = match &refused {
            Some((name, Refused::Contacts(words))) if *name == setting.workspace => {
                (Some(words.clone()), None)
            }
            Some((name, Refused::Feedback(words))) if *name == setting.workspace => {
                (None, Some(words.clone()))
            }
            _ => (None, None),
        };
        cards.push(card(app, &caller.reader, setting, words).await?);
    }
    let page = SettingsPage {
        shell: caller
            .shell("Integration settings", Place::Contacts)
            .noting(notice::of(query)),
        at_work: cards.iter().any(Card::moves),
        cards,
    };
    let status = if refused.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    Ok((status, html(&page)).into_response())
}

/// The page with the words beside the switch of a workspace's feedback.
pub(crate) async fn refuse_feedback<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    workspace: WorkspaceName,
    words: String,
) -> Result<Response, PageError> {
    let refused = Some((workspace, Refused::Feedback(words)));
    show(app, caller, &Query::default(), refused).await
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<ManageContacts>,
    query: Query,
) -> Result<Response, PageError> {
    show(&app, &caller, &query, None).await
}

/// Why a workspace was not switched.
pub(crate) enum NotSwitched {
    /// The app lacks permissions.
    Lacking(Vec<Lacking>),
    /// In words.
    Words(String),
}

impl NotSwitched {
    /// All of it in words.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Words(words) => words,
            Self::Lacking(missing) => {
                let names: Vec<&str> = missing.iter().map(|one| one.permission.title()).collect();
                format!(
                    "The app lacks permissions at Intercom: {}. An administrator of Intercom adds \
                     them in the Developer Hub.",
                    names.join("; ")
                )
            }
        }
    }

    /// The same for a page that lists what is missing anyway.
    fn beside_list(self) -> String {
        match self {
            Self::Words(words) => words,
            Self::Lacking(_) => "Nothing was switched on, because of what is missing:".to_owned(),
        }
    }
}

/// Switches a workspace, or says why it cannot be.
pub(crate) async fn set(
    app: &App,
    who: &bowline_access::Who,
    setting: &ContactSetting,
    (on, updates): (bool, bool),
) -> Result<Result<(), NotSwitched>, PageError> {
    if setting.declared {
        let words = "The configuration declares this ([[contact_sync]]), so it cannot be switched \
                     here. Whoever runs Bowline can change it there.";
        return Ok(Err(NotSwitched::Words(words.to_owned())));
    }
    if on && !setting.on {
        match app.shared.missing_for_contacts(&setting.workspace).await {
            Ok(missing) if !missing.is_empty() => {
                return Ok(Err(NotSwitched::Lacking(missing)));
            }
            Ok(_) => {}
            Err(why) => return Ok(Err(NotSwitched::Words(why))),
        }
    }
    let detail = match (on, updates) {
        (false, _) => "off",
        (true, true) => "on, with changes",
        (true, false) => "on, new contacts only",
    };
    let entry = app.access.entry(
        who,
        What::ContactsSwitched,
        setting.workspace.as_str(),
        detail,
    );
    app.shared
        .switch_contacts(setting, on, updates, entry)
        .await?;
    Ok(Ok(()))
}

async fn named(app: &App, posted: &Posted<ManageContacts>) -> Result<ContactSetting, PageError> {
    let name = WorkspaceName::new(posted.fields.get("workspace"));
    let found = app.shared.contact_setting(&name).await?;
    found.ok_or_else(|| posted.caller.not_found("There is no such workspace."))
}

pub(crate) async fn switch(
    State(app): State<App>,
    posted: Posted<ManageContacts>,
) -> Result<Response, PageError> {
    let setting = named(&app, &posted).await?;
    let Posted { caller, fields } = posted;
    let on = fields.get("on") == "yes";
    let updates = fields.get("updates") == "yes";
    match set(&app, caller.who(), &setting, (on, updates)).await? {
        Ok(()) => {
            let done = if on { "contacts-on" } else { "contacts-off" };
            Ok(see_other(&format!("/contacts/settings?done={done}")))
        }
        Err(why) => {
            let refused = Some((setting.workspace, Refused::Contacts(why.beside_list())));
            show(&app, &caller, &Query::default(), refused).await
        }
    }
}

pub(crate) async fn copy(
    State(app): State<App>,
    posted: Posted<ManageContacts>,
) -> Result<Response, PageError> {
    let setting = named(&app, &posted).await?;
    if !setting.on {
        let words = "Switch copying on first.".to_owned();
        let refused = Some((setting.workspace, Refused::Contacts(words)));
        return show(&app, &posted.caller, &Query::default(), refused).await;
    }
    let (kind, detail) = if posted.fields.get("do") == "mend" {
        (RunKind::Mend, "mended")
    } else {
        (RunKind::Copy, "copied again")
    };
    let begun = app
        .shared
        .begin_contact_run(&setting.workspace, kind)
        .await?;
    if begun {
        app.access
            .write_down(
                posted.caller.who(),
                What::ContactsSwitched,
                setting.workspace.as_str(),
                detail,
            )
            .await?;
    }
    let done = if begun { "copying" } else { "copying-already" };
    Ok(see_other(&format!("/contacts/settings?done={done}")))
}

pub(crate) async fn remove(
    State(app): State<App>,
    posted: Posted<ManageContacts>,
) -> Result<Response, PageError> {
    let setting = named(&app, &posted).await?;
    let Posted { caller, fields } = posted;
    let refused = if setting.on {
        Some("Switch copying off first; otherwise all of it would come back.")
    } else if fields.get("sure") != "yes" {
        Some(
            "Tick that you are sure. What was copied can be copied again; what was set here of people \
             who were never imported cannot.",
        )
    } else {
        None
    };
    if let Some(words) = refused {
        let refused = Some((setting.workspace, Refused::Contacts(words.to_owned())));
        return show(&app, &caller, &Query::default(), refused).await;
    }
    let removed = app
        .shared
        .remove_copied_contacts(&setting.workspace)
        .await?;
    app.access
        .write_down(
            caller.who(),
            What::ContactsRemoved,
            setting.workspace.as_str(),
            &format!(
                "{} contacts and {} companies; {} who were imported stay",
                removed.contacts, removed.companies, removed.kept
            ),
        )
        .await?;
    Ok(see_other("/contacts/settings?done=contacts-removed"))
}
