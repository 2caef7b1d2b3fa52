//! Why nothing was posted about an issue, in one sentence: a plain function over what is known.

use bowline_domain::effect::EffectState;
use bowline_domain::link::LinkEnd;
use bowline_store::model::EventState;

use crate::component::Tone;
use crate::words::some;

/// What is known of an issue.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Its key.
    pub(crate) key: String,
    /// Its project, if the key has one.
    pub(crate) project: String,
    /// Was it ever heard of?
    pub(crate) known: bool,
    /// Is it deleted in Jira?
    pub(crate) deleted: bool,
    /// Is the project joined to a workspace?
    pub(crate) bound: bool,
    /// Is linking on?
    pub(crate) linking: bool,
    /// Why the connection to Jira does not work, if it does not.
    pub(crate) site_trouble: Option<String>,
    /// Why the connection to Intercom does not work, if it does not.
    pub(crate) workspace_trouble: Option<String>,
    /// Did a webhook of the site ever arrive?
    pub(crate) webhook_seen: bool,
    /// Conversations linked now.
    pub(crate) live: usize,
    /// Why the latest link ended that did.
    pub(crate) ended: Option<LinkEnd>,
    /// The latest delivery about it.
    pub(crate) latest: Option<Latest>,
}

/// The latest delivery about an issue.
#[derive(Clone, Debug)]
pub(crate) struct Latest {
    pub(crate) state: EventState,
    /// Why nothing, or not more, was done.
    pub(crate) why: Vec<String>,
    /// The states of its effects.
    pub(crate) effects: Vec<EffectState>,
}

/// The answer, and how it sounds.
pub(crate) fn answer(facts: &Facts) -> (Tone, String) {
    let key = &facts.key;
    if let Some(trouble) = &facts.site_trouble {
        let words =
            format!("Deliveries from Jira wait, because the connection is broken: {trouble}");
        return (Tone::Warn, words);
    }
    if let Some(obstacle) = obstacle(facts) {
        return obstacle;
    }
    if facts.live == 0 {
        return (Tone::Plain, unlinked(facts));
    }
    if let Some(trouble) = &facts.workspace_trouble {
        let words = format!("Notes about {key} wait, because the connection is broken: {trouble}");
        return (Tone::Warn, words);
    }
    match &facts.latest {
        None => (
            Tone::Plain,
            format!(
                "{} linked to {key}, and nothing has come from Jira about it since.",
                some_are(facts.live)
            ),
        ),
        Some(latest) => of_latest(key, latest),
    }
}

/// What keeps anything from being posted about the issue.
fn obstacle(facts: &Facts) -> Option<(Tone, String)> {
    let Facts { key, project, .. } = facts;
    let words = if facts.deleted {
        format!("{key} is deleted in Jira, or Bowline's account may not see it any more.")
    } else if !facts.bound {
        format!(
            "The project {project} is not joined to a workspace. Whoever administers it joins it \
             on the page Projects."
        )
    } else if !facts.linking {
        format!(
            "Conversation linking is switched off for {project}. An administrator can switch it on."
        )
    } else if !facts.known && !facts.webhook_seen {
        format!(
            "Bowline has never heard of {key}, and no webhook of this Jira has arrived yet. A Jira \
             administrator should look whether the webhook is there and what its log says."
        )
    } else if !facts.known {
        format!(
            "Bowline has never heard of {key}. Either nothing happened to it since the project was \
             joined, or the webhook in Jira leaves it out: look at its JQL filter."
        )
    } else {
        return None;
    };
    let tone = if facts.known && !facts.deleted && facts.bound {
        Tone::Plain
    } else {
        Tone::Warn
    };
    Some((tone, words))
}

/// Where what keeps something from being posted is looked at and mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mended {
    /// On the page of the connection to Jira.
    AtSite,
    /// On the page of the connection to Intercom.
    AtWorkspace,
    /// Where projects are joined.
    AmongProjects,
    /// On the page of the project.
    AtProject,
}

/// The page on which someone goes on from the answer, if there is one.
pub(crate) fn mended(facts: &Facts) -> Option<Mended> {
    if facts.site_trouble.is_some() {
        Some(Mended::AtSite)
    } else if facts.deleted {
        None
    } else if !facts.bound {
        Some(Mended::AmongProjects)
    } else if !facts.linking {
        Some(Mended::AtProject)
    } else if !facts.known {
        Some(Mended::AtSite)
    } else if facts.live > 0 && facts.workspace_trouble.is_some() {
        Some(Mended::AtWorkspace)
    } else {
        None
    }
}

fn unlinked(facts: &Facts) -> String {
    let key = &facts.key;
    let paste = "Paste a conversation's address in the description or a comment to link one.";
    match &facts.ended {
        None => format!("No conversation is linked to {key}. {paste}"),
        Some(end) => format!(
            "No conversation is linked to {key} any more: {}. {paste}",
            ended(end)
        ),
    }
}

/// Why a link ended, as a part of a sentence.
pub(crate) fn ended(end: &LinkEnd) -> String {
    match end {
        LinkEnd::AddressRemoved => "its address was taken out of the issue".to_owned(),
        LinkEnd::IssueDeleted => "the issue was deleted".to_owned(),
        LinkEnd::IssueUnseen => {
            "Jira does not show the issue any more: it was deleted, or is hidden from Bowline's \
             account"
                .to_owned()
        }
        LinkEnd::ConversationGone => "the conversation was deleted in Intercom".to_owned(),
        LinkEnd::Merged(into) => format!("the conversation was merged into {into}"),
        LinkEnd::ByHand => "a person ended the link".to_owned(),
    }
}

fn some_are(count: usize) -> String {
    if count == 1 {
        "1 conversation is".to_owned()
    } else {
        format!("{count} conversations are")
    }
}

fn of_latest(key: &str, latest: &Latest) -> (Tone, String) {
    match latest.state {
        EventState::Waiting => {
            let words = "The latest delivery waits to be decided, in the order in which they came.";
            return (Tone::Busy, words.to_owned());
        }
        EventState::Quarantined => {
            let words = format!(
                "The latest delivery cannot be read, and is kept for a person: {}",
                latest.why.join(" ")
            );
            return (Tone::Bad, words);
        }
        EventState::Decided => {}
    }
    let count = |wanted: &[EffectState]| {
        let found = latest.effects.iter().filter(|state| wanted.contains(state));
        i64::try_from(found.count()).unwrap_or(i64::MAX)
    };
    let waiting = count(&[EffectState::Planned, EffectState::Attempting]);
    let (rejected, doubtful) = (
        count(&[EffectState::Rejected]),
        count(&[EffectState::Unknown]),
    );
    let held = count(&[EffectState::Held]);
    if held > 0 {
        let words = format!(
            "It is not known whether {} to the customer arrived; a person has to look, and decides \
             whether to send again.",
            some(held, "message")
        );
        (Tone::Warn, words)
    } else if rejected > 0 {
        let words = format!(
            "The latest change was to be told, and {} refused for good; below is what Intercom or \
             Jira said.",
            crate::words::are(rejected, "write")
        );
        (Tone::Bad, words)
    } else if doubtful > 0 {
        let words = "The latest change was sent, and it is not known whether it arrived. Bowline \
                     looks for it before it sends it again."
            .to_owned();
        (Tone::Warn, words)
    } else if waiting > 0 {
        let words = format!(
            "The latest change is being told: {} still to go.",
            some(waiting, "write")
        );
        (Tone::Busy, words)
    } else if latest.effects.is_empty() {
        let words = format!(
            "The latest delivery about {key} was not told: {}",
            latest.why.join(" ")
        );
        (Tone::Plain, words)
    } else {
        let words = format!("The latest change of {key} was told. Nothing is missing.");
        (Tone::Good, words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Facts {
        Facts {
            key: "ENG-1".to_owned(),
            project: "ENG".to_owned(),
            known: true,
            bound: true,
            linking: true,
            webhook_seen: true,
            live: 1,
            latest: Some(latest(&[EffectState::Confirmed])),
            ..Facts::default()
        }
    }

    fn latest(effects: &[EffectState]) -> Latest {
        Latest {
            state: EventState::Decided,
            why: vec!["No rule asks for it.".to_owned()],
            effects: effects.to_vec(),
        }
    }

    #[test]
    fn the_answer_leads_to_where_it_is_mended() {
        let at = |change: fn(&mut Facts)| {
            let mut facts = good();
            change(&mut facts);
            mended(&facts)
        };
        assert_eq!(at(|_| ()), None);
        assert_eq!(
            at(|facts| (facts.bound, facts.linking) = (false, false)),
            Some(Mended::AmongProjects)
        );
        assert_eq!(at(|facts| facts.linking = false), Some(Mended::AtProject));
        assert_eq!(at(|facts| facts.known = false), Some(Mended::AtSite));
        assert_eq!(at(|facts| facts.deleted = true), None);
        let of_site = |facts: &mut Facts| facts.site_trouble = Some("revoked".to_owned());
        assert_eq!(at(of_site), Some(Mended::AtSite));
        let mut facts = good();
        facts.workspace_trouble = Some("revoked".to_owned());
        assert_eq!(mended(&facts), Some(Mended::AtWorkspace));
        facts.live = 0;
        assert_eq!(mended(&facts), None);
    }

    #[test]
    fn the_first_obstacle_is_the_answer() {
        let with = |change: fn(&mut Facts)| {
            let mut facts = good();
            change(&mut facts);
            facts
        };
        let cases: [(Facts, Tone, &str); 15] = [
            (good(), Tone::Good, "Nothing is missing"),
            (
                with(|facts| facts.site_trouble = Some("revoked".to_owned())),
                Tone::Warn,
                "from Jira wait",
            ),
            (with(|facts| facts.bound = false), Tone::Warn, "not joined"),
            (
                with(|facts| facts.linking = false),
                Tone::Plain,
                "switched off",
            ),
            (
                with(|facts| facts.deleted = true),
                Tone::Warn,
                "deleted in Jira",
            ),
            (with(|facts| facts.known = false), Tone::Warn, "JQL filter"),
            (
                with(|facts| (facts.known, facts.webhook_seen) = (false, false)),
                Tone::Warn,
                "no webhook of this Jira",
            ),
            (
                with(|facts| facts.live = 0),
                Tone::Plain,
                "Paste a conversation",
            ),
            (
                with(|facts| (facts.live, facts.ended) = (0, Some(LinkEnd::ByHand))),
                Tone::Plain,
                "a person ended the link",
            ),
            (
                with(|facts| facts.workspace_trouble = Some("revoked".to_owned())),
                Tone::Warn,
                "Notes about ENG-1 wait",
            ),
            (
                with(|facts| facts.latest = None),
                Tone::Plain,
                "nothing has come",
            ),
            (
                with(|facts| facts.latest = Some(latest(&[]))),
                Tone::Plain,
                "No rule asks for it.",
            ),
            (
                with(|facts| {
                    facts.latest = Some(latest(&[EffectState::Confirmed, EffectState::Rejected]));
                }),
                Tone::Bad,
                "1 write is refused",
            ),
            (
                with(|facts| facts.latest = Some(latest(&[EffectState::Held]))),
                Tone::Warn,
                "a person has to look",
            ),
            (
                with(|facts| facts.latest = Some(latest(&[EffectState::Planned]))),
                Tone::Busy,
                "1 write still to go",
            ),
        ];
        for (facts, tone, part) in cases {
            let (found, words) = answer(&facts);
            assert!(words.contains(part), "{part}: {words}");
            assert_eq!(found, tone, "{words}");
        }
    }
}
