//! `bowline demo`

use std::process::ExitCode;

use anyhow::Context as _;
use bowline::config::{Log, LogFormat};
use bowline::demo::{Plan, World, feedback, story};
use bowline_access::{Access, AccountForm, Door};
use bowline_sandbox::intercom::NewContact;

use super::serve::metrics;
use crate::cli::Demo;
use crate::logging;

/// Runs a whole installation on this machine, until interrupted or until the story is told.
pub(crate) async fn run(options: Demo) -> anyhow::Result<ExitCode> {
    logging::start(&Log {
        format: LogFormat::Text,
        level: std::env::var("RUST_LOG").unwrap_or_else(|_| "error".to_owned()),
    });
    let folder = Folder::make()?;
    let plan = Plan {
        listen: options.listen,
        intercom_addr: options.intercom,
        jira_addr: options.jira,
        more: feedback::PRODUCT.to_owned(),
        ..Plan::new(&folder.0)
    };
    let world = World::prepare(plan).await?;
    feedback::prepare(&world);
    let service = world.start_service(metrics()?).await?;
    println!("Bowline      http://{}", service.addr);
    println!(
        "Intercom     http://{} (simulated)",
        world.sandbox.intercom.addr
    );
    println!(
        "Jira         http://{} (simulated)",
        world.sandbox.jira.addr
    );
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
        let told = story::play(&world, service.addr, |line| println!("{line}")).await;
        match told {
            Ok(()) => feedback::play(&world, &service, |line| println!("{line}")).await,
            failed => failed,
        }
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

/// Sets the stage and says what to try.
fn by_hand(world: &World) -> anyhow::Result<()> {
    let intercom = &world.sandbox.intercom.state;
    let refused = |error| anyhow::anyhow!("setting the stage: {error:?}");
    let contact = intercom
        .create_contact(NewContact::user("Mia Holm", "mia@example.com"))
        .map_err(|error| anyhow::anyhow!("setting the stage: {error:?}"))?;
    let conversation = intercom
        .create_conversation(&contact, "The export button does nothing.")
        .map_err(refused)?;
    println!("Try this:");
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
    println!("  6. Take the address out of the description: from then on it stays silent.");
    println!();
    println!("`bowline demo --story` plays this by itself. End with Ctrl-C.");
    Ok(())
}

/// Makes an owner's account, ready for trying: its address and password.
async fn owner(access: &Access, code: &str) -> anyhow::Result<(String, String)> {
    let password = format!("demo-{:016x}", bowline::system::random());
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
        let name = format!("bowline-demo-{:016x}", bowline::system::random());
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
