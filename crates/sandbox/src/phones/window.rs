//! The 24 hours in which WhatsApp lets a business answer with free text.

use std::collections::HashMap;

/// Length of the window after a person's message, in milliseconds: 24 hours (Meta's rule).
pub const WINDOW_MS: i64 = 24 * 60 * 60 * 1_000;

/// Since when each person may be answered on each channel.
#[derive(Debug, Default)]
pub struct Window {
    last: HashMap<(String, String), i64>,
}

impl Window {
    /// A person wrote.
    pub fn opened(&mut self, channel: &str, phone: &str, at_ms: i64) {
        let last = self
            .last
            .entry((channel.to_owned(), phone.to_owned()))
            .or_insert(at_ms);
        *last = at_ms.max(*last);
    }

    /// Until when free text may be sent; `None` if the person never wrote there.
    pub fn until(&self, channel: &str, phone: &str) -> Option<i64> {
        self.last
            .get(&(channel.to_owned(), phone.to_owned()))
            .map(|last| last + WINDOW_MS)
    }

    /// Whether free text may be sent.
    pub fn is_open(&self, channel: &str, phone: &str, now_ms: i64) -> bool {
        self.until(channel, phone)
            .is_some_and(|until| now_ms < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_opens_the_window_for_a_day() {
        let mut window = Window::default();
        assert!(!window.is_open("w", "+15550100", 0));
        window.opened("w", "+15550100", 1_000);
        window.opened("w", "+15550100", 500);
        for (channel, now, open) in [
            ("w", 1_000 + WINDOW_MS - 1, true),
            ("w", 1_000 + WINDOW_MS, false),
            ("other", 1_001, false),
        ] {
            assert_eq!(window.is_open(channel, "+15550100", now), open, "{now}");
        }
    }
}
