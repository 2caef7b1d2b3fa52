//! Search queries: filters, groups of filters, and what each field can be asked.

use http::StatusCode;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::error::ApiError;
use super::html;
use super::model::{Contact, Conversation, ConversationState};
use super::state::{Done, State};
use super::version::Version;

/// Filters in one group.
const MAX_FILTERS: usize = 15;

/// Groups within groups.
const MAX_NESTING: usize = 2;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// What a record says about a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Field {
    Text(Vec<String>),
    Number(Option<i64>),
    /// Unix seconds, compared exactly.
    Time(Option<i64>),
    /// Unix seconds, of which only the day counts.
    Day(Option<i64>, TimeZone),
    Flag(bool),
}

/// A checked query.
#[derive(Clone, Debug)]
pub(crate) enum Query {
    Filter {
        field: String,
        operator: String,
        value: Value,
    },
    Group {
        all: bool,
        queries: Vec<Query>,
    },
}

fn refuse(message: String) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "parameter_invalid", message)
}

impl Query {
    /// Reads the member `query` of a search's body.
    pub(crate) fn parse(query: &Value) -> Done<Self> {
        Self::parse_at(query, 0)
    }

    fn parse_at(query: &Value, depth: usize) -> Done<Self> {
        let operator = query["operator"]
            .as_str()
            .ok_or_else(|| refuse("query operator must be a string".to_owned()))?;
        if let Some(queries) = query["value"].as_array()
            && query.get("field").is_none()
        {
            if !matches!(operator, "AND" | "OR") {
                return Err(refuse(format!("Invalid operator: {operator}")));
            }
            if depth >= MAX_NESTING || queries.len() > MAX_FILTERS {
                return Err(refuse(
                    "The query has too many filters or levels".to_owned(),
                ));
            }
            let queries: Done<Vec<Self>> = queries
                .iter()
                .map(|query| Self::parse_at(query, depth + 1))
                .collect();
            return Ok(Self::Group {
                all: operator == "AND",
                queries: queries?,
            });
        }
        let field = query["field"]
            .as_str()
            .ok_or_else(|| refuse("query field must be a string".to_owned()))?;
        let known = [
            "=", "!=", "IN", "NIN", ">", "<", ">=", "<=", "~", "!~", "^", "$",
        ];
        if !known.contains(&operator) {
            return Err(refuse(format!("Invalid operator: {operator}")));
        }
        let value = query
            .get("value")
            .cloned()
            .ok_or_else(|| ApiError::required("value"))?;
        if matches!(operator, "IN" | "NIN") != value.is_array() {
            return Err(refuse(format!("Invalid value for operator {operator}")));
        }
        Ok(Self::Filter {
            field: field.to_owned(),
            operator: operator.to_owned(),
            value,
        })
    }

    /// Whether a record fulfils it, given how its fields are read.
    pub(crate) fn matches(&self, read: &impl Fn(&str) -> Option<Field>) -> Done<bool> {
        match self {
            Self::Group { all: true, queries } => queries
                .iter()
                .try_fold(true, |held, query| Ok(query.matches(read)? && held)),
            Self::Group {
                all: false,
                queries,
            } => queries
                .iter()
                .try_fold(false, |held, query| Ok(query.matches(read)? || held)),
            Self::Filter {
                field,
                operator,
                value,
            } => {
                let known = read(field).ok_or_else(|| refuse(format!("Invalid field: {field}")))?;
                compare(&known, operator, value).ok_or_else(|| {
                    refuse(format!(
                        "Invalid operator or value for field {field}: {operator}"
                    ))
                })
            }
        }
    }
}

/// `None` if the field cannot be asked this.
fn compare(field: &Field, operator: &str, value: &Value) -> Option<bool> {
    if let Value::Array(values) = value {
        let among = values.iter().try_fold(false, |found, value| {
            Some(compare(field, "=", value)? || found)
        })?;
        return match (field, operator) {
            (Field::Day(..), _) => None,
            (_, "IN") => Some(among),
            _ => Some(!among),
        };
    }
    match field {
        Field::Text(texts) => {
            let wanted = scalar(value)?.to_lowercase();
            let any = |test: fn(&str, &str) -> bool| {
                texts.iter().any(|text| test(&text.to_lowercase(), &wanted))
            };
            // Asking for null or nothing finds records without a value.
            let equal = any(|text, wanted| text == wanted)
                || (wanted.is_empty() && texts.iter().all(String::is_empty));
            match operator {
                "=" => Some(equal),
                "!=" => Some(!equal),
                "~" => Some(any(|text, wanted| text.contains(wanted))),
                "!~" => Some(!any(|text, wanted| text.contains(wanted))),
                "^" => Some(any(|text, wanted| text.starts_with(wanted))),
                "$" => Some(any(|text, wanted| text.ends_with(wanted))),
                _ => None,
            }
        }
        Field::Number(known) | Field::Time(known) => {
            let Some(wanted) = integer(value) else {
                return (value.is_null() && operator == "=").then(|| known.is_none());
            };
            let known = *known;
            match operator {
                "=" => Some(known == Some(wanted)),
                "!=" => Some(known != Some(wanted)),
                // In conversations, these mean "or equal".
                ">" | ">=" => Some(known.is_some_and(|known| known >= wanted)),
                "<" | "<=" => Some(known.is_some_and(|known| known <= wanted)),
                _ => None,
            }
        }
        Field::Day(known, zone) => {
            let wanted = day(integer(value)?, zone);
            let known = known.map(|known| day(known, zone));
            match operator {
                "=" => Some(known == Some(wanted)),
                ">" => Some(known.is_some_and(|known| known > wanted)),
                "<" => Some(known.is_some_and(|known| known < wanted)),
                _ => None,
            }
        }
        Field::Flag(known) => {
            let wanted = match value {
                Value::Bool(wanted) => *wanted,
                Value::String(text) => text.parse().ok()?,
                _ => return None,
            };
            match operator {
                "=" => Some(*known == wanted),
                "!=" => Some(*known != wanted),
                _ => None,
            }
        }
    }
}

/// The day of a time in Unix seconds, counted in a time zone.
fn day(seconds: i64, zone: &TimeZone) -> i64 {
    let offset = jiff::Timestamp::from_second(seconds)
        .map_or(0, |at| i64::from(zone.to_offset(at).seconds()));
    (seconds + offset).div_euclid(DAY)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn one(text: &(impl ToString + ?Sized)) -> Field {
    Field::Text(vec![text.to_string()])
}

fn optional(text: Option<&String>) -> Field {
    Field::Text(text.into_iter().cloned().collect())
}

/// What a conversation says about a field.
pub(crate) fn conversation_field(conversation: &Conversation, field: &str) -> Option<Field> {
    let assignee = i64::try_from(conversation.admin_assignee).ok();
    Some(match field {
        "id" => one(&conversation.id),
        "created_at" => Field::Time(Some(conversation.created_at)),
        "updated_at" => Field::Time(Some(conversation.updated_at)),
        "waiting_since" => Field::Time(conversation.waiting_since),
        "snoozed_until" => Field::Time(conversation.snoozed_until),
        "source.type" => one("conversation"),
        "source.id" => one(&conversation.source_id),
        "source.delivered_as" => one(conversation.delivered_as()),
        "source.body" => {
            // Searched word by word, never as a whole.
            let text = html::plain(&conversation.body);
            Field::Text(text.split_whitespace().map(str::to_owned).collect())
        }
        "source.author.id" => one(&conversation.author.id),
        "source.author.type" => one(conversation.author.kind),
        "source.author.name" => optional(conversation.author.name.as_ref()),
        "source.author.email" => optional(conversation.author.email.as_ref()),
        "contact_ids" => Field::Text(conversation.contacts.clone()),
        "teammate_ids" => Field::Text(conversation.teammates.clone()),
        "tag_ids" => Field::Text(
            conversation
                .tags
                .iter()
                .map(|applied| applied.tag.to_string())
                .collect(),
        ),
        "admin_assignee_id" => Field::Number(assignee),
        "team_assignee_id" => Field::Number(Some(0)),
        "open" => Field::Flag(conversation.state != ConversationState::Closed),
        "read" => Field::Flag(conversation.read),
        "state" => one(conversation.state.name()),
        "priority" => one("none"),
        "statistics.count_conversation_parts" => {
            Field::Number(i64::try_from(conversation.parts.len()).ok())
        }
        _ => {
            let name = field.strip_prefix("custom_attributes.")?;
            let value = conversation.custom_attributes.get(name).and_then(scalar);
            Field::Text(value.into_iter().collect())
        }
    })
}

/// What a contact says about a field. Up to 2.16 times are compared by the day.
pub(crate) fn contact_field(
    state: &State,
    contact: &Contact,
    field: &str,
    version: Version,
) -> Option<Field> {
    let zone = state.zone.clone();
    let time = |seconds: Option<i64>| {
        if version > Version::V2_16 {
            Field::Time(seconds)
        } else {
            Field::Day(seconds, zone.clone())
        }
    };
    Some(match field {
        "id" => one(&contact.id),
        "role" => one(contact.role),
        "name" => optional(contact.name.as_ref()),
        "email" => optional(contact.email.as_ref()),
        "email_domain" => {
            let domain = contact
                .email
                .as_deref()
                .and_then(|email| email.split_once('@'));
            Field::Text(
                domain
                    .into_iter()
                    .map(|(_, domain)| domain.to_owned())
                    .collect(),
            )
        }
        "phone" => optional(contact.phone.as_ref()),
        "external_id" => optional(contact.external_id.as_ref()),
        "owner_id" => optional(contact.owner_id.as_ref()),
        "created_at" => time(Some(contact.created_at)),
        "updated_at" => time(Some(contact.updated_at)),
        "signed_up_at" => time((contact.role == "user").then_some(contact.created_at)),
        "last_replied_at" => time(contact.last_replied_at),
        "last_seen_at" | "last_contacted_at" => time(None),
        "unsubscribed_from_emails" | "marked_email_as_spam" | "has_hard_bounced" => {
            Field::Flag(false)
        }
        "tag_id" => {
            let tags = state.contact_tags.get(&contact.id).into_iter().flatten();
            Field::Text(tags.map(ToString::to_string).collect())
        }
        _ => {
            let name = field.strip_prefix("custom_attributes.")?;
            Field::Text(
                contact
                    .custom_attributes
                    .get(name)
                    .and_then(scalar)
                    .into_iter()
                    .collect(),
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(field: &str) -> Option<Field> {
        Some(match field {
            "text" => one("Open door"),
            "none" => Field::Text(Vec::new()),
            "number" => Field::Number(Some(5)),
            "day" => Field::Day(Some(1_577_869_200), TimeZone::UTC),
            "flag" => Field::Flag(true),
            _ => return None,
        })
    }

    fn ask(query: &Value) -> Option<bool> {
        Query::parse(query)
            .and_then(|query| query.matches(&read))
            .ok()
    }

    #[test]
    fn filters() {
        for (field, operator, value, expected) in [
            ("text", "=", json!("open DOOR"), Some(true)),
            ("text", "~", json!("pen"), Some(true)),
            ("text", "^", json!("door"), Some(false)),
            ("text", ">", json!("a"), None),
            ("text", "IN", json!(["x", "open door"]), Some(true)),
            ("text", "NIN", json!(["x"]), Some(true)),
            ("text", "IN", json!("x"), None),
            ("none", "=", json!(null), Some(true)),
            ("number", ">", json!("5"), Some(true)),
            ("number", "<", json!(4), Some(false)),
            ("number", "~", json!(4), None),
            ("day", "=", json!(1_577_836_800), Some(true)),
            ("day", ">", json!(1_577_836_800), Some(false)),
            ("day", ">", json!(1_577_750_400), Some(true)),
            ("day", "!=", json!(1_577_836_800), None),
            ("day", ">", json!("foobar"), None),
            ("flag", "=", json!(true), Some(true)),
            ("unknown", "=", json!(1), None),
            ("text", "LIKE", json!("x"), None),
        ] {
            let query = json!({ "field": field, "operator": operator, "value": value });
            assert_eq!(ask(&query), expected, "{query}");
        }
    }

    #[test]
    fn groups() {
        let yes = json!({ "field": "flag", "operator": "=", "value": true });
        let no = json!({ "field": "flag", "operator": "=", "value": false });
        let group = |operator: &str, value: Value| json!({ "operator": operator, "value": value });
        let deep = group(
            "AND",
            json!([group("OR", json!([group("OR", json!([yes]))]))]),
        );
        for (query, expected) in [
            (group("AND", json!([yes, no])), Some(false)),
            (group("OR", json!([yes, no])), Some(true)),
            (
                group("AND", json!([group("OR", json!([no, yes])), yes])),
                Some(true),
            ),
            (group("XOR", json!([yes])), None),
            (deep, None),
            (group("OR", Value::Array(vec![yes.clone(); 16])), None),
        ] {
            assert_eq!(ask(&query), expected, "{query}");
        }
    }
}
