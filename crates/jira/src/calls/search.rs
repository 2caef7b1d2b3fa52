//! Finding issues by JQL.

use bowline_net::json::{filled, flag, list};
use bowline_net::{ApiError, Reply};
use http::Method;
use serde_json::{Value, json};

use super::issues::counted;
use crate::client::{Client, Deployment};
use crate::model::issue::{Issue, IssueRead};
use crate::model::links::LINK_PROPERTY;
use crate::model::page::{Cursor, Page};

/// A page of found issues.
pub type SearchPage = Page<Issue>;

impl Client {
    /// One page of the issues that match `jql`, at most `max_results` (Jira may give fewer). On
    /// Cloud the JQL must be bounded, and a change shows up with some seconds of delay. On Data
    /// Center the pages shift when issues change meanwhile, and the link property is not
    /// returned: its search has no way to ask for one.
    pub async fn search(
        &self,
        jql: &str,
        read: IssueRead,
        cursor: Option<&Cursor>,
        max_results: u32,
    ) -> Result<Reply<SearchPage>, ApiError> {
        let doing = "searching issues";
        let mut body = json!({ "jql": jql, "fields": read.fields(), "maxResults": max_results });
        match self.deployment() {
            Deployment::Cloud => {
                if let Some(Cursor::Token(token)) = cursor {
                    body["nextPageToken"] = json!(token);
                }
                if read.changelog {
                    body["expand"] = json!("changelog");
                }
                if read.link_property {
                    body["properties"] = json!([LINK_PROPERTY]);
                }
                let call = self
                    .api(Method::POST, &["search", "jql"], doing)
                    .body(body)
                    .only_reads();
                self.send(call, by_token).await
            }
            Deployment::DataCenter => {
                let start_at = Cursor::start_at(cursor);
                body["startAt"] = json!(start_at);
                if read.changelog {
                    body["expand"] = json!(["changelog"]);
                }
                let call = self
                    .api(Method::POST, &["search"], doing)
                    .body(body)
                    .only_reads();
                self.send(call, |v| counted(v, "issues", start_at, Issue::read))
                    .await
            }
        }
    }
}

/// Cloud's pages: the end is `isLast`, or no token.
fn by_token(value: &Value) -> Option<SearchPage> {
    value.get("issues")?.as_array()?;
    let is_last = flag(value, "isLast").unwrap_or(false);
    let next = filled(value, "nextPageToken")
        .filter(|_| !is_last)
        .map(Cursor::Token);
    Some(Page {
        items: list(value, "issues")
            .iter()
            .filter_map(Issue::read)
            .collect(),
        next,
    })
}
