//! What may be split off a ticket: words that stand in its message, and nothing else, since they are
//! shown as said by its person.

/// Do these words stand in the message, one after the other? How they are spaced and broken into
/// lines does not matter; no words are a part of every message.
pub fn is_part(words: &str, message: &str) -> bool {
    spaced(message).contains(&spaced(words))
}

/// A text with one blank for each run of blanks, and none around it.
fn spaced(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_said_is_a_part() {
        let message =
            "Please add a dark mode,\r\nand  a\u{a0}faster start.\n\nÄrger: „Öl“ \u{1f60a}";
        for (words, wanted) in [
            ("a dark mode", true),
            ("dark", true),
            ("", true),
            (" \n ", true),
            ("  a dark   mode,\nand a faster start. ", true),
            ("mode, and a faster", true),
            ("Ärger: „Öl“ \u{1f60a}", true),
            (message, true),
            ("A dark mode", false),
            ("a darkmode", false),
            ("d ark", false),
            ("dark start", false),
            ("a faster start, please", false),
            ("text that is not in it", false),
        ] {
            assert_eq!(is_part(words, message), wanted, "{words:?}");
        }
        assert!(!is_part("anything", ""));
        assert!(is_part("", ""));
    }
}
