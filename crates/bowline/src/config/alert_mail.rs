//! Letters about connections: by which server they go, and to whom.

use bowline_net::mail::{MailTls, is_mailbox};
use secrecy::SecretString;
use std::net::IpAddr;

use super::settings::{Found, Reading, Section};

/// Letters about connections that broke.
#[derive(Clone, Debug)]
pub struct AlertMail {
    /// The name of the SMTP server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is kept secret.
    pub tls: MailTls,
    /// User and password.
    pub login: Option<(String, SecretString)>,
    /// Who letters are from.
    pub from: String,
    /// Who gets them; at least one.
    pub to: Vec<String>,
}

impl Reading<'_> {
    /// `[alert_mail]`, if it is there.
    pub(super) fn alert_mail(&mut self, top: &Section<'_>) -> Option<AlertMail> {
        let node = top.node.table()?.get("alert_mail")?;
        node.table()?;
        let section = Section {
            pattern: "alert_mail",
            path: "alert_mail",
            title: "[alert_mail]",
            node,
        };
        let host = self.text(&section, "host");
        let tls = match self.text(&section, "tls")?.value.as_str() {
            "tls" => MailTls::Implicit,
            "none" => MailTls::Off,
            _ => MailTls::StartTls,
        };
        let port = match self.whole(&section, "port") {
            0 => tls.usual_port(),
            port => port,
        };
        let user = self.text(&section, "user");
        let password = self.secret(&section, "password");
        let from = self.text(&section, "from");
        let from = from.and_then(|from| self.mailbox("from", from));
        let to = self.words(&section, "to").unwrap_or_default();
        if let Some(node) = section.node.table().and_then(|table| table.get("to"))
            && to.is_empty()
        {
            let mend = "Name those who are to be told: [\"ops@example.com\"]";
            self.problem(&node.place, "`to` names nobody", mend);
        }
        let mut receivers: Vec<String> = Vec::new();
        for found in to {
            if let Some(address) = self.mailbox("to", found)
                && !receivers.contains(&address)
            {
                receivers.push(address);
            }
        }
        let login = self.login(user, password);
        let host = host?;
        if let (Some(login), MailTls::Off) = (&login, tls)
            && !is_loopback(&host.value)
        {
            let what = format!(
                "the password of {:?} would go to {} in the clear",
                login.0, host.value
            );
            let mend =
                "Take tls = \"starttls\" or tls = \"tls\", or leave `user` and `password` out";
            self.problem(&host.place, what, mend);
            return None;
        }
        Some(AlertMail {
            host: host.value,
            port,
            tls,
            login,
            from: from?,
            to: receivers,
        })
    }

    /// User and password go together.
    fn login(
        &mut self,
        user: Option<Found<String>>,
        password: Option<Found<SecretString>>,
    ) -> Option<(String, SecretString)> {
        match (user, password) {
            (Some(user), Some(password)) => return Some((user.value, password.value)),
            (Some(user), None) => {
                let mend = "Give the password as well, or leave both out";
                self.problem(&user.place, "`user` is given without `password`", mend);
            }
            (None, Some(password)) => {
                let mend = "Give the user as well, or leave both out";
                self.problem(&password.place, "`password` is given without `user`", mend);
            }
            (None, None) => {}
        }
        None
    }

    fn mailbox(&mut self, name: &str, found: Found<String>) -> Option<String> {
        if is_mailbox(&found.value) {
            return Some(found.value);
        }
        let what = format!("`{name}` has {:?}, which is no e-mail address", found.value);
        let mend = "Write an address: bowline@example.com, or Bowline <bowline@example.com>";
        self.problem(&found.place, what, mend);
        None
    }
}

/// Does the way there stay on this machine?
fn is_loopback(host: &str) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}
