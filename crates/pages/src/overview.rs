//! The overview: connections, queues, what was done, problems.

use std::collections::HashMap;
use std::sync::PoisonError;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use bowline_access::{Look, ManageConnections};
use bowline_domain::connection::{Connection, Health};
use bowline_domain::time::Millis;
use bowline_engine::desk::{AccountNow, DeskNow};
use bowline_engine::look::{ConnectionNow, FarSide};
use bowline_engine::shared::Shared;
use bowline_store::browse::{Day, Queue};
use bowline_store::model::LaneKind;

use crate::App;
use crate::caller::Caller;
use crate::component::{Lozenge, Tone};
use crate::connections::{Step, page_of, steps_for};
use crate::desks::provider;
use crate::error::{PageError, html};
use crate::notice;
use crate::plot::Plot;
use crate::problems::{Problem, all_problems};
use crate::query::{Query, asking};
use crate::reader::{Reader, When, ago};
use crate::shell::{Place, Shell};
use crate::words::{are, health, some};

/// Days in the plot.
const DAYS: i64 = 14;

const DAY_MS: i64 = 86_400_000;

/// The longest time for which the counts by day are kept, in milliseconds: counting reads every
/// effect of two weeks.
const COUNTED_MS: i64 = 60_000;

/// They are kept so many times as long as counting took, so that it takes a small part of the
/// time: where there is little to count, a first note shows at once.
const COUNTED_TIMES: i64 = 50;

/// Problems that are listed here; all of them have a page of their own.
const PROBLEMS_SHOWN: usize = 5;

/// The counts by day, kept for a moment.
pub(crate) struct Remembered {
    /// Until when.
    until: Millis,
    offset_ms: i64,
    days: Vec<Day>,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    shell: Shell,
    connections: Vec<Card>,
    events: i64,
    effects: i64,
    oldest_event: Option<String>,
    oldest_effect: Option<String>,
    quarantined: i64,
    plot: Plot,
    problems: Vec<Problem>,
    more_problems: usize,
    steps: Vec<Step>,
    may_reconnect: bool,
}

/// A connection.
pub(crate) struct Card {
    pub(crate) name: String,
    pub(crate) far_side: &'static str,
    pub(crate) url: String,
    pub(crate) health: Lozenge,
    pub(crate) works: bool,
    pub(crate) since: When,
    pub(crate) since_ago: String,
    pub(crate) reason: Option<String>,
    /// What it means.
    pub(crate) meaning: String,
    /// Who can mend it, if it is broken.
    pub(crate) mend: Option<&'static str>,
    pub(crate) webhook: Lozenge,
    pub(crate) webhook_at: Option<When>,
    pub(crate) actor: Option<String>,
    /// What it serves, and what that is.
    pub(crate) serves: &'static str,
    pub(crate) projects: String,
    pub(crate) deliveries: String,
    /// Its own page.
    pub(crate) page: String,
}

/// How the connections are, with what waits for them.
pub(crate) fn cards(
    connections: Vec<ConnectionNow>,
    queues: &[Queue],
    reader: &Reader,
    now: Millis,
) -> Vec<Card> {
    let mut waiting: HashMap<(Connection, LaneKind), i64> = HashMap::new();
    for queue in queues {
        waiting.insert((queue.connection.clone(), queue.kind), queue.waiting);
    }
    connections
        .into_iter()
        .map(|connection| {
            let count = |kind| {
                let key = (connection.connection.clone(), kind);
                waiting.get(&key).copied().unwrap_or(0)
            };
            let waits = (count(LaneKind::Events), count(LaneKind::Effects));
            card(&connection, waits, reader, now)
        })
        .collect()
}

fn card(
    connection: &ConnectionNow,
    (events, effects): (i64, i64),
    reader: &Reader,
    now: Millis,
) -> Card {
    let works = connection.health.works();
    let webhook = match (connection.webhook_seen_at, connection.expects_webhooks) {
        (Some(_), _) => Lozenge::new(Tone::Good, "webhook seen"),
        (None, true) => Lozenge::new(Tone::Warn, "no webhook yet"),
        (None, false) => Lozenge::new(Tone::Plain, "asked by polling"),
    };
    let projects: Vec<String> = connection
        .projects
        .iter()
        .map(|(_, project)| project.to_string())
        .collect();
    Card {
        name: connection.connection.name().to_owned(),
        far_side: connection.far_side.title(),
        url: connection.url.clone(),
        health: health(connection.health),
        works,
        since: reader.when(connection.since),
        since_ago: ago(now, connection.since),
        reason: connection.reason.clone(),
        meaning: meaning(kept(connection.far_side), works, events, effects),
        mend: mend(connection),
        webhook,
        webhook_at: connection.webhook_seen_at.map(|at| reader.when(at)),
        actor: connection
            .actor_name
            .clone()
            .or_else(|| connection.actor_id.clone()),
        serves: "Projects",
        projects: projects.join(", "),
        deliveries: asking("/deliveries", "connection", &connection.connection.key()),
        page: page_of(&connection.connection),
    }
}

/// What is kept for a connection that does not work.
fn kept(far_side: FarSide) -> &'static str {
    match far_side {
        FarSide::Intercom => "notes",
        FarSide::JiraCloud | FarSide::JiraDataCenter => "deliveries",
    }
}

/// How the channel accounts are, with what waits for them.
pub(crate) fn account_cards(
    shared: &Shared,
    queues: &[Queue],
    reader: &Reader,
    now: Millis,
) -> Vec<Card> {
    let desks = shared.desks_now();
    let accounts = shared.accounts_now().into_iter();
    accounts
        .map(|account| account_card(account, &desks, queues, reader, now))
        .collect()
}

fn account_card(
    account: AccountNow,
    desks: &[DeskNow],
    queues: &[Queue],
    reader: &Reader,
    now: Millis,
) -> Card {
    let connection = Connection::Account(account.name.clone());
    let count = |kind| {
        let mut of = queues.iter();
        let found = of.find(|queue| queue.connection == connection && queue.kind == kind);
        found.map_or(0, |queue| queue.waiting)
    };
    let (events, effects) = (count(LaneKind::Events), count(LaneKind::Effects));
    let works = account.health.works();
    let of_account = desks
        .iter()
        .filter(|desk| desk.config.desk.account == account.name);
    let names: Vec<String> = of_account
        .map(|desk| desk.config.desk.name.to_string())
        .collect();
    Card {
        name: account.name.to_string(),
        far_side: provider(account.provider),
        url: String::new(),
        health: health(account.health),
        works,
        since: reader.when(account.since),
        since_ago: ago(now, account.since),
        reason: account.reason,
        meaning: meaning("messages to customers", works, events, effects),
        mend: (!works).then_some(
            "Whoever manages the account at the provider makes a new key; an administrator enters \
             it on the account's page, or in the configuration where that declares the account. \
             What customers write still comes into Jira.",
        ),
        webhook: match account.webhook_seen_at {
            Some(_) => Lozenge::new(Tone::Good, "webhook seen"),
            None => Lozenge::new(Tone::Warn, "no webhook yet"),
        },
        webhook_at: account.webhook_seen_at.map(|at| reader.when(at)),
        actor: account.known_as,
        serves: "Desks",
        projects: names.join(", "),
        deliveries: asking("/deliveries", "connection", &connection.key()),
        page: page_of(&connection),
    }
}

/// What the state of a connection means for the work.
fn meaning(kept: &str, works: bool, events: i64, effects: i64) -> String {
    let queued = match (events, effects) {
        (0, 0) => String::new(),
        (0, effects) => format!("{} queued", are(effects, "write")),
        (events, 0) => format!(
            "{} queued",
            are(events, "delivery").replace("deliverys", "deliveries")
        ),
        (events, effects) => format!(
            "{} and {} are queued",
            some(events, "delivery").replace("deliverys", "deliveries"),
            some(effects, "write")
        ),
    };
    match (works, queued.is_empty()) {
        (true, true) => "Nothing waits.".to_owned(),
        (true, false) => format!("{queued} and being worked."),
        (false, true) => {
            format!("Nothing is lost: {kept} from now on are queued until it works again.")
        }
        (false, false) => {
            format!("{queued}. Nothing is lost; the queue is drained when it works again.")
        }
    }
}

/// Who can mend a connection that does not work, and how.
fn mend(connection: &ConnectionNow) -> Option<&'static str> {
    match (connection.health, connection.far_side) {
        (Health::Connected | Health::Unchecked, _) => None,
        (Health::Limited, _) => Some(
            "Whoever manages the Intercom subscription: activate it. Bowline notices by itself.",
        ),
        (Health::Broken, FarSide::Intercom) => Some(
            "An Intercom administrator makes a new access token in the Developer Hub; whoever runs \
             Bowline enters it on the page Connections, or in the configuration file. It is used \
             without a restart.",
        ),
        (Health::Broken, _) => Some(
            "A Jira administrator makes a new token for Bowline's account; whoever runs Bowline \
             enters it on the page Connections, or in the configuration file. It is used without a \
             restart.",
        ),
    }
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let store = &app.shared.store;
    let now = app.shared.now();
    let backlog = store.backlog().await?;
    let queues = store.queues().await?;
    let oldest_effect = store.oldest_waiting_effect().await?;
    let mut problems = all_problems(&app, &caller.reader).await?;
    let more_problems = problems.len().saturating_sub(PROBLEMS_SHOWN);
    problems.truncate(PROBLEMS_SHOWN);
    let mut connections = cards(app.shared.connections_now(), &queues, &caller.reader, now);
    connections.extend(account_cards(&app.shared, &queues, &caller.reader, now));
    let page = OverviewPage {
        shell: caller
            .shell("Overview", Place::Overview)
            .noting(notice::of(&query)),
        connections,
        events: backlog.events,
        effects: backlog.effects,
        oldest_event: backlog.oldest_event_at.map(|at| ago(now, at)),
        oldest_effect: oldest_effect.map(|at| ago(now, at)),
        quarantined: backlog.quarantined,
        plot: Plot::new(days(&app, &caller.reader, now).await?),
        problems,
        more_problems,
        steps: steps_for(&app, &caller),
        may_reconnect: caller.who().may::<ManageConnections>(),
    };
    Ok(html(&page))
}

/// The last days in the reader's zone, each with its name; those without anything are there too.
async fn days(app: &App, reader: &Reader, now: Millis) -> Result<Vec<(String, Day)>, PageError> {
    let offset_ms = reader.offset_ms(now);
    let today = now.plus_ms(offset_ms).0.div_euclid(DAY_MS);
    let first = today - (DAYS - 1);
    let counted = counted(app, offset_ms, Millis(first * DAY_MS - offset_ms), now).await?;
    let days = (first..=today).map(|number| {
        let found = counted.iter().find(|day| day.day == number).copied();
        let day = found.unwrap_or(Day {
            day: number,
            notes: 0,
            reopens: 0,
        });
        (day_name(number), day)
    });
    Ok(days.collect())
}

fn day_name(number: i64) -> String {
    jiff::Timestamp::from_second(number * DAY_MS / 1_000)
        .map_or_else(|_| String::new(), |at| at.strftime("%-d %b").to_string())
}

/// For how long counts are kept that took so long.
fn kept_ms(took_ms: i64) -> i64 {
    took_ms.saturating_mul(COUNTED_TIMES).min(COUNTED_MS)
}

async fn counted(
    app: &App,
    offset_ms: i64,
    since: Millis,
    now: Millis,
) -> Result<Vec<Day>, PageError> {
    {
        let remembered = app.days.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = &*remembered
            && kept.offset_ms == offset_ms
            && now < kept.until
        {
            return Ok(kept.days.clone());
        }
    }
    let days = app.shared.store.days(since, offset_ms).await?;
    let took_ms = app.shared.now().since(now).max(0);
    let kept = Remembered {
        until: now.plus_ms(kept_ms(took_ms)),
        offset_ms,
        days: days.clone(),
    };
    *app.days.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_kept_the_longer_the_more_there_is_to_count() {
        assert_eq!(kept_ms(0), 0);
        assert_eq!(kept_ms(2), 100);
        assert_eq!(kept_ms(5_000), COUNTED_MS);
        assert_eq!(kept_ms(i64::MAX), COUNTED_MS);
    }
}
