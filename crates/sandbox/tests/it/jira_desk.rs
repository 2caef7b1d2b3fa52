//! Service Management in the simulated Jira: forms, requests, comments, files, mail and rules.

use bowline_sandbox::jira::{
    Author, Automation, Config, Edit, Limits, NewComment, RequestField, UserConfig,
};
use serde_json::{Value, json};

use crate::jira::Site;

const DESK: &str = "/rest/servicedeskapi";

/// A request "Get help" raised by the bot; its key.
async fn raised(site: &Site) -> String {
    let answer = site
        .call(
            "POST",
            &format!("{DESK}/request"),
            help("It broke", "badly"),
        )
        .await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["issueKey"].as_str().unwrap().to_owned()
}

fn help(summary: &str, description: &str) -> Value {
    json!({
        "serviceDeskId": "1", "requestTypeId": "1",
        "requestFieldValues": { "summary": summary, "description": description },
    })
}

async fn get(site: &Site, path: &str) -> Value {
    let answer = site.call("GET", path, Value::Null).await;
    assert_eq!(answer.status, 200, "{path} {}", answer.body);
    answer.body
}

#[tokio::test]
async fn desks_and_forms_can_be_discovered() {
    for site in [Site::cloud().await, Site::data_center().await] {
        let desks = get(&site, &format!("{DESK}/servicedesk")).await;
        assert_eq!(desks["values"][0]["projectKey"], "SUP");
        assert_eq!(
            (&desks["size"], &desks["isLastPage"]),
            (&json!(1), &json!(true))
        );
        let types = get(&site, &format!("{DESK}/servicedesk/SUP/requesttype")).await;
        let names: Vec<&str> = types["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["Get help", "Report an incident"]);
        let path = format!("{DESK}/servicedesk/1/requesttype/2/field");
        let form = get(&site, &path).await;
        let required: Vec<&str> = form["requestTypeFields"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|field| field["required"] == true)
            .map(|field| field["fieldId"].as_str().unwrap())
            .collect();
        assert_eq!(required, ["summary", "description", "customfield_10050"]);
        assert_eq!(form["canRaiseOnBehalfOf"], true);
        let missing = site
            .call("GET", &format!("{DESK}/servicedesk/9"), Value::Null)
            .await;
        assert_eq!(missing.status, 404);
        assert!(missing.body["errorMessage"].is_string());
    }
}

#[tokio::test]
async fn a_request_is_an_issue_that_waits_for_support() {
    let site = Site::cloud().await;
    let key = raised(&site).await;
    assert_eq!(key, "SUP-1");
    let shown = get(&site, &format!("{DESK}/request/{key}")).await;
    assert_eq!(shown["currentStatus"]["status"], "Waiting for support");
    assert_eq!(shown["currentStatus"]["statusCategory"], "INDETERMINATE");
    assert_eq!(
        shown["createdDate"]["epochMillis"],
        site.site().issue(&key).unwrap().created_ms
    );
    let issue = get(&site, &format!("/rest/api/3/issue/{key}")).await;
    assert_eq!(issue["fields"]["project"]["projectTypeKey"], "service_desk");
    assert_eq!(issue["fields"]["status"]["name"], "Waiting for support");
    assert_eq!(site.site().requests("SUP").len(), 1);

    let transitions = get(&site, &format!("{DESK}/request/{key}/transition")).await;
    let resolve = transitions["values"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "Resolved")
        .unwrap()["id"]
        .clone();
    let body = json!({ "id": resolve, "additionalComment": { "body": "done" } });
    let path = format!("{DESK}/request/{key}/transition");
    assert_eq!(site.call("POST", &path, body.clone()).await.status, 204);
    assert_eq!(
        site.call("POST", &path, body).await.status,
        400,
        "it is there already"
    );
    let history = get(&site, &format!("{DESK}/request/{key}/status")).await;
    let names: Vec<&str> = history["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Resolved", "Waiting for support"]);
    assert_eq!(history["values"][0]["statusCategory"], "DONE");
    // The ordinary workflow is another one.
    assert!(
        site.site()
            .acting("lena")
            .transition(&key, "In Review", None)
            .is_err()
    );
}

#[tokio::test]
async fn what_the_form_requires_must_be_there_also_when_it_is_required_later() {
    let site = Site::cloud().await;
    let path = format!("{DESK}/request");
    let incident = |values: Value| json!({ "serviceDeskId": "1", "requestTypeId": "2", "requestFieldValues": values });
    let long = "x".repeat(32_768);
    for (body, words) in [
        (help("", "x"), "Summary: This field is required"),
        (help("two\nlines", "x"), "line breaks"),
        (help(&"x".repeat(256), "x"), "256"),
        (help("x", &long), "32767"),
        (
            incident(json!({ "summary": "x", "description": "y" })),
            "Customer: This field is required",
        ),
        (
            incident(json!({ "priority": "x" })),
            "'priority' is not valid",
        ),
        (
            json!({ "serviceDeskId": "1", "requestTypeId": "7" }),
            "request type is not valid",
        ),
    ] {
        let answer = site.call("POST", &path, body).await;
        assert_eq!(answer.status, 400, "{words}");
        let said = answer.body["errorMessage"].as_str().unwrap();
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(site.site().issue_count(), 0);
    raised(&site).await;
    let mut field = RequestField::text("customfield_10050", "Customer", true);
    field.values = vec![("10", "Acme"), ("11", "Globex")]
        .into_iter()
        .map(|(value, label)| (value.to_owned(), label.to_owned()))
        .collect();
    site.site().set_request_field("SUP", "Get help", field);
    assert_eq!(site.call("POST", &path, help("x", "y")).await.status, 400);
    for (value, status) in [
        (json!({ "id": "12" }), 400),
        (json!({ "value": "10" }), 201),
    ] {
        let mut body = help("x", "y");
        body["requestFieldValues"]["customfield_10050"] = value;
        assert_eq!(site.call("POST", &path, body).await.status, status);
    }
    let shown = get(&site, "/rest/api/2/issue/SUP-2").await;
    assert_eq!(shown["fields"]["customfield_10050"], "Acme");
    site.site()
        .remove_request_field("SUP", "Get help", "customfield_10050");
    raised(&site).await;
}

#[tokio::test]
async fn only_agents_raise_for_others_and_only_for_customers() {
    let site = Site::cloud().await;
    let path = format!("{DESK}/request");
    let account = "qm:c5c5c5c5-0000-4000-8000-0000000000c5";
    let behalf = |who: &str| {
        let mut body = help("x", "y");
        body["raiseOnBehalfOf"] = who.into();
        body
    };
    let made = site.call("POST", &path, behalf(account)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["reporter"]["accountId"], account);
    for wrong in ["casey@example.com", "qm:nobody"] {
        assert_eq!(site.call("POST", &path, behalf(wrong)).await.status, 400);
    }
    // Customers raise their own and see nobody else's.
    site.site().set_token("casey", Some("portal"));
    let other = raised(&site).await;
    let customer = ("casey", "portal");
    assert_eq!(
        site.call_as(customer, "POST", &path, behalf(account))
            .await
            .status,
        403
    );
    let own = site
        .call_as(customer, "POST", &path, help("mine", ""))
        .await;
    assert_eq!(own.status, 201, "{}", own.body);
    let read = |key: &str| format!("{DESK}/request/{key}");
    assert_eq!(
        site.call_as(customer, "GET", &read("SUP-3"), Value::Null)
            .await
            .status,
        200
    );
    assert_eq!(
        site.call_as(customer, "GET", &read(&other), Value::Null)
            .await
            .status,
        404
    );

    let data_center = Site::data_center().await;
    let made = data_center
        .call("POST", &path, behalf("casey@example.com"))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["reporter"]["name"], "casey");
}

#[tokio::test]
async fn customers_need_an_address_an_administrator_and_a_desk() {
    let site = Site::cloud().await;
    let path = format!("{DESK}/customer");
    let body = json!({ "email": "New.Person@example.com", "displayName": "New Person" });
    assert_eq!(site.call("POST", &path, body.clone()).await.status, 403);
    let admin = ("priya", "token-of-priya");
    let made = site.call_as(admin, "POST", &path, body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let account = made.body["accountId"].clone();
    assert_eq!(
        site.call_as(admin, "POST", &path, body.clone())
            .await
            .status,
        400
    );
    let strict = format!("{path}?strictConflictStatusCode=true");
    assert_eq!(site.call_as(admin, "POST", &strict, body).await.status, 409);
    let nameless = json!({ "email": "x@example.com" });
    assert_eq!(
        site.call_as(admin, "POST", &path, nameless).await.status,
        400
    );

    let mut request = help("x", "y");
    request["raiseOnBehalfOf"] = account.clone();
    let raise = format!("{DESK}/request");
    assert_eq!(
        site.call("POST", &raise, request.clone()).await.status,
        400,
        "no customer of the desk"
    );
    let desk = format!("{DESK}/servicedesk/1/customer");
    let add = json!({ "accountIds": [account] });
    assert_eq!(site.call_as(admin, "POST", &desk, add).await.status, 204);
    assert_eq!(site.call("POST", &raise, request).await.status, 201);
    let listed = get(&site, &format!("{desk}?query=new")).await;
    assert_eq!(listed["values"][0]["displayName"], "New Person");
}

#[tokio::test]
async fn comments_are_public_or_internal_and_both_interfaces_agree() {
    let site = Site::cloud().await;
    let key = raised(&site).await;
    let path = format!("{DESK}/request/{key}/comment");
    let say = |text: &str, public: bool| json!({ "body": text, "public": public });
    let public = site.call("POST", &path, say("hello *there*", true)).await;
    assert_eq!((public.status, &public.body["public"]), (201, &json!(true)));
    let internal = site.call("POST", &path, say("not for them", false)).await;
    assert_eq!(
        (internal.status, &internal.body["public"]),
        (201, &json!(false))
    );
    for (body, status) in [
        (json!({ "body": "x" }), 400),
        (say(" ", true), 400),
        (say(&"x".repeat(32_768), true), 400),
        (say(&"x".repeat(32_767), true), 201),
    ] {
        assert_eq!(site.call("POST", &path, body).await.status, status);
    }
    let by_property = json!({
        "body": "also not for them",
        "properties": [{ "key": "sd.public.comment", "value": { "internal": true } }],
    });
    let platform = format!("/rest/api/2/issue/{key}/comment");
    let made = site.call("POST", &platform, by_property).await;
    assert_eq!((made.status, &made.body["jsdPublic"]), (201, &json!(false)));
    let plain = site
        .call("POST", &platform, json!({ "body": "open" }))
        .await;
    assert_eq!(plain.body["jsdPublic"], true);
    // An edit without properties keeps it internal.
    let id = made.body["id"].as_str().unwrap();
    let edited = site
        .call(
            "PUT",
            &format!("{platform}/{id}"),
            json!({ "body": "still not" }),
        )
        .await;
    assert_eq!(
        (edited.status, &edited.body["jsdPublic"]),
        (200, &json!(false))
    );

    for (query, count) in [("", 5), ("?public=false", 2), ("?internal=false", 3)] {
        let page = get(&site, &format!("{path}{query}")).await;
        assert_eq!(page["size"], count, "{query}");
    }
    let first = get(&site, &format!("{path}?limit=1&start=1")).await;
    assert_eq!(
        (&first["values"][0]["body"], &first["isLastPage"]),
        (&json!("not for them"), &json!(false))
    );

    site.site().set_token("casey", Some("portal"));
    let casey = site
        .call_as(("casey", "portal"), "GET", &path, Value::Null)
        .await;
    assert_eq!(casey.status, 404, "not the customer's request");
}

#[tokio::test]
async fn files_come_in_two_steps_or_by_the_platform() {
    let site = Site::cloud().await;
    let key = raised(&site).await;
    let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\
                Content-Type: image/png\r\n\r\npixels\r\n--b--\r\n";
    let upload = |path: &str, token: bool| {
        let request = site
            .request(reqwest::Method::POST, path)
            .basic_auth(
                "bowline-bot@example.com",
                Some(bowline_sandbox::jira::BOT_TOKEN),
            )
            .header("content-type", "multipart/form-data; boundary=b")
            .body(form);
        if token {
            request.header("x-atlassian-token", "no-check")
        } else {
            request
        }
    };
    let path = format!("{DESK}/servicedesk/1/attachTemporaryFile");
    assert_eq!(Site::answer(upload(&path, false)).await.status, 403);
    let kept = Site::answer(upload(&path, true)).await;
    assert_eq!(kept.status, 201, "{}", kept.body);
    let id = &kept.body["temporaryAttachments"][0]["temporaryAttachmentId"];
    let attach = json!({ "temporaryAttachmentIds": [id], "public": true, "additionalComment": { "body": "see" } });
    let path = format!("{DESK}/request/{key}/attachment");
    let made = site.call("POST", &path, attach.clone()).await;
    assert_eq!(
        (made.status, &made.body["comment"]["body"]),
        (201, &json!("see !a.png|thumbnail!"))
    );
    assert_eq!(
        site.call("POST", &path, attach).await.status,
        400,
        "a temporary id is good once"
    );
    let direct = upload(&format!("/rest/api/3/issue/{key}/attachments"), true);
    assert_eq!(Site::answer(direct).await.status, 200);
    assert_eq!(get(&site, &path).await["size"], 2);
    let comments = site.site().issue(&key).unwrap().comments.len();
    assert_eq!(comments, 1, "the platform's upload makes no comment");
    site.site()
        .switch(|switches| switches.attachments_off = true);
    for path in [
        format!("{DESK}/servicedesk/1/attachTemporaryFile"),
        format!("/rest/api/3/issue/{key}/attachments"),
    ] {
        assert_eq!(Site::answer(upload(&path, true)).await.status, 403);
    }
}

#[tokio::test]
async fn an_edit_can_do_without_mail_on_cloud_alone() {
    for (site, quiet) in [
        (Site::cloud().await, true),
        (Site::data_center().await, false),
    ] {
        let key = raised(&site).await;
        site.site().acting("lena").watch(&key).unwrap();
        let platform = format!("/rest/api/2/issue/{key}/comment");
        let made = site.call("POST", &platform, json!({ "body": "one" })).await;
        let id = made.body["id"].as_str().unwrap().to_owned();
        let lena = site.site().users()[1].account_id.clone();
        let of = |event: &str| {
            let mails = site.site().mails();
            mails
                .iter()
                .filter(|mail| mail.event == event && mail.to == lena)
                .count()
        };
        assert_eq!(of("comment_created"), 1);
        let path = format!("{platform}/{id}?notifyUsers=false");
        let edited = site.call("PUT", &path, json!({ "body": "one, two" })).await;
        assert_eq!(edited.status, 200);
        assert_eq!(of("comment_updated"), usize::from(!quiet));
        site.call(
            "PUT",
            &format!("{platform}/{id}"),
            json!({ "body": "three" }),
        )
        .await;
        assert_eq!(of("comment_updated"), 1 + usize::from(!quiet));
    }
}

#[tokio::test]
async fn customers_are_mailed_about_public_things_alone() {
    let site = Site::cloud().await;
    let mut body = help("x", "y");
    let casey = "qm:c5c5c5c5-0000-4000-8000-0000000000c5";
    body["raiseOnBehalfOf"] = casey.into();
    site.call("POST", &format!("{DESK}/request"), body).await;
    let omar = site.site().acting("omar");
    omar.note("SUP-1", "internal").unwrap();
    omar.edit(
        "SUP-1",
        Edit {
            summary: Some("better".to_owned()),
            ..Edit::default()
        },
    )
    .unwrap();
    omar.transition("SUP-1", "Waiting for customer", None)
        .unwrap();
    omar.comment("SUP-1", "public").unwrap();
    omar.transition("SUP-1", "Resolved", None).unwrap();
    let mails = site.site().mails();
    let events: Vec<&str> = mails
        .iter()
        .filter(|mail| mail.to == casey)
        .map(|mail| mail.event.as_str())
        .collect();
    assert_eq!(
        events,
        ["issue_created", "comment_created", "issue_generic"]
    );
}

#[tokio::test]
async fn rules_move_a_request_when_somebody_comments() {
    let site = Site::cloud().await;
    site.site().set_automations(Automation::usual("SUP"));
    let key = raised(&site).await;
    let status = || site.site().issue(&key).unwrap().status.name;
    let omar = site.site().acting("omar");
    omar.note(&key, "internal").unwrap();
    assert_eq!(status(), "Waiting for support");
    omar.comment(&key, "public").unwrap();
    assert_eq!(status(), "Waiting for customer");
    let history = site.site().issue(&key).unwrap().history;
    assert_eq!(
        history.last().unwrap().author.display_name,
        "Automation for Jira"
    );
    // The bot is the reporter here, so its comment is the customer's.
    let path = format!("{DESK}/request/{key}/comment");
    site.call("POST", &path, json!({ "body": "again", "public": true }))
        .await;
    assert_eq!(status(), "Waiting for support");
    site.site().set_automations(vec![Automation {
        project: "SUP".to_owned(),
        by: Author::Anybody,
        from: None,
        to: "Closed".to_owned(),
        comment: Some(NewComment::open("closed by a rule")),
    }]);
    omar.comment(&key, "bye").unwrap();
    assert_eq!(status(), "Closed");
    let issue = site.site().issue(&key).unwrap();
    assert_eq!(
        issue.comments.values().last().unwrap().body.as_wiki(),
        "closed by a rule"
    );
}

#[tokio::test]
async fn writes_to_a_request_count_against_its_issue() {
    let limits = Limits {
        issue_writes: vec![(2, 60_000)],
        ..Limits::default()
    };
    let site = Site::with(Config {
        limits: Some(limits),
        ..Config::cloud()
    })
    .await;
    let key = raised(&site).await;
    let path = format!("{DESK}/request/{key}/comment");
    let body = json!({ "body": "x", "public": true });
    assert_eq!(site.call("POST", &path, body.clone()).await.status, 201);
    let platform = format!("/rest/api/2/issue/{key}/comment");
    assert_eq!(
        site.call("POST", &platform, json!({ "body": "y" }))
            .await
            .status,
        201
    );
    let refused = site.call("POST", &path, body).await;
    assert_eq!(refused.status, 429);
    assert_eq!(
        refused.headers["ratelimit-reason"],
        "jira-per-issue-on-write"
    );
}

#[tokio::test]
async fn the_gateway_serves_it_too() {
    let mut config = Config::cloud();
    config.users.push(UserConfig {
        scoped_token: true,
        token: Some("scoped".to_owned()),
        ..UserConfig::person("scoped", "712020:scoped", "Scoped")
    });
    let site = Site::with(config).await;
    let path = format!("/ex/jira/5a5a5a5a-0000-4000-8000-00000000c10d{DESK}/servicedesk");
    let answer = site
        .call_as(("scoped", "scoped"), "GET", &path, Value::Null)
        .await;
    assert_eq!(answer.status, 200);
    let wrong = site
        .call_as(("scoped", "wrong"), "GET", &path, Value::Null)
        .await;
    assert_eq!(wrong.status, 401);
}
