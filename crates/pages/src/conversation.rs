//! One conversation with an end user: who, how it is, and everything that was said, with who could
//! read it and what became of it.

use askama::Template;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::response::Response;
use bowline_access::{ChangeTalks, Look, What, Who};
use bowline_domain::effect::{Act, EffectKey};
use bowline_domain::ids::CommentId;
use bowline_domain::messaging::act::TalkAct;
use bowline_domain::messaging::delivery::Resolution;
use bowline_domain::messaging::end_user::IdentityKind;
use bowline_domain::messaging::gathering::Place as Stands;
use bowline_domain::messaging::ids::{AccountName, EndUserId, RequestRef};
use bowline_domain::time::Millis;
use bowline_engine::ingress::Refusal;
use bowline_engine::shared::queue_about_send;
use bowline_store::model::{EffectView, Talk, WrittenLine};
use bowline_store::talk_browse::{OutboundView, Transcript};

use crate::App;
use crate::approved;
use crate::caller::{Caller, Posted};
use crate::component::{Lozenge, Ref, Tone};
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::Query;
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};
use crate::talk_words::{
    Unserved, called, conversation_path, delivery_meaning, end_user_path, outside, resolution,
    stage, state_of, unserved, why_not_again, window,
};

/// What stands where a text was taken out.
const TAKEN_OUT: &str = "(taken out after the time for which texts are kept)";

/// The conversation in an address.
pub(crate) struct Whose(pub(crate) RequestRef);

impl FromRequestParts<App> for Whose {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        let path = Path::<(String, String, u32)>::from_request_parts(parts, app).await;
        let words = "The address was mistyped, or what it showed is gone.";
        let path = path.map_err(|_| PageError::not_found(words))?;
        let (account, end_user, generation) = path.0;
        Ok(Self(RequestRef {
            account: AccountName::new(account),
            end_user: EndUserId::new(end_user),
            generation,
        }))
    }
}

#[derive(Template)]
#[template(path = "talk.html")]
struct ConversationPage {
    shell: Shell,
    tab: &'static str,
    who: String,
    end_user: String,
    blocked: bool,
    identities: Vec<String>,
    request: Option<Ref>,
    desk: String,
    /// Why nothing can be sent, where no desk serves the conversation, and what can be done.
    unserved: Option<Unserved>,
    /// What it means that the issue is no request.
    outside: Option<String>,
    channel: String,
    state: Lozenge,
    ended: Option<When>,
    window: Lozenge,
    window_ends: Option<When>,
    began: When,
    wrote: When,
    live: bool,
    entries: Vec<Entry>,
    cut: bool,
    may_change: bool,
    /// What the approved message says, if it can be sent now.
    approved: Option<String>,
    path: String,
}

/// One thing that was said.
pub(crate) struct Entry {
    at: Millis,
    when: When,
    /// Who said it.
    who: String,
    /// Who can read it.
    audience: Lozenge,
    /// How far it came, of what went to the customer.
    state: Option<Lozenge>,
    /// What that means, and why it is so.
    meaning: Vec<String>,
    text: String,
    /// Where it stands in Jira.
    stands: Option<String>,
    /// The delivery that made it.
    delivery: Option<String>,
    /// What a person may decide about it.
    choice: Option<SendChoice>,
}

/// What a person may decide about a message that reached nobody, or may have.
pub(crate) struct SendChoice {
    /// The effect that was to send it.
    pub(crate) key: String,
    /// Is its outcome not known? Then it may have arrived.
    pub(crate) held: bool,
    /// Why it cannot be sent again now.
    pub(crate) not_again: Option<&'static str>,
    /// The form's address.
    pub(crate) path: String,
    /// Where the browser goes afterwards, as the form says it.
    pub(crate) back: &'static str,
}

/// What a person may decide about a message, if anything.
pub(crate) fn choice(view: &OutboundView, talk: &Talk, now: Millis) -> Option<SendChoice> {
    use bowline_domain::messaging::delivery::Delivery;
    let open = view.resolved.is_none() && view.message.delivery.may_be_sent_again();
    open.then(|| SendChoice {
        key: view.message.key.to_string(),
        held: view.message.delivery == Delivery::Held,
        not_again: if view.message.is_template() {
            Some("An approved message is not sent again; it can be sent anew, while only it can.")
        } else {
            why_not_again(&talk.request, now)
        },
        path: format!("{}/sends", conversation_path(&view.whose)),
        back: "",
    })
}

pub(crate) fn shown(text: &str) -> String {
    if text.is_empty() {
        TAKEN_OUT.to_owned()
    } else {
        text.to_owned()
    }
}

/// What the end user wrote.
fn wrote(reader: &Reader, who: &str, one: &WrittenLine, read: &Transcript) -> Entry {
    let line = &one.line;
    let comment: Option<&CommentId> = read
        .comments
        .iter()
        .find(|(number, _)| *number == line.gathering)
        .map(|(_, comment)| comment);
    let stands = match (one.written, line.place, comment) {
        (false, ..) => "Not in Jira yet: it is written in a moment.".to_owned(),
        (true, Stands::Description, _) => "In the description of the request.".to_owned(),
        (true, _, Some(comment)) => format!("In comment {comment} of the request."),
        (true, ..) => "In a comment of the request.".to_owned(),
    };
    let brought = read.brought.iter().find(|(id, _)| *id == line.message);
    Entry {
        // Clocks differ: nothing was written after it came.
        at: line.sent_at.min(line.received_at),
        when: reader.when(line.sent_at),
        who: who.to_owned(),
        audience: Lozenge::new(Tone::Plain, "from the customer"),
        state: None,
        meaning: Vec::new(),
        text: shown(&line.text),
        stands: Some(stands),
        delivery: brought.map(|(_, event)| format!("/deliveries/{event}")),
        choice: None,
    }
}

/// What went to the end user, or should have.
fn went(reader: &Reader, view: &OutboundView, talk: &Talk, now: Millis) -> Entry {
    let message = &view.message;
    let mut meaning = vec![delivery_meaning(message.delivery).to_owned()];
    meaning.extend(message.reason.clone());
    if let Some(resolved) = &view.resolved {
        let by = if resolved.by.is_empty() {
            "someone"
        } else {
            &resolved.by
        };
        let when = reader.when(resolved.at).text();
        meaning.push(format!("{}: {by}, {when}.", resolution(resolved.how)));
    }
    let stands = match &message.comment {
        Some(comment) => format!("Comment {comment} of the request."),
        None => "By Bowline itself: a change of status, or a test.".to_owned(),
    };
    Entry {
        at: message.at,
        when: reader.when(message.at),
        who: if message.comment.is_some() {
            "The agent".to_owned()
        } else {
            "Bowline".to_owned()
        },
        audience: Lozenge::new(Tone::Plain, "to the customer"),
        state: Some(state_of(message)),
        meaning,
        text: shown(&message.text),
        stands: Some(stands),
        delivery: view.event.map(|event| format!("/deliveries/{event}")),
        choice: choice(view, talk, now),
    }
}

/// What the agents were told.
fn told(reader: &Reader, view: &EffectView) -> Entry {
    let text = match &view.effect.act {
        Act::Talk(TalkAct::Tell { text, .. }) => text.as_str(),
        _ => "",
    };
    Entry {
        at: view.planned_at,
        when: reader.when(view.planned_at),
        who: "Bowline".to_owned(),
        audience: Lozenge::new(Tone::Warn, "agents only"),
        state: Some(crate::words::effect_state(view.state)),
        meaning: view.reason.clone().into_iter().collect(),
        text: shown(text),
        stands: Some("An internal comment of the request.".to_owned()),
        delivery: Some(format!("/deliveries/{}", view.event)),
        choice: None,
    }
}

/// Everything that was said, in its order.
fn entries(reader: &Reader, who: &str, talk: &Talk, read: &Transcript, now: Millis) -> Vec<Entry> {
    let lines = read.lines.iter().map(|one| wrote(reader, who, one, read));
    let outbound = read.outbound.iter();
    let outbound = outbound.map(|view| went(reader, view, talk, now));
    let internal = read.told.iter().map(|view| told(reader, view));
    let mut all: Vec<Entry> = lines.chain(outbound).chain(internal).collect();
    all.sort_by_key(|entry| entry.at);
    all
}

pub(crate) async fn page(
    State(app): State<App>,
    Whose(whose): Whose,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let store = &app.shared.store;
    let Some(talk) = store.talk(&whose).await? else {
        return Err(caller.not_found("There is no such conversation."));
    };
    let read = store.transcript(&whose).await?;
    let (reader, now) = (&caller.reader, app.shared.now());
    let request = &talk.request;
    let who = called(
        talk.end_user.name.as_deref(),
        talk.end_user
            .identities
            .first()
            .map(|one| one.value.as_str()),
        &whose.end_user,
    );
    let issue = request.issue.as_ref().map(|(_, key)| Ref {
        text: key.to_string(),
        here: conversation_path(&whose),
        there: app.shared.issue_url(&request.site, key),
        far_side: "Jira",
    });
    let page = ConversationPage {
        shell: caller
            .shell(format!("Conversation with {who}"), Place::Talks)
            .noting(notice::of(&query)),
        tab: "conversations",
        end_user: end_user_path(&whose.account, &whose.end_user),
        blocked: talk.end_user.blocked,
        identities: talk
            .end_user
            .identities
            .iter()
            .filter(|one| one.kind != IdentityKind::Contact)
            .map(|one| one.value.clone())
            .collect(),
        request: issue,
        desk: request.desk.to_string(),
        unserved: unserved(&app, &whose.account, request),
        outside: outside(request),
        channel: format!(
            "{}, channel {}",
            request.route.platform, request.route.channel
        ),
        state: stage(request),
        ended: request.closed.map(|(at, _)| reader.when(at)),
        window: window(request, now),
        window_ends: request
            .window_ends_at()
            .filter(|_| request.is_live())
            .map(|at| reader.when(at)),
        began: reader.when(request.opened_at),
        wrote: reader.when(request.last_inbound_at),
        live: request.is_live(),
        entries: entries(reader, &who, &talk, &read, now),
        cut: read.cut,
        may_change: caller.who().may::<ChangeTalks>(),
        approved: approved::offered(&app, &talk),
        path: conversation_path(&whose),
        who,
    };
    Ok(html(&page))
}

/// What a form or a program calls the decision.
pub(crate) fn decision(word: &str) -> Option<Resolution> {
    match word {
        "again" => Some(Resolution::SentAgain),
        "arrived" => Some(Resolution::Arrived),
        "drop" => Some(Resolution::Dropped),
        _ => None,
    }
}

/// Why a decision about a message was not taken.
pub(crate) enum NotDecided {
    /// There is no such message in the conversation.
    Unknown,
    /// There is nothing to decide: it is on its way, arrived, or somebody decided.
    Settled,
    /// It cannot be sent again now.
    NotNow(&'static str),
    /// The store failed, or it is overloaded.
    Failed(Refusal),
}

/// Puts what somebody decided about a message into the queue of its end user, and writes it down.
pub(crate) async fn decide(
    app: &App,
    who: &Who,
    (whose, key): (&RequestRef, &str),
    how: Resolution,
) -> Result<bowline_domain::ids::EventId, NotDecided> {
    let store = &app.shared.store;
    let failed = |error| NotDecided::Failed(Refusal::Failed(error));
    let key = EffectKey::stored(key);
    let view = store.outbound_view(&key).await.map_err(failed)?;
    let Some(view) = view.filter(|view| view.whose == *whose) else {
        return Err(NotDecided::Unknown);
    };
    if view.resolved.is_some() || !view.message.delivery.may_be_sent_again() {
        return Err(NotDecided::Settled);
    }
    let talk = store.talk(whose).await.map_err(failed)?;
    let talk = talk.ok_or(NotDecided::Unknown)?;
    let (now, chance) = (app.shared.now(), app.shared.draw());
    if how == Resolution::SentAgain
        && let Some(open) = choice(&view, &talk, now)
        && let Some(why) = open.not_again
    {
        return Err(NotDecided::NotNow(why));
    }
    let by = who.name();
    let queued = queue_about_send(store, &key, (how, &by), (now, chance)).await;
    let event = queued.map_err(NotDecided::Failed)?;
    let what = match how {
        Resolution::SentAgain => What::MessageSentAgain,
        Resolution::Arrived | Resolution::Dropped => What::MessageLetBe,
    };
    let subject = match &talk.request.issue {
        Some((_, key)) => key.to_string(),
        None => format!("conversation {whose}"),
    };
    let detail = format!("{}, message {key}", how.as_str());
    let written = app.access.write_down(who, what, &subject, &detail).await;
    match written {
        Ok(()) => Ok(event),
        Err(error) => {
            // It is queued; that it could not be written down is for the log.
            tracing::error!(%error, "a decision about a message was not written down");
            Ok(event)
        }
    }
}

/// A person decides about a message.
pub(crate) async fn sends(
    State(app): State<App>,
    Whose(whose): Whose,
    posted: Posted<ChangeTalks>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let Some(how) = decision(fields.get("do")) else {
        return Err(PageError::bad_form("The form does not say what to do."));
    };
    let back = match fields.get("back") {
        "problems" => "/problems".to_owned(),
        _ => conversation_path(&whose),
    };
    let key = fields.get("key");
    let word = match decide(&app, caller.who(), (&whose, key), how).await {
        Ok(_) if how == Resolution::SentAgain => "sent-again",
        Ok(_) => "let-be",
        Err(NotDecided::Settled) => "settled",
        Err(NotDecided::NotNow(_)) => "not-now",
        Err(NotDecided::Unknown) => {
            return Err(caller.not_found("There is no such message in this conversation."));
        }
        Err(NotDecided::Failed(Refusal::Failed(error))) => return Err(error.into()),
        Err(NotDecided::Failed(refusal)) => {
            return Err(PageError::bad_form(&refusal.to_string()));
        }
    };
    Ok(see_other(&format!("{back}?done={word}")))
}
