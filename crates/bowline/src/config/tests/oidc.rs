//! Signing in at a provider.

use super::{WHOLE, expect_problems, good};
use crate::config::{Change, changed_secrets};
use bowline_access::RoleKind;
use secrecy::ExposeSecret as _;

const OIDC: &str =
    "[oidc]\nissuer = \"https://id.example.com/realms/acme/\"\nclient_id = \"bowline\"\n";

fn with(more: &str) -> String {
    // Above the first list: keys of a table stand below its header.
    WHOLE.replacen("[[site]]", &format!("{OIDC}{more}\n[[site]]"), 1)
}

#[test]
fn little_is_needed_and_nobody_new_is_let_in_by_it() {
    assert!(good(WHOLE, &[]).config.oidc.is_none());
    let oidc = good(&with(""), &[]).config.oidc.unwrap();
    assert_eq!(oidc.issuer.as_str(), "https://id.example.com/realms/acme");
    assert_eq!(
        (oidc.label.as_str(), oidc.new_people),
        ("single sign-on", None)
    );
    assert!(oidc.client_secret.is_none() && oidc.allowed_domains.is_empty());
    assert!(oidc.passwords && !oidc.trust_emails);
}

#[test]
fn all_of_it_may_be_said_in_the_file_or_the_environment() {
    let file = "client_secret = \"s\"\nlabel = \"Acme ID\"\nallowed_domains = [\"@Example.com\"]\n\
                new_people = \"agent\"\npasswords = false\ntrust_emails = true";
    let env = [
        ("BOWLINE_OIDC__ISSUER", "https://id.example.com/realms/acme"),
        ("BOWLINE_OIDC__CLIENT_ID", "bowline"),
        ("BOWLINE_OIDC__CLIENT_SECRET", "s"),
        ("BOWLINE_OIDC__LABEL", "Acme ID"),
        ("BOWLINE_OIDC__ALLOWED_DOMAINS", "example.com"),
        ("BOWLINE_OIDC__NEW_PEOPLE", "agent"),
        ("BOWLINE_OIDC__PASSWORDS", "false"),
        ("BOWLINE_OIDC__TRUST_EMAILS", "true"),
    ];
    for loaded in [good(&with(file), &[]), good(WHOLE, &env)] {
        let oidc = loaded.config.oidc.unwrap();
        assert_eq!(oidc.client_secret.unwrap().expose_secret(), "s");
        assert_eq!(oidc.allowed_domains, ["example.com"]);
        assert_eq!(
            (oidc.label.as_str(), oidc.new_people),
            ("Acme ID", Some(RoleKind::Agent))
        );
        assert!(!oidc.passwords && oidc.trust_emails);
    }
}

#[test]
fn mistakes_are_said() {
    let google = WHOLE.replacen(
        "[[site]]",
        "[oidc]\nissuer = \"https://accounts.google.com\"\nclient_id = \"b\"\n\
         new_people = \"viewer\"\n[[site]]",
        1,
    );
    expect_problems(
        &google,
        &[],
        &[&["new_people", "anybody", "allowed_domains"]],
    );
    let domains = [("BOWLINE_OIDC__ALLOWED_DOMAINS", "example.com")];
    good(&google, &domains);
    for (more, words) in [
        ("new_people = \"owner\"", &["new_people", "owner"][..]),
        (
            "allowed_domains = [\"a@example.com\"]",
            &["allowed_domains", "behind the @"],
        ),
        ("client_secret = \"...\"", &["client_secret", "placeholder"]),
        ("scopes = \"x\"", &["unknown key `scopes`"]),
    ] {
        expect_problems(&with(more), &[], &[words]);
    }
    let issuer = WHOLE.replacen("[[site]]", "[oidc]\nlabel = \"x\"\n[[site]]", 1);
    expect_problems(
        &issuer,
        &[],
        &[&["has no `issuer`"], &["has no `client_id`"]],
    );
    let plain = [("BOWLINE_OIDC__ISSUER", "http://id.example.com")];
    assert_eq!(good(&with(""), &plain).warnings.len(), 1);
}

#[test]
fn a_new_secret_is_used_without_a_restart() {
    let before = good(&with("client_secret = \"a\""), &[]).config;
    let after = good(&with("client_secret = \"b\""), &[]).config;
    assert_eq!(changed_secrets(&before, &after), [Change::Oidc]);
    assert_eq!(changed_secrets(&before, &before), []);
}
