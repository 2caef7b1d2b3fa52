use std::collections::BTreeSet;

use bowline_jira::webhook::{Delivery, EventKind, ParseError, parse};
use bowline_jira::{Category, Visibility};
use bowline_text::{address, plain};
use proptest::prelude::*;
use serde_json::{Value, json};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

fn fixture(name: &str) -> Delivery {
    let raw = std::fs::read(format!("{FIXTURES}/{name}.json")).unwrap();
    parse(&raw).expect(name)
}

fn changes(delivery: &Delivery) -> Vec<(&str, Option<&str>, Option<&str>)> {
    let items = delivery.changelog.as_ref().map_or(&[][..], |c| &c.items);
    items
        .iter()
        .map(|i| {
            (
                i.field.as_str(),
                i.from_string.as_deref(),
                i.to_string.as_deref(),
            )
        })
        .collect()
}

/// What every recorded shape has in common, in one table that no fixture may be missing from.
#[test]
fn event_issue_and_person_of_every_shape() {
    use EventKind::*;
    const ANN: Option<&str> = Some("5c5f0000000000000000a001");
    const BOB: Option<&str> = Some("5ced0000000000000000b002");
    const DAN: Option<&str> = Some("dan.dc");
    let (eng_7, eng_13, unnamed) = (Some("ENG-7"), Some("ENG-13"), Other(String::new()));
    let mut files: BTreeSet<String> = std::fs::read_dir(FIXTURES)
        .unwrap()
        .map(|f| {
            f.unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    for (name, event, issue, key, user) in [
        (
            "cloud-comment-created",
            CommentCreated,
            "10040",
            eng_7,
            None,
        ),
        (
            "cloud-comment-without-issue",
            CommentUpdated,
            "10040",
            None,
            None,
        ),
        (
            "cloud-comment-adf-restricted",
            CommentCreated,
            "10040",
            eng_7,
            None,
        ),
        (
            "cloud-issue-created-with-changelog",
            IssueCreated,
            "10104",
            Some("ENG-60"),
            BOB,
        ),
        ("issue-updated-assigned", IssueUpdated, "10040", eng_7, ANN),
        ("issue-updated-edited", IssueUpdated, "10040", eng_7, ANN),
        ("issue-updated-resolved", IssueUpdated, "10040", eng_7, ANN),
        ("issue-updated-moved", IssueUpdated, "10040", eng_7, ANN),
        ("issue-deleted", IssueDeleted, "10077", Some("ENG-42"), BOB),
        (
            "server-comment-created",
            CommentCreated,
            "10013",
            None,
            None,
        ),
        (
            "server-issue-updated-commented",
            IssueUpdated,
            "10013",
            eng_13,
            DAN,
        ),
        (
            "server-issue-updated-status",
            IssueUpdated,
            "10013",
            eng_13,
            DAN,
        ),
        ("automation-without-event", unnamed, "10013", eng_13, None),
        ("issue-property-set", IssueProperty, "10040", eng_7, None),
    ] {
        let delivery = fixture(name);
        assert_eq!(delivery.event, event, "{name}");
        assert_eq!(delivery.issue_id(), Some(issue), "{name}");
        let issue = delivery.issue.as_ref();
        assert_eq!(issue.and_then(|i| i.key.as_deref()), key, "{name}");
        assert_eq!(
            delivery.user.as_ref().map(|u| u.id.as_str()),
            user,
            "{name}"
        );
        assert!(
            delivery
                .timestamp_ms
                .is_some_and(|ms| ms > 1_771_000_000_000),
            "{name}"
        );
        assert!(files.remove(name), "{name}");
    }
    assert!(files.is_empty(), "not in the table: {files:?}");
}

#[test]
fn a_cloud_comment() {
    let delivery = fixture("cloud-comment-created");
    let comment = delivery.comment.unwrap();
    assert_eq!(comment.id, "10019");
    assert_eq!(
        comment.author.as_ref().map(|a| a.name.as_str()),
        Some("Ann Example")
    );
    assert_eq!(comment.created_ms, Some(1_771_211_478_321));
    assert_eq!(comment.updated_ms, comment.created_ms);
    assert_eq!(comment.visibility, Visibility::Public);
    assert_eq!(
        plain::write(&comment.body).trim(),
        "Seen again by two customers"
    );
    let issue = delivery.issue.unwrap();
    assert_eq!(issue.project_key.as_deref(), Some("ENG"));
    assert_eq!(issue.project_id.as_deref(), Some("10000"));
    assert_eq!(issue.summary.as_deref(), Some("Export stops at page two"));
    assert_eq!(issue.status.map(|s| s.category), Some(Category::New));
    // The cut-down issue says nothing of a level or a description: not the same as none.
    assert_eq!((issue.security, issue.description), (None, None));
    assert!(matches!(
        fixture("cloud-comment-without-issue")
            .comment
            .unwrap()
            .visibility,
        Visibility::Internal(_)
    ));
}

#[test]
fn a_body_in_adf_and_a_restriction() {
    let comment = fixture("cloud-comment-adf-restricted").comment.unwrap();
    let found = address::find(&comment.body);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].conversation, "215475827415413");
    assert_eq!(
        comment.visibility,
        Visibility::Restricted("limited to role Developers".to_owned())
    );
}

#[test]
fn a_created_issue_with_its_changelog() {
    let delivery = fixture("cloud-issue-created-with-changelog");
    let changelog = delivery.changelog.as_ref().unwrap();
    assert_eq!(changelog.id.as_deref(), Some("11627"));
    let status = changelog
        .items
        .iter()
        .find(|i| i.field == "status")
        .unwrap();
    assert_eq!(
        (status.from.as_deref(), status.to.as_deref()),
        (None, Some("10004"))
    );
    assert_eq!(status.field_id.as_deref(), Some("status"));
    let issue = delivery.issue.unwrap();
    assert_eq!(issue.security, Some(Some("Staff only".to_owned())));
    assert_eq!(
        issue.assignee.as_ref().map(|a| a.name.as_str()),
        Some("Bob Example")
    );
    let found = address::find(&issue.described().unwrap());
    assert_eq!(
        found
            .iter()
            .map(|a| a.conversation.as_str())
            .collect::<Vec<_>>(),
        ["4137"]
    );
}

#[test]
fn updates_tell_what_changed_on_both_deployments() {
    let assigned = fixture("issue-updated-assigned");
    assert_eq!(
        changes(&assigned),
        [("assignee", None, Some("Ann Example"))]
    );
    assert_eq!(assigned.event_type_name.as_deref(), Some("issue_assigned"));
    assert_eq!(assigned.issue.unwrap().security, Some(None));

    let resolved = fixture("issue-updated-resolved");
    assert_eq!(
        changes(&resolved),
        [
            ("resolution", None, Some("Done")),
            ("status", Some("In Progress"), Some("Done"))
        ]
    );
    assert_eq!(
        resolved.issue.unwrap().status.unwrap().category,
        Category::Done
    );

    let edited = fixture("issue-updated-edited");
    let item = &edited.changelog.as_ref().unwrap().items[0];
    let before = address::find_in_text(item.from_string.as_deref().unwrap());
    assert_eq!(before[0].conversation, "123");
    assert!(address::find_in_text(item.to_string.as_deref().unwrap()).is_empty());

    let moved = fixture("issue-updated-moved");
    assert_eq!(
        moved.changelog.as_ref().unwrap().id.as_deref(),
        Some("10231")
    );
    assert_eq!(
        changes(&moved),
        [
            ("project", Some("Engine"), Some("Support")),
            ("key", Some("ENG-7"), Some("SUP-3"))
        ]
    );
    assert_eq!(moved.issue.unwrap().project_key.as_deref(), Some("SUP"));

    let server = fixture("server-issue-updated-status");
    assert_eq!(
        changes(&server),
        [
            ("status", Some("To Do"), Some("In Progress")),
            ("assignee", Some("Dan Example"), None)
        ]
    );
    assert!(
        server
            .changelog
            .unwrap()
            .items
            .iter()
            .all(|i| i.field_id.is_none())
    );
}

#[test]
fn one_comment_of_a_server_under_two_names_is_one_fact() {
    let short = fixture("server-comment-created").comment.unwrap();
    let long = fixture("server-issue-updated-commented");
    assert_eq!(
        long.issue.as_ref().unwrap().security,
        None,
        "the server did not say"
    );
    assert_eq!(long.comment.as_ref(), Some(&short));
    assert_eq!(short.visibility, Visibility::Unstated);
    assert_eq!(short.author.unwrap().id, "dan.dc");
    assert!(long.changelog.is_none());
}

#[test]
fn a_property_event_names_the_property() {
    let delivery = fixture("issue-property-set");
    assert_eq!(
        delivery.property_key.as_deref(),
        Some("intercom.conversation.links")
    );
}

#[test]
fn event_names() {
    for (name, want) in [
        ("jira:issue_created", EventKind::IssueCreated),
        ("comment_deleted", EventKind::CommentDeleted),
        ("issue_property_deleted", EventKind::IssueProperty),
        (
            "project_archived",
            EventKind::Project("project_archived".into()),
        ),
        (
            "jira:version_released",
            EventKind::Other("jira:version_released".into()),
        ),
        (
            "issuelink_created",
            EventKind::Other("issuelink_created".into()),
        ),
    ] {
        let body = json!({ "webhookEvent": name }).to_string();
        assert_eq!(parse(body.as_bytes()).unwrap().event, want);
    }
}

#[test]
fn what_is_no_delivery() {
    let deep = format!(
        "{{\"issue\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    for (raw, not_json) in [
        ("", true),
        ("issue=ENG-1", true),
        (deep.as_str(), true),
        ("[]", false),
        ("null", false),
        ("{}", false),
        (r#"{"issue":{}}"#, false),
        (r#"{"webhookEvent":7,"comment":{"body":"no id"}}"#, false),
    ] {
        let error = parse(raw.as_bytes()).unwrap_err();
        assert_eq!(
            error == ParseError::NotJson,
            not_json,
            "{}",
            &raw[..raw.len().min(30)]
        );
    }
}

/// JSON made of the keys that the parser looks at, in places where they do not belong.
fn odd_json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "webhookEvent",
        "timestamp",
        "issue",
        "comment",
        "changelog",
        "items",
        "fields",
        "id",
        "key",
        "self",
        "project",
        "status",
        "statusCategory",
        "security",
        "description",
        "body",
        "author",
        "accountId",
        "name",
        "visibility",
        "jsdPublic",
        "properties",
        "value",
        "field",
        "fieldId",
        "from",
        "toString",
        "user",
        "property",
        "content",
        "type",
        "text",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        "[a-z/]{0,12}/issue/[0-9]{0,4}/comment/[0-9]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 96, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|pairs| Value::Object(
                pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn parsing_any_bytes_never_panics(raw in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&raw);
    }

    #[test]
    fn parsing_odd_json_never_panics(value in odd_json()) {
        let _ = parse(value.to_string().as_bytes());
        let inside = json!({"webhookEvent": "comment_created", "issue": value, "comment": value,
            "changelog": value, "user": value});
        let delivery = parse(inside.to_string().as_bytes()).expect("a named event is a delivery");
        prop_assert_eq!(delivery.event.clone(), EventKind::CommentCreated);
    }
}
