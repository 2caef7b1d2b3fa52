//! Labels and number fields of issues.

use std::collections::{BTreeMap, BTreeSet};

use bowline_net::json::{at, filled, flag, id, list};
use bowline_net::{ApiError, Reply};
use http::Method;
use serde_json::{Map, Value, json};

use crate::client::Client;

/// What an issue says in its labels and in some number fields.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// All its labels.
    pub labels: BTreeSet<String>,
    /// The numbers in the fields that were asked for; missing where there is none.
    pub numbers: BTreeMap<String, f64>,
}

/// A change of labels and number fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FigureEdit {
    /// Labels to add. Others stay, whoever changes them meanwhile.
    pub add: BTreeSet<String>,
    /// Labels to take off.
    pub remove: BTreeSet<String>,
    /// Fields to set; `None` empties one.
    pub set: BTreeMap<String, Option<i64>>,
}

/// A custom field with a number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumberField {
    /// What people call it.
    pub name: String,
    /// Its id.
    pub id: String,
}

impl Client {
    /// Reads the labels of an issue, and these fields.
    pub async fn figures(
        &self,
        issue: &str,
        fields: &BTreeSet<String>,
    ) -> Result<Reply<Figures>, ApiError> {
        let named = fields.iter().map(String::as_str);
        let named: Vec<&str> = std::iter::once("labels").chain(named).collect();
        let call = self
            .api(Method::GET, &["issue", issue], "reading labels and numbers")
            .query("fields", named.join(","))
            .query("updateHistory", "false");
        self.send(call, |value| {
            value.get("id")?;
            let there = at(value, &["fields"]);
            let labels = list(there, "labels").iter().filter_map(Value::as_str);
            let numbers = fields.iter().filter_map(|field| {
                let number = there.get(field)?.as_f64()?;
                Some((field.clone(), number))
            });
            Some(Figures {
                labels: labels.map(str::to_owned).collect(),
                numbers: numbers.collect(),
            })
        })
        .await
    }

    /// The fields of an issue that our account can set: those that are on its edit screen; none
    /// without the permission.
    pub async fn editable_fields(&self, issue: &str) -> Result<Reply<BTreeSet<String>>, ApiError> {
        let path = ["issue", issue, "editmeta"];
        let call = self.api(Method::GET, &path, "reading what can be edited of an issue");
        self.send(call, |value| {
            let fields = value.get("fields")?.as_object()?;
            Some(fields.keys().cloned().collect())
        })
        .await
    }

    /// Changes labels and number fields. `quiet`: watchers get no mail about it, which needs the
    /// permission to administer the project or Jira; without it Jira refuses the whole edit.
    pub async fn edit_figures(
        &self,
        issue: &str,
        edit: &FigureEdit,
        quiet: bool,
    ) -> Result<Reply<()>, ApiError> {
        let mut update = Map::new();
        let added = edit.add.iter().map(|label| json!({ "add": label }));
        let removed = edit.remove.iter().map(|label| json!({ "remove": label }));
        let labels: Vec<Value> = added.chain(removed).collect();
        if !labels.is_empty() {
            update.insert("labels".to_owned(), labels.into());
        }
        for (field, value) in &edit.set {
            update.insert(field.clone(), json!([{ "set": value }]));
        }
        let call = self.api(
            Method::PUT,
            &["issue", issue],
            "changing labels and numbers of an issue",
        );
        let call = if quiet {
            call.query("notifyUsers", "false")
        } else {
            call
        };
        self.send_plain(call.body(json!({ "update": update })))
            .await
    }

    /// The custom fields of the site that hold a number, by name.
    pub async fn number_fields(&self) -> Result<Reply<Vec<NumberField>>, ApiError> {
        let call = self.api(Method::GET, &["field"], "listing fields");
        self.send(call, |value| {
            let mut fields: Vec<NumberField> = value
                .as_array()?
                .iter()
                .filter(|field| flag(field, "custom") == Some(true))
                .filter(|field| at(field, &["schema", "type"]) == "number")
                .filter_map(|field| {
                    Some(NumberField {
                        name: filled(field, "name")?,
                        id: id(field, "id")?,
                    })
                })
                .collect();
            fields.sort();
            Some(fields)
        })
        .await
    }
}
