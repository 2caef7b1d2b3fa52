//! Who gave feedback, as they were then.

use crate::feedback::ids::ContactId;

/// A company as it was when feedback was captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturedCompany {
    /// Intercom's id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its plan, if it has one.
    pub plan: Option<String>,
    /// What it spends a month, in the workspace's own unit.
    pub monthly_spend: i64,
}

/// A person as they were when feedback was captured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapturedPerson {
    /// Who, within the workspace.
    pub contact: Option<ContactId>,
    /// Their name, or what is shown instead.
    pub name: String,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Their company. Of several the one that spends most.
    pub company: Option<CapturedCompany>,
}

/// How a lead is shown that has neither name nor e-mail address: by the end of its id.
pub fn lead_name(contact: &ContactId) -> String {
    let id = contact.as_str();
    let tail: String = id
        .chars()
        .skip(id.chars().count().saturating_sub(4))
        .collect();
    format!("Lead {tail}")
}

/// The company that stands for a person who has several: the one that spends most, the first of
/// equals.
pub fn main_company(companies: Vec<CapturedCompany>) -> Option<CapturedCompany> {
    companies.into_iter().fold(None, |best, one| match best {
        Some(best) if best.monthly_spend >= one.monthly_spend => Some(best),
        _ => Some(one),
    })
}
