//! The words of a text, as full-text search and similarity take them.

use std::collections::BTreeSet;

/// The longest word, in characters; what is longer is cut.
const WORD_CHARS_MAX: usize = 40;

/// Words of one text that are indexed at most.
const WORDS_MAX: usize = 3_000;

/// The words of a text in small letters, in their order: runs of letters and digits.
pub fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(WORDS_MAX)
        .map(|word| word.to_lowercase().chars().take(WORD_CHARS_MAX).collect())
        .collect()
}

/// The text that is indexed: words with a blank between them, each once.
pub fn indexed(texts: &[&str]) -> String {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for word in texts.iter().flat_map(|text| words(text)) {
        if seen.insert(word.clone()) {
            all.push(word);
        }
    }
    all.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_and_digits_of_any_script() {
        assert_eq!(words("Export-Button (v2)!"), ["export", "button", "v2"]);
        assert_eq!(words("Größe 日本語 naïve"), ["größe", "日本語", "naïve"]);
        assert_eq!(words("' OR 1=1 --"), ["or", "1", "1"]);
        assert!(words(" \n\"*:&|!()").is_empty());
        assert_eq!(words(&"x".repeat(1_000))[0].chars().count(), 40);
    }

    #[test]
    fn a_word_is_indexed_once() {
        assert_eq!(indexed(&["Dark mode", "dark Theme"]), "dark mode theme");
        assert_eq!(indexed(&["", " "]), "");
    }
}
