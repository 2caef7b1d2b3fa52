//! The second factor of accounts: kept sealed, used once for each code, refused after failures.

use bowline_domain::time::Millis;

use crate::access::AuditEntry;
use crate::committer::Writer;
use crate::db::Conn;
use crate::error::StoreError;
use crate::handover::Leases;
use crate::sql::second_factor;
use crate::store::Store;
use crate::writes::{Write, write};

/// A second factor as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondFactor {
    /// Whose.
    pub account: i64,
    /// The secret, sealed.
    pub sealed: String,
    /// The key that opens it.
    pub sealed_by: String,
    /// When it was made.
    pub made_at: Millis,
    /// Since when it counts; `None` until a code of it was seen.
    pub confirmed_at: Option<Millis>,
}

/// Somebody's code, as far as it was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactorCode {
    /// A code of the app, of this time step.
    Step(i64),
    /// Perhaps a recovery code, with this digest.
    Recovery(String),
    /// Neither.
    Nothing,
}

/// How many wrong codes are taken, and for how long they count.
#[derive(Clone, Copy, Debug)]
pub struct FactorLimit {
    /// Wrong codes before somebody has to wait.
    pub failures_max: i64,
    /// How long they count, in milliseconds, from the first on.
    pub counted_ms: i64,
}

/// What came of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorUsed {
    /// It was right, and is used up now.
    Right,
    /// It was wrong, or used before.
    Wrong,
    /// Too many were wrong: this long, in milliseconds, none is taken.
    Wait(i64),
}

impl Leases for FactorUsed {}

write!(KeepFactor { factor: SecondFactor } -> bool,
    |conn, _| second_factor::keep(conn, &factor).await);
write!(ConfirmFactor { account: i64, step: i64, codes: Vec<String>, entry: AuditEntry } -> bool,
    |conn, _| second_factor::confirm(conn, account, step, &codes, &entry).await);
write!(ReplaceRecoveryCodes { account: i64, codes: Vec<String>, entry: AuditEntry } -> bool,
    |conn, _| second_factor::replace_codes(conn, account, &codes, &entry).await);
write!(RemoveFactor { account: i64, entry: AuditEntry } -> bool,
    |conn, _| second_factor::remove(conn, account, &entry).await);
write!(UseFactor {
        account: i64, code: FactorCode, limit: FactorLimit, entry: AuditEntry
    } -> FactorUsed,
    |conn, _| second_factor::use_code(conn, account, &code, limit, &entry).await);
write!(ResealFactor { factor: SecondFactor, from: String } -> bool,
    |conn, _| second_factor::reseal(conn, &factor, &from).await);
write!(GoHalfWay { key: String, account: i64, ends_at: Millis, now: Millis } -> (),
    |conn, _| second_factor::go_half_way(conn, &key, account, ends_at, now).await);
write!(LeaveHalfWay { key: String } -> (),
    |conn, _| second_factor::leave_half_way(conn, &key).await);

impl Store {
    /// The second factor of an account, confirmed or not.
    pub async fn second_factor(&self, account: i64) -> Result<Option<SecondFactor>, StoreError> {
        second_factor::one(&mut self.reader().await?, account).await
    }

    /// The second factors of all accounts.
    pub async fn second_factors(&self) -> Result<Vec<SecondFactor>, StoreError> {
        second_factor::all(&mut self.reader().await?).await
    }

    /// Recovery codes that an account has left.
    pub async fn recovery_codes_left(&self, account: i64) -> Result<i64, StoreError> {
        second_factor::codes_left(&mut self.reader().await?, account).await
    }

    /// Keeps a second factor that does not count yet. One that counts is left alone, and the answer
    /// is no.
    pub async fn keep_second_factor(&self, factor: SecondFactor) -> Result<bool, StoreError> {
        self.write(KeepFactor { factor }).await
    }

    /// Has a second factor count from now on, with these digests of recovery codes. The code of
    /// `step` is used up by it. Answers no if there was none that waited for it.
    pub async fn confirm_second_factor(
        &self,
        account: i64,
        step: i64,
        codes: Vec<String>,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        self.write(ConfirmFactor {
            account,
            step,
            codes,
            entry,
        })
        .await
    }

    /// Puts other recovery codes in the place of those that an account has. Answers no if it has no
    /// second factor that counts.
    pub async fn replace_recovery_codes(
        &self,
        account: i64,
        codes: Vec<String>,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        self.write(ReplaceRecoveryCodes {
            account,
            codes,
            entry,
        })
        .await
    }

    /// Removes the second factor of an account with its recovery codes. Answers whether it had one
    /// that counted.
    pub async fn remove_second_factor(
        &self,
        account: i64,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        self.write(RemoveFactor { account, entry }).await
    }

    /// Uses a code up, or counts a failure. `entry` is written down when a recovery code was used,
    /// and, with the word `sign_in_refused`, when this was one wrong code too many.
    pub async fn use_second_factor(
        &self,
        account: i64,
        code: FactorCode,
        limit: FactorLimit,
        entry: AuditEntry,
    ) -> Result<FactorUsed, StoreError> {
        self.write(UseFactor {
            account,
            code,
            limit,
            entry,
        })
        .await
    }

    /// Keeps the same secret sealed anew, if it is still sealed as `from`.
    pub async fn reseal_second_factor(
        &self,
        factor: SecondFactor,
        from: String,
    ) -> Result<bool, StoreError> {
        self.write(ResealFactor { factor, from }).await
    }

    /// Notes that somebody gave the right password and is asked for the second factor.
    pub async fn go_half_way(
        &self,
        key: String,
        account: i64,
        ends_at: Millis,
        now: Millis,
    ) -> Result<(), StoreError> {
        self.write(GoHalfWay {
            key,
            account,
            ends_at,
            now,
        })
        .await
    }

    /// Who is half way, if they still are.
    pub async fn half_way(&self, key: &str, now: Millis) -> Result<Option<i64>, StoreError> {
        second_factor::half_way(&mut self.reader().await?, key, now).await
    }

    /// They are all the way in, or gave up.
    pub async fn leave_half_way(&self, key: String) -> Result<(), StoreError> {
        self.write(LeaveHalfWay { key }).await
    }
}
