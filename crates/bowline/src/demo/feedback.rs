//! Feedback in the demo: a product to try, and its story.

use anyhow::{Context as _, bail, ensure};
use bowline_domain::feedback::ids::TicketId;
use bowline_domain::feedback::ticket::Status;
use bowline_domain::time::Millis;
use bowline_engine::feedback::triage;
use bowline_sandbox::intercom::NewContact;
use bowline_store::feedback::{TicketChange, TicketQuery, TicketRow};

use super::teller::Teller;
use super::{PATIENCE, World, until};
use crate::service::Service;

/// The tag that counts for the product of the demo.
pub const TAG: &str = "feedback-mobile";

/// The product of the demo, as it stands in the configuration.
pub const PRODUCT: &str = "[[product]]\n\
    name = \"Mobile app\"\n\
    workspace = \"acme\"\n\
    tags = [\"feedback-mobile\"]\n\
    notes = [\"planned\", \"done\", \"declined\"]\n\
    follow_issue = true\n\
    issue_project = \"ENG\"\n";

/// Makes the tag that the product names. Before the service starts, so that it is found at once.
pub fn prepare(world: &World) {
    world.sandbox.intercom.state.create_tag(TAG);
}

/// Someone who writes, at a company that pays.
fn writes(
    world: &World,
    name: &str,
    company: &str,
    spend: i64,
    text: &str,
) -> anyhow::Result<String> {
    let intercom = &world.sandbox.intercom.state;
    let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
    let refused = |error| anyhow::anyhow!("setting the stage: {error:?}");
    let contact = intercom
        .create_contact(NewContact::user(name, &email))
        .map_err(refused)?;
    let company = intercom
        .create_company(company, &contact)
        .map_err(refused)?;
    intercom.set_company_money(&company, Some("Pro"), spend);
    intercom
        .create_conversation(&contact, text)
        .map_err(refused)
}

fn tagged(world: &World, conversation: &str) -> anyhow::Result<()> {
    let intercom = &world.sandbox.intercom.state;
    let tag = intercom.create_tag(TAG);
    let teammate = intercom.config().admins[1].id.clone();
    intercom
        .tag_message(conversation, "source", &tag, &teammate)
        .map_err(|error| anyhow::anyhow!("tagging: {error:?}"))
}

/// Waits until the inbox shows this many tickets.
async fn inbox(service: &Service, count: usize) -> anyhow::Result<Vec<TicketRow>> {
    let store = service.shared().store.clone();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let query = TicketQuery {
            limit: 50,
            ..TicketQuery::default()
        };
        let rows = store.ticket_page(&query).await?.rows;
        if rows.len() >= count {
            return Ok(rows);
        }
        if tokio::time::Instant::now() > deadline {
            bail!("the inbox shows {} tickets, not {count}", rows.len());
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Plays the story of two wishes against a running service, telling each step to `say`.
///
/// # Errors
/// The first step that was not seen.
pub async fn play(
    world: &World,
    service: &Service,
    mut say: impl FnMut(&str) + Send,
) -> anyhow::Result<()> {
    let mut teller = Teller::new(&mut say);
    let intercom = &world.sandbox.intercom.state;
    let one = writes(
        world,
        "Ines Vidal",
        "Example Ltd",
        900,
        "A dark mode for the mobile app would help my team.",
    )?;
    let two = writes(
        world,
        "Otto Berg",
        "Sample GmbH",
        400,
        "Please add a dark mode to the mobile app.",
    )?;
    teller.step("Ines and Otto both wish for a dark mode, in conversations of their own.");
    tagged(world, &one)?;
    tagged(world, &two)?;
    teller.step("A teammate tags both messages in Intercom.");
    let rows = inbox(service, 2).await?;
    let (newer, older) = (&rows[0], &rows[1]);
    for row in &rows {
        teller.seen(&format!(
            "Ticket {}: “{}”, {} of {}",
            row.id,
            row.title,
            row.author,
            row.company_name.as_deref().unwrap_or("no company")
        ));
    }
    let by = || {
        (
            "Paula, product manager".to_owned(),
            Millis(service.shared().now().0),
        )
    };
    let store = service.shared().store.clone();
    let merged = store
        .merge_tickets((newer.id, older.id), by(), Vec::new())
        .await?;
    merged.map_err(|why| anyhow::anyhow!("the tickets were not merged: {why:?}"))?;
    let group = group(service, older.id).await?;
    if (group.people, group.companies, group.spend) != (2, 2, 1_300) {
        bail!("the merged ticket counts {group:?}");
    }
    teller.step("Paula merges them: two people, two companies, a monthly spend of 1,300 want it.");
    let change = TicketChange::Status(Status::Planned);
    let moved = triage(
        &service.shared(),
        vec![older.id],
        change,
        "Paula",
        Vec::new(),
    )
    .await?;
    ensure!(moved.is_ok(), "the ticket was merged away: {moved:?}");
    teller.step("She moves the ticket to planned.");
    for conversation in [&one, &two] {
        let words = "is planned";
        let note = until(|| {
            let notes = intercom.notes(conversation).into_iter();
            notes
                .map(|note| note.body)
                .find(|body| body.contains(words))
        })
        .await
        .with_context(|| format!("conversation {conversation} was not told"))?;
        if !note.contains("/feedback/") {
            bail!("the note does not lead to the ticket: {note}");
        }
        teller.seen(&format!(
            "Note in conversation {conversation}: feedback is planned."
        ));
    }
    Ok(())
}

async fn group(service: &Service, id: TicketId) -> anyhow::Result<TicketRow> {
    let view = service.shared().store.ticket(id).await?;
    Ok(view.context("the ticket is gone")?.row)
}
