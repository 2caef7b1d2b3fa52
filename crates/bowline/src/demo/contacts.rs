//! Contacts in the demo: their story, from switching copying on to a deletion that is followed.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use bowline_domain::contacts::Life;
use bowline_domain::contacts::ids::RemoteContactId;
use bowline_domain::ids::WorkspaceName;
use bowline_store::access::AuditEntry;
use bowline_store::contacts::{Contact, Run, RunState};

use super::teller::{Teller, done};
use super::{PATIENCE, WORKSPACE, World};
use crate::service::Service;

/// How often is looked whether something is seen.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Plays the story of a workspace's contacts against a running service, telling each step to
/// `say`.
///
/// # Errors
/// The first step that was not seen.
pub async fn play(
    world: &World,
    service: &Service,
    mut say: impl FnMut(&str) + Send,
) -> anyhow::Result<()> {
    let mut teller = Teller::new(&mut say);
    let intercom = &world.sandbox.intercom.state;
    let workspace = WorkspaceName::new(WORKSPACE);
    switch_on(service, &workspace).await?;
    teller.step("Olive switches copying on in the integration settings.");
    let run = copied(service, &workspace).await?;
    teller.seen(&format!(
        "{} people and {} companies were gone through in {} calls.",
        run.position, run.companies, run.requests
    ));
    let setting = service.shared().contact_setting(&workspace).await?;
    let sync = setting.context("the workspace is gone")?.sync;
    let listed = i64::try_from(intercom.contacts_listed())?;
    ensure!(
        (sync.ours, sync.theirs) == (Some(listed), Some(listed)),
        "of {listed} contacts {:?} are here, of {:?}",
        sync.ours,
        sync.theirs
    );
    teller.seen(&format!("Both sides count {listed}: nobody is missing."));

    let [one, two, three] = [1, 2, 3].map(|number| intercom.invented_contact(number));
    done(intercom.rename_contact(&one, "Ada Example"))?;
    teller.step("A teammate corrects a name in Intercom, archives somebody and deletes somebody.");
    let named = |found: Option<Contact>| found.is_some_and(|found| found.name == "Ada Example");
    known(service, &one, named).await?;
    teller.seen("The name is corrected here.");
    done(intercom.archive_contact(&two, true))?;
    let hidden = |found: Option<Contact>| found.is_some_and(|found| found.life == Life::Archived);
    known(service, &two, hidden).await?;
    teller.seen("Who was archived is kept and not listed.");
    done(intercom.delete_contact(&three))?;
    known(service, &three, |found| found.is_none()).await?;
    teller.seen("Who was deleted is gone here too.");
    Ok(())
}

async fn switch_on(service: &Service, workspace: &WorkspaceName) -> anyhow::Result<()> {
    let shared = service.shared();
    let setting = shared.contact_setting(workspace).await?;
    let setting = setting.context("the workspace is not there")?;
    let entry = AuditEntry {
        at: shared.now(),
        who: "Olive Owner".to_owned(),
        account: None,
        what: "contacts_switched".to_owned(),
        subject: workspace.to_string(),
        detail: "on".to_owned(),
    };
    shared.switch_contacts(&setting, true, true, entry).await?;
    Ok(())
}

/// Waits until everything was copied.
async fn copied(service: &Service, workspace: &WorkspaceName) -> anyhow::Result<Run> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let runs = service.shared().store.runs(workspace, 1).await?;
        match runs.into_iter().next() {
            Some(run) if run.state == RunState::Done => return Ok(run),
            Some(run) if run.ended_at.is_some() => bail!("the copy ended: {run:?}"),
            _ if tokio::time::Instant::now() > deadline => bail!("the copy does not end"),
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

/// Waits until what is known of somebody is as it should be.
async fn known(
    service: &Service,
    remote: &str,
    wanted: impl Fn(Option<Contact>) -> bool,
) -> anyhow::Result<()> {
    let (workspace, remote) = (WorkspaceName::new(WORKSPACE), RemoteContactId::new(remote));
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let store = &service.shared().store;
        if wanted(store.contact_by_remote(&workspace, &remote).await?) {
            return Ok(());
        }
        if tokio::time::Instant::now() > deadline {
            bail!("what Intercom told of {remote} is not followed");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
