//! Webhooks from Jira.
//!
//! A delivery is a hint: it may lack the issue, come twice, late or in another order, and its
//! text is wiki markup or ADF. The parser takes every shape that has been recorded and says what
//! is in the payload and what is not; the truth is then read through REST.

mod delivery;
mod peek;
mod signature;

pub use delivery::{Changelog, CommentHint, Delivery, EventKind, IssueHint, ParseError, parse};
pub use peek::{Peek, digest, may_name_a_conversation, peek, same_secret};
pub use signature::{SIGNATURE_HEADER, verify};

use http::HeaderMap;

/// Whether a delivery is a direct consequence of somebody's act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// Direct: sent at once.
    Primary,
    /// Fallout of a bulk change or of a cascade, as the comments of a deleted issue.
    Secondary,
    /// Not said (Data Center), or something new.
    Unstated,
}

/// What the headers of a delivery tell. Cloud only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryHeaders {
    /// Unique in the site and the same on a retry.
    pub identifier: Option<String>,
    /// How many tries went before; 0 on the first.
    pub retry: u32,
    /// Direct or fallout.
    pub flow: Flow,
}

impl DeliveryHeaders {
    /// Reads the headers of a delivery.
    pub fn read(headers: &HeaderMap) -> Self {
        let get = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
        let flow = get("x-atlassian-webhook-flow").unwrap_or_default();
        Self {
            identifier: get("x-atlassian-webhook-identifier")
                .filter(|id| !id.is_empty())
                .map(str::to_owned),
            retry: get("x-atlassian-webhook-retry")
                .and_then(|n| n.parse().ok())
                .unwrap_or(0),
            flow: if flow.eq_ignore_ascii_case("primary") {
                Flow::Primary
            } else if flow.eq_ignore_ascii_case("secondary") {
                Flow::Secondary
            } else {
                Flow::Unstated
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowline_net::testing::headers;

    #[test]
    fn headers_of_both_deployments() {
        let cloud = headers(&[
            ("X-Atlassian-Webhook-Identifier", "w-1"),
            ("X-Atlassian-Webhook-Retry", "2"),
            ("X-Atlassian-Webhook-Flow", "Secondary"),
        ]);
        let want = DeliveryHeaders {
            identifier: Some("w-1".into()),
            retry: 2,
            flow: Flow::Secondary,
        };
        assert_eq!(DeliveryHeaders::read(&cloud), want);
        let none = DeliveryHeaders {
            identifier: None,
            retry: 0,
            flow: Flow::Unstated,
        };
        assert_eq!(DeliveryHeaders::read(&HeaderMap::new()), none);
    }
}
