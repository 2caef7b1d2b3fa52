//! Configuration: `bowline.toml` with the environment on top.
//!
//! The names of the keys, their defaults and their environment forms are a contract that scripts rely on. They stand in one table,
//! [`reference::KEYS`]; the reader, the check for unknown keys and the page `docs/configuration.md` all work from that table, so that none
//! of them can say something else than the others.
//!
//! Loading never stops at the first mistake: [`Config::load`] returns every [`Problem`] it can find, each with its place and how to mend it.
//! No secret is ever part of a problem.

mod alert_mail;
mod binding;
mod build;
mod connections;
mod contact_sync;
mod desk;
mod desk_texts;
mod environment;
mod oidc;
mod origin;
mod panel;
mod problem;
mod product;
pub mod reference;
mod schema;
mod secret;
mod settings;
#[cfg(test)]
mod tests;
mod tree;
mod types;

pub use alert_mail::AlertMail;
pub use oidc::Oidc;
pub use origin::{Change, Origin, Origins, SecretSource, changed_secrets, differs_beyond_secrets};
pub use panel::{Embedding, Panel};
pub use problem::{Place, Problem, nearest_first};
pub use types::{
    Binding, Category, ChannelAccount, ChannelProvider, CommentFilter, Commented, Config,
    ContactSync, Database, Desk, DeskChannels, IssuePlace, Language, Limits, Log, LogFormat,
    Metrics, Notify, Product, React, Region, Site, SiteKind, StatusNotifications, StatusPattern,
    Texts, TicketStatus, TransitionRule, WindowTemplate, Workspace,
};

use std::{io, path::Path};

/// How a file is read; passed in so that tests need no disk.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// A valid configuration, and what is worth knowing about where it came from.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// What is allowed but probably not meant, for example a public address that Jira Cloud cannot reach.
    pub warnings: Vec<Problem>,
    /// Where each setting came from.
    pub origins: Origins,
    sources: Vec<SecretSource>,
}

impl Loaded {
    /// Where the secrets came from. Watch the [`SecretSource::file`]s: when one changes, load again, and a new token is in use without a
    /// restart.
    pub fn secret_sources(&self) -> &[SecretSource] {
        &self.sources
    }
}

impl Config {
    /// Reads the configuration file at `path`, puts the `BOWLINE_…` variables of `env` on top, and checks all of it.
    ///
    /// Without a path the whole configuration comes from the environment, and relative paths are relative to the working directory;
    /// otherwise they are relative to the folder of the configuration file.
    ///
    /// # Errors
    ///
    /// Every problem that was found, in the order of the file and then of the variables' names.
    pub fn load(
        path: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
        read_file: ReadFile<'_>,
    ) -> Result<Loaded, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut root = match path {
            Some(path) => tree::read(path, read_file, &mut problems),
            None => tree::Node::empty_root(),
        };
        environment::overlay(&mut root, env, &mut problems);
        schema::check(&mut root, &mut problems);
        build::build(&root, path, read_file, problems)
    }
}
