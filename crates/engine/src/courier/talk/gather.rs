//! Writing what an end user said into the description, or into a comment of ours.
//!
//! A text of ours is always written whole, so doing it again does no harm. A description that
//! somebody else has changed is left as it is: what comes then is gathered in a comment.

use bowline_domain::messaging::gathering::{self, CONTINUED, Place};
use bowline_domain::messaging::ids::MessageId;
use bowline_jira::{CommentAudience, IssueRead};
use bowline_net::{ApiError, ErrorKind, Reply};
use bowline_store::model::{Ending, Talk, WrittenLine};
use bowline_text::{Block, Doc, Inline};

use super::confirmed;
use crate::courier::{Courier, MENDING_WAIT_MS, Stop};
use crate::planner::COMMENT;
use crate::registry::Site;

/// Brings a gathering to its text, for a message in it. If that stands there already, nothing is
/// written: what came after it has writes of its own.
pub(super) async fn gather(
    courier: &Courier<'_>,
    talk: &Talk,
    (number, message): (u32, Option<&MessageId>),
    place: Place,
) -> Result<Ending, Stop> {
    let lines = courier.lines(&talk.whose, number).await?;
    let mut of_message = lines
        .iter()
        .filter(|one| message.is_none_or(|message| one.line.message == *message));
    if of_message.all(|line| line.written) {
        return Ok(confirmed(
            None,
            Some("It was written together with others."),
        ));
    }
    more_may_come(courier, talk, number, &lines)?;
    let site = courier.site_of(talk)?;
    let (issue, _) = courier.issue_of(talk)?;
    let writing = Writing {
        courier,
        talk,
        site: &site,
        issue: issue.as_str(),
        number,
    };
    if place != Place::Description {
        return writing.comment(lines, place).await;
    }
    let (ours, mut moved): (Vec<WrittenLine>, Vec<WrittenLine>) = lines
        .into_iter()
        .partition(|one| one.line.place == Place::Description);
    if ours.iter().any(|line| !line.written) {
        moved.extend(writing.description(ours).await?);
    }
    if moved.iter().all(|line| line.written) {
        return Ok(confirmed(None, None));
    }
    writing.comment(moved, Place::Continued).await
}

/// Waits for the person to pause, so that what they write together is written together. Not where
/// nothing more can come into this text, and not where an attempt may have written some of it.
fn more_may_come(
    courier: &Courier<'_>,
    talk: &Talk,
    number: u32,
    lines: &[WrittenLine],
) -> Result<(), Stop> {
    let open =
        talk.request.is_live() && talk.request.gathering.map(|open| open.number) == Some(number);
    let registry = courier.shared.registry();
    if !open {
        return Ok(());
    }
    let Some(desk) = registry.desk_for(&talk.whose.account, &talk.request) else {
        return Ok(());
    };
    let waiting = lines.iter().filter(|line| !line.written);
    let waiting = waiting.map(|line| line.line.received_at);
    let last = lines.iter().filter_map(|line| line.written_at).max();
    let due_at = gathering::due_at(waiting, last, desk.desk.quiet_ms);
    match due_at.filter(|due_at| *due_at > courier.now() && !courier.taken.doubtful) {
        Some(due_at) => Err(Stop(Ending::NotYet { due_at })),
        None => Ok(()),
    }
}

struct Writing<'w> {
    courier: &'w Courier<'w>,
    talk: &'w Talk,
    site: &'w Site,
    issue: &'w str,
    number: u32,
}

impl Writing<'_> {
    /// Writes the description, if it is as we left it. Returns the lines that have to go
    /// elsewhere, because somebody else has changed it.
    async fn description(&self, lines: Vec<WrittenLine>) -> Result<Vec<WrittenLine>, Stop> {
        let (courier, client) = (self.courier, &self.site.client);
        let read = client.issue(self.issue, IssueRead::default());
        let found = courier.ask_jira(self.site, read).await?;
        let there = flat(&found.description);
        // What stands above the lines may differ: a person changes names and channels.
        let head = format!("conversation {}", reference(self.talk));
        let said = there.split_once(&head).map(|(_, said)| said.trim());
        if said != Some(shown(&lines).as_str()) {
            // What stands there by what it says, not by what is recorded: an attempt that died may
            // have written more than it could record.
            let (before, _) = standing(&there, lines.clone());
            if said != Some(shown(&before).as_str()) {
                return self.changed_by_others(&there, lines).await;
            }
            let whole = description(self.talk, &lines);
            let edit = client.edit_description(self.issue, &whole);
            self.write(edit).await?;
        }
        courier.written(&self.talk.whose, &lines).await?;
        Ok(Vec::new())
    }

    async fn write<T>(
        &self,
        call: impl Future<Output = Result<Reply<T>, ApiError>>,
    ) -> Result<T, Stop> {
        match self.courier.call(&self.site.standing, call).await {
            Ok(value) => Ok(value),
            Err(error) => Err(self.failed(&error, self.courier.taken.doubtful).await),
        }
    }

    /// What an end user said is never given up: what Jira refuses waits for an administrator.
    async fn failed(&self, error: &ApiError, doubtful: bool) -> Stop {
        if error.kind == ErrorKind::Data {
            let reason = format!(
                "Jira refuses what the customer wrote: {error}. It is tried again every few \
                 minutes; nothing is lost."
            );
            return Stop(self.courier.later(MENDING_WAIT_MS, doubtful, reason));
        }
        self.courier
            .remote_failed(&self.site.standing, error, doubtful)
            .await
    }

    async fn changed_by_others(
        &self,
        there: &str,
        lines: Vec<WrittenLine>,
    ) -> Result<Vec<WrittenLine>, Stop> {
        // What an earlier attempt wrote before the change stands there.
        let (known, missing) = standing(there, lines);
        let moved: Vec<WrittenLine> = missing.into_iter().filter(|one| !one.written).collect();
        self.courier.written(&self.talk.whose, &known).await?;
        let names = moved
            .iter()
            .map(|one| (one.line.message.clone(), one.line.part))
            .collect();
        let done = self
            .courier
            .shared
            .store
            .lines_moved(self.talk.whose.account.clone(), names)
            .await;
        done.map_err(|error| self.courier.store_failed(&error))?;
        Ok(moved)
    }

    /// Writes a comment of ours: the one of the gathering, or a new one.
    async fn comment(&self, lines: Vec<WrittenLine>, place: Place) -> Result<Ending, Stop> {
        let courier = self.courier;
        let body = comment(self.talk, &lines, place);
        let known = courier
            .shared
            .store
            .gathering_comment(&self.talk.whose, self.number)
            .await
            .map_err(|error| courier.store_failed(&error))?;
        if let Some(id) = known
            && self.edited(id.as_str(), &body).await?
        {
            courier.written(&self.talk.whose, &lines).await?;
            return Ok(confirmed(Some(format!("{COMMENT}{id}")), None));
        }
        // Not made yet, or an agent deleted it: what was said goes into a new one.
        let id = match self.find(&lines).await? {
            // It holds what there was when it was made, which may be less than there is now.
            Some(id) if self.edited(&id, &body).await? => id,
            _ => {
                let comment = (&body, CommentAudience::Customer);
                let made = super::comment_on(courier, self.site, self.issue, comment).await;
                match made {
                    Ok(id) => id,
                    Err(error) => return Err(self.failed(&error, courier.taken.doubtful).await),
                }
            }
        };
        let whose = self.talk.whose.clone();
        let store = &courier.shared.store;
        let placed = store.gathering_placed(whose, self.number, id.clone());
        if let Err(error) = placed.await {
            return Err(Stop(courier.later(0, true, error.to_string())));
        }
        courier.written(&self.talk.whose, &lines).await?;
        Ok(confirmed(Some(format!("{COMMENT}{id}")), None))
    }

    /// Brings a comment of ours to a text. False if it is not there.
    async fn edited(&self, id: &str, body: &Doc) -> Result<bool, Stop> {
        let edit = self.site.client.edit_comment(self.issue, id, body);
        match self.courier.call(&self.site.standing, edit).await {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => Ok(false),
            // Writing it again does no harm, but whether it was made stays in doubt.
            Err(error) => Err(self.failed(&error, self.courier.taken.doubtful).await),
        }
    }

    /// The comment that an earlier attempt may have made: one of our account's with any of these
    /// lines in it. Which it was made with is not known: others may have come since, with earlier
    /// times.
    async fn find(&self, lines: &[WrittenLine]) -> Result<Option<String>, Stop> {
        if !self.courier.taken.doubtful {
            return Ok(None);
        }
        let shown: Vec<String> = lines
            .iter()
            .map(|one| squeezed(&one.line.shown()))
            .collect();
        super::find_comment(self.courier, self.site, self.issue, |text| {
            shown.iter().any(|line| text.contains(line))
        })
        .await
    }
}

/// The lines as [`flat`] shows them.
fn shown(lines: &[WrittenLine]) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|one| squeezed(&one.line.shown()))
        .collect();
    lines.join(" ")
}

/// Which of the lines stand in a text, one behind the other, and which do not: of two that say the
/// same, one that stands there once is the first.
fn standing(there: &str, lines: Vec<WrittenLine>) -> (Vec<WrittenLine>, Vec<WrittenLine>) {
    let mut from = 0;
    lines.into_iter().partition(|one| {
        let shown = squeezed(&one.line.shown());
        let at = there[from..].find(&shown);
        if let Some(at) = at {
            from += at + shown.len();
        }
        at.is_some()
    })
}

/// The text of a document for comparing: Jira may change blanks and line ends.
pub(super) fn flat(doc: &Doc) -> String {
    squeezed(&bowline_text::plain::write(doc))
}

pub(super) fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A description: who writes, and what they said.
pub(super) fn description(talk: &Talk, lines: &[WrittenLine]) -> Doc {
    let end_user = &talk.end_user;
    let phone = end_user.phone().filter(|phone| *phone != end_user.label());
    let phone = phone.map(|phone| format!(" ({phone})")).unwrap_or_default();
    let who = format!(
        "{}{phone} by {}, conversation {}",
        end_user.label(),
        talk.request.route.platform,
        reference(talk)
    );
    with_lines(who, lines)
}

/// What a conversation is called for people: short, and the same for ever.
pub(super) fn reference(talk: &Talk) -> String {
    const CHARS: usize = 8;
    let id: String = talk.whose.end_user.as_str().chars().take(CHARS).collect();
    format!("{id}-{}", talk.whose.generation)
}

fn comment(talk: &Talk, lines: &[WrittenLine], place: Place) -> Doc {
    let who = talk.end_user.label();
    let head = if place == Place::Continued {
        format!("{who} {CONTINUED}")
    } else {
        who.to_owned()
    };
    with_lines(format!("{head}:"), lines)
}

fn with_lines(head: String, lines: &[WrittenLine]) -> Doc {
    let mut blocks = vec![Block::Paragraph(vec![Inline::strong(head)])];
    blocks.extend(lines.iter().map(|one| {
        let mut content = Vec::new();
        for (number, text) in one.line.shown().lines().enumerate() {
            if number > 0 {
                content.push(Inline::Break);
            }
            content.push(Inline::text(text));
        }
        Block::Paragraph(content)
    }));
    Doc { blocks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowline_domain::messaging::gathering::Line;
    use bowline_domain::messaging::ids::MessageId;
    use bowline_domain::messaging::inbound::Within;
    use bowline_domain::time::Millis;

    fn line(message: &str, text: &str) -> WrittenLine {
        WrittenLine {
            line: Line {
                message: MessageId::new(message),
                part: 0,
                gathering: 1,
                place: Place::Description,
                sent_at: Millis(0),
                received_at: Millis(0),
                within: Within::default(),
                text: text.to_owned(),
            },
            written: false,
            written_at: None,
        }
    }

    #[test]
    fn of_two_messages_that_say_the_same_each_is_looked_for() {
        let lines = vec![line("1", "ok"), line("2", "well"), line("3", "ok")];
        for count in 0..=lines.len() {
            let there = shown(&lines[..count]);
            let (known, missing) = standing(&there, lines.clone());
            assert_eq!(known, lines[..count]);
            assert_eq!(missing, lines[count..]);
        }
    }
}
