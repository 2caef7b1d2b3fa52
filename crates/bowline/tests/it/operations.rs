//! What people who run Bowline do, through the real binary.

use bowline::demo::{NOTIFY_TOKEN, SITE, WEBHOOK_SECRET, until};
use bowline_sandbox::common::FaultKind;
use bowline_sandbox::intercom::ConversationState::{Closed, Open};
use bowline_sandbox::jira::BOT_TOKEN;

use crate::failure::fault;
use crate::process::{Finished, Serving, run};
use crate::stage::{Stage, answer};

pub(crate) async fn get(stage: &Stage, serving: &Serving, path: &str) -> (u16, String) {
    answer(stage.client().get(format!("http://{}{path}", serving.addr))).await
}

/// Waits until the service has nothing to do.
pub(crate) async fn idle(stage: &Stage, serving: &Serving) {
    let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
    loop {
        stage.jira().sender().quiet().await;
        stage.intercom().sender().quiet().await;
        let (_, ready) = get(stage, serving, "/readyz").await;
        if ready.contains("\"effects_waiting\":0") && ready.contains("\"events_waiting\":0") {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{ready}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn serve_starts_tells_how_it_is_and_ends_in_time() {
    let stage = Stage::prepare(|_| ()).await;
    let mut serving = Serving::connected(&stage).await;
    let (issue, conversation) = stage.linked().await;
    idle(&stage, &serving).await;
    assert_eq!(
        get(&stage, &serving, "/healthz").await,
        (200, "ok".to_owned())
    );
    let (status, ready) = get(&stage, &serving, "/readyz").await;
    assert_eq!(status, 200);
    for part in [
        "\"ready\":true",
        "\"site/acme-jira\":\"connected\"",
        "\"workspace/acme\":\"connected\"",
    ] {
        assert!(ready.contains(part), "{part}: {ready}");
    }
    let (status, metrics) = get(&stage, &serving, "/metrics").await;
    assert_eq!(status, 200);
    for part in [
        "bowline_events_total{",
        "bowline_attempts_total{kind=\"note\",outcome=\"confirmed\"} 1",
        "bowline_events_waiting 0",
        "bowline_connection_works{connection=\"workspace/acme\"} 1",
    ] {
        assert!(metrics.contains(part), "{part}: {metrics}");
    }
    // Told to end while an answer is slow, it finishes that first.
    stage
        .intercom()
        .faults()
        .add(fault("POST", "/reply", 0, 1, FaultKind::Delay { ms: 700 }));
    stage.lena().comment(&issue, "On the way out.").unwrap();
    let began = until(|| stage.intercom().faults().list().is_empty().then_some(())).await;
    assert!(began.is_some());
    assert_eq!(serving.terminate().await, Some(0), "{}", serving.log());
    assert_eq!(stage.texts(&conversation).len(), 2);
    // Nobody has the database open any more: it is one file again.
    let log = stage
        .world
        .config_path
        .with_file_name("data/bowline.db-wal");
    assert!(!log.exists(), "{}", serving.log());

    let again = Serving::start(&stage).await;
    stage.lena().comment(&issue, "Up again.").unwrap();
    stage.note(&conversation, &["Up again."]).await;
    idle(&stage, &again).await;
    assert_eq!(
        stage.texts(&conversation).len(),
        3,
        "{:?}",
        stage.texts(&conversation)
    );
}

#[tokio::test]
async fn killed_in_the_middle_it_loses_and_doubles_nothing() {
    let stage = Stage::prepare(|_| ()).await;
    let mut serving = Serving::connected(&stage).await;
    let (issue, conversation) = stage.linked().await;
    for round in 0..4 {
        for number in 0..5 {
            stage
                .lena()
                .comment(&issue, format!("Comment {round}-{number}.").as_str())
                .unwrap();
        }
        let count = stage.texts(&conversation).len();
        assert!(
            until(|| (stage.texts(&conversation).len() > count).then_some(()))
                .await
                .is_some()
        );
        serving.kill().await;
        serving = Serving::start(&stage).await;
    }
    for round in 0..4 {
        for number in 0..5 {
            stage
                .note(&conversation, &[&format!("Comment {round}-{number}.")])
                .await;
        }
    }
    idle(&stage, &serving).await;
    assert_eq!(
        stage.texts(&conversation).len(),
        21,
        "{:#?}",
        stage.texts(&conversation)
    );
}

#[tokio::test]
async fn a_second_serve_on_the_same_file_is_refused() {
    let stage = Stage::prepare(|_| ()).await;
    let _serving = Serving::start(&stage).await;
    let second = run(&stage, &["serve"]).await;
    assert_eq!(second.code, Some(1));
    assert!(
        second.err.contains("another Bowline already serves"),
        "{second:?}"
    );
}

#[tokio::test]
async fn a_new_token_in_the_file_drains_the_queue_without_a_restart() {
    let stage = Stage::prepare(|_| ()).await;
    let serving = Serving::connected(&stage).await;
    let (issue, conversation) = stage.linked().await;
    stage.intercom().revoke_token();
    stage.lena().comment(&issue, "Waits.").unwrap();
    let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
    while !get(&stage, &serving, "/readyz")
        .await
        .1
        .contains("\"workspace/acme\":\"broken\"")
    {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let (_, metrics) = get(&stage, &serving, "/metrics").await;
    assert!(
        metrics.contains("bowline_connection_works{connection=\"workspace/acme\"} 0"),
        "{metrics}"
    );
    stage.intercom().set_token("brand-new-token");
    stage.world.write_config("brand-new-token").unwrap();
    stage.note(&conversation, &["Waits."]).await;
    idle(&stage, &serving).await;
    assert_eq!(stage.texts(&conversation).len(), 2);
}

#[tokio::test]
async fn secrets_are_never_logged() {
    let stage = Stage::prepare(|plan| "[log]\nlevel = \"trace\"".clone_into(&mut plan.top)).await;
    let mut serving = Serving::connected(&stage).await;
    let (issue, conversation) = stage.linked().await;
    stage
        .intercom()
        .close(&conversation, &stage.teammate())
        .unwrap();
    stage.lena().transition(&issue, "Done", None).unwrap();
    stage.becomes(&conversation, Open).await;
    let notify = format!("http://{}/hooks/jira/{SITE}/notify", serving.addr);
    let body = serde_json::json!({ "issue": issue, "note": true, "text": "Words." });
    assert_eq!(
        answer(
            stage
                .client()
                .post(&notify)
                .bearer_auth(NOTIFY_TOKEN)
                .json(&body)
        )
        .await
        .0,
        200
    );
    assert_eq!(
        answer(
            stage
                .client()
                .post(&notify)
                .bearer_auth("a-guessed-token")
                .json(&body)
        )
        .await
        .0,
        401
    );
    let hook = format!("http://{}/hooks/jira/{SITE}", serving.addr);
    let signed = stage
        .client()
        .post(&hook)
        .header("x-hub-signature", "sha256=00")
        .body("{}");
    assert_eq!(answer(signed).await.0, 401);
    stage.intercom().revoke_token();
    stage.jira().set_token("bowline-bot", None);
    stage
        .lena()
        .comment(&issue, "And a failure of each.")
        .unwrap();
    let deadline = tokio::time::Instant::now() + bowline::demo::PATIENCE;
    while !get(&stage, &serving, "/readyz")
        .await
        .1
        .contains("\"site/acme-jira\":\"broken\"")
    {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(serving.terminate().await, Some(0));
    let log = serving.log();
    assert!(
        log.contains("effect confirmed") && log.contains("TRACE"),
        "it logged: {log}"
    );
    let config = stage.intercom().config();
    let basic = |user: &str, token: &str| base64(format!("{user}:{token}").as_bytes());
    let email = "bowline-bot@example.com";
    for secret in [
        BOT_TOKEN,
        WEBHOOK_SECRET,
        NOTIFY_TOKEN,
        "a-guessed-token",
        &config.access_token,
        &config.client_secret,
        &basic(email, BOT_TOKEN),
    ] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(
                DIGITS[(group >> (18 - 6 * place)) as usize & 63],
            ));
        }
    }
    text + &"=".repeat((3 - bytes.len() % 3) % 3)
}

#[tokio::test]
async fn check_says_that_all_is_well_and_what_to_enter() {
    let stage = Stage::prepare(|_| ()).await;
    let out = run(&stage, &["check"]).await.good();
    for part in [
        "/hooks/jira/acme-jira",
        "/hooks/intercom/acme",
        "Comment: created",
        "conversation.admin.noted",
        "Everything that can be tested from here works.",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(
        !out.contains(BOT_TOKEN) && !out.contains(&stage.intercom().config().access_token),
        "{out}"
    );
}

#[tokio::test]
async fn check_says_in_words_what_is_wrong() {
    type Spoil = fn(&Stage);
    let spoilt: &[(&str, Spoil, &[&str])] = &[
        (
            "Jira's token",
            |stage| stage.edit_config(BOT_TOKEN, "another"),
            &["must belong together"],
        ),
        (
            "Intercom's token",
            |stage| stage.world.write_config("another").unwrap(),
            &["Developer Hub", "Authentication"],
        ),
        (
            "the kind",
            |stage| stage.edit_config("kind = \"cloud\"", "kind = \"datacenter\""),
            &["this is a Cloud site", "change `kind` to \"cloud\""],
        ),
        (
            "the project",
            |stage| stage.edit_config("project = \"ENG\"", "project = \"NONE\""),
            &["There is no project NONE"],
        ),
        (
            "the region",
            |stage| stage.edit_config("region = \"us\"", "region = \"eu\""),
            &["the workspace is in us", "change `region`"],
        ),
        (
            "the app user",
            |stage| stage.edit_config("client_secret =", "app_user = \"1234\"\nclient_secret ="),
            &["1234 is no teammate"],
        ),
        (
            "the permission",
            |stage| {
                stage
                    .jira()
                    .set_permission("bowline-bot", "EDIT_ISSUES", false);
            },
            &["lacks “Edit issues” (EDIT_ISSUES), needed"],
        ),
        (
            "the plan",
            |stage| stage.intercom().set_plan_restricted(true),
            &["trial or subscription"],
        ),
        (
            "Jira's address",
            |stage| {
                stage.edit_config(
                    &format!("url = \"{}\"\nemail", stage.world.sandbox.jira.url()),
                    &format!(
                        "url = \"http://{}\"\nemail",
                        bowline_sandbox::common::lasting_address()
                    ),
                );
            },
            &["may this machine reach it"],
        ),
    ];
    for (what, spoil, words) in spoilt {
        let stage = Stage::prepare(|_| ()).await;
        spoil(&stage);
        let Finished { code, out, err } = run(&stage, &["check"]).await;
        assert_eq!(code, Some(1), "{what}: {out}{err}");
        assert!(out.contains("TO MEND"), "{what}: {out}{err}");
        for part in *words {
            assert!(out.contains(part), "{what}: {part} is not in {out}");
        }
    }
}

#[tokio::test]
async fn unknown_keys_are_errors_that_name_the_nearest() {
    let stage = Stage::prepare(|plan| "tranport = 1".clone_into(&mut plan.binding)).await;
    stage.edit_config("tranport = 1", "unasign_on_open = true");
    for command in ["check", "serve"] {
        let finished = run(&stage, &[command]).await;
        assert_eq!(finished.code, Some(1));
        assert!(
            finished.err.contains("unasign_on_open") && finished.err.contains("unassign_on_open"),
            "{finished:?}"
        );
    }
}

#[tokio::test]
async fn links_are_listed_added_and_removed() {
    let stage = Stage::prepare(|_| ()).await;
    let _serving = Serving::connected(&stage).await;
    let (issue, first) = stage.linked().await;
    let second = stage.conversation();
    let list = async |arguments: &[&str]| {
        let arguments = [&["links", "list", "--json"], arguments].concat();
        let out = run(&stage, &arguments).await.good();
        let lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect::<Vec<serde_json::Value>>()
    };
    let all = list(&["--issue", &issue]).await;
    assert_eq!(
        (all.len(), &all[0]["conversation"]),
        (1, &first.as_str().into())
    );
    assert_eq!(all[0]["sources"], serde_json::json!(["description"]));

    let out = run(
        &stage,
        &[
            "links",
            "add",
            &issue,
            &stage.address(&second),
            "--by",
            "Ada",
        ],
    )
    .await
    .good();
    assert!(out.contains("effects"), "{out}");
    stage.note(&second, &["Ada linked ", &issue]).await;
    assert_eq!(list(&["--conversation", &second]).await.len(), 1);

    run(&stage, &["links", "remove", &issue, &first])
        .await
        .good();
    assert_eq!(list(&["--issue", &issue]).await.len(), 1);
    let ended = list(&["--issue", &issue, "--ended"]).await;
    assert_eq!(ended.len(), 2);
    assert!(
        ended.iter().any(|link| link["ended"] == "by_hand"),
        "{ended:?}"
    );

    stage.lena().comment(&issue, "To whom?").unwrap();
    stage.note(&second, &["To whom?"]).await;
    let told = stage
        .texts(&first)
        .iter()
        .any(|text| text.contains("To whom?"));
    assert!(!told, "the address is still there, and a person said no");
    assert!(
        run(&stage, &["links", "list"])
            .await
            .good()
            .contains(&issue)
    );

    let unbound = run(&stage, &["links", "add", "OPS-1", &second]).await;
    assert_eq!(unbound.code, Some(1));
    assert!(unbound.err.contains("not joined"), "{unbound:?}");
}

#[tokio::test]
async fn events_are_listed_shown_and_replayed_without_repeating_anything() {
    let stage = Stage::prepare(|_| ()).await;
    let serving = Serving::connected(&stage).await;
    let (issue, conversation) = stage.linked().await;
    stage
        .intercom()
        .close(&conversation, &stage.teammate())
        .unwrap();
    stage.lena().transition(&issue, "Done", None).unwrap();
    stage.becomes(&conversation, Open).await;
    idle(&stage, &serving).await;
    stage
        .intercom()
        .close(&conversation, &stage.teammate())
        .unwrap();
    idle(&stage, &serving).await;
    let before = stage.intercom().parts(&conversation);

    let out = run(&stage, &["events", "list", "--issue", &issue, "--json"])
        .await
        .good();
    let events: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(events.len() >= 2, "{out}");
    for event in &events {
        let id = event["id"].to_string();
        let shown = run(&stage, &["events", "show", &id, "--body"]).await.good();
        assert!(shown.contains("state     decided"), "{shown}");
        run(&stage, &["events", "replay", &id]).await.good();
    }
    idle(&stage, &serving).await;
    let shown = run(
        &stage,
        &["events", "show", &events.last().unwrap()["id"].to_string()],
    )
    .await
    .good();
    assert!(shown.contains("decided"), "{shown}");
    assert_eq!(
        stage.intercom().parts(&conversation),
        before,
        "nothing was done twice"
    );
    assert_eq!(stage.state(&conversation), Closed);

    let missing = run(&stage, &["events", "show", "999999"]).await;
    assert_eq!(missing.code, Some(1));
    let listed = run(&stage, &["events", "list"]).await.good();
    assert!(listed.contains("jira:issue_updated"), "{listed}");
}

#[tokio::test]
async fn a_demo_plays_its_story() {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_bowline"))
        .args(["demo", "--story"])
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(std::time::Duration::from_mins(1), output)
        .await
        .unwrap()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}");
    assert!(
        out.contains("Every step was seen on the far side."),
        "{out}"
    );
}
