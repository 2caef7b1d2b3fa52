//! Signatures computed by hand, apart from the code that signs.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

const BLOCK: usize = 64;

fn hash(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    hash(&[bytes])
}

/// RFC 2104 over SHA-256.
pub(crate) fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = if key.len() > BLOCK {
        sha256(key)
    } else {
        key.to_vec()
    };
    block.resize(BLOCK, 0);
    let pad = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    hash(&[&pad(0x5c), &hash(&[&pad(0x36), message])])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// Base 64 in either alphabet, padded or not.
pub(crate) fn from_base64(text: &str) -> Vec<u8> {
    let sixes = text.bytes().filter(|c| *c != b'=').map(|c| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' | b'-' => 62,
        _ => 63,
    });
    let bits: Vec<bool> = sixes
        .flat_map(|six| (0..6).rev().map(move |bit| six >> bit & 1 == 1))
        .collect();
    bits.chunks_exact(8)
        .map(|byte| {
            byte.iter()
                .fold(0, |value, bit| value << 1 | u8::from(*bit))
        })
        .collect()
}

/// The claims of a JWT that is signed with HS256 by this key; nothing if it is not.
pub(crate) fn jwt_claims(token: &str, key: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let header: Value = serde_json::from_slice(&from_base64(header)).ok()?;
    let right = hmac(key.as_bytes(), signed.as_bytes()) == from_base64(signature);
    (header["alg"] == "HS256" && right)
        .then(|| serde_json::from_slice(&from_base64(claims)).ok())
        .flatten()
}

/// MessageBird's deprecated signature.
pub(crate) fn deprecated(key: &str, timestamp: &str, sorted_query: &str, body: &[u8]) -> Vec<u8> {
    let mut signed = format!("{timestamp}\n{sorted_query}\n").into_bytes();
    signed.extend(sha256(body));
    hmac(key.as_bytes(), &signed)
}

#[test]
fn the_hand_made_signatures_agree_with_the_vendor() {
    // From the vendor's own test data.
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiI1OWEyNDRkYy1lOWFkLTRlMjMtOTc3OC0zNzFmYWEyMzhmNzIiLCJ1cmxfaGFzaCI6IjBmMTE1ZGIwNjJiN2MwZGQwMzBiMTY4NzhjOTlkZWE1YzM1NGI0OWRjMzdiMzhlYjg4NDYxNzljNzc4M2U5ZDcifQ.6Fp0rVOsRr1fj9S2GidXAfkmPVofKr8_RTffC6G6r2E";
    let key = "36efdd1aace2e26cd490f0d951138253bef2f7c6d34d18981da781555cc4cebb";
    let claims = jwt_claims(token, key).unwrap();
    assert_eq!(claims["url_hash"], hex(&sha256(b"https://example.com/")));
    assert!(jwt_claims(token, "another key").is_none());
    for (query, body, expected) in [
        ("", "", "LISw4Je7n0/MkYDgVSzTJm8dW6BkytKTXMZZk1IElMs="),
        (
            "",
            "{\"a key\":\"some value\"}",
            "p2e20OtAg39DEmz1ORHpjQ556U4o1ZaH4NWbM9Q8Qjk=",
        ),
        (
            "abc=foo&def=bar",
            "",
            "Tfn+nRUBsn6lQgf6IpxBMS1j9lm7XsGjt5xh47M3jCk=",
        ),
    ] {
        let made = deprecated("secret", "1544544948", query, body.as_bytes());
        assert_eq!(made, from_base64(expected), "{query} {body}");
    }
}
