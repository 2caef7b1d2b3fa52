//! How far an outbound message got.

use serde::{Deserialize, Serialize};

/// How far an outbound message got. The order is the order of knowledge: reports come doubled and
/// in any order, and the furthest one is the truth.
///
/// A failure stands below a delivery: a message that arrived has arrived, whatever is reported
/// about another try. It stands above `Sent`, so that a late "sent" does not hide it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// The provider has it.
    Accepted,
    /// It left the provider.
    Sent,
    /// It will not arrive.
    Failed,
    /// It is on the person's device.
    Delivered,
    /// The person opened it.
    Read,
}

impl DeliveryStatus {
    /// What is known after another report. The order of reports does not matter.
    #[must_use]
    pub fn after(self, report: Self) -> Self {
        self.max(report)
    }

    /// Reads a status in the words of any provider and platform. `None` for one that says nothing
    /// about delivery (`received`, `deleted`) or that we do not know.
    pub fn read(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "accepted" | "pending" | "pending_media" | "queued" | "scheduled" | "buffered"
            | "sending" => Self::Accepted,
            "sent" | "transmitted" | "dispatched" => Self::Sent,
            "delivered" => Self::Delivered,
            // E-mail: whoever opened or clicked has read.
            "read" | "opened" | "open" | "clicked" | "click" => Self::Read,
            "failed" | "rejected" | "expired" | "delivery_failed" | "sending_failed"
            | "undelivered" | "unsupported" | "bounce" | "bounced" => Self::Failed,
            _ => return None,
        })
    }

    /// A word that never changes, for keys and columns.
    pub fn code(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeliveryStatus::{Accepted, Delivered, Failed, Read, Sent};
    use proptest::prelude::*;

    const ALL: [DeliveryStatus; 5] = [Accepted, Sent, Failed, Delivered, Read];

    #[test]
    fn knowledge_only_grows() {
        for (known, report, want) in [
            (Accepted, Sent, Sent),
            (Sent, Accepted, Sent),
            (Read, Delivered, Read),
            (Read, Failed, Read),
            (Delivered, Failed, Delivered),
            (Failed, Delivered, Delivered),
            (Failed, Sent, Failed),
            (Sent, Failed, Failed),
        ] {
            assert_eq!(known.after(report), want, "{known:?} {report:?}");
        }
    }

    #[test]
    fn a_status_reads_in_every_spelling() {
        for (word, want) in [
            ("accepted", Some(Accepted)),
            ("pending", Some(Accepted)),
            ("buffered", Some(Accepted)),
            ("transmitted", Some(Sent)),
            (" Delivered ", Some(Delivered)),
            ("read", Some(Read)),
            ("clicked", Some(Read)),
            ("rejected", Some(Failed)),
            ("delivery_failed", Some(Failed)),
            ("expired", Some(Failed)),
            ("received", None),
            ("deleted", None),
            ("unknown", None),
            ("", None),
        ] {
            assert_eq!(DeliveryStatus::read(word), want, "{word}");
        }
        for status in ALL {
            assert_eq!(DeliveryStatus::read(status.code()), Some(status));
            let stored = serde_json::to_value(status).unwrap();
            assert_eq!(stored.as_str(), Some(status.code()));
        }
    }

    proptest! {
        #[test]
        fn the_order_of_reports_does_not_matter(
            reports in proptest::collection::vec(proptest::sample::select(&ALL[..]), 1..8),
        ) {
            let forward = reports.iter().copied().reduce(DeliveryStatus::after);
            let backward = reports.iter().rev().copied().reduce(DeliveryStatus::after);
            prop_assert_eq!(forward, backward);
        }
    }
}
