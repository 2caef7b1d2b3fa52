//! Desks: which channels feed which requests, as configured, and whether that works now.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bowline_access::{
    AccessError, Fault, Look, ManageConnections, Permission, SendTests, What, Who,
};
use bowline_domain::connection::Health;
use bowline_domain::messaging::end_user::Identity;
use bowline_domain::messaging::ids::{ChannelId, DeskName, RequestRef};
use bowline_domain::messaging::language::{NumberPrefix, Texts};
use bowline_domain::messaging::settings::{Channels, Desk};
use bowline_domain::observation::StatusCategory;
use bowline_domain::settings::StatusMatch;
use bowline_engine::Provider;
use bowline_engine::channel_choice::NotBegun;
use bowline_engine::desk::{AccountNow, DeskNow, Finding};
use bowline_engine::ingress::Refusal;
use bowline_engine::shared::queue_test_message;
use bowline_settings::stored_desk::StoredDesk;
use bowline_store::StoreError;

use crate::App;
use crate::caller::{Caller, Posted};
use crate::component::{Field, Lozenge, Select, Tone};
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::Query;
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};
use crate::talk_words::conversation_path;

#[derive(Template)]
#[template(path = "desks.html")]
struct DesksPage {
    shell: Shell,
    tab: &'static str,
    desks: Vec<DeskCard>,
    accounts: Vec<AccountCard>,
    may_test: bool,
    may_manage: bool,
    /// Desks that are kept and not in use, with the reason.
    aside: Vec<(String, String)>,
    desk: Select,
    number: Field,
    begin: Option<Begin>,
}

/// A desk as it is configured.
struct DeskCard {
    name: String,
    /// Does the configuration file declare it?
    declared: bool,
    account: String,
    channels: String,
    site: String,
    site_url: Option<String>,
    service_desk: String,
    request_type: String,
    reporter: String,
    fields: Vec<(String, String)>,
    told: String,
    texts: Vec<(String, String)>,
    /// By language what is told in it.
    languages: Vec<(String, String)>,
    closing: String,
    after_end: String,
    files: &'static str,
    approved: String,
    quiet: String,
    most: u32,
    findings: Option<Vec<(Lozenge, String)>>,
}

/// A channel account and how it is.
struct AccountCard {
    name: String,
    provider: &'static str,
    health: Lozenge,
    since: When,
    reason: Option<String>,
    known_as: Option<String>,
    hook_url: String,
    registers: bool,
    seen: Option<When>,
}

/// The name of a provider, for people.
pub(crate) fn provider(provider: Provider) -> &'static str {
    match provider {
        Provider::MessageBird => "MessageBird",
        Provider::WhatsApp => "WhatsApp Cloud",
    }
}

/// Which channels a desk serves.
pub(crate) fn channels(desk: &Desk) -> String {
    match &desk.channels {
        Channels::All => "all that no other desk names".to_owned(),
        Channels::Only(named) => {
            let named: Vec<&str> = named.iter().map(ChannelId::as_str).collect();
            named.join(", ")
        }
    }
}

/// The statuses that end a conversation.
pub(crate) fn closing(desk: &Desk) -> String {
    let rules: Vec<String> = desk.closing.iter().map(status).collect();
    rules.join(", ")
}

fn status(rule: &StatusMatch) -> String {
    match rule {
        StatusMatch::Any => "any".to_owned(),
        StatusMatch::NameOrId(name) => name.clone(),
        StatusMatch::Category(category) => match category {
            StatusCategory::New => "any that is not begun".to_owned(),
            StatusCategory::Indeterminate => "any in progress".to_owned(),
            StatusCategory::Done => "any that is done".to_owned(),
            StatusCategory::Unknown => "any of no category".to_owned(),
        },
    }
}

/// A time span, in words.
fn span(ms: i64) -> String {
    match ms {
        0 => "none".to_owned(),
        ms if ms % 3_600_000 == 0 => format!("{} h", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format!("{} min", ms / 60_000),
        ms => format!("{} s", ms / 1_000),
    }
}

/// What a desk says in a language, and to whom.
fn in_language(texts: &Texts) -> (String, String) {
    let numbers: Vec<&str> = texts.numbers.iter().map(NumberPrefix::as_str).collect();
    let title = match numbers.as_slice() {
        [] => format!("In {}", texts.language),
        numbers => format!("In {}, numbers {}", texts.language, numbers.join(", ")),
    };
    let named = texts.by_status.iter();
    let mut lines: Vec<String> = named
        .map(|(status, text)| format!("{status}: {text}"))
        .collect();
    lines.extend(texts.usual.iter().map(|text| format!("all others: {text}")));
    if let Some(template) = &texts.window_template {
        let name = template.name.as_deref().unwrap_or("as the desk's");
        lines.push(format!("approved message: {name}"));
    }
    if lines.is_empty() {
        lines.push("nothing of its own".to_owned());
    }
    (title, lines.join("; "))
}

fn desk_card(now: DeskNow, kept: Option<&StoredDesk>, findings: Option<Vec<Finding>>) -> DeskCard {
    let config = now.config;
    let desk = &config.desk;
    let notifications = &desk.notifications;
    let texts = notifications.by_status.iter().map(|(status, text)| {
        let text = text.clone();
        (
            status.clone(),
            text.unwrap_or_else(|| "told nothing".to_owned()),
        )
    });
    let findings = findings.map(|all| {
        let shown = all.into_iter().map(|finding| {
            let lozenge = if finding.good {
                Lozenge::new(Tone::Good, "works")
            } else {
                Lozenge::new(Tone::Bad, "to mend")
            };
            (lozenge, finding.words)
        });
        shown.collect()
    });
    DeskCard {
        name: desk.name.to_string(),
        declared: kept.is_none(),
        account: desk.account.to_string(),
        channels: channels(desk),
        site: desk.site.to_string(),
        site_url: now.site_url,
        service_desk: config.service_desk.clone(),
        // Kept ones are stored by id; people know the name.
        request_type: kept.map_or_else(
            || config.request_type.clone(),
            |kept| kept.request_type_name.clone(),
        ),
        reporter: config
            .reporter
            .clone()
            .unwrap_or_else(|| "Bowline's account".to_owned()),
        fields: config
            .fields
            .iter()
            .map(|(id, value)| (id.clone(), value.to_string()))
            .collect(),
        told: if let (true, Some(usual)) = (notifications.others, &notifications.usual) {
            format!("every change of status that has no line of its own, as “{usual}”")
        } else if notifications.others {
            "every change of status that has no line of its own".to_owned()
        } else {
            "nothing but what has a line of its own".to_owned()
        },
        texts: texts.collect(),
        languages: desk.texts.iter().map(in_language).collect(),
        closing: closing(desk),
        after_end: if desk.reopen_within_ms > 0 {
            format!(
                "goes on with the old request within {}, then makes a new one",
                span(desk.reopen_within_ms)
            )
        } else {
            "makes a new request".to_owned()
        },
        files: if desk.attachments_out {
            "sent with the comment"
        } else {
            "not sent; the agent is told"
        },
        approved: match &desk.window_template {
            Some(template) if template.by_itself => {
                format!("the approved message “{}” goes by itself", template.name)
            }
            Some(template) => format!(
                "a person can have the approved message “{}” sent",
                template.name
            ),
            None => "nothing, until the customer writes again".to_owned(),
        },
        quiet: span(desk.quiet_ms),
        most: desk.requests_per_hour_max,
        findings,
    }
}

fn account_card(reader: &Reader, now: AccountNow) -> AccountCard {
    let tone = match now.health {
        Health::Connected => Tone::Good,
        health if health.works() => Tone::Plain,
        _ => Tone::Bad,
    };
    AccountCard {
        name: now.name.to_string(),
        provider: provider(now.provider),
        health: Lozenge::new(tone, now.health.as_str()),
        since: reader.when(now.since),
        reason: now.reason,
        known_as: now.known_as,
        hook_url: now.hook_url,
        registers: now.registers,
        seen: now.webhook_seen_at.map(|at| reader.when(at)),
    }
}

/// What somebody typed to have a test message sent, and what is wrong with it.
#[derive(Default)]
struct Typed {
    desk: String,
    number: String,
    channel: String,
    fault: Option<Fault>,
    begin: Option<Begin>,
}

/// What is asked before a conversation is begun for a test.
struct Begin {
    /// What it means, or why it is not possible.
    words: String,
    /// The channels by which it is; none where it is not possible.
    channel: Option<Select>,
    desk: String,
    number: String,
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    show(&app, &caller, &query, Typed::default()).await
}

async fn show<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    query: &Query,
    typed: Typed,
) -> Result<Response, PageError> {
    let checked = query.text("check");
    let all = app.settings.desks();
    let mut desks = Vec::new();
    for desk in app.shared.desks_now() {
        let name = desk.config.desk.name.clone();
        // Asked for by name only: a page that is looked at does not call Jira by itself.
        let findings = if name.as_str() == checked {
            Some(app.shared.check_desk_now(&DeskName::new(checked)).await)
        } else {
            None
        };
        let kept = all.iter().find(|one| one.name == name);
        let kept = kept.and_then(|one| one.kept.as_ref());
        desks.push(desk_card(desk, kept.map(|row| &row.value), findings));
    }
    let aside = all.into_iter().filter_map(|desk| {
        let why = desk.aside?.words();
        Some((desk.name.to_string(), why))
    });
    let accounts = app.shared.accounts_now().into_iter();
    let refused = typed.fault.is_some();
    let faults: Vec<Fault> = typed.fault.into_iter().collect();
    let page = DesksPage {
        shell: caller
            .shell("Desks", Place::Talks)
            .noting(notice::of(query)),
        tab: "desks",
        may_manage: caller.who().may::<ManageConnections>(),
        aside: aside.collect(),
        may_test: !desks.is_empty() && caller.who().may::<SendTests>(),
        desk: Select::new(
            "desk",
            "Desk",
            desks
                .iter()
                .map(|desk| (desk.name.clone(), desk.name.clone())),
            &typed.desk,
        ),
        number: Field::new("number", "Telephone number", "text")
            .with(&typed.number)
            .filled("off")
            .hinting("Of a phone of your own, best one that has just written to this desk.")
            .faulty(&faults),
        begin: typed.begin,
        desks,
        accounts: accounts
            .map(|account| account_card(&caller.reader, account))
            .collect(),
    };
    let mut response = html(&page);
    if refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// Why no test message can be sent to a number as it is.
pub(crate) struct Unreachable {
    /// In words.
    pub(crate) words: &'static str,
    /// Has the person no open conversation, so that one may be begun by a person's word?
    pub(crate) nothing_open: bool,
}

impl From<&'static str> for Unreachable {
    fn from(words: &'static str) -> Self {
        Self {
            words,
            nothing_open: false,
        }
    }
}

/// The conversation in which a test message can be sent to a number, or why there is none.
pub(crate) async fn reachable(
    app: &App,
    desk: &str,
    number: &str,
) -> Result<Result<RequestRef, Unreachable>, StoreError> {
    let desks = app.shared.desks_now();
    let Some(desk) = desks
        .iter()
        .find(|one| one.config.desk.name.as_str() == desk)
    else {
        return Ok(Err("Choose one of the desks.".into()));
    };
    let Some(phone) = Identity::phone(number) else {
        return Ok(Err(
            "This is no telephone number. Write it in its international form, as +31 6 12345678."
                .into(),
        ));
    };
    let account = &desk.config.desk.account;
    let store = &app.shared.store;
    let latest = match store.end_user_by(account, &[phone]).await? {
        Some(id) => store
            .latest_talk(account, &id)
            .await?
            .map(|talk| (id, talk)),
        None => None,
    };
    let nothing_open = latest.as_ref().is_none_or(|(_, talk)| !talk.is_live());
    let open = latest.filter(|(_, talk)| {
        talk.is_live() && talk.desk == desk.config.desk.name && talk.can_reply(app.shared.now())
    });
    Ok(match open {
        Some((end_user, talk)) => Ok(RequestRef {
            account: account.clone(),
            end_user,
            generation: talk.generation,
        }),
        None => Err(Unreachable {
            words: "This number has no conversation at this desk that can be answered now. Write to \
                    the desk from that phone first.",
            nothing_open,
        }),
    })
}

/// Begins a conversation with the test message, and writes down that somebody wanted it before
/// anything leaves.
pub(crate) async fn begin(
    app: &App,
    who: &Who,
    desk: &str,
    channel: &str,
    number: &str,
) -> Result<Result<(), NotBegun>, AccessError> {
    let told = format!("{desk}, begun by the channel {channel}");
    app.access
        .write_down(who, What::TestMessage, number, &told)
        .await?;
    let desk = DeskName::new(desk);
    Ok(app.shared.begin_test(&desk, channel, number).await)
}

/// The form that asks whether a conversation is to be begun, or why it cannot be.
async fn begin_form(app: &App, typed: &Typed) -> Begin {
    let none = |words: String| Begin {
        words,
        channel: None,
        desk: typed.desk.clone(),
        number: typed.number.clone(),
    };
    let name = DeskName::new(typed.desk.as_str());
    let channels = match app.shared.channels_to_begin(&name).await {
        Ok(Some(channels)) => channels,
        Ok(None) => {
            return none(
                "Nothing can be sent to a phone that has not written by WhatsApp's own API: Meta \
                 takes nothing but approved messages from who begins."
                    .to_owned(),
            );
        }
        Err(error) => {
            return none(format!(
                "Whether a conversation can be begun cannot be said now: {error}."
            ));
        }
    };
    if channels.is_empty() {
        return none(
            "A conversation can be begun by text messages (SMS) and other channels without a time \
             to answer, and this desk has none that MessageBird tells of. WhatsApp takes nothing \
             but approved messages from who begins. A channel by which nobody wrote yet can be \
             named at the desk by its id; then it can be tried."
                .to_owned(),
        );
    }
    let entries = channels.into_iter().map(|one| {
        let title = match (&one.name, one.platform.as_str()) {
            (Some(name), platform) => format!("{name} ({platform})"),
            (None, _) => one.id.clone(),
        };
        (one.id, title)
    });
    let channel = Select::new("channel", "By which channel", entries, &typed.channel);
    Begin {
        channel: Some(channel),
        ..none(
            "MessageBird can begin a conversation from here: the test message then goes to this \
             number without anybody having written, and MessageBird charges it as every message. \
             It makes no request; whoever answers makes one."
                .to_owned(),
        )
    }
}

/// Has a test message sent to a number that was typed.
pub(crate) async fn test(
    State(app): State<App>,
    posted: Posted<SendTests>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let (desk, number) = (fields.get("desk"), fields.get("number").trim());
    let whose = match reachable(&app, desk, number).await? {
        Ok(whose) => whose,
        Err(why) => {
            let mut typed = Typed {
                desk: desk.to_owned(),
                number: number.to_owned(),
                channel: fields.get("channel").trim().to_owned(),
                ..Typed::default()
            };
            if why.nothing_open && fields.get("begin") == "yes" {
                match begin(&app, caller.who(), desk, &typed.channel, number).await? {
                    Ok(()) => return Ok(see_other("/desks?done=test-begun")),
                    Err(error) => typed.fault = Some(Fault::new("number", error.to_string())),
                }
            } else {
                typed.fault = Some(Fault::new("number", why.words));
            }
            if why.nothing_open {
                typed.begin = Some(begin_form(&app, &typed).await);
            }
            return show(&app, &caller, &Query::default(), typed).await;
        }
    };
    let named = (app.shared.now(), app.shared.draw());
    match queue_test_message(&app.shared.store, &whose, named).await {
        Ok(_) => {}
        Err(Refusal::Failed(error)) => return Err(error.into()),
        Err(refusal) => return Err(PageError::bad_form(&refusal.to_string())),
    }
    app.access
        .write_down(caller.who(), What::TestMessage, number, desk)
        .await?;
    let path = conversation_path(&whose);
    Ok(see_other(&format!("{path}?done=test")))
}
