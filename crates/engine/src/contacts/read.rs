//! From Intercom's contacts and companies to what is kept of them.

use bowline_domain::contacts::field::{FieldName, FieldValue, cut};
use bowline_domain::contacts::ids::{RemoteCompanyId, RemoteContactId};
use bowline_domain::contacts::profile::Fields;
use bowline_domain::contacts::remote::{RemoteCompany, RemoteContact};
use bowline_intercom as intercom;

/// The longest id that is taken for one, in bytes; Intercom's own have 24.
const ID_BYTES_MAX: usize = 100;

/// The most that is kept of a company's name, in bytes.
const NAME_BYTES_MAX: usize = 400;

fn fields<'v>(
    values: impl Iterator<Item = (FieldName, &'v serde_json::Value)>,
    times: impl Iterator<Item = (FieldName, i64)>,
) -> Fields {
    let values = values.filter_map(|(name, value)| Some((name, FieldValue::of_json(value)?)));
    let times = times.map(|(name, s)| (name, FieldValue::Whole(s.saturating_mul(1_000))));
    values.chain(times).collect()
}

fn millis(seconds: Option<i64>) -> i64 {
    seconds.unwrap_or(0).saturating_mul(1_000)
}

/// A contact as it is kept, or why it cannot be.
pub(crate) fn contact(read: &intercom::Contact) -> Result<RemoteContact, &'static str> {
    if read.id.len() > ID_BYTES_MAX {
        return Err("its id is longer than any of Intercom's");
    }
    let own = read
        .values
        .iter()
        .map(|(name, value)| (FieldName::new(*name), value));
    let custom = read
        .custom
        .iter()
        .map(|(name, value)| (FieldName::custom(name), value));
    let times = read
        .times
        .iter()
        .map(|(name, seconds)| (FieldName::new(*name), *seconds));
    let companies = read
        .companies
        .iter()
        .filter(|id| id.len() <= ID_BYTES_MAX)
        .map(|id| RemoteCompanyId::new(id.as_str()));
    let contact = RemoteContact {
        id: RemoteContactId::new(read.id.as_str()),
        role: if read.role == "lead" { "lead" } else { "user" }.to_owned(),
        updated_at: millis(read.updated_at_s),
        fields: fields(own.chain(custom), times),
        companies: companies.collect(),
        companies_complete: !read.more_companies,
    };
    Ok(contact.bounded())
}

/// A company as it is kept.
pub(crate) fn company(read: &intercom::Company) -> RemoteCompany {
    let own = read
        .values
        .iter()
        .map(|(name, value)| (FieldName::new(*name), value));
    let custom = read
        .custom
        .iter()
        .map(|(name, value)| (FieldName::custom(name), value));
    RemoteCompany {
        id: RemoteCompanyId::new(cut(&read.id, ID_BYTES_MAX)),
        name: cut(&read.name, NAME_BYTES_MAX).to_owned(),
        plan: read
            .plan
            .as_deref()
            .map(|plan| cut(plan, NAME_BYTES_MAX).to_owned()),
        monthly_spend: read.monthly_spend,
        people: read.user_count,
        updated_at: millis(read.updated_at_s),
        fields: fields(own.chain(custom), std::iter::empty()),
    }
}
