//! Secrets that are given away: codes, sessions, tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Randomness that nobody can guess.
pub trait Entropy: Send + Sync + 'static {
    /// Fills the whole slice.
    fn fill(&self, bytes: &mut [u8]);
}

/// Bytes of a session or a token: 256 bits.
const SECRET_BYTES: usize = 32;

/// Bytes of a code that people may have to type: 80 bits, in four groups of four letters.
const CODE_BYTES: usize = 10;

/// A new secret, in letters that fit cookies and headers.
pub(crate) fn secret(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; SECRET_BYTES];
    entropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A new code for people: `abcd-efgh-ijkl-mnop`, without letters that are taken for others.
pub(crate) fn code(entropy: &dyn Entropy) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; CODE_BYTES];
    entropy.fill(&mut bytes);
    let mut text = String::new();
    let bits = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1));
    for (index, five) in bits.collect::<Vec<u8>>().chunks(5).enumerate() {
        if index > 0 && index % 4 == 0 {
            text.push('-');
        }
        let letter = five
            .iter()
            .fold(0_usize, |letter, bit| letter << 1 | usize::from(*bit));
        text.push(char::from(LETTERS[letter]));
    }
    text
}

/// A code as it was meant, however it was typed.
pub(crate) fn typed(code: &str) -> String {
    let letters: Vec<char> = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|four| four.iter().collect())
        .collect();
    groups.join("-")
}

/// The digest by which a secret is stored: SHA-256, in hexadecimal digits.
pub fn digest(secret: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(secret.as_bytes())
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Are two texts the same? Takes equally long wherever they differ.
pub fn same(given: &str, wanted: &str) -> bool {
    given.as_bytes().ct_eq(wanted.as_bytes()).into()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    /// Counts up: enough to tell one secret from the next.
    pub(crate) struct Counting(AtomicU8);

    impl Counting {
        pub(crate) fn new() -> Self {
            Self(AtomicU8::new(1))
        }
    }

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            let round = self.0.fetch_add(1, Ordering::Relaxed);
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte = round
                    .wrapping_mul(31)
                    .wrapping_add(u8::try_from(index).unwrap());
            }
        }
    }

    #[test]
    fn codes_are_read_however_they_are_typed() {
        let entropy = Counting::new();
        let code = code(&entropy);
        assert_eq!(code.len(), 19, "{code}");
        assert_ne!(code, super::code(&entropy));
        assert_eq!(typed(&code), code);
        assert_eq!(
            typed(&format!(" {} ", code.to_uppercase().replace('-', " "))),
            code
        );
    }

    #[test]
    fn secrets_have_256_bits_and_digests_hide_them() {
        let one = secret(&Counting::new());
        assert_eq!(URL_SAFE_NO_PAD.decode(&one).unwrap().len(), 32);
        // The digest of the empty text is known from the standard.
        assert_eq!(
            digest(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert!(same("a", "a") && !same("a", "b") && !same("a", "aa"));
    }
}
