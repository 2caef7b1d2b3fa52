//! The people behind the issue.

use askama::Template;
use bowline_domain::panel::{ContactSource, Shown};
use bowline_engine::panel::ReporterNow;

use super::people::{Person, Visible, person};
use super::{Drawn, Panel, Section};
use crate::error::PageError;

pub(super) const SECTION: Section = Section { draw, read: true };

#[derive(Template)]
#[template(path = "panel-contacts.html")]
struct Contacts {
    people: Vec<PersonView>,
    /// Where they come from, and why there are none.
    words: String,
}

struct PersonView {
    name: String,
    lead: bool,
    there: Option<String>,
    fields: Vec<FieldView>,
    companies: Vec<(String, Vec<FieldView>)>,
}

struct FieldView {
    label: String,
    description: String,
    custom: bool,
    value: String,
}

fn draw<'p>(panel: &'p Panel<'p>) -> Drawn<'p> {
    Box::pin(async move {
        let Some(settings) = &panel.now.settings else {
            return Ok(String::new());
        };
        let people: Vec<PersonView> = panel
            .now
            .contacts
            .iter()
            .map(|contact| {
                let there = panel
                    .app
                    .shared
                    .contact_url(&contact.workspace, &contact.seen.id);
                view(panel, person(contact, settings, panel.now), there)
            })
            .collect();
        let words = match settings.contact_source {
            ContactSource::Reporter => {
                let unknown = ReporterNow::default();
                let reporter = panel.now.reporter.as_ref().unwrap_or(&unknown);
                by_reporter(reporter, people.len())
            }
            ContactSource::Linked => by_links(panel, people.len()),
        };
        let section = Contacts { people, words };
        section.render().map_err(PageError::template)
    })
}

fn view(panel: &Panel<'_>, person: Person, there: Option<String>) -> PersonView {
    let fields = |fields: Vec<Visible>| fields.into_iter().map(|one| field(panel, one)).collect();
    PersonView {
        name: person.name,
        lead: person.lead,
        there,
        fields: fields(person.fields),
        companies: person
            .companies
            .into_iter()
            .map(|company| (company.name, fields(company.fields)))
            .collect(),
    }
}

fn field(panel: &Panel<'_>, field: Visible) -> FieldView {
    FieldView {
        label: field.label,
        description: field.description.unwrap_or_default(),
        custom: field.custom,
        value: match field.value {
            Shown::Text(text) => text,
            Shown::At(at) => panel.viewer.reader.when(at).text(),
        },
    }
}

fn by_links(panel: &Panel<'_>, people: usize) -> String {
    let read = panel
        .now
        .conversations
        .iter()
        .any(|card| card.seen.is_some());
    match (people, panel.now.conversations.is_empty()) {
        (0, true) => "Nobody yet: no conversation is linked.".to_owned(),
        (0, false) if read => {
            "The contacts of the linked conversations could not be read yet.".to_owned()
        }
        (0, false) => "They show here as soon as the conversations are read.".to_owned(),
        (1, _) => "Of all linked conversations.".to_owned(),
        (count, _) => format!("{count} people, of all linked conversations."),
    }
}

/// Whom Intercom knows by the reporter's e-mail address.
fn by_reporter(reporter: &ReporterNow, people: usize) -> String {
    let trouble = reporter
        .trouble
        .as_ref()
        .map_or_else(String::new, |trouble| format!(" {trouble}"));
    let Some(seen) = &reporter.seen else {
        return format!("Jira is asked who reported the issue.{trouble}");
    };
    let Some(name) = &seen.name else {
        return "The issue has no reporter, by whose e-mail address contacts are found here."
            .to_owned();
    };
    if seen.email.is_none() {
        return format!(
            "Jira hides the e-mail address of the reporter, {name}, from Bowline's account, so \
             that no contact can be found by it. {name} can make it visible in their Atlassian \
             profile, or an administrator can choose the contacts of linked conversations instead."
        );
    }
    match people {
        0 if reporter.looked_for => format!(
            "Intercom knows no user or lead with the e-mail address of the reporter, {name}."
        ),
        0 => format!("Intercom is asked for the reporter, {name}.{trouble}"),
        1 => format!("By the e-mail address of the reporter, {name}."),
        count => {
            format!("{count} users and leads have the e-mail address of the reporter, {name}.")
        }
    }
}

#[cfg(test)]
mod tests {
    use bowline_engine::panel::SeenReporter;

    use super::*;

    fn reporter(name: Option<&str>, email: Option<&str>, looked_for: bool) -> ReporterNow {
        ReporterNow::of(
            SeenReporter {
                name: name.map(str::to_owned),
                email: email.map(str::to_owned),
            },
            looked_for,
        )
    }

    #[test]
    fn it_is_said_why_nobody_is_found() {
        let email = Some("lena@example.com");
        for (reporter, people, part) in [
            (ReporterNow::default(), 0, "Jira is asked"),
            (reporter(None, None, false), 0, "has no reporter"),
            (reporter(Some("Lena"), None, false), 0, "Jira hides"),
            (reporter(Some("Lena"), email, false), 0, "is asked for"),
            (
                reporter(Some("Lena"), email, true),
                0,
                "knows no user or lead",
            ),
            (
                reporter(Some("Lena"), email, true),
                1,
                "By the e-mail address",
            ),
            (reporter(Some("Lena"), email, true), 3, "3 users and leads"),
        ] {
            let words = by_reporter(&reporter, people);
            assert!(words.contains(part), "{part}: {words}");
        }
    }
}
