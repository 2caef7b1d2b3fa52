//! Erasing: of one person everything.

use bowline_domain::contacts::field::FieldName;
use bowline_domain::contacts::ids::{ContactId, RemoteContactId};
use bowline_domain::contacts::remote::tombstone;
use bowline_domain::ids::{LaneKey, WorkspaceName};
use bowline_domain::time::Millis;

use super::WORDS;
use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::forget::Mark;
use crate::sql::asked;
use crate::sql::contacts::read;
use crate::sql::contacts::take::locate;
use crate::sql::feedback::person;
use crate::sql::forget;

/// Takes a contact's rows out of every table of contacts, but for where others went.
pub(crate) async fn rows(conn: &mut Conn, id: ContactId) -> Result<(), StoreError> {
    const MEMBER: &str = "DELETE FROM membership WHERE contact = $1";
    const SQL: &str = "DELETE FROM contact WHERE id = $1";
    conn.run("leaving all companies", MEMBER, values![id.0])
        .await?;
    WORDS
        .remove(conn, "taking out the words of contacts", [id.0])
        .await?;
    conn.run("removing a contact", SQL, values![id.0])
        .await
        .map(drop)
}

/// Leaves a tombstone. Who was erased by a person here and is deleted at Intercom later has the later
/// time: [`runs::erased_here`](super::runs::erased_here) tells by it who may still be there.
async fn bury(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    remote: &RemoteContactId,
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO contact_tombstone (workspace, digest, at) VALUES ($1,$2,$3) \
        ON CONFLICT (workspace, digest) DO UPDATE SET at = excluded.at";
    let digest = tombstone(workspace.as_str(), remote);
    conn.run(
        "leaving a tombstone",
        SQL,
        values![workspace.as_str(), digest, at.0],
    )
    .await
    .map(drop)
}

/// Erases who is known by an id. A tombstone is left even if nobody is: an event about them may
/// still be on the way. Of one that was merged into somebody else nothing is left but the alias,
/// and the other one stays.
pub(crate) async fn remote(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    remote: &RemoteContactId,
    at: Millis,
) -> Result<(), StoreError> {
    let known = locate(conn, workspace, remote).await?;
    bury(conn, workspace, remote, at).await?;
    told_of(conn, workspace, remote, at).await?;
    asked::erase(conn, workspace, remote.as_str()).await?;
    if let Some(id) = known
        && let Some(found) = read::by_id(conn, id).await?
        && found.remote.as_ref() == Some(remote)
    {
        contact(conn, id, at).await?;
    }
    Ok(())
}

/// Erases a contact, and has gone what deliveries said of them. False if there is none.
pub(crate) async fn contact(
    conn: &mut Conn,
    id: ContactId,
    at: Millis,
) -> Result<bool, StoreError> {
    const ALIASES: &str = "DELETE FROM contact_alias WHERE contact = $1";
    const ASKED: &str = "DELETE FROM contact_conflict WHERE contact = $1";
    let Some(known) = read::by_id(conn, id).await? else {
        return Ok(false);
    };
    let mut ids = read::aliases(conn, id).await?;
    ids.extend(
        known
            .remote
            .as_ref()
            .map(|remote| remote.as_str().to_owned()),
    );
    for remote in &ids {
        let remote = RemoteContactId::new(remote.as_str());
        bury(conn, &known.workspace, &remote, at).await?;
        told_of(conn, &known.workspace, &remote, at).await?;
        person::erase_of(conn, &known.workspace, remote.as_str(), at).await?;
        asked::erase(conn, &known.workspace, remote.as_str()).await?;
    }
    conn.run("forgetting other ids of a contact", ALIASES, values![id.0])
        .await?;
    conn.run("forgetting who is not clear", ASKED, values![id.0])
        .await?;
    rows(conn, id).await?;
    let marks = [FieldName::EMAIL, FieldName::PHONE].map(|name| known.profile.text(name));
    let marks = marks
        .into_iter()
        .filter(|text| text.len() >= MARK_BYTES_MIN);
    let marks: Vec<Mark> = marks.map(Mark::Text).collect();
    forget::remember(conn, &known.workspace, &marks, at).await?;
    Ok(true)
}

/// What deliveries said of somebody goes, as far as they are known by the id.
pub(crate) async fn told_of(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    remote: &RemoteContactId,
    at: Millis,
) -> Result<(), StoreError> {
    let lane = LaneKey::contact_events(workspace, remote);
    let marks = vec![Mark::Text(remote.as_str().to_owned())];
    forget::of_lane(conn, workspace, (&lane, marks), at).await
}

/// The shortest address or number by which deliveries are looked for: a shorter one stands in what
/// is about others.
const MARK_BYTES_MIN: usize = 6;
