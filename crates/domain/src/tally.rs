//! The tally of an issue: what Jira's own fields say of how many conversations are linked to it, so
//! that JQL, boards and dashboards can ask for it.
//!
//! It is brought to what holds now, whenever something may have changed it, so doing it twice or
//! late does no harm.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::connection::Connection;
use crate::effect::{Act, Effect, EffectKey};
use crate::ids::{IssueId, SiteName};
use crate::plan::Plan;
use crate::state::IssueState;

/// The longest label that Jira takes, in letters.
pub const LABEL_LETTERS_MAX: usize = 255;

/// What a binding wants the issues of its project to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct TallySettings {
    /// The label that an issue has exactly as long as conversations are linked to it.
    pub label: Option<String>,
    /// The id of the number field that holds how many there are.
    pub number_field: Option<String>,
}

impl TallySettings {
    /// Is anything kept in step?
    pub fn is_on(&self) -> bool {
        self.label.is_some() || self.number_field.is_some()
    }
}

/// Can Jira have a label like this?
///
/// # Errors
/// In words: why not.
pub fn check_label(label: &str) -> Result<(), String> {
    if label.is_empty() || label.chars().any(char::is_whitespace) {
        return Err("A label is one word: Jira takes none with spaces.".to_owned());
    }
    if label.chars().count() > LABEL_LETTERS_MAX {
        return Err(format!(
            "A label has at most {LABEL_LETTERS_MAX} letters in Jira."
        ));
    }
    Ok(())
}

/// Is this the id of a custom field?
///
/// # Errors
/// In words: what it has to look like.
pub fn check_field(field: &str) -> Result<(), String> {
    let number = field.strip_prefix("customfield_");
    let digits = |number: &str| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if number.is_some_and(digits) {
        Ok(())
    } else {
        Err("A number field is named by its id, for example customfield_10061.".to_owned())
    }
}

/// What was put on an issue: labels, and fields that were filled in. Kept until it is taken off
/// again, so that a change of the settings leaves nothing behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PutOn {
    /// The labels.
    pub labels: BTreeSet<String>,
    /// The ids of the fields.
    pub fields: BTreeSet<String>,
}

impl PutOn {
    /// Is nothing of ours there?
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// What is there while it is brought from this to that: either may hold after a crash.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            labels: &self.labels | &other.labels,
            fields: &self.fields | &other.fields,
        }
    }
}

/// What an issue says at the moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// All its labels.
    pub labels: BTreeSet<String>,
    /// Numbers, by field; missing where there is none.
    pub numbers: BTreeMap<String, f64>,
}

/// What has to change on an issue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TallyEdit {
    /// Labels to add.
    pub add: BTreeSet<String>,
    /// Labels to take off.
    pub remove: BTreeSet<String>,
    /// Fields to set; `None` empties one.
    pub set: BTreeMap<String, Option<i64>>,
}

impl TallyEdit {
    /// Is all as it should be?
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty() && self.set.is_empty()
    }

    /// The ids of the fields that it changes.
    pub fn fields(&self) -> BTreeSet<&str> {
        let labels = !(self.add.is_empty() && self.remove.is_empty());
        let fields = self.set.keys().map(String::as_str);
        fields.chain(labels.then_some("labels")).collect()
    }

    /// The part of it that only changes fields that can be changed.
    #[must_use]
    pub fn within(&self, editable: &BTreeSet<String>) -> Self {
        let mut edit = self.clone();
        if !editable.contains("labels") {
            edit.add.clear();
            edit.remove.clear();
        }
        edit.set.retain(|field, _| editable.contains(field));
        edit
    }
}

/// What will be on an issue of ours once all is as the settings want it. The number of one that
/// nothing was ever linked to stays empty, and is not ours.
pub fn wanted(settings: &TallySettings, linked: usize, put_on: &PutOn, said: &Said) -> PutOn {
    let is_ours = |field: &&String| {
        linked > 0 || put_on.fields.contains(*field) || said.numbers.contains_key(*field)
    };
    PutOn {
        labels: settings
            .label
            .iter()
            .filter(|_| linked > 0)
            .cloned()
            .collect(),
        fields: settings
            .number_field
            .iter()
            .filter(is_ours)
            .cloned()
            .collect(),
    }
}

/// What has to change so that an issue says what the settings want of `linked` conversations. Of
/// what is there, only what is wanted and what was put on it before is touched.
pub fn edit(settings: &TallySettings, linked: usize, put_on: &PutOn, said: &Said) -> TallyEdit {
    let mut edit = TallyEdit::default();
    let label = settings.label.as_ref();
    for mine in put_on.labels.iter().chain(label) {
        let there = said.labels.contains(mine);
        let should = linked > 0 && Some(mine) == label;
        if should && !there {
            edit.add.insert(mine.clone());
        } else if !should && there {
            edit.remove.insert(mine.clone());
        }
    }
    let field = settings.number_field.as_ref();
    for mine in put_on.fields.iter().chain(field) {
        let there = said.numbers.get(mine).copied();
        if Some(mine) == field {
            let count = i64::try_from(linked).unwrap_or(i64::MAX);
            // An issue that nobody ever linked anything to stays as it is: empty.
            let untouched = linked == 0 && there.is_none() && !put_on.fields.contains(mine);
            if there != Some(precise(count)) && !untouched {
                edit.set.insert(mine.clone(), Some(count));
            }
        } else if there.is_some() {
            edit.set.insert(mine.clone(), None);
        }
    }
    edit
}

/// A count as Jira keeps numbers. Far more conversations than there can be are told apart.
#[expect(
    clippy::cast_precision_loss,
    reason = "an issue never has 2^53 conversations"
)]
fn precise(count: i64) -> f64 {
    count as f64
}

/// The effect that brings the tally of an issue in step, because of a fact.
pub fn effect(site: &SiteName, issue: &IssueId, fact: &str) -> Effect {
    Effect {
        key: EffectKey::stored(format!("tally/{site}/{issue}/{fact}")),
        connection: Connection::Site(site.clone()),
        site: site.clone(),
        issue: issue.clone(),
        act: Act::Tally,
    }
}

/// Adds the effect to a plan that changes what is linked, or that finds the issue in another
/// project, whose binding may want something else.
pub fn follow(plan: &mut Plan, state: &IssueState) {
    let moved = match (&state.record, &plan.record) {
        (Some(before), Some(now)) => before.project != now.project,
        _ => false,
    };
    let linked = plan.effects.iter().any(|effect| effect.act == Act::Record);
    let Some(record) = plan.record.as_ref().filter(|_| moved || linked) else {
        return;
    };
    let version = record.links_version;
    let fact = if linked {
        format!("links-{version}")
    } else {
        // The key says the project too, so that the key changes with every move.
        format!("moved-{}-{version}", record.key)
    };
    plan.effects.push(effect(&state.site, &state.issue, &fact));
    plan.outcome.effects = plan.effects.len();
}

/// Queries that can be asked of Jira where these settings hold: what for, and the query.
pub fn jql_examples(project: &str, settings: &TallySettings) -> Vec<(&'static str, String)> {
    let mut examples = Vec::new();
    let of_project = format!("project = {}", quoted(project));
    if let Some(label) = &settings.label {
        let label = format!("labels = {}", quoted(label));
        examples.push((
            "Open issues that customers ask for",
            format!("{of_project} AND {label} AND statusCategory != Done ORDER BY updated DESC"),
        ));
        examples.push((
            "What customers asked for that was done in the last two weeks",
            format!("{of_project} AND {label} AND resolved >= -14d"),
        ));
    }
    let number = settings.number_field.as_deref();
    if let Some(number) = number.and_then(|field| field.strip_prefix("customfield_")) {
        let field = format!("cf[{number}]");
        examples.push((
            "Most asked first",
            format!("{of_project} AND {field} > 0 ORDER BY {field} DESC"),
        ));
        examples.push((
            "At least five conversations, and still open",
            format!("{of_project} AND {field} >= 5 AND statusCategory != Done"),
        ));
        examples.push((
            "Nobody asks for it",
            format!("{of_project} AND ({field} is EMPTY OR {field} = 0)"),
        ));
    }
    examples
}

/// A text as JQL takes it whatever is in it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(texts: &[&str]) -> BTreeSet<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn settings(label: Option<&str>, field: Option<&str>) -> TallySettings {
        TallySettings {
            label: label.map(str::to_owned),
            number_field: field.map(str::to_owned),
        }
    }

    fn said(labels: &[&str], numbers: &[(&str, f64)]) -> Said {
        let numbers = numbers.iter().map(|(field, n)| ((*field).to_owned(), *n));
        Said {
            labels: set(labels),
            numbers: numbers.collect(),
        }
    }

    #[test]
    fn what_has_to_change() {
        let both = settings(Some("linked"), Some("customfield_1"));
        let put = |labels: &[&str], fields: &[&str]| PutOn {
            labels: set(labels),
            fields: set(fields),
        };
        let field = |field: &str, to: Option<i64>| BTreeMap::from([(field.to_owned(), to)]);
        let nothing = || TallyEdit::default();
        for (why, settings, linked, put_on, said, wanted) in [
            (
                "the first conversation",
                both.clone(),
                1,
                put(&[], &[]),
                said(&["ui"], &[]),
                TallyEdit {
                    add: set(&["linked"]),
                    set: field("customfield_1", Some(1)),
                    ..nothing()
                },
            ),
            (
                "in step",
                both.clone(),
                2,
                put(&["linked"], &["customfield_1"]),
                said(&["linked", "ui"], &[("customfield_1", 2.0)]),
                nothing(),
            ),
            (
                "the last one ended",
                both.clone(),
                0,
                put(&["linked"], &["customfield_1"]),
                said(&["linked"], &[("customfield_1", 2.0)]),
                TallyEdit {
                    remove: set(&["linked"]),
                    set: field("customfield_1", Some(0)),
                    ..nothing()
                },
            ),
            (
                "nobody ever asked",
                both.clone(),
                0,
                put(&[], &[]),
                said(&["ui"], &[]),
                nothing(),
            ),
            (
                "somebody put the label on by hand",
                both.clone(),
                0,
                put(&[], &[]),
                said(&["linked"], &[]),
                TallyEdit {
                    remove: set(&["linked"]),
                    ..nothing()
                },
            ),
            (
                "somebody changed both by hand",
                both.clone(),
                3,
                put(&["linked"], &["customfield_1"]),
                said(&[], &[("customfield_1", 7.5)]),
                TallyEdit {
                    add: set(&["linked"]),
                    set: field("customfield_1", Some(3)),
                    ..nothing()
                },
            ),
            (
                "another label and another field",
                settings(Some("asked"), Some("customfield_2")),
                1,
                put(&["linked"], &["customfield_1"]),
                said(&["linked"], &[("customfield_1", 1.0)]),
                TallyEdit {
                    add: set(&["asked"]),
                    remove: set(&["linked"]),
                    set: BTreeMap::from([
                        ("customfield_1".to_owned(), None),
                        ("customfield_2".to_owned(), Some(1)),
                    ]),
                },
            ),
            (
                "switched off",
                settings(None, None),
                1,
                put(&["linked"], &["customfield_1"]),
                said(&["linked", "ui"], &[("customfield_1", 1.0)]),
                TallyEdit {
                    remove: set(&["linked"]),
                    set: field("customfield_1", None),
                    ..nothing()
                },
            ),
        ] {
            assert_eq!(edit(&settings, linked, &put_on, &said), wanted, "{why}");
        }
    }

    #[test]
    fn what_cannot_be_changed_is_left_out() {
        let edit = TallyEdit {
            add: set(&["linked"]),
            remove: BTreeSet::new(),
            set: BTreeMap::from([("customfield_1".to_owned(), Some(1))]),
        };
        assert_eq!(edit.fields(), BTreeSet::from(["labels", "customfield_1"]));
        let only = edit.within(&set(&["labels"]));
        assert_eq!(only.fields(), BTreeSet::from(["labels"]));
        assert!(edit.within(&BTreeSet::new()).is_empty());
    }

    #[test]
    fn texts_in_queries_are_quoted() {
        let examples = jql_examples("ENG", &settings(Some("a\"b\\c"), None));
        assert!(
            examples[0]
                .1
                .contains(r#"project = "ENG" AND labels = "a\"b\\c" AND"#)
        );
        assert!(jql_examples("ENG", &settings(None, None)).is_empty());
        assert_eq!(
            jql_examples("ENG", &settings(None, Some("customfield_1"))).len(),
            3
        );
    }

    #[test]
    fn labels_and_fields_are_what_jira_takes() {
        assert!(check_label("intercom-linked").is_ok());
        for wrong in ["", "two words", "tab\there", &"x".repeat(256)] {
            assert!(check_label(wrong).is_err(), "{wrong}");
        }
        assert!(check_field("customfield_10061").is_ok());
        for wrong in ["", "customfield_", "customfield_1x", "summary", "cf[1]"] {
            assert!(check_field(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        /// Whatever an issue says, one edit makes it say what is wanted, and there is nothing more
        /// to do; and what others put there is left alone.
        #[test]
        fn one_edit_is_enough(
            label in prop::option::of("[ab]"), field in prop::option::of("[xy]"), linked in 0_usize..4,
            mine in prop::collection::btree_set("[abc]", 0..3), fields in prop::collection::btree_set("[xyz]", 0..3),
            labels in prop::collection::btree_set("[abcd]", 0..4),
            numbers in prop::collection::btree_map("[wxyz]", 0_u8..4, 0..4),
        ) {
            let settings = settings(label.as_deref(), field.as_deref());
            let put_on = PutOn { labels: mine.clone(), fields: fields.clone() };
            let said = Said {
                labels: labels.clone(),
                numbers: numbers.iter().map(|(k, n)| (k.clone(), f64::from(*n))).collect(),
            };
            let change = edit(&settings, linked, &put_on, &said);
            let mut now = said.clone();
            now.labels.extend(change.add.clone());
            now.labels.retain(|label| !change.remove.contains(label));
            for (field, value) in &change.set {
                match value {
                    Some(value) => now.numbers.insert(field.clone(), precise(*value)),
                    None => now.numbers.remove(field),
                };
            }
            let then = wanted(&settings, linked, &put_on, &said);
            prop_assert!(edit(&settings, linked, &put_on, &now).is_empty());
            prop_assert!(edit(&settings, linked, &then, &now).is_empty());
            if let Some(label) = &label {
                prop_assert_eq!(now.labels.contains(label), linked > 0);
            }
            prop_assert_eq!(now.labels.contains("d"), labels.contains("d"));
            prop_assert_eq!(now.numbers.get("w"), said.numbers.get("w"));
        }
    }
}
