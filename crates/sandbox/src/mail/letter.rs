//! A letter as it came, and what it says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A letter that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Who it is from, as the envelope says it.
    pub from: String,
    /// Who gets it, as the envelope says it.
    pub to: Vec<String>,
    /// Headers and body as they came.
    pub text: String,
    /// Did it come by TLS?
    pub secured: bool,
    /// Who had signed in.
    pub user: Option<String>,
}

impl Letter {
    fn parts(&self) -> (&str, &str) {
        self.text.split_once("\n\n").unwrap_or((&self.text, ""))
    }

    /// A header in readable letters.
    pub fn header(&self, name: &str) -> Option<String> {
        // A line that begins with white space goes on with the one before.
        let unfolded = self.parts().0.replace("\n ", " ").replace("\n\t", " ");
        let found = unfolded.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        });
        found.map(|value| words(&value))
    }

    /// The body in readable letters.
    pub fn body(&self) -> String {
        let body = self.parts().1;
        let encoding = self.header("Content-Transfer-Encoding").unwrap_or_default();
        match encoding.to_ascii_lowercase().as_str() {
            "base64" => {
                let joined: String = body.split_whitespace().collect();
                let bytes = STANDARD.decode(joined).unwrap_or_default();
                String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
            }
            "quoted-printable" => printable(&body.replace("=\n", "")),
            _ => body.to_owned(),
        }
    }
}

/// Undoes quoted-printable (RFC 2045, 6.7).
fn printable(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        if let (b'=', Some(byte)) = (first, code) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Undoes encoded words (RFC 2047): `=?utf-8?b?…?=`.
fn words(header: &str) -> String {
    let mut all = String::new();
    let mut rest = header;
    while let Some((before, after)) = rest.split_once("=?") {
        let mut parts = after.splitn(4, '?');
        let (_, way, text, tail) = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(way), Some(text), Some(tail)) =
            (way, text, tail.and_then(|tail| tail.strip_prefix('=')))
        else {
            break;
        };
        // White space between two encoded words is not meant.
        if all.is_empty() || !before.trim().is_empty() {
            all.push_str(before);
        }
        if way.eq_ignore_ascii_case("b") {
            let bytes = STANDARD.decode(text).unwrap_or_default();
            all.push_str(&String::from_utf8_lossy(&bytes));
        } else {
            all.push_str(&printable(&text.replace('_', " ")));
        }
        rest = tail;
    }
    all.push_str(rest);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_read() {
        let letter = Letter {
            from: String::new(),
            to: Vec::new(),
            text: "Subject: A =?utf-8?b?4oCcYWNtZeKAnQ==?=\n =?utf-8?q?_b=C3=A9?= c\n\
                   Content-Transfer-Encoding: quoted-printable\n\nOne =E2=80=93 t=\nwo"
                .to_owned(),
            secured: false,
            user: None,
        };
        assert_eq!(letter.header("subject").unwrap(), "A “acme” bé c");
        assert_eq!(letter.body(), "One – two");
        assert_eq!(letter.header("Bcc"), None);
    }
}
