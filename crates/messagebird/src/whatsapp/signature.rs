//! Who sent this? Meta signs webhooks with the app's secret, and asks once whether an address is
//! ours. Source: Meta, "Webhooks: getting started".

use aws_lc_rs::{constant_time, hmac};
use bowline_net::hex;
use secrecy::{ExposeSecret as _, SecretString};

use crate::provider::{Refusal, SetupCheck, Verified, WebhookCall};

/// The header with the signature, as `sha256=hex`.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// The longest challenge that is given back, in bytes.
const MAX_CHALLENGE_BYTES: usize = 200;

/// Verifies a call under any of the app secrets, in constant time per secret.
pub(crate) fn verify(
    secrets: &[SecretString],
    call: &WebhookCall<'_>,
) -> Result<Verified, Refusal> {
    let secrets: Vec<&[u8]> = secrets
        .iter()
        .map(|secret| secret.expose_secret().as_bytes())
        // The signature of an empty secret must not open the door.
        .filter(|secret| !secret.is_empty())
        .collect();
    if secrets.is_empty() {
        return Err(Refusal::NoKey);
    }
    let given = call
        .headers
        .get(SIGNATURE_HEADER)
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .ok_or(Refusal::NotSigned)?;
    let digits = given.strip_prefix("sha256=").ok_or(Refusal::Algorithm)?;
    let tag = hex::decode(digits).ok_or(Refusal::Unreadable("it is not hexadecimal"))?;
    let fits = |secret: &&[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        hmac::verify(&key, call.raw, &tag).is_ok()
    };
    if secrets.iter().any(fits) {
        Ok(Verified { call_id: None })
    } else {
        Err(Refusal::WrongKey)
    }
}

/// Answers `hub.mode=subscribe&hub.verify_token=…&hub.challenge=…`. Only a challenge of harmless
/// characters is given back, so that our address cannot be made to say anything.
pub(crate) fn setup_check(verify_token: &SecretString, query: &str) -> SetupCheck {
    let mut mode = None;
    let mut token = None;
    let mut challenge = None;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "hub.mode" => mode = Some(value),
            "hub.verify_token" => token = Some(value),
            "hub.challenge" => challenge = Some(value),
            _ => {}
        }
    }
    let wanted = verify_token.expose_secret().as_bytes();
    let token_fits = token.is_some_and(|given| {
        !wanted.is_empty()
            && constant_time::verify_slices_are_equal(given.as_bytes(), wanted).is_ok()
    });
    let harmless = |text: &str| {
        (1..=MAX_CHALLENGE_BYTES).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    match challenge {
        Some(text) if mode.as_deref() == Some("subscribe") && token_fits && harmless(&text) => {
            SetupCheck::Answer(text.into_owned())
        }
        _ => SetupCheck::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowline_net::testing::headers;

    const SECRET: &str = "example-app-secret";
    const BODY: &[u8] = br#"{"object":"whatsapp_business_account"}"#;
    /// Made by an independent implementation.
    const SIGNATURE: &str =
        "sha256=079055b3d804f4ffd188977d66f00495c43e094d47932381ed4074c69cdbdfc2";

    fn check(secrets: &[&str], pairs: &[(&str, &str)], raw: &[u8]) -> Result<(), Refusal> {
        let secrets: Vec<_> = secrets.iter().map(|s| SecretString::from(*s)).collect();
        let call = WebhookCall {
            headers: &headers(pairs),
            public_url: "https://hooks.example.com/hooks/wa/main",
            raw,
            now_unix_s: 0,
        };
        verify(&secrets, &call).map(|_| ())
    }

    #[test]
    fn signatures() {
        let upper = format!("sha256={}", SIGNATURE[7..].to_uppercase());
        let empty = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b""), BODY);
        let empty = format!("sha256={}", hex::encode(empty.as_ref()));
        for (secrets, given, raw, want) in [
            (&[SECRET][..], SIGNATURE, BODY, Ok(())),
            (&["old", SECRET][..], SIGNATURE, BODY, Ok(())),
            (&[SECRET][..], upper.as_str(), BODY, Ok(())),
            (&["old"][..], SIGNATURE, BODY, Err(Refusal::WrongKey)),
            (&[SECRET][..], SIGNATURE, b"{}", Err(Refusal::WrongKey)),
            (
                &[SECRET][..],
                &SIGNATURE[..40],
                BODY,
                Err(Refusal::Unreadable("it is not hexadecimal")),
            ),
            (&[SECRET][..], "sha256=", BODY, Err(Refusal::WrongKey)),
            (&[SECRET][..], "", BODY, Err(Refusal::NotSigned)),
            (
                &[SECRET][..],
                &SIGNATURE[7..],
                BODY,
                Err(Refusal::Algorithm),
            ),
            (&[SECRET][..], "sha1=00", BODY, Err(Refusal::Algorithm)),
            (&[][..], SIGNATURE, BODY, Err(Refusal::NoKey)),
            (&[""][..], empty.as_str(), BODY, Err(Refusal::NoKey)),
        ] {
            let found = check(secrets, &[("X-Hub-Signature-256", given)], raw);
            assert_eq!(found, want, "{secrets:?} {given}");
        }
        assert_eq!(check(&[SECRET], &[], BODY), Err(Refusal::NotSigned));
    }

    #[test]
    fn the_challenge_is_given_back_for_the_right_token_only() {
        let long = format!(
            "hub.mode=subscribe&hub.verify_token=t+1&hub.challenge={}",
            "1".repeat(201)
        );
        for (token, query, want) in [
            (
                "t 1",
                "hub.mode=subscribe&hub.verify_token=t%201&hub.challenge=1158201444",
                Some("1158201444"),
            ),
            (
                "t 1",
                "hub.challenge=1158201444&hub.verify_token=t+1&hub.mode=subscribe",
                Some("1158201444"),
            ),
            (
                "t 1",
                "hub.mode=subscribe&hub.verify_token=t2&hub.challenge=1",
                None,
            ),
            ("t 1", "hub.mode=subscribe&hub.challenge=1", None),
            (
                "t 1",
                "hub.mode=unsubscribe&hub.verify_token=t+1&hub.challenge=1",
                None,
            ),
            ("t 1", "hub.mode=subscribe&hub.verify_token=t+1", None),
            (
                "t 1",
                "hub.mode=subscribe&hub.verify_token=t+1&hub.challenge=%3Cscript%3E",
                None,
            ),
            ("t 1", long.as_str(), None),
            (
                "",
                "hub.mode=subscribe&hub.verify_token=&hub.challenge=1",
                None,
            ),
            ("t 1", "", None),
        ] {
            let found = setup_check(&SecretString::from(token), query);
            let want = want.map_or(SetupCheck::Refused, |text| {
                SetupCheck::Answer(text.to_owned())
            });
            assert_eq!(found, want, "{query}");
        }
    }
}
