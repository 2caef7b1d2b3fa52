//! What Bowline's account may do in the joined projects: looked at now and then, kept so that every
//! process knows it, and told in words.

use std::collections::HashMap;
use std::sync::PoisonError;

use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_domain::time::Millis;
use bowline_store::StoreError;
use bowline_store::project_access::ProjectAccess;

use crate::check::{self, Permission};
use crate::service::Settings;

/// How often a project is looked at in which nothing is lacking, in milliseconds.
const CHECK_EVERY_MS: i64 = 10 * 60 * 1_000;

/// The same where something is, so that it is noticed soon when it is granted.
const LACKING_EVERY_MS: i64 = 60 * 1_000;

/// Projects, as they were last looked at.
pub(crate) type Known = HashMap<(SiteName, ProjectKey), ProjectAccess>;

/// What a project lacks, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// The names that Jira has for them.
    pub names: Vec<String>,
    /// What happened.
    pub reason: String,
    /// What it means.
    pub meaning: String,
    /// Who can mend it, and how.
    pub mend: String,
    /// Since when.
    pub since: Millis,
}

impl Lacking {
    /// What an access says; `None` if nothing is lacking.
    pub(crate) fn of(access: &ProjectAccess) -> Option<Self> {
        let lacks: Vec<&Permission> = (check::PERMISSIONS.iter())
            .filter(|permission| access.lacks.iter().any(|name| name == permission.name))
            .collect();
        let browses = !lacks.iter().any(|one| one.name == check::BROWSE);
        let titles: Vec<String> = lacks
            .iter()
            .map(|permission| format!("“{}”", permission.title))
            .collect();
        if titles.is_empty() {
            return None;
        }
        let (site, project) = (&access.site, &access.project);
        let mut reason = format!(
            "Bowline's account lacks {} in the project {project} of “{site}”.",
            titles.join(" and ")
        );
        if !browses {
            reason.push_str(
                " Or there is no such project any more: Jira does not tell the two apart.",
            );
        }
        let meaning = if browses {
            "Notes go on. What Bowline keeps on the issues is not kept up: the list of linked \
             conversations, and the label or number field if one is chosen."
        } else {
            "Nothing is told of its issues as long as this lasts. Links and settings are kept."
        };
        Some(Self {
            names: lacks.iter().map(|one| one.name.to_owned()).collect(),
            reason,
            meaning: meaning.to_owned(),
            mend:
                "A Jira administrator, or an administrator of the project, grants it to Bowline's \
                   account: Project settings > Permissions (in a team-managed project: Access). \
                   Bowline notices within a minute."
                    .to_owned(),
            since: access.since,
        })
    }
}

impl Settings {
    /// What a joined project lacks, as it was last looked at.
    pub(crate) fn lacking(&self, site: &SiteName, project: &ProjectKey) -> Option<Lacking> {
        let key = (site.clone(), project.clone());
        let known = self.inner.access_known.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known.get(&key).and_then(Lacking::of)
    }

    /// Looks at the projects that are due, and reads what other processes found.
    pub(crate) async fn watch_projects(&self) {
        if let Err(error) = self.look_at_projects().await {
            tracing::error!(%error, "what may be done in projects could not be looked at");
        }
    }

    async fn look_at_projects(&self) -> Result<(), StoreError> {
        let mut known = self.read_project_access().await?;
        let now = self.now();
        let joined: Vec<(SiteName, ProjectKey)> = (self.present().merged.config.bindings.iter())
            .map(|binding| (binding.site.clone(), binding.project.clone()))
            .collect();
        let store = &self.inner.store;
        let parted: Vec<_> = known
            .keys()
            .filter(|key| !joined.contains(key))
            .cloned()
            .collect();
        for (site, project) in parted {
            store
                .forget_project_access(site.clone(), project.clone())
                .await?;
            known.remove(&(site, project));
        }
        let mut looked = false;
        for (site, project) in joined {
            let due = known
                .get(&(site.clone(), project.clone()))
                .is_none_or(|known| {
                    let every = if known.lacks.is_empty() {
                        CHECK_EVERY_MS
                    } else {
                        LACKING_EVERY_MS
                    };
                    now.since(known.checked_at) >= every
                });
            if due && self.works(&site) {
                looked |= self.look_at_project(&site, &project).await?;
            }
        }
        if looked {
            self.read_project_access().await?;
        }
        Ok(())
    }

    /// Was the site reached with its present token? What a broken one says of projects means
    /// nothing.
    fn works(&self, site: &SiteName) -> bool {
        self.engine().is_some_and(|engine| {
            let connection = bowline_domain::connection::Connection::Site(site.clone());
            let mut all = engine.connections_now().into_iter();
            all.any(|now| {
                now.connection == connection
                    && now.health == bowline_domain::connection::Health::Connected
            })
        })
    }

    /// Looks at one project. Answers whether anything was found out.
    async fn look_at_project(
        &self,
        site: &SiteName,
        project: &ProjectKey,
    ) -> Result<bool, StoreError> {
        let Some(config) = self.site_in_use(site) else {
            return Ok(false);
        };
        match check::permissions(&self.jira(&config), project.as_str()).await {
            Ok(granted) => {
                self.found_access(site, project, &granted).await?;
                Ok(true)
            }
            Err(error) => {
                tracing::debug!(%site, %project, %error, "what may be done in it is not known");
                Ok(false)
            }
        }
    }

    /// Keeps what a project lacks.
    pub(crate) async fn found_access(
        &self,
        site: &SiteName,
        project: &ProjectKey,
        found: &[(&'static Permission, bool)],
    ) -> Result<(), StoreError> {
        let lacks = check::lacks(found);
        let place = (site.clone(), project.clone());
        let store = &self.inner.store;
        store.put_project_access(place, lacks, self.now()).await
    }

    pub(crate) async fn read_project_access(&self) -> Result<Known, StoreError> {
        let all = self.inner.store.project_access().await?.into_iter();
        let known: Known = all
            .map(|access| ((access.site.clone(), access.project.clone()), access))
            .collect();
        let mut kept = (self.inner.access_known.lock()).unwrap_or_else(PoisonError::into_inner);
        kept.clone_from(&known);
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacking(names: &[&str]) -> Option<Lacking> {
        Lacking::of(&ProjectAccess {
            site: "acme-jira".into(),
            project: "ENG".into(),
            lacks: names.iter().map(|&name| name.to_owned()).collect(),
            since: Millis(7),
            checked_at: Millis(9),
        })
    }

    #[test]
    fn what_is_lacking_says_what_it_means_and_who_grants_it() {
        assert_eq!(lacking(&[]), None);
        let edit = lacking(&["EDIT_ISSUES"]).unwrap();
        assert!(
            edit.reason
                .contains("lacks “Edit issues” in the project ENG")
        );
        assert!(edit.meaning.starts_with("Notes go on."));
        let both = lacking(&["BROWSE_PROJECTS", "EDIT_ISSUES"]).unwrap();
        assert!(both.reason.contains("“Browse projects” and “Edit issues”"));
        assert!(both.meaning.starts_with("Nothing is told"));
        for one in [edit, both] {
            assert!(one.mend.contains("administrator of the project"));
            assert_eq!(one.since, Millis(7));
        }
    }

    #[test]
    fn what_a_later_version_looks_for_is_left_alone() {
        assert_eq!(lacking(&["SOMETHING_NEW"]), None);
    }
}
