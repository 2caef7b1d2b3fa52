//! What Intercom's deliveries about contacts and companies mean. A delivery is a hint: the contact
//! is read back, and what Intercom says of it now is taken in.

use std::sync::Arc;

use bowline_domain::contacts::Life;
use bowline_domain::contacts::ids::{RemoteCompanyId, RemoteContactId};
use bowline_domain::contacts::remote::RemoteContact;
use bowline_domain::feedback::ids::ContactId;
use bowline_domain::ids::WorkspaceName;
use bowline_domain::outcome::{Outcome, Reason};
use bowline_net::{ApiError, ErrorKind, Reply};
use bowline_store::contacts::{ContactChange, ContactChanges};
use bowline_store::model::Decided;

use super::{Trouble, nothing};
use crate::contacts::{call, company, connection, contact};
use crate::pace::Priority;
use crate::registry::Workspace;
use crate::shared::Shared;

/// Contacts with the survivor's e-mail address that are looked at after a merge that does not say
/// who was merged.
const SAME_ADDRESS_MAX: i64 = 20;

/// Leads that are asked for if nobody with that address is the one: who signs up was a lead before,
/// most often one without an address.
const NEWEST_LEADS_MAX: i64 = 20;

/// As many of those who gave feedback last: what they said must not stay with somebody who is gone.
const LAST_HEARD_MAX: i64 = 20;

/// What a delivery is about.
pub(super) enum About {
    /// A contact, and who was merged into it if that is told.
    Contact(String, Vec<String>),
    /// A contact that was deleted.
    Deleted(String),
    /// A company.
    Company(String),
}

struct Teller<'t> {
    shared: &'t Arc<Shared>,
    name: &'t WorkspaceName,
    workspace: Arc<Workspace>,
}

pub(super) async fn decide(
    shared: &Arc<Shared>,
    name: &WorkspaceName,
    topic: String,
    about: About,
) -> Result<Decided, Trouble> {
    match follow(shared, name, topic, about).await {
        // Waiting would help nobody: it is missing until a person adds it, and then all is copied.
        Err(Trouble::Remote(remote)) if remote.1.kind == ErrorKind::Permission => {
            Ok(nothing(Reason::ContactsForbidden))
        }
        decided => decided,
    }
}

async fn follow(
    shared: &Arc<Shared>,
    name: &WorkspaceName,
    topic: String,
    about: About,
) -> Result<Decided, Trouble> {
    let setting = shared.contact_setting(name).await?;
    let Some(setting) = setting else {
        return Ok(nothing(Reason::ContactsOff));
    };
    if let About::Deleted(id) = &about {
        // Whatever is switched on: who was deleted there is not kept here.
        let id = RemoteContactId::new(id.as_str());
        let known = shared.store.contact_by_remote(name, &id).await?;
        if !setting.on && known.is_none() {
            return Ok(nothing(Reason::ContactsOff));
        }
        return Ok(changes(shared, name, vec![ContactChange::Erase(id)], topic));
    }
    if !setting.on {
        return Ok(nothing(Reason::ContactsOff));
    }
    let is_new = topic.ends_with(".created") || topic == "contact.lead.signed_up";
    if !setting.updates && !is_new {
        return Ok(nothing(Reason::ContactUpdatesOff));
    }
    let Some(workspace) = shared.registry().workspaces.get(name).cloned() else {
        return Ok(nothing(Reason::ContactsOff));
    };
    let teller = Teller {
        shared,
        name,
        workspace,
    };
    let found = match about {
        About::Contact(id, _) if topic == "contact.archived" => {
            let id = RemoteContactId::new(id);
            vec![ContactChange::SetLife(id, Life::Archived)]
        }
        About::Contact(id, merged) if topic == "contact.merged" => {
            teller.merged(&id, merged).await?
        }
        About::Contact(id, _) => {
            let life = (topic == "contact.unarchive").then_some(Life::Live);
            teller.changed(&id, life).await?
        }
        About::Company(id) => teller.company(&id, &topic).await?,
        About::Deleted(_) => Vec::new(),
    };
    Ok(changes(shared, name, found, topic))
}

fn changes(
    shared: &Shared,
    name: &WorkspaceName,
    changes: Vec<ContactChange>,
    topic: String,
) -> Decided {
    Decided {
        contacts: Some(Box::new(ContactChanges {
            workspace: name.clone(),
            changes,
            at: shared.now(),
        })),
        outcome: Outcome::nothing(Reason::ContactFollowed { what: topic }),
        ..Decided::default()
    }
}

/// What Intercom says of a contact.
enum Seen {
    Here(Box<RemoteContact>),
    MergedInto(RemoteContactId),
    Nowhere,
}

impl Teller<'_> {
    async fn call<T>(
        &self,
        asked: impl Future<Output = Result<Reply<T>, ApiError>>,
    ) -> Result<T, ApiError> {
        call(self.shared, &self.workspace, Priority::Interactive, asked).await
    }

    fn trouble(&self, error: ApiError) -> Trouble {
        Trouble::Remote(Box::new((connection(self.name), error)))
    }

    async fn see(&self, id: &str) -> Result<Seen, Trouble> {
        match self.call(self.workspace.client.contact(id)).await {
            Ok(read) => {
                let mut taken = contact(&read).map_err(|why| {
                    Trouble::Hopeless(format!("The contact cannot be taken in: {why}."))
                })?;
                if !taken.companies_complete {
                    let asked = self.workspace.client.companies_of(&read.id);
                    let all = self
                        .call(asked)
                        .await
                        .map_err(|error| self.trouble(error))?;
                    taken.companies = all.iter().map(|one| company(one).id).collect();
                    taken.companies_complete = true;
                }
                Ok(Seen::Here(Box::new(taken)))
            }
            Err(error) if error.kind == ErrorKind::Gone => {
                let survivor = error
                    .canonical
                    .as_deref()
                    .and_then(|path| path.rsplit('/').next())
                    .filter(|survivor| !survivor.is_empty() && *survivor != id);
                Ok(survivor.map_or(Seen::Nowhere, |survivor| {
                    Seen::MergedInto(RemoteContactId::new(survivor))
                }))
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Seen::Nowhere),
            Err(error) => Err(self.trouble(error)),
        }
    }

    async fn changed(&self, id: &str, life: Option<Life>) -> Result<Vec<ContactChange>, Trouble> {
        Ok(match self.see(id).await? {
            Seen::Here(contact) => vec![ContactChange::Take { contact, life }],
            Seen::MergedInto(into) => self.into(&into, vec![RemoteContactId::new(id)]).await?,
            Seen::Nowhere => vec![ContactChange::SetLife(
                RemoteContactId::new(id),
                Life::Missing,
            )],
        })
    }

    /// The survivor as it is now, and then those that were merged into it.
    async fn into(
        &self,
        survivor: &RemoteContactId,
        gone: Vec<RemoteContactId>,
    ) -> Result<Vec<ContactChange>, Trouble> {
        let mut found = Vec::new();
        if let Seen::Here(contact) = self.see(survivor.as_str()).await? {
            found.push(ContactChange::Take {
                contact,
                life: None,
            });
        }
        found.extend(gone.into_iter().map(|from| ContactChange::Merge {
            from,
            into: survivor.clone(),
        }));
        Ok(found)
    }

    async fn merged(
        &self,
        survivor: &str,
        told: Vec<String>,
    ) -> Result<Vec<ContactChange>, Trouble> {
        let id = RemoteContactId::new(survivor);
        let mut gone: Vec<RemoteContactId> = told
            .into_iter()
            .filter(|from| from != survivor)
            .map(RemoteContactId::new)
            .collect();
        if gone.is_empty() {
            gone = self.merged_away(&id).await?;
        }
        self.into(&id, gone).await
    }

    /// Who was merged, where the delivery does not say: those with the survivor's address are asked
    /// for, and Intercom says of one that is gone where it went. Versions before 2.16 answer as if it
    /// had never been there; where none says where it went, that is one who was merged. Without
    /// any of them, the newest leads are asked for, and who gave feedback last.
    async fn merged_away(
        &self,
        survivor: &RemoteContactId,
    ) -> Result<Vec<RemoteContactId>, Trouble> {
        let Seen::Here(contact) = self.see(survivor.as_str()).await? else {
            return Ok(Vec::new());
        };
        let store = &self.shared.store;
        let mut same = Vec::new();
        if let Some(email) = contact.email_key() {
            let found = store.contacts_by_email(self.name, &email, SAME_ADDRESS_MAX);
            let others = found.await?.into_iter().filter_map(|other| other.remote);
            same.extend(others.filter(|remote| remote != survivor));
        }
        let (gone, not_there) = self.where_they_went(same, survivor).await?;
        if !gone.is_empty() || !not_there.is_empty() {
            return Ok(if gone.is_empty() { not_there } else { gone });
        }
        let mut asked = store.newest_leads(self.name, NEWEST_LEADS_MAX).await?;
        let stays = ContactId::new(survivor.as_str());
        let heard = store.newest_ticket_contacts(self.name, &stays, LAST_HEARD_MAX);
        for contact in heard.await? {
            let contact = RemoteContactId::new(contact.as_str());
            if !asked.contains(&contact) {
                asked.push(contact);
            }
        }
        // That one of them is not there may have any reason.
        let (gone, _) = self.where_they_went(asked, survivor).await?;
        Ok(gone)
    }

    /// Those of whom Intercom says that they were merged into the survivor, and those whom it does
    /// not show.
    async fn where_they_went(
        &self,
        asked: Vec<RemoteContactId>,
        survivor: &RemoteContactId,
    ) -> Result<(Vec<RemoteContactId>, Vec<RemoteContactId>), Trouble> {
        let (mut gone, mut not_there) = (Vec::new(), Vec::new());
        for remote in asked {
            match self.see(remote.as_str()).await? {
                Seen::MergedInto(into) if into == *survivor => gone.push(remote),
                Seen::Nowhere => not_there.push(remote),
                Seen::Here(_) | Seen::MergedInto(_) => {}
            }
        }
        Ok((gone, not_there))
    }

    async fn company(&self, id: &str, topic: &str) -> Result<Vec<ContactChange>, Trouble> {
        let gone = || ContactChange::CompanyGone(RemoteCompanyId::new(id));
        if topic == "company.deleted" {
            return Ok(vec![gone()]);
        }
        match self.call(self.workspace.client.company(id)).await {
            Ok(read) => Ok(vec![ContactChange::Company(Box::new(company(&read)))]),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(vec![gone()]),
            Err(error) => Err(self.trouble(error)),
        }
    }
}
