//! `plan`: what one event means.

mod links;
mod notes;
mod rules;
mod sources;
#[cfg(test)]
mod tests;
mod tombstones;
pub mod written;

use crate::audience::Audience;
use crate::connection::Connection;
use crate::effect::{Act, Effect, EffectKey};
use crate::fact::FactKey;
use crate::happening::Happening;
use crate::link::{Link, Origin};
use crate::observation::{IssueSnapshot, Observation};
use crate::outcome::{Outcome, Reason};
use crate::settings::{Settings, Trigger};
use crate::state::{IssueRecord, IssueState};
use crate::time::Millis;

use links::LinkNow;
use sources::CommentText;

/// What is to be done about an event. All of it is committed in one transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What to keep of the issue, if it changed or was unknown.
    pub record: Option<IssueRecord>,
    /// The links that changed, whole.
    pub links: Vec<Link>,
    /// The facts that are dealt with now.
    pub facts: Vec<FactKey>,
    /// The writes to be made, in order.
    pub effects: Vec<Effect>,
    /// What became of the event.
    pub outcome: Outcome,
}

impl Plan {
    fn nothing(reason: Reason) -> Self {
        Self {
            record: None,
            links: Vec::new(),
            facts: Vec::new(),
            effects: Vec::new(),
            outcome: Outcome::nothing(reason),
        }
    }
}

/// Decides what an event means.
///
/// `state` is what we know of the issue, `seen` what we just read of it, `settings` the binding of
/// the issue's present project (`None` if it is not bound), `happenings` what the event says, in
/// the order in which it happened.
pub fn plan(
    state: &IssueState,
    seen: &Observation,
    settings: Option<&Settings>,
    happenings: &[Happening],
) -> Plan {
    match seen {
        Observation::Absent => absent(state, happenings),
        Observation::Present(issue) => present(state, issue, settings, happenings),
    }
}

/// The issue cannot be read. Only an event that says so ends all its links: a 404 alone may be a
/// permission that someone is about to give back.
fn absent(state: &IssueState, happenings: &[Happening]) -> Plan {
    let deleted = happenings.contains(&Happening::Deleted);
    let unseen = happenings.contains(&Happening::Unseen);
    let mut plan = Plan::nothing(if unseen && !deleted {
        Reason::IssueUnseen
    } else {
        Reason::IssueGone
    });
    if deleted {
        plan.links = links::end_all(&state.links);
    } else if unseen {
        plan.links = links::end_unseen(&state.links);
    } else {
        let ended = links::end_unread(state, happenings, &mut plan.outcome);
        plan.links = ended.into_iter().map(|now| now.link).collect();
        if !plan.links.is_empty() {
            plan.outcome.because(Reason::LinksFollowed);
        }
    }
    if deleted || !plan.links.is_empty() {
        plan.record = state.record.clone().map(|record| IssueRecord {
            deleted: record.deleted || deleted,
            // Should it ever come back, its sources are to be found again.
            scanned: record.scanned && !deleted && !unseen,
            links_version: record.links_version + i64::from(!plan.links.is_empty()),
            ..record
        });
    }
    plan
}

fn present(
    state: &IssueState,
    issue: &IssueSnapshot,
    settings: Option<&Settings>,
    happenings: &[Happening],
) -> Plan {
    let mut outcome = Outcome::default();
    let links = links::follow(state, issue, settings, happenings, &mut outcome);
    let live_set_changed = links.iter().any(|now| now.was_live != now.link.live);

    let mut telling = Telling {
        state,
        issue,
        effects: Vec::new(),
        facts: Vec::new(),
        outcome,
    };
    match settings {
        Some(settings) if settings.linking => telling.tell(settings, &links, happenings),
        _ => telling.silent(settings, &links),
    }
    let Telling {
        mut effects,
        facts,
        mut outcome,
        ..
    } = telling;

    let overlooks = links::overlooks(issue, settings, &links);
    let record = record(state, issue, live_set_changed, overlooks);
    if live_set_changed {
        effects.push(Effect {
            key: EffectKey::record(&state.site, &issue.id, record.links_version),
            connection: Connection::Site(state.site.clone()),
            site: state.site.clone(),
            issue: issue.id.clone(),
            act: Act::Record,
        });
        if effects.len() == 1 {
            outcome.because(Reason::LinksFollowed);
        }
    }
    if happenings.contains(&Happening::Deleted) {
        outcome.because(Reason::StillThere);
    }
    outcome.effects = effects.len();
    if effects.is_empty() && outcome.reasons.is_empty() {
        outcome.because(Reason::NothingChanged);
    }
    Plan {
        record: (state.record.as_ref() != Some(&record)).then_some(record),
        links: links
            .into_iter()
            .filter(|now| now.changed)
            .map(|now| now.link)
            .collect(),
        facts,
        effects,
        outcome,
    }
}

/// What is kept of the issue from now on.
fn record(
    state: &IssueState,
    issue: &IssueSnapshot,
    live_set_changed: bool,
    overlooks: bool,
) -> IssueRecord {
    let before = state.record.as_ref();
    // Another project may be joined to another workspace, which addresses read before may name.
    let scanned_for_this =
        before.is_some_and(|record| record.scanned && record.project == issue.project);
    IssueRecord {
        key: issue.key.clone(),
        project: issue.project.clone(),
        summary: issue.summary.clone(),
        status: Some(issue.status.name.clone()),
        scanned: !overlooks && (issue.comments_complete || scanned_for_this),
        deleted: false,
        links_version: before.map_or(0, |record| record.links_version)
            + i64::from(live_set_changed),
    }
}

/// Did it happen before the link was there? An issue is older than its comments, even where the
/// clock says the same of both.
fn is_before(happening: &Happening, at: Millis, link: &Link) -> bool {
    let by_comments = || {
        let mut sources = link.sources.iter();
        sources.all(|source| matches!(source.origin, Origin::Comment(_)))
    };
    let created = matches!(happening, Happening::Created { .. });
    at < link.since || created && at == link.since && by_comments()
}

/// Turns happenings into effects on the linked conversations.
struct Telling<'a> {
    state: &'a IssueState,
    issue: &'a IssueSnapshot,
    effects: Vec<Effect>,
    facts: Vec<FactKey>,
    outcome: Outcome,
}

impl Telling<'_> {
    /// The project is not bound, or linking is off: nothing is told, and that is said.
    fn silent(&mut self, settings: Option<&Settings>, links: &[LinkNow]) {
        let project = self.issue.project.to_string();
        let linked = links.iter().any(|now| now.link.live);
        self.outcome.because(match settings {
            Some(_) => Reason::LinkingOff { project },
            None if linked => Reason::KeptSilent { project },
            None => Reason::NotBound { project },
        });
    }

    fn tell(&mut self, settings: &Settings, links: &[LinkNow], happenings: &[Happening]) {
        // An issue that came from a project of another workspace has links that this project's
        // settings have no say in.
        let (ours, others): (Vec<&LinkNow>, Vec<&LinkNow>) = links
            .iter()
            .partition(|now| now.link.workspace == settings.workspace);
        if others.iter().any(|now| now.link.live) {
            let project = self.issue.project.to_string();
            self.outcome.because(Reason::KeptSilent { project });
        }
        for now in ours.iter().filter(|now| now.is_new()) {
            self.welcome(settings, now);
        }
        if !ours.iter().any(|now| now.link.live) {
            if !links.iter().any(|now| now.was_live) {
                self.outcome.because(Reason::NotLinked);
            }
            return;
        }
        for happening in happenings {
            self.happening(settings, &ours, happening);
        }
    }

    /// A conversation was linked just now: the note that names the issue.
    fn welcome(&mut self, settings: &Settings, now: &LinkNow) {
        if now.was_unseen {
            self.outcome.because(Reason::SeenAgain);
            return;
        }
        let Some(cause) = &now.cause else { return };
        if self.issue.confidential {
            self.outcome.because(Reason::SecurityLevel);
            return;
        }
        if cause.is_taken_over(settings) {
            self.outcome.because(Reason::TakenOver);
            return;
        }
        if settings.muted {
            self.outcome.because(rules::muted(settings));
            return;
        }
        // Named by the fact that made the link, so that the fact's own event, which may come
        // later, makes no second note; unless that one has more to say.
        let fact = match (&cause.fact, &cause.text) {
            (Some(fact), CommentText::None | CommentText::Told(_)) => fact.clone(),
            _ => FactKey::linked(now.link.generation),
        };
        let key = self.key("note", &now.link, &fact);
        let html = notes::linked(settings, self.issue, cause, &key.marker());
        // That a conversation is linked shows at once.
        self.push(key, note(settings, &now.link, html, None));
    }

    fn happening(&mut self, settings: &Settings, links: &[&LinkNow], happening: &Happening) {
        let Some(fact) = happening.fact() else { return };
        // What others were told of already is news to a conversation whose link was found late.
        let told = self.state.known.contains(&fact);
        if self.facts.contains(&fact) || told && !links.iter().any(|now| now.is_new()) {
            self.outcome.because(Reason::AlreadyHandled);
            return;
        }
        let (trigger, at) = match rules::decide(settings, self.issue, happening) {
            Ok(decision) => decision,
            Err(reason) => {
                // A reason is remembered too: a rule that is changed later speaks of what happens
                // from then on, and the reconciler sees this fact again.
                self.facts.push(fact);
                self.outcome.because(reason);
                return;
            }
        };
        for now in links.iter().filter(|now| now.link.live) {
            if told && (!now.is_new() || at.is_none()) {
                self.outcome.because(Reason::AlreadyHandled);
            } else if let Some(cause) = now.cause_if(happening) {
                // The welcome told it, or had a reason not to.
                if !cause.is_taken_over(settings) {
                    self.reopen(settings, trigger, &now.link, &fact);
                }
            } else if at.is_some_and(|at| is_before(happening, at, &now.link)) {
                self.outcome.because(Reason::BeforeLink);
            } else {
                self.inform(settings, trigger, &now.link, &fact, happening);
            }
        }
        self.facts.push(fact);
    }

    /// The note about a fact, and the re-opening after it.
    fn inform(
        &mut self,
        settings: &Settings,
        trigger: Trigger,
        link: &Link,
        fact: &FactKey,
        happening: &Happening,
    ) {
        if trigger.note {
            let key = self.key("note", link, fact);
            if let Some(html) = notes::happened(settings, self.issue, happening, &key.marker()) {
                self.push(key, note(settings, link, html, settings.gather_until));
            }
        }
        self.reopen(settings, trigger, link, fact);
    }

    fn reopen(&mut self, settings: &Settings, trigger: Trigger, link: &Link, fact: &FactKey) {
        if !trigger.reopen {
            return;
        }
        let key = self.key("reopen", link, fact);
        self.push(
            key,
            (
                link,
                Act::Reopen {
                    workspace: link.workspace.clone(),
                    conversation: link.conversation.clone(),
                    unassign: settings.unassign_on_open,
                },
            ),
        );
    }

    fn key(&self, kind: &str, link: &Link, fact: &FactKey) -> EffectKey {
        EffectKey::conversation(
            kind,
            (&link.workspace, &link.conversation),
            (&self.state.site, &self.issue.id),
            fact,
        )
    }

    fn push(&mut self, key: EffectKey, (link, act): (&Link, Act)) {
        self.effects.push(Effect {
            key,
            connection: Connection::Workspace(link.workspace.clone()),
            site: self.state.site.clone(),
            issue: self.issue.id.clone(),
            act,
        });
    }
}

fn note<'l>(
    settings: &Settings,
    link: &'l Link,
    html: String,
    due_at: Option<Millis>,
) -> (&'l Link, Act) {
    let act = Act::Note {
        workspace: link.workspace.clone(),
        conversation: link.conversation.clone(),
        audience: Audience::Internal,
        html,
        wake_snoozed: settings.wake_snoozed,
        due_at,
    };
    (link, act)
}
