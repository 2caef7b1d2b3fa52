//! `bowline check` of channel accounts and desks.

use std::sync::Arc;

use bowline::config::{ChannelAccount, ChannelProvider, Config, Desk, DeskChannels};
use bowline_jira::{Client as Jira, RequestType};
use bowline_messagebird::conversations::MessageBird;
use bowline_messagebird::whatsapp::{Secrets, WhatsApp};
use bowline_messagebird::{ChannelId, ChannelProvider as _};
use bowline_net::{ErrorKind, Transport};

use super::check::Report;

/// The fields that Bowline fills by itself.
const FILLED: [&str; 2] = ["summary", "description"];

/// What Bowline needs to be allowed in a service project, and what for.
const PERMISSIONS: &[(&str, &str)] = &[
    (
        "SERVICEDESK_AGENT",
        "to make requests in a customer's name and to comment internally",
    ),
    ("ADD_COMMENTS", "to write what customers say"),
    (
        "EDIT_OWN_COMMENTS",
        "to gather what customers say in one comment",
    ),
    (
        "EDIT_ISSUES",
        "to gather what customers say in the description",
    ),
    ("CREATE_ATTACHMENTS", "to attach the files of customers"),
];

/// Checks the key of an account, and says what to enter at the provider.
pub(super) async fn check_account(
    config: &Config,
    account: &ChannelAccount,
    transport: &Arc<dyn Transport>,
    report: &mut Report,
) {
    println!("\nChannel account {} ({})", account.name, account.api_url);
    let base = config.public_url.as_str().trim_end_matches('/');
    let (seen, path) = match account.provider {
        ChannelProvider::MessageBird => {
            let provider = MessageBird::new(
                Arc::clone(transport),
                &account.api_url,
                account.access_key.clone(),
                vec![account.signing_key.clone()],
            );
            (provider.check(None).await, "messagebird")
        }
        ChannelProvider::WhatsApp => {
            let secrets = Secrets {
                access_token: account.access_key.clone(),
                app_secrets: vec![account.signing_key.clone()],
                verify_token: account
                    .verify_token
                    .clone()
                    .unwrap_or_else(|| String::new().into()),
            };
            let provider = WhatsApp::new(Arc::clone(transport), account.api_url.clone(), secrets);
            let channel = first_channel(config, account);
            (provider.check(channel.as_ref()).await, "whatsapp")
        }
    };
    match seen {
        Ok(reply) => match reply.value.name {
            Some(name) => Report::good(&format!("the key works, for {name}")),
            None => Report::good("the key works"),
        },
        Err(error) => report.bad(
            "the key",
            &format!("{error}. Take the access key from the provider's dashboard."),
        ),
    }
    if account.provider == ChannelProvider::MessageBird && account.register_webhook {
        println!("  Bowline registers its webhook by itself:");
    } else {
        println!("  To enter as webhook at the provider:");
    }
    println!("    URL      {base}/hooks/{path}/{}", account.name);
}

fn first_channel(config: &Config, account: &ChannelAccount) -> Option<ChannelId> {
    config
        .desks
        .iter()
        .filter(|desk| desk.account == account.name)
        .find_map(|desk| match &desk.channels {
            DeskChannels::Only(named) => named.first().map(|id| ChannelId::new(id.as_str())),
            DeskChannels::All => None,
        })
}

/// Checks that requests of the desk's type can be made as it is configured.
pub(super) async fn check_desk(jira: &Jira, desk: &Desk, report: &mut Report) {
    let what = format!("desk {}", desk.name);
    let found = match jira.service_desk(&desk.service_desk).await {
        Ok(reply) => reply.value,
        Err(error) => {
            let text = format!(
                "{error}. Either {} is no service project, or Bowline's account is no agent there.",
                desk.service_desk
            );
            return report.bad(&what, &text);
        }
    };
    let types = match request_types(jira, &found.id).await {
        Ok(types) => types,
        Err(error) => return report.bad(&what, &error),
    };
    let wanted = &desk.request_type;
    let named = types
        .iter()
        .find(|one| one.id == *wanted || one.name.to_lowercase() == wanted.to_lowercase());
    let Some(request_type) = named else {
        let known: Vec<&str> = types.iter().map(|one| one.name.as_str()).collect();
        let text = format!(
            "{} has no request type “{wanted}”; it has {}.",
            desk.service_desk,
            known.join(", ")
        );
        return report.bad(&what, &text);
    };
    check_fields(jira, desk, (&found.id, request_type), report).await;
    check_permissions(jira, desk, report).await;
}

async fn request_types(jira: &Jira, service_desk: &str) -> Result<Vec<RequestType>, String> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = jira.request_types(service_desk, cursor.as_ref()).await;
        let page = page.map_err(|error| error.to_string())?.value;
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

async fn check_fields(
    jira: &Jira,
    desk: &Desk,
    (service_desk, request_type): (&str, &RequestType),
    report: &mut Report,
) {
    let what = format!("desk {}", desk.name);
    let fields = match jira.request_fields(service_desk, &request_type.id).await {
        Ok(reply) => reply.value,
        Err(error) => return report.bad(&what, &error.to_string()),
    };
    let fixed = desk.fields.keys().map(String::as_str);
    let filled: Vec<&str> = FILLED.into_iter().chain(fixed).collect();
    let missing = fields.unfilled(&filled);
    for field in &missing {
        report.bad(
            &what,
            &format!(
                "the request type “{}” needs “{}” ({}), which no message fills. Give it a fixed \
                 value in the desk's `fields`, give it a default in Jira, or choose a request type \
                 without it.",
                request_type.name, field.name, field.id
            ),
        );
    }
    if missing.is_empty() {
        Report::good(&format!(
            "{what}: requests of the type “{}” can be made",
            request_type.name
        ));
    }
    if let (Some(reporter), false) = (&desk.reporter, fields.can_raise_on_behalf_of) {
        report.bad(
            &what,
            &format!(
                "Bowline's account may not make requests in the name of {reporter}: it has to be an \
                 agent of {}.",
                desk.service_desk
            ),
        );
    }
}

async fn check_permissions(jira: &Jira, desk: &Desk, report: &mut Report) {
    let what = format!("desk {}", desk.name);
    for (name, why) in PERMISSIONS {
        match jira.my_permissions(&[name], Some(&desk.service_desk)).await {
            Ok(reply) if reply.value.get(*name) == Some(&true) => {}
            Ok(_) => report.bad(
                &what,
                &format!(
                    "the account lacks {name} in {}, needed {why}. A project administrator grants \
                     it.",
                    desk.service_desk
                ),
            ),
            // Not every Jira knows every permission by this name.
            Err(error) if error.kind == ErrorKind::Data => {}
            Err(error) => return report.bad(&what, &error.to_string()),
        }
    }
}
