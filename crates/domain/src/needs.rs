//! What a workspace has to be given in Intercom for what is in use there: topics of the webhook,
//! permissions of the app. The command `check`, the pages and the REST API tell it from here.
//!
//! Topics: Intercom's list of webhook topics, whose spelling is kept (`contact.unarchive`).
//! Permissions: as the Developer Hub calls them.

/// Something that Bowline does with a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Links, and notes about their issues.
    Linking,
    /// The panel shows who is behind an issue.
    Panel,
    /// Tagged messages become tickets.
    Feedback,
    /// Contacts and companies are copied.
    Contacts,
}

impl Use {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 4] = [Self::Linking, Self::Panel, Self::Feedback, Self::Contacts];

    /// What it is called where something is said to be needed for it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Linking => "linking",
            Self::Panel => "the panel",
            Self::Feedback => "feedback",
            Self::Contacts => "contacts",
        }
    }

    /// Does it work on without what is missing, only with less to show?
    pub fn is_lenient(self) -> bool {
        self == Self::Panel
    }
}

/// What is in use in a workspace. Linking and the panel always are.
pub fn in_use(feedback: bool, contacts: bool) -> Vec<Use> {
    let all = Use::ALL.into_iter();
    all.filter(|one| match one {
        Use::Linking | Use::Panel => true,
        Use::Feedback => feedback,
        Use::Contacts => contacts,
    })
    .collect()
}

/// A permission of the app in Intercom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// To read conversations.
    ReadConversations,
    /// To write notes, to open and to snooze.
    WriteConversations,
    /// To know the teammates.
    ReadAdmins,
    /// To know which tags there are.
    ReadTags,
    /// To read one person or company.
    ReadPeople,
    /// To list and to search people and companies.
    ListPeople,
}

impl Permission {
    /// Its name in the Developer Hub.
    pub fn title(self) -> &'static str {
        match self {
            Self::ReadConversations => "Read conversations",
            Self::WriteConversations => "Write conversations",
            Self::ReadAdmins => "Read admins",
            Self::ReadTags => "Read tags",
            Self::ReadPeople => "Read one user and one company",
            Self::ListPeople => "Read and list users and companies",
        }
    }

    /// What one use needs it for; empty if it does not need it.
    pub fn purpose(self, wanted: Use) -> &'static str {
        let all = PERMISSIONS.iter();
        all.filter(|(one, used, _)| *one == self && *used == wanted)
            .map(|(.., why)| *why)
            .next()
            .unwrap_or_default()
    }
}

static PERMISSIONS: &[(Permission, Use, &str)] = {
    use Permission::{
        ListPeople, ReadAdmins, ReadConversations, ReadPeople, ReadTags, WriteConversations,
    };
    &[
        (
            ReadConversations,
            Use::Linking,
            "to read linked conversations",
        ),
        (
            WriteConversations,
            Use::Linking,
            "to write notes and to open conversations",
        ),
        (
            ReadAdmins,
            Use::Linking,
            "to know as whom notes are written",
        ),
        (ReadPeople, Use::Panel, "to show who is behind an issue"),
        (
            ListPeople,
            Use::Panel,
            "to find the reporter of an issue by their address",
        ),
        (
            ReadTags,
            Use::Feedback,
            "to list the tags that may count as feedback",
        ),
        (ReadConversations, Use::Feedback, "to read what was tagged"),
        (
            ReadPeople,
            Use::Feedback,
            "to know who gave it, and for which company",
        ),
        (
            ListPeople,
            Use::Contacts,
            "to go through all contacts and companies",
        ),
        (
            ReadPeople,
            Use::Contacts,
            "to read who changed, and their companies",
        ),
    ]
};

static TOPICS: &[(&str, Use, &str)] = &[
    (
        "conversation.admin.noted",
        Use::Linking,
        "a note links, or is a command",
    ),
    (
        "conversation.admin.closed",
        Use::Linking,
        "the issue shows the conversation's state",
    ),
    (
        "conversation.admin.opened",
        Use::Linking,
        "the issue shows the conversation's state",
    ),
    (
        "conversation.admin.snoozed",
        Use::Linking,
        "the issue shows the conversation's state",
    ),
    (
        "conversation.admin.unsnoozed",
        Use::Linking,
        "the issue shows the conversation's state",
    ),
    (
        "conversation.user.replied",
        Use::Linking,
        "the issue shows the conversation's state",
    ),
    ("conversation.deleted", Use::Linking, "its links end"),
    (
        "conversation_part.tag.created",
        Use::Feedback,
        "a tagged message becomes a ticket",
    ),
    (
        "conversation_part.redacted",
        Use::Feedback,
        "its text is erased here too",
    ),
    (
        "conversation.deleted",
        Use::Feedback,
        "its tickets are erased here too",
    ),
    (
        "contact.deleted",
        Use::Feedback,
        "their feedback is erased here too",
    ),
    (
        "contact.merged",
        Use::Feedback,
        "their feedback goes to the contact that stays",
    ),
    (
        "contact.user.created",
        Use::Contacts,
        "somebody new is copied at once",
    ),
    (
        "contact.lead.created",
        Use::Contacts,
        "somebody new is copied at once",
    ),
    (
        "contact.user.updated",
        Use::Contacts,
        "a change is followed at once",
    ),
    (
        "contact.lead.updated",
        Use::Contacts,
        "a change is followed at once",
    ),
    (
        "contact.lead.signed_up",
        Use::Contacts,
        "a change is followed at once",
    ),
    (
        "contact.lead.added_email",
        Use::Contacts,
        "a change is followed at once",
    ),
    (
        "contact.email.updated",
        Use::Contacts,
        "a change is followed at once",
    ),
    ("contact.merged", Use::Contacts, "they are merged here too"),
    (
        "contact.archived",
        Use::Contacts,
        "they are archived here too",
    ),
    (
        "contact.unarchive",
        Use::Contacts,
        "they come back here too",
    ),
    ("contact.deleted", Use::Contacts, "they are erased here too"),
    (
        "company.created",
        Use::Contacts,
        "a company is followed at once",
    ),
    (
        "company.updated",
        Use::Contacts,
        "a company is followed at once",
    ),
    (
        "company.deleted",
        Use::Contacts,
        "a company is followed at once",
    ),
    (
        "company.contact.attached",
        Use::Contacts,
        "who belongs to it is followed at once",
    ),
    (
        "company.contact.detached",
        Use::Contacts,
        "who belongs to it is followed at once",
    ),
];

/// Something that is needed, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed<T> {
    /// What.
    pub what: T,
    /// Which uses need it.
    pub uses: Vec<Use>,
    /// What for, in words.
    pub why: String,
}

impl<T> Needed<T> {
    /// The uses that need it, in words.
    pub fn for_what(&self) -> String {
        let titles: Vec<&str> = self.uses.iter().map(|one| one.title()).collect();
        match titles.as_slice() {
            [others @ .., last] if !others.is_empty() => {
                format!("{} and {last}", others.join(", "))
            }
            one => one.concat(),
        }
    }

    /// Does each use of it work on without it?
    pub fn is_lenient(&self) -> bool {
        self.uses.iter().all(|one| one.is_lenient())
    }
}

fn needed<T: Copy + PartialEq>(all: &[(T, Use, &str)], uses: &[Use]) -> Vec<Needed<T>> {
    let mut found: Vec<Needed<T>> = Vec::new();
    for (what, used, why) in all.iter().filter(|(_, used, _)| uses.contains(used)) {
        if let Some(known) = found.iter_mut().find(|known| known.what == *what) {
            known.uses.push(*used);
            known.why = format!("{}; {why}", known.why);
        } else {
            found.push(Needed {
                what: *what,
                uses: vec![*used],
                why: (*why).to_owned(),
            });
        }
    }
    found
}

/// The topics of the webhook that these uses need, each once.
pub fn topics(uses: &[Use]) -> Vec<Needed<&'static str>> {
    needed(TOPICS, uses)
}

/// The permissions of the app that these uses need, each once.
pub fn permissions(uses: &[Use]) -> Vec<Needed<Permission>> {
    needed(PERMISSIONS, uses)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn linking_needs_no_more_than_it_did_and_each_use_adds_its_own() {
        let names = |uses: &[Use]| -> Vec<&str> {
            let topics = topics(uses).into_iter();
            topics.map(|topic| topic.what).collect()
        };
        let linking = names(&in_use(false, false));
        assert_eq!(linking.len(), 7);
        assert!(linking.iter().all(|name| name.starts_with("conversation.")));
        let feedback = names(&in_use(true, false));
        assert_eq!(feedback.len(), 11);
        let all = names(&in_use(true, true));
        assert_eq!(all.len(), 25, "{all:?}");
        let once: BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(once.len(), all.len(), "each is told once");
    }

    #[test]
    fn a_permission_is_told_once_with_all_that_it_is_for() {
        let all = permissions(&in_use(true, true));
        assert_eq!(all.len(), 6);
        let people = all.iter().find(|one| one.what == Permission::ReadPeople);
        let people = people.unwrap();
        assert_eq!(people.for_what(), "the panel, feedback and contacts");
        assert!(!people.is_lenient());
        let people = permissions(&in_use(false, false));
        let lenient: Vec<Permission> = people
            .iter()
            .filter(|one| one.is_lenient())
            .map(|one| one.what)
            .collect();
        assert_eq!(lenient, [Permission::ReadPeople, Permission::ListPeople]);
        assert_eq!(Permission::ReadTags.purpose(Use::Contacts), "");
    }
}
