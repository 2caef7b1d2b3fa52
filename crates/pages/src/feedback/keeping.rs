//! What can be kept of a product: one place for the forms and for scripts.

use bowline_access::{Fault, What, Who};
use bowline_domain::feedback::ids::ProductId;
use bowline_domain::feedback::product::{ListedTag, Product, ProductSettings};
use bowline_domain::feedback::ticket::Status;
use bowline_domain::ids::{SiteName, WorkspaceName};
use bowline_settings::CannotMakeThere;
use bowline_store::StoreError;
use bowline_store::feedback::ProductDraft;

use crate::App;

/// The longest name of a product, in characters.
const NAME_CHARS_MAX: usize = 80;

/// The longest name of a status, in characters.
const STATUS_CHARS_MAX: usize = 40;

/// What is wrong with a new product.
fn fault(
    known: &[Product],
    workspaces: &[WorkspaceName],
    workspace: &WorkspaceName,
    name: &str,
) -> Option<Fault> {
    let taken = known.iter().any(|product| {
        product.workspace == *workspace && product.name.to_lowercase() == name.to_lowercase()
    });
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        let words = format!("Write a name of 1 to {NAME_CHARS_MAX} characters.");
        Some(Fault::new("name", words))
    } else if taken {
        let words = "The workspace has a product of this name already.";
        Some(Fault::new("name", words))
    } else if !workspaces.contains(workspace) {
        let words = "Choose a workspace that is connected.";
        Some(Fault::new("workspace", words))
    } else {
        None
    }
}

/// Adds a product, switched off.
pub(super) async fn add(
    app: &App,
    who: &Who,
    workspace: WorkspaceName,
    name: &str,
) -> Result<Result<ProductId, Fault>, StoreError> {
    let name = name.trim();
    let known = app.shared.store.products().await?;
    if let Some(fault) = fault(&known, &app.workspaces(), &workspace, name) {
        return Ok(Err(fault));
    }
    let detail = format!("added, in {workspace}");
    let entry = app.access.entry(who, What::ProductChanged, name, detail);
    let draft = ProductDraft {
        workspace,
        name: name.to_owned(),
        on: false,
        declared: false,
        settings: ProductSettings::default(),
        tags: None,
        counts_from: None,
    };
    let store = &app.shared.store;
    let made = store.put_product(draft, app.shared.now(), vec![entry]);
    made.await.map(Ok)
}

/// The fields of a form in which the names of the statuses stand.
pub(super) const NAME_FIELDS: [(Status, &str); 5] = [
    (Status::New, "name_new"),
    (Status::InReview, "name_in_review"),
    (Status::Planned, "name_planned"),
    (Status::Done, "name_done"),
    (Status::Declined, "name_declined"),
];

/// What is wrong with settings, beside the field of each name and `issue_project`.
pub(super) fn settings_faults(settings: &ProductSettings, sites: &[SiteName]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let too_long = |name: &String| name.chars().count() > STATUS_CHARS_MAX;
    for (status, field) in NAME_FIELDS {
        if settings.status_names.get(&status).is_some_and(too_long) {
            let words = format!(
                "The name for {} is longer than {STATUS_CHARS_MAX} characters.",
                status.title()
            );
            faults.push(Fault::new(field, words));
        }
    }
    if let Some(target) = &settings.issues {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_key = !target.project.is_empty() && target.project.chars().all(plain);
        let is_known = sites.contains(&target.site);
        if !is_key || !is_known {
            let words = "Write the key of a project, such as ENG, and choose its site.";
            faults.push(Fault::new("issue_project", words));
        }
    }
    faults
}

/// Asks Jira whether issues can be made where the settings say, and takes over the name of the issue
/// type as Jira writes it. What is wrong stands beside its field. A place that was kept before is
/// not refused because Jira does not answer just now.
pub(super) async fn try_issues(
    app: &App,
    product: &Product,
    settings: &mut ProductSettings,
) -> Option<Fault> {
    let target = settings.issues.as_mut()?;
    match app.settings.issues_can_be_made(target).await {
        Ok(name) => {
            target.issue_type = name;
            None
        }
        Err(CannotMakeThere::Wrong(fault)) => Some(fault),
        Err(CannotMakeThere::Unknown(words)) => {
            let known = product.settings.issues.as_ref() == Some(target);
            (!known).then(|| Fault::new("issue_project", words))
        }
    }
}

/// The words for the audit log when feedback is switched on.
pub(super) fn switched_on(tags: &[ListedTag]) -> String {
    let named: Vec<&str> = tags.iter().map(|tag| tag.name.as_str()).collect();
    format!("feedback on, tags: {}", named.join(", "))
}

/// Keeps what was changed of a product by itself; it does not come back with its workspace then.
pub(super) async fn keep(
    app: &App,
    who: &Who,
    product: &Product,
    (on, settings, tags): (bool, ProductSettings, Option<Vec<ListedTag>>),
    detail: &str,
) -> Result<(), StoreError> {
    let entry = app
        .access
        .entry(who, What::ProductChanged, product.name.as_str(), detail);
    let draft = ProductDraft {
        workspace: product.workspace.clone(),
        name: product.name.clone(),
        on,
        declared: false,
        settings: ProductSettings {
            resumes: on == product.on && settings.resumes,
            ..settings
        },
        tags,
        counts_from: None,
    };
    let store = &app.shared.store;
    let kept = store.put_product(draft, app.shared.now(), vec![entry]);
    kept.await.map(drop)
}

#[cfg(test)]
mod tests {
    use bowline_domain::feedback::product::IssueTarget;
    use bowline_domain::ids::SiteName;

    use super::*;

    fn product(name: &str) -> Product {
        Product {
            id: ProductId(1),
            workspace: WorkspaceName::new("acme"),
            name: name.to_owned(),
            on: false,
            declared: false,
            settings: ProductSettings::default(),
            tags: Vec::new(),
        }
    }

    #[test]
    fn a_new_product_has_a_name_of_its_own_in_a_workspace_that_is_there() {
        let long = "n".repeat(NAME_CHARS_MAX + 1);
        let known = [product("Mobile app")];
        let workspaces = [WorkspaceName::new("acme"), WorkspaceName::new("other")];
        for (workspace, name, field) in [
            ("acme", "Web", None),
            ("other", "Mobile app", None),
            ("acme", "", Some("name")),
            ("acme", long.as_str(), Some("name")),
            ("acme", "mobile APP", Some("name")),
            ("nowhere", "Web", Some("workspace")),
        ] {
            let found = fault(&known, &workspaces, &WorkspaceName::new(workspace), name);
            assert_eq!(found.map(|one| one.field), field, "{workspace} {name}");
        }
    }

    #[test]
    fn issues_are_made_in_a_project_of_a_site_that_is_there() {
        let sites = [SiteName::new("acme-jira")];
        for (site, project, right) in [
            ("acme-jira", "ENG", true),
            ("acme-jira", "", false),
            ("acme-jira", "E N", false),
            ("other", "ENG", false),
        ] {
            let settings = ProductSettings {
                issues: Some(IssueTarget {
                    site: SiteName::new(site),
                    project: project.to_owned(),
                    issue_type: "Task".to_owned(),
                }),
                ..ProductSettings::default()
            };
            let faults = settings_faults(&settings, &sites);
            assert_eq!(faults.is_empty(), right, "{site} {project}");
        }
        let name = "n".repeat(STATUS_CHARS_MAX + 1);
        let settings = ProductSettings {
            status_names: [(Status::Planned, name)].into(),
            ..ProductSettings::default()
        };
        assert_eq!(settings_faults(&settings, &sites)[0].field, "name_planned");
    }
}
