//! Answers to customers in Intercom of which nobody knows whether they arrived: a person decides.

use bowline_domain::effect::{Act, EffectState};
use bowline_store::model::EffectView;
use bowline_store::reading::HeldAnswers;

use crate::App;
use crate::component::{Lozenge, Tone};
use crate::error::PageError;
use crate::problems::Problem;
use crate::query::{Query, asking};
use crate::reader::{Reader, When};
use crate::words::are;

/// With so many answers a page is full. All of an issue stand on one page.
const LISTED: usize = 20;

/// The name under which the page is asked for that begins with an issue.
const BEGINS: &str = "answers";

/// Issues that are named in the words of the problem.
const KEYS_SHOWN: i64 = 5;

/// An answer to a customer of which nobody knows whether it arrived.
pub(crate) struct HeldAnswer {
    pub(crate) effect: i64,
    pub(crate) conversation: String,
    /// The conversation in Intercom.
    pub(crate) there: Option<String>,
    pub(crate) text: String,
    pub(crate) reason: String,
    pub(crate) since: Option<When>,
}

/// An answer to decide about, and whose it is.
pub(crate) struct HeldOfIssue {
    pub(crate) issue: String,
    /// The issue's panel, where its forms are sent.
    pub(crate) panel: String,
    pub(crate) answer: HeldAnswer,
}

impl HeldAnswer {
    /// What people see of an effect that is one.
    pub(crate) fn of(app: &App, reader: &Reader, view: &EffectView) -> Option<Self> {
        let Act::Reply {
            workspace,
            conversation,
            html,
            ..
        } = &view.effect.act
        else {
            return None;
        };
        Some(Self {
            effect: view.id.0,
            conversation: conversation.to_string(),
            there: app.shared.conversation_url(workspace, conversation),
            text: crate::plain::of_html(html),
            reason: view.reason.clone().unwrap_or_default(),
            since: view.settled_at.map(|at| reader.when(at)),
        })
    }
}

/// A page of answers to decide about.
pub(crate) struct Page {
    pub(crate) answers: Vec<HeldOfIssue>,
    /// How many wait besides, on other pages.
    pub(crate) others: i64,
    /// The first page, if this is another one.
    pub(crate) first: Option<String>,
    /// The page that comes after this one.
    pub(crate) next: Option<String>,
}

/// The answers to decide about: those of the issue that is asked for and of those behind it. Where
/// it has none any more, from the first on, because it was decided about them meanwhile.
pub(crate) async fn held(app: &App, reader: &Reader, query: &Query) -> Result<Page, PageError> {
    let store = &app.shared.store;
    let waiting = store.held_counts().await?.answers;
    let (issues, begins_later) = from_asked(app, query).await?;
    let mut answers = Vec::new();
    let mut next = None;
    for (at, of) in issues.iter().enumerate() {
        if answers.len() >= LISTED || at >= LISTED {
            next = Some(asking("/problems", BEGINS, &name(of)));
            break;
        }
        let Some(issue) = store.issue_by_key(&of.site, &of.key).await? else {
            continue;
        };
        let panel = crate::panel::path(&of.site, &of.key);
        let views = store.held_of(&of.site, &issue).await?;
        let views = views.iter();
        let of_issue = views.filter_map(|view| HeldAnswer::of(app, reader, view));
        answers.extend(of_issue.map(|answer| HeldOfIssue {
            issue: of.key.clone(),
            panel: panel.clone(),
            answer,
        }));
    }
    let listed = i64::try_from(answers.len()).unwrap_or(i64::MAX);
    Ok(Page {
        answers,
        others: (waiting - listed).max(0),
        first: begins_later.then(|| "/problems".to_owned()),
        next,
    })
}

/// The issues of a page and the one after them, and whether there are others before.
async fn from_asked(app: &App, query: &Query) -> Result<(Vec<HeldAnswers>, bool), PageError> {
    let store = &app.shared.store;
    // Each has an answer, so that a page is full with these.
    let some = i64::try_from(LISTED + 1).unwrap_or(i64::MAX);
    let first = store.held_answers(None, some).await?;
    let Some((site, key)) = query.get(BEGINS).and_then(|asked| asked.split_once('/')) else {
        return Ok((first, false));
    };
    let from = store.held_answers(Some((&site.into(), key)), some).await?;
    let asked = |of: &HeldAnswers| of.site.as_str() == site && of.key == key;
    if !from.first().is_some_and(asked) || first.first().is_some_and(asked) {
        return Ok((first, false));
    }
    Ok((from, true))
}

fn name(of: &HeldAnswers) -> String {
    format!("{}/{}", of.site, of.key)
}

/// That there are such answers, if there are.
pub(crate) async fn problem(app: &App, reader: &Reader) -> Result<Option<Problem>, PageError> {
    let store = &app.shared.store;
    let counts = store.held_counts().await?;
    let Some(since) = counts.since else {
        return Ok(None);
    };
    let issues = store.held_answers(None, KEYS_SHOWN).await?;
    let (more, more_title) = match issues.as_slice() {
        [one] if counts.issues == 1 => (
            crate::panel::path(&one.site, &one.key),
            "The panel of the issue",
        ),
        _ => (
            format!("/deliveries?outcome=effect:{}", EffectState::Held.as_str()),
            "The deliveries",
        ),
    };
    let keys: Vec<&str> = issues.iter().map(|of| of.key.as_str()).collect();
    Ok(Some(Problem {
        state: Lozenge::new(Tone::Warn, "held"),
        title: if counts.answers == 1 {
            "An answer to a customer waits for a person".to_owned()
        } else {
            "Answers to customers wait for a person".to_owned()
        },
        cause: "Intercom did not say whether it took the answer, and it was not found there. An \
                answer is not sent again by itself: the customer would read it twice."
            .to_owned(),
        extent: format!(
            "{} waiting, at {}.",
            are(counts.answers, "answer"),
            listed(&keys, counts.issues)
        ),
        mend: "An agent looks into the conversation, and says below or on the issue's panel that \
               it arrived, or has it sent again."
            .to_owned(),
        since: Some(reader.when(since)),
        last: None,
        more,
        more_title,
    }))
}

/// These, and how many there are besides.
fn listed(keys: &[&str], issues: i64) -> String {
    let shown = keys.join(", ");
    let named = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    match issues.saturating_sub(named) {
        ..=0 => shown,
        1 => format!("{shown} and 1 more issue"),
        more => format!("{shown} and {more} more issues"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issues_are_named_and_then_counted() {
        assert_eq!(listed(&["ENG-1"], 1), "ENG-1");
        let keys = ["ENG-1", "ENG-2"];
        assert_eq!(listed(&keys, 2), "ENG-1, ENG-2");
        assert_eq!(listed(&keys, 3), "ENG-1, ENG-2 and 1 more issue");
        assert_eq!(listed(&keys, 1_200), "ENG-1, ENG-2 and 1198 more issues");
    }
}
