//! What is known of the people behind conversations, as the issue panel shows it: contacts and
//! companies with all their attributes, what these are called, and conversations by their words.

use bowline_net::json::{at, filled, flag, id, list, text};
use bowline_net::{ApiError, Reply};
use http::Method;
use serde_json::{Map, Value, json};

use crate::client::{Call, Client, get};
use crate::model::Conversation;

/// Contacts that a search by e-mail address answers at most. One user and any number of leads may
/// share an address.
const SAME_EMAIL_MAX: u32 = 50;

/// A user or lead with all its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Intercom's id of the contact.
    pub id: String,
    /// Is it a lead? Otherwise a user.
    pub lead: bool,
    /// The name. A lead often has none: Intercom shows a pseudonym that the API does not tell.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// All there is, as it came: standard attributes on top, the workspace's own below
    /// `custom_attributes`.
    pub attributes: Map<String, Value>,
}

impl Profile {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: id(value, "id")?,
            lead: text(value, "role").as_deref() == Some("lead"),
            name: filled(value, "name"),
            email: filled(value, "email"),
            attributes: value.as_object()?.clone(),
        })
    }
}

/// A company with all its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyProfile {
    /// Intercom's id of the company.
    pub id: String,
    /// The name; empty when unknown.
    pub name: String,
    /// All there is, as with [`Profile::attributes`].
    pub attributes: Map<String, Value>,
}

impl CompanyProfile {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: id(value, "id")?,
            name: text(value, "name").unwrap_or_default(),
            attributes: value.as_object()?.clone(),
        })
    }
}

/// Whose attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeOf {
    /// Of users and leads.
    Contact,
    /// Of companies.
    Company,
}

/// What an attribute is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Whose it is.
    pub of: AttributeOf,
    /// Its key within its model; the workspace's own without `custom_attributes.`.
    pub name: String,
    /// What Intercom calls it for people.
    pub label: String,
    /// What it means, in the workspace's words.
    pub description: Option<String>,
    /// Is it one of the workspace's own?
    pub custom: bool,
}

impl Attribute {
    fn read(value: &Value) -> Option<Self> {
        if flag(value, "archived") == Some(true) {
            return None;
        }
        let of = match text(value, "model")?.as_str() {
            "contact" => AttributeOf::Contact,
            "company" => AttributeOf::Company,
            _ => return None,
        };
        let name = filled(value, "name")?;
        Some(Self {
            of,
            label: filled(value, "label").unwrap_or_else(|| name.clone()),
            description: filled(value, "description"),
            custom: flag(value, "custom").unwrap_or_default(),
            name,
        })
    }
}

fn filter(field: &str, operator: &str, value: &str) -> Value {
    json!({ "field": field, "operator": operator, "value": value })
}

impl Client {
    /// A contact with all its attributes.
    ///
    /// # Errors
    /// [`Gone`](bowline_net::ErrorKind::Gone) for one that was merged, with the survivor's path.
    pub async fn profile(&self, contact: &str) -> Result<Reply<Profile>, ApiError> {
        let path = ["contacts", contact];
        let call = get(&path, "reading a contact");
        self.call(call, Profile::read).await
    }

    /// The users and leads with this e-mail address.
    pub async fn profiles_by_email(&self, email: &str) -> Result<Reply<Vec<Profile>>, ApiError> {
        let call = Call {
            method: Method::POST,
            path: &["contacts", "search"],
            body: Some(json!({
                "query": filter("email", "=", email),
                "pagination": { "per_page": SAME_EMAIL_MAX },
            })),
            doing: "looking for contacts by their e-mail address",
        };
        let read = |value: &Value| {
            value.get("data")?.as_array()?;
            let items = list(value, "data").iter();
            Some(items.filter_map(Profile::read).collect())
        };
        self.call(call, read).await
    }

    /// The companies of a contact with all their attributes. A contact itself names only their ids.
    pub async fn companies_behind(
        &self,
        contact: &str,
    ) -> Result<Reply<Vec<CompanyProfile>>, ApiError> {
        let path = ["contacts", contact, "companies"];
        let read = |value: &Value| {
            value.get("data")?.as_array()?;
            let items = list(value, "data").iter();
            Some(items.filter_map(CompanyProfile::read).collect())
        };
        self.call(get(&path, "reading the companies of a contact"), read)
            .await
    }

    /// The attributes of contacts and companies, the workspace's own too, those that are archived
    /// left out.
    pub async fn attributes(&self) -> Result<Reply<Vec<Attribute>>, ApiError> {
        let read = |value: &Value| {
            value.get("data")?.as_array()?;
            let items = list(value, "data").iter();
            Some(items.filter_map(Attribute::read).collect())
        };
        self.call(get(&["data_attributes"], "listing attributes"), read)
            .await
    }

    /// Conversations that began with these words, or that someone of this name or e-mail address
    /// began, at most `max_results`, without their parts. Intercom compares the first message word
    /// by word.
    pub async fn conversations_about(
        &self,
        words: &str,
        max_results: u32,
    ) -> Result<Reply<Vec<Conversation>>, ApiError> {
        let said: Vec<Value> = words
            .split_whitespace()
            .map(|word| filter("source.body", "~", word))
            .collect();
        let any = json!([
            filter("source.author.email", "=", words),
            filter("source.author.name", "~", words),
            { "operator": "AND", "value": said },
        ]);
        let call = Call {
            method: Method::POST,
            path: &["conversations", "search"],
            body: Some(json!({
                "query": { "operator": "OR", "value": any },
                "pagination": { "per_page": max_results },
            })),
            doing: "searching conversations",
        };
        let read = |value: &Value| {
            at(value, &["conversations"]).as_array()?;
            let items = list(value, "conversations").iter();
            Some(items.filter_map(Conversation::read).collect())
        };
        self.call(call, read).await
    }

    /// Answers the customer as `admin_id`, who can read it at once. The answer is the conversation
    /// with the new part in it.
    pub async fn reply(
        &self,
        conversation: &str,
        admin_id: &str,
        html: &str,
    ) -> Result<Reply<Conversation>, ApiError> {
        let body = json!({
            "message_type": "comment", "type": "admin", "admin_id": admin_id, "body": html,
        });
        let path = ["conversations", conversation, "reply"];
        self.write(&path, body, "answering a customer").await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_without_a_name_is_still_someone() {
        let value = json!({ "id": "6762f0", "role": "lead", "name": null, "email": "" });
        let profile = Profile::read(&value).unwrap();
        assert!(profile.lead);
        assert_eq!((profile.name, profile.email), (None, None));
        assert_eq!(Profile::read(&json!({ "role": "user" })), None);
    }

    #[test]
    fn archived_attributes_and_those_of_other_things_are_left_out() {
        let attribute = |model: &str, archived: bool| {
            json!({ "model": model, "name": "plan_ends_at", "custom": true, "archived": archived,
                "label": "Plan ends", "description": "When the plan ends." })
        };
        let read = Attribute::read(&attribute("contact", false)).unwrap();
        assert_eq!(
            (read.label.as_str(), read.custom, read.of),
            ("Plan ends", true, AttributeOf::Contact)
        );
        assert_eq!(Attribute::read(&attribute("contact", true)), None);
        assert_eq!(Attribute::read(&attribute("conversation", false)), None);
        let bare = json!({ "model": "company", "name": "size" });
        assert_eq!(Attribute::read(&bare).unwrap().label, "size");
    }
}
