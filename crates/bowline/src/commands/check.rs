//! `bowline check`: the configuration and the credentials, in words; and what to enter on the other
//! side.

use std::process::ExitCode;
use std::sync::Arc;

use bowline::config::{Config, Site, SiteKind, Workspace};
use bowline_jira::{Auth, Client as Jira, Deployment};
use bowline_net::{ApiError, ErrorKind, HttpOptions, HttpTransport, Transport};

use secrecy::{ExposeSecret as _, SecretString};

use super::check_desk::{check_account, check_desk};
use super::load;
use crate::cli::Configured;

/// What Bowline needs to be allowed in a project, and what for.
const PERMISSIONS: &[(&str, &str, bool)] = &[
    ("BROWSE_PROJECTS", "to read issues and comments", true),
    (
        "EDIT_ISSUES",
        "to keep the list of linked conversations on the issue",
        true,
    ),
    (
        "LINK_ISSUES",
        "to show linked conversations on the issue",
        false,
    ),
];

/// The topics to choose for the webhook in Intercom.
const TOPICS: &[&str] = &[
    "conversation.admin.noted",
    "conversation.admin.closed",
    "conversation.admin.opened",
    "conversation.admin.snoozed",
    "conversation.admin.unsnoozed",
    "conversation.user.replied",
    "conversation.deleted",
];

/// The events to choose for the webhook in Jira.
const EVENTS: &[&str] = &[
    "Issue: created, updated, deleted",
    "Comment: created, updated, deleted",
];

/// Checks everything and prints what it found. Exit code 1 if something has to be mended.
pub(crate) async fn run(configured: &Configured, secrets: bool) -> anyhow::Result<ExitCode> {
    let loaded = load(configured)?;
    println!("Configuration: can be read.");
    let mut report = Report { secrets, bad: 0 };
    for warning in &loaded.warnings {
        println!("  note: {warning}");
    }
    let transport: Arc<dyn Transport> = Arc::new(
        HttpTransport::new(&HttpOptions::default())
            .map_err(|why| anyhow::anyhow!("the HTTP client cannot be set up: {why}"))?,
    );
    match bowline::service::open_store(&loaded.config).await {
        Ok(store) => {
            println!("Database: can be opened.");
            store.close().await;
        }
        Err(error) => report.bad("Database", &format!("{error:#}")),
    }
    for site in &loaded.config.sites {
        check_site(&loaded.config, site, &transport, &mut report).await;
    }
    for account in &loaded.config.channel_accounts {
        check_account(&loaded.config, account, &transport, &mut report).await;
    }
    for workspace in &loaded.config.workspaces {
        check_workspace(&loaded.config, workspace, &transport, &mut report).await;
    }
    Ok(report.end())
}

pub(super) struct Report {
    /// Print secrets too?
    secrets: bool,
    bad: usize,
}

impl Report {
    pub(super) fn good(text: &str) {
        println!("  ok: {text}");
    }

    pub(super) fn bad(&mut self, what: &str, text: &str) {
        self.bad += 1;
        println!("  TO MEND: {what}: {text}");
    }

    fn end(&self) -> ExitCode {
        if self.bad == 0 {
            println!("\nEverything that can be tested from here works.");
            return ExitCode::SUCCESS;
        }
        println!(
            "\n{} to mend.",
            if self.bad == 1 {
                "One thing is".to_owned()
            } else {
                format!("{} things are", self.bad)
            }
        );
        ExitCode::FAILURE
    }
}

async fn check_site(
    config: &Config,
    site: &Site,
    transport: &Arc<dyn Transport>,
    report: &mut Report,
) {
    println!("\nSite {} ({})", site.name, site.url);
    let auth = match &site.email {
        Some(email) if site.kind == SiteKind::Cloud => Auth::Basic {
            email: email.clone(),
            token: site.token.clone(),
        },
        _ => Auth::Bearer {
            token: site.token.clone(),
        },
    };
    let deployment = match site.kind {
        SiteKind::Cloud => Deployment::Cloud,
        SiteKind::DataCenter => Deployment::DataCenter,
    };
    let jira = Jira::new(
        Arc::clone(transport),
        site.api_url.clone(),
        deployment,
        auth,
    );
    check_kind(&jira, deployment, report).await;
    match jira.myself().await {
        Ok(reply) => Report::good(&format!("the token works, as {}", reply.value.person.name)),
        Err(error) => {
            report.bad("the token", &jira_words(site, &error));
            return tell_jira(config, site, report.secrets);
        }
    }
    for binding in config
        .bindings
        .iter()
        .filter(|binding| binding.site == site.name)
    {
        check_project(&jira, &binding.project, report).await;
    }
    for desk in config.desks.iter().filter(|desk| desk.site == site.name) {
        check_desk(&jira, desk, report).await;
    }
    tell_jira(config, site, report.secrets);
}

async fn check_kind(jira: &Jira, wanted: Deployment, report: &mut Report) {
    match jira.server_info().await {
        Ok(reply) if reply.value.deployment == wanted => {}
        Ok(reply) => report.bad(
            "kind",
            &format!(
                "this is a {} site; change `kind` to \"{}\"",
                if reply.value.deployment == Deployment::Cloud {
                    "Cloud"
                } else {
                    "Data Center"
                },
                if reply.value.deployment == Deployment::Cloud {
                    "cloud"
                } else {
                    "datacenter"
                },
            ),
        ),
        Err(error) => report.bad(
            "reaching it",
            &format!("{error}. Is api_url right, and may this machine reach it?"),
        ),
    }
}

fn jira_words(site: &Site, error: &ApiError) -> String {
    let mend = match error.kind {
        ErrorKind::Auth if site.kind == SiteKind::Cloud => {
            " The e-mail address and the API token must belong together. A token with scopes, and \
             every token of a service account, works only with api_url = \
             \"https://api.atlassian.com/ex/jira/{cloud id}\" (the cloud id is at \
             /_edge/tenant_info of the site). Tokens expire after a year at most."
        }
        ErrorKind::Auth => {
            " Make a new personal access token in the account's profile; they expire."
        }
        ErrorKind::Config => " Is api_url right, with its context path?",
        _ => "",
    };
    format!("{error}.{mend}")
}

async fn check_project(jira: &Jira, project: &str, report: &mut Report) {
    if let Err(error) = jira.project(project).await {
        let text = format!(
            "{error}. Either there is no such project, or Bowline's account may not browse it."
        );
        return report.bad(&format!("project {project}"), &text);
    }
    let names: Vec<&str> = PERMISSIONS.iter().map(|(name, _, _)| *name).collect();
    let granted = match jira.my_permissions(&names, Some(project)).await {
        Ok(reply) => reply.value,
        Err(error) => return report.bad(&format!("project {project}"), &error.to_string()),
    };
    for (name, why, needed) in PERMISSIONS {
        match granted.get(*name) {
            Some(true) => Report::good(&format!("project {project}: may {name}")),
            _ if *needed => report.bad(
                &format!("project {project}"),
                &format!(
                    "the account lacks {name}, needed {why}. A project administrator grants it."
                ),
            ),
            _ => println!("  note: project {project}: the account lacks {name}, used {why}."),
        }
    }
}

fn tell_jira(config: &Config, site: &Site, secrets: bool) {
    let base = config.public_url.as_str().trim_end_matches('/');
    let desks = config.desks.iter().filter(|desk| desk.site == site.name);
    let projects: Vec<&str> = config
        .bindings
        .iter()
        .filter(|binding| binding.site == site.name)
        .map(|binding| binding.project.as_str())
        .chain(desks.map(|desk| desk.service_desk.as_str()))
        .collect();
    println!("  To enter in Jira (Settings > System > WebHooks):");
    println!("    URL      {base}/hooks/jira/{}", site.name);
    println!(
        "    Secret   {}",
        secret(site.webhook_secret.as_ref(), "webhook_secret", secrets)
    );
    for event in EVENTS {
        println!("    Event    {event}");
    }
    println!("    JQL      project in ({})", projects.join(", "));
    if site.notify_token.is_some() {
        println!("  For automation rules and post functions:");
        println!("    POST     {base}/hooks/jira/{}/notify", site.name);
        let token = secret(site.notify_token.as_ref(), "notify_token", secrets);
        println!("    Header   Authorization: Bearer {token}");
    }
}

/// A secret to enter, or where it stands.
fn secret(secret: Option<&SecretString>, key: &str, show: bool) -> String {
    match secret {
        Some(secret) if show => secret.expose_secret().to_owned(),
        Some(_) => format!("(this site's {key}; printed with --secrets)"),
        None => format!("(none: set this site's {key})"),
    }
}

async fn check_workspace(
    config: &Config,
    workspace: &Workspace,
    transport: &Arc<dyn Transport>,
    report: &mut Report,
) {
    println!("\nWorkspace {} ({})", workspace.name, workspace.api_url);
    let intercom = bowline_intercom::Client::new(
        Arc::clone(transport),
        workspace.api_url.clone(),
        workspace.access_token.clone(),
    );
    match intercom.me().await {
        Ok(reply) => {
            let me = reply.value;
            Report::good(&format!(
                "the token works, in “{}” ({}), as {}",
                me.workspace_name, me.workspace, me.name
            ));
            check_region(workspace, me.region.as_deref(), report);
            check_app_user(&intercom, workspace, report).await;
            check_conversations(&intercom, report).await;
        }
        Err(error) => report.bad(
            "the token",
            &format!(
                "{error}. Take the access token from Intercom's Developer Hub > your app > \
                 Configure > Authentication."
            ),
        ),
    }
    let base = config.public_url.as_str().trim_end_matches('/');
    println!("  To enter in Intercom (Developer Hub > your app > Configure > Webhooks):");
    println!("    URL      {base}/hooks/intercom/{}", workspace.name);
    println!("    Signed   with the app's client secret, which is this workspace's client_secret");
    for topic in TOPICS {
        println!("    Topic    {topic}");
    }
    println!("    Needed   Read conversations, Write conversations, Read admins");
}

fn check_region(workspace: &Workspace, region: Option<&str>, report: &mut Report) {
    let wanted = format!("{:?}", workspace.region).to_lowercase();
    match region.map(str::to_lowercase) {
        Some(region) if region != wanted => report.bad(
            "region",
            &format!("the workspace is in {region}; change `region` to \"{region}\""),
        ),
        _ => {}
    }
}

async fn check_app_user(
    intercom: &bowline_intercom::Client,
    workspace: &Workspace,
    report: &mut Report,
) {
    let Some(app_user) = &workspace.app_user else {
        return println!(
            "  note: notes are written as who the token belongs to; a teammate of \
            Bowline's own (app_user) is better."
        );
    };
    match intercom.admins().await {
        Ok(reply) => match reply.value.iter().find(|teammate| teammate.id == *app_user) {
            Some(teammate) => Report::good(&format!("notes are written as {}", teammate.name)),
            None => report.bad(
                "app_user",
                &format!("{app_user} is no teammate of this workspace"),
            ),
        },
        Err(error) => report.bad(
            "teammates",
            &format!("{error}. The app needs “Read admins”."),
        ),
    }
}

/// An id that no conversation has: how it is refused tells whether conversations can be reached.
const NO_CONVERSATION: &str = "0";

async fn check_conversations(intercom: &bowline_intercom::Client, report: &mut Report) {
    match intercom.conversation(NO_CONVERSATION).await {
        Ok(_) => Report::good("conversations can be read"),
        Err(error) if error.kind == ErrorKind::NotFound => {
            Report::good("conversations can be read");
        }
        Err(error) if error.kind == ErrorKind::PlanRestricted => report.bad(
            "conversations",
            &format!("{error}. The workspace needs a trial or subscription."),
        ),
        Err(error) => report.bad(
            "conversations",
            &format!("{error}. The app needs “Read conversations” and “Write conversations”."),
        ),
    }
}
