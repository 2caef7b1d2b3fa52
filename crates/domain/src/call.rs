//! One call to a remote system as it is kept of an attempt, for people: bounded, without secrets.

use serde::{Deserialize, Serialize};

/// One call of an attempt. Stored as JSON: changed additively.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The method.
    pub method: String,
    /// The path, with the query but for what is secret in it.
    pub path: String,
    /// What was sent, or its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The status of the answer; `None` if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What the answer's headers said of pace, and what the call is called at the provider's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// What was answered, or its beginning. Of a call that succeeded only its length is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// How long the whole answer was, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_bytes: Option<u64>,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How long it took, in milliseconds.
    #[serde(default)]
    pub took_ms: u64,
}

/// Reads calls as they are stored. What cannot be read is none: it is only for people.
pub fn read(stored: Option<&str>) -> Vec<Call> {
    let read = stored.map(serde_json::from_str);
    read.and_then(Result::ok).unwrap_or_default()
}
