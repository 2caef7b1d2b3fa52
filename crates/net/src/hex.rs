//! Hexadecimal, as signature headers carry it.

/// The bytes of a string of hexadecimal digits in either case; `None` for anything else.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?))
        .collect()
}

/// Lower-case hexadecimal digits.
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS[usize::from(n & 0xf)]);
    bytes
        .iter()
        .flat_map(|b| [digit(b >> 4), digit(*b)])
        .collect()
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_bytes_of_hex_digits() {
        for (text, want) in [
            ("", Some(vec![])),
            ("00fFA9", Some(vec![0, 255, 169])),
            ("0", None),
            ("0g", None),
            ("éé", None),
        ] {
            assert_eq!(decode(text), want, "{text}");
            if let Some(bytes) = want {
                assert_eq!(encode(&bytes), text.to_lowercase());
            }
        }
    }
}
