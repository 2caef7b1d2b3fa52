//! What a desk says in languages.

use super::{
    problem::Place,
    settings::{Found, Reading, Section},
    tree::{Node, Value},
    types::{Language, Texts, WindowTemplate},
};
use bowline_domain::messaging::{
    language::{NumberPrefix, TranslatedTemplate, faults},
    settings,
};
use std::collections::BTreeMap;

/// What stands for all statuses that have no text of their own.
const ALL_OTHERS: &str = "*";

impl Reading<'_> {
    /// The language of a section, if it names one.
    pub(super) fn language(&mut self, section: &Section<'_>) -> Option<Language> {
        let Found { value, place } = self.text(section, "language")?;
        let read = Language::read(&value);
        if read.is_none() {
            self.problem(
                &place,
                format!("`language` is {value:?}, which is no language"),
                "Write it as \"de\", \"en\" or \"pt-BR\"",
            );
        }
        read
    }

    /// The texts of each language, beside the desk's own approved message.
    pub(super) fn desk_texts(
        &mut self,
        desk: &Section<'_>,
        own: Option<&WindowTemplate>,
    ) -> Vec<Texts> {
        let mut all = Vec::new();
        let entries = desk.node.list("texts").iter();
        for (position, node) in entries.filter(|node| node.table().is_some()).enumerate() {
            let named = node.text_of("language").unwrap_or_default();
            let named = if named.is_empty() {
                position.to_string()
            } else {
                named.to_owned()
            };
            let section = Section {
                pattern: "desk[].texts[]",
                path: &format!("{}.texts.{named}", desk.path),
                title: &format!("the texts {named:?} of {}", desk.title),
                node,
            };
            all.extend(self.texts_of(&section));
        }
        let own = own.map(approved);
        for words in faults(&all, own.as_ref()) {
            self.problem(
                &desk.node.place,
                format!("in the texts of {}, {words}", desk.title),
                "Give each language once, each beginning of numbers to one language, and a \
                 translated template only beside the desk's own `window_template`",
            );
        }
        all
    }

    fn texts_of(&mut self, section: &Section<'_>) -> Option<Texts> {
        let language = self.language(section);
        let numbers = self.words(section, "numbers").unwrap_or_default();
        let numbers = numbers.into_iter().filter_map(|found| self.prefix(&found));
        let numbers = numbers.collect();
        let mut by_status = self.text_by_status(section);
        let template = TranslatedTemplate {
            name: self.value(section, "window_template"),
            language: self.value(section, "window_template_language"),
            namespace: self.value(section, "window_template_namespace"),
            values: self
                .words(section, "window_template_values")
                .map(|words| words.into_iter().map(|word| word.value).collect()),
            text: self.value(section, "window_template_text"),
        };
        Some(Texts {
            language: language?,
            numbers,
            usual: by_status.remove(ALL_OTHERS),
            by_status,
            window_template: Some(template).filter(|one| *one != TranslatedTemplate::default()),
        })
    }

    fn value(&mut self, section: &Section<'_>, name: &str) -> Option<String> {
        self.text(section, name).map(|found| found.value)
    }

    fn prefix(&mut self, found: &Found<String>) -> Option<NumberPrefix> {
        let read = NumberPrefix::read(&found.value);
        if read.is_none() {
            self.problem(
                &found.place,
                format!("no telephone number begins with {:?}", found.value),
                "Write the country's prefix, as \"+49\"",
            );
        }
        read
    }

    /// By status a text; in a variable, as JSON.
    fn text_by_status(&mut self, section: &Section<'_>) -> BTreeMap<String, String> {
        let name = "status_notifications";
        let Some(Node { place, value }) = self.node(section, name) else {
            return BTreeMap::new();
        };
        match value {
            Value::Text(text) => {
                let read = serde_json::from_str(text);
                if read.is_err() {
                    self.not_texts(place);
                }
                read.unwrap_or_default()
            }
            Value::Table(table) => {
                let mut texts = BTreeMap::new();
                for (status, node) in table {
                    match &node.value {
                        Value::Text(text) if !text.trim().is_empty() => {
                            texts.insert(status.clone(), text.clone());
                        }
                        _ => self.problem(
                            &node.place,
                            format!("the text of the status {status:?} is none"),
                            "Write a text with {key} and {status} in it. That nothing is told of a \
                             status is said at the desk",
                        ),
                    }
                }
                texts
            }
            _ => BTreeMap::new(),
        }
    }

    fn not_texts(&mut self, place: &Place) {
        self.problem(
            place,
            "`status_notifications` holds no texts",
            "Write a JSON object of texts: {\"Done\": \"{key} is done\"}",
        );
    }
}

/// The desk's own approved message, as what is in a language is looked at beside it.
fn approved(own: &WindowTemplate) -> settings::WindowTemplate {
    settings::WindowTemplate {
        name: own.name.clone(),
        namespace: own.namespace.clone(),
        language: own.language.clone(),
        values: own.values.clone(),
        text: own.text.clone(),
        by_itself: own.by_itself,
    }
}
