//! Telling people once that a connection broke, and once that it works again: by an outgoing
//! webhook and by e-mail, a second path, for the first one may be what broke.
//!
//! News is decided from what is recorded of the connections, so that several processes decide the
//! same, and written down before anybody is told ([`bowline_store::alert`]): of several processes
//! the one that writes it down has it told, and what a killed process did not get to is told by
//! the next one. Each receiver is told by itself, in order, and tried again with growing pauses
//! until it has it or a day has passed.
//!
//! A try whose answer was lost is made again. So that nobody is told twice, the webhook says the
//! alert's `id`, and a letter has the same `Message-ID` each time.

mod decide;
mod look;
mod tell;
mod words;

pub use look::{AlertNow, Receivers};
pub use tell::AlertMail;

use bowline_domain::connection::Connection;
use bowline_domain::ids::SiteName;
use tokio::task::JoinSet;

use crate::check::{self, Finding, State};
use crate::service::{LOOK_EVERY, Settings};

/// Tries that one process has under way at once.
const AT_ONCE: usize = 16;

impl Settings {
    /// The tokens of sites that end soon.
    pub fn tokens_that_end(&self) -> Vec<(Connection, Finding)> {
        let ends = self.token_ends().into_iter();
        ends.filter(|(_, end)| end.state == State::Bad).collect()
    }

    /// The day on which the token of a site ends, as far as somebody said.
    pub fn token_ends_on(&self, site: &SiteName) -> Option<String> {
        if let Some((row, _)) = self.kept_site(site.as_str()) {
            return row.value.token_ends_on;
        }
        let declared = self.declared().token_ends;
        let mut all = declared.into_iter();
        all.find(|(name, _)| name == site).map(|(_, day)| day)
    }

    /// How long the tokens of sites last.
    pub(crate) fn token_ends(&self) -> Vec<(Connection, Finding)> {
        let now = self.now();
        let present = self.present();
        let kept = present.kept.sites.iter().filter(|(name, ..)| {
            let aside = &present.merged.sites;
            !aside.iter().any(|(other, _)| other == name)
        });
        let kept = kept.map(|(name, row, _)| (name.clone(), row.value.token_ends_on.clone()));
        let declared = self.declared().token_ends;
        let declared = declared.into_iter().map(|(name, day)| (name, Some(day)));
        kept.chain(declared)
            .map(|(name, day)| {
                let end = check::token_end(day.as_deref(), now);
                (Connection::Site(name), end)
            })
            .collect()
    }

    /// Decides what is news and has people told, until the service stops.
    pub(crate) async fn alert_people(weak: std::sync::Weak<crate::service::Inner>) {
        let mut telling = JoinSet::new();
        let Some(inner) = weak.upgrade() else { return };
        let (stopping, asked) = (
            inner.stopping.clone(),
            std::sync::Arc::clone(&inner.alert_soon),
        );
        drop(inner);
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = asked.notified() => {}
                () = stopping.cancelled() => break,
            }
            while telling.try_join_next().is_some() {}
            let Some(inner) = weak.upgrade() else { break };
            let settings = Self { inner };
            settings.write_news_down().await;
            settings
                .tell_due(AT_ONCE.saturating_sub(telling.len()), &mut telling)
                .await;
        }
        // What is under way is bounded by its deadline, and noted.
        while telling.join_next().await.is_some() {}
    }
}
