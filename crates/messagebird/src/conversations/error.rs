//! What MessageBird's errors mean.
//!
//! The body is `{"errors":[{"code","description","parameter"}]}`; some pages of the documentation
//! write `message` for `description`.

use bowline_net::json::{filled, id, list};
use bowline_net::{Access, ApiError, ErrorKind, Response};
use serde_json::Value;

/// The error of an answer that is no success.
pub(crate) fn read(response: &Response, access: Access, doing: &'static str) -> ApiError {
    let mut error = ApiError::of_status(response, access, doing);
    let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let errors = list(&body, "errors");
    let first = errors.first().unwrap_or(&body);
    error.code = id(first, "code");
    if let Some(words) = words(first) {
        let parameter = filled(first, "parameter")
            .map(|p| format!(" (parameter {p})"))
            .unwrap_or_default();
        error = error.saying(&format!("{words}{parameter}"));
    }
    error.kind = kind(response.status, error.code.as_deref(), access, error.kind);
    if error.kind == ErrorKind::NotFound && errors.is_empty() {
        // Absence ends a conversation, so it has to come from MessageBird itself and not from a
        // proxy or a wrong base address.
        error.kind = ErrorKind::Config;
    }
    error
}

/// What an error says: `description`, or `message`.
pub(crate) fn words(error: &Value) -> Option<String> {
    filled(error, "description").or_else(|| filled(error, "message"))
}

/// The code decides where it is more exact than the status.
fn kind(status: u16, code: Option<&str>, access: Access, by_status: ErrorKind) -> ErrorKind {
    // A server error stays one, whatever stands in it.
    if status >= 500 || status == 429 {
        return by_status;
    }
    match code {
        // "Request not allowed (incorrect access_key)", and an invalid credential.
        Some("2" | "1001" | "1002") => ErrorKind::Auth,
        Some("25") => ErrorKind::PlanRestricted,
        Some("20") => ErrorKind::NotFound,
        Some("99") => access.lost(),
        _ => by_status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowline_net::testing::{json as json_answer, response};
    use serde_json::json;

    #[test]
    fn codes_and_status_give_the_kind() {
        use ErrorKind::*;
        for (status, code, on_read, on_write) in [
            (400, 21, Data, Data),
            (401, 2, Auth, Auth),
            (403, 1001, Auth, Auth),
            (422, 2, Auth, Auth),
            (402, 25, PlanRestricted, PlanRestricted),
            (422, 25, PlanRestricted, PlanRestricted),
            (404, 20, NotFound, NotFound),
            (422, 20, NotFound, NotFound),
            (422, 470, Data, Data),
            (429, 0, RateLimited, RateLimited),
            (422, 99, Transient, UnknownOutcome),
            (500, 2, Transient, UnknownOutcome),
            (503, 0, Transient, UnknownOutcome),
        ] {
            let body = json!({"errors": [{"code": code, "description": "d", "parameter": "to"}]});
            for (access, want) in [(Access::Read, on_read), (Access::Write, on_write)] {
                let error = read(&json_answer(status, &body), access, "trying");
                assert_eq!(error.kind, want, "{status} {code} {access:?}");
                assert_eq!(error.message, "d (parameter to)");
                assert_eq!(error.code, Some(code.to_string()));
            }
        }
    }

    #[test]
    fn every_shape_of_a_refusal_can_be_read() {
        for (status, body, want, said) in [
            (
                422,
                r#"{"errors":[{"code":"9","message":"m","parameter":null}]}"#,
                ErrorKind::Data,
                "m",
            ),
            (401, "{}", ErrorKind::Auth, ""),
            (
                404,
                "<html><title>No</title></html>",
                ErrorKind::Config,
                "a web page: No",
            ),
            (404, "{}", ErrorKind::Config, ""),
            (400, "not JSON", ErrorKind::Data, ""),
            (400, r#"{"errors":null}"#, ErrorKind::Data, ""),
        ] {
            let error = read(&response(status, &[], body), Access::Read, "trying");
            assert_eq!(error.kind, want, "{body}");
            assert!(
                error
                    .message
                    .contains(said.trim_start_matches("a web page: ")),
                "{error}"
            );
        }
    }
}
