//! What people are told about connections: written down first, then told to each receiver by
//! itself until it has it or is given up.

use bowline_domain::time::Millis;

use crate::access::AuditEntry;
use crate::committer::Writer;
use crate::db::Conn;
use crate::error::StoreError;
use crate::handover::Leases;
use crate::sql::alert;
use crate::store::Store;
use crate::writes::{Write, write};

/// The latest alerts that are kept.
pub const ALERTS_KEPT: i64 = 1_000;

/// What people were told last of a matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertMatter {
    /// Which: a connection's key, or something of it.
    pub name: String,
    /// Were they told last that it works?
    pub works: bool,
    /// The count of news of it.
    pub told: i64,
}

/// News to be told.
#[derive(Clone, Debug)]
pub struct NewAlert {
    /// The name by which a receiver knows it again.
    pub uid: String,
    /// What it is about.
    pub matter: String,
    /// The state that is told, and the count of news that it was decided from (0: none yet);
    /// `None` for a test, which is news of nothing.
    pub news: Option<(bool, i64)>,
    /// What is told, as JSON.
    pub body: String,
    /// When it was written down.
    pub at: Millis,
    /// Who is to be told, each by a name that does not change.
    pub receivers: Vec<String>,
}

/// How far it is with one receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertState {
    /// It is to be told, or tried again.
    Waiting,
    /// The receiver has it.
    Delivered,
    /// It is not tried any more.
    GivenUp,
}

impl AlertState {
    /// The word for storage and programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }

    pub(crate) fn from_word(word: &str) -> Self {
        match word {
            "delivered" => Self::Delivered,
            "given_up" => Self::GivenUp,
            _ => Self::Waiting,
        }
    }
}

/// One receiver of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertSend {
    /// Who.
    pub receiver: String,
    /// How far it is.
    pub state: AlertState,
    /// Times that it was tried, with the one under way.
    pub tries: i64,
    /// When it is tried next, while it waits.
    pub due_at: Millis,
    /// Why the last try failed; empty if none has.
    pub failure: String,
    /// When it was delivered or given up.
    pub ended_at: Option<Millis>,
}

/// A try that this process makes, and nobody else until it is due again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertTry {
    /// The alert's number.
    pub alert: i64,
    /// The name by which the receiver knows it again.
    pub uid: String,
    /// What it is about.
    pub matter: String,
    /// What is told, as JSON.
    pub body: String,
    /// When it was written down.
    pub made_at: Millis,
    /// Who is told.
    pub receiver: String,
    /// The number of this try.
    pub tries: i64,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertCame {
    /// The receiver has it.
    Delivered,
    /// Not this time: it is tried again then.
    Again {
        /// When.
        due_at: Millis,
        /// Why.
        failure: String,
    },
    /// It is not tried any more.
    GivenUp {
        /// Why.
        failure: String,
    },
}

/// An alert with how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertView {
    /// Its number.
    pub id: i64,
    /// The name by which receivers know it.
    pub uid: String,
    /// What it is about.
    pub matter: String,
    /// What is told, as JSON.
    pub body: String,
    /// When it was written down.
    pub made_at: Millis,
    /// Its receivers, by name.
    pub sends: Vec<AlertSend>,
}

impl Leases for Vec<AlertTry> {}

write!(MakeAlert { alert: NewAlert, entry: AuditEntry } -> Option<i64>,
    |conn, _| alert::make(conn, &alert, &entry).await);
write!(TakeAlerts { now: Millis, until: Millis, limit: i64 } -> Vec<AlertTry>,
    |conn, _| alert::take(conn, now, until, limit).await);
write!(AlertEnded { tried: AlertTry, came: AlertCame, at: Millis } -> bool,
    |conn, _| alert::came(conn, &tried, &came, at).await);
write!(ForgetMatter { name: String, told: i64 } -> bool,
    |conn, _| alert::forget(conn, &name, told).await);

impl Store {
    /// What people were told last, of each matter.
    pub async fn alert_matters(&self) -> Result<Vec<AlertMatter>, StoreError> {
        alert::matters(&mut self.reader().await?).await
    }

    /// Writes news down to be told, together with what the audit log says of it; answers its
    /// number, or `None` if there is other news of the matter by now.
    pub async fn make_alert(
        &self,
        alert: NewAlert,
        entry: AuditEntry,
    ) -> Result<Option<i64>, StoreError> {
        self.write(MakeAlert { alert, entry }).await
    }

    /// Takes what is due, to try it: until then nobody else does. Of one matter a receiver is told
    /// in order, so what waits behind something else is not taken.
    pub async fn take_alerts(
        &self,
        now: Millis,
        until: Millis,
        limit: i64,
    ) -> Result<Vec<AlertTry>, StoreError> {
        self.write(TakeAlerts { now, until, limit }).await
    }

    /// Notes what came of a try. Answers false if it was tried again meanwhile: then that counts.
    pub async fn alert_came(
        &self,
        tried: AlertTry,
        came: AlertCame,
        at: Millis,
    ) -> Result<bool, StoreError> {
        self.write(AlertEnded { tried, came, at }).await
    }

    /// Forgets a matter that is no more, unless there is news of it since.
    pub async fn forget_alert_matter(&self, name: String, told: i64) -> Result<bool, StoreError> {
        self.write(ForgetMatter { name, told }).await
    }

    /// Alerts, the latest first; `before`: those before this number.
    pub async fn alerts(
        &self,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<AlertView>, StoreError> {
        alert::list(&mut self.reader().await?, before, limit).await
    }
}
