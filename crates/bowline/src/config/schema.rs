//! The check of the written settings against the table of keys: unknown keys, wrong types, numbers out of bounds, words not among the choices.

use super::{
    problem::{Place, Problem, nearest},
    reference::{KEYS, Kind, find},
    tree::{Node, Table, Value},
};

/// What stands at a path.
enum Shape {
    /// A key that takes a value.
    Leaf(Kind),
    /// A table, `[name]`.
    Table,
    /// A list of tables, `[[name]]`.
    List,
}

/// The shape of the path, `_file` forms of secrets included. None: not known.
fn shape(path: &str) -> Option<Shape> {
    if let Some(key) = find(path) {
        return Some(Shape::Leaf(key.kind));
    }
    if path
        .strip_suffix("_file")
        .and_then(find)
        .is_some_and(|key| key.kind == Kind::Secret)
    {
        return Some(Shape::Leaf(Kind::Folder));
    }
    let begins = |end: &str| {
        KEYS.iter().any(|key| {
            key.path
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with(end))
        })
    };
    if begins("[].") {
        Some(Shape::List)
    } else if begins(".") {
        Some(Shape::Table)
    } else {
        None
    }
}

/// Reports what does not fit the table of keys, and marks it so that nobody reads it.
pub(super) fn check(root: &mut Node, problems: &mut Vec<Problem>) {
    if let Some(table) = root.table_mut() {
        check_table("", table, problems);
    }
}

fn check_table(path: &str, table: &mut Table, problems: &mut Vec<Problem>) {
    for (name, node) in table {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let Some(shape) = shape(&path) else {
            problems.push(unknown(&path, name, &node.place));
            continue;
        };
        if let Err(problem) = check_node(&path, &shape, node, problems) {
            problems.push(problem);
            node.value = Value::Wrong;
        }
    }
}

fn check_node(
    path: &str,
    shape: &Shape,
    node: &mut Node,
    problems: &mut Vec<Problem>,
) -> Result<(), Problem> {
    let name = bare(path);
    match (shape, &mut node.value) {
        (Shape::Leaf(kind), _) => check_leaf(name, *kind, node),
        (Shape::Table, Value::Table(table)) => {
            check_table(path, table, problems);
            Ok(())
        }
        (Shape::List, Value::List(entries)) => {
            for entry in entries {
                check_entry(path, entry, problems);
            }
            Ok(())
        }
        (Shape::List, Value::Table(_)) => Err(Problem::new(
            &node.place,
            format!("`{name}` is a list, but is written as a single table"),
            format!("Write [[{}]] with two brackets", header(path)),
        )),
        (Shape::List, value) => Err(Problem::new(
            &node.place,
            format!("`{name}` is a list of tables, not {}", value.type_name()),
            format!(
                "Write one [[{}]] for each entry, and its keys below it",
                header(path)
            ),
        )),
        (Shape::Table, value) => Err(Problem::new(
            &node.place,
            format!("`{name}` is a table, not {}", value.type_name()),
            format!("Set its keys: {}", children(path).join(", ")),
        )),
    }
}

fn check_entry(path: &str, entry: &mut Node, problems: &mut Vec<Problem>) {
    if let Value::Table(table) = &mut entry.value {
        check_table(&format!("{path}[]"), table, problems);
    } else {
        let what = format!(
            "an entry of `{}` is a table, not {}",
            bare(path),
            entry.value.type_name()
        );
        problems.push(Problem::new(
            &entry.place,
            what,
            format!(
                "Write one [[{}]] for each entry, and its keys below it",
                header(path)
            ),
        ));
        entry.value = Value::Wrong;
    }
}

/// Whether the value is of the kind. Ids and statuses written as numbers become texts here.
fn check_leaf(name: &str, kind: Kind, node: &mut Node) -> Result<(), Problem> {
    let wrong = |takes: &str, example: &str| {
        let what = format!("`{name}` takes {takes}, not {}", node.value.type_name());
        Err(Problem::new(
            &node.place,
            what,
            format!("Write, for example, {name} = {example}"),
        ))
    };
    match (kind, &node.value) {
        (Kind::Whole { min, max, unit }, Value::Whole(number)) if !(min..=max).contains(number) => {
            Err(Problem::new(
                &node.place,
                format!("`{name}` is {number} {unit}"),
                format!("Choose a number from {min} to {max}"),
            ))
        }
        (Kind::Choice(words), Value::Text(text)) if !words.contains(&text.as_str()) => {
            Err(Problem::new(
                &node.place,
                format!(
                    "`{name}` is {text:?}, which is not one of {}",
                    words.join(", ")
                ),
                format!(
                    "The nearest is {:?}",
                    nearest(text, words.iter().copied()).unwrap_or_default()
                ),
            ))
        }
        (Kind::Id | Kind::Status, Value::Whole(number)) => {
            node.value = Value::Text(number.to_string());
            Ok(())
        }
        (Kind::Whole { .. }, Value::Whole(_)) | (Kind::Flag | Kind::Metrics, Value::Flag(_)) => {
            Ok(())
        }
        (Kind::Whole { .. }, _) => wrong("a whole number", "60, without quotes"),
        (Kind::Flag, _) => wrong("true or false", "true, without quotes"),
        (Kind::Words | Kind::Statuses, Value::List(_))
        | (Kind::Values | Kind::PerStatus | Kind::Texts, Value::Table(_))
        | (Kind::PerStatus, Value::Flag(_)) => Ok(()),
        (Kind::PerStatus, _) => wrong(
            "true, false or a table of texts",
            "{ \"Done\" = \"{key} is done\" }",
        ),
        (_, Value::Text(text)) if text.is_empty() => Err(Problem::new(
            &node.place,
            format!("`{name}` is empty"),
            "Give it a value, or leave it out to have its default",
        )),
        (_, Value::Text(_)) => Ok(()),
        (Kind::Metrics, _) => wrong("true, false or an address", "true"),
        (Kind::Words | Kind::Statuses, _) => wrong("a text or a list of texts", "[\"…\"]"),
        (Kind::Values, _) => wrong("a table", "{ priority = { name = \"High\" } }"),
        (Kind::Texts, _) => wrong("a table of texts", "{ \"Done\" = \"{key} is done\" }"),
        (..) => wrong("a text", "\"…\", with quotes"),
    }
}

fn unknown(path: &str, name: &str, place: &Place) -> Problem {
    let parent = path.strip_suffix(name).unwrap_or("").trim_end_matches('.');
    let known = children(parent);
    let whole = if parent.is_empty() {
        "at the top of the file".to_owned()
    } else {
        format!("in {}", bracketed(parent))
    };
    let mut mend = format!(
        "The nearest known key is `{}`",
        nearest(name, known.iter().map(String::as_str)).unwrap_or_default()
    );
    // The usual slip: the right key below the wrong header.
    let elsewhere = KEYS.iter().find(|key| {
        bare(key.path) == name
            || (key.kind == Kind::Secret && name.strip_suffix("_file") == Some(bare(key.path)))
    });
    if let Some(home) = elsewhere.map(|key| key.path.rsplit_once('.').map_or("", |(home, _)| home))
    {
        let home = if home.is_empty() {
            "at the top of the file, above the first header".to_owned()
        } else {
            format!("in {}", bracketed(home))
        };
        mend = format!("{mend}; a key `{name}` exists {home}");
    }
    Problem::new(place, format!("unknown key `{name}` {whole}"), mend)
}

/// The names that may stand directly in the table at `path`.
fn children(path: &str) -> Vec<String> {
    let mut names = Vec::new();
    for key in KEYS {
        let rest = if path.is_empty() {
            Some(key.path)
        } else {
            key.path
                .strip_prefix(path)
                .and_then(|rest| rest.strip_prefix('.'))
        };
        let Some(rest) = rest else { continue };
        let name = rest
            .split('.')
            .next()
            .unwrap_or(rest)
            .trim_end_matches("[]");
        let file = (name == rest && key.kind == Kind::Secret).then(|| format!("{name}_file"));
        for name in std::iter::once(name.to_owned()).chain(file) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// The last name of a path.
fn bare(path: &str) -> &str {
    path.rsplit('.')
        .next()
        .unwrap_or(path)
        .trim_end_matches("[]")
}

/// A path as it stands in a header.
fn header(path: &str) -> String {
    path.replace("[]", "")
}

fn bracketed(path: &str) -> String {
    match path.strip_suffix("[]") {
        Some(list) => format!("[[{}]]", header(list)),
        None if path.contains("[]") => format!(
            "`{}` of [[{}]]",
            path.rsplit("[].").next().unwrap_or(path),
            header(path.split("[]").next().unwrap_or(path))
        ),
        None => format!("[{path}]"),
    }
}
