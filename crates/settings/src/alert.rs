//! Telling people once that a connection broke, and once that it works again, by an outgoing
//! webhook: a second path, for the first one may be what broke.
//!
//! What was told is kept, under a version: of several processes the one that writes it down tells
//! it, and a restart tells nothing twice.

use std::time::Duration;

use bowline_access::{What, Who};
use bowline_engine::look::ConnectionNow;
use bowline_net::Request;
use bowline_store::settings::SettingRow;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

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

/// What is to be told now, if something is.
fn news(now: &ConnectionNow, told: Option<&Told>, settled: bool) -> Option<Told> {
    let works = now.health.works();
    let last = told.is_none_or(|told| told.works);
    (works != last && (works || settled)).then_some(Told {
        works,
        since: now.since.0,
    })
}

impl Settings {
    /// Tells what changed since it was last told.
    pub(crate) async fn tell_health(&self) {
        let (Some(engine), Some(url)) = (self.engine(), self.declared().alert_url) else {
            return;
        };
        let all = engine.connections_now();
        // Nothing is read while all is well and was so.
        let rows = match self.inner.store.settings().await {
            Ok(rows) => rows,
            Err(error) => return tracing::error!(%error, "what was told could not be read"),
        };
        for connection in all {
            let key = connection.connection.key();
            let row = rows
                .iter()
                .find(|row| row.kind == Kind::Alert.as_str() && row.name == key);
            let told: Option<Told> = row.and_then(|row| serde_json::from_str(&row.body).ok());
            let settled = self.now().since(connection.since) >= SETTLED_MS;
            if let Some(news) = news(&connection, told.as_ref(), settled) {
                self.tell(&connection, row, &news, &url).await;
            }
        }
    }

    async fn tell(
        &self,
        connection: &ConnectionNow,
        row: Option<&SettingRow>,
        news: &Told,
        url: &Url,
    ) {
        let key = connection.connection.key();
        let name = connection.connection.name();
        let text = if news.works {
            format!("The connection “{name}” works again; its queue is being drained.")
        } else {
            let reason = connection.reason.as_deref().unwrap_or_default();
            format!("The connection “{name}” does not work. {reason}")
        };
        let from = row.map(|row| row.version);
        let entry = (&Who::CommandLine, What::AlertSent, text.as_str());
        // Whoever writes it down tells it.
        if let Err(refusal) = self.put((Kind::Alert, &key), from, news, None, entry).await {
            tracing::debug!(%refusal, connection = key, "another process tells it");
            return;
        }
        let body = json!({
            "connection": key,
            "works": news.works,
            "health": connection.health.as_str(),
            "reason": connection.reason,
            "since": jiff::Timestamp::from_millisecond(news.since).ok().map(|at| at.to_string()),
            "text": text,
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
                tracing::info!(connection = key, works = news.works, "people were told");
            }
            Ok(answer) => tracing::error!(
                connection = key,
                status = answer.status,
                "people could not be told: alert_webhook_url answered so"
            ),
            Err(error) => tracing::error!(connection = key, %error, "people could not be told"),
        }
    }
}

#[cfg(test)]
mod tests {
    use bowline_domain::connection::{Connection, Health};
    use bowline_domain::time::Millis;
    use bowline_engine::look::FarSide;

    use super::*;

    #[test]
    fn each_change_is_told_once() {
        let now = |health| ConnectionNow {
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
}
