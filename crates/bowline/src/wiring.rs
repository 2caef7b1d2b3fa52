//! From the configuration as people write it to what the engine takes.

use bowline_domain::feedback::product::IssueTarget;
use bowline_domain::ids::{ProjectKey, SiteName, WorkspaceName};
use bowline_domain::messaging::ids::{AccountName, ChannelId, DeskName};
use bowline_domain::messaging::settings as messaging;
use bowline_domain::observation::StatusCategory;
use bowline_domain::panel::{ContactSource, PanelSettings, VisibleFields};
use bowline_domain::settings::{self as rules, StatusMatch, Trigger};
use bowline_domain::tally::TallySettings;
use bowline_engine as engine;
use bowline_intercom::{Region, app_host};
use bowline_jira::Deployment;
use url::Url;

use crate::config;

/// What the file declares.
pub(crate) fn declared(config: &config::Config) -> bowline_settings::Declared {
    bowline_settings::Declared {
        config: engine_config(config),
        allowed: config.network_allowed.clone(),
        alert_url: config.alert_url.clone(),
        alert_mail: config.alert_mail.as_ref().map(alert_mail),
        token_ends: config
            .sites
            .iter()
            .filter_map(|site| {
                let day = site.token_ends_on.clone()?;
                Some((SiteName::new(site.name.as_str()), day))
            })
            .collect(),
        sign_in_url: config.oidc.as_ref().map(|oidc| oidc.issuer.clone()),
    }
}

fn alert_mail(mail: &config::AlertMail) -> bowline_settings::AlertMail {
    bowline_settings::AlertMail {
        host: mail.host.clone(),
        port: mail.port,
        tls: mail.tls,
        login: mail.login.clone(),
        from: mail.from.clone(),
        to: mail.to.clone(),
    }
}

/// Everything that is declared to be connected.
pub(crate) fn engine_config(config: &config::Config) -> engine::EngineConfig {
    engine::EngineConfig {
        sites: config.sites.iter().map(site).collect(),
        workspaces: config.workspaces.iter().map(workspace).collect(),
        bindings: config.bindings.iter().map(binding).collect(),
        accounts: config
            .channel_accounts
            .iter()
            .map(|one| account(one, &config.public_url))
            .collect(),
        desks: config.desks.iter().map(desk).collect(),
        contact_syncs: config
            .contact_syncs
            .iter()
            .map(|sync| engine::ContactSyncConfig {
                workspace: WorkspaceName::new(sync.workspace.as_str()),
                updates: sync.updates,
            })
            .collect(),
        products: config.products.iter().map(product).collect(),
        public_url: Some(config.public_url.clone()),
        notes_per_link_hour_max: config.limits.hops_per_link_hour,
    }
}

fn site(site: &config::Site) -> engine::SiteConfig {
    let secrets = [&site.webhook_secret, &site.webhook_secret_previous];
    engine::SiteConfig {
        name: SiteName::new(site.name.as_str()),
        deployment: deployment(site.kind),
        url: site.url.clone(),
        api_url: site.api_url.clone(),
        email: site
            .email
            .clone()
            .filter(|_| site.kind == config::SiteKind::Cloud),
        token: site.token.clone(),
        webhook_secrets: secrets.into_iter().flatten().cloned().collect(),
        notify_token: site.notify_token.clone(),
        poll: site.poll,
    }
}

/// Cloud or Data Center, as the Jira client says it.
pub(crate) fn deployment(kind: config::SiteKind) -> Deployment {
    match kind {
        config::SiteKind::Cloud => Deployment::Cloud,
        config::SiteKind::DataCenter => Deployment::DataCenter,
    }
}

fn workspace(workspace: &config::Workspace) -> engine::WorkspaceConfig {
    let region = match workspace.region {
        config::Region::Us => Region::Us,
        config::Region::Eu => Region::Eu,
        config::Region::Au => Region::Au,
    };
    let previous = workspace.client_secret_previous.iter();
    engine::WorkspaceConfig {
        name: WorkspaceName::new(workspace.name.as_str()),
        api_url: workspace.api_url.clone(),
        app_host: app_host(region).to_owned(),
        access_token: workspace.access_token.clone(),
        client_secrets: std::iter::once(&workspace.client_secret)
            .chain(previous)
            .cloned()
            .collect(),
        app_user: workspace.app_user.clone(),
    }
}

fn binding(binding: &config::Binding) -> engine::BindingConfig {
    let notify = &binding.notify;
    engine::BindingConfig {
        site: SiteName::new(binding.site.as_str()),
        project: ProjectKey::new(binding.project.as_str()),
        workspace: WorkspaceName::new(binding.workspace.as_str()),
        linking: binding.linking,
        webhooks: binding.webhooks,
        notify: rules::Notify {
            created: trigger(notify.created),
            assigned: trigger(notify.assigned),
            commented: trigger(notify.commented.react),
            filter: filter(&notify.commented.filter),
            transitioned: trigger(notify.transitioned),
        },
        transitions: binding
            .transitions
            .iter()
            .map(|rule| rules::TransitionRule {
                from: status(&rule.from),
                to: status(&rule.to),
                then: trigger(rule.react),
            })
            .collect(),
        unassign_on_open: binding.unassign_on_open,
        wake_snoozed: binding.wake_snoozed,
        muted: binding.muted,
        coalesce_seconds: binding.coalesce_seconds,
        contents: rules::NoteContents {
            summary: binding.note_summary,
            comment: binding.note_comments,
        },
        panel: panel(&binding.panel),
        tally: TallySettings {
            label: binding.linked_label.clone(),
            number_field: binding.linked_number_field.clone(),
        },
    }
}

fn panel(panel: &config::Panel) -> PanelSettings {
    PanelSettings {
        enabled: panel.enabled,
        conversation_view: panel.conversation_view,
        contact_source: if panel.by_reporter {
            ContactSource::Reporter
        } else {
            ContactSource::Linked
        },
        visible: VisibleFields {
            user: panel.user.clone(),
            lead: panel.lead.clone(),
            company: panel.company.clone(),
        },
    }
}

fn trigger(react: config::React) -> Trigger {
    Trigger {
        note: react.note,
        reopen: react.reopen,
    }
}

fn filter(filter: &config::CommentFilter) -> rules::CommentFilter {
    match filter {
        config::CommentFilter::All => rules::CommentFilter::All,
        config::CommentFilter::Public => rules::CommentFilter::Public,
        config::CommentFilter::Marker(text) => rules::CommentFilter::Marker(text.clone()),
    }
}

fn status(pattern: &config::StatusPattern) -> StatusMatch {
    match pattern {
        config::StatusPattern::Any => StatusMatch::Any,
        config::StatusPattern::Category(category) => StatusMatch::Category(match category {
            config::Category::New => StatusCategory::New,
            config::Category::Indeterminate => StatusCategory::Indeterminate,
            config::Category::Done => StatusCategory::Done,
        }),
        config::StatusPattern::Id(text) | config::StatusPattern::Name(text) => {
            StatusMatch::NameOrId(text.clone())
        }
    }
}

fn account(account: &config::ChannelAccount, public_url: &Url) -> engine::AccountConfig {
    let provider = match account.provider {
        config::ChannelProvider::MessageBird => engine::Provider::MessageBird,
        config::ChannelProvider::WhatsApp => engine::Provider::WhatsApp,
    };
    let hook_url = provider.hook_url(public_url, &account.name);
    let previous = account.signing_key_previous.iter();
    engine::AccountConfig {
        name: AccountName::new(account.name.as_str()),
        provider,
        api_url: account.api_url.clone(),
        access_key: account.access_key.clone(),
        signing_keys: std::iter::once(&account.signing_key)
            .chain(previous)
            .cloned()
            .collect(),
        verify_token: account.verify_token.clone(),
        hook_url,
        register_webhook: account.register_webhook,
        poll: account.poll,
    }
}

/// A desk as the engine takes it.
pub fn desk(desk: &config::Desk) -> engine::DeskConfig {
    let millis = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    engine::DeskConfig {
        desk: messaging::Desk {
            name: DeskName::new(desk.name.as_str()),
            account: AccountName::new(desk.account.as_str()),
            channels: match &desk.channels {
                config::DeskChannels::All => messaging::Channels::All,
                config::DeskChannels::Only(named) => messaging::Channels::Only(
                    named.iter().map(|id| ChannelId::new(id.as_str())).collect(),
                ),
            },
            site: SiteName::new(desk.site.as_str()),
            notifications: messaging::Notifications {
                others: desk.status_notifications.others,
                usual: desk.status_notifications.usual.clone(),
                by_status: desk.status_notifications.by_status.clone(),
            },
            language: desk.language.clone(),
            texts: desk.texts.clone(),
            closing: desk.closing.iter().map(status).collect(),
            reopen_within_ms: millis(desk.reopen_within),
            quiet_ms: millis(desk.quiet),
            requests_per_hour_max: desk.requests_per_hour,
            attachments_out: desk.attachments_out,
            window_template: desk.window_template.as_ref().map(window_template),
        },
        service_desk: desk.service_desk.clone(),
        request_type: desk.request_type.clone(),
        reporter: desk.reporter.clone(),
        fields: desk.fields.clone(),
    }
}

fn window_template(template: &config::WindowTemplate) -> messaging::WindowTemplate {
    messaging::WindowTemplate {
        name: template.name.clone(),
        namespace: template.namespace.clone(),
        language: template.language.clone(),
        values: template.values.clone(),
        text: template.text.clone(),
        by_itself: template.by_itself,
    }
}

/// A product as the engine takes it.
pub fn product(product: &config::Product) -> engine::ProductConfig {
    engine::ProductConfig {
        workspace: WorkspaceName::new(product.workspace.as_str()),
        name: product.name.clone(),
        tags: product.tags.clone(),
        notes: product.notes.clone(),
        follow_issue: product.follow_issue,
        wake_snoozed: product.wake_snoozed,
        status_names: product.status_names.clone(),
        issues: product.issues.as_ref().map(|place| IssueTarget {
            site: SiteName::new(place.site.as_str()),
            project: place.project.clone(),
            issue_type: place.issue_type.clone(),
        }),
    }
}
