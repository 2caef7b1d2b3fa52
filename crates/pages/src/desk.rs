//! One desk: making it, changing it, removing it. What can be chosen is asked of Jira.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{ChangeRefusal, Fault, ManageConnections};
use bowline_domain::ids::SiteName;
use bowline_domain::messaging::ids::AccountName;
use bowline_settings::{
    ChannelsOffered, DeskChoices, DeskForm, DeskNow, Given, HookFound, NeededField, StatusLine,
    open_words,
};

use crate::App;
use crate::caller::{Caller, Fields, Posted};
use crate::component::{Choice, Field, Select, fault_of};
use crate::connecting::wrong_with;
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::Query;
use crate::reader::When;
use crate::shell::{Place, Shell};

/// What fields of a form are called that hold the value of a field in Jira.
const FIELD_PREFIX: &str = "field:";

#[derive(Template)]
#[template(path = "desk.html")]
struct DeskPage {
    shell: Shell,
    tab: &'static str,
    action: String,
    version: i64,
    wrong: Option<String>,
    /// Why Jira does not offer a choice.
    trouble: Option<String>,
    /// Why it is not in use.
    aside: Option<String>,
    /// What is missing before a desk can be made: words, and where to go.
    missing: Vec<(&'static str, &'static str)>,
    name: Option<Field>,
    account: Select,
    all_channels: bool,
    /// The channels that the provider tells of.
    offered: Vec<Offered>,
    /// What that list is, or why there is none.
    offered_words: String,
    channels: Field,
    site: Select,
    service_desk: Select,
    request_type: Select,
    needed: Vec<Needed>,
    fields: String,
    fields_fault: Option<String>,
    reporter: Field,
    tell_others: bool,
    statuses: Vec<StatusLine>,
    statuses_fault: Option<String>,
    closing: Field,
    reopen_within: Field,
    quiet_seconds: Field,
    requests_per_hour: Field,
    attachments_out: bool,
    template: Vec<Field>,
    template_values: String,
    template_by_itself: bool,
    template_open: bool,
    changed: Option<(When, String)>,
    /// The form that removes it.
    remove: Option<Remove>,
}

struct Remove {
    path: String,
    name: String,
    /// What happens to open conversations, if there are some.
    open: Option<String>,
}

/// A channel that can be chosen.
struct Offered {
    id: String,
    title: String,
    note: String,
    chosen: bool,
}

/// A field of the request type that needs a fixed value.
struct Needed {
    id: String,
    label: String,
    value: String,
    choices: Vec<Choice>,
    fault: Option<String>,
}

/// What stands in the form.
struct Shown {
    form: DeskForm,
    faults: Vec<Fault>,
    wrong: Option<String>,
    /// The version that what was typed was made from; `None`: it is what stands there now.
    from: Option<i64>,
}

impl Shown {
    fn fresh(form: DeskForm) -> Self {
        Self {
            form,
            faults: Vec::new(),
            wrong: None,
            from: None,
        }
    }

    /// What was typed goes on from the version that it was made from.
    fn from(mut self, version: i64) -> Self {
        self.from = Some(version);
        self
    }

    fn refused(form: DeskForm, refusal: ChangeRefusal) -> Result<Self, PageError> {
        let (faults, wrong) = wrong_with(refusal)?;
        Ok(Self {
            form,
            faults,
            wrong,
            from: None,
        })
    }
}

/// Reads the form.
fn typed(fields: &Fields) -> DeskForm {
    let text = |name: &str| fields.get(name).to_owned();
    let on = |name: &str| fields.get(name) == "yes";
    let mut given: Vec<(String, Given)> = fields
        .starting(FIELD_PREFIX)
        .map(|(id, value)| (id.to_owned(), Given::Text(value.to_owned())))
        .filter(|(_, value)| *value != Given::Text(String::new()))
        .collect();
    for line in fields.get("fields").lines() {
        let (id, value) = line.split_once('=').unwrap_or((line, ""));
        let id = id.trim();
        if !id.is_empty() && !given.iter().any(|(known, _)| known == id) {
            given.push((id.to_owned(), Given::Text(value.trim().to_owned())));
        }
    }
    let silent = fields.all("silent");
    let texts = fields.all("text");
    let statuses = fields.all("status").into_iter().zip(texts);
    DeskForm {
        name: text("name"),
        account: text("account"),
        channels: if fields.get("which") == "all" {
            "all".to_owned()
        } else {
            let typed = fields.all("channel").into_iter();
            let typed = typed.chain(std::iter::once(text("channels")));
            let typed: Vec<String> = typed.filter(|one| !one.trim().is_empty()).collect();
            typed.join(", ")
        },
        site: text("site"),
        service_desk: text("service_desk"),
        request_type: text("request_type"),
        reporter: text("reporter"),
        fields: given,
        tell_others: on("tell_others"),
        statuses: statuses
            .map(|(status, text)| StatusLine {
                silent: silent.contains(&status),
                status,
                text,
            })
            .collect(),
        closing: text("closing"),
        reopen_within: text("reopen_within"),
        quiet_seconds: text("quiet_seconds"),
        requests_per_hour: text("requests_per_hour"),
        attachments_out: on("attachments_out"),
        template: text("window_template"),
        template_language: text("template_language"),
        template_namespace: text("template_namespace"),
        template_values: text("template_values"),
        template_text: text("template_text"),
        template_by_itself: on("template_by_itself"),
    }
}

fn value_text(given: &Given) -> String {
    match given {
        Given::Text(text) => text.clone(),
        Given::Value(value) => value.to_string(),
    }
}

/// The fields that need a value, each with what stands in it.
fn needed(form: &DeskForm, choices: &DeskChoices, faults: &[Fault]) -> Vec<Needed> {
    let all_faults: Vec<&Fault> = faults.iter().filter(|one| one.field == "fields").collect();
    let one = |field: &NeededField| {
        let given = form.fields.iter().find(|(id, _)| *id == field.id);
        let value = given.map_or_else(String::new, |(_, given)| value_text(given));
        let chosen = given.and_then(|(_, given)| chosen(given, field));
        let choices = field.values.iter().map(|(id, label)| Choice {
            chosen: chosen.as_deref() == Some(id),
            value: id.clone(),
            title: label.clone(),
        });
        let named = format!("“{}”", field.name);
        let fault = all_faults.iter().find(|fault| fault.words.contains(&named));
        Needed {
            id: field.id.clone(),
            label: field.name.clone(),
            choices: choices.collect(),
            fault: fault.map(|fault| fault.words.clone()),
            value,
        }
    };
    choices.needed.iter().map(one).collect()
}

/// Which entry of its list a value is.
fn chosen(given: &Given, field: &NeededField) -> Option<String> {
    let text = match given {
        Given::Text(text) => text.clone(),
        Given::Value(value) => {
            let first = value.get(0).unwrap_or(value);
            let named = first.get("id").or_else(|| first.get("value"));
            named?.as_str()?.to_owned()
        }
    };
    let mut values = field.values.iter();
    let found = values.find(|(id, label)| *id == text || *label == text);
    found.map(|(id, _)| id.clone())
}

/// The fixed values that have no field of their own in the form, one a line.
fn other_fields(form: &DeskForm, choices: &DeskChoices) -> String {
    let others = form
        .fields
        .iter()
        .filter(|(id, _)| !choices.needed.iter().any(|field| field.id == *id));
    let lines: Vec<String> = others
        .map(|(id, given)| format!("{id} = {}", value_text(given)))
        .collect();
    lines.join("\n")
}

/// What is told of each status that the project has, and of those that were named before.
fn status_lines(form: &DeskForm, choices: &DeskChoices) -> Vec<StatusLine> {
    let mut lines = form.statuses.clone();
    lines.retain(|line| !line.status.trim().is_empty());
    for status in &choices.statuses {
        let is_there = lines
            .iter()
            .any(|line| line.status.to_lowercase() == status.to_lowercase());
        if !is_there {
            lines.push(StatusLine {
                status: status.clone(),
                ..StatusLine::default()
            });
        }
    }
    lines
}

fn statuses_hint(choices: &DeskChoices) -> String {
    let general = "With commas between them, by name; category:done stands for all that are done.";
    if choices.statuses.is_empty() {
        general.to_owned()
    } else {
        format!(
            "{general} This project has {}.",
            choices.statuses.join(", ")
        )
    }
}

/// The channels to choose from, and the ids that are not among them.
fn channels_offered(form: &DeskForm, found: &ChannelsOffered) -> (Vec<Offered>, String) {
    let named = form.channels.split([',', '\n']).map(str::trim);
    let named: Vec<&str> = named.filter(|id| !id.is_empty() && *id != "all").collect();
    let channels = found.channels.iter();
    let offered = channels.clone().map(|one| Offered {
        title: one.name.clone().unwrap_or_else(|| one.id.clone()),
        note: [
            one.platform.as_str(),
            one.id.as_str(),
            if one.active { "" } else { "not active there" },
        ]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · "),
        chosen: named.contains(&one.id.as_str()),
        id: one.id.clone(),
    });
    let is_offered = |id: &&str| channels.clone().any(|one| one.id == *id);
    let rest: Vec<&str> = named.iter().copied().filter(|id| !is_offered(id)).collect();
    (offered.collect(), rest.join(", "))
}

fn channels_hint(app: &App, account: &str) -> String {
    let phone = app
        .settings
        .account(account)
        .and_then(|account| account.kept)
        .and_then(|row| row.value.phone_number_id);
    let known = phone.map_or_else(String::new, |id| format!(" That of “{account}” is {id}."));
    format!(
        "The provider's ids, with commas between them: for MessageBird the channel ids, for \
         WhatsApp the phone number id.{known}"
    )
}

fn template_fields(form: &DeskForm, faults: &[Fault]) -> Vec<Field> {
    let field = |name, label, value: &str, hint: &str| {
        Field::new(name, label, "text")
            .with(value)
            .filled("off")
            .hinting(hint)
            .optional()
            .faulty(faults)
    };
    vec![
        field(
            "window_template",
            "Its name at the provider",
            &form.template,
            "Approve it there first. Left empty, nothing is sent after the time to answer.",
        ),
        field(
            "template_language",
            "Its language",
            &form.template_language,
            "As it was approved: en, en_US. Left empty, en.",
        ),
        field(
            "template_namespace",
            "Its namespace",
            &form.template_namespace,
            "MessageBird asks for one.",
        ),
        field(
            "template_text",
            "What it says",
            &form.template_text,
            "With {{1}} for the first value. Shown in Bowline as what was sent.",
        ),
    ]
}

/// A list with a first entry that chooses nothing, unless something is chosen.
fn offered(
    (name, label): (&'static str, &'static str),
    entries: Vec<(String, String)>,
    chosen: &str,
    faults: &[Fault],
) -> Select {
    let known = entries.iter().any(|(value, _)| value == chosen);
    let lost = (!known && !chosen.is_empty()).then(|| (chosen.to_owned(), chosen.to_owned()));
    let none = entries.is_empty() && lost.is_none();
    let none = none.then(|| (String::new(), "none to choose".to_owned()));
    let entries = lost.into_iter().chain(none).chain(entries);
    Select::new(name, label, entries, chosen).faulty(faults)
}

fn missing(app: &App) -> Vec<(&'static str, &'static str)> {
    let config = app.settings.config();
    let mut missing = Vec::new();
    if config.sites.is_empty() {
        missing.push(("Connect a Jira site first", "/connections/add/site"));
    }
    if config.accounts.is_empty() {
        missing.push((
            "Add a MessageBird account first",
            "/connections/add/messagebird",
        ));
        missing.push(("Or a WhatsApp account", "/connections/add/whatsapp"));
    }
    missing
}

/// The form, with what Jira offers for it now. `desk`: the one that is changed.
async fn show(
    app: &App,
    caller: &Caller<ManageConnections>,
    desk: Option<&DeskNow>,
    shown: Shown,
    noted: Option<&'static str>,
) -> Result<Response, PageError> {
    let Shown {
        mut form,
        faults,
        wrong,
        from,
    } = shown;
    let config = app.settings.config();
    let sites = config.sites.iter().map(|site| site.name.to_string());
    let sites: Vec<(String, String)> = sites.map(|name| (name.clone(), name)).collect();
    let accounts = config.accounts.iter().map(|one| one.name.to_string());
    let accounts: Vec<(String, String)> = accounts.map(|name| (name.clone(), name)).collect();
    let first = |all: &[(String, String)]| all.first().map(|(name, _)| name.clone());
    if form.site.is_empty() {
        form.site = first(&sites).unwrap_or_default();
    }
    if form.account.is_empty() {
        form.account = first(&accounts).unwrap_or_default();
    }
    let site = SiteName::new(form.site.as_str());
    let choices = if sites.is_empty() {
        DeskChoices::default()
    } else {
        let settings = &app.settings;
        settings
            .desk_choices(&site, &form.service_desk, &form.request_type)
            .await
    };
    let refused = !faults.is_empty() || wrong.is_some();
    let text = |name, label, value: &str, hint: String| {
        Field::new(name, label, "text")
            .with(value)
            .filled("off")
            .hinting(hint)
            .faulty(&faults)
    };
    let needed = needed(&form, &choices, &faults);
    let said = |words: &String| needed.iter().any(|one| one.fault.as_ref() == Some(words));
    let all_channels = form.channels.trim() == "all";
    let found = if accounts.is_empty() {
        ChannelsOffered::default()
    } else {
        let account = AccountName::new(form.account.as_str());
        app.settings.account_channels(&account).await
    };
    let (offered_channels, other_channels) = channels_offered(&form, &found);
    let remove = match desk.filter(|desk| desk.kept.is_some()) {
        Some(desk) => Some(removal(app, desk).await?),
        None => None,
    };
    let row = desk.and_then(|desk| desk.kept.as_ref());
    let page = DeskPage {
        shell: caller
            .shell(
                desk.map_or_else(|| "Make a desk".to_owned(), |desk| desk.name.to_string()),
                Place::Talks,
            )
            .noting(noted),
        tab: "desks",
        action: desk.map_or_else(
            || "/desks/add".to_owned(),
            |desk| format!("/desk/{}/settings", desk.name),
        ),
        version: from.or(row.map(|row| row.version)).unwrap_or(0),
        wrong,
        trouble: choices.trouble.clone(),
        aside: desk
            .and_then(|desk| desk.aside.as_ref())
            .map(bowline_settings::merge::Aside::words),
        missing: missing(app),
        name: desk.is_none().then(|| {
            let hint = "Small letters, digits and hyphens. Conversations are stored under it, so \
                        it stays. Left empty, it is “support”.";
            text("name", "Name", &form.name, hint.to_owned()).optional()
        }),
        channels: text(
            "channels",
            if offered_channels.is_empty() {
                "Their ids"
            } else {
                "Others, by their ids"
            },
            &other_channels,
            channels_hint(app, &form.account),
        )
        .optional(),
        offered: offered_channels,
        offered_words: found.words,
        all_channels,
        account: offered(
            ("account", "Channel account"),
            accounts,
            &form.account,
            &faults,
        ),
        site: offered(("site", "Jira site"), sites, &form.site, &faults),
        service_desk: offered(
            ("service_desk", "Service project"),
            named(&choices.service_desks),
            if form.service_desk.is_empty() {
                &choices.service_desk
            } else {
                &form.service_desk
            },
            &faults,
        ),
        request_type: offered(
            ("request_type", "Request type"),
            choices.request_types.clone(),
            &choices.request_type,
            &faults,
        ),
        fields: other_fields(&form, &choices),
        fields_fault: fault_of(&faults, "fields").filter(|words| !said(words)),
        needed,
        reporter: text(
            "reporter",
            "Reporter of people who are no customers",
            &form.reporter,
            "Account id on Cloud, user name on Data Center. Left empty, it is Bowline's account."
                .to_owned(),
        )
        .optional(),
        tell_others: form.tell_others,
        statuses: status_lines(&form, &choices),
        statuses_fault: fault_of(&faults, "status_notifications"),
        closing: text(
            "closing",
            "Statuses that end a conversation",
            &form.closing,
            statuses_hint(&choices),
        ),
        reopen_within: text(
            "reopen_within",
            "A message goes on with the old request for",
            &form.reopen_within,
            "0 makes a new request always; else a number with s, m, h or d, as 24h.".to_owned(),
        ),
        quiet_seconds: text(
            "quiet_seconds",
            "Seconds that messages are gathered for",
            &form.quiet_seconds,
            "0 to 300. What a customer writes without so long a pause is one edit in Jira."
                .to_owned(),
        ),
        requests_per_hour: text(
            "requests_per_hour",
            "Requests that one sender may begin in an hour",
            &form.requests_per_hour,
            "1 to 10000.".to_owned(),
        ),
        attachments_out: form.attachments_out,
        template: template_fields(&form, &faults),
        template_values: form.template_values.clone(),
        template_by_itself: form.template_by_itself,
        template_open: !form.template.is_empty() || fault_of(&faults, "window_template").is_some(),
        changed: row.map(|row| (caller.reader.when(row.changed_at), row.changed_by.clone())),
        remove,
    };
    let status = if refused {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    Ok((status, html(&page)).into_response())
}

/// Service projects by name and key.
fn named(desks: &[(String, String)]) -> Vec<(String, String)> {
    let titles = desks.iter().map(|(key, name)| {
        let title = if key == name {
            key.clone()
        } else {
            format!("{name} ({key})")
        };
        (key.clone(), title)
    });
    titles.collect()
}

async fn removal(app: &App, desk: &DeskNow) -> Result<Remove, PageError> {
    let open = app.settings.open_talks(&desk.name).await;
    let open = match open {
        Ok(open) => open,
        Err(ChangeRefusal::Failed(error)) => return Err(error.into()),
        Err(_) => 0,
    };
    Ok(Remove {
        path: format!("/desk/{}/remove", desk.name),
        name: desk.name.to_string(),
        open: (open > 0).then(|| open_words(open)),
    })
}

pub(crate) async fn adding(
    State(app): State<App>,
    caller: Caller<ManageConnections>,
) -> Result<Response, PageError> {
    let form = DeskForm::default();
    show(&app, &caller, None, Shown::fresh(form), None).await
}

pub(crate) async fn add(
    State(app): State<App>,
    posted: Posted<ManageConnections>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let form = typed(&fields);
    if fields.get("do") == "look" {
        return show(&app, &caller, None, Shown::fresh(form), None).await;
    }
    match app.settings.add_desk(&caller.granted, &form).await {
        Ok(made) => Ok(see_other(&format!(
            "/desks?done={}",
            done(&made.hook, true)
        ))),
        Err(refusal) => {
            let shown = Shown::refused(form, refusal)?;
            show(&app, &caller, None, shown, None).await
        }
    }
}

/// The word for what was done.
fn done(hook: &HookFound, is_new: bool) -> &'static str {
    match (hook, is_new) {
        (HookFound::Registered | HookFound::Kept, true) => "desk-added",
        (HookFound::Registered | HookFound::Kept, false) => "desk-saved",
        (_, true) => "desk-added-by-hand",
        (_, false) => "desk-saved-by-hand",
    }
}

pub(crate) async fn page(
    State(app): State<App>,
    Path(name): Path<String>,
    caller: Caller<ManageConnections>,
    query: Query,
) -> Result<Response, PageError> {
    let Some(desk) = app.settings.desk(&name) else {
        return Err(caller.not_found("There is no such desk."));
    };
    let Some(row) = &desk.kept else {
        return Err(caller.not_found(
            "The configuration file declares this desk, so it is changed there. The page Desks \
             shows how.",
        ));
    };
    let form = DeskForm::of(&name, &row.value);
    let noted = notice::of(&query);
    show(&app, &caller, Some(&desk), Shown::fresh(form), noted).await
}

/// What a form on a desk's page asks for.
pub(crate) async fn change(
    State(app): State<App>,
    Path((name, what)): Path<(String, String)>,
    posted: Posted<ManageConnections>,
) -> Result<Response, PageError> {
    let from: i64 = posted.fields.get("version").parse().unwrap_or(0);
    let Posted { caller, fields } = posted;
    let by = &caller.granted;
    let missing = || caller.not_found("There is no such desk, or the file declares it.");
    let Some(desk) = app.settings.desk(&name).filter(|desk| desk.kept.is_some()) else {
        return Err(missing());
    };
    let kept = desk.kept.as_ref();
    let form = kept.map(|row| DeskForm::of(&name, &row.value));
    let (form, refusal) = match what.as_str() {
        "settings" => {
            let form = typed(&fields);
            if fields.get("do") == "look" {
                let shown = Shown::fresh(form).from(from);
                return show(&app, &caller, Some(&desk), shown, None).await;
            }
            match app.settings.change_desk(by, (&name, from), &form).await {
                Ok(saved) => {
                    let word = done(&saved.hook, false);
                    return Ok(see_other(&format!("/desk/{name}?done={word}")));
                }
                Err(refusal) => (form, refusal),
            }
        }
        "remove" => {
            let anyway = fields.get("anyway") == "yes";
            match app.settings.remove_desk(by, (&name, from), anyway).await {
                Ok(()) => return Ok(see_other("/desks?done=desk-removed")),
                Err(refusal) => (form.unwrap_or_default(), refusal),
            }
        }
        _ => return Err(caller.not_found("There is no such form.")),
    };
    if matches!(refusal, ChangeRefusal::Gone) {
        return Err(missing());
    }
    // What somebody else saved meanwhile is what the form shows, with its version; what was typed
    // here is not put over it.
    let overtaken = matches!(refusal, ChangeRefusal::Overtaken);
    let mut shown = Shown::refused(form, refusal)?.from(from);
    let now = app.settings.desk(&name);
    if let Some(row) = now.as_ref().and_then(|desk| desk.kept.as_ref())
        && overtaken
    {
        shown.form = DeskForm::of(&name, &row.value);
        shown.from = None;
    }
    match now {
        Some(now) => show(&app, &caller, Some(&now), shown, None).await,
        None => Err(missing()),
    }
}
