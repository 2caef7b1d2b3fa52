//! Tolerant reading of JSON that others write.
//!
//! Remote payloads miss fields, hold nulls where a value is promised, and write ids as strings in
//! one place and as integers in the next. These functions never fail: what is not there in a
//! usable form is `None` or empty, and the caller decides what it cannot do without.

use serde_json::Value;

/// The value behind a path of keys; null when any step is missing.
pub fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter()
        .fold(value, |v, key| v.get(key).unwrap_or(&Value::Null))
}

/// A string field, even an empty one.
pub fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

/// A string field that holds more than white space.
pub fn filled(value: &Value, key: &str) -> Option<String> {
    text(value, key).filter(|s| !s.trim().is_empty())
}

/// An id field: a string that is not blank, or an integer.
pub fn id(value: &Value, key: &str) -> Option<String> {
    as_id(value.get(key)?)
}

/// An id: a string that is not blank, or an integer.
pub fn as_id(value: &Value) -> Option<String> {
    match value {
        Value::String(s) if !s.trim().is_empty() => Some(s.trim().to_owned()),
        Value::Number(n) if n.is_i64() || n.is_u64() => Some(n.to_string()),
        _ => None,
    }
}

/// A boolean field.
pub fn flag(value: &Value, key: &str) -> Option<bool> {
    value.get(key)?.as_bool()
}

/// An integer field; a string of digits counts too.
pub fn int(value: &Value, key: &str) -> Option<i64> {
    match value.get(key)? {
        Value::Number(n) => n.as_i64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
}

/// The items of an array field; empty when it is none.
pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// An instant in Unix seconds: an integer, a string of digits, or ISO 8601. Intercom writes all
/// three, by version and by place.
pub fn instant_s(value: &Value, key: &str) -> Option<i64> {
    int(value, key).or_else(|| {
        let text = value.get(key)?.as_str()?;
        crate::time::iso_ms(text).map(|ms| ms.div_euclid(1000))
    })
}

/// An ISO 8601 instant in Unix milliseconds, as Jira writes it.
pub fn instant_ms(value: &Value, key: &str) -> Option<i64> {
    crate::time::iso_ms(value.get(key)?.as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn every_form_of_an_id() {
        for (value, want) in [
            (json!("215"), Some("215")),
            (json!(" 215 "), Some("215")),
            (json!(215_475_827_415_413_u64), Some("215475827415413")),
            (json!(0), Some("0")),
            (json!(""), None),
            (json!(null), None),
            (json!(1.5), None),
            (json!(["1"]), None),
        ] {
            assert_eq!(as_id(&value).as_deref(), want, "{value}");
        }
    }

    #[test]
    fn every_form_of_an_instant() {
        for (value, want) in [
            (json!(1_734_537_511), Some(1_734_537_511)),
            (json!("1734537511"), Some(1_734_537_511)),
            (json!("2026-01-10T06:29:21.953+00:00"), Some(1_768_026_561)),
            (json!(null), None),
            (json!("soon"), None),
        ] {
            assert_eq!(instant_s(&json!({"t": value}), "t"), want, "{value}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".*", key in ".*") {
            let value = serde_json::from_str(&text).unwrap_or(json!({ key.clone(): text }));
            let _ = (id(&value, &key), int(&value, &key), instant_s(&value, &key));
            let _ = (instant_ms(&value, &key), list(&value, &key).len(), at(&value, &[&key, "x"]));
        }
    }
}
