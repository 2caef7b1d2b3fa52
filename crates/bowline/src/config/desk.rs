//! Channel accounts and desks.

use super::{
    connections::Names,
    problem::{Place, nearest},
    settings::{Found, Reading, Section},
    tree::{Node, Table, Value},
    types::{
        ChannelAccount, ChannelProvider, Desk, DeskChannels, Site, StatusNotifications,
        StatusPattern, WindowTemplate,
    },
};
use std::{collections::BTreeMap, time::Duration};
use url::Url;

/// Where MessageBird's API is unless configured otherwise.
const MESSAGEBIRD_URL: &str = "https://conversations.messagebird.com/v1";
/// Where Meta's is.
const WHATSAPP_URL: &str = "https://graph.facebook.com";

/// What desks may refer to.
pub(super) struct Known<'a> {
    pub(super) sites: &'a [Site],
    pub(super) site_names: &'a Names,
    pub(super) account_names: &'a Names,
}

impl Reading<'_> {
    pub(super) fn channel_account(
        &mut self,
        section: &Section<'_>,
        name: String,
    ) -> Option<ChannelAccount> {
        let provider = self.text(section, "provider").map(|provider| {
            if provider.value == "whatsapp" {
                ChannelProvider::WhatsApp
            } else {
                ChannelProvider::MessageBird
            }
        });
        let given = section
            .node
            .table()
            .is_some_and(|table| table.contains_key("api_url"));
        let api_url = self.url(section, "api_url");
        let access_key = self.secret(section, "access_key");
        let signing_key = self.secret(section, "signing_key");
        let signing_key_previous = self.secret(section, "signing_key_previous");
        let verify_token = self.secret(section, "verify_token");
        let register_webhook = self.flag(section, "register_webhook");
        let poll = Duration::from_secs(self.whole(section, "poll_seconds"));
        if let Some(api_url) = &api_url {
            self.warn_plain(section, api_url);
        }
        let provider = provider?;
        if provider == ChannelProvider::WhatsApp && verify_token.is_none() {
            self.problem(
                &section.node.place,
                format!("{} is WhatsApp's and has no `verify_token`", section.title),
                "Give the token that is entered beside the webhook's address at Meta",
            );
        }
        let api_url = match api_url {
            Some(found) => found.value,
            None if given => return None,
            None => Url::parse(match provider {
                ChannelProvider::MessageBird => MESSAGEBIRD_URL,
                ChannelProvider::WhatsApp => WHATSAPP_URL,
            })
            .ok()?,
        };
        Some(ChannelAccount {
            name,
            provider,
            api_url,
            access_key: access_key?.value,
            signing_key: signing_key?.value,
            signing_key_previous: signing_key_previous.map(|found| found.value),
            verify_token: verify_token.map(|found| found.value),
            register_webhook,
            poll,
        })
    }

    pub(super) fn desk(
        &mut self,
        section: &Section<'_>,
        name: String,
        known: &Known<'_>,
    ) -> Option<Desk> {
        let account = self.text(section, "account");
        let site = self.text(section, "site");
        self.known_name(
            section,
            "channel_account",
            account.as_ref(),
            known.account_names,
        );
        self.known_name(section, "site", site.as_ref(), known.site_names);
        let channels = self.words(section, "channels").map(|words| {
            if matches!(words.as_slice(), [one] if one.value == "all") {
                DeskChannels::All
            } else {
                DeskChannels::Only(words.into_iter().map(|word| word.value).collect())
            }
        });
        let service_desk = self.text(section, "service_desk");
        let request_type = self.text(section, "request_type");
        let reporter = self.text(section, "reporter").map(|found| found.value);
        let fields = self.values(section, "fields");
        let status_notifications = self.status_notifications(section);
        let closing = self.statuses(section, "closing");
        let reopen_within = self.time(section, "reopen_within");
        let quiet = Duration::from_secs(self.whole(section, "quiet_seconds"));
        let requests_per_hour = self.whole(section, "requests_per_hour");
        let attachments_out = self.flag(section, "attachments_out");
        let window_template = self.window_template(section);
        let language = self.language(section);
        let texts = self.desk_texts(section, window_template.as_ref());
        let site = site?;
        let unsigned = known
            .sites
            .iter()
            .any(|one| one.name == site.value && one.webhook_secret.is_none());
        if unsigned {
            self.problem(
                &section.node.place,
                format!(
                    "{} needs Jira's webhooks, but site {:?} has no `webhook_secret`",
                    section.title, site.value
                ),
                "Give the secret that was entered at the webhook in Jira",
            );
        }
        Some(Desk {
            name,
            account: account?.value,
            channels: channels?,
            site: site.value,
            service_desk: service_desk?.value,
            request_type: request_type?.value,
            reporter,
            fields,
            status_notifications: status_notifications?,
            closing,
            reopen_within: reopen_within?,
            quiet,
            requests_per_hour,
            attachments_out,
            window_template,
            language,
            texts,
        })
    }

    fn window_template(&mut self, section: &Section<'_>) -> Option<WindowTemplate> {
        let name = self.text(section, "window_template");
        let language = self.text(section, "window_template_language");
        let namespace = self.text(section, "window_template_namespace");
        let values = self.words(section, "window_template_values");
        let text = self.text(section, "window_template_text");
        let by_itself = self.flag(section, "window_template_by_itself");
        if name.is_none() && by_itself {
            self.problem(
                &section.node.place,
                format!(
                    "{} sends a template by itself, and `window_template` names none",
                    section.title
                ),
                "Give the name of the approved template",
            );
        }
        Some(WindowTemplate {
            name: name?.value,
            language: language?.value,
            namespace: namespace.map(|found| found.value),
            values: values
                .unwrap_or_default()
                .into_iter()
                .map(|word| word.value)
                .collect(),
            text: text.map(|found| found.value),
            by_itself,
        })
    }

    pub(super) fn known_name(
        &mut self,
        section: &Section<'_>,
        what: &str,
        name: Option<&Found<String>>,
        names: &Names,
    ) {
        let Some(name) = name.filter(|name| !names.contains_key(&name.value)) else {
            return;
        };
        let mend = match nearest(&name.value, names.keys().map(String::as_str)) {
            Some(near) => format!("The nearest known {what} is {near:?}"),
            None => format!("Declare it: a [[{what}]] with that name"),
        };
        self.problem(
            &name.place,
            format!(
                "{} refers to the {what} {:?}, which does not exist",
                section.title, name.value
            ),
            mend,
        );
    }

    /// Two desks that serve one channel would make two requests of one message.
    pub(super) fn one_desk_for_each_channel(&mut self, desks: &[Desk]) {
        let mut firsts: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        for desk in desks {
            let channels: Vec<&str> = match &desk.channels {
                DeskChannels::All => vec!["all"],
                DeskChannels::Only(named) => named.iter().map(String::as_str).collect(),
            };
            for channel in channels {
                if let Some(first) = firsts.insert((&desk.account, channel), &desk.name) {
                    let what = format!(
                        "the desks {first:?} and {:?} both serve the channel {channel:?} of {:?}",
                        desk.name, desk.account
                    );
                    self.problem(&Place::Unsaid, what, "Name each channel at one desk only");
                }
            }
        }
    }

    /// A text, or a list of texts.
    pub(super) fn words(
        &mut self,
        section: &Section<'_>,
        name: &str,
    ) -> Option<Vec<Found<String>>> {
        let Some(Node {
            value: Value::List(entries),
            ..
        }) = self.node(section, name)
        else {
            return self.text(section, name).map(|found| {
                // A variable has no lists: its words stand between commas.
                let place = found.place;
                let words = found.value.split(',').map(str::trim);
                words
                    .filter(|word| !word.is_empty())
                    .map(|word| Found {
                        value: word.to_owned(),
                        place: place.clone(),
                    })
                    .collect()
            });
        };
        let mut words = Vec::new();
        for node in entries {
            match &node.value {
                Value::Text(text) if !text.trim().is_empty() => words.push(Found {
                    value: text.trim().to_owned(),
                    place: node.place.clone(),
                }),
                _ => self.problem(
                    &node.place,
                    format!("an entry of `{name}` is not a text"),
                    "Write texts in quotes between the brackets",
                ),
            }
        }
        Some(words)
    }

    fn statuses(&mut self, section: &Section<'_>, name: &str) -> Vec<StatusPattern> {
        let words = self.words(section, name).unwrap_or_default();
        words
            .iter()
            .filter_map(|word| self.status(name, word))
            .collect()
    }

    /// Values by name, as Jira wants them.
    pub(super) fn values(
        &mut self,
        section: &Section<'_>,
        name: &str,
    ) -> BTreeMap<String, serde_json::Value> {
        match self.node(section, name) {
            Some(Node {
                value: Value::Table(table),
                place,
            }) => {
                let (table, place) = (json(table), place.clone());
                self.object(table, name, &place)
            }
            Some(Node {
                value: Value::Text(text),
                place,
            }) => {
                let (read, place) = (serde_json::from_str(text).ok(), place.clone());
                self.object(read, name, &place)
            }
            _ => BTreeMap::new(),
        }
    }

    fn object(
        &mut self,
        read: Option<serde_json::Value>,
        name: &str,
        place: &Place,
    ) -> BTreeMap<String, serde_json::Value> {
        if let Some(serde_json::Value::Object(object)) = read {
            return object.into_iter().collect();
        }
        self.problem(
            place,
            format!("`{name}` holds values that cannot be given to Jira"),
            "Write texts, whole numbers, true or false, lists and tables of them: \
             fields = { customfield_10050 = { value = \"Hardware\" } }",
        );
        BTreeMap::new()
    }

    fn status_notifications(&mut self, section: &Section<'_>) -> Option<StatusNotifications> {
        let name = "status_notifications";
        match self.node(section, name) {
            None => Some(StatusNotifications {
                others: true,
                usual: None,
                by_status: BTreeMap::new(),
            }),
            Some(Node {
                value: Value::Flag(others),
                ..
            }) => Some(StatusNotifications {
                others: *others,
                usual: None,
                by_status: BTreeMap::new(),
            }),
            Some(Node {
                value: Value::Table(table),
                ..
            }) => {
                let mut by_status = BTreeMap::new();
                let (mut others, mut usual) = (true, None);
                for (status, node) in table {
                    match &node.value {
                        Value::Flag(told) if status == "*" => others = *told,
                        Value::Flag(false) => {
                            by_status.insert(status.clone(), None);
                        }
                        Value::Text(text) if status == "*" && !text.trim().is_empty() => {
                            usual = Some(text.clone());
                        }
                        Value::Text(text) if !text.trim().is_empty() => {
                            by_status.insert(status.clone(), Some(text.clone()));
                        }
                        _ => self.problem(
                            &node.place,
                            format!("the notification of the status {status:?} is no text"),
                            "Write a text with {key} and {status} in it, or false to tell nothing",
                        ),
                    }
                }
                Some(StatusNotifications {
                    others,
                    usual,
                    by_status,
                })
            }
            Some(_) => None,
        }
    }

    /// A time: `0`, or a number and s, m, h or d.
    fn time(&mut self, section: &Section<'_>, name: &str) -> Option<Duration> {
        let found = self.text(section, name)?;
        let text = found.value.trim();
        let (number, unit) = text.split_at(text.trim_end_matches(char::is_alphabetic).len());
        let seconds = match unit {
            "s" => Some(1),
            "m" => Some(60),
            "h" => Some(60 * 60),
            "d" => Some(24 * 60 * 60),
            "" if number.trim() == "0" => Some(1),
            _ => None,
        };
        let read = number
            .trim()
            .parse::<u64>()
            .ok()
            .zip(seconds)
            .and_then(|(number, seconds)| number.checked_mul(seconds));
        if read.is_none() {
            self.problem(
                &found.place,
                format!("`{name}` is {text:?}, which is no time"),
                "Write \"0\", or a number with s, m, h or d behind it, as \"24h\"",
            );
        }
        read.map(Duration::from_secs)
    }
}

/// A table as JSON; `None` if something in it has no counterpart.
fn json(table: &Table) -> Option<serde_json::Value> {
    table
        .iter()
        .map(|(key, node)| Some((key.clone(), value(node)?)))
        .collect::<Option<serde_json::Map<_, _>>>()
        .map(serde_json::Value::Object)
}

fn value(node: &Node) -> Option<serde_json::Value> {
    Some(match &node.value {
        Value::Table(table) => json(table)?,
        Value::List(list) => list.iter().map(value).collect::<Option<Vec<_>>>()?.into(),
        Value::Text(text) => text.clone().into(),
        Value::Whole(number) => (*number).into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Odd(_) | Value::Wrong => return None,
    })
}
