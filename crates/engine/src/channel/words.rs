//! From the provider's words to ours and back.

use bowline_domain::ids::EventId;
use bowline_domain::messaging::act::ApprovedMessage;
use bowline_domain::messaging::delivery::Delivery;
use bowline_domain::messaging::end_user::{Identity, IdentityKind};
use bowline_domain::messaging::ids::{ChannelId, MessageId, RemoteConversationId};
use bowline_domain::messaging::inbound::{Inbound, Media, Route, Within};
use bowline_domain::messaging::platform::Platform;
use bowline_domain::time::Millis;
use bowline_messagebird as far;

/// What a person is known by.
pub(crate) fn identities(person: &far::Sender) -> Vec<Identity> {
    let contact = person.contact.as_ref().map(|id| Identity {
        kind: IdentityKind::Contact,
        value: id.as_str().to_owned(),
    });
    person
        .identities
        .iter()
        .map(identity)
        .chain(contact)
        .collect()
}

fn identity(one: &far::Identity) -> Identity {
    Identity {
        kind: match one.kind {
            far::IdentityKind::Phone => IdentityKind::Phone,
            far::IdentityKind::WhatsAppUser => IdentityKind::WhatsappUser,
            far::IdentityKind::Email => IdentityKind::Email,
            far::IdentityKind::Contact => IdentityKind::Contact,
            far::IdentityKind::Other => IdentityKind::Other,
        },
        value: one.value.clone(),
    }
}

/// Where a message goes.
pub(crate) fn destination(route: &Route) -> far::Destination {
    let kind = match route.to.kind {
        IdentityKind::Phone => far::IdentityKind::Phone,
        IdentityKind::WhatsappUser => far::IdentityKind::WhatsAppUser,
        IdentityKind::Email => far::IdentityKind::Email,
        IdentityKind::Contact => far::IdentityKind::Contact,
        IdentityKind::Other => far::IdentityKind::Other,
    };
    far::Destination {
        channel: far::ChannelId::new(route.channel.as_str()),
        conversation: route.conversation.as_ref().map(remote_conversation),
        to: far::Identity {
            kind,
            value: route.to.value.clone(),
        },
    }
}

/// The provider's conversation in the provider's words.
pub(crate) fn remote_conversation(id: &RemoteConversationId) -> far::RemoteConversationId {
    far::RemoteConversationId::new(id.as_str())
}

fn platform(platform: &far::Platform) -> Platform {
    match platform {
        far::Platform::WhatsApp => Platform::Whatsapp,
        far::Platform::Sms => Platform::Sms,
        far::Platform::Messenger => Platform::Other("facebook".to_owned()),
        other => Platform::Other(other.to_string().to_lowercase()),
    }
}

/// A message of an end user; `None` if it does not say who sent it.
pub(crate) fn inbound(
    message: &far::Message,
    (received_at, event): (Millis, EventId),
) -> Option<Inbound> {
    // The platform's own name for the person comes first: by it the answer goes.
    let to = message.person.identities.first().map(identity);
    let identities = identities(&message.person);
    let to = to.or_else(|| identities.first().cloned())?;
    let (text, media, unsupported) = content(&message.content);
    Some(Inbound {
        message: MessageId::new(message.id.as_str()),
        sent_at: message.at_ms.map_or(received_at, Millis),
        received_at,
        within: Within {
            sent_ns: message.at_ns,
            arrived: event.0,
        },
        identities,
        name: message.person.name.clone(),
        route: Route {
            channel: ChannelId::new(message.channel.as_str()),
            platform: platform(&message.platform),
            to,
            conversation: message
                .conversation
                .as_ref()
                .map(|id| RemoteConversationId::new(id.as_str())),
        },
        text,
        media,
        unsupported,
    })
}

/// A platform in the provider's words.
pub(crate) fn far_platform(platform: &Platform) -> far::Platform {
    match platform {
        Platform::Whatsapp => far::Platform::WhatsApp,
        Platform::Sms => far::Platform::Sms,
        Platform::Other(word) => far::Platform::read(word),
    }
}

/// An approved message in the provider's words.
pub(crate) fn template(message: &ApprovedMessage) -> far::Template {
    far::Template {
        namespace: message.namespace.clone(),
        name: message.name.clone(),
        language: message.language.clone(),
        values: message.values.clone(),
    }
}

/// What a message says, as text, files, and what cannot be shown.
pub(crate) fn content(content: &far::Content) -> (Option<String>, Vec<Media>, Option<String>) {
    let text = |text: String| (Some(text), Vec::new(), None);
    match content {
        far::Content::Text(words) => text(words.clone()),
        far::Content::Media(file) => {
            let media = media(file);
            (file.caption.clone(), media.into_iter().collect(), None)
        }
        far::Content::Location(place) => text(location(place)),
        far::Content::Reaction {
            emoji: Some(emoji), ..
        } => text(format!("[Reaction: {emoji}]")),
        far::Content::Reaction { emoji: None, .. } => text("[Reaction taken back]".to_owned()),
        far::Content::Contacts(cards) => text(format!("[Contact: {}]", cards.join("; "))),
        far::Content::Unsupported { kind } => (None, Vec::new(), Some(kind.clone())),
    }
}

fn location(place: &far::Location) -> String {
    let named = [place.name.as_deref(), place.address.as_deref()];
    let named: Vec<&str> = named.into_iter().flatten().collect();
    let at = format!("{}, {}", place.latitude, place.longitude);
    if named.is_empty() {
        format!("[Location: {at}]")
    } else {
        format!("[Location: {} ({at})]", named.join(", "))
    }
}

fn media(file: &far::Media) -> Option<Media> {
    Some(Media {
        source: serde_json::to_string(file).ok()?,
        name: Some(
            file.file_name
                .clone()
                .unwrap_or_else(|| far::file_name_for(file.kind, file.mime_type.as_deref())),
        ),
        kind: file.kind.word().to_owned(),
        content_type: file.mime_type.clone(),
    })
}

/// The file in the provider's words, to fetch it by.
pub(crate) fn remote_media(media: &Media) -> Option<far::Media> {
    serde_json::from_str(&media.source).ok()
}

/// What a message says, in one line.
pub(crate) fn shown(what: &far::Content) -> String {
    let (text, media, unsupported) = content(what);
    let files = media.iter().map(|file| {
        bowline_domain::messaging::words::file(&file.kind, file.name.as_deref().unwrap_or("file"))
    });
    text.into_iter()
        .chain(files)
        .chain(unsupported.map(|kind| format!("[{kind}]")))
        .collect::<Vec<_>>()
        .join(" ")
}

/// How far a message got.
pub(crate) fn delivery(status: far::DeliveryStatus) -> Delivery {
    match status {
        far::DeliveryStatus::Accepted | far::DeliveryStatus::Sent => Delivery::Sent,
        far::DeliveryStatus::Failed => Delivery::Failed,
        far::DeliveryStatus::Delivered => Delivery::Delivered,
        far::DeliveryStatus::Read => Delivery::Read,
    }
}

/// Why a message did not arrive, for an agent: what happened and what to do.
pub(crate) fn failure(failure: &far::DeliveryFailure) -> String {
    let words = failure.words();
    match failure {
        far::DeliveryFailure::Other { code, words: said } if !said.is_empty() => {
            let code = code.as_ref().map(|code| format!(" ({code})"));
            format!(
                "{} The provider says: “{said}”{}. {}",
                words.what,
                code.unwrap_or_default(),
                words.how
            )
        }
        _ => format!("{} {}", words.what, words.how),
    }
}
