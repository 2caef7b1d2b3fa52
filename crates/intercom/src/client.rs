//! The calls.

use std::sync::Arc;
use std::time::Duration;

use bowline_net::endpoint::endpoint;
use bowline_net::json::list;
use bowline_net::{Access, ApiError, ErrorKind, Limits, Reply, Request, Response, Transport};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

use crate::error;
use crate::model::{Conversation, Me, Teammate};

/// The API version that every call asks for. Without the header Intercom would use the version
/// selected for the app, which we do not know.
pub const API_VERSION: &str = "2.16";
/// How long a call may take unless set otherwise; the vendor's own clients wait as long.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(20);
/// The assignee id that means nobody.
const NOBODY: &str = "0";

/// Calls one workspace with one token. Never repeats a call.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    base: Url,
    token: SecretString,
    deadline: Duration,
}

/// One call before it is sent.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a [&'a str],
    pub(crate) body: Option<Value>,
    pub(crate) doing: &'static str,
}

impl Call<'_> {
    fn access(&self) -> Access {
        // A search is a read, although it is a POST.
        if self.method == Method::GET || matches!(self.path, [_, "search"]) {
            Access::Read
        } else {
            Access::Write
        }
    }
}

impl Client {
    /// A client for the workspace that `token` belongs to. `base` is the region's
    /// [`api_base`](crate::api_base), or where a test listens.
    pub fn new(transport: Arc<dyn Transport>, base: Url, token: SecretString) -> Self {
        Self {
            transport,
            base,
            token,
            deadline: DEFAULT_DEADLINE,
        }
    }

    /// The same client with another deadline per call.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Who the token belongs to, and to which workspace.
    pub async fn me(&self) -> Result<Reply<Me>, ApiError> {
        let call = get(&["me"], "asking Intercom who we are");
        self.call(call, Me::read).await
    }

    /// The teammates of the workspace.
    pub async fn admins(&self) -> Result<Reply<Vec<Teammate>>, ApiError> {
        let call = get(&["admins"], "listing Intercom teammates");
        let read = |v: &Value| {
            v.get("admins")?.as_array()?;
            Some(
                list(v, "admins")
                    .iter()
                    .filter_map(Teammate::read)
                    .collect(),
            )
        };
        self.call(call, read).await
    }

    /// A conversation with its newest parts.
    pub async fn conversation(&self, id: &str) -> Result<Reply<Conversation>, ApiError> {
        let path = ["conversations", id];
        self.call(get(&path, "reading a conversation"), Conversation::read)
            .await
    }

    /// Conversations of a contact that changed at or after an instant in Unix seconds, at most
    /// `max_results`, without their parts.
    pub async fn conversations_of(
        &self,
        contact: &str,
        changed_since_unix_s: i64,
        max_results: u32,
    ) -> Result<Reply<Vec<Conversation>>, ApiError> {
        let filter = |field: &str, operator: &str, value: Value| json!({ "field": field, "operator": operator, "value": value });
        let call = Call {
            method: Method::POST,
            path: &["conversations", "search"],
            body: Some(json!({
                "query": { "operator": "AND", "value": [
                    filter("contact_ids", "=", contact.into()),
                    // Means "or equal" in this search.
                    filter("updated_at", ">", changed_since_unix_s.into()),
                ]},
                "pagination": { "per_page": max_results },
            })),
            doing: "searching conversations",
        };
        let read = |v: &Value| {
            v.get("conversations")?.as_array()?;
            let items = list(v, "conversations").iter();
            Some(items.filter_map(Conversation::read).collect())
        };
        self.call(call, read).await
    }

    /// Writes an internal note, which the customer never sees, as `admin_id`. A note wakes a
    /// snoozed conversation. The answer is the conversation with the new part in it.
    pub async fn note(
        &self,
        id: &str,
        admin_id: &str,
        html: &str,
    ) -> Result<Reply<Conversation>, ApiError> {
        let body = json!({
            "message_type": "note", "type": "admin", "admin_id": admin_id, "body": html,
        });
        self.write(&["conversations", id, "reply"], body, "posting a note")
            .await
    }

    /// Opens a closed or snoozed conversation.
    pub async fn open(&self, id: &str, admin_id: &str) -> Result<Reply<Conversation>, ApiError> {
        let body = json!({ "message_type": "open", "type": "admin", "admin_id": admin_id });
        self.manage(id, body, "opening a conversation").await
    }

    /// Closes a conversation without a message to the customer.
    pub async fn close(&self, id: &str, admin_id: &str) -> Result<Reply<Conversation>, ApiError> {
        let body = json!({ "message_type": "close", "type": "admin", "admin_id": admin_id });
        self.manage(id, body, "closing a conversation").await
    }

    /// Snoozes a conversation until an instant in Unix seconds.
    pub async fn snooze(
        &self,
        id: &str,
        admin_id: &str,
        until_unix_s: i64,
    ) -> Result<Reply<Conversation>, ApiError> {
        let body = json!({
            "message_type": "snoozed", "admin_id": admin_id, "snoozed_until": until_unix_s,
        });
        self.manage(id, body, "snoozing a conversation").await
    }

    /// Assigns a conversation to the teammate `assignee_id`.
    pub async fn assign(
        &self,
        id: &str,
        admin_id: &str,
        assignee_id: &str,
    ) -> Result<Reply<Conversation>, ApiError> {
        let body = json!({
            "message_type": "assignment", "type": "admin",
            "admin_id": admin_id, "assignee_id": assignee_id,
        });
        self.manage(id, body, "assigning a conversation").await
    }

    /// Returns a conversation to the unassigned queue.
    pub async fn unassign(
        &self,
        id: &str,
        admin_id: &str,
    ) -> Result<Reply<Conversation>, ApiError> {
        self.assign(id, admin_id, NOBODY).await
    }

    async fn manage(
        &self,
        id: &str,
        body: Value,
        doing: &'static str,
    ) -> Result<Reply<Conversation>, ApiError> {
        self.write(&["conversations", id, "parts"], body, doing)
            .await
    }

    pub(crate) async fn write(
        &self,
        path: &[&str],
        body: Value,
        doing: &'static str,
    ) -> Result<Reply<Conversation>, ApiError> {
        let call = Call {
            method: Method::POST,
            path,
            body: Some(body),
            doing,
        };
        self.call(call, Conversation::read).await
    }

    pub(crate) async fn call<T>(
        &self,
        call: Call<'_>,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Reply<T>, ApiError> {
        self.ask(call, &[], read).await
    }

    /// A call with a query.
    pub(crate) async fn ask<T>(
        &self,
        call: Call<'_>,
        query: &[(&str, &str)],
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Reply<T>, ApiError> {
        let (access, doing) = (call.access(), call.doing);
        let mut request = self.request(call)?;
        if !query.is_empty() {
            request.url.query_pairs_mut().extend_pairs(query);
        }
        let response = self
            .transport
            .send(request)
            .await
            .map_err(|failure| ApiError::of_failure(&failure, access, doing))?;
        if !response.is_success() {
            return Err(error::read(&response, access, doing));
        }
        let value = parse(&response, read)
            .map_err(|why| ApiError::unreadable(&response, access, doing, why))?;
        Ok(Reply {
            value,
            limits: Limits::read(&response.headers),
        })
    }

    fn request(&self, call: Call<'_>) -> Result<Request, ApiError> {
        let Call {
            method,
            path,
            body,
            doing,
        } = call;
        let url = endpoint(&self.base, path)
            .ok_or_else(|| ApiError::new(ErrorKind::Data, doing, "an id cannot be in a path"))?;
        let bearer = format!("Bearer {}", self.token.expose_secret());
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| {
            ApiError::new(
                ErrorKind::Auth,
                doing,
                "the access token holds characters it cannot",
            )
        })?;
        bearer.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, bearer);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert("intercom-version", HeaderValue::from_static(API_VERSION));
        let body = body.map(|body| {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Bytes::from(body.to_string())
        });
        Ok(Request {
            method,
            url,
            headers,
            body,
            deadline: self.deadline,
        })
    }
}

pub(crate) fn get<'a>(path: &'a [&'a str], doing: &'static str) -> Call<'a> {
    Call {
        method: Method::GET,
        path,
        body: None,
        doing,
    }
}

fn parse<T>(
    response: &Response,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<T, &'static str> {
    let value: Value =
        serde_json::from_slice(&response.body).map_err(|_| "the answer is not JSON")?;
    read(&value).ok_or("the answer lacks what it must have")
}
