//! `bowline demo`

use std::net::SocketAddr;
use std::process::ExitCode;

use crate::config::{Log, LogFormat};
use crate::demo::{Plan, SERVICE_DESK, World, contacts, feedback, story, talk_story};
use crate::service::Service;
use anyhow::Context as _;
use bowline_access::{Access, AccountForm, Door};
use bowline_sandbox::ChannelOptions;
use bowline_sandbox::intercom::NewContact;

use super::serve::metrics;
use crate::cli::Demo;
use crate::logging;

/// Contacts and companies that are invented for the demo's workspace.
const DEMO_CONTACTS: u64 = 3_000;
const DEMO_COMPANIES: u64 = 120;

/// Runs a whole installation on this machine, until interrupted or until the story is told.
pub(crate) async fn run(options: Demo) -> anyhow::Result<ExitCode> {
    logging::start(&Log {
        format: LogFormat::Text,
        level: std::env::var("RUST_LOG").unwrap_or_else(|_| "error".to_owned()),
    });
    let folder = Folder::make()?;
    let mut plan = Plan {
        listen: options.listen,
        intercom_addr: options.intercom,
        jira_addr: options.jira,
        channels: Some(ChannelOptions {
            messagebird_addr: options.messagebird,
            whatsapp_addr: options.whatsapp,
            ..ChannelOptions::default()
        }),
        more: feedback::PRODUCT.to_owned(),
        ..Plan::new(&folder.0)
    };
    plan.intercom.invented_contacts = DEMO_CONTACTS;
    plan.intercom.invented_companies = DEMO_COMPANIES;
    let world = World::prepare(plan).await?;
    feedback::prepare(&world);
    let service = world.start_service(metrics()?).await?;
    addresses(&world, service.addr);
    match &service.first_visit_code {
        Some(code) if options.first_visit => {
            println!("First visit  http://{}/setup?code={code}", service.addr);
        }
        Some(code) => {
            let (email, password) = owner(service.access(), code).await?;
            println!("Sign-in      {email} with the password {password}");
        }
        None => {}
    }
    println!();
    let told = if options.story {
        play(&world, &service).await
    } else {
        by_hand(&world)?;
        tokio::signal::ctrl_c().await.context("waiting for the end")
    };
    service.stop().await;
    match told {
        Ok(()) if options.story => {
            println!("\nEvery step was seen on the far side.");
            Ok(ExitCode::SUCCESS)
        }
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            println!("\nNot seen: {error:#}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Says where everything is.
fn addresses(world: &World, service: SocketAddr) {
    let (intercom, jira) = (world.sandbox.intercom.addr, world.sandbox.jira.addr);
    println!("Bowline      http://{service}");
    println!("Intercom     http://{intercom} (simulated)");
    println!("Jira         http://{jira} (simulated)");
    println!("Service desk http://{jira}/servicedesk/{SERVICE_DESK} (simulated)");
    if let Some(channels) = &world.channels {
        let (bird, meta) = (channels.messagebird.addr, channels.whatsapp.addr);
        println!("Phones       http://{bird} (simulated MessageBird: WhatsApp and SMS)");
        println!(
            "WhatsApp     http://{meta} (simulated Meta: WhatsApp without a provider between)"
        );
    }
}

/// Plays all stories.
async fn play(world: &World, service: &Service) -> anyhow::Result<()> {
    let say = |line: &str| println!("{line}");
    println!("Linking: an Intercom conversation and a Jira issue");
    story::play(world, service.addr, say).await?;
    println!("\nMessaging: a person on WhatsApp and an agent of the service desk");
    talk_story::play(world, say).await?;
    println!("\nFeedback: a tag becomes a ticket");
    feedback::play(world, service, say).await?;
    println!("\nContacts: everyone is known");
    contacts::play(world, service, say).await
}

/// Sets the stage and says what to try.
fn by_hand(world: &World) -> anyhow::Result<()> {
    linking_by_hand(world)?;
    messaging_by_hand(world);
    println!("`bowline demo --story` plays all of it by itself. End with Ctrl-C.");
    Ok(())
}

fn linking_by_hand(world: &World) -> anyhow::Result<()> {
    let intercom = &world.sandbox.intercom.state;
    let refused = |error| anyhow::anyhow!("setting the stage: {error:?}");
    let contact = intercom
        .create_contact(NewContact::user("Mia Holm", "mia@example.com"))
        .map_err(|error| anyhow::anyhow!("setting the stage: {error:?}"))?;
    let conversation = intercom
        .create_conversation(&contact, "The export button does nothing.")
        .map_err(refused)?;
    println!("Try this, with Intercom and Jira side by side:");
    println!("  1. Open Intercom: Mia wrote to support. Copy the address of her conversation:");
    println!("       {}", intercom.conversation_address(&conversation));
    println!("  2. Open Jira, create an issue in ENG and paste the address in its description.");
    println!("     Mia's conversation gets a note that names the issue.");
    println!("  3. Comment on the issue, assign it: each lands in the conversation as a note.");
    println!("  4. Close the conversation in Intercom, and move the issue to Done in Jira:");
    println!("     the conversation gets the note and is open again.");
    println!(
        "  5. In Intercom, tag a message with {}: it becomes a ticket",
        feedback::TAG
    );
    println!("     in the feedback inbox of Bowline.");
    println!("  6. Open Contacts in Bowline, Integration settings, and switch copying on:");
    // Intercom does not list companies that have nobody, so they are not copied either.
    let (people, companies) = (intercom.contacts_listed(), intercom.companies_listed());
    println!("     the workspace has {people} people, and {companies} companies with somebody in");
    println!("     them; others are not listed by Intercom.");
    println!("  7. Take the address out of the description: from then on it stays silent.");
    println!();
    Ok(())
}

/// Two people with phones are there, and neither has written yet.
fn messaging_by_hand(world: &World) {
    let Some(channels) = &world.channels else {
        return;
    };
    let bird = &channels.messagebird.state;
    let _ = bird.phone(talk_story::NOA).named("Noa Lind");
    let _ = bird
        .phone("+15557701")
        .named("Tariq Haddad")
        .on(bowline_sandbox::messagebird::SMS);
    println!("And this, with the phones and the service desk side by side:");
    println!("  1. Open the phones, choose Noa, and write two messages over whatsapp.");
    println!("     One request comes into the queue of the service desk, with both in it.");
    println!("  2. Open the request and reply to the customer: Noa's phone shows it.");
    println!("     An internal note stays inside. Let Noa send a picture: it is attached.");
    println!("  3. Move Noa's clock outside the window and reply again: the request gets an");
    println!("     internal comment that says why nothing was delivered, and what can be done.");
    println!("     /conversations in Bowline shows every message and how far it came.");
    println!("  4. Let Noa write again, then move the request to Resolved: Noa is told, and the");
    println!("     conversation ends. What Noa writes next makes a new request.");
    println!("  5. Tariq writes over sms, which has no window and takes plain text.");
    println!();
}

/// Makes an owner's account, ready for trying: its address and password.
async fn owner(access: &Access, code: &str) -> anyhow::Result<(String, String)> {
    let password = format!("demo-{:016x}", crate::system::random());
    let form = AccountForm {
        name: "Olive Owner".to_owned(),
        email: "owner@example.com".to_owned(),
        ..AccountForm::default()
    };
    let door = Door {
        address: "this machine".to_owned(),
        browser: "bowline demo".to_owned(),
    };
    let made = access.make_owner(code, &form, &password, &door);
    made.await.context("making the owner's account")?;
    Ok((form.email, password))
}

/// A folder that is gone after the demo.
struct Folder(std::path::PathBuf);

impl Folder {
    fn make() -> anyhow::Result<Self> {
        let name = format!("bowline-demo-{:016x}", crate::system::random());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
