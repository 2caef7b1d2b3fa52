//! Files of messages, as downloads: whatever is in them, no browser shows or runs it as a page of
//! ours.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use bowline_access::Look;

use super::viewer::{Framed, Viewer, in_frame};
use super::{Issue, no_issue, whole};
use crate::App;
use crate::caller::Caller;
use crate::error::PageError;

/// The policy of a download, should a browser show it all the same.
const POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// Letters of a file's name that are kept.
const NAME_LETTERS_MAX: usize = 150;

type At = Path<(String, String, String, String, usize)>;

pub(super) async fn file(
    State(app): State<App>,
    Path((site, key, id, part, number)): At,
    caller: Caller<Look>,
) -> Result<Response, PageError> {
    let viewer = Viewer::signed_in(&caller);
    let at = (site.as_str(), key.as_str(), id.as_str());
    let found = download(&app, at, (&part, number)).await;
    found.map_err(|error| error.in_shell(viewer.shell()))
}

pub(super) async fn framed_file(
    State(app): State<App>,
    Path((site, key, id, part, number)): At,
    _framed: Framed<Look>,
) -> Response {
    let at = (site.as_str(), key.as_str(), id.as_str());
    let found = download(&app, at, (&part, number)).await;
    found.unwrap_or_else(|error| in_frame(&app, error.into_response()))
}

async fn download(
    app: &App,
    (site, key, id): (&str, &str, &str),
    which: (&str, usize),
) -> Result<Response, PageError> {
    let issue = Issue::find(app, site, key).await?.ok_or_else(no_issue)?;
    let (workspace, conversation) = whole::readable(app, &issue, id).await?;
    let found = app
        .shared
        .conversation_file(&workspace, &conversation, which)
        .await;
    match found {
        Ok(file) => {
            let headers = [
                (CONTENT_TYPE, "application/octet-stream".to_owned()),
                (CONTENT_DISPOSITION, disposition(&file.name)),
                (CONTENT_SECURITY_POLICY, POLICY.to_owned()),
            ];
            Ok((headers, file.bytes).into_response())
        }
        Err(unread) => Err(PageError::unread(
            if unread.gone {
                StatusCode::NOT_FOUND
            } else {
                StatusCode::BAD_GATEWAY
            },
            &unread.words,
        )),
    }
}

/// A download of this name (RFC 6266, 8187).
fn disposition(name: &str) -> String {
    use std::fmt::Write as _;
    let shown = |letter: &char| !letter.is_control() && !"/\\".contains(*letter);
    let name: String = name.chars().filter(shown).take(NAME_LETTERS_MAX).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    if encoded.is_empty() {
        encoded.push_str("file");
    }
    format!("attachment; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn names_cannot_break_out() {
        for (name, wanted) in [
            ("a.png", "a.png"),
            ("Über uns.pdf", "%C3%9Cber%20uns.pdf"),
            (
                "x\"; filename=evil.html\r\n",
                "x%22%3B%20filename%3Devil.html",
            ),
            ("../../etc/passwd", "....etcpasswd"),
            ("", "file"),
        ] {
            assert_eq!(
                disposition(name),
                format!("attachment; filename*=UTF-8''{wanted}")
            );
        }
    }
}
