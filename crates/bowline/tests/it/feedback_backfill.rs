//! Taking in what was tagged before, by the real engine: paused, resumed and cancelled on the page
//! and by scripts.

use bowline_store::feedback::{Backfill, BackfillState};
use serde_json::{Value, json};

use crate::api::Script;
use crate::browser::Browser;
use crate::failure::{fault, status};
use crate::feedback::{Feedback, IDEAS};
use crate::messaging_stage::until_async;
use crate::stage::{On, on_both};

on_both!(
    a_backfill_is_paused_resumed_and_cancelled_on_its_page,
    a_backfill_is_paused_resumed_and_cancelled_by_scripts
);

/// Conversations that were tagged before: five pages of a search.
const BEFORE: usize = 620;

/// What a search answers with at most.
const PAGE: i64 = 150;

/// Another product beside the usual one, whose backfills show that the engine goes on.
const OTHER: &str = "[[product]]\nname = \"Web\"\nworkspace = \"acme\"\ntags = [\"bug\"]\n";

/// A stage with what was tagged before the service was ever there.
async fn tagged_before(on: On) -> Feedback {
    let mut it = Feedback::prepare(on, &format!("{IDEAS}{OTHER}"), |_| ()).await;
    let day = 86_400_000;
    it.stage.intercom().advance_clock(-2 * day);
    let noa = it.customer("Noa Lind", "Example Ltd", 10);
    for number in 0..BEFORE {
        let conversation = it.says(&noa, &format!("Wish number {number}."));
        it.tag(&conversation, "source", &it.idea);
    }
    let conversation = it.says(&noa, "An error.");
    it.tag(&conversation, "source", &it.bug);
    it.stage.intercom().advance_clock(2 * day);
    it.stage.start().await;
    it.resolved().await;
    it.stage.settled().await;
    it
}

fn days_ago(days: i64) -> String {
    let from = jiff::Timestamp::now() - jiff::Span::new().hours(24 * days);
    from.strftime("%Y-%m-%d").to_string()
}

async fn latest(it: &Feedback, product: &str) -> Option<Backfill> {
    let id = it.product(product).await.id;
    it.stage.store().latest_backfill(id).await.unwrap()
}

/// Waits until a backfill has looked at a page, and has Intercom answer no search from then on: it
/// gets no further, and says so.
async fn in_the_middle(it: &Feedback) -> Backfill {
    until_async(async || {
        let one = latest(it, "Mobile app").await?;
        (one.looked >= PAGE).then_some(())
    })
    .await;
    let down = fault("POST", "/conversations/search", 0, 100_000, status(503));
    it.stage.intercom().faults().add(down);
    let one = until_async(async || {
        let one = latest(it, "Mobile app").await?;
        one.trouble.is_some().then_some(one)
    })
    .await;
    let before = i64::try_from(BEFORE).unwrap();
    assert!(one.looked < before, "it is in the middle: {one:?}");
    one
}

/// Waits until the other product's backfill came to its end: by then the engine has gone through
/// all that are under way.
async fn other_done(it: &Feedback) {
    until_async(async || {
        let one = latest(it, "Web").await?;
        (one.state == BackfillState::Done).then_some(())
    })
    .await;
}

async fn done(it: &Feedback) {
    until_async(async || {
        let one = latest(it, "Mobile app").await?;
        (one.state == BackfillState::Done).then_some(())
    })
    .await;
    it.stage.settled().await;
}

/// How many tickets there are of the usual product.
async fn tickets_of(it: &Feedback) -> i64 {
    let product = it.product("Mobile app").await.id;
    let counts = it.stage.store().ticket_counts(Some(product)).await.unwrap();
    counts.iter().map(|(_, count)| count).sum()
}

async fn send(admin: &mut Browser, path: &str, word: &str, backfill: i64) {
    let number = backfill.to_string();
    let fields = [("do", word), ("backfill", number.as_str())];
    admin.send(&format!("{path}/backfill"), &fields).await;
}

async fn a_backfill_is_paused_resumed_and_cancelled_on_its_page(on: On) {
    let it = tagged_before(on).await;
    let mut admin = Browser::signed_in(&it.stage, "administrator").await;
    let path = format!("/products/{}", it.product("Mobile app").await.id);
    let other = format!("/products/{}", it.product("Web").await.id);
    let from = days_ago(5);
    let begin = [("do", "begin"), ("from", from.as_str())];
    admin.send(&format!("{path}/backfill"), &begin).await;
    let one = in_the_middle(&it).await;
    let page = admin.get(&path).await;
    page.says(&format!(
        "{} of {BEFORE} conversations looked at",
        one.looked
    ));
    // The page looks again by itself while it is under way, and not when it rests.
    let watched = "data-refresh=\"3\"";
    assert!(page.text.contains(watched));
    assert!(
        page.text.contains("<dl class=\"numbers\" data-fresh>"),
        "the tickets are counted anew, too"
    );
    page.says("This page shows how far it is as it goes on");
    send(&mut admin, &path, "pause", one.id).await;
    assert!(!admin.get(&path).await.text.contains(watched));
    it.stage.intercom().faults().clear();
    admin.send(&format!("{other}/backfill"), &begin).await;
    other_done(&it).await;
    it.stage.settled().await;
    let paused = latest(&it, "Mobile app").await.unwrap();
    assert_eq!(paused.state, BackfillState::Paused);
    assert_eq!(paused.looked, one.looked, "it rests");
    assert_eq!(tickets_of(&it).await, one.looked);
    admin.get(&path).await.says("paused");

    send(&mut admin, &path, "resume", one.id).await;
    done(&it).await;
    let all = i64::try_from(BEFORE).unwrap();
    assert_eq!(tickets_of(&it).await, all);
    let over = latest(&it, "Mobile app").await.unwrap();
    assert_eq!((over.looked, over.made), (all, all));
    let told = format!("{BEFORE} of {BEFORE} conversations looked at, {BEFORE} tickets made");
    admin.get(&path).await.says(&told);
    // Over is over.
    send(&mut admin, &path, "pause", one.id).await;
    let over = latest(&it, "Mobile app").await.unwrap();
    assert_eq!(over.state, BackfillState::Done);
}

async fn a_backfill_is_paused_resumed_and_cancelled_by_scripts(on: On) {
    let it = tagged_before(on).await;
    let script = Script::new(&it.stage, "administrator", &["read", "feedback"]).await;
    let product = it.product("Mobile app").await.id;
    let post = async |path: &str, body: Value| {
        let answer = script.call("POST", path, Some(body), "").await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.body
    };
    let from = jiff::Timestamp::now() - jiff::Span::new().hours(24 * 5);
    let begin = json!({ "from": from.to_string() });
    let all_of = format!("/api/v1/products/{product}/backfills");
    let begun = post(&all_of, begin.clone()).await;
    assert_eq!(begun["found"], json!(BEFORE));
    let one = in_the_middle(&it).await;
    let path = format!("/api/v1/backfills/{}", one.id);
    for (word, state) in [
        ("pause", "paused"),
        ("resume", "running"),
        ("cancel", "cancelled"),
    ] {
        let answer = post(&path, json!({ "do": word })).await;
        assert_eq!(answer["state"], state);
    }
    it.stage.intercom().faults().clear();
    let again = script.call("POST", &path, Some(json!({ "do": "resume" })), "");
    assert_eq!(again.await.status, 409);
    it.stage.settled().await;
    let over = script.get(&path).await.body;
    assert_eq!(
        (&over["state"], &over["looked_at"]),
        (&json!("cancelled"), &json!(one.looked))
    );
    let taken = tickets_of(&it).await;
    assert_eq!(over["made"], json!(taken));
    // Begun anew, it takes the rest and doubles nothing.
    post(&all_of, begin).await;
    done(&it).await;
    let all = i64::try_from(BEFORE).unwrap();
    assert_eq!(tickets_of(&it).await, all);
    let over = latest(&it, "Mobile app").await.unwrap();
    assert_eq!(over.made, all - taken);
}
