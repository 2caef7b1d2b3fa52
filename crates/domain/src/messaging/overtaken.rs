//! Messages about a status that waited: of several, the customer is told what holds.

use super::act::Telling;
use super::request::LastStatus;
use crate::time::Millis;

/// How long a message about a status may wait and still be sent though the status is another one by
/// now, in milliseconds: 2 minutes. A chain of changes is told whole, each change on its own, and
/// so is one that the provider's pace or a short fault slowed down.
pub const STATUS_WAITS_MS: i64 = 2 * 60_000;

/// How long a message has waited.
#[derive(Clone, Copy, Debug)]
pub struct Waited {
    /// When it was decided.
    pub since: Millis,
    /// When the account began to work again, if it had not: what is older waited for that.
    pub mended_at: Option<Millis>,
    /// Now.
    pub now: Millis,
}

impl Waited {
    fn too_long(self) -> bool {
        let for_the_account = self.mended_at.is_some_and(|mended| self.since < mended);
        for_the_account || self.now.since(self.since) >= STATUS_WAITS_MS
    }
}

/// The status since, if a message about a status is not sent any more: it waited for long, or for
/// its account to work again, and another change was dealt with meanwhile, which has a message of
/// its own or is kept silent by the desk.
pub fn overtaken<'l>(
    tells: &Telling,
    last: Option<&'l LastStatus>,
    waited: Waited,
) -> Option<&'l str> {
    let last = last.filter(|last| last.change != tells.change)?;
    waited.too_long().then_some(last.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waited_is_told_only_if_it_holds() {
        let last = |change: &str| LastStatus {
            change: change.to_owned(),
            name: "Done".to_owned(),
        };
        let tells = Telling {
            change: "7".to_owned(),
            without: None,
        };
        let minutes = |minutes: i64| Millis(minutes * 60_000);
        // The last change, when it was decided, when the account was mended, now.
        for (change, since, mended, now, wanted) in [
            (Some("8"), 10, Some(1), 11, None),
            (Some("8"), 10, Some(1), 12, Some("Done")),
            (Some("8"), 10, Some(10), 10, None),
            (Some("8"), 10, Some(11), 11, Some("Done")),
            (Some("8"), 10, None, 11, None),
            (Some("7"), 10, Some(11), 600, None),
            (None, 10, Some(11), 600, None),
        ] {
            let last = change.map(last);
            let waited = Waited {
                since: minutes(since),
                mended_at: mended.map(minutes),
                now: minutes(now),
            };
            let found = overtaken(&tells, last.as_ref(), waited);
            assert_eq!(found, wanted, "{change:?} {since} {mended:?} {now}");
        }
    }
}
