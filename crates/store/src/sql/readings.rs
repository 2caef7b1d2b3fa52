//! What was last read of remote things for people to look at.

use bowline_domain::connection::Connection;
use bowline_domain::time::Millis;

use crate::db::{Conn, ROWS_MAX, Row, in_list, values};
use crate::error::StoreError;
use crate::reading::{Reading, ReadingKind, Tried};

fn read(row: &Row) -> Result<Reading, StoreError> {
    Ok(Reading {
        remote: row.text(0)?,
        body: row.text_or_null(1)?,
        read_at: row.int_or_null(2)?.map(Millis),
        tried_at: Millis(row.int(3)?),
        trouble: row.text_or_null(4)?,
    })
}

pub(crate) async fn get(
    conn: &mut Conn,
    connection: &Connection,
    kind: ReadingKind,
    remote: &[String],
) -> Result<Vec<Reading>, StoreError> {
    let mut found = Vec::new();
    for chunk in remote.chunks(ROWS_MAX) {
        let (list, listed) = in_list(3, chunk.iter().map(String::as_str));
        let sql = format!(
            "SELECT remote, body, read_at, tried_at, trouble FROM reading \
             WHERE connection = $1 AND kind = $2 AND remote IN {list}"
        );
        let mut args = values![connection.key(), kind.as_str()];
        args.extend(listed);
        for row in conn.rows("reading what was last read", &sql, args).await? {
            found.push(read(&row)?);
        }
    }
    Ok(found)
}

/// Records a try. One that began before another one that is recorded changes nothing.
pub(crate) async fn put(
    conn: &mut Conn,
    connection: &Connection,
    (kind, remote): (ReadingKind, &str),
    tried: &Tried,
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO reading \
          (connection, kind, remote, body, read_at, tried_at, trouble) \
        VALUES ($1,$2,$3,$4,$5,$6,$7) \
        ON CONFLICT (connection, kind, remote) DO UPDATE SET \
          body = CASE WHEN $8 = 1 THEN reading.body ELSE excluded.body END, \
          read_at = CASE WHEN $8 = 1 THEN reading.read_at ELSE excluded.read_at END, \
          tried_at = excluded.tried_at, trouble = excluded.trouble \
        WHERE reading.tried_at <= excluded.tried_at";
    let (body, trouble, keeps) = match tried {
        Tried::Read(body) => (Some(body.clone()), None, false),
        Tried::Failed(why) => (None, Some(why.clone()), true),
        Tried::Gone(why) => (None, Some(why.clone()), false),
    };
    let read_at = body.as_ref().map(|_| at.0);
    let args = values![
        connection.key(),
        kind.as_str(),
        remote,
        body,
        read_at,
        at.0,
        trouble,
        keeps
    ];
    conn.run("recording what was read", SQL, args)
        .await
        .map(drop)
}

pub(crate) async fn forget(conn: &mut Conn, before: Millis) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM reading WHERE tried_at < $1";
    conn.run("forgetting what was read", SQL, values![before.0])
        .await
}
