//! Jira sites and Intercom workspaces.

use super::key;
use crate::config::reference::Fallback::{Absent, Required, Value};
use crate::config::reference::{Key, Kind};

/// Their keys.
pub(super) const KEYS: &[Key] = &[
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
        "site[].token_ends_on",
        Kind::Text,
        Absent("nobody is reminded"),
        "The day on which the token ends, as `2027-01-31`: 14 days before, it is a problem, and people are told.",
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
];
