//! The form of a desk, with what can be chosen in it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{ChangeRefusal, Fault, ManageConnections};
use bowline_domain::ids::SiteName;
use bowline_domain::messaging::ids::AccountName;
use bowline_settings::{ChannelsOffered, DeskChoices, DeskForm, DeskNow, StatusLine, open_words};

use super::Shown;
use super::offers::{
    Needed, Offered, channels_hint, channels_offered, missing, named, needed, offered,
    other_fields, status_lines, statuses_hint, template_fields,
};
use super::texts::{self, Written};
use crate::App;
use crate::caller::Caller;
use crate::component::{Field, Select, fault_of};
use crate::error::{PageError, html};
use crate::reader::When;
use crate::shell::{Place, Shell};

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
    /// The text of statuses that have none of their own.
    usual: Field,
    statuses: Vec<StatusLine>,
    statuses_fault: Option<String>,
    /// The language of customers of whom none is known otherwise.
    language: Field,
    texts: Vec<Written>,
    texts_hint: String,
    texts_fault: Option<String>,
    /// When a conversation ends, and what one sender may do.
    bounds: Vec<Field>,
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

/// What there is to choose from.
struct Looked {
    sites: Vec<(String, String)>,
    accounts: Vec<(String, String)>,
    choices: DeskChoices,
    found: ChannelsOffered,
}

/// Looks what Jira and the provider offer for what is chosen; the first of each where nothing is.
async fn look(app: &App, form: &mut DeskForm) -> Looked {
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
    let choices = if sites.is_empty() {
        DeskChoices::default()
    } else {
        let (settings, site) = (&app.settings, SiteName::new(form.site.as_str()));
        settings
            .desk_choices(&site, &form.service_desk, &form.request_type)
            .await
    };
    let found = if accounts.is_empty() {
        ChannelsOffered::default()
    } else {
        let account = AccountName::new(form.account.as_str());
        app.settings.account_channels(&account).await
    };
    Looked {
        sites,
        accounts,
        choices,
        found,
    }
}

fn text(
    name: &'static str,
    label: &'static str,
    value: &str,
    hint: String,
    faults: &[Fault],
) -> Field {
    Field::new(name, label, "text")
        .with(value)
        .filled("off")
        .hinting(hint)
        .faulty(faults)
}

/// When a conversation ends, and what one sender may do.
fn bounds(form: &DeskForm, choices: &DeskChoices, faults: &[Fault]) -> Vec<Field> {
    let text = |name, label, value: &str, hint: String| text(name, label, value, hint, faults);
    vec![
        text(
            "closing",
            "Statuses that end a conversation",
            &form.closing,
            statuses_hint(choices),
        ),
        text(
            "reopen_within",
            "A message goes on with the old request for",
            &form.reopen_within,
            "0 makes a new request always; else a number with s, m, h or d, as 24h.".to_owned(),
        ),
        text(
            "quiet_seconds",
            "Seconds that messages are gathered for",
            &form.quiet_seconds,
            "0 to 300. What a customer writes without so long a pause is one edit in Jira."
                .to_owned(),
        ),
        text(
            "requests_per_hour",
            "Requests that one sender may begin in an hour",
            &form.requests_per_hour,
            "1 to 10000.".to_owned(),
        ),
    ]
}

/// The form, with what Jira offers for it now. `desk`: the one that is changed.
pub(super) async fn show(
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
    let Looked {
        sites,
        accounts,
        choices,
        found,
    } = look(app, &mut form).await;
    let refused = !faults.is_empty() || wrong.is_some();
    let text = |name, label, value: &str, hint: String| text(name, label, value, hint, &faults);
    let needed = needed(&form, &choices, &faults);
    let said = |words: &String| needed.iter().any(|one| one.fault.as_ref() == Some(words));
    let all_channels = form.channels.trim() == "all";
    let written = texts::written(&form, &faults);
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
        usual: text(
            "usual",
            "Its text",
            &form.usual,
            "It may hold {key} and {status}. Left empty: Your request {key} is now: {status}"
                .to_owned(),
        )
        .optional(),
        language: text(
            "language",
            "Language of customers of whom none is known",
            &form.language,
            "As en or pt-BR. Left empty, they get the desk's own texts.".to_owned(),
        )
        .optional(),
        texts_hint: texts::hint(&choices),
        texts_fault: texts::fault(&faults),
        texts: written,
        statuses: status_lines(&form, &choices),
        statuses_fault: fault_of(&faults, "status_notifications"),
        bounds: bounds(&form, &choices, &faults),
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
