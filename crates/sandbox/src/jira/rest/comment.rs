//! Comments.

use axum::extract::Path;
use serde_json::{Value, json};

use super::super::error::Refusal;
use super::super::model::Comment;
use super::call::{Answer, Caller, Params, Payload, created, nothing, ok};
use super::input::{Reader, properties};

/// Default size of a page of comments on Cloud; Data Center gives all.
const PAGE: usize = 100;
/// Largest page of comments.
const MAX_PAGE: usize = 5_000;
/// What Data Center calls "all".
const ALL: usize = 1_048_576;

pub(super) async fn list(caller: Caller, Path(issue): Path<String>, params: Params) -> Answer {
    let start = params.number("startAt", 0)?;
    let asked = params
        .get("maxResults")
        .map(|_| params.number("maxResults", 0))
        .transpose()?;
    let newest_first = match params.get("orderBy") {
        None | Some("created" | "+created" | " created") => false,
        Some("-created") => true,
        Some(other) => {
            return Err(Refusal::bad(format!(
                "'{other}' is not a valid value for 'orderBy'."
            )));
        }
    };
    let expand = params.expand();
    caller.look(|state, view| {
        let size = if state.is_cloud() { asked.unwrap_or(PAGE).min(MAX_PAGE) } else { asked.unwrap_or(ALL) };
        let found = state.visible_issue(&caller.user, &issue)?;
        let mut visible: Vec<&Comment> = found.comments.values().filter(|c| c.visible_to(&caller.user)).collect();
        if newest_first {
            visible.reverse();
        }
        let comments: Vec<Value> =
            visible.iter().skip(start).take(size).map(|comment| view.comment(found.id, comment, &expand)).collect();
        Ok(ok(json!({ "startAt": start, "maxResults": size, "total": visible.len(), "comments": comments })))
    })
}

pub(super) async fn read(
    caller: Caller,
    Path((issue, comment)): Path<(String, String)>,
    params: Params,
) -> Answer {
    caller.look(|state, view| {
        let (issue, comment) = state.visible_comment(&caller.user, &issue, &comment)?;
        Ok(ok(view.comment(issue.id, comment, &params.expand())))
    })
}

pub(super) async fn create(
    caller: Caller,
    Path(issue): Path<String>,
    params: Params,
    Payload(body): Payload,
) -> Answer {
    caller.act(|state| {
        let id = state.visible_issue(&caller.user, &issue)?.id;
        if !state.may(&caller.user, "ADD_COMMENTS") {
            return Err(Refusal::bad(format!(
                "{}, you do not have the permission to comment on this issue.",
                caller.user.display_name
            )));
        }
        let new = Reader::new(state, &caller).comment(&body)?;
        let comment = state.add_comment(&caller.user, id, new)?;
        let (issue, comment) = state.visible_comment(&caller.user, &issue, &comment.to_string())?;
        Ok(created(caller.view(state).comment(
            issue.id,
            comment,
            &params.expand(),
        )))
    })
}

pub(super) async fn edit(
    caller: Caller,
    Path((issue, comment)): Path<(String, String)>,
    params: Params,
    Payload(body): Payload,
) -> Answer {
    caller.act(|state| {
        let (found, old) = state.visible_comment(&caller.user, &issue, &comment)?;
        let target = (found.id, old.id);
        allowed(
            state.may(&caller.user, "EDIT_OWN_COMMENTS"),
            state.may(&caller.user, "EDIT_ALL_COMMENTS"),
            &caller,
            old,
            "edit",
        )?;
        let reader = Reader::new(state, &caller);
        let text = reader.comment_body(&body["body"])?;
        // Without a restriction in the call the comment becomes open; properties stay unless given.
        let visibility = reader.visibility(&body["visibility"])?;
        let set = properties(&body["properties"])?;
        let change = |found: &mut Comment| {
            found.body = text;
            found.visibility = visibility;
            found.properties.extend(set);
        };
        // Data Center's PUT of a comment knows no such parameter: it always mails.
        if state.is_cloud() && params.get("notifyUsers") == Some("false") {
            state.without_mail(|state| state.edit_comment(&caller.user, target, change))?;
        } else {
            state.edit_comment(&caller.user, target, change)?;
        }
        let (issue, comment) = state.visible_comment(&caller.user, &issue, &comment)?;
        Ok(ok(caller.view(state).comment(
            issue.id,
            comment,
            &params.expand(),
        )))
    })
}

pub(super) async fn remove(
    caller: Caller,
    Path((issue, comment)): Path<(String, String)>,
) -> Answer {
    caller.act(|state| {
        let (found, old) = state.visible_comment(&caller.user, &issue, &comment)?;
        let target = (found.id, old.id);
        let (own, all) = (
            state.may(&caller.user, "DELETE_OWN_COMMENTS"),
            state.may(&caller.user, "DELETE_ALL_COMMENTS"),
        );
        allowed(own, all, &caller, old, "delete")?;
        state.delete_comment(&caller.user, target.0, target.1)?;
        Ok(nothing())
    })
}

/// Missing rights on comments are answered with 400, not 403.
fn allowed(
    own: bool,
    all: bool,
    caller: &Caller,
    comment: &Comment,
    verb: &str,
) -> Result<(), Refusal> {
    let mine = comment.author.account_id == caller.user.account_id;
    if all || (own && mine) {
        return Ok(());
    }
    Err(Refusal::bad(format!(
        "You do not have permission to {verb} comment with id: {}",
        comment.id
    )))
}
