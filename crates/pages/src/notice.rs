//! What a page says after something was done: a form sends the browser on with a word, and the
//! page that it goes to says what the word means.

use crate::query::{DONE, Query};

const NOTICES: &[(&str, &str)] = &[
    ("signed-out", "You are signed out."),
    (
        "password",
        "Your password is changed. Your other sessions were ended.",
    ),
    ("look", "Saved. This browser keeps it."),
    ("session", "The session was ended."),
    ("sessions", "All their sessions were ended."),
    (
        "token",
        "The token was ended. Scripts that use it are refused from now on.",
    ),
    (
        "second-factor-off",
        "The second factor is removed. The password alone lets in from now on.",
    ),
    (
        "identity-parted-of",
        "Parted. Who they are at the sign-in service lets nobody into this account any more.",
    ),
    ("no-identity", "Nothing was joined to the account any more."),
    ("no-second-factor", "There was no second factor any more."),
    (
        "second-factor-begun",
        "The secret is made. It counts once you enter a code of your app.",
    ),
    (
        "identity-joined",
        "Joined. You can sign in that way from now on.",
    ),
    (
        "identity-parted",
        "Parted. That way does not let you in any more.",
    ),
    ("person", "Saved."),
    (
        "replayed",
        "The delivery waits to be decided again. What was done already is not done twice.",
    ),
    (
        "replaying",
        "They are being put back. This page shows how far it is; what was done already is not done \
         twice.",
    ),
    (
        "replaying-already",
        "A replay is under way already. Cancel it, or wait for its end.",
    ),
    (
        "replay-ended",
        "Cancelled. What was put back already is decided all the same.",
    ),
    (
        "waiting",
        "The delivery waits already; there is nothing to repeat.",
    ),
    (
        "linked",
        "The link is being made. It shows here as soon as Jira has answered, usually in a second.",
    ),
    (
        "links-imported",
        "The links are being made. They show here as soon as Jira has answered for each.",
    ),
    (
        "unlinked",
        "The link is being ended. It is gone from here in a moment, and the conversation stays \
         silent from then on.",
    ),
    (
        "gathering-off",
        "Feedback is switched off for the products of this workspace. What came in stays.",
    ),
    (
        "gathering-on",
        "Feedback is on again. What was tagged meanwhile stays out, unless it is taken in.",
    ),
    (
        "noted",
        "The note is on its way. Teammates in Intercom see it in a moment; the customer does not.",
    ),
    (
        "answered",
        "The answer is on its way to the customer. It shows below what came of it.",
    ),
    (
        "again",
        "It is being sent again. It shows below what came of it.",
    ),
    ("arrived", "It counts as arrived."),
    (
        "held-again",
        "It is being sent again. If nobody can tell whether that arrived either, it waits here anew.",
    ),
    ("held-arrived", "It counts as arrived."),
    (
        "held-gone",
        "It was decided about already, so nothing was done.",
    ),
    ("written", "This was sent already; it was not sent twice."),
    ("no-link", "There was no such link any more."),
    ("gone", "It was gone already."),
    (
        "product",
        "The product is there. Switch its feedback on next.",
    ),
    (
        "feedback-on",
        "Feedback is on. Messages that are tagged from now on become tickets.",
    ),
    (
        "feedback-off",
        "Feedback is off. What came in stays; nothing new comes in.",
    ),
    ("triaged", "Saved."),
    ("merged", "Merged. It can be undone on this page."),
    (
        "ticket-parted",
        "The merge is undone. This is the ticket that stands by itself again; the other one is named at \
         the end of what happened to it.",
    ),
    ("split", "Split off. This is the new ticket."),
    (
        "making",
        "The issue is being made in Jira. It shows here in a moment.",
    ),
    ("backfill", "Done. The page shows how far it is."),
    (
        "backfilling",
        "One is under way already. Cancel it, or wait for its end.",
    ),
    ("connected", "Connected. The credentials work."),
    (
        "reconnected",
        "Reconnected. The credentials work, and what waited is being sent.",
    ),
    ("tested", "Tested just now."),
    (
        "alert-test",
        "The test is on its way. How far it comes with each receiver shows here.",
    ),
    (
        "nobody-is-told",
        "There is nobody to tell: no receiver is configured.",
    ),
    ("app-user", "Saved. Notes are written as them from now on."),
    ("removed", "The connection is removed."),
    (
        "joined",
        "Joined. Paste a conversation's address, as the browser shows it in Intercom, into one of its \
         issues, and look at the conversation: it gets the first note.",
    ),
    ("saved", "Saved. It holds from now on."),
    (
        "parted",
        "Parted. Nothing is told any more; links and settings are kept.",
    ),
    ("rejoined", "Joined again, with its links and settings."),
    ("imported", "Imported. The settings hold from now on."),
    ("forgotten", "The settings are forgotten."),
    (
        "sent-again",
        "The message is being sent again, as a new one. How far it comes shows here.",
    ),
    (
        "approved",
        "The approved message is on its way. How far it comes shows here.",
    ),
    (
        "test",
        "The test message is on its way. How far it comes shows here.",
    ),
    ("let-be", "Noted. The message is not sent again."),
    (
        "settled",
        "There was nothing to decide: somebody decided already, or the message came further \
         meanwhile.",
    ),
    (
        "not-now",
        "It cannot be sent now: the conversation has ended, or the time to answer is over.",
    ),
    (
        "blocked",
        "Blocked. What they write is not taken over from now on.",
    ),
    (
        "let-in",
        "Let in again. What they write is taken over from now on.",
    ),
    (
        "tied",
        "Saved. They are the reporter of their requests from the next one on.",
    ),
    ("untied", "Saved. They are nobody in Jira from now on."),
    (
        "language",
        "Saved. It holds from the next message on that they are sent.",
    ),
    ("intercoms", "Intercom's value counts again."),
    ("decided", "Decided."),
    (
        "contacts-merged",
        "Merged. The other address leads here from now on.",
    ),
    (
        "erased",
        "The person is erased here. What Intercom tells of them later is not taken in.",
    ),
    (
        "contacts-on",
        "Saved. Copying begins at once; this page shows how far it is.",
    ),
    (
        "contacts-off",
        "Switched off. What was copied stays until you remove it.",
    ),
    (
        "contacts-removed",
        "What was copied is removed. People who were imported stay, with what was imported and set \
         here; so do people with feedback, and the companies of both.",
    ),
    ("copying", "Everything is being copied again."),
    ("copying-already", "A run is under way already."),
    ("contacts-imported", "Imported."),
    (
        "account-added",
        "Added. The key works. It needs a desk before messages become requests.",
    ),
    (
        "test-begun",
        "The provider took the test message. The phone shows it in a moment; if its owner answers, \
         that makes a request.",
    ),
    (
        "desk-added",
        "The desk is there. What comes in by its channels becomes requests from now on.",
    ),
    (
        "desk-added-by-hand",
        "The desk is there. See that Jira's webhook covers its project: the page of the site shows \
         what to enter.",
    ),
    ("desk-saved", "Saved. It holds from now on."),
    (
        "desk-saved-by-hand",
        "Saved. It holds from now on. See that Jira's webhook covers its project: the page of the \
         site shows what to enter.",
    ),
    ("desk-removed", "The desk is removed."),
    ("owner", "Welcome. You are the owner of this installation."),
];

/// The words for what was done, if something was.
pub(crate) fn of(query: &Query) -> Option<&'static str> {
    let done = query.get(DONE)?;
    let found = NOTICES.iter().find(|(word, _)| *word == done);
    found.map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_stands_twice() {
        for (at, (word, _)) in NOTICES.iter().enumerate() {
            let first = NOTICES.iter().position(|(known, _)| known == word);
            assert_eq!(first, Some(at), "{word}");
        }
    }
}
