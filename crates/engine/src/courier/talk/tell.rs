//! Telling the agents something in an internal comment, once. A doubtful one is recognised by its
//! text, among the comments of our account that no other effect made.

use bowline_domain::audience::Audience;
use bowline_domain::messaging::text::InternalText;
use bowline_jira::CommentAudience;
use bowline_store::model::{Ending, Talk};
use bowline_text::{Doc, Inline};

use super::gather::squeezed;
use super::{comment_on, confirmed};
use crate::courier::{Courier, Stop};
use crate::planner::COMMENT;

/// Writes the internal comment.
pub(super) async fn tell(
    courier: &Courier<'_>,
    talk: &Talk,
    audience: Audience,
    text: &InternalText,
) -> Result<Ending, Stop> {
    if audience != Audience::Internal {
        let reason = "Only internal text may be told to the agents.".to_owned();
        return Err(Stop(Ending::Rejected { reason }));
    }
    let site = courier.site_of(talk)?;
    let (issue, _) = courier.issue_of(talk)?;
    if courier.taken.doubtful {
        let wanted = squeezed(text.as_str());
        let same = |there: &str| there == wanted;
        if let Some(id) = super::find_comment(courier, &site, issue.as_str(), same).await? {
            let detail = "It was there already; it was found and not written again.";
            return Ok(confirmed(Some(format!("{COMMENT}{id}")), Some(detail)));
        }
    }
    let body = Doc::paragraph(vec![Inline::text(text.as_str())]);
    let comment = (&body, CommentAudience::Internal);
    let made = comment_on(courier, &site, issue.as_str(), comment).await;
    match made {
        Ok(id) => Ok(confirmed(Some(format!("{COMMENT}{id}")), None)),
        Err(error) => Err(courier
            .remote_failed(&site.standing, &error, courier.taken.doubtful)
            .await),
    }
}
