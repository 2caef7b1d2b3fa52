//! Control routes of a platform, mounted at `/_control`: not journalled, no authentication.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use http::StatusCode;
use serde_json::{Value, json};

use super::delivery::{Disturbance, Sender};
use super::faults::{Fault, Faults};
use super::journal::Journal;

/// What the control routes act on.
#[derive(Clone, Debug)]
struct Controls {
    journal: Journal,
    faults: Faults,
    sender: Sender,
}

/// The control routes under `/_control`:
///
/// - `GET journal` -> `{"entries":[..],"lost":0}`, `DELETE journal`, `POST journal` `{"enabled":true}`
/// - `GET faults`, `POST faults` (a [`Fault`]) -> `{"id":1}`, `DELETE faults`, `DELETE faults/{id}`
/// - `GET deliveries` -> `{"deliveries":[..]}`
/// - `POST disturb` (a [`Disturbance`])
pub fn routes(journal: Journal, faults: Faults, sender: Sender) -> Router {
    Router::new()
        .route(
            "/_control/journal",
            get(read_journal).post(switch_journal).delete(clear_journal),
        )
        .route(
            "/_control/faults",
            get(list_faults).post(add_fault).delete(clear_faults),
        )
        .route("/_control/faults/{id}", delete(remove_fault))
        .route("/_control/deliveries", get(deliveries))
        .route("/_control/disturb", post(disturb))
        .with_state(Controls {
            journal,
            faults,
            sender,
        })
}

async fn read_journal(State(controls): State<Controls>) -> Response {
    let entries = controls.journal.entries();
    axum::Json(json!({ "entries": entries, "lost": controls.journal.lost() })).into_response()
}

async fn switch_journal(State(controls): State<Controls>, body: axum::Json<Value>) -> StatusCode {
    match body.0.get("enabled").and_then(Value::as_bool) {
        Some(on) => {
            controls.journal.enable(on);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::BAD_REQUEST,
    }
}

async fn clear_journal(State(controls): State<Controls>) -> StatusCode {
    controls.journal.clear();
    StatusCode::NO_CONTENT
}

async fn list_faults(State(controls): State<Controls>) -> Response {
    axum::Json(json!({ "faults": controls.faults.list() })).into_response()
}

async fn add_fault(State(controls): State<Controls>, fault: axum::Json<Fault>) -> Response {
    let id = controls.faults.add(fault.0);
    (StatusCode::CREATED, axum::Json(json!({ "id": id }))).into_response()
}

async fn clear_faults(State(controls): State<Controls>) -> StatusCode {
    controls.faults.clear();
    StatusCode::NO_CONTENT
}

async fn remove_fault(State(controls): State<Controls>, Path(id): Path<u64>) -> StatusCode {
    if controls.faults.remove(id) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

async fn deliveries(State(controls): State<Controls>) -> Response {
    axum::Json(json!({ "deliveries": controls.sender.log() })).into_response()
}

async fn disturb(
    State(controls): State<Controls>,
    disturbance: axum::Json<Disturbance>,
) -> StatusCode {
    controls.sender.disturb(disturbance.0);
    StatusCode::NO_CONTENT
}
