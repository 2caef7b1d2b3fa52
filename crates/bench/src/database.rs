//! Databases that are made for one measurement, as durable as in production.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, anyhow};
use bowline_store::testing::{self, Cluster, Options};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// Makes databases.
pub(crate) struct Databases {
    folder: PathBuf,
    server: Option<String>,
    // The server goes before the folder that it is in.
    cluster: OnceLock<Result<(Cluster, TempDir), String>>,
    made: std::sync::atomic::AtomicU32,
}

/// A database with a folder for the files of whoever uses it. Both go when it is dropped.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) folder: TempDir,
}

impl Databases {
    /// `server`: the PostgreSQL server to use instead of one of our own.
    pub(crate) fn new(folder: &Path, server: Option<String>) -> anyhow::Result<Self> {
        let folder = std::fs::canonicalize(folder)
            .with_context(|| format!("looking for the folder {}", folder.display()))?;
        Ok(Self {
            folder,
            server,
            cluster: OnceLock::new(),
            made: 0.into(),
        })
    }

    /// A new folder.
    pub(crate) fn folder(&self) -> anyhow::Result<TempDir> {
        tempfile::Builder::new()
            .prefix("bowline-bench.")
            .tempdir_in(&self.folder)
            .context("making a folder")
    }

    /// A new and empty database.
    pub(crate) fn create(&self, kind: Kind, runtime: &Runtime) -> anyhow::Result<Database> {
        let folder = self.folder()?;
        let url = match (kind, &self.server) {
            (Kind::Sqlite, _) => format!("sqlite:{}/bowline.db", folder.path().display()),
            (Kind::Postgres, None) => self.cluster()?.database().map_err(|why| anyhow!(why))?,
            (Kind::Postgres, Some(server)) => {
                let number = self.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let name = format!("bowline_bench_{}_{number}", std::process::id());
                let base = server.trim_end_matches('/');
                let make = format!("CREATE DATABASE {name}");
                let admin = format!("{base}/postgres");
                runtime
                    .block_on(testing::execute(&admin, &make))
                    .context("making a database")?;
                format!("{base}/{name}")
            }
        };
        Ok(Database { url, folder })
    }

    fn cluster(&self) -> anyhow::Result<&Cluster> {
        let started = self.cluster.get_or_init(|| {
            let home = self
                .home_of_cluster()
                .map_err(|error| format!("{error:#}"))?;
            let options = Options {
                durable: true,
                folder: home.path().to_owned(),
            };
            Cluster::start(&options).map(|cluster| (cluster, home))
        });
        started
            .as_ref()
            .map(|(cluster, _)| cluster)
            .map_err(|why| anyhow!(why.clone()))
    }

    /// A folder that the server may use, whoever it runs as.
    fn home_of_cluster(&self) -> anyhow::Result<TempDir> {
        let home = self.folder()?;
        std::fs::set_permissions(home.path(), Permissions::from_mode(0o777))
            .context("opening a folder for PostgreSQL")?;
        Ok(home)
    }

    /// What the server calls itself.
    pub(crate) fn postgres_version(&self, runtime: &Runtime) -> anyhow::Result<String> {
        let database = self.create(Kind::Postgres, runtime)?;
        let sql = "SELECT current_setting('server_version') || ', fsync ' || \
            current_setting('fsync') || ', synchronous_commit ' || \
            current_setting('synchronous_commit')";
        let rows = runtime
            .block_on(testing::texts(&database.url, sql))
            .context("asking PostgreSQL")?;
        Ok(rows.into_iter().flatten().flatten().collect())
    }
}
