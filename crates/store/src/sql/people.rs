//! What people decide about end users.

use bowline_domain::messaging::end_user::EndUser;
use bowline_domain::messaging::ids::{AccountName, EndUserId};
use bowline_domain::messaging::language::Language;
use bowline_domain::time::Millis;

use crate::db::{Conn, values};
use crate::error::StoreError;
use crate::sql::talk;

/// Records whether an end user is blocked. False if there is no such end user.
pub(crate) async fn blocked(
    conn: &mut Conn,
    account: &AccountName,
    id: &EndUserId,
    blocked: bool,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE end_user SET blocked = $3 WHERE account = $1 AND id = $2";
    let args = values![account.as_str(), id.as_str(), blocked];
    let changed = conn.run("blocking an end user", SQL, args).await?;
    Ok(changed > 0)
}

/// Records which Jira customer an end user is. False if there is no such end user.
pub(crate) async fn tied(
    conn: &mut Conn,
    account: &AccountName,
    id: &EndUserId,
    customer: Option<&str>,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE end_user SET customer = $3 WHERE account = $1 AND id = $2";
    let args = values![account.as_str(), id.as_str(), customer.map(str::to_owned)];
    let changed = conn.run("recording a customer", SQL, args).await?;
    Ok(changed > 0)
}

/// Records the language in which an end user is to be written to. False if there is no such end
/// user.
pub(crate) async fn spoken_to(
    conn: &mut Conn,
    account: &AccountName,
    id: &EndUserId,
    language: Option<&Language>,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE end_user SET language = $3 WHERE account = $1 AND id = $2";
    let language = language.map(|language| language.as_str().to_owned());
    let args = values![account.as_str(), id.as_str(), language];
    let changed = conn.run("recording a language", SQL, args).await?;
    Ok(changed > 0)
}

/// Records an end user who is blocked before they ever wrote.
pub(crate) async fn barred(
    conn: &mut Conn,
    account: &AccountName,
    end_user: &EndUser,
    at: Millis,
) -> Result<(), StoreError> {
    talk::store_end_user(conn, account, end_user, at).await?;
    blocked(conn, account, &end_user.id, true).await.map(drop)
}
