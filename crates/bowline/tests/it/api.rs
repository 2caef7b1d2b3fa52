//! The REST API does what its description says, to those who may.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::stage::{On, Stage, on_both};

/// A script with a token.
pub(crate) struct Script<'s> {
    stage: &'s Stage,
    description: Value,
    token: String,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    kind: String,
    pub(crate) body: Value,
}

impl<'s> Script<'s> {
    /// With a token with these scopes, of someone with this role.
    pub(crate) async fn new(stage: &'s Stage, role: &str, scopes: &[&str]) -> Self {
        let mut browser = Browser::signed_in(stage, role).await;
        let mut fields = vec![("name", "script"), ("days", "1")];
        fields.extend(scopes.iter().map(|scope| ("scopes", *scope)));
        let page = browser.send("/tokens", &fields).await;
        let (_, rest) = page
            .text
            .split_once("id=\"token\" tabindex=\"0\">")
            .unwrap();
        let token = rest.split('<').next().unwrap().to_owned();
        let description = stage.client().get(stage.url("/api/v1/openapi.json"));
        let description = description.send().await.unwrap().text().await.unwrap();
        Self {
            stage,
            description: serde_json::from_str(&description).unwrap(),
            token,
        }
    }

    /// Calls, and holds the answer against the description.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        name: &str,
    ) -> Answer {
        let client = self.stage.client();
        let mut request = client
            .request(method.parse().unwrap(), self.stage.url(path))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        if !name.is_empty() {
            request = request.header("idempotency-key", name);
        }
        let response = request.send().await.unwrap();
        let kind = response.headers().get("content-type");
        let kind = kind.map_or("", |kind| kind.to_str().unwrap()).to_owned();
        let answer = Answer {
            status: response.status().as_u16(),
            kind,
            body: serde_json::from_str(&response.text().await.unwrap()).unwrap(),
        };
        self.check(method, path, &answer);
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None, "").await
    }

    fn check(&self, method: &str, path: &str, answer: &Answer) {
        let plain = path.split('?').next().unwrap();
        let paths = self.description["paths"].as_object().unwrap();
        let fits = |template: &str| {
            let (one, other) = (template.split('/'), plain.split('/'));
            template.split('/').count() == plain.split('/').count()
                && one
                    .zip(other)
                    .all(|(one, other)| one == other || one.starts_with('{'))
        };
        let found = paths.iter().find(|(template, _)| fits(template));
        let (_, operations) = found.unwrap_or_else(|| panic!("{path} is not described"));
        let responses = &operations[method.to_lowercase()]["responses"];
        let content = &responses[answer.status.to_string()]["content"];
        let schema = &content[&answer.kind]["schema"];
        assert!(
            !schema.is_null(),
            "{method} {path} answers {} {}, which is not described: {}",
            answer.status,
            answer.kind,
            answer.body
        );
        let mut wrong = Vec::new();
        self.hold(schema, &answer.body, "$", &mut wrong);
        assert!(
            wrong.is_empty(),
            "{method} {path}: {wrong:?} in {}",
            answer.body
        );
    }

    /// Holds a value against a schema; as much of JSON Schema as the description uses.
    fn hold(&self, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.strip_prefix("#/components/schemas/").unwrap();
            let schema = &self.description["components"]["schemas"][name];
            assert!(schema.is_object(), "{name} is not described");
            return self.hold(schema, value, at, wrong);
        }
        if let Some(any) = schema["anyOf"].as_array() {
            let holds = any.iter().any(|schema| {
                let mut wrong = Vec::new();
                self.hold(schema, value, at, &mut wrong);
                wrong.is_empty()
            });
            if !holds {
                wrong.push(format!("{at} is none of the choices"));
            }
            return;
        }
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let kinds = match &schema["type"] {
            Value::Array(kinds) => kinds.clone(),
            one => vec![one.clone()],
        };
        if !kinds.contains(&json!(kind)) {
            wrong.push(format!("{at} is of the kind {kind}, not {kinds:?}"));
        }
        if let Some(words) = schema["enum"].as_array()
            && !words.contains(value)
        {
            wrong.push(format!("{at} is {value}"));
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.hold(&schema["items"], item, &format!("{at}[{index}]"), wrong);
        }
        if let Value::Object(fields) = value {
            for name in schema["required"].as_array().into_iter().flatten() {
                if !fields.contains_key(name.as_str().unwrap()) {
                    wrong.push(format!("{at} has no {name}"));
                }
            }
            for (name, field) in fields {
                match &schema["properties"][name] {
                    // A map from names that nobody knows beforehand.
                    Value::Null if schema["additionalProperties"].is_object() => {
                        let described = &schema["additionalProperties"];
                        self.hold(described, field, &format!("{at}.{name}"), wrong);
                    }
                    Value::Null => wrong.push(format!("{at}.{name} is not described")),
                    described => self.hold(described, field, &format!("{at}.{name}"), wrong),
                }
            }
        }
    }
}

on_both!(
    what_is_read_is_as_described,
    a_named_write_is_made_once,
    contacts_are_read_and_changed_as_described,
    the_panel_is_there_for_programs
);

async fn the_panel_is_there_for_programs(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    let script = Script::new(&stage, "agent", &["read", "notes", "answers"]).await;
    let path = format!("/api/v1/issues/acme-jira/{issue}");
    let panel = loop {
        let panel = script.get(&path).await.body;
        if panel["contacts"][0]["fields"][0]["value"] == "noa@example.com" {
            break panel;
        }
        assert_eq!(panel["reading"], true, "{panel}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let card = &panel["conversations"][0];
    assert_eq!(card["first_message"], "The export button does nothing.");
    assert_eq!(panel["contacts"][0]["role"], "user");
    let whole = script
        .get(&format!("{path}/conversations/{conversation}"))
        .await;
    let parts = whole.body["parts"].as_array().unwrap().clone();
    assert_eq!(
        (parts[0]["id"].as_str(), parts[1]["internal"].as_bool()),
        (Some("source"), Some(true))
    );
    assert_eq!(
        script.get(&format!("{path}/conversations/1")).await.status,
        404
    );
    assert_eq!(
        script.get("/api/v1/issues/acme-jira/OPS-1").await.status,
        404
    );

    let post = async |what: &str, body: Value, name: &str| {
        let path = format!("{path}/{what}");
        script.call("POST", &path, Some(body), name).await
    };
    let note = json!({ "text": "By a script." });
    let first = post("notes", note.clone(), "n1").await;
    assert_eq!(
        (first.status, post("notes", note, "n1").await.body),
        (202, first.body)
    );
    let to = format!("acme/{conversation}");
    let answer = json!({ "text": "It works.", "conversation": to });
    assert_eq!(post("answers", answer, "a1").await.status, 202);
    for wrong in [
        json!({ "text": " " }),
        json!({ "text": "x" }),
        json!({ "text": "x", "conversation": "acme/1" }),
    ] {
        assert_eq!(post("answers", wrong, "").await.status, 422);
    }
    let arrived = json!({ "do": "arrived" });
    assert_eq!(post("held/1", arrived, "").await.body["settled"], false);
    stage
        .note(&conversation, &["The agent wrote By a script."])
        .await;
    stage.settled().await;
    let answers = stage.intercom().parts(&conversation);
    let answers = answers.iter().filter(|part| part.part_type == "comment");
    assert_eq!(answers.count(), 1);
}

async fn what_is_read_is_as_described(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (issue, conversation) = stage.linked().await;
    stage.settled().await;
    let script = Script::new(&stage, "owner", &["read", "audit"]).await;
    let connections = script.get("/api/v1/connections").await.body;
    assert_eq!(connections["items"].as_array().unwrap().len(), 2);
    assert_eq!(connections["items"][0]["health"], "connected");
    assert_eq!(script.get("/api/v1/queue").await.body["effects_waiting"], 0);
    assert_eq!(
        script.get("/api/v1/problems").await.body["items"],
        json!([])
    );

    let told = script
        .get(&format!("/api/v1/deliveries?about={issue}&outcome=effects"))
        .await;
    let told = &told.body["items"][0];
    assert_eq!(told["issue"]["key"], json!(issue));
    let delivery = script
        .get(&format!("/api/v1/deliveries/{}", told["id"]))
        .await
        .body;
    let note = delivery["effects"].as_array().unwrap();
    let note = note.iter().find(|effect| effect["act"] == "note").unwrap();
    assert_eq!(note["state"], "confirmed");
    assert_eq!(note["conversation"], json!(conversation));
    assert_eq!(note["attempts"].as_array().unwrap().len(), 1);

    let links = script.get("/api/v1/links").await.body;
    assert_eq!(links["items"][0]["issue"], json!(issue));
    assert_eq!(links["next"], Value::Null);
    let audit = script.get("/api/v1/audit?what=token_made").await.body;
    assert_eq!(audit["items"].as_array().unwrap().len(), 1);

    assert_eq!(
        script.get("/api/v1/deliveries?about=what").await.status,
        422
    );
    assert_eq!(script.get("/api/v1/deliveries/99999").await.status, 404);
    assert_eq!(script.get("/api/v1/deliveries/one").await.status, 404);
}

#[tokio::test]
async fn every_address_of_the_description_wants_a_token_with_its_scope() {
    let stage = Stage::cloud().await;
    let reader = Script::new(&stage, "owner", &["read"]).await;
    let viewer = Script::new(&stage, "viewer", &["read", "links", "replay", "audit"]).await;
    let stranger = Script {
        stage: &stage,
        description: reader.description.clone(),
        token: "bowline_guessed".to_owned(),
    };
    let mut count = 0;
    for (path, operations) in reader.description["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            count += 1;
            let path = path.replace("{id}", "1").replace("{site}", "nowhere");
            let (method, path) = (method.to_uppercase(), path.replace("{key}", "ENG-1"));
            let answer = stranger.call(&method, &path, None, "").await;
            assert_eq!(answer.status, 401, "{method} {path}");
            let scope = operation["description"].as_str().unwrap();
            let read = scope == "Scope: read.";
            for script in [&reader, &viewer] {
                let answer = script.call(&method, &path, None, "").await;
                assert_eq!(
                    answer.status == 403,
                    !read,
                    "{method} {path}: {}",
                    answer.body
                );
            }
        }
    }
    assert!(count >= 10, "{count}");
    // A session is no token, and what does not exist is said in the same form.
    let mut browser = Browser::signed_in(&stage, "administrator").await;
    assert_eq!(browser.get("/api/v1/queue").await.status, 401);
    let nowhere = browser.get("/api/v2/queue").await;
    assert_eq!(nowhere.status, 404);
    assert_eq!(nowhere.header("content-type"), "application/problem+json");
    let wrong = browser.post("/api/v1/queue", &[], &[]).await;
    assert_eq!(
        (wrong.status, wrong.header("content-type")),
        (405, "application/problem+json")
    );
}

async fn a_named_write_is_made_once(on: On) {
    let stage = Stage::on(on, |_| ()).await;
    let (conversation, issue) = (stage.conversation(), stage.issue("Nothing pasted."));
    stage.settled().await;
    let script = Script::new(&stage, "administrator", &["read", "links", "replay"]).await;
    let link = |conversation: &str| Some(json!({ "issue": issue, "conversation": conversation }));
    let add = async |conversation: &str, name: &str| {
        script
            .call("POST", "/api/v1/links", link(conversation), name)
            .await
    };
    assert_eq!(add("what", "").await.status, 422);
    let first = add(&conversation, "one").await;
    assert_eq!(first.status, 202, "{}", first.body);
    let again = add(&conversation, "one").await;
    assert_eq!(
        again.body, first.body,
        "the same answer, and nothing was made"
    );
    assert_eq!(
        add("12345", "one").await.status,
        422,
        "another request by the same name"
    );
    stage.note(&conversation, &[&issue]).await;
    stage.settled().await;
    let path = format!("/api/v1/deliveries/{}", first.body["delivery"]);
    let commands = script.get("/api/v1/deliveries").await.body;
    let commands = commands["items"].as_array().unwrap();
    // The command, and what it became in the lane of its issue if that was not known.
    let made = commands
        .iter()
        .filter(|row| row["source"] == "command")
        .count();
    assert!((1..=2).contains(&made), "{made}");
    assert_eq!(script.get(&path).await.body["state"], "decided");

    let replayed = script
        .call("POST", &format!("{path}/replay"), None, "two")
        .await;
    assert_eq!(replayed.body["put_back"], true);
    let replayed = script
        .call("POST", &format!("{path}/replay"), None, "two")
        .await;
    assert_eq!(replayed.body["put_back"], true, "the same answer");
    stage.settled().await;
    assert_eq!(stage.texts(&conversation).len(), 1, "nothing twice");

    let links = script.get("/api/v1/links").await.body;
    let row = &links["items"][0];
    let query: Vec<String> = ["site", "issue_id", "workspace", "conversation"]
        .iter()
        .map(|name| format!("{name}={}", row[name].as_str().unwrap()))
        .collect();
    let path = format!("/api/v1/links?{}", query.join("&"));
    assert_eq!(script.call("DELETE", &path, None, "").await.status, 202);
    stage.settled().await;
    assert_eq!(script.call("DELETE", &path, None, "").await.status, 404);
    assert_eq!(script.get("/api/v1/links").await.body["items"], json!([]));
    let ended = script.get("/api/v1/links?state=ended").await.body;
    let by_hand = json!({ "by": "The administrator", "via": "api" });
    assert_eq!(ended["items"][0]["by_hand"], by_hand);
    assert!(ended["items"][0]["ended_at"].is_string(), "{ended:#}");
    assert_eq!(ended["items"][0]["ended"], "by_hand");
    let mut owner = Browser::signed_in(&stage, "owner").await;
    owner
        .get("/audit")
        .await
        .says("administrator@example.com by the token “script”");
}

#[tokio::test]
async fn settings_of_projects_are_read_and_changed_from_their_present_version() {
    let mut stage = Stage::prepare(|plan| plan.jira.users[0].admin = true).await;
    stage
        .start_bare("allowed_addresses = [\"127.0.0.1\"]")
        .await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    crate::configuring::connected(&stage, &mut owner).await;
    let script = Script::new(&stage, "administrator", &["read", "settings"]).await;
    let binding = script.get("/api/v1/bindings").await.body["items"][0].clone();
    assert_eq!(binding["notify"]["transitioned"]["reopen"], true);
    let path = format!("/api/v1/bindings/{}/ENG", binding["site"].as_str().unwrap());
    let change =
        async |body: Value, name: &str| script.call("PATCH", &path, Some(body), name).await;
    let version = binding["version"].clone();
    let muted = json!({ "version": version, "muted": true,
        "transitions": [{ "from": "*", "to": "Done", "note": true, "reopen": true }] });
    let done = change(muted.clone(), "mute").await;
    assert_eq!(done.status, 202, "{}", done.body);
    assert_eq!(
        (&done.body["muted"], &done.body["linking"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        change(muted.clone(), "mute").await.body,
        done.body,
        "made once"
    );
    let late = change(muted, "late").await;
    assert_eq!(late.status, 409, "{}", late.body);
    assert_eq!(change(json!({ "muted": true }), "").await.status, 422);
    assert_eq!(
        change(json!({ "version": 1, "muted": 1 }), "").await.status,
        409
    );
    let nowhere = script.call(
        "PATCH",
        "/api/v1/bindings/no/ENG",
        Some(json!({ "version": 1 })),
        "",
    );
    assert_eq!(nowhere.await.status, 404);
    assert!(stage.service().shared().bindings_now()[0].muted);
}

#[tokio::test]
async fn declared_settings_are_read_and_not_changed() {
    let stage = Stage::cloud().await;
    let script = Script::new(&stage, "owner", &["read", "settings"]).await;
    let binding = script.get("/api/v1/bindings").await.body["items"][0].clone();
    assert_eq!(
        (&binding["declared"], &binding["version"]),
        (&json!(true), &Value::Null)
    );
    let body = json!({ "version": 1, "muted": true });
    let path = "/api/v1/bindings/acme-jira/ENG";
    let refused = script.call("PATCH", path, Some(body), "").await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(
        refused.body["detail"]
            .as_str()
            .unwrap()
            .contains("[[binding]]")
    );
}

async fn contacts_are_read_and_changed_as_described(on: On) {
    let stage = Stage::on(on, |plan| {
        plan.intercom.invented_contacts = 220;
        plan.intercom.invented_companies = 110;
    })
    .await;
    let script = Script::new(&stage, "owner", &["read", "contacts"]).await;
    let post = async |path: &str, body: Value| script.call("POST", path, Some(body), "").await;
    let syncs = script.get("/api/v1/contact-syncs").await.body;
    assert_eq!(syncs["items"][0]["on"], false);
    assert_eq!(
        post("/api/v1/contact-syncs", json!({"workspace": "acme"}))
            .await
            .status,
        422
    );
    let none = json!({"workspace": "none", "on": true});
    assert_eq!(post("/api/v1/contact-syncs", none).await.status, 404);
    let copy = json!({"workspace": "acme"});
    let refused = post("/api/v1/contact-syncs/copy", copy.clone()).await;
    assert_eq!(refused.status, 422, "it is off");
    let on = json!({"workspace": "acme", "on": true});
    assert_eq!(post("/api/v1/contact-syncs", on).await.status, 202);
    crate::contacts::copied(&stage).await;
    let syncs = script.get("/api/v1/contact-syncs").await.body;
    assert_eq!(syncs["items"][0]["run"]["new"], 221);
    assert_eq!(syncs["items"][0]["contacts_at_intercom"], 221);

    let first = script.get("/api/v1/contacts").await.body;
    let next = first["next"].as_str().unwrap();
    let second = script
        .get(&format!("/api/v1/contacts?before={next}"))
        .await
        .body;
    assert_eq!(second["items"].as_array().unwrap().len(), 100);
    let found = script.get("/api/v1/contacts?q=mei+okaf").await.body;
    let one = &found["items"][0];
    assert_eq!(one["fields"]["custom.plan"], "Business");
    let path = format!("/api/v1/contacts/{}", one["id"]);
    assert_eq!(
        script.get(&path).await.body["companies"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    for wrong in [
        json!({}),
        json!({"set": {"email": "nonsense"}}),
        json!({"set": {"last_seen_at": "1"}}),
        json!({"set": {"name": 5}}),
    ] {
        assert_eq!(post(&path, wrong.clone()).await.status, 422, "{wrong}");
    }
    let set = json!({"set": {"name": "Mei O.", "custom.plan": null}});
    assert_eq!(post(&path, set).await.body["changed"], 2);
    let whole = script.get(&path).await.body;
    assert_eq!(whole["name"], "Mei O.");
    let back = json!({"use_intercom": ["name", "custom.plan"]});
    assert_eq!(post(&path, back).await.body["changed"], 2);

    let other = first["items"][0]["id"].as_i64().unwrap();
    let merge = format!("{path}/merge");
    assert_eq!(post(&merge, json!({"into": "x"})).await.status, 422);
    assert_eq!(post(&merge, json!({"into": other})).await.status, 202);
    let gone = script.get(&path).await;
    assert_eq!(gone.status, 410);
    let gone = stage
        .client()
        .get(stage.url(&path))
        .bearer_auth(&script.token);
    let gone = gone.send().await.unwrap();
    let link = gone.headers()["link"].to_str().unwrap();
    assert_eq!(
        link,
        format!("</api/v1/contacts/{other}>; rel=\"canonical\"")
    );

    let people = json!([
        {"external_id": "t-1", "email": "twin@example.com"},
        {"external_id": "t-2", "email": "twin@example.com"},
    ]);
    let import = |preview: bool| json!({"workspace": "acme", "people": people, "preview": preview});
    let path = "/api/v1/contacts/import";
    assert_eq!(post(path, import(true)).await.body["added"], 2);
    assert_eq!(post(path, import(false)).await.body["added"], 2);
    assert_eq!(post(path, import(false)).await.body["known"], 2);
    let bad = json!({"workspace": "acme", "people": [{"name": "Nobody"}]});
    assert_eq!(post(path, bad).await.status, 422);
    let twin = stage
        .intercom()
        .create_contact(bowline_sandbox::intercom::NewContact::user(
            "Twin",
            "twin@example.com",
        ))
        .unwrap();
    crate::contacts::until_so("the twin", async || {
        crate::contacts::known(&stage, &twin).await
    })
    .await;
    let asked = script.get("/api/v1/contact-conflicts").await.body;
    let question = &asked["items"][0];
    let path = format!("/api/v1/contact-conflicts/{}", question["id"]);
    assert_eq!(post(&path, json!({})).await.status, 422);
    let into = json!({"into": question["candidates"][0]});
    assert_eq!(post(&path, into.clone()).await.status, 202);
    assert_eq!(post(&path, into).await.status, 404, "it is decided");

    let companies = script.get("/api/v1/companies?q=harb").await.body;
    let path = format!("/api/v1/companies/{}", companies["items"][0]["id"]);
    assert_eq!(
        script.get(&path).await.body["name"],
        companies["items"][0]["name"]
    );
    assert_eq!(script.get("/api/v1/companies/999999").await.status, 404);

    let path = format!("/api/v1/contacts/{other}");
    assert_eq!(
        script.call("DELETE", &path, None, "erase").await.status,
        202
    );
    assert_eq!(
        script.call("DELETE", &path, None, "erase").await.status,
        202,
        "named"
    );
    assert_eq!(script.call("DELETE", &path, None, "").await.status, 404);
    assert_eq!(script.get(&path).await.status, 404);
    assert_eq!(
        post("/api/v1/contact-syncs/copy", copy).await.body["begun"],
        true
    );
}
