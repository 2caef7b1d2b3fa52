//! One delivery: what came, what was decided and why, every effect and every attempt.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use bowline_access::{Look, ProjectRef, Replay, SeeCalls, SeePayloads, What, Who};
use bowline_domain::call::Call;
use bowline_domain::effect::{Act, Effect};
use bowline_domain::ids::EventId;
use bowline_store::browse::IssueLabel;
use bowline_store::model::{EffectView, EventSource, EventState, EventView};

use crate::App;
use crate::caller::{Caller, Number, Posted};
use crate::component::{Lozenge, Name, Ref};
use crate::connections::page_of;
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::{Query, asking};
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};
use crate::words;

/// The longest piece of a delivery that is shown, in letters; all of it can be copied.
const SHOWN_LETTERS_MAX: usize = 50_000;

#[derive(Template)]
#[template(path = "delivery.html")]
struct DeliveryPage {
    shell: Shell,
    id: EventId,
    source: &'static str,
    connection: String,
    connection_page: String,
    topic: Name,
    lane: String,
    received: When,
    decided: Option<When>,
    state: Lozenge,
    why: Vec<String>,
    issue: Option<Ref>,
    summary: String,
    effects: Vec<EffectCard>,
    may_replay: bool,
    waits: bool,
    payload: Payload,
}

/// What the delivery said, for those who may see it.
enum Payload {
    /// Not for this reader.
    Hidden,
    /// Taken out after the time for which it is kept.
    Redacted,
    /// As it came.
    Shown { text: String, curl: Option<String> },
}

/// An effect with its attempts.
pub(crate) struct EffectCard {
    pub(crate) id: i64,
    pub(crate) act: &'static str,
    pub(crate) state: Lozenge,
    pub(crate) meaning: &'static str,
    pub(crate) audience: Option<&'static str>,
    pub(crate) to: Option<Ref>,
    pub(crate) text: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) remote_id: Option<String>,
    pub(crate) key: String,
    pub(crate) planned: When,
    pub(crate) settled: Option<When>,
    pub(crate) attempts: Vec<AttemptRow>,
}

pub(crate) struct AttemptRow {
    at: When,
    took_ms: i64,
    outcome: String,
    detail: String,
    calls: Vec<CallRow>,
}

/// One call of an attempt.
struct CallRow {
    /// Method and path.
    what: String,
    /// What came of it, in words.
    came: String,
    took_ms: u64,
    headers: Vec<(String, String)>,
    /// What was said and answered, for those who may see it.
    request: Option<String>,
    response: Option<String>,
}

impl CallRow {
    fn of(call: Call, bodies: bool) -> Self {
        let came = match (call.status, call.failure) {
            (Some(status), _) => match call.response_bytes {
                Some(length) => format!("answered {status} with {length} bytes"),
                None => format!("answered {status}"),
            },
            (None, failure) => failure.unwrap_or_else(|| "no answer".to_owned()),
        };
        Self {
            what: format!("{} {}", call.method, call.path),
            came,
            took_ms: call.took_ms,
            headers: call.headers,
            request: call.request.filter(|_| bodies),
            response: call.response.filter(|_| bodies),
        }
    }
}

async fn label(app: &App, view: &EventView) -> Result<Option<IssueLabel>, PageError> {
    let Some((site, issue)) = view.event.lane.issue_events() else {
        return Ok(None);
    };
    Ok(app.shared.store.issue_label(&site, &issue).await?)
}

fn project_of(label: Option<&IssueLabel>) -> Option<ProjectRef> {
    label.map(|label| ProjectRef {
        site: label.site.to_string(),
        project: label.project.to_string(),
    })
}

fn may_replay(who: &Who, label: Option<&IssueLabel>) -> bool {
    let granted = who.granted::<Replay>();
    granted.is_some_and(|granted| granted.covers(project_of(label).as_ref()))
}

pub(crate) async fn page(
    State(app): State<App>,
    Number(id): Number,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let Some(view) = app.shared.store.event(EventId(id)).await? else {
        let words = "There is no delivery of this number, or it was removed.";
        return Err(caller.not_found(words));
    };
    let label = label(&app, &view).await?;
    let (state, why) = words::became(view.state, view.outcome.as_ref(), view.trouble.as_deref());
    let reader = &caller.reader;
    let bodies = caller.who().may::<SeeCalls>();
    let issue = label.as_ref().map(|label| Ref {
        text: label.key.to_string(),
        here: asking("/why", "q", label.key.as_str()),
        there: app.shared.issue_url(&label.site, &label.key),
        far_side: "Jira",
    });
    let page = DeliveryPage {
        shell: caller
            .shell(format!("Delivery {id}"), Place::Deliveries)
            .noting(notice::of(&query)),
        id: view.event.id,
        source: words::source(view.event.source),
        connection: view.event.connection.name().to_owned(),
        connection_page: page_of(&view.event.connection),
        topic: Name(view.event.topic.clone()),
        lane: view.event.lane.to_string(),
        received: reader.when(view.event.received_at),
        decided: view.decided_at.map(|at| reader.when(at)),
        state,
        why,
        issue,
        summary: label
            .as_ref()
            .map_or_else(String::new, |label| label.summary.clone()),
        effects: effects(&app, reader, view.event.id, bodies).await?,
        may_replay: may_replay(caller.who(), label.as_ref()),
        waits: view.state == EventState::Waiting,
        payload: payload(caller.who(), &view),
    };
    Ok(html(&page))
}

fn payload(who: &Who, view: &EventView) -> Payload {
    if !who.may::<SeePayloads>() {
        return Payload::Hidden;
    }
    if view.event.body.is_empty() {
        return Payload::Redacted;
    }
    let pretty = serde_json::from_str::<serde_json::Value>(&view.event.body)
        .and_then(|value| serde_json::to_string_pretty(&value));
    let text = pretty.unwrap_or_else(|_| view.event.body.to_string());
    let cut = text.chars().count() > SHOWN_LETTERS_MAX;
    let mut text: String = text.chars().take(SHOWN_LETTERS_MAX).collect();
    if cut {
        text.push_str("\n… the rest is left out here");
    }
    Payload::Shown {
        text,
        curl: curl(view),
    }
}

/// The delivery as a command that sends it again, without the secrets that it takes: whoever sends
/// it puts in their own.
fn curl(view: &EventView) -> Option<String> {
    let name = view.event.connection.name();
    let (path, secret) = match view.event.source {
        EventSource::Jira => (
            format!("/hooks/jira/{name}"),
            "-H \"X-Hub-Signature: sha256=$SIGNATURE\"",
        ),
        EventSource::Intercom => (
            format!("/hooks/intercom/{name}"),
            "-H \"X-Hub-Signature: sha1=$SIGNATURE\"",
        ),
        EventSource::Notify => (
            format!("/hooks/jira/{name}/notify"),
            "-H \"Authorization: Bearer $NOTIFY_TOKEN\"",
        ),
        // A channel signs over the address and the moment as well: the call cannot be made again.
        EventSource::Channel | EventSource::Reconciler | EventSource::Command => return None,
    };
    let body = view.event.body.replace('\'', "'\\''");
    Some(format!(
        "curl -X POST \"$BOWLINE{path}\" -H 'Content-Type: application/json' {secret} \
         --data-raw '{body}'"
    ))
}

/// The effects of a delivery. `bodies`: with what was sent and answered?
pub(crate) async fn effects(
    app: &App,
    reader: &Reader,
    event: EventId,
    bodies: bool,
) -> Result<Vec<EffectCard>, PageError> {
    let mut cards = Vec::new();
    for view in app.shared.store.effects_of(event).await? {
        let attempts = app.shared.store.attempts_of(view.id).await?;
        let attempts = attempts.into_iter().map(|attempt| AttemptRow {
            at: reader.when(attempt.started_at),
            took_ms: attempt.ended_at.since(attempt.started_at),
            outcome: attempt.outcome,
            detail: attempt.detail.unwrap_or_default(),
            calls: attempt
                .calls
                .into_iter()
                .map(|call| CallRow::of(call, bodies))
                .collect(),
        });
        cards.push(EffectCard {
            attempts: attempts.collect(),
            ..card(app, reader, view)
        });
    }
    Ok(cards)
}

fn card(app: &App, reader: &Reader, view: EffectView) -> EffectCard {
    EffectCard {
        id: view.id.0,
        act: words::act(&view.effect.act),
        state: words::effect_state(view.state),
        meaning: words::effect_meaning(view.state),
        audience: words::audience(&view.effect.act),
        to: conversation(app, &view.effect),
        text: note_text(&view.effect.act),
        reason: view.reason,
        remote_id: view.remote_id,
        key: view.effect.key.to_string(),
        planned: reader.when(view.planned_at),
        settled: view.settled_at.map(|at| reader.when(at)),
        attempts: Vec::new(),
    }
}

fn conversation(app: &App, effect: &Effect) -> Option<Ref> {
    let (workspace, conversation) = effect.act.conversation()?;
    Some(Ref {
        text: format!("conversation {conversation}"),
        here: asking("/why", "q", conversation.as_str()),
        there: app.shared.conversation_url(workspace, conversation),
        far_side: "Intercom",
    })
}

/// What a note says, as plain text.
fn note_text(act: &Act) -> Option<String> {
    let Act::Note { html, .. } = act else {
        return None;
    };
    if html.is_empty() {
        return Some("(taken out after the time for which texts are kept)".to_owned());
    }
    Some(crate::plain::of_html(html))
}

pub(crate) async fn replay(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<Replay>,
) -> Result<Response, PageError> {
    let caller = posted.caller;
    let store = &app.shared.store;
    let Some(view) = store.event(EventId(id)).await? else {
        return Err(caller.not_found("There is no delivery of this number."));
    };
    let label = label(&app, &view).await?;
    if !caller.granted.covers(project_of(label.as_ref()).as_ref()) {
        let words = "You administer other projects than the one that this delivery is about. An \
                     administrator can have it decided again.";
        return Err(caller.forbidden(words));
    }
    let put_back = store.replay(EventId(id), app.shared.now()).await?;
    if put_back {
        store.wake().await?;
        let subject = format!("delivery {id}");
        app.access
            .write_down(
                caller.who(),
                What::EventReplayed,
                &subject,
                &view.event.topic,
            )
            .await?;
    }
    let done = if put_back { "replayed" } else { "waiting" };
    Ok(see_other(&format!("/deliveries/{id}?done={done}")))
}
