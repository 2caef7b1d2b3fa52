//! Lines of files: who each is about, what it changes, and what is kept of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bowline_domain::contacts::Life;
use bowline_domain::contacts::field::{FieldName, FieldValue, email_key};
use bowline_domain::contacts::ids::ContactId;
use bowline_domain::contacts::matching::may_be_one;
use bowline_domain::contacts::profile::{Edit, Edits, Origin, Profile};
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;

use super::change::rewrite;
use super::{COLUMNS, LOCAL, Stored, WORDS, read_contact, read_edits};
use crate::contacts::{Contact, FieldChange, FieldEdit, ImportStep, Imported, ImportedOver, Kept};
use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::sql::contacts::read;
use crate::sql::decide::json;

/// What files said of somebody, and what was set above it here, also where Intercom says the same;
/// nothing of who was never in a file.
pub(crate) async fn of(conn: &mut Conn, id: ContactId) -> Result<Edits, StoreError> {
    const SQL: &str = "SELECT imported FROM contact WHERE id = $1";
    let rows = conn
        .rows("reading what was imported", SQL, values![id.0])
        .await?;
    match rows.first() {
        Some(row) => read_edits(&row.text_or_null(0)?.unwrap_or_default()),
        None => Ok(Edits::new()),
    }
}

async fn keep(conn: &mut Conn, id: ContactId, edits: &Edits) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE contact SET imported = $2 WHERE id = $1";
    conn.run(
        "keeping what was imported",
        SQL,
        values![id.0, json(edits)?],
    )
    .await
    .map(drop)
}

/// Keeps what is set here of somebody who was imported. Where Intercom's value is to count again,
/// what the file said is kept, and what was set above it is not.
pub(super) async fn follow(conn: &mut Conn, edit: &FieldEdit) -> Result<(), StoreError> {
    let mut imported = of(conn, edit.contact).await?;
    if imported.is_empty() {
        return Ok(());
    }
    let was_set = imported
        .get(&edit.name)
        .is_some_and(|known| known.origin != Origin::Import);
    match &edit.edit {
        Some(edit_of) if edit_of.value.is_some() => {
            imported.insert(edit.name.clone(), edit_of.clone());
        }
        Some(_) => {
            imported.remove(&edit.name);
        }
        None if was_set => {
            imported.remove(&edit.name);
        }
        None => return Ok(()),
    }
    keep(conn, edit.contact, &imported).await
}

/// What was imported of one who is merged into another one goes along, where the other has nothing.
pub(super) async fn merge(
    conn: &mut Conn,
    from: ContactId,
    into: ContactId,
) -> Result<(), StoreError> {
    let mut all = of(conn, from).await?;
    if all.is_empty() {
        return Ok(());
    }
    all.extend(of(conn, into).await?);
    keep(conn, into, &all).await
}

/// Contacts with one e-mail address that are looked at.
const SAME_ADDRESS_MAX: i64 = 20;

/// Goes through lines of a file: who each is, and what it changes.
pub(crate) async fn import(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    people: &[Imported],
    (by, at): (&str, Millis),
    only_look: bool,
) -> Result<Vec<ImportStep>, StoreError> {
    let mut steps = Vec::with_capacity(people.len());
    for imported in people {
        let mut found = imported_is(conn, workspace, imported).await?;
        let said = said(imported, (by, at));
        let step = match (found.pop(), found.is_empty()) {
            (None, _) => {
                if !only_look {
                    add(conn, workspace, &said, at).await?;
                }
                ImportStep::Adds
            }
            (Some(mut contact), true) => {
                let changes = lay_over(&mut contact.profile, &said);
                if !only_look {
                    take(conn, &contact, said, !changes.is_empty()).await?;
                }
                if changes.is_empty() {
                    ImportStep::Same(contact.id)
                } else {
                    ImportStep::Edits(ImportedOver {
                        id: contact.id,
                        known_as: contact.name,
                        changes,
                    })
                }
            }
            (Some(_), false) => ImportStep::Unclear,
        };
        steps.push(step);
    }
    Ok(steps)
}

/// Takes in what a line says of somebody who is known. That they were in a file is kept also where
/// it says what is known.
async fn take(
    conn: &mut Conn,
    contact: &Contact,
    said: Edits,
    changed: bool,
) -> Result<(), StoreError> {
    if changed {
        rewrite(conn, contact).await?;
    }
    let mut all = of(conn, contact.id).await?;
    all.extend(said);
    keep(conn, contact.id, &all).await
}

/// What a line says, as it is set.
fn said(imported: &Imported, (by, at): (&str, Millis)) -> Edits {
    let mut fields: BTreeMap<FieldName, FieldValue> = imported.fields.clone();
    if let Some(external) = &imported.external_id {
        fields.insert(
            FieldName::new(FieldName::EXTERNAL_ID),
            FieldValue::text(external),
        );
    }
    let edits = fields.into_iter().map(|(name, mut value)| {
        if name.as_str() == FieldName::EMAIL
            && let Some(key) = email_key(&value.as_text())
        {
            value = FieldValue::Text(key);
        }
        let edit = Edit {
            value: Some(value),
            origin: Origin::Import,
            by: by.to_owned(),
            at,
        };
        (name, edit)
    });
    edits.collect()
}

/// Lays what a file says over what is known, where it says something else than what is shown.
/// Answers what changes.
fn lay_over(profile: &mut Profile, said: &Edits) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    for (name, edit) in said {
        let Some(new) = &edit.value else { continue };
        let old = profile.shown(name).value.cloned();
        let shown = old.as_ref().map(FieldValue::as_text);
        if !same(name, shown.as_deref(), &new.as_text()) {
            changes.push(FieldChange {
                name: name.clone(),
                old,
                new: new.clone(),
            });
            profile.edit(name.clone(), edit.clone());
        }
    }
    changes
}

/// Does a file say what is shown already? Addresses are the same however they are written.
fn same(name: &FieldName, shown: Option<&str>, value: &str) -> bool {
    let Some(shown) = shown else { return false };
    let is_address = name.as_str() == FieldName::EMAIL;
    shown == value
        || (is_address && email_key(shown).is_some_and(|key| Some(key) == email_key(value)))
}

/// Who a line of a file is about: by id, then external id, then e-mail address.
async fn imported_is(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    imported: &Imported,
) -> Result<Vec<Contact>, StoreError> {
    if let Some(remote) = &imported.remote
        && let Some(contact) = read::by_remote(conn, workspace, remote).await?
    {
        return Ok(vec![contact]);
    }
    if let Some(external) = &imported.external_id {
        let sql = format!(
            "SELECT {COLUMNS} FROM contact WHERE workspace = $1 AND external = $2 \
             ORDER BY id LIMIT 2"
        );
        let args = values![workspace.as_str(), external.as_str()];
        let rows = conn
            .rows("finding contacts by external id", &sql, args)
            .await?;
        let found: Result<Vec<Contact>, StoreError> = rows.iter().map(read_contact).collect();
        let found = found?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let email = imported
        .fields
        .get(&FieldName::new(FieldName::EMAIL))
        .and_then(|value| email_key(&value.as_text()));
    match email {
        Some(email) => {
            let mut found = read::by_email(conn, workspace, &email, SAME_ADDRESS_MAX).await?;
            found.retain(|contact| {
                let external = contact.profile.text(FieldName::EXTERNAL_ID);
                let external = (!external.is_empty()).then_some(external);
                may_be_one(imported.external_id.as_deref(), external.as_deref())
            });
            Ok(found)
        }
        None => Ok(Vec::new()),
    }
}

async fn add(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    said: &Edits,
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO contact (workspace, since, remote, external, email, name, role, \
          life, unclear, differs, updated_at, digest, remote_fields, edits, imported) \
        VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15) RETURNING id";
    let mut profile = Profile::default();
    lay_over(&mut profile, said);
    let kept = Kept::of(&profile, LOCAL, None)?;
    let stored = Stored {
        remote: None,
        role: LOCAL,
        life: Life::Live,
        unclear: false,
        updated_at: 0,
        digest: 0,
        kept: &kept,
    };
    let mut args = values![workspace.as_str(), at.0];
    args.extend(stored.values());
    args.push(json(said)?.into());
    let rows = conn.rows("adding an imported contact", SQL, args).await?;
    let ids: Result<Vec<i64>, StoreError> = rows.iter().map(|row| row.int(0)).collect();
    WORDS
        .put(
            conn,
            "writing the words of contacts",
            ids?.into_iter().map(|id| (id, Arc::clone(&kept.words))),
        )
        .await
}
