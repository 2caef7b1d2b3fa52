//! What a desk says in languages: as it is stored, and as someone typed it.

use std::collections::BTreeMap;

use bowline_access::Fault;
use bowline_domain::messaging::language::{
    Language, NumberPrefix, Texts, TranslatedTemplate, faults,
};
use bowline_domain::messaging::settings::WindowTemplate;
use serde::{Deserialize, Serialize};

/// The field of the form that faults of them are told at.
const FIELD: &str = "texts";
/// The longest text in a form, in bytes.
const TEXT_BYTES_MAX: usize = 2_000;
/// Statuses, numbers or languages in a form.
const ENTRIES_MAX: usize = 100;
/// The fields of an entry that faults are told at.
pub mod part {
    /// Its language.
    pub const LANGUAGE: &str = "language";
    /// What numbers begin with.
    pub const NUMBERS: &str = "numbers";
    /// Texts by status.
    pub const STATUSES: &str = "statuses";
    /// The approved message.
    pub const TEMPLATE: &str = "template";
}

/// What stands for all statuses that have no text of their own.
pub const ALL_OTHERS: &str = "*";

/// The texts of one language, as stored. JSON that other versions read: changed additively.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredTexts {
    /// The language.
    pub language: String,
    /// What numbers of people begin with who are taken to speak it.
    pub numbers: Vec<String>,
    /// The text of every status that has none of its own.
    pub usual: Option<String>,
    /// By status: its text.
    pub by_status: BTreeMap<String, String>,
    /// The approved message in it.
    pub window_template: Option<StoredTranslation>,
}

/// An approved message in another language: what differs from the desk's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredTranslation {
    /// Its name at the provider.
    pub name: Option<String>,
    /// Its language there.
    pub language: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
    /// The values for the places in its text.
    pub values: Option<Vec<String>>,
    /// What it says.
    pub text: Option<String>,
}

impl StoredTexts {
    /// As the engine takes them. `None` where a later version wrote what cannot be read here.
    pub(crate) fn texts(&self) -> Option<Texts> {
        let numbers = self.numbers.iter();
        Some(Texts {
            language: Language::read(&self.language)?,
            numbers: numbers
                .filter_map(|text| NumberPrefix::read(text))
                .collect(),
            usual: self.usual.clone(),
            by_status: self.by_status.clone(),
            window_template: self.window_template.as_ref().map(|one| TranslatedTemplate {
                name: one.name.clone(),
                language: one.language.clone(),
                namespace: one.namespace.clone(),
                values: one.values.clone(),
                text: one.text.clone(),
            }),
        })
    }
}

/// The texts of one language as someone typed them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextsForm {
    /// The language.
    pub language: String,
    /// What numbers begin with, between commas or line breaks.
    pub numbers: String,
    /// By status its text; `*` stands for all others.
    pub statuses: Vec<(String, String)>,
    /// The name of the approved message, if it is another one.
    pub template: String,
    /// Its language.
    pub template_language: String,
    /// Its namespace.
    pub template_namespace: String,
    /// Its values, one a line.
    pub template_values: String,
    /// What it says.
    pub template_text: String,
}

fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

impl TextsForm {
    /// What is kept, as someone would type it.
    pub(crate) fn of(stored: &StoredTexts) -> Self {
        let usual = stored.usual.iter();
        let usual = usual.map(|text| (ALL_OTHERS.to_owned(), text.clone()));
        let named = stored.by_status.clone().into_iter();
        let template = stored.window_template.clone().unwrap_or_default();
        Self {
            language: stored.language.clone(),
            numbers: stored.numbers.join(", "),
            statuses: named.chain(usual).collect(),
            template: template.name.unwrap_or_default(),
            template_language: template.language.unwrap_or_default(),
            template_namespace: template.namespace.unwrap_or_default(),
            template_values: template.values.unwrap_or_default().join("\n"),
            template_text: template.text.unwrap_or_default(),
        }
    }

    /// Was nothing typed?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads it, as the entry with this number.
    fn read(&self, entry: usize, faults: &mut Vec<Fault>) -> Option<StoredTexts> {
        let Some(language) = Language::read(&self.language) else {
            let typed = self.language.trim();
            let words = if typed.is_empty() {
                "Texts without a language: write it as de, en or pt-BR.".to_owned()
            } else {
                format!("“{typed}” is no language; write it as de, en or pt-BR.")
            };
            faults.push(Fault::new(FIELD, words).of_entry(entry, part::LANGUAGE));
            return None;
        };
        let mut wrong = |part: &'static str, words: String| {
            let words = format!("In “{language}”: {words}");
            faults.push(Fault::new(FIELD, words).of_entry(entry, part));
        };
        let mut numbers = Vec::new();
        let typed = self.numbers.split([',', '\n', '\r']).map(str::trim);
        for text in typed.filter(|text| !text.is_empty()) {
            match NumberPrefix::read(text) {
                Some(prefix) => numbers.push(prefix.as_str().to_owned()),
                None => wrong(
                    part::NUMBERS,
                    format!("no number begins with “{text}”; write +49."),
                ),
            }
        }
        if numbers.len() > ENTRIES_MAX {
            wrong(
                part::NUMBERS,
                format!("more than {ENTRIES_MAX} beginnings."),
            );
        }
        let (mut usual, mut by_status) = (None, BTreeMap::new());
        for (status, text) in &self.statuses {
            match (status.trim(), text.trim()) {
                ("", "") => {}
                (status, "") => wrong(part::STATUSES, format!("“{status}” has no text.")),
                ("", text) => wrong(part::STATUSES, format!("“{text}” has no status.")),
                (_, text) if text.len() > TEXT_BYTES_MAX => {
                    let words = format!("the text for “{status}” is too long.");
                    wrong(part::STATUSES, words);
                }
                (ALL_OTHERS, text) => usual = Some(text.to_owned()),
                (status, text) => {
                    by_status.insert(status.to_owned(), text.to_owned());
                }
            }
        }
        if by_status.len() > ENTRIES_MAX {
            wrong(part::STATUSES, format!("more than {ENTRIES_MAX} statuses."));
        }
        let values = self.template_values.lines().map(str::trim);
        let values: Vec<String> = values
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect();
        let template = StoredTranslation {
            name: some(&self.template),
            language: some(&self.template_language),
            namespace: some(&self.template_namespace),
            values: Some(values).filter(|values| !values.is_empty()),
            text: some(&self.template_text),
        };
        Some(StoredTexts {
            language: language.as_str().to_owned(),
            numbers,
            usual,
            by_status,
            window_template: Some(template).filter(|one| *one != StoredTranslation::default()),
        })
    }
}

/// Reads the texts of all languages, beside the desk's own approved message.
pub(crate) fn read(
    forms: &[TextsForm],
    own: Option<&WindowTemplate>,
    found: &mut Vec<Fault>,
) -> Vec<StoredTexts> {
    let forms = forms.iter().filter(|form| !form.is_empty()).enumerate();
    let stored: Vec<(usize, StoredTexts)> = forms
        .filter_map(|(entry, form)| Some((entry, form.read(entry, found)?)))
        .collect();
    if stored.len() > ENTRIES_MAX {
        let words = format!("There are more than {ENTRIES_MAX} languages.");
        found.push(Fault::new(FIELD, words));
    }
    let texts = stored.iter();
    let texts: Vec<(usize, Texts)> = texts
        .filter_map(|(entry, one)| Some((*entry, one.texts()?)))
        .collect();
    found.extend(among(&texts, own));
    stored.into_iter().map(|(_, one)| one).collect()
}

/// What is wrong with an entry beside those before it.
fn among(texts: &[(usize, Texts)], own: Option<&WindowTemplate>) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut all: Vec<Texts> = Vec::new();
    for (entry, one) in texts {
        let known = faults(&all, own).len();
        let without = |change: fn(&mut Texts)| {
            let mut stripped = one.clone();
            change(&mut stripped);
            let mut all = all.clone();
            all.push(stripped);
            faults(&all, own)
        };
        let without_numbers = without(|one| one.numbers.clear());
        let without_template = without(|one| one.window_template = None);
        all.push(one.clone());
        for words in faults(&all, own).into_iter().skip(known) {
            // It is about what it would not be said without.
            let part = if !without_numbers.contains(&words) {
                part::NUMBERS
            } else if !without_template.contains(&words) {
                part::TEMPLATE
            } else {
                part::LANGUAGE
            };
            found.push(Fault::new(FIELD, format!("Here {words}.")).of_entry(*entry, part));
        }
    }
    found
}

/// Reads the language of whom none is known otherwise.
pub(crate) fn read_default(text: &str, found: &mut Vec<Fault>) -> Option<String> {
    let typed = some(text)?;
    let Some(language) = Language::read(&typed) else {
        let words = format!("“{typed}” is no language; write it as de, en or pt-BR.");
        found.push(Fault::new("language", words));
        return None;
    };
    Some(language.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn german() -> TextsForm {
        TextsForm {
            language: "DE".to_owned(),
            numbers: "+49, 0043\n+49151".to_owned(),
            statuses: vec![
                ("*".to_owned(), "{key} ist jetzt: {status}".to_owned()),
                ("Done".to_owned(), "Fertig\nund vorbei".to_owned()),
                (String::new(), " ".to_owned()),
            ],
            template_values: "{key}\n\n".to_owned(),
            ..TextsForm::default()
        }
    }

    fn own() -> WindowTemplate {
        WindowTemplate {
            name: "back".to_owned(),
            namespace: None,
            language: "en".to_owned(),
            values: Vec::new(),
            text: None,
            by_itself: false,
        }
    }

    #[test]
    fn what_is_kept_is_typed_and_read_as_the_same() {
        let mut faults = Vec::new();
        let forms = [german(), TextsForm::default()];
        let stored = read(&forms, Some(&own()), &mut faults);
        assert_eq!(faults, Vec::new());
        assert_eq!(stored.len(), 1, "what was left empty is nothing");
        let one = &stored[0];
        assert_eq!(one.language, "de");
        assert_eq!(one.numbers, ["+49", "+43", "+49151"]);
        assert_eq!(one.usual.as_deref(), Some("{key} ist jetzt: {status}"));
        assert_eq!(one.by_status["Done"], "Fertig\nund vorbei");
        let template = one.window_template.clone().unwrap();
        assert_eq!(template.values, Some(vec!["{key}".to_owned()]));
        let again = read(&[TextsForm::of(one)], Some(&own()), &mut faults);
        assert_eq!((again, faults), (stored.clone(), Vec::new()));
        assert_eq!(one.texts().unwrap().numbers.len(), 3);
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        let told = |change: fn(&mut TextsForm)| {
            let (mut form, mut faults) = (german(), Vec::new());
            change(&mut form);
            read(&[form], Some(&own()), &mut faults);
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert_eq!(faults[0].field, "texts");
            faults.remove(0).words
        };
        assert!(told(|form| form.language.clear()).contains("without a language"));
        assert!(told(|form| form.language = "german".to_owned()).contains("“german” is no"));
        assert!(told(|form| form.numbers = "x".to_owned()).contains("begins with “x”"));
        let no_text = told(|form| form.statuses[1].1.clear());
        assert!(no_text.contains("In “de”: “Done” has no text"), "{no_text}");
        let mut faults = Vec::new();
        read(&[german(), german()], None, &mut faults);
        assert_eq!(faults.len(), 3, "{faults:?}");
        let mut faults = Vec::new();
        assert_eq!(
            read_default(" de_at ", &mut faults).as_deref(),
            Some("de-AT")
        );
        assert_eq!(read_default("", &mut faults), None);
        assert!(faults.is_empty());
        assert_eq!(read_default("german", &mut faults), None);
        assert_eq!(faults[0].field, "language");
    }

    #[test]
    fn what_is_wrong_names_the_entry_and_its_field() {
        let english = || TextsForm {
            language: "en".to_owned(),
            numbers: "+44".to_owned(),
            ..TextsForm::default()
        };
        let told = |change: fn(&mut [TextsForm; 3]), own: Option<&WindowTemplate>| {
            let mut forms = [TextsForm::default(), english(), german()];
            change(&mut forms);
            let mut faults = Vec::new();
            read(&forms, own, &mut faults);
            let entries = faults.into_iter().map(|fault| fault.entry.unwrap());
            entries.collect::<Vec<_>>()
        };
        let own = own();
        let own = Some(&own);
        // An entry that was left empty is none.
        assert_eq!(
            told(|forms| forms[1].numbers.push_str(", x"), own),
            [(0, "numbers")]
        );
        assert_eq!(
            told(|forms| forms[2].language = "german".to_owned(), own),
            [(1, "language")]
        );
        assert_eq!(
            told(|forms| forms[2].statuses[0].1.clear(), own),
            [(1, "statuses")]
        );
        // The number is of the other entry: this one is asked for another.
        assert_eq!(
            told(|forms| forms[2].numbers.push_str(", +44"), own),
            [(1, "numbers")]
        );
        assert_eq!(
            told(|forms| forms[1].language = "de".to_owned(), own),
            [(1, "language")]
        );
        assert_eq!(told(|_| (), None), [(1, "template")]);
        // Of what cannot be read, those behind it keep their numbers.
        assert_eq!(
            told(
                |forms| {
                    forms[1].language = "?".to_owned();
                    forms[2].numbers = "x".to_owned();
                },
                own
            ),
            [(0, "language"), (1, "numbers")]
        );
    }

    #[test]
    fn rows_of_other_versions_are_read() {
        let stored: StoredTexts = serde_json::from_str(r#"{"language":"de","later":1}"#).unwrap();
        assert!(stored.texts().is_some());
        let strange = StoredTexts {
            language: "?".to_owned(),
            ..StoredTexts::default()
        };
        assert_eq!(strange.texts(), None);
    }
}
