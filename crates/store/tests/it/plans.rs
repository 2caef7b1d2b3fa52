//! PostgreSQL plans a prepared statement once, and may do so while a table is still empty. What it
//! finds best then must not be to go through the table that a service fills afterwards.

use bowline_store::contacts::{Pages, Phase, RunKind};
use bowline_store::testing::{Backend, Scratch, texts};

use crate::contact_runs::running;
use crate::contacts::{person, prepared};
use crate::support::{T0, open, workspace};

/// Pages of one copy; the first few are what the statements are planned with.
const PAGES: usize = 60;

/// Contacts of a page.
const ON_A_PAGE: usize = 200;

#[tokio::test]
async fn a_copy_into_an_empty_postgres_database_goes_through_no_table() {
    let scratch = Scratch::new(Backend::Postgres);
    let store = open(scratch.url(), "first", 1_000, true).await;
    let run = running(&store, RunKind::Copy).await;
    for page in 0..PAGES {
        let ids = page * ON_A_PAGE..(page + 1) * ON_A_PAGE;
        let pages = Pages {
            contacts: ids
                .map(|n| person(&format!("p{n}"), "Somebody", &format!("p{n}@example.com")))
                .map(prepared)
                .collect(),
            cursor: Some(format!("c{page}")),
            requests: 1,
            phase: Some(Phase::Contacts),
            ..Pages::default()
        };
        let until = T0.plus_ms(60_000);
        store
            .take_pages((run, &workspace()), pages, (T0, until))
            .await
            .unwrap();
    }
    let waiting = "SELECT CAST(gin_clean_pending_list('contact_text_words') AS TEXT)";
    store.merge_words().await.unwrap();
    let left = texts(scratch.url(), waiting).await.unwrap();
    assert_eq!(left[0][0].as_deref(), Some("0"), "words that wait");
    // The server hands on what a connection counted when the connection ends, at the latest.
    store.close().await;
    let counted = "SELECT CAST(SUM(t.seq_tup_read) AS TEXT), CAST(SUM(t.n_tup_ins) AS TEXT), \
          CAST((SELECT SUM(i.idx_tup_read) FROM pg_stat_user_indexes i \
            WHERE i.relname IN ('contact', 'contact_text', 'membership')) AS TEXT) \
        FROM pg_stat_user_tables t WHERE t.relname IN ('contact', 'contact_text', 'membership')";
    let rows = texts(scratch.url(), counted).await.unwrap();
    let number = |column: usize| -> usize {
        let text = rows[0][column].as_deref().unwrap_or_default();
        text.parse().unwrap()
    };
    assert!(number(1) >= PAGES * ON_A_PAGE * 2, "{rows:?}");
    assert!(
        number(0) < ON_A_PAGE * 2,
        "a look at tables as a whole: {rows:?}"
    );
    // To go through all that there is costs less than to look each up while there are few: that is
    // some ten pages' worth of it. If it went on, it would be half of it for each page.
    assert!(
        number(2) < PAGES * PAGES * ON_A_PAGE / 8,
        "a look at an index as a whole: {rows:?}"
    );
}
