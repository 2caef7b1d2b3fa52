//! What an alert says: what happened, what it means, who can mend it and how, and where. Pure.

use bowline_domain::connection::Connection;
use bowline_domain::time::Millis;
use serde::{Deserialize, Serialize};

use super::decide::{About, Matter};

/// What an alert is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlertKind {
    /// Something does not work any more, or soon will not.
    #[default]
    Broken,
    /// It works again.
    Mended,
    /// Somebody looks whether alerts arrive.
    Test,
}

impl AlertKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Mended => "mended",
            Self::Test => "test",
        }
    }
}

/// What is told. Stored as JSON, and posted so: changed additively.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct News {
    pub(crate) kind: AlertKind,
    /// Of a test: none.
    pub(crate) connection: Option<String>,
    /// The project of the site, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<String>,
    /// A test is no trouble, so it says true.
    pub(crate) works: bool,
    pub(crate) health: String,
    /// Why, as the connection's page says it.
    pub(crate) reason: Option<String>,
    /// Since when, as `2026-01-31T08:00:00Z`.
    pub(crate) since: Option<String>,
    /// Items that wait for the connection.
    pub(crate) queued: i64,
    /// One line.
    pub(crate) subject: String,
    /// All of it, for people.
    pub(crate) text: String,
    /// Where Bowline is.
    pub(crate) url: String,
    /// Where to look and mend it.
    pub(crate) link: String,
}

/// Where a connection is configured and looked at.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Where Bowline is.
    pub(crate) url: String,
    /// The page.
    pub(crate) link: String,
    /// Does the configuration file declare the connection?
    pub(crate) declared: bool,
}

fn far_side(connection: &Connection) -> &'static str {
    match connection {
        Connection::Site(_) => "Jira",
        Connection::Workspace(_) => "Intercom",
        Connection::Account(_) => "the messaging provider",
    }
}

fn moment(at: Millis) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(at.0).ok()?;
    Some(at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

pub(crate) fn items(count: i64) -> String {
    match count {
        1 => "1 item is queued".to_owned(),
        count => format!("{count} items are queued"),
    }
}

/// Who can mend it, and how.
fn mend(matter: &Matter, declared: bool) -> String {
    let enter = if declared {
        "whoever runs Bowline puts it into the configuration file. It is used without a restart"
    } else {
        "an administrator of Bowline enters it on the page below, under Reconnect"
    };
    match (&matter.connection, &matter.about, matter.health) {
        (Connection::Site(_), About::Token, _) => {
            let day = if declared {
                "there, with the day on which it ends"
            } else {
                "together with the day on which it ends"
            };
            format!(
                "A Jira administrator makes a new token for Bowline's account; {enter}, {day}. \
                 Nothing is interrupted."
            )
        }
        (Connection::Workspace(_), _, "limited") => {
            "Whoever manages the Intercom subscription activates it. Bowline notices by itself."
                .to_owned()
        }
        (Connection::Workspace(_), ..) => format!(
            "An Intercom administrator sees in the Developer Hub whether the app is installed and \
             has its permissions, and makes a new access token if the old one is refused; {enter}. \
             A teammate who is gone is replaced there too."
        ),
        (Connection::Site(_), ..) => format!(
            "A Jira administrator sees whether Bowline's account is active, and makes a new token \
             for it; {enter}."
        ),
        (Connection::Account(_), ..) => {
            format!("Whoever manages the account at the provider makes a new access key; {enter}.")
        }
    }
}

fn broken(matter: &Matter, queued: i64, declared: bool) -> (String, Vec<String>) {
    let (name, far) = (matter.connection.name(), far_side(&matter.connection));
    let since = moment(matter.since).map_or_else(String::new, |at| format!(", since {at}"));
    let (subject, since) = match &matter.about {
        About::Whole => {
            let subject = format!("The connection “{name}” to {far} does not work");
            (subject, since)
        }
        About::Token => {
            let subject = format!("The token of the connection “{name}” to {far} ends soon");
            (subject, String::new())
        }
        About::Project(project) => {
            let subject = format!("A permission is missing in the project {project} of “{name}”");
            (subject, since)
        }
    };
    let mut lines = vec![format!("{subject}{since}.")];
    if let Some(reason) = matter.reason.as_deref().filter(|words| !words.is_empty()) {
        lines.push(format!("What happened: {reason}"));
    }
    if let Some(lacking) = &matter.lacking {
        lines.push(format!("What it means: {}", lacking.meaning));
        lines.push(format!("Who can mend it: {}", lacking.mend));
        return (subject, lines);
    }
    lines.push(if matter.about == About::Token {
        "What it means: everything works until then. If nothing is done, the connection breaks on \
         that day, and what comes is queued."
            .to_owned()
    } else if queued == 0 {
        "What it means: nothing is lost. What comes from now on is queued until it works again."
            .to_owned()
    } else {
        format!(
            "What it means: nothing is lost. {} by now, and sent when it works again.",
            items(queued)
        )
    });
    lines.push(format!("Who can mend it: {}", mend(matter, declared)));
    (subject, lines)
}

fn mended(matter: &Matter, queued: i64) -> (String, Vec<String>) {
    let (name, far) = (matter.connection.name(), far_side(&matter.connection));
    let since = moment(matter.since).map_or_else(String::new, |at| format!(", since {at}"));
    match &matter.about {
        About::Token => {
            let subject = format!("The token of the connection “{name}” to {far} lasts again");
            let words = matter.reason.clone().unwrap_or_default();
            let line = format!("{subject}: {words}.");
            return (subject, vec![line]);
        }
        About::Project(project) => {
            let subject =
                format!("Nothing is missing any more in the project {project} of “{name}”");
            let lines = vec![
                format!("{subject}{since}."),
                "What it means: its issues are followed as before, and there is nothing to do."
                    .to_owned(),
            ];
            return (subject, lines);
        }
        About::Whole => {}
    }
    let subject = format!("The connection “{name}” to {far} works again");
    let queue = match queued {
        0 => "Nothing is queued any more.".to_owned(),
        queued => format!("{}, and being sent now.", items(queued)),
    };
    let lines = vec![
        format!("{subject}{since}."),
        format!("What it means: {queue} Nothing was lost, and there is nothing to do."),
    ];
    (subject, lines)
}

/// What is told of a matter.
pub(crate) fn of(matter: &Matter, queued: i64, place: &Place) -> News {
    let (subject, mut lines) = if matter.works {
        mended(matter, queued)
    } else {
        broken(matter, queued, place.declared)
    };
    lines.push(match &matter.about {
        About::Project(_) => format!("The project: {}", place.link),
        About::Whole | About::Token => format!("The connection: {}", place.link),
    });
    let since = jiff::Timestamp::from_millisecond(matter.since.0).ok();
    News {
        kind: if matter.works {
            AlertKind::Mended
        } else {
            AlertKind::Broken
        },
        connection: Some(matter.connection.key()),
        project: match &matter.about {
            About::Project(project) => Some(project.to_string()),
            About::Whole | About::Token => None,
        },
        works: matter.works,
        health: matter.health.to_owned(),
        reason: matter.reason.clone(),
        since: since.map(|at| at.to_string()),
        queued,
        subject: format!("Bowline: {subject}"),
        text: lines.join("\n"),
        url: place.url.clone(),
        link: place.link.clone(),
    }
}

/// What a test says.
pub(crate) fn test(by: &str, place: &Place) -> News {
    let lines = [
        format!("This is a test: {by} looks whether alerts of Bowline arrive. There is nothing to do."),
        "So you are told when a connection to Jira, Intercom or a messaging provider breaks, once, \
         and once when it works again."
            .to_owned(),
        format!("The alerts: {}", place.link),
    ];
    News {
        kind: AlertKind::Test,
        works: true,
        health: "connected".to_owned(),
        subject: "Bowline: a test alert".to_owned(),
        text: lines.join("\n"),
        url: place.url.clone(),
        link: place.link.clone(),
        ..News::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(declared: bool) -> Place {
        Place {
            url: "https://bowline.example.com/".to_owned(),
            link: "https://bowline.example.com/connections/site/jira".to_owned(),
            declared,
        }
    }

    fn matter(connection: Connection, works: bool, health: &'static str) -> Matter {
        Matter {
            key: connection.key(),
            connection,
            works,
            health,
            reason: Some("Jira refuses the token.".to_owned()),
            since: Millis(1_795_600_000_000),
            about: About::Whole,
            lacking: None,
        }
    }

    #[test]
    fn an_alert_says_what_happened_what_it_means_who_mends_it_and_where() {
        let news = of(
            &matter(Connection::Site("jira".into()), false, "broken"),
            42,
            &place(false),
        );
        assert_eq!(
            news.subject,
            "Bowline: The connection “jira” to Jira does not work"
        );
        let lines: Vec<&str> = news.text.lines().collect();
        assert_eq!(
            lines[0],
            "The connection “jira” to Jira does not work, since 2026-11-25 09:46 UTC."
        );
        assert_eq!(lines[1], "What happened: Jira refuses the token.");
        assert!(lines[2].contains("42 items are queued by now"), "{lines:?}");
        assert!(lines[3].contains("under Reconnect"), "{lines:?}");
        assert_eq!(
            lines[4],
            "The connection: https://bowline.example.com/connections/site/jira"
        );
        assert_eq!((news.kind, news.queued), (AlertKind::Broken, 42));
    }

    #[test]
    fn each_cause_has_somebody_who_can_mend_it() {
        let site = || Connection::Site("jira".into());
        let workspace = || Connection::Workspace("acme".into());
        for (connection, health, declared, words) in [
            (site(), "broken", true, "configuration file"),
            (site(), "broken", false, "Bowline's account is active"),
            (workspace(), "broken", false, "whether the app is installed"),
            (workspace(), "limited", false, "subscription"),
            (
                Connection::Account("bird".into()),
                "broken",
                false,
                "access key",
            ),
        ] {
            let news = of(&matter(connection, false, health), 0, &place(declared));
            assert!(news.text.contains(words), "{words}: {}", news.text);
            assert!(news.text.contains("nothing is lost"), "{}", news.text);
        }
        let soon = Matter {
            about: About::Token,
            ..matter(site(), false, "ends_soon")
        };
        let news = of(&soon, 3, &place(false));
        assert!(
            news.text.contains("everything works until then"),
            "{}",
            news.text
        );
        assert!(
            news.text.contains("the day on which it ends"),
            "{}",
            news.text
        );
    }

    #[test]
    fn mended_and_tests_say_that_there_is_nothing_to_do() {
        let news = of(
            &matter(Connection::Workspace("acme".into()), true, "connected"),
            1,
            &place(false),
        );
        assert!(
            news.text.contains("1 item is queued, and being sent now"),
            "{}",
            news.text
        );
        assert!(news.text.contains("nothing to do"), "{}", news.text);
        assert!(news.works && news.kind == AlertKind::Mended);
        let test = test("ana@example.com", &place(false));
        assert!(test.works && test.connection.is_none());
        assert!(test.text.contains("nothing to do"), "{}", test.text);
    }

    #[test]
    fn what_another_version_wrote_is_read() {
        let old: News = serde_json::from_str(r#"{"kind":"mended","more":1}"#).unwrap();
        assert_eq!(old.kind, AlertKind::Mended);
        assert_eq!(serde_json::to_value(AlertKind::Test).unwrap(), "test");
    }
}
