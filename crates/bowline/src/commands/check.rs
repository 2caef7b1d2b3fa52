//! `bowline check`: the configuration and the credentials, in words; and what to enter on the other
//! side.

use std::process::ExitCode;
use std::sync::Arc;

use crate::config::{Config, Site, SiteKind};
use bowline_jira::{Auth, Client as Jira, Deployment};
use bowline_net::{HttpTransport, Transport};
use bowline_settings::check::{self, Finding, State};
use bowline_settings::issues_can_be_made;

use secrecy::{ExposeSecret as _, SecretString};

use super::check_desk::{check_account, check_desk};
use super::check_mail::check_mail;
use super::check_oidc::check_oidc;
use super::check_workspace::{Kept, check_workspace};
use super::load;
use crate::cli::Configured;

/// Checks everything and prints what it found. Exit code 1 if something has to be mended.
pub(crate) async fn run(configured: &Configured, secrets: bool) -> anyhow::Result<ExitCode> {
    let loaded = load(configured)?;
    println!("Configuration: can be read.");
    let mut report = Report { secrets, bad: 0 };
    for warning in &loaded.warnings {
        println!("  note: {warning}");
    }
    let transport: Arc<dyn Transport> = Arc::new(
        HttpTransport::new(&crate::service::http_options(&loaded.config)?)
            .map_err(|why| anyhow::anyhow!("the HTTP client cannot be set up: {why}"))?,
    );
    let mut kept = Kept::default();
    match crate::service::open_store(&loaded.config).await {
        Ok(store) => {
            println!("Database: can be opened.");
            match Kept::read(&store, &loaded.config).await {
                Ok(found) => kept = found,
                Err(error) => report.bad("Database", &error.to_string()),
            }
            store.close().await;
        }
        Err(error) => report.bad("Database", &format!("{error:#}")),
    }
    check_mail(&loaded.config, &mut report).await?;
    for site in &loaded.config.sites {
        check_site(&loaded.config, site, &transport, &mut report).await;
    }
    for account in &loaded.config.channel_accounts {
        check_account(&loaded.config, account, &transport, &mut report).await;
    }
    for workspace in &loaded.config.workspaces {
        check_workspace(&loaded.config, workspace, (&transport, &kept), &mut report).await;
    }
    check_oidc(&loaded.config, &mut report).await?;
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

    /// Prints what a test found.
    pub(super) fn tell(&mut self, found: &Finding) {
        match found.state {
            State::Good => Self::good(&found.words),
            State::Note | State::Unknown => println!("  note: {}", found.words),
            State::Bad => self.bad(&found.what, &found.words),
        }
    }

    pub(super) fn tell_all(&mut self, found: impl IntoIterator<Item = Finding>) {
        for found in found {
            self.tell(&found);
        }
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
    report.tell_all(check::kind(&jira).await);
    let token = check::site_token(&jira).await;
    let works = token.state == State::Good;
    report.tell(&token);
    if !works {
        return tell_jira(config, site, report.secrets);
    }
    for binding in config
        .bindings
        .iter()
        .filter(|binding| binding.site == site.name)
    {
        report.tell_all(check::project(&jira, &binding.project).await);
    }
    for desk in config.desks.iter().filter(|desk| desk.site == site.name) {
        check_desk(&jira, desk, report).await;
    }
    check_products(config, site, &jira, report).await;
    tell_jira(config, site, report.secrets);
}

/// Can issues be made from feedback where the products say?
async fn check_products(config: &Config, site: &Site, jira: &Jira, report: &mut Report) {
    for product in &config.products {
        let Some(place) = product.issues.as_ref().filter(|one| one.site == site.name) else {
            continue;
        };
        let (what, project) = (format!("product {}", product.name), &place.project);
        match issues_can_be_made(jira, project, &place.issue_type).await {
            Ok(name) => Report::good(&format!(
                "{what}: issues can be made in {project}, as {name}"
            )),
            Err(why) => report.bad(&what, why.words()),
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
    for event in check::EVENTS {
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
