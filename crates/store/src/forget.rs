//! What deliveries and attempts said of what is erased since.

use bowline_domain::ids::{ConversationId, WorkspaceName};
use bowline_domain::time::Millis;

use crate::committer::Writer;
use crate::db::Conn;
use crate::error::StoreError;
use crate::handover::Leases;
use crate::sql::forget;
use crate::store::Store;
use crate::writes::{Write, write};

/// By what it is known that a text is to go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// It stands in it: an id, an address, a number.
    Text(String),
    /// It was told or said in this conversation.
    Conversation(ConversationId),
}

/// Marks that are gone through together.
pub type Marks = Vec<(WorkspaceName, Mark)>;

/// How far a look came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Up to which event; `None` at the end.
    pub up_to: Option<i64>,
    /// Was there a delivery that is to go and still waits to be decided?
    pub waits: bool,
}

impl Leases for Forgotten {}

write!(ForgetPart { marks: Marks, after: i64 } -> Forgotten,
    |conn, _| forget::part(conn, &marks, after).await);
write!(ForgetAgain { marks: Marks, now: Millis } -> (),
    |conn, _| forget::again(conn, &marks, now).await);
write!(ForgetMarks { marks: Marks } -> (), |conn, _| forget::done(conn, &marks).await);

impl Store {
    /// Marks that are due, at most `limit`.
    pub async fn marks_to_forget(&self, now: Millis, limit: i64) -> Result<Marks, StoreError> {
        forget::due(&mut self.reader().await?, now, limit).await
    }

    /// Takes the texts out of a part of the deliveries that have one of the marks, after the event
    /// `after`, and of what attempts at their effects said. Deliveries that still wait keep theirs.
    pub async fn forget_part(&self, marks: Marks, after: i64) -> Result<Forgotten, StoreError> {
        self.write(ForgetPart { marks, after }).await
    }

    /// Has marks gone through again: soon after the first look, later and later after more of them.
    pub async fn forget_again(&self, marks: Marks, now: Millis) -> Result<(), StoreError> {
        self.write(ForgetAgain { marks, now }).await
    }

    /// Forgets marks themselves: nothing has them any more.
    pub async fn forget_marks(&self, marks: Marks) -> Result<(), StoreError> {
        self.write(ForgetMarks { marks }).await
    }
}
