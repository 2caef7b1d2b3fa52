//! Who sent this? MessageBird signs webhooks with a JWT, and in an older way with an HMAC.
//! Source: "Verifying HTTP requests" of its API reference, and its client libraries.

use aws_lc_rs::{constant_time, digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64_URL};
use bowline_net::hex;
use bowline_net::json::{at, filled, text};
use http::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::provider::{CallId, Refusal, Verified, WebhookCall};

/// The header with the JWT.
pub const JWT_HEADER: &str = "messagebird-signature-jwt";
/// The header with the older signature.
pub const HMAC_HEADER: &str = "messagebird-signature";
/// The header with the time of the older signature, in Unix seconds.
pub const HMAC_TIME_HEADER: &str = "messagebird-request-timestamp";

/// Who issues the tokens.
const ISSUER: &str = "MessageBird";
/// How far the two clocks may be apart, in seconds. The vendor's libraries allow 1 to 5.
const SKEW_S: i64 = 5;
/// How old a call with the older signature may be, in seconds. The vendor's libraries allow 2.5
/// to 100; most of them 10.
const HMAC_FRESHNESS_S: i64 = 10;

/// Verifies a call under any of the keys: several may be live while one is changed. The JWT is
/// taken where there is one, else the older signature.
pub(crate) fn verify(keys: &[SecretString], call: &WebhookCall<'_>) -> Result<Verified, Refusal> {
    let keys: Vec<&[u8]> = keys
        .iter()
        .map(|key| key.expose_secret().as_bytes())
        // The signature of an empty key must not open the door.
        .filter(|key| !key.is_empty())
        .collect();
    if keys.is_empty() {
        return Err(Refusal::NoKey);
    }
    if let Some(token) = header(call.headers, JWT_HEADER) {
        return jwt(&keys, token, call);
    }
    match header(call.headers, HMAC_HEADER) {
        Some(signature) => older(&keys, signature, call),
        None => Err(Refusal::NotSigned),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    Some(value).filter(|value| !value.is_empty())
}

fn jwt(keys: &[&[u8]], token: &str, call: &WebhookCall<'_>) -> Result<Verified, Refusal> {
    let (signed, tag) = token
        .rsplit_once('.')
        .ok_or(Refusal::Unreadable("it is no token"))?;
    let (head, claims) = signed
        .split_once('.')
        .filter(|(_, claims)| !claims.contains('.'))
        .ok_or(Refusal::Unreadable("it is no token"))?;
    let algorithm = algorithm(&part(head)?)?;
    let tag = BASE64_URL
        .decode(tag)
        .map_err(|_| Refusal::Unreadable("its last part is not base64"))?;
    if !signed_by_any(keys, algorithm, signed.as_bytes(), &tag) {
        return Err(Refusal::WrongKey);
    }
    check_claims(&part(claims)?, call)
}

/// A part of a token, as JSON.
fn part(text: &str) -> Result<Value, Refusal> {
    BASE64_URL
        .decode(text)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .filter(Value::is_object)
        .ok_or(Refusal::Unreadable("a part of the token is not JSON"))
}

/// Only the three that prove knowledge of the key. `none` and everything else prove nothing.
fn algorithm(head: &Value) -> Result<hmac::Algorithm, Refusal> {
    match head.get("alg").and_then(Value::as_str) {
        // A header that has to be understood and is not.
        _ if head.get("crit").is_some() => Err(Refusal::Algorithm),
        Some("HS256") => Ok(hmac::HMAC_SHA256),
        Some("HS384") => Ok(hmac::HMAC_SHA384),
        Some("HS512") => Ok(hmac::HMAC_SHA512),
        _ => Err(Refusal::Algorithm),
    }
}

fn signed_by_any(keys: &[&[u8]], algorithm: hmac::Algorithm, data: &[u8], tag: &[u8]) -> bool {
    keys.iter()
        .any(|key| hmac::verify(&hmac::Key::new(algorithm, key), data, tag).is_ok())
}

fn check_claims(claims: &Value, call: &WebhookCall<'_>) -> Result<Verified, Refusal> {
    if text(claims, "iss").as_deref() != Some(ISSUER) {
        return Err(Refusal::WrongIssuer);
    }
    let instant = |name| seconds(at(claims, &[name]));
    let not_before = instant("nbf").ok_or(Refusal::Unreadable("it lacks nbf"))?;
    let expires = instant("exp").ok_or(Refusal::Unreadable("it lacks exp"))?;
    if call.now_unix_s.saturating_add(SKEW_S) < not_before {
        return Err(Refusal::TooEarly);
    }
    let until_unix_s = expires.saturating_add(SKEW_S);
    if call.now_unix_s > until_unix_s {
        return Err(Refusal::Expired);
    }
    if !is_hash_of(claims, "url_hash", call.public_url.as_bytes()) {
        return Err(Refusal::WrongUrl);
    }
    let body_fits = if call.raw.is_empty() {
        at(claims, &["payload_hash"]).is_null()
    } else {
        is_hash_of(claims, "payload_hash", call.raw)
    };
    if !body_fits {
        return Err(Refusal::WrongBody);
    }
    let call_id = filled(claims, "jti").map(|id| CallId { id, until_unix_s });
    Ok(Verified { call_id })
}

/// An instant in a token: seconds, which may have a fraction.
fn seconds(value: &Value) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast from f64 saturates, and an instant at the end of i64 is refused"
    )]
    value
        .as_i64()
        .or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64))
}

fn is_hash_of(claims: &Value, name: &str, data: &[u8]) -> bool {
    let given = claims
        .get(name)
        .and_then(Value::as_str)
        .and_then(hex::decode);
    let own = digest::digest(&digest::SHA256, data);
    given.is_some_and(|given| constant_time::verify_slices_are_equal(&given, own.as_ref()).is_ok())
}

/// The older scheme: base64 of HMAC-SHA256 over time, sorted query and the hash of the body.
fn older(keys: &[&[u8]], signature: &str, call: &WebhookCall<'_>) -> Result<Verified, Refusal> {
    let time = header(call.headers, HMAC_TIME_HEADER)
        .ok_or(Refusal::Unreadable("there is no timestamp beside it"))?;
    let at_unix_s: i64 = time
        .parse()
        .map_err(|_| Refusal::Unreadable("its timestamp is no number"))?;
    let tag = BASE64
        .decode(signature)
        .map_err(|_| Refusal::Unreadable("it is not base64"))?;
    let hash = digest::digest(&digest::SHA256, call.raw);
    let mut data = format!("{time}\n{}\n", sorted_query(call.public_url)).into_bytes();
    data.extend_from_slice(hash.as_ref());
    if !signed_by_any(keys, hmac::HMAC_SHA256, &data, &tag) {
        return Err(Refusal::WrongKey);
    }
    let age_s = call.now_unix_s.saturating_sub(at_unix_s);
    if age_s > HMAC_FRESHNESS_S {
        return Err(Refusal::Expired);
    }
    if age_s < -HMAC_FRESHNESS_S {
        return Err(Refusal::TooEarly);
    }
    Ok(Verified { call_id: None })
}

/// The query of an address with its pairs in the order of their names.
fn sorted_query(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_by_key(|pair| pair.split('=').next());
    pairs.join("&")
}

#[cfg(test)]
mod tests;
