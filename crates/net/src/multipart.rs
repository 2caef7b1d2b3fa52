//! Bodies of the type `multipart/form-data` (RFC 7578), as file uploads want them.

use bytes::{Bytes, BytesMut};

/// One part of a form.
#[derive(Debug, Clone)]
pub enum Part<'a> {
    /// A plain value.
    Text {
        /// The field.
        name: &'a str,
        /// Its value.
        value: &'a str,
    },
    /// A file.
    File {
        /// The field.
        name: &'a str,
        /// The name of the file. Made fit for a header: line breaks and quotes go.
        file_name: &'a str,
        /// Its type.
        mime_type: &'a str,
        /// Its content.
        bytes: &'a [u8],
    },
}

/// What a part without a usable type is.
const OCTETS: &str = "application/octet-stream";

/// The value of `Content-Type` and the body. The boundary is made so that no part contains it,
/// from the content alone: the same form always gives the same bytes.
pub fn form(parts: &[Part<'_>]) -> (String, Bytes) {
    let boundary = boundary(parts);
    let mut body = BytesMut::new();
    for part in parts {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        match part {
            Part::Text { name, value } => {
                let head = format!(
                    "Content-Disposition: form-data; name=\"{}\"\r\n\r\n",
                    quoted(name)
                );
                body.extend_from_slice(head.as_bytes());
                body.extend_from_slice(value.as_bytes());
            }
            Part::File {
                name,
                file_name,
                mime_type,
                bytes,
            } => {
                let head = format!(
                    "Content-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\n\
                     Content-Type: {}\r\n\r\n",
                    quoted(name),
                    quoted(file_name),
                    type_of(mime_type)
                );
                body.extend_from_slice(head.as_bytes());
                body.extend_from_slice(bytes);
            }
        }
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let content_type = format!("multipart/form-data; boundary={boundary}");
    (content_type, body.freeze())
}

/// A value for a quoted string of a header, as browsers write it: quotes escaped by percent, no
/// control characters.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("%22"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn type_of(mime_type: &str) -> &str {
    let fits = mime_type.contains('/') && mime_type.chars().all(|c| (' '..='~').contains(&c));
    if fits { mime_type } else { OCTETS }
}

fn boundary(parts: &[Part<'_>]) -> String {
    let mut n = 0_u32;
    loop {
        let candidate = format!("bowline-form-{n:08}");
        let taken = parts.iter().any(|part| match part {
            Part::Text { value, .. } => value.contains(&candidate),
            Part::File { bytes, .. } => bytes
                .windows(candidate.len())
                .any(|window| window == candidate.as_bytes()),
        });
        if !taken {
            return candidate;
        }
        n += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_with_a_hostile_file_name() {
        let (content_type, body) = form(&[
            Part::Text {
                name: "type",
                value: "a",
            },
            Part::File {
                name: "file",
                file_name: "a\"\r\nX: y.png",
                mime_type: "image/png\r\nX: y",
                bytes: b"\x89PNG",
            },
        ]);
        assert_eq!(
            content_type,
            "multipart/form-data; boundary=bowline-form-00000000"
        );
        let want = b"--bowline-form-00000000\r\n\
            Content-Disposition: form-data; name=\"type\"\r\n\r\na\r\n\
            --bowline-form-00000000\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"a%22  X: y.png\"\r\n\
            Content-Type: application/octet-stream\r\n\r\n\x89PNG\r\n\
            --bowline-form-00000000--\r\n";
        assert_eq!(&body[..], &want[..]);
    }

    #[test]
    fn a_boundary_is_in_no_part() {
        let (content_type, _) = form(&[Part::File {
            name: "file",
            file_name: "a",
            mime_type: "text/plain",
            bytes: b"--bowline-form-00000000--",
        }]);
        assert!(content_type.ends_with("bowline-form-00000001"));
    }
}
