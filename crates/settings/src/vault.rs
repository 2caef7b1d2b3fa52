//! Secrets at rest: sealed with AES-256-GCM, under keys that are not in the database.
//!
//! The key file holds one key a line, `id key`, the present one first. It is read again for every
//! use, which is seldom, so that a key that was rotated elsewhere is in use at once. A sealed text
//! is bound to what it belongs to: moved to another row it does not open.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use bowline_access::{SealedText, Seals};
use secrecy::zeroize::Zeroizing;

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Bytes of a nonce, which stands before the sealed text.
const NONCE_BYTES: usize = 12;

/// Bytes of a key's name: it tells keys apart and is no secret.
const ID_BYTES: usize = 6;

/// What goes wrong with sealed secrets.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file.
    #[error("the key file {path}: {why}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The key is not in the file.
    #[error(
        "the secret is sealed with the key {id}, which is not in the key file {path}. Every process \
         of this database needs the same key file; after a restore, restore the file too"
    )]
    NoKey {
        /// The key's name.
        id: String,
        /// Which file was looked in.
        path: PathBuf,
    },
    /// It does not open with the key.
    #[error("the sealed secret of {of} cannot be opened: it was changed, or belongs elsewhere")]
    Broken {
        /// Whose secret.
        of: String,
    },
}

struct Key {
    id: String,
    bytes: Zeroizing<Vec<u8>>,
}

/// A text that was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The text, sealed.
    pub text: String,
    /// The key that opens it.
    pub key: String,
}

/// Seals and opens.
#[derive(Clone, Debug)]
pub struct Vault {
    path: PathBuf,
}

impl Vault {
    /// With the keys in this file. The file is made when something is sealed for the first time.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where the keys are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Seals a text that belongs to `of`.
    ///
    /// # Errors
    /// The key file cannot be read or made.
    pub fn seal(&self, of: &str, text: &str) -> Result<Sealed, VaultError> {
        let mut keys = self.keys()?;
        if keys.is_empty() {
            keys.push(self.new_key()?);
            self.write(&keys)?;
        }
        let key = &keys[0];
        let broken = |_| VaultError::Broken { of: of.to_owned() };
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, &key.bytes).map_err(broken)?;
        let mut bytes = text.as_bytes().to_vec();
        let nonce = cipher
            .seal_in_place_append_tag(Aad::from(of.as_bytes()), &mut bytes)
            .map_err(broken)?;
        let whole = [&nonce.as_ref()[..], &bytes].concat();
        Ok(Sealed {
            text: BASE64.encode(whole),
            key: key.id.clone(),
        })
    }

    /// Opens a text that belongs to `of`.
    ///
    /// # Errors
    /// The key is missing, or the text is not what was sealed.
    pub fn open(&self, of: &str, sealed: &Sealed) -> Result<Zeroizing<String>, VaultError> {
        let broken = || VaultError::Broken { of: of.to_owned() };
        let keys = self.keys()?;
        let key = keys.iter().find(|key| key.id == sealed.key);
        let key = key.ok_or_else(|| VaultError::NoKey {
            id: sealed.key.clone(),
            path: self.path.clone(),
        })?;
        let whole = BASE64.decode(&sealed.text).map_err(|_| broken())?;
        let (nonce, text) = whole.split_at_checked(NONCE_BYTES).ok_or_else(broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
        let mut bytes = Zeroizing::new(text.to_vec());
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, &key.bytes).map_err(|_| broken())?;
        let opened = cipher
            .open_in_place(nonce, Aad::from(of.as_bytes()), &mut bytes)
            .map_err(|_| broken())?;
        let text = std::str::from_utf8(opened).map_err(|_| broken())?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// Puts a new key before the others, to seal with from now on. Gives its name.
    ///
    /// # Errors
    /// The key file cannot be read or written.
    pub fn rotate(&self) -> Result<String, VaultError> {
        let mut keys = self.keys()?;
        keys.insert(0, self.new_key()?);
        self.write(&keys)?;
        Ok(keys[0].id.clone())
    }

    /// Drops the keys that seal nothing any more. The present one and the one before it stay: a
    /// process may just be sealing with that.
    ///
    /// # Errors
    /// The key file cannot be read or written.
    pub fn forget_but(&self, used: &[String]) -> Result<usize, VaultError> {
        const KEPT: usize = 2;
        let keys = self.keys()?;
        let before = keys.len();
        let kept: Vec<Key> = keys
            .into_iter()
            .enumerate()
            .filter(|(place, key)| *place < KEPT || used.contains(&key.id))
            .map(|(_, key)| key)
            .collect();
        if kept.len() < before {
            self.write(&kept)?;
        }
        Ok(before - kept.len())
    }

    fn wrong(&self, why: impl std::fmt::Display) -> VaultError {
        VaultError::File {
            path: self.path.clone(),
            why: why.to_string(),
        }
    }

    fn new_key(&self) -> Result<Key, VaultError> {
        let mut id = [0; ID_BYTES];
        let mut bytes = Zeroizing::new(vec![0; KEY_BYTES]);
        for part in [&mut id[..], &mut bytes] {
            aws_lc_rs::rand::fill(part).map_err(|_| self.wrong("no randomness for a new key"))?;
        }
        Ok(Key {
            id: bowline_net::hex::encode(&id),
            bytes,
        })
    }

    /// The keys, the present one first; none if there is no file yet.
    fn keys(&self) -> Result<Vec<Key>, VaultError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.wrong(error)),
        };
        let mut keys = Vec::new();
        for (line, text) in text
            .lines()
            .enumerate()
            .filter(|(_, text)| !text.is_empty())
        {
            let wrong = || self.wrong(format!("line {} is no key", line + 1));
            let (id, key) = text.split_once(' ').ok_or_else(wrong)?;
            let bytes = Zeroizing::new(BASE64.decode(key.trim()).map_err(|_| wrong())?);
            if bytes.len() != KEY_BYTES {
                return Err(wrong());
            }
            keys.push(Key {
                id: id.to_owned(),
                bytes,
            });
        }
        Ok(keys)
    }

    /// Writes the file beside itself and puts it into its place, so that it is never half there.
    fn write(&self, keys: &[Key]) -> Result<(), VaultError> {
        let mut text = Zeroizing::new(String::new());
        for key in keys {
            let line = Zeroizing::new(BASE64.encode(&key.bytes));
            text.push_str(&key.id);
            text.push(' ');
            text.push_str(&line);
            text.push('\n');
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(|error| self.wrong(error))?;
        }
        let new = self.path.with_extension("new");
        let mut file = private(&new).map_err(|error| self.wrong(error))?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&new, &self.path))
            .map_err(|error| self.wrong(error))
    }
}

impl Seals for Vault {
    fn seal(&self, of: &str, text: &str) -> Result<SealedText, String> {
        let sealed = Self::seal(self, of, text).map_err(|error| error.to_string())?;
        Ok(SealedText {
            text: sealed.text,
            key: sealed.key,
        })
    }

    fn open(&self, of: &str, sealed: &SealedText) -> Result<String, String> {
        let sealed = Sealed {
            text: sealed.text.clone(),
            key: sealed.key.clone(),
        };
        let opened = Self::open(self, of, &sealed).map_err(|error| error.to_string())?;
        Ok(opened.to_string())
    }
}

/// A new file that its owner alone may read.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> (tempfile::TempDir, Vault) {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::new(folder.path().join("deep").join("bowline.key"));
        (folder, vault)
    }

    #[test]
    fn what_is_sealed_opens_and_does_not_show() {
        let (_folder, vault) = vault();
        let sealed = vault.seal("site/acme", "the-token").unwrap();
        assert!(!sealed.text.contains("the-token"));
        assert_eq!(&*vault.open("site/acme", &sealed).unwrap(), "the-token");
        let again = vault.seal("site/acme", "the-token").unwrap();
        assert_ne!(sealed.text, again.text, "never the same twice");
        assert_eq!(sealed.key, again.key);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(vault.path()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn what_was_moved_or_changed_does_not_open() {
        let (_folder, vault) = vault();
        let sealed = vault.seal("site/acme", "the-token").unwrap();
        assert!(vault.open("site/other", &sealed).is_err());
        for place in [0, 20, sealed.text.len() - 1] {
            let mut text = sealed.text.clone().into_bytes();
            text[place] = if text[place] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(text).unwrap();
            let changed = Sealed {
                text,
                ..sealed.clone()
            };
            assert!(vault.open("site/acme", &changed).is_err(), "{place}");
        }
        for text in ["", "AAAA", "not base64!"] {
            let text = text.to_owned();
            let short = Sealed {
                text,
                ..sealed.clone()
            };
            assert!(vault.open("site/acme", &short).is_err());
        }
    }

    #[test]
    fn a_new_key_seals_and_the_old_one_opens_until_nothing_needs_it() {
        let (_folder, vault) = vault();
        let old = vault.seal("a", "one").unwrap();
        let id = vault.rotate().unwrap();
        let new = vault.seal("a", "one").unwrap();
        assert_eq!((new.key.as_str(), old.key != id), (id.as_str(), true));
        assert_eq!(&*vault.open("a", &old).unwrap(), "one");
        vault.rotate().unwrap();
        assert_eq!(vault.forget_but(std::slice::from_ref(&old.key)).unwrap(), 0);
        assert_eq!(vault.forget_but(&[]).unwrap(), 1);
        let error = vault.open("a", &old).unwrap_err().to_string();
        assert!(
            error.contains(&old.key) && error.contains("same key file"),
            "{error}"
        );
        assert_eq!(&*vault.open("a", &new).unwrap(), "one");
    }

    #[test]
    fn a_key_file_that_is_none_says_which_line() {
        let (_folder, vault) = vault();
        vault.seal("a", "one").unwrap();
        fs::write(vault.path(), "k1 dG9vIHNob3J0\n").unwrap();
        let error = vault.seal("a", "one").unwrap_err().to_string();
        assert!(error.contains("line 1"), "{error}");
    }
}
