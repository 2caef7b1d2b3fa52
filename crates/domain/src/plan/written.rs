//! What a person writes by hand into linked conversations: internal notes, and answers to customers.
//!
//! Nothing is taken from Jira for it but the issue's key, so it is planned without reading there,
//! and nothing of an issue that not everyone may see goes along.

use bowline_text::{Doc, Inline, html};
use serde::{Deserialize, Serialize};

use crate::audience::Audience;
use crate::connection::Connection;
use crate::effect::{Act, Effect, EffectKey, Marker};
use crate::fact::FactKey;
use crate::ids::{ConversationId, EventId, WorkspaceName};
use crate::link::{Link, LinkEnd};
use crate::outcome::{Outcome, Reason};
use crate::state::IssueState;

use super::Plan;

/// The longest text that a person may write at once, in characters. Intercom states no limit; what
/// people type by hand is far below.
pub const TEXT_CHARS_MAX: usize = 5_000;

/// What a person wrote, and into which conversations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Written {
    /// An internal note.
    Note {
        /// What the writing is called: the same writing sent twice has the same name.
        name: String,
        /// Who wrote it, as teammates read it.
        by: String,
        /// The text.
        text: String,
        /// Into these conversations; `None`: into all that are linked.
        to: Option<Vec<Place>>,
    },
    /// An answer that the customer reads.
    Reply {
        /// What the writing is called.
        name: String,
        /// The text.
        text: String,
        /// Into this conversation.
        to: Place,
    },
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its workspace.
    pub workspace: WorkspaceName,
    /// Its id.
    pub conversation: ConversationId,
}

impl Place {
    fn is_of(&self, link: &Link) -> bool {
        (&self.workspace, &self.conversation) == (&link.workspace, &link.conversation)
    }
}

impl Written {
    /// The fact that it was written.
    pub fn fact(&self) -> FactKey {
        match self {
            Self::Note { name, .. } | Self::Reply { name, .. } => FactKey::by_hand(name),
        }
    }

    /// Who can read it.
    pub fn audience(&self) -> Audience {
        match self {
            Self::Note { .. } => Audience::Internal,
            Self::Reply { .. } => Audience::Customer,
        }
    }

    fn reaches(&self, link: &Link) -> bool {
        match self {
            Self::Note { to: None, .. } => true,
            Self::Note { to: Some(to), .. } => to.iter().any(|place| place.is_of(link)),
            Self::Reply { to, .. } => to.is_of(link),
        }
    }
}

/// Plans what a person wrote: one effect for each conversation that is linked now. `site_url` is
/// where people open the site, without a final slash; `wake_snoozed`: may a note wake a
/// conversation?
pub fn written(state: &IssueState, site_url: &str, wake_snoozed: bool, written: &Written) -> Plan {
    let fact = written.fact();
    if state.known.contains(&fact) {
        return Plan::nothing(Reason::AlreadyHandled);
    }
    let live = state.links.iter().filter(|link| link.live);
    let reached: Vec<&Link> = live.filter(|link| written.reaches(link)).collect();
    if reached.is_empty() {
        return Plan::nothing(Reason::NotLinked);
    }
    let effects = reached.into_iter().map(|link| {
        let at = Place {
            workspace: link.workspace.clone(),
            conversation: link.conversation.clone(),
        };
        let key = key(kind(written), &at, state, &fact);
        let act = act(state, site_url, wake_snoozed, written, at, &key.marker());
        effect(state, key, act)
    });
    let effects: Vec<Effect> = effects.collect();
    Plan {
        outcome: Outcome {
            effects: effects.len(),
            reasons: Vec::new(),
        },
        effects,
        facts: vec![fact],
        ..Plan::nothing(Reason::NothingAsked)
    }
}

/// Plans that an answer that was held is sent once more, because a person says so; each asking
/// counts once. The conversation may have been merged meanwhile: then it goes where that went on.
pub fn sent_again(state: &IssueState, held: &Effect, asked: EventId) -> Plan {
    let Act::Reply {
        workspace,
        conversation,
        audience,
        html,
    } = &held.act
    else {
        return Plan::nothing(Reason::NotSentAgain);
    };
    let find = |conversation: &ConversationId| {
        let mut links = state.links.iter();
        links.find(|link| (&link.workspace, &link.conversation) == (workspace, conversation))
    };
    let link = match find(conversation).map(|link| (link, &link.ended)) {
        Some((link, _)) if link.live => Some(link),
        Some((_, Some(LinkEnd::Merged(into)))) => find(into).filter(|link| link.live),
        _ => None,
    };
    let Some(link) = link else {
        return Plan::nothing(Reason::NotLinked);
    };
    if html.is_empty() {
        return Plan::nothing(Reason::NothingToSend);
    }
    let at = Place {
        workspace: workspace.clone(),
        conversation: link.conversation.clone(),
    };
    let fact = FactKey::by_hand(&format!("again.{asked}"));
    let key = key("reply", &at, state, &fact);
    let act = Act::Reply {
        workspace: at.workspace,
        conversation: at.conversation,
        audience: *audience,
        html: html.clone(),
    };
    Plan {
        effects: vec![effect(state, key, act)],
        facts: vec![fact],
        outcome: Outcome {
            effects: 1,
            reasons: Vec::new(),
        },
        ..Plan::nothing(Reason::NothingAsked)
    }
}

fn kind(written: &Written) -> &'static str {
    match written {
        Written::Note { .. } => "note",
        Written::Reply { .. } => "reply",
    }
}

fn key(kind: &str, at: &Place, state: &IssueState, fact: &FactKey) -> EffectKey {
    let at = (&at.workspace, &at.conversation);
    EffectKey::conversation(kind, at, (&state.site, &state.issue), fact)
}

fn effect(state: &IssueState, key: EffectKey, act: Act) -> Effect {
    let workspace = act.conversation().map(|(workspace, _)| workspace.clone());
    let connection = workspace.map_or_else(
        || Connection::Site(state.site.clone()),
        Connection::Workspace,
    );
    Effect {
        key,
        connection,
        site: state.site.clone(),
        issue: state.issue.clone(),
        act,
    }
}

fn act(
    state: &IssueState,
    site_url: &str,
    wake_snoozed: bool,
    written: &Written,
    at: Place,
    marker: &Marker,
) -> Act {
    let audience = written.audience();
    match written {
        Written::Note { by, text, .. } => Act::Note {
            workspace: at.workspace,
            conversation: at.conversation,
            audience,
            html: note_html(state, site_url, by, text, marker),
            wake_snoozed,
            due_at: None,
        },
        Written::Reply { text, .. } => Act::Reply {
            workspace: at.workspace,
            conversation: at.conversation,
            audience,
            html: html::write(&paragraphs(text)),
        },
    }
}

/// Who wrote, what, and the issue as a link whose fragment is the marker. The summary is left out:
/// whether everyone may see the issue is not asked for this.
fn note_html(state: &IssueState, site_url: &str, by: &str, text: &str, marker: &Marker) -> String {
    let key = state
        .record
        .as_ref()
        .map_or_else(|| state.issue.to_string(), |record| record.key.to_string());
    let href = format!("{site_url}/browse/{key}#{}", marker.as_str());
    let head = Doc::paragraph(vec![Inline::strong(by), Inline::text(" wrote")]);
    let tail = Doc::paragraph(vec![
        Inline::text("on "),
        Inline::Link {
            href,
            content: vec![Inline::strong(key)],
        },
    ]);
    let body = html::write(&paragraphs(text));
    format!("{}{body}{}", html::write(&head), html::write(&tail))
}

/// A text as people type it: a blank line parts paragraphs, any other ends a line.
fn paragraphs(text: &str) -> Doc {
    let text: String = text.trim().chars().take(TEXT_CHARS_MAX).collect();
    let mut doc = Doc::default();
    let mut lines: Vec<Inline> = Vec::new();
    for line in text.lines().map(str::trim_end).chain([""]) {
        if line.is_empty() {
            if !lines.is_empty() {
                let paragraph = Doc::paragraph(std::mem::take(&mut lines));
                doc.blocks.extend(paragraph.blocks);
            }
            continue;
        }
        if !lines.is_empty() {
            lines.push(Inline::Break);
        }
        lines.push(Inline::text(line));
    }
    doc
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{IssueId, IssueKey, ProjectKey, SiteName};
    use crate::state::IssueRecord;
    use crate::time::Millis;

    fn link(conversation: &str, ended: Option<LinkEnd>) -> Link {
        Link {
            workspace: WorkspaceName::new("acme"),
            conversation: ConversationId::new(conversation),
            sources: Vec::new(),
            live: ended.is_none(),
            since: Millis(0),
            generation: 1,
            ended,
            ended_at: None,
        }
    }

    fn state(links: Vec<Link>) -> IssueState {
        IssueState {
            record: Some(IssueRecord {
                key: IssueKey::new("ENG-1"),
                project: ProjectKey::new("ENG"),
                summary: "Not for everyone".to_owned(),
                status: None,
                scanned: true,
                deleted: false,
                links_version: 1,
            }),
            links,
            ..IssueState::unseen(SiteName::new("jira"), IssueId::new("10001"))
        }
    }

    fn place(conversation: &str) -> Place {
        Place {
            workspace: WorkspaceName::new("acme"),
            conversation: ConversationId::new(conversation),
        }
    }

    fn note(to: Option<Vec<Place>>) -> Written {
        Written::Note {
            name: "7".to_owned(),
            by: "Lena <x>".to_owned(),
            text: "First line\nsecond\n\nA & B".to_owned(),
            to,
        }
    }

    fn reply(to: &str) -> Written {
        Written::Reply {
            name: "8".to_owned(),
            text: "It works now.".to_owned(),
            to: place(to),
        }
    }

    fn conversations(plan: &Plan) -> Vec<&str> {
        let acts = plan.effects.iter().map(|effect| &effect.act);
        acts.filter_map(|act| act.conversation())
            .map(|(_, conversation)| conversation.as_str())
            .collect()
    }

    #[test]
    fn a_note_goes_to_those_that_are_meant_and_linked() {
        let three = state(vec![
            link("1", None),
            link("2", Some(LinkEnd::ByHand)),
            link("3", None),
        ]);
        let plan = |to| written(&three, "https://jira.example.com", false, &note(to));
        assert_eq!(conversations(&plan(None)), ["1", "3"]);
        assert_eq!(
            conversations(&plan(Some(vec![place("3"), place("4")]))),
            ["3"]
        );
        let none = plan(Some(vec![place("2")]));
        assert_eq!(none.outcome, Outcome::nothing(Reason::NotLinked));
        assert!(none.facts.is_empty());
    }

    #[test]
    fn a_note_holds_its_marker_and_nothing_of_the_issue_but_its_key() {
        let plan = written(
            &state(vec![link("1", None)]),
            "https://jira.example.com",
            true,
            &note(None),
        );
        let Act::Note {
            audience,
            html,
            wake_snoozed: true,
            ..
        } = &plan.effects[0].act
        else {
            panic!("{plan:?}");
        };
        assert_eq!(*audience, Audience::Internal);
        let marker = plan.effects[0].key.marker();
        let wanted = format!(
            "<p><b>Lena &lt;x&gt;</b> wrote</p><p>First line<br>second</p><p>A &amp; B</p><p>on \
             <a href=\"https://jira.example.com/browse/ENG-1#{}\"><b>ENG-1</b></a></p>",
            marker.as_str()
        );
        assert_eq!(*html, wanted);
    }

    #[test]
    fn the_same_writing_is_planned_once() {
        let mut state = state(vec![link("1", None)]);
        let first = written(&state, "", false, &note(None));
        let again = written(&state, "", false, &note(None));
        assert_eq!(first.effects[0].key, again.effects[0].key);
        state.known.insert(first.facts[0].clone());
        let known = written(&state, "", false, &note(None));
        assert_eq!(known.outcome, Outcome::nothing(Reason::AlreadyHandled));
    }

    #[test]
    fn an_answer_is_for_the_customer_of_one_conversation() {
        let two = state(vec![link("1", None), link("2", None)]);
        let plan = written(&two, "", false, &reply("2"));
        assert_eq!(conversations(&plan), ["2"]);
        let Act::Reply { audience, html, .. } = &plan.effects[0].act else {
            panic!("{plan:?}");
        };
        assert_eq!(
            (*audience, html.as_str()),
            (Audience::Customer, "<p>It works now.</p>")
        );
        assert_eq!(plan.effects[0].led_to(&ConversationId::new("1")), None);
    }

    #[test]
    fn a_held_answer_goes_again_where_its_conversation_went_on() {
        let into = LinkEnd::Merged(ConversationId::new("2"));
        let held = written(&state(vec![link("1", None)]), "", false, &reply("1"));
        let held = &held.effects[0];
        let merged = state(vec![link("1", Some(into)), link("2", None)]);
        let again = sent_again(&merged, held, EventId(5));
        assert_eq!(conversations(&again), ["2"]);
        assert_ne!(again.effects[0].key, held.key);
        assert_eq!(again, sent_again(&merged, held, EventId(5)));
        assert_ne!(
            again.effects[0].key,
            sent_again(&merged, held, EventId(6)).effects[0].key
        );
        let gone = state(vec![link("1", Some(LinkEnd::ByHand))]);
        let none = sent_again(&gone, held, EventId(5));
        assert_eq!(none.outcome, Outcome::nothing(Reason::NotLinked));
    }
}
