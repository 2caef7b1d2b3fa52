//! The issue panel: what it shows in a project, and who may show it in a frame.

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{
    problem::Place,
    settings::{Found, Reading, Section},
};

/// The shortest secret that tokens may be signed with, in letters: as long as the digest (RFC 7518,
/// 3.2).
const SECRET_LETTERS_MIN: usize = 32;

/// What the panel of a project's issues shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panel {
    /// Is there a panel?
    pub enabled: bool,
    /// May whole conversations be read?
    pub conversation_view: bool,
    /// Are contacts those of the reporter's e-mail address, and not those of linked conversations?
    pub by_reporter: bool,
    /// The attributes of users that are shown, in this order.
    pub user: Vec<String>,
    /// The attributes of leads.
    pub lead: Vec<String>,
    /// The attributes of companies.
    pub company: Vec<String>,
}

/// How others show the panel in their own pages.
#[derive(Clone, Debug, Default)]
pub struct Embedding {
    /// The origins of pages that may frame it.
    pub frame_hosts: Vec<String>,
    /// What the tokens are signed with that those pages hand out.
    pub token_secret: Option<SecretString>,
}

impl Reading<'_> {
    /// The part of a binding that is about the panel.
    pub(super) fn panel(&mut self, section: &Section<'_>) -> Panel {
        let source = self.text(section, "contact_source");
        Panel {
            enabled: self.flag(section, "panel"),
            conversation_view: self.flag(section, "conversation_view"),
            by_reporter: source.is_some_and(|source| source.value == "reporter"),
            user: self.attributes(section, "visible_fields.user"),
            lead: self.attributes(section, "visible_fields.lead"),
            company: self.attributes(section, "visible_fields.company"),
        }
    }

    /// Names of attributes, each once.
    fn attributes(&mut self, section: &Section<'_>, name: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for found in self.words(section, name).unwrap_or_default() {
            if !names.contains(&found.value) {
                names.push(found.value);
            }
        }
        names
    }

    /// How others show the panel.
    pub(super) fn embedding(&mut self, top: &Section<'_>) -> Embedding {
        let hosts = self.words(top, "panel.frame_hosts").unwrap_or_default();
        let token_secret = self.table_secret(top);
        let frame_hosts: Vec<String> = hosts.iter().filter_map(|host| self.origin(host)).collect();
        if let (Some(first), None) = (hosts.first(), &token_secret) {
            self.problem(
                &first.place,
                "`panel.frame_hosts` is given without `panel.token_secret`",
                "Give the secret as well that those pages sign their tokens with, of 32 letters or \
                 more",
            );
        }
        Embedding {
            frame_hosts,
            token_secret,
        }
    }

    fn table_secret(&mut self, top: &Section<'_>) -> Option<SecretString> {
        let node = top.node.table()?.get("panel")?;
        let section = Section {
            pattern: "panel",
            path: "panel",
            title: "the panel",
            node,
        };
        let found = self.secret(&section, "token_secret")?;
        if found.value.expose_secret().len() < SECRET_LETTERS_MIN {
            self.problem(
                &found.place,
                format!("`panel.token_secret` has fewer than {SECRET_LETTERS_MIN} letters"),
                "Write one that nobody can guess, for example what `openssl rand -hex 32` answers",
            );
            return None;
        }
        Some(found.value)
    }

    /// The origin of an address: what a browser calls a host that may frame a page.
    fn origin(&mut self, host: &Found<String>) -> Option<String> {
        let origin = Url::parse(&host.value).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none()
        });
        let origin = origin.map(|url| url.origin().ascii_serialization());
        if origin.is_none() {
            self.not_an_origin(&host.place, &host.value);
        }
        origin
    }

    fn not_an_origin(&mut self, place: &Place, text: &str) {
        self.problem(
            place,
            format!("an entry of `frame_hosts` is {text:?}"),
            "Write scheme and host of the pages: https://acme.atlassian.net",
        );
    }
}
