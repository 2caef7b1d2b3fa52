//! Projects joined to workspaces, and what is told of them.

use std::time::Duration;

use bowline_access::{ChangeBindings, ChangeRefusal, Granted, ProjectRef, What};
use bowline_domain::ids::{ProjectKey, SiteName, WorkspaceName};
use bowline_engine::BindingConfig;
use bowline_jira::{NumberField, Project, Status};
use bowline_store::browse::LinkQuery;
use serde_json::Value;

use crate::hooks::HookFound;
use crate::import;
use crate::merge::{Aside, binding};
use crate::project_access::Lacking;
use crate::service::{Settings, fault};
use crate::stored::{Kind, StoredBinding, Versioned};

/// How long a list for a page may take to come; a slow Jira does not keep the page back for longer.
const LIST_DEADLINE: Duration = Duration::from_secs(5);

/// A binding as pages show it.
#[derive(Clone, Debug)]
pub struct BindingNow {
    /// The site.
    pub site: SiteName,
    /// The project.
    pub project: ProjectKey,
    /// What holds, or would if it were in use.
    pub config: BindingConfig,
    /// What is kept of it; `None` if the file declares it.
    pub kept: Option<Versioned<StoredBinding>>,
    /// Why it is not in use.
    pub aside: Option<Aside>,
    /// What our account lacks in the project, as it was last looked at.
    pub lacking: Option<Lacking>,
}

/// A project to be joined.
#[derive(Clone, Debug, Default)]
pub struct JoinForm {
    /// The site's name.
    pub site: String,
    /// The project's key.
    pub project: String,
    /// The workspace's name.
    pub workspace: String,
}

fn row_name(site: &SiteName, project: &ProjectKey) -> String {
    format!("{site}/{project}")
}

fn project_ref(site: &SiteName, project: &ProjectKey) -> ProjectRef {
    ProjectRef {
        site: site.to_string(),
        project: project.to_string(),
    }
}

/// Someone may administer some projects and not this one.
fn not_theirs() -> ChangeRefusal {
    fault(
        "form",
        "You administer other projects than this one. Ask an administrator.",
    )
}

impl Settings {
    /// All bindings, by site and project; those that are set aside too.
    pub fn bindings(&self) -> Vec<BindingNow> {
        let present = self.present();
        let aside = &present.merged.bindings;
        let mut all: Vec<BindingNow> = present
            .merged
            .config
            .bindings
            .iter()
            .map(|config| {
                let key = (config.site.clone(), config.project.clone());
                let row = present
                    .kept
                    .bindings
                    .iter()
                    .find(|(known, _)| *known == key);
                let declared = aside.iter().any(|(known, _)| *known == key);
                BindingNow {
                    lacking: self.lacking(&key.0, &key.1),
                    site: key.0,
                    project: key.1,
                    config: config.clone(),
                    kept: row.filter(|_| !declared).map(|(_, row)| row.clone()),
                    aside: None,
                }
            })
            .collect();
        let set_aside = present.kept.bindings.iter().filter_map(|(key, row)| {
            let (_, why) = aside.iter().find(|(known, _)| known == key)?;
            // The declared one is there already.
            (*why != Aside::Declared).then(|| BindingNow {
                site: key.0.clone(),
                project: key.1.clone(),
                config: binding(&key.0, &key.1, &row.value),
                kept: Some(row.clone()),
                aside: Some(why.clone()),
                lacking: None,
            })
        });
        all.extend(set_aside);
        all.sort_by(|one, other| (&one.site, &one.project).cmp(&(&other.site, &other.project)));
        all
    }

    /// One binding.
    pub fn binding(&self, site: &SiteName, project: &ProjectKey) -> Option<BindingNow> {
        let mut all = self.bindings().into_iter();
        all.find(|one| one.site == *site && one.project == *project)
    }

    /// The projects of a site that our account may browse.
    ///
    /// # Errors
    /// In words.
    pub async fn projects(&self, site: &SiteName) -> Result<Vec<Project>, String> {
        let config = self.site_in_use(site).ok_or("The site is not in use.")?;
        let jira = self.jira(&config).with_deadline(LIST_DEADLINE);
        let found = jira.projects().await;
        found.map_err(|error| format!("The projects cannot be listed: {error}."))
    }

    /// The statuses of a project's workflows.
    ///
    /// # Errors
    /// In words.
    pub async fn statuses(
        &self,
        site: &SiteName,
        project: &ProjectKey,
    ) -> Result<Vec<Status>, String> {
        let config = self.site_in_use(site).ok_or("The site is not in use.")?;
        let jira = self.jira(&config).with_deadline(LIST_DEADLINE);
        let found = jira.project_statuses(project.as_str()).await;
        found
            .map(|reply| reply.value)
            .map_err(|error| format!("The statuses cannot be listed: {error}."))
    }

    /// The number fields of a site, by name.
    ///
    /// # Errors
    /// In words: why they cannot be listed.
    pub async fn number_fields(&self, site: &SiteName) -> Result<Vec<NumberField>, String> {
        let config = self.site_in_use(site).ok_or("The site is not in use.")?;
        let jira = self.jira(&config).with_deadline(LIST_DEADLINE);
        let found = jira.number_fields().await;
        found
            .map(|reply| reply.value)
            .map_err(|error| format!("The number fields cannot be listed: {error}."))
    }

    /// Joins a project to a workspace, with the usual settings, and has Jira tell of it where the
    /// account may.
    ///
    /// # Errors
    /// What is wrong, by field.
    pub async fn join(
        &self,
        by: &Granted<ChangeBindings>,
        form: &JoinForm,
    ) -> Result<HookFound, ChangeRefusal> {
        let site = SiteName::new(form.site.trim());
        let workspace = WorkspaceName::new(form.workspace.trim());
        let key = form.project.trim().to_uppercase();
        let project = ProjectKey::new(key.as_str());
        let config = self
            .site_in_use(&site)
            .ok_or_else(|| fault("site", "Choose one of the sites."))?;
        if self.workspace_in_use(&workspace).is_none() {
            return Err(fault("workspace", "Choose one of the workspaces."));
        }
        let shaped = key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if key.is_empty() || !shaped {
            let words = "Choose a project: what stands before the hyphen in its issues, ENG for \
                         ENG-1.";
            return Err(fault("project", words));
        }
        if !by.covers(&project_ref(&site, &project)) {
            return Err(not_theirs());
        }
        if self.binding(&site, &project).is_some() {
            let words = "It is joined already, or was. Open it in the list.";
            return Err(fault("project", words));
        }
        if let Err(error) = self.jira(&config).project(&key).await {
            let words = format!(
                "{error}. Either there is no such project, or Bowline's account may not browse it."
            );
            return Err(fault("project", words));
        }
        self.no_links_elsewhere((&site, &project), &workspace)
            .await?;
        let stored = StoredBinding {
            workspace: workspace.to_string(),
            joined_by: by.who().name(),
            joined_at: self.now().0,
            ..StoredBinding::default()
        };
        let detail = format!("to {workspace}");
        self.put(
            (Kind::Binding, &row_name(&site, &project)),
            None,
            &stored,
            None,
            (by.who(), What::ProjectJoined, &detail),
        )
        .await?;
        let found = self.sync_hook(&site).await;
        self.test_soon(bowline_domain::connection::Connection::Site(site));
        Ok(found)
    }

    /// Links of a project mean conversations of the workspace that they were made in. To another
    /// one it is not joined while they live.
    async fn no_links_elsewhere(
        &self,
        (site, project): (&SiteName, &ProjectKey),
        workspace: &WorkspaceName,
    ) -> Result<(), ChangeRefusal> {
        let query = LinkQuery {
            site: Some(site.clone()),
            project: Some(project.clone()),
            live: Some(true),
            limit: 1_000,
            ..LinkQuery::default()
        };
        let links = self.inner.store.link_page(&query).await?;
        let other = links.iter().find(|view| view.link.workspace != *workspace);
        let Some(other) = other else { return Ok(()) };
        let words = format!(
            "Its issues are linked to conversations of the workspace “{}”, whose numbers mean other \
             conversations in “{workspace}”. Join it to “{}” again; or unlink them first, on the \
             page Links.",
            other.link.workspace, other.link.workspace
        );
        Err(fault("workspace", words))
    }

    fn own(
        &self,
        by: &Granted<ChangeBindings>,
        site: &SiteName,
        project: &ProjectKey,
    ) -> Result<Versioned<StoredBinding>, ChangeRefusal> {
        if !by.covers(&project_ref(site, project)) {
            return Err(not_theirs());
        }
        let found = self.binding(site, project).ok_or(ChangeRefusal::Gone)?;
        found.kept.ok_or_else(|| {
            fault(
                "form",
                format!(
                    "The configuration file declares it ([[binding]] of {site}, {project}), so it \
                     is changed there."
                ),
            )
        })
    }

    /// Changes what is told of a project. `change` gets what holds now.
    ///
    /// # Errors
    /// Someone else changed it since `from`, it is declared, or it is not theirs.
    pub async fn change_binding(
        &self,
        by: &Granted<ChangeBindings>,
        (site, project, from): (&SiteName, &ProjectKey, i64),
        change: impl FnOnce(&mut StoredBinding) -> Result<String, ChangeRefusal>,
    ) -> Result<i64, ChangeRefusal> {
        let row = self.own(by, site, project)?;
        if row.version != from {
            return Err(ChangeRefusal::Overtaken);
        }
        let mut stored = row.value;
        let detail = change(&mut stored)?;
        self.put(
            (Kind::Binding, &row_name(site, project)),
            Some(from),
            &stored,
            None,
            (by.who(), What::BindingChanged, &detail),
        )
        .await
    }

    /// Parts a project from its workspace. Links and settings are kept.
    ///
    /// # Errors
    /// As [`Settings::change_binding`].
    pub async fn part(
        &self,
        by: &Granted<ChangeBindings>,
        (site, project, from): (&SiteName, &ProjectKey, i64),
    ) -> Result<(), ChangeRefusal> {
        let mut row = self.own(by, site, project)?;
        row.value.parted = true;
        let detail = format!("from {}; links and settings are kept", row.value.workspace);
        self.put(
            (Kind::Binding, &row_name(site, project)),
            Some(from),
            &row.value,
            None,
            (by.who(), What::ProjectParted, &detail),
        )
        .await?;
        self.sync_hook(site).await;
        Ok(())
    }

    /// Joins a project again that was parted, to the same workspace, or to another one if nothing
    /// is linked.
    ///
    /// # Errors
    /// As [`Settings::change_binding`]; links belong to another workspace.
    pub async fn rejoin(
        &self,
        by: &Granted<ChangeBindings>,
        (site, project, from): (&SiteName, &ProjectKey, i64),
        workspace: &str,
    ) -> Result<(), ChangeRefusal> {
        let mut row = self.own(by, site, project)?;
        let workspace = WorkspaceName::new(workspace.trim());
        if self.workspace_in_use(&workspace).is_none() {
            return Err(fault("workspace", "Choose one of the workspaces."));
        }
        self.no_links_elsewhere((site, project), &workspace).await?;
        row.value.parted = false;
        row.value.workspace = workspace.to_string();
        row.value.joined_by = by.who().name();
        row.value.joined_at = self.now().0;
        let detail = format!("to {workspace}");
        self.put(
            (Kind::Binding, &row_name(site, project)),
            Some(from),
            &row.value,
            None,
            (by.who(), What::ProjectRejoined, &detail),
        )
        .await?;
        self.sync_hook(site).await;
        Ok(())
    }

    /// Forgets a project that was parted, with its settings. Its links stay.
    ///
    /// # Errors
    /// It is joined, or as [`Settings::change_binding`].
    pub async fn forget(
        &self,
        by: &Granted<ChangeBindings>,
        (site, project, from): (&SiteName, &ProjectKey, i64),
    ) -> Result<(), ChangeRefusal> {
        let row = self.own(by, site, project)?;
        if !row.value.parted {
            return Err(fault("form", "Part it first."));
        }
        let told = (by.who(), What::ProjectParted, "its settings are forgotten");
        self.remove((Kind::Binding, &row_name(site, project)), from, told)
            .await
    }

    /// The settings that the app which people switch from kept in Jira; `None` if it kept none.
    ///
    /// # Errors
    /// In words.
    pub async fn other_app(
        &self,
        site: &SiteName,
        project: &ProjectKey,
    ) -> Result<Option<Value>, String> {
        let config = self.site_in_use(site).ok_or("The site is not in use.")?;
        let jira = self.jira(&config);
        let found = jira
            .project_property(project.as_str(), import::PROPERTY)
            .await;
        found.map_err(|error| format!("Jira does not tell them: {error}."))
    }
}
