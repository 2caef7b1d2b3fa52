//! Telling people once that a connection broke, and once that it works again, by an outgoing
//! webhook: a second path, for the first one may be what broke.
//!
//! What was told is kept, under a version: of several processes the one that writes it down tells
//! it, and a restart tells nothing twice.

use std::time::Duration;

use bowline_access::{What, Who};
use bowline_domain::connection::Connection;
use bowline_domain::time::Millis;
use bowline_engine::look::ConnectionNow;
use bowline_net::Request;
use bowline_store::settings::SettingRow;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use crate::check::{self, Finding, State};
use crate::service::Settings;
use crate::stored::Kind;

/// How long whoever is told may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// A connection is told to be broken only after so long, in milliseconds: what mends itself at the
/// next look is no news.
const SETTLED_MS: i64 = 5_000;

/// What was last told.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Told {
    works: bool,
    since: i64,
}

/// Something that people are told of when it stops being well, and when it is well again.
#[derive(Clone, Debug)]
struct Matter {
    /// Under which it is written down.
    key: String,
    connection: String,
    works: bool,
    health: &'static str,
    reason: Option<String>,
    since: Millis,
    /// The words for people.
    text: String,
}

/// A connection that works, or does not.
fn of_connection(now: &ConnectionNow) -> Matter {
    let (key, name) = (now.connection.key(), now.connection.name());
    let works = now.health.works();
    let reason = now.reason.as_deref().unwrap_or_default();
    Matter {
        text: if works {
            format!("The connection “{name}” works again; its queue is being drained.")
        } else {
            format!("The connection “{name}” does not work. {reason}")
        },
        connection: key.clone(),
        key,
        works,
        health: now.health.as_str(),
        reason: now.reason.clone(),
        since: now.since,
    }
}

/// A token that lasts, or ends soon.
fn of_token(connection: &Connection, end: Finding, now: Millis) -> Matter {
    let key = connection.key();
    let works = end.state != State::Bad;
    Matter {
        text: format!("The token of “{}”: {}", connection.name(), end.words),
        key: format!("{key}/token"),
        connection: key,
        works,
        health: if works { "connected" } else { "ends_soon" },
        reason: Some(end.words),
        since: now,
    }
}

/// What is to be told now, if something is.
fn news(matter: &Matter, told: Option<&Told>, settled: bool) -> Option<Told> {
    let last = told.is_none_or(|told| told.works);
    (matter.works != last && (matter.works || settled)).then_some(Told {
        works: matter.works,
        since: matter.since.0,
    })
}

impl Settings {
    /// The tokens of kept sites that end soon.
    pub fn tokens_that_end(&self) -> Vec<(Connection, Finding)> {
        let now = self.now();
        let present = self.present();
        let sites = present.kept.sites.iter();
        sites
            .map(|(name, row, _)| {
                let end = check::token_end(row.value.token_ends_on.as_deref(), now);
                (Connection::Site(name.clone()), end)
            })
            .filter(|(_, end)| end.state == State::Bad)
            .collect()
    }

    fn matters(&self) -> Vec<Matter> {
        let Some(engine) = self.engine() else {
            return Vec::new();
        };
        let now = self.now();
        let present = self.present();
        let tokens = present.kept.sites.iter().map(|(name, row, _)| {
            let end = check::token_end(row.value.token_ends_on.as_deref(), now);
            of_token(&Connection::Site(name.clone()), end, now)
        });
        let connections = engine.connections_now();
        connections
            .iter()
            .map(of_connection)
            .chain(tokens)
            .collect()
    }

    /// Tells what changed since it was last told.
    pub(crate) async fn tell_health(&self) {
        let Some(url) = self.declared().alert_url else {
            return;
        };
        let rows = match self.inner.store.settings().await {
            Ok(rows) => rows,
            Err(error) => return tracing::error!(%error, "what was told could not be read"),
        };
        for matter in self.matters() {
            let row = rows
                .iter()
                .find(|row| row.kind == Kind::Alert.as_str() && row.name == matter.key);
            let told: Option<Told> = row.and_then(|row| serde_json::from_str(&row.body).ok());
            // A token's end does not come and go.
            let settled =
                matter.key != matter.connection || self.now().since(matter.since) >= SETTLED_MS;
            if let Some(news) = news(&matter, told.as_ref(), settled) {
                self.tell(&matter, row, &news, &url).await;
            }
        }
    }

    async fn tell(&self, matter: &Matter, row: Option<&SettingRow>, news: &Told, url: &Url) {
        let from = row.map(|row| row.version);
        let entry = (&Who::CommandLine, What::AlertSent, matter.text.as_str());
        let key = matter.key.as_str();
        // Whoever writes it down tells it.
        if let Err(refusal) = self.put((Kind::Alert, key), from, news, None, entry).await {
            tracing::debug!(%refusal, key, "another process tells it");
            return;
        }
        let since = jiff::Timestamp::from_millisecond(news.since).ok();
        let body = json!({
            "connection": matter.connection,
            "works": news.works,
            "health": matter.health,
            "reason": matter.reason,
            "since": since.map(|at| at.to_string()),
            "text": matter.text,
            "url": self.inner.public_url.as_str(),
        });
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let request = Request {
            method: Method::POST,
            url: url.clone(),
            headers,
            body: Some(body.to_string().into()),
            deadline: DEADLINE,
        };
        match self.inner.transport.send(request).await {
            Ok(answer) if answer.is_success() => {
                tracing::info!(key, works = news.works, "people were told");
            }
            Ok(answer) => tracing::error!(
                key,
                status = answer.status,
                "people could not be told: alert_webhook_url answered so"
            ),
            Err(error) => tracing::error!(key, %error, "people could not be told"),
        }
    }
}

#[cfg(test)]
mod tests {
    use bowline_domain::connection::Health;
    use bowline_engine::look::FarSide;

    use super::*;

    #[test]
    fn each_change_is_told_once() {
        let now = |health| {
            of_connection(&ConnectionNow {
                connection: Connection::Workspace("acme".into()),
                far_side: FarSide::Intercom,
                url: String::new(),
                health,
                reason: None,
                since: Millis(7),
                remote_id: None,
                actor_id: None,
                webhook_seen_at: None,
                expects_webhooks: true,
                projects: Vec::new(),
            })
        };
        let told = |works| Told { works, since: 1 };
        let (fine, broken) = (now(Health::Connected), now(Health::Broken));
        assert_eq!(news(&fine, None, true), None, "well from the start");
        assert_eq!(news(&broken, None, false), None, "not settled yet");
        assert_eq!(
            news(&broken, None, true),
            Some(Told {
                works: false,
                since: 7
            })
        );
        assert_eq!(news(&broken, Some(&told(false)), true), None);
        assert_eq!(
            news(&fine, Some(&told(false)), false),
            Some(Told {
                works: true,
                since: 7
            })
        );
        assert_eq!(news(&fine, Some(&told(true)), true), None);
        assert!(news(&now(Health::Limited), Some(&told(true)), true).is_some());
    }
    #[test]
    fn a_token_that_ends_soon_is_told_apart_from_its_connection() {
        let site = Connection::Site("jira".into());
        let day = |ends_on| check::token_end(Some(ends_on), Millis(1_795_600_000_000));
        let soon = of_token(&site, day("2026-12-01"), Millis(9));
        assert!(!soon.works && soon.key == "site/jira/token" && soon.connection == "site/jira");
        assert!(soon.text.contains("2026-12-01"), "{}", soon.text);
        assert!(of_token(&site, day("2027-11-01"), Millis(9)).works);
    }
}
