//! Files of requests, in two steps: uploaded to the desk, then attached with a comment.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use crate::common::multipart;
use crate::common::sign::random_uuid;

use super::super::super::comments::NewComment;
use super::super::super::desk::Temporary;
use super::super::super::error::Refusal;
use super::super::super::model::Attachment;
use super::super::super::view::View;
use super::super::attachment::{MAX_FILE_BYTES, MAX_FILES, checked};
use super::super::call::{Answer, Caller, Params, Payload, created, ok};
use super::servicedesk::visible;
use super::{comment, moment, paged, person};

pub(super) async fn upload(
    caller: Caller,
    Path(desk): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    if !checked(&headers) {
        return Err(Refusal::desk(403, "XSRF check failed"));
    }
    let boundary = multipart::boundary(&headers)
        .ok_or_else(|| Refusal::desk(400, "A multipart form is required."))?;
    let files = multipart::files(&body, &boundary);
    if files.len() > MAX_FILES {
        return Err(Refusal::desk(413, "Too many files."));
    }
    if files.is_empty() || files.iter().any(|file| file.content.len() > MAX_FILE_BYTES) {
        return Err(Refusal::desk(400, "A file is missing or too large."));
    }
    caller.act(|state| {
        let desk = visible(state, &caller, &desk)?.id;
        if state.switches.attachments_off {
            return Err(Refusal::desk(403, "Attachments are disabled."));
        }
        let mut shown = Vec::new();
        for file in files {
            let id = format!("temp{}", random_uuid());
            shown.push(json!({ "temporaryAttachmentId": id, "fileName": file.name }));
            let kept = Temporary {
                desk,
                name: file.name,
                mime_type: file.kind,
                content: file.content,
            };
            state.temporary.insert(id, kept);
        }
        Ok(created(json!({ "temporaryAttachments": shown })))
    })
}

fn shown(view: View<'_>, attachment: &Attachment) -> Value {
    let full = view.attachment(attachment);
    json!({
        "filename": attachment.file_name,
        "author": person(view, &attachment.author),
        "created": moment(view, attachment.created_ms),
        "size": attachment.content.len(),
        "mimeType": attachment.mime_type,
        "_links": { "jiraRest": full["self"], "content": full["content"] },
    })
}

pub(super) async fn list(caller: Caller, Path(key): Path<String>, params: Params) -> Answer {
    caller.look(|state, view| {
        let issue = state.visible_request(&caller.user, &key)?;
        let all = issue.attachments.values().map(|found| shown(view, found));
        Ok(ok(paged(&params, all.collect())?))
    })
}

/// The files that a comment shows.
pub(super) async fn of_comment(
    caller: Caller,
    Path((key, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    caller.look(|state, view| {
        let issue = state.visible_request(&caller.user, &key)?;
        let found = id.parse().ok().and_then(|id: u64| issue.comments.get(&id));
        let comment = found
            .filter(|comment| comment.visible_to(&caller.user))
            .ok_or_else(|| Refusal::desk(404, "The comment does not exist."))?;
        // Cloud shows a file by an id of another service, which is not simulated: its alternative
        // text, which Jira's editor sets to the name, stands for it.
        let (wiki, adf) = (comment.body.as_wiki(), comment.body.as_adf().to_string());
        let shows = |file: &&Attachment| {
            let name = &file.file_name;
            wiki.contains(&format!("[^{name}]"))
                || wiki.contains(&format!("!{name}"))
                || adf.contains(&format!("\"alt\":{}", json!(name)))
        };
        let all = issue.attachments.values().filter(shows);
        let all = all.map(|found| shown(view, found));
        Ok(ok(paged(&params, all.collect())?))
    })
}

/// Attaches uploaded files; this always makes a comment that shows them.
pub(super) async fn create(
    caller: Caller,
    Path(key): Path<String>,
    Payload(body): Payload,
) -> Answer {
    let ids: Vec<String> = body["temporaryAttachmentIds"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect();
    let public = body["public"].as_bool();
    let (Some(public), false) = (public, ids.is_empty()) else {
        let words = "The fields 'public' and 'temporaryAttachmentIds' are required.";
        return Err(Refusal::desk(400, words));
    };
    let mut text = body["additionalComment"]["body"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    caller.act(|state| {
        let issue = state.visible_request(&caller.user, &key)?;
        let (id, desk) = (issue.id, issue.request.as_ref().map(|request| request.desk));
        let usable = |id: &String| {
            let found = state.temporary.get(id);
            found.is_some_and(|file| Some(file.desk) == desk)
        };
        if !ids.iter().all(usable) {
            return Err(Refusal::desk(
                400,
                "The temporary attachments do not exist or have expired.",
            ));
        }
        let mut numbers = Vec::new();
        for temporary in &ids {
            let Some(file) = state.temporary.remove(temporary) else {
                continue;
            };
            let mark = if file.mime_type.starts_with("image/") {
                format!("!{}|thumbnail!", file.name)
            } else {
                format!("[^{}]", file.name)
            };
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&mark);
            let named = (file.name, file.mime_type);
            numbers.push(state.add_attachment(&caller.user, id, named, file.content)?);
        }
        let new = if public {
            NewComment::open(text.as_str())
        } else {
            NewComment::internal(text.as_str())
        };
        let made = state.add_comment(&caller.user, id, new)?;
        let view = caller.view(state);
        let issue = state.visible_request(&caller.user, &key)?;
        let files: Vec<Value> = numbers
            .iter()
            .filter_map(|number| issue.attachments.get(number))
            .map(|found| shown(view, found))
            .collect();
        let comment = issue
            .comments
            .get(&made)
            .map(|found| comment::shown(view, issue, found));
        let page = paged(&Params::default(), files)?;
        Ok(created(json!({ "comment": comment, "attachments": page })))
    })
}
