//! Who gave feedback, as Intercom knows them at this moment.

use bowline_domain::feedback::ids::ContactId;
use bowline_domain::feedback::person::{CapturedCompany, CapturedPerson, lead_name, main_company};
use bowline_net::{ApiError, ErrorKind};

use super::far::call;
use super::merged::survivor;
use crate::pace::Priority;
use crate::registry::Workspace;
use crate::shared::Shared;

/// Reads a person with their companies. One who is not there any more, or whom the app may not
/// read, is kept by what the message says of them.
pub(super) async fn read(
    shared: &Shared,
    workspace: &Workspace,
    contact: Option<&ContactId>,
    said: &str,
) -> Result<CapturedPerson, ApiError> {
    let Some(contact) = contact else {
        return Ok(CapturedPerson {
            name: said.to_owned(),
            ..CapturedPerson::default()
        });
    };
    let client = &workspace.client;
    let mut contact = contact.clone();
    let mut asked = call(
        shared,
        workspace,
        Priority::Interactive,
        client.person(contact.as_str()),
    )
    .await;
    // Who was merged meanwhile is the one that stays.
    let stays = asked.as_ref().err().and_then(survivor).map(ContactId::new);
    if let Some(stays) = stays.filter(|stays| *stays != contact) {
        contact = stays;
        asked = call(
            shared,
            workspace,
            Priority::Interactive,
            client.person(contact.as_str()),
        )
        .await;
    }
    let person = match asked {
        Ok(person) => Some(person),
        Err(error) if is_hidden(&error) => None,
        Err(error) => return Err(error),
    };
    let companies = client.companies_of_person(contact.as_str());
    let companies = match call(shared, workspace, Priority::Interactive, companies).await {
        Ok(companies) => companies,
        Err(error) if is_hidden(&error) => Vec::new(),
        Err(error) => return Err(error),
    };
    let companies = companies.into_iter().map(|one| CapturedCompany {
        id: one.id,
        name: one.name,
        plan: one.plan,
        monthly_spend: one.monthly_spend,
    });
    let email = person.as_ref().and_then(|person| person.email.clone());
    let name = person.and_then(|person| person.name);
    Ok(CapturedPerson {
        name: name
            .or_else(|| email.clone())
            .unwrap_or_else(|| match said {
                "The customer" | "" => lead_name(&contact),
                said => said.to_owned(),
            }),
        contact: Some(contact),
        email,
        company: main_company(companies.collect()),
    })
}

fn is_hidden(error: &ApiError) -> bool {
    matches!(
        error.kind,
        ErrorKind::NotFound | ErrorKind::Gone | ErrorKind::Permission
    )
}
