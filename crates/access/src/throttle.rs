//! Passwords are not to be guessed: who fails often has to wait.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bowline_domain::time::Millis;

/// How long a failure counts, in milliseconds.
const FAILURE_MS_KEPT: i64 = 15 * 60 * 1_000;

/// Failures for one account from one address before they have to wait.
const FROM_ONE_ADDRESS_MAX: usize = 5;

/// Failures for one account from anywhere, so that many addresses do not help; and from one address
/// for any account.
const FROM_ANYWHERE_MAX: usize = 50;

/// Names that are remembered at most; beyond it those whose failures are old are dropped.
const REMEMBERED_MAX: usize = 10_000;

/// How long someone has to wait, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(pub i64);

impl Wait {
    /// In whole minutes, at least one.
    pub fn minutes(self) -> i64 {
        (self.0 + 59_999) / 60_000
    }
}

/// Counts failures, in this process.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    failures: Mutex<HashMap<String, Vec<Millis>>>,
}

fn keys(account: &str, address: &str) -> [(String, usize); 3] {
    [
        (format!("both {address} {account}"), FROM_ONE_ADDRESS_MAX),
        (format!("account {account}"), FROM_ANYWHERE_MAX),
        (format!("address {address}"), FROM_ANYWHERE_MAX),
    ]
}

impl Throttle {
    /// Must they wait before they may try?
    pub(crate) fn check(&self, account: &str, address: &str, now: Millis) -> Result<(), Wait> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wait = 0;
        for (key, max) in keys(account, address) {
            let recent = failures.get(&key).map_or(&[][..], Vec::as_slice);
            let count = recent
                .iter()
                .filter(|at| now.since(**at) < FAILURE_MS_KEPT)
                .count();
            if count < max {
                continue;
            }
            // Free again when so many are old that fewer than the maximum are left.
            if let Some(at) = recent.get(recent.len() - max) {
                wait = wait.max(FAILURE_MS_KEPT - now.since(*at));
            }
        }
        if wait > 0 { Err(Wait(wait)) } else { Ok(()) }
    }

    /// They failed.
    pub(crate) fn failed(&self, account: &str, address: &str, now: Millis) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= REMEMBERED_MAX {
            failures.retain(|_, at| at.iter().any(|at| now.since(*at) < FAILURE_MS_KEPT));
        }
        for (key, max) in keys(account, address) {
            let at = failures.entry(key).or_default();
            at.push(now);
            let surplus = at.len().saturating_sub(max);
            at.drain(..surplus);
        }
    }

    /// They got it right: what they got wrong before does not count any more.
    pub(crate) fn succeeded(&self, account: &str, address: &str) {
        let [(both, _), ..] = keys(account, address);
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Millis = Millis(1_000_000_000_000);

    #[test]
    fn after_five_failures_the_same_address_waits_and_others_do_not() {
        let throttle = Throttle::default();
        for n in 0..5 {
            assert_eq!(throttle.check("ana", "1.1.1.1", T0), Ok(()), "{n}");
            throttle.failed("ana", "1.1.1.1", T0.plus_ms(n * 60_000));
        }
        let now = T0.plus_ms(4 * 60_000);
        assert_eq!(
            throttle.check("ana", "1.1.1.1", now).map_err(Wait::minutes),
            Err(11)
        );
        assert_eq!(throttle.check("ana", "2.2.2.2", now), Ok(()));
        assert_eq!(throttle.check("ben", "1.1.1.1", now), Ok(()));
        assert_eq!(
            throttle.check("ana", "1.1.1.1", T0.plus_ms(FAILURE_MS_KEPT)),
            Ok(())
        );
        throttle.succeeded("ana", "1.1.1.1");
        assert_eq!(throttle.check("ana", "1.1.1.1", now), Ok(()));
    }

    #[test]
    fn many_addresses_or_many_accounts_do_not_help() {
        let throttle = Throttle::default();
        for n in 0..FROM_ANYWHERE_MAX {
            throttle.failed("ana", &format!("10.0.0.{n}"), T0);
            throttle.failed(&format!("account{n}"), "9.9.9.9", T0);
        }
        assert!(throttle.check("ana", "10.9.9.9", T0).is_err());
        assert!(throttle.check("zoe", "9.9.9.9", T0).is_err());
        assert_eq!(throttle.check("zoe", "10.9.9.9", T0), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..REMEMBERED_MAX {
            throttle.failed(&format!("account{n}"), "1.1.1.1", T0);
        }
        throttle.failed("last", "1.1.1.1", T0.plus_ms(FAILURE_MS_KEPT));
        assert!(throttle.failures.lock().unwrap().len() < 10);
    }
}
