//! Workspaces whose contacts are copied.

use super::{
    binding::Connections,
    problem::Place,
    settings::{Reading, Section},
    tree::Node,
    types::ContactSync,
};
use std::collections::BTreeMap;

impl Reading<'_> {
    pub(super) fn contact_syncs(
        &mut self,
        root: &Node,
        connections: &Connections<'_>,
    ) -> Vec<ContactSync> {
        let mut firsts: BTreeMap<String, Place> = BTreeMap::new();
        let mut syncs = Vec::new();
        let entries = root.list("contact_sync").iter();
        for (position, node) in entries.filter(|node| node.table().is_some()).enumerate() {
            let label = node
                .text_of("workspace")
                .map_or_else(|| position.to_string(), str::to_owned);
            let (path, title) = (
                format!("contact_sync.{label}"),
                format!("contact_sync {label}"),
            );
            let section = Section {
                pattern: "contact_sync[]",
                path: &path,
                title: &title,
                node,
            };
            let workspace = self.text(&section, "workspace");
            let updates = self.flag(&section, "updates");
            self.refers(&section, "workspace", workspace.as_ref(), connections);
            let Some(workspace) = workspace else { continue };
            if let Some(first) = firsts.insert(workspace.value.clone(), node.place.clone()) {
                self.problem(
                    &node.place,
                    format!(
                        "the contacts of workspace {:?} are asked for twice",
                        workspace.value
                    ),
                    format!("Remove one; the other is at {first}"),
                );
            }
            syncs.push(ContactSync {
                workspace: workspace.value,
                updates,
            });
        }
        syncs
    }
}
