//! Who sent this? Both signatures are an HMAC of the raw body with the app's client secret.

use aws_lc_rs::hmac;
use bowline_net::hex;

/// Verifies `X-Hub-Signature: sha1=<40 hex>` of a webhook in constant time.
///
/// SHA-1 is what Intercom signs with; there is no stronger choice. An empty secret verifies
/// nothing.
pub(crate) fn verify_hub(secret: &str, raw: &[u8], header: Option<&str>) -> bool {
    let given = header.and_then(|h| h.trim().strip_prefix("sha1="));
    verify(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret, raw, given)
}

/// Verifies `X-Body-Signature: <64 hex>` of a Canvas Kit request in constant time.
pub fn verify_canvas(secret: &str, raw: &[u8], header: Option<&str>) -> bool {
    verify(hmac::HMAC_SHA256, secret, raw, header.map(str::trim))
}

fn verify(algorithm: hmac::Algorithm, secret: &str, raw: &[u8], given: Option<&str>) -> bool {
    let Some(tag) = given.and_then(hex::decode) else {
        return false;
    };
    if secret.is_empty() {
        return false;
    }
    let key = hmac::Key::new(algorithm, secret.as_bytes());
    hmac::verify(&key, raw, &tag).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "test_client_secret";
    const BODY: &[u8] = br#"{"type":"notification_event","topic":"ping","id":"notif_1","app_id":"abc123","data":{"type":"notification_event_data","item":{"type":"ping","message":"hi"}}}"#;
    const HUB: &str = "sha1=797b3c5ab9d407c49ffee58dc07cfcdd4b5c271c";
    const CANVAS: &str = "db1e5dcb63d71212c97c82bf90c7c32fb66e007b27ea366b261c758cd0f06083";

    #[test]
    fn webhook_signatures() {
        let upper = HUB.to_uppercase().replace("SHA1", "sha1");
        for (secret, header, want) in [
            (SECRET, Some(HUB), true),
            (SECRET, Some(upper.as_str()), true),
            (SECRET, None, false),
            (SECRET, Some(""), false),
            (SECRET, Some("sha1="), false),
            (SECRET, Some(&HUB[5..]), false),
            (SECRET, Some(&HUB[..HUB.len() - 2]), false),
            (
                SECRET,
                Some("sha1=797b3c5ab9d407c49ffee58dc07cfcdd4b5c271d"),
                false,
            ),
            (
                SECRET,
                Some("sha256=797b3c5ab9d407c49ffee58dc07cfcdd4b5c271c"),
                false,
            ),
            ("other", Some(HUB), false),
            ("", Some(HUB), false),
        ] {
            assert_eq!(
                verify_hub(secret, BODY, header),
                want,
                "{secret} {header:?}"
            );
        }
        assert!(!verify_hub(SECRET, &BODY[1..], Some(HUB)));
    }

    #[test]
    fn canvas_signatures() {
        assert!(verify_canvas(SECRET, BODY, Some(CANVAS)));
        assert!(!verify_canvas(SECRET, b"{}", Some(CANVAS)));
        assert!(!verify_canvas(SECRET, BODY, Some(&CANVAS[..40])));
        assert!(!verify_canvas("", BODY, Some(CANVAS)));
        assert!(!verify_canvas(SECRET, BODY, None));
    }
}
