//! Looking for what no webhook told: messages, changes of requests, windows that are about to end;
//! and keeping the webhook registered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bowline_domain::messaging::delivery::Delivery;
use bowline_domain::messaging::ids::RequestRef;
use bowline_domain::messaging::request::Request;
use bowline_domain::time::Millis;
use bowline_jira as jira;
use bowline_messagebird::{
    Conversation, Conversations, Listed, ProviderEvent, Registration, WantedWebhook, Which,
};
use bowline_net::{ApiError, Reply};
use bowline_store::model::EventSource;

use super::ingress::{Carried, take_in};
use super::unserved;
use crate::health;
use crate::pace::Priority;
use crate::planner::{TalkEvent, talk_event};
use crate::registry::{Account, Site, Standing};
use crate::shared::Shared;

/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_secs(5);

/// How soon a look that failed is made again, in milliseconds.
const AGAIN_AFTER_MS: i64 = 10_000;

/// How far a look reaches back behind the last one, in milliseconds: lists lag behind, and clocks
/// differ.
const OVERLAP_MS: i64 = 10 * 60 * 1_000;

/// How often requests are looked for that changed without a webhook, in milliseconds.
pub(super) const REQUESTS_EVERY_MS: i64 = 60_000;

/// How long before the end of the window for answers the agents are reminded, in milliseconds.
const REMINDED_BEFORE_MS: i64 = 60 * 60 * 1_000;

/// Pages of any list that are read in one look.
const PAGES_MAX: usize = 200;

/// Issues per page of a search.
const PAGE_SIZE: u32 = 50;

/// Looks again and again, until the engine stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut due: HashMap<String, Millis> = HashMap::new();
    loop {
        let configured = shared.configured.notified();
        let registry = shared.registry();
        for account in registry.accounts.values() {
            let every = i64::try_from(account.config.poll.as_millis()).unwrap_or(i64::MAX);
            let name = watch_name(account);
            if account.standing.works() && is_due(&mut due, &name, every, shared.now()) {
                let done = look_at(&shared, account, &name).await;
                again_soon(&mut due, &name, done.is_err(), shared.now());
                complain(&name, done);
            }
        }
        for desk in &registry.desks {
            let Some(site) = registry.sites.get(&desk.desk.site) else {
                continue;
            };
            let name = format!("desk/{}", desk.desk.name);
            if site.standing.works() && is_due(&mut due, &name, REQUESTS_EVERY_MS, shared.now()) {
                let done = requests(&shared, site, &desk.service_desk, &name).await;
                again_soon(&mut due, &name, done.is_err(), shared.now());
                complain(&name, done);
            }
        }
        let live = shared.store.live_talks().await;
        match live {
            Ok(live) => {
                complain("windows", windows(&shared, &live).await);
                complain("unserved", unserved::run(&shared, &live, &mut due).await);
            }
            Err(error) => complain("windows", Err(error.to_string())),
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = configured => due.clear(),
            () = shared.stopping.cancelled() => return,
        }
    }
}

fn watch_name(account: &Account) -> String {
    format!("account/{}", account.config.name)
}

pub(super) fn is_due(
    due: &mut HashMap<String, Millis>,
    name: &str,
    every_ms: i64,
    now: Millis,
) -> bool {
    let at = due.entry(name.to_owned()).or_insert(now);
    let is_due = now >= *at;
    if is_due {
        *at = now.plus_ms(every_ms);
    }
    is_due
}

/// A look that failed is made again before its time: until then no webhook may be registered.
pub(super) fn again_soon(due: &mut HashMap<String, Millis>, name: &str, failed: bool, now: Millis) {
    if let Some(at) = due.get_mut(name).filter(|_| failed) {
        *at = (*at).min(now.plus_ms(AGAIN_AFTER_MS));
    }
}

fn complain(what: &str, done: Result<(), String>) {
    if let Err(error) = done {
        tracing::warn!(what, error, "looking for what no webhook told failed");
    }
}

async fn call<T>(
    shared: &Shared,
    standing: &Standing,
    call: impl Future<Output = Result<Reply<T>, ApiError>>,
) -> Result<T, String> {
    standing.pace.turn(Priority::Bulk, &*shared.clock).await;
    match call.await {
        Ok(reply) => {
            standing.pace.learn(&reply.limits);
            Ok(reply.value)
        }
        Err(error) => {
            standing.pace.failed();
            health::take_in(shared, standing, &error).await;
            Err(error.to_string())
        }
    }
}

async fn look_at(shared: &Arc<Shared>, account: &Account, name: &str) -> Result<(), String> {
    let began = shared.now();
    let watch = shared.store.watch(name.to_owned(), began).await;
    let since = watch.map_err(|error| error.to_string())?;
    if let Some(registration) = account.provider.registration()
        && account.config.register_webhook
    {
        register(shared, account, registration).await?;
    }
    if let Some(conversations) = account.provider.conversations() {
        missed(shared, account, conversations, since.plus_ms(-OVERLAP_MS)).await?;
    }
    let done = shared.store.watched(name.to_owned(), began).await;
    done.map_err(|error| error.to_string())
}

/// Registers the webhook where it is not, and mends it where it is not whole.
async fn register(
    shared: &Shared,
    account: &Account,
    registration: &dyn Registration,
) -> Result<(), String> {
    let wanted = WantedWebhook {
        url: account.config.hook_url.to_string(),
        channel: None,
    };
    let mut start = 0;
    for _ in 0..PAGES_MAX {
        let page = call(shared, &account.standing, registration.list(start)).await?;
        let ours = page
            .items
            .iter()
            .find(|one| one.url == wanted.url && one.channel.is_none());
        if let Some(ours) = ours {
            if !registration.is_complete(ours) {
                let update = registration.update(&ours.id, &wanted);
                call(shared, &account.standing, update).await?;
                tracing::warn!(account = %account.config.name, "the webhook was mended");
            }
            return Ok(());
        }
        match page.next {
            Some(next) => start = next,
            None => break,
        }
    }
    call(shared, &account.standing, registration.create(&wanted)).await?;
    tracing::info!(account = %account.config.name, url = wanted.url, "the webhook was registered");
    Ok(())
}

/// Stores messages of open conversations that no webhook told of. Those that were told have been
/// stored under the same name.
async fn missed(
    shared: &Shared,
    account: &Account,
    conversations: &dyn Conversations,
    since: Millis,
) -> Result<(), String> {
    let mut start = 0;
    for _ in 0..PAGES_MAX {
        let list = conversations.list(Which::Open, start);
        let page = call(shared, &account.standing, list).await?;
        for conversation in &page.items {
            if is_newer(conversation, since) {
                messages(shared, account, conversations, conversation, since).await?;
            }
        }
        // Sorted by when the person last wrote.
        let over = page
            .items
            .last()
            .and_then(|last| last.last_received_ms)
            .is_some_and(|at| at < since.0);
        match page.next.filter(|_| !over) {
            Some(next) => start = next,
            None => break,
        }
    }
    Ok(())
}

fn is_newer(conversation: &Conversation, since: Millis) -> bool {
    let last = conversation.last_received_ms.max(conversation.updated_ms);
    last.is_none_or(|at| at >= since.0)
}

async fn messages(
    shared: &Shared,
    account: &Account,
    conversations: &dyn Conversations,
    conversation: &Conversation,
    since: Millis,
) -> Result<(), String> {
    let mut found = Vec::new();
    let mut start = 0;
    for _ in 0..PAGES_MAX {
        let list = conversations.messages(&conversation.id, start);
        let page = call(shared, &account.standing, list).await?;
        let mut over = false;
        for mut item in page.items {
            let (Listed::Inbound(message) | Listed::Outbound(message)) = &mut item;
            message.person.complete(&conversation.person);
            over |= message.at_ms.is_some_and(|at| at < since.0);
            if !over {
                found.push(item);
            }
        }
        match page.next.filter(|_| !over) {
            Some(next) => start = next,
            None => break,
        }
    }
    // The list is newest first; what was said first is planned first.
    for item in found.into_iter().rev() {
        let event = match item {
            Listed::Inbound(message) => ProviderEvent::Inbound(message),
            Listed::Outbound(message) => ProviderEvent::EchoOut(message),
        };
        let carried = Carried { event, raw: None };
        let stored = take_in(shared, account, carried, shared.now()).await;
        stored.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Has requests looked at that changed since the last look. An event is named by the issue's
/// version, so each version is looked at once.
pub(super) async fn requests(
    shared: &Shared,
    site: &Site,
    project: &str,
    name: &str,
) -> Result<(), String> {
    let began = shared.now();
    let watch = shared.store.watch(name.to_owned(), began).await;
    let since = watch
        .map_err(|error| error.to_string())?
        .plus_ms(-OVERLAP_MS);
    let minutes = began.since(since).max(0) / 60_000 + 1;
    let jql =
        format!("project = \"{project}\" AND updated >= \"-{minutes}m\" ORDER BY updated ASC");
    let mut cursor = None;
    loop {
        let search =
            site.client
                .search(&jql, jira::IssueRead::default(), cursor.as_ref(), PAGE_SIZE);
        let page = call(shared, &site.standing, search).await?;
        for issue in &page.items {
            changed(shared, site, issue).await?;
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let done = shared.store.watched(name.to_owned(), began).await;
    done.map_err(|error| error.to_string())
}

async fn changed(shared: &Shared, site: &Site, issue: &jira::Issue) -> Result<(), String> {
    let id = bowline_domain::ids::IssueId::new(issue.id.as_str());
    let talk = shared.store.talk_of_issue(&site.config.name, &id).await;
    let Some(talk) = talk.map_err(|error| error.to_string())? else {
        return Ok(());
    };
    let look = TalkEvent::Look {
        generation: talk.whose.generation,
        deleted: false,
        commented: None,
    };
    let version = issue.updated_ms.unwrap_or_default();
    let name = format!("{}@{version}", issue.id);
    store(shared, &talk.whose, &look, name).await
}

pub(super) async fn store(
    shared: &Shared,
    whose: &RequestRef,
    told: &TalkEvent,
    name: String,
) -> Result<(), String> {
    let event = talk_event(whose, told, EventSource::Reconciler, name, shared.now());
    let event = event.map_err(|error| error.to_string())?;
    let stored = shared.store_event(event).await;
    stored.map(drop).map_err(|error| error.to_string())
}

/// Reminds agents of windows that are about to end while the end user waits for an answer.
async fn windows(shared: &Shared, live: &[(RequestRef, Request)]) -> Result<(), String> {
    let now = shared.now();
    for (whose, request) in live {
        let Some(ends_at) = to_be_reminded_of(request, now) else {
            continue;
        };
        let sent = shared.store.outbounds(whose).await;
        let sent = sent.map_err(|error| error.to_string())?;
        // An answer that reached nobody leaves the customer waiting.
        let answered = sent.iter().any(|one| {
            let lost = matches!(one.delivery, Delivery::Failed | Delivery::NotSent);
            one.comment.is_some() && !lost && one.at >= request.last_inbound_at
        });
        if answered {
            continue;
        }
        let told = TalkEvent::WindowEnds {
            generation: whose.generation,
        };
        store(shared, whose, &told, window_name(whose, ends_at)).await?;
    }
    Ok(())
}

fn window_name(whose: &RequestRef, ends_at: Millis) -> String {
    format!(
        "window-{}-{}-{}",
        whose.end_user, whose.generation, ends_at.0
    )
}

fn to_be_reminded_of(request: &Request, now: Millis) -> Option<Millis> {
    let ends_at = request.window_ends_at()?;
    let soon = now < ends_at && ends_at.since(now) <= REMINDED_BEFORE_MS;
    (soon && request.reminded_of != Some(ends_at)).then_some(ends_at)
}
