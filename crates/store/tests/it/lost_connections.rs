//! A connection to PostgreSQL that dies between two uses, or with an answer on its way.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bowline_store::model::Accepted;
use bowline_store::testing::{Backend, Scratch, check_lanes, texts};
use bowline_store::{Store, StoreError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use crate::support::*;

/// Stands between a store and its server.
pub(crate) struct Relay {
    folder: tempfile::TempDir,
    cut: watch::Sender<u32>,
    swallow: Arc<AtomicBool>,
}

impl Relay {
    fn before(server: PathBuf) -> Self {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let (cut, cuts) = watch::channel(0);
        let swallow = Arc::new(AtomicBool::new(false));
        let swallows = Arc::clone(&swallow);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&server).await.unwrap();
                let (cuts, swallows) = (cuts.clone(), Arc::clone(&swallows));
                tokio::spawn(relay(client, server, cuts, swallows));
            }
        });
        Self {
            folder,
            cut,
            swallow,
        }
    }

    /// Cuts all connections there are.
    fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    /// Lets the server's next word get lost, and cuts the connection then.
    pub(crate) fn swallow_next_answer(&self) {
        self.swallow.store(true, Ordering::SeqCst);
    }
}

async fn relay(
    mut client: UnixStream,
    mut server: UnixStream,
    mut cuts: watch::Receiver<u32>,
    swallow: Arc<AtomicBool>,
) {
    cuts.mark_unchanged();
    let (mut asked, mut said) = ([0; 16_384], [0; 16_384]);
    loop {
        tokio::select! {
            _ = cuts.changed() => return,
            read = client.read(&mut asked) => match read {
                Ok(length) if length > 0 => server.write_all(&asked[..length]).await.unwrap(),
                _ => return,
            },
            read = server.read(&mut said) => match read {
                Ok(length) if length > 0 && !swallow.swap(false, Ordering::SeqCst) => {
                    client.write_all(&said[..length]).await.unwrap();
                }
                _ => return,
            },
        }
    }
}

/// A store behind a relay, which has its statements about deliveries prepared.
pub(crate) async fn behind_a_relay(scratch: &Scratch) -> (Store, Relay) {
    let address = scratch.url();
    let rest = address.strip_prefix("postgres://postgres@").unwrap();
    let (socket, name) = rest.split_once('/').unwrap();
    let relay = Relay::before(PathBuf::from(socket.replace("%2F", "/")).join(".s.PGSQL.5432"));
    let socket = relay.folder.path().to_string_lossy().replace('/', "%2F");
    let url = format!("postgres://postgres@{socket}/{name}");
    let store = open(&url, "first", 1_000, false).await;
    for nth in ["a", "b"] {
        store.accept(event(nth, nth)).await.unwrap();
    }
    (store, relay)
}

async fn stored(scratch: &Scratch) -> usize {
    let events = texts(scratch.url(), "SELECT delivery FROM event").await;
    events.unwrap().len()
}

#[tokio::test]
async fn a_connection_that_died_while_it_was_idle_is_replaced() {
    let scratch = Scratch::new(Backend::Postgres);
    let (store, relay) = behind_a_relay(&scratch).await;

    relay.cut();
    let (id, lease) = fresh(&store.accept(event("1", "d1")).await.unwrap());
    relay.cut();
    let made = effects(vec![note("7", "n")]);
    let committed = decide(&store, &lease.unwrap(), id, made).await.unwrap();
    relay.cut();
    let ending = settlement(&committed.taken[0], confirmed("r1"));
    assert!(store.settle(ending).await.unwrap().is_none());
    relay.cut();
    assert_eq!(store.renew(T0).await.unwrap(), 2, "of the first deliveries");
    assert_eq!(store.backlog().await.unwrap().events, 2);
    relay.cut();
    assert_eq!(
        store.backlog().await.unwrap().events,
        2,
        "a look is taken again"
    );

    assert_eq!(stored(&scratch).await, 3);
    assert_eq!(
        check_lanes(scratch.url()).await.unwrap(),
        Vec::<String>::new()
    );
    store.close().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_no_lane_held() {
    an_answer_is_lost().await;
}

pub(crate) async fn an_answer_is_lost() {
    let scratch = Scratch::new(Backend::Postgres);
    let (store, relay) = behind_a_relay(&scratch).await;

    relay.swallow_next_answer();
    let answer = store.accept(event("1", "d1")).await.unwrap();
    let duplicate = matches!(answer, Accepted::Duplicate);
    assert!(duplicate, "the first try had stored it: {answer:?}");
    assert_eq!(stored(&scratch).await, 3);
    let lease = eventually("the lane is free", async || {
        store.claim_events(1, T0).await.unwrap().pop()
    })
    .await;
    assert_eq!(lease.lane, event_lane("1"));
    store.close().await;
}

#[tokio::test]
async fn a_decision_whose_answer_is_lost_is_made_once_and_what_it_began_is_doubtful() {
    let scratch = Scratch::new(Backend::Postgres);
    let (store, relay) = behind_a_relay(&scratch).await;
    planned(&store, "1", vec![note("7", "a")]).await;
    let (id, lease) = taken(&store, "2", "d2").await;

    relay.swallow_next_answer();
    let answer = decide(&store, &lease, id, effects(vec![note("8", "b")])).await;
    assert!(
        matches!(answer, Err(StoreError::Fenced { .. })),
        "it was decided already: {answer:?}"
    );
    let effect = eventually("the lane is free", async || {
        store.claim_effects(1, T0).await.unwrap().pop()
    })
    .await;
    assert_eq!(effect.event, id);
    assert!(effect.doubtful, "nobody can say whether it was made");
    assert_eq!(store.effects_of(id).await.unwrap().len(), 1);
    assert_eq!(
        check_lanes(scratch.url()).await.unwrap(),
        Vec::<String>::new()
    );
    store.close().await;
}
