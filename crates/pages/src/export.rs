//! Files of many rows, sent as they are read: a part is read when the part before was sent, so an
//! export takes no more memory than one part, however many rows there are.

use std::future::Future;

use axum::BoxError;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::Value;

use crate::words::csv_line;

/// Rows that an export reads at once.
pub(crate) const EXPORTED_AT_ONCE: usize = 1_000;

/// Where the rows of an export come from.
pub(crate) trait Rows: Send + 'static {
    /// One row.
    type Row: Send;
    /// The columns of the CSV file.
    const COLUMNS: &'static [&'static str];

    /// The next rows; none at the end.
    fn next(&mut self) -> impl Future<Output = Result<Vec<Self::Row>, BoxError>> + Send;

    /// A row as the cells of a CSV file.
    fn cells(row: &Self::Row) -> Vec<String>;

    /// A row as JSON.
    fn json(row: &Self::Row) -> Value;
}

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Csv,
    Json,
}

/// Where an export is.
struct Going<R> {
    rows: R,
    shape: Shape,
    begun: bool,
    any: bool,
    over: bool,
}

impl<R: Rows> Going<R> {
    /// The next piece of the file; `None` after its end.
    async fn next(&mut self) -> Result<Option<String>, BoxError> {
        if self.over {
            return Ok(None);
        }
        if !self.begun {
            self.begun = true;
            return Ok(Some(match self.shape {
                Shape::Csv => csv_line(R::COLUMNS.iter().copied()),
                Shape::Json => "[".to_owned(),
            }));
        }
        let part = self.rows.next().await?;
        if part.is_empty() {
            self.over = true;
            return Ok((self.shape == Shape::Json).then(|| "]".to_owned()));
        }
        let mut text = String::new();
        for row in &part {
            match self.shape {
                Shape::Csv => text.push_str(&csv_line(R::cells(row).iter().map(String::as_str))),
                Shape::Json => {
                    if std::mem::replace(&mut self.any, true) {
                        text.push(',');
                    }
                    text.push_str(&R::json(row).to_string());
                }
            }
        }
        Ok(Some(text))
    }
}

fn file<R: Rows>(rows: R, shape: Shape, name: &str) -> Response {
    let going = Going {
        rows,
        shape,
        begun: false,
        any: false,
        over: false,
    };
    let parts = stream::try_unfold(going, |mut going| async move {
        let part = going.next().await;
        let part = part.inspect_err(|error| tracing::error!(%error, "an export broke off"))?;
        Ok::<_, BoxError>(part.map(|part| (Bytes::from(part), going)))
    });
    let (kind, ending) = match shape {
        Shape::Csv => ("text/csv; charset=utf-8", "csv"),
        Shape::Json => ("application/json", "json"),
    };
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"bowline-{name}.{ending}\""),
        ),
    ];
    (headers, Body::from_stream(parts)).into_response()
}

/// All rows as a CSV file of this name.
pub(crate) fn csv<R: Rows>(rows: R, name: &str) -> Response {
    file(rows, Shape::Csv, name)
}

/// All rows as a JSON file of this name: one list.
pub(crate) fn json<R: Rows>(rows: R, name: &str) -> Response {
    file(rows, Shape::Json, name)
}

/// A time as files have it; empty if it has none.
pub(crate) fn iso(at: bowline_domain::time::Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| String::new(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use serde_json::json;

    use super::*;

    /// Numbers up to a last one, three at a time.
    struct Numbers {
        next: i64,
        last: i64,
    }

    impl Rows for Numbers {
        type Row = i64;
        const COLUMNS: &'static [&'static str] = &["number"];

        async fn next(&mut self) -> Result<Vec<i64>, BoxError> {
            let part: Vec<i64> = (self.next..=self.last).take(3).collect();
            self.next += 3;
            Ok(part)
        }

        fn cells(row: &i64) -> Vec<String> {
            vec![row.to_string()]
        }

        fn json(row: &i64) -> Value {
            json!({ "number": row })
        }
    }

    async fn text(response: Response) -> String {
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn files_are_whole_however_many_parts_they_come_in() {
        for last in [0, 1, 3, 4, 7] {
            let numbers = || Numbers { next: 1, last };
            let lines = text(csv(numbers(), "numbers")).await;
            assert_eq!(lines.lines().count(), usize::try_from(last).unwrap() + 1);
            let list: Value =
                serde_json::from_str(&text(json(numbers(), "numbers")).await).unwrap();
            let wanted: Vec<Value> = (1..=last)
                .map(|number| json!({ "number": number }))
                .collect();
            assert_eq!(list, Value::Array(wanted));
        }
    }
}
