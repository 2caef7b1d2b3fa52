//! The approved message: the way out after the time to answer, by a person's word.

use axum::extract::State;
use axum::response::Response;
use bowline_access::{ChangeTalks, What, Who};
use bowline_domain::ids::EventId;
use bowline_domain::messaging::ids::RequestRef;
use bowline_domain::messaging::text::CustomerText;
use bowline_engine::ingress::Refusal;
use bowline_engine::shared::queue_send_template;
use bowline_store::model::Talk;

use crate::App;
use crate::caller::Posted;
use crate::conversation::Whose;
use crate::error::{PageError, see_other};
use crate::talk_words::conversation_path;

/// What the approved message of the desk says in a conversation, if it can be sent now: the
/// conversation is active, and no ordinary answer can be sent.
pub(crate) fn offered(app: &App, talk: &Talk) -> Option<String> {
    let request = &talk.request;
    let template = app.shared.window_template(talk)?;
    let (_, key) = request.issue.as_ref()?;
    let closed = request.is_live() && !request.can_reply(app.shared.now());
    closed.then(|| {
        let text = CustomerText::of_approved(&template, &template.filled(key));
        text.as_str().to_owned()
    })
}

/// Why the approved message was not sent.
pub(crate) enum NotOffered {
    /// There is no such conversation.
    Unknown,
    /// It cannot be sent now.
    NotNow,
    /// The store failed, or it is overloaded.
    Failed(Refusal),
}

/// Has the approved message sent, and writes that down.
pub(crate) async fn ask(app: &App, who: &Who, whose: &RequestRef) -> Result<EventId, NotOffered> {
    let store = &app.shared.store;
    let failed = |error| NotOffered::Failed(Refusal::Failed(error));
    let talk = store.talk(whose).await.map_err(failed)?;
    let talk = talk.ok_or(NotOffered::Unknown)?;
    if offered(app, &talk).is_none() {
        return Err(NotOffered::NotNow);
    }
    let named = (app.shared.now(), app.shared.draw());
    let queued = queue_send_template(store, whose, named).await;
    let event = queued.map_err(NotOffered::Failed)?;
    let subject = match &talk.request.issue {
        Some((_, key)) => key.to_string(),
        None => format!("conversation {whose}"),
    };
    let written = app.access.write_down(who, What::ApprovedSent, &subject, "");
    if let Err(error) = written.await {
        // It is queued; that it could not be written down is for the log.
        tracing::error!(%error, "an approved message was not written down");
    }
    Ok(event)
}

pub(crate) async fn send(
    State(app): State<App>,
    Whose(whose): Whose,
    posted: Posted<ChangeTalks>,
) -> Result<Response, PageError> {
    let caller = posted.caller;
    let word = match ask(&app, caller.who(), &whose).await {
        Ok(_) => "approved",
        Err(NotOffered::NotNow) => "not-now",
        Err(NotOffered::Unknown) => {
            return Err(caller.not_found("There is no such conversation."));
        }
        Err(NotOffered::Failed(Refusal::Failed(error))) => return Err(error.into()),
        Err(NotOffered::Failed(refusal)) => {
            return Err(PageError::bad_form(&refusal.to_string()));
        }
    };
    let path = conversation_path(&whose);
    Ok(see_other(&format!("{path}?done={word}")))
}
