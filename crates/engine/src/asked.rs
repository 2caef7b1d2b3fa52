//! Keeps the report of what is asked for in step: counts issues again whose links or people changed,
//! and reads from Intercom who is in the linked conversations and which companies they belong to.
//!
//! It is in no hurry: its calls are made with the priority of bulk work, a few at a time, so that
//! notes and people who look go first.

use std::sync::Arc;
use std::time::Duration;

use bowline_domain::ids::{ConversationId, IssueId, SiteName, WorkspaceName};
use bowline_domain::time::Millis;
use bowline_intercom::CompanyProfile;
use bowline_net::{ApiError, ErrorKind, Reply};
use bowline_store::StoreError;
use bowline_store::asked::{Came, Spending};
use futures_util::StreamExt as _;

use crate::health;
use crate::pace::Priority;
use crate::paced::Paced;
use crate::registry::{Standing, Workspace};
use crate::shared::Shared;

/// How often is looked for what is to be counted or read.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Issues that are counted in one go.
const COUNTED_AT_ONCE: i64 = 20;

/// The pause while there is more, so that notes and people go first in the database too.
const PAUSE: Duration = Duration::from_millis(200);

/// Conversations and people that are claimed in one go, of each: twenty calls a second at most, an
/// eighth of what Intercom allows.
const CLAIMED_AT_ONCE: i64 = 2;

/// Calls that are made at once.
const CALLS_AT_ONCE: usize = 4;

/// How long after it was linked a conversation is read at first, in milliseconds: the note goes
/// first, and what is linked by mistake is not read at all.
const FIRST_AFTER_MS: i64 = 60 * 1_000;

/// How long what was claimed is left to who claimed it, in milliseconds.
const CLAIM_MS: i64 = 5 * 60 * 1_000;

/// How old what was read may grow, in milliseconds.
const AGAIN_AFTER_MS: i64 = 24 * 60 * 60 * 1_000;

/// The same of what contact sync copied, in milliseconds: looking there asks nobody.
const COPIED_AGAIN_AFTER_MS: i64 = 60 * 60 * 1_000;

/// When a read that failed is made again, in milliseconds.
const FAILED_AGAIN_AFTER_MS: i64 = 10 * 60 * 1_000;

/// When what Intercom says is not there is looked for again, in milliseconds.
const GONE_AGAIN_AFTER_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// How often is looked for links that a version before made, in milliseconds.
const TAKE_UP_EVERY_MS: i64 = 60 * 60 * 1_000;

/// Issues that are looked at for that in one go.
const TAKEN_UP_AT_ONCE: i64 = 500;

/// Keeps the report in step until the engine stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut taking_up = TakingUp::beginning(Millis(0));
    loop {
        if let Err(error) = taking_up.go_on(&shared).await {
            tracing::error!(%error, "links could not be taken up in the report");
        }
        let worked = match step(&shared).await {
            Ok(worked) => worked,
            Err(error) => {
                tracing::error!(%error, "the report could not be kept in step");
                false
            }
        };
        tokio::time::sleep(if worked { PAUSE } else { LOOK_EVERY }).await;
    }
}

/// How far linked issues are looked through that the report does not have, a part at a time.
struct TakingUp {
    /// When the next part is due.
    at: Millis,
    after: (SiteName, IssueId),
}

impl TakingUp {
    fn beginning(at: Millis) -> Self {
        Self {
            at,
            after: (SiteName::new(""), IssueId::new("")),
        }
    }

    async fn go_on(&mut self, shared: &Shared) -> Result<(), StoreError> {
        let now = shared.now();
        if now < self.at {
            return Ok(());
        }
        let after = self.after.clone();
        match shared.store.take_up_asked(after, TAKEN_UP_AT_ONCE).await? {
            Some(last) => self.after = last,
            None => *self = Self::beginning(now.plus_ms(TAKE_UP_EVERY_MS)),
        }
        Ok(())
    }
}

/// Counts and reads what is due. Answers whether there was anything.
async fn step(shared: &Arc<Shared>) -> Result<bool, StoreError> {
    let stale = shared.store.asked_stale(COUNTED_AT_ONCE).await?;
    let mut worked = !stale.is_empty();
    if !stale.is_empty() {
        let due_at = shared.now().plus_ms(FIRST_AFTER_MS);
        shared.store.recount_asked(stale, due_at).await?;
    }
    // Nothing is claimed that nobody can be asked for.
    if !shared
        .registry()
        .workspaces
        .values()
        .any(|far| answers(far))
    {
        return Ok(worked);
    }
    let now = shared.now();
    if !shared.store.asked_due(now).await? {
        return Ok(worked);
    }
    let claim = (now, now.plus_ms(CLAIM_MS));
    let unread = shared.store.claim_unread(claim, CLAIMED_AT_ONCE).await?;
    worked |= !unread.conversations.is_empty() || !unread.people.is_empty();
    let conversations = unread
        .conversations
        .into_iter()
        .map(|(workspace, id)| Box::pin(conversation(shared, workspace, id)));
    each(conversations).await?;
    let people = unread
        .people
        .into_iter()
        .map(|(workspace, contact)| Box::pin(person(shared, workspace, contact)));
    each(people).await?;
    Ok(worked)
}

async fn each(
    reads: impl Iterator<Item = impl Future<Output = Result<(), StoreError>>>,
) -> Result<(), StoreError> {
    let mut reads = futures_util::stream::iter(reads).buffer_unordered(CALLS_AT_ONCE);
    while let Some(read) = reads.next().await {
        read?;
    }
    Ok(())
}

/// May the workspace be asked? A token whose workspace is not known would find nothing.
fn answers(far: &Workspace) -> bool {
    far.standing.works() && far.standing.proven()
}

async fn ask<T>(
    shared: &Shared,
    standing: &Standing,
    call: impl Future<Output = Result<Reply<T>, ApiError>>,
) -> Result<T, ApiError> {
    let paced = Paced {
        shared,
        priority: Priority::Bulk,
    };
    let answer = paced.call(standing, call).await;
    if let Err(error) = &answer {
        health::take_in(shared, standing, error).await;
    }
    answer
}

/// Who is in a conversation.
async fn conversation(
    shared: &Shared,
    workspace: WorkspaceName,
    id: ConversationId,
) -> Result<(), StoreError> {
    let read = async {
        let far = far(shared, &workspace)?;
        let call = far.client.conversation(id.as_str());
        let found = ask(shared, &far.standing, call).await?;
        Ok(found
            .contacts
            .into_iter()
            .map(|contact| contact.id)
            .collect())
    };
    let (came, again_ms) = came(read.await, AGAIN_AFTER_MS);
    let now = shared.now();
    let times = (now, now.plus_ms(again_ms));
    shared
        .store
        .put_participants((workspace, id), came, times)
        .await
}

/// Which companies a person belongs to: as contact sync copied it, where it did.
async fn person(
    shared: &Shared,
    workspace: WorkspaceName,
    contact: String,
) -> Result<(), StoreError> {
    let copied = shared.store.copied_companies(&workspace, &contact).await?;
    let (came, again_ms) = if let Some(companies) = copied {
        (Came::Read(companies), COPIED_AGAIN_AFTER_MS)
    } else {
        let read = async {
            let far = far(shared, &workspace)?;
            let call = far.client.companies_behind(&contact);
            let found = ask(shared, &far.standing, call).await?;
            Ok(found.iter().map(spending).collect())
        };
        came(read.await, AGAIN_AFTER_MS)
    };
    let now = shared.now();
    let times = (now, now.plus_ms(again_ms));
    shared
        .store
        .put_companies_of((workspace, contact), came, times)
        .await
}

fn far(shared: &Shared, workspace: &WorkspaceName) -> Result<Arc<Workspace>, ApiError> {
    let registry = shared.registry();
    let far = registry
        .workspaces
        .get(workspace)
        .filter(|far| answers(far));
    far.map(Arc::clone).ok_or_else(|| {
        let words = "the workspace is not connected at the moment";
        ApiError::new(ErrorKind::Transient, "reaching Intercom", words)
    })
}

fn spending(company: &CompanyProfile) -> Spending {
    let spend = company.attributes.get("monthly_spend");
    Spending {
        company: company.id.clone(),
        spend: spend
            .and_then(bowline_intercom::hundredths)
            .unwrap_or_default(),
    }
}

/// What a read came to, and when it is made again, in milliseconds.
fn came<T>(read: Result<T, ApiError>, again_ms: i64) -> (Came<T>, i64) {
    match read {
        Ok(value) => (Came::Read(value), again_ms),
        Err(error) => {
            let again_ms = match error.kind {
                ErrorKind::NotFound | ErrorKind::Gone => GONE_AGAIN_AFTER_MS,
                _ => FAILED_AGAIN_AFTER_MS,
            };
            (Came::Failed(error.to_string()), again_ms)
        }
    }
}
