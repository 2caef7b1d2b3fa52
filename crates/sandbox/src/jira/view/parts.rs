//! What issues are made of: people, statuses, types, priorities, projects, files.

use serde_json::{Map, Value, json};

use super::super::model::{
    Attachment, Category, ISSUE_TYPES, PRIORITIES, Project, RESOLUTION, SECURITY_LEVELS, Status,
    User,
};
use super::View;

impl View<'_> {
    pub(crate) fn user(&self, user: &User) -> Value {
        let avatar = |size: u8| {
            format!(
                "{}/secure/useravatar?size={size}&ownerId={}",
                self.state.base, user.account_id
            )
        };
        let avatars = json!({ "48x48": avatar(48), "24x24": avatar(24), "16x16": avatar(16), "32x32": avatar(32) });
        let mut shown = Map::new();
        if self.state.is_cloud() {
            shown.insert(
                "self".into(),
                self.link(&format!("user?accountId={}", user.account_id))
                    .into(),
            );
            shown.insert("accountId".into(), user.account_id.clone().into());
            shown.insert("accountType".into(), user.account_type.clone().into());
        } else {
            shown.insert(
                "self".into(),
                self.link(&format!("user?username={}", user.name)).into(),
            );
            shown.insert("name".into(), user.name.clone().into());
            shown.insert("key".into(), user.account_id.clone().into());
        }
        let own = self
            .viewer
            .is_some_and(|viewer| viewer.account_id == user.account_id);
        let cloud_webhook = self.state.is_cloud() && self.viewer.is_none();
        if (user.email_visible || own) && !cloud_webhook {
            shown.insert("emailAddress".into(), user.email.clone().into());
        }
        shown.insert("avatarUrls".into(), avatars);
        shown.insert("displayName".into(), user.display_name.clone().into());
        shown.insert("active".into(), true.into());
        shown.insert("timeZone".into(), "Europe/Berlin".into());
        Value::Object(shown)
    }

    pub(crate) fn category(&self, category: Category) -> Value {
        json!({
            "self": self.link(&format!("statuscategory/{}", category.id)),
            "id": category.id,
            "key": category.key,
            "colorName": category.colour,
            "name": category.name,
        })
    }

    pub(crate) fn status(&self, status: Status) -> Value {
        json!({
            "self": self.link(&format!("status/{}", status.id)),
            "description": "",
            "iconUrl": format!("{}/images/icons/statuses/generic.png", self.state.base),
            "name": status.name,
            "id": status.id.to_string(),
            "statusCategory": self.category(status.category),
        })
    }

    pub(crate) fn issue_type(&self, id: u64) -> Value {
        let (_, name, description) = ISSUE_TYPES
            .iter()
            .find(|t| t.0 == id)
            .unwrap_or(&ISSUE_TYPES[0]);
        json!({
            "self": self.link(&format!("issuetype/{id}")),
            "id": id.to_string(),
            "description": description,
            "iconUrl": format!("{}/images/icons/issuetypes/{}.png", self.state.base, name.to_lowercase()),
            "name": name,
            "subtask": false,
            "avatarId": 10_300 + id % 100,
            "hierarchyLevel": 0,
        })
    }

    pub(crate) fn priority(&self, id: u64) -> Value {
        let name = PRIORITIES
            .iter()
            .find(|p| p.0 == id)
            .map_or("Medium", |p| p.1);
        json!({
            "self": self.link(&format!("priority/{id}")),
            "iconUrl": format!("{}/images/icons/priorities/{}.svg", self.state.base, name.to_lowercase()),
            "name": name,
            "id": id.to_string(),
        })
    }

    pub(crate) fn project(&self, project: &Project) -> Value {
        let avatar = |size: &str| {
            format!(
                "{}/secure/projectavatar?size={size}&pid={}",
                self.state.base, project.id
            )
        };
        let mut shown = json!({
            "self": self.link(&format!("project/{}", project.id)),
            "id": project.id.to_string(),
            "key": project.key,
            "name": project.name,
            "projectTypeKey": project.kind.key(),
            "avatarUrls": {
                "48x48": avatar("xlarge"), "24x24": avatar("small"), "16x16": avatar("xsmall"), "32x32": avatar("medium"),
            },
        });
        if self.state.is_cloud() {
            shown["simplified"] = false.into();
        }
        shown
    }

    pub(crate) fn security(&self, id: u64) -> Value {
        let name = SECURITY_LEVELS
            .iter()
            .find(|l| l.0 == id)
            .map_or("", |l| l.1);
        json!({ "self": self.link(&format!("securitylevel/{id}")), "id": id.to_string(), "name": name, "description": "" })
    }

    pub(super) fn resolution(&self) -> Value {
        let (id, name) = RESOLUTION;
        json!({
            "self": self.link(&format!("resolution/{id}")), "id": id.to_string(),
            "description": "Work has been completed.", "name": name,
        })
    }

    pub(crate) fn attachment(&self, attachment: &Attachment) -> Value {
        json!({
            "self": self.link(&format!("attachment/{}", attachment.id)),
            "id": attachment.id.to_string(),
            "filename": attachment.file_name,
            "author": self.user(&attachment.author),
            "created": self.stamp(attachment.created_ms),
            "size": attachment.content.len(),
            "mimeType": attachment.mime_type,
            "content": self.attachment_content(attachment),
        })
    }

    /// Where a file's content is: on Data Center behind a page's address.
    fn attachment_content(&self, attachment: &Attachment) -> String {
        if self.state.is_cloud() {
            return self.link(&format!("attachment/content/{}", attachment.id));
        }
        let name: String =
            url::form_urlencoded::byte_serialize(attachment.file_name.as_bytes()).collect();
        format!(
            "{}/secure/attachment/{}/{name}",
            self.state.base, attachment.id
        )
    }
}
