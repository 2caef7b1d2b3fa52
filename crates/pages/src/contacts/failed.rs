//! A copy of contacts that failed, for as long as no later one made up for it.

use bowline_domain::time::Millis;
use bowline_engine::contacts::ContactSetting;
use bowline_store::contacts::{Run, RunKind};

use crate::App;
use crate::component::{Lozenge, Tone};
use crate::error::PageError;
use crate::problems::Problem;
use crate::reader::{Reader, When};

/// What failed, in words.
pub(super) struct Failed {
    pub(super) kind: RunKind,
    pub(super) at: When,
    pub(super) ended_at: Millis,
    /// What happened.
    pub(super) cause: String,
    /// What it means.
    pub(super) meaning: &'static str,
    /// Who can mend it, and how.
    pub(super) mend: &'static str,
}

impl Failed {
    fn of(reader: &Reader, run: Run) -> Self {
        let (meaning, mend) = match run.kind {
            RunKind::Copy => (
                "Contacts that it did not come to are as they were before, or not here yet.",
                "Who administers what is named there mends it. Then an administrator of Bowline \
                 opens Contacts, Integration settings, and presses “Copy everything again”.",
            ),
            RunKind::Mend => (
                "What no webhook told may still differ from Intercom.",
                "Who administers what is named there mends it. Then an administrator of Bowline \
                 opens Contacts, Integration settings, and has it compared or copied again.",
            ),
            RunKind::Sweep => (
                "What no webhook told of the last days may be missing here.",
                "Who administers what is named there mends it. It is looked again after a day by \
                 itself, or at once when an administrator of Bowline opens Contacts, Integration \
                 settings, and presses “Copy everything again”.",
            ),
        };
        let ended_at = run.ended_at.unwrap_or(run.began_at);
        Self {
            kind: run.kind,
            at: reader.when(ended_at),
            ended_at,
            cause: run.waiting.unwrap_or_default(),
            meaning,
            mend,
        }
    }

    /// What failed, as a word for it.
    pub(super) fn what(&self) -> &'static str {
        match self.kind {
            RunKind::Copy => "copy",
            RunKind::Mend => "comparison",
            RunKind::Sweep => "look for changes",
        }
    }
}

/// The failure that stands, if copying is on and there is one since it was switched on.
pub(super) async fn of_setting(
    app: &App,
    reader: &Reader,
    setting: &ContactSetting,
) -> Result<Option<Failed>, PageError> {
    if !setting.on {
        return Ok(None);
    }
    let Some(since) = setting.sync.since else {
        return Ok(None);
    };
    let failed = app.shared.store.failed_run(&setting.workspace).await?;
    let failed = failed.filter(|run| run.began_at >= since);
    Ok(failed.map(|run| Failed::of(reader, run)))
}

/// Those of all workspaces, among the problems.
pub(crate) async fn problems(app: &App, reader: &Reader) -> Result<Vec<Problem>, PageError> {
    let mut problems = Vec::new();
    for setting in app.shared.contact_settings().await? {
        let Some(failed) = of_setting(app, reader, &setting).await? else {
            continue;
        };
        let title = match failed.kind {
            RunKind::Copy => format!("Copying the contacts of “{}” failed", setting.workspace),
            RunKind::Mend => format!(
                "Comparing the contacts of “{}” with Intercom's list failed",
                setting.workspace
            ),
            RunKind::Sweep => format!(
                "Looking for changed contacts of “{}” failed",
                setting.workspace
            ),
        };
        problems.push(Problem {
            state: Lozenge::new(Tone::Bad, "failed"),
            title,
            cause: failed.cause,
            extent: failed.meaning.to_owned(),
            mend: failed.mend.to_owned(),
            since: Some(failed.at),
            last: None,
            more: "/contacts/settings".to_owned(),
            more_title: "Integration settings",
        });
    }
    Ok(problems)
}
