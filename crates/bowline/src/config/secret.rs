//! Secrets: given as the value or as a file that holds it. Nothing here repeats what a secret says.

use super::{
    origin::SecretSource,
    problem::Place,
    reference::Fallback,
    settings::{Found, Reading, Section, key},
    tree::{Node, Value},
};
use secrecy::SecretString;
use std::path::PathBuf;

/// What the example configuration has in the place of secrets.
const PLACEHOLDERS: &[&str] = &["...", "…"];

impl Reading<'_> {
    /// A secret in either of its forms.
    pub(super) fn secret(
        &mut self,
        section: &Section<'_>,
        name: &str,
    ) -> Option<Found<SecretString>> {
        let found = self.secret_text(section, name)?;
        if let Err((what, mend)) = check(&found.value) {
            self.problem(&found.place, format!("the secret `{name}` {what}"), mend);
            return None;
        }
        Some(Found {
            value: found.value.into(),
            place: found.place,
        })
    }

    /// The bare text of a secret, for those that are parsed further. Not checked.
    pub(super) fn secret_text(
        &mut self,
        section: &Section<'_>,
        name: &str,
    ) -> Option<Found<String>> {
        let file_name = format!("{name}_file");
        let file = section.node.table().and_then(|table| table.get(&file_name));
        let inline = self.node(section, name);
        match (inline, file) {
            (Some(inline), Some(file)) => {
                let mend = format!(
                    "Keep one of the two; the other is given at: {}",
                    inline.place
                );
                self.problem(
                    &file.place,
                    format!("both `{name}` and `{file_name}` are given"),
                    mend,
                );
                None
            }
            (
                Some(Node {
                    value: Value::Text(text),
                    place,
                }),
                None,
            ) => {
                let file = matches!(place, Place::Line { .. })
                    .then(|| self.config_file.map(PathBuf::from))
                    .flatten();
                self.note_source(section, name, file);
                Some(Found {
                    value: text.clone(),
                    place: place.clone(),
                })
            }
            (
                None,
                Some(Node {
                    value: Value::Text(file),
                    place,
                }),
            ) => {
                self.note_origin(section, name, Some(place));
                self.read_secret(section, name, file, place)
            }
            (None, None) => {
                if key(section.pattern, name).default == Fallback::Required {
                    self.missing(section, name);
                }
                None
            }
            // Already reported as wrong.
            _ => None,
        }
    }

    fn read_secret(
        &mut self,
        section: &Section<'_>,
        name: &str,
        file: &str,
        place: &Place,
    ) -> Option<Found<String>> {
        let path = self.resolve(file);
        self.note_source(section, name, Some(path.clone()));
        match (self.read_file)(&path) {
            Ok(text) => {
                let line = text.strip_suffix('\n').unwrap_or(&text);
                let line = line.strip_suffix('\r').unwrap_or(line);
                Some(Found {
                    value: line.to_owned(),
                    place: Place::File(path),
                })
            }
            Err(error) => {
                let what = format!(
                    "`{name}_file` names {}, which cannot be read: {error}",
                    path.display()
                );
                self.problem(
                    place,
                    what,
                    "Make the file, and let the user that runs Bowline read it",
                );
                None
            }
        }
    }

    fn note_source(&mut self, section: &Section<'_>, name: &str, file: Option<PathBuf>) {
        let path = if section.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", section.path)
        };
        self.sources.push(SecretSource { path, file });
    }
}

/// What is wrong with a secret, and how to mend it.
fn check(text: &str) -> Result<(), (&'static str, &'static str)> {
    if text.is_empty() {
        Err(("is empty", "Give it a value"))
    } else if PLACEHOLDERS.contains(&text) {
        Err((
            "is still the placeholder of the example",
            "Replace it by the real value",
        ))
    } else if text.trim() != text {
        Err((
            "begins or ends with white space",
            "Remove the white space; one line break at the end of a file is dropped by itself",
        ))
    } else if text.chars().any(char::is_control) {
        Err((
            "holds a line break or another control character",
            "Give the bare value on one line",
        ))
    } else {
        Ok(())
    }
}
