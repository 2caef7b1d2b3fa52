//! A far side that answers at once: as much of Intercom and Jira as the main job asks for. Counts
//! what arrives, by the number in it.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use axum::body::{Body, to_bytes};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::Bench;
use crate::delivery::{BOUND, NUMBER_MARK};

/// The longest body that is read, in bytes.
const BODY_BYTES_MAX: usize = 1_024 * 1_024;

/// What the headers name as Intercom's limit: so much that it never holds anything up.
const CALLS_PER_WINDOW: u32 = 10_000_000;

/// The length of Intercom's windows, in seconds.
const WINDOW_S: u64 = 10;

/// The far side, running until the process ends.
pub(crate) struct Far {
    pub(crate) addr: SocketAddr,
    seen: Arc<Seen>,
}

/// How Intercom behaves towards those who read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It answers at once.
    Well,
    /// It answers after a second.
    Slow,
    /// It never answers.
    Dead,
}

impl Manner {
    pub(crate) const ALL: [Self; 3] = [Self::Well, Self::Slow, Self::Dead];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Well => "answers at once",
            Self::Slow => "after 1 s",
            Self::Dead => "never",
        }
    }

    /// How long an answer is waited for, in milliseconds.
    fn delay_ms(self) -> u64 {
        match self {
            Self::Well => 0,
            Self::Slow => 1_000,
            Self::Dead => 3_600_000,
        }
    }
}

/// What arrived.
#[derive(Default)]
struct Seen {
    delay_ms: AtomicU64,
    notes: Mutex<HashMap<usize, Note>>,
    more: Condvar,
    refusing: AtomicBool,
}

/// The note about one delivery.
#[derive(Clone, Copy, Debug)]
struct Note {
    first_at: Instant,
    times: u32,
}

impl Far {
    pub(crate) fn start(bench: &Bench) -> anyhow::Result<Self> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = bench
            .runtime
            .block_on(TcpListener::bind(any))
            .context("listening")?;
        let far = Self {
            addr: listener.local_addr()?,
            seen: Arc::default(),
        };
        bench.runtime.spawn(serve(listener, Arc::clone(&far.seen)));
        Ok(far)
    }

    /// How Intercom's conversations and contacts answer from now on.
    pub(crate) fn behave(&self, manner: Manner) {
        self.seen
            .delay_ms
            .store(manner.delay_ms(), Ordering::Relaxed);
    }

    /// Lets Jira refuse its token from now on: deliveries wait and are not planned.
    pub(crate) fn refuse(&self) {
        self.seen.refusing.store(true, Ordering::Relaxed);
    }

    /// Waits until so many notes are there that are not the same.
    pub(crate) fn wait_for(&self, count: usize, patience: Duration) -> anyhow::Result<()> {
        let notes = self
            .seen
            .notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (notes, timed_out) = self
            .seen
            .more
            .wait_timeout_while(notes, patience, |notes| notes.len() < count)
            .unwrap_or_else(PoisonError::into_inner);
        anyhow::ensure!(
            !timed_out.timed_out(),
            "only {} of {count} notes came within {patience:?}",
            notes.len()
        );
        Ok(())
    }

    /// When the first note with this number came.
    pub(crate) fn came_at(&self, number: usize) -> Option<Instant> {
        let notes = self
            .seen
            .notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        notes.get(&number).map(|note| note.first_at)
    }

    /// Notes that came more than once.
    pub(crate) fn doubled(&self) -> usize {
        let notes = self
            .seen
            .notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        notes.values().filter(|note| note.times > 1).count()
    }

    /// Notes that are there and are not the same.
    pub(crate) fn count(&self) -> usize {
        self.seen
            .notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

impl Seen {
    fn note(&self, html: &str) {
        let now = Instant::now();
        let Some((_, rest)) = html.rsplit_once(NUMBER_MARK) else {
            return;
        };
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let Ok(number) = rest[..digits].parse() else {
            return;
        };
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes
            .entry(number)
            .or_insert(Note {
                first_at: now,
                times: 0,
            })
            .times += 1;
        drop(notes);
        self.more.notify_all();
    }
}

async fn serve(listener: TcpListener, seen: Arc<Seen>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let seen = Arc::clone(&seen);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let seen = Arc::clone(&seen);
                async move { Ok::<_, std::convert::Infallible>(answer(&seen, request).await) }
            });
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(seen: &Seen, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(Body::new(body), BODY_BYTES_MAX)
        .await
        .unwrap_or_default();
    let path: Vec<&str> = head.uri.path().trim_matches('/').split('/').collect();
    let jira = path.first() == Some(&"rest");
    if jira && seen.refusing.load(Ordering::Relaxed) {
        return respond(StatusCode::UNAUTHORIZED, jira, "{}".to_owned());
    }
    let read = matches!(path.first(), Some(&("conversations" | "contacts")));
    let delay_ms = seen.delay_ms.load(Ordering::Relaxed);
    if read && delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
    let found = match (&head.method, path.as_slice()) {
        (&Method::GET, ["me"]) => Some(ME.to_owned()),
        (&Method::GET, ["admins"]) => Some(format!(r#"{{"type":"admin.list","admins":[{ME}]}}"#)),
        (&Method::GET, ["conversations", id]) => Some(conversation(id, "")),
        (&Method::GET, ["contacts", _, "companies"]) => {
            Some(r#"{"type":"list","data":[]}"#.to_owned())
        }
        (&Method::GET, ["contacts", id]) => Some(format!(
            r#"{{"type":"contact","id":"{id}","role":"user","name":"Cleo Example",
            "email":"cleo@example.com","session_count":12}}"#
        )),
        (&Method::GET, ["data_attributes"]) => Some(r#"{"type":"list","data":[]}"#.to_owned()),
        (&Method::POST, ["conversations", id, "reply"]) => {
            let value: Value = serde_json::from_slice(&body).unwrap_or_default();
            let html = value
                .get("body")
                .and_then(Value::as_str)
                .unwrap_or_default();
            seen.note(html);
            Some(conversation(id, html))
        }
        (&Method::GET, ["rest", "api", "3", "myself"]) => Some(MYSELF.to_owned()),
        (&Method::POST, ["rest", "api", "3", "search", "jql"]) => {
            Some(r#"{"issues":[],"isLast":true}"#.to_owned())
        }
        (&Method::GET, ["rest", "api", "3", "issue", id]) => Some(issue(id)),
        (&Method::GET, ["rest", "api", "3", "project", key]) => Some(format!(
            r#"{{"id":"10000","key":"{key}","name":"Engineering"}}"#
        )),
        _ => None,
    };
    match found {
        Some(found) => respond(StatusCode::OK, jira, found),
        None => respond(StatusCode::NOT_FOUND, jira, NOT_FOUND.to_owned()),
    }
}

fn respond(status: StatusCode, jira: bool, body: String) -> Response<Body> {
    let mut response = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json");
    if !jira {
        let now_s = SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap_or_default()
            .as_secs();
        let reset_s = now_s - now_s % WINDOW_S + WINDOW_S;
        response = response
            .header("x-ratelimit-limit", CALLS_PER_WINDOW)
            .header("x-ratelimit-remaining", CALLS_PER_WINDOW)
            .header("x-ratelimit-reset", reset_s);
    }
    response.body(Body::from(body)).unwrap_or_default()
}

const ME: &str = r#"{"type":"admin","id":"991267459","name":"Bowline","email":"bowline@example.com",
    "app":{"type":"app","id_code":"bench001","name":"Example Shop","region":"US"}}"#;

const MYSELF: &str = r#"{"accountId":"5b10a2844c20165700ede21g","displayName":"Bowline",
    "active":true,"timeZone":"Etc/UTC","accountType":"atlassian"}"#;

const NOT_FOUND: &str = r#"{"errorMessages":["Not there"],"errors":{}}"#;

/// A conversation, with one note if `html` is not empty.
fn conversation(id: &str, html: &str) -> String {
    let part = if html.is_empty() {
        String::new()
    } else {
        format!(
            r#"{{"type":"conversation_part","id":"1{id}","part_type":"note","body":{},
            "created_at":1784541190,"updated_at":1784541190,"notified_at":1784541190,
            "assigned_to":null,"external_id":null,"attachments":[],"redacted":false,
            "author":{{"id":"991267459","type":"admin","name":"Bowline",
            "email":"bowline@example.com"}}}}"#,
            Value::String(html.to_owned())
        )
    };
    let parts = i32::from(!html.is_empty());
    format!(
        r#"{{"type":"conversation","id":"{id}","created_at":1784540190,"updated_at":1784541190,
        "waiting_since":null,"snoozed_until":null,"open":true,"state":"open","read":true,
        "title":"The cart","admin_assignee_id":0,"team_assignee_id":0,"priority":"not_priority",
        "source":{{"type":"conversation","id":"2{id}","delivered_as":"customer_initiated",
        "body":"<p>My voucher is gone.</p>","author":{{"type":"user","id":"5ba682d23d7cf92bef87bfd4",
        "name":"Cleo Example","email":"cleo@example.com"}},"attachments":[],"redacted":false}},
        "contacts":{{"type":"contact.list","contacts":[{{"type":"contact",
        "id":"5ba682d23d7cf92bef87bfd4","external_id":"f3b87a2e09d514c6c2e79b9a"}}]}},
        "teammates":{{"type":"admin.list","admins":[]}},"custom_attributes":{{}},
        "tags":{{"type":"tag.list","tags":[]}},
        "conversation_parts":{{"type":"conversation_part.list","total_count":{parts},
        "conversation_parts":[{part}]}}}}"#
    )
}

/// An issue of the bound project, without comments.
fn issue(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","key":"{BOUND}-{id}","self":"https://acme.example.com/rest/api/3/issue/{id}",
        "fields":{{"summary":"The cart forgets its vouchers ({id})",
        "project":{{"id":"10000","key":"{BOUND}","name":"Engineering"}},
        "status":{{"id":"10001","name":"To Do","statusCategory":{{"id":2,"key":"new","name":"To Do"}}}},
        "security":null,
        "assignee":{{"accountId":"5d1c00d1e2a7f30c8b7a1111","displayName":"Ben Okafor"}},
        "creator":{{"accountId":"5c5f880629be9642ba529340","displayName":"Ada Moreau"}},
        "reporter":{{"accountId":"5c5f880629be9642ba529340","displayName":"Ada Moreau"}},
        "created":"2026-02-15T19:01:52.971+0000","updated":"2026-02-15T19:18:01.707+0000",
        "description":{{"type":"doc","version":1,"content":[{{"type":"paragraph","content":[
        {{"type":"text","text":"When the page is loaded again the vouchers are gone."}}]}}]}},
        "comment":{{"startAt":0,"maxResults":0,"total":0,"comments":[]}}}}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_json_and_notes_are_counted_by_their_number() {
        for text in [
            ME.to_owned(),
            MYSELF.to_owned(),
            issue("7"),
            conversation("8", "<b>\"x\"</b>"),
        ] {
            assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
        }
        let seen = Seen::default();
        seen.note("<p>assigned to <strong>Person-12</strong></p>");
        seen.note("<p>assigned to <strong>Person-12</strong></p>");
        seen.note("<p>something else</p>");
        let notes = seen.notes.lock().unwrap();
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[&12].times, 2);
    }
}
