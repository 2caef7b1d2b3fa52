//! Jira's own record of linked conversations.

use bowline_net::json::at;
use bowline_net::{ApiError, Reply};
use http::Method;

use crate::client::Client;
use crate::model::links::{LINK_PROPERTY, RemoteLink, link_property_value, read_link_property};

impl Client {
    /// The ids of the linked conversations that the issue's property names; `None` when there is
    /// no such property, and when it is in another shape than [`Client::put_link_property`] writes:
    /// then it is to be written anew. Read through the issue, because the address of a property answers 404
    /// both when the property and when the issue is missing.
    pub async fn get_link_property(
        &self,
        issue: &str,
    ) -> Result<Reply<Option<Vec<String>>>, ApiError> {
        let call = self
            .api(
                Method::GET,
                &["issue", issue],
                "reading the linked conversations of an issue",
            )
            .query("fields", "summary")
            .query("properties", LINK_PROPERTY)
            .query("updateHistory", "false");
        self.send(call, |v| {
            v.get("id")?;
            let there = at(v, &["properties", LINK_PROPERTY]);
            Some(read_link_property(there).filter(|ids| *there == link_property_value(ids)))
        })
        .await
    }

    /// Replaces the property. Writing the same ids twice leaves the same value.
    pub async fn put_link_property(
        &self,
        issue: &str,
        conversation_ids: &[String],
    ) -> Result<Reply<()>, ApiError> {
        let path = ["issue", issue, "properties", LINK_PROPERTY];
        let call = self
            .api(
                Method::PUT,
                &path,
                "recording the linked conversations on an issue",
            )
            .body(link_property_value(conversation_ids));
        self.send_plain(call).await
    }

    /// All remote links of an issue, those of others included.
    pub async fn remote_links(&self, issue: &str) -> Result<Reply<Vec<RemoteLink>>, ApiError> {
        let path = ["issue", issue, "remotelink"];
        let call = self.api(Method::GET, &path, "listing remote links");
        self.send(call, |v| {
            Some(v.as_array()?.iter().filter_map(RemoteLink::read).collect())
        })
        .await
    }

    /// Creates the remote link, or replaces the one with the same global id.
    pub async fn upsert_remote_link(
        &self,
        issue: &str,
        link: &RemoteLink,
    ) -> Result<Reply<()>, ApiError> {
        let path = ["issue", issue, "remotelink"];
        let call = self
            .api(Method::POST, &path, "writing a remote link")
            .body(link.body());
        self.send_plain(call).await
    }

    /// Deletes the remote link with this global id.
    ///
    /// # Errors
    /// [`NotFound`](bowline_net::ErrorKind::NotFound) when there is none.
    pub async fn delete_remote_link(
        &self,
        issue: &str,
        global_id: &str,
    ) -> Result<Reply<()>, ApiError> {
        let path = ["issue", issue, "remotelink"];
        let call = self
            .api(Method::DELETE, &path, "deleting a remote link")
            .query("globalId", global_id);
        self.send_plain(call).await
    }
}
