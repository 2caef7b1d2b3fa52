//! What Intercom's errors mean.
//!
//! The body is `{"type":"error.list","request_id":…,"errors":[{"code","message","field"}]}`, with
//! exceptions; any field may be missing and unknown codes appear.

use bowline_net::json::{at, filled, list, text};
use bowline_net::{Access, ApiError, ErrorKind, Response};
use serde_json::Value;

/// The error of an answer that is no success.
pub(crate) fn read(response: &Response, access: Access, doing: &'static str) -> ApiError {
    let mut error = ApiError::of_status(response, access, doing);
    let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let first = list(&body, "errors").first().unwrap_or(&Value::Null);
    error.code = filled(first, "code").or_else(|| filled(&body, "code"));
    let words = filled(first, "message").or_else(|| filled(&body, "message"));
    if let Some(words) = words {
        let field = filled(first, "field")
            .map(|f| format!(" (field {f})"))
            .unwrap_or_default();
        error = error.saying(&format!("{words}{field}"));
    }
    error.request_id = text(&body, "request_id")
        .or_else(|| response.header("x-request-id").map(str::to_owned))
        .map(String::into_boxed_str);
    error.kind = kind(response.status, error.code.as_deref(), error.kind);
    if error.kind == ErrorKind::NotFound && !is_error_body(&body) {
        // Absence ends links, so it has to come from Intercom itself and not from a proxy or a
        // wrong base address.
        error.kind = ErrorKind::Config;
    }
    if error.kind == ErrorKind::Gone {
        error.canonical = response
            .header("link")
            .and_then(canonical)
            .map(String::into_boxed_str);
    }
    error
}

fn is_error_body(body: &Value) -> bool {
    at(body, &["type"])
        .as_str()
        .is_some_and(|t| t.starts_with("error"))
        || !list(body, "errors").is_empty()
}

/// The code decides where it is more exact than the status.
fn kind(status: u16, code: Option<&str>, by_status: ErrorKind) -> ErrorKind {
    match code {
        Some("api_plan_restricted") => ErrorKind::PlanRestricted,
        Some("rate_limit_exceeded" | "too_many_requests") => ErrorKind::RateLimited,
        // The app user or the team is not of this workspace: the conversation itself is there.
        Some("intercom_version_invalid" | "admin_not_found" | "team_not_found") => {
            ErrorKind::Config
        }
        Some("contact_merged") => ErrorKind::Gone,
        Some("conflict" | "resource_conflict" | "unique_user_constraint") => ErrorKind::Conflict,
        Some("forbidden" | "action_forbidden") if status < 500 => ErrorKind::Permission,
        // "Action not allowed for this type of admin", not a wrong method (that is a 404).
        _ if status == 405 => ErrorKind::Permission,
        _ => by_status,
    }
}

/// The target of `Link: </contacts/…>; rel="canonical"`, as a path.
fn canonical(header: &str) -> Option<String> {
    header.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_canonical = parameters.split(';').any(|p| {
            let p = p.trim().to_ascii_lowercase();
            p == "rel=\"canonical\"" || p == "rel=canonical"
        });
        if !is_canonical {
            return None;
        }
        match url::Url::parse(target) {
            Ok(url) => Some(url.path().to_owned()),
            Err(_) => Some(target.to_owned()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowline_net::testing;
    use serde_json::json;

    fn answer(status: u16, code: &str) -> Response {
        let body = json!({"type": "error.list", "request_id": "r1",
            "errors": [{"code": code, "message": "words", "field": null}]});
        testing::json(status, &body)
    }

    #[test]
    fn codes_and_status_give_the_kind() {
        use ErrorKind::*;
        for (status, code, on_read, on_write) in [
            (400, "parameter_invalid", Data, Data),
            (400, "intercom_version_invalid", Config, Config),
            (401, "unauthorized", Auth, Auth),
            (401, "token_revoked", Auth, Auth),
            (401, "token_unauthorized", Auth, Auth),
            (403, "api_plan_restricted", PlanRestricted, PlanRestricted),
            (403, "forbidden", Permission, Permission),
            (404, "not_found", NotFound, NotFound),
            (404, "admin_not_found", Config, Config),
            (405, "action_forbidden", Permission, Permission),
            (406, "whatever", Config, Config),
            (408, "request_timeout", Transient, UnknownOutcome),
            (409, "conflict", Conflict, Conflict),
            (410, "contact_merged", Gone, Gone),
            (413, "whatever", Data, Data),
            (422, "unprocessable_entity", Data, Data),
            (429, "rate_limit_exceeded", RateLimited, RateLimited),
            (500, "server_error", Transient, UnknownOutcome),
            (503, "service_unavailable", Transient, UnknownOutcome),
            (418, "code_of_tomorrow", Data, Data),
        ] {
            for (access, want) in [(Access::Read, on_read), (Access::Write, on_write)] {
                let error = read(&answer(status, code), access, "trying");
                assert_eq!(error.kind, want, "{status} {code} {access:?}");
                assert_eq!(error.code.as_deref(), Some(code));
                assert_eq!(error.request_id.as_deref(), Some("r1"));
                assert_eq!(error.status, Some(status));
            }
        }
    }

    #[test]
    fn absence_must_be_said_by_intercom() {
        for (body, want) in [
            (
                r#"{"type":"error.list","errors":[{"code":"not_found"}]}"#,
                ErrorKind::NotFound,
            ),
            (
                r#"{"type":"error","message":"Resource Not Found"}"#,
                ErrorKind::NotFound,
            ),
            (
                "<html><title>404 Not Found</title></html>",
                ErrorKind::Config,
            ),
            (r#"{"detail":"no route"}"#, ErrorKind::Config),
            ("", ErrorKind::Config),
        ] {
            let error = read(&testing::response(404, &[], body), Access::Read, "reading");
            assert_eq!(error.kind, want, "{body}");
        }
    }

    #[test]
    fn a_gone_contact_names_what_took_its_place() {
        for (link, want) in [
            (
                r#"</contacts/6762f0>; rel="canonical""#,
                Some("/contacts/6762f0"),
            ),
            (
                "<https://api.intercom.io/contacts/6762f0>; rel=canonical",
                Some("/contacts/6762f0"),
            ),
            (
                r#"</x>; rel="next", </contacts/2>; rel="canonical""#,
                Some("/contacts/2"),
            ),
            (r#"</x>; rel="next""#, None),
            ("nonsense", None),
        ] {
            let mut gone = answer(410, "contact_merged");
            gone.headers.extend(testing::headers(&[("link", link)]));
            assert_eq!(
                read(&gone, Access::Read, "reading").canonical.as_deref(),
                want,
                "{link}"
            );
        }
    }
}
