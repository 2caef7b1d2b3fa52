//! Runs all simulated platforms of the messaging story until interrupted, to be tried by hand:
//! `cargo run -p bowline-sandbox --example phones -- [--jira ADDR] [--messagebird ADDR]
//! [--whatsapp ADDR] [--hook URL]`.
//!
//! Two people have written already, so that the pages show something. With `--hook`, MessageBird's
//! webhooks go to that address. It prints lines `NAME=VALUE`, then `ready`.

use std::error::Error;
use std::io::Write as _;

use bowline_sandbox::jira::{Automation, BOT_TOKEN, NewComment};
use bowline_sandbox::phones::{Habit, Media, State};
use bowline_sandbox::{ChannelOptions, Options, Running, start, start_channels};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (mut options, mut channels) = (Options::default(), ChannelOptions::default());
    let mut hook = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or("a value must follow")?;
        match name.as_str() {
            "--jira" => options.jira_addr = value.parse()?,
            "--messagebird" => channels.messagebird_addr = value.parse()?,
            "--whatsapp" => channels.whatsapp_addr = value.parse()?,
            "--hook" => hook = Some(value),
            other => return Err(format!("unknown: {other}").into()),
        }
    }
    let key = channels.messagebird.access_key.clone();
    let token = channels.whatsapp.token.clone();
    let running = start(options).await?;
    let channels = start_channels(channels, &running.neighbours).await?;
    if let Some(url) = hook {
        let events = [
            "message.created",
            "message.updated",
            "conversation.created",
            "conversation.updated",
        ];
        let body = json!({ "url": url, "events": events });
        let call = channels
            .messagebird
            .state
            .sender()
            .client()
            .post(format!("{}/v1/webhooks", channels.messagebird.url()));
        call.header("authorization", format!("AccessKey {key}"))
            .body(body.to_string())
            .send()
            .await?
            .error_for_status()?;
    }
    let bird = &channels.messagebird.state;
    let mona = bird.phone("+15550100").named("Mona Lindqvist");
    mona.writes("Hello, my order 4711 did not arrive.");
    mona.sends_media(Media::document("order.txt", "text/plain", b"Order 4711"));
    let conversation = mona.conversation().ok_or("a conversation")?;
    bird.inbox_reply(&conversation, "We look into it.")
        .map_err(|error| error.to_string())?;
    mona.reads();
    let tariq = bird.phone("+15550101").named("Tariq Haddad").on("sms");
    tariq.habit(Habit {
        reach: State::Sent,
        ..Habit::default()
    });
    tariq.writes("Are you open on Sunday?");
    channels
        .whatsapp
        .state
        .phone("US.1234")
        .named("Noor de Vries")
        .writes("Hi!");
    request(&running).map_err(|refusal| refusal.to_string())?;

    let mut out = std::io::stdout().lock();
    writeln!(out, "JIRA_URL={}", running.jira.url())?;
    writeln!(out, "JIRA_TOKEN={BOT_TOKEN}")?;
    writeln!(out, "MESSAGEBIRD_URL={}", channels.messagebird.url())?;
    writeln!(out, "MESSAGEBIRD_KEY={key}")?;
    writeln!(out, "WHATSAPP_URL={}", channels.whatsapp.url())?;
    writeln!(out, "WHATSAPP_TOKEN={token}")?;
    writeln!(out, "ready")?;
    out.flush()?;
    drop(out);
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// A request with a public and an internal comment.
fn request(running: &Running) -> Result<(), bowline_sandbox::jira::Refusal> {
    let site = &running.jira.state;
    site.set_automations(Automation::usual("SUP"));
    let omar = site.acting("omar");
    let request = omar.raise(
        "SUP",
        "Get help",
        "Order 4711 did not arrive",
        "See the order.",
    )?;
    omar.note(&request, "The parcel is lost, do not say so yet.")?;
    site.acting("lena").comment(&request, "We look into it.")?;
    let second = omar.raise("SUP", "Get help", "Open on Sunday?", "")?;
    let comment = Some(NewComment::open("Yes, from ten."));
    omar.transition(&second, "Resolved", comment)
}
