//! Attaching a file of the end user's to the issue, once. It has a name of its own there, by which a
//! doubtful one is recognised.

use bowline_domain::messaging::inbound::Media;
use bowline_net::ErrorKind;
use bowline_store::model::{Ending, Talk};

use super::confirmed;
use crate::channel::words;
use crate::courier::{Courier, REFUSALS_MAX, Stop};
use crate::planner::TalkEvent;

/// The largest file that is taken over, in bytes: what Jira takes unless it is configured
/// otherwise is less on Data Center (10 MB), more on Cloud (1 GB).
const FILE_BYTES_MAX: u64 = 50 * 1024 * 1024;

/// Fetches the file with the account's key and attaches it.
pub(super) async fn attach(
    courier: &Courier<'_>,
    talk: &Talk,
    media: &Media,
) -> Result<Ending, Stop> {
    let site = courier.site_of(talk)?;
    let (issue, _) = courier.issue_of(talk)?;
    let account = courier.account_of(&talk.whose)?;
    let name = media.name.as_deref().unwrap_or(&media.kind);
    if courier.taken.doubtful {
        let call = site.client.attachments(issue.as_str());
        let there = courier.ask_jira(&site, call).await?;
        if let Some(file) = there.iter().find(|file| file.file_name == name) {
            let detail = "It was there already; it was found and not attached again.";
            return Ok(confirmed(Some(format!("file:{}", file.id)), Some(detail)));
        }
    }
    let Some(remote) = words::remote_media(media) else {
        return missing(courier, talk, name, "its address is not known.").await;
    };
    let fetched = async {
        let stream = account
            .provider
            .fetch_media(&remote, FILE_BYTES_MAX)
            .await?;
        let content_type = stream.content_type.clone();
        Ok((content_type, stream.collect().await?))
    };
    let (content_type, bytes) = match fetched.await {
        Ok(fetched) => fetched,
        Err(error) => {
            let error: bowline_net::ApiError = error;
            let gone = matches!(
                error.kind,
                ErrorKind::NotFound | ErrorKind::Gone | ErrorKind::Data | ErrorKind::Permission
            );
            if gone || courier.taken.attempts >= REFUSALS_MAX {
                return missing(courier, talk, name, &format!("{error}.")).await;
            }
            return Err(courier
                .remote_failed(&account.standing, &error, false)
                .await);
        }
    };
    let kind = content_type
        .or_else(|| media.content_type.clone())
        .unwrap_or_else(|| "application/octet-stream".to_owned());
    let call = site.client.attach(issue.as_str(), name, &kind, &bytes);
    match courier.call(&site.standing, call).await {
        Ok(file) => Ok(confirmed(Some(format!("file:{}", file.id)), None)),
        Err(error) if matches!(error.kind, ErrorKind::Data | ErrorKind::Permission) => {
            missing(courier, talk, name, &format!("{error}.")).await
        }
        Err(error) => Err(courier.remote_failed(&site.standing, &error, false).await),
    }
}

/// The file cannot be had or is not taken: the agents are told.
async fn missing(
    courier: &Courier<'_>,
    talk: &Talk,
    name: &str,
    reason: &str,
) -> Result<Ending, Stop> {
    let told = TalkEvent::FileMissing {
        generation: talk.whose.generation,
        name: name.to_owned(),
        reason: reason.to_owned(),
    };
    courier.tell_planner(&talk.whose, &told).await?;
    Err(Stop(Ending::Rejected {
        reason: reason.to_owned(),
    }))
}
