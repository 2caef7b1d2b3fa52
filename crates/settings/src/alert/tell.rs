//! Telling: one alert to one receiver, and what comes of it.

use std::fmt;
use std::time::Duration;

use bowline_domain::time::Millis;
use bowline_net::Request;
use bowline_net::mail::{Letter, MailServer, MailTls, domain_of};
use bowline_store::alert::{AlertCame, AlertTry};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use url::Url;

use super::words::News;
use crate::service::Settings;

/// How long an outgoing webhook's receiver may take.
const WEBHOOK_DEADLINE: Duration = Duration::from_secs(10);

/// A try is this process's for so long, in milliseconds: longer than any may take
/// ([`WEBHOOK_DEADLINE`], [`bowline_net::mail::MAIL_DEADLINE`]). What a killed process was at is tried by the next one
/// after that.
const TAKEN_MS: i64 = 30_000;

/// The first pause before it is tried again, in milliseconds; each one is twice the one before.
const PAUSE_MS: i64 = 5_000;

/// The longest pause, in milliseconds.
const PAUSE_MS_MAX: i64 = 15 * 60_000;

/// After so long, in milliseconds, an alert is given up: it is old news.
pub(crate) const GIVEN_UP_MS: i64 = 24 * 3_600_000;

/// The name of the header by which a webhook's receiver knows that it has an alert already; it is
/// the `id` in the body.
const NAMED: HeaderName = HeaderName::from_static("idempotency-key");

/// The server that letters go by, and who gets them.
#[derive(Clone, Debug)]
pub struct AlertMail {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is kept secret.
    pub tls: MailTls,
    /// User and password, if it asks for them.
    pub login: Option<(String, SecretString)>,
    /// Who letters are from.
    pub from: String,
    /// Who gets them.
    pub to: Vec<String>,
}

impl AlertMail {
    /// The server, as letters are handed to it.
    pub fn server(&self, authorities_pem: Vec<u8>, public_url: &Url) -> MailServer {
        let login = self.login.as_ref();
        MailServer {
            host: self.host.clone(),
            port: self.port,
            tls: self.tls,
            login: login
                .map(|(user, password)| (user.clone(), password.expose_secret().to_owned())),
            authorities_pem,
            hello: public_url.host_str().unwrap_or("localhost").to_owned(),
        }
    }
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// The outgoing webhook.
    Webhook,
    /// An address of e-mail.
    Mail(String),
}

impl fmt::Display for Receiver {
    /// The name in the store.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Webhook => f.write_str("webhook"),
            Self::Mail(address) => write!(f, "mail:{address}"),
        }
    }
}

/// How long after a try the next one is made.
fn pause_ms(tries: i64) -> i64 {
    let doubled = u32::try_from(tries - 1).unwrap_or(0).min(30);
    PAUSE_MS.saturating_mul(1 << doubled).min(PAUSE_MS_MAX)
}

/// What comes of a try that failed.
fn failed(tried: &AlertTry, (failure, for_good): (String, bool), now: Millis) -> AlertCame {
    if for_good {
        return AlertCame::GivenUp { failure };
    }
    if now.since(tried.made_at) >= GIVEN_UP_MS {
        let failure = format!("{failure} (tried {} times in a day)", tried.tries);
        return AlertCame::GivenUp { failure };
    }
    let due_at = now.plus_ms(pause_ms(tried.tries));
    AlertCame::Again { due_at, failure }
}

/// What is posted.
fn posted(tried: &AlertTry, news: &News) -> Value {
    let at = jiff::Timestamp::from_millisecond(tried.made_at.0).ok();
    let mut body = serde_json::to_value(news).unwrap_or_default();
    if let Value::Object(fields) = &mut body {
        fields.insert("id".to_owned(), json!(tried.uid));
        fields.insert("at".to_owned(), json!(at.map(|at| at.to_string())));
    }
    body
}

impl Settings {
    /// Who is told now.
    pub(crate) fn receivers_now(&self) -> Vec<Receiver> {
        let declared = self.declared();
        let mail = declared.alert_mail.into_iter().flat_map(|mail| mail.to);
        let webhook = declared.alert_url.map(|_| Receiver::Webhook);
        webhook
            .into_iter()
            .chain(mail.map(Receiver::Mail))
            .collect()
    }

    /// Begins to tell what is due.
    pub(crate) async fn tell_due(&self, most: usize, telling: &mut JoinSet<()>) {
        let most = i64::try_from(most).unwrap_or(0);
        if most == 0 {
            return;
        }
        let now = self.now();
        let taken = self
            .inner
            .store
            .take_alerts(now, now.plus_ms(TAKEN_MS), most);
        match taken.await {
            Ok(tries) => {
                for tried in tries {
                    let settings = self.clone();
                    telling.spawn(async move { settings.tell(tried).await });
                }
            }
            Err(error) => tracing::error!(%error, "alerts to be told could not be read"),
        }
    }

    async fn tell(&self, tried: AlertTry) {
        let receiver = tried.receiver.as_str();
        let told = match serde_json::from_str::<News>(&tried.body) {
            Ok(news) => self.try_to_tell(&tried, &news).await,
            Err(error) => Err((format!("the alert cannot be read: {error}"), true)),
        };
        let now = self.now();
        let came = match told {
            Ok(()) => AlertCame::Delivered,
            Err(failure) => failed(&tried, failure, now),
        };
        match &came {
            AlertCame::Delivered => {
                tracing::info!(matter = tried.matter, receiver, "people were told");
            }
            AlertCame::Again { failure, .. } => {
                tracing::warn!(
                    matter = tried.matter,
                    receiver,
                    failure,
                    "people could not be told; it is tried again"
                );
            }
            AlertCame::GivenUp { failure } => {
                tracing::error!(
                    matter = tried.matter,
                    receiver,
                    failure,
                    "people could not be told"
                );
            }
        }
        if let Err(error) = self.inner.store.alert_came(tried, came, now).await {
            // It is tried again when its time is over; its receiver knows it by its name.
            tracing::error!(%error, "what came of an alert could not be noted");
        }
        self.inner.alert_soon.notify_one();
    }

    async fn try_to_tell(&self, tried: &AlertTry, news: &News) -> Result<(), (String, bool)> {
        let declared = self.declared();
        let gone = || {
            // Other processes may know it, or this one may know it again before a day is over.
            let words = "it is not among the receivers that are configured";
            (words.to_owned(), false)
        };
        match tried.receiver.strip_prefix("mail:") {
            None => {
                let url = declared.alert_url.ok_or_else(gone)?;
                self.post(url, tried, news).await
            }
            Some(address) => {
                let mail = declared.alert_mail.ok_or_else(gone)?;
                if !mail.to.iter().any(|known| known == address) {
                    return Err(gone());
                }
                self.write_to(&mail, address, tried, news).await
            }
        }
    }

    async fn post(&self, url: Url, tried: &AlertTry, news: &News) -> Result<(), (String, bool)> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(name) = HeaderValue::from_str(&tried.uid) {
            headers.insert(NAMED, name);
        }
        let request = Request {
            method: Method::POST,
            url,
            headers,
            body: Some(posted(tried, news).to_string().into()),
            deadline: WEBHOOK_DEADLINE,
        };
        match self.inner.transport.send(request).await {
            Ok(answer) if answer.is_success() => Ok(()),
            Ok(answer) => {
                let words = format!("it answered with status {}", answer.status);
                Err((words, answer.status == http::StatusCode::GONE.as_u16()))
            }
            Err(error) => Err((format!("no answer: {error}"), false)),
        }
    }

    async fn write_to(
        &self,
        mail: &AlertMail,
        address: &str,
        tried: &AlertTry,
        news: &News,
    ) -> Result<(), (String, bool)> {
        let server = mail.server(self.inner.authorities_pem.clone(), &self.inner.public_url);
        let domain = domain_of(&mail.from).unwrap_or_else(|| server.hello.clone());
        let letter = Letter {
            from: mail.from.clone(),
            to: address.to_owned(),
            subject: news.subject.clone(),
            text: format!("{}\n", news.text),
            // Of each address its own: a letter to each goes its own way.
            message_id: format!(
                "{}.{}@{domain}",
                tried.uid,
                &bowline_access::digest(&tried.receiver)[..8]
            ),
            written_at_ms: tried.made_at.0,
        };
        let sent = server.send(&letter).await;
        sent.map_err(|failure| (failure.words, failure.for_good))
    }
}

#[cfg(test)]
mod tests {
    use bowline_net::mail::MAIL_DEADLINE;

    use super::*;

    fn tried(tries: i64) -> AlertTry {
        AlertTry {
            alert: 1,
            uid: "u".to_owned(),
            matter: "site/jira".to_owned(),
            body: String::new(),
            made_at: Millis(0),
            receiver: "webhook".to_owned(),
            tries,
        }
    }

    #[test]
    fn it_is_tried_ever_more_seldom_and_given_up_after_a_day() {
        let seconds = [1, 2, 3, 8, 9, 99].map(|tries| pause_ms(tries) / 1_000);
        assert_eq!(seconds, [5, 10, 20, 640, 900, 900]);
        let failure = || ("it answered with status 503".to_owned(), false);
        let last = Millis(GIVEN_UP_MS - 1);
        let again = failed(&tried(9), failure(), last);
        let due_at = last.plus_ms(PAUSE_MS_MAX);
        assert!(matches!(again, AlertCame::Again { due_at: at, .. } if at == due_at));
        let AlertCame::GivenUp { failure } = failed(&tried(99), failure(), Millis(GIVEN_UP_MS))
        else {
            panic!("it goes on");
        };
        assert_eq!(
            failure,
            "it answered with status 503 (tried 99 times in a day)"
        );
    }

    #[test]
    fn what_is_refused_for_good_is_given_up_at_once() {
        let came = failed(&tried(1), ("550 no such user".to_owned(), true), Millis(1));
        assert!(matches!(came, AlertCame::GivenUp { .. }));
    }

    #[test]
    fn a_try_is_ours_for_longer_than_it_may_take() {
        let taken = Duration::from_millis(TAKEN_MS.unsigned_abs());
        assert!(MAIL_DEADLINE < taken && WEBHOOK_DEADLINE < taken);
    }

    #[test]
    fn what_is_posted_names_the_alert() {
        let body = posted(&tried(1), &News::default());
        assert_eq!(
            (&body["id"], &body["at"]),
            (&json!("u"), &json!("1970-01-01T00:00:00Z"))
        );
        assert_eq!(body["kind"], "broken");
    }
}
