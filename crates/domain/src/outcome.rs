//! What became of an event, in words.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What became of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How many effects it made.
    pub effects: usize,
    /// Why nothing, or not more, was done.
    pub reasons: Vec<Reason>,
}

impl Outcome {
    /// Nothing was done, for this reason.
    pub fn nothing(reason: Reason) -> Self {
        Self {
            effects: 0,
            reasons: vec![reason],
        }
    }

    /// Adds a reason unless it is there already.
    pub fn because(&mut self, reason: Reason) {
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

/// Why nothing was posted. Each has a code that does not change and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum Reason {
    /// No conversation is linked to the issue.
    NotLinked,
    /// The project is not bound to a workspace.
    NotBound {
        /// The project.
        project: String,
    },
    /// Conversation linking is off for the project.
    LinkingOff {
        /// The project.
        project: String,
    },
    /// The project is muted: links are followed, and nothing is told.
    Muted {
        /// The project.
        project: String,
    },
    /// The settings do not ask for a note or for re-opening on this.
    RuleOff {
        /// What happened: created, assigned, commented, transitioned.
        trigger: String,
    },
    /// The comment is for some people only.
    RestrictedComment,
    /// The issue has a security level.
    SecurityLevel,
    /// The comment does not pass the binding's filter.
    FilteredOut,
    /// It happened before the conversation was linked.
    BeforeLink,
    /// The same fact was dealt with before.
    AlreadyHandled,
    /// It is the echo of something that Bowline wrote.
    Echo,
    /// It tells that a record which Bowline keeps at the issue was written. Jira does not say by whom.
    RecordWritten {
        /// The property that holds the record.
        property: String,
    },
    /// Bowline does not follow this kind of event.
    NotFollowed {
        /// The kind.
        what: String,
    },
    /// Jira does not show the issue to Bowline's account, or it is deleted.
    IssueGone,
    /// Jira has stopped showing the issue, though it shows the project: its links ended.
    IssueUnseen,
    /// Jira does not show the issue, and not the project either: its links are kept.
    ProjectUnseen {
        /// The project.
        project: String,
    },
    /// Jira shows the issue again whose links had ended because it did not.
    SeenAgain,
    /// The comment was gone when it was read.
    CommentGone,
    /// The issue is still there, although an event said it was deleted.
    StillThere,
    /// An address names another workspace than the one that the project is joined to.
    OtherWorkspace {
        /// The workspace that is named.
        named: String,
    },
    /// An address names a workspace, and the code of the one that the project is joined to is not
    /// known yet.
    WorkspaceUnknown {
        /// The workspace that is named.
        named: String,
    },
    /// The link is older than the connection; it was taken over silently.
    TakenOver,
    /// Nothing that matters to a conversation was changed.
    NothingChanged,
    /// The links changed and nothing needs telling.
    LinksFollowed,
    /// The conversation was merged into another one, which the link leads to now.
    Merged {
        /// The conversation that goes on.
        into: String,
    },
    /// The notify address was called and asked for neither a note nor re-opening.
    NothingAsked,
    /// The issue is in a project that is not bound to the workspace of its links; they are kept
    /// and silent.
    KeptSilent {
        /// The project.
        project: String,
    },
    /// The delivery says too little to know which issue is meant.
    NoIssue,
    /// The connection answered the far side's test.
    Ping,
    /// The event was put into the queue of the issue that it turned out to be about.
    HandedOn {
        /// The issue, or the issues.
        key: String,
    },
    /// No desk serves the channel that a message came in by.
    ChannelNotServed {
        /// The channel.
        channel: String,
    },
    /// The desk of a conversation is not in use any more: what is answered there waits.
    DeskGone {
        /// The desk.
        desk: String,
    },
    /// The sender is on the block list.
    SenderBlocked,
    /// The sender began more requests within an hour than the desk allows.
    TooManyRequests,
    /// The message shows nobody whom an answer could go to.
    NoSender,
    /// The conversation of the request is closed.
    ConversationClosed,
    /// The comment is internal or restricted; the end user never gets it.
    NotForTheCustomer,
    /// Service Management does not know the issue as a request, so nothing says who may read the
    /// comment.
    NotARequest,
    /// The comment was written by a customer.
    ByCustomer,
    /// The desk tells nothing of this status.
    StatusNotTold {
        /// The status.
        status: String,
    },
    /// The status held no more when it could have been told.
    StatusSuperseded {
        /// The status.
        status: String,
        /// The status since.
        by: String,
    },
    /// The message about a status waited until that held no more.
    StatusOvertaken {
        /// The status since.
        by: String,
    },
    /// The platform takes no answer until the end user writes again.
    ReplyWindowClosed,
    /// The comment says nothing that could be sent.
    NothingToSend,
    /// What the provider reports of a message was noted.
    ReportNoted,
    /// The provider reports of something that Bowline knows nothing of.
    NotOurs,
    /// The provider's conversation is not the one that is active.
    OtherConversation,
    /// The provider's conversation that was said to be archived is open.
    ConversationOpen,
    /// The message cannot be sent again: it is on its way, or arrived.
    NotSentAgain,
    /// No approved message is configured that could be sent after the reply window.
    NoTemplate,
    /// The reply window is open: an ordinary answer reaches the end user.
    ReplyWindowOpen,
    /// A person decided that a message is not to be sent again.
    LetBe,
    /// Nothing is new in the request.
    NothingNew,
    /// Contacts of the workspace are not copied.
    ContactsOff,
    /// Contacts of the workspace are copied, and their changes are not followed.
    ContactUpdatesOff,
    /// The app may not read contacts and companies.
    ContactsForbidden,
    /// What is known of the contact or company was brought up to date.
    ContactFollowed {
        /// The kind of event.
        what: String,
    },
    /// A ticket was made.
    TicketMade {
        /// The product.
        product: String,
    },
    /// No product counts a tag of the conversation as feedback.
    TagNotChosen,
    /// The message has its ticket already.
    TicketKnown,
    /// The tag was put there before its product began to count it.
    TaggedBefore {
        /// The product.
        product: String,
    },
    /// Intercom does not say when the tag was put there.
    TagTimeUnknown,
    /// The conversation is tagged as a whole, and the customer has said nothing in it.
    NothingFromCustomer,
    /// What was feedback was erased in Intercom, and is erased here.
    FeedbackErased,
    /// Tags on tickets were brought up to date.
    TagsFollowed,
    /// The product tells nothing to conversations of this status.
    FeedbackNoteOff {
        /// The status.
        status: String,
    },
    /// The status of tickets followed their issue.
    TicketsFollowed,
    /// Tickets went to the contact that theirs was merged into.
    TicketsMoved,
    /// Intercom does not show a contact who gave feedback, nor anybody else.
    PersonInDoubt,
    /// The backfill that asked for it was cancelled.
    BackfillOver,
    /// A person said what became of a send that was held.
    SettledByHand {
        /// Who.
        by: String,
    },
}

impl Reason {
    /// Is it about feedback: what a tag came to, or what became of a ticket?
    pub fn is_about_feedback(&self) -> bool {
        matches!(
            self,
            Self::TicketMade { .. }
                | Self::TagNotChosen
                | Self::TicketKnown
                | Self::TaggedBefore { .. }
                | Self::TagTimeUnknown
                | Self::NothingFromCustomer
                | Self::FeedbackErased
                | Self::TagsFollowed
                | Self::FeedbackNoteOff { .. }
                | Self::TicketsFollowed
                | Self::TicketsMoved
                | Self::BackfillOver
        )
    }

    /// A word for storage, filters and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotLinked => "not_linked",
            Self::NotBound { .. } => "not_bound",
            Self::LinkingOff { .. } => "linking_off",
            Self::Muted { .. } => "muted",
            Self::RuleOff { .. } => "rule_off",
            Self::RestrictedComment => "restricted_comment",
            Self::SecurityLevel => "security_level",
            Self::FilteredOut => "filtered_out",
            Self::BeforeLink => "before_link",
            Self::AlreadyHandled => "already_handled",
            Self::Echo => "echo",
            Self::RecordWritten { .. } => "record_written",
            Self::NotFollowed { .. } => "not_followed",
            Self::IssueGone => "issue_gone",
            Self::IssueUnseen => "issue_unseen",
            Self::ProjectUnseen { .. } => "project_unseen",
            Self::SeenAgain => "seen_again",
            Self::CommentGone => "comment_gone",
            Self::StillThere => "still_there",
            Self::OtherWorkspace { .. } => "other_workspace",
            Self::WorkspaceUnknown { .. } => "workspace_unknown",
            Self::TakenOver => "taken_over",
            Self::NothingChanged => "nothing_changed",
            Self::LinksFollowed => "links_followed",
            Self::Merged { .. } => "merged",
            Self::NothingAsked => "nothing_asked",
            Self::KeptSilent { .. } => "kept_silent",
            Self::NoIssue => "no_issue",
            Self::Ping => "ping",
            Self::HandedOn { .. } => "handed_on",
            Self::ChannelNotServed { .. } => "channel_not_served",
            Self::DeskGone { .. } => "desk_gone",
            Self::SenderBlocked => "sender_blocked",
            Self::TooManyRequests => "too_many_requests",
            Self::NoSender => "no_sender",
            Self::ConversationClosed => "conversation_closed",
            Self::NotForTheCustomer => "not_for_the_customer",
            Self::NotARequest => "not_a_request",
            Self::ByCustomer => "by_customer",
            Self::StatusNotTold { .. } => "status_not_told",
            Self::StatusSuperseded { .. } => "status_superseded",
            Self::StatusOvertaken { .. } => "status_overtaken",
            Self::ReplyWindowClosed => "reply_window_closed",
            Self::NothingToSend => "nothing_to_send",
            Self::ReportNoted => "report_noted",
            Self::NotOurs => "not_ours",
            Self::OtherConversation => "other_conversation",
            Self::ConversationOpen => "conversation_open",
            Self::NotSentAgain => "not_sent_again",
            Self::NoTemplate => "no_template",
            Self::ReplyWindowOpen => "reply_window_open",
            Self::LetBe => "let_be",
            Self::NothingNew => "nothing_new",
            Self::ContactsOff => "contacts_off",
            Self::ContactUpdatesOff => "contact_updates_off",
            Self::ContactsForbidden => "contacts_forbidden",
            Self::ContactFollowed { .. } => "contact_followed",
            Self::TicketMade { .. } => "ticket_made",
            Self::TagNotChosen => "tag_not_chosen",
            Self::TicketKnown => "ticket_known",
            Self::TaggedBefore { .. } => "tagged_before",
            Self::TagTimeUnknown => "tag_time_unknown",
            Self::NothingFromCustomer => "nothing_from_customer",
            Self::FeedbackErased => "feedback_erased",
            Self::TagsFollowed => "tags_followed",
            Self::FeedbackNoteOff { .. } => "feedback_note_off",
            Self::TicketsFollowed => "tickets_followed",
            Self::TicketsMoved => "tickets_moved",
            Self::PersonInDoubt => "person_in_doubt",
            Self::BackfillOver => "backfill_over",
            Self::SettledByHand { .. } => "settled_by_hand",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLinked => f.write_str(
                "No conversation is linked to the issue. Paste a conversation's address in its \
                 description or a comment to link one.",
            ),
            Self::NotBound { project } => write!(
                f,
                "The project {project} is not joined to a workspace. Whoever administers it joins \
                 it on the page Projects."
            ),
            Self::Muted { project } => write!(
                f,
                "The project {project} is muted: links are followed and nothing is told. A project \
                 administrator unmutes it in its settings."
            ),
            Self::LinkingOff { project } => write!(
                f,
                "Conversation linking is switched off for the project {project}."
            ),
            Self::RuleOff { trigger } => write!(
                f,
                "The project's settings ask for neither a note nor re-opening when an issue is \
                 {trigger}."
            ),
            Self::RestrictedComment => f.write_str(
                "The comment is internal or restricted to a role or group. Such comments are \
                 never forwarded.",
            ),
            Self::SecurityLevel => f.write_str(
                "The issue has a security level. Issues that not everyone may see are never \
                 forwarded.",
            ),
            Self::FilteredOut => {
                f.write_str("The comment does not pass the comment filter of the project.")
            }
            Self::BeforeLink => f.write_str("It happened before the conversation was linked."),
            Self::AlreadyHandled => {
                f.write_str("The same change was told by another delivery and dealt with then.")
            }
            Self::Echo => f.write_str("It is the echo of something that Bowline wrote itself."),
            Self::RecordWritten { property } => write!(
                f,
                "A record that Bowline keeps at the issue (the property “{property}”) was written, \
                 as it is whenever links or feedback change. It tells nothing new: links follow the \
                 addresses in the issue."
            ),
            Self::NotFollowed { what } => write!(f, "Bowline does not follow “{what}”."),
            Self::IssueGone => f.write_str(
                "Jira does not show the issue: it was deleted, or Bowline's Jira account may not \
                 see it.",
            ),
            Self::IssueUnseen => f.write_str(
                "Jira has stopped showing the issue, though it shows the project: the issue was \
                 deleted, or it is hidden from Bowline's Jira account, for example by a security \
                 level. Its links ended. They come back when Jira shows it again.",
            ),
            Self::ProjectUnseen { project } => write!(
                f,
                "Jira shows neither the issue nor its project {project} to Bowline's Jira \
                 account. The links are kept, because a permission may be about to come back. A \
                 Jira administrator can give the account Browse Projects in it."
            ),
            Self::SeenAgain => {
                f.write_str("Jira shows the issue again. Its links live again, without a note.")
            }
            Self::CommentGone => f.write_str(
                "The comment was gone when Bowline read it: deleted since, or hidden from \
                 Bowline's Jira account.",
            ),
            Self::StillThere => f.write_str(
                "The event says that the issue was deleted, but Jira still has it. Its links stay.",
            ),
            Self::OtherWorkspace { named } => write!(
                f,
                "The address names the workspace {named}, which is not the one that the project \
                 is joined to. No link was made."
            ),
            Self::WorkspaceUnknown { named } => write!(
                f,
                "The address names the workspace {named}. Whether the project is joined to that \
                 one is not known until the connection to Intercom has worked once. The issue is \
                 looked through again with its next event after that."
            ),
            Self::TakenOver => f.write_str(
                "The address is older than the connection. The link was taken over without a note.",
            ),
            Self::NothingChanged => {
                f.write_str("Nothing was changed that a linked conversation is told of.")
            }
            Self::NothingAsked => f.write_str("The call asked for neither a note nor re-opening."),
            Self::LinksFollowed => f.write_str("The issue's links were brought up to date."),
            Self::Merged { into } => write!(
                f,
                "The conversation was merged into the conversation {into} in Intercom. The link \
                 leads there now, and notes go there."
            ),
            Self::KeptSilent { project } => write!(
                f,
                "The issue is now in the project {project}, which is not joined to the workspace \
                 of its conversations. Its links are kept, and silent until it comes back or the \
                 project is joined."
            ),
            Self::NoIssue => f.write_str("The delivery does not say which issue it is about."),
            Self::Ping => f.write_str("The far side tested the webhook; it works."),
            Self::HandedOn { key } => {
                write!(
                    f,
                    "It was handed on to the queue of the issue {key}, as an event there."
                )
            }
            Self::ChannelNotServed { channel } => write!(
                f,
                "The message came in by the channel {channel}, which no desk serves. An \
                 administrator can add it to a desk."
            ),
            Self::DeskGone { desk } => write!(
                f,
                "The desk “{desk}” of this conversation is not in use any more. What was answered \
                 waits, and the agents were told. An administrator can make the desk again; it is \
                 sent then."
            ),
            Self::SenderBlocked => f.write_str(
                "The sender is on the block list. An administrator can take them off it.",
            ),
            Self::TooManyRequests => f.write_str(
                "The sender began as many requests within an hour as the desk allows \
                 (requests_per_hour). No further one was made.",
            ),
            Self::NoSender => f.write_str(
                "The message does not say who sent it, so that no answer could reach them.",
            ),
            Self::ConversationClosed => f.write_str(
                "The conversation of the request is closed. Nothing reaches the customer by it any \
                 more.",
            ),
            Self::NotForTheCustomer => f.write_str(
                "The comment is internal or restricted, or Jira does not say that it is public. \
                 Such comments never reach the customer.",
            ),
            Self::NotARequest => f.write_str(
                "Service Management does not know the issue as a request: it was moved to a \
                 project that is no service project, or Bowline's Jira account is no agent there. \
                 Nothing says then which comments the customer may read, so none is sent. The \
                 agents were told in the issue. Move it to a service project, with a request type.",
            ),
            Self::ByCustomer => f.write_str(
                "The comment was written by a customer or participant in the portal. Only what \
                 agents write is sent.",
            ),
            Self::StatusNotTold { status } => write!(
                f,
                "The desk's settings tell the customer nothing of the status “{status}”."
            ),
            Self::StatusSuperseded { status, by } => write!(
                f,
                "No desk served the conversation when the status became “{status}”. By now it is \
                 “{by}”, so the customer is told only that."
            ),
            Self::StatusOvertaken { by } => write!(
                f,
                "The message about the status could not be sent while that held. By now it is \
                 “{by}”, so the customer is told only that."
            ),
            Self::ReplyWindowClosed => f.write_str(
                "The customer last wrote too long ago: the platform takes an answer only after \
                 they have written again. The agent was told in the request.",
            ),
            Self::NothingToSend => f.write_str("The comment has no text that could be sent."),
            Self::ReportNoted => f.write_str("What the provider reports of the message was noted."),
            Self::NotOurs => f.write_str(
                "The provider reports of a message or conversation that Bowline has nothing to do \
                 with.",
            ),
            Self::OtherConversation => f.write_str(
                "The provider's conversation is not the one that is active with this customer.",
            ),
            Self::ConversationOpen => f.write_str(
                "The provider's conversation was archived for a moment and is open again; the talk \
                 goes on in it.",
            ),
            Self::NotSentAgain => f.write_str(
                "The message was not sent again: it is on its way or arrived, or its conversation \
                 is closed.",
            ),
            Self::NoTemplate => f.write_str(
                "The desk has no approved message (window_template) that could be sent after the \
                 reply window.",
            ),
            Self::ReplyWindowOpen => f.write_str(
                "The customer can be answered now: a public comment reaches them. No approved \
                 message was sent.",
            ),
            Self::LetBe => f.write_str(
                "A person decided that the message is not to be sent again. That was noted.",
            ),
            Self::NothingNew => f.write_str("Nothing in the request is new."),
            Self::ContactsOff => f.write_str(
                "Contacts of this workspace are not copied. An administrator can switch that on \
                 on the page “Contacts”.",
            ),
            Self::ContactUpdatesOff => f.write_str(
                "Changes of contacts are not followed: the settings ask for new contacts only. An \
                 administrator can change that.",
            ),
            Self::ContactsForbidden => f.write_str(
                "Intercom does not let Bowline read contacts and companies, so the change was not \
                 followed. In Intercom's Developer Hub the app needs “Read and list users and \
                 companies” and “Read one user and one company”; then everything is to be copied \
                 again.",
            ),
            Self::ContactFollowed { what } => write!(
                f,
                "What Bowline knows of the contact or company was brought up to date ({what}). \
                 Nothing is posted for that."
            ),
            Self::TicketMade { product } => write!(
                f,
                "A ticket was made in the feedback inbox of {product}. Nothing is posted for that."
            ),
            Self::TagNotChosen => f.write_str(
                "No product counts a tag of the conversation as feedback. An administrator can \
                 choose it on the product's Feedback tab.",
            ),
            Self::TicketKnown => f.write_str(
                "The tagged message has its ticket already; a message gets one for each product.",
            ),
            Self::TaggedBefore { product } => write!(
                f,
                "The tag was put there before {product} began to count it. Older tags are taken \
                 in by a backfill, which an administrator starts on the product's page."
            ),
            Self::TagTimeUnknown => f.write_str(
                "Intercom does not say when the tag was put there, so that it may be older than \
                 its product's feedback. Take the tag off and put it on again to have a ticket.",
            ),
            Self::NothingFromCustomer => f.write_str(
                "The conversation is tagged as a whole, and the customer has written nothing in \
                 it yet. Tag a message to have a ticket.",
            ),
            Self::FeedbackErased => f.write_str(
                "The message, the conversation or the contact was erased in Intercom. What was \
                 kept of it here was erased too.",
            ),
            Self::TagsFollowed => {
                f.write_str("The tags of feedback tickets were brought up to date.")
            }
            Self::FeedbackNoteOff { status } => write!(
                f,
                "The product's settings ask for no note when feedback is {status}."
            ),
            Self::TicketsFollowed => {
                f.write_str("Feedback tickets were moved along with their issue.")
            }
            Self::TicketsMoved => f.write_str(
                "The contact was merged into another one in Intercom. Their feedback belongs to \
                 the one that stays.",
            ),
            Self::PersonInDoubt => f.write_str(
                "Intercom does not show this contact, nor anybody else who is asked for in the \
                 same way. So nothing was erased. An administrator checks in Intercom that the \
                 app may read users; it is looked again in a day.",
            ),
            Self::BackfillOver => f.write_str(
                "The backfill that asked for this conversation was cancelled before its turn.",
            ),
            Self::SettledByHand { by } => write!(
                f,
                "{by} said what became of a message that was held; nothing was to be sent."
            ),
        }
    }
}
