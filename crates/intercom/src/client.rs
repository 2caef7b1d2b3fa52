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

use crate::contact::{Company, CompanyPage, Contact, ContactPage};
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
    pub(crate) query: Vec<(&'static str, String)>,
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
            query: Vec::new(),
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

    /// A page of all contacts that are neither archived nor merged, going on from where the page
    /// before ended. At most [`CONTACTS_PER_PAGE_MAX`](crate::CONTACTS_PER_PAGE_MAX) on a page.
    pub async fn contacts(
        &self,
        after: Option<&str>,
        per_page: u32,
    ) -> Result<Reply<ContactPage>, ApiError> {
        let mut call = get(&["contacts"], "listing contacts");
        call.query.push(("per_page", per_page.to_string()));
        if let Some(after) = after {
            call.query.push(("starting_after", after.to_owned()));
        }
        self.call_raw(call, contact_page).await
    }

    /// A page of the contacts that changed after the day of an instant in Unix seconds: the search
    /// cuts times to days in the workspace's time zone.
    pub async fn contacts_changed(
        &self,
        after_day_of_unix_s: i64,
        after: Option<&str>,
        per_page: u32,
    ) -> Result<Reply<ContactPage>, ApiError> {
        let mut pagination = json!({ "per_page": per_page });
        if let Some(after) = after {
            pagination["starting_after"] = after.into();
        }
        let call = Call {
            method: Method::POST,
            path: &["contacts", "search"],
            query: Vec::new(),
            body: Some(json!({
                "query": {
                    "field": "updated_at", "operator": ">", "value": after_day_of_unix_s,
                },
                "pagination": pagination,
            })),
            doing: "searching contacts",
        };
        self.call_raw(call, contact_page).await
    }

    /// Those of some contacts that lists show: neither archived nor merged nor deleted. At most
    /// [`CONTACTS_PER_PAGE_MAX`](crate::CONTACTS_PER_PAGE_MAX) ids.
    pub async fn contacts_among(&self, ids: &[&str]) -> Result<Reply<ContactPage>, ApiError> {
        let call = Call {
            method: Method::POST,
            path: &["contacts", "search"],
            query: Vec::new(),
            body: Some(json!({
                "query": { "field": "id", "operator": "IN", "value": ids },
                "pagination": { "per_page": crate::CONTACTS_PER_PAGE_MAX },
            })),
            doing: "searching contacts by their ids",
        };
        self.call_raw(call, contact_page).await
    }

    /// A contact, archived or not. One that was merged away is gone, and the error names the
    /// contact that goes on if Intercom does.
    pub async fn contact(&self, id: &str) -> Result<Reply<Contact>, ApiError> {
        let path = ["contacts", id];
        self.call(get(&path, "reading a contact"), Contact::read)
            .await
    }

    /// The companies of a contact, all of them.
    pub async fn companies_of(&self, contact: &str) -> Result<Reply<Vec<Company>>, ApiError> {
        let path = ["contacts", contact, "companies"];
        let call = get(&path, "reading a contact's companies");
        let read = |v: &Value| {
            let items = v.get("data")?.as_array()?;
            Some(items.iter().filter_map(Company::read).collect())
        };
        self.call(call, read).await
    }

    /// A part of all companies. Only one such scroll may be open in a workspace, it ends after a
    /// minute in which nothing is asked, and after a server error it begins again.
    pub async fn companies(&self, scroll: Option<&str>) -> Result<Reply<CompanyPage>, ApiError> {
        let mut call = get(&["companies", "scroll"], "listing companies");
        if let Some(scroll) = scroll {
            call.query.push(("scroll_param", scroll.to_owned()));
        }
        self.call(call, CompanyPage::read).await
    }

    /// A company.
    pub async fn company(&self, id: &str) -> Result<Reply<Company>, ApiError> {
        let path = ["companies", id];
        self.call(get(&path, "reading a company"), Company::read)
            .await
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
            query: Vec::new(),
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
        self.call_raw(call, |response| parse(response, read)).await
    }

    async fn call_raw<T>(
        &self,
        call: Call<'_>,
        read: impl FnOnce(&Response) -> Result<T, &'static str>,
    ) -> Result<Reply<T>, ApiError> {
        let (access, doing) = (call.access(), call.doing);
        let request = self.request(call)?;
        let response = self
            .transport
            .send(request)
            .await
            .map_err(|failure| ApiError::of_failure(&failure, access, doing))?;
        if !response.is_success() {
            return Err(error::read(&response, access, doing));
        }
        let value =
            read(&response).map_err(|why| ApiError::unreadable(&response, access, doing, why))?;
        Ok(Reply {
            value,
            limits: Limits::read(&response.headers),
        })
    }

    fn request(&self, call: Call<'_>) -> Result<Request, ApiError> {
        let Call {
            method,
            path,
            query,
            body,
            doing,
        } = call;
        let mut url = endpoint(&self.base, path)
            .ok_or_else(|| ApiError::new(ErrorKind::Data, doing, "an id cannot be in a path"))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
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
        query: Vec::new(),
        body: None,
        doing,
    }
}

fn contact_page(response: &Response) -> Result<ContactPage, &'static str> {
    ContactPage::read(&response.body).ok_or("the answer is no page of contacts")
}

fn parse<T>(
    response: &Response,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<T, &'static str> {
    let value: Value =
        serde_json::from_slice(&response.body).map_err(|_| "the answer is not JSON")?;
    read(&value).ok_or("the answer lacks what it must have")
}
