//! Issues, comments and changelogs.

use bowline_net::json::{at, flag, int, list};
use bowline_net::{ApiError, Reply};
use http::Method;
use serde_json::Value;

use crate::client::{Client, Deployment};
use crate::model::comment::Comment;
use crate::model::history::{self, History};
use crate::model::issue::{self, Issue, IssueRead};
use crate::model::links::LINK_PROPERTY;
use crate::model::page::{Cursor, Page};

/// Items asked for per page; Jira may give fewer.
const PAGE_SIZE: u32 = 100;

impl Client {
    /// Reads an issue by numeric id or key. An old key finds the moved issue: compare the key in
    /// the answer. Does not count as a view by our account.
    ///
    /// # Errors
    /// [`NotFound`](bowline_net::ErrorKind::NotFound) when it is missing or hidden from us; Jira
    /// does not tell which.
    pub async fn issue(&self, id_or_key: &str, read: IssueRead) -> Result<Reply<Issue>, ApiError> {
        let mut call = self
            .api(Method::GET, &["issue", id_or_key], "reading an issue")
            .query("fields", read.fields().join(","))
            .query("updateHistory", "false");
        if read.changelog {
            call = call.query("expand", "changelog");
        }
        if read.link_property {
            call = call.query("properties", LINK_PROPERTY);
        }
        self.send(call, Issue::read).await
    }

    /// Reads one comment with the properties that tell who may see it.
    pub async fn comment(&self, issue: &str, comment: &str) -> Result<Reply<Comment>, ApiError> {
        let path = ["issue", issue, "comment", comment];
        let call = self
            .api(Method::GET, &path, "reading a comment")
            .query("expand", "properties");
        self.send(call, Comment::read).await
    }

    /// One page of the comments, oldest first.
    pub async fn comments(
        &self,
        issue: &str,
        cursor: Option<&Cursor>,
    ) -> Result<Reply<Page<Comment>>, ApiError> {
        let start_at = Cursor::start_at(cursor);
        let call = self
            .api(
                Method::GET,
                &["issue", issue, "comment"],
                "reading comments",
            )
            .query("startAt", start_at.to_string())
            .query("maxResults", PAGE_SIZE.to_string())
            .query("orderBy", "created")
            .query("expand", "properties");
        self.send(call, |v| counted(v, "comments", start_at, Comment::read))
            .await
    }

    /// One page of the changelog, oldest first within the page. Data Center gives all of it at
    /// once.
    pub async fn changelog(
        &self,
        issue: &str,
        cursor: Option<&Cursor>,
    ) -> Result<Reply<Page<History>>, ApiError> {
        let doing = "reading a changelog";
        if self.deployment() == Deployment::DataCenter {
            let call = self
                .api(Method::GET, &["issue", issue], doing)
                .query("fields", "summary")
                .query("expand", "changelog")
                .query("updateHistory", "false");
            return self
                .send(call, |v| {
                    let changelog = at(v, &["changelog"]);
                    changelog.get("histories")?.as_array()?;
                    Some(Page {
                        items: issue::histories(changelog),
                        next: None,
                    })
                })
                .await;
        }
        let start_at = Cursor::start_at(cursor);
        let call = self
            .api(Method::GET, &["issue", issue, "changelog"], doing)
            .query("startAt", start_at.to_string())
            .query("maxResults", PAGE_SIZE.to_string());
        self.send(call, |v| {
            let page = counted(v, "values", start_at, History::read)?;
            Some(Page {
                items: history::sorted(page.items),
                next: page.next,
            })
        })
        .await
    }
}

/// A page that counts: `startAt`, `total`, perhaps `isLast`. `None` when there is no list at all.
/// An empty page is the end, whatever the counters say, so that a walk always ends.
pub(crate) fn counted<T>(
    value: &Value,
    key: &str,
    asked_start: u64,
    read: impl Fn(&Value) -> Option<T>,
) -> Option<Page<T>> {
    value.get(key)?.as_array()?;
    let raw = list(value, key);
    let start = int(value, "startAt")
        .and_then(|n| u64::try_from(n).ok())
        .unwrap_or(asked_start);
    let end = start.saturating_add(raw.len() as u64);
    let all = int(value, "total").and_then(|n| u64::try_from(n).ok());
    let more = match (all, flag(value, "isLast")) {
        (_, Some(is_last)) => !is_last,
        (Some(all), None) => end < all,
        (None, None) => false,
    };
    let next = (more && !raw.is_empty() && end > asked_start).then_some(Cursor::StartAt(end));
    Some(Page {
        items: raw.iter().filter_map(read).collect(),
        next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_walk_goes_on_only_while_there_is_more() {
        for (page, asked, want) in [
            (json!({"v": [1, 2], "startAt": 0, "total": 5}), 0, Some(2)),
            (json!({"v": [1, 2], "total": 5}), 2, Some(4)),
            (json!({"v": [1], "startAt": 4, "total": 5}), 4, None),
            (
                json!({"v": [1], "startAt": 0, "total": 5, "isLast": true}),
                0,
                None,
            ),
            (json!({"v": [1], "startAt": 0, "isLast": false}), 0, Some(1)),
            (json!({"v": [], "startAt": 2, "total": 5}), 2, None),
            (json!({"v": [1], "startAt": 0, "total": 5}), 3, None),
            (json!({"v": [1]}), 0, None),
        ] {
            let read = counted(&page, "v", asked, Value::as_u64).unwrap();
            assert_eq!(read.next, want.map(Cursor::StartAt), "{page} {asked}");
        }
        assert_eq!(counted(&json!({"v": null}), "v", 0, Value::as_u64), None);
    }
}
