//! Every key.

use super::{
    Fallback::{self, Absent, Required, Value},
    Key, Kind,
};

const fn key(path: &'static str, kind: Kind, default: Fallback, meaning: &'static str) -> Key {
    Key {
        path,
        kind,
        default,
        meaning,
    }
}

/// Every key of the configuration. `name_file` forms of secrets are not listed; [`Kind::Secret`] implies them.
pub const KEYS: &[Key] = &[
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
        "site[].name",
        Kind::Name,
        Required,
        "Names the site in this file, on pages and in its webhook address. Keep it: links are stored under it.",
    ),
    key(
        "site[].kind",
        Kind::Choice(&["cloud", "datacenter"]),
        Required,
        "Jira Cloud, or Jira Data Center.",
    ),
    key(
        "site[].url",
        Kind::Url,
        Required,
        "The address that people see in links.",
    ),
    key(
        "site[].api_url",
        Kind::Url,
        Absent("`url`"),
        "Where REST is reached, for scoped tokens, proxies and tests.",
    ),
    key(
        "site[].email",
        Kind::Text,
        Absent("required for `cloud`"),
        "The e-mail address of the Jira user to whom the token belongs. Data Center uses the token alone.",
    ),
    key(
        "site[].token",
        Kind::Secret,
        Required,
        "The API token (Cloud) or personal access token (Data Center) of the user as whom Bowline writes.",
    ),
    key(
        "site[].webhook_secret",
        Kind::Secret,
        Absent("required if a binding has `webhooks`"),
        "The secret that was entered at the webhook in Jira. Deliveries without its signature are refused.",
    ),
    key(
        "site[].webhook_secret_previous",
        Kind::Secret,
        Absent("none"),
        "The secret before it, accepted too while you change over.",
    ),
    key(
        "site[].notify_token",
        Kind::Secret,
        Absent("no notify address"),
        "The bearer token of `/hooks/jira/{name}/notify`, for automation rules and post functions.",
    ),
    key(
        "site[].poll_seconds",
        Kind::Whole {
            min: 10,
            max: 86_400,
            unit: "seconds",
        },
        Value("60"),
        "How often the reconciler asks for changed issues, to find what no webhook told.",
    ),
    key(
        "workspace[].name",
        Kind::Name,
        Required,
        "Names the workspace in this file, on pages and in its webhook address. Keep it: links are stored under it.",
    ),
    key(
        "workspace[].region",
        Kind::Choice(&["us", "eu", "au"]),
        Value("us"),
        "Where the workspace's data lives; it decides the address of the API.",
    ),
    key(
        "workspace[].api_url",
        Kind::Url,
        Absent("the region's address"),
        "Where REST is reached, for proxies and tests.",
    ),
    key(
        "workspace[].access_token",
        Kind::Secret,
        Required,
        "The access token of your app, from Intercom's Developer Hub.",
    ),
    key(
        "workspace[].client_secret",
        Kind::Secret,
        Required,
        "The client secret of your app. Deliveries and inbox-app requests without its signature are refused.",
    ),
    key(
        "workspace[].client_secret_previous",
        Kind::Secret,
        Absent("none"),
        "The secret before it, accepted too while you change over.",
    ),
    key(
        "workspace[].app_user",
        Kind::Id,
        Absent("who the token belongs to"),
        "The id of the teammate as whom Bowline writes notes.",
    ),
    key(
        "binding[].site",
        Kind::Name,
        Required,
        "The name of a `[[site]]`.",
    ),
    key(
        "binding[].project",
        Kind::Text,
        Required,
        "The key of a project of that site.",
    ),
    key(
        "binding[].workspace",
        Kind::Name,
        Required,
        "The name of a `[[workspace]]`.",
    ),
    key(
        "binding[].linking",
        Kind::Flag,
        Value("true"),
        "Whether conversation addresses in this project's issues make links.",
    ),
    key(
        "binding[].webhooks",
        Kind::Flag,
        Value("true"),
        "Whether Jira delivers webhooks for this project. With `false`, polling is the only source, for installations that Jira cannot reach.",
    ),
    key(
        "binding[].notify.created.note",
        Kind::Flag,
        Value("true"),
        "Write a note when an issue is created, or linked later.",
    ),
    key(
        "binding[].notify.created.reopen",
        Kind::Flag,
        Value("false"),
        "Re-open a closed conversation then.",
    ),
    key(
        "binding[].notify.assigned.note",
        Kind::Flag,
        Value("true"),
        "Write a note when the assignee changes.",
    ),
    key(
        "binding[].notify.assigned.reopen",
        Kind::Flag,
        Value("false"),
        "Re-open a closed conversation then.",
    ),
    key(
        "binding[].notify.commented.note",
        Kind::Flag,
        Value("true"),
        "Write a note when a comment is added.",
    ),
    key(
        "binding[].notify.commented.reopen",
        Kind::Flag,
        Value("false"),
        "Re-open a closed conversation then.",
    ),
    key(
        "binding[].notify.commented.filter",
        Kind::Filter,
        Value("all"),
        "Which comments count: all, only those that customers may read, or only those that contain a text. Restricted comments never do.",
    ),
    key(
        "binding[].notify.transitioned.note",
        Kind::Flag,
        Value("true"),
        "Write a note when the status changes.",
    ),
    key(
        "binding[].notify.transitioned.reopen",
        Kind::Flag,
        Value("true"),
        "Re-open a closed conversation then.",
    ),
    key(
        "binding[].unassign_on_open",
        Kind::Flag,
        Value("false"),
        "Whether a conversation that Bowline re-opens goes back to the unassigned queue.",
    ),
    key(
        "binding[].wake_snoozed",
        Kind::Flag,
        Value("false"),
        "Whether a note may wake a snoozed conversation. With `false`, it is snoozed again to its old time.",
    ),
    key(
        "binding[].transition[].from",
        Kind::Status,
        Value("*"),
        "The status before.",
    ),
    key(
        "binding[].transition[].to",
        Kind::Status,
        Required,
        "The status after. Not `*`; that is what `notify.transitioned` is for.",
    ),
    key(
        "binding[].transition[].note",
        Kind::Flag,
        Value("true"),
        "Write a note.",
    ),
    key(
        "binding[].transition[].reopen",
        Kind::Flag,
        Value("true"),
        "Re-open a closed conversation.",
    ),
];
