//! What deliveries mean for the tally of an issue: its label and its number field may have been
//! changed by hand, or by us.

use std::sync::Arc;

use bowline_domain::connection::Connection;
use bowline_domain::ids::{IssueId, ProjectKey, SiteName};
use bowline_domain::outcome::{Outcome, Reason};
use bowline_domain::tally::{self, TallySettings};
use bowline_jira::ChangeItem;
use bowline_jira::webhook::Delivery;
use bowline_store::model::{Decided, StoredEvent};

use super::observe::Reader;
use super::{Trouble, issue_of_lane, nothing};
use crate::registry::Site;
use crate::shared::Shared;

/// What Jira calls the labels in a changelog.
const LABELS: &str = "labels";

/// Adds to a decision about a delivery of Jira what it means for the tally.
pub(super) async fn follow(
    reader: &Reader<'_>,
    delivery: &Delivery,
    mut decided: Decided,
) -> Result<Decided, Trouble> {
    let (shared, site) = (reader.shared, &reader.site);
    if !shared.registry().tallies(reader.name()) {
        return Ok(decided);
    }
    let (Some(issue), Some(changelog)) = (delivery.issue_id(), &delivery.changelog) else {
        return Ok(decided);
    };
    let name = &site.config.name;
    let issue = IssueId::new(issue);
    let Some(wants) = wanted(reader, &issue, delivery).await? else {
        return Ok(decided);
    };
    let touched: Vec<&ChangeItem> = changelog
        .items
        .iter()
        .filter(|item| touches(&wants, item))
        .collect();
    if touched.is_empty() {
        return Ok(decided);
    }
    let linked = shared.store.live_links(name, &issue).await?.len();
    if touched.iter().all(|item| in_step(&wants, item, linked)) {
        if is_ours(site, delivery) {
            decided
                .outcome
                .reasons
                .retain(|one| *one != Reason::NothingChanged);
            decided.outcome.because(Reason::Echo);
        }
        return Ok(decided);
    }
    let change = changelog.id.clone();
    let change = change.unwrap_or_else(|| format!("at-{}", delivery.timestamp_ms.unwrap_or(0)));
    push(&mut decided, name, &issue, &format!("changed-{change}"));
    Ok(decided)
}

/// Adds to a look of the reconciler that the tally is looked at too.
pub(super) async fn looked(
    shared: &Arc<Shared>,
    event: &StoredEvent,
    issue: &IssueId,
    mut decided: Decided,
) -> Result<Decided, Trouble> {
    let Some(site) = tallied_site(shared, &event.connection) else {
        return Ok(decided);
    };
    let name = &site.config.name;
    let linked = !shared.store.live_links(name, issue).await?.is_empty();
    if linked && !decided.effects.iter().any(is_tally) {
        push(&mut decided, name, issue, &format!("looked-{}", event.id));
    }
    Ok(decided)
}

/// An event of a run through all issues of a project.
pub(super) fn one_of_all(event: &StoredEvent) -> Result<Decided, Trouble> {
    let Some((site, issue)) = issue_of_lane(&event.lane) else {
        return Err(Trouble::Hopeless("It names no issue.".to_owned()));
    };
    let mut decided = nothing(Reason::LinksFollowed);
    decided.outcome = Outcome::default();
    let (site, issue) = (SiteName::new(site), IssueId::new(issue));
    push(&mut decided, &site, &issue, &format!("run-{}", event.id));
    Ok(decided)
}

fn is_tally(effect: &bowline_domain::effect::Effect) -> bool {
    effect.act == bowline_domain::effect::Act::Tally
}

fn push(decided: &mut Decided, site: &SiteName, issue: &IssueId, fact: &str) {
    decided.effects.push(tally::effect(site, issue, fact));
    let reasons = &mut decided.outcome.reasons;
    reasons.retain(|one| *one != Reason::NothingChanged);
    decided.outcome.effects = decided.effects.len();
}

/// The site, if any of its bindings wants a tally.
fn tallied_site(shared: &Shared, connection: &Connection) -> Option<Arc<Site>> {
    let Connection::Site(name) = connection else {
        return None;
    };
    let registry = shared.registry();
    let site = registry.sites.get(name)?;
    registry.tallies(name).then(|| Arc::clone(site))
}

/// What the issue's present project wants, if anything.
async fn wanted(
    reader: &Reader<'_>,
    issue: &IssueId,
    delivery: &Delivery,
) -> Result<Option<TallySettings>, Trouble> {
    let store = &reader.shared.store;
    let told = delivery
        .issue
        .as_ref()
        .and_then(|issue| issue.project_key.as_deref())
        .map(ProjectKey::new);
    let project = match told {
        Some(project) => project,
        None => match store.issue_label(reader.name(), issue).await? {
            Some(label) => label.project,
            None => return Ok(None),
        },
    };
    let Some(project) = reader.bound_project(&project).await? else {
        return Ok(None);
    };
    let registry = reader.shared.registry();
    let binding = registry.binding(reader.name(), &project);
    Ok(binding
        .map(|binding| binding.tally.clone())
        .filter(TallySettings::is_on))
}

fn has(text: Option<&str>, label: &str) -> bool {
    text.is_some_and(|text| text.split_whitespace().any(|one| one == label))
}

/// Does it change the label or the field?
fn touches(wants: &TallySettings, item: &ChangeItem) -> bool {
    if item.field.eq_ignore_ascii_case(LABELS) {
        return wants.label.as_ref().is_some_and(|label| {
            has(item.from_string.as_deref(), label) != has(item.to_string.as_deref(), label)
        });
    }
    let Some(field) = &wants.number_field else {
        return false;
    };
    if let Some(id) = &item.field_id {
        return id == field;
    }
    // Data Center names a field by what people call it. Only a number can be meant.
    let sides = [&item.from_string, &item.to_string];
    let number = |text: &&String| !text.is_empty() && text.parse::<f64>().is_ok();
    sides.into_iter().flatten().any(|text| number(&text))
}

/// Is what it was changed to what holds?
fn in_step(wants: &TallySettings, item: &ChangeItem, linked: usize) -> bool {
    let to = item.to_string.as_deref();
    if item.field.eq_ignore_ascii_case(LABELS) {
        let label = wants.label.as_deref().unwrap_or_default();
        return has(to, label) == (linked > 0);
    }
    let number = to.and_then(|to| to.trim().parse::<f64>().ok());
    let count = u32::try_from(linked).map_or(f64::MAX, f64::from);
    number == Some(count)
}

/// Did our own account make the change? It is a second test, after what holds.
fn is_ours(site: &Site, delivery: &Delivery) -> bool {
    let ours = site.standing.known().actor_id;
    let theirs = delivery.user.as_ref().map(|user| user.id.as_str());
    ours.is_some() && ours.as_deref() == theirs
}
