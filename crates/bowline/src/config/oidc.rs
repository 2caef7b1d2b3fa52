//! Signing in at a provider of OpenID Connect.

use bowline_access::RoleKind;
use secrecy::SecretString;
use url::Url;

use super::settings::{Found, Reading, Section, is_loopback};

/// Hosts of providers where anybody has an account.
const OPEN_TO_ALL: [&str; 1] = ["accounts.google.com"];

/// How people sign in at a provider.
#[derive(Clone, Debug)]
pub struct Oidc {
    /// The provider, as it calls itself but perhaps for a slash at its end.
    pub issuer: Url,
    /// As what Bowline is registered there.
    pub client_id: String,
    /// What goes with it; a public client has none.
    pub client_secret: Option<SecretString>,
    /// What people call it.
    pub label: String,
    /// The domains of e-mail addresses that may come in, in lower case; empty: any.
    pub allowed_domains: Vec<String>,
    /// The role of people who have no account yet; `None`: they are not let in.
    pub new_people: Option<RoleKind>,
    /// Are everyone's passwords taken besides? Owners' always are.
    pub passwords: bool,
    /// Does an address count as verified if the provider says nothing of it?
    pub trust_emails: bool,
}

impl Reading<'_> {
    /// The part `[oidc]`, if there is one.
    pub(super) fn oidc(&mut self, top: &Section<'_>) -> Option<Oidc> {
        let node = top.node.table()?.get("oidc")?;
        node.table()?;
        let section = Section {
            pattern: "oidc",
            path: "oidc",
            title: "[oidc]",
            node,
        };
        let issuer = self.url(&section, "issuer");
        let client_id = self.text(&section, "client_id");
        let client_secret = self.secret(&section, "client_secret");
        let label = self.text(&section, "label")?.value;
        let domains = self.words(&section, "allowed_domains").unwrap_or_default();
        let allowed_domains = domains.iter().filter_map(|found| self.domain(found));
        let allowed_domains: Vec<String> = allowed_domains.collect();
        let new_people = self.text(&section, "new_people")?;
        let passwords = self.flag(&section, "passwords");
        let trust_emails = self.flag(&section, "trust_emails");
        let issuer = issuer?;
        let role = RoleKind::from_word(&new_people.value);
        if role.is_some() && domains.is_empty() {
            self.open_to_all(&issuer, &new_people);
        }
        if issuer.value.scheme() == "http" && !is_loopback(&issuer.value) {
            self.warn(
                &issuer.place,
                "`oidc.issuer` is not https, so whoever sits between may say who signs in",
                "Use the provider's https address",
            );
        }
        Some(Oidc {
            issuer: issuer.value,
            client_id: client_id?.value,
            client_secret: client_secret.map(|found| found.value),
            label,
            allowed_domains,
            new_people: role,
            passwords,
            trust_emails,
        })
    }

    fn open_to_all(&mut self, issuer: &Found<Url>, new_people: &Found<String>) {
        if issuer
            .value
            .host_str()
            .is_some_and(|host| OPEN_TO_ALL.contains(&host))
        {
            self.problem(
                &new_people.place,
                "`oidc.new_people` gives everyone an account who has one at this provider, which is \
                 anybody",
                "Name the domains of your people in `oidc.allowed_domains`",
            );
        }
    }

    fn domain(&mut self, found: &Found<String>) -> Option<String> {
        let domain = found.value.trim().trim_start_matches('@').to_lowercase();
        let odd = |letter: char| !(letter.is_alphanumeric() || "-.".contains(letter));
        if domain.is_empty() || domain.contains(odd) {
            self.problem(
                &found.place,
                format!("an entry of `allowed_domains` is {:?}", found.value),
                "Write what stands behind the @ of your people's addresses: example.com",
            );
            return None;
        }
        Some(domain)
    }
}
