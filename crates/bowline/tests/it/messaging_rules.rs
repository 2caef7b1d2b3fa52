//! The table of rules in the documentation names tests that exist.

use std::collections::BTreeSet;
use std::path::Path;

/// Every function of the sources below a folder, by name.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let names = text.lines().filter_map(|line| {
                let (_, rest) = line.split_once("fn ")?;
                rest.split(['(', '<']).next()
            });
            found.extend(names.map(str::to_owned));
        }
    }
}

#[test]
fn the_table_of_rules_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let table = std::fs::read_to_string(root.join("docs/messaging-rules.md")).unwrap();
    let mut known = BTreeSet::new();
    for folder in [
        "crates/domain/src/messaging",
        "crates/bowline/tests",
        "crates/sandbox/src/phones",
        "crates/sandbox/tests",
    ] {
        functions(&root.join(folder), &mut known);
    }
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let mut rules = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let numbered = cells[1].parse::<u32>();
        if let Ok(rule) = numbered {
            rules.insert(rule);
            let tested = |cell: &str| cell.starts_with('`');
            assert!(tested(cells[4]) && tested(cells[5]), "rule {rule}: {row}");
        }
        let quoted = row.split('`').skip(1).step_by(2);
        for name in quoted.filter(|name| name.len() > 20 && name.contains('_')) {
            assert!(known.contains(name), "there is no test `{name}`");
        }
    }
    assert_eq!(rules, (1..=21).collect());
}
