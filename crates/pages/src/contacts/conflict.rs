//! A question about who somebody is: the person whom it is about beside those who they may be,
//! field by field, what tells them apart first.

use bowline_domain::contacts::field::{FieldName, KNOWN};
use bowline_domain::contacts::profile::Origin;
use bowline_store::contacts::{Contact, Found};

use super::{role_title, value_text};
use crate::App;
use crate::error::PageError;
use crate::reader::Reader;

/// Rows for what else differs, besides what always stands there.
const OTHERS_MAX: usize = 20;

/// A question about who this is.
pub(super) struct Asked {
    pub(super) by: &'static str,
    pub(super) conflict: i64,
    /// Who is asked about, and then who they may be.
    pub(super) people: Vec<Person>,
    /// What tells them apart.
    pub(super) apart: Vec<Compared>,
    /// What all of them have.
    pub(super) alike: Vec<Compared>,
}

/// Somebody who is compared.
pub(super) struct Person {
    pub(super) id: i64,
    pub(super) name: String,
}

/// What one field says of each.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) title: String,
    pub(super) values: Vec<String>,
}

/// Somebody as all that is told of them: names of fields with what stands in them, in the order in
/// which they are read.
type Told = Vec<(String, String)>;

/// The question about a contact, if there is one.
pub(super) async fn asked(
    app: &App,
    reader: &Reader,
    contact: &Contact,
) -> Result<Option<Asked>, PageError> {
    let store = &app.shared.store;
    let Some(conflict) = store.conflict_of(contact.id).await? else {
        return Ok(None);
    };
    let mut all = vec![contact.clone()];
    for id in &conflict.candidates {
        if let Some(Found::Here(candidate)) = store.contact(*id).await? {
            all.push(*candidate);
        }
    }
    let ids: Vec<_> = all.iter().map(|one| one.id).collect();
    let companies = store.companies_of(&ids).await?;
    let told: Vec<Told> = all
        .iter()
        .map(|one| {
            let own = companies.iter().filter(|(id, _)| *id == one.id);
            let own: Vec<&str> = own.map(|(_, company)| company.name.as_str()).collect();
            told(reader, one, &own.join(", "))
        })
        .collect();
    let (apart, alike) = compare(&told);
    Ok(Some(Asked {
        by: match conflict.by {
            bowline_domain::contacts::matching::By::Email => "e-mail address",
            bowline_domain::contacts::matching::By::ExternalId => "external id",
        },
        conflict: conflict.id.0,
        people: all
            .iter()
            .map(|one| Person {
                id: one.id.0,
                name: one.name.clone(),
            })
            .collect(),
        apart,
        alike,
    }))
}

/// All that is told of somebody.
fn told(reader: &Reader, contact: &Contact, companies: &str) -> Told {
    let field = |name: &FieldName| {
        let shown = contact.profile.shown(name).value;
        shown.map_or_else(String::new, |value| value_text(reader, name, value))
    };
    let remote = contact.remote.as_ref();
    let first = [
        (
            "Intercom id",
            remote.map_or_else(String::new, ToString::to_string),
        ),
        ("Role", role_title(&contact.role).to_owned()),
        ("Companies", companies.to_owned()),
        ("Known here since", reader.when(contact.since).text()),
        ("Came from", source(contact)),
    ];
    let first = first.map(|(title, text)| (title.to_owned(), text));
    let known = KNOWN
        .iter()
        .map(|known| (known.title.to_owned(), field(&FieldName::new(known.name))));
    let own = contact.profile.names().into_iter();
    let own = own
        .filter(|name| KNOWN.iter().all(|known| known.name != name.as_str()))
        .map(|name| (name.title(), field(name)));
    first.into_iter().chain(known).chain(own).collect()
}

/// How somebody came to be known.
pub(crate) fn source(contact: &Contact) -> String {
    if contact.remote.is_some() {
        return "Intercom".to_owned();
    }
    let edits = || contact.profile.edits.values();
    let by = |origin: Origin| edits().find(|edit| edit.origin == origin);
    if let Some(edit) = by(Origin::Import) {
        format!("an import by {}", edit.by)
    } else if let Some(edit) = by(Origin::Person) {
        format!("{}, by hand", edit.by)
    } else {
        "a merged contact".to_owned()
    }
}

/// What tells people apart, and what all of them have. What nobody has is left out.
fn compare(people: &[Told]) -> (Vec<Compared>, Vec<Compared>) {
    let mut titles: Vec<&str> = Vec::new();
    for (title, _) in people.iter().flatten() {
        if !titles.contains(&title.as_str()) {
            titles.push(title);
        }
    }
    let rows = titles.into_iter().map(|title| {
        let of = |told: &Told| {
            let found = told.iter().find(|(known, _)| known == title);
            found.map_or_else(String::new, |(_, text)| text.clone())
        };
        Compared {
            title: title.to_owned(),
            values: people.iter().map(of).collect(),
        }
    });
    let rows = rows.filter(|row| row.values.iter().any(|value| !value.is_empty()));
    let (alike, mut apart): (Vec<_>, Vec<_>) =
        rows.partition(|row| row.values.windows(2).all(|two| two[0] == two[1]));
    apart.truncate(OTHERS_MAX);
    (apart, alike)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(fields: &[(&str, &str)]) -> Told {
        let owned = fields
            .iter()
            .map(|(title, text)| ((*title).to_owned(), (*text).to_owned()));
        owned.collect()
    }

    #[test]
    fn what_tells_people_apart_stands_by_itself() {
        let people = [
            told(&[("Role", "user"), ("Name", "Noa"), ("Plan", "")]),
            told(&[("Role", "user"), ("Name", ""), ("Seats", "5")]),
        ];
        let (apart, alike) = compare(&people);
        let titles = |rows: &[Compared]| -> Vec<String> {
            rows.iter().map(|row| row.title.clone()).collect()
        };
        assert_eq!(titles(&apart), ["Name", "Seats"], "nobody has a plan");
        assert_eq!(apart[1].values, ["", "5"]);
        assert_eq!(titles(&alike), ["Role"]);
    }

    #[test]
    fn somebody_alone_is_compared_with_nobody() {
        let (apart, alike) = compare(&[told(&[("Role", "user")])]);
        assert!(apart.is_empty());
        assert_eq!(alike.len(), 1);
    }
}
