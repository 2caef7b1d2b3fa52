//! What is known of conversations with end users.

use bowline_domain::effect::EffectKey;
use bowline_domain::ids::{CommentId, IssueId, IssueKey, SiteName};
use bowline_domain::messaging::delivery::{Delivery, Outbound};
use bowline_domain::messaging::end_user::{EndUser, Identity, IdentityKind};
use bowline_domain::messaging::gathering::{Line, Place};
use bowline_domain::messaging::ids::{
    AccountName, ChannelId, EndUserId, MessageId, RemoteConversationId, RequestRef,
};
use bowline_domain::messaging::inbound::Within;
use bowline_domain::messaging::language::Language;
use bowline_domain::messaging::request::Request;
use bowline_domain::time::Millis;

use crate::db::{Conn, Row, values};
use crate::error::StoreError;
use crate::model::{Talk, WrittenLine};

/// The end user who has an identity.
pub(crate) async fn end_user_by(
    conn: &mut Conn,
    account: &AccountName,
    identity: &Identity,
) -> Result<Option<EndUserId>, StoreError> {
    const SQL: &str = "SELECT end_user FROM identity \
        WHERE account = $1 AND kind = $2 AND value = $3";
    let args = values![
        account.as_str(),
        identity.kind.as_str(),
        identity.value.as_str()
    ];
    let rows = conn.rows("looking for an end user", SQL, args).await?;
    rows.first()
        .map(|row| row.text(0).map(EndUserId::new))
        .transpose()
}

/// An end user, if known.
pub(crate) async fn end_user(
    conn: &mut Conn,
    account: &AccountName,
    id: &EndUserId,
) -> Result<Option<EndUser>, StoreError> {
    const PERSON: &str =
        "SELECT name, blocked, customer, language FROM end_user WHERE account = $1 AND id = $2";
    const IDENTITIES: &str =
        "SELECT kind, value FROM identity WHERE account = $1 AND end_user = $2";
    let doing = "reading an end user";
    let at = || values![account.as_str(), id.as_str()];
    let rows = conn.rows(doing, PERSON, at()).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let mut identities = Vec::new();
    for identity in conn.rows(doing, IDENTITIES, at()).await? {
        let kind = identity.text(0)?;
        identities.push(Identity {
            kind: IdentityKind::from_word(&kind)
                .ok_or_else(|| StoreError::unreadable("an identity", &kind))?,
            value: identity.text(1)?,
        });
    }
    identities.sort();
    Ok(Some(EndUser {
        id: id.clone(),
        identities,
        name: row.text_or_null(0)?,
        blocked: row.truth(1)?,
        customer: row.text_or_null(2)?,
        language: row.text_or_null(3)?.as_deref().and_then(Language::read),
    }))
}

const REQUEST: &str = "account, end_user, generation, state, issue, key";

pub(crate) fn read_request(row: &Row) -> Result<(RequestRef, Request), StoreError> {
    let whose = RequestRef {
        account: AccountName::new(row.text(0)?),
        end_user: EndUserId::new(row.text(1)?),
        generation: u32::try_from(row.int(2)?).unwrap_or(u32::MAX),
    };
    let mut request: Request = serde_json::from_str(&row.text(3)?)
        .map_err(|error| StoreError::unreadable("a conversation", error))?;
    request.issue = row
        .text_or_null(4)?
        .zip(row.text_or_null(5)?)
        .map(|(issue, key)| (IssueId::new(issue), IssueKey::new(key)));
    Ok((whose, request))
}

/// The newest conversation of an end user, active or closed.
pub(crate) async fn latest(
    conn: &mut Conn,
    account: &AccountName,
    id: &EndUserId,
) -> Result<Option<Request>, StoreError> {
    let sql = format!(
        "SELECT {REQUEST} FROM request WHERE account = $1 AND end_user = $2 \
         ORDER BY generation DESC LIMIT 1"
    );
    let args = values![account.as_str(), id.as_str()];
    let rows = conn.rows("reading a conversation", &sql, args).await?;
    rows.first()
        .map(|row| read_request(row).map(|(_, request)| request))
        .transpose()
}

/// How many conversations an end user began since a time.
pub(crate) async fn begun_since(
    conn: &mut Conn,
    account: &AccountName,
    id: &EndUserId,
    since: Millis,
) -> Result<u32, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM request \
        WHERE account = $1 AND end_user = $2 AND opened_at > $3";
    let args = values![account.as_str(), id.as_str(), since.0];
    let rows = conn.rows("counting conversations", SQL, args).await?;
    let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Was a message gathered?
pub(crate) async fn message_seen(
    conn: &mut Conn,
    account: &AccountName,
    message: &MessageId,
) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT 1 FROM line WHERE account = $1 AND message = $2 LIMIT 1";
    let args = values![account.as_str(), message.as_str()];
    let rows = conn.rows("looking for a message", SQL, args).await?;
    Ok(!rows.is_empty())
}

async fn talk_of(conn: &mut Conn, row: Option<&Row>) -> Result<Option<Talk>, StoreError> {
    let Some(row) = row else { return Ok(None) };
    let (whose, request) = read_request(row)?;
    let found = end_user(conn, &whose.account, &whose.end_user).await?;
    let end_user = found
        .ok_or_else(|| StoreError::unreadable("a conversation", "its end user is not recorded"))?;
    Ok(Some(Talk {
        whose,
        end_user,
        request,
    }))
}

/// A conversation by its name.
pub(crate) async fn talk(conn: &mut Conn, whose: &RequestRef) -> Result<Option<Talk>, StoreError> {
    let sql = format!(
        "SELECT {REQUEST} FROM request WHERE account = $1 AND end_user = $2 AND generation = $3"
    );
    let args = values![
        whose.account.as_str(),
        whose.end_user.as_str(),
        i64::from(whose.generation)
    ];
    let rows = conn.rows("reading a conversation", &sql, args).await?;
    talk_of(conn, rows.first()).await
}

/// The conversation that feeds an issue, active or closed.
pub(crate) async fn talk_of_issue(
    conn: &mut Conn,
    site: &SiteName,
    issue: &IssueId,
) -> Result<Option<Talk>, StoreError> {
    let sql = format!("SELECT {REQUEST} FROM request WHERE site = $1 AND issue = $2");
    let args = values![site.as_str(), issue.as_str()];
    let rows = conn.rows("looking for a conversation", &sql, args).await?;
    talk_of(conn, rows.first()).await
}

/// The active conversation that goes by this one of the provider.
pub(crate) async fn talk_of_conversation(
    conn: &mut Conn,
    account: &AccountName,
    conversation: &RemoteConversationId,
) -> Result<Option<Talk>, StoreError> {
    let sql = format!(
        "SELECT {REQUEST} FROM request WHERE account = $1 AND conversation = $2 AND live = 1 \
         ORDER BY generation DESC LIMIT 1"
    );
    let args = values![account.as_str(), conversation.as_str()];
    let rows = conn.rows("looking for a conversation", &sql, args).await?;
    talk_of(conn, rows.first()).await
}

/// All active conversations, and those with a request that ended after a time.
pub(crate) async fn live_talks(conn: &mut Conn) -> Result<Vec<(RequestRef, Request)>, StoreError> {
    let sql = format!("SELECT {REQUEST} FROM request WHERE live = 1 ORDER BY opened_at");
    let rows = conn
        .rows("reading active conversations", &sql, Vec::new())
        .await?;
    rows.iter().map(read_request).collect()
}

/// The reverse of the word for where a gathering stands.
pub(crate) fn read_place(word: &str) -> Place {
    match word {
        "comment" => Place::Comment,
        "continued" => Place::Continued,
        _ => Place::Description,
    }
}

/// What orders a line among those of the same times, from this column and the next.
pub(crate) fn read_within(row: &Row, column: usize) -> Result<Within, StoreError> {
    Ok(Within {
        sent_ns: u32::try_from(row.int(column)?).unwrap_or_default(),
        arrived: row.int(column + 1)?,
    })
}

/// The lines of a gathering, with whether each stands in Jira.
pub(crate) async fn lines(
    conn: &mut Conn,
    whose: &RequestRef,
    gathering: u32,
) -> Result<Vec<WrittenLine>, StoreError> {
    const SQL: &str = "SELECT message, part, place, sent_at, received_at, body, written, \
          written_at, sent_ns, arrived FROM line \
        WHERE account = $1 AND end_user = $2 AND generation = $3 AND gathering = $4 \
        ORDER BY sent_at, sent_ns, received_at, arrived, message, part";
    let args = values![
        whose.account.as_str(),
        whose.end_user.as_str(),
        i64::from(whose.generation),
        i64::from(gathering)
    ];
    let rows = conn.rows("reading gathered messages", SQL, args).await?;
    rows.iter()
        .map(|row| {
            Ok(WrittenLine {
                line: Line {
                    message: MessageId::new(row.text(0)?),
                    part: u32::try_from(row.int(1)?).unwrap_or(u32::MAX),
                    gathering,
                    place: read_place(&row.text(2)?),
                    sent_at: Millis(row.int(3)?),
                    received_at: Millis(row.int(4)?),
                    within: read_within(row, 8)?,
                    text: row.text(5)?,
                },
                written: row.truth(6)?,
                written_at: row.int_or_null(7)?.map(Millis),
            })
        })
        .collect()
}

/// The comment in which a gathering stands, if it was written.
pub(crate) async fn gathering_comment(
    conn: &mut Conn,
    whose: &RequestRef,
    gathering: u32,
) -> Result<Option<CommentId>, StoreError> {
    const SQL: &str = "SELECT comment FROM gathering \
        WHERE account = $1 AND end_user = $2 AND generation = $3 AND number = $4";
    let args = values![
        whose.account.as_str(),
        whose.end_user.as_str(),
        i64::from(whose.generation),
        i64::from(gathering)
    ];
    let rows = conn
        .rows("reading where messages are gathered", SQL, args)
        .await?;
    rows.first()
        .map(|row| row.text(0).map(CommentId::new))
        .transpose()
}

const OUTBOUND: &str = "key, comment, channel, body, delivery, reason, at, \
    account, end_user, generation";

pub(crate) fn read_outbound(row: &Row) -> Result<(RequestRef, Outbound), StoreError> {
    let word = row.text(4)?;
    let outbound = Outbound {
        key: EffectKey::stored(row.text(0)?),
        comment: row.text_or_null(1)?.map(CommentId::new),
        channel: ChannelId::new(row.text(2)?),
        text: row.text(3)?,
        delivery: Delivery::from_word(&word)
            .ok_or_else(|| StoreError::unreadable("a delivery state", &word))?,
        reason: row.text_or_null(5)?,
        at: Millis(row.int(6)?),
    };
    let whose = RequestRef {
        account: AccountName::new(row.text(7)?),
        end_user: EndUserId::new(row.text(8)?),
        generation: u32::try_from(row.int(9)?).unwrap_or(u32::MAX),
    };
    Ok((whose, outbound))
}

/// A message to an end user by the provider's name of it.
pub(crate) async fn outbound_by_remote(
    conn: &mut Conn,
    account: &AccountName,
    remote_id: &MessageId,
) -> Result<Option<(RequestRef, Outbound)>, StoreError> {
    let sql = format!("SELECT {OUTBOUND} FROM outbound WHERE account = $1 AND remote_id = $2");
    let args = values![account.as_str(), remote_id.as_str()];
    let rows = conn
        .rows("looking for an outbound message", &sql, args)
        .await?;
    rows.first().map(read_outbound).transpose()
}

/// A message to an end user.
pub(crate) async fn outbound(
    conn: &mut Conn,
    key: &EffectKey,
) -> Result<Option<(RequestRef, Outbound)>, StoreError> {
    let sql = format!("SELECT {OUTBOUND} FROM outbound WHERE key = $1");
    let rows = conn
        .rows("reading an outbound message", &sql, values![key.as_str()])
        .await?;
    rows.first().map(read_outbound).transpose()
}

/// The messages to an end user in one conversation, oldest first.
pub(crate) async fn outbounds(
    conn: &mut Conn,
    whose: &RequestRef,
) -> Result<Vec<Outbound>, StoreError> {
    let sql = format!(
        "SELECT {OUTBOUND} FROM outbound \
         WHERE account = $1 AND end_user = $2 AND generation = $3 ORDER BY at, place, key"
    );
    let args = values![
        whose.account.as_str(),
        whose.end_user.as_str(),
        i64::from(whose.generation)
    ];
    let rows = conn.rows("reading outbound messages", &sql, args).await?;
    rows.iter()
        .map(|row| read_outbound(row).map(|(_, outbound)| outbound))
        .collect()
}

/// Does anything wait in a lane?
pub(crate) async fn lane_waits(
    conn: &mut Conn,
    lane: &bowline_domain::ids::LaneKey,
) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT 1 FROM lane WHERE key = $1 AND pending > 0";
    let rows = conn
        .rows("reading a lane", SQL, values![lane.as_str()])
        .await?;
    Ok(!rows.is_empty())
}

/// Was a webhook call seen?
pub(crate) async fn call_is_known(
    conn: &mut Conn,
    account: &AccountName,
    id: &str,
) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT 1 FROM webhook_call WHERE account = $1 AND id = $2";
    let rows = conn
        .rows(
            "looking for a webhook call",
            SQL,
            values![account.as_str(), id],
        )
        .await?;
    Ok(!rows.is_empty())
}
