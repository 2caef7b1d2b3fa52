//! What is written down of changes.

use bowline_store::access::{AuditEntry, AuditFilter, AuditView};

use crate::permission::{Granted, ReadAudit, Who};
use crate::{Access, AccessError};

/// Kinds of changes. Their words are stored and do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The first owner was made.
    OwnerMade,
    /// Someone signed in.
    SignedIn,
    /// Someone tried to sign in too often.
    SignInRefused,
    /// A person was added.
    PersonAdded,
    /// A person's name, role or right to sign in was changed.
    PersonChanged,
    /// A person was given a code to choose a new password.
    PasswordReset,
    /// A person chose a password with a code.
    PasswordChosen,
    /// A person changed their password.
    PasswordChanged,
    /// A session was ended by its owner or an administrator.
    SessionEnded,
    /// A token was made.
    TokenMade,
    /// A token was ended.
    TokenEnded,
    /// A delivery was put back to be decided again.
    EventReplayed,
    /// All deliveries since a time were put back to be decided again, or that was cancelled.
    EventsReplayed,
    /// A conversation was linked by hand.
    LinkAdded,
    /// A link was ended by hand.
    LinkRemoved,
    /// The copying of contacts was switched on or off, or begun again.
    ContactsSwitched,
    /// What was copied of a workspace was removed.
    ContactsRemoved,
    /// A file of contacts was imported.
    ContactsImported,
    /// Contacts were exported.
    ContactsExported,
    /// A field of a contact was set, or given back to Intercom.
    ContactEdited,
    /// A contact was merged into another one.
    ContactMerged,
    /// It was decided who a contact is.
    ContactDecided,
    /// A contact was erased.
    ContactErased,
    /// A product was made or changed.
    ProductChanged,
    /// A backfill was begun, paused, taken up again or cancelled.
    BackfillChanged,
    /// Feedback tickets were changed.
    TicketsChanged,
    /// A note was written by hand.
    NoteWritten,
    /// A customer was answered by hand.
    CustomerAnswered,
    /// Someone said what became of a send that was held.
    HeldSettled,
    /// A site or workspace was connected.
    ConnectionAdded,
    /// Credentials or addresses of a connection were changed.
    ConnectionChanged,
    /// A connection was removed.
    ConnectionRemoved,
    /// A project was joined to a workspace.
    ProjectJoined,
    /// What is told of a project was changed.
    BindingChanged,
    /// A project was parted from its workspace.
    ProjectParted,
    /// A project was joined again.
    ProjectRejoined,
    /// Someone was told that a connection broke or works again.
    AlertSent,
    /// A message to an end user was sent again.
    MessageSentAgain,
    /// It was decided that a message to an end user is not sent again.
    MessageLetBe,
    /// An end user was blocked.
    EndUserBlocked,
    /// An end user was let in again.
    EndUserLetIn,
    /// It was said which Jira customer an end user is, or that they are none.
    EndUserTied,
    /// It was said in which language an end user is written to, or that nobody says.
    EndUserLanguage,
    /// A test message was sent to a number.
    TestMessage,
    /// The approved message was sent after the time to answer.
    ApprovedSent,
    /// Somebody set up a second factor.
    SecondFactorOn,
    /// A second factor was removed.
    SecondFactorOff,
    /// Somebody made other recovery codes.
    RecoveryCodesMade,
    /// Somebody came in with a recovery code.
    RecoveryCodeUsed,
    /// Who somebody is at a provider was joined to their account.
    IdentityJoined,
    /// The same was parted from it.
    IdentityParted,
    /// A desk was made.
    DeskAdded,
    /// The settings of a desk were changed.
    DeskChanged,
    /// A desk was removed.
    DeskRemoved,
}

impl What {
    /// All of them.
    pub const ALL: [Self; 54] = [
        Self::OwnerMade,
        Self::SignedIn,
        Self::SignInRefused,
        Self::PersonAdded,
        Self::PersonChanged,
        Self::PasswordReset,
        Self::PasswordChosen,
        Self::PasswordChanged,
        Self::SessionEnded,
        Self::TokenMade,
        Self::TokenEnded,
        Self::EventReplayed,
        Self::EventsReplayed,
        Self::LinkAdded,
        Self::LinkRemoved,
        Self::ContactsSwitched,
        Self::ContactsRemoved,
        Self::ContactsImported,
        Self::ContactsExported,
        Self::ContactEdited,
        Self::ContactMerged,
        Self::ContactDecided,
        Self::ContactErased,
        Self::ProductChanged,
        Self::BackfillChanged,
        Self::TicketsChanged,
        Self::NoteWritten,
        Self::CustomerAnswered,
        Self::HeldSettled,
        Self::ConnectionAdded,
        Self::ConnectionChanged,
        Self::ConnectionRemoved,
        Self::ProjectJoined,
        Self::BindingChanged,
        Self::ProjectParted,
        Self::ProjectRejoined,
        Self::AlertSent,
        Self::MessageSentAgain,
        Self::MessageLetBe,
        Self::EndUserBlocked,
        Self::EndUserLetIn,
        Self::EndUserTied,
        Self::EndUserLanguage,
        Self::TestMessage,
        Self::ApprovedSent,
        Self::SecondFactorOn,
        Self::SecondFactorOff,
        Self::RecoveryCodesMade,
        Self::RecoveryCodeUsed,
        Self::IdentityJoined,
        Self::IdentityParted,
        Self::DeskAdded,
        Self::DeskChanged,
        Self::DeskRemoved,
    ];

    /// The word for storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnerMade => "owner_made",
            Self::SignedIn => "signed_in",
            Self::SignInRefused => "sign_in_refused",
            Self::PersonAdded => "person_added",
            Self::PersonChanged => "person_changed",
            Self::PasswordReset => "password_reset",
            Self::PasswordChosen => "password_chosen",
            Self::PasswordChanged => "password_changed",
            Self::SessionEnded => "session_ended",
            Self::TokenMade => "token_made",
            Self::TokenEnded => "token_ended",
            Self::EventReplayed => "event_replayed",
            Self::EventsReplayed => "events_replayed",
            Self::LinkAdded => "link_added",
            Self::LinkRemoved => "link_removed",
            Self::ContactsSwitched => "contacts_switched",
            Self::ContactsRemoved => "contacts_removed",
            Self::ContactsImported => "contacts_imported",
            Self::ContactsExported => "contacts_exported",
            Self::ContactEdited => "contact_edited",
            Self::ContactMerged => "contact_merged",
            Self::ContactDecided => "contact_decided",
            Self::ContactErased => "contact_erased",
            Self::ProductChanged => "product_changed",
            Self::BackfillChanged => "backfill_changed",
            Self::TicketsChanged => "tickets_changed",
            Self::NoteWritten => "note_written",
            Self::CustomerAnswered => "customer_answered",
            Self::HeldSettled => "held_settled",
            Self::ConnectionAdded => "connection_added",
            Self::ConnectionChanged => "connection_changed",
            Self::ConnectionRemoved => "connection_removed",
            Self::ProjectJoined => "project_joined",
            Self::BindingChanged => "binding_changed",
            Self::ProjectParted => "project_parted",
            Self::ProjectRejoined => "project_rejoined",
            Self::AlertSent => "alert_sent",
            Self::MessageSentAgain => "message_sent_again",
            Self::MessageLetBe => "message_let_be",
            Self::EndUserBlocked => "end_user_blocked",
            Self::EndUserLetIn => "end_user_let_in",
            Self::EndUserTied => "end_user_tied",
            Self::EndUserLanguage => "end_user_language",
            Self::TestMessage => "test_message",
            Self::ApprovedSent => "approved_sent",
            Self::SecondFactorOn => "second_factor_on",
            Self::SecondFactorOff => "second_factor_off",
            Self::RecoveryCodesMade => "recovery_codes_made",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::IdentityJoined => "identity_joined",
            Self::IdentityParted => "identity_parted",
            Self::DeskAdded => "desk_added",
            Self::DeskChanged => "desk_changed",
            Self::DeskRemoved => "desk_removed",
        }
    }

    /// The words for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::OwnerMade => "First owner made",
            Self::SignedIn => "Signed in",
            Self::SignInRefused => "Sign-in refused",
            Self::PersonAdded => "Person added",
            Self::PersonChanged => "Person changed",
            Self::PasswordReset => "Password reset",
            Self::PasswordChosen => "Password chosen",
            Self::PasswordChanged => "Password changed",
            Self::SessionEnded => "Session ended",
            Self::TokenMade => "Token made",
            Self::TokenEnded => "Token ended",
            Self::EventReplayed => "Delivery decided again",
            Self::EventsReplayed => "Deliveries since a time decided again",
            Self::LinkAdded => "Conversation linked",
            Self::LinkRemoved => "Conversation unlinked",
            Self::ContactsSwitched => "Copying of contacts switched",
            Self::ContactsRemoved => "Copied contacts removed",
            Self::ContactsImported => "Contacts imported",
            Self::ContactsExported => "Contacts exported",
            Self::ContactEdited => "Contact edited",
            Self::ContactMerged => "Contact merged",
            Self::ContactDecided => "Contact decided",
            Self::ContactErased => "Contact erased",
            Self::ProductChanged => "Product changed",
            Self::BackfillChanged => "Backfill changed",
            Self::TicketsChanged => "Feedback changed",
            Self::NoteWritten => "Note written by hand",
            Self::CustomerAnswered => "Customer answered by hand",
            Self::HeldSettled => "Held send settled by hand",
            Self::ConnectionAdded => "Connection added",
            Self::ConnectionChanged => "Connection changed",
            Self::ConnectionRemoved => "Connection removed",
            Self::ProjectJoined => "Project joined",
            Self::BindingChanged => "Project settings changed",
            Self::ProjectParted => "Project parted",
            Self::ProjectRejoined => "Project joined again",
            Self::AlertSent => "Alert sent",
            Self::MessageSentAgain => "Message sent again",
            Self::MessageLetBe => "Message not sent again",
            Self::EndUserBlocked => "End user blocked",
            Self::EndUserLetIn => "End user let in again",
            Self::EndUserTied => "End user tied to a customer",
            Self::EndUserLanguage => "Language of an end user",
            Self::TestMessage => "Test message sent",
            Self::ApprovedSent => "Approved message sent",
            Self::SecondFactorOn => "Second factor set up",
            Self::SecondFactorOff => "Second factor removed",
            Self::RecoveryCodesMade => "Recovery codes made",
            Self::RecoveryCodeUsed => "Recovery code used",
            Self::IdentityJoined => "Sign-in elsewhere joined",
            Self::IdentityParted => "Sign-in elsewhere parted",
            Self::DeskAdded => "Desk added",
            Self::DeskChanged => "Desk changed",
            Self::DeskRemoved => "Desk removed",
        }
    }

    /// The reverse of [`What::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.as_str() == word)
    }
}

impl Access {
    /// What is written down of a change that others make, together with it.
    pub fn entry(
        &self,
        who: &Who,
        what: What,
        subject: impl Into<String>,
        detail: impl Into<String>,
    ) -> AuditEntry {
        AuditEntry {
            at: self.now(),
            who: who.name(),
            account: who.account(),
            what: what.as_str().to_owned(),
            subject: subject.into(),
            detail: detail.into(),
        }
    }

    /// Writes down what someone did by hand: what it was done to, and how.
    ///
    /// # Errors
    /// The store fails.
    pub async fn write_down(
        &self,
        who: &Who,
        what: What,
        subject: &str,
        detail: &str,
    ) -> Result<(), AccessError> {
        let entry = self.entry(who, what, subject, detail);
        Ok(self.store().add_audit(entry).await?)
    }

    /// Reads the audit log, newest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn audit(
        &self,
        _by: &Granted<ReadAudit>,
        filter: &AuditFilter,
    ) -> Result<Vec<AuditView>, AccessError> {
        Ok(self.store().audit(filter).await?)
    }
}
