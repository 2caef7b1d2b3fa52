//! Products that feedback is gathered for.

use super::{
    connections::Names,
    settings::{Reading, Section},
    tree::Node,
    types::{IssuePlace, Product, Site, TicketStatus},
};
use std::collections::{BTreeMap, BTreeSet};

/// The longest name, in characters.
const NAME_CHARS: usize = 80;

/// The longest name of a status, in characters.
const STATUS_CHARS: usize = 40;

/// What products may refer to.
pub(super) struct Known<'a> {
    pub(super) sites: &'a [Site],
    pub(super) site_names: &'a Names,
    pub(super) workspace_names: &'a Names,
}

impl Reading<'_> {
    /// Every product. A name may hold blanks: people read it, and no address is made of it.
    pub(super) fn products(&mut self, root: &Node, known: &Known<'_>) -> Vec<Product> {
        let mut seen: BTreeMap<(String, String), super::problem::Place> = BTreeMap::new();
        let mut products = Vec::new();
        let entries = root.list("product").iter();
        for (position, node) in entries.filter(|node| node.table().is_some()).enumerate() {
            let label = node
                .text_of("name")
                .map_or_else(|| position.to_string(), str::to_owned);
            let (path, title) = (format!("product.{label}"), format!("product {label:?}"));
            let section = Section {
                pattern: "product[]",
                path: &path,
                title: &title,
                node,
            };
            let Some(product) = self.product(&section, known) else {
                continue;
            };
            let name = (product.workspace.clone(), product.name.to_lowercase());
            if let Some(first) = seen.insert(name, node.place.clone()) {
                self.problem(
                    &node.place,
                    format!("there are two products named {label:?} in one workspace"),
                    format!("Rename one; the first is at {first}"),
                );
            }
            products.push(product);
        }
        products
    }

    fn product(&mut self, section: &Section<'_>, known: &Known<'_>) -> Option<Product> {
        let name = self.text(section, "name");
        if let Some(name) = name.as_ref().filter(|name| {
            name.value.trim() != name.value || name.value.chars().count() > NAME_CHARS
        }) {
            self.problem(
                &name.place,
                format!("{:?} cannot be the name of a product", name.value),
                format!("Write at most {NAME_CHARS} characters, without blanks around them"),
            );
        }
        let workspace = self.text(section, "workspace");
        self.known_name(
            section,
            "workspace",
            workspace.as_ref(),
            known.workspace_names,
        );
        let tags = self.words(section, "tags").unwrap_or_default();
        if tags.is_empty()
            && section
                .node
                .table()
                .is_some_and(|table| table.contains_key("tags"))
        {
            self.problem(
                &section.node.place,
                format!("{} counts no tag", section.title),
                "Name at least one tag of the workspace, by name or id",
            );
        }
        let notes = self.notes(section);
        let follow_issue = self.flag(section, "follow_issue");
        let wake_snoozed = self.flag(section, "wake_snoozed");
        let status_names = self.status_names(section);
        let issues = self.issue_place(section, known);
        Some(Product {
            name: name?.value,
            workspace: workspace?.value,
            tags: tags.into_iter().map(|tag| tag.value).collect(),
            notes,
            follow_issue,
            wake_snoozed,
            status_names,
            issues,
        })
    }

    fn notes(&mut self, section: &Section<'_>) -> BTreeSet<TicketStatus> {
        let mut notes = BTreeSet::new();
        for word in self.words(section, "notes").unwrap_or_default() {
            match TicketStatus::from_word(&word.value) {
                Some(status) if TicketStatus::TELLABLE.contains(&status) => {
                    notes.insert(status);
                }
                _ => self.problem(
                    &word.place,
                    format!("`notes` names {:?}, of which nobody is told", word.value),
                    "Choose among planned, done and declined",
                ),
            }
        }
        notes
    }

    fn status_names(&mut self, section: &Section<'_>) -> BTreeMap<TicketStatus, String> {
        let mut names = BTreeMap::new();
        for (word, value) in self.values(section, "status_names") {
            let text = value.as_str().map(str::trim).unwrap_or_default();
            let fits = !text.is_empty() && text.chars().count() <= STATUS_CHARS;
            match TicketStatus::from_word(&word).filter(|_| fits) {
                Some(status) => drop(names.insert(status, text.to_owned())),
                None => self.problem(
                    &section.node.place,
                    format!(
                        "`status_names` of {} cannot call {word:?} {value}",
                        section.title
                    ),
                    format!(
                        "Give new, in_review, planned, done or declined a text of at most \
                         {STATUS_CHARS} characters"
                    ),
                ),
            }
        }
        names
    }

    fn issue_place(&mut self, section: &Section<'_>, known: &Known<'_>) -> Option<IssuePlace> {
        let project = self.text(section, "issue_project");
        let site = self.text(section, "issue_site");
        let issue_type = self.text(section, "issue_type");
        self.known_name(section, "site", site.as_ref(), known.site_names);
        let project = project?;
        let site = match (site, known.sites) {
            (Some(site), _) => site.value,
            (None, [only]) => only.name.clone(),
            (None, _) => {
                self.problem(
                    &project.place,
                    format!("{} makes issues, but not which site", section.title),
                    "Add issue_site: the name of the site that has the project",
                );
                return None;
            }
        };
        Some(IssuePlace {
            site,
            project: project.value,
            issue_type: issue_type?.value,
        })
    }
}
