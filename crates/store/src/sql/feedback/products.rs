//! Products and the tags that count for them.

use bowline_domain::feedback::ids::{ProductId, TagId};
use bowline_domain::feedback::product::{ListedTag, Product, WatchedTag};
use bowline_domain::ids::WorkspaceName;
use bowline_domain::time::Millis;

use crate::access::AuditEntry;
use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::feedback::ProductDraft;
use crate::sql::audit;
use crate::sql::decide::json;

/// All products, or those of a workspace, with their chosen tags.
pub(crate) async fn all(
    conn: &mut Conn,
    workspace: Option<&WorkspaceName>,
) -> Result<Vec<Product>, StoreError> {
    const ALL: &str = "SELECT id, workspace, name, live, declared, settings FROM product \
        ORDER BY workspace, name";
    const OF: &str = "SELECT id, workspace, name, live, declared, settings FROM product \
        WHERE workspace = $1 ORDER BY name";
    const TAGS: &str = "SELECT product, tag, name, since, gone_at FROM product_tag \
        WHERE chosen = 1 ORDER BY product, name, tag";
    let doing = "reading products";
    let rows = match workspace {
        Some(workspace) => conn.rows(doing, OF, values![workspace.as_str()]).await?,
        None => conn.rows(doing, ALL, Vec::new()).await?,
    };
    let mut products = Vec::with_capacity(rows.len());
    for row in rows {
        products.push(Product {
            id: ProductId(row.int(0)?),
            workspace: WorkspaceName::new(row.text(1)?),
            name: row.text(2)?,
            on: row.truth(3)?,
            declared: row.truth(4)?,
            settings: serde_json::from_str(&row.text(5)?)
                .map_err(|error| StoreError::unreadable("a product", error))?,
            tags: Vec::new(),
        });
    }
    if products.is_empty() {
        return Ok(products);
    }
    for row in conn.rows(doing, TAGS, Vec::new()).await? {
        let of = ProductId(row.int(0)?);
        if let Some(product) = products.iter_mut().find(|product| product.id == of) {
            product.tags.push(WatchedTag {
                tag: TagId::new(row.text(1)?),
                name: row.text(2)?,
                since: Millis(row.int(3)?),
                gone_at: row.int_or_null(4)?.map(Millis),
            });
        }
    }
    Ok(products)
}

/// Keeps a product. What was tagged while it was off does not count: its tags count anew from now.
pub(crate) async fn put(
    conn: &mut Conn,
    draft: &ProductDraft,
    now: Millis,
    entries: &[AuditEntry],
) -> Result<ProductId, StoreError> {
    const BEFORE: &str = "SELECT id, live FROM product WHERE workspace = $1 AND name = $2";
    const PUT: &str = "INSERT INTO product \
          (workspace, name, live, declared, settings, made_at) VALUES ($1,$2,$3,$4,$5,$6) \
        ON CONFLICT (workspace, name) DO UPDATE SET live = excluded.live, \
          declared = excluded.declared, settings = excluded.settings RETURNING id";
    const ANEW: &str = "UPDATE product_tag SET since = $1 WHERE product = $2 AND chosen = 1";
    let doing = "recording a product";
    let named = values![draft.workspace.as_str(), draft.name.as_str()];
    let before = conn.rows(doing, BEFORE, named).await?;
    let was_on = before.first().map_or(Ok(false), |row| row.truth(1))?;
    let args = values![
        draft.workspace.as_str(),
        draft.name.as_str(),
        draft.on,
        draft.declared,
        json(&draft.settings)?,
        now.0
    ];
    let rows = conn.rows(doing, PUT, args).await?;
    let id = rows
        .first()
        .map_or_else(|| Err(StoreError::Closed), |row| row.int(0))?;
    if draft.on && !was_on {
        conn.run(doing, ANEW, values![now.0, id]).await?;
    }
    if let Some(tags) = &draft.tags {
        choose(conn, id, tags, draft.counts_from.unwrap_or(now)).await?;
    }
    for entry in entries {
        audit::add(conn, entry).await?;
    }
    Ok(ProductId(id))
}

/// Switches the products of a workspace off together, or those that were so on again. Those that
/// stand in the configuration file are left alone.
pub(crate) async fn switch(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    (on, now): (bool, Millis),
    entries: &[AuditEntry],
) -> Result<u64, StoreError> {
    let mut count = 0;
    for product in all(conn, Some(workspace)).await? {
        let is_meant = if on {
            product.comes_back()
        } else {
            product.on && !product.declared
        };
        if !is_meant {
            continue;
        }
        let mut settings = product.settings;
        settings.resumes = !on;
        let draft = ProductDraft {
            workspace: product.workspace,
            name: product.name,
            on,
            declared: false,
            settings,
            tags: None,
            counts_from: None,
        };
        put(conn, &draft, now, &[]).await?;
        count += 1;
    }
    if count > 0 {
        for entry in entries {
            audit::add(conn, entry).await?;
        }
    }
    Ok(count)
}

/// The tags that count from now on. One that counted before and was chosen all the time keeps since
/// when; one that comes back counts anew.
async fn choose(
    conn: &mut Conn,
    product: i64,
    tags: &[ListedTag],
    from: Millis,
) -> Result<(), StoreError> {
    const NONE: &str = "UPDATE product_tag SET chosen = 2 WHERE product = $1 AND chosen = 1";
    const PUT: &str = "INSERT INTO product_tag (product, tag, name, chosen, since, gone_at) \
        VALUES ($1,$2,$3,1,$4,NULL) ON CONFLICT (product, tag) DO UPDATE SET \
          name = excluded.name, gone_at = NULL, chosen = 1, \
          since = CASE WHEN product_tag.chosen = 2 THEN product_tag.since ELSE excluded.since END";
    const LEFT: &str = "UPDATE product_tag SET chosen = 0 WHERE product = $1 AND chosen = 2";
    let doing = "choosing tags";
    conn.run(doing, NONE, values![product]).await?;
    for tag in tags {
        let args = values![product, tag.tag.as_str(), tag.name.as_str(), from.0];
        conn.run(doing, PUT, args).await?;
    }
    conn.run(doing, LEFT, values![product]).await.map(drop)
}

/// Switches off what stood in the configuration file and does not any more.
pub(crate) async fn undeclare(
    conn: &mut Conn,
    keep: &[(WorkspaceName, String)],
) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE product SET live = 0, declared = 0 WHERE id = $1";
    let mut count = 0;
    for product in all(conn, None).await? {
        let kept = keep
            .iter()
            .any(|(workspace, name)| *workspace == product.workspace && *name == product.name);
        if product.declared && !kept {
            count += conn
                .run("switching a product off", SQL, values![product.id.0])
                .await?;
        }
    }
    Ok(count)
}

/// Records what tags are called now, and which Intercom does not know any more.
pub(crate) async fn name_tags(
    conn: &mut Conn,
    workspace: &WorkspaceName,
    listed: &[ListedTag],
    now: Millis,
) -> Result<u64, StoreError> {
    const RENAME: &str = "UPDATE product_tag SET name = $1, gone_at = NULL \
        WHERE product = $2 AND tag = $3";
    const GONE: &str = "UPDATE product_tag SET gone_at = $1 WHERE product = $2 AND tag = $3";
    let doing = "naming tags";
    let mut changed = 0;
    for product in all(conn, Some(workspace)).await? {
        for known in &product.tags {
            let (id, tag) = (product.id.0, known.tag.as_str());
            match listed.iter().find(|one| one.tag == known.tag) {
                Some(now) if now.name != known.name || known.gone_at.is_some() => {
                    let args = values![now.name.as_str(), id, tag];
                    changed += conn.run(doing, RENAME, args).await?;
                }
                None if known.gone_at.is_none() => {
                    changed += conn.run(doing, GONE, values![now.0, id, tag]).await?;
                }
                _ => {}
            }
        }
    }
    Ok(changed)
}
