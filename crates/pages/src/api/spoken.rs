//! In which language an end user is written to.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bowline_access::{ChangeTalks, What};
use bowline_domain::messaging::end_user::EndUser;
use bowline_domain::messaging::ids::{AccountName, EndUserId};
use bowline_domain::messaging::language::{KnownBy, Language};
use serde_json::{Value, json};

use super::caller::Bearer;
use super::problem::Problem;
use super::talks::{body_of, not_changed};
use super::writes::once;
use crate::App;
use crate::end_users::Someone;
use crate::spoken::detail;

/// In which language an end user is written to: what was said of it, and what comes of that.
pub(super) async fn spoken(
    app: &App,
    account: &AccountName,
    one: &EndUser,
) -> Result<Value, Problem> {
    let spoken = app.shared.spoken_to(account, one).await?;
    let tag = |language: &Option<Language>| language.as_ref().map(ToString::to_string);
    Ok(spoken.map_or(Value::Null, |spoken| {
        let (known_by, numbers) = match &spoken.known_by {
            KnownBy::Agent => ("agent", None),
            KnownBy::Number(prefix) => ("number", Some(prefix.as_str())),
            KnownBy::Desk => ("desk", None),
        };
        json!({
            "language": tag(&spoken.language),
            "known_by": known_by,
            "numbers": numbers,
            "texts": tag(&spoken.in_texts_of),
            "desk": spoken.desk.as_str(),
        })
    }))
}

pub(super) async fn language(
    State(app): State<App>,
    by: Bearer<ChangeTalks>,
    Someone(account, id): Someone,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = format!("language {account}/{id} {}", String::from_utf8_lossy(&body));
    let write = Box::pin(set_language(&app, &by, (&account, &id), &body));
    once(&app, by.who(), &headers, &request, write).await
}

async fn set_language(
    app: &App,
    by: &Bearer<ChangeTalks>,
    (account, id): (&AccountName, &EndUserId),
    body: &[u8],
) -> Result<Value, Problem> {
    let body = body_of(body)?;
    let said = match body.get("language") {
        Some(Value::String(said)) if !said.trim().is_empty() => said.as_str(),
        Some(Value::Null) => "",
        _ => {
            return Err(Problem::invalid(
                "The body says language: a tag as de, en or pt-BR, or null for what their number \
                 or the desk says.",
            ));
        }
    };
    let language = app.shared.speak_to_end_user(account, id, said).await;
    let language = language.map_err(not_changed)?;
    let subject = format!("end user {account}/{id}");
    let detail = detail(language.as_ref());
    app.access
        .write_down(by.who(), What::EndUserLanguage, &subject, &detail)
        .await?;
    Ok(json!({ "language": language.map(|language| language.to_string()) }))
}
