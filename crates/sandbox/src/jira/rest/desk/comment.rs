//! Comments of requests: public ones, and internal ones that only agents see.

use axum::extract::Path;
use serde_json::{Value, json};

use super::super::super::body::Body;
use super::super::super::comments::{NewComment, check_length};
use super::super::super::error::Refusal;
use super::super::super::model::{Comment, Issue};
use super::super::super::view::View;
use super::super::call::{Answer, Caller, Params, Payload, created, ok};
use super::{link, moment, paged, person};

pub(super) fn shown(view: View<'_>, issue: &Issue, comment: &Comment) -> Value {
    let path = format!("request/{}/comment/{}", issue.id, comment.id);
    json!({
        "_expands": ["attachment", "renderedBody"],
        "id": comment.id.to_string(),
        "body": comment.body.as_wiki(),
        "public": !comment.is_internal(),
        "author": person(view, &comment.author),
        "created": moment(view, comment.created_ms),
        "_links": { "self": link(view.state, &path) },
    })
}

pub(super) async fn list(caller: Caller, Path(key): Path<String>, params: Params) -> Answer {
    let wants = |name: &str| params.get(name) != Some("false");
    let (public, internal) = (wants("public"), wants("internal"));
    caller.look(|state, view| {
        let issue = state.visible_request(&caller.user, &key)?;
        let all = issue
            .comments
            .values()
            .filter(|comment| comment.visible_to(&caller.user))
            .filter(|comment| {
                if comment.is_internal() {
                    internal
                } else {
                    public
                }
            })
            .map(|comment| shown(view, issue, comment));
        Ok(ok(paged(&params, all.collect())?))
    })
}

pub(super) async fn read(caller: Caller, Path((key, id)): Path<(String, String)>) -> Answer {
    caller.look(|state, view| {
        let issue = state.visible_request(&caller.user, &key)?;
        let found = id.parse().ok().and_then(|id: u64| issue.comments.get(&id));
        found
            .filter(|comment| comment.visible_to(&caller.user))
            .map(|comment| ok(shown(view, issue, comment)))
            .ok_or_else(|| Refusal::desk(404, "The comment does not exist."))
    })
}

pub(super) async fn create(
    caller: Caller,
    Path(key): Path<String>,
    Payload(body): Payload,
) -> Answer {
    let text = body["body"].as_str().unwrap_or_default();
    let Some(public) = body["public"].as_bool() else {
        return Err(Refusal::desk(400, "The field 'public' is required."));
    };
    if text.trim().is_empty() {
        return Err(Refusal::desk(400, "Comment body can not be empty!"));
    }
    let text = Body::wiki(text);
    check_length("comment", &text).map_err(Refusal::into_desk)?;
    caller.act(|state| {
        let issue = state.visible_request(&caller.user, &key)?.id;
        let customer = caller.user.is_customer();
        if (customer && !public) || (!customer && !state.may(&caller.user, "ADD_COMMENTS")) {
            let words = "You do not have permission to comment on this request.";
            return Err(Refusal::desk(403, words));
        }
        let new = if public {
            NewComment::open(text)
        } else {
            NewComment::internal(text)
        };
        let id = state.add_comment(&caller.user, issue, new)?;
        let issue = state.visible_request(&caller.user, &key)?;
        let comment = issue
            .comments
            .get(&id)
            .ok_or_else(|| Refusal::desk(404, "The comment does not exist."))?;
        Ok(created(shown(caller.view(state), issue, comment)))
    })
}
