//! Messages to end users of which nobody knows whether they were sent: a person decides.

use bowline_store::talk_browse::SendsQuery;

use crate::App;
use crate::component::{Lozenge, Tone};
use crate::conversation::{SendChoice, choice, shown};
use crate::end_users::name_of;
use crate::error::PageError;
use crate::problems::Problem;
use crate::reader::{Reader, When};
use crate::talk_words::conversation_path;
use crate::words::some;

/// Messages that are listed at once. Those of all conversations are found there.
const LISTED: i64 = 20;

/// Messages that are counted; where there are more, there are that many at least.
const COUNTED: i64 = 1_000;

/// A message to decide about.
pub(crate) struct Held {
    pub(crate) who: String,
    pub(crate) issue: Option<String>,
    pub(crate) text: String,
    pub(crate) reason: String,
    pub(crate) when: When,
    pub(crate) path: String,
    pub(crate) choice: SendChoice,
}

/// The latest messages to decide about.
pub(crate) async fn held(app: &App, reader: &Reader) -> Result<Vec<Held>, PageError> {
    let store = &app.shared.store;
    let mut all = Vec::new();
    for view in store.unresolved(SendsQuery::Held, LISTED).await? {
        let Some(talk) = store.talk(&view.whose).await? else {
            continue;
        };
        let Some(open) = choice(&view, &talk, app.shared.now()) else {
            continue;
        };
        all.push(Held {
            who: name_of(&talk.end_user),
            issue: talk.request.issue.as_ref().map(|(_, key)| key.to_string()),
            text: shown(&view.message.text),
            reason: view.message.reason.clone().unwrap_or_default(),
            when: reader.when(view.message.at),
            path: conversation_path(&view.whose),
            choice: SendChoice {
                back: "problems",
                ..open
            },
        });
    }
    Ok(all)
}

/// That there are such messages, if there are.
pub(crate) async fn problem(app: &App, reader: &Reader) -> Result<Option<Problem>, PageError> {
    let all = app
        .shared
        .store
        .unresolved(SendsQuery::Held, COUNTED)
        .await?;
    let (Some(last), Some(first)) = (all.first(), all.last()) else {
        return Ok(None);
    };
    let count = i64::try_from(all.len()).unwrap_or(COUNTED);
    let at_least = if count == COUNTED { "at least " } else { "" };
    Ok(Some(Problem {
        state: Lozenge::new(Tone::Warn, "to decide"),
        title: "It is not known whether messages reached customers".to_owned(),
        cause: "The messaging provider's answer was lost, and the messages were not found there. \
                They are not sent again by themselves, because a customer might get one twice."
            .to_owned(),
        extent: format!("{at_least}{}.", some(count, "message")),
        mend: "An agent looks at the conversation at the messaging provider, and says here or on \
               the page of the conversation whether the message arrived or is sent again."
            .to_owned(),
        since: Some(reader.when(first.message.at)),
        last: Some(reader.when(last.message.at)),
        more: "/conversations?sends=held&state=all".to_owned(),
        more_title: "The conversations",
    }))
}
