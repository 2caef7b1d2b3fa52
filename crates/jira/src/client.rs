//! Sending: addresses, credentials, and turning answers into values.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bowline_net::endpoint::endpoint;
use bowline_net::{Access, ApiError, ErrorKind, Limits, Reply, Request, Transport};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use crate::error;

/// The header without which experimental calls answer 412.
const EXPERIMENTAL: &str = "x-experimentalapi";
/// The header of forms.
const XSRF_TOKEN: &str = "x-atlassian-token";
/// How long a call may take unless set otherwise. Jira's slow calls (a search with changelogs)
/// take many seconds on a busy Data Center.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

/// How long giving a file may take.
pub const FILE_DEADLINE: Duration = Duration::from_mins(5);

/// The two kinds of Jira.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deployment {
    /// Atlassian's: REST v3, text as ADF, people by account id.
    Cloud,
    /// Self-managed: REST v2, text as wiki markup, people by user name.
    DataCenter,
}

impl Deployment {
    /// The REST version that is used.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::Cloud => "3",
            Self::DataCenter => "2",
        }
    }
}

/// Credentials. The `Debug` form shows no secret.
#[derive(Debug, Clone)]
pub enum Auth {
    /// A Cloud API token with the e-mail address of its account.
    Basic {
        /// The account's e-mail address.
        email: String,
        /// The token.
        token: SecretString,
    },
    /// A Data Center personal access token, or an OAuth access token.
    Bearer {
        /// The token.
        token: SecretString,
    },
}

impl Auth {
    fn header(&self) -> Option<HeaderValue> {
        let value = match self {
            Self::Basic { email, token } => {
                let pair = format!("{email}:{}", token.expose_secret());
                format!("Basic {}", BASE64.encode(pair))
            }
            Self::Bearer { token } => format!("Bearer {}", token.expose_secret()),
        };
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// Calls one site with one account. Never repeats a call.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    base: Url,
    deployment: Deployment,
    auth: Auth,
    deadline: Duration,
}

/// One call before it is sent.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path segments below the base, each one still unescaped.
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) access: Access,
    pub(crate) doing: &'static str,
    /// Whether an answer given to nobody in particular is good enough.
    pub(crate) anonymous_ok: bool,
    /// A form in place of a JSON body.
    pub(crate) form: Option<Form>,
    /// Whether the call is one that Service Management calls experimental.
    pub(crate) experimental: bool,
}

/// A form that was written already.
pub(crate) struct Form {
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Marks a POST that changes nothing.
    pub(crate) fn only_reads(mut self) -> Self {
        self.access = Access::Read;
        self
    }
}

impl Client {
    /// A client for the site whose REST is reached below `base`, which may hold a context path or
    /// `/ex/jira/{cloudId}`.
    pub fn new(
        transport: Arc<dyn Transport>,
        base: Url,
        deployment: Deployment,
        auth: Auth,
    ) -> Self {
        Self {
            transport,
            base,
            deployment,
            auth,
            deadline: DEFAULT_DEADLINE,
        }
    }

    /// The same client with another deadline per call.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The kind of Jira that this client speaks to.
    pub fn deployment(&self) -> Deployment {
        self.deployment
    }

    pub(crate) fn transport(&self) -> &dyn Transport {
        &*self.transport
    }

    /// Is it an address of the site itself?
    pub(crate) fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// A call of the platform API in this deployment's version.
    pub(crate) fn api(&self, method: Method, path: &[&str], doing: &'static str) -> Call {
        let prefix = ["rest", "api", self.deployment.version()];
        Self::rest(method, &[&prefix[..], path].concat(), doing)
    }

    /// A call at any path below the base.
    pub(crate) fn rest(method: Method, path: &[&str], doing: &'static str) -> Call {
        let access = if method == Method::GET {
            Access::Read
        } else {
            Access::Write
        };
        Call {
            method,
            path: path.iter().map(|s| (*s).to_owned()).collect(),
            query: Vec::new(),
            body: None,
            access,
            doing,
            anonymous_ok: false,
            form: None,
            experimental: false,
        }
    }

    /// Sends a call and reads the JSON of its answer; an empty body is read as null.
    pub(crate) async fn send<T>(
        &self,
        call: Call,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Reply<T>, ApiError> {
        let (access, doing, anonymous_ok) = (call.access, call.doing, call.anonymous_ok);
        let request = self.request(call)?;
        let response = self
            .transport
            .send(request)
            .await
            .map_err(|failure| ApiError::of_failure(&failure, access, doing))?;
        if !response.is_success() {
            return Err(error::read(&response, access, doing));
        }
        if access == Access::Read
            && !anonymous_ok
            && let Some(error) = error::anonymous(&response, doing)
        {
            return Err(error);
        }
        let body = if response.body.is_empty() {
            &b"null"[..]
        } else {
            &response.body
        };
        let value: Value = serde_json::from_slice(body).map_err(|_| {
            ApiError::unreadable(&response, access, doing, "the answer is not JSON")
        })?;
        let value = read(&value).ok_or_else(|| {
            ApiError::unreadable(
                &response,
                access,
                doing,
                "the answer lacks what it must have",
            )
        })?;
        Ok(Reply {
            value,
            limits: Limits::read(&response.headers),
        })
    }

    /// Sends a call whose answer holds nothing that we need.
    pub(crate) async fn send_plain(&self, call: Call) -> Result<Reply<()>, ApiError> {
        self.send(call, |_| Some(())).await
    }

    pub(crate) fn request(&self, call: Call) -> Result<Request, ApiError> {
        let doing = call.doing;
        let segments: Vec<&str> = call.path.iter().map(String::as_str).collect();
        let mut url = endpoint(&self.base, &segments)
            .ok_or_else(|| ApiError::new(ErrorKind::Data, doing, "an id cannot be in a path"))?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let auth = self.auth.header().ok_or_else(|| {
            ApiError::new(
                ErrorKind::Auth,
                doing,
                "the token holds characters it cannot",
            )
        })?;
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, auth);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if call.experimental {
            headers.insert(EXPERIMENTAL, HeaderValue::from_static(self.opt_in()));
        }
        let mut deadline = self.deadline;
        let body = match (call.form, call.body) {
            (Some(form), _) => {
                let content_type = HeaderValue::from_str(&form.content_type)
                    .map_err(|_| ApiError::new(ErrorKind::Data, doing, "a form without a type"))?;
                headers.insert(CONTENT_TYPE, content_type);
                // Jira refuses forms without it: a web page of others could send one.
                headers.insert(XSRF_TOKEN, HeaderValue::from_static("no-check"));
                deadline = deadline.max(FILE_DEADLINE);
                Some(form.body)
            }
            (None, Some(body)) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                Some(Bytes::from(body.to_string()))
            }
            (None, None) => None,
        };
        Ok(Request {
            method: call.method,
            url,
            headers,
            body,
            deadline,
        })
    }

    /// How experimental calls are asked for.
    fn opt_in(&self) -> &'static str {
        match self.deployment {
            Deployment::Cloud => "opt-in",
            Deployment::DataCenter => "true",
        }
    }
}
