//! Another key for the secrets at rest.

use bowline_access::factor_of;
use bowline_store::second_factor::SecondFactor;
use bowline_store::settings::{Resealed, SettingRow};
use bowline_store::{Store, StoreError};

use crate::vault::{Sealed, Vault, VaultError};

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The new key's name.
    pub key: String,
    /// Secrets that are sealed with it now.
    pub sealed: usize,
    /// Rows that changed meanwhile, or whose key is not in the file.
    pub left: Vec<String>,
    /// Keys that sealed nothing any more.
    pub forgotten: usize,
}

/// What goes wrong.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The key file.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Vault {
    /// Puts a new key before the others and seals all secrets with it. May be broken off and run
    /// again; running processes go on.
    ///
    /// # Errors
    /// The key file or the store.
    pub async fn rotate_all(&self, store: &Store) -> Result<Rotated, RotateError> {
        let key = self.rotate()?;
        let (mut sealed, mut left) = (0, Vec::new());
        for row in store.settings().await? {
            let name = format!("{}/{}", row.kind, row.name);
            match self.anew(&name, &row) {
                None => {}
                Some(Ok(anew)) => {
                    if store.reseal(anew).await? {
                        sealed += 1;
                    } else {
                        left.push(format!("{name}: it was changed meanwhile"));
                    }
                }
                Some(Err(error)) => left.push(format!("{name}: {error}")),
            }
        }
        for factor in store.second_factors().await? {
            let name = factor_of(factor.account);
            match self.factor_anew(&name, &factor) {
                Ok(anew) => {
                    if store.reseal_second_factor(anew, factor.sealed).await? {
                        sealed += 1;
                    } else {
                        left.push(format!("{name}: it was changed meanwhile"));
                    }
                }
                Err(error) => left.push(format!("{name}: {error}")),
            }
        }
        let settings = store.settings().await?.into_iter();
        let factors = store.second_factors().await?.into_iter();
        let used: Vec<String> = settings
            .filter_map(|row| row.sealed_by)
            .chain(factors.map(|factor| factor.sealed_by))
            .collect();
        let forgotten = self.forget_but(&used)?;
        Ok(Rotated {
            key,
            sealed,
            left,
            forgotten,
        })
    }

    fn factor_anew(&self, name: &str, factor: &SecondFactor) -> Result<SecondFactor, VaultError> {
        let sealed = Sealed {
            text: factor.sealed.clone(),
            key: factor.sealed_by.clone(),
        };
        let anew = self.seal(name, &self.open(name, &sealed)?)?;
        Ok(SecondFactor {
            sealed: anew.text,
            sealed_by: anew.key,
            ..factor.clone()
        })
    }

    fn anew(&self, name: &str, row: &SettingRow) -> Option<Result<Resealed, VaultError>> {
        let sealed = Sealed {
            text: row.sealed.clone()?,
            key: row.sealed_by.clone()?,
        };
        let anew = self
            .open(name, &sealed)
            .and_then(|text| self.seal(name, &text))
            .map(|anew| Resealed {
                kind: row.kind.clone(),
                name: row.name.clone(),
                version: row.version,
                sealed: anew.text,
                sealed_by: anew.key,
            });
        Some(anew)
    }
}
