//! What the tags of a conversation mean: which tickets are made, marked or erased.

use std::collections::BTreeMap;

use crate::feedback::ids::{PartId, ProductId, TagId, TicketId};
use crate::feedback::product::{Product, WatchedTag};
use crate::feedback::seen::{AuthorKind, SeenConversation, SeenMessage};
use crate::feedback::ticket::{
    AppliedTag, KnownTicket, Level, Line, NewTicket, TEXT_CHARS_MAX, TITLE_CHARS_MAX,
};
use crate::outcome::Reason;
use crate::time::Millis;

/// Messages before a ticket's own in its transcript, and after it.
const LINES_BEFORE: usize = 10;
const LINES_AFTER: usize = 5;

/// The longest text of a line of a transcript, in characters.
const LINE_CHARS_MAX: usize = 1_000;

/// Intercom tells times in whole seconds, cut down: what happened within the second in which a
/// product was switched on counts, in milliseconds.
const SECOND_MS: i64 = 999;

/// What is asked besides what the conversation shows.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// A person wants tags of this product that were applied at this time or later, however old.
    pub backfill: Option<(ProductId, Millis)>,
    /// Tags that a delivery named as put on just now, with when: Intercom does not always say it
    /// where the conversation is read.
    pub told: Vec<(TagId, Millis)>,
    /// Tags that a delivery showed without a message: they are the conversation's own, or its first
    /// message's, even if another message has the same tag. Intercom does not show the tags of the
    /// first message.
    pub whole: Vec<TagId>,
}

/// What is to be recorded of a conversation's feedback.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capture {
    /// Tickets to be made.
    pub made: Vec<NewTicket>,
    /// Tags that are on a ticket's message and not recorded as such.
    pub tagged: Vec<(TicketId, AppliedTag)>,
    /// Tags that were taken off.
    pub untagged: Vec<(TicketId, TagId)>,
    /// Tickets whose message was redacted.
    pub redacted: Vec<TicketId>,
    /// Transcripts from which redacted messages were taken.
    pub transcripts: Vec<(TicketId, Vec<Line>)>,
    /// Why nothing, or not more, is recorded.
    pub reasons: Vec<Reason>,
}

impl Capture {
    /// Is there nothing to record?
    pub fn is_empty(&self) -> bool {
        self.made.is_empty()
            && self.tagged.is_empty()
            && self.untagged.is_empty()
            && self.redacted.is_empty()
            && self.transcripts.is_empty()
    }

    fn because(&mut self, reason: Reason) {
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

/// Decides what a conversation's tags mean. `products` are those of its workspace that are switched
/// on; `known` are the tickets that its messages have.
pub fn capture(
    products: &[Product],
    seen: &SeenConversation,
    known: &[KnownTicket],
    asked: &Asked,
) -> Capture {
    let mut result = Capture::default();
    for product in products.iter().filter(|product| product.on) {
        of_product(product, seen, known, asked, &mut result);
    }
    for ticket in known {
        taken_off(ticket, seen, &mut result);
        erased(ticket, seen, &mut result);
    }
    if !result.tagged.is_empty() || !result.untagged.is_empty() {
        result.because(Reason::TagsFollowed);
    }
    if !result.redacted.is_empty() || !result.transcripts.is_empty() {
        result.because(Reason::FeedbackErased);
    }
    if result.is_empty() && result.reasons.is_empty() {
        let counted = |tag: &AppliedTag| watched(products, &tag.tag).is_some();
        result.because(if seen.tags.iter().any(counted) {
            Reason::TicketKnown
        } else {
            Reason::TagNotChosen
        });
    }
    for made in &result.made {
        let product = products.iter().find(|product| product.id == made.product);
        let reason = Reason::TicketMade {
            product: product.map_or_else(String::new, |product| product.name.clone()),
        };
        if !result.reasons.contains(&reason) {
            result.reasons.push(reason);
        }
    }
    result
}

fn watched<'p>(products: &'p [Product], tag: &TagId) -> Option<&'p WatchedTag> {
    products
        .iter()
        .filter(|product| product.on)
        .flat_map(|product| &product.tags)
        .find(|watched| watched.tag == *tag)
}

/// The tags of a product that are on each message, and those that are on none.
struct Tagged<'s> {
    messages: BTreeMap<usize, Vec<&'s AppliedTag>>,
    whole: Vec<&'s AppliedTag>,
}

impl<'s> Tagged<'s> {
    fn of(product: &Product, seen: &'s SeenConversation, asked: &Asked) -> Self {
        let counts = |tag: &&AppliedTag| product.tags.iter().any(|known| known.tag == tag.tag);
        let mut messages = BTreeMap::new();
        for (index, message) in seen.messages.iter().enumerate() {
            let tags: Vec<&AppliedTag> = message.tags.iter().filter(counts).collect();
            if !tags.is_empty() {
                messages.insert(index, tags);
            }
        }
        let whole = seen
            .tags
            .iter()
            .filter(counts)
            .filter(|tag| !on_a_message(seen, &tag.tag) || asked.whole.contains(&tag.tag))
            .collect();
        Self { messages, whole }
    }
}

fn on_a_message(seen: &SeenConversation, tag: &TagId) -> bool {
    seen.messages.iter().any(|message| carries(message, tag))
}

fn carries(message: &SeenMessage, tag: &TagId) -> bool {
    message.tags.iter().any(|on_it| on_it.tag == *tag)
}

fn of_product(
    product: &Product,
    seen: &SeenConversation,
    known: &[KnownTicket],
    asked: &Asked,
    result: &mut Capture,
) {
    let own: Vec<&KnownTicket> = known
        .iter()
        .filter(|ticket| ticket.product == product.id)
        .collect();
    let tagged = Tagged::of(product, seen, asked);
    for (index, tags) in &tagged.messages {
        let part = &seen.messages[*index].part;
        match own.iter().find(|ticket| ticket.part == *part) {
            Some(ticket) => put_on(ticket, tags, result),
            None => make(product, seen, *index, Level::Message, tags, asked, result),
        }
    }
    of_whole(product, seen, &own, &tagged.whole, asked, result);
}

/// Tags that no message shows are the conversation's own, or sit on a message that is too old to be
/// shown.
fn of_whole(
    product: &Product,
    seen: &SeenConversation,
    own: &[&KnownTicket],
    tags: &[&AppliedTag],
    asked: &Asked,
    result: &mut Capture,
) {
    let unseen = |ticket: &&&KnownTicket| {
        seen.cut && seen.message(&ticket.part).is_none() && ticket.level == Level::Message
    };
    let mut left: Vec<&AppliedTag> = Vec::new();
    for tag in tags {
        let holds = |ticket: &&&KnownTicket| ticket.tags.iter().any(|(held, _)| *held == tag.tag);
        match own.iter().filter(unseen).find(holds) {
            Some(ticket) => put_on(ticket, &[tag], result),
            None => left.push(tag),
        }
    }
    if left.is_empty() {
        return;
    }
    if let Some(ticket) = own
        .iter()
        .find(|ticket| ticket.level == Level::Conversation)
    {
        put_on(ticket, &left, result);
        return;
    }
    let Some(index) = stands_for(seen) else {
        result.because(Reason::NothingFromCustomer);
        return;
    };
    let part = &seen.messages[index].part;
    let made = result
        .made
        .iter_mut()
        .find(|made| made.product == product.id && made.part == *part);
    if let Some(made) = made {
        made.tags.extend(left.into_iter().cloned());
    } else if let Some(ticket) = own.iter().find(|ticket| ticket.part == *part) {
        put_on(ticket, &left, result);
    } else {
        make(
            product,
            seen,
            index,
            Level::Conversation,
            &left,
            asked,
            result,
        );
    }
}

/// The message that stands for a conversation: the customer's first if they began it, their latest
/// if we did.
fn stands_for(seen: &SeenConversation) -> Option<usize> {
    let by_customer =
        |message: &SeenMessage| message.kind == AuthorKind::Customer && !message.internal;
    let first = seen.messages.first().filter(|_| !seen.cut || begins(seen));
    if first.is_some_and(by_customer) {
        return Some(0);
    }
    seen.messages.iter().rposition(by_customer)
}

fn begins(seen: &SeenConversation) -> bool {
    seen.messages
        .first()
        .is_some_and(|message| message.part.is_first())
}

/// Tags that are on a known ticket's message now.
fn put_on(ticket: &KnownTicket, tags: &[&AppliedTag], result: &mut Capture) {
    for tag in tags {
        let held = ticket
            .tags
            .iter()
            .any(|(held, taken_off)| *held == tag.tag && !taken_off);
        let put = (ticket.id, (*tag).clone());
        if !held && !result.tagged.contains(&put) {
            result.tagged.push(put);
        }
    }
}

fn make(
    product: &Product,
    seen: &SeenConversation,
    index: usize,
    level: Level,
    tags: &[&AppliedTag],
    asked: &Asked,
    result: &mut Capture,
) {
    let message = &seen.messages[index];
    let verdicts: Vec<Verdict> = tags.iter().map(|tag| counts(product, tag, asked)).collect();
    if !verdicts.contains(&Verdict::Counts) {
        result.because(if verdicts.contains(&Verdict::Unknown) {
            Reason::TagTimeUnknown
        } else {
            Reason::TaggedBefore {
                product: product.name.clone(),
            }
        });
        return;
    }
    if message.redacted {
        result.because(Reason::FeedbackErased);
        return;
    }
    result
        .made
        .push(new_ticket(product.id, seen, index, level, tags));
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Counts,
    Before,
    Unknown,
}

/// Was the tag put there after the product began to count it?
fn counts(product: &Product, tag: &AppliedTag, asked: &Asked) -> Verdict {
    let Some(watched) = product.tags.iter().find(|known| known.tag == tag.tag) else {
        return Verdict::Before;
    };
    let told = || {
        let told = asked.told.iter().find(|(told, _)| *told == tag.tag);
        told.map(|(_, at)| *at)
    };
    let backfill = asked
        .backfill
        .filter(|(of, _)| *of == product.id)
        .map(|(_, since)| since);
    let since = backfill.map_or(watched.since, |since| since.min(watched.since));
    match tag.at.or_else(told) {
        Some(at) if at.plus_ms(SECOND_MS) >= since => Verdict::Counts,
        Some(_) => Verdict::Before,
        None => Verdict::Unknown,
    }
}

fn new_ticket(
    product: ProductId,
    seen: &SeenConversation,
    index: usize,
    level: Level,
    tags: &[&AppliedTag],
) -> NewTicket {
    let message = &seen.messages[index];
    NewTicket {
        product,
        part: message.part.clone(),
        level,
        tags: tags.iter().map(|tag| (*tag).clone()).collect(),
        title: title(&message.text),
        text: cut(&message.text, TEXT_CHARS_MAX),
        author: name_of(message),
        by_teammate: message.kind == AuthorKind::Ours,
        contact: message
            .contact
            .clone()
            .or_else(|| seen.contacts.first().cloned()),
        said_at: message.at,
        transcript: transcript(seen, index),
        files: message.files,
    }
}

fn name_of(message: &SeenMessage) -> String {
    let known = message.name.clone().or_else(|| message.email.clone());
    known.unwrap_or_else(|| match message.kind {
        AuthorKind::Customer => "The customer".to_owned(),
        AuthorKind::Ours => "A teammate".to_owned(),
    })
}

/// The first line of a text that says something, cut at a word.
pub fn title(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.unwrap_or("(no text)");
    if line.chars().count() <= TITLE_CHARS_MAX {
        return line.to_owned();
    }
    let head: String = line.chars().take(TITLE_CHARS_MAX).collect();
    let whole = head
        .rsplit_once(' ')
        .map_or(head.as_str(), |(head, _)| head);
    format!("{whole}…")
}

/// The beginning of a text.
fn cut(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    let mut head: String = text.chars().take(chars).collect();
    head.push('…');
    head
}

/// What was said around a message. Notes among teammates are left out: not everyone who may look at
/// feedback may read them.
fn transcript(seen: &SeenConversation, index: usize) -> Vec<Line> {
    let said = |message: &&SeenMessage| {
        !message.internal && !message.redacted && !message.text.trim().is_empty()
    };
    let before = seen.messages[..index].iter().filter(said);
    let before: Vec<&SeenMessage> = before.rev().take(LINES_BEFORE).collect();
    let after = seen.messages[index + 1..].iter().filter(said);
    before
        .into_iter()
        .rev()
        .chain(after.take(LINES_AFTER))
        .map(|message| Line {
            part: message.part.clone(),
            who: name_of(message),
            customer: message.kind == AuthorKind::Customer,
            at: message.at,
            text: cut(&message.text, LINE_CHARS_MAX),
        })
        .collect()
}

/// Tags of a ticket that are not there any more. One that sat on a message that is not shown is
/// taken for there as long as the conversation has it.
fn taken_off(ticket: &KnownTicket, seen: &SeenConversation, result: &mut Capture) {
    let message = seen.message(&ticket.part);
    for (tag, _) in ticket.tags.iter().filter(|(_, taken_off)| !taken_off) {
        let on_message = message.is_some_and(|message| carries(message, tag));
        let on_whole = seen.tags.iter().any(|on_it| on_it.tag == *tag);
        let there = match (ticket.level, message) {
            (Level::Message, Some(_)) => on_message || (on_whole && !on_a_message(seen, tag)),
            (Level::Message, None) | (Level::Conversation, _) => on_message || on_whole,
        };
        if !there {
            result.untagged.push((ticket.id, tag.clone()));
        }
    }
}

/// A ticket whose message was redacted, and transcripts that hold a redacted message.
fn erased(ticket: &KnownTicket, seen: &SeenConversation, result: &mut Capture) {
    if ticket.erased {
        return;
    }
    let gone = |part: &PartId| seen.message(part).is_some_and(|message| message.redacted);
    if gone(&ticket.part) {
        result.redacted.push(ticket.id);
        return;
    }
    if ticket.transcript.iter().any(|line| gone(&line.part)) {
        let left = ticket.transcript.iter().filter(|line| !gone(&line.part));
        result
            .transcripts
            .push((ticket.id, left.cloned().collect()));
    }
}
