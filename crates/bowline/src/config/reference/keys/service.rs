//! The service itself: where it is, who signs in, what it may call, who is told.

use super::key;
use crate::config::reference::Fallback::{Absent, Required, Value};
use crate::config::reference::{Key, Kind};

/// Their keys.
pub(super) const KEYS: &[Key] = &[
    key(
        "listen",
        Kind::Address,
        Value("127.0.0.1:8080"),
        "Where the service listens. Port 0 takes any free port.",
    ),
    key(
        "public_url",
        Kind::Url,
        Absent("`http://` and `listen`"),
        "The address under which people, Jira and Intercom reach the service. Jira Cloud and Intercom deliver only to https.",
    ),
    key(
        "data_dir",
        Kind::Folder,
        Value("./data"),
        "The folder of the SQLite file and the key file. Made at start.",
    ),
    key(
        "database_url",
        Kind::Secret,
        Absent("`sqlite:` and `bowline.db` in `data_dir`"),
        "`sqlite:PATH`, or `postgres://user:password@host/database` for PostgreSQL 15 or newer.",
    ),
    key(
        "metrics",
        Kind::Metrics,
        Value("true"),
        "Whether Prometheus metrics are served at `/metrics`; an address serves them there instead.",
    ),
    key(
        "log.format",
        Kind::Choice(&["text", "json"]),
        Value("text"),
        "Lines for people, or one JSON object per line.",
    ),
    key(
        "log.level",
        Kind::Text,
        Value("info"),
        "`error`, `warn`, `info`, `debug` or `trace`, also per part of the service: `info,bowline_engine=debug`.",
    ),
    key(
        "panel.frame_hosts",
        Kind::Words,
        Absent("none"),
        "The hosts whose pages may show the issue panel in a frame: `https://acme.atlassian.net`.",
    ),
    key(
        "panel.token_secret",
        Kind::Secret,
        Absent("no panel in a frame"),
        "What those pages sign their tokens with (HS256). At least 32 letters that nobody can guess.",
    ),
    key(
        "oidc.issuer",
        Kind::Url,
        Required,
        "The provider: the address in whose `/.well-known/openid-configuration` it describes itself. It may be called though it is not public.",
    ),
    key(
        "oidc.client_id",
        Kind::Text,
        Required,
        "As what Bowline is registered at the provider.",
    ),
    key(
        "oidc.client_secret",
        Kind::Secret,
        Absent("a public client"),
        "The secret that the provider gave out for it.",
    ),
    key(
        "oidc.label",
        Kind::Text,
        Value("single sign-on"),
        "What people call the provider; the button says “Sign in with …”.",
    ),
    key(
        "oidc.allowed_domains",
        Kind::Words,
        Absent("any"),
        "The domains of e-mail addresses that are let in by the provider. With them an address is needed that counts as verified.",
    ),
    key(
        "oidc.new_people",
        Kind::Choice(&["none", "viewer", "agent", "administrator"]),
        Value("none"),
        "The role of people who come in by the provider and have no account yet. With `none` they are not let in.",
    ),
    key(
        "oidc.passwords",
        Kind::Flag,
        Value("true"),
        "Whether passwords let in besides. Owners' always do, so that somebody comes in when the provider fails.",
    ),
    key(
        "oidc.trust_emails",
        Kind::Flag,
        Value("false"),
        "Whether an address counts as verified if the provider says nothing of it, as Entra ID does. Only for providers where nobody chooses their own address.",
    ),
    key(
        "limits.body_bytes",
        Kind::Whole {
            min: 65_536,
            max: 67_108_864,
            unit: "bytes",
        },
        Value("10485760"),
        "The largest accepted delivery; a larger one is answered 413, and the reconciler finds the change by polling.",
    ),
    key(
        "limits.deliveries_at_once",
        Kind::Whole {
            min: 1,
            max: 65_536,
            unit: "deliveries",
        },
        Value("256"),
        "How many deliveries are taken in at once; one more is answered 503 and sent again by Jira or Intercom.",
    ),
    key(
        "limits.payload_days",
        Kind::Whole {
            min: 1,
            max: 3_650,
            unit: "days",
        },
        Value("30"),
        "How long the payloads of deliveries are kept before they are redacted.",
    ),
    key(
        "limits.hops_per_link_hour",
        Kind::Whole {
            min: 1,
            max: 100_000,
            unit: "hops",
        },
        Value("60"),
        "How many notes and changes one link may cause in an hour before the breaker stops it, so that two automations cannot drive each other.",
    ),
    key(
        "limits.shutdown_seconds",
        Kind::Whole {
            min: 1,
            max: 600,
            unit: "seconds",
        },
        Value("20"),
        "How long a shutdown waits for what is in flight. What is not finished then is taken up after the next start.",
    ),
    key(
        "key_file",
        Kind::Folder,
        Absent("`bowline.key` in `data_dir`"),
        "The file of the keys that seal secrets which were entered on pages. Made when the first one is kept. All processes of one database need the same file; back it up beside the database, not with it.",
    ),
    key(
        "allowed_addresses",
        Kind::Words,
        Absent("public addresses only"),
        "Ranges of addresses like `10.1.0.0/16` that may be called though they are not public, where someone enters one on a page. What this file declares may be called in any case.",
    ),
    key(
        "ca_file",
        Kind::Folder,
        Absent("the system's own"),
        "A file with certificate authorities (PEM) that are trusted beside the system's, for a Data Center with a certificate of your own authority.",
    ),
    key(
        "alert_webhook_url",
        Kind::Url,
        Absent("nobody is told"),
        "Where a JSON object is posted once when a connection breaks and once when it works again, with a `text` for people.",
    ),
    key(
        "alert_mail.host",
        Kind::Text,
        Required,
        "The SMTP server that letters about connections are handed to.",
    ),
    key(
        "alert_mail.port",
        Kind::Whole {
            min: 1,
            max: 65_535,
            unit: "a port",
        },
        Absent("587 with `starttls`, 465 with `tls`, 25 with `none`"),
        "Its port.",
    ),
    key(
        "alert_mail.tls",
        Kind::Choice(&["starttls", "tls", "none"]),
        Value("starttls"),
        "`starttls` begins in the clear and goes on by TLS or not at all, `tls` is TLS from the first byte, `none` is for a server on this machine or in a network that you trust. The certificate must be that of `host`; `ca_file` is trusted as well.",
    ),
    key(
        "alert_mail.user",
        Kind::Text,
        Absent("no signing in"),
        "The user as whom Bowline signs in to the server.",
    ),
    key(
        "alert_mail.password",
        Kind::Secret,
        Absent("no signing in"),
        "The password of that user.",
    ),
    key(
        "alert_mail.from",
        Kind::Text,
        Required,
        "Who letters are from: `bowline@example.com` or `Bowline <bowline@example.com>`.",
    ),
    key(
        "alert_mail.to",
        Kind::Words,
        Required,
        "Who is told, each by a letter of their own.",
    ),
    key(
        "atlassian_api_url",
        Kind::Url,
        Value("https://api.atlassian.com"),
        "Where tokens with scopes are used, for proxies and tests.",
    ),
];
