//! Who sent this?

use aws_lc_rs::hmac;
use bowline_net::hex;

/// The header that carries the signature, as `method=hex`.
pub const SIGNATURE_HEADER: &str = "x-hub-signature";

/// Verifies `X-Hub-Signature` over the raw body, in constant time per secret.
///
/// The method is read from the header: `sha256` is what Jira signs with today, `sha384` and
/// `sha512` are taken as well; anything weaker or unknown verifies nothing. Several secrets may
/// be live while one is changed. An empty secret verifies nothing.
pub fn verify(secrets: &[&str], raw: &[u8], header: Option<&str>) -> bool {
    let Some((method, digits)) = header.and_then(|h| h.trim().split_once('=')) else {
        return false;
    };
    let algorithm = match method.to_ascii_lowercase().as_str() {
        "sha256" => hmac::HMAC_SHA256,
        "sha384" => hmac::HMAC_SHA384,
        "sha512" => hmac::HMAC_SHA512,
        _ => return false,
    };
    let Some(tag) = hex::decode(digits) else {
        return false;
    };
    secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .any(|secret| {
            let key = hmac::Key::new(algorithm, secret.as_bytes());
            hmac::verify(&key, raw, &tag).is_ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello World!";
    const HEADER: &str = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9";

    #[test]
    fn signatures() {
        let digits = &HEADER[7..];
        let as_method = |method: &str| format!("{method}={digits}");
        for (secrets, header, want) in [
            (&[SECRET][..], Some(HEADER.to_owned()), true),
            (&["old", SECRET][..], Some(HEADER.to_owned()), true),
            (&[SECRET, "new"][..], Some(HEADER.to_owned()), true),
            (
                &[SECRET][..],
                Some(format!(" {}", HEADER.to_uppercase())),
                true,
            ),
            (&["old"][..], Some(HEADER.to_owned()), false),
            (&[][..], Some(HEADER.to_owned()), false),
            (&[""][..], Some(HEADER.to_owned()), false),
            (&[SECRET][..], None, false),
            (&[SECRET][..], Some(String::new()), false),
            (&[SECRET][..], Some("sha256=".to_owned()), false),
            (&[SECRET][..], Some(digits.to_owned()), false),
            (&[SECRET][..], Some(as_method("sha1")), false),
            (&[SECRET][..], Some(as_method("md5")), false),
            (&[SECRET][..], Some(as_method("sha512")), false),
            (
                &[SECRET][..],
                Some(HEADER[..HEADER.len() - 2].to_owned()),
                false,
            ),
            (&[SECRET][..], Some(HEADER.replace('a', "b")), false),
        ] {
            assert_eq!(
                verify(secrets, BODY, header.as_deref()),
                want,
                "{secrets:?} {header:?}"
            );
        }
        assert!(!verify(&[SECRET], b"Hello World", Some(HEADER)));
    }

    /// The signature of an empty message with an empty key must not open the door.
    #[test]
    fn an_empty_secret_never_verifies() {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b""), BODY);
        let digits = hex::encode(tag.as_ref());
        assert!(!verify(&["", ""], BODY, Some(&format!("sha256={digits}"))));
    }

    #[test]
    fn stronger_methods_are_taken() {
        for (method, algorithm) in [("sha384", hmac::HMAC_SHA384), ("sha512", hmac::HMAC_SHA512)] {
            let tag = hmac::sign(&hmac::Key::new(algorithm, SECRET.as_bytes()), BODY);
            let digits = hex::encode(tag.as_ref());
            assert!(
                verify(&[SECRET], BODY, Some(&format!("{method}={digits}"))),
                "{method}"
            );
        }
    }
}
