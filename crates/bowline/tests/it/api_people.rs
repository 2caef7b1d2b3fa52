//! People and one's own account by REST.

use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::api::Script;
use crate::browser::{Browser, PASSWORD};
use crate::stage::{On, Stage, on_both};

on_both!(
    people_are_added_changed_and_signed_out,
    people_and_sessions_come_in_parts,
    an_account_is_changed_by_its_owners_script
);

const OTHER: &str = "another handful of words";

/// The ids of a list that is asked for in parts.
async fn in_parts(script: &Script<'_>, path: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let part = script.get(&format!("{path}?limit=1{after}")).await;
        assert_eq!(part.status, 200, "{}", part.body);
        let items = part.body["items"].as_array().unwrap();
        assert!(items.len() <= 1, "{}", part.body);
        found.extend(items.iter().map(|one| one["id"].clone()));
        let Some(next) = part.body["next"].as_str() else {
            return found;
        };
        let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        after = format!("&after={next}");
    }
}

async fn people_and_sessions_come_in_parts(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    for role in ["viewer", "agent"] {
        Browser::signed_in(&stage, role).await;
    }
    let mut again = Browser::new(&stage);
    again.get("/sign-in").await;
    let fields = [("email", "agent@example.com"), ("password", PASSWORD)];
    again.send("/sign-in", &fields).await;
    let script = Script::new(&stage, "administrator", &["people", "account"]).await;

    let whole = script.get("/api/v1/people").await.body;
    assert!(
        whole["next"].is_null(),
        "who does not ask for parts gets all"
    );
    let all: Vec<&Value> = whole["items"].as_array().unwrap().iter().collect();
    assert_eq!(all.len(), 4, "with the owner");
    let ids: Vec<Value> = all.iter().map(|one| one["id"].clone()).collect();
    assert_eq!(
        in_parts(&script, "/api/v1/people").await,
        ids,
        "each once, by name"
    );

    let agent = all.iter().find(|one| one["role"] == "agent").unwrap();
    let path = format!("/api/v1/people/{}/sessions", agent["id"]);
    let sessions = script.get(&path).await.body;
    let mut ids: Vec<String> = (sessions["items"].as_array().unwrap().iter())
        .map(|one| one["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 3, "{sessions}");
    let parts = in_parts(&script, &path).await;
    let mut parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
    ids.sort_unstable();
    parts.sort_unstable();
    assert_eq!(parts, ids);
    let own = in_parts(&script, "/api/v1/account/sessions").await;
    assert_eq!(own.len(), 2, "by the code and by the password");

    for path in ["/api/v1/people", &path, "/api/v1/account/sessions"] {
        for wrong in ["limit=0", "limit=201", "limit=many", "after=x"] {
            let refused = script.get(&format!("{path}?{wrong}")).await;
            assert_eq!(refused.status, 422, "{path} {wrong}");
        }
    }
    assert_eq!(script.get("/api/v1/people/99/sessions").await.status, 404);
}

async fn people_are_added_changed_and_signed_out(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let script = Script::new(&stage, "administrator", &["people"]).await;
    let post = async |path: &str, body: Value, name: &str| {
        script.call("POST", path, Some(body), name).await
    };
    let ines = json!({ "email": "Ines@example.com", "name": "Ines", "role": "agent" });
    let added = post("/api/v1/people", ines.clone(), "ines").await;
    assert_eq!(added.status, 202, "{}", added.body);
    let code = added.body["code"].as_str().unwrap().to_owned();
    let again = post("/api/v1/people", ines.clone(), "ines").await;
    assert_eq!(again.status, 202);
    assert_eq!(again.body["id"], added.body["id"], "made once");
    assert_eq!(again.body["code"], Value::Null, "a code is told once");
    assert_eq!(
        post("/api/v1/people", ines, "").await.status,
        422,
        "she is there"
    );
    for (wrong, words) in [
        (
            json!({ "email": "ines", "name": "I", "role": "agent" }),
            "e-mail address",
        ),
        (
            json!({ "email": "i@example.com", "name": "I", "role": "king" }),
            "role",
        ),
        (
            json!({ "email": "i@example.com", "name": "I", "role": "project_administrator" }),
            "project",
        ),
        (
            json!({ "email": 7, "name": "I", "role": "agent" }),
            "email is a text",
        ),
    ] {
        let refused = post("/api/v1/people", wrong, "").await;
        assert_eq!(refused.status, 422);
        assert!(
            refused.body["detail"].as_str().unwrap().contains(words),
            "{}",
            refused.body
        );
    }
    let owner = json!({ "email": "o@example.com", "name": "O", "role": "owner" });
    assert_eq!(post("/api/v1/people", owner, "").await.status, 403);

    // She chooses a password with the code, and is signed in.
    let mut browser = Browser::new(&stage);
    browser.get(&format!("/welcome?code={code}")).await;
    let fields = [("code", code.as_str()), ("password", PASSWORD)];
    assert_eq!(browser.send("/welcome", &fields).await.goes_to(), "/");
    let path = format!("/api/v1/people/{}", added.body["id"]);
    let one = script.get(&path).await.body;
    assert_eq!(one["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&one["email"], &one["has_password"]),
        (&json!("ines@example.com"), &json!(true))
    );
    let ended = script
        .call("DELETE", &format!("{path}/sessions"), None, "end")
        .await;
    assert_eq!(ended.status, 202, "{}", ended.body);
    assert!(browser.get("/").await.goes_to().starts_with("/sign-in"));

    // A change names its version, and what is not named stays.
    let change =
        async |body: Value, name: &str| script.call("PATCH", &path, Some(body), name).await;
    let version = one["version"].clone();
    let viewer = json!({ "version": version, "role": "viewer" });
    let changed = change(viewer.clone(), "viewer").await;
    assert_eq!(
        (changed.status, &changed.body["role"]),
        (202, &json!("viewer"))
    );
    assert_eq!(
        (&changed.body["name"], &changed.body["active"]),
        (&json!("Ines"), &json!(true))
    );
    assert_eq!(
        change(viewer.clone(), "viewer").await.body,
        changed.body,
        "made once"
    );
    assert_eq!(change(viewer, "").await.status, 409, "overtaken");
    assert_eq!(
        change(json!({ "role": "agent" }), "").await.status,
        422,
        "of no version"
    );
    let email = json!({ "version": changed.body["version"], "email": "x@example.com" });
    assert_eq!(change(email, "").await.status, 422);
    let off = json!({ "version": changed.body["version"], "active": false });
    assert_eq!(change(off, "").await.body["active"], false);
    let fields = [("email", "ines@example.com"), ("password", PASSWORD)];
    let mut browser = Browser::new(&stage);
    browser.get("/sign-in").await;
    assert_eq!(browser.send("/sign-in", &fields).await.status, 422);

    let listed = script.get("/api/v1/people").await.body;
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
    let owner = listed["items"].as_array().unwrap().iter();
    let owner = owner.clone().find(|one| one["role"] == "owner").unwrap();
    let path = format!("/api/v1/people/{}/code", owner["id"]);
    assert_eq!(
        script.call("POST", &path, None, "").await.status,
        403,
        "owners' alone"
    );
    assert_eq!(script.get("/api/v1/people/999").await.status, 404);
    for (method, what) in [
        ("POST", "code"),
        ("DELETE", "sessions"),
        ("DELETE", "second-factor"),
    ] {
        let path = format!("/api/v1/people/999/{what}");
        assert_eq!(
            script.call(method, &path, None, "").await.status,
            404,
            "{what}"
        );
    }
}

async fn an_account_is_changed_by_its_owners_script(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let script = Script::new(&stage, "agent", &["account"]).await;
    let own = script.get("/api/v1/account").await.body;
    assert_eq!(own["email"], "agent@example.com");
    assert_eq!(
        (&own["second_factor"], &own["joined"]),
        (&json!(false), &Value::Null)
    );
    let post = async |what: &str, body: Value, name: &str| {
        let path = format!("/api/v1/account/{what}");
        script.call("POST", &path, Some(body), name).await
    };
    let present = |password: &str| json!({ "present": password });

    // The second factor: begun with the password, counts with a code, removed with the password.
    assert_eq!(
        post("second-factor", present("wrong"), "").await.status,
        422
    );
    assert_eq!(post("second-factor", json!({}), "").await.status, 422);
    let begun = post("second-factor", present(PASSWORD), "begin").await;
    let secret = begun.body["secret"].as_str().unwrap();
    assert!(
        begun.body["address"]
            .as_str()
            .unwrap()
            .starts_with("otpauth:")
    );
    let again = post("second-factor", present(PASSWORD), "begin").await;
    assert_eq!(
        (again.status, &again.body["secret"]),
        (202, &Value::Null),
        "told once"
    );
    assert_eq!(
        post("second-factor/confirm", json!({ "code": "1" }), "")
            .await
            .status,
        422
    );
    let now_s = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let secret = Secret::try_from_base32(secret).unwrap();
    let code = Builder::new().with_secret(secret).build_noncompliant();
    let code = code.generate(now_s.as_secs()).to_string();
    let confirmed = post("second-factor/confirm", json!({ "code": code }), "").await;
    assert_eq!(
        confirmed.body["recovery_codes"].as_array().unwrap().len(),
        10
    );
    let own = script.get("/api/v1/account").await.body;
    assert_eq!(
        (&own["second_factor"], &own["recovery_codes_left"]),
        (&json!(true), &json!(10))
    );
    assert_eq!(
        post("second-factor", present(PASSWORD), "").await.status,
        409,
        "there is one"
    );
    assert_eq!(
        post("second-factor/remove", present("wrong"), "")
            .await
            .status,
        422
    );
    assert_eq!(
        post("second-factor/remove", present(PASSWORD), "")
            .await
            .status,
        202
    );

    // Sessions: listed, one ended, and all of them with the password.
    let sessions = async || {
        let items = script.get("/api/v1/account/sessions").await.body["items"].clone();
        items.as_array().unwrap().clone()
    };
    let before = sessions().await;
    assert!(!before.is_empty());
    let path = format!(
        "/api/v1/account/sessions/{}",
        before[0]["id"].as_str().unwrap()
    );
    assert_eq!(script.call("DELETE", &path, None, "").await.status, 202);
    assert_eq!(script.call("DELETE", &path, None, "").await.status, 404);
    assert_eq!(sessions().await.len(), before.len() - 1);
    let mut browser = Browser::new(&stage);
    let fields = [("email", "agent@example.com"), ("password", PASSWORD)];
    browser.get("/sign-in").await;
    assert_eq!(browser.send("/sign-in", &fields).await.status, 303);
    let change = |new: &str| json!({ "present": PASSWORD, "password": new });
    assert_eq!(post("password", change("short"), "").await.status, 422);
    let changed = post("password", change(OTHER), "password").await;
    assert_eq!(changed.status, 202, "{}", changed.body);
    assert_eq!(
        post("password", change(OTHER), "password").await.status,
        202,
        "made once"
    );
    assert!(sessions().await.is_empty());
    assert!(browser.get("/").await.goes_to().starts_with("/sign-in"));

    // No secret is kept of what was asked or answered.
    let audit = Browser::signed_in(&stage, "owner")
        .await
        .get("/audit/export.csv")
        .await
        .text;
    assert!(audit.contains("agent@example.com by the token"), "{audit}");
    assert!(!audit.contains(PASSWORD) && !audit.contains(OTHER));
}
