//! The part of a project's page about Jira's side: the label and the number field that say how many
//! conversations are linked to an issue.

use bowline_access::{ChangeRefusal, Fault};
use bowline_domain::ids::{ProjectKey, SiteName};
use bowline_domain::tally::{TallySettings, check_field, check_label, jql_examples};
use bowline_settings::BindingNow;
use bowline_store::tally::TallyTrouble;

use crate::App;
use crate::caller::Fields;
use crate::component::{Copied, Field, Lozenge, Select, Tone};
use crate::error::PageError;
use crate::problems::Problem;
use crate::reader::Reader;
use crate::words::some;

/// The ids of examples on the page.
const EXAMPLES: [&str; 5] = ["jql-1", "jql-2", "jql-3", "jql-4", "jql-5"];

/// What was typed, and what is wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    pub(crate) label: String,
    pub(crate) faults: Vec<Fault>,
}

/// What the page shows.
pub(crate) struct TallyPart {
    pub(crate) label: Field,
    pub(crate) field: Select,
    /// Why the fields cannot be listed.
    pub(crate) trouble: Option<String>,
    /// What is in step, or not.
    pub(crate) state: Option<Lozenge>,
    pub(crate) examples: Vec<(&'static str, Copied)>,
    /// Why some issues are not in step, and how many.
    pub(crate) troubles: Vec<String>,
    pub(crate) on: bool,
}

/// The part as it is now. Who may change it is shown what Jira offers.
pub(crate) async fn part(
    app: &App,
    binding: &BindingNow,
    may_change: bool,
    typed: Option<Typed>,
) -> Result<TallyPart, PageError> {
    let (site, project) = (&binding.site, &binding.project);
    let settings = &binding.config.tally;
    let store = &app.shared.store;
    let (known, trouble) = if may_change {
        match app.settings.number_fields(site).await {
            Ok(fields) => (fields, None),
            Err(words) => (Vec::new(), Some(words)),
        }
    } else {
        (Vec::new(), None)
    };
    let chosen = settings.number_field.clone().unwrap_or_default();
    let mut fields = vec![(String::new(), "None".to_owned())];
    fields.extend(known.into_iter().map(|field| {
        let title = format!("{} ({})", field.name, field.id);
        (field.id, title)
    }));
    if !fields.iter().any(|(id, _)| *id == chosen) {
        fields.push((chosen.clone(), chosen.clone()));
    }
    let label = settings.label.clone().unwrap_or_default();
    let (label, faults) = match typed {
        Some(typed) => (typed.label, typed.faults),
        None => (label, Vec::new()),
    };
    let mine = |one: &TallyTrouble| one.site == *site && one.project == *project;
    let troubles: Vec<TallyTrouble> = store.tally_troubles().await?;
    let troubles: Vec<TallyTrouble> = troubles.into_iter().filter(mine).collect();
    let going = store
        .tally_runs()
        .await?
        .into_iter()
        .any(|run| run.site == *site && run.project == *project && run.place.is_some());
    let state = match (settings.is_on(), going, troubles.is_empty()) {
        (_, true, _) => Some(Lozenge::new(Tone::Busy, "going through the issues")),
        (_, false, false) => Some(Lozenge::new(Tone::Warn, "not everywhere in step")),
        (true, false, true) => Some(Lozenge::new(Tone::Good, "kept in step")),
        (false, false, true) => None,
    };
    let examples = jql_examples(project.as_str(), settings);
    Ok(TallyPart {
        label: Field::new("label", "Label", "text")
            .hinting(
                "An issue has it exactly as long as conversations are linked to it. Empty: none.",
            )
            .with(&label)
            .filled("off")
            .optional()
            .faulty(&faults),
        field: Select::new("number_field", "Number field", fields, &chosen).faulty(&faults),
        trouble,
        state,
        examples: EXAMPLES
            .into_iter()
            .zip(examples)
            .map(|(id, (title, query))| (title, Copied::new(id, "JQL", query)))
            .collect(),
        troubles: troubles
            .into_iter()
            .map(|one| format!("{}: {}", some(one.issues, "issue"), one.trouble))
            .collect(),
        on: settings.is_on(),
    })
}

/// Reads a label and a field; blank ones are none.
///
/// # Errors
/// What is wrong, by field.
pub(crate) fn read(label: &str, field: &str) -> Result<TallySettings, Vec<Fault>> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let (label, number_field) = (given(label), given(field));
    let mut faults = Vec::new();
    if let Some(Err(words)) = label.as_deref().map(check_label) {
        faults.push(Fault::new("label", words));
    }
    if let Some(Err(words)) = number_field.as_deref().map(check_field) {
        faults.push(Fault::new("number_field", words));
    }
    if faults.is_empty() {
        Ok(TallySettings {
            label,
            number_field,
        })
    } else {
        Err(faults)
    }
}

/// Reads the form. A field must be one of the site's number fields, if Jira says which there are.
///
/// # Errors
/// What is wrong, by field.
pub(crate) async fn typed(
    app: &App,
    site: &SiteName,
    fields: &Fields,
) -> Result<TallySettings, ChangeRefusal> {
    let settings = read(fields.get("label"), fields.get("number_field"));
    let settings = settings.map_err(ChangeRefusal::Faults)?;
    offered(app, site, &settings)
        .await
        .map_err(|words| ChangeRefusal::Faults(vec![Fault::new("number_field", words)]))?;
    Ok(settings)
}

/// Is the field one that the site has?
///
/// # Errors
/// In words, if it is not.
pub(crate) async fn offered(
    app: &App,
    site: &SiteName,
    settings: &TallySettings,
) -> Result<(), String> {
    let Some(field) = &settings.number_field else {
        return Ok(());
    };
    match app.settings.number_fields(site).await {
        Ok(known) if known.iter().any(|one| one.id == *field) => Ok(()),
        Ok(_) => Err("Jira has no number field with this id.".to_owned()),
        // Whether it can be set is found out at the first issue, and told then.
        Err(_) => Ok(()),
    }
}

/// What cannot be brought in step, as problems.
pub(crate) async fn problems(app: &App, reader: &Reader) -> Result<Vec<Problem>, PageError> {
    let troubles = app.shared.store.tally_troubles().await?;
    Ok(troubles
        .into_iter()
        .map(|one| of_trouble(one, reader))
        .collect())
}

fn of_trouble(one: TallyTrouble, reader: &Reader) -> Problem {
    Problem {
        state: Lozenge::new(Tone::Warn, "not in step"),
        title: format!(
            "Issues of {} do not say how many conversations are linked",
            one.project
        ),
        cause: one.trouble,
        extent: format!(
            "{} of {}. Notes and links go on.",
            some(one.issues, "issue"),
            one.site
        ),
        mend: "A Jira administrator mends what is said above, or an administrator of the project \
               chooses another label or field here. Bowline tries again every ten minutes, and all \
               of them at once when one succeeds."
            .to_owned(),
        since: Some(reader.when(one.since)),
        last: Some(reader.when(one.last_at)),
        more: format!("/bindings/{}/{}#jira-side", one.site, one.project),
        more_title: "The project's settings",
    }
}

/// Has all issues of a project gone through once more. False if nothing is kept in step there.
pub(crate) async fn again(
    app: &App,
    site: &SiteName,
    project: &ProjectKey,
) -> Result<bool, PageError> {
    let (site, project) = (site.clone(), project.clone());
    let begun = app.shared.store.tallies_again(site, project).await?;
    app.shared.hasten_tallies();
    Ok(begun)
}
