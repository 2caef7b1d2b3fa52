//! What holds for sites and workspaces alike.

use bowline_access::{ChangeRefusal, Granted, ManageConnections, What};
use bowline_domain::connection::Connection;

use crate::service::{Settings, fault};
use crate::stored::Kind;

/// What was connected.
#[derive(Clone, Debug)]
pub struct Connected {
    /// Under which name.
    pub name: String,
    /// As whom we act there.
    pub actor: String,
}

impl Settings {
    /// Removes a connection that nothing hangs on.
    ///
    /// # Errors
    /// Projects are joined through it, or it was changed meanwhile.
    pub async fn remove_connection(
        &self,
        by: &Granted<ManageConnections>,
        (connection, from): (&Connection, i64),
    ) -> Result<(), ChangeRefusal> {
        let present = self.present();
        let used = present
            .kept
            .bindings
            .iter()
            .find(|((site, _), row)| match connection {
                Connection::Site(name) => site == name,
                Connection::Workspace(name) => row.value.workspace == name.as_str(),
                Connection::Account(_) => false,
            });
        if let Some(((site, project), _)) = used {
            let words = format!(
                "The project {project} of {site} is joined through it, or was. Remove that binding \
                 first; its links are kept."
            );
            return Err(fault("form", words));
        }
        let desk = present.desk_with(|_, stored| match connection {
            Connection::Site(name) => stored.site == name.as_str(),
            Connection::Account(name) => stored.account == name.as_str(),
            Connection::Workspace(_) => false,
        });
        if let Some(desk) = desk {
            let words = format!("The desk “{desk}” uses it. Remove that desk first, or change it.");
            return Err(fault("form", words));
        }
        let kind = match connection {
            Connection::Site(_) => Kind::Site,
            Connection::Workspace(_) => Kind::Workspace,
            Connection::Account(_) => Kind::Account,
        };
        let told = (by.who(), What::ConnectionRemoved, "");
        self.remove((kind, connection.name()), from, told).await?;
        Ok(self.forget_news_of(connection).await?)
    }
}

/// What to say of a name that is taken.
pub(crate) fn taken(name: &str, derived: bool) -> String {
    let named = if derived {
        ", which the name is made of"
    } else {
        ""
    };
    format!("There is one named “{name}”{named}. Give another name.")
}
