//! One's own tokens of the REST API.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{
    ChangeRefusal, Fault, NewToken, OwnAccount, Scope, TOKEN_DAYS_MAX, TokenForm,
};

use crate::App;
use crate::caller::{Caller, Fields, Posted};
use crate::component::{Field, Lozenge, Tone, fault_of};
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::Query;
use crate::reader::When;
use crate::shell::{Place, Shell};

#[derive(Template)]
#[template(path = "tokens.html")]
struct TokensPage {
    shell: Shell,
    made: Option<Made>,
    name: Field,
    days: Field,
    scopes: Vec<ScopeBox>,
    scopes_fault: Option<String>,
    tokens: Vec<TokenRow>,
}

/// A token that was just made, shown this once.
struct Made {
    name: String,
    token: String,
    ends: When,
}

struct ScopeBox {
    word: &'static str,
    meaning: &'static str,
    chosen: bool,
}

struct TokenRow {
    id: i64,
    name: String,
    hint: String,
    scopes: String,
    state: Lozenge,
    works: bool,
    made: When,
    ends: When,
    used: Option<When>,
}

struct Asked<'a> {
    fields: Option<&'a Fields>,
    faults: &'a [Fault],
    made: Option<NewToken>,
    notice: Option<&'static str>,
}

async fn show(
    app: &App,
    caller: &Caller<OwnAccount>,
    asked: Asked<'_>,
) -> Result<Response, PageError> {
    let reader = &caller.reader;
    let empty = Fields::default();
    let fields = asked.fields.unwrap_or(&empty);
    let chosen = asked
        .fields
        .map_or_else(|| vec!["read".to_owned()], |fields| fields.all("scopes"));
    let days = asked.fields.map_or("90", |fields| fields.get("days"));
    let now = app.access.now();
    let tokens = app
        .access
        .own_tokens(&caller.granted, &caller.visit)
        .await?;
    let tokens = tokens.into_iter().map(|token| {
        let works = token.ended_at.is_none() && token.ends_at > now;
        let state = match (works, token.ended_at) {
            (true, _) => Lozenge::new(Tone::Good, "works"),
            (_, Some(_)) => Lozenge::new(Tone::Plain, "ended"),
            _ => Lozenge::new(Tone::Warn, "expired"),
        };
        TokenRow {
            id: token.id,
            name: token.name,
            hint: token.hint,
            scopes: token.scopes.replace(' ', ", "),
            state,
            works,
            made: reader.when(token.made_at),
            ends: reader.when(token.ended_at.unwrap_or(token.ends_at)),
            used: token.used_at.map(|at| reader.when(at)),
        }
    });
    let page = TokensPage {
        shell: caller.shell("Tokens", Place::Tokens).noting(asked.notice),
        made: asked.made.map(|made| Made {
            name: made.name,
            token: made.token,
            ends: reader.when(made.ends_at),
        }),
        name: Field::new("name", "What is it for?", "text")
            .with(fields.get("name"))
            .filled("off")
            .faulty(asked.faults),
        days: Field::new("days", "Days until it ends", "number")
            .with(days)
            .hinting(format!("At most {TOKEN_DAYS_MAX}."))
            .faulty(asked.faults),
        scopes: Scope::ALL
            .into_iter()
            .map(|scope| ScopeBox {
                word: scope.as_str(),
                meaning: scope.meaning(),
                chosen: chosen.iter().any(|word| word == scope.as_str()),
            })
            .collect(),
        scopes_fault: fault_of(asked.faults, "scopes"),
        tokens: tokens.collect(),
    };
    let status = if asked.faults.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok((status, html(&page)).into_response())
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<OwnAccount>,
    query: Query,
) -> Result<Response, PageError> {
    let asked = Asked {
        fields: None,
        faults: &[],
        made: None,
        notice: notice::of(&query),
    };
    show(&app, &caller, asked).await
}

pub(crate) async fn make(
    State(app): State<App>,
    posted: Posted<OwnAccount>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let form = TokenForm {
        name: fields.get("name").to_owned(),
        scopes: fields.all("scopes"),
        days: fields.get("days").to_owned(),
    };
    let made = app
        .access
        .make_token(&caller.granted, &caller.visit, &form)
        .await;
    let (made, faults) = match made {
        Ok(made) => (Some(made), Vec::new()),
        Err(ChangeRefusal::Failed(error)) => return Err(error.into()),
        Err(ChangeRefusal::Faults(faults)) => (None, faults),
        Err(refusal) => (None, vec![Fault::new("name", refusal.to_string())]),
    };
    let asked = Asked {
        fields: made.is_none().then_some(&fields),
        faults: &faults,
        made,
        notice: None,
    };
    show(&app, &caller, asked).await
}

pub(crate) async fn end(
    State(app): State<App>,
    posted: Posted<OwnAccount>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let id = fields.get("token").parse().unwrap_or(0);
    let ended = app
        .access
        .end_token(&caller.granted, &caller.visit, id)
        .await?;
    let done = if ended { "token" } else { "gone" };
    Ok(see_other(&format!("/tokens?done={done}")))
}
