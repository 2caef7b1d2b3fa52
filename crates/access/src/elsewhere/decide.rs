//! Who is let in, and who gets an account: pure decisions.

use bowline_store::access::Account;
use bowline_store::elsewhere::Identity;

use super::rules::{ElsewhereRefusal, ElsewhereRules, ToldElsewhere};
use crate::accounts::AccountForm;
use crate::role::RoleKind;

/// What is done with somebody whom a provider lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// They have this account.
    Enter,
    /// They get one.
    Make {
        /// With this address.
        email: String,
        /// And this role.
        role: RoleKind,
    },
}

/// The address of somebody, if it counts as theirs.
fn address(told: &ToldElsewhere, rules: &ElsewhereRules) -> Result<String, ElsewhereRefusal> {
    let form = AccountForm {
        name: "somebody".to_owned(),
        email: told.email.clone().unwrap_or_default(),
        ..AccountForm::default()
    };
    if !form.faults().is_empty() {
        return Err(ElsewhereRefusal::NoAddress(rules.label.clone()));
    }
    let email = form.email();
    if told.email_verified.unwrap_or(rules.trust_emails) {
        Ok(email)
    } else {
        Err(ElsewhereRefusal::NotVerified {
            label: rules.label.clone(),
            email,
        })
    }
}

/// Where domains are named, an address of one of them is needed.
pub(super) fn domain_fits(
    told: &ToldElsewhere,
    rules: &ElsewhereRules,
) -> Result<(), ElsewhereRefusal> {
    if rules.domains.is_empty() {
        return Ok(());
    }
    let email = address(told, rules)?;
    let (_, domain) = email.rsplit_once('@').unwrap_or_default();
    if rules.domains.iter().any(|known| known == domain) {
        Ok(())
    } else {
        Err(ElsewhereRefusal::OtherDomain {
            label: rules.label.clone(),
            email,
        })
    }
}

/// Decides about somebody whom a provider lets in. `joined` is the account that issuer and subject
/// are joined to; `namesake` the one with the same address.
pub(super) fn decide(
    told: &ToldElsewhere,
    rules: &ElsewhereRules,
    joined: Option<&Account>,
    namesake: Option<&Account>,
) -> Result<Decision, ElsewhereRefusal> {
    let off = |account: &Account| !account.active;
    if joined.is_some_and(off) {
        return Err(ElsewhereRefusal::SwitchedOff);
    }
    domain_fits(told, rules)?;
    if joined.is_some() {
        return Ok(Decision::Enter);
    }
    let email = address(told, rules)?;
    match (namesake, rules.new_people) {
        (Some(namesake), _) if off(namesake) => Err(ElsewhereRefusal::SwitchedOff),
        (Some(_), _) => Err(ElsewhereRefusal::AddressTaken {
            label: rules.label.clone(),
            email,
        }),
        (None, None) => Err(ElsewhereRefusal::NobodyNew(rules.label.clone())),
        (None, Some(role)) => Ok(Decision::Make { email, role }),
    }
}

pub(super) fn identity(told: &ToldElsewhere) -> Identity {
    let email = told.email.as_deref().unwrap_or_default();
    Identity {
        issuer: told.issuer.clone(),
        subject: told.subject.clone(),
        email: email.chars().take(200).collect(),
    }
}

/// What somebody is called: as the provider says, or by the address.
pub(super) fn name_of(told: &ToldElsewhere, email: &str) -> String {
    let form = AccountForm {
        name: told.name.clone().unwrap_or_default(),
        email: email.to_owned(),
        ..AccountForm::default()
    };
    if form.faults().is_empty() {
        form.name()
    } else {
        email.split('@').next().unwrap_or(email).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use bowline_domain::time::Millis;

    use super::*;

    fn account(active: bool) -> Account {
        Account {
            id: 1,
            email: "ana@example.com".to_owned(),
            name: "Ana".to_owned(),
            role: "agent".to_owned(),
            projects: "[]".to_owned(),
            password: None,
            active,
            version: 1,
            made_at: Millis(0),
            signed_in_at: None,
            second_factor: false,
            elsewhere: false,
        }
    }

    fn told(email: Option<&str>, verified: Option<bool>) -> ToldElsewhere {
        ToldElsewhere {
            issuer: "https://id.example.com".to_owned(),
            subject: "7".to_owned(),
            email: email.map(ToOwned::to_owned),
            email_verified: verified,
            name: None,
        }
    }

    fn rules(domains: &[&str], new_people: Option<RoleKind>, trust_emails: bool) -> ElsewhereRules {
        ElsewhereRules {
            label: "Example ID".to_owned(),
            domains: domains.iter().map(ToString::to_string).collect(),
            new_people,
            trust_emails,
        }
    }

    fn word(decided: &Result<Decision, ElsewhereRefusal>) -> String {
        match decided {
            Ok(Decision::Enter) => "enter".to_owned(),
            Ok(Decision::Make { email, role }) => format!("make {email} {}", role.as_str()),
            Err(refusal) => {
                let debug = format!("{refusal:?}");
                let name = debug.split(|letter: char| !letter.is_ascii_alphanumeric());
                name.into_iter().next().unwrap_or_default().to_owned()
            }
        }
    }

    #[test]
    fn who_is_let_in_is_decided_by_issuer_and_subject_and_new_people_by_the_rules() {
        let own = Some("Ana@Example.com");
        let (on, off) = (account(true), account(false));
        let (yes, no, unsaid) = (Some(true), Some(false), None);
        let viewer = Some(RoleKind::Viewer);
        let any: &[&str] = &[];
        let ours: &[&str] = &["example.com"];
        let theirs: &[&str] = &["example.org"];
        for (what, told, rules, joined, namesake, wanted) in [
            // Joined: the address does not matter, unless domains are named.
            (
                "joined",
                told(own, yes),
                rules(any, None, false),
                Some(&on),
                Some(&on),
                "enter",
            ),
            (
                "no address",
                told(None, unsaid),
                rules(any, None, false),
                Some(&on),
                None,
                "enter",
            ),
            (
                "unverified",
                told(own, no),
                rules(any, viewer, false),
                Some(&on),
                None,
                "enter",
            ),
            (
                "off",
                told(own, yes),
                rules(any, viewer, false),
                Some(&off),
                Some(&off),
                "SwitchedOff",
            ),
            (
                "domain",
                told(own, yes),
                rules(ours, None, false),
                Some(&on),
                None,
                "enter",
            ),
            (
                "other domain",
                told(own, yes),
                rules(theirs, None, false),
                Some(&on),
                None,
                "OtherDomain",
            ),
            (
                "of none",
                told(None, yes),
                rules(ours, None, false),
                Some(&on),
                None,
                "NoAddress",
            ),
            (
                "unproven",
                told(own, no),
                rules(ours, None, false),
                Some(&on),
                None,
                "NotVerified",
            ),
            // New.
            (
                "new",
                told(own, yes),
                rules(any, viewer, false),
                None,
                None,
                "make ana@example.com viewer",
            ),
            (
                "nobody new",
                told(own, yes),
                rules(any, None, false),
                None,
                None,
                "NobodyNew",
            ),
            (
                "new, unverified",
                told(own, no),
                rules(any, viewer, false),
                None,
                None,
                "NotVerified",
            ),
            (
                "new, unsaid",
                told(own, unsaid),
                rules(any, viewer, false),
                None,
                None,
                "NotVerified",
            ),
            (
                "trusted",
                told(own, unsaid),
                rules(any, viewer, true),
                None,
                None,
                "make ana@example.com viewer",
            ),
            (
                "a no is a no",
                told(own, no),
                rules(any, viewer, true),
                None,
                None,
                "NotVerified",
            ),
            (
                "no address",
                told(None, yes),
                rules(any, viewer, true),
                None,
                None,
                "NoAddress",
            ),
            (
                "no address",
                told(Some("ana"), yes),
                rules(any, viewer, true),
                None,
                None,
                "NoAddress",
            ),
            (
                "domain",
                told(own, yes),
                rules(ours, viewer, false),
                None,
                None,
                "make ana@example.com viewer",
            ),
            (
                "other domain",
                told(own, yes),
                rules(theirs, viewer, false),
                None,
                None,
                "OtherDomain",
            ),
            (
                "a domain is not the end of another",
                told(Some("a@notexample.com"), yes),
                rules(ours, viewer, false),
                None,
                None,
                "OtherDomain",
            ),
            (
                "nor its part",
                told(Some("a@sub.example.com"), yes),
                rules(ours, viewer, false),
                None,
                None,
                "OtherDomain",
            ),
            // An address joins nothing.
            (
                "namesake",
                told(own, yes),
                rules(any, viewer, false),
                None,
                Some(&on),
                "AddressTaken",
            ),
            (
                "namesake",
                told(own, yes),
                rules(any, None, false),
                None,
                Some(&on),
                "AddressTaken",
            ),
            (
                "namesake, off",
                told(own, yes),
                rules(any, viewer, false),
                None,
                Some(&off),
                "SwitchedOff",
            ),
            (
                "namesake, unproven",
                told(own, no),
                rules(any, viewer, false),
                None,
                Some(&on),
                "NotVerified",
            ),
        ] {
            assert_eq!(
                word(&decide(&told, &rules, joined, namesake)),
                wanted,
                "{what}"
            );
        }
    }

    #[test]
    fn somebody_without_a_name_is_called_by_the_address() {
        let named = |name: &str| {
            let told = ToldElsewhere {
                name: Some(name.to_owned()),
                ..told(Some("ana@example.com"), None)
            };
            name_of(&told, "ana@example.com")
        };
        assert_eq!(named(" Ana Lind "), "Ana Lind");
        assert_eq!(named(""), "ana");
        assert_eq!(named(&"x".repeat(201)), "ana");
    }
}
