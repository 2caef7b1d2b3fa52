//! Secrets in their two forms, and what a reload changes.

use super::{FILE, WHOLE, edited, expect_problems, good, load, load_files, words};
use crate::config::{Change, changed_secrets, differs_beyond_secrets};
use secrecy::ExposeSecret;
use std::path::Path;

#[test]
fn secrets_come_from_files_too() {
    let text = edited("token = \"jira-token\"", "token_file = \"secrets/token\"");
    for (held, expected) in [
        ("hunter2", Ok("hunter2")),
        ("hunter2\n", Ok("hunter2")),
        ("hunter2\r\n", Ok("hunter2")),
        ("hunter2\n\n", Err("white space")),
        ("\n", Err("is empty")),
    ] {
        let loaded = load_files(
            Some(FILE),
            &[(FILE, &text), ("/etc/bowline/secrets/token", held)],
            &[],
        );
        match (loaded, expected) {
            (Ok(loaded), Ok(expected)) => {
                assert_eq!(loaded.config.sites[0].token.expose_secret(), expected);
                let source = loaded
                    .secret_sources()
                    .iter()
                    .find(|source| source.path == "site.acme-jira.token")
                    .unwrap();
                assert_eq!(
                    source.file.as_deref(),
                    Some(Path::new("/etc/bowline/secrets/token"))
                );
                assert!(loaded.origins.is_declared("site.acme-jira.token"));
                assert!(!format!("{loaded:?}").contains("hunter2"));
            }
            (Err(problems), Err(expected)) => {
                let said = words(&problems);
                assert!(
                    said.contains(expected)
                        && said.contains("/etc/bowline/secrets/token")
                        && !said.contains("hunter2"),
                    "{said}"
                );
            }
            (other, _) => panic!(
                "{held:?}: {}",
                other.map_or_else(|problems| words(&problems), |_| "accepted".into())
            ),
        }
    }
    let said = words(&load(&text, &[]).unwrap_err());
    assert!(
        said.contains("toml:7:")
            && said.contains("/etc/bowline/secrets/token, which cannot be read"),
        "{said}"
    );
}

#[test]
fn both_forms_of_one_secret_are_refused() {
    expect_problems(
        &edited("token =", "token_file = \"x\"\ntoken ="),
        &[],
        &[&["toml:7:", "both `token` and `token_file`", "toml:8"]],
    );
    expect_problems(
        WHOLE,
        &[("BOWLINE_SITE__0__TOKEN_FILE", "x")],
        &[&["BOWLINE_SITE__0__TOKEN_FILE", "both", "bowline.toml:7"]],
    );
    expect_problems(
        WHOLE,
        &[
            ("BOWLINE_DATABASE_URL_FILE", "x"),
            ("BOWLINE_DATABASE_URL", "sqlite:x"),
        ],
        &[&["both `database_url`"]],
    );
}

#[test]
fn sources_tell_what_to_watch() {
    let loaded = good(WHOLE, &[("BOWLINE_WORKSPACE__ACME__CLIENT_SECRET", "x")]);
    let sources: Vec<_> = loaded
        .secret_sources()
        .iter()
        .map(|source| (source.path.as_str(), source.file.as_deref()))
        .collect();
    let file = Some(Path::new(FILE));
    assert_eq!(
        sources,
        [
            ("site.acme-jira.token", file),
            ("site.acme-jira.webhook_secret", file),
            ("workspace.acme.access_token", file),
            ("workspace.acme.client_secret", None)
        ]
    );
}

#[test]
fn a_reload_tells_what_changed() {
    let before = good(WHOLE, &[]).config;
    for (from, to, changes, more) in [
        (
            "jira-token",
            "new",
            &[Change::Site("acme-jira".into())][..],
            false,
        ),
        (
            "ic-secret",
            "new",
            &[Change::Workspace("acme".into())],
            false,
        ),
        ("project = \"ENG\"", "project = \"OPS\"", &[], true),
        ("8080", "8081", &[], true),
        ("8080", "8080", &[], false),
    ] {
        let after = good(&edited(from, to), &[]).config;
        assert_eq!(
            (
                changed_secrets(&before, &after).as_slice(),
                differs_beyond_secrets(&before, &after)
            ),
            (changes, more),
            "{to}"
        );
    }
}
