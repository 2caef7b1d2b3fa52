//! What Jira names by ids only: the categories of statuses, and people who are mentioned.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::PoisonError;

use bowline_domain::happening::{Change, Happening};
use bowline_domain::observation::{StatusCategory, StatusRef};

use super::Trouble;
use super::from_jira::status;
use super::observe::Reader;

/// People mentioned in one comment that are looked up at most.
const MENTIONS_MAX: usize = 20;

/// Names that are kept at most.
const NAMES_MAX: usize = 10_000;

impl Reader<'_> {
    /// The category of a status by its id, if the site has such a status.
    pub(crate) async fn category(&self, id: &str) -> Result<Option<StatusCategory>, Trouble> {
        let known = || {
            let known = self.site.categories.lock();
            let known = known.unwrap_or_else(PoisonError::into_inner);
            known.get(id).copied()
        };
        if let Some(category) = known() {
            return Ok(Some(category));
        }
        self.learn_categories().await?;
        Ok(known())
    }

    async fn learn_categories(&self) -> Result<(), Trouble> {
        let read = self.call(self.site.client.statuses()).await;
        let read = read.map_err(|error| self.trouble(error))?;
        let known = self.site.categories.lock();
        known.unwrap_or_else(PoisonError::into_inner).extend(
            read.iter()
                .map(status)
                .map(|status| (status.id, status.category)),
        );
        Ok(())
    }

    /// Fills in the categories of statuses where a rule asks for them: a history entry has ids and
    /// names only.
    pub(crate) async fn name_categories(
        &self,
        happenings: &mut [Happening],
    ) -> Result<(), Trouble> {
        if !self.shared.registry().rules_by_category(self.name()) {
            return Ok(());
        }
        let missing = |known: &HashMap<String, StatusCategory>, happenings: &[Happening]| {
            statuses_in(happenings).any(|status| {
                status.category == StatusCategory::Unknown && !known.contains_key(&status.id)
            })
        };
        let known = || {
            let known = self.site.categories.lock();
            known.unwrap_or_else(PoisonError::into_inner).clone()
        };
        if missing(&known(), happenings) {
            self.learn_categories().await?;
        }
        let known = known();
        for happening in happenings {
            let Happening::Changed(Change {
                moved: Some((from, to)),
                ..
            }) = happening
            else {
                continue;
            };
            for status in [from, to] {
                if let Some(category) = known.get(&status.id) {
                    status.category = *category;
                }
            }
        }
        Ok(())
    }

    /// Wiki text mentions people by id. Who cannot be looked up keeps it.
    pub(crate) async fn name_mentions(&self, body: &mut bowline_text::Doc) {
        let unnamed = RefCell::new(Vec::new());
        body.name_mentions(|id| {
            unnamed.borrow_mut().push(id.to_owned());
            None
        });
        for id in unnamed.into_inner().into_iter().take(MENTIONS_MAX) {
            if self.names(|names| names.contains_key(&id)) {
                continue;
            }
            match self.call(self.site.client.user(&id)).await {
                Ok(person) => self.names(|names| {
                    if names.len() >= NAMES_MAX {
                        names.clear();
                    }
                    names.insert(id, person.name);
                }),
                Err(error) => tracing::debug!(%error, "someone mentioned could not be looked up"),
            }
        }
        self.names(|names| body.name_mentions(|id| names.get(id).cloned()));
    }

    fn names<T>(&self, work: impl FnOnce(&mut HashMap<String, String>) -> T) -> T {
        work(
            &mut self
                .site
                .names
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

fn statuses_in(happenings: &[Happening]) -> impl Iterator<Item = &StatusRef> {
    happenings.iter().flat_map(|happening| match happening {
        Happening::Changed(Change {
            moved: Some((from, to)),
            ..
        }) => vec![from, to],
        _ => Vec::new(),
    })
}
