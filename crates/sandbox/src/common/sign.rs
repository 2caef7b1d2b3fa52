//! Signatures of webhook bodies.

use std::fmt::Write as _;

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Lower-case hex of HMAC-SHA1, as Intercom signs its notifications.
pub fn hmac_sha1_hex(secret: &str, body: &[u8]) -> String {
    tag_hex(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret, body)
}

/// Lower-case hex of HMAC-SHA256, as Jira and Meta sign their webhooks and Intercom its inbox-app
/// calls.
pub fn hmac_sha256_hex(secret: &str, body: &[u8]) -> String {
    tag_hex(hmac::HMAC_SHA256, secret, body)
}

/// Lower-case hex of SHA-256.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Standard base64 of SHA-256, as Meta names a file's checksum in a webhook.
pub fn sha256_base64(bytes: &[u8]) -> String {
    STANDARD.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// A JWT with these claims, signed with HS256.
pub fn jwt_hs256(secret: &str, claims: &serde_json::Value) -> String {
    let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!(
        "{header}.{}",
        URL_SAFE_NO_PAD.encode(claims.to_string().as_bytes())
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

/// MessageBird's deprecated signature: base64 of HMAC-SHA256 over the timestamp, the sorted query
/// and the raw SHA-256 of the body.
pub fn messagebird_hmac(secret: &str, timestamp: &str, sorted_query: &str, body: &[u8]) -> String {
    let mut signed = format!("{timestamp}\n{sorted_query}\n").into_bytes();
    signed.extend_from_slice(digest::digest(&digest::SHA256, body).as_ref());
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, &signed).as_ref())
}

fn tag_hex(algorithm: hmac::Algorithm, secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(algorithm, secret.as_bytes());
    hex(hmac::sign(&key, body).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A random identifier in the form of a version 4 UUID, for request ids and notification ids.
pub fn random_uuid() -> String {
    let bits = fastrand::u128(..);
    let hex = format!("{bits:032x}");
    format!(
        "{}-{}-4{}-a{}-{}",
        &hex[0..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_match_the_reference_vectors() {
        let body = br#"{"type":"notification_event","topic":"ping","id":"notif_1","app_id":"abc123","data":{"type":"notification_event_data","item":{"type":"ping","message":"hi"}}}"#;
        assert_eq!(
            hmac_sha1_hex("test_client_secret", body),
            "797b3c5ab9d407c49ffee58dc07cfcdd4b5c271c"
        );
        assert_eq!(
            hmac_sha256_hex("test_client_secret", body),
            "db1e5dcb63d71212c97c82bf90c7c32fb66e007b27ea366b261c758cd0f06083"
        );
    }

    #[test]
    fn identifiers_look_like_uuids() {
        let id = random_uuid();
        assert_eq!(id.len(), 36, "{id}");
        assert_eq!(id.matches('-').count(), 4, "{id}");
    }
}
