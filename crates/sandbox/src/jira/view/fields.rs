//! Which fields an issue has, and which of them a caller wants.

use super::super::model::{CUSTOM_FIELDS, NUMBER_FIELDS, custom_name};

/// System fields in the order Jira tends to give them.
pub(crate) const SYSTEM_FIELDS: [&str; 38] = [
    "statuscategorychangedate",
    "issuetype",
    "timespent",
    "project",
    "fixVersions",
    "aggregatetimespent",
    "resolution",
    "resolutiondate",
    "workratio",
    "watches",
    "lastViewed",
    "created",
    "priority",
    "labels",
    "timeestimate",
    "aggregatetimeoriginalestimate",
    "versions",
    "issuelinks",
    "assignee",
    "updated",
    "status",
    "components",
    "timeoriginalestimate",
    "description",
    "timetracking",
    "security",
    "aggregatetimeestimate",
    "attachment",
    "summary",
    "creator",
    "subtasks",
    "reporter",
    "aggregateprogress",
    "environment",
    "duedate",
    "progress",
    "votes",
    "comment",
];

/// Fields of the cut-down issue in comment events.
pub(super) const CUT_DOWN_FIELDS: [&str; 6] = [
    "summary",
    "issuetype",
    "project",
    "assignee",
    "priority",
    "status",
];

/// Which fields a caller wants.
#[derive(Clone, Debug)]
pub(crate) struct FieldSet {
    all: bool,
    named: Vec<String>,
    without: Vec<String>,
}

impl FieldSet {
    /// Parses the comma-separated lists that `fields` consists of. `default_all` says what no list at all means.
    pub(crate) fn parse<'a>(lists: impl IntoIterator<Item = &'a str>, default_all: bool) -> Self {
        let mut set = Self {
            all: false,
            named: Vec::new(),
            without: Vec::new(),
        };
        for name in lists
            .into_iter()
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            match (name, name.strip_prefix('-')) {
                ("*all" | "*navigable", _) => set.all = true,
                (_, Some(name)) => set.without.push(name.to_owned()),
                _ => set.named.push(name.to_owned()),
            }
        }
        if set.named.is_empty() && !set.all {
            set.all = default_all || !set.without.is_empty();
        }
        set
    }

    /// Every field.
    pub(crate) fn all() -> Self {
        Self {
            all: true,
            named: Vec::new(),
            without: Vec::new(),
        }
    }

    /// The same without one of them.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.without.push(name.to_owned());
        self
    }

    /// Whether any field is wanted at all; ids and keys are always there.
    pub(crate) fn wants_fields(&self) -> bool {
        self.all
            || self
                .named
                .iter()
                .any(|name| !matches!(name.as_str(), "id" | "key"))
    }

    /// The names of those that are wanted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let every = SYSTEM_FIELDS
            .into_iter()
            .chain(CUSTOM_FIELDS.iter().map(|field| field.0))
            .chain(NUMBER_FIELDS.iter().map(|field| field.0));
        every.filter(|name| {
            (self.all || self.named.iter().any(|n| n == name))
                && !self.without.iter().any(|n| n == name)
        })
    }
}

/// The name of a field that people see.
pub(crate) fn field_name(id: &str) -> String {
    if let Some(name) = custom_name(id) {
        return name.to_owned();
    }
    let known = [
        ("issuetype", "Issue Type"),
        ("fixVersions", "Fix versions"),
        ("security", "Security Level"),
    ];
    if let Some((_, name)) = known.into_iter().find(|(field, _)| *field == id) {
        return name.to_owned();
    }
    let mut letters = id.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
