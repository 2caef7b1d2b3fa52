//! What people chose for themselves on pages, such as the columns of a list.

use crate::committer::Writer;
use crate::db::Conn;
use crate::error::StoreError;
use crate::sql::choices;
use crate::store::Store;
use crate::writes::{Write, write};

write!(KeepChoice { account: i64, name: String, value: String } -> (),
    |conn, _| choices::keep(conn, account, &name, &value).await);

impl Store {
    /// What an account chose under a name.
    pub async fn choice(&self, account: i64, name: &str) -> Result<Option<String>, StoreError> {
        choices::read(&mut self.reader().await?, account, name).await
    }

    /// Keeps what an account chose under a name.
    pub async fn keep_choice(
        &self,
        account: i64,
        name: &str,
        value: String,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(KeepChoice {
            account,
            name,
            value,
        })
        .await
    }
}
