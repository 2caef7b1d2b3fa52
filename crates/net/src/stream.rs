//! An answer whose body is read piece by piece, for files that are too large to keep in memory.

use bytes::Bytes;
use http::HeaderMap;

use crate::transport::{BoxFuture, Response, SendFailure};

/// The pieces of a body.
pub trait Chunks: Send {
    /// The next piece; `None` at the end. After a failure there is nothing more.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, SendFailure>>;
}

/// An answer whose head is there and whose body is still coming.
pub struct Incoming {
    /// The HTTP status code.
    pub status: u16,
    /// All response headers.
    pub headers: HeaderMap,
    /// The body after content decoding.
    pub body: Box<dyn Chunks>,
}

impl Incoming {
    /// An answer that was read already.
    pub fn of(response: Response) -> Self {
        Self {
            status: response.status,
            headers: response.headers,
            body: Box::new(Whole(Some(response.body))),
        }
    }

    /// True for a status of 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The value of a header as text; `None` when it is absent or not readable ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Reads the rest of the body, but no more than `limit_bytes`.
    ///
    /// # Errors
    /// [`SendFailure::BodyTooLarge`] as soon as it is known to be longer.
    pub async fn read(mut self, limit_bytes: usize) -> Result<Response, SendFailure> {
        let mut body = bytes::BytesMut::new();
        while let Some(chunk) = self.body.next().await? {
            if body.len() + chunk.len() > limit_bytes {
                return Err(SendFailure::BodyTooLarge { limit_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status: self.status,
            headers: self.headers,
            body: body.freeze(),
        })
    }
}

/// A body that is in memory already.
struct Whole(Option<Bytes>);

impl Chunks for Whole {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, SendFailure>> {
        let piece = self.0.take().filter(|bytes| !bytes.is_empty());
        Box::pin(std::future::ready(Ok(piece)))
    }
}
