//! A desk as someone typed it, read. What needs to be asked of Jira is not here.

use std::collections::BTreeMap;

use bowline_access::Fault;
use bowline_domain::settings::StatusMatch;
use serde_json::Value;

use crate::desk_texts::{self, TextsForm};
use crate::forms::name;
use crate::merge_desk::template;
use crate::stored_desk::{StoredDesk, StoredTemplate};

/// The longest text in a form, in bytes.
const TEXT_BYTES_MAX: usize = 2_000;
/// Entries of a list in a form.
const ENTRIES_MAX: usize = 100;
/// The longest pause that is waited for, in seconds: the bound of the configuration file.
const QUIET_SECONDS_MAX: u32 = 300;
/// The most requests an hour: the bound of the configuration file.
const REQUESTS_MAX: u32 = 10_000;

/// The value of a field, as it was given.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// As people write it; what Jira wants follows from the field.
    Text(String),
    /// As Jira's API wants it.
    Value(Value),
}

/// What is told of a status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusLine {
    /// The status, by name or id.
    pub status: String,
    /// The text; empty for the usual one.
    pub text: String,
    /// Is nothing told?
    pub silent: bool,
}

/// A desk as someone typed it: by a form or by the REST API.
#[derive(Clone, Debug, PartialEq)]
pub struct DeskForm {
    /// Its name.
    pub name: String,
    /// The account's name.
    pub account: String,
    /// `all`, or the provider's ids between commas or line breaks.
    pub channels: String,
    /// The site's name.
    pub site: String,
    /// The key of the service project.
    pub service_desk: String,
    /// The request type, by id or name.
    pub request_type: String,
    /// In whose name requests are made.
    pub reporter: String,
    /// Fixed values of fields, by their ids.
    pub fields: Vec<(String, Given)>,
    /// Is the end user told of a status that has no line of its own?
    pub tell_others: bool,
    /// What they are told then; empty for the usual text.
    pub usual: String,
    /// What is told of single statuses.
    pub statuses: Vec<StatusLine>,
    /// The statuses that end a conversation, between commas or line breaks.
    pub closing: String,
    /// `0`, or a number with s, m, h or d.
    pub reopen_within: String,
    /// In seconds.
    pub quiet_seconds: String,
    /// A number.
    pub requests_per_hour: String,
    /// Are files of the agent's sent?
    pub attachments_out: bool,
    /// The name of the approved message; empty for none.
    pub template: String,
    /// Its language.
    pub template_language: String,
    /// Its namespace.
    pub template_namespace: String,
    /// Its values, one a line.
    pub template_values: String,
    /// What it says.
    pub template_text: String,
    /// Is it sent by itself?
    pub template_by_itself: bool,
    /// The language of whom none is known otherwise.
    pub language: String,
    /// What it says in languages.
    pub texts: Vec<TextsForm>,
}

impl Default for DeskForm {
    fn default() -> Self {
        Self::of("", &StoredDesk::default())
    }
}

/// A time, as the configuration file writes it.
pub fn span(seconds: u32) -> String {
    match seconds {
        0 => "0".to_owned(),
        seconds if seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        seconds if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

fn read_span(text: &str) -> Option<u32> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.trim_end_matches(char::is_alphabetic).len());
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "" if matches!(number.trim(), "0" | "") => return Some(0),
        _ => return None,
    };
    number.trim().parse::<u32>().ok()?.checked_mul(seconds)
}

/// What stands between commas or line breaks.
fn entries(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for entry in text.split([',', '\n', '\r']).map(str::trim) {
        if !entry.is_empty() && !all.iter().any(|known| known == entry) {
            all.push(entry.to_owned());
        }
    }
    all
}

/// A value as people would write it.
fn shown(value: &Value) -> Given {
    match value {
        Value::String(text) => Given::Text(text.clone()),
        other => Given::Value(other.clone()),
    }
}

impl DeskForm {
    /// What is kept, as someone would type it.
    pub fn of(name: &str, stored: &StoredDesk) -> Self {
        let template = stored.window_template.clone().unwrap_or_default();
        let statuses = stored.by_status.iter().map(|(status, text)| StatusLine {
            status: status.clone(),
            text: text.clone().unwrap_or_default(),
            silent: text.is_none(),
        });
        Self {
            name: name.to_owned(),
            account: stored.account.clone(),
            channels: stored
                .channels
                .as_ref()
                .map_or_else(|| "all".to_owned(), |named| named.join(", ")),
            site: stored.site.clone(),
            service_desk: stored.service_desk.clone(),
            request_type: stored.request_type.clone(),
            reporter: stored.reporter.clone().unwrap_or_default(),
            fields: stored
                .fields
                .iter()
                .map(|(id, value)| (id.clone(), shown(value)))
                .collect(),
            tell_others: stored.tell_others,
            usual: stored.usual.clone().unwrap_or_default(),
            statuses: statuses.collect(),
            closing: stored.closing.join(", "),
            reopen_within: span(stored.reopen_within_seconds),
            quiet_seconds: stored.quiet_seconds.to_string(),
            requests_per_hour: stored.requests_per_hour.to_string(),
            attachments_out: stored.attachments_out,
            template: template.name,
            template_language: template.language,
            template_namespace: template.namespace.unwrap_or_default(),
            template_values: template.values.join("\n"),
            template_text: template.text.unwrap_or_default(),
            template_by_itself: template.by_itself,
            language: stored.language.clone().unwrap_or_default(),
            texts: stored.texts.iter().map(TextsForm::of).collect(),
        }
    }

    /// Reads it; the fixed values are read when their fields are known.
    ///
    /// # Errors
    /// All that is wrong, by field.
    pub(crate) fn read(&self) -> Result<(String, StoredDesk), Vec<Fault>> {
        let mut faults = Vec::new();
        let name = name(&self.name, "", "support", &mut faults);
        for (field, text, words) in [
            ("account", &self.account, "Choose a channel account."),
            ("site", &self.site, "Choose a Jira site."),
            (
                "service_desk",
                &self.service_desk,
                "Choose a service project.",
            ),
            ("request_type", &self.request_type, "Choose a request type."),
        ] {
            if text.trim().is_empty() {
                faults.push(Fault::new(field, words));
            }
        }
        let channels = self.read_channels(&mut faults);
        let closing = self.read_closing(&mut faults);
        let by_status = self.read_statuses(&mut faults);
        let window_template = self.read_template(&mut faults);
        let own = window_template.as_ref().map(template);
        let texts = desk_texts::read(&self.texts, own.as_ref(), &mut faults);
        let language = desk_texts::read_default(&self.language, &mut faults);
        if self.usual.len() > TEXT_BYTES_MAX {
            let words = "The text for every other status is too long.";
            faults.push(Fault::new("usual", words));
        }
        let number = |field, text: &str, (min, max): (u32, u32), faults: &mut Vec<Fault>| {
            let read = text.trim().parse::<u32>().ok();
            let read = read.filter(|number| (min..=max).contains(number));
            if read.is_none() {
                let words = format!("Write a number from {min} to {max}.");
                faults.push(Fault::new(field, words));
            }
            read.unwrap_or(min)
        };
        let quiet = (0, QUIET_SECONDS_MAX);
        let quiet_seconds = number("quiet_seconds", &self.quiet_seconds, quiet, &mut faults);
        let most = (1, REQUESTS_MAX);
        let requests_per_hour = number(
            "requests_per_hour",
            &self.requests_per_hour,
            most,
            &mut faults,
        );
        let reopen_within_seconds = read_span(&self.reopen_within).unwrap_or_else(|| {
            let words = "Write 0, or a number with s, m, h or d behind it, as 24h.";
            faults.push(Fault::new("reopen_within", words));
            0
        });
        if !faults.is_empty() {
            return Err(faults);
        }
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let stored = StoredDesk {
            account: self.account.trim().to_owned(),
            channels,
            site: self.site.trim().to_owned(),
            service_desk: self.service_desk.trim().to_uppercase(),
            request_type: self.request_type.trim().to_owned(),
            request_type_name: String::new(),
            reporter: some(&self.reporter),
            fields: BTreeMap::new(),
            tell_others: self.tell_others,
            usual: some(&self.usual),
            by_status,
            closing,
            reopen_within_seconds,
            quiet_seconds,
            requests_per_hour,
            attachments_out: self.attachments_out,
            window_template,
            language,
            texts,
        };
        Ok((name, stored))
    }

    fn read_channels(&self, faults: &mut Vec<Fault>) -> Option<Vec<String>> {
        let named = entries(&self.channels);
        if matches!(named.as_slice(), [one] if one == "all") {
            return None;
        }
        let is_wrong = |id: &String| id == "all" || id.len() > 200 || id.contains(' ');
        if named.is_empty() || named.len() > ENTRIES_MAX || named.iter().any(is_wrong) {
            let words = "Give the provider's ids of the channels, with commas between them.";
            faults.push(Fault::new("channels", words));
        }
        Some(named)
    }

    fn read_closing(&self, faults: &mut Vec<Fault>) -> Vec<String> {
        let closing = entries(&self.closing);
        if closing.is_empty() || closing.len() > ENTRIES_MAX {
            let words = "Name at least one status, or write category:done for all that are done.";
            faults.push(Fault::new("closing", words));
        }
        for text in &closing {
            match StatusMatch::read(text) {
                Ok(StatusMatch::Any) => {
                    let words = "Any status at all would end each conversation at once.";
                    faults.push(Fault::new("closing", words));
                }
                Ok(_) => {}
                Err(words) => faults.push(Fault::new("closing", format!("Here {words}."))),
            }
        }
        closing
    }

    fn read_statuses(&self, faults: &mut Vec<Fault>) -> BTreeMap<String, Option<String>> {
        let mut by_status = BTreeMap::new();
        for line in &self.statuses {
            let (status, text) = (line.status.trim(), line.text.trim());
            if text.len() > TEXT_BYTES_MAX || by_status.len() >= ENTRIES_MAX {
                let words = format!("The text for “{status}” is too long, or there are too many.");
                faults.push(Fault::new("status_notifications", words));
            } else if status.is_empty() {
                // A line that was left empty.
            } else if line.silent {
                by_status.insert(status.to_owned(), None);
            } else if !text.is_empty() {
                by_status.insert(status.to_owned(), Some(text.to_owned()));
            }
        }
        by_status
    }

    fn read_template(&self, faults: &mut Vec<Fault>) -> Option<StoredTemplate> {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let Some(name) = some(&self.template) else {
            if self.template_by_itself {
                let words = "Give the name of the approved message that is to go by itself.";
                faults.push(Fault::new("window_template", words));
            }
            return None;
        };
        let values = self.template_values.lines().map(str::trim);
        Some(StoredTemplate {
            name,
            language: some(&self.template_language).unwrap_or_else(|| "en".to_owned()),
            namespace: some(&self.template_namespace),
            values: values
                .filter(|value| !value.is_empty())
                .map(ToOwned::to_owned)
                .collect(),
            text: some(&self.template_text),
            by_itself: self.template_by_itself,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> DeskForm {
        DeskForm {
            name: "support".to_owned(),
            account: "bird".to_owned(),
            site: "acme".to_owned(),
            service_desk: "sup".to_owned(),
            request_type: "10".to_owned(),
            ..DeskForm::default()
        }
    }

    fn fields(form: &DeskForm) -> Vec<&'static str> {
        let faults = form.read().unwrap_err();
        faults.iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn what_is_kept_is_typed_and_read_as_the_same() {
        let mut form = whole();
        form.channels = "one, two\nthree, one".to_owned();
        form.reopen_within = "36h".to_owned();
        form.closing = "Done, category:done".to_owned();
        form.usual = "{key}: {status}".to_owned();
        form.language = "en".to_owned();
        form.texts = vec![TextsForm {
            language: "de".to_owned(),
            template_text: "Komm zurück".to_owned(),
            ..TextsForm::default()
        }];
        form.template = "come_back".to_owned();
        form.template_values = "{key}\n\nNoa".to_owned();
        form.statuses = vec![
            StatusLine {
                status: "Waiting".to_owned(),
                text: "We wait, {key}".to_owned(),
                silent: false,
            },
            StatusLine {
                status: "In Progress".to_owned(),
                text: String::new(),
                silent: true,
            },
            StatusLine::default(),
        ];
        let (name, stored) = form.read().unwrap();
        assert_eq!(stored.reopen_within_seconds, 36 * 3_600);
        assert_eq!(stored.service_desk, "SUP");
        let channels = stored.channels.clone().unwrap();
        assert_eq!(channels, ["one", "two", "three"]);
        assert_eq!(stored.by_status["In Progress"], None);
        assert_eq!(stored.usual.as_deref(), Some("{key}: {status}"));
        assert_eq!(stored.texts[0].language, "de");
        let template = stored.window_template.clone().unwrap();
        assert_eq!(template.values, ["{key}", "Noa"]);
        assert_eq!(template.language, "en");
        assert_eq!(DeskForm::of(&name, &stored).read().unwrap(), (name, stored));
    }

    #[test]
    fn what_is_wrong_is_said_by_field() {
        type Change = fn(&mut DeskForm);
        assert_eq!(
            fields(&DeskForm::default()),
            ["account", "site", "service_desk", "request_type"]
        );
        let cases: [(&str, Change); 14] = [
            ("name", |form| form.name = "My Desk".to_owned()),
            ("channels", |form| form.channels = String::new()),
            ("channels", |form| form.channels = "all, one".to_owned()),
            ("closing", |form| form.closing = " , ".to_owned()),
            ("closing", |form| form.closing = "*".to_owned()),
            ("closing", |form| form.closing = "category:soon".to_owned()),
            ("reopen_within", |form| form.reopen_within = "1w".to_owned()),
            ("reopen_within", |form| form.reopen_within = "5".to_owned()),
            ("quiet_seconds", |form| {
                form.quiet_seconds = "301".to_owned();
            }),
            ("requests_per_hour", |form| {
                form.requests_per_hour = "0".to_owned();
            }),
            ("window_template", |form| form.template_by_itself = true),
            ("usual", |form| form.usual = "x".repeat(2_001)),
            ("language", |form| form.language = "english".to_owned()),
            ("texts", |form| {
                form.texts = vec![TextsForm {
                    template_text: "Komm zurück".to_owned(),
                    ..TextsForm::default()
                }];
            }),
        ];
        for (field, change) in cases {
            let mut form = whole();
            change(&mut form);
            assert_eq!(fields(&form), [field]);
        }
    }

    #[test]
    fn times_are_written_as_they_are_read() {
        for (text, seconds) in [("0", 0), ("90s", 90), ("5m", 300), ("24h", 86_400), ("", 0)] {
            assert_eq!(read_span(text), Some(seconds), "{text}");
            assert_eq!(read_span(&span(seconds)), Some(seconds));
        }
        assert_eq!(read_span("99999999999d"), None);
        assert_eq!(read_span("99999d"), None);
    }
}
