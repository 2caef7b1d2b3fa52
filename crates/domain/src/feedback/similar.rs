//! Which tickets may say the same. Only ever a suggestion.

use std::collections::BTreeSet;

use crate::feedback::ids::TicketId;
use crate::feedback::words::words;

/// How alike two texts must be to be suggested, in hundredths.
pub const ALIKE_MIN: u32 = 35;

/// Duplicates that are suggested at most.
pub const SUGGESTED_MAX: usize = 5;

/// Words of a text by which others are looked for.
const SOUGHT_MAX: usize = 8;

/// Words shorter than this say little, in characters.
const SHORT: usize = 4;

fn telling(text: &str) -> BTreeSet<String> {
    let all = words(text).into_iter();
    all.filter(|word| word.chars().count() >= SHORT).collect()
}

/// How alike two texts are, in hundredths: the words that both have, of those that either has.
pub fn alike(one: &str, other: &str) -> u32 {
    let (one, other) = (telling(one), telling(other));
    let both = one.intersection(&other).count();
    let either = one.union(&other).count();
    if either == 0 {
        return 0;
    }
    u32::try_from(both * 100 / either).unwrap_or(100)
}

/// The words of a text by which similar ones are looked for: the longest, which are the rarest as a
/// rule.
pub fn sought(text: &str) -> Vec<String> {
    let mut all: Vec<String> = telling(text).into_iter().collect();
    all.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    all.truncate(SOUGHT_MAX);
    all
}

/// The tickets among `others` whose texts are alike enough, the most alike first.
pub fn suggest<'t>(
    text: &str,
    others: impl IntoIterator<Item = (TicketId, &'t str)>,
) -> Vec<(TicketId, u32)> {
    let mut found: Vec<(TicketId, u32)> = others
        .into_iter()
        .map(|(id, other)| (id, alike(text, other)))
        .filter(|(_, alike)| *alike >= ALIKE_MIN)
        .collect();
    found.sort_by_key(|(id, alike)| (std::cmp::Reverse(*alike), *id));
    found.truncate(SUGGESTED_MAX);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_as_alike_as_the_words_they_share() {
        let text = "Please add a dark mode to the mobile app";
        assert_eq!(alike(text, text), 100);
        assert!(alike(text, "A dark mode for the mobile app, please!") >= ALIKE_MIN);
        assert!(alike(text, "The export of invoices fails since Monday") < ALIKE_MIN);
        assert_eq!(alike("", ""), 0);
    }

    #[test]
    fn the_most_alike_come_first_and_no_more_than_a_few() {
        let others = [
            "dark mode mobile",
            "nothing in common",
            "dark mode mobile please",
        ];
        let numbered = others
            .iter()
            .enumerate()
            .map(|(number, text)| (TicketId(i64::try_from(number).unwrap()), *text));
        let found = suggest("dark mode mobile please", numbered);
        assert_eq!(found[0].0, TicketId(2));
        assert_eq!(found.len(), 2);
    }
}
