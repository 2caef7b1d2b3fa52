//! The conversation with an end user that a request of Service Management is fed by.

use askama::Template;
use bowline_domain::ids::IssueKey;
use bowline_store::talk_browse::{OutboundView, TalkQuery, TalkSubject};

use super::{Drawn, Panel, Section};
use crate::component::Lozenge;
use crate::conversation::shown;
use crate::error::PageError;
use crate::reader::{Reader, When};
use crate::talk_words::{Unserved, conversation_path, outside, resolution, state_of, unserved};

pub(super) const SECTION: Section = Section { draw, read: true };

#[derive(Template)]
#[template(path = "panel-talk.html")]
struct TalkSection {
    with: String,
    desk: String,
    live: bool,
    closed: Option<When>,
    window: Option<(When, bool)>,
    unserved: Option<Unserved>,
    /// What it means that the issue is no request.
    outside: Option<String>,
    /// The latest messages to the customer, the oldest of them first.
    sent: Vec<Sent>,
    /// How many there were before.
    earlier: usize,
    there: Option<String>,
}

/// A message to the customer, and how far it came.
struct Sent {
    state: Lozenge,
    when: When,
    /// Is it a comment's text?
    comment: bool,
    text: String,
    reason: Option<String>,
    /// What a person decided about it.
    decided: Option<&'static str>,
}

/// Messages whose state is shown at once; the conversation's page shows all.
const SENT_MAX: usize = 20;

fn sent(reader: &Reader, view: &OutboundView) -> Sent {
    let message = &view.message;
    let decided = view.resolved.as_ref().filter(|_| !message.is_superseded());
    Sent {
        state: state_of(message),
        when: reader.when(message.at),
        comment: message.comment.is_some(),
        text: shown(&message.text),
        reason: message.reason.clone(),
        decided: decided.map(|decided| resolution(decided.how)),
    }
}

/// Conversations of which the one of this site is sought: a key may be there on several sites.
const SITES_MAX: i64 = 20;

fn draw<'p>(panel: &'p Panel<'p>) -> Drawn<'p> {
    Box::pin(async move {
        let issue = panel.issue;
        let shared = &panel.app.shared;
        // By its key: a service project need not be joined to a workspace, and then its issues are
        // known as requests only.
        let asked = TalkQuery {
            about: Some(TalkSubject::Issue(IssueKey::new(issue.key.as_str()))),
            limit: SITES_MAX,
            ..TalkQuery::default()
        };
        let found = shared.store.talk_page(&asked).await?;
        let talk = found
            .into_iter()
            .find(|talk| talk.request.site == issue.site);
        let Some(talk) = talk else {
            return Ok(String::new());
        };
        let reader = &panel.viewer.reader;
        let request = &talk.request;
        let live = request.is_live();
        let outbound = shared.store.transcript(&talk.whose).await?.outbound;
        let earlier = outbound.len().saturating_sub(SENT_MAX);
        let section = TalkSection {
            unserved: unserved(panel.app, &talk.whose.account, request),
            outside: outside(request),
            sent: outbound[earlier..]
                .iter()
                .map(|one| sent(reader, one))
                .collect(),
            earlier,
            with: talk.name.clone().unwrap_or_default(),
            desk: request.desk.to_string(),
            live,
            closed: request.closed.as_ref().map(|(at, _)| reader.when(*at)),
            window: request
                .window_ends_at()
                .filter(|_| live)
                .map(|end| (reader.when(end), end > shared.now())),
            there: (!panel.viewer.framed()).then(|| conversation_path(&talk.whose)),
        };
        section.render().map_err(PageError::template)
    })
}
