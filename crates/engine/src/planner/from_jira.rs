//! Jira's words as the domain's.

use bowline_domain::happening::{Change, Redescribed};
use bowline_domain::ids::CommentId;
use bowline_domain::observation::{
    CommentSnapshot, CommentVisibility, Person, StatusCategory, StatusRef,
};
use bowline_domain::time::Millis;
use bowline_jira as jira;
use bowline_net::{ApiError, ErrorKind};

/// Is what was asked for not there, or not for us to see?
pub(crate) fn is_absent(error: &ApiError) -> bool {
    matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone)
}

pub(crate) fn person(person: &jira::Person) -> Person {
    Person {
        id: person.id.clone(),
        name: person.name.clone(),
    }
}

pub(crate) fn status(status: &jira::Status) -> StatusRef {
    StatusRef {
        id: status.id.clone(),
        name: status.name.clone(),
        category: match status.category {
            jira::Category::New => StatusCategory::New,
            jira::Category::Indeterminate => StatusCategory::Indeterminate,
            jira::Category::Done => StatusCategory::Done,
            jira::Category::Other => StatusCategory::Unknown,
        },
    }
}

pub(crate) fn comment_snapshot(comment: &jira::Comment) -> CommentSnapshot {
    let created_at = Millis(comment.created_ms.unwrap_or_default());
    CommentSnapshot {
        id: CommentId::new(comment.id.as_str()),
        author: comment.author.as_ref().map_or_else(
            || Person {
                id: String::new(),
                name: "Someone".to_owned(),
            },
            person,
        ),
        editor: comment.update_author.as_ref().map(person),
        created_at,
        updated_at: comment.updated_ms.map_or(created_at, Millis),
        body: comment.body.clone(),
        visibility: match &comment.visibility {
            jira::Visibility::Public => CommentVisibility::Public,
            jira::Visibility::Unstated => CommentVisibility::Unstated,
            jira::Visibility::Internal(_) => CommentVisibility::Internal,
            jira::Visibility::Restricted(_) => CommentVisibility::Restricted,
        },
    }
}

/// One history entry as a change. `now` is the present status, whose category is known.
pub(crate) fn change(
    id: &str,
    at: Millis,
    actor: Option<&jira::Person>,
    items: &[jira::ChangeItem],
    now: Option<&StatusRef>,
) -> Change {
    let item = |name: &str| {
        items.iter().find(|item| {
            item.field == name || item.field_id.as_deref().is_some_and(|field| field == name)
        })
    };
    let at_status = |id: Option<&String>, name: Option<&String>| {
        let id = id.cloned().unwrap_or_default();
        let category = now
            .filter(|now| now.id == id)
            .map_or(StatusCategory::Unknown, |now| now.category);
        StatusRef {
            id,
            name: name.cloned().unwrap_or_default(),
            category,
        }
    };
    Change {
        id: id.to_owned(),
        at,
        actor: actor.map(person),
        assigned: item("assignee").map(|item| item.to_string.clone().filter(|to| !to.is_empty())),
        moved: item("status").map(|item| {
            (
                at_status(item.from.as_ref(), item.from_string.as_ref()),
                at_status(item.to.as_ref(), item.to_string.as_ref()),
            )
        }),
        described: item("description").map(|item| Redescribed {
            before: addresses(item.from_string.as_deref()),
            after: addresses(item.to_string.as_deref()),
        }),
        transferred: item("key").is_some() || item("project").is_some(),
    }
}

/// The addresses in the text of a history entry, which is wiki text or plain.
fn addresses(text: Option<&str>) -> Vec<bowline_text::ConversationAddress> {
    text.map(bowline_text::address::find_in_text)
        .unwrap_or_default()
}
