//! Taking in what Intercom tells of contacts: many at once, in few statements. What says what is
//! known already costs one look and no write.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bowline_domain::contacts::ids::{ContactId, RemoteContactId};
use bowline_domain::contacts::matching::{By, Candidates, Match, find, may_be_one};
use bowline_domain::contacts::profile::Edits;
use bowline_domain::contacts::{Freshness, Life, freshness};
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;

use super::{LOCAL, Stored, WORDS, read_edits};
use crate::contacts::{ContactChange, ContactChanges, Kept, Prepared, Taken};
use crate::db::{Conn, Value, values};
use crate::error::StoreError;
use crate::model::{Decided, Decision};
use crate::sql::contacts::{change, companies, erase};
use crate::sql::decide::json;

/// What is known of a contact before it is taken in.
struct Known {
    id: ContactId,
    updated_at: i64,
    digest: i64,
    life: Life,
    unclear: bool,
    edits: Edits,
    external: Option<String>,
}

/// Those of a batch that somebody is found for, by what they are found.
#[derive(Default)]
struct Lookup {
    known: HashMap<String, Known>,
    merged: HashMap<String, ContactId>,
    erased: HashSet<i64>,
    by_external: HashMap<String, Vec<ContactId>>,
    by_email: HashMap<String, Vec<ContactId>>,
    local: HashMap<ContactId, Known>,
}

/// A contact that is to be written.
struct Write<'c> {
    contact: &'c Prepared,
    kept: Cow<'c, Kept>,
    life: Life,
    unclear: bool,
    asked: Option<(By, Vec<ContactId>)>,
}

/// Applies what events mean for contacts.
pub(crate) async fn store(
    conn: &mut Conn,
    decided: &[(&Decision, &Decided)],
) -> Result<(), StoreError> {
    for (_, decided) in decided {
        if let Some(changes) = &decided.contacts {
            apply(conn, changes).await?;
        }
    }
    Ok(())
}

pub(super) async fn apply(conn: &mut Conn, changes: &ContactChanges) -> Result<(), StoreError> {
    let ContactChanges {
        workspace,
        changes,
        at,
    } = changes;
    for change in changes {
        match change {
            ContactChange::Take { contact, life } => {
                let one = [Prepared::of(workspace, contact.as_ref().clone())?];
                take_in(conn, workspace, &one, *life, *at).await?;
            }
            ContactChange::SetLife(remote, life) => {
                change::set_life(conn, workspace, remote, *life).await?;
            }
            ContactChange::Merge { from, into } => {
                change::merge_remote(conn, workspace, from, into, *at).await?;
            }
            ContactChange::Erase(remote) => erase::remote(conn, workspace, remote, *at).await?,
            ContactChange::Company(company) => {
                let one = std::slice::from_ref(company.as_ref());
                companies::take_in(conn, workspace, one, *at).await?;
            }
            ContactChange::CompanyGone(remote) => companies::gone(conn, workspace, remote).await?,
        }
    }
    Ok(())
}

/// Takes contacts in. `life` is how they are, where that is known: a list shows only live ones.
pub(crate) async fn take_in(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    contacts: &[Prepared],
    life: Option<Life>,
    at: Millis,
) -> Result<Taken, StoreError> {
    let mut taken = Taken::default();
    let batch = newest_of_each(contacts, &mut taken);
    let mut lookup = look_up(conn, workspace, &batch).await?;
    let (mut fresh, mut changed) = (Vec::new(), Vec::new());
    for contact in batch {
        let known = match find(&lookup.candidates(contact)) {
            Match::Erased | Match::Merged(_) => {
                taken.passed_over += 1;
                continue;
            }
            Match::Known(_) => lookup.known.get(contact.id.as_str()),
            Match::Joins(id, _) => {
                lookup.joined(id);
                lookup.local.get(&id)
            }
            found @ (Match::New | Match::Unclear(..)) => {
                taken.fresh += 1;
                let asked = match found {
                    Match::Unclear(by, candidates) => Some((by, candidates)),
                    _ => None,
                };
                fresh.push(Write {
                    contact,
                    kept: Cow::Borrowed(&contact.kept),
                    life: life.unwrap_or_default(),
                    unclear: asked.is_some(),
                    asked,
                });
                continue;
            }
        };
        // Found a moment ago.
        let Some(known) = known else { continue };
        let life = life.unwrap_or(known.life);
        let news = freshness(
            (known.updated_at, known.digest),
            (contact.updated_at, contact.digest),
        );
        if news == Freshness::Older || (news == Freshness::Same && life == known.life) {
            taken.unchanged += 1;
            continue;
        }
        taken.updated += 1;
        let write = Write {
            contact,
            kept: contact.under(&known.edits)?,
            life,
            unclear: known.unclear,
            asked: None,
        };
        changed.push((known.id, write));
    }
    insert(conn, workspace, &fresh, at).await?;
    update(conn, workspace, &changed).await?;
    Ok(taken)
}

/// One version of each: the newest, the later one of the same age. The others count as unchanged.
fn newest_of_each<'c>(contacts: &'c [Prepared], taken: &mut Taken) -> Vec<&'c Prepared> {
    let mut places: HashMap<&str, usize> = HashMap::with_capacity(contacts.len());
    let mut batch: Vec<&Prepared> = Vec::with_capacity(contacts.len());
    for contact in contacts {
        match places.get(contact.id.as_str()) {
            None => {
                places.insert(contact.id.as_str(), batch.len());
                batch.push(contact);
            }
            Some(&place) => {
                taken.unchanged += 1;
                if contact.updated_at >= batch[place].updated_at {
                    batch[place] = contact;
                }
            }
        }
    }
    batch
}

impl Lookup {
    fn candidates(&self, contact: &Prepared) -> Candidates {
        let id = contact.id.as_str();
        let by_id = self.known.get(id).map(|known| known.id);
        if by_id.is_some() && self.erased.is_empty() {
            return Candidates {
                by_id,
                ..Candidates::default()
            };
        }
        let found = |map: &HashMap<String, Vec<ContactId>>, key: Option<&str>| {
            key.and_then(|key| map.get(key).cloned())
                .unwrap_or_default()
        };
        let external = contact.kept.external.as_deref();
        let mut by_email = found(&self.by_email, contact.kept.email.as_deref());
        by_email.retain(|id| {
            let known = self.local.get(id);
            known.is_some_and(|known| may_be_one(external, known.external.as_deref()))
        });
        Candidates {
            by_id,
            merged_into: self.merged.get(id).copied(),
            erased: self.erased.contains(&contact.tombstone),
            by_external_id: found(&self.by_external, external),
            by_email,
        }
    }

    /// Somebody was joined: nobody else of the batch can be.
    fn joined(&mut self, id: ContactId) {
        let lists = self
            .by_external
            .values_mut()
            .chain(self.by_email.values_mut());
        for list in lists {
            list.retain(|other| *other != id);
        }
    }
}

/// Those of a list, with the columns of [`read_known`] and two more. The list stands in a statement
/// of a fixed size: one of thousands of values would be prepared anew for each length.
macro_rules! known_by {
    ($column:literal, $condition:literal) => {
        concat!(
            "WITH v (workspace, sought) AS (VALUES {rows}) \
            SELECT contact.id, contact.updated_at, contact.digest, contact.life, contact.unclear, \
              contact.edits, contact.external, contact.remote, contact.email \
            FROM v JOIN contact ON contact.workspace = v.workspace AND contact.",
            $column,
            " = v.sought",
            $condition
        )
    };
}

fn read_known(row: &crate::db::Row) -> Result<Known, StoreError> {
    Ok(Known {
        id: ContactId(row.int(0)?),
        updated_at: row.int(1)?,
        digest: row.int(2)?,
        life: Life::from_code(row.int(3)?),
        unclear: row.truth(4)?,
        edits: read_edits(&row.text(5)?)?,
        external: row.text_or_null(6)?,
    })
}

async fn look_up(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    batch: &[&Prepared],
) -> Result<Lookup, StoreError> {
    const BY_ID: &str = known_by!("remote", "");
    let mut lookup = Lookup::default();
    if batch.is_empty() {
        return Ok(lookup);
    }
    let args = each_of(workspace, batch.iter().map(|contact| contact.id.as_str()));
    let rows = conn
        .rows_of_many("finding contacts by id", BY_ID, 2, args)
        .await?;
    for row in &rows {
        let remote = row.text_or_null(7)?.unwrap_or_default();
        lookup.known.insert(remote, read_known(row)?);
    }
    let unknown: Vec<&Prepared> = batch
        .iter()
        .copied()
        .filter(|contact| !lookup.known.contains_key(contact.id.as_str()))
        .collect();
    if unknown.is_empty() {
        return Ok(lookup);
    }
    look_up_gone(conn, workspace, &unknown, &mut lookup).await?;
    look_up_local(conn, workspace, &unknown, &mut lookup).await?;
    Ok(lookup)
}

/// A row of a workspace and a key for each key.
fn each_of<'k>(workspace: &WorkspaceName, keys: impl Iterator<Item = &'k str>) -> Vec<Value> {
    let name = Arc::from(workspace.as_str());
    keys.flat_map(|key| values![&name, key]).collect()
}

/// Those that were merged away or erased.
async fn look_up_gone(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    unknown: &[&Prepared],
    lookup: &mut Lookup,
) -> Result<(), StoreError> {
    const MERGED: &str = "WITH v (workspace, remote) AS (VALUES {rows}) \
        SELECT a.remote, a.contact FROM v JOIN contact_alias a \
          ON a.workspace = v.workspace AND a.remote = v.remote";
    const ERASED: &str = "WITH v (workspace, digest) AS (VALUES {rows}) \
        SELECT t.digest FROM v JOIN contact_tombstone t \
          ON t.workspace = v.workspace AND t.digest = v.digest";
    // In most workspaces there are none of either, and it need not be asked of each contact.
    const ANY: &str = "SELECT 1 WHERE EXISTS (SELECT 1 FROM contact_alias WHERE workspace = $1) \
          OR EXISTS (SELECT 1 FROM contact_tombstone WHERE workspace = $1)";
    let doing = "asking for contacts that are gone";
    let any = conn.rows(doing, ANY, values![workspace.as_str()]).await?;
    if any.is_empty() {
        return Ok(());
    }
    let args = each_of(workspace, unknown.iter().map(|contact| contact.id.as_str()));
    let rows = conn
        .rows_of_many("finding merged contacts", MERGED, 2, args)
        .await?;
    for row in &rows {
        lookup.merged.insert(row.text(0)?, ContactId(row.int(1)?));
    }
    let args: Vec<Value> = unknown
        .iter()
        .flat_map(|contact| values![workspace.as_str(), contact.tombstone])
        .collect();
    let rows = conn
        .rows_of_many("finding erased contacts", ERASED, 2, args)
        .await?;
    for row in &rows {
        lookup.erased.insert(row.int(0)?);
    }
    Ok(())
}

/// Those whom Intercom does not know yet, by external id and e-mail address.
async fn look_up_local(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    unknown: &[&Prepared],
    lookup: &mut Lookup,
) -> Result<(), StoreError> {
    const ANY: &str = "SELECT id FROM contact WHERE workspace = $1 AND role = $2 LIMIT 1";
    const BY_EXTERNAL: &str = known_by!("external", " WHERE contact.remote IS NULL");
    const BY_EMAIL: &str = known_by!("email", " WHERE contact.remote IS NULL");
    let any = conn
        .rows(
            "asking for imported contacts",
            ANY,
            values![workspace.as_str(), LOCAL],
        )
        .await?;
    if any.is_empty() {
        return Ok(());
    }
    let kept = || unknown.iter().map(|contact| &contact.kept);
    let externals: Vec<&str> = kept().filter_map(|kept| kept.external.as_deref()).collect();
    let emails: Vec<&str> = kept().filter_map(|kept| kept.email.as_deref()).collect();
    for (sql, mut keys) in [(BY_EXTERNAL, externals), (BY_EMAIL, emails)] {
        // One that two of them have is found once.
        keys.sort_unstable();
        keys.dedup();
        let args = each_of(workspace, keys.into_iter());
        let doing = "finding imported contacts";
        let rows = conn.rows_of_many(doing, sql, 2, args).await?;
        for row in &rows {
            let known = read_known(row)?;
            let (map, key) = if sql == BY_EXTERNAL {
                (&mut lookup.by_external, known.external.clone())
            } else {
                (&mut lookup.by_email, row.text_or_null(8)?)
            };
            map.entry(key.unwrap_or_default())
                .or_default()
                .push(known.id);
            lookup.local.insert(known.id, known);
        }
    }
    Ok(())
}

impl Write<'_> {
    fn stored(&self) -> Stored<'_> {
        Stored {
            remote: Some(&self.contact.id),
            role: &self.contact.role,
            life: self.life,
            unclear: self.unclear,
            updated_at: self.contact.updated_at,
            digest: self.contact.digest,
            kept: &self.kept,
        }
    }
}

async fn insert(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    fresh: &[Write<'_>],
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO contact (workspace, since, remote, external, email, name, role, \
          life, unclear, differs, updated_at, digest, remote_fields, edits) {inserted} \
        RETURNING id, remote";
    if fresh.is_empty() {
        return Ok(());
    }
    let name = Arc::from(workspace.as_str());
    let mut args = Vec::with_capacity(fresh.len() * 14);
    for write in fresh {
        args.extend(values![&name, at.0]);
        args.extend(write.stored().values());
    }
    let ids = conn
        .ids_of_many("adding contacts", SQL, (14, 2), args)
        .await?;
    let all: Vec<(i64, &Write<'_>)> = ids.into_iter().zip(fresh).collect();
    let words = all
        .iter()
        .map(|(id, write)| (*id, Arc::clone(&write.kept.words)));
    WORDS
        .add(conn, "adding the words of contacts", words)
        .await?;
    let memberships = memberships(workspace, &all);
    conn.rows_of_many("joining companies at first", JOIN_FIRST, 3, memberships)
        .await?;
    ask(conn, workspace, &all, at).await
}

async fn update(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    changed: &[(ContactId, Write<'_>)],
) -> Result<(), StoreError> {
    const SQL: &str = "WITH v (id, remote, external, email, name, role, life, unclear, differs, \
          updated_at, digest, remote_fields, edits) AS (VALUES {rows}) \
        UPDATE contact SET remote = v.remote, external = v.external, email = v.email, \
          name = v.name, role = v.role, life = v.life, unclear = v.unclear, differs = v.differs, \
          updated_at = v.updated_at, digest = v.digest, remote_fields = v.remote_fields, \
          edits = v.edits \
        FROM v WHERE contact.id = v.id";
    const LEFT: &str = "WITH v (id) AS (VALUES {rows}) \
        DELETE FROM membership WHERE contact IN (SELECT id FROM v)";
    if changed.is_empty() {
        return Ok(());
    }
    let mut args = Vec::with_capacity(changed.len() * 13);
    for (id, write) in changed {
        args.push(Value::from(id.0));
        args.extend(write.stored().values());
    }
    conn.rows_of_many("changing contacts", SQL, 13, args)
        .await?;
    let all: Vec<(i64, &Write<'_>)> = changed.iter().map(|(id, write)| (id.0, write)).collect();
    let words = all
        .iter()
        .map(|(id, write)| (*id, Arc::clone(&write.kept.words)));
    WORDS
        .put(conn, "writing the words of contacts", words)
        .await?;
    // What a list cut off at ten says nothing of the rest, so nobody leaves a company by it.
    let whole = all
        .iter()
        .filter(|(_, write)| write.contact.companies_complete);
    let left: Vec<Value> = whole.map(|(id, _)| Value::from(*id)).collect();
    conn.rows_of_many("leaving companies", LEFT, 1, left)
        .await?;
    let memberships = memberships(workspace, &all);
    conn.rows_of_many("joining companies", JOIN, 3, memberships)
        .await
        .map(drop)
}

/// Who is new belongs to no company yet. To look for it all the same would cost as much as to insert.
const JOIN_FIRST: &str = "INSERT INTO membership (contact, workspace, company) {inserted}";

const JOIN: &str = "INSERT INTO membership (contact, workspace, company) {inserted} \
    ON CONFLICT (contact, company) DO NOTHING";

/// The rows of who belongs to which company: of each contact a company once.
fn memberships(workspace: &WorkspaceName, all: &[(i64, &Write<'_>)]) -> Vec<Value> {
    let name = Arc::from(workspace.as_str());
    let mut rows = Vec::new();
    for (id, write) in all {
        for company in &write.contact.companies {
            rows.extend(values![*id, &name, company.as_str()]);
        }
    }
    rows
}

/// Asks who those are that several were found for.
async fn ask(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    all: &[(i64, &Write<'_>)],
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO contact_conflict (workspace, contact, known_by, candidates, at) \
        {inserted}";
    let mut args = Vec::new();
    for (id, write) in all {
        if let Some((by, candidates)) = &write.asked {
            let row = values![
                workspace.as_str(),
                *id,
                by.as_str(),
                json(candidates)?,
                at.0
            ];
            args.extend(row);
        }
    }
    conn.rows_of_many("asking who somebody is", SQL, 5, args)
        .await
        .map(drop)
}

/// The contact with this id at Intercom, or the one it was merged into.
pub(crate) async fn locate(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    remote: &RemoteContactId,
) -> Result<Option<ContactId>, StoreError> {
    const SQL: &str = "SELECT id FROM contact WHERE workspace = $1 AND remote = $2 \
        UNION ALL SELECT contact FROM contact_alias WHERE workspace = $1 AND remote = $2";
    let rows = conn
        .rows(
            "locating a contact",
            SQL,
            values![workspace.as_str(), remote.as_str()],
        )
        .await?;
    rows.first()
        .map(|row| row.int(0).map(ContactId))
        .transpose()
}
