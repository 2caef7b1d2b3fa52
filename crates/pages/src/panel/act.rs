//! What people do from the panel. Each goes into the queue of the issue, is made as an effect, and
//! stands in the audit log.

use bowline_access::{What, Who, digest};
use bowline_domain::effect::{Act, EffectState};
use bowline_domain::ids::{ConversationId, EffectId, EventId, IssueId, SiteName, WorkspaceName};
use bowline_domain::link::Via;
use bowline_domain::plan::written::{Place, TEXT_CHARS_MAX, Written};
use bowline_engine::ingress::Refusal;
use bowline_engine::shared::{ByHand, queue_by_hand};
use bowline_store::browse::IssueLabel;

use super::viewer::Viewer;
use super::{Issue, Typed};
use crate::App;
use crate::caller::Fields;
use crate::error::PageError;
use crate::links::queue;

/// Letters of the digest that names a writing.
const NAME_LETTERS: usize = 32;

/// Why something was not done.
pub(crate) enum Wrong {
    /// A field is wrong, in words.
    Field(&'static str, String),
    /// Something else.
    Page(PageError),
}

impl<E: Into<PageError>> From<E> for Wrong {
    fn from(error: E) -> Self {
        Self::Page(error.into())
    }
}

/// The word for the notice about what was done.
type Done = Result<&'static str, Wrong>;

/// What stands in a form, to be shown again.
pub(super) fn typed(fields: &Fields) -> Typed {
    let get = |name: &str| fields.get(name).to_owned();
    Typed {
        conversation: get("conversation"),
        note: get("note"),
        note_to: fields.all("note_to"),
        answer: get("answer"),
        answer_to: get("answer_to"),
        fault: None,
    }
}

/// What a writing is called: the same form sent twice has one name.
pub(crate) fn name_of(app: &App, who: &Who, once: &str) -> String {
    let once = if once.is_empty() {
        app.access.new_secret()
    } else {
        once.to_owned()
    };
    let whole = digest(&format!("{}\n{once}", who.name()));
    whole.chars().take(NAME_LETTERS).collect()
}

fn known(issue: &Issue) -> Result<&IssueLabel, Wrong> {
    issue.label.as_ref().ok_or_else(|| {
        Wrong::Page(PageError::not_found(
            "Bowline has never heard of this issue, so nothing is linked to it.",
        ))
    })
}

/// The panel is switched off: nothing is written from it either.
fn allowed(app: &App, issue: &Issue) -> Result<(), Wrong> {
    let bindings = app.shared.bindings_now();
    let binding = bindings
        .iter()
        .find(|binding| binding.site == issue.site && binding.project == issue.project);
    if binding.is_some_and(|binding| binding.panel.enabled) {
        return Ok(());
    }
    let words = "The panel is switched off for this project, or the project is not joined.";
    Err(Wrong::Page(PageError::forbidden(words)))
}

/// Links a conversation.
pub(super) async fn link(app: &App, viewer: &Viewer, issue: &Issue, fields: &Fields) -> Done {
    allowed(app, issue)?;
    let typed = fields.get("conversation").trim();
    let address = bowline_text::address::parse(typed);
    let number = !typed.is_empty() && typed.bytes().all(|byte| byte.is_ascii_digit());
    let conversation = address
        .map(|address| address.conversation)
        .or_else(|| number.then(|| typed.to_owned()))
        .ok_or_else(|| {
            let words = format!(
                "“{typed}” is no conversation. Copy its address in Intercom, from the browser's \
                 bar."
            );
            Wrong::Field("conversation", words)
        })?;
    let bindings = app.shared.bindings_now();
    let binding = bindings
        .iter()
        .find(|binding| binding.site == issue.site && binding.project == issue.project);
    let workspace = binding.map(|binding| binding.workspace.clone());
    let workspace = workspace.ok_or_else(|| {
        let words = "The project is not joined to a workspace.".to_owned();
        Wrong::Field("conversation", words)
    })?;
    let place = (&workspace, conversation.as_str());
    let by = viewer.name();
    let via = match viewer.who() {
        Who::Token { .. } => Via::Api,
        _ => Via::Panel,
    };
    queue(app, (&issue.site, &issue.key), place, Some((&by, via))).await?;
    let detail = format!("conversation {conversation} of {workspace}");
    app.access
        .write_down(viewer.who(), What::LinkAdded, &issue.key, &detail)
        .await?;
    Ok("linked")
}

/// Ends a link.
pub(super) async fn unlink(app: &App, viewer: &Viewer, issue: &Issue, fields: &Fields) -> Done {
    let label = known(issue)?;
    let workspace = WorkspaceName::new(fields.get("workspace"));
    let conversation = ConversationId::new(fields.get("conversation"));
    let live = app
        .shared
        .store
        .link_is_live((&label.site, &label.issue), (&workspace, &conversation))
        .await?;
    if !live {
        return Ok("no-link");
    }
    let place = (&workspace, conversation.as_str());
    queue(app, (&issue.site, &issue.key), place, None).await?;
    let detail = format!("conversation {conversation} of {workspace}");
    app.access
        .write_down(viewer.who(), What::LinkRemoved, &issue.key, &detail)
        .await?;
    Ok("unlinked")
}

/// A text that somebody wrote, if it says something and is not too long.
fn text(field: &'static str, typed: &str) -> Result<String, Wrong> {
    let typed = typed.trim();
    let letters = typed.chars().count();
    if letters == 0 {
        return Err(Wrong::Field(field, "Write something first.".to_owned()));
    }
    if letters > TEXT_CHARS_MAX {
        let words =
            format!("It has {letters} letters; at most {TEXT_CHARS_MAX} can be sent at once.");
        return Err(Wrong::Field(field, words));
    }
    Ok(typed.to_owned())
}

/// `workspace/conversation`, as forms name one.
pub(crate) fn place(value: &str) -> Option<Place> {
    let (workspace, conversation) = value.split_once('/')?;
    Some(Place {
        workspace: WorkspaceName::new(workspace),
        conversation: ConversationId::new(conversation),
    })
}

/// Writes an internal note into all linked conversations, or into some.
pub(super) async fn note(app: &App, viewer: &Viewer, issue: &Issue, fields: &Fields) -> Done {
    let text = text("note", fields.get("note"))?;
    let all = fields.get("note_all") == "yes";
    let chosen = fields.all("note_to");
    let chosen: Vec<Place> = chosen.iter().filter_map(|one| place(one)).collect();
    let to = match (all, chosen.is_empty()) {
        (true, true) => None,
        (false, false) => Some(chosen),
        (true, false) => {
            let words = "All conversations are chosen, and single ones too. Say which is meant.";
            return Err(Wrong::Field("note", words.to_owned()));
        }
        (false, true) => {
            let words = "Choose at least one conversation, or all of them.".to_owned();
            return Err(Wrong::Field("note", words));
        }
    };
    let name = name_of(app, viewer.who(), fields.get("once"));
    let note = Written::Note {
        name,
        by: viewer.name(),
        text,
        to,
    };
    let fresh = write(app, viewer.who(), issue, note).await?;
    Ok(if fresh.is_some() { "noted" } else { "written" })
}

/// Answers the customer of one conversation.
pub(super) async fn answer(app: &App, viewer: &Viewer, issue: &Issue, fields: &Fields) -> Done {
    let text = text("answer", fields.get("answer"))?;
    let to = place(fields.get("answer_to")).ok_or_else(|| {
        Wrong::Field("answer", "Choose the conversation to answer in.".to_owned())
    })?;
    let name = name_of(app, viewer.who(), fields.get("once"));
    let answer = Written::Reply { name, text, to };
    let fresh = write(app, viewer.who(), issue, answer).await?;
    Ok(if fresh.is_some() {
        "answered"
    } else {
        "written"
    })
}

/// Puts a writing into the queue of the issue, once. Answers the event if it was not there yet.
pub(crate) async fn write(
    app: &App,
    who: &Who,
    issue: &Issue,
    written: Written,
) -> Result<Option<EventId>, Wrong> {
    allowed(app, issue)?;
    let label = known(issue)?;
    let of = (&label.site, &label.issue);
    let field = match &written {
        Written::Note { .. } => "note",
        Written::Reply { .. } => "answer",
    };
    let linked = app.shared.store.live_links(of.0, of.1).await?;
    let is_linked = |place: &Place| {
        let at = (place.workspace.clone(), place.conversation.clone());
        linked.contains(&at)
    };
    let (what, detail, name) = match &written {
        Written::Note { name, to, .. } => {
            let meant = to.as_ref().map_or(linked.len(), |to| {
                to.iter().filter(|place| is_linked(place)).count()
            });
            if meant == 0 {
                let words = "None of these conversations is linked any more.".to_owned();
                return Err(Wrong::Field(field, words));
            }
            (
                What::NoteWritten,
                format!("into {meant} conversation(s)"),
                name,
            )
        }
        Written::Reply { name, to, .. } => {
            if !is_linked(to) {
                let words = "This conversation is not linked any more.".to_owned();
                return Err(Wrong::Field(field, words));
            }
            let detail = format!("conversation {} of {}", to.conversation, to.workspace);
            (What::CustomerAnswered, detail, name)
        }
    };
    let name = format!("hand-{name}");
    let queued = by_hand(app, of, &ByHand::Write(written.clone()), name).await?;
    if queued.is_some() {
        app.access
            .write_down(who, what, &issue.key, &detail)
            .await?;
    }
    Ok(queued)
}

async fn by_hand(
    app: &App,
    of: (&SiteName, &IssueId),
    what: &ByHand,
    name: String,
) -> Result<Option<EventId>, PageError> {
    match queue_by_hand(&app.shared, of, what, name).await {
        Ok(event) => Ok(event),
        Err(Refusal::Failed(error)) => Err(error.into()),
        Err(refusal) => Err(PageError::bad_form(&refusal.to_string())),
    }
}

/// What a form says of an answer that is held.
pub(super) async fn held(app: &App, viewer: &Viewer, issue: &Issue, fields: &Fields) -> Done {
    let effect: i64 = fields.get("effect").parse().unwrap_or_default();
    let arrived = fields.get("do") == "arrived";
    let settled = settle(app, viewer.who(), &viewer.name(), issue, effect, arrived).await?;
    Ok(match (settled, arrived) {
        (false, _) => "gone",
        (true, true) => "arrived",
        (true, false) => "again",
    })
}

/// Says that a held answer arrived, or has it sent again. False if it is not held any more.
pub(crate) async fn settle(
    app: &App,
    who: &Who,
    by: &str,
    issue: &Issue,
    effect: i64,
    arrived: bool,
) -> Result<bool, Wrong> {
    let label = known(issue)?;
    let of = (&label.site, &label.issue);
    let view = app.shared.store.effect(EffectId(effect)).await?;
    let held = view.filter(|view| {
        view.state == EffectState::Held
            && (&view.effect.site, &view.effect.issue) == of
            && matches!(view.effect.act, Act::Reply { .. })
    });
    if held.is_none() {
        return Ok(false);
    }
    let by = by.to_owned();
    let (what, detail) = if arrived {
        (ByHand::Arrived { effect, by }, "it arrived")
    } else {
        (ByHand::SendAgain { effect, by }, "send it again")
    };
    // Whichever is asked first counts: the effect is held once.
    let name = format!("held-{effect}");
    if by_hand(app, of, &what, name).await?.is_none() {
        return Ok(false);
    }
    app.access
        .write_down(who, What::HeldSettled, &issue.key, detail)
        .await?;
    Ok(true)
}
