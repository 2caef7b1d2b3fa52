//! Files of messages, read piece by piece.

use std::fmt;

use bowline_net::{Access, ApiError, Chunks, ErrorKind, Incoming};
use bytes::{Bytes, BytesMut};

pub(crate) const DOING: &str = "fetching a file of a message";

/// A file that is coming in, never longer than the limit it was opened with.
pub struct MediaStream {
    /// Its type, without parameters, if the far side names one.
    pub content_type: Option<String>,
    /// Its length in bytes, if the far side tells it. Not to be relied on.
    pub length: Option<u64>,
    body: Box<dyn Chunks>,
    limit_bytes: u64,
    read_bytes: u64,
}

impl fmt::Debug for MediaStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaStream")
            .field("content_type", &self.content_type)
            .field("length", &self.length)
            .field("read_bytes", &self.read_bytes)
            .finish_non_exhaustive()
    }
}

impl MediaStream {
    /// Takes over the body of a successful answer.
    pub(crate) fn open(answer: Incoming, limit_bytes: u64) -> Result<Self, ApiError> {
        let length = answer
            .header("content-length")
            .and_then(|n| n.trim().parse().ok());
        if length.is_some_and(|n| n > limit_bytes) {
            return Err(too_large(limit_bytes));
        }
        Ok(Self {
            content_type: answer.header("content-type").and_then(essence),
            length,
            body: answer.body,
            limit_bytes,
            read_bytes: 0,
        })
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// [`Data`](ErrorKind::Data) when the limit is passed; [`Transient`](ErrorKind::Transient)
    /// when the connection breaks.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        let piece = self.body.next().await;
        let piece = piece.map_err(|e| ApiError::of_failure(&e, Access::Read, DOING))?;
        self.read_bytes += piece.as_ref().map_or(0, |p| p.len() as u64);
        if self.read_bytes > self.limit_bytes {
            return Err(too_large(self.limit_bytes));
        }
        Ok(piece)
    }

    /// All of it in memory.
    ///
    /// # Errors
    /// As for [`MediaStream::next`].
    pub async fn collect(mut self) -> Result<Bytes, ApiError> {
        let mut all = BytesMut::new();
        while let Some(piece) = self.next().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }
}

fn too_large(limit_bytes: u64) -> ApiError {
    let words = format!("the file is larger than {limit_bytes} bytes, which is the limit here");
    let mut error = ApiError::new(ErrorKind::Data, DOING, &words);
    error.code = Some("too_large".to_owned());
    error
}

/// `Image/JPEG; q=1` as `image/jpeg`.
fn essence(content_type: &str) -> Option<String> {
    let kind = content_type.split(';').next()?.trim().to_ascii_lowercase();
    kind.contains('/').then_some(kind)
}

/// A name for a file that has none: the kind of file with the ending that fits its type.
pub fn file_name_for(kind: crate::MediaKind, mime_type: Option<&str>) -> String {
    let ending = match mime_type.unwrap_or_default() {
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "video/mp4" => "mp4",
        "video/3gpp" => "3gp",
        "audio/ogg" => "ogg",
        "audio/mpeg" => "mp3",
        "audio/mp4" => "m4a",
        "audio/aac" => "aac",
        "audio/amr" => "amr",
        "application/pdf" => "pdf",
        "text/plain" => "txt",
        "text/vcard" | "text/x-vcard" => "vcf",
        _ => return kind.word().to_owned(),
    };
    format!("{}.{ending}", kind.word())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MediaKind;

    #[test]
    fn a_file_without_a_name_gets_one_that_fits_its_type() {
        for (kind, mime_type, want) in [
            (MediaKind::Image, Some("image/jpeg"), "image.jpg"),
            (MediaKind::Audio, Some("audio/ogg"), "audio.ogg"),
            (MediaKind::File, Some("application/pdf"), "file.pdf"),
            (MediaKind::File, Some("application/x-new"), "file"),
            (MediaKind::Sticker, None, "sticker"),
        ] {
            assert_eq!(file_name_for(kind, mime_type), want);
        }
    }

    #[test]
    fn a_type_has_no_parameters() {
        for (given, want) in [
            ("Image/PNG; q=1", Some("image/png")),
            ("text/plain", Some("text/plain")),
            ("nonsense", None),
            ("", None),
        ] {
            assert_eq!(essence(given).as_deref(), want);
        }
    }
}
