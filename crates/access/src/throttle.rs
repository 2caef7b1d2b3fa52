//! Passwords are not to be guessed: who fails often has to wait.
//!
//! A try is taken before the password is looked at and counts as failed until it succeeds, so that
//! many tries at once do not all come through. The database counts, for all processes together.

use bowline_store::sign_in_try::{Tried, TryLimit, TryName};

use crate::secret::digest;
use crate::{Access, AccessError};

/// How long a failure counts, in milliseconds.
const FAILURE_MS_KEPT: i64 = 15 * 60 * 1_000;

/// Failures for one account from one address before they have to wait.
const FROM_ONE_ADDRESS_MAX: i64 = 5;

/// Failures for one account from anywhere, so that many addresses do not help; and from one address
/// for any account.
const FROM_ANYWHERE_MAX: i64 = 50;

/// Rows that are kept at most: three for each failure.
const ROWS_MAX: i64 = 30_000;

/// How long someone has to wait, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(pub i64);

impl Wait {
    /// In whole minutes, at least one.
    pub fn minutes(self) -> i64 {
        (self.0 + 59_999) / 60_000
    }
}

/// A try that was taken.
#[derive(Debug)]
pub(crate) struct Try {
    rows: Vec<i64>,
    /// Is no other taken for now, if it fails?
    pub(crate) last: bool,
    /// What is forgotten when it succeeds.
    both: String,
}

fn names(account: &str, address: &str) -> [(String, i64); 3] {
    [
        (format!("both {address} {account}"), FROM_ONE_ADDRESS_MAX),
        (format!("account {account}"), FROM_ANYWHERE_MAX),
        (format!("address {address}"), FROM_ANYWHERE_MAX),
    ]
}

impl Access {
    /// Takes a try for an account from an address, or says how long they have to wait.
    pub(crate) async fn take_try(
        &self,
        account: &str,
        address: &str,
    ) -> Result<Result<Try, Wait>, AccessError> {
        let names = names(account, address);
        let both = digest(&names[0].0);
        self.take(&names, both).await
    }

    /// Takes a try at coming back from a provider from an address. Nobody is named there before the
    /// provider answered, so only the address is counted, by itself: who fails here may still give a
    /// password.
    pub(crate) async fn take_try_elsewhere(
        &self,
        address: &str,
    ) -> Result<Result<Try, Wait>, AccessError> {
        let name = (format!("elsewhere {address}"), FROM_ANYWHERE_MAX);
        // One who comes in takes nobody else's failures away.
        self.take(&[name], String::new()).await
    }

    async fn take(
        &self,
        names: &[(String, i64)],
        both: String,
    ) -> Result<Result<Try, Wait>, AccessError> {
        let names = names.iter().map(|(name, max)| TryName {
            name: digest(name),
            max: *max,
        });
        let limit = TryLimit {
            counted_ms: FAILURE_MS_KEPT,
            rows_max: ROWS_MAX,
        };
        let tried = self.store().try_sign_in(names.collect(), limit, self.now());
        Ok(match tried.await? {
            Tried::Taken { rows, last } => Ok(Try { rows, last, both }),
            Tried::Wait(ms) => Err(Wait(ms)),
        })
    }

    /// They got it right: it does not count, nor does what they got wrong before.
    pub(crate) async fn succeeded(&self, taken: Try) -> Result<(), AccessError> {
        Ok(self
            .store()
            .sign_in_succeeded(taken.rows, taken.both)
            .await?)
    }
}
