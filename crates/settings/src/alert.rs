//! Telling people once that a connection broke, and once that it works again, by an outgoing
//! webhook: a second path, for the first one may be what broke.
//!
//! News is taken before it is told, so that of several processes one tells it, and tried again
//! until whoever is told takes it; only then it is written down as told. A process that dies in
//! between leaves it to be told again: news comes at least once, and twice only after a crash.
//! What changes back before anybody could be told is no news.

use std::time::Duration;

use bowline_access::{What, Who};
use bowline_domain::connection::Connection;
use bowline_domain::time::Millis;
use bowline_engine::look::ConnectionNow;
use bowline_net::Request;
use bowline_store::alert::AlertTry;
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

/// News that was taken is nobody else's for so long, in milliseconds: longer than telling it takes.
const TAKEN_MS: i64 = 60_000;

/// News that could not be told is tried again after so long, in milliseconds, and each time twice
/// as long, up to the maximum.
const AGAIN_MS: i64 = 5_000;
const AGAIN_MS_MAX: i64 = 15 * 60_000;

/// When news that failed so often is tried again, in milliseconds from now.
fn again_ms(tries: i64) -> i64 {
    let doubled = u32::try_from((tries - 1).clamp(0, 20)).unwrap_or(0);
    (AGAIN_MS << doubled).min(AGAIN_MS_MAX)
}

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
        let tries = match self.inner.store.alert_tries().await {
            Ok(tries) => tries,
            Err(error) => return tracing::error!(%error, "what is being told could not be read"),
        };
        for matter in self.matters() {
            let row = rows
                .iter()
                .find(|row| row.kind == Kind::Alert.as_str() && row.name == matter.key);
            let told: Option<Told> = row.and_then(|row| serde_json::from_str(&row.body).ok());
            // A token's end does not come and go.
            let settled =
                matter.key != matter.connection || self.now().since(matter.since) >= SETTLED_MS;
            let tried = tries.iter().find(|tried| tried.name == matter.key);
            let as_told = matter.works == told.as_ref().is_none_or(|told| told.works);
            if let Some(news) = news(&matter, told.as_ref(), settled) {
                let due = tried
                    .is_none_or(|tried| tried.works != news.works || tried.due_at <= self.now());
                if due {
                    self.begin_to_tell(matter, row.map(|row| row.version), news, &url)
                        .await;
                }
            } else if tried.is_some()
                && as_told
                && let Err(error) = self.inner.store.drop_alert(matter.key).await
            {
                tracing::error!(%error, "news that is none any more could not be dropped");
            }
        }
    }

    /// Takes news and tells it beside what else is to do: whoever is told may be slow.
    async fn begin_to_tell(&self, matter: Matter, from: Option<i64>, news: Told, url: &Url) {
        let now = self.now();
        let store = &self.inner.store;
        let taken = store.take_alert(matter.key.clone(), news.works, now, now.plus_ms(TAKEN_MS));
        let taken = match taken.await {
            Ok(Some(taken)) => taken,
            Ok(None) => return tracing::debug!(key = matter.key, "another process tells it"),
            Err(error) => return tracing::error!(%error, "news could not be taken to tell it"),
        };
        let (settings, url) = (self.clone(), url.clone());
        tokio::spawn(async move { settings.tell(&matter, from, &news, &url, taken).await });
    }

    async fn tell(
        &self,
        matter: &Matter,
        from: Option<i64>,
        news: &Told,
        url: &Url,
        taken: AlertTry,
    ) {
        let (key, store) = (matter.key.as_str(), &self.inner.store);
        if let Err(failure) = self.post(matter, news, url).await {
            tracing::error!(
                key,
                failure,
                tries = taken.tries,
                "people could not be told"
            );
            let due_at = self.now().plus_ms(again_ms(taken.tries));
            let failed = AlertTry {
                due_at,
                failure,
                ..taken
            };
            if let Err(error) = store.alert_failed(failed).await {
                tracing::error!(%error, key, "it could not be noted that nobody was told");
            }
            return;
        }
        tracing::info!(key, works = news.works, "people were told");
        let entry = (&Who::CommandLine, What::AlertSent, matter.text.as_str());
        if let Err(refusal) = self.put((Kind::Alert, key), from, news, None, entry).await {
            return tracing::error!(%refusal, key, "what people were told could not be kept");
        }
        if let Err(error) = store.drop_alert(matter.key.clone()).await {
            tracing::error!(%error, key, "news that was told could not be dropped");
        }
    }

    /// Posts news; answers why it could not.
    async fn post(&self, matter: &Matter, news: &Told, url: &Url) -> Result<(), String> {
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
            Ok(answer) if answer.is_success() => Ok(()),
            Ok(answer) => Err(format!(
                "alert_webhook_url answered with status {}",
                answer.status
            )),
            Err(error) => Err(format!("alert_webhook_url: {error}")),
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
    fn what_could_not_be_told_is_tried_again_and_ever_more_seldom() {
        let seconds = [1, 2, 3, 8, 9, 99].map(|tries| again_ms(tries) / 1_000);
        assert_eq!(seconds, [5, 10, 20, 640, 900, 900]);
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
