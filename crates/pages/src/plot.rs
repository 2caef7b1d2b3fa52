//! A plot of counts by day: bars, drawn on the server.

use std::fmt::Write as _;

use askama::filters::HtmlSafe;
use bowline_store::browse::Day;

const WIDTH: i64 = 640;
const HEIGHT: i64 = 150;

/// Room for the numbers beside the bars and the dates below them.
const LEFT: i64 = 40;
const BOTTOM: i64 = 24;
const TOP: i64 = 10;

/// Bars of notes and of re-openings, side by side for each day.
pub(crate) struct Plot {
    days: Vec<(String, Day)>,
    max: i64,
}

impl Plot {
    /// Of the days in order, each with its name; days that are missing are empty.
    pub(crate) fn new(days: Vec<(String, Day)>) -> Self {
        let most = days.iter().map(|(_, day)| day.notes.max(day.reopens));
        let max = round_up(most.max().unwrap_or(0));
        Self { days, max }
    }

    pub(crate) fn days(&self) -> &[(String, Day)] {
        &self.days
    }

    pub(crate) fn notes(&self) -> i64 {
        self.days.iter().map(|(_, day)| day.notes).sum()
    }

    pub(crate) fn reopens(&self) -> i64 {
        self.days.iter().map(|(_, day)| day.reopens).sum()
    }

    fn y(&self, count: i64) -> i64 {
        TOP + (HEIGHT - TOP - BOTTOM) * (self.max - count) / self.max
    }

    fn draw(&self, svg: &mut String) -> std::fmt::Result {
        write!(
            svg,
            "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             aria-label=\"{} notes and {} re-openings in {} days; the table below has the \
             numbers\">",
            self.notes(),
            self.reopens(),
            self.days.len()
        )?;
        for count in [0, self.max / 2, self.max] {
            let y = self.y(count);
            write!(
                svg,
                "<line class=\"rule\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y}\" y2=\"{y}\"/>\
                 <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{count}</text>",
                LEFT - 6,
                y + 4
            )?;
        }
        let count = i64::try_from(self.days.len()).unwrap_or(1).max(1);
        let room = (WIDTH - LEFT) / count;
        let bar = (room / 3).max(2);
        for (index, (name, day)) in (0_i64..).zip(&self.days) {
            let x = LEFT + index * room + (room - 2 * bar) / 2;
            for (x, count, class) in [(x, day.notes, "notes"), (x + bar, day.reopens, "reopens")] {
                let y = self.y(count);
                let height = self.y(0) - y;
                if height > 0 {
                    write!(
                        svg,
                        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{bar}\" \
                         height=\"{height}\"/>"
                    )?;
                }
            }
            // Every second name, so that they do not run into each other.
            if index % 2 == 0 {
                let middle = LEFT + index * room + room / 2;
                write!(
                    svg,
                    "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{name}</text>",
                    HEIGHT - 6
                )?;
            }
        }
        svg.write_str("</svg>")
    }
}

impl std::fmt::Display for Plot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut svg = String::new();
        self.draw(&mut svg)?;
        f.write_str(&svg)
    }
}

// The names of days are dates that we wrote; all else are numbers.
impl HtmlSafe for Plot {}

/// The next number that halves well and is not far off, at least 2.
fn round_up(most: i64) -> i64 {
    let mut scale = 1;
    loop {
        for step in [2, 4, 6, 10] {
            if step * scale >= most {
                return step * scale;
            }
        }
        scale *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_numbers() {
        for (most, wanted) in [
            (0, 2),
            (2, 2),
            (3, 4),
            (7, 10),
            (11, 20),
            (55, 60),
            (401, 600),
        ] {
            assert_eq!(round_up(most), wanted, "{most}");
        }
    }

    #[test]
    fn a_bar_is_as_high_as_its_count() {
        let day = |notes, reopens| Day {
            day: 0,
            notes,
            reopens,
        };
        let plot = Plot::new(vec![
            ("24 Nov".to_owned(), day(10, 0)),
            ("25 Nov".to_owned(), day(5, 1)),
        ]);
        let svg = plot.to_string();
        assert_eq!(svg.matches("<rect").count(), 3, "{svg}");
        assert!(
            svg.contains("height=\"116\"") && svg.contains("height=\"58\""),
            "{svg}"
        );
        assert!(svg.contains("15 notes and 1 re-openings"), "{svg}");
    }
}
