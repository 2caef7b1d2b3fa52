//! The test message of a desk: the same as on the page Desks.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use bowline_access::{ManageConnections, What};
use bowline_engine::shared::queue_test_message;
use serde_json::json;

use super::caller::Bearer;
use super::desks::Body;
use super::problem::Problem;
use super::writes::once;
use crate::App;
use crate::desks::{begin as begin_with, reachable};

/// Sends the test message to a number: in the conversation that is open with it, or, where the body
/// says `begin` and names a channel, by beginning one.
pub(super) async fn begin(
    State(app): State<App>,
    Path(name): Path<String>,
    by: Bearer<ManageConnections>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("desks/{name}/test {}", String::from_utf8_lossy(&body));
    let write = Box::pin(async {
        let body = Body::read(&body)?;
        let (mut number, mut channel, mut begin) = (String::new(), String::new(), false);
        body.text("number", &mut number)?;
        body.text("channel", &mut channel)?;
        body.flag("begin", &mut begin)?;
        let why = match reachable(&app, &name, number.trim()).await? {
            Ok(whose) => {
                let named = (app.shared.now(), app.shared.draw());
                let queued = queue_test_message(&app.shared.store, &whose, named).await;
                queued.map_err(|refusal| Problem::invalid(refusal.to_string()))?;
                app.access
                    .write_down(by.who(), What::TestMessage, number.trim(), &name)
                    .await?;
                return Ok(json!({ "sent": "queued", "generation": whose.generation }));
            }
            Err(why) => why,
        };
        if !(why.nothing_open && begin) {
            return Err(Problem::invalid(why.words));
        }
        let begun = begin_with(&app, by.who(), &name, &channel, number.trim()).await?;
        begun.map_err(|error| Problem::invalid(error.to_string()))?;
        Ok(json!({ "sent": "begun", "generation": null }))
    });
    once(&app, by.who(), &headers, &request, write).await
}
