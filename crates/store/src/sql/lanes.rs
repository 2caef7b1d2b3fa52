//! Lanes: enqueue, finish an item, postpone, renew.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use bowline_domain::ids::LaneKey;
use bowline_domain::time::Millis;

use crate::committer::Writer;
use crate::db::{Conn, Dialect, ROWS_MAX, Row, Value, in_list, values};
use crate::error::StoreError;
use crate::model::{LaneKind, Lease, NewEvent};
use crate::postgres::literal;

/// How long a lane is held without being renewed. Longer than any remote call's deadline, so that
/// a lane is not taken over while a call of a live worker is under way; no longer than needed,
/// because what a replica held that died waits for so long.
pub(crate) const LEASE_MS: i64 = 35_000;

/// Items that are put into one lane.
pub(crate) struct Enqueue {
    pub(crate) kind: LaneKind,
    pub(crate) connection: String,
    pub(crate) items: i64,
    pub(crate) at: Millis,
    /// Take the lane if it is idle.
    pub(crate) take: bool,
}

impl Enqueue {
    /// For a delivery that is to be planned.
    pub(crate) fn of_event(event: &NewEvent) -> Self {
        Self {
            kind: LaneKind::Events,
            connection: event.connection.key(),
            items: 0,
            at: event.received_at,
            take: event.take,
        }
    }

    /// Owner, token and end of the lease under which the lane is to be taken; nobody, nothing and
    /// never for one that is not.
    pub(crate) fn proposal<'w>(&self, writer: &'w Writer) -> (&'w str, i64, i64) {
        if self.take {
            let until = self.at.plus_ms(LEASE_MS).0;
            (writer.owner.as_str(), writer.token(), until)
        } else {
            ("", 0, 0)
        }
    }
}

/// Does something wait in a lane? An empty one is due never ([`Millis::NEVER`]), and an index is there
/// for exactly these words.
pub(crate) const WAITS: &str = "due_at <> 9223372036854775807";

/// What follows the rows of an `INSERT` into lanes: a lane that is there counts its new items, and
/// is taken as proposed if it is idle.
pub(crate) const ADD_OR_TAKE: &str = "ON CONFLICT (key) DO UPDATE SET \
      pending = lane.pending + excluded.pending, \
      connection = excluded.connection, \
      owner = CASE WHEN lane.pending = 0 THEN excluded.owner ELSE lane.owner END, \
      token = CASE WHEN lane.pending = 0 THEN excluded.token ELSE lane.token END, \
      lease_until = CASE WHEN lane.pending = 0 THEN excluded.lease_until \
        ELSE lane.lease_until END, \
      due_at = CASE WHEN lane.pending = 0 THEN excluded.due_at ELSE lane.due_at END \
    RETURNING key, token";

/// Sets a lane to one item less. An empty lane is let go.
pub(crate) const COUNT_ONE_OUT: &str = "pending = lane.pending - 1, \
      owner = CASE WHEN lane.pending <= 1 THEN '' ELSE lane.owner END, \
      token = CASE WHEN lane.pending <= 1 THEN 0 ELSE lane.token END, \
      lease_until = CASE WHEN lane.pending <= 1 THEN 0 ELSE lane.lease_until END, \
      due_at = CASE WHEN lane.pending <= 1 THEN 9223372036854775807 ELSE lane.due_at END, \
      failures = 0";

/// Who holds a lane. Nobody: the owner is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    owner: String,
    token: i64,
}

impl Holder {
    /// Does this process hold the lane under this lease?
    pub(crate) fn holds(&self, writer: &Writer, lease: &Lease) -> bool {
        self.owner == writer.owner && self.token == lease.token
    }

    /// Does nobody hold it?
    pub(crate) fn nobody(&self) -> bool {
        self.owner.is_empty()
    }
}

/// Locks the rows of lanes until the transaction ends, in the order of their keys, and says who
/// holds them. A lane that has no row yet is missing from the answer.
///
/// A transaction that touches lanes for several reasons locks all of them here first: else two
/// replicas could each hold a row that the other one wants.
pub(crate) async fn lock(
    conn: &mut Conn,
    lanes: &BTreeSet<LaneKey>,
) -> Result<HashMap<LaneKey, Holder>, StoreError> {
    let keys: Vec<&str> = lanes.iter().map(LaneKey::as_str).collect();
    let mut holders = HashMap::with_capacity(keys.len());
    for chunk in keys.chunks(ROWS_MAX) {
        for row in locked(conn, chunk).await? {
            let holder = Holder {
                owner: row.text(1)?,
                token: row.int(2)?,
            };
            holders.insert(LaneKey::stored(row.text(0)?), holder);
        }
    }
    Ok(holders)
}

/// Key, owner and token of lanes. On PostgreSQL the transaction begins with it, as a rule.
async fn locked(conn: &mut Conn, keys: &[&str]) -> Result<Vec<Row>, StoreError> {
    let doing = "locking lanes";
    let statement = |list: &str, dialect: Dialect| {
        let order = dialect.lock_in_order();
        format!("SELECT key, owner, token FROM lane WHERE key IN {list} {order}")
    };
    let dialect = conn.dialect();
    if dialect == Dialect::Postgres {
        let texts: Vec<String> = keys.iter().map(|key| literal(key)).collect();
        let sql = statement(&format!("({})", texts.join(",")), dialect);
        return conn.rows_at_begin(doing, &sql).await;
    }
    let (list, args) = in_list(1, keys.iter().copied());
    conn.rows(doing, &statement(&list, dialect), args).await
}

/// Counts new items into their lanes and takes those that are idle and wanted. Lanes are touched
/// in the order of their keys, so that two replicas do not lock each other out.
pub(crate) async fn enqueue(
    conn: &mut Conn,
    writer: &Writer,
    lanes: &BTreeMap<LaneKey, Enqueue>,
) -> Result<HashMap<LaneKey, Lease>, StoreError> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "INSERT INTO lane \
             (key, kind, connection, pending, due_at, owner, token, lease_until, failures) \
             {{inserted}} {ADD_OR_TAKE}"
        )
    });
    let mut proposed = HashSet::new();
    let mut leases = HashMap::new();
    let mut args = Vec::with_capacity(lanes.len() * 9);
    for (key, lane) in idle(conn, lanes)? {
        let (owner, token, until) = lane.proposal(writer);
        proposed.insert(token);
        args.extend(values![
            key.as_str(),
            lane.kind.code(),
            lane.connection.as_str(),
            lane.items,
            lane.at.0,
            owner,
            token,
            until,
            0
        ]);
    }
    for row in conn
        .rows_of_many("putting work into lanes", &SQL, 9, args)
        .await?
    {
        let token = row.int(1)?;
        if token != 0 && proposed.contains(&token) {
            let lane = LaneKey::stored(row.text(0)?);
            leases.insert(lane.clone(), Lease { lane, token });
        }
    }
    Ok(leases)
}

/// The lanes in which nothing waits. On SQLite new items are counted into the others at once: it would
/// write each index of a column anew that [`ADD_OR_TAKE`] names, and here none changes.
fn idle<'l>(
    conn: &mut Conn,
    lanes: &'l BTreeMap<LaneKey, Enqueue>,
) -> Result<Vec<(&'l LaneKey, &'l Enqueue)>, StoreError> {
    const SQL: &str = "UPDATE lane SET pending = pending + $1, connection = $2 \
        WHERE key = $3 AND pending > 0";
    if conn.dialect() == Dialect::Postgres || lanes.is_empty() {
        return Ok(lanes.iter().collect());
    }
    let args: Vec<Value> = lanes
        .iter()
        .flat_map(|(key, lane)| values![lane.items, lane.connection.as_str(), key.as_str()])
        .collect();
    let waiting = conn.changed_of_each("counting work into lanes", SQL, 3, &args)?;
    let all = lanes.iter().zip(waiting);
    Ok(all
        .filter(|(_, waits)| !waits)
        .map(|(lane, _)| lane)
        .collect())
}

/// Counts one item out of each lane that is still held under its lease. Returns how many items are
/// left in each; a lane that is missing from the answer was taken over. An empty lane is let go.
pub(crate) async fn finish_held(
    conn: &mut Conn,
    writer: &Writer,
    leases: &[&Lease],
) -> Result<HashMap<LaneKey, i64>, StoreError> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "WITH v (key, token, owner) AS (VALUES {{rows}}) UPDATE lane SET {COUNT_ONE_OUT} \
             FROM v WHERE lane.key = v.key AND lane.token = v.token AND lane.owner = v.owner \
             RETURNING lane.key, lane.pending"
        )
    });
    let mut sorted = leases.to_vec();
    sorted.sort_by(|a, b| a.lane.cmp(&b.lane));
    let mut left = HashMap::new();
    let args = sorted
        .iter()
        .flat_map(|lease| values![lease.lane.as_str(), lease.token, writer.owner.as_str()])
        .collect();
    for row in conn
        .rows_of_many("finishing work in lanes", &SQL, 3, args)
        .await?
    {
        left.insert(LaneKey::stored(row.text(0)?), row.int(1)?);
    }
    Ok(left)
}

/// Counts an item out of a lane whoever holds it, and lets an empty lane go.
pub(crate) async fn finish_any(conn: &mut Conn, lane: &LaneKey) -> Result<(), StoreError> {
    let sql = format!("UPDATE lane SET {COUNT_ONE_OUT} WHERE key = $1 AND pending > 0");
    conn.run("finishing work in a lane", &sql, values![lane.as_str()])
        .await
        .map(drop)
}

/// Lets a lane go until `due_at`, to wait for another connection than before if one is named.
pub(crate) async fn postpone(
    conn: &mut Conn,
    lease: &Lease,
    due_at: Millis,
    failed: bool,
    connection: Option<&str>,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE lane SET owner = '', token = 0, lease_until = 0, due_at = $1, \
        failures = CASE WHEN $2 = 1 THEN failures + 1 ELSE failures END, \
        connection = COALESCE($3, connection) WHERE key = $4 AND token = $5";
    let failed = i64::from(failed);
    let args = values![
        due_at.0,
        failed,
        connection.map(str::to_owned),
        lease.lane.as_str(),
        lease.token
    ];
    conn.run("letting a lane go", SQL, args).await.map(drop)
}

/// Keeps every lane that this process holds.
pub(crate) async fn renew(conn: &mut Conn, owner: &str, now: Millis) -> Result<u64, StoreError> {
    let sql = format!(
        "UPDATE lane SET lease_until = $1 \
         WHERE key IN (SELECT key FROM lane WHERE owner = $2 AND owner <> '' {})",
        conn.dialect().lock_in_order()
    );
    conn.run(
        "keeping lanes",
        &sql,
        values![now.plus_ms(LEASE_MS).0, owner],
    )
    .await
}

/// Frees every lane, whoever held it: right after the start of the only process.
pub(crate) async fn free_all(conn: &mut Conn) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE lane SET owner = '', token = 0, lease_until = 0 WHERE owner <> ''";
    conn.run("freeing lanes", SQL, Vec::new()).await
}

/// Frees the lanes of one process: when it ends, and when one of its name starts again.
pub(crate) async fn free_own(conn: &mut Conn, owner: &str) -> Result<u64, StoreError> {
    let sql = format!(
        "UPDATE lane SET owner = '', token = 0, lease_until = 0 \
         WHERE key IN (SELECT key FROM lane WHERE owner = $1 AND owner <> '' {})",
        conn.dialect().lock_in_order()
    );
    conn.run("freeing own lanes", &sql, values![owner]).await
}

/// Lets a lane go as it is; what waits in it is due as before.
pub(crate) async fn release(conn: &mut Conn, lease: &Lease) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE lane SET owner = '', token = 0, lease_until = 0 \
        WHERE key = $1 AND token = $2";
    conn.run(
        "releasing a lane",
        SQL,
        values![lease.lane.as_str(), lease.token],
    )
    .await
    .map(drop)
}

/// Lets the lanes go that this process holds under tokens from `first` up to but not `end`.
pub(crate) async fn release_tokens(
    conn: &mut Conn,
    owner: &str,
    (first, end): (i64, i64),
) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE lane SET owner = '', token = 0, lease_until = 0 \
         WHERE key IN (SELECT key FROM lane \
           WHERE owner = $1 AND owner <> '' AND token >= $2 AND token < $3 {})",
        conn.dialect().lock_in_order()
    );
    conn.run("releasing lanes by token", &sql, values![owner, first, end])
        .await
        .map(drop)
}

/// Makes the waiting lanes of a connection due now: after it was mended. Those that were due
/// before keep their place. Returns how many lanes wait.
pub(crate) async fn hasten(
    conn: &mut Conn,
    connection: &str,
    now: Millis,
) -> Result<u64, StoreError> {
    let sql = format!(
        "UPDATE lane SET failures = 0, due_at = CASE WHEN due_at > $1 THEN $1 ELSE due_at END \
         WHERE key IN (SELECT key FROM lane \
           WHERE connection = $2 AND {WAITS} AND owner = '' {})",
        conn.dialect().lock_in_order()
    );
    conn.run("hastening lanes", &sql, values![now.0, connection])
        .await
}
