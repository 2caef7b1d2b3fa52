//! What a desk says in languages, in its form.

use bowline_access::Fault;
use bowline_settings::desk_texts::part;
use bowline_settings::{DeskChoices, DeskForm, TextsForm};

use crate::caller::Fields;

/// The texts of one language in the form.
pub(super) struct Written {
    /// What they are called.
    pub(super) title: String,
    /// Is it the empty one at the end?
    pub(super) is_new: bool,
    pub(super) open: bool,
    pub(super) language: String,
    pub(super) numbers: String,
    /// One status a line.
    pub(super) statuses: String,
    pub(super) template: String,
    pub(super) template_language: String,
    pub(super) template_namespace: String,
    pub(super) template_values: String,
    pub(super) template_text: String,
    pub(super) faults: Beside,
}

/// What is wrong, beside the field of an entry that it is about.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) language: Option<String>,
    pub(super) numbers: Option<String>,
    pub(super) statuses: Option<String>,
    pub(super) template: Option<String>,
}

impl Beside {
    /// What is wrong with the entry that has this number.
    fn of(entry: usize, faults: &[Fault]) -> Self {
        let told = |part: &str| {
            let about = faults.iter().filter(|fault| fault.field == "texts");
            let about = about.filter(|fault| fault.entry.is_some_and(|at| at == (entry, part)));
            let words: Vec<&str> = about.map(|fault| fault.words.as_str()).collect();
            (!words.is_empty()).then(|| words.join(" "))
        };
        Self {
            language: told(part::LANGUAGE),
            numbers: told(part::NUMBERS),
            statuses: told(part::STATUSES),
            template: told(part::TEMPLATE),
        }
    }

    fn are_some(&self) -> bool {
        let all = [
            &self.language,
            &self.numbers,
            &self.statuses,
            &self.template,
        ];
        all.into_iter().any(Option::is_some)
    }
}

/// The texts that there are, and an empty place for more.
pub(super) fn written(form: &DeskForm, faults: &[Fault]) -> Vec<Written> {
    let there = form.texts.iter().filter(|texts| !texts.is_empty());
    let there = there.enumerate();
    let mut all: Vec<Written> = there
        .map(|(entry, texts)| one(texts, Beside::of(entry, faults)))
        .collect();
    all.push(Written {
        title: "Texts in another language".to_owned(),
        is_new: true,
        ..one(&TextsForm::default(), Beside::default())
    });
    all
}

fn one(texts: &TextsForm, faults: Beside) -> Written {
    let language = texts.language.trim();
    let lines = texts.statuses.iter();
    let lines = lines.map(|(status, text)| format!("{status} = {}", text.replace('\n', "\\n")));
    Written {
        title: if language.is_empty() {
            "Texts without a language".to_owned()
        } else {
            format!("Texts in {language}")
        },
        is_new: false,
        open: faults.are_some(),
        language: texts.language.clone(),
        numbers: texts.numbers.clone(),
        statuses: lines.collect::<Vec<_>>().join("\n"),
        template: texts.template.clone(),
        template_language: texts.template_language.clone(),
        template_namespace: texts.template_namespace.clone(),
        template_values: texts.template_values.clone(),
        template_text: texts.template_text.clone(),
        faults,
    }
}

/// What is wrong with them that stands beside none of them.
pub(super) fn fault(faults: &[Fault]) -> Option<String> {
    let all = faults.iter();
    let rest = all.filter(|fault| fault.field == "texts" && fault.entry.is_none());
    let rest: Vec<&str> = rest.map(|fault| fault.words.as_str()).collect();
    (!rest.is_empty()).then(|| rest.join(" "))
}

/// What may stand there for statuses.
pub(super) fn hint(choices: &DeskChoices) -> String {
    let form = "One status a line, as Done = {key} is done; * stands for all that have no line.";
    if choices.statuses.is_empty() {
        form.to_owned()
    } else {
        format!("{form} This project has {}.", choices.statuses.join(", "))
    }
}

/// Reads them.
pub(super) fn typed(fields: &Fields) -> Vec<TextsForm> {
    let column = |name: &str| fields.all(name).into_iter();
    let mut numbers = column("texts_numbers");
    let mut statuses = column("texts_statuses");
    let mut template = column("texts_template");
    let mut template_language = column("texts_template_language");
    let mut template_namespace = column("texts_template_namespace");
    let mut template_values = column("texts_template_values");
    let mut template_text = column("texts_template_text");
    // By their place in the form: two of them may say the same language.
    let dropped = fields.all("texts_drop");
    let next = |column: &mut std::vec::IntoIter<String>| column.next().unwrap_or_default();
    let mut all = Vec::new();
    for (place, language) in fields.all("texts_language").into_iter().enumerate() {
        let texts = TextsForm {
            numbers: next(&mut numbers),
            statuses: lines(&next(&mut statuses)),
            template: next(&mut template),
            template_language: next(&mut template_language),
            template_namespace: next(&mut template_namespace),
            template_values: next(&mut template_values),
            template_text: next(&mut template_text),
            language,
        };
        if !texts.is_empty() && !dropped.contains(&place.to_string()) {
            all.push(texts);
        }
    }
    all
}

/// One status and its text a line.
fn lines(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (status, text) = line.split_once('=').unwrap_or((line, ""));
            (status.trim().to_owned(), text.trim().replace("\\n", "\n"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn german() -> TextsForm {
        TextsForm {
            language: "de".to_owned(),
            numbers: "+49".to_owned(),
            statuses: lines("Done = {key} = fertig\\nDanke\n\n* = {status}\nWaiting"),
            ..TextsForm::default()
        }
    }

    #[test]
    fn statuses_are_lines_and_are_written_as_they_are_read() {
        let texts = german();
        assert_eq!(
            texts.statuses,
            [
                ("Done".to_owned(), "{key} = fertig\nDanke".to_owned()),
                ("*".to_owned(), "{status}".to_owned()),
                ("Waiting".to_owned(), String::new()),
            ]
        );
        let shown = one(&texts, Beside::default()).statuses;
        assert_eq!(lines(&shown), texts.statuses);
    }

    #[test]
    fn what_is_wrong_stands_beside_what_it_is_about() {
        let form = DeskForm {
            texts: vec![TextsForm::default(), german(), german()],
            ..DeskForm::default()
        };
        let faults = [
            Fault::new("texts", "In “de”: “Waiting” has no text.").of_entry(1, part::STATUSES),
            Fault::new("texts", "In “de”: no number.").of_entry(1, part::NUMBERS),
            Fault::new("texts", "In “de”: nor this.").of_entry(1, part::NUMBERS),
            Fault::new("texts", "There are more than 100 languages."),
            Fault::new("name", "Too long."),
        ];
        let shown = written(&form, &faults);
        assert_eq!(shown.len(), 3, "two, and an empty place");
        assert!(!shown[0].open && shown[1].open && shown[2].is_new && !shown[2].open);
        let beside = &shown[1].faults;
        let statuses = beside.statuses.as_deref();
        assert_eq!(statuses, Some("In “de”: “Waiting” has no text."));
        let numbers = beside.numbers.as_deref();
        assert_eq!(numbers, Some("In “de”: no number. In “de”: nor this."));
        assert_eq!((&beside.language, &beside.template), (&None, &None));
        let rest = fault(&faults).unwrap();
        assert_eq!(rest, "There are more than 100 languages.");
    }
}
