//! What can be chosen for a desk, as Jira and the provider have it now.

use bowline_access::Fault;
use bowline_settings::{ChannelsOffered, DeskChoices, DeskForm, Given, NeededField, StatusLine};

use crate::App;
use crate::component::{Choice, Field, Select};

/// A channel that can be chosen.
pub(super) struct Offered {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) note: String,
    pub(super) chosen: bool,
}

/// A field of the request type that needs a fixed value.
pub(super) struct Needed {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) value: String,
    pub(super) choices: Vec<Choice>,
    pub(super) fault: Option<String>,
}

fn value_text(given: &Given) -> String {
    match given {
        Given::Text(text) => text.clone(),
        Given::Value(value) => value.to_string(),
    }
}

/// The fields that need a value, each with what stands in it.
pub(super) fn needed(form: &DeskForm, choices: &DeskChoices, faults: &[Fault]) -> Vec<Needed> {
    let all_faults: Vec<&Fault> = faults.iter().filter(|one| one.field == "fields").collect();
    let one = |field: &NeededField| {
        let given = form.fields.iter().find(|(id, _)| *id == field.id);
        let value = given.map_or_else(String::new, |(_, given)| value_text(given));
        let chosen = given.and_then(|(_, given)| chosen(given, field));
        let choices = field.values.iter().map(|(id, label)| Choice {
            chosen: chosen.as_deref() == Some(id),
            value: id.clone(),
            title: label.clone(),
        });
        let named = format!("“{}”", field.name);
        let fault = all_faults.iter().find(|fault| fault.words.contains(&named));
        Needed {
            id: field.id.clone(),
            label: field.name.clone(),
            choices: choices.collect(),
            fault: fault.map(|fault| fault.words.clone()),
            value,
        }
    };
    choices.needed.iter().map(one).collect()
}

/// Which entry of its list a value is.
fn chosen(given: &Given, field: &NeededField) -> Option<String> {
    let text = match given {
        Given::Text(text) => text.clone(),
        Given::Value(value) => {
            let first = value.get(0).unwrap_or(value);
            let named = first.get("id").or_else(|| first.get("value"));
            named?.as_str()?.to_owned()
        }
    };
    let mut values = field.values.iter();
    let found = values.find(|(id, label)| *id == text || *label == text);
    found.map(|(id, _)| id.clone())
}

/// The fixed values that have no field of their own in the form, one a line.
pub(super) fn other_fields(form: &DeskForm, choices: &DeskChoices) -> String {
    let others = form
        .fields
        .iter()
        .filter(|(id, _)| !choices.needed.iter().any(|field| field.id == *id));
    let lines: Vec<String> = others
        .map(|(id, given)| format!("{id} = {}", value_text(given)))
        .collect();
    lines.join("\n")
}

/// What is told of each status that the project has, and of those that were named before.
pub(super) fn status_lines(form: &DeskForm, choices: &DeskChoices) -> Vec<StatusLine> {
    let mut lines = form.statuses.clone();
    lines.retain(|line| !line.status.trim().is_empty());
    for status in &choices.statuses {
        let is_there = lines
            .iter()
            .any(|line| line.status.to_lowercase() == status.to_lowercase());
        if !is_there {
            lines.push(StatusLine {
                status: status.clone(),
                ..StatusLine::default()
            });
        }
    }
    lines
}

pub(super) fn statuses_hint(choices: &DeskChoices) -> String {
    let general = "With commas between them, by name; category:done stands for all that are done.";
    if choices.statuses.is_empty() {
        general.to_owned()
    } else {
        format!(
            "{general} This project has {}.",
            choices.statuses.join(", ")
        )
    }
}

/// The channels to choose from, and the ids that are not among them.
pub(super) fn channels_offered(form: &DeskForm, found: &ChannelsOffered) -> (Vec<Offered>, String) {
    let named = form.channels.split([',', '\n']).map(str::trim);
    let named: Vec<&str> = named.filter(|id| !id.is_empty() && *id != "all").collect();
    let channels = found.channels.iter();
    let offered = channels.clone().map(|one| Offered {
        title: one.name.clone().unwrap_or_else(|| one.id.clone()),
        note: [
            one.platform.as_str(),
            one.id.as_str(),
            if one.active { "" } else { "not active there" },
        ]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · "),
        chosen: named.contains(&one.id.as_str()),
        id: one.id.clone(),
    });
    let is_offered = |id: &&str| channels.clone().any(|one| one.id == *id);
    let rest: Vec<&str> = named.iter().copied().filter(|id| !is_offered(id)).collect();
    (offered.collect(), rest.join(", "))
}

pub(super) fn channels_hint(app: &App, account: &str) -> String {
    let phone = app
        .settings
        .account(account)
        .and_then(|account| account.kept)
        .and_then(|row| row.value.phone_number_id);
    let known = phone.map_or_else(String::new, |id| format!(" That of “{account}” is {id}."));
    format!(
        "The provider's ids, with commas between them: for MessageBird the channel ids, for \
         WhatsApp the phone number id.{known}"
    )
}

pub(super) fn template_fields(form: &DeskForm, faults: &[Fault]) -> Vec<Field> {
    let field = |name, label, value: &str, hint: &str| {
        Field::new(name, label, "text")
            .with(value)
            .filled("off")
            .hinting(hint)
            .optional()
            .faulty(faults)
    };
    vec![
        field(
            "window_template",
            "Its name at the provider",
            &form.template,
            "Approve it there first. Left empty, nothing is sent after the time to answer.",
        ),
        field(
            "template_language",
            "Its language",
            &form.template_language,
            "As it was approved: en, en_US. Left empty, en.",
        ),
        field(
            "template_namespace",
            "Its namespace",
            &form.template_namespace,
            "MessageBird asks for one.",
        ),
        field(
            "template_text",
            "What it says",
            &form.template_text,
            "With {{1}} for the first value. Shown in Bowline as what was sent.",
        ),
    ]
}

/// A list with a first entry that chooses nothing, unless something is chosen.
pub(super) fn offered(
    (name, label): (&'static str, &'static str),
    entries: Vec<(String, String)>,
    chosen: &str,
    faults: &[Fault],
) -> Select {
    let known = entries.iter().any(|(value, _)| value == chosen);
    let lost = (!known && !chosen.is_empty()).then(|| (chosen.to_owned(), chosen.to_owned()));
    let none = entries.is_empty() && lost.is_none();
    let none = none.then(|| (String::new(), "none to choose".to_owned()));
    let entries = lost.into_iter().chain(none).chain(entries);
    Select::new(name, label, entries, chosen).faulty(faults)
}

pub(super) fn missing(app: &App) -> Vec<(&'static str, &'static str)> {
    let config = app.settings.config();
    let mut missing = Vec::new();
    if config.sites.is_empty() {
        missing.push(("Connect a Jira site first", "/connections/add/site"));
    }
    if config.accounts.is_empty() {
        missing.push((
            "Add a MessageBird account first",
            "/connections/add/messagebird",
        ));
        missing.push(("Or a WhatsApp account", "/connections/add/whatsapp"));
    }
    missing
}

/// Service projects by name and key.
pub(super) fn named(desks: &[(String, String)]) -> Vec<(String, String)> {
    let titles = desks.iter().map(|(key, name)| {
        let title = if key == name {
            key.clone()
        } else {
            format!("{name} ({key})")
        };
        (key.clone(), title)
    });
    titles.collect()
}
