//! People and their roles.

use std::collections::BTreeSet;
use std::fmt;

use bowline_store::access::Account;
use serde::{Deserialize, Serialize};

use crate::AccessError;

/// A Jira project of a site.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProjectRef {
    /// The site's name.
    pub site: String,
    /// The project's key.
    pub project: String,
}

impl ProjectRef {
    /// Reads `site/PROJECT`.
    pub fn read(text: &str) -> Option<Self> {
        let (site, project) = text.trim().split_once('/')?;
        let whole = !site.is_empty() && !project.is_empty() && !project.contains('/');
        whole.then(|| Self {
            site: site.to_owned(),
            project: project.to_owned(),
        })
    }
}

impl fmt::Display for ProjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.site, self.project)
    }
}

/// What a person is here for. Each may do all that those after it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything, other owners included.
    Owner,
    /// Everything but owners.
    Administrator,
    /// All that belongs to these projects.
    ProjectAdministrator(BTreeSet<ProjectRef>),
    /// Links, and answers to customers.
    Agent,
    /// Looks only.
    Viewer,
}

/// A role without the projects that belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleKind {
    /// [`Role::Viewer`]
    Viewer,
    /// [`Role::Agent`]
    Agent,
    /// [`Role::ProjectAdministrator`]
    ProjectAdministrator,
    /// [`Role::Administrator`]
    Administrator,
    /// [`Role::Owner`]
    Owner,
}

impl RoleKind {
    /// All of them, the most powerful first.
    pub const ALL: [Self; 5] = [
        Self::Owner,
        Self::Administrator,
        Self::ProjectAdministrator,
        Self::Agent,
        Self::Viewer,
    ];

    /// The word for storage and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Administrator => "administrator",
            Self::ProjectAdministrator => "project_administrator",
            Self::Agent => "agent",
            Self::Viewer => "viewer",
        }
    }

    /// The words for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Administrator => "Administrator",
            Self::ProjectAdministrator => "Project administrator",
            Self::Agent => "Agent",
            Self::Viewer => "Viewer",
        }
    }

    /// What it is for, in one sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Owner => "Does everything, and makes and removes other owners.",
            Self::Administrator => "Does everything but make and remove owners.",
            Self::ProjectAdministrator => {
                "Looks at everything; changes the settings of the chosen projects and decides their \
                 deliveries again."
            }
            Self::Agent => {
                "Looks at everything; links and unlinks conversations, writes notes, answers customers."
            }
            Self::Viewer => "Looks at everything and changes nothing.",
        }
    }

    /// The reverse of [`RoleKind::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl Role {
    /// A role of this kind; the projects matter to a project administrator only.
    pub fn new(kind: RoleKind, projects: BTreeSet<ProjectRef>) -> Self {
        match kind {
            RoleKind::Owner => Self::Owner,
            RoleKind::Administrator => Self::Administrator,
            RoleKind::ProjectAdministrator => Self::ProjectAdministrator(projects),
            RoleKind::Agent => Self::Agent,
            RoleKind::Viewer => Self::Viewer,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> RoleKind {
        match self {
            Self::Owner => RoleKind::Owner,
            Self::Administrator => RoleKind::Administrator,
            Self::ProjectAdministrator(_) => RoleKind::ProjectAdministrator,
            Self::Agent => RoleKind::Agent,
            Self::Viewer => RoleKind::Viewer,
        }
    }

    /// The projects of a project administrator; none for the others.
    pub fn projects(&self) -> Vec<&ProjectRef> {
        match self {
            Self::ProjectAdministrator(projects) => projects.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Does it administer this project? Without a project: everything?
    pub fn administers(&self, project: Option<&ProjectRef>) -> bool {
        match (self, project) {
            (Self::Owner | Self::Administrator, _) => true,
            (Self::ProjectAdministrator(projects), Some(project)) => projects.contains(project),
            _ => false,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().title())?;
        if let Self::ProjectAdministrator(projects) = self {
            let projects: Vec<String> = projects.iter().map(ToString::to_string).collect();
            write!(f, " of {}", projects.join(", "))?;
        }
        Ok(())
    }
}

/// Someone with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The account's number.
    pub id: i64,
    /// The e-mail address.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they are here for.
    pub role: Role,
}

impl Person {
    /// Of an account as stored.
    ///
    /// # Errors
    /// The account has a role that this version does not know.
    pub fn of(account: &Account) -> Result<Self, AccessError> {
        let kind = RoleKind::from_word(&account.role).ok_or_else(|| AccessError::Unreadable {
            what: "a role",
            detail: account.role.clone(),
        })?;
        let projects =
            serde_json::from_str(&account.projects).map_err(|error| AccessError::Unreadable {
                what: "the projects of an account",
                detail: error.to_string(),
            })?;
        Ok(Self {
            id: account.id,
            email: account.email.clone(),
            name: account.name.clone(),
            role: Role::new(kind, projects),
        })
    }
}

/// The projects of a role as stored.
pub(crate) fn stored_projects(role: &Role) -> String {
    let projects: Vec<String> = role
        .projects()
        .iter()
        .map(|project| {
            serde_json::json!({ "site": project.site, "project": project.project }).to_string()
        })
        .collect();
    format!("[{}]", projects.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_are_read_from_their_short_form() {
        let read = |text: &str| ProjectRef::read(text).map(|project| project.to_string());
        assert_eq!(read(" acme/ENG "), Some("acme/ENG".to_owned()));
        for text in ["", "ENG", "/ENG", "acme/", "a/b/c"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn words_of_roles_round_trip() {
        for kind in RoleKind::ALL {
            assert_eq!(RoleKind::from_word(kind.as_str()), Some(kind));
        }
        assert_eq!(RoleKind::from_word("root"), None);
    }

    #[test]
    fn a_project_administrator_administers_only_those_projects() {
        let eng = ProjectRef::read("acme/ENG").unwrap();
        let ops = ProjectRef::read("acme/OPS").unwrap();
        let role = Role::ProjectAdministrator(BTreeSet::from([eng.clone()]));
        assert!(role.administers(Some(&eng)));
        assert!(!role.administers(Some(&ops)));
        assert!(!role.administers(None));
        assert!(Role::Administrator.administers(None));
        assert!(!Role::Agent.administers(Some(&eng)));
    }
}
