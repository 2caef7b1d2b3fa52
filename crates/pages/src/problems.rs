//! Problems, by cause. Nothing is kept about them: a problem is gone from here when its cause is.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use bowline_access::{AnswerCustomers, ChangeTalks, Look};
use bowline_domain::connection::Connection;
use bowline_domain::effect::EffectState;
use bowline_settings::BindingNow;
use bowline_store::browse::{Failing, Trouble};
use bowline_store::model::LaneKind;

use crate::App;
use crate::caller::Caller;
use crate::component::{Lozenge, Tone};
use crate::error::{PageError, html};
use crate::held_answers;
use crate::held_messages::{self, Held};
use crate::notice;
use crate::overview::{Card, account_cards, cards};
use crate::query::{Query, asking};
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};
use crate::words::some;

/// What was refused is shown for so long, in milliseconds: 7 days.
const REFUSED_MS: i64 = 7 * 86_400_000;

/// Failures in a row from which on a lane is shown.
const FAILURES_MIN: i64 = 3;

/// Something that someone should mend.
pub(crate) struct Problem {
    pub(crate) state: Lozenge,
    pub(crate) title: String,
    /// What happened.
    pub(crate) cause: String,
    /// How many, and who is affected.
    pub(crate) extent: String,
    /// Who can mend it, and how.
    pub(crate) mend: String,
    pub(crate) since: Option<When>,
    pub(crate) last: Option<When>,
    /// Where to look further.
    pub(crate) more: String,
    pub(crate) more_title: &'static str,
}

#[derive(Template)]
#[template(path = "problems.html")]
struct ProblemsPage {
    shell: Shell,
    problems: Vec<Problem>,
    answers: held_answers::Page,
    may_answer: bool,
    held: Vec<Held>,
    may_change: bool,
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let page = ProblemsPage {
        shell: caller
            .shell("Problems", Place::Problems)
            .noting(notice::of(&query)),
        problems: all_problems(&app, &caller.reader).await?,
        answers: held_answers::held(&app, &caller.reader, &query).await?,
        may_answer: caller.who().may::<AnswerCustomers>(),
        held: held_messages::held(&app, &caller.reader).await?,
        may_change: caller.who().may::<ChangeTalks>(),
    };
    Ok(html(&page))
}

/// All problems, the broadest first.
pub(crate) async fn all_problems(app: &App, reader: &Reader) -> Result<Vec<Problem>, PageError> {
    let (store, now) = (&app.shared.store, app.shared.now());
    let queues = store.queues().await?;
    let mut connections = cards(app.shared.connections_now(), &queues, reader, now);
    connections.extend(account_cards(&app.shared, &queues, reader, now));
    let broken = connections.into_iter().filter(|card| !card.works);
    let mut problems: Vec<Problem> = broken.map(of_connection).collect();
    let tokens = app.settings.tokens_that_end().into_iter();
    problems.extend(tokens.map(|(connection, end)| of_token(&connection, end.words)));
    let bindings = app.settings.bindings().into_iter();
    problems.extend(bindings.filter_map(|binding| of_project(binding, reader)));
    let failing = store.failing(FAILURES_MIN).await?;
    problems.extend(failing.iter().map(of_failing));
    let rejected = store.rejected(now.plus_ms(-REFUSED_MS)).await?;
    problems.extend(
        rejected
            .into_iter()
            .map(|trouble| of_rejected(trouble, reader)),
    );
    let doubtful = store.doubtful().await?;
    problems.extend(doubtful.iter().map(|trouble| of_doubt(trouble, reader)));
    problems.extend(held_answers::problem(app, reader).await?);
    problems.extend(held_messages::problem(app, reader).await?);
    problems.extend(crate::tally::problems(app, reader).await?);
    problems.extend(crate::contacts::failed::problems(app, reader).await?);
    let quarantined = store.quarantined().await?;
    problems.extend(
        quarantined
            .into_iter()
            .map(|trouble| of_quarantine(trouble, reader)),
    );
    Ok(problems)
}

fn of_connection(card: Card) -> Problem {
    Problem {
        state: card.health,
        title: format!("{} “{}” does not work", card.far_side, card.name),
        cause: card.reason.unwrap_or_default(),
        extent: card.meaning,
        mend: card.mend.unwrap_or_default().to_owned(),
        since: Some(card.since),
        last: None,
        more: card.deliveries,
        more_title: "Its deliveries",
    }
}

fn of_token(connection: &Connection, words: String) -> Problem {
    Problem {
        state: Lozenge::new(Tone::Warn, "ends"),
        title: format!("The token of “{}” ends", connection.name()),
        cause: words,
        extent: "Then the connection breaks, and what comes is queued.".to_owned(),
        mend: "A Jira administrator makes a new token for Bowline's account and enters it on the \
               connection's page. Nothing is interrupted."
            .to_owned(),
        since: None,
        last: None,
        more: crate::connections::page_of(connection),
        more_title: "The connection",
    }
}

/// A joined project in which our account may not do what it needs to.
fn of_project(binding: BindingNow, reader: &Reader) -> Option<Problem> {
    let more = crate::bindings::page_of(&binding);
    let lacking = binding.lacking?;
    Some(Problem {
        state: Lozenge::new(Tone::Warn, "permission missing"),
        title: format!(
            "A permission is missing in the project {} of “{}”",
            binding.project, binding.site
        ),
        cause: lacking.reason,
        extent: lacking.meaning,
        mend: lacking.mend,
        since: Some(reader.when(lacking.since)),
        last: None,
        more,
        more_title: "The project",
    })
}

fn far_side(connection: &Connection) -> &'static str {
    match connection {
        Connection::Site(_) => "Jira",
        Connection::Workspace(_) => "Intercom",
        Connection::Account(_) => "The channel account",
    }
}

fn of_failing(failing: &Failing) -> Problem {
    let what = match failing.kind {
        LaneKind::Events => "decided",
        LaneKind::Effects => "written",
    };
    Problem {
        state: Lozenge::new(Tone::Warn, "tried again"),
        title: format!(
            "Something about {} cannot be {what} at the moment",
            failing.connection.name()
        ),
        cause: format!(
            "The first item of {} failed {} times in a row, for example in {}.",
            some(failing.lanes, "queue"),
            failing.failures,
            failing.example
        ),
        extent: format!(
            "{} behind it, in order. Other queues go on.",
            crate::words::are(failing.waiting, "item") + " waiting"
        ),
        mend: format!(
            "Nothing to do if {} has a passing trouble: Bowline tries again by itself, less and \
             less often. If it stays, the deliveries show the last answer.",
            far_side(&failing.connection)
        ),
        since: None,
        last: None,
        more: asking("/deliveries", "connection", &failing.connection.key()),
        more_title: "Deliveries",
    }
}

fn of_rejected(trouble: Trouble, reader: &Reader) -> Problem {
    let far_side = far_side(&trouble.connection);
    Problem {
        state: Lozenge::new(Tone::Bad, "refused"),
        title: format!("{far_side} refused what was to be written"),
        cause: trouble.cause,
        extent: format!(
            "{}, in {}.",
            some(trouble.count, "write"),
            some(trouble.affected, "queue")
        ),
        mend: format!(
            "Whoever administers {far_side} “{}”: see what it says above. A delivery that is \
             decided again does not repeat a refused write; the next change is written as usual.",
            trouble.connection.name()
        ),
        since: Some(reader.when(trouble.first_at)),
        last: Some(reader.when(trouble.last_at)),
        more: asking(
            "/deliveries",
            "outcome",
            &format!("effect:{}", EffectState::Rejected.as_str()),
        ),
        more_title: "The deliveries",
    }
}

fn of_doubt(trouble: &Trouble, reader: &Reader) -> Problem {
    let far_side = far_side(&trouble.connection);
    Problem {
        state: Lozenge::new(Tone::Warn, "being looked for"),
        title: format!("It is not known whether {far_side} took what was sent"),
        cause: "The connection broke off, or the answer was an error that says neither. Bowline \
                looks for what it sent, twice with a pause, before it sends it again."
            .to_owned(),
        extent: format!(
            "{}, in {}.",
            some(trouble.count, "write"),
            some(trouble.affected, "queue")
        ),
        mend: "Nothing to do: it resolves itself within minutes, once the far side answers."
            .to_owned(),
        since: Some(reader.when(trouble.first_at)),
        last: Some(reader.when(trouble.last_at)),
        more: asking(
            "/deliveries",
            "outcome",
            &format!("effect:{}", EffectState::Unknown.as_str()),
        ),
        more_title: "The deliveries",
    }
}

fn of_quarantine(trouble: Trouble, reader: &Reader) -> Problem {
    Problem {
        state: Lozenge::new(Tone::Bad, "in quarantine"),
        title: format!(
            "Deliveries by {} cannot be read as they are",
            trouble.connection.name()
        ),
        cause: trouble.cause,
        extent: format!(
            "{}, about {}.",
            some(trouble.count, "delivery").replace("deliverys", "deliveries"),
            some(trouble.affected, "issue or conversation")
                .replace("issue or conversations", "issues or conversations")
        ),
        mend: "They are kept as they came. An administrator opens one and has it decided again \
               when the cause is mended, for example after an update of Bowline."
            .to_owned(),
        since: Some(reader.when(trouble.first_at)),
        last: Some(reader.when(trouble.last_at)),
        more: format!("/deliveries/{}", trouble.event),
        more_title: "The latest of them",
    }
}
