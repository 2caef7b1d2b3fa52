use std::time::Duration;

use bytes::Bytes;

use super::*;

const TOKEN: &str = "dG9rOjEyMzQ1Njc4OTA=";

fn seen(method: Method, path: &str, sent: &str, status: u16, answer: &str) -> Seen {
    Seen {
        method,
        url: Url::parse("https://api.example.com")
            .unwrap()
            .join(path)
            .unwrap(),
        body: Some(Bytes::copy_from_slice(sent.as_bytes())).filter(|body| !body.is_empty()),
        body_kind: Some("application/json".to_owned()),
        secrets: vec![format!("Bearer {TOKEN}")],
        came: Came::Answer {
            status,
            headers: vec![("x-request-id", "r1".to_owned())],
            body: Bytes::copy_from_slice(answer.as_bytes()),
            length: Some(answer.len()),
            kind: Some("application/json; charset=utf-8".to_owned()),
        },
        took: Duration::from_millis(7),
    }
}

fn kept_of(seen: &[Seen], done: bool) -> (String, Vec<Call>) {
    let text = kept(seen, done, &Secrets::of(seen)).unwrap();
    let calls = bowline_domain::call::read(Some(&text));
    (text, calls)
}

#[test]
fn an_attempt_that_was_done_keeps_its_write_and_little_of_it() {
    let note = format!("{{\"body\":\"{}\"}}", "n".repeat(5_000));
    let all = [
        seen(Method::GET, "/conversations/1", "", 200, &"c".repeat(900)),
        seen(
            Method::POST,
            "/conversations/1/reply",
            &note,
            200,
            &"c".repeat(900),
        ),
        seen(Method::GET, "/conversations/1", "", 200, "{}"),
    ];
    let (text, calls) = kept_of(&all, true);
    let [call] = &calls[..] else {
        panic!("{calls:?}")
    };
    assert_eq!(
        (call.method.as_str(), call.path.as_str()),
        ("POST", "/conversations/1/reply")
    );
    assert_eq!(
        (call.status, call.response_bytes, call.took_ms),
        (Some(200), Some(900), 7)
    );
    assert_eq!(call.response, None);
    assert!(
        call.request
            .as_deref()
            .unwrap()
            .starts_with("{\"body\":\"nnn")
    );
    assert!(text.len() < 500, "{}: {text}", text.len());
    // Found to be there, so nothing was written.
    let (_, calls) = kept_of(&all[..1], true);
    assert_eq!(calls[0].method, "GET");
    assert_eq!(kept(&[], true, &Secrets::of(&[])), None);
}

#[test]
fn an_attempt_that_was_not_done_keeps_its_last_calls_within_bounds() {
    let long = "é".repeat(40_000);
    let mut all = vec![seen(Method::POST, "/first", &long, 500, &long); 6];
    all.push(seen(
        Method::POST,
        "/last",
        "{}",
        422,
        "{\"errors\":[{\"code\":\"invalid\"}]}",
    ));
    let (text, calls) = kept_of(&all, false);
    assert_eq!(calls.len(), KEPT_MAX);
    assert_eq!(
        calls[2].response.as_deref(),
        Some("{\"errors\":[{\"code\":\"invalid\"}]}")
    );
    assert_eq!(
        calls[2].headers,
        [("x-request-id".to_owned(), "r1".to_owned())]
    );
    assert!(
        text.len() < KEPT_MAX * (2 * BODY_BYTES_MAX + PATH_BYTES_MAX + 500),
        "{}",
        text.len()
    );
    assert!(calls[0].request.as_deref().unwrap().ends_with('…'));
}

#[test]
fn what_is_no_text_is_named_and_a_form_is_taken_apart() {
    let mut file = seen(Method::POST, "/attachments", "", 413, "");
    file.body = Some(Bytes::from_static(&[0xff, 0xd8, 0xff]));
    file.body_kind = Some("multipart/form-data; boundary=x".to_owned());
    let mut form = seen(
        Method::POST,
        "/token",
        "client_secret=abc+def&code=1",
        400,
        "",
    );
    form.body_kind = Some("application/x-www-form-urlencoded".to_owned());
    let (_, calls) = kept_of(&[file, form], false);
    assert_eq!(
        calls[0].request.as_deref(),
        Some("(3 bytes of multipart/form-data; boundary=x)")
    );
    assert_eq!(
        calls[1].request.as_deref(),
        Some("client_secret=[removed]&code=1")
    );
}

#[test]
fn nothing_secret_is_kept() {
    let pair =
        base64::engine::general_purpose::STANDARD.encode("bot@example.com:api-t0ken-of-jira");
    let mut basic = seen(
        Method::GET,
        "/rest?jwt=eyJh&x=1&access_token=zzz#f",
        "",
        401,
        "sent with api-t0ken-of-jira",
    );
    basic.secrets = vec![format!("Basic {pair}")];
    let escaped: String = form_urlencoded::byte_serialize(TOKEN.as_bytes()).collect();
    let answer = format!(
        "{{\"said\":\"Authorization: Bearer other-secret-1\",\"client_Secret\" : \"other\\\"secret-2\",\
         \"echo\":\"{TOKEN}\",\"at\":\"/x?k={escaped}\",\"password\":\"other-secret-3"
    );
    let all = [
        basic,
        seen(
            Method::POST,
            "/x",
            "{\"token\":\"other-secret-4\"}",
            400,
            &answer,
        ),
    ];
    let secrets = Secrets::of(&all);
    let (text, calls) = kept_of(&all, false);
    for secret in [
        TOKEN,
        &escaped,
        &pair,
        "api-t0ken-of-jira",
        "other-secret",
        "secret-2",
        "eyJh",
        "zzz",
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(
        calls[0].path.starts_with("/rest?jwt=[removed]&x=1"),
        "{}",
        calls[0].path
    );
    assert!(
        calls[1]
            .response
            .as_deref()
            .unwrap()
            .contains("\"said\":\"Authorization: Bearer [removed]")
    );
    assert_eq!(
        secrets.out_of(format!("it said {TOKEN}!")),
        "it said [removed]!"
    );
}

#[test]
fn no_part_of_a_secret_is_left_where_a_text_is_cut() {
    for before in 0..(MARGIN_BYTES * 3) {
        if before % 97 != 0 && !(BODY_BYTES_MAX - 30..BODY_BYTES_MAX + 5).contains(&before) {
            continue;
        }
        let answer = format!("{}{TOKEN}{}", "-".repeat(before), "-".repeat(100));
        let all = [seen(Method::GET, "/", "", 400, &answer.repeat(3))];
        let (text, _) = kept_of(&all, false);
        assert!(!text.contains(&TOKEN[..4]), "after {before}");
    }
}

#[test]
fn what_is_not_secret_stays_as_it_was() {
    for text in [
        "",
        "no json \"at all",
        r#"{"a":"b \"c\" d","n":[1,2,{"x":null}],"until":"bearer"}"#,
        "Füße, \"quoted\" and : colons",
    ] {
        assert_eq!(without_named(text), text);
    }
}
