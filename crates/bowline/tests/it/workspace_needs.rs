//! What a workspace has to be given in Intercom for what is in use there: `bowline check` and the
//! pages name it, try it, and say which tags of the file there are not.

use bowline_sandbox::common::FaultKind;
use serde_json::json;

use crate::api::Script;
use crate::browser::Browser;
use crate::contacts::ON;
use crate::failure::fault;
use crate::feedback::{Feedback, IDEAS};
use crate::process::run;
use crate::stage::{On, Stage};

/// Some of the topics that linking does not need, as the Developer Hub spells them.
const TOPICS: [&str; 6] = [
    "conversation_part.tag.created",
    "conversation_part.redacted",
    "contact.merged",
    "contact.lead.created",
    "contact.unarchive",
    "company.contact.detached",
];

/// Calls that take a permission, and what the Developer Hub calls it.
const NEEDED: [(&str, &str, &str); 4] = [
    ("GET", "/tags", "Read tags"),
    ("POST", "/conversations/search", "Read conversations"),
    ("GET", "/contacts/", "Read one user and one company"),
    ("GET", "/contacts", "Read and list users and companies"),
];

fn refuse(stage: &Stage, method: &str, path: &str) {
    let body = json!({ "type": "error.list", "errors": [{ "code": "forbidden",
        "message": "You do not have the required scope to access this resource" }] });
    let kind = FaultKind::Status {
        status: 403,
        body: Some(body),
        headers: Vec::new(),
    };
    let faults = stage.intercom().faults();
    faults.add(fault(method, path, 0, u32::MAX, kind));
}

#[tokio::test]
async fn check_names_topics_and_permissions_of_what_is_in_use() {
    let both = format!("{IDEAS}\n{ON}");
    let it = Feedback::prepare(On::Sqlite, &both, |_| ()).await;
    let out = run(&it.stage, &["check"]).await.good();
    for topic in TOPICS {
        assert!(out.contains(topic), "{topic}: {out}");
    }
    for (.., permission) in NEEDED {
        assert!(out.contains(permission), "{permission}: {out}");
    }
    assert!(
        out.contains("product Mobile app: the tag “idea” is there"),
        "{out}"
    );
    // What is not in use is not asked for.
    let plain = Stage::prepare(|_| ()).await;
    let out = run(&plain, &["check"]).await.good();
    for topic in TOPICS {
        assert!(!out.contains(topic), "{topic}: {out}");
    }
    assert!(!out.contains("Read tags"), "{out}");
}

#[tokio::test]
async fn check_tries_each_permission_of_what_is_in_use() {
    let both = format!("{IDEAS}\n{ON}");
    let it = Feedback::prepare(On::Sqlite, &both, |_| ()).await;
    for (method, path, permission) in NEEDED {
        refuse(&it.stage, method, path);
        let bad = run(&it.stage, &["check"]).await;
        assert_eq!(bad.code, Some(1), "{permission}: {}", bad.out);
        let mended = bad.out.lines().filter(|line| line.contains("TO MEND"));
        let mended: Vec<&str> = mended.collect();
        let words = format!("lacks “{permission}”");
        assert!(
            mended.iter().any(|line| line.contains(&words)),
            "{permission}: {}",
            bad.out
        );
        it.stage.intercom().faults().clear();
    }
}

#[tokio::test]
async fn check_names_a_tag_that_is_not_there_and_the_nearest() {
    let products = IDEAS.replace("\"idea\"", "\"idae\", \"bug\"");
    let it = Feedback::prepare(On::Sqlite, &products, |_| ()).await;
    let bad = run(&it.stage, &["check"]).await;
    assert_eq!(bad.code, Some(1), "{}", bad.out);
    for words in [
        "TO MEND: product Mobile app: The workspace has no tag “idae”",
        "The nearest are “idea” and “bug”",
        "product Mobile app: the tag “bug” is there",
    ] {
        assert!(bad.out.contains(words), "{words}: {}", bad.out);
    }
}

#[tokio::test]
async fn pages_and_scripts_name_what_is_needed_as_it_comes_into_use() {
    let stage = Stage::with(|_| ()).await;
    let mut owner = Browser::signed_in(&stage, "owner").await;
    let script = Script::new(&stage, "owner", &["read", "settings"]).await;
    let page = owner.get("/connections/add/workspace").await;
    for topic in TOPICS {
        page.says(topic);
    }
    for (.., permission) in NEEDED {
        page.says(permission);
    }
    let path = "/connections/workspace/acme";
    let listed = async |owner: &mut Browser| {
        let page = owner.get(path).await;
        let text = page.text.split("id=\"entries\"").nth(1).unwrap().to_owned();
        text.split("</ul>").next().unwrap().to_owned()
    };
    let before = listed(&mut owner).await;
    assert!(before.contains("conversation.admin.noted"));
    assert!(!before.contains("tag.created") && !before.contains("company."));
    let page = owner.get(path).await;
    page.says("Feedback is not in use here");
    page.says("conversation_part.tag.created");

    stage.intercom().create_tag("idea");
    let fields = [("name", "Mobile app"), ("workspace", "acme")];
    owner.send("/products", &fields).await;
    let page = owner.get("/products/1?switch=on").await;
    page.says("conversation_part.tag.created");
    page.says("conversation_part.redacted");
    let tag = page.text.split("name=\"tags\" value=\"").nth(1).unwrap();
    let tag = tag.split('"').next().unwrap().to_owned();
    let chosen = [("do", "on"), ("tags", tag.as_str())];
    let page = owner.send("/products/1", &chosen).await;
    assert_eq!(page.goes_to(), "/products/1?done=feedback-on");
    let page = owner.get("/contacts/settings").await;
    page.says("contact.user.created");
    page.says("company.contact.attached");
    let fields = [("workspace", "acme"), ("on", "yes"), ("updates", "yes")];
    owner.send("/contacts/settings/switch", &fields).await;
    let now = listed(&mut owner).await;
    for topic in TOPICS {
        assert!(now.contains(topic), "{topic}");
    }
    let page = owner.get(path).await;
    for (.., permission) in NEEDED {
        page.says(permission);
    }
    let read = script.get("/api/v1/workspaces/acme").await.body;
    let topics = read["webhook"]["topics"].as_array().unwrap();
    for topic in TOPICS {
        assert!(topics.contains(&json!(topic)), "{topic}");
    }
    let permissions = read["permissions"].as_array().unwrap();
    assert!(permissions.contains(&json!("Read tags")), "{permissions:?}");
}
