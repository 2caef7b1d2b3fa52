//! People.

use bowline_net::json::{filled, id};
use serde_json::Value;

/// A Jira user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The account id on Cloud, the user name on Data Center (the key where there is no name).
    pub id: String,
    /// The name to show; the id when there is none.
    pub name: String,
    /// The e-mail address. On Cloud only if the person made it public.
    pub email: Option<String>,
    /// `atlassian`, `app`, `customer` or `unknown`; Cloud only.
    pub account_type: Option<String>,
}

impl Person {
    /// Reads a user object; `None` for null and for an object without any id.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let own = id(value, "accountId")
            .or_else(|| id(value, "name"))
            .or_else(|| id(value, "key"));
        let own = own?;
        Some(Self {
            name: filled(value, "displayName").unwrap_or_else(|| own.clone()),
            email: filled(value, "emailAddress"),
            account_type: filled(value, "accountType"),
            id: own,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn people_of_both_deployments() {
        for (value, want) in [
            (
                json!({"accountId": "5c5f:1", "name": "admin", "displayName": "Sam"}),
                Some(("5c5f:1", "Sam")),
            ),
            (
                json!({"name": "sam", "key": "JIRAUSER1", "displayName": "Sam"}),
                Some(("sam", "Sam")),
            ),
            (
                json!({"key": "JIRAUSER1", "displayName": " "}),
                Some(("JIRAUSER1", "JIRAUSER1")),
            ),
            (json!({"displayName": "Anonymous"}), None),
            (json!(null), None),
            (json!("sam"), None),
        ] {
            let read = Person::read(&value);
            let read = read.as_ref().map(|p| (p.id.as_str(), p.name.as_str()));
            assert_eq!(read, want, "{value}");
        }
    }
}
