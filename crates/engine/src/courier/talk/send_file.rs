//! Giving the provider an agent's file before it is sent: the file is fetched from Jira with our own
//! credentials, so that no address of Jira's leaves. Giving it again does no harm: what is not sent
//! is thrown away there.

use std::sync::Arc;

use bowline_domain::ids::CommentId;
use bowline_domain::messaging::act::AgentFile;
use bowline_domain::messaging::delivery::Delivery;
use bowline_domain::messaging::inbound::Route;
use bowline_messagebird::{MediaKind, Outgoing, OutgoingMedia};
use bowline_net::{ApiError, ErrorKind};
use bowline_store::model::{Ending, Talk};

use super::send::not_sent;
use crate::channel::words;
use crate::courier::{Courier, LOOK_AFTER_MS, REFUSALS_MAX, Stop};
use crate::planner::files_of;
use crate::registry::Account;

/// The largest file that is sent, in bytes, where the provider does not say less: it is held in
/// memory once.
const FILE_BYTES_MAX: u64 = 50 * 1024 * 1024;

/// The largest picture that is sent as one, in bytes (Meta: 5 MB); a larger one is sent as a file.
const PICTURE_BYTES_MAX: usize = 5_000_000;

/// The largest sound or film that is sent as one, in bytes (Meta: 16 MB).
const FILM_BYTES_MAX: usize = 16_000_000;

/// Fetches the file and gives it to the provider, if its comment still shows it.
pub(super) async fn given(
    courier: &Courier<'_>,
    talk: &Talk,
    account: &Arc<Account>,
    (route, comment): (&Route, Option<&CommentId>),
    file: &AgentFile,
) -> Result<Outgoing, Stop> {
    let shown = match comment {
        Some(comment) => files_of(courier.shared, talk, comment).await,
        None => Ok(Vec::new()),
    };
    let shown = match shown {
        Ok(shown) => shown,
        Err(trouble) => return Err(courier.not_read(&trouble).await),
    };
    if !shown.iter().any(|one| one.id == file.id) {
        let reason = "The comment does not show the file any more.";
        return Err(not_sent(courier, talk, reason).await);
    }
    let to = words::destination(route);
    let can = account
        .provider
        .capabilities(&words::far_platform(&route.platform));
    let limit = can
        .max_media_bytes
        .unwrap_or(FILE_BYTES_MAX)
        .min(FILE_BYTES_MAX);
    let site = courier.site_of(talk)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let fetched = site.client.fetch_file(&file.id, limit);
    let bytes = match courier.call(&site.standing, fetched).await {
        Ok(bytes) => bytes,
        Err(error) if is_for_good(courier, &error) => {
            return Err(unsendable(courier, talk, &error).await);
        }
        Err(error) => return Err(courier.remote_failed(&site.standing, &error, false).await),
    };
    let mime_type = mime_type(&file.name);
    let kind = kind(mime_type, bytes.len());
    let upload = account
        .provider
        .upload(&to.channel, &file.name, mime_type, bytes);
    match courier.call(&account.standing, upload).await {
        Ok(upload) => Ok(Outgoing::Media(OutgoingMedia {
            upload,
            kind,
            caption: None,
            file_name: Some(file.name.clone()),
        })),
        Err(error) if is_for_good(courier, &error) => Err(unsendable(courier, talk, &error).await),
        // Nothing was sent, whatever became of the upload.
        Err(error) if error.kind == ErrorKind::UnknownOutcome => {
            Err(Stop(courier.later(LOOK_AFTER_MS, false, error.to_string())))
        }
        Err(error) => Err(courier
            .remote_failed(&account.standing, &error, false)
            .await),
    }
}

/// Will it be refused however often it is tried?
fn is_for_good(courier: &Courier<'_>, error: &ApiError) -> bool {
    let refused = matches!(
        error.kind,
        ErrorKind::NotFound | ErrorKind::Gone | ErrorKind::Data | ErrorKind::Permission
    );
    refused || (error.kind != ErrorKind::Auth && courier.taken.attempts >= REFUSALS_MAX)
}

/// The file cannot be had or is not taken: the agents are told.
async fn unsendable(courier: &Courier<'_>, talk: &Talk, error: &ApiError) -> Stop {
    let reason = format!("The file could not be sent: {error}.");
    let told = courier
        .outcome(&talk.whose, Delivery::Failed, &reason)
        .await;
    match told {
        Ok(()) => Stop(Ending::Rejected { reason }),
        Err(stop) => stop,
    }
}

/// The type of a file by its name: what Jira says of it is what its uploader said.
fn mime_type(name: &str) -> &'static str {
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref() {
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("mp4") => "video/mp4",
        Some("3gp") => "video/3gpp",
        Some("mp3") => "audio/mpeg",
        Some("m4a") => "audio/mp4",
        Some("aac") => "audio/aac",
        Some("ogg") => "audio/ogg",
        Some("pdf") => "application/pdf",
        Some("txt" | "log") => "text/plain",
        Some("doc") => "application/msword",
        Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Some("xls") => "application/vnd.ms-excel",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some("ppt") => "application/vnd.ms-powerpoint",
        Some("pptx") => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        _ => "application/octet-stream",
    }
}

/// What it is sent as: what is too large for a picture or a film goes as a file.
fn kind(mime_type: &str, bytes: usize) -> MediaKind {
    match mime_type.split('/').next() {
        Some("image") if bytes <= PICTURE_BYTES_MAX => MediaKind::Image,
        Some("video") if bytes <= FILM_BYTES_MAX => MediaKind::Video,
        Some("audio") if bytes <= FILM_BYTES_MAX => MediaKind::Audio,
        _ => MediaKind::File,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_sent_as_what_its_name_says_and_its_size_allows() {
        for (name, bytes, want) in [
            ("router.PNG", 10, MediaKind::Image),
            ("router.png", PICTURE_BYTES_MAX + 1, MediaKind::File),
            ("film.mp4", 10, MediaKind::Video),
            ("word.mp3", 10, MediaKind::Audio),
            ("manual.pdf", 10, MediaKind::File),
            ("page.html", 10, MediaKind::File),
            ("png", 10, MediaKind::File),
        ] {
            assert_eq!(kind(mime_type(name), bytes), want, "{name}");
        }
    }
}
