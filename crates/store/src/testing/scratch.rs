//! Databases that are made for one test and go with it.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::testing::Cluster;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite, in a file.
    Sqlite,
    /// PostgreSQL, on the server that the tests of a process share.
    Postgres,
}

impl Backend {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

/// A database that goes when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    url: String,
    folder: Option<PathBuf>,
}

impl Scratch {
    /// Makes an empty database.
    ///
    /// # Panics
    /// It cannot be made, for example because PostgreSQL is not installed.
    pub fn new(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => {
                let folder = new_folder();
                Self {
                    url: format!("sqlite:{}/bowline.db", folder.display()),
                    folder: Some(folder),
                }
            }
            Backend::Postgres => match Cluster::shared().database() {
                Ok(url) => Self { url, folder: None },
                Err(error) => panic!("a database cannot be made: {error}"),
            },
        }
    }

    /// Its address, as [`crate::Open`] takes it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let gone = match &self.folder {
            Some(folder) => fs::remove_dir_all(folder).map_err(|error| error.to_string()),
            None => Cluster::shared().drop_database(&self.url),
        };
        if let Err(error) = gone {
            eprintln!("the test database {} was left: {error}", self.url);
        }
    }
}

/// A folder that only this user may enter and that was not there before.
fn new_folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("bowline-sqlite.{}.{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        match fs::create_dir(&folder) {
            Ok(()) => return folder,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => panic!("the folder {} cannot be made: {error}", folder.display()),
        }
    }
}

/// Runs `work` with the address of an empty database of each kind, one after the other.
///
/// # Panics
/// A database cannot be made, for example because PostgreSQL is not installed.
pub async fn for_each_database(work: impl AsyncFn(String)) {
    for backend in Backend::ALL {
        let scratch = Scratch::new(backend);
        work(scratch.url().to_owned()).await;
    }
}
