//! The environment on top of the file.
//!
//! A variable is `BOWLINE_` and the parts of a key's path in capitals, joined by two underscores. A part after the name of a list chooses the entry:
//! by position, by name, or (bindings) by site and project.

use super::{
    problem::{Place, Problem, nearest},
    reference::{KEYS, Key, Kind},
    tree::{Node, Table, Value},
};
use std::collections::BTreeMap;

const PREFIX: &str = "BOWLINE_";

/// Variables with our prefix that are not settings: the path of the configuration file, which the command line reads.
const NOT_SETTINGS: &[&str] = &["BOWLINE_CONFIG"];

/// One variable that is a setting.
struct Assignment {
    variable: String,
    key: &'static Key,
    /// The `_file` form of a secret.
    file: bool,
    selectors: Vec<String>,
    value: String,
}

/// Puts the variables of `env` into the tree. Unknown ones are reported.
pub(super) fn overlay(
    root: &mut Node,
    env: impl IntoIterator<Item = (String, String)>,
    problems: &mut Vec<Problem>,
) {
    let mut variables: Vec<_> = env
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX) && !is_foreign(name))
        .collect();
    variables.sort();
    let mut assignments = Vec::new();
    for (variable, value) in variables {
        match recognise(&variable) {
            Some((key, file, selectors)) => assignments.push(Assignment {
                variable,
                key,
                file,
                selectors,
                value,
            }),
            None => problems.push(unknown(&variable)),
        }
    }
    assignments.sort_by_key(order);
    let mut chosen = Chosen::default();
    for assignment in assignments {
        if let Err(problem) = chosen.apply(root, &assignment) {
            problems.push(problem);
        }
    }
}

/// Whether the variable is not ours although it has our prefix. Kubernetes gives every container variables for each service of its namespace, so that
/// a service named `bowline` makes these.
fn is_foreign(name: &str) -> bool {
    let service = name == "BOWLINE_SERVICE_HOST" || name.starts_with("BOWLINE_SERVICE_PORT");
    let port = name.strip_prefix("BOWLINE_PORT").is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix('_')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    NOT_SETTINGS.contains(&name) || service || port
}

/// The names of a key's variable, with None where an entry is chosen.
fn pattern(key: &Key, file: bool) -> Vec<Option<String>> {
    let mut parts = Vec::new();
    for part in key.path.split('.') {
        let bare = part.trim_end_matches("[]");
        parts.push(Some(bare.to_ascii_uppercase()));
        if bare.len() < part.len() {
            parts.push(None);
        }
    }
    if let (true, Some(Some(last))) = (file, parts.last_mut()) {
        last.push_str("_FILE");
    }
    parts
}

/// Every key, and the `_file` form of every secret.
fn forms() -> impl Iterator<Item = (&'static Key, bool)> {
    KEYS.iter().flat_map(|key| {
        std::iter::once((key, false)).chain((key.kind == Kind::Secret).then_some((key, true)))
    })
}

fn recognise(variable: &str) -> Option<(&'static Key, bool, Vec<String>)> {
    let parts: Vec<&str> = variable.strip_prefix(PREFIX)?.split("__").collect();
    forms().find_map(|(key, file)| {
        let pattern = pattern(key, file);
        if pattern.len() != parts.len() {
            return None;
        }
        let mut selectors = Vec::new();
        for (expected, part) in pattern.iter().zip(&parts) {
            match expected {
                Some(name) if name != part => return None,
                None if part.is_empty() => return None,
                None => selectors.push((*part).to_owned()),
                Some(_) => {}
            }
        }
        Some((key, file, selectors))
    })
}

fn unknown(variable: &str) -> Problem {
    let parts: Vec<&str> = variable.trim_start_matches(PREFIX).split("__").collect();
    let candidates: Vec<String> = forms()
        .map(|(key, file)| {
            // The entry stays the one that the variable chooses, so that the suggestion can be copied.
            let pattern = pattern(key, file);
            let names = pattern.iter().enumerate().map(|(at, name)| {
                name.clone()
                    .unwrap_or_else(|| (*parts.get(at).unwrap_or(&"NAME")).to_owned())
            });
            format!("{PREFIX}{}", names.collect::<Vec<_>>().join("__"))
        })
        .collect();
    let near = nearest(variable, candidates.iter().map(String::as_str)).unwrap_or_default();
    Problem::new(
        &Place::Variable(variable.to_owned()),
        "unknown variable",
        format!("The nearest known one is {near}"),
    )
}

/// Lists in the order of the table of keys (bindings refer to sites), positions before names (a position counts the entries of the file).
fn order(assignment: &Assignment) -> (usize, Vec<(u8, usize, String)>) {
    let list = assignment.key.path.split('.').next().unwrap_or_default();
    let rank = KEYS
        .iter()
        .position(|key| key.path.split('.').next() == Some(list))
        .unwrap_or_default();
    let selectors = assignment
        .selectors
        .iter()
        .map(|selector| match selector.parse::<usize>() {
            Ok(position) => (0, position, String::new()),
            Err(_) => (1, 0, selector.clone()),
        });
    (rank, selectors.collect())
}

/// Which entry each selector chose, so that an entry keeps its selector when its name is set.
#[derive(Default)]
struct Chosen(BTreeMap<String, usize>);

impl Chosen {
    fn apply(&mut self, root: &mut Node, assignment: &Assignment) -> Result<(), Problem> {
        let place = Place::Variable(assignment.variable.clone());
        let sites: Vec<String> = root
            .list("site")
            .iter()
            .filter_map(|site| site.text_of("name"))
            .map(str::to_owned)
            .collect();
        let mut selectors = assignment.selectors.iter();
        let mut address = String::new();
        let mut table = root
            .table_mut()
            .ok_or_else(|| shapeless(&place, "the configuration"))?;
        let mut parts = assignment.key.path.split('.').peekable();
        while let Some(part) = parts.next() {
            let name = part.trim_end_matches("[]");
            if parts.peek().is_none() {
                let name = if assignment.file {
                    format!("{name}_file")
                } else {
                    name.to_owned()
                };
                let value = leaf(assignment, &place)?;
                table.insert(name, Node { place, value });
                return Ok(());
            }
            let is_list = name.len() < part.len();
            let node = table.entry(name.to_owned()).or_insert_with(|| Node {
                place: place.clone(),
                value: if is_list {
                    Value::List(Vec::new())
                } else {
                    Value::Table(Table::new())
                },
            });
            let inner = match &mut node.value {
                Value::Table(table) if !is_list => Some(table),
                Value::List(entries) if is_list => {
                    let selector = selectors.next().map_or("", String::as_str);
                    address = format!("{address}/{name}/{selector}");
                    let index = self.choose(&address, name, selector, entries, &sites, &place)?;
                    entries.get_mut(index).and_then(Node::table_mut)
                }
                _ => None,
            };
            table = inner.ok_or_else(|| shapeless(&place, name))?;
        }
        Ok(())
    }

    /// The entry that the selector means; a new one if there is none.
    fn choose(
        &mut self,
        address: &str,
        list: &str,
        selector: &str,
        entries: &mut Vec<Node>,
        sites: &[String],
        place: &Place,
    ) -> Result<usize, Problem> {
        if let Some(&index) = self.0.get(address) {
            return Ok(index);
        }
        let index = match selector.parse::<usize>() {
            Ok(position) if position <= entries.len() => position,
            Ok(_) => {
                let what = format!(
                    "there are {} entries of `{list}`, counted from 0, so that the next is {}",
                    entries.len(),
                    entries.len()
                );
                return Err(Problem::new(
                    place,
                    what,
                    format!(
                        "Use {} here, or choose the entry by its name",
                        entries.len()
                    ),
                ));
            }
            Err(_) if list == "transition" => {
                return Err(Problem::new(
                    place,
                    format!("{selector:?} chooses no transition"),
                    "Transitions are chosen by position: 0, 1, 2",
                ));
            }
            Err(_) => match matching(list, selector, entries).as_slice() {
                [] => entries.len(),
                [index] => *index,
                _ => return Err(ambiguous(place, selector)),
            },
        };
        if index == entries.len() {
            let mut table = Table::new();
            for (key, value) in implied(list, selector, sites, place)? {
                table.insert(key.to_owned(), Node::text(place.clone(), value));
            }
            entries.push(Node {
                place: place.clone(),
                value: Value::Table(table),
            });
        }
        self.0.insert(address.to_owned(), index);
        Ok(index)
    }
}

fn shapeless(place: &Place, name: &str) -> Problem {
    Problem::new(
        place,
        format!("`{name}` in the configuration file is not the table that this variable needs"),
        "Mend the file first",
    )
}

fn ambiguous(place: &Place, selector: &str) -> Problem {
    Problem::new(
        place,
        format!("{selector} can be read as more than one pair of site and project"),
        "Choose the binding by position: 0, 1, 2",
    )
}

/// The entries whose name, in the form of a variable, is the selector.
fn matching(list: &str, selector: &str, entries: &[Node]) -> Vec<usize> {
    let named = |entry: &Node| match list {
        "binding" => match (entry.text_of("site"), entry.text_of("project")) {
            (Some(site), Some(project)) => {
                format!("{}_{}", variable_form(site), variable_form(project)) == selector
            }
            _ => false,
        },
        "contact_sync" => entry
            .text_of("workspace")
            .is_some_and(|name| variable_form(name) == selector),
        "texts" => entry
            .text_of("language")
            .is_some_and(|name| variable_form(name) == selector),
        _ => entry
            .text_of("name")
            .is_some_and(|name| variable_form(name) == selector),
    };
    entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| named(entry))
        .map(|(index, _)| index)
        .collect()
}

/// What a selector says about a new entry: its name, or its site and project.
fn implied(
    list: &str,
    selector: &str,
    sites: &[String],
    place: &Place,
) -> Result<Vec<(&'static str, String)>, Problem> {
    if selector.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Vec::new());
    }
    if list != "binding" {
        let names = match list {
            "contact_sync" => "workspace",
            "texts" => "language",
            _ => "name",
        };
        return Ok(vec![(
            names,
            selector.to_ascii_lowercase().replace('_', "-"),
        )]);
    }
    let pairs: Vec<_> = sites
        .iter()
        .filter_map(|site| {
            let project = selector
                .strip_prefix(&variable_form(site))?
                .strip_prefix('_')?;
            (!project.is_empty()).then(|| (site.clone(), project.to_owned()))
        })
        .collect();
    match pairs.as_slice() {
        // No site begins like this: a mere label, and the variables for site and project say the rest.
        [] => Ok(Vec::new()),
        [(site, project)] => Ok(vec![("site", site.clone()), ("project", project.clone())]),
        _ => Err(ambiguous(place, selector)),
    }
}

/// A name as it stands in a variable.
fn variable_form(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

/// The value in the type that the key takes. Texts that are not of that type are reported without being repeated, as they may be secrets put into the
/// wrong variable.
fn leaf(assignment: &Assignment, place: &Place) -> Result<Value, Problem> {
    let value = assignment.value.as_str();
    match (assignment.key.kind, value) {
        (Kind::Flag | Kind::Metrics | Kind::PerStatus, "true") => Ok(Value::Flag(true)),
        (Kind::Flag | Kind::Metrics | Kind::PerStatus, "false") => Ok(Value::Flag(false)),
        (Kind::Flag, _) => Err(Problem::new(
            place,
            "the value is neither true nor false",
            "Write true or false",
        )),
        (Kind::Whole { min, max, unit }, _) => value.parse().map(Value::Whole).map_err(|_| {
            Problem::new(
                place,
                "the value is not a whole number",
                format!("Write a number of {unit} from {min} to {max}"),
            )
        }),
        _ => Ok(Value::Text(value.to_owned())),
    }
}
