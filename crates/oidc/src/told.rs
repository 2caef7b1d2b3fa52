//! What the provider says of a person.

use openidconnect::core::{CoreIdTokenClaims, CoreUserInfoClaims};

/// What the provider says of somebody who signed in there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The provider.
    pub issuer: String,
    /// Who they are there. The only thing that never changes and is never given to another.
    pub subject: String,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Does the provider say that the address is theirs? `None` if it says nothing of it.
    pub email_verified: Option<bool>,
    /// What they are called.
    pub name: Option<String>,
}

impl Told {
    /// What a verified ID token says.
    pub(crate) fn of(claims: &CoreIdTokenClaims) -> Self {
        let name = claims.name().and_then(|names| names.get(None));
        Self {
            issuer: claims.issuer().as_str().to_owned(),
            subject: claims.subject().as_str().to_owned(),
            email: claims.email().map(|email| email.as_str().to_owned()),
            email_verified: claims.email_verified(),
            name: name.map(|name| name.as_str().to_owned()),
        }
    }

    /// Is there nothing more to ask for?
    pub(crate) fn is_whole(&self) -> bool {
        self.email.is_some() && self.name.is_some()
    }

    /// Adds what the provider says when it is asked for more. Address and whether it is verified
    /// belong together.
    pub(crate) fn complete(&mut self, more: &CoreUserInfoClaims) {
        if self.email.is_none() {
            self.email = more.email().map(|email| email.as_str().to_owned());
            self.email_verified = more.email_verified();
        }
        if self.name.is_none() {
            let name = more.name().and_then(|names| names.get(None));
            self.name = name.map(|name| name.as_str().to_owned());
        }
    }
}
