//! Adding, changing and removing accounts at messaging providers. Keys are tried before they are
//! kept.

use axum::extract::{Path, State};
use axum::response::Response;
use bowline_access::{ChangeRefusal, Fault, ManageConnections};
use bowline_domain::connection::Connection;
use bowline_domain::messaging::ids::AccountName;
use bowline_settings::AccountForm;

use crate::App;
use crate::caller::{Caller, Fields, Posted};
use crate::component::{Field, Select};
use crate::connecting::{ConnectPage, Help, any_wrong, name_field, respond, wrong_with};
use crate::connection::{Came, show_account};
use crate::error::{PageError, see_other};
use crate::shell::Place;

fn typed(fields: &Fields, provider: &str) -> AccountForm {
    let text = |name: &str| fields.get(name).to_owned();
    AccountForm {
        name: text("name"),
        provider: provider.to_owned(),
        access_key: text("access_key"),
        signing_key: text("signing_key"),
        verify_token: text("verify_token"),
        phone_number_id: text("phone_number_id"),
        api_url: text("api_url"),
        register_webhook: fields.get("register_webhook") != "no",
        poll_seconds: text("poll_seconds"),
    }
}

/// The fields of an account: those that are always needed, and those that seldom are. Of a change,
/// secrets may be left out.
pub(crate) fn account_fields(
    form: &AccountForm,
    is_change: bool,
    faults: &[Fault],
) -> (Vec<Field>, Vec<Field>, Select) {
    let is_whatsapp = form.provider == "whatsapp";
    // What was pasted is not sent back.
    let secret = |name, label, hint: &str| {
        let field = Field::new(name, label, "password").filled("new-password");
        if is_change {
            field
                .hinting(format!("{hint} Left empty, the one that is kept stays."))
                .optional()
        } else {
            field.hinting(hint)
        }
    };
    let text = |name, label, kind| Field::new(name, label, kind).filled("off").optional();
    let mut always = if is_whatsapp {
        vec![
            Field::new("phone_number_id", "Phone number id", "text")
                .with(&form.phone_number_id)
                .filled("off")
                .hinting("Your app at Meta > WhatsApp > API setup. It has digits only."),
            secret(
                "access_key",
                "Token",
                "Of a system user at Meta, with whatsapp_business_messaging.",
            ),
            secret(
                "signing_key",
                "App secret",
                "App settings > Basic. Meta signs its deliveries with it.",
            ),
        ]
    } else {
        vec![
            secret(
                "access_key",
                "Access key",
                "MessageBird's dashboard > Developers > API access.",
            ),
            secret(
                "signing_key",
                "Signing key",
                "MessageBird's dashboard > Developers > API settings. MessageBird signs its \
                 deliveries with it; the first delivery proves it.",
            ),
        ]
    };
    let mut seldom = vec![
        text("api_url", "Where the API is reached, if elsewhere", "text").with(&form.api_url),
        text(
            "poll_seconds",
            "Look for missed messages every so many seconds",
            "text",
        )
        .with(&form.poll_seconds)
        .hinting("10 to 86400; left empty, 300."),
    ];
    if is_whatsapp {
        let token = Field::new("verify_token", "Verify token", "password")
            .filled("new-password")
            .hinting(if is_change {
                "Left empty, the one that is kept stays."
            } else {
                "Left empty, one is made. It is entered at Meta beside the webhook's address."
            })
            .optional();
        seldom.push(token);
    }
    let register = Select::new(
        "register_webhook",
        "The webhook",
        [
            (
                "yes".to_owned(),
                "is registered by Bowline where the provider allows it".to_owned(),
            ),
            ("no".to_owned(), "is entered by hand".to_owned()),
        ],
        if form.register_webhook { "yes" } else { "no" },
    );
    let faulty = |fields: Vec<Field>| {
        fields
            .into_iter()
            .map(|field| field.faulty(faults))
            .collect()
    };
    always = faulty(always);
    (always, faulty(seldom), register)
}

fn help(is_whatsapp: bool) -> Help {
    let steps: &[&str] = if is_whatsapp {
        &[
            "Make an app with the product WhatsApp, and add the phone number to it.",
            "Business settings > System users: make a token with whatsapp_business_messaging that \
             does not end.",
            "After this form, the webhook is entered there; its address and verify token are shown.",
        ]
    } else {
        &[
            "Developers > API access: make a live access key.",
            "Developers > API settings: make or show the signing key.",
            "Nothing else: Bowline registers its webhook by itself.",
        ]
    };
    Help {
        title: if is_whatsapp {
            "At Meta first"
        } else {
            "At MessageBird first"
        },
        steps: steps.iter().map(|step| (*step).to_owned()).collect(),
        there: None,
        copied: Vec::new(),
        needs: Vec::new(),
    }
}

fn show(
    caller: &Caller<ManageConnections>,
    form: &AccountForm,
    (faults, wrong): (Vec<Fault>, Option<String>),
) -> Response {
    let is_whatsapp = form.provider == "whatsapp";
    let (fields, mut more, choice) = account_fields(form, false, &faults);
    more.push(name_field(&form.name, &faults));
    let refused = !faults.is_empty() || wrong.is_some();
    let page = ConnectPage {
        shell: caller.shell(
            if is_whatsapp {
                "Add a WhatsApp account"
            } else {
                "Add a MessageBird account"
            },
            Place::Connections,
        ),
        action: if is_whatsapp {
            "/connections/add/whatsapp"
        } else {
            "/connections/add/messagebird"
        },
        lead: "Bowline tries the key before it keeps it, sealed, and never shows it again.",
        wrong,
        fields,
        more_open: any_wrong(
            &faults,
            &["name", "api_url", "poll_seconds", "verify_token"],
        ) || !form.api_url.is_empty()
            || !form.name.is_empty(),
        more,
        choice: (!is_whatsapp).then_some(choice),
        button: "Try and add",
        help: help(is_whatsapp),
        other: None,
    };
    respond(refused, &page)
}

pub(crate) async fn messagebird(caller: Caller<ManageConnections>) -> Response {
    let form = AccountForm::new("messagebird");
    show(&caller, &form, (Vec::new(), None))
}

pub(crate) async fn whatsapp(caller: Caller<ManageConnections>) -> Response {
    let form = AccountForm::new("whatsapp");
    show(&caller, &form, (Vec::new(), None))
}

async fn add(
    app: &App,
    posted: Posted<ManageConnections>,
    provider: &str,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let form = typed(&fields, provider);
    match app.settings.add_account(&caller.granted, &form).await {
        Ok(made) => {
            let next = format!("/connections/account/{}?done=account-added", made.name);
            Ok(see_other(&next))
        }
        Err(refusal) => Ok(show(&caller, &form, wrong_with(refusal)?)),
    }
}

pub(crate) async fn add_messagebird(
    State(app): State<App>,
    posted: Posted<ManageConnections>,
) -> Result<Response, PageError> {
    add(&app, posted, "messagebird").await
}

pub(crate) async fn add_whatsapp(
    State(app): State<App>,
    posted: Posted<ManageConnections>,
) -> Result<Response, PageError> {
    add(&app, posted, "whatsapp").await
}

/// What a form on an account's page asks for.
pub(crate) async fn change(
    State(app): State<App>,
    Path((name, what)): Path<(String, String)>,
    posted: Posted<ManageConnections>,
) -> Result<Response, PageError> {
    let from: i64 = posted.fields.get("version").parse().unwrap_or(0);
    let Posted { caller, fields } = posted;
    let by = &caller.granted;
    let connection = Connection::Account(AccountName::new(name.as_str()));
    let done = |word: &str| {
        Ok(see_other(&format!(
            "/connections/account/{name}?done={word}"
        )))
    };
    let mut kept = None;
    let refusal = match what.as_str() {
        "credentials" => {
            let provider = app
                .settings
                .account(&name)
                .and_then(|account| account.kept)
                .map_or("", |row| row.value.provider.provider().as_str());
            let form = typed(&fields, provider);
            let changed = app.settings.change_account(by, (&name, from), &form).await;
            kept = Some(form);
            match changed {
                Ok(_) => return done("reconnected"),
                Err(refusal) => refusal,
            }
        }
        "test" => {
            app.settings.test(&connection).await;
            return done("tested");
        }
        "remove" => {
            let removed = app
                .settings
                .remove_connection(by, (&connection, from))
                .await;
            match removed {
                Ok(()) => return Ok(see_other("/connections?done=removed")),
                Err(refusal) => refusal,
            }
        }
        _ => return Err(caller.not_found("There is no such form.")),
    };
    if matches!(refusal, ChangeRefusal::Gone) {
        return Err(caller.not_found("There is no such channel account, or the file declares it."));
    }
    show_account(&app, &caller, &name, kept, Came::refused(refusal)?).await
}
