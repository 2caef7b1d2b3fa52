//! Files that comments of requests show.

use bowline_net::{Access, ApiError, ErrorKind, Limits, Reply, SendFailure};
use bytes::Bytes;
use http::Method;
use url::Url;

use crate::client::{Client, Deployment, FILE_DEADLINE};
use crate::error;
use crate::model::page::{Cursor, Page};
use crate::model::service_desk::AttachedFile;

/// What fetching a file is called in errors.
const FETCHING: &str = "fetching a file of a request";

impl Client {
    /// A page of the files that a comment of a request shows, as Service Management names them.
    pub async fn comment_files(
        &self,
        issue: &str,
        comment: &str,
        cursor: Option<&Cursor>,
    ) -> Result<Reply<Page<AttachedFile>>, ApiError> {
        let path = ["request", issue, "comment", comment, "attachment"];
        let call = Self::desk_call(Method::GET, &path, "reading the files of a comment");
        self.page(call, cursor, AttachedFile::read_in_desk).await
    }

    /// Fetches a file of an issue. The credentials go to the site only: an answer that leads
    /// elsewhere is refused.
    ///
    /// # Errors
    /// [`Data`](ErrorKind::Data) when it is longer than `limit_bytes`.
    pub async fn fetch_file(&self, id: &str, limit_bytes: usize) -> Result<Reply<Bytes>, ApiError> {
        let url = match self.deployment() {
            Deployment::Cloud => None,
            Deployment::DataCenter => Some(self.file_address(id).await?),
        };
        let call = self
            .api(Method::GET, &["attachment", "content", id], FETCHING)
            .query("redirect", "false");
        let mut request = self.request(call)?;
        request.url = url.unwrap_or(request.url);
        request.headers.remove(http::header::ACCEPT);
        request.deadline = FILE_DEADLINE;
        let failed = |failure: &SendFailure| match failure {
            SendFailure::BodyTooLarge { limit_bytes } => too_large(*limit_bytes),
            other => ApiError::of_failure(other, Access::Read, FETCHING),
        };
        let answer = self.transport().stream(request).await;
        let answer = answer.map_err(|failure| failed(&failure))?;
        let length = answer.header("content-length");
        let length: Option<usize> = length.and_then(|length| length.trim().parse().ok());
        if answer.is_success() && length.is_some_and(|length| length > limit_bytes) {
            return Err(too_large(limit_bytes));
        }
        let response = answer.read(limit_bytes).await;
        let response = response.map_err(|failure| failed(&failure))?;
        if !response.is_success() {
            return Err(error::read(&response, Access::Read, FETCHING));
        }
        Ok(Reply {
            limits: Limits::read(&response.headers),
            value: response.body,
        })
    }

    /// Where Data Center keeps a file: it has no call that gives the content.
    async fn file_address(&self, id: &str) -> Result<Url, ApiError> {
        let call = self.api(Method::GET, &["attachment", id], FETCHING);
        let read = |v: &serde_json::Value| bowline_net::json::filled(v, "content");
        let address = self.send(call, read).await?.value;
        Url::parse(&address)
            .ok()
            .filter(|url| self.is_own(url))
            .ok_or_else(|| {
                let words = "Jira says that the file is at another address than its own";
                ApiError::new(ErrorKind::Data, FETCHING, words)
            })
    }
}

fn too_large(limit_bytes: usize) -> ApiError {
    let words = format!("the file is larger than {limit_bytes} bytes, which is the limit here");
    ApiError::new(ErrorKind::Data, FETCHING, &words)
}
