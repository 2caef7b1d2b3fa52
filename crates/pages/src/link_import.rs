//! Importing links from a file: first what each of them comes to, then, by a second form, the
//! import itself. The file is pasted or chosen, and held as text by the preview. What Jira has a
//! record of itself is read into such a text.
//!
//! Read are Bowline's own exports (CSV and JSON), and the lines that the migration tool of the app
//! “Intercom for Jira” writes (`workItemKey` with `conversationIds`, once unpacked).

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{ChangeLinks, Permission, What, Who};
use bowline_domain::ids::{ConversationId, SiteName, WorkspaceName};
use bowline_engine::recorded::recorded_links;
use bowline_engine::shared::queue_link_import;
use bowline_store::model::LinkFilter;
use serde_json::{Value, json};

use crate::App;
use crate::caller::{Caller, Posted};
use crate::component::{Lozenge, Select, Tone};
use crate::deliveries::projects;
use crate::error::{PageError, html, see_other};
use crate::links::place;
use crate::query::Query;
use crate::shell::{Place, Shell};
use crate::words::{csv_line, some};

/// Links that are taken at once.
const LINKS_MAX: usize = 500;

/// Rows that the preview shows.
const SHOWN_MAX: usize = 200;

#[derive(Template)]
#[template(path = "link-import.html")]
struct ImportPage {
    shell: Shell,
    text: String,
    fault: Option<String>,
    preview: Option<Preview>,
    links_max: usize,
    from: Select,
    /// What was found in Jira, in words.
    found: Option<String>,
    from_fault: Option<String>,
}

/// What a file comes to.
struct Preview {
    adds: usize,
    same: usize,
    left: usize,
    done: bool,
    rows: Vec<(String, String, Lozenge, String)>,
    more: usize,
}

/// What was found in Jira.
#[derive(Default)]
struct FromJira {
    found: Option<String>,
    fault: Option<String>,
}

/// What Jira has a record of and is not linked yet, as the text of a file.
pub(crate) struct Recorded {
    pub(crate) text: String,
    /// Where it comes from and what is left for another time, in words.
    pub(crate) words: String,
    /// Nothing is to be imported.
    pub(crate) none: bool,
}

/// Reads what Jira has a record of in the issues of a project.
///
/// # Errors
/// In words; or the store fails.
pub(crate) async fn recorded(app: &App, from: &str) -> Result<Result<Recorded, String>, PageError> {
    let bindings = app.shared.bindings_now();
    let bound = bindings
        .iter()
        .find(|binding| format!("{}/{}", binding.site, binding.project) == from);
    let Some(binding) = bound else {
        return Ok(Err(format!(
            "“{from}” is no project that is joined to a workspace. Choose one of those listed."
        )));
    };
    let found = match recorded_links(&app.shared, &binding.site, &binding.project).await {
        Ok(found) => found,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let mut text = "issue,workspace,conversation\n".to_owned();
    let (mut new, mut known, mut later) = (0, 0, false);
    'issues: for (key, ids) in &found.issues {
        for id in ids {
            let mut link = Named::of(key.as_str(), id);
            link.workspace = Some(binding.workspace.to_string());
            if matches!(comes(app, &link).await?, Comes::Same) {
                known += 1;
                continue;
            }
            if new == LINKS_MAX {
                later = true;
                break 'issues;
            }
            new += 1;
            let cells = [
                link.issue.as_str(),
                binding.workspace.as_str(),
                &link.conversation,
            ];
            text.push_str(&csv_line(cells));
        }
    }
    let how = if found.searched {
        "found by the property"
    } else {
        "gone through, because Jira does not search this property here"
    };
    let mut words = format!(
        "{} of {from} {how}: {} with linked conversations, {known} linked already.",
        some(i64::try_from(found.read).unwrap_or(i64::MAX), "issue"),
        found.issues.len(),
    );
    if later {
        words.push_str(" There are more: import these, then look again.");
    }
    if found.cut {
        words.push_str(" The project has more issues than are gone through; a file has them all.");
    }
    Ok(Ok(Recorded {
        none: new == 0,
        text,
        words,
    }))
}

/// A link as a file names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    pub(crate) issue: String,
    pub(crate) conversation: String,
    /// The workspace that the file says it is in.
    pub(crate) workspace: Option<String>,
    /// Did the file say that it ended?
    pub(crate) ended: bool,
}

impl Named {
    fn of(issue: &str, conversation: &str) -> Self {
        let typed = conversation.trim();
        let address = bowline_text::address::parse(typed).map(|address| address.conversation);
        Self {
            issue: issue.trim().to_uppercase(),
            conversation: address.unwrap_or_else(|| typed.to_owned()),
            workspace: None,
            ended: false,
        }
    }
}

/// Reads a file: each link once, in its order.
///
/// # Errors
/// It is none of the known kinds, in words.
pub(crate) fn read(text: &str) -> Result<Vec<Named>, String> {
    let text = text.trim();
    let found = if text.starts_with('[') {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| format!("It begins as JSON and is none: {error}."))?;
        value
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(in_json)
            .collect()
    } else if text.starts_with('{') {
        json_lines(text)?
    } else {
        csv(text)?
    };
    let mut known = BTreeSet::new();
    let once: Vec<Named> = found
        .into_iter()
        .filter(|link: &Named| known.insert(link.clone()))
        .collect();
    match once.len() {
        0 => Err("It names no links. Each needs an issue and a conversation.".to_owned()),
        count if count > LINKS_MAX => Err(format!(
            "It names {count} links. At most {LINKS_MAX} are taken at once; paste it in parts."
        )),
        _ => Ok(once),
    }
}

fn json_lines(text: &str) -> Result<Vec<Named>, String> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let value: Value = serde_json::from_str(line)
            .map_err(|error| format!("Line {} is no JSON: {error}.", at + 1))?;
        found.extend(in_json(&value));
    }
    Ok(found)
}

/// The links in one record: one of Bowline's, or all of an issue's, perhaps within an envelope that
/// says what kind of record it is.
fn in_json(value: &Value) -> Vec<Named> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    if let (Some(issue), Some(conversation)) = (text("issue"), text("conversation")) {
        return vec![Named {
            workspace: text("workspace").map(str::to_owned),
            ended: value.get("linked") == Some(&Value::Bool(false)),
            ..Named::of(issue, conversation)
        }];
    }
    if let (Some(issue), Some(ids)) = (
        text("workItemKey").or(text("issueKey")),
        value.get("conversationIds").and_then(Value::as_array),
    ) {
        let ids = ids.iter().filter_map(Value::as_str);
        return ids.map(|id| Named::of(issue, id)).collect();
    }
    let inner = value.as_object().into_iter().flatten();
    let inner = inner.filter(|(_, value)| value.is_object());
    inner.flat_map(|(_, value)| in_json(value)).collect()
}

fn csv(text: &str) -> Result<Vec<Named>, String> {
    let mut rows = crate::contacts::import::cells(text).into_iter();
    let head = rows.next().unwrap_or_default();
    let column = |names: &[&str]| {
        let is = |cell: &String| names.contains(&cell.trim().to_lowercase().as_str());
        head.iter().position(is)
    };
    let (Some(issue), Some(conversation)) = (
        column(&["issue", "key", "issue key"]),
        column(&["conversation", "conversation_id", "conversation id"]),
    ) else {
        return Err(
            "The first line names the columns, among them “issue” and “conversation”. A file that \
             Bowline exported has them."
                .to_owned(),
        );
    };
    let (workspace, linked) = (column(&["workspace"]), column(&["linked"]));
    let links = rows.filter(|row| row.iter().any(|cell| !cell.trim().is_empty()));
    let links = links.map(|row| {
        let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).map(|cell| cell.trim());
        Named {
            workspace: cell(workspace)
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
            ended: cell(linked) == Some("no"),
            ..Named::of(
                cell(Some(issue)).unwrap_or_default(),
                cell(Some(conversation)).unwrap_or_default(),
            )
        }
    });
    Ok(links.collect())
}

/// What a link comes to.
pub(crate) enum Comes {
    /// It is made.
    Add(SiteName, WorkspaceName),
    /// It is there.
    Same,
    /// It is not made, for this reason.
    Left(String),
}

pub(crate) async fn comes(app: &App, link: &Named) -> Result<Comes, PageError> {
    if link.ended {
        return Ok(Comes::Left(
            "It had ended when the file was made.".to_owned(),
        ));
    }
    let id = &link.conversation;
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Comes::Left(
            "This is no conversation's number or address.".to_owned(),
        ));
    }
    let (site, workspace) = match place(app, &link.issue) {
        Ok(joined) => (joined.site, joined.workspace),
        Err(words) => return Ok(Comes::Left(words)),
    };
    if let Some(other) = link
        .workspace
        .as_ref()
        .filter(|name| **name != *workspace.as_str())
    {
        return Ok(Comes::Left(format!(
            "The file says that it is in the workspace “{other}”; the project is joined to \
             “{workspace}”, where the number means another conversation."
        )));
    }
    let filter = LinkFilter {
        issue: Some(link.issue.clone()),
        conversation: Some(ConversationId::new(id.as_str())),
        limit: 10,
        ..LinkFilter::default()
    };
    let known = app.shared.store.links(&filter).await?;
    let same = known
        .iter()
        .any(|view| view.link.live && view.site == site && view.link.workspace == workspace);
    Ok(if same {
        Comes::Same
    } else {
        Comes::Add(site, workspace)
    })
}

/// Takes a file in, or tells only what would come of it.
async fn preview(app: &App, links: &[Named], make: Option<&str>) -> Result<Preview, PageError> {
    let mut preview = Preview {
        adds: 0,
        same: 0,
        left: 0,
        done: make.is_some(),
        rows: Vec::new(),
        more: links.len().saturating_sub(SHOWN_MAX),
    };
    for link in links {
        let (word, words) = match comes(app, link).await? {
            Comes::Add(site, workspace) => {
                preview.adds += 1;
                if let Some(by) = make {
                    let at = (workspace.as_str(), link.conversation.as_str());
                    let now = (app.shared.now(), app.shared.draw());
                    queue_link_import(&app.shared.store, (&site, &link.issue), at, by, now)
                        .await
                        .map_err(|refusal| PageError::bad_form(&refusal.to_string()))?;
                }
                let word = if make.is_some() {
                    "queued"
                } else {
                    "is linked"
                };
                (Lozenge::new(Tone::Good, word), format!("in {workspace}"))
            }
            Comes::Same => {
                preview.same += 1;
                (Lozenge::new(Tone::Plain, "linked already"), String::new())
            }
            Comes::Left(words) => {
                preview.left += 1;
                (Lozenge::new(Tone::Warn, "left out"), words)
            }
        };
        if preview.rows.len() < SHOWN_MAX {
            let (issue, id) = (link.issue.clone(), link.conversation.clone());
            preview.rows.push((issue, id, word, words));
        }
    }
    Ok(preview)
}

fn shown<P: Permission>(
    app: &App,
    caller: &Caller<P>,
    (text, from): (String, &str),
    came: Result<Option<Preview>, String>,
    jira: FromJira,
) -> Response {
    let status = match &came {
        Ok(_) if jira.fault.is_none() => StatusCode::OK,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let (preview, fault) = match came {
        Ok(preview) => (preview, None),
        Err(words) => (None, Some(words)),
    };
    let page = ImportPage {
        shell: caller.shell("Import links", Place::Links),
        text,
        fault,
        preview,
        links_max: LINKS_MAX,
        from: Select::new("from", "Project", projects(app).into_iter().skip(1), from),
        found: jira.found,
        from_fault: jira.fault,
    };
    (status, html(&page)).into_response()
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<ChangeLinks>,
    query: Query,
) -> Result<Response, PageError> {
    let from = query.text("from");
    let mut jira = FromJira::default();
    let mut text = String::new();
    let mut came = None;
    if !from.is_empty() {
        match recorded(&app, from).await? {
            Ok(found) => {
                if !found.none
                    && let Ok(links) = read(&found.text)
                {
                    came = Some(preview(&app, &links, None).await?);
                    text = found.text;
                }
                jira.found = Some(found.words);
            }
            Err(words) => jira.fault = Some(words),
        }
    }
    Ok(shown(&app, &caller, (text, from), Ok(came), jira))
}

/// Writes down that links were imported.
async fn write_down(app: &App, who: &Who, made: &Preview) -> Result<(), PageError> {
    let detail = format!(
        "{} queued, {} linked already, {} left out",
        made.adds, made.same, made.left
    );
    app.access
        .write_down(who, What::LinkAdded, "import", &detail)
        .await?;
    Ok(())
}

pub(crate) async fn import(
    State(app): State<App>,
    posted: Posted<ChangeLinks>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let chosen = fields.get("upload");
    let text = if chosen.trim().is_empty() {
        fields.get("file").to_owned()
    } else {
        chosen.to_owned()
    };
    let here = |text: String, came| {
        let jira = FromJira::default();
        shown(&app, &caller, (text, ""), came, jira)
    };
    let links = match read(&text) {
        Ok(links) => links,
        Err(words) => return Ok(here(text, Err(words))),
    };
    if fields.get("import") != "yes" {
        let preview = preview(&app, &links, None).await?;
        return Ok(here(text, Ok(Some(preview))));
    }
    let by = caller.visit.person.name.clone();
    let made = preview(&app, &links, Some(&by)).await?;
    write_down(&app, caller.who(), &made).await?;
    if made.left == 0 && made.adds > 0 {
        return Ok(see_other("/links?done=links-imported"));
    }
    Ok(here(text, Ok(Some(made))))
}

/// Takes links in for a script, or tells only what would come of it.
///
/// # Errors
/// What is wrong with the text, in words; or the store fails.
pub(crate) async fn for_script(
    app: &App,
    who: &Who,
    text: &str,
    make: bool,
) -> Result<Result<Value, String>, PageError> {
    let links = match read(text) {
        Ok(links) => links,
        Err(words) => return Ok(Err(words)),
    };
    let by = who.person().map(|person| person.name.clone());
    let by = by.unwrap_or_else(|| who.name());
    let came = preview(app, &links, make.then_some(by.as_str())).await?;
    if make {
        write_down(app, who, &came).await?;
    }
    let rows = came.rows.iter().map(|(issue, conversation, word, words)| {
        json!({
            "issue": issue,
            "conversation": conversation,
            "comes": word.word,
            "words": words,
        })
    });
    Ok(Ok(json!({
        "made": came.done,
        "links": came.adds,
        "linked_already": came.same,
        "left_out": came.left,
        "rows": rows.collect::<Vec<_>>(),
        "more_rows": came.more,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String, bool)> {
        let links = read(text).unwrap();
        links
            .into_iter()
            .map(|link| (link.issue, link.conversation, link.ended))
            .collect()
    }

    fn pair(issue: &str, id: &str, ended: bool) -> (String, String, bool) {
        (issue.to_owned(), id.to_owned(), ended)
    }

    #[test]
    fn all_known_files_are_read() {
        let wanted = [pair("ENG-1", "7", false), pair("ENG-2", "8", true)];
        let csv = "site,issue_id,issue,workspace,conversation,linked,since,ended,sources\n\
            j,1,ENG-1,acme,7,yes,2026-01-01T00:00:00Z,,import\n\
            j,2,eng-2,acme,8,no,,unlinked,\n\
            j,1,ENG-1,acme,7,yes,,,\n";
        assert_eq!(pairs(csv), wanted);
        let json = r#"[{"site":"j","issue":"ENG-1","workspace":"acme","conversation":"7","linked":true},
            {"issue":"ENG-2","conversation":"8","linked":false}]"#;
        assert_eq!(pairs(json), wanted);
        let lines = concat!(
            r#"{"manifest":{"createdAt":"2026-06-01"}}"#,
            "\n\n",
            r#"{"workItemConversationLinks":{"spaceKey":"ENG","workItemKey":"ENG-1","conversationIds":["7"," 9 "]}}"#,
            "\n",
            r#"{"workItemKey":"ENG-3","conversationIds":["7"]}"#
        );
        let wanted = [
            pair("ENG-1", "7", false),
            pair("ENG-1", "9", false),
            pair("ENG-3", "7", false),
        ];
        assert_eq!(pairs(lines), wanted);
        let address =
            "key,conversation id\nENG-1,https://app.intercom.com/a/inbox/x/inbox/conversation/55\n";
        assert_eq!(pairs(address), [pair("ENG-1", "55", false)]);
    }

    #[test]
    fn other_files_are_refused_with_the_reason() {
        let many = (0..=LINKS_MAX).fold("issue,conversation\n".to_owned(), |text, at| {
            format!("{text}ENG-1,{at}\n")
        });
        for (text, part) in [
            ("", "names the columns"),
            ("a,b\n1,2", "names the columns"),
            ("issue,conversation\n", "names no links"),
            ("[1]", "names no links"),
            ("[", "begins as JSON"),
            ("{\"x\":1}\nno", "Line 2 is no JSON"),
            (many.as_str(), "At most 500"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(part), "{text}: {refused}");
        }
    }
}
