//! Conversations and products, made in few words.

use crate::feedback::capture::{Asked, Capture, capture};
use crate::feedback::ids::{ContactId, PartId, ProductId, TagId, TicketId};
use crate::feedback::product::{Product, ProductSettings, WatchedTag};
use crate::feedback::seen::{AuthorKind, SeenConversation, SeenMessage};
use crate::feedback::ticket::{AppliedTag, KnownTicket};
use crate::ids::ConversationId;
use crate::time::Millis;

/// When the products were switched on.
pub(super) const SWITCHED_ON: Millis = Millis(1_000_000);

/// Tags as they are put on after that, unless a test says otherwise.
pub(super) const LATER: Millis = Millis(1_500_000);

pub(super) fn product(id: i64, tags: &[&str]) -> Product {
    Product {
        id: ProductId(id),
        workspace: "acme".into(),
        name: format!("Product {id}"),
        on: true,
        declared: false,
        settings: ProductSettings::default(),
        tags: tags
            .iter()
            .map(|tag| WatchedTag {
                tag: TagId::new(*tag),
                name: format!("tag {tag}"),
                since: SWITCHED_ON,
                gone_at: None,
            })
            .collect(),
    }
}

pub(super) fn tag(id: &str, at: Option<Millis>) -> AppliedTag {
    AppliedTag {
        tag: TagId::new(id),
        name: format!("tag {id}"),
        at,
        by: Some("991".to_owned()),
    }
}

pub(super) fn message(part: &str, kind: AuthorKind, tags: &[&str]) -> SeenMessage {
    SeenMessage {
        part: PartId::new(part),
        kind,
        contact: (kind == AuthorKind::Customer).then(|| ContactId::new("c-1")),
        name: Some("Noa".to_owned()),
        email: None,
        text: format!("says {part}"),
        at: Millis(1_100_000),
        tags: tags.iter().map(|id| tag(id, Some(LATER))).collect(),
        files: 0,
        redacted: false,
        internal: false,
    }
}

pub(super) fn customer(part: &str, tags: &[&str]) -> SeenMessage {
    message(part, AuthorKind::Customer, tags)
}

pub(super) fn ours(part: &str, tags: &[&str]) -> SeenMessage {
    message(part, AuthorKind::Ours, tags)
}

/// A conversation of these messages, with the tags of the messages and these of the whole.
pub(super) fn conversation(messages: Vec<SeenMessage>, whole: &[&str]) -> SeenConversation {
    let mut tags: Vec<AppliedTag> = messages
        .iter()
        .flat_map(|message| message.tags.clone())
        .collect();
    tags.extend(whole.iter().map(|id| tag(id, Some(LATER))));
    SeenConversation {
        id: ConversationId::new("215"),
        tags,
        messages,
        contacts: vec![ContactId::new("c-1")],
        cut: false,
    }
}

/// What is known after a capture was recorded, as the store does it.
pub(super) fn recorded(mut known: Vec<KnownTicket>, capture: &Capture) -> Vec<KnownTicket> {
    for made in &capture.made {
        let there = known
            .iter()
            .any(|ticket| ticket.product == made.product && ticket.part == made.part);
        assert!(!there, "a second ticket for {:?}", made.part);
        let id = i64::try_from(known.len()).unwrap() + 1;
        known.push(KnownTicket {
            id: TicketId(id),
            product: made.product,
            part: made.part.clone(),
            level: made.level,
            tags: made
                .tags
                .iter()
                .map(|tag| (tag.tag.clone(), false))
                .collect(),
            erased: false,
            transcript: made.transcript.clone(),
        });
    }
    for ticket in &mut known {
        for (_, tag) in capture.tagged.iter().filter(|(id, _)| *id == ticket.id) {
            ticket.tags.retain(|(known, _)| *known != tag.tag);
            ticket.tags.push((tag.tag.clone(), false));
        }
        for (_, tag) in capture.untagged.iter().filter(|(id, _)| *id == ticket.id) {
            for (known, taken_off) in &mut ticket.tags {
                *taken_off |= known == tag;
            }
        }
        ticket.erased |= capture.redacted.contains(&ticket.id);
        for (_, lines) in capture
            .transcripts
            .iter()
            .filter(|(id, _)| *id == ticket.id)
        {
            ticket.transcript.clone_from(lines);
        }
        if ticket.erased {
            ticket.transcript.clear();
        }
    }
    known
}

/// Captures and records.
pub(super) fn step(
    products: &[Product],
    seen: &SeenConversation,
    known: Vec<KnownTicket>,
) -> (Capture, Vec<KnownTicket>) {
    let captured = capture(products, seen, &known, &Asked::default());
    let known = recorded(known, &captured);
    (captured, known)
}
