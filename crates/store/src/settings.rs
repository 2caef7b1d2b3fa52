//! What was configured on the pages: one row for each site, workspace and binding.
//!
//! What a row means is decided by the crate `settings`; here it is text. Secrets come sealed.
//! Every change is written together with its entry in the audit log.

use bowline_domain::time::Millis;

use crate::access::AuditEntry;
use crate::committer::Writer;
use crate::db::Conn;
use crate::error::StoreError;
use crate::handover::Leases;
use crate::sql::settings;
use crate::store::Store;
use crate::writes::{Write, write};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingRow {
    /// `site`, `workspace` or `binding`.
    pub kind: String,
    /// The name; of a binding `site/PROJECT`.
    pub name: String,
    /// The count of all changes when this one was last changed: no two changes have the same.
    pub version: i64,
    /// JSON without secrets.
    pub body: String,
    /// The secrets, sealed.
    pub sealed: Option<String>,
    /// The id of the key that they are sealed with.
    pub sealed_by: Option<String>,
    /// When it was last changed.
    pub changed_at: Millis,
    /// By whom, in words.
    pub changed_by: String,
}

/// What a row is to be from now on.
#[derive(Clone, Debug)]
pub struct SettingChange {
    /// `site`, `workspace` or `binding`.
    pub kind: String,
    /// The name; of a binding `site/PROJECT`.
    pub name: String,
    /// The version that the change was made from; `None` for a new row.
    pub from: Option<i64>,
    /// JSON without secrets.
    pub body: String,
    /// The secrets, sealed.
    pub sealed: Option<String>,
    /// The id of the key that they are sealed with.
    pub sealed_by: Option<String>,
}

/// Secrets of a row under another key.
#[derive(Clone, Debug)]
pub struct Resealed {
    /// `site` or `workspace`.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The version that they were read from.
    pub version: i64,
    /// The secrets, sealed anew.
    pub sealed: String,
    /// The id of the key that they are sealed with now.
    pub sealed_by: String,
}

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is made.
    Done {
        /// The row's version from now on.
        version: i64,
    },
    /// Someone else changed, made or removed it meanwhile; nothing was changed.
    Overtaken,
}

impl Leases for Stored {}

write!(PutSetting { change: SettingChange, entry: AuditEntry } -> Stored,
    |conn, _| settings::put(conn, &change, &entry).await);
write!(RemoveSetting { kind: String, name: String, from: i64, entry: AuditEntry } -> Stored,
    |conn, _| settings::remove(conn, &kind, &name, from, &entry).await);
write!(Reseal { row: Resealed } -> bool, |conn, _| settings::reseal(conn, &row).await);

impl Store {
    /// All that was configured on the pages.
    pub async fn settings(&self) -> Result<Vec<SettingRow>, StoreError> {
        settings::all(&mut self.reader().await?).await
    }

    /// How often something was changed there, by whichever process.
    pub async fn settings_changes(&self) -> Result<i64, StoreError> {
        settings::changes(&mut self.reader().await?).await
    }

    /// Makes or changes a row, unless someone else did since its version.
    pub async fn put_setting(
        &self,
        change: SettingChange,
        entry: AuditEntry,
    ) -> Result<Stored, StoreError> {
        self.write(PutSetting { change, entry }).await
    }

    /// Removes a row, unless someone else changed it since this version.
    pub async fn remove_setting(
        &self,
        kind: &str,
        name: &str,
        from: i64,
        entry: AuditEntry,
    ) -> Result<Stored, StoreError> {
        let (kind, name) = (kind.to_owned(), name.to_owned());
        self.write(RemoveSetting {
            kind,
            name,
            from,
            entry,
        })
        .await
    }

    /// Replaces sealed secrets by the same under another key, unless the row was changed since.
    pub async fn reseal(&self, row: Resealed) -> Result<bool, StoreError> {
        self.write(Reseal { row }).await
    }
}
