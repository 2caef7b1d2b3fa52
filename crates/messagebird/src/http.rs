//! What the calls of all providers share.

use std::sync::Arc;
use std::time::Duration;

use bowline_net::endpoint::endpoint;
use bowline_net::{Access, ApiError, ErrorKind, Limits, Reply, Request, Response, Transport};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use crate::media::{self, MediaStream};

/// How long a call may take unless set otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(20);
/// How long a file may take in either direction.
pub const FILE_DEADLINE: Duration = Duration::from_mins(5);
/// How many redirects are followed to a file.
const MAX_REDIRECTS: usize = 3;

/// What turns a refusal of the provider into an error.
pub(crate) type ReadError = fn(&Response, Access, &'static str) -> ApiError;

/// Sends calls with one account's credentials.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) transport: Arc<dyn Transport>,
    /// The word before the secret in `Authorization`.
    pub(crate) scheme: &'static str,
    pub(crate) secret: SecretString,
    pub(crate) deadline: Duration,
    pub(crate) read_error: ReadError,
}

/// A body with its type.
pub(crate) struct Body {
    pub(crate) content_type: String,
    pub(crate) bytes: Bytes,
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self {
            content_type: "application/json".to_owned(),
            bytes: Bytes::from(value.to_string()),
        }
    }
}

/// One call before it is sent.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) base: &'a Url,
    pub(crate) path: &'a [&'a str],
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Body>,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) doing: &'static str,
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        method: Method,
        base: &'a Url,
        path: &'a [&'a str],
        doing: &'static str,
    ) -> Self {
        Self {
            method,
            base,
            path,
            query: Vec::new(),
            body: None,
            headers: Vec::new(),
            deadline: None,
            doing,
        }
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = Some(body.into());
        self
    }

    fn access(&self) -> Access {
        if self.method == Method::GET {
            Access::Read
        } else {
            Access::Write
        }
    }
}

impl Caller {
    /// Sends a call and reads the JSON of its answer; an empty body is read as null.
    pub(crate) async fn send<T>(
        &self,
        call: Call<'_>,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Reply<T>, ApiError> {
        let (access, doing) = (call.access(), call.doing);
        let request = self.request(call)?;
        let response = self
            .transport
            .send(request)
            .await
            .map_err(|failure| ApiError::of_failure(&failure, access, doing))?;
        if !response.is_success() {
            return Err((self.read_error)(&response, access, doing));
        }
        let value = parse(&response, read)
            .map_err(|why| ApiError::unreadable(&response, access, doing, why))?;
        Ok(Reply {
            value,
            limits: Limits::read(&response.headers),
        })
    }

    fn request(&self, call: Call<'_>) -> Result<Request, ApiError> {
        let doing = call.doing;
        let mut url = endpoint(call.base, call.path)
            .ok_or_else(|| ApiError::new(ErrorKind::Data, doing, "an id cannot be in a path"))?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.authorization(doing)?);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in call.headers {
            headers.insert(name, header(&value, doing)?);
        }
        let body = match call.body {
            Some(body) => {
                headers.insert(CONTENT_TYPE, header(&body.content_type, doing)?);
                Some(body.bytes)
            }
            None => None,
        };
        Ok(Request {
            method: call.method,
            url,
            headers,
            body,
            deadline: call.deadline.unwrap_or(self.deadline),
        })
    }

    fn authorization(&self, doing: &'static str) -> Result<HeaderValue, ApiError> {
        let text = format!("{} {}", self.scheme, self.secret.expose_secret());
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            let words = "the access key holds characters it cannot";
            ApiError::new(ErrorKind::Auth, doing, words)
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Opens a file. The credentials go only to addresses for which `is_own` says so, and only
    /// those may be asked at first: an address in a message must not make us call elsewhere. A
    /// redirect leads anywhere over HTTPS, without the credentials.
    pub(crate) async fn file(
        &self,
        address: &str,
        is_own: impl Fn(&Url) -> bool,
        limit_bytes: u64,
    ) -> Result<MediaStream, ApiError> {
        let doing = media::DOING;
        let elsewhere = |words: &str| ApiError::new(ErrorKind::Data, doing, words);
        let mut url = Url::parse(address)
            .ok()
            .filter(&is_own)
            .ok_or_else(|| elsewhere("the file is not at an address of the provider"))?;
        for _ in 0..=MAX_REDIRECTS {
            let mut headers = HeaderMap::new();
            if is_own(&url) {
                headers.insert(AUTHORIZATION, self.authorization(doing)?);
            }
            let request = Request {
                method: Method::GET,
                url: url.clone(),
                headers,
                body: None,
                deadline: FILE_DEADLINE,
            };
            let answer = self
                .transport
                .stream(request)
                .await
                .map_err(|failure| ApiError::of_failure(&failure, Access::Read, doing))?;
            if answer.is_success() {
                return MediaStream::open(answer, limit_bytes);
            }
            let target = answer
                .header("location")
                .filter(|_| matches!(answer.status, 301 | 302 | 303 | 307 | 308))
                .and_then(|target| url.join(target).ok());
            match target {
                Some(target) if target.scheme() == "https" || is_own(&target) => url = target,
                Some(_) => return Err(elsewhere("the file is at an address that is not safe")),
                None => return Err(self.refused_file(answer).await),
            }
        }
        Err(elsewhere("the file is behind too many redirects"))
    }

    async fn refused_file(&self, answer: bowline_net::Incoming) -> ApiError {
        /// How much of a refusal is read, in bytes.
        const REFUSAL_LIMIT_BYTES: usize = 64 * 1024;
        let (status, headers) = (answer.status, answer.headers.clone());
        let body = answer.read(REFUSAL_LIMIT_BYTES).await.map(|r| r.body);
        let response = Response {
            status,
            headers,
            body: body.unwrap_or_default(),
        };
        let mut error = (self.read_error)(&response, Access::Read, media::DOING);
        if matches!(status, 404 | 410) {
            // Whatever answers: the file is not to be had any more.
            error.kind = ErrorKind::Gone;
        }
        error
    }
}

fn header(value: &str, doing: &'static str) -> Result<HeaderValue, ApiError> {
    HeaderValue::from_bytes(value.as_bytes())
        .map_err(|_| ApiError::new(ErrorKind::Data, doing, "a value cannot be in a header"))
}

fn parse<T>(
    response: &Response,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<T, &'static str> {
    let body = if response.body.is_empty() {
        &b"null"[..]
    } else {
        &response.body
    };
    let value: Value = serde_json::from_slice(body).map_err(|_| "the answer is not JSON")?;
    read(&value).ok_or("the answer lacks what it must have")
}

/// Whether two addresses have the same scheme, host and port.
pub(crate) fn same_origin(a: &Url, b: &Url) -> bool {
    a.origin() == b.origin() && a.origin().is_tuple()
}

/// Whether the address is HTTPS on this domain or below it.
pub(crate) fn is_below(url: &Url, domain: &str) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let below = host
        .strip_suffix(domain)
        .is_some_and(|front| front.is_empty() || front.ends_with('.'));
    url.scheme() == "https" && below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_domain_itself_and_what_is_below_it() {
        for (url, want) in [
            ("https://media.messagebird.com/v1/media/1", true),
            ("https://messagebird.com/x", true),
            ("http://media.messagebird.com/v1/media/1", false),
            ("https://evilmessagebird.com/x", false),
            ("https://messagebird.com.example.com/x", false),
            ("https://example.com/?messagebird.com", false),
            ("file:///messagebird.com", false),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(is_below(&url, "messagebird.com"), want, "{url}");
        }
    }
}
