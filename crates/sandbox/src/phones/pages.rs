//! Pages for people with phones: everybody, and one phone with what is on it and what can be done.

use std::fmt;

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, State as Shared};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;

use crate::common::page::{Shell, html, see_other};

use super::{Carrier, Habit, Inbound, Line, Media, Person, State, WINDOW_MS};

/// A picture of one pixel, for people who have none at hand.
const PIXEL: &[u8] = include_bytes!("../../templates/phones/pixel.png");

/// Longest step of the clock that the page takes, in hours: a month.
const MAX_HOURS: i64 = 31 * 24;
/// Milliseconds of an hour.
const HOUR_MS: i64 = 60 * 60 * 1_000;

/// The pages under `/` and `/phones`, and `GET /_control/lines` for a checker elsewhere:
/// `{"lines":[..]}`, each a [`Line`].
pub(crate) fn routes<C: Carrier>(carrier: C) -> Router {
    Router::new()
        .route("/", get(everybody::<C>))
        .route("/phones", post(meet::<C>))
        .route("/phones/{phone}", get(phone::<C>))
        .route("/phones/{phone}/{action}", post(act::<C>))
        .route("/clock", post(clock::<C>))
        .route("/_control/lines", get(every_line::<C>))
        .with_state(carrier)
}

/// A moment as the pages show it.
struct Moment(i64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{}", time.strftime("%Y-%m-%d %H:%M:%S UTC")),
            Err(_) => f.write_str("never"),
        }
    }
}

#[derive(Template)]
#[template(path = "phones/people.html")]
struct PeoplePage {
    shell: Shell,
    rows: Vec<Row>,
    now: Moment,
}

struct Row {
    phone: String,
    name: String,
    newest: String,
    count: usize,
    open_until: Option<Moment>,
    /// Did the person ever write over WhatsApp?
    wrote: bool,
    trouble: bool,
}

#[derive(Template)]
#[template(path = "phones/phone.html")]
struct PhonePage {
    shell: Shell,
    phone: String,
    name: String,
    platforms: Vec<String>,
    habit: Habit,
    now: Moment,
    open_until: Option<Moment>,
    /// Did the person ever write over WhatsApp?
    wrote: bool,
    /// The kind of channel that was used last.
    chosen: String,
    lines: Vec<Bubble>,
    unread: usize,
}

/// What a kind of channel is called.
pub(crate) fn platform_title(word: &str) -> &str {
    match word {
        "whatsapp" => "WhatsApp",
        "sms" => "SMS",
        other => other,
    }
}

fn wrote_whatsapp(lines: &[Line]) -> bool {
    let mut written = lines.iter().filter(|line| line.from_phone);
    written.any(|line| line.platform == "whatsapp")
}

struct Bubble {
    message: String,
    class: &'static str,
    who: String,
    platform: String,
    at: Moment,
    kind: String,
    text: Option<String>,
    media: Option<String>,
    state: &'static str,
    bad: bool,
    good: bool,
    failure: Option<String>,
}

fn bubble(line: Line, name: &str) -> Bubble {
    let (class, who) = match (line.from_phone, line.by_api) {
        (true, _) => ("customer", name.to_owned()),
        (false, true) => ("teammate", "The company".to_owned()),
        (false, false) => (
            "teammate",
            "The company, from the provider's inbox".to_owned(),
        ),
    };
    Bubble {
        class,
        who,
        platform: line.platform,
        at: Moment(line.at_ms),
        bad: line.state == State::Failed,
        good: line.state == State::Read,
        state: if line.from_phone {
            "written here"
        } else {
            line.state.name()
        },
        failure: line
            .failure
            .map(|failure| format!("{} ({})", failure.description, failure.code)),
        message: line.message,
        kind: line.kind,
        text: line.text,
        media: line.media,
    }
}

async fn everybody<C: Carrier>(Shared(carrier): Shared<C>) -> Response {
    let rows = carrier.people().into_iter().map(|person| {
        let lines = carrier.lines(&person.phone);
        Row {
            open_until: carrier.open_until(&person.phone).map(Moment),
            newest: lines
                .last()
                .map(|line| line.text.clone().unwrap_or_else(|| line.kind.clone()))
                .unwrap_or_default(),
            wrote: wrote_whatsapp(&lines),
            count: lines.len(),
            trouble: lines.iter().any(|line| line.state == State::Failed),
            phone: person.phone,
            name: person.name,
        }
    });
    html(&PeoplePage {
        rows: rows.collect(),
        now: Moment(carrier.clock_ms()),
        shell: Shell::new("Phones", C::PLATFORM, carrier.neighbours()).refreshing(),
    })
}

async fn every_line<C: Carrier>(Shared(carrier): Shared<C>) -> Response {
    axum::Json(serde_json::json!({ "lines": carrier.every_line() })).into_response()
}

fn person<C: Carrier>(carrier: &C, phone: &str) -> Option<Person> {
    carrier
        .people()
        .into_iter()
        .find(|person| person.phone == phone)
}

fn unknown() -> Response {
    (StatusCode::NOT_FOUND, "There is no such phone.").into_response()
}

async fn phone<C: Carrier>(Shared(carrier): Shared<C>, Path(phone): Path<String>) -> Response {
    let Some(person) = person(&carrier, &phone) else {
        return unknown();
    };
    let lines = carrier.lines(&phone);
    let unread = lines
        .iter()
        .filter(|line| !line.from_phone && line.state == State::Delivered)
        .count();
    html(&PhonePage {
        shell: Shell::new(person.name.clone(), C::PLATFORM, carrier.neighbours()).refreshing(),
        wrote: wrote_whatsapp(&lines),
        chosen: lines
            .last()
            .map(|line| line.platform.clone())
            .unwrap_or_default(),
        lines: lines
            .into_iter()
            .map(|line| bubble(line, &person.name))
            .collect(),
        phone: person.phone,
        name: person.name,
        platforms: carrier.platforms(),
        habit: person.habit,
        now: Moment(carrier.clock_ms()),
        open_until: carrier.open_until(&phone).map(Moment),
        unread,
    })
}

#[derive(Debug, Deserialize)]
struct NewPerson {
    phone: String,
    name: String,
}

async fn meet<C: Carrier>(Shared(carrier): Shared<C>, Form(form): Form<NewPerson>) -> Response {
    let (phone, name) = (form.phone.trim(), form.name.trim());
    let good = phone
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '.'));
    if phone.is_empty() || !good || name.is_empty() {
        return (
            StatusCode::BAD_REQUEST,
            "A name is needed, and a number such as +15550100 or a user id such as US.1234.",
        )
            .into_response();
    }
    carrier.meet(phone, name);
    see_other(&format!("/phones/{phone}"))
}

#[derive(Debug, Deserialize)]
struct Step {
    hours: i64,
    back: Option<String>,
}

async fn clock<C: Carrier>(Shared(carrier): Shared<C>, Form(form): Form<Step>) -> Response {
    carrier.move_clock(form.hours.clamp(0, MAX_HOURS) * HOUR_MS);
    // Only a path of this site, never another host.
    let back = form
        .back
        .filter(|back| back.starts_with('/') && !back.starts_with("//"));
    see_other(back.as_deref().unwrap_or("/"))
}

/// What the forms of a phone send; each uses some of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Act {
    platform: String,
    text: String,
    what: String,
    reach: String,
    on_whatsapp: Option<String>,
    fails: Option<String>,
}

async fn act<C: Carrier>(
    Shared(carrier): Shared<C>,
    Path((phone, action)): Path<(String, String)>,
    Form(form): Form<Act>,
) -> Response {
    if person(&carrier, &phone).is_none() {
        return unknown();
    }
    let text = form.text.replace("\r\n", "\n").trim().to_owned();
    let done = match action.as_str() {
        "write" if text.is_empty() => Ok(()),
        "write" => carrier
            .hand_over(&phone, &form.platform, Inbound::Text(text))
            .map(|_| ()),
        "media" => carrier
            .hand_over(&phone, &form.platform, sample(&form.what, &text))
            .map(|_| ()),
        "read" => {
            carrier.read_all(&phone);
            Ok(())
        }
        "outside" => {
            carrier.move_clock(WINDOW_MS);
            Ok(())
        }
        "habit" => {
            let reach = match form.reach.as_str() {
                "pending" => State::Pending,
                "sent" => State::Sent,
                "read" => State::Read,
                _ => State::Delivered,
            };
            let habit = Habit {
                on_whatsapp: form.on_whatsapp.is_some(),
                reach,
                fails: form.fails.map(|_| C::ordinary_failure()),
            };
            carrier.set_habit(&phone, habit);
            Ok(())
        }
        _ => return unknown(),
    };
    match done {
        Ok(()) => see_other(&format!("/phones/{phone}")),
        Err(reason) => (StatusCode::BAD_REQUEST, reason).into_response(),
    }
}

/// Something to send that is no text.
fn sample(what: &str, text: &str) -> Inbound {
    match what {
        "document" => Inbound::Media(Media::document(
            "notes.txt",
            "text/plain",
            b"Notes of the sandbox\n",
        )),
        "location" => Inbound::Location {
            latitude: 52.52,
            longitude: 13.405,
        },
        "sticker" => Inbound::Other {
            kind: "whatsappSticker".to_owned(),
            content: serde_json::json!({ "whatsappSticker": { "link": "https://example.com/sticker.webp" } }),
        },
        _ => Inbound::Media(Media::image(
            "photo.png",
            PIXEL,
            (!text.is_empty()).then_some(text),
        )),
    }
}
