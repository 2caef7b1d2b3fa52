//! The pages of a list of contacts: asked for one after the other, taken apart, and gathered for one
//! transaction.

use std::sync::Arc;
use std::time::Duration;

use bowline_domain::contacts::remote::RemoteContact;
use bowline_intercom::{CONTACTS_PER_PAGE_MAX, ContactPage};
use bowline_net::{ApiError, ErrorKind};
use bowline_store::contacts::{Pages, Phase, Prepared};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::copy::Halt;
use super::{call, company, contact, mend};
use crate::pace::Priority;
use crate::registry::Workspace;
use crate::shared::Shared;

/// Pages that one transaction carries at most. Contacts of one page belong to nearly as many
/// companies, each in another part of the index of members; with more contacts in a transaction
/// each part is written once for several of them. Others who write wait for it, though.
const PAGES_AT_ONCE: usize = 16;

/// How long the first page of a transaction waits for others.
const GATHER: Duration = Duration::from_millis(400);

/// Contacts of a page that are read before others get their turn: some 0.3 ms of a processor. Notes,
/// and what writes the pages before, would wait for a whole page otherwise.
const READ_AT_A_TIME: usize = 25;

/// Which list of contacts.
#[derive(Clone, Copy)]
pub(super) enum List {
    All,
    /// All, slowly, and who is met is kept.
    Met,
    ChangedAfter(i64),
}

impl List {
    pub(super) fn phase_after(self) -> Phase {
        match self {
            Self::Met => Phase::Comparing,
            Self::All | Self::ChangedAfter(_) => Phase::Counting,
        }
    }
}

/// Pages to be committed together.
pub(super) struct Batch {
    pub(super) pages: Pages,
    pub(super) last: bool,
}

impl Batch {
    fn add(&mut self, next: Self) {
        self.last = next.last;
        let pages = &mut self.pages;
        pages.contacts.extend(next.pages.contacts);
        pages.failed.extend(next.pages.failed);
        pages.cursor = next.pages.cursor;
        pages.total = next.pages.total.or(pages.total);
        pages.requests += next.pages.requests;
        pages.phase = next.pages.phase;
        pages.met.extend(next.pages.met);
    }
}

/// Takes further pages into a transaction until it is full, nothing more comes, or something is in
/// the way, which is answered beside what came before it.
pub(super) async fn gather(
    mut batch: Batch,
    more: &mut mpsc::Receiver<Result<Batch, Halt>>,
) -> (Batch, Option<Halt>) {
    let until = Instant::now() + GATHER;
    for _ in 1..PAGES_AT_ONCE {
        if batch.last {
            break;
        }
        match timeout_at(until, more.recv()).await {
            Ok(Some(Ok(next))) => batch.add(next),
            Ok(Some(Err(halt))) => return (batch, Some(halt)),
            Ok(None) | Err(_) => break,
        }
    }
    (batch, None)
}

/// What finds and reads pages.
#[derive(Clone)]
pub(super) struct Far {
    pub(super) shared: Arc<Shared>,
    pub(super) workspace: Arc<Workspace>,
    pub(super) list: List,
}

impl Far {
    async fn page(&self, cursor: Option<&str>) -> Result<ContactPage, ApiError> {
        let client = &self.workspace.client;
        let (shared, workspace) = (&self.shared, &self.workspace);
        let per_page = CONTACTS_PER_PAGE_MAX;
        match self.list {
            List::All | List::Met => {
                let asked = client.contacts(cursor, per_page);
                call(shared, workspace, Priority::Bulk, asked).await
            }
            List::ChangedAfter(after) => {
                let asked = client.contacts_changed(after, cursor, per_page);
                call(shared, workspace, Priority::Bulk, asked).await
            }
        }
    }

    /// Asks for one page after the other.
    pub(super) async fn find(
        self,
        mut cursor: Option<String>,
        found: mpsc::Sender<Result<ContactPage, Halt>>,
    ) {
        loop {
            if matches!(self.list, List::Met) {
                tokio::time::sleep(mend::BETWEEN_PAGES).await;
            }
            match self.page(cursor.as_deref()).await {
                Ok(page) => {
                    // A cursor that leads to where it came from would go round for ever.
                    let round = page.next.is_some() && page.next == cursor;
                    cursor.clone_from(&page.next);
                    if found.send(Ok(page)).await.is_err() || cursor.is_none() {
                        return;
                    }
                    if round {
                        let why = "Intercom's list of contacts leads back to the same page.";
                        let _ = found.send(Err(Halt::Hopeless(why.to_owned()))).await;
                        return;
                    }
                }
                Err(error) => {
                    let halt = Halt::Remote {
                        error,
                        cursor: cursor.is_some(),
                    };
                    let _ = found.send(Err(halt)).await;
                    return;
                }
            }
        }
    }

    /// Reads what stands on pages.
    pub(super) async fn read(
        self,
        mut found: mpsc::Receiver<Result<ContactPage, Halt>>,
        ready: mpsc::Sender<Result<Batch, Halt>>,
    ) {
        while let Some(page) = found.recv().await {
            let batch = match page {
                Ok(page) => self.batch(page).await,
                Err(halt) => Err(halt),
            };
            let over = batch.is_err();
            if ready.send(batch).await.is_err() || over {
                return;
            }
        }
    }

    async fn batch(&self, page: ContactPage) -> Result<Batch, Halt> {
        let mut pages = Pages {
            cursor: page.next.clone(),
            total: page.total,
            requests: 1,
            phase: page.next.is_none().then(|| self.list.phase_after()),
            ..Pages::default()
        };
        for (nth, entry) in page.contacts().enumerate() {
            if nth % READ_AT_A_TIME == READ_AT_A_TIME - 1 {
                tokio::task::yield_now().await;
            }
            let read = match entry {
                Ok(read) => read,
                Err(bad) => {
                    self.meet(&mut pages, bad.id.as_deref());
                    let who = bad.id.unwrap_or_else(|| "without an id".to_owned());
                    pages
                        .failed
                        .push((who, format!("Not taken in: {}.", bad.why)));
                    continue;
                }
            };
            self.meet(&mut pages, Some(&read.id));
            match contact(&read) {
                Ok(mut contact) => {
                    if !contact.companies_complete {
                        pages.requests += 1;
                        self.all_companies(&mut contact).await;
                    }
                    pages
                        .contacts
                        .push(Prepared::of(&self.workspace.config.name, contact)?);
                }
                Err(why) => pages.failed.push((
                    read.id.chars().take(40).collect(),
                    format!("Not taken in: {why}."),
                )),
            }
        }
        Ok(Batch {
            last: pages.cursor.is_none(),
            pages,
        })
    }

    /// Keeps who is in the list, if that is what it is gone through for.
    fn meet(&self, pages: &mut Pages, id: Option<&str>) {
        if let (List::Met, Some(id)) = (self.list, id) {
            pages.met.push(id.to_owned());
        }
    }

    /// The list shows ten companies of a contact; the others are asked for. If that fails, those
    /// that are known are kept, and the next change or sweep asks again.
    async fn all_companies(&self, contact: &mut RemoteContact) {
        let asked = self.workspace.client.companies_of(contact.id.as_str());
        let answer = call(&self.shared, &self.workspace, Priority::Bulk, asked).await;
        match answer {
            Ok(companies) => {
                contact.companies = companies.iter().map(|one| company(one).id).collect();
                contact.companies_complete = true;
            }
            Err(error) => {
                if error.kind == ErrorKind::RateLimited {
                    let pace = &self.workspace.standing.pace;
                    pace.refused(error.retry_after, self.shared.now());
                }
                tracing::debug!(contact = %contact.id, %error, "not all companies were read");
            }
        }
    }
}
