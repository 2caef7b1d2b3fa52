//! The transport that really sends.

use std::error::Error as _;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use crate::guard::Guard;
use crate::stream::{Chunks, Incoming};
use crate::transport::{BoxFuture, Request, Response, SendFailure, Transport};

/// The largest answer that is kept in memory unless configured otherwise, in bytes.
pub const DEFAULT_BODY_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// How long a connection may take to come up, TLS included.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an unused connection is kept. Below the 60 seconds after which common load balancers
/// close it, so that we seldom write into a connection that the far side is just closing.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(50);
/// Unused connections kept per host: as many as are used at once when there is most to do. With fewer,
/// a call of a busy time makes a connection and closes it afterwards, which costs more than the call.
const POOL_MAX_IDLE_PER_HOST: usize = 160;

/// How the real transport behaves.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// The largest answer that is read, in bytes after decoding.
    pub body_limit_bytes: usize,
    /// How long a connection may take to come up.
    pub connect_timeout: Duration,
    /// A proxy for all requests. The environment's proxy variables are not looked at: where the
    /// product sends data is declared in its configuration only.
    pub proxy: Option<Url>,
    /// Certificate authorities that are trusted beside those of the system: PEM, any number.
    pub authorities_pem: Vec<u8>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            body_limit_bytes: DEFAULT_BODY_LIMIT_BYTES,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            proxy: None,
            authorities_pem: Vec::new(),
        }
    }
}

/// Sends over HTTP/1.1 with a connection pool. Follows no redirect (a POST must not silently
/// become a GET, nor credentials travel to another host) and repeats nothing.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
    body_limit_bytes: usize,
    guard: Option<Guard>,
}

/// Resolves names to addresses that the guard lets through; the connection is made to these.
struct Guarded(Guard);

impl reqwest::dns::Resolve for Guarded {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let picked = guard.pick(name.as_str(), found)?;
            let addresses: reqwest::dns::Addrs = Box::new(picked.into_iter());
            Ok::<Box<dyn Iterator<Item = SocketAddr> + Send>, _>(addresses)
        })
    }
}

impl HttpTransport {
    /// Builds the client once; clones share its pool.
    ///
    /// # Errors
    /// In words, when TLS or the proxy cannot be set up.
    pub fn new(options: &HttpOptions) -> Result<Self, String> {
        Self::build(options, None)
    }

    /// The same, which calls only what the guard lets through.
    ///
    /// # Errors
    /// In words, when TLS cannot be set up.
    pub fn guarded(options: &HttpOptions, guard: Guard) -> Result<Self, String> {
        Self::build(options, Some(guard))
    }

    fn build(options: &HttpOptions, guard: Option<Guard>) -> Result<Self, String> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("bowline/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .http1_only()
            .gzip(true)
            .no_proxy()
            .connect_timeout(options.connect_timeout)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .pool_max_idle_per_host(POOL_MAX_IDLE_PER_HOST);
        if let Some(proxy) = &options.proxy {
            let proxy = reqwest::Proxy::all(proxy.clone())
                .map_err(|e| format!("the proxy address cannot be used: {}", words(e)))?;
            builder = builder.proxy(proxy);
        }
        if !options.authorities_pem.is_empty() {
            let authorities = reqwest::Certificate::from_pem_bundle(&options.authorities_pem)
                .map_err(|e| format!("the certificate authorities cannot be read: {}", words(e)))?;
            if authorities.is_empty() {
                return Err("the file of certificate authorities holds none (PEM)".to_owned());
            }
            builder = builder.tls_certs_merge(authorities);
        }
        if let Some(guard) = &guard {
            builder = builder.dns_resolver(std::sync::Arc::new(Guarded(guard.clone())));
        }
        let client = builder
            .build()
            .map_err(|e| format!("the HTTP client cannot start: {}", words(e)))?;
        Ok(Self {
            client,
            body_limit_bytes: options.body_limit_bytes,
            guard,
        })
    }

    async fn exchange(&self, request: Request) -> Result<Response, SendFailure> {
        self.open(request).await?.read(self.body_limit_bytes).await
    }

    async fn open(&self, request: Request) -> Result<Incoming, SendFailure> {
        let Request {
            method,
            url,
            headers,
            body,
            deadline,
        } = request;
        if let Some(guard) = &self.guard {
            guard
                .check(&url)
                .map_err(|refused| SendFailure::NotSent(refused.to_string()))?;
        }
        let mut builder = self
            .client
            .request(method, url)
            .headers(headers)
            .timeout(deadline);
        if let Some(body) = body {
            builder = builder.body(body);
        }
        let answer = builder.send().await.map_err(failure)?;
        Ok(Incoming {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: Box::new(Body(answer)),
        })
    }
}

/// A body that is still coming. If it is not read to its end, its connection is dropped.
struct Body(reqwest::Response);

impl Chunks for Body {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, SendFailure>> {
        // The request was sent for certain by now, so every failure here is `Unknown`.
        Box::pin(async {
            let piece = self.0.chunk().await;
            piece.map_err(|e| SendFailure::Unknown(words(e)))
        })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendFailure>> {
        Box::pin(self.exchange(request))
    }

    fn stream(&self, request: Request) -> BoxFuture<'_, Result<Incoming, SendFailure>> {
        Box::pin(self.open(request))
    }
}

/// Whether bytes can have left. A connect error (name resolution, TCP, TLS, proxy tunnel, connect
/// time-out) and a request that could not be built are certain; all others are not.
fn failure(error: reqwest::Error) -> SendFailure {
    if error.is_connect() || error.is_builder() {
        SendFailure::NotSent(words(error))
    } else {
        SendFailure::Unknown(words(error))
    }
}

/// The chain of causes in one line, without the address: it may hold secrets.
fn words(error: reqwest::Error) -> String {
    let timed_out = error.is_timeout();
    let error = error.without_url();
    let mut out = if timed_out {
        "timed out: ".to_owned()
    } else {
        String::new()
    };
    out.push_str(&error.to_string());
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !out.contains(&text) {
            out.push_str(": ");
            out.push_str(&text);
        }
        cause = inner.source();
    }
    out
}
