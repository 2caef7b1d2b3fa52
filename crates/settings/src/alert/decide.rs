//! What is news: pure decisions, and the look that feeds them.

use std::collections::HashMap;

use bowline_access::{What, Who};
use bowline_domain::connection::{Connection, Health};
use bowline_domain::ids::ProjectKey;
use bowline_domain::time::Millis;
use bowline_store::StoreError;
use bowline_store::alert::{AlertMatter, NewAlert};
use bowline_store::model::ConnectionRecord;
use bowline_store::project_access::ProjectAccess;

use super::words::{self, News};
use crate::check::{Finding, State};
use crate::project_access::Lacking;
use crate::service::Settings;

/// A state counts as news only after it held for so long, in milliseconds: what mends itself at
/// the next look, or breaks again at once, is told to nobody.
pub(crate) const GRACE_MS: i64 = 5_000;

/// Something that people are told of when it stops being well, and when it is well again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Matter {
    /// Under which it is written down.
    pub(crate) key: String,
    pub(crate) connection: Connection,
    pub(crate) works: bool,
    pub(crate) health: &'static str,
    pub(crate) reason: Option<String>,
    pub(crate) since: Millis,
    pub(crate) about: About,
    /// What a project lacks.
    pub(crate) lacking: Option<Lacking>,
}

/// What of a connection a matter is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// All of it.
    Whole,
    /// The token, which ends.
    Token,
    /// What may be done in a project.
    Project(ProjectKey),
}

/// A connection as it is recorded; `None` as long as it was not tried.
fn of_connection(record: ConnectionRecord) -> Option<Matter> {
    (record.health != Health::Unchecked).then(|| Matter {
        key: record.connection.key(),
        works: record.health.works(),
        health: record.health.as_str(),
        connection: record.connection,
        reason: record.reason,
        since: record.since,
        about: About::Whole,
        lacking: None,
    })
}

/// A token that lasts, or ends soon; `None` if nobody said when it ends.
fn of_token(connection: Connection, end: Finding, now: Millis) -> Option<Matter> {
    let works = match end.state {
        State::Bad => false,
        State::Good | State::Note => true,
        State::Unknown => return None,
    };
    Some(Matter {
        key: token_key(&connection),
        connection,
        works,
        health: if works { "connected" } else { "ends_soon" },
        reason: Some(end.words),
        // A day does not come and go: there is nothing to wait for.
        since: now.plus_ms(-GRACE_MS),
        about: About::Token,
        lacking: None,
    })
}

/// A project in which our account may do what is needed, or not.
fn of_project(access: &ProjectAccess) -> Matter {
    let connection = Connection::Site(access.site.clone());
    let lacking = Lacking::of(access);
    Matter {
        key: project_key(&connection, &access.project),
        connection,
        works: lacking.is_none(),
        health: if lacking.is_none() {
            "connected"
        } else {
            "limited"
        },
        reason: lacking.as_ref().map(|lacking| lacking.reason.clone()),
        since: access.since,
        about: About::Project(access.project.clone()),
        lacking,
    }
}

pub(crate) fn token_key(connection: &Connection) -> String {
    format!("{}/token", connection.key())
}

fn project_key(connection: &Connection, project: &ProjectKey) -> String {
    format!("{}{PROJECT}{project}", connection.key())
}

/// Between a site and its project in the name of a matter.
const PROJECT: &str = "/project/";

/// Is this to be told? If so, from which count of news.
pub(crate) fn is_news(matter: &Matter, told: Option<&AlertMatter>, now: Millis) -> Option<i64> {
    let worked = told.is_none_or(|told| told.works);
    let settled = now.since(matter.since) >= GRACE_MS;
    (matter.works != worked && settled).then(|| told.map_or(0, |told| told.told))
}

impl Settings {
    /// Writes down what is news, for all who are told of such things.
    pub(crate) async fn write_news_down(&self) {
        if self.receivers_now().is_empty() {
            return;
        }
        if let Err(error) = self.news().await {
            tracing::error!(%error, "what is news of the connections could not be written down");
        }
    }

    async fn news(&self) -> Result<(), StoreError> {
        // What was told is read before what is: what is decided from an older look is refused.
        let told: HashMap<String, AlertMatter> = (self.inner.store.alert_matters().await?)
            .into_iter()
            .map(|matter| (matter.name.clone(), matter))
            .collect();
        let now = self.now();
        let used = self.connections_in_use();
        let records = self.inner.store.connections().await?.into_iter();
        let records = records.filter(|record| used.contains(&record.connection));
        let ends = self.token_ends().into_iter();
        let ends = ends.filter_map(|(connection, end)| of_token(connection, end, now));
        let access = self.inner.store.project_access().await?;
        let joined = &self.present().merged.config.bindings;
        let projects: Vec<Matter> = (access.iter())
            .filter(|access| {
                let mut joined = joined.iter();
                joined.any(|one| one.site == access.site && one.project == access.project)
            })
            .map(of_project)
            .collect();
        self.forget_parted(told.values()).await?;
        let matters = records.filter_map(of_connection).chain(ends);
        for matter in matters.chain(projects) {
            if let Some(from) = is_news(&matter, told.get(&matter.key), now) {
                self.write_down(&matter, from, now).await?;
            }
        }
        Ok(())
    }

    async fn write_down(&self, matter: &Matter, from: i64, now: Millis) -> Result<(), StoreError> {
        let waiting = self.waiting_for(&matter.connection).await?;
        let place = match &matter.about {
            About::Project(project) => self.place_of_project(&matter.connection, project),
            About::Whole | About::Token => self.place_of(&matter.connection),
        };
        let news = words::of(matter, waiting, &place);
        let made = self
            .make_alert(
                &matter.key,
                Some((matter.works, from)),
                &news,
                now,
                &Who::CommandLine,
            )
            .await?;
        if made.is_some() {
            tracing::info!(
                matter = matter.key,
                works = matter.works,
                "people are to be told"
            );
        }
        Ok(())
    }

    /// Writes an alert down for all receivers there are now.
    pub(crate) async fn make_alert(
        &self,
        matter: &str,
        news: Option<(bool, i64)>,
        what: &News,
        now: Millis,
        who: &Who,
    ) -> Result<Option<i64>, StoreError> {
        let entry = (self.inner.access).entry(who, What::AlertSent, matter, what.subject.as_str());
        let alert = NewAlert {
            uid: self.inner.access.new_secret(),
            matter: matter.to_owned(),
            news,
            body: serde_json::to_string(what).unwrap_or_default(),
            at: now,
            receivers: self
                .receivers_now()
                .iter()
                .map(ToString::to_string)
                .collect(),
        };
        self.inner.store.make_alert(alert, entry).await
    }

    async fn waiting_for(&self, connection: &Connection) -> Result<i64, StoreError> {
        let queues = self.inner.store.queues().await?.into_iter();
        let of_it = queues.filter(|queue| queue.connection == *connection);
        Ok(of_it.map(|queue| queue.waiting).sum())
    }

    fn connections_in_use(&self) -> Vec<Connection> {
        let config = self.config();
        let sites = config.sites.into_iter();
        let workspaces = config.workspaces.into_iter();
        let accounts = config.accounts.into_iter();
        sites
            .map(|one| Connection::Site(one.name))
            .chain(workspaces.map(|one| Connection::Workspace(one.name)))
            .chain(accounts.map(|one| Connection::Account(one.name)))
            .collect()
    }

    /// A project that is not joined any more is no matter: joined again, it is told of anew.
    async fn forget_parted(
        &self,
        told: impl Iterator<Item = &AlertMatter>,
    ) -> Result<(), StoreError> {
        let present = self.present();
        let joined: Vec<String> = (present.merged.config.bindings.iter())
            .map(|one| project_key(&Connection::Site(one.site.clone()), &one.project))
            .collect();
        for matter in told.filter(|matter| matter.name.contains(PROJECT)) {
            if !joined.contains(&matter.name) {
                let (name, told) = (matter.name.clone(), matter.told);
                self.inner.store.forget_alert_matter(name, told).await?;
            }
        }
        Ok(())
    }

    /// A connection that is removed is no matter any more: one of the same name that is made later
    /// is told of anew.
    pub(crate) async fn forget_news_of(&self, connection: &Connection) -> Result<(), StoreError> {
        let keys = [connection.key(), token_key(connection)];
        for matter in self.inner.store.alert_matters().await? {
            if keys.contains(&matter.name) {
                let store = &self.inner.store;
                store.forget_alert_matter(matter.name, matter.told).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    fn record(health: Health) -> ConnectionRecord {
        ConnectionRecord {
            connection: Connection::Workspace("acme".into()),
            health,
            reason: None,
            since: Millis(1_000),
            remote_id: None,
            actor_id: None,
            checked_at: None,
            webhook_seen_at: None,
        }
    }

    fn told(works: bool) -> AlertMatter {
        AlertMatter {
            name: "workspace/acme".to_owned(),
            works,
            told: 7,
        }
    }

    #[test]
    fn each_change_that_lasts_is_news_once() {
        let (early, late) = (Millis(1_000 + GRACE_MS - 1), Millis(1_000 + GRACE_MS));
        for (health, before, now, wanted) in [
            (Health::Connected, None, late, None),
            (Health::Broken, None, early, None),
            (Health::Broken, None, late, Some(0)),
            (Health::Limited, None, late, Some(0)),
            (Health::Broken, Some(told(false)), late, None),
            (Health::Broken, Some(told(true)), late, Some(7)),
            (Health::Limited, Some(told(false)), late, None),
            (Health::Connected, Some(told(false)), early, None),
            (Health::Connected, Some(told(false)), late, Some(7)),
            (Health::Connected, Some(told(true)), late, None),
        ] {
            let matter = of_connection(record(health)).unwrap();
            let found = is_news(&matter, before.as_ref(), now);
            assert_eq!(found, wanted, "{health:?} after {before:?} at {now:?}");
        }
    }

    #[test]
    fn what_was_not_tried_since_the_start_is_neither_broken_nor_mended() {
        assert_eq!(of_connection(record(Health::Unchecked)), None);
    }

    #[test]
    fn a_token_that_ends_soon_is_news_apart_from_its_connection() {
        let site = || Connection::Site("jira".into());
        let now = Millis(1_795_600_000_000); // 2026-11-25
        let of = |ends_on| of_token(site(), check::token_end(ends_on, now), now);
        let soon = of(Some("2026-12-01")).unwrap();
        assert_eq!((soon.works, soon.key.as_str()), (false, "site/jira/token"));
        assert_eq!(is_news(&soon, None, now), Some(0));
        assert!(of(Some("2027-11-01")).unwrap().works);
        assert_eq!(of(None), None);
    }

    #[test]
    fn a_lost_permission_is_news_once_it_lasts_and_again_when_it_is_granted() {
        let access = |lacks: &[&str]| ProjectAccess {
            site: "jira".into(),
            project: "ENG".into(),
            lacks: lacks.iter().map(|&name| name.to_owned()).collect(),
            since: Millis(1_000),
            checked_at: Millis(2_000),
        };
        let told = |works| AlertMatter {
            name: "site/jira/project/ENG".to_owned(),
            works,
            told: 3,
        };
        let (early, late) = (Millis(1_000 + GRACE_MS - 1), Millis(1_000 + GRACE_MS));
        let lost = of_project(&access(&["EDIT_ISSUES"]));
        assert_eq!(
            (lost.key.as_str(), lost.works),
            ("site/jira/project/ENG", false)
        );
        assert!(lost.reason.as_ref().unwrap().contains("“Edit issues”"));
        assert_eq!(is_news(&lost, None, early), None);
        assert_eq!(is_news(&lost, None, late), Some(0));
        assert_eq!(is_news(&lost, Some(&told(false)), late), None);
        let granted = of_project(&access(&[]));
        assert_eq!(is_news(&granted, None, late), None);
        assert_eq!(is_news(&granted, Some(&told(false)), late), Some(3));
    }
}
