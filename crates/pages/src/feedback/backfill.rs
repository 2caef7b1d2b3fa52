//! Taking in what was tagged before: counted first, then begun, watched, paused and cancelled.

use axum::extract::State;
use axum::response::Response;
use bowline_access::{ManageProducts, What};
use bowline_domain::feedback::ids::ProductId;
use bowline_domain::feedback::product::Product;
use bowline_domain::time::Millis;
use bowline_engine::feedback::count_backfill;
use bowline_store::feedback::BackfillState;
use jiff::civil::Date;

use super::words;
use crate::App;
use crate::caller::{Number, Posted};
use crate::component::{Field, Lozenge, Tone};
use crate::error::{PageError, see_other};
use crate::query::Query;
use crate::reader::{Reader, When};

/// What the page shows of backfills.
pub(super) struct Backfilling {
    pub(super) may: bool,
    pub(super) from: Field,
    pub(super) counted: Option<Counted>,
    pub(super) latest: Option<Latest>,
}

impl Backfilling {
    /// Does the page look again by itself? Not below what was counted: that asks Intercom.
    pub(super) fn watched(&self) -> bool {
        self.counted.is_none() && self.latest.as_ref().is_some_and(|latest| latest.running)
    }
}

/// What a dry run counted.
pub(super) struct Counted {
    pub(super) from: String,
    pub(super) conversations: String,
    pub(super) any: bool,
}

/// The latest backfill.
pub(super) struct Latest {
    pub(super) id: i64,
    pub(super) state: Lozenge,
    pub(super) since: When,
    pub(super) who: String,
    pub(super) at: When,
    pub(super) ended: Option<When>,
    pub(super) found: String,
    pub(super) looked: String,
    pub(super) made: String,
    pub(super) trouble: Option<String>,
    pub(super) running: bool,
    pub(super) paused: bool,
}

/// A day as a form sends it, from its beginning in the reader's zone.
pub(super) fn read_day(text: &str, reader: &Reader) -> Option<Millis> {
    let day: Date = text.parse().ok()?;
    let at = day.to_zoned(reader.zone.clone()).ok()?;
    Some(Millis(at.timestamp().as_millisecond()))
}

/// What the page shows of a product's backfills; a dry run if it is asked for.
pub(super) async fn backfilling(
    app: &App,
    reader: &Reader,
    product: &Product,
    query: &Query,
    may_manage: bool,
) -> Result<Backfilling, PageError> {
    let asked = query.text("from");
    let mut fault = None;
    let mut counted = None;
    if may_manage && !asked.is_empty() {
        match read_day(asked, reader).filter(|from| *from <= app.shared.now()) {
            Some(from) => match count_backfill(&app.shared, product, from).await {
                Ok(count) => {
                    counted = Some(Counted {
                        from: asked.to_owned(),
                        conversations: words::number(count),
                        any: count > 0,
                    });
                }
                Err(error) => fault = Some(error.to_string()),
            },
            None => fault = Some("Write a day that is over, such as 2026-01-31.".to_owned()),
        }
    }
    let latest = app.shared.store.latest_backfill(product.id).await?;
    let faults: Vec<bowline_access::Fault> = fault
        .iter()
        .map(|words| bowline_access::Fault::new("from", words.as_str()))
        .collect();
    Ok(Backfilling {
        may: may_manage && product.on,
        from: Field::new("from", "From which day on?", "date")
            .with(asked)
            .hinting("Tags that were put on at that day or later become tickets.")
            .faulty(&faults),
        counted,
        latest: latest.map(|one| Latest {
            id: one.id,
            state: state(one.state),
            since: reader.when(one.since),
            who: one.who,
            at: reader.when(one.at),
            ended: one.ended_at.map(|at| reader.when(at)),
            found: words::number(one.found),
            looked: words::number(one.looked),
            made: words::number(one.made),
            trouble: one.trouble,
            running: one.state == BackfillState::Running,
            paused: one.state == BackfillState::Paused,
        }),
    })
}

fn state(state: BackfillState) -> Lozenge {
    let tone = match state {
        BackfillState::Running => Tone::Busy,
        BackfillState::Paused => Tone::Warn,
        BackfillState::Cancelled => Tone::Plain,
        BackfillState::Done => Tone::Good,
    };
    Lozenge::new(tone, state.as_str())
}

/// The state that a word of a form or of the API asks for.
pub(super) fn wanted(word: &str) -> Option<BackfillState> {
    match word {
        "pause" => Some(BackfillState::Paused),
        "resume" => Some(BackfillState::Running),
        "cancel" => Some(BackfillState::Cancelled),
        _ => None,
    }
}

pub(crate) async fn act(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<ManageProducts>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let store = &app.shared.store;
    let Some(product) = store.product(ProductId(id)).await? else {
        return Err(caller.not_found("There is no such product."));
    };
    let now = app.shared.now();
    let entry = |detail: String| {
        let name = product.name.as_str();
        app.access
            .entry(caller.who(), What::BackfillChanged, name, detail)
    };
    let back = format!("/products/{id}");
    let word = fields.get("do");
    if let Some(to) = wanted(word) {
        let number = fields.get("backfill").parse().unwrap_or(0);
        let audit = vec![entry(word.to_owned())];
        let moved = store.move_backfill(number, to, now, audit).await?;
        let done = if moved { "backfill" } else { "gone" };
        return Ok(see_other(&format!("{back}?done={done}#backfill")));
    }
    let asked = fields.get("from");
    let Some(from) = read_day(asked, &caller.reader).filter(|from| product.on && *from <= now)
    else {
        return Ok(see_other(&format!("{back}?from=-#backfill")));
    };
    // Why it cannot be counted is said where it is counted first.
    let Ok(found) = count_backfill(&app.shared, &product, from).await else {
        return Ok(see_other(&format!("{back}?from={asked}#backfill")));
    };
    let audit = vec![entry(format!("begun, from {asked}"))];
    let by = (caller.visit.person.name.clone(), now);
    let begun = store.begin_backfill((product.id, from, found), by, audit);
    let done = if begun.await?.is_some() {
        "backfill"
    } else {
        "backfilling"
    };
    Ok(see_other(&format!("{back}?done={done}#backfill")))
}
