//! What a binding's notes look like, made by what makes the real ones.

use std::collections::BTreeSet;

use bowline_domain::effect::Act;
use bowline_domain::happening::{Change, Happening};
use bowline_domain::ids::{CommentId, ConversationId, IssueId, IssueKey};
use bowline_domain::link::{Link, Origin, Source};
use bowline_domain::observation::{
    CommentSnapshot, CommentView, CommentVisibility, IssueSnapshot, Observation, Person,
    StatusCategory, StatusRef,
};
use bowline_domain::plan::plan;
use bowline_domain::settings::Settings;
use bowline_domain::state::{IssueRecord, IssueState};
use bowline_domain::time::Millis;
use bowline_engine::BindingConfig;
use bowline_text::{Doc, Inline, Marks};

/// What one thing that happens leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// What happens.
    pub what: String,
    /// The note's HTML, if there is one.
    pub note: Option<String>,
    /// Is a closed conversation re-opened?
    pub reopened: bool,
    /// Why nothing is done.
    pub silent: Option<String>,
}

/// When the example's link was made; what happens after it is told.
const LINKED: Millis = Millis(1_000);

/// When the examples happen.
const NOW: Millis = Millis(2_000);

/// What would be done about the usual things, with these rules, in a project of this site.
pub fn examples(binding: &BindingConfig, site_url: &str) -> Vec<Example> {
    let settings = Settings {
        site: binding.site.clone(),
        site_url: site_url.trim_end_matches('/').to_owned(),
        project: binding.project.clone(),
        workspace: binding.workspace.clone(),
        workspace_code: None,
        linking: binding.linking,
        active_since: Millis(0),
        notify: binding.notify.clone(),
        transitions: binding.transitions.clone(),
        unassign_on_open: binding.unassign_on_open,
        wake_snoozed: binding.wake_snoozed,
        muted: binding.muted,
        contents: binding.contents,
        gather_until: None,
    };
    let to = settings.transitions.first().map(|rule| &rule.to);
    let done = to.and_then(named).unwrap_or_else(|| "Done".to_owned());
    let lena = person("Lena Fischer");
    let happenings = [
        (
            "Priya Raman creates the issue".to_owned(),
            Happening::Created {
                actor: Some(person("Priya Raman")),
            },
        ),
        (
            "Lena Fischer is assigned".to_owned(),
            change("1", &lena, Some("Lena Fischer"), None),
        ),
        (
            "Lena Fischer comments".to_owned(),
            Happening::Commented(CommentId::new("20")),
        ),
        (
            format!("It moves from To Do to {done}"),
            change("2", &lena, None, Some((status("To Do"), status(&done)))),
        ),
    ];
    let mut examples: Vec<Example> = happenings
        .into_iter()
        .map(|(what, happening)| example(&settings, what, happening))
        .collect();
    if binding.coalesce_seconds > 0 {
        examples.extend(together(&examples[1..], binding.coalesce_seconds));
    }
    examples
}

/// The notes of several changes that come within the window, as they go out.
fn together(examples: &[Example], seconds: u32) -> Option<Example> {
    let notes: Vec<&str> = examples
        .iter()
        .filter_map(|example| example.note.as_deref())
        .collect();
    (notes.len() > 1).then(|| Example {
        what: format!("All that within {seconds} seconds"),
        note: Some(notes.concat()),
        reopened: examples.iter().any(|example| example.reopened),
        silent: None,
    })
}

/// The name of a status that a rule names.
fn named(rule: &bowline_domain::settings::StatusMatch) -> Option<String> {
    match rule {
        bowline_domain::settings::StatusMatch::NameOrId(name) => Some(name.clone()),
        _ => None,
    }
}

fn person(name: &str) -> Person {
    Person {
        id: name.to_lowercase(),
        name: name.to_owned(),
    }
}

fn status(name: &str) -> StatusRef {
    StatusRef {
        id: name.to_lowercase(),
        name: name.to_owned(),
        category: match name {
            "To Do" => StatusCategory::New,
            _ => StatusCategory::Done,
        },
    }
}

fn change(
    id: &str,
    actor: &Person,
    assigned: Option<&str>,
    moved: Option<(StatusRef, StatusRef)>,
) -> Happening {
    Happening::Changed(Change {
        id: id.to_owned(),
        at: NOW,
        actor: Some(actor.clone()),
        assigned: assigned.map(|name| Some(name.to_owned())),
        moved,
        described: None,
        transferred: false,
    })
}

fn example(settings: &Settings, what: String, happening: Happening) -> Example {
    let issue = issue(settings);
    let state = IssueState {
        site: settings.site.clone(),
        issue: issue.id.clone(),
        record: Some(IssueRecord {
            key: issue.key.clone(),
            project: issue.project.clone(),
            summary: issue.summary.clone(),
            status: Some(issue.status.name.clone()),
            scanned: true,
            deleted: false,
            links_version: 1,
        }),
        links: vec![Link {
            workspace: settings.workspace.clone(),
            conversation: ConversationId::new("1"),
            sources: vec![Source {
                origin: Origin::Command,
                since: LINKED,
                overruled: false,
                hand: None,
            }],
            live: true,
            since: LINKED,
            generation: 1,
            ended: None,
            ended_at: None,
        }],
        known: BTreeSet::new(),
    };
    let seen = Observation::Present(Box::new(issue));
    let plan = plan(&state, &seen, Some(settings), &[happening]);
    let note = plan.effects.iter().find_map(|effect| match &effect.act {
        Act::Note { html, .. } => Some(html.clone()),
        _ => None,
    });
    let reopened = plan
        .effects
        .iter()
        .any(|effect| matches!(effect.act, Act::Reopen { .. }));
    let silent = (note.is_none() && !reopened).then(|| {
        let reasons = plan.outcome.reasons.iter().map(ToString::to_string);
        reasons.collect::<Vec<_>>().join("; ")
    });
    Example {
        what,
        note,
        reopened,
        silent,
    }
}

fn issue(settings: &Settings) -> IssueSnapshot {
    let marker = match &settings.notify.filter {
        bowline_domain::settings::CommentFilter::Marker(text) => format!(" {text}"),
        _ => String::new(),
    };
    let text = |text: String, strong| Inline::Text {
        text,
        marks: Marks {
            strong,
            ..Marks::default()
        },
    };
    IssueSnapshot {
        id: IssueId::new("10001"),
        key: IssueKey::new(format!("{}-17", settings.project)),
        project: settings.project.clone(),
        summary: "Export button does nothing".to_owned(),
        status: status("Done"),
        confidential: false,
        creator: Some(person("Priya Raman")),
        created_at: NOW,
        updated_at: NOW,
        described: Vec::new(),
        comments: vec![CommentView::Present(CommentSnapshot {
            id: CommentId::new("20"),
            author: person("Lena Fischer"),
            editor: None,
            created_at: NOW,
            updated_at: NOW,
            body: Doc::paragraph(vec![
                text("I can ".to_owned(), false),
                text("reproduce".to_owned(), true),
                text(
                    format!(" it with the file from the customer.{marker}"),
                    false,
                ),
            ]),
            visibility: CommentVisibility::Public,
        })],
        comments_complete: true,
        recorded: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use bowline_domain::ids::{ProjectKey, SiteName};
    use bowline_domain::settings::{StatusMatch, TransitionRule, Trigger};

    use super::*;
    use crate::merge::binding;
    use crate::stored::StoredBinding;

    fn shown(change: impl FnOnce(&mut StoredBinding)) -> Vec<Example> {
        let mut stored = StoredBinding::default();
        change(&mut stored);
        let config = binding(&SiteName::new("jira"), &ProjectKey::new("ENG"), &stored);
        examples(&config, "https://jira.example.com/")
    }

    #[test]
    fn with_the_usual_settings_all_four_are_told_and_a_move_re_opens() {
        let all = shown(|_| ());
        assert!(all.iter().all(|one| one.note.is_some()), "{all:#?}");
        let reopened: Vec<bool> = all.iter().map(|one| one.reopened).collect();
        assert_eq!(reopened, [false, false, false, true]);
        let comment = all[2].note.as_deref().unwrap();
        assert!(comment.contains("<b>reproduce</b>"), "{comment}");
        assert!(
            comment.contains("https://jira.example.com/browse/ENG-17#"),
            "{comment}"
        );
    }

    #[test]
    fn what_is_off_says_why_nothing_comes() {
        for one in shown(|stored| stored.muted = true) {
            assert!(one.silent.unwrap().contains("muted"));
        }
        let all = shown(|stored| {
            stored.notify.assigned = Trigger::default();
            stored.contents.comment = false;
            stored.notify.filter =
                bowline_domain::settings::CommentFilter::Marker("#tell".to_owned());
        });
        assert!(all[1].silent.is_some());
        assert!(!all[2].note.as_deref().unwrap().contains("reproduce"));
    }

    #[test]
    fn a_rule_for_one_transition_is_shown() {
        let all = shown(|stored| {
            stored.notify.transitioned = Trigger::default();
            stored.transitions = vec![TransitionRule {
                from: StatusMatch::Any,
                to: StatusMatch::NameOrId("Released".to_owned()),
                then: Trigger {
                    note: true,
                    reopen: true,
                },
            }];
        });
        assert!(
            all[3].what.contains("Released") && all[3].reopened,
            "{all:#?}"
        );
    }
}
