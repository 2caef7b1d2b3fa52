//! Attributes that a workspace defined itself, edited by hand: what is typed has to be of the kind
//! that stands there.

use bowline_domain::contacts::field::{FieldName, FieldValue};
use bowline_domain::contacts::profile::Profile;
use bowline_domain::time::Millis;

use super::person::fault;
use super::value_plain;
use crate::caller::Fields;

/// One that can be typed.
pub(super) struct OwnField {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) value: String,
    pub(super) hint: &'static str,
    pub(super) fault: Option<String>,
}

/// A field with what is wrong with what was typed.
pub(super) type Wrong = (FieldName, String);

/// What kind of value stands in a field: Intercom's where it says one, which does not change when
/// something else is set here.
fn like<'p>(profile: &'p Profile, name: &FieldName) -> Option<&'p FieldValue> {
    let shown = profile.shown(name);
    shown.other.or(shown.value)
}

/// Those of a profile that can be typed: not what this version does not understand.
fn names(profile: &Profile) -> Vec<FieldName> {
    let own = profile.names().into_iter().filter(|name| {
        let is_own = name.as_str().starts_with("custom.");
        is_own && !matches!(like(profile, name), Some(FieldValue::Unknown { .. }))
    });
    own.cloned().collect()
}

/// The fields of the form; with what was typed, if something was.
pub(super) fn fields(profile: &Profile, typed: Option<&Fields>, wrong: &[Wrong]) -> Vec<OwnField> {
    let field = |name: FieldName| {
        let shown = profile.shown(&name).value;
        let now = shown.map_or_else(String::new, |value| value_plain(&name, value));
        OwnField {
            title: name.title(),
            value: typed.map_or(now, |fields| fields.get(name.as_str()).to_owned()),
            hint: hint(like(profile, &name), &name),
            fault: wrong
                .iter()
                .find(|(field, _)| *field == name)
                .map(|(_, words)| words.clone()),
            name: name.as_str().to_owned(),
        }
    };
    names(profile).into_iter().map(field).collect()
}

fn hint(like: Option<&FieldValue>, name: &FieldName) -> &'static str {
    match like {
        Some(FieldValue::Flag(_)) => "yes or no",
        Some(FieldValue::Whole(_)) if name.is_time() => "a time, such as 2026-01-31T09:00:00Z",
        Some(FieldValue::Whole(_) | FieldValue::Decimal { .. }) => "a number",
        _ => "",
    }
}

/// What was typed for a field, as a value of the kind that stands there. Nothing typed is no value.
///
/// # Errors
/// What is wrong with it, for people.
pub(crate) fn read(
    profile: &Profile,
    name: &FieldName,
    text: &str,
) -> Result<Option<FieldValue>, String> {
    let text = text.trim();
    if let Some(wrong) = fault(name.as_str(), text) {
        return Err(wrong);
    }
    if text.is_empty() {
        return Ok(None);
    }
    let value = match like(profile, name) {
        Some(FieldValue::Flag(_)) => flag(text)?,
        Some(FieldValue::Whole(_)) if name.is_time() => time(text)?,
        Some(FieldValue::Whole(_) | FieldValue::Decimal { .. }) => number(text)?,
        _ => FieldValue::text(text),
    };
    Ok(Some(value))
}

fn flag(text: &str) -> Result<FieldValue, String> {
    match text.to_lowercase().as_str() {
        "yes" | "true" => Ok(FieldValue::Flag(true)),
        "no" | "false" => Ok(FieldValue::Flag(false)),
        _ => Err(format!("“{text}” is neither yes nor no.")),
    }
}

fn number(text: &str) -> Result<FieldValue, String> {
    if let Ok(whole) = text.parse() {
        return Ok(FieldValue::Whole(whole));
    }
    let plain = text
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'));
    match text.parse::<f64>() {
        Ok(_) if plain => Ok(FieldValue::Decimal { d: text.to_owned() }),
        _ => Err(format!(
            "“{text}” is no number. Write it like 12 or 12.5, or leave it empty."
        )),
    }
}

fn time(text: &str) -> Result<FieldValue, String> {
    let at = text.parse::<jiff::Timestamp>().map_err(|_| {
        format!("“{text}” is no time. Write it like 2026-01-31T09:00:00Z, or leave it empty.")
    })?;
    Ok(FieldValue::Whole(Millis(at.as_millisecond()).0))
}

/// What was typed in a form for the attributes of a profile that differ from what stands there, and
/// what is wrong.
pub(super) fn changes(
    profile: &Profile,
    typed: &Fields,
) -> (Vec<(FieldName, Option<FieldValue>)>, Vec<Wrong>) {
    let (mut changes, mut faults) = (Vec::new(), Vec::new());
    for name in names(profile)
        .into_iter()
        .filter(|name| typed.has(name.as_str()))
    {
        let shown = profile.shown(&name).value;
        let now = shown.map_or_else(String::new, |value| value_plain(&name, value));
        let text = typed.get(name.as_str()).trim();
        if text == now {
            continue;
        }
        match read(profile, &name, text) {
            Ok(value) => changes.push((name, value)),
            Err(words) => faults.push((name, words)),
        }
    }
    (changes, faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(values: &[(&str, FieldValue)]) -> Profile {
        let mut profile = Profile::default();
        for (name, value) in values {
            profile
                .remote
                .insert(FieldName::custom(name), value.clone());
        }
        profile
    }

    #[test]
    fn what_is_typed_is_of_the_kind_that_stands_there() {
        let known = profile(&[
            ("paid", FieldValue::Flag(true)),
            ("seats", FieldValue::Whole(5)),
            ("renewed_at", FieldValue::Whole(1_700_000_000_000)),
            ("plan", FieldValue::text("Pro")),
        ]);
        let read = |name: &str, text: &str| read(&known, &FieldName::custom(name), text);
        assert_eq!(read("paid", " No "), Ok(Some(FieldValue::Flag(false))));
        assert!(read("paid", "perhaps").unwrap_err().contains("neither"));
        assert_eq!(read("seats", "7"), Ok(Some(FieldValue::Whole(7))));
        let decimal = FieldValue::Decimal {
            d: "7.5".to_owned(),
        };
        assert_eq!(read("seats", "7.5"), Ok(Some(decimal)));
        for wrong in ["seven", "inf", "1e9", "0x1"] {
            assert!(read("seats", wrong).unwrap_err().contains("no number"));
        }
        let at = read("renewed_at", "2026-01-31T09:00:00Z");
        assert_eq!(at, Ok(Some(FieldValue::Whole(1_769_850_000_000))));
        assert!(read("renewed_at", "soon").unwrap_err().contains("no time"));
        assert_eq!(read("plan", "12"), Ok(Some(FieldValue::text("12"))));
        assert_eq!(read("plan", "  "), Ok(None));
        assert!(read("plan", &"a".repeat(2_000)).is_err());
    }
}
