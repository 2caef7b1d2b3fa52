//! Forms with files in them, read as they arrive and bounded.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use multer::{Constraints, Multipart, SizeLimit};

use crate::error::PageError;

/// The largest form with files that is read, in bytes.
pub(crate) const UPLOAD_BYTES_MAX: u64 = 1_024 * 1_024;

/// Fields that are read of one form.
const FIELDS_MAX: usize = 50;

/// What parts the fields of such a form; `None` for any other form.
pub(crate) fn boundary(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    multer::parse_boundary(kind).ok()
}

/// The fields of a form, files as the text in them. What is no UTF-8 comes with the mark of it.
pub(crate) async fn read(body: Body, boundary: String) -> Result<Vec<(String, String)>, PageError> {
    let bounds = SizeLimit::new().whole_stream(UPLOAD_BYTES_MAX);
    let bounds = Constraints::new().size_limit(bounds);
    let mut form = Multipart::with_constraints(body.into_data_stream(), boundary, bounds);
    let mut fields = Vec::new();
    let unread = |error: multer::Error| match error {
        multer::Error::StreamSizeExceeded { .. } => {
            PageError::bad_form("The file is larger than 1 MB. Part it, or use the REST API.")
        }
        _ => PageError::bad_form("The form did not arrive whole."),
    };
    while let Some(field) = form.next_field().await.map_err(unread)? {
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(unread)?;
        fields.push((name, String::from_utf8_lossy(&bytes).into_owned()));
        if fields.len() > FIELDS_MAX {
            return Err(PageError::bad_form(
                "The form has more fields than any of ours.",
            ));
        }
    }
    Ok(fields)
}
