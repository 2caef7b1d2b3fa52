//! The writes of feedback. A note is recognised by its marker; copying files does no harm twice; an
//! issue is looked for before it is made again.

mod files;
mod issue;
mod note;

use std::sync::Arc;

use bowline_domain::feedback::act::FeedbackAct;
use bowline_domain::ids::WorkspaceName;
use bowline_store::model::Ending;

use super::{Courier, MENDING_WAIT_MS, PROBE_WAIT_MS, Stop};
use crate::registry::Workspace;

pub(crate) use issue::TICKET_PROPERTY;

/// Makes one write of feedback.
pub(super) async fn make(courier: &Courier<'_>, act: &FeedbackAct) -> Result<Ending, Stop> {
    match act {
        FeedbackAct::Note {
            workspace,
            conversation,
            audience,
            html,
            wake_snoozed,
        } => {
            let far = courier.workspace(workspace)?;
            let how = (*audience, *wake_snoozed);
            note::post(courier, &far, conversation, html, how).await
        }
        FeedbackAct::SnoozeAgain {
            workspace,
            conversation,
            until_unix_s,
        } => {
            let far = courier.workspace(workspace)?;
            note::snooze_again(courier, &far, conversation, *until_unix_s).await
        }
        FeedbackAct::CopyFiles {
            workspace,
            conversation,
            part,
        } => {
            let far = courier.workspace(workspace)?;
            files::copy(courier, &far, conversation, part).await
        }
        FeedbackAct::CreateIssue {
            ticket,
            site,
            project,
            issue_type,
            summary,
            text,
            url,
        } => {
            let wanted = issue::Wanted {
                ticket: *ticket,
                site,
                project,
                issue_type,
                summary,
                text,
                url,
            };
            issue::create(courier, &wanted).await
        }
    }
}

impl Courier<'_> {
    /// The workspace, if it may be worked with now: reached, and known to be the one that is meant.
    fn workspace(&self, name: &WorkspaceName) -> Result<Arc<Workspace>, Stop> {
        let doubtful = self.taken.doubtful;
        let registry = self.shared.registry();
        let Some(found) = registry.workspaces.get(name) else {
            let reason = format!(
                "The workspace “{name}” is not configured any more. The effect waits; configure \
                 the workspace again to have it made."
            );
            return Err(Stop(self.later(MENDING_WAIT_MS, doubtful, reason)));
        };
        if !found.standing.works() {
            let reason = found.standing.known().reason.unwrap_or_default();
            return Err(Stop(self.later(0, doubtful, reason)));
        }
        if !found.standing.proven() {
            self.shared.probe.notify_waiters();
            let reason = "The workspace was not reached yet.".to_owned();
            return Err(Stop(self.later(PROBE_WAIT_MS, doubtful, reason)));
        }
        Ok(Arc::clone(found))
    }
}

/// A confirmed ending.
fn confirmed(remote_id: Option<String>, detail: Option<String>) -> Ending {
    Ending::Confirmed { remote_id, detail }
}
