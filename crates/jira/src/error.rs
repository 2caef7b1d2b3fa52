//! What Jira's errors mean.
//!
//! The platform answers `{"errorMessages":[…],"errors":{field: words}}`, Service Management
//! `{"errorMessage":…}`, the gateway in front of Cloud `{"code":…,"message":…}`, and proxies and
//! Data Center a web page.

use bowline_net::json::{filled, list};
use bowline_net::{Access, ApiError, ErrorKind, Response};
use serde_json::Value;

/// The code of a refusal because one issue was written to too often (Cloud: 20 writes in 2 seconds,
/// 100 in 30): other issues may be written to meanwhile.
pub const ISSUE_WRITTEN_TOO_OFTEN: &str = "jira-per-issue-on-write";

/// Why Jira logged somebody in or not. On a refused call it tells a locked account from a wrong
/// token.
const LOGIN_REASON: &str = "x-seraph-loginreason";
/// The user as whom Data Center executed a call.
const EXECUTED_AS: &str = "x-ausername";

/// The error of an answer that is no success.
pub(crate) fn read(response: &Response, access: Access, doing: &'static str) -> ApiError {
    let mut error = ApiError::of_status(response, access, doing);
    let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let said = messages(&body);
    if !said.is_empty() {
        error = error.saying(&said.join("; "));
    }
    error.request_id = ["atl-traceid", "x-arequestid"]
        .iter()
        .find_map(|name| response.header(name))
        .map(Into::into);
    if response.status == 429 {
        error.code = response.header("ratelimit-reason").map(str::to_owned);
    }
    if let Some(words) = login_words(response) {
        error.kind = ErrorKind::Auth;
        error = error.saying(words);
    } else if error.kind == ErrorKind::NotFound && !is_jira_body(&body) {
        // Absence ends links, so it has to come from Jira itself and not from a proxy, a gateway
        // or a wrong base address.
        error.kind = ErrorKind::Config;
    }
    error
}

/// A successful answer that was given to nobody in particular: the credentials were not used, and
/// what it lacks proves nothing.
pub(crate) fn anonymous(response: &Response, doing: &'static str) -> Option<ApiError> {
    executed_as_nobody(response).then(|| ApiError {
        status: Some(response.status),
        ..ApiError::new(
            ErrorKind::Auth,
            doing,
            "Jira answered as if nobody were logged in",
        )
    })
}

fn executed_as_nobody(response: &Response) -> bool {
    response
        .header(EXECUTED_AS)
        .is_some_and(|name| name.eq_ignore_ascii_case("anonymous"))
}

fn login_words(response: &Response) -> Option<&'static str> {
    let reason = response
        .header(LOGIN_REASON)
        .unwrap_or_default()
        .to_ascii_uppercase();
    match response.status {
        401 | 403 if reason.contains("AUTHENTICATION_DENIED") => Some(
            "the account is locked after failed logins: log in once in the browser and answer \
             the CAPTCHA",
        ),
        401 | 403 if reason.contains("AUTHENTICATED_FAILED") => {
            Some("the token or password is not accepted")
        }
        403 | 404 if executed_as_nobody(response) => {
            Some("Jira answered as if nobody were logged in")
        }
        _ => None,
    }
}

fn messages(body: &Value) -> Vec<String> {
    let mut said: Vec<String> = list(body, "errorMessages")
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    if let Some(errors) = body.get("errors").and_then(Value::as_object) {
        said.extend(errors.iter().map(|(field, words)| match words.as_str() {
            Some(words) => format!("{field}: {words}"),
            None => field.clone(),
        }));
    }
    said.extend(filled(body, "errorMessage"));
    said.extend(filled(body, "message"));
    said
}

fn is_jira_body(body: &Value) -> bool {
    ["errorMessages", "errors", "errorMessage"]
        .iter()
        .any(|key| body.get(key).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowline_net::testing::{headers, response};
    use std::time::Duration;

    const ABSENT: &str = r#"{"errorMessages":["Issue does not exist"],"errors":{}}"#;

    #[test]
    fn status_and_body_give_the_kind() {
        use ErrorKind::*;
        let page = "<html><title>Not here</title></html>";
        let gateway = r#"{"code":404,"message":"Not Found"}"#;
        for (status, body, on_read, on_write) in [
            (302, "", Config, Config),
            (
                400,
                r#"{"errorMessages":[],"errors":{"description":"bad"}}"#,
                Data,
                Data,
            ),
            (401, "", Auth, Auth),
            (403, "{}", Permission, Permission),
            (404, ABSENT, NotFound, NotFound),
            (
                404,
                r#"{"errorMessage":"no such request"}"#,
                NotFound,
                NotFound,
            ),
            (404, page, Config, Config),
            (404, gateway, Config, Config),
            (404, "", Config, Config),
            (405, page, Config, Config),
            (409, "{}", Conflict, Conflict),
            (410, "{}", Gone, Gone),
            (413, "{}", Data, Data),
            (429, "", RateLimited, RateLimited),
            (500, page, Transient, UnknownOutcome),
            (503, "", Transient, UnknownOutcome),
        ] {
            let answer = response(status, &[], body);
            assert_eq!(
                read(&answer, Access::Read, "x").kind,
                on_read,
                "{status} {body}"
            );
            assert_eq!(
                read(&answer, Access::Write, "x").kind,
                on_write,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn every_shape_of_words() {
        for (body, want) in [
            (
                r#"{"errorMessages":["a","b"],"errors":{"f":"c","g":1}}"#,
                "a; b; f: c; g",
            ),
            (
                r#"{"errorMessage":"no","i18nErrorMessage":{"i18nKey":"k"}}"#,
                "no",
            ),
            (
                r#"{"code":401,"message":"scope does not match"}"#,
                "scope does not match",
            ),
            ("<html>", "a web page answered in place of the API"),
            ("[1]", ""),
            ("", ""),
        ] {
            assert_eq!(
                read(&response(400, &[], body), Access::Read, "x").message,
                want,
                "{body}"
            );
        }
    }

    #[test]
    fn who_is_logged_in_decides_before_the_status() {
        for (status, header, want) in [
            (
                403,
                ("X-Seraph-LoginReason", "AUTHENTICATION_DENIED"),
                ErrorKind::Auth,
            ),
            (
                401,
                ("X-Seraph-LoginReason", "AUTHENTICATED_FAILED"),
                ErrorKind::Auth,
            ),
            (403, ("X-Seraph-LoginReason", "OK"), ErrorKind::Permission),
            (404, ("X-AUSERNAME", "anonymous"), ErrorKind::Auth),
            (404, ("X-AUSERNAME", "bot"), ErrorKind::NotFound),
        ] {
            let error = read(&response(status, &[header], ABSENT), Access::Read, "x");
            assert_eq!(error.kind, want, "{status} {header:?}");
        }
        let denied = response(
            403,
            &[("X-Seraph-LoginReason", "AUTHENTICATION_DENIED")],
            "",
        );
        assert!(read(&denied, Access::Read, "x").message.contains("CAPTCHA"));
    }

    #[test]
    fn a_429_names_its_reason_and_wait() {
        let mut answer = response(429, &[], "");
        answer.headers = headers(&[
            ("Retry-After", "3"),
            ("RateLimit-Reason", "jira-per-issue-on-write"),
            ("atl-traceid", "t1"),
        ]);
        let error = read(&answer, Access::Write, "x");
        assert_eq!(error.retry_after, Some(Duration::from_secs(3)));
        assert_eq!(error.code.as_deref(), Some("jira-per-issue-on-write"));
        assert_eq!(error.request_id.as_deref(), Some("t1"));
    }
}
