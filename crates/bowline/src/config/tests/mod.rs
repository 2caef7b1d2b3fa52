//! The contract of the configuration, from text and variables to settings and problems. No disk and no real environment.

mod alert_mail;
mod desks;
mod environment;
mod mistakes;
mod oidc;
mod products;
mod secrets;
mod settings;

use super::{Config, Loaded, Problem};
use std::{collections::BTreeMap, io, path::Path};

const FILE: &str = "/etc/bowline/bowline.toml";

/// A small whole configuration. Line numbers in tests count from its first line.
const WHOLE: &str = r#"listen = "127.0.0.1:8080"
[[site]]
name = "acme-jira"
kind = "cloud"
url = "https://acme.example.com"
email = "bot@acme.example.com"
token = "jira-token"
webhook_secret = "hook"
[[workspace]]
name = "acme"
access_token = "ic-token"
client_secret = "ic-secret"
[[binding]]
site = "acme-jira"
project = "ENG"
workspace = "acme"
"#;

fn load_files(
    path: Option<&str>,
    files: &[(&str, &str)],
    env: &[(&str, &str)],
) -> Result<Loaded, Vec<Problem>> {
    let files: BTreeMap<&Path, &str> = files
        .iter()
        .map(|(path, text)| (Path::new(*path), *text))
        .collect();
    let read = |path: &Path| {
        files
            .get(path)
            .map(|text| (*text).to_owned())
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    };
    Config::load(
        path.map(Path::new),
        env.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        &read,
    )
}

fn load(text: &str, env: &[(&str, &str)]) -> Result<Loaded, Vec<Problem>> {
    load_files(Some(FILE), &[(FILE, text)], env)
}

#[track_caller]
fn good(text: &str, env: &[(&str, &str)]) -> Loaded {
    load(text, env).unwrap_or_else(|problems| panic!("{}", words(&problems)))
}

fn words(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The configuration with `from` replaced by `to`, which must change something.
fn edited(from: &str, to: &str) -> String {
    assert!(WHOLE.contains(from), "{from}");
    WHOLE.replacen(from, to, 1)
}

/// Each row: a configuration, variables, and what the problems must say, one row of words per problem.
#[track_caller]
fn expect_problems(text: &str, env: &[(&str, &str)], expected: &[&[&str]]) {
    let problems =
        load(text, env).map_or_else(|problems| problems, |_| panic!("accepted: {text}\n{env:?}"));
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), expected.len(), "{text}\n{lines:#?}");
    for fragments in expected {
        assert!(
            lines
                .iter()
                .any(|line| fragments.iter().all(|fragment| line.contains(fragment))),
            "{fragments:?} not in {lines:#?}"
        );
    }
}
