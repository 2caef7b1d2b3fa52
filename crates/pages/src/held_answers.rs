//! Answers to customers in Intercom of which nobody knows whether they arrived: a person decides.

use bowline_domain::effect::Act;
use bowline_store::model::EffectView;

use crate::App;
use crate::error::PageError;
use crate::reader::{Reader, When};

/// Answers that are listed at once. All of an issue stand on its panel.
const LISTED: usize = 20;

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

/// The answers to decide about, and how many there are besides.
pub(crate) async fn held(app: &App, reader: &Reader) -> Result<(Vec<HeldOfIssue>, i64), PageError> {
    let store = &app.shared.store;
    let mut all = Vec::new();
    let issues = store.held_answers().await?;
    let waiting: i64 = issues.iter().map(|of| of.count).sum();
    for of in issues {
        let Some(issue) = store.issue_by_key(&of.site, &of.key).await? else {
            continue;
        };
        let panel = crate::panel::path(&of.site, &of.key);
        let views = store.held_of(&of.site, &issue).await?;
        let answers = views.iter();
        let answers = answers.filter_map(|view| HeldAnswer::of(app, reader, view));
        all.extend(answers.map(|answer| HeldOfIssue {
            issue: of.key.clone(),
            panel: panel.clone(),
            answer,
        }));
        if all.len() >= LISTED {
            all.truncate(LISTED);
            break;
        }
    }
    let listed = i64::try_from(all.len()).unwrap_or(i64::MAX);
    Ok((all, (waiting - listed).max(0)))
}
