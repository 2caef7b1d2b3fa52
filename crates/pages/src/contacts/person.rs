//! One person: fields with where they came from, and all that hangs on them. Each kind of thing is
//! a section; the order of the list in [`sections`] is the order on the page.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{EditContacts, Fault, ManageContacts, Permission, SeeContacts, What};
use bowline_domain::contacts::field::{FieldName, FieldValue, KNOWN, email_key};
use bowline_domain::contacts::ids::ContactId;
use bowline_domain::contacts::profile::{Edit, Origin};
use bowline_domain::ids::ConversationId;
use bowline_store::contacts::{Contact, FieldEdit, Found};

use super::conflict::{self, Asked};
use super::own::{self, OwnField};
use super::{amount, hanging, issues, role_title, state, value_text};
use crate::App;
use crate::caller::{Caller, Fields, Number, Posted};
use crate::component::{Field, Lozenge};
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::Query;
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};

/// The longest value that can be typed, in letters.
const VALUE_LETTERS_MAX: usize = 1_000;

#[derive(Template)]
#[template(path = "contact.html")]
struct PersonPage {
    shell: Shell,
    id: i64,
    state: Lozenge,
    role: &'static str,
    workspace: String,
    remote: Option<String>,
    since: When,
    fields: Vec<FieldRow>,
    asked: Option<Asked>,
    sections: Vec<Section>,
    form: Vec<Field>,
    own: Vec<OwnField>,
    into: Field,
    sure_fault: Option<String>,
    edits: bool,
    manages: bool,
}

/// A field with where its value came from.
struct FieldRow {
    name: String,
    title: String,
    value: String,
    from: String,
    other: Option<String>,
}

/// A kind of thing that hangs on a person.
pub(crate) struct Section {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) items: Vec<Item>,
    /// What is said where there is nothing.
    pub(crate) empty: String,
}

/// One thing of a section.
pub(crate) struct Item {
    pub(crate) text: String,
    /// Where it leads, here.
    pub(crate) here: Option<String>,
    /// Where it leads, elsewhere.
    pub(crate) there: Option<String>,
    pub(crate) note: String,
}

async fn sections(
    app: &App,
    reader: &Reader,
    contact: &Contact,
) -> Result<Vec<Section>, PageError> {
    let conversations = conversations(app, contact).await?;
    let mut all = vec![companies(app, contact).await?];
    all.extend(conversations);
    all.push(hanging::tickets(app, reader, contact).await?);
    all.push(hanging::messages(app, reader, contact).await?);
    all.push(other_ids(app, contact).await?);
    Ok(all)
}

async fn companies(app: &App, contact: &Contact) -> Result<Section, PageError> {
    let found = app.shared.store.companies_of(&[contact.id]).await?;
    let items = found.into_iter().map(|(_, company)| {
        let spend = company
            .monthly_spend
            .map(|spend| format!("{} a month", amount(spend)));
        let note: Vec<String> = company.plan.into_iter().chain(spend).collect();
        Item {
            here: Some(format!("/companies/{}", company.id)),
            there: None,
            text: company.name,
            note: note.join(", "),
        }
    });
    Ok(Section {
        id: "companies",
        title: "Companies",
        items: items.collect(),
        empty: "None.".to_owned(),
    })
}

/// The conversations, as Intercom has them now, and the issues that they are linked to.
async fn conversations(app: &App, contact: &Contact) -> Result<Vec<Section>, PageError> {
    let (found, empty) = match &contact.remote {
        None => (Vec::new(), "Intercom does not know this person.".to_owned()),
        Some(remote) => {
            let asked = app
                .shared
                .conversations_of_contact(&contact.workspace, remote)
                .await;
            match asked {
                Ok(found) => (found, "None.".to_owned()),
                Err(why) => (
                    Vec::new(),
                    format!("Intercom could not be asked just now: {why}"),
                ),
            }
        }
    };
    let ids: Vec<ConversationId> = found
        .iter()
        .map(|conversation| ConversationId::new(conversation.id.as_str()))
        .collect();
    let items = found.into_iter().map(|conversation| Item {
        here: Some(crate::query::asking("/why", "q", &conversation.id)),
        there: Some(conversation.url),
        note: conversation.state,
        text: conversation.id,
    });
    Ok(vec![
        Section {
            id: "conversations",
            title: "Conversations",
            items: items.collect(),
            empty,
        },
        issues::section(app, contact, &ids).await?,
    ])
}

async fn other_ids(app: &App, contact: &Contact) -> Result<Section, PageError> {
    let aliases = app.shared.store.aliases_of(contact.id).await?;
    let items = aliases.into_iter().map(|id| Item {
        text: id,
        here: None,
        there: None,
        note: "merged into this contact".to_owned(),
    });
    Ok(Section {
        id: "merged",
        title: "Merged contacts",
        items: items.collect(),
        empty: "None.".to_owned(),
    })
}

fn field_rows(reader: &Reader, contact: &Contact) -> Vec<FieldRow> {
    let mut names: Vec<&FieldName> = contact.profile.names().into_iter().collect();
    let place = |name: &FieldName| {
        let known = KNOWN.iter().position(|known| known.name == name.as_str());
        known.unwrap_or(KNOWN.len())
    };
    names.sort_by(|one, other| place(one).cmp(&place(other)).then(one.cmp(other)));
    names
        .into_iter()
        .map(|name| {
            let shown = contact.profile.shown(name);
            let text = |value: &FieldValue| value_text(reader, name, value);
            let from = match shown.edit {
                None => "Intercom".to_owned(),
                Some(edit) => {
                    let how = match edit.origin {
                        Origin::Person => "set",
                        Origin::Import => "imported",
                        Origin::Merge => "from a merged contact,",
                    };
                    format!("{how} by {}, {}", edit.by, reader.when(edit.at).text())
                }
            };
            FieldRow {
                name: name.as_str().to_owned(),
                title: name.title(),
                value: shown.value.map_or_else(String::new, text),
                from,
                other: shown.other.map(text),
            }
        })
        .collect()
}

/// What can be typed.
const EDITABLE: [(&str, &str, &str); 3] = [
    (FieldName::NAME, "Name", "text"),
    (FieldName::EMAIL, "E-mail address", "email"),
    (FieldName::PHONE, "Telephone", "text"),
];

/// What came of a form.
#[derive(Default)]
struct Came {
    faults: Vec<Fault>,
    /// What is wrong with attributes of the workspace's own.
    wrong: Vec<own::Wrong>,
    /// What was typed in the form of the fields.
    typed: Option<Fields>,
    /// What was typed in the form of merging.
    into: String,
}

async fn show<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    id: i64,
    query: &Query,
    came: Came,
) -> Result<Response, PageError> {
    let contact = match app.shared.store.contact(ContactId(id)).await? {
        Some(Found::Here(contact)) => *contact,
        Some(Found::Merged(into)) => return Ok(see_other(&format!("/contacts/{into}"))),
        None => return Err(caller.not_found("There is no such contact. It may have been erased.")),
    };
    let reader = &caller.reader;
    let typed = |name: &str| match &came.typed {
        Some(fields) => fields.get(name).to_owned(),
        None => contact.profile.text(name),
    };
    let form = EDITABLE.iter().map(|(name, label, kind)| {
        Field::new(name, label, kind)
            .with(&typed(name))
            .filled("off")
            .optional()
            .faulty(&came.faults)
    });
    let page = PersonPage {
        shell: caller
            .shell(contact.name.clone(), Place::Contacts)
            .noting(notice::of(query)),
        id,
        state: state(&contact),
        role: role_title(&contact.role),
        workspace: contact.workspace.to_string(),
        remote: contact.remote.as_ref().map(ToString::to_string),
        since: reader.when(contact.since),
        fields: field_rows(reader, &contact),
        asked: conflict::asked(app, reader, &contact).await?,
        sections: sections(app, reader, &contact).await?,
        own: own::fields(&contact.profile, came.typed.as_ref(), &came.wrong),
        form: form.collect(),
        into: Field::new("into", "Number of the other contact", "text")
            .with(&came.into)
            .filled("off")
            .hinting("The number at the end of its address here.")
            .faulty(&came.faults),
        sure_fault: crate::component::fault_of(&came.faults, "sure"),
        edits: caller.who().may::<EditContacts>(),
        manages: caller.who().may::<ManageContacts>(),
    };
    let status = if came.faults.is_empty() && came.wrong.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok((status, html(&page)).into_response())
}

pub(crate) async fn page(
    State(app): State<App>,
    Number(id): Number,
    caller: Caller<SeeContacts>,
    query: Query,
) -> Result<Response, PageError> {
    show(&app, &caller, id, &query, Came::default()).await
}

/// What is wrong with a value that was typed, if something is.
pub(crate) fn fault(name: &str, text: &str) -> Option<String> {
    if text.chars().count() > VALUE_LETTERS_MAX {
        return Some(format!("Write at most {VALUE_LETTERS_MAX} letters."));
    }
    let is_address = name == FieldName::EMAIL;
    (is_address && !text.is_empty() && email_key(text).is_none()).then(|| {
        format!("“{text}” is no e-mail address. Write it like noa@example.com, or leave it empty.")
    })
}

/// What a field is to hold.
pub(crate) enum To {
    /// A value that is set here, or none.
    Value(Option<FieldValue>),
    /// What Intercom says.
    Intercoms,
}

/// Sets one field, or has it follow Intercom again, and writes it down. Answers whether anything
/// changed.
pub(crate) async fn set(
    app: &App,
    who: &bowline_access::Who,
    contact: ContactId,
    name: &str,
    to: To,
) -> Result<bool, bowline_store::StoreError> {
    let (value, detail) = match to {
        To::Value(value) => (Some(value), format!("{name} was set")),
        To::Intercoms => (None, format!("{name} follows Intercom again")),
    };
    let entry = app.access.entry(
        who,
        What::ContactEdited,
        format!("contact {contact}"),
        detail,
    );
    let edit = value.map(|value| Edit {
        value,
        origin: Origin::Person,
        by: who.name(),
        at: entry.at,
    });
    let edit = FieldEdit {
        contact,
        name: FieldName::new(name),
        edit,
    };
    app.shared.store.edit_field(edit, entry).await
}

pub(crate) async fn edit(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<EditContacts>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let faults: Vec<Fault> = EDITABLE
        .iter()
        .filter_map(|(name, ..)| {
            let words = fault(name, fields.get(name).trim())?;
            Some(Fault::new(name, words))
        })
        .collect();
    let Some(Found::Here(contact)) = app.shared.store.contact(ContactId(id)).await? else {
        return Err(caller.not_found("There is no such contact."));
    };
    let (changes, wrong) = own::changes(&contact.profile, &fields);
    if !faults.is_empty() || !wrong.is_empty() {
        let came = Came {
            faults,
            wrong,
            typed: Some(fields),
            ..Came::default()
        };
        return show(&app, &caller, id, &Query::default(), came).await;
    }
    for (name, ..) in EDITABLE {
        let typed = fields.get(name).trim();
        if typed != contact.profile.text(name) {
            let value = (!typed.is_empty()).then(|| FieldValue::text(typed));
            set(&app, caller.who(), contact.id, name, To::Value(value)).await?;
        }
    }
    for (name, value) in changes {
        set(
            &app,
            caller.who(),
            contact.id,
            name.as_str(),
            To::Value(value),
        )
        .await?;
    }
    Ok(see_other(&format!("/contacts/{id}?done=saved")))
}

pub(crate) async fn use_intercom(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<EditContacts>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let changed = set(
        &app,
        caller.who(),
        ContactId(id),
        fields.get("field"),
        To::Intercoms,
    )
    .await?;
    let done = if changed { "intercoms" } else { "gone" };
    Ok(see_other(&format!("/contacts/{id}?done={done}")))
}

pub(crate) async fn decide(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<EditContacts>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let conflict = fields.get("conflict").parse().unwrap_or(0);
    let typed = fields.get("into").trim();
    let into: Option<i64> = typed.parse().ok();
    // What names nobody is not “none of them”.
    if into.is_none() && !typed.is_empty() {
        return Ok(see_other(&format!("/contacts/{id}?done=gone")));
    }
    let detail = match into {
        Some(into) => format!("the same as contact {into}"),
        None => "somebody of their own".to_owned(),
    };
    let entry = app.access.entry(
        caller.who(),
        What::ContactDecided,
        format!("contact {id}"),
        detail,
    );
    let decided = app
        .shared
        .store
        .decide_conflict(
            bowline_domain::contacts::ids::ConflictId(conflict),
            into.map(ContactId),
            entry,
        )
        .await?;
    let done = if decided { "decided" } else { "gone" };
    let to = into.filter(|_| decided).unwrap_or(id);
    Ok(see_other(&format!("/contacts/{to}?done={done}")))
}

/// Merges one contact into another. Words, if it cannot be.
pub(crate) async fn merge_into(
    app: &App,
    who: &bowline_access::Who,
    from: ContactId,
    into: ContactId,
) -> Result<Result<(), String>, bowline_store::StoreError> {
    if from == into {
        return Ok(Err("That is the same contact.".to_owned()));
    }
    let entry = app.access.entry(
        who,
        What::ContactMerged,
        format!("contact {from}"),
        format!("into contact {into}"),
    );
    let joined = app.shared.store.join_contacts(from, into, entry).await?;
    Ok(if joined {
        Ok(())
    } else {
        Err(format!(
            "There is no contact {into} in the same workspace. Open the one that is to stay and \
             take the number from its address."
        ))
    })
}

pub(crate) async fn merge(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<EditContacts>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let typed = fields.get("into").trim();
    let wrong = match typed.parse() {
        Ok(into) => {
            let merged = merge_into(&app, caller.who(), ContactId(id), ContactId(into)).await?;
            match merged {
                Ok(()) => return Ok(see_other(&format!("/contacts/{into}?done=contacts-merged"))),
                Err(wrong) => wrong,
            }
        }
        Err(_) => format!("“{typed}” is no number of a contact."),
    };
    let came = Came {
        faults: vec![Fault::new("into", wrong)],
        into: typed.to_owned(),
        ..Came::default()
    };
    show(&app, &caller, id, &Query::default(), came).await
}

pub(crate) async fn erase(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<ManageContacts>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    if fields.get("sure") != "yes" {
        let words = "Tick that you are sure: nothing of this person can be brought back.";
        let came = Came {
            faults: vec![Fault::new("sure", words)],
            ..Came::default()
        };
        return show(&app, &caller, id, &Query::default(), came).await;
    }
    let entry = app.access.entry(
        caller.who(),
        What::ContactErased,
        format!("contact {id}"),
        "",
    );
    if !app.shared.erase_contact(ContactId(id), entry).await? {
        return Err(caller.not_found("There is no such contact. It may have been erased already."));
    }
    Ok(see_other("/contacts?done=erased"))
}
