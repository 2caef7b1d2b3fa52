//! Conversations with end users: all of them, a page at a time.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use bowline_access::Look;
use bowline_domain::ids::IssueKey;
use bowline_domain::messaging::end_user::Identity;
use bowline_domain::messaging::ids::{AccountName, DeskName, EndUserId, RequestRef};
use bowline_domain::time::Millis;
use bowline_store::talk_browse::{
    SendsQuery, TalkCursor, TalkQuery, TalkRow, TalkSubject, WindowQuery,
};
use serde_json::json;

use crate::App;
use crate::caller::Caller;
use crate::component::{Field, Lozenge, Ref, Select, Tone};
use crate::error::{PageError, html};
use crate::query::Query;
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};
use crate::talk_words::{ENDS_SOON_MS, called, conversation_path, stage, window};
use crate::words::some;

/// Conversations on a page.
const ROWS: usize = 50;

/// The platforms to choose from, by their words.
const PLATFORMS: [(&str, &str); 9] = [
    ("", "Any channel"),
    ("whatsapp", "WhatsApp"),
    ("sms", "SMS"),
    ("facebook", "Messenger"),
    ("instagram", "Instagram"),
    ("telegram", "Telegram"),
    ("line", "LINE"),
    ("wechat", "WeChat"),
    ("email", "E-mail"),
];

#[derive(Template)]
#[template(path = "conversations.html")]
struct ConversationsPage {
    shell: Shell,
    tab: &'static str,
    about: Field,
    state: Select,
    desk: Select,
    platform: Select,
    window: Select,
    sends: Select,
    rows: Vec<Row>,
    older: Option<String>,
    newest: Option<String>,
    filtered: bool,
    wrong: Option<String>,
}

/// A conversation in a list.
pub(crate) struct Row {
    pub(crate) who: String,
    pub(crate) path: String,
    pub(crate) blocked: bool,
    pub(crate) request: Option<Ref>,
    pub(crate) state: Lozenge,
    pub(crate) window: Lozenge,
    /// The platform and the desk.
    pub(crate) place: String,
    pub(crate) troubles: Vec<Lozenge>,
    pub(crate) wrote: When,
}

/// The request of a conversation: its page here is that of the conversation.
pub(crate) fn request_ref(app: &App, row: &TalkRow) -> Option<Ref> {
    let (_, key) = row.request.issue.as_ref()?;
    Some(Ref {
        text: key.to_string(),
        here: conversation_path(&row.whose),
        there: app.shared.issue_url(&row.request.site, key),
        far_side: "Jira",
    })
}

/// The page of the newest conversation that feeds the request of this key, if there is one.
pub(crate) async fn path_of_request(app: &App, key: &str) -> Result<Option<String>, PageError> {
    let asked = TalkQuery {
        about: Some(TalkSubject::Issue(IssueKey::new(key))),
        limit: 1,
        ..TalkQuery::default()
    };
    let found = app.shared.store.talk_page(&asked).await?;
    Ok(found.first().map(|row| conversation_path(&row.whose)))
}

pub(crate) fn row(app: &App, reader: &Reader, row: &TalkRow) -> Row {
    let request = &row.request;
    let mut troubles = Vec::new();
    if row.held > 0 {
        let words = format!("{} to decide about", some(row.held, "message"));
        troubles.push(Lozenge::new(Tone::Warn, words));
    }
    if row.not_delivered > 0 {
        let words = format!("{} not delivered", some(row.not_delivered, "message"));
        troubles.push(Lozenge::new(Tone::Bad, words));
    }
    Row {
        who: called(
            row.name.as_deref(),
            Some(&request.route.to.value),
            &row.whose.end_user,
        ),
        path: conversation_path(&row.whose),
        blocked: row.blocked,
        request: request_ref(app, row),
        state: stage(request),
        window: window(request, app.shared.now()),
        place: format!("{}, {}", request.route.platform, request.desk),
        troubles,
        wrote: reader.when(request.last_inbound_at),
    }
}

/// A place in the list, as it stands in an address.
pub(crate) fn cursor_text(cursor: &TalkCursor) -> String {
    let whose = &cursor.whose;
    json!([
        cursor.at.0,
        whose.account.as_str(),
        whose.end_user.as_str(),
        whose.generation
    ])
    .to_string()
}

fn read_cursor(text: &str) -> Option<TalkCursor> {
    let (at, account, end_user, generation): (i64, String, String, u32) =
        serde_json::from_str(text).ok()?;
    Some(TalkCursor {
        at: Millis(at),
        whose: RequestRef {
            account: AccountName::new(account),
            end_user: EndUserId::new(end_user),
            generation,
        },
    })
}

/// Characters of a name that are looked for at least.
const NAME_CHARS_MIN: usize = 2;

/// What somebody means whom or what conversations are to be about; `Err`: it is nothing.
fn subject(text: &str) -> Result<TalkSubject, String> {
    let key = text.to_uppercase();
    let is_key = key.rsplit_once('-').is_some_and(|(project, number)| {
        project.starts_with(|c: char| c.is_ascii_alphabetic())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    if is_key {
        return Ok(TalkSubject::Issue(IssueKey::new(key)));
    }
    if let Some(phone) = Identity::phone(text) {
        return Ok(TalkSubject::Identity(phone.value));
    }
    if text.contains(['.', '@', ':']) {
        return Ok(TalkSubject::Identity(text.to_owned()));
    }
    if text.chars().count() >= NAME_CHARS_MIN && text.contains(char::is_alphabetic) {
        return Ok(TalkSubject::Name(text.to_owned()));
    }
    Err(format!(
        "“{text}” is neither a request's key (SUP-17) nor a telephone number (+15550100) nor a \
         user id nor {NAME_CHARS_MIN} letters of a name."
    ))
}

/// What an address asks for, and what is wrong with it.
pub(crate) fn talk_query(query: &Query, now: Millis, limit: usize) -> (TalkQuery, Option<String>) {
    let (about, wrong) = match query.get("about").map(subject) {
        Some(Ok(subject)) => (Some(subject), None),
        Some(Err(wrong)) => (None, Some(wrong)),
        None => (None, None),
    };
    let soon = now.plus_ms(ENDS_SOON_MS);
    let window = match query.text("window") {
        "soon" => Some(WindowQuery::EndsBetween(now, soon)),
        "open" => Some(WindowQuery::EndsBetween(now, Millis(i64::MAX))),
        "ended" => Some(WindowQuery::EndedBy(now)),
        _ => None,
    };
    let live = match query.text("state") {
        "ended" => Some(false),
        "all" => None,
        // Whoever looks for somebody wants what ended, too.
        _ if about.is_some() => None,
        _ => Some(true),
    };
    let asked = TalkQuery {
        account: None,
        live,
        desk: query.get("desk").map(DeskName::new),
        platform: query.get("channel").map(str::to_owned),
        about,
        window,
        sends: match query.text("sends") {
            "held" => Some(SendsQuery::Held),
            "failed" => Some(SendsQuery::NotDelivered),
            _ => None,
        },
        after: query.get("after").and_then(read_cursor),
        limit: i64::try_from(limit).unwrap_or(i64::MAX),
    };
    (asked, wrong)
}

/// Titles as a list to choose from.
fn choices(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter()
        .map(|(word, title)| ((*word).to_owned(), (*title).to_owned()))
        .collect()
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let reader = &caller.reader;
    let (asked, wrong) = talk_query(&query, app.shared.now(), ROWS + 1);
    let mut rows = match wrong {
        Some(_) => Vec::new(),
        None => app.shared.store.talk_page(&asked).await?,
    };
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let older = rows.last().filter(|_| more);
    let older = older.map(|row| cursor_text(&row.cursor(&asked)));
    let desks = app.shared.desks_now().into_iter().map(|desk| {
        let name = desk.config.desk.name.to_string();
        (name.clone(), name)
    });
    let any_desk = std::iter::once((String::new(), "Any desk".to_owned()));
    let select = |name, label, all: &[(&str, &str)]| {
        Select::new(name, label, choices(all), query.text(name))
    };
    let states = [
        ("", "Active"),
        ("ended", "Ended"),
        ("all", "Active and ended"),
    ];
    let windows = [
        ("", "Any"),
        ("soon", "Ends within 4 hours"),
        ("open", "Is limited"),
        ("ended", "Is over"),
    ];
    let sends = [
        ("", "Any"),
        ("held", "One to decide about"),
        ("failed", "One not delivered"),
    ];
    let page = ConversationsPage {
        shell: caller.shell("Conversations", Place::Talks),
        tab: "conversations",
        about: Field::new("about", "Request, number or name", "text")
            .with(query.text("about"))
            .filled("off")
            .optional(),
        state: select("state", "State", &states),
        desk: Select::new("desk", "Desk", any_desk.chain(desks), query.text("desk")),
        platform: select("channel", "Channel", &PLATFORMS),
        window: select("window", "Time to answer", &windows),
        sends: select("sends", "Messages", &sends),
        rows: rows.iter().map(|one| row(&app, reader, one)).collect(),
        older: older.map(|cursor| query.with("/conversations", "after", &cursor)),
        newest: query
            .get("after")
            .map(|_| format!("/conversations{}", query.without(&["after"]))),
        filtered: !query.without(&["after"]).is_empty(),
        wrong,
    };
    Ok(html(&page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_people_are_told_apart() {
        assert_eq!(
            subject("sup-17"),
            Ok(TalkSubject::Issue(IssueKey::new("SUP-17")))
        );
        let number = TalkSubject::Identity("+15550100".to_owned());
        assert_eq!(subject("+1 555 0100"), Ok(number));
        let user = TalkSubject::Identity("US.1234".to_owned());
        assert_eq!(subject("US.1234"), Ok(user));
        assert_eq!(subject("Noa"), Ok(TalkSubject::Name("Noa".to_owned())));
        assert!(subject("N").is_err() && subject("12").is_err());
    }

    #[test]
    fn a_place_in_the_list_survives_the_address() {
        let cursor = TalkCursor {
            at: Millis(5),
            whose: RequestRef {
                account: AccountName::new("bird"),
                end_user: EndUserId::new("a\"b"),
                generation: 2,
            },
        };
        assert_eq!(read_cursor(&cursor_text(&cursor)), Some(cursor));
        assert_eq!(read_cursor("[1]"), None);
    }
}
