//! Who this process is among those that work one database.
//!
//! What a process held that was killed is taken over by others only when its leases end, because
//! nobody can know that it is dead. Its own successor on the same machine can: both take the same
//! place in the data folder, and the place is locked by the operating system for as long as its
//! process lives. The successor goes on under the same name, and so takes over at once.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use anyhow::Context as _;

use crate::system::{boot_id, random};

/// Processes that may share one data folder.
const PLACES_MAX: usize = 64;

/// What a file that names a replica may hold at most, in bytes.
const NAME_BYTES_MAX: u64 = 256;

/// A place in the data folder, held until it is dropped.
#[derive(Debug)]
pub struct Replica {
    name: String,
    // The lock is held as long as the file is open.
    _held: Option<File>,
}

impl Replica {
    /// Takes the first place in the folder that no living process has.
    ///
    /// Where the folder cannot be written, or the system does not tell one start of the machine
    /// from another, the process gets a name that no other one has: what it holds when it dies then
    /// waits until its leases end.
    pub fn take(data_dir: &Path) -> Self {
        let Some(boot) = boot_id() else {
            return Self::nameless();
        };
        match take_place(data_dir, &boot) {
            Ok(replica) => replica,
            Err(error) => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "this process has no place in the data folder; after a crash its work waits \
                     until its leases end"
                );
                Self::nameless()
            }
        }
    }

    fn nameless() -> Self {
        Self {
            name: format!("{:016x}", random()),
            _held: None,
        }
    }

    /// The name by which the lanes know it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn take_place(data_dir: &Path, boot: &str) -> anyhow::Result<Replica> {
    std::fs::create_dir_all(data_dir)
        .with_context(|| format!("making the folder {}", data_dir.display()))?;
    for place in 0..PLACES_MAX {
        let path = data_dir.join(format!("replica-{place}.lock"));
        let opened = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path);
        let mut file = opened.with_context(|| format!("opening {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {
                let name = name_in(&mut file, boot)
                    .with_context(|| format!("reading {}", path.display()))?;
                return Ok(Replica {
                    name,
                    _held: Some(file),
                });
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("locking {}", path.display()));
            }
        }
    }
    anyhow::bail!(
        "all {PLACES_MAX} places in {} are taken",
        data_dir.display()
    )
}

/// The name in a file that this process has locked. One of another start of the machine, or of
/// another machine that shares the folder, is not taken over: locks may not reach that far. Nor is
/// one in a file that was copied: whoever has the original may live.
fn name_in(file: &mut File, boot: &str) -> std::io::Result<String> {
    let boot = format!("{boot}:{}", file_id(file)?);
    let mut known = String::new();
    // A file that is not text holds no name.
    let _ = std::io::Read::by_ref(file)
        .take(NAME_BYTES_MAX)
        .read_to_string(&mut known);
    if let Some((of, name)) = known.trim_end().split_once(' ')
        && of == boot
        && name.len() == 16
    {
        return Ok(name.to_owned());
    }
    let name = format!("{:016x}", random());
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(format!("{boot} {name}\n").as_bytes())?;
    file.sync_all()?;
    Ok(name)
}

/// What tells a file from a copy of it.
#[cfg(unix)]
fn file_id(file: &File) -> std::io::Result<String> {
    use std::os::unix::fs::MetadataExt as _;
    let about = file.metadata()?;
    Ok(format!("{}:{}", about.dev(), about.ino()))
}

/// What tells a file from a copy of it; unknown here, so that no name is ever taken over.
#[cfg(not(unix))]
fn file_id(_file: &File) -> std::io::Result<String> {
    Ok(format!("{:016x}", random()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_goes_on_under_the_same_name() {
        let folder = tempfile::tempdir().unwrap();
        let first = take_place(folder.path(), "boot-1").unwrap();
        let name = first.name().to_owned();
        drop(first);
        let second = take_place(folder.path(), "boot-1").unwrap();
        assert_eq!(second.name(), name);
    }

    #[test]
    fn two_that_live_have_different_names_and_keep_them() {
        let folder = tempfile::tempdir().unwrap();
        let first = take_place(folder.path(), "boot-1").unwrap();
        let second = take_place(folder.path(), "boot-1").unwrap();
        assert_ne!(first.name(), second.name());
        let name = second.name().to_owned();
        drop(second);
        let third = take_place(folder.path(), "boot-1").unwrap();
        assert_eq!(third.name(), name);
        drop(first);
    }

    #[test]
    fn another_start_of_the_machine_gets_another_name() {
        let folder = tempfile::tempdir().unwrap();
        let name = take_place(folder.path(), "boot-1")
            .unwrap()
            .name()
            .to_owned();
        assert_ne!(take_place(folder.path(), "boot-2").unwrap().name(), name);
    }

    #[test]
    fn a_copied_folder_gets_a_name_of_its_own() {
        let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let original = take_place(folder.path(), "boot-1").unwrap();
        let file = "replica-0.lock";
        std::fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
        let copied = take_place(copy.path(), "boot-1").unwrap();
        assert_ne!(copied.name(), original.name());
    }

    #[test]
    fn a_file_that_holds_no_name_is_written_anew() {
        for broken in [&b""[..], b"boot-1", b"boot-1 short\n", b"\xff\xfe\x00"] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("replica-0.lock"), broken).unwrap();
            let name = take_place(folder.path(), "boot-1")
                .unwrap()
                .name()
                .to_owned();
            assert_eq!(name.len(), 16);
            assert_eq!(take_place(folder.path(), "boot-1").unwrap().name(), name);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_gives_a_name_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(Replica::take(&file).name().len(), 16);
    }
}
