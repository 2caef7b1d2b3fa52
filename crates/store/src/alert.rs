//! News that people are being told, until they are.

use bowline_domain::time::Millis;

use crate::committer::Writer;
use crate::db::Conn;
use crate::error::StoreError;
use crate::handover::Leases;
use crate::sql::alert;
use crate::store::Store;
use crate::writes::{Write, write};

/// News that people were not told yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertTry {
    /// What it is about.
    pub name: String,
    /// The news: does it work again?
    pub works: bool,
    /// Times that it was tried to tell it, with the one that is under way.
    pub tries: i64,
    /// When it is tried next.
    pub due_at: Millis,
    /// Why the last try failed; empty if none has.
    pub failure: String,
}

impl Leases for Option<AlertTry> {}

write!(TakeAlert { name: String, works: bool, now: Millis, until: Millis } -> Option<AlertTry>,
    |conn, _| alert::take(conn, &name, works, now, until).await);
write!(AlertFailed { tried: AlertTry } -> (), |conn, _| alert::failed(conn, &tried).await);
write!(DropAlert { name: String } -> (), |conn, _| alert::remove(conn, &name).await);

impl Store {
    /// All news that people were not told yet.
    pub async fn alert_tries(&self) -> Result<Vec<AlertTry>, StoreError> {
        alert::all(&mut self.reader().await?).await
    }

    /// Takes news to tell it, if it is due: until then nobody else does. Other news of the same
    /// matter begins from the start.
    pub async fn take_alert(
        &self,
        name: String,
        works: bool,
        now: Millis,
        until: Millis,
    ) -> Result<Option<AlertTry>, StoreError> {
        self.write(TakeAlert {
            name,
            works,
            now,
            until,
        })
        .await
    }

    /// It could not be told: it is tried again when `tried` says, unless there is other news by
    /// then.
    pub async fn alert_failed(&self, tried: AlertTry) -> Result<(), StoreError> {
        self.write(AlertFailed { tried }).await
    }

    /// It was told, or is no news any more.
    pub async fn drop_alert(&self, name: String) -> Result<(), StoreError> {
        self.write(DropAlert { name }).await
    }
}
