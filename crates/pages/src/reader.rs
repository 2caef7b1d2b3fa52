//! How someone reads: their time zone, their colours.

use std::fmt;

use axum::http::HeaderMap;
use bowline_domain::time::Millis;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cookie::{self, Cookie};

/// Which colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Colours {
    /// As the system says.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Colours {
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::System => "As the system says",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    pub(crate) fn from_word(word: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|colours| colours.as_str() == word)
            .unwrap_or_default()
    }
}

/// How someone reads.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    /// Their time zone; UTC until the browser told.
    pub(crate) zone: TimeZone,
    /// What they like the colours to be.
    pub(crate) colours: Colours,
    /// Do they ask for more contrast, whatever the system says?
    pub(crate) contrast: bool,
}

impl Reader {
    /// Of what the browser says.
    pub(crate) fn of(headers: &HeaderMap, https: bool) -> Self {
        let zone = cookie::zone(headers).and_then(|name| TimeZone::get(name).ok());
        let look = Cookie::Look.read(headers, https).unwrap_or_default();
        let (colours, contrast) = look.split_once('.').unwrap_or((look, ""));
        Self {
            zone: zone.unwrap_or(TimeZone::UTC),
            colours: Colours::from_word(colours),
            contrast: contrast == "more",
        }
    }

    /// Of someone of whom nothing is known.
    pub(crate) fn unknown() -> Self {
        Self {
            zone: TimeZone::UTC,
            colours: Colours::System,
            contrast: false,
        }
    }

    /// What of it a cookie keeps.
    pub(crate) fn kept(colours: Colours, contrast: bool) -> String {
        let contrast = if contrast { "more" } else { "system" };
        format!("{}.{contrast}", colours.as_str())
    }

    /// A time as they read it.
    pub(crate) fn when(&self, at: Millis) -> When {
        When {
            at: Timestamp::from_millisecond(at.0).ok(),
            zone: self.zone.clone(),
        }
    }

    /// How far their clock is ahead of UTC at a time, in milliseconds.
    pub(crate) fn offset_ms(&self, at: Millis) -> i64 {
        let at = Timestamp::from_millisecond(at.0).unwrap_or_default();
        i64::from(self.zone.to_offset(at).seconds()) * 1_000
    }

    /// The zone's name.
    pub(crate) fn zone_name(&self) -> String {
        self.zone.iana_name().unwrap_or("UTC").to_owned()
    }
}

/// A time, shown in the reader's zone and told to machines exactly.
#[derive(Clone, Debug)]
pub(crate) struct When {
    at: Option<Timestamp>,
    zone: TimeZone,
}

impl When {
    /// `25 Nov 2026, 15:59:29`
    pub(crate) fn text(&self) -> String {
        match self.at {
            Some(at) => at
                .to_zoned(self.zone.clone())
                .strftime("%-d %b %Y, %H:%M:%S")
                .to_string(),
            None => "never".to_owned(),
        }
    }
}

impl When {
    /// As machines read it; `None` if it never comes.
    pub(crate) fn iso(&self) -> Option<String> {
        self.at.map(|at| at.to_string())
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            // Both are digits, letters and punctuation that HTML takes as they are.
            Some(at) => write!(f, "<time datetime=\"{at}\">{}</time>", self.text()),
            None => f.write_str("never"),
        }
    }
}

impl askama::filters::HtmlSafe for When {}

/// How long ago something was, in one unit.
pub(crate) fn ago(now: Millis, at: Millis) -> String {
    let seconds = now.since(at).max(0) / 1_000;
    let (count, unit) = match seconds {
        0..60 => return "just now".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_the_zone_of_the_reader() {
        let reader = Reader {
            zone: TimeZone::get("Europe/Berlin").unwrap(),
            colours: Colours::System,
            contrast: false,
        };
        let when = reader.when(Millis(1_764_000_000_000));
        assert_eq!(
            when.to_string(),
            "<time datetime=\"2025-11-24T16:00:00Z\">24 Nov 2025, 17:00:00</time>"
        );
        assert_eq!(reader.offset_ms(Millis(1_764_000_000_000)), 3_600_000);
        assert_eq!(reader.when(Millis::NEVER).to_string(), "never");
    }

    #[test]
    fn ages_have_one_unit() {
        let now = Millis(1_764_000_000_000);
        for (seconds, wanted) in [
            (-5, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (7_300, "2 hours ago"),
            (200_000, "2 days ago"),
        ] {
            assert_eq!(ago(now, now.plus_ms(-seconds * 1_000)), wanted);
        }
    }
}
