//! End users: who writes on channels, what they are known by, and what people decided about them.

use askama::Template;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use bowline_access::{ChangeTalks, Fault, Look, Permission, What, Who};
use bowline_domain::messaging::end_user::{EndUser, Identity};
use bowline_domain::messaging::ids::{AccountName, EndUserId};
use bowline_domain::messaging::language::Language;
use bowline_domain::time::Millis;
use bowline_engine::channel::people::{Customer, PeopleError};
use bowline_store::talk_browse::{EndUserCursor, EndUserQuery, EndUserRow, TalkQuery, TalkSubject};
use serde_json::json;

use crate::App;
use crate::caller::{Caller, Posted};
use crate::component::{Field, Select};
use crate::conversations;
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::Query;
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};
use crate::spoken;
use crate::talk_words::{called, end_user_path, identity_kind};

/// End users on a page.
const ROWS: usize = 50;

/// Conversations of one end user that are shown, the newest.
const CONVERSATIONS: i64 = 50;

#[derive(Template)]
#[template(path = "end-users.html")]
struct EndUsersPage {
    shell: Shell,
    tab: &'static str,
    number: Field,
    state: Select,
    rows: Vec<Row>,
    older: Option<String>,
    newest: Option<String>,
    filtered: bool,
    may_change: bool,
    account: Select,
    block: Field,
    has_accounts: bool,
}

struct Row {
    who: String,
    path: String,
    identity: String,
    blocked: bool,
    customer: String,
    conversations: i64,
    active: bool,
    account: String,
    since: When,
}

fn row(reader: &Reader, row: &EndUserRow) -> Row {
    Row {
        who: called(row.name.as_deref(), row.identity.as_deref(), &row.id),
        path: end_user_path(&row.account, &row.id),
        identity: row.identity.clone().unwrap_or_default(),
        blocked: row.blocked,
        customer: row.customer.clone().unwrap_or_default(),
        conversations: row.conversations,
        active: row.active,
        account: row.account.to_string(),
        since: reader.when(row.since),
    }
}

/// A place in the list, as it stands in an address.
pub(crate) fn cursor_text(cursor: &EndUserCursor) -> String {
    json!([cursor.since.0, cursor.account.as_str(), cursor.id.as_str()]).to_string()
}

fn read_cursor(text: &str) -> Option<EndUserCursor> {
    let (since, account, id): (i64, String, String) = serde_json::from_str(text).ok()?;
    Some(EndUserCursor {
        since: Millis(since),
        account: AccountName::new(account),
        id: EndUserId::new(id),
    })
}

/// What an address asks for.
pub(crate) fn end_user_query(query: &Query, limit: usize) -> EndUserQuery {
    let typed = query.get("number");
    EndUserQuery {
        blocked: query.text("state") == "blocked",
        identity: typed.map(|text| match Identity::phone(text) {
            Some(phone) => phone.value,
            None => text.to_owned(),
        }),
        after: query.get("after").and_then(read_cursor),
        limit: i64::try_from(limit).unwrap_or(i64::MAX),
    }
}

/// What somebody typed to be blocked, and what is wrong with it.
#[derive(Default)]
struct Typed {
    account: String,
    number: String,
    fault: Option<Fault>,
}

async fn show<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    query: &Query,
    typed: Typed,
) -> Result<Response, PageError> {
    let asked = end_user_query(query, ROWS + 1);
    let mut rows = app.shared.store.end_user_page(&asked).await?;
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let older = rows.last().filter(|_| more);
    let older = older.map(|row| cursor_text(&row.cursor()));
    let states = [("", "Everybody"), ("blocked", "Blocked")];
    let states = states.map(|(word, title)| (word.to_owned(), title.to_owned()));
    let accounts: Vec<(String, String)> = app
        .shared
        .accounts_now()
        .into_iter()
        .map(|account| (account.name.to_string(), account.name.to_string()))
        .collect();
    let refused = typed.fault.is_some();
    let faults: Vec<Fault> = typed.fault.into_iter().collect();
    let page = EndUsersPage {
        shell: caller
            .shell("End users", Place::Talks)
            .noting(notice::of(query)),
        tab: "end-users",
        number: Field::new("number", "Telephone number or user id", "text")
            .with(query.text("number"))
            .filled("off")
            .optional(),
        state: Select::new("state", "Who", states, query.text("state")),
        rows: rows.iter().map(|one| row(&caller.reader, one)).collect(),
        older: older.map(|cursor| query.with("/end-users", "after", &cursor)),
        newest: query
            .get("after")
            .map(|_| format!("/end-users{}", query.without(&["after"]))),
        filtered: !query.without(&["after", "done"]).is_empty(),
        may_change: caller.who().may::<ChangeTalks>(),
        has_accounts: !accounts.is_empty(),
        account: Select::new("account", "Channel account", accounts, &typed.account),
        block: Field::new("block", "Telephone number", "text")
            .with(&typed.number)
            .filled("off")
            .hinting("In its international form, for example +31 6 12345678.")
            .faulty(&faults),
    };
    let mut response = html(&page);
    if refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    show(&app, &caller, &query, Typed::default()).await
}

/// Blocks whoever has a number.
pub(crate) async fn block_number(
    State(app): State<App>,
    posted: Posted<ChangeTalks>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let account = AccountName::new(fields.get("account"));
    let number = fields.get("block").trim().to_owned();
    match app.shared.block_number(&account, &number).await {
        Ok(id) => {
            write_down(
                &app,
                caller.who(),
                What::EndUserBlocked,
                (&account, &id),
                &number,
            )
            .await?;
            let path = end_user_path(&account, &id);
            Ok(see_other(&format!("{path}?done=blocked")))
        }
        Err(PeopleError::Store(error)) => Err(error.into()),
        Err(error) => {
            let typed = Typed {
                account: account.to_string(),
                number,
                fault: Some(Fault::new("block", sentence(&error))),
            };
            show(&app, &caller, &Query::default(), typed).await
        }
    }
}

/// What went wrong, as a sentence.
pub(crate) fn sentence(error: &PeopleError) -> String {
    let words = error.to_string();
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// The end user in an address.
pub(crate) struct Someone(pub(crate) AccountName, pub(crate) EndUserId);

impl FromRequestParts<App> for Someone {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        let path = Path::<(String, String)>::from_request_parts(parts, app).await;
        let words = "The address was mistyped, or what it showed is gone.";
        let path = path.map_err(|_| PageError::not_found(words))?;
        let (account, end_user) = path.0;
        Ok(Self(AccountName::new(account), EndUserId::new(end_user)))
    }
}

#[derive(Template)]
#[template(path = "end-user.html")]
struct EndUserPage {
    shell: Shell,
    tab: &'static str,
    path: String,
    who: String,
    account: String,
    identities: Vec<(&'static str, String)>,
    blocked: bool,
    customer: Option<String>,
    tie: Field,
    /// In which language they are written to, and why.
    spoken: String,
    language: Field,
    rows: Vec<conversations::Row>,
    cut: bool,
    may_change: bool,
}

/// The page of an end user. `refused`: what was typed into one of its forms, and what is wrong with
/// that.
pub(crate) async fn show_one<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    (account, id): (&AccountName, &EndUserId),
    (query, refused): (&Query, Option<(&str, Fault)>),
) -> Result<Response, PageError> {
    let store = &app.shared.store;
    let Some(end_user) = store.end_user(account, id).await? else {
        return Err(caller.not_found("There is no such end user."));
    };
    let asked = TalkQuery {
        about: Some(TalkSubject::EndUser(account.clone(), id.clone())),
        limit: CONVERSATIONS,
        ..TalkQuery::default()
    };
    let rows = store.talk_page(&asked).await?;
    let typed = |field: &str| match &refused {
        Some((typed, fault)) if fault.field == field => (*typed).to_owned(),
        _ => String::new(),
    };
    let (typed_customer, typed_language) = (typed("customer"), typed("language"));
    let is_refused = refused.is_some();
    let faults: Vec<Fault> = refused.into_iter().map(|(_, fault)| fault).collect();
    let who = name_of(&end_user);
    let said = end_user.language.as_ref().map(Language::as_str);
    let wrong_language = faults.iter().any(|fault| fault.field == "language");
    let language = match said {
        Some(said) if !wrong_language => said,
        _ => &typed_language,
    };
    let page = EndUserPage {
        shell: caller
            .shell(who.clone(), Place::Talks)
            .noting(notice::of(query)),
        tab: "end-users",
        path: end_user_path(account, id),
        who,
        account: account.to_string(),
        identities: end_user
            .identities
            .iter()
            .map(|one| (identity_kind(one.kind), one.value.clone()))
            .collect(),
        blocked: end_user.blocked,
        customer: end_user.customer.clone(),
        tie: Field::new("customer", "Customer in Jira", "text")
            .with(&typed_customer)
            .filled("off")
            .hinting("The e-mail address, the account id, or the user name on Data Center.")
            .faulty(&faults),
        spoken: spoken::words(app.shared.spoken_to(account, &end_user).await?.as_ref()),
        language: Field::new("language", "Language", "text")
            .with(language)
            .filled("off")
            .hinting(spoken::hint(&app.shared.languages_of(account)))
            .faulty(&faults)
            .optional(),
        cut: i64::try_from(rows.len()).is_ok_and(|shown| shown == CONVERSATIONS),
        rows: rows
            .iter()
            .map(|one| conversations::row(app, &caller.reader, one))
            .collect(),
        may_change: caller.who().may::<ChangeTalks>(),
    };
    let mut response = html(&page);
    if is_refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// What an end user is called.
pub(crate) fn name_of(end_user: &EndUser) -> String {
    let first = end_user.identities.first();
    called(
        end_user.name.as_deref(),
        first.map(|one| one.value.as_str()),
        &end_user.id,
    )
}

pub(crate) async fn one(
    State(app): State<App>,
    Someone(account, id): Someone,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    show_one(&app, &caller, (&account, &id), (&query, None)).await
}

/// Writes down what was decided about an end user.
pub(crate) async fn write_down(
    app: &App,
    who: &Who,
    what: What,
    (account, id): (&AccountName, &EndUserId),
    detail: &str,
) -> Result<(), PageError> {
    let subject = format!("end user {account}/{id}");
    app.access.write_down(who, what, &subject, detail).await?;
    Ok(())
}

pub(crate) async fn block(
    State(app): State<App>,
    Someone(account, id): Someone,
    posted: Posted<ChangeTalks>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let blocked = fields.get("blocked") == "yes";
    match app.shared.block_end_user(&account, &id, blocked).await {
        Ok(()) => {}
        Err(PeopleError::Store(error)) => return Err(error.into()),
        Err(_) => return Err(caller.not_found("There is no such end user.")),
    }
    let (what, done) = if blocked {
        (What::EndUserBlocked, "blocked")
    } else {
        (What::EndUserLetIn, "let-in")
    };
    write_down(&app, caller.who(), what, (&account, &id), "").await?;
    let path = end_user_path(&account, &id);
    Ok(see_other(&format!("{path}?done={done}")))
}

/// The words for which customer somebody was said to be.
pub(crate) fn tied_words(customer: Option<&Customer>) -> String {
    match customer {
        Some(customer) => format!("{} ({})", customer.name, customer.id),
        None => "nobody".to_owned(),
    }
}

pub(crate) async fn tie(
    State(app): State<App>,
    Someone(account, id): Someone,
    posted: Posted<ChangeTalks>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let typed = fields.get("customer").trim();
    let untie = fields.get("do") == "untie";
    let again = |fault: &str| Fault::new("customer", fault);
    if typed.is_empty() && !untie {
        let fault = again("Say who they are in Jira.");
        let typed = (&Query::default(), Some((typed, fault)));
        return show_one(&app, &caller, (&account, &id), typed).await;
    }
    let who = (!untie).then_some(typed);
    match app.shared.tie_to_customer(&account, &id, who).await {
        Ok(customer) => {
            let detail = tied_words(customer.as_ref());
            write_down(
                &app,
                caller.who(),
                What::EndUserTied,
                (&account, &id),
                &detail,
            )
            .await?;
            let done = if untie { "untied" } else { "tied" };
            let path = end_user_path(&account, &id);
            Ok(see_other(&format!("{path}?done={done}")))
        }
        Err(PeopleError::Store(error)) => Err(error.into()),
        Err(PeopleError::NoSuchEndUser) => Err(caller.not_found("There is no such end user.")),
        Err(error) => {
            let fault = again(&sentence(&error));
            let typed = (&Query::default(), Some((typed, fault)));
            show_one(&app, &caller, (&account, &id), typed).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_a_sentence() {
        let told = sentence(&PeopleError::NoSuchEndUser);
        assert_eq!(told, "There is no such end user.");
    }

    #[test]
    fn a_place_in_the_list_survives_the_address() {
        let cursor = EndUserCursor {
            since: Millis(7),
            account: AccountName::new("bird"),
            id: EndUserId::new("a1"),
        };
        assert_eq!(read_cursor(&cursor_text(&cursor)), Some(cursor));
        assert_eq!(read_cursor("{}"), None);
    }
}
