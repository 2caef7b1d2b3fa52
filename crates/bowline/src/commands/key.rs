//! `bowline key`

use std::process::ExitCode;

use bowline_settings::vault::Vault;

use super::{load, store};
use crate::cli::Key;

/// Makes a new key and seals all secrets with it.
pub(crate) async fn run(action: Key) -> anyhow::Result<ExitCode> {
    let Key::Rotate { configured } = action;
    let loaded = load(&configured)?;
    let store = store(&loaded).await?;
    let vault = Vault::new(&loaded.config.key_file);
    let rotated = vault.rotate_all(&store).await;
    store.close().await;
    let rotated = rotated?;
    println!(
        "{} secrets are sealed with the new key {} in {}.",
        rotated.sealed,
        rotated.key,
        vault.path().display()
    );
    if rotated.forgotten > 0 {
        println!(
            "{} old keys sealed nothing any more and are gone.",
            rotated.forgotten
        );
    }
    for left in &rotated.left {
        println!("  TO MEND: {left}");
    }
    Ok(if rotated.left.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
