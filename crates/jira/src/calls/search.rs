//! Finding issues by JQL.

use std::collections::BTreeMap;

use bowline_net::json::{at, filled, flag, id, list};
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

/// Issues that one call of [`Client::shown`] may ask about: what Cloud's bulk fetch takes.
pub const SHOWN_MAX: usize = 100;

impl Client {
    /// Which of these issues, by numeric id, Jira shows to our account, each with the name of its
    /// status where Jira says it. Those that it could not
    /// look at this time are counted among them: only what it leaves out without a word is not
    /// shown. At most [`SHOWN_MAX`] ids.
    ///
    /// Cloud looks into its database, Data Center into its search index: an issue that is left
    /// out there may be shown all the same.
    ///
    /// # Errors
    /// [`Data`](bowline_net::ErrorKind::Data) where Data Center refuses a list with an id that it
    /// does not know, although told not to check the query; such ids are asked for one by one.
    pub async fn shown(&self, ids: &[&str]) -> Result<Reply<Shown>, ApiError> {
        let doing = "asking which issues Jira shows";
        match self.deployment() {
            Deployment::Cloud => {
                let body = json!({ "issueIdsOrKeys": ids, "fields": ["status"] });
                let call = self
                    .api(Method::POST, &["issue", "bulkfetch"], doing)
                    .body(body)
                    .only_reads();
                self.send(call, |value| {
                    value.get("issues")?.as_array()?;
                    let found = list(value, "issues").iter();
                    let failed = list(value, "issueErrors").iter();
                    Some(found.chain(failed).filter_map(shown).collect())
                })
                .await
            }
            Deployment::DataCenter => {
                let body = json!({
                    "jql": format!("id in ({})", ids.join(",")),
                    "fields": ["status"],
                    "maxResults": ids.len(),
                    "validateQuery": false,
                });
                let call = self
                    .api(Method::POST, &["search"], doing)
                    .body(body)
                    .only_reads();
                self.send(call, |value| {
                    value.get("issues")?.as_array()?;
                    let found = list(value, "issues").iter();
                    Some(found.filter_map(shown).collect())
                })
                .await
            }
        }
    }
}

/// Issues that are shown, by id, each with the name of its status where that was said.
pub type Shown = BTreeMap<String, Option<String>>;

fn shown(value: &Value) -> Option<(String, Option<String>)> {
    let status = filled(at(value, &["fields", "status"]), "name");
    Some((id(value, "id")?, status))
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
