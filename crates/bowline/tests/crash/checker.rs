//! The independent checker: compares the model with what the simulated platforms recorded, and
//! knows nothing of the product's own records.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use bowline::demo::World;
use bowline_sandbox::intercom::{ConversationState, PartView};
use bowline_sandbox::jira::CustomValue;

use crate::model::{Expected, Model, Presence};

/// The teammate as whom the service writes.
const APP_USER: &str = "991267459";

/// How much earlier one thing must have happened than another to be told first in any case, in
/// milliseconds, or as long as the latest delivery of the run came late, if that is longer.
/// Deliveries that a dead service did not take are sent again in no order; what happened long before
/// was told of before.
const ORDER_SLACK_MS: i64 = 15_000;

/// Faults that are listed one by one.
const LISTED_MAX: usize = 12;

/// A note of the service, as it stands in a conversation.
struct Told {
    conversation: String,
    /// Where in the conversation.
    place: usize,
    issue: String,
    marker: String,
    text: String,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Notes that had to be there.
    pub(crate) expected: usize,
    /// Of these, how many are there.
    pub(crate) found: usize,
    /// Notes that may be there and are.
    pub(crate) optional: usize,
    /// Notes that are there more than once.
    pub(crate) doubled: usize,
    /// Notes that had to be there and are not.
    pub(crate) lost: usize,
    /// Pairs of notes in another order than things happened in, although allowed.
    pub(crate) overtaken: usize,
    /// Conversations that the service re-opened, counted each time.
    pub(crate) reopened: usize,
    /// Everything that is wrong, in words.
    pub(crate) faults: Vec<String>,
}

impl Report {
    pub(crate) fn clean(&self) -> bool {
        self.faults.is_empty()
    }

    fn fault(&mut self, text: String) {
        self.faults.push(text);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "notes: {} expected, {} found, {} lost, {} doubled ({} more that may be there; {} pairs \
             overtook each other); {} re-opened",
            self.expected,
            self.found,
            self.lost,
            self.doubled,
            self.optional,
            self.overtaken,
            self.reopened
        )?;
        for fault in self.faults.iter().take(LISTED_MAX) {
            write!(f, "\n  - {fault}")?;
        }
        let more = self.faults.len().saturating_sub(LISTED_MAX);
        if more > 0 {
            write!(f, "\n  - and {more} more")?;
        }
        Ok(())
    }
}

/// Compares what had to happen with what happened.
pub(crate) fn check(world: &World, model: &Model) -> Report {
    let mut report = Report::default();
    let intercom = &world.sandbox.intercom.state;
    let mut told: Vec<Told> = Vec::new();
    for conversation in intercom.conversation_ids() {
        let parts = intercom.parts(&conversation);
        told.extend(read(&conversation, &parts, &mut report));
        reopened(
            &conversation,
            &parts,
            intercom.state(&conversation),
            model,
            &mut report,
        );
    }
    once(&told, &mut report);
    let taken = Taken::read(world);
    let places = compare(&told, model, &taken, &mut report);
    order(&taken, &places, &mut report);
    secrets(&told, model, &mut report);
    records(world, model, &mut report);
    calls(world, &told, &mut report);
    report
}

fn read(conversation: &str, parts: &[PartView], report: &mut Report) -> Vec<Told> {
    let mut told = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        if part.part_type != "note" || part.author_id != APP_USER {
            continue;
        }
        let html = part.body.as_deref().unwrap_or_default();
        let Some((issue, marker)) = link(html) else {
            report.fault(format!(
                "a note in {conversation} has no link with a mark: {html}"
            ));
            continue;
        };
        told.push(Told {
            conversation: conversation.to_owned(),
            place,
            issue,
            marker,
            text: plain(html),
        });
    }
    told
}

/// The key and the mark in the link to the issue.
fn link(html: &str) -> Option<(String, String)> {
    let (_, rest) = html.rsplit_once("/browse/")?;
    let (key, rest) = rest.split_once('#')?;
    let (marker, _) = rest.split_once('"')?;
    marker
        .starts_with("bowline-")
        .then(|| (key.to_owned(), marker.to_owned()))
}

/// The text of a note: tags of blocks become spaces, other tags nothing.
pub(crate) fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag_on)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, after) = tag_on.split_once('>').unwrap_or((tag_on, ""));
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/'])
            .next()
            .unwrap_or_default();
        if ["p", "br", "li", "ul", "ol"].contains(&name) {
            text.push(' ');
        }
        rest = after;
    }
    text.push_str(rest);
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// No mark stands in two notes.
fn once(told: &[Told], report: &mut Report) {
    let mut seen: HashMap<&str, &Told> = HashMap::new();
    for note in told {
        if let Some(first) = seen.insert(&note.marker, note) {
            report.doubled += 1;
            report.fault(format!(
                "twice in {} (parts {} and {}): {}",
                note.conversation, first.place, note.place, note.text
            ));
        }
    }
}

/// Finds each expected note. Returns where each stands.
fn compare<'m>(
    told: &[Told],
    model: &'m Model,
    taken: &Taken,
    report: &mut Report,
) -> Vec<(&'m Expected, usize)> {
    let mut by_place: BTreeMap<(&str, &str), Vec<(&Told, bool)>> = BTreeMap::new();
    for note in told {
        let at = (note.conversation.as_str(), note.issue.as_str());
        by_place.entry(at).or_default().push((note, false));
    }
    let mut places = Vec::new();
    for expected in &model.expected {
        let at = (expected.conversation.as_str(), expected.issue.as_str());
        let mut count = 0;
        for (note, explained) in by_place.get_mut(&at).into_iter().flatten() {
            if expected.fits(&note.text) {
                *explained = true;
                count += 1;
                places.push((expected, note.place));
            }
        }
        judge(expected, presence(expected, taken), count, report);
    }
    for (note, _) in by_place
        .into_values()
        .flatten()
        .filter(|(_, explained)| !explained)
    {
        let Told {
            conversation,
            place,
            text,
            ..
        } = note;
        report.fault(format!(
            "nobody expects in {conversation} (part {place}): {text}"
        ));
    }
    places
}

/// What may be asked of a note by what the service could know: that a deleted comment ended the
/// link it knows from when the deletion's delivery was taken.
fn presence(expected: &Expected, taken: &Taken) -> Presence {
    let knew = expected.unlinked_by.is_none_or(|comment| {
        taken
            .deleted
            .get(&comment)
            .is_some_and(|at_ms| *at_ms < expected.at_ms)
    });
    match expected.presence {
        Presence::Never if !knew => Presence::AtMostOnce,
        presence => presence,
    }
}

fn judge(expected: &Expected, presence: Presence, count: usize, report: &mut Report) {
    let Expected {
        conversation,
        begins,
        contains,
        ..
    } = expected;
    let what = format!("{begins} … {contains} (fact {})", expected.fact);
    match (presence, count) {
        (Presence::Once, _) => {
            report.expected += 1;
            report.found += count.min(1);
            if count == 0 {
                report.lost += 1;
                report.fault(format!("lost in {conversation}: {what}"));
            }
        }
        (Presence::AtMostOnce, _) => report.optional += count.min(1),
        (Presence::Never, 0) => {}
        (Presence::Never, _) => {
            report.fault(format!(
                "told to {conversation} after it was unlinked: {what}"
            ));
        }
    }
    if count > 1 && presence != Presence::Never {
        report.doubled += 1;
        report.fault(format!("{count} times in {conversation}: {what}"));
    }
}

/// What happened first on an issue is told first, unless its delivery came later.
fn order(taken: &Taken, places: &[(&Expected, usize)], report: &mut Report) {
    let mut by_place: BTreeMap<(&str, &str), Vec<(&Expected, usize)>> = BTreeMap::new();
    for (expected, place) in places {
        let at = (expected.conversation.as_str(), expected.issue.as_str());
        by_place.entry(at).or_default().push((expected, *place));
    }
    for mut notes in by_place.into_values() {
        notes.sort_by_key(|(expected, _)| expected.fact);
        for (index, (first, first_place)) in notes.iter().enumerate() {
            for (second, second_place) in &notes[index + 1..] {
                if first.fact == second.fact || first_place < second_place {
                    continue;
                }
                let known_before = first
                    .comment
                    .and_then(|comment| taken.created.get(&comment))
                    .is_some_and(|at_ms| *at_ms < second.at_ms);
                if known_before || first.at_ms + taken.late_ms.max(ORDER_SLACK_MS) < second.at_ms {
                    report.fault(format!(
                        "in {}, fact {} ({}) is told after fact {} ({})",
                        first.conversation, first.fact, first.begins, second.fact, second.begins
                    ));
                } else {
                    report.overtaken += 1;
                }
            }
        }
    }
}

/// When the deliveries about comments were taken, by the sender's own log.
struct Taken {
    created: HashMap<u64, i64>,
    deleted: HashMap<u64, i64>,
    /// The longest that any delivery took from its first attempt until it was taken.
    late_ms: i64,
}

impl Taken {
    fn read(world: &World) -> Self {
        let mut taken = Self {
            created: HashMap::new(),
            deleted: HashMap::new(),
            late_ms: 0,
        };
        let mut first_tried: HashMap<String, i64> = HashMap::new();
        let mut was_taken = HashSet::new();
        for attempt in world.sandbox.jira.state.sender().log() {
            let tried = first_tried
                .entry(attempt.identifier.clone())
                .or_insert(attempt.at_ms);
            let is_taken = matches!(attempt.status, Some(200..=299));
            if is_taken && was_taken.insert(attempt.identifier.clone()) {
                taken.late_ms = taken.late_ms.max(attempt.at_ms - *tried);
            }
            let times = match attempt.topic.as_str() {
                "comment_created" => &mut taken.created,
                "comment_deleted" => &mut taken.deleted,
                _ => continue,
            };
            let comment = attempt
                .url
                .rsplit_once("comment=")
                .and_then(|(_, id)| id.parse().ok());
            if let (Some(comment), Some(200..=299)) = (comment, attempt.status) {
                times.entry(comment).or_insert(attempt.at_ms);
            }
        }
        taken
    }
}

/// A conversation that was closed when a move was told is opened after it, and none is opened
/// without one. Where the link ended since, the note of the move may be there already while its
/// re-opening had not had its turn: that is not made any more.
fn reopened(
    conversation: &str,
    parts: &[PartView],
    state: Option<ConversationState>,
    model: &Model,
    report: &mut Report,
) {
    let stays_linked = |part: &PartView| {
        let html = part.body.as_deref().unwrap_or_default();
        let (Some((issue, _)), text) = (link(html), plain(html)) else {
            return false;
        };
        model.expected.iter().any(|expected| {
            expected.presence == Presence::Once
                && expected.conversation == conversation
                && expected.issue == issue
                && expected.fits(&text)
        })
    };
    let moved = |part: &PartView| {
        part.part_type == "note"
            && part.author_id == APP_USER
            && part
                .body
                .as_deref()
                .is_some_and(|html| html.contains(" moved "))
    };
    let (mut closed_at, mut moved_at, mut due) = (None, None, None);
    for (place, part) in parts.iter().enumerate() {
        match part.part_type.as_str() {
            "close" => closed_at = Some(place),
            "open" if part.author_id == APP_USER => {
                report.reopened += 1;
                if closed_at.is_none() {
                    report.fault(format!("{conversation} was opened twice (part {place})"));
                }
                if moved_at.is_none() {
                    report.fault(format!(
                        "{conversation} was opened for nothing (part {place})"
                    ));
                }
                (closed_at, due) = (None, None);
            }
            _ if moved(part) => {
                moved_at = Some(place);
                if closed_at.is_some() && stays_linked(part) {
                    due = Some(place);
                }
            }
            _ => {}
        }
    }
    if let Some(place) = due {
        report.fault(format!(
            "{conversation} was not re-opened after the move in part {place}"
        ));
    }
    if closed_at.is_some() != (state == Some(ConversationState::Closed)) {
        report.fault(format!(
            "{conversation} is {state:?}, which its parts do not explain"
        ));
    }
}

fn secrets(told: &[Told], model: &Model, report: &mut Report) {
    for secret in &model.secrets {
        if let Some(note) = told.iter().find(|note| note.text.contains(secret)) {
            report.fault(format!("leaked into {}: {}", note.conversation, note.text));
        }
    }
}

/// Jira's own record names the conversations that are linked, and no other.
fn records(world: &World, model: &Model, report: &mut Report) {
    let jira = &world.sandbox.jira.state;
    let intercom = &world.sandbox.intercom.state;
    for issue in &model.issues {
        let wanted: BTreeSet<&str> = issue.links.keys().map(String::as_str).collect();
        let property = jira.property(&issue.key, "intercom.conversation.links");
        let ids = property
            .as_ref()
            .and_then(|value| value["conversationIds"].as_array());
        let there: BTreeSet<&str> = ids
            .into_iter()
            .flatten()
            .filter_map(serde_json::Value::as_str)
            .collect();
        if wanted != there {
            report.fault(format!(
                "the property of {} is {property:?}, but linked are {wanted:?}",
                issue.key
            ));
        }
        let said = jira.issue(&issue.key);
        let label = said
            .as_ref()
            .is_some_and(|said| said.labels.iter().any(|one| one == "intercom-linked"));
        let number = said
            .as_ref()
            .and_then(|said| match said.custom.get("customfield_10061") {
                Some(CustomValue::Number(number)) => Some(*number),
                _ => None,
            });
        let count = format!("{}", wanted.len());
        // A whole number is written without a point.
        if label == wanted.is_empty() || number.unwrap_or(0.0).to_string() != count {
            report.fault(format!(
                "{} has the label: {label}, and says {number:?}, but linked are {wanted:?}",
                issue.key
            ));
        }
        let links = jira.remote_links(&issue.key);
        if links.len() != wanted.len() {
            report.fault(format!(
                "{} has {} remote links for {} conversations",
                issue.key,
                links.len(),
                wanted.len()
            ));
        }
        for conversation in wanted {
            let shown = links
                .iter()
                .filter_map(|link| link.object["url"].as_str())
                .any(|url| url.contains(conversation));
            if !shown || intercom.state(conversation).is_none() {
                report.fault(format!("{} does not show {conversation}", issue.key));
            }
        }
    }
}

/// Nothing that a customer could see was sent, and no note was made that does not stand there.
fn calls(world: &World, told: &[Told], report: &mut Report) {
    let journal = world.sandbox.intercom.state.journal();
    if journal.lost() > 0 {
        report.fault("the journal is not whole".to_owned());
    }
    let mut made = 0;
    for call in journal.entries().iter().filter(|call| call.method != "GET") {
        let kind = call.request_body["message_type"]
            .as_str()
            .unwrap_or_default();
        let fine = match call.path.rsplit('/').next() {
            Some("reply") => kind == "note",
            Some("parts") => matches!(kind, "open" | "snoozed" | "assignment"),
            _ => false,
        };
        if !fine {
            report.fault(format!(
                "{} {} {}",
                call.method, call.path, call.request_body
            ));
        }
        made += usize::from(kind == "note" && call.status == 200);
    }
    if made != told.len() {
        report.fault(format!(
            "{made} notes were made and {} stand there",
            told.len()
        ));
    }
}
