//! What people did in Jira, and what each conversation is to hear of it.
//!
//! The model knows the rules of the default binding and nothing of how the product keeps them.

use std::collections::BTreeMap;

/// How often a note has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Exactly once.
    Once,
    /// At most once: the link, or what was to be told, ended before anyone could be sure.
    AtMostOnce,
    /// Not at all.
    Never,
}

/// One note that a conversation is, or is not, to get.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// The conversation.
    pub(crate) conversation: String,
    /// The key of the issue that the note names.
    pub(crate) issue: String,
    /// What the note's text begins with.
    pub(crate) begins: String,
    /// What it contains.
    pub(crate) contains: String,
    /// What it ends with.
    pub(crate) ends: String,
    /// How often.
    pub(crate) presence: Presence,
    /// Which of all things that happened, counted from 1.
    pub(crate) fact: usize,
    /// When it happened, in milliseconds since the Unix epoch.
    pub(crate) at_ms: i64,
    /// The comment that it is about.
    pub(crate) comment: Option<u64>,
    /// The comment whose deletion ended the link before. The service reads an issue's description
    /// whenever something happens to it, but not again the comments that it read before: until it
    /// is told of the deletion it may take the link for alive.
    pub(crate) unlinked_by: Option<u64>,
}

impl Expected {
    pub(crate) fn fits(&self, text: &str) -> bool {
        text.starts_with(&self.begins)
            && text.contains(&self.contains)
            && text.ends_with(&self.ends)
    }
}

/// What holds a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Description,
    Comment(u64),
}

/// An issue as people left it.
#[derive(Clone, Debug)]
pub(crate) struct Issue {
    pub(crate) key: String,
    pub(crate) summary: String,
    /// The conversations that are linked now, with what holds the link.
    pub(crate) links: BTreeMap<String, Holder>,
    /// Those that were linked before and are not now, with the comment whose deletion ended it.
    pub(crate) former: BTreeMap<String, Option<u64>>,
    /// Plain comments, which may be edited.
    pub(crate) comments: Vec<(u64, String)>,
    /// How many people it was assigned to; each only once.
    pub(crate) assigned: usize,
    /// How many people moved it; each only once.
    pub(crate) moved: usize,
    /// Its status.
    pub(crate) status: &'static str,
}

/// Words by which the note of a fact is recognised: (begins, contains, ends).
pub(crate) type Words = (String, String, String);

/// All that happened and all that is to follow from it.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) issues: Vec<Issue>,
    pub(crate) expected: Vec<Expected>,
    /// Texts that must not get into Intercom.
    pub(crate) secrets: Vec<String>,
    /// Deliveries get lost: that a link has ended may be learned much later.
    pub(crate) lossy: bool,
    facts: usize,
}

impl Model {
    /// Counts a fact.
    pub(crate) fn fact(&mut self) -> usize {
        self.facts += 1;
        self.facts
    }

    pub(crate) fn facts(&self) -> usize {
        self.facts
    }

    /// Every conversation linked to the issue is to get this note, and none that was linked before.
    pub(crate) fn tell_all(
        &mut self,
        issue: usize,
        (fact, at_ms): (usize, i64),
        words: &Words,
        comment: Option<u64>,
    ) {
        let linked: Vec<String> = self.issues[issue].links.keys().cloned().collect();
        for conversation in linked {
            self.tell(
                issue,
                &conversation,
                (fact, at_ms),
                words,
                comment,
                Presence::Once,
            );
        }
        self.keep_from_former(issue, (fact, at_ms), words, comment);
    }

    /// No conversation that was linked before and is not now is to get this note.
    pub(crate) fn keep_from_former(
        &mut self,
        issue: usize,
        at: (usize, i64),
        words: &Words,
        comment: Option<u64>,
    ) {
        let presence = if self.lossy {
            Presence::AtMostOnce
        } else {
            Presence::Never
        };
        for (conversation, unlinked_by) in self.issues[issue].former.clone() {
            self.tell(issue, &conversation, at, words, comment, presence);
            if let Some(last) = self.expected.last_mut() {
                last.unlinked_by = unlinked_by;
            }
        }
    }

    pub(crate) fn tell(
        &mut self,
        issue: usize,
        conversation: &str,
        (fact, at_ms): (usize, i64),
        (begins, contains, ends): &Words,
        comment: Option<u64>,
        presence: Presence,
    ) {
        self.expected.push(Expected {
            conversation: conversation.to_owned(),
            issue: self.issues[issue].key.clone(),
            begins: begins.clone(),
            contains: contains.clone(),
            ends: ends.clone(),
            presence,
            fact,
            at_ms,
            comment,
            unlinked_by: None,
        });
    }

    /// The conversation is linked from now on. What was to be kept from it while it was not may
    /// have been told, if nobody looked in between.
    pub(crate) fn link(&mut self, issue: usize, conversation: &str, holder: Holder) {
        let found = &mut self.issues[issue];
        found.links.insert(conversation.to_owned(), holder);
        if found.former.remove(conversation).is_some() {
            self.soften(issue, conversation, Presence::Never);
        }
    }

    /// The conversation is not linked any more. What was on its way may still come or not.
    pub(crate) fn unlink(&mut self, issue: usize, conversation: &str) {
        let found = &mut self.issues[issue];
        if let Some(holder) = found.links.remove(conversation) {
            let deleted = match holder {
                Holder::Comment(comment) => Some(comment),
                Holder::Description => None,
            };
            found.former.insert(conversation.to_owned(), deleted);
            self.soften(issue, conversation, Presence::Once);
        }
    }

    fn soften(&mut self, issue: usize, conversation: &str, from: Presence) {
        let key = &self.issues[issue].key;
        for expected in &mut self.expected {
            if expected.presence == from
                && expected.conversation == conversation
                && expected.issue == *key
            {
                expected.presence = Presence::AtMostOnce;
            }
        }
    }

    /// A comment was deleted: whoever had not heard of it by then need not.
    pub(crate) fn comment_deleted(&mut self, comment: u64) {
        for expected in &mut self.expected {
            if expected.comment == Some(comment) && expected.presence == Presence::Once {
                expected.presence = Presence::AtMostOnce;
            }
        }
    }
}
