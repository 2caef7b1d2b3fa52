//! Contacts as they may be shown: what the binding lists, and no more.

use bowline_domain::panel::{PanelSettings, Shown, shown};
use bowline_engine::panel::{ContactNow, NamedAttribute, PanelNow};
use serde_json::{Map, Value};

use crate::fields::named;

/// An attribute with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visible {
    /// Its key.
    pub(crate) name: String,
    /// What Intercom calls it.
    pub(crate) label: String,
    /// What it means, in the workspace's words.
    pub(crate) description: Option<String>,
    /// Is it one of the workspace's own?
    pub(crate) custom: bool,
    pub(crate) value: Shown,
}

/// A company as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VisibleCompany {
    pub(crate) name: String,
    pub(crate) fields: Vec<Visible>,
}

/// A contact as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) lead: bool,
    pub(crate) fields: Vec<Visible>,
    pub(crate) companies: Vec<VisibleCompany>,
}

/// What the binding lets be shown of a contact.
pub(crate) fn person(contact: &ContactNow, settings: &PanelSettings, now: &PanelNow) -> Person {
    let seen = &contact.seen;
    let listed = if seen.lead {
        &settings.visible.lead
    } else {
        &settings.visible.user
    };
    let companies = seen.companies.iter().map(|company| VisibleCompany {
        name: if company.name.is_empty() {
            "A company without a name".to_owned()
        } else {
            company.name.clone()
        },
        fields: fields(
            &settings.visible.company,
            &company.attributes,
            &now.names,
            true,
        ),
    });
    Person {
        id: seen.id.clone(),
        name: called(seen.name.as_deref(), seen.lead),
        lead: seen.lead,
        fields: fields(listed, &seen.attributes, &now.names, false),
        companies: companies.collect(),
    }
}

/// What someone is called. Intercom gives leads pseudonyms that it tells nobody.
fn called(name: Option<&str>, lead: bool) -> String {
    match name {
        Some(name) => name.to_owned(),
        None if lead => "A lead without a name".to_owned(),
        None => "A user without a name".to_owned(),
    }
}

fn fields(
    listed: &[String],
    attributes: &Map<String, Value>,
    names: &[NamedAttribute],
    company: bool,
) -> Vec<Visible> {
    let these: Vec<&NamedAttribute> = names
        .iter()
        .filter(|known| known.company == company)
        .collect();
    let found = listed.iter().filter_map(|name| {
        let value = shown(attributes, name)?;
        let bare = name.strip_prefix("custom_attributes.").unwrap_or(name);
        let known = named(&these, name);
        Some(Visible {
            name: name.clone(),
            label: known.map_or_else(|| spelled(bare), |known| known.label.clone()),
            description: known.and_then(|known| known.description.clone()),
            custom: known.is_some_and(|known| known.custom),
            value,
        })
    });
    found.collect()
}

/// What a key says where Intercom does not tell its name: `user_id` reads “User id”.
pub(crate) fn spelled(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first
        .into_iter()
        .chain(letters)
        .collect::<String>()
        .replace('_', " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_listed_is_there_in_its_order() {
        let Value::Object(attributes) = json!({
            "email": "noa@example.com", "phone": "+46 1", "external_id": "u-7",
            "custom_attributes": { "plan": "Pro", "secret": "s3cr3t" },
        }) else {
            unreachable!()
        };
        let names = [NamedAttribute {
            company: false,
            name: "plan".to_owned(),
            label: "Plan".to_owned(),
            description: Some("What they pay for.".to_owned()),
            custom: true,
        }];
        let listed = ["plan", "user_id", "nothing"].map(str::to_owned);
        let fields = fields(&listed, &attributes, &names, false);
        let said: Vec<(&str, &Shown, bool)> = fields
            .iter()
            .map(|field| (field.label.as_str(), &field.value, field.custom))
            .collect();
        assert_eq!(
            said,
            [
                ("Plan", &Shown::Text("Pro".to_owned()), true),
                ("User id", &Shown::Text("u-7".to_owned()), false),
            ]
        );
    }
}
