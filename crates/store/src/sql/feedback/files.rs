//! Files of messages.

use bowline_domain::feedback::ids::{PartId, TicketId};
use bowline_domain::ids::{ConversationId, WorkspaceName};

use crate::db::{Conn, Row, values};
use crate::error::StoreError;
use crate::feedback::{FileDraft, FileView};

/// Keeps the files of a message, as long as a ticket of it is not erased. Keeping them again
/// changes nothing.
pub(crate) async fn keep(
    conn: &mut Conn,
    (workspace, conversation, part): (&WorkspaceName, &ConversationId, &PartId),
    drafts: &[FileDraft],
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO feedback_file \
          (workspace, conversation, part, number, name, kind, bytes, content, why_not) \
        SELECT $1,$2,$3,$4,$5,$6,$7,$8,$9 WHERE EXISTS (SELECT 1 FROM ticket \
          WHERE workspace = $10 AND conversation = $11 AND part = $12 AND erased IS NULL) \
        ON CONFLICT (workspace, conversation, part, number) DO NOTHING";
    for (number, draft) in (0_i64..).zip(drafts) {
        let args = values![
            workspace.as_str(),
            conversation.as_str(),
            part.as_str(),
            number,
            draft.name.as_str(),
            draft.kind.as_str(),
            draft.bytes,
            draft.content.as_ref().ok().cloned(),
            draft.content.as_ref().err().cloned(),
            workspace.as_str(),
            conversation.as_str(),
            part.as_str()
        ];
        conn.run("keeping a file", SQL, args).await?;
    }
    Ok(())
}

fn read(row: &Row) -> Result<FileView, StoreError> {
    Ok(FileView {
        number: row.int(0)?,
        name: row.text(1)?,
        kind: row.text(2)?,
        bytes: row.int(3)?,
        why_not: row.text_or_null(4)?,
    })
}

/// The files of a message.
pub(crate) async fn of_message(
    conn: &mut Conn,
    (workspace, conversation, part): (&WorkspaceName, &ConversationId, &PartId),
) -> Result<Vec<FileView>, StoreError> {
    const SQL: &str = "SELECT number, name, kind, bytes, why_not FROM feedback_file \
        WHERE workspace = $1 AND conversation = $2 AND part = $3 ORDER BY number";
    let args = values![workspace.as_str(), conversation.as_str(), part.as_str()];
    let rows = conn.rows("listing files", SQL, args).await?;
    rows.iter().map(read).collect()
}

/// A file of a ticket's message, with what is in it.
pub(crate) async fn content(
    conn: &mut Conn,
    ticket: TicketId,
    number: i64,
) -> Result<Option<(FileView, String)>, StoreError> {
    const SQL: &str = "SELECT number, name, kind, bytes, why_not, content FROM feedback_file \
        JOIN ticket ON ticket.workspace = feedback_file.workspace \
          AND ticket.conversation = feedback_file.conversation \
          AND ticket.part = feedback_file.part \
        WHERE ticket.id = $1 AND number = $2 AND content IS NOT NULL";
    let rows = conn
        .rows("reading a file", SQL, values![ticket.0, number])
        .await?;
    rows.first()
        .map(|row| Ok((read(row)?, row.text(5)?)))
        .transpose()
}
