//! Bringing the tally of an issue in step: the label and the number field by which Jira knows how
//! many conversations are linked.
//!
//! The issue is read, and only what differs from what holds now is written, labels one by one and
//! never as a whole list; so an attempt whose outcome is unknown is made again by looking, and what
//! others change meanwhile stays. What is put on an issue is noted before the bytes leave, so that
//! it is found and taken off later, whenever the process dies.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bowline_domain::ids::{IssueId, ProjectKey, SiteName};
use bowline_domain::tally::{PutOn, Said, TallyEdit, TallySettings, edit, wanted};
use bowline_jira::{FigureEdit, IssueRead};
use bowline_net::{ApiError, ErrorKind};
use bowline_store::model::Ending;
use bowline_store::tally::Tally;

use super::{Courier, MENDING_WAIT_MS, Stop};
use crate::planner::Reader;
use crate::registry::Site;

/// What is said where Jira would not let Bowline be quiet.
const TOLD_BY_MAIL: &str = "Jira mails the watchers of an issue about this change, as about every \
    other: Bowline's account does not administer the project, so it may not leave the mail out.";

/// Brings the tally in step.
pub(super) async fn tally(courier: &Courier<'_>) -> Result<Ending, Stop> {
    let effect = courier.effect();
    let registry = courier.shared.registry();
    let Some(site) = registry.sites.get(&effect.site) else {
        let reason = format!("The site “{}” is not configured any more.", effect.site);
        return Err(Stop(courier.later(MENDING_WAIT_MS, false, reason)));
    };
    if !site.standing.works() {
        let reason = site.standing.known().reason.unwrap_or_default();
        return Err(Stop(courier.later(0, false, reason)));
    }
    let keeper = Keeper {
        courier,
        site: Arc::clone(site),
        of: (&effect.site, &effect.issue),
    };
    keeper.bring_in_step().await
}

struct Keeper<'k> {
    courier: &'k Courier<'k>,
    site: Arc<Site>,
    of: (&'k SiteName, &'k IssueId),
}

impl Keeper<'_> {
    async fn bring_in_step(&self) -> Result<Ending, Stop> {
        let (courier, (site, issue)) = (self.courier, self.of);
        let store = &courier.shared.store;
        let failed = |error| courier.store_failed(&error);
        let lane = courier.effect().lane();
        let later = store.later_effect_waits(&lane, courier.taken.id).await;
        if later.map_err(failed)? {
            let detail = "More was linked or unlinked meanwhile: the next one writes all of it.";
            return Ok(done(Some(detail.to_owned())));
        }
        let settings = self.settings().await?;
        let links = store.live_links(site, issue).await.map_err(failed)?;
        let before = store.tally(site, issue).await.map_err(failed)?;
        if !settings.is_on() && before.put_on.is_empty() {
            self.note(&before, PutOn::default(), None).await?;
            return Ok(done(Some(
                "Nothing is kept in step in this project.".to_owned(),
            )));
        }
        let said = match self.read(&settings, &before.put_on).await {
            Ok(said) => said,
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => {
                self.note(&before, PutOn::default(), None).await?;
                let reason = "Jira does not show the issue any more.".to_owned();
                return Ok(Ending::Dropped { reason });
            }
            Err(error) => return Err(self.failed(&error).await),
        };
        let goal = wanted(&settings, links.len(), &before.put_on, &said);
        let change = edit(&settings, links.len(), &before.put_on, &said);
        if change.is_empty() {
            self.note(&before, goal, None).await?;
            return Ok(done(Some("It was in step already.".to_owned())));
        }
        courier.tally_breaker(site, issue)?;
        let possible = match self.editable().await {
            Ok(editable) => change.within(&editable),
            Err(error) => return Err(self.failed(&error).await),
        };
        let missing = missing(&change, &possible);
        let mut detail = None;
        if !possible.is_empty() {
            // Before the bytes leave: whatever comes, what may be there is known.
            self.note(&before, before.put_on.and(&goal), before.trouble.clone())
                .await?;
            match self.write(&possible).await {
                Ok(told) => detail = told,
                Err(error) if refused(&error) => {
                    let reason = refusal(&error);
                    let may_be = before.put_on.and(&goal);
                    self.note(&before, may_be, Some(reason.clone())).await?;
                    return Ok(Ending::Rejected { reason });
                }
                Err(error) => return Err(self.failed(&error).await),
            }
        }
        if let Some(reason) = missing {
            self.note(&before, before.put_on.and(&goal), Some(reason.clone()))
                .await?;
            return Ok(Ending::Rejected { reason });
        }
        self.note(&before, goal, None).await?;
        Ok(done(detail))
    }

    /// What the issue's present project wants.
    async fn settings(&self) -> Result<TallySettings, Stop> {
        let (courier, (site, issue)) = (self.courier, self.of);
        let label = courier.shared.store.issue_label(site, issue).await;
        let label = label.map_err(|error| courier.store_failed(&error))?;
        let project = match label {
            Some(label) if label.deleted => return Ok(TallySettings::default()),
            Some(label) => label.project,
            // Somebody put the label on an issue that Bowline never looked at.
            None => {
                let read = self.site.client.issue(issue.as_str(), IssueRead::default());
                match courier.call(&self.site.standing, read).await {
                    Ok(found) => ProjectKey::new(found.project.key),
                    Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Gone) => {
                        return Ok(TallySettings::default());
                    }
                    Err(error) => return Err(self.failed(&error).await),
                }
            }
        };
        let reader = Reader {
            shared: courier.shared,
            site: Arc::clone(&self.site),
            since_taken: None,
        };
        let Ok(project) = reader.bound_project(&project).await else {
            let reason = "Jira did not say which project the issue is in.".to_owned();
            return Err(Stop(courier.later(super::LOOK_AFTER_MS, false, reason)));
        };
        let registry = courier.shared.registry();
        let binding = project.and_then(|project| registry.binding(site, &project).cloned());
        Ok(binding.map(|binding| binding.tally).unwrap_or_default())
    }

    async fn read(&self, settings: &TallySettings, put_on: &PutOn) -> Result<Said, ApiError> {
        let mut fields = put_on.fields.clone();
        fields.extend(settings.number_field.clone());
        let call = self.site.client.figures(self.of.1.as_str(), &fields);
        let read = self.courier.call(&self.site.standing, call).await?;
        Ok(Said {
            labels: read.labels,
            numbers: read.numbers,
        })
    }

    async fn editable(&self) -> Result<std::collections::BTreeSet<String>, ApiError> {
        let call = self.site.client.editable_fields(self.of.1.as_str());
        self.courier.call(&self.site.standing, call).await
    }

    /// Writes the change, without mail to the watchers where the account may leave it out. Answers
    /// what is to be said about that.
    async fn write(&self, change: &TallyEdit) -> Result<Option<String>, ApiError> {
        let (client, standing) = (&self.site.client, &self.site.standing);
        let issue = self.of.1.as_str();
        let change = FigureEdit {
            add: change.add.clone(),
            remove: change.remove.clone(),
            set: change.set.clone(),
        };
        if !self.site.loud.load(Ordering::Relaxed) {
            let quiet = client.edit_figures(issue, &change, true);
            match self.courier.call(standing, quiet).await {
                Ok(()) => return Ok(None),
                // Jira refuses the whole edit for it. Was it something else, it says so again.
                Err(error) if refused(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let loud = client.edit_figures(issue, &change, false);
        self.courier.call(standing, loud).await?;
        self.site.loud.store(true, Ordering::Relaxed);
        Ok(Some(TOLD_BY_MAIL.to_owned()))
    }

    /// Keeps what may be on the issue. One that could not be brought in step and now is has the
    /// others of its project tried again.
    async fn note(
        &self,
        before: &Tally,
        put_on: PutOn,
        trouble: Option<String>,
    ) -> Result<(), Stop> {
        let (courier, (site, issue)) = (self.courier, self.of);
        let now = Tally { put_on, trouble };
        if now == *before && now.trouble.is_none() {
            return Ok(());
        }
        let mended = before.trouble.is_some() && now.trouble.is_none();
        let place = (site.clone(), issue.clone());
        let (store, at) = (&courier.shared.store, courier.now());
        let kept = store.put_tally(place, now, at).await;
        kept.map_err(|error| courier.store_failed(&error))?;
        if mended {
            courier.shared.tallies.notify_one();
        }
        Ok(())
    }

    async fn failed(&self, error: &ApiError) -> Stop {
        // Looking comes first whatever happened, so nothing is ever doubtful.
        let stop = self
            .courier
            .remote_failed(&self.site.standing, error, false)
            .await;
        Stop(match stop.0 {
            Ending::Later { due_at, reason, .. } => Ending::Later {
                due_at,
                reason,
                doubtful: false,
            },
            other => other,
        })
    }
}

fn done(detail: Option<String>) -> Ending {
    Ending::Confirmed {
        remote_id: None,
        detail,
    }
}

/// Did Jira refuse what was asked, and would again?
fn refused(error: &ApiError) -> bool {
    matches!(
        error.kind,
        ErrorKind::Data | ErrorKind::Permission | ErrorKind::Config
    )
}

fn refusal(error: &ApiError) -> String {
    format!(
        "Jira refused to change the label or the number field of an issue: {}. A Jira administrator \
         gives Bowline's account the permission to edit issues, or chooses another label or field in \
         the project's settings here.",
        error.message
    )
}

/// What cannot be set, in words; without the issue, so that the same cause is one problem.
fn missing(change: &TallyEdit, possible: &TallyEdit) -> Option<String> {
    let possible = possible.fields();
    let mut missing: Vec<String> = Vec::new();
    for field in change
        .fields()
        .into_iter()
        .filter(|one| !possible.contains(one))
    {
        missing.push(match field {
            "labels" => "the labels".to_owned(),
            field => format!("the number field {field}"),
        });
    }
    if missing.is_empty() {
        return None;
    }
    Some(format!(
        "Jira does not let Bowline set {} of an issue: the field is not on the edit screen of the \
         project, or Bowline's account may not edit issues there. A Jira administrator puts the \
         field on the screen, or gives the account the permission to edit issues.",
        missing.join(" and ")
    ))
}
