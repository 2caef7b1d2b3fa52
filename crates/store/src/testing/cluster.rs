//! A PostgreSQL server of one's own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// What to install where PostgreSQL is missing.
const MISSING: &str = "PostgreSQL's server programs (initdb, postgres, psql) are needed for this \
    and were found neither in PATH nor in /usr/lib/postgresql/*/bin. Install them, for example \
    with: apt-get install postgresql postgresql-client";

/// Makes a cluster in a new folder, serves it on a socket in that folder, and says where it is.
/// Ends it and removes the folder when its standard input ends: that is when whoever started it
/// says so or dies, however it dies. At the word `crash` the server dies at once and is started again.
const SCRIPT: &str = r#"
set -e
cd /
dir=$(mktemp -d "$1/bowline-pg.XXXXXX")
pid=
end() {
    trap '' INT TERM HUP
    if [ -n "$pid" ]; then kill -INT "$pid" 2>/dev/null || true; wait "$pid" || true; fi
    rm -rf "$dir"
}
trap end EXIT
trap 'exit 1' INT TERM HUP
# Whoever started this may be gone before it is told anything; that must end in `end` too.
trap '' PIPE
if ! "$2/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync \
        >"$dir/log" 2>&1 </dev/null; then
    echo "initdb failed:"; cat "$dir/log"; exit 1
fi
serve() {
    "$1/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c max_connections=300 \
        -c "fsync=$2" -c "full_page_writes=$2" -c shared_buffers=64MB >>"$dir/log" 2>&1 </dev/null &
    pid=$!
    tries=0
    until "$1/pg_isready" -q -h "$dir" -U postgres; do
        tries=$((tries + 1))
        if [ "$tries" -gt 600 ] || ! kill -0 "$pid" 2>/dev/null; then
            echo "postgres did not start:"; cat "$dir/log"; exit 1
        fi
        sleep 0.05
    done
    echo "ready $dir"
}
serve "$2" "$3"
while read -r word; do
    if [ "$word" = crash ]; then
        # It writes nothing any more: what it had in its own memory only is gone.
        kill -QUIT "$pid"
        wait "$pid" || true
        serve "$2" "$3"
    fi
done
"#;

/// How to start a cluster.
#[derive(Clone, Debug)]
pub struct Options {
    /// Write to the disk for good, as in production. Tests do without; benchmarks must not.
    pub durable: bool,
    /// The folder in which the cluster's own folder is made. Its path is to be short: the socket
    /// is in there, and a socket's path has at most about 100 bytes.
    pub folder: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durable: false,
            folder: PathBuf::from("/tmp"),
        }
    }
}

/// A running server. Ends when it is dropped, and when this process ends, in whatever way.
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    guard: Child,
    said: Mutex<BufReader<ChildStdout>>,
    databases: AtomicU32,
    making: Mutex<()>,
}

impl Cluster {
    /// Starts a server.
    ///
    /// # Errors
    /// PostgreSQL is not installed or does not start; the text says what to do.
    pub fn start(options: &Options) -> Result<Self, String> {
        let programs = programs()?;
        let mut command = as_unprivileged();
        command
            .args(["sh", "-c", SCRIPT, "sh"])
            .arg(&options.folder)
            .arg(&programs)
            .arg(if options.durable { "on" } else { "off" })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut guard = command
            .spawn()
            .map_err(|error| format!("PostgreSQL cannot be started: {error}"))?;
        let stdout = guard.stdout.take().ok_or("its words cannot be read")?;
        let mut said = BufReader::new(stdout);
        match ready(&mut said) {
            Ok(folder) => Ok(Self {
                folder,
                programs,
                guard,
                said: Mutex::new(said),
                databases: AtomicU32::new(0),
                making: Mutex::new(()),
            }),
            Err(words) => {
                let _ = guard.wait();
                Err(words)
            }
        }
    }

    /// Has the server die at once, with what it has in its own memory only, and waits until it serves
    /// again. What it gave to the operating system is there.
    ///
    /// # Errors
    /// It does not start again.
    pub fn crash(&self) -> Result<(), String> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stdin = self.guard.stdin.as_ref().ok_or("it has ended")?;
        let told = stdin.write_all(b"crash\n");
        told.map_err(|error| format!("PostgreSQL cannot be told: {error}"))?;
        ready(&mut said).map(drop)
    }

    /// The server that all tests of this process share.
    ///
    /// # Panics
    /// PostgreSQL is not installed or does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| match Self::start(&Options::default()) {
            Ok(cluster) => cluster,
            Err(error) => panic!("{error}"),
        })
    }

    /// Makes a new, empty database and returns its address.
    ///
    /// # Errors
    /// The server refuses.
    pub fn database(&self) -> Result<String, String> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("CREATE DATABASE {name}"))?;
        let socket = self.folder.to_string_lossy().replace('/', "%2F");
        Ok(format!("postgres://postgres@{socket}/{name}"))
    }

    /// Drops a database that [`Cluster::database`] made, whoever uses it.
    ///
    /// # Errors
    /// The server refuses.
    pub fn drop_database(&self, url: &str) -> Result<(), String> {
        let name = url.rsplit('/').next().unwrap_or_default();
        self.sql(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    }

    fn sql(&self, sql: &str) -> Result<(), String> {
        // Two at once would both want the template.
        let _one = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let output = Command::new(self.programs.join("psql"))
            .args([
                "-q", "-X", "-U", "postgres", "-d", "postgres", "-c", sql, "-h",
            ])
            .arg(&self.folder)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("psql cannot be run: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!(
            "{sql}: {}",
            String::from_utf8_lossy(&output.stderr)
        ))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Waits until the server says where it is.
fn ready(said: &mut BufReader<ChildStdout>) -> Result<PathBuf, String> {
    let mut words = String::new();
    for line in said.lines().map_while(Result::ok) {
        if let Some(folder) = line.strip_prefix("ready ") {
            return Ok(PathBuf::from(folder));
        }
        words.push_str(&line);
        words.push('\n');
    }
    Err(format!("PostgreSQL did not start. {words}"))
}

/// Where PostgreSQL's programs are; of several versions the newest.
fn programs() -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path)
        .filter_map(|folder| std::fs::canonicalize(folder.join("initdb")).ok())
        .filter_map(|initdb| initdb.parent().map(Path::to_path_buf));
    let mut packaged: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| {
            let number = version.file_name().to_string_lossy().parse().unwrap_or(0);
            (number, version.path().join("bin"))
        })
        .collect();
    packaged.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    in_path
        .chain(packaged.into_iter().map(|(_, folder)| folder))
        .find(|folder| {
            ["initdb", "postgres", "pg_isready", "psql"]
                .iter()
                .all(|program| folder.join(program).exists())
        })
        .ok_or_else(|| MISSING.to_owned())
}

/// PostgreSQL refuses to run as root; root becomes `postgres` for it.
fn as_unprivileged() -> Command {
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]);
        return command;
    }
    Command::new("env")
}
