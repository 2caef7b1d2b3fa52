//! What to enter on the other side of a connection: the webhook, and what the app is to be allowed.

use bowline_domain::ids::WorkspaceName;
use bowline_domain::needs::{Use, permissions, topics};
use bowline_engine::Provider;
use bowline_settings::check;
use bowline_settings::{AccountNow, SiteNow};

use crate::App;
use crate::component::Copied;
use crate::error::PageError;
use crate::needs::Needs;

/// What to enter on the other side.
pub(crate) struct Enter {
    pub(crate) title: &'static str,
    /// Where on the other side.
    pub(crate) place: &'static str,
    pub(crate) copied: Vec<Copied>,
    pub(crate) list_title: &'static str,
    pub(crate) list: Vec<Entry>,
    pub(crate) permissions: Vec<Entry>,
    /// What would be needed besides, for what is not in use.
    pub(crate) further: Vec<Needs>,
    pub(crate) warning: Option<&'static str>,
    /// Can it be registered by the API, and signed anew?
    pub(crate) by_api: bool,
}

/// One thing to enter or to choose.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// What it is for; empty where that is plain.
    pub(crate) why: String,
}

impl Entry {
    fn plain(name: &'static str) -> Self {
        Self {
            name,
            why: String::new(),
        }
    }
}

pub(crate) async fn enter_site(app: &App, site: &SiteNow, secret: Option<&str>) -> Enter {
    let cloud = site
        .config
        .as_ref()
        .is_some_and(|config| config.deployment == bowline_engine::Deployment::Cloud);
    let mut copied = vec![Copied::new(
        "hook-url",
        "URL",
        app.settings.site_hook(&site.name).to_string(),
    )];
    if let Some(secret) = secret {
        copied.push(Copied::new("hook-secret", "Secret", secret));
    }
    if let Some(jql) = app.settings.site_jql(&site.name).await {
        copied.push(Copied::new("hook-jql", "JQL", jql));
    }
    Enter {
        title: "The webhook in Jira",
        place: "Settings > System > WebHooks, as a Jira administrator",
        copied,
        list_title: "Events",
        list: check::EVENTS.map(Entry::plain).into(),
        permissions: Vec::new(),
        further: Vec::new(),
        warning: (cloud && !app.settings.is_reached_by_https()).then_some(
            "Bowline's own address (public_url) is not https, and Jira Cloud delivers only to \
             https. Until it is, changes are found by asking.",
        ),
        by_api: site.kept.is_some(),
    }
}

pub(crate) async fn enter_workspace(app: &App, name: &WorkspaceName) -> Result<Enter, PageError> {
    let url = app.settings.workspace_hook(name).to_string();
    let uses = app.shared.in_use(name).await?;
    let words = |uses: String, why: String| format!("for {uses}: {why}");
    let idle = Use::ALL.into_iter().filter(|one| !uses.contains(one));
    Ok(Enter {
        title: "The webhook in Intercom",
        place: "Developer Hub > your app > Configure > Webhooks",
        copied: vec![Copied::new("hook-url", "Endpoint URL", url)],
        list_title: "Topics",
        list: topics(&uses)
            .into_iter()
            .map(|one| Entry {
                name: one.what,
                why: words(one.for_what(), one.why),
            })
            .collect(),
        permissions: permissions(&uses)
            .into_iter()
            .map(|one| Entry {
                name: one.what.title(),
                why: words(one.for_what(), one.why),
            })
            .collect(),
        further: idle.map(|one| Needs::besides(one, &uses)).collect(),
        warning: (!app.settings.is_reached_by_https()).then_some(
            "Bowline's own address (public_url) is not https, and Intercom delivers only to https. \
             Until it is, what happens in Intercom is noticed later.",
        ),
        by_api: false,
    })
}

pub(crate) fn enter_account(app: &App, account: &AccountNow, token: Option<&str>) -> Option<Enter> {
    let config = account.config.as_ref()?;
    let mut copied = vec![Copied::new("hook-url", "URL", config.hook_url.to_string())];
    if let Some(token) = token {
        copied.push(Copied::new("hook-token", "Verify token", token));
    }
    let (title, place, list_title, list) = match config.provider {
        Provider::MessageBird => (
            "The webhook at MessageBird",
            if config.register_webhook {
                "Bowline registers it by itself, and again when it is gone. It calls"
            } else {
                "To register at MessageBird, by its API"
            },
            "Events",
            vec![
                "message.created",
                "message.updated",
                "conversation.created",
                "conversation.updated",
            ],
        ),
        Provider::WhatsApp => (
            "The webhook at Meta",
            "Your app > WhatsApp > Configuration > Webhook, to enter as Callback URL and Verify \
             token",
            "Fields to subscribe to",
            vec!["messages"],
        ),
    };
    Some(Enter {
        title,
        place,
        copied,
        list_title,
        list: list.into_iter().map(Entry::plain).collect(),
        permissions: Vec::new(),
        further: Vec::new(),
        warning: (!app.settings.is_reached_by_https()).then_some(
            "Bowline's own address (public_url) is not https, and messaging providers deliver to \
             https only.",
        ),
        by_api: false,
    })
}
