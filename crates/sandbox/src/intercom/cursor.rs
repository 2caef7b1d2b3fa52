//! Cursors of lists and searches: opaque, in base64 with padding, so that a client which does not
//! encode them for a URL is found out.

use http::StatusCode;
use serde_json::Value;

use super::error::ApiError;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Where the next page begins: after this key, as page number so-and-so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Last key of the page before.
    pub(crate) after: u64,
    /// Number of the page it leads to, from 2.
    pub(crate) page: usize,
}

impl Cursor {
    /// The opaque text.
    pub(crate) fn encode(self) -> String {
        encode(format!("[{},{}]", self.after, self.page).as_bytes())
    }

    /// Reads the opaque text.
    ///
    /// # Errors
    /// 400 for a text that [`Cursor::encode`] did not make.
    pub(crate) fn decode(text: &str) -> Result<Self, ApiError> {
        let invalid = || {
            let message = "Invalid starting_after param. Please try again using a starting_after \
                           value from a paginated response";
            ApiError::new(StatusCode::BAD_REQUEST, "client_error", message)
        };
        let json: Value =
            serde_json::from_slice(&decode(text).ok_or_else(invalid)?).map_err(|_| invalid())?;
        let number = |index: usize| json.get(index).and_then(Value::as_u64).ok_or_else(invalid);
        let page = usize::try_from(number(1)?).map_err(|_| invalid())?;
        Ok(Self {
            after: number(0)?,
            page,
        })
    }
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            if position > chunk.len() {
                text.push('=');
            } else {
                let index = (bits >> (18 - 6 * position)) & 63;
                text.push(char::from(ALPHABET[index as usize]));
            }
        }
    }
    text
}

/// Decodes padded base64; `None` for anything else.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(4) {
        return None;
    }
    let body = text.trim_end_matches('=').as_bytes();
    if bytes.len() - body.len() > 2 {
        return None;
    }
    let (mut bits, mut held, mut out) = (0u32, 0u32, Vec::with_capacity(body.len() * 3 / 4));
    for byte in body {
        let value = ALPHABET.iter().position(|letter| letter == byte)?;
        bits = (bits << 6) | u32::try_from(value).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 255).ok()?);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_refusal() {
        for cursor in [
            Cursor { after: 1, page: 2 },
            Cursor {
                after: u64::MAX,
                page: 99,
            },
        ] {
            assert_eq!(Cursor::decode(&cursor.encode()), Ok(cursor));
        }
        assert_eq!(encode(b"a"), "YQ==");
        for bad in ["", "x", "AAAA", "!!!!", "W10=", "===="] {
            assert!(Cursor::decode(bad).is_err(), "{bad}");
        }
    }
}
