use bowline_domain::time::Millis;
use secrecy::ExposeSecret as _;

use super::*;
use crate::stored::Versioned;

fn versioned<T>(value: T) -> Versioned<T> {
    Versioned {
        value,
        version: 1,
        changed_at: Millis(0),
        changed_by: String::new(),
    }
}

fn kept_site(kept: &mut Kept, name: &str, url: &str) {
    let stored = StoredSite {
        url: url.to_owned(),
        email: Some("bot@example.com".to_owned()),
        ..StoredSite::default()
    };
    let secrets = SiteSecrets {
        token: "kept-token".into(),
        webhook_secret: "new".into(),
        webhook_secret_previous: Some("old".into()),
    };
    kept.sites
        .push((name.into(), versioned(stored), Ok(secrets)));
}

fn kept_workspace(kept: &mut Kept, name: &str, token: Option<&str>) {
    let stored = StoredWorkspace {
        region: "eu".to_owned(),
        ..StoredWorkspace::default()
    };
    let secrets = WorkspaceSecrets {
        access_token: token.map(Into::into),
        client_secret: "client".into(),
    };
    kept.workspaces
        .push((name.into(), versioned(stored), Ok(secrets)));
}

fn kept_binding(kept: &mut Kept, site: &str, project: &str, workspace: &str) {
    let stored = StoredBinding {
        workspace: workspace.to_owned(),
        ..StoredBinding::default()
    };
    let key = (SiteName::new(site), ProjectKey::new(project));
    kept.bindings.push((key, versioned(stored)));
}

fn kept() -> Kept {
    let mut kept = Kept::default();
    kept_site(&mut kept, "jira", "https://jira.example.com/");
    kept_workspace(&mut kept, "acme", Some("token"));
    kept_binding(&mut kept, "jira", "ENG", "acme");
    kept
}

fn key(site: &str, project: &str) -> (SiteName, ProjectKey) {
    (SiteName::new(site), ProjectKey::new(project))
}

#[test]
fn what_is_kept_is_used_where_nothing_is_declared() {
    let merged = merge(&EngineConfig::default(), &kept());
    let site = &merged.config.sites[0];
    assert_eq!(site.name.as_str(), "jira");
    assert_eq!(site.api_url, site.url);
    let secrets: Vec<&str> = site
        .webhook_secrets
        .iter()
        .map(secrecy::SecretString::expose_secret)
        .collect();
    assert_eq!(secrets, ["new", "old"]);
    let workspace = &merged.config.workspaces[0];
    assert_eq!(workspace.api_url.as_str(), "https://api.eu.intercom.io/");
    assert_eq!(workspace.app_host, "app.eu.intercom.com");
    let binding = &merged.config.bindings[0];
    assert_eq!(binding.project.as_str(), "ENG");
    assert!(binding.linking && binding.notify.transitioned.reopen);
    assert!(merged.sites.is_empty() && merged.workspaces.is_empty() && merged.bindings.is_empty());
}

#[test]
fn what_is_declared_wins_and_keeps_its_place() {
    let mut others = kept();
    kept_site(&mut others, "other", "https://jira.example.com/");
    let mut declared = merge(&EngineConfig::default(), &kept()).config;
    declared.sites[0].token = "declared-token".into();
    declared.bindings[0].linking = false;
    declared.notes_per_link_hour_max = 7;
    let merged = merge(&declared, &others);
    assert_eq!(merged.config.sites.len(), 1);
    assert_eq!(
        merged.config.sites[0].token.expose_secret(),
        "declared-token"
    );
    assert!(!merged.config.bindings[0].linking);
    assert_eq!(merged.config.bindings.len(), 1);
    assert_eq!(merged.config.notes_per_link_hour_max, 7);
    assert_eq!(
        merged.sites,
        [
            ("jira".into(), Aside::Declared),
            (
                "other".into(),
                Aside::SameAddress {
                    site: "jira".into()
                }
            ),
        ]
    );
    assert_eq!(merged.workspaces, [("acme".into(), Aside::Declared)]);
    assert_eq!(merged.bindings, [(key("jira", "ENG"), Aside::Declared)]);
}

#[test]
fn a_kept_project_may_be_joined_to_what_is_declared() {
    let mut declared = merge(&EngineConfig::default(), &kept()).config;
    declared.bindings.clear();
    let mut kept = Kept::default();
    kept_binding(&mut kept, "jira", "OPS", "acme");
    let merged = merge(&declared, &kept);
    assert_eq!(merged.config.bindings.len(), 1);
    assert!(merged.bindings.is_empty());
}

#[test]
fn what_cannot_be_used_is_set_aside_with_all_that_hangs_on_it() {
    type Break = fn(&mut Kept);
    let cases: [(&str, Break, Aside); 5] = [
        (
            "locked site",
            |kept| kept.sites[0].2 = Err("no key".to_owned()),
            Aside::NoSite,
        ),
        (
            "address",
            |kept| "not an address".clone_into(&mut kept.sites[0].1.value.url),
            Aside::NoSite,
        ),
        (
            "unfinished",
            |kept| kept.workspaces[0].2.as_mut().unwrap().access_token = None,
            Aside::NoWorkspace,
        ),
        (
            "unknown workspace",
            |kept| kept.workspaces.clear(),
            Aside::NoWorkspace,
        ),
        (
            "parted",
            |kept| kept.bindings[0].1.value.parted = true,
            Aside::Parted,
        ),
    ];
    for (name, break_it, why) in cases {
        let mut kept = kept();
        break_it(&mut kept);
        let merged = merge(&EngineConfig::default(), &kept);
        assert!(merged.config.bindings.is_empty(), "{name}");
        assert_eq!(merged.bindings, [(key("jira", "ENG"), why)], "{name}");
    }
}
