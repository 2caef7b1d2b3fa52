//! The store as people use it who decide about end users.

use bowline_domain::messaging::end_user::EndUser;
use bowline_domain::messaging::ids::{AccountName, EndUserId};
use bowline_domain::messaging::language::Language;
use bowline_domain::time::Millis;

use crate::committer::Writer;
use crate::db::Conn;
use crate::error::StoreError;
use crate::sql::people;
use crate::store::Store;
use crate::writes::{Write, write};

write!(Block { account: AccountName, id: EndUserId, blocked: bool } -> bool,
    |conn, _| people::blocked(conn, &account, &id, blocked).await);
write!(Tie { account: AccountName, id: EndUserId, customer: Option<String> } -> bool,
    |conn, _| people::tied(conn, &account, &id, customer.as_deref()).await);
write!(SpeakTo { account: AccountName, id: EndUserId, language: Option<Language> } -> bool,
    |conn, _| people::spoken_to(conn, &account, &id, language.as_ref()).await);
write!(Bar { account: AccountName, end_user: EndUser, at: Millis } -> (),
    |conn, _| people::barred(conn, &account, &end_user, at).await);

impl Store {
    /// Blocks an end user, or lets them in again. False if there is no such end user.
    pub async fn end_user_blocked(
        &self,
        account: AccountName,
        id: EndUserId,
        blocked: bool,
    ) -> Result<bool, StoreError> {
        self.write(Block {
            account,
            id,
            blocked,
        })
        .await
    }

    /// Records which Jira customer an end user is, by account id, or by user name on Data Center;
    /// `None` for nobody. False if there is no such end user.
    pub async fn end_user_tied(
        &self,
        account: AccountName,
        id: EndUserId,
        customer: Option<String>,
    ) -> Result<bool, StoreError> {
        self.write(Tie {
            account,
            id,
            customer,
        })
        .await
    }

    /// Records the language in which an end user is to be written to; `None` for what their number
    /// or the desk says. False if there is no such end user.
    pub async fn end_user_spoken_to(
        &self,
        account: AccountName,
        id: EndUserId,
        language: Option<Language>,
    ) -> Result<bool, StoreError> {
        self.write(SpeakTo {
            account,
            id,
            language,
        })
        .await
    }

    /// Blocks somebody, who may never have written.
    pub async fn end_user_barred(
        &self,
        account: AccountName,
        end_user: EndUser,
        at: Millis,
    ) -> Result<(), StoreError> {
        self.write(Bar {
            account,
            end_user,
            at,
        })
        .await
    }
}
