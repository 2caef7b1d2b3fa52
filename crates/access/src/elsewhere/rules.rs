//! What a provider says of somebody, who may come in by it, and why somebody may not.

use bowline_domain::time::Millis;

use crate::AccessError;
use crate::role::RoleKind;
use crate::sign_in::minutes;
use crate::throttle::Wait;

/// What a provider says of somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToldElsewhere {
    /// The provider.
    pub issuer: String,
    /// Who they are there.
    pub subject: String,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Does it say that the address is theirs? `None` if it says nothing of it.
    pub email_verified: Option<bool>,
    /// What they are called.
    pub name: Option<String>,
}

/// Who may come in by a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElsewhereRules {
    /// The provider, as people call it.
    pub label: String,
    /// The domains of e-mail addresses that may come in, in lower case; empty: any.
    pub domains: Vec<String>,
    /// The role of people who have no account yet; `None`: they are not let in.
    pub new_people: Option<RoleKind>,
    /// Does an address count as theirs if the provider says nothing of it?
    pub trust_emails: bool,
}

/// The name of a sign-in, under which it is used up.
#[derive(Clone, Debug)]
pub struct Once {
    /// The name.
    pub key: String,
    /// Until when it has to be remembered.
    pub ends_at: Millis,
}

/// Whose passwords are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordsOf {
    /// Everyone's.
    #[default]
    Everyone,
    /// Owners' alone, so that somebody can come in when the provider fails.
    Owners,
}

impl PasswordsOf {
    /// Is the password of somebody with this role taken?
    pub fn takes(self, role: RoleKind) -> bool {
        self == Self::Everyone || role == RoleKind::Owner
    }
}

/// Why somebody who was let in elsewhere is not let in here. The texts are for people.
#[derive(Debug, thiserror::Error)]
pub enum ElsewhereRefusal {
    /// The sign-in came to its end before.
    #[error("This sign-in was used already. Nobody was signed in by it again; begin anew here.")]
    UsedAlready,
    /// There is no address.
    #[error(
        "{0} tells no e-mail address of yours, and Bowline needs one for this. Whoever manages \
         {0} can have it told."
    )]
    NoAddress(String),
    /// The address may be anybody's.
    #[error(
        "{label} does not say that the address {email} is really yours, so you are not let in by \
         it. Confirm the address there; if it cannot be, whoever runs Bowline can decide to \
         trust it (oidc.trust_emails)."
    )]
    NotVerified {
        /// The provider.
        label: String,
        /// The address.
        email: String,
    },
    /// The address is of another domain.
    #[error(
        "The address {email} is of a domain that is not let in here. Sign in at {label} as \
         somebody else, or ask whoever runs Bowline."
    )]
    OtherDomain {
        /// The provider.
        label: String,
        /// The address.
        email: String,
    },
    /// The account is switched off.
    #[error("Your account here is switched off. An administrator can switch it on again.")]
    SwitchedOff,
    /// There is no account, and none is made.
    #[error(
        "You have no account here, and {0} alone does not give you one. Ask an administrator to \
         add you: the code that they hand over lets you join the two."
    )]
    NobodyNew(String),
    /// Somebody has an account with the address.
    #[error(
        "There is an account with the address {email} here, and it is not joined to who you are \
         at {label}. If it is yours, sign in with its password and join the two under “Your \
         account”, or ask an administrator for a code."
    )]
    AddressTaken {
        /// The provider.
        label: String,
        /// The address.
        email: String,
    },
    /// Who they are there belongs to another account.
    #[error(
        "Who you are at {0} is joined to another account here. Nothing was changed. Sign in at \
         {0} as somebody else, or part it from the other account first."
    )]
    Taken(String),
    /// The code is not valid any more.
    #[error(
        "The code is not valid any more: it was used already, replaced by a newer one, or is \
         too old. Ask for a new one."
    )]
    NoInvitation,
    /// It failed too often from their address.
    #[error(
        "Signing in by the other way failed too often from your network. Wait {} and try again.",
        minutes(*.0)
    )]
    Wait(Wait),
    /// Something failed.
    #[error(transparent)]
    Failed(#[from] AccessError),
}

impl From<bowline_store::StoreError> for ElsewhereRefusal {
    fn from(error: bowline_store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_always_has_a_way_in() {
        assert!(
            RoleKind::ALL
                .iter()
                .all(|role| PasswordsOf::Everyone.takes(*role))
        );
        let owners = RoleKind::ALL
            .into_iter()
            .filter(|role| PasswordsOf::Owners.takes(*role));
        assert_eq!(owners.collect::<Vec<_>>(), [RoleKind::Owner]);
    }
}
