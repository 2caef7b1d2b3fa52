//! A query bound to a site: names resolved to ids, so that an issue is tested without look-ups.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::super::error::Refusal;
use super::super::model::{
    CustomValue, FINISHED, ISSUE_TYPES, Issue, NEW, NUMBER_FIELDS, PRIORITIES, SECURITY_LEVELS,
    UNDER_WAY, User, every_status,
};
use super::super::stamp;
use super::super::state::State;
use super::parse::{Clause, Condition, Operand, Operator, Query};

/// A query that can be run.
#[derive(Debug)]
pub(crate) struct Bound {
    test: Option<Test>,
    order: Vec<(SortField, bool)>,
}

#[derive(Debug)]
enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Ids(Vec<u64>),
    Set(SetField, Vec<Option<String>>),
    Date(DateField, Operator, i64),
    Text(TextField, Vec<String>),
    Links(Operator, i64),
    Number(&'static str, Operator, Option<f64>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum SetField {
    Project,
    Status,
    Category,
    Assignee,
    Reporter,
    Creator,
    Label,
    Type,
    Priority,
    Resolution,
    Security,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum DateField {
    Created,
    Updated,
    Resolved,
}

#[derive(Clone, Copy, Debug)]
enum TextField {
    Any,
    Summary,
    Description,
    Comment,
}

#[derive(Clone, Copy, Debug)]
enum SortField {
    Date(DateField),
    Key,
    Id,
    Status,
    Priority,
    Summary,
    Number(&'static str),
}

/// Sort values of one issue; also what a page token remembers of the last issue of a page.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Cursor {
    values: Vec<SortValue>,
    id: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(untagged)]
enum SortValue {
    Number(i64),
    Text(String),
}

/// What becomes of a query that names issues which do not exist, or which the caller may not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnknownIssues {
    /// It is refused.
    Refused,
    /// They are left out of a list; a single one is refused.
    LeftOutOfLists,
    /// They are left out.
    LeftOut,
}

impl Bound {
    /// Resolves the names of a query as this caller sees them.
    pub(crate) fn new(
        query: &Query,
        state: &State,
        caller: &User,
        now_ms: i64,
    ) -> Result<Self, Refusal> {
        Self::with(query, state, caller, now_ms, UnknownIssues::LeftOutOfLists)
    }

    /// The same with another treatment of issues that are not there.
    pub(crate) fn with(
        query: &Query,
        state: &State,
        caller: &User,
        now_ms: i64,
        unknown_issues: UnknownIssues,
    ) -> Result<Self, Refusal> {
        let binder = Binder {
            state,
            caller,
            now_ms,
            unknown_issues,
        };
        let test = query
            .condition
            .as_ref()
            .map(|c| binder.condition(c))
            .transpose()?;
        let order = query
            .order
            .iter()
            .map(|(field, down)| sort_field(field, *down))
            .collect::<Result<_, _>>()?;
        Ok(Self { test, order })
    }

    /// Whether anything restricts the result; Cloud refuses searches that nothing restricts.
    pub(crate) fn is_restricted(&self) -> bool {
        self.test.is_some()
    }

    /// Whether the issue matches.
    pub(crate) fn matches(&self, issue: &Issue) -> bool {
        self.test.as_ref().is_none_or(|test| test.matches(issue))
    }

    /// If only issues updated at or after an instant can match: that instant.
    pub(crate) fn updated_from(&self) -> Option<i64> {
        self.test.as_ref()?.lower_bound()
    }

    /// If only listed issues can match: their ids.
    pub(crate) fn ids(&self) -> Option<&[u64]> {
        match self.test.as_ref()? {
            Test::Ids(ids) => Some(ids),
            Test::All(parts) => parts.iter().find_map(|part| {
                if let Test::Ids(ids) = part {
                    Some(&**ids)
                } else {
                    None
                }
            }),
            _ => None,
        }
    }

    /// Sort position of an issue.
    pub(crate) fn cursor(&self, issue: &Issue) -> Cursor {
        Cursor {
            values: self
                .order
                .iter()
                .map(|(field, _)| field.value(issue))
                .collect(),
            id: issue.id,
        }
    }

    /// Order of two positions. Ties, and queries without an order, go newest issue first.
    pub(crate) fn compare(&self, left: &Cursor, right: &Cursor) -> Ordering {
        let pairs = left.values.iter().zip(&right.values).zip(&self.order);
        for ((l, r), (_, descending)) in pairs {
            let order = if *descending { r.cmp(l) } else { l.cmp(r) };
            if order != Ordering::Equal {
                return order;
            }
        }
        right.id.cmp(&left.id)
    }
}

impl Test {
    fn matches(&self, issue: &Issue) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(issue)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(issue)),
            Self::Not(part) => !part.matches(issue),
            Self::Ids(ids) => ids.contains(&issue.id),
            Self::Set(SetField::Label, wanted) => wanted.iter().any(|value| match value {
                None => issue.labels.is_empty(),
                Some(label) => issue.labels.contains(label),
            }),
            Self::Set(field, wanted) => wanted.contains(&field.value(issue)),
            Self::Date(field, operator, bound) => {
                field.value(issue).is_some_and(|at| match operator {
                    Operator::Less => at < *bound,
                    Operator::LessEqual => at <= *bound,
                    Operator::More => at > *bound,
                    Operator::MoreEqual => at >= *bound,
                    _ => at == *bound,
                })
            }
            Self::Text(field, words) => field.contains(issue, words),
            Self::Links(operator, bound) => {
                let count = issue
                    .properties
                    .get(LINKS_PROPERTY)
                    .and_then(|value| value["count"].as_i64());
                count.is_some_and(|count| match operator {
                    Operator::Less => count < *bound,
                    Operator::LessEqual => count <= *bound,
                    Operator::More => count > *bound,
                    Operator::MoreEqual => count >= *bound,
                    _ => count == *bound,
                })
            }
            Self::Number(field, Operator::NotEqual, None) => number_in(issue, field).is_some(),
            Self::Number(field, _, None) => number_in(issue, field).is_none(),
            // An empty field is no number, whatever it is compared with.
            Self::Number(field, operator, Some(bound)) => {
                number_in(issue, field).is_some_and(|number| {
                    let order = number.total_cmp(bound);
                    match operator {
                        Operator::Less => order.is_lt(),
                        Operator::LessEqual => order.is_le(),
                        Operator::More => order.is_gt(),
                        Operator::MoreEqual => order.is_ge(),
                        Operator::NotEqual => order.is_ne(),
                        _ => order.is_eq(),
                    }
                })
            }
        }
    }

    fn lower_bound(&self) -> Option<i64> {
        match self {
            Self::Date(DateField::Updated, Operator::More | Operator::MoreEqual, bound) => {
                Some(*bound)
            }
            Self::All(parts) => parts.iter().filter_map(Self::lower_bound).max(),
            _ => None,
        }
    }
}

impl SetField {
    fn value(self, issue: &Issue) -> Option<String> {
        match self {
            Self::Project => Some(issue.project.to_string()),
            Self::Status => Some(issue.status.id.to_string()),
            Self::Category => Some(issue.status.category.id.to_string()),
            Self::Assignee => issue.assignee.as_ref().map(|user| user.account_id.clone()),
            Self::Reporter => Some(issue.reporter.account_id.clone()),
            Self::Creator => Some(issue.creator.account_id.clone()),
            Self::Label => None,
            Self::Type => Some(issue.issue_type.to_string()),
            Self::Priority => Some(issue.priority.to_string()),
            Self::Resolution => issue
                .resolved_ms
                .map(|_| super::super::model::RESOLUTION.0.to_string()),
            Self::Security => issue.security.map(|id| id.to_string()),
        }
    }
}

impl DateField {
    fn value(self, issue: &Issue) -> Option<i64> {
        match self {
            Self::Created => Some(issue.created_ms),
            Self::Updated => Some(issue.updated_ms),
            Self::Resolved => issue.resolved_ms,
        }
    }
}

impl TextField {
    fn contains(self, issue: &Issue, words: &[String]) -> bool {
        let mut text = String::new();
        if matches!(self, Self::Any | Self::Summary) {
            text.push_str(&issue.summary);
        }
        if matches!(self, Self::Any | Self::Description) {
            text.push('\n');
            text.push_str(issue.description.as_ref().map_or("", |body| body.as_wiki()));
        }
        if matches!(self, Self::Any | Self::Comment) {
            for comment in issue.comments.values() {
                text.push('\n');
                text.push_str(comment.body.as_wiki());
            }
        }
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word))
    }
}

impl SortField {
    fn value(self, issue: &Issue) -> SortValue {
        let number = |n: u64| SortValue::Number(i64::try_from(n).unwrap_or(i64::MAX));
        match self {
            Self::Date(field) => SortValue::Number(field.value(issue).unwrap_or(i64::MIN)),
            Self::Key => {
                // Project first, then the number as a number.
                let (project, count) = issue.key.rsplit_once('-').unwrap_or((&issue.key, "0"));
                SortValue::Text(format!("{project}-{count:0>12}"))
            }
            Self::Id => number(issue.id),
            Self::Status => number(issue.status.transition),
            Self::Priority => number(issue.priority),
            Self::Summary => SortValue::Text(issue.summary.to_lowercase()),
            Self::Number(field) => {
                // In thousandths, in which all that Jira shows of a number can be told apart.
                let thousandths = number_in(issue, field)
                    .and_then(|number| format!("{:.0}", number * 1_000.0).parse().ok());
                SortValue::Number(thousandths.unwrap_or(i64::MIN))
            }
        }
    }
}

fn sort_field(name: &str, descending: Option<bool>) -> Result<(SortField, bool), Refusal> {
    let (field, default) = match name {
        "updated" | "updateddate" => (SortField::Date(DateField::Updated), true),
        "created" | "createddate" => (SortField::Date(DateField::Created), true),
        "resolved" | "resolutiondate" => (SortField::Date(DateField::Resolved), true),
        "key" | "issuekey" | "issue" => (SortField::Key, false),
        "id" => (SortField::Id, false),
        "status" => (SortField::Status, false),
        "priority" => (SortField::Priority, false),
        "summary" => (SortField::Summary, false),
        other => match number_field(other) {
            Some(field) => (SortField::Number(field), false),
            None => return Err(unknown_field(name)),
        },
    };
    Ok((field, descending.unwrap_or(default)))
}

fn unknown_field(field: &str) -> Refusal {
    Refusal::bad(format!(
        "Field '{field}' does not exist or you do not have permission to view it."
    ))
}

/// A field with a number, as a query names it: `cf[10061]`, its id, or what it is called.
fn number_field(name: &str) -> Option<&'static str> {
    let all = NUMBER_FIELDS.iter();
    let found = all.into_iter().find(|(id, called)| {
        let clause = format!("{}]", id.replace("customfield_", "cf["));
        name.eq_ignore_ascii_case(&clause)
            || name.eq_ignore_ascii_case(id)
            || name.eq_ignore_ascii_case(called)
    });
    found.map(|(id, _)| *id)
}

fn number_in(issue: &Issue, field: &str) -> Option<f64> {
    match issue.custom.get(field) {
        Some(CustomValue::Number(number)) => Some(*number),
        _ => None,
    }
}

fn number(clause: &Clause, field: &'static str) -> Result<Test, Refusal> {
    let value = match clause.values.as_slice() {
        [Operand::Empty] => None,
        [Operand::Text(text)] => Some(text.parse().map_err(|_| wrong_operand(clause))?),
        _ => return Err(wrong_operand(clause)),
    };
    match clause.operator {
        Operator::Contains | Operator::NotContains => Err(wrong_operator(clause)),
        operator => Ok(Test::Number(field, operator, value)),
    }
}

/// The issue property with linked conversations.
const LINKS_PROPERTY: &str = "intercom.conversation.links";

/// How JQL names the count in it.
const LINKS_COUNT: &str = "issue.property[intercom.conversation.links].count";

fn links(clause: &Clause) -> Result<Test, Refusal> {
    let number = match clause.values.as_slice() {
        [Operand::Text(text)] => text.parse().ok(),
        _ => None,
    };
    let number = number.ok_or_else(|| wrong_operand(clause))?;
    Ok(Test::Links(clause.operator, number))
}

struct Binder<'a> {
    state: &'a State,
    caller: &'a User,
    now_ms: i64,
    unknown_issues: UnknownIssues,
}

impl Binder<'_> {
    fn condition(&self, condition: &Condition) -> Result<Test, Refusal> {
        let each = |parts: &[Condition]| {
            parts
                .iter()
                .map(|part| self.condition(part))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(match condition {
            Condition::And(parts) => Test::All(each(parts)?),
            Condition::Or(parts) => Test::Any(each(parts)?),
            Condition::Not(part) => Test::Not(Box::new(self.condition(part)?)),
            Condition::Is(clause) => self.clause(clause)?,
        })
    }

    fn clause(&self, clause: &Clause) -> Result<Test, Refusal> {
        let field = clause.field.to_lowercase();
        match field.as_str() {
            "key" | "issuekey" | "id" | "issue" => self.ids(clause),
            "project" => self.set(clause, SetField::Project, |name| self.project(name)),
            "status" => self.set(clause, SetField::Status, |name| {
                find(every_status().map(|s| (s.id, s.name)), name)
            }),
            "statuscategory" => self.set(clause, SetField::Category, |name| {
                let all = [NEW, UNDER_WAY, FINISHED];
                all.iter()
                    .find(|c| c.key == name)
                    .map(|c| c.id.to_string())
                    .or_else(|| find(all.iter().map(|c| (c.id, c.name)), name))
            }),
            "issuetype" | "type" => self.set(clause, SetField::Type, |name| {
                find(ISSUE_TYPES.iter().map(|t| (t.0, t.1)), name)
            }),
            "priority" => self.set(clause, SetField::Priority, |name| {
                find(PRIORITIES.into_iter(), name)
            }),
            "resolution" => self.set(clause, SetField::Resolution, |name| {
                find(std::iter::once(super::super::model::RESOLUTION), name)
            }),
            "level" => self.set(clause, SetField::Security, |name| {
                find(SECURITY_LEVELS.iter().map(|l| (l.0, l.1)), name)
            }),
            "labels" => self.set(clause, SetField::Label, |name| Some(name.to_owned())),
            "assignee" => self.set(clause, SetField::Assignee, |name| self.user(name)),
            "reporter" => self.set(clause, SetField::Reporter, |name| self.user(name)),
            "creator" => self.set(clause, SetField::Creator, |name| self.user(name)),
            "updated" | "updateddate" => self.date(clause, DateField::Updated),
            "created" | "createddate" => self.date(clause, DateField::Created),
            "resolved" | "resolutiondate" => self.date(clause, DateField::Resolved),
            "text" => text(clause, TextField::Any),
            "summary" => text(clause, TextField::Summary),
            "description" => text(clause, TextField::Description),
            "comment" => text(clause, TextField::Comment),
            LINKS_COUNT if self.state.switches.links_searchable => links(clause),
            other => match number_field(other) {
                Some(field) => number(clause, field),
                None => Err(unknown_field(&clause.field)),
            },
        }
    }

    /// A project by id, by key (also a former one), or by name; the case does not matter.
    fn project(&self, name: &str) -> Option<String> {
        let by_key = self
            .state
            .project(name)
            .or_else(|| self.state.project(&name.to_uppercase()));
        let by_name = || {
            self.state
                .projects
                .values()
                .find(|project| project.name.eq_ignore_ascii_case(name))
        };
        by_key
            .or_else(by_name)
            .map(|project| project.id.to_string())
    }

    fn user(&self, name: &str) -> Option<String> {
        self.state.user(name).map(|user| user.account_id.clone())
    }

    fn leaves_out(&self, clause: &Clause) -> bool {
        match self.unknown_issues {
            UnknownIssues::Refused => false,
            UnknownIssues::LeftOutOfLists => clause.values.len() > 1,
            UnknownIssues::LeftOut => true,
        }
    }

    fn ids(&self, clause: &Clause) -> Result<Test, Refusal> {
        let mut ids = Vec::new();
        for value in &clause.values {
            let Operand::Text(key) = value else {
                return Err(wrong_operand(clause));
            };
            match self
                .state
                .resolve(key)
                .filter(|id| self.state.may_see_issue(self.caller, *id))
            {
                Some(id) => ids.push(id),
                None if self.leaves_out(clause) => {}
                None => {
                    return Err(Refusal::bad(format!(
                        "An issue with key '{key}' does not exist for field '{}'.",
                        clause.field
                    )));
                }
            }
        }
        equality(clause, Test::Ids(ids))
    }

    fn set(
        &self,
        clause: &Clause,
        field: SetField,
        resolve: impl Fn(&str) -> Option<String>,
    ) -> Result<Test, Refusal> {
        let mut wanted = Vec::new();
        for value in &clause.values {
            wanted.push(match value {
                Operand::Empty => None,
                Operand::Function(name) if name == "currentuser" => {
                    Some(self.caller.account_id.clone())
                }
                Operand::Function(name) => {
                    return Err(Refusal::bad(format!(
                        "Unable to find JQL function '{name}()'."
                    )));
                }
                Operand::Text(name) => Some(resolve(name).ok_or_else(|| {
                    Refusal::bad(format!(
                        "The value '{name}' does not exist for the field '{}'.",
                        clause.field
                    ))
                })?),
            });
        }
        let test = equality(clause, Test::Set(field, wanted))?;
        // JQL's != and NOT IN never match an issue whose field is empty.
        let names_empty = clause.values.contains(&Operand::Empty);
        if clause.operator == Operator::NotEqual && !names_empty {
            let empty = Test::Set(field, vec![None]);
            return Ok(Test::All(vec![test, Test::Not(Box::new(empty))]));
        }
        Ok(test)
    }

    fn date(&self, clause: &Clause, field: DateField) -> Result<Test, Refusal> {
        let at = match clause.values.as_slice() {
            [Operand::Text(text)] => stamp::jql(text, self.now_ms, self.state.utc_offset_minutes).ok_or_else(|| {
                Refusal::bad(format!(
                    "Date value '{text}' for field '{}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', \
                     'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'.",
                    clause.field
                ))
            })?,
            [Operand::Function(name)] if name == "now" => self.now_ms,
            _ => return Err(wrong_operand(clause)),
        };
        match clause.operator {
            Operator::Contains | Operator::NotContains => Err(wrong_operator(clause)),
            Operator::NotEqual => Ok(Test::Not(Box::new(Test::Date(field, Operator::Equal, at)))),
            operator => Ok(Test::Date(field, operator, at)),
        }
    }
}

fn find<'n>(mut names: impl Iterator<Item = (u64, &'n str)>, wanted: &str) -> Option<String> {
    names
        .find(|(id, name)| name.eq_ignore_ascii_case(wanted) || id.to_string() == wanted)
        .map(|(id, _)| id.to_string())
}

fn equality(clause: &Clause, test: Test) -> Result<Test, Refusal> {
    match clause.operator {
        Operator::Equal => Ok(test),
        Operator::NotEqual => Ok(Test::Not(Box::new(test))),
        _ => Err(wrong_operator(clause)),
    }
}

fn text(clause: &Clause, field: TextField) -> Result<Test, Refusal> {
    let [Operand::Text(wanted)] = clause.values.as_slice() else {
        return Err(wrong_operand(clause));
    };
    let words: Vec<String> = wanted
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let test = Test::Text(field, words);
    match clause.operator {
        Operator::Contains => Ok(test),
        Operator::NotContains => Ok(Test::Not(Box::new(test))),
        _ => Err(wrong_operator(clause)),
    }
}

fn wrong_operator(clause: &Clause) -> Refusal {
    Refusal::bad(format!(
        "The operator is not supported by the '{}' field.",
        clause.field
    ))
}

fn wrong_operand(clause: &Clause) -> Refusal {
    Refusal::bad(format!(
        "The value is not supported by the '{}' field.",
        clause.field
    ))
}
