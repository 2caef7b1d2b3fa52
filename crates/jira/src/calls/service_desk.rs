//! Service Management: requests, their comments and customers. Edits go through the platform,
//! which alone can make them.

use bowline_net::json::at;
use bowline_net::multipart::{self, Part};
use bowline_net::{ApiError, ErrorKind, Reply};
use bowline_text::Doc;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::client::{Call, Client, Deployment, Form};
use crate::model::comment::{Comment, INTERNAL_PROPERTY};
use crate::model::page::{Cursor, Page};
use crate::model::person::Person;
use crate::model::service_desk::{
    AttachedFile, CommentAudience, CustomerRequest, NewRequest, Notified, RequestComment,
    RequestFields, RequestType, ServiceDesk, customers, new_customer, paged,
};

/// Items asked for per page; Jira may give fewer.
const PAGE_SIZE: u32 = 50;
/// How many pages are walked to find a desk by its key.
const MAX_PAGES: usize = 40;

impl Client {
    /// A page of the service desks that our account may see.
    pub async fn service_desks(
        &self,
        cursor: Option<&Cursor>,
    ) -> Result<Reply<Page<ServiceDesk>>, ApiError> {
        let call = Self::desk_call(Method::GET, &["servicedesk"], "listing service desks");
        self.page(call, cursor, ServiceDesk::read).await
    }

    /// The service desk of a project.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is none, or it is hidden from us.
    pub async fn service_desk(&self, project_key: &str) -> Result<Reply<ServiceDesk>, ApiError> {
        let mut cursor = None;
        for _ in 0..MAX_PAGES {
            let Reply {
                value: page,
                limits,
            } = self.service_desks(cursor.as_ref()).await?;
            let found = page
                .items
                .into_iter()
                .find(|desk| desk.project_key.eq_ignore_ascii_case(project_key));
            if let Some(value) = found {
                return Ok(Reply { value, limits });
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let words = format!("no project with the key {project_key} is a service desk of ours");
        let doing = "finding a service desk";
        Err(ApiError::new(ErrorKind::NotFound, doing, &words))
    }

    /// A page of a desk's request types.
    pub async fn request_types(
        &self,
        service_desk_id: &str,
        cursor: Option<&Cursor>,
    ) -> Result<Reply<Page<RequestType>>, ApiError> {
        let path = ["servicedesk", service_desk_id, "requesttype"];
        let call = Self::desk_call(Method::GET, &path, "listing request types");
        self.page(call, cursor, RequestType::read).await
    }

    /// The fields of a request type: what is required and what values are taken.
    pub async fn request_fields(
        &self,
        service_desk_id: &str,
        request_type_id: &str,
    ) -> Result<Reply<RequestFields>, ApiError> {
        let path = [
            "servicedesk",
            service_desk_id,
            "requesttype",
            request_type_id,
            "field",
        ];
        let call = Self::desk_call(Method::GET, &path, "reading the fields of a request type");
        self.send(call, RequestFields::read).await
    }

    /// Creates a request. Another reporter than ourselves needs agent rights. Jira takes no
    /// entity property in this call: [`Client::put_issue_property`] has to follow.
    pub async fn create_request(
        &self,
        request: &NewRequest,
    ) -> Result<Reply<CustomerRequest>, ApiError> {
        let call = Self::desk_call(Method::POST, &["request"], "creating a request");
        self.send(call.body(request.body()), CustomerRequest::read)
            .await
    }

    /// Reads a request by the id or key of its issue.
    pub async fn request_of(&self, issue: &str) -> Result<Reply<CustomerRequest>, ApiError> {
        let call = Self::desk_call(Method::GET, &["request", issue], "reading a request");
        self.send(call, CustomerRequest::read).await
    }

    /// A page of the comments of a request, public and internal ones, oldest first.
    pub async fn request_comments(
        &self,
        issue: &str,
        cursor: Option<&Cursor>,
    ) -> Result<Reply<Page<RequestComment>>, ApiError> {
        let path = ["request", issue, "comment"];
        let call = Self::desk_call(Method::GET, &path, "reading the comments of a request")
            .query("public", "true")
            .query("internal", "true");
        self.page(call, cursor, RequestComment::read).await
    }

    /// One comment of a request, with its audience as it is now.
    pub async fn request_comment(
        &self,
        issue: &str,
        comment: &str,
    ) -> Result<Reply<RequestComment>, ApiError> {
        let path = ["request", issue, "comment", comment];
        let call = Self::desk_call(Method::GET, &path, "reading a comment of a request");
        self.send(call, RequestComment::read).await
    }

    /// Comments on a request as our account: there is no way to comment for another.
    pub async fn create_request_comment(
        &self,
        issue: &str,
        body: &Doc,
        audience: CommentAudience,
    ) -> Result<Reply<RequestComment>, ApiError> {
        let path = ["request", issue, "comment"];
        let body = json!({
            "body": bowline_text::wiki::write(body),
            "public": audience == CommentAudience::Customer,
        });
        let call = Self::desk_call(Method::POST, &path, "commenting on a request").body(body);
        self.send(call, RequestComment::read).await
    }

    /// Comments as our account on an issue that is no request. It bears the mark by which Service
    /// Management knows who may see it if the issue becomes one.
    pub async fn create_comment(
        &self,
        issue: &str,
        body: &Doc,
        audience: CommentAudience,
    ) -> Result<Reply<Comment>, ApiError> {
        let internal = audience == CommentAudience::Internal;
        let body = json!({
            "body": self.written(body),
            "properties": [{ "key": INTERNAL_PROPERTY, "value": { "internal": internal } }],
        });
        let path = ["issue", issue, "comment"];
        let call = self.api(Method::POST, &path, "commenting on an issue");
        self.send(call.body(body), Comment::read).await
    }

    /// Replaces the text of a comment of our own. Who may see it stays as it is. Without mail on
    /// Cloud where our account may do so; Data Center has no way without.
    pub async fn edit_comment(
        &self,
        issue: &str,
        comment: &str,
        body: &Doc,
    ) -> Result<Reply<Notified>, ApiError> {
        let path = ["issue", issue, "comment", comment];
        let body = json!({ "body": self.written(body) });
        let call = || {
            self.api(Method::PUT, &path, "editing a comment")
                .body(body.clone())
        };
        match self.deployment() {
            Deployment::Cloud => self.quietly(call).await,
            Deployment::DataCenter => {
                let reply = self.send_plain(call()).await?;
                Ok(reply.map(|()| Notified::Watchers))
            }
        }
    }

    /// Replaces the description of an issue. Without mail where our account may do so: that needs
    /// an administrator of Jira or of the project.
    pub async fn edit_description(
        &self,
        issue: &str,
        description: &Doc,
    ) -> Result<Reply<Notified>, ApiError> {
        let body = json!({ "fields": { "description": self.written(description) } });
        let call = || {
            self.api(Method::PUT, &["issue", issue], "editing a description")
                .body(body.clone())
        };
        self.quietly(call).await
    }

    /// Attaches a file to an issue, through the platform: Service Management's own call would
    /// write a comment as well.
    pub async fn attach(
        &self,
        issue: &str,
        file_name: &str,
        mime_type: &str,
        bytes: &Bytes,
    ) -> Result<Reply<AttachedFile>, ApiError> {
        let (content_type, body) = multipart::form(&[Part::File {
            name: "file",
            file_name,
            mime_type,
            bytes,
        }]);
        let mut call = self.api(
            Method::POST,
            &["issue", issue, "attachments"],
            "attaching a file",
        );
        call.form = Some(Form { content_type, body });
        self.send(call, |v| AttachedFile::read(v.as_array()?.first()?))
            .await
    }

    /// The files of an issue.
    pub async fn attachments(&self, issue: &str) -> Result<Reply<Vec<AttachedFile>>, ApiError> {
        let call = self
            .api(
                Method::GET,
                &["issue", issue],
                "reading the files of an issue",
            )
            .query("fields", "attachment")
            .query("updateHistory", "false");
        self.send(call, |v| {
            v.get("id")?;
            let files = at(v, &["fields", "attachment"]).as_array();
            Some(
                files
                    .into_iter()
                    .flatten()
                    .filter_map(AttachedFile::read)
                    .collect(),
            )
        })
        .await
    }

    /// A page of a desk's customers whose name or e-mail address fits.
    pub async fn customers(
        &self,
        service_desk_id: &str,
        query: &str,
        cursor: Option<&Cursor>,
    ) -> Result<Reply<Page<Person>>, ApiError> {
        let path = ["servicedesk", service_desk_id, "customer"];
        let mut call =
            Self::desk_call(Method::GET, &path, "looking for a customer").query("query", query);
        call.experimental = true;
        self.page(call, cursor, Person::read).await
    }

    /// Creates a customer account. Needs a Jira administrator.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when there is one with this address.
    pub async fn create_customer(
        &self,
        email: &str,
        name: &str,
    ) -> Result<Reply<Person>, ApiError> {
        let mut call = Self::desk_call(Method::POST, &["customer"], "creating a customer")
            .body(new_customer(self.deployment(), email, name));
        if self.deployment() == Deployment::Cloud {
            call = call.query("strictConflictStatusCode", "true");
        }
        call.experimental = true;
        self.send(call, Person::read).await
    }

    /// Adds customers to a desk, by account id (Cloud) or user name (Data Center). Needs an
    /// administrator of the project.
    pub async fn add_customers(
        &self,
        service_desk_id: &str,
        ids: &[&str],
    ) -> Result<Reply<()>, ApiError> {
        let path = ["servicedesk", service_desk_id, "customer"];
        let mut call = Self::desk_call(Method::POST, &path, "adding customers to a desk")
            .body(customers(self.deployment(), ids));
        call.experimental = true;
        self.send_plain(call).await
    }

    /// Writes an entity property of an issue. Writing the same value twice leaves the same value.
    pub async fn put_issue_property(
        &self,
        issue: &str,
        key: &str,
        value: &Value,
    ) -> Result<Reply<()>, ApiError> {
        let path = ["issue", issue, "properties", key];
        let call = self
            .api(Method::PUT, &path, "marking an issue")
            .body(value.clone());
        self.send_plain(call).await
    }

    /// Reads an entity property of an issue; `None` when the issue has none of that name. Read
    /// through the issue, because the address of a property answers 404 in both cases.
    pub async fn get_issue_property(
        &self,
        issue: &str,
        key: &str,
    ) -> Result<Reply<Option<Value>>, ApiError> {
        let call = self
            .api(
                Method::GET,
                &["issue", issue],
                "reading the mark of an issue",
            )
            .query("fields", "summary")
            .query("properties", key)
            .query("updateHistory", "false");
        self.send(call, |v| {
            v.get("id")?;
            let there = at(v, &["properties", key]);
            Some(Some(there.clone()).filter(|value| !value.is_null()))
        })
        .await
    }

    pub(super) fn desk_call(method: Method, path: &[&str], doing: &'static str) -> Call {
        let prefix = ["rest", "servicedeskapi"];
        Self::rest(method, &[&prefix[..], path].concat(), doing)
    }

    pub(super) async fn page<T>(
        &self,
        call: Call,
        cursor: Option<&Cursor>,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Reply<Page<T>>, ApiError> {
        let start = Cursor::start_at(cursor);
        let call = call
            .query("start", start.to_string())
            .query("limit", PAGE_SIZE.to_string());
        self.send(call, |v| paged(v, start, read)).await
    }

    /// Text as this deployment's platform API takes it.
    pub(crate) fn written(&self, text: &Doc) -> Value {
        match self.deployment() {
            Deployment::Cloud => bowline_text::adf::write(text),
            Deployment::DataCenter => json!(bowline_text::wiki::write(text)),
        }
    }

    /// Sends an edit without mail; where Jira refuses just that, with mail. A refusal is certain,
    /// so the edit is made once.
    async fn quietly(&self, call: impl Fn() -> Call) -> Result<Reply<Notified>, ApiError> {
        let quiet = self.send_plain(call().query("notifyUsers", "false")).await;
        match quiet {
            // Jira says 403 or 400 to an account that may edit but not keep silent.
            Err(error) if matches!(error.kind, ErrorKind::Permission | ErrorKind::Data) => {
                let reply = self.send_plain(call()).await?;
                Ok(reply.map(|()| Notified::Watchers))
            }
            other => other.map(|reply| reply.map(|()| Notified::Nobody)),
        }
    }
}
