//! The workspace as tests and the demo use it: what teammates and customers do, and a look at what
//! came of it.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::common::clock::now_ms;
use crate::common::delivery::{Delivery, Outgoing, RetryPolicy, Sender, not_2xx};
use crate::common::faults::Faults;
use crate::common::journal::Journal;
use crate::common::page::Neighbours;
use crate::common::sign::{hmac_sha1_hex, random_uuid};

use super::contacts::{Changes, Edit};
use super::error::ApiError;
use super::files::StoredFile;
use super::json::{self as shape, Parts};
use super::limit::{Limiter, Window};
use super::model::{Config, ConversationState, NewContact, Note, PartView, Tag};
use super::state::{Done, File, Message, Now, State};
use super::tagging::Target;
use super::topics::{self, Event, Notification};
use super::version::Version;

/// How often snoozed conversations are looked at, in milliseconds.
const TICK_MS: u64 = 250;

/// Attempts of a webhook: the first and one more.
const WEBHOOK_ATTEMPTS: u32 = 2;

/// A simulated workspace. Cloning gives another handle to the same workspace.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    config: Arc<Config>,
    neighbours: Neighbours,
    journal: Journal,
    faults: Faults,
    sender: Sender,
    limiter: Limiter,
    clock_offset_ms: AtomicI64,
    webhook_disabled: Arc<AtomicBool>,
    state: Mutex<State>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("workspace", &self.inner.config.workspace)
            .finish()
    }
}

/// Wakes snoozed conversations in time until the server stops.
pub(crate) async fn keep_time(sandbox: Sandbox, stopped: CancellationToken) {
    loop {
        tokio::select! {
            () = stopped.cancelled() => return,
            () = tokio::time::sleep(Duration::from_millis(TICK_MS)) => {
                sandbox.with(|_, _| ());
            }
        }
    }
}

fn number(id: &str) -> Done<u64> {
    id.parse().map_err(|_| ApiError::not_found())
}

impl Sandbox {
    /// A workspace without contacts or conversations.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn new(config: Config, neighbours: Neighbours) -> Self {
        let config = Arc::new(config);
        Self {
            inner: Arc::new(Inner {
                limiter: Limiter::new(config.rate_limit_per_10s),
                state: Mutex::new(State::new(config.clone())),
                config,
                neighbours,
                journal: Journal::new(),
                faults: Faults::new(),
                sender: Sender::new(),
                clock_offset_ms: AtomicI64::new(0),
                webhook_disabled: Arc::new(AtomicBool::new(false)),
            }),
        }
    }

    /// Does something with the state at this moment, and sends the webhooks that follow from it,
    /// in order.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State, Now) -> T) -> T {
        let mut state = self
            .inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        state.wake_due(now);
        let result = act(&mut state, now);
        if !state.events.is_empty() {
            let events = std::mem::take(&mut state.events);
            if let Some(url) = state.webhook_url.clone() {
                for event in events {
                    self.notify(&url, event, now);
                }
            }
        }
        result
    }

    fn notify(&self, url: &str, event: Event, now: Now) {
        if self.inner.webhook_disabled.load(Ordering::Relaxed) {
            return;
        }
        let topic = event.topic.to_owned();
        let config = &self.inner.config;
        let notification = Notification::new(&config.workspace, event, now.s);
        let secret = config.client_secret.clone();
        let identifier = notification.id.clone();
        let outgoing = move |attempt: u32| {
            let body = notification.body(attempt);
            let signature = format!("sha1={}", hmac_sha1_hex(&secret, &body));
            let headers = [
                ("User-Agent", "intercom-parrot-service-client/1.0"),
                ("Accept", "application/json"),
                ("Content-Type", "application/json"),
                ("X-Hub-Signature", signature.as_str()),
            ];
            let headers = headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec();
            Outgoing { headers, body }
        };
        let first = outgoing(1);
        let disabled = self.inner.webhook_disabled.clone();
        self.inner.sender.enqueue(Delivery {
            url: url.to_owned(),
            topic,
            identifier,
            headers: first.headers,
            body: first.body,
            retry: RetryPolicy {
                attempts: WEBHOOK_ATTEMPTS,
                delay_ms: vec![config.webhook_retry_ms],
                timeout_ms: config.webhook_timeout_ms,
                retry_on: not_2xx,
            },
            rewrite: Some(Arc::new(move |attempt, _| outgoing(attempt))),
            sign: None,
            // 410 ends the subscription for good.
            on_answer: Some(Arc::new(move |status| {
                if status == 410 {
                    disabled.store(true, Ordering::Relaxed);
                }
            })),
        });
    }

    fn now(&self) -> Now {
        let ms = now_ms() + self.inner.clock_offset_ms.load(Ordering::Relaxed);
        Now {
            ms,
            s: ms.div_euclid(1_000),
        }
    }

    // ---- the sandbox itself ----

    /// How it was set up.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Every REST call that was received.
    pub fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    /// The faults of REST calls.
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// The sender of webhooks, with its log and disturbances.
    pub fn sender(&self) -> &Sender {
        &self.inner.sender
    }

    pub(crate) fn neighbours(&self) -> &Neighbours {
        &self.inner.neighbours
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.inner.limiter
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.now().s
    }

    /// Moves the workspace's clock forward; its time goes on from there.
    pub fn advance_clock(&self, ms: i64) {
        self.inner.clock_offset_ms.fetch_add(ms, Ordering::Relaxed);
        self.with(|_, _| ());
    }

    /// Calls per window of ten seconds, oldest first; `refused` counts the 429s.
    pub fn windows(&self) -> Vec<Window> {
        self.inner.limiter.windows()
    }

    /// Whether any call got 429.
    pub fn refused_any(&self) -> bool {
        self.windows().iter().any(|window| window.refused > 0)
    }

    /// Changes the rate limit from now on; `None` is no limit.
    pub fn set_rate_limit(&self, per_10s: Option<u32>) {
        self.inner.limiter.set(per_10s);
    }

    // ---- the app's credentials and webhook ----

    /// Makes every token invalid, as "Regenerate token" or an uninstall does.
    pub fn revoke_token(&self) {
        self.with(|state, _| state.token = None);
    }

    /// Makes this the valid token.
    pub fn set_token(&self, token: &str) {
        self.with(|state, _| state.token = Some(token.to_owned()));
    }

    /// A code for the token exchange, good once. It ends in `=`, as real ones may.
    pub fn issue_code(&self) -> String {
        let code = format!("{}=", random_uuid());
        self.with(|state, _| state.codes.insert(code.clone()));
        code
    }

    /// Registers a redirect URL at the app, as a person does in the Developer Hub.
    pub fn register_redirect(&self, url: &str) {
        self.with(|state, _| state.redirects.push(url.to_owned()));
    }

    /// The redirect URLs that are registered at the app, the default first.
    pub(crate) fn redirects(&self) -> Vec<String> {
        self.with(|state, _| state.redirects.clone())
    }

    /// Lets conversation calls fail with 403 `api_plan_restricted`, or lets them be.
    pub fn set_plan_restricted(&self, restricted: bool) {
        self.with(|state, _| state.plan_restricted = restricted);
    }

    /// Takes the permission to read and write conversations from the app, or gives it back.
    pub fn set_conversations_forbidden(&self, forbidden: bool) {
        self.with(|state, _| state.conversations_forbidden = forbidden);
    }

    /// Sends webhooks there from now on, without the check of [`Self::connect_webhook`].
    pub fn set_webhook(&self, url: Option<String>) {
        self.inner.webhook_disabled.store(false, Ordering::Relaxed);
        self.with(|state, _| state.webhook_url = url);
    }

    /// Enters a webhook as a person does in the Developer Hub: the URL must answer HEAD with 2xx,
    /// then a `ping` follows.
    ///
    /// # Errors
    /// What the URL answered instead.
    pub async fn connect_webhook(&self, url: &str) -> Result<(), String> {
        let timeout = Duration::from_millis(self.inner.config.webhook_timeout_ms);
        let answer = self
            .inner
            .sender
            .client()
            .head(url)
            .timeout(timeout)
            .send()
            .await;
        let status = answer.map_err(|error| error.to_string())?.status();
        if !status.is_success() {
            return Err(format!("HEAD {url} answered {status}"));
        }
        self.set_webhook(Some(url.to_owned()));
        self.ping();
        Ok(())
    }

    /// Sends the topic `ping`.
    pub fn ping(&self) {
        self.with(|state, _| {
            let item = json!({ "type": "ping", "message": "something something interzen" });
            state.events.push(Event {
                topic: topics::PING,
                item,
            });
        });
    }

    /// Subscribes to these topics only.
    pub fn set_topics(&self, topics: &[&str]) {
        self.with(|state, _| {
            state.topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        });
    }

    /// Whether an answer 410 ended the webhook for good.
    pub fn webhook_disabled(&self) -> bool {
        self.inner.webhook_disabled.load(Ordering::Relaxed)
    }

    /// Takes a teammate away from the workspace.
    pub fn remove_admin(&self, id: &str) {
        self.with(|state, _| state.admins.retain(|admin| admin.id != id));
    }

    // ---- what customers and teammates do ----

    /// Makes a contact and returns its id.
    pub fn create_contact(&self, contact: NewContact) -> Done<String> {
        self.with(|state, now| state.create_contact(contact, now))
    }

    /// Renames a contact.
    pub fn rename_contact(&self, id: &str, name: &str) -> Done<()> {
        let changes = Changes {
            name: Edit::Set(name.to_owned()),
            ..Changes::default()
        };
        self.with(|state, now| state.update_contact(id, changes, now))
    }

    /// Sets an attribute of a contact, of whatever kind, also one that REST would refuse.
    pub fn set_contact_attribute(&self, id: &str, name: &str, value: Value) -> Done<()> {
        let changes = Changes {
            custom_attributes: [(name.to_owned(), value)].into_iter().collect(),
            ..Changes::default()
        };
        self.with(|state, now| state.update_contact(id, changes, now))
    }

    /// The id of the n-th invented contact.
    pub fn invented_contact(&self, number: u64) -> String {
        super::population::id(number)
    }

    /// How many contacts lists show.
    pub fn contacts_listed(&self) -> u64 {
        self.with(|state, _| state.count_listed())
    }

    /// Deletes a contact.
    pub fn delete_contact(&self, id: &str) -> Done<()> {
        self.with(|state, _| state.delete_contact(id).map(|_| ()))
    }

    /// Archives a contact or brings it back.
    pub fn archive_contact(&self, id: &str, archived: bool) -> Done<()> {
        self.with(|state, now| state.set_archived(id, archived, now))
    }

    /// Merges a lead into another contact, whether they look like duplicates or not.
    pub fn merge_contacts(&self, from: &str, into: &str) -> Done<()> {
        self.with(|state, now| state.merge_contacts(from, into, false, now))
    }

    /// Makes a company, puts the contact in it, and returns the company's id.
    pub fn create_company(&self, name: &str, contact: &str) -> Done<String> {
        self.with(|state, now| {
            state.hold(contact);
            state.contact(contact, Version::V2_16)?;
            let id = state.create_company(name, now);
            state.set_member(contact, &id, true)?;
            Ok(id)
        })
    }

    /// Calls a company something else.
    pub fn rename_company(&self, company: &str, name: &str) -> Done<()> {
        self.with(|state, _| state.rename_company(company, name))
    }

    /// Deletes a company. Its people stay.
    pub fn delete_company(&self, company: &str) -> Done<()> {
        self.with(|state, _| state.delete_company(company))
    }

    /// Puts a contact in a company, or takes them out of it.
    pub fn set_member(&self, contact: &str, company: &str, member: bool) -> Done<()> {
        self.with(|state, _| state.set_member(contact, company, member))
    }

    /// What is known of a contact or a company besides what calls can change: fields as they are
    /// shown, such as `last_seen_at` or `size`, the workspace's own below `custom_attributes`.
    pub fn describe(&self, id: &str, fields: serde_json::Map<String, Value>) {
        self.with(|state, _| {
            let known = state.described.entry(id.to_owned()).or_default();
            known.extend(fields);
        });
    }

    /// The first contact of a conversation.
    ///
    /// # Panics
    /// There is no such conversation.
    pub fn contact_of(&self, conversation: &str) -> String {
        self.with(|state, _| {
            let id = number(conversation).expect("a conversation's id is a number");
            let found = state.conversation(id).expect("the conversation is there");
            found.contacts.first().cloned().unwrap_or_default()
        })
    }

    /// The conversation's first contact sends a file, which this server keeps at `base`. Returns
    /// the part's id.
    pub fn customer_file(
        &self,
        conversation: &str,
        base: &str,
        (name, content_type, bytes): (&str, &str, &[u8]),
    ) -> Done<String> {
        let id = number(conversation)?;
        self.with(|state, now| {
            let contact = state.conversation(id)?.contacts.first().cloned();
            let contact = contact.ok_or_else(ApiError::not_found)?;
            let key = format!("{id}-{}", state.files.len() + 1);
            let file = File {
                content_type: content_type.to_owned(),
                bytes: bytes.to_vec(),
            };
            state.files.insert(key.clone(), file);
            let attachment = json!({
                "type": "upload",
                "name": name,
                "url": format!("{base}/_files/{key}?expires={}&signature=sandbox", now.s + 1_800),
                "content_type": content_type,
                "filesize": bytes.len(),
                "width": null,
                "height": null,
            });
            let said = ("<p></p>", vec![attachment]);
            state.customer_files(id, &contact, said, false, now)
        })
        .map(|part| part.to_string())
    }

    /// A contact writes for the first time. Returns the conversation's id.
    pub fn create_conversation(&self, contact: &str, body: &str) -> Done<String> {
        self.with(|state, now| state.create_conversation(contact, body, now))
            .map(|id| id.to_string())
    }

    /// The conversation's first contact answers. Returns the part's id.
    pub fn customer_reply(&self, conversation: &str, body: &str) -> Done<String> {
        let id = number(conversation)?;
        self.with(|state, now| {
            let contact = state.conversation(id)?.contacts.first().cloned();
            let contact = contact.ok_or_else(ApiError::not_found)?;
            state.customer_message(id, &contact, body, false, now)
        })
        .map(|part| part.to_string())
    }

    /// A teammate answers the customer. Returns the part's id.
    pub fn teammate_reply(&self, conversation: &str, admin: &str, body: &str) -> Done<String> {
        self.teammate(conversation, admin, Message::Comment, body)
    }

    /// A teammate writes a note by hand. Returns the part's id.
    pub fn teammate_note(&self, conversation: &str, admin: &str, body: &str) -> Done<String> {
        self.teammate(conversation, admin, Message::Note, body)
    }

    fn teammate(
        &self,
        conversation: &str,
        admin: &str,
        message: Message,
        body: &str,
    ) -> Done<String> {
        let id = number(conversation)?;
        let draft = (Some(body.to_owned()), Vec::new());
        self.with(|state, now| state.admin_message(id, admin, message, draft, (true, false), now))
            .map(|part| part.to_string())
    }

    /// A teammate opens the conversation.
    pub fn open(&self, conversation: &str, admin: &str) -> Done<()> {
        let id = number(conversation)?;
        self.with(|state, now| state.open(id, admin, false, now))
    }

    /// A teammate closes the conversation.
    pub fn close(&self, conversation: &str, admin: &str) -> Done<()> {
        let id = number(conversation)?;
        self.with(|state, now| state.close(id, admin, None, false, now))
    }

    /// A teammate snoozes the conversation until a time in Unix seconds.
    pub fn snooze(&self, conversation: &str, admin: &str, until: i64) -> Done<()> {
        let id = number(conversation)?;
        self.with(|state, now| state.snooze(id, admin, until, false, now))
    }

    /// A teammate gives the conversation to another; `0` takes it from everyone.
    pub fn assign(&self, conversation: &str, admin: &str, assignee: &str) -> Done<()> {
        let (id, assignee) = (number(conversation)?, number(assignee)?);
        self.with(|state, now| state.assign(id, admin, assignee, None, false, now))
    }

    /// Deletes the conversation.
    pub fn delete_conversation(&self, conversation: &str) -> Done<()> {
        let id = number(conversation)?;
        self.with(|state, now| state.delete_conversation(id, false, now))
    }

    /// Merges a conversation into another.
    pub fn merge_conversations(&self, secondary: &str, primary: &str) -> Done<()> {
        let (secondary, primary) = (number(secondary)?, number(primary)?);
        self.with(|state, now| state.merge_conversations(secondary, primary, now))
    }

    /// Makes a tag, or finds the one of this name. Returns its id.
    pub fn create_tag(&self, name: &str) -> String {
        self.with(|state, _| state.ensure_tag(name)).to_string()
    }

    /// A teammate tags the conversation's newest message.
    pub fn tag(&self, conversation: &str, tag: &str, admin: &str) -> Done<()> {
        let (id, tag) = (number(conversation)?, number(tag)?);
        self.with(|state, now| state.tag(id, tag, admin, now))
    }

    /// A teammate tags one message: a part's id, or `source` for the first.
    pub fn tag_message(&self, conversation: &str, part: &str, tag: &str, admin: &str) -> Done<()> {
        let (id, tag) = (number(conversation)?, number(tag)?);
        let target = match part {
            "source" => Target::Source,
            part => Target::Part(number(part)?),
        };
        self.with(|state, now| state.tag_on(id, target, tag, admin, now))
    }

    /// A teammate tags the conversation as a whole.
    pub fn tag_conversation(&self, conversation: &str, tag: &str, admin: &str) -> Done<()> {
        let (id, tag) = (number(conversation)?, number(tag)?);
        self.with(|state, now| state.tag_on(id, Target::Whole, tag, admin, now))
    }

    /// Calls a tag something else.
    pub fn rename_tag(&self, tag: &str, name: &str) -> Done<()> {
        let tag = number(tag)?;
        self.with(|state, _| {
            let known = state.tags.get_mut(&tag).ok_or_else(ApiError::not_found)?;
            name.clone_into(known);
            Ok(())
        })
    }

    /// Deletes a tag.
    pub fn delete_tag(&self, tag: &str) -> Done<()> {
        let tag = number(tag)?;
        self.with(|state, _| state.delete_tag(tag));
        Ok(())
    }

    /// Puts a file on a message: a part's id, or `source` for the first.
    pub fn attach(
        &self,
        conversation: &str,
        part: &str,
        (name, kind): (&str, &str),
        bytes: &[u8],
    ) -> Done<()> {
        let id = number(conversation)?;
        self.with(|state, _| {
            let shown = json!({ "sandbox_file": state.attached.len() });
            let conversation = state.conversation_mut(id)?;
            let attachments = if part == "source" {
                &mut conversation.source_files
            } else {
                let part = number(part)?;
                let found = conversation.parts.iter_mut().find(|one| one.id == part);
                &mut found.ok_or_else(ApiError::not_found)?.attachments
            };
            attachments.push(shown);
            state.attached.push(StoredFile {
                name: name.to_owned(),
                kind: kind.to_owned(),
                bytes: bytes.to_vec().into(),
            });
            Ok(())
        })
    }

    /// How long addresses of files that are shown from now on can be used, in milliseconds.
    pub fn set_file_life(&self, ms: i64) {
        self.with(|state, _| state.file_life_ms = ms);
    }

    /// Blanks a message: a part's id, or `source` for the first.
    pub fn redact(&self, conversation: &str, part: &str) -> Done<()> {
        let id = number(conversation)?;
        self.with(|state, _| match part {
            "source" => state.redact_source(id),
            part => state.redact(id, number(part)?),
        })
    }

    /// What a company pays.
    pub fn set_company_money(&self, company: &str, plan: Option<&str>, monthly_spend: i64) {
        let money = (plan.map(str::to_owned), monthly_spend);
        self.with(|state, _| {
            state.company_money.insert(company.to_owned(), money);
            state.tell_of_company(topics::COMPANY_UPDATED, company);
        });
    }

    /// A teammate takes the tag away.
    pub fn untag(&self, conversation: &str, tag: &str, admin: &str) -> Done<()> {
        let (id, tag) = (number(conversation)?, number(tag)?);
        self.with(|state, now| state.untag(id, tag, admin, now))
    }

    // ---- what came of it ----

    /// The notes of a conversation, oldest first; empty if there is no such conversation.
    pub fn notes(&self, conversation: &str) -> Vec<Note> {
        self.read_parts(conversation, |part| {
            (part.part_type == "note").then(|| Note {
                part_id: part.id.to_string(),
                body: part.body.clone().unwrap_or_default(),
                admin_id: part.author.id.clone(),
                created_at: part.created_at,
            })
        })
    }

    /// Messages and events of a conversation after the first message, oldest first.
    pub fn parts(&self, conversation: &str) -> Vec<PartView> {
        self.read_parts(conversation, |part| {
            Some(PartView {
                id: part.id.to_string(),
                part_type: part.part_type.to_owned(),
                body: part.body.clone(),
                author_type: part.author.kind.to_owned(),
                author_id: part.author.id.clone(),
                created_at: part.created_at,
                via_api: part.via_api,
            })
        })
    }

    fn read_parts<T>(
        &self,
        conversation: &str,
        read: impl Fn(&super::model::Part) -> Option<T>,
    ) -> Vec<T> {
        let Ok(id) = number(conversation) else {
            return Vec::new();
        };
        self.with(|state, _| match state.conversation(id) {
            Ok(conversation) => conversation.parts.iter().filter_map(read).collect(),
            Err(_) => Vec::new(),
        })
    }

    /// The conversation's state; `None` if there is no such conversation.
    pub fn state(&self, conversation: &str) -> Option<ConversationState> {
        let id = number(conversation).ok()?;
        self.with(|state, _| state.conversation(id).ok().map(|found| found.state))
    }

    /// Until when the conversation is snoozed, in Unix seconds.
    pub fn snoozed_until(&self, conversation: &str) -> Option<i64> {
        let id = number(conversation).ok()?;
        self.with(|state, _| {
            state
                .conversation(id)
                .ok()
                .and_then(|found| found.snoozed_until)
        })
    }

    /// Who the conversation is assigned to; `None` if nobody.
    pub fn assignee(&self, conversation: &str) -> Option<String> {
        let id = number(conversation).ok()?;
        let assignee = self.with(|state, _| {
            state
                .conversation(id)
                .ok()
                .map(|found| found.admin_assignee)
        })?;
        (assignee != 0).then(|| assignee.to_string())
    }

    /// The conversation as version 2.16 of the API shows it.
    pub fn conversation(&self, conversation: &str) -> Option<Value> {
        let id = number(conversation).ok()?;
        self.with(|state, _| {
            let found = state.conversation(id).ok()?;
            Some(shape::conversation(
                state,
                found,
                Version::V2_16,
                Parts::Newest,
                false,
            ))
        })
    }

    /// The tags that exist.
    pub fn tags(&self) -> Vec<Tag> {
        self.with(|state, _| {
            let tags = state.tags.iter();
            tags.map(|(id, name)| Tag {
                id: id.to_string(),
                name: name.clone(),
            })
            .collect()
        })
    }

    /// Ids of all conversations, oldest first.
    pub fn conversation_ids(&self) -> Vec<String> {
        self.with(|state, _| {
            state
                .conversations
                .keys()
                .map(ToString::to_string)
                .collect()
        })
    }

    /// The address of a conversation as a person copies it from the browser.
    pub fn conversation_address(&self, conversation: &str) -> String {
        let config = &self.inner.config;
        format!(
            "https://{}/a/inbox/{}/inbox/conversation/{conversation}",
            config.region.app_host(),
            config.workspace
        )
    }
}
