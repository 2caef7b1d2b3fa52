//! A ticket with those that are merged into it: what the group counts, and how many stand in each
//! status.

use bowline_domain::feedback::ids::TicketId;
use bowline_domain::time::Millis;

use crate::db::{Conn, values};
use crate::error::StoreError;

/// Where a ticket stands, as far as counting needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) product: i64,
    pub(crate) status: i64,
    pub(crate) merged_into: Option<i64>,
}

/// Where a ticket stands, if it is there.
pub(crate) async fn standing(
    conn: &mut Conn,
    id: TicketId,
) -> Result<Option<Standing>, StoreError> {
    const SQL: &str = "SELECT product, status, merged_into FROM ticket WHERE id = $1";
    let rows = conn
        .rows("looking where a ticket stands", SQL, values![id.0])
        .await?;
    rows.first()
        .map(|row| {
            Ok(Standing {
                product: row.int(0)?,
                status: row.int(1)?,
                merged_into: row.int_or_null(2)?,
            })
        })
        .transpose()
}

/// Counts a ticket in or out of a status.
pub(crate) async fn count(
    conn: &mut Conn,
    product: i64,
    status: i64,
    by: i64,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO ticket_count (product, status, tickets) VALUES ($1,$2,$3) \
        ON CONFLICT (product, status) DO UPDATE SET \
          tickets = ticket_count.tickets + excluded.tickets";
    conn.run("counting tickets", SQL, values![product, status, by])
        .await
        .map(drop)
}

/// Counts the people, companies and spend of a group anew.
pub(crate) async fn regroup(conn: &mut Conn, id: TicketId) -> Result<(), StoreError> {
    const COUNT: &str = "SELECT COUNT(DISTINCT contact), COUNT(DISTINCT company) FROM ticket \
        WHERE id = $1 OR merged_into = $2";
    const SPEND: &str = "SELECT CAST(COALESCE(SUM(most), 0) AS BIGINT) FROM ( \
        SELECT MAX(own_spend) AS most FROM ticket \
        WHERE (id = $1 OR merged_into = $2) AND company IS NOT NULL GROUP BY company) AS each";
    const KEEP: &str = "UPDATE ticket SET people = $1, companies = $2, spend = $3 WHERE id = $4";
    let doing = "counting a group of tickets";
    let counted = conn.rows(doing, COUNT, values![id.0, id.0]).await?;
    let spent = conn.rows(doing, SPEND, values![id.0, id.0]).await?;
    if let (Some(counted), Some(spent)) = (counted.first(), spent.first()) {
        let args = values![counted.int(0)?, counted.int(1)?, spent.int(0)?, id.0];
        conn.run(doing, KEEP, args).await?;
    }
    Ok(())
}

/// Writes down what happened to a ticket.
pub(crate) async fn note(
    conn: &mut Conn,
    id: TicketId,
    (who, at): (&str, Millis),
    what: &str,
    detail: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO ticket_history (ticket, at, who, what, detail) \
        VALUES ($1,$2,$3,$4,$5)";
    let args = values![id.0, at.0, who, what, detail];
    conn.run("writing down what happened to a ticket", SQL, args)
        .await
        .map(drop)
}
