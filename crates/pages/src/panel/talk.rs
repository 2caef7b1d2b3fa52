//! The conversation with an end user that a request of Service Management is fed by.

use askama::Template;
use bowline_domain::ids::IssueKey;
use bowline_store::talk_browse::{TalkQuery, TalkSubject};

use super::{Drawn, Panel, Section};
use crate::error::PageError;
use crate::reader::When;
use crate::talk_words::conversation_path;

pub(super) const SECTION: Section = Section { draw, read: true };

#[derive(Template)]
#[template(path = "panel-talk.html")]
struct TalkSection {
    with: String,
    desk: String,
    live: bool,
    closed: Option<When>,
    window: Option<(When, bool)>,
    there: Option<String>,
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
        let section = TalkSection {
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
