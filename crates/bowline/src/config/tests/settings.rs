//! Defaults, the example, and the forms of single settings.

use super::{WHOLE, good, load, words};
use crate::config::{
    Category, CommentFilter, Database, LogFormat, Metrics, Region, SiteKind, StatusPattern,
    reference::KEYS,
};
use secrecy::ExposeSecret;
use std::path::Path;

#[test]
fn the_contract_of_the_first_example_is_read() {
    let text = include_str!("../../../../../bowline.example.toml")
        .replace("\"...\"", "\"a-secret-of-32-letters-that-nobody-guesses\"");
    let uncommented: Vec<&str> = text
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| {
                    rest.starts_with('[') || rest.contains(" = ") && !rest.contains(". ")
                })
                .unwrap_or(line)
        })
        .collect();
    let uncommented = uncommented.join("\n");
    for (text, optional) in [(text, false), (uncommented, true)] {
        let loaded = good(&text, &[]);
        assert_eq!(
            (
                loaded.config.sites[0].notify_token.is_some(),
                loaded.config.workspaces[0].app_user.is_some()
            ),
            (optional, optional)
        );
        let config = loaded.config;
        assert_eq!(config.desks.len(), usize::from(optional));
        assert!(loaded.warnings.is_empty(), "{}", words(&loaded.warnings));
        assert_eq!(config.sites[0].name, "acme-jira");
        assert_eq!(config.workspaces[0].name, "acme");
        let binding = &config.bindings[0];
        assert_eq!(
            (
                binding.transitions[0].from.clone(),
                binding.transitions[0].to.clone()
            ),
            (StatusPattern::Any, StatusPattern::Name("Done".into()))
        );
    }
}

#[test]
fn the_example_holds_every_key_and_only_defaults() {
    let example = include_str!("../../../../../bowline.example.toml");
    for key in KEYS {
        let name = key.path.rsplit('.').next().unwrap();
        assert!(
            example.contains(&format!("{name} =")) || example.contains(&format!("{name} ")),
            "{} is not in the example",
            key.path
        );
    }
    let example = example.replace("\"...\"", "\"a-secret-of-32-letters-that-nobody-guesses\"");
    let explicit = good(&example, &[]).config;
    let bare = good(WHOLE, &[]).config;
    assert_eq!(explicit.limits, bare.limits);
    assert_eq!(explicit.log, bare.log);
    assert_eq!(explicit.metrics, bare.metrics);
    assert_eq!(explicit.listen, bare.listen);
    assert_eq!(explicit.sites[0].poll, bare.sites[0].poll);
    assert_eq!(explicit.bindings[0].notify, bare.bindings[0].notify);
    assert_eq!(explicit.bindings[0].webhooks, bare.bindings[0].webhooks);
    assert_eq!(explicit.bindings[0].linking, bare.bindings[0].linking);
    assert_eq!(explicit.data_dir, bare.data_dir);
}

#[test]
fn the_untouched_example_asks_for_every_secret() {
    let problems = load(include_str!("../../../../../bowline.example.toml"), &[]).unwrap_err();
    assert_eq!(problems.len(), 4, "{}", words(&problems));
    assert!(
        problems
            .iter()
            .all(|problem| problem.what.contains("placeholder"))
    );
}

#[test]
fn defaults_hold_where_nothing_is_said() {
    let config = good(WHOLE, &[]).config;
    assert_eq!(config.public_url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(config.data_dir, Path::new("/etc/bowline/data"));
    assert!(
        matches!(&config.database, Database::Sqlite(path) if path == Path::new("/etc/bowline/data/bowline.db"))
    );
    assert_eq!(
        (config.metrics, config.log.format, config.log.level.as_str()),
        (Metrics::Shared, LogFormat::Text, "info")
    );
    assert_eq!(config.limits.body_bytes, 10 * 1024 * 1024);
    let site = config.site("acme-jira").unwrap();
    assert_eq!(
        (site.kind, site.api_url.as_str(), site.poll.as_secs()),
        (SiteKind::Cloud, "https://acme.example.com/", 60)
    );
    assert!(site.notify_token.is_none());
    let workspace = config.workspace("acme").unwrap();
    assert_eq!(
        (workspace.region, workspace.api_url.as_str()),
        (Region::Us, "https://api.intercom.io/")
    );
    let binding = &config.bindings[0];
    let notify = &binding.notify;
    let reacts = [
        notify.created,
        notify.assigned,
        notify.commented.react,
        notify.transitioned,
    ]
    .map(|react| (react.note, react.reopen));
    assert_eq!(
        reacts,
        [(true, false), (true, false), (true, false), (true, true)]
    );
    assert_eq!(notify.commented.filter, CommentFilter::All);
    assert!(
        binding.linking
            && binding.webhooks
            && !binding.unassign_on_open
            && !binding.wake_snoozed
            && binding.transitions.is_empty()
    );
    let panel = &binding.panel;
    assert!(panel.enabled && panel.conversation_view && !panel.by_reporter);
    let people = "email,phone,user_id,created_at,last_request_at,session_count";
    assert_eq!(panel.user.join(","), people);
    assert_eq!(panel.lead.join(","), people);
    assert_eq!(panel.company.join(","), "size,website");
    assert!(config.embedding.frame_hosts.is_empty() && config.embedding.token_secret.is_none());
}

#[test]
fn fields_of_the_panel_and_hosts_of_frames_are_lists() {
    let more = "[panel]\nframe_hosts = [\"https://acme.atlassian.net/\"]\n\
         token_secret = \"0123456789abcdef0123456789abcdef\"\n";
    let whole = format!("{WHOLE}\n{more}");
    let fields = "BOWLINE_BINDING__0__VISIBLE_FIELDS__USER";
    let config = good(&whole, &[(fields, "plan, email,plan")]).config;
    assert_eq!(config.bindings[0].panel.user, ["plan", "email"]);
    assert_eq!(config.embedding.frame_hosts, ["https://acme.atlassian.net"]);
    let short = whole.replace("0123456789abcdef0123456789abcdef", "short");
    let bare = whole.replace("token_secret", "# token_secret");
    let path = whole.replace("atlassian.net/", "atlassian.net/wiki");
    let listed = WHOLE.to_owned()
        + "visible_fields.company = [\"website\", \"renews_at\"]\n[panel]\nframe_hosts = []";
    let listed = good(&listed, &[]).config;
    assert_eq!(listed.bindings[0].panel.company, ["website", "renews_at"]);
    for (text, part) in [
        (short, "fewer than 32 letters"),
        (bare, "without `panel.token_secret`"),
        (path, "an entry of `frame_hosts` is"),
    ] {
        let problems = words(&load(&text, &[]).unwrap_err());
        assert!(problems.contains(part), "{part}: {problems}");
    }
}

#[test]
fn forms_of_filter_status_and_database() {
    for (text, expected) in [
        ("all", CommentFilter::All),
        ("public", CommentFilter::Public),
        (
            "marker:#customer",
            CommentFilter::Marker("#customer".into()),
        ),
        (
            "marker: to customer ",
            CommentFilter::Marker("to customer".into()),
        ),
    ] {
        let config = good(
            WHOLE,
            &[("BOWLINE_BINDING__0__NOTIFY__COMMENTED__FILTER", text)],
        )
        .config;
        assert_eq!(config.bindings[0].notify.commented.filter, expected);
    }
    for (text, expected) in [
        ("\"Done\"", StatusPattern::Name("Done".into())),
        ("\"10001\"", StatusPattern::Id("10001".into())),
        ("10001", StatusPattern::Id("10001".into())),
        ("\"category:new\"", StatusPattern::Category(Category::New)),
        (
            "\"category:indeterminate\"",
            StatusPattern::Category(Category::Indeterminate),
        ),
        ("\"category:done\"", StatusPattern::Category(Category::Done)),
    ] {
        let config = good(
            &format!("{WHOLE}[[binding.transition]]\nfrom = \"*\"\nto = {text}\nreopen = false\n"),
            &[],
        )
        .config;
        let rule = &config.bindings[0].transitions[0];
        assert_eq!(
            (&rule.from, &rule.to, rule.react.note, rule.react.reopen),
            (&StatusPattern::Any, &expected, true, false)
        );
    }
    for (text, expected) in [
        (
            "sqlite:./data/bowline.db",
            "sqlite:/etc/bowline/data/bowline.db",
        ),
        ("sqlite:///var/lib/x.db", "sqlite:/var/lib/x.db"),
        ("sqlite:/var/lib/x.db", "sqlite:/var/lib/x.db"),
        (
            "postgresql://db.example.com/b?sslmode=require",
            "postgresql://db.example.com/b?sslmode=require",
        ),
    ] {
        assert_eq!(
            good(WHOLE, &[("BOWLINE_DATABASE_URL", text)])
                .config
                .database
                .url()
                .expose_secret(),
            expected
        );
    }
}
