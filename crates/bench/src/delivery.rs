//! Deliveries as Jira sends them: 4 KB, signed, each with its own identifier.

use aws_lc_rs::hmac;
use serde_json::{Value, json};

/// The site's name in the configuration and in addresses.
pub(crate) const SITE: &str = "acme-jira";

/// What Jira signs with.
pub(crate) const SECRET: &str = "a-webhook-secret-of-the-benchmark";

/// The project that is bound.
pub(crate) const BOUND: &str = "ENG";

/// A project that is not.
pub(crate) const UNBOUND: &str = "OPS";

/// The size of a delivery's body, in bytes.
const BODY_BYTES: usize = 4_096;

/// What the note about a delivery shows its number behind.
pub(crate) const NUMBER_MARK: &str = "Person-";

/// One delivery, ready to be sent.
pub(crate) struct Delivery {
    body: Vec<u8>,
    signature: String,
    /// `X-Atlassian-Webhook-Identifier`, unless the sender gives another.
    identifier: String,
}

/// The address of a hook.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) addr: std::net::SocketAddr,
    pub(crate) path: String,
}

impl Target {
    pub(crate) fn jira(addr: std::net::SocketAddr) -> Self {
        Self {
            addr,
            path: format!("/hooks/jira/{SITE}"),
        }
    }
}

impl Delivery {
    /// An issue was assigned to someone whose name holds `number`; `number` also names the change
    /// and the delivery.
    pub(crate) fn assigned(number: usize, issue: usize, project: &str, at_ms: i64) -> Self {
        let body = assigned(number, issue, project, at_ms);
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let tag = hmac::sign(&key, &body);
        let digits = bowline_net::hex::encode(tag.as_ref());
        Self {
            body,
            signature: format!("sha256={digits}"),
            identifier: format!("delivery-{number}"),
        }
    }

    /// Writes the request into `out`, under another identifier if one is given.
    pub(crate) fn write(&self, target: &Target, identifier: Option<&str>, out: &mut Vec<u8>) {
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\nuser-agent: Atlassian Webhook HTTP Client\r\n\
             content-type: application/json; charset=UTF-8\r\nx-hub-signature: {}\r\n\
             x-atlassian-webhook-identifier: {}\r\nx-atlassian-webhook-retry: 0\r\n\
             content-length: {}\r\n\r\n",
            target.path,
            target.addr,
            self.signature,
            identifier.unwrap_or(&self.identifier),
            self.body.len()
        );
        out.clear();
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(&self.body);
    }
}

/// `jira:issue_updated` as Cloud sends it, filled up to [`BODY_BYTES`] with a field of text.
fn assigned(number: usize, issue: usize, project: &str, at_ms: i64) -> Vec<u8> {
    let mut body = json!({
        "timestamp": at_ms,
        "webhookEvent": "jira:issue_updated",
        "issue_event_type_name": "issue_assigned",
        "user": user("5c5f880629be9642ba529340", "Ada Moreau"),
        "issue": {
            "id": issue.to_string(),
            "self": format!("https://acme.example.com/rest/api/2/issue/{issue}"),
            "key": format!("{project}-{issue}"),
            "fields": {
                "issuetype": {"id": "10001", "name": "Story", "subtask": false},
                "project": {"id": "10000", "key": project, "name": "Engineering",
                    "projectTypeKey": "software"},
                "priority": {"id": "2", "name": "High"},
                "labels": ["checkout"],
                "summary": format!("The cart forgets its vouchers ({issue})"),
                "status": {"id": "10001", "name": "To Do",
                    "statusCategory": {"id": 2, "key": "new", "name": "To Do"}},
                "security": null,
                "assignee": user("5d1c00d1e2a7f30c8b7a1111", "Ben Okafor"),
                "creator": user("5c5f880629be9642ba529340", "Ada Moreau"),
                "reporter": user("5c5f880629be9642ba529340", "Ada Moreau"),
                "created": "2026-02-15T19:01:52.971+0000",
                "updated": "2026-02-15T19:18:01.707+0000",
                "timespent": null, "resolution": null, "fixVersions": [], "components": [],
                "customfield_10016": null, "customfield_10020": null,
                "description": "",
            }
        },
        "changelog": {
            "id": (1_000_000 + number).to_string(),
            "items": [{
                "field": "assignee", "fieldtype": "jira", "fieldId": "assignee",
                "from": null, "fromString": null,
                "to": "5d1c00d1e2a7f30c8b7a1111",
                "toString": format!("{NUMBER_MARK}{number}"),
            }]
        }
    });
    let missing = BODY_BYTES.saturating_sub(body.to_string().len());
    let words = "When the page is loaded again the vouchers are gone. ";
    let text: String = words.chars().cycle().take(missing).collect();
    body["issue"]["fields"]["description"] = Value::String(text);
    body.to_string().into_bytes()
}

fn user(id: &str, name: &str) -> Value {
    let picture = |size: u32| format!("https://avatars.example.com/{id}?s={size}");
    json!({
        "self": format!("https://acme.example.com/rest/api/2/user?accountId={id}"),
        "accountId": id,
        "displayName": name,
        "active": true,
        "timeZone": "Etc/UTC",
        "accountType": "atlassian",
        "avatarUrls": {"48x48": picture(48), "16x16": picture(16)},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_has_its_size_and_a_good_signature() {
        let delivery = Delivery::assigned(123_456, 10_040, BOUND, 1_784_541_190_000);
        assert_eq!(delivery.body.len(), BODY_BYTES);
        let signed =
            bowline_jira::webhook::verify(&[SECRET], &delivery.body, Some(&delivery.signature));
        assert!(signed);
        let read = bowline_jira::webhook::parse(&delivery.body).unwrap();
        assert_eq!(read.issue_id(), Some("10040"));
        let mut request = Vec::new();
        let target = Target::jira(std::net::SocketAddr::from(([127, 0, 0, 1], 1)));
        delivery.write(&target, Some("other"), &mut request);
        let text = String::from_utf8(request).unwrap();
        assert!(
            text.contains("x-atlassian-webhook-identifier: other\r\n"),
            "{text}"
        );
    }
}
