//! Reading single settings: from the tree, with the default of the table of keys, with a problem where one is missing or wrong.

use super::{
    ReadFile,
    origin::{Origin, Origins, SecretSource},
    problem::{Place, Problem},
    reference::{Fallback, Key, find},
    tree::{Node, Value},
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};
use url::{Host, Url};

/// One table that is being read.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    /// Its path in the table of keys, for example `site[]`.
    pub(super) pattern: &'static str,
    /// Its path in [`Origins`], for example `site.acme-jira`.
    pub(super) path: &'a str,
    /// Its name in a reader's words, for example `site "acme-jira"`.
    pub(super) title: &'a str,
    pub(super) node: &'a Node,
}

/// A setting with its place.
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// All that reading collects besides the settings themselves.
pub(super) struct Reading<'a> {
    /// The folder to which paths are relative.
    pub(super) base: PathBuf,
    pub(super) config_file: Option<&'a Path>,
    pub(super) read_file: ReadFile<'a>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    pub(super) origins: Origins,
    pub(super) sources: Vec<SecretSource>,
}

impl Reading<'_> {
    pub(super) fn problem(
        &mut self,
        place: &Place,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.problems.push(Problem::new(place, what, mend));
    }

    pub(super) fn warn(&mut self, place: &Place, what: impl Into<String>, mend: impl Into<String>) {
        self.warnings.push(Problem::new(place, what, mend));
    }

    /// Records where the setting came from.
    pub(super) fn note_origin(&mut self, section: &Section<'_>, name: &str, place: Option<&Place>) {
        let origin = place.map_or(Origin::Default, |place| Origin::Declared(place.clone()));
        self.origins.0.insert(join(section.path, name), origin);
    }

    /// The node of a setting; `name` may go down tables by dots.
    pub(super) fn node<'n>(&mut self, section: &Section<'n>, name: &str) -> Option<&'n Node> {
        let node = lookup(section.node, name);
        self.note_origin(section, name, node.map(|node| &node.place));
        node
    }

    /// Reports a required setting that nobody gave.
    pub(super) fn missing(&mut self, section: &Section<'_>, name: &str) {
        let meaning = key(section.pattern, name).meaning.trim_end_matches('.');
        self.problem(
            &section.node.place,
            format!("{} has no `{name}`", section.title),
            format!("Add it. {meaning}"),
        );
    }

    /// A text, or its default.
    pub(super) fn text(&mut self, section: &Section<'_>, name: &str) -> Option<Found<String>> {
        match self.node(section, name) {
            Some(Node {
                place,
                value: Value::Text(text),
            }) => Some(Found {
                value: text.clone(),
                place: place.clone(),
            }),
            Some(_) => None,
            None => match key(section.pattern, name).default {
                Fallback::Value(text) => Some(Found {
                    value: text.to_owned(),
                    place: Place::Unsaid,
                }),
                Fallback::Absent(_) => None,
                Fallback::Required => {
                    self.missing(section, name);
                    None
                }
            },
        }
    }

    /// true or false, or the default.
    pub(super) fn flag(&mut self, section: &Section<'_>, name: &str) -> bool {
        match self.node(section, name) {
            Some(Node {
                value: Value::Flag(flag),
                ..
            }) => *flag,
            _ => key(section.pattern, name).default == Fallback::Value("true"),
        }
    }

    /// A number within the bounds of its kind, or the default. The type is the reader's choice; bounds in the table of keys keep within it.
    pub(super) fn whole<T: TryFrom<i64> + Default>(
        &mut self,
        section: &Section<'_>,
        name: &str,
    ) -> T {
        let number = match self.node(section, name) {
            Some(Node {
                value: Value::Whole(number),
                ..
            }) => *number,
            _ => match key(section.pattern, name).default {
                Fallback::Value(text) => text.parse().unwrap_or_default(),
                _ => 0,
            },
        };
        T::try_from(number).unwrap_or_default()
    }

    /// An http or https address.
    pub(super) fn url(&mut self, section: &Section<'_>, name: &str) -> Option<Found<Url>> {
        let Found { value, place } = self.text(section, name)?;
        match parse_url(&value) {
            Ok(value) => Some(Found { value, place }),
            Err(what) => {
                self.problem(&place, format!("`{name}` {what}"), "Write an address like https://jira.example.com, with a path only if there is one");
                None
            }
        }
    }

    /// An IP address with a port.
    pub(super) fn address(&mut self, name: &str, text: &str, place: &Place) -> Option<SocketAddr> {
        let parsed = text.parse().ok();
        if parsed.is_none() {
            let mend = "Write an IP address and a port: 127.0.0.1:8080, 0.0.0.0:8080 for every IPv4 interface, or [::]:8080 for every interface";
            self.problem(
                place,
                format!("`{name}` is {text:?}, which is not an IP address with a port"),
                mend,
            );
        }
        parsed
    }

    /// A path, made relative to the folder of the configuration file.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        let path = Path::new(path);
        self.base.join(path.strip_prefix(".").unwrap_or(path))
    }
}

/// The key at this path.
pub(super) fn key(pattern: &str, name: &str) -> &'static Key {
    find(&join(pattern, name)).expect(
        "every setting that is read stands in the table of keys; the tests read all of them",
    )
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn lookup<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    name.split('.')
        .try_fold(node, |node, part| node.table()?.get(part))
}

/// Parses an address; what is wrong otherwise, without repeating the address, which may hold a password.
fn parse_url(text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text).map_err(|error| format!("is not an address: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!(
            "begins with {}:, not http: or https:",
            url.scheme()
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or password; credentials have keys of their own".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("holds a query (?) or an anchor (#)".into());
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// Whether the address stays on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}
