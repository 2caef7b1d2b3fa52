//! Importing people from a CSV file: first what each line comes to, then, by a second form, the
//! import itself. The file is chosen or its lines are pasted; the preview holds them.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{Fault, ManageContacts, What};
use bowline_domain::contacts::field::{FieldName, FieldValue};
use bowline_domain::contacts::ids::RemoteContactId;
use bowline_domain::contacts::profile::Fields as Values;
use bowline_domain::ids::WorkspaceName;
use bowline_store::contacts::{FieldChange, ImportStep, Imported};

use super::person::fault;
use super::{value_plain, workspaces};
use crate::App;
use crate::caller::{Caller, Posted};
use crate::component::{Lozenge, Select, Tone, fault_of};
use crate::error::{PageError, html, see_other};
use crate::notice;
use crate::query::{DONE, Query, asking};
use crate::shell::{Place, Shell};

/// Lines that are taken at once.
const LINES_MAX: usize = 5_000;

/// Lines that the preview shows.
const SHOWN_MAX: usize = 100;

/// Fields of a line that the preview shows, and letters of a value.
const CHANGES_MAX: usize = 10;
const VALUE_CHARS_MAX: usize = 80;

/// Lines that one transaction takes.
const AT_ONCE: usize = 50;

#[derive(Template)]
#[template(path = "contact-import.html")]
struct ImportPage {
    shell: Shell,
    workspace: Select,
    text: String,
    fault: Option<String>,
    preview: Option<Preview>,
}

/// What a file comes to.
struct Preview {
    workspace: String,
    adds: usize,
    edits: usize,
    same: usize,
    unclear: usize,
    lines: Vec<Shown>,
    more: usize,
}

/// A line as the preview shows it.
struct Shown {
    line: usize,
    /// Who it is about: as they are known here, or as the file calls them.
    who: String,
    /// The page of who is known.
    path: Option<String>,
    step: Lozenge,
    /// Each field that changes: what it is called, what it says now, and what it will say.
    changes: Vec<(String, String, String)>,
    /// Fields that change besides.
    more: usize,
}

/// A line of a file, or what is wrong with it.
type Line = Result<Imported, String>;

/// Reads CSV: cells may be in double quotes, in which a quote is doubled; lines end by LF or CRLF.
pub(crate) fn cells(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut letters = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, quoted) {
            ('"', true) if letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            ('"', true) => quoted = false,
            ('"', false) if cell.is_empty() => quoted = true,
            (',', false) => row.push(std::mem::take(&mut cell)),
            ('\r', false) if letters.peek() == Some(&'\n') => {}
            ('\n', false) => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            (letter, _) => cell.push(letter),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows.retain(|row| row.iter().any(|cell| !cell.trim().is_empty()));
    rows
}

/// What a column is called in a file, by the field that it fills.
fn column(head: &str) -> Column {
    let head = head.trim().to_lowercase().replace([' ', '-'], "_");
    match head.as_str() {
        "intercom_id" => Column::Remote,
        "external_id" | "user_id" => Column::External,
        "name" => Column::Field(FieldName::new(FieldName::NAME)),
        "email" | "e_mail" | "email_address" => Column::Field(FieldName::new(FieldName::EMAIL)),
        "phone" | "telephone" => Column::Field(FieldName::new(FieldName::PHONE)),
        // What the export writes besides, which is not set by hand.
        "id" | "role" | "state" | "known_since" | "" => Column::Ignored,
        _ => {
            let name = FieldName::new(head.as_str());
            if name.may_be_edited() {
                return Column::Field(name);
            }
            let known = bowline_domain::contacts::field::KNOWN;
            if known.iter().any(|known| known.name == head) {
                Column::Ignored
            } else {
                Column::Field(FieldName::custom(&head))
            }
        }
    }
}

enum Column {
    Remote,
    External,
    Field(FieldName),
    Ignored,
}

/// The lines of a file.
fn read(text: &str) -> Result<Vec<Line>, String> {
    if text.contains('\u{fffd}') {
        return Err(
            "The file is not written in UTF-8. In the spreadsheet, save it as “CSV UTF-8”."
                .to_owned(),
        );
    }
    let mut rows = cells(text).into_iter();
    let head = rows.next().ok_or("The file is empty.")?;
    let columns: Vec<Column> = head.iter().map(|head| column(head)).collect();
    let known = columns.iter().any(|column| match column {
        Column::Remote | Column::External => true,
        Column::Field(name) => name.as_str() == FieldName::EMAIL,
        Column::Ignored => false,
    });
    if !known {
        return Err(
            "The first line must name the columns, and one of them must be email, external_id or \
             intercom_id: people are known by those."
                .to_owned(),
        );
    }
    let lines: Vec<Line> = rows.map(|row| line(&columns, &row)).collect();
    if lines.is_empty() {
        return Err("The file has a first line only.".to_owned());
    }
    if lines.len() > LINES_MAX {
        return Err(format!(
            "The file has {} lines; at most {LINES_MAX} are taken at once. Part it, or use the \
             REST API.",
            lines.len()
        ));
    }
    Ok(lines)
}

fn line(columns: &[Column], row: &[String]) -> Line {
    let mut imported = Imported {
        remote: None,
        external_id: None,
        fields: Values::new(),
    };
    for (column, cell) in columns.iter().zip(row) {
        // Written by an export, which marks what a spreadsheet would take for a formula.
        let cell = cell.trim();
        let cell = match cell.strip_prefix('\'') {
            Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
            _ => cell,
        };
        if cell.is_empty() {
            continue;
        }
        match column {
            Column::Remote => imported.remote = Some(RemoteContactId::new(cell)),
            Column::External => imported.external_id = Some(cell.to_owned()),
            Column::Field(name) => {
                if let Some(wrong) = fault(name.as_str(), cell) {
                    return Err(wrong);
                }
                imported.fields.insert(name.clone(), FieldValue::text(cell));
            }
            Column::Ignored => {}
        }
    }
    let has_address = imported
        .fields
        .contains_key(&FieldName::new(FieldName::EMAIL));
    if imported.remote.is_none() && imported.external_id.is_none() && !has_address {
        return Err(
            "There is no address and no id in it, so nobody can be known by it.".to_owned(),
        );
    }
    Ok(imported)
}

fn told(step: &ImportStep) -> Lozenge {
    match step {
        ImportStep::Adds => Lozenge::new(Tone::Good, "added"),
        ImportStep::Edits(_) => Lozenge::new(Tone::Busy, "changed"),
        ImportStep::Same(_) => Lozenge::new(Tone::Plain, "unchanged"),
        ImportStep::Unclear => Lozenge::new(Tone::Warn, "several fit, left out"),
    }
}

fn called(imported: &Imported) -> String {
    let field = |name: &str| {
        let value = imported.fields.get(&FieldName::new(name));
        value.map(FieldValue::as_text)
    };
    field(FieldName::NAME)
        .or_else(|| field(FieldName::EMAIL))
        .or_else(|| imported.external_id.clone())
        .unwrap_or_default()
}

/// What lines come to, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) adds: usize,
    pub(crate) edits: usize,
    pub(crate) same: usize,
    pub(crate) unclear: usize,
}

impl Tally {
    pub(crate) fn of(steps: &[ImportStep]) -> Self {
        let mut tally = Self::default();
        for step in steps {
            let count = match step {
                ImportStep::Adds => &mut tally.adds,
                ImportStep::Edits(_) => &mut tally.edits,
                ImportStep::Same(_) => &mut tally.same,
                ImportStep::Unclear => &mut tally.unclear,
            };
            *count += 1;
        }
        tally
    }
}

/// The word by which the list is told that an import was done, with what came of it.
const IMPORTED: &str = "contacts-imported.";

fn done(tally: Tally) -> String {
    let Tally {
        adds,
        edits,
        same,
        unclear,
    } = tally;
    format!("{IMPORTED}{adds}-{edits}-{same}-{unclear}")
}

/// What an import came to, in words, where the list is told of one.
pub(super) fn imported(query: &Query) -> Option<String> {
    let counts = query.get(DONE)?.strip_prefix(IMPORTED)?;
    let counts: Result<Vec<u32>, _> = counts.split('-').map(str::parse).collect();
    let Ok([adds, edits, same, unclear]) = <[u32; 4]>::try_from(counts.ok()?) else {
        return None;
    };
    let left_out = match unclear {
        0 => "none left out".to_owned(),
        some => format!("{some} left out, because several people fit"),
    };
    Some(format!(
        "Imported: {adds} new, {edits} changed, {same} unchanged, {left_out}."
    ))
}

/// A value as the preview shows it, not longer than can be read at a glance.
fn short(text: &str) -> String {
    if text.chars().count() <= VALUE_CHARS_MAX {
        return text.to_owned();
    }
    let start: String = text.chars().take(VALUE_CHARS_MAX).collect();
    format!("{start}…")
}

fn shown(line: usize, imported: &Imported, step: &ImportStep) -> Shown {
    let (mut who, mut path, mut changes, mut more) = (called(imported), None, Vec::new(), 0);
    match step {
        ImportStep::Edits(over) => {
            who.clone_from(&over.known_as);
            path = Some(format!("/contacts/{}", over.id));
            more = over.changes.len().saturating_sub(CHANGES_MAX);
            changes = over.changes.iter().take(CHANGES_MAX).map(change).collect();
        }
        ImportStep::Same(id) => path = Some(format!("/contacts/{id}")),
        ImportStep::Adds | ImportStep::Unclear => {}
    }
    Shown {
        line,
        who,
        path,
        step: told(step),
        changes,
        more,
    }
}

fn change(change: &FieldChange) -> (String, String, String) {
    let old = change
        .old
        .as_ref()
        .map(|old| value_plain(&change.name, old));
    (
        change.name.title(),
        old.filter(|old| !old.is_empty())
            .map_or_else(|| "nothing".to_owned(), |old| short(&old)),
        short(&value_plain(&change.name, &change.new)),
    )
}

async fn preview(
    app: &App,
    workspace: &WorkspaceName,
    people: &[Imported],
) -> Result<Preview, PageError> {
    let now = app.shared.now();
    let steps = app
        .shared
        .store
        .preview_import(workspace, people.to_vec(), now)
        .await?;
    let tally = Tally::of(&steps);
    let mut lines: Vec<Shown> = people
        .iter()
        .zip(&steps)
        .enumerate()
        .map(|(at, (imported, step))| shown(at + 2, imported, step))
        .collect();
    // What has to be looked at first: who changes, then who is left out.
    lines.sort_by_key(|shown| match &steps[shown.line - 2] {
        ImportStep::Edits(_) => 0,
        ImportStep::Unclear => 1,
        ImportStep::Adds => 2,
        ImportStep::Same(_) => 3,
    });
    lines.truncate(SHOWN_MAX);
    Ok(Preview {
        workspace: workspace.to_string(),
        adds: tally.adds,
        edits: tally.edits,
        same: tally.same,
        unclear: tally.unclear,
        lines,
        more: people.len().saturating_sub(SHOWN_MAX),
    })
}

/// What came of a form.
#[derive(Default)]
struct Came {
    text: String,
    faults: Vec<Fault>,
    preview: Option<Preview>,
}

async fn show(
    app: &App,
    caller: &Caller<ManageContacts>,
    query: &Query,
    chosen: Option<&WorkspaceName>,
    came: Came,
) -> Result<Response, PageError> {
    let (names, first) = workspaces(app, query).await?;
    let chosen = chosen.or(first.as_ref());
    let chosen = chosen.map_or("", WorkspaceName::as_str);
    let all = names
        .iter()
        .map(|name| (name.to_string(), name.to_string()));
    let page = ImportPage {
        shell: caller
            .shell("Import people", Place::Contacts)
            .noting(notice::of(query)),
        workspace: Select::new("workspace", "Workspace", all, chosen),
        fault: fault_of(&came.faults, "text"),
        text: came.text,
        preview: came.preview,
    };
    let status = if came.faults.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok((status, html(&page)).into_response())
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<ManageContacts>,
    query: Query,
) -> Result<Response, PageError> {
    show(&app, &caller, &query, None, Came::default()).await
}

pub(crate) async fn send(
    State(app): State<App>,
    posted: Posted<ManageContacts>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let query = Query::default();
    let (names, _) = workspaces(&app, &query).await?;
    let several = names.len() > 1;
    let name = fields.get("workspace");
    let Some(workspace) = names.into_iter().find(|known| known.as_str() == name) else {
        return Err(caller.not_found("There is no such workspace."));
    };
    let file = fields.get("file");
    let text = if file.trim().is_empty() {
        fields.get("text").to_owned()
    } else {
        file.to_owned()
    };
    let people = match read(&text) {
        Ok(lines) => {
            let wrong = lines
                .iter()
                .enumerate()
                .find_map(|(at, line)| Some((at + 2, line.as_ref().err()?)));
            match wrong {
                None => lines.into_iter().flatten().collect::<Vec<_>>(),
                Some((at, why)) => {
                    let words = format!("Line {at}: {why}");
                    let came = Came {
                        text,
                        faults: vec![Fault::new("text", words)],
                        preview: None,
                    };
                    return show(&app, &caller, &query, Some(&workspace), came).await;
                }
            }
        }
        Err(why) => {
            let came = Came {
                text,
                faults: vec![Fault::new("text", why)],
                preview: None,
            };
            return show(&app, &caller, &query, Some(&workspace), came).await;
        }
    };
    if fields.get("step") != "import" {
        let preview = preview(&app, &workspace, &people).await?;
        let came = Came {
            text,
            faults: Vec::new(),
            preview: Some(preview),
        };
        return show(&app, &caller, &query, Some(&workspace), came).await;
    }
    let by = caller.who().name();
    let now = app.shared.now();
    let mut steps = Vec::with_capacity(people.len());
    for part in people.chunks(AT_ONCE) {
        let store = &app.shared.store;
        let taken = store.import_contacts(&workspace, part.to_vec(), &by, now);
        steps.extend(taken.await?);
    }
    let tally = Tally::of(&steps);
    app.access
        .write_down(
            caller.who(),
            What::ContactsImported,
            workspace.as_str(),
            &format!(
                "{} lines: {} new, {} changed, {} unchanged, {} left out",
                people.len(),
                tally.adds,
                tally.edits,
                tally.same,
                tally.unclear
            ),
        )
        .await?;
    let done = asking("/contacts", DONE, &done(tally));
    Ok(see_other(&if several {
        format!("{done}&workspace={workspace}")
    } else {
        done
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_spreadsheets_write_them() {
        let text = "\u{feff}Name,E-Mail,Plan\r\n\"Lind, Noa\",noa@example.com,\"a \"\"b\"\"\nc\"\r\n\r\n,,\n";
        assert_eq!(
            cells(text),
            [
                vec!["Name", "E-Mail", "Plan"],
                vec!["Lind, Noa", "noa@example.com", "a \"b\"\nc"],
            ]
        );
        let lines = read(text).unwrap();
        let imported = lines[0].as_ref().unwrap();
        assert_eq!(called(imported), "Lind, Noa");
        assert!(imported.fields.contains_key(&FieldName::custom("plan")));
    }

    #[test]
    fn what_is_wrong_is_said_by_its_line() {
        assert!(read("").unwrap_err().contains("empty"));
        assert!(read("name\nNoa").unwrap_err().contains("external_id"));
        assert!(read("email").unwrap_err().contains("first line only"));
        let lines = read("email,name\nnoa,Noa\n,Ben\n'+46,x").unwrap();
        assert!(lines[0].as_ref().unwrap_err().contains("no e-mail address"));
        assert!(lines[1].as_ref().unwrap_err().contains("nobody"));
        assert!(
            read("email\n\u{fffd}@example.com")
                .unwrap_err()
                .contains("UTF-8")
        );
        let many = format!("email\n{}", "a@example.com\n".repeat(LINES_MAX + 1));
        assert!(read(&many).unwrap_err().contains("at most"));
    }

    #[test]
    fn what_came_of_an_import_is_told_in_numbers_only() {
        let tally = Tally::of(&[ImportStep::Adds, ImportStep::Adds, ImportStep::Unclear]);
        let told = |word: &str| imported(&Query::read(&format!("done={word}")));
        assert_eq!(
            told(&done(tally)).unwrap(),
            "Imported: 2 new, 0 changed, 0 unchanged, 1 left out, because several people fit."
        );
        assert!(
            told("contacts-imported.1-2-3-0")
                .unwrap()
                .contains("none left out")
        );
        for other in ["contacts-imported", "contacts-imported.1-2-3", "saved", ""] {
            assert_eq!(told(other), None, "{other}");
        }
        assert_eq!(told("contacts-imported.1-2-3-<b>"), None);
    }

    #[test]
    fn a_long_value_is_cut() {
        assert_eq!(short("ä"), "ä");
        assert_eq!(short(&"ä".repeat(200)).chars().count(), VALUE_CHARS_MAX + 1);
    }

    #[test]
    fn an_export_can_be_imported() {
        let text = "\"id\",\"intercom_id\",\"phone\",\"created_at\",\"custom.plan\"\r\n\
                    \"7\",\"6762f0\",\"'+4670\",\"2026-01-01T00:00:00Z\",\"Pro\"\r\n";
        let lines = read(text).unwrap();
        let imported = lines[0].as_ref().unwrap();
        let names: Vec<&str> = imported.fields.keys().map(FieldName::as_str).collect();
        assert_eq!(names, ["custom.plan", "phone"]);
        let phone = &imported.fields[&FieldName::new("phone")];
        assert_eq!(phone.as_text(), "+4670");
    }
}
