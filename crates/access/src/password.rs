//! Passwords: which are taken, and how they are kept.

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::{Access, AccessError};

/// The shortest password that is taken, in letters.
pub const PASSWORD_LETTERS_MIN: usize = 12;

/// The longest one, in bytes: hashing takes time, and nobody types more.
const PASSWORD_BYTES_MAX: usize = 512;

/// Bytes of a password's salt.
const SALT_BYTES: usize = 16;

/// Passwords that everyone tries first, of the length that is taken.
const KNOWN: [&str; 12] = [
    "password1234",
    "passwordpassword",
    "123456789012",
    "1234567890123",
    "12345678901234",
    "qwertyuiop12",
    "qwertyuiopasdf",
    "letmeinletmein",
    "administrator",
    "adminadminadmin",
    "iloveyouiloveyou",
    "changemechangeme",
];

/// What hashing costs.
#[derive(Clone, Copy, Debug)]
pub enum Cost {
    /// As recommended for argon2id: 19 MiB, two passes.
    Full,
    /// As little as possible, for tests.
    Least,
}

impl Cost {
    fn hasher(self) -> Result<Argon2<'static>, AccessError> {
        let (memory_kib, passes) = match self {
            Self::Full => (19 * 1_024, 2),
            Self::Least => (8, 1),
        };
        let params = Params::new(memory_kib, passes, 1, None)
            .map_err(|error| AccessError::Hashing(error.to_string()))?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Too short.
    #[error("It is too short. Use at least {PASSWORD_LETTERS_MIN} letters; a few words do well.")]
    Short,
    /// Too long.
    #[error("It is longer than {PASSWORD_BYTES_MAX} bytes.")]
    Long,
    /// Everyone tries it first.
    #[error("It is one of those that everyone tries first. Use a few words of your own.")]
    Known,
    /// It is the person's own name or address.
    #[error("It is your own name or e-mail address. Use a few words that nobody expects.")]
    Own,
}

/// Looks at a password that someone chose.
pub(crate) fn check(password: &str, email: &str, name: &str) -> Result<(), PasswordFault> {
    let lower = password.to_lowercase();
    let mut letters: Vec<char> = lower.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    if password.chars().count() < PASSWORD_LETTERS_MIN {
        Err(PasswordFault::Short)
    } else if password.len() > PASSWORD_BYTES_MAX {
        Err(PasswordFault::Long)
    } else if lower == email.to_lowercase() || lower == name.to_lowercase() {
        Err(PasswordFault::Own)
    } else if KNOWN.contains(&lower.as_str()) || letters.len() < 3 {
        Err(PasswordFault::Known)
    } else {
        Ok(())
    }
}

impl Access {
    /// The hash of a password, with a salt of its own.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, AccessError> {
        let mut salt = [0; SALT_BYTES];
        self.inner.entropy.fill(&mut salt);
        let (cost, password) = (self.inner.cost, password.to_owned());
        self.hashing(move || {
            cost.hasher()?
                .hash_password_with_salt(password.as_bytes(), &salt)
                .map(|hash| hash.to_string())
                .map_err(|error| AccessError::Hashing(error.to_string()))
        })
        .await
    }

    /// Does the password have this hash? Without a hash it takes as long, and the answer is no.
    pub(crate) async fn verify(
        &self,
        password: &str,
        hash: Option<String>,
    ) -> Result<bool, AccessError> {
        if password.len() > PASSWORD_BYTES_MAX {
            return Ok(false);
        }
        let Some(hash) = hash else {
            return self.hash(password).await.map(|_| false);
        };
        let (cost, password) = (self.inner.cost, password.to_owned());
        self.hashing(move || {
            let verified = cost.hasher()?.verify_password(password.as_bytes(), &*hash);
            Ok(verified.is_ok())
        })
        .await
    }

    /// Runs what takes a core for a while beside the requests, a few at once.
    async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, AccessError> + Send + 'static,
    ) -> Result<T, AccessError> {
        let stopped = |_| AccessError::Hashing("the service is stopping".to_owned());
        let _turn = self.inner.hashing.acquire().await.map_err(stopped)?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| AccessError::Hashing(error.to_string()))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_refused_with_the_reason() {
        let check = |password: &str| check(password, "ana.long.name@example.com", "Ana Long Name");
        for (password, wanted) in [
            ("", Err(PasswordFault::Short)),
            ("short one", Err(PasswordFault::Short)),
            ("elf letters", Err(PasswordFault::Short)),
            ("zwölf Zeichen", Ok(())),
            ("Password1234", Err(PasswordFault::Known)),
            ("aaaaaaaaaaaaaa", Err(PasswordFault::Known)),
            ("Ana.Long.Name@example.com", Err(PasswordFault::Own)),
            ("ana long name", Err(PasswordFault::Own)),
            ("four little words here", Ok(())),
        ] {
            assert_eq!(check(password), wanted, "{password}");
        }
        assert_eq!(check(&"ab c".repeat(129)), Err(PasswordFault::Long));
    }

    #[test]
    fn the_full_cost_is_argon2id_as_recommended() {
        let hash = Cost::Full
            .hasher()
            .unwrap()
            .hash_password_with_salt(b"four little words here", b"0123456789abcdef")
            .unwrap()
            .to_string();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
    }
}
