//! Channel accounts and desks.

use super::key;
use crate::config::reference::Fallback::{Absent, Required, Value};
use crate::config::reference::{Key, Kind};

/// Their keys.
pub(super) const KEYS: &[Key] = &[
    key(
        "channel_account[].name",
        Kind::Name,
        Required,
        "Names the account in this file, on pages and in its webhook address. Keep it: conversations are stored under it.",
    ),
    key(
        "channel_account[].provider",
        Kind::Choice(&["messagebird", "whatsapp"]),
        Required,
        "MessageBird's Conversations API, or Meta's WhatsApp Cloud API directly.",
    ),
    key(
        "channel_account[].api_url",
        Kind::Url,
        Absent("the provider's own"),
        "Where the provider's API is reached.",
    ),
    key(
        "channel_account[].access_key",
        Kind::Secret,
        Required,
        "MessageBird's access key, or the token of a system user at Meta with `whatsapp_business_messaging`.",
    ),
    key(
        "channel_account[].signing_key",
        Kind::Secret,
        Required,
        "What the provider signs its webhooks with: MessageBird's signing key, or the secret of the app at Meta.",
    ),
    key(
        "channel_account[].signing_key_previous",
        Kind::Secret,
        Absent("none"),
        "The key before it, accepted too while both are in use.",
    ),
    key(
        "channel_account[].verify_token",
        Kind::Secret,
        Absent("required for whatsapp"),
        "The token that is entered beside the webhook's address at Meta. MessageBird has none.",
    ),
    key(
        "channel_account[].register_webhook",
        Kind::Flag,
        Value("true"),
        "Whether Bowline registers its webhook at MessageBird, and registers it again when it is gone. Meta's is entered by hand.",
    ),
    key(
        "channel_account[].poll_seconds",
        Kind::Whole {
            min: 10,
            max: 86_400,
            unit: "seconds",
        },
        Value("300"),
        "How often messages are looked for that no webhook told of.",
    ),
    key(
        "desk[].name",
        Kind::Name,
        Required,
        "Names the desk in this file and on pages. Keep it: conversations are stored under it.",
    ),
    key(
        "desk[].account",
        Kind::Name,
        Required,
        "The channel account.",
    ),
    key(
        "desk[].channels",
        Kind::Words,
        Value("all"),
        "The provider's ids of the channels that it serves (for WhatsApp the phone number id), or `all` that no other desk names.",
    ),
    key("desk[].site", Kind::Name, Required, "The Jira site."),
    key(
        "desk[].service_desk",
        Kind::Text,
        Required,
        "The key of the service project.",
    ),
    key(
        "desk[].request_type",
        Kind::Id,
        Required,
        "The request type, by name or id. Its required fields are filled here or have defaults in Jira.",
    ),
    key(
        "desk[].reporter",
        Kind::Text,
        Absent("Bowline's own account"),
        "In whose name requests are made for people who are not customers in Jira: account id on Cloud, user name on Data Center.",
    ),
    key(
        "desk[].fields",
        Kind::Values,
        Absent("none"),
        "Fixed values of fields by their ids, as Jira's API wants them.",
    ),
    key(
        "desk[].status_notifications",
        Kind::PerStatus,
        Value("true"),
        "Whether the end user is told of status changes; or by status a text with `{key}` and `{status}` in it, or false. `*` stands for all other statuses: a text, true or false.",
    ),
    key(
        "desk[].closing",
        Kind::Statuses,
        Value("category:done"),
        "The statuses that end the conversation.",
    ),
    key(
        "desk[].reopen_within",
        Kind::Time,
        Value("0"),
        "For how long after its end a new message goes on with the old request. `0` makes a new request always.",
    ),
    key(
        "desk[].quiet_seconds",
        Kind::Whole {
            min: 0,
            max: 300,
            unit: "seconds",
        },
        Value("3"),
        "How long a customer must have paused before what they wrote is written to Jira in one edit. Whoever does not pause is waited for four times as long, or a minute, whichever is less; there are never two edits within this time. Data Center mails watchers about every edit.",
    ),
    key(
        "desk[].requests_per_hour",
        Kind::Whole {
            min: 1,
            max: 10_000,
            unit: "requests",
        },
        Value("20"),
        "How many requests one sender may begin within an hour. Messages of an active conversation are not bounded.",
    ),
    key(
        "desk[].attachments_out",
        Kind::Flag,
        Value("false"),
        "Whether files that public comments show are sent to the end user, on platforms that take files (WhatsApp). They are given to the provider; no address of Jira's leaves.",
    ),
    key(
        "desk[].window_template",
        Kind::Text,
        Absent("none"),
        "The name of an approved WhatsApp template that may be sent after the 24 hours in which an answer is possible, so that the customer writes. A person has it sent, unless `window_template_by_itself`.",
    ),
    key(
        "desk[].window_template_language",
        Kind::Text,
        Value("en"),
        "The template's language as it was approved, as `en` or `en_US`.",
    ),
    key(
        "desk[].window_template_namespace",
        Kind::Text,
        Absent("none"),
        "The template's namespace, which MessageBird asks for.",
    ),
    key(
        "desk[].window_template_values",
        Kind::Words,
        Absent("none"),
        "The values for the places in the template's text, in order. `{key}` in one is the request's key.",
    ),
    key(
        "desk[].window_template_text",
        Kind::Text,
        Absent("the template's name"),
        "What the template says, with `{{1}}` for the first value: shown in Bowline as what was sent.",
    ),
    key(
        "desk[].window_template_by_itself",
        Kind::Flag,
        Value("false"),
        "Whether the template is sent by itself when an answer or a notification comes too late, once for each window.",
    ),
    key(
        "desk[].language",
        Kind::Text,
        Absent("the desk's own texts"),
        "The language of customers of whom none is known otherwise, as `en` or `pt-BR`. Without `[[desk.texts]]` of that language it is what the desk's own texts are in.",
    ),
    key(
        "desk[].texts[].language",
        Kind::Text,
        Required,
        "The language, as `de` or `pt-BR`. Texts of `de` are for `de-AT` too, if that has none.",
    ),
    key(
        "desk[].texts[].numbers",
        Kind::Words,
        Absent("none"),
        "What telephone numbers begin with whose owners are written to in it, as `+49`. The longest that fits counts.",
    ),
    key(
        "desk[].texts[].status_notifications",
        Kind::Texts,
        Absent("the desk's"),
        "By status a text with `{key}` and `{status}` in it; `*` stands for all other statuses. Whether a status is told at all is said at the desk.",
    ),
    key(
        "desk[].texts[].window_template",
        Kind::Text,
        Absent("the desk's"),
        "The name of the approved template in this language, if it is not the desk's. Where nothing is said here of the template, the desk's own is sent as it was approved, in its language.",
    ),
    key(
        "desk[].texts[].window_template_language",
        Kind::Text,
        Absent(
            "the language, as the provider writes it (`pt_BR`), if anything is said here of the template",
        ),
        "The language of that template as it was approved.",
    ),
    key(
        "desk[].texts[].window_template_namespace",
        Kind::Text,
        Absent("the desk's"),
        "Its namespace.",
    ),
    key(
        "desk[].texts[].window_template_values",
        Kind::Words,
        Absent("the desk's, or none if the name is another one"),
        "The values for the places in its text, in order.",
    ),
    key(
        "desk[].texts[].window_template_text",
        Kind::Text,
        Absent("the template's name"),
        "What it says in this language, shown in Bowline as what was sent.",
    ),
];
