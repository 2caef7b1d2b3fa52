//! Jira and the channel providers side by side: leaks are found, and the pages work without script.

use bowline_sandbox::jira::{Comment, NewComment};
use bowline_sandbox::{ChannelOptions, Channels, Options, Running, start, start_channels};
use serde_json::json;

const MONA: &str = "+15550100";

async fn world() -> (Running, Channels) {
    let running = start(Options::default()).await.unwrap();
    let channels = start_channels(ChannelOptions::default(), &running.neighbours)
        .await
        .unwrap();
    (running, channels)
}

async fn send(channels: &Channels, text: &str) {
    let bird = &channels.messagebird;
    let conversation = bird.state.phone(MONA).conversation().unwrap();
    let url = format!("{}/v1/conversations/{conversation}/messages", bird.url());
    let body = json!({ "type": "text", "content": { "text": text } });
    let call = bird.state.sender().client().post(url);
    let call = call.header("authorization", "AccessKey sandbox-access-key");
    let answer = call.body(body.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 201);
}

#[tokio::test]
async fn internal_text_in_a_call_to_a_channel_is_found() {
    let (running, channels) = world().await;
    let site = &running.jira.state;
    channels.messagebird.state.phone(MONA).writes("hello");
    let omar = site.acting("omar");
    let key = omar.raise("SUP", "Get help", "hello", "hello").unwrap();
    omar.note(&key, "The parcel is lost, do not say so")
        .unwrap();
    omar.comment_with(
        &key,
        NewComment::restricted("Refund granted by finance", "Developers"),
    )
    .unwrap();
    omar.comment(&key, "We *look into* it and call you tomorrow.")
        .unwrap();
    send(&channels, "We look into it and call you tomorrow.").await;
    assert_eq!(channels.leaks(site), []);
    send(&channels, "> The parcel is lost, do not say so").await;
    send(&channels, "Omar: Refund granted by finance").await;
    let places: Vec<String> = channels
        .leaks(site)
        .into_iter()
        .map(|leak| leak.words)
        .collect();
    assert_eq!(
        places,
        ["the parcel is lost do", "refund granted by finance"]
    );

    let later = omar.note(&key, "Now everybody may know this").unwrap();
    let url = format!(
        "{}/rest/api/3/comment/{later}/properties/sd.public.comment",
        running.jira.url()
    );
    let call = channels.messagebird.state.sender().client().delete(url);
    let call = call.basic_auth("omar@example.com", Some("token-of-omar"));
    assert_eq!(call.send().await.unwrap().status(), 204);
    send(&channels, "Now everybody may know this").await;
    assert_eq!(channels.leaks(site).len(), 2);
}

#[tokio::test]
async fn a_public_text_may_leave_and_a_note_may_quote_it() {
    let (running, channels) = world().await;
    let site = &running.jira.state;
    channels
        .messagebird
        .state
        .phone(MONA)
        .writes("where is my green parcel");
    let omar = site.acting("omar");
    let key = omar.raise("SUP", "Get help", "parcel", "").unwrap();
    omar.comment(&key, "It is on the way to you").unwrap();
    omar.note(&key, "Not delivered: It is on the way to you")
        .unwrap();
    omar.note(&key, "She asked: where is my green parcel")
        .unwrap();
    send(&channels, "It is on the way to you").await;
    send(&channels, "Where is my green parcel, you ask?").await;
    assert_eq!(channels.leaks(site), []);
}

/// Fetches a page or sends a form, and follows to the page that comes of it.
async fn page(url: &str, form: Option<&str>) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = match form {
        None => client.get(url),
        Some(form) => client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned()),
    };
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn the_phone_pages_do_everything_by_forms() {
    let (_running, channels) = world().await;
    let (bird, base) = (&channels.messagebird.state, channels.messagebird.url());
    let (status, shown) = page(
        &format!("{base}/phones"),
        Some("phone=%2B15550100&name=Mona+L"),
    )
    .await;
    assert_eq!(status, 200);
    assert!(shown.contains("Mona L") && shown.contains("Nothing on this phone yet"));
    let on = |action: &str| format!("{base}/phones/{MONA}/{action}");
    page(&on("write"), Some("platform=sms&text=hello+%3Cb%3E")).await;
    let (_, shown) = page(
        &on("media"),
        Some("platform=whatsapp&what=picture&text=tree"),
    )
    .await;
    assert!(shown.contains("hello &#60;b&#62;") && shown.contains("WhatsApp answer possible"));
    let mona = bird.phone(MONA);
    assert_eq!(mona.lines().len(), 2);
    bird.inbox_reply(&mona.conversation().unwrap(), "an answer")
        .unwrap();
    let (_, shown) = page(&on("read"), Some("")).await;
    assert!(shown.contains("an answer") && shown.contains(">read<"));
    page(&on("outside"), Some("")).await;
    bird.inbox_reply(&mona.conversation().unwrap(), "too late")
        .unwrap();
    let (_, shown) = page(&on("habit"), Some("reach=sent&fails=on&on_whatsapp=on")).await;
    assert!(shown.contains("Outside the WhatsApp window") && shown.contains("(470)"));
    bird.inbox_reply(&mona.conversation().unwrap(), "fails")
        .unwrap();
    assert_eq!(mona.lines()[4].failure.as_ref().unwrap().code, 301);
    for (path, form, status) in [
        ("/phones/nobody", None, 404),
        ("/phones/nobody/write", Some("text=x"), 404),
        ("/phones", Some("phone=&name=x"), 400),
        ("/phones", Some("phone=%2F%2Fx&name=x"), 400),
        ("/clock", Some("hours=1&back=//example.com"), 200),
        ("/", None, 200),
    ] {
        assert_eq!(
            page(&format!("{base}{path}"), form).await.0,
            status,
            "{path}"
        );
    }
    let (_, lines) = page(&format!("{base}/_control/lines"), None).await;
    let lines: serde_json::Value = serde_json::from_str(&lines).unwrap();
    assert_eq!(lines["lines"][3]["failure"]["code"], 470);
    let (status, shown) = page(&format!("{}/", channels.whatsapp.url()), None).await;
    assert!(status == 200 && shown.contains("MessageBird phones"));
}

#[tokio::test]
async fn the_desk_pages_do_everything_by_forms() {
    let (running, _channels) = world().await;
    let (site, base) = (&running.jira.state, running.jira.url());
    let key = site
        .acting("omar")
        .raise("SUP", "Get help", "It broke", "badly")
        .unwrap();
    let (_, board) = page(&base, None).await;
    assert!(board.contains("/servicedesk/SUP"));
    let (_, queue) = page(&format!("{base}/servicedesk/SUP"), None).await;
    assert!(queue.contains("It broke") && queue.contains("Waiting for support"));
    let on = |action: &str| format!("{base}/servicedesk/SUP/request/{key}/{action}");
    page(&on("note"), Some("text=inside")).await;
    let (_, shown) = page(&on("reply"), Some("text=outside")).await;
    assert!(shown.contains("internal note") && shown.contains("public"));
    let issue = site.issue(&key).unwrap();
    let internal: Vec<bool> = issue.comments.values().map(Comment::is_internal).collect();
    assert_eq!(internal, [true, false]);
    let (_, shown) = page(&on("status"), Some("status=Resolved&text=done")).await;
    assert!(shown.contains("Resolved"));
    assert_eq!(site.issue(&key).unwrap().comments.len(), 3);
    page(&format!("{base}/servicedesk/SUP/automation"), Some("on=on")).await;
    let second = site
        .acting("lena")
        .raise("SUP", "Get help", "Second", "")
        .unwrap();
    site.acting("omar").comment(&second, "hm").unwrap();
    assert_eq!(
        site.issue(&second).unwrap().status.name,
        "Waiting for customer"
    );
    let form = format!("{base}/servicedesk/SUP/form");
    page(&form, Some("type=Get+help&required=on")).await;
    assert_eq!(site.desk("SUP").unwrap().request_types[0].1.fields.len(), 3);
    page(&form, Some("type=Get+help")).await;
    assert_eq!(site.desk("SUP").unwrap().request_types[0].1.fields.len(), 2);
    assert_eq!(page(&format!("{base}/servicedesk/ENG"), None).await.0, 404);
}
