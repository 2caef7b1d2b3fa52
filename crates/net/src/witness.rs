//! Remembering the calls that a piece of work makes, so that it can be told later what was asked
//! and what was answered.
//!
//! What is remembered belongs to the task that works: the clients of the providers, which make the
//! calls, need to know nothing of it. Calls of anybody else go through untouched.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use url::Url;

use crate::stream::Incoming;
use crate::transport::{BoxFuture, Request, Response, SendFailure, Transport};

/// Calls of one piece of work that are remembered at most: the last ones.
pub const SEEN_MAX: usize = 16;

/// How much is remembered of the body of an answer that was a success, in bytes. Such answers can
/// be large (a conversation with all its parts), and their beginning says enough.
pub const SUCCESS_BYTES_MAX: usize = 1024;

/// What is remembered of an answer's headers: what they say of pace, and the names under which the
/// provider's support finds the call.
const HEADERS: &[&str] = &[
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-nearlimit",
    "ratelimit-reason",
    "x-request-id",
    "x-arequestid",
    "atl-traceid",
    "x-fb-trace-id",
];

tokio::task_local! {
    static SEEN: RefCell<VecDeque<Seen>>;
}

/// One call, as it was made. Holds what is secret: it is for whoever takes the secrets out.
#[derive(Clone)]
pub struct Seen {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// The body that was sent.
    pub body: Option<Bytes>,
    /// Of what kind the body is.
    pub body_kind: Option<String>,
    /// The credentials that were sent with it, as they stood in the headers.
    pub secrets: Vec<String>,
    /// What came of it.
    pub came: Came,
    /// How long it took.
    pub took: Duration,
}

/// What came of a call.
#[derive(Clone)]
pub enum Came {
    /// An answer.
    Answer {
        /// Its status.
        status: u16,
        /// Those of its headers that are remembered.
        headers: Vec<(&'static str, String)>,
        /// Its body; of a success its first bytes.
        body: Bytes,
        /// How long the whole body was, in bytes; `None` if it was read piece by piece.
        length: Option<usize>,
        /// Of what kind it is.
        kind: Option<String>,
    },
    /// None, and why.
    Nothing(String),
}

/// Does the work, and answers beside what came of it which calls it made, oldest first.
pub async fn witnessed<T>(work: impl Future<Output = T>) -> (T, Vec<Seen>) {
    let watched = async {
        let out = work.await;
        (out, SEEN.with(|seen| Vec::from(seen.take())))
    };
    SEEN.scope(RefCell::default(), watched).await
}

/// A transport whose calls are remembered while somebody wants to know.
pub struct Witness {
    inner: Arc<dyn Transport>,
}

impl Witness {
    /// Goes out through `inner`.
    pub fn over(inner: Arc<dyn Transport>) -> Arc<dyn Transport> {
        Arc::new(Self { inner })
    }
}

/// What is known of a call before it is made.
struct Asked {
    method: Method,
    url: Url,
    body: Option<Bytes>,
    body_kind: Option<String>,
    secrets: Vec<String>,
    since: Instant,
}

/// Notes what is asked, if somebody wants to know.
fn asked(request: &Request) -> Option<Asked> {
    SEEN.try_with(|_| ()).ok()?;
    let readable = |value: &http::HeaderValue| value.to_str().map(str::to_owned).ok();
    let secret = request
        .headers
        .values()
        .filter(|value| value.is_sensitive());
    Some(Asked {
        method: request.method.clone(),
        url: request.url.clone(),
        body: request.body.clone(),
        body_kind: request.headers.get(CONTENT_TYPE).and_then(readable),
        secrets: secret.filter_map(readable).collect(),
        since: Instant::now(),
    })
}

/// Has calls that were witnessed elsewhere for this piece of work remembered with its own.
pub fn recall(calls: Vec<Seen>) {
    calls.into_iter().for_each(keep);
}

fn remember(asked: Asked, came: Came) {
    let seen = Seen {
        method: asked.method,
        url: asked.url,
        body: asked.body,
        body_kind: asked.body_kind,
        secrets: asked.secrets,
        came,
        took: asked.since.elapsed(),
    };
    keep(seen);
}

fn keep(seen: Seen) {
    // Nobody wants to know any more: then it is not remembered.
    let _ = SEEN.try_with(|all| {
        let mut all = all.borrow_mut();
        if all.len() == SEEN_MAX {
            all.pop_front();
        }
        all.push_back(seen);
    });
}

fn kept(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    let value = |name: &&'static str| {
        let value = headers.get(*name)?.to_str().ok()?;
        Some((*name, value.to_owned()))
    };
    HEADERS.iter().filter_map(value).collect()
}

fn kind(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.to_owned())
}

fn answer(response: &Response) -> Came {
    let body = if response.is_success() && response.body.len() > SUCCESS_BYTES_MAX {
        // A copy: the whole need not be held for its beginning.
        Bytes::copy_from_slice(&response.body[..SUCCESS_BYTES_MAX])
    } else {
        response.body.clone()
    };
    Came::Answer {
        status: response.status,
        headers: kept(&response.headers),
        body,
        length: Some(response.body.len()),
        kind: kind(&response.headers),
    }
}

impl Transport for Witness {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendFailure>> {
        let Some(asked) = asked(&request) else {
            return self.inner.send(request);
        };
        Box::pin(async move {
            let result = self.inner.send(request).await;
            let came = match &result {
                Ok(response) => answer(response),
                Err(failure) => Came::Nothing(failure.to_string()),
            };
            remember(asked, came);
            result
        })
    }

    fn stream(&self, request: Request) -> BoxFuture<'_, Result<Incoming, SendFailure>> {
        let Some(asked) = asked(&request) else {
            return self.inner.stream(request);
        };
        Box::pin(async move {
            let result = self.inner.stream(request).await;
            let came = match &result {
                Ok(incoming) => Came::Answer {
                    status: incoming.status,
                    headers: kept(&incoming.headers),
                    body: Bytes::new(),
                    length: None,
                    kind: kind(&incoming.headers),
                },
                Err(failure) => Came::Nothing(failure.to_string()),
            };
            remember(asked, came);
            result
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeTransport, headers, response};

    fn request(path: &str) -> Request {
        let mut sent = headers(&[("content-type", "application/json")]);
        let mut secret = http::HeaderValue::from_static("Bearer t0ken");
        secret.set_sensitive(true);
        sent.insert("authorization", secret);
        Request {
            method: Method::POST,
            url: Url::parse("https://api.example.com")
                .unwrap()
                .join(path)
                .unwrap(),
            headers: sent,
            body: Some(Bytes::from_static(b"{}")),
            deadline: Duration::from_secs(1),
        }
    }

    #[tokio::test]
    async fn calls_are_remembered_for_the_work_that_makes_them_and_for_nobody_else() {
        let long = "x".repeat(SUCCESS_BYTES_MAX + 1);
        let answer = response(200, &[("x-request-id", "r1"), ("set-cookie", "s=1")], &long);
        let transport = Witness::over(FakeTransport::always(Ok(answer)));
        transport.send(request("/unseen")).await.unwrap();
        let ((), seen) = witnessed(async {
            for number in 0..=SEEN_MAX {
                transport
                    .send(request(&format!("/{number}")))
                    .await
                    .unwrap();
            }
        })
        .await;
        assert_eq!(seen.len(), SEEN_MAX);
        let last = seen.last().unwrap();
        assert_eq!(last.url.path(), format!("/{SEEN_MAX}"));
        assert_eq!(last.secrets, ["Bearer t0ken"]);
        let Came::Answer {
            headers,
            body,
            length,
            ..
        } = &last.came
        else {
            panic!("an answer");
        };
        assert_eq!(headers, &[("x-request-id", "r1".to_owned())]);
        assert_eq!((body.len(), *length), (SUCCESS_BYTES_MAX, Some(long.len())));
    }

    #[tokio::test]
    async fn a_call_without_an_answer_says_why() {
        let refused = SendFailure::NotSent("connection refused".into());
        let transport = Witness::over(FakeTransport::always(Err(refused)));
        let (result, seen) = witnessed(async { transport.send(request("/")).await }).await;
        assert!(result.is_err());
        let [
            Seen {
                came: Came::Nothing(why),
                ..
            },
        ] = &seen[..]
        else {
            panic!("one call without an answer");
        };
        assert!(why.contains("connection refused"));
    }
}
