//! The store as feedback uses it: products, tickets, triage, backfills.

mod model;
mod writes;

use bowline_domain::feedback::ids::{ContactId, PartId, ProductId, TicketId};
use bowline_domain::feedback::product::{ListedTag, Product};
use bowline_domain::feedback::ticket::{KnownTicket, Status, TicketIssue};
use bowline_domain::ids::{ConversationId, IssueId, SiteName, WorkspaceName};
use bowline_domain::time::Millis;

pub use model::*;
use writes::{
    AdvanceBackfill, BeginBackfill, ClaimBackfill, IssueMade, KeepFiles, MergeAll, MergeTickets,
    MoveBackfill, NameTags, PutProduct, SplitTicket, SwitchProducts, Triage, Undeclare, UndoMerge,
};

use crate::access::AuditEntry;
use crate::error::StoreError;
use crate::model::NewEvent;
use crate::sql::feedback::{backfill, files, list, products, search, views};
use crate::store::Store;

impl Store {
    /// All products, by workspace and name.
    pub async fn products(&self) -> Result<Vec<Product>, StoreError> {
        products::all(&mut self.reader().await?, None).await
    }

    /// The products of a workspace that are switched on.
    pub async fn products_of(&self, workspace: &WorkspaceName) -> Result<Vec<Product>, StoreError> {
        let all = products::all(&mut self.reader().await?, Some(workspace)).await?;
        Ok(all.into_iter().filter(|product| product.on).collect())
    }

    /// A product.
    pub async fn product(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        Ok(self.products().await?.into_iter().find(|one| one.id == id))
    }

    /// Keeps a product, new or changed, with what is written down of it. A tag that was chosen
    /// before keeps since when it counts, unless the product was off meanwhile.
    pub async fn put_product(
        &self,
        draft: ProductDraft,
        now: Millis,
        audit: Vec<AuditEntry>,
    ) -> Result<ProductId, StoreError> {
        self.write(PutProduct { draft, now, audit }).await
    }

    /// Switches all products of a workspace off that do not stand in the configuration file, or on
    /// again those that were switched off so: what was tagged meanwhile does not count. Answers how
    /// many; with none nothing is written down.
    pub async fn switch_products(
        &self,
        workspace: WorkspaceName,
        on: bool,
        now: Millis,
        audit: Vec<AuditEntry>,
    ) -> Result<u64, StoreError> {
        self.write(SwitchProducts {
            workspace,
            on,
            now,
            audit,
        })
        .await
    }

    /// Products that do not stand in the configuration file any more are switched off; their
    /// tickets stay.
    pub async fn undeclare_products(
        &self,
        keep: Vec<(WorkspaceName, String)>,
    ) -> Result<u64, StoreError> {
        self.write(Undeclare { keep }).await
    }

    /// Records what the tags of a workspace are called now, and which are gone. Answers how many
    /// changed.
    pub async fn name_tags(
        &self,
        workspace: WorkspaceName,
        listed: Vec<ListedTag>,
        now: Millis,
    ) -> Result<u64, StoreError> {
        self.write(NameTags {
            workspace,
            listed,
            now,
        })
        .await
    }

    /// The tickets of a conversation's messages, as capture needs them.
    pub async fn tickets_of_conversation(
        &self,
        workspace: &WorkspaceName,
        conversation: &ConversationId,
    ) -> Result<Vec<KnownTicket>, StoreError> {
        views::known(&mut self.reader().await?, workspace, conversation).await
    }

    /// Has a contact tickets that are not erased?
    pub async fn contact_has_tickets(
        &self,
        workspace: &WorkspaceName,
        contact: &ContactId,
    ) -> Result<bool, StoreError> {
        views::of_contact(&mut self.reader().await?, workspace, contact).await
    }

    /// The tickets of a contact, the newest first.
    pub async fn tickets_given_by(
        &self,
        workspace: &WorkspaceName,
        contact: &ContactId,
        limit: i64,
    ) -> Result<Vec<TicketRow>, StoreError> {
        views::given_by(&mut self.reader().await?, workspace, contact, limit).await
    }

    /// The issues that the tickets of a contact, or those that stand for them, are tied to, with
    /// the tickets, the newest first.
    pub async fn issues_of_tickets_given_by(
        &self,
        workspace: &WorkspaceName,
        contact: &ContactId,
        limit: i64,
    ) -> Result<Vec<(TicketId, TicketIssue)>, StoreError> {
        views::issues_given_by(&mut self.reader().await?, workspace, contact, limit).await
    }

    /// The contacts of tickets that were given under an e-mail address.
    pub async fn ticket_contacts_of_email(
        &self,
        workspace: &WorkspaceName,
        email: &str,
        limit: i64,
    ) -> Result<Vec<ContactId>, StoreError> {
        views::contacts_of_email(&mut self.reader().await?, workspace, email, limit).await
    }

    /// Some of those who have tickets that are not erased, in the order of their ids.
    pub async fn ticket_contacts(
        &self,
        workspace: &WorkspaceName,
        after: Option<&ContactId>,
        limit: i64,
    ) -> Result<Vec<ContactId>, StoreError> {
        views::contacts_after(&mut self.reader().await?, workspace, after, limit).await
    }

    /// Some of the conversations whose tickets are not erased and have a tag, the newest first.
    pub async fn tagged_conversations(
        &self,
        workspace: &WorkspaceName,
        before: Option<&ConversationId>,
        limit: i64,
    ) -> Result<Vec<ConversationId>, StoreError> {
        views::tagged_before(&mut self.reader().await?, workspace, before, limit).await
    }

    /// Who gave the newest feedback of a workspace, but for one.
    pub async fn newest_ticket_contacts(
        &self,
        workspace: &WorkspaceName,
        but: &ContactId,
        limit: i64,
    ) -> Result<Vec<ContactId>, StoreError> {
        views::newest_contacts(&mut self.reader().await?, workspace, but, limit).await
    }

    /// The tickets that are tied to an issue, with their conversations.
    pub async fn tickets_of_issue(
        &self,
        site: &SiteName,
        issue: &IssueId,
    ) -> Result<Vec<TicketRow>, StoreError> {
        views::of_issue(&mut self.reader().await?, site, issue).await
    }

    /// The conversations of a ticket and of those merged into it.
    pub async fn conversations_of_ticket(
        &self,
        id: TicketId,
    ) -> Result<Vec<(WorkspaceName, ConversationId)>, StoreError> {
        views::conversations(&mut self.reader().await?, id).await
    }

    /// A part of the tickets that are asked for. Merged ones are found by the one that stands for
    /// them.
    pub async fn ticket_page(&self, query: &TicketQuery) -> Result<TicketPage, StoreError> {
        list::page(&mut self.reader().await?, query).await
    }

    /// How many tickets stand in each status, of one product or of all.
    pub async fn ticket_counts(
        &self,
        product: Option<ProductId>,
    ) -> Result<Vec<(Status, i64)>, StoreError> {
        list::counts(&mut self.reader().await?, product).await
    }

    /// How many of these tickets are shells of what was erased: they stand for nothing of which
    /// something is left.
    pub async fn ticket_shells(
        &self,
        product: Option<ProductId>,
    ) -> Result<Vec<(Status, i64)>, StoreError> {
        list::shells(&mut self.reader().await?, product).await
    }

    /// A ticket with all that belongs to it.
    pub async fn ticket(&self, id: TicketId) -> Result<Option<TicketView>, StoreError> {
        views::one(&mut self.reader().await?, id).await
    }

    /// Tickets of a product with any of these words: the newest, with their texts.
    pub async fn tickets_with_words(
        &self,
        product: ProductId,
        words: &[String],
        limit: usize,
    ) -> Result<Vec<(TicketRow, String)>, StoreError> {
        search::with_words(&mut self.reader().await?, product, words, limit).await
    }

    /// The labels that tickets have, by name.
    pub async fn ticket_labels(&self) -> Result<Vec<String>, StoreError> {
        list::labels(&mut self.reader().await?).await
    }

    /// Who can look after tickets: e-mail address and name of everyone who may sign in.
    pub async fn assignees(&self) -> Result<Vec<(String, String)>, StoreError> {
        list::assignees(&mut self.reader().await?).await
    }

    /// Changes tickets, and stores the events that follow from it, in one piece. Answers how many
    /// changed; nothing does if another ticket stands for one of them.
    pub async fn triage(
        &self,
        (tickets, change): (Vec<TicketId>, TicketChange),
        (who, at): (String, Millis),
        events: Vec<NewEvent>,
        audit: Vec<AuditEntry>,
    ) -> Result<Result<u64, MergedAway>, StoreError> {
        self.write(Triage {
            tickets,
            change,
            who,
            at,
            events,
            audit,
        })
        .await
    }

    /// Merges a ticket, with those merged into it, into another one of its product.
    pub async fn merge_tickets(
        &self,
        (ticket, into): (TicketId, TicketId),
        (who, at): (String, Millis),
        audit: Vec<AuditEntry>,
    ) -> Result<Result<(), NotMerged>, StoreError> {
        self.write(MergeTickets {
            ticket,
            into,
            who,
            at,
            audit,
        })
        .await
    }

    /// Merges several tickets into another one of their product: all of them, or none.
    pub async fn merge_all_tickets(
        &self,
        (tickets, into): (Vec<TicketId>, TicketId),
        (who, at): (String, Millis),
        audit: Vec<AuditEntry>,
    ) -> Result<Result<(), NotMerged>, StoreError> {
        self.write(MergeAll {
            tickets,
            into,
            who,
            at,
            audit,
        })
        .await
    }

    /// Undoes a merge. Answers the ticket that stands by itself again.
    pub async fn undo_merge(
        &self,
        merge: i64,
        (who, at): (String, Millis),
        audit: Vec<AuditEntry>,
    ) -> Result<Result<TicketId, NotMerged>, StoreError> {
        self.write(UndoMerge {
            merge,
            who,
            at,
            audit,
        })
        .await
    }

    /// Makes another ticket of the same message, of a part of its text. Answers its number.
    pub async fn split_ticket(
        &self,
        ticket: TicketId,
        (title, text): (String, String),
        (who, at): (String, Millis),
        audit: Vec<AuditEntry>,
    ) -> Result<Result<TicketId, NotMerged>, StoreError> {
        self.write(SplitTicket {
            ticket,
            title,
            text,
            who,
            at,
            audit,
        })
        .await
    }

    /// Records the issue that was made from a ticket. Recording it again changes nothing.
    pub async fn issue_made(
        &self,
        ticket: TicketId,
        issue: TicketIssue,
        at: Millis,
    ) -> Result<(), StoreError> {
        self.write(IssueMade { ticket, issue, at }).await
    }

    /// Keeps the files of a message, unless it was erased meanwhile.
    pub async fn keep_files(
        &self,
        (workspace, conversation, part): (WorkspaceName, ConversationId, PartId),
        drafts: Vec<FileDraft>,
    ) -> Result<(), StoreError> {
        self.write(KeepFiles {
            workspace,
            conversation,
            part,
            drafts,
        })
        .await
    }

    /// A file of a ticket's message: name, media type, and content as base64.
    pub async fn ticket_file(
        &self,
        ticket: TicketId,
        number: i64,
    ) -> Result<Option<(FileView, String)>, StoreError> {
        files::content(&mut self.reader().await?, ticket, number).await
    }

    /// Begins a backfill. `None` if one of the product is under way.
    pub async fn begin_backfill(
        &self,
        (product, since, found): (ProductId, Millis, i64),
        (who, at): (String, Millis),
        audit: Vec<AuditEntry>,
    ) -> Result<Option<i64>, StoreError> {
        self.write(BeginBackfill {
            product,
            since,
            found,
            who,
            at,
            audit,
        })
        .await
    }

    /// Moves a backfill to another state, if that may be. Answers whether it was.
    pub async fn move_backfill(
        &self,
        id: i64,
        to: BackfillState,
        at: Millis,
        audit: Vec<AuditEntry>,
    ) -> Result<bool, StoreError> {
        self.write(MoveBackfill { id, to, at, audit }).await
    }

    /// Takes a running backfill until a time, or goes on holding it. `None` if another process
    /// holds it, or it is not running.
    pub async fn claim_backfill(
        &self,
        id: i64,
        at: Millis,
        until: Millis,
    ) -> Result<Option<Backfill>, StoreError> {
        self.write(ClaimBackfill { id, at, until }).await
    }

    /// Records how far a backfill came. Answers whether it was recorded: not if another process
    /// took it over or a person cancelled it.
    pub async fn advance_backfill(&self, id: i64, step: BackfillStep) -> Result<bool, StoreError> {
        self.write(AdvanceBackfill { id, step }).await
    }

    /// The backfills that go through conversations now.
    pub async fn running_backfills(&self) -> Result<Vec<Backfill>, StoreError> {
        backfill::running(&mut self.reader().await?).await
    }

    /// A backfill.
    pub async fn backfill(&self, id: i64) -> Result<Option<Backfill>, StoreError> {
        backfill::one(&mut self.reader().await?, id).await
    }

    /// The latest backfill of a product.
    pub async fn latest_backfill(
        &self,
        product: ProductId,
    ) -> Result<Option<Backfill>, StoreError> {
        backfill::latest(&mut self.reader().await?, product).await
    }
}
