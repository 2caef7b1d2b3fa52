//! Why was nothing posted? One page for an issue or a conversation.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use bowline_access::Look;
use bowline_domain::connection::Connection;
use bowline_domain::ids::{ConversationId, IssueKey, ProjectKey, SiteName, WorkspaceName};
use bowline_store::browse::{DeliveryFilter, IssueLabel, LinkQuery};
use bowline_store::model::LinkView;

use crate::App;
use crate::answer::{Facts, Latest, Mended, answer, ended, mended};
use crate::caller::Caller;
use crate::component::{Lozenge, Ref, Tone};
use crate::conversations;
use crate::deliveries::{self, Row, row};
use crate::delivery::{EffectCard, effects};
use crate::error::{PageError, html, see_other};
use crate::query::{Query, asking};
use crate::reader::{Reader, When};
use crate::shell::{Place, Shell};
use crate::sought::{LINKS_SHOWN, Sought, seek};
use crate::why_feedback::{self, FeedbackAnswer};

/// Deliveries that are shown of an issue; all of them are in the list of deliveries.
const DELIVERIES_SHOWN: i64 = 15;

/// Issues that are shown of a conversation.
const ISSUES_SHOWN: usize = 10;

#[derive(Template)]
#[template(path = "why.html")]
struct WhyPage {
    shell: Shell,
    sought: String,
    /// What was sought is neither; it may be a name or words, which other pages find.
    unknown: bool,
    elsewhere: Vec<(&'static str, String)>,
    /// The conversation, if it is one.
    conversation: Option<Ref>,
    conversation_answer: Option<(Lozenge, String)>,
    /// What became of its feedback, if any is gathered.
    feedback: Option<FeedbackAnswer>,
    issues: Vec<IssueSection>,
    more_issues: usize,
    /// All links of the conversation.
    all_links: String,
}

/// What is known of an issue.
pub(crate) struct IssueSection {
    heading: String,
    issue: Option<Ref>,
    summary: String,
    pub(crate) state: Lozenge,
    pub(crate) answer: String,
    /// Where someone goes on from the answer: the page, and what it is called.
    mended: Option<(String, &'static str)>,
    links: Vec<LinkRow>,
    pub(crate) deliveries: Vec<Told>,
    pub(crate) all: String,
    /// The issue's panel.
    panel: Option<String>,
}

/// A link of an issue.
struct LinkRow {
    conversation: Ref,
    workspace: String,
    state: Lozenge,
    since: When,
    ended_at: Option<When>,
    sources: String,
}

/// A delivery with its effects.
pub(crate) struct Told {
    pub(crate) row: Row,
    pub(crate) effects: Vec<EffectCard>,
}

pub(crate) async fn page(
    State(app): State<App>,
    caller: Caller<Look>,
    query: Query,
) -> Result<Response, PageError> {
    let text = query.text("q");
    let mut page = WhyPage {
        shell: Shell {
            sought: text.to_owned(),
            ..caller.shell("Why was nothing posted?", Place::Why)
        },
        sought: text.to_owned(),
        unknown: false,
        elsewhere: Vec::new(),
        conversation: None,
        conversation_answer: None,
        feedback: None,
        issues: Vec::new(),
        more_issues: 0,
        all_links: String::new(),
    };
    if text.is_empty() {
        return Ok(html(&page));
    }
    match seek(&app, text).await? {
        Sought::Nothing => {
            page.unknown = true;
            page.elsewhere = vec![
                ("contacts", asking("/contacts", "q", text)),
                ("feedback", asking("/feedback", "q", text) + "&status=all"),
            ];
            if text.starts_with('+') {
                let found = asking("/end-users", "number", text);
                page.elsewhere.push(("end users", found));
            }
        }
        Sought::Issue { key, labels } if labels.is_empty() => {
            if let Some(path) = conversations::path_of_request(&app, &key).await? {
                return Ok(see_other(&path));
            }
            let section = section(&app, &caller.reader, &key, None).await?;
            page.issues.push(section);
        }
        Sought::Issue { key, labels } => {
            for label in &labels {
                let section = section(&app, &caller.reader, &key, Some(label)).await?;
                page.issues.push(section);
            }
        }
        Sought::Conversation {
            id,
            workspaces,
            links,
        } => {
            let live = links.iter().filter(|view| view.link.live).count();
            page.conversation_answer = Some(conversation_answer(live, &links));
            let reader = &caller.reader;
            page.feedback = why_feedback::answer(&app, reader, &workspaces, &id).await?;
            let workspace = links
                .first()
                .map(|view| view.link.workspace.clone())
                .or_else(|| workspaces.first().cloned());
            page.conversation = Some(conversation_ref(&app, workspace.as_ref(), &id));
            for view in links.iter().take(ISSUES_SHOWN) {
                let label = app
                    .shared
                    .store
                    .issue_label(&view.site, &view.issue)
                    .await?;
                let key = view
                    .key
                    .as_ref()
                    .map_or_else(|| format!("issue {}", view.issue), IssueKey::to_string);
                let section = section(&app, &caller.reader, &key, label.as_ref()).await?;
                page.issues.push(section);
            }
            page.all_links = asking("/links", "about", id.as_str()) + "&state=all";
            page.more_issues = links.len().saturating_sub(ISSUES_SHOWN);
        }
    }
    Ok(html(&page))
}

fn conversation_ref(app: &App, workspace: Option<&WorkspaceName>, id: &ConversationId) -> Ref {
    Ref {
        text: format!("Conversation {id}"),
        here: asking("/why", "q", id.as_str()),
        there: workspace.and_then(|workspace| app.shared.conversation_url(workspace, id)),
        far_side: "Intercom",
    }
}

fn conversation_answer(live: usize, links: &[LinkView]) -> (Lozenge, String) {
    match (
        live,
        links.first().and_then(|view| view.link.ended.as_ref()),
    ) {
        (0, None) => (
            Lozenge::new(Tone::Plain, "not linked"),
            "It is not linked to any issue, so no note is posted to it. Paste its address in the \
             description or a comment of an issue whose project is joined to its workspace."
                .to_owned(),
        ),
        (0, Some(end)) => (
            Lozenge::new(Tone::Plain, "not linked any more"),
            format!("It is not linked to any issue any more: {}.", ended(end)),
        ),
        (1, _) => (
            Lozenge::new(Tone::Good, "linked"),
            "It is linked to one issue. Below is what was told of it, and what not.".to_owned(),
        ),
        (count, _) => (
            Lozenge::new(Tone::Good, "linked"),
            format!(
                "It is linked to {count} issues. Below is what was told of them, and what not."
            ),
        ),
    }
}

/// What is known of an issue by its key, and by its label if it was ever heard of.
pub(crate) async fn section(
    app: &App,
    reader: &Reader,
    key: &str,
    label: Option<&IssueLabel>,
) -> Result<IssueSection, PageError> {
    let (links, told) = match label {
        Some(label) => (links_of(app, label).await?, told(app, reader, label).await?),
        None => (Vec::new(), (Vec::new(), None)),
    };
    let (deliveries, latest) = told;
    let (facts, place) = facts(app, key, label, &links, latest);
    let (tone, answer) = answer(&facts);
    let mended = mended(&facts).and_then(|mended| page_of(mended, &place));
    let word = match tone {
        Tone::Good => "told",
        Tone::Busy => "under way",
        Tone::Warn => "needs someone",
        Tone::Bad => "went wrong",
        Tone::Plain => "not told",
    };
    Ok(IssueSection {
        heading: key.to_owned(),
        issue: label.map(|label| Ref {
            text: label.key.to_string(),
            here: asking("/why", "q", label.key.as_str()),
            there: app.shared.issue_url(&label.site, &label.key),
            far_side: "Jira",
        }),
        summary: label.map_or_else(String::new, |label| label.summary.clone()),
        state: Lozenge::new(tone, word),
        answer,
        mended,
        links: links
            .iter()
            .map(|view| link_row(app, reader, view))
            .collect(),
        deliveries,
        all: asking("/deliveries", "about", key),
        panel: label.map(|label| crate::panel::path(&label.site, label.key.as_str())),
    })
}

/// The site of an issue, and how its project is joined.
#[derive(Default)]
struct Belongs {
    site: Option<SiteName>,
    binding: Option<(SiteName, ProjectKey, WorkspaceName)>,
}

fn page_of(mended: Mended, place: &Belongs) -> Option<(String, &'static str)> {
    let binding = place.binding.as_ref();
    Some(match mended {
        Mended::AmongProjects => ("/bindings".to_owned(), "Projects"),
        Mended::AtProject => {
            let (site, project, _) = binding?;
            (
                format!("/bindings/{site}/{project}"),
                "The project's settings",
            )
        }
        Mended::AtSite => {
            let site = Connection::Site(place.site.clone()?);
            (crate::connections::page_of(&site), "The connection to Jira")
        }
        Mended::AtWorkspace => {
            let (.., workspace) = binding?;
            let workspace = Connection::Workspace(workspace.clone());
            (
                crate::connections::page_of(&workspace),
                "The connection to Intercom",
            )
        }
    })
}

async fn links_of(app: &App, label: &IssueLabel) -> Result<Vec<LinkView>, PageError> {
    let query = LinkQuery {
        site: Some(label.site.clone()),
        issue: Some(label.issue.to_string()),
        limit: LINKS_SHOWN,
        ..LinkQuery::default()
    };
    Ok(app.shared.store.link_page(&query).await?)
}

fn link_row(app: &App, reader: &Reader, view: &LinkView) -> LinkRow {
    let sources: Vec<String> = view.link.sources.iter().map(ToString::to_string).collect();
    let state = match &view.link.ended {
        Some(end) if !view.link.live => Lozenge::new(Tone::Plain, format!("ended: {}", ended(end))),
        _ => Lozenge::new(Tone::Good, "linked"),
    };
    LinkRow {
        conversation: conversation_ref(app, Some(&view.link.workspace), &view.link.conversation),
        workspace: view.link.workspace.to_string(),
        state,
        since: reader.when(view.link.since),
        ended_at: view.link.ended_at.map(|at| reader.when(at)),
        sources: sources.join(", "),
    }
}

/// The latest deliveries of an issue with their effects, and what the latest of them says that
/// says something: the echo of our own writing and what was told already do not.
async fn told(
    app: &App,
    reader: &Reader,
    label: &IssueLabel,
) -> Result<(Vec<Told>, Option<Latest>), PageError> {
    const SAYS_NOTHING: [&str; 7] = [
        "already_handled",
        "echo",
        "handed_on",
        "links_followed",
        "record_written",
        "not_followed",
        "nothing_changed",
    ];
    let filter = DeliveryFilter {
        lanes: Some(vec![deliveries::lane(&label.site, &label.issue)]),
        limit: DELIVERIES_SHOWN,
        ..DeliveryFilter::default()
    };
    let mut all = Vec::new();
    let mut latest = None;
    let mut first = None;
    for delivery in app.shared.store.deliveries(&filter).await?.rows {
        let effects_now = app.shared.store.effects_of(delivery.id).await?;
        let says_something = delivery.outcome.as_ref().is_none_or(|outcome| {
            outcome.effects > 0
                || !outcome
                    .reasons
                    .iter()
                    .all(|reason| SAYS_NOTHING.contains(&reason.code()))
        });
        let row = row(app, reader, delivery.clone());
        let said = Latest {
            state: delivery.state,
            why: row.why.clone(),
            effects: effects_now.iter().map(|view| view.state).collect(),
        };
        if says_something && latest.is_none() {
            latest = Some(said.clone());
        }
        first.get_or_insert(said);
        let effects = if effects_now.is_empty() {
            Vec::new()
        } else {
            effects(app, reader, delivery.id, false).await?
        };
        all.push(Told { row, effects });
    }
    Ok((all, latest.or(first)))
}

fn facts(
    app: &App,
    key: &str,
    label: Option<&IssueLabel>,
    links: &[LinkView],
    latest: Option<Latest>,
) -> (Facts, Belongs) {
    let project = label.map_or_else(
        || {
            key.rsplit_once('-')
                .map_or("", |(project, _)| project)
                .to_owned()
        },
        |label| label.project.to_string(),
    );
    let site = label.map(|label| &label.site);
    let of_site = |name: &SiteName| site.is_none_or(|site| site == name);
    let bindings = app.shared.bindings_now();
    let binding = bindings
        .iter()
        .find(|binding| of_site(&binding.site) && binding.project.as_str() == project);
    let connections = app.shared.connections_now();
    let trouble = |wanted: &Connection| {
        let connection = connections
            .iter()
            .find(|connection| connection.connection == *wanted)?;
        let reason = || connection.reason.clone().unwrap_or_default();
        (!connection.health.works()).then(reason)
    };
    let the_site = site.or(binding.map(|binding| &binding.site));
    let webhook_seen = connections.iter().any(|connection| {
        let this =
            the_site.is_some_and(|site| connection.connection == Connection::Site(site.clone()));
        this && (connection.webhook_seen_at.is_some() || !connection.expects_webhooks)
    });
    let place = Belongs {
        site: the_site.cloned(),
        binding: binding.map(|binding| {
            (
                binding.site.clone(),
                binding.project.clone(),
                binding.workspace.clone(),
            )
        }),
    };
    let facts = Facts {
        key: key.to_owned(),
        project,
        known: label.is_some(),
        deleted: label.is_some_and(|label| label.deleted),
        bound: binding.is_some(),
        linking: binding.is_some_and(|binding| binding.linking),
        site_trouble: the_site.and_then(|site| trouble(&Connection::Site(site.clone()))),
        workspace_trouble: binding
            .and_then(|binding| trouble(&Connection::Workspace(binding.workspace.clone()))),
        webhook_seen,
        live: links.iter().filter(|view| view.link.live).count(),
        ended: links.iter().find_map(|view| view.link.ended.clone()),
        latest,
    };
    (facts, place)
}

/// The search field at the top: leads to the page about what is sought.
pub(crate) async fn search(_caller: Caller<Look>, query: Query) -> Response {
    see_other(&asking("/why", "q", query.text("q")))
}
