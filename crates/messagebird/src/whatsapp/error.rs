//! What Meta's errors mean.
//!
//! The body is `{"error":{"message","type","code","error_subcode","error_data":{"details"},
//! "fbtrace_id"}}`. The HTTP status is often a plain 400, so the code decides.

use bowline_net::json::{at, filled, id, int};
use bowline_net::{Access, ApiError, ErrorKind, Response};
use serde_json::Value;

/// The subcode with which the Graph API says that there is no such thing, or that it is hidden.
const NO_SUCH_OBJECT: i64 = 33;

/// The error of an answer that is no success.
pub(crate) fn read(response: &Response, access: Access, doing: &'static str) -> ApiError {
    let mut error = ApiError::of_status(response, access, doing);
    let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let said = at(&body, &["error"]);
    if said.is_null() {
        if error.kind == ErrorKind::NotFound {
            // Not from Meta: a proxy, or a wrong base address.
            error.kind = ErrorKind::Config;
        }
        return error;
    }
    error.code = id(said, "code");
    if let Some(words) = words(said) {
        error = error.saying(&words);
    }
    error.request_id = filled(said, "fbtrace_id").map(String::into_boxed_str);
    let subcode = int(said, "error_subcode");
    error.kind = kind(
        response.status,
        int(said, "code"),
        subcode,
        access,
        error.kind,
    );
    error
}

/// What an error says, the details behind the headline.
pub(crate) fn words(error: &Value) -> Option<String> {
    let headline = filled(error, "message").or_else(|| filled(error, "title"));
    let details = filled(at(error, &["error_data"]), "details");
    match (headline, details) {
        (Some(headline), Some(details)) if headline != details => {
            Some(format!("{headline}: {details}"))
        }
        (headline, details) => details.or(headline),
    }
}

/// Source of the codes: Meta, "Cloud API: error codes", and the Graph API's own.
fn kind(
    status: u16,
    code: Option<i64>,
    subcode: Option<i64>,
    access: Access,
    by_status: ErrorKind,
) -> ErrorKind {
    match code {
        Some(190) => ErrorKind::Auth,
        Some(4 | 80_007 | 130_429 | 131_048 | 131_056 | 133_016) => ErrorKind::RateLimited,
        // The far side's own faults: whether the message left is not said.
        Some(1 | 2 | 131_000 | 131_016 | 133_004) => access.lost(),
        Some(3 | 10 | 131_005 | 200..=299) => ErrorKind::Permission,
        Some(131_042) => ErrorKind::PlanRestricted,
        Some(100) if subcode == Some(NO_SUCH_OBJECT) => ErrorKind::NotFound,
        _ if status >= 500 => by_status,
        // "OAuthException" comes as 401 with many codes; only 190 and 0 are about the token.
        Some(0) | None => by_status,
        Some(_) if by_status == ErrorKind::Auth => ErrorKind::Permission,
        Some(_) => by_status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowline_net::testing::{json as json_answer, response};
    use serde_json::json;

    #[test]
    fn the_code_gives_the_kind() {
        use ErrorKind::*;
        for (status, code, subcode, on_read, on_write) in [
            (401, 190, 463, Auth, Auth),
            (400, 190, 0, Auth, Auth),
            (401, 0, 0, Auth, Auth),
            (403, 10, 0, Permission, Permission),
            (403, 200, 0, Permission, Permission),
            (400, 130_429, 0, RateLimited, RateLimited),
            (400, 131_056, 0, RateLimited, RateLimited),
            (429, 4, 0, RateLimited, RateLimited),
            (503, 2, 0, Transient, UnknownOutcome),
            (500, 131_000, 0, Transient, UnknownOutcome),
            (500, 131_047, 0, Transient, UnknownOutcome),
            (400, 131_047, 0, Data, Data),
            (400, 131_042, 0, PlanRestricted, PlanRestricted),
            (400, 100, 33, NotFound, NotFound),
            (400, 100, 0, Data, Data),
            (404, 131_052, 0, NotFound, NotFound),
        ] {
            let body = json!({"error": {"message": "m", "type": "OAuthException", "code": code,
                "error_subcode": subcode, "error_data": {"details": "d"}, "fbtrace_id": "T1"}});
            for (access, want) in [(Access::Read, on_read), (Access::Write, on_write)] {
                let error = read(&json_answer(status, &body), access, "trying");
                assert_eq!(error.kind, want, "{status} {code} {access:?}");
                assert_eq!(error.message, "m: d");
                assert_eq!(error.code, Some(code.to_string()));
                assert_eq!(error.request_id.as_deref(), Some("T1"));
            }
        }
    }

    #[test]
    fn what_is_not_from_meta_is_no_absence() {
        for body in ["", "{}", "<html><title>No</title></html>"] {
            let error = read(&response(404, &[], body), Access::Read, "trying");
            assert_eq!(error.kind, ErrorKind::Config, "{body}");
        }
    }
}
