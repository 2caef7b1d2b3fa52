//! Alerts: who is told when a connection breaks, what was told, and a test.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use bowline_access::ManageConnections;
use bowline_settings::{AlertNow, Receivers};
use bowline_store::alert::{AlertSend, AlertState};

use crate::App;
use crate::caller::{Caller, Posted};
use crate::component::{Lozenge, Tone};
use crate::connections::page_of;
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::Query;
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};

/// Alerts in a page.
pub(crate) const LISTED: i64 = 50;

#[derive(Template)]
#[template(path = "alerts.html")]
struct AlertsPage {
    shell: Shell,
    receivers: Receivers,
    alerts: Vec<Alert>,
    /// The page before.
    next: Option<i64>,
    /// Something is being told, so that the page looks again.
    moves: bool,
}

struct Alert {
    kind: Lozenge,
    at: When,
    subject: String,
    text: String,
    /// Where it is looked at, and what that is.
    page: Option<(String, &'static str)>,
    sends: Vec<Told>,
}

/// One receiver of an alert.
struct Told {
    receiver: String,
    state: Lozenge,
    /// Why not, and what happens next.
    words: String,
    at: Option<When>,
}

/// How people know a receiver.
pub(crate) fn receiver(name: &str) -> String {
    match name.strip_prefix("mail:") {
        Some(address) => address.to_owned(),
        None => "the webhook".to_owned(),
    }
}

fn kind(kind: &str) -> Lozenge {
    match kind {
        "mended" => Lozenge::new(Tone::Good, "works again"),
        "test" => Lozenge::new(Tone::Plain, "test"),
        _ => Lozenge::new(Tone::Warn, "broken"),
    }
}

fn send(send: AlertSend, reader: &Reader) -> Told {
    let (state, words) = match send.state {
        AlertState::Delivered => (Lozenge::new(Tone::Good, "told"), String::new()),
        AlertState::GivenUp => (Lozenge::new(Tone::Bad, "given up"), send.failure),
        AlertState::Waiting if send.failure.is_empty() => {
            (Lozenge::new(Tone::Busy, "being told"), String::new())
        }
        AlertState::Waiting => {
            let words = format!(
                "Tried {}, tried again soon: {}",
                times(send.tries),
                send.failure
            );
            (Lozenge::new(Tone::Warn, "not told yet"), words)
        }
    };
    Told {
        receiver: receiver(&send.receiver),
        state,
        words,
        at: send.ended_at.map(|at| reader.when(at)),
    }
}

fn times(count: i64) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

fn shown(alert: AlertNow, reader: &Reader) -> Alert {
    Alert {
        kind: kind(alert.kind),
        at: reader.when(alert.at),
        subject: alert.subject,
        text: alert.text,
        page: alert
            .connection
            .as_ref()
            .map(|connection| match &alert.project {
                Some(project) => {
                    let page = format!("/bindings/{}/{project}", connection.name());
                    (page, "The project")
                }
                None => (page_of(connection), "The connection"),
            }),
        sends: alert
            .sends
            .into_iter()
            .map(|one| send(one, reader))
            .collect(),
    }
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<ManageConnections>,
    query: Query,
) -> Result<Response, PageError> {
    let before = query.text("before").parse().ok();
    let by = &caller.granted;
    let mut alerts = app.settings.alerts(by, before, LISTED + 1).await?;
    let more = alerts.len() > usize::try_from(LISTED).unwrap_or(usize::MAX);
    if more {
        alerts.pop();
    }
    let next = alerts.last().filter(|_| more).map(|alert| alert.id);
    let waits = |alert: &AlertNow| {
        let mut sends = alert.sends.iter();
        sends.any(|send| send.state == AlertState::Waiting)
    };
    let page = AlertsPage {
        moves: alerts.iter().any(waits),
        receivers: app.settings.receivers(),
        alerts: alerts
            .into_iter()
            .map(|alert| shown(alert, &caller.reader))
            .collect(),
        next,
        shell: caller
            .shell("Alerts", Place::Connections)
            .noting(notice::of(&query)),
    };
    Ok(html(&page))
}

pub(crate) async fn test(
    State(app): State<App>,
    posted: Posted<ManageConnections>,
) -> Result<Response, PageError> {
    let made = app.settings.test_alerts(&posted.caller.granted).await?;
    let done = made.map_or("nobody-is-told", |_| "alert-test");
    Ok(see_other(&format!("/alerts?done={done}")))
}
