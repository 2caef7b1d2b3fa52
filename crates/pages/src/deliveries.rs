//! Deliveries: everything that came, with what became of it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use bowline_access::{Look, ReplayAll};
use bowline_domain::connection::Connection;
use bowline_domain::effect::EffectState;
use bowline_domain::ids::{EventId, IssueId, LaneKey, ProjectKey, SiteName};
use bowline_domain::time::Millis;
use bowline_store::browse::{AnswerFilter, DeliveryFilter, DeliveryRow, OutcomeFilter};

use crate::App;
use crate::caller::Caller;
use crate::component::{Field, Lozenge, Name, Ref, Select};
use crate::error::{PageError, html};
use crate::query::{Query, asking};
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};
use crate::sought::{Sought, seek};
use crate::words::{REASONS, became, source};

/// Deliveries on a page.
const ROWS: i64 = 50;

#[derive(Template)]
#[template(path = "deliveries.html")]
struct DeliveriesPage {
    shell: Shell,
    connection: Select,
    project: Select,
    outcome: Select,
    answer: Select,
    about: Field,
    from: Field,
    until: Field,
    rows: Vec<Row>,
    older: Option<String>,
    newest: Option<String>,
    /// What cannot be understood of what is asked for.
    wrong: Option<String>,
    /// The looking was broken off; more may be further back.
    broken_off: bool,
    filtered: bool,
    may_replay_all: bool,
}

/// A delivery in a list.
pub(crate) struct Row {
    pub(crate) id: EventId,
    pub(crate) at: When,
    pub(crate) source: &'static str,
    pub(crate) connection: String,
    pub(crate) topic: Name,
    pub(crate) issue: Option<Ref>,
    pub(crate) summary: String,
    pub(crate) state: Lozenge,
    pub(crate) why: Vec<String>,
}

/// A delivery as it stands in a list.
pub(crate) fn row(app: &App, reader: &Reader, row: DeliveryRow) -> Row {
    let (state, why) = became(row.state, row.outcome.as_ref(), row.trouble.as_deref());
    let summary = row
        .issue
        .as_ref()
        .map_or_else(String::new, |issue| issue.summary.clone());
    Row {
        id: row.id,
        at: reader.when(row.received_at),
        source: source(row.source),
        connection: row.connection.name().to_owned(),
        topic: Name(row.topic),
        issue: issue_ref(app, row.issue.as_ref(), &row.lane),
        summary,
        state,
        why,
    }
}

/// The issue of a delivery: by its key, or by its id as long as the key is not known.
fn issue_ref(
    app: &App,
    label: Option<&bowline_store::browse::IssueLabel>,
    lane: &LaneKey,
) -> Option<Ref> {
    if let Some(label) = label {
        return Some(Ref {
            text: label.key.to_string(),
            here: asking("/why", "q", label.key.as_str()),
            there: app.shared.issue_url(&label.site, &label.key),
            far_side: "Jira",
        });
    }
    let (_, issue) = lane.issue_events()?;
    Some(Ref {
        text: format!("issue {issue}"),
        here: asking("/why", "q", issue.as_str()),
        there: None,
        far_side: "Jira",
    })
}

/// The filter that an address asks for.
pub(crate) struct Asked {
    pub(crate) filter: DeliveryFilter,
    pub(crate) wrong: Option<String>,
}

/// Reads the filter out of an address.
pub(crate) async fn asked(app: &App, query: &Query, reader: &Reader) -> Result<Asked, PageError> {
    let mut wrong = None;
    let lanes = match query.get("about") {
        None => None,
        Some(text) => match seek(app, text).await? {
            Sought::Nothing => {
                wrong = Some(format!(
                    "Nothing is known of “{text}”. Write an issue's key (ENG-17) or a \
                     conversation's address or number."
                ));
                Some(Vec::new())
            }
            found => Some(found.lanes()),
        },
    };
    let filter = DeliveryFilter {
        connection: query.get("connection").and_then(Connection::from_key),
        project: query
            .get("project")
            .and_then(|text| text.split_once('/'))
            .map(|(site, project)| (SiteName::new(site), ProjectKey::new(project))),
        lanes,
        outcome: query.get("outcome").and_then(outcome),
        answer: query.get("answer").and_then(answer),
        from: query.get("from").and_then(|day| start_of(day, reader, 0)),
        until: query.get("until").and_then(|day| start_of(day, reader, 1)),
        before: query
            .get("before")
            .and_then(|id| id.parse().ok())
            .map(EventId),
        limit: ROWS,
    };
    Ok(Asked { filter, wrong })
}

/// The start of a day in the reader's zone, or of one after it.
fn start_of(day: &str, reader: &Reader, days_after: i32) -> Option<Millis> {
    let day: jiff::civil::Date = day.parse().ok()?;
    let day = day.saturating_add(jiff::Span::new().days(days_after));
    let start = day.to_zoned(reader.zone.clone()).ok()?;
    Some(Millis(start.timestamp().as_millisecond()))
}

/// What an outcome is called in addresses.
fn outcome(word: &str) -> Option<OutcomeFilter> {
    if let Some(state) = word.strip_prefix("effect:") {
        let found = EffectState::ALL
            .into_iter()
            .find(|known| known.as_str() == state);
        return found.map(OutcomeFilter::Effect);
    }
    match word {
        "effects" => Some(OutcomeFilter::Effects),
        "nothing" => Some(OutcomeFilter::Nothing),
        "waiting" => Some(OutcomeFilter::Waiting),
        "quarantined" => Some(OutcomeFilter::Quarantined),
        code => REASONS
            .iter()
            .find(|(known, _)| *known == code)
            .map(|(known, _)| OutcomeFilter::Reason(known)),
    }
}

/// How calls were answered, as addresses and people say it.
const ANSWERS: [(&str, &str, AnswerFilter); 5] = [
    ("2xx", "2xx: it was done", AnswerFilter::Hundred(2)),
    ("3xx", "3xx: it is elsewhere", AnswerFilter::Hundred(3)),
    ("4xx", "4xx: it was refused", AnswerFilter::Hundred(4)),
    ("5xx", "5xx: it failed there", AnswerFilter::Hundred(5)),
    ("none", "No answer came", AnswerFilter::Nothing),
];

fn answer(word: &str) -> Option<AnswerFilter> {
    let found = ANSWERS.iter().find(|(known, ..)| *known == word);
    found.map(|(.., answer)| *answer)
}

fn answers() -> impl Iterator<Item = (String, String)> {
    let any = std::iter::once(("", "Any answer"));
    let known = ANSWERS.iter().map(|(word, title, _)| (*word, *title));
    any.chain(known)
        .map(|(word, title)| (word.to_owned(), title.to_owned()))
}

fn outcomes() -> impl Iterator<Item = (String, String)> {
    let first = [
        ("", "Any outcome"),
        ("effects", "Something was written"),
        ("nothing", "Nothing was written"),
        ("waiting", "Waits"),
        ("quarantined", "In quarantine"),
        ("effect:rejected", "A write was refused"),
        ("effect:unknown", "A write is in doubt"),
        ("effect:held", "A write waits for a person"),
        ("effect:planned", "A write waits"),
        ("effect:dropped", "A write was dropped"),
    ];
    let first = first
        .into_iter()
        .map(|(word, title)| (word.to_owned(), title.to_owned()));
    let reasons = REASONS
        .iter()
        .map(|(code, title)| ((*code).to_owned(), format!("Nothing: {title}")));
    first.chain(reasons)
}

/// The connections to choose from.
pub(crate) fn connections(app: &App) -> Vec<(String, String)> {
    let all = std::iter::once((String::new(), "Any connection".to_owned()));
    let known = app.shared.connections_now().into_iter().map(|connection| {
        let title = format!(
            "{} “{}”",
            connection.far_side.title(),
            connection.connection.name()
        );
        (connection.connection.key(), title)
    });
    all.chain(known).collect()
}

/// The projects to choose from, as `site/PROJECT`.
pub(crate) fn projects(app: &App) -> Vec<(String, String)> {
    let all = std::iter::once((String::new(), "Any project".to_owned()));
    let known = app.shared.bindings_now().into_iter().map(|binding| {
        let text = format!("{}/{}", binding.site, binding.project);
        (text.clone(), text)
    });
    all.chain(known).collect()
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let reader = &caller.reader;
    let Asked { filter, wrong } = asked(&app, &query, reader).await?;
    let found = app.shared.store.deliveries(&filter).await?;
    let optional = |name, label, kind| Field::new(name, label, kind).with(query.text(name));
    let page = DeliveriesPage {
        shell: caller.shell("Deliveries", Place::Deliveries),
        connection: Select::new(
            "connection",
            "Connection",
            connections(&app),
            query.text("connection"),
        ),
        project: Select::new("project", "Project", projects(&app), query.text("project")),
        outcome: Select::new("outcome", "Outcome", outcomes(), query.text("outcome")),
        answer: Select::new("answer", "Answered", answers(), query.text("answer")),
        about: optional("about", "Issue or conversation", "text")
            .filled("off")
            .optional(),
        from: optional("from", "From", "date").optional(),
        until: optional("until", "Until", "date").optional(),
        rows: found
            .rows
            .into_iter()
            .map(|found| row(&app, reader, found))
            .collect(),
        older: found
            .next
            .map(|id| query.with("/deliveries", "before", &id.to_string())),
        newest: query
            .get("before")
            .map(|_| format!("/deliveries{}", query.without(&["before"]))),
        wrong,
        broken_off: found.broken_off,
        filtered: !query.without(&["before"]).is_empty(),
        may_replay_all: caller.who().may::<ReplayAll>(),
    };
    Ok(html(&page))
}

/// The lane of an issue's events.
pub(crate) fn lane(site: &SiteName, issue: &IssueId) -> LaneKey {
    LaneKey::events(site, issue)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn outcomes_are_read_by_what_they_are_called() {
        assert_eq!(outcome("waiting"), Some(OutcomeFilter::Waiting));
        assert_eq!(outcome("echo"), Some(OutcomeFilter::Reason("echo")));
        assert_eq!(
            outcome("effect:rejected"),
            Some(OutcomeFilter::Effect(EffectState::Rejected))
        );
        for word in ["", "effect:", "effect:lost", "%", "rejected"] {
            assert_eq!(outcome(word), None, "{word}");
        }
        let unknown: Vec<String> = outcomes()
            .map(|(word, _)| word)
            .filter(|word| !word.is_empty() && outcome(word).is_none())
            .collect();
        assert_eq!(unknown, Vec::<String>::new());
    }

    #[test]
    fn answers_are_read_by_what_they_are_called() {
        assert_eq!(answer("4xx"), Some(AnswerFilter::Hundred(4)));
        assert_eq!(answer("none"), Some(AnswerFilter::Nothing));
        for word in ["", "404", "6xx"] {
            assert_eq!(answer(word), None, "{word}");
        }
        let unknown = answers().filter(|(word, _)| !word.is_empty() && answer(word).is_none());
        assert_eq!(unknown.count(), 0);
    }

    #[test]
    fn a_day_begins_where_the_reader_is() {
        let mut reader = Reader::unknown();
        reader.zone = TimeZone::get("Asia/Tokyo").unwrap();
        let at = |days| start_of("2026-11-25", &reader, days).unwrap().0;
        assert_eq!(at(0), 1_795_532_400_000);
        assert_eq!(at(1) - at(0), 86_400_000);
        assert_eq!(start_of("yesterday", &reader, 0), None);
    }
}
