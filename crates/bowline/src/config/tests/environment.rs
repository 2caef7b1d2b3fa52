//! Variables on top of the file, and instead of it.

use super::{WHOLE, good, load, load_files, words};
use crate::config::{
    Category, Origin, Place, StatusPattern, changed_secrets, differs_beyond_secrets,
    reference::{Fallback, KEYS},
};
use secrecy::ExposeSecret;
use std::path::Path;

#[test]
fn nothing_at_all_is_a_configuration() {
    let loaded = load_files(
        None,
        &[],
        &[
            ("PATH", "/bin"),
            ("BOWLINE_CONFIG", "x"),
            ("BOWLINE_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("BOWLINE_SERVICE_HOST", "10.0.0.1"),
        ],
    )
    .unwrap();
    assert_eq!(loaded.config.data_dir, Path::new("data"));
    assert!(loaded.config.sites.is_empty());
}

#[test]
fn environment_wins_over_the_file() {
    for (variable, value, path) in [
        ("BOWLINE_LISTEN", "0.0.0.0:9", "listen"),
        (
            "BOWLINE_SITE__ACME_JIRA__TOKEN",
            "new",
            "site.acme-jira.token",
        ),
        ("BOWLINE_SITE__0__TOKEN", "new", "site.acme-jira.token"),
        (
            "BOWLINE_SITE__0__POLL_SECONDS",
            "30",
            "site.acme-jira.poll_seconds",
        ),
        (
            "BOWLINE_WORKSPACE__ACME__APP_USER",
            "7",
            "workspace.acme.app_user",
        ),
        (
            "BOWLINE_BINDING__ACME_JIRA_ENG__LINKING",
            "false",
            "binding.acme-jira/ENG.linking",
        ),
        (
            "BOWLINE_BINDING__0__NOTIFY__COMMENTED__FILTER",
            "public",
            "binding.acme-jira/ENG.notify.commented.filter",
        ),
        ("BOWLINE_LOG__FORMAT", "json", "log.format"),
        ("BOWLINE_METRICS", "false", "metrics"),
        ("BOWLINE_METRICS", "127.0.0.1:9090", "metrics"),
    ] {
        let before = good(WHOLE, &[]);
        let loaded = good(WHOLE, &[(variable, value)]);
        let changed = differs_beyond_secrets(&before.config, &loaded.config)
            || !changed_secrets(&before.config, &loaded.config).is_empty();
        assert!(changed, "{variable} changed nothing");
        assert_eq!(
            loaded.origins.get(path),
            Some(&Origin::Declared(Place::Variable(variable.into()))),
            "{variable}"
        );
        assert_eq!(
            (loaded.config.sites.len(), loaded.config.bindings.len()),
            (1, 1),
            "{variable}"
        );
    }
}

#[test]
fn a_whole_configuration_may_come_from_the_environment() {
    let shared = [
        ("BOWLINE_DATABASE_URL", "postgres://u:p@db.example.com/b"),
        ("BOWLINE_SITE__ACME_JIRA__KIND", "datacenter"),
        (
            "BOWLINE_SITE__ACME_JIRA__URL",
            "https://jira.example.com/jira/",
        ),
        ("BOWLINE_SITE__ACME_JIRA__TOKEN_FILE", "/run/secrets/jira"),
        ("BOWLINE_SITE__ACME_JIRA__WEBHOOK_SECRET", "hook"),
        ("BOWLINE_WORKSPACE__0__NAME", "acme"),
        ("BOWLINE_WORKSPACE__0__REGION", "eu"),
        ("BOWLINE_WORKSPACE__0__ACCESS_TOKEN", "t"),
        ("BOWLINE_WORKSPACE__ACME__CLIENT_SECRET", "s"),
    ];
    for binding in [
        &[
            ("BOWLINE_BINDING__ACME_JIRA_ENG__WORKSPACE", "acme"),
            (
                "BOWLINE_BINDING__ACME_JIRA_ENG__TRANSITION__0__TO",
                "category:done",
            ),
        ][..],
        &[
            ("BOWLINE_BINDING__0__SITE", "acme-jira"),
            ("BOWLINE_BINDING__0__PROJECT", "ENG"),
            ("BOWLINE_BINDING__0__WORKSPACE", "acme"),
            ("BOWLINE_BINDING__0__TRANSITION__0__TO", "category:done"),
        ],
        &[
            ("BOWLINE_BINDING__MAIN__SITE", "acme-jira"),
            ("BOWLINE_BINDING__MAIN__PROJECT", "ENG"),
            ("BOWLINE_BINDING__MAIN__WORKSPACE", "acme"),
            ("BOWLINE_BINDING__MAIN__TRANSITION__0__TO", "category:done"),
        ],
    ] {
        let env: Vec<_> = shared.iter().chain(binding).copied().collect();
        let loaded = load_files(None, &[("/run/secrets/jira", "token\n")], &env)
            .unwrap_or_else(|problems| panic!("{}", words(&problems)));
        let config = &loaded.config;
        assert_eq!(config.sites[0].token.expose_secret(), "token");
        assert_eq!(
            config.sites[0].url.as_str(),
            "https://jira.example.com/jira"
        );
        assert_eq!(
            config.database.url().expose_secret(),
            "postgres://u:p@db.example.com/b"
        );
        assert_eq!(
            config.workspaces[0].api_url.as_str(),
            "https://api.eu.intercom.io/"
        );
        assert_eq!(
            (
                config.bindings[0].site.as_str(),
                config.bindings[0].project.as_str()
            ),
            ("acme-jira", "ENG")
        );
        assert_eq!(
            config.bindings[0].transitions[0].to,
            StatusPattern::Category(Category::Done)
        );
    }
}

/// A channel account and its desk.
const DESK: &str = "[[channel_account]]\nname = \"bird\"\nprovider = \"messagebird\"\n\
    access_key = \"k\"\nsigning_key = \"s\"\n[[desk]]\nname = \"support\"\naccount = \"bird\"\n\
    site = \"acme-jira\"\nservice_desk = \"SUP\"\nwindow_template = \"back\"\nrequest_type = \"Get help\"\n";

const PRODUCT: &str = "[[product]]\nname = \"app\"\nworkspace = \"acme\"\ntags = [\"idea\"]\n";
const MAIL: &str = "[alert_mail]\nhost = \"smtp.example.com\"\nfrom = \"a@example.com\"\n\
    to = [\"b@example.com\"]\nuser = \"a\"\npassword = \"b\"\n";
const OIDC: &str = "[oidc]\nissuer = \"https://id.example.com\"\nclient_id = \"bowline\"\n";

/// What tokens may be signed with.
const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn every_key_has_a_variable_that_is_understood() {
    for key in KEYS {
        let variable = key
            .variable()
            .replace("SITE_PROJECT", "ACME_JIRA_ENG")
            .replace("SITE__NAME", "SITE__ACME_JIRA")
            .replace("WORKSPACE__NAME", "WORKSPACE__ACME")
            .replace("CHANNEL_ACCOUNT__NAME", "CHANNEL_ACCOUNT__BIRD")
            .replace("DESK__NAME", "DESK__SUPPORT")
            .replace("TEXTS__LANGUAGE__", "TEXTS__DE__")
            .replace("CONTACT_SYNC__NAME", "CONTACT_SYNC__ACME")
            .replace("PRODUCT__NAME", "PRODUCT__APP");
        let value = match key.default {
            Fallback::Value(value) => value,
            _ if key.path == "site[].kind" => "cloud",
            _ if key.path == "allowed_addresses" => "10.1.0.0/16,fd00::/8",
            _ if key.path == "channel_account[].provider" => "messagebird",
            _ if ["channel_account[].name", "desk[].account"].contains(&key.path) => "bird",
            _ if key.path == "desk[].name" => "support",
            _ if key.path == "desk[].site" => "acme-jira",
            _ if key.path == "product[].name" => "app",
            _ if key.path == "product[].notes" => "done",
            _ if key.path == "product[].status_names" => "{\"new\": \"x\"}",
            _ if key.path == "product[].issue_site" => "acme-jira",
            _ if key.path == "panel.frame_hosts" => "https://acme.atlassian.net",
            _ if key.path == "panel.token_secret" => SECRET,
            _ if ["alert_mail.from", "alert_mail.to"].contains(&key.path) => "x@example.com",
            _ if key.path == "oidc.issuer" => "https://id.example.com",
            _ if key.path == "binding[].linked_number_field" => "customfield_10061",
            _ if key.path == "oidc.allowed_domains" => "example.com",
            _ if key.path == "site[].token_ends_on" => "2027-01-31",
            _ if ["desk[].language", "desk[].texts[].language"].contains(&key.path) => "de",
            _ if key.path == "desk[].texts[].status_notifications" => "{\"Done\": \"x\"}",
            _ if key.path == "desk[].fields" => "{\"customfield_10050\": \"x\"}",
            _ if key.path.ends_with("url") => "https://x.example.com",
            _ if key.path.ends_with("workspace") => "acme",
            _ if ["binding[].site", "site[].name"].contains(&key.path) => "acme-jira",
            _ if key.path == "workspace[].name" => "acme",
            _ if key.path.ends_with("project") => "ENG",
            _ if key.path.ends_with("email") => "x@example.com",
            _ => "7",
        };
        let value = if key.path == "database_url" {
            "sqlite:x.db"
        } else {
            value
        };
        let panel = format!("[panel]\ntoken_secret = \"{SECRET}\"\n");
        let text = format!(
            "{WHOLE}[[binding.transition]]\nto = \"Done\"\n{DESK}{PRODUCT}{panel}{MAIL}{OIDC}"
        );
        let variables: &[_] = if key.path.starts_with("database") {
            &[(variable.as_str(), value)]
        } else {
            &[
                (variable.as_str(), value),
                ("BOWLINE_LISTEN", "127.0.0.1:1"),
            ]
        };
        let variables = if variable == "BOWLINE_LISTEN" {
            &variables[..1]
        } else {
            variables
        };
        let loaded = load(&text, variables)
            .unwrap_or_else(|problems| panic!("{variable}: {}", words(&problems)));
        assert!(
            loaded
                .origins
                .iter()
                .any(|(_, origin)| *origin == Origin::Declared(Place::Variable(variable.clone()))),
            "{variable} was not read"
        );
    }
}

#[test]
fn selectors_with_two_readings_are_refused() {
    let sites = "[[site]]\nname = \"acme\"\nkind = \"datacenter\"\nurl = \"https://dc.example.com\"\ntoken = \"t\"\nwebhook_secret = \"h\"\n";
    let text = format!("{WHOLE}{sites}");
    let said = words(
        &load(
            &text,
            &[("BOWLINE_BINDING__ACME_JIRA_OPS__WORKSPACE", "acme")],
        )
        .unwrap_err(),
    );
    assert!(
        said.contains("more than one pair of site and project"),
        "{said}"
    );
    // One that exists is meant, even where another reading would be possible.
    good(
        &text,
        &[("BOWLINE_BINDING__ACME_JIRA_ENG__LINKING", "false")],
    );
}
