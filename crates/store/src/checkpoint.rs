//! Moving what is in SQLite's write-ahead log to the file, beside the writer.
//!
//! SQLite by itself does it within the commit that fills the log, and everybody who waits for a
//! commit waits for thousands of pages to be written and made durable. Here a thread moves them while
//! the writer goes on, and the writer itself only the few that came meanwhile: the log begins anew
//! only at a moment when all of it was moved.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, DEFAULT_NAME};

use crate::error::DriverError;

/// Pages in the log from which on they are moved. A page that changes often is moved once for many
/// changes.
const PAGES_FROM: i32 = 4_000;

/// So few pages the writer moves itself, between two commits.
const REST_MAX: i32 = 400;

/// After so many pages more it is tried again to move what could not be moved: somebody still reads
/// the file as it was before.
const PAGES_BETWEEN: i32 = 400;

/// Pages in the log from which on the writer waits until they are moved, which keeps the log below
/// 64 MiB and a transaction, as long as nobody reads all the time.
const PAGES_MAX: i32 = 16_000;

/// What is done about the log after a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Nothing,
    /// The thread moves what there is.
    Beside,
    /// The writer moves what there is.
    Here,
    /// The writer waits for the thread.
    Wait,
}

/// How far the log is moved.
#[derive(Debug, Default)]
struct Progress {
    /// Pages of the log that are in the file.
    moved: i32,
    /// Pages that were in the log when the thread was last called.
    called_at: i32,
    /// Who moves the log besides the writer.
    thread: Thread,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Thread {
    #[default]
    Idle,
    /// It moves what there is, or is about to.
    Called,
    /// It is to end.
    Ending,
    /// There is none, and none can be had.
    Missing,
}

impl Progress {
    /// What is to be done when there are `pages` in the log.
    fn step(&self, pages: i32) -> Step {
        let full = pages >= PAGES_MAX;
        match self.thread {
            _ if pages < PAGES_FROM => Step::Nothing,
            Thread::Called if full => Step::Wait,
            Thread::Missing | Thread::Ending => Step::Here,
            Thread::Idle if full || pages - self.moved <= REST_MAX => Step::Here,
            Thread::Idle if pages - self.called_at >= PAGES_BETWEEN => Step::Beside,
            Thread::Called | Thread::Idle => Step::Nothing,
        }
    }
}

/// What the writer and the thread share.
#[derive(Debug, Default)]
struct Shared {
    progress: Mutex<Progress>,
    changed: Condvar,
}

impl Shared {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, thread: Thread) {
        self.progress().thread = thread;
        self.changed.notify_all();
    }

    /// Waits for as long as the thread is as it is said to be.
    fn wait_while(&self, thread: Thread) -> MutexGuard<'_, Progress> {
        let progress = self.progress();
        self.changed
            .wait_while(progress, |progress| progress.thread == thread)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a connection of the thread's own to a file.
type Open = fn(&Path) -> Result<Connection, DriverError>;

/// Has the log of a file moved. When it is dropped, its thread has ended.
pub(crate) struct Checkpoints {
    path: PathBuf,
    open: Open,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    pub(crate) fn of(path: &Path, open: Open) -> Self {
        Self {
            path: path.to_owned(),
            open,
            shared: Arc::default(),
            thread: None,
        }
    }

    /// Sees to the log after each commit of this connection, in place of what SQLite does by itself,
    /// until the connection is closed.
    pub(crate) fn see_to(mut self, conn: &mut Connection) -> Result<(), DriverError> {
        let after_commit = move |log: &mut Wal, pages| {
            self.after_commit(log, pages);
            // What was committed is committed, whatever becomes of the log.
            Ok(())
        };
        Ok(conn.wal_hook(Some(after_commit))?)
    }

    fn after_commit(&mut self, log: &mut Wal, pages: i32) {
        let step = self.step(pages);
        match step {
            Step::Nothing => {}
            Step::Beside => self.call(),
            Step::Wait => {
                drop(self.shared.wait_while(Thread::Called));
                self.here(log);
            }
            Step::Here => self.here(log),
        }
    }

    fn step(&self, pages: i32) -> Step {
        let mut progress = self.shared.progress();
        if pages < PAGES_FROM {
            // It began anew.
            (progress.moved, progress.called_at) = (0, 0);
        }
        let step = progress.step(pages);
        if step == Step::Beside {
            progress.called_at = pages;
        }
        step
    }

    /// Moves what there is. Others may be at it, or read what would be written over; then it is tried
    /// again after the next commit.
    fn here(&self, log: &mut Wal) {
        match log.checkpoint_v2(CheckpointMode::PASSIVE) {
            Ok((_, moved)) => self.shared.progress().moved = moved,
            Err(error) => tracing::debug!(%error, "SQLite's log was not moved to its file"),
        }
    }

    fn call(&mut self) {
        self.shared.turn(Thread::Called);
        if self.thread.is_some() {
            return;
        }
        let (path, open, shared) = (self.path.clone(), self.open, Arc::clone(&self.shared));
        let named = Builder::new().name("sqlite-log".to_owned());
        match named.spawn(move || move_when_called(&path, open, &shared)) {
            Ok(thread) => self.thread = Some(thread),
            Err(error) => {
                tracing::warn!(%error, "no thread for SQLite's log: the writer moves it");
                self.shared.turn(Thread::Missing);
            }
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.shared.turn(Thread::Ending);
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// The thread: moves what there is whenever it is called.
fn move_when_called(path: &Path, open: Open, shared: &Shared) {
    /// However the thread ends, nobody waits for it.
    struct Gone<'s>(&'s Shared);
    impl Drop for Gone<'_> {
        fn drop(&mut self) {
            self.0.turn(Thread::Missing);
        }
    }
    let _gone = Gone(shared);
    let conn = match open(path) {
        Ok(conn) => conn,
        Err(error) => {
            tracing::warn!(%error, "no connection for SQLite's log: the writer moves it");
            return;
        }
    };
    while shared.wait_while(Thread::Idle).thread == Thread::Called {
        let moved = conn.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::PASSIVE);
        let mut progress = shared.progress();
        match moved {
            Ok((_, moved)) => progress.moved = moved,
            Err(error) => tracing::debug!(%error, "SQLite's log was not moved to its file"),
        }
        if progress.thread == Thread::Called {
            progress.thread = Thread::Idle;
        }
        drop(progress);
        shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Durable;
    use crate::sqlite::{Cell, SqliteConn};

    #[test]
    fn who_moves_the_log() {
        use Step::{Beside, Here, Nothing, Wait};
        use Thread::{Called, Idle, Missing};
        for (pages, moved, called_at, thread, want) in [
            (0, 0, 0, Idle, Nothing),
            (PAGES_FROM - 1, 0, 0, Idle, Nothing),
            (PAGES_FROM, 0, 0, Idle, Beside),
            (PAGES_FROM + 1, 0, PAGES_FROM, Called, Nothing),
            (PAGES_FROM + 300, PAGES_FROM, PAGES_FROM, Idle, Here),
            (PAGES_FROM + 900, PAGES_FROM, PAGES_FROM, Idle, Beside),
            // Somebody reads what was there before: nothing could be moved.
            (PAGES_FROM + 100, 0, PAGES_FROM, Idle, Nothing),
            (PAGES_FROM + PAGES_BETWEEN, 0, PAGES_FROM, Idle, Beside),
            (PAGES_MAX, 9_000, PAGES_MAX - 2_000, Called, Wait),
            (PAGES_MAX, 9_000, PAGES_MAX - 10, Idle, Here),
            (PAGES_FROM, 0, 0, Missing, Here),
            (PAGES_FROM - 1, 0, 0, Missing, Nothing),
        ] {
            let progress = Progress {
                moved,
                called_at,
                thread,
            };
            assert_eq!(progress.step(pages), want, "{pages} {progress:?}");
        }
    }

    /// A file with a table, and its writer.
    fn writer(folder: &Path) -> SqliteConn {
        let mut conn = SqliteConn::for_writing(&folder.join("some.db")).unwrap();
        conn.script("CREATE TABLE event (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
            .unwrap();
        conn
    }

    /// Writes at least so many pages, a few in each transaction.
    fn write(conn: &mut SqliteConn, pages: i32) {
        let body = "x".repeat(40_000);
        for _ in 0..pages / 10 {
            conn.begin(Durable::Soon).unwrap();
            conn.run(
                "INSERT INTO event (body) VALUES (?)",
                &[body.as_str().into()],
            )
            .unwrap();
            conn.run("COMMIT", &[]).unwrap();
        }
    }

    /// As long as the log ever was, in pages: it is written from its beginning again.
    fn log_pages(folder: &Path) -> i32 {
        let log = std::fs::metadata(folder.join("some.db-wal")).unwrap();
        // A page, and what stands before it.
        i32::try_from(log.len() / (4_096 + 24)).unwrap()
    }

    #[test]
    fn the_log_begins_anew_while_the_writer_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = writer(folder.path());
        write(&mut conn, 5 * PAGES_MAX);
        let pages = log_pages(folder.path());
        assert!(pages <= PAGES_MAX + 100, "{pages} pages");
        let found = conn.rows("SELECT COUNT(*) FROM event", &[]).unwrap();
        assert_eq!(found[0][0], Cell::Int(i64::from(5 * PAGES_MAX / 10)));
        drop(conn);
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "with the last connection the log goes");
    }

    #[test]
    fn who_reads_for_long_sees_what_was_there_and_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = writer(folder.path());
        write(&mut conn, 10);
        let reader = Connection::open(folder.path().join("some.db")).unwrap();
        let count = || -> i64 {
            reader
                .query_row("SELECT COUNT(*) FROM event", [], |row| row.get(0))
                .unwrap()
        };
        reader.execute_batch("BEGIN").unwrap();
        assert_eq!(count(), 1);
        write(&mut conn, PAGES_MAX + 1_000);
        assert_eq!(count(), 1);
        assert!(log_pages(folder.path()) > PAGES_MAX);
        reader.execute_batch("COMMIT").unwrap();
        // With this one all of it can be moved.
        write(&mut conn, 10);
        let long = log_pages(folder.path());
        write(&mut conn, PAGES_FROM);
        assert_eq!(log_pages(folder.path()), long, "it began anew");
        let written = 10 + PAGES_MAX + 1_000 + 10 + PAGES_FROM;
        assert_eq!(count(), i64::from(written / 10));
    }

    #[test]
    fn without_a_thread_the_writer_moves_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.db");
        let mut conn = Connection::open(&path).unwrap();
        conn.pragma_update(None, "journal_mode", "WAL").unwrap();
        conn.execute_batch("CREATE TABLE event (id INTEGER PRIMARY KEY, body TEXT)")
            .unwrap();
        let none: Open = |_| Err(DriverError::Gone);
        Checkpoints::of(&path, none).see_to(&mut conn).unwrap();
        let body = "x".repeat(400_000);
        for _ in 0..PAGES_MAX / 50 {
            conn.execute("INSERT INTO event (body) VALUES (?)", [&body])
                .unwrap();
        }
        let pages = log_pages(folder.path());
        assert!(pages <= PAGES_MAX, "{pages} pages");
    }
}
