//! Deciding again all deliveries since a time: a plan first, then a run that is watched and can be
//! cancelled.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use bowline_access::{Fault, ReplayAll, What, Who};
use bowline_domain::connection::Connection;
use bowline_domain::time::Millis;
use bowline_store::feedback::BackfillState;
use bowline_store::replays::{REPLAY_DELIVERIES_MAX, ReplayAsked, ReplayPlan, ReplayRun};
use jiff::civil::DateTime;

use crate::App;
use crate::caller::{Caller, Posted};
use crate::component::{Field, Lozenge, Select, Tone};
use crate::deliveries::connections;
use crate::error::{PageError, html, see_other};
use crate::feedback::words::number;
use crate::notice;
use crate::query::Query;
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};

/// Replays that the page lists.
const LISTED: i64 = 10;

#[derive(Template)]
#[template(path = "replay.html")]
struct ReplayPage {
    shell: Shell,
    connection: Select,
    since: Field,
    plan: Option<Plan>,
    runs: Vec<Run>,
    /// One is under way, so that no other can begin.
    under_way: bool,
    /// Something changes by itself, so that the page looks again.
    moves: bool,
}

/// What a run would do, in words that are numbers.
struct Plan {
    connection: String,
    since: String,
    again: String,
    quarantined: String,
    nothing: String,
    effects: String,
    waiting: String,
    gone: String,
    any: bool,
}

struct Run {
    id: i64,
    state: Lozenge,
    which: String,
    since: When,
    who: String,
    at: When,
    ended: Option<When>,
    found: String,
    put_back: String,
    decided: String,
    waiting: String,
    running: bool,
}

/// Which connection a word names; `Err` if none is called so.
pub(crate) fn connection_of(app: &App, word: &str) -> Result<Option<Connection>, String> {
    if word.is_empty() {
        return Ok(None);
    }
    let known = app.shared.connections_now();
    let found =
        Connection::from_key(word).filter(|one| known.iter().any(|known| known.connection == *one));
    found
        .map(Some)
        .ok_or_else(|| format!("“{word}” is no connection. Choose one of those listed."))
}

/// A moment as a form sends it, in the reader's zone.
fn read_moment(text: &str, reader: &Reader) -> Option<Millis> {
    let moment: DateTime = text.parse().ok()?;
    let at = moment.to_zoned(reader.zone.clone()).ok()?;
    Some(Millis(at.timestamp().as_millisecond()))
}

/// Counts what a replay would take.
pub(crate) async fn plan(app: &App, asked: &ReplayAsked) -> Result<ReplayPlan, PageError> {
    Ok(app.shared.store.plan_replay(asked).await?)
}

/// What is said of a time since which too much came.
pub(crate) fn too_many() -> String {
    format!(
        "More than {} deliveries came since then; one replay takes no more. Choose a later time, \
         or one connection.",
        number(REPLAY_DELIVERIES_MAX)
    )
}

/// Begins a replay, and writes that down. `None` if one is under way.
pub(crate) async fn begin(
    app: &App,
    who: &Who,
    asked: ReplayAsked,
    plan: ReplayPlan,
) -> Result<Option<i64>, PageError> {
    let which = which(asked.connection.as_ref());
    let since = jiff::Timestamp::from_millisecond(asked.since.0).unwrap_or_default();
    let detail = format!("begun, since {since}: {} deliveries", plan.again());
    let audit = vec![app.access.entry(who, What::EventsReplayed, which, detail)];
    let by = (who.name(), app.shared.now());
    let store = &app.shared.store;
    Ok(store.begin_replay((asked, plan), by, audit).await?)
}

/// Cancels a replay, and writes that down. Answers whether there was one to cancel.
pub(crate) async fn cancel(app: &App, who: &Who, id: i64) -> Result<bool, PageError> {
    let subject = format!("replay {id}");
    let audit = vec![
        app.access
            .entry(who, What::EventsReplayed, subject, "cancelled"),
    ];
    let store = &app.shared.store;
    Ok(store.cancel_replay(id, app.shared.now(), audit).await?)
}

fn which(connection: Option<&Connection>) -> String {
    connection.map_or_else(|| "all connections".to_owned(), Connection::to_string)
}

fn state(run: &ReplayRun) -> Lozenge {
    let (tone, word) = match run.state {
        BackfillState::Done if run.waiting > 0 => (Tone::Busy, "put back, being decided"),
        BackfillState::Done => (Tone::Good, "done"),
        BackfillState::Running | BackfillState::Paused => (Tone::Busy, "running"),
        BackfillState::Cancelled => (Tone::Plain, "cancelled"),
    };
    Lozenge::new(tone, word)
}

fn shown(reader: &Reader, run: ReplayRun) -> Run {
    Run {
        id: run.id,
        state: state(&run),
        which: which(run.asked.connection.as_ref()),
        since: reader.when(run.asked.since),
        at: reader.when(run.at),
        ended: run.ended_at.map(|at| reader.when(at)),
        found: number(run.found),
        put_back: number(run.put_back),
        decided: number(run.decided()),
        waiting: number(run.waiting),
        running: run.state == BackfillState::Running,
        who: run.who,
    }
}

/// What a form asks for, or what is wrong with it, by field.
fn asked(
    app: &App,
    reader: &Reader,
    (connection, since): (&str, &str),
) -> Result<ReplayAsked, Fault> {
    let connection =
        connection_of(app, connection).map_err(|words| Fault::new("connection", words))?;
    let moment = read_moment(since, reader).filter(|at| *at <= app.shared.now());
    let words = "Write a day and a time that are over, such as 2026-01-31T08:00.";
    let since = moment.ok_or_else(|| Fault::new("since", words))?;
    Ok(ReplayAsked { connection, since })
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<ReplayAll>,
    query: Query,
) -> Result<Response, PageError> {
    let reader = &caller.reader;
    let (connection, since) = (query.text("connection"), query.text("since"));
    let mut faults = Vec::new();
    let mut counted = None;
    if !since.is_empty() {
        match asked(&app, reader, (connection, since)) {
            Err(fault) => faults.push(fault),
            Ok(asked) => match plan(&app, &asked).await? {
                plan if plan.too_many => faults.push(Fault::new("since", too_many())),
                plan => counted = Some(plan),
            },
        }
    }
    // A connection that is not there is said beside the time: a list has no place for a fault.
    let faults: Vec<Fault> = faults
        .into_iter()
        .map(|fault| Fault::new("since", fault.words))
        .collect();
    let runs = app.shared.store.latest_replays(LISTED).await?;
    let under_way = runs.iter().any(|run| run.state == BackfillState::Running);
    let page = ReplayPage {
        shell: caller
            .shell("Decide again", Place::Deliveries)
            .noting(notice::of(&query)),
        connection: Select::new("connection", "Connection", connections(&app), connection),
        since: Field::new("since", "Received since", "datetime-local")
            .with(since)
            .hinting(format!("In your time zone, {}.", reader.zone_name()))
            .faulty(&faults),
        plan: counted.map(|plan| Plan {
            connection: connection.to_owned(),
            since: since.to_owned(),
            again: number(plan.again()),
            quarantined: number(plan.quarantined),
            nothing: number(plan.nothing),
            effects: number(plan.effects),
            waiting: number(plan.waiting),
            gone: number(plan.gone),
            any: plan.again() > 0,
        }),
        moves: under_way || runs.iter().any(|run| run.waiting > 0),
        runs: runs.into_iter().map(|run| shown(reader, run)).collect(),
        under_way,
    };
    Ok(html(&page))
}

pub(crate) async fn act(
    State(app): State<App>,
    posted: Posted<ReplayAll>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let back = "/deliveries/replay";
    if fields.get("do") == "cancel" {
        let id = fields.get("replay").parse().unwrap_or(0);
        let ended = cancel(&app, caller.who(), id).await?;
        let done = if ended { "replay-ended" } else { "gone" };
        return Ok(see_other(&format!("{back}?done={done}")));
    }
    let (connection, since) = (fields.get("connection"), fields.get("since"));
    // What is wrong is said where it is counted.
    let again = || {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("connection", connection);
        query.append_pair("since", if since.is_empty() { "-" } else { since });
        see_other(&format!("{back}?{}", query.finish()))
    };
    let Ok(asked) = asked(&app, &caller.reader, (connection, since)) else {
        return Ok(again());
    };
    let plan = plan(&app, &asked).await?;
    if plan.too_many || plan.again() == 0 {
        return Ok(again());
    }
    let begun = begin(&app, caller.who(), asked, plan).await?;
    let done = begun.map_or("replaying-already", |_| "replaying");
    Ok(see_other(&format!("{back}?done={done}")))
}
