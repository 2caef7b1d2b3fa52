//! What is kept of the calls of an attempt: enough to see why it went as it did, bounded, and
//! without anything secret.
//!
//! An attempt that was done keeps one call, small: what was posted stands with the effect, what the
//! far side calls it with the attempt. One that was not keeps its last calls with their bodies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bowline_domain::call::Call;
use bowline_net::witness::{Came, Seen};
use http::Method;
use url::{Url, form_urlencoded};

/// Calls that are kept of an attempt that was not done: the last ones.
const KEPT_MAX: usize = 3;

/// The longest part of a body that is kept of a call of an attempt that was not done, in bytes.
const BODY_BYTES_MAX: usize = 2 * 1024;

/// The longest part of what was sent that is kept of an attempt that was done, in bytes.
const DONE_BODY_BYTES_MAX: usize = 256;

/// The longest part of an address that is kept, in bytes.
const PATH_BYTES_MAX: usize = 1024;

/// The longest header that is kept, in bytes.
const HEADER_BYTES_MAX: usize = 200;

/// How much of a body beyond what is kept is gone through for secrets, in bytes, so that none is
/// cut in two.
const MARGIN_BYTES: usize = 4 * 1024;

/// The shortest credential that is looked for, in bytes. A shorter one stands in any text.
const SECRET_BYTES_MIN: usize = 4;

/// What stands in the place of a secret.
const REMOVED: &str = "[removed]";

/// Parts of the names of fields and parameters that hold secrets.
const SECRET_NAMES: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "authorization",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "accesskey",
    "private_key",
    "signature",
    "credential",
    "cookie",
    "jwt",
];

/// Words before a credential in running text.
const SCHEMES: &[&str] = &["bearer ", "basic ", "accesskey "];

/// What is secret in what an attempt did.
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// What the calls showed as credentials, in the forms in which it may come back.
    pub(super) fn of(seen: &[Seen]) -> Self {
        let mut found: Vec<String> = Vec::new();
        for header in seen.iter().flat_map(|seen| &seen.secrets) {
            if !found.contains(header) {
                found.push(header.clone());
            }
        }
        let mut all: Vec<String> = found.iter().flat_map(|header| forms(header)).collect();
        all.retain(|secret| secret.len() >= SECRET_BYTES_MIN);
        // The longest first: it may hold another one.
        all.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        all.dedup();
        Self(all)
    }

    /// The text without anything secret.
    pub(super) fn out_of(&self, text: String) -> String {
        let mut text = text;
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), REMOVED);
            }
        }
        text
    }

    fn longest(&self) -> usize {
        self.0.first().map_or(0, String::len)
    }

    /// The beginning of a text, at most `max` bytes, without anything secret.
    fn beginning(&self, text: &str, max: usize) -> String {
        let window = floor(text, max + MARGIN_BYTES + self.longest());
        let cut = window < text.len();
        let clean = without_named(&self.out_of(text[..window].to_owned()));
        // What stands at the end of the window may be the beginning of a secret.
        let sure = if cut {
            clean.len().saturating_sub(self.longest())
        } else {
            clean.len()
        };
        let end = floor(&clean, max.min(sure));
        let mut out = clean[..end].to_owned();
        if cut || end < clean.len() {
            out.push('…');
        }
        out
    }
}

/// A credential as it stood in a header, and the forms in which it may come back: without its
/// scheme, taken apart, and written as a part of an address.
fn forms(header: &str) -> Vec<String> {
    let bare = header.split_once(' ').map_or(header, |(_, rest)| rest);
    let mut forms = vec![header.to_owned(), bare.to_owned()];
    if header.to_ascii_lowercase().starts_with("basic ")
        && let Some(pair) = STANDARD
            .decode(bare)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
    {
        let password = pair
            .split_once(':')
            .map(|(_, password)| password.to_owned());
        forms.push(pair);
        forms.extend(password);
    }
    let escaped: Vec<String> = forms
        .iter()
        .map(|form| form_urlencoded::byte_serialize(form.as_bytes()).collect())
        .collect();
    forms.extend(escaped);
    forms
}

/// The last place at or before `at` where the text can be cut.
fn floor(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// The text without the values of JSON fields whose names say that they are secret, and without
/// what follows the word of a scheme. Works on the beginning of a text as well.
fn without_named(text: &str) -> String {
    let text = without_fields(text);
    let lower = text.to_ascii_lowercase();
    if !SCHEMES.iter().any(|scheme| lower.contains(scheme)) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let next = SCHEMES
            .iter()
            .filter_map(|scheme| {
                lower[at..]
                    .find(scheme)
                    .map(|found| at + found + scheme.len())
            })
            .min();
        let Some(from) = next else { break };
        let end = text[from..]
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '<' | '\\'))
            .map_or(text.len(), |length| from + length);
        out.push_str(&text[at..from]);
        out.push_str(REMOVED);
        at = end;
    }
    out.push_str(&text[at..]);
    out
}

fn without_fields(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, name, after)) = next_string(rest) {
        out.push_str(before);
        let value = after.trim_start();
        let value = value.strip_prefix(':').map(str::trim_start);
        match value.filter(|_| names_a_secret(name)) {
            Some(value) if value.starts_with('"') => {
                out.extend(["\"", name, "\":\"", REMOVED, "\""]);
                rest = next_string(value).map_or("", |(_, _, after)| after);
            }
            _ => {
                out.extend(["\"", name, "\""]);
                rest = after;
            }
        }
    }
    // What is left may be a string that the end cut off, or a text without any.
    out.push_str(rest);
    out
}

/// The next string in quotation marks: what is before it, what is in it, what is after it.
fn next_string(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find('"')?;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(start + 1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some((&text[..start], &text[start + 1..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

/// The path with its query, without what is secret in it.
fn address(url: &Url, secrets: &Secrets) -> String {
    let mut out = secrets.out_of(url.path().to_owned());
    let mut separator = '?';
    for (name, value) in url.query_pairs() {
        out.push(separator);
        separator = '&';
        out.extend(form_urlencoded::byte_serialize(name.as_bytes()));
        out.push('=');
        if names_a_secret(&name) {
            out.push_str(REMOVED);
        } else {
            let value = secrets.out_of(value.into_owned());
            out.extend(form_urlencoded::byte_serialize(value.as_bytes()));
        }
    }
    let end = floor(&out, PATH_BYTES_MAX);
    if end < out.len() {
        out.truncate(end);
        out.push('…');
    }
    out
}

/// A body as text, or what it is if it is none.
fn body(bytes: &[u8], kind: Option<&str>, max: usize, secrets: &Secrets) -> Option<String> {
    if bytes.is_empty() {
        return None;
    }
    let textual = kind.is_none_or(|kind| {
        let kind = kind.to_ascii_lowercase();
        ["json", "text", "xml", "urlencoded"]
            .iter()
            .any(|part| kind.contains(part))
    });
    let what = || {
        format!(
            "({} bytes of {})",
            bytes.len(),
            kind.unwrap_or("something else")
        )
    };
    if !textual {
        return Some(what());
    }
    // The beginning of a text may end within a letter.
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() > 0 && error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return Some(what()),
    };
    if kind.is_some_and(|kind| kind.contains("urlencoded")) {
        let mut url = Url::parse("http://form.invalid/").ok()?;
        url.set_query(Some(text));
        let pairs = address(&url, secrets);
        return Some(secrets.beginning(pairs.trim_start_matches("/?"), max));
    }
    Some(secrets.beginning(text, max))
}

fn call(seen: &Seen, done: bool, secrets: &Secrets) -> Call {
    let max = if done {
        DONE_BODY_BYTES_MAX
    } else {
        BODY_BYTES_MAX
    };
    let sent = seen.body.as_ref();
    let mut call = Call {
        method: seen.method.to_string(),
        path: address(&seen.url, secrets),
        request: sent.and_then(|sent| body(sent, seen.body_kind.as_deref(), max, secrets)),
        took_ms: u64::try_from(seen.took.as_millis()).unwrap_or(u64::MAX),
        ..Call::default()
    };
    match &seen.came {
        Came::Nothing(why) => call.failure = Some(secrets.beginning(why, max)),
        Came::Answer {
            status,
            headers,
            body: answer,
            length,
            kind,
        } => {
            call.status = Some(*status);
            let kept = |(name, value): &(&str, String)| {
                (
                    (*name).to_owned(),
                    secrets.beginning(value, HEADER_BYTES_MAX),
                )
            };
            call.headers = headers.iter().map(kept).collect();
            call.response_bytes = length.and_then(|length| u64::try_from(length).ok());
            if !done {
                call.response = body(answer, kind.as_deref(), max, secrets);
            }
        }
    }
    call
}

/// What is kept of these calls, as it is stored; `None` if there were none.
pub(super) fn kept(seen: &[Seen], done: bool, secrets: &Secrets) -> Option<String> {
    let last = seen.len().checked_sub(1)?;
    if done {
        // If nothing was written it was found to be there: by the last look.
        let wrote = seen.iter().rposition(|seen| seen.method != Method::GET);
        return stored(&[call(&seen[wrote.unwrap_or(last)], true, secrets)]);
    }
    let from = seen.len().saturating_sub(KEPT_MAX);
    let calls = seen[from..].iter().map(|seen| call(seen, false, secrets));
    stored(&calls.collect::<Vec<_>>())
}

fn stored(calls: &[Call]) -> Option<String> {
    serde_json::to_string(calls).ok()
}

#[cfg(test)]
mod tests;
