//! What may be done, as types.

use std::marker::PhantomData;

use crate::role::{Person, ProjectRef, Role, RoleKind};
use crate::tokens::Scope;

/// Something that not everyone may do.
pub trait Permission: Send + Sync + 'static {
    /// What it is, to end the sentence “Your role does not allow you to …”.
    const TO: &'static str;
    /// The least role that has it.
    const LEAST: RoleKind;
    /// The scope that a token needs for it; `None`: no token may.
    const SCOPE: Option<Scope>;
}

macro_rules! permission {
    ($(#[$doc:meta])* $name:ident, $to:literal, $least:ident, $scope:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl Permission for $name {
            const TO: &'static str = $to;
            const LEAST: RoleKind = RoleKind::$least;
            const SCOPE: Option<Scope> = $scope;
        }
    };
}

permission! {
    /// Look at connections, deliveries, links and problems.
    Look, "look at this", Viewer, Some(Scope::Read)
}
permission! {
    /// Change one's own password, sessions and second factor; on pages tokens, too.
    OwnAccount, "change an account", Viewer, Some(Scope::Account)
}
permission! {
    /// Link and unlink conversations.
    ChangeLinks, "link and unlink conversations", Agent, Some(Scope::Links)
}
permission! {
    /// Move, assign, label, merge and split feedback tickets, and make issues of them.
    Triage, "work on feedback", Agent, Some(Scope::Feedback)
}
permission! {
    /// Switch feedback on and off, choose its tags, and take in what was tagged before.
    ManageProducts, "manage products", Administrator, Some(Scope::Feedback)
}
permission! {
    /// Write internal notes into linked conversations.
    WriteNotes, "write notes into conversations", Agent, Some(Scope::Notes)
}
permission! {
    /// Answer customers in linked conversations.
    AnswerCustomers, "answer customers", Agent, Some(Scope::Answers)
}
permission! {
    /// Decide about messages that reached nobody, and about end users.
    ChangeTalks, "decide about messages and end users", Agent, Some(Scope::Talks)
}
permission! {
    /// Send a test message to a telephone number.
    SendTests, "send test messages", Administrator, None
}
permission! {
    /// Decide deliveries again.
    Replay, "decide deliveries again", ProjectAdministrator, Some(Scope::Replay)
}
permission! {
    /// Decide all deliveries since a time again.
    ReplayAll, "decide all deliveries since a time again", Administrator, Some(Scope::Replay)
}
permission! {
    /// Look at deliveries as they came: they may hold what not everyone may read in Jira.
    SeePayloads, "see what a delivery said", Administrator, None
}
permission! {
    /// Look at what attempts sent and were answered.
    SeeCalls, "see what attempts sent and were answered", Administrator, Some(Scope::Read)
}
permission! {
    /// Add people, change their roles, end their sessions.
    ManagePeople, "manage people", Administrator, Some(Scope::People)
}
permission! {
    /// Look at the people and companies that were copied from Intercom.
    SeeContacts, "see contacts", Agent, Some(Scope::Contacts)
}
permission! {
    /// Edit contacts, merge them, and decide who somebody is.
    EditContacts, "edit contacts", Agent, Some(Scope::Contacts)
}
permission! {
    /// Switch the copying of contacts, import, export and erase them.
    ManageContacts, "switch, import, export and erase contacts", Administrator, Some(Scope::Contacts)
}
permission! {
    /// Read the audit log.
    ReadAudit, "read the audit log", Administrator, Some(Scope::Audit)
}

permission! {
    /// Connect sites and workspaces, change their credentials, remove them.
    ManageConnections, "manage connections", Administrator, Some(Scope::Settings)
}
permission! {
    /// Join projects to workspaces and change what is told.
    ChangeBindings, "change the settings of projects", ProjectAdministrator, Some(Scope::Settings)
}

/// Who asks for something.
#[derive(Clone, Debug)]
pub enum Who {
    /// Someone who is signed in.
    Person(Person),
    /// A script with a token: what its owner may, within the token's scopes.
    Token {
        /// The owner.
        person: Person,
        /// The token's name.
        name: String,
        /// What it may do.
        scopes: Vec<Scope>,
    },
    /// Someone for whom a page that frames the issue panel speaks, within one issue.
    Guest {
        /// What that page calls them.
        name: String,
        /// What they may do, of what an agent may.
        scopes: Vec<Scope>,
    },
    /// Someone at the computer itself, who may do everything.
    CommandLine,
}

impl Who {
    /// The proof that they may do something, or `None`.
    pub fn granted<P: Permission>(&self) -> Option<Granted<P>> {
        self.may::<P>().then(|| Granted {
            who: self.clone(),
            what: PhantomData,
        })
    }

    /// May they do something?
    pub fn may<P: Permission>(&self) -> bool {
        match self {
            Self::Person(person) => person.role.kind() >= P::LEAST,
            Self::Token { person, scopes, .. } => {
                person.role.kind() >= P::LEAST
                    && P::SCOPE.is_some_and(|scope| scopes.contains(&scope))
            }
            Self::Guest { scopes, .. } => {
                // They have no account.
                P::LEAST <= RoleKind::Agent
                    && P::SCOPE
                        .is_some_and(|scope| scope != Scope::Account && scopes.contains(&scope))
            }
            Self::CommandLine => true,
        }
    }

    /// The words for the audit log.
    pub fn name(&self) -> String {
        match self {
            Self::Person(person) => person.email.clone(),
            Self::Token { person, name, .. } => format!("{} by the token “{name}”", person.email),
            Self::Guest { name, .. } => format!("{name} by a panel in a frame"),
            Self::CommandLine => "the command line".to_owned(),
        }
    }

    /// The account, if it is one.
    pub fn account(&self) -> Option<i64> {
        self.person().map(|person| person.id)
    }

    /// The person behind it, if there is one.
    pub fn person(&self) -> Option<&Person> {
        match self {
            Self::Person(person) | Self::Token { person, .. } => Some(person),
            Self::Guest { .. } | Self::CommandLine => None,
        }
    }

    /// Do they administer this project (`None`: everything)?
    pub fn administers(&self, project: Option<&ProjectRef>) -> bool {
        match self {
            Self::Person(person) | Self::Token { person, .. } => person.role.administers(project),
            Self::Guest { .. } => false,
            Self::CommandLine => true,
        }
    }

    /// May they make this role, or take it away?
    pub(crate) fn may_give(&self, role: &Role) -> bool {
        match self {
            Self::Person(person) | Self::Token { person, .. } => {
                person.role == Role::Owner || *role != Role::Owner
            }
            Self::Guest { .. } => false,
            Self::CommandLine => true,
        }
    }
}

/// The proof that someone may do something.
#[derive(Clone, Debug)]
pub struct Granted<P: Permission> {
    who: Who,
    what: PhantomData<P>,
}

impl<P: Permission> Granted<P> {
    /// Who.
    pub fn who(&self) -> &Who {
        &self.who
    }
}

impl Granted<Replay> {
    /// Does it hold for a delivery of this project? One of no known project is for those who
    /// administer everything.
    pub fn covers(&self, project: Option<&ProjectRef>) -> bool {
        self.who.administers(project)
    }
}

impl Granted<ChangeBindings> {
    /// Does it hold for this project?
    pub fn covers(&self, project: &ProjectRef) -> bool {
        self.who.administers(Some(project))
    }
}

#[cfg(test)]
mod talk_tests {
    use super::*;

    #[test]
    fn agents_decide_about_messages_and_viewers_do_not() {
        let who = |role| {
            Who::Person(Person {
                id: 1,
                email: "ana@example.com".to_owned(),
                name: "Ana".to_owned(),
                role,
            })
        };
        assert!(!who(Role::Viewer).may::<ChangeTalks>());
        assert!(who(Role::Agent).may::<ChangeTalks>());
        assert!(!who(Role::Agent).may::<SendTests>());
        assert!(who(Role::Administrator).may::<SendTests>());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn person(role: Role) -> Person {
        Person {
            id: 1,
            email: "ana@example.com".to_owned(),
            name: "Ana".to_owned(),
            role,
        }
    }

    fn rights(who: &Who) -> [bool; 11] {
        [
            who.may::<Look>(),
            who.may::<OwnAccount>(),
            who.may::<ChangeLinks>(),
            who.may::<Replay>(),
            who.may::<SeePayloads>(),
            who.may::<ManagePeople>(),
            who.may::<ReadAudit>(),
            who.may::<WriteNotes>(),
            who.may::<AnswerCustomers>(),
            who.may::<ManageConnections>(),
            who.may::<ChangeBindings>(),
        ]
    }

    #[test]
    fn each_role_may_what_it_is_for() {
        let some = Role::ProjectAdministrator(BTreeSet::new());
        for (role, wanted) in [
            (
                Role::Viewer,
                [
                    true, true, false, false, false, false, false, false, false, false, false,
                ],
            ),
            (
                Role::Agent,
                [
                    true, true, true, false, false, false, false, true, true, false, false,
                ],
            ),
            (
                some,
                [
                    true, true, true, true, false, false, false, true, true, false, true,
                ],
            ),
            (Role::Administrator, [true; 11]),
            (Role::Owner, [true; 11]),
        ] {
            let who = Who::Person(person(role.clone()));
            assert_eq!(rights(&who), wanted, "{role}");
        }
        assert_eq!(rights(&Who::CommandLine), [true; 11]);
    }

    #[test]
    fn a_guest_may_what_an_agent_may_and_what_is_said() {
        let guest = |scopes: &[Scope]| Who::Guest {
            name: "lena@example.com".to_owned(),
            scopes: scopes.to_vec(),
        };
        assert_eq!(
            rights(&guest(&Scope::ALL)),
            [
                true, false, true, false, false, false, false, true, true, false, false
            ]
        );
        assert_eq!(
            rights(&guest(&[Scope::Read, Scope::Notes])),
            [
                true, false, false, false, false, false, false, true, false, false, false
            ]
        );
        assert!(!guest(&Scope::ALL).administers(None));
        assert!(!guest(&Scope::ALL).may_give(&Role::Viewer));
    }

    #[test]
    fn a_token_may_what_both_it_and_its_owner_may() {
        let token = |role, scopes: &[Scope]| Who::Token {
            person: person(role),
            name: "script".to_owned(),
            scopes: scopes.to_vec(),
        };
        assert_eq!(
            rights(&token(Role::Owner, &Scope::ALL)),
            [
                true, true, true, true, false, true, true, true, true, true, true
            ]
        );
        assert_eq!(
            rights(&token(Role::Viewer, &Scope::ALL)),
            [
                true, true, false, false, false, false, false, false, false, false, false
            ]
        );
        assert_eq!(rights(&token(Role::Owner, &[])), [false; 11]);
    }

    #[test]
    fn only_owners_give_and_take_the_role_of_owner() {
        assert!(Who::Person(person(Role::Owner)).may_give(&Role::Owner));
        assert!(!Who::Person(person(Role::Administrator)).may_give(&Role::Owner));
        assert!(Who::Person(person(Role::Administrator)).may_give(&Role::Administrator));
        assert!(Who::CommandLine.may_give(&Role::Owner));
    }
}
