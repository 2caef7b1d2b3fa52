//! Where issues are made from feedback: does Jira have the project and the issue type, and can an
//! issue be made of what a ticket gives?

use std::time::Duration;

use bowline_access::Fault;
use bowline_domain::feedback::product::IssueTarget;
use bowline_jira::{Client as Jira, CreateField, IssueType};
use bowline_net::{ApiError, ErrorKind};

use crate::service::Settings;

/// How long Jira may take to answer; a slow one does not keep the page back for longer.
const CHECK_DEADLINE: Duration = Duration::from_secs(5);

/// What a ticket gives for an issue, and who makes it.
const GIVEN: [&str; 5] = ["project", "issuetype", "summary", "description", "reporter"];

/// Issue types that are named to somebody who chose another one.
const NAMED_MAX: usize = 12;

/// Why issues cannot be made in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CannotMakeThere {
    /// What is said stands beside this field of the form.
    Wrong(Fault),
    /// Jira did not answer, so it is not known.
    Unknown(String),
}

impl CannotMakeThere {
    /// In words.
    pub fn words(&self) -> &str {
        match self {
            Self::Wrong(fault) => &fault.words,
            Self::Unknown(words) => words,
        }
    }

    fn project(words: impl Into<String>) -> Self {
        Self::Wrong(Fault::new("issue_project", words))
    }

    fn issue_type(words: impl Into<String>) -> Self {
        Self::Wrong(Fault::new("issue_type", words))
    }

    /// What a refusal of Jira means.
    fn of(project: &str, error: &ApiError) -> Self {
        let kind = error.kind;
        let hidden = matches!(kind, ErrorKind::NotFound | ErrorKind::Gone)
            || matches!(kind, ErrorKind::Permission | ErrorKind::Data);
        if hidden {
            return Self::project(format!(
                "There is no project {project}, or Bowline's account may not make issues in it. A \
                 project administrator grants “Browse projects” and “Create issues”."
            ));
        }
        Self::Unknown(format!(
            "Whether issues can be made there could not be found out. {error}."
        ))
    }
}

impl Settings {
    /// Asks Jira whether issues can be made in a place. Answers with the name of the issue type as
    /// Jira writes it.
    ///
    /// # Errors
    /// Why not, or why that is not known.
    pub async fn issues_can_be_made(
        &self,
        target: &IssueTarget,
    ) -> Result<String, CannotMakeThere> {
        let config = self.site_in_use(&target.site).ok_or_else(|| {
            CannotMakeThere::project("Choose one of the sites that are connected.")
        })?;
        let jira = self.jira(&config).with_deadline(CHECK_DEADLINE);
        issues_can_be_made(&jira, &target.project, &target.issue_type).await
    }
}

/// The same, for a client.
///
/// # Errors
/// See [`Settings::issues_can_be_made`].
pub async fn issues_can_be_made(
    jira: &Jira,
    project: &str,
    issue_type: &str,
) -> Result<String, CannotMakeThere> {
    let of = |error: ApiError| CannotMakeThere::of(project, &error);
    let types = jira.create_types(project).await.map_err(of)?;
    let found = find(&types, project, issue_type)?;
    let fields = jira.create_fields(project, &found.id).await.map_err(of)?;
    lacks(&fields, found, project)?;
    Ok(found.name.clone())
}

/// The issue type of this name.
fn find<'t>(
    types: &'t [IssueType],
    project: &str,
    wanted: &str,
) -> Result<&'t IssueType, CannotMakeThere> {
    if types.is_empty() {
        return Err(CannotMakeThere::project(format!(
            "Bowline's account may not make issues in {project}. A project administrator grants \
             “Create issues”."
        )));
    }
    let wanted = wanted.trim();
    let same = |one: &&IssueType| one.name.to_lowercase() == wanted.to_lowercase();
    let usable: Vec<&str> = types
        .iter()
        .filter(|one| !one.subtask)
        .map(|one| one.name.as_str())
        .take(NAMED_MAX)
        .collect();
    let usable = usable.join(", ");
    match types.iter().find(same) {
        Some(found) if found.subtask => Err(CannotMakeThere::issue_type(format!(
            "A {} is made below another issue only. Choose among {usable}.",
            found.name
        ))),
        Some(found) => Ok(found),
        None => Err(CannotMakeThere::issue_type(format!(
            "{project} has no issue type “{wanted}”. Choose among {usable}."
        ))),
    }
}

/// Needs an issue of the type something that a ticket does not give?
fn lacks(
    fields: &[CreateField],
    issue_type: &IssueType,
    project: &str,
) -> Result<(), CannotMakeThere> {
    let lacking: Vec<String> = fields
        .iter()
        .filter(|field| field.needed && !GIVEN.contains(&field.id.as_str()))
        .map(|field| format!("“{}”", field.name))
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    Err(CannotMakeThere::issue_type(format!(
        "A {} in {project} needs {}, which a ticket does not give. Choose another issue type, or \
         have a Jira administrator make that optional or give it a usual value.",
        issue_type.name,
        lacking.join(" and ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> Vec<IssueType> {
        let of = |id: &str, name: &str, subtask| IssueType {
            id: id.to_owned(),
            name: name.to_owned(),
            subtask,
        };
        vec![of("1", "Task", false), of("2", "Sub-task", true)]
    }

    fn words(found: Result<&IssueType, CannotMakeThere>) -> (Option<&'static str>, String) {
        match found {
            Ok(found) => (None, found.name.clone()),
            Err(CannotMakeThere::Wrong(fault)) => (Some(fault.field), fault.words),
            Err(CannotMakeThere::Unknown(words)) => (Some(""), words),
        }
    }

    #[test]
    fn an_issue_type_is_one_of_those_there_are() {
        let types = types();
        let look = |wanted: &str| words(find(&types, "ENG", wanted));
        assert_eq!(look(" task "), (None, "Task".to_owned()));
        let (field, told) = look("Wish");
        assert_eq!(field, Some("issue_type"));
        assert_eq!(told, "ENG has no issue type “Wish”. Choose among Task.");
        let (field, told) = look("Sub-task");
        assert_eq!(field, Some("issue_type"));
        assert!(told.contains("below another issue only"), "{told}");
        let (field, _) = words(find(&[], "ENG", "Task"));
        assert_eq!(field, Some("issue_project"));
    }

    #[test]
    fn what_a_ticket_does_not_give_is_named() {
        let field = |id: &str, needed| CreateField {
            id: id.to_owned(),
            name: format!("The {id}"),
            needed,
        };
        let types = types();
        let given = [field("summary", true), field("team", false)];
        assert_eq!(lacks(&given, &types[0], "ENG"), Ok(()));
        let needs = [field("summary", true), field("team", true)];
        let refused = lacks(&needs, &types[0], "ENG").unwrap_err();
        assert!(refused.words().contains("needs “The team”"), "{refused:?}");
    }
}
