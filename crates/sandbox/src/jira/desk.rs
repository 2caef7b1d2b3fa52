//! Service desks: what the portal asks for, who its customers are, and which texts of a request
//! must not leave.

use std::collections::BTreeSet;

use super::config::{DeskConfig, ProjectKind, RequestField, RequestType};
use super::error::Refusal;
use super::model::{Issue, Status, User, workflow};
use super::state::State;

/// One service desk.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Id.
    pub id: u64,
    /// Id of its project.
    pub project: u64,
    /// Request types with their ids.
    pub request_types: Vec<(u64, RequestType)>,
    /// Account ids of its customers.
    pub customers: BTreeSet<String>,
}

impl Desk {
    /// A request type by id.
    pub fn request_type(&self, id: u64) -> Option<&RequestType> {
        let found = self.request_types.iter().find(|(known, _)| *known == id);
        found.map(|(_, request_type)| request_type)
    }

    /// Whether somebody may raise requests: the desk's customers, and everybody with a licence.
    pub(crate) fn lets_raise(&self, user: &User) -> bool {
        !user.is_customer() || self.customers.contains(&user.account_id)
    }
}

/// A file that was uploaded but belongs to no request yet.
#[derive(Clone, Debug)]
pub(crate) struct Temporary {
    pub(crate) desk: u64,
    pub(crate) name: String,
    pub(crate) mime_type: String,
    pub(crate) content: bytes::Bytes,
}

impl State {
    /// Opens a desk. A desk of a project that does not exist is left out.
    pub(crate) fn add_desk(&mut self, config: &DeskConfig) {
        let Some(project) = self.project(&config.project).map(|project| project.id) else {
            return;
        };
        let known = self.desks.iter().map(|desk| desk.request_types.len()).sum();
        let first: usize = known;
        let customers = config
            .customers
            .iter()
            .filter_map(|name| self.user(name))
            .map(|user| user.account_id.clone())
            .collect();
        self.desks.push(Desk {
            id: u64::try_from(self.desks.len()).unwrap_or_default() + 1,
            project,
            request_types: (1_u64..)
                .skip(first)
                .zip(config.request_types.iter().cloned())
                .collect(),
            customers,
        });
    }

    /// A desk by its id, or by its project's key.
    pub(crate) fn desk(&self, id_or_key: &str) -> Option<&Desk> {
        let project = self.project_keys.get(id_or_key).copied();
        self.desks
            .iter()
            .find(|desk| desk.id.to_string() == id_or_key || Some(desk.project) == project)
    }

    fn form(&mut self, project: &str, request_type: &str) -> Option<&mut RequestType> {
        let id = self.desk(project)?.id;
        let desk = self.desks.iter_mut().find(|desk| desk.id == id)?;
        desk.request_types
            .iter_mut()
            .map(|(_, request_type)| request_type)
            .find(|found| found.name.eq_ignore_ascii_case(request_type))
    }

    pub(crate) fn set_request_field(
        &mut self,
        project: &str,
        request_type: &str,
        field: RequestField,
    ) {
        if let Some(form) = self.form(project, request_type) {
            form.fields.retain(|known| known.id != field.id);
            form.fields.push(field);
        }
    }

    pub(crate) fn remove_request_field(&mut self, project: &str, request_type: &str, field: &str) {
        if let Some(form) = self.form(project, request_type) {
            form.fields.retain(|known| known.id != field);
        }
    }

    /// A request as a caller sees it: agents see the project's, customers their own.
    pub(crate) fn visible_request(&self, caller: &User, key: &str) -> Result<&Issue, Refusal> {
        let missing = || {
            Refusal::desk(
                404,
                "The request does not exist or you do not have permission to see it.",
            )
        };
        let issue = self
            .resolve(key)
            .and_then(|id| self.issue(id))
            .ok_or_else(missing)?;
        // What was moved to a project without a desk is no request there.
        let in_desk = self.desks.iter().any(|desk| desk.project == issue.project);
        let request = issue.request.as_ref().filter(|_| in_desk);
        let request = request.ok_or_else(missing)?;
        let own = issue.reporter.account_id == caller.account_id
            || request.participants.contains(&caller.account_id);
        if self.may_see_issue(caller, issue.id) || (own && caller.is_customer()) {
            Ok(issue)
        } else {
            Err(missing())
        }
    }

    /// Whether the workflow of the issue's project has a status.
    pub(crate) fn allow_transition(&self, id: u64, to: Status) -> Result<(), Refusal> {
        let issue = self.issue(id).ok_or_else(|| Refusal::no_issue(true))?;
        if workflow(self.project_of(issue).kind).contains(&to) {
            return Ok(());
        }
        Err(Refusal::bad(format!(
            "The workflow of {} has no status '{}'.",
            issue.key, to.name
        )))
    }

    fn is_service(&self, issue: &Issue) -> bool {
        self.project_of(issue).kind == ProjectKind::ServiceDesk
    }

    /// Enters what customers may read of a request itself.
    pub(crate) fn mark_texts(&self, id: u64) {
        let Some(issue) = self.issue(id).filter(|issue| self.is_service(issue)) else {
            return;
        };
        let description = issue.description.as_ref().map_or("", |body| body.as_wiki());
        let text = format!("{}\n{}\n{description}", issue.key, issue.summary);
        self.markers.public(&format!("request {id}"), &text);
    }

    /// Enters a comment of a request as public or internal.
    pub(crate) fn mark_comment(&self, id: u64, comment: u64) {
        let Some(issue) = self.issue(id).filter(|issue| self.is_service(issue)) else {
            return;
        };
        let Some(found) = issue.comments.get(&comment) else {
            return;
        };
        let place = format!("comment {comment}");
        if found.is_internal() || found.visibility.is_some() {
            self.markers.internal(&place, found.body.as_wiki());
        } else {
            self.markers.public(&place, found.body.as_wiki());
        }
    }
}
