//! Committing what events mean: state changes, effects and outcomes in one piece.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bowline_domain::effect::EffectState;
use bowline_domain::ids::{EventId, IssueId, LaneKey, SiteName};
use bowline_domain::link::{Link, LinkEnd, Source};
use serde::{Deserialize, Serialize};

use crate::committer::Writer;
use crate::db::{Conn, Dialect, Value, values};
use crate::error::StoreError;
use crate::model::{Committed, Decided, Decision, EventState, Lease, TakenEffect, Verdict};
use crate::sql::asked;
use crate::sql::at_once;
use crate::sql::contacts;
use crate::sql::effects::{self, effect_rows, existing_keys, outgoing, queues, taken};
use crate::sql::feedback;
use crate::sql::lanes::{self, Enqueue, Holder};
use crate::sql::link_pages;
use crate::sql::talk;

/// Commits decisions. One whose lane was taken over is refused by itself; nothing of it is written.
/// So is one about an event that does not wait any more.
pub(crate) async fn decide(
    conn: &mut Conn,
    writer: &Writer,
    holders: &HashMap<LaneKey, Holder>,
    decisions: &[&Decision],
) -> Result<Vec<Result<Committed, StoreError>>, StoreError> {
    let (plain, others) = match conn.dialect() {
        Dialect::Sqlite => (Vec::new(), decisions.to_vec()),
        Dialect::Postgres => plain(decisions),
    };
    let mut committed = at_once(conn, writer, &plain).await?;
    committed.extend(step_by_step(conn, writer, holders, &others).await?);
    let answer = |decision: &&Decision| {
        let fenced = || StoreError::Fenced {
            lane: decision.lease.lane.to_string(),
        };
        committed.remove(&decision.event).ok_or_else(fenced)
    };
    Ok(decisions.iter().map(answer).collect())
}

/// Tells plain decisions from others. They change nothing but the outcomes of their events, facts and
/// lanes, and put at most one effect into each lane. PostgreSQL commits them in one statement.
pub(crate) fn plain<'d>(decisions: &[&'d Decision]) -> (Vec<&'d Decision>, Vec<&'d Decision>) {
    let mut lanes = HashSet::new();
    decisions.iter().partition(|decision| {
        let effects = match &decision.verdict {
            Verdict::Quarantined(_) => return true,
            Verdict::Decided(decided) => match decided.as_ref() {
                Decided {
                    issue: _,
                    record: None,
                    moved: false,
                    transitioned: false,
                    links,
                    facts: _,
                    talk: None,
                    contacts: None,
                    feedback: None,
                    held,
                    effects,
                    outcome: _,
                } if links.is_empty() && held.is_empty() => effects,
                _ => return false,
            },
        };
        effects.iter().all(|effect| lanes.insert(effect.lane()))
    })
}

/// Commits plain decisions on PostgreSQL. It locks their lanes by itself.
async fn at_once(
    conn: &mut Conn,
    writer: &Writer,
    plain: &[&Decision],
) -> Result<HashMap<EventId, Committed>, StoreError> {
    if plain.is_empty() {
        return Ok(HashMap::new());
    }
    let told = decided(plain);
    let outgoing = outgoing(&told);
    let lists = Lists {
        outcomes: outcome_rows(plain)?,
        facts: facts(&told)?,
        effects: effect_rows(&outgoing)?,
        queues: queues(&outgoing),
    };
    let committed = at_once::decide(conn, writer, lists).await?;
    let taken = taken(&outgoing, committed.held);
    answers(conn, plain, &committed.left, taken).await
}

/// Commits decisions whose lanes are locked.
async fn step_by_step(
    conn: &mut Conn,
    writer: &Writer,
    holders: &HashMap<LaneKey, Holder>,
    decisions: &[&Decision],
) -> Result<HashMap<EventId, Committed>, StoreError> {
    if decisions.is_empty() {
        return Ok(HashMap::new());
    }
    let held = |decision: &&&Decision| {
        let holder = holders.get(&decision.lease.lane);
        holder.is_some_and(|holder| holder.holds(writer, &decision.lease))
    };
    let held: Vec<&Decision> = decisions.iter().filter(held).copied().collect();
    let finished = finish(conn, writer, &held).await?;
    let waited = held
        .iter()
        .filter(|decision| finished.left.contains_key(&decision.event));
    let decided = decided(&waited.copied().collect::<Vec<_>>());
    store_records(conn, &decided).await?;
    store_links(conn, &decided).await?;
    follow_asked(conn, &decided).await?;
    talk::store(conn, &decided).await?;
    contacts::take::store(conn, &decided).await?;
    feedback::capture::store(conn, &decided).await?;
    end_held(conn, &decided).await?;
    let taken = effects::store(conn, writer, &decided, &finished.existing).await?;
    answers(conn, &held, &finished.left, taken).await
}

/// What is said of decisions whose events waited, by event. The worker of another one stops, so its
/// lane is let go.
async fn answers(
    conn: &mut Conn,
    decisions: &[&Decision],
    left: &HashMap<EventId, i64>,
    mut taken: HashMap<EventId, Vec<TakenEffect>>,
) -> Result<HashMap<EventId, Committed>, StoreError> {
    let mut answers = HashMap::with_capacity(decisions.len());
    for decision in decisions {
        let Some(pending) = left.get(&decision.event) else {
            lanes::release(conn, &decision.lease).await?;
            continue;
        };
        let committed = Committed {
            lease: decision.lease.clone(),
            more: *pending > 0,
            taken: taken.remove(&decision.event).unwrap_or_default(),
        };
        answers.insert(decision.event, committed);
    }
    Ok(answers)
}

fn decided<'d>(decisions: &[&'d Decision]) -> Vec<(&'d Decision, &'d Decided)> {
    decisions
        .iter()
        .filter_map(|decision| match &decision.verdict {
            Verdict::Decided(decided) => Some((*decision, decided.as_ref())),
            Verdict::Quarantined(_) => None,
        })
        .collect()
}

/// What decisions change, as rows.
pub(super) struct Lists {
    /// Id, lane, token, state, outcome and time of each event.
    pub(super) outcomes: Vec<Vec<Value>>,
    /// Site, issue, name and event of each fact.
    pub(super) facts: Vec<Vec<Value>>,
    /// Key, event, lane, connection, site, issue, act and time of each effect, in the order in which
    /// they are to be made; with its lane.
    pub(super) effects: Vec<(LaneKey, Vec<Value>)>,
    /// What is put into lanes.
    pub(super) queues: BTreeMap<LaneKey, Enqueue>,
}

/// What became of decisions' events and lanes.
#[derive(Default)]
pub(super) struct Finished {
    /// How many items are left in the lanes of those whose events waited there, by event. Of others
    /// nothing is recorded.
    pub(super) left: HashMap<EventId, i64>,
    /// The keys of effects that are stored already.
    pub(super) existing: HashSet<String>,
}

/// Records the outcomes of events, counts them out of their lanes, records their facts, and looks
/// which of their effects are stored already.
async fn finish(
    conn: &mut Conn,
    writer: &Writer,
    decisions: &[&Decision],
) -> Result<Finished, StoreError> {
    let told = decided(decisions);
    let effects = told.iter().flat_map(|(_, decided)| &decided.effects);
    let keys: Vec<&str> = effects.map(|effect| effect.key.as_str()).collect();
    if conn.dialect() == Dialect::Postgres {
        let (outcomes, facts) = (outcome_rows(decisions)?, facts(&told)?);
        return at_once::finish(conn, writer, (outcomes, facts), &keys).await;
    }
    let events = finish_events(conn, decisions).await?;
    let waited = |decision: &&&Decision| events.contains(&decision.event);
    let waited: Vec<&Decision> = decisions.iter().filter(waited).copied().collect();
    let leases: Vec<&Lease> = waited.iter().map(|decision| &decision.lease).collect();
    let lanes = lanes::finish_held(conn, writer, &leases).await?;
    store_facts(conn, &decided(&waited)).await?;
    let left = waited.iter().filter_map(|decision| {
        let pending = lanes.get(&decision.lease.lane)?;
        Some((decision.event, *pending))
    });
    Ok(Finished {
        left: left.collect(),
        existing: existing_keys(conn, &keys).await?,
    })
}

fn outcome_rows(decisions: &[&Decision]) -> Result<Vec<Vec<Value>>, StoreError> {
    decisions
        .iter()
        .map(|decision| outcome_row(decision))
        .collect()
}

/// Id, lane, token, state, outcome and time.
fn outcome_row(decision: &Decision) -> Result<Vec<Value>, StoreError> {
    let (state, outcome) = match &decision.verdict {
        Verdict::Decided(decided) => (EventState::Decided, json(&decided.outcome)?),
        Verdict::Quarantined(why) => (EventState::Quarantined, why.clone()),
    };
    Ok(values![
        decision.event.0,
        decision.lease.lane.as_str(),
        decision.lease.token,
        state.code(),
        outcome,
        decision.at.0
    ])
}

/// Records outcomes of events that wait in the lane of their decision, and returns which did.
async fn finish_events(
    conn: &mut Conn,
    decisions: &[&Decision],
) -> Result<HashSet<EventId>, StoreError> {
    const SQL: &str = "WITH v (id, lane, token, state, outcome, at) AS (VALUES {rows}) \
        UPDATE event SET state = v.state, outcome = v.outcome, decided_at = v.at \
        FROM v WHERE event.id = v.id AND event.lane = v.lane AND event.state + 0 = 0 \
        RETURNING event.id";
    let args = outcome_rows(decisions)?.into_iter().flatten().collect();
    let rows = conn
        .rows_of_many("recording outcomes", SQL, 6, args)
        .await?;
    rows.iter().map(|row| row.int(0).map(EventId)).collect()
}

/// Records what people say of sends that were held. They are settled, so no lane counts them.
async fn end_held(conn: &mut Conn, decided: &[(&Decision, &Decided)]) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE effect SET state = $1, settled_at = $2, reason = $3 \
        WHERE key = $4 AND state = 6";
    for (decision, decided) in decided {
        for held in &decided.held {
            let state = if held.arrived {
                EffectState::Confirmed
            } else {
                EffectState::Dropped
            };
            let (at, key) = (decision.at.0, held.key.as_str());
            let args = values![state.code(), at, held.reason.clone(), key];
            conn.run("ending a held send", SQL, args).await?;
        }
    }
    Ok(())
}

fn issue_of(decided: &Decided) -> Result<&(SiteName, IssueId), StoreError> {
    decided.issue.as_ref().ok_or_else(|| {
        StoreError::unreadable("a decision", "it changes an issue that it does not name")
    })
}

async fn store_records(
    conn: &mut Conn,
    decided: &[(&Decision, &Decided)],
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO issue \
        (site, issue, key, project, summary, scanned, deleted, links_version, status) {inserted} \
        ON CONFLICT (site, issue) DO UPDATE SET key = excluded.key, project = excluded.project, \
          summary = excluded.summary, scanned = excluded.scanned, deleted = excluded.deleted, \
          links_version = excluded.links_version, status = excluded.status";
    let mut rows = BTreeMap::new();
    for (_, decided) in decided {
        if let Some(record) = &decided.record {
            let (site, issue) = issue_of(decided)?;
            let row = values![
                site.as_str(),
                issue.as_str(),
                record.key.as_str(),
                record.project.as_str(),
                record.summary.as_str(),
                record.scanned,
                record.deleted,
                record.links_version,
                record.status.as_deref().unwrap_or_default(),
            ];
            rows.insert((site, issue), row);
        }
    }
    insert_rows(conn, "recording issues", SQL, rows.into_values().collect()).await
}

async fn store_links(conn: &mut Conn, decided: &[(&Decision, &Decided)]) -> Result<(), StoreError> {
    // The record of the issue is stored before, so its project is known here.
    const SQL: &str = "WITH v (site, issue, workspace, conversation, live, since, generation, \
          ended, sources, ended_at) AS (VALUES {rows}) \
        INSERT INTO link (site, issue, workspace, conversation, live, since, generation, ended, \
          sources, ended_at, project) \
        SELECT v.site, v.issue, v.workspace, v.conversation, v.live, v.since, v.generation, \
          v.ended, v.sources, v.ended_at, COALESCE(issue.project, '') \
        FROM v LEFT JOIN issue ON issue.site = v.site AND issue.issue = v.issue \
        WHERE v.site IS NOT NULL \
        ON CONFLICT (site, issue, workspace, conversation) DO UPDATE SET \
          live = excluded.live, since = excluded.since, generation = excluded.generation, \
          ended = excluded.ended, sources = excluded.sources, project = excluded.project, \
          ended_at = CASE WHEN link.live + excluded.live = 0 \
            AND link.generation = excluded.generation THEN link.ended_at \
            ELSE excluded.ended_at END";
    let mut rows = BTreeMap::new();
    for (decision, decided) in decided {
        for link in &decided.links {
            let (site, issue) = issue_of(decided)?;
            let row = link_row((site, issue), link, decision.at)?;
            rows.insert((site, issue, &link.workspace, &link.conversation), row);
        }
    }
    insert_rows(conn, "recording links", SQL, rows.into_values().collect()).await
}

/// What the report shows of issues whose links, project or status changed.
async fn follow_asked(
    conn: &mut Conn,
    decided: &[(&Decision, &Decided)],
) -> Result<(), StoreError> {
    let mut issues = BTreeSet::new();
    for (_, decided) in decided {
        if decided.moved || decided.transitioned || !decided.links.is_empty() {
            let (site, issue) = issue_of(decided)?;
            issues.insert((site.as_str(), issue.as_str()));
        }
    }
    let issues: Vec<(&str, &str)> = issues.into_iter().collect();
    asked::follow(conn, &issues).await?;
    let moved = decided.iter().filter(|(_, decided)| decided.moved);
    let moved: BTreeSet<(&str, &str)> = moved
        .map(|(_, decided)| issue_of(decided).map(|(site, issue)| (site.as_str(), issue.as_str())))
        .collect::<Result<_, _>>()?;
    let moved: Vec<(&str, &str)> = moved.into_iter().collect();
    link_pages::follow(conn, &moved).await
}

fn link_row(
    (site, issue): (&SiteName, &IssueId),
    link: &Link,
    decided_at: bowline_domain::time::Millis,
) -> Result<Vec<Value>, StoreError> {
    // Of a link that had ended already, what is known of that stays.
    let ended_at = (!link.live).then_some(link.ended_at.unwrap_or(decided_at).0);
    Ok(values![
        site.as_str(),
        issue.as_str(),
        link.workspace.as_str(),
        link.conversation.as_str(),
        link.live,
        link.since.0,
        i64::from(link.generation),
        link.ended.as_ref().map(LinkEnd::key),
        sources_json(&link.sources)?,
        ended_at,
    ])
}

/// A source as stored within its link's row.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredSource {
    pub(crate) origin: String,
    pub(crate) since: i64,
    #[serde(default)]
    pub(crate) overruled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) via: Option<String>,
}

fn sources_json(sources: &[Source]) -> Result<String, StoreError> {
    let stored: Vec<StoredSource> = sources
        .iter()
        .map(|source| StoredSource {
            origin: source.origin.key(),
            since: source.since.0,
            overruled: source.overruled,
            by: source.hand.as_ref().map(|hand| hand.by.clone()),
            via: (source.hand.as_ref().and_then(|hand| hand.via)).map(|via| via.word().to_owned()),
        })
        .collect();
    json(&stored)
}

/// Site, issue, fact and event of each.
fn facts(decided: &[(&Decision, &Decided)]) -> Result<Vec<Vec<Value>>, StoreError> {
    let mut facts = Vec::new();
    for (decision, decided) in decided {
        for fact in &decided.facts {
            let (site, issue) = issue_of(decided)?;
            let event = decision.event.0;
            facts.push(values![site.as_str(), issue.as_str(), fact.as_str(), event]);
        }
    }
    Ok(facts)
}

async fn store_facts(conn: &mut Conn, decided: &[(&Decision, &Decided)]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO fact (site, issue, fact, event) {inserted} \
        ON CONFLICT (site, issue, fact) DO NOTHING";
    insert_rows(conn, "recording facts", SQL, facts(decided)?).await
}

/// Inserts rows that differ in their key (PostgreSQL takes no row twice in one statement), in an
/// order that is the same in every replica.
async fn insert_rows(
    conn: &mut Conn,
    doing: &'static str,
    sql: &'static str,
    rows: Vec<Vec<Value>>,
) -> Result<(), StoreError> {
    let columns = rows.first().map_or(0, Vec::len);
    let args = rows.into_iter().flatten().collect();
    conn.rows_of_many(doing, sql, columns, args).await.map(drop)
}

pub(crate) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::unreadable("a value", error))
}
