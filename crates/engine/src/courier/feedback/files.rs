//! Copying the files of a message. Their addresses are signed and end soon, so the message is read
//! again for fresh ones at each attempt. Doing it twice does no harm.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bowline_domain::feedback::ids::PartId;
use bowline_domain::ids::ConversationId;
use bowline_intercom::feedback::File;
use bowline_net::{ErrorKind, Request, SendFailure};
use bowline_store::feedback::FileDraft;
use bowline_store::model::Ending;
use http::{HeaderMap, Method};
use url::Url;

use super::confirmed;
use crate::backoff;
use crate::courier::{Courier, REFUSALS_MAX, Stop};
use crate::registry::Workspace;

/// The largest file that is copied, in bytes. Of a larger one the name is kept.
const FILE_BYTES_MAX: usize = 5 * 1024 * 1024;

/// Files of one message that are copied at most. Intercom takes 10.
const FILES_MAX: usize = 10;

/// The longest name that is kept, in characters.
const NAME_CHARS_MAX: usize = 200;

/// How long one file may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// Copies the files of a message.
pub(super) async fn copy(
    courier: &Courier<'_>,
    far: &Workspace,
    conversation: &ConversationId,
    part: &PartId,
) -> Result<Ending, Stop> {
    let reading = far.client.tagged_conversation(conversation.as_str());
    let read = match courier.call(&far.standing, reading).await {
        Ok(read) => read,
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => {
            let reason = format!("The conversation is no more. ({error})");
            return Err(Stop(Ending::Dropped { reason }));
        }
        Err(error) => return Err(courier.remote_failed(&far.standing, &error, false).await),
    };
    let message = std::iter::once(&read.source)
        .chain(&read.parts)
        .find(|message| match &message.part {
            Some(id) => id == part.as_str(),
            None => part.is_first(),
        });
    let Some(message) = message.filter(|message| !message.redacted) else {
        let reason = "The message is not shown any more.".to_owned();
        return Err(Stop(Ending::Dropped { reason }));
    };
    let mut drafts = Vec::new();
    for file in message.files.iter().take(FILES_MAX) {
        drafts.push(one(courier, file).await?);
    }
    let copied = drafts.iter().filter(|draft| draft.content.is_ok()).count();
    let detail = format!("{copied} of {} copied", message.files.len());
    let whose = (far.config.name.clone(), conversation.clone(), part.clone());
    let kept = courier.shared.store.keep_files(whose, drafts).await;
    kept.map_err(|error| courier.store_failed(&error))?;
    Ok(confirmed(None, Some(detail)))
}

async fn one(courier: &Courier<'_>, file: &File) -> Result<FileDraft, Stop> {
    let content = fetch(courier, file).await?;
    let bytes = match &content {
        Ok(content) => i64::try_from(content.len()).unwrap_or(i64::MAX),
        Err(_) => file.size.unwrap_or_default(),
    };
    let name: String = file.name.chars().take(NAME_CHARS_MAX).collect();
    Ok(FileDraft {
        name: if name.trim().is_empty() {
            "file".to_owned()
        } else {
            name
        },
        kind: file
            .content_type
            .clone()
            .unwrap_or_else(|| "application/octet-stream".to_owned()),
        bytes,
        content: content.map(|bytes| BASE64.encode(bytes)),
    })
}

/// The content of a file, or why it is not copied. Stops what may work later.
async fn fetch(courier: &Courier<'_>, file: &File) -> Result<Result<Vec<u8>, String>, Stop> {
    let too_large = || {
        format!(
            "It is larger than {} MB, so only its name is kept.",
            FILE_BYTES_MAX / 1_048_576
        )
    };
    let limit = i64::try_from(FILE_BYTES_MAX).unwrap_or(i64::MAX);
    if file.size.is_some_and(|size| size > limit) {
        return Ok(Err(too_large()));
    }
    let url = Url::parse(&file.url).ok();
    let Some(url) = url.filter(|url| matches!(url.scheme(), "http" | "https")) else {
        return Ok(Err("Its address cannot be used.".to_owned()));
    };
    // No credentials: the address itself is signed.
    let request = Request {
        method: Method::GET,
        url,
        headers: HeaderMap::new(),
        body: None,
        deadline: DEADLINE,
    };
    let answer = async {
        let incoming = courier.shared.transport.stream(request).await?;
        incoming.read(FILE_BYTES_MAX).await
    };
    let why = match answer.await {
        Ok(answer) if answer.is_success() => return Ok(Ok(answer.body.to_vec())),
        Ok(answer) if (400..500).contains(&answer.status) && answer.status != 429 => {
            return Ok(Err(format!(
                "Its address answered {}, so only its name is kept.",
                answer.status
            )));
        }
        Ok(answer) => format!("its address answered {}", answer.status),
        Err(SendFailure::BodyTooLarge { .. }) => return Ok(Err(too_large())),
        Err(failure) => failure.to_string(),
    };
    if courier.taken.attempts >= REFUSALS_MAX {
        return Ok(Err(format!("It could not be fetched: {why}.")));
    }
    let wait = backoff::delay_ms(courier.taken.attempts, courier.shared.chance());
    let reason = format!("A file of the message could not be fetched: {why}.");
    Err(Stop(courier.later(wait, false, reason)))
}
