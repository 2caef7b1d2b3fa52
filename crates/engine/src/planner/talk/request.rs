//! What happened in a request: it is read with its comments and its history, and what was not dealt
//! with is planned. Whatever delivery says that something happened, the same reading tells all.

use std::collections::BTreeSet;
use std::sync::Arc;

use bowline_domain::fact::FactKey;
use bowline_domain::ids::{CommentId, IssueId, IssueKey};
use bowline_domain::messaging::act::AgentFile;
use bowline_domain::messaging::ids::RequestRef;
use bowline_domain::messaging::news::{CommentNews, RequestNews, Role, StatusChange};
use bowline_domain::messaging::plan;
use bowline_domain::observation::{CommentVisibility, StatusCategory, StatusRef};
use bowline_domain::outcome::Reason;
use bowline_domain::time::Millis;
use bowline_jira as jira;
use bowline_store::model::{Decided, Talk};
use bowline_text::{Block, Doc, Inline};

use super::decided;
use crate::planner::from_jira::{change, comment_snapshot, is_absent, status};
use crate::planner::observe::Reader;
use crate::planner::{Trouble, nothing};
use crate::shared::Shared;

/// What the remote id of a comment of ours begins with.
pub(crate) const COMMENT: &str = "comment:";

/// A comment that was read by itself, with everything that Jira says of who may read it.
pub(crate) struct ReadComment {
    /// Who may read it.
    pub(crate) visibility: CommentVisibility,
    /// What it says, with the names of those it mentions.
    pub(crate) body: Doc,
    /// Service Management does not know its issue as a request.
    pub(crate) outside: bool,
}

/// Looks at a request and plans what is new in it.
pub(super) async fn look(
    shared: &Arc<Shared>,
    whose: &RequestRef,
    (deleted, told): (bool, Option<CommentId>),
) -> Result<Decided, Trouble> {
    let Some(talk) = shared.store.talk(whose).await? else {
        return Ok(nothing(Reason::NotOurs));
    };
    let Some((issue, _)) = talk.request.issue.clone() else {
        return Ok(nothing(Reason::NothingNew));
    };
    let reader = reader(shared, &talk)?;
    let news = read(&reader, &talk, &issue, (deleted, told)).await?;
    let plan = planned(shared, &talk, &news);
    Ok(decided(talk.whose, &talk.request.site, Some(issue), plan))
}

/// What the news mean, where a desk serves the conversation and where none does.
fn planned(shared: &Shared, talk: &Talk, news: &RequestNews) -> plan::Plan {
    let Talk {
        whose,
        end_user,
        request,
    } = talk;
    let (registry, now) = (shared.registry(), shared.now());
    if let Some(config) = registry.desk_for(&whose.account, request) {
        return plan::jira(end_user, request, news, &config.desk, now);
    }
    let missing = registry.missing_for(&whose.account, request);
    plan::unserved(&whose.account, (end_user, request), news, &missing, now)
}

fn reader<'s>(shared: &'s Arc<Shared>, talk: &Talk) -> Result<Reader<'s>, Trouble> {
    let registry = shared.registry();
    let Some(site) = registry.sites.get(&talk.request.site) else {
        return Err(Trouble::Hopeless(format!(
            "The site “{}” is not configured any more. Configure it again and replay the event.",
            talk.request.site
        )));
    };
    Ok(Reader {
        shared,
        site: Arc::clone(site),
        since_taken: None,
    })
}

/// What is new in the request.
async fn read(
    reader: &Reader<'_>,
    talk: &Talk,
    issue: &IssueId,
    (deleted, told): (bool, Option<CommentId>),
) -> Result<RequestNews, Trouble> {
    let wanted = jira::IssueRead {
        comments: true,
        changelog: true,
        link_property: false,
    };
    let found = match reader
        .call(reader.site.client.issue(issue.as_str(), wanted))
        .await
    {
        Ok(found) => found,
        Err(error) if is_absent(&error) => {
            return Ok(RequestNews {
                unreadable: false,
                key: None,
                deleted,
                comments: Vec::new(),
                changes: Vec::new(),
            });
        }
        Err(error) => return Err(reader.trouble(error)),
    };
    let comments = whole_comments(reader, &found).await?;
    let history = crate::planner::catch_up::whole_history(reader, &found, Millis(0)).await?;
    let facts: Vec<FactKey> = comments
        .iter()
        .map(|comment| FactKey::talked(&CommentId::new(comment.id.as_str())))
        .chain(history.iter().map(|entry| FactKey::announced(&entry.id)))
        .collect();
    let known = reader
        .shared
        .store
        .known_facts(reader.name(), issue, &facts)
        .await?;
    let changes = new_changes(reader, &found, &history, &known).await?;
    let customers = customers(&found, talk);
    let files_out = sends_files(reader.shared, talk);
    let mut new = Vec::new();
    for comment in &comments {
        let id = CommentId::new(comment.id.as_str());
        if known.contains(&FactKey::talked(&id)) {
            continue;
        }
        let Some(mut news) = news_of(reader, issue, comment, &customers).await? else {
            continue;
        };
        if files_out && news.files > 0 && news.visibility == CommentVisibility::Public {
            news.attached = files_of(reader.shared, talk, &news.id).await?;
        }
        new.push(news);
    }
    new.sort_by_key(|one| one.at);
    let told = told.as_ref().map(CommentId::as_str);
    let unreadable = told.is_some_and(|told| comments.iter().all(|one| one.id != told));
    Ok(RequestNews {
        unreadable,
        key: Some(IssueKey::new(found.key)),
        deleted,
        comments: new,
        changes,
    })
}

/// Those of the request whose comments are a customer's.
fn customers(found: &jira::Issue, talk: &Talk) -> BTreeSet<String> {
    let reporter = found.reporter.as_ref().map(|person| person.id.clone());
    reporter
        .into_iter()
        .chain(talk.end_user.customer.clone())
        .collect()
}

async fn whole_comments(
    reader: &Reader<'_>,
    found: &jira::Issue,
) -> Result<Vec<jira::Comment>, Trouble> {
    if found.comments_complete {
        return Ok(found.comments.clone());
    }
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = reader
            .call(reader.site.client.comments(&found.id, cursor.as_ref()))
            .await
            .map_err(|error| reader.trouble(error))?;
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// The status changes that were not dealt with, with the categories of their statuses: a history
/// entry has ids and names only.
async fn new_changes(
    reader: &Reader<'_>,
    found: &jira::Issue,
    history: &[jira::History],
    known: &BTreeSet<FactKey>,
) -> Result<Vec<StatusChange>, Trouble> {
    let now = status(&found.status);
    let mut changes = Vec::new();
    for entry in history {
        if known.contains(&FactKey::announced(&entry.id)) {
            continue;
        }
        let at = Millis(entry.created_ms.unwrap_or_default());
        let change = change(
            &entry.id,
            at,
            entry.author.as_ref(),
            &entry.items,
            Some(&now),
        );
        if let Some((_, to)) = change.moved {
            changes.push(StatusChange {
                id: change.id,
                author: change.actor.map(|actor| actor.id),
                at,
                to: with_category(reader, to).await?,
            });
        }
    }
    changes.sort_by_key(|change| change.at);
    Ok(changes)
}

async fn with_category(reader: &Reader<'_>, status: StatusRef) -> Result<StatusRef, Trouble> {
    if status.category != StatusCategory::Unknown {
        return Ok(status);
    }
    let category = reader.category(&status.id).await?;
    Ok(StatusRef {
        category: category.unwrap_or(StatusCategory::Unknown),
        ..status
    })
}

/// A comment as news: read by itself, unless it is our own. `None` if it is gone.
async fn news_of(
    reader: &Reader<'_>,
    issue: &IssueId,
    comment: &jira::Comment,
    customers: &BTreeSet<String>,
) -> Result<Option<CommentNews>, Trouble> {
    let snapshot = comment_snapshot(comment);
    let role = role(reader, comment, customers).await?;
    let read = match role {
        Role::Agent => read_by_itself(reader, issue, &snapshot.id).await?,
        Role::Us | Role::Customer => Some(ReadComment {
            visibility: snapshot.visibility,
            body: Doc::default(),
            outside: false,
        }),
    };
    Ok(read.map(|read| CommentNews {
        id: snapshot.id,
        author: snapshot.author.id,
        role,
        at: snapshot.created_at,
        visibility: read.visibility,
        outside: read.outside,
        files: files_in(&read.body),
        attached: Vec::new(),
        body: read.body,
    }))
}

async fn role(
    reader: &Reader<'_>,
    comment: &jira::Comment,
    customers: &BTreeSet<String>,
) -> Result<Role, Trouble> {
    let connection = bowline_domain::connection::Connection::Site(reader.name().clone());
    let named = format!("{COMMENT}{}", comment.id);
    let us = reader.site.standing.known().actor_id;
    let author = comment.author.as_ref();
    let by_us = author.is_some() && author.map(|person| &person.id) == us.as_ref();
    // By what we wrote first: the account may be shared with somebody who also writes.
    if by_us || reader.shared.store.is_ours(&connection, &named).await? {
        return Ok(Role::Us);
    }
    let portal_only = author.is_some_and(|person| {
        person.account_type.as_deref() == Some("customer") || customers.contains(&person.id)
    });
    Ok(if portal_only {
        Role::Customer
    } else {
        Role::Agent
    })
}

/// Reads a comment of a request again.
pub(crate) async fn read_comment(
    shared: &Arc<Shared>,
    talk: &Talk,
    comment: &CommentId,
) -> Result<Option<ReadComment>, Trouble> {
    let Some((issue, _)) = &talk.request.issue else {
        return Ok(None);
    };
    let reader = reader(shared, talk)?;
    read_by_itself(&reader, issue, comment).await
}

/// Reads a comment by both of Jira's ways: the platform tells restrictions to roles and groups, and
/// Service Management whether customers see it. It is public only if both say nothing against it
/// and Service Management says that it is. Where Service Management does not know the issue as a
/// request, nothing says so. `None` if it is gone.
async fn read_by_itself(
    reader: &Reader<'_>,
    issue: &IssueId,
    comment: &CommentId,
) -> Result<Option<ReadComment>, Trouble> {
    let client = &reader.site.client;
    let read = reader.call(client.comment(issue.as_str(), comment.as_str()));
    let found = match read.await {
        Ok(found) => found,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(reader.trouble(error)),
    };
    let mut snapshot = comment_snapshot(&found);
    let mut outside = false;
    let visibility = match snapshot.visibility {
        limited @ (CommentVisibility::Internal | CommentVisibility::Restricted) => limited,
        CommentVisibility::Public | CommentVisibility::Unstated => {
            let asked = client.request_comment(issue.as_str(), comment.as_str());
            match reader.call(asked).await {
                Ok(told) if told.audience == jira::CommentAudience::Customer => {
                    CommentVisibility::Public
                }
                Ok(_) => CommentVisibility::Internal,
                Err(error) if is_absent(&error) => {
                    outside = is_outside(reader, issue).await?;
                    if !outside {
                        return Ok(None);
                    }
                    CommentVisibility::Unstated
                }
                Err(error) => return Err(reader.trouble(error)),
            }
        }
    };
    if visibility == CommentVisibility::Public {
        reader.name_mentions(&mut snapshot.body).await;
    }
    Ok(Some(ReadComment {
        visibility,
        body: snapshot.body,
        outside,
    }))
}

/// Does Service Management not know the issue as a request, as after it was moved to a project that
/// is no service project?
async fn is_outside(reader: &Reader<'_>, issue: &IssueId) -> Result<bool, Trouble> {
    match reader
        .call(reader.site.client.request_of(issue.as_str()))
        .await
    {
        Ok(_) => Ok(false),
        Err(error) if is_absent(&error) => Ok(true),
        Err(error) => Err(reader.trouble(error)),
    }
}

/// Does the desk of a conversation send files of agents?
fn sends_files(shared: &Shared, talk: &Talk) -> bool {
    let registry = shared.registry();
    registry
        .desk_for(&talk.whose.account, &talk.request)
        .is_some_and(|config| config.desk.attachments_out)
}

/// The files that a comment of a request shows, as Service Management names them: the comment's own
/// text has names only, or on Cloud not even those.
pub(crate) async fn files_of(
    shared: &Arc<Shared>,
    talk: &Talk,
    comment: &CommentId,
) -> Result<Vec<AgentFile>, Trouble> {
    let Some((issue, _)) = &talk.request.issue else {
        return Ok(Vec::new());
    };
    let reader = reader(shared, talk)?;
    let (client, mut files, mut cursor) = (&reader.site.client, Vec::new(), None);
    loop {
        let call = client.comment_files(issue.as_str(), comment.as_str(), cursor.as_ref());
        let page = match reader.call(call).await {
            Ok(page) => page,
            Err(error) if is_absent(&error) => return Ok(files),
            Err(error) => return Err(reader.trouble(error)),
        };
        files.extend(page.items.into_iter().map(|file| AgentFile {
            id: file.id,
            name: file.file_name,
        }));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(files);
        }
    }
}

/// How many files a comment shows.
fn files_in(doc: &Doc) -> usize {
    doc.blocks.iter().map(files_in_block).sum()
}

fn files_in_block(block: &Block) -> usize {
    let inside = |blocks: &[Block]| blocks.iter().map(files_in_block).sum();
    match block {
        Block::Attachment(_) => 1,
        Block::Paragraph(content) | Block::Heading { content, .. } => content
            .iter()
            .filter(|inline| matches!(inline, Inline::Attachment(_)))
            .count(),
        Block::Quote(blocks) | Block::Panel(blocks) => inside(blocks),
        Block::BulletList(items) | Block::OrderedList { items, .. } => {
            items.iter().map(|item| inside(&item.blocks)).sum()
        }
        Block::Table(rows) => rows.iter().flatten().map(|cell| inside(cell)).sum(),
        Block::Code { .. } | Block::Rule | Block::Card { .. } => 0,
    }
}
