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
use rusqlite::params;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use bowline_store::{Open, Store};

use crate::Bench;
use crate::database::Database;
use crate::delivery::SECRET;
use crate::product::Serving;

/// The variable that tells the process its database.
const DATABASE_VARIABLE: &str = "BOWLINE_BENCH_DATABASE";

/// As in the store: inserts of one transaction.
const GROUP_MAX: usize = 256;

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
    let writing = async move {
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
    };
    // As in the store: SQLite's statements run where they are called, on a thread of their own.
    if url.starts_with("sqlite:") {
        let runtime = tokio::runtime::Handle::current();
        std::thread::spawn(move || runtime.block_on(writing));
    } else {
        tokio::spawn(writing);
    }
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
enum Writer {
    Sqlite(Box<rusqlite::Connection>),
    Postgres(PgConnection),
}

/// What stands in the columns besides the delivery and its body.
const SOURCE: &str = "jira";
const CONNECTION: &str = "site/acme-jira";
const LANE: &str = "event/acme-jira/10040";
const TOPIC: &str = "jira:issue_updated";
const RECEIVED_AT: i64 = 1_784_541_190_000;

/// A row of SQLite's.
const OF_ONE: &str = "INSERT INTO event \
    (source, connection, delivery, lane, topic, received_at, state, outcome, body) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (connection, source, delivery) DO NOTHING";

/// An array for each column, which is as quick here as the lists of the store.
const OF_ARRAYS: &str = "INSERT INTO event \
    (source, connection, delivery, lane, topic, received_at, state, outcome, body) \
    SELECT column1, column2, column3, column4, column5, column6, column7, column8, column9 \
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], \
      $7::bigint[], $8::text[], $9::text[]) \
      AS v (column1, column2, column3, column4, column5, column6, column7, column8, column9) \
    WHERE column1 IS NOT NULL \
    ON CONFLICT (connection, source, delivery) DO NOTHING \
    RETURNING id, connection, source, delivery";

impl Writer {
    /// Opens the database as the store does.
    async fn open(url: &str) -> anyhow::Result<Self> {
        let Some(path) = url.strip_prefix("sqlite:") else {
            return Ok(Self::Postgres(PgConnection::connect(url).await?));
        };
        let conn = rusqlite::Connection::open(path)?;
        conn.pragma_update(None, "journal_mode", "WAL")?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        Ok(Self::Sqlite(Box::new(conn)))
    }

    /// Makes a group durable.
    async fn commit(&mut self, group: &[Job]) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(conn) => commit_sqlite(conn, group),
            Self::Postgres(conn) => commit_postgres(conn, group).await,
        }
    }
}

/// Row by row, as the store does it.
fn commit_sqlite(conn: &rusqlite::Connection, group: &[Job]) -> anyhow::Result<()> {
    conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut insert = conn.prepare_cached(OF_ONE)?;
    let mut ids = Vec::with_capacity(group.len());
    for job in group {
        insert.execute(params![
            SOURCE,
            CONNECTION,
            job.delivery,
            LANE,
            TOPIC,
            RECEIVED_AT,
            0_i64,
            None::<&str>,
            job.body
        ])?;
        ids.push((conn.changes() > 0).then(|| conn.last_insert_rowid()));
    }
    drop(insert);
    conn.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

async fn commit_postgres(conn: &mut PgConnection, group: &[Job]) -> anyhow::Result<()> {
    let all = |text: &'static str| vec![text; group.len()];
    sqlx::query("BEGIN").execute(&mut *conn).await?;
    sqlx::query(OF_ARRAYS)
        .bind(all(SOURCE))
        .bind(all(CONNECTION))
        .bind(group.iter().map(|job| &*job.delivery).collect::<Vec<_>>())
        .bind(all(LANE))
        .bind(all(TOPIC))
        .bind(vec![RECEIVED_AT; group.len()])
        .bind(vec![0_i64; group.len()])
        .bind(vec![None::<&str>; group.len()])
        .bind(group.iter().map(|job| &*job.body).collect::<Vec<_>>())
        .fetch_all(&mut *conn)
        .await?;
    sqlx::query("COMMIT").execute(&mut *conn).await?;
    Ok(())
}
