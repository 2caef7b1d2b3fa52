//! Project bindings.

use super::{
    connections::Names,
    problem::{Place, nearest},
    settings::{Found, Reading, Section},
    tree::Node,
    types::{
        Binding, Category, CommentFilter, Commented, Notify, React, Site, StatusPattern,
        TransitionRule,
    },
};
use bowline_domain::tally;
use std::collections::BTreeMap;

/// What bindings may refer to.
pub(super) struct Connections<'a> {
    pub(super) sites: &'a [Site],
    pub(super) site_names: &'a Names,
    pub(super) workspace_names: &'a Names,
    /// Lists that are written wrong as a whole, so that nothing can be said about what they hold.
    pub(super) unread: &'a [&'static str],
}

const CATEGORIES: &[(&str, Category)] = &[
    ("new", Category::New),
    ("indeterminate", Category::Indeterminate),
    ("done", Category::Done),
];

impl Reading<'_> {
    pub(super) fn bindings(&mut self, root: &Node, connections: &Connections<'_>) -> Vec<Binding> {
        let mut firsts: BTreeMap<(String, String), Place> = BTreeMap::new();
        let mut bindings = Vec::new();
        for (position, node) in root
            .list("binding")
            .iter()
            .filter(|node| node.table().is_some())
            .enumerate()
        {
            let label = match (node.text_of("site"), node.text_of("project")) {
                (Some(site), Some(project)) => format!("{site}/{project}"),
                _ => position.to_string(),
            };
            let (path, title) = (format!("binding.{label}"), format!("binding {label}"));
            let section = Section {
                pattern: "binding[]",
                path: &path,
                title: &title,
                node,
            };
            let Some(binding) = self.binding(&section, connections) else {
                continue;
            };
            let place = node.place.clone();
            if let Some(first) =
                firsts.insert((binding.site.clone(), binding.project.clone()), place)
            {
                let what = format!(
                    "there are two bindings of project {} of site {:?}",
                    binding.project, binding.site
                );
                self.problem(
                    &node.place,
                    what,
                    format!("Remove one; the other is at {first}"),
                );
            }
            bindings.push(binding);
        }
        bindings
    }

    fn binding(&mut self, section: &Section<'_>, connections: &Connections<'_>) -> Option<Binding> {
        let site = self.text(section, "site");
        let project = self.project(section);
        let workspace = self.text(section, "workspace");
        let webhooks = self.flag(section, "webhooks");
        let linking = self.flag(section, "linking");
        let notify = self.notify(section);
        let transitions = self.transitions(section);
        let unassign_on_open = self.flag(section, "unassign_on_open");
        let wake_snoozed = self.flag(section, "wake_snoozed");
        let muted = self.flag(section, "muted");
        let coalesce_seconds = self.whole(section, "coalesce_seconds");
        let note_summary = self.flag(section, "note_summary");
        let note_comments = self.flag(section, "note_comments");
        let panel = self.panel(section);
        let linked_label = self.checked(section, "linked_label", tally::check_label);
        let linked_number_field = self.checked(section, "linked_number_field", tally::check_field);
        self.refers(section, "site", site.as_ref(), connections);
        self.refers(section, "workspace", workspace.as_ref(), connections);
        let site = site?;
        if webhooks {
            self.needs_webhook_secret(section, &site, connections.sites);
        }
        Some(Binding {
            site: site.value,
            project: project?,
            workspace: workspace?.value,
            linking,
            webhooks,
            notify: notify?,
            unassign_on_open,
            wake_snoozed,
            muted,
            coalesce_seconds,
            note_summary,
            note_comments,
            panel,
            linked_label,
            linked_number_field,
            transitions,
        })
    }

    /// A text that another part of the program knows the form of, if it is given.
    fn checked(
        &mut self,
        section: &Section<'_>,
        name: &str,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Option<String> {
        let Found { value, place } = self.text(section, name)?;
        match check(&value) {
            Ok(()) => Some(value),
            Err(words) => {
                let what = format!("{value:?} cannot be {name} of a binding");
                self.problem(&place, what, words.trim_end_matches('.'));
                None
            }
        }
    }

    /// The project key. Its form is Jira's default: a capital letter, then capital letters, digits and underscores; Data Center can allow others, but
    /// never quotes or spaces, and the key is written into queries.
    fn project(&mut self, section: &Section<'_>) -> Option<String> {
        let project = self.text(section, "project")?;
        let text = project.value.as_str();
        let upper = text.to_ascii_uppercase();
        if text.is_empty()
            || !text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            self.problem(
                &project.place,
                format!("{text:?} is not the key of a project"),
                "Give what stands before the hyphen in the keys of its issues: ENG for ENG-1",
            );
            return None;
        }
        if text != upper {
            self.problem(
                &project.place,
                format!("the project key {text:?} is not in capitals"),
                format!("Write {upper:?}"),
            );
            return None;
        }
        Some(project.value)
    }

    pub(super) fn refers(
        &mut self,
        section: &Section<'_>,
        what: &str,
        name: Option<&Found<String>>,
        connections: &Connections<'_>,
    ) {
        let names = if what == "site" {
            connections.site_names
        } else {
            connections.workspace_names
        };
        let unknown = name.filter(|name| !names.contains_key(&name.value));
        let Some(name) = unknown.filter(|_| !connections.unread.contains(&what)) else {
            return;
        };
        let mend = match nearest(&name.value, names.keys().map(String::as_str)) {
            Some(near) => format!("The nearest known {what} is {near:?}"),
            None => format!("Declare it: a [[{what}]] with that name"),
        };
        self.problem(
            &name.place,
            format!(
                "{} refers to the {what} {:?}, which does not exist",
                section.title, name.value
            ),
            mend,
        );
    }

    fn needs_webhook_secret(
        &mut self,
        section: &Section<'_>,
        site: &Found<String>,
        sites: &[Site],
    ) {
        if sites
            .iter()
            .any(|known| known.name == site.value && known.webhook_secret.is_none())
        {
            self.problem(
                &section.node.place,
                format!("{} takes webhooks, but site {:?} has no `webhook_secret`", section.title, site.value),
                "Give the secret that was entered at the webhook in Jira, or set webhooks = false to rely on polling",
            );
        }
    }

    fn notify(&mut self, section: &Section<'_>) -> Option<Notify> {
        let filter = self.text(section, "notify.commented.filter");
        let filter = filter.and_then(|filter| self.filter(&filter));
        Some(Notify {
            created: self.react(section, "notify.created."),
            assigned: self.react(section, "notify.assigned."),
            commented: Commented {
                react: self.react(section, "notify.commented."),
                filter: filter?,
            },
            transitioned: self.react(section, "notify.transitioned."),
        })
    }

    fn react(&mut self, section: &Section<'_>, prefix: &str) -> React {
        React {
            note: self.flag(section, &format!("{prefix}note")),
            reopen: self.flag(section, &format!("{prefix}reopen")),
        }
    }

    fn filter(&mut self, filter: &Found<String>) -> Option<CommentFilter> {
        match (filter.value.as_str(), filter.value.strip_prefix("marker:")) {
            ("all", _) => Some(CommentFilter::All),
            ("public", _) => Some(CommentFilter::Public),
            (_, Some(marker)) if !marker.trim().is_empty() => {
                Some(CommentFilter::Marker(marker.trim().to_owned()))
            }
            _ => {
                let mend = "Write \"all\", \"public\", or \"marker:TEXT\" to forward only comments that contain TEXT";
                self.problem(
                    &filter.place,
                    format!("`filter` is {:?}", filter.value),
                    mend,
                );
                None
            }
        }
    }

    fn transitions(&mut self, section: &Section<'_>) -> Vec<TransitionRule> {
        let mut rules = Vec::new();
        for (position, node) in section
            .node
            .list("transition")
            .iter()
            .filter(|node| node.table().is_some())
            .enumerate()
        {
            let (path, title) = (
                format!("{}.transition.{position}", section.path),
                format!("transition {position} of {}", section.title),
            );
            let rule = Section {
                pattern: "binding[].transition[]",
                path: &path,
                title: &title,
                node,
            };
            let react = self.react(&rule, "");
            let from = self
                .text(&rule, "from")
                .and_then(|text| self.status("from", &text));
            let to = self
                .text(&rule, "to")
                .and_then(|text| match self.status("to", &text)? {
                    StatusPattern::Any => {
                        self.problem(
                            &text.place,
                            "`to` is \"*\"",
                            "Name a status; what holds for every change is `notify.transitioned`",
                        );
                        None
                    }
                    status => Some(status),
                });
            if let (Some(from), Some(to)) = (from, to) {
                rules.push(TransitionRule { from, to, react });
            }
        }
        rules
    }

    pub(super) fn status(&mut self, name: &str, text: &Found<String>) -> Option<StatusPattern> {
        let value = text.value.trim();
        if let Some(category) = value.strip_prefix("category:") {
            let known = CATEGORIES.iter().find(|(word, _)| *word == category.trim());
            if known.is_none() {
                let near =
                    nearest(category, CATEGORIES.iter().map(|(word, _)| *word)).unwrap_or_default();
                let mend = format!(
                    "Categories are new, indeterminate and done; the nearest is \"category:{near}\""
                );
                self.problem(
                    &text.place,
                    format!("`{name}` is {value:?}, which is no status category"),
                    mend,
                );
            }
            return known.map(|(_, category)| StatusPattern::Category(*category));
        }
        match value {
            "" => {
                self.problem(
                    &text.place,
                    format!("`{name}` is blank"),
                    "Give the name or the id of a status",
                );
                None
            }
            "*" => Some(StatusPattern::Any),
            id if id.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(StatusPattern::Id(id.to_owned()))
            }
            status => Some(StatusPattern::Name(status.to_owned())),
        }
    }
}
