//! Two processes on one database: one of them copies contacts, one of them takes in what was tagged
//! before. Nothing is asked for twice.

use bowline_sandbox::intercom::NewContact;
use bowline_store::testing::{execute, texts};
use secrecy::ExposeSecret as _;

use crate::contacts::{ON, until_so};
use crate::feedback::{Feedback, IDEAS};
use crate::operations::idle;
use crate::process::Serving;
use crate::stage::On;

/// Contacts that the workspace has besides the customer: some pages.
const CONTACTS: u64 = 1_000;

/// Conversations that were tagged before: some pages.
const BEFORE: usize = 500;

/// What a list or a search answers with at most.
const PAGE: usize = 150;

#[tokio::test]
async fn two_processes_share_copies_and_backfills_and_ask_for_nothing_twice() {
    let it = Feedback::prepare(On::Postgres, IDEAS, |plan| {
        ON.clone_into(&mut plan.top);
        plan.intercom.invented_contacts = CONTACTS;
        plan.intercom.latency_ms = 5;
    })
    .await;
    let intercom = it.stage.intercom();
    let day = 86_400_000;
    intercom.advance_clock(-2 * day);
    let noa = intercom
        .create_contact(NewContact::user("Noa Berg", "noa.berg@example.com"))
        .unwrap();
    for number in 0..BEFORE {
        let conversation = it.says(&noa, &format!("Wish number {number}."));
        it.tag(&conversation, "source", &it.idea);
    }
    intercom.advance_clock(2 * day);
    let url = it.stage.world.config().unwrap().database.url();
    let url = url.expose_secret();
    let one = Serving::start(&it.stage).await;
    let other = Serving::beside(&it.stage).await;
    let number = async |sql: &str| -> Option<usize> {
        let rows = texts(url, sql).await.ok()?;
        rows.first()?.first()?.as_ref()?.parse().ok()
    };
    until_so("the product's tag is known", async || {
        let known = number("SELECT CAST(COUNT(*) AS TEXT) FROM product_tag").await;
        (known == Some(1)).then_some(())
    })
    .await;
    let begin = "INSERT INTO backfill (product, since, state, found, looked, made, who, at) \
        SELECT id, 1, 'running', 0, 0, 0, 'Ana', 1 FROM product";
    execute(url, begin).await.unwrap();
    until_so("both are over", async || {
        let over = "SELECT CAST((SELECT COUNT(*) FROM backfill WHERE state = 'done') + \
            (SELECT COUNT(*) FROM contact_run WHERE state = 'done') AS TEXT)";
        (number(over).await == Some(2)).then_some(())
    })
    .await;
    until_so("all tickets are there", async || {
        let tickets = number("SELECT CAST(COUNT(*) AS TEXT) FROM ticket").await;
        (tickets >= Some(BEFORE)).then_some(())
    })
    .await;
    idle(&it.stage, &one).await;
    let tickets = number("SELECT CAST(COUNT(*) AS TEXT) FROM ticket").await;
    assert_eq!(tickets, Some(BEFORE));
    let looked = number("SELECT CAST(looked AS TEXT) FROM backfill").await;
    assert_eq!(looked, Some(BEFORE));

    let journal = intercom.journal();
    assert_eq!(journal.lost(), 0);
    let pages = journal.count(|entry| entry.method == "GET" && entry.path == "/contacts");
    let people = usize::try_from(CONTACTS).unwrap() + 2;
    assert_eq!(pages, people.div_ceil(PAGE), "each page once");
    // What is looked for besides, that was tagged lately, fits on one page.
    let further = journal.count(|entry| {
        entry.path == "/conversations/search"
            && !entry.request_body["pagination"]["starting_after"].is_null()
    });
    assert_eq!(further, BEFORE.div_ceil(PAGE) - 1, "each page once");
    drop((one, other));
}
