//! Catching up with an issue: reading all of it with its history, and telling what was not told, in
//! the order in which it happened.

use bowline_domain::happening::Happening;
use bowline_domain::ids::{CommentId, IssueId};
use bowline_domain::link::Link;
use bowline_domain::observation::{CommentView, Observation};
use bowline_domain::state::IssueState;
use bowline_domain::time::Millis;
use bowline_jira as jira;
use bowline_store::model::Decided;

use super::Trouble;
use super::from_jira::{change, comment_snapshot, is_absent, person, status};
use super::observe::Reader;

/// Reads the whole issue and plans everything that happened from `since` on (by Jira's clock) and
/// was not dealt with before. `told` is what the event at hand says; of it, what the history does
/// not show comes last.
pub(super) async fn catch_up(
    reader: &Reader<'_>,
    issue: &IssueId,
    since: Millis,
    told: &[Happening],
) -> Result<Decided, Trouble> {
    let Some(History {
        id,
        seen,
        mut dated,
    }) = read_history(reader, issue, since, false).await?
    else {
        let state = reader.state(issue, told).await?;
        return reader.plan(&state, &Observation::Absent, told).await;
    };
    // What has no date comes last, and is always news.
    for happening in told {
        let fact = happening.fact();
        if fact.is_none() || !dated.iter().any(|(_, known)| known.fact() == fact) {
            dated.push((Millis(i64::MAX), happening.clone()));
        }
    }
    let all: Vec<Happening> = dated
        .iter()
        .map(|(_, happening)| happening.clone())
        .collect();
    let state = reader.state(issue, &all).await?;
    let news_after = |after: Millis| -> Vec<Happening> {
        let news = dated.iter().filter(|(at, happening)| {
            *at >= after
                || happening
                    .fact()
                    .is_none_or(|fact| !state.known.contains(&fact))
        });
        news.map(|(_, happening)| happening.clone()).collect()
    };
    let decided = plan(
        reader,
        &state,
        &id,
        seen.clone(),
        news_after(Millis(i64::MAX)),
    )
    .await?;
    // To a conversation whose link is found late, what others were told since is news too.
    match decided
        .links
        .iter()
        .filter(|link| comes_to_life(&state, link))
        .map(|l| l.since)
        .min()
    {
        Some(since) => plan(reader, &state, &id, seen, news_after(since)).await,
        None => Ok(decided),
    }
}

/// An issue with what happened to it, in order.
pub(super) struct History {
    pub(super) id: String,
    pub(super) seen: Observation,
    pub(super) dated: Vec<(Millis, Happening)>,
}

/// Reads an issue and what happened to it from `since` on, by Jira's clock. `None` if it is not
/// shown. `full`: with its comments since then as they are read by themselves.
pub(super) async fn read_history(
    reader: &Reader<'_>,
    issue: &IssueId,
    since: Millis,
    full: bool,
) -> Result<Option<History>, Trouble> {
    let read = jira::IssueRead {
        comments: true,
        changelog: true,
        link_property: true,
    };
    let found = match reader
        .call(reader.site.client.issue(issue.as_str(), read))
        .await
    {
        Ok(found) => found,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(reader.trouble(error)),
    };
    let history = whole_history(reader, &found, since).await?;
    let created = found.created_ms.map(Millis).filter(|at| *at >= since);
    let creation = created.map(|at| {
        (
            at,
            Happening::Created {
                actor: found.creator.as_ref().map(person),
            },
        )
    });
    let now = status(&found.status);
    let id = found.id.clone();
    let mut seen = reader.snapshot(found, Vec::new(), true).await?;

    let mut dated: Vec<(Millis, Happening)> = creation.into_iter().collect();
    for entry in &history {
        let at = Millis(entry.created_ms.unwrap_or_default());
        let change = change(
            &entry.id,
            at,
            entry.author.as_ref(),
            &entry.items,
            Some(&now),
        );
        dated.push((at, Happening::Changed(change)));
    }
    dated.extend(comments_since(&seen, since));
    dated.sort_by_key(|(at, _)| *at);
    if full {
        let told: Vec<Happening> = dated.iter().map(|(_, told)| told.clone()).collect();
        seen = with_full_comments(reader, &id, seen, &told).await?;
    }
    Ok(Some(History { id, seen, dated }))
}

async fn plan(
    reader: &Reader<'_>,
    state: &IssueState,
    id: &str,
    seen: Observation,
    mut happenings: Vec<Happening>,
) -> Result<Decided, Trouble> {
    reader.name_categories(&mut happenings).await?;
    let seen = with_full_comments(reader, id, seen, &happenings).await?;
    reader.plan(state, &seen, &happenings).await
}

/// Does a planned link live that did not live before?
pub(super) fn comes_to_life(state: &IssueState, link: &Link) -> bool {
    let lived = state.links.iter().any(|before| {
        before.live
            && before.workspace == link.workspace
            && before.conversation == link.conversation
    });
    link.live && !lived
}

fn comments_since(seen: &Observation, since: Millis) -> Vec<(Millis, Happening)> {
    let Observation::Present(issue) = seen else {
        return Vec::new();
    };
    issue
        .comments
        .iter()
        .filter_map(|view| match view {
            CommentView::Present(comment) if comment.created_at >= since => {
                Some((comment.created_at, Happening::Commented(comment.id.clone())))
            }
            _ => None,
        })
        .collect()
}

/// A comment inside an issue does not carry its properties, which may say that it is internal: one
/// that is about to be told is read by itself.
async fn with_full_comments(
    reader: &Reader<'_>,
    issue: &str,
    seen: Observation,
    happenings: &[Happening],
) -> Result<Observation, Trouble> {
    let Observation::Present(mut snapshot) = seen else {
        return Ok(seen);
    };
    for happening in happenings {
        let (Happening::Commented(id)
        | Happening::CommentEdited(id)
        | Happening::CommentDeleted(id)) = happening
        else {
            continue;
        };
        let full = match reader
            .call(reader.site.client.comment(issue, id.as_str()))
            .await
        {
            Ok(comment) => {
                let mut comment = comment_snapshot(&comment);
                reader.name_mentions(&mut comment.body).await;
                CommentView::Present(comment)
            }
            Err(error) if is_absent(&error) => CommentView::Absent(CommentId::new(id.as_str())),
            Err(error) => return Err(reader.trouble(error)),
        };
        match snapshot.comments.iter_mut().find(|view| view.id() == id) {
            Some(view) => *view = full,
            None => snapshot.comments.push(full),
        }
    }
    Ok(Observation::Present(snapshot))
}

/// The history from `since` on; the pages of it if the issue did not bring all.
pub(super) async fn whole_history(
    reader: &Reader<'_>,
    found: &jira::Issue,
    since: Millis,
) -> Result<Vec<jira::History>, Trouble> {
    let mut history = found.changelog.clone();
    if !found.changelog_complete {
        history.clear();
        let mut cursor = None;
        loop {
            let page = reader
                .call(reader.site.client.changelog(&found.id, cursor.as_ref()))
                .await
                .map_err(|error| reader.trouble(error))?;
            history.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    history.retain(|entry| entry.created_ms.unwrap_or_default() >= since.0);
    Ok(history)
}
