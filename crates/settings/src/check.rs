//! Live tests of credentials and permissions, in words. The command `check` and the pages say the
//! same.

use std::sync::Arc;

use bowline_domain::time::Millis;
use bowline_intercom::Client as Intercom;
use bowline_jira::{Client as Jira, Deployment};
use bowline_net::{ApiError, ErrorKind, Request, Transport};
use http::{HeaderMap, Method};
use url::Url;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Good,
    /// Works, but could be better.
    Note,
    /// Someone has to mend it.
    Bad,
    /// Not known yet.
    Unknown,
}

/// What a test found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was tested.
    pub what: String,
    /// How it is.
    pub state: State,
    /// What happened, what it means, who can mend it and how.
    pub words: String,
}

impl Finding {
    /// A finding.
    pub fn new(what: impl Into<String>, state: State, words: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            state,
            words: words.into(),
        }
    }

    pub(crate) fn good(what: impl Into<String>, words: impl Into<String>) -> Self {
        Self::new(what, State::Good, words)
    }

    pub(crate) fn note(what: impl Into<String>, words: impl Into<String>) -> Self {
        Self::new(what, State::Note, words)
    }

    pub(crate) fn bad(what: impl Into<String>, words: impl Into<String>) -> Self {
        Self::new(what, State::Bad, words)
    }
}

/// Something that Bowline is to be allowed in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The name in Jira's API.
    pub name: &'static str,
    /// The name on Jira's pages.
    pub title: &'static str,
    /// What for.
    pub why: &'static str,
    /// Must it be?
    pub needed: bool,
}

/// The permission without which nothing of a project is seen.
pub const BROWSE: &str = "BROWSE_PROJECTS";

/// What Bowline is to be allowed in a project.
pub static PERMISSIONS: [Permission; 3] = [
    Permission {
        name: BROWSE,
        title: "Browse projects",
        why: "to read issues and comments",
        needed: true,
    },
    Permission {
        name: "EDIT_ISSUES",
        title: "Edit issues",
        why: "to keep the list of linked conversations on the issue",
        needed: true,
    },
    Permission {
        name: "LINK_ISSUES",
        title: "Link issues",
        why: "to show linked conversations on the issue",
        needed: false,
    },
];

/// The events to choose for the webhook in Jira, as its form names them.
pub const EVENTS: [&str; 2] = [
    "Issue: created, updated, deleted",
    "Comment: created, updated, deleted",
];

/// The same events, as Jira's API names them.
pub const EVENT_NAMES: [&str; 6] = [
    "jira:issue_created",
    "jira:issue_updated",
    "jira:issue_deleted",
    "comment_created",
    "comment_updated",
    "comment_deleted",
];

/// The JQL that keeps deliveries to the joined projects.
pub fn jql<'p>(projects: impl IntoIterator<Item = &'p str>) -> String {
    let mut projects: Vec<&str> = projects.into_iter().collect();
    projects.sort_unstable();
    projects.dedup();
    format!("project in ({})", projects.join(", "))
}

/// Is the site of the kind that it is configured as?
pub async fn kind(jira: &Jira) -> Option<Finding> {
    let wanted = jira.deployment();
    match jira.server_info().await {
        Ok(reply) if reply.value.deployment == wanted => None,
        Ok(reply) => {
            let (title, word) = match reply.value.deployment {
                Deployment::Cloud => ("Cloud", "cloud"),
                Deployment::DataCenter => ("Data Center", "datacenter"),
            };
            let words = format!("this is a {title} site; change `kind` to \"{word}\"");
            Some(Finding::bad("kind", words))
        }
        Err(error) => {
            let words = format!("{error}. Is api_url right, and may this machine reach it?");
            Some(Finding::bad("reaching it", words))
        }
    }
}

/// Does the token work, and as whom?
pub async fn site_token(jira: &Jira) -> Finding {
    match jira.myself().await {
        Ok(reply) => Finding::good(
            "the token",
            format!("the token works, as {}", reply.value.person.name),
        ),
        Err(error) => Finding::bad("the token", jira_words(jira.deployment(), &error)),
    }
}

/// What Jira's refusal means.
pub fn jira_words(deployment: Deployment, error: &ApiError) -> String {
    let mend = match (error.kind, deployment) {
        (ErrorKind::Auth, Deployment::Cloud) => {
            " The e-mail address and the API token must belong together. A token with scopes, and \
             every token of a service account, works only with api_url = \
             \"https://api.atlassian.com/ex/jira/{cloud id}\" (the cloud id is at \
             /_edge/tenant_info of the site). Tokens expire after a year at most."
        }
        (ErrorKind::Auth, Deployment::DataCenter) => {
            " Make a new personal access token in the account's profile; they expire."
        }
        (ErrorKind::Config, _) => " Is api_url right, with its context path?",
        _ => "",
    };
    format!("{error}.{mend}")
}

/// What our account may do in a project. One that it may not browse looks like one that is not there.
///
/// # Errors
/// Jira says neither.
pub async fn permissions(
    jira: &Jira,
    key: &str,
) -> Result<Vec<(&'static Permission, bool)>, ApiError> {
    let hidden = || {
        let all = PERMISSIONS.iter();
        all.map(|one| (one, false)).collect()
    };
    match jira.project(key).await {
        Ok(_) => {}
        Err(error) if is_hidden(&error) => return Ok(hidden()),
        Err(error) => return Err(error),
    }
    let names: Vec<&str> = PERMISSIONS.iter().map(|one| one.name).collect();
    let granted = jira.my_permissions(&names, Some(key)).await?.value;
    let all = PERMISSIONS.iter();
    Ok(all
        .map(|one| (one, granted.get(one.name) == Some(&true)))
        .collect())
}

fn is_hidden(error: &ApiError) -> bool {
    matches!(
        error.kind,
        ErrorKind::NotFound | ErrorKind::Gone | ErrorKind::Permission
    )
}

/// Those that are needed and lacking, by Jira's names. Where nothing can be seen, nothing else is
/// lacking: the others come with it, or are found after it.
pub(crate) fn lacks(found: &[(&'static Permission, bool)]) -> Vec<String> {
    let lacking = found.iter().filter(|(one, has)| one.needed && !has);
    let names: Vec<&str> = lacking.map(|(one, _)| one.name).collect();
    if names.contains(&BROWSE) {
        return vec![BROWSE.to_owned()];
    }
    names.into_iter().map(str::to_owned).collect()
}

/// May our account do in a project what it needs to?
pub async fn project(jira: &Jira, key: &str) -> Vec<Finding> {
    match permissions(jira, key).await {
        Ok(found) => of_project(key, &found),
        Err(error) => vec![Finding::bad(format!("project {key}"), error.to_string())],
    }
}

/// What the permissions in a project mean.
pub(crate) fn of_project(key: &str, found: &[(&'static Permission, bool)]) -> Vec<Finding> {
    let what = format!("project {key}");
    if found.iter().any(|(one, has)| one.name == BROWSE && !has) {
        let words = format!(
            "There is no project {key}, or Bowline's account may not browse it. A project \
             administrator grants “Browse projects” (BROWSE_PROJECTS)."
        );
        return vec![Finding::bad(what, words)];
    }
    let found = found.iter();
    found
        .map(|(one, has)| {
            let Permission {
                name, title, why, ..
            } = one;
            if *has {
                let words = format!("project {key}: may “{title}” ({name}), {why}");
                Finding::good(&*what, words)
            } else if one.needed {
                let words = format!(
                    "project {key}: the account lacks “{title}” ({name}), needed {why}. A project \
                     administrator grants it."
                );
                Finding::bad(&*what, words)
            } else {
                let words = format!(
                    "project {key}: the account lacks “{title}” ({name}), used {why}. A project \
                     administrator can grant it."
                );
                Finding::note(&*what, words)
            }
        })
        .collect()
}

/// Does the token work, where, and as whom? `region` is what is configured, if it is.
pub async fn workspace_token(intercom: &Intercom, region: Option<&str>) -> Vec<Finding> {
    let me = match intercom.me().await {
        Ok(reply) => reply.value,
        Err(error) => {
            let words = format!(
                "{error}. Take the access token from Intercom's Developer Hub > your app > \
                 Configure > Authentication."
            );
            return vec![Finding::bad("the token", words)];
        }
    };
    let mut findings = vec![Finding::good(
        "the token",
        format!(
            "the token works, in “{}” ({}), as {}",
            me.workspace_name, me.workspace, me.name
        ),
    )];
    if let (Some(wanted), Some(found)) = (region, me.region.map(|region| region.to_lowercase()))
        && wanted != found
    {
        let words = format!("the workspace is in {found}; change `region` to \"{found}\"");
        findings.push(Finding::bad("region", words));
    }
    findings
}

/// Is the teammate as whom we write still there?
pub async fn app_user(intercom: &Intercom, app_user: Option<&str>) -> Finding {
    let Some(app_user) = app_user else {
        return Finding::note(
            "app user",
            "notes are written as who the token belongs to; a teammate of Bowline's own (app_user) \
             is better.",
        );
    };
    match intercom.admins().await {
        Ok(reply) => match reply.value.iter().find(|teammate| teammate.id == app_user) {
            Some(teammate) => Finding::good(
                "app user",
                format!("notes are written as {}", teammate.name),
            ),
            None => Finding::bad(
                "app_user",
                format!("{app_user} is no teammate of this workspace"),
            ),
        },
        Err(error) => Finding::bad(
            "teammates",
            format!("{error}. The app needs “Read admins”."),
        ),
    }
}

/// An id that no conversation has: how it is refused tells whether conversations can be reached.
const NO_CONVERSATION: &str = "0";

/// Can conversations be read?
pub async fn conversations(intercom: &Intercom) -> Finding {
    let what = "conversations";
    match intercom.conversation(NO_CONVERSATION).await {
        Ok(_) => Finding::good(what, "conversations can be read"),
        Err(error) if error.kind == ErrorKind::NotFound => {
            Finding::good(what, "conversations can be read")
        }
        Err(error) if error.kind == ErrorKind::PlanRestricted => Finding::bad(
            what,
            format!("{error}. The workspace needs a trial or subscription."),
        ),
        Err(error) => Finding::bad(
            what,
            format!("{error}. The app needs “Read conversations” and “Write conversations”."),
        ),
    }
}

/// How far the far side's clock may be from ours, in milliseconds: links and facts are ordered by
/// Jira's clock, tokens and signatures are checked by it.
const SKEW_MS_MAX: i64 = 30_000;

/// Is the far side's clock ours? Asked of the `Date` header of any answer, which has whole seconds.
pub async fn clock(transport: &Arc<dyn Transport>, url: &Url, now: Millis) -> Finding {
    let request = Request {
        method: Method::GET,
        url: url.clone(),
        headers: HeaderMap::new(),
        body: None,
        deadline: bowline_jira::DEFAULT_DEADLINE,
    };
    let answer = transport.send(request).await;
    let date = answer.ok().and_then(|answer| date(answer.header("date")?));
    let Some(date) = date else {
        return Finding::new(
            "clock",
            State::Unknown,
            "the far side does not tell its time",
        );
    };
    skew(now.since(date))
}

fn date(text: &str) -> Option<Millis> {
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Millis(date.timestamp().as_millisecond()))
}

fn skew(ms: i64) -> Finding {
    let seconds = ms.abs() / 1_000;
    if ms.abs() <= SKEW_MS_MAX {
        return Finding::good("clock", format!("its clock and ours differ by {seconds} s"));
    }
    let ahead = if ms > 0 { "ahead" } else { "behind" };
    Finding::note(
        "clock",
        format!(
            "this machine's clock is {seconds} s {ahead}. Whoever runs Bowline sets it by a time \
             server."
        ),
    )
}

/// Days before the end of a token at which it is time to make a new one.
const TOKEN_DAYS_MIN: i64 = 14;

/// Does the token last? `ends_on` is a day as `2027-01-31`.
pub fn token_end(ends_on: Option<&str>, now: Millis) -> Finding {
    let what = "token's end";
    let Some(ends_on) = ends_on else {
        return Finding::new(
            what,
            State::Unknown,
            "nobody said when the token ends. API tokens last a year at most; enter the day here \
             and Bowline reminds you.",
        );
    };
    let today = jiff::Timestamp::from_millisecond(now.0)
        .map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date());
    let (Ok(day), Ok(today)) = (ends_on.parse::<jiff::civil::Date>(), today) else {
        return Finding::new(what, State::Unknown, format!("“{ends_on}” is no day"));
    };
    let days = i64::from(day.since(today).map_or(0, |span| span.get_days()));
    match days {
        ..0 => Finding::bad(
            what,
            format!("the token ended on {ends_on}. Make a new one and enter it here."),
        ),
        0..TOKEN_DAYS_MIN => Finding::bad(
            what,
            format!(
                "the token ends on {ends_on}, {}. Make a new one now and enter it here; nothing is \
                 interrupted.",
                match days {
                    0 => "today".to_owned(),
                    1 => "tomorrow".to_owned(),
                    days => format!("in {days} days"),
                }
            ),
        ),
        _ => Finding::good(what, format!("the token ends on {ends_on}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_ends_soon_is_told_in_time() {
        let now = Millis(1_795_600_000_000); // 2026-11-25
        for (ends_on, state) in [
            (None, State::Unknown),
            (Some("soon"), State::Unknown),
            (Some("2026-11-24"), State::Bad),
            (Some("2026-11-25"), State::Bad),
            (Some("2026-12-08"), State::Bad),
            (Some("2026-12-09"), State::Good),
            (Some("2027-11-25"), State::Good),
        ] {
            assert_eq!(token_end(ends_on, now).state, state, "{ends_on:?}");
        }
        for (ends_on, part) in [
            ("2026-11-25", "ends on 2026-11-25, today."),
            ("2026-11-26", "ends on 2026-11-26, tomorrow."),
            ("2026-11-27", "ends on 2026-11-27, in 2 days."),
        ] {
            let words = token_end(Some(ends_on), now).words;
            assert!(words.contains(part), "{words}");
        }
    }

    #[test]
    fn each_permission_is_named_as_jira_does_and_explained() {
        let all = |has: bool| PERMISSIONS.iter().map(|one| (one, has)).collect::<Vec<_>>();
        let good = of_project("ENG", &all(true));
        assert_eq!(good.len(), 3);
        assert_eq!(
            good[0].words,
            "project ENG: may “Browse projects” (BROWSE_PROJECTS), to read issues and comments"
        );
        let mut lacking = all(false);
        lacking[0].1 = true;
        let found = of_project("ENG", &lacking);
        let states: Vec<State> = found.iter().map(|one| one.state).collect();
        assert_eq!(states, [State::Good, State::Bad, State::Note]);
        assert!(
            found[1]
                .words
                .contains("“Edit issues” (EDIT_ISSUES), needed to keep")
        );
    }

    #[test]
    fn clocks_that_differ_are_told() {
        assert_eq!(skew(0).state, State::Good);
        assert_eq!(skew(-30_999).state, State::Note);
        assert!(skew(60_000).words.contains("60 s ahead"));
        let date = date("Wed, 25 Nov 2026 18:55:16 GMT").unwrap();
        assert_eq!(date.0 % 60_000, 16_000);
        assert_eq!(super::date("yesterday"), None);
    }

    #[test]
    fn the_filter_names_each_project_once() {
        assert_eq!(jql(["OPS", "ENG", "OPS"]), "project in (ENG, OPS)");
    }
}
