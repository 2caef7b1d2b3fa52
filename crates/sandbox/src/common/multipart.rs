//! Files of multipart forms, as uploads bring them.

use bytes::Bytes;
use http::{HeaderMap, header};

/// The boundary that a multipart form's header names.
pub(crate) fn boundary(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let found = kind
        .strip_prefix("multipart/form-data")?
        .split(';')
        .find_map(|part| part.trim().strip_prefix("boundary="))?;
    Some(found.trim_matches('"').to_owned())
}

/// One uploaded file.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) content: Bytes,
}

/// The parts of a multipart body whose field is `file`.
pub(crate) fn files(body: &Bytes, boundary: &str) -> Vec<File> {
    let marker = format!("--{boundary}");
    let mut files = Vec::new();
    let mut at = position(body, marker.as_bytes(), 0);
    while let Some(start) = at {
        let start = start + marker.len();
        let next = position(body, format!("\r\n{marker}").as_bytes(), start);
        if let (Some(end), Some(head)) = (next, position(body, b"\r\n\r\n", start))
            && head + 4 <= end
        {
            files.extend(file(&body[start..head], body.slice(head + 4..end)));
        }
        at = next.map(|end| end + 2);
    }
    files
}

fn file(head: &[u8], content: Bytes) -> Option<File> {
    let head = std::str::from_utf8(head).ok()?;
    let line = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim()
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    let disposition = line("content-disposition")?;
    let value = |name: &str| {
        disposition.split(';').find_map(|part| {
            let (key, value) = part.trim().split_once('=')?;
            (key == name).then(|| value.trim_matches('"').to_owned())
        })
    };
    (value("name")? == "file").then_some(())?;
    let kind = line("content-type").unwrap_or_else(|| "application/octet-stream".to_owned());
    Some(File {
        name: value("filename")?,
        kind,
        content,
    })
}

fn position(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    bytes
        .get(from..)?
        .windows(wanted.len())
        .position(|window| window == wanted)
        .map(|at| at + from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multipart() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\n\
                    one\r\n--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n--b\r\n\
                    content-disposition: form-data; name=\"file\"; filename=\"b.bin\"\r\n\r\n\r\n--b--\r\n";
        let found = files(&Bytes::from_static(body.as_bytes()), "b");
        let found: Vec<(&str, &str, &[u8])> = found
            .iter()
            .map(|f| (f.name.as_str(), f.kind.as_str(), &*f.content))
            .collect();
        assert_eq!(
            found,
            [
                ("a.txt", "text/plain", &b"one"[..]),
                ("b.bin", "application/octet-stream", b"")
            ]
        );
        for broken in [
            "",
            "--b",
            "--b\r\n\r\n",
            "--b\r\nContent-Disposition: form-data",
        ] {
            assert!(
                files(&Bytes::from_static(broken.as_bytes()), "b").is_empty(),
                "{broken}"
            );
        }
    }
}
