//! When the links of an issue lived, as far as that was kept: what a trial begins with, and what
//! becomes of it meanwhile.
//!
//! Of a link the latest life is kept. What an earlier one told is not known, so nothing of it counts.

use bowline_domain::happening::Happening;
use bowline_domain::link::{Link, LinkEnd, Origin, Source};
use bowline_domain::time::Millis;

/// The links of an issue over a time.
#[derive(Debug, Default)]
pub(super) struct Lives {
    /// As they were when it began.
    pub(super) at_first: Vec<Link>,
    /// What became of them, the latest first: from when on, and how they are then.
    later: Vec<(Millis, Link)>,
    /// There are some that the trial is to find by their addresses, as they were found then.
    pub(super) to_be_found: bool,
    /// Those that somebody made by hand, as far as it is known who: the trial makes them again, as
    /// the conversation was told of it then.
    pub(super) by_hand: Vec<(Millis, Happening)>,
}

impl Lives {
    /// Those of these links, as they are now, since a time.
    pub(super) fn of(links: Vec<Link>, since: Millis) -> Self {
        let mut lives = Self::default();
        for link in links {
            lives.add(link, since);
        }
        // Sorting keeps the order of what has one time, so that an end comes after its beginning.
        lives.later.sort_by_key(|(at, _)| *at);
        lives.later.reverse();
        lives
    }

    fn add(&mut self, link: Link, since: Millis) {
        // What was told in a conversation that was merged stands in the one that goes on, whose link
        // has its sources.
        if link.merged_into().is_some() {
            self.at_first.push(link);
            return;
        }
        let over = link.ended_at.filter(|_| !link.live);
        if link.since < since {
            // What ended before stays known as ended: its address, should it still be there, is no
            // news. So does what ended nobody knows when.
            match over.filter(|at| *at > since) {
                Some(at) => {
                    self.at_first.push(living(&link));
                    self.later.push((at, link));
                }
                None => self.at_first.push(link),
            }
            return;
        }
        if !link.live && over.is_none() {
            self.to_be_found |= link.sources.is_empty() || link.sources.iter().any(by_address);
            return;
        }
        if by_address(first_source(&link).unwrap_or(&HAND)) {
            self.to_be_found = true;
            self.at_first
                .extend(not_yet(&link, |source| source.since < link.since));
        } else {
            // Known, so that neither a record of it nor an address that came later makes it live
            // before its time.
            self.at_first.extend(not_yet(&link, |_| true));
            match made_by_hand(&link) {
                Some(made) => self.by_hand.push((link.since, made)),
                None if link.live => self.later.push((link.since, link.clone())),
                None => self.later.push((link.since, living(&link))),
            }
        }
        if let Some(at) = over {
            self.later.push((at, link));
        }
    }

    /// The changes up to a time, in order, each once.
    pub(super) fn up_to(&mut self, at: Millis) -> Vec<Link> {
        let mut changed = Vec::new();
        while let Some((_, link)) = self.later.pop_if(|(from, _)| *from <= at) {
            changed.push(link);
        }
        changed
    }
}

/// What nobody pasted.
const HAND: Source = Source {
    origin: Origin::Command,
    since: Millis(0),
    overruled: false,
    hand: None,
};

fn by_address(source: &Source) -> bool {
    matches!(source.origin, Origin::Description | Origin::Comment(_))
}

/// The source that brought the link to life, if it is still there: of two at one time, the address.
fn first_source(link: &Link) -> Option<&Source> {
    let sources = link.sources.iter();
    sources
        .filter(|source| source.since >= link.since)
        .min_by_key(|source| (source.since, !by_address(source)))
}

/// That somebody made the link by hand, if it is known who.
fn made_by_hand(link: &Link) -> Option<Happening> {
    let source = first_source(link)?;
    let hand = source.hand.as_ref()?;
    (source.origin == Origin::Command).then(|| Happening::LinkAdded {
        workspace: link.workspace.clone(),
        conversation: link.conversation.clone(),
        by: hand.by.clone(),
        via: hand.via,
        imported: false,
    })
}

/// An ended link as it was while it lived. It is held by what no reading of the issue takes away: its
/// addresses may have been taken out since.
fn living(link: &Link) -> Link {
    let mut sources = link.sources.clone();
    sources.retain(|source| source.origin != HAND.origin);
    sources.push(Source {
        since: link.since,
        ..HAND
    });
    Link {
        sources,
        live: true,
        ended: None,
        ended_at: None,
        ..link.clone()
    }
}

/// A link as it was before it came to life: those of its sources that are to be no news then, if
/// there are some.
fn not_yet(link: &Link, known: impl Fn(&Source) -> bool) -> Option<Link> {
    let mut sources = link.sources.clone();
    sources.retain(known);
    for source in &mut sources {
        source.overruled = true;
    }
    (!sources.is_empty()).then(|| Link {
        sources,
        live: false,
        generation: link.generation.saturating_sub(1),
        ended: Some(LinkEnd::ByHand),
        ended_at: None,
        ..link.clone()
    })
}

#[cfg(test)]
mod tests {
    use bowline_domain::ids::{CommentId, ConversationId, WorkspaceName};
    use bowline_domain::link::Hand;

    use super::*;

    /// The trial goes from 100 on.
    const SINCE: Millis = Millis(100);

    fn source(origin: Origin, since: i64, overruled: bool) -> Source {
        Source {
            origin,
            since: Millis(since),
            overruled,
            hand: None,
        }
    }

    fn comment(since: i64, overruled: bool) -> Source {
        source(Origin::Comment(CommentId::new("1")), since, overruled)
    }

    fn link(since: i64, sources: Vec<Source>, ended: Option<(LinkEnd, Option<i64>)>) -> Link {
        Link {
            workspace: WorkspaceName::new("acme"),
            conversation: ConversationId::new("7"),
            sources,
            live: ended.is_none(),
            since: Millis(since),
            generation: 1,
            ended_at: ended.as_ref().and_then(|(_, at)| at.map(Millis)),
            ended: ended.map(|(end, _)| end),
        }
    }

    /// Does it live at first, and at each change: when, and does it live then?
    fn told(link: Link) -> (Vec<bool>, Vec<(i64, bool)>, bool) {
        let mut lives = Lives::of(vec![link], SINCE);
        let first = lives.at_first.iter().map(|link| link.live).collect();
        let mut changes = Vec::new();
        for at in 0..300 {
            let now = lives.up_to(Millis(at)).into_iter();
            changes.extend(now.map(|link| {
                assert!(!link.live || link.held(), "what lives is held");
                (at, link.live)
            }));
        }
        (first, changes, lives.to_be_found)
    }

    #[test]
    fn an_older_link_lives_until_it_ended() {
        let address = || vec![comment(50, false)];
        assert_eq!(told(link(50, address(), None)), (vec![true], vec![], false));
        let by_hand = |at| Some((LinkEnd::ByHand, at));
        let overruled = || vec![comment(50, true)];
        let ended = told(link(50, overruled(), by_hand(Some(150))));
        assert_eq!(ended, (vec![true], vec![(150, false)], false));
        let removed = link(50, Vec::new(), Some((LinkEnd::AddressRemoved, Some(150))));
        assert_eq!(told(removed), (vec![true], vec![(150, false)], false));
        let before = told(link(50, overruled(), by_hand(Some(90))));
        assert_eq!(before, (vec![false], vec![], false));
    }

    #[test]
    fn a_newer_link_lives_in_its_time() {
        let by_hand = |at| Some((LinkEnd::ByHand, at));
        // By address: found again when it was pasted.
        let pasted = told(link(120, vec![comment(120, true)], by_hand(Some(150))));
        assert_eq!(pasted, (vec![], vec![(150, false)], true));
        // Its address was taken out, or it was made by hand or by an import: as it was kept.
        let removed = link(120, vec![], Some((LinkEnd::AddressRemoved, Some(150))));
        assert_eq!(
            told(removed),
            (vec![], vec![(120, true), (150, false)], false)
        );
        for origin in [Origin::Command, Origin::Import] {
            let made = |ended: bool, end| link(120, vec![source(origin.clone(), 120, ended)], end);
            let ended = told(made(true, by_hand(Some(150))));
            assert_eq!(ended, (vec![false], vec![(120, true), (150, false)], false));
            assert_eq!(
                told(made(false, None)),
                (vec![false], vec![(120, true)], false)
            );
        }
    }

    #[test]
    fn what_somebody_linked_by_hand_is_linked_again() {
        let mut by_hand = source(Origin::Command, 120, true);
        by_hand.hand = Some(Hand {
            by: "Lena".to_owned(),
            via: None,
        });
        let link = link(120, vec![by_hand], Some((LinkEnd::ByHand, Some(150))));
        let lives = Lives::of(vec![link.clone()], SINCE);
        let [(Millis(120), Happening::LinkAdded { by, imported, .. })] = &lives.by_hand[..] else {
            panic!("{:?}", lives.by_hand);
        };
        assert_eq!((by.as_str(), *imported), ("Lena", false));
        assert_eq!(told(link), (vec![false], vec![(150, false)], false));
    }

    #[test]
    fn what_was_ended_and_made_again_lives_from_then_on() {
        let again = |second: Source| {
            let mut link = link(140, vec![comment(120, true), second], None);
            link.generation = 2;
            link
        };
        let by_hand = again(source(Origin::Command, 140, false));
        assert_eq!(told(by_hand), (vec![false], vec![(140, true)], false));
        // The address that was there before is no news; the new one is found.
        let pasted = again(source(Origin::Description, 140, false));
        let lives = Lives::of(vec![pasted.clone()], SINCE);
        let first = &lives.at_first[0];
        assert!(!first.live && first.source(&Origin::Description).is_none());
        assert_eq!(told(pasted), (vec![false], vec![], true));
    }

    #[test]
    fn an_end_without_a_time_is_as_if_the_link_had_not_been() {
        let ended = |since, sources| link(since, sources, Some((LinkEnd::ByHand, None)));
        let older = told(ended(50, vec![comment(50, true)]));
        assert_eq!(older, (vec![false], vec![], false));
        let newer = told(ended(120, vec![comment(120, true)]));
        assert_eq!(newer, (vec![], vec![], true));
        let by_hand = told(ended(120, vec![source(Origin::Command, 120, true)]));
        assert_eq!(by_hand, (vec![], vec![], false));
    }

    #[test]
    fn of_a_merged_conversation_the_tombstone_stays() {
        let into = LinkEnd::Merged(ConversationId::new("8"));
        let merged = told(link(120, Vec::new(), Some((into, Some(150)))));
        assert_eq!(merged, (vec![false], vec![], false));
    }
}
