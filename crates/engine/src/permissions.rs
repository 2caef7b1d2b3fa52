//! Which permissions the app in Intercom lacks: found out by calls that need them and change
//! nothing.

use bowline_domain::feedback::product::Product;
use bowline_domain::ids::WorkspaceName;
use bowline_domain::needs::{Permission, Use, in_use};
use bowline_intercom::Client;
use bowline_net::{ApiError, ErrorKind, Reply};
use bowline_store::{Store, StoreError};

use crate::contacts::call;
use crate::pace::Priority;
use crate::registry::Workspace;
use crate::shared::Shared;

/// A contact that nobody has: its absence is told to those only who may look.
const NOBODY: &str = "000000000000000000000000";

/// A permission that the app lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// Which.
    pub permission: Permission,
    /// What Intercom says.
    pub detail: String,
}

/// What is in use in a workspace, and so needs something of it. Feedback that is switched off counts
/// once it was on. `declared`: the configuration has its contacts copied.
///
/// # Errors
/// The database.
pub async fn in_use_now(
    store: &Store,
    workspace: &WorkspaceName,
    declared: bool,
) -> Result<Vec<Use>, StoreError> {
    let products = store.products().await?;
    let mut own = products.iter().filter(|one| one.workspace == *workspace);
    let syncs = store.syncs().await?;
    let mut synced = syncs.iter().filter(|one| one.workspace == *workspace);
    Ok(in_use(
        own.any(Product::is_in_use),
        declared || synced.any(|one| one.switched_on),
    ))
}

/// How the calls are made.
trait Asks {
    /// Makes one.
    async fn ask<T>(
        &self,
        asked: impl Future<Output = Result<Reply<T>, ApiError>>,
    ) -> Result<T, ApiError>;
}

/// At once: nothing else is sent with these credentials yet.
struct AtOnce;

impl Asks for AtOnce {
    async fn ask<T>(
        &self,
        asked: impl Future<Output = Result<Reply<T>, ApiError>>,
    ) -> Result<T, ApiError> {
        Ok(asked.await?.value)
    }
}

/// At the pace of a workspace that is in use.
struct Paced<'p> {
    shared: &'p Shared,
    workspace: &'p Workspace,
}

impl Asks for Paced<'_> {
    async fn ask<T>(
        &self,
        asked: impl Future<Output = Result<Reply<T>, ApiError>>,
    ) -> Result<T, ApiError> {
        call(self.shared, self.workspace, Priority::Interactive, asked).await
    }
}

/// Those of the permissions that the app lacks, by credentials that need not be in use. What only
/// writing would show is taken as there.
///
/// # Errors
/// Intercom does not answer, so that it is not known.
pub async fn lacking(client: &Client, wanted: &[Permission]) -> Result<Vec<Lacking>, ApiError> {
    look(&AtOnce, client, wanted).await
}

/// The same of a workspace that is in use.
pub(crate) async fn lacking_of(
    shared: &Shared,
    workspace: &Workspace,
    wanted: &[Permission],
) -> Result<Vec<Lacking>, ApiError> {
    let paced = Paced { shared, workspace };
    look(&paced, &workspace.client, wanted).await
}

async fn look(
    asks: &impl Asks,
    client: &Client,
    wanted: &[Permission],
) -> Result<Vec<Lacking>, ApiError> {
    let mut lacking = Vec::new();
    for permission in wanted {
        let answer = match permission {
            Permission::ReadTags => asks.ask(client.tags()).await.map(drop),
            Permission::ReadConversations => {
                let search = client.conversations_tagged(&["0"], 0, None, 1);
                asks.ask(search).await.map(drop)
            }
            Permission::ReadPeople => asks.ask(client.person(NOBODY)).await.map(drop),
            Permission::ListPeople => asks.ask(client.contacts(None, 1)).await.map(drop),
            Permission::ReadAdmins => asks.ask(client.admins()).await.map(drop),
            Permission::WriteConversations => Ok(()),
        };
        match answer {
            Ok(()) => {}
            Err(error) if is_lack(&error) => lacking.push(Lacking {
                permission: *permission,
                detail: error.to_string(),
            }),
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(lacking)
}

/// Older versions answer a missing permission as if the token did not hold.
fn is_lack(error: &ApiError) -> bool {
    let older = || error.code.as_deref() == Some("token_unauthorized");
    error.kind == ErrorKind::Permission || error.kind == ErrorKind::Auth && older()
}
