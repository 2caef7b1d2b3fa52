//! What is known of a contact, field by field, with where each value came from.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::field::{FieldName, FieldValue};
use crate::time::Millis;

/// The values of fields, by name.
pub type Fields = BTreeMap<FieldName, FieldValue>;

/// Where an edit came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A person wrote it here.
    Person,
    /// It stood in a file that was imported.
    Import,
    /// It was taken over from a contact that was merged into this one.
    Merge,
}

/// A value that was set here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The value; `None`: it was emptied.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<FieldValue>,
    /// Where from.
    pub origin: Origin,
    /// Who, in words.
    pub by: String,
    /// When.
    pub at: Millis,
}

impl Edit {
    /// Is it a value of Intercom's, left over from somebody who was merged into this one?
    fn is_remote(&self) -> bool {
        self.origin == Origin::Merge && self.by == INTERCOM
    }
}

/// Who a value of Intercom's is by, once it was taken over from somebody else.
const INTERCOM: &str = "Intercom";

/// Edits, by field.
pub type Edits = BTreeMap<FieldName, Edit>;

/// One field as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown<'p> {
    /// The value that counts; `None`: there is none.
    pub value: Option<&'p FieldValue>,
    /// The edit that made it so; `None`: it is Intercom's.
    pub edit: Option<&'p Edit>,
    /// Intercom's value, where it differs and does not count.
    pub other: Option<&'p FieldValue>,
}

/// All fields of a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// What Intercom says.
    pub remote: Fields,
    /// What was set here.
    pub edits: Edits,
}

impl Profile {
    /// A field as it is shown.
    pub fn shown(&self, name: &FieldName) -> Shown<'_> {
        let remote = self.remote.get(name);
        match self.edits.get(name) {
            None => Shown {
                value: remote,
                edit: None,
                other: None,
            },
            Some(edit) => Shown {
                value: edit.value.as_ref(),
                edit: Some(edit),
                other: remote.filter(|remote| edit.value.as_ref() != Some(*remote)),
            },
        }
    }

    /// The value of a field as one text; empty if there is none.
    pub fn text(&self, name: &str) -> String {
        let shown = self.shown(&FieldName::new(name));
        shown.value.map_or_else(String::new, FieldValue::as_text)
    }

    /// The names of all fields that have a value, here or at Intercom.
    pub fn names(&self) -> BTreeSet<&FieldName> {
        self.remote.keys().chain(self.edits.keys()).collect()
    }

    /// Does Intercom say something else of a field than what counts here?
    pub fn differs(&self) -> bool {
        self.edits
            .keys()
            .any(|name| self.shown(name).other.is_some())
    }

    /// Sets a field. One that Intercom says the same of is no edit, so it follows Intercom again.
    pub fn edit(&mut self, name: FieldName, edit: Edit) {
        if self.remote.get(&name) == edit.value.as_ref() {
            self.edits.remove(&name);
        } else {
            self.edits.insert(name, edit);
        }
    }

    /// Lets Intercom's value of a field count again. Answers whether another one did.
    pub fn use_remote(&mut self, name: &FieldName) -> bool {
        self.edits.remove(name).is_some()
    }

    /// Takes in what Intercom says now. An edit that Intercom has caught up with ends.
    pub fn take_in(&mut self, remote: Fields) {
        self.remote = remote;
        let remote = &self.remote;
        self.edits
            .retain(|name, edit| edit.value.is_none() || remote.get(name) != edit.value.as_ref());
    }

    /// Takes over what was set of a contact that is merged into this one, where nothing was set
    /// here and Intercom says nothing either. `from` is lost otherwise, as it is at Intercom.
    pub fn merge(&mut self, from: &Self, at: Millis) {
        let names: Vec<FieldName> = from.names().into_iter().cloned().collect();
        for name in names {
            let value = from.shown(&name).value.cloned();
            let has = self.edits.contains_key(&name) || self.remote.contains_key(&name);
            let stays = !has && value.is_some() && name.may_be_edited();
            if stays {
                let by = from
                    .edits
                    .get(&name)
                    .map_or_else(|| INTERCOM.to_owned(), |edit| edit.by.clone());
                self.edits.insert(
                    name,
                    Edit {
                        value,
                        origin: Origin::Merge,
                        by,
                        at,
                    },
                );
            }
        }
    }

    /// What stays when Intercom's values go: what files said, and above it what was set here. Nothing
    /// of who was never in a file.
    pub fn without_remote(&self, imported: &Edits) -> Option<Self> {
        let of_file = |edit: &Edit| edit.origin == Origin::Import;
        if imported.is_empty() && !self.edits.values().any(of_file) {
            return None;
        }
        let mut edits = imported.clone();
        for (name, edit) in &self.edits {
            if !edit.is_remote() {
                edits.insert(name.clone(), edit.clone());
            }
        }
        // What was emptied had a value of Intercom's or of a file, and neither is there now.
        edits.retain(|_, edit| edit.value.is_some());
        Some(Self {
            remote: Fields::new(),
            edits,
        })
    }

    /// What the person is called: by name, else by address or number, else by role and the last
    /// digits of their id. A lead has often neither name nor address.
    pub fn called(&self, role: &str, id: &str) -> String {
        for name in [FieldName::NAME, FieldName::EMAIL, FieldName::PHONE] {
            let text = self.text(name);
            if !text.trim().is_empty() {
                return text.trim().to_owned();
            }
        }
        let digits: Vec<char> = id.chars().rev().take(4).collect();
        let tail: String = digits.into_iter().rev().collect();
        let role = match role {
            "lead" => "Lead",
            "user" => "User",
            _ => "Contact",
        };
        format!("{role} {tail}")
    }
}
