//! Sites and workspaces.

use super::{
    problem::Place,
    settings::{Found, Reading, Section, is_loopback},
    tree::Node,
    types::{Region, Site, SiteKind, Workspace},
};
use std::{collections::BTreeMap, time::Duration};
use url::Url;

/// The longest name, in bytes: that of a label in a host name, so that a name may become one.
const NAME_BYTES: usize = 63;

/// The names of a list and where each stands, those of broken entries included.
pub(super) type Names = BTreeMap<String, Place>;

impl Reading<'_> {
    /// Reads every entry of a list of named tables; `read` gets each with its name. Entries without a usable name are reported.
    pub(super) fn named<T>(
        &mut self,
        root: &Node,
        list: &'static str,
        pattern: &'static str,
        mut read: impl FnMut(&mut Self, &Section<'_>, String) -> Option<T>,
    ) -> (Vec<T>, Names) {
        let mut names = Names::new();
        let mut entries = Vec::new();
        for (position, node) in root
            .list(list)
            .iter()
            .filter(|node| node.table().is_some())
            .enumerate()
        {
            let label = node
                .text_of("name")
                .map_or_else(|| position.to_string(), str::to_owned);
            let (path, title) = (format!("{list}.{label}"), format!("{list} {label:?}"));
            let section = Section {
                pattern,
                path: &path,
                title: &title,
                node,
            };
            let name = self.text(&section, "name");
            let usable = name
                .as_ref()
                .is_some_and(|name| self.check_name(list, name, &names));
            // Read also without a usable name, for the problems in it.
            let entry = read(self, &section, label);
            if let (Some(name), true) = (name, usable) {
                names.insert(name.value, name.place);
                entries.extend(entry);
            }
        }
        (entries, names)
    }

    fn check_name(&mut self, list: &str, name: &Found<String>, names: &Names) -> bool {
        let text = name.value.as_str();
        let letters = text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let shape = !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--")
            && text.bytes().any(|byte| byte.is_ascii_lowercase());
        if !(letters && shape && text.len() <= NAME_BYTES) {
            let mend = "A name stands in webhook addresses and variables: small letters, digits and single hyphens between them, at most 63, at least one letter";
            self.problem(
                &name.place,
                format!("{text:?} cannot be the name of a {list}"),
                mend,
            );
            return false;
        }
        if let Some(first) = names.get(text) {
            self.problem(
                &name.place,
                format!("there are two {list}s named {text:?}"),
                format!("Rename one; the first is at {first}"),
            );
            return false;
        }
        true
    }

    pub(super) fn site(&mut self, section: &Section<'_>, name: String) -> Option<Site> {
        let kind = self.text(section, "kind").map(|kind| {
            if kind.value == "cloud" {
                SiteKind::Cloud
            } else {
                SiteKind::DataCenter
            }
        });
        let url = self.url(section, "url");
        let api_url = self.url(section, "api_url");
        let email = self.email(section, kind);
        let token = self.secret(section, "token");
        let token_ends_on = self.day(section, "token_ends_on");
        let webhook_secret = self.secret(section, "webhook_secret");
        let webhook_secret_previous = self.secret(section, "webhook_secret_previous");
        let notify_token = self.secret(section, "notify_token");
        let poll = Duration::from_secs(self.whole(section, "poll_seconds"));
        if let (None, Some(previous)) = (&webhook_secret, &webhook_secret_previous) {
            self.problem(
                &previous.place,
                format!(
                    "{} has `webhook_secret_previous` but no `webhook_secret`",
                    section.title
                ),
                "Name it `webhook_secret`",
            );
        }
        // What people see in links may be http inside a company; what carries the token is looked at.
        let reached = api_url.as_ref().or(url.as_ref());
        if let Some(reached) = reached {
            self.warn_plain(section, reached);
        }
        let url = url?;
        Some(Site {
            name,
            kind: kind?,
            api_url: api_url.map_or_else(|| url.value.clone(), |api| api.value),
            url: url.value,
            email,
            token: token?.value,
            token_ends_on,
            webhook_secret: webhook_secret.map(|found| found.value),
            webhook_secret_previous: webhook_secret_previous.map(|found| found.value),
            notify_token: notify_token.map(|found| found.value),
            poll,
        })
    }

    /// A day.
    fn day(&mut self, section: &Section<'_>, name: &str) -> Option<String> {
        let found = self.text(section, name)?;
        if found.value.parse::<jiff::civil::Date>().is_err() {
            let what = format!("`{name}` is {:?}, which is no day", found.value);
            self.problem(&found.place, what, "Write it as \"2027-01-31\"");
            return None;
        }
        Some(found.value)
    }

    fn email(&mut self, section: &Section<'_>, kind: Option<SiteKind>) -> Option<String> {
        let given = section
            .node
            .table()
            .is_some_and(|table| table.contains_key("email"));
        let email = self.text(section, "email");
        match (kind, &email) {
            (Some(SiteKind::Cloud), None) if !given => self.problem(
                &section.node.place,
                format!("{} is Jira Cloud and has no `email`", section.title),
                "Give the e-mail address of the Jira user to whom the API token belongs",
            ),
            (Some(SiteKind::Cloud), Some(email)) if !is_email(&email.value) => self.problem(
                &email.place,
                format!("{:?} is not an e-mail address", email.value),
                "Give the e-mail address of the Jira user to whom the API token belongs",
            ),
            (Some(SiteKind::DataCenter), Some(email)) => {
                self.warn(
                    &email.place,
                    format!(
                        "{} is Jira Data Center, where `email` has no use",
                        section.title
                    ),
                    "Remove it; the token alone says who it is",
                );
            }
            _ => {}
        }
        email.map(|email| email.value)
    }

    pub(super) fn workspace(&mut self, section: &Section<'_>, name: String) -> Option<Workspace> {
        let region = self
            .text(section, "region")
            .map(|region| match region.value.as_str() {
                "eu" => Region::Eu,
                "au" => Region::Au,
                _ => Region::Us,
            });
        let given = section
            .node
            .table()
            .is_some_and(|table| table.contains_key("api_url"));
        let api_url = self.url(section, "api_url");
        let access_token = self.secret(section, "access_token");
        let client_secret = self.secret(section, "client_secret");
        let client_secret_previous = self.secret(section, "client_secret_previous");
        let app_user = self.app_user(section);
        if let Some(api_url) = &api_url {
            self.warn_plain(section, api_url);
        }
        let region = region?;
        let api_url = match api_url {
            Some(found) => found.value,
            None if given => return None,
            None => Url::parse(region.api_url()).ok()?,
        };
        Some(Workspace {
            name,
            region,
            api_url,
            access_token: access_token?.value,
            client_secret: client_secret?.value,
            client_secret_previous: client_secret_previous.map(|found| found.value),
            app_user,
        })
    }

    fn app_user(&mut self, section: &Section<'_>) -> Option<String> {
        let user = self.text(section, "app_user")?;
        if !user.value.bytes().all(|byte| byte.is_ascii_digit()) {
            let mend = "Give the number that stands in the address of the teammate's page in Intercom's settings, or leave it out";
            self.problem(
                &user.place,
                format!(
                    "`app_user` is {:?}, which is not the id of a teammate",
                    user.value
                ),
                mend,
            );
        }
        Some(user.value)
    }

    /// Warns where a token would cross a network in the clear.
    pub(super) fn warn_plain(&mut self, section: &Section<'_>, url: &Found<Url>) {
        if url.value.scheme() == "http" && !is_loopback(&url.value) {
            let what = format!(
                "{} is reached by http, so that its token crosses the network unencrypted",
                section.title
            );
            self.warn(
                &url.place,
                what,
                "Use https unless that network is yours alone",
            );
        }
    }
}

/// Something before and after one @. Jira says the rest.
fn is_email(text: &str) -> bool {
    text.split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'))
        && !text.contains(char::is_whitespace)
}
