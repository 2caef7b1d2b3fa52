//! What a ticket's person and company are now, as far as contacts are copied, with the ways to their
//! pages.

use bowline_access::{Permission, SeeContacts};
use bowline_domain::contacts::ids::{RemoteCompanyId, RemoteContactId};
use bowline_store::contacts::Company;
use bowline_store::feedback::TicketView;

use super::words;
use crate::App;
use crate::caller::Caller;
use crate::error::PageError;

/// Who a ticket is of, now.
#[derive(Default)]
pub(super) struct Live {
    /// The page of the person.
    pub(super) person: Option<String>,
    /// What the person says of themselves now.
    pub(super) values: Vec<(&'static str, String)>,
    /// The company.
    pub(super) company: Option<LiveCompany>,
}

/// The company that a ticket's person was of, as it is now.
pub(super) struct LiveCompany {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) plan: String,
    pub(super) spend: String,
}

impl LiveCompany {
    fn of(company: Company) -> Self {
        Self {
            path: format!("/companies/{}", company.id),
            name: company.name,
            plan: company.plan.unwrap_or_default(),
            spend: company.monthly_spend.map(money).unwrap_or_default(),
        }
    }
}

/// Hundredths as people write an amount, like the one that was captured where it is a whole one.
fn money(hundredths: i64) -> String {
    let whole = words::number(hundredths / 100);
    match hundredths.unsigned_abs() % 100 {
        0 => whole,
        rest => format!("{whole}.{rest:02}"),
    }
}

/// Reads it, for those who may see contacts.
pub(super) async fn read<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    view: &TicketView,
) -> Result<Live, PageError> {
    let mut live = Live::default();
    if view.row.erased.is_some() || !caller.who().may::<SeeContacts>() {
        return Ok(live);
    }
    let (store, workspace) = (&app.shared.store, &view.row.workspace);
    if let Some(contact) = &view.contact {
        let remote = RemoteContactId::new(contact.as_str());
        if let Some(known) = store.contact_by_remote(workspace, &remote).await? {
            live.person = Some(format!("/contacts/{}", known.id));
            live.values.push(("Name now", known.name));
            let email = known.email.map(|email| ("E-mail address now", email));
            live.values.extend(email);
        }
    }
    if let Some(company) = &view.company {
        let remote = RemoteCompanyId::new(company.as_str());
        let known = store.company_by_remote(workspace, &remote).await?;
        live.company = known.map(LiveCompany::of);
    }
    Ok(live)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_amounts_are_written_as_they_were_captured() {
        for (hundredths, wanted) in [
            (70_000, "700"),
            (123_456_700, "1\u{202f}234\u{202f}567"),
            (4_905, "49.05"),
        ] {
            assert_eq!(money(hundredths), wanted);
        }
    }
}
