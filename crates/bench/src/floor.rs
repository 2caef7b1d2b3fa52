//! The floor that `ingest` is compared with: a server that does HTTP, the HMAC over the body, and
//! the same durable grouped insert into the same table, and nothing else. No reading of the body,
//! no lane, no planning, no log, no metrics.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::Context as _;
use axum::body::{Body, to_bytes};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use bowline_store::{Open, Store};

use crate::Bench;
use crate::database::Database;
use crate::delivery::SECRET;
use crate::product::Serving;

/// The variable that tells the process its database.
const DATABASE_VARIABLE: &str = "BOWLINE_BENCH_DATABASE";

/// As in the store: inserts of one transaction, and the fixed sizes of a statement, which is filled
/// up with rows of nothing.
const GROUP_MAX: usize = 256;
const SIZES: [usize; 5] = [1, 4, 16, 64, 256];

/// Columns that an insert gives.
const COLUMNS: usize = 9;

/// The longest body that is read, in bytes.
const BODY_BYTES_MAX: usize = 10 * 1_024 * 1_024;

/// Starts the floor as a process, on a database that has the product's tables.
pub(crate) fn start(bench: &Bench, database: &Database) -> anyhow::Result<Serving> {
    let open = Open {
        url: database.url.clone(),
        owner: "floor".to_owned(),
        first_token: 1,
        works_lanes: false,
    };
    bench
        .runtime
        .block_on(async {
            Store::open(open).await.map(Store::close)?.await;
            anyhow::Ok(())
        })
        .context("making the tables")?;
    let own = std::env::current_exe().context("finding this program")?;
    start_program(&own, &database.url)
}

fn start_program(program: &Path, url: &str) -> anyhow::Result<Serving> {
    Serving::start(
        Command::new(program)
            .arg("floor")
            .env(DATABASE_VARIABLE, url),
    )
}

/// The process.
pub(crate) fn main() -> anyhow::Result<()> {
    let url = std::env::var(DATABASE_VARIABLE).context("the floor is started by `ingest`")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(&url))
}

/// A delivery to be stored, and whom to tell that it is.
struct Job {
    delivery: String,
    body: String,
    done: oneshot::Sender<()>,
}

async fn serve(url: &str) -> anyhow::Result<()> {
    let mut writer = Writer::open(url).await?;
    let (jobs, mut waiting) = mpsc::channel::<Job>(8_192);
    tokio::spawn(async move {
        while let Some(first) = waiting.recv().await {
            let mut group = vec![first];
            while group.len() < GROUP_MAX
                && let Ok(job) = waiting.try_recv()
            {
                group.push(job);
            }
            if let Err(error) = writer.commit(&group).await {
                eprintln!("floor: {error}");
                return;
            }
            for job in group {
                let _ = job.done.send(());
            }
        }
    });
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    println!("the floor listens on http://{}", listener.local_addr()?);
    let jobs = Arc::new(jobs);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let jobs = Arc::clone(&jobs);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let jobs = Arc::clone(&jobs);
                async move { Ok::<_, Infallible>(take_in(&jobs, request).await) }
            });
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn take_in(jobs: &mpsc::Sender<Job>, request: Request<Incoming>) -> Response<Body> {
    if store(jobs, request).await.is_some() {
        return Response::new(Body::from("{\"event\":1}"));
    }
    let mut refused = Response::new(Body::empty());
    *refused.status_mut() = StatusCode::UNAUTHORIZED;
    refused
}

async fn store(jobs: &mpsc::Sender<Job>, request: Request<Incoming>) -> Option<()> {
    let (head, body) = request.into_parts();
    let body = to_bytes(Body::new(body), BODY_BYTES_MAX).await.ok()?;
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    if !bowline_jira::webhook::verify(&[SECRET], &body, header("x-hub-signature")) {
        return None;
    }
    let (done, stored) = oneshot::channel();
    let job = Job {
        delivery: header("x-atlassian-webhook-identifier")?.to_owned(),
        body: std::str::from_utf8(&body).ok()?.to_owned(),
        done,
    };
    jobs.send(job).await.ok()?;
    stored.await.ok()
}

/// The one writer.
struct Writer {
    conn: Conn,
    /// The insert in each of its sizes.
    statements: [Arc<str>; SIZES.len()],
}

enum Conn {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

macro_rules! insert {
    ($conn:expr, $statements:expr, $group:expr) => {{
        let place = SIZES
            .iter()
            .position(|size| *size >= $group.len())
            .unwrap_or(SIZES.len() - 1);
        let mut query = sqlx::query(AssertSqlSafe(Arc::clone(&$statements[place])));
        for job in $group {
            query = query
                .bind("jira")
                .bind("site/acme-jira")
                .bind(&job.delivery)
                .bind("event/acme-jira/10040")
                .bind("jira:issue_updated")
                .bind(1_784_541_190_000_i64)
                .bind(0_i64)
                .bind(None::<String>)
                .bind(&job.body);
        }
        for _ in $group.len()..SIZES[place] {
            query = query
                .bind(None::<String>)
                .bind(None::<String>)
                .bind(None::<String>)
                .bind(None::<String>)
                .bind(None::<String>)
                .bind(None::<i64>)
                .bind(None::<i64>)
                .bind(None::<String>)
                .bind(None::<String>);
        }
        query.fetch_all(&mut *$conn).await?;
    }};
}

impl Writer {
    /// Opens the database as the store does.
    async fn open(url: &str) -> Result<Self, sqlx::Error> {
        let conn = if let Some(path) = url.strip_prefix("sqlite:") {
            let options = SqliteConnectOptions::new()
                .filename(path)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .row_buffer_size(GROUP_MAX);
            Conn::Sqlite(options.connect().await?)
        } else {
            Conn::Postgres(PgConnection::connect(url).await?)
        };
        // As in the store: SQLite takes long to find a placeholder by its number.
        let numbered = matches!(conn, Conn::Postgres(_));
        let statements = SIZES.map(|size| statement(size, numbered).into());
        Ok(Self { conn, statements })
    }

    /// Makes a group durable.
    async fn commit(&mut self, group: &[Job]) -> Result<(), sqlx::Error> {
        match &mut self.conn {
            Conn::Sqlite(conn) => {
                sqlx::query("BEGIN IMMEDIATE").execute(&mut *conn).await?;
                insert!(conn, self.statements, group);
                sqlx::query("COMMIT").execute(&mut *conn).await?;
            }
            Conn::Postgres(conn) => {
                sqlx::query("BEGIN").execute(&mut *conn).await?;
                insert!(conn, self.statements, group);
                sqlx::query("COMMIT").execute(&mut *conn).await?;
            }
        }
        Ok(())
    }
}

fn statement(rows: usize, numbered: bool) -> String {
    let row = |row: usize| {
        let numbers: Vec<String> = (1..=COLUMNS)
            .map(|column| {
                if numbered {
                    format!("${}", row * COLUMNS + column)
                } else {
                    "?".to_owned()
                }
            })
            .collect();
        format!("({})", numbers.join(","))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    let columns: Vec<String> = (1..=COLUMNS).map(|n| format!("column{n}")).collect();
    format!(
        "INSERT INTO event \
         (source, connection, delivery, lane, topic, received_at, state, outcome, body) \
         SELECT {} FROM (VALUES {}) AS v WHERE column1 IS NOT NULL \
         ON CONFLICT (connection, source, delivery) DO NOTHING \
         RETURNING id, connection, source, delivery",
        columns.join(","),
        rows.join(",")
    )
}
