//! An issue that Jira does not show any more: deleted while nobody told us, or hidden.

use bowline_domain::happening::Happening;
use bowline_domain::ids::{IssueId, ProjectKey};
use bowline_domain::observation::Observation;
use bowline_domain::outcome::Reason;
use bowline_domain::time::Millis;
use bowline_jira as jira;
use bowline_net::{ApiError, Reply};
use bowline_store::model::Decided;

use super::catch_up::catch_up;
use super::from_jira::is_absent;
use super::observe::Reader;
use super::{Trouble, nothing};

/// The right to see a project's issues at all, as Jira calls it.
const BROWSE: &str = "BROWSE_PROJECTS";

/// May our account see the issues of a project? A project that is not shown either says no.
///
/// # Errors
/// Those of the call, but for the answer that there is no such project.
pub(crate) async fn browses(
    client: &jira::Client,
    project: &ProjectKey,
) -> Result<Reply<bool>, ApiError> {
    match client
        .my_permissions(&[BROWSE], Some(project.as_str()))
        .await
    {
        Ok(Reply { value, limits }) => Ok(Reply {
            value: value.get(BROWSE) == Some(&true),
            limits,
        }),
        Err(error) if is_absent(&error) => Ok(Reply {
            value: false,
            limits: bowline_net::Limits::default(),
        }),
        Err(error) => Err(error),
    }
}

/// Looks at an issue that was missing twice. Its links end only if it is missing now too and the
/// account still sees the project: else a permission is what is missing.
pub(super) async fn look(
    reader: &Reader<'_>,
    issue: &IssueId,
    since: Millis,
) -> Result<Decided, Trouble> {
    let read = reader
        .site
        .client
        .issue(issue.as_str(), jira::IssueRead::default());
    match reader.call(read).await {
        Ok(_) => return catch_up(reader, issue, since, &[Happening::Looked]).await,
        Err(error) if is_absent(&error) => {}
        Err(error) => return Err(reader.trouble(error)),
    }
    let happenings = [Happening::Unseen];
    let state = reader.state(issue, &happenings).await?;
    let Some(record) = &state.record else {
        return Ok(nothing(Reason::IssueGone));
    };
    let browsed = reader
        .call(browses(&reader.site.client, &record.project))
        .await;
    if !browsed.map_err(|error| reader.trouble(error))? {
        let project = record.project.to_string();
        return Ok(nothing(Reason::ProjectUnseen { project }));
    }
    reader.plan(&state, &Observation::Absent, &happenings).await
}
