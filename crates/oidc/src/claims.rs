//! What the provider says of a person.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::CoreGenderClaim;
use openidconnect::{AdditionalClaims, UserInfoClaims};
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// The groups that they are in.
    pub groups: Vec<String>,
}

/// Claims beside the standard's.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Extra {
    #[serde(flatten)]
    all: HashMap<String, Value>,
}

impl AdditionalClaims for Extra {}

/// Some providers say it as a text.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(word) => word.parse().ok(),
        _ => None,
    }
}

fn groups(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(all)) => all
            .iter()
            .filter_map(|one| one.as_str().map(ToOwned::to_owned))
            .collect(),
        Some(Value::String(all)) => all.split_whitespace().map(ToOwned::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// What an ID token says, whose signature was verified before.
pub(crate) fn of_id_token(token: &str, groups_claim: &str) -> Told {
    let payload = token.split('.').nth(1).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
    let payload: Value = serde_json::from_slice(&payload).unwrap_or_default();
    let text = |name: &str| payload[name].as_str().map(ToOwned::to_owned);
    Told {
        email: text("email"),
        email_verified: truth(&payload["email_verified"]),
        name: text("name").or_else(|| text("preferred_username")),
        groups: groups(payload.get(groups_claim)),
        ..Told::default()
    }
}

impl Told {
    /// Adds what the provider says when it is asked for more. Address and whether it is verified
    /// belong together.
    pub(crate) fn complete(
        &mut self,
        more: &UserInfoClaims<Extra, CoreGenderClaim>,
        groups_claim: &str,
    ) {
        if self.email.is_none() {
            self.email = more.email().map(|email| email.to_string());
            self.email_verified = more.email_verified();
        }
        if self.name.is_none() {
            let name = more.name().and_then(|names| names.get(None));
            let user = more.preferred_username();
            self.name = name
                .map(|name| name.to_string())
                .or_else(|| user.map(|user| user.to_string()));
        }
        if self.groups.is_empty() {
            self.groups = groups(more.additional_claims().all.get(groups_claim));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &Value) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload.to_string()))
    }

    #[test]
    fn what_a_token_says_is_read_however_providers_write_it() {
        let payload = serde_json::json!({
            "email": "ana@example.com", "email_verified": "true",
            "preferred_username": "ana", "roles": ["support", 7, "admins"],
        });
        let told = of_id_token(&token(&payload), "roles");
        assert_eq!(told.email.as_deref(), Some("ana@example.com"));
        assert_eq!(told.email_verified, Some(true));
        assert_eq!(told.name.as_deref(), Some("ana"));
        assert_eq!(told.groups, ["support", "admins"]);
        let payload = serde_json::json!({ "groups": "one two", "email_verified": false });
        let told = of_id_token(&token(&payload), "groups");
        assert_eq!((told.email, told.email_verified), (None, Some(false)));
        assert_eq!(told.groups, ["one", "two"]);
        assert_eq!(of_id_token("no token", "groups"), Told::default());
    }
}
