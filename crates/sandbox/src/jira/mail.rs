//! Mail that the site would send: nobody gets any, but it is counted, so that a test can see which
//! write would have troubled whom.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::common::clock::now_ms;

use super::model::User;
use super::state::State;

/// One mail to one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Account id of the receiver.
    pub to: String,
    /// Account id of the one whose write caused it.
    pub by: String,
    /// Key of the issue at that time.
    pub issue: String,
    /// What happened: `issue_created`, `comment_created`, `comment_updated`, or the kind of update.
    pub event: String,
    /// The comment it is about.
    pub comment: Option<u64>,
}

impl State {
    /// Does something of which nobody is told by mail.
    pub(crate) fn without_mail<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.mailing, false);
        let result = act(self);
        self.mailing = before;
        result
    }

    /// Mails everybody who follows an issue and may see what happened, but for the one who did it.
    /// Portal customers hear of their request, its public comments and its end only.
    pub(crate) fn mail(&mut self, by: &Arc<User>, id: u64, event: &str, comment: Option<u64>) {
        let Some(issue) = self.issue(id).filter(|_| self.mailing) else {
            return;
        };
        let shown = comment.and_then(|comment| issue.comments.get(&comment));
        let mut receivers: BTreeSet<String> = issue.watchers.clone();
        receivers.insert(issue.reporter.account_id.clone());
        receivers.extend(issue.assignee.iter().map(|user| user.account_id.clone()));
        if let Some(request) = &issue.request {
            receivers.extend(request.participants.iter().cloned());
        }
        receivers.remove(&by.account_id);
        let finished = issue.resolved_ms.is_some() && event != "comment_created";
        let mails: Vec<Mail> = receivers
            .into_iter()
            .filter(|account| {
                let Some(user) = self.user(account) else {
                    return false;
                };
                let sees = shown.is_none_or(|comment| comment.visible_to(user));
                let concerns = event == "issue_created" || shown.is_some() || finished;
                sees && (!user.is_customer() || concerns)
            })
            .map(|to| Mail {
                at_ms: now_ms(),
                to,
                by: by.account_id.clone(),
                issue: issue.key.clone(),
                event: event.to_owned(),
                comment,
            })
            .collect();
        self.mails.extend(mails);
    }
}
