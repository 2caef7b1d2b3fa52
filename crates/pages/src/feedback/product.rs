//! One product: its Feedback tab.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bowline_access::{Fault, Look, ManageProducts};
use bowline_domain::feedback::ids::ProductId;
use bowline_domain::feedback::product::{IssueTarget, ListedTag, Product, ProductSettings};
use bowline_domain::feedback::ticket::Status;
use bowline_domain::ids::SiteName;
use bowline_domain::needs::Use;
use bowline_engine::feedback::{missing_permissions, tags_now};

use super::backfill::{Backfilling, backfilling};
use super::keeping;
use super::products::{numbers, state, trouble};
use crate::App;
use crate::caller::{Caller, Fields, Number, Posted};
use crate::component::{Choice, Field, Lozenge, Select, fault_of};
use crate::error::{PageError, html, see_other};
use crate::needs::Needs;
use crate::notice;
use crate::query::Query;
use crate::reader::When;
use crate::shell::{Place, Shell};

/// What an issue is made as, where nothing else is chosen.
pub(super) const ISSUE_TYPE: &str = "Task";

#[derive(Template)]
#[template(path = "feedback/product.html")]
struct ProductPage {
    shell: Shell,
    id: i64,
    name: String,
    workspace: String,
    state: Lozenge,
    on: bool,
    declared: bool,
    may_manage: bool,
    trouble: Vec<String>,
    counts: Vec<(String, String, String)>,
    tags: Vec<(String, When, bool)>,
    choosing: Option<Choosing>,
    settings: Vec<String>,
    backfill: Backfilling,
    /// What it needs in Intercom, for who may see to it.
    needs: Option<Needs>,
}

/// The form in which tags are chosen, with what Intercom says at this moment.
struct Choosing {
    remote_fault: Option<String>,
    missing: Vec<(&'static str, &'static str)>,
    tags: Vec<Choice>,
    tags_fault: Option<String>,
    notes: Vec<Choice>,
    follow: bool,
    wakes: bool,
    names: Vec<Field>,
    /// Is something wrong with what is folded away?
    folded_wrong: bool,
    site: Select,
    project: Field,
    issue_type: Field,
}

/// What stands in the form.
struct Typed {
    tags: BTreeSet<String>,
    settings: ProductSettings,
    project: String,
    issue_type: String,
    site: String,
}

impl Typed {
    fn of(product: &Product) -> Self {
        let issues = product.settings.issues.as_ref();
        let text = |of: fn(&IssueTarget) -> &str| {
            issues.map_or_else(String::new, |one| of(one).to_owned())
        };
        Self {
            tags: product.tags.iter().map(|tag| tag.tag.to_string()).collect(),
            settings: product.settings.clone(),
            project: text(|one| &one.project),
            issue_type: issues.map_or_else(|| ISSUE_TYPE.to_owned(), |one| one.issue_type.clone()),
            site: text(|one| one.site.as_str()),
        }
    }

    fn read(fields: &Fields) -> Self {
        let notes = fields.all("notes");
        let named = Status::ALL.into_iter().filter_map(|status| {
            let name = fields
                .get(&format!("name_{}", status.as_str()))
                .trim()
                .to_owned();
            (!name.is_empty() && name != status.title()).then_some((status, name))
        });
        Self {
            tags: fields.all("tags").into_iter().collect(),
            settings: ProductSettings {
                notes: notes
                    .iter()
                    .filter_map(|word| Status::from_word(word))
                    .collect(),
                follow_issue: fields.get("follow_issue") == "yes",
                wake_snoozed: fields.get("wake_snoozed") == "yes",
                status_names: named.collect::<BTreeMap<_, _>>(),
                ..ProductSettings::default()
            },
            project: fields.get("issue_project").trim().to_uppercase(),
            issue_type: fields.get("issue_type").trim().to_owned(),
            site: fields.get("issue_site").to_owned(),
        }
    }
}

/// Asks Intercom for its tags and for what is missing, and fills the form.
async fn choosing(app: &App, product: &Product, typed: &Typed, faults: &[Fault]) -> Choosing {
    let missing = missing_permissions(&app.shared, &product.workspace).await;
    let (missing, mut remote_fault) = match missing {
        Ok(missing) => (missing, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let listed: Vec<ListedTag> = if remote_fault.is_none() && missing.is_empty() {
        match tags_now(&app.shared, &product.workspace).await {
            Ok(listed) => listed,
            Err(error) => {
                remote_fault = Some(error.to_string());
                Vec::new()
            }
        }
    } else {
        Vec::new()
    };
    let notes = Status::TELLABLE.map(|status| Choice {
        value: status.as_str().to_owned(),
        title: product.status_name(status).to_owned(),
        chosen: typed.settings.notes.contains(&status),
    });
    Choosing {
        remote_fault,
        missing: missing
            .iter()
            .map(|one| (one.title(), one.purpose(Use::Feedback)))
            .collect(),
        tags: listed
            .into_iter()
            .map(|tag| Choice {
                chosen: typed.tags.contains(tag.tag.as_str()),
                value: tag.tag.to_string(),
                title: tag.name,
            })
            .collect(),
        tags_fault: fault_of(faults, "tags"),
        notes: notes.into(),
        follow: typed.settings.follow_issue,
        wakes: typed.settings.wake_snoozed,
        folded_wrong: faults.iter().any(|fault| fault.field != "tags"),
        names: keeping::NAME_FIELDS
            .map(|(status, field)| {
                Field::new(field, status.title(), "text")
                    .with(typed.settings.status_name(status))
                    .filled("off")
                    .optional()
                    .faulty(faults)
            })
            .into(),
        site: Select::new(
            "issue_site",
            "Site",
            app.sites()
                .into_iter()
                .map(|name| (name.to_string(), name.to_string())),
            &typed.site,
        ),
        project: Field::new("issue_project", "Project", "text")
            .with(&typed.project)
            .hinting("The key of the project, for example ENG. Empty: no issues are made.")
            .filled("off")
            .optional()
            .faulty(faults),
        issue_type: Field::new("issue_type", "Issue type", "text")
            .with(&typed.issue_type)
            .hinting(
                "As Jira calls it. Whether issues of it can be made is tried when it is saved.",
            )
            .filled("off")
            .optional()
            .faulty(faults),
    }
}

fn summary(product: &Product) -> Vec<String> {
    let settings = &product.settings;
    let told: Vec<String> = settings
        .notes
        .iter()
        .map(|status| product.status_name(*status).to_lowercase())
        .collect();
    let mut lines = vec![if told.is_empty() {
        "Conversations are told nothing.".to_owned()
    } else {
        format!(
            "Conversations get an internal note when their feedback is {}, once each.",
            told.join(" or ")
        )
    }];
    if !told.is_empty() {
        let words = if settings.wake_snoozed {
            "Such a note wakes a snoozed conversation."
        } else {
            "A snoozed conversation is snoozed again until its old time."
        };
        lines.push(words.to_owned());
    }
    lines.push(if settings.follow_issue {
        "The status of a ticket follows its Jira issue.".to_owned()
    } else {
        "The status of a ticket is changed by people only.".to_owned()
    });
    if let Some(target) = &settings.issues {
        lines.push(format!(
            "Issues are made in {} of {}, as {}.",
            target.project, target.site, target.issue_type
        ));
    }
    lines
}

async fn show<P: bowline_access::Permission>(
    app: &App,
    caller: &Caller<P>,
    id: ProductId,
    (query, typed): (&Query, Option<Typed>),
    faults: &[Fault],
) -> Result<Response, PageError> {
    let store = &app.shared.store;
    let Some(product) = store.product(id).await? else {
        return Err(caller.not_found("There is no such product."));
    };
    let may_manage = caller.who().may::<ManageProducts>();
    let asks = query.get("switch").is_some() || typed.is_some();
    let form = if may_manage && asks && !product.declared {
        let typed = typed.unwrap_or_else(|| Typed::of(&product));
        Some(choosing(app, &product, &typed, faults).await)
    } else {
        None
    };
    let counts = numbers(app, &product).await?;
    let reader = &caller.reader;
    let page = ProductPage {
        shell: caller
            .shell(product.name.clone(), Place::Products)
            .noting(notice::of(query)),
        id: id.0,
        workspace: product.workspace.to_string(),
        state: state(&product),
        on: product.on,
        declared: product.declared,
        may_manage,
        trouble: trouble(&product),
        counts,
        tags: product
            .tags
            .iter()
            .map(|tag| {
                (
                    tag.name.clone(),
                    reader.when(tag.since),
                    tag.gone_at.is_some(),
                )
            })
            .collect(),
        choosing: form,
        settings: summary(&product),
        backfill: backfilling(app, reader, &product, query, may_manage).await?,
        needs: may_manage.then(|| Needs::of(Use::Feedback, &product.workspace)),
        name: product.name,
    };
    let status = if faults.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok((status, html(&page)).into_response())
}

pub(crate) async fn page(
    State(app): State<App>,
    Number(id): Number,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    show(&app, &caller, ProductId(id), (&query, None), &[]).await
}

pub(crate) async fn change(
    State(app): State<App>,
    Number(id): Number,
    posted: Posted<ManageProducts>,
) -> Result<Response, PageError> {
    let Posted { caller, fields } = posted;
    let store = &app.shared.store;
    let Some(product) = store.product(ProductId(id)).await? else {
        return Err(caller.not_found("There is no such product."));
    };
    if product.declared {
        return Err(
            caller.forbidden("The product stands in the configuration file and is changed there.")
        );
    }
    if fields.get("do") == "off" {
        let off = (false, product.settings.clone(), None);
        keeping::keep(&app, caller.who(), &product, off, "feedback switched off").await?;
        return Ok(see_other(&format!("/products/{id}?done=feedback-off")));
    }
    let typed = Typed::read(&fields);
    let mut faults = Vec::new();
    let missing = missing_permissions(&app.shared, &product.workspace).await;
    let listed = match missing {
        Ok(missing) if missing.is_empty() => tags_now(&app.shared, &product.workspace).await.ok(),
        _ => None,
    };
    let chosen: Vec<ListedTag> = listed
        .unwrap_or_default()
        .into_iter()
        .filter(|tag| typed.tags.contains(tag.tag.as_str()))
        .collect();
    if chosen.is_empty() {
        faults.push(Fault::new("tags", "Choose at least one tag that is there."));
    }
    let mut settings = typed.settings.clone();
    if !typed.project.is_empty() {
        settings.issues = Some(IssueTarget {
            site: SiteName::new(typed.site.as_str()),
            project: typed.project.clone(),
            issue_type: if typed.issue_type.is_empty() {
                ISSUE_TYPE.to_owned()
            } else {
                typed.issue_type.clone()
            },
        });
    }
    let wrong = keeping::settings_faults(&settings, &app.sites());
    if wrong.is_empty() {
        faults.extend(keeping::try_issues(&app, &product, &mut settings).await);
    }
    faults.extend(wrong);
    if !faults.is_empty() {
        let query = Query::default();
        return show(&app, &caller, ProductId(id), (&query, Some(typed)), &faults).await;
    }
    let detail = keeping::switched_on(&chosen);
    let on = (true, settings, Some(chosen));
    keeping::keep(&app, caller.who(), &product, on, &detail).await?;
    Ok(see_other(&format!("/products/{id}?done=feedback-on")))
}
