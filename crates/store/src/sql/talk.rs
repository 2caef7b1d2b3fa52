//! Recording what changes in conversations with end users.

use bowline_domain::effect::EffectKey;
use bowline_domain::ids::{IssueId, IssueKey};
use bowline_domain::messaging::delivery::{Delivery, Outbound, Resolved};
use bowline_domain::messaging::end_user::EndUser;
use bowline_domain::messaging::gathering::{Line, Place};
use bowline_domain::messaging::ids::{AccountName, EndUserId, MessageId, RequestRef};
use bowline_domain::messaging::request::Request;
use bowline_domain::time::Millis;

use crate::db::{Conn, Value, values};
use crate::error::StoreError;
use crate::model::{Decided, Decision, TalkChanges};
use crate::sql::decide::json;

/// Records what decisions change in conversations. Each is made under the lane of its end user, so
/// that no two of them touch the same rows.
pub(crate) async fn store(
    conn: &mut Conn,
    decided: &[(&Decision, &Decided)],
) -> Result<(), StoreError> {
    for (decision, decided) in decided {
        if let Some(talk) = &decided.talk {
            store_one(conn, talk, decision.at).await?;
        }
    }
    Ok(())
}

async fn store_one(conn: &mut Conn, talk: &TalkChanges, at: Millis) -> Result<(), StoreError> {
    let changes = &talk.changes;
    if let Some(end_user) = &changes.end_user {
        store_end_user(conn, &talk.whose.account, end_user, at).await?;
    }
    if let Some(request) = &changes.request {
        store_request(conn, &talk.whose, request).await?;
    }
    if let Some(key) = &changes.moved_to {
        follow(conn, &talk.whose, key).await?;
    }
    for line in &changes.lines {
        store_line(conn, &talk.whose, line).await?;
    }
    for (place, outbound) in (0..).zip(&changes.outbound) {
        store_outbound(conn, &talk.whose, (place, outbound)).await?;
    }
    if let Some(into) = &changes.joined {
        join(conn, &talk.whose, into).await?;
    }
    for (key, delivery, reason) in &changes.delivered {
        move_outbound(conn, key, *delivery, reason.as_deref()).await?;
    }
    for (key, resolved) in &changes.resolved {
        resolve_outbound(conn, key, resolved).await?;
    }
    Ok(())
}

/// Records an end user. Whether they are blocked, and which customer they are, is for people to
/// decide at any time: what a plan saw of it does not undo that.
pub(crate) async fn store_end_user(
    conn: &mut Conn,
    account: &AccountName,
    end_user: &EndUser,
    at: Millis,
) -> Result<(), StoreError> {
    const PERSON: &str = "INSERT INTO end_user (account, id, name, blocked, customer, since) \
        VALUES ($1,$2,$3,$4,$5,$6) ON CONFLICT (account, id) DO UPDATE SET \
          name = excluded.name";
    // Of two people who come by the same identity at once, the first has it.
    const IDENTITY: &str = "INSERT INTO identity (account, kind, value, end_user) \
        VALUES ($1,$2,$3,$4) ON CONFLICT (account, kind, value) DO NOTHING";
    let doing = "recording an end user";
    let args = values![
        account.as_str(),
        end_user.id.as_str(),
        end_user.name.clone(),
        end_user.blocked,
        end_user.customer.clone(),
        at.0
    ];
    conn.run(doing, PERSON, args).await?;
    for identity in &end_user.identities {
        let args = values![
            account.as_str(),
            identity.kind.as_str(),
            identity.value.as_str(),
            end_user.id.as_str()
        ];
        conn.run(doing, IDENTITY, args).await?;
    }
    Ok(())
}

/// Gives all that an end user is known by to another one.
async fn join(conn: &mut Conn, whose: &RequestRef, into: &EndUserId) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE identity SET end_user = $3 WHERE account = $1 AND end_user = $2";
    let args = values![
        whose.account.as_str(),
        whose.end_user.as_str(),
        into.as_str()
    ];
    conn.run("joining two end users", SQL, args).await.map(drop)
}

/// The four columns that name a request, and what else there is.
fn named(whose: &RequestRef, rest: Vec<Value>) -> Vec<Value> {
    let mut args = values![
        whose.account.as_str(),
        whose.end_user.as_str(),
        i64::from(whose.generation)
    ];
    args.extend(rest);
    args
}

async fn store_request(
    conn: &mut Conn,
    whose: &RequestRef,
    request: &Request,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO request (account, end_user, generation, live, desk, site, \
          conversation, opened_at, window_ends_at, state, platform) \
        VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11) \
        ON CONFLICT (account, end_user, generation) DO UPDATE SET live = excluded.live, \
          conversation = excluded.conversation, window_ends_at = excluded.window_ends_at, \
          state = excluded.state, platform = excluded.platform";
    let whose = RequestRef {
        generation: request.generation,
        ..whose.clone()
    };
    let conversation = request.route.conversation.as_ref();
    let rest = values![
        request.is_live(),
        request.desk.as_str(),
        request.site.as_str(),
        conversation.map(|id| id.as_str().to_owned()),
        request.opened_at.0,
        request.window_ends_at().map(|at| at.0),
        json(request)?,
        request.route.platform.word()
    ];
    conn.run("recording a conversation", SQL, named(&whose, rest))
        .await
        .map(drop)
}

/// The word for where a gathering stands.
pub(crate) fn place_word(place: Place) -> &'static str {
    match place {
        Place::Description => "description",
        Place::Comment => "comment",
        Place::Continued => "continued",
    }
}

async fn store_line(conn: &mut Conn, whose: &RequestRef, line: &Line) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO line (account, end_user, generation, message, part, gathering, \
          place, sent_at, received_at, body, sent_ns, arrived, written) \
        VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,0) \
        ON CONFLICT (account, message, part) DO NOTHING";
    let rest = values![
        line.message.as_str(),
        i64::from(line.part),
        i64::from(line.gathering),
        place_word(line.place),
        line.sent_at.0,
        line.received_at.0,
        line.text.as_str(),
        i64::from(line.within.sent_ns),
        line.within.arrived
    ];
    conn.run("recording a message", SQL, named(whose, rest))
        .await
        .map(drop)
}

async fn store_outbound(
    conn: &mut Conn,
    whose: &RequestRef,
    (place, outbound): (i64, &Outbound),
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO outbound (account, end_user, generation, key, comment, \
          channel, body, delivery, reason, at, place) \
        VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11) \
        ON CONFLICT (key) DO NOTHING";
    let rest = values![
        outbound.key.as_str(),
        outbound.comment.as_ref().map(|id| id.as_str().to_owned()),
        outbound.channel.as_str(),
        outbound.text.as_str(),
        outbound.delivery.as_str(),
        outbound.reason.clone(),
        outbound.at.0,
        place
    ];
    conn.run("recording an outbound message", SQL, named(whose, rest))
        .await
        .map(drop)
}

async fn move_outbound(
    conn: &mut Conn,
    key: &EffectKey,
    delivery: Delivery,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE outbound SET delivery = $1, reason = $2 WHERE key = $3";
    let args = values![delivery.as_str(), reason.map(str::to_owned), key.as_str()];
    conn.run("recording a delivery state", SQL, args)
        .await
        .map(drop)
}

/// Records what a person decided about a message. The first decision stands.
async fn resolve_outbound(
    conn: &mut Conn,
    key: &EffectKey,
    resolved: &Resolved,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE outbound SET resolved = $1, resolved_by = $2, resolved_at = $3 \
        WHERE key = $4 AND resolved IS NULL";
    let args = values![
        resolved.how.as_str(),
        resolved.by.as_str(),
        resolved.at.0,
        key.as_str()
    ];
    conn.run("recording a decision about a message", SQL, args)
        .await
        .map(drop)
}

/// Records which issue a request is. The first answer stands.
pub(crate) async fn request_made(
    conn: &mut Conn,
    whose: &RequestRef,
    issue: &IssueId,
    key: &IssueKey,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE request SET issue = $4, key = $5 \
        WHERE account = $1 AND end_user = $2 AND generation = $3 AND issue IS NULL";
    let rest = values![issue.as_str(), key.as_str()];
    conn.run("recording a request", SQL, named(whose, rest))
        .await
        .map(drop)
}

/// Records the key that the issue of a request has since it was moved.
async fn follow(conn: &mut Conn, whose: &RequestRef, key: &IssueKey) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE request SET key = $4 \
        WHERE account = $1 AND end_user = $2 AND generation = $3 AND issue IS NOT NULL";
    conn.run(
        "recording a moved request",
        SQL,
        named(whose, values![key.as_str()]),
    )
    .await
    .map(drop)
}

/// Records in which comment a gathering stands. The last answer stands: a comment may be deleted.
pub(crate) async fn gathering_placed(
    conn: &mut Conn,
    whose: &RequestRef,
    gathering: u32,
    comment: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO gathering (account, end_user, generation, number, comment) \
        VALUES ($1,$2,$3,$4,$5) \
        ON CONFLICT (account, end_user, generation, number) DO UPDATE SET comment = excluded.comment";
    let rest = values![i64::from(gathering), comment];
    conn.run(
        "recording where messages are gathered",
        SQL,
        named(whose, rest),
    )
    .await
    .map(drop)
}

/// Records which lines stand in Jira.
pub(crate) async fn lines_written(
    conn: &mut Conn,
    account: &AccountName,
    lines: &[(MessageId, u32)],
    at: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE line SET written = 1, written_at = $4 \
        WHERE account = $1 AND message = $2 AND part = $3";
    for (message, part) in lines {
        let args = values![account.as_str(), message.as_str(), i64::from(*part), at.0];
        conn.run("recording what stands in Jira", SQL, args).await?;
    }
    Ok(())
}

/// Records that lines of a description go into a comment, because it was changed by others.
pub(crate) async fn lines_moved(
    conn: &mut Conn,
    account: &AccountName,
    lines: &[(MessageId, u32)],
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE line SET place = $1 WHERE account = $2 AND message = $3 \
        AND part = $4 AND written = 0";
    for (message, part) in lines {
        let args = values![
            place_word(Place::Continued),
            account.as_str(),
            message.as_str(),
            i64::from(*part)
        ];
        conn.run("recording where a message goes", SQL, args)
            .await?;
    }
    Ok(())
}

/// Records that the provider took a message. What it reported of it meanwhile stands.
pub(crate) async fn outbound_sent(
    conn: &mut Conn,
    key: &EffectKey,
    remote_id: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE outbound SET remote_id = $1, \
          delivery = CASE WHEN delivery = 'queued' THEN 'sent' ELSE delivery END WHERE key = $2";
    let args = values![remote_id, key.as_str()];
    conn.run("recording a sent message", SQL, args)
        .await
        .map(drop)
}

/// Records what a message that waits says now.
pub(crate) async fn outbound_says(
    conn: &mut Conn,
    key: &EffectKey,
    text: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE outbound SET body = $1 WHERE key = $2 AND delivery = 'queued'";
    conn.run(
        "recording what a message says",
        SQL,
        values![text, key.as_str()],
    )
    .await
    .map(drop)
}

/// Records the name of a webhook call, and forgets those that have expired. False if it was known.
pub(crate) async fn call_seen(
    conn: &mut Conn,
    account: &AccountName,
    id: &str,
    until: Millis,
    now: Millis,
) -> Result<bool, StoreError> {
    const FORGET: &str = "DELETE FROM webhook_call WHERE account = $1 AND until < $2";
    const SQL: &str = "INSERT INTO webhook_call (account, id, until) VALUES ($1,$2,$3) \
        ON CONFLICT (account, id) DO NOTHING";
    let doing = "recording a webhook call";
    conn.run(doing, FORGET, values![account.as_str(), now.0])
        .await?;
    let args = values![account.as_str(), id, until.0];
    Ok(conn.run(doing, SQL, args).await? > 0)
}

/// Up to when something was looked through; `now` at first sight.
pub(crate) async fn watch(conn: &mut Conn, name: &str, now: Millis) -> Result<Millis, StoreError> {
    const INSERT: &str = "INSERT INTO watch (name, since, watermark) VALUES ($1,$2,$3) \
        ON CONFLICT (name) DO NOTHING";
    const SELECT: &str = "SELECT watermark FROM watch WHERE name = $1";
    let doing = "reading how far was looked";
    conn.run(doing, INSERT, values![name, now.0, now.0]).await?;
    let rows = conn.rows(doing, SELECT, values![name]).await?;
    rows.first().map_or(Ok(now), |row| row.int(0).map(Millis))
}

/// Records up to when something was looked through.
pub(crate) async fn watched(conn: &mut Conn, name: &str, to: Millis) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE watch SET watermark = $1 WHERE name = $2";
    conn.run("recording how far was looked", SQL, values![to.0, name])
        .await
        .map(drop)
}
