//! Tokens by which a page that frames the issue panel says who looks at it.
//!
//! A token is a JWT signed with HS256 (RFC 7515, 7519) and a secret that the two sides share. It
//! speaks of one person and one issue, and lives for minutes. No other algorithm is taken, whatever
//! the token says.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bowline_domain::time::Millis;
use serde::Deserialize;

use crate::permission::Who;
use crate::tokens::Scope;

/// The longest life of a token, in seconds.
pub const FRAME_TOKEN_SECONDS_MAX: i64 = 15 * 60;

/// How far the other side's clock may be ahead, in seconds.
const CLOCKS_DIFFER_S: i64 = 60;

/// The longest token that is read, in bytes.
const TOKEN_BYTES_MAX: usize = 4 * 1_024;

/// The audience that a token must name.
const AUDIENCE: &str = "bowline-panel";

/// Letters of a name that are kept.
const NAME_LETTERS_MAX: usize = 200;

/// What tokens are signed with. Does not print.
#[derive(Clone)]
pub struct FrameKey(hmac::Key);

impl FrameKey {
    /// Of the secret that the two sides share.
    pub fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameToken {
    /// The name of the site.
    pub site: String,
    /// The numeric id of the issue: a key may change.
    pub issue: String,
    /// Who looks, and what they may do there.
    pub guest: (String, Vec<Scope>),
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameRefusal {
    /// It is no token of ours.
    #[error("the token is not signed as it must be")]
    NotOurs,
    /// It ended, or does not hold yet.
    #[error("the token has ended")]
    Ended,
    /// It would live too long.
    #[error("the token lives longer than a token may")]
    TooLong,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    sub: String,
    site: String,
    issue: String,
    /// What they may do: words of [`Scope`].
    may: Vec<String>,
    iat: i64,
    exp: i64,
}

impl FrameToken {
    /// Reads a token.
    ///
    /// # Errors
    /// It is not signed with this key, not for this use, or not of this time.
    pub fn read(token: &str, key: &FrameKey, now: Millis) -> Result<Self, FrameRefusal> {
        let claims = signed(token, key).ok_or(FrameRefusal::NotOurs)?;
        let name: String = claims.sub.trim().chars().take(NAME_LETTERS_MAX).collect();
        if claims.aud != AUDIENCE || name.is_empty() {
            return Err(FrameRefusal::NotOurs);
        }
        if claims.exp.saturating_sub(claims.iat) > FRAME_TOKEN_SECONDS_MAX {
            return Err(FrameRefusal::TooLong);
        }
        let now_s = now.0.div_euclid(1_000);
        if claims.exp <= now_s || claims.iat > now_s + CLOCKS_DIFFER_S {
            return Err(FrameRefusal::Ended);
        }
        let scopes = claims.may.iter().filter_map(|word| Scope::from_word(word));
        Ok(Self {
            site: claims.site,
            issue: claims.issue,
            guest: (name, scopes.collect()),
        })
    }

    /// Who looks.
    pub fn who(&self) -> Who {
        let (name, scopes) = self.guest.clone();
        Who::Guest { name, scopes }
    }
}

fn signed(token: &str, key: &FrameKey) -> Option<Claims> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let (signing, signature) = token.rsplit_once('.')?;
    let (header, claims) = signing.split_once('.')?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
    if header.alg != "HS256" {
        return None;
    }
    hmac::verify(&key.0, signing.as_bytes(), &decode(signature)?).ok()?;
    serde_json::from_slice(&decode(claims)?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const NOW: Millis = Millis(1_764_000_000_000);

    fn token(header: &Value, claims: &Value, secret: &str) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signing = format!("{}.{}", part(header), part(claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signing.as_bytes()));
        format!("{signing}.{signature}")
    }

    fn claims() -> Value {
        json!({ "aud": "bowline-panel", "sub": "lena@example.com", "site": "acme-jira",
            "issue": "10001", "may": ["read", "notes", "everything"],
            "iat": 1_764_000_000, "exp": 1_764_000_300 })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    #[test]
    fn a_token_says_who_looks_at_which_issue() {
        let header = json!({ "alg": "HS256", "typ": "JWT" });
        let read = FrameToken::read(
            &token(&header, &claims(), SECRET),
            &FrameKey::new(SECRET),
            NOW,
        )
        .unwrap();
        assert_eq!(
            (read.site.as_str(), read.issue.as_str()),
            ("acme-jira", "10001")
        );
        let (name, scopes) = read.guest;
        assert_eq!(
            (name.as_str(), scopes),
            ("lena@example.com", vec![Scope::Read, Scope::Notes])
        );
    }

    #[test]
    fn a_token_that_others_made_elsewhere_signed_is_read() {
        // The example of RFC 7515, A.1, whose key and signature the standard gives: signed
        // correctly, and not for this use.
        let key = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let example = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4\
            MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_\
            wW1gFWFOEjXk";
        let (signing, signature) = example.rsplit_once('.').unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(hmac::verify(&key, signing.as_bytes(), &signature).is_ok());
    }

    #[test]
    fn anything_else_is_refused() {
        let hs = json!({ "alg": "HS256" });
        let ours = token(&hs, &claims(), SECRET);
        let other = "another secret that is long enough!!";
        let unsigned = format!("{}.", ours.rsplit_once('.').unwrap().0);
        let none = token(&json!({ "alg": "none" }), &claims(), SECRET);
        for (given, wanted) in [
            (token(&hs, &claims(), other), FrameRefusal::NotOurs),
            (unsigned, FrameRefusal::NotOurs),
            (none, FrameRefusal::NotOurs),
            (format!("{ours}A"), FrameRefusal::NotOurs),
            (String::new(), FrameRefusal::NotOurs),
            ("a.b.c".repeat(2_000), FrameRefusal::NotOurs),
            (
                token(&hs, &with("aud", json!("other")), SECRET),
                FrameRefusal::NotOurs,
            ),
            (
                token(&hs, &with("sub", json!(" ")), SECRET),
                FrameRefusal::NotOurs,
            ),
            (
                token(&hs, &with("exp", json!(1_764_000_000)), SECRET),
                FrameRefusal::Ended,
            ),
            (
                token(&hs, &with("iat", json!(1_764_000_100)), SECRET),
                FrameRefusal::Ended,
            ),
            (
                token(&hs, &with("exp", json!(1_764_009_999)), SECRET),
                FrameRefusal::TooLong,
            ),
        ] {
            assert_eq!(
                FrameToken::read(&given, &FrameKey::new(SECRET), NOW),
                Err(wanted),
                "{given}"
            );
        }
    }
}
