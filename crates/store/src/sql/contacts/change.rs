//! What changes of one contact: by hand, and by what Intercom says of it besides its fields.

use bowline_domain::contacts::Life;
use bowline_domain::contacts::ids::{ConflictId, ContactId, RemoteContactId};
use bowline_domain::contacts::profile::Profile;
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;

use super::{WORDS, imported};
use crate::contacts::{Contact, FieldEdit, Kept};
use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::sql::contacts::read;
use crate::sql::contacts::take::locate;
use crate::sql::feedback::person;

/// Writes a contact after its fields were changed here.
pub(super) async fn rewrite(conn: &mut Conn, contact: &Contact) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE contact SET external = $2, email = $3, name = $4, differs = $5, \
        edits = $6, unclear = $7 WHERE id = $1";
    let kept = Kept::of(&contact.profile, &contact.role, contact.remote.as_ref())?;
    let args = values![
        contact.id.0,
        kept.external.as_ref(),
        kept.email.as_ref(),
        &kept.name,
        kept.differs,
        &kept.edits,
        contact.unclear,
    ];
    conn.run("changing a contact", SQL, args).await?;
    WORDS
        .put(
            conn,
            "writing the words of contacts",
            [(contact.id.0, kept.words)],
        )
        .await
}

pub(crate) async fn edit(conn: &mut Conn, edit: &FieldEdit) -> Result<bool, StoreError> {
    let Some(mut contact) = read::by_id(conn, edit.contact).await? else {
        return Ok(false);
    };
    let before = contact.profile.clone();
    match &edit.edit {
        Some(value) => contact.profile.edit(edit.name.clone(), value.clone()),
        None => {
            contact.profile.use_remote(&edit.name);
        }
    }
    let value = |profile: &Profile| {
        let shown = profile.shown(&edit.name);
        (shown.value.cloned(), shown.edit.is_some())
    };
    if value(&before) == value(&contact.profile) {
        return Ok(false);
    }
    rewrite(conn, &contact).await?;
    imported::follow(conn, edit).await?;
    Ok(true)
}

pub(crate) async fn set_life(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    remote: &RemoteContactId,
    life: Life,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE contact SET life = $3 WHERE workspace = $1 AND remote = $2";
    let args = values![workspace.as_str(), remote.as_str(), life.code()];
    conn.run("archiving a contact", SQL, args).await.map(drop)
}

/// Follows a merge at Intercom. If the one that goes on is not known yet, the one that is gone
/// becomes it, and what is read of it next is laid under.
pub(crate) async fn merge_remote(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    from: &RemoteContactId,
    into: &RemoteContactId,
    at: Millis,
) -> Result<(), StoreError> {
    let Some(into) = locate(conn, workspace, into).await? else {
        return Ok(());
    };
    match locate(conn, workspace, from).await? {
        Some(from) if from != into => merge(conn, from, into, at).await.map(drop),
        Some(_) => Ok(()),
        None => {
            // Never seen here: what is told of it later is late.
            let known_as = read::by_id(conn, into).await?;
            if let Some(stays) = known_as.and_then(|known| known.remote) {
                person::move_to(conn, workspace, from, &stays).await?;
            }
            alias(conn, workspace, (None, Some(from)), into, at).await
        }
    }
}

/// Keeps where somebody went. One that was never known here has no number of its own, and gets a
/// negative one that its id makes.
async fn alias(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    (was, remote): (Option<ContactId>, Option<&RemoteContactId>),
    into: ContactId,
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO contact_alias (was, workspace, remote, contact, at) \
        VALUES ($1,$2,$3,$4,$5) ON CONFLICT DO NOTHING";
    let made = || {
        let id = remote.map_or("", RemoteContactId::as_str);
        let digest = bowline_domain::contacts::remote::digest(&[workspace.as_str(), id]);
        digest
            .checked_abs()
            .unwrap_or(i64::MAX)
            .max(1)
            .wrapping_neg()
    };
    let args = values![
        was.map_or_else(made, |was| was.0),
        workspace.as_str(),
        remote.map(|remote| remote.as_str().to_owned()),
        into.0,
        at.0,
    ];
    conn.run("keeping where a contact went", SQL, args)
        .await
        .map(drop)
}

/// Merges one contact into another of the same workspace.
pub(crate) async fn merge(
    conn: &mut Conn,
    from: ContactId,
    into: ContactId,
    at: Millis,
) -> Result<bool, StoreError> {
    const ALIASES: &str = "UPDATE contact_alias SET contact = $2 WHERE contact = $1";
    const MEMBER: &str = "INSERT INTO membership (contact, workspace, company) \
        SELECT $2, workspace, company FROM membership WHERE contact = $1 \
        ON CONFLICT (contact, company) DO NOTHING";
    if from == into {
        return Ok(false);
    }
    let (Some(gone), Some(mut stays)) = (
        read::by_id(conn, from).await?,
        read::by_id(conn, into).await?,
    ) else {
        return Ok(false);
    };
    if gone.workspace != stays.workspace {
        return Ok(false);
    }
    stays.profile.merge(&gone.profile, at);
    imported::merge(conn, from, into).await?;
    let both = values![from.0, into.0];
    conn.run("moving other ids of a contact", ALIASES, both.clone())
        .await?;
    conn.run("moving companies of a contact", MEMBER, both)
        .await?;
    super::erase::rows(conn, from).await?;
    let becomes = stays.remote.is_none() && gone.remote.is_some();
    let (workspace, known_as) = (stays.workspace.clone(), stays.remote.clone());
    if becomes {
        // The one that stays is known by the other's id from now on.
        become_remote(conn, &mut stays, &gone).await?;
        alias(conn, &stays.workspace, (Some(from), None), into, at).await?;
    } else {
        let was = (Some(from), gone.remote.as_ref());
        if let (Some(gone), Some(stays)) = (&gone.remote, &known_as) {
            person::move_to(conn, &workspace, gone, stays).await?;
        }
        alias(conn, &stays.workspace, was, into, at).await?;
    }
    rewrite(conn, &stays).await?;
    answered(conn, from, into, at).await?;
    Ok(true)
}

async fn become_remote(
    conn: &mut Conn,
    stays: &mut Contact,
    gone: &Contact,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE contact SET remote = $2, role = $3, updated_at = $4, digest = 0, \
        remote_fields = $5, life = $6 WHERE id = $1";
    stays.remote.clone_from(&gone.remote);
    stays.role.clone_from(&gone.role);
    stays.life = gone.life;
    stays.profile.take_in(gone.profile.remote.clone());
    let args = values![
        stays.id.0,
        gone.remote
            .as_ref()
            .map(|remote| remote.as_str().to_owned()),
        gone.role.as_str(),
        // The digest is left out, so that the next reading is taken in whatever it says.
        0,
        crate::sql::decide::json(&stays.profile.remote)?,
        stays.life.code(),
    ];
    conn.run("making a contact known by its id", SQL, args)
        .await
        .map(drop)
}

/// Questions about one who is gone are answered by it; those that name them as a candidate are
/// asked about the one who stays.
async fn answered(
    conn: &mut Conn,
    from: ContactId,
    into: ContactId,
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE contact_conflict SET decided_at = $2, decision = $3 \
        WHERE contact = $1 AND decided_at IS NULL";
    let args = values![from.0, at.0, format!("merged {into}")];
    conn.run("answering who somebody is", SQL, args)
        .await
        .map(drop)
}

pub(crate) async fn decide_conflict(
    conn: &mut Conn,
    id: ConflictId,
    into: Option<ContactId>,
    at: Millis,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE contact_conflict SET decided_at = $2, decision = 'apart' \
        WHERE id = $1 AND decided_at IS NULL";
    const CLEAR: &str = "UPDATE contact SET unclear = 0 WHERE id = $1";
    let Some(conflict) = read::conflict(conn, id).await? else {
        return Ok(false);
    };
    if let Some(into) = into {
        if !conflict.candidates.contains(&into) {
            return Ok(false);
        }
        // The one that was here first keeps its number, and what was edited of it.
        return merge(conn, conflict.contact, into, at).await;
    }
    conn.run("deciding that somebody is new", SQL, values![id.0, at.0])
        .await?;
    conn.run("making a contact clear", CLEAR, values![conflict.contact.0])
        .await?;
    Ok(true)
}
