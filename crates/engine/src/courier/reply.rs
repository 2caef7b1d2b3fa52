//! Answering a customer, once.
//!
//! Nothing that the customer would see marks an answer, so a doubtful one is looked for by its
//! words among what our teammate wrote through the API. One that is not found is held for a person:
//! it is never repeated by itself.

use std::time::Duration;

use bowline_domain::audience::Audience;
use bowline_domain::connection::Connection;
use bowline_intercom::{Conversation, Part};
use bowline_store::model::Ending;

use super::{Courier, Far, Stop};

/// Between the two looks at a conversation in which a doubtful answer was not found.
const SECOND_LOOK: Duration = Duration::from_secs(2);

/// Kinds of parts that may carry an answer to the customer.
const ANSWERS: [&str; 4] = ["comment", "open", "close", "assignment"];

/// Answers, unless an earlier attempt may have.
pub(super) async fn reply(
    courier: &Courier<'_>,
    far: &Far<'_>,
    audience: Audience,
    html: &str,
) -> Result<Ending, Stop> {
    if audience != Audience::Customer {
        let reason = "Only text for the customer may be sent as an answer.".to_owned();
        return Err(Stop(Ending::Rejected { reason }));
    }
    if courier.taken.doubtful {
        return doubtful(courier, far, html).await;
    }
    let conversation = far.conversation.as_str();
    let sending = far.workspace.client.reply(conversation, &far.actor, html);
    match courier.call(&far.standing, sending).await {
        Ok(after) => {
            let newest = candidates(&after, &far.actor, html).last();
            Ok(Ending::Confirmed {
                remote_id: newest.map(|part| part.id.clone()),
                detail: None,
            })
        }
        Err(error) => Err(courier.failed(far, error, false).await),
    }
}

/// An attempt before this one may have reached the customer: it is looked for, twice, and held if
/// it is not found.
async fn doubtful(courier: &Courier<'_>, far: &Far<'_>, html: &str) -> Result<Ending, Stop> {
    for look in 0..2 {
        if look > 0 {
            tokio::time::sleep(SECOND_LOOK).await;
        }
        let conversation = courier.read(far).await?;
        for part in candidates(&conversation, &far.actor, html) {
            if !is_known(courier, far, &part.id).await? {
                let detail = "It was there already; it was found and not sent again.".to_owned();
                return Ok(Ending::Confirmed {
                    remote_id: Some(part.id.clone()),
                    detail: Some(detail),
                });
            }
        }
    }
    let reason = "It is not known whether the customer got it, and it was not found in Intercom.";
    Err(Stop(Ending::Held {
        reason: reason.to_owned(),
    }))
}

/// The parts that may be this answer, the oldest first.
fn candidates<'c>(
    conversation: &'c Conversation,
    actor: &'c str,
    html: &str,
) -> impl Iterator<Item = &'c Part> + use<'c> {
    let wanted = letters(html);
    conversation.parts.iter().filter(move |part| {
        let by_us = part.author.kind == "admin" && part.author.id.as_deref() == Some(actor);
        let says = part.body.as_deref().map(letters);
        by_us
            && part.app_package_code.is_some()
            && ANSWERS.contains(&part.part_type.as_str())
            && !part.id.is_empty()
            && says.as_ref() == Some(&wanted)
    })
}

/// Is it another answer of ours, which says the same?
async fn is_known(courier: &Courier<'_>, far: &Far<'_>, part: &str) -> Result<bool, Stop> {
    let connection = Connection::Workspace(far.workspace.config.name.clone());
    let known = courier.shared.store.is_ours(&connection, part).await;
    known.map_err(|error| courier.store_failed(&error))
}

/// The letters and digits of a text, whatever its formatting: Intercom writes HTML in its own way.
fn letters(html: &str) -> String {
    let mut letters = String::new();
    let mut rest = html;
    loop {
        let end = rest.find(['<', '&']).unwrap_or(rest.len());
        letters.extend(
            rest[..end]
                .chars()
                .filter(|letter| letter.is_alphanumeric()),
        );
        rest = &rest[end..];
        let (Some(first), close) = (rest.chars().next(), rest.find(['>', ';'])) else {
            return letters;
        };
        let close = match (first, close) {
            ('<', _) => rest.find('>'),
            // A name of a character is short; anything else is an ampersand of its own.
            (_, Some(at)) if at <= 10 => Some(at),
            _ => Some(0),
        };
        rest = close.map_or("", |at| &rest[at + 1..]);
    }
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn the_same_words_are_the_same_however_they_are_written() {
        let ours = letters("<p>It&#39;s fixed &amp; out: v2.<br>Thanks, R&eacute;mi</p>");
        assert_eq!(ours, "Itsfixedoutv2ThanksRmi");
        let theirs = letters(
            "<p class=\"no-margin\">It&apos;s fixed &amp; out: v2.<br />\nThanks, R&eacute;mi</p>",
        );
        assert_eq!(ours, theirs);
        for odd in ["a < b", "a & b", "<", "&", "x;y"] {
            letters(odd);
        }
    }
}
