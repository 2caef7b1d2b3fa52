//! The settings as written: tables, lists and values, each with its place. File and environment meet here before anything is understood.

use super::{
    ReadFile,
    problem::{Place, Problem},
};
use std::{collections::BTreeMap, io, path::Path, sync::Arc};
use toml::{Spanned, de::DeTable, de::DeValue};

/// One value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// The entries of a table, by key.
pub(super) type Table = BTreeMap<String, Node>;

#[derive(Debug)]
pub(super) enum Value {
    Table(Table),
    List(Vec<Node>),
    Text(String),
    Whole(i64),
    Flag(bool),
    /// A value of a type that no key takes, with the name of that type.
    Odd(&'static str),
    /// A value already reported as wrong. Nobody reads it, and nobody calls it missing.
    Wrong,
}

impl Value {
    /// The type in a reader's words.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Table(_) => "a table",
            Self::List(_) => "a list",
            Self::Text(_) => "a text",
            Self::Whole(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::Odd(name) => name,
            Self::Wrong => "a wrong value",
        }
    }
}

impl Node {
    pub(super) fn empty_root() -> Self {
        Self {
            place: Place::Unsaid,
            value: Value::Table(Table::new()),
        }
    }

    pub(super) fn text(place: Place, text: impl Into<String>) -> Self {
        Self {
            place,
            value: Value::Text(text.into()),
        }
    }

    pub(super) fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    pub(super) fn table_mut(&mut self) -> Option<&mut Table> {
        match &mut self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The text of the entry `key` of this table.
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        match &self.table()?.get(key)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of the list `key` of this table; none when there is no such list.
    pub(super) fn list(&self, key: &str) -> &[Self] {
        match self.table().and_then(|table| table.get(key)) {
            Some(Self {
                value: Value::List(list),
                ..
            }) => list,
            _ => &[],
        }
    }
}

/// Reads and parses the file. What cannot be read or parsed is reported; the rest is returned, so that more problems can be found in it.
pub(super) fn read(path: &Path, read_file: ReadFile<'_>, problems: &mut Vec<Problem>) -> Node {
    match read_file(path) {
        Ok(text) => parse(path, &text, problems),
        Err(error) => {
            let mend = match error.kind() {
                io::ErrorKind::NotFound => {
                    "Give the path of an existing file, or leave --config out and configure by environment variables"
                }
                io::ErrorKind::PermissionDenied => "Let the user that runs Bowline read it",
                io::ErrorKind::InvalidData => "Save it as UTF-8 text",
                _ => "Make the file readable",
            };
            problems.push(Problem::new(
                &Place::File(path.to_owned()),
                format!("the configuration file cannot be read: {error}"),
                mend,
            ));
            Node::empty_root()
        }
    }
}

fn parse(path: &Path, text: &str, problems: &mut Vec<Problem>) -> Node {
    let lines = Lines {
        file: Arc::from(path),
        starts: text.match_indices('\n').map(|(at, _)| at + 1).collect(),
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        // Only the parser's message: its long form quotes the line, and the line may hold a secret.
        let place = error.span().map_or_else(
            || Place::File(path.to_owned()),
            |span| lines.place(span.start),
        );
        problems.push(Problem::new(
            &place,
            format!("not valid TOML: {}", error.message()),
            "Texts stand in double quotes, and a key stands once in its table",
        ));
    }
    Node {
        place: Place::File(path.to_owned()),
        value: Value::Table(lines.table(table.into_inner())),
    }
}

/// The line starts of one file, to turn byte offsets into lines.
struct Lines {
    file: Arc<Path>,
    starts: Vec<usize>,
}

impl Lines {
    fn place(&self, offset: usize) -> Place {
        Place::Line {
            file: Arc::clone(&self.file),
            line: self.starts.partition_point(|&start| start <= offset) + 1,
        }
    }

    fn table(&self, table: DeTable<'_>) -> Table {
        table
            .into_iter()
            .map(|(key, value)| {
                // The place of an entry is that of its key; a value may stand lines below it.
                let place = self.place(key.span().start);
                (
                    key.into_inner().into_owned(),
                    Node {
                        place,
                        value: self.value(value.into_inner()),
                    },
                )
            })
            .collect()
    }

    fn value(&self, value: DeValue<'_>) -> Value {
        match value {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Value::Odd("a number too large"), Value::Whole),
            DeValue::Boolean(flag) => Value::Flag(flag),
            DeValue::Float(_) => Value::Odd("a number with a fraction"),
            DeValue::Datetime(_) => Value::Odd("a date"),
            DeValue::Array(items) => {
                Value::List(items.into_iter().map(|item| self.item(item)).collect())
            }
            DeValue::Table(table) => Value::Table(self.table(table)),
        }
    }

    fn item(&self, item: Spanned<DeValue<'_>>) -> Node {
        Node {
            place: self.place(item.span().start),
            value: self.value(item.into_inner()),
        }
    }
}
